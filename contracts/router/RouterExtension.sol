// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    AccessManagedUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {FailureClass, IInferenceRouter, Intent, Outcome, RequestStatus} from "../interfaces/IInferenceRouter.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {Account} from "../words/Account.sol";
import {Offer, PriceWord} from "../words/Offer.sol";
import {Request} from "../words/Request.sol";
import {Seat} from "../words/Seat.sol";
import {Ticket} from "../words/Ticket.sol";
import {Till} from "../words/Till.sol";
import {Intents} from "./Intents.sol";
import {RouterBase} from "./RouterBase.sol";
import {Settlement} from "./Settlement.sol";

/// @title What is called on the router once in a while
/// @notice Reached through the fallback of InferenceRouter, with its storage; what it does not know itself is in
/// RouterSeats, reached through its own. Called at its own address it finds an empty storage without a manager, and
/// can do nothing.
///
/// # Ending a request that nobody answered
/// Queued, and nobody was free in time: NoNode. Assigned, and the node was not seen since: Offline, after the
/// acknowledgement window. Seen, but the execution window is over: Timeout. The node confesses: Error. Three nodes in a
/// row decline the prompt: BadPrompt. Each gives back its share of the payment; the rest stays burned, and only the
/// node's reputation tells who was at fault.
contract RouterExtension is AccessManagedUpgradeable, Settlement, Intents {
    using PriceWord for uint256;

    uint256 private constant MAX_VOIDED = 1_000;
    uint256 private constant REFUND_ALL = 10_000;
    uint256 private constant REFUND_FAULT = 9_500;
    uint256 private constant REFUND_BAD_PROMPT = 5_000;
    uint256 private constant MOST_ATTEMPTS = 3;
    uint256 private constant LONGEST_PAUSE = 1 days;

    /// The implementation behind the fallback.
    address public immutable NEXT;

    /// @param next RouterSeats, made with the same peers and the same number of blocks.
    constructor(Peers memory peers, uint256 windowBlocks, address next) RouterBase(peers, windowBlocks) {
        _disableInitializers();
        NEXT = next;
    }

    /// @dev Hands everything else on, with the storage that it is called with.
    fallback() external {
        address next = NEXT;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), next, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    // ---- ending without an answer

    function assign(Ticket calldata ticket) external nonReentrant {
        Layout storage $ = _layout();
        bytes32 id = _idOf(ticket);
        Request request = $.requests[id];
        _requireStatus(id, request, RequestStatus.Queued);
        require(_reassign(id, ticket, request), RouterNobodyEligible(id));
    }

    function decline(Ticket calldata ticket) external nonReentrant {
        Layout storage $ = _layout();
        bytes32 id = _idOf(ticket);
        (Request request, Till till) = _requireAssignedToSender(id, ticket);
        uint256 validator = request.validator();
        $.tills[msg.sender] = _seen(till, msg.sender);
        Seat seat = _seatOf(validator);
        _putSeat(validator, seat.withLoad(seat.load() - 1));
        emit RequestDeclined(id, validator);
        if (request.attempts() == MOST_ATTEMPTS) {
            _end(id, ticket, request, FailureClass.BadPrompt, REFUND_BAD_PROMPT);
            return;
        }
        $.declined[id] = ($.declined[id] << 16) | validator;
        if (!_reassign(id, ticket, request)) $.requests[id] = request.reopen(uint256(RequestStatus.Queued), 0, 0);
    }

    /// @dev Gives a request to a validator that has not declined it, where one is eligible.
    function _reassign(bytes32 id, Ticket calldata ticket, Request request) private returns (bool) {
        Layout storage $ = _layout();
        Offer offer = $.offers[$.models[ticket.terms.model()]];
        (uint256 validator, uint256 band) = _assign(offer, id, $.declined[id]);
        if (validator == 0) return false;
        $.requests[id] = request.reopen(uint256(RequestStatus.Assigned), validator, band);
        emit RequestAssigned(id, validator);
        return true;
    }

    function fail(Ticket calldata ticket) external nonReentrant {
        bytes32 id = _idOf(ticket);
        (Request request, Till till) = _requireAssignedToSender(id, ticket);
        till = _seen(till, msg.sender);
        _blame(request.validator(), msg.sender, till, FailureClass.Error);
        _end(id, ticket, request, FailureClass.Error, REFUND_FAULT);
    }

    function expire(Ticket calldata ticket) external nonReentrant {
        Layout storage $ = _layout();
        bytes32 id = _idOf(ticket);
        Request request = $.requests[id];
        uint256 price = request.price();
        if (request.status() == uint256(RequestStatus.Queued)) {
            uint256 until = request.since() + price.queueWindow();
            require(block.timestamp > until, RouterTooEarly(id, until + 1));
            _end(id, ticket, request, FailureClass.NoNode, REFUND_ALL);
            return;
        }
        _requireStatus(id, request, RequestStatus.Assigned);
        address operator = $.operators[request.validator()];
        Till till = $.tills[operator];
        bool seen = till.lastSeenAt() > request.since();
        uint256 window = price.executionWindow(ticket.terms.maxTokens());
        uint256 endsAt = _endOf(request, seen ? window : price.ackWindow(), window);
        require(block.timestamp > endsAt && request.blocksSince() >= WINDOW_BLOCKS, RouterTooEarly(id, endsAt + 1));
        FailureClass class = seen ? FailureClass.Timeout : FailureClass.Offline;
        _blame(request.validator(), operator, till, class);
        _end(id, ticket, request, class, seen ? REFUND_FAULT : REFUND_ALL);
    }

    function _blame(uint256 validator, address operator, Till till, FailureClass class) private {
        Seat seat = _seatOf(validator);
        (till, seat) = _stumble(till, seat.withLoad(seat.load() - 1), validator, class);
        _putSeat(validator, seat);
        _layout().tills[operator] = till;
    }

    /// @dev The refund goes to credits, what is forfeited stays burned: nobody earns from a failure.
    function _end(bytes32 id, Ticket calldata ticket, Request request, FailureClass class, uint256 refundBps) private {
        Layout storage $ = _layout();
        uint256 payment = ticket.payer.payment();
        uint256 refund = FeeMath.refundDown(payment, refundBps);
        _credit(ticket.payer.user(), refund + ticket.terms.callbackFee());
        $.global = $.global.add(0, payment - refund);
        $.requests[id] = request.end(uint256(RequestStatus.Failed), uint256(class), 0);
        emit RequestFailed(id, ticket.payer.user(), request.validator(), class, refund, payment - refund);
    }

    function retryCallback(Ticket calldata ticket, Outcome calldata outcome, bytes calldata record)
        external
        nonReentrant
    {
        bytes32 id = _idOf(ticket);
        Layout storage $ = _layout();
        Request request = $.requests[id];
        require(request.callbackFailed(), RouterInvalidStatus(id, RequestStatus(request.status())));
        require(_isOutcome(id, outcome), RouterWrongOutcome(id));
        if (!_tryCallback(id, ticket, outcome.digest, record)) revert RouterCallbackFailed(id, ticket.callback);
        $.requests[id] = request.withCallbackFailed(false);
        emit CallbackRetried(id, ticket.callback);
    }

    // ---- being seen

    function heartbeat() external nonReentrant {
        Layout storage $ = _layout();
        Till till = $.tills[msg.sender];
        uint256 validator = till.id();
        require(validator != 0, RouterNotServing(msg.sender));
        Seat seat;
        (till, seat) = _rate(_seen(till, msg.sender), _seatOf(validator), validator);
        $.tills[msg.sender] = till;
        _putSeat(validator, seat);
    }

    // ---- signatures

    function hashIntent(Intent calldata intent) external view returns (bytes32) {
        return _hashIntent(intent);
    }

    function voidNonces(uint256 nonce) external {
        Layout storage $ = _layout();
        Account account = $.accounts[msg.sender];
        uint256 lowest = account.nonceBase();
        require(nonce > lowest && nonce - lowest <= MAX_VOIDED, RouterInvalidNonce(msg.sender, nonce, lowest));
        while (account.nonceBase() < nonce) (account,) = account.useNonce(account.nonceBase());
        $.accounts[msg.sender] = account;
        emit NoncesVoided(msg.sender, nonce);
    }

    // ---- pauses

    function pauseSettlement(uint256 until) external restricted {
        Layout storage $ = _layout();
        uint256 previous = $.global.pausedUntil();
        uint256 end = _pauseEnd(previous, until);
        $.global = $.global.withPause(previous > block.timestamp ? $.global.pausedAt() : block.timestamp, end);
        emit SettlementPaused(end);
    }

    function pauseIntake(uint256 until) external restricted {
        Layout storage $ = _layout();
        uint256 end = _pauseEnd($.intakePausedUntil, until);
        $.intakePausedUntil = uint40(end);
        for (uint256 i; i < $.models.length; ++i) {
            $.offers[$.models[i]] = $.offers[$.models[i]].closed();
        }
        emit IntakePaused(end);
    }

    /// @dev A pause lasts a day at most, and the next may not begin within a day of its end. A running one can only
    /// be shortened, to now at the earliest: its true end stays on record.
    function _pauseEnd(uint256 previous, uint256 until) private view returns (uint256) {
        uint256 latest = block.timestamp + LONGEST_PAUSE;
        require(until <= latest, RouterPauseTooLong(until, latest));
        if (previous > block.timestamp) {
            require(until <= previous, RouterPauseTooSoon(previous + LONGEST_PAUSE));
            return until > block.timestamp ? until : block.timestamp;
        }
        require(until > block.timestamp, RouterNotPaused());
        require(
            previous == 0 || block.timestamp >= previous + LONGEST_PAUSE, RouterPauseTooSoon(previous + LONGEST_PAUSE)
        );
        return until;
    }
}

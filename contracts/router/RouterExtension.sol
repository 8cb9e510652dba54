// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {FailureClass, IInferenceRouter, Intent, Outcome, RequestStatus} from "../interfaces/IInferenceRouter.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {Account} from "../words/Account.sol";
import {PriceWord} from "../words/Offer.sol";
import {Request, RequestWord} from "../words/Request.sol";
import {Seat} from "../words/Seat.sol";
import {Ticket} from "../words/Ticket.sol";
import {Till} from "../words/Till.sol";
import {Intents} from "./Intents.sol";
import {RouterBase} from "./RouterBase.sol";
import {RouterViews} from "./RouterViews.sol";

/// @title What is called on the router once in a while
/// @notice Reached through the fallback of InferenceRouter, with its storage. Called at its own address it finds an
/// empty storage without a manager, and can do nothing.
///
/// # Ending a request that nobody answered
/// Queued, and nobody was free in time: NoNode. Assigned, and the node was not seen since: Offline, after the
/// acknowledgement window. Seen, but the execution window is over: Timeout. The node confesses: Error. Each gives back
/// its share of the payment; the rest stays burned, and only the node's reputation tells who was at fault.
contract RouterExtension is AccessManagedUpgradeable, RouterViews, Intents {
    using PriceWord for uint256;

    uint256 private constant MAX_VOIDED = 1_000;
    uint256 private constant REFUND_ALL = 10_000;
    uint256 private constant REFUND_FAULT = 9_500;
    uint256 private constant LONGEST_PAUSE = 1 days;

    constructor(Peers memory peers, uint256 windowBlocks) RouterBase(peers, windowBlocks) {
        _disableInitializers();
    }

    // ---- ending without an answer

    function assign(Ticket calldata ticket) external nonReentrant {
        Layout storage $ = _layout();
        bytes32 id = _idOf(ticket);
        Request request = $.requests[id];
        _requireStatus(id, request, RequestStatus.Queued);
        (uint256 validator, uint256 band) = _assign($.offers[$.models[ticket.terms.model()]], id);
        require(validator != 0, RouterNobodyEligible(id));
        uint256 price = Request.unwrap(request) & ~uint256(type(uint96).max);
        $.requests[id] = RequestWord.open(uint256(RequestStatus.Assigned), validator, band, price);
        emit RequestAssigned(id, validator);
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
        require(
            block.timestamp > endsAt && request.blocksSince() >= WINDOW_BLOCKS, RouterTooEarly(id, endsAt + 1)
        );
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
        require(isOutcome(id, outcome), RouterWrongOutcome(id));
        if (!_tryCallback(id, ticket, outcome.digest, record)) revert RouterCallbackFailed(id, ticket.callback);
        $.requests[id] = request.withCallbackFailed(false);
        emit CallbackRetried(id, ticket.callback);
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

    /// @notice Pauses settlement and failure claims. Guardian alone, for a day at most, and not again within a day of
    /// its end; a date that is over, or earlier than the running one, ends a pause.
    function pauseSettlement(uint256 until) external restricted {
        Layout storage $ = _layout();
        _checkPause($.global.pausedUntil(), until);
        $.global = $.global.withPause(until);
        emit SettlementPaused(until);
    }

    /// @notice Pauses submissions in the same bounds. They open again when somebody calls `ModelRegistry.pushOffers`
    /// after its end.
    function pauseIntake(uint256 until) external restricted {
        Layout storage $ = _layout();
        _checkPause($.intakePausedUntil, until);
        $.intakePausedUntil = uint40(until);
        if (until > block.timestamp) {
            for (uint256 i; i < $.models.length; ++i) {
                $.offers[$.models[i]] = $.offers[$.models[i]].closed();
            }
        }
        emit IntakePaused(until);
    }

    function _checkPause(uint256 previous, uint256 until) private view {
        uint256 latest = block.timestamp + LONGEST_PAUSE;
        require(until <= latest, RouterPauseTooLong(until, latest));
        bool shortens = until <= previous;
        uint256 from = previous + LONGEST_PAUSE;
        require(shortens || previous == 0 || block.timestamp >= from, RouterPauseTooSoon(from));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FailureClass, Outcome, RequestStatus} from "../interfaces/IInferenceRouter.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {Account} from "../words/Account.sol";
import {Offer, PriceWord} from "../words/Offer.sol";
import {Request} from "../words/Request.sol";
import {Seat} from "../words/Seat.sol";
import {Ticket} from "../words/Ticket.sol";
import {Till} from "../words/Till.sol";
import {Answering} from "./Answering.sol";
import {Extended} from "./Extended.sol";
import {Intents} from "./Intents.sol";
import {RouterBase} from "./RouterBase.sol";

/// @title What is called on the router once in a while
/// @notice Reached through the fallback of InferenceRouter, with its storage. Called at its own address it finds an
/// empty storage, and can do nothing.
///
/// # Ending a request that nobody answered
/// Queued, and nobody was free in time: NoNode. Assigned, and the node was not seen since: Offline, after the
/// acknowledgement window. Seen, but the execution window is over: Timeout. The node confesses: Error. Three nodes
/// decline the prompt: BadPrompt, or NoNode where it is on chain for all to read. Each gives back its share of the
/// payment; the rest stays burned, and only the node's reputation tells who was at fault.
///
/// # Attempts
/// A request has up to three attempts, each with another validator; declines count among them. After a failure it goes
/// to the next one, whose windows begin a second later, then two; the class of the last failure decides the refund.
///
/// # Cancelling
/// Its user may take a request back. A validator that works on it has half a minute to post what it has, and is paid
/// for that; else half of the payment comes back.
contract RouterExtension is Answering, Intents, Extended {
    using PriceWord for uint256;

    uint256 private constant MAX_VOIDED = 1_000;
    uint256 private constant REFUND_ALL = 10_000;
    uint256 private constant REFUND_FAULT = 9_500;
    uint256 private constant REFUND_REPEATED = 9_000;
    uint256 private constant REFUND_OFTEN = 8_500;
    uint256 private constant REFUND_HALF = 5_000;
    uint256 private constant MOST_ATTEMPTS = 3;

    constructor(Peers memory peers, uint256 windowBlocks, address extension)
        RouterBase(peers, windowBlocks)
        Extended(extension)
    {}

    // ---- answering for an operator

    function settleFor(
        Ticket calldata ticket,
        bytes32 digest,
        uint256 tokens,
        bytes calldata record,
        bytes calldata signature
    ) external nonReentrant {
        bytes32 id = _idOf(ticket);
        address operator = _layout().operators[_layout().requests[id].validator()];
        bytes32 message = _hashTypedData(keccak256(abi.encode(DELIVERY_TYPEHASH, id, digest, tokens)));
        require(_isKeySignature(operator, message, signature), RouterInvalidSignature(operator));
        _settle(operator, ticket, digest, tokens, record);
    }

    // ---- the next attempt

    function assign(Ticket calldata ticket) external nonReentrant {
        bytes32 id = _idOf(ticket);
        Request request = _layout().requests[id];
        _requireStatus(id, request, RequestStatus.Queued);
        require(_reassign(id, ticket, request, 0), RouterNobodyEligible(id));
    }

    function decline(Ticket calldata ticket) external nonReentrant {
        Layout storage $ = _layout();
        bytes32 id = _idOf(ticket);
        (Request request, Till till) = _requireAssignedTo(msg.sender, id, ticket);
        uint256 validator = request.validator();
        Seat seat = _seatOf(validator);
        seat = seat.withLoad(seat.load() - 1);
        till = _seen(till, msg.sender);
        emit RequestDeclined(id, validator);
        if (request.cancelling()) {
            _put(validator, msg.sender, till, seat);
            _endCancelled(id, ticket, request);
            return;
        }
        bool othersServe = _offerOf(ticket).servers() >= MOST_ATTEMPTS;
        (till, seat) = _declined(till, seat, validator, othersServe);
        _put(validator, msg.sender, till, seat);
        request = request.withDecline();
        if (request.attempts() < MOST_ATTEMPTS) {
            $.earlier[id] = ($.earlier[id] << 16) | validator;
            if (!_reassign(id, ticket, request, 0)) {
                $.requests[id] = request.queued(uint256(RequestStatus.Queued));
            }
        } else {
            _end(id, ticket, request, _classUnanswered(request));
        }
    }

    function fail(Ticket calldata ticket) external nonReentrant {
        bytes32 id = _idOf(ticket);
        (Request request, Till till) = _requireAssignedTo(msg.sender, id, ticket);
        till = _seen(till, msg.sender);
        if (request.cancelling()) {
            Seat seat = _seatOf(request.validator());
            _put(request.validator(), msg.sender, till, seat.withLoad(seat.load() - 1));
            _endCancelled(id, ticket, request);
            return;
        }
        _failed(id, ticket, request, msg.sender, till, FailureClass.Error);
    }

    function expire(Ticket calldata ticket) external nonReentrant {
        Layout storage $ = _layout();
        bytes32 id = _idOf(ticket);
        Request request = $.requests[id];
        if (request.status() == uint256(RequestStatus.Queued)) {
            uint256 until = request.since() + request.price().queueWindow();
            require(block.timestamp > until, RouterTooEarly(id, until + 1));
            _end(id, ticket, request, _classUnanswered(request));
            return;
        }
        _requireStatus(id, request, RequestStatus.Assigned);
        address operator = $.operators[request.validator()];
        Till till = $.tills[operator];
        bool seen = _wasSeen(request, till);
        uint256 endsAt = _overdueAfter(request, ticket, seen);
        require(block.timestamp > endsAt && request.blocksSince() >= WINDOW_BLOCKS, RouterTooEarly(id, endsAt + 1));
        if (request.cancelling()) {
            Seat seat = _seatOf(request.validator());
            _putSeat(request.validator(), seat.withLoad(seat.load() - 1));
            _endCancelled(id, ticket, request);
            return;
        }
        _failed(id, ticket, request, operator, till, seen ? FailureClass.Timeout : FailureClass.Offline);
    }

    function overdueFrom(Ticket calldata ticket) external view returns (uint256) {
        Layout storage $ = _layout();
        Request request = $.requests[_idOf(ticket)];
        if (request.status() == uint256(RequestStatus.Queued)) {
            return request.since() + request.price().queueWindow() + 1;
        }
        if (request.status() != uint256(RequestStatus.Assigned)) return 0;
        bool seen = _wasSeen(request, $.tills[$.operators[request.validator()]]);
        return _overdueAfter(request, ticket, seen) + 1;
    }

    /// @dev Whether the validator was seen since it was assigned.
    function _wasSeen(Request request, Till till) private pure returns (bool) {
        return till.lastSeenAt() > request.assignedAt();
    }

    function _overdueAfter(Request request, Ticket calldata ticket, bool seen) private view returns (uint256) {
        uint256 window = request.price().executionWindow(ticket.terms.maxTokens());
        uint256 own = request.cancelling() ? CANCEL_WINDOW : seen ? window : request.price().ackWindow();
        return _endOf(_layout().global, request, own, window);
    }

    /// @dev Blames the validator; then gives the request to another one, or to the queue where others serve the model,
    /// or ends it. The last failure decides what comes back.
    function _failed(
        bytes32 id,
        Ticket calldata ticket,
        Request request,
        address operator,
        Till till,
        FailureClass class
    ) private {
        Layout storage $ = _layout();
        uint256 validator = request.validator();
        Seat seat = _seatOf(validator);
        (till, seat) = _stumble(till, seat.withLoad(seat.load() - 1), validator, class);
        _put(validator, operator, till, seat);

        uint256 attempts = request.attempts();
        if (attempts == MOST_ATTEMPTS) {
            _end(id, ticket, request, class);
            return;
        }
        request = request.withFailure(uint256(class));
        $.earlier[id] = ($.earlier[id] << 16) | validator;
        // The windows of the next attempt begin after a backoff of 1 second, then 2.
        if (_reassign(id, ticket, request, attempts)) {
            emit AttemptFailed(id, validator, class);
        } else if (_offerOf(ticket).servers() > attempts) {
            $.requests[id] = request.queued(uint256(RequestStatus.Queued));
            emit AttemptFailed(id, validator, class);
        } else {
            _end(id, ticket, request, class);
        }
    }

    /// @dev Gives a request to a validator that has not had it, where one is eligible.
    function _reassign(bytes32 id, Ticket calldata ticket, Request request, uint256 backoff) private returns (bool) {
        Layout storage $ = _layout();
        bytes32 seed = keccak256(abi.encode(blockhash(block.number - 1), id));
        (uint256 validator, uint256 band) = _assign(_offerOf(ticket), seed, $.earlier[id]);
        if (validator == 0) return false;
        $.requests[id] = request.assigned(uint256(RequestStatus.Assigned), validator, band, backoff);
        emit RequestAssigned(id, validator);
        return true;
    }

    function _offerOf(Ticket calldata ticket) private view returns (Offer) {
        Layout storage $ = _layout();
        return $.offers[$.models[ticket.terms.model()]];
    }

    function _put(uint256 validator, address operator, Till till, Seat seat) private {
        _putSeat(validator, seat);
        _layout().tills[operator] = till;
    }

    // ---- cancelling

    function cancel(Ticket calldata ticket) external nonReentrant {
        require(msg.sender == ticket.payer.user(), RouterNotPayer(msg.sender, ticket.payer.user()));
        _cancel(ticket);
    }

    function cancelFor(Ticket calldata ticket, uint256 deadline, bytes calldata signature) external nonReentrant {
        require(block.timestamp <= deadline, RouterExpired(deadline));
        bytes32 message = _hashTypedData(keccak256(abi.encode(CANCEL_TYPEHASH, _idOf(ticket), deadline)));
        address user = ticket.payer.user();
        require(_isSignature(user, message, signature), RouterInvalidSignature(user));
        _cancel(ticket);
    }

    /// @dev Nobody works on a queued request: it ends at once. Else the validator has half a minute to post what it has.
    function _cancel(Ticket calldata ticket) private {
        Layout storage $ = _layout();
        bytes32 id = _idOf(ticket);
        Request request = $.requests[id];
        if (request.status() == uint256(RequestStatus.Queued)) {
            _endCancelled(id, ticket, request);
            return;
        }
        _requireStatus(id, request, RequestStatus.Assigned);
        require(!request.cancelling(), RouterInvalidStatus(id, RequestStatus.Assigned));
        uint256 window = request.price().executionWindow(ticket.terms.maxTokens());
        uint256 endsAt = _endOf($.global, request, window, window);
        require(block.timestamp <= endsAt, RouterWindowOver(id, endsAt));
        $.requests[id] = request.cancelled();
        emit CancelRequested(id, request.validator(), block.timestamp + CANCEL_WINDOW);
    }

    /// @dev Cancelling out of the queue never gives back more than the failure that led there would.
    function _endCancelled(bytes32 id, Ticket calldata ticket, Request request) private {
        bool declined = request.declines() == request.attempts() && request.attempts() != 0;
        bool half = request.cancelling() || declined && !request.published();
        uint256 refundBps = half ? REFUND_HALF : _refundBps(ticket.payer.user(), _classUnanswered(request));
        (uint256 refund, uint256 forfeited) = _refund(ticket, refundBps);
        _layout().requests[id] = request.end(uint256(RequestStatus.Cancelled), 0, 0);
        emit RequestCancelled(id, ticket.payer.user(), request.validator(), refund, forfeited);
    }

    // ---- ending without an answer

    function _end(bytes32 id, Ticket calldata ticket, Request request, FailureClass class) private {
        (uint256 refund, uint256 forfeited) = _refund(ticket, _refundBps(ticket.payer.user(), class));
        _layout().requests[id] = request.end(uint256(RequestStatus.Failed), uint256(class), 0);
        emit RequestFailed(id, ticket.payer.user(), request.validator(), class, refund, forfeited);
    }

    /// @dev Why a request ends that nobody has: its last failure where it had one; else nobody took it, or three declined
    /// what was withheld. What all can read comes back whole, so that nobody is robbed by declining it.
    function _classUnanswered(Request request) private pure returns (FailureClass) {
        uint256 last = request.lastFailure();
        if (last != 0) return FailureClass(last);
        bool judged = request.declines() == MOST_ATTEMPTS && !request.published();
        return judged ? FailureClass.BadPrompt : FailureClass.NoNode;
    }

    /// @dev A Timeout or an Error gives back 95 %; 90 where its user had another within 24 hours, 85 where two.
    function _refundBps(address user, FailureClass class) private returns (uint256) {
        if (class == FailureClass.BadPrompt) return REFUND_HALF;
        if (class != FailureClass.Timeout && class != FailureClass.Error) return REFUND_ALL;
        Faults storage faults = _layout().faults[user];
        (uint256 last, uint256 previous) = (faults.last, faults.previous);
        (faults.last, faults.previous) = (uint40(block.timestamp), uint40(last));
        if (block.timestamp > last + 1 days) return REFUND_FAULT;
        return block.timestamp > previous + 1 days ? REFUND_REPEATED : REFUND_OFTEN;
    }

    /// @dev The refund goes to credits, what is forfeited stays burned: nobody earns from a failure.
    function _refund(Ticket calldata ticket, uint256 refundBps) private returns (uint256 refund, uint256 forfeited) {
        Layout storage $ = _layout();
        uint256 payment = ticket.payer.payment();
        refund = FeeMath.refundDown(payment, refundBps);
        forfeited = payment - refund;
        _credit(ticket.payer.user(), refund + ticket.terms.callbackFee());
        $.global = $.global.add(0, forfeited);
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

    function voidNonces(uint256 nonce) external {
        Layout storage $ = _layout();
        Account account = $.accounts[msg.sender];
        uint256 lowest = account.nonceBase();
        require(nonce > lowest && nonce - lowest <= MAX_VOIDED, RouterInvalidNonce(msg.sender, nonce, lowest));
        while (account.nonceBase() < nonce) (account,) = account.useNonce(account.nonceBase());
        $.accounts[msg.sender] = account;
        emit NoncesVoided(msg.sender, nonce);
    }
}

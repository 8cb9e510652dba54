// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FailureClass, IInferenceCallback, Outcome, RequestStatus} from "../interfaces/IInferenceRouter.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {ReputationMath} from "../libraries/ReputationMath.sol";
import {Records} from "../libraries/Records.sol";
import {Chain, ChainWord, Global} from "../words/Ledger.sol";
import {PriceWord} from "../words/Offer.sol";
import {Request} from "../words/Request.sol";
import {Seat, SeatWord} from "../words/Seat.sol";
import {Ticket} from "../words/Ticket.sol";
import {Till} from "../words/Till.sol";
import {Roster} from "./Roster.sol";

/// @title What an ending does to a validator and to the ledger
abstract contract Settlement is Roster {
    using PriceWord for uint256;
    using Records for Outcome;

    uint256 private constant PROBATION_REQUESTS = 50;
    uint256 private constant PROBATION_PAYERS = 10;
    uint256 private constant PROBATION_TIME = 7 days;
    uint256 private constant ERRORS_MAX = 34;
    uint256 private constant POINTS_A_DAY = 30;
    uint256 private constant FREE_DECLINES = 8;
    uint256 private constant DECLINE_POINTS_A_DAY = 5;
    /// Seconds in which a validator may still post what it has, once its user cancelled.
    uint256 internal constant CANCEL_WINDOW = 30;
    uint256 private constant MINT_GAS = 60_000;
    uint256 private constant MINT_GAS_PER_USER = 35_000;
    /// What a callback, or a mint, may need beside its own share before the call can end in order.
    uint256 private constant CALL_RESERVE = 20_000;

    // ---- money

    /// @dev Adds legs to a till; where they do not fit, what the till held moves to the cold word first.
    function _earn(Till till, uint256 validator, uint256 validatorLeg, uint256 treasuryLeg) internal returns (Till) {
        (Till next, bool fits) = till.earn(validatorLeg, treasuryLeg);
        if (fits) return next;
        Overflow storage overflow = _layout().overflows[validator];
        // The sum of all NSD fits 96 bits, and one leg of a settlement a word of 128.
        overflow.validatorLeg += uint128(till.validatorLeg() + validatorLeg);
        overflow.treasuryLeg += uint128(till.treasuryLeg() + treasuryLeg);
        return till.withoutLegs();
    }

    /// @dev All NSD there ever is fits the 96 bits of a balance.
    function _credit(address user, uint256 amount) internal {
        Layout storage $ = _layout();
        $.accounts[user] = $.accounts[user].withCredits($.accounts[user].credits() + amount);
    }

    // ---- reputation

    /// @dev A success moves success and, where it was measured, speed, and widens the window. The caller leaves out what a node paid itself.
    function _succeed(Till till, Seat seat, address payer, uint256 expected, uint256 elapsed)
        internal
        pure
        returns (Till, Seat)
    {
        till = till.withSuccess(ReputationMath.afterSuccess(till.success())).count(payer);
        if (expected != 0) seat = seat.withSpeed(ReputationMath.speedAfter(seat.speed(), expected, elapsed));
        return (till, seat.grown());
    }

    /// @dev A failure moves success, halves the window, and adds penalty points that heal with time and work.
    function _stumble(Till till, Seat seat, uint256 validator, FailureClass class) internal returns (Till, Seat) {
        Marks storage marks = _layout().marks[validator];
        _startDay(marks, till);
        uint256 points = 15;
        if (class == FailureClass.Timeout) points = 5;
        // 3 points, and 3 more for each error within the 24 hours before: confessing is not a way to dodge.
        if (class == FailureClass.Error) points = 3 * (marks.errors == ERRORS_MAX ? ERRORS_MAX : ++marks.errors);
        // One outage fails all that was open: it costs what two requests do, not what all of them would.
        uint256 room = POINTS_A_DAY - marks.dayPoints;
        if (points > room) points = room;
        marks.dayPoints += uint8(points);
        ++marks.failed;
        till = _relax(till, marks);
        till = till.withSuccess(ReputationMath.afterFailure(till.success()));
        return _rate(_punish(till, marks, points), seat.halved(), validator);
    }

    /// @dev Who declines what others could answer loses points; who is sent what nobody can read must not. So a tenth of
    /// a day's work and a handful more are free, and a day's declines together cost a few points at most. Where too few
    /// serve the model to judge a prompt, a withheld one costs its sender nothing, and declining it the node nothing.
    function _declined(Till till, Seat seat, uint256 validator, bool othersServe) internal returns (Till, Seat) {
        if (!othersServe) return _rate(till, seat, validator);
        Marks storage marks = _layout().marks[validator];
        _startDay(marks, till);
        uint256 declines = marks.declines;
        uint256 free = FREE_DECLINES + (till.completed() - marks.dayCompleted) / 10; // Down: a full ten earn another.
        if (declines < type(uint8).max) marks.declines = uint8(declines + 1);
        if (declines < free || declines >= free + DECLINE_POINTS_A_DAY) return _rate(till, seat, validator);
        return _rate(_punish(_relax(till, marks), marks, 1), seat, validator);
    }

    /// @dev 100 points are the whole range; what exceeds it would only delay healing. Healing starts anew, but for the part
    /// of a day and the part of twenty requests that it had under way: a point a day must not stop it.
    function _punish(Till till, Marks storage marks, uint256 points) private returns (Till) {
        uint256 penalty = _penalty(till, marks);
        (uint256 time, uint256 requests) = (0, 0);
        if (penalty != 0) {
            time = (block.timestamp - marks.penaltyAt) % 1 days;
            requests = (till.completed() - marks.completedAt) % ReputationMath.SUCCESSES_PER_POINT;
        }
        penalty += points;
        marks.penalty = uint8(penalty > 100 ? 100 : penalty);
        marks.penaltyAt = uint32(block.timestamp - time);
        marks.completedAt = uint32(till.completed() - requests);
        return till.withMark(true);
    }

    function _startDay(Marks storage marks, Till till) private {
        if (block.timestamp <= uint256(marks.dayAt) + 1 days) return;
        (marks.dayAt, marks.errors, marks.declines, marks.dayPoints) = (uint32(block.timestamp), 0, 0, 0);
        marks.dayCompleted = uint32(till.completed());
    }

    /// @dev The success average is at least what the time since the last penalty makes it.
    function _relax(Till till, Marks storage marks) private view returns (Till) {
        uint256 floor = ReputationMath.relaxed(block.timestamp - marks.penaltyAt);
        return floor > till.success() ? till.withSuccess(floor) : till;
    }

    /// @dev Reputation as the averages have it now, less what is left of penalties; and the end of probation.
    function _rate(Till till, Seat seat, uint256 validator) internal returns (Till, Seat) {
        if (seat.probation() && _served(till, validator)) seat = seat.withoutProbation();
        uint256 penalty;
        if (till.marked()) {
            Marks storage marks = _layout().marks[validator];
            penalty = _penalty(till, marks);
            till = _relax(till, marks);
            if (penalty == 0 && till.success() == ReputationMath.PERFECT) till = till.withMark(false);
        }
        uint256 previous = seat.reputation();
        uint256 current = ReputationMath.points(till.success(), till.uptime(), seat.speed(), penalty);
        if (current == previous) return (till, seat);
        emit ReputationChanged(validator, previous, current);
        return (till, seat.withReputation(current));
    }

    function _penalty(Till till, Marks storage marks) private view returns (uint256) {
        unchecked {
            return ReputationMath.healed(
                marks.penalty, block.timestamp - marks.penaltyAt, till.completed() - marks.completedAt
            );
        }
    }

    /// @dev The registration date is read last: it lies in a cold word.
    function _served(Till till, uint256 validator) private view returns (bool) {
        return till.completed() >= PROBATION_REQUESTS && ReputationMath.countBits(till.payers()) >= PROBATION_PAYERS
            && block.timestamp >= uint256(_layout().marks[validator].registeredAt) + PROBATION_TIME;
    }

    function _seatOf(uint256 validator) internal view returns (Seat) {
        return SeatWord.seatIn(_layout().seats[validator >> 2], validator);
    }

    function _putSeat(uint256 validator, Seat seat) internal {
        Layout storage $ = _layout();
        $.seats[validator >> 2] = seat.put($.seats[validator >> 2], validator);
    }

    function _requireRunning(Global global) internal view {
        require(block.timestamp >= global.pausedUntil(), RouterSettlementPaused(global.pausedUntil()));
    }

    // ---- guards

    function _requireAssignedTo(address operator, bytes32 id, Ticket calldata ticket)
        internal
        view
        returns (Request request, Till till)
    {
        Layout storage $ = _layout();
        (request, till) = ($.requests[id], $.tills[operator]);
        _requireAssigned(operator, id, ticket, request, till);
    }

    function _requireAssigned(address operator, bytes32 id, Ticket calldata ticket, Request request, Till till)
        internal
        view
        returns (Global global)
    {
        _requireStatus(id, request, RequestStatus.Assigned);
        require(till.id() == request.validator(), RouterNotAssigned(operator, request.validator()));
        global = _layout().global;
        _requireRunning(global);
        uint256 window = request.price().executionWindow(ticket.terms.maxTokens());
        uint256 endsAt = _endOf(global, request, request.cancelling() ? CANCEL_WINDOW : window, window);
        // As long as nobody may end it: where the chain stood still, its first blocks afterwards are the node's.
        if (block.timestamp > endsAt) require(request.blocksSince() < WINDOW_BLOCKS, RouterWindowOver(id, endsAt));
    }

    function _requireStatus(bytes32 id, Request request, RequestStatus status) internal pure {
        if (request.status() != uint256(status)) revert RouterInvalidStatus(id, RequestStatus(request.status()));
    }

    /// @dev A pause that began before the end, and ended after the start, moves the end one execution window behind
    /// the pause. What ends sooner than a request could be settled, since nobody was seen, waits for such a pause too.
    function _endOf(Global global, Request request, uint256 window, uint256 executionWindow)
        internal
        pure
        returns (uint256 endsAt)
    {
        unchecked {
            // Times of 40 bits, windows of less than 25.
            endsAt = request.since() + window;
            uint256 open = request.cancelling() ? window : executionWindow;
            bool overlaps = global.pausedUntil() > request.since() && global.pausedAt() <= request.since() + open;
            if (overlaps && endsAt < global.pausedUntil() + executionWindow) {
                endsAt = global.pausedUntil() + executionWindow;
            }
        }
    }

    // ---- records

    function _checkpoint(Chain chain_) internal {
        if (chain_.count() % ChainWord.CHECKPOINT != 0) return;
        uint256 number = chain_.count() / ChainWord.CHECKPOINT;
        _layout().checkpoints[number] = Chain.unwrap(chain_);
        emit CheckpointStored(number, Chain.unwrap(chain_));
    }

    function _isOutcome(bytes32 id, Outcome memory outcome) internal view returns (bool) {
        Request request = _layout().requests[id];
        return request.status() == uint256(RequestStatus.Completed)
            && request.commitment() == uint160(uint256(outcome.commitment(id)));
    }

    // ---- callbacks

    /// @dev The callback gets the gas it was paid for, in full, or the whole call reverts: who settles cannot starve it.
    /// Nothing that it returns is copied, and nothing that it does comes back in here.
    function _tryCallback(bytes32 id, Ticket calldata ticket, bytes32 digest, bytes calldata record)
        internal
        returns (bool ok)
    {
        (bool found, bytes calldata answer) = Records.answer(record);
        require(found && sha256(record) == digest, RouterInvalidRecord(id, digest));
        address target = ticket.callback;
        if (target.code.length == 0) return false;
        bytes memory data = abi.encodeCall(IInferenceCallback.onInferenceResult, (id, RequestStatus.Completed, answer));
        uint256 gas_ = ticket.terms.callbackGas();
        _requireGas(gas_);
        assembly ("memory-safe") {
            ok := call(gas_, target, 0, add(data, 32), mload(data), 0, 0)
        }
    }

    /// @dev The floor keeps a sender from starving a mint.
    function _requireMintGas(uint256 users) internal view {
        _requireGas(MINT_GAS + MINT_GAS_PER_USER * users);
    }

    function _requireGas(uint256 required) internal view {
        uint256 available = gasleft();
        // A call gets at most 63/64 of what is left.
        require(available - available / 64 >= required + CALL_RESERVE, RouterGasTooLow(required, available));
    }
}

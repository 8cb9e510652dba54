// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FailureClass, IInferenceCallback, Outcome, RequestStatus} from "../interfaces/IInferenceRouter.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {ReputationMath} from "../libraries/ReputationMath.sol";
import {Records} from "../libraries/Records.sol";
import {Global} from "../words/Ledger.sol";
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
    /// What a callback, or a mint, may need beside its own share before the call can end in order.
    uint256 private constant CALL_RESERVE = 20_000;

    // ---- money

    /// @dev Cuts what an answer consumed into its legs. The burned one goes to the global word at the end of the call.
    /// `covered`: whether the payment bought so many tokens.
    function _split(uint256 price, uint256 tokens, bool priority, uint256 payment, uint256 band)
        internal
        pure
        returns (Outcome memory outcome, uint256 burned, bool covered)
    {
        outcome.tokens = tokens;
        (outcome.consumed, covered) = FeeMath.consumed(price, tokens, priority, payment);
        (outcome.validatorLeg, outcome.treasuryLeg, burned) = FeeMath.split(outcome.consumed, price.burnBps(), band);
    }

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

    /// @dev A success moves success and, where it was measured, speed, and widens the window. A payer who is the node
    /// itself counts nothing.
    function _succeed(Till till, Seat seat, uint256 validator, address payer, uint256 expected, uint256 elapsed)
        internal
        returns (Till, Seat)
    {
        if (payer != msg.sender) {
            till = till.withSuccess(ReputationMath.afterSuccess(till.success())).count(payer);
            if (expected != 0) seat = seat.withSpeed(ReputationMath.speedAfter(seat.speed(), expected, elapsed));
            seat = seat.grown();
        }
        return _rate(till, seat, validator);
    }

    /// @dev A failure moves success, halves the window, and adds penalty points that heal with time and work.
    function _stumble(Till till, Seat seat, uint256 validator, FailureClass class) internal returns (Till, Seat) {
        Marks storage marks = _layout().marks[validator];
        uint256 points =
            class == FailureClass.Offline ? 15 : class == FailureClass.Timeout ? 5 : _errorPoints(till, marks);
        uint256 penalty = _penalty(till, marks) + points;
        // 100 points are the whole range; what exceeds it would only delay healing.
        marks.penalty = uint8(penalty > 100 ? 100 : penalty);
        marks.penaltyAt = uint32(block.timestamp);
        marks.completedAt = uint32(till.completed());
        ++marks.failed;
        till = till.withSuccess(ReputationMath.afterFailure(till.success())).withMark(true);
        return _rate(till, seat.halved(), validator);
    }

    /// @dev Reputation as the averages have it now, less what is left of penalties; and the end of probation.
    function _rate(Till till, Seat seat, uint256 validator) internal returns (Till, Seat) {
        if (seat.probation() && _served(till, validator)) seat = seat.withoutProbation();
        uint256 penalty;
        if (till.marked()) {
            Marks storage marks = _layout().marks[validator];
            penalty = _penalty(till, marks);
            uint256 floor = ReputationMath.relaxed(block.timestamp - marks.penaltyAt);
            if (floor > till.success()) till = till.withSuccess(floor);
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

    /// @dev 3 points, and 3 more for each error within the 24 hours before: confessing is not a way to dodge.
    function _errorPoints(Till till, Marks storage marks) private returns (uint256) {
        if (block.timestamp > uint256(marks.dayAt) + 1 days) {
            (marks.dayAt, marks.errors, marks.declines) = (uint32(block.timestamp), 0, 0);
            marks.dayCompleted = uint32(till.completed());
        }
        // Where the count is full the points are long past the whole range: confessing must not fail on it.
        if (marks.errors != type(uint8).max) ++marks.errors;
        return 3 * uint256(marks.errors);
    }

    /// @dev The registration date is read last: it lies in a cold word.
    function _served(Till till, uint256 validator) private view returns (bool) {
        return till.completed() >= PROBATION_REQUESTS && ReputationMath.countBits(till.payers()) >= PROBATION_PAYERS
            && block.timestamp >= uint256(_layout().marks[validator].registeredAt) + PROBATION_TIME;
    }

    function _isOutcome(bytes32 id, Outcome memory outcome) internal view returns (bool) {
        Request request = _layout().requests[id];
        return request.status() == uint256(RequestStatus.Completed)
            && request.commitment() == uint160(uint256(outcome.commitment(id)));
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

    function _requireAssignedToSender(bytes32 id, Ticket calldata ticket)
        internal
        view
        returns (Request request, Till till)
    {
        Layout storage $ = _layout();
        request = $.requests[id];
        _requireStatus(id, request, RequestStatus.Assigned);
        till = $.tills[msg.sender];
        require(till.id() == request.validator(), RouterNotAssigned(msg.sender, request.validator()));
        _requireRunning($.global);
        uint256 window = request.price().executionWindow(ticket.terms.maxTokens());
        uint256 endsAt = _endOf(request, window, window);
        require(block.timestamp <= endsAt, RouterWindowOver(id, endsAt));
    }

    function _requireStatus(bytes32 id, Request request, RequestStatus status) internal pure {
        require(request.status() == uint256(status), RouterInvalidStatus(id, RequestStatus(request.status())));
    }

    /// @dev A pause that began before the end, and ended after the start, moves the end one execution window behind
    /// the pause.
    function _endOf(Request request, uint256 window, uint256 executionWindow) internal view returns (uint256 endsAt) {
        Global global = _layout().global;
        endsAt = request.since() + window;
        bool overlaps = global.pausedAt() <= endsAt && global.pausedUntil() > request.since();
        if (overlaps && endsAt < global.pausedUntil() + executionWindow) {
            endsAt = global.pausedUntil() + executionWindow;
        }
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

    function _requireGas(uint256 required) internal view {
        uint256 available = gasleft();
        // A call gets at most 63/64 of what is left.
        require(available - available / 64 >= required + CALL_RESERVE, RouterGasTooLow(required, available));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReputationMath} from "../../../contracts/libraries/ReputationMath.sol";
import {Symbolic} from "./Symbolic.sol";

contract PointsCheck is Symbolic {
    function check_PointsStayWithinHundred(uint8 success, uint8 uptime, uint8 speed, uint256 penalty) public pure {
        vm.assume(speed <= 100);
        assert(ReputationMath.points(success, uptime, speed, penalty) <= 100);
    }

    function check_PerfectIsHundred() public pure {
        assert(ReputationMath.points(255, 255, 100, 0) == 100);
    }

    function check_NoBonusBelow95PercentUptime(uint8 success, uint8 uptime, uint8 speed, uint256 penalty) public pure {
        vm.assume(speed <= 100 && uint256(uptime) * 100 < 95 * 255);
        assert(ReputationMath.bandOf(ReputationMath.points(success, uptime, speed, penalty)) < 2);
    }

    function check_PenaltiesOnlyLower(uint8 success, uint8 uptime, uint8 speed, uint256 penalty) public pure {
        uint256 without = ReputationMath.points(success, uptime, speed, 0);
        uint256 with_ = ReputationMath.points(success, uptime, speed, penalty);
        assert(with_ == (without > penalty ? without - penalty : 0));
    }

    function check_BetterNeverScoresLess(uint8 success, uint8 uptime, uint8 speed, uint256 penalty) public pure {
        vm.assume(success < 255 && uptime < 255 && speed < 100);
        uint256 points = ReputationMath.points(success, uptime, speed, penalty);
        assert(ReputationMath.points(uint256(success) + 1, uptime, speed, penalty) >= points);
        assert(ReputationMath.points(success, uint256(uptime) + 1, speed, penalty) >= points);
        assert(ReputationMath.points(success, uptime, uint256(speed) + 1, penalty) >= points);
    }

    function check_BandsFollowThePoints(uint256 points) public pure {
        uint256 band = ReputationMath.bandOf(points);
        assert((band == 2) == (points >= 90));
        assert((band == 0) == (points < 70));
        assert(band <= 2);
    }
}

/// @notice The moving averages: they stay in their range, and every step leads on until they arrive.
contract AveragesCheck is Symbolic {
    function check_SuccessLeadsToPerfect(uint8 average) public pure {
        uint256 next = ReputationMath.afterSuccess(average);
        assert(next <= 255);
        assert(average == 255 ? next == 255 : next > average);
    }

    function check_FailureLeadsToNothing(uint8 average) public pure {
        uint256 next = ReputationMath.afterFailure(average);
        assert(average == 0 ? next == 0 : next < average);
    }

    /// @dev The sample stands for itself here; that it is the quotient asked for is the next check.
    function check_SpeedStaysWithinHundredAndLeadsOn(uint8 average, uint32 expected, uint32 elapsed) public pure {
        vm.assume(average <= 100);
        uint256 next = ReputationMath.speedAfter(average, expected, elapsed);
        assert(next <= 100);
        if (elapsed <= expected) assert(average == 100 ? next == 100 : next > average);
    }

    function check_SpeedMovesTowardTheSample(uint8 average, uint16 expected, uint16 elapsed) public pure {
        vm.assume(average <= 100 && elapsed > expected);
        uint256 sample = uint256(100) * expected / elapsed;
        uint256 next = ReputationMath.speedAfter(average, expected, elapsed);
        if (sample > average) assert(next > average && next <= sample);
        else if (sample < average) assert(next < average && next >= sample);
        else assert(next == average);
    }

    function check_RelaxedStaysWithinItsRange(uint256 elapsed) public pure {
        vm.assume(elapsed < 1 << 40);
        uint256 relaxed = ReputationMath.relaxed(elapsed);
        assert(relaxed <= 255);
        assert((relaxed == 255) == (elapsed >= 14 days));
    }

    function check_RelaxedNeverFalls(uint40 elapsed) public pure {
        assert(ReputationMath.relaxed(uint256(elapsed) + 1) >= ReputationMath.relaxed(elapsed));
    }

    function check_RelaxedNeverOverflows(uint256 elapsed) public pure {
        vm.assume(elapsed >= 14 days);
        assert(ReputationMath.relaxed(elapsed) == 255);
    }

    function check_HealedNeverRises(uint256 penalty, uint256 elapsed, uint256 successes) public pure {
        assert(ReputationMath.healed(penalty, elapsed, successes) <= penalty);
    }

    function check_HealingGoesOn(uint16 penalty, uint40 elapsed, uint32 successes) public pure {
        uint256 left = ReputationMath.healed(penalty, elapsed, successes);
        assert(ReputationMath.healed(penalty, uint256(elapsed) + 1, successes) <= left);
        assert(ReputationMath.healed(penalty, elapsed, uint256(successes) + 1) <= left);
        uint256 later = ReputationMath.healed(penalty, uint256(elapsed) + 1 days, successes);
        assert(left == 0 ? later == 0 : later == left - 1);
        later = ReputationMath.healed(penalty, elapsed, uint256(successes) + 20);
        assert(left == 0 ? later == 0 : later == left - 1);
    }
}

contract UptimeCheck is Symbolic {
    /// @dev Any byte wherever it lies, the others all set or all clear. For every map at once this is beyond the solvers: a
    /// fuzz test compares it with the naive loop.
    /// @custom:halmos --loop 8
    function check_CountBitsOfEachByte(uint8 bits, uint256 place, bool others) public pure {
        vm.assume(place < 32);
        uint256 mask = uint256(255) << (8 * place);
        uint256 map = (uint256(bits) << (8 * place)) | (others ? ~mask : 0);
        uint256 n = others ? 248 : 0;
        for (uint256 i; i < 8; ++i) {
            n += (bits >> i) & 1;
        }
        assert(ReputationMath.countBits(map) == n);
    }

    function check_CountBitsOfTheEnds() public pure {
        assert(ReputationMath.countBits(0) == 0);
        assert(ReputationMath.countBits(type(uint256).max) == 256);
    }

    function check_CountBitsIsAtMost256(uint256 map) public pure {
        assert(ReputationMath.countBits(map) <= 256);
    }

    function check_UptimeShareIsAtMost255(uint256 map) public pure {
        assert(ReputationMath.uptimeShare(map) <= 255);
    }

    function check_TheNewestSlotIsSeen(uint256 map, uint40 previous, uint40 time) public pure {
        vm.assume(time >= previous);
        assert(ReputationMath.uptimeMap(map, previous, time) & 1 == 1);
    }

    function check_NothingMovesWithinASlot(uint256 map, uint8 slot, uint16 a, uint16 b) public pure {
        vm.assume(a <= b && b < 10_125);
        uint256 start = uint256(slot) * 10_125;
        assert(ReputationMath.uptimeMap(map, start + a, start + b) == map | 1);
    }

    function check_EachSlotMovesTheMapByOne(uint256 map, uint8 slot, uint16 a, uint16 b) public pure {
        vm.assume(a < 10_125 && b < 10_125);
        uint256 start = uint256(slot) * 10_125;
        assert(ReputationMath.uptimeMap(map, start + a, start + 10_125 + b) == (map << 1) | 1);
    }

    function check_AMonthAwayLeavesOneSlot(uint256 map, uint8 slot, uint16 a, uint16 b, uint8 more) public pure {
        vm.assume(a < 10_125 && b < 10_125);
        uint256 start = uint256(slot) * 10_125;
        assert(ReputationMath.uptimeMap(map, start + a, start + (256 + uint256(more)) * 10_125 + b) == 1);
    }
}

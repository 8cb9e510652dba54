// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {ReputationMath} from "../../../contracts/libraries/ReputationMath.sol";

contract PointsTest is Test {
    function test_PerfectIsHundred() public pure {
        assertEq(ReputationMath.points(255, 255, 100, 0), 100);
        assertEq(ReputationMath.points(0, 0, 0, 0), 0);
    }

    function test_WeighsFiftyThirtyTwenty() public pure {
        assertEq(ReputationMath.points(255, 0, 0, 0), 50);
        assertEq(ReputationMath.points(0, 255, 0, 0), 30);
        assertEq(ReputationMath.points(0, 0, 100, 0), 20);
    }

    function testFuzz_StaysWithinHundred(uint8 success, uint8 uptime, uint8 speed, uint16 penalty) public pure {
        assertLe(ReputationMath.points(success, uptime, speed % 101, penalty), 100);
    }

    function testFuzz_NoBonusBelow95PercentUptime(uint8 success, uint8 uptime, uint8 speed) public pure {
        uint256 points = ReputationMath.points(success, uptime, speed % 101, 0);
        if (uint256(uptime) * 100 < 95 * 255) assertLt(ReputationMath.bandOf(points), 2);
    }

    function testFuzz_PenaltiesOnlyLower(uint8 success, uint8 uptime, uint8 speed, uint16 penalty) public pure {
        uint256 without = ReputationMath.points(success, uptime, speed % 101, 0);
        uint256 with_ = ReputationMath.points(success, uptime, speed % 101, penalty);
        assertEq(with_, without > penalty ? without - penalty : 0);
    }

    function test_TheBonusWants95PercentUptime() public pure {
        assertEq(ReputationMath.points(255, 243, 100, 0), 98);
        assertEq(ReputationMath.points(255, 242, 100, 0), 89);
        assertEq(ReputationMath.points(255, 242, 55, 0), 89, "89 is 89");
        assertEq(ReputationMath.points(255, 242, 60, 0), 89, "90 is one too many");
        assertEq(ReputationMath.points(255, 242, 50, 0), 88);
        assertEq(ReputationMath.points(255, 255, 100, 100), 0);
        assertEq(ReputationMath.points(255, 255, 100, 99), 1);
    }

    function test_Bands() public pure {
        assertEq(ReputationMath.bandOf(100), 2);
        assertEq(ReputationMath.bandOf(90), 2);
        assertEq(ReputationMath.bandOf(89), 1);
        assertEq(ReputationMath.bandOf(70), 1);
        assertEq(ReputationMath.bandOf(69), 0);
        assertEq(ReputationMath.bandOf(0), 0);
    }
}

contract AveragesTest is Test {
    function testFuzz_SuccessRisesAndArrives(uint8 average) public pure {
        uint256 a = average;
        for (uint256 i; i < 64; ++i) {
            uint256 next = ReputationMath.afterSuccess(a);
            assertGe(next, a);
            assertLe(next, 255);
            a = next;
        }
        assertEq(a, 255);
    }

    function testFuzz_ManySuccessesAreOneByOne(uint8 average, uint8 n) public pure {
        uint256 expected = average;
        for (uint256 i; i < n; ++i) {
            expected = ReputationMath.afterSuccess(expected);
        }
        assertEq(ReputationMath.afterSuccesses(average, n), expected);
    }

    function testFuzz_FailureFallsAndArrives(uint8 average) public pure {
        uint256 a = average;
        for (uint256 i; i < 64; ++i) {
            uint256 next = ReputationMath.afterFailure(a);
            assertLe(next, a);
            a = next;
        }
        assertEq(a, 0);
    }

    function testFuzz_SpeedMovesTowardTheSample(uint8 average, uint16 expected, uint16 elapsed) public pure {
        uint256 before = average % 101;
        uint256 sample = elapsed <= expected ? 100 : uint256(100) * expected / elapsed;
        uint256 next = ReputationMath.speedAfter(before, expected, elapsed);
        assertLe(next, 100);
        assertTrue(sample >= before ? next >= before && next <= sample : next < before && next >= sample);
    }

    function testFuzz_SpeedIsAnEighthOfTheWayRoundedUp(uint8 average, uint16 expected, uint16 elapsed) public pure {
        uint256 before = average % 101;
        uint256 sample = elapsed <= expected ? 100 : 100 * uint256(expected) / elapsed;
        uint256 now_ = ReputationMath.speedAfter(before, expected, elapsed);
        if (sample >= before) assertEq(now_ - before, (sample - before + 7) / 8);
        else assertEq(before - now_, (before - sample + 7) / 8);
    }

    function testFuzz_TheSuccessAverageRelaxesWithinAFortnight(uint32 elapsed) public pure {
        uint256 expected = elapsed < 14 days ? 255 * uint256(elapsed) / 14 days : 255;
        assertEq(ReputationMath.relaxed(elapsed), expected);
    }

    function test_NothingHealsBelowNothing() public pure {
        assertEq(ReputationMath.healed(1, 1 days, 0), 0);
        assertEq(ReputationMath.healed(1, 2 days, 20), 0);
        assertEq(ReputationMath.healed(2, 1 days, 0), 1);
    }

    function test_APointHealsADayAndEachTwentySuccesses() public pure {
        assertEq(ReputationMath.healed(15, 0, 0), 15);
        assertEq(ReputationMath.healed(15, 1 days, 0), 14);
        assertEq(ReputationMath.healed(15, 1 days - 1, 19), 15);
        assertEq(ReputationMath.healed(15, 0, 20), 14);
        assertEq(ReputationMath.healed(15, 5 days, 200), 0);
    }
}

contract UptimeTest is Test {
    function testFuzz_CountBits(uint256 map) public pure {
        uint256 n;
        for (uint256 i; i < 256; ++i) {
            n += (map >> i) & 1;
        }
        assertEq(ReputationMath.countBits(map), n);
    }

    function test_CountBitsOfTheEnds() public pure {
        assertEq(ReputationMath.countBits(0), 0);
        assertEq(ReputationMath.countBits(type(uint256).max), 256);
        assertEq(ReputationMath.countBits(type(uint256).max - 1), 255);
        assertEq(ReputationMath.uptimeShare(type(uint256).max), 255);
        assertEq(ReputationMath.uptimeShare(0), 0);
    }

    /// @dev Slot by slot, as a list would be shifted.
    function testFuzz_MapShiftsASlotAtATime(uint256 map, uint32 previous, uint24 elapsed) public pure {
        uint256 time = uint256(previous) + elapsed;
        uint256 expected = map;
        uint256 slots = time / 10_125 - uint256(previous) / 10_125;
        for (uint256 i; i < slots && i < 256; ++i) {
            expected <<= 1;
        }
        assertEq(ReputationMath.uptimeMap(map, previous, time), expected | 1);
    }

    function test_255SlotsShiftAnd256Forget() public pure {
        uint256 slot = ReputationMath.SLOT;
        assertEq(ReputationMath.uptimeMap(1, 0, 255 * slot), (uint256(1) << 255) | 1);
        assertEq(ReputationMath.uptimeMap(type(uint256).max, 0, 256 * slot), 1);
    }

    function test_AMonthAwayLeavesOneSlot() public pure {
        assertEq(ReputationMath.uptimeMap(type(uint256).max, 0, 31 days), 1);
    }
}

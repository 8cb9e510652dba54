// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Reputation: 50 parts success, 30 uptime, 20 speed, less penalties that heal
/// @notice Pure. Points 0 to 100; averages 0 to 255 (success, uptime) and 0 to 100 (speed).
library ReputationMath {
    uint256 internal constant SLOT = 10_125 seconds;
    uint256 internal constant PERFECT = 255;
    uint256 private constant RELAXES_IN = 14 days;
    uint256 internal constant SUCCESSES_PER_POINT = 20;
    uint256 private constant BONUS_FROM = 90;
    /// 95 % of 255, rounded up.
    uint256 private constant UPTIME_FOR_BONUS = 243;

    /// @dev Floor. Perfect averages make 80 + 20, so the most is exactly 100. Below 95 % uptime there is no bonus, so
    /// the points stay below where it begins.
    function points(uint256 success, uint256 uptime, uint256 speed, uint256 penalty) internal pure returns (uint256) {
        unchecked {
            uint256 earned = (50 * success + 30 * uptime) / PERFECT + speed / 5;
            if (uptime < UPTIME_FOR_BONUS && earned >= BONUS_FROM) earned = BONUS_FROM - 1;
            return earned > penalty ? earned - penalty : 0;
        }
    }

    /// @notice Pay band: 2 from 90 points, 1 from 70, else 0.
    function bandOf(uint256 standing) internal pure returns (uint256) {
        return standing >= BONUS_FROM ? 2 : standing >= 70 ? 1 : 0;
    }

    /// @notice An eighth of the way to perfect.
    /// @dev Rounds up, so that the average arrives: otherwise it would stop at 248.
    function afterSuccess(uint256 average) internal pure returns (uint256) {
        unchecked {
            return average + (PERFECT - average + 7) / 8;
        }
    }

    /// @notice The same, `n` times over.
    function afterSuccesses(uint256 average, uint256 n) internal pure returns (uint256) {
        for (; n != 0 && average != PERFECT; --n) {
            average = afterSuccess(average);
        }
        return average;
    }

    /// @notice An eighth of the way to nothing, rounded up.
    function afterFailure(uint256 average) internal pure returns (uint256) {
        unchecked {
            return average - (average + 7) / 8;
        }
    }

    /// @notice An eighth of the way to this answer's speed: expected over elapsed seconds in percent, at most 100.
    function speedAfter(uint256 average, uint256 expected, uint256 elapsed) internal pure returns (uint256) {
        unchecked {
            uint256 sample = elapsed <= expected ? 100 : 100 * expected / elapsed;
            return sample >= average ? average + (sample - average + 7) / 8 : average - (average - sample + 7) / 8;
        }
    }

    /// @notice What the success average is at least, `elapsed` seconds after the last failure: a fortnight without one
    /// makes up for any history, so nobody is suspended for ever.
    function relaxed(uint256 elapsed) internal pure returns (uint256) {
        return elapsed >= RELAXES_IN ? PERFECT : PERFECT * elapsed / RELAXES_IN; // Down: never early.
    }

    /// @notice What is left of `penalty`: a point heals each day, and each 20 successes.
    function healed(uint256 penalty, uint256 elapsed, uint256 successes) internal pure returns (uint256) {
        unchecked {
            uint256 relief = elapsed / 1 days + successes / SUCCESSES_PER_POINT;
            return penalty > relief ? penalty - relief : 0;
        }
    }

    /// @notice The map of the last 256 slots at `time`, when it was last right at `previous`; the newest is bit 0.
    function uptimeMap(uint256 map, uint256 previous, uint256 time) internal pure returns (uint256) {
        unchecked {
            uint256 slots = time / SLOT - previous / SLOT;
            return (slots > 255 ? 0 : map << slots) | 1;
        }
    }

    /// @notice Share of slots in which the node was seen, scaled to 255.
    /// @dev A new node's map is full, so only what it misses after its registration counts against it.
    function uptimeShare(uint256 map) internal pure returns (uint256) {
        return countBits(map) * PERFECT / 256;
    }

    function countBits(uint256 map) internal pure returns (uint256 n) {
        unchecked {
            map -= (map >> 1) & (type(uint256).max / 3);
            map = (map & (type(uint256).max / 15 * 3)) + ((map >> 2) & (type(uint256).max / 15 * 3));
            map = (map + (map >> 4)) & (type(uint256).max / 255 * 15);
            // Bytes add up to at most 256: one more than the top byte holds, so the full map is told apart.
            n = map == type(uint256).max / 255 * 8 ? 256 : (map * (type(uint256).max / 255)) >> 248;
        }
    }
}

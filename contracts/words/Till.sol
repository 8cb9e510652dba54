// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a settlement changes of a validator, in one word keyed by its operator key: so the sender's till
/// authenticates the sender.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..15 | id | validator id, 0 is nobody |
/// | 16..47 | lastSeenAt | its last transaction of any kind, unix seconds |
/// | 48..55 | success | running average of outcomes, 255 is perfect |
/// | 56..63 | uptime | share of the last 256 uptime slots, 255 is perfect |
/// | 64..78 | payers | sketch of distinct payers: a bit of 15 each |
/// | 79 | marked | penalties weigh on it: the cold record must be read |
/// | 80..105 | completed | requests completed for others, saturated |
/// | 106..180 | validatorLeg | NSD wei earned and not yet swept |
/// | 181..255 | treasuryLeg | NSD wei earned for the treasury and not yet swept |
type Till is uint256;

using TillWord for Till global;

library TillWord {
    uint256 internal constant LEG_MAX = (1 << 75) - 1;
    uint256 private constant COMPLETED_MAX = (1 << 26) - 1;
    uint256 private constant LEGS_MASK = ~((uint256(1) << 106) - 1);

    function open(uint256 id_, uint256 time) internal pure returns (Till) {
        return Till.wrap(id_ | (time << 16) | (uint256(0xFFFF) << 48));
    }

    function id(Till self) internal pure returns (uint256) {
        return uint16(Till.unwrap(self));
    }

    function lastSeenAt(Till self) internal pure returns (uint256) {
        return uint32(Till.unwrap(self) >> 16);
    }

    function success(Till self) internal pure returns (uint256) {
        return uint8(Till.unwrap(self) >> 48);
    }

    function uptime(Till self) internal pure returns (uint256) {
        return uint8(Till.unwrap(self) >> 56);
    }

    function payers(Till self) internal pure returns (uint256) {
        return (Till.unwrap(self) >> 64) & 0x7FFF;
    }

    function marked(Till self) internal pure returns (bool) {
        return (Till.unwrap(self) >> 79) & 1 == 1;
    }

    function completed(Till self) internal pure returns (uint256) {
        return (Till.unwrap(self) >> 80) & COMPLETED_MAX;
    }

    function validatorLeg(Till self) internal pure returns (uint256) {
        return (Till.unwrap(self) >> 106) & LEG_MAX;
    }

    function treasuryLeg(Till self) internal pure returns (uint256) {
        return Till.unwrap(self) >> 181;
    }

    function seenAt(Till self, uint256 time) internal pure returns (Till) {
        return Till.wrap((Till.unwrap(self) & ~(uint256(type(uint32).max) << 16)) | (time << 16));
    }

    function withSuccess(Till self, uint256 average) internal pure returns (Till) {
        return Till.wrap((Till.unwrap(self) & ~(uint256(255) << 48)) | (average << 48));
    }

    function withUptime(Till self, uint256 share) internal pure returns (Till) {
        return Till.wrap((Till.unwrap(self) & ~(uint256(255) << 56)) | (share << 56));
    }

    function withMark(Till self, bool mark) internal pure returns (Till) {
        uint256 word = Till.unwrap(self) & ~(uint256(1) << 79);
        return Till.wrap(mark ? word | (uint256(1) << 79) : word);
    }

    /// @notice Counts a completed request of `payer`, whose bit joins the sketch.
    function count(Till self, address payer) internal pure returns (Till) {
        unchecked {
            uint256 word = Till.unwrap(self) | (sketchOf(payer) << 64);
            if ((word >> 80) & COMPLETED_MAX != COMPLETED_MAX) word += 1 << 80;
            return Till.wrap(word);
        }
    }

    /// @return The payer's bit in a sketch.
    function sketchOf(address payer) internal pure returns (uint256) {
        return 1 << (uint160(payer) % 15);
    }

    /// @notice Joins a sketch of payers to the till's.
    function met(Till self, uint256 sketch) internal pure returns (Till) {
        return Till.wrap(Till.unwrap(self) | (sketch << 64));
    }

    /// @notice Counts `n` more completed requests of payers that are in the sketch.
    function countMore(Till self, uint256 n) internal pure returns (Till) {
        unchecked {
            uint256 room = COMPLETED_MAX - self.completed();
            return Till.wrap(Till.unwrap(self) + ((n < room ? n : room) << 80));
        }
    }

    /// @notice Adds both legs; `fits` is false, and nothing added, when one of them is too large for its field.
    function earn(Till self, uint256 validator, uint256 treasury) internal pure returns (Till, bool fits) {
        unchecked {
            uint256 v = self.validatorLeg() + validator;
            uint256 t = self.treasuryLeg() + treasury;
            // LEG_MAX is all ones: what passes it in either has a bit above them in both together.
            if (v | t > LEG_MAX) return (self, false);
            return (Till.wrap((Till.unwrap(self) & ~LEGS_MASK) | (v << 106) | (t << 181)), true);
        }
    }

    function withoutLegs(Till self) internal pure returns (Till) {
        return Till.wrap(Till.unwrap(self) & ~LEGS_MASK);
    }
}

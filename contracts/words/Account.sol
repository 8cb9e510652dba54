// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Everything that the router knows of a user, in one storage word.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..95 | credits | NSD wei that requests may lock and withdrawals may take |
/// | 96..127 | lastSubmitAt | time of the last assigned submission, unix seconds |
/// | 128..181 | gaps | nine times 6 bits: seconds between the last ten submissions, saturated at 60 |
/// | 182..213 | nonceBase | lowest unused nonce |
/// | 214..229 | nonceWindow | which of the 16 nonces above the base are used |
/// | 230..245 | lcai | chats whose LCAI is earned and not minted, saturated |
/// | 246..255 | tier | seconds by which the window of its rate limit is shorter than 60: 60 lifts the limit |
type Account is uint256;

using AccountWord for Account global;

library AccountWord {
    uint256 private constant CREDITS_MASK = type(uint96).max;
    uint256 private constant GAPS_MASK = (1 << 54) - 1;
    /// Every second 6-bit field: two such sums stay below 12 bits, so a remainder by 4095 adds them up.
    uint256 private constant EVEN_GAPS = 0x3F03F03F03F03F;
    uint256 internal constant RATE_WINDOW = 60;
    uint256 private constant NONCES_AHEAD = 16;

    function credits(Account self) internal pure returns (uint256) {
        return Account.unwrap(self) & CREDITS_MASK;
    }

    /// @dev The caller has checked `amount <= type(uint96).max`.
    function withCredits(Account self, uint256 amount) internal pure returns (Account) {
        return Account.wrap((Account.unwrap(self) & ~CREDITS_MASK) | amount);
    }

    function lastSubmitAt(Account self) internal pure returns (uint256) {
        return uint32(Account.unwrap(self) >> 96);
    }

    function nonceBase(Account self) internal pure returns (uint256) {
        return uint32(Account.unwrap(self) >> 182);
    }

    function accruedChats(Account self) internal pure returns (uint256) {
        return uint16(Account.unwrap(self) >> 230);
    }

    function tier(Account self) internal pure returns (uint256) {
        return Account.unwrap(self) >> 246;
    }

    /// @dev The caller has checked `tier_ <= RATE_WINDOW`.
    function withTier(Account self, uint256 tier_) internal pure returns (Account) {
        return Account.wrap((Account.unwrap(self) & ~(uint256(0x3FF) << 246)) | (tier_ << 246));
    }

    /// @notice Records a submission at `time`; not ok when ten lie within its window already.
    /// @dev The age of the tenth submission back is the sum of nine gaps and the time since the last one. Saturation
    /// keeps the answer exact: one gap of 60 alone lets the submission pass.
    function tick(Account self, uint256 time) internal pure returns (Account, bool ok) {
        unchecked {
            (uint256 gaps, uint256 age, uint256 span) = _sinceTenth(self, time);
            ok = span >= RATE_WINDOW - self.tier();
            gaps = ((gaps << 6) | age) & GAPS_MASK;
            uint256 word = Account.unwrap(self);
            word &= ~((GAPS_MASK << 128) | (uint256(type(uint32).max) << 96));
            return (Account.wrap(word | (gaps << 128) | (time << 96)), ok);
        }
    }

    /// @notice Seconds from `time` until another submission passes, 0 when one passes now.
    function waitFor(Account self, uint256 time) internal pure returns (uint256) {
        unchecked {
            (,, uint256 span) = _sinceTenth(self, time);
            uint256 window = RATE_WINDOW - self.tier();
            return span >= window ? 0 : window - span;
        }
    }

    function nonceUsed(Account self, uint256 nonce) internal pure returns (bool) {
        unchecked {
            uint256 base = self.nonceBase();
            if (nonce < base) return true;
            if (nonce == base || nonce > base + NONCES_AHEAD) return false;
            return (Account.unwrap(self) >> (214 + nonce - base - 1)) & 1 == 1;
        }
    }

    /// @notice Uses up `nonce`; not ok when it was used, or lies more than 16 above the lowest unused one.
    function useNonce(Account self, uint256 nonce) internal pure returns (Account, bool ok) {
        unchecked {
            uint256 word = Account.unwrap(self);
            // Below the base this wraps, far beyond what is ahead.
            uint256 ahead = nonce - ((word >> 182) & type(uint32).max);
            if (ahead > NONCES_AHEAD) return (self, false);
            if (ahead != 0) {
                uint256 bit = 1 << (213 + ahead);
                return (Account.wrap(word | bit), word & bit == 0);
            }
            // The base moves past this one, and past those that were used before their turn.
            uint256 window = (word >> 214) & type(uint16).max;
            uint256 steps = 1;
            for (; window & 1 != 0; window >>= 1) {
                ++steps;
            }
            word &= ~(uint256(type(uint16).max) << 214);
            return (Account.wrap((word + (steps << 182)) | (window >> 1 << 214)), true);
        }
    }

    /// @notice Adds `n` chats whose LCAI is to be minted, up to 65,535.
    function accrue(Account self, uint256 n) internal pure returns (Account) {
        unchecked {
            uint256 room = type(uint16).max - self.accruedChats();
            return Account.wrap(Account.unwrap(self) + ((n < room ? n : room) << 230));
        }
    }

    /// @dev `n` is at most what is accrued.
    function withoutAccrued(Account self, uint256 n) internal pure returns (Account) {
        return Account.wrap(Account.unwrap(self) - (n << 230));
    }

    /// @return gaps The nine gaps as they are stored.
    /// @return age Seconds since the last submission, saturated at 60.
    /// @return span Their sum: seconds since the tenth submission back.
    function _sinceTenth(Account self, uint256 time) private pure returns (uint256 gaps, uint256 age, uint256 span) {
        unchecked {
            uint256 word = Account.unwrap(self);
            age = time - uint32(word >> 96);
            if (age > RATE_WINDOW) age = RATE_WINDOW;
            gaps = (word >> 128) & GAPS_MASK;
            span = ((gaps & EVEN_GAPS) + ((gaps >> 6) & EVEN_GAPS)) % 0xFFF + age;
        }
    }
}

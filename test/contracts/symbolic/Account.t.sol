// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account as Word} from "../../../contracts/words/Account.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Where a setter changes its field alone, putting the old value back restores the word to the bit: so these
/// checks know no position, and hold for fields that a word gets later.
contract AccountFieldsCheck is Symbolic {
    function check_CreditsAlone(uint256 word, uint96 amount) public pure {
        Word a = Word.wrap(word);
        Word b = a.withCredits(amount);
        assert(b.credits() == amount);
        assert(Word.unwrap(b.withCredits(a.credits())) == word);
        assert(b.lastSubmitAt() == a.lastSubmitAt() && b.nonceBase() == a.nonceBase());
        assert(b.accruedChats() == a.accruedChats() && b.tier() == a.tier());
    }

    function check_AccruedAlone(uint256 word, uint16 n) public pure {
        Word a = Word.wrap(word);
        Word b = a.accrue(n);
        uint256 sum = a.accruedChats() + n;
        assert(b.accruedChats() == (sum > 65_535 ? 65_535 : sum));
        assert(Word.unwrap(b.withoutAccrued(b.accruedChats() - a.accruedChats())) == word);
        assert(b.credits() == a.credits() && b.lastSubmitAt() == a.lastSubmitAt());
        assert(b.nonceBase() == a.nonceBase() && b.tier() == a.tier());
    }

    function check_TakingAccruedAlone(uint256 word, uint16 n) public pure {
        Word a = Word.wrap(word);
        vm.assume(n <= a.accruedChats());
        Word b = a.withoutAccrued(n);
        assert(b.accruedChats() == a.accruedChats() - n);
        assert(Word.unwrap(b.accrue(n)) == word);
    }
}

contract AccountRateCheck is Symbolic {
    /// @dev No tier takes more off the window than the minute that it has.
    function _account(uint256 word) private pure returns (Word a) {
        a = Word.wrap(word);
        vm.assume(a.tier() <= 60);
    }

    function check_TickPassesExactlyWhenNothingIsToBeWaitedFor(uint256 word, uint32 time) public pure {
        Word a = _account(word);
        vm.assume(time >= a.lastSubmitAt());
        (, bool ok) = a.tick(time);
        assert(ok == (a.waitFor(time) == 0));
    }

    function check_TickLeavesTheRest(uint256 word, uint32 time, uint96 credits) public pure {
        Word a = _account(word);
        vm.assume(time >= a.lastSubmitAt());
        (Word b,) = a.tick(time);
        assert(b.lastSubmitAt() == time);
        assert(b.credits() == a.credits() && b.nonceBase() == a.nonceBase());
        assert(b.accruedChats() == a.accruedChats() && b.tier() == a.tier());
        // And the window of nonces, which has no reader of its own: what is usable before is usable after.
        assert(b.nonceUsed(a.nonceBase() + 1) == a.nonceUsed(a.nonceBase() + 1));
        assert(b.nonceUsed(a.nonceBase() + 16) == a.nonceUsed(a.nonceBase() + 16));
        (Word c,) = a.withCredits(credits).tick(time);
        assert(Word.unwrap(c) == Word.unwrap(b.withCredits(credits)));
    }

    function check_NobodyWaitsLongerThanTheWindow(uint256 word, uint32 time) public pure {
        Word a = _account(word);
        vm.assume(time >= a.lastSubmitAt());
        assert(a.waitFor(time) <= 60 - a.tier());
    }

    function check_AWindowAfterTheLastItPasses(uint256 word, uint32 time) public pure {
        Word a = _account(word);
        vm.assume(time >= a.lastSubmitAt() + (60 - a.tier()));
        assert(a.waitFor(time) == 0);
    }

    /// A second passed is a second less to wait.
    function check_WaitingEnds(uint256 word, uint32 time) public pure {
        Word a = _account(word);
        vm.assume(time >= a.lastSubmitAt() && time < type(uint32).max);
        uint256 wait = a.waitFor(time);
        if (wait != 0) assert(a.waitFor(uint256(time) + 1) == wait - 1);
    }

    /// @dev Nine gaps of six bits, which have no reader: their place in the table of Account is repeated here.
    function _gaps(Word a) private pure returns (uint256) {
        return (Word.unwrap(a) >> 128) & ((1 << 54) - 1);
    }

    function _age(Word a, uint256 time) private pure returns (uint256 age) {
        vm.assume(time >= a.lastSubmitAt());
        age = time - a.lastSubmitAt();
        if (age > 60) age = 60;
    }

    /// With the next: the eleventh submission passes exactly when the first of the ten before lies a window back, since
    /// then the nine gaps between those ten and the time since the last add up to it. The remainder that adds them up is
    /// beyond the solvers for nine unknown gaps; here each is none or as long as the others that are.
    /// @custom:halmos --loop 9
    function check_TheWaitIsWhatTheGapsLackOfTheWindow(uint256 word, uint32 time, uint8 gap, uint16 which) public pure {
        vm.assume(gap < 64);
        uint256 gaps;
        uint256 span;
        for (uint256 i; i < 9; ++i) {
            uint256 one = gap * ((which >> i) & 1);
            gaps |= one << (6 * i);
            span += one;
        }
        Word a = _account((word & ~(((uint256(1) << 54) - 1) << 128)) | (gaps << 128));
        span += _age(a, time);
        uint256 window = 60 - a.tier();
        assert(a.waitFor(time) == (span >= window ? 0 : window - span));
    }

    function check_EachSubmissionMovesTheGapsOn(uint256 word, uint32 time) public pure {
        Word a = Word.wrap(word);
        uint256 age = _age(a, time);
        (Word b,) = a.tick(time);
        assert(_gaps(b) == ((_gaps(a) << 6) | age) & ((1 << 54) - 1));
    }
}

contract AccountNoncesCheck is Symbolic {
    /// @dev The 32 bits of the base would run over after four thousand million requests of one account.
    function _account(uint256 word) private pure returns (Word a) {
        a = Word.wrap(word);
        vm.assume(a.nonceBase() < type(uint32).max - 32);
    }

    /// @custom:halmos --loop 18
    function check_UsableIsWhatIsUnusedAndWithinSixteen(uint256 word, uint256 nonce) public pure {
        Word a = _account(word);
        (Word b, bool ok) = a.useNonce(nonce);
        assert(ok == (!a.nonceUsed(nonce) && nonce <= a.nonceBase() + 16));
        if (!ok) assert(Word.unwrap(b) == word);
    }

    /// @custom:halmos --loop 18
    function check_NoNonceTwice(uint256 word, uint256 nonce) public pure {
        (Word b, bool ok) = _account(word).useNonce(nonce);
        vm.assume(ok);
        assert(b.nonceUsed(nonce));
        (, bool again) = b.useNonce(nonce);
        assert(!again);
    }

    /// @custom:halmos --loop 18
    function check_UsingOneUsesNoOther(uint256 word, uint256 nonce, uint256 other) public pure {
        Word a = _account(word);
        vm.assume(other != nonce);
        (Word b,) = a.useNonce(nonce);
        assert(b.nonceUsed(other) == a.nonceUsed(other));
    }

    /// @custom:halmos --loop 18
    function check_TheBaseIsUnusedAndNeverFalls(uint256 word, uint256 nonce) public pure {
        Word a = _account(word);
        (Word b,) = a.useNonce(nonce);
        assert(!b.nonceUsed(b.nonceBase()));
        assert(b.nonceBase() >= a.nonceBase() && b.nonceBase() <= a.nonceBase() + 17);
    }

    /// @custom:halmos --loop 18
    function check_NonceLeavesTheRest(uint256 word, uint256 nonce, uint32 time) public pure {
        Word a = _account(word);
        (Word b,) = a.useNonce(nonce);
        assert(b.credits() == a.credits() && b.lastSubmitAt() == a.lastSubmitAt());
        assert(b.accruedChats() == a.accruedChats() && b.tier() == a.tier());
        assert(b.waitFor(time) == a.waitFor(time));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Account as Word} from "../../../contracts/words/Account.sol";

contract AccountFieldsTest is Test {
    function testFuzz_CreditsTouchNothingElse(uint256 word, uint96 amount) public pure {
        Word a = Word.wrap(word).withCredits(amount);
        assertEq(a.credits(), amount);
        assertEq(Word.unwrap(a) >> 96, word >> 96);
    }

    function testFuzz_AccruedSaturatesAndTouchesNothingElse(uint256 word, uint256 n) public pure {
        Word before = Word.wrap(word);
        n = bound(n, 0, type(uint128).max);
        Word a = before.accrue(n);
        uint256 sum = before.accruedChats() + n;
        assertEq(a.accruedChats(), sum > 65_535 ? 65_535 : sum);
        uint256 mask = ~(uint256(type(uint16).max) << 230);
        assertEq(Word.unwrap(a) & mask, word & mask);
    }

    function testFuzz_TakingAccruedLeavesTheRest(uint256 word, uint256 n) public pure {
        Word before = Word.wrap(word);
        n = bound(n, 0, before.accruedChats());
        Word a = before.withoutAccrued(n);
        assertEq(a.accruedChats(), before.accruedChats() - n);
        uint256 mask = ~(uint256(type(uint16).max) << 230);
        assertEq(Word.unwrap(a) & mask, word & mask);
    }

    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        Word a = Word.wrap(word);
        assertEq(a.credits(), word % 2 ** 96);
        assertEq(a.lastSubmitAt(), (word >> 96) % 2 ** 32);
        assertEq(a.nonceBase(), (word >> 182) % 2 ** 32);
        assertEq(a.accruedChats(), (word >> 230) % 2 ** 16);
        assertEq(a.tier(), word >> 246);
    }
}

/// @notice The rate limit against the plain definition: at most ten submissions in any sixty seconds.
contract AccountRateTest is Test {
    uint256[] private passed;

    function testFuzz_ExactlyTenInAnySixtySeconds(uint8[40] memory steps) public {
        Word a = Word.wrap(0);
        uint256 time = 1_800_000_000;
        for (uint256 i; i < steps.length; ++i) {
            // Short steps meet the limit, long ones leave it; both must be frequent.
            time += steps[i] % 4 == 0 ? steps[i] : steps[i] % 9;
            a = _try(a, time);
        }
    }

    function _try(Word a, uint256 time) private returns (Word) {
        uint256 expected = _naiveWait(time);
        assertEq(a.waitFor(time), expected, "seconds to wait");
        (Word next, bool ok) = a.tick(time);
        assertEq(ok, expected == 0, "passes exactly when nothing is to be waited for");
        if (!ok) return a;
        passed.push(time);
        assertEq(next.lastSubmitAt(), time);
        return next;
    }

    /// @dev The eleventh passes once the tenth before it lies sixty seconds back.
    function _naiveWait(uint256 time) private view returns (uint256) {
        if (passed.length < 10) return 0;
        uint256 tenth = passed[passed.length - 10];
        return time >= tenth + 60 ? 0 : tenth + 60 - time;
    }

    function test_EleventhWaitsForTheFullMinute() public pure {
        Word a = Word.wrap(0);
        bool ok;
        for (uint256 i; i < 10; ++i) {
            (a, ok) = a.tick(1_000_000);
            assertTrue(ok);
        }
        assertEq(a.waitFor(1_000_000), 60);
        assertEq(a.waitFor(1_000_059), 1);
        (, ok) = a.tick(1_000_059);
        assertFalse(ok);
        (, ok) = a.tick(1_000_060);
        assertTrue(ok);
    }

    function testFuzz_TickTouchesTimesAlone(uint256 word, uint32 time) public pure {
        vm.assume(time >= Word.wrap(word).lastSubmitAt());
        (Word a,) = Word.wrap(word).tick(time);
        uint256 mask = ~(((uint256(1) << 86) - 1) << 96);
        assertEq(Word.unwrap(a) & mask, word & mask);
    }
}

/// @notice The nonce window against a plain set of used numbers.
contract AccountNoncesTest is Test {
    mapping(uint256 nonce => bool) private used;

    function testFuzz_EachNonceOnceWithinSixteenAhead(uint8[48] memory picks) public {
        Word a = Word.wrap(uint256(keccak256(abi.encode(picks))) & type(uint96).max);
        for (uint256 i; i < picks.length; ++i) {
            uint256 lowest = _lowest();
            assertEq(a.nonceBase(), lowest, "lowest unused");
            a = _try(a, lowest, uint256(picks[i]) % 20 + (lowest > 2 ? lowest - 2 : 0));
        }
    }

    function _try(Word a, uint256 lowest, uint256 nonce) private returns (Word) {
        bool allowed = !used[nonce] && nonce <= lowest + 16;
        assertEq(a.nonceUsed(nonce), used[nonce], "what it says of itself");
        (Word next, bool ok) = a.useNonce(nonce);
        assertEq(ok, allowed);
        if (ok) used[nonce] = true;
        else assertEq(Word.unwrap(next), Word.unwrap(a), "a refusal changes nothing");
        assertEq(next.credits(), a.credits());
        return next;
    }

    function _lowest() private view returns (uint256 n) {
        while (used[n]) ++n;
    }

    function test_AFullWindowClosesAtOnce() public pure {
        Word a = Word.wrap(0);
        bool ok;
        for (uint256 nonce = 16; nonce > 0; --nonce) {
            (a, ok) = a.useNonce(nonce);
            assertTrue(ok);
        }
        (a, ok) = a.useNonce(17);
        assertFalse(ok);
        (a, ok) = a.useNonce(0);
        assertTrue(ok);
        assertEq(a.nonceBase(), 17);
    }

    function testFuzz_UsingOneTouchesNothingElse(uint256 word, uint256 ahead) public pure {
        Word a = Word.wrap(word);
        vm.assume(a.nonceBase() < type(uint32).max - 32);
        (Word b,) = a.useNonce(a.nonceBase() + ahead % 17);
        uint256 mask = ~(((uint256(1) << 48) - 1) << 182);
        assertEq(Word.unwrap(b) & mask, word & mask);
    }

    function testFuzz_TheLowestAndAllBeyondTheWindowAreUnused(uint256 word, uint32 beyond) public pure {
        Word a = Word.wrap(word);
        assertFalse(a.nonceUsed(a.nonceBase()));
        assertFalse(a.nonceUsed(a.nonceBase() + 17 + beyond % 64));
    }
}

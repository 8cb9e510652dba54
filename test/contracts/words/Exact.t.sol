// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Chain as Link, ChainWord} from "../../../contracts/words/Ledger.sol";
import {Request, RequestWord} from "../../../contracts/words/Request.sol";
import {Seat} from "../../../contracts/words/Seat.sol";
import {DirectTerms, TermsWord} from "../../../contracts/words/Ticket.sol";
import {Till} from "../../../contracts/words/Till.sol";

// What the other files say of words in general, here to the bit.

contract TicketDirectTest is Test {
    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        DirectTerms t = DirectTerms.wrap(word);
        assertEq(t.tokens(), word % 2 ** 24);
        assertEq(t.maxTokens(), (word >> 24) % 2 ** 24);
        assertEq(t.temperature(), (word >> 48) % 2 ** 16);
        assertEq(t.flags(), (word >> 64) % 2 ** 8);
        assertEq(t.priority(), (word >> 64) % 2 == 1);
        assertEq(t.nonce(), (word >> 72) % 2 ** 32);
        assertEq(t.deadline(), (word >> 104) % 2 ** 64);
    }

    function test_FlagsAreOneAndTwo() public pure {
        assertEq(TermsWord.flags(false, false), 0);
        assertEq(TermsWord.flags(true, false), 1);
        assertEq(TermsWord.flags(false, true), 2);
        assertEq(TermsWord.flags(true, true), 3);
    }
}

contract LedgerChainTest is Test {
    function testFuzz_ALinkIsTheHashAndTheCount(uint256 word, bytes32 leaf) public pure {
        uint256 counted = word % 2 ** 48;
        vm.assume(counted < 2 ** 48 - 1);
        uint256 link = uint256(keccak256(abi.encode(word, leaf)));
        assertEq(Link.unwrap(Link.wrap(word).append(leaf)), link - link % 2 ** 48 + counted + 1);
    }

    function test_ACheckpointEvery256() public pure {
        assertEq(ChainWord.CHECKPOINT, 256);
    }
}

contract RequestClockTest is Test {
    function testFuzz_TheQueueAndACancellationStartAtThisBlock(uint256 word, uint32 time, uint64 height) public {
        vm.warp(time);
        vm.roll(height);
        Request q = Request.wrap(word).queued(1);
        assertEq((Request.unwrap(q) >> 80) % 2 ** 16, height % 2 ** 16);
        assertEq((Request.unwrap(q) >> 21) % 2 ** 32, time);
        Request c = Request.wrap(word).cancelled();
        assertEq((Request.unwrap(c) >> 80) % 2 ** 16, height % 2 ** 16);
        assertEq((Request.unwrap(c) >> 21) % 2 ** 32, time);
        uint256 others = ~((uint256(0xFFFF) << 80) | (uint256(type(uint32).max) << 21) | (uint256(1) << 53));
        assertEq(Request.unwrap(c) & others, word & others);
    }

    function testFuzz_AnAssignmentKeepsNothingElse(uint256 word) public {
        vm.warp(1_000);
        vm.roll(7);
        Request r = Request.wrap(word);
        vm.assume(r.attempts() < 3);
        uint256 kept = (3 << 19) | (63 << 54) | ~uint256(type(uint96).max);
        uint256 expected = (word & kept) + (1 << 19);
        expected |= 2 | (uint256(9) << 3) | (uint256(1_001) << 21) | (1 << 60) | (uint256(1) << 77) | (uint256(7) << 80);
        assertEq(Request.unwrap(r.assigned(2, 9, 1, 1)), expected);
    }
}

contract SeatServesTest is Test {
    function testFuzz_ServesWhatItNamesWhileItIsNotSuspended(uint64 word, uint8 model) public pure {
        model %= 29;
        Seat s = Seat.wrap(word);
        bool named = (s.models() >> model) % 2 == 1;
        assertEq(s.serves(model), named && s.reputation() >= 50);
    }
}

contract TillExactTest is Test {
    uint256 private constant MOST = (1 << 26) - 1;

    function testFuzz_CountingTouchesTheCountAndTheSketchAlone(uint256 word, address payer) public pure {
        uint256 completed = (word >> 80) % 2 ** 26;
        uint256 expected = (word | (1 << (64 + uint160(payer) % 15)));
        if (completed != MOST) expected += 1 << 80;
        assertEq(Till.unwrap(Till.wrap(word).count(payer)), expected);
    }

    function testFuzz_ASketchJoinsAlone(uint256 word, uint16 sketch) public pure {
        sketch %= 2 ** 15;
        assertEq(Till.unwrap(Till.wrap(word).met(sketch)), word | (uint256(sketch) << 64));
    }

    function test_TheCountStopsAtItsEnd() public pure {
        uint256 full = MOST << 80;
        assertEq(Till.unwrap(Till.wrap(full).count(address(0))), full | (1 << 64));
        assertEq(Till.unwrap(Till.wrap(full - (1 << 80)).count(address(0))), full | (1 << 64));
        assertEq(Till.unwrap(Till.wrap(full - (2 << 80)).countMore(5)), full);
    }

    function testFuzz_SweepingLeavesWhatLiesBelow(uint256 word) public pure {
        assertEq(Till.unwrap(Till.wrap(word).withoutLegs()), word % 2 ** 106);
    }

    function test_ALegMayFillItsField() public pure {
        uint256 most = (1 << 75) - 1;
        (Till till, bool fits) = Till.wrap(0).earn(most, 0);
        assertTrue(fits);
        assertEq(Till.unwrap(till), most << 106);
        (till, fits) = Till.wrap(0).earn(0, most);
        assertTrue(fits);
        assertEq(Till.unwrap(till), most << 181);
        (, fits) = Till.wrap(0).earn(most + 1, 0);
        assertFalse(fits);
        (, fits) = Till.wrap(0).earn(0, most + 1);
        assertFalse(fits);
    }
}

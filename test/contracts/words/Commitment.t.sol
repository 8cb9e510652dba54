// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Commitment, CommitmentWord} from "../../../contracts/words/Commitment.sol";

contract CommitmentWordTest is Test {
    function testFuzz_OpensHereAndNow(uint96 bond, uint64 height, uint40 time) public {
        vm.roll(height);
        vm.warp(time);
        Commitment c = CommitmentWord.open(bond);
        assertEq(c.bond(), bond);
        assertEq(c.atBlock(), height);
        assertEq(c.time(), time);
    }

    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        Commitment c = Commitment.wrap(word);
        assertEq(c.bond(), word % 2 ** 96);
        assertEq(c.atBlock(), (word >> 96) % 2 ** 64);
        assertEq(c.time(), (word >> 160) % 2 ** 40);
    }

    function test_NoneHasNoBond() public pure {
        assertEq(CommitmentWord.NONE.bond(), 0);
    }
}

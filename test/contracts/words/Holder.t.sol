// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Holder, Supply} from "../../../contracts/words/Holder.sol";

contract HolderTest is Test {
    function testFuzz_FieldsLieWhereTheTableSays(uint96 balance, uint96 earned, uint32 lastAt, uint32 today)
        public
        pure
    {
        Holder h = Holder.wrap(
            uint256(balance) | (uint256(earned) << 96) | (uint256(lastAt) << 192) | (uint256(today) << 224)
        );
        assertEq(h.balance(), balance);
        assertEq(h.earned(), earned);
        assertEq(h.lastAt(), lastAt);
        assertEq(h.today(), today);
    }

    function testFuzz_ABalanceTouchesNothingElse(uint256 word, uint96 balance) public pure {
        Holder h = Holder.wrap(word).withBalance(balance);
        assertEq(h.balance(), balance);
        assertEq(Holder.unwrap(h) >> 96, word >> 96);
    }

    function testFuzz_ARewardAddsToBalanceAndEarned(uint256 word, uint80 amount, uint32 time, uint32 today)
        public
        pure
    {
        Holder before = Holder.wrap(word);
        vm.assume(before.balance() + amount <= type(uint96).max && before.earned() + amount <= type(uint96).max);
        Holder h = before.rewarded(amount, time, today);
        assertEq(h.balance(), before.balance() + amount);
        assertEq(h.earned(), before.earned() + amount);
        assertEq(h.lastAt(), time);
        assertEq(h.today(), today);
    }

    function testFuzz_SupplyGrowsAndRolls(uint88 total, uint80 inEpoch, uint32 epoch, uint80 amount, uint32 next)
        public
        pure
    {
        Supply s = Supply.wrap(uint256(total) | (uint256(inEpoch) << 96) | (uint256(epoch) << 192));
        Supply more = s.add(amount);
        assertEq(more.total(), uint256(total) + amount);
        assertEq(more.inEpoch(), uint256(inEpoch) + amount);
        assertEq(more.epoch(), epoch);
        Supply rolled = more.rolledTo(next);
        assertEq(rolled.total(), more.total());
        assertEq(rolled.inEpoch(), 0);
        assertEq(rolled.epoch(), next);
    }
}

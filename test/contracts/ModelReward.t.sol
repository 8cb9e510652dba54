// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModelReward} from "../../contracts/interfaces/IModelReward.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {Scene} from "./support/Scene.sol";

contract ModelRewardTest is Scene {
    address internal node;

    function setUp() public override {
        super.setUp();
        (node,) = _validator("node", 100_000e18);
    }

    function _complete(uint256 n) private {
        for (uint256 i; i < n; ++i) {
            (, Ticket memory t) = _submit();
            _settle(node, t, 10);
            vm.warp(block.timestamp + 6);
        }
    }

    /// @dev Writes the count of accrued chats into alice's account word.
    function _accrue(uint256 n) private {
        bytes32 slot = keccak256(
            abi.encode(alice.addr, uint256(0x3164cd054724e5f047462cc7124ac3696d673fa10d6aa14dc75f39cd115f5a00) + 2)
        );
        uint256 word = uint256(vm.load(address(router), slot)) & ~(uint256(0xFFFF) << 230);
        vm.store(address(router), slot, bytes32(word | (n << 230)));
        assertEq(router.accountOf(alice.addr).accruedChats, n);
    }

    function test_AnybodyClaimsForAnybody() public {
        _complete(3);
        vm.expectEmit(address(reward));
        emit IModelReward.RewardClaimed(alice.addr, 3);
        vm.prank(bob.addr);
        assertEq(reward.claim(alice.addr), 3);
        assertEq(lcai.balanceOf(alice.addr), 3e18);
        assertEq(lcai.balanceOf(bob.addr), 0);
    }

    function test_RevertWhen_NothingIsAccrued() public {
        vm.expectRevert(abi.encodeWithSelector(IModelReward.RewardNothingAccrued.selector, alice.addr));
        reward.claim(alice.addr);
        _complete(1);
        reward.claim(alice.addr);
        vm.expectRevert(abi.encodeWithSelector(IModelReward.RewardNothingAccrued.selector, alice.addr));
        reward.claim(alice.addr);
    }

    function test_MoreThanADaysCapComesInParts() public {
        _accrue(2_300);
        assertEq(reward.claim(alice.addr), 1_000);
        assertEq(router.accountOf(alice.addr).accruedChats, 1_300);
        vm.expectRevert(abi.encodeWithSelector(IModelReward.RewardCapReached.selector, alice.addr, 1_300));
        reward.claim(alice.addr);
        _pass(1 days);
        assertEq(reward.claim(alice.addr), 1_000);
        _pass(1 days);
        assertEq(reward.claim(alice.addr), 300);
        assertEq(lcai.balanceOf(alice.addr), 2_300e18);
    }

    function testFuzz_NothingIsLost(uint16 accrued, uint16 earned) public {
        accrued = uint16(bound(accrued, 1, 65_535));
        earned %= 1_000;
        if (earned != 0) {
            vm.prank(address(router));
            lcai.mint(alice.addr, uint256(earned) * 1e18);
        }
        _accrue(accrued);
        uint256 chats = reward.claim(alice.addr);
        assertEq(chats + router.accountOf(alice.addr).accruedChats, accrued);
        assertEq(lcai.balanceOf(alice.addr), (uint256(earned) + chats) * 1e18);
    }

    function test_StatsAddMintedAndAccrued() public {
        (uint256 chats,, uint256 last,) = reward.statsOf(alice.addr);
        assertEq(chats + last, 0);
        assertFalse(reward.isInferencer(alice.addr));
        _complete(2);
        assertTrue(reward.isInferencer(alice.addr));
        reward.claim(alice.addr);
        _complete(1);
        uint256 total;
        (chats, total, last,) = reward.statsOf(alice.addr);
        assertEq(chats, 3);
        assertEq(total, 3e18);
        assertEq(last, block.timestamp - 6);
    }

    function test_StatsOutliveTheBalance() public {
        _complete(1);
        reward.claim(alice.addr);
        vm.prank(alice.addr);
        lcai.transfer(bob.addr, 1e18);
        assertTrue(reward.isInferencer(alice.addr));
        assertFalse(reward.isInferencer(bob.addr));
    }

    function test_PrivacyIsTheUsersOwn() public {
        vm.expectEmit(address(reward));
        emit IModelReward.PrivacySet(alice.addr, true);
        vm.prank(alice.addr);
        reward.setPrivate(true);
        (,,, bool isPrivate) = reward.statsOf(alice.addr);
        assertTrue(isPrivate);
        (,,, isPrivate) = reward.statsOf(bob.addr);
        assertFalse(isPrivate);
    }
}

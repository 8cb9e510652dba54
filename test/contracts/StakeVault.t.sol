// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {IValidatorRegistry} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {Scene} from "./support/Scene.sol";

abstract contract VaultScene is Scene {
    IVotes internal votes;
    IStakeVault internal vault;
    uint256 internal id;

    function setUp() public virtual override {
        super.setUp();
        votes = IVotes(address(nst));
        vm.prank(bank);
        nst.transfer(alice.addr, 100_000e18);
        vm.prank(alice.addr);
        nst.approve(address(validators), type(uint256).max);
    }

    function _join(uint256 stake) internal {
        vm.prank(alice.addr);
        id = validators.registerValidator(stake, _names(), "https://node.example");
        vault = IStakeVault(validators.vaultOf(id));
    }
}

contract StakeVaultTest is VaultScene {
    function setUp() public override {
        super.setUp();
        _join(50_000e18);
    }

    function test_KnowsWhoseItIs() public view {
        assertEq(vault.TOKEN(), address(nst));
        assertEq(vault.REGISTRY(), address(validators));
        assertEq(address(vault).code.length, 45, "a minimal proxy");
    }

    function test_RevertWhen_AnybodyElseMovesIt() public {
        address[4] memory others = [alice.addr, admin, address(router), vaultCode];
        for (uint256 i; i < 4; ++i) {
            bytes memory reason =
                abi.encodeWithSelector(IStakeVault.VaultOnlyRegistry.selector, others[i], address(validators));
            vm.startPrank(others[i]);
            vm.expectRevert(reason);
            vault.send(others[i], 1);
            vm.expectRevert(reason);
            vault.delegate(others[i]);
            vm.expectRevert(reason);
            IStakeVault(vaultCode).send(others[i], 1);
            vm.stopPrank();
        }
    }

    function test_WhatIsSentByMistakeIsNobodysStake() public {
        vm.prank(alice.addr);
        nst.transfer(address(vault), 7_000e18);
        assertEq(validators.stakeOf(alice.addr), 50_000e18);
        assertEq(validators.totalStaked(), 50_000e18);
        assertEq(router.offerOf(LLAMA7).tickets(), 10);
        vm.startPrank(alice.addr);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeExceeded.selector, 57_000e18, 50_000e18));
        validators.unbond(57_000e18);
        validators.unbond(50_000e18);
        _pass(7 days);
        assertEq(validators.withdrawUnbonded(), 50_000e18);
        vm.stopPrank();
        assertEq(nst.balanceOf(address(vault)), 7_000e18);
    }
}

/// @notice Staked NST keeps its vote.
contract StakedVotesTest is VaultScene {
    function test_AreTheOwnersAtFirst() public {
        _join(50_000e18);
        assertEq(validators.delegateOf(id), alice.addr);
        assertEq(votes.getVotes(alice.addr), 50_000e18, "her wallet's NST was never delegated");
    }

    /// @dev Who has delegated the wallet votes on through the same delegate: staking moves no vote.
    function test_StayWithWhomTheOwnerHadChosen() public {
        vm.prank(alice.addr);
        votes.delegate(bob.addr);
        assertEq(votes.getVotes(bob.addr), 100_000e18);
        _join(50_000e18);
        assertEq(validators.delegateOf(id), bob.addr);
        assertEq(votes.getVotes(bob.addr), 100_000e18);
    }

    function test_FollowTheStakeUntilItIsWithdrawn() public {
        _join(20_000e18);
        vm.startPrank(alice.addr);
        validators.stakeMore(30_000e18);
        assertEq(votes.getVotes(alice.addr), 50_000e18);
        validators.unbond(40_000e18);
        assertEq(votes.getVotes(alice.addr), 50_000e18, "in custody, and still voting");
        _pass(7 days);
        uint256 then = block.timestamp;
        _pass(1);
        validators.withdrawUnbonded();
        assertEq(votes.getVotes(alice.addr), 10_000e18);
        assertEq(votes.getPastVotes(alice.addr, then), 50_000e18);
        vm.stopPrank();
    }

    function test_GoWhereTheOwnerSends() public {
        _join(50_000e18);
        vm.startPrank(alice.addr);
        validators.delegateStake(bob.addr);
        assertEq(validators.delegateOf(id), bob.addr);
        assertEq(votes.getVotes(bob.addr), 50_000e18);
        assertEq(votes.getVotes(alice.addr), 0);
        validators.stakeMore(10_000e18);
        assertEq(votes.getVotes(bob.addr), 60_000e18);
        validators.delegateStake(address(0));
        assertEq(votes.getVotes(bob.addr), 0);
        vm.stopPrank();
    }

    /// @dev A delegate's checkpoints carry over an exit and a return: the vault stays the validator's.
    function test_OutliveAnExit() public {
        _join(50_000e18);
        vm.startPrank(alice.addr);
        validators.delegateStake(bob.addr);
        validators.unbond(50_000e18);
        _pass(7 days);
        validators.withdrawUnbonded();
        assertEq(votes.getVotes(bob.addr), 0);
        validators.stakeMore(5_000e18);
        vm.stopPrank();
        assertEq(votes.getVotes(bob.addr), 5_000e18);
        assertEq(validators.vaultOf(id), address(vault));
    }

    /// @dev Whatever takes NST out of a vault takes its votes along: slashed stake cannot vote.
    function test_LeaveWithWhatIsTaken() public {
        _join(50_000e18);
        vm.prank(address(validators));
        vault.send(treasury, 20_000e18);
        assertEq(votes.getVotes(alice.addr), 30_000e18);
    }

    function test_RevertWhen_AStrangerDelegates() public {
        _join(50_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryNotRegistered.selector, bob.addr));
        vm.prank(bob.addr);
        validators.delegateStake(bob.addr);
    }

    function testFuzz_AreNeverMoreThanTheSupply(uint256 stake, uint256 out, bool delegated) public {
        stake = bound(stake, 5_000e18, 100_000e18);
        if (delegated) {
            vm.prank(alice.addr);
            votes.delegate(alice.addr);
        }
        vm.prank(bank);
        votes.delegate(bank);
        _join(stake);
        out = bound(out, 0, stake - 5_000e18);
        vm.startPrank(alice.addr);
        if (out != 0) validators.unbond(out);
        _pass(7 days);
        if (out != 0) validators.withdrawUnbonded();
        vm.stopPrank();
        uint256 wallet = delegated ? nst.balanceOf(alice.addr) : 0;
        assertEq(votes.getVotes(alice.addr), stake - out + wallet);
        assertLe(votes.getVotes(alice.addr) + votes.getVotes(bank), nst.totalSupply());
    }
}

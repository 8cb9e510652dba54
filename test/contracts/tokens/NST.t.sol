// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC6372} from "@openzeppelin/contracts/interfaces/IERC6372.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Scene} from "../support/Scene.sol";

contract NSTTest is Scene {
    IVotes private votes;

    function setUp() public override {
        super.setUp();
        votes = IVotes(address(nst));
        vm.prank(bank);
        nst.transfer(alice.addr, 1_000e18);
    }

    function test_AllOfItExistsAtGenesis() public view {
        assertEq(nst.totalSupply(), 100_000_000e18);
    }

    function test_VotesByTheClockOfSeconds() public {
        IERC6372 clock = IERC6372(address(nst));
        assertEq(clock.CLOCK_MODE(), "mode=timestamp");
        assertEq(clock.clock(), block.timestamp);
        vm.prank(alice.addr);
        votes.delegate(alice.addr);
        assertEq(votes.getVotes(alice.addr), 1_000e18);
        uint256 then = block.timestamp;
        vm.warp(then + 10);
        vm.prank(alice.addr);
        nst.transfer(bob.addr, 400e18);
        assertEq(votes.getVotes(alice.addr), 600e18);
        assertEq(votes.getPastVotes(alice.addr, then), 1_000e18);
    }

    /// @dev What is borrowed and returned within a second has no vote at any past time.
    function test_FlashLoanedVotesCountForNothing() public {
        vm.prank(bob.addr);
        votes.delegate(bob.addr);
        vm.prank(alice.addr);
        nst.transfer(bob.addr, 1_000e18);
        vm.prank(bob.addr);
        nst.transfer(alice.addr, 1_000e18);
        uint256 then = block.timestamp;
        vm.warp(then + 1);
        assertEq(votes.getPastVotes(bob.addr, then), 0);
    }

    function test_BurnsForGood() public {
        vm.prank(alice.addr);
        (bool ok,) = address(nst).call(abi.encodeWithSignature("burn(uint256)", 100e18));
        assertTrue(ok);
        assertEq(nst.totalSupply(), 100_000_000e18 - 100e18);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {INSD} from "../../../contracts/interfaces/ITokens.sol";
import {Scene} from "../support/Scene.sol";

contract NSDTest is Scene {
    function test_AllOfItExistsAtGenesis() public view {
        assertEq(nsd.totalSupply(), 1_000_000_000e18);
        assertEq(nsd.GENESIS(), 1_000_000_000e18);
        assertEq(nsd.headroom(), 0);
        assertEq(nsd.LEDGER(), address(credits));
    }

    function test_RevertWhen_AnybodyButTheLedgerBurnsMintsOrRetires() public {
        bytes memory reason = abi.encodeWithSelector(INSD.NSDOnlyLedger.selector, admin);
        vm.startPrank(admin);
        vm.expectRevert(reason);
        nsd.burnForRequest(alice.addr, 1, 0);
        vm.expectRevert(reason);
        nsd.mint(admin, 1);
        vm.expectRevert(reason);
        nsd.retire(1);
        vm.stopPrank();
    }

    function test_RevertGiven_NoAllowance() public {
        vm.prank(alice.addr);
        nsd.approve(address(credits), 5);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, credits, 5, 6));
        vm.prank(address(credits));
        nsd.burnForRequest(alice.addr, 6, 0);
    }

    function test_BurnTellsForWhichRequest() public {
        vm.expectEmit(address(nsd));
        emit INSD.NSDBurned(alice.addr, 7, "id", block.timestamp);
        vm.prank(address(credits));
        assertTrue(nsd.burnForRequest(alice.addr, 7, "id"));
    }

    function test_RevertWhen_MoreIsMintedThanWasBurned() public {
        vm.startPrank(address(credits));
        nsd.burnForRequest(alice.addr, 100, 0);
        nsd.retire(40);
        vm.expectRevert(abi.encodeWithSelector(INSD.NSDHeadroomExceeded.selector, 61, 60));
        nsd.mint(bob.addr, 61);
        vm.expectRevert(abi.encodeWithSelector(INSD.NSDHeadroomExceeded.selector, 61, 60));
        nsd.retire(61);
        nsd.mint(bob.addr, 60);
        vm.stopPrank();
        assertEq(nsd.totalSupply() + nsd.retired(), nsd.GENESIS());
    }

    function testFuzz_WhateverTheLedgerDoesTheSupplyIsBounded(uint8[24] memory deeds, uint64[24] memory amounts)
        public
    {
        for (uint256 i; i < deeds.length; ++i) {
            vm.prank(address(credits));
            bytes memory data = deeds[i] % 3 == 0
                ? abi.encodeCall(nsd.burnForRequest, (alice.addr, amounts[i], 0))
                : deeds[i] % 3 == 1
                    ? abi.encodeCall(nsd.mint, (bob.addr, amounts[i]))
                    : abi.encodeCall(nsd.retire, (amounts[i]));
            (bool ok,) = address(nsd).call(data);
            ok;
            assertLe(nsd.totalSupply() + nsd.retired(), nsd.GENESIS());
            assertEq(nsd.headroom(), nsd.GENESIS() - nsd.totalSupply() - nsd.retired());
        }
    }

    function test_EpochsCountWhatFlowed() public {
        uint256 epoch = nsd.currentEpoch();
        vm.startPrank(address(credits));
        nsd.burnForRequest(alice.addr, 100, 0);
        nsd.mint(bob.addr, 30);
        vm.warp(block.timestamp + 1 days);
        nsd.burnForRequest(alice.addr, 5, 0);
        vm.stopPrank();
        assertEq(nsd.currentEpoch(), epoch + 1);
        assertEq(nsd.burnedInEpoch(epoch), 100);
        assertEq(nsd.mintedInEpoch(epoch), 30);
        assertEq(nsd.burnedInEpoch(epoch + 1), 5);
        assertEq(nsd.mintedInEpoch(epoch + 1), 0);
    }
}

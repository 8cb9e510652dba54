// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IRouterLog} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Scene} from "../support/Scene.sol";

contract SetRateWindowTest is Scene {
    function setUp() public override {
        super.setUp();
        _validator("node", 100_000e18);
    }

    function _set(uint256 window) private {
        vm.prank(admin);
        router.setRateWindow(alice.addr, window);
    }

    function _refused(uint256 wait) private {
        assertEq(router.accountOf(alice.addr).nextSubmitIn, wait);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterRateLimited.selector, alice.addr, wait));
        vm.prank(alice.addr);
        router.submit(_ask(), "");
    }

    /// @dev Ten submissions, uneven steps apart; the eleventh passes exactly `window` seconds after the first.
    function _eleventhWaitsFor(uint256 window) private {
        uint256 first = block.timestamp;
        for (uint256 i; i < 10; ++i) {
            vm.warp(first + window * i * i / 100);
            _submit();
        }
        uint256 last = window * 81 / 100;
        _refused(window - last);
        vm.warp(first + window - 1);
        _refused(1);
        vm.warp(first + window);
        _submit();
    }

    function test_SaysWhatItSet() public {
        assertEq(router.accountOf(alice.addr).rateWindow, 60);
        vm.expectEmit(address(router));
        emit IRouterLog.RateWindowSet(alice.addr, 30);
        _set(30);
        assertEq(router.accountOf(alice.addr).rateWindow, 30);
        assertEq(router.accountOf(bob.addr).rateWindow, 60);
    }

    function test_SixtySecondsUnlessSet() public {
        _eleventhWaitsFor(60);
    }

    function test_ThirtySeconds() public {
        _set(30);
        _eleventhWaitsFor(30);
    }

    function test_OneSecond() public {
        _set(1);
        _eleventhWaitsFor(1);
    }

    function test_ZeroLiftsTheLimit() public {
        _set(0);
        for (uint256 i; i < 40; ++i) {
            _submit();
        }
        assertEq(router.accountOf(alice.addr).nextSubmitIn, 0);
        assertEq(router.accountOf(alice.addr).nonce, 40);
    }

    function test_TheWindowCanBeSetBack() public {
        _set(0);
        for (uint256 i; i < 15; ++i) {
            _submit();
        }
        _set(60);
        _refused(60);
        vm.warp(block.timestamp + 20);
        _set(30);
        _refused(10);
        vm.warp(block.timestamp + 10);
        _submit();
    }

    function test_TouchesNothingElseOfTheAccount() public {
        _deposit(alice.addr, 123e18);
        _submit();
        bytes32 before = keccak256(abi.encode(router.accountOf(alice.addr)));
        _set(7);
        assertNotEq(keccak256(abi.encode(router.accountOf(alice.addr))), before);
        _set(60);
        assertEq(keccak256(abi.encode(router.accountOf(alice.addr))), before);
    }

    function test_RevertWhen_TheWindowIsAboveAMinute() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidRateWindow.selector, 61, 60));
        _set(61);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidRateWindow.selector, type(uint256).max, 60));
        _set(type(uint256).max);
    }

    function test_RevertWhen_SomebodyElseSetsIt() public {
        address[3] memory others = [alice.addr, guardian, relayer];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, others[i]));
            vm.prank(others[i]);
            router.setRateWindow(alice.addr, 0);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IFeeController, Parameter} from "../../contracts/interfaces/IFeeController.sol";
import {Ask} from "../../contracts/interfaces/IInferenceRouter.sol";
import {PriceWord} from "../../contracts/words/Offer.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {Scene} from "./support/Scene.sol";

contract FeeControllerTest is Scene {
    using PriceWord for uint256;

    uint256[11] private units = [uint256(1e15), 1e12, 1, 1e9, 5, 30, 1, 1, 1e9, 1, 1e18];

    function _set(uint256 parameter, uint256 value) private {
        vm.prank(admin);
        fees.set(Parameter(parameter), value);
    }

    function test_EachBoundHolds() public {
        for (uint256 i; i < 11; ++i) {
            IFeeController.Setting memory s = fees.settingOf(Parameter(i));
            assertLt(s.minimum, s.maximum);
            _set(i, s.minimum);
            _set(i, s.maximum);
            assertEq(fees.get(Parameter(i)), s.maximum);
            bytes4 reason = IFeeController.FeesOutOfBounds.selector;
            uint256 above = s.maximum + units[i];
            vm.expectRevert(abi.encodeWithSelector(reason, i, above, s.minimum, s.maximum));
            _set(i, above);
            if (s.minimum == 0) continue;
            uint256 below = s.minimum - units[i];
            vm.expectRevert(abi.encodeWithSelector(reason, i, below, s.minimum, s.maximum));
            _set(i, below);
        }
    }

    function test_RevertWhen_TheWordCannotHoldIt() public {
        for (uint256 i; i < 11; ++i) {
            if (units[i] == 1) continue;
            uint256 value = fees.settingOf(Parameter(i)).minimum + 1;
            vm.expectRevert(abi.encodeWithSelector(IFeeController.FeesNotAMultiple.selector, i, value, units[i]));
            _set(i, value);
        }
    }

    function test_RevertWhen_SomebodyElseSets() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        vm.prank(guardian);
        fees.set(Parameter.BurnBps, 500);
    }

    function testFuzz_ArrivesInEveryOfferUnrounded(uint256 parameter, uint256 value) public {
        parameter %= 6;
        IFeeController.Setting memory s = fees.settingOf(Parameter(parameter));
        value = bound(value, s.minimum / units[parameter], s.maximum / units[parameter]) * units[parameter];
        _set(parameter, value);
        uint256 price = router.offerOf(LLAMA70).price();
        if (parameter == 0) assertEq(price.base(), value);
        if (parameter == 1) assertEq(price.perToken(), value);
        if (parameter == 2) assertEq(price.burnBps(), value);
        if (parameter == 3) assertEq(price.index() * 1e9, value);
        if (parameter == 4) assertEq(price.ackWindow(), value);
        if (parameter == 5) assertEq(price.queueWindow(), value);
        assertEq(price.multiplierBps(), 50_000);
    }

    function test_TellsOldAndNew() public {
        vm.expectEmit(address(fees));
        emit IFeeController.ParameterChanged(Parameter.BurnBps, 1_000, 500);
        _set(uint256(Parameter.BurnBps), 500);
    }

    function test_CallbackGasPriceReachesTheOffers() public {
        _set(uint256(Parameter.CallbackGasPrice), 0.0005e18);
        assertEq(router.callbackGasPriceOf(LLAMA7), 0.0005e18);
        assertEq(router.commitFromOf(LLAMA7), 500e18);
    }

    function test_CommitThresholdReachesTheOffers() public {
        _set(uint256(Parameter.CommitFrom), 8_000e18);
        assertEq(router.commitFromOf(LLAMA7), 8_000e18);
        assertEq(router.callbackGasPriceOf(LLAMA7), 0.00001e18);
    }

    function test_Settings() public view {
        IFeeController.Setting[] memory all = fees.settings();
        assertEq(all.length, 11);
        for (uint256 i; i < 11; ++i) {
            assertEq(all[i].value, _launchValues()[i]);
        }
    }

    /// @dev Everything moves to another end of its range while a request is open: not one of its numbers changes.
    function testFuzz_InFlightRequestsNeverFeelAChange(uint256 seed) public {
        (address node, uint256 nodeId) = _validator("node", 100_000e18);
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(0xCA11), 100_000);
        (bytes32 id, Ticket memory t) = _submit(alice.addr, ask);
        (, Ticket memory late) = _submit(alice.addr, _ask());
        uint256 since = block.timestamp;
        for (uint256 i; i < 11; ++i) {
            IFeeController.Setting memory s = fees.settingOf(Parameter(i));
            _set(i, (seed >> i) & 1 == 0 ? s.minimum : s.maximum);
        }
        _pass(5);
        bytes memory record = bytes('{"answer":"x"}');
        bytes32 digest = sha256(record);
        vm.prank(node);
        router.settle(t, digest, 317, record);
        assertEq(router.accountOf(alice.addr).credits, 13.3e18);
        assertEq(router.validatorOf(nodeId).validatorLeg, 25.69e18 + 1e18);
        assertEq(router.validatorOf(nodeId).treasuryLeg, 7.34e18);
        assertTrue(router.requestOf(id).callbackFailed);
        vm.warp(since + 85);
        vm.expectRevert();
        router.expire(late);
        vm.warp(since + 86);
        router.expire(late);
        assertEq(router.accountOf(alice.addr).credits, 13.3e18 + 47.5e18);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {Ask, IRouterLog, Outcome, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {HostileConsumer} from "../support/Hostile.sol";
import {Scene} from "../support/Scene.sol";

abstract contract CallbackScene is Scene {
    address internal node;
    uint256 internal nodeId;
    HostileConsumer internal consumer;
    bytes internal record;
    bytes32 internal digest;
    bytes32 internal id;
    Ticket internal ticket;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        consumer = new HostileConsumer(router, nsd, credits);
        vm.prank(bank);
        nsd.transfer(address(consumer), 1_000e18);
        (record, digest) = _record("Paris");
    }

    function _open(address callback, uint32 gas_) internal {
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (callback, gas_);
        Ticket memory opened;
        (id, opened) = _submit(address(consumer), ask);
        ticket = opened;
        _pass(3);
    }

    function _settleWithRecord() internal returns (Outcome memory outcome) {
        vm.recordLogs();
        vm.prank(node);
        router.settle(ticket, digest, 317, record);
        (, outcome,) = _settledIn(vm.getRecordedLogs());
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
    }

    function _retry(Outcome memory outcome) internal {
        vm.prank(bob.addr);
        router.retryCallback(ticket, outcome, record);
    }
}

contract CallbackTest is CallbackScene {
    function test_BringsTheProvenAnswer() public {
        _open(address(consumer), 200_000);
        _settleWithRecord();
        assertEq(string(consumer.answer()), "Paris");
        assertFalse(router.requestOf(id).callbackFailed);
    }

    function test_PaysTheValidatorForTheGas() public {
        _open(address(consumer), 200_000);
        assertEq(nsd.balanceOf(address(consumer)), 1_000e18 - 52e18, "2 NSD beside the payment");
        _settleWithRecord();
        assertEq(router.validatorOf(nodeId).validatorLeg, 25.69e18 + 2e18);
    }

    function test_RevertWhen_TheRecordIsNotTheDigests() public {
        _open(address(consumer), 200_000);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidRecord.selector, id, DIGEST));
        vm.prank(node);
        router.settle(ticket, DIGEST, 317, record);
    }

    function test_RevertWhen_TheRecordIsMissingOrHasNoAnswer() public {
        _open(address(consumer), 200_000);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidRecord.selector, id, digest));
        vm.prank(node);
        router.settle(ticket, digest, 317, "");
        bytes memory other = '{"reply":"Paris"}';
        bytes32 hash = sha256(other);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidRecord.selector, id, hash));
        vm.prank(node);
        router.settle(ticket, hash, 317, other);
    }

    function _survives(HostileConsumer.Mood mood) private returns (Outcome memory outcome) {
        _open(address(consumer), 200_000);
        consumer.become(mood);
        vm.expectEmit(address(router));
        emit IRouterLog.CallbackFailed(id, address(consumer));
        outcome = _settleWithRecord();
        assertTrue(router.requestOf(id).callbackFailed);
        assertEq(router.validatorOf(nodeId).load, 0);
        assertTrue(router.isOutcome(id, outcome));
    }

    function test_AReversionIsRecordedAndRetried() public {
        Outcome memory outcome = _survives(HostileConsumer.Mood.Reverts);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterCallbackFailed.selector, id, consumer));
        _retry(outcome);
        consumer.become(HostileConsumer.Mood.Kind);
        vm.expectEmit(address(router));
        emit IRouterLog.CallbackRetried(id, address(consumer));
        _retry(outcome);
        assertEq(string(consumer.answer()), "Paris");
        assertFalse(router.requestOf(id).callbackFailed);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Completed));
        _retry(outcome);
    }

    function test_BurnsItsOwnGasAlone() public {
        _survives(HostileConsumer.Mood.BurnsGas);
    }

    function test_AMegabyteOfRevertDataIsNotCopied() public {
        _survives(HostileConsumer.Mood.RevertsMuch);
    }

    function test_AMegabyteOfReturnDataIsNotCopied() public {
        _open(address(consumer), 200_000);
        consumer.become(HostileConsumer.Mood.ReturnsMuch);
        uint256 before = gasleft();
        vm.prank(node);
        router.settle(ticket, digest, 317, record);
        assertLt(before - gasleft(), 400_000);
    }

    function test_ReentranceFindsEveryDoorShut() public {
        _open(address(consumer), 200_000);
        consumer.become(HostileConsumer.Mood.Reenters);
        _settleWithRecord();
        assertEq(consumer.received(), 1);
        assertEq(consumer.entered(), 0);
    }

    function test_WithoutCodeItIsSettledAllTheSame() public {
        _open(address(0xDEAD), 50_000);
        Outcome memory outcome = _settleWithRecord();
        assertTrue(router.requestOf(id).callbackFailed);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterCallbackFailed.selector, id, address(0xDEAD)));
        _retry(outcome);
    }

    function test_RevertWhen_AnotherOutcomeIsRetried() public {
        Outcome memory outcome = _survives(HostileConsumer.Mood.Reverts);
        ++outcome.consumed;
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWrongOutcome.selector, id));
        _retry(outcome);
    }

    function test_RevertWhen_ThePromisedRecordIsSwappedInARetry() public {
        Outcome memory outcome = _survives(HostileConsumer.Mood.Reverts);
        (record,) = _record("London");
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidRecord.selector, id, digest));
        _retry(outcome);
    }

    /// @dev With too little gas the whole call reverts: a settlement never comes with a starved callback.
    function testFuzz_StarvedGasNeverLosesTheCallback(uint32 gas_) public {
        _open(address(consumer), 200_000);
        bytes memory data = abi.encodeCall(router.settle, (ticket, digest, 317, record));
        vm.prank(node);
        (bool ok,) = address(router).call{gas: bound(gas_, 50_000, 700_000)}(data);
        assertEq(consumer.received(), ok ? 1 : 0);
        assertEq(uint256(_status(id)), uint256(ok ? RequestStatus.Completed : RequestStatus.Assigned));
    }
}

contract CallbackWithdrawalTest is CallbackScene {
    /// @dev The consumer withdraws from within the callback, when its surplus is in its credits already: it gets what
    /// is its own, once.
    function test_AWithdrawalInsideMovesOwnCreditsOnce() public {
        vm.prank(bank);
        nsd.approve(address(credits), type(uint256).max);
        vm.prank(bank);
        credits.depositFor(address(consumer), 100e18);
        consumer.announceWithdrawal(100e18);
        _pass(15 minutes);
        _open(address(consumer), 300_000);
        consumer.become(HostileConsumer.Mood.Withdraws);
        uint256 wallet = nsd.balanceOf(address(consumer));
        uint256 free = router.accountOf(address(consumer)).credits;
        _settleWithRecord();
        uint256 moved = nsd.balanceOf(address(consumer)) - wallet;
        assertEq(moved, free + 13.3e18);
        assertEq(router.accountOf(address(consumer)).credits, 0);
        assertEq(nsd.headroom(), 36.7e18 + 3e18, "legs, burn and the fee of the callback");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Ask,
    Delivery,
    IInferenceCallback,
    IInferenceRouter,
    IRouterLog,
    Outcome,
    Receipt as Slip,
    RequestStatus,
    Session
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {HostileConsumer} from "../support/Hostile.sol";
import {Lanes} from "../support/Lanes.sol";

/// @notice Every function that moves anything, tried from within a callback.
contract ReentrancyTest is Lanes, IInferenceCallback {
    bytes4 private constant REENTRANT = bytes4(keccak256("ReentrancyGuardReentrantCall()"));

    bytes4[] private _doors;
    uint256 private _shut;

    function setUp() public override {
        super.setUp();
        _doors.push(IInferenceRouter.submit.selector);
        _doors.push(IInferenceRouter.submitFor.selector);
        _doors.push(IInferenceRouter.settle.selector);
        _doors.push(IInferenceRouter.settleFor.selector);
        _doors.push(IInferenceRouter.deliver.selector);
        _doors.push(IInferenceRouter.assign.selector);
        _doors.push(IInferenceRouter.decline.selector);
        _doors.push(IInferenceRouter.fail.selector);
        _doors.push(IInferenceRouter.expire.selector);
        _doors.push(IInferenceRouter.cancel.selector);
        _doors.push(IInferenceRouter.cancelFor.selector);
        _doors.push(IInferenceRouter.retryCallback.selector);
        _doors.push(IInferenceRouter.heartbeat.selector);
        _doors.push(IInferenceRouter.commit.selector);
        _doors.push(IInferenceRouter.reveal.selector);
        _doors.push(IInferenceRouter.forfeit.selector);
        _doors.push(IInferenceRouter.openSession.selector);
        _doors.push(IInferenceRouter.settleSession.selector);
        _doors.push(IInferenceRouter.endSession.selector);
        _doors.push(IInferenceRouter.closeSession.selector);
    }

    /// @dev Zeros are arguments of every one of them: empty bytes, nobody's ticket, an intent of nobody.
    function _knock() private returns (uint256 shut) {
        for (uint256 i; i < _doors.length; ++i) {
            (bool ok, bytes memory reason) = address(router).call(bytes.concat(_doors[i], new bytes(1_024)));
            if (!ok && bytes4(reason) == REENTRANT) ++shut;
        }
    }

    function onInferenceResult(bytes32, RequestStatus, bytes calldata) external {
        _shut = _knock();
    }

    function test_EveryDoorIsShutWithinACallback() public {
        (address node,) = _validator("node", 100_000e18);
        _fund(address(this), 100e18);
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(this), 500_000);
        (bytes32 id, Ticket memory ticket) = _submit(address(this), ask);
        (bytes memory record, bytes32 digest) = _record("Paris");
        vm.prank(node);
        router.settle(ticket, digest, 3, record);
        assertFalse(router.requestOf(id).callbackFailed);
        assertEq(_shut, 20, "all of them, by the guard itself");
        assertEq(_knock(), 0, "outside of a callback none is shut by it");
    }
}

/// @notice With any amount of gas, what is called on the way gets all that it was promised, or nothing happens.
contract GasFloorTest is Lanes {
    address private node;
    HostileConsumer private consumer;
    bytes private record;
    bytes32 private digest;

    function setUp() public override {
        super.setUp();
        (node,) = _validator("node", 100_000e18);
        consumer = new HostileConsumer(router, nsd, credits);
        _fund(address(consumer), 1_000e18);
        _deposit(alice.addr, 2_000e18);
        (record, digest) = _record("Paris");
    }

    function _records() private view returns (uint256 records) {
        (records,,) = router.ledger();
    }

    /// @dev Ever more gas, until the call goes through: some of it reaches for the call and not for what it calls.
    function _untilItPasses(bytes memory data) private {
        uint256 starved;
        uint256 records = _records();
        for (uint256 gas_ = 40_000; gas_ < 2_000_000; gas_ += 4_000) {
            vm.prank(node);
            (bool ok, bytes memory reason) = address(router).call{gas: gas_}(data);
            if (ok) {
                assertGt(starved, 5, "the floor was never seen");
                return;
            }
            if (bytes4(reason) == IRouterLog.RouterGasTooLow.selector) ++starved;
            assertEq(_records(), records, "nothing was settled");
        }
        assertTrue(false, "no amount of gas was enough");
    }

    function _asked() private returns (bytes32 id, Ticket memory ticket) {
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(consumer), 200_000);
        (id, ticket) = _submit(address(consumer), ask);
    }

    function test_RevertWhen_TheCallbackWouldStarve() public {
        (bytes32 id, Ticket memory ticket) = _asked();
        consumer.become(HostileConsumer.Mood.NeedsItsGas);
        _untilItPasses(abi.encodeCall(router.settle, (ticket, digest, 317, record)));
        assertEq(consumer.received(), 1);
        assertFalse(router.requestOf(id).callbackFailed);
    }

    function test_RevertWhen_ARetryWouldStarve() public {
        (bytes32 id, Ticket memory ticket) = _asked();
        consumer.become(HostileConsumer.Mood.Reverts);
        vm.recordLogs();
        vm.prank(node);
        router.settle(ticket, digest, 317, record);
        (, Outcome memory outcome,) = _settledIn(vm.getRecordedLogs());
        consumer.become(HostileConsumer.Mood.NeedsItsGas);
        _untilItPasses(abi.encodeCall(router.retryCallback, (ticket, outcome, record)));
        assertEq(consumer.received(), 1);
        assertFalse(router.requestOf(id).callbackFailed);
    }

    function test_RevertWhen_TheMintsOfADeliveryWouldStarve() public {
        Delivery[] memory items = new Delivery[](2);
        items[0] = _delivery(alice, _direct(alice.addr, 0, node), 10);
        items[1] = _delivery(alice, _direct(alice.addr, 1, node), 10);
        _untilItPasses(abi.encodeCall(router.deliver, (LLAMA7, items)));
        assertEq(lcai.balanceOf(alice.addr), 2e18);
    }

    /// @dev What each of them has from the assigned lane is minted one by one behind the batch: the last is no worse off.
    function test_RevertWhen_AMintOfWhatAccruedWouldStarve() public {
        Person[] memory users = new Person[](8);
        Delivery[] memory items = new Delivery[](8);
        for (uint256 i; i < 8; ++i) {
            users[i] = _user(vm.toString(i));
            _deposit(users[i].addr, 200e18);
            (, Ticket memory t) = _submit(users[i].addr, _ask());
            _settle(node, t, 10);
            items[i] = _delivery(users[i], _direct(users[i].addr, 1, node), 10);
        }
        _untilItPasses(abi.encodeCall(router.deliver, (LLAMA7, items)));
        for (uint256 i; i < 8; ++i) {
            assertEq(lcai.balanceOf(users[i].addr), 2e18);
        }
    }

    function test_RevertWhen_TheMintOfASessionWouldStarve() public {
        Session memory s = _openSession(node);
        Slip memory r = _receipt(3, 15e18);
        bytes memory signature = _sign(alice.key, s, r);
        _untilItPasses(abi.encodeCall(router.settleSession, (s, r, signature)));
        assertEq(lcai.balanceOf(alice.addr), 3e18);
    }
}

contract QuoteTest is Lanes {
    function test_SaysWhatTokensCost() public view {
        assertEq(router.quote(LLAMA7, 450, false), 50e18);
        assertEq(router.quote(LLAMA7, 450, true), 75e18);
        assertEq(router.quote(GPT2, 1, false), 5e18, "5 NSD at least");
        assertEq(router.tokensFor(LLAMA7, 50e18, false), 450);
        assertEq(router.tokensFor(LLAMA7, 5.1e18 - 1, false), 0, "not a token");
        assertEq(router.tokensFor(LLAMA7, type(uint256).max, false), 2_048, "the model's limit");
    }

    function test_RevertWhen_TheModelIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownModel.selector, bytes32("x")));
        router.quote("x", 1, false);
    }

    function test_RevertWhen_TheTokensAreOutOfRange() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 0, 2_048));
        router.quote(LLAMA7, 0, false);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 2_049, 2_048));
        router.quote(LLAMA7, 2_049, false);
        router.quote(LLAMA7, 2_048, false);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Parameter} from "../../../contracts/interfaces/IFeeController.sol";
import {
    Ask,
    FailureClass,
    IRouterLog,
    RequestStatus,
    RequestView
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

abstract contract OpenRequest is Scene {
    address internal node;
    uint256 internal nodeId;
    bytes32 internal id;
    Ticket internal ticket;
    /// When it was assigned.
    uint256 internal since;

    function setUp() public virtual override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        _open();
        since = block.timestamp;
    }

    /// @dev Alice's next request is the one at hand.
    function _open() internal {
        Ticket memory opened;
        (id, opened) = _submit();
        ticket = opened;
    }

    function _tooEarly(uint256 from) internal {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterTooEarly.selector, id, from));
        router.expire(ticket);
    }

    function _failedAs(FailureClass class, uint256 refund) internal view {
        RequestView memory v = router.requestOf(id);
        assertEq(uint256(v.status), uint256(RequestStatus.Failed));
        assertEq(uint256(v.failure), uint256(class));
        assertEq(router.accountOf(alice.addr).credits, refund);
        (uint256 records,, uint256 unretired) = router.ledger();
        assertEq(records, 0, "nothing was completed");
        assertEq(unretired, 50e18 - refund);
        assertEq(router.validatorOf(nodeId).load, 0);
        assertEq(router.validatorOf(nodeId).validatorLeg, 0, "nobody earns from a failure");
    }
}

contract ExpireTest is OpenRequest {
    function test_OfflineGivesAllBack() public {
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.warp(since + 31);
        vm.expectEmit(address(router));
        emit IRouterLog.RequestFailed(id, alice.addr, nodeId, FailureClass.Offline, 50e18, 0);
        vm.prank(bob.addr);
        router.expire(ticket);
        _failedAs(FailureClass.Offline, 50e18);
        // Success fell by an eighth: 44 + 30 + 20 points, and a penalty of 15.
        assertEq(router.validatorOf(nodeId).reputation, 78);
        assertEq(router.validatorOf(nodeId).failed, 1);
    }

    function test_RevertGiven_29Or30Seconds() public {
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.warp(since + 29);
        _tooEarly(since + 31);
        vm.warp(since + 30);
        _tooEarly(since + 31);
    }

    function test_ANodeThatWasSeenIsTimedOut() public {
        vm.warp(since + 20);
        vm.prank(node);
        router.heartbeat();
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.warp(since + 31);
        _tooEarly(since + 86);
        vm.warp(since + 86);
        router.expire(ticket);
        _failedAs(FailureClass.Timeout, 47.5e18);
        assertEq(router.validatorOf(nodeId).reputation, 88);
    }

    function test_AHeartbeatInTheSecondOfTheAssignmentDoesNotCount() public {
        vm.prank(node);
        router.heartbeat();
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.warp(since + 31);
        router.expire(ticket);
        _failedAs(FailureClass.Offline, 50e18);
    }

    function test_RevertGiven_TheClockJumpsWithoutBlocks() public {
        vm.warp(since + 1 days);
        _tooEarly(since + 31);
        vm.roll(block.number + WINDOW_BLOCKS - 1);
        _tooEarly(since + 31);
        vm.roll(block.number + 1);
        router.expire(ticket);
    }

    /// @dev What nobody may end yet can be answered, confessed or declined; afterwards it can only be ended.
    function test_AHaltedChainLeavesTheNodeItsFirstBlocks() public {
        vm.warp(since + 1 days);
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWindowOver.selector, id, since + 85));
        _settle(node, ticket, 10);
        vm.roll(block.number - 1);
        _tooEarly(since + 31);
        _settle(node, ticket, 10);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
    }

    function test_RevertGiven_ItEnded() public {
        _settle(node, ticket, 10);
        _pass(1 days);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Completed));
        router.expire(ticket);
    }

    function test_RevertGiven_ItFailedBefore() public {
        _pass(1 days);
        router.expire(ticket);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Failed);
        vm.expectRevert(reason);
        router.expire(ticket);
        vm.expectRevert(reason);
        vm.prank(node);
        router.settle(ticket, DIGEST, 10, "");
        vm.expectRevert(reason);
        vm.prank(node);
        router.fail(ticket);
    }

    function test_RevertWhen_NobodyAsked() public {
        Ticket memory other = ticket;
        other.promptHash = 0;
        bytes32 unknown = router.requestId(other);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, unknown, RequestStatus.None));
        router.expire(other);
    }

    function test_TheCallbackFeeComesBackWhole() public {
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(0xCA11), 100_000);
        (bytes32 second, Ticket memory t) = _submit(alice.addr, ask);
        vm.prank(node);
        router.fail(t);
        assertEq(uint256(_status(second)), uint256(RequestStatus.Failed));
        assertEq(router.accountOf(alice.addr).credits, 47.5e18 + 1e18);
    }

    function testFuzz_RefundAndForfeitMakeThePayment(uint96 payment) public {
        Ask memory ask = _ask();
        ask.payment = uint96(bound(payment, 6e18, 499e18));
        (bytes32 second, Ticket memory t) = _submit(alice.addr, ask);
        vm.warp(block.timestamp + 1);
        vm.prank(node);
        router.heartbeat();
        _pass(1 hours);
        (,, uint256 unretired) = router.ledger();
        router.expire(t);
        (,, uint256 after_) = router.ledger();
        assertEq(router.accountOf(alice.addr).credits, uint256(ask.payment) * 95 / 100);
        assertEq(router.accountOf(alice.addr).credits + after_ - unretired, ask.payment);
        assertEq(uint256(_status(second)), uint256(RequestStatus.Failed));
    }
}

contract FailTest is OpenRequest {
    function test_ConfessingGives95PercentBack() public {
        vm.prank(node);
        router.fail(ticket);
        _failedAs(FailureClass.Error, 47.5e18);
        assertEq(router.validatorOf(nodeId).reputation, 90);
    }

    function test_EachRepeatWithinADayCostsMore() public {
        vm.prank(node);
        router.fail(ticket);
        uint256 before = router.validatorOf(nodeId).reputation;
        uint256 success = router.validatorOf(nodeId).success;
        (, Ticket memory t) = _submit();
        vm.prank(node);
        router.fail(t);
        uint256 lost = (50 * success + 30 * 255) / 255 - (50 * router.validatorOf(nodeId).success + 30 * 255) / 255;
        assertEq(before - router.validatorOf(nodeId).reputation, lost + 6);
    }

    function test_RevertWhen_SomebodyElseConfesses() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotAssigned.selector, bob.addr, nodeId));
        vm.prank(bob.addr);
        router.fail(ticket);
    }

    function test_RevertGiven_TheWindowIsOver() public {
        vm.warp(since + 86);
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWindowOver.selector, id, since + 85));
        vm.prank(node);
        router.fail(ticket);
    }

    function test_PenaltiesHealWithDays() public {
        vm.prank(node);
        router.fail(ticket);
        assertEq(router.validatorOf(nodeId).reputation, 90);
        for (uint256 day = 1; day < 5; ++day) {
            for (uint256 i; i < 10; ++i) {
                _pass(8_640);
                vm.prank(node);
                router.heartbeat();
            }
            assertEq(router.validatorOf(nodeId).reputation, day < 3 ? 90 + day : 93);
        }
    }

    function testFuzz_ReputationStaysWithinHundred(uint8[24] memory deeds) public {
        for (uint256 i; i < deeds.length; ++i) {
            _pass(uint256(deeds[i]) * 7 + 7);
            (bytes32 next, Ticket memory t) = _submit();
            if (_status(next) != RequestStatus.Assigned) return;
            if (deeds[i] % 3 == 0) {
                vm.prank(node);
                router.fail(t);
            } else if (deeds[i] % 3 == 1) {
                _settle(node, t, 100);
            } else {
                _pass(200);
                router.expire(t);
            }
            assertLe(router.validatorOf(nodeId).reputation, 100);
        }
    }
}

contract QueueTest is Scene {
    bytes32 internal id;
    Ticket internal ticket;

    function setUp() public override {
        super.setUp();
        Ticket memory opened;
        (id, opened) = _submit();
        ticket = opened;
    }

    function test_NoNodeAfterFiveMinutesGivesAllBack() public {
        uint256 since = block.timestamp;
        vm.warp(since + 300);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterTooEarly.selector, id, since + 301));
        router.expire(ticket);
        vm.warp(since + 301);
        router.expire(ticket);
        assertEq(uint256(router.requestOf(id).failure), uint256(FailureClass.NoNode));
        assertEq(router.accountOf(alice.addr).credits, 50e18);
    }

    function test_AnybodyAssignsOnceSomebodyIsFree() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNobodyEligible.selector, id));
        router.assign(ticket);
        (address node, uint256 nodeId) = _validator("node", 5_000e18);
        _pass(10);
        vm.expectEmit(address(router));
        emit IRouterLog.RequestAssigned(id, nodeId);
        vm.prank(bob.addr);
        router.assign(ticket);
        assertEq(router.requestOf(id).since, block.timestamp, "the window begins now");
        _settle(node, ticket, 317);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
    }

    function test_RevertWhen_AssignedTwice() public {
        _validator("node", 5_000e18);
        router.assign(ticket);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Assigned));
        router.assign(ticket);
    }

    function test_TheTermsOfTheSubmissionHold() public {
        vm.startPrank(admin);
        fees.set(Parameter.BaseFee, 10e18);
        fees.set(Parameter.BurnBps, 1_500);
        vm.stopPrank();
        (address node, uint256 nodeId) = _validator("node", 5_000e18);
        router.assign(ticket);
        _settle(node, ticket, 450);
        assertEq(router.validatorOf(nodeId).validatorLeg, 35e18);
        assertEq(router.accountOf(alice.addr).credits, 0);
    }

    function test_AFullNodeTakesNoMore() public {
        _validator("node", 5_000e18);
        router.assign(ticket);
        (bytes32 second,) = _submit();
        (bytes32 third, Ticket memory t) = _submit();
        assertEq(uint256(_status(second)), uint256(RequestStatus.Assigned));
        assertEq(uint256(_status(third)), uint256(RequestStatus.Queued), "two places for 5,000 NST");
        _settle(makeAddr("node"), ticket, 10);
        router.assign(t);
        assertEq(uint256(_status(third)), uint256(RequestStatus.Assigned));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ask, IRouterLog, RequestStatus, RequestView} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Wallet1271} from "../support/Hostile.sol";
import {IPausable} from "../support/Deployment.sol";
import {OpenRequest} from "./Endings.t.sol";

abstract contract CancelledRequest is OpenRequest {
    function _cancel() internal {
        vm.prank(alice.addr);
        router.cancel(ticket);
    }

    function _cancelledWith(uint256 refund) internal view {
        assertEq(uint256(_status(id)), uint256(RequestStatus.Cancelled));
        assertEq(router.accountOf(alice.addr).credits, refund);
        (,, uint256 unretired) = router.ledger();
        assertEq(unretired, 50e18 - refund);
        for (uint256 i = 4; i < 8; ++i) {
            assertEq(router.validatorOf(i).load, 0);
            assertEq(router.validatorOf(i).validatorLeg, 0);
        }
    }
}

contract CancelTest is CancelledRequest {
    function test_TheNodeHasHalfAMinute() public {
        vm.warp(since + 10);
        vm.expectEmit(address(router));
        emit IRouterLog.CancelRequested(id, nodeId, since + 40);
        _cancel();
        RequestView memory v = router.requestOf(id);
        assertEq(uint256(v.status), uint256(RequestStatus.Assigned));
        assertTrue(v.cancelling);
        assertEq(v.since, since + 10);
    }

    function test_HalfComesBackAfterwards() public {
        _cancel();
        _pass(31);
        vm.expectEmit(address(router));
        emit IRouterLog.RequestCancelled(id, alice.addr, nodeId, 25e18, 25e18);
        vm.prank(bob.addr);
        router.expire(ticket);
        _cancelledWith(25e18);
        assertEq(router.validatorOf(nodeId).reputation, 100, "nobody is to blame");
        assertEq(router.validatorOf(nodeId).failed, 0);
    }

    function test_RevertGiven_TheHalfMinuteIsNotOver() public {
        vm.warp(since + 10);
        vm.roll(block.number + 10);
        _cancel();
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.warp(since + 40);
        _tooEarly(since + 41);
        vm.warp(since + 41);
        router.expire(ticket);
    }

    function test_RevertGiven_NoBlocksWentBy() public {
        _cancel();
        vm.warp(since + 1 days);
        _tooEarly(since + 31);
    }

    function test_WhatIsPostedInTimeIsPaid() public {
        vm.warp(since + 60);
        _cancel();
        vm.warp(since + 90);
        _settle(node, ticket, 317);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
        assertEq(router.accountOf(alice.addr).credits, 50e18 - 36.7e18);
        assertEq(router.validatorOf(nodeId).validatorLeg, 25.69e18);
        assertEq(router.validatorOf(nodeId).speed, 100, "its speed was not measured");
        assertFalse(router.requestOf(id).cancelling);
    }

    function test_RevertGiven_ItIsPostedTooLate() public {
        _cancel();
        vm.warp(since + 31);
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWindowOver.selector, id, since + 30));
        vm.prank(node);
        router.settle(ticket, DIGEST, 317, "");
    }

    function test_TheNodeMayLetGoAtOnce() public {
        _cancel();
        vm.prank(node);
        router.fail(ticket);
        _cancelledWith(25e18);
        assertEq(router.validatorOf(nodeId).reputation, 100);
    }

    function test_SoMayOneThatCannotReadIt() public {
        _cancel();
        vm.prank(node);
        router.decline(ticket);
        _cancelledWith(25e18);
    }

    function test_QueuedItEndsAtOnceWithEverything() public {
        vm.prank(node);
        validators.pauseValidator();
        (bytes32 second, Ticket memory t) = _submit(bob.addr, _ask());
        assertEq(uint256(_status(second)), uint256(RequestStatus.Queued));
        uint256 wallet = nsd.balanceOf(bob.addr);
        vm.expectEmit(address(router));
        emit IRouterLog.RequestCancelled(second, bob.addr, 0, 50e18, 0);
        vm.prank(bob.addr);
        router.cancel(t);
        assertEq(uint256(_status(second)), uint256(RequestStatus.Cancelled));
        assertEq(router.accountOf(bob.addr).credits, 50e18);
        assertEq(nsd.balanceOf(bob.addr), wallet);
    }

    function test_OutOfTheQueueAfterADeclineHalfComesBack() public {
        vm.prank(node);
        router.decline(ticket);
        _cancel();
        _cancelledWith(25e18);
    }

    /// @dev Otherwise a cancellation would undo what a failure costs.
    function test_OutOfTheQueueAfterAFailureItsRefundHolds() public {
        _validator("another", 5_000e18);
        vm.prank(makeAddr("another"));
        validators.pauseValidator();
        vm.prank(node);
        router.fail(ticket);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
        _cancel();
        _cancelledWith(47.5e18);
    }

    function test_TheCallbackFeeComesBackWhole() public {
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(0xCA11), 100_000);
        (bytes32 second, Ticket memory t) = _submit(bob.addr, ask);
        vm.prank(bob.addr);
        router.cancel(t);
        _pass(31);
        router.expire(t);
        assertEq(uint256(_status(second)), uint256(RequestStatus.Cancelled));
        assertEq(router.accountOf(bob.addr).credits, 25e18 + 1e18);
    }

    function test_APauseGivesTheNodeItsTimeBack() public {
        _cancel();
        vm.prank(guardian);
        IPausable(address(router)).pauseSettlement(since + 1 hours);
        vm.warp(since + 1 hours);
        vm.roll(block.number + 100);
        _tooEarly(since + 1 hours + 86);
        _settle(node, ticket, 10);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
    }

    function test_RevertWhen_SomebodyElseCancels() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotPayer.selector, bob.addr, alice.addr));
        vm.prank(bob.addr);
        router.cancel(ticket);
    }

    function test_RevertGiven_ItIsCancelled() public {
        _cancel();
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Assigned));
        _cancel();
    }

    /// @dev A user who cancels after the result pays.
    function test_RevertGiven_ItIsAnswered() public {
        _settle(node, ticket, 317);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Completed));
        _cancel();
    }

    function test_RevertGiven_TheWindowIsOver() public {
        vm.warp(since + 86);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWindowOver.selector, id, since + 85));
        _cancel();
        vm.warp(since + 85);
        _cancel();
    }

    function test_RevertGiven_ItEnded() public {
        _cancel();
        _pass(31);
        router.expire(ticket);
        bytes memory reason =
            abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Cancelled);
        vm.expectRevert(reason);
        router.expire(ticket);
        vm.expectRevert(reason);
        _cancel();
        vm.expectRevert(reason);
        vm.prank(node);
        router.settle(ticket, DIGEST, 10, "");
    }
}

contract CancelForTest is CancelledRequest {
    bytes32 private constant TYPE = keccak256("Cancel(bytes32 request,uint64 deadline)");

    function _message(uint256 deadline, uint256 chainId) private view returns (bytes32) {
        return _typed(keccak256(abi.encode(TYPE, id, deadline)), chainId, address(router));
    }

    function _signed(uint256 key, uint256 deadline, uint256 chainId) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _message(deadline, chainId));
        return abi.encodePacked(r, s, v);
    }

    function test_AnybodyBringsTheSignature() public {
        bytes memory signature = _signed(alice.key, since + 60, block.chainid);
        vm.prank(relayer);
        router.cancelFor(ticket, since + 60, signature);
        assertTrue(router.requestOf(id).cancelling);
    }

    function test_AContractWalletCancels() public {
        Wallet1271 wallet = new Wallet1271(address(router), nsd, address(credits), Wallet1271.Mood.Good);
        _fund(address(wallet), 100e18);
        Ticket memory t;
        (id, t) = _submit(address(wallet), _ask());
        ticket = t;
        router.cancelFor(t, since + 60, "anything");
        assertTrue(router.requestOf(id).cancelling);
    }

    function test_RevertWhen_SomebodyElseSigned() public {
        bytes memory signature = _signed(bob.key, since + 60, block.chainid);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr));
        router.cancelFor(ticket, since + 60, signature);
    }

    function test_RevertWhen_SignedForAnotherChain() public {
        bytes memory signature = _signed(alice.key, since + 60, block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr));
        router.cancelFor(ticket, since + 60, signature);
    }

    function test_RevertWhen_TheDeadlineIsAnother() public {
        bytes memory signature = _signed(alice.key, since + 60, block.chainid);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr));
        router.cancelFor(ticket, since + 61, signature);
    }

    function test_RevertGiven_ItExpired() public {
        bytes memory signature = _signed(alice.key, since + 60, block.chainid);
        vm.warp(since + 61);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterExpired.selector, since + 60));
        router.cancelFor(ticket, since + 60, signature);
        vm.warp(since + 60);
        router.cancelFor(ticket, since + 60, signature);
    }
}

/// @notice The operator's signature is as good as its transaction.
contract SettleForTest is OpenRequest {
    bytes32 private constant TYPE = keccak256("Delivery(bytes32 request,bytes32 digest,uint32 tokens)");
    uint256 private operatorKey;

    function setUp() public override {
        super.setUp();
        (, operatorKey) = makeAddrAndKey("node");
    }

    function _signed(uint256 key, bytes32 digest, uint256 tokens) private view returns (bytes memory) {
        bytes32 message = _typed(keccak256(abi.encode(TYPE, id, digest, tokens)), block.chainid, address(router));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, message);
        return abi.encodePacked(r, s, v);
    }

    function test_PaysTheOperatorsValidator() public {
        bytes memory signature = _signed(operatorKey, DIGEST, 317);
        vm.warp(since + 5);
        vm.prank(bob.addr);
        router.settleFor(ticket, DIGEST, 317, "", signature);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
        assertEq(router.validatorOf(nodeId).validatorLeg, 25.69e18);
        assertEq(router.validatorOf(nodeId).lastSeenAt, since + 5);
        assertEq(router.validatorOf(nodeId).load, 0);
        assertEq(router.accountOf(alice.addr).credits, 50e18 - 36.7e18);
        assertEq(router.validatorIdOf(bob.addr), 0, "who brought it is nobody");
    }

    function test_RevertWhen_TheBearerChangesTheTokens() public {
        bytes memory signature = _signed(operatorKey, DIGEST, 317);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, node));
        router.settleFor(ticket, DIGEST, 318, "", signature);
    }

    function test_RevertWhen_TheBearerChangesTheDigest() public {
        bytes memory signature = _signed(operatorKey, DIGEST, 317);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, node));
        router.settleFor(ticket, keccak256("other"), 317, "", signature);
    }

    function test_RevertWhen_TheUserSigned() public {
        bytes memory signature = _signed(alice.key, DIGEST, 317);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, node));
        router.settleFor(ticket, DIGEST, 317, "", signature);
    }

    function test_RevertGiven_NobodyIsAssigned() public {
        vm.prank(node);
        router.decline(ticket);
        bytes memory signature = _signed(operatorKey, DIGEST, 317);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, address(0)));
        router.settleFor(ticket, DIGEST, 317, "", signature);
    }

    function test_RevertGiven_ItIsAnswered() public {
        bytes memory signature = _signed(operatorKey, DIGEST, 317);
        router.settleFor(ticket, DIGEST, 317, "", signature);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Completed));
        router.settleFor(ticket, DIGEST, 317, "", signature);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {FailureClass, IRouterLog, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {IPausable} from "../support/Deployment.sol";
import {Scene} from "../support/Scene.sol";

abstract contract PauseScene is Scene {
    address internal node;
    uint256 internal nodeId;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        _deposit(bob.addr, 1_000e18);
    }

    function _pause(uint256 until) internal {
        vm.prank(guardian);
        IPausable(address(router)).pauseSettlement(until);
    }

    function _pauseIntake(uint256 until) internal {
        vm.prank(guardian);
        IPausable(address(router)).pauseIntake(until);
    }

    function _expectPause(bytes memory reason, uint256 until) internal {
        vm.expectRevert(reason);
        _pause(until);
    }
}

contract PauseSettlementTest is PauseScene {
    function test_RevertWhen_SomebodyElsePauses() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice.addr));
        vm.prank(alice.addr);
        IPausable(address(router)).pauseSettlement(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice.addr));
        vm.prank(alice.addr);
        IPausable(address(router)).pauseIntake(block.timestamp + 1);
    }

    function test_RestsSettlementDeliveryAndConfession() public {
        (, Ticket memory t) = _submit();
        uint256 until = block.timestamp + 1 hours;
        vm.expectEmit(address(router));
        emit IRouterLog.SettlementPaused(until);
        _pause(until);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterSettlementPaused.selector, until);
        vm.startPrank(node);
        vm.expectRevert(reason);
        router.settle(t, DIGEST, 10, "");
        vm.expectRevert(reason);
        router.fail(t);
        vm.stopPrank();
        vm.expectRevert(reason);
        this.chat();
    }

    function chat() external {
        _chat(bob, node);
    }

    function test_MovesTheWindowsBehindItself() public {
        (bytes32 id, Ticket memory t) = _submit();
        uint256 until = block.timestamp + 1 hours;
        vm.warp(block.timestamp + 10);
        _pause(until);
        vm.roll(block.number + 100);
        vm.warp(until);
        // Nobody was seen, so the acknowledgement window would have been over long ago.
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterTooEarly.selector, id, until + 86));
        router.expire(t);
        vm.warp(until + 85);
        _settle(node, t, 10);
    }

    function test_AfterTheMovedWindowItCanBeEnded() public {
        (bytes32 id, Ticket memory t) = _submit();
        uint256 until = block.timestamp + 1 days;
        _pause(until);
        vm.roll(block.number + 100);
        vm.warp(until + 86);
        router.expire(t);
        assertEq(uint256(router.requestOf(id).failure), uint256(FailureClass.Offline));
    }

    function test_EndingItEarlyTimesNobodyOut() public {
        (bytes32 id, Ticket memory t) = _submit();
        _pause(block.timestamp + 1 days);
        _pass(1 hours);
        _pause(0);
        uint256 ended = block.timestamp;
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterTooEarly.selector, id, ended + 86));
        router.expire(t);
        _settle(node, t, 10);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
    }

    function test_OneThatBeganAfterTheWindowReopensNothing() public {
        (bytes32 id, Ticket memory t) = _submit();
        uint256 end = block.timestamp + 85;
        _pass(1 hours);
        _pause(block.timestamp + 1 hours);
        _pass(1 hours);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWindowOver.selector, id, end));
        vm.prank(node);
        router.settle(t, DIGEST, 10, "");
    }

    function test_RevertWhen_LongerThanADay() public {
        uint256 latest = block.timestamp + 1 days;
        _expectPause(abi.encodeWithSelector(IRouterLog.RouterPauseTooLong.selector, latest + 1, latest), latest + 1);
        _pause(latest);
    }

    function test_RevertWhen_Extended() public {
        uint256 until = block.timestamp + 1 hours;
        _pause(until);
        _expectPause(abi.encodeWithSelector(IRouterLog.RouterPauseTooSoon.selector, until + 1 days), until + 1);
    }

    function test_RevertGiven_LessThanADayPassed() public {
        uint256 until = block.timestamp + 1 hours;
        _pause(until);
        vm.warp(until + 1 days - 1);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterPauseTooSoon.selector, until + 1 days);
        _expectPause(reason, block.timestamp + 1);
        vm.warp(until + 1 days);
        _pause(block.timestamp + 1 days);
    }

    function test_RevertGiven_ItWasEndedAndIsToBeginAgain() public {
        _pause(block.timestamp + 1 days);
        _pass(1 hours);
        _pause(0);
        uint256 from = block.timestamp + 1 days;
        _expectPause(abi.encodeWithSelector(IRouterLog.RouterPauseTooSoon.selector, from), block.timestamp + 1);
        _expectPause(abi.encodeWithSelector(IRouterLog.RouterNotPaused.selector), 0);
    }

    /// @dev Whatever a guardian tries, in any day and a half at most one day rests.
    function testFuzz_CannotBeChained(uint32[16] memory waits, uint32[16] memory lengths) public {
        uint256 resting;
        uint256 start = block.timestamp;
        for (uint256 i; i < waits.length; ++i) {
            uint256 step = waits[i] % 20 hours;
            (, uint256 until,) = router.ledger();
            uint256 rest = until > block.timestamp ? until - block.timestamp : 0;
            resting += rest < step ? rest : step;
            vm.warp(block.timestamp + step);
            vm.prank(guardian);
            uint256 to = lengths[i] % 4 == 0 ? 0 : block.timestamp + lengths[i] % 26 hours;
            (bool ok,) = address(router).call(abi.encodeCall(IPausable.pauseSettlement, (to)));
            ok;
        }
        assertLe(resting, (block.timestamp - start) / 2 + 1 days);
    }

    function test_NeverRestsWhatIsTheUsers() public {
        _chat(bob, node);
        vm.prank(bob.addr);
        credits.requestWithdrawal(10e18);
        (, Ticket memory queued) = _queued();
        _pause(block.timestamp + 1 days);
        credits.startClaim(nodeId);
        _pass(2 hours);
        vm.prank(bob.addr);
        credits.withdraw();
        credits.claim(nodeId);
        credits.retire();
        router.expire(queued);
        vm.prank(bob.addr);
        nsd.transfer(alice.addr, 1);
        _deposit(bob.addr, 1);
        vm.prank(bob.addr);
        credits.requestWithdrawal(1);
        vm.prank(bob.addr);
        credits.cancelWithdrawal();
        vm.prank(node);
        router.heartbeat();
    }

    function _queued() private returns (bytes32, Ticket memory) {
        vm.prank(node);
        validators.pauseValidator();
        return _submit();
    }

    function test_ChangesNoBalance() public {
        (, Ticket memory t) = _submit();
        uint256 before = router.accountOf(alice.addr).credits;
        uint256 headroom = nsd.headroom();
        _pause(block.timestamp + 1 days);
        _pauseIntake(block.timestamp + 1 days);
        assertEq(router.accountOf(alice.addr).credits, before);
        assertEq(nsd.headroom(), headroom);
        assertEq(uint256(_status(router.requestId(t))), uint256(RequestStatus.Assigned));
    }
}

contract PauseIntakeTest is PauseScene {
    function submitOne() external {
        _submit();
    }

    function test_RestsSubmissionsAlone() public {
        (, Ticket memory t) = _submit();
        uint256 until = block.timestamp + 1 hours;
        vm.expectEmit(address(router));
        emit IRouterLog.IntakePaused(until);
        _pauseIntake(until);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterIntakePaused.selector, until));
        vm.prank(alice.addr);
        router.submit(_ask(), "");
        _settle(node, t, 10);
        _chat(bob, node);
    }

    function test_OpensAgainWhenSomebodyPushes() public {
        uint256 until = block.timestamp + 1 hours;
        _pauseIntake(until);
        models.pushOffers();
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterIntakePaused.selector, until));
        vm.prank(alice.addr);
        router.submit(_ask(), "");
        vm.warp(until);
        vm.prank(bob.addr);
        models.pushOffers();
        _submit();
    }

    function test_RevertWhen_ChainedOrTooLong() public {
        uint256 latest = block.timestamp + 1 days;
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPauseTooLong.selector, latest + 1, latest));
        _pauseIntake(latest + 1);
        _pauseIntake(latest);
        _pauseIntake(0);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPauseTooSoon.selector, latest));
        _pauseIntake(latest);
    }

    function test_RevertWhen_ExtendedOrEndedTwice() public {
        uint256 until = block.timestamp + 1 hours;
        _pauseIntake(until);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPauseTooSoon.selector, until + 1 days));
        _pauseIntake(until + 1);
        vm.warp(until + 2 days);
        vm.expectRevert(IRouterLog.RouterNotPaused.selector);
        _pauseIntake(block.timestamp);
        _pauseIntake(block.timestamp + 1);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FailureClass, IRouterLog, RequestStatus, RequestView} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {IPausable} from "../support/Deployment.sol";
import {OpenRequest} from "./Endings.t.sol";

contract DeclineTest is OpenRequest {
    function _decline() private returns (uint256 declined) {
        declined = router.requestOf(id).validator;
        address operator = router.validatorOf(declined).operator;
        vm.prank(operator);
        router.decline(ticket);
    }

    function _more(uint256 n) private {
        for (uint256 i; i < n; ++i) {
            _validator(string.concat("another", vm.toString(i)), 100_000e18);
        }
    }

    function test_AnotherNodeGetsIt() public {
        _more(1);
        vm.expectEmit(address(router));
        emit IRouterLog.RequestDeclined(id, nodeId);
        _decline();
        RequestView memory v = router.requestOf(id);
        assertEq(uint256(v.status), uint256(RequestStatus.Assigned));
        assertNotEq(v.validator, nodeId);
        assertEq(v.attempts, 2);
        assertEq(v.since, block.timestamp, "there is no backoff");
        assertEq(router.validatorOf(nodeId).load, 0);
        assertEq(router.validatorOf(v.validator).load, 1);
    }

    function test_TheNextNodeIsPaidAsIfItWereTheFirst() public {
        _more(1);
        _decline();
        address next = router.validatorOf(router.requestOf(id).validator).operator;
        _settle(next, ticket, 317);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
        assertEq(router.accountOf(alice.addr).credits, 50e18 - 36.7e18);
    }

    function test_AloneItIsQueuedAndComesBackInFull() public {
        _decline();
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNobodyEligible.selector, id));
        router.assign(ticket);
        vm.warp(block.timestamp + 301);
        router.expire(ticket);
        _failedAs(FailureClass.NoNode, 50e18);
    }

    function test_TheThirdEndsItWithHalf() public {
        _more(3);
        uint256 first = _decline();
        uint256 second = _decline();
        uint256 third = router.requestOf(id).validator;
        assertTrue(first != second && second != third && first != third, "never the same twice");
        _decline();
        _failedAs(FailureClass.BadPrompt, 25e18);
        assertEq(router.validatorOf(third).load, 0);
    }

    function test_NobodyLosesReputation() public {
        _more(3);
        _decline();
        _decline();
        _decline();
        for (uint256 i = 4; i < 8; ++i) {
            assertEq(router.validatorOf(i).reputation, 100);
            assertEq(router.validatorOf(i).failed, 0);
        }
    }

    /// @dev The queue does not forget who declined.
    function test_TheQueueGivesItToANewcomerAlone() public {
        _decline();
        (, uint256 newcomer) = _validator("newcomer", 5_000e18);
        router.assign(ticket);
        assertEq(router.requestOf(id).validator, newcomer);
        assertEq(router.requestOf(id).attempts, 2);
    }

    function test_RevertWhen_TheSenderIsNotAssigned() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotAssigned.selector, bob.addr, nodeId));
        vm.prank(bob.addr);
        router.decline(ticket);
    }

    function test_RevertGiven_TheWindowIsOver() public {
        uint256 endsAt = since + 60 + uint256(500) / 20;
        vm.warp(endsAt + 1);
        vm.roll(block.number + WINDOW_BLOCKS);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWindowOver.selector, id, endsAt));
        vm.prank(node);
        router.decline(ticket);
    }

    function test_RevertGiven_ItIsAnswered() public {
        _settle(node, ticket, 10);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Completed));
        vm.prank(node);
        router.decline(ticket);
    }

    function test_RevertGiven_SettlementIsPaused() public {
        uint256 until = block.timestamp + 1 minutes;
        vm.prank(guardian);
        IPausable(address(router)).pauseSettlement(until);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterSettlementPaused.selector, until));
        vm.prank(node);
        router.decline(ticket);
    }
}

/// @notice Declining what others could answer costs points, but a stranger who sends what nobody can read takes few.
contract DeclineQuotaTest is OpenRequest {
    function setUp() public override {
        super.setUp();
        _twoIdle();
    }

    function _declineOne() private {
        vm.prank(node);
        router.decline(ticket);
        vm.prank(alice.addr);
        router.cancel(ticket);
        _pass(7);
        _open();
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
    }

    function _points() private view returns (uint256) {
        return router.validatorOf(nodeId).reputation;
    }

    function test_EightADayAreFree() public {
        for (uint256 i; i < 8; ++i) {
            _declineOne();
        }
        assertEq(_points(), 100);
        _declineOne();
        assertEq(_points(), 99);
    }

    function test_NeverMoreThanFivePointsADay() public {
        for (uint256 i; i < 40; ++i) {
            _declineOne();
        }
        assertEq(_points(), 95);
        assertEq(router.validatorOf(nodeId).failed, 0);
        assertEq(router.validatorOf(nodeId).success, 255, "no answer failed");
    }

    /// @dev Answers so many, declines eight and `earned` for nothing, and pays for the next.
    function _declinesAfter(uint256 answers, uint256 earned) private {
        _declineOne();
        for (uint256 i; i < answers; ++i) {
            _settle(node, ticket, 1);
            _pass(7);
            _open();
        }
        for (uint256 i = 1; i < 8 + earned; ++i) {
            _declineOne();
        }
        assertEq(_points(), 100);
        _declineOne();
        assertEq(_points(), 99);
    }

    function test_EachTenAnswersOfTheDayEarnAnother() public {
        _declinesAfter(20, 2);
    }

    function test_NineAnswersEarnNothing() public {
        _declinesAfter(29, 2);
    }

    /// @dev The count of a day's declines has eight bits, and stays where they end.
    function test_HoweverManyTheyAreTheDayIsNotBegunAnew() public {
        for (uint256 i; i < 270; ++i) {
            _declineOne();
        }
        assertEq(_points(), 95);
    }

    function test_ANewDayBeginsAnew() public {
        for (uint256 i; i < 9; ++i) {
            _declineOne();
        }
        assertEq(_points(), 99);
        for (uint256 i; i < 10; ++i) {
            _pass(8_650);
            vm.prank(node);
            router.heartbeat();
        }
        assertEq(_points(), 100, "a point heals in a day");
        _open();
        for (uint256 i; i < 8; ++i) {
            _declineOne();
        }
        assertEq(_points(), 100);
    }
}

contract RelaxTest is OpenRequest {
    function _again() private {
        _fund(alice.addr, 50e18);
        _open();
    }

    function _beat() private {
        vm.prank(node);
        router.heartbeat();
    }

    /// @dev The way back from suspension: time without a failure.
    function test_AFortnightMakesUpForAnyHistory() public {
        vm.prank(node);
        router.fail(ticket);
        for (uint256 i; i < 12; ++i) {
            _pass(61);
            _again();
            if (router.requestOf(id).status != RequestStatus.Assigned) break;
            vm.prank(node);
            router.fail(ticket);
        }
        assertLt(router.validatorOf(nodeId).reputation, 50, "suspended");
        for (uint256 day; day < 100; ++day) {
            for (uint256 i; i < 9; ++i) {
                _pass(9_600);
                _beat();
            }
        }
        assertGe(router.validatorOf(nodeId).reputation, 90);
        assertEq(router.validatorOf(nodeId).success, 255);
        _again();
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
    }

    /// @dev Three points are healed on the third day; the average goes on to rise until the fortnight is over.
    function test_TheAverageRelaxesBeyondThePoints() public {
        vm.prank(node);
        router.fail(ticket);
        uint256 failedAt = block.timestamp;
        assertEq(router.validatorOf(nodeId).success, 223);
        vm.warp(failedAt + 4 days);
        _beat();
        assertEq(router.validatorOf(nodeId).success, 223);
        vm.warp(failedAt + 13 days);
        _beat();
        assertEq(router.validatorOf(nodeId).success, 255 * uint256(13) / 14);
    }
}

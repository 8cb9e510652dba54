// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Parameter} from "../../../contracts/interfaces/IFeeController.sol";
import {FailureClass, IRouterLog, RequestStatus, RequestView} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {OpenRequest} from "./Endings.t.sol";

/// @notice Up to three attempts, each with another validator.
contract AttemptsTest is OpenRequest {
    function _more(uint256 n) internal {
        for (uint256 i; i < n; ++i) {
            _validator(string.concat("another", vm.toString(i)), 100_000e18);
        }
    }

    function _holder() internal view returns (uint256 validator, address operator) {
        validator = router.requestOf(id).validator;
        operator = router.validatorOf(validator).operator;
    }

    function _confess() internal returns (uint256 validator) {
        address operator;
        (validator, operator) = _holder();
        vm.prank(operator);
        router.fail(ticket);
    }

    function test_TheNextNodeGetsItASecondLater() public {
        _more(1);
        vm.warp(since + 10);
        vm.expectEmit(address(router));
        emit IRouterLog.AttemptFailed(id, nodeId, FailureClass.Error);
        _confess();
        RequestView memory v = router.requestOf(id);
        assertEq(uint256(v.status), uint256(RequestStatus.Assigned));
        assertEq(v.validator, nodeId + 1);
        assertEq(v.attempts, 2);
        assertEq(uint256(v.failure), uint256(FailureClass.Error), "what went wrong last");
        assertEq(v.since, since + 11, "its windows begin after a backoff of a second");
        assertEq(router.accountOf(alice.addr).credits, 0, "nothing comes back yet");
        assertEq(router.validatorOf(nodeId).load, 0);
        assertEq(router.validatorOf(nodeId + 1).load, 1);
        assertEq(router.earlierOf(id).length, 1);
        assertEq(router.earlierOf(id)[0], nodeId);
    }

    function test_TheThirdAttemptBeginsTwoSecondsLater() public {
        _more(2);
        _confess();
        vm.warp(since + 20);
        _confess();
        assertEq(router.requestOf(id).since, since + 22);
        assertEq(router.requestOf(id).attempts, 3);
    }

    function test_WithinTheBackoffItMayBeAnswered() public {
        _more(1);
        _confess();
        (uint256 next, address operator) = _holder();
        _settle(operator, ticket, 317);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
        assertEq(router.validatorOf(next).speed, 100, "no time passed");
        assertEq(router.accountOf(alice.addr).credits, 50e18 - 36.7e18);
    }

    function test_OfflineOrTimeoutGoesOnToo() public {
        _more(2);
        _pass(31);
        vm.expectEmit(address(router));
        emit IRouterLog.AttemptFailed(id, nodeId, FailureClass.Offline);
        router.expire(ticket);
        (uint256 second, address operator) = _holder();
        _pass(10);
        vm.prank(operator);
        router.heartbeat();
        _pass(100);
        vm.expectEmit(address(router));
        emit IRouterLog.AttemptFailed(id, second, FailureClass.Timeout);
        router.expire(ticket);
        assertEq(router.requestOf(id).attempts, 3);
        assertEq(router.validatorOf(nodeId).failed, 1);
        assertEq(router.validatorOf(second).failed, 1);
    }

    /// @dev 100 % for the first and the second alone would say; the third was there and did not answer.
    function test_TheLastClassDecides() public {
        _more(3);
        (uint256 first,) = _holder();
        _pass(31);
        router.expire(ticket);
        (uint256 second,) = _holder();
        _pass(33);
        router.expire(ticket);
        (uint256 third,) = _holder();
        _confess();
        _failedAs(FailureClass.Error, 47.5e18);
        assertEq(router.requestOf(id).validator, third);
        uint256[] memory earlier = router.earlierOf(id);
        assertEq(earlier.length, 2);
        assertEq(earlier[0], first);
        assertEq(earlier[1], second);
    }

    function test_ThreeThatWereNeverSeenGiveAllBack() public {
        _more(5);
        for (uint256 i; i < 3; ++i) {
            assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
            _pass(40);
            router.expire(ticket);
        }
        _failedAs(FailureClass.Offline, 50e18);
    }

    function test_NeverTheSameTwice() public {
        _more(2);
        uint256 first = _confess();
        uint256 second = _confess();
        uint256 third = _confess();
        assertTrue(first != second && second != third && first != third);
        _failedAs(FailureClass.Error, 47.5e18);
    }

    function test_WhereNobodyElseServesItEndsAtOnce() public {
        _confess();
        _failedAs(FailureClass.Error, 47.5e18);
    }

    function test_WhereTheOthersAreBusyItWaits() public {
        _more(1);
        vm.prank(makeAddr("another0"));
        validators.pauseValidator();
        _pass(40);
        router.expire(ticket);
        RequestView memory v = router.requestOf(id);
        assertEq(uint256(v.status), uint256(RequestStatus.Queued));
        assertEq(uint256(v.failure), uint256(FailureClass.Offline));
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNobodyEligible.selector, id));
        router.assign(ticket);
        vm.prank(makeAddr("another0"));
        validators.resumeValidator();
        router.assign(ticket);
        assertEq(router.requestOf(id).validator, nodeId + 1);
        assertEq(router.requestOf(id).attempts, 2);
    }

    function test_WhoWaitsInVainGetsWhatTheLastFailureGives() public {
        _more(1);
        vm.prank(makeAddr("another0"));
        validators.pauseValidator();
        _confess();
        uint256 queuedAt = block.timestamp;
        vm.warp(queuedAt + 300);
        _tooEarly(queuedAt + 301);
        vm.warp(queuedAt + 301);
        router.expire(ticket);
        _failedAs(FailureClass.Error, 47.5e18);
    }

    function test_AfterAFailureADeclineKeepsItsClass() public {
        _more(2);
        _confess();
        for (uint256 i; i < 2; ++i) {
            (, address operator) = _holder();
            vm.prank(operator);
            router.decline(ticket);
        }
        _failedAs(FailureClass.Error, 47.5e18);
    }

    function test_TheTermsOfTheSubmissionHoldForEveryAttempt() public {
        _more(1);
        _confess();
        vm.prank(admin);
        fees.set(Parameter.BaseFee, 20e18);
        (uint256 next, address operator) = _holder();
        _settle(operator, ticket, 317);
        assertEq(router.validatorOf(next).validatorLeg, 25.69e18);
        assertEq(router.accountOf(alice.addr).credits, 50e18 - 36.7e18);
    }

    function test_RevertWhen_AnEarlierNodeAnswers() public {
        _more(1);
        _confess();
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotAssigned.selector, node, nodeId + 1));
        vm.prank(node);
        router.settle(ticket, DIGEST, 10, "");
    }

    function testFuzz_EveryHistoryEndsWithinThreeAttempts(uint256 seed) public {
        _more(1 + seed % 4);
        for (uint256 step; step < 12; ++step) {
            RequestStatus status = _status(id);
            if (status != RequestStatus.Assigned && status != RequestStatus.Queued) break;
            uint256 deed = (seed >> (8 + 4 * step)) % 4;
            (, address operator) = _holder();
            if (status == RequestStatus.Queued) {
                _pass(301);
                router.expire(ticket);
            } else if (deed == 0) {
                vm.prank(operator);
                router.fail(ticket);
            } else if (deed == 1) {
                vm.prank(operator);
                router.decline(ticket);
            } else {
                _pass(deed == 2 ? 40 : 3_600);
                router.expire(ticket);
            }
            assertLe(router.requestOf(id).attempts, 3);
        }
        assertEq(uint256(_status(id)), uint256(RequestStatus.Failed));
        (,, uint256 unretired) = router.ledger();
        assertEq(router.accountOf(alice.addr).credits + unretired, 50e18);
        for (uint256 i = 4; i < 9; ++i) {
            assertEq(router.validatorOf(i).load, 0);
        }
    }
}

/// @notice What comes back falls for a user whose requests fail again and again within a day.
contract RefundDecayTest is OpenRequest {
    function _fault() private returns (uint256 refund) {
        uint256 before = router.accountOf(alice.addr).credits;
        vm.prank(node);
        router.fail(ticket);
        refund = router.accountOf(alice.addr).credits - before;
    }

    function _again() private {
        // A suspended node would queue it.
        vm.prank(node);
        router.heartbeat();
        uint256 credits_ = router.accountOf(alice.addr).credits;
        if (credits_ < 50e18) _deposit(alice.addr, 50e18 - credits_);
        _open();
    }

    function test_95Then90Then85() public {
        assertEq(_fault(), 47.5e18);
        _again();
        assertEq(_fault(), 45e18);
        _again();
        assertEq(_fault(), 42.5e18);
        _again();
        assertEq(_fault(), 42.5e18, "the fourth as the third");
    }

    function test_ADayLaterItIs95Again() public {
        _fault();
        vm.warp(block.timestamp + 1 days);
        _again();
        assertEq(_fault(), 45e18, "24 hours to the second count");
        vm.warp(block.timestamp + 1 days + 1);
        _again();
        assertEq(_fault(), 47.5e18);
    }

    function test_OnlyTheLastDayCounts() public {
        _fault();
        vm.warp(block.timestamp + 20 hours);
        _again();
        _fault();
        vm.warp(block.timestamp + 20 hours);
        _again();
        assertEq(_fault(), 45e18, "the first is 40 hours old");
    }

    function test_OfflineNeverFalls() public {
        _fault();
        _again();
        _fault();
        _again();
        uint256 before = router.accountOf(alice.addr).credits;
        _pass(40);
        router.expire(ticket);
        assertEq(router.accountOf(alice.addr).credits - before, 50e18);
    }

    function test_BobsFaultsAreHisOwn() public {
        _fault();
        _deposit(bob.addr, 50e18);
        vm.prank(node);
        router.heartbeat();
        (bytes32 his, Ticket memory t) = _submit(bob.addr, _ask());
        vm.prank(node);
        router.fail(t);
        assertEq(uint256(_status(his)), uint256(RequestStatus.Failed));
        assertEq(router.accountOf(bob.addr).credits, 47.5e18);
    }
}

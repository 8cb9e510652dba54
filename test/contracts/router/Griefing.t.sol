// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Ask,
    FailureClass,
    IRouterLog,
    RequestStatus,
    ValidatorView
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Session} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Lanes} from "../support/Lanes.sol";
import {Drawing} from "./Selection.t.sol";

/// @notice What somebody could do to others for little or nothing, and what it comes to.
contract Griefed is Lanes {
    address internal node;
    uint256 internal nodeId;

    function setUp() public virtual override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
    }

    function _small() internal pure returns (Ask memory ask) {
        ask = _ask();
        (ask.payment, ask.maxTokens) = (5.1e18, 1);
    }

    /// @dev A request whose prompt is on chain.
    function _publish() internal returns (bytes32 id, Ticket memory t) {
        Ask memory ask = _ask();
        ask.promptHash = keccak256(abi.encodePacked(bytes32(0), bytes("What is 2 + 2?")));
        t = _ticketOf(alice.addr, ask, router.accountOf(alice.addr).nonce);
        vm.prank(alice.addr);
        id = router.submit(ask, "What is 2 + 2?");
    }

    function _declineAll(bytes32 id, Ticket memory t) internal {
        while (router.requestOf(id).status == RequestStatus.Assigned) {
            address operator = router.validatorOf(router.requestOf(id).validator).operator;
            vm.prank(operator);
            router.decline(t);
        }
    }

    /// @dev So many prompts that all can read are declined, and taken back.
    function _decline(uint256 prompts) internal {
        for (uint256 i; i < prompts; ++i) {
            (bytes32 id, Ticket memory t) = _publish();
            _declineAll(id, t);
            vm.prank(alice.addr);
            router.cancel(t);
            _pass(7);
        }
    }
}

contract PublishedPromptTest is Griefed {
    function test_ThreeDeclinesGiveAllBack() public {
        _validator("second", 100_000e18);
        _validator("third", 100_000e18);
        (bytes32 id, Ticket memory t) = _publish();
        _declineAll(id, t);
        assertEq(uint256(router.requestOf(id).failure), uint256(FailureClass.NoNode));
        assertEq(router.accountOf(alice.addr).credits, 50e18, "nobody is robbed by declining");
    }

    function test_InTheQueueAllComesBackToo() public {
        (bytes32 id, Ticket memory t) = _publish();
        _declineAll(id, t);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
        uint256 state = vm.snapshotState();
        vm.prank(alice.addr);
        router.cancel(t);
        assertEq(router.accountOf(alice.addr).credits, 50e18);
        vm.revertToState(state);
        _pass(301);
        router.expire(t);
        assertEq(router.accountOf(alice.addr).credits, 50e18);
    }

    /// @dev Junk can be published as well as withheld: neither takes a node out.
    function test_DecliningJunkCostsNoMore() public {
        _twoIdle();
        _decline(60);
        assertEq(router.validatorOf(nodeId).reputation, 95);
    }

    function test_WhereFewServeDecliningCostsNothing() public {
        for (uint256 i; i < 60; ++i) {
            (, Ticket memory t) = _submit(bob.addr, _small());
            vm.prank(node);
            router.decline(t);
            vm.prank(bob.addr);
            router.cancel(t);
            _pass(7);
        }
        assertEq(router.validatorOf(nodeId).reputation, 100);
    }
}

contract OutageTest is Griefed {
    /// @dev However many were open: thirty points, and what the success average lost.
    function test_OneOutageCostsThirtyPoints() public {
        Ticket[] memory tickets = new Ticket[](4);
        for (uint256 i; i < 4; ++i) {
            (, tickets[i]) = _submit(bob.addr, _small());
        }
        _pass(31);
        for (uint256 i; i < 4; ++i) {
            router.expire(tickets[i]);
        }
        // Four failures leave 148 of 255 of the success average: 29 of its 50 parts, and 79 in all, less thirty.
        assertEq(router.validatorOf(nodeId).reputation, 49);
        _beat(3 * 8);
        assertGe(router.validatorOf(nodeId).reputation, 50, "three days later it works again");
    }

    function test_TheNextDayCountsAnew() public {
        (, Ticket memory t) = _submit(bob.addr, _small());
        (, Ticket memory u) = _submit(bob.addr, _small());
        _pass(31);
        router.expire(t);
        router.expire(u);
        uint256 before = router.validatorOf(nodeId).reputation;
        (, t) = _submit(bob.addr, _small());
        _pass(31);
        router.expire(t);
        assertGe(router.validatorOf(nodeId).reputation + 6, before, "the success average alone");
        _beat(9);
        before = router.validatorOf(nodeId).reputation;
        (, t) = _submit(bob.addr, _small());
        _pass(31);
        router.expire(t);
        assertLe(router.validatorOf(nodeId).reputation + 15, before, "fifteen points");
    }

    /// @dev A point a day does not stop the healing of a point a day.
    function test_HealingGoesOnBetweenPenalties() public {
        _twoIdle();
        _missOne();
        for (uint256 day; day < 10; ++day) {
            // Eight a day are free, so the ninth costs a point.
            _decline(9);
            // A little less than a day between one ninth decline and the next.
            _beat(8);
            _pass(1 days - 8 * 10_125 + 5_400);
        }
        _beat(1);
        // One failure leaves 93 by the averages; 15 points, and one each for ten days, of which ten healed.
        assertEq(router.validatorOf(nodeId).reputation, 93 - 15);
    }

    /// @dev A request that the node did not answer, so fifteen points.
    function _missOne() private {
        (, Ticket memory t) = _submit(bob.addr, _small());
        _pass(31);
        router.expire(t);
        vm.prank(bob.addr);
        router.cancel(t);
    }

    function _serve(uint256 requests) private {
        for (uint256 i; i < requests; ++i) {
            (, Ticket memory t) = _submit(bob.addr, _small());
            _settle(node, t, 1);
            _pass(7);
        }
    }

    /// @dev Forty answers make the average perfect again, and heal two of fifteen points: the rest stays.
    function test_PerfectAnswersDoNotForgiveTheRest() public {
        _twoIdle();
        _missOne();
        _serve(40);
        ValidatorView memory seen = router.validatorOf(nodeId);
        assertEq(seen.success, 255);
        assertEq(seen.reputation, 100 - 15 + 2);
        _serve(1);
        assertEq(router.validatorOf(nodeId).reputation, 100 - 15 + 2);
    }

    /// @dev Twenty requests heal a point, whether a penalty falls between the nineteenth and the twentieth or behind it.
    function test_HealingByRequestsGoesOnBetweenPenalties() public {
        _twoIdle();
        _missOne();
        _serve(19);
        _beat(9);
        uint256 snapshot = vm.snapshotState();
        _serve(1);
        _decline(9);
        uint256 behind = router.validatorOf(nodeId).reputation;
        vm.revertToState(snapshot);
        _decline(9);
        _serve(1);
        assertEq(router.validatorOf(nodeId).reputation, behind);
    }

    function test_NobodyIsOfflineWhileAPauseKeepsItFromSettling() public {
        (bytes32 id, Ticket memory t) = _submit();
        _pass(40); // past the acknowledgement, within the execution window
        uint256 until = block.timestamp + 1 hours;
        _pauseSettlement(until);
        uint256 overdue = router.overdueFrom(t);
        assertGt(overdue, until);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterTooEarly.selector, id, overdue));
        router.expire(t);
        vm.warp(until);
        _settle(node, t, 10);
    }

    function test_AnAcknowledgementWithinTheBackoffCounts() public {
        (address other, uint256 otherId) = _validator("other", 100_000e18);
        (, Ticket memory t) = _submit();
        bytes32 id = router.requestId(t);
        bool mine = router.requestOf(id).validator == nodeId;
        vm.prank(mine ? node : other);
        router.fail(t);
        uint256 since = router.requestOf(id).since;
        assertEq(since, block.timestamp + 1, "its windows begin after the backoff");
        vm.warp(since);
        vm.roll(block.number + 1);
        vm.prank(mine ? other : node);
        router.heartbeat();
        assertEq(router.overdueFrom(t), since + 60 + 25 + 1, "the execution window, not the acknowledgement");
        assertEq(router.requestOf(id).validator, mine ? otherId : nodeId);
    }

    function _beat(uint256 slots) private {
        for (uint256 i; i < slots; ++i) {
            _pass(10_125);
            vm.prank(node);
            router.heartbeat();
        }
    }
}

contract SessionWindowTest is Griefed {
    function test_ReceiptsLeaveTheWindowAsItWas() public {
        _deposit(alice.addr, CAP);
        Session memory s = _openSession(node);
        uint256 before = router.validatorOf(nodeId).capacity;
        for (uint256 i = 1; i <= 8; ++i) {
            _settleSession(s, i, i * 5e18);
        }
        assertEq(router.validatorOf(nodeId).capacity, before);
        assertEq(router.validatorOf(nodeId).completed, 8);
    }
}

contract PrivateCallbackTest is Griefed {
    function test_RevertWhen_APrivateRequestNamesACallback() public {
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas, ask.isPrivate) = (address(0xCA11), 100_000, true);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidCallback.selector, address(0xCA11), 100_000));
        vm.prank(alice.addr);
        router.submit(ask, "");
    }
}

contract TieTest is Drawing {
    /// @dev Bits that tell the equals of one row apart tell nothing of the other.
    function test_RowsOfEqualsShareAlike() public {
        _seat(_equal(16, 100));
        uint256[] memory wins = _tally(2_400, 16);
        for (uint256 place; place < 4; ++place) {
            uint256 row;
            for (uint256 i; i < 4; ++i) {
                row += wins[4 + 4 * place + i];
            }
            // 600 each, give or take five deviations of 21.
            assertApproxEqAbs(row, 600, 105);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouterLog} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

contract HeartbeatTest is Scene {
    address internal node;
    uint256 internal nodeId;
    uint256 internal constant SLOT = 10_125;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
    }

    function _beat() private {
        vm.prank(node);
        router.heartbeat();
    }

    function test_ShowsThatTheNodeLives() public {
        _pass(1_000);
        _beat();
        assertEq(router.validatorOf(nodeId).lastSeenAt, block.timestamp);
    }

    function test_RevertWhen_TheSenderOperatesNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, alice.addr));
        vm.prank(alice.addr);
        router.heartbeat();
    }

    function test_ABeatEachSlotKeepsUptimeWhole() public {
        for (uint256 i; i < 40; ++i) {
            _pass(SLOT);
            _beat();
        }
        assertEq(router.validatorOf(nodeId).uptime, 255);
        assertEq(router.validatorOf(nodeId).reputation, 100);
    }

    /// @dev Of 256 slots, each fully missed one is gone: 30 days are 256 slots.
    function testFuzz_MissedSlotsCountAgainstIt(uint16 away) public {
        uint256 slots = bound(away, 1, 255);
        vm.warp((block.timestamp / SLOT + slots) * SLOT);
        _beat();
        assertEq(router.validatorOf(nodeId).uptime, (256 - (slots - 1)) * 255 / 256);
    }

    function test_ThirtyDaysAwayLeaveOneSlot() public {
        _pass(31 days);
        _beat();
        assertEq(router.validatorOf(nodeId).uptime, 255 / uint256(256));
        assertEq(router.validatorOf(nodeId).reputation, 70);
    }

    function test_Below95PercentThereIsNoBonus() public {
        // 13 of 256 slots missed are 94.9 %.
        vm.warp((block.timestamp / SLOT + 14) * SLOT);
        _beat();
        assertEq(router.validatorOf(nodeId).reputation, 89);
    }

    function test_WorkCountsAsBeingSeen() public {
        (, Ticket memory t) = _submit();
        _pass(10);
        _settle(node, t, 10);
        assertEq(router.validatorOf(nodeId).lastSeenAt, block.timestamp);
        _deposit(alice.addr, 100e18);
        _pass(10);
        _chat(alice, node);
        assertEq(router.validatorOf(nodeId).lastSeenAt, block.timestamp);
    }

    function test_ProbationEndsByWorkPayersAndTime() public {
        for (uint256 i; i < 50; ++i) {
            (, Ticket memory t) = _submit(_user(vm.toString(i % 25)).addr, _ask());
            _settle(node, t, 10);
        }
        assertTrue(router.validatorOf(nodeId).probation, "seven days are not over");
        _pass(7 days);
        _beat();
        assertFalse(router.validatorOf(nodeId).probation);
    }

    function _answer(uint256 payer) private {
        address user = address(uint160(payer));
        _fund(user, 50e18);
        (, Ticket memory t) = _submit(user, _ask());
        _settle(node, t, 10);
    }

    /// @dev Requests of so many payers, each with a bit of its own in the sketch of fifteen.
    function _work(uint256 requests, uint256 payers) private {
        for (uint256 i; i < requests; ++i) {
            _answer(15_000_000 + i % payers);
        }
    }

    function _onProbation() private view returns (bool) {
        return router.validatorOf(nodeId).probation;
    }

    function test_ProbationLastsForFiftyRequests() public {
        _pass(7 days);
        _work(49, 15);
        assertTrue(_onProbation());
        _work(1, 1);
        assertFalse(_onProbation());
    }

    function test_ProbationLastsWithFewPayers() public {
        _pass(7 days);
        _work(60, 9);
        assertTrue(_onProbation());
        _work(1, 10);
        assertTrue(_onProbation(), "a payer that it had");
        _answer(15_000_000 + 9);
        assertFalse(_onProbation());
    }

    function test_ProbationLastsForSevenDays() public {
        uint256 registered = block.timestamp;
        _work(50, 15);
        vm.warp(registered + 7 days - 1);
        _work(1, 1);
        assertTrue(_onProbation());
        vm.warp(registered + 7 days);
        _work(1, 1);
        assertFalse(_onProbation());
    }
}

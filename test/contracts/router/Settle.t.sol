// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {Parameter} from "../../../contracts/interfaces/IFeeController.sol";
import {Ask, IRouterLog, Outcome, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Payer, PayerWord, Terms, Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

contract SettleTest is Scene {
    address internal node;
    uint256 internal nodeId;
    bytes32 internal id;
    Ticket internal ticket;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        Ticket memory opened;
        (id, opened) = _submit();
        ticket = opened;
        _pass(5);
    }

    function _refused(bytes32 digest, uint256 tokens, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(node);
        router.settle(ticket, digest, tokens, "");
    }

    function test_MovesEveryLegAndTheSurplus() public {
        vm.recordLogs();
        _settle(node, ticket, 317);
        (bytes32 settled, Outcome memory o, uint256 burned) = _settledIn(vm.getRecordedLogs());
        assertEq(settled, id);
        assertEq(o.consumed, 36.7e18);
        assertEq(o.validatorLeg, 25.69e18);
        assertEq(o.treasuryLeg, 7.34e18);
        assertEq(burned, 3.67e18);
        assertEq(o.record, 1);
        assertEq(router.accountOf(alice.addr).credits, 50e18 - 36.7e18);
        (uint256 records,, uint256 unretired) = router.ledger();
        assertEq(records, 1);
        assertEq(unretired, burned);
        assertTrue(router.isOutcome(id, o));
        assertEq(router.requestOf(id).tokens, 317);
    }

    function testFuzz_SurplusIsExact(uint16 tokens, uint96 payment, bool priority) public {
        Ask memory ask = _ask();
        (ask.payment, ask.priority, ask.maxTokens) = (uint96(bound(payment, 8e18, 500e18 - 1)), priority, 2_048);
        (, Ticket memory t) = _submit(alice.addr, ask);
        uint256 most = router.tokensFor(LLAMA7, ask.payment, priority);
        uint256 used = bound(tokens, 1, most);
        uint256 before = router.accountOf(alice.addr).credits;
        _settle(node, t, used);
        uint256 returned = router.accountOf(alice.addr).credits - before;
        assertEq(returned, ask.payment - router.quote(LLAMA7, used, priority));
    }

    function test_RevertWhen_SettledTwice() public {
        _settle(node, ticket, 317);
        _refused(
            DIGEST, 317, abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.Completed)
        );
    }

    function test_RevertWhen_SomebodyElseSettles() public {
        (address other,) = _validator("other", 100_000e18);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterNotAssigned.selector, other, nodeId);
        vm.expectRevert(reason);
        vm.prank(other);
        router.settle(ticket, DIGEST, 317, "");
        reason = abi.encodeWithSelector(IRouterLog.RouterNotAssigned.selector, bob.addr, nodeId);
        vm.expectRevert(reason);
        vm.prank(bob.addr);
        router.settle(ticket, DIGEST, 317, "");
    }

    function testFuzz_RevertWhen_TheTicketIsTampered(uint8 field, uint256 noise) public {
        Ticket memory t = ticket;
        field %= 4;
        uint256 payer = Payer.unwrap(t.payer);
        uint256 terms = Terms.unwrap(t.terms);
        if (noise == 0) noise = 1;
        if (field == 0) t.payer = Payer.wrap(payer ^ noise);
        if (field == 1) t.terms = Terms.wrap(terms ^ noise);
        if (field == 2) t.promptHash ^= bytes32(noise);
        if (field == 3) t.callback = address(uint160(noise | 1));
        bytes32 other = router.requestId(t);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, other, RequestStatus.None));
        vm.prank(node);
        router.settle(t, DIGEST, 317, "");
    }

    function test_RevertWhen_TokensAreZeroOrAboveWhatThePaymentBuys() public {
        _refused(DIGEST, 0, abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 0, 450));
        _refused(DIGEST, 451, abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 451, 450));
        _settle(node, ticket, 450);
        assertEq(router.accountOf(alice.addr).credits, 0);
    }

    function test_RevertWhen_TokensAreAboveWhatWasAsked() public {
        Ask memory ask = _ask();
        ask.maxTokens = 100;
        (, Ticket memory t) = _submit(alice.addr, ask);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 101, 100));
        vm.prank(node);
        router.settle(t, DIGEST, 101, "");
    }

    function test_RevertWhen_TheDigestIsEmpty() public {
        _refused(0, 317, abi.encodeWithSelector(IRouterLog.RouterEmptyDigest.selector, id));
    }

    function test_RevertGiven_TheWindowIsOver() public {
        // 60 s, and 500 tokens at 20 a second.
        uint256 end = router.requestOf(id).since + 85;
        vm.warp(end + 1);
        vm.roll(block.number + WINDOW_BLOCKS);
        _refused(DIGEST, 317, abi.encodeWithSelector(IRouterLog.RouterWindowOver.selector, id, end));
        vm.warp(end);
        _settle(node, ticket, 317);
    }

    function test_CostsFiveNsdAtLeast() public {
        Ask memory ask = _ask();
        (ask.model, ask.maxTokens) = (LLAMA7, 1);
        (, Ticket memory t) = _submit(alice.addr, ask);
        uint256 before = router.accountOf(alice.addr).credits;
        _settle(node, t, 1);
        assertEq(router.accountOf(alice.addr).credits - before, 50e18 - 5.1e18);
    }

    function test_FreesThePlaceAndCounts() public {
        assertEq(router.validatorOf(nodeId).load, 1);
        _settle(node, ticket, 317);
        assertEq(router.validatorOf(nodeId).load, 0);
        assertEq(router.validatorOf(nodeId).completed, 1);
        assertEq(router.validatorOf(nodeId).lastSeenAt, block.timestamp);
    }

    function test_SlowAnswersLowerTheSpeed() public {
        vm.warp(router.requestOf(id).since + 80);
        vm.expectEmit(address(router));
        emit IRouterLog.ReputationChanged(nodeId, 100, 98);
        _settle(node, ticket, 317);
        // 16 s were expected: a fifth of full speed, an eighth of the way down from 100.
        assertEq(router.validatorOf(nodeId).speed, 90);
        assertEq(router.validatorOf(nodeId).reputation, 98);
    }

    function test_TheNodesOwnRequestsCountNothing() public {
        _fund(node, 1_000e18);
        (, Ticket memory t) = _submit(node, _ask());
        uint256 before = router.validatorOf(nodeId).completed;
        _settle(node, t, 317);
        assertEq(router.validatorOf(nodeId).completed, before);
        assertEq(router.validatorOf(nodeId).load, 1, "alice's is still open");
    }

    function test_LegsThatDoNotFitMoveToTheColdWord() public {
        _fund(alice.addr, 200_000e18);
        Ask memory ask = _ask();
        (ask.model, ask.maxTokens, ask.payment) = (LLAMA7, 2_048, 7_999e18);
        (uint256 v, uint256 t) = (0, 0);
        vm.startPrank(admin);
        fees.set(Parameter.BaseFee, 100e18);
        fees.set(Parameter.CostPerToken, 10e18);
        fees.set(Parameter.CommitFrom, 8_000e18);
        vm.stopPrank();
        for (uint256 i; i < 9; ++i) {
            vm.recordLogs();
            (, Ticket memory next) = _submit(alice.addr, ask);
            _settle(node, next, 780);
            (, Outcome memory o,) = _settledIn(vm.getRecordedLogs());
            v += o.validatorLeg;
            t += o.treasuryLeg;
            assertEq(router.validatorOf(nodeId).validatorLeg, v);
            assertEq(router.validatorOf(nodeId).treasuryLeg, t);
        }
        assertGt(v, 37_779e18);
        credits.startClaim(nodeId);
        assertEq(credits.claimOf(nodeId).validatorLeg, v);
        assertEq(credits.claimOf(nodeId).treasuryLeg, t);
        assertEq(router.validatorOf(nodeId).validatorLeg, 0);
    }

    function test_AlicesClaimAndRewardStayApart() public {
        _settle(node, ticket, 317);
        assertEq(router.accountOf(alice.addr).accruedChats, 1);
        assertEq(lcai.balanceOf(alice.addr), 0);
        reward.claim(alice.addr);
        assertEq(lcai.balanceOf(alice.addr), 1e18);
        assertEq(router.accountOf(alice.addr).accruedChats, 0);
    }

    function test_RevertGiven_ItIsQueued() public {
        Ask memory ask = _ask();
        (ask.model, ask.maxTokens) = (GPT2, 100);
        (bytes32 queued, Ticket memory t) = _submit(alice.addr, ask);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, queued, RequestStatus.Queued));
        vm.prank(node);
        router.settle(t, DIGEST, 10, "");
    }

    /// @dev A token of demo-3m costs 2.55 NSD by the formula.
    function test_ACheapModelStillCostsFiveNsd() public {
        string[] memory names = new string[](1);
        names[0] = "demo-3m";
        address small = makeAddr("small");
        _register(small, 5_000e18, names);
        Ask memory ask = _ask();
        (ask.model, ask.maxTokens) = (DEMO, 100);
        (, Ticket memory t) = _submit(alice.addr, ask);
        uint256 before = router.accountOf(alice.addr).credits;
        _settle(small, t, 1);
        assertEq(router.accountOf(alice.addr).credits - before, 45e18);
    }
}

/// @notice Pay follows the band at assignment.
contract BandTest is Scene {
    address internal node;
    uint256 internal nodeId;
    bytes32 private constant LAYOUT = 0x3164cd054724e5f047462cc7124ac3696d673fa10d6aa14dc75f39cd115f5a00;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
    }

    /// @dev Writes reputation and probation into the node's seat.
    function _stand(uint256 reputation, bool probation) internal {
        bytes32 slot = keccak256(abi.encode(nodeId >> 2, uint256(LAYOUT) + 6));
        uint256 word = uint256(vm.load(address(router), slot));
        word = (word & ~uint256(127 << 7)) | (reputation << 7);
        word = probation ? word | (1 << 34) : word & ~uint256(1 << 34);
        vm.store(address(router), slot, bytes32(word));
        assertEq(router.validatorOf(nodeId).reputation, reputation);
    }

    function _legs(uint256 reputation, bool probation) private returns (Outcome memory o, uint256 burned) {
        _stand(reputation, probation);
        (, Ticket memory t) = _submit();
        _stand(60, false); // what comes later changes nothing
        vm.recordLogs();
        _settle(node, t, 450);
        (, o, burned) = _settledIn(vm.getRecordedLogs());
    }

    function test_BoostedFrom90() public {
        (Outcome memory o, uint256 burned) = _legs(90, false);
        assertEq(o.validatorLeg, 42e18);
        assertEq(o.treasuryLeg, 3e18);
        assertEq(burned, 5e18);
    }

    function test_NeutralFrom70() public {
        (Outcome memory o, uint256 burned) = _legs(70, false);
        assertEq(o.validatorLeg, 35e18);
        assertEq(o.treasuryLeg, 10e18);
        assertEq(burned, 5e18);
    }

    function test_ReducedFrom50() public {
        (Outcome memory o, uint256 burned) = _legs(50, false);
        assertEq(o.validatorLeg, 31.5e18);
        assertEq(o.treasuryLeg, 13.5e18);
        assertEq(burned, 5e18);
    }

    function test_ProbationIsNeutralAtMost() public {
        (Outcome memory o,) = _legs(100, true);
        assertEq(o.validatorLeg, 35e18);
    }

    function test_ProbationDoesNotLiftALowOne() public {
        (Outcome memory o,) = _legs(55, true);
        assertEq(o.validatorLeg, 31.5e18);
    }

    function test_SuspendedBelow50() public {
        _stand(49, false);
        (bytes32 id,) = _submit();
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
    }

    /// @dev Whoever asks himself loses the burn and the treasury's leg, whatever his standing.
    function testFuzz_ASelfDealerLoses(uint8 reputation, uint16 tokens) public {
        _stand(bound(reputation, 50, 100), false);
        _fund(node, 100e18);
        uint256 before = nsd.balanceOf(node);
        (, Ticket memory t) = _submit(node, _ask());
        vm.recordLogs();
        _settle(node, t, bound(tokens, 1, 450));
        (, Outcome memory o,) = _settledIn(vm.getRecordedLogs());
        credits.startClaim(nodeId);
        _pass(1 hours);
        credits.claim(nodeId);
        uint256 kept = nsd.balanceOf(node) + router.accountOf(node).credits;
        assertLe(kept, before - o.consumed * 16 / 100);
    }
}

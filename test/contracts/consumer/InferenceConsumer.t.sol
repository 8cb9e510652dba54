// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InferenceConsumer} from "../../../contracts/consumer/InferenceConsumer.sol";
import {
    Ask,
    FailureClass,
    IRouterLog,
    Outcome,
    RequestStatus
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../../../contracts/interfaces/IModelAccessCredits.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Consumer} from "../support/Consumer.sol";
import {Notebook} from "../support/Notebook.sol";
import {Scene} from "../support/Scene.sol";

abstract contract ConsumerScene is Scene {
    bytes32 internal constant CONTEXT = "order 17";

    Notebook internal notebook;
    address internal node;
    bytes internal record;
    bytes32 internal digest;
    bytes32 internal id;
    Ticket internal ticket;

    function setUp() public override {
        super.setUp();
        (node,) = _validator("node", 100_000e18);
        notebook = new Notebook(address(router));
        vm.prank(bank);
        nsd.transfer(address(notebook), 1_000e18);
        (record, digest) = _record("Paris");
    }

    function _full(uint32 gas_) internal pure returns (Ask memory ask) {
        ask = _ask();
        ask.callbackGas = gas_;
    }

    function _open(uint32 gas_) internal {
        Ask memory ask = _full(gas_);
        if (gas_ != 0) ask.callback = address(notebook);
        Ticket memory opened = _ticketOf(address(notebook), ask, router.accountOf(address(notebook)).nonce);
        ticket = opened;
        id = notebook.askFully(_full(gas_), "", CONTEXT);
        _pass(3);
    }

    function _answer() internal returns (Outcome memory outcome) {
        vm.recordLogs();
        vm.prank(node);
        router.settle(ticket, digest, 317, record);
        (, outcome,) = _settledIn(vm.getRecordedLogs());
    }

    function _assertAnswered() internal view {
        Notebook.Note memory note = notebook.noteOf(id);
        assertEq(note.answer, "Paris");
        assertEq(note.context, CONTEXT);
        assertEq(note.times, 1);
        assertEq(notebook.contextOf(id), 0, "closed");
    }

    function _assertUntold() internal view {
        assertEq(notebook.noteOf(id).times, 0);
        assertEq(notebook.contextOf(id), CONTEXT, "open");
    }
}

contract ConstructorTest is ConsumerScene {
    function test_FindsLedgerAndTokenByTheRouterAlone() public view {
        assertEq(address(notebook.ROUTER()), address(router));
        assertEq(address(notebook.CREDITS()), address(credits));
        assertEq(address(notebook.NSD()), address(nsd));
        assertEq(nsd.allowance(address(notebook), address(credits)), type(uint256).max);
    }

    function test_RevertWhen_ThereIsNoRouter() public {
        vm.expectRevert();
        new Notebook(makeAddr("nothing"));
        vm.expectRevert();
        new Notebook(address(nsd));
    }
}

contract AskTest is ConsumerScene {
    function test_RemembersTheAskerOfASimpleQuestion() public {
        vm.prank(alice.addr);
        id = notebook.ask(LLAMA7, "What is the capital of France?");
        assertEq(notebook.contextOf(id), bytes32(uint256(uint160(alice.addr))));
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
        assertEq(nsd.balanceOf(address(notebook)), 1_000e18 - 25e18, "20 NSD, and 5 for the callback");
    }

    function test_OpensWhatTheFullAskSays() public {
        _open(60_000);
        assertEq(router.requestId(ticket), id);
        assertEq(notebook.idOf(ticket), id);
        assertEq(notebook.contextOf(id), CONTEXT);
    }

    function test_NamesNobodyElseAsCallback() public {
        Ask memory ask = _full(60_000);
        ask.callback = bob.addr;
        id = notebook.askFully(ask, "", CONTEXT);
        ask.callback = address(notebook);
        assertEq(id, router.requestId(_ticketOf(address(notebook), ask, 0)));
        (ask.callback, ask.callbackGas) = (bob.addr, 0);
        id = notebook.askFully(ask, "", CONTEXT);
        ask.callback = address(0);
        assertEq(id, router.requestId(_ticketOf(address(notebook), ask, 1)));
    }

    function test_RevertWhen_TheContextIsZero() public {
        vm.expectRevert(InferenceConsumer.ConsumerZeroContext.selector);
        notebook.askFully(_full(60_000), "", 0);
    }

    function test_QuotesPaymentAndCallback() public view {
        (uint256 payment, uint256 fee) = notebook.quote(LLAMA7, 450, 200_000);
        assertEq(payment, 50e18);
        assertEq(fee, 2e18);
        (payment, fee) = notebook.quote(LLAMA7, 1, 0);
        assertEq(payment, 5.1e18);
        assertEq(fee, 0);
    }
}

contract OnInferenceResultTest is ConsumerScene {
    function test_HandsOverTheAnswerOnce() public {
        _open(200_000);
        _answer();
        _assertAnswered();
        assertFalse(router.requestOf(id).callbackFailed);
    }

    function test_RevertWhen_SomebodyElseCalls() public {
        _open(200_000);
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerOnlyRouter.selector, bob.addr));
        vm.prank(bob.addr);
        notebook.onInferenceResult(id, RequestStatus.Completed, "London");
        _assertUntold();
    }

    function test_RevertGiven_ItWasAnswered() public {
        _open(200_000);
        _answer();
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerUnknownRequest.selector, id));
        vm.prank(address(router));
        notebook.onInferenceResult(id, RequestStatus.Completed, "London");
        _assertAnswered();
    }

    /// @dev Anybody may name any contract as callback, and pay for it.
    function test_TakesNoAnswerToAStrangersRequest() public {
        Ask memory ask = _full(200_000);
        ask.callback = address(notebook);
        (bytes32 foreign, Ticket memory opened) = _submit(alice.addr, ask);
        vm.prank(node);
        router.settle(opened, digest, 317, record);
        assertEq(uint256(_status(foreign)), uint256(RequestStatus.Completed));
        assertTrue(router.requestOf(foreign).callbackFailed);
        assertEq(notebook.noteOf(foreign).times, 0);
    }

    function test_AsksAgainOnlyOutsideOfTheCallback() public {
        _open(500_000);
        notebook.become(Notebook.Mood.AsksAgain);
        Outcome memory outcome = _answer();
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterCallbackFailed.selector, id, address(notebook)));
        router.retryCallback(ticket, outcome, record);
        _assertUntold();
        notebook.acceptRecord(id, outcome, record);
        _assertAnswered();
    }
}

contract RetryTest is ConsumerScene {
    function test_ARevertingCallbackIsRetried() public {
        _open(200_000);
        notebook.become(Notebook.Mood.Reverts);
        Outcome memory outcome = _answer();
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed), "settled all the same");
        _assertUntold();
        notebook.become(Notebook.Mood.Kind);
        vm.prank(bob.addr);
        router.retryCallback(ticket, outcome, record);
        _assertAnswered();
    }

    function test_AStarvedCallbackIsMadeUpForWithMoreGas() public {
        _open(50_000);
        notebook.become(Notebook.Mood.NeedsMillions);
        Outcome memory outcome = _answer();
        _assertUntold();
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterCallbackFailed.selector, id, address(notebook)));
        router.retryCallback(ticket, outcome, record);
        vm.prank(bob.addr);
        notebook.acceptRecord(id, outcome, record);
        _assertAnswered();
    }

    function test_TheRetryOfWhatWasMadeUpForChangesNothing() public {
        _open(200_000);
        notebook.become(Notebook.Mood.Reverts);
        Outcome memory outcome = _answer();
        notebook.become(Notebook.Mood.Kind);
        notebook.acceptRecord(id, outcome, record);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterCallbackFailed.selector, id, address(notebook)));
        router.retryCallback(ticket, outcome, record);
        _assertAnswered();
    }
}

contract AcceptRecordTest is ConsumerScene {
    function _refused(Outcome memory outcome, bytes memory bytes_) private {
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerWrongRecord.selector, id));
        notebook.acceptRecord(id, outcome, bytes_);
    }

    function test_BringsAnAnswerThatHasNoCallback() public {
        _open(0);
        assertEq(nsd.balanceOf(address(notebook)), 1_000e18 - 50e18, "no callback is paid");
        Outcome memory outcome = _answer();
        _assertUntold();
        notebook.acceptRecord(id, outcome, record);
        _assertAnswered();
    }

    function test_RevertWhen_TheRecordIsAnother() public {
        _open(0);
        Outcome memory outcome = _answer();
        (bytes memory other, bytes32 hash) = _record("London");
        _refused(outcome, other);
        outcome.digest = hash;
        _refused(outcome, other);
    }

    function test_RevertWhen_TheRecordHoldsNoAnswer() public {
        record = '{"reply":"Paris"}';
        digest = sha256(record);
        _open(0);
        _refused(_answer(), record);
    }

    function testFuzz_RevertWhen_TheOutcomeIsAnother(uint8 field) public {
        _open(0);
        Outcome memory outcome = _answer();
        field = field % 6;
        if (field == 0) ++outcome.validator;
        if (field == 1) ++outcome.tokens;
        if (field == 2) ++outcome.consumed;
        if (field == 3) ++outcome.validatorLeg;
        if (field == 4) ++outcome.treasuryLeg;
        if (field == 5) ++outcome.record;
        _refused(outcome, record);
    }

    function test_RevertGiven_ItIsUnderWay() public {
        _open(0);
        Outcome memory outcome;
        outcome.digest = digest;
        _refused(outcome, record);
    }

    function test_RevertGiven_TheAnswerIsKnown() public {
        _open(200_000);
        Outcome memory outcome = _answer();
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerUnknownRequest.selector, id));
        notebook.acceptRecord(id, outcome, record);
        _assertAnswered();
    }

    function test_RevertGiven_AStrangerPaidForIt() public {
        (id, ticket) = _submit();
        Outcome memory outcome = _answer();
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerUnknownRequest.selector, id));
        notebook.acceptRecord(id, outcome, record);
    }
}

contract ReconcileTest is ConsumerScene {
    function _refused(RequestStatus status) private {
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerNotFailed.selector, id, status));
        notebook.reconcile(id);
    }

    function test_TellsWhyItFailedOnce() public {
        _open(200_000);
        vm.prank(node);
        router.fail(ticket);
        vm.prank(bob.addr);
        notebook.reconcile(id);
        Notebook.Note memory note = notebook.noteOf(id);
        assertEq(uint256(note.class), uint256(FailureClass.Error));
        assertEq(note.context, CONTEXT);
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerUnknownRequest.selector, id));
        notebook.reconcile(id);
        assertEq(notebook.noteOf(id).times, 1);
    }

    function test_TheRefundIsInItsCredits() public {
        _open(200_000);
        vm.prank(node);
        router.fail(ticket);
        notebook.reconcile(id);
        assertEq(credits.creditsOf(address(notebook)), 47.5e18 + 2e18, "95 %, and the callback's fee");
    }

    function test_TellsThatItWasCancelled() public {
        _open(200_000);
        notebook.cancel(ticket);
        _refused(RequestStatus.Assigned);
        _pass(31);
        router.expire(ticket);
        notebook.reconcile(id);
        assertEq(uint256(notebook.noteOf(id).class), uint256(FailureClass.None));
        assertEq(notebook.noteOf(id).times, 1);
        assertEq(credits.creditsOf(address(notebook)), 27e18);
    }

    function test_RevertGiven_ItIsUnderWay() public {
        _open(200_000);
        _refused(RequestStatus.Assigned);
    }

    function test_RevertGiven_ItWasAnswered() public {
        notebook.become(Notebook.Mood.Reverts);
        _open(200_000);
        _answer();
        _refused(RequestStatus.Completed);
        _assertUntold();
    }

    function test_RevertWhen_NobodyAsked() public {
        id = "nothing";
        _refused(RequestStatus.None);
    }

    function test_RevertGiven_AStrangersRequestFailed() public {
        (id, ticket) = _submit();
        vm.prank(node);
        router.fail(ticket);
        vm.expectRevert(abi.encodeWithSelector(InferenceConsumer.ConsumerUnknownRequest.selector, id));
        notebook.reconcile(id);
    }
}

contract WithdrawTest is ConsumerScene {
    function test_CreditsBecomeNsdAgain() public {
        _open(200_000);
        _answer();
        uint256 left = credits.creditsOf(address(notebook));
        assertEq(left, 13.3e18);
        notebook.announce(left);
        uint256 before = nsd.balanceOf(address(notebook));
        vm.expectPartialRevert(IModelAccessCredits.CreditsNotReady.selector);
        notebook.withdraw();
        _pass(15 minutes);
        assertEq(notebook.withdraw(), left);
        assertEq(nsd.balanceOf(address(notebook)) - before, left);
        assertEq(credits.creditsOf(address(notebook)), 0);
    }

    function test_CreditsPayForTheNextRequest() public {
        _open(200_000);
        _answer();
        uint256 before = nsd.balanceOf(address(notebook));
        _open(200_000);
        assertEq(before - nsd.balanceOf(address(notebook)), 52e18 - 13.3e18);
    }
}

/// @notice Keeps the first word of the answer, as `Consumer` does.
contract Keeper is InferenceConsumer {
    bytes32 public lastAnswer = bytes32(uint256(1));

    constructor(address router) InferenceConsumer(router) {}

    function ask(Ask calldata ask_) external returns (bytes32) {
        return _ask(ask_, "", bytes32(uint256(1)));
    }

    function _onAnswer(bytes32, bytes32, bytes calldata answer) internal override {
        lastAnswer = bytes32(answer);
    }
}

/// @notice What bookkeeping costs above a consumer that keeps none. Every call here is a transaction of its own.
/// forge-config: test.isolate = true
/// forge-config: deep.isolate = true
contract ConsumerGasTest is ConsumerScene {
    function test_BookkeepingCostsAWordAndGivesItBack() public {
        (uint256 asked, uint256 settled) = _round(new Consumer(router, nsd, address(credits)));
        (uint256 askedHere, uint256 settledHere) = _round(Consumer(address(new Keeper(address(router)))));
        emit log_named_uint("ask, above a plain consumer", askedHere - asked);
        emit log_named_uint("settle, above a plain consumer", settledHere - settled);
        assertLt(askedHere, asked + 25_000);
        assertLt(settledHere, settled + 4_000);
    }

    /// @dev The second of two rounds: no account and no balance is new.
    function _round(Consumer consumer) private returns (uint256 asked, uint256 settled) {
        _fund(address(this), 1_000e18);
        credits.depositFor(address(consumer), 1_000e18);
        for (uint256 i; i < 2; ++i) {
            Ask memory ask = _full(100_000);
            ask.callback = address(consumer);
            Ticket memory opened = _ticketOf(address(consumer), ask, router.accountOf(address(consumer)).nonce);
            consumer.ask(ask);
            asked = vm.lastCallGas().gasTotalUsed;
            _pass(5);
            vm.prank(node);
            router.settle(opened, digest, 317, record);
            settled = vm.lastCallGas().gasTotalUsed;
            assertEq(consumer.lastAnswer(), bytes32("Paris"));
        }
    }
}

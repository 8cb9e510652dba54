// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {InferenceConsumer} from "neuroswarm/contracts/consumer/InferenceConsumer.sol";
import {TeamAccount} from "neuroswarm/contracts/examples/TeamAccount.sol";
import {FailureClass, Intent, RequestStatus} from "neuroswarm/contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "neuroswarm/contracts/words/Ticket.sol";
import {InferenceHarness} from "neuroswarm/harness/InferenceHarness.sol";

contract Diary is InferenceConsumer {
    string public answer;
    FailureClass public failure;
    bool public refuses;
    uint32 public callbackGas = 200_000;

    constructor(address router) InferenceConsumer(router) {}

    function ask(string calldata question) external returns (bytes32) {
        return _ask(keccak256("llama-2-7b-q4"), question, 100, 20e18);
    }

    function refuse(bool refuses_, uint32 gas_) external {
        (refuses, callbackGas) = (refuses_, gas_);
    }

    function cancel(Ticket calldata ticket) external {
        _cancel(ticket);
    }

    function _callbackGas() internal view override returns (uint32) {
        return callbackGas;
    }

    function _onAnswer(bytes32, bytes32, bytes calldata text) internal override {
        require(!refuses, "not today");
        answer = string(text);
    }

    function _onFailure(bytes32, bytes32, FailureClass class) internal override {
        failure = class;
    }
}

abstract contract HarnessScene is InferenceHarness {
    Diary internal diary;
    bytes32 internal id;

    function _open(uint256 validators) internal {
        _startNeuroSwarm(validators);
        diary = new Diary(address(swarm.router));
        _fund(address(diary), 100e18);
        id = diary.ask("What is the capital of France?");
    }

    function _assertFailed(FailureClass class, uint256 refund) internal {
        assertEq(uint256(_statusOf(id)), uint256(RequestStatus.Failed));
        assertEq(uint256(_failureOf(id)), uint256(class));
        assertEq(_creditsOf(address(diary)), refund + 2e18, "and the callback's fee");
        diary.reconcile(id);
        assertEq(uint256(diary.failure()), uint256(class));
    }

    function answerIt() external {
        _answer(id, "Paris");
    }

    function ticketOf(bytes32 id_) external returns (Ticket memory) {
        return _ticketOf(id_);
    }

    function failIt() external {
        _fail(id);
    }
}

contract ThreeNodesTest is HarnessScene {
    function setUp() public {
        _open(3);
    }

    function test_Answers() public {
        _answer(id, "Paris", 50);
        assertEq(diary.answer(), "Paris");
        assertEq(_creditsOf(address(diary)), 10e18, "50 tokens cost 10 of 20 NSD");
    }

    function test_EscapesAsTheRecordDoes() public {
        _answer(id, 'Say "Paris"\\\n\t\x01');
        assertEq(diary.answer(), 'Say \\"Paris\\"\\\\\\n\\t\\u0001');
    }

    function test_ConfessesOnEveryAttempt() public {
        _fail(id);
        assertEq(swarm.router.requestOf(id).attempts, 3);
        _assertFailed(FailureClass.Error, 19e18);
    }

    function test_TimesOutOnEveryAttempt() public {
        _timeout(id);
        assertEq(swarm.router.requestOf(id).attempts, 3);
        _assertFailed(FailureClass.Timeout, 19e18);
    }

    function test_GoesOfflineOnEveryAttempt() public {
        _goOffline(id);
        assertEq(swarm.router.requestOf(id).attempts, 3);
        _assertFailed(FailureClass.Offline, 20e18);
    }

    function test_DeclinesOnEveryAttempt() public {
        _declineAll(id);
        assertEq(nodes.length, 3);
        _assertFailed(FailureClass.NoNode, 20e18);
    }

    function test_OneAttemptExpires() public {
        _expire(id);
        assertEq(uint256(_statusOf(id)), uint256(RequestStatus.Assigned));
        assertEq(uint256(_failureOf(id)), uint256(FailureClass.Offline));
        _answer(id, "Paris");
        assertEq(diary.answer(), "Paris");
    }

    function test_EndsARequestOnce() public {
        _fail(id);
        vm.expectRevert("it has ended already");
        this.failIt();
    }

    function test_ACancellationTakesEffect() public {
        diary.cancel(_ticketOf(id));
        _expire(id);
        assertEq(uint256(_statusOf(id)), uint256(RequestStatus.Cancelled));
        assertEq(_creditsOf(address(diary)), 12e18);
    }
}

contract OneNodeTest is HarnessScene {
    function setUp() public {
        _open(1);
    }

    function test_FailsAtOnce() public {
        _fail(id);
        assertEq(swarm.router.requestOf(id).attempts, 1);
        _assertFailed(FailureClass.Error, 19e18);
    }

    function test_TimesOut() public {
        _timeout(id);
        _assertFailed(FailureClass.Timeout, 19e18);
    }

    function test_BringsTheNodesThatDecline() public {
        _declineAll(id);
        assertEq(nodes.length, 3);
        _assertFailed(FailureClass.NoNode, 20e18);
    }

    function test_SaysWhyACallbackFailed() public {
        diary.refuse(true, 200_000);
        vm.expectRevert("not today");
        this.answerIt();
    }

    function test_SaysThatACallbackStarved() public {
        diary.refuse(false, 10_000);
        id = diary.ask("And of Spain?");
        vm.expectRevert("the callback needs more than its 10000 gas");
        this.answerIt();
    }

    function test_RetriesACallback() public {
        diary.refuse(true, 200_000);
        assertFalse(_settle(id, "Paris", 10));
        assertEq(diary.answer(), "");
        diary.refuse(false, 200_000);
        _retryCallback(id);
        assertEq(diary.answer(), "Paris");
    }

    function test_KnowsWhatAcceptRecordWants() public {
        diary.refuse(true, 200_000);
        _settle(id, "Paris", 10);
        diary.refuse(false, 200_000);
        diary.acceptRecord(id, _outcomeOf(id), _recordOf(id));
        assertEq(diary.answer(), "Paris");
    }

    function test_LaysAPrankAside() public {
        address alice = makeAddr("alice");
        vm.startPrank(alice);
        _answer(id, "Paris");
        _fund(alice, 5e18);
        swarm.nsd.transfer(address(this), 5e18);
        vm.stopPrank();
        assertEq(swarm.nsd.balanceOf(address(this)), 5e18);
    }

    function test_FindsWhatTheTestItselfReadFromTheLogs() public {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.expectRevert("no request of this id among the recorded logs");
        this.ticketOf(id);
        _read(logs);
        assertEq(_lastRequest(), id);
        _answer(id, "Paris");
        assertEq(diary.answer(), "Paris");
    }

    function test_PaysForAMember() public {
        (address member, uint256 key) = makeAddrAndKey("member");
        TeamAccount team = new TeamAccount(address(swarm.router), address(this), 60e18);
        team.setMember(member, true);
        _credit(address(team), 50e18);
        Intent memory intent;
        (intent.user, intent.model) = (address(team), keccak256("llama-2-7b-q4"));
        (intent.maxTokens, intent.payment) = (500, 50e18);
        intent.promptHash = keccak256(abi.encodePacked(bytes32(0), "Hello"));
        intent.deadline = uint64(block.timestamp + 60);
        swarm.router.submitFor(intent, abi.encode(intent, _sign(key, intent)), "Hello");
        _answer(_lastRequest(), "Hello yourself", 317);
        assertEq(_creditsOf(address(team)), 13.3e18);
    }
}

contract NoNodeTest is HarnessScene {
    function setUp() public {
        _open(0);
    }

    function test_TheQueueGivesUp() public {
        _expire(id);
        _assertFailed(FailureClass.NoNode, 20e18);
    }

    function test_ALateNodeAnswers() public {
        _addNode();
        _answer(id, "Paris");
        assertEq(diary.answer(), "Paris");
    }

    function test_FailsAsNoNode() public {
        _fail(id);
        _assertFailed(FailureClass.NoNode, 20e18);
    }
}

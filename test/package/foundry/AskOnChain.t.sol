// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InferenceHarness} from "neuroswarm/harness/InferenceHarness.sol";
import {AskOnChain} from "../src/AskOnChain.sol";

contract AskOnChainTest is InferenceHarness {
    AskOnChain private consumer;
    bytes32 private id;

    function setUp() public {
        _startNeuroSwarm();
        consumer = new AskOnChain(address(swarm.router));
        _fund(address(consumer), 25e18); // 20 NSD for the answer at most, 5 for the callback's gas
        id = consumer.ask(keccak256("llama-2-7b-q4"), "What is the capital of France?");
    }

    function test_KeepsTheAnswer() public {
        _answer(id, "Paris");
        assertEq(consumer.answers(id), "Paris");
    }

    function test_AFailureGivesBack95Percent() public {
        _fail(id);
        assertEq(_creditsOf(address(consumer)), 19e18 + 5e18);
    }

    function test_ANodeThatIsGoneGivesBackAll() public {
        _goOffline(id);
        assertEq(_creditsOf(address(consumer)), 25e18);
    }
}

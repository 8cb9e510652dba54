// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PayerWord, TermsWord, Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

interface IAskOnChain {
    function ask(bytes32 model, string calldata question) external returns (bytes32 id);
    function answers(bytes32 id) external view returns (string memory);
    function onInferenceResult(bytes32 id, uint8 status, bytes calldata result) external;
}

contract AskOnChainTest is Scene {
    IAskOnChain private example;
    address private node;

    function setUp() public override {
        super.setUp();
        (node,) = _validator("node", 10_000e18);
        example = IAskOnChain(_code("AskOnChain.sol/AskOnChain", abi.encode(router, credits, nsd)));
        vm.prank(bank);
        nsd.transfer(address(example), 100e18);
    }

    function test_AsksAndKeepsTheAnswer() public {
        string memory question = "What is the capital of France?";
        bytes32 id = example.ask(LLAMA7, question);
        Ticket memory t;
        t.payer = PayerWord.pack(address(example), 20e18);
        t.terms = TermsWord.pack(1, 128, 0, 0, 0, 500_000, 5e18);
        t.promptHash = keccak256(abi.encodePacked(bytes32(0), question));
        t.callback = address(example);
        assertEq(router.requestId(t), id);
        (bytes memory record, bytes32 digest) = _record("Paris");
        vm.prank(node);
        router.settle(t, digest, 3, record);
        assertEq(example.answers(id), "Paris");
        assertFalse(router.requestOf(id).callbackFailed);
    }

    function test_RevertWhen_SomebodyElseAnswers() public {
        vm.expectRevert("not the router");
        example.onInferenceResult(0, 3, "London");
    }
}

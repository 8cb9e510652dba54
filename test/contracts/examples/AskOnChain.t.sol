// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PayerWord, TermsWord, Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

interface IAskOnChain {
    function ask(bytes32 model, string calldata question) external returns (bytes32 id);
    function answers(bytes32 id) external view returns (string memory);
    function reconcile(bytes32 id) external;
}

contract AskOnChainTest is Scene {
    event Answered(bytes32 indexed id, address indexed asker, string answer);

    IAskOnChain private example;
    address private node;
    Ticket private ticket;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        (node,) = _validator("node", 10_000e18);
        example = IAskOnChain(_code("AskOnChain.sol/AskOnChain", abi.encode(router)));
        vm.prank(bank);
        nsd.transfer(address(example), 100e18);
        string memory question = "What is the capital of France?";
        vm.prank(alice.addr);
        id = example.ask(LLAMA7, question);
        ticket.payer = PayerWord.pack(address(example), 20e18);
        ticket.terms = TermsWord.pack(1, 128, 0, 0, 0, 500_000, 5e18);
        ticket.promptHash = keccak256(abi.encodePacked(bytes32(0), question));
        ticket.callback = address(example);
    }

    function test_AsksAndKeepsTheAnswer() public {
        assertEq(router.requestId(ticket), id);
        (bytes memory record, bytes32 digest) = _record("Paris");
        vm.expectEmit(address(example));
        emit Answered(id, alice.addr, "Paris");
        vm.prank(node);
        router.settle(ticket, digest, 3, record);
        assertEq(example.answers(id), "Paris");
        assertFalse(router.requestOf(id).callbackFailed);
    }

    /// @dev 128 tokens are some 600 bytes.
    function test_KeepsAsMuchAsItAsksFor() public {
        string memory long = "";
        for (uint256 i; i < 60; ++i) {
            long = string.concat(long, "ten bytes ");
        }
        (bytes memory record, bytes32 digest) = _record(long);
        vm.prank(node);
        router.settle(ticket, digest, 128, record);
        assertEq(example.answers(id), long);
    }

    function test_AFailedQuestionLeavesNoAnswer() public {
        vm.prank(node);
        router.fail(ticket);
        example.reconcile(id);
        assertEq(example.answers(id), "");
        assertEq(credits.creditsOf(address(example)), 24e18, "95 % of 20 NSD, and 5 for the callback");
    }
}

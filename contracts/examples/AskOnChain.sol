// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InferenceConsumer} from "neuroswarm/contracts/consumer/InferenceConsumer.sol";

/// @title A question in, an answer on chain: hold NSD and ask
contract AskOnChain is InferenceConsumer {
    mapping(bytes32 id => string) public answers;

    event Asked(bytes32 indexed id, address indexed asker, string question);
    event Answered(bytes32 indexed id, address indexed asker, string answer);

    constructor(address router) InferenceConsumer(router) {}

    function ask(bytes32 model, string calldata question) external returns (bytes32 id) {
        id = _ask(model, question, 128, 20e18);
        emit Asked(id, msg.sender, question);
    }

    function _onAnswer(bytes32 id, bytes32 context, bytes calldata answer) internal override {
        answers[id] = string(answer);
        emit Answered(id, _asker(context), string(answer));
    }
}

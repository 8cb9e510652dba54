// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InferenceConsumer} from "../../../contracts/consumer/InferenceConsumer.sol";
import {Ask, FailureClass} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";

/// @notice A consumer that writes down all it is told, and can be in a bad mood.
contract Notebook is InferenceConsumer {
    enum Mood {
        Kind,
        Reverts,
        NeedsMillions,
        AsksAgain
    }

    struct Note {
        bytes32 context;
        string answer;
        FailureClass class;
        uint256 times;
    }

    Mood public mood;
    mapping(bytes32 id => Note) private _notes;
    uint256 private _spent;

    constructor(address router) InferenceConsumer(router) {}

    function become(Mood mood_) external {
        mood = mood_;
    }

    function ask(bytes32 model, string calldata question) external returns (bytes32) {
        return _ask(model, question, 128, 20e18);
    }

    function askFully(Ask calldata ask_, bytes calldata prompt, bytes32 context) external returns (bytes32) {
        return _ask(ask_, prompt, context);
    }

    function quote(bytes32 model, uint256 maxTokens, uint256 gas_) external view returns (uint256, uint256) {
        return _quote(model, maxTokens, gas_);
    }

    function contextOf(bytes32 id) external view returns (bytes32) {
        return _contextOf(id);
    }

    function idOf(Ticket calldata ticket) external view returns (bytes32) {
        return _idOf(ticket);
    }

    function cancel(Ticket calldata ticket) external {
        _cancel(ticket);
    }

    function announce(uint256 amount) external {
        _announceWithdrawal(amount);
    }

    function withdraw() external returns (uint256) {
        return _withdraw();
    }

    function noteOf(bytes32 id) external view returns (Note memory) {
        return _notes[id];
    }

    function _onAnswer(bytes32 id, bytes32 context, bytes calldata answer) internal override {
        require(mood != Mood.Reverts, "not today");
        if (mood == Mood.NeedsMillions) {
            for (uint256 i; i < 1_000; ++i) {
                _spent = gasleft();
            }
        }
        if (mood == Mood.AsksAgain) _ask(keccak256("llama-2-7b-q4"), "And then?", 128, 20e18);
        (_notes[id].context, _notes[id].answer) = (context, string(answer));
        ++_notes[id].times;
    }

    function _onFailure(bytes32 id, bytes32 context, FailureClass class) internal override {
        (_notes[id].context, _notes[id].class) = (context, class);
        ++_notes[id].times;
    }
}

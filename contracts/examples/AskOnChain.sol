// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ask, IInferenceCallback, IInferenceRouter, RequestStatus} from "../interfaces/IInferenceRouter.sol";

/// @title A question in, an answer on chain: hold NSD and ask
contract AskOnChain is IInferenceCallback {
    IInferenceRouter public immutable ROUTER;
    mapping(bytes32 requestId => string) public answers;

    event Asked(bytes32 indexed requestId, string question);
    event Answered(bytes32 indexed requestId, string answer);

    constructor(address router, address credits, address nsd) {
        ROUTER = IInferenceRouter(router);
        IERC20(nsd).approve(credits, type(uint256).max); // lets the ledger burn what a request costs
    }

    function ask(bytes32 model, string calldata question) external returns (bytes32 id) {
        id = ROUTER.submit(Ask(model, 0, 128, 0, 20e18, false, false, address(this), 500_000), bytes(question));
        emit Asked(id, question);
    }

    function onInferenceResult(bytes32 requestId, RequestStatus, bytes calldata result) external {
        require(msg.sender == address(ROUTER), "not the router");
        answers[requestId] = string(result);
        emit Answered(requestId, string(result));
    }
}

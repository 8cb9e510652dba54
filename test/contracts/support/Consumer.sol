// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    Ask,
    IInferenceCallback,
    IInferenceRouter,
    RequestStatus
} from "../../../contracts/interfaces/IInferenceRouter.sol";

/// @notice An integrator as most of them will be: asks, and keeps the first word of the answer.
contract Consumer is IInferenceCallback {
    IInferenceRouter public immutable ROUTER;
    bytes32 public lastAnswer = bytes32(uint256(1));

    constructor(IInferenceRouter router, IERC20 nsd, address credits) {
        ROUTER = router;
        nsd.approve(credits, type(uint256).max);
    }

    function ask(Ask calldata ask_) external returns (bytes32) {
        return ROUTER.submit(ask_, "");
    }

    function onInferenceResult(bytes32, RequestStatus status, bytes calldata result) external {
        require(msg.sender == address(ROUTER) && status == RequestStatus.Completed);
        lastAnswer = bytes32(result);
    }
}

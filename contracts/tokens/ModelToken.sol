// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RewardToken} from "./RewardToken.sol";

/// @title LCAI, earned by chatting
/// @notice Minted by the router as it settles direct chats, and by ModelReward for the other lanes. Source: seed 1.
contract ModelToken is RewardToken {
    constructor(address router, address modelReward) RewardToken("NeuroSwarm LCAI", "LCAI", router, modelReward) {}
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RewardToken} from "./RewardToken.sol";

/// @title CHOIR, earned by novelty and citations
/// @notice Minted by ChoirRewards alone. Source: seed 2.
contract ChoirToken is RewardToken {
    constructor(address choirRewards) RewardToken("NeuroSwarm CHOIR", "CHOIR", choirRewards, choirRewards) {}
}

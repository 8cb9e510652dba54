// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RouterBase} from "./RouterBase.sol";
import {RouterViews} from "./RouterViews.sol";

/// @title What the peers push, and what can be read
/// @notice The last link of the chain InferenceRouter, RouterExtension, RouterSeats: the storage is the router's. Called
/// at its own address it finds an empty storage, and no peer ever calls it there.
contract RouterSeats is RouterViews {
    constructor(Peers memory peers, uint256 windowBlocks) RouterBase(peers, windowBlocks) {}
}

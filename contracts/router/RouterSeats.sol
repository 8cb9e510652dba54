// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Powers} from "./Powers.sol";
import {RouterBase} from "./RouterBase.sol";
import {RouterViews} from "./RouterViews.sol";

/// @title The last link of the router: what its peers push, what a few may do, and what everybody reads
/// @notice Called at its own address it finds an empty storage without a manager, and can do nothing.
contract RouterSeats is RouterViews, Powers {
    constructor(Peers memory peers, uint256 windowBlocks) RouterBase(peers, windowBlocks) {
        _disableInitializers();
    }
}

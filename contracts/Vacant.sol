// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";

/// @title What stands behind a proxy until its contract moves in
/// @notice The contracts know each other by immutable addresses, and the tokens know theirs for ever. So the proxies
/// come first, vacant, with nothing but the manager that may upgrade them. A vacant proxy holds a place: CHOIR's
/// minter is one until ChoirRewards is there.
contract Vacant is Governed {
    /// @param manager The AccessManager.
    function initialize(address manager) external initializer {
        __AccessManaged_init(manager);
    }
}

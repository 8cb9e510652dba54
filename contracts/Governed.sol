// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    AccessManagedUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

/// @title What every proxied contract has in common
/// @notice Who may do what is one table in the AccessManager; an upgrade is one of its rows, with the longest delay.
/// Implementations are locked: they can be neither initialised nor upgraded themselves.
abstract contract Governed is AccessManagedUpgradeable, UUPSUpgradeable {
    constructor() {
        _disableInitializers();
    }

    // `restricted` reads the selector of the outermost call, which is `upgradeToAndCall`.
    function _authorizeUpgrade(address) internal override restricted {}
}

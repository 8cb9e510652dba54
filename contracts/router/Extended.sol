// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title An implementation that hands on what it does not know, with the storage it runs on
/// @notice The router is a chain of implementations, ordered by how often they are called: the first knows what every
/// request goes through, and a call that it does not know falls through to the next, at about 2,700 gas a link.
abstract contract Extended {
    /// The next implementation.
    address public immutable EXTENSION;

    constructor(address extension) {
        EXTENSION = extension;
    }

    fallback() external {
        address extension = EXTENSION;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), extension, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

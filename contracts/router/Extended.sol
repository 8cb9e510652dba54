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
        // In free memory, not from 0 on: one block that is not memory-safe, and the compiler moves no variable of the
        // whole contract from the stack into memory.
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0, calldatasize())
            let ok := delegatecall(gas(), extension, data, calldatasize(), 0, 0)
            returndatacopy(data, 0, returndatasize())
            switch ok
            case 0 { revert(data, returndatasize()) }
            default { return(data, returndatasize()) }
        }
    }
}

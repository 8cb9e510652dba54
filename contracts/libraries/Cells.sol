// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "../words/Account.sol";
import {Request} from "../words/Request.sol";
import {Till} from "../words/Till.sol";

/// @title Words of a mapping, found once for being read and written
/// @notice The compiler hashes key and slot for each access anew, at about 100 gas.
library Cells {
    struct AccountCell {
        Account word;
    }

    struct RequestCell {
        Request word;
    }

    struct TillCell {
        Till word;
    }

    struct Cell {
        uint256 word;
    }

    function locate(mapping(address => Account) storage self, address key)
        internal
        pure
        returns (AccountCell storage cell)
    {
        assembly ("memory-safe") {
            mstore(0, shr(96, shl(96, key)))
            mstore(32, self.slot)
            cell.slot := keccak256(0, 64)
        }
    }

    function locate(mapping(bytes32 => Request) storage self, bytes32 key)
        internal
        pure
        returns (RequestCell storage cell)
    {
        assembly ("memory-safe") {
            mstore(0, key)
            mstore(32, self.slot)
            cell.slot := keccak256(0, 64)
        }
    }

    function locate(mapping(address => Till) storage self, address key) internal pure returns (TillCell storage cell) {
        assembly ("memory-safe") {
            mstore(0, shr(96, shl(96, key)))
            mstore(32, self.slot)
            cell.slot := keccak256(0, 64)
        }
    }

    function locate(mapping(uint256 => uint256) storage self, uint256 key) internal pure returns (Cell storage cell) {
        assembly ("memory-safe") {
            mstore(0, key)
            mstore(32, self.slot)
            cell.slot := keccak256(0, 64)
        }
    }
}

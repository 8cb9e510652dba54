// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Outcome} from "../interfaces/IInferenceRouter.sol";

/// @title What the chain remembers of an answer, and how an answer is cut out of its record
library Records {
    /// A record is canonical JSON, whose keys are sorted: this is how every one begins.
    bytes11 private constant HEAD = '{"answer":"';

    /// @notice What the slot of a completed request commits to.
    /// @dev `keccak256(abi.encode(id, outcome))`: the seven members are a word each, in memory as in their encoding.
    function commitment(Outcome memory self, bytes32 id) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, id)
            mcopy(add(data, 32), self, 224)
            hash := keccak256(data, 256)
        }
    }

    /// @notice What the running hash of the direct lane takes in for an answer.
    /// @dev `keccak256(abi.encode(id, user, outcome))`.
    function leaf(Outcome memory self, bytes32 id, address user) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, id)
            mstore(add(data, 32), shr(96, shl(96, user)))
            mcopy(add(data, 64), self, 224)
            hash := keccak256(data, 288)
        }
    }

    /// @notice The bytes of the record's `answer` string, JSON escapes included.
    /// @return found Whether the record has the form that a record has.
    function answer(bytes calldata record) internal pure returns (bool found, bytes calldata text) {
        text = record[0:0];
        if (record.length < HEAD.length || bytes11(record) != HEAD) return (false, text);
        unchecked {
            // The string ends at its first quote that no backslash escapes.
            for (uint256 end = HEAD.length; end < record.length; ++end) {
                bytes1 c = record[end];
                if (c == '"') return (true, record[HEAD.length:end]);
                if (c == "\\") ++end;
            }
        }
        return (false, text);
    }
}

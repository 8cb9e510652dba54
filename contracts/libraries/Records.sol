// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IRouterLog, Outcome} from "../interfaces/IInferenceRouter.sol";

/// @title What the chain remembers of an answer, and how an answer is cut out of its record
library Records {
    /// A record is canonical JSON, whose keys are sorted: this is how every one begins.
    bytes11 private constant HEAD = '{"answer":"';
    /// The byte 1, 32 times.
    uint256 private constant ONES = type(uint256).max / 255;

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

    /// @notice Says that a request of the assigned lane was answered: emits `RequestSettled` and gives the commitment, both
    /// out of the same words in memory.
    function settled(
        bytes32 id,
        address user,
        bytes32 digest,
        uint256 validator,
        uint256 tokens,
        uint256 consumed,
        uint256 validatorLeg,
        uint256 treasuryLeg,
        uint256 record
    ) internal returns (bytes32 hash) {
        bytes32 topic = IRouterLog.RequestSettled.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, id)
            mstore(add(data, 32), digest)
            mstore(add(data, 64), validator)
            mstore(add(data, 96), tokens)
            mstore(add(data, 128), consumed)
            mstore(add(data, 160), validatorLeg)
            mstore(add(data, 192), treasuryLeg)
            mstore(add(data, 224), record)
            hash := keccak256(data, 256)
            log3(add(data, 32), 224, topic, id, shr(96, shl(96, user)))
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

    /// @notice The same for an answer of the direct lane: emits `RequestSettled` and gives the leaf.
    function delivered(
        bytes32 id,
        address user,
        bytes32 digest,
        uint256 validator,
        uint256 tokens,
        uint256 consumed,
        uint256 validatorLeg,
        uint256 treasuryLeg,
        uint256 record
    ) internal returns (bytes32 hash) {
        bytes32 topic = IRouterLog.RequestSettled.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            user := shr(96, shl(96, user))
            mstore(data, id)
            mstore(add(data, 32), user)
            mstore(add(data, 64), digest)
            mstore(add(data, 96), validator)
            mstore(add(data, 128), tokens)
            mstore(add(data, 160), consumed)
            mstore(add(data, 192), validatorLeg)
            mstore(add(data, 224), treasuryLeg)
            mstore(add(data, 256), record)
            hash := keccak256(data, 288)
            log3(add(data, 64), 224, topic, id, user)
        }
    }

    /// @notice The bytes of the record's `answer` string, JSON escapes included.
    /// @return found Whether the record has the form that a record has.
    function answer(bytes calldata record) internal pure returns (bool found, bytes calldata text) {
        text = record[0:0];
        if (record.length < HEAD.length || bytes11(record) != HEAD) return (false, text);
        unchecked {
            // The string ends at its first quote that no backslash escapes.
            for (uint256 end = HEAD.length; end < record.length;) {
                uint256 marks = _quotesAndBackslashes(_wordAt(record, end));
                // Neither among the next 32 bytes, or so many bytes before the first.
                end += marks == 0 ? 32 : (255 - Math.log2(marks)) >> 3;
                if (marks == 0 || end >= record.length) continue;
                if (record[end] == '"') return (true, record[HEAD.length:end]);
                end += 2;
            }
        }
        return (false, text);
    }

    /// @dev Whatever follows the record in calldata may be in it: the caller looks at nothing behind the record's end.
    function _wordAt(bytes calldata data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, index))
        }
    }

    /// @return The top bit of each byte that is one of the two.
    function _quotesAndBackslashes(uint256 word) private pure returns (uint256) {
        unchecked {
            return _zeros(word ^ (ONES * 0x22)) | _zeros(word ^ (ONES * 0x5C));
        }
    }

    /// @return The top bit of each byte that is zero. No byte carries into the next: 0x7F + 0x7F < 0x100.
    function _zeros(uint256 word) private pure returns (uint256) {
        unchecked {
            return ~(((word & (ONES * 0x7F)) + ONES * 0x7F) | word | (ONES * 0x7F));
        }
    }
}

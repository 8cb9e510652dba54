// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What every settlement touches, in one word.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..47 | records | interactions recorded so far: the number of the next is one more |
/// | 48..87 | pausedUntil | settlement is paused until then, unix seconds |
/// | 88..183 | unretired | NSD wei of burn legs and forfeits that no call has retired yet |
/// | 184..223 | pausedAt | when the pause began, unix seconds |
type Global is uint256;

/// @notice The running hash over the direct and session lanes: hash 208 bits, count of leaves 48 bits below.
type Chain is uint256;

using GlobalWord for Global global;
using ChainWord for Chain global;

library GlobalWord {
    uint256 private constant PAUSE_MASK = (uint256(type(uint40).max) << 48) | (uint256(type(uint40).max) << 184);
    uint256 private constant UNRETIRED_MASK = uint256(type(uint96).max) << 88;

    function records(Global self) internal pure returns (uint256) {
        return uint48(Global.unwrap(self));
    }

    function pausedUntil(Global self) internal pure returns (uint256) {
        return uint40(Global.unwrap(self) >> 48);
    }

    function unretired(Global self) internal pure returns (uint256) {
        return uint96(Global.unwrap(self) >> 88);
    }

    function pausedAt(Global self) internal pure returns (uint256) {
        return uint40(Global.unwrap(self) >> 184);
    }

    /// @notice Adds `n` records and `burned` NSD wei that are gone for good.
    /// @dev Neither can overflow: all NSD there ever is fits 96 bits, and 2^48 records do not fit into a chain's life.
    function add(Global self, uint256 n, uint256 burned) internal pure returns (Global) {
        unchecked {
            return Global.wrap(Global.unwrap(self) + n + (burned << 88));
        }
    }

    function withPause(Global self, uint256 from, uint256 until) internal pure returns (Global) {
        return Global.wrap((Global.unwrap(self) & ~PAUSE_MASK) | (until << 48) | (from << 184));
    }

    function withoutUnretired(Global self) internal pure returns (Global) {
        return Global.wrap(Global.unwrap(self) & ~UNRETIRED_MASK);
    }
}

library ChainWord {
    uint256 internal constant CHECKPOINT = 256;

    function count(Chain self) internal pure returns (uint256) {
        return uint48(Chain.unwrap(self));
    }

    /// @notice The chain with `leaf` appended.
    function append(Chain self, bytes32 leaf) internal pure returns (Chain) {
        unchecked {
            uint256 link;
            assembly ("memory-safe") {
                mstore(0, self)
                mstore(32, leaf)
                link := keccak256(0, 64)
            }
            return Chain.wrap((link & ~uint256(type(uint48).max)) | (self.count() + 1));
        }
    }
}

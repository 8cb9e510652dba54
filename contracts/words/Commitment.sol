// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A commitment to a request that is to be revealed, one word keyed by sender and commitment.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..95 | bond | NSD wei, back at the reveal |
/// | 96..159 | atBlock | number of the block whose hash will choose the validator |
/// | 160..199 | time | unix seconds |
type Commitment is uint256;

using CommitmentWord for Commitment global;

library CommitmentWord {
    Commitment internal constant NONE = Commitment.wrap(0);

    function open(uint256 bond_) internal view returns (Commitment) {
        return Commitment.wrap(bond_ | (block.number << 96) | (block.timestamp << 160));
    }

    function bond(Commitment self) internal pure returns (uint256) {
        return uint96(Commitment.unwrap(self));
    }

    function atBlock(Commitment self) internal pure returns (uint256) {
        return uint64(Commitment.unwrap(self) >> 96);
    }

    function time(Commitment self) internal pure returns (uint256) {
        return uint40(Commitment.unwrap(self) >> 160);
    }
}

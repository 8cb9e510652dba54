// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What a reward token knows of a holder, in one word, so that a reward costs one storage write.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..95 | balance | |
/// | 96..191 | earned | all that was ever minted to it |
/// | 192..223 | lastAt | time of its last reward, unix seconds |
/// | 224..255 | today | whole tokens of the epoch that `lastAt` lies in |
type Holder is uint256;

/// @notice What there is of a reward token.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..95 | total | |
/// | 96..191 | inEpoch | what of it was minted in `epoch` |
/// | 192..223 | epoch | number of the epoch of the last reward |
type Supply is uint256;

using HolderWord for Holder global;
using SupplyWord for Supply global;

library HolderWord {
    uint256 private constant BALANCE_MASK = type(uint96).max;

    function balance(Holder self) internal pure returns (uint256) {
        return Holder.unwrap(self) & BALANCE_MASK;
    }

    function earned(Holder self) internal pure returns (uint256) {
        return uint96(Holder.unwrap(self) >> 96);
    }

    function lastAt(Holder self) internal pure returns (uint256) {
        return uint32(Holder.unwrap(self) >> 192);
    }

    function today(Holder self) internal pure returns (uint256) {
        return Holder.unwrap(self) >> 224;
    }

    /// @dev The caller has checked `amount <= type(uint96).max`.
    function withBalance(Holder self, uint256 amount) internal pure returns (Holder) {
        return Holder.wrap((Holder.unwrap(self) & ~BALANCE_MASK) | amount);
    }

    /// @dev The caller has checked that neither the sum of all rewards nor `today_` outgrows its field.
    function rewarded(Holder self, uint256 amount, uint256 time, uint256 today_) internal pure returns (Holder) {
        unchecked {
            uint256 amounts = uint192(Holder.unwrap(self)) + amount + (amount << 96);
            return Holder.wrap(amounts | (time << 192) | (today_ << 224));
        }
    }
}

library SupplyWord {
    function total(Supply self) internal pure returns (uint256) {
        return uint96(Supply.unwrap(self));
    }

    function inEpoch(Supply self) internal pure returns (uint256) {
        return uint96(Supply.unwrap(self) >> 96);
    }

    function epoch(Supply self) internal pure returns (uint256) {
        return uint32(Supply.unwrap(self) >> 192);
    }

    /// @notice The same supply at the start of `epoch_`, in which nothing was minted yet.
    function rolledTo(Supply self, uint256 epoch_) internal pure returns (Supply) {
        return Supply.wrap(self.total() | (epoch_ << 192));
    }

    /// @dev The caller has checked that both sums stay below 96 bits.
    function add(Supply self, uint256 amount) internal pure returns (Supply) {
        unchecked {
            return Supply.wrap(Supply.unwrap(self) + amount + (amount << 96));
        }
    }
}

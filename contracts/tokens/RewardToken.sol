// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IRewardToken} from "../interfaces/ITokens.sol";
import {Holder, Supply} from "../words/Holder.sol";

/// @title A reward token with its caps inside
/// @notice Its minters are fixed for ever, and cannot mint past a cap in total, a cap per epoch of a day, or a cap per
/// holder and epoch. A reward that does not fit is passed over, never a reason to revert: what is being rewarded must
/// not depend on it.
/// @dev Balance and reward statistics of a holder share a word, so that a reward costs one storage write. OpenZeppelin
/// keeps allowances, permits, events and checks; only where balances live differs. 96 bits hold 79 billion tokens,
/// far more than MAX_SUPPLY.
abstract contract RewardToken is ERC20Permit, IRewardToken {
    struct HolderCell {
        Holder word;
    }

    uint256 private constant EPOCH = 1 days;
    uint256 public constant MAX_SUPPLY = 1_000_000_000e18;
    uint256 public constant EPOCH_CAP = 1_000_000e18;
    uint256 public constant HOLDER_EPOCH_CAP = 1_000e18;

    address public immutable MINTER;
    address public immutable SECOND_MINTER;

    mapping(address => Holder) private _holders;
    Supply private _supply;

    modifier onlyMinter() {
        require(msg.sender == MINTER || msg.sender == SECOND_MINTER, RewardTokenOnlyMinter(msg.sender));
        _;
    }

    constructor(string memory name, string memory symbol, address minter, address secondMinter)
        ERC20(name, symbol)
        ERC20Permit(name)
    {
        MINTER = minter;
        SECOND_MINTER = secondMinter;
    }

    function mint(address to, uint256 amount) external onlyMinter returns (bool minted) {
        Supply supply = _rolled();
        (supply, minted) = _reward(supply, to, amount);
        if (minted) _supply = supply;
    }

    function mintBatch(uint256[] calldata rewards) external onlyMinter returns (uint256 minted) {
        Supply supply = _rolled();
        for (uint256 i; i < rewards.length; ++i) {
            unchecked {
                // What is minted stays below MAX_SUPPLY, and 96 bits of whole tokens below any word.
                uint256 reward = rewards[i];
                uint256 whole = reward >> 160;
                bool fits;
                (supply, fits) = _reward(supply, address(uint160(reward)), whole * 1e18);
                if (fits) minted += whole;
            }
        }
        _supply = supply;
    }

    function balanceOf(address holder) public view override(ERC20, IERC20) returns (uint256) {
        return _holders[holder].balance();
    }

    function totalSupply() public view override(ERC20, IERC20) returns (uint256) {
        return _supply.total();
    }

    function currentEpoch() public view returns (uint256) {
        return block.timestamp / EPOCH;
    }

    function mintedInEpoch() external view returns (uint256) {
        return _rolled().inEpoch();
    }

    function rewardsOf(address holder) external view returns (uint256 total, uint256 inEpoch, uint256 lastAt) {
        Holder h = _holders[holder];
        return (h.earned(), _today(h, currentEpoch()) * 1e18, h.lastAt());
    }

    /// @dev The supply word, as a call in this epoch finds it.
    function _rolled() private view returns (Supply supply) {
        supply = _supply;
        uint256 epoch = currentEpoch();
        if (supply.epoch() != epoch) supply = supply.rolledTo(epoch);
    }

    /// @return Whole tokens of the holder's in `epoch`.
    function _today(Holder holder, uint256 epoch) private pure returns (uint256) {
        return holder.lastAt() / EPOCH == epoch ? holder.today() : 0;
    }

    function _reward(Supply supply, address to, uint256 amount) private returns (Supply, bool) {
        HolderCell storage cell = _cellOf(to);
        Holder holder = cell.word;
        uint256 today = _todayWith(holder, supply, to, amount);
        if (today > HOLDER_EPOCH_CAP / 1e18) {
            emit RewardCapped(to, amount);
            return (supply, false);
        }
        if (holder.earned() == 0) emit FirstRewarded(to);
        cell.word = holder.rewarded(amount, block.timestamp, today);
        emit Transfer(address(0), to, amount);
        return (supply.add(amount), true);
    }

    /// @return Whole tokens of the holder's in this epoch, with `amount` rounded up: a cap errs on the safe side. Past its
    /// cap where anything else forbids the reward.
    function _todayWith(Holder holder, Supply supply, address to, uint256 amount) private pure returns (uint256) {
        unchecked {
            if (to == address(0)) return type(uint256).max;
            // This cap bounds the amount, so that no sum overflows; the others keep each far below its field.
            if (amount > HOLDER_EPOCH_CAP) return type(uint256).max;
            if (supply.inEpoch() + amount > EPOCH_CAP) return type(uint256).max;
            if (supply.total() + amount > MAX_SUPPLY) return type(uint256).max;
            return _today(holder, supply.epoch()) + (amount + 1e18 - 1) / 1e18;
        }
    }

    /// @dev Found once for the read and the write, which the compiler would each hash anew.
    function _cellOf(address holder) private pure returns (HolderCell storage cell) {
        assembly ("memory-safe") {
            mstore(0, shr(96, shl(96, holder)))
            mstore(32, _holders.slot)
            cell.slot := keccak256(0, 64)
        }
    }

    /// @dev Minting never comes through here: transfers alone do, and nobody can burn.
    function _update(address from, address to, uint256 amount) internal override {
        Holder holder = _holders[from];
        uint256 balance = holder.balance();
        require(balance >= amount, IERC20Errors.ERC20InsufficientBalance(from, balance, amount));
        unchecked {
            // No balance is more than all there is. Read after the write, since both may be the same.
            _holders[from] = holder.withBalance(balance - amount);
            holder = _holders[to];
            _holders[to] = holder.withBalance(holder.balance() + amount);
        }
        emit Transfer(from, to, amount);
    }
}

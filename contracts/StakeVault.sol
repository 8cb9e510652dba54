// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/// @title Where the NST of one validator lies
/// @notice An ERC-20 with votes knows one delegate an account. So each validator has an account of its own, and NST's
/// checkpoints are the votes of the staked: they are never more than the supply, and need no second book. What is
/// slashed leaves by `send` like everything else, and its votes with it.
///
/// Every vault is a minimal proxy (ERC-1167) of one instance of this contract, whose two addresses are immutable: there
/// is nothing to initialise, no storage, and no upgrade. That instance itself holds nothing.
contract StakeVault is IStakeVault {
    using SafeERC20 for IERC20;

    address public immutable TOKEN;
    address public immutable REGISTRY;

    /// @param nst NST.
    /// @param registry ValidatorRegistry's proxy.
    constructor(address nst, address registry) {
        TOKEN = nst;
        REGISTRY = registry;
    }

    modifier onlyRegistry() {
        require(msg.sender == REGISTRY, VaultOnlyRegistry(msg.sender, REGISTRY));
        _;
    }

    function delegate(address delegatee) external onlyRegistry {
        IVotes(TOKEN).delegate(delegatee);
    }

    function send(address to, uint256 amount) external onlyRegistry {
        IERC20(TOKEN).safeTransfer(to, amount);
    }
}

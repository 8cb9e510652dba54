// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/// @title NST, stake and votes
/// @notice 18 decimals, fixed at genesis, and only ever burned. Votes by ERC-5805 on the timestamp clock of ERC-6372.
/// Not upgradeable; no hook, no blocklist, no pause.
contract NST is ERC20Permit, ERC20Votes, ERC20Burnable {
    uint256 public constant GENESIS = 100_000_000e18;

    /// @param holder Who receives the supply at genesis.
    constructor(address holder) ERC20("NeuroSwarm NST", "NST") ERC20Permit("NeuroSwarm NST") {
        _mint(holder, GENESIS);
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 amount) internal override(ERC20, ERC20Votes) {
        super._update(from, to, amount);
    }
}

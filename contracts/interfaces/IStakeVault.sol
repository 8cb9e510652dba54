// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Where the NST of one validator lies
/// @notice Source: PROTOCOL, section 3: "staked NST keeps its vote".
interface IStakeVault {
    /// @notice Only ValidatorRegistry may move or delegate what lies here.
    error VaultOnlyRegistry(address sender, address registry);

    /// @notice Gives the votes of all NST here, now and later, to `delegatee`; zero for nobody. Registry alone.
    function delegate(address delegatee) external;
    /// @notice Sends NST. Registry alone.
    /// @param amount NST wei.
    function send(address to, uint256 amount) external;

    /// @notice NST.
    // solhint-disable-next-line func-name-mixedcase
    function TOKEN() external view returns (address);
    /// @notice ValidatorRegistry.
    // solhint-disable-next-line func-name-mixedcase
    function REGISTRY() external view returns (address);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title NSD, the fuel
interface INSD is IERC20 {
    /// @notice `amount` of `user` was burned ahead of use; `requestId` zero for a deposit into credits.
    event NSDBurned(address indexed user, uint256 amount, bytes32 indexed requestId, uint256 timestamp);
    /// @notice Minted back within what was burned.
    event NSDMinted(address indexed to, uint256 amount);
    /// @notice Taken out of what may be minted back, for ever.
    event NSDRetired(uint256 amount, uint256 retired);

    error NSDOnlyLedger(address sender);
    error NSDHeadroomExceeded(uint256 amount, uint256 headroom);

    /// @notice Burns within the user's allowance to the ledger. Ledger alone. Source: seed 3, step 2.
    function burnForRequest(address user, uint256 amount, bytes32 requestId) external returns (bool);
    /// @notice Mints back, at most `headroom()`. Ledger alone.
    function mint(address to, uint256 amount) external;
    /// @notice Lowers the headroom for ever. Ledger alone.
    function retire(uint256 amount) external;

    function GENESIS() external view returns (uint256);
    function LEDGER() external view returns (address);
    function retired() external view returns (uint256);
    /// @notice What may be minted back: `GENESIS - totalSupply - retired`.
    function headroom() external view returns (uint256);
    function currentEpoch() external view returns (uint256);
    function burnedInEpoch(uint256 epoch) external view returns (uint256);
    function mintedInEpoch(uint256 epoch) external view returns (uint256);
}

/// @title A reward token whose caps no minter can lift
interface IRewardToken is IERC20 {
    /// @notice `holder` earned a reward for the first time.
    event FirstRewarded(address indexed holder);
    /// @notice A reward was not minted: a cap is reached.
    event RewardCapped(address indexed holder, uint256 amount);

    error RewardTokenOnlyMinter(address sender);

    /// @notice Mints `amount`, or nothing where it does not fit under a cap. Minters alone.
    /// @return minted Whether it was minted.
    function mint(address to, uint256 amount) external returns (bool minted);
    /// @notice Mints whole tokens to many. Minters alone.
    /// @param rewards For each: holder in the low 160 bits, number of whole tokens above.
    /// @return minted How many whole tokens were minted; those over a cap are passed over.
    function mintBatch(uint256[] calldata rewards) external returns (uint256 minted);

    function MAX_SUPPLY() external view returns (uint256);
    function EPOCH_CAP() external view returns (uint256);
    function HOLDER_EPOCH_CAP() external view returns (uint256);
    function currentEpoch() external view returns (uint256);
    function mintedInEpoch() external view returns (uint256);
    /// @return total All that was ever minted to `holder`.
    /// @return inEpoch What of it was minted in the current epoch.
    /// @return lastAt Unix seconds of the last reward.
    function rewardsOf(address holder) external view returns (uint256 total, uint256 inEpoch, uint256 lastAt);
}

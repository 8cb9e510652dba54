// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title LCAI for chats
/// @notice 1 LCAI a completed chat that consumed at least 5 NSD. Source: seed 1.
interface IModelReward {
    event PrivacySet(address indexed user, bool isPrivate);
    event RewardClaimed(address indexed user, uint256 chats);

    error RewardNothingAccrued(address user);
    /// @notice A cap of the token is reached; what is accrued stays so.
    error RewardCapReached(address user, uint256 chats);

    /// @notice Mints what the assigned lane accrued for `user`, as far as today's caps allow. Anyone, for anybody.
    /// @return chats How many; the rest stays accrued.
    function claim(address user) external returns (uint256 chats);
    /// @notice Marks the sender's profile private, or public again.
    function setPrivate(bool isPrivate) external;

    /// @notice Whether `user` ever completed a rewarded chat.
    function isInferencer(address user) external view returns (bool);
    /// @return interactions Rewarded chats, minted and accrued.
    /// @return totalRewards LCAI wei earned, minted and accrued.
    /// @return lastInteraction Unix seconds of the last reward or assigned submission.
    /// @return isPrivate The user's own flag.
    function statsOf(address user)
        external
        view
        returns (uint256 interactions, uint256 totalRewards, uint256 lastInteraction, bool isPrivate);
    function REWARD_PER_CHAT() external view returns (uint256);
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Governed} from "./Governed.sol";
import {IInferenceRouter, IRouterPeers, AccountView} from "./interfaces/IInferenceRouter.sol";
import {IModelReward} from "./interfaces/IModelReward.sol";
import {IRewardToken} from "./interfaces/ITokens.sol";

/// @title LCAI for chats
/// @notice # Earning
/// A completed chat that consumed at least 5 NSD earns 1 LCAI. The direct lane mints it in the settling transaction;
/// the assigned lane counts it in the user's account word, and `claim`, or the user's next direct chat, mints it.
///
/// # Statistics
/// The token keeps what each holder earned and when, in the word of its balance; the router keeps what is accrued.
/// This contract adds them up, and keeps what neither knows: whether a user wants to be private.
///
/// # Failing
/// No settlement waits for a reward. A claim mints what fits under the token's caps, and leaves the rest for later.
contract ModelReward is Governed, IModelReward {
    /// @custom:storage-location erc7201:neuroswarm.storage.ModelReward
    struct Layout {
        mapping(address user => bool) isPrivate;
    }

    // keccak256(abi.encode(uint256(keccak256("neuroswarm.storage.ModelReward")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT = 0xb4b05a7e08d6ad0eaf6a31f6a300079b6f8aa8e034e0f97e7c997b553b722300;
    uint256 public constant REWARD_PER_CHAT = 1e18;

    address public immutable ROUTER;
    IRewardToken public immutable TOKEN;

    constructor(address router, address modelToken) {
        ROUTER = router;
        TOKEN = IRewardToken(modelToken);
    }

    function claim(address user) external returns (uint256 chats) {
        uint256 accrued = IInferenceRouter(ROUTER).accountOf(user).accruedChats;
        require(accrued != 0, RewardNothingAccrued(user));
        chats = IRouterPeers(ROUTER).takeAccrued(user, _roomFor(user));
        require(chats != 0 && TOKEN.mint(user, chats * REWARD_PER_CHAT), RewardCapReached(user, accrued));
        emit RewardClaimed(user, chats);
    }

    function setPrivate(bool isPrivate) external {
        _layout().isPrivate[msg.sender] = isPrivate;
        emit PrivacySet(msg.sender, isPrivate);
    }

    function isInferencer(address user) external view returns (bool) {
        (uint256 total,,) = TOKEN.rewardsOf(user);
        return total != 0 || IInferenceRouter(ROUTER).accountOf(user).accruedChats != 0;
    }

    function statsOf(address user)
        external
        view
        returns (uint256 interactions, uint256 totalRewards, uint256 lastInteraction, bool isPrivate)
    {
        AccountView memory account = IInferenceRouter(ROUTER).accountOf(user);
        (totalRewards,, lastInteraction) = TOKEN.rewardsOf(user);
        totalRewards += account.accruedChats * REWARD_PER_CHAT;
        interactions = totalRewards / REWARD_PER_CHAT;
        if (interactions != 0 && account.lastSubmitAt > lastInteraction) lastInteraction = account.lastSubmitAt;
        isPrivate = _layout().isPrivate[user];
    }

    /// @dev Chats whose reward fits under every cap today. Down: only whole tokens are earned.
    function _roomFor(address user) private view returns (uint256) {
        (, uint256 today,) = TOKEN.rewardsOf(user);
        uint256 room = Math.min(TOKEN.HOLDER_EPOCH_CAP() - today, TOKEN.EPOCH_CAP() - TOKEN.mintedInEpoch());
        return Math.min(room, TOKEN.MAX_SUPPLY() - TOKEN.totalSupply()) / REWARD_PER_CHAT;
    }

    function _layout() private pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := LAYOUT
        }
    }
}

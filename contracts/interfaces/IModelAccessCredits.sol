// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The door of the ledger: the only burner and minter of NSD
/// @notice A credit is one NSD burned ahead of use. Source: seed 1 (credits), seed 3 (burn, mint, split).
interface IModelAccessCredits {
    /// @notice A withdrawal that has not taken effect.
    /// @param amount NSD wei asked for; what credits hold by then, if less, is what leaves.
    /// @param readyAt Unix seconds from which it can be executed.
    struct Withdrawal {
        uint96 amount;
        uint40 readyAt;
    }

    /// @notice Legs on their way out of a till.
    /// @param validatorLeg NSD wei for the validator's owner.
    /// @param treasuryLeg NSD wei for the treasury.
    /// @param readyAt Unix seconds from which they can be minted.
    struct Claim {
        uint96 validatorLeg;
        uint96 treasuryLeg;
        uint40 readyAt;
    }

    event Deposited(address indexed payer, address indexed user, uint256 amount);
    event WithdrawalRequested(address indexed user, uint256 amount, uint256 readyAt);
    event WithdrawalCancelled(address indexed user, uint256 amount);
    event Withdrawn(address indexed user, uint256 amount);
    event ClaimStarted(uint256 indexed validator, uint256 validatorLeg, uint256 treasuryLeg, uint256 readyAt);
    event Claimed(uint256 indexed validator, address indexed to, uint256 validatorLeg, uint256 treasuryLeg);
    /// @notice A case took legs out of a pending claim.
    event ClaimSeized(uint256 indexed validator, uint256 validatorLeg, uint256 treasuryLeg);
    event Retired(uint256 amount);
    event TreasuryChanged(address previous, address current);

    error CreditsZeroAmount();
    error CreditsZeroAddress();
    error CreditsInsufficient(address user, uint256 credits, uint256 required);
    error CreditsNothingPending(address user);
    /// @notice A withdrawal or a claim cannot be executed before `readyAt`.
    error CreditsNotReady(uint256 readyAt);
    /// @notice An earlier claim of this validator is still to be executed.
    error CreditsClaimPending(uint256 validator, uint256 readyAt);
    error CreditsNothingToClaim(uint256 validator);
    error CreditsOnlyRouter(address sender);
    /// @notice The pending claim holds less than a case wants to freeze.
    error CreditsClaimTooSmall(uint256 validator, uint256 validatorLeg, uint256 treasuryLeg);

    /// @notice Burns NSD of the sender, within its allowance, into its credits.
    function deposit(uint256 amount) external;
    /// @notice Burns NSD of the sender into the credits of `user`.
    function depositFor(address user, uint256 amount) external;
    /// @notice `deposit` with an EIP-2612 permit of the sender; a permit that was used already does no harm.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Announces a withdrawal; until it is executed the credits stay usable. Replaces an earlier one. It can be
    /// executed at any time after its date: who answers on trust in credits counts them less `withdrawalOf(user).amount`.
    function requestWithdrawal(uint256 amount) external;
    function cancelWithdrawal() external;
    /// @notice Mints the sender's credits back to its wallet after the delay.
    /// @return amount NSD wei that left: what was announced, or less where credits were used meanwhile.
    function withdraw() external returns (uint256 amount);

    /// @notice Moves the legs out of a validator's till; they can be minted after the challenge window. Anyone.
    function startClaim(uint256 validator) external;
    /// @notice Mints the legs to the validator's owner and the treasury. Anyone.
    function claim(uint256 validator) external;

    /// @notice Retires all burn legs and forfeits so far. Anyone.
    function retire() external returns (uint256 amount);

    /// @notice Router alone: burns what credits did not cover from the user's wallet.
    function burnShortfall(address user, uint256 amount, bytes32 requestId) external;

    /// @notice Router alone: takes frozen legs out of a pending claim.
    function seizeClaim(uint256 validator, uint256 validatorLeg, uint256 treasuryLeg) external;

    /// @notice Names another treasury for claims from now on. Governance alone.
    function setTreasury(address treasury) external;

    function creditsOf(address user) external view returns (uint256);
    function withdrawalOf(address user) external view returns (Withdrawal memory);
    function claimOf(uint256 validator) external view returns (Claim memory);
    function treasury() external view returns (address);
    /// @notice The ledger identity: `burned - minted - retired = owed + unretired`, where `owed` is all credits,
    /// locked payments and unclaimed legs together.
    /// @return outstanding NSD burned, and neither minted back nor retired: `NSD.headroom()`.
    /// @return unretired Burn legs and forfeits that `retire` would take.
    /// @return owed What users, validators and the treasury can still get.
    function ledger() external view returns (uint256 outstanding, uint256 unretired, uint256 owed);
}

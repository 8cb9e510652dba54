// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Governed} from "./Governed.sol";
import {IFeeController, Parameter} from "./interfaces/IFeeController.sol";
import {IInferenceRouter, IRouterPeers} from "./interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "./interfaces/IModelAccessCredits.sol";
import {INSD} from "./interfaces/ITokens.sol";
import {IValidatorRegistry} from "./interfaces/IValidatorRegistry.sol";

/// @title The door of the ledger
/// @notice # What it is
/// The only contract that burns and mints NSD. Balances themselves live in the router's words, where requests change
/// them; this contract moves them with `credit`, `debit` and `sweep`, and burns or mints the same amount.
///
/// # Identity
/// At every moment `burned - minted - retired = credits + locked + accrued + unretired`. Each function here changes
/// both sides by the same amount, or neither. The left side is the token's headroom: so nobody can be owed what
/// cannot be minted.
///
/// # Leaving
/// Credits leave after a delay, during which they stay usable: a keeper that answered an intent in good faith is
/// still paid. Earnings leave a till in two steps, a challenge window apart: a verdict can still reach them. Both
/// dates are fixed when the step begins. Nothing here can be paused.
contract ModelAccessCredits is Governed, IModelAccessCredits {
    /// @custom:storage-location erc7201:neuroswarm.storage.ModelAccessCredits
    struct Layout {
        address treasury;
        mapping(address user => Withdrawal) withdrawals;
        mapping(uint256 validator => Claim) claims;
    }

    // keccak256(abi.encode(uint256(keccak256("neuroswarm.storage.ModelAccessCredits")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT = 0xfd8fc20c22d4cbcf27c82b5fcb990ba6df5d4ce39c526c04c32d42b87cb0f900;

    address public immutable ROUTER;
    INSD public immutable TOKEN;
    IValidatorRegistry public immutable VALIDATORS;
    IFeeController public immutable FEES;

    constructor(address router, address nsd, address validators, address fees) {
        ROUTER = router;
        TOKEN = INSD(nsd);
        VALIDATORS = IValidatorRegistry(validators);
        FEES = IFeeController(fees);
    }

    /// @param treasury_ Who receives the treasury's legs.
    function initialize(address treasury_) external reinitializer(2) {
        _setTreasury(treasury_);
    }

    function setTreasury(address treasury_) external restricted {
        _setTreasury(treasury_);
    }

    // ---- credits

    function deposit(uint256 amount) external {
        _deposit(msg.sender, amount);
    }

    function depositFor(address user, uint256 amount) external {
        require(user != address(0), CreditsZeroAddress());
        _deposit(user, amount);
    }

    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        // Somebody may have used the permit first: then the allowance is there, and the deposit goes on.
        try IERC20Permit(address(TOKEN)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(msg.sender, amount);
    }

    function requestWithdrawal(uint256 amount) external {
        require(amount != 0, CreditsZeroAmount());
        uint256 credits = creditsOf(msg.sender);
        require(amount <= credits, CreditsInsufficient(msg.sender, credits, amount));
        uint256 readyAt = block.timestamp + FEES.get(Parameter.WithdrawDelay);
        // `amount` is within credits, which are 96 bits.
        _layout().withdrawals[msg.sender] = Withdrawal(uint96(amount), uint40(readyAt));
        emit WithdrawalRequested(msg.sender, amount, readyAt);
    }

    function cancelWithdrawal() external {
        uint256 amount = _takeWithdrawal().amount;
        emit WithdrawalCancelled(msg.sender, amount);
    }

    function withdraw() external returns (uint256 amount) {
        Withdrawal memory withdrawal = _takeWithdrawal();
        require(block.timestamp >= withdrawal.readyAt, CreditsNotReady(withdrawal.readyAt));
        amount = IRouterPeers(ROUTER).debit(msg.sender, withdrawal.amount);
        TOKEN.mint(msg.sender, amount);
        emit Withdrawn(msg.sender, amount);
    }

    function burnShortfall(address user, uint256 amount, bytes32 requestId) external {
        require(msg.sender == ROUTER, CreditsOnlyRouter(msg.sender));
        TOKEN.burnForRequest(user, amount, requestId);
    }

    // ---- earnings

    function startClaim(uint256 validator) external {
        Layout storage $ = _layout();
        uint256 pending = $.claims[validator].readyAt;
        require(pending == 0, CreditsClaimPending(validator, pending));
        (uint256 validatorLeg, uint256 treasuryLeg) = IRouterPeers(ROUTER).sweep(validator);
        require(validatorLeg + treasuryLeg != 0, CreditsNothingToClaim(validator));
        uint256 readyAt = block.timestamp + FEES.get(Parameter.ChallengeWindow);
        // All NSD there ever is fits 96 bits.
        $.claims[validator] = Claim(uint96(validatorLeg), uint96(treasuryLeg), uint40(readyAt));
        emit ClaimStarted(validator, validatorLeg, treasuryLeg, readyAt);
    }

    function claim(uint256 validator) external {
        Layout storage $ = _layout();
        Claim memory c = $.claims[validator];
        require(c.readyAt != 0, CreditsNothingToClaim(validator));
        require(block.timestamp >= c.readyAt, CreditsNotReady(c.readyAt));
        delete $.claims[validator];
        address owner = VALIDATORS.ownerOf(validator);
        if (c.validatorLeg != 0) TOKEN.mint(owner, c.validatorLeg);
        if (c.treasuryLeg != 0) TOKEN.mint($.treasury, c.treasuryLeg);
        emit Claimed(validator, owner, c.validatorLeg, c.treasuryLeg);
    }

    function seizeClaim(uint256 validator, uint256 validatorLeg, uint256 treasuryLeg) external {
        require(msg.sender == ROUTER, CreditsOnlyRouter(msg.sender));
        Claim storage c = _layout().claims[validator];
        require(
            c.validatorLeg >= validatorLeg && c.treasuryLeg >= treasuryLeg,
            CreditsClaimTooSmall(validator, c.validatorLeg, c.treasuryLeg)
        );
        // Neither is more than what is there, which has 96 bits.
        c.validatorLeg -= uint96(validatorLeg);
        c.treasuryLeg -= uint96(treasuryLeg);
        emit ClaimSeized(validator, validatorLeg, treasuryLeg);
    }

    function retire() external returns (uint256 amount) {
        amount = IRouterPeers(ROUTER).takeUnretired();
        TOKEN.retire(amount);
        emit Retired(amount);
    }

    // ---- views

    function creditsOf(address user) public view returns (uint256) {
        return IInferenceRouter(ROUTER).accountOf(user).credits;
    }

    function withdrawalOf(address user) external view returns (Withdrawal memory) {
        return _layout().withdrawals[user];
    }

    function claimOf(uint256 validator) external view returns (Claim memory) {
        return _layout().claims[validator];
    }

    function treasury() external view returns (address) {
        return _layout().treasury;
    }

    function ledger() external view returns (uint256 outstanding, uint256 unretired, uint256 owed) {
        outstanding = TOKEN.headroom();
        (,, unretired) = IInferenceRouter(ROUTER).ledger();
        owed = outstanding - unretired;
    }

    function _deposit(address user, uint256 amount) private {
        require(amount != 0, CreditsZeroAmount());
        TOKEN.burnForRequest(msg.sender, amount, 0);
        IRouterPeers(ROUTER).credit(user, amount);
        emit Deposited(msg.sender, user, amount);
    }

    function _takeWithdrawal() private returns (Withdrawal memory withdrawal) {
        Layout storage $ = _layout();
        withdrawal = $.withdrawals[msg.sender];
        require(withdrawal.readyAt != 0, CreditsNothingPending(msg.sender));
        delete $.withdrawals[msg.sender];
    }

    function _setTreasury(address treasury_) private {
        require(treasury_ != address(0), CreditsZeroAddress());
        Layout storage $ = _layout();
        emit TreasuryChanged($.treasury, treasury_);
        $.treasury = treasury_;
    }

    function _layout() private pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := LAYOUT
        }
    }
}

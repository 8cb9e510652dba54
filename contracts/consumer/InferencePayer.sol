// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IInferenceRouter} from "../interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../interfaces/IModelAccessCredits.sol";
import {Ticket} from "../words/Ticket.sol";

/// @dev What a payer does with NSD. OpenZeppelin's IERC20 holds it too; nobody has to install that for a payer.
interface PayerToken {
    function approve(address spender, uint256 amount) external returns (bool);
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address holder) external view returns (uint256);
}

/// @dev Whom the router and the ledger know for ever.
interface PayerPeers {
    function CREDITS() external view returns (address);
    function TOKEN() external view returns (address);
}

/// @title A contract that pays for inference
/// @notice Holds NSD, and lets the ledger burn what a request costs: credits first, then what it holds. What a request
/// leaves, and what a failed one gives back, returns as credits: they pay for the next request, or leave by a withdrawal.
abstract contract InferencePayer {
    IInferenceRouter public immutable ROUTER;
    /// ModelAccessCredits: the only spender of this contract's NSD.
    IModelAccessCredits public immutable CREDITS;
    PayerToken public immutable NSD;

    /// @param router The proxy of InferenceRouter; credits and NSD are found there. Reverts where it is none.
    constructor(address router) {
        ROUTER = IInferenceRouter(router);
        address credits = PayerPeers(router).CREDITS();
        CREDITS = IModelAccessCredits(credits);
        NSD = PayerToken(PayerPeers(credits).TOKEN());
        NSD.approve(credits, type(uint256).max);
    }

    /// @notice What a request of up to `maxTokens` output tokens takes, at today's terms and without priority, NSD wei.
    /// @param callbackGas As in `Ask`: 0 up to 500,000.
    /// @return payment Buys all of them. From `ROUTER.commitFromOf(model)` on (500 NSD at launch) it cannot be submitted.
    /// @return callbackFee Beside the payment; comes back where no answer does.
    function _quote(bytes32 model, uint256 maxTokens, uint256 callbackGas)
        internal
        view
        returns (uint256 payment, uint256 callbackFee)
    {
        payment = ROUTER.quote(model, maxTokens, false);
        if (callbackGas != 0) callbackFee = callbackGas * ROUTER.callbackGasPriceOf(model);
    }

    /// @notice NSD wei that requests can use before this contract's own NSD is burned.
    function _credits() internal view returns (uint256) {
        return ROUTER.accountOf(address(this)).credits;
    }

    /// @notice Announces that credits shall become NSD here: 15 minutes later, at launch. Until then they pay for requests
    /// as before. A second announcement replaces the first and its date.
    /// @param amount NSD wei, more than 0 and at most the credits: else `CreditsZeroAmount`, `CreditsInsufficient`.
    function _announceWithdrawal(uint256 amount) internal {
        CREDITS.requestWithdrawal(amount);
    }

    /// @notice Mints what was announced to this contract, or what is left of it. Before its date `CreditsNotReady`, without
    /// an announcement `CreditsNothingPending`.
    /// @return amount NSD wei that arrived.
    function _withdraw() internal returns (uint256 amount) {
        return CREDITS.withdraw();
    }

    /// @notice Takes a request of this contract back, as `IInferenceRouter.cancel` does: a queued one ends at once; the
    /// validator of an assigned one has 30 seconds to answer all the same, then anybody's `expire` ends it.
    /// @param ticket The four words of the request's `RequestSubmitted` event. `RouterNotPayer` where another contract paid.
    function _cancel(Ticket memory ticket) internal {
        ROUTER.cancel(ticket);
    }

    /// @notice The id of the request that a ticket stands for, whether or not there is one.
    function _idOf(Ticket memory ticket) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(ROUTER), ticket));
    }
}

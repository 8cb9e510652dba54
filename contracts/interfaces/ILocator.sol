// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ticket} from "../words/Ticket.sol";
import {Session} from "./IInferenceRouter.sol";

/// @notice Where an amount lies, and what brings it to the wallet.
enum Place {
    Wallet, // it is there
    Credits, // ModelAccessCredits: requestWithdrawal, then withdraw
    Withdrawal, // of the credits, what was announced: withdraw
    Request, // locked payment and callback fee of an open request: an answer, expire or cancel bring the rest to credits
    Session, // what the receipts of an open session left: closeSession brings it to credits
    Bond, // of a commitment: reveal brings it to credits
    Reward, // LCAI earned and not minted: ModelReward.claim
    Stake, // ValidatorRegistry: unbond, then withdrawUnbonded
    Unbonding, // ValidatorRegistry: withdrawUnbonded
    Till, // legs earned: ModelAccessCredits.startClaim, then claim
    Claim, // legs that wait out the challenge window: claim
    Frozen // legs that a case holds back: its end
}

/// @title Where everything is that an address owns
/// @notice Reads, and changes nothing. The chain lists neither requests nor sessions, commitments or cases of an address:
/// who asks names those that it knows, from events. What is not the address's own is passed over.
interface ILocator {
    /// @param token NSD, NST, LCAI or CHOIR.
    /// @param amount Token wei, never 0.
    /// @param place Where it lies.
    /// @param ref Id of the request, session, commitment or case; number of the validator; tranche's number; else 0.
    /// @param availableAt Unix seconds from which it can be in the wallet, when everything that brings it there begins now;
    /// of a locked amount, from which somebody can end what locks it. The highest number where that is nobody's to say.
    struct Holding {
        address token;
        uint256 amount;
        Place place;
        bytes32 ref;
        uint256 availableAt;
    }

    /// @param requests Tickets of requests in the assigned lane.
    /// @param sessions As they were opened.
    /// @param commitments Not revealed yet.
    /// @param validators Ids whose treasury legs count where the address is the treasury. Its own need no naming.
    /// @param cases That hold legs back.
    struct Known {
        Ticket[] requests;
        Session[] sessions;
        bytes32[] commitments;
        uint256[] validators;
        bytes32[] cases;
    }

    /// @notice Every unit of every token that `account` owns, as far as `known` leads to it.
    function locate(address account, Known calldata known) external view returns (Holding[] memory);
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IFeeController} from "../../../contracts/interfaces/IFeeController.sol";
import {
    FailureClass,
    Outcome,
    RequestStatus,
    RequestView,
    ValidatorView
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IValidatorRegistry} from "../../../contracts/interfaces/IValidatorRegistry.sol";
import {SeatWord} from "../../../contracts/words/Seat.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {HostileConsumer} from "../support/Hostile.sol";
import {Scene} from "../support/Scene.sol";

/// @notice What a campaign remembers beside the chain, and what it found wrong. A flaw is kept, not reverted, since a
/// reverted step of a campaign is forgotten.
abstract contract Ghosts is Scene {
    enum State {
        Completed,
        Delivered,
        Skipped,
        Offline,
        Timeout,
        Error,
        NoNode,
        Queued,
        CallbackOk,
        CallbackFailed,
        CallbackRetried,
        Claims,
        Retires,
        Withdrawals,
        Rewards,
        Refused,
        Pauses,
        Changes,
        Retried,
        Declined,
        BadPrompt,
        CancelRequested,
        Cancelled,
        Stakes,
        Unbonds,
        Cancels,
        Unbonded,
        Exits,
        Returns,
        Models,
        Rotations,
        Batched,
        BatchSkipped,
        Committed,
        Revealed,
        Forfeited,
        SessionOpened,
        SessionSettled,
        SessionEnding,
        SessionClosed,
        Frozen,
        Released,
        Awarded
    }

    struct Open {
        bytes32 id;
        address payer;
        uint256 locked;
        Ticket ticket;
    }

    struct Failed {
        bytes32 id;
        Ticket ticket;
        Outcome outcome;
    }

    uint256 internal constant USERS = 5;
    uint256 internal constant NODES = 3;

    Person[] internal users;
    /// Owners of the validators 4, 5 and 6; keys that operate them come and go.
    address[] internal nodes;
    HostileConsumer internal consumer;

    Open[] internal open;
    bytes32[] internal ended;
    Ticket[] internal endedTickets;
    Failed[] internal undelivered;
    mapping(bytes32 id => bytes32) internal ending;
    mapping(bytes32 id => uint256) internal nonceOf;
    mapping(address user => mapping(uint256 nonce => bool)) internal nonceUsed;
    mapping(address user => uint256[]) internal submittedAt;
    mapping(State state => uint256) public reached;
    mapping(uint256 validator => bool) internal away;

    uint256 public locked;
    /// What bonds, sessions and cases hold.
    uint256 public bonds;
    uint256 public capped;
    uint256 public frozen;
    uint256 public rewarded;
    string public flaw;

    function _check(bool holds, string memory what) internal {
        if (!holds && bytes(flaw).length == 0) flaw = what;
    }

    function _reach(State state) internal {
        ++reached[state];
    }

    // ---- requests

    function _opened(address payer, bytes32 id, Ticket memory ticket) internal {
        uint256 amount = ticket.payer.payment() + ticket.terms.callbackFee();
        open.push(Open(id, payer, amount, ticket));
        locked += amount;
        _useNonce(payer, ticket.terms.nonce());
        uint256[] storage times = submittedAt[payer];
        times.push(block.timestamp);
        if (times.length > 10) _check(block.timestamp - times[times.length - 11] >= 60, "eleven within a minute");
        if (_status(id) == RequestStatus.Queued) _reach(State.Queued);
        else _assigned(id);
    }

    /// @dev The window holds when a place is taken; it may shrink under what is open.
    function _assigned(bytes32 id) internal {
        ValidatorView memory v = router.validatorOf(router.requestOf(id).validator);
        _check(v.load <= v.capacity && !v.closed && v.stake != 0, "a full or closed one was chosen");
    }

    function _useNonce(address user, uint256 nonce) internal {
        _check(!nonceUsed[user][nonce], "a nonce was used twice");
        nonceUsed[user][nonce] = true;
        _check(router.isNonceUsed(user, nonce), "a used nonce looks unused");
    }

    function _closed(uint256 index) internal {
        bytes32 id = open[index].id;
        locked -= open[index].locked;
        ended.push(id);
        endedTickets.push(open[index].ticket);
        ending[id] = _ending(id);
        open[index] = open[open.length - 1];
        open.pop();
    }

    function _ending(bytes32 id) internal view returns (bytes32) {
        RequestView memory v = router.requestOf(id);
        v.callbackFailed = false; // the one flag that may change
        return keccak256(abi.encode(v));
    }

    function _failedAs(bytes32 id) internal {
        FailureClass class = router.requestOf(id).failure;
        if (class == FailureClass.Offline) _reach(State.Offline);
        if (class == FailureClass.Timeout) _reach(State.Timeout);
        if (class == FailureClass.Error) _reach(State.Error);
        if (class == FailureClass.NoNode) _reach(State.NoNode);
        if (class == FailureClass.BadPrompt) _reach(State.BadPrompt);
    }

    // ---- sums

    function creditsSum() public view returns (uint256 sum) {
        for (uint256 i; i < users.length; ++i) {
            sum += router.accountOf(users[i].addr).credits;
        }
        sum += router.accountOf(address(consumer)).credits + router.accountOf(relayer).credits;
    }

    function accruedSum() public view returns (uint256 sum) {
        for (uint256 i = 4; i < 4 + NODES; ++i) {
            sum += router.validatorOf(i).validatorLeg + router.validatorOf(i).treasuryLeg;
            sum += uint256(credits.claimOf(i).validatorLeg) + credits.claimOf(i).treasuryLeg;
        }
    }

    function accruedChats() public view returns (uint256 sum) {
        for (uint256 i; i < users.length; ++i) {
            sum += router.accountOf(users[i].addr).accruedChats;
        }
        sum += router.accountOf(address(consumer)).accruedChats;
    }

    function openAt(uint256 validator) public view returns (uint256 n) {
        for (uint256 i; i < open.length; ++i) {
            RequestView memory v = router.requestOf(open[i].id);
            if (v.status == RequestStatus.Assigned && v.validator == validator) ++n;
        }
    }

    // ---- what the invariants ask

    function endingsHold() external view returns (bool) {
        for (uint256 i; i < ended.length; ++i) {
            if (_ending(ended[i]) != ending[ended[i]]) return false;
        }
        return true;
    }

    function openOnes() external view returns (uint256) {
        return open.length;
    }

    function loadsHold() external view returns (bool) {
        for (uint256 id = 4; id < 4 + NODES; ++id) {
            if (router.validatorOf(id).load != openAt(id)) return false;
            uint256 capacity = router.validatorOf(id).capacity;
            if (capacity == 0 || capacity > SeatWord.capacityBound(router.validatorOf(id).stake)) return false;
        }
        return true;
    }

    function reputationsHold() external view returns (bool) {
        for (uint256 id = 4; id < 4 + NODES; ++id) {
            if (router.validatorOf(id).reputation > 100) return false;
        }
        return true;
    }

    function stakesHold() external view returns (bool) {
        uint256 sum;
        for (uint256 i; i < NODES; ++i) {
            uint256 stake = validators.stakeOf(nodes[i]);
            address vault = validators.vaultOf(4 + i);
            if (nst.balanceOf(vault) != stake + unbondingOf(4 + i)) return false;
            if (IVotes(address(nst)).getVotes(nodes[i]) != nst.balanceOf(vault)) return false;
            sum += stake;
        }
        return sum == validators.totalStaked() && nst.balanceOf(address(validators)) == 0;
    }

    function ticketsHold() external view returns (bool) {
        uint256 tickets;
        uint256 servers;
        for (uint256 i; i < NODES; ++i) {
            uint256 stake = validators.stakeOf(nodes[i]);
            bool serves = (router.validatorOf(4 + i).models >> models.indexOf(LLAMA7)) & 1 == 1;
            if (serves && stake == 0) return false;
            if (router.validatorOf(4 + i).closed != (stake == 0 || away[4 + i])) return false;
            if (!serves) continue;
            ++servers;
            tickets += stake < 5_000e18 ? 1 : stake / 5_000e18;
        }
        return router.offerOf(LLAMA7).tickets() == tickets && router.offerOf(LLAMA7).servers() == servers;
    }

    function unbondingOf(uint256 id) public view returns (uint256 sum) {
        IValidatorRegistry.Tranche[] memory tranches = validators.unbondingOf(id);
        for (uint256 i; i < tranches.length; ++i) {
            sum += tranches[i].amount;
        }
    }

    function staked() external view returns (uint256 sum) {
        for (uint256 id = 4; id < 4 + NODES; ++id) {
            sum += nst.balanceOf(validators.vaultOf(id));
        }
    }

    function emissionsHold() external view returns (bool) {
        for (uint256 i; i < USERS; ++i) {
            (, uint256 today,) = lcai.rewardsOf(users[i].addr);
            if (today > lcai.HOLDER_EPOCH_CAP()) return false;
        }
        return lcai.mintedInEpoch() <= lcai.EPOCH_CAP() && lcai.totalSupply() <= lcai.MAX_SUPPLY();
    }

    function rewardsHold() external view returns (bool) {
        return lcai.totalSupply() + accruedChats() * 1e18 == rewarded * 1e18;
    }

    function identityHolds() external view returns (bool) {
        (,, uint256 unretired) = router.ledger();
        return nsd.headroom() == creditsSum() + locked + bonds + capped + frozen + accruedSum() + unretired;
    }

    function headroom() external view returns (uint256) {
        return nsd.headroom();
    }

    function supplyHolds() external view returns (bool) {
        return nsd.totalSupply() + nsd.retired() <= nsd.GENESIS();
    }

    function parametersHold() external view returns (bool) {
        IFeeController.Setting[] memory all = fees.settings();
        for (uint256 i; i < all.length; ++i) {
            if (all[i].value < all[i].minimum || all[i].value > all[i].maximum) return false;
        }
        return true;
    }
}

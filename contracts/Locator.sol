// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IFeeController, Parameter} from "./interfaces/IFeeController.sol";
import {IInferenceRouter, SessionView} from "./interfaces/IInferenceRouter.sol";
import {ILocator, Place} from "./interfaces/ILocator.sol";
import {IModelAccessCredits} from "./interfaces/IModelAccessCredits.sol";
import {IValidatorRegistry} from "./interfaces/IValidatorRegistry.sol";
import {Ticket} from "./words/Ticket.sol";

/// @title Where everything is that an address owns
/// @notice No state, no rights, no proxy: it adds up what the contracts show. Who wants another view deploys another one.
contract Locator is ILocator {
    /// @dev The other contracts. Tokens first, in the order in which wallets are read.
    struct Peers {
        address nsd;
        address nst;
        address lcai;
        address choir;
        address router;
        address credits;
        address validators;
        address fees;
    }

    uint256 private constant NOBODY_KNOWS = type(uint256).max;
    uint256 private constant UNBONDING = 7 days;

    IERC20 public immutable NSD;
    IERC20 public immutable NST;
    IERC20 public immutable LCAI;
    IERC20 public immutable CHOIR;
    IInferenceRouter public immutable ROUTER;
    IModelAccessCredits public immutable CREDITS;
    IValidatorRegistry public immutable VALIDATORS;
    IFeeController public immutable FEES;

    /// @dev A list that grows, with room for all that can be found.
    struct List {
        Holding[] found;
        uint256 length;
    }

    constructor(Peers memory peers) {
        (NSD, NST, LCAI, CHOIR) = (IERC20(peers.nsd), IERC20(peers.nst), IERC20(peers.lcai), IERC20(peers.choir));
        ROUTER = IInferenceRouter(peers.router);
        CREDITS = IModelAccessCredits(peers.credits);
        VALIDATORS = IValidatorRegistry(peers.validators);
        FEES = IFeeController(peers.fees);
    }

    function locate(address account, Known calldata known) external view returns (Holding[] memory) {
        List memory list;
        uint256 validator = VALIDATORS.idOf(account);
        IValidatorRegistry.Tranche[] memory tranches = VALIDATORS.unbondingOf(validator);
        // Four wallets, credits and withdrawal, reward, stake, till and claim.
        uint256 room = 10 + tranches.length + known.requests.length + known.sessions.length + known.commitments.length
            + 2 * known.validators.length + 2 * known.cases.length;
        list.found = new Holding[](room);

        _wallet(list, account);
        _ledger(list, account, known);
        if (validator != 0) _stake(list, account, validator, tranches);
        _earnings(list, account, validator, known);

        Holding[] memory found = list.found;
        uint256 length = list.length;
        assembly ("memory-safe") {
            mstore(found, length)
        }
        return found;
    }

    function _wallet(List memory list, address account) private view {
        _add(list, NSD, NSD.balanceOf(account), Place.Wallet, 0, block.timestamp);
        _add(list, NST, NST.balanceOf(account), Place.Wallet, 0, block.timestamp);
        _add(list, LCAI, LCAI.balanceOf(account), Place.Wallet, 0, block.timestamp);
        _add(list, CHOIR, CHOIR.balanceOf(account), Place.Wallet, 0, block.timestamp);
        uint256 accrued = ROUTER.accountOf(account).accruedChats * 1e18;
        _add(list, LCAI, accrued, Place.Reward, 0, block.timestamp);
    }

    function _ledger(List memory list, address account, Known calldata known) private view {
        uint256 credits = ROUTER.accountOf(account).credits;
        IModelAccessCredits.Withdrawal memory leaving = CREDITS.withdrawalOf(account);
        uint256 announced = leaving.amount < credits ? leaving.amount : credits;
        uint256 delay = FEES.get(Parameter.WithdrawDelay);
        _add(list, NSD, credits - announced, Place.Credits, 0, block.timestamp + delay);
        _add(list, NSD, announced, Place.Withdrawal, 0, leaving.readyAt);
        for (uint256 i; i < known.requests.length; ++i) {
            Ticket calldata ticket = known.requests[i];
            uint256 overdueFrom = ROUTER.overdueFrom(ticket);
            if (ticket.payer.user() != account || overdueFrom == 0) continue;
            uint256 locked = ticket.payer.payment() + ticket.terms.callbackFee();
            _add(list, NSD, locked, Place.Request, ROUTER.requestId(ticket), overdueFrom);
        }
        for (uint256 i; i < known.sessions.length; ++i) {
            if (known.sessions[i].user != account) continue;
            bytes32 id = ROUTER.hashSession(known.sessions[i]);
            SessionView memory session = ROUTER.sessionOf(id);
            _add(list, NSD, session.cap - session.settled, Place.Session, id, session.endsAt);
        }
        for (uint256 i; i < known.commitments.length; ++i) {
            (uint256 bond,) = ROUTER.commitmentOf(account, known.commitments[i]);
            _add(list, NSD, bond, Place.Bond, known.commitments[i], block.timestamp);
        }
    }

    function _stake(List memory list, address account, uint256 validator, IValidatorRegistry.Tranche[] memory tranches)
        private
        view
    {
        uint256 staked = VALIDATORS.stakeOf(account);
        _add(list, NST, staked, Place.Stake, bytes32(validator), block.timestamp + UNBONDING);
        for (uint256 i; i < tranches.length; ++i) {
            _add(list, NST, tranches[i].amount, Place.Unbonding, bytes32(i), tranches[i].readyAt);
        }
    }

    /// @dev A leg is the owner's or the treasury's; the other one of the same till is passed over.
    function _earnings(List memory list, address account, uint256 validator, Known calldata known) private view {
        uint256 window = FEES.get(Parameter.ChallengeWindow);
        if (validator != 0) {
            uint256 leg = ROUTER.validatorOf(validator).validatorLeg;
            _add(list, NSD, leg, Place.Till, bytes32(validator), block.timestamp + window);
            IModelAccessCredits.Claim memory c = CREDITS.claimOf(validator);
            _add(list, NSD, c.validatorLeg, Place.Claim, bytes32(validator), c.readyAt);
        }
        bool treasury = account == CREDITS.treasury();
        for (uint256 i; treasury && i < known.validators.length; ++i) {
            uint256 id = known.validators[i];
            uint256 leg = ROUTER.validatorOf(id).treasuryLeg;
            _add(list, NSD, leg, Place.Till, bytes32(id), block.timestamp + window);
            IModelAccessCredits.Claim memory c = CREDITS.claimOf(id);
            _add(list, NSD, c.treasuryLeg, Place.Claim, bytes32(id), c.readyAt);
        }
        for (uint256 i; i < known.cases.length; ++i) {
            (uint256 id, uint256 validatorLeg, uint256 treasuryLeg) = ROUTER.frozenOf(known.cases[i]);
            if (id == 0) continue;
            if (id == validator) _add(list, NSD, validatorLeg, Place.Frozen, known.cases[i], NOBODY_KNOWS);
            if (treasury) _add(list, NSD, treasuryLeg, Place.Frozen, known.cases[i], NOBODY_KNOWS);
        }
    }

    function _add(List memory list, IERC20 token, uint256 amount, Place place, bytes32 ref, uint256 availableAt)
        private
        pure
    {
        if (amount != 0) list.found[list.length++] = Holding(address(token), amount, place, ref, availableAt);
    }
}

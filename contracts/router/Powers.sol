// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    AccessManagedUpgradeable
} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {AccountWord} from "../words/Account.sol";
import {Till} from "../words/Till.sol";
import {Settlement} from "./Settlement.sol";

/// @title What a few may do: the guardian pauses, governance sets rate limits, the court freezes legs
/// @notice A pause stops submissions, or settlement together with the claims that something failed, for a day at most.
/// A case takes legs out of the till, or out of the claim that waits, and gives them back to the till or to the user.
/// Nothing here mints, and nothing leaves the ledger.
abstract contract Powers is AccessManagedUpgradeable, Settlement {
    uint256 private constant LONGEST_PAUSE = 1 days;

    // ---- pauses

    function pauseSettlement(uint256 until) external restricted {
        Layout storage $ = _layout();
        uint256 previous = $.global.pausedUntil();
        uint256 end = _pauseEnd(previous, until);
        $.global = $.global.withPause(previous > block.timestamp ? $.global.pausedAt() : block.timestamp, end);
        emit SettlementPaused(end);
    }

    function pauseIntake(uint256 until) external restricted {
        Layout storage $ = _layout();
        uint256 previous = $.intakePausedUntil;
        uint256 end = _pauseEnd(previous, until);
        // One that is shortened began when it began.
        if (previous <= block.timestamp) $.intakePauses.push(block.number);
        $.intakePausedUntil = uint40(end);
        for (uint256 i; i < $.models.length; ++i) {
            $.offers[$.models[i]] = $.offers[$.models[i]].closed();
        }
        emit IntakePaused(end);
    }

    /// @dev A pause lasts a day at most, and the next may not begin within a day of its end. A running one can only
    /// be shortened, to now at the earliest: its true end stays on record.
    function _pauseEnd(uint256 previous, uint256 until) private view returns (uint256) {
        uint256 latest = block.timestamp + LONGEST_PAUSE;
        require(until <= latest, RouterPauseTooLong(until, latest));
        if (previous > block.timestamp) {
            require(until <= previous, RouterPauseTooSoon(previous + LONGEST_PAUSE));
            return until > block.timestamp ? until : block.timestamp;
        }
        require(until > block.timestamp, RouterNotPaused());
        require(
            previous == 0 || block.timestamp >= previous + LONGEST_PAUSE, RouterPauseTooSoon(previous + LONGEST_PAUSE)
        );
        return until;
    }

    // ---- rate limit

    function setRateWindow(address account, uint256 window) external restricted {
        require(window <= AccountWord.RATE_WINDOW, RouterInvalidRateWindow(window, AccountWord.RATE_WINDOW));
        Layout storage $ = _layout();
        $.accounts[account] = $.accounts[account].withTier(AccountWord.RATE_WINDOW - window);
        emit RateWindowSet(account, window);
    }

    // ---- cases

    function freeze(bytes32 caseId, uint256 validator, uint256 validatorLeg, uint256 treasuryLeg)
        external
        onlyPeer(COURT)
    {
        Layout storage $ = _layout();
        require($.frozen[caseId].validator == 0, RouterFrozen(caseId));
        address operator = $.operators[validator];
        Till till = $.tills[operator];
        Overflow storage overflow = $.overflows[validator];
        uint256 fromValidator = till.validatorLeg() + overflow.validatorLeg;
        uint256 fromTreasury = till.treasuryLeg() + overflow.treasuryLeg;
        uint256 v = validatorLeg < fromValidator ? validatorLeg : fromValidator;
        uint256 t = treasuryLeg < fromTreasury ? treasuryLeg : fromTreasury;
        delete $.overflows[validator];
        $.tills[operator] = _earn(till.withoutLegs(), validator, fromValidator - v, fromTreasury - t);
        if (v + t < validatorLeg + treasuryLeg) CREDITS.seizeClaim(validator, validatorLeg - v, treasuryLeg - t);
        // The three fit: ids have 16 bits, and what was taken just now 96, as all NSD there ever is.
        $.frozen[caseId] = Frozen(uint16(validator), uint96(validatorLeg), uint96(treasuryLeg));
        emit LegsFrozen(caseId, validator, validatorLeg, treasuryLeg);
    }

    function release(bytes32 caseId) external onlyPeer(COURT) {
        Layout storage $ = _layout();
        Frozen memory f = _takeFrozen(caseId);
        address operator = $.operators[f.validator];
        $.tills[operator] = _earn($.tills[operator], f.validator, f.validatorLeg, f.treasuryLeg);
        emit LegsReleased(caseId, f.validator, f.validatorLeg, f.treasuryLeg);
    }

    function award(bytes32 caseId, address user) external onlyPeer(COURT) {
        Frozen memory f = _takeFrozen(caseId);
        uint256 amount = uint256(f.validatorLeg) + f.treasuryLeg;
        _credit(user, amount);
        emit LegsAwarded(caseId, user, amount);
    }

    function _takeFrozen(bytes32 caseId) private returns (Frozen memory f) {
        Layout storage $ = _layout();
        f = $.frozen[caseId];
        require(f.validator != 0, RouterNotFrozen(caseId));
        delete $.frozen[caseId];
    }
}

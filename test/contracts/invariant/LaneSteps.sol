// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {
    Intent,
    IRouterLog,
    Receipt as Slip,
    Session,
    SessionView
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Lanes} from "../support/Lanes.sol";
import {Ghosts} from "./Ghosts.sol";

/// @notice What a campaign does beside single requests: batches, commitments, sessions, cases.
abstract contract LaneSteps is Ghosts, Lanes {
    struct Pledge {
        Person user;
        Intent intent;
        bytes32 commitment;
    }

    struct Opened {
        Session session;
        Person user;
        Person key;
        uint256 count;
        uint256 total;
    }

    Pledge[] private pledges;
    Opened[] private sessions;
    Session[] private closed;
    bytes32[] private cases;

    function _lane(uint256 k, uint256 seed) internal {
        if (k == 0) batch(seed);
        else if (k == 1) commit(seed);
        else if (k == 2) reveal(seed);
        else if (k == 3) openSession(seed);
        else if (k < 6) settleSession(seed);
        else if (k == 6) seed % 2 == 0 ? endSession(seed >> 1) : closeSession(seed >> 1);
        else seed % 2 == 0 ? freeze(seed >> 1) : verdict(seed >> 1);
    }

    function _anyone(uint256 seed) private view returns (Person memory) {
        return users[seed % USERS];
    }

    // ---- batches

    /// @dev Three signed requests of different people, the second one spoilt.
    function batch(uint256 seed) private {
        Intent[] memory intents = new Intent[](3);
        bytes[] memory signatures = new bytes[](3);
        for (uint256 i; i < 3; ++i) {
            Person memory p = _anyone(seed + i);
            intents[i] = _intent(p.addr, router.accountOf(p.addr).nonce);
            signatures[i] = _sign(i == 1 ? alice.key : p.key, intents[i]);
        }
        vm.prank(relayer);
        try router.submitBatch(intents, signatures, new bytes[](3)) returns (bytes32[] memory ids) {
            _check(ids[1] == 0, "a forged item of a batch got in");
            for (uint256 i; i < 3; ++i) {
                if (ids[i] != 0) _opened(intents[i].user, ids[i], _ticketOf(intents[i]));
                _reach(ids[i] != 0 ? State.Batched : State.BatchSkipped);
            }
        } catch {
            _check(false, "one item undid a batch");
        }
    }

    // ---- commit and reveal

    function commit(uint256 seed) private {
        Person memory p = _anyone(seed);
        Intent memory i = _large(p.addr, router.accountOf(p.addr).nonce + (seed >> 8) % 3);
        i.relayer = p.addr;
        i.deadline = uint64(block.timestamp + 1 days);
        bytes32 commitment = _commitmentOf(i, SALT);
        vm.prank(p.addr);
        try router.commit(commitment, BOND) {
            for (uint256 n; n < pledges.length; ++n) {
                // Made again: the earlier bond is gone, and the new one stands for both.
                if (pledges[n].commitment == commitment) return;
            }
            pledges.push(Pledge(p, i, commitment));
            bonds += BOND;
            _reach(State.Committed);
            // Whoever waits finds the nonce used, as like as not.
            if ((seed >> 16) % 2 == 0) _revealAt(pledges.length - 1, seed >> 20);
        } catch {
            _reach(State.Refused);
        }
    }

    function reveal(uint256 seed) private {
        if (pledges.length == 0) return;
        if (seed % 5 == 0) _letGo(seed % pledges.length);
        else _revealAt(seed % pledges.length, seed);
    }

    function _revealAt(uint256 index, uint256 seed) private {
        Pledge memory p = pledges[index];
        (, uint256 atBlock) = router.commitmentOf(p.user.addr, p.commitment);
        // Now and then in the block of the commitment itself.
        if (seed % 4 != 0) _nextBlock();
        vm.prank(p.user.addr);
        try router.reveal(p.intent, "", "", SALT) returns (bytes32 id) {
            _check(block.number > atBlock && block.number <= atBlock + 256, "a reveal came too early or too late");
            _dropPledge(index);
            _opened(p.user.addr, id, _ticketOf(p.intent));
            _reach(State.Revealed);
        } catch {
            _reach(State.Refused);
        }
    }

    /// @dev 256 blocks later anybody ends it; the bond is burned, or comes back where a pause was in the way.
    function _letGo(uint256 index) internal {
        Pledge memory p = pledges[index];
        vm.roll(block.number + 257);
        (,, uint256 burned) = router.ledger();
        uint256 before = router.accountOf(p.user.addr).credits;
        vm.prank(relayer);
        router.forfeit(p.user.addr, p.commitment);
        (,, uint256 after_) = router.ledger();
        uint256 moved = after_ - burned + router.accountOf(p.user.addr).credits - before;
        _check(moved == BOND, "a bond went astray");
        _dropPledge(index);
        _reach(State.Forfeited);
    }

    function _dropPledge(uint256 index) private {
        bonds -= BOND;
        pledges[index] = pledges[pledges.length - 1];
        pledges.pop();
    }

    // ---- sessions

    function openSession(uint256 seed) private {
        Person memory p = _anyone(seed);
        Person memory key = (seed >> 8) % 2 == 0 ? p : _anyone(seed >> 9);
        Session memory s = _session(p.addr, _operatorOf(4 + (seed >> 16) % NODES));
        s.key = (seed >> 8) % 2 == 0 ? address(0) : key.addr;
        s.cap = uint96(20e18 + (seed >> 24) % 200e18);
        s.expiry = uint64(block.timestamp + 1 + (seed >> 64) % 2 days);
        bytes memory signature = _sign(p.key, s);
        vm.prank(relayer);
        try router.openSession(s, signature) {
            _useNonce(p.addr, s.nonce);
            sessions.push(Opened(s, p, key, 0, 0));
            capped += s.cap;
            _reach(State.SessionOpened);
        } catch {
            _reach(State.Refused);
        }
    }

    function settleSession(uint256 seed) private {
        if (sessions.length == 0) return;
        Opened storage o = sessions[seed % sessions.length];
        uint256 prompts = 1 + (seed >> 8) % 3;
        uint256 amount = prompts * (5e18 - 1e18 * ((seed >> 16) % 5 == 0 ? 1 : 0)) + (seed >> 24) % 5e18;
        Slip memory r = _receipt(o.count + prompts, o.total + amount);
        bytes memory signature = _sign(o.key.key, o.session, r);
        vm.recordLogs();
        vm.prank(o.session.validator);
        try router.settleSession(o.session, r, signature) {
            _checkReceipt(o, r, prompts, amount, vm.getRecordedLogs());
            (o.count, o.total) = (r.count, r.total);
            capped -= amount;
            rewarded += prompts;
            _reach(State.SessionSettled);
        } catch {
            vm.getRecordedLogs();
            _reach(State.Refused);
            return;
        }
        vm.prank(o.session.validator);
        try router.settleSession(o.session, r, signature) {
            _check(false, "a receipt settled twice");
        } catch {}
    }

    function _checkReceipt(Opened storage o, Slip memory r, uint256 prompts, uint256 amount, Vm.Log[] memory logs)
        private
    {
        _check(amount >= prompts * 5e18, "a prompt cost less than 5 NSD");
        _check(r.total <= o.session.cap, "a receipt went above the cap");
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IRouterLog.SessionSettled.selector) continue;
            bytes memory data = logs[i].data;
            uint256 legs = _word(data, 4) + _word(data, 5) + _word(data, 6);
            _check(_word(data, 3) == amount && legs == amount, "a session's split lost something");
            (uint256 records,,) = router.ledger();
            _check(uint256(logs[i].topics[3]) + prompts == records + 1, "a record has no number of its own");
            return;
        }
        _check(false, "a session settled in silence");
    }

    function endSession(uint256 seed) private {
        if (sessions.length == 0) return;
        Opened storage o = sessions[seed % sessions.length];
        vm.prank(o.user.addr);
        try router.endSession(o.session) {
            _reach(State.SessionEnding);
        } catch {
            _reach(State.Refused);
        }
    }

    function closeSession(uint256 seed) private {
        if (sessions.length == 0) return;
        uint256 index = seed % sessions.length;
        _closeAt(index, (seed >> 8) % 2 == 0 ? sessions[index].session.validator : relayer);
    }

    function _closeAt(uint256 index, address sender) internal {
        Opened memory o = sessions[index];
        SessionView memory v = router.sessionOf(_idOf(o.session));
        uint256 before = router.accountOf(o.user.addr).credits;
        vm.prank(sender);
        try router.closeSession(o.session) {
            bool mayClose = sender == o.session.validator || block.timestamp >= v.endsAt;
            _check(mayClose, "a stranger closed a session before its end");
            uint256 left = router.accountOf(o.user.addr).credits - before;
            _check(left == o.session.cap - o.total, "a session unlocked something else than was left");
            capped -= left;
            closed.push(o.session);
            sessions[index] = sessions[sessions.length - 1];
            sessions.pop();
            _reach(State.SessionClosed);
        } catch {
            _reach(State.Refused);
        }
    }

    /// @return Whether no closed session can be opened again, whoever sends it.
    function _closedStayClosed() internal view returns (bool) {
        for (uint256 i; i < closed.length; ++i) {
            if (router.sessionOf(_idOf(closed[i])).open) return false;
        }
        return true;
    }

    /// @return Whether what the chain says of open sessions is what their receipts said.
    function _sessionsHold() internal view returns (bool) {
        uint256 sum;
        for (uint256 i; i < sessions.length; ++i) {
            SessionView memory v = router.sessionOf(_idOf(sessions[i].session));
            if (!v.open || v.count != sessions[i].count || v.settled != sessions[i].total) return false;
            if (v.settled > v.cap || v.settled < 5e18 * v.count) return false;
            sum += v.cap - v.settled;
        }
        return sum == capped;
    }

    // ---- cases

    function freeze(uint256 seed) private {
        uint256 id = 4 + seed % NODES;
        uint256 v = router.validatorOf(id).validatorLeg + credits.claimOf(id).validatorLeg;
        uint256 t = router.validatorOf(id).treasuryLeg + credits.claimOf(id).treasuryLeg;
        bool tooMuch = (seed >> 8) % 4 == 0;
        v = tooMuch ? v + 1 : v == 0 ? 0 : (seed >> 16) % v;
        t = t == 0 ? 0 : (seed >> 64) % t;
        bytes32 caseId = bytes32(seed);
        vm.prank(court);
        try _peers().freeze(caseId, id, v, t) {
            _check(!tooMuch, "a case froze more than there was");
            cases.push(caseId);
            frozen += v + t;
            _reach(State.Frozen);
        } catch {
            _reach(State.Refused);
        }
    }

    function verdict(uint256 seed) private {
        if (cases.length != 0) _decide(seed % cases.length, (seed >> 8) % 2 == 0, _anyone(seed >> 16).addr);
    }

    function _decide(uint256 index, bool valid, address user) private {
        bytes32 caseId = cases[index];
        (uint256 id, uint256 v, uint256 t) = router.frozenOf(caseId);
        uint256 before = router.accountOf(user).credits;
        uint256 till = router.validatorOf(id).validatorLeg + router.validatorOf(id).treasuryLeg;
        vm.prank(court);
        if (valid) _peers().release(caseId);
        else _peers().award(caseId, user);
        till = router.validatorOf(id).validatorLeg + router.validatorOf(id).treasuryLeg - till;
        _check(till == (valid ? v + t : 0), "a case gave a till something else than it took");
        before = router.accountOf(user).credits - before;
        _check(before == (valid ? 0 : v + t), "a case gave a user something else than it took");
        frozen -= v + t;
        cases[index] = cases[cases.length - 1];
        cases.pop();
        _reach(valid ? State.Released : State.Awarded);
    }

    // ---- the end of a run

    /// @dev Sessions have ended, commitments are too old, the court has decided.
    function _drainLanes() internal {
        for (uint256 i = sessions.length; i != 0; --i) {
            _closeAt(i - 1, relayer);
        }
        for (uint256 i = pledges.length; i != 0; --i) {
            _letGo(i - 1);
        }
        for (uint256 i = cases.length; i != 0; --i) {
            _decide(i - 1, true, relayer);
        }
    }
}

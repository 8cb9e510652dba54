// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {IFeeController, Parameter} from "../../../contracts/interfaces/IFeeController.sol";
import {
    Ask,
    Delivery,
    FailureClass,
    Intent,
    IRouterLog,
    Outcome,
    RequestStatus,
    RequestView
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {IPausable} from "../support/Deployment.sol";
import {HostileConsumer} from "../support/Hostile.sol";
import {LaneSteps} from "./LaneSteps.sol";

/// @notice Five users, an integrator of changing moods, three nodes and their owners, a relayer, governance, a guardian, and time.
contract Handler is LaneSteps {
    bytes private record;
    bytes32 private digest;
    Person private lastKey;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < USERS; ++i) {
            users.push(_user(string.concat("person", vm.toString(i))));
            _deposit(users[i].addr, 300e18);
        }
        uint256[NODES] memory stakes = [uint256(60_000e18), 20_000e18, 5_000e18];
        for (uint256 i; i < NODES; ++i) {
            (address node,) = _validator(string.concat("node", vm.toString(i)), stakes[i]);
            nodes.push(node);
            vm.prank(bank);
            nst.transfer(node, 200_000e18);
            vm.prank(node);
            nst.approve(address(validators), type(uint256).max);
        }
        consumer = new HostileConsumer(router, nsd, credits);
        vm.prank(bank);
        nsd.transfer(address(consumer), 100_000e18);
        (record, digest) = _record("Paris");
    }

    /// @dev One step, chosen and filled in by `seed`: hashed, since a fuzzer likes its favourites. Ordinary things
    /// happen more often.
    function act(uint256 seed) external {
        seed = uint256(keccak256(abi.encode(seed, block.timestamp)));
        uint256 k = seed % 54;
        seed >>= 8;
        if (k < 5) ask(seed);
        else if (k < 6) askSigned(seed);
        else if (k < 8) askWithCallback(seed);
        else if (k < 16) settle(seed);
        else if (k < 17) seed % 3 == 0 ? confess(seed >> 2) : decline(seed >> 2);
        else if (k < 19) expire(seed);
        else if (k < 20) seed % 2 == 0 ? assign(seed >> 1) : cancel(seed >> 1);
        else if (k < 24) deliver(seed);
        else if (k < 28) pass(seed);
        else if (k < 40) _seldom(k, seed);
        else if (k < 46) _owner(k, 4 + (seed >> 200) % NODES, seed);
        else _lane(k - 46, seed);
    }

    /// @dev What the owner of a validator does with it.
    function _owner(uint256 k, uint256 id, uint256 seed) private {
        if (k == 40) stakeMore(id, seed);
        else if (k == 41) unbond(id, seed);
        else if (k == 42) cancelUnbonding(id, seed);
        else if (k == 43) withdrawUnbonded(id, seed);
        else if (k == 44) setModels(id, seed);
        else rotate(id, seed);
    }

    function _seldom(uint256 k, uint256 seed) private {
        if (k == 28) recover(seed);
        else if (k == 29) beat(seed);
        else if (k == 30) deposit(seed);
        else if (k == 31) announce(seed);
        else if (k == 32) withdraw(seed);
        else if (k == 33) claim(seed);
        else if (k == 34) retire();
        else if (k == 35) rewards(seed);
        else if (k == 36) retry(seed);
        else if (k == 37) openOrClose(seed);
        else if (k == 38) change(seed);
        else seed % 2 == 0 ? pauseAll(seed) : revive(seed);
    }

    // ---- asking

    function _person(uint256 seed) private view returns (Person memory) {
        return users[seed % USERS];
    }

    function _randomAsk(uint256 seed) private pure returns (Ask memory a) {
        a = _ask();
        a.payment = uint96(20e18 + (seed >> 16) % 200e18);
        a.priority = (seed >> 8) % 4 == 0;
        a.maxTokens = uint32(20 + (seed >> 24) % 2_028);
    }

    function ask(uint256 seed) private {
        _submitAs(_person(seed).addr, _randomAsk(seed));
    }

    function _submitAs(address payer, Ask memory a) private {
        Ticket memory t = _ticketOf(payer, a, router.accountOf(payer).nonce);
        vm.prank(payer);
        try router.submit(a, "") returns (bytes32 id) {
            _opened(payer, id, t);
        } catch {
            _reach(State.Refused);
        }
    }

    function askWithCallback(uint256 seed) private {
        consumer.become(HostileConsumer.Mood((seed >> 40) % 6));
        Ask memory a = _randomAsk(seed);
        (a.callback, a.callbackGas) = (address(consumer), 60_000);
        _submitAs(address(consumer), a);
    }

    function askSigned(uint256 seed) private {
        Person memory p = _person(seed);
        Intent memory i = _intent(p.addr, router.accountOf(p.addr).nonce + (seed >> 8) % 18);
        i.relayFee = uint96((seed >> 16) % 1e18);
        bytes memory signature = _sign(p.key, i);
        vm.prank(relayer);
        try router.submitFor(i, signature, "") returns (bytes32 id) {
            _opened(p.addr, id, _ticketOf(i));
        } catch {
            _reach(State.Refused);
        }
    }

    // ---- answering

    /// @dev One of the latest four: older ones wait for their end.
    function settle(uint256 seed) private {
        if (open.length == 0) return;
        _settleAt(open.length - 1 - seed % (open.length < 4 ? open.length : 4), seed);
    }

    function _settleAt(uint256 index, uint256 seed) private {
        Open memory o = open[index];
        if (_status(o.id) != RequestStatus.Assigned) return;
        uint256 before = router.accountOf(o.payer).credits;
        uint256 received = consumer.received();
        vm.recordLogs();
        vm.prank(_operatorOf(router.requestOf(o.id).validator));
        try router.settle(o.ticket, digest, 1 + (seed >> 32) % 20, record) {
            _settled(index, o, before, received);
        } catch {
            vm.getRecordedLogs();
            _reach(State.Refused);
        }
    }

    /// @dev Before a long time passes the nodes mostly finish what they have.
    function _finish(uint256 seed) private {
        if (seed % 8 == 7) return;
        for (uint256 i = open.length; i != 0; --i) {
            if (i <= open.length) _settleAt(i - 1, seed >> i % 64);
        }
    }

    function _settled(uint256 index, Open memory o, uint256 before, uint256 received) private {
        (, Outcome memory outcome,) = _settledIn(vm.getRecordedLogs());
        uint256 returned = router.accountOf(o.payer).credits - before;
        uint256 payment = o.ticket.payer.payment();
        _check(outcome.consumed + returned == payment, "a settlement lost something");
        _check(_burnsEnough(outcome), "a split burned too little");
        _check(router.isOutcome(o.id, outcome), "the commitment is another");
        _reach(State.Completed);
        ++rewarded;
        _closed(index);
        if (o.ticket.callback == address(0)) return;
        bool failed = router.requestOf(o.id).callbackFailed;
        _check(failed == (consumer.received() == received), "a callback is not what its flag says");
        if (failed) undelivered.push(Failed(o.id, o.ticket, outcome));
        _reach(failed ? State.CallbackFailed : State.CallbackOk);
    }

    /// @dev Governance cannot take the burn below 1 %; that nothing is lost the sum of all money says.
    function _burnsEnough(Outcome memory o) private pure returns (bool) {
        return (o.validatorLeg + o.treasuryLeg) * 100 <= o.consumed * 99;
    }

    function retry(uint256 seed) private {
        if (undelivered.length == 0) return;
        consumer.become(HostileConsumer.Mood.Kind);
        uint256 index = seed % undelivered.length;
        Failed memory f = undelivered[index];
        try router.retryCallback(f.ticket, f.outcome, record) {
            _reach(State.CallbackRetried);
            undelivered[index] = undelivered[undelivered.length - 1];
            undelivered.pop();
        } catch {
            _check(false, "a kind consumer could not be called again");
        }
    }

    /// @dev Up to five intents of different people, a third of them spoilt.
    function deliver(uint256 seed) private {
        uint256 n = 1 + seed % 5;
        address node = _operatorOf(4 + (seed >> 8) % NODES);
        Delivery[] memory items = new Delivery[](n);
        for (uint256 i; i < n; ++i) {
            items[i] = _item(users[i], node, uint256(keccak256(abi.encode(seed, i))));
        }
        vm.recordLogs();
        vm.prank(node);
        try router.deliver(LLAMA7, items) {
            _delivered(vm.getRecordedLogs());
        } catch {
            vm.getRecordedLogs();
            _reach(State.Refused);
        }
    }

    function _item(Person memory p, address node, uint256 seed) private returns (Delivery memory) {
        Intent memory i = _direct(p.addr, router.accountOf(p.addr).nonce + (seed >> 8) % 3, node);
        if (seed % 9 == 0) i.nonce += 40;
        if (seed % 9 == 1) i.deadline = uint64(block.timestamp - 1);
        if (seed % 9 == 2) i.payment = 1e18;
        nonceOf[router.hashIntent(i)] = i.nonce;
        return _delivery(p, i, seed % 9 == 3 ? 1_000 : 1 + (seed >> 16) % 50);
    }

    function _delivered(Vm.Log[] memory logs) private {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] == IRouterLog.DeliverySkipped.selector) _reach(State.Skipped);
            if (logs[i].topics[0] != IRouterLog.RequestSettled.selector) continue;
            Outcome memory o = _outcomeIn(logs[i]);
            _check(_burnsEnough(o), "a delivery's split burned too little");
            _useNonce(address(uint160(uint256(logs[i].topics[2]))), nonceOf[logs[i].topics[1]]);
            _reach(State.Delivered);
            ++rewarded;
        }
    }

    /// @return An open request that is assigned, from a random one on; the number of open ones where there is none.
    function _anAssigned(uint256 seed) private view returns (uint256) {
        for (uint256 i; i < open.length; ++i) {
            uint256 index = (seed + i) % open.length;
            if (_status(open[index].id) == RequestStatus.Assigned) return index;
        }
        return open.length;
    }

    function confess(uint256 seed) private {
        uint256 index = _anAssigned(seed);
        if (index == open.length) return;
        address node = _operatorOf(router.requestOf(open[index].id).validator);
        _end(index, node, abi.encodeCall(router.fail, (open[index].ticket)));
    }

    /// @dev A prompt that nobody can read is declined by all who get it; now and then everybody is there to do so.
    function decline(uint256 seed) private {
        if ((seed >> 8) % 4 == 1) {
            recover(seed >> 16);
            ask(seed >> 16);
        }
        uint256 index = (seed >> 8) % 4 == 1 && open.length != 0 ? open.length - 1 : _anAssigned(seed);
        if (index == open.length) return;
        bytes32 id = open[index].id;
        for (uint256 i; i < ((seed >> 8) % 2 == 0 ? 1 : 3); ++i) {
            RequestView memory v = router.requestOf(id);
            if (v.status != RequestStatus.Assigned) return;
            // What it missed until now counts before, not with the decline.
            vm.prank(_operatorOf(v.validator));
            router.heartbeat();
            uint256 reputation = router.validatorOf(v.validator).reputation;
            if (!_end(index, _operatorOf(v.validator), abi.encodeCall(router.decline, (open[index].ticket)))) return;
            _check(router.validatorOf(v.validator).reputation + 1 >= reputation, "a decline cost more than a point");
            _reach(State.Declined);
        }
    }

    function cancel(uint256 seed) private {
        if (open.length == 0) return;
        uint256 index = seed % 3 == 0 ? seed % open.length : _anAssigned(seed);
        if (index == open.length) return;
        Open memory o = open[index];
        bool assigned = _status(o.id) == RequestStatus.Assigned;
        if (_end(index, o.payer, abi.encodeCall(router.cancel, (o.ticket))) && assigned) _reach(State.CancelRequested);
    }

    /// @dev A keeper's round: a dozen of the open ones are tried, from a random one on.
    function expire(uint256 seed) private {
        for (uint256 i; i < 12 && open.length != 0; ++i) {
            uint256 index = (seed + i) % open.length;
            _end(index, relayer, abi.encodeCall(router.expire, (open[index].ticket)));
        }
    }

    /// @return ok Whether the call went through; the request lives on where its status says so.
    function _end(uint256 index, address sender, bytes memory data) private returns (bool ok) {
        Open memory o = open[index];
        (,, uint256 forfeited) = router.ledger();
        uint256 before = router.accountOf(o.payer).credits;
        vm.prank(sender);
        (ok,) = address(router).call(data);
        if (!ok) {
            _reach(State.Refused);
            return false;
        }
        (,, uint256 after_) = router.ledger();
        uint256 returned = router.accountOf(o.payer).credits - before;
        RequestView memory v = router.requestOf(o.id);
        if (v.status == RequestStatus.Queued || v.status == RequestStatus.Assigned) {
            _check(returned + after_ - forfeited == 0, "an open request paid");
            _check(_neverTwice(o.id, v), "an earlier node got it again");
            if (v.failure != FailureClass.None) _reach(State.Retried);
            return true;
        }
        _check(returned + after_ - forfeited == o.locked, "refund and forfeit are not the payment");
        if (v.status == RequestStatus.Cancelled) _reach(State.Cancelled);
        else _failedAs(o.id);
        _closed(index);
    }

    function _neverTwice(bytes32 id, RequestView memory v) private view returns (bool) {
        uint256[] memory earlier = router.earlierOf(id);
        for (uint256 i; i < earlier.length; ++i) {
            if (v.status == RequestStatus.Assigned && earlier[i] == v.validator) return false;
            for (uint256 j; j < i; ++j) {
                if (earlier[j] == earlier[i]) return false;
            }
        }
        return v.attempts <= 3 && earlier.length <= 3;
    }

    function assign(uint256 seed) private {
        if (open.length == 0) return;
        Open memory o = open[seed % open.length];
        try router.assign(o.ticket) {
            _assigned(o.id);
        } catch {}
    }

    /// @dev What ended is tried again, in every way.
    function revive(uint256 seed) private {
        if (ended.length == 0) return;
        Ticket memory t = endedTickets[seed % ended.length];
        address node = _operatorOf(router.requestOf(router.requestId(t)).validator);
        bytes[6] memory tries = [
            abi.encodeCall(router.decline, (t)),
            abi.encodeCall(router.cancel, (t)),
            abi.encodeCall(router.expire, (t)),
            abi.encodeCall(router.assign, (t)),
            abi.encodeCall(router.fail, (t)),
            abi.encodeCall(router.settle, (t, digest, 1, record))
        ];
        for (uint256 i; i < 6; ++i) {
            vm.prank(i == 1 ? t.payer.user() : node);
            (bool ok,) = address(router).call(tries[i]);
            _check(!ok, "an ended request moved");
        }
    }

    // ---- nodes, time

    function beat(uint256 seed) private {
        vm.prank(_operatorOf(4 + seed % NODES));
        router.heartbeat();
    }

    function openOrClose(uint256 seed) private {
        if ((seed >> 8) % 3 != 0) return _resume(seed % NODES);
        vm.prank(nodes[seed % NODES]);
        validators.pauseValidator();
        away[4 + seed % NODES] = true;
    }

    function _resume(uint256 index) private {
        vm.prank(nodes[index]);
        try validators.resumeValidator() {
            away[4 + index] = false;
        } catch {
            _check(validators.stakeOf(nodes[index]) == 0, "one with a stake could not come back");
        }
    }

    // ---- what owners do with a validator

    function stakeMore(uint256 id, uint256 seed) private {
        bool returns_ = validators.stakeOf(nodes[id - 4]) == 0;
        vm.prank(nodes[id - 4]);
        try validators.stakeMore(returns_ ? 20_000e18 : 1 + seed % 20_000e18) {
            _reach(State.Stakes);
            if (returns_) _comeBack(id);
        } catch {
            _reach(State.Refused);
        }
    }

    /// @dev Who comes back says what it serves.
    function _comeBack(uint256 id) private {
        _reach(State.Returns);
        vm.prank(nodes[id - 4]);
        validators.setModels(_names());
    }

    /// @dev Every fourth time everything, where no work is open.
    function unbond(uint256 id, uint256 seed) private {
        uint256 stake = validators.stakeOf(nodes[id - 4]);
        if (stake == 0) return stakeMore(id, seed);
        bool all = seed % 4 == 0;
        uint256 load = router.validatorOf(id).load;
        vm.prank(nodes[id - 4]);
        try validators.unbond(all ? stake : 1 + (seed >> 8) % stake) {
            _reach(State.Unbonds);
            if (validators.stakeOf(nodes[id - 4]) != 0) return;
            _reach(State.Exits);
            _check(load == 0, "left with open work");
        } catch {
            _reach(State.Refused);
        }
    }

    function cancelUnbonding(uint256 id, uint256 seed) private {
        uint256 n = validators.unbondingOf(id).length;
        bool returns_ = validators.stakeOf(nodes[id - 4]) == 0;
        vm.prank(nodes[id - 4]);
        try validators.cancelUnbonding(seed % (n + 1)) {
            _reach(State.Cancels);
            if (returns_) _comeBack(id);
        } catch {
            _reach(State.Refused);
        }
    }

    function withdrawUnbonded(uint256 id, uint256 seed) private {
        if (seed % 4 == 0) _jump(seed >> 8, 3 days);
        uint256 wallet = nst.balanceOf(nodes[id - 4]);
        uint256 waiting = unbondingOf(id);
        vm.prank(nodes[id - 4]);
        try validators.withdrawUnbonded() returns (uint256 amount) {
            _check(nst.balanceOf(nodes[id - 4]) - wallet == amount, "an unbonding paid something else");
            _check(waiting - unbondingOf(id) == amount, "an unbonding took something else");
            _reach(State.Unbonded);
        } catch {
            _reach(State.Refused);
        }
    }

    function setModels(uint256 id, uint256 seed) private {
        string[] memory names = new string[](2);
        names[0] = seed % 8 == 0 ? "demo-3m" : "llama-2-7b-q4";
        names[1] = seed % 16 < 8 ? "gpt-2-q4" : "llama-2-13b-q4";
        vm.prank(nodes[id - 4]);
        try validators.setModels(names) {
            _reach(State.Models);
        } catch {
            _check(validators.stakeOf(nodes[id - 4]) == 0, "one with a stake could not change its models");
        }
    }

    /// @dev To a fresh key mostly, else to one that works or worked already.
    function rotate(uint256 id, uint256 seed) private {
        Person memory to = seed % 4 != 0 ? Person(vm.addr(seed >> 8), seed >> 8) : lastKey;
        bool fresh = router.validatorIdOf(to.addr) == 0 && validators.formerlyOf(to.addr) == 0;
        uint256 leg = router.validatorOf(id).validatorLeg;
        uint256 seenAt = router.validatorOf(id).lastSeenAt;
        if (to.key == 0) return;
        bytes memory consent = _consent(to.key, nodes[id - 4], type(uint64).max);
        vm.prank(nodes[id - 4]);
        try validators.rotateOperator(to.addr, type(uint64).max, consent) {
            _check(fresh, "a spent key was taken again");
            lastKey = to;
            _reach(State.Rotations);
        } catch {
            _check(!fresh, "a fresh key was refused");
        }
        _check(router.validatorOf(id).validatorLeg == leg, "a rotation lost earnings");
        _check(router.validatorOf(id).lastSeenAt == seenAt, "a rotation is no sign of life");
    }

    function pass(uint256 seed) private {
        uint256 much = (seed >> 8) % 6;
        if (much == 0) _finish(seed >> 100);
        _pass(much == 0 ? 90 + (seed >> 16) % 400 : much == 1 ? 31 + (seed >> 16) % 40 : (seed >> 16) % 12);
    }

    function _jump(uint256 seed, uint256 time) private {
        _finish(seed);
        _pass(time);
    }

    /// @dev Up to three quiet days, in which every node is there: penalties heal.
    function recover(uint256 seed) private {
        _finish(seed >> 8);
        for (uint256 i; i < 9 * (1 + seed % 3); ++i) {
            _pass(9_600);
            for (uint256 n; n < NODES; ++n) {
                vm.prank(_operatorOf(4 + n));
                router.heartbeat();
            }
        }
        for (uint256 n; n < NODES; ++n) {
            _resume(n);
        }
    }

    // ---- the ledger

    function deposit(uint256 seed) private {
        vm.prank(_person(seed).addr);
        try credits.deposit(1 + (seed >> 8) % 500e18) {} catch {}
    }

    function announce(uint256 seed) private {
        vm.prank(_person(seed).addr);
        try credits.requestWithdrawal(1 + (seed >> 8) % 100e18) {} catch {}
    }

    function withdraw(uint256 seed) private {
        Person memory p = _person(seed);
        if (credits.withdrawalOf(p.addr).readyAt == 0) return announce(seed);
        if (seed % 3 == 0) _jump(seed >> 8, 15 minutes);
        uint256 before = router.accountOf(p.addr).credits;
        uint256 wallet = nsd.balanceOf(p.addr);
        vm.prank(p.addr);
        try credits.withdraw() returns (uint256 amount) {
            _check(before - router.accountOf(p.addr).credits == amount, "a withdrawal took more than it gave");
            _check(nsd.balanceOf(p.addr) - wallet == amount, "a withdrawal gave more than it took");
            _reach(State.Withdrawals);
        } catch {}
    }

    function claim(uint256 seed) private {
        uint256 id = 4 + seed % NODES;
        if (credits.claimOf(id).readyAt == 0) {
            try credits.startClaim(id) {} catch {}
            return;
        }
        if (seed % 3 == 0) _jump(seed >> 8, 1 hours);
        try credits.claim(id) {
            _reach(State.Claims);
        } catch {}
    }

    function retire() private {
        if (credits.retire() != 0) _reach(State.Retires);
    }

    function rewards(uint256 seed) private {
        try reward.claim(_person(seed).addr) {
            _reach(State.Rewards);
        } catch {}
    }

    // ---- governance

    function change(uint256 seed) private {
        Parameter p = Parameter(seed % 11);
        IFeeController.Setting memory s = fees.settingOf(p);
        // With the lowest threshold nearly everything would have to be committed to.
        uint256 least = p == Parameter.CommitFrom ? 200e18 : s.minimum;
        uint256 value = (seed >> 8) % 2 == 0 ? least : _launchValues()[uint256(p)];
        vm.prank(admin);
        try fees.set(p, value) {
            _reach(State.Changes);
        } catch {
            _check(false, "a value within its bounds was refused");
        }
    }

    function pauseAll(uint256 seed) private {
        vm.prank(guardian);
        if ((seed >> 8) % 3 == 0) {
            try IPausable(address(router)).pauseIntake(block.timestamp + (seed >> 16) % 10 minutes) {} catch {}
            _pass(10 minutes);
            models.pushOffers();
        } else {
            try IPausable(address(router)).pauseSettlement(block.timestamp + (seed >> 16) % 10 minutes) {
                _reach(State.Pauses);
            } catch {}
        }
    }

    // ---- the end of a run

    /// @dev Days later, without anybody's leave, everything open is ended.
    function drain() external {
        // Three attempts, and the queue before each.
        for (uint256 round; round < 6; ++round) {
            _pass(3 days);
            for (uint256 i = open.length; i != 0; --i) {
                _end(i - 1, relayer, abi.encodeCall(router.expire, (open[i - 1].ticket)));
            }
        }
        _drainLanes();
    }

    function sessionsHold() external view returns (bool) {
        return _sessionsHold() && _closedStayClosed();
    }

    /// @dev Everybody leaves at once.
    function leave() external {
        for (uint256 i; i < USERS; ++i) {
            _announceAll(users[i].addr);
        }
        _announceAll(address(consumer));
        _announceAll(relayer);
        _claimAll();
        _pass(7 days);
        _exitAll();
        for (uint256 i; i < USERS; ++i) {
            _withdrawAll(users[i].addr);
        }
        _withdrawAll(address(consumer));
        _withdrawAll(relayer);
        _claimAll();
        _pass(7 days);
        _claimAll();
        _exitAll();
        credits.retire();
    }

    /// @dev What is ripe is paid, and what is staked begins to wait.
    function _exitAll() private {
        for (uint256 i; i < NODES; ++i) {
            vm.startPrank(nodes[i]);
            try validators.withdrawUnbonded() {} catch {}
            uint256 stake = validators.stakeOf(nodes[i]);
            if (stake != 0) validators.unbond(stake);
            vm.stopPrank();
        }
    }

    function _announceAll(address user) private {
        uint256 amount = router.accountOf(user).credits;
        vm.prank(user);
        if (amount != 0) credits.requestWithdrawal(amount);
    }

    function _withdrawAll(address user) private {
        if (router.accountOf(user).credits == 0) return;
        vm.prank(user);
        credits.withdraw();
    }

    /// @dev What is pending is paid where its time has come, and what lies in a till begins to wait.
    function _claimAll() private {
        for (uint256 id = 4; id < 4 + NODES; ++id) {
            try credits.claim(id) {} catch {}
            try credits.startClaim(id) {} catch {}
        }
    }
}

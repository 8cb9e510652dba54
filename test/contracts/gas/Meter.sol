// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Ask,
    Delivery,
    Intent,
    Receipt as SessionReceipt,
    Session
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Consumer} from "../support/Consumer.sol";
import {Crowd} from "../support/Crowd.sol";

/// @notice Measures whole transactions: 21,000, calldata, and what runs, net of refunds. Its tests run isolated, so
/// every call that they make is a transaction of its own, with every slot cold. Steady state: nobody's first request,
/// no balance that leaves zero, and means over several users where a draw decides.
abstract contract Meter is Crowd {
    uint256 internal constant SAMPLES = 32;
    uint256 internal constant TOKENS = 317;
    bytes32 internal constant ANSWER = "thirty-two bytes of plain answer";

    function _network(uint256 n) internal {
        _seat(_equal(n, 5));
    }

    /// @dev Registered one by one, with owners who can be paid.
    function _registered(uint256 n) internal {
        for (uint256 i = 4; i < n + 4; ++i) {
            _register(_member(i), 5_000e18, _names());
        }
    }

    function _used() internal view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    function _seed(uint256 i) private returns (Person memory user) {
        user = _user(string.concat("user", vm.toString(i)));
        _deposit(user.addr, 1_000e18);
    }

    // ---- assigned

    function _assigned() internal returns (uint256 submit, uint256 settle) {
        for (uint256 i; i < SAMPLES; ++i) {
            address user = _seed(i).addr;
            _round(user);
            (uint256 a, uint256 b) = _round(user);
            (submit, settle) = (submit + a, settle + b);
        }
        return (submit / SAMPLES, settle / SAMPLES);
    }

    function _round(address user) private returns (uint256 submit, uint256 settle) {
        Ticket memory ticket = _ticketOf(user, _ask(), router.accountOf(user).nonce);
        vm.prank(user);
        bytes32 id = router.submit(_ask(), "");
        submit = _used();
        address operator = _operatorOf(router.requestOf(id).validator);
        _pass(5);
        _settle(operator, ticket, TOKENS);
        settle = _used();
    }

    /// @dev The user has signed, a relayer brings it.
    function _signed() internal returns (uint256 submit) {
        for (uint256 i; i < SAMPLES; ++i) {
            Person memory user = _seed(i);
            _submitFor(user, _intent(user.addr, 0));
            _submitFor(user, _intent(user.addr, 1));
            submit += _used();
            _pass(1);
        }
        return submit / SAMPLES;
    }

    function _selection(uint256 n) internal returns (uint256 mean) {
        uint256 state = vm.snapshotState();
        _network(n);
        (mean,) = _assigned();
        vm.revertToState(state);
    }

    // ---- integrator

    function _integrator() internal returns (uint256 submit, uint256 settle) {
        for (uint256 i; i < SAMPLES; ++i) {
            Consumer consumer = new Consumer(router, nsd, address(credits));
            credits.depositFor(address(consumer), 1_000e18);
            _roundOf(consumer);
            (uint256 a, uint256 b) = _roundOf(consumer);
            (submit, settle) = (submit + a, settle + b);
        }
        return (submit / SAMPLES, settle / SAMPLES);
    }

    function _roundOf(Consumer consumer) private returns (uint256 submit, uint256 settle) {
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(consumer), 50_000);
        Ticket memory ticket = _ticketOf(address(consumer), ask, router.accountOf(address(consumer)).nonce);
        bytes32 id = consumer.ask(ask);
        submit = _used();
        _pass(5);
        settle = _settleWithCallback(_operatorOf(router.requestOf(id).validator), ticket);
        assertEq(consumer.lastAnswer(), ANSWER);
    }

    function _settleWithCallback(address operator, Ticket memory ticket) private returns (uint256) {
        bytes memory record = bytes(string.concat('{"answer":"', string(bytes.concat(ANSWER)), '"}'));
        bytes32 digest = sha256(record);
        vm.prank(operator);
        router.settle(ticket, digest, TOKENS, record);
        return _used();
    }

    // ---- direct

    function _direct(uint256 n) internal returns (uint256 each) {
        address operator = _member(4);
        Person[] memory users = new Person[](n);
        for (uint256 i; i < n; ++i) {
            users[i] = _seed(i);
        }
        _batch(operator, users);
        _pass(20);
        return _batch(operator, users) / n;
    }

    function _batch(address operator, Person[] memory users) private returns (uint256) {
        Delivery[] memory items = new Delivery[](users.length);
        uint256 minted = lcai.totalSupply();
        for (uint256 i; i < users.length; ++i) {
            uint256 nonce = router.accountOf(users[i].addr).nonce;
            items[i] = _delivery(users[i], _direct(users[i].addr, nonce, operator), TOKENS);
        }
        vm.prank(operator);
        router.deliver(LLAMA7, items);
        uint256 used = _used();
        assertEq(lcai.totalSupply() - minted, users.length * 1e18);
        return used;
    }

    // ---- sessions

    /// @dev Opened by its user, whose first one it is not; a key signs its receipts, of a hundred prompts each.
    function _sessions() internal returns (uint256 open, uint256 first, uint256 later, uint256 close) {
        address operator = _member(4);
        Person memory user = _seed(0);
        _deposit(user.addr, 10_000e18);
        for (uint256 i; i < 2; ++i) {
            _pass(1);
            (open, first, later, close) = _session(user.addr, operator);
        }
    }

    function _session(address user, address operator)
        private
        returns (uint256 open, uint256 first, uint256 later, uint256 close)
    {
        (address key, uint256 secret) = makeAddrAndKey("session");
        Session memory session;
        (session.user, session.validator, session.key, session.model) = (user, operator, key, LLAMA7);
        (session.cap, session.expiry) = (3_000e18, uint64(block.timestamp + 30 days));
        // A test's nonces are small.
        (session.nonce, session.deadline) = (uint32(router.accountOf(user).nonce), uint64(block.timestamp + 1 hours));
        vm.prank(user);
        bytes32 id = router.openSession(session, "");
        open = _used();
        first = _settleSession(session, id, secret, 100);
        later = _settleSession(session, id, secret, 200);
        vm.prank(operator);
        router.closeSession(session);
        close = _used();
    }

    function _settleSession(Session memory session, bytes32 id, uint256 secret, uint32 count)
        private
        returns (uint256)
    {
        _pass(20);
        SessionReceipt memory receipt = SessionReceipt(count, uint96(count) * 10e18, keccak256(abi.encode(count)));
        bytes32 typeHash = keccak256("Receipt(bytes32 session,uint32 count,uint96 total,bytes32 root)");
        bytes32 message = keccak256(abi.encode(typeHash, id, receipt.count, receipt.total, receipt.root));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, keccak256(abi.encodePacked(hex"1901", _domain(), message)));
        vm.prank(session.validator);
        router.settleSession(session, receipt, abi.encodePacked(r, s, v));
        return _used();
    }

    function _domain() private view returns (bytes32) {
        bytes32 typeHash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(typeHash, keccak256("NeuroSwarm"), keccak256("1"), block.chainid, router));
    }

    // ---- what is asked in other ways, and what is not answered

    /// @dev `n` users have signed, a relayer brings all of them.
    function _submittingBatch(uint256 n) internal returns (uint256 each) {
        Intent[] memory intents = new Intent[](n);
        (bytes[] memory signatures, bytes[] memory prompts) = (new bytes[](n), new bytes[](n));
        Person[] memory users = new Person[](n);
        for (uint256 i; i < n; ++i) {
            users[i] = _seed(i);
        }
        for (uint256 round; round < 2; ++round) {
            for (uint256 i; i < n; ++i) {
                intents[i] = _intent(users[i].addr, round);
                signatures[i] = _sign(users[i].key, intents[i]);
            }
            vm.prank(relayer);
            router.submitBatch(intents, signatures, prompts);
            each = _used() / n;
            _pass(1);
        }
    }

    /// @dev A payment that must be committed to, revealed by its user.
    function _revealing() internal returns (uint256 commit, uint256 reveal) {
        Person memory user = _seed(0);
        _deposit(user.addr, 10_000e18);
        for (uint256 i; i < 2; ++i) {
            Intent memory intent = _intent(user.addr, i);
            intent.payment = 600e18;
            bytes32 salt = keccak256(abi.encode(i));
            bytes32 commitment = keccak256(abi.encode(_digestOf(intent, block.chainid, address(router)), salt));
            vm.prank(user.addr);
            router.commit(commitment, 60e18);
            commit = _used();
            _pass(12);
            vm.prank(user.addr);
            router.reveal(intent, "", "", salt);
            reveal = _used();
        }
    }

    function _cancelling() internal returns (uint256) {
        address user = _seed(0).addr;
        (Ticket memory ticket,) = _opened(user);
        _pass(5);
        vm.prank(user);
        router.cancel(ticket);
        return _used();
    }

    /// @dev The validator confesses, and the request goes to another one.
    function _failing() internal returns (uint256) {
        address user = _seed(0).addr;
        _failOnce(user);
        return _failOnce(user);
    }

    function _failOnce(address user) private returns (uint256) {
        (Ticket memory ticket, address operator) = _opened(user);
        _pass(5);
        vm.prank(operator);
        router.fail(ticket);
        return _used();
    }

    function _opened(address user) private returns (Ticket memory ticket, address operator) {
        ticket = _ticketOf(user, _ask(), router.accountOf(user).nonce);
        vm.prank(user);
        bytes32 id = router.submit(_ask(), "");
        operator = _operatorOf(router.requestOf(id).validator);
    }

    // ---- the rest

    function _register() internal returns (uint256) {
        address owner = makeAddr("another");
        vm.prank(bank);
        nst.transfer(owner, 10_000e18);
        vm.prank(owner);
        nst.approve(address(validators), 10_000e18);
        vm.prank(owner);
        validators.registerValidator(5_000e18, _names(), "https://node.example");
        return _used();
    }

    /// @dev One among the ten: more stake, out again, and paid after a week.
    function _staking() internal returns (uint256 more, uint256 unbond, uint256 cancel, uint256 withdraw) {
        address owner = _staker();
        vm.startPrank(owner);
        validators.stakeMore(5_000e18);
        more = _used();
        validators.unbond(5_000e18);
        unbond = _used();
        validators.cancelUnbonding(0);
        cancel = _used();
        validators.unbond(5_000e18);
        _pass(7 days);
        validators.withdrawUnbonded();
        withdraw = _used();
        vm.stopPrank();
    }

    function _leaving() internal returns (uint256 leave, uint256 back) {
        vm.startPrank(_staker());
        validators.unbond(5_000e18);
        leave = _used();
        validators.stakeMore(5_000e18);
        back = _used();
        vm.stopPrank();
    }

    function _changing() internal returns (uint256 names, uint256 rotate) {
        string[] memory two = new string[](2);
        (two[0], two[1]) = ("llama-2-7b-q4", "demo-3m");
        vm.prank(_staker());
        validators.setModels(two);
        names = _used();
        Person memory key = _person("another key");
        bytes memory consent = _consent(key.key, _staker(), type(uint64).max);
        vm.prank(_staker());
        validators.rotateOperator(key.addr, type(uint64).max, consent);
        rotate = _used();
    }

    /// @dev The seventh of the ten, with NST to spare.
    function _staker() private returns (address owner) {
        owner = _member(10);
        if (nst.balanceOf(owner) != 0) return owner;
        vm.prank(bank);
        nst.transfer(owner, 50_000e18);
        vm.prank(owner);
        nst.approve(address(validators), type(uint256).max);
    }

    /// @dev Its ticket has to be looked for among all: as the registry pushes it, without the registry.
    function _ticketAmong(uint256 n, uint256 id) internal returns (uint256) {
        uint256 state = vm.snapshotState();
        _network(n);
        vm.prank(address(validators));
        _peers().restake(id, 5_000e18, 0);
        uint256 used = _used();
        vm.revertToState(state);
        return used;
    }

    function _depositing() internal returns (uint256) {
        Person memory user = _seed(0);
        _deposit(user.addr, 10e18);
        return _used();
    }

    function _withdrawing() internal returns (uint256 request, uint256 withdraw) {
        Person memory user = _seed(0);
        vm.prank(user.addr);
        credits.requestWithdrawal(10e18);
        request = _used();
        _pass(15 minutes);
        vm.prank(user.addr);
        credits.withdraw();
        withdraw = _used();
    }

    function _claiming() internal returns (uint256 start, uint256 claim) {
        for (uint256 i; i < 2; ++i) {
            _direct(1);
            credits.startClaim(4);
            start = _used();
            _pass(1 hours);
            credits.claim(4);
            claim = _used();
        }
    }

    function _rewarding() internal returns (uint256) {
        address user = _seed(0).addr;
        for (uint256 i; i < 2; ++i) {
            _round(user);
            reward.claim(user);
        }
        return _used();
    }

    function _expiring() internal returns (uint256) {
        address user = _seed(0).addr;
        for (uint256 i; i < 2; ++i) {
            Ticket memory ticket = _ticketOf(user, _ask(), router.accountOf(user).nonce);
            vm.prank(user);
            router.submit(_ask(), "");
            _pass(31);
            router.expire(ticket);
        }
        return _used();
    }

    function _retiring() internal returns (uint256) {
        for (uint256 i; i < 2; ++i) {
            _direct(1);
            credits.retire();
        }
        return _used();
    }

    function _beating() internal returns (uint256) {
        vm.prank(_member(4));
        router.heartbeat();
        return _used();
    }
}

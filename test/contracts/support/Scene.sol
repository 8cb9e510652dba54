// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {
    Ask,
    Delivery,
    Intent,
    IRouterLog,
    Outcome,
    RequestStatus
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {PayerWord, TermsWord, Ticket} from "../../../contracts/words/Ticket.sol";
import {Deployment} from "./Deployment.sol";

/// @notice People on the deployed system, and the ordinary things that they do.
abstract contract Scene is Deployment {
    struct Person {
        address addr;
        uint256 key;
    }

    bytes32 internal constant DIGEST = keccak256("digest of a stored record");
    bytes32 internal constant PROMPT_HASH = keccak256("salt and prompt");

    Person internal alice;
    Person internal bob;
    address internal relayer = makeAddr("relayer");

    function setUp() public virtual override {
        super.setUp();
        alice = _user("alice");
        bob = _user("bob");
    }

    // ---- people

    function _user(string memory name) internal returns (Person memory person) {
        (person.addr, person.key) = makeAddrAndKey(name);
        _fund(person.addr, 100_000e18);
    }

    /// @dev NSD in the wallet, all of it allowed to the ledger.
    function _fund(address user, uint256 amount) internal {
        vm.prank(bank);
        nsd.transfer(user, amount);
        vm.prank(user);
        nsd.approve(address(credits), type(uint256).max);
    }

    function _deposit(address user, uint256 amount) internal {
        vm.prank(user);
        credits.deposit(amount);
    }

    // ---- validators

    function _validator(string memory name, uint256 stake) internal returns (address owner, uint256 id) {
        owner = makeAddr(name);
        id = _register(owner, stake, _names());
    }

    /// @dev Two more serve the model, and take no work: with fewer than three a prompt cannot be judged by declining it.
    function _twoIdle() internal {
        for (uint256 i; i < 2; ++i) {
            (address idle,) = _validator(string.concat("idle", vm.toString(i)), 100_000e18);
            vm.prank(idle);
            validators.pauseValidator();
        }
    }

    function _register(address owner, uint256 stake, string[] memory names) internal returns (uint256 id) {
        vm.prank(bank);
        nst.transfer(owner, stake);
        vm.startPrank(owner);
        nst.approve(address(validators), stake);
        id = validators.registerValidator(stake, names, "https://node.example");
        vm.stopPrank();
    }

    /// @dev The consent of an operator's key, written out from the protocol's text.
    function _consent(uint256 key, address owner, uint64 deadline) internal view returns (bytes memory) {
        return _consent(key, owner, deadline, block.chainid, address(validators));
    }

    function _consent(uint256 key, address owner, uint64 deadline, uint256 chainId, address verifier)
        internal
        pure
        returns (bytes memory)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Operator(address owner,address operator,uint64 deadline)"), owner, vm.addr(key), deadline
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", _domain(chainId, verifier), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev `owner` holds and has allowed the stake.
    function _registerWith(address owner, uint256 stake, Person memory operator) internal returns (uint256) {
        uint64 deadline = uint64(block.timestamp + 1 hours);
        bytes memory consent = _consent(operator.key, owner, deadline);
        vm.prank(owner);
        return validators.registerValidatorWithOperator(
            stake, _names(), "https://node.example", operator.addr, deadline, consent
        );
    }

    function _person(string memory name) internal returns (Person memory person) {
        (person.addr, person.key) = makeAddrAndKey(name);
    }

    function _names() internal pure virtual returns (string[] memory names) {
        names = new string[](1);
        names[0] = "llama-2-7b-q4";
    }

    function _operatorOf(uint256 id) internal view returns (address) {
        return router.validatorOf(id).operator;
    }

    // ---- the assigned lane

    /// @dev What alice asks in the examples: 50 NSD on llama-2-7b-q4, which buy 450 tokens of the 500 she names.
    function _ask() internal pure returns (Ask memory ask) {
        ask.model = LLAMA7;
        ask.promptHash = PROMPT_HASH;
        ask.maxTokens = 500;
        ask.temperature = 70;
        ask.payment = 50e18;
    }

    function _submit(address user, Ask memory ask) internal returns (bytes32 id, Ticket memory ticket) {
        ticket = _ticketOf(user, ask, router.accountOf(user).nonce);
        vm.prank(user);
        id = router.submit(ask, "");
    }

    function _submit() internal returns (bytes32 id, Ticket memory ticket) {
        return _submit(alice.addr, _ask());
    }

    function _ticketOf(address user, Ask memory ask, uint256 nonce) internal view returns (Ticket memory ticket) {
        uint256 flags = (ask.priority ? TermsWord.PRIORITY : 0) | (ask.isPrivate ? TermsWord.PRIVATE : 0);
        uint256 index = models.indexOf(ask.model);
        uint256 fee = ask.callbackGas * router.callbackGasPriceOf(ask.model);
        ticket.payer = PayerWord.pack(user, ask.payment);
        ticket.terms = TermsWord.pack(index, ask.maxTokens, ask.temperature, flags, nonce, ask.callbackGas, fee);
        ticket.promptHash = ask.promptHash;
        ticket.callback = ask.callback;
    }

    function _ticketOf(Intent memory intent) internal view returns (Ticket memory) {
        return _ticketOf(intent.user, _askOf(intent), intent.nonce);
    }

    function _askOf(Intent memory intent) internal pure returns (Ask memory ask) {
        ask.model = intent.model;
        ask.promptHash = intent.promptHash;
        ask.maxTokens = intent.maxTokens;
        ask.temperature = intent.temperature;
        ask.payment = intent.payment;
        ask.priority = intent.priority;
        ask.isPrivate = intent.isPrivate;
        ask.callback = intent.callback;
        ask.callbackGas = intent.callbackGas;
    }

    function _settle(address operator, Ticket memory ticket, uint256 tokens) internal {
        vm.prank(operator);
        router.settle(ticket, DIGEST, tokens, "");
    }

    /// @dev Time goes on as it does on a chain: with blocks.
    function _pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + seconds_ / 12 + WINDOW_BLOCKS);
    }

    function _status(bytes32 id) internal view returns (RequestStatus) {
        return router.requestOf(id).status;
    }

    // ---- signed intents

    function _intent(address user, uint256 nonce) internal view returns (Intent memory intent) {
        intent.user = user;
        intent.model = LLAMA7;
        intent.promptHash = PROMPT_HASH;
        intent.maxTokens = 500;
        intent.temperature = 70;
        intent.payment = 50e18;
        intent.relayer = relayer;
        // A test's nonces are small.
        intent.nonce = uint32(nonce);
        intent.deadline = uint64(block.timestamp + 10 minutes);
    }

    function _direct(address user, uint256 nonce, address operator) internal view returns (Intent memory intent) {
        intent = _intent(user, nonce);
        intent.relayer = address(0);
        intent.validator = operator;
    }

    /// @dev Written out from the protocol's text, apart from the router's own hashing.
    function _typed(bytes32 structHash, uint256 chainId, address verifier) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domain(chainId, verifier), structHash));
    }

    function _digestOf(Intent memory i, uint256 chainId, address verifier) internal pure returns (bytes32) {
        return _typed(_structHash(i), chainId, verifier);
    }

    function _domain(uint256 chainId, address verifier) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("NeuroSwarm"),
                keccak256("1"),
                chainId,
                verifier
            )
        );
    }

    function _structHash(Intent memory i) private pure returns (bytes32) {
        bytes memory head = abi.encode(
            keccak256(
                "Request(address user,string model,bytes32 promptHash,uint32 maxTokens,uint16 temperature,uint96 payment,bool priority,bool private,address validator,address relayer,uint96 relayFee,address callback,uint32 callbackGas,uint32 nonce,uint64 deadline)"
            ),
            i.user,
            i.model,
            i.promptHash,
            i.maxTokens,
            i.temperature
        );
        bytes memory middle = abi.encode(i.payment, i.priority, i.isPrivate, i.validator, i.relayer, i.relayFee);
        return keccak256(bytes.concat(head, middle, abi.encode(i.callback, i.callbackGas, i.nonce, i.deadline)));
    }

    function _sign(uint256 key, Intent memory intent) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digestOf(intent, block.chainid, address(router)));
        return abi.encodePacked(r, s, v);
    }

    function _submitFor(Person memory user, Intent memory intent) internal returns (bytes32 id) {
        bytes memory signature = _sign(user.key, intent);
        vm.prank(intent.relayer == address(0) ? relayer : intent.relayer);
        return router.submitFor(intent, signature, "");
    }

    // ---- the direct lane

    function _delivery(Person memory user, Intent memory intent, uint256 tokens)
        internal
        view
        returns (Delivery memory item)
    {
        bytes32 id = _digestOf(intent, block.chainid, address(router));
        uint256 flags = (intent.priority ? 1 : 0) | (intent.isPrivate ? 2 : 0);
        item.payer = (uint256(uint160(intent.user)) << 96) | intent.payment;
        item.terms = tokens | (uint256(intent.maxTokens) << 24) | (uint256(intent.temperature) << 48) | (flags << 64)
            | (uint256(intent.nonce) << 72) | (uint256(intent.deadline) << 104);
        item.promptHash = intent.promptHash;
        item.digest = DIGEST;
        (item.r, item.vs) = vm.signCompact(user.key, id);
    }

    function _deliver(address operator, Delivery memory item) internal {
        Delivery[] memory items = new Delivery[](1);
        items[0] = item;
        vm.prank(operator);
        router.deliver(LLAMA7, items);
    }

    /// @dev One chat of `user` with `operator`, 317 tokens.
    function _chat(Person memory user, address operator) internal {
        Intent memory intent = _direct(user.addr, router.accountOf(user.addr).nonce, operator);
        _deliver(operator, _delivery(user, intent, 317));
    }

    // ---- what was said

    /// @dev The outcome of the last settlement among the recorded logs, and what of it went to nobody.
    function _settledIn(Vm.Log[] memory logs)
        internal
        pure
        returns (bytes32 id, Outcome memory outcome, uint256 burned)
    {
        for (uint256 i = logs.length; i > 0; --i) {
            if (logs[i - 1].topics[0] != IRouterLog.RequestSettled.selector) continue;
            outcome = _outcomeIn(logs[i - 1]);
            return (logs[i - 1].topics[1], outcome, outcome.consumed - outcome.validatorLeg - outcome.treasuryLeg);
        }
        revert("nothing was settled");
    }

    function _outcomeIn(Vm.Log memory log) internal pure returns (Outcome memory) {
        return abi.decode(log.data, (Outcome));
    }

    function _word(bytes memory data, uint256 index) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), mul(index, 32)))
        }
    }

    /// @dev A record as the keeper stores it, and the digest that is its CID.
    function _record(string memory answer) internal pure returns (bytes memory record, bytes32 digest) {
        record = bytes(string.concat('{"answer":"', answer, '","model":"llama-2-7b-q4","version":1}'));
        digest = sha256(record);
    }
}

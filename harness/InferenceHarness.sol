// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Test} from "forge-std/Test.sol";
import {Vm, VmSafe} from "forge-std/Vm.sol";
import {IERC20} from "forge-std/interfaces/IERC20.sol";
import {
    FailureClass,
    IInferenceCallback,
    IInferenceRouter,
    IRouterLog,
    Intent,
    Outcome,
    RequestStatus,
    RequestView
} from "../contracts/interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../contracts/interfaces/IModelAccessCredits.sol";
import {IModelRegistry} from "../contracts/interfaces/IModelRegistry.sol";
import {IValidatorRegistry} from "../contracts/interfaces/IValidatorRegistry.sol";
import {PriceWord} from "../contracts/words/Offer.sol";
import {Payer, Terms, Ticket} from "../contracts/words/Ticket.sol";
import {NeuroSwarmRecording, Recorded} from "./Recording.sol";

/// @title NeuroSwarm in your own Foundry test
/// @notice Deploys the real contracts, registers validators, and ends your requests as you say, in a line each:
///
///     contract MyTest is InferenceHarness {
///         function setUp() public {
///             _startNeuroSwarm();
///             consumer = new MyConsumer(address(swarm.router));
///             _fund(address(consumer), 100e18);
///         }
///
///         function test_KeepsTheAnswer() public {
///             _answer(consumer.ask("What is the capital of France?"), "Paris");
///         }
///     }
///
/// # Which requests
/// Those of the assigned lane, `submit` or `submitFor`, whoever sent them. Their tickets are found in the logs, which the
/// harness records from `_startNeuroSwarm` on. A test that calls `vm.getRecordedLogs()` itself takes them away: let it hand
/// them back with `_read(logs)`.
///
/// # Time
/// Starts at 1,800,000,000 seconds and block 1,000, where the test is not later already. An ending moves time and blocks
/// as far as it needs, and stays there.
abstract contract InferenceHarness is Test {
    struct NeuroSwarm {
        IInferenceRouter router;
        IModelAccessCredits credits;
        IValidatorRegistry validators;
        IModelRegistry models;
        IERC20 nsd;
        IERC20 nst;
        IERC20 lcai;
        /// Administers everything, and holds what genesis created.
        address governance;
    }

    uint256 private constant START = 1_800_000_000;
    uint256 private constant START_BLOCK = 1_000;
    uint256 private constant STAKE = 50_000e18;
    uint256 private constant MOST_ATTEMPTS = 3;

    NeuroSwarm internal swarm;
    /// Operator keys of the validators, in the order of their registration.
    address[] internal nodes;

    mapping(bytes32 id => Ticket) private _tickets;
    mapping(bytes32 id => Outcome) private _outcomes;
    mapping(bytes32 id => bytes) private _records;
    mapping(bytes32 id => string) private _texts;
    bytes32 private _last;

    /// @dev A prank that the test has started is laid aside, and taken up again.
    modifier aside() {
        (VmSafe.CallerMode mode, address sender, address origin) = vm.readCallers();
        require(mode != VmSafe.CallerMode.Prank, "vm.prank waits for a call: make it before the harness does");
        if (mode == VmSafe.CallerMode.RecurrentPrank) vm.stopPrank();
        _;
        if (mode == VmSafe.CallerMode.RecurrentPrank) vm.startPrank(sender, origin);
    }

    // ---- the stage

    /// @dev One validator: what fails on it has nowhere else to go.
    function _startNeuroSwarm() internal {
        _startNeuroSwarm(1);
    }

    /// @dev With three a request has three attempts. With none it waits in the queue.
    function _startNeuroSwarm(uint256 validators) internal aside {
        require(Recorded.ROUTER.code.length == 0, "NeuroSwarm runs already");
        if (block.timestamp < START) vm.warp(START);
        if (block.number < START_BLOCK) vm.roll(START_BLOCK);
        // By name: as `new` would, every test would carry all of it. The compiler's own output needs no leave to be read.
        NeuroSwarmRecording recording = NeuroSwarmRecording(deployCode("Recording.sol:NeuroSwarmRecording"));
        for (uint256 nonce; nonce < Recorded.COUNT; ++nonce) {
            _replay(recording, nonce);
        }
        swarm = NeuroSwarm({
            router: IInferenceRouter(Recorded.ROUTER),
            credits: IModelAccessCredits(Recorded.CREDITS),
            validators: IValidatorRegistry(Recorded.VALIDATORS),
            models: IModelRegistry(Recorded.MODELS),
            nsd: IERC20(Recorded.NSD),
            nst: IERC20(Recorded.NST),
            lcai: IERC20(Recorded.LCAI),
            governance: Recorded.DEPLOYER
        });
        for (uint256 i; i < validators; ++i) {
            _addNode();
        }
        vm.recordLogs();
    }

    /// @dev Another validator, with 50,000 NST, for every model of the catalogue.
    /// @return node Its operator key, which owns it too.
    function _addNode() internal aside returns (address node) {
        node = makeAddr(string.concat("NeuroSwarm node ", vm.toString(nodes.length + 1)));
        IModelRegistry.Model[] memory models = swarm.models.models();
        string[] memory names = new string[](models.length);
        for (uint256 i; i < names.length; ++i) {
            names[i] = models[i].name;
        }
        vm.prank(swarm.governance);
        swarm.nst.transfer(node, STAKE);
        vm.startPrank(node);
        swarm.nst.approve(address(swarm.validators), STAKE);
        swarm.validators.registerValidator(STAKE, names, "https://node.example");
        vm.stopPrank();
        nodes.push(node);
    }

    /// @dev NSD wei into the wallet of anybody, a contract or a key.
    function _fund(address who, uint256 amount) internal aside {
        vm.prank(swarm.governance);
        swarm.nsd.transfer(who, amount);
    }

    /// @dev NSD wei into the credits of anybody.
    function _credit(address who, uint256 amount) internal aside {
        vm.startPrank(swarm.governance);
        swarm.nsd.approve(address(swarm.credits), amount);
        swarm.credits.depositFor(who, amount);
        vm.stopPrank();
    }

    /// @dev Seconds go by, with blocks as a chain makes them.
    function _pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + seconds_ / 12 + 2);
    }

    // ---- endings

    /// @dev The validator settles. Fails, and says why, where the consumer's callback does not take the answer.
    /// @param text The answer; quotes, backslashes and control characters reach the consumer as JSON escapes, as they do on chain.
    function _answer(bytes32 id, string memory text) internal {
        _answer(id, text, _tokensOf(id, text));
    }

    /// @param tokens Output tokens that are charged: at least 1, and no more than the request asked and paid for.
    function _answer(bytes32 id, string memory text, uint256 tokens) internal {
        if (!_settle(id, text, tokens)) _explainCallback(id);
    }

    /// @dev The same for a test whose callback is to fail.
    /// @return called False where the consumer's callback did not succeed; the settlement stands.
    function _settle(bytes32 id, string memory text, uint256 tokens) internal aside returns (bool called) {
        Ticket memory ticket = _ticketOf(id);
        if (_statusOf(id) == RequestStatus.Queued) swarm.router.assign(ticket);
        address node = _nodeOf(id);
        _pass(1);
        _texts[id] = _escaped(text);
        bytes memory record = bytes(string.concat('{"answer":"', _texts[id], '","schema":"neuroswarm.record/1"}'));
        bytes32 digest = sha256(record);
        vm.prank(node);
        swarm.router.settle(ticket, digest, tokens, record);
        _records[id] = record;
        return !swarm.router.requestOf(id).callbackFailed;
    }

    /// @dev The router calls back once more. Reverts as it does where that fails.
    function _retryCallback(bytes32 id) internal aside {
        swarm.router.retryCallback(_ticketOf(id), _outcomeOf(id), _records[id]);
    }

    /// @dev Every validator that gets it confesses that it cannot answer: ends as Error, 95 % of the payment come back.
    function _fail(bytes32 id) internal aside {
        Ticket memory ticket = _openTicket(id);
        while (_attempted(id, ticket)) {
            vm.prank(_nodeOf(id));
            swarm.router.fail(ticket);
        }
    }

    /// @dev Every validator that gets it is there, and does not answer in time: ends as Timeout, 95 % come back.
    function _timeout(bytes32 id) internal aside {
        Ticket memory ticket = _openTicket(id);
        while (_attempted(id, ticket)) {
            _pass(1);
            vm.prank(_nodeOf(id));
            swarm.router.heartbeat();
            _pass(_windowOf(ticket) + 1);
            swarm.router.expire(ticket);
        }
    }

    /// @dev Every validator that gets it is not seen again: ends as Offline, all comes back.
    function _goOffline(bytes32 id) internal aside {
        Ticket memory ticket = _openTicket(id);
        while (_attempted(id, ticket)) {
            RequestView memory request = swarm.router.requestOf(id);
            uint256 seenAt = swarm.router.validatorOf(request.validator).lastSeenAt;
            require(seenAt <= request.since, "its validator was seen since: use _timeout");
            _pass(_priceOf(ticket, PriceWord.ackWindow) + 1);
            swarm.router.expire(ticket);
        }
    }

    /// @dev Three validators decline the prompt. On chain for all to read, it ends as NoNode and all comes back; withheld, it
    /// ends as BadPrompt with half. Registers those that are missing.
    function _declineAll(bytes32 id) internal aside {
        Ticket memory ticket = _openTicket(id);
        while (nodes.length < MOST_ATTEMPTS) {
            _addNode();
        }
        while (_attempted(id, ticket)) {
            vm.prank(_nodeOf(id));
            swarm.router.decline(ticket);
        }
    }

    /// @dev The next thing that time alone does to it: an attempt fails, the queue gives up, or a cancellation takes effect.
    function _expire(bytes32 id) internal aside {
        Ticket memory ticket = _openTicket(id);
        uint256 window = _windowOf(ticket);
        uint256 queue = _priceOf(ticket, PriceWord.queueWindow);
        _pass((window > queue ? window : queue) + MOST_ATTEMPTS);
        swarm.router.expire(ticket);
    }

    // ---- what is known

    function _statusOf(bytes32 id) internal view returns (RequestStatus) {
        return swarm.router.requestOf(id).status;
    }

    /// @dev Why it failed; while it is open, why its last attempt did.
    function _failureOf(bytes32 id) internal view returns (FailureClass) {
        return swarm.router.requestOf(id).failure;
    }

    function _creditsOf(address who) internal view returns (uint256) {
        return swarm.credits.creditsOf(who);
    }

    /// @dev The id of the request that was submitted last.
    function _lastRequest() internal returns (bytes32) {
        _read(vm.getRecordedLogs());
        require(_last != 0, "no request was submitted");
        return _last;
    }

    function _ticketOf(bytes32 id) internal returns (Ticket memory ticket) {
        _read(vm.getRecordedLogs());
        ticket = _tickets[id];
        require(Payer.unwrap(ticket.payer) != 0, "no request of this id among the recorded logs");
    }

    /// @dev How it was settled: what `acceptRecord` and `isOutcome` want.
    function _outcomeOf(bytes32 id) internal returns (Outcome memory outcome) {
        _read(vm.getRecordedLogs());
        outcome = _outcomes[id];
        require(outcome.digest != 0, "it was not answered");
    }

    /// @dev The record that the harness settled it with.
    function _recordOf(bytes32 id) internal view returns (bytes memory) {
        return _records[id];
    }

    /// @dev A user's signature of an intent, 65 bytes.
    function _sign(uint256 key, Intent memory intent) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, swarm.router.hashIntent(intent));
        return abi.encodePacked(r, s, v);
    }

    /// @dev Takes in logs that the test has read itself.
    function _read(Vm.Log[] memory logs) internal {
        for (uint256 i; i < logs.length; ++i) {
            Vm.Log memory log = logs[i];
            if (log.emitter != address(swarm.router) || log.topics.length == 0) continue;
            if (log.topics[0] == IRouterLog.RequestSubmitted.selector) _readTicket(log.topics[1], log.data);
            if (log.topics[0] == IRouterLog.RequestSettled.selector) {
                _outcomes[log.topics[1]] = abi.decode(log.data, (Outcome));
            }
        }
    }

    // ---- how

    /// @dev The nonce is where the recorded one was, so what is made lies where the others expect it.
    function _replay(NeuroSwarmRecording recording, uint256 nonce) private {
        (address to, bytes memory data) = recording.transaction(nonce);
        bool ok;
        vm.setNonce(Recorded.DEPLOYER, uint64(nonce));
        vm.prank(Recorded.DEPLOYER);
        if (to == address(0)) {
            assembly ("memory-safe") {
                ok := gt(create(0, add(data, 32), mload(data)), 0)
            }
        } else {
            (ok,) = to.call(data);
        }
        require(ok, string.concat("NeuroSwarm could not be deployed: transaction ", vm.toString(nonce)));
    }

    function _readTicket(bytes32 id, bytes memory data) private {
        _last = id;
        Ticket storage ticket = _tickets[id];
        (ticket.payer, ticket.terms, ticket.promptHash, ticket.callback) =
            abi.decode(data, (Payer, Terms, bytes32, address));
    }

    /// @dev Of an event: validator, tokens, digest, consumed, and the legs of validator, treasury and burn.
    /// @dev Whether a validator has it now. A queued one is given to somebody, or waits in vain until the queue ends it.
    function _attempted(bytes32 id, Ticket memory ticket) private returns (bool) {
        if (_statusOf(id) == RequestStatus.Queued) {
            try swarm.router.assign(ticket) {}
            catch {
                _pass(_priceOf(ticket, PriceWord.queueWindow) + 1);
                swarm.router.expire(ticket);
            }
        }
        RequestView memory request = swarm.router.requestOf(id);
        // The windows of a further attempt begin after a backoff.
        if (request.since > block.timestamp) _pass(request.since - block.timestamp);
        return request.status == RequestStatus.Assigned;
    }

    function _openTicket(bytes32 id) private returns (Ticket memory ticket) {
        ticket = _ticketOf(id);
        RequestStatus status = _statusOf(id);
        require(status == RequestStatus.Queued || status == RequestStatus.Assigned, "it has ended already");
    }

    function _nodeOf(bytes32 id) private view returns (address) {
        return swarm.router.validatorOf(swarm.router.requestOf(id).validator).operator;
    }

    function _modelOf(Ticket memory ticket) private view returns (bytes32) {
        return keccak256(bytes(swarm.models.models()[ticket.terms.model()].name));
    }

    function _priceOf(Ticket memory ticket, function(uint256) internal pure returns (uint256) field)
        private
        view
        returns (uint256)
    {
        return field(swarm.router.offerOf(_modelOf(ticket)).price());
    }

    function _windowOf(Ticket memory ticket) private view returns (uint256) {
        return PriceWord.executionWindow(swarm.router.offerOf(_modelOf(ticket)).price(), ticket.terms.maxTokens());
    }

    /// @dev Four bytes a token, within what was asked and paid for.
    function _tokensOf(bytes32 id, string memory text) private returns (uint256 tokens) {
        Ticket memory ticket = _ticketOf(id);
        tokens = (bytes(text).length + 3) / 4;
        uint256 bought = swarm.router.tokensFor(_modelOf(ticket), ticket.payer.payment(), ticket.terms.priority());
        if (tokens > ticket.terms.maxTokens()) tokens = ticket.terms.maxTokens();
        if (tokens > bought) tokens = bought;
        if (tokens == 0) tokens = 1;
    }

    /// @dev The router copies nothing of why a callback failed. Here it is called again, to say it.
    function _explainCallback(bytes32 id) private {
        Ticket memory ticket = _ticketOf(id);
        require(ticket.callback.code.length != 0, "the callback is no contract");
        bytes memory answer = bytes(_texts[id]);
        vm.prank(address(swarm.router));
        try IInferenceCallback(ticket.callback).onInferenceResult(id, RequestStatus.Completed, answer) {
            string memory gas_ = vm.toString(ticket.terms.callbackGas());
            revert(string.concat("the callback needs more than its ", gas_, " gas"));
        } catch (bytes memory reason) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
    }

    function _escaped(string memory text) private pure returns (string memory) {
        bytes memory input = bytes(text);
        bytes memory out = new bytes(input.length * 6);
        uint256 n;
        for (uint256 i; i < input.length; ++i) {
            bytes1 c = input[i];
            bytes memory escape = _escapeOf(c);
            for (uint256 k; k < escape.length; ++k) {
                out[n++] = escape[k];
            }
            if (escape.length == 0) out[n++] = c;
        }
        assembly ("memory-safe") {
            mstore(out, n)
        }
        return string(out);
    }

    /// @dev As canonical JSON has it; empty where the byte stands for itself.
    function _escapeOf(bytes1 c) private pure returns (bytes memory) {
        if (c == '"' || c == "\\") return abi.encodePacked("\\", c);
        if (uint8(c) >= 0x20) return "";
        if (c == "\n") return "\\n";
        if (c == "\r") return "\\r";
        if (c == "\t") return "\\t";
        if (c == 0x08) return "\\b";
        if (c == 0x0c) return "\\f";
        bytes16 digits = "0123456789abcdef";
        return abi.encodePacked("\\u00", digits[uint8(c) >> 4], digits[uint8(c) & 15]);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    Ask,
    FailureClass,
    IInferenceCallback,
    Outcome,
    RequestStatus,
    RequestView
} from "../interfaces/IInferenceRouter.sol";
import {Records} from "../libraries/Records.sol";
import {InferencePayer} from "./InferencePayer.sol";

/// @title A contract that asks, and is told the answer
/// @notice `_ask` opens a request and remembers it under a context of your choice. It ends once, in one of three ways:
///
/// | what happened | who calls | you get |
/// |---|---|---|
/// | answered | the router, in the settlement | `_onAnswer` |
/// | answered, but the callback failed | anybody: the router's `retryCallback`, or `acceptRecord` here | `_onAnswer` |
/// | failed or cancelled | anybody: `reconcile` | `_onFailure` |
///
/// A callback that reverts, or runs out of the gas it was paid for, leaves the settlement as it is: the answer is paid,
/// and the request stays open here. `retryCallback` has the same gas again; `acceptRecord` as much as its sender brings.
/// So nobody may be able to make `_onAnswer` revert for good. The router lets nothing back in while it calls back: `_ask`
/// and `_cancel` revert there, and what an answer leads to waits for a call of its own.
///
/// This contract is the payer: ten submissions in any 60 seconds, then `RouterRateLimited`. Whoever reaches `_ask` spends
/// its NSD: put your own rule in front.
abstract contract InferenceConsumer is InferencePayer, IInferenceCallback {
    /// @dev Not zero while the request is open.
    mapping(bytes32 id => bytes32 context) private _contexts;

    /// @notice Only the router calls back.
    error ConsumerOnlyRouter(address sender);
    /// @notice This contract did not ask it, or it has ended here.
    error ConsumerUnknownRequest(bytes32 id);
    /// @notice The request is under way, or was answered.
    error ConsumerNotFailed(bytes32 id, RequestStatus status);
    /// @notice The request was not answered so, or the record is not the one that was settled.
    error ConsumerWrongRecord(bytes32 id);
    /// @notice A context of zero would mean that nothing is open.
    error ConsumerZeroContext();

    /// @param router The proxy of InferenceRouter.
    constructor(address router) InferencePayer(router) {}

    // ---- for your contract

    /// @notice Asks in public, at temperature 0; the context is the sender's address, see `_asker`.
    /// @param model `keccak256` of its name, for instance `keccak256("llama-2-7b-q4")`.
    /// @param question Goes on chain as it is.
    /// @param maxTokens Output tokens, 1 up to the model's limit.
    /// @param payment Ceiling of the answer's cost, NSD wei: `minimumPayment(model, false)` at least (5 NSD), and less than
    /// 500 NSD at launch. Beside it go `_callbackGas()` units of callback gas: 5 NSD for 500,000 at launch.
    /// @return id The request's id. Reverts with the router's errors, and where credits and NSD do not cover it.
    function _ask(bytes32 model, string memory question, uint32 maxTokens, uint96 payment)
        internal
        returns (bytes32 id)
    {
        Ask memory ask = Ask(model, 0, maxTokens, 0, payment, false, false, address(0), _callbackGas());
        return _ask(ask, bytes(question), bytes32(uint256(uint160(msg.sender))));
    }

    /// @notice Asks with everything that `Ask` has.
    /// @param ask Its `callback` is set here: this contract where `callbackGas` is not 0. Without callback gas there is no
    /// callback to pay for, and anybody brings the answer by `acceptRecord`.
    /// @param prompt The prompt's bytes where it shall be public on chain; else empty, and `ask.promptHash` says which.
    /// @param context What `_onAnswer` or `_onFailure` shall be told beside the id. Not zero.
    function _ask(Ask memory ask, bytes memory prompt, bytes32 context) internal returns (bytes32 id) {
        require(context != 0, ConsumerZeroContext());
        ask.callback = ask.callbackGas == 0 ? address(0) : address(this);
        id = ROUTER.submit(ask, prompt);
        _contexts[id] = context;
    }

    /// @notice The context of an open request, zero where none is open under this id.
    function _contextOf(bytes32 id) internal view returns (bytes32) {
        return _contexts[id];
    }

    /// @notice Who asked, where the context is an address.
    function _asker(bytes32 context) internal pure returns (address) {
        return address(uint160(uint256(context)));
    }

    /// @notice Gas for `onInferenceResult`, at most 500,000, paid in full whatever of it is used. To keep an answer takes
    /// about 23,000 for each 32 bytes.
    function _callbackGas() internal view virtual returns (uint32) {
        return 500_000;
    }

    /// @notice A request was answered; it is no longer open. Called once.
    /// @param answer UTF-8 text as it stands in the record's JSON string, so with its escapes: a line break is `\n`.
    function _onAnswer(bytes32 id, bytes32 context, bytes calldata answer) internal virtual;

    /// @notice A request ended without an answer; it is no longer open, and its refund is in this contract's credits.
    /// @param class Why; `None` where it was cancelled.
    function _onFailure(bytes32 id, bytes32 context, FailureClass class) internal virtual {}

    // ---- for everybody

    /// @inheritdoc IInferenceCallback
    function onInferenceResult(bytes32 requestId, RequestStatus, bytes calldata result) external {
        require(msg.sender == address(ROUTER), ConsumerOnlyRouter(msg.sender));
        _onAnswer(requestId, _close(requestId), result);
    }

    /// @notice Hands over an answer that no callback brought, with as much gas as the sender likes.
    /// @param outcome From the request's `RequestSettled` event.
    /// @param record The stored block's bytes, whose SHA-256 is `outcome.digest`.
    function acceptRecord(bytes32 id, Outcome calldata outcome, bytes calldata record) external {
        (bool found, bytes calldata answer) = Records.answer(record);
        require(found && sha256(record) == outcome.digest && ROUTER.isOutcome(id, outcome), ConsumerWrongRecord(id));
        _onAnswer(id, _close(id), answer);
    }

    /// @notice Tells this contract that a request of it failed or was cancelled: the protocol calls nobody back for that.
    function reconcile(bytes32 id) external {
        RequestView memory request = ROUTER.requestOf(id);
        bool ended = request.status == RequestStatus.Failed || request.status == RequestStatus.Cancelled;
        require(ended, ConsumerNotFailed(id, request.status));
        _onFailure(id, _close(id), request.failure);
    }

    /// @dev Before the hook runs, so that no way back in finds it open.
    function _close(bytes32 id) private returns (bytes32 context) {
        context = _contexts[id];
        require(context != 0, ConsumerUnknownRequest(id));
        delete _contexts[id];
    }
}

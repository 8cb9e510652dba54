// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Offer} from "../words/Offer.sol";
import {Payer, Terms, Ticket} from "../words/Ticket.sol";

/// @notice Where a request of the assigned lane stands. Completed, Failed and Cancelled are final.
enum RequestStatus {
    None,
    Queued,
    Assigned,
    Completed,
    Failed,
    Cancelled
}

/// @notice Why a request ended without an answer.
enum FailureClass {
    None,
    Offline,
    Timeout,
    Error,
    Invalid,
    BadPrompt,
    NoNode
}

/// @notice Why an item of a direct delivery was passed over. Its user paid nothing.
enum SkipReason {
    None,
    Expired,
    BadNonce,
    BadTokens,
    Underpaid,
    NoCredits,
    BadSignature,
    EmptyDigest,
    UnknownModel
}

/// @notice A request as its payer submits it in person.
/// @param model `keccak256` of the model's name, for instance `keccak256("llama-2-7b-q4")`.
/// @param promptHash `keccak256(abi.encodePacked(salt, prompt))`; zero or the same where the prompt's bytes come along.
/// @param maxTokens Output tokens asked for, 1 up to the model's limit (2,048 at launch).
/// @param temperature Sampling temperature in hundredths, 0 to 200.
/// @param payment Ceiling of what the answer may cost, NSD wei: at least `minimumPayment(model, priority)`.
/// @param priority Pays and ranks half again as much.
/// @param isPrivate The record is encrypted before it is stored.
/// @param callback Contract that receives the answer, zero for none.
/// @param callbackGas Gas for the callback, at most 500,000; 0 without a callback.
struct Ask {
    bytes32 model;
    bytes32 promptHash;
    uint32 maxTokens;
    uint16 temperature;
    uint96 payment;
    bool priority;
    bool isPrivate;
    address callback;
    uint32 callbackGas;
}

/// @notice A signed request: the EIP-712 message `Request` of the domain `NeuroSwarm`, version `1`. Its types are
/// `Request(address user,string model,bytes32 promptHash,uint32 maxTokens,uint16 temperature,uint96 payment,bool
/// priority,bool private,address validator,address relayer,uint96 relayFee,address callback,uint32 callbackGas,
/// uint32 nonce,uint64 deadline)`; `model` here is the hash of the name that the wallet showed.
/// @param validator Operator key of the validator that shall answer (direct lane), zero for an assigned one.
/// @param relayer Who may submit it; zero (anyone) only where the prompt's bytes come along.
/// @param relayFee NSD wei from the user's credits, and from the wallet where they fall short, to the relayer's credits,
/// beside the payment.
/// @param nonce The lowest unused one of the user, or one of the 16 above.
/// @param deadline Unix seconds after which it is void.
struct Intent {
    address user;
    bytes32 model;
    bytes32 promptHash;
    uint32 maxTokens;
    uint16 temperature;
    uint96 payment;
    bool priority;
    bool isPrivate;
    address validator;
    address relayer;
    uint96 relayFee;
    address callback;
    uint32 callbackGas;
    uint32 nonce;
    uint64 deadline;
}

/// @notice One answered intent of the direct lane, packed for calldata.
/// @param payer User (160 bits) and payment (96 bits below).
/// @param terms Output tokens used 24 bits | maxTokens 24 | temperature 16 | flags 8 (1 priority, 2 private) |
/// nonce 32 | deadline 64, from the lowest bit up.
/// @param promptHash As signed.
/// @param digest SHA-256 of the stored record.
/// @param r First half of the signature.
/// @param vs Second half with the parity in its top bit (EIP-2098).
struct Delivery {
    uint256 payer;
    uint256 terms;
    bytes32 promptHash;
    bytes32 digest;
    bytes32 r;
    bytes32 vs;
}

/// @notice What a user authorizes when a session opens: the EIP-712 message `Session(address user,address
/// validator,address key,string model,uint96 cap,uint64 expiry,uint32 nonce,uint64 deadline)` of the same domain; its
/// digest is the session's id. `model` here is the hash of the name that the wallet showed.
/// @param validator Operator key of the validator that shall answer, and that alone may settle.
/// @param key May sign receipts beside the user; zero for none. Whoever holds it can spend the cap.
/// @param cap NSD wei that the session locks, at least 5 NSD.
/// @param expiry Unix seconds from which anybody may close it, at most 90 days ahead.
/// @param nonce As in `Intent`.
/// @param deadline Unix seconds until which it can be opened.
struct Session {
    address user;
    address validator;
    address key;
    bytes32 model;
    uint96 cap;
    uint64 expiry;
    uint32 nonce;
    uint64 deadline;
}

/// @notice What was used of a session since it opened: the EIP-712 message `Receipt(bytes32 session,uint32 count,uint96
/// total,bytes32 root)`. A later receipt replaces all before it.
/// @param count Prompts answered, at most 2,097,151.
/// @param total NSD wei for them, at least 5 NSD each, at most the cap.
/// @param root Merkle root over the records' digests, in their order: keccak256 of two neighbours, and one without a
/// neighbour moves up as it is. The router does not read it.
struct Receipt {
    uint32 count;
    uint96 total;
    bytes32 root;
}

/// @notice How a completed request ended: enough to prove it from the commitment that its slot keeps.
/// @param digest SHA-256 of the stored record.
/// @param validator Id of the validator that answered.
/// @param tokens Output tokens used.
/// @param consumed NSD wei used of the payment.
/// @param validatorLeg NSD wei of it for the validator.
/// @param treasuryLeg NSD wei of it for the treasury.
/// @param record Number of the record.
struct Outcome {
    bytes32 digest;
    uint256 validator;
    uint256 tokens;
    uint256 consumed;
    uint256 validatorLeg;
    uint256 treasuryLeg;
    uint256 record;
}

/// @notice A user's account, unpacked.
/// @param credits NSD wei free to use or to withdraw.
/// @param lastSubmitAt Unix seconds of the last assigned submission.
/// @param nextSubmitIn Seconds until the rate limit lets another one pass, 0 for now.
/// @param rateWindow Seconds in which ten submissions pass: 60, unless governance set it shorter; 0 for no limit.
/// @param nonce Lowest unused nonce.
/// @param accruedChats Chats whose LCAI waits to be minted.
struct AccountView {
    uint256 credits;
    uint256 lastSubmitAt;
    uint256 nextSubmitIn;
    uint256 rateWindow;
    uint256 nonce;
    uint256 accruedChats;
}

/// @notice A request of the assigned lane, unpacked.
/// @param tokens Output tokens used, once completed.
/// @param failure Why it failed, once failed; while open, why its last attempt did.
/// @param cancelling Its user cancelled, and its validator may still post what it has.
/// @param since Unix seconds: submitted while queued, assigned while assigned, else ended.
struct RequestView {
    RequestStatus status;
    FailureClass failure;
    uint256 validator;
    uint256 attempts;
    uint256 since;
    uint256 tokens;
    uint256 band;
    bool callbackFailed;
    uint160 commitment;
    bool cancelling;
}

/// @notice A session, unpacked.
/// @param cap NSD wei locked at the opening.
/// @param settled NSD wei of it that receipts consumed.
/// @param count Prompts settled.
/// @param endsAt Unix seconds from which anybody may close it.
struct SessionView {
    bool open;
    uint256 cap;
    uint256 settled;
    uint256 count;
    uint256 endsAt;
}

/// @notice A validator as the router sees it, unpacked.
/// @param operator The key that operates it now.
/// @param stake Thousands of NST, saturated at 127.
/// @param load Open assignments.
/// @param capacity Assignments it may hold at once, 1 to 50: one more after each success, half after each failure, and
/// never more than one each 2,500 NST.
/// @param reputation 0 to 100.
/// @param success Running average of outcomes, 0 to 255.
/// @param uptime Share of the last 256 slots of 10,125 s, 0 to 255.
/// @param validatorLeg NSD wei earned and not yet swept into a claim.
struct ValidatorView {
    address operator;
    uint256 stake;
    uint256 reputation;
    uint256 load;
    uint256 capacity;
    uint256 speed;
    bool closed;
    bool probation;
    uint256 models;
    uint256 lastSeenAt;
    uint256 success;
    uint256 uptime;
    uint256 completed;
    uint256 failed;
    uint256 validatorLeg;
    uint256 treasuryLeg;
}

/// @title What the router tells: events of what happened, errors of what cannot
interface IRouterLog {
    /// @notice A request opened. `validator` is 0 while it is queued. The four words are its ticket.
    event RequestSubmitted(
        bytes32 indexed id,
        address indexed user,
        uint256 indexed validator,
        Payer payer,
        Terms terms,
        bytes32 promptHash,
        address callback
    );
    /// @notice The bytes of a public prompt.
    event PromptPublished(bytes32 indexed id, bytes prompt);
    /// @notice A queued or declined request got a validator.
    event RequestAssigned(bytes32 indexed id, uint256 indexed validator);
    /// @notice A validator could not use the prompt. The request went to another one, to the queue, or has ended.
    event RequestDeclined(bytes32 indexed id, uint256 indexed validator);
    /// @notice An attempt failed, and the request lives on: with another validator, or in the queue.
    event AttemptFailed(bytes32 indexed id, uint256 indexed validator, FailureClass class);
    /// @notice Its user cancelled a request; its validator may post what it has until then.
    event CancelRequested(bytes32 indexed id, uint256 indexed validator, uint256 until);
    /// @notice A request ended by its user's will: `refund` went back to credits, `forfeited` stays burned.
    event RequestCancelled(
        bytes32 indexed id, address indexed user, uint256 indexed validator, uint256 refund, uint256 forfeited
    );
    /// @notice An item of a batch of signed requests was passed over. `reason` is the error that it alone would have met.
    event SubmissionSkipped(address indexed user, uint256 index, bytes reason);
    /// @notice A bond was locked for a request that is to be revealed. The hash of this block will choose.
    event Committed(address indexed committer, bytes32 indexed commitment, uint256 bond);
    /// @notice A commitment was revealed in time, and its bond went back to credits.
    event Revealed(address indexed committer, bytes32 indexed commitment);
    /// @notice A commitment was not revealed in time, or made again: its bond stays burned.
    event BondForfeited(address indexed committer, bytes32 indexed commitment, uint256 bond);
    /// @notice A pause of intake began while a commitment could be revealed: its bond went back to credits.
    event BondReturned(address indexed committer, bytes32 indexed commitment, uint256 bond);
    event SessionOpened(
        bytes32 indexed id,
        address indexed user,
        address indexed validator,
        address key,
        bytes32 model,
        uint256 cap,
        uint256 expiry
    );
    /// @notice A receipt settled `prompts` more prompts, whose records are numbered from `firstRecord` on.
    /// `amount = validatorLeg + treasuryLeg + burned`.
    event SessionSettled(
        bytes32 indexed id,
        address indexed user,
        uint256 indexed firstRecord,
        uint256 validator,
        uint256 prompts,
        bytes32 root,
        uint256 amount,
        uint256 validatorLeg,
        uint256 treasuryLeg,
        uint256 burned
    );
    /// @notice Its user wants a session to end; its validator may settle until then, and longer while nobody closes it.
    event SessionEnding(bytes32 indexed id, uint256 endsAt);
    /// @notice A session was closed, and what its receipts left went back to credits.
    event SessionClosed(bytes32 indexed id, address indexed user, uint256 prompts, uint256 consumed, uint256 unlocked);
    /// @notice A case keeps legs from being claimed until it is final.
    event LegsFrozen(bytes32 indexed caseId, uint256 indexed validator, uint256 validatorLeg, uint256 treasuryLeg);
    /// @notice A case ended for the validator: its legs can be claimed again.
    event LegsReleased(bytes32 indexed caseId, uint256 indexed validator, uint256 validatorLeg, uint256 treasuryLeg);
    /// @notice A case ended against the validator: its legs went to the user's credits.
    event LegsAwarded(bytes32 indexed caseId, address indexed user, uint256 amount);
    /// @notice Ten submissions of `account` pass in `window` seconds from now on; 0 lifts the limit.
    event RateWindowSet(address indexed account, uint256 window);
    /// @notice A request was answered. What of `consumed` is in neither leg was burned; the rest of the payment went back to
    /// the user's credits, or never left them. The outcome is what later calls want to have proven, as it stands here.
    event RequestSettled(bytes32 indexed id, address indexed user, Outcome outcome);
    /// @notice A request ended without an answer: `refund` went back to credits, `forfeited` stays burned.
    event RequestFailed(
        bytes32 indexed id,
        address indexed user,
        uint256 indexed validator,
        FailureClass class,
        uint256 refund,
        uint256 forfeited
    );
    /// @notice The callback did not succeed; the settlement stands, and anybody may retry the callback.
    event CallbackFailed(bytes32 indexed id, address indexed callback);
    /// @notice A retried callback succeeded.
    event CallbackRetried(bytes32 indexed id, address indexed callback);
    /// @notice An item of a delivery was passed over; nothing was charged for it.
    event DeliverySkipped(bytes32 indexed id, address indexed user, uint256 index, SkipReason reason);
    /// @notice Every `ChainWord.CHECKPOINT` leaves of the direct and session lanes: the running hash so far.
    event CheckpointStored(uint256 indexed number, uint256 chain);
    /// @notice LCAI for `chats` settled ones was neither minted nor accrued; the chats themselves are settled.
    event RewardsSkipped(uint256 chats);
    /// @notice A validator's reputation moved.
    event ReputationChanged(uint256 indexed validator, uint256 previous, uint256 current);
    /// @notice All nonces of `user` below `nonce` are void.
    event NoncesVoided(address indexed user, uint256 nonce);
    /// @notice Settlement, and claims of failures whose time was not over yet, rest until then.
    event SettlementPaused(uint256 until);
    /// @notice New submissions rest until then.
    event IntakePaused(uint256 until);

    /// @notice `request` has a status in which this cannot be done.
    error RouterInvalidStatus(bytes32 id, RequestStatus status);
    /// @notice No model of this name is in the catalogue, or its intake is closed.
    error RouterUnknownModel(bytes32 model);
    /// @notice Output tokens out of range: between 1 and `limit`.
    error RouterInvalidTokens(uint256 tokens, uint256 limit);
    /// @notice Temperature above 200 hundredths.
    error RouterInvalidTemperature(uint256 temperature);
    /// @notice The payment is below what the smallest answer costs.
    error RouterPaymentTooLow(uint256 payment, uint256 minimum);
    /// @notice Callback gas above 500,000, or gas without a callback, or a callback without gas, or of a private request.
    error RouterInvalidCallback(address callback, uint256 gas);
    /// @notice Neither a prompt hash nor the prompt's bytes.
    error RouterMissingPrompt();
    /// @notice The prompt's bytes do not hash to what was signed, or may not be public.
    error RouterPromptMismatch(bytes32 expected, bytes32 actual);
    /// @notice Ten submissions lie within the last 60 seconds; the next passes in `wait` seconds.
    error RouterRateLimited(address user, uint256 wait);
    /// @notice The nonce was used, or lies more than 16 above the lowest unused one.
    error RouterInvalidNonce(address user, uint256 nonce, uint256 lowest);
    /// @notice The intent's deadline has passed.
    error RouterExpired(uint256 deadline);
    /// @notice The signature is not the user's.
    error RouterInvalidSignature(address user);
    /// @notice The intent names another relayer, or none although the prompt stays private.
    error RouterWrongRelayer(address relayer, address sender);
    /// @notice The intent names a validator: it is to be delivered, not submitted.
    error RouterDirectIntent(address validator);
    /// @notice The sender is not the operator of the validator that the request is assigned to.
    error RouterNotAssigned(address sender, uint256 validator);
    /// @notice The execution window is over, in seconds and in blocks; to cancel, in seconds.
    error RouterWindowOver(bytes32 id, uint256 endedAt);
    /// @notice It cannot be claimed that the request failed: not before `from` (unix seconds), nor within the first
    /// blocks after its assignment.
    error RouterTooEarly(bytes32 id, uint256 from);
    /// @notice Nobody is eligible; the request stays queued, or unrevealed.
    error RouterNobodyEligible(bytes32 id);
    /// @notice The digest is zero.
    error RouterEmptyDigest(bytes32 id);
    /// @notice The record does not hash to the digest, or holds no answer where one belongs.
    error RouterInvalidRecord(bytes32 id, bytes32 digest);
    /// @notice Too little gas is left to give the callback, or the mint, what it is due.
    error RouterGasTooLow(uint256 required, uint256 available);
    /// @notice The outcome is not the one that the request's slot commits to.
    error RouterWrongOutcome(bytes32 id);
    /// @notice The sender operates no validator, or one that is suspended.
    error RouterNotServing(address sender);
    /// @notice The credits do not cover it.
    error RouterInsufficientCredits(address user, uint256 credits, uint256 required);
    /// @notice Settlement is paused.
    error RouterSettlementPaused(uint256 until);
    /// @notice Intake is paused.
    error RouterIntakePaused(uint256 until);
    /// @notice The pause would end later than a guardian may set.
    error RouterPauseTooLong(uint256 until, uint256 latest);
    /// @notice A guardian may not pause again before this time.
    error RouterPauseTooSoon(uint256 from);
    /// @notice Nothing is paused that could be ended.
    error RouterNotPaused();
    /// @notice Payments from `from` on go through `commit` and `reveal`.
    error RouterCommitRequired(uint256 payment, uint256 from);
    /// @notice The bond is below 10 % of the payment, or below 5 NSD.
    error RouterBondTooLow(uint256 bond, uint256 required);
    /// @notice The sender made no such commitment, or it was revealed or forfeited.
    error RouterUnknownCommitment(bytes32 commitment);
    /// @notice Not before this block.
    error RouterRevealTooEarly(bytes32 commitment, uint256 fromBlock);
    /// @notice The chain forgot the block's hash: commit again.
    error RouterRevealTooLate(bytes32 commitment, uint256 lastBlock);
    /// @notice It can still be revealed up to this block.
    error RouterStillRevealable(bytes32 commitment, uint256 lastBlock);
    /// @notice The arrays differ in length.
    error RouterUnequalLengths();
    /// @notice Only the payer of this request, or the user of this session, may.
    error RouterNotPayer(address sender, address payer);
    /// @notice No such session is open.
    error RouterUnknownSession(bytes32 id);
    /// @notice The time is in the past, or later than `latest`.
    error RouterInvalidExpiry(uint256 expiry, uint256 latest);
    /// @notice A receipt must count more prompts than the last settled one, at most 2,097,151.
    error RouterInvalidReceipt(bytes32 id, uint256 count, uint256 settled);
    /// @notice The receipt's total is above the session's cap.
    error RouterInsufficientCap(bytes32 id, uint256 total, uint256 cap);
    /// @notice Above 60 seconds.
    error RouterInvalidRateWindow(uint256 window, uint256 longest);
    /// @notice The case froze legs already.
    error RouterFrozen(bytes32 caseId);
    /// @notice The case froze no legs.
    error RouterNotFrozen(bytes32 caseId);
    /// @notice Only the contract that owns this fact may write it.
    error RouterOnlyPeer(address sender);
    /// @notice The retried callback failed again.
    error RouterCallbackFailed(bytes32 id, address callback);
}

/// @title What everybody may call on the router
/// @notice A request is paid in NSD, answered by a staked validator, and settled 70/20/10. Source: seeds 1 and 3.
interface IInferenceRouter is IRouterLog {
    // ---- asking

    /// @notice Opens a request that the sender pays for, and assigns a validator, or queues it while none is free.
    /// What the credits do not cover is burned from the wallet, within its allowance to ModelAccessCredits.
    /// @param prompt The prompt's bytes where it shall be public on chain, else empty.
    /// @return id The request's id.
    function submit(Ask calldata ask, bytes calldata prompt) external returns (bytes32 id);

    /// @notice Opens a request that its user signed (EOA, or ERC-1271 within 200,000 gas).
    function submitFor(Intent calldata intent, bytes calldata signature, bytes calldata prompt)
        external
        returns (bytes32 id);

    /// @notice Opens many signed requests, each as `submitFor` would. A bad one is named and passed over.
    /// @return ids The requests' ids, zero where one was passed over.
    function submitBatch(Intent[] calldata intents, bytes[] calldata signatures, bytes[] calldata prompts)
        external
        returns (bytes32[] memory ids);

    /// @notice Commits the sender to a request whose payment reaches `commitFromOf(model)`. Who commits for another user
    /// trusts that nonce, funds and signature will stand: what cannot be revealed in time costs the bond all the same.
    /// @param commitment `keccak256(abi.encode(hashIntent(intent), salt))`. Made a second time, it forfeits the first bond.
    /// @param bond NSD wei from the sender's credits and wallet: 10 % of the payment, 5 NSD at least.
    function commit(bytes32 commitment, uint256 bond) external;

    /// @notice Opens the request that the sender committed to, one to 256 blocks later. Its user needs no signature.
    function reveal(Intent calldata intent, bytes calldata signature, bytes calldata prompt, bytes32 salt)
        external
        returns (bytes32 id);

    /// @notice Burns the bond of a commitment that can no longer be revealed, or returns it to credits where a pause of
    /// intake began while it could be. Anyone.
    function forfeit(address committer, bytes32 commitment) external;

    /// @notice Takes a request back. Queued: it ends at once, with all of the payment back, half where validators
    /// declined it, and what its last failure gives where it had one. Assigned: its validator has 30 seconds to post
    /// what it has, which then is Completed and paid; else half comes back when anybody calls `expire`. Its payer alone.
    function cancel(Ticket calldata ticket) external;

    /// @notice The same by the payer's signature of the EIP-712 message `Cancel(bytes32 request,uint64 deadline)`.
    function cancelFor(Ticket calldata ticket, uint256 deadline, bytes calldata signature) external;

    /// @notice Opens a session and locks its cap, from credits alone. The user signed it, or sends it.
    /// @return id Its EIP-712 digest.
    function openSession(Session calldata session, bytes calldata signature) external returns (bytes32 id);

    /// @notice Settles what a receipt adds to the last one. The session's validator alone.
    /// @param signature Of the receipt, by the session's key or its user. A user that is a contract answers for its signature
    /// now, whatever it said before: take receipts of the session's key where there is one.
    function settleSession(Session calldata session, Receipt calldata receipt, bytes calldata signature) external;

    /// @notice Lets a session end 15 minutes from now, if that is before its expiry. Its user alone.
    function endSession(Session calldata session) external;

    /// @notice Unlocks what the receipts left. Its validator at any time; anybody once it has ended.
    function closeSession(Session calldata session) external;

    /// @notice Voids the sender's nonces below `nonce`, at most 1,000 at a time: nothing signed with them counts.
    function voidNonces(uint256 nonce) external;

    // ---- answering

    /// @notice Answers an assigned request; the sender is the operator of its validator.
    /// @param digest SHA-256 of the record, so that CIDv1(raw, sha2-256, digest) is its CID.
    /// @param tokens Output tokens used, at most what the payment buys.
    /// @param record The record's bytes where a callback shall receive the answer, else empty.
    function settle(Ticket calldata ticket, bytes32 digest, uint256 tokens, bytes calldata record) external;

    /// @notice The same by the operator's signature of the EIP-712 message `Delivery(bytes32 request,bytes32 digest,uint32
    /// tokens)`, whoever sends it.
    function settleFor(
        Ticket calldata ticket,
        bytes32 digest,
        uint256 tokens,
        bytes calldata record,
        bytes calldata signature
    ) external;

    /// @notice Delivers answered intents of one model, many in a transaction. A bad item is named and passed over.
    function deliver(bytes32 model, Delivery[] calldata items) external;

    /// @notice The assigned validator confesses that it cannot answer: the next one gets the request, or it ends as Error.
    function fail(Ticket calldata ticket) external;

    /// @notice The assigned validator cannot use the prompt: it is missing, does not match its hash, is no text, or is
    /// longer than the model takes. The request goes to another validator, or to the queue while none is free; the third
    /// decline ends it as BadPrompt: 50 % go back; all, as NoNode, where the prompt is on chain. After a failure the third
    /// attempt ends it with what that failure gives. A few declines a day, and one in ten answers, cost no reputation.
    function decline(Ticket calldata ticket) external;

    /// @notice Shows that the sender's node lives: counts for its uptime, and acknowledges what is assigned to it.
    function heartbeat() external;

    // ---- ending, by anybody

    /// @notice Assigns a queued request once somebody is eligible who has not had it.
    function assign(Ticket calldata ticket) external;

    /// @notice Shows that a request was not answered in time: Offline or Timeout, as the chain has it, or NoNode. The next
    /// validator gets it, up to three; else it ends. After a cancellation it ends as that.
    function expire(Ticket calldata ticket) external;

    /// @notice Repeats a callback that failed, with gas that the sender brings.
    function retryCallback(Ticket calldata ticket, Outcome calldata outcome, bytes calldata record) external;

    // ---- limits, by governance

    /// @notice Sets in how many seconds ten submissions of an account pass, 0 to 60; 0 lifts the limit. Governance alone.
    function setRateWindow(address account, uint256 window) external;

    // ---- pausing, by a guardian

    /// @notice Pauses settlement until then, and claims of failures whose time is not over yet. Guardian alone. A pause
    /// lasts a day at most, and the next may not begin within a day of its end; a running one can only be shortened, by
    /// an earlier date or one that is over. Nothing else is ever paused: transfers, refunds, claims and withdrawals go on.
    /// @param until Unix seconds.
    function pauseSettlement(uint256 until) external;

    /// @notice Pauses submissions within the same bounds. They open again when anybody calls
    /// `ModelRegistry.pushOffers` after its end. Guardian alone.
    /// @param until Unix seconds.
    function pauseIntake(uint256 until) external;

    // ---- reading

    function requestId(Ticket calldata ticket) external view returns (bytes32);
    /// @notice EIP-712 digest of an intent; the id of a direct request.
    function hashIntent(Intent calldata intent) external view returns (bytes32);
    function requestOf(bytes32 id) external view returns (RequestView memory);
    function accountOf(address user) external view returns (AccountView memory);
    function isNonceUsed(address user, uint256 nonce) external view returns (bool);
    function validatorOf(uint256 id) external view returns (ValidatorView memory);
    function validatorIdOf(address operator) external view returns (uint256);
    function offerOf(bytes32 model) external view returns (Offer);
    /// @notice Whether `outcome` is how the request ended.
    function isOutcome(bytes32 id, Outcome calldata outcome) external view returns (bool);
    /// @return records How many interactions are recorded, in all lanes.
    /// @return pausedUntil Settlement is paused until then.
    /// @return unretired NSD wei gone for good that no call has retired yet.
    function ledger() external view returns (uint256 records, uint256 pausedUntil, uint256 unretired);
    /// @notice Running hash over the direct and session lanes (208 bits) and its count of leaves (48 bits below): a leaf a
    /// delivered record, and one a session's settlement, `keccak256(abi.encode(id, firstRecord, prompts, root, validator,
    /// amount, validatorLeg, treasuryLeg))`.
    function chain() external view returns (uint256);
    /// @notice The running hash after `256 * number` leaves.
    function checkpointOf(uint256 number) external view returns (uint256);
    /// @notice NSD wei that a unit of callback gas costs.
    function callbackGasPriceOf(bytes32 model) external view returns (uint256);
    /// @notice NSD wei of payment from which a request goes through `commit` and `reveal`.
    function commitFromOf(bytes32 model) external view returns (uint256);
    /// @notice EIP-712 digest of a session: its id.
    function hashSession(Session calldata session) external view returns (bytes32);
    /// @notice EIP-712 digest of a receipt.
    function hashReceipt(bytes32 session, Receipt calldata receipt) external view returns (bytes32);
    function sessionOf(bytes32 id) external view returns (SessionView memory);
    /// @return bond NSD wei, 0 where there is no such commitment.
    /// @return atBlock Number of the block whose hash chooses.
    function commitmentOf(address committer, bytes32 commitment) external view returns (uint256 bond, uint256 atBlock);
    /// @notice Legs that a case holds back.
    function frozenOf(bytes32 caseId)
        external
        view
        returns (uint256 validator, uint256 validatorLeg, uint256 treasuryLeg);
    /// @notice Unix seconds from which `expire` may be called on a request as things stand, 0 where it has ended or never was.
    /// The blocks that must follow its assignment come on top.
    function overdueFrom(Ticket calldata ticket) external view returns (uint256);
    /// @notice Validators that had a request and passed it on, the first one first; not the one with which it ended.
    function earlierOf(bytes32 id) external view returns (uint256[] memory validators);

    /// @notice What an answer of `tokens` output tokens costs, NSD wei, at today's terms.
    function quote(bytes32 model, uint256 tokens, bool priority) external view returns (uint256 cost);
    /// @notice The least that may be paid for a request: 5 NSD, or one token where that costs more.
    function minimumPayment(bytes32 model, bool priority) external view returns (uint256);
    /// @notice Output tokens that a payment buys, at most the model's limit.
    function tokensFor(bytes32 model, uint256 payment, bool priority) external view returns (uint256);
}

/// @title What the contracts beside the router may call on it: each owns the facts that it pushes
interface IRouterPeers {
    /// @notice ModelAccessCredits alone: a deposit arrived.
    function credit(address user, uint256 amount) external;
    /// @notice ModelAccessCredits alone: takes up to `amount`, and returns what it took.
    function debit(address user, uint256 amount) external returns (uint256 taken);
    /// @notice ModelAccessCredits alone: empties a till into a claim.
    function sweep(uint256 validator) external returns (uint256 validatorLeg, uint256 treasuryLeg);
    /// @notice ModelAccessCredits alone: hands over the sum that is to be retired.
    function takeUnretired() external returns (uint256 amount);
    /// @notice ModelReward alone: hands over chats whose LCAI is accrued, at most `most`.
    function takeAccrued(address user, uint256 most) external returns (uint256 chats);
    /// @notice ValidatorRegistry alone: seats a validator, with its tickets for each model.
    /// @param stake NST wei.
    function enlist(uint256 id, address operator, uint256 stake, bytes32[] calldata models) external;
    /// @notice ValidatorRegistry alone: a stake rose or fell, and the tickets for each model with it. At 0 the validator
    /// serves nothing any more.
    /// @param previous NST wei staked so far.
    function restake(uint256 id, uint256 previous, uint256 stake) external;
    /// @notice ValidatorRegistry alone: the models that a validator serves from now on.
    function serve(uint256 id, uint256 stake, bytes32[] calldata models) external;
    /// @notice ValidatorRegistry alone: another key operates a validator. Earnings, what was seen of it and its open work
    /// go with the validator; the previous key is nobody's.
    function rotate(uint256 id, address operator) external returns (address previous);
    /// @notice ValidatorRegistry alone: opens or closes a seat for routing. To open one counts as being seen.
    function setClosed(uint256 id, bool closed) external;
    /// @notice ModelRegistry alone: a model's terms. Tickets and servers stay as they are.
    function setOffer(bytes32 model, Offer offer) external;
    /// @notice The court alone: keeps legs from being claimed while a case is open. They come out of the till, then out of
    /// the pending claim; `CreditsClaimTooSmall` where both together hold less.
    function freeze(bytes32 caseId, uint256 validator, uint256 validatorLeg, uint256 treasuryLeg) external;
    /// @notice The court alone: the legs go back into the till.
    function release(bytes32 caseId) external;
    /// @notice The court alone: the legs go to the user's credits.
    function award(bytes32 caseId, address user) external;
}

/// @notice What a contract implements to receive answers.
interface IInferenceCallback {
    /// @param requestId The request's id, as `submit` returned it.
    /// @param status `RequestStatus.Completed`.
    /// @param result The answer, as the UTF-8 text of the record's `answer` string, JSON escapes included.
    function onInferenceResult(bytes32 requestId, RequestStatus status, bytes calldata result) external;
}

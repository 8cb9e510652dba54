// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {Ask, Delivery, Intent, Outcome, RequestStatus, SkipReason} from "./interfaces/IInferenceRouter.sol";
import {FeeMath} from "./libraries/FeeMath.sol";
import {ReputationMath} from "./libraries/ReputationMath.sol";
import {Records} from "./libraries/Records.sol";
import {Answering} from "./router/Answering.sol";
import {Extended} from "./router/Extended.sol";
import {Opening} from "./router/Opening.sol";
import {RouterBase} from "./router/RouterBase.sol";
import {Account} from "./words/Account.sol";
import {Chain, ChainWord, Global} from "./words/Ledger.sol";
import {Offer, PriceWord} from "./words/Offer.sol";
import {Request, RequestWord} from "./words/Request.sol";
import {Seat} from "./words/Seat.sol";
import {Payer, PayerWord, Terms, TermsWord, Ticket} from "./words/Ticket.sol";
import {Till} from "./words/Till.sol";

/// @title Where a request lives
/// @notice # A request in the assigned lane
/// `submit` takes the payment out of the payer's credits, and what they lack out of the payer's wallet; the contract
/// chooses a validator, whose place is taken. `settle` brings the digest of the stored answer and the tokens it took:
/// what they cost is cut into three legs, the rest of the payment goes back to the payer's credits. Who gave a
/// callback gets the answer there. Where no answer comes, `expire` ends the request with the refund that its failure
/// earns, and anybody may call it. Nothing stays open.
///
/// # A request in the direct lane
/// The user signs who shall answer, and the validator brings intent and answer together, many at once. Nothing is
/// locked before, nothing is charged unless something was delivered, and a bad item is passed over alone.
///
/// # Accounting
/// Credits, legs and forfeits are numbers in words here; the NSD behind them was burned, and is minted again only by
/// ModelAccessCredits. Per request: validator + treasury + burn + returned = payment; or refund + forfeited =
/// payment. Rounding favours the burn first and the treasury last, and never makes NSD.
///
/// # Words
/// The chain keeps one word for a request, and checks everything else, brought as calldata, against the request's
/// id. Whoever settles touches five words: request, account, till, seats, global. Their layouts are in words/.
/// A request copies the price it was opened under, so nothing that governance changes reaches it.
///
/// # Liveness
/// Any transaction of an operator shows that its node lives. Windows are counted in seconds and in blocks; while
/// settlement is paused, and one window after, nobody can be timed out.
///
/// # Four implementations
/// This one holds what every request goes through. Others work on the same storage, each reached through the fallback
/// of the one before: router/RouterExtension.sol (a request that is not answered at once), router/RouterLanes.sol
/// (batches, commitments, sessions, pauses), router/RouterSeats.sol (what the peers push, and what can be read).
/// Together they are `IInferenceRouter` and `IRouterPeers`.
///
/// # Roles
/// Each peer contract may write the one fact that it owns. A guardian may pause intake or settlement for a day, and
/// move nothing. Upgrades wait for the AccessManager. Nobody else is asked for permission anywhere.
contract InferenceRouter is Governed, Opening, Answering, Extended {
    using PriceWord for uint256;
    using Records for Outcome;

    /// @dev What a delivery carries from item to item.
    struct Batch {
        Till till;
        Seat seat;
        Global global;
        Chain chain;
        bytes32 model;
        bytes32 domain;
        uint256 price;
        uint256 tokenLimit;
        uint256 validator;
        uint256 band;
        uint256 validatorLegs;
        uint256 treasuryLegs;
        uint256 burned;
        uint256 rewarded;
        uint256[] rewards;
        bool accrued;
    }

    /// @param extension RouterExtension, made with the same peers and the same number of blocks, as all behind it are.
    constructor(Peers memory peers, uint256 windowBlocks, address extension)
        RouterBase(peers, windowBlocks)
        Extended(extension)
    {}

    /// @dev Nothing to set: every fact is pushed by its owner. Closes the door behind the vacant proxy.
    function initialize() external reinitializer(2) {}

    // ---- asking

    function submit(Ask calldata ask, bytes calldata prompt) external nonReentrant returns (bytes32 id) {
        Layout storage $ = _layout();
        Offer offer = $.offers[ask.model];
        Account account = $.accounts[msg.sender];
        _requireIntake(offer, ask.model);
        Opened memory o;
        o.payer = PayerWord.pack(msg.sender, ask.payment);
        o.terms = _terms(
            offer,
            ask.maxTokens,
            ask.temperature,
            (ask.priority ? TermsWord.PRIORITY : 0) | (ask.isPrivate ? TermsWord.PRIVATE : 0),
            account.nonceBase(),
            ask.callback,
            ask.callbackGas
        );
        o.promptHash = _promptHash(ask.promptHash, prompt, ask.isPrivate, false);
        o.callback = ask.callback;
        _check(o, offer);
        _requireNoCommitment(o, offer);
        return _open(o, offer, account, prompt, 0, 0);
    }

    function submitFor(Intent calldata intent, bytes calldata signature, bytes calldata prompt)
        external
        nonReentrant
        returns (bytes32 id)
    {
        _requireSigned(intent, signature, prompt);
        Layout storage $ = _layout();
        Offer offer = $.offers[intent.model];
        Opened memory o = _openedBy(intent, offer, prompt);
        _check(o, offer);
        _requireNoCommitment(o, offer);
        return _open(o, offer, $.accounts[intent.user], prompt, 0, 0);
    }

    // ---- answering

    function settle(Ticket calldata ticket, bytes32 digest, uint256 tokens, bytes calldata record)
        external
        nonReentrant
    {
        _settle(msg.sender, ticket, digest, tokens, record);
    }

    function deliver(bytes32 model, Delivery[] calldata items) external nonReentrant {
        Layout storage $ = _layout();
        Batch memory batch = _openBatch(model, items.length);
        for (uint256 i; i < items.length; ++i) {
            // What an item needs in memory is given back, so that the hundredth costs what the first did.
            uint256 free;
            assembly ("memory-safe") {
                free := mload(0x40)
            }
            _deliverOne(batch, items[i], i);
            assembly ("memory-safe") {
                mstore(0x40, free)
            }
        }
        if (batch.rewarded == 0) return;

        (Till till, Seat seat) = _rate(_seen(batch.till, msg.sender), batch.seat, batch.validator);
        if (Seat.unwrap(seat) != Seat.unwrap(_seatOf(batch.validator))) _putSeat(batch.validator, seat);
        $.tills[msg.sender] = _earn(till, batch.validator, batch.validatorLegs, batch.treasuryLegs);
        $.global = batch.global.add(0, batch.burned);
        $.chain = batch.chain;
        _mint(batch.rewards, batch.rewarded);
        if (batch.accrued) _mintAccrued(batch.rewards);
    }

    function _openBatch(bytes32 model, uint256 n) private view returns (Batch memory batch) {
        Layout storage $ = _layout();
        Offer offer = $.offers[model];
        batch.price = offer.price();
        require(batch.price != 0, RouterUnknownModel(model));
        batch.till = $.tills[msg.sender];
        batch.validator = batch.till.id();
        batch.seat = _seatOf(batch.validator);
        bool serves = (batch.seat.models() >> offer.model()) & 1 == 1 && !batch.seat.suspended();
        require(batch.validator != 0 && serves, RouterNotServing(msg.sender));
        batch.global = $.global;
        _requireRunning(batch.global);
        batch.chain = $.chain;
        batch.model = model;
        batch.domain = _domainSeparator();
        batch.tokenLimit = offer.tokenLimit();
        batch.band = ReputationMath.bandOf(batch.seat.standing());
        batch.rewards = new uint256[](n);
    }

    function _deliverOne(Batch memory batch, Delivery calldata item, uint256 index) private {
        Layout storage $ = _layout();
        (Intent memory intent, uint256 tokens) = _unpack(batch.model, item);
        bytes32 id = _hashIntent(intent, batch.domain);
        (Outcome memory outcome, uint256 burned, bool covered) =
            _split(batch.price, tokens, intent.priority, intent.payment, batch.band);
        Account account = $.accounts[intent.user];
        SkipReason reason = _checkTokens(batch, intent, tokens, covered);
        if (reason == SkipReason.None) (account, reason) = _checkPayer(item, intent, outcome.consumed, account, id);
        if (reason != SkipReason.None) {
            emit DeliverySkipped(id, intent.user, index, reason);
            return;
        }
        $.accounts[intent.user] = account.withCredits(account.credits() - outcome.consumed);
        batch.rewards[batch.rewarded++] = (1 << 160) | uint160(intent.user);
        batch.accrued = batch.accrued || account.accruedChats() != 0;

        outcome.digest = item.digest;
        outcome.validator = batch.validator;
        outcome.record = batch.global.records() + 1;
        batch.global = batch.global.add(1, 0);
        batch.burned += burned;
        batch.validatorLegs += outcome.validatorLeg;
        batch.treasuryLegs += outcome.treasuryLeg;
        if (intent.user != msg.sender) {
            batch.till = batch.till.withSuccess(ReputationMath.afterSuccess(batch.till.success())).count(intent.user);
        }
        batch.chain = batch.chain.append(outcome.leaf(id, intent.user));
        _checkpoint(batch.chain);
        _emitSettled(id, intent.user, outcome, burned);
    }

    /// @dev In a batch every check answers instead of reverting.
    function _checkTokens(Batch memory batch, Intent memory intent, uint256 tokens, bool covered)
        private
        pure
        returns (SkipReason)
    {
        // A payment that covers the answer covers one token of it.
        bool enough = intent.payment >= FeeMath.MINIMUM
            && (covered || intent.payment >= FeeMath.minimumPayment(batch.price, intent.priority));
        if (!enough) return SkipReason.Underpaid;
        bool valid = intent.maxTokens <= batch.tokenLimit && intent.temperature <= MAX_TEMPERATURE;
        bool fits = tokens != 0 && tokens <= intent.maxTokens && covered;
        return valid && fits ? SkipReason.None : SkipReason.BadTokens;
    }

    /// @dev The signature comes last, since it costs most. Returns the account with the nonce used.
    function _checkPayer(Delivery calldata item, Intent memory intent, uint256 consumed, Account account, bytes32 id)
        private
        view
        returns (Account, SkipReason)
    {
        if (item.digest == 0) return (account, SkipReason.EmptyDigest);
        if (block.timestamp > intent.deadline) return (account, SkipReason.Expired);
        if (account.credits() < consumed) return (account, SkipReason.NoCredits);
        bool fresh;
        (account, fresh) = account.useNonce(intent.nonce);
        if (!fresh) return (account, SkipReason.BadNonce);
        bytes32 s = item.vs & bytes32(uint256(type(int256).max));
        bool low = uint256(s) <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
        address signer = ecrecover(id, uint8((uint256(item.vs) >> 255) + 27), item.r, s);
        bool signed = low && signer != address(0) && signer == intent.user;
        return (account, signed ? SkipReason.None : SkipReason.BadSignature);
    }

    /// @dev The intent as it was signed: in this lane it names its validator, and neither relayer nor callback.
    function _unpack(bytes32 model, Delivery calldata item)
        private
        view
        returns (Intent memory intent, uint256 tokens)
    {
        uint256 terms = item.terms;
        Payer payer = Payer.wrap(item.payer);
        tokens = uint24(terms);
        intent.user = payer.user();
        intent.model = model;
        intent.promptHash = item.promptHash;
        intent.maxTokens = uint24(terms >> 24);
        intent.temperature = uint16(terms >> 48);
        intent.payment = uint96(payer.payment());
        intent.priority = (terms >> 64) & TermsWord.PRIORITY != 0;
        intent.isPrivate = (terms >> 64) & TermsWord.PRIVATE != 0;
        intent.validator = msg.sender;
        intent.nonce = uint32(terms >> 72);
        intent.deadline = uint64(terms >> 104);
    }

    /// @dev A reward that cannot be minted is said, and changes nothing else.
    function _mint(uint256[] memory rewards, uint256 n) private {
        assembly ("memory-safe") {
            mstore(rewards, n)
        }
        _requireMintGas(n);
        try LCAI.mintBatch(rewards) returns (uint256 minted) {
            if (minted < n) emit RewardsSkipped(n - minted);
        } catch {
            emit RewardsSkipped(n);
        }
    }

    /// @dev What the assigned lane left to be minted goes along, where it fits under the caps; else it stays.
    function _mintAccrued(uint256[] memory rewards) private {
        Layout storage $ = _layout();
        for (uint256 i; i < rewards.length; ++i) {
            address user = address(uint160(rewards[i]));
            Account account = $.accounts[user];
            uint256 chats = account.accruedChats();
            if (chats == 0) continue;
            _requireMintGas(1);
            try LCAI.mint(user, chats * 1e18) returns (bool minted) {
                if (minted) $.accounts[user] = account.withoutAccrued(chats);
            } catch {}
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "solady/utils/ECDSA.sol";
import {Governed} from "./Governed.sol";
import {Ask, Delivery, Intent, SkipReason} from "./interfaces/IInferenceRouter.sol";
import {IRewardToken} from "./interfaces/ITokens.sol";
import {Cells} from "./libraries/Cells.sol";
import {FeeMath} from "./libraries/FeeMath.sol";
import {ReputationMath} from "./libraries/ReputationMath.sol";
import {Records} from "./libraries/Records.sol";
import {Answering} from "./router/Answering.sol";
import {Extended} from "./router/Extended.sol";
import {Opening} from "./router/Opening.sol";
import {RouterBase} from "./router/RouterBase.sol";
import {Account} from "./words/Account.sol";
import {Chain, Global} from "./words/Ledger.sol";
import {Offer, PriceWord} from "./words/Offer.sol";
import {Seat} from "./words/Seat.sol";
import {DirectTerms, Payer, PayerWord, Terms, TermsWord, Ticket} from "./words/Ticket.sol";
import {Till, TillWord} from "./words/Till.sol";

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
/// What an operator answers, delivers, confesses or declines, and its heartbeat, show that its node lives. Windows are
/// counted in seconds and in blocks, for who answers as for who ends; while settlement is paused, and one window after,
/// nobody can be timed out whose time was not over before.
///
/// # Four implementations
/// This one holds what every request goes through. Others work on the same storage, each reached through the fallback
/// of the one before: router/RouterExtension.sol (a request that is not answered at once), router/RouterLanes.sol
/// (batches, commitments, sessions), router/RouterSeats.sol (pauses, what the peers push, and what can be read).
/// Together they are `IInferenceRouter` and `IRouterPeers`.
///
/// # Roles
/// Each peer contract may write the one fact that it owns. A guardian may pause intake or settlement for a day, and
/// move nothing. Upgrades wait for the AccessManager. Nobody else is asked for permission anywhere.
contract InferenceRouter is Governed, Opening, Answering, Extended {
    using PriceWord for uint256;

    uint256 private constant HALF_CURVE = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @dev What a delivery carries from item to item. Its items claim no memory of their own.
    struct Batch {
        Till till;
        Seat seat;
        Chain chain;
        uint256 firstRecord;
        uint256 price;
        uint256 tariffBase;
        uint256 tariffPerToken;
        uint256 burnBps;
        uint256 share;
        uint256 tokenLimit;
        uint256 validator;
        uint256 validatorLegs;
        uint256 treasuryLegs;
        uint256 burned;
        // settled, and those of them that the validator asked itself
        uint256 rewarded;
        uint256 own;
        // the sketch of who asked beside it
        uint256 payers;
        uint256[] rewards;
        bool accrued;
        bytes32 domain;
        bytes32[16] message;
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
        Cells.AccountCell storage cell = Cells.locate($.accounts, msg.sender);
        Account account = cell.word;
        if (!offer.active()) _refuseIntake(ask.model);
        (address callback, bool isPrivate) = (ask.callback, ask.isPrivate);
        Terms terms = _terms(
            offer,
            ask.maxTokens,
            ask.temperature,
            TermsWord.flags(ask.priority, isPrivate),
            account.nonceBase(),
            callback,
            ask.callbackGas
        );
        bytes32 promptHash = _promptHash(ask.promptHash, prompt, isPrivate, false);
        uint256 payment = ask.payment;
        _requireEnough(offer, payment, terms);
        Payer payer = PayerWord.pack(msg.sender, payment);
        return _open(payer, terms, promptHash, callback, 0, offer, cell, account, prompt, 0, 0);
    }

    function submitFor(Intent calldata intent, bytes calldata signature, bytes calldata prompt)
        external
        nonReentrant
        returns (bytes32 id)
    {
        _requireSigned(intent, signature, prompt);
        return _openSigned(intent, _layout().offers[intent.model], prompt, 0, 0);
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
            _deliverOne(batch, items[i], i);
        }
        if (batch.rewarded == 0) return;

        uint256 validator = batch.validator;
        uint256 served = batch.rewarded - batch.own;
        uint256 success = ReputationMath.afterSuccesses(batch.till.success(), served);
        Till till = batch.till.withSuccess(success).met(batch.payers).countMore(served);
        Seat seat;
        (till, seat) = _rate(_seen(till, msg.sender), batch.seat, validator);
        if (Seat.unwrap(seat) != Seat.unwrap(_seatOf(validator))) _putSeat(validator, seat);
        $.tills[msg.sender] = _earn(till, validator, batch.validatorLegs, batch.treasuryLegs);
        $.global = $.global.add(batch.rewarded, batch.burned);
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
        uint256 validator = batch.till.id();
        batch.validator = validator;
        batch.seat = _seatOf(validator);
        bool serves = (batch.seat.models() >> offer.model()) & 1 == 1 && !batch.seat.suspended();
        require(validator != 0 && serves, RouterNotServing(msg.sender));
        Global global = $.global;
        _requireRunning(global);
        batch.firstRecord = global.records() + 1;
        batch.chain = $.chain;
        batch.message = _directMessage(model);
        batch.domain = _domainSeparator();
        batch.tokenLimit = offer.tokenLimit();
        (batch.tariffBase, batch.tariffPerToken) = FeeMath.tariff(batch.price);
        batch.burnBps = batch.price.burnBps();
        batch.share = FeeMath.shareOf(batch.burnBps, ReputationMath.bandOf(batch.seat.standing()));
        batch.rewards = new uint256[](n);
    }

    /// @dev In a batch every check answers instead of reverting. The signature comes last, since it costs most.
    function _deliverOne(Batch memory batch, Delivery calldata item, uint256 index) private {
        Payer payer = Payer.wrap(item.payer);
        DirectTerms terms = DirectTerms.wrap(item.terms);
        address user = payer.user();
        bytes32 id = _hashDirect(batch.message, batch.domain, payer, terms, item.promptHash);
        (uint256 consumed, bool covered) = FeeMath.consumedAt(
            batch.tariffBase, batch.tariffPerToken, terms.tokens(), terms.priority(), payer.payment()
        );
        if (payer.payment() < FeeMath.MINIMUM) return _skip(id, user, index, SkipReason.Underpaid);
        if (!covered) {
            // A payment that covers the answer covers one token of it.
            bool enough = payer.payment() >= FeeMath.minimumPayment(batch.price, terms.priority());
            return _skip(id, user, index, enough ? SkipReason.BadTokens : SkipReason.Underpaid);
        }
        if (terms.maxTokens() > batch.tokenLimit) return _skip(id, user, index, SkipReason.BadTokens);
        if (terms.temperature() > MAX_TEMPERATURE) return _skip(id, user, index, SkipReason.BadTokens);
        unchecked {
            // No token at all wraps, and is too many.
            if (terms.tokens() - 1 >= terms.maxTokens()) return _skip(id, user, index, SkipReason.BadTokens);
        }
        if (item.digest == 0) return _skip(id, user, index, SkipReason.EmptyDigest);
        if (block.timestamp > terms.deadline()) return _skip(id, user, index, SkipReason.Expired);

        Cells.AccountCell storage cell = Cells.locate(_layout().accounts, user);
        Account account = cell.word;
        if (account.credits() < consumed) return _skip(id, user, index, SkipReason.NoCredits);
        bool fresh;
        (account, fresh) = account.useNonce(terms.nonce());
        if (!fresh) return _skip(id, user, index, SkipReason.BadNonce);
        if (!_signed(item, id, user)) return _skip(id, user, index, SkipReason.BadSignature);
        unchecked {
            cell.word = account.withCredits(account.credits() - consumed);
        }
        if (account.accruedChats() != 0) batch.accrued = true;
        _record(batch, id, user, terms.tokens(), item.digest, consumed);
    }

    function _skip(bytes32 id, address user, uint256 index, SkipReason reason) private {
        emit DeliverySkipped(id, user, index, reason);
    }

    function _signed(Delivery calldata item, bytes32 id, address user) private view returns (bool) {
        bytes32 vs = item.vs;
        // The half of the curve that every wallet signs with: no signature has a twin.
        if (uint256(vs << 1) > HALF_CURVE << 1) return false;
        address signer = ECDSA.tryRecover(id, item.r, vs);
        if (signer == address(0)) return false;
        return signer == user;
    }

    /// @dev Cuts what an item consumed into its legs, numbers its record, and counts it.
    function _record(Batch memory batch, bytes32 id, address user, uint256 tokens, bytes32 digest, uint256 consumed)
        private
    {
        unchecked {
            // Amounts add up to less than all NSD there is, which fits 96 bits; `rewarded` stays below the items' number.
            (uint256 validatorLeg, uint256 treasuryLeg, uint256 burned) =
                FeeMath.splitAt(consumed, batch.burnBps, batch.share);
            batch.validatorLegs += validatorLeg;
            batch.treasuryLegs += treasuryLeg;
            batch.burned += burned;
            uint256 before = batch.rewarded;
            _put(batch.rewards, before, (1 << 160) | uint160(user));
            batch.rewarded = before + 1;
            if (user != msg.sender) batch.payers |= TillWord.sketchOf(user);
            else ++batch.own;
            uint256 validator = batch.validator;
            uint256 number = batch.firstRecord + before;
            bytes32 leaf =
                Records.delivered(id, user, digest, validator, tokens, consumed, validatorLeg, treasuryLeg, number);
            Chain chain_ = batch.chain.append(leaf);
            batch.chain = chain_;
            _checkpoint(chain_);
        }
    }

    /// @dev `index` is below the number of items, and the array has room for as many.
    function _put(uint256[] memory rewards, uint256 index, uint256 reward) private pure {
        assembly ("memory-safe") {
            mstore(add(add(rewards, 32), shl(5, index)), reward)
        }
    }

    /// @dev A reward that cannot be minted is said, and changes nothing else. The call to `mintBatch(rewards)` copies the array
    /// at once, where the compiler would go word by word.
    function _mint(uint256[] memory rewards, uint256 n) private {
        _requireMintGas(n);
        (address token, bytes4 selector) = (address(LCAI), IRewardToken.mintBatch.selector);
        uint256 minted;
        assembly ("memory-safe") {
            mstore(rewards, n)
            let size := shl(5, add(n, 1))
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 4), 32)
            mcopy(add(data, 36), rewards, size)
            // Arguments are evaluated from the last to the first.
            if and(gt(returndatasize(), 31), call(gas(), token, 0, data, add(size, 36), 0, 32)) {
                minted := mload(0)
            }
        }
        if (minted < n) emit RewardsSkipped(n - minted);
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

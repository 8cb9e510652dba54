// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Intent, RequestStatus} from "../interfaces/IInferenceRouter.sol";
import {Cells} from "../libraries/Cells.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {Account} from "../words/Account.sol";
import {Offer} from "../words/Offer.sol";
import {Request, RequestWord} from "../words/Request.sol";
import {Payer, PayerWord, Terms, TermsWord} from "../words/Ticket.sol";
import {Intents} from "./Intents.sol";
import {Settlement} from "./Settlement.sol";

/// @title How a request of the assigned lane opens, whoever brings it
abstract contract Opening is Settlement, Intents {
    uint256 internal constant MAX_TEMPERATURE = 200;
    uint256 private constant MAX_CALLBACK_GAS = 500_000;

    /// @dev Opens what a user signed.
    /// @param seed As for `_open`.
    /// @param excluded As for `_open`.
    function _openSigned(Intent calldata intent, Offer offer, bytes calldata prompt, bytes32 seed, uint256 excluded)
        internal
        returns (bytes32 id)
    {
        if (!offer.active()) _refuseIntake(intent.model);
        (address callback, bool isPrivate) = (intent.callback, intent.isPrivate);
        Terms terms = _terms(
            offer,
            intent.maxTokens,
            intent.temperature,
            TermsWord.flags(intent.priority, isPrivate),
            intent.nonce,
            callback,
            intent.callbackGas
        );
        bytes32 promptHash = _promptHash(intent.promptHash, prompt, isPrivate, true);
        (address user, uint256 payment) = (intent.user, intent.payment);
        _requireEnough(offer, payment, terms);
        Payer payer = PayerWord.pack(user, payment);
        Cells.AccountCell storage cell = Cells.locate(_layout().accounts, user);
        return
            _open(payer, terms, promptHash, callback, intent.relayFee, offer, cell, cell.word, prompt, seed, excluded);
    }

    /// @dev Every value is checked before it is packed, so that none reaches into its neighbour's bits.
    function _terms(
        Offer offer,
        uint256 maxTokens,
        uint256 temperature,
        uint256 flags,
        uint256 nonce,
        address callback,
        uint256 callbackGas
    ) internal pure returns (Terms) {
        uint256 limit = offer.tokenLimit();
        unchecked {
            // No token at all wraps, and is too many.
            require(maxTokens - 1 < limit, RouterInvalidTokens(maxTokens, limit));
        }
        require(temperature <= MAX_TEMPERATURE, RouterInvalidTemperature(temperature));
        uint256 fee;
        // Most requests have neither.
        if (uint160(callback) | callbackGas != 0) {
            bool valid = callback != address(0) && callbackGas != 0 && callbackGas <= MAX_CALLBACK_GAS;
            // A private record is encrypted: it holds no answer that could be handed over.
            valid = valid && flags & TermsWord.PRIVATE == 0;
            require(valid, RouterInvalidCallback(callback, callbackGas));
            fee = callbackGas * offer.callbackGasPrice();
        }
        return TermsWord.pack(offer.model(), maxTokens, temperature, flags, nonce, callbackGas, fee);
    }

    /// @dev Why a model that is not active takes nothing in.
    function _refuseIntake(bytes32 model) internal view {
        uint256 until = _layout().intakePausedUntil;
        require(block.timestamp >= until, RouterIntakePaused(until));
        revert RouterUnknownModel(model);
    }

    /// @dev Who may bring a signed request, and whether its user signed it.
    function _requireSigned(Intent calldata intent, bytes calldata signature, bytes calldata prompt) internal view {
        require(block.timestamp <= intent.deadline, RouterExpired(intent.deadline));
        require(intent.validator == address(0), RouterDirectIntent(intent.validator));
        // Who could submit a prompt that only he knows could withhold it, and cost the user half.
        bool open = intent.relayer == address(0) && prompt.length != 0;
        require(open || intent.relayer == msg.sender, RouterWrongRelayer(intent.relayer, msg.sender));
        require(_isSignature(intent.user, _hashIntent(intent), signature), RouterInvalidSignature(intent.user));
    }

    function _requireEnough(Offer offer, uint256 payment, Terms terms) internal pure {
        uint256 minimum = FeeMath.minimumPayment(offer.price(), terms.priority());
        require(payment >= minimum, RouterPaymentTooLow(payment, minimum));
    }

    /// @dev Bytes on chain hash with salt zero, and must be what was named, where something was named.
    function _promptHash(bytes32 named, bytes calldata prompt, bool isPrivate, bool signed)
        internal
        pure
        returns (bytes32)
    {
        if (prompt.length == 0) {
            require(named != 0, RouterMissingPrompt());
            return named;
        }
        bytes32 actual = keccak256(abi.encodePacked(bytes32(0), prompt));
        bool matches = named == actual || (named == 0 && !signed);
        require(!isPrivate && matches, RouterPromptMismatch(named, actual));
        return actual;
    }

    /// @dev Takes what the request needs out of the payer's credits, and burns what they lack from the wallet; then
    /// gives it to a validator, or to the queue. All of a request stays on the stack.
    /// @param cell Where the payer's account lies.
    /// @param account What lies there.
    /// @param seed What chooses among the validators. Zero: nothing was committed to, and the last block's hash chooses,
    /// with the id.
    /// @param excluded Validators that may not have it, 16 bits each.
    function _open(
        Payer payer,
        Terms terms,
        bytes32 promptHash,
        address callback,
        uint256 relayFee,
        Offer offer,
        Cells.AccountCell storage cell,
        Account account,
        bytes calldata prompt,
        bytes32 seed,
        uint256 excluded
    ) internal returns (bytes32 id) {
        uint256 from = offer.commitFrom();
        require(seed != 0 || payer.payment() < from, RouterCommitRequired(payer.payment(), from));
        id = _idOf(payer, terms, promptHash, callback);
        _lock(cell, account, payer, terms, relayFee, id);

        // Who sends a transaction can choose its block, and so the seed, by trying. Below the commit-reveal threshold
        // that gains nothing that naming a validator in the direct lane would not give for less.
        if (seed == 0) seed = Hashes.efficientKeccak256(_lastBlockhash(), id);
        (uint256 validator, uint256 band) = _assign(offer, seed, excluded);
        (RequestStatus status, uint256 attempts) =
            validator == 0 ? (RequestStatus.Queued, 0) : (RequestStatus.Assigned, 1);
        Request request = RequestWord.open(uint256(status), validator, attempts, band, offer.price());
        _layout().requests[id] = prompt.length == 0 ? request : request.withPublished();
        emit RequestSubmitted(id, payer.user(), validator, payer, terms, promptHash, callback);
        if (prompt.length != 0) emit PromptPublished(id, prompt);
    }

    /// @dev No transaction runs in block 0.
    function _lastBlockhash() private view returns (bytes32) {
        unchecked {
            return blockhash(block.number - 1);
        }
    }

    /// @dev Takes `amount` out of a user's credits, and burns what they lack from the wallet.
    function _charge(address user, uint256 amount, bytes32 id) internal {
        Layout storage $ = _layout();
        Account account = $.accounts[user];
        uint256 credits = account.credits();
        $.accounts[user] = account.withCredits(credits > amount ? credits - amount : 0);
        if (credits < amount) CREDITS.burnShortfall(user, amount - credits, id);
    }

    function _lock(
        Cells.AccountCell storage cell,
        Account account,
        Payer payer,
        Terms terms,
        uint256 relayFee,
        bytes32 id
    ) private {
        address user = payer.user();
        uint256 amount;
        unchecked {
            // Three numbers of 96 bits.
            amount = payer.payment() + terms.callbackFee() + relayFee;
        }
        bool ok;
        (account, ok) = account.useNonce(terms.nonce());
        require(ok, RouterInvalidNonce(user, terms.nonce(), account.nonceBase()));
        (account, ok) = account.tick(block.timestamp);
        if (!ok) revert RouterRateLimited(user, cell.word.waitFor(block.timestamp));

        uint256 credits = account.credits();
        unchecked {
            cell.word = account.withCredits(credits > amount ? credits - amount : 0);
        }
        if (relayFee != 0) _credit(msg.sender, relayFee);
        if (credits < amount) CREDITS.burnShortfall(user, amount - credits, id);
    }
}

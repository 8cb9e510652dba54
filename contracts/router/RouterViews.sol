// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    AccountView,
    FailureClass,
    Outcome,
    RequestStatus,
    RequestView,
    ValidatorView
} from "../interfaces/IInferenceRouter.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {Account} from "../words/Account.sol";
import {Chain} from "../words/Ledger.sol";
import {Offer} from "../words/Offer.sol";
import {Request} from "../words/Request.sol";
import {Seat} from "../words/Seat.sol";
import {Ticket} from "../words/Ticket.sol";
import {Till} from "../words/Till.sol";
import {Seating} from "./Seating.sol";

/// @title What can be read of the words, and what the peers write into them
abstract contract RouterViews is Seating {
    // ---- peers

    function credit(address user, uint256 amount) external onlyPeer(address(CREDITS)) {
        _credit(user, amount);
    }

    function debit(address user, uint256 amount) external onlyPeer(address(CREDITS)) returns (uint256 taken) {
        Layout storage $ = _layout();
        Account account = $.accounts[user];
        uint256 credits = account.credits();
        taken = amount < credits ? amount : credits;
        $.accounts[user] = account.withCredits(credits - taken);
    }

    function sweep(uint256 validator)
        external
        onlyPeer(address(CREDITS))
        returns (uint256 validatorLeg, uint256 treasuryLeg)
    {
        Layout storage $ = _layout();
        address operator = $.operators[validator];
        Till till = $.tills[operator];
        validatorLeg = till.validatorLeg() + $.overflows[validator].validatorLeg;
        treasuryLeg = till.treasuryLeg() + $.overflows[validator].treasuryLeg;
        $.tills[operator] = till.withoutLegs();
        delete $.overflows[validator];
    }

    function takeUnretired() external onlyPeer(address(CREDITS)) returns (uint256 amount) {
        Layout storage $ = _layout();
        amount = $.global.unretired();
        $.global = $.global.withoutUnretired();
    }

    function takeAccrued(address user, uint256 most) external onlyPeer(REWARD) returns (uint256 chats) {
        Layout storage $ = _layout();
        Account account = $.accounts[user];
        chats = account.accruedChats();
        if (chats > most) chats = most;
        $.accounts[user] = account.withoutAccrued(chats);
    }

    function setOffer(bytes32 model, Offer offer) external onlyPeer(MODELS) {
        Layout storage $ = _layout();
        if (offer.model() == $.models.length) $.models.push(model);
        if (block.timestamp < $.intakePausedUntil) offer = offer.closed();
        $.offers[model] = $.offers[model].keepRouting(offer);
    }

    function setCallbackGasPrice(uint256 price) external onlyPeer(FEES) {
        Layout storage $ = _layout();
        emit CallbackGasPriceChanged($.callbackGasPrice, price);
        // The parameter's bound is far below 128 bits.
        $.callbackGasPrice = uint128(price);
    }

    // ---- everybody

    function requestId(Ticket calldata ticket) external view returns (bytes32) {
        return _idOf(ticket);
    }

    function requestOf(bytes32 id) external view returns (RequestView memory v) {
        Request request = _layout().requests[id];
        v.status = RequestStatus(request.status());
        v.validator = request.validator();
        v.attempts = request.attempts();
        v.since = request.since();
        v.band = request.band();
        v.callbackFailed = request.callbackFailed();
        if (v.status == RequestStatus.Completed) (v.tokens, v.commitment) = (request.tokens(), request.commitment());
        if (v.status == RequestStatus.Failed) v.failure = FailureClass(request.tokens());
    }

    function isOutcome(bytes32 id, Outcome calldata outcome) external view returns (bool) {
        return _isOutcome(id, outcome);
    }

    function accountOf(address user) external view returns (AccountView memory) {
        Account account = _layout().accounts[user];
        return AccountView(
            account.credits(),
            account.lastSubmitAt(),
            account.waitFor(block.timestamp),
            account.nonceBase(),
            account.accruedChats()
        );
    }

    function isNonceUsed(address user, uint256 nonce) external view returns (bool) {
        return _layout().accounts[user].nonceUsed(nonce);
    }

    function validatorIdOf(address operator) external view returns (uint256) {
        return _layout().tills[operator].id();
    }

    function validatorOf(uint256 id) external view returns (ValidatorView memory v) {
        Layout storage $ = _layout();
        Seat seat = _seatOf(id);
        v.operator = $.operators[id];
        v.stake = seat.stake();
        v.reputation = seat.reputation();
        v.load = seat.load();
        v.capacity = seat.capacity();
        v.speed = seat.speed();
        v.closed = seat.closed();
        v.probation = seat.probation();
        v.models = seat.models();
        Till till = $.tills[v.operator];
        v.lastSeenAt = till.lastSeenAt();
        v.success = till.success();
        v.uptime = till.uptime();
        v.completed = till.completed();
        v.failed = $.marks[id].failed;
        v.validatorLeg = till.validatorLeg() + $.overflows[id].validatorLeg;
        v.treasuryLeg = till.treasuryLeg() + $.overflows[id].treasuryLeg;
    }

    function offerOf(bytes32 model) external view returns (Offer) {
        return _layout().offers[model];
    }

    function ledger() external view returns (uint256 records, uint256 pausedUntil, uint256 unretired) {
        Layout storage $ = _layout();
        return ($.global.records(), $.global.pausedUntil(), $.global.unretired());
    }

    function chain() external view returns (uint256) {
        return Chain.unwrap(_layout().chain);
    }

    function checkpointOf(uint256 number) external view returns (uint256) {
        return _layout().checkpoints[number];
    }

    function callbackGasPrice() external view returns (uint256) {
        return _layout().callbackGasPrice;
    }

    function quote(bytes32 model, uint256 tokens, bool priority) external view returns (uint256 cost) {
        Offer offer = _known(model);
        require(tokens != 0 && tokens <= offer.tokenLimit(), RouterInvalidTokens(tokens, offer.tokenLimit()));
        cost = FeeMath.cost(offer.price(), tokens, priority);
        if (cost < FeeMath.MINIMUM) cost = FeeMath.MINIMUM;
    }

    function minimumPayment(bytes32 model, bool priority) external view returns (uint256) {
        return FeeMath.minimumPayment(_known(model).price(), priority);
    }

    function tokensFor(bytes32 model, uint256 payment, bool priority) external view returns (uint256 tokens) {
        Offer offer = _known(model);
        if (payment < FeeMath.minimumPayment(offer.price(), priority)) return 0;
        if (payment > type(uint96).max) payment = type(uint96).max;
        tokens = FeeMath.tokensFor(offer.price(), payment, priority);
        if (tokens > offer.tokenLimit()) tokens = offer.tokenLimit();
    }

    function _known(bytes32 model) private view returns (Offer offer) {
        offer = _layout().offers[model];
        require(offer.price() != 0, RouterUnknownModel(model));
    }
}

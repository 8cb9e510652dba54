// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Chain as Link, Global} from "../../../contracts/words/Ledger.sol";
import {Offer, PriceWord} from "../../../contracts/words/Offer.sol";
import {Request, RequestWord} from "../../../contracts/words/Request.sol";
import {Seat, SeatWord} from "../../../contracts/words/Seat.sol";
import {Payer, PayerWord, Terms, TermsWord} from "../../../contracts/words/Ticket.sol";
import {Till, TillWord} from "../../../contracts/words/Till.sol";
import {Symbolic} from "./Symbolic.sol";

// Where a setter changes its field alone, putting the old value back restores the word to the bit: so these checks know no
// position, and hold for fields that a word gets later.

contract SeatCheck is Symbolic {
    function _sameButLoad(Seat a, Seat b) private pure {
        assert(a.stake() == b.stake() && a.reputation() == b.reputation() && a.capacity() == b.capacity());
        assert(a.speed() == b.speed() && a.closed() == b.closed() && a.probation() == b.probation());
        assert(a.models() == b.models());
    }

    function check_LoadAlone(uint64 word, uint256 load) public pure {
        vm.assume(load <= 63);
        Seat a = Seat.wrap(word);
        Seat b = a.withLoad(load);
        assert(b.load() == load);
        _sameButLoad(a, b);
        assert(Seat.unwrap(b.withLoad(a.load())) == word);
    }

    function check_ReputationAlone(uint64 word, uint256 points) public pure {
        vm.assume(points <= 100);
        Seat a = Seat.wrap(word);
        Seat b = a.withReputation(points);
        assert(b.reputation() == points && b.load() == a.load());
        _sameButLoad(a.withReputation(0), b.withReputation(0));
        assert(Seat.unwrap(b.withReputation(a.reputation())) == word);
    }

    function check_SpeedAlone(uint64 word, uint256 percent) public pure {
        vm.assume(percent <= 100);
        Seat a = Seat.wrap(word);
        Seat b = a.withSpeed(percent);
        assert(b.speed() == percent && b.load() == a.load());
        _sameButLoad(a.withSpeed(0), b.withSpeed(0));
        assert(Seat.unwrap(b.withSpeed(a.speed())) == word);
    }

    function check_ClosedAlone(uint64 word, bool closed) public pure {
        Seat a = Seat.wrap(word);
        Seat b = a.withClosed(closed);
        assert(b.closed() == closed && b.load() == a.load());
        assert(Seat.unwrap(b.withClosed(a.closed())) == word);
    }

    function check_ProbationEndsAlone(uint64 word) public pure {
        Seat a = Seat.wrap(word);
        Seat b = a.withoutProbation();
        assert(!b.probation());
        if (!a.probation()) assert(Seat.unwrap(b) == word);
        assert(a.stake() == b.stake() && a.reputation() == b.reputation() && a.capacity() == b.capacity());
        assert(a.speed() == b.speed() && a.closed() == b.closed() && a.models() == b.models() && a.load() == b.load());
    }

    function check_PutReachesItsQuarterAlone(uint256 row, uint64 word, uint256 id, uint256 other) public pure {
        uint256 next = Seat.wrap(word).put(row, id);
        assert(Seat.unwrap(SeatWord.seatIn(next, id)) == word);
        if (other % 4 != id % 4) {
            assert(Seat.unwrap(SeatWord.seatIn(next, other)) == Seat.unwrap(SeatWord.seatIn(row, other)));
        }
    }

    function check_TakingAPlaceCannotCarry(uint64 word, uint256 row, uint256 id, uint8 model) public pure {
        Seat s = Seat.wrap(word);
        vm.assume(model < SeatWord.MAX_MODELS && s.score(model) != 0);
        uint256 next;
        unchecked {
            next = s.put(row, id) + (SeatWord.LOAD_ONE << ((id & 3) << 6));
        }
        assert(Seat.unwrap(SeatWord.seatIn(next, id)) == Seat.unwrap(s.withLoad(s.load() + 1)));
        assert(Seat.unwrap(SeatWord.seatIn(next, id ^ 1)) == Seat.unwrap(SeatWord.seatIn(row, id ^ 1)));
    }

    function check_PackedFieldsReadBack(
        uint8 stake,
        uint8 reputation,
        uint8 load,
        uint8 capacity,
        uint8 speed,
        bool closed,
        bool probation,
        uint32 models
    ) public pure {
        vm.assume(stake <= 127 && reputation <= 127 && load <= 63 && capacity <= 63 && speed <= 127);
        vm.assume(models < 1 << SeatWord.MAX_MODELS);
        Seat s = SeatWord.pack(stake, reputation, load, capacity, speed, closed, probation, models);
        assert(s.stake() == stake && s.reputation() == reputation && s.load() == load && s.capacity() == capacity);
        assert(s.speed() == speed && s.closed() == closed && s.probation() == probation && s.models() == models);
    }
}

contract ScoreCheck is Symbolic {
    function _eligible(Seat s, uint256 model) private pure returns (bool) {
        return (s.models() >> model) & 1 == 1 && !s.closed() && s.reputation() >= 50 && s.load() < s.capacity();
    }

    /// Zero for whoever may not have the request, and never for whoever may.
    function check_ZeroExactlyForTheIneligible(uint64 word, uint8 model) public pure {
        vm.assume(model < SeatWord.MAX_MODELS);
        Seat s = Seat.wrap(word);
        assert((s.score(model) == 0) == !_eligible(s, model));
    }

    /// @dev A division by an unknown capacity is beyond the solvers: these stand for all, and a fuzz test for each.
    function _capacity(uint256 which) private pure returns (uint256) {
        uint8[8] memory some = [1, 2, 3, 5, 10, 20, 40, 63];
        for (uint256 i; i < 7; ++i) {
            if (which == i) return some[i];
        }
        return some[7];
    }

    function _seat(uint8[4] memory fields, uint256 which, bool probation) private pure returns (Seat s) {
        vm.assume(fields[0] <= 127 && fields[1] <= 100 && fields[3] <= 100);
        uint256 capacity = _capacity(which);
        vm.assume(fields[1] >= 50 && fields[2] < capacity);
        s = SeatWord.pack(fields[0], fields[1], fields[2], capacity, fields[3], false, probation, 1);
    }

    /// @custom:halmos --loop 8
    function check_TenThousandIsTheMost(uint8[4] memory fields, uint8 which, bool probation) public pure {
        assert(_seat(fields, which, probation).score(0) <= 10_000);
    }

    /// @custom:halmos --loop 8
    function check_ScoreIsTheFormula(uint8[4] memory fields, uint8 which, bool probation) public pure {
        Seat s = _seat(fields, which, probation);
        uint256 stake = fields[0] > 100 ? 100 : fields[0];
        uint256 rank = probation && fields[1] > 89 ? 89 : fields[1];
        uint256 free = (s.capacity() - fields[2]) * 2000 / s.capacity();
        assert(s.score(0) == 40 * stake + 30 * rank + free + 10 * uint256(fields[3]));
    }

    /// @custom:halmos --loop 8
    function check_MoreLoadNeverScoresMore(uint8[4] memory fields, uint8 which, bool probation) public pure {
        Seat s = _seat(fields, which, probation);
        assert(s.withLoad(s.load() + 1).score(0) <= s.score(0));
    }

    /// @custom:halmos --loop 8
    function check_MoreReputationNeverScoresLess(uint8[4] memory fields, uint8 which, bool probation) public pure {
        Seat s = _seat(fields, which, probation);
        vm.assume(s.reputation() < 100);
        assert(s.withReputation(s.reputation() + 1).score(0) >= s.score(0));
    }

    /// @custom:halmos --loop 8
    function check_ProbationNeverScoresMore(uint8[4] memory fields, uint8 which) public pure {
        Seat s = _seat(fields, which, true);
        assert(s.score(0) <= s.withoutProbation().score(0));
    }

    function check_StandingIsNeutralAtMostOnProbation(uint64 word) public pure {
        Seat s = Seat.wrap(word);
        assert(s.standing() == (s.probation() && s.reputation() > 89 ? 89 : s.reputation()));
        assert(s.suspended() == (s.reputation() < 50));
    }
}

contract TillCheck is Symbolic {
    function _sameBelowLegs(Till a, Till b) private pure {
        assert(a.id() == b.id() && a.marked() == b.marked() && a.success() == b.success() && a.uptime() == b.uptime());
        assert(a.lastSeenAt() == b.lastSeenAt());
    }

    function _sameLegsAndCounts(Till a, Till b) private pure {
        assert(a.payers() == b.payers() && a.completed() == b.completed());
        assert(a.validatorLeg() == b.validatorLeg() && a.treasuryLeg() == b.treasuryLeg());
    }

    function check_SeenAtAlone(uint256 word, uint32 time) public pure {
        Till a = Till.wrap(word);
        Till b = a.seenAt(time);
        assert(b.lastSeenAt() == time);
        _sameLegsAndCounts(a, b);
        assert(Till.unwrap(b.seenAt(a.lastSeenAt())) == word);
    }

    function check_SuccessAlone(uint256 word, uint8 average) public pure {
        Till a = Till.wrap(word);
        Till b = a.withSuccess(average);
        assert(b.success() == average && b.uptime() == a.uptime());
        _sameLegsAndCounts(a, b);
        assert(Till.unwrap(b.withSuccess(a.success())) == word);
    }

    function check_UptimeAlone(uint256 word, uint8 share) public pure {
        Till a = Till.wrap(word);
        Till b = a.withUptime(share);
        assert(b.uptime() == share && b.success() == a.success());
        _sameLegsAndCounts(a, b);
        assert(Till.unwrap(b.withUptime(a.uptime())) == word);
    }

    function check_MarkAlone(uint256 word, bool mark) public pure {
        Till a = Till.wrap(word);
        Till b = a.withMark(mark);
        assert(b.marked() == mark);
        _sameLegsAndCounts(a, b);
        assert(Till.unwrap(b.withMark(a.marked())) == word);
    }

    function check_CountAlone(uint256 word, address payer) public pure {
        Till a = Till.wrap(word);
        Till b = a.count(payer);
        assert(b.completed() >= a.completed() && b.completed() <= a.completed() + 1);
        assert(a.payers() & ~b.payers() == 0);
        assert(b.validatorLeg() == a.validatorLeg() && b.treasuryLeg() == a.treasuryLeg());
        _sameBelowLegs(a, b);
    }

    function check_EarnAddsBothLegsOrNeither(uint256 word, uint96 validator, uint96 treasury) public pure {
        Till a = Till.wrap(word);
        (Till b, bool fits) = a.earn(validator, treasury);
        uint256 v = a.validatorLeg() + validator;
        uint256 t = a.treasuryLeg() + treasury;
        assert(fits == (v <= TillWord.LEG_MAX && t <= TillWord.LEG_MAX));
        if (!fits) {
            assert(Till.unwrap(b) == word);
        } else {
            assert(b.validatorLeg() == v && b.treasuryLeg() == t);
            assert(b.completed() == a.completed() && b.payers() == a.payers());
            _sameBelowLegs(a, b);
            assert(Till.unwrap(b.withoutLegs()) == Till.unwrap(a.withoutLegs()));
        }
    }

    function check_SweptLegsAreNothingAndTheRestStays(uint256 word) public pure {
        Till a = Till.wrap(word);
        Till b = a.withoutLegs();
        assert(b.validatorLeg() == 0 && b.treasuryLeg() == 0);
        assert(b.completed() == a.completed() && b.payers() == a.payers());
        _sameBelowLegs(a, b);
        (Till c, bool fits) = b.earn(a.validatorLeg(), a.treasuryLeg());
        assert(fits && Till.unwrap(c) == word);
    }

    function check_OpensPerfect(uint16 id, uint32 time) public pure {
        Till t = TillWord.open(id, time);
        assert(t.id() == id && t.lastSeenAt() == time && t.success() == 255 && t.uptime() == 255 && !t.marked());
        assert(t.completed() == 0 && t.payers() == 0 && t.validatorLeg() == 0 && t.treasuryLeg() == 0);
    }
}

contract OfferCheck is Symbolic {
    using PriceWord for uint256;

    function _samePart(Offer a, Offer b) private pure {
        assert(a.model() == b.model() && a.tokenLimit() == b.tokenLimit() && a.price() == b.price());
    }

    /// @dev The width of the field.
    function check_TicketsAlone(uint256 word, uint24 n) public pure {
        vm.assume(n < 1 << 17);
        Offer a = Offer.wrap(word);
        Offer b = a.withTickets(n);
        assert(b.tickets() == n && b.servers() == a.servers() && b.active() == a.active());
        _samePart(a, b);
        assert(Offer.unwrap(b.withTickets(a.tickets())) == word);
    }

    function check_ServersAlone(uint256 word, uint16 n) public pure {
        Offer a = Offer.wrap(word);
        Offer b = a.withServers(n);
        assert(b.servers() == n && b.tickets() == a.tickets() && b.active() == a.active());
        _samePart(a, b);
        assert(Offer.unwrap(b.withServers(a.servers())) == word);
    }

    function check_ClosingAlone(uint256 word) public pure {
        Offer a = Offer.wrap(word);
        Offer b = a.closed();
        assert(!b.active());
        if (!a.active()) assert(Offer.unwrap(b) == word);
        assert(b.tickets() == a.tickets() && b.servers() == a.servers());
        _samePart(a, b);
    }

    /// Every bit comes from one of the two words, routing from the router's and all else from governance's.
    function check_RoutingIsKeptAndNothingElse(uint256 word, uint256 next) public pure {
        Offer a = Offer.wrap(word);
        Offer b = a.keepRouting(Offer.wrap(next));
        assert(b.tickets() == a.tickets() && b.servers() == a.servers());
        assert(b.active() == Offer.wrap(next).active());
        _samePart(Offer.wrap(next), b);
        assert((Offer.unwrap(b) ^ word) & (Offer.unwrap(b) ^ next) == 0);
        assert(Offer.unwrap(Offer.wrap(next).keepRouting(b)) == next);
    }

    /// What a request copies is all that its cost and its windows need.
    function check_ThePricePartIsEnough(uint256 word) public pure {
        uint256 price = Offer.wrap(word).price();
        assert(price.base() == word.base() && price.perToken() == word.perToken());
        assert(price.multiplierBps() == word.multiplierBps() && price.index() == word.index());
        assert(price.burnBps() == word.burnBps() && price.pace() == word.pace());
        assert(price.ackWindow() == word.ackWindow() && price.queueWindow() == word.queueWindow());
    }

    function check_AnAnswerHasTheBaseWindowAtLeast(uint256 word, uint24 maxTokens) public pure {
        vm.assume(word.pace() != 0);
        uint256 window = word.executionWindow(maxTokens);
        assert(window >= word.executionWindow(0));
        assert(window - word.executionWindow(0) <= maxTokens);
    }
}

contract RequestCheck is Symbolic {
    function check_OpensWithWhatItIsGiven(uint8 status, uint16 validator, uint8 attempts, uint8 band, uint256 price)
        public
        view
    {
        vm.assume(status <= 7 && attempts <= 3 && band <= 3 && block.timestamp <= type(uint32).max);
        price = Offer.wrap(price).price();
        Request r = RequestWord.open(status, validator, attempts, band, price);
        assert(r.status() == status && r.validator() == validator && r.attempts() == attempts && r.band() == band);
        assert(r.since() == block.timestamp && r.tokens() == 0 && !r.callbackFailed() && r.blocksSince() == 0);
        assert(Offer.wrap(r.price()).price() == price);
    }

    function check_AnotherAttemptKeepsHistoryAndPrice(
        uint256 word,
        uint8 status,
        uint16 validator,
        uint8 band,
        uint8 backoff
    ) public view {
        Request r = Request.wrap(word);
        vm.assume(status <= 7 && band <= 3 && r.attempts() < 3 && backoff <= 3);
        vm.assume(block.timestamp <= type(uint32).max - 3);
        Request again = r.assigned(status, validator, band, backoff);
        assert(again.status() == status && again.validator() == validator && again.band() == band);
        assert(again.attempts() == r.attempts() + 1 && again.since() == block.timestamp + backoff);
        assert(again.assignedAt() == block.timestamp && again.blocksSince() == 0 && again.published() == r.published());
        assert(again.lastFailure() == r.lastFailure() && again.declines() == r.declines() && !again.cancelling());
        assert(Offer.wrap(again.price()).price() == Offer.wrap(r.price()).price());
    }

    function check_TheQueueKeepsHistoryAndPrice(uint256 word, uint8 status) public view {
        Request r = Request.wrap(word);
        vm.assume(status <= 7 && block.timestamp <= type(uint32).max);
        Request again = r.queued(status);
        assert(again.status() == status && again.validator() == 0 && again.attempts() == r.attempts());
        assert(again.since() == block.timestamp && again.blocksSince() == 0);
        assert(again.lastFailure() == r.lastFailure() && again.declines() == r.declines() && !again.cancelling());
        assert(Offer.wrap(again.price()).price() == Offer.wrap(r.price()).price());
    }

    function check_EndKeepsWhoAndBand(uint256 word, uint8 status, uint24 tokens, bytes32 commitment) public view {
        vm.assume(status <= 7 && block.timestamp <= type(uint32).max);
        Request r = Request.wrap(word);
        Request e = r.end(status, tokens, commitment);
        assert(e.status() == status && e.validator() == r.validator() && e.band() == r.band());
        assert(e.attempts() == r.attempts());
        assert(e.since() == block.timestamp && e.tokens() == tokens);
        assert(e.commitment() == uint160(uint256(commitment)));
        assert(!e.callbackFailed());
    }

    function check_CallbackFailedAlone(uint256 word, bool failed) public view {
        Request a = Request.wrap(word);
        Request b = a.withCallbackFailed(failed);
        assert(b.callbackFailed() == failed);
        assert(a.status() == b.status() && a.validator() == b.validator() && a.attempts() == b.attempts());
        assert(a.since() == b.since() && a.tokens() == b.tokens() && a.band() == b.band());
        assert(a.commitment() == b.commitment() && a.blocksSince() == b.blocksSince());
        assert(Request.unwrap(b.withCallbackFailed(a.callbackFailed())) == word);
    }
}

contract LedgerCheck is Symbolic {
    function check_AddsBoth(uint256 word, uint32 n, uint88 burned) public pure {
        Global a = Global.wrap(word);
        vm.assume(a.records() + n <= type(uint48).max && a.unretired() + burned <= type(uint96).max);
        Global b = a.add(n, burned);
        assert(b.records() == a.records() + n && b.unretired() == a.unretired() + burned);
        assert(b.pausedAt() == a.pausedAt() && b.pausedUntil() == a.pausedUntil());
    }

    function check_PauseAlone(uint256 word, uint40 from, uint40 until) public pure {
        Global a = Global.wrap(word);
        Global b = a.withPause(from, until);
        assert(b.pausedAt() == from && b.pausedUntil() == until);
        assert(b.records() == a.records() && b.unretired() == a.unretired());
        assert(Global.unwrap(b.withPause(a.pausedAt(), a.pausedUntil())) == word);
    }

    function check_RetiringAlone(uint256 word) public pure {
        Global a = Global.wrap(word);
        Global b = a.withoutUnretired();
        assert(b.unretired() == 0 && b.records() == a.records());
        assert(b.pausedAt() == a.pausedAt() && b.pausedUntil() == a.pausedUntil());
        assert(Global.unwrap(b.add(0, a.unretired())) == word);
    }

    function check_EveryLinkCounts(uint256 word, bytes32 leaf) public pure {
        Link a = Link.wrap(word);
        vm.assume(a.count() < type(uint48).max);
        assert(a.append(leaf).count() == a.count() + 1);
    }
}

contract TicketCheck is Symbolic {
    function check_PayerReadsBack(address user, uint96 payment) public pure {
        Payer p = PayerWord.pack(user, payment);
        assert(p.user() == user && p.payment() == payment);
    }

    function check_EveryPayerWordIsOneUserAndPayment(uint256 word) public pure {
        Payer p = Payer.wrap(word);
        assert(Payer.unwrap(PayerWord.pack(p.user(), p.payment())) == word);
    }

    function check_TermsReadBack(
        uint8 model,
        uint24 maxTokens,
        uint16 temperature,
        uint8 flags,
        uint32 nonce,
        uint24 callbackGas,
        uint96 callbackFee
    ) public pure {
        Terms t = TermsWord.pack(model, maxTokens, temperature, flags, nonce, callbackGas, callbackFee);
        assert(t.model() == model && t.maxTokens() == maxTokens && t.temperature() == temperature);
        assert(t.priority() == (flags & TermsWord.PRIORITY != 0) && t.isPrivate() == (flags & TermsWord.PRIVATE != 0));
        assert(t.nonce() == nonce && t.callbackGas() == callbackGas && t.callbackFee() == callbackFee);
    }

    /// Two requests that differ in a term differ in the word, so in their id.
    function check_TermsTellRequestsApart(uint8[2] memory model, uint24[2] memory tokens, uint32[2] memory nonce)
        public
        pure
    {
        Terms a = TermsWord.pack(model[0], tokens[0], 0, 0, nonce[0], 0, 0);
        Terms b = TermsWord.pack(model[1], tokens[1], 0, 0, nonce[1], 0, 0);
        bool same = model[0] == model[1] && tokens[0] == tokens[1] && nonce[0] == nonce[1];
        assert((Terms.unwrap(a) == Terms.unwrap(b)) == same);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Chain as Link, Global} from "../../../contracts/words/Ledger.sol";
import {Offer, PriceWord} from "../../../contracts/words/Offer.sol";
import {Request, RequestWord} from "../../../contracts/words/Request.sol";
import {Seat, SeatWord} from "../../../contracts/words/Seat.sol";
import {Payer, PayerWord, Terms, TermsWord} from "../../../contracts/words/Ticket.sol";
import {Till, TillWord} from "../../../contracts/words/Till.sol";

contract SeatTest is Test {
    function testFuzz_RoundTrip(uint64 word) public pure {
        Seat s = Seat.wrap(word);
        Seat t = SeatWord.pack(
            s.stake(), s.reputation(), s.load(), s.capacity(), s.speed(), s.closed(), s.probation(), s.models()
        );
        assertEq(Seat.unwrap(t), word);
    }

    function testFuzz_PutReachesItsQuarterAlone(uint256 row, uint64 word, uint16 id) public pure {
        uint256 next = Seat.wrap(word).put(row, id);
        assertEq(Seat.unwrap(SeatWord.seatIn(next, id)), word);
        for (uint256 other = 1; other < 4; ++other) {
            uint256 mate = uint256(id) + other;
            assertEq(Seat.unwrap(SeatWord.seatIn(next, mate)), Seat.unwrap(SeatWord.seatIn(row, mate)));
        }
    }

    function testFuzz_WritersTouchTheirFieldAlone(uint64 word, uint8 value) public pure {
        Seat s = Seat.wrap(word);
        uint256 v = value % 64;
        assertEq(s.withLoad(v).load(), v);
        assertEq(Seat.unwrap(s.withLoad(v).withLoad(s.load())), word);
        assertEq(s.withReputation(v).reputation(), v);
        assertEq(Seat.unwrap(s.withReputation(v).withReputation(s.reputation())), word);
        assertEq(s.withSpeed(v).speed(), v);
        assertEq(Seat.unwrap(s.withSpeed(v).withSpeed(s.speed())), word);
        assertEq(s.withCapacity(v).capacity(), v);
        assertEq(Seat.unwrap(s.withCapacity(v).withCapacity(s.capacity())), word);
        assertEq(s.withStake(v).stake(), v);
        assertEq(Seat.unwrap(s.withStake(v).withStake(s.stake())), word);
        assertEq(s.withModels(v).models(), v);
        assertEq(Seat.unwrap(s.withModels(v).withModels(s.models())), word);
        assertTrue(s.withClosed(true).closed());
        assertEq(Seat.unwrap(s.withClosed(true).withClosed(s.closed())), word);
        assertFalse(s.withoutProbation().probation());
    }

    function testFuzz_TheWindowStaysWithinOneAndItsBound(uint64 word, uint256 stake, uint256 capacity) public pure {
        stake = bound(stake, 0, SeatWord.STAKE_MAX);
        uint256 most = SeatWord.capacityBound(stake);
        assertTrue(most >= 1 && most <= 50);
        assertTrue(most == 1 || most * 2_500 <= stake * 1_000, "a full 2,500 NST for each");
        assertTrue((most + 1) * 2_500 > stake * 1_000, "and no more than that");
        Seat s = Seat.wrap(word).withStake(stake).withCapacity(bound(capacity, 1, most));
        assertEq(s.grown().capacity(), s.capacity() == most ? most : s.capacity() + 1);
        uint256 half = s.capacity() / 2;
        assertEq(s.halved().capacity(), half == 0 ? 1 : half);
        assertEq(Seat.unwrap(s.grown().withCapacity(s.capacity())), Seat.unwrap(s), "nothing but the window");
        assertEq(Seat.unwrap(s.halved().withCapacity(s.capacity())), Seat.unwrap(s), "nothing but the window");
        assertEq(Seat.unwrap(s.clamped()), Seat.unwrap(s));
        assertEq(s.withCapacity(63).clamped().capacity(), most);
        assertEq(SeatWord.firstCapacity(stake), most < 4 ? most : 4);
    }

    /// @dev The formula of the protocol, term by term, in ten-thousandths.
    function testFuzz_ScoreIsTheFormula(uint64 word, uint8 model) public pure {
        Seat s = Seat.wrap(word);
        model %= 29;
        assertEq(s.score(model), _naive(s, model));
    }

    function _naive(Seat s, uint256 model) private pure returns (uint256) {
        bool eligible = (s.models() >> model) % 2 == 1 && !s.closed() && s.reputation() >= 50 && s.load() < s.capacity();
        if (!eligible) return 0;
        uint256 stake = s.stake() > 100 ? 100 : s.stake();
        uint256 reputation = s.reputation();
        if (s.probation() && reputation > 89) reputation = 89;
        uint256 free = (s.capacity() - s.load()) * 2_000 / s.capacity();
        return 40 * stake + 30 * reputation + free + 10 * s.speed();
    }

    /// @dev Whatever a neighbour is: nothing of it shows.
    function testFuzz_FourSeatsAtOnceAreFourSeats(uint256 row, uint8 model) public pure {
        model %= 29;
        uint256 claims = SeatWord.claims(row, model);
        for (uint256 i; i < 4; ++i) {
            Seat s = SeatWord.seatIn(row, i);
            uint256 claim = (claims >> (64 * i)) & type(uint64).max;
            assertEq(claim == 0 ? 0 : claim + SeatWord.freeShare(row >> (64 * i)), _naive(s, model));
        }
    }

    function testFuzz_TakingAPlaceCannotCarry(uint64 word, uint256 row, uint16 id) public pure {
        Seat s = Seat.wrap(word);
        // A place is free.
        if (s.capacity() == 0) s = s.withCapacity(1);
        s = s.withLoad(s.load() % s.capacity());
        uint256 next = s.put(row, id) + (SeatWord.LOAD_ONE << ((uint256(id) & 3) << 6));
        assertEq(Seat.unwrap(SeatWord.seatIn(next, id)), Seat.unwrap(s.withLoad(s.load() + 1)));
    }

    function test_TheBestThereIsHasTenThousand() public pure {
        assertEq(SeatWord.pack(100, 100, 0, 10, 100, false, false, 1).score(0), 10_000);
        assertEq(SeatWord.pack(127, 100, 0, 63, 100, false, false, 1).score(0), 10_000, "stake saturates");
    }

    function testFuzz_StandingIsNeutralAtMostOnProbation(uint64 word, uint8 points) public pure {
        Seat s = Seat.wrap(word).withReputation(points % 101);
        uint256 expected = s.probation() && points % 101 > 89 ? 89 : points % 101;
        assertEq(s.standing(), expected);
        assertEq(s.suspended(), points % 101 < 50);
        assertEq(s.withoutProbation().standing(), points % 101);
    }

    /// @dev Every combination of the values at which a rule begins or ends.
    function test_ScoreIsTheFormulaWhereRulesBegin() public pure {
        uint8[5] memory reputations = [49, 50, 89, 90, 100];
        uint8[4] memory stakes = [99, 100, 101, 127];
        for (uint256 i; i < 80; ++i) {
            uint256 load = i % 2;
            for (uint256 capacity = 1; capacity < 64; capacity += 31) {
                Seat s = SeatWord.pack(
                    stakes[i / 20], reputations[i / 4 % 5], load * capacity, capacity, 77, false, i / 2 % 2 == 1, 1
                );
                assertEq(s.score(0), _naive(s, 0));
                s = s.withLoad(capacity - 1);
                assertEq(s.score(0), _naive(s, 0));
            }
        }
    }

    function test_TheLimitsFillTheirFields() public pure {
        uint256 all = (1 << SeatWord.MAX_MODELS) - 1;
        Seat s = SeatWord.pack(0, 0, 0, 63, 0, false, false, all);
        assertEq(Seat.unwrap(s) >> 35, all);
        assertEq(Seat.unwrap(s), (uint256(63) << 20) | (uint256(type(uint64).max) >> 35 << 35));
    }
}

contract TillTest is Test {
    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        Till t = Till.wrap(word);
        assertEq(t.id(), word % 2 ** 16);
        assertEq(t.lastSeenAt(), (word >> 16) % 2 ** 32);
        assertEq(t.success(), (word >> 48) % 2 ** 8);
        assertEq(t.uptime(), (word >> 56) % 2 ** 8);
        assertEq(t.payers(), (word >> 64) % 2 ** 15);
        assertEq(t.marked(), (word >> 79) % 2 == 1);
        assertEq(t.completed(), (word >> 80) % 2 ** 26);
        assertEq(t.validatorLeg(), (word >> 106) % 2 ** 75);
        assertEq(t.treasuryLeg(), word >> 181);
    }

    function testFuzz_WritersTouchTheirFieldAlone(uint256 word, uint32 time, uint8 share) public pure {
        Till t = Till.wrap(word);
        assertEq(t.seenAt(time).lastSeenAt(), time);
        assertEq(Till.unwrap(t.seenAt(time).seenAt(t.lastSeenAt())), word);
        assertEq(t.withSuccess(share).success(), share);
        assertEq(Till.unwrap(t.withSuccess(share).withSuccess(t.success())), word);
        assertEq(t.withUptime(share).uptime(), share);
        assertEq(Till.unwrap(t.withUptime(share).withUptime(t.uptime())), word);
        assertTrue(t.withMark(true).marked());
        assertEq(Till.unwrap(t.withMark(true).withMark(t.marked())), word);
    }

    function testFuzz_EarnAddsBothLegsOrNeither(uint256 word, uint128 validator, uint128 treasury) public pure {
        Till t = Till.wrap(word);
        uint256 v = t.validatorLeg() + validator;
        uint256 r = t.treasuryLeg() + treasury;
        (Till next, bool fits) = t.earn(validator, treasury);
        assertEq(fits, v <= TillWord.LEG_MAX && r <= TillWord.LEG_MAX);
        if (!fits) return assertEq(Till.unwrap(next), word);
        assertEq(next.validatorLeg(), v);
        assertEq(next.treasuryLeg(), r);
        assertEq(Till.unwrap(next.withoutLegs()), Till.unwrap(t.withoutLegs()));
    }

    function testFuzz_CountSaturatesAndMarksThePayer(uint256 word, address payer) public pure {
        Till t = Till.wrap(word);
        Till next = t.count(payer);
        uint256 most = 2 ** 26 - 1;
        assertEq(next.completed(), t.completed() == most ? most : t.completed() + 1);
        assertEq(next.payers(), t.payers() | (1 << (uint160(payer) % 15)));
        assertEq(next.validatorLeg(), t.validatorLeg());
        assertEq(next.marked(), t.marked());
    }

    function testFuzz_OpensPerfect(uint16 id, uint32 time) public pure {
        Till t = TillWord.open(id, time);
        assertEq(t.id(), id);
        assertEq(t.lastSeenAt(), time);
        assertEq(t.success(), 255);
        assertEq(t.uptime(), 255);
        assertEq(t.completed() + t.payers() + t.validatorLeg() + t.treasuryLeg(), 0);
    }
}

contract RequestTest is Test {
    function testFuzz_Opens(uint16 validator, uint8 band, uint256 price) public view {
        band %= 3;
        price &= ~uint256(type(uint96).max);
        Request r = RequestWord.open(2, validator, 1, band, price);
        assertEq(r.status(), 2);
        assertEq(r.validator(), validator);
        assertEq(r.attempts(), 1);
        assertEq(r.since(), block.timestamp);
        assertEq(r.band(), band);
        assertEq(r.tokens(), 0);
        assertFalse(r.callbackFailed());
        assertEq(r.price() & ~uint256(type(uint96).max), price);
    }

    function testFuzz_EndKeepsWhoAndBand(uint16 validator, uint24 tokens, bytes32 commitment) public {
        Request r = RequestWord.open(2, validator, 1, 2, type(uint256).max << 96);
        vm.warp(block.timestamp + 77);
        Request e = r.end(3, tokens, commitment);
        assertEq(e.status(), 3);
        assertEq(e.validator(), validator);
        assertEq(e.band(), 2);
        assertEq(e.since(), block.timestamp);
        assertEq(e.tokens(), tokens);
        assertEq(e.commitment(), uint160(uint256(commitment)));
        assertEq(Request.unwrap(e.withCallbackFailed(true).withCallbackFailed(false)), Request.unwrap(e));
        assertTrue(e.withCallbackFailed(true).callbackFailed());
    }

    function testFuzz_BlocksSince(uint32 opened, uint16 later) public {
        vm.roll(opened);
        Request r = RequestWord.open(2, 4, 1, 0, 0);
        vm.roll(uint256(opened) + later);
        assertEq(r.blocksSince(), later);
    }

    function testFuzz_ReopensWithItsPrice(uint256 word, uint16 validator, uint8 band) public {
        Request r = Request.wrap(word);
        vm.assume(r.attempts() < 3);
        vm.warp(block.timestamp + 5);
        Request again = r.assigned(2, validator, band % 3, 0);
        assertEq(again.attempts(), r.attempts() + 1);
        assertEq(again.price() >> 96, word >> 96);
        assertEq(again.status(), 2);
        assertEq(again.validator(), validator);
        assertEq(again.band(), band % 3);
        assertEq(again.since(), block.timestamp);
        assertEq(again.lastFailure(), r.lastFailure());
        assertEq(again.declines(), r.declines());
        assertFalse(again.cancelling());
        assertFalse(again.callbackFailed());
    }

    function testFuzz_ReopensForTheQueue(uint256 word) public view {
        Request r = Request.wrap(word);
        assertEq(r.queued(1).attempts(), r.attempts());
        assertEq(r.queued(1).validator(), 0);
    }

    function testFuzz_EndsFromAnyState(uint256 word, uint8 status, uint24 tokens, bytes32 commitment) public view {
        Request r = Request.wrap(word);
        Request e = r.end(status % 8, tokens, commitment);
        assertEq(e.status(), status % 8);
        assertEq(e.validator(), r.validator());
        assertEq(e.attempts(), r.attempts());
        assertEq(e.band(), r.band());
        assertEq(e.since(), block.timestamp);
        assertEq(e.tokens(), tokens);
        assertFalse(e.callbackFailed());
        assertEq(Request.unwrap(e) >> 80, uint256(uint160(uint256(commitment))) << 16);
    }

    function testFuzz_CallbackFailedTouchesNothingElse(uint256 word) public pure {
        Request r = Request.wrap(word);
        assertTrue(r.withCallbackFailed(true).callbackFailed());
        assertFalse(r.withCallbackFailed(false).callbackFailed());
        assertEq(Request.unwrap(r.withCallbackFailed(true).withCallbackFailed(r.callbackFailed())), word);
    }
}

contract OfferTest is Test {
    using PriceWord for uint256;

    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        Offer o = Offer.wrap(word);
        assertEq(o.active(), word % 2 == 1);
        assertEq(o.model(), (word >> 1) % 2 ** 8);
        assertEq(o.tokenLimit(), (word >> 9) % 2 ** 20);
        assertEq(o.tickets(), (word >> 29) % 2 ** 17);
        assertEq(o.servers(), (word >> 46) % 2 ** 16);
        assertEq(o.callbackGasPrice(), (word >> 62) % 2 ** 21 * 1e9);
        assertEq(o.commitFrom(), (word >> 83) % 2 ** 13 * 1e18);
        assertEq(word.base(), (word >> 96) % 2 ** 24 * 1e15);
        assertEq(word.perToken(), (word >> 120) % 2 ** 32 * 1e12);
        assertEq(word.multiplierBps(), (word >> 152) % 2 ** 20);
        assertEq(word.index(), (word >> 172) % 2 ** 36);
        assertEq(word.burnBps(), (word >> 208) % 2 ** 11);
        assertEq(word.pace(), (word >> 233) % 2 ** 10);
        assertEq(word.ackWindow(), (word >> 243) % 2 ** 6 * 5);
        assertEq(word.queueWindow(), (word >> 249) * 30);
    }

    function testFuzz_ChangesOfTermsKeepRouting(uint256 word, uint256 next) public pure {
        Offer o = Offer.wrap(word).keepRouting(Offer.wrap(next));
        assertEq(o.tickets(), Offer.wrap(word).tickets());
        assertEq(o.servers(), Offer.wrap(word).servers());
        assertEq(o.price(), Offer.wrap(next).price());
        assertEq(o.active(), Offer.wrap(next).active());
        assertFalse(o.closed().active());
        assertEq(o.withTickets(5).withServers(6).tickets(), 5);
        assertEq(o.withTickets(5).withServers(6).servers(), 6);
    }

    function testFuzz_WindowGrowsWithLength(uint256 word, uint24 tokens) public pure {
        // A model's pace is 1 at least.
        if (word.pace() == 0) word |= 1 << 233;
        assertEq(word.executionWindow(tokens), (word >> 219) % 2 ** 14 + tokens / word.pace());
    }

    function testFuzz_WritersTouchTheirFieldAlone(uint256 word, uint16 tickets, uint16 servers) public pure {
        Offer o = Offer.wrap(word);
        assertEq(o.withTickets(tickets).tickets(), tickets);
        assertEq(Offer.unwrap(o.withTickets(tickets).withTickets(o.tickets())), word);
        assertEq(o.withServers(servers).servers(), servers);
        assertEq(Offer.unwrap(o.withServers(servers).withServers(o.servers())), word);
        assertEq(Offer.unwrap(o.closed()), word & ~uint256(1));
    }

    function testFuzz_RoutingIsTicketsAndServersAlone(uint256 word, uint256 next) public pure {
        Offer o = Offer.wrap(word);
        Offer expected = Offer.wrap(next).withTickets(o.tickets()).withServers(o.servers());
        assertEq(Offer.unwrap(o.keepRouting(Offer.wrap(next))), Offer.unwrap(expected));
    }
}

contract TicketTest is Test {
    function testFuzz_Payer(address user, uint96 payment) public pure {
        Payer p = PayerWord.pack(user, payment);
        assertEq(p.user(), user);
        assertEq(p.payment(), payment);
    }

    function testFuzz_Terms(uint8 model, uint24 tokens, uint16 temperature, uint32 nonce, uint24 gas_, uint96 fee)
        public
        pure
    {
        for (uint256 flags; flags < 4; ++flags) {
            Terms t = TermsWord.pack(model, tokens, temperature, flags, nonce, gas_, fee);
            assertEq(t.model(), model);
            assertEq(t.maxTokens(), tokens);
            assertEq(t.temperature(), temperature);
            assertEq(t.priority(), flags & 1 == 1);
            assertEq(t.isPrivate(), flags & 2 == 2);
            assertEq(t.nonce(), nonce);
            assertEq(t.callbackGas(), gas_);
            assertEq(t.callbackFee(), fee);
        }
    }
}

contract LedgerTest is Test {
    function testFuzz_GlobalAddsAndPauses(uint40 from, uint40 until, uint40 n, uint88 burned) public pure {
        Global g = Global.wrap(0).add(n, burned).withPause(from, until).add(1, 7);
        assertEq(g.records(), uint256(n) + 1);
        assertEq(g.unretired(), uint256(burned) + 7);
        assertEq(g.pausedAt(), from);
        assertEq(g.pausedUntil(), until);
        g = g.withPause(0, 0).withoutUnretired();
        assertEq(Global.unwrap(g), uint256(n) + 1);
    }

    function testFuzz_ChainCountsAndBinds(bytes32 a, bytes32 b) public pure {
        vm.assume(a != b);
        Link empty = Link.wrap(0);
        assertEq(empty.append(a).append(b).count(), 2);
        assertNotEq(Link.unwrap(empty.append(a)), Link.unwrap(empty.append(b)));
        assertNotEq(Link.unwrap(empty.append(a).append(b)), Link.unwrap(empty.append(b).append(a)));
    }

    function testFuzz_GlobalWritersTouchTheirFieldsAlone(uint256 word, uint40 from, uint40 until) public pure {
        Global g = Global.wrap(word);
        Global paused = g.withPause(from, until);
        assertEq(paused.pausedAt(), from);
        assertEq(paused.pausedUntil(), until);
        assertEq(Global.unwrap(paused.withPause(g.pausedAt(), g.pausedUntil())), word);
        assertEq(g.withoutUnretired().unretired(), 0);
        assertEq(Global.unwrap(g.withoutUnretired().add(0, g.unretired())), word);
    }
}

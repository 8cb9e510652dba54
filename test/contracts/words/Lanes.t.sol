// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Account as Word} from "../../../contracts/words/Account.sol";
import {Offer} from "../../../contracts/words/Offer.sol";
import {Request, RequestWord} from "../../../contracts/words/Request.sol";
import {Till} from "../../../contracts/words/Till.sol";

/// @notice The rate limit of a tier against the plain definition: at most ten submissions in any `60 - tier` seconds.
contract AccountTierTest is Test {
    uint256[] private passed;

    function testFuzz_TouchesItsFieldAlone(uint256 word, uint8 tier) public pure {
        tier %= 61;
        Word a = Word.wrap(word).withTier(tier);
        assertEq(a.tier(), tier);
        assertEq(Word.unwrap(a) % 2 ** 246, word % 2 ** 246);
    }

    function testFuzz_ExactlyTenInAnyWindow(uint8[40] memory steps, uint8 window) public {
        window %= 61;
        Word a = Word.wrap(0).withTier(60 - window);
        uint256 time = 1_800_000_000;
        for (uint256 i; i < steps.length; ++i) {
            // Short steps meet the limit, long ones leave it; both must be frequent, whatever the window.
            time += steps[i] % 4 == 0 ? steps[i] : steps[i] % (2 + window / 7);
            a = _try(a, time, window);
        }
    }

    function _try(Word a, uint256 time, uint256 window) private returns (Word) {
        uint256 wait = _naiveWait(time, window);
        assertEq(a.waitFor(time), wait, "seconds to wait");
        (Word next, bool ok) = a.tick(time);
        assertEq(ok, wait == 0, "passes exactly when nothing is to be waited for");
        if (!ok) return a;
        passed.push(time);
        assertEq(next.tier(), a.tier());
        return next;
    }

    function _naiveWait(uint256 time, uint256 window) private view returns (uint256) {
        if (passed.length < 10) return 0;
        uint256 from = passed[passed.length - 10] + window;
        return time >= from ? 0 : from - time;
    }
}

contract OfferTermsTest is Test {
    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        Offer o = Offer.wrap(word);
        assertEq(o.tokenLimit(), (word >> 9) % 2 ** 20);
        assertEq(o.tickets(), (word >> 29) % 2 ** 17);
        assertEq(o.servers(), (word >> 46) % 2 ** 16);
        assertEq(o.callbackGasPrice(), (word >> 62) % 2 ** 21 * 1e9);
        assertEq(o.commitFrom(), (word >> 83) % 2 ** 13 * 1e18);
        assertEq(o.price(), word >> 96 << 96, "a request copies neither of them");
    }

    function testFuzz_RoutingTouchesItsFieldsAlone(uint256 word, uint256 tickets, uint16 servers) public pure {
        Offer o = Offer.wrap(word);
        tickets %= 2 ** 17;
        assertEq(o.withTickets(tickets).tickets(), tickets);
        assertEq(Offer.unwrap(o.withTickets(tickets).withTickets(o.tickets())), word);
        assertEq(o.withServers(servers).servers(), servers);
        assertEq(Offer.unwrap(o.withServers(servers).withServers(o.servers())), word);
        assertEq(Offer.unwrap(o.closed()), word / 2 * 2);
    }

    function testFuzz_NewTermsBringAllButTheRouting(uint256 word, uint256 next) public pure {
        Offer o = Offer.wrap(word).keepRouting(Offer.wrap(next));
        uint256 routing = (2 ** 33 - 1) << 29;
        assertEq(Offer.unwrap(o) & routing, word & routing);
        assertEq(Offer.unwrap(o) & ~routing, next & ~routing);
    }
}

contract RequestAttemptsTest is Test {
    uint256 private constant PRICE = type(uint256).max << 96;

    function _opened(uint256 price) private view returns (Request) {
        return RequestWord.open(2, 777, 1, 2, price & PRICE);
    }

    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        Request r = Request.wrap(word);
        assertEq(r.cancelling(), (word >> 53) % 2 == 1);
        assertEq(r.lastFailure(), (word >> 54) % 2 ** 3);
        assertEq(r.declines(), (word >> 57) % 2 ** 2);
        assertEq(r.published(), (word >> 59) % 2 == 1);
        vm.assume(r.since() > 3);
        assertEq(r.assignedAt(), r.since() - (word >> 60) % 2 ** 2);
        assertEq(r.attempts(), (word >> 19) % 2 ** 2);
    }

    function testFuzz_ANewAttemptKeepsPriceAndHistory(uint256 price, uint16 validator, uint8 class, uint32 height)
        public
    {
        class %= 8;
        Request r = _opened(price).withFailure(class).withDecline();
        vm.warp(block.timestamp + 99);
        vm.roll(height);
        Request next = r.withPublished().assigned(2, validator, 1, 2);
        assertEq(next.status(), 2);
        assertEq(next.validator(), validator);
        assertEq(next.attempts(), 2);
        assertEq(next.band(), 1);
        assertEq(next.since(), block.timestamp + 2);
        assertEq(next.assignedAt(), block.timestamp);
        assertTrue(next.published());
        assertEq(next.elapsed(), 0, "while the backoff runs");
        assertEq(next.blocksSince(), 0);
        assertEq(next.lastFailure(), class);
        assertEq(next.declines(), 1);
        assertFalse(next.cancelling());
        assertEq(next.price() & PRICE, price & PRICE);
        vm.warp(block.timestamp + 9);
        assertEq(next.elapsed(), 7);
    }

    function testFuzz_TheQueueKeepsAllButTheValidator(uint256 price, uint8 class) public {
        class %= 8;
        Request r = _opened(price).withFailure(class).withDecline().withDecline();
        vm.warp(block.timestamp + 99);
        Request q = r.queued(1);
        assertFalse(q.published());
        assertTrue(r.withPublished().queued(1).published());
        assertEq(q.assignedAt(), q.since());
        assertEq(q.status(), 1);
        assertEq(q.validator(), 0);
        assertEq(q.attempts(), 1);
        assertEq(q.since(), block.timestamp);
        assertEq(q.lastFailure(), class);
        assertEq(q.declines(), 2);
        assertEq(q.price() & PRICE, price & PRICE);
    }

    function testFuzz_CancellingStartsTheClockAnewAndKeepsTheRest(uint256 price, uint8 class, uint32 height) public {
        Request r = _opened(price).withFailure(class % 8).withDecline();
        vm.warp(block.timestamp + 99);
        vm.roll(height);
        Request c = r.cancelled();
        assertTrue(c.cancelling());
        assertEq(c.since(), block.timestamp);
        assertEq(c.blocksSince(), 0);
        uint256 touched = (uint256(1) << 53) | (uint256(type(uint32).max) << 21) | (uint256(0xFFFF) << 80);
        assertEq(Request.unwrap(c) & ~touched, Request.unwrap(r) & ~touched);
    }

    function testFuzz_AFailureReplacesTheLastOne(uint256 word, uint8 class) public pure {
        Request r = Request.wrap(word);
        class %= 8;
        assertEq(r.withFailure(class).lastFailure(), class);
        assertEq(Request.unwrap(r.withFailure(class).withFailure(r.lastFailure())), word);
    }

    function testFuzz_PublishedTouchesNothingElse(uint256 word) public pure {
        assertEq(Request.unwrap(Request.wrap(word).withPublished()), word | (1 << 59));
    }

    function test_ThreeDeclinesFit() public view {
        Request r = _opened(0);
        Request d = r.withDecline().withDecline().withDecline();
        assertEq(d.declines(), 3);
        assertEq(Request.unwrap(d) - Request.unwrap(r), 3 << 57);
    }
}

contract TillCountMoreTest is Test {
    function testFuzz_SaturatesAndTouchesNothingElse(uint256 word, uint256 n) public pure {
        Till t = Till.wrap(word);
        n = bound(n, 0, 2 ** 26);
        Till next = t.countMore(n);
        uint256 most = 2 ** 26 - 1;
        assertEq(next.completed(), t.completed() + n > most ? most : t.completed() + n);
        uint256 mask = ~(most << 80);
        assertEq(Till.unwrap(next) & mask, word & mask);
    }
}

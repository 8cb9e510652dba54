// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {SessionState, SessionWord} from "../../../contracts/words/Session.sol";

contract SessionWordTest is Test {
    function testFuzz_Opens(uint96 cap, uint32 endsAt, uint16 burnBps) public pure {
        burnBps = uint16(bound(burnBps, 1, 2 ** 11 - 1));
        SessionState s = SessionWord.open(cap, endsAt, burnBps);
        assertTrue(s.isOpen());
        assertEq(s.cap(), cap);
        assertEq(s.endsAt(), endsAt);
        assertEq(s.burnBps(), burnBps);
        assertEq(s.settled() + s.count(), 0);
    }

    function testFuzz_FieldsLieWhereTheTableSays(uint256 word) public pure {
        SessionState s = SessionState.wrap(word);
        assertEq(s.cap(), word % 2 ** 96);
        assertEq(s.settled(), (word >> 96) % 2 ** 96);
        assertEq(s.count(), (word >> 192) % 2 ** 21);
        assertEq(s.endsAt(), (word >> 213) % 2 ** 32);
        assertEq(s.burnBps(), word >> 245);
        assertEq(s.isOpen(), word >> 245 != 0);
    }

    function testFuzz_AReceiptTouchesItsTwoFieldsAlone(uint256 word, uint256 count, uint96 settled) public pure {
        SessionState s = SessionState.wrap(word);
        SessionState t = s.withReceipt(count % 2 ** 21, settled);
        assertEq(t.count(), count % 2 ** 21);
        assertEq(t.settled(), settled);
        assertEq(SessionState.unwrap(t.withReceipt(s.count(), s.settled())), word);
    }

    function testFuzz_AnEndTouchesItsFieldAlone(uint256 word, uint32 endsAt) public pure {
        SessionState s = SessionState.wrap(word);
        SessionState t = s.withEnd(endsAt);
        assertEq(t.endsAt(), endsAt);
        assertEq(SessionState.unwrap(t.withEnd(s.endsAt())), word);
    }

    function test_NeitherClosedNorUnknownIsOpen() public pure {
        assertFalse(SessionWord.CLOSED.isOpen());
        assertFalse(SessionState.wrap(0).isOpen());
        assertNotEq(SessionState.unwrap(SessionWord.CLOSED), 0);
        assertEq(SessionWord.COUNT_MAX, 2 ** 21 - 1);
    }
}

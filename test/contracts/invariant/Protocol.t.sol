// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Ghosts} from "./Ghosts.sol";
import {Handler} from "./Handler.sol";

abstract contract Campaign is Test {
    Handler internal handler;

    function setUp() public virtual {
        handler = new Handler();
        handler.setUp();
    }

    function _print() internal {
        string[43] memory names = [
            "completed",
            "delivered",
            "skipped",
            "offline",
            "timeout",
            "error",
            "no node",
            "queued",
            "callback ok",
            "callback failed",
            "callback retried",
            "claims",
            "retires",
            "withdrawals",
            "rewards claimed",
            "refused",
            "pauses",
            "changes",
            "retried",
            "declined",
            "bad prompt",
            "cancel requested",
            "cancelled",
            "stakes",
            "unbonds",
            "cancels",
            "unbonded",
            "exits",
            "returns",
            "models",
            "rotations",
            "batched",
            "batch skipped",
            "committed",
            "revealed",
            "forfeited",
            "session opened",
            "session settled",
            "session ending",
            "session closed",
            "frozen",
            "released",
            "awarded"
        ];
        for (uint256 i; i < names.length; ++i) {
            emit log_named_uint(names[i], handler.reached(Ghosts.State(i)));
        }
    }
}

/// @notice README.md in this folder says each of these in a sentence.
/// forge-config: test.invariant.runs = 24
/// forge-config: test.invariant.depth = 96
contract ProtocolInvariantsTest is Campaign {
    function setUp() public override {
        super.setUp();
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = Handler.act.selector;
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function invariant_01_LedgerIdentity() public view {
        assertTrue(handler.identityHolds());
    }

    function invariant_02_SupplyIsBounded() public view {
        assertTrue(handler.supplyHolds());
    }

    /// @dev Splits, refunds, nonces, rate, and what ended: watched step by step.
    function invariant_03_NoStepHadAFlaw() public view {
        assertEq(handler.flaw(), "");
    }

    function invariant_04_EndingsAreFinal() public view {
        assertTrue(handler.endingsHold());
    }

    function invariant_05_LoadIsOpenAssignments() public view {
        assertTrue(handler.loadsHold());
    }

    function invariant_06_EmissionsAndReputationStayInBounds() public view {
        assertTrue(handler.emissionsHold());
        assertTrue(handler.reputationsHold());
        assertTrue(handler.parametersHold());
    }

    function invariant_07_EveryChatIsRewardedOrAccrued() public view {
        assertTrue(handler.rewardsHold());
    }

    function invariant_08_StakesAreHeld() public view {
        assertTrue(handler.stakesHold());
    }

    function invariant_09_TicketsFollowStakes() public view {
        assertTrue(handler.ticketsHold());
    }

    function invariant_10_SessionsFollowTheirReceipts() public view {
        assertTrue(handler.sessionsHold());
    }

    function afterInvariant() public {
        _print();
    }
}

/// @notice The same steps from a fixed seed, long enough to have been everywhere: a campaign that never completes a
/// request proves nothing, and this one says so.
contract LongRunTest is Campaign {
    uint256 private constant STEPS = 4_000;

    function test_EveryStateIsReachedAndEverySentenceHolds() public {
        for (uint256 i; i < STEPS; ++i) {
            handler.act(i);
            if (i % 100 == 0) _holds();
        }
        _holds();
        _print();
        for (uint256 i; i <= uint256(type(Ghosts.State).max); ++i) {
            assertGt(handler.reached(Ghosts.State(i)), 0, vm.toString(i));
        }
    }

    /// @dev After any history: what is open can be ended by a stranger, then everybody is paid, and nothing is left over.
    function test_EverythingEndsAndEverybodyCanLeave() public {
        for (uint256 i; i < STEPS / 4; ++i) {
            handler.act(~i);
        }
        for (uint256 i; i < 100 && handler.openOnes() < 3; ++i) {
            handler.act(i);
        }
        assertGe(handler.openOnes(), 3);
        handler.drain();
        assertEq(handler.openOnes(), 0);
        assertEq(handler.locked() + handler.bonds() + handler.capped() + handler.frozen(), 0);
        _holds();
        assertGt(handler.creditsSum() + handler.accruedSum(), 0);
        assertGt(handler.staked(), 0);
        handler.leave();
        assertEq(handler.creditsSum() + handler.accruedSum(), 0);
        assertEq(handler.headroom(), 0, "what was burned is paid or retired");
        assertEq(handler.staked(), 0, "what was staked is paid");
    }

    function _holds() private view {
        assertEq(handler.flaw(), "");
        assertTrue(handler.identityHolds(), "ledger identity");
        assertTrue(handler.supplyHolds(), "supply");
        assertTrue(handler.loadsHold(), "load");
        assertTrue(handler.endingsHold(), "endings");
        assertTrue(handler.emissionsHold(), "emissions");
        assertTrue(handler.rewardsHold(), "rewards");
        assertTrue(handler.stakesHold(), "stakes");
        assertTrue(handler.ticketsHold(), "tickets");
        assertTrue(handler.reputationsHold(), "reputation");
        assertTrue(handler.parametersHold(), "parameters");
        assertTrue(handler.sessionsHold(), "sessions");
    }
}

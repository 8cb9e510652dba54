// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {Intent, Outcome, RequestStatus} from "../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {Scene} from "./support/Scene.sol";

/// @notice The examples of the protocol from end to end, in both lanes, to the last token.
contract SmokeTest is Scene {
    address internal node;
    uint256 internal nodeId;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 10_000e18);
    }

    function test_AssignedRequestFromWalletToClaim() public {
        uint256 wallet = nsd.balanceOf(alice.addr);
        (bytes32 id, Ticket memory ticket) = _submit();
        assertEq(id, router.requestId(ticket));
        assertEq(nsd.balanceOf(alice.addr), wallet - 50e18, "the shortfall left the wallet");
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
        assertEq(router.requestOf(id).validator, nodeId);
        assertEq(router.validatorOf(nodeId).load, 1);

        _pass(5);
        _settle(node, ticket, 317);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
        assertEq(router.accountOf(alice.addr).credits, 13.3e18, "317 tokens cost 36.7 NSD");
        assertEq(router.accountOf(alice.addr).accruedChats, 1);
        assertEq(router.validatorOf(nodeId).load, 0);
        assertEq(router.validatorOf(nodeId).validatorLeg, 25.69e18, "70 percent");
        assertEq(router.validatorOf(nodeId).treasuryLeg, 7.34e18, "20 percent");

        credits.startClaim(nodeId);
        _pass(1 hours);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(node), 25.69e18);
        assertEq(nsd.balanceOf(treasury), 7.34e18);
        assertEq(credits.retire(), 3.67e18, "10 percent are gone");
        assertEq(nsd.headroom(), 13.3e18);

        reward.claim(alice.addr);
        assertEq(lcai.balanceOf(alice.addr), 1e18);
        assertTrue(reward.isInferencer(alice.addr));
    }

    function test_DirectChatMintsItsReward() public {
        _deposit(alice.addr, 100e18);
        vm.recordLogs();
        _chat(alice, node);
        (, Outcome memory outcome, uint256 burned) = _settledIn(vm.getRecordedLogs());
        assertEq(outcome.consumed, 36.7e18);
        (,, uint256 unretired) = router.ledger();
        assertEq(burned, unretired);
        assertEq(router.accountOf(alice.addr).credits, 63.3e18);
        assertEq(lcai.balanceOf(alice.addr), 1e18);
        assertEq(models.recordCount(), 1);
    }

    function test_SignedRequestBySomebodyElse() public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.relayFee = 1e18;
        bytes32 id = _submitFor(alice, intent);
        assertEq(id, router.requestId(_ticketOf(intent)));
        assertEq(router.accountOf(relayer).credits, 1e18);
        _settle(node, _ticketOf(intent), 450);
        assertEq(router.accountOf(alice.addr).credits, 0);
    }
}

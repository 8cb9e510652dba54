// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FailureClass, Intent, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Lanes} from "../support/Lanes.sol";
import {Scene} from "../support/Scene.sol";
import {OpenRequest} from "./Endings.t.sol";

/// @notice Who was there before the commitment, and changes its stake or its seat when the seed can be known.
contract StakeAfterTheSeedTest is Lanes {
    uint256 private steady;
    address private greedy;
    uint256 private greedyId;
    Intent private intent;

    function _join(uint256 stakeOfSteady, uint256 stakeOfGreedy) private {
        (, steady) = _validator("steady", stakeOfSteady);
        (greedy, greedyId) = _validator("greedy", stakeOfGreedy);
        vm.warp(block.timestamp + 1);
    }

    function _committed(uint256 nonce) private {
        intent = _large(alice.addr, nonce);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
    }

    function _revealed() private returns (uint256 validator) {
        Intent memory revealed = intent;
        vm.prank(alice.addr);
        return router.requestOf(router.reveal(revealed, "", "", SALT)).validator;
    }

    function _add(uint256 amount) private {
        vm.prank(bank);
        nst.transfer(greedy, amount);
        vm.startPrank(greedy);
        nst.approve(address(validators), amount);
        validators.stakeMore(amount);
        vm.stopPrank();
    }

    /// @dev The same stake wins the next one, which was committed to when it was there.
    function _gainsNothingNow() private {
        assertEq(_revealed(), steady);
        vm.warp(block.timestamp + 1);
        _committed(1);
        assertEq(_revealed(), greedyId);
    }

    function test_WhoAddsStakeAfterTheCommitmentIsPassedOver() public {
        _join(50_000e18, 20_000e18);
        _committed(0);
        _add(80_000e18);
        _gainsNothingNow();
    }

    /// @dev 51,000 and 53,000 NST draw ten tickets each: the rank alone rises.
    function test_NorDoesMoreStakeWithoutAnotherTicketHelp() public {
        _join(52_000e18, 51_000e18);
        _committed(0);
        uint256 tickets = router.offerOf(LLAMA7).tickets();
        _add(2_000e18);
        assertEq(router.offerOf(LLAMA7).tickets(), tickets);
        _gainsNothingNow();
    }

    function test_WhoReopensItsSeatAfterTheCommitmentIsPassedOver() public {
        _join(50_000e18, 100_000e18);
        vm.prank(greedy);
        validators.pauseValidator();
        vm.warp(block.timestamp + 1);
        _committed(0);
        vm.prank(greedy);
        validators.resumeValidator();
        _gainsNothingNow();
    }
}

contract TimeoutDecayTest is OpenRequest {
    /// @dev The node shows that it lives, and never answers.
    function _timeout() private returns (uint256 refund) {
        uint256 before = router.accountOf(alice.addr).credits;
        vm.warp(block.timestamp + 1);
        vm.prank(node);
        router.heartbeat();
        _pass(100);
        router.expire(ticket);
        assertEq(uint256(router.requestOf(id).failure), uint256(FailureClass.Timeout));
        refund = router.accountOf(alice.addr).credits - before;
        (bytes32 next, Ticket memory opened) = _submit();
        (id, ticket) = (next, opened);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
    }

    function test_TheFourthTimeoutWithinADayGives85Percent() public {
        // Each submission takes the credits that are there: a wallet's NSD pays the rest.
        assertEq(_timeout(), 47.5e18);
        assertEq(_timeout(), 45e18);
        assertEq(_timeout(), 42.5e18);
        assertEq(_timeout(), 42.5e18);
    }
}

/// @notice A node that is its own user.
contract SelfFailureTest is OpenRequest {
    function test_ANodeThatFailsItsOwnRequestLoses() public {
        _fund(node, 50e18);
        (bytes32 own, Ticket memory t) = _submit(node, _ask());
        uint256 reputation = router.validatorOf(nodeId).reputation;
        vm.prank(node);
        router.fail(t);
        assertEq(uint256(_status(own)), uint256(RequestStatus.Failed));
        assertEq(router.accountOf(node).credits, 47.5e18, "a twentieth is gone");
        assertEq(router.validatorOf(nodeId).validatorLeg, 0);
        assertLt(router.validatorOf(nodeId).reputation, reputation);
        assertEq(router.validatorOf(nodeId).failed, 1);
    }
}

/// @notice All who serve the model are full.
contract AllFullTest is Scene {
    function test_ItWaitsAndComesBackInFull() public {
        _validator("a", 5_000e18);
        _validator("b", 5_000e18);
        Ticket[] memory open = new Ticket[](4);
        for (uint256 i; i < 4; ++i) {
            (bytes32 taken, Ticket memory t) = _submit(bob.addr, _ask());
            assertEq(uint256(_status(taken)), uint256(RequestStatus.Assigned), "two places each");
            open[i] = t;
        }
        (bytes32 id, Ticket memory ticket) = _submit();
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
        _pass(301);
        router.expire(ticket);
        assertEq(uint256(router.requestOf(id).failure), uint256(FailureClass.NoNode));
        assertEq(router.accountOf(alice.addr).credits, 50e18);
        (,, uint256 unretired) = router.ledger();
        assertEq(unretired, 0, "nothing was forfeited");
    }
}

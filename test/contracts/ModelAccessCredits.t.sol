// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Parameter} from "../../contracts/interfaces/IFeeController.sol";
import {IModelAccessCredits} from "../../contracts/interfaces/IModelAccessCredits.sol";
import {INSD} from "../../contracts/interfaces/ITokens.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {Scene} from "./support/Scene.sol";

contract DepositTest is Scene {
    function testFuzz_BurnsIntoCredits(uint96 amount) public {
        amount = uint96(bound(amount, 1, 100_000e18));
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.Deposited(alice.addr, alice.addr, amount);
        _deposit(alice.addr, amount);
        assertEq(credits.creditsOf(alice.addr), amount);
        assertEq(nsd.headroom(), amount);
        assertEq(nsd.balanceOf(alice.addr), 100_000e18 - amount);
    }

    function test_ForSomebodyElse() public {
        vm.prank(alice.addr);
        credits.depositFor(bob.addr, 7e18);
        assertEq(credits.creditsOf(bob.addr), 7e18);
        assertEq(credits.creditsOf(alice.addr), 0);
    }

    function test_RevertWhen_NothingOrForNobody() public {
        vm.startPrank(alice.addr);
        vm.expectRevert(IModelAccessCredits.CreditsZeroAmount.selector);
        credits.deposit(0);
        vm.expectRevert(IModelAccessCredits.CreditsZeroAddress.selector);
        credits.depositFor(address(0), 1);
        vm.stopPrank();
    }

    function _permit(uint256 value) private view returns (uint8 v, bytes32 r, bytes32 s) {
        IERC20Permit token = IERC20Permit(address(nsd));
        bytes32 hash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                alice.addr,
                credits,
                value,
                token.nonces(alice.addr),
                block.timestamp
            )
        );
        return vm.sign(alice.key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), hash)));
    }

    function test_WithPermit() public {
        vm.prank(alice.addr);
        nsd.approve(address(credits), 0);
        (uint8 v, bytes32 r, bytes32 s) = _permit(9e18);
        vm.prank(alice.addr);
        credits.depositWithPermit(9e18, block.timestamp, v, r, s);
        assertEq(credits.creditsOf(alice.addr), 9e18);
    }

    function test_APermitThatSomebodyUsedFirstDoesNoHarm() public {
        vm.prank(alice.addr);
        nsd.approve(address(credits), 0);
        (uint8 v, bytes32 r, bytes32 s) = _permit(9e18);
        IERC20Permit(address(nsd)).permit(alice.addr, address(credits), 9e18, block.timestamp, v, r, s);
        vm.prank(alice.addr);
        credits.depositWithPermit(9e18, block.timestamp, v, r, s);
        assertEq(credits.creditsOf(alice.addr), 9e18);
    }

    function test_DonationsChangeNobodysBalance() public {
        (, uint256 nodeId) = _validator("node", 10_000e18);
        _deposit(alice.addr, 10e18);
        address[6] memory all =
            [address(router), address(credits), address(validators), address(models), address(reward), address(fees)];
        vm.startPrank(bank);
        for (uint256 i; i < 6; ++i) {
            nsd.transfer(all[i], 1_000e18);
            nst.transfer(all[i], 1_000e18);
        }
        vm.stopPrank();
        assertEq(credits.creditsOf(alice.addr), 10e18);
        assertEq(validators.totalStaked(), 10_000e18);
        assertEq(validators.stakeOf(makeAddr("node")), 10_000e18);
        assertEq(router.validatorOf(nodeId).stake, 10);
        (uint256 outstanding, uint256 unretired, uint256 owed) = credits.ledger();
        assertEq(outstanding, 10e18);
        assertEq(unretired, 0);
        assertEq(owed, 10e18);
    }

    function test_RevertWhen_ThePermitIsVoidAndNothingIsAllowed() public {
        vm.startPrank(alice.addr);
        nsd.approve(address(credits), 0);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(credits), 0, 9e18)
        );
        credits.depositWithPermit(9e18, block.timestamp, 27, bytes32(uint256(1)), bytes32(uint256(1)));
        vm.stopPrank();
    }
}

contract WithdrawTest is Scene {
    function setUp() public override {
        super.setUp();
        _deposit(alice.addr, 100e18);
    }

    function _announce(uint256 amount) private {
        vm.prank(alice.addr);
        credits.requestWithdrawal(amount);
    }

    function _withdraw() private returns (uint256) {
        vm.prank(alice.addr);
        return credits.withdraw();
    }

    function test_TakesEffectAfterTheDelay() public {
        uint256 readyAt = block.timestamp + 15 minutes;
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.WithdrawalRequested(alice.addr, 60e18, readyAt);
        _announce(60e18);
        assertEq(credits.withdrawalOf(alice.addr).readyAt, readyAt);
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNotReady.selector, readyAt));
        _withdraw();
        vm.warp(readyAt);
        vm.expectEmit(address(nsd));
        emit INSD.NSDMinted(alice.addr, 60e18);
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.Withdrawn(alice.addr, 60e18);
        assertEq(_withdraw(), 60e18);
        assertEq(nsd.balanceOf(alice.addr), 100_000e18 - 40e18);
        assertEq(credits.creditsOf(alice.addr), 40e18);
    }

    function test_RevertWhen_WithdrawnTwice() public {
        _announce(60e18);
        vm.warp(block.timestamp + 15 minutes);
        _withdraw();
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNothingPending.selector, alice.addr));
        _withdraw();
    }

    function test_RevertWhen_MoreThanThereIsOrNothing() public {
        vm.expectRevert(
            abi.encodeWithSelector(IModelAccessCredits.CreditsInsufficient.selector, alice.addr, 100e18, 101e18)
        );
        _announce(101e18);
        vm.expectRevert(IModelAccessCredits.CreditsZeroAmount.selector);
        _announce(0);
    }

    function test_WhatIsLockedMeanwhileStays() public {
        _announce(100e18);
        (, Ticket memory t) = _submit();
        vm.warp(block.timestamp + 15 minutes);
        assertEq(_withdraw(), 50e18);
        assertEq(credits.creditsOf(alice.addr), 0);
        vm.roll(block.number + 10);
        vm.warp(block.timestamp + 301);
        router.expire(t);
        assertEq(credits.creditsOf(alice.addr), 50e18);
    }

    function test_ANewOneReplacesTheOld() public {
        _announce(10e18);
        vm.warp(block.timestamp + 10 minutes);
        _announce(20e18);
        assertEq(credits.withdrawalOf(alice.addr).amount, 20e18);
        assertEq(credits.withdrawalOf(alice.addr).readyAt, block.timestamp + 15 minutes);
    }

    function test_Cancelled() public {
        _announce(10e18);
        vm.prank(alice.addr);
        credits.cancelWithdrawal();
        vm.warp(block.timestamp + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNothingPending.selector, alice.addr));
        _withdraw();
    }

    function test_ALaterDelayReachesNoneThatBegan() public {
        _announce(10e18);
        vm.prank(admin);
        fees.set(Parameter.WithdrawDelay, 1 days);
        vm.warp(block.timestamp + 15 minutes);
        _withdraw();
    }

    function test_RevertGiven_NothingToCancel() public {
        bytes memory reason = abi.encodeWithSelector(IModelAccessCredits.CreditsNothingPending.selector, alice.addr);
        vm.startPrank(alice.addr);
        vm.expectRevert(reason);
        credits.cancelWithdrawal();
        credits.requestWithdrawal(1);
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.WithdrawalCancelled(alice.addr, 1);
        credits.cancelWithdrawal();
        vm.expectRevert(reason);
        credits.cancelWithdrawal();
        vm.stopPrank();
    }

    /// @dev Who answered in good faith before the delay is over is paid, whatever was announced.
    function test_WhatIsAnnouncedStillPaysForADelivery() public {
        (address node, uint256 nodeId) = _validator("node", 100_000e18);
        _announce(100e18);
        vm.warp(block.timestamp + 10 minutes);
        _chat(alice, node);
        assertEq(router.validatorOf(nodeId).validatorLeg, 25.69e18);
        vm.warp(block.timestamp + 5 minutes);
        assertEq(_withdraw(), 63.3e18, "what the chat left");
    }

    function test_AWeiGoesInAndComesOut() public {
        uint256 wallet = nsd.balanceOf(bob.addr);
        _deposit(bob.addr, 1);
        vm.prank(bob.addr);
        credits.requestWithdrawal(1);
        vm.warp(block.timestamp + 15 minutes);
        vm.prank(bob.addr);
        assertEq(credits.withdraw(), 1);
        assertEq(nsd.balanceOf(bob.addr), wallet);
        assertEq(credits.creditsOf(bob.addr), 0);
    }
}

contract ClaimTest is Scene {
    address internal node;
    uint256 internal nodeId;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        _deposit(alice.addr, 500e18);
        _chat(alice, node);
    }

    function test_TwoStepsAWindowApart() public {
        uint256 readyAt = block.timestamp + 1 hours;
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.ClaimStarted(nodeId, 25.69e18, 7.34e18, readyAt);
        vm.prank(bob.addr);
        credits.startClaim(nodeId);
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNotReady.selector, readyAt));
        credits.claim(nodeId);
        vm.warp(readyAt);
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.Claimed(nodeId, node, 25.69e18, 7.34e18);
        vm.prank(bob.addr);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(node), 25.69e18);
        assertEq(nsd.balanceOf(treasury), 7.34e18);
    }

    function test_RevertWhen_ClaimedTwice() public {
        credits.startClaim(nodeId);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNothingToClaim.selector, nodeId));
        credits.claim(nodeId);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNothingToClaim.selector, nodeId));
        credits.startClaim(nodeId);
    }

    function test_RevertGiven_AnotherIsPending() public {
        credits.startClaim(nodeId);
        _chat(alice, node);
        vm.expectRevert(
            abi.encodeWithSelector(IModelAccessCredits.CreditsClaimPending.selector, nodeId, block.timestamp + 1 hours)
        );
        credits.startClaim(nodeId);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(node), 25.69e18, "what came later waits for the next");
        credits.startClaim(nodeId);
    }

    function test_RevertWhen_NobodyIsThere() public {
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNothingToClaim.selector, 99));
        credits.startClaim(99);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsNothingToClaim.selector, 0));
        credits.startClaim(0);
    }

    function test_ALaterWindowReachesNoneThatBegan() public {
        credits.startClaim(nodeId);
        vm.prank(admin);
        fees.set(Parameter.ChallengeWindow, 7 days);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
    }

    function test_RetireTakesTheBurnedLegsForGood() public {
        uint256 supply = nsd.totalSupply();
        vm.expectEmit(address(nsd));
        emit INSD.NSDRetired(3.67e18, 3.67e18);
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.Retired(3.67e18);
        assertEq(credits.retire(), 3.67e18);
        assertEq(nsd.retired(), 3.67e18);
        assertEq(nsd.totalSupply(), supply);
        assertEq(credits.retire(), 0);
    }

    function test_TheLedgerSaysWhatIsOwedAndWhatWaitsToBeRetired() public {
        (uint256 outstanding, uint256 unretired, uint256 owed) = credits.ledger();
        (,, uint256 waiting) = router.ledger();
        assertEq(outstanding, nsd.headroom());
        assertEq(unretired, waiting);
        assertEq(owed, outstanding - waiting);
        assertGt(waiting, 0);
    }

    function test_TheTreasuryMoves() public {
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, bob.addr));
        vm.prank(bob.addr);
        _setTreasury(bob.addr);
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.TreasuryChanged(treasury, bob.addr);
        vm.prank(admin);
        _setTreasury(bob.addr);
        assertEq(credits.treasury(), bob.addr);
        vm.expectRevert(IModelAccessCredits.CreditsZeroAddress.selector);
        vm.prank(admin);
        _setTreasury(address(0));
    }

    function _setTreasury(address to) private {
        (bool ok,) = address(credits).call(abi.encodeWithSignature("setTreasury(address)", to));
        // After expectRevert a raw call is ok where it reverted with what was expected.
        assertTrue(ok);
    }

    function test_RevertWhen_AStrangerBurnsAShortfall() public {
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsOnlyRouter.selector, admin));
        vm.prank(admin);
        credits.burnShortfall(alice.addr, 1, 0);
    }
}

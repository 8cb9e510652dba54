// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouterLog, Session, ValidatorView} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../../../contracts/interfaces/IModelAccessCredits.sol";
import {INSD} from "../../../contracts/interfaces/ITokens.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Lanes} from "../support/Lanes.sol";

/// @notice A till of 77 NSD for the validator and 22 for the treasury: 110 NSD were consumed, 11 of them burned.
abstract contract CaseScene is Lanes {
    bytes32 internal constant CASE = keccak256("a case");
    address internal node;
    uint256 internal nodeId;
    Session internal session;
    uint256 private _prompts;

    function setUp() public virtual override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        _deposit(alice.addr, 1_110e18);
        session = _openSession(node);
        _earn(110e18);
    }

    /// @dev Seventy percent of it are the validator's, twenty the treasury's.
    function _earn(uint256 amount) internal {
        uint256 total = router.sessionOf(_idOf(session)).settled + amount;
        _settleSession(session, ++_prompts, total);
    }

    function _freeze(bytes32 caseId, uint256 validatorLeg, uint256 treasuryLeg) internal {
        vm.prank(court);
        _peers().freeze(caseId, nodeId, validatorLeg, treasuryLeg);
    }

    function _release(bytes32 caseId) internal {
        vm.prank(court);
        _peers().release(caseId);
    }

    function _award(bytes32 caseId, address user) internal {
        vm.prank(court);
        _peers().award(caseId, user);
    }

    function _locked() internal view returns (uint256) {
        return CAP - router.sessionOf(_idOf(session)).settled;
    }

    function _assertTill(uint256 validatorLeg, uint256 treasuryLeg) internal view {
        assertEq(router.validatorOf(nodeId).validatorLeg, validatorLeg, "validator's leg in the till");
        assertEq(router.validatorOf(nodeId).treasuryLeg, treasuryLeg, "treasury's leg in the till");
    }

    function _assertClaim(uint256 validatorLeg, uint256 treasuryLeg) internal view {
        assertEq(credits.claimOf(nodeId).validatorLeg, validatorLeg, "validator's leg in the claim");
        assertEq(credits.claimOf(nodeId).treasuryLeg, treasuryLeg, "treasury's leg in the claim");
    }

    function _assertFrozen(bytes32 caseId, uint256 validatorLeg, uint256 treasuryLeg) internal view {
        (uint256 validator, uint256 v, uint256 t) = router.frozenOf(caseId);
        assertEq(validator, validatorLeg + treasuryLeg == 0 ? 0 : nodeId);
        assertEq(v, validatorLeg, "validator's leg frozen");
        assertEq(t, treasuryLeg, "treasury's leg frozen");
    }
}

contract FreezeTest is CaseScene {
    function test_TakesTheLegsOutOfTheTill() public {
        vm.expectCall(address(credits), abi.encodePacked(IModelAccessCredits.seizeClaim.selector), 0);
        vm.expectEmit(address(router));
        emit IRouterLog.LegsFrozen(CASE, nodeId, 7e18, 2e18);
        _freeze(CASE, 7e18, 2e18);
        _assertTill(70e18, 20e18);
        _assertFrozen(CASE, 7e18, 2e18);
        _assertLedger(_locked() + 9e18);
        credits.startClaim(nodeId);
        _assertClaim(70e18, 20e18);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(node), 70e18);
        assertEq(nsd.balanceOf(treasury), 20e18);
        _assertLedger(_locked() + 9e18);
    }

    function test_TakesThemOutOfAPendingClaim() public {
        credits.startClaim(nodeId);
        uint256 readyAt = credits.claimOf(nodeId).readyAt;
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.ClaimSeized(nodeId, 7e18, 2e18);
        _freeze(CASE, 7e18, 2e18);
        _assertClaim(70e18, 20e18);
        assertEq(credits.claimOf(nodeId).readyAt, readyAt);
        _assertFrozen(CASE, 7e18, 2e18);
        _assertLedger(_locked() + 9e18);
        vm.warp(readyAt);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(node), 70e18);
    }

    function test_TakesTheRestOutOfAPendingClaim() public {
        credits.startClaim(nodeId);
        _earn(10e18);
        // More than the till for the validator, less than it for the treasury.
        vm.expectEmit(address(credits));
        emit IModelAccessCredits.ClaimSeized(nodeId, 5e18, 0);
        _freeze(CASE, 12e18, 1e18);
        _assertTill(0, 1e18);
        _assertClaim(72e18, 22e18);
        _assertFrozen(CASE, 12e18, 1e18);
        _assertLedger(_locked() + 13e18);
    }

    function test_AllOfAClaimLeavesOneThatCanBeEnded() public {
        credits.startClaim(nodeId);
        _freeze(CASE, 77e18, 22e18);
        _assertClaim(0, 0);
        vm.warp(block.timestamp + 1 hours);
        vm.expectCall(address(nsd), abi.encodePacked(INSD.mint.selector), 0);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(node) + nsd.balanceOf(treasury), 0);
        _earn(10e18);
        credits.startClaim(nodeId);
        _assertClaim(7e18, 2e18);
    }

    function test_WhatACaseLeavesOfOneLegCanBeClaimed() public {
        _freeze(CASE, 77e18, 0);
        credits.startClaim(nodeId);
        _assertClaim(0, 22e18);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(treasury), 22e18);
    }

    function test_RevertGiven_TheClaimWasPaid() public {
        credits.startClaim(nodeId);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsClaimTooSmall.selector, nodeId, 0, 0));
        _freeze(CASE, 7e18, 2e18);
        _assertFrozen(CASE, 0, 0);
    }

    function test_RevertWhen_MoreIsToBeFrozenThanThereIs() public {
        credits.startClaim(nodeId);
        _earn(10e18);
        bytes memory reason =
            abi.encodeWithSelector(IModelAccessCredits.CreditsClaimTooSmall.selector, nodeId, 77e18, 22e18);
        vm.expectRevert(reason);
        _freeze(CASE, 84e18 + 1, 24e18);
        vm.expectRevert(reason);
        _freeze(CASE, 84e18, 24e18 + 1);
        _assertTill(7e18, 2e18);
        _freeze(CASE, 84e18, 24e18);
        _assertTill(0, 0);
        _assertClaim(0, 0);
    }

    /// @dev A till holds 37,778 NSD a leg; the rest lies in a word of its own.
    function test_TakesThemOutOfTheOverflowToo() public {
        _deposit(alice.addr, 90_000e18);
        Session memory s = _session(alice.addr, node);
        s.cap = 90_000e18;
        _openSession(s);
        _settleSession(s, 1, 50_000e18);
        _settleSession(s, 2, 90_000e18);
        _assertTill(63_077e18, 18_022e18);
        _freeze(CASE, 50_000e18, 18_022e18);
        _assertTill(13_077e18, 0);
        _assertLedger(_locked() + 68_022e18);
        _release(CASE);
        _assertTill(63_077e18, 18_022e18);
        credits.startClaim(nodeId);
        _assertClaim(63_077e18, 18_022e18);
        _assertLedger(_locked());
    }

    function test_RevertGiven_TheCaseFroze() public {
        _freeze(CASE, 7e18, 2e18);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterFrozen.selector, CASE));
        _freeze(CASE, 7e18, 2e18);
        _freeze(keccak256("another case"), 7e18, 2e18);
        _assertTill(63e18, 18e18);
    }

    function test_RevertWhen_ALegIsWiderThanItsField() public {
        bytes memory reason = abi.encodeWithSelector(IModelAccessCredits.CreditsClaimTooSmall.selector, nodeId, 0, 0);
        vm.expectRevert(reason);
        _freeze(CASE, 2 ** 96, 0);
        vm.expectRevert(reason);
        _freeze(CASE, 0, 2 ** 96);
    }

    function test_RevertWhen_SomebodyElseFreezes() public {
        address[4] memory others = [admin, guardian, node, alice.addr];
        for (uint256 i; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterOnlyPeer.selector, others[i]));
            vm.prank(others[i]);
            _peers().freeze(CASE, nodeId, 1, 1);
        }
    }

    function test_RevertWhen_SomebodyElseSeizes() public {
        credits.startClaim(nodeId);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsOnlyRouter.selector, court));
        vm.prank(court);
        credits.seizeClaim(nodeId, 1, 1);
    }

    /// @dev Its record in the till stays as it was: only legs move.
    function test_TouchesTheLegsAlone() public {
        ValidatorView memory before = router.validatorOf(nodeId);
        _freeze(CASE, 7e18, 2e18);
        ValidatorView memory afterwards = router.validatorOf(nodeId);
        assertNotEq(keccak256(abi.encode(afterwards)), keccak256(abi.encode(before)));
        (before.validatorLeg, before.treasuryLeg) = (70e18, 20e18);
        assertEq(keccak256(abi.encode(afterwards)), keccak256(abi.encode(before)));
    }

    function test_NoPauseHoldsACaseUp() public {
        _pauseSettlement(block.timestamp + 1 days);
        _freeze(CASE, 7e18, 2e18);
        _award(CASE, bob.addr);
        assertEq(router.accountOf(bob.addr).credits, 9e18);
    }

    /// @dev Whatever is in the till and in the claim, the sum never changes, and nothing is frozen that was not there.
    function testFuzz_TillThenClaimAndNeverMore(bool claimed, uint96 later, uint96 v, uint96 t) public {
        if (claimed) credits.startClaim(nodeId);
        _earn(bound(later, 5e18, 800e18));
        uint256 haveV = router.validatorOf(nodeId).validatorLeg + credits.claimOf(nodeId).validatorLeg;
        uint256 haveT = router.validatorOf(nodeId).treasuryLeg + credits.claimOf(nodeId).treasuryLeg;
        uint256 tillV = router.validatorOf(nodeId).validatorLeg;
        v = uint96(bound(v, 1, haveV * 5 / 4));
        t = uint96(bound(t, 0, haveT * 5 / 4));
        vm.prank(court);
        (bool ok,) = address(router).call(abi.encodeCall(_peers().freeze, (CASE, nodeId, v, t)));
        assertEq(ok, v <= haveV && t <= haveT);
        if (!ok) return _assertLedger(_locked());
        assertEq(router.validatorOf(nodeId).validatorLeg, v < tillV ? tillV - v : 0, "the till first");
        assertEq(router.validatorOf(nodeId).validatorLeg + credits.claimOf(nodeId).validatorLeg, haveV - v);
        assertEq(router.validatorOf(nodeId).treasuryLeg + credits.claimOf(nodeId).treasuryLeg, haveT - t);
        _assertLedger(_locked() + v + t);
    }
}

contract ReleaseTest is CaseScene {
    function test_GivesTheLegsBackToTheTill() public {
        _freeze(CASE, 7e18, 2e18);
        vm.expectEmit(address(router));
        emit IRouterLog.LegsReleased(CASE, nodeId, 7e18, 2e18);
        _release(CASE);
        _assertTill(77e18, 22e18);
        _assertFrozen(CASE, 0, 0);
        _assertLedger(_locked());
    }

    /// @dev What came out of a claim goes back to the till: the next claim has it, a window later.
    function test_WhatWasSeizedCanBeClaimedAgain() public {
        credits.startClaim(nodeId);
        _freeze(CASE, 7e18, 2e18);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
        _release(CASE);
        _assertTill(7e18, 2e18);
        credits.startClaim(nodeId);
        vm.warp(block.timestamp + 1 hours);
        credits.claim(nodeId);
        assertEq(nsd.balanceOf(node), 77e18);
        assertEq(nsd.balanceOf(treasury), 22e18);
        _assertLedger(_locked());
    }

    function test_RevertGiven_NothingIsFrozen() public {
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterNotFrozen.selector, CASE);
        vm.expectRevert(reason);
        _release(CASE);
        _freeze(CASE, 7e18, 2e18);
        _release(CASE);
        vm.expectRevert(reason);
        _release(CASE);
        vm.expectRevert(reason);
        _award(CASE, bob.addr);
        _assertTill(77e18, 22e18);
    }

    function test_RevertWhen_SomebodyElseReleases() public {
        _freeze(CASE, 7e18, 2e18);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterOnlyPeer.selector, node));
        vm.prank(node);
        _peers().release(CASE);
    }
}

contract AwardTest is CaseScene {
    /// @dev Ninety percent of what was consumed: all but the burn.
    function test_GivesTheLegsToTheUser() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _settle(node, t, 317);
        uint256 before = router.accountOf(bob.addr).credits;
        // 317 tokens cost 36.7 NSD.
        _freeze(CASE, 25.69e18, 7.34e18);
        vm.expectEmit(address(router));
        emit IRouterLog.LegsAwarded(CASE, bob.addr, 33.03e18);
        _award(CASE, bob.addr);
        assertEq(router.accountOf(bob.addr).credits - before, 33.03e18);
        _assertTill(77e18, 22e18);
        _assertFrozen(CASE, 0, 0);
        _assertLedger(_locked());
    }

    function test_RevertGiven_NothingIsFrozen() public {
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterNotFrozen.selector, CASE);
        vm.expectRevert(reason);
        _award(CASE, bob.addr);
        _freeze(CASE, 7e18, 2e18);
        _award(CASE, bob.addr);
        vm.expectRevert(reason);
        _award(CASE, bob.addr);
        vm.expectRevert(reason);
        _release(CASE);
        assertEq(router.accountOf(bob.addr).credits, 9e18, "once");
        _assertTill(70e18, 20e18);
    }

    function test_RevertWhen_SomebodyElseAwards() public {
        _freeze(CASE, 7e18, 2e18);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterOnlyPeer.selector, bob.addr));
        vm.prank(bob.addr);
        _peers().award(CASE, bob.addr);
    }
}

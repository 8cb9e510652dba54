// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Ask, Intent, IRouterLog, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Lanes} from "../support/Lanes.sol";

contract CommitTest is Lanes {
    bytes32 private constant COMMITMENT = keccak256("a commitment");

    function _unretired() private view returns (uint256 unretired) {
        (,, unretired) = router.ledger();
    }

    function _commitRaw(address committer, uint256 bond) private {
        vm.prank(committer);
        router.commit(COMMITMENT, bond);
    }

    function test_LocksTheBond() public {
        _deposit(alice.addr, 100e18);
        vm.recordLogs();
        vm.expectEmit(address(router));
        emit IRouterLog.Committed(alice.addr, COMMITMENT, 60e18);
        _commitRaw(alice.addr, 60e18);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], IRouterLog.BondForfeited.selector, "there was no bond before");
        }
        (uint256 bond, uint256 atBlock) = router.commitmentOf(alice.addr, COMMITMENT);
        assertEq(bond, 60e18);
        assertEq(atBlock, block.number);
        assertEq(router.accountOf(alice.addr).credits, 40e18);
        _assertLedger(60e18);
    }

    function test_BurnsFromTheWalletWhatCreditsLack() public {
        _deposit(alice.addr, 20e18);
        uint256 wallet = nsd.balanceOf(alice.addr);
        _commitRaw(alice.addr, 60e18);
        assertEq(router.accountOf(alice.addr).credits, 0);
        assertEq(wallet - nsd.balanceOf(alice.addr), 40e18);
        _assertLedger(60e18);
    }

    function test_UsesNeitherNonceNorRate() public {
        _commitRaw(alice.addr, 60e18);
        assertEq(router.accountOf(alice.addr).nonce, 0);
        assertEq(router.accountOf(alice.addr).lastSubmitAt, 0);
    }

    function test_AgainForfeitsTheFirstBond() public {
        _commitRaw(alice.addr, 60e18);
        _nextBlock();
        vm.expectEmit(address(router));
        emit IRouterLog.BondForfeited(alice.addr, COMMITMENT, 60e18);
        vm.expectEmit(address(router));
        emit IRouterLog.Committed(alice.addr, COMMITMENT, 70e18);
        _commitRaw(alice.addr, 70e18);
        (uint256 bond, uint256 atBlock) = router.commitmentOf(alice.addr, COMMITMENT);
        assertEq(bond, 70e18);
        assertEq(atBlock, block.number);
        assertEq(_unretired(), 60e18);
        _assertLedger(70e18);
    }

    function test_TheSameHashOfAnotherSenderIsAnotherCommitment() public {
        _commitRaw(alice.addr, 60e18);
        _nextBlock();
        _commitRaw(bob.addr, 5e18);
        (uint256 bond, uint256 atBlock) = router.commitmentOf(alice.addr, COMMITMENT);
        assertEq(bond, 60e18);
        assertEq(atBlock, block.number - 1);
        assertEq(_unretired(), 0);
        _assertLedger(65e18);
    }

    function test_RevertWhen_TheBondIsBelowFiveNsd() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterBondTooLow.selector, 5e18 - 1, 5e18));
        _commitRaw(alice.addr, 5e18 - 1);
        _commitRaw(alice.addr, 5e18);
    }

    /// @dev Its field has 96 bits: one more would be the block's.
    function test_RevertWhen_TheBondIsWiderThanItsField() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterBondTooLow.selector, 2 ** 96, 5e18));
        _commitRaw(alice.addr, 2 ** 96);
    }

    function test_RevertGiven_NeitherCreditsNorAllowance() public {
        vm.prank(alice.addr);
        nsd.approve(address(credits), 59e18);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, credits, 59e18, 60e18));
        _commitRaw(alice.addr, 60e18);
        (uint256 bond,) = router.commitmentOf(alice.addr, COMMITMENT);
        assertEq(bond, 0);
    }

    /// @dev A bond that a pause kept from being revealed comes back: to commit within one would be a free look at the seed.
    function test_RevertGiven_IntakeIsPaused() public {
        uint256 until = block.timestamp + 1 hours;
        _pauseIntake(until);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterIntakePaused.selector, until));
        _commitRaw(alice.addr, 60e18);
        vm.warp(until);
        _commitRaw(alice.addr, 60e18);
    }

    function testFuzz_MovesExactlyTheBond(uint96 bond, uint96 deposited) public {
        bond = uint96(bound(bond, 5e18, 40_000e18));
        deposited = uint96(bound(deposited, 1, 50_000e18));
        _deposit(alice.addr, deposited);
        uint256 before = nsd.balanceOf(alice.addr) + router.accountOf(alice.addr).credits;
        _commitRaw(alice.addr, bond);
        assertEq(before - nsd.balanceOf(alice.addr) - router.accountOf(alice.addr).credits, bond);
        _assertLedger(bond);
    }
}

contract ThresholdTest is Lanes {
    function setUp() public override {
        super.setUp();
        _validator("node", 100_000e18);
    }

    function test_RevertWhen_ALargePaymentIsSubmitted() public {
        Ask memory ask = _ask();
        ask.payment = 500e18;
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterCommitRequired.selector, 500e18, 500e18);
        vm.expectRevert(reason);
        vm.prank(alice.addr);
        router.submit(ask, "");
        Intent memory intent = _intent(alice.addr, 0);
        intent.payment = 500e18;
        bytes memory signature = _sign(alice.key, intent);
        vm.expectRevert(reason);
        vm.prank(relayer);
        router.submitFor(intent, signature, "");
    }

    function test_AWeiBelowIsSubmittedAsEver() public {
        Ask memory ask = _ask();
        ask.payment = 500e18 - 1;
        _submit(alice.addr, ask);
        Intent memory intent = _intent(alice.addr, 1);
        intent.payment = 500e18 - 1;
        _submitFor(alice, intent);
    }
}

contract RevealTest is Lanes {
    uint256 internal node;

    function setUp() public override {
        super.setUp();
        (, node) = _validator("node", 100_000e18);
        _fund(relayer, 1_000e18);
        vm.warp(block.timestamp + 1); // whoever registers in the second of a commitment is a newcomer
    }

    function _reveal(address committer, Intent memory intent) private returns (bytes32) {
        vm.prank(committer);
        return router.reveal(intent, "", "", SALT);
    }

    function _refused(address sender, Intent memory intent, bytes memory signature, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(sender);
        router.reveal(intent, signature, "", SALT);
    }

    function test_OpensTheRequestAndReturnsTheBond() public {
        Intent memory intent = _large(alice.addr, 0);
        uint256 wallet = nsd.balanceOf(alice.addr);
        bytes32 commitment = _commit(alice.addr, intent, SALT);
        _nextBlock();
        Ticket memory ticket = _ticketOf(intent);
        bytes32 expected = router.requestId(ticket);
        vm.expectEmit(address(router));
        emit IRouterLog.Revealed(alice.addr, commitment);
        vm.expectEmit(address(router));
        emit IRouterLog.RequestSubmitted(
            expected, alice.addr, node, ticket.payer, ticket.terms, ticket.promptHash, ticket.callback
        );
        assertEq(_reveal(alice.addr, intent), expected);
        (uint256 bond, uint256 atBlock) = router.commitmentOf(alice.addr, commitment);
        assertEq(bond + atBlock, 0);
        assertEq(uint256(_status(expected)), uint256(RequestStatus.Assigned));
        // The bond is there before the payment is taken: the wallet gives what it lacks.
        assertEq(wallet - nsd.balanceOf(alice.addr), 600e18);
        assertEq(router.accountOf(alice.addr).credits, 0);
        assertTrue(router.isNonceUsed(alice.addr, 0));
        _assertLedger(600e18);
        _settle(_operatorOf(node), ticket, 317);
        _assertLedger(0);
    }

    function test_ARelayerRevealsWhatItsUserSigned() public {
        Intent memory intent = _large(alice.addr, 0);
        intent.relayFee = 2e18;
        bytes memory signature = _sign(alice.key, intent);
        _commit(relayer, intent, SALT);
        _nextBlock();
        vm.prank(relayer);
        router.reveal(intent, signature, "", SALT);
        assertEq(router.accountOf(relayer).credits, 60e18 + 2e18, "its bond and its fee");
        assertEq(nsd.balanceOf(alice.addr), 100_000e18 - 602e18);
        _assertLedger(600e18);
    }

    function test_AnybodyRevealsAPublicPrompt() public {
        Intent memory intent = _large(alice.addr, 0);
        (intent.relayer, intent.promptHash) = (address(0), keccak256(abi.encodePacked(bytes32(0), "hello")));
        bytes memory signature = _sign(alice.key, intent);
        _commit(bob.addr, intent, SALT);
        _nextBlock();
        vm.expectEmit(address(router));
        emit IRouterLog.PromptPublished(router.requestId(_ticketOf(intent)), "hello");
        vm.prank(bob.addr);
        router.reveal(intent, signature, "hello", SALT);
    }

    function test_RevertWhen_TheSignatureIsNotTheUsers() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(relayer, intent, SALT);
        _nextBlock();
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        _refused(relayer, intent, "", reason);
        _refused(relayer, intent, _sign(bob.key, intent), reason);
    }

    function test_RevertWhen_AnotherThanTheNamedRelayerReveals() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(bob.addr, intent, SALT);
        _nextBlock();
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterWrongRelayer.selector, relayer, bob.addr);
        _refused(bob.addr, intent, _sign(alice.key, intent), reason);
    }

    function test_RevertWhen_WhatWasSignedExpired() public {
        Intent memory intent = _large(alice.addr, 0);
        bytes memory signature = _sign(alice.key, intent);
        _commit(relayer, intent, SALT);
        _nextBlock();
        vm.warp(intent.deadline + 1);
        _refused(relayer, intent, signature, abi.encodeWithSelector(IRouterLog.RouterExpired.selector, intent.deadline));
        vm.warp(intent.deadline);
        vm.prank(relayer);
        router.reveal(intent, signature, "", SALT);
    }

    function test_RevertWhen_TheIntentNamesAValidator() public {
        Intent memory intent = _large(alice.addr, 0);
        intent.validator = address(0xBEEF);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterDirectIntent.selector, address(0xBEEF));
        bytes memory signature = _sign(alice.key, intent);
        _commit(alice.addr, intent, SALT);
        _commit(relayer, intent, SALT);
        _nextBlock();
        _refused(alice.addr, intent, "", reason);
        _refused(relayer, intent, signature, reason);
    }

    function test_RevertWhen_AnotherIntentIsRevealed() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        ++intent.maxTokens;
        bytes32 other = _commitmentOf(intent, SALT);
        _refused(alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterUnknownCommitment.selector, other));
    }

    function test_RevertWhen_TheSaltIsAnother() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, keccak256("another salt"));
        _nextBlock();
        bytes32 other = _commitmentOf(intent, SALT);
        _refused(alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterUnknownCommitment.selector, other));
    }

    /// @dev A copied commitment is of use to nobody but its user.
    function test_RevertWhen_SomebodyElseCommitted() public {
        Intent memory intent = _large(alice.addr, 0);
        bytes32 commitment = _commit(bob.addr, intent, SALT);
        _nextBlock();
        _refused(
            alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterUnknownCommitment.selector, commitment)
        );
    }

    function test_RevertGiven_ItWasRevealed() public {
        Intent memory intent = _large(alice.addr, 0);
        bytes32 commitment = _commit(alice.addr, intent, SALT);
        _nextBlock();
        _reveal(alice.addr, intent);
        _refused(
            alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterUnknownCommitment.selector, commitment)
        );
    }

    function test_RevertGiven_TheBlockOfTheCommitment() public {
        Intent memory intent = _large(alice.addr, 0);
        bytes32 commitment = _commit(alice.addr, intent, SALT);
        uint256 from = block.number + 1;
        // Time alone does not make the hash known.
        vm.warp(block.timestamp + 12);
        _refused(
            alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterRevealTooEarly.selector, commitment, from)
        );
        vm.roll(from);
        _reveal(alice.addr, intent);
    }

    function test_TheLastBlockIsThe256th() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        vm.roll(block.number + 256);
        _reveal(alice.addr, intent);
    }

    function test_RevertGiven_TheHashIsForgotten() public {
        Intent memory intent = _large(alice.addr, 0);
        bytes32 commitment = _commit(alice.addr, intent, SALT);
        uint256 last = block.number + 256;
        vm.roll(last + 1);
        _refused(
            alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterRevealTooLate.selector, commitment, last)
        );
    }

    /// @dev Not stuck: for another bond there is another hash.
    function test_ForgottenItIsArmedAgain() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        vm.roll(block.number + 257);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        uint256 wallet = nsd.balanceOf(alice.addr);
        _reveal(alice.addr, intent);
        assertEq(wallet - nsd.balanceOf(alice.addr), 540e18, "one bond came back");
        (,, uint256 unretired) = router.ledger();
        assertEq(unretired, 60e18, "the other one did not");
        _assertLedger(600e18);
    }

    function testFuzz_RevertWhen_TheBondIsBelowATenth(uint96 payment) public {
        Intent memory intent = _large(alice.addr, 0);
        intent.payment = uint96(bound(payment, 60e18, 50_000e18));
        uint256 tenth = (uint256(intent.payment) + 9) / 10;
        bytes32 commitment = _commitmentOf(intent, SALT);
        vm.prank(alice.addr);
        router.commit(commitment, tenth - 1);
        _nextBlock();
        _refused(alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterBondTooLow.selector, tenth - 1, tenth));
        vm.prank(alice.addr);
        router.commit(commitment, tenth);
        _nextBlock();
        _reveal(alice.addr, intent);
        _assertLedger(intent.payment);
    }

    function test_RevertWhen_ThePaymentIsBelowTheCostOfAToken() public {
        Intent memory intent = _large(alice.addr, 0);
        intent.payment = 5.1e18 - 1;
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        _refused(
            alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 5.1e18 - 1, 5.1e18)
        );
    }

    function test_RevertGiven_IntakeIsPaused() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        uint256 until = block.timestamp + 1 minutes;
        _pauseIntake(until);
        _refused(alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterIntakePaused.selector, until));
        vm.warp(until);
        models.pushOffers();
        _reveal(alice.addr, intent);
    }

    function test_RevertGiven_TenWithinAMinute() public {
        Intent memory intent = _large(alice.addr, 10);
        bytes32 commitment = _commit(alice.addr, intent, SALT);
        for (uint256 i; i < 10; ++i) {
            _submit();
        }
        _nextBlock();
        _refused(alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterRateLimited.selector, alice.addr, 48));
        (uint256 bond,) = router.commitmentOf(alice.addr, commitment);
        assertEq(bond, 60e18, "what was refused keeps its bond");
        vm.warp(block.timestamp + 48);
        _reveal(alice.addr, intent);
    }

    function test_RevertGiven_TheNonceIsUsed() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        _submit();
        _nextBlock();
        _refused(
            alice.addr, intent, "", abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1)
        );
    }
}

contract RevealSeedTest is Lanes {
    uint256 private constant SERVERS = 8;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < SERVERS; ++i) {
            _validator(vm.toString(i), 100_000e18);
        }
        vm.warp(block.timestamp + 1);
    }

    /// @dev Equals share the work: the i-th sixteen bits of the seed are the lot of the i-th server.
    function _drawn(bytes32 seed) private pure returns (uint256 validator) {
        uint256 best;
        for (uint256 i; i < SERVERS; ++i) {
            uint256 lot = (uint256(seed) >> (16 * i)) % 2 ** 16;
            // Later servers have the higher id, which decides between equal lots.
            if (lot >= best) (best, validator) = (lot, 4 + i);
        }
    }

    function testFuzz_HashAndSaltAndCommitmentDraw(bytes32 salt, bytes32 hash, uint8 blocks) public {
        vm.assume(hash != 0);
        Intent memory intent = _large(alice.addr, 0);
        bytes32 commitment = _commit(alice.addr, intent, salt);
        uint256 height = block.number;
        vm.roll(height + 1 + blocks);
        vm.setBlockhash(height, hash);
        vm.prank(alice.addr);
        bytes32 id = router.reveal(intent, "", "", salt);
        assertEq(router.requestOf(id).validator, _drawn(keccak256(abi.encode(hash, salt, commitment))));
    }

    /// @dev Whoever waits for a block that he likes better gets the same validator.
    function test_TheBlockOfTheRevealDecidesNothing() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        uint256 chosen;
        for (uint256 i; i < 40; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(alice.addr);
            uint256 validator = router.requestOf(router.reveal(intent, "", "", SALT)).validator;
            vm.revertToState(snapshot);
            if (i != 0) assertEq(validator, chosen);
            chosen = validator;
            vm.roll(block.number + 5);
        }
    }
}

/// @notice Stake that moves after the seed can be known.
contract NewcomersTest is Lanes {
    function _revealed(Intent memory intent) private returns (uint256 validator) {
        vm.prank(alice.addr);
        return router.requestOf(router.reveal(intent, "", "", SALT)).validator;
    }

    function test_WhoRegistersAfterTheCommitmentIsPassedOver() public {
        (, uint256 old) = _validator("old", 50_000e18);
        vm.warp(block.timestamp + 1);
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        (, uint256 newcomer) = _validator("newcomer", 100_000e18);
        assertEq(_revealed(intent), old);
        // The better one of the two has the next one, which was committed to when it was there.
        intent = _large(alice.addr, 1);
        vm.warp(block.timestamp + 1);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        assertEq(_revealed(intent), newcomer);
    }

    /// @dev Within the block of the commitment the order of the two is the block's maker's.
    function test_WhoRegistersInTheSameBlockIsPassedOver() public {
        (, uint256 old) = _validator("old", 50_000e18);
        vm.warp(block.timestamp + 1);
        _validator("newcomer", 100_000e18);
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        assertEq(_revealed(intent), old);
    }

    function test_WithNobodyButNewcomersItWaits() public {
        Intent memory intent = _large(alice.addr, 0);
        _commit(alice.addr, intent, SALT);
        _nextBlock();
        _validator("newcomer", 100_000e18);
        vm.prank(alice.addr);
        bytes32 id = router.reveal(intent, "", "", SALT);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
        _assertLedger(600e18);
    }

    /// @dev Somebody floods the lottery of a large network: nine old servers with a ticket each, forty newcomers with
    /// twenty. More of them are drawn than can be passed over, and still none gets anything.
    function test_RevertGiven_MoreNewcomersThanArePassedOver() public {
        for (uint256 i; i < 9; ++i) {
            _validator(string.concat("old", vm.toString(i)), 5_000e18);
        }
        vm.warp(block.timestamp + 1);
        for (uint256 i; i < 10; ++i) {
            _commit(alice.addr, _large(alice.addr, i), SALT);
        }
        _nextBlock();
        for (uint256 i; i < 40; ++i) {
            _validator(string.concat("new", vm.toString(i)), 100_000e18);
        }
        uint256 refused;
        for (uint256 i; i < 10; ++i) {
            if (!_reveals(_committed(i))) ++refused;
        }
        assertGt(refused, 5);
    }

    function _committed(uint256 nonce) private view returns (Intent memory intent) {
        intent = _large(alice.addr, nonce);
        intent.deadline -= 12; // as it was a block ago
    }

    function _reveals(Intent memory intent) private returns (bool opened) {
        bytes memory answer;
        vm.prank(alice.addr);
        (opened, answer) = address(router).call(abi.encodeCall(router.reveal, (intent, "", "", SALT)));
        if (opened) {
            uint256 validator = router.requestOf(abi.decode(answer, (bytes32))).validator;
            assertLt(validator, 4 + 9, "an old one, or the queue");
        } else {
            bytes32 commitment = _commitmentOf(intent, SALT);
            assertEq(answer, abi.encodeWithSelector(IRouterLog.RouterNobodyEligible.selector, commitment));
        }
    }
}

contract ForfeitTest is Lanes {
    bytes32 private constant COMMITMENT = keccak256("a commitment");

    function setUp() public override {
        super.setUp();
        _deposit(alice.addr, 100e18);
        vm.prank(alice.addr);
        router.commit(COMMITMENT, BOND);
    }

    function _unretired() private view returns (uint256 unretired) {
        (,, unretired) = router.ledger();
    }

    function _unknown() private {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownCommitment.selector, COMMITMENT));
        router.forfeit(alice.addr, COMMITMENT);
    }

    function test_BurnsWhatCanNoLongerBeRevealed() public {
        vm.roll(block.number + 257);
        vm.expectEmit(address(router));
        emit IRouterLog.BondForfeited(alice.addr, COMMITMENT, 60e18);
        vm.prank(bob.addr);
        router.forfeit(alice.addr, COMMITMENT);
        assertEq(_unretired(), 60e18);
        assertEq(router.accountOf(alice.addr).credits, 40e18);
        (uint256 bond, uint256 atBlock) = router.commitmentOf(alice.addr, COMMITMENT);
        assertEq(bond + atBlock, 0);
        _assertLedger(0);
        assertEq(credits.retire(), 60e18);
        _assertLedger(0);
    }

    function test_RevertGiven_ItCanStillBeRevealed() public {
        uint256 last = block.number + 256;
        vm.roll(last);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterStillRevealable.selector, COMMITMENT, last));
        router.forfeit(alice.addr, COMMITMENT);
        vm.roll(last + 1);
        router.forfeit(alice.addr, COMMITMENT);
    }

    function test_RevertGiven_ItIsGone() public {
        vm.roll(block.number + 257);
        router.forfeit(alice.addr, COMMITMENT);
        _unknown();
        assertEq(_unretired(), 60e18, "once");
    }

    function test_RevertWhen_NobodyCommitted() public {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownCommitment.selector, COMMITMENT));
        router.forfeit(bob.addr, COMMITMENT);
    }

    /// @dev A guardian's call changes no balance: who was kept from revealing loses nothing.
    function test_GivesTheBondBackWhereIntakeWasPaused() public {
        vm.roll(block.number + 256);
        _pauseIntake(block.timestamp + 1 hours);
        vm.roll(block.number + 1);
        vm.expectEmit(address(router));
        emit IRouterLog.BondReturned(alice.addr, COMMITMENT, 60e18);
        vm.prank(bob.addr);
        router.forfeit(alice.addr, COMMITMENT);
        assertEq(router.accountOf(alice.addr).credits, 100e18);
        assertEq(_unretired(), 0);
        _assertLedger(0);
        _unknown();
    }

    function test_ShorteningThePauseChangesNothingOfThat() public {
        _nextBlock();
        _pauseIntake(block.timestamp + 1 hours);
        vm.roll(block.number + 400);
        _pauseIntake(0);
        router.forfeit(alice.addr, COMMITMENT);
        assertEq(router.accountOf(alice.addr).credits, 100e18);
    }

    function test_APauseThatCameLaterIsNoExcuse() public {
        vm.roll(block.number + 257);
        _pauseIntake(block.timestamp + 1 hours);
        router.forfeit(alice.addr, COMMITMENT);
        assertEq(router.accountOf(alice.addr).credits, 40e18);
        assertEq(_unretired(), 60e18);
    }

    function test_APauseThatWasOverIsNoExcuse() public {
        uint256 until = block.timestamp + 1 hours;
        _pauseIntake(until);
        vm.warp(until);
        vm.roll(block.number + 1);
        vm.prank(bob.addr);
        router.commit(COMMITMENT, BOND);
        vm.roll(block.number + 257);
        router.forfeit(bob.addr, COMMITMENT);
        assertEq(_unretired(), 60e18);
    }

    function test_ToCommitAgainAfterAPauseGivesTheBondBackToo() public {
        _nextBlock();
        uint256 until = block.timestamp + 1 minutes;
        _pauseIntake(until);
        vm.warp(until);
        vm.prank(alice.addr);
        router.commit(COMMITMENT, BOND);
        assertEq(router.accountOf(alice.addr).credits, 40e18, "one bond is out");
        assertEq(_unretired(), 0);
        _assertLedger(60e18);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Intent,
    IRouterLog,
    Receipt as Slip,
    Session,
    SessionView
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Parameter} from "../../../contracts/interfaces/IFeeController.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Wallet1271} from "../support/Hostile.sol";
import {Lanes} from "../support/Lanes.sol";

abstract contract SessionScene is Lanes {
    address internal node;
    uint256 internal nodeId;

    function setUp() public virtual override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        _deposit(alice.addr, 2_000e18);
    }

    function _credits() internal view returns (uint256) {
        return router.accountOf(alice.addr).credits;
    }

    function _records() internal view returns (uint256 records) {
        (records,,) = router.ledger();
    }

    function _unretired() internal view returns (uint256 unretired) {
        (,, unretired) = router.ledger();
    }

    /// @dev A few confessions in a row leave less than fifty points.
    function _suspend() internal {
        while (router.validatorOf(nodeId).reputation >= 50) _confess();
    }

    function _confess() internal {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        vm.prank(node);
        router.fail(t);
    }
}

contract SessionHashTest is Lanes {
    function testFuzz_IsEip712(Session memory s) public view {
        assertEq(router.hashSession(s), _digestOf(s, block.chainid, address(router)));
    }

    function testFuzz_ReceiptIsEip712(bytes32 session, Slip memory r) public view {
        assertEq(router.hashReceipt(session, r), _digestOf(session, r, block.chainid, address(router)));
    }
}

contract OpenSessionTest is SessionScene {
    function _refused(Session memory s, bytes memory signature, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(relayer);
        router.openSession(s, signature);
    }

    function _refusedSigned(Session memory s, bytes memory reason) private {
        _refused(s, _sign(alice.key, s), reason);
    }

    function test_LocksTheCapOfTheSigner() public {
        Session memory s = _session(alice.addr, node);
        s.key = bob.addr;
        bytes32 expected = _idOf(s);
        bytes memory signature = _sign(alice.key, s);
        vm.expectEmit(address(router));
        emit IRouterLog.SessionOpened(expected, alice.addr, node, bob.addr, LLAMA7, 1_000e18, s.expiry);
        vm.prank(relayer);
        assertEq(router.openSession(s, signature), expected);
        SessionView memory v = router.sessionOf(expected);
        assertTrue(v.open);
        assertEq(v.cap, 1_000e18);
        assertEq(v.settled, 0);
        assertEq(v.count, 0);
        assertEq(v.endsAt, s.expiry);
        assertEq(_credits(), 1_000e18);
        assertTrue(router.isNonceUsed(alice.addr, 0));
        _assertLedger(1_000e18);
    }

    function test_ItsUserNeedsNoSignature() public {
        Session memory s = _session(alice.addr, node);
        vm.prank(alice.addr);
        router.openSession(s, "");
        assertTrue(router.sessionOf(_idOf(s)).open);
    }

    function test_ASmartWalletOpensOne() public {
        Wallet1271 wallet = new Wallet1271(address(router), nsd, address(credits), Wallet1271.Mood.Good);
        vm.prank(alice.addr);
        credits.depositFor(address(wallet), 1_000e18);
        Session memory s = _session(address(wallet), node);
        router.openSession(s, "anything");
        assertEq(router.sessionOf(_idOf(s)).cap, 1_000e18);
    }

    function test_RevertWhen_ASmartWalletSaysNo() public {
        Wallet1271 wallet = new Wallet1271(address(router), nsd, address(credits), Wallet1271.Mood.Garbage);
        vm.prank(alice.addr);
        credits.depositFor(address(wallet), 1_000e18);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, wallet);
        _refused(_session(address(wallet), node), "anything", reason);
    }

    function test_RevertWhen_SomebodyElseSigned() public {
        Session memory s = _session(alice.addr, node);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        _refused(s, _sign(bob.key, s), reason);
        _refused(s, "", reason);
    }

    /// @dev The key may spend the cap; it cannot have it locked.
    function test_RevertWhen_ItsKeySigned() public {
        Session memory s = _session(alice.addr, node);
        s.key = bob.addr;
        _refused(s, _sign(bob.key, s), abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr));
    }

    function test_RevertWhen_NobodyIsTheUser() public {
        Session memory s = _session(address(0), node);
        _refused(s, "", abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, address(0)));
    }

    function test_RevertWhen_SignedForAnotherChainOrRouter() public {
        Session memory s = _session(alice.addr, node);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        _refused(s, _signDigest(alice.key, _digestOf(s, block.chainid + 1, address(router))), reason);
        _refused(s, _signDigest(alice.key, _digestOf(s, block.chainid, address(credits))), reason);
        bytes memory signature = _sign(alice.key, s);
        vm.chainId(77);
        _refused(s, signature, reason);
    }

    function testFuzz_RevertWhen_AnyFieldIsTampered(uint8 field) public {
        Session memory s = _session(alice.addr, node);
        bytes memory signature = _sign(alice.key, s);
        (address other,) = _validator("other", 5_000e18);
        field %= 7;
        if (field == 0) (s.user, s.nonce) = (bob.addr, 0);
        if (field == 1) s.validator = other;
        if (field == 2) s.key = bob.addr;
        if (field == 3) s.cap += 1;
        if (field == 4) s.expiry += 1;
        if (field == 5) s.nonce += 1;
        if (field == 6) s.deadline += 1;
        _refused(s, signature, abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, s.user));
    }

    /// @dev A request's signature opens no session, whatever its fields are.
    function test_RevertWhen_ARequestWasSigned() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        _refused(_session(alice.addr, node), _sign(alice.key, intent), reason);
    }

    function test_RevertWhen_TheDeadlineHasPassed() public {
        Session memory s = _session(alice.addr, node);
        bytes memory signature = _sign(alice.key, s);
        vm.warp(s.deadline + 1);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterExpired.selector, s.deadline);
        _refused(s, signature, reason);
        vm.expectRevert(reason);
        vm.prank(alice.addr);
        router.openSession(s, "");
        vm.warp(s.deadline);
        router.openSession(s, signature);
    }

    function test_RevertWhen_TheExpiryIsOutOfRange() public {
        Session memory s = _session(alice.addr, node);
        uint256 latest = block.timestamp + 90 days;
        s.expiry = uint64(block.timestamp);
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterInvalidExpiry.selector, s.expiry, latest));
        s.expiry = uint64(latest + 1);
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterInvalidExpiry.selector, latest + 1, latest));
        // Its field has 32 bits: one more would be the burn's.
        s.expiry = type(uint64).max;
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterInvalidExpiry.selector, s.expiry, latest));
        s.expiry = uint64(latest);
        router.openSession(s, _sign(alice.key, s));
        s = _session(alice.addr, node);
        s.expiry = uint64(block.timestamp + 1);
        router.openSession(s, _sign(alice.key, s));
    }

    function test_RevertWhen_TheCapIsBelowFiveNsd() public {
        Session memory s = _session(alice.addr, node);
        s.cap = 5e18 - 1;
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 5e18 - 1, 5e18));
        s.cap = 5e18;
        router.openSession(s, _sign(alice.key, s));
    }

    /// @dev Credits alone: the wallet is full, and is not touched.
    function test_RevertGiven_CreditsDoNotCoverTheCap() public {
        Session memory s = _session(alice.addr, node);
        s.cap = 2_000e18 + 1;
        _refusedSigned(
            s, abi.encodeWithSelector(IRouterLog.RouterInsufficientCredits.selector, alice.addr, 2_000e18, 2_000e18 + 1)
        );
        s.cap = 2_000e18;
        router.openSession(s, _sign(alice.key, s));
        assertEq(_credits(), 0);
    }

    function test_RevertWhen_TheModelIsUnknown() public {
        Session memory s = _session(alice.addr, node);
        s.model = keccak256("nobody's model");
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterUnknownModel.selector, s.model));
    }

    function test_RevertGiven_IntakeIsPaused() public {
        uint256 until = block.timestamp + 1 hours;
        _pauseIntake(until);
        _refusedSigned(
            _session(alice.addr, node), abi.encodeWithSelector(IRouterLog.RouterIntakePaused.selector, until)
        );
    }

    function test_RevertWhen_NobodyOfThatKeyServesTheModel() public {
        Session memory s = _session(alice.addr, bob.addr);
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, bob.addr));
        s.validator = address(0);
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, address(0)));
        (s.validator, s.model) = (node, GPT2);
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, node));
    }

    function test_RevertGiven_TheValidatorIsSuspended() public {
        _suspend();
        _refusedSigned(_session(alice.addr, node), abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, node));
    }

    function test_RevertGiven_ItWasOpened() public {
        Session memory s = _openSession(node);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1);
        _refusedSigned(s, reason);
        vm.prank(node);
        router.closeSession(s);
        // Closed, it cannot be opened again either: its receipts would count a second time.
        _refusedSigned(s, reason);
        vm.expectRevert(reason);
        vm.prank(alice.addr);
        router.openSession(s, "");
    }

    function test_NoncesAreSharedWithTheOtherLanes() public {
        Session memory s = _session(alice.addr, node);
        _submit();
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1);
        _refusedSigned(s, reason);
        s.nonce = 1;
        router.openSession(s, _sign(alice.key, s));
        Intent memory intent = _intent(alice.addr, 1);
        bytes memory signature = _sign(alice.key, intent);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 1, 2));
        vm.prank(relayer);
        router.submitFor(intent, signature, "");
        uint256 before = _records();
        _deliver(node, _delivery(alice, _direct(alice.addr, 1, node), 10));
        assertEq(_records(), before, "nor in the direct lane");
    }

    function test_RevertGiven_TheNonceWasVoided() public {
        Session memory s = _session(alice.addr, node);
        vm.prank(alice.addr);
        router.voidNonces(1);
        _refusedSigned(s, abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1));
    }
}

contract SettleSessionTest is SessionScene {
    Session internal session;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        session = _session(alice.addr, node);
        _openSession(session);
        id = _idOf(session);
    }

    function _refused(Slip memory r, bytes memory reason) private {
        bytes memory signature = _sign(alice.key, session, r);
        vm.expectRevert(reason);
        vm.prank(node);
        router.settleSession(session, r, signature);
    }

    function _expectSettled(uint256 first, uint256 prompts, uint256 amount, uint256 bandBps) private {
        (uint256 validatorLeg, uint256 treasuryLeg, uint256 burned) = _legs(amount, 1_000, bandBps);
        vm.expectEmit(address(router));
        emit IRouterLog.SessionSettled(
            id, alice.addr, first, nodeId, prompts, ROOT, amount, validatorLeg, treasuryLeg, burned
        );
    }

    function test_SplitsSeventyTwentyTen() public {
        vm.expectEmit(address(router));
        emit IRouterLog.SessionSettled(id, alice.addr, 1, nodeId, 3, ROOT, 100e18, 70e18, 20e18, 10e18);
        _settleSession(session, 3, 100e18);
        assertEq(router.validatorOf(nodeId).validatorLeg, 70e18);
        assertEq(router.validatorOf(nodeId).treasuryLeg, 20e18);
        assertEq(_unretired(), 10e18);
        assertEq(_records(), 3);
        assertEq(_credits(), 1_000e18, "the cap was taken before");
        SessionView memory v = router.sessionOf(id);
        assertEq(v.settled, 100e18);
        assertEq(v.count, 3);
        assertEq(v.cap, 1_000e18);
        assertEq(v.endsAt, session.expiry);
        assertEq(lcai.balanceOf(alice.addr), 3e18);
        assertEq(router.accountOf(alice.addr).accruedChats, 0);
        _assertLedger(900e18);
    }

    function test_EachReceiptSettlesWhatItAdds() public {
        _chat(alice, node);
        _expectSettled(2, 3, 100e18, 10_000);
        _settleSession(session, 3, 100e18);
        _expectSettled(5, 1, 7e18, 10_000);
        _settleSession(session, 4, 107e18);
        _expectSettled(6, 10, 50e18, 10_000);
        _settleSession(session, 14, 157e18);
        assertEq(_records(), 15);
        assertEq(lcai.balanceOf(alice.addr), 15e18);
        _assertLedger(843e18);
    }

    function test_MovesTheRunningHash() public {
        uint256 before = router.chain();
        _settleSession(session, 3, 100e18);
        bytes32 leaf = keccak256(
            abi.encode(id, uint256(1), uint256(3), ROOT, nodeId, uint256(100e18), uint256(70e18), uint256(20e18))
        );
        uint256 link = uint256(keccak256(abi.encode(before, leaf)));
        assertEq(router.chain() >> 48, link >> 48);
        assertEq(router.chain() % 2 ** 48, 1);
    }

    function test_TheCheckpointIsStored() public {
        for (uint256 i = 1; i <= 200; ++i) {
            _settleSession(session, i, i * 5e18);
        }
        Session memory s = _openSession(node);
        for (uint256 i = 1; i <= 55; ++i) {
            _settleSession(s, i, i * 5e18);
        }
        assertEq(router.checkpointOf(1), 0);
        uint256 before = router.chain();
        bytes32 leaf = keccak256(
            abi.encode(_idOf(s), uint256(256), uint256(1), ROOT, nodeId, uint256(5e18), uint256(3.5e18), uint256(1e18))
        );
        uint256 link = (uint256(keccak256(abi.encode(before, leaf))) >> 48 << 48) | 256;
        vm.expectEmit(address(router));
        emit IRouterLog.CheckpointStored(1, link);
        _settleSession(s, 56, 280e18);
        assertEq(router.checkpointOf(1), link);
        assertEq(router.chain(), link);
    }

    function test_TheKeySignsToo() public {
        (address key, uint256 secret) = makeAddrAndKey("session key");
        Session memory s = _session(alice.addr, node);
        s.key = key;
        _openSession(s);
        Slip memory r = _receipt(1, 5e18);
        bytes memory signature = _sign(secret, s, r);
        vm.prank(node);
        router.settleSession(s, r, signature);
        _settleSession(s, 2, 10e18);
        assertEq(router.sessionOf(_idOf(s)).count, 2, "and its user still");
    }

    function test_ASmartWalletSigns() public {
        Wallet1271 wallet = new Wallet1271(address(router), nsd, address(credits), Wallet1271.Mood.Good);
        vm.prank(alice.addr);
        credits.depositFor(address(wallet), 1_000e18);
        Session memory s = _session(address(wallet), node);
        router.openSession(s, "anything");
        vm.prank(node);
        router.settleSession(s, _receipt(1, 5e18), "anything");
        assertEq(lcai.balanceOf(address(wallet)), 1e18);
    }

    function test_RevertWhen_AnotherKeySigned() public {
        Slip memory r = _receipt(1, 5e18);
        bytes memory signature = _sign(bob.key, session, r);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        vm.startPrank(node);
        vm.expectRevert(reason);
        router.settleSession(session, r, signature);
        // Without a key in the session no broken signature passes for one of address zero.
        vm.expectRevert(reason);
        router.settleSession(session, r, "");
        vm.expectRevert(reason);
        router.settleSession(session, r, new bytes(65));
    }

    function test_RevertWhen_AnotherReceiptWasSigned() public {
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        bytes memory signature = _sign(alice.key, session, _receipt(2, 50e18));
        Slip[3] memory others = [_receipt(3, 50e18), _receipt(2, 51e18), _receipt(2, 50e18)];
        others[2].root = keccak256("another root");
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(reason);
            vm.prank(node);
            router.settleSession(session, others[i], signature);
        }
    }

    function test_RevertWhen_SignedForAnotherSessionChainOrRouter() public {
        Session memory other = _session(alice.addr, node);
        _openSession(other);
        Slip memory r = _receipt(1, 5e18);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        bytes[3] memory signatures = [
            _sign(alice.key, other, r),
            _signDigest(alice.key, _digestOf(id, r, block.chainid + 1, address(router))),
            _signDigest(alice.key, _digestOf(id, r, block.chainid, address(credits)))
        ];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(reason);
            vm.prank(node);
            router.settleSession(session, r, signatures[i]);
        }
    }

    function test_RevertWhen_TheSessionItselfWasSigned() public {
        bytes memory signature = _sign(alice.key, session);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr));
        vm.prank(node);
        router.settleSession(session, _receipt(1, 5e18), signature);
    }

    function test_RevertWhen_AStrangerSettles() public {
        (address other,) = _validator("other", 100_000e18);
        Slip memory r = _receipt(1, 5e18);
        bytes memory signature = _sign(alice.key, session, r);
        address[3] memory strangers = [alice.addr, other, relayer];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, strangers[i]));
            vm.prank(strangers[i]);
            router.settleSession(session, r, signature);
        }
    }

    function test_RevertWhen_TheSessionIsTampered() public {
        Session memory s = session;
        s.cap += 1;
        Slip memory r = _receipt(1, 5e18);
        bytes memory signature = _sign(alice.key, s, r);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownSession.selector, _idOf(s)));
        vm.prank(node);
        router.settleSession(s, r, signature);
    }

    function test_RevertWhen_TheChainIsAnother() public {
        Slip memory r = _receipt(1, 5e18);
        bytes memory signature = _sign(alice.key, session, r);
        vm.chainId(77);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownSession.selector, _idOf(session)));
        vm.prank(node);
        router.settleSession(session, r, signature);
    }

    function test_RevertGiven_TheReceiptWasSettled() public {
        _settleSession(session, 2, 10e18);
        _refused(_receipt(2, 10e18), abi.encodeWithSelector(IRouterLog.RouterInvalidReceipt.selector, id, 2, 2));
        // Nor one of as many prompts for more, nor an earlier one.
        _refused(_receipt(2, 20e18), abi.encodeWithSelector(IRouterLog.RouterInvalidReceipt.selector, id, 2, 2));
        _refused(_receipt(1, 20e18), abi.encodeWithSelector(IRouterLog.RouterInvalidReceipt.selector, id, 1, 2));
    }

    function test_RevertWhen_NothingIsCounted() public {
        _refused(_receipt(0, 5e18), abi.encodeWithSelector(IRouterLog.RouterInvalidReceipt.selector, id, 0, 0));
    }

    /// @dev Its field has 21 bits: one more would be the end's.
    function test_RevertWhen_TheCountIsWiderThanItsField() public {
        _refused(
            _receipt(2 ** 21, 1_000e18),
            abi.encodeWithSelector(IRouterLog.RouterInvalidReceipt.selector, id, 2 ** 21, 0)
        );
    }

    function test_RevertWhen_TheTotalIsAboveTheCap() public {
        _refused(
            _receipt(1, 1_000e18 + 1),
            abi.encodeWithSelector(IRouterLog.RouterInsufficientCap.selector, id, 1_000e18 + 1, 1_000e18)
        );
        _settleSession(session, 1, 1_000e18);
        _refused(
            _receipt(2, 1_005e18),
            abi.encodeWithSelector(IRouterLog.RouterInsufficientCap.selector, id, 1_005e18, 1_000e18)
        );
        _assertLedger(0);
    }

    function test_RevertWhen_APromptPaysLessThanFiveNsd() public {
        _refused(
            _receipt(3, 15e18 - 1), abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 15e18 - 1, 15e18)
        );
        _settleSession(session, 1, 100e18);
        // What earlier ones paid above their least does not count for later ones.
        _refused(
            _receipt(2, 105e18 - 1), abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 105e18 - 1, 105e18)
        );
        // A total that falls would pay back what was split already.
        _refused(_receipt(2, 50e18), abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 50e18, 105e18));
        _settleSession(session, 2, 105e18);
    }

    /// @dev As in the other lanes: what has no records cannot be rewarded, nor audited.
    function test_RevertWhen_TheRootIsEmpty() public {
        Slip memory r = _receipt(1, 5e18);
        r.root = 0;
        _refused(r, abi.encodeWithSelector(IRouterLog.RouterEmptyDigest.selector, id));
    }

    function test_RevertGiven_SettlementIsPaused() public {
        uint256 until = block.timestamp + 1 hours;
        _pauseSettlement(until);
        _refused(_receipt(1, 5e18), abi.encodeWithSelector(IRouterLog.RouterSettlementPaused.selector, until));
        vm.warp(until);
        _settleSession(session, 1, 5e18);
    }

    function test_RevertGiven_TheValidatorIsSuspended() public {
        _suspend();
        _refused(_receipt(1, 5e18), abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, node));
    }

    function test_RevertGiven_ItWasClosed() public {
        vm.prank(node);
        router.closeSession(session);
        _refused(_receipt(1, 5e18), abi.encodeWithSelector(IRouterLog.RouterUnknownSession.selector, id));
    }

    /// @dev The validator paused itself, intake is closed: what was answered is settled.
    function test_NeedsNoOpenIntake() public {
        vm.prank(node);
        validators.pauseValidator();
        _pauseIntake(block.timestamp + 1 hours);
        _settleSession(session, 1, 5e18);
        assertEq(_records(), 1);
    }

    function test_TheBurnOfTheOpeningHolds() public {
        vm.prank(admin);
        fees.set(Parameter.BurnBps, 1_500);
        _expectSettled(1, 2, 33e18 + 1, 10_000);
        _settleSession(session, 2, 33e18 + 1);
        Session memory s = _session(alice.addr, node);
        _openSession(s);
        (,, uint256 burned) = _legs(77e18, 1_500, 10_000);
        uint256 before = _unretired();
        _settleSession(s, 1, 77e18);
        assertEq(_unretired() - before, burned, "and the new one from the next opening on");
    }

    function test_ThePromptsAreOneSuccessAndAsManyCompleted() public {
        _settleSession(session, 120, 600e18);
        assertEq(router.validatorOf(nodeId).completed, 120);
        _confess();
        uint256 success = router.validatorOf(nodeId).success;
        _settleSession(session, 140, 800e18);
        assertEq(router.validatorOf(nodeId).completed, 140);
        assertEq(router.validatorOf(nodeId).success, success + (255 - success + 7) / 8);
    }

    function test_ProbationEndsInThisLaneTooAndTheBoostIsPaid() public {
        for (uint256 i; i < 60; ++i) {
            _pass(10_125);
            vm.prank(node);
            router.heartbeat();
        }
        for (uint256 i; i < 20; ++i) {
            Person memory user = _user(vm.toString(i));
            _deposit(user.addr, 50e18);
            _chat(user, node);
        }
        assertTrue(router.validatorOf(nodeId).probation);
        session = _openSession(node);
        id = _idOf(session);
        // Paid as what it was before: the thirtieth prompt is the fiftieth completed.
        _expectSettled(21, 30, 150e18, 10_000);
        _settleSession(session, 30, 150e18);
        assertFalse(router.validatorOf(nodeId).probation);
        _expectSettled(51, 1, 11e18 + 7, 12_000);
        _settleSession(session, 31, 161e18 + 7);
    }

    /// @dev Seventy come back of a hundred, and none of it counts for its record.
    function test_ASelfDealerLosesAndIsNotCounted() public {
        (, uint256 secret) = makeAddrAndKey("node");
        _fund(node, 100e18);
        _deposit(node, 100e18);
        Session memory s = _session(node, node);
        s.cap = 100e18;
        _openSession(s);
        Slip memory r = _receipt(1, 100e18);
        bytes memory signature = _sign(secret, s, r);
        vm.prank(node);
        router.settleSession(s, r, signature);
        assertEq(router.validatorOf(nodeId).validatorLeg, 70e18);
        assertEq(router.accountOf(node).credits, 0);
        assertEq(router.validatorOf(nodeId).completed, 0);
    }

    function testFuzz_ReceiptsTakeTheirTotalAndNoMore(uint96[8] memory adds, uint8[8] memory counts) public {
        uint256 count;
        uint256 total;
        for (uint256 i; i < adds.length; ++i) {
            uint256 prompts = 1 + counts[i] % 40;
            uint256 next = total + prompts * 5e18 + adds[i] % 20e18;
            if (next > CAP) break;
            (count, total) = (count + prompts, next);
            _settleSession(session, count, total);
        }
        assertEq(_records(), count);
        assertEq(lcai.balanceOf(alice.addr), count * 1e18);
        _assertLedger(CAP - total);
        vm.prank(node);
        router.closeSession(session);
        assertEq(_credits(), 2_000e18 - total);
        _assertLedger(0);
    }

    /// @dev Neither the key that the session names, nor the one that took its place.
    function test_RevertGiven_TheKeyWasRotatedOut() public {
        Person memory next = _person("next key");
        uint64 deadline = uint64(block.timestamp + 1 hours);
        bytes memory consent = _consent(next.key, node, deadline);
        vm.prank(node);
        validators.rotateOperator(next.addr, deadline, consent);
        Slip memory r = _receipt(1, 5e18);
        _refused(r, abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, node));
        bytes memory signature = _sign(alice.key, session, r);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, next.addr));
        vm.prank(next.addr);
        router.settleSession(session, r, signature);
    }
}

contract SessionRewardTest is SessionScene {
    function _big(uint256 cap) private returns (Session memory s) {
        _deposit(alice.addr, cap);
        s = _session(alice.addr, node);
        s.cap = uint96(cap);
        _openSession(s);
    }

    function test_AThousandAreMintedAtOnce() public {
        _settleSession(_big(5_000e18), 1_000, 5_000e18);
        assertEq(lcai.balanceOf(alice.addr), 1_000e18);
        assertEq(router.accountOf(alice.addr).accruedChats, 0);
    }

    /// @dev A thousand a day is the token's cap: more of them wait, and come out in parts.
    function test_MoreThanAThousandAccrue() public {
        _settleSession(_big(6_000e18), 1_200, 6_000e18);
        assertEq(lcai.balanceOf(alice.addr), 0);
        assertEq(router.accountOf(alice.addr).accruedChats, 1_200);
        assertEq(reward.claim(alice.addr), 1_000);
        _pass(1 days);
        assertEq(reward.claim(alice.addr), 200);
        assertEq(lcai.balanceOf(alice.addr), 1_200e18);
    }

    function test_WhatDoesNotFitTodayAccrues() public {
        vm.prank(address(reward));
        lcai.mint(alice.addr, 999e18);
        Session memory s = _big(5_000e18);
        _settleSession(s, 2, 10e18);
        assertEq(router.accountOf(alice.addr).accruedChats, 2);
        _settleSession(s, 3, 15e18);
        assertEq(lcai.balanceOf(alice.addr), 1_000e18, "one fits");
        assertEq(router.accountOf(alice.addr).accruedChats, 2);
    }

    /// @dev The account counts 65,535; what is lost above is said.
    function test_WhatTheAccountCannotCountIsSaid() public {
        _fund(alice.addr, 400_000e18);
        Session memory s = _big(400_000e18);
        vm.expectEmit(address(router));
        emit IRouterLog.RewardsSkipped(4_465);
        _settleSession(s, 70_000, 350_000e18);
        assertEq(router.accountOf(alice.addr).accruedChats, 65_535);
        vm.expectEmit(address(router));
        emit IRouterLog.RewardsSkipped(2_000);
        _settleSession(s, 72_000, 360_000e18);
        assertEq(_records(), 72_000);
    }

    function test_ARevertingTokenBlocksNothing() public {
        Session memory s = _openSession(node);
        vm.mockCallRevert(address(lcai), abi.encodeWithSelector(lcai.mint.selector), "broken");
        _settleSession(s, 3, 15e18);
        assertEq(_records(), 3);
        assertEq(router.accountOf(alice.addr).accruedChats, 3);
    }

    /// @dev A sender who brings too little gas cannot settle without the reward: all or nothing.
    function testFuzz_StarvedGasNeverLosesTheReward(uint32 gas_) public {
        Session memory s = _openSession(node);
        Slip memory r = _receipt(1, 5e18);
        bytes memory signature = _sign(alice.key, s, r);
        vm.prank(node);
        (bool ok,) = address(router).call{gas: bound(gas_, 30_000, 400_000)}(
            abi.encodeCall(router.settleSession, (s, r, signature))
        );
        assertEq(lcai.balanceOf(alice.addr), ok ? 1e18 : 0);
        assertEq(_records(), ok ? 1 : 0);
        assertEq(router.accountOf(alice.addr).accruedChats, 0);
    }
}

contract EndSessionTest is SessionScene {
    function test_GivesTheValidatorAQuarterOfAnHour() public {
        Session memory s = _openSession(node);
        uint256 endsAt = block.timestamp + 15 minutes;
        vm.expectEmit(address(router));
        emit IRouterLog.SessionEnding(_idOf(s), endsAt);
        vm.prank(alice.addr);
        router.endSession(s);
        SessionView memory v = router.sessionOf(_idOf(s));
        assertEq(v.endsAt, endsAt);
        assertTrue(v.open);
        assertEq(v.cap, 1_000e18);
        vm.warp(endsAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterTooEarly.selector, _idOf(s), endsAt));
        vm.prank(alice.addr);
        router.closeSession(s);
        _settleSession(s, 2, 40e18);
        vm.warp(endsAt);
        vm.prank(alice.addr);
        router.closeSession(s);
        assertEq(_credits(), 1_960e18);
        _assertLedger(0);
    }

    function test_RevertWhen_SomebodyElseEndsIt() public {
        Session memory s = _session(alice.addr, node);
        s.key = bob.addr;
        _openSession(s);
        address[3] memory others = [node, bob.addr, relayer];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotPayer.selector, others[i], alice.addr));
            vm.prank(others[i]);
            router.endSession(s);
        }
    }

    /// @dev Never later than it would have ended anyway: else a user could hold it open, or a second call gain time.
    function test_RevertGiven_ItEndsSoonerAnyway() public {
        Session memory s = _openSession(node);
        vm.warp(s.expiry - 15 minutes);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidExpiry.selector, s.expiry, s.expiry);
        vm.expectRevert(reason);
        vm.prank(alice.addr);
        router.endSession(s);
        vm.warp(s.expiry - 15 minutes - 1);
        vm.startPrank(alice.addr);
        router.endSession(s);
        reason = abi.encodeWithSelector(IRouterLog.RouterInvalidExpiry.selector, s.expiry - 1, s.expiry - 1);
        vm.expectRevert(reason);
        router.endSession(s);
        assertEq(router.sessionOf(_idOf(s)).endsAt, s.expiry - 1);
    }

    function test_RevertGiven_ItIsNotOpen() public {
        Session memory s = _session(alice.addr, node);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterUnknownSession.selector, _idOf(s));
        vm.expectRevert(reason);
        vm.prank(alice.addr);
        router.endSession(s);
        _openSession(s);
        vm.prank(node);
        router.closeSession(s);
        vm.expectRevert(reason);
        vm.prank(alice.addr);
        router.endSession(s);
    }
}

contract CloseSessionTest is SessionScene {
    Session internal session;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        session = _session(alice.addr, node);
        _openSession(session);
        id = _idOf(session);
    }

    function _tooEarly(address sender, uint256 endsAt) private {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterTooEarly.selector, id, endsAt));
        vm.prank(sender);
        router.closeSession(session);
    }

    function _closes(address sender) private {
        vm.prank(sender);
        router.closeSession(session);
        assertFalse(router.sessionOf(id).open);
        _assertLedger(0);
    }

    function test_UnlocksWhatTheReceiptsLeft() public {
        _settleSession(session, 3, 123e18);
        vm.expectEmit(address(router));
        emit IRouterLog.SessionClosed(id, alice.addr, 3, 123e18, 877e18);
        _closes(node);
        assertEq(_credits(), 1_877e18);
        SessionView memory v = router.sessionOf(id);
        assertEq(v.cap + v.settled + v.count + v.endsAt, 0);
    }

    function test_ItsValidatorAtAnyTimePausesIncluded() public {
        _pauseSettlement(block.timestamp + 1 hours);
        _closes(node);
        assertEq(_credits(), 2_000e18);
    }

    function test_AnybodyFromItsEndOn() public {
        vm.warp(session.expiry);
        _closes(bob.addr);
        assertEq(_credits(), 2_000e18, "to its user, whoever closes");
    }

    function test_RevertGiven_ItHasNotEnded() public {
        vm.warp(session.expiry - 1);
        _tooEarly(alice.addr, session.expiry);
        _tooEarly(bob.addr, session.expiry);
        vm.warp(session.expiry);
        _closes(alice.addr);
    }

    /// @dev Its end is when it may be closed, not when its receipts are void.
    function test_TheValidatorSettlesRightUpToTheClose() public {
        vm.warp(session.expiry + 30 days);
        _settleSession(session, 200, 1_000e18);
        _closes(bob.addr);
        assertEq(_credits(), 1_000e18);
    }

    function test_RevertGiven_ItIsClosed() public {
        _closes(node);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterUnknownSession.selector, id);
        vm.expectRevert(reason);
        vm.prank(node);
        router.closeSession(session);
        vm.warp(session.expiry);
        vm.expectRevert(reason);
        router.closeSession(session);
        assertEq(_credits(), 2_000e18, "once");
    }

    function test_RevertWhen_ItIsTampered() public {
        Session memory s = session;
        s.validator = bob.addr;
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownSession.selector, _idOf(s)));
        vm.prank(bob.addr);
        router.closeSession(s);
        (s.validator, s.user) = (node, bob.addr);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownSession.selector, _idOf(s)));
        vm.prank(node);
        router.closeSession(s);
    }

    /// @dev A pause over the end gives the validator the notice back that it took.
    function test_RevertGiven_ThePauseTookTheTimeToSettle() public {
        vm.warp(session.expiry - 1);
        uint256 until = block.timestamp + 1 days;
        _pauseSettlement(until);
        vm.warp(session.expiry);
        _tooEarly(alice.addr, until + 15 minutes);
        vm.warp(until);
        _settleSession(session, 1, 5e18);
        vm.warp(until + 15 minutes - 1);
        _tooEarly(alice.addr, until + 15 minutes);
        vm.warp(until + 15 minutes);
        _closes(alice.addr);
    }

    function test_APauseAtTheVeryEndCounts() public {
        vm.warp(session.expiry);
        uint256 until = block.timestamp + 1;
        _pauseSettlement(until);
        _tooEarly(alice.addr, until + 15 minutes);
    }

    function test_APauseEndedEarlyGivesNoMore() public {
        vm.warp(session.expiry - 1);
        _pauseSettlement(block.timestamp + 1 days);
        vm.warp(session.expiry + 100);
        _pauseSettlement(0);
        uint256 endsAt = block.timestamp + 15 minutes;
        vm.warp(endsAt - 1);
        _tooEarly(alice.addr, endsAt);
        vm.warp(endsAt);
        _closes(alice.addr);
    }

    function test_APauseLongBeforeTheEndMovesNothing() public {
        uint256 until = session.expiry - 15 minutes;
        vm.warp(until - 1 hours);
        _pauseSettlement(until);
        vm.warp(session.expiry - 1);
        _tooEarly(alice.addr, session.expiry);
        vm.warp(session.expiry);
        _closes(alice.addr);
    }

    function test_APauseAfterTheEndMovesNothing() public {
        vm.warp(session.expiry + 1);
        _pauseSettlement(block.timestamp + 1 days);
        _closes(alice.addr);
    }

    function test_AnEndedOneWaitsForThePauseToo() public {
        _pauseSettlement(block.timestamp + 1 hours);
        uint256 until = block.timestamp + 1 hours;
        vm.prank(alice.addr);
        router.endSession(session);
        vm.warp(block.timestamp + 15 minutes);
        _tooEarly(alice.addr, until + 15 minutes);
        vm.warp(until + 15 minutes);
        _closes(alice.addr);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {
    Ask,
    IInferenceCallback,
    IInferenceRouter,
    Intent,
    IRouterLog,
    RequestStatus
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../../../contracts/interfaces/IModelAccessCredits.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Wallet1271} from "../support/Hostile.sol";
import {Lanes} from "../support/Lanes.sol";

abstract contract BatchScene is Lanes {
    uint256 internal node;

    function setUp() public virtual override {
        super.setUp();
        (, node) = _validator("node", 100_000e18);
    }

    function _arrays(uint256 n)
        internal
        pure
        returns (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts)
    {
        return (new Intent[](n), new bytes[](n), new bytes[](n));
    }

    /// @dev The bad item stands between two good ones of bob's: both pass, and the bad one is named with its own error.
    function _names(Intent memory bad, bytes memory signature, bytes memory prompt, bytes memory reason) internal {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(3);
        uint256 nonce = router.accountOf(bob.addr).nonce;
        intents[0] = _intent(bob.addr, nonce);
        intents[2] = _intent(bob.addr, nonce + 1);
        (signatures[0], signatures[2]) = (_sign(bob.key, intents[0]), _sign(bob.key, intents[2]));
        (intents[1], signatures[1], prompts[1]) = (bad, signature, prompt);
        bytes32 before = keccak256(abi.encode(router.accountOf(bad.user), nsd.balanceOf(bad.user)));
        bytes32[3] memory expected =
            [router.requestId(_ticketOf(intents[0])), 0, router.requestId(_ticketOf(intents[2]))];

        vm.expectEmit(address(router));
        emit IRouterLog.SubmissionSkipped(bad.user, 1, reason);
        vm.prank(relayer);
        bytes32[] memory ids = router.submitBatch{gas: 10_000_000}(intents, signatures, prompts);
        assertEq(ids.length, 3);
        for (uint256 i; i < 3; ++i) {
            assertEq(ids[i], expected[i]);
        }
        assertEq(uint256(_status(ids[0])), uint256(RequestStatus.Assigned));
        assertEq(uint256(_status(ids[2])), uint256(RequestStatus.Assigned));
        bytes32 afterwards = keccak256(abi.encode(router.accountOf(bad.user), nsd.balanceOf(bad.user)));
        assertEq(afterwards, before, "its user lost nothing, not even a nonce");
        vm.warp(block.timestamp + 60);
    }

    function _namesSigned(Intent memory bad, bytes memory reason) internal {
        _names(bad, _sign(alice.key, bad), "", reason);
    }
}

contract SubmitBatchTest is BatchScene {
    function test_OpensEachAsItsUserSigned() public {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(4);
        for (uint256 i; i < 4; ++i) {
            Person memory user = i % 2 == 0 ? alice : bob;
            intents[i] = _intent(user.addr, i / 2);
            intents[i].relayFee = 1e18;
            if (i == 3) intents[i].promptHash = keccak256(abi.encodePacked(bytes32(0), "in public"));
            signatures[i] = _sign(user.key, intents[i]);
        }
        prompts[3] = "in public";
        vm.expectEmit(address(router));
        emit IRouterLog.PromptPublished(router.requestId(_ticketOf(intents[3])), "in public");
        vm.prank(relayer);
        bytes32[] memory ids = router.submitBatch(intents, signatures, prompts);
        for (uint256 i; i < 4; ++i) {
            assertEq(ids[i], router.requestId(_ticketOf(intents[i])));
            assertEq(uint256(_status(ids[i])), uint256(RequestStatus.Assigned));
        }
        assertEq(router.accountOf(relayer).credits, 4e18, "the sender of the batch is who brought each");
        assertEq(router.validatorOf(node).load, 4);
        _assertLedger(200e18);
    }

    function test_AnEmptyOneOpensNothing() public {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(0);
        assertEq(router.submitBatch(intents, signatures, prompts).length, 0);
    }

    function test_RevertWhen_TheArraysDiffer() public {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(2);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterUnequalLengths.selector);
        vm.expectRevert(reason);
        router.submitBatch(intents, new bytes[](1), prompts);
        vm.expectRevert(reason);
        router.submitBatch(intents, signatures, new bytes[](3));
        vm.expectRevert(reason);
        router.submitBatch(new Intent[](1), signatures, prompts);
    }

    function test_NamesAForeignSignature() public {
        Intent memory bad = _intent(alice.addr, 0);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        _names(bad, _sign(bob.key, bad), "", reason);
        _names(bad, "", "", reason);
    }

    function test_NamesAnotherRelayer() public {
        Intent memory bad = _intent(alice.addr, 0);
        bad.relayer = bob.addr;
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterWrongRelayer.selector, bob.addr, relayer));
        bad.relayer = address(0);
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterWrongRelayer.selector, address(0), relayer));
    }

    function test_NamesAnExpiredOne() public {
        Intent memory bad = _intent(alice.addr, 0);
        bad.deadline = uint64(block.timestamp - 1);
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterExpired.selector, block.timestamp - 1));
    }

    function test_NamesADirectOne() public {
        Intent memory bad = _intent(alice.addr, 0);
        bad.validator = address(0xBEEF);
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterDirectIntent.selector, address(0xBEEF)));
    }

    function test_NamesOneThatMustBeCommittedTo() public {
        Intent memory bad = _intent(alice.addr, 0);
        bad.payment = 500e18;
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterCommitRequired.selector, 500e18, 500e18));
    }

    function test_NamesTermsOutOfRange() public {
        _validator("another", 100_000e18); // one alone has places for four at first
        Intent memory bad = _intent(alice.addr, 0);
        bad.maxTokens = 2_049;
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 2_049, 2_048));
        (bad.maxTokens, bad.temperature) = (500, 201);
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterInvalidTemperature.selector, 201));
        (bad.temperature, bad.payment) = (70, 5.1e18 - 1);
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 5.1e18 - 1, 5.1e18));
        (bad.payment, bad.model) = (50e18, keccak256("nobody's model"));
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterUnknownModel.selector, bad.model));
    }

    function test_NamesOtherBytes() public {
        Intent memory bad = _intent(alice.addr, 0);
        bytes32 actual = keccak256(abi.encodePacked(bytes32(0), "other"));
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterPromptMismatch.selector, PROMPT_HASH, actual);
        _names(bad, _sign(alice.key, bad), "other", reason);
    }

    function test_NamesAUsedNonce() public {
        Intent memory bad = _intent(alice.addr, 0);
        _submitFor(alice, bad);
        _namesSigned(bad, abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1));
    }

    /// @dev The error comes from the token, two contracts away.
    function test_NamesAWalletThatLacksTheAllowance() public {
        Intent memory bad = _intent(alice.addr, 0);
        vm.prank(alice.addr);
        nsd.approve(address(credits), 49e18);
        _namesSigned(
            bad, abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, credits, 49e18, 50e18)
        );
    }

    function test_ADuplicateCountsOnce() public {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(2);
        intents[0] = intents[1] = _intent(alice.addr, 0);
        signatures[0] = signatures[1] = _sign(alice.key, intents[0]);
        vm.expectEmit(address(router));
        emit IRouterLog.SubmissionSkipped(
            alice.addr, 1, abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1)
        );
        vm.prank(relayer);
        bytes32[] memory ids = router.submitBatch(intents, signatures, prompts);
        assertNotEq(ids[0], 0);
        assertEq(ids[1], 0);
        _assertLedger(50e18);
    }

    function test_TheEleventhWithinAMinuteIsNamed() public {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(11);
        for (uint256 i; i < 11; ++i) {
            intents[i] = _intent(alice.addr, i);
            signatures[i] = _sign(alice.key, intents[i]);
        }
        vm.expectEmit(address(router));
        emit IRouterLog.SubmissionSkipped(
            alice.addr, 10, abi.encodeWithSelector(IRouterLog.RouterRateLimited.selector, alice.addr, 60)
        );
        vm.prank(relayer);
        bytes32[] memory ids = router.submitBatch(intents, signatures, prompts);
        assertNotEq(ids[9], 0);
        assertEq(ids[10], 0);
        assertEq(router.accountOf(alice.addr).nonce, 10);
    }

    function test_AllBadOnesChangeNothing() public {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(2);
        intents[0] = intents[1] = _intent(alice.addr, 0);
        bytes32[] memory ids = router.submitBatch(intents, signatures, prompts);
        assertEq(ids[0], 0);
        assertEq(ids[1], 0);
        assertEq(router.accountOf(alice.addr).nonce, 0);
        _assertLedger(0);
    }

    /// @dev The implementation alone has no storage that anybody paid into, and no peer believes it.
    function test_AtItsOwnAddressItOpensNothing() public {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(1);
        intents[0] = _intent(alice.addr, 0);
        signatures[0] = _sign(alice.key, intents[0]);
        vm.prank(relayer);
        assertEq(IInferenceRouter(lanes).submitBatch(intents, signatures, prompts)[0], 0);
        vm.expectRevert(abi.encodeWithSelector(IModelAccessCredits.CreditsOnlyRouter.selector, lanes));
        vm.prank(alice.addr);
        IInferenceRouter(lanes).commit("x", 5e18);
        assertEq(router.accountOf(alice.addr).nonce, 0);
    }
}

contract SubmitBatchHostileTest is BatchScene, IInferenceCallback {
    bytes private _reply;

    function _walletNamed(Wallet1271.Mood mood) private {
        Wallet1271 wallet = new Wallet1271(address(router), nsd, address(credits), mood);
        vm.prank(bank);
        nsd.transfer(address(wallet), 100e18);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, wallet);
        _names(_intent(address(wallet), 0), "anything", "", reason);
    }

    function test_AWalletThatReentersIsNamed() public {
        _walletNamed(Wallet1271.Mood.Reenters);
    }

    function test_AWalletThatRevertsIsNamed() public {
        _walletNamed(Wallet1271.Mood.Reverts);
    }

    function test_AWalletThatAnswersGarbageIsNamed() public {
        _walletNamed(Wallet1271.Mood.Garbage);
    }

    function test_AWalletThatBurnsGasLeavesEnoughForTheOthers() public {
        uint256 before = gasleft();
        _walletNamed(Wallet1271.Mood.BurnsGas);
        assertLt(before - gasleft(), 4_000_000);
    }

    /// @dev This contract asks, and is to be called back.
    function _asked() private returns (Ticket memory ticket) {
        vm.prank(bank);
        nsd.transfer(address(this), 100e18);
        nsd.approve(address(credits), 100e18);
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(this), 500_000);
        ticket = _ticketOf(address(this), ask, 0);
        router.submit(ask, "");
    }

    function onInferenceResult(bytes32, RequestStatus, bytes calldata) external {
        (Intent[] memory intents, bytes[] memory signatures, bytes[] memory prompts) = _arrays(1);
        intents[0] = _intent(alice.addr, 0);
        intents[0].relayer = address(this);
        signatures[0] = _sign(alice.key, intents[0]);
        vm.expectEmit(address(router));
        emit IRouterLog.SubmissionSkipped(alice.addr, 0, abi.encodeWithSignature("ReentrancyGuardReentrantCall()"));
        _reply = abi.encode(router.submitBatch(intents, signatures, prompts));
    }

    /// @dev The batch is one door to `submitFor`, and the guard stands behind it.
    function test_ACallbackCannotComeInThroughIt() public {
        Ticket memory ticket = _asked();
        (bytes memory record, bytes32 digest) = _record("hi");
        vm.prank(_operatorOf(node));
        router.settle(ticket, digest, 317, record);
        assertFalse(router.requestOf(router.requestId(ticket)).callbackFailed);
        assertEq(abi.decode(_reply, (bytes32[]))[0], 0);
        assertEq(router.accountOf(alice.addr).nonce, 0);
        // And is open again afterwards.
        _submitFor(alice, _intent(alice.addr, 0));
    }
}

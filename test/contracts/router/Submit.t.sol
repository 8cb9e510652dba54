// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Ask, IRouterLog, RequestStatus, RequestView} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

contract SubmitTest is Scene {
    uint256 internal node;

    function setUp() public override {
        super.setUp();
        (, node) = _validator("node", 100_000e18);
    }

    function _refused(Ask memory ask, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(alice.addr);
        router.submit(ask, "");
    }

    function test_OpensAndAssigns() public {
        Ticket memory ticket = _ticketOf(alice.addr, _ask(), 0);
        bytes32 expected = keccak256(
            abi.encode(block.chainid, router, ticket.payer, ticket.terms, ticket.promptHash, ticket.callback)
        );
        vm.expectEmit(address(router));
        emit IRouterLog.RequestSubmitted(
            expected, alice.addr, node, ticket.payer, ticket.terms, ticket.promptHash, ticket.callback
        );
        (bytes32 id,) = _submit();
        assertEq(id, expected);
        RequestView memory v = router.requestOf(id);
        assertEq(uint256(v.status), uint256(RequestStatus.Assigned));
        assertEq(v.validator, node);
        assertEq(v.attempts, 1);
        assertEq(v.since, block.timestamp);
        assertEq(v.band, 1, "probation is paid as neutral");
    }

    /// @dev Two equals: sixteen bits of the seed are the lot of the first, the next sixteen of the other, who wins a tie.
    function testFuzz_HashOfTheLastBlockAndIdDraw(bytes32 hash) public {
        vm.assume(hash != 0);
        (, uint256 other) = _validator("other", 100_000e18);
        _pass(10);
        vm.setBlockhash(block.number - 1, hash);
        (bytes32 id,) = _submit();
        uint256 seed = uint256(keccak256(abi.encode(hash, id)));
        assertEq(router.requestOf(id).validator, uint16(seed) > uint16(seed >> 16) ? node : other);
    }

    function test_TakesCreditsFirstAndTheRestFromTheWallet() public {
        _deposit(alice.addr, 20e18);
        uint256 wallet = nsd.balanceOf(alice.addr);
        _submit();
        assertEq(router.accountOf(alice.addr).credits, 0);
        assertEq(wallet - nsd.balanceOf(alice.addr), 30e18);
        _deposit(alice.addr, 60e18);
        wallet = nsd.balanceOf(alice.addr);
        _submit();
        assertEq(router.accountOf(alice.addr).credits, 10e18);
        assertEq(nsd.balanceOf(alice.addr), wallet);
    }

    function test_RevertGiven_NoAllowanceForTheShortfall() public {
        vm.prank(alice.addr);
        nsd.approve(address(credits), 49e18);
        _refused(
            _ask(), abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, credits, 49e18, 50e18)
        );
        assertEq(router.accountOf(alice.addr).nonce, 0);
    }

    function test_QueuesWhileNobodyServesTheModel() public {
        Ask memory ask = _ask();
        (ask.model, ask.maxTokens) = (GPT2, 100);
        (bytes32 id,) = _submit(alice.addr, ask);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
        assertEq(router.requestOf(id).attempts, 0);
        assertEq(router.requestOf(id).validator, 0);
        assertEq(router.requestOf(id).band, 0);
        assertEq(router.validatorOf(0).load, 0, "nobody's place was taken");
    }

    function test_PublicPromptIsHashedWithSaltZero() public {
        Ask memory ask = _ask();
        ask.promptHash = 0;
        bytes memory prompt = "What is the capital of France?";
        Ticket memory ticket = _ticketOf(alice.addr, ask, 0);
        ticket.promptHash = keccak256(abi.encodePacked(bytes32(0), prompt));
        bytes32 id = router.requestId(ticket);
        vm.expectEmit(address(router));
        emit IRouterLog.PromptPublished(id, prompt);
        vm.prank(alice.addr);
        assertEq(router.submit(ask, prompt), id);
    }

    function test_RevertWhen_PromptIsMissing() public {
        Ask memory ask = _ask();
        ask.promptHash = 0;
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterMissingPrompt.selector));
    }

    function test_RevertWhen_PromptDoesNotMatchItsHash() public {
        bytes32 actual = keccak256(abi.encodePacked(bytes32(0), "other"));
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPromptMismatch.selector, PROMPT_HASH, actual));
        vm.prank(alice.addr);
        router.submit(_ask(), "other");
    }

    function test_RevertWhen_APrivatePromptIsPublished() public {
        Ask memory ask = _ask();
        (ask.promptHash, ask.isPrivate) = (0, true);
        vm.expectRevert();
        vm.prank(alice.addr);
        router.submit(ask, "secret");
    }

    function test_RevertWhen_PaymentIsBelowFiveNsd() public {
        Ask memory ask = _ask();
        ask.payment = 4.99e18;
        ask.maxTokens = 1;
        // One token of llama-2-7b-q4 costs 5.1 NSD.
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 4.99e18, 5.1e18));
        ask.model = GPT2;
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterPaymentTooLow.selector, 4.99e18, 5e18));
        ask.payment = 5e18;
        _submit(alice.addr, ask);
    }

    function test_RevertWhen_TokensAreOutOfRange() public {
        Ask memory ask = _ask();
        ask.maxTokens = 0;
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 0, 2_048));
        ask.maxTokens = 2_049;
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterInvalidTokens.selector, 2_049, 2_048));
        ask.maxTokens = 2_048;
        _submit(alice.addr, ask);
    }

    function test_RevertWhen_TemperatureIsAbove200() public {
        Ask memory ask = _ask();
        ask.temperature = 201;
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterInvalidTemperature.selector, 201));
        ask.temperature = 200;
        _submit(alice.addr, ask);
    }

    function test_RevertWhen_ModelIsUnknown() public {
        Ask memory ask = _ask();
        ask.model = keccak256("nobody's model");
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterUnknownModel.selector, ask.model));
    }

    function test_RevertWhen_CallbackAndItsGasDisagree() public {
        Ask memory ask = _ask();
        ask.callbackGas = 1;
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterInvalidCallback.selector, address(0), 1));
        (ask.callback, ask.callbackGas) = (address(this), 0);
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterInvalidCallback.selector, address(this), 0));
        ask.callbackGas = 500_001;
        _refused(ask, abi.encodeWithSelector(IRouterLog.RouterInvalidCallback.selector, address(this), 500_001));
        ask.callbackGas = 500_000;
        _submit(alice.addr, ask);
        assertEq(nsd.balanceOf(alice.addr), 100_000e18 - 55e18, "5 NSD for the gas of the callback");
    }

    function test_RevertGiven_TenWithinAMinute() public {
        for (uint256 i; i < 10; ++i) {
            _submit();
            vm.warp(block.timestamp + 2);
        }
        _refused(_ask(), abi.encodeWithSelector(IRouterLog.RouterRateLimited.selector, alice.addr, 40));
        assertEq(router.accountOf(alice.addr).nextSubmitIn, 40);
        _submit(bob.addr, _ask());
        vm.warp(block.timestamp + 39);
        _refused(_ask(), abi.encodeWithSelector(IRouterLog.RouterRateLimited.selector, alice.addr, 1));
        vm.warp(block.timestamp + 1);
        _submit();
    }

    function test_EachIdOnce() public {
        (bytes32 a,) = _submit();
        (bytes32 b,) = _submit();
        assertNotEq(a, b);
        assertEq(router.accountOf(alice.addr).nonce, 2);
    }

    function testFuzz_LocksExactlyThePayment(uint96 payment, uint96 deposited, bool priority) public {
        payment = uint96(bound(payment, 8e18, 500e18 - 1));
        deposited = uint96(bound(deposited, 1, 1_000e18));
        _deposit(alice.addr, deposited);
        uint256 before = nsd.balanceOf(alice.addr) + router.accountOf(alice.addr).credits;
        Ask memory ask = _ask();
        (ask.payment, ask.priority) = (payment, priority);
        _submit(alice.addr, ask);
        assertEq(before - nsd.balanceOf(alice.addr) - router.accountOf(alice.addr).credits, payment);
        assertEq(nsd.headroom(), router.accountOf(alice.addr).credits + payment);
    }

    /// @dev What is on chain is read by everybody.
    function test_RevertWhen_APrivatePromptIsPublishedUnderItsHash() public {
        Ask memory ask = _ask();
        bytes32 actual = keccak256(abi.encodePacked(bytes32(0), "secret"));
        ask.isPrivate = true;
        bytes32[2] memory named = [actual, bytes32(0)];
        for (uint256 i; i < 2; ++i) {
            ask.promptHash = named[i];
            vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPromptMismatch.selector, named[i], actual));
            vm.prank(alice.addr);
            router.submit(ask, "secret");
        }
    }

    function test_RevertGiven_TheWalletIsEmpty() public {
        vm.prank(alice.addr);
        nsd.transfer(bob.addr, 100_000e18 - 49e18);
        _refused(
            _ask(), abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice.addr, 49e18, 50e18)
        );
        assertEq(router.accountOf(alice.addr).nonce, 0);
    }

    function test_TakesTheLowestFreeNonce() public {
        _submitFor(alice, _intent(alice.addr, 1));
        assertEq(router.accountOf(alice.addr).nonce, 0);
        _submit();
        assertEq(router.accountOf(alice.addr).nonce, 2, "one was used already");
        _submit();
        assertEq(router.accountOf(alice.addr).nonce, 3);
    }
}

contract VoidNoncesTest is Scene {
    function test_VoidsAllBelow() public {
        vm.expectEmit(address(router));
        emit IRouterLog.NoncesVoided(alice.addr, 40);
        vm.prank(alice.addr);
        router.voidNonces(40);
        assertEq(router.accountOf(alice.addr).nonce, 40);
        assertTrue(router.isNonceUsed(alice.addr, 39));
        assertFalse(router.isNonceUsed(alice.addr, 40));
    }

    function test_RevertWhen_NothingOrTooMuchIsVoided() public {
        vm.startPrank(alice.addr);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 0));
        router.voidNonces(0);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 1_001, 0));
        router.voidNonces(1_001);
        router.voidNonces(1_000);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 2_001, 1_000));
        router.voidNonces(2_001);
        router.voidNonces(2_000);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Intent, IRouterLog, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IPausable} from "../support/Deployment.sol";
import {Wallet1271} from "../support/Hostile.sol";
import {Scene} from "../support/Scene.sol";

contract SubmitForTest is Scene {
    uint256 internal node;

    function setUp() public override {
        super.setUp();
        (, node) = _validator("node", 100_000e18);
    }

    function _refused(Intent memory intent, bytes memory signature, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(relayer);
        router.submitFor(intent, signature, "");
    }

    function test_HashIsEip712() public view {
        Intent memory intent = _intent(alice.addr, 3);
        intent.priority = true;
        intent.relayFee = 5;
        assertEq(router.hashIntent(intent), _digestOf(intent, block.chainid, address(router)));
    }

    function testFuzz_HashIsEip712(Intent memory intent) public view {
        assertEq(router.hashIntent(intent), _digestOf(intent, block.chainid, address(router)));
    }

    function test_OpensForTheSigner() public {
        Intent memory intent = _intent(alice.addr, 0);
        bytes32 id = _submitFor(alice, intent);
        assertEq(id, router.requestId(_ticketOf(intent)));
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
        assertTrue(router.isNonceUsed(alice.addr, 0));
    }

    /// @dev As for a submission in person (`SubmitTest`): the lots of two equals.
    function testFuzz_HashOfTheLastBlockAndIdDraw(bytes32 hash) public {
        vm.assume(hash != 0);
        (, uint256 other) = _validator("other", 100_000e18);
        _pass(10);
        vm.setBlockhash(block.number - 1, hash);
        bytes32 id = _submitFor(alice, _intent(alice.addr, 0));
        uint256 seed = uint256(keccak256(abi.encode(hash, id)));
        assertEq(router.requestOf(id).validator, uint16(seed) > uint16(seed >> 16) ? node : other);
    }

    function test_PaysTheRelayerFromTheUser() public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.relayFee = 2e18;
        uint256 wallet = nsd.balanceOf(alice.addr);
        _submitFor(alice, intent);
        assertEq(wallet - nsd.balanceOf(alice.addr), 52e18);
        assertEq(router.accountOf(relayer).credits, 2e18);
    }

    function test_TheUserMayBeTheRelayer() public {
        Intent memory intent = _intent(alice.addr, 0);
        (intent.relayer, intent.relayFee) = (alice.addr, 2e18);
        _deposit(alice.addr, 60e18);
        _submitFor(alice, intent);
        assertEq(router.accountOf(alice.addr).credits, 10e18);
    }

    function test_RevertWhen_Replayed() public {
        Intent memory intent = _intent(alice.addr, 0);
        bytes memory signature = _sign(alice.key, intent);
        _submitFor(alice, intent);
        _refused(intent, signature, abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1));
    }

    function test_RevertWhen_SignedForAnotherChainOrRouter() public {
        Intent memory intent = _intent(alice.addr, 0);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(alice.key, _digestOf(intent, block.chainid + 1, address(router)));
        _refused(intent, abi.encodePacked(r, s, v), reason);
        (v, r, s) = vm.sign(alice.key, _digestOf(intent, block.chainid, address(credits)));
        _refused(intent, abi.encodePacked(r, s, v), reason);
        bytes memory signature = _sign(alice.key, intent);
        vm.chainId(77);
        _refused(intent, signature, reason);
    }

    function testFuzz_RevertWhen_AnyFieldIsTampered(uint8 field) public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.callback = address(this);
        intent.callbackGas = 1_000;
        bytes memory signature = _sign(alice.key, intent);
        _tamper(intent, field % 11);
        vm.expectRevert();
        vm.prank(relayer);
        router.submitFor(intent, signature, "");
    }

    function _tamper(Intent memory i, uint256 field) private view {
        if (field == 0) i.user = bob.addr;
        if (field == 1) i.model = DEMO;
        if (field == 2) i.promptHash = ~i.promptHash;
        if (field == 3) ++i.maxTokens;
        if (field == 4) ++i.temperature;
        if (field == 5) ++i.payment;
        if (field == 6) i.priority = true;
        if (field == 7) i.isPrivate = true;
        if (field == 8) i.relayFee = 1;
        if (field == 9) ++i.callbackGas;
        if (field == 10) (i.nonce, i.deadline) = (i.nonce + 1, i.deadline + 1);
    }

    function test_RevertWhen_Expired() public {
        Intent memory intent = _intent(alice.addr, 0);
        bytes memory signature = _sign(alice.key, intent);
        vm.warp(intent.deadline + 1);
        _refused(intent, signature, abi.encodeWithSelector(IRouterLog.RouterExpired.selector, intent.deadline));
        vm.warp(intent.deadline);
        _submitFor(alice, intent);
    }

    function test_RevertWhen_SomebodyElseRelays() public {
        Intent memory intent = _intent(alice.addr, 0);
        bytes memory signature = _sign(alice.key, intent);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterWrongRelayer.selector, relayer, bob.addr));
        vm.prank(bob.addr);
        router.submitFor(intent, signature, "");
    }

    function test_RevertWhen_AnyoneMayRelayButThePromptStaysAway() public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.relayer = address(0);
        bytes memory signature = _sign(alice.key, intent);
        _refused(intent, signature, abi.encodeWithSelector(IRouterLog.RouterWrongRelayer.selector, address(0), relayer));
    }

    function test_AnyoneRelaysAPublicPrompt() public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.relayer = address(0);
        intent.promptHash = keccak256(abi.encodePacked(bytes32(0), "hello"));
        bytes memory signature = _sign(alice.key, intent);
        vm.prank(bob.addr);
        router.submitFor(intent, signature, "hello");
    }

    function test_RevertWhen_OtherBytesArePublished() public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.relayer = address(0);
        bytes memory signature = _sign(alice.key, intent);
        bytes32 actual = keccak256(abi.encodePacked(bytes32(0), "other"));
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPromptMismatch.selector, PROMPT_HASH, actual));
        vm.prank(bob.addr);
        router.submitFor(intent, signature, "other");
    }

    function test_RevertWhen_TheIntentNamesAValidator() public {
        Intent memory intent = _direct(alice.addr, 0, address(0xBEEF));
        _refused(
            intent,
            _sign(alice.key, intent),
            abi.encodeWithSelector(IRouterLog.RouterDirectIntent.selector, address(0xBEEF))
        );
    }

    function test_NoncesInAnyOrderWithinSixteen() public {
        _submitFor(alice, _intent(alice.addr, 16));
        _submitFor(alice, _intent(alice.addr, 2));
        Intent memory far = _intent(alice.addr, 17);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 17, 0);
        _refused(far, _sign(alice.key, far), reason);
        _submitFor(alice, _intent(alice.addr, 0));
        assertEq(router.accountOf(alice.addr).nonce, 1);
    }

    function test_RevertWhen_TheNonceWasVoided() public {
        Intent memory intent = _intent(alice.addr, 0);
        vm.prank(alice.addr);
        router.voidNonces(1);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, alice.addr, 0, 1);
        _refused(intent, _sign(alice.key, intent), reason);
    }

    function test_RevertWhen_CallbackOrRelayerAreSwapped() public {
        Intent memory intent = _intent(alice.addr, 0);
        (intent.callback, intent.callbackGas) = (address(this), 1_000);
        bytes memory signature = _sign(alice.key, intent);
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr);
        intent.callback = bob.addr;
        _refused(intent, signature, reason);
        (intent.callback, intent.relayer) = (address(this), bob.addr);
        vm.expectRevert(reason);
        vm.prank(bob.addr);
        router.submitFor(intent, signature, "");
    }

    function test_RevertWhen_NobodyIsTheUser() public {
        bytes memory reason = abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, address(0));
        _refused(_intent(address(0), 0), "", reason);
        _refused(_intent(address(0), 0), new bytes(65), reason);
    }

    /// @dev An account with code (EIP-7702) signs with its key: this code would take all the gas that it is asked with.
    function test_AnAccountWithCodeSignsWithItsKey() public {
        vm.etch(alice.addr, hex"fe");
        Intent memory intent = _intent(alice.addr, 0);
        bytes memory signature = _sign(bob.key, intent);
        _refused(intent, signature, abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, alice.addr));
        uint256 before = gasleft();
        bytes32 id = _submitFor(alice, intent);
        assertLt(before - gasleft(), 700_000);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
    }

    /// @dev Who signs says which prompt: a hash of zero would let the relayer choose.
    function test_RevertWhen_NoHashWasSigned() public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.promptHash = 0;
        bytes memory signature = _sign(alice.key, intent);
        _refused(intent, signature, abi.encodeWithSelector(IRouterLog.RouterMissingPrompt.selector));
        bytes32 actual = keccak256(abi.encodePacked(bytes32(0), "hello"));
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPromptMismatch.selector, 0, actual));
        vm.prank(relayer);
        router.submitFor(intent, signature, "hello");
    }

    function test_RevertGiven_IntakeIsPaused() public {
        Intent memory intent = _intent(alice.addr, 0);
        bytes memory signature = _sign(alice.key, intent);
        uint256 until = block.timestamp + 1 minutes;
        vm.prank(guardian);
        IPausable(address(router)).pauseIntake(until);
        _refused(intent, signature, abi.encodeWithSelector(IRouterLog.RouterIntakePaused.selector, until));
    }

    function test_RevertWhen_CallbackAndItsGasDisagree() public {
        Intent memory intent = _intent(alice.addr, 0);
        intent.callbackGas = 1;
        _refused(
            intent,
            _sign(alice.key, intent),
            abi.encodeWithSelector(IRouterLog.RouterInvalidCallback.selector, address(0), 1)
        );
        (intent.callback, intent.callbackGas) = (address(this), 0);
        _refused(
            intent,
            _sign(alice.key, intent),
            abi.encodeWithSelector(IRouterLog.RouterInvalidCallback.selector, address(this), 0)
        );
        intent.callbackGas = 500_001;
        _refused(
            intent,
            _sign(alice.key, intent),
            abi.encodeWithSelector(IRouterLog.RouterInvalidCallback.selector, address(this), 500_001)
        );
    }
}

contract SmartWalletTest is Scene {
    function setUp() public override {
        super.setUp();
        _validator("node", 100_000e18);
    }

    function _open(Wallet1271.Mood mood) private returns (Wallet1271 wallet, Intent memory intent) {
        wallet = new Wallet1271(address(router), nsd, address(credits), mood);
        vm.prank(bank);
        nsd.transfer(address(wallet), 100e18);
        intent = _intent(address(wallet), 0);
    }

    function _refuses(Wallet1271.Mood mood) private {
        (Wallet1271 wallet, Intent memory intent) = _open(mood);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, wallet));
        vm.prank(relayer);
        router.submitFor{gas: 2_000_000}(intent, "anything", "");
        assertEq(router.accountOf(address(wallet)).nonce, 0);
    }

    function test_AGoodOneIsBelieved() public {
        (Wallet1271 wallet, Intent memory intent) = _open(Wallet1271.Mood.Good);
        vm.expectCall(
            address(wallet), abi.encodeCall(IERC1271.isValidSignature, (router.hashIntent(intent), "anything"))
        );
        vm.prank(relayer);
        router.submitFor(intent, "anything", "");
        assertEq(nsd.balanceOf(address(wallet)), 50e18);
    }

    function test_RevertWhen_Garbage() public {
        _refuses(Wallet1271.Mood.Garbage);
    }

    function test_RevertWhen_TooShort() public {
        _refuses(Wallet1271.Mood.Short);
    }

    function test_RevertWhen_ItReverts() public {
        _refuses(Wallet1271.Mood.Reverts);
    }

    function test_RevertWhen_ItReenters() public {
        _refuses(Wallet1271.Mood.Reenters);
    }

    /// @dev Its 200,000 gas are gone, the relayer's other gas is not.
    function test_RevertWhen_ItBurnsGas() public {
        uint256 before = gasleft();
        _refuses(Wallet1271.Mood.BurnsGas);
        assertLt(before - gasleft(), 1_500_000);
    }

    function test_LongReturnDataCostsTheWalletAlone() public {
        (, Intent memory intent) = _open(Wallet1271.Mood.ReturnsMuch);
        vm.prank(relayer);
        router.submitFor{gas: 2_000_000}(intent, "anything", "");
    }
}

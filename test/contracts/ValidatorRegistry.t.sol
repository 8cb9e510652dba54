// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Parameter} from "../../contracts/interfaces/IFeeController.sol";
import {
    Delivery,
    FailureClass,
    Intent,
    IRouterLog,
    RequestStatus,
    SkipReason
} from "../../contracts/interfaces/IInferenceRouter.sol";
import {IValidatorRegistry} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {IPausable} from "./support/Deployment.sol";
import {Scene} from "./support/Scene.sol";

abstract contract RegistryScene is Scene {
    bytes32 private constant MARKS =
        bytes32(uint256(0x3164cd054724e5f047462cc7124ac3696d673fa10d6aa14dc75f39cd115f5a00) + 12);
    string internal constant ENDPOINT = "https://node.example";

    function setUp() public virtual override {
        super.setUp();
        vm.startPrank(bank);
        nst.transfer(alice.addr, 500_000e18);
        nst.transfer(bob.addr, 500_000e18);
        vm.stopPrank();
        vm.prank(alice.addr);
        nst.approve(address(validators), type(uint256).max);
        vm.prank(bob.addr);
        nst.approve(address(validators), type(uint256).max);
    }

    function _try(uint256 stake, string[] memory names, string memory endpoint) internal returns (uint256) {
        vm.prank(alice.addr);
        return validators.registerValidator(stake, names, endpoint);
    }

    function _join(uint256 stake) internal returns (uint256) {
        return _try(stake, _names(), ENDPOINT);
    }

    function _stakeMore(uint256 amount) internal {
        vm.prank(alice.addr);
        validators.stakeMore(amount);
    }

    function _unbond(uint256 amount) internal {
        vm.prank(alice.addr);
        validators.unbond(amount);
    }

    function _setModels(string[] memory names) internal {
        vm.prank(alice.addr);
        validators.setModels(names);
    }

    function _two(string memory a, string memory b) internal pure returns (string[] memory names) {
        names = new string[](2);
        (names[0], names[1]) = (a, b);
    }

    function _one(string memory a) internal pure returns (string[] memory names) {
        names = new string[](1);
        names[0] = a;
    }

    function _vaultBalance(uint256 id) internal view returns (uint256) {
        return nst.balanceOf(validators.vaultOf(id));
    }

    function _seatedAt(uint256 id) internal view returns (uint256) {
        return uint256(vm.load(address(router), keccak256(abi.encode(id, MARKS)))) >> 216;
    }

    /// @dev A permit of alice's NST for the registry.
    function _permit(uint256 amount, uint256 deadline) internal view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                alice.addr,
                address(validators),
                amount,
                IERC20Permit(address(nst)).nonces(alice.addr),
                deadline
            )
        );
        bytes32 domain = IERC20Permit(address(nst)).DOMAIN_SEPARATOR();
        return vm.sign(alice.key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }

    function _forgetAllowance() internal {
        vm.prank(alice.addr);
        nst.approve(address(validators), 0);
    }

    /// @dev An endpoint of so many characters.
    function _endpointOf(uint256 length) internal pure returns (string memory) {
        bytes memory endpoint = new bytes(length);
        for (uint256 i; i < length; ++i) {
            endpoint[i] = i < 8 ? bytes("https://")[i] : bytes1("a");
        }
        return string(endpoint);
    }

    function _expectStranger(address who) internal {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryNotRegistered.selector, who));
        vm.prank(who);
    }
}

contract RegisterValidatorTest is RegistryScene {
    function test_StakesSeatsAndTells() public {
        address vault = vm.computeCreateAddress(address(validators), vm.getNonce(address(validators)));
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.VaultOpened(4, vault);
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ValidatorRegistered(alice.addr, 20_000e18, _names());
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.OperatorAssigned(4, alice.addr, alice.addr, ENDPOINT);
        uint256 id = _join(20_000e18);
        assertEq(id, 4);
        assertEq(validators.vaultOf(id), vault);
        assertEq(_vaultBalance(id), 20_000e18);
        IValidatorRegistry.Validator memory v = validators.validatorOf(alice.addr);
        assertEq(v.id, id);
        assertEq(v.operator, alice.addr);
        assertEq(v.stake, 20_000e18);
        assertEq(v.models[0], "llama-2-7b-q4");
        assertEq(v.endpoint, ENDPOINT);
        assertEq(v.reputation, 100);
        assertEq(v.totalRequests + v.successfulRequests, 0);
        assertEq(v.registered, block.timestamp);
        assertEq(router.validatorOf(id).stake, 20);
        assertEq(router.validatorOf(id).capacity, 4);
        assertTrue(router.validatorOf(id).probation);
        assertEq(router.offerOf(LLAMA7).tickets(), 4);
        assertEq(router.offerOf(LLAMA7).servers(), 1);
        assertEq(_seatedAt(id), block.timestamp);
    }

    function test_CountsRequestsAsTheSeedLists() public {
        uint256 id = _join(20_000e18);
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _settle(alice.addr, t, 10);
        (, t) = _submit(bob.addr, _ask());
        vm.prank(alice.addr);
        router.fail(t);
        IValidatorRegistry.Validator memory v = validators.validatorById(id);
        assertEq(v.totalRequests, 2);
        assertEq(v.successfulRequests, 1);
    }

    function test_RevertWhen_RegisteredTwice() public {
        _join(5_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryAlreadyRegistered.selector, alice.addr));
        _join(5_000e18);
    }

    function test_RevertGiven_AnExit() public {
        _join(5_000e18);
        _unbond(5_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryAlreadyRegistered.selector, alice.addr));
        _join(5_000e18);
    }

    function test_RevertWhen_TheStakeIsTooLow() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeTooLow.selector, 5_000e18 - 1, 5_000e18));
        _join(5_000e18 - 1);
        vm.prank(admin);
        fees.set(Parameter.MinimumStake, 8_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeTooLow.selector, 5_000e18, 8_000e18));
        _join(5_000e18);
    }

    /// @dev More than fits the field of a record: the transfer refuses what the field would cut off.
    function test_RevertWhen_TheStakeIsMoreThanThereIs() public {
        uint256 stake = uint256(type(uint96).max) + 1 + 5_000e18;
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice.addr, 500_000e18, stake)
        );
        _join(stake);
    }

    function test_RevertWhen_ModelsAreMissingUnknownOrTwice() public {
        vm.expectRevert(IValidatorRegistry.RegistryNoModels.selector);
        _try(5_000e18, new string[](0), ENDPOINT);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryDuplicateModel.selector, "demo-3m"));
        _try(5_000e18, _two("demo-3m", "demo-3m"), ENDPOINT);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryUnknownModel.selector, "gpt-9"));
        _try(5_000e18, _two("demo-3m", "gpt-9"), ENDPOINT);
    }

    function _badEndpoint(string memory endpoint) private {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryInvalidEndpoint.selector, endpoint));
        _try(5_000e18, _names(), endpoint);
    }

    function test_RevertWhen_TheEndpointIsNone() public {
        _badEndpoint("");
        _badEndpoint("https://a.b");
        _badEndpoint("http://node.example");
        _badEndpoint("ftp://node.example");
        _badEndpoint("https://node example");
        _badEndpoint("https://node.example\n");
        _badEndpoint(string(new bytes(201)));
        _badEndpoint(_endpointOf(201));
    }

    function test_AllModelsAtOnce() public {
        string[] memory names = new string[](5);
        for (uint256 i; i < 5; ++i) {
            names[i] = _launchModels()[i].name;
        }
        uint256 id = _try(100_000e18, names, ENDPOINT);
        assertEq(router.validatorOf(id).models, 31);
        assertEq(router.offerOf(DEMO).tickets(), 20);
    }

    function testFuzz_SeatFollowsStake(uint256 stake) public {
        stake = bound(stake, 5_000e18, 400_000e18);
        uint256 id = _join(stake);
        uint256 thousands = stake / 1_000e18 > 127 ? 127 : stake / 1_000e18;
        uint256 places = thousands * 2 / 5;
        assertEq(router.validatorOf(id).capacity, places > 4 ? 4 : places);
        assertEq(router.validatorOf(id).stake, thousands);
        assertEq(router.offerOf(LLAMA7).tickets(), stake / 5_000e18);
    }

    function test_StakeIsTheSum() public {
        _join(5_000e18);
        vm.prank(bob.addr);
        validators.registerValidator(7_000e18, _names(), ENDPOINT);
        assertEq(validators.totalStaked(), 12_000e18);
        assertEq(validators.count(), 2);
        assertEq(validators.ownerOf(5), bob.addr);
        assertEq(validators.idOf(bob.addr), 5);
        assertTrue(validators.vaultOf(4) != validators.vaultOf(5));
    }

    /// @dev The count is the first word of the registry's storage; an id has 16 bits.
    function test_RevertGiven_EveryIdIsTaken() public {
        bytes32 slot = 0x1800e1dc101064ae8f08abf0cd16d3bd3757c4d462c32500ec6e6cff53048c00;
        vm.store(address(validators), slot, bytes32(uint256(65_531)));
        assertEq(validators.count(), 65_531);
        assertEq(_join(5_000e18), 65_535);
        (bytes32 request,) = _submit(bob.addr, _ask());
        assertEq(router.requestOf(request).validator, 65_535, "the last id is one like any other");
        vm.expectRevert(IValidatorRegistry.RegistryFull.selector);
        vm.prank(bob.addr);
        validators.registerValidator(5_000e18, _names(), ENDPOINT);
    }
}

contract UnknownValidatorTest is RegistryScene {
    function test_NobodyIsNobody() public view {
        IValidatorRegistry.Validator memory none;
        assertEq(abi.encode(validators.validatorById(999)), abi.encode(none));
        assertEq(abi.encode(validators.validatorOf(address(0xBEEF))), abi.encode(none));
    }
}

contract RegisterValidatorWithPermitTest is RegistryScene {
    uint256 internal deadline;

    function setUp() public override {
        super.setUp();
        _forgetAllowance();
        deadline = block.timestamp + 1 hours;
    }

    function _register(uint8 v, bytes32 r, bytes32 s) internal returns (uint256) {
        vm.prank(alice.addr);
        return validators.registerValidatorWithPermit(5_000e18, _names(), ENDPOINT, deadline, v, r, s);
    }

    function test_NeedsNoAllowanceBefore() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(5_000e18, deadline);
        uint256 id = _register(v, r, s);
        assertEq(_vaultBalance(id), 5_000e18);
        assertEq(router.validatorOf(id).operator, alice.addr);
        assertEq(nst.allowance(alice.addr, address(validators)), 0);
    }

    function test_APermitThatSomebodyBroughtBeforeDoesNoHarm() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(5_000e18, deadline);
        vm.prank(bob.addr);
        IERC20Permit(address(nst)).permit(alice.addr, address(validators), 5_000e18, deadline, v, r, s);
        assertEq(_vaultBalance(_register(v, r, s)), 5_000e18);
    }

    function test_RevertWhen_ThePermitIsVoidAndNothingIsAllowed() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(5_000e18 - 1, deadline);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(validators), 0, 5_000e18)
        );
        _register(v, r, s);
    }
}

contract RegisterValidatorWithOperatorTest is RegistryScene {
    Person internal operator;
    uint64 internal deadline;

    function setUp() public override {
        super.setUp();
        operator = _person("operator");
        deadline = uint64(block.timestamp + 1 hours);
    }

    function _register(address key, bytes memory signature) internal returns (uint256) {
        vm.prank(alice.addr);
        return validators.registerValidatorWithOperator(5_000e18, _names(), ENDPOINT, key, deadline, signature);
    }

    function _expectNoConsent(address key) internal {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryInvalidSignature.selector, alice.addr, key));
    }

    function test_TheKeyAnswersAndTheOwnerEarns() public {
        uint256 id = _register(operator.addr, _consent(operator.key, alice.addr, deadline));
        assertEq(router.validatorIdOf(operator.addr), id);
        assertEq(router.validatorIdOf(alice.addr), 0);
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _settle(operator.addr, t, 450);
        credits.startClaim(id);
        _pass(1 hours);
        credits.claim(id);
        assertEq(nsd.balanceOf(alice.addr), 100_000e18 + 35e18);
    }

    function test_OnesOwnKeyNeedsNoSignature() public {
        deadline = 0;
        uint256 id = _register(alice.addr, "");
        assertEq(router.validatorIdOf(alice.addr), id);
    }

    function test_UntilTheSecondOfItsDeadline() public {
        bytes memory consent = _consent(operator.key, alice.addr, deadline);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryExpired.selector, deadline));
        _register(operator.addr, consent);
        vm.warp(deadline);
        _register(operator.addr, consent);
    }

    function test_RevertWhen_TheKeyDidNotConsentToThis() public {
        _expectNoConsent(operator.addr);
        _register(operator.addr, "");
        _expectNoConsent(operator.addr);
        _register(operator.addr, _consent(alice.key, alice.addr, deadline));
        _expectNoConsent(operator.addr);
        _register(operator.addr, _consent(operator.key, bob.addr, deadline));
        _expectNoConsent(operator.addr);
        _register(operator.addr, _consent(operator.key, alice.addr, deadline + 1));
        _expectNoConsent(operator.addr);
        _register(operator.addr, _consent(operator.key, alice.addr, deadline, 1, address(validators)));
        _expectNoConsent(operator.addr);
        _register(operator.addr, _consent(operator.key, alice.addr, deadline, block.chainid, address(router)));
        _expectNoConsent(address(0));
        _register(address(0), new bytes(65));
    }

    /// @dev Who sees a registration cannot take its key first.
    function test_RevertWhen_AStrangerBringsTheConsent() public {
        bytes memory consent = _consent(operator.key, alice.addr, deadline);
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.RegistryInvalidSignature.selector, bob.addr, operator.addr)
        );
        vm.prank(bob.addr);
        validators.registerValidatorWithOperator(5_000e18, _names(), ENDPOINT, operator.addr, deadline, consent);
    }

    function test_RevertGiven_AKeyThatOperatesAlready() public {
        _registerWith(bob.addr, 5_000e18, operator);
        bytes memory consent = _consent(operator.key, alice.addr, deadline);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryOperatorTaken.selector, operator.addr));
        _register(operator.addr, consent);
    }

    function test_RevertGiven_TheOwnersOwnKeyIsAnothersOperator() public {
        _registerWith(bob.addr, 5_000e18, alice);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryOperatorTaken.selector, alice.addr));
        _join(5_000e18);
    }
}

contract StakeMoreTest is RegistryScene {
    function test_StakeSeatAndTicketsRiseAtOnceInEveryModel() public {
        uint256 id = _try(9_000e18, _two("llama-2-7b-q4", "demo-3m"), ENDPOINT);
        _pass(100);
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.StakeAdded(id, 21_000e18, 30_000e18);
        _stakeMore(21_000e18);
        assertEq(validators.stakeOf(alice.addr), 30_000e18);
        assertEq(validators.totalStaked(), 30_000e18);
        assertEq(_vaultBalance(id), 30_000e18);
        assertEq(router.validatorOf(id).stake, 30);
        assertEq(router.offerOf(LLAMA7).tickets(), 6);
        assertEq(router.offerOf(DEMO).tickets(), 6);
        assertEq(router.offerOf(GPT2).tickets(), 0);
        assertEq(router.offerOf(LLAMA7).servers(), 1);
        assertEq(router.validatorOf(id).capacity, 3, "the window grows by success alone");
        assertEq(_seatedAt(id), block.timestamp);
    }

    /// @dev However it came together, a stake holds a ticket for each full 5,000 NST.
    function testFuzz_TicketsRoundDown(uint256 first, uint256 second) public {
        first = bound(first, 5_000e18, 200_000e18);
        second = bound(second, 1, 200_000e18);
        _join(first);
        _stakeMore(second);
        assertEq(router.offerOf(LLAMA7).tickets(), (first + second) / 5_000e18);
    }

    function test_APauseOutlastsIt() public {
        uint256 id = _join(5_000e18);
        vm.prank(alice.addr);
        validators.pauseValidator();
        _stakeMore(5_000e18);
        assertTrue(router.validatorOf(id).closed);
    }

    function test_BringsBackWhoExited() public {
        uint256 id = _join(5_000e18);
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _settle(alice.addr, t, 10);
        _unbond(5_000e18);
        _pass(30 days);
        _stakeMore(10_000e18);
        assertFalse(router.validatorOf(id).closed);
        assertEq(router.validatorOf(id).models, 0);
        assertEq(_seatedAt(id), block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStillSeen.selector, id, block.timestamp));
        validators.markDormant(id);
        _setModels(_names());
        assertEq(router.offerOf(LLAMA7).tickets(), 2);
        assertEq(router.offerOf(LLAMA7).servers(), 1);
        assertEq(validators.idOf(alice.addr), id);
        assertEq(router.validatorOf(id).completed, 1, "the record is the old one");
        (, t) = _submit(bob.addr, _ask());
        _settle(alice.addr, t, 10);
        assertEq(router.validatorOf(id).completed, 2);
    }

    function test_BringsBackPausedWhoLeftPaused() public {
        uint256 id = _join(5_000e18);
        vm.prank(alice.addr);
        validators.pauseValidator();
        _unbond(5_000e18);
        _stakeMore(5_000e18);
        assertTrue(router.validatorOf(id).closed);
        vm.prank(alice.addr);
        validators.resumeValidator();
        assertFalse(router.validatorOf(id).closed);
    }

    function test_RevertWhen_WhoComesBackBringsTooLittle() public {
        _join(5_000e18);
        _unbond(5_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeTooLow.selector, 4_999e18, 5_000e18));
        _stakeMore(4_999e18);
    }

    function test_RevertWhen_Nothing() public {
        _join(5_000e18);
        vm.expectRevert(IValidatorRegistry.RegistryZeroAmount.selector);
        _stakeMore(0);
    }

    function test_RevertWhen_NotRegistered() public {
        _expectStranger(bob.addr);
        validators.stakeMore(5_000e18);
    }

    function test_RevertGiven_TooLittleAllowance() public {
        _join(5_000e18);
        _forgetAllowance();
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(validators), 0, 1e18)
        );
        _stakeMore(1e18);
    }
}

contract StakeMoreWithPermitTest is RegistryScene {
    function test_EvenWhenSomebodyBroughtThePermitBefore() public {
        uint256 id = _join(5_000e18);
        _forgetAllowance();
        for (uint256 i; i < 2; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = _permit(5_000e18, block.timestamp);
            if (i == 1) {
                IERC20Permit(address(nst)).permit(alice.addr, address(validators), 5_000e18, block.timestamp, v, r, s);
            }
            vm.prank(alice.addr);
            validators.stakeMoreWithPermit(5_000e18, block.timestamp, v, r, s);
        }
        assertEq(_vaultBalance(id), 15_000e18);
        assertEq(router.offerOf(LLAMA7).tickets(), 3);
    }

    function test_RevertWhen_ThePermitIsVoidAndNothingIsAllowed() public {
        _join(5_000e18);
        _forgetAllowance();
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(validators), 0, 1e18)
        );
        vm.prank(alice.addr);
        validators.stakeMoreWithPermit(1e18, block.timestamp, 27, bytes32(uint256(1)), bytes32(uint256(1)));
    }
}

contract UnbondTest is RegistryScene {
    uint256 internal id;

    function setUp() public override {
        super.setUp();
        id = _try(50_000e18, _two("llama-2-7b-q4", "demo-3m"), ENDPOINT);
    }

    function test_FallsAtOnceAndStaysInCustody() public {
        uint256 wallet = nst.balanceOf(alice.addr);
        uint256 readyAt = block.timestamp + 7 days;
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.UnbondingStarted(id, 41_000e18, 9_000e18, readyAt);
        _unbond(41_000e18);
        assertEq(validators.stakeOf(alice.addr), 9_000e18);
        assertEq(validators.totalStaked(), 9_000e18);
        assertEq(router.validatorOf(id).stake, 9);
        assertEq(router.offerOf(LLAMA7).tickets(), 1);
        assertEq(router.offerOf(DEMO).tickets(), 1);
        assertEq(router.offerOf(DEMO).servers(), 1);
        assertFalse(router.validatorOf(id).closed);
        IValidatorRegistry.Tranche[] memory tranches = validators.unbondingOf(id);
        assertEq(tranches.length, 1);
        assertEq(tranches[0].amount, 41_000e18);
        assertEq(tranches[0].readyAt, readyAt);
        assertEq(_vaultBalance(id), 50_000e18, "in custody until it is withdrawn");
        assertEq(nst.balanceOf(alice.addr), wallet);
    }

    function test_TheWindowShrinksWithTheStake() public {
        assertEq(router.validatorOf(id).capacity, 4);
        _unbond(43_000e18);
        assertEq(router.validatorOf(id).capacity, 2);
        _stakeMore(43_000e18);
        assertEq(router.validatorOf(id).capacity, 2);
    }

    /// @dev A part may go while work is open: the rest, and the tranche, stand for it.
    function test_APartGoesWithOpenWork() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _unbond(45_000e18);
        _settle(alice.addr, t, 10);
        assertEq(router.validatorOf(id).load, 0);
    }

    function test_AllOfItIsAnExit() public {
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ValidatorExited(id);
        _unbond(50_000e18);
        assertEq(validators.stakeOf(alice.addr), 0);
        assertEq(validators.validatorById(id).models.length, 0);
        assertEq(router.offerOf(LLAMA7).tickets() + router.offerOf(LLAMA7).servers(), 0);
        assertEq(router.offerOf(DEMO).tickets() + router.offerOf(DEMO).servers(), 0);
        assertTrue(router.validatorOf(id).closed);
        assertEq(router.validatorOf(id).models, 0);
        (bytes32 request,) = _submit(bob.addr, _ask());
        assertEq(uint256(_status(request)), uint256(RequestStatus.Queued));
        Delivery memory item = _delivery(bob, _direct(bob.addr, 1, alice.addr), 10);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, alice.addr));
        _deliver(alice.addr, item);
    }

    function test_RevertGiven_OpenWork() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryOpenWork.selector, id, 1));
        _unbond(50_000e18);
        _settle(alice.addr, t, 10);
        _unbond(50_000e18);
    }

    function test_RevertWhen_MoreThanIsStaked() public {
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.RegistryStakeExceeded.selector, 50_000e18 + 1, 50_000e18)
        );
        _unbond(50_000e18 + 1);
        _unbond(20_000e18);
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.RegistryStakeExceeded.selector, 30_000e18 + 1, 30_000e18)
        );
        _unbond(30_000e18 + 1);
        _unbond(30_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeExceeded.selector, 1, 0));
        _unbond(1);
    }

    function test_RevertWhen_WhatStaysIsTooLittle() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeTooLow.selector, 5_000e18 - 1, 5_000e18));
        _unbond(45_000e18 + 1);
    }

    function test_RevertWhen_Nothing() public {
        vm.expectRevert(IValidatorRegistry.RegistryZeroAmount.selector);
        _unbond(0);
    }

    function test_RevertWhen_NotRegistered() public {
        _expectStranger(bob.addr);
        validators.unbond(1);
    }

    function test_RevertGiven_SixteenTranches() public {
        for (uint256 i; i < 16; ++i) {
            _unbond(1e18);
        }
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryTooManyTranches.selector, id, 16));
        _unbond(1e18);
        vm.prank(alice.addr);
        validators.cancelUnbonding(3);
        _unbond(1e18);
    }

    function testFuzz_StakeAndTranchesAreWhatIsHeld(uint256[8] memory amounts) public {
        for (uint256 i; i < 8; ++i) {
            vm.prank(alice.addr);
            try validators.unbond(amounts[i] % 60_000e18) {} catch {}
            uint256 sum = validators.stakeOf(alice.addr);
            assertTrue(sum == 0 || sum >= 5_000e18);
            assertEq(router.offerOf(LLAMA7).tickets(), sum / 5_000e18);
            IValidatorRegistry.Tranche[] memory tranches = validators.unbondingOf(id);
            for (uint256 j; j < tranches.length; ++j) {
                sum += tranches[j].amount;
            }
            assertEq(sum, 50_000e18);
            assertEq(_vaultBalance(id), 50_000e18);
        }
    }
}

contract CancelUnbondingTest is RegistryScene {
    uint256 internal id;

    function setUp() public override {
        super.setUp();
        id = _join(50_000e18);
    }

    function _cancel(uint256 index) internal {
        vm.prank(alice.addr);
        validators.cancelUnbonding(index);
    }

    function test_PutsItBackAndKeepsTheOthersInOrder() public {
        for (uint256 i = 1; i <= 3; ++i) {
            _unbond(i * 5_000e18);
            _pass(1 days);
        }
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.UnbondingCancelled(id, 10_000e18, 30_000e18);
        _cancel(1);
        assertEq(validators.stakeOf(alice.addr), 30_000e18);
        assertEq(validators.totalStaked(), 30_000e18);
        assertEq(router.offerOf(LLAMA7).tickets(), 6);
        assertEq(router.validatorOf(id).stake, 30);
        assertEq(_seatedAt(id), block.timestamp);
        IValidatorRegistry.Tranche[] memory left = validators.unbondingOf(id);
        assertEq(left.length, 2);
        assertEq(left[0].amount, 5_000e18);
        assertEq(left[1].amount, 15_000e18);
        assertLt(left[0].readyAt, left[1].readyAt);
        assertEq(_vaultBalance(id), 50_000e18);
    }

    function test_BringsBackWhoExited() public {
        _unbond(50_000e18);
        _cancel(0);
        assertFalse(router.validatorOf(id).closed);
        _setModels(_names());
        assertEq(router.offerOf(LLAMA7).tickets(), 10);
    }

    /// @dev What was put back starts again from the beginning: its seven days are not remembered.
    function test_WhatIsUnbondedAgainWaitsAgain() public {
        _unbond(5_000e18);
        _pass(7 days);
        _cancel(0);
        _unbond(5_000e18);
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.RegistryNotReady.selector, id, block.timestamp + 7 days)
        );
        vm.prank(alice.addr);
        validators.withdrawUnbonded();
    }

    function test_RevertWhen_ThereIsNoSuchTranche() public {
        _unbond(5_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryNoTranche.selector, id, 1, 1));
        _cancel(1);
        _cancel(0);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryNoTranche.selector, id, 0, 0));
        _cancel(0);
    }

    function test_RevertWhen_WhoComesBackHasTooLittle() public {
        _unbond(1_000e18);
        _unbond(49_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeTooLow.selector, 1_000e18, 5_000e18));
        _cancel(0);
        _cancel(1);
        _cancel(0);
        assertEq(validators.stakeOf(alice.addr), 50_000e18);
    }

    function test_RevertWhen_NotRegistered() public {
        _unbond(5_000e18);
        _expectStranger(bob.addr);
        validators.cancelUnbonding(0);
    }
}

contract WithdrawUnbondedTest is RegistryScene {
    uint256 internal id;
    uint256 internal wallet;

    function setUp() public override {
        super.setUp();
        id = _join(50_000e18);
        wallet = nst.balanceOf(alice.addr);
    }

    function _withdraw() internal returns (uint256) {
        vm.prank(alice.addr);
        return validators.withdrawUnbonded();
    }

    function _expectNotReady(uint256 readyAt) internal {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryNotReady.selector, id, readyAt));
    }

    function test_FromTheSeventhDayOnAndNotBefore() public {
        uint256 readyAt = block.timestamp + 7 days;
        _unbond(20_000e18);
        vm.warp(readyAt - 1);
        _expectNotReady(readyAt);
        _withdraw();
        vm.warp(readyAt);
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.UnbondedWithdrawn(id, alice.addr, 20_000e18);
        assertEq(_withdraw(), 20_000e18);
        assertEq(nst.balanceOf(alice.addr), wallet + 20_000e18);
        assertEq(_vaultBalance(id), 30_000e18);
        _expectNotReady(0);
        _withdraw();
    }

    function test_PaysTheRipeAndKeepsTheRest() public {
        for (uint256 i = 1; i <= 4; ++i) {
            _unbond(i * 1_000e18);
            _pass(2 days);
        }
        assertEq(_withdraw(), 1_000e18);
        _pass(2 days);
        assertEq(_withdraw(), 2_000e18);
        IValidatorRegistry.Tranche[] memory left = validators.unbondingOf(id);
        assertEq(left.length, 2);
        assertEq(left[0].amount, 3_000e18);
        assertEq(left[1].amount, 4_000e18);
        _expectNotReady(left[0].readyAt);
        _withdraw();
        _pass(4 days);
        assertEq(_withdraw(), 7_000e18);
        assertEq(validators.unbondingOf(id).length, 0);
        assertEq(_vaultBalance(id), 40_000e18);
    }

    function test_WhoExitedIsPaidInFull() public {
        _unbond(50_000e18);
        _pass(7 days);
        _withdraw();
        assertEq(nst.balanceOf(alice.addr), 500_000e18);
        assertEq(_vaultBalance(id), 0);
    }

    function test_NoPauseReachesIt() public {
        vm.startPrank(guardian);
        IPausable(address(router)).pauseSettlement(block.timestamp + 1 days);
        IPausable(address(router)).pauseIntake(block.timestamp + 1 days);
        vm.stopPrank();
        vm.prank(alice.addr);
        validators.pauseValidator();
        _unbond(20_000e18);
        _pass(6 days);
        vm.prank(guardian);
        IPausable(address(router)).pauseSettlement(block.timestamp + 1 days);
        vm.warp(block.timestamp + 1 days);
        assertEq(_withdraw(), 20_000e18);
    }

    function test_RevertWhen_NotRegistered() public {
        _unbond(20_000e18);
        _pass(7 days);
        _expectStranger(bob.addr);
        validators.withdrawUnbonded();
    }
}

contract SetModelsTest is RegistryScene {
    uint256 internal id;

    function setUp() public override {
        super.setUp();
        id = _try(20_000e18, _two("llama-2-7b-q4", "demo-3m"), ENDPOINT);
    }

    function test_AddsAndRemovesWhatDiffers() public {
        _pass(100);
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ModelsChanged(id, _two("gpt-2-q4", "demo-3m"));
        _setModels(_two("gpt-2-q4", "demo-3m"));
        assertEq(router.offerOf(LLAMA7).tickets() + router.offerOf(LLAMA7).servers(), 0);
        assertEq(router.offerOf(GPT2).tickets(), 4);
        assertEq(router.offerOf(GPT2).servers(), 1);
        assertEq(router.offerOf(DEMO).tickets(), 4);
        assertEq(router.offerOf(DEMO).servers(), 1);
        assertEq(router.validatorOf(id).models, 17);
        assertEq(validators.validatorById(id).models, _two("gpt-2-q4", "demo-3m"));
        assertEq(_seatedAt(id), block.timestamp);
    }

    function test_FewerGainNothing() public {
        uint256 seatedAt = _seatedAt(id);
        _pass(100);
        _setModels(_names());
        assertEq(validators.validatorById(id).models, _names());
        assertEq(router.offerOf(DEMO).tickets(), 0);
        assertEq(_seatedAt(id), seatedAt);
    }

    function test_OpenWorkStaysItsOwn() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _setModels(_one("demo-3m"));
        _settle(alice.addr, t, 10);
        assertEq(router.validatorOf(id).completed, 1);
        (bytes32 request,) = _submit(bob.addr, _ask());
        assertEq(uint256(_status(request)), uint256(RequestStatus.Queued));
    }

    function test_RevertWhen_ModelsAreMissingUnknownOrTwice() public {
        vm.expectRevert(IValidatorRegistry.RegistryNoModels.selector);
        _setModels(new string[](0));
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryDuplicateModel.selector, "demo-3m"));
        _setModels(_two("demo-3m", "demo-3m"));
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryUnknownModel.selector, "gpt-9"));
        _setModels(_one("gpt-9"));
    }

    /// @dev Without stake nobody serves, in any lane.
    function test_RevertGiven_AnExit() public {
        _unbond(20_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryExited.selector, id));
        _setModels(_names());
    }

    function test_RevertWhen_NotRegistered() public {
        _expectStranger(bob.addr);
        validators.setModels(_names());
    }
}

contract SetEndpointTest is RegistryScene {
    function test_TellsOldAndNew() public {
        uint256 id = _join(5_000e18);
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.EndpointChanged(id, ENDPOINT, "https://other.example");
        vm.prank(alice.addr);
        validators.setEndpoint("https://other.example");
        assertEq(validators.validatorById(id).endpoint, "https://other.example");
    }

    function test_TakesTwoHundredCharacters() public {
        uint256 id = _join(5_000e18);
        vm.prank(alice.addr);
        validators.setEndpoint(_endpointOf(200));
        assertEq(validators.validatorById(id).endpoint, _endpointOf(200));
    }

    function test_RevertWhen_ItIsNone() public {
        _join(5_000e18);
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.RegistryInvalidEndpoint.selector, "http://node.example")
        );
        vm.prank(alice.addr);
        validators.setEndpoint("http://node.example");
    }

    function test_RevertWhen_NotRegistered() public {
        _expectStranger(bob.addr);
        validators.setEndpoint(ENDPOINT);
    }
}

contract RotateOperatorTest is RegistryScene {
    Person internal first;
    Person internal second;
    uint256 internal id;

    function setUp() public override {
        super.setUp();
        (first, second) = (_person("first"), _person("second"));
        id = _registerWith(alice.addr, 50_000e18, first);
    }

    function _rotate(Person memory to) internal {
        uint64 deadline = uint64(block.timestamp + 1 hours);
        bytes memory consent = _consent(to.key, alice.addr, deadline);
        vm.prank(alice.addr);
        validators.rotateOperator(to.addr, deadline, consent);
    }

    function test_TheNewKeyIsTheValidator() public {
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.OperatorRotated(id, first.addr, second.addr);
        _rotate(second);
        assertEq(router.validatorOf(id).operator, second.addr);
        assertEq(router.validatorIdOf(second.addr), id);
        assertEq(router.validatorIdOf(first.addr), 0);
        assertEq(validators.formerlyOf(first.addr), id);
        assertEq(validators.formerlyOf(second.addr), 0);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, first.addr));
        vm.prank(first.addr);
        router.heartbeat();
        vm.prank(second.addr);
        router.heartbeat();
    }

    /// @dev Record and earnings are the validator's, whatever key it works with.
    function test_RecordAndEarningsGoAlong() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _settle(first.addr, t, 450);
        (, t) = _submit(bob.addr, _ask());
        vm.prank(first.addr);
        router.fail(t);
        bytes memory before = abi.encode(router.validatorOf(id).success, router.validatorOf(id).completed);
        uint256 reputation = router.validatorOf(id).reputation;
        assertLt(reputation, 100);
        _rotate(second);
        assertEq(abi.encode(router.validatorOf(id).success, router.validatorOf(id).completed), before);
        assertEq(router.validatorOf(id).reputation, reputation);
        assertEq(router.validatorOf(id).validatorLeg, 35e18);
        credits.startClaim(id);
        _pass(1 hours);
        credits.claim(id);
        assertEq(nsd.balanceOf(alice.addr), 100_000e18 + 35e18);
    }

    /// @dev Two weeks of silence before, a slot after: the map of uptime goes along with the key.
    function test_UptimeGoesAlong() public {
        _pass(15 days);
        vm.prank(first.addr);
        router.heartbeat();
        uint256 uptime = router.validatorOf(id).uptime;
        assertLt(uptime, 140);
        _rotate(second);
        assertEq(router.validatorOf(id).uptime, uptime);
        _pass(10_125);
        vm.prank(second.addr);
        router.heartbeat();
        assertApproxEqAbs(router.validatorOf(id).uptime, uptime, 2);
    }

    function test_OpenWorkIsSettledByTheNewKey() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        (, Ticket memory u) = _submit(bob.addr, _ask());
        _rotate(second);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotAssigned.selector, first.addr, id));
        _settle(first.addr, t, 10);
        _settle(second.addr, t, 10);
        vm.prank(second.addr);
        router.fail(u);
        assertEq(router.validatorOf(id).load, 0);
        assertEq(router.validatorOf(id).completed, 1);
        assertEq(router.validatorOf(id).failed, 1);
    }

    /// @dev Who was not seen since the assignment stays unseen: a fresh key is no alibi.
    function test_AnUnseenNodeStaysUnseen() public {
        _pass(5);
        (bytes32 request, Ticket memory t) = _submit(bob.addr, _ask());
        _pass(10);
        _rotate(second);
        _pass(21);
        router.expire(t);
        assertEq(uint256(router.requestOf(request).failure), uint256(FailureClass.Offline));
        assertEq(router.validatorOf(id).failed, 1);
    }

    function test_ASeenNodeStaysSeen() public {
        (bytes32 request, Ticket memory t) = _submit(bob.addr, _ask());
        _pass(10);
        vm.prank(first.addr);
        router.heartbeat();
        _rotate(second);
        _pass(21);
        vm.expectRevert();
        router.expire(t);
        _pass(100);
        router.expire(t);
        assertEq(uint256(router.requestOf(request).failure), uint256(FailureClass.Timeout));
    }

    /// @dev A direct intent names a key: neither the old one nor the new one can deliver it any more.
    function test_IntentsForThePreviousKeyAreVoid() public {
        _deposit(bob.addr, 100e18);
        Delivery memory item = _delivery(bob, _direct(bob.addr, 0, first.addr), 317);
        _rotate(second);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, first.addr));
        _deliver(first.addr, item);
        // The intent, as the new key would have to read it, is another one, which bob did not sign.
        Intent memory other = _direct(bob.addr, 0, second.addr);
        vm.expectEmit(address(router));
        emit IRouterLog.DeliverySkipped(router.hashIntent(other), bob.addr, 0, SkipReason.BadSignature);
        _deliver(second.addr, item);
        assertEq(router.accountOf(bob.addr).credits, 100e18);
        _deliver(second.addr, _delivery(bob, other, 317));
        assertEq(router.validatorOf(id).completed, 1);
    }

    function test_ToTheOwnersOwnKeyWithoutASignature() public {
        vm.prank(alice.addr);
        validators.rotateOperator(alice.addr, 0, "");
        assertEq(router.validatorIdOf(alice.addr), id);
    }

    function _expectTaken(address key) internal {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryOperatorTaken.selector, key));
    }

    function test_RevertGiven_AKeyThatOperatesOrDid() public {
        _expectTaken(first.addr);
        this.rotate(first);
        _registerWith(bob.addr, 5_000e18, second);
        _expectTaken(second.addr);
        this.rotate(second);
        Person memory third = _person("third");
        _rotate(third);
        _expectTaken(first.addr);
        this.rotate(first);
        _expectTaken(address(0));
        vm.prank(alice.addr);
        validators.rotateOperator(address(0), type(uint64).max, "");
    }

    /// @dev So that the error is expected of the rotation, and not of the signing before it.
    function rotate(Person memory to) external {
        _rotate(to);
    }

    function test_RevertWhen_ASpentKeyServesAnother() public {
        _rotate(second);
        uint64 deadline = uint64(block.timestamp + 1 hours);
        bytes memory consent = _consent(first.key, bob.addr, deadline);
        _expectTaken(first.addr);
        vm.prank(bob.addr);
        validators.registerValidatorWithOperator(5_000e18, _names(), ENDPOINT, first.addr, deadline, consent);
        _expectTaken(first.addr);
        vm.prank(first.addr);
        validators.registerValidator(5_000e18, _names(), ENDPOINT);
    }

    function test_RevertWhen_TheKeyDidNotConsent() public {
        uint64 deadline = uint64(block.timestamp);
        bytes memory consent = _consent(second.key, bob.addr, deadline);
        vm.expectRevert(
            abi.encodeWithSelector(IValidatorRegistry.RegistryInvalidSignature.selector, alice.addr, second.addr)
        );
        vm.prank(alice.addr);
        validators.rotateOperator(second.addr, deadline, consent);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryExpired.selector, deadline - 1));
        vm.prank(alice.addr);
        validators.rotateOperator(second.addr, deadline - 1, consent);
    }

    function test_RevertWhen_TheOperatorRotatesItself() public {
        _expectStranger(first.addr);
        validators.rotateOperator(second.addr, type(uint64).max, "");
    }
}

contract PauseValidatorTest is RegistryScene {
    uint256 internal id;
    Person internal operator;

    function setUp() public override {
        super.setUp();
        operator = _person("operator");
        id = _registerWith(alice.addr, 50_000e18, operator);
    }

    function test_OutOfRoutingAndBack() public {
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ValidatorPaused(id);
        vm.prank(alice.addr);
        validators.pauseValidator();
        assertTrue(router.validatorOf(id).closed);
        _pass(100);
        assertLt(_seatedAt(id), block.timestamp);
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ValidatorResumed(id);
        vm.prank(operator.addr);
        validators.resumeValidator();
        assertFalse(router.validatorOf(id).closed);
        assertEq(_seatedAt(id), block.timestamp, "it came back");
        _pass(100);
        vm.prank(alice.addr);
        validators.resumeValidator();
        assertLt(_seatedAt(id), block.timestamp, "it never was away");
    }

    function test_OpenWorkStaysItsOwn() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        vm.prank(alice.addr);
        validators.pauseValidator();
        _settle(operator.addr, t, 10);
        assertEq(router.validatorOf(id).completed, 1);
        assertTrue(router.validatorOf(id).closed);
    }

    function test_RevertWhen_SomebodyElsePauses() public {
        _expectStranger(bob.addr);
        validators.pauseValidator();
        _expectStranger(operator.addr);
        validators.pauseValidator();
        _expectStranger(bob.addr);
        validators.resumeValidator();
    }

    function test_RevertGiven_AnExit() public {
        _unbond(50_000e18);
        bytes memory reason = abi.encodeWithSelector(IValidatorRegistry.RegistryExited.selector, id);
        vm.expectRevert(reason);
        vm.prank(operator.addr);
        validators.resumeValidator();
        _pass(2 days);
        vm.expectRevert(reason);
        validators.markDormant(id);
        assertTrue(router.validatorOf(id).closed);
    }
}

contract MarkDormantTest is RegistryScene {
    uint256 internal id;

    function setUp() public override {
        super.setUp();
        id = _join(50_000e18);
    }

    function test_AfterADayUnseen() public {
        uint256 seen = block.timestamp;
        vm.warp(seen + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStillSeen.selector, id, seen));
        validators.markDormant(id);
        vm.warp(seen + 1 days + 1);
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ValidatorDormant(id);
        vm.prank(bob.addr);
        validators.markDormant(id);
        assertTrue(router.validatorOf(id).closed);
    }

    function test_ShowingUpEndsIt() public {
        _pass(2 days);
        validators.markDormant(id);
        vm.prank(alice.addr);
        validators.resumeValidator();
        assertFalse(router.validatorOf(id).closed);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStillSeen.selector, id, block.timestamp));
        validators.markDormant(id);
    }

    /// @dev More stake is no sign of life of a node; only who left comes back by it.
    function test_MoreStakeDoesNotEndIt() public {
        _pass(2 days);
        validators.markDormant(id);
        _stakeMore(5_000e18);
        assertTrue(router.validatorOf(id).closed);
    }

    function test_RevertWhen_NobodyHasTheId() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryNotRegistered.selector, address(0)));
        validators.markDormant(77);
    }
}

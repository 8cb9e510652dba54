// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Parameter} from "../../contracts/interfaces/IFeeController.sol";
import {IValidatorRegistry} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {Scene} from "./support/Scene.sol";

abstract contract RegistryScene is Scene {
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
        return _try(stake, _names(), "https://node.example");
    }
}

contract RegisterValidatorTest is RegistryScene {
    function test_StakesSeatsAndTells() public {
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ValidatorRegistered(alice.addr, 20_000e18, _names());
        uint256 id = _join(20_000e18);
        assertEq(id, 4);
        assertEq(nst.balanceOf(address(validators)), 20_000e18);
        IValidatorRegistry.Validator memory v = validators.validatorOf(alice.addr);
        assertEq(v.id, id);
        assertEq(v.operator, alice.addr);
        assertEq(v.stake, 20_000e18);
        assertEq(v.models[0], "llama-2-7b-q4");
        assertEq(v.endpoint, "https://node.example");
        assertEq(v.reputation, 100);
        assertEq(v.totalRequests + v.successfulRequests, 0);
        assertEq(v.registered, block.timestamp);
        assertEq(router.validatorOf(id).stake, 20);
        assertEq(router.validatorOf(id).capacity, 8);
        assertTrue(router.validatorOf(id).probation);
        assertEq(router.offerOf(LLAMA7).tickets(), 4);
        assertEq(router.offerOf(LLAMA7).servers(), 1);
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

    function test_WithAnOperatorOfItsOwn() public {
        vm.prank(alice.addr);
        uint256 id = validators.registerValidatorWithOperator(5_000e18, _names(), "https://node.example", relayer);
        assertEq(router.validatorIdOf(relayer), id);
        assertEq(router.validatorIdOf(alice.addr), 0);
        (, Ticket memory t) = _submit(bob.addr, _ask());
        _settle(relayer, t, 450);
        credits.startClaim(id);
        _pass(1 hours);
        credits.claim(id);
        assertEq(nsd.balanceOf(alice.addr), 100_000e18 + 35e18, "the owner earns");
    }

    function test_RevertWhen_RegisteredTwice() public {
        _join(5_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryAlreadyRegistered.selector, alice.addr));
        _join(5_000e18);
    }

    function test_RevertWhen_TheOperatorIsTaken() public {
        _join(5_000e18);
        vm.startPrank(bob.addr);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryOperatorTaken.selector, alice.addr));
        validators.registerValidatorWithOperator(5_000e18, _names(), "https://node.example", alice.addr);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryOperatorTaken.selector, address(0)));
        validators.registerValidatorWithOperator(5_000e18, _names(), "https://node.example", address(0));
        vm.stopPrank();
    }

    function test_RevertWhen_TheStakeIsTooLow() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeTooLow.selector, 5_000e18 - 1, 5_000e18));
        _join(5_000e18 - 1);
        vm.prank(admin);
        fees.set(Parameter.MinimumStake, 8_000e18);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStakeTooLow.selector, 5_000e18, 8_000e18));
        _join(5_000e18);
    }

    function test_RevertWhen_ModelsAreMissingUnknownOrTwice() public {
        vm.expectRevert(IValidatorRegistry.RegistryNoModels.selector);
        _try(5_000e18, new string[](0), "https://node.example");
        string[] memory names = new string[](2);
        (names[0], names[1]) = ("demo-3m", "demo-3m");
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryDuplicateModel.selector, "demo-3m"));
        _try(5_000e18, names, "https://node.example");
        names[1] = "gpt-9";
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryUnknownModel.selector, "gpt-9"));
        _try(5_000e18, names, "https://node.example");
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
        bytes memory long = new bytes(201);
        for (uint256 i; i < 201; ++i) {
            long[i] = i < 8 ? bytes("https://")[i] : bytes1("a");
        }
        _badEndpoint(string(long));
    }

    function test_AllModelsAtOnce() public {
        string[] memory names = new string[](5);
        for (uint256 i; i < 5; ++i) {
            names[i] = _launchModels()[i].name;
        }
        uint256 id = _try(100_000e18, names, "https://node.example");
        assertEq(router.validatorOf(id).models, 31);
        assertEq(router.offerOf(DEMO).tickets(), 20);
    }

    function testFuzz_CapacityFollowsStake(uint256 stake) public {
        stake = bound(stake, 5_000e18, 400_000e18);
        uint256 id = _join(stake);
        uint256 places = stake / 2_500e18;
        assertEq(router.validatorOf(id).capacity, places > 63 ? 63 : places);
        uint256 thousands = stake / 1_000e18;
        assertEq(router.validatorOf(id).stake, thousands > 127 ? 127 : thousands);
        assertEq(router.offerOf(LLAMA7).tickets(), stake / 5_000e18);
    }

    function test_StakeIsTheSum() public {
        _join(5_000e18);
        vm.prank(bob.addr);
        validators.registerValidator(7_000e18, _names(), "https://node.example");
        assertEq(validators.totalStaked(), 12_000e18);
        assertEq(validators.count(), 2);
        assertEq(validators.ownerOf(5), bob.addr);
        assertEq(validators.idOf(bob.addr), 5);
    }
}

contract PauseValidatorTest is RegistryScene {
    uint256 internal id;

    function setUp() public override {
        super.setUp();
        vm.prank(alice.addr);
        id = validators.registerValidatorWithOperator(50_000e18, _names(), "https://node.example", relayer);
    }

    function test_OutOfRoutingAndBack() public {
        vm.expectEmit(address(validators));
        emit IValidatorRegistry.ValidatorPaused(id);
        vm.prank(alice.addr);
        validators.pauseValidator();
        assertTrue(router.validatorOf(id).closed);
        vm.prank(relayer);
        validators.resumeValidator();
        assertFalse(router.validatorOf(id).closed);
    }

    function test_OpenWorkStaysItsOwn() public {
        (, Ticket memory t) = _submit(bob.addr, _ask());
        vm.prank(alice.addr);
        validators.pauseValidator();
        _settle(relayer, t, 10);
        assertEq(router.validatorOf(id).completed, 1);
        assertTrue(router.validatorOf(id).closed);
    }

    function test_RevertWhen_SomebodyElsePauses() public {
        bytes memory reason = abi.encodeWithSelector(IValidatorRegistry.RegistryNotRegistered.selector, bob.addr);
        vm.startPrank(bob.addr);
        vm.expectRevert(reason);
        validators.pauseValidator();
        vm.expectRevert(reason);
        validators.resumeValidator();
        vm.stopPrank();
    }

    function test_DormantAfterADayUnseen() public {
        uint256 seen = block.timestamp;
        vm.warp(seen + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStillSeen.selector, id, seen));
        validators.markDormant(id);
        vm.warp(seen + 1 days + 1);
        vm.prank(bob.addr);
        validators.markDormant(id);
        assertTrue(router.validatorOf(id).closed);
    }

    function test_ShowingUpEndsDormancy() public {
        _pass(2 days);
        validators.markDormant(id);
        vm.prank(relayer);
        validators.resumeValidator();
        assertFalse(router.validatorOf(id).closed);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryStillSeen.selector, id, block.timestamp));
        validators.markDormant(id);
    }

    function test_RevertWhen_NobodyIsDormant() public {
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.RegistryNotRegistered.selector, address(0)));
        validators.markDormant(77);
    }
}

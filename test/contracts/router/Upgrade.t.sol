// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {IRouterLog, IRouterPeers, Outcome, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {IPausable} from "../support/Deployment.sol";
import {Scene} from "../support/Scene.sol";

contract SelectorsTest is Scene {
    function _methods(string memory name) private view returns (string memory) {
        return vm.readFile(string.concat("artifacts/forge/", name, ".json"));
    }

    function _answered(string memory name) private view {
        string[] memory wanted = vm.parseJsonKeys(_methods(name), ".methodIdentifiers");
        assertGt(wanted.length, 5);
        uint256[] memory links = new uint256[](wanted.length);
        string[4] memory code = ["InferenceRouter", "RouterExtension", "RouterLanes", "RouterSeats"];
        for (uint256 k; k < 4; ++k) {
            string[] memory own =
                vm.parseJsonKeys(_methods(string.concat(code[k], ".sol/", code[k])), ".methodIdentifiers");
            for (uint256 i; i < wanted.length; ++i) {
                if (_has(own, wanted[i])) ++links[i];
            }
        }
        for (uint256 i; i < wanted.length; ++i) {
            assertEq(links[i], 1, wanted[i]);
        }
    }

    function _has(string[] memory list, string memory name) private pure returns (bool) {
        for (uint256 i; i < list.length; ++i) {
            if (keccak256(bytes(list[i])) == keccak256(bytes(name))) return true;
        }
        return false;
    }

    function test_EveryFunctionOfTheRouterIsAnswered() public view {
        _answered("IInferenceRouter.sol/IInferenceRouter");
    }

    function test_EveryFunctionForThePeersIsAnswered() public view {
        _answered("IInferenceRouter.sol/IRouterPeers");
    }

    function test_RevertWhen_NobodyKnowsTheFunction() public {
        (bool ok, bytes memory data) = address(router).call(abi.encodeWithSignature("nobodyKnows()"));
        assertFalse(ok);
        assertEq(data.length, 0);
    }

    function test_ReasonsComeThroughTheFallback() public {
        Ticket memory t = _ticketOf(alice.addr, _ask(), 0);
        bytes32 id = router.requestId(t);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidStatus.selector, id, RequestStatus.None));
        router.expire(t);
    }
}

contract UpgradeTest is Scene {
    function _proxies() private view returns (address[6] memory) {
        return [address(router), address(credits), address(validators), address(models), address(reward), address(fees)];
    }

    function test_ImplementationsAreLocked() public {
        for (uint256 i; i < 6; ++i) {
            address code = _implementationOf(_proxies()[i]);
            vm.expectRevert(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector);
            UUPSUpgradeable(code).upgradeToAndCall(vacant, "");
        }
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        (bool ok,) = _implementationOf(address(router)).call(abi.encodeWithSignature("initialize()"));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        (ok,) = _implementationOf(address(credits)).call(abi.encodeWithSignature("initialize(address)", alice.addr));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        (ok,) = vacant.call(abi.encodeWithSignature("initialize(address)", alice.addr));
    }

    function test_ProxiesAreInitialisedOnce() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        (bool ok,) = address(router).call(abi.encodeWithSignature("initialize()"));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        (ok,) = address(credits).call(abi.encodeWithSignature("initialize(address)", alice.addr));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        (ok,) = address(fees).call(abi.encodeWithSignature("initialize(uint256[])", _launchValues()));
    }

    function test_RevertWhen_SomebodyElseUpgrades() public {
        bytes memory reason = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice.addr);
        for (uint256 i; i < 6; ++i) {
            vm.expectRevert(reason);
            vm.prank(alice.addr);
            UUPSUpgradeable(_proxies()[i]).upgradeToAndCall(vacant, "");
        }
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, guardian));
        vm.prank(guardian);
        UUPSUpgradeable(address(router)).upgradeToAndCall(vacant, "");
    }

    function test_RevertGiven_ADelayThatIsNotOver() public {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = UUPSUpgradeable.upgradeToAndCall.selector;
        address upgrader = makeAddr("upgrader");
        vm.startPrank(admin);
        manager.setTargetFunctionRole(address(router), selectors, 9);
        manager.grantRole(9, upgrader, 8 days);
        vm.stopPrank();
        address code = _routerCode();
        bytes memory data = abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (code, ""));
        vm.prank(upgrader);
        vm.expectRevert();
        UUPSUpgradeable(address(router)).upgradeToAndCall(code, "");
        vm.prank(upgrader);
        manager.schedule(address(router), data, 0);
        vm.warp(block.timestamp + 8 days - 1);
        vm.prank(upgrader);
        vm.expectRevert();
        manager.execute(address(router), data);
        vm.warp(block.timestamp + 1);
        vm.prank(upgrader);
        manager.execute(address(router), data);
        assertEq(_implementationOf(address(router)), code);
    }

    function test_KeepsOpenRequestsAndBalances() public {
        (address node, uint256 nodeId) = _validator("node", 100_000e18);
        _deposit(alice.addr, 500e18);
        (bytes32 id, Ticket memory t) = _submit();
        _upgrade(address(router), _routerCode(), "");
        assertEq(uint256(_status(id)), uint256(RequestStatus.Assigned));
        assertEq(router.accountOf(alice.addr).credits, 450e18);
        _settle(node, t, 317);
        assertEq(router.validatorOf(nodeId).validatorLeg, 25.69e18);
    }

    function test_TheExtensionAloneCanDoNothing() public {
        vm.startPrank(guardian);
        vm.expectRevert();
        IPausable(extension).pauseSettlement(block.timestamp + 1);
        vm.stopPrank();
        (bool ok,) = extension.call(abi.encodeWithSignature("initialize()"));
        assertFalse(ok);
        Ticket memory t = _ticketOf(alice.addr, _ask(), 0);
        (ok,) = extension.call(abi.encodeCall(router.expire, (t)));
        assertFalse(ok);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterOnlyPeer.selector, address(this)));
        IRouterPeers(seats).setClosed(4, true);
    }
}

/// @notice What only peers may write, and what anybody may read.
contract DoorsTest is Scene {
    function _shut(bytes memory data) private {
        address[3] memory others = [alice.addr, admin, guardian];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterOnlyPeer.selector, others[i]));
            vm.prank(others[i]);
            (bool ok,) = address(router).call(data);
            assertTrue(ok, "refused as expected");
        }
    }

    function test_RevertWhen_StrangersPlayPeers() public {
        bytes32[] memory none = new bytes32[](0);
        _shut(abi.encodeCall(_peers().credit, (alice.addr, 1)));
        _shut(abi.encodeCall(_peers().debit, (alice.addr, 1)));
        _shut(abi.encodeCall(_peers().sweep, (4)));
        _shut(abi.encodeCall(_peers().takeUnretired, ()));
        _shut(abi.encodeCall(_peers().takeAccrued, (alice.addr, 1)));
        _shut(abi.encodeCall(_peers().enlist, (4, alice.addr, 1, none)));
        _shut(abi.encodeCall(_peers().restake, (4, 1, 2)));
        _shut(abi.encodeCall(_peers().serve, (4, 1, none)));
        _shut(abi.encodeCall(_peers().rotate, (4, alice.addr)));
        _shut(abi.encodeCall(_peers().setClosed, (4, true)));
        _shut(abi.encodeCall(_peers().setOffer, (LLAMA7, router.offerOf(LLAMA7))));
        _shut(abi.encodeCall(_peers().freeze, (0, 4, 1, 1)));
        _shut(abi.encodeCall(_peers().release, (0)));
        _shut(abi.encodeCall(_peers().award, (0, alice.addr)));
    }

    function testFuzz_GettersNeverRevert(bytes32 id, address who, uint256 n, Outcome memory outcome) public view {
        router.requestOf(id);
        router.accountOf(who);
        router.isNonceUsed(who, n);
        router.validatorOf(n);
        router.validatorIdOf(who);
        router.offerOf(id);
        router.isOutcome(id, outcome);
        router.ledger();
        router.chain();
        router.checkpointOf(n);
        router.sessionOf(id);
        router.commitmentOf(who, id);
        router.frozenOf(id);
        router.earlierOf(id);
        credits.creditsOf(who);
        credits.withdrawalOf(who);
        credits.claimOf(n);
        credits.ledger();
        validators.validatorOf(who);
        validators.validatorById(n);
        validators.ownerOf(n);
        validators.stakeOf(who);
        validators.idOf(who);
        validators.unbondingOf(n);
        validators.vaultOf(n);
        validators.delegateOf(n);
        validators.formerlyOf(who);
        validators.count();
        validators.totalStaked();
        validators.minimumStake();
        models.modelOf(id);
        models.isModel(id);
        models.models();
        models.verifyDelivered(n, new bytes32[](0), id, new bytes32[](0));
        reward.statsOf(who);
        reward.isInferencer(who);
        fees.settings();
        lcai.rewardsOf(who);
        router.tokensFor(LLAMA7, n, true);
    }
}

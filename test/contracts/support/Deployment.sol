// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Test} from "forge-std/Test.sol";
import {IFeeController, Parameter} from "../../../contracts/interfaces/IFeeController.sol";
import {IInferenceRouter, IRouterPeers} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {ILocator} from "../../../contracts/interfaces/ILocator.sol";
import {IModelAccessCredits} from "../../../contracts/interfaces/IModelAccessCredits.sol";
import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IModelReward} from "../../../contracts/interfaces/IModelReward.sol";
import {INSD, IRewardToken} from "../../../contracts/interfaces/ITokens.sol";
import {IValidatorRegistry} from "../../../contracts/interfaces/IValidatorRegistry.sol";

interface IPausable {
    function pauseSettlement(uint256 until) external;
    function pauseIntake(uint256 until) external;
}

/// @notice Puts the whole system on chain in the order that contracts/README.md gives, from the artifacts that are
/// deployed elsewhere, with the numbers of the protocol and its five models.
abstract contract Deployment is Test {
    struct Peers {
        address credits;
        address validators;
        address models;
        address reward;
        address court;
        address lcai;
    }

    bytes32 internal constant IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    uint256 internal constant WINDOW_BLOCKS = 2;
    uint64 internal constant GUARDIAN_ROLE = 7;
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant START_BLOCK = 1_000;

    bytes32 internal constant GPT2 = keccak256("gpt-2-q4");
    bytes32 internal constant LLAMA7 = keccak256("llama-2-7b-q4");
    bytes32 internal constant LLAMA13 = keccak256("llama-2-13b-q4");
    bytes32 internal constant LLAMA70 = keccak256("llama-2-70b-q4");
    bytes32 internal constant DEMO = keccak256("demo-3m");

    address internal admin = makeAddr("admin");
    address internal guardian = makeAddr("guardian");
    address internal treasury = makeAddr("treasury");
    /// Holds what genesis creates.
    address internal bank = makeAddr("bank");

    IAccessManager internal manager;
    IInferenceRouter internal router;
    IModelAccessCredits internal credits;
    IValidatorRegistry internal validators;
    IModelRegistry internal models;
    IModelReward internal reward;
    IFeeController internal fees;
    address internal choirRewards;
    address internal court;
    INSD internal nsd;
    IERC20 internal nst;
    IRewardToken internal lcai;
    IRewardToken internal choir;
    address internal vacant;
    address internal extension;
    address internal lanes;
    address internal seats;
    address internal vaultCode;
    ILocator internal locator;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(START_BLOCK);
        _deploySystem();
    }

    function _deploySystem() internal {
        manager = IAccessManager(_code("AccessManager.sol/AccessManager", abi.encode(admin)));
        vacant = _code("Vacant.sol/Vacant", "");
        router = IInferenceRouter(_proxy());
        credits = IModelAccessCredits(_proxy());
        validators = IValidatorRegistry(_proxy());
        models = IModelRegistry(_proxy());
        reward = IModelReward(_proxy());
        fees = IFeeController(_proxy());
        choirRewards = _proxy();
        court = _proxy();
        _deployTokens();
        _moveIn();
        _grantRoles();
        address[8] memory all = [
            address(nsd),
            address(nst),
            address(lcai),
            address(choir),
            address(router),
            address(credits),
            address(validators),
            address(fees)
        ];
        locator = ILocator(_code("Locator.sol/Locator", abi.encode(all)));
    }

    function _deployTokens() private {
        nsd = INSD(_code("NSD.sol/NSD", abi.encode(credits, bank)));
        nst = IERC20(_code("NST.sol/NST", abi.encode(bank)));
        lcai = IRewardToken(_code("ModelToken.sol/ModelToken", abi.encode(router, reward)));
        choir = IRewardToken(_code("ChoirToken.sol/ChoirToken", abi.encode(choirRewards)));
    }

    function _moveIn() private {
        _upgrade(address(router), _routerCode(), abi.encodeWithSignature("initialize()"));
        address code = _code("FeeController.sol/FeeController", abi.encode(models));
        _upgrade(address(fees), code, abi.encodeWithSignature("initialize(uint256[])", _launchValues()));
        code = _code("ModelRegistry.sol/ModelRegistry", abi.encode(router, fees));
        bytes memory data = abi.encodeWithSelector(
            bytes4(keccak256("initialize((string,bytes32,uint32,uint32,uint32,uint16,uint16,bool)[])")), _launchModels()
        );
        _upgrade(address(models), code, data);
        vaultCode = _code("StakeVault.sol/StakeVault", abi.encode(nst, validators));
        code = _code("ValidatorRegistry.sol/ValidatorRegistry", abi.encode(router, nst, models, fees, vaultCode, false));
        _upgrade(address(validators), code, "");
        code = _code("ModelAccessCredits.sol/ModelAccessCredits", abi.encode(router, nsd, validators, fees));
        _upgrade(address(credits), code, abi.encodeWithSignature("initialize(address)", treasury));
        _upgrade(address(reward), _code("ModelReward.sol/ModelReward", abi.encode(router, lcai)), "");
    }

    function _routerCode() internal returns (address) {
        Peers memory peers =
            Peers(address(credits), address(validators), address(models), address(reward), court, address(lcai));
        seats = _code("RouterSeats.sol/RouterSeats", abi.encode(peers, WINDOW_BLOCKS));
        lanes = _code("RouterLanes.sol/RouterLanes", abi.encode(peers, WINDOW_BLOCKS, seats));
        extension = _code("RouterExtension.sol/RouterExtension", abi.encode(peers, WINDOW_BLOCKS, lanes));
        return _code("InferenceRouter.sol/InferenceRouter", abi.encode(peers, WINDOW_BLOCKS, extension));
    }

    /// @dev Everything restricted stays with the admin, who plays governance, but for the two pauses.
    function _grantRoles() private {
        bytes4[] memory selectors = new bytes4[](2);
        selectors[0] = IPausable.pauseSettlement.selector;
        selectors[1] = IPausable.pauseIntake.selector;
        vm.startPrank(admin);
        manager.setTargetFunctionRole(address(router), selectors, GUARDIAN_ROLE);
        manager.grantRole(GUARDIAN_ROLE, guardian, 0);
        vm.stopPrank();
    }

    function _upgrade(address proxy, address implementation, bytes memory data) internal {
        vm.prank(admin);
        UUPSUpgradeable(proxy).upgradeToAndCall(implementation, data);
    }

    function _proxy() internal returns (address) {
        bytes memory data = abi.encodeWithSignature("initialize(address)", manager);
        return _code("ERC1967Proxy.sol/ERC1967Proxy", abi.encode(vacant, data));
    }

    function _code(string memory name, bytes memory args) internal returns (address) {
        return deployCode(string.concat("artifacts/forge/", name, ".json"), args);
    }

    function _implementationOf(address proxy) internal view returns (address) {
        return address(uint160(uint256(vm.load(proxy, IMPLEMENTATION_SLOT))));
    }

    function _launchValues() internal pure returns (uint256[] memory values) {
        values = new uint256[](11);
        values[uint256(Parameter.BaseFee)] = 5e18;
        values[uint256(Parameter.CostPerToken)] = 0.1e18;
        values[uint256(Parameter.BurnBps)] = 1_000;
        values[uint256(Parameter.PriceIndex)] = 1e18;
        values[uint256(Parameter.AckWindow)] = 30;
        values[uint256(Parameter.QueueWindow)] = 300;
        values[uint256(Parameter.ChallengeWindow)] = 1 hours;
        values[uint256(Parameter.WithdrawDelay)] = 15 minutes;
        values[uint256(Parameter.CallbackGasPrice)] = 0.00001e18;
        values[uint256(Parameter.MinimumStake)] = 5_000e18;
        values[uint256(Parameter.CommitFrom)] = 500e18;
    }

    function _launchModels() internal pure returns (IModelRegistry.Model[] memory list) {
        list = new IModelRegistry.Model[](5);
        list[0] = IModelRegistry.Model("gpt-2-q4", 0, 5_000, 1_024, 1_024, 60, 40, true);
        list[1] = IModelRegistry.Model("llama-2-7b-q4", 0, 10_000, 2_048, 4_096, 60, 20, true);
        list[2] = IModelRegistry.Model("llama-2-13b-q4", 0, 20_000, 2_048, 4_096, 90, 10, true);
        list[3] = IModelRegistry.Model("llama-2-70b-q4", 0, 50_000, 2_048, 4_096, 180, 5, true);
        list[4] = IModelRegistry.Model("demo-3m", 0, 5_000, 2_048, 1_024, 60, 100, true);
    }

    function _peers() internal view returns (IRouterPeers) {
        return IRouterPeers(address(router));
    }
}

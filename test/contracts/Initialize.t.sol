// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IFeeController, Parameter} from "../../contracts/interfaces/IFeeController.sol";
import {IModelAccessCredits} from "../../contracts/interfaces/IModelAccessCredits.sol";
import {Deployment} from "./support/Deployment.sol";

/// @notice What the proxies are set up with, once.
contract InitializeTest is Deployment {
    function _refusesAgain(address proxy, bytes memory data) private {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        (bool ok,) = proxy.call(data);
        assertTrue(ok, "refused as expected");
    }

    function test_RevertWhen_NobodyIsTheTreasury() public {
        address code =
            _code("ModelAccessCredits.sol/ModelAccessCredits", abi.encode(address(router), nsd, validators, fees));
        address proxy = _proxy();
        vm.expectRevert(IModelAccessCredits.CreditsZeroAddress.selector);
        _upgrade(proxy, code, abi.encodeWithSignature("initialize(address)", address(0)));
    }

    function test_RevertWhen_TheCatalogueIsInitialisedAgain() public {
        bytes4 selector = bytes4(keccak256("initialize((string,bytes32,uint32,uint32,uint32,uint16,uint16,bool)[])"));
        _refusesAgain(address(models), abi.encodeWithSelector(selector, _launchModels()));
    }

    function test_RevertWhen_AParameterBeginsOutOfBounds() public {
        address code = _code("FeeController.sol/FeeController", abi.encode(models));
        address proxy = _proxy();
        uint256[] memory values = _launchValues();
        values[uint256(Parameter.BurnBps)] = 99;
        vm.expectRevert(
            abi.encodeWithSelector(IFeeController.FeesOutOfBounds.selector, Parameter.BurnBps, 99, 100, 1_500)
        );
        _upgrade(proxy, code, abi.encodeWithSignature("initialize(uint256[])", values));
        values = _launchValues();
        values[uint256(Parameter.BaseFee)] = 5e18 + 1;
        vm.expectRevert(
            abi.encodeWithSelector(IFeeController.FeesNotAMultiple.selector, Parameter.BaseFee, 5e18 + 1, 1e15)
        );
        _upgrade(proxy, code, abi.encodeWithSignature("initialize(uint256[])", values));
        _upgrade(proxy, code, abi.encodeWithSignature("initialize(uint256[])", _launchValues()));
    }

    /// @dev Also those that hold a place until their contract moves in.
    function test_RevertWhen_AVacantProxyIsTaken() public {
        bytes memory data = abi.encodeWithSignature("initialize(address)", address(this));
        _refusesAgain(court, data);
        _refusesAgain(choirRewards, data);
    }
}

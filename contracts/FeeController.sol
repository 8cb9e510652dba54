// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IFeeController, Parameter} from "./interfaces/IFeeController.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";

/// @title Every number that governance may move
/// @notice # Bounds
/// Each parameter has a least and a greatest value in code; no vote leaves them, and moving a bound is an upgrade.
///
/// # Effect
/// A change reaches requests that open after it. What a request depends on is copied into its own word when it
/// opens, and a delay is turned into a date when it begins; nothing in flight reads this contract.
///
/// # Off the hot path
/// Prices and windows of requests are pushed into the offers. The others are read where a
/// withdrawal, a claim or a registration begins.
contract FeeController is Governed, IFeeController {
    /// @custom:storage-location erc7201:neuroswarm.storage.FeeController
    struct Layout {
        mapping(Parameter => uint256) values;
    }

    // keccak256(abi.encode(uint256(keccak256("neuroswarm.storage.FeeController")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT = 0x96de8d2bc9cee11436d93eb5ec2af6e014c039ce8116e32ed95a32564e17d400;

    IModelRegistry public immutable MODELS;

    constructor(address models) {
        MODELS = IModelRegistry(models);
    }

    /// @param values One a parameter, in the order of `Parameter`.
    function initialize(uint256[] calldata values) external reinitializer(2) {
        for (uint256 i; i <= uint256(type(Parameter).max); ++i) {
            _set(Parameter(i), values[i]);
        }
    }

    function set(Parameter parameter, uint256 value) external restricted {
        _set(parameter, value);
        bool offered = parameter <= Parameter.QueueWindow || parameter == Parameter.CallbackGasPrice
            || parameter == Parameter.CommitFrom;
        if (offered) MODELS.pushOffers();
    }

    function get(Parameter parameter) public view returns (uint256) {
        return _layout().values[parameter];
    }

    function settingOf(Parameter parameter) public view returns (Setting memory) {
        (uint256 minimum, uint256 maximum,) = _bounds(parameter);
        return Setting(get(parameter), minimum, maximum);
    }

    function settings() external view returns (Setting[] memory all) {
        all = new Setting[](uint256(type(Parameter).max) + 1);
        for (uint256 i; i < all.length; ++i) {
            all[i] = settingOf(Parameter(i));
        }
    }

    function pricePart(uint256 multiplierBps, uint256 window, uint256 pace) external view returns (uint256) {
        Layout storage $ = _layout();
        return ($.values[Parameter.CallbackGasPrice] / 1e9 << 62) | ($.values[Parameter.CommitFrom] / 1e18 << 83)
            | ($.values[Parameter.BaseFee] / 1e15 << 96) | ($.values[Parameter.CostPerToken] / 1e12 << 120)
            | (multiplierBps << 152) | ($.values[Parameter.PriceIndex] / 1e9 << 172)
            | ($.values[Parameter.BurnBps] << 208) | (window << 219) | (pace << 233)
            | ($.values[Parameter.AckWindow] / 5 << 243) | ($.values[Parameter.QueueWindow] / 30 << 249);
    }

    function _set(Parameter parameter, uint256 value) private {
        (uint256 minimum, uint256 maximum, uint256 unit) = _bounds(parameter);
        require(value >= minimum && value <= maximum, FeesOutOfBounds(parameter, value, minimum, maximum));
        require(value % unit == 0, FeesNotAMultiple(parameter, value, unit));
        Layout storage $ = _layout();
        emit ParameterChanged(parameter, $.values[parameter], value);
        $.values[parameter] = value;
    }

    /// @dev `unit` is what the word that carries the value can resolve, so that no division here ever rounds.
    function _bounds(Parameter parameter) private pure returns (uint256 minimum, uint256 maximum, uint256 unit) {
        if (parameter == Parameter.BaseFee) return (0.1e18, 100e18, 1e15);
        if (parameter == Parameter.CostPerToken) return (0.001e18, 10e18, 1e12);
        if (parameter == Parameter.BurnBps) return (100, 1500, 1);
        if (parameter == Parameter.PriceIndex) return (0.5e18, 2e18, 1e9);
        if (parameter == Parameter.AckWindow) return (15, 300, 5);
        if (parameter == Parameter.QueueWindow) return (60, 3600, 30);
        if (parameter == Parameter.ChallengeWindow) return (10 minutes, 7 days, 1);
        // Longer than the ten minutes for which a keeper may hold a signed intent back.
        if (parameter == Parameter.WithdrawDelay) return (11 minutes, 1 days, 1);
        if (parameter == Parameter.CallbackGasPrice) return (0, 0.001e18, 1e9);
        if (parameter == Parameter.CommitFrom) return (50e18, 8_000e18, 1e18);
        return (1_000e18, 100_000e18, 1);
    }

    function _layout() private pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := LAYOUT
        }
    }
}

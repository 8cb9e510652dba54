// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Every number that governance may move. The order is storage: new ones are added at the end.
enum Parameter {
    BaseFee, // NSD wei a request
    CostPerToken, // NSD wei an output token
    BurnBps, // bps of what is consumed
    PriceIndex, // 1e18
    AckWindow, // seconds, a multiple of 5
    QueueWindow, // seconds, a multiple of 30
    ChallengeWindow, // seconds
    WithdrawDelay, // seconds
    CallbackGasPrice, // NSD wei a unit of gas, a multiple of 1e9
    MinimumStake, // NST wei
    CommitFrom // NSD wei of payment from which a request goes through commit and reveal, whole NSD
}

/// @title Parameters with bounds in code
interface IFeeController {
    /// @notice A parameter with the bounds that no vote can leave.
    struct Setting {
        uint256 value;
        uint256 minimum;
        uint256 maximum;
    }

    event ParameterChanged(Parameter indexed parameter, uint256 previous, uint256 current);

    error FeesOutOfBounds(Parameter parameter, uint256 value, uint256 minimum, uint256 maximum);
    /// @notice The value is not a multiple of what its word can hold.
    error FeesNotAMultiple(Parameter parameter, uint256 value, uint256 unit);

    /// @notice Changes a parameter for requests that open from now on. Governance alone.
    function set(Parameter parameter, uint256 value) external;

    function get(Parameter parameter) external view returns (uint256);
    function settingOf(Parameter parameter) external view returns (Setting memory);
    function settings() external view returns (Setting[] memory);
    /// @notice What an offer takes from the parameters and the given terms, as `PriceWord` and `Offer` read it.
    function pricePart(uint256 multiplierBps, uint256 window, uint256 pace) external view returns (uint256);
}

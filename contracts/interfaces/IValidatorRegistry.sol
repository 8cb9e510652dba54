// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Who validates, with what stake, for which models
/// @notice Source: seed 3, section 3.
interface IValidatorRegistry {
    /// @notice A validator as the seed lists it.
    /// @param stake NST wei.
    /// @param models Names of the models served.
    /// @param endpoint Where its keeper answers.
    /// @param reputation 0 to 100.
    /// @param totalRequests Requests that ended with it, answered or not.
    /// @param successfulRequests Requests that it answered.
    /// @param registered Unix seconds of its registration, 0 for nobody.
    struct Validator {
        uint256 id;
        address operator;
        uint256 stake;
        string[] models;
        string endpoint;
        uint256 reputation;
        uint256 totalRequests;
        uint256 successfulRequests;
        uint256 registered;
    }

    event ValidatorRegistered(address indexed validator, uint256 stake, string[] supportedModels);
    /// @notice The id and the operator key that go with a registration.
    event OperatorAssigned(uint256 indexed id, address indexed validator, address indexed operator, string endpoint);
    event ValidatorPaused(uint256 indexed id);
    event ValidatorResumed(uint256 indexed id);
    /// @notice A validator was not seen for a day and is out of routing until it shows up.
    event ValidatorDormant(uint256 indexed id);

    error RegistryAlreadyRegistered(address validator);
    error RegistryNotRegistered(address validator);
    error RegistryOperatorTaken(address operator);
    error RegistryStakeTooLow(uint256 stake, uint256 minimum);
    error RegistryNoModels();
    error RegistryDuplicateModel(string model);
    error RegistryUnknownModel(string model);
    /// @notice Not `https://host…` of 12 to 200 bytes; where the network allows local validators, `http://` passes too.
    error RegistryInvalidEndpoint(string endpoint);
    error RegistryStillSeen(uint256 id, uint256 lastSeenAt);
    error RegistryFull();

    /// @notice Stakes NST of the sender and registers it; the sender's key operates the node. Registering twice reverts.
    /// @param stake NST wei, at least 5,000 NST at launch.
    /// @param supportedModels Names of catalogued models, at least one, none twice.
    /// @param endpoint https address of the node.
    function registerValidator(uint256 stake, string[] calldata supportedModels, string calldata endpoint)
        external
        returns (uint256 id);

    /// @notice The same with an operator key apart from the sender's, which owns stake and earnings.
    function registerValidatorWithOperator(
        uint256 stake,
        string[] calldata supportedModels,
        string calldata endpoint,
        address operator
    ) external returns (uint256 id);

    /// @notice Takes the sender's validator out of routing; open work stays its own.
    function pauseValidator() external;
    /// @notice Brings the sender's validator (by owner or operator) back into routing.
    function resumeValidator() external;
    /// @notice Takes a validator that was not seen for a day out of routing. Anyone.
    function markDormant(uint256 id) external;

    function validatorOf(address owner) external view returns (Validator memory);
    function validatorById(uint256 id) external view returns (Validator memory);
    function idOf(address owner) external view returns (uint256);
    function ownerOf(uint256 id) external view returns (address);
    function stakeOf(address owner) external view returns (uint256);
    /// @notice How many validators ever registered; ids run from 4 to `count() + 3`.
    function count() external view returns (uint256);
    function totalStaked() external view returns (uint256);
    function minimumStake() external view returns (uint256);
}

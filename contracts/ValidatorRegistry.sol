// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Governed} from "./Governed.sol";
import {IFeeController, Parameter} from "./interfaces/IFeeController.sol";
import {IInferenceRouter, IRouterPeers, ValidatorView} from "./interfaces/IInferenceRouter.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IValidatorRegistry} from "./interfaces/IValidatorRegistry.sol";
import {SeatWord} from "./words/Seat.sol";

/// @title Who validates, with what stake, for which models
/// @notice # Custody
/// The registry holds the staked NST, and nothing else moves it. `totalStaked` is the sum of all stakes; NST that
/// somebody sends here by mistake changes nobody's.
///
/// # One registration for ever
/// An address registers once; its record, good or bad, is never reset. Ids count from 4, and 0 means nobody.
///
/// # Seats
/// What selection needs of a validator lives in the router as a seat of 64 bits, and its share of the lottery as
/// tickets, one a full 5,000 NST and model. The registry pushes both when a fact changes. Reputation, load and
/// earnings are the router's own.
///
/// # Capacity
/// Follows stake, not declaration: an open assignment per 2,500 NST, at most 63.
contract ValidatorRegistry is Governed, IValidatorRegistry {
    using SafeERC20 for IERC20;

    struct Record {
        address owner;
        uint48 registeredAt;
        bool paused;
        bool dormant;
        uint128 stake;
        string endpoint;
        string[] models;
    }

    /// @custom:storage-location erc7201:neuroswarm.storage.ValidatorRegistry
    struct Layout {
        uint256 count;
        uint256 totalStaked;
        mapping(uint256 id => Record) records;
        mapping(address owner => uint256) ids;
    }

    // keccak256(abi.encode(uint256(keccak256("neuroswarm.storage.ValidatorRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT = 0x1800e1dc101064ae8f08abf0cd16d3bd3757c4d462c32500ec6e6cff53048c00;
    uint256 private constant FIRST_ID = 4;
    uint256 private constant STAKE_PER_SLOT = 2_500e18;
    uint256 private constant DORMANT_AFTER = 1 days;

    address public immutable ROUTER;
    IERC20 public immutable TOKEN;
    IModelRegistry public immutable MODELS;
    IFeeController public immutable FEES;
    /// Whether `http://` endpoints pass: on development networks alone.
    bool public immutable ALLOW_HTTP;

    constructor(address router, address nst, address models, address fees, bool allowHttp) {
        ROUTER = router;
        TOKEN = IERC20(nst);
        MODELS = IModelRegistry(models);
        FEES = IFeeController(fees);
        ALLOW_HTTP = allowHttp;
    }

    function registerValidator(uint256 stake, string[] calldata supportedModels, string calldata endpoint)
        external
        returns (uint256 id)
    {
        return _register(stake, supportedModels, endpoint, msg.sender);
    }

    function registerValidatorWithOperator(
        uint256 stake,
        string[] calldata supportedModels,
        string calldata endpoint,
        address operator
    ) external returns (uint256 id) {
        return _register(stake, supportedModels, endpoint, operator);
    }

    function pauseValidator() external {
        uint256 id = _ownId();
        _layout().records[id].paused = true;
        IRouterPeers(ROUTER).setClosed(id, true);
        emit ValidatorPaused(id);
    }

    function resumeValidator() external {
        uint256 id = _layout().ids[msg.sender];
        if (id == 0) id = IInferenceRouter(ROUTER).validatorIdOf(msg.sender);
        require(id != 0, RegistryNotRegistered(msg.sender));
        Record storage record = _layout().records[id];
        (record.paused, record.dormant) = (false, false);
        IRouterPeers(ROUTER).setClosed(id, false);
        emit ValidatorResumed(id);
    }

    function markDormant(uint256 id) external {
        Record storage record = _layout().records[id];
        require(record.owner != address(0), RegistryNotRegistered(address(0)));
        uint256 lastSeenAt = IInferenceRouter(ROUTER).validatorOf(id).lastSeenAt;
        require(block.timestamp > lastSeenAt + DORMANT_AFTER, RegistryStillSeen(id, lastSeenAt));
        record.dormant = true;
        IRouterPeers(ROUTER).setClosed(id, true);
        emit ValidatorDormant(id);
    }

    // ---- views

    function validatorOf(address owner) external view returns (Validator memory) {
        return validatorById(_layout().ids[owner]);
    }

    function validatorById(uint256 id) public view returns (Validator memory v) {
        Record storage record = _layout().records[id];
        if (record.owner == address(0)) return v;
        ValidatorView memory seat = IInferenceRouter(ROUTER).validatorOf(id);
        v.id = id;
        v.operator = seat.operator;
        v.stake = record.stake;
        v.models = record.models;
        v.endpoint = record.endpoint;
        v.reputation = seat.reputation;
        v.successfulRequests = seat.completed;
        v.totalRequests = seat.completed + seat.failed;
        v.registered = record.registeredAt;
    }

    function idOf(address owner) external view returns (uint256) {
        return _layout().ids[owner];
    }

    function ownerOf(uint256 id) external view returns (address) {
        return _layout().records[id].owner;
    }

    function stakeOf(address owner) external view returns (uint256) {
        Layout storage $ = _layout();
        return $.records[$.ids[owner]].stake;
    }

    function count() external view returns (uint256) {
        return _layout().count;
    }

    function totalStaked() external view returns (uint256) {
        return _layout().totalStaked;
    }

    function minimumStake() public view returns (uint256) {
        return FEES.get(Parameter.MinimumStake);
    }

    // ---- registration

    function _register(uint256 stake, string[] calldata names, string calldata endpoint, address operator)
        private
        returns (uint256 id)
    {
        Layout storage $ = _layout();
        require($.ids[msg.sender] == 0, RegistryAlreadyRegistered(msg.sender));
        require(
            operator != address(0) && IInferenceRouter(ROUTER).validatorIdOf(operator) == 0,
            RegistryOperatorTaken(operator)
        );
        uint256 minimum = minimumStake();
        require(stake >= minimum, RegistryStakeTooLow(stake, minimum));
        _checkEndpoint(endpoint);
        bytes32[] memory models = _checkModels(names);

        id = FIRST_ID + $.count;
        require(id <= type(uint16).max, RegistryFull());
        ++$.count;
        $.totalStaked += stake;
        $.ids[msg.sender] = id;
        Record storage record = $.records[id];
        (record.owner, record.registeredAt, record.stake) = (msg.sender, uint48(block.timestamp), uint128(stake));
        (record.endpoint, record.models) = (endpoint, names);

        TOKEN.safeTransferFrom(msg.sender, address(this), stake);
        uint256 capacity = stake / STAKE_PER_SLOT; // Down: a full 2,500 NST for each open assignment.
        if (capacity > SeatWord.MAX_CAPACITY) capacity = SeatWord.MAX_CAPACITY;
        IRouterPeers(ROUTER).enlist(id, operator, stake, capacity == 0 ? 1 : capacity, models);
        emit ValidatorRegistered(msg.sender, stake, names);
        emit OperatorAssigned(id, msg.sender, operator, endpoint);
    }

    function _checkModels(string[] calldata names) private view returns (bytes32[] memory ids) {
        require(names.length != 0, RegistryNoModels());
        ids = new bytes32[](names.length);
        for (uint256 i; i < names.length; ++i) {
            ids[i] = keccak256(bytes(names[i]));
            require(MODELS.isModel(ids[i]), RegistryUnknownModel(names[i]));
            for (uint256 j; j < i; ++j) {
                require(ids[j] != ids[i], RegistryDuplicateModel(names[i]));
            }
        }
    }

    function _checkEndpoint(string calldata endpoint) private view {
        bytes calldata raw = bytes(endpoint);
        bool secure = raw.length >= 12 && bytes8(raw) == "https://";
        bool local = ALLOW_HTTP && raw.length >= 12 && bytes7(raw) == "http://";
        require((secure || local) && raw.length <= 200, RegistryInvalidEndpoint(endpoint));
        for (uint256 i; i < raw.length; ++i) {
            require(raw[i] > 0x20 && raw[i] < 0x7F, RegistryInvalidEndpoint(endpoint));
        }
    }

    function _ownId() private view returns (uint256 id) {
        id = _layout().ids[msg.sender];
        require(id != 0, RegistryNotRegistered(msg.sender));
    }

    function _layout() private pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := LAYOUT
        }
    }
}

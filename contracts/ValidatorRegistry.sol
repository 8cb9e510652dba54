// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {Governed} from "./Governed.sol";
import {IFeeController, Parameter} from "./interfaces/IFeeController.sol";
import {IInferenceRouter, IRouterPeers, ValidatorView} from "./interfaces/IInferenceRouter.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {IValidatorRegistry} from "./interfaces/IValidatorRegistry.sol";

/// @title Who validates, with what stake, for which models
/// @notice # Custody
/// Each validator's NST, staked or being unbonded, lies in a vault of its own, which only this contract moves. A vault
/// delegates its votes as the validator's owner says, so NST's own checkpoints count the staked. `totalStaked` is the
/// sum of all stakes; NST that somebody sends to a vault, or here, by mistake changes nobody's.
///
/// # One registration for ever
/// An address registers once, and a key operates once; a validator's record, good or bad, is never reset. Ids count from
/// 4, and 0 means nobody. Who exits keeps its id, and may come back to it.
///
/// # Leaving
/// After every change a stake is none, or at least the minimum. What is taken out of it counts no more at once, and
/// stays in the vault for 7 days or longer, until it is withdrawn. All of it can go only without open work. An
/// upgrade waits longer than that, so whoever disagrees with one can be gone before.
///
/// # Seats
/// What selection needs of a validator lives in the router as a seat of 64 bits, and its share of the lottery as
/// tickets, one a full 5,000 NST and model. The registry pushes both when a fact changes. Reputation, load, capacity
/// and earnings are the router's own.
///
/// # Keys
/// The owner's key holds stake, earnings and votes, and appoints the operator's, which answers requests. A key is
/// appointed with its consent, or anybody could take a key that somebody else is about to use. A key that was
/// rotated out is spent: what was signed for it can never reach another validator.
contract ValidatorRegistry is Governed, EIP712, IValidatorRegistry {
    using SafeERC20 for IERC20;

    struct Record {
        address owner;
        uint48 registeredAt;
        bool paused;
        bool dormant;
        // all NST there ever is fits 96 bits
        uint96 stake;
        address vault;
        string endpoint;
        string[] models;
        Tranche[] unbonding;
    }

    /// @custom:storage-location erc7201:neuroswarm.storage.ValidatorRegistry
    struct Layout {
        uint256 count;
        uint256 totalStaked;
        mapping(uint256 id => Record) records;
        mapping(address owner => uint256) ids;
        // keys that were rotated out
        mapping(address key => uint256 id) former;
    }

    // keccak256(abi.encode(uint256(keccak256("neuroswarm.storage.ValidatorRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT = 0x1800e1dc101064ae8f08abf0cd16d3bd3757c4d462c32500ec6e6cff53048c00;
    bytes32 private constant OPERATOR_TYPEHASH = keccak256("Operator(address owner,address operator,uint64 deadline)");
    uint256 private constant FIRST_ID = 4;
    uint256 private constant DORMANT_AFTER = 1 days;
    uint256 private constant UNBONDING_DURATION = 7 days;
    uint256 private constant MAX_TRANCHES = 16;

    address public immutable ROUTER;
    IERC20 public immutable TOKEN;
    IModelRegistry public immutable MODELS;
    IFeeController public immutable FEES;
    /// The StakeVault that every new vault is a clone of.
    address public immutable VAULT;
    /// Whether `http://` endpoints pass: on development networks alone.
    bool public immutable ALLOW_HTTP;

    constructor(address router, address nst, address models, address fees, address vault, bool allowHttp) {
        ROUTER = router;
        TOKEN = IERC20(nst);
        MODELS = IModelRegistry(models);
        FEES = IFeeController(fees);
        VAULT = vault;
        ALLOW_HTTP = allowHttp;
    }

    // ---- registering

    function registerValidator(uint256 stake, string[] calldata supportedModels, string calldata endpoint)
        external
        returns (uint256 id)
    {
        return _register(stake, supportedModels, endpoint, msg.sender);
    }

    function registerValidatorWithPermit(
        uint256 stake,
        string[] calldata supportedModels,
        string calldata endpoint,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 id) {
        _permit(stake, deadline, v, r, s);
        return _register(stake, supportedModels, endpoint, msg.sender);
    }

    function registerValidatorWithOperator(
        uint256 stake,
        string[] calldata supportedModels,
        string calldata endpoint,
        address operator,
        uint64 deadline,
        bytes calldata signature
    ) external returns (uint256 id) {
        _requireConsent(operator, deadline, signature);
        return _register(stake, supportedModels, endpoint, operator);
    }

    function _register(uint256 stake, string[] calldata names, string calldata endpoint, address operator)
        private
        returns (uint256 id)
    {
        Layout storage $ = _layout();
        require($.ids[msg.sender] == 0, RegistryAlreadyRegistered(msg.sender));
        _requireFree(operator);
        _requireEnough(stake);
        _checkEndpoint(endpoint);
        bytes32[] memory models = _checkModels(names);

        id = FIRST_ID + $.count;
        require(id <= type(uint16).max, RegistryFull());
        ++$.count;
        $.totalStaked += stake;
        $.ids[msg.sender] = id;
        Record storage record = $.records[id];
        (record.owner, record.registeredAt, record.stake) = (msg.sender, uint48(block.timestamp), uint96(stake));
        (record.endpoint, record.models) = (endpoint, names);

        record.vault = _openVault(id);
        TOKEN.safeTransferFrom(msg.sender, record.vault, stake);
        IRouterPeers(ROUTER).enlist(id, operator, stake, models);
        emit ValidatorRegistered(msg.sender, stake, names);
        emit OperatorAssigned(id, msg.sender, operator, endpoint);
    }

    /// @dev NST that votes already goes on to vote as it did.
    function _openVault(uint256 id) private returns (address vault) {
        vault = Clones.clone(VAULT);
        address delegatee = IVotes(address(TOKEN)).delegates(msg.sender);
        IStakeVault(vault).delegate(delegatee == address(0) ? msg.sender : delegatee);
        emit VaultOpened(id, vault);
    }

    // ---- stake

    function stakeMore(uint256 amount) public {
        uint256 id = _ownId();
        address vault = _layout().records[id].vault;
        uint256 stake = _addStake(id, amount);
        TOKEN.safeTransferFrom(msg.sender, vault, amount);
        emit StakeAdded(id, amount, stake);
    }

    function stakeMoreWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        _permit(amount, deadline, v, r, s);
        stakeMore(amount);
    }

    function unbond(uint256 amount) external {
        uint256 id = _ownId();
        Record storage record = _layout().records[id];
        uint256 previous = record.stake;
        require(amount != 0, RegistryZeroAmount());
        require(amount <= previous, RegistryStakeExceeded(amount, previous));
        require(record.unbonding.length < MAX_TRANCHES, RegistryTooManyTranches(id, MAX_TRANCHES));
        uint256 stake = previous - amount;
        bool exits = stake == 0;
        if (exits) {
            uint256 load = IInferenceRouter(ROUTER).validatorOf(id).load;
            require(load == 0, RegistryOpenWork(id, load));
            delete record.models;
        } else {
            _requireEnough(stake);
        }
        uint256 readyAt = block.timestamp + UNBONDING_DURATION;
        record.unbonding.push(Tranche(uint128(amount), uint64(readyAt)));
        record.stake = uint96(stake);
        _layout().totalStaked -= amount;
        IRouterPeers(ROUTER).restake(id, previous, stake);
        emit UnbondingStarted(id, amount, stake, readyAt);
        if (!exits) return;
        IRouterPeers(ROUTER).setClosed(id, true);
        emit ValidatorExited(id);
    }

    function cancelUnbonding(uint256 index) external {
        uint256 id = _ownId();
        Tranche[] storage tranches = _layout().records[id].unbonding;
        uint256 n = tranches.length;
        require(index < n, RegistryNoTranche(id, index, n));
        uint256 amount = tranches[index].amount;
        for (uint256 i = index + 1; i < n; ++i) {
            tranches[i - 1] = tranches[i];
        }
        tranches.pop();
        emit UnbondingCancelled(id, amount, _addStake(id, amount));
    }

    function withdrawUnbonded() external returns (uint256 amount) {
        uint256 id = _ownId();
        Record storage record = _layout().records[id];
        Tranche[] storage tranches = record.unbonding;
        uint256 n = tranches.length;
        // They stand in the order of their time, whatever was cancelled in between: the ripe ones come first.
        uint256 ripe;
        for (; ripe < n && tranches[ripe].readyAt <= block.timestamp; ++ripe) {
            amount += tranches[ripe].amount;
        }
        require(ripe != 0, RegistryNotReady(id, n == 0 ? 0 : tranches[0].readyAt));
        for (uint256 i = ripe; i < n; ++i) {
            tranches[i - ripe] = tranches[i];
        }
        for (; ripe != 0; --ripe) {
            tranches.pop();
        }
        IStakeVault(record.vault).send(msg.sender, amount);
        emit UnbondedWithdrawn(id, msg.sender, amount);
    }

    function delegateStake(address delegatee) external {
        IStakeVault(_layout().records[_ownId()].vault).delegate(delegatee);
    }

    /// @dev The NST is in the vault already, or follows at once. Who comes back is open again, unless it is paused.
    function _addStake(uint256 id, uint256 amount) private returns (uint256 stake) {
        Record storage record = _layout().records[id];
        uint256 previous = record.stake;
        require(amount != 0, RegistryZeroAmount());
        stake = previous + amount;
        _requireEnough(stake);
        record.stake = uint96(stake);
        _layout().totalStaked += amount;
        IRouterPeers(ROUTER).restake(id, previous, stake);
        if (previous != 0 || record.paused) return stake;
        record.dormant = false;
        IRouterPeers(ROUTER).setClosed(id, false);
    }

    /// @dev A permit is used up by whoever brings it first, and does its work all the same. Where it did not, the
    /// transfer that follows says so.
    function _permit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) private {
        try IERC20Permit(address(TOKEN)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
    }

    // ---- what it serves, and with what key

    function setModels(string[] calldata supportedModels) external {
        uint256 id = _ownId();
        Record storage record = _layout().records[id];
        require(record.stake != 0, RegistryExited(id));
        bytes32[] memory models = _checkModels(supportedModels);
        record.models = supportedModels;
        IRouterPeers(ROUTER).serve(id, record.stake, models);
        emit ModelsChanged(id, supportedModels);
    }

    function setEndpoint(string calldata endpoint) external {
        uint256 id = _ownId();
        Record storage record = _layout().records[id];
        _checkEndpoint(endpoint);
        emit EndpointChanged(id, record.endpoint, endpoint);
        record.endpoint = endpoint;
    }

    function rotateOperator(address newOperator, uint64 deadline, bytes calldata signature) external {
        uint256 id = _ownId();
        _requireFree(newOperator);
        _requireConsent(newOperator, deadline, signature);
        address previous = IRouterPeers(ROUTER).rotate(id, newOperator);
        _layout().former[previous] = id;
        emit OperatorRotated(id, previous, newOperator);
    }

    // ---- in and out of routing

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
        require(record.stake != 0, RegistryExited(id));
        (record.paused, record.dormant) = (false, false);
        IRouterPeers(ROUTER).setClosed(id, false);
        emit ValidatorResumed(id);
    }

    function markDormant(uint256 id) external {
        Record storage record = _layout().records[id];
        require(record.owner != address(0), RegistryNotRegistered(address(0)));
        require(record.stake != 0, RegistryExited(id));
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

    function unbondingOf(uint256 id) external view returns (Tranche[] memory) {
        return _layout().records[id].unbonding;
    }

    function vaultOf(uint256 id) external view returns (address) {
        return _layout().records[id].vault;
    }

    function delegateOf(uint256 id) external view returns (address) {
        return IVotes(address(TOKEN)).delegates(_layout().records[id].vault);
    }

    function formerlyOf(address key) external view returns (uint256) {
        return _layout().former[key];
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

    // ---- checks

    function _requireEnough(uint256 stake) private view {
        uint256 minimum = minimumStake();
        require(stake >= minimum, RegistryStakeTooLow(stake, minimum));
    }

    /// @dev A key that served a validator is never another's, even when it serves no more.
    function _requireFree(address operator) private view {
        bool taken = _layout().former[operator] != 0 || IInferenceRouter(ROUTER).validatorIdOf(operator) != 0;
        require(operator != address(0) && !taken, RegistryOperatorTaken(operator));
    }

    function _requireConsent(address operator, uint64 deadline, bytes calldata signature) private view {
        if (operator == msg.sender) return;
        require(block.timestamp <= deadline, RegistryExpired(deadline));
        bytes32 digest = _hashTypedData(keccak256(abi.encode(OPERATOR_TYPEHASH, msg.sender, operator, deadline)));
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        bool signed = problem == ECDSA.RecoverError.NoError && signer == operator;
        require(signed, RegistryInvalidSignature(msg.sender, operator));
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

    function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
        return ("NeuroSwarm", "1");
    }

    function _layout() private pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := LAYOUT
        }
    }
}

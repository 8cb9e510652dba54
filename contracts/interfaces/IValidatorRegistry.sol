// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Who validates, with what stake, for which models
/// @notice Source: seed 3, section 3; PROTOCOL, section 3. Amounts are NST wei, times unix seconds.
interface IValidatorRegistry {
    /// @notice A validator as the seed lists it.
    /// @param operator The key that operates it now.
    /// @param stake NST wei, without what is being unbonded.
    /// @param models Names of the models served; none once it has exited.
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

    /// @notice Stake on its way out: in custody, and slashable, until it is withdrawn.
    /// @param amount NST wei.
    /// @param readyAt Unix seconds from which it can be withdrawn.
    struct Tranche {
        uint128 amount;
        uint64 readyAt;
    }

    event ValidatorRegistered(address indexed validator, uint256 stake, string[] supportedModels);
    /// @notice The id and the operator key that go with a registration.
    event OperatorAssigned(uint256 indexed id, address indexed validator, address indexed operator, string endpoint);
    /// @notice Where the NST of a new validator lies. Who votes with it, NST's own `DelegateChanged(vault, …)` tells.
    event VaultOpened(uint256 indexed id, address indexed vault);
    /// @notice Another key operates the validator. Direct intents that name the previous one are void.
    event OperatorRotated(uint256 indexed id, address indexed previous, address indexed operator);
    event StakeAdded(uint256 indexed id, uint256 amount, uint256 stake);
    /// @notice `amount` left the stake, which is `stake` now, and can be withdrawn from `readyAt` on.
    event UnbondingStarted(uint256 indexed id, uint256 amount, uint256 stake, uint256 readyAt);
    /// @notice `amount` came back into the stake before it was withdrawn.
    event UnbondingCancelled(uint256 indexed id, uint256 amount, uint256 stake);
    event UnbondedWithdrawn(uint256 indexed id, address indexed owner, uint256 amount);
    /// @notice All of the stake is being unbonded; the validator serves nothing.
    event ValidatorExited(uint256 indexed id);
    event ModelsChanged(uint256 indexed id, string[] models);
    event EndpointChanged(uint256 indexed id, string previous, string endpoint);
    event ValidatorPaused(uint256 indexed id);
    event ValidatorResumed(uint256 indexed id);
    /// @notice A validator was not seen for a day and is out of routing until it shows up.
    event ValidatorDormant(uint256 indexed id);

    error RegistryAlreadyRegistered(address validator);
    /// @notice The sender neither owns nor, where that suffices, operates a validator; or nobody has the id.
    error RegistryNotRegistered(address validator);
    /// @notice The key is zero, operates a validator, or once did: a key serves one validator, once.
    error RegistryOperatorTaken(address operator);
    /// @notice The operator's consent was good until `deadline`.
    error RegistryExpired(uint256 deadline);
    /// @notice The signature is not the operator's consent to work for `owner` until this deadline.
    error RegistryInvalidSignature(address owner, address operator);
    /// @notice The stake would be `stake`; it is none, or at least `minimum`.
    error RegistryStakeTooLow(uint256 stake, uint256 minimum);
    error RegistryZeroAmount();
    /// @notice More was to be unbonded than is staked.
    error RegistryStakeExceeded(uint256 amount, uint256 stake);
    /// @notice A validator leaves without open work: pause it, and let `load` assignments end first.
    error RegistryOpenWork(uint256 id, uint256 load);
    /// @notice At most `most` tranches are under way at once: withdraw or cancel one.
    error RegistryTooManyTranches(uint256 id, uint256 most);
    /// @notice There are `count` tranches, numbered from 0.
    error RegistryNoTranche(uint256 id, uint256 index, uint256 count);
    /// @notice No tranche is ripe; the next is from `readyAt` on, 0 where there is none.
    error RegistryNotReady(uint256 id, uint256 readyAt);
    /// @notice The validator has exited: it has no stake until `stakeMore` or `cancelUnbonding`.
    error RegistryExited(uint256 id);
    error RegistryNoModels();
    error RegistryDuplicateModel(string model);
    error RegistryUnknownModel(string model);
    /// @notice Not `https://host…` of 12 to 200 bytes; where the network allows local validators, `http://` passes too.
    error RegistryInvalidEndpoint(string endpoint);
    error RegistryStillSeen(uint256 id, uint256 lastSeenAt);
    error RegistryFull();

    // ---- registering, once for ever

    /// @notice Stakes NST of the sender and registers it; the sender's key operates the node. Registering twice reverts.
    /// The stake votes with whom the sender's own NST votes, or with the sender.
    /// @param stake NST wei, at least 5,000 NST at launch, within the sender's allowance to this contract.
    /// @param supportedModels Names of catalogued models, at least one, none twice.
    /// @param endpoint https address of the node.
    /// @return id The validator's id, for ever.
    function registerValidator(uint256 stake, string[] calldata supportedModels, string calldata endpoint)
        external
        returns (uint256 id);

    /// @notice The same with a permit of NST (EIP-2612) over `stake`. A permit that somebody else brought before, or
    /// that is void while the allowance suffices, does no harm.
    /// @param deadline Unix seconds until which the permit is good.
    function registerValidatorWithPermit(
        uint256 stake,
        string[] calldata supportedModels,
        string calldata endpoint,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 id);

    /// @notice The same with an operator key apart from the sender's, which owns stake and earnings.
    /// @param operator A key that never operated a validator.
    /// @param deadline Unix seconds until which its consent is good.
    /// @param signature The operator's consent, 65 bytes: EIP-712 message
    /// `Operator(address owner,address operator,uint64 deadline)` of the domain `NeuroSwarm`, version `1`, this chain and
    /// this contract. A key serves once, so a consent does too, and needs no nonce. Ignored where the sender is the operator.
    function registerValidatorWithOperator(
        uint256 stake,
        string[] calldata supportedModels,
        string calldata endpoint,
        address operator,
        uint64 deadline,
        bytes calldata signature
    ) external returns (uint256 id);

    // ---- stake, by the owner

    /// @notice Adds to the sender's stake; tickets for every model that it serves rise at once. An exited validator is
    /// back in routing with it, unless it is paused, and serves what `setModels` names next.
    /// @param amount NST wei within the allowance; the stake must reach the minimum with it.
    function stakeMore(uint256 amount) external;

    /// @notice The same with a permit of NST (EIP-2612) over `amount`, which may have been used already.
    function stakeMoreWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Takes `amount` out of the stake, for a withdrawal in 7 days. Stake, seat and tickets fall at once; the NST
    /// stays in custody and slashable until it is withdrawn, and keeps its vote. All of the stake is an exit: it wants
    /// that no assignment is open. At most 16 tranches are under way at once.
    /// @param amount NST wei; what stays staked is none, or at least the minimum.
    function unbond(uint256 amount) external;

    /// @notice Puts a tranche back into the stake, by the rules of `stakeMore`.
    /// @param index Its number in `unbondingOf`; later ones move up.
    function cancelUnbonding(uint256 index) external;

    /// @notice Pays every tranche whose time has come to the owner. No pause reaches it.
    /// @return amount NST wei paid.
    function withdrawUnbonded() external returns (uint256 amount);

    /// @notice Gives the votes of the sender's stake, and of what it unbonds, to `delegatee`; zero for nobody.
    function delegateStake(address delegatee) external;

    // ---- what it serves, and with what key, by the owner

    /// @notice Changes the models that the sender's validator serves. Work that is open stays its own.
    /// @param supportedModels Names of catalogued models, at least one, none twice.
    function setModels(string[] calldata supportedModels) external;

    /// @param endpoint https address of the node.
    function setEndpoint(string calldata endpoint) external;

    /// @notice Hands the sender's validator to another operator key. Earnings, record, what was seen of the node and open
    /// work stay with the validator: the new key settles what the previous one was assigned. Direct intents name a key, so
    /// those that name the previous one are void, and so is that key: it can never operate again.
    /// @param newOperator A key that never operated a validator.
    /// @param deadline As in `registerValidatorWithOperator`, with the signature.
    function rotateOperator(address newOperator, uint64 deadline, bytes calldata signature) external;

    // ---- in and out of routing

    /// @notice Takes the sender's validator out of routing; open work stays its own.
    function pauseValidator() external;
    /// @notice Brings the sender's validator (by owner or operator) back into routing.
    function resumeValidator() external;
    /// @notice Takes a validator that was not seen for a day out of routing. Anyone.
    function markDormant(uint256 id) external;

    // ---- reading: nothing here reverts

    function validatorOf(address owner) external view returns (Validator memory);
    function validatorById(uint256 id) external view returns (Validator memory);
    function idOf(address owner) external view returns (uint256);
    function ownerOf(uint256 id) external view returns (address);
    /// @notice NST wei staked by `owner`, without what is being unbonded.
    function stakeOf(address owner) external view returns (uint256);
    /// @notice What is being unbonded, oldest first unless cancelled in between; 16 at most.
    function unbondingOf(uint256 id) external view returns (Tranche[] memory);
    /// @notice Where the validator's NST lies: its stake and what it unbonds. NST that somebody sends there by mistake
    /// counts for neither.
    function vaultOf(uint256 id) external view returns (address);
    /// @notice Who votes with the NST in the validator's vault.
    function delegateOf(uint256 id) external view returns (address);
    /// @notice The validator that `key` operated before it was rotated out, 0 for none: such a key never operates again.
    function formerlyOf(address key) external view returns (uint256);
    /// @notice How many validators ever registered; ids run from 4 to `count() + 3`.
    function count() external view returns (uint256);
    /// @notice Sum of all stakes, NST wei, without what is being unbonded.
    function totalStaked() external view returns (uint256);
    /// @notice NST wei below which nothing stays staked.
    function minimumStake() external view returns (uint256);
}

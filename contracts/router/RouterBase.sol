// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRouterLog} from "../interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../interfaces/IModelAccessCredits.sol";
import {IRewardToken} from "../interfaces/ITokens.sol";
import {Account} from "../words/Account.sol";
import {Commitment} from "../words/Commitment.sol";
import {Chain, Global} from "../words/Ledger.sol";
import {Offer} from "../words/Offer.sol";
import {Request} from "../words/Request.sol";
import {SessionState} from "../words/Session.sol";
import {Payer, Terms, Ticket} from "../words/Ticket.sol";
import {Till} from "../words/Till.sol";

/// @title State of the router, and who its peers are
abstract contract RouterBase is IRouterLog, ReentrancyGuardTransient {
    /// @notice What weighs on a validator, read only while its till is marked, or on probation. Times in unix seconds.
    /// @param penalty Points, at the time of the last one.
    /// @param penaltyAt When the last penalty was.
    /// @param completedAt Requests completed by then: later ones heal.
    /// @param failed Requests that failed on it.
    /// @param dayAt When the running 24 hours began: with the first failure or decline after the last ones.
    /// @param errors Errors confessed since.
    /// @param declines Prompts declined since.
    /// @param dayCompleted Requests completed by then.
    /// @param registeredAt When it registered.
    /// @param seatedAt When it last gained tickets.
    /// @param dayPoints Points that failures cost since `dayAt`.
    struct Marks {
        uint8 penalty;
        uint32 penaltyAt;
        uint32 completedAt;
        uint32 failed;
        uint32 dayAt;
        uint8 errors;
        uint8 declines;
        uint32 dayCompleted;
        uint32 registeredAt;
        uint32 seatedAt;
        uint8 dayPoints;
    }

    /// @notice When a user's last two requests failed for which a refund falls, unix seconds.
    struct Faults {
        uint40 last;
        uint40 previous;
    }

    /// @notice Legs that a case keeps from being claimed until it is final.
    struct Frozen {
        uint16 validator;
        uint96 validatorLeg;
        uint96 treasuryLeg;
    }

    /// @notice Legs that did not fit into a till.
    struct Overflow {
        uint128 validatorLeg;
        uint128 treasuryLeg;
    }

    /// @notice The other contracts, fixed in the implementation.
    struct Peers {
        address credits;
        address validators;
        address models;
        address reward;
        address court;
        address lcai;
    }

    /// @custom:storage-location erc7201:neuroswarm.storage.InferenceRouter
    struct Layout {
        Global global;
        Chain chain;
        mapping(address user => Account) accounts;
        mapping(bytes32 id => Request) requests;
        mapping(bytes32 model => Offer) offers;
        mapping(address operator => Till) tills;
        // four seats a row, the row of a validator is its id / 4
        mapping(uint256 row => uint256) seats;
        // sixteen validator ids a word, a ticket each
        mapping(uint256 model => mapping(uint256 word => uint256)) tickets;
        // all servers of a model, 16 bits each, while they are eight at most; some of them else
        mapping(uint256 model => uint256) firstServers;
        mapping(uint256 number => uint256) checkpoints;
        mapping(uint256 validator => address) operators;
        mapping(address operator => uint256) uptime;
        mapping(uint256 validator => Marks) marks;
        mapping(uint256 validator => Overflow) overflows;
        // the validators that had a request and did not answer it, 16 bits each
        mapping(bytes32 id => uint256) earlier;
        mapping(address user => Faults) faults;
        // keyed by hash of sender and commitment
        mapping(bytes32 key => Commitment) commitments;
        mapping(bytes32 id => SessionState) sessions;
        mapping(bytes32 caseId => Frozen) frozen;
        bytes32[] models;
        uint40 intakePausedUntil;
        // blocks in which pauses of intake began, in their order: what one excused, none that comes later takes back
        uint256[] intakePauses;
    }

    // keccak256(abi.encode(uint256(keccak256("neuroswarm.storage.InferenceRouter")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT = 0x3164cd054724e5f047462cc7124ac3696d673fa10d6aa14dc75f39cd115f5a00;

    IModelAccessCredits public immutable CREDITS;
    IRewardToken public immutable LCAI;
    address public immutable VALIDATORS;
    address public immutable MODELS;
    address public immutable REWARD;
    address public immutable COURT;
    /// Blocks that must follow an assignment before a failure can be claimed: a halted sequencer times nobody out.
    uint256 public immutable WINDOW_BLOCKS;

    constructor(Peers memory peers, uint256 windowBlocks) {
        CREDITS = IModelAccessCredits(peers.credits);
        LCAI = IRewardToken(peers.lcai);
        VALIDATORS = peers.validators;
        MODELS = peers.models;
        REWARD = peers.reward;
        COURT = peers.court;
        WINDOW_BLOCKS = windowBlocks;
    }

    modifier onlyPeer(address peer) {
        require(msg.sender == peer, RouterOnlyPeer(msg.sender));
        _;
    }

    /// @dev The id commits to the chain, to this router, and to everything that a later call brings again.
    /// `keccak256(abi.encode(block.chainid, address(this), payer, terms, promptHash, callback))`, in free memory that is
    /// not claimed.
    function _idOf(Payer payer, Terms terms, bytes32 promptHash, address callback) internal view returns (bytes32 id) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, chainid())
            mstore(add(data, 32), address())
            mstore(add(data, 64), payer)
            mstore(add(data, 96), terms)
            mstore(add(data, 128), promptHash)
            mstore(add(data, 160), shr(96, shl(96, callback)))
            id := keccak256(data, 192)
        }
    }

    /// @dev The four words of a ticket follow each other in calldata as in the preimage. What is not an address there
    /// belongs to no request: its id is nobody's.
    function _idOf(Ticket calldata ticket) internal view returns (bytes32 id) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, chainid())
            mstore(add(data, 32), address())
            calldatacopy(add(data, 64), ticket, 128)
            id := keccak256(data, 192)
        }
    }

    function _layout() internal pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := LAYOUT
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Delivery, Outcome} from "./IInferenceRouter.sol";
import {Ticket} from "../words/Ticket.sol";

/// @title The catalogue of models, and the proofs of what was recorded
/// @notice Source: seed 1 (ModelRegistry), seed 3 (multipliers).
interface IModelRegistry {
    /// @param name Name that requests carry.
    /// @param fileHash SHA-256 of the GGUF file; zero while nobody has pinned one.
    /// @param multiplierBps Price multiplier, 1 to 1,000,000.
    /// @param maxTokens Output tokens a request may ask for, 1 to 1,000,000.
    /// @param maxInputTokens Prompt tokens a node accepts.
    /// @param window Seconds to answer before the share for length, 60 to 16,383.
    /// @param pace Output tokens a second that are expected, 1 to 1,023. The window with its share for `maxTokens` is
    /// shorter than a day.
    /// @param active Intake is open.
    struct Model {
        string name;
        bytes32 fileHash;
        uint32 multiplierBps;
        uint32 maxTokens;
        uint32 maxInputTokens;
        uint16 window;
        uint16 pace;
        bool active;
    }

    event ModelAdded(bytes32 indexed id, uint256 index, string name);
    event ModelChanged(bytes32 indexed id, Model previous, Model current);
    event OfferPushed(bytes32 indexed id, uint256 offer);

    error ModelsFull();
    error ModelsExists(string name);
    error ModelsUnknown(bytes32 id);
    /// @notice A field is out of its range.
    error ModelsInvalid(string field, uint256 value, uint256 minimum, uint256 maximum);

    /// @notice Adds a model. Governance alone.
    function addModel(Model calldata model) external returns (bytes32 id);
    /// @notice Changes everything but the name. Governance alone. Requests in flight keep their terms.
    function setModel(Model calldata model) external;
    /// @notice Pushes every model's terms to the router, as catalogue and parameters have them now. Anyone.
    function pushOffers() external;

    function modelOf(bytes32 id) external view returns (Model memory);
    function indexOf(bytes32 id) external view returns (uint256);
    function isModel(bytes32 id) external view returns (bool);
    function models() external view returns (Model[] memory);
    /// @notice How many interactions are recorded, in all lanes.
    function recordCount() external view returns (uint256);
    /// @notice Whether a request of the assigned lane ended so, with `outcome.digest` as its record.
    function verifySettled(Ticket calldata ticket, Outcome calldata outcome) external view returns (bool);
    /// @notice Whether `leaf` is number `position` (from 0) in the running hash of the direct and session lanes: `before` and `afterwards` are the other
    /// leaves between the checkpoints around it.
    function verifyDelivered(uint256 position, bytes32[] calldata before, bytes32 leaf, bytes32[] calldata afterwards)
        external
        view
        returns (bool);
    /// @notice Leaf of a delivered record.
    function leafOf(bytes32 id, address user, Outcome calldata outcome) external pure returns (bytes32);
}

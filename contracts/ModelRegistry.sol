// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";
import {IFeeController} from "./interfaces/IFeeController.sol";
import {IInferenceRouter, IRouterPeers, Outcome} from "./interfaces/IInferenceRouter.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {Records} from "./libraries/Records.sol";
import {Chain, ChainWord} from "./words/Ledger.sol";
import {Offer} from "./words/Offer.sol";
import {SeatWord} from "./words/Seat.sol";
import {Ticket} from "./words/Ticket.sol";

/// @title The catalogue of models, and the proofs of what was recorded
/// @notice # Catalogue
/// A model is its name, the hash of its file, its price multiplier, its limits and its pace. Governance writes it;
/// this contract joins it with the parameters of FeeController to one word, the offer, and pushes that to the router.
/// Anyone may push: the result follows from what is stored. Models are never removed, only closed.
///
/// # Records
/// Every answered request is a record with a number that counts up over all lanes. The router keeps a commitment a
/// request in the assigned lane, and a running hash with checkpoints for the direct and session lanes; the rest is in events. Here
/// a record taken from the events is proven against them.
contract ModelRegistry is Governed, IModelRegistry {
    using Records for Outcome;

    /// @custom:storage-location erc7201:neuroswarm.storage.ModelRegistry
    struct Layout {
        bytes32[] ids;
        mapping(bytes32 id => Model) catalogue;
        // one more than the index, so that 0 means unknown
        mapping(bytes32 id => uint256) positions;
    }

    // keccak256(abi.encode(uint256(keccak256("neuroswarm.storage.ModelRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant LAYOUT = 0x95c6bead218c6e7586add6008a6da37388fe155f012d02ce9ac92a567edfdf00;

    address public immutable ROUTER;
    IFeeController public immutable FEES;

    constructor(address router, address fees) {
        ROUTER = router;
        FEES = IFeeController(fees);
    }

    /// @param models_ The catalogue at launch. FeeController must be initialised before.
    function initialize(Model[] calldata models_) external reinitializer(2) {
        for (uint256 i; i < models_.length; ++i) {
            _add(models_[i]);
        }
    }

    function addModel(Model calldata model) external restricted returns (bytes32 id) {
        return _add(model);
    }

    function setModel(Model calldata model) external restricted {
        Layout storage $ = _layout();
        bytes32 id = keccak256(bytes(model.name));
        require($.positions[id] != 0, ModelsUnknown(id));
        _check(model);
        emit ModelChanged(id, $.catalogue[id], model);
        $.catalogue[id] = model;
        _push(id);
    }

    function pushOffers() external {
        Layout storage $ = _layout();
        uint256 n = $.ids.length;
        for (uint256 i; i < n; ++i) {
            _push($.ids[i]);
        }
    }

    // ---- views

    function modelOf(bytes32 id) external view returns (Model memory) {
        return _layout().catalogue[id];
    }

    function indexOf(bytes32 id) external view returns (uint256) {
        uint256 position = _layout().positions[id];
        require(position != 0, ModelsUnknown(id));
        return position - 1;
    }

    function isModel(bytes32 id) external view returns (bool) {
        return _layout().positions[id] != 0;
    }

    function models() external view returns (Model[] memory all) {
        Layout storage $ = _layout();
        all = new Model[]($.ids.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = $.catalogue[$.ids[i]];
        }
    }

    function recordCount() external view returns (uint256 records) {
        (records,,) = IInferenceRouter(ROUTER).ledger();
    }

    function verifySettled(Ticket calldata ticket, Outcome calldata outcome) external view returns (bool) {
        IInferenceRouter router = IInferenceRouter(ROUTER);
        return router.isOutcome(router.requestId(ticket), outcome);
    }

    function verifyDelivered(uint256 position, bytes32[] calldata before, bytes32 leaf, bytes32[] calldata afterwards)
        external
        view
        returns (bool)
    {
        Chain end = Chain.wrap(IInferenceRouter(ROUTER).chain());
        uint256 window = position / ChainWord.CHECKPOINT;
        if (position >= end.count() || before.length != position % ChainWord.CHECKPOINT) return false;
        if ((window + 1) * ChainWord.CHECKPOINT <= end.count()) end = _checkpoint(window + 1);

        Chain link = _checkpoint(window);
        for (uint256 i; i < before.length; ++i) {
            link = link.append(before[i]);
        }
        link = link.append(leaf);
        for (uint256 i; i < afterwards.length; ++i) {
            link = link.append(afterwards[i]);
        }
        return Chain.unwrap(link) == Chain.unwrap(end);
    }

    function leafOf(bytes32 id, address user, Outcome calldata outcome) external pure returns (bytes32) {
        return outcome.leaf(id, user);
    }

    // ---- catalogue

    function _add(Model calldata model) private returns (bytes32 id) {
        Layout storage $ = _layout();
        id = keccak256(bytes(model.name));
        require($.positions[id] == 0, ModelsExists(model.name));
        require($.ids.length < SeatWord.MAX_MODELS, ModelsFull());
        _check(model);
        $.ids.push(id);
        $.positions[id] = $.ids.length;
        $.catalogue[id] = model;
        emit ModelAdded(id, $.ids.length - 1, model.name);
        _push(id);
    }

    function _push(bytes32 id) private {
        Layout storage $ = _layout();
        Model storage model = $.catalogue[id];
        uint256 word = FEES.pricePart(model.multiplierBps, model.window, model.pace) | (model.active ? 1 : 0)
            | (($.positions[id] - 1) << 1) | (uint256(model.maxTokens) << 9);
        IRouterPeers(ROUTER).setOffer(id, Offer.wrap(word));
        emit OfferPushed(id, word);
    }

    function _check(Model calldata model) private pure {
        _range("name", bytes(model.name).length, 1, 64);
        _range("multiplierBps", model.multiplierBps, 1, 1_000_000);
        _range("maxTokens", model.maxTokens, 1, 1_000_000);
        _range("maxInputTokens", model.maxInputTokens, 1, 10_000_000);
        _range("window", model.window, 60, (1 << 14) - 1);
        _range("pace", model.pace, 1, (1 << 10) - 1);
        // Pauses lie a day apart, so what one pause adds to a window is over before the next can begin.
        _range("window + maxTokens / pace", model.window + model.maxTokens / model.pace, 60, 1 days - 1);
    }

    function _range(string memory field, uint256 value, uint256 minimum, uint256 maximum) private pure {
        require(value >= minimum && value <= maximum, ModelsInvalid(field, value, minimum, maximum));
    }

    function _checkpoint(uint256 number) private view returns (Chain) {
        return Chain.wrap(IInferenceRouter(ROUTER).checkpointOf(number));
    }

    function _layout() private pure returns (Layout storage $) {
        assembly ("memory-safe") {
            $.slot := LAYOUT
        }
    }
}

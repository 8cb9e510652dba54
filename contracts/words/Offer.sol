// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A model as the hot path sees it, one word keyed by `keccak256(model name)`. The upper 160 bits are the
/// price part: a request copies them when it opens, so nothing that governance changes later reaches it.
///
/// | bits | field | unit |
/// |---|---|---|
/// | 0 | active | intake is open |
/// | 1..8 | index | the model's bit in a seat, 0..28 |
/// | 9..28 | tokenLimit | output tokens a request may ask for |
/// | 29..45 | tickets | entries of the lottery by stake |
/// | 46..61 | servers | validators that serve the model |
/// | 62..82 | callbackGasPrice | 1e9 NSD wei a unit of gas |
/// | 83..95 | commitFrom | whole NSD: payments from here on go through commit and reveal |
/// | 96..119 | base | 1e15 NSD wei a request |
/// | 120..151 | perToken | 1e12 NSD wei an output token |
/// | 152..171 | multiplier | bps |
/// | 172..207 | index | price index, 1e-9 |
/// | 208..218 | burn | bps of what is consumed |
/// | 219..232 | window | seconds to answer, before the share for length |
/// | 233..242 | pace | output tokens a second that are expected |
/// | 243..248 | ackWindow | 5 seconds |
/// | 249..255 | queueWindow | 30 seconds |
type Offer is uint256;

using OfferWord for Offer global;

library OfferWord {
    uint256 private constant PRICE_MASK = ~uint256(type(uint96).max);
    uint256 private constant TICKETS_MAX = (1 << 17) - 1;
    uint256 private constant ROUTING_MASK = ((uint256(1) << 33) - 1) << 29;

    function active(Offer self) internal pure returns (bool) {
        return Offer.unwrap(self) & 1 == 1;
    }

    function model(Offer self) internal pure returns (uint256) {
        return uint8(Offer.unwrap(self) >> 1);
    }

    function tokenLimit(Offer self) internal pure returns (uint256) {
        return (Offer.unwrap(self) >> 9) & 0xFFFFF;
    }

    function tickets(Offer self) internal pure returns (uint256) {
        return (Offer.unwrap(self) >> 29) & TICKETS_MAX;
    }

    function servers(Offer self) internal pure returns (uint256) {
        return uint16(Offer.unwrap(self) >> 46);
    }

    /// @return NSD wei that a unit of callback gas costs.
    function callbackGasPrice(Offer self) internal pure returns (uint256) {
        unchecked {
            return ((Offer.unwrap(self) >> 62) & 0x1FFFFF) * 1e9;
        }
    }

    /// @return NSD wei of payment from which a request must be committed to before it is revealed.
    function commitFrom(Offer self) internal pure returns (uint256) {
        unchecked {
            return ((Offer.unwrap(self) >> 83) & 0x1FFF) * 1e18;
        }
    }

    function price(Offer self) internal pure returns (uint256) {
        return Offer.unwrap(self) & PRICE_MASK;
    }

    function closed(Offer self) internal pure returns (Offer) {
        return Offer.wrap(Offer.unwrap(self) & ~uint256(1));
    }

    function withTickets(Offer self, uint256 n) internal pure returns (Offer) {
        return Offer.wrap((Offer.unwrap(self) & ~(TICKETS_MAX << 29)) | (n << 29));
    }

    function withServers(Offer self, uint256 n) internal pure returns (Offer) {
        return Offer.wrap((Offer.unwrap(self) & ~(uint256(type(uint16).max) << 46)) | (n << 46));
    }

    /// @notice `next` with the tickets and servers of this word, which belong to the router.
    function keepRouting(Offer self, Offer next) internal pure returns (Offer) {
        return Offer.wrap((Offer.unwrap(next) & ~ROUTING_MASK) | (Offer.unwrap(self) & ROUTING_MASK));
    }
}

/// @notice Readers of the price part, wherever it was copied to: an offer, or an open request.
/// @dev Unchecked: every field is bounded by its bits, far below what a product could overflow.
library PriceWord {
    function base(uint256 self) internal pure returns (uint256) {
        unchecked {
            return uint256(uint24(self >> 96)) * 1e15;
        }
    }

    function perToken(uint256 self) internal pure returns (uint256) {
        unchecked {
            return uint256(uint32(self >> 120)) * 1e12;
        }
    }

    function multiplierBps(uint256 self) internal pure returns (uint256) {
        return (self >> 152) & 0xFFFFF;
    }

    /// @return The price index in 1e-9.
    function index(uint256 self) internal pure returns (uint256) {
        return (self >> 172) & 0xFFFFFFFFF;
    }

    function burnBps(uint256 self) internal pure returns (uint256) {
        return (self >> 208) & 0x7FF;
    }

    function pace(uint256 self) internal pure returns (uint256) {
        return (self >> 233) & 0x3FF;
    }

    /// @return Seconds that a validator has for `maxTokens`: never less than the base window.
    function executionWindow(uint256 self, uint256 maxTokens) internal pure returns (uint256) {
        unchecked {
            return ((self >> 219) & 0x3FFF) + expectedSeconds(self, maxTokens);
        }
    }

    /// @return time Seconds, rounded down, that `tokens` take at the model's pace.
    /// @dev In assembly, since the language asks each time whether the pace is zero: the registry pushes none below 1.
    function expectedSeconds(uint256 self, uint256 tokens) internal pure returns (uint256 time) {
        uint256 pace_ = pace(self);
        assembly ("memory-safe") {
            time := div(tokens, pace_)
        }
    }

    function ackWindow(uint256 self) internal pure returns (uint256) {
        unchecked {
            return ((self >> 243) & 0x3F) * 5;
        }
    }

    function queueWindow(uint256 self) internal pure returns (uint256) {
        unchecked {
            return (self >> 249) * 30;
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PriceWord} from "../words/Offer.sol";

/// @title What an answer costs, and who gets what of it
/// @notice Pure. All amounts in NSD wei. `price` is the price part of an offer, wherever it was copied to.
/// @dev Widths: base + perToken * tokens < 2^98, multiplier * priority * index < 2^70, so no product here reaches 2^170.
library FeeMath {
    using PriceWord for uint256;

    uint256 internal constant MINIMUM = 5e18;
    uint256 internal constant BPS = 10_000;
    uint256 private constant PRIORITY_BPS = 15_000;
    /// 1e4 of the multiplier, 1e4 of the priority, 1e9 of the index.
    uint256 private constant SCALE = 1e17;

    /// @dev Rounds up: the payer never pays a fraction of a wei too little, and at most one wei too much.
    function cost(uint256 price, uint256 tokens, bool priority) internal pure returns (uint256) {
        (uint256 base, uint256 perToken) = tariff(price);
        return _costAt(base, perToken, tokens, priority);
    }

    /// @notice What a price comes to before priority, in 1e-17 of NSD wei and bps of priority: for who charges many.
    function tariff(uint256 price) internal pure returns (uint256 base, uint256 perToken) {
        unchecked {
            uint256 factor = price.multiplierBps() * price.index();
            return (price.base() * factor, price.perToken() * factor);
        }
    }

    function _costAt(uint256 base, uint256 perToken, uint256 tokens, bool priority) private pure returns (uint256) {
        unchecked {
            return ((base + perToken * tokens) * (priority ? PRIORITY_BPS : BPS) + (SCALE - 1)) / SCALE;
        }
    }

    /// @notice What an answer of `tokens` takes of `payment`: its cost, at least 5 NSD, never more than was paid.
    /// @return c The amount.
    /// @return covered Whether the payment bought so many tokens: `tokens <= tokensFor(payment)`, without its division.
    function consumed(uint256 price, uint256 tokens, bool priority, uint256 payment)
        internal
        pure
        returns (uint256 c, bool covered)
    {
        (uint256 base, uint256 perToken) = tariff(price);
        return consumedAt(base, perToken, tokens, priority, payment);
    }

    /// @notice The same at a `tariff`.
    function consumedAt(uint256 base, uint256 perToken, uint256 tokens, bool priority, uint256 payment)
        internal
        pure
        returns (uint256 c, bool covered)
    {
        c = _costAt(base, perToken, tokens, priority);
        covered = c <= payment;
        if (c < MINIMUM) c = MINIMUM;
        if (c > payment) c = payment;
    }

    function minimumPayment(uint256 price, bool priority) internal pure returns (uint256 c) {
        c = cost(price, 1, priority);
        if (c < MINIMUM) c = MINIMUM;
    }

    /// @notice The most tokens whose cost `payment` covers.
    /// @dev Both divisions round down: `cost(t) <= payment` holds exactly for every t up to the result.
    function tokensFor(uint256 price, uint256 payment, bool priority) internal pure returns (uint256) {
        unchecked {
            uint256 affordable = payment * SCALE / _factor(price, priority);
            uint256 base = price.base();
            return affordable < base ? 0 : (affordable - base) / price.perToken();
        }
    }

    /// @notice Cuts `amount` into the three legs of a settlement.
    /// @param band Pay band: 2 boosted (1.2), 1 neutral, 0 reduced (0.9).
    /// @dev The burn rounds up, so it is never diluted; the validator rounds down; the treasury is what is left, so
    /// nothing is lost. The boost comes out of the treasury's leg and the reduction goes into it: the band never
    /// touches the burn. At 1.2 the validator gets 14/15 of what is not burned: the remainder is never negative.
    function split(uint256 amount, uint256 burnBps, uint256 band)
        internal
        pure
        returns (uint256 validator, uint256 treasury, uint256 burned)
    {
        return splitAt(amount, burnBps, shareOf(burnBps, band));
    }

    /// @notice The validator's share of what is consumed, for who splits many: in 1 / (9 * BPS * BPS).
    function shareOf(uint256 burnBps, uint256 band) internal pure returns (uint256) {
        unchecked {
            return (BPS - burnBps) * 7 * bandBps(band);
        }
    }

    /// @notice The same as `split` at a `shareOf`.
    function splitAt(uint256 amount, uint256 burnBps, uint256 share)
        internal
        pure
        returns (uint256 validator, uint256 treasury, uint256 burned)
    {
        unchecked {
            burned = (amount * burnBps + (BPS - 1)) / BPS;
            validator = amount * share / (9 * BPS * BPS);
            treasury = amount - burned - validator;
        }
    }

    function bandBps(uint256 band) internal pure returns (uint256) {
        return band == 2 ? 12_000 : band == 1 ? 10_000 : 9_000;
    }

    /// @notice Part of `payment` that comes back.
    /// @dev Rounds down: what is not paid back stays burned, nobody gains the fraction.
    function refundDown(uint256 payment, uint256 refundBps) internal pure returns (uint256) {
        return payment * refundBps / BPS;
    }

    /// @dev Rounds up: what is held against somebody's loss never falls short of it.
    function shareUp(uint256 amount, uint256 bps) internal pure returns (uint256) {
        return (amount * bps + BPS - 1) / BPS;
    }

    function _factor(uint256 price, bool priority) private pure returns (uint256) {
        unchecked {
            return price.multiplierBps() * (priority ? PRIORITY_BPS : BPS) * price.index();
        }
    }
}

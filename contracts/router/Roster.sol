// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReputationMath} from "../libraries/ReputationMath.sol";
import {Offer} from "../words/Offer.sol";
import {SeatWord} from "../words/Seat.sol";
import {Till} from "../words/Till.sol";
import {RouterBase} from "./RouterBase.sol";

/// @title Seats, tickets, and the choice among them
/// @notice # Who gets a request
/// The best score among a random sample wins. Up to eight servers of a model, the sample is all of them. Beyond that
/// a ticket is drawn with weight by stake; its row of four seats is the sample, then the row of the next ticket in the
/// same word. A drawn validator's row-mates join with probability `min(1, stake / stake of the drawn)`, so nobody is
/// sampled more often than eight times its share of the stake, and splitting one stake over many seats gains nothing.
/// Equals share the work: the draw decides among them.
///
/// # What it costs
/// One word of tickets and two rows, whatever the number of validators. Where nobody in the sample is free, up to
/// four samples are drawn.
abstract contract Roster is RouterBase {
    uint256 internal constant TICKETS_PER_WORD = 16;
    uint256 internal constant SAMPLE_ALL = 8;
    uint256 private constant DRAWS = 4;
    uint256 private constant ROWS = 2;

    // ---- choosing

    /// @dev Selects a validator for a request and takes one of its places.
    /// @param seed What draws. The caller argues why nobody gains by choosing it.
    /// @param earlier Validators that had it and did not answer, 16 bits each: they never get it again.
    /// @return validator Its id, 0 when nobody is eligible.
    /// @return band Its pay band now, which the request keeps.
    function _assign(Offer offer, bytes32 seed, uint256 earlier) internal returns (uint256 validator, uint256 band) {
        validator = _choose(offer, seed, earlier);
        if (validator == 0) return (0, 0);
        unchecked {
            Layout storage $ = _layout();
            uint256 row = $.seats[validator >> 2];
            // The score was not zero, so the load is below the capacity and cannot carry into the next field.
            $.seats[validator >> 2] = row + (SeatWord.LOAD_ONE << ((validator & 3) << 6));
            band = ReputationMath.bandOf(SeatWord.seatIn(row, validator).standing());
        }
    }

    function _choose(Offer offer, bytes32 seed, uint256 earlier) internal view returns (uint256 validator) {
        uint256 best = offer.servers() <= SAMPLE_ALL
            ? _bestOfAll(_layout().firstServers[offer.model()], offer.model(), uint256(seed), earlier)
            : _bestOfDraws(offer, seed, earlier);
        return best & 0xFFFF;
    }

    function _bestOfAll(uint256 servers, uint256 model, uint256 random, uint256 earlier)
        private
        view
        returns (uint256 best)
    {
        unchecked {
            Layout storage $ = _layout();
            uint256 serving = SeatWord.servingBit(model);
            for (; servers != 0; servers >>= 16) {
                uint256 id = servers & 0xFFFF;
                uint256 score = SeatWord.scoreAt($.seats[id >> 2] >> ((id & 3) << 6), serving);
                best = _better(best, score, random, id, earlier);
                random >>= 16;
            }
        }
    }

    function _bestOfDraws(Offer offer, bytes32 seed, uint256 earlier) private view returns (uint256 best) {
        unchecked {
            uint256 model = offer.model();
            for (uint256 draw = 1;; ++draw) {
                uint256 random = uint256(seed);
                uint256 ticket = (random >> 128) % offer.tickets();
                uint256 word = _layout().tickets[model][ticket / TICKETS_PER_WORD];
                uint256 turn = (ticket % TICKETS_PER_WORD) << 4;
                // A shift by 256 makes nothing: at turn 0 the word is as it was.
                best = _bestOfWord((word >> turn) | (word << (256 - turn)), model, random, earlier);
                if (best != 0 || draw == DRAWS) return best;
                seed = keccak256(abi.encode(seed));
            }
        }
    }

    /// @dev Best of the rows of the first two tickets that sit in different rows.
    function _bestOfWord(uint256 word, uint256 model, uint256 random, uint256 earlier)
        private
        view
        returns (uint256 best)
    {
        unchecked {
            Layout storage $ = _layout();
            uint256 serving = SeatWord.servingBit(model);
            uint256 seen;
            for (uint256 rows; word != 0 && rows < ROWS; word >>= 16) {
                uint256 drawn = word & 0xFFFF;
                if (drawn == 0 || drawn >> 2 == seen) continue;
                seen = drawn >> 2;
                ++rows;
                best = _bestOfRow(best, $.seats[seen], drawn, serving, random, earlier);
                random >>= 32;
            }
        }
    }

    /// @dev Seat for seat from the lowest bits up: what is empty at the end of a row ends it.
    function _bestOfRow(
        uint256 best,
        uint256 row,
        uint256 drawn,
        uint256 serving,
        uint256 random,
        uint256 earlier
    ) private pure returns (uint256) {
        unchecked {
            uint256 weight = SeatWord.seatIn(row, drawn).stake();
            uint256 id = drawn & ~uint256(3);
            for (; row != 0; row >>= 64) {
                // Stakes compared as they are: 7 bits, lowest in the word.
                if ((random & 0xFF) * weight <= (row & 127) << 8) {
                    uint256 score = SeatWord.scoreAt(row, serving);
                    best = _better(best, score, random >> (64 + ((id & 3) << 3)), id, earlier);
                }
                random >>= 8;
                ++id;
            }
            return best;
        }
    }

    /// @return The better of two candidates, each its score, then 16 random bits that tell equals apart, then its id.
    /// Score 0 is nobody: no candidate.
    function _better(uint256 best, uint256 score, uint256 random, uint256 id, uint256 earlier)
        private
        pure
        returns (uint256)
    {
        if (score == 0) return best;
        uint256 candidate = (score << 32) | ((random & 0xFFFF) << 16) | id;
        if (candidate <= best) return best;
        for (; earlier != 0; earlier >>= 16) {
            if (id == earlier & 0xFFFF) return best;
        }
        return candidate;
    }

    // ---- being seen

    /// @dev Any transaction of an operator shows that its node lives.
    function _seen(Till till, address operator) internal returns (Till) {
        unchecked {
            uint256 lastSeenAt = till.lastSeenAt();
            if (block.timestamp / ReputationMath.SLOT != lastSeenAt / ReputationMath.SLOT) {
                Layout storage $ = _layout();
                uint256 map = ReputationMath.uptimeMap($.uptime[operator], lastSeenAt, block.timestamp);
                $.uptime[operator] = map;
                till = till.withUptime(ReputationMath.uptimeShare(map));
            }
            return till.seenAt(block.timestamp);
        }
    }
}

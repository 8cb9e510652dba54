// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cells} from "../libraries/Cells.sol";
import {ReputationMath} from "../libraries/ReputationMath.sol";
import {Offer} from "../words/Offer.sol";
import {SeatWord} from "../words/Seat.sol";
import {Till} from "../words/Till.sol";
import {RouterBase} from "./RouterBase.sol";

/// @title Seats, tickets, and the choice among them
/// @notice # Who gets a request
/// The best score among a random sample wins. Up to eight servers of a model, the sample is all of them. Beyond that
/// a ticket is drawn with weight by stake, out of the power of two above their number; its row of four seats is the
/// sample, then the row of the next ticket in the same word. A drawn validator's row-mates join with probability
/// `min(1, stake / stake of the drawn)`, so up to 127,000 NST nobody is sampled more often than eight times its share of
/// the stake, and splitting one stake over many seats gains nothing.
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
    /// Odd, so that it loses nothing: the fraction of the golden ratio, whose product has every bit in its highest ones.
    uint256 private constant MIX = 0x9e3779b97f4a7c15f39cc0605cedc8341082276bf3a27251f86c6a11d0c18e95;
    /// The number of each seat within its row.
    uint256 private constant SEATS = (1 << 64) | (2 << 128) | (3 << 192);

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
            Cells.Cell storage cell = Cells.locate(_layout().seats, validator >> 2);
            uint256 row = cell.word;
            // The score was not zero, so the load is below the capacity and cannot carry into the next field.
            cell.word = row + (SeatWord.LOAD_ONE << ((validator & 3) << 6));
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
            (uint256 place, uint256 row, uint256 claims) = (0, 0, 0);
            for (; servers != 0; servers >>= 16) {
                uint256 id = servers & 0xFFFF;
                // Whoever registered together sits together.
                if (id >> 2 != place) {
                    place = id >> 2;
                    row = $.seats[place];
                    claims = _claims(row, place, model, earlier);
                }
                uint256 shift = (id & 3) << 6;
                uint256 claim = (claims >> shift) & 0xFFFF;
                if (claim != 0) {
                    uint256 score = claim + SeatWord.freeShare(row >> shift);
                    uint256 candidate = (score << 32) | ((random & 0xFFFF) << 16) | id;
                    if (candidate > best) best = candidate;
                }
                random >>= 16;
            }
        }
    }

    function _bestOfDraws(Offer offer, bytes32 seed, uint256 earlier) private view returns (uint256 best) {
        unchecked {
            (uint256 model, uint256 tickets) = (offer.model(), offer.tickets());
            for (uint256 draw = 1;; ++draw) {
                uint256 random = uint256(seed);
                uint256 ticket = _place(random, tickets);
                uint256 word = _layout().tickets[model][ticket / TICKETS_PER_WORD];
                uint256 turn = (ticket % TICKETS_PER_WORD) << 4;
                // A shift by 256 makes nothing: at turn 0 the word is as it was.
                best = _bestOfWord((word >> turn) | (word << (256 - turn)), model, random, earlier);
                if (best != 0 || draw == DRAWS) return best;
                seed = keccak256(abi.encode(seed));
            }
        }
    }

    /// @dev Ones up to the highest bit of `n`, which has 17 at most.
    function _mask(uint256 n) private pure returns (uint256) {
        unchecked {
            n |= n >> 1;
            n |= n >> 2;
            n |= n >> 4;
            n |= n >> 8;
            return n | (n >> 16);
        }
    }

    /// @dev A place below `tickets`, from the highest bits; one that is past their end is drawn again. So who adds tickets or
    /// takes some away changes the draws that hit these and not, as a remainder would, most of them: nobody can try numbers
    /// of tickets until a known seed draws whom he likes.
    function _place(uint256 random, uint256 tickets) private pure returns (uint256 place) {
        unchecked {
            for (uint256 mask = _mask(tickets - 1);; random *= MIX) {
                place = (random >> 192) & mask;
                if (place < tickets) return place;
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
            // Of the draw, 32 bits for each row say who joins, and 64 for each tell equals apart.
            uint256 ties = random >> 64;
            uint256 seen;
            for (uint256 rows = ROWS; word != 0; word >>= 16) {
                uint256 place = (word & 0xFFFF) >> 2;
                // Nobody's ticket, or a row that was looked at.
                if (place * (place ^ seen) == 0) continue;
                seen = place;
                uint256 row = $.seats[place];
                uint256 weight = SeatWord.seatIn(row, word & 3).stake();
                uint256 claims = _claims(row, place, model, earlier) & _joining(row, weight, random);
                best = _bestOfRow(best, row, claims, place, ties);
                if (--rows == 0) break;
                random >>= 32;
                ties >>= 64;
            }
        }
    }

    /// @dev The best of what was the best so far and those of a row: its score, then 16 random bits that tell equals
    /// apart, then its id.
    function _bestOfRow(uint256 best, uint256 row, uint256 claims, uint256 place, uint256 random)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 ends = (_spread(random, 0xFFFF, 16) << 16) | (place * (SeatWord.EACH << 2) + SEATS);
            for (; claims != 0; claims >>= 64) {
                uint256 claim = claims & 0xFFFF;
                if (claim != 0) {
                    uint256 candidate = ((claim + SeatWord.freeShare(row)) << 32) | (ends & 0xFFFFFFFF);
                    if (candidate > best) best = candidate;
                }
                row >>= 64;
                ends >>= 64;
            }
            return best;
        }
    }

    /// @return claims What each seat of a row has to say for itself, without those that had the request.
    function _claims(uint256 row, uint256 place, uint256 model, uint256 earlier) private pure returns (uint256 claims) {
        unchecked {
            claims = SeatWord.claims(row, model);
            for (; earlier != 0; earlier >>= 16) {
                uint256 id = earlier & 0xFFFF;
                if (id >> 2 == place) claims &= ~(uint256(0xFFFF) << ((id & 3) << 6));
            }
        }
    }

    /// @return The 16 lowest bits of each seat that joins: who has less than the drawn one, as often as its own stake goes
    /// into `weight`, by 8 random bits each.
    function _joining(uint256 row, uint256 weight, uint256 random) private pure returns (uint256) {
        unchecked {
            // Products and stakes, 256 times as large, have 15 bits: a sum keeps 2^15 exactly where its seat joins.
            uint256 stakes = ((row & (SeatWord.EACH * 127)) << 8) + (SeatWord.EACH << 15);
            return (((stakes - _spread(random, 0xFF, 8) * weight) >> 15) & SeatWord.EACH) * 0xFFFF;
        }
    }

    /// @return The four lowest fields of `bits` bits each, one a seat.
    function _spread(uint256 random, uint256 field, uint256 bits) private pure returns (uint256) {
        unchecked {
            uint256 step = 64 - bits;
            return (random & field) | ((random & (field << bits)) << step)
                | ((random & (field << (2 * bits))) << (2 * step)) | ((random & (field << (3 * bits))) << (3 * step));
        }
    }

    // ---- being seen

    /// @dev What an operator sends for its own work, or as a heartbeat, shows that its node lives.
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

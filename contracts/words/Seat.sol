// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What selection needs of a validator: 64 bits, four validators to a storage word.
/// Validator `id` sits in row `id / 4`, at bit `64 * (id % 4)`; ids start at 4, so that row 0 and id 0 mean nobody.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..6 | stake | thousands of NST, 0..127 |
/// | 7..13 | reputation | 0..100 |
/// | 14..19 | load | open assignments |
/// | 20..25 | capacity | assignments it may hold at once: a window that moves within 1 and `capacityBound` |
/// | 26..32 | speed | expected over elapsed time in percent, averaged, 0..100 |
/// | 33 | closed | paused, exiting, under-staked, or unseen for a day |
/// | 34 | probation | paid and ranked as neutral at best |
/// | 35..63 | models | one bit a catalogued model |
type Seat is uint64;

using SeatWord for Seat global;

library SeatWord {
    uint256 internal constant MAX_MODELS = 29;
    uint256 internal constant LOAD_ONE = 1 << 14;
    uint256 internal constant STAKE_MAX = 127;
    uint256 private constant CAPACITY_ONE = 1 << 20;
    uint256 private constant CAPACITY_AT_FIRST = 4;
    uint256 private constant MODEL_0 = 1 << 35;
    /// A one for each seat of a row.
    uint256 internal constant EACH = 1 | (1 << 64) | (1 << 128) | (1 << 192);
    uint256 private constant SUSPENDED_BELOW = 50;
    uint256 private constant NEUTRAL_AT_MOST = 89;
    uint256 private constant STAKE_SATURATES = 100;

    function pack(
        uint256 stake_,
        uint256 reputation_,
        uint256 load_,
        uint256 capacity_,
        uint256 speed_,
        bool closed_,
        bool probation_,
        uint256 models_
    ) internal pure returns (Seat) {
        return Seat.wrap(
            uint64(
                stake_ | (reputation_ << 7) | (load_ << 14) | (capacity_ << 20) | (speed_ << 26)
                    | (uint256(closed_ ? 1 : 0) << 33) | (uint256(probation_ ? 1 : 0) << 34) | (models_ << 35)
            )
        );
    }

    function seatIn(uint256 row, uint256 id) internal pure returns (Seat) {
        return Seat.wrap(uint64(row >> ((id & 3) << 6)));
    }

    function put(Seat self, uint256 row, uint256 id) internal pure returns (uint256) {
        uint256 shift = (id & 3) << 6;
        return (row & ~(uint256(type(uint64).max) << shift)) | (uint256(Seat.unwrap(self)) << shift);
    }

    function stake(Seat self) internal pure returns (uint256) {
        return Seat.unwrap(self) & 127;
    }

    function reputation(Seat self) internal pure returns (uint256) {
        return (Seat.unwrap(self) >> 7) & 127;
    }

    function load(Seat self) internal pure returns (uint256) {
        return (Seat.unwrap(self) >> 14) & 63;
    }

    function capacity(Seat self) internal pure returns (uint256) {
        return (Seat.unwrap(self) >> 20) & 63;
    }

    function speed(Seat self) internal pure returns (uint256) {
        return (Seat.unwrap(self) >> 26) & 127;
    }

    function closed(Seat self) internal pure returns (bool) {
        return (Seat.unwrap(self) >> 33) & 1 == 1;
    }

    function probation(Seat self) internal pure returns (bool) {
        return (Seat.unwrap(self) >> 34) & 1 == 1;
    }

    function models(Seat self) internal pure returns (uint256) {
        return Seat.unwrap(self) >> 35;
    }

    /// @notice Reputation as rank and pay see it: neutral at best while on probation.
    function standing(Seat self) internal pure returns (uint256 points) {
        points = self.reputation();
        if (points > NEUTRAL_AT_MOST && self.probation()) points = NEUTRAL_AT_MOST;
    }

    /// @notice Whether pay is refused and routing closed for its reputation.
    function suspended(Seat self) internal pure returns (bool) {
        return self.reputation() < SUSPENDED_BELOW;
    }

    /// @notice Whether it takes work for `model` in the lanes that name it.
    function serves(Seat self, uint256 model) internal pure returns (bool) {
        return (self.models() >> model) & 1 == 1 && !self.suspended();
    }

    /// @notice Priority for a request of `model`, 0 when it may not have it: 40 parts stake, 30 reputation, 20 free
    /// capacity, 10 speed, each normalised to 0..100 first, so 10,000 is the best there is.
    function score(Seat self, uint256 model) internal pure returns (uint256) {
        uint256 word = Seat.unwrap(self);
        uint256 claim = claims(word, model);
        return claim == 0 ? 0 : claim + freeShare(word);
    }

    /// @notice The score without the part of the free capacity, of the four seats of a row at once: in the lowest 16 bits
    /// of each, 0 where the seat may not have the request.
    /// @dev Four seats for little more than the price of one. Each field is masked out of all of them, and stays below
    /// 2^14 wherever it is added to or multiplied: nothing reaches the seat above. A field is compared by a sum that
    /// passes 128, or 64 for load and capacity, exactly from the limit on.
    function claims(uint256 row, uint256 model) internal pure returns (uint256) {
        unchecked {
            uint256 stakes = row & (EACH * 127);
            uint256 points = (row >> 7) & (EACH * 127);
            uint256 free = ((row >> 20) & (EACH * 63)) + EACH * 63 - ((row >> 14) & (EACH * 63));
            // Its bit for the model is set, the bit that closes it is not; it is not suspended, and has a place.
            uint256 open = (row >> (35 + model)) & ~(row >> 33) & EACH;
            open &= ((points + EACH * (128 - SUSPENDED_BELOW)) >> 7) & (free >> 6);
            stakes -= _excess(stakes, STAKE_SATURATES, EACH);
            points -= _excess(points, NEUTRAL_AT_MOST, (row >> 34) & EACH);
            return (40 * stakes + 30 * points + 10 * ((row >> 26) & (EACH * 127))) & (open * 0xFFFF);
        }
    }

    /// @return share What free capacity adds to the score of the seat in the lowest 64 bits of `word`.
    function freeShare(uint256 word) internal pure returns (uint256 share) {
        unchecked {
            uint256 capacity_ = (word >> 20) & 63;
            uint256 free = capacity_ - ((word >> 14) & 63);
            // Floor: a share of one point in 10,000 decides nothing but a tie. In assembly, since the language asks each
            // time whether a capacity is zero, which it is in no seat that has a claim.
            assembly ("memory-safe") {
                share := div(mul(2000, free), capacity_)
            }
        }
    }

    /// @return By how much each field of 7 bits passes `most`, in the seats that `which` has a bit in.
    function _excess(uint256 fields, uint256 most, uint256 which) private pure returns (uint256) {
        unchecked {
            uint256 sums = fields + EACH * (127 - most);
            uint256 over = (sums >> 7) & which;
            return (sums & (over * 127)) + over;
        }
    }

    function withLoad(Seat self, uint256 load_) internal pure returns (Seat) {
        return Seat.wrap(uint64((Seat.unwrap(self) & ~uint64(63 << 14)) | uint64(load_ << 14)));
    }

    function withStake(Seat self, uint256 thousands) internal pure returns (Seat) {
        return Seat.wrap((Seat.unwrap(self) & ~uint64(127)) | uint64(thousands));
    }

    function withCapacity(Seat self, uint256 capacity_) internal pure returns (Seat) {
        return Seat.wrap((Seat.unwrap(self) & ~uint64(63 << 20)) | uint64(capacity_ << 20));
    }

    function withModels(Seat self, uint256 models_) internal pure returns (Seat) {
        return Seat.wrap(uint64((Seat.unwrap(self) & (MODEL_0 - 1)) | (models_ << 35)));
    }

    function withReputation(Seat self, uint256 points) internal pure returns (Seat) {
        return Seat.wrap(uint64((Seat.unwrap(self) & ~uint64(127 << 7)) | uint64(points << 7)));
    }

    function withSpeed(Seat self, uint256 percent) internal pure returns (Seat) {
        return Seat.wrap(uint64((Seat.unwrap(self) & ~(uint64(127) << 26)) | uint64(percent << 26)));
    }

    function withClosed(Seat self, bool closed_) internal pure returns (Seat) {
        uint64 word = Seat.unwrap(self) & ~(uint64(1) << 33);
        return Seat.wrap(closed_ ? word | (uint64(1) << 33) : word);
    }

    function withoutProbation(Seat self) internal pure returns (Seat) {
        return Seat.wrap(Seat.unwrap(self) & ~(uint64(1) << 34));
    }

    // ---- the window of open assignments

    /// @notice The most assignments that a stake carries: one each 2,500 NST, at least one. At most 50, since the
    /// stake of a seat saturates.
    function capacityBound(uint256 stakeThousands) internal pure returns (uint256 bound) {
        unchecked {
            bound = stakeThousands * 2 / 5; // Down: a full 2,500 NST for each.
            if (bound == 0) bound = 1;
        }
    }

    /// @notice The window that a new validator begins with.
    function firstCapacity(uint256 stakeThousands) internal pure returns (uint256 capacity_) {
        capacity_ = capacityBound(stakeThousands);
        if (capacity_ > CAPACITY_AT_FIRST) capacity_ = CAPACITY_AT_FIRST;
    }

    /// @notice One more after a success, within the bound.
    function grown(Seat self) internal pure returns (Seat) {
        unchecked {
            uint256 word = Seat.unwrap(self);
            // One more is within the bound: without the division, since every settlement comes by.
            bool fits = 5 * (((word >> 20) & 63) + 1) <= 2 * (word & 127);
            return fits ? Seat.wrap(uint64(word + CAPACITY_ONE)) : self;
        }
    }

    /// @notice Half after a failure, at least one. What is open above it stays open.
    function halved(Seat self) internal pure returns (Seat) {
        uint256 half = self.capacity() / 2;
        return self.withCapacity(half == 0 ? 1 : half);
    }

    /// @notice Within the bound of its stake, which may have fallen.
    function clamped(Seat self) internal pure returns (Seat) {
        uint256 bound = capacityBound(self.stake());
        return self.capacity() > bound ? self.withCapacity(bound) : self;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The state of a request in the assigned lane, one word keyed by its id. While it is open the upper 160 bits
/// are the price part of the offer it was submitted under; when it has ended they commit to how.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..2 | status | see `RequestStatus` |
/// | 3..18 | validator | id of the validator it is assigned to |
/// | 19..20 | attempts | assignments so far |
/// | 21..52 | since | unix seconds: submitted, assigned, or ended |
/// | 53..76 | tokens | output tokens, when completed; failure class, when failed; while open as below |
/// | 77..78 | band | pay band of the validator at assignment |
/// | 79 | callbackFailed | the callback failed and may be retried |
/// | 80..95 | atBlock | block number when assigned, modulo 2^16 |
/// | 96..255 | price, then commitment | |
///
/// | bits, while open | field | meaning |
/// |---|---|---|
/// | 53 | cancelling | its user cancelled; `since` is when, and the validator may still post what it has |
/// | 54..56 | lastFailure | class of the last attempt that failed, 0 for none |
/// | 57..58 | declines | validators that declined the prompt |
/// | 59 | published | the prompt went on chain with the request: who declines it could read it |
/// | 60..61 | backoff | seconds from the assignment to `since` |
type Request is uint256;

using RequestWord for Request global;

library RequestWord {
    uint256 private constant STATUS_AND_VALIDATOR = (1 << 21) - 1;
    uint256 private constant ATTEMPT_ONE = 1 << 19;
    uint256 private constant DECLINE_ONE = 1 << 57;
    /// What an assignment leaves as it was: attempts, the history of the attempts, and the price.
    uint256 private constant KEPT = (3 << 19) | (63 << 54) | ~uint256(type(uint96).max);

    /// @param attempts_ Assignments so far, this one included.
    function open(uint256 status_, uint256 validator_, uint256 attempts_, uint256 band_, uint256 price_)
        internal
        view
        returns (Request)
    {
        return Request.wrap(
            status_ | (validator_ << 3) | (attempts_ << 19) | (block.timestamp << 21) | (band_ << 77)
                | (uint256(uint16(block.number)) << 80) | price_
        );
    }

    function withPublished(Request self) internal pure returns (Request) {
        return Request.wrap(Request.unwrap(self) | (1 << 59));
    }

    /// @notice The same request in the hands of another validator.
    /// @param backoff_ Seconds from now until its windows begin, 3 at most.
    function assigned(Request self, uint256 status_, uint256 validator_, uint256 band_, uint256 backoff_)
        internal
        view
        returns (Request)
    {
        uint256 word = (Request.unwrap(self) & KEPT) + ATTEMPT_ONE;
        word |= (block.timestamp + backoff_) << 21 | (backoff_ << 60);
        return Request.wrap(word | status_ | (validator_ << 3) | (band_ << 77) | (uint256(uint16(block.number)) << 80));
    }

    /// @notice The same request without a validator.
    function queued(Request self, uint256 status_) internal view returns (Request) {
        return Request.wrap(
            (Request.unwrap(self) & KEPT) | status_ | (block.timestamp << 21) | (uint256(uint16(block.number)) << 80)
        );
    }

    /// @notice The same request, cancelled by its user now.
    function cancelled(Request self) internal view returns (Request) {
        uint256 word = Request.unwrap(self) & ~((uint256(type(uint32).max) << 21) | (uint256(0xFFFF) << 80));
        return Request.wrap(word | (1 << 53) | (block.timestamp << 21) | (uint256(uint16(block.number)) << 80));
    }

    function withFailure(Request self, uint256 class) internal pure returns (Request) {
        return Request.wrap((Request.unwrap(self) & ~(uint256(7) << 54)) | (class << 54));
    }

    /// @dev Three attempts hold at most three declines.
    function withDecline(Request self) internal pure returns (Request) {
        return Request.wrap(Request.unwrap(self) + DECLINE_ONE);
    }

    function status(Request self) internal pure returns (uint256) {
        return Request.unwrap(self) & 7;
    }

    function validator(Request self) internal pure returns (uint256) {
        return uint16(Request.unwrap(self) >> 3);
    }

    function attempts(Request self) internal pure returns (uint256) {
        return (Request.unwrap(self) >> 19) & 3;
    }

    function since(Request self) internal pure returns (uint256) {
        return uint32(Request.unwrap(self) >> 21);
    }

    /// @notice Seconds since its windows began; 0 while a backoff runs.
    function elapsed(Request self) internal view returns (uint256) {
        unchecked {
            uint256 from = self.since();
            return block.timestamp > from ? block.timestamp - from : 0;
        }
    }

    function cancelling(Request self) internal pure returns (bool) {
        return (Request.unwrap(self) >> 53) & 1 == 1;
    }

    function lastFailure(Request self) internal pure returns (uint256) {
        return (Request.unwrap(self) >> 54) & 7;
    }

    function declines(Request self) internal pure returns (uint256) {
        return (Request.unwrap(self) >> 57) & 3;
    }

    /// @notice When its validator got it, unix seconds: a backoff before its windows begin.
    function assignedAt(Request self) internal pure returns (uint256) {
        unchecked {
            return self.since() - ((Request.unwrap(self) >> 60) & 3);
        }
    }

    function published(Request self) internal pure returns (bool) {
        return (Request.unwrap(self) >> 59) & 1 == 1;
    }

    function tokens(Request self) internal pure returns (uint256) {
        return uint24(Request.unwrap(self) >> 53);
    }

    function band(Request self) internal pure returns (uint256) {
        return (Request.unwrap(self) >> 77) & 3;
    }

    function callbackFailed(Request self) internal pure returns (bool) {
        return (Request.unwrap(self) >> 79) & 1 == 1;
    }

    /// @notice Blocks since the assignment, modulo 2^16: never more than there were.
    function blocksSince(Request self) internal view returns (uint256) {
        unchecked {
            return uint16(uint16(block.number) - uint16(Request.unwrap(self) >> 80));
        }
    }

    /// @notice The price part, in place: read it with `PriceWord`.
    function price(Request self) internal pure returns (uint256) {
        return Request.unwrap(self);
    }

    function commitment(Request self) internal pure returns (uint160) {
        return uint160(Request.unwrap(self) >> 96);
    }

    function end(Request self, uint256 status_, uint256 tokens_, bytes32 commitment_) internal view returns (Request) {
        uint256 word = Request.unwrap(self) & (STATUS_AND_VALIDATOR | (3 << 77));
        word = (word & ~uint256(7)) | status_ | (block.timestamp << 21) | (tokens_ << 53);
        return Request.wrap(word | (uint256(uint160(uint256(commitment_))) << 96));
    }

    function withCallbackFailed(Request self, bool failed) internal pure returns (Request) {
        uint256 word = Request.unwrap(self) & ~(uint256(1) << 79);
        return Request.wrap(failed ? word | (1 << 79) : word);
    }
}

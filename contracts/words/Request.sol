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
/// | 53..76 | tokens | output tokens, when completed; failure class, when failed |
/// | 77..78 | band | pay band of the validator at assignment |
/// | 79 | callbackFailed | the callback failed and may be retried |
/// | 80..95 | atBlock | block number when assigned, modulo 2^16 |
/// | 96..255 | price, then commitment | |
type Request is uint256;

using RequestWord for Request global;

library RequestWord {
    uint256 private constant STATUS_AND_VALIDATOR = (1 << 21) - 1;

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

    /// @notice The same request on its way to another validator, 0 for the queue.
    function reopen(Request self, uint256 status_, uint256 validator_, uint256 band_) internal view returns (Request) {
        uint256 attempts_ = self.attempts() + (validator_ == 0 ? 0 : 1);
        return open(status_, validator_, attempts_, band_, Request.unwrap(self) & ~uint256(type(uint96).max));
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

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice An open session, one word keyed by its id, which is the EIP-712 hash of what the user authorized.
///
/// | bits | field | meaning |
/// |---|---|---|
/// | 0..95 | cap | NSD wei taken from the user's credits when it opened |
/// | 96..191 | settled | NSD wei of it that receipts have consumed |
/// | 192..212 | count | prompts that receipts have settled |
/// | 213..244 | endsAt | unix seconds from which anybody may close it |
/// | 245..255 | burn | bps of what is consumed, in force when it opened; 0 in no open session |
type SessionState is uint256;

using SessionWord for SessionState global;

library SessionWord {
    uint256 internal constant COUNT_MAX = (1 << 21) - 1;
    uint256 private constant COUNTED_MASK = ((uint256(1) << 117) - 1) << 96;
    /// What the slot of a closed session holds: it can never be opened again.
    SessionState internal constant CLOSED = SessionState.wrap(1);

    function open(uint256 cap_, uint256 endsAt_, uint256 burnBps_) internal pure returns (SessionState) {
        return SessionState.wrap(cap_ | (endsAt_ << 213) | (burnBps_ << 245));
    }

    function isOpen(SessionState self) internal pure returns (bool) {
        return self.burnBps() != 0;
    }

    function cap(SessionState self) internal pure returns (uint256) {
        return uint96(SessionState.unwrap(self));
    }

    function settled(SessionState self) internal pure returns (uint256) {
        return uint96(SessionState.unwrap(self) >> 96);
    }

    function count(SessionState self) internal pure returns (uint256) {
        return (SessionState.unwrap(self) >> 192) & COUNT_MAX;
    }

    function endsAt(SessionState self) internal pure returns (uint256) {
        return uint32(SessionState.unwrap(self) >> 213);
    }

    function burnBps(SessionState self) internal pure returns (uint256) {
        return SessionState.unwrap(self) >> 245;
    }

    /// @dev The caller has checked `settled_ <= cap` and `count_ <= COUNT_MAX`.
    function withReceipt(SessionState self, uint256 count_, uint256 settled_) internal pure returns (SessionState) {
        return SessionState.wrap((SessionState.unwrap(self) & ~COUNTED_MASK) | (settled_ << 96) | (count_ << 192));
    }

    function withEnd(SessionState self, uint256 endsAt_) internal pure returns (SessionState) {
        uint256 word = SessionState.unwrap(self) & ~(uint256(type(uint32).max) << 213);
        return SessionState.wrap(word | (endsAt_ << 213));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Who pays, and what: user 160 bits, payment 96 bits (NSD wei) below.
type Payer is uint256;

/// @notice The terms of a request in the assigned lane.
///
/// | bits | field | unit |
/// |---|---|---|
/// | 0..7 | model | index in the catalogue |
/// | 8..31 | maxTokens | output tokens |
/// | 32..47 | temperature | hundredths, 0..200 |
/// | 48..55 | flags | 1 priority, 2 private |
/// | 56..87 | nonce | |
/// | 88..111 | callbackGas | gas |
/// | 112..207 | callbackFee | NSD wei, beside the payment |
type Terms is uint256;

/// @notice The terms of a direct intent, and what its answer took, as `Delivery` brings them. What lies above is ignored.
///
/// | bits | field | unit |
/// |---|---|---|
/// | 0..23 | tokens | output tokens used |
/// | 24..47 | maxTokens | output tokens |
/// | 48..63 | temperature | hundredths |
/// | 64..71 | flags | 1 priority, 2 private |
/// | 72..103 | nonce | |
/// | 104..167 | deadline | unix seconds |
type DirectTerms is uint256;

using PayerWord for Payer global;
using DirectWord for DirectTerms global;
using TermsWord for Terms global;

/// @notice What a request is, as its submission emitted it. The chain keeps its hash alone, as the request's id;
/// every later call brings the ticket and is checked against the id that follows from it.
/// @param payer User and payment.
/// @param terms Model, length, flags, nonce and callback.
/// @param promptHash `keccak256(salt, prompt)`; salt zero where the prompt is public.
/// @param callback Contract that receives the answer, zero for none.
struct Ticket {
    Payer payer;
    Terms terms;
    bytes32 promptHash;
    address callback;
}

library PayerWord {
    function pack(address user_, uint256 payment_) internal pure returns (Payer) {
        return Payer.wrap((uint256(uint160(user_)) << 96) | payment_);
    }

    function user(Payer self) internal pure returns (address) {
        return address(uint160(Payer.unwrap(self) >> 96));
    }

    function payment(Payer self) internal pure returns (uint256) {
        return uint96(Payer.unwrap(self));
    }
}

library TermsWord {
    uint256 internal constant PRIORITY = 1;
    uint256 internal constant PRIVATE = 2;

    /// @dev In assembly, where a boolean is 0 or 1: two branches less.
    function flags(bool priority_, bool isPrivate_) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := or(priority_, shl(1, isPrivate_))
        }
    }

    function pack(
        uint256 model_,
        uint256 maxTokens_,
        uint256 temperature_,
        uint256 flags_,
        uint256 nonce_,
        uint256 callbackGas_,
        uint256 callbackFee_
    ) internal pure returns (Terms) {
        return Terms.wrap(
            model_ | (maxTokens_ << 8) | (temperature_ << 32) | (flags_ << 48) | (nonce_ << 56) | (callbackGas_ << 88)
                | (callbackFee_ << 112)
        );
    }

    function model(Terms self) internal pure returns (uint256) {
        return uint8(Terms.unwrap(self));
    }

    function maxTokens(Terms self) internal pure returns (uint256) {
        return uint24(Terms.unwrap(self) >> 8);
    }

    function temperature(Terms self) internal pure returns (uint256) {
        return uint16(Terms.unwrap(self) >> 32);
    }

    function priority(Terms self) internal pure returns (bool) {
        return (Terms.unwrap(self) >> 48) & PRIORITY != 0;
    }

    function isPrivate(Terms self) internal pure returns (bool) {
        return (Terms.unwrap(self) >> 48) & PRIVATE != 0;
    }

    function nonce(Terms self) internal pure returns (uint256) {
        return uint32(Terms.unwrap(self) >> 56);
    }

    function callbackGas(Terms self) internal pure returns (uint256) {
        return uint24(Terms.unwrap(self) >> 88);
    }

    function callbackFee(Terms self) internal pure returns (uint256) {
        return uint96(Terms.unwrap(self) >> 112);
    }
}

library DirectWord {
    function tokens(DirectTerms self) internal pure returns (uint256) {
        return uint24(DirectTerms.unwrap(self));
    }

    function maxTokens(DirectTerms self) internal pure returns (uint256) {
        return uint24(DirectTerms.unwrap(self) >> 24);
    }

    function temperature(DirectTerms self) internal pure returns (uint256) {
        return uint16(DirectTerms.unwrap(self) >> 48);
    }

    function priority(DirectTerms self) internal pure returns (bool) {
        return flags(self) & TermsWord.PRIORITY != 0;
    }

    function flags(DirectTerms self) internal pure returns (uint256) {
        return uint8(DirectTerms.unwrap(self) >> 64);
    }

    function nonce(DirectTerms self) internal pure returns (uint256) {
        return uint32(DirectTerms.unwrap(self) >> 72);
    }

    function deadline(DirectTerms self) internal pure returns (uint256) {
        return uint64(DirectTerms.unwrap(self) >> 104);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {Intent, Receipt, Session} from "../interfaces/IInferenceRouter.sol";
import {DirectTerms, Payer, TermsWord} from "../words/Ticket.sol";

/// @title The one message that users sign, and whose signature it bears
/// @notice EIP-712, domain `NeuroSwarm` version `1`. The wallet shows the model's name; the contract is handed its
/// hash, which is how EIP-712 encodes a string.
abstract contract Intents is EIP712 {
    bytes32 internal constant REQUEST_TYPEHASH = keccak256(
        "Request(address user,string model,bytes32 promptHash,uint32 maxTokens,uint16 temperature,uint96 payment,bool priority,bool private,address validator,address relayer,uint96 relayFee,address callback,uint32 callbackGas,uint32 nonce,uint64 deadline)"
    );
    bytes32 internal constant CANCEL_TYPEHASH = keccak256("Cancel(bytes32 request,uint64 deadline)");
    bytes32 internal constant DELIVERY_TYPEHASH = keccak256("Delivery(bytes32 request,bytes32 digest,uint32 tokens)");
    bytes32 private constant SESSION_TYPEHASH = keccak256(
        "Session(address user,address validator,address key,string model,uint96 cap,uint64 expiry,uint32 nonce,uint64 deadline)"
    );
    bytes32 private constant RECEIPT_TYPEHASH =
        keccak256("Receipt(bytes32 session,uint32 count,uint96 total,bytes32 root)");
    uint256 private constant ERC1271_GAS = 200_000;

    function _domainNameAndVersion() internal pure override returns (string memory, string memory) {
        return ("NeuroSwarm", "1");
    }

    /// @dev Every member of `Intent` is one word in calldata, in the order of the type: behind the type's hash they are
    /// the message's encoding. Each is checked for its width where it is used.
    function _hashIntent(Intent calldata intent) internal view returns (bytes32) {
        bytes32 typeHash = REQUEST_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, typeHash)
            calldatacopy(add(data, 32), intent, 480)
            structHash := keccak256(data, 512)
        }
        return _hashTypedData(structHash);
    }

    /// @dev The encoding of a direct intent, with what all those that one validator brings at once have in common:
    /// the model and the validator. They name neither relayer nor callback.
    function _directMessage(bytes32 model) internal view returns (bytes32[16] memory message) {
        message[0] = REQUEST_TYPEHASH;
        message[2] = model;
        message[9] = bytes32(uint256(uint160(msg.sender)));
    }

    /// @dev Writes what is an intent's own into `message`, and hashes it. Behind a proxy the domain is computed anew each
    /// time, so a batch brings its own.
    function _hashDirect(bytes32[16] memory message, bytes32 domain, Payer payer, DirectTerms terms, bytes32 promptHash)
        internal
        pure
        returns (bytes32)
    {
        message[1] = bytes32(uint256(uint160(payer.user())));
        message[3] = promptHash;
        message[4] = bytes32(terms.maxTokens());
        message[5] = bytes32(terms.temperature());
        message[6] = bytes32(payer.payment());
        // Two booleans, which the flags 1 and 2 are.
        message[7] = bytes32(terms.flags() & TermsWord.PRIORITY);
        message[8] = bytes32((terms.flags() & TermsWord.PRIVATE) >> 1);
        message[14] = bytes32(terms.nonce());
        message[15] = bytes32(terms.deadline());
        bytes32 structHash;
        assembly ("memory-safe") {
            structHash := keccak256(message, 512)
        }
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    /// @dev Every member is one word in memory: eight of them.
    function _hashSession(Session memory session) internal view returns (bytes32) {
        bytes32 typeHash = SESSION_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, typeHash)
            mcopy(add(data, 32), session, 256)
            structHash := keccak256(data, 288)
        }
        return _hashTypedData(structHash);
    }

    function _hashReceipt(bytes32 session, Receipt calldata receipt) internal view returns (bytes32) {
        return
            _hashTypedData(keccak256(abi.encode(RECEIPT_TYPEHASH, session, receipt.count, receipt.total, receipt.root)));
    }

    function _isKeySignature(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        return problem == ECDSA.RecoverError.NoError && recovered == signer;
    }

    /// @dev A key first, then a contract: a delegated account (EIP-7702) may sign either way. The contract gets bounded
    /// gas, and one word of its answer is read: it can neither drain the relayer nor inflate memory.
    function _isSignature(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (_isKeySignature(signer, digest, signature)) return true;
        if (signer.code.length == 0) return false;
        bytes memory data = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bool ok;
        bytes32 answer;
        assembly ("memory-safe") {
            ok := staticcall(ERC1271_GAS, signer, add(data, 32), mload(data), 0, 32)
            ok := and(ok, gt(returndatasize(), 31))
            answer := mload(0)
        }
        return ok && answer == bytes32(IERC1271.isValidSignature.selector);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Intent, Receipt as Slip, Session, ValidatorView} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../../../contracts/interfaces/IModelAccessCredits.sol";
import {IPausable} from "./Deployment.sol";
import {Scene} from "./Scene.sol";

/// @notice What people do beside a single request: commit and reveal, sessions and their receipts; and what it all must
/// add up to.
abstract contract Lanes is Scene {
    bytes32 internal constant SALT = keccak256("salt of a commitment");
    bytes32 internal constant ROOT = keccak256("root over the records of a session");
    uint256 internal constant BOND = 60e18;
    uint256 internal constant CAP = 1_000e18;

    // ---- commit and reveal

    /// @dev 600 NSD: above the threshold of 500, a tenth of it is `BOND`.
    function _large(address user, uint256 nonce) internal view returns (Intent memory intent) {
        intent = _intent(user, nonce);
        intent.payment = 600e18;
    }

    function _commitmentOf(Intent memory intent, bytes32 salt) internal view returns (bytes32) {
        return keccak256(abi.encode(_digestOf(intent, block.chainid, address(router)), salt));
    }

    function _commit(address committer, Intent memory intent, bytes32 salt) internal returns (bytes32 commitment) {
        commitment = _commitmentOf(intent, salt);
        vm.prank(committer);
        router.commit(commitment, BOND);
    }

    function _nextBlock() internal {
        vm.roll(block.number + 1);
        vm.warp(block.timestamp + 12);
    }

    // ---- sessions

    function _session(address user, address operator) internal view returns (Session memory s) {
        s.user = user;
        s.validator = operator;
        s.model = LLAMA7;
        s.cap = uint96(CAP);
        s.expiry = uint64(block.timestamp + 7 days);
        // A test's nonces are small.
        s.nonce = uint32(router.accountOf(user).nonce);
        s.deadline = uint64(block.timestamp + 10 minutes);
    }

    /// @dev Written out from the protocol's text, apart from the router's own hashing; as the receipt's below.
    function _digestOf(Session memory s, uint256 chainId, address verifier) internal pure returns (bytes32) {
        bytes memory head = abi.encode(
            keccak256(
                "Session(address user,address validator,address key,string model,uint96 cap,uint64 expiry,uint32 nonce,uint64 deadline)"
            ),
            s.user,
            s.validator,
            s.key,
            s.model
        );
        bytes memory tail = abi.encode(s.cap, s.expiry, s.nonce, s.deadline);
        return _typed(keccak256(bytes.concat(head, tail)), chainId, verifier);
    }

    function _digestOf(bytes32 session, Slip memory r, uint256 chainId, address verifier)
        internal
        pure
        returns (bytes32)
    {
        bytes32 typeHash = keccak256("Receipt(bytes32 session,uint32 count,uint96 total,bytes32 root)");
        return _typed(keccak256(abi.encode(typeHash, session, r.count, r.total, r.root)), chainId, verifier);
    }

    function _idOf(Session memory s) internal view returns (bytes32) {
        return _digestOf(s, block.chainid, address(router));
    }

    function _signDigest(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _sign(uint256 key, Session memory s) internal view returns (bytes memory) {
        return _signDigest(key, _idOf(s));
    }

    function _sign(uint256 key, Session memory s, Slip memory r) internal view returns (bytes memory) {
        return _signDigest(key, _digestOf(_idOf(s), r, block.chainid, address(router)));
    }

    function _receipt(uint256 count, uint256 total) internal pure returns (Slip memory) {
        return Slip(uint32(count), uint96(total), ROOT);
    }

    /// @dev Alice's, of `CAP`, opened by herself.
    function _openSession(address operator) internal returns (Session memory s) {
        s = _session(alice.addr, operator);
        _openSession(s);
    }

    function _openSession(Session memory s) internal {
        vm.prank(s.user);
        router.openSession(s, "");
    }

    function _settleSession(Session memory s, uint256 count, uint256 total) internal {
        Slip memory r = _receipt(count, total);
        bytes memory signature = _sign(alice.key, s, r);
        vm.prank(s.validator);
        router.settleSession(s, r, signature);
    }

    // ---- pauses

    function _pauseSettlement(uint256 until) internal {
        vm.prank(guardian);
        IPausable(address(router)).pauseSettlement(until);
    }

    function _pauseIntake(uint256 until) internal {
        vm.prank(guardian);
        IPausable(address(router)).pauseIntake(until);
    }

    // ---- sums

    /// @dev The split as the protocol has it: burn = ceil(consumed * burnBps), validator = floor(consumed * (1 - burnBps)
    /// * 7/9 * band), treasury the rest.
    function _legs(uint256 consumed, uint256 burnBps, uint256 bandBps)
        internal
        pure
        returns (uint256 validatorLeg, uint256 treasuryLeg, uint256 burned)
    {
        burned = consumed * burnBps / 10_000;
        if (burned * 10_000 < consumed * burnBps) ++burned;
        validatorLeg = consumed * (10_000 - burnBps) * 7 * bandBps / (10_000 * 9 * 10_000);
        treasuryLeg = consumed - validatorLeg - burned;
    }

    /// @dev The ledger identity, over everybody who can own something in these tests.
    /// @param locked What requests, bonds, sessions and cases hold.
    function _assertLedger(uint256 locked) internal view {
        uint256 owed = locked + router.accountOf(alice.addr).credits + router.accountOf(bob.addr).credits
            + router.accountOf(relayer).credits;
        uint256 last = validators.count() + 3;
        for (uint256 id = 4; id <= last; ++id) {
            ValidatorView memory v = router.validatorOf(id);
            IModelAccessCredits.Claim memory c = credits.claimOf(id);
            owed += v.validatorLeg + v.treasuryLeg + c.validatorLeg + c.treasuryLeg;
        }
        (,, uint256 unretired) = router.ledger();
        assertEq(nsd.headroom(), owed + unretired, "burned - minted - retired");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {IInferenceRouter, Intent, Receipt, Session} from "../interfaces/IInferenceRouter.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {ReputationMath} from "../libraries/ReputationMath.sol";
import {Account} from "../words/Account.sol";
import {Commitment, CommitmentWord} from "../words/Commitment.sol";
import {Chain, ChainWord, Global} from "../words/Ledger.sol";
import {Offer, PriceWord} from "../words/Offer.sol";
import {Seat} from "../words/Seat.sol";
import {SessionState, SessionWord} from "../words/Session.sol";
import {Till} from "../words/Till.sol";
import {Extended} from "./Extended.sol";
import {Opening} from "./Opening.sol";
import {RouterBase} from "./RouterBase.sol";

/// @title Ways to ask that need more than one request at a time: batches, commitments, sessions
/// @notice Reached through the fallback of the router, with its storage.
///
/// # Commit and reveal
/// Whoever can choose the block of a large request can choose its validator. So a request above the threshold is
/// committed to first, with a bond; the hash of the block that holds the commitment, unknown when it was sent, and a
/// salt, unknown to everybody else, draw the validator at the reveal. To try again costs the bond. A validator that
/// gained tickets after the commitment is passed over. Where intake was paused while a commitment could be revealed, its
/// bond comes back: a guardian costs nobody anything.
///
/// # Sessions
/// A user locks a cap for one validator, and signs receipts off chain, each of which replaces the one before: so many
/// prompts, so much in total, this root over their records. The validator settles the last one whenever it likes. What
/// receipts leave unlocks when the session is closed: by the validator at any time, by anybody from its end on.
contract RouterLanes is Opening, Extended {
    using Arrays for uint256[];
    using PriceWord for uint256;

    uint256 private constant BOND_BPS = 1_000;
    /// As many ids as a word holds.
    uint256 private constant MAX_PASSED_OVER = 16;
    uint256 private constant HASHES_KEPT = 256;
    uint256 private constant LONGEST_SESSION = 90 days;
    /// Seconds of notice that a validator gets to settle before its user may close a session early.
    uint256 private constant SESSION_NOTICE = 15 minutes;

    constructor(Peers memory peers, uint256 windowBlocks, address extension)
        RouterBase(peers, windowBlocks)
        Extended(extension)
    {}

    // ---- many at once

    function submitBatch(Intent[] calldata intents, bytes[] calldata signatures, bytes[] calldata prompts)
        external
        returns (bytes32[] memory ids)
    {
        uint256 n = intents.length;
        require(signatures.length == n && prompts.length == n, RouterUnequalLengths());
        ids = new bytes32[](n);
        for (uint256 i; i < n; ++i) {
            // Through the proxy, as its sender: an item that reverts undoes itself alone.
            (bool ok, bytes memory answer) = address(this)
                .delegatecall(abi.encodeCall(IInferenceRouter.submitFor, (intents[i], signatures[i], prompts[i])));
            if (ok) ids[i] = abi.decode(answer, (bytes32));
            else emit SubmissionSkipped(intents[i].user, i, answer);
        }
    }

    // ---- commit and reveal

    function commit(bytes32 commitment, uint256 bond) external nonReentrant {
        require(bond >= FeeMath.MINIMUM && bond <= type(uint96).max, RouterBondTooLow(bond, FeeMath.MINIMUM));
        Layout storage $ = _layout();
        // A bond that a pause held up comes back: within one, to commit would be to look at the seed for nothing.
        require(block.timestamp >= $.intakePausedUntil, RouterIntakePaused($.intakePausedUntil));
        bytes32 key = _keyOf(msg.sender, commitment);
        _forfeit($.commitments[key], msg.sender, commitment);
        $.commitments[key] = CommitmentWord.open(bond);
        _charge(msg.sender, bond, commitment);
        emit Committed(msg.sender, commitment, bond);
    }

    function reveal(Intent calldata intent, bytes calldata signature, bytes calldata prompt, bytes32 salt)
        external
        nonReentrant
        returns (bytes32 id)
    {
        Layout storage $ = _layout();
        if (msg.sender != intent.user) _requireSigned(intent, signature, prompt);
        else require(intent.validator == address(0), RouterDirectIntent(intent.validator));
        bytes32 commitment = keccak256(abi.encode(_hashIntent(intent), salt));
        bytes32 key = _keyOf(msg.sender, commitment);
        Commitment c = $.commitments[key];
        _requireRevealable(c, commitment);
        uint256 required = FeeMath.shareUp(intent.payment, BOND_BPS);
        require(c.bond() >= required, RouterBondTooLow(c.bond(), required));
        $.commitments[key] = CommitmentWord.NONE;
        _credit(msg.sender, c.bond());
        emit Revealed(msg.sender, commitment);

        Offer offer = $.offers[intent.model];
        bytes32 seed = keccak256(abi.encode(blockhash(c.atBlock()), salt, commitment));
        return _openSigned(intent, offer, prompt, seed, _newcomers(offer, seed, c.time(), commitment));
    }

    function forfeit(address committer, bytes32 commitment) external nonReentrant {
        bytes32 key = _keyOf(committer, commitment);
        Commitment c = _layout().commitments[key];
        require(c.bond() != 0, RouterUnknownCommitment(commitment));
        uint256 from = c.atBlock() + HASHES_KEPT;
        require(block.number > from, RouterStillRevealable(commitment, from));
        _forfeit(c, committer, commitment);
        _layout().commitments[key] = CommitmentWord.NONE;
    }

    /// @dev In the block of the commitment its hash is not known yet; 256 blocks later the chain has forgotten it.
    function _requireRevealable(Commitment c, bytes32 commitment) private view {
        require(c.bond() != 0, RouterUnknownCommitment(commitment));
        require(block.number > c.atBlock(), RouterRevealTooEarly(commitment, c.atBlock() + 1));
        require(block.number <= c.atBlock() + HASHES_KEPT, RouterRevealTooLate(commitment, c.atBlock() + HASHES_KEPT));
    }

    /// @dev Whom the seed would choose although they gained tickets when it could be known, 16 bits each. Nobody gets in
    /// by sending more of them than can be passed over: then nothing is revealed.
    function _newcomers(Offer offer, bytes32 seed, uint256 committedAt, bytes32 commitment)
        private
        view
        returns (uint256 passedOver)
    {
        for (uint256 n;; ++n) {
            uint256 validator = _choose(offer, seed, passedOver);
            if (validator == 0 || _layout().marks[validator].seatedAt < committedAt) return passedOver;
            require(n < MAX_PASSED_OVER, RouterNobodyEligible(commitment));
            passedOver = (passedOver << 16) | validator;
        }
    }

    /// @dev The bond stays burned, unless a pause of intake began while it could be revealed.
    function _forfeit(Commitment c, address committer, bytes32 commitment) private {
        uint256 bond = c.bond();
        if (bond == 0) return;
        Layout storage $ = _layout();
        if (_wasPaused(c.atBlock(), c.atBlock() + HASHES_KEPT)) {
            _credit(committer, bond);
            emit BondReturned(committer, commitment, bond);
        } else {
            $.global = $.global.add(0, bond);
            emit BondForfeited(committer, commitment, bond);
        }
    }

    /// @dev Whether a pause of intake began between these blocks, both among them.
    function _wasPaused(uint256 from, uint256 to) private view returns (bool) {
        uint256[] storage pauses = _layout().intakePauses;
        uint256 index = pauses.lowerBound(from);
        return index < pauses.length && pauses[index] <= to;
    }

    function _keyOf(address committer, bytes32 commitment) private pure returns (bytes32) {
        return keccak256(abi.encode(committer, commitment));
    }

    // ---- sessions

    function openSession(Session calldata session, bytes calldata signature)
        external
        nonReentrant
        returns (bytes32 id)
    {
        Layout storage $ = _layout();
        id = _hashSession(session);
        address user = session.user;
        require(block.timestamp <= session.deadline, RouterExpired(session.deadline));
        require(user == msg.sender || _isSignature(user, id, signature), RouterInvalidSignature(user));
        uint256 latest = block.timestamp + LONGEST_SESSION;
        require(
            session.expiry > block.timestamp && session.expiry <= latest, RouterInvalidExpiry(session.expiry, latest)
        );
        require(session.cap >= FeeMath.MINIMUM, RouterPaymentTooLow(session.cap, FeeMath.MINIMUM));
        Offer offer = $.offers[session.model];
        if (!offer.active()) _refuseIntake(session.model);
        Seat seat = _seatOf($.tills[session.validator].id());
        require(seat.serves(offer.model()), RouterNotServing(session.validator));

        Account account = $.accounts[user];
        bool ok;
        (account, ok) = account.useNonce(session.nonce);
        require(ok, RouterInvalidNonce(user, session.nonce, account.nonceBase()));
        uint256 credits = account.credits();
        require(credits >= session.cap, RouterInsufficientCredits(user, credits, session.cap));
        $.accounts[user] = account.withCredits(credits - session.cap);
        $.sessions[id] = SessionWord.open(session.cap, session.expiry, offer.price().burnBps());
        emit SessionOpened(id, user, session.validator, session.key, session.model, session.cap, session.expiry);
    }

    function settleSession(Session calldata session, Receipt calldata receipt, bytes calldata signature)
        external
        nonReentrant
    {
        Layout storage $ = _layout();
        bytes32 id = _hashSession(session);
        SessionState state = _requireOpen(id);
        require(msg.sender == session.validator, RouterNotServing(msg.sender));
        (uint256 prompts, uint256 amount) = _checkReceipt(id, state, receipt);
        bytes32 digest = _hashReceipt(id, receipt);
        require(
            _isKeySignature(session.key, digest, signature) || _isSignature(session.user, digest, signature),
            RouterInvalidSignature(session.user)
        );
        $.sessions[id] = state.withReceipt(receipt.count, receipt.total);
        _earnSession(id, session, receipt.root, prompts, amount, state.burnBps());
    }

    function endSession(Session calldata session) external nonReentrant {
        bytes32 id = _hashSession(session);
        SessionState state = _requireOpen(id);
        require(msg.sender == session.user, RouterNotPayer(msg.sender, session.user));
        uint256 endsAt = block.timestamp + SESSION_NOTICE;
        require(endsAt < state.endsAt(), RouterInvalidExpiry(endsAt, state.endsAt()));
        _layout().sessions[id] = state.withEnd(endsAt);
        emit SessionEnding(id, endsAt);
    }

    function closeSession(Session calldata session) external nonReentrant {
        bytes32 id = _hashSession(session);
        SessionState state = _requireOpen(id);
        if (msg.sender != session.validator) {
            Global global = _layout().global;
            uint256 endsAt = state.endsAt();
            uint256 notice = global.pausedUntil() + SESSION_NOTICE;
            // A pause that took the validator's time to settle gives it back.
            if (global.pausedAt() <= endsAt && notice > endsAt) endsAt = notice;
            require(block.timestamp >= endsAt, RouterTooEarly(id, endsAt));
        }
        uint256 left = state.cap() - state.settled();
        _layout().sessions[id] = SessionWord.CLOSED;
        _credit(session.user, left);
        emit SessionClosed(id, session.user, state.count(), state.settled(), left);
    }

    function _requireOpen(bytes32 id) private view returns (SessionState state) {
        state = _layout().sessions[id];
        require(state.isOpen(), RouterUnknownSession(id));
    }

    /// @dev A receipt says more than the last one, stays within the cap, and pays at least 5 NSD a prompt; and it has
    /// records, as every answer must.
    function _checkReceipt(bytes32 id, SessionState state, Receipt calldata receipt)
        private
        pure
        returns (uint256 prompts, uint256 amount)
    {
        require(
            receipt.count > state.count() && receipt.count <= SessionWord.COUNT_MAX,
            RouterInvalidReceipt(id, receipt.count, state.count())
        );
        require(receipt.root != 0, RouterEmptyDigest(id));
        require(receipt.total <= state.cap(), RouterInsufficientCap(id, receipt.total, state.cap()));
        prompts = receipt.count - state.count();
        uint256 least = state.settled() + prompts * FeeMath.MINIMUM;
        require(receipt.total >= least, RouterPaymentTooLow(receipt.total, least));
        amount = receipt.total - state.settled();
    }

    /// @dev Each prompt is a record and a chat, like any other; only their number makes them one settlement.
    function _earnSession(
        bytes32 id,
        Session calldata session,
        bytes32 root,
        uint256 prompts,
        uint256 amount,
        uint256 burnBps
    ) private {
        Layout storage $ = _layout();
        Till till = $.tills[msg.sender];
        uint256 validator = till.id();
        Seat seat = _seatOf(validator);
        require(validator != 0 && !seat.suspended(), RouterNotServing(msg.sender));
        _requireRunning($.global);
        (uint256 validatorLeg, uint256 treasuryLeg, uint256 burned) =
            FeeMath.split(amount, burnBps, ReputationMath.bandOf(seat.standing()));
        Seat before = seat;
        till = _seen(till, msg.sender);
        if (session.user != msg.sender) {
            // The window is for assigned requests: these show nothing of how many fit beside each other.
            (till,) = _succeed(till, seat, session.user, 0, 0);
            till = till.countMore(prompts - 1);
        }
        (till, seat) = _rate(till, seat, validator);
        if (Seat.unwrap(seat) != Seat.unwrap(before)) _putSeat(validator, seat);
        $.tills[msg.sender] = _earn(till, validator, validatorLeg, treasuryLeg);

        Global global = $.global;
        uint256 first = global.records() + 1;
        $.global = global.add(prompts, burned);
        // With its legs, so that a case can prove what it freezes.
        Chain chain_ = $.chain
        .append(keccak256(abi.encode(id, first, prompts, root, validator, amount, validatorLeg, treasuryLeg)));
        $.chain = chain_;
        _checkpoint(chain_);
        _reward(session.user, prompts);
        emit SessionSettled(
            id, session.user, first, validator, prompts, root, amount, validatorLeg, treasuryLeg, burned
        );
    }

    /// @dev What does not fit under the caps of today is accrued; what the account cannot count is said.
    function _reward(address user, uint256 chats) private {
        _requireMintGas(1);
        try LCAI.mint(user, chats * 1e18) returns (bool minted) {
            if (minted) return;
        } catch {}
        Layout storage $ = _layout();
        Account account = $.accounts[user];
        Account next = account.accrue(chats);
        $.accounts[user] = next;
        uint256 skipped = chats + account.accruedChats() - next.accruedChats();
        if (skipped != 0) emit RewardsSkipped(skipped);
    }
}

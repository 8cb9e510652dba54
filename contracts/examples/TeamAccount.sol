// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {InferencePayer} from "neuroswarm/contracts/consumer/InferencePayer.sol";
import {Intent} from "neuroswarm/contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "neuroswarm/contracts/words/Ticket.sol";

/// @title An account that pays for its members
/// @notice A member signs the EIP-712 message `Request` that names this contract as its user, and a relayer brings it:
/// `ROUTER.submitFor(intent, abi.encode(intent, memberSignature), prompt)`. The router asks here whether that counts. So
/// members hold neither NSD nor ether; the relayer is paid what the intent names, out of this account.
///
/// # What a member can spend
/// A request may take `LIMIT` in all, ten of them pass in a minute, whoever signs, and nothing else that is signed counts
/// here: no cancellation, no session. What the account holds bounds the rest, so hold what may be spent until you look
/// again. A signature counts while its signer is a member, and once: the router knows its nonce.
contract TeamAccount is InferencePayer, IERC1271 {
    using SafeERC20 for IERC20;

    bytes4 private constant REFUSED = 0xffffffff;

    address public immutable OWNER;
    /// NSD wei that a request may take, relay fee included.
    uint256 public immutable LIMIT;

    mapping(address account => bool) public isMember;

    event MemberSet(address indexed account, bool member);

    error TeamOnlyOwner(address sender);

    modifier onlyOwner() {
        require(msg.sender == OWNER, TeamOnlyOwner(msg.sender));
        _;
    }

    constructor(address router, address owner, uint256 limit) InferencePayer(router) {
        (OWNER, LIMIT) = (owner, limit);
    }

    function setMember(address account, bool member) external onlyOwner {
        isMember[account] = member;
        emit MemberSet(account, member);
    }

    /// @notice Takes a member's request back; half of its payment is forfeited where a validator has it.
    function cancel(Ticket calldata ticket) external onlyOwner {
        _cancel(ticket);
    }

    /// @notice Announces that all credits shall leave; `collect` sends them after the ledger's delay.
    function announceWithdrawal() external onlyOwner {
        _announceWithdrawal(_credits());
    }

    /// @notice Sends `to` all of `token` that lies here: LCAI that the account's chats earned, once `ModelReward.claim` has
    /// minted it; NSD with what was announced, once that may leave.
    function collect(IERC20 token, address to) external onlyOwner {
        bool withdraws = address(token) == address(NSD) && CREDITS.withdrawalOf(address(this)).amount != 0;
        if (withdraws) _withdraw();
        token.safeTransfer(to, token.balanceOf(address(this)));
    }

    /// @inheritdoc IERC1271
    /// @dev The digest says that the intent is this account's, on this router and chain, and for its nonce. A callback could
    /// be any contract, and its gas is paid beside the payment: none is allowed.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (Intent memory intent, bytes memory memberSignature) = abi.decode(signature, (Intent, bytes));
        if (intent.user != address(this) || intent.callback != address(0)) return REFUSED;
        if (uint256(intent.payment) + intent.relayFee > LIMIT) return REFUSED;
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecover(hash, memberSignature);
        if (problem != ECDSA.RecoverError.NoError || !isMember[signer]) return REFUSED;
        return ROUTER.hashIntent(intent) == hash ? IERC1271.isValidSignature.selector : REFUSED;
    }
}

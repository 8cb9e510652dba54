// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    Ask,
    IInferenceCallback,
    IInferenceRouter,
    RequestStatus
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IModelAccessCredits} from "../../../contracts/interfaces/IModelAccessCredits.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";

/// @notice A consumer that does whatever a settlement must survive.
contract HostileConsumer is IInferenceCallback {
    enum Mood {
        Kind,
        Reverts,
        BurnsGas,
        ReturnsMuch,
        RevertsMuch,
        Reenters,
        Withdraws,
        NeedsItsGas
    }

    IInferenceRouter public immutable ROUTER;
    IModelAccessCredits public immutable CREDITS;
    Mood public mood;
    uint256 public received;
    bytes public answer;
    /// What came of the reentrant calls: how many of them got in.
    uint256 public entered;

    constructor(IInferenceRouter router, IERC20 nsd, IModelAccessCredits credits) {
        (ROUTER, CREDITS) = (router, credits);
        nsd.approve(address(credits), type(uint256).max);
    }

    function become(Mood mood_) external {
        mood = mood_;
    }

    function announceWithdrawal(uint256 amount) external {
        CREDITS.requestWithdrawal(amount);
    }

    function onInferenceResult(bytes32, RequestStatus, bytes calldata result) external {
        // Of 200,000 that were paid for, a little went into getting here.
        bool starved = gasleft() < 199_000;
        if (mood == Mood.NeedsItsGas) require(!starved, "starved");
        require(msg.sender == address(ROUTER));
        if (mood == Mood.Reverts) revert("no thanks");
        if (mood == Mood.BurnsGas) while (true) ++received;
        if (mood == Mood.ReturnsMuch) assembly { return(0, 200000) }
        if (mood == Mood.RevertsMuch) assembly { revert(0, 200000) }
        if (mood == Mood.Reenters) _reenter();
        if (mood == Mood.Withdraws) CREDITS.withdraw();
        ++received;
        answer = result;
    }

    function _reenter() private {
        Ask memory ask;
        Ticket memory ticket;
        _count(abi.encodeCall(IInferenceRouter.submit, (ask, "")));
        _count(abi.encodeCall(IInferenceRouter.settle, (ticket, bytes32(uint256(1)), 1, "")));
        _count(abi.encodeCall(IInferenceRouter.expire, (ticket)));
        _count(abi.encodeCall(IInferenceRouter.fail, (ticket)));
        _count(abi.encodeCall(IInferenceRouter.heartbeat, ()));
    }

    function _count(bytes memory data) private {
        (bool ok, bytes memory reason) = address(ROUTER).call(data);
        // keccak of OpenZeppelin's error: the door itself was shut, not only the request refused.
        if (ok || bytes4(reason) != bytes4(keccak256("ReentrancyGuardReentrantCall()"))) ++entered;
    }
}

/// @notice A smart wallet: good, or not.
contract Wallet1271 {
    enum Mood {
        Good,
        Garbage,
        Short,
        Reverts,
        Reenters,
        BurnsGas,
        ReturnsMuch
    }

    address public immutable ROUTER;
    Mood public mood;

    constructor(address router, IERC20 nsd, address credits, Mood mood_) {
        (ROUTER, mood) = (router, mood_);
        nsd.approve(credits, type(uint256).max);
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        if (mood == Mood.Garbage) return 0xdeadbeef;
        if (mood == Mood.Short) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (mood == Mood.Reverts) revert("no");
        if (mood == Mood.Reenters) IInferenceRouter(ROUTER).voidNonces(5);
        if (mood == Mood.BurnsGas) while (gasleft() > 0) {}
        if (mood == Mood.ReturnsMuch) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 100000)
            }
        }
        return 0x1626ba7e;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ask, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Lanes} from "../support/Lanes.sol";

/// @notice What one pause excused, the next one may not take back. The router remembers the last pause alone.
contract TwoPausesTest is Lanes {
    /// @dev A bond that a pause kept from being revealed comes back, whenever it is asked for.
    function test_ALaterPauseTakesNoBondThatOneBeforeExcused() public {
        bytes32 commitment = keccak256("a commitment");
        _deposit(alice.addr, 100e18);
        vm.prank(alice.addr);
        router.commit(commitment, BOND);
        _nextBlock();
        uint256 until = block.timestamp + 1 hours;
        _pauseIntake(until);
        vm.warp(until + 1 days);
        vm.roll(block.number + 7_500);
        _pauseIntake(block.timestamp + 1 hours);
        router.forfeit(alice.addr, commitment);
        assertEq(router.accountOf(alice.addr).credits, 100e18);
        (,, uint256 unretired) = router.ledger();
        assertEq(unretired, 0);
    }

    /// @dev A window of two days and eight hours, as the catalogue's bounds allow: the first pause moves its end, the second
    /// begins before that end.
    function test_ALaterPauseTimesNobodyOutWhomOneBeforeGaveTime() public {
        (address node,) = _validator("node", 100_000e18);
        IModelRegistry.Model memory m = models.modelOf(LLAMA7);
        (m.maxTokens, m.pace) = (200_000, 1);
        vm.prank(admin);
        models.setModel(m);
        Ask memory ask = _ask();
        ask.maxTokens = 200_000;
        (bytes32 id, Ticket memory t) = _submit(alice.addr, ask);
        uint256 window = 60 + 200_000;
        vm.warp(START + 1);
        vm.prank(node);
        router.heartbeat();

        uint256 until = START + window;
        vm.warp(until - 1 hours);
        vm.roll(block.number + 10_000);
        _pauseSettlement(until);
        vm.warp(until + 1 days);
        assertEq(router.overdueFrom(t), until + window + 1, "one window after the pause");
        _pauseSettlement(block.timestamp + 1 hours);
        assertGe(router.overdueFrom(t), until + window + 1, "and no earlier for another pause");
        vm.warp(block.timestamp + 1 hours);
        _settle(node, t, 10);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
    }
}

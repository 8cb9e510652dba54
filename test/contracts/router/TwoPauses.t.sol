// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ask, IRouterLog} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Lanes} from "../support/Lanes.sol";

/// @notice What one pause excused or gave, the next one may not take back.
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

    /// @dev The longest window there can be. The first pause moves its end; before that end the second may not begin.
    function test_NoPauseBeginsBeforeWhatOneBeforeGaveIsOver() public {
        (address node,) = _validator("node", 100_000e18);
        IModelRegistry.Model memory m = models.modelOf(LLAMA7);
        (m.maxTokens, m.pace, m.window) = (86_339, 1, 60);
        vm.prank(admin);
        models.setModel(m);
        Ask memory ask = _ask();
        ask.maxTokens = 86_339;
        (, Ticket memory t) = _submit(alice.addr, ask);
        vm.warp(START + 1);
        vm.prank(node);
        router.heartbeat();
        uint256 until = START + 1 days - 1;
        vm.warp(until - 1 hours);
        vm.roll(block.number + 10_000);
        _pauseSettlement(until);
        uint256 overdue = router.overdueFrom(t);
        assertEq(overdue, until + 1 days, "one window after the pause");
        vm.warp(overdue - 1);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterPauseTooSoon.selector, overdue));
        vm.prank(guardian);
        router.pauseSettlement(overdue);
        _settle(node, t, 10);
    }
}

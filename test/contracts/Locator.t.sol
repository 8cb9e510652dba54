// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ask, RequestStatus, Session} from "../../contracts/interfaces/IInferenceRouter.sol";
import {ILocator, Place} from "../../contracts/interfaces/ILocator.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {Scene} from "./support/Scene.sol";

contract LocatorTest is Scene {
    ILocator.Known private known;

    function _locate(address account) private view returns (ILocator.Holding[] memory) {
        return locator.locate(account, known);
    }

    function _sum(address account, address token) private view returns (uint256 sum) {
        ILocator.Holding[] memory all = _locate(account);
        for (uint256 i; i < all.length; ++i) {
            if (all[i].token == token) sum += all[i].amount;
        }
    }

    /// @dev The one holding at `place`; reverts where there is none, or another one.
    function _at(address account, Place place) private view returns (ILocator.Holding memory found) {
        ILocator.Holding[] memory all = _locate(account);
        uint256 n;
        for (uint256 i; i < all.length; ++i) {
            if (all[i].place != place) continue;
            found = all[i];
            ++n;
        }
        assertEq(n, 1, "one holding at this place");
    }

    function test_AStrangerOwnsNothing() public {
        assertEq(_locate(makeAddr("stranger")).length, 0);
    }

    function test_WalletAndCredits() public {
        _deposit(alice.addr, 300e18);
        vm.prank(alice.addr);
        credits.requestWithdrawal(120e18);
        vm.warp(block.timestamp + 60);
        assertEq(_locate(alice.addr).length, 3);
        assertEq(_at(alice.addr, Place.Wallet).amount, 99_700e18);
        assertEq(_at(alice.addr, Place.Credits).amount, 180e18);
        assertEq(_at(alice.addr, Place.Credits).availableAt, block.timestamp + 15 minutes);
        assertEq(_at(alice.addr, Place.Withdrawal).amount, 120e18);
        assertEq(_at(alice.addr, Place.Withdrawal).availableAt, START + 15 minutes);
    }

    /// @dev Announced credits that requests used up meanwhile are not there twice.
    function test_AWithdrawalIsNeverMoreThanTheCredits() public {
        _deposit(alice.addr, 100e18);
        vm.prank(alice.addr);
        credits.requestWithdrawal(100e18);
        (, Ticket memory t) = _submit();
        known.requests.push(t);
        assertEq(_at(alice.addr, Place.Withdrawal).amount, 50e18);
        assertEq(_sum(alice.addr, address(nsd)), 100_000e18);
    }

    function test_AnOpenRequest() public {
        _validator("node", 100_000e18);
        Ask memory ask = _ask();
        (ask.callback, ask.callbackGas) = (address(0xCA11), 100_000);
        (bytes32 id, Ticket memory t) = _submit(alice.addr, ask);
        known.requests.push(t);
        ILocator.Holding memory h = _at(alice.addr, Place.Request);
        assertEq(h.token, address(nsd));
        assertEq(h.amount, 51e18, "payment and callback fee");
        assertEq(h.ref, id);
        assertEq(h.availableAt, START + 31, "the node was not seen yet");
        vm.warp(START + 5);
        vm.prank(makeAddr("node"));
        router.heartbeat();
        assertEq(_at(alice.addr, Place.Request).availableAt, START + 86);
        vm.prank(alice.addr);
        router.cancel(t);
        assertEq(_at(alice.addr, Place.Request).availableAt, START + 36);
        assertEq(_locate(bob.addr).length, 1, "it is not bob's");
    }

    function test_OverdueFromIsWhenExpireWorks() public {
        (, Ticket memory queued) = _submit(bob.addr, _ask());
        (address node,) = _validator("node", 100_000e18);
        (, Ticket memory assigned) = _submit();
        for (uint256 i; i < 2; ++i) {
            Ticket memory t = i == 0 ? queued : assigned;
            uint256 from = router.overdueFrom(t);
            vm.roll(block.number + 10);
            vm.warp(from - 1);
            if (i == 1) assertEq(from, START + 31);
            vm.expectRevert();
            router.expire(t);
            vm.warp(from);
            router.expire(t);
            assertEq(router.overdueFrom(t), 0, "it ended");
            vm.warp(START);
        }
        node;
    }

    function test_ASettledRequestLeavesCreditsAndAReward() public {
        (address node,) = _validator("node", 100_000e18);
        (, Ticket memory t) = _submit();
        known.requests.push(t);
        _settle(node, t, 317);
        assertEq(_at(alice.addr, Place.Credits).amount, 13.3e18);
        assertEq(_at(alice.addr, Place.Reward).amount, 1e18);
        assertEq(_at(alice.addr, Place.Reward).token, address(lcai));
        assertEq(_sum(alice.addr, address(nsd)), 100_000e18 - 36.7e18);
    }

    function test_StakeTranchesAndEarnings() public {
        (address node, uint256 id) = _validator("node", 100_000e18);
        (, Ticket memory t) = _submit();
        _settle(node, t, 317);
        vm.prank(node);
        validators.unbond(30_000e18);
        assertEq(_at(node, Place.Stake).amount, 70_000e18);
        assertEq(_at(node, Place.Stake).availableAt, START + 7 days);
        assertEq(_at(node, Place.Unbonding).amount, 30_000e18);
        assertEq(_at(node, Place.Unbonding).availableAt, START + 7 days);
        assertEq(_at(node, Place.Till).amount, 25.69e18);
        assertEq(_at(node, Place.Till).availableAt, START + 1 hours);
        assertEq(_at(node, Place.Till).ref, bytes32(id));
        known.validators.push(id);
        assertEq(_at(treasury, Place.Till).amount, 7.34e18);
        credits.startClaim(id);
        assertEq(_at(node, Place.Claim).amount, 25.69e18);
        assertEq(_at(treasury, Place.Claim).amount, 7.34e18);
        vm.prank(court);
        _peers().freeze("case", id, 10e18, 2e18);
        known.cases.push("case");
        assertEq(_at(node, Place.Claim).amount, 15.69e18);
        assertEq(_at(node, Place.Frozen).amount, 10e18);
        assertEq(_at(node, Place.Frozen).availableAt, type(uint256).max);
        assertEq(_at(treasury, Place.Frozen).amount, 2e18);
        assertEq(_sum(node, address(nst)), 100_000e18);
        assertEq(_sum(node, address(nsd)), 25.69e18);
        assertEq(_sum(treasury, address(nsd)), 7.34e18);
        assertEq(_locate(bob.addr).length, 1, "none of it is bob's");
    }

    function test_SessionsAndBonds() public {
        (address node,) = _validator("node", 100_000e18);
        _deposit(alice.addr, 500e18);
        Session memory s =
            Session(alice.addr, node, address(0), LLAMA7, 200e18, uint64(START + 1 days), 0, uint64(START));
        vm.prank(alice.addr);
        bytes32 id = router.openSession(s, "");
        known.sessions.push(s);
        assertEq(_at(alice.addr, Place.Session).amount, 200e18);
        assertEq(_at(alice.addr, Place.Session).ref, id);
        assertEq(_at(alice.addr, Place.Session).availableAt, START + 1 days);
        vm.prank(alice.addr);
        router.commit("commitment", 60e18);
        known.commitments.push("commitment");
        assertEq(_at(alice.addr, Place.Bond).amount, 60e18);
        assertEq(_sum(alice.addr, address(nsd)), 100_000e18);
        assertEq(_locate(bob.addr).length, 1);
    }

    /// @dev Whatever she does with it, and whatever comes of it, is found, or was consumed.
    function testFuzz_EveryUnitIsFound(uint256 seed) public {
        (address node,) = _validator("node", 100_000e18);
        uint256 spent;
        for (uint256 i; i < 6; ++i) {
            uint256 deed = (seed >> (8 * i)) % 4;
            (bytes32 id, Ticket memory t) = _submit();
            known.requests.push(t);
            if (deed == 0 && _status(id) == RequestStatus.Assigned) {
                _settle(node, t, 100);
                spent += 15e18;
            } else if (deed == 1) {
                vm.prank(alice.addr);
                router.cancel(t);
            } else if (deed == 2) {
                _deposit(alice.addr, 7e18);
            }
            _pass(7);
        }
        assertEq(_sum(alice.addr, address(nsd)) + spent, 100_000e18);
    }
}

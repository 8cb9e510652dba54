// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ask, IRouterPeers, RequestStatus} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Crowd} from "../support/Crowd.sol";

abstract contract Drawing is Crowd {
    function _draw(address user) internal returns (uint256 validator, Ticket memory ticket) {
        _pass(7);
        bytes32 id;
        (id, ticket) = _submit(user, _ask());
        validator = router.requestOf(id).validator;
    }

    /// @dev How often each validator won; each place is freed again at once.
    function _tally(uint256 draws, uint256 n) internal returns (uint256[] memory wins) {
        wins = new uint256[](n + 4);
        _fund(alice.addr, 50_000_000e18);
        _deposit(alice.addr, 50_000_000e18);
        for (uint256 i; i < draws; ++i) {
            (uint256 validator, Ticket memory ticket) = _draw(alice.addr);
            ++wins[validator];
            _settle(_member(validator), ticket, 1);
        }
    }
}

contract SelectionTest is Drawing {
    function test_UpToEightTheBestWins() public {
        uint256[] memory stakes = new uint256[](8);
        for (uint256 i; i < 8; ++i) {
            stakes[i] = i == 5 ? 60 : 10 + i;
        }
        _seat(stakes);
        for (uint256 i; i < 5; ++i) {
            (uint256 validator, Ticket memory ticket) = _draw(alice.addr);
            assertEq(validator, 9);
            _settle(_member(9), ticket, 10);
        }
    }

    /// @dev Three nodes of one place each: every open request takes another, until nobody is left.
    function test_AFullOneIsNeverChosen() public {
        _seat(_equal(3, 3));
        uint256 seen;
        for (uint256 i; i < 3; ++i) {
            (uint256 validator,) = _draw(alice.addr);
            assertEq((seen >> validator) & 1, 0);
            seen |= 1 << validator;
        }
        (uint256 none,) = _draw(alice.addr);
        assertEq(none, 0);
    }

    function test_AClosedOrDormantOneIsNeverChosen() public {
        (address a, uint256 first) = _validator("a", 100_000e18);
        (, uint256 second) = _validator("b", 5_000e18);
        vm.prank(a);
        validators.pauseValidator();
        (uint256 validator,) = _draw(alice.addr);
        assertEq(validator, second);
        vm.prank(a);
        validators.resumeValidator();
        (validator,) = _draw(alice.addr);
        assertEq(validator, first);
    }

    function test_AnUnsupportedModelIsNeverServed() public {
        _seat(_equal(20, 5));
        Ask memory ask = _ask();
        (ask.model, ask.maxTokens) = (DEMO, 100);
        (bytes32 id,) = _submit(alice.addr, ask);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Queued));
    }

    /// @dev Of sixteen rows one is free, and a sample is two of them. Four samples met it 447 times of 1,000; three did
    /// 354 times, five 515 times.
    function test_FourSamplesAreDrawnBeforeItWaits() public {
        _seat(_equal(64, 5));
        for (uint256 row = 2; row <= 16; ++row) {
            _fill(row);
        }
        uint256 met = _met(1_000);
        assertGt(met, 400);
        assertLt(met, 480);
    }

    /// @dev One row has eighty tickets of 85 and is full: 179 of 200 requests found one of the five beside it. Were each
    /// ticket a row of its own, 83 would.
    function test_ARowOfManyTicketsIsSampledOnce() public {
        uint256[] memory stakes = _equal(9, 5);
        (stakes[0], stakes[1], stakes[2], stakes[3]) = (100, 100, 100, 100);
        _seat(stakes);
        _fill(1);
        assertGt(_met(200), 150);
    }

    /// @dev Five thousand NST of one of sixteen validators leave after the seed is fixed: that changes what words of tickets
    /// hold where one left or took its place, 13 draws of 200. By remainder it would change 135.
    function test_StakeThatLeavesChangesNoOtherDraw() public {
        _seat(_equal(16, 100));
        _fund(alice.addr, 100_000e18);
        uint256 changed;
        for (uint256 i; i < 200; ++i) {
            _pass(7);
            uint256 state = vm.snapshotState();
            (bytes32 id,) = _submit(alice.addr, _ask());
            uint256 before = router.requestOf(id).validator;
            vm.revertToState(state);
            vm.prank(address(validators));
            IRouterPeers(address(router)).restake(5, 100_000e18, 95_000e18);
            (id,) = _submit(alice.addr, _ask());
            if (router.requestOf(id).validator != before) ++changed;
            vm.revertToState(state);
        }
        assertLt(changed, 25);
    }

    function _fill(uint256 row) private {
        uint256 full = uint256(63) << 14;
        full |= (full << 64) | (full << 128) | (full << 192);
        bytes32 slot = _rowSlot(row);
        vm.store(address(router), slot, vm.load(address(router), slot) | bytes32(full));
    }

    /// @dev How many of so many requests found somebody; each place is freed again at once.
    function _met(uint256 draws) private returns (uint256 met) {
        _fund(alice.addr, 100_000e18);
        for (uint256 i; i < draws; ++i) {
            (uint256 validator, Ticket memory ticket) = _draw(alice.addr);
            if (validator == 0) continue;
            ++met;
            _settle(_member(validator), ticket, 1);
        }
    }

    /// forge-config: test.fuzz.runs = 24
    function testFuzz_OnlyEligibleOnesWin(uint256 seed) public {
        _seat(_equal(64, 5));
        _spoil(seed);
        for (uint256 i; i < 24; ++i) {
            (uint256 validator, Ticket memory ticket) = _draw(_user(vm.toString(i % 4)).addr);
            if (validator == 0) continue;
            assertFalse(_spoiled(seed, validator));
            _settle(_member(validator), ticket, 10);
        }
    }

    function _spoiled(uint256 seed, uint256 id) private pure returns (bool) {
        return uint256(keccak256(abi.encode(seed, id))) % 3 == 0;
    }

    /// @dev A third of the seats: suspended, full, closed, or without the model.
    function _spoil(uint256 seed) private {
        for (uint256 row = 1; row <= 16; ++row) {
            bytes32 slot = _rowSlot(row);
            uint256 word = uint256(vm.load(address(router), slot));
            for (uint256 i; i < 4; ++i) {
                if (!_spoiled(seed, row * 4 + i)) continue;
                uint256 how = uint256(keccak256(abi.encode(seed, row, i))) % 4;
                uint256 shift = 64 * i;
                if (how == 0) word = (word & ~(uint256(127) << (shift + 7))) | (uint256(49) << (shift + 7));
                if (how == 1) word |= uint256(63) << (shift + 14);
                if (how == 2) word |= uint256(1) << (shift + 33);
                if (how == 3) word &= ~(((uint256(1) << 29) - 1) << (shift + 35));
            }
            vm.store(address(router), slot, bytes32(word));
        }
    }
}

/// @notice What stake buys, among 10, 100 and 1,000 validators.
contract ShareTest is Drawing {
    uint256 private constant DRAWS = 1_500;

    /// @dev Equal ones among 100: nobody has more than eight times a fair share, and most are chosen.
    function test_EqualOnesAmongHundred() public {
        _seat(_equal(100, 5));
        uint256[] memory wins = _tally(DRAWS, 100);
        uint256 chosen;
        for (uint256 id = 4; id < 104; ++id) {
            if (wins[id] != 0) ++chosen;
            assertLt(wins[id], 8 * DRAWS / 100 + 40); // eight times its share, and four sigma
        }
        assertGt(chosen, 80);
    }

    function test_EqualOnesAmongThousand() public {
        _seat(_equal(1_000, 5));
        uint256[] memory wins = _tally(DRAWS, 1_000);
        uint256 chosen;
        for (uint256 id = 4; id < 1_004; ++id) {
            if (wins[id] != 0) ++chosen;
            assertLt(wins[id], 20);
        }
        assertGt(chosen, 500);
    }

    /// @dev Ten equal ones: each is in about its turn.
    function test_EqualOnesAmongTen() public {
        _seat(_equal(10, 5));
        uint256[] memory wins = _tally(DRAWS, 10);
        for (uint256 id = 4; id < 14; ++id) {
            assertLt(wins[id], 6 * DRAWS / 10);
        }
    }

    /// @dev 100,000 NST among 99 others of 100,000 in one seat, in two, or in twenty: splitting never gains.
    function test_SplittingAStakeNeverGains() public {
        uint256 state = vm.snapshotState();
        uint256 whole = _winsOfLast(1);
        vm.revertToState(state);
        uint256 halves = _winsOfLast(2);
        vm.revertToState(state);
        uint256 twentieths = _winsOfLast(20);
        assertGe(whole + 15, halves);
        assertGe(whole + 15, twentieths);
        assertLe(whole, 8 * DRAWS / 100 + 15);
    }

    function _winsOfLast(uint256 parts) private returns (uint256 sum) {
        uint256[] memory stakes = new uint256[](99 + parts);
        for (uint256 i; i < 99; ++i) {
            stakes[i] = 100;
        }
        for (uint256 i; i < parts; ++i) {
            stakes[99 + i] = 100 / parts;
        }
        _seat(stakes);
        uint256[] memory wins = _tally(DRAWS, stakes.length);
        for (uint256 i; i < parts; ++i) {
            sum += wins[103 + i];
        }
        emit log_named_uint(string.concat("wins in ", vm.toString(parts)), sum);
    }
}

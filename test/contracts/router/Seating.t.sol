// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

/// @notice Tickets and servers after any changes, against what a plain list of stakes says.
contract TicketsTest is Scene {
    bytes32 private constant LAYOUT = 0x3164cd054724e5f047462cc7124ac3696d673fa10d6aa14dc75f39cd115f5a00;
    uint256 private constant IDS = 18;

    bytes32[2] private names = [LLAMA7, DEMO];
    uint256[2] private indexes = [uint256(1), 4];
    mapping(uint256 id => uint256) private stakes;
    mapping(uint256 id => uint256) private served;
    mapping(uint256 id => bool) private enlisted;

    /// forge-config: test.fuzz.runs = 50
    function testFuzz_AreWhatStakesAndModelsSay(uint256 seed) public {
        _run(seed, 60);
    }

    /// @dev Long enough to have crossed the border between eight and nine both ways, more than once.
    function test_TheBorderOfEightIsCrossed() public {
        (uint256 up, uint256 down) = _run(1, 250);
        assertGt(up, 3);
        assertGt(down, 3);
    }

    function _run(uint256 seed, uint256 steps) private returns (uint256 up, uint256 down) {
        for (uint256 i; i < steps; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.prevrandao(seed);
            uint256 before = router.offerOf(LLAMA7).servers();
            _step(seed);
            uint256 afterwards = router.offerOf(LLAMA7).servers();
            if (before == 8 && afterwards == 9) ++up;
            if (before == 9 && afterwards == 8) ++down;
            _check(0);
            _check(1);
        }
    }

    /// @dev Mostly around eight servers, where the list of all begins and ends.
    function _step(uint256 seed) private {
        uint256 id = 4 + (seed >> 8) % IDS;
        uint256 stake = _stake(seed >> 16);
        uint256 mask = 1 + (seed >> 200) % 3;
        vm.startPrank(address(validators));
        if (!enlisted[id]) {
            _peers().enlist(id, address(uint160(0xABC000 + id)), stake, _list(mask));
            (enlisted[id], stakes[id], served[id]) = (true, stake, mask);
        } else if (stakes[id] == 0) {
            _peers().restake(id, 0, stake);
            stakes[id] = stake;
        } else if (seed % 8 == 0) {
            _peers().restake(id, stakes[id], 0);
            (stakes[id], served[id]) = (0, 0);
        } else if (seed % 8 < 3) {
            _peers().restake(id, stakes[id], stake);
            stakes[id] = stake;
        } else {
            _peers().serve(id, stakes[id], _list(mask));
            served[id] = mask;
        }
        vm.stopPrank();
    }

    /// @dev Some with less than a ticket's worth, most with a few tickets, some with many.
    function _stake(uint256 seed) private pure returns (uint256) {
        if (seed % 8 == 0) return 1 + (seed >> 3) % 5_000e18;
        if (seed % 8 == 1) return 5_000e18 + (seed >> 3) % 300_000e18;
        return 5_000e18 + (seed >> 3) % 20_000e18;
    }

    function _list(uint256 mask) private view returns (bytes32[] memory list) {
        list = new bytes32[](mask == 3 ? 2 : 1);
        list[0] = names[mask == 2 ? 1 : 0];
        if (mask == 3) list[1] = names[1];
    }

    function _check(uint256 m) private view {
        uint256[] memory count = new uint256[](4 + IDS);
        uint256 n = router.offerOf(names[m]).tickets();
        for (uint256 i; i < n; ++i) {
            ++count[uint16(_word(m, i / 16) >> (16 * (i % 16)))];
        }
        assertEq(_word(m, n / 16) >> (16 * (n % 16)), 0, "something behind the last ticket");
        uint256 servers;
        for (uint256 id = 4; id < 4 + IDS; ++id) {
            bool serves = stakes[id] != 0 && (served[id] >> m) & 1 == 1;
            uint256 expected = serves ? (stakes[id] < 5_000e18 ? 1 : stakes[id] / 5_000e18) : 0;
            assertEq(count[id], expected, "tickets of a validator");
            assertEq((router.validatorOf(id).models >> indexes[m]) & 1 == 1, serves, "the bit of a model");
            if (serves) ++servers;
        }
        assertEq(count[0], 0, "an empty place");
        assertEq(router.offerOf(names[m]).servers(), servers, "servers");
        if (servers <= 8) _checkFirst(m, servers);
    }

    /// @dev Exactly all of them, each once, and nothing behind.
    function _checkFirst(uint256 m, uint256 servers) private view {
        uint256 list = uint256(vm.load(address(router), keccak256(abi.encode(indexes[m], uint256(LAYOUT) + 8))));
        uint256 seen;
        for (uint256 i; i < servers; ++i) {
            uint256 id = uint16(list >> (16 * i));
            assertTrue(stakes[id] != 0 && (served[id] >> m) & 1 == 1, "listed and serves not");
            assertEq((seen >> id) & 1, 0, "listed twice");
            seen |= 1 << id;
        }
        assertEq(list >> (16 * servers), 0, "listed behind the last");
    }

    function _word(uint256 m, uint256 word) private view returns (uint256) {
        bytes32 base = keccak256(abi.encode(indexes[m], uint256(LAYOUT) + 7));
        return uint256(vm.load(address(router), keccak256(abi.encode(word, base))));
    }
}

/// @notice From nine servers to eight and back: nobody who serves is forgotten, nobody who left is chosen.
contract EightServersTest is Scene {
    address[] private nodes;

    function setUp() public override {
        super.setUp();
        _deposit(alice.addr, 10_000e18);
        for (uint256 i; i < 9; ++i) {
            (address node,) = _validator(string.concat("node", vm.toString(i)), 5_000e18);
            nodes.push(node);
        }
    }

    /// @dev The ninth was never on the list of eight; when the first leaves it takes its turn.
    function test_TheNinthTakesItsTurn() public {
        vm.prank(nodes[0]);
        validators.unbond(5_000e18);
        uint256 seen;
        for (uint256 i; i < 16; ++i) {
            _pass(7);
            (bytes32 id,) = _submit();
            uint256 validator = router.requestOf(id).validator;
            assertTrue(validator > 4 && validator < 13, "one who serves");
            seen |= 1 << validator;
        }
        assertEq(seen, 0x1FE0, "5 to 12, each of whose two places was taken");
        _pass(7);
        (bytes32 none,) = _submit();
        assertEq(router.requestOf(none).validator, 0);
    }
}

/// @notice The window of open assignments: one more after a success, half after a failure, within what the stake carries.
contract CapacityTest is Scene {
    address private node;
    uint256 private id;

    function setUp() public override {
        super.setUp();
        _deposit(alice.addr, 10_000e18);
    }

    function _join(uint256 stake) private {
        (node, id) = _validator("node", stake);
    }

    function _capacity() private view returns (uint256) {
        return router.validatorOf(id).capacity;
    }

    function _succeed() private {
        _pass(7);
        (, Ticket memory t) = _submit();
        _settle(node, t, 10);
    }

    function _confess() private {
        _pass(7);
        (, Ticket memory t) = _submit();
        vm.prank(node);
        router.fail(t);
    }

    function test_GrowsByOneUpToTheBound() public {
        _join(20_000e18);
        for (uint256 expected = 5; expected <= 8; ++expected) {
            _succeed();
            assertEq(_capacity(), expected);
        }
        _succeed();
        assertEq(_capacity(), 8, "2,500 NST for each");
    }

    function test_ASmallStakeIsAtItsBoundAtOnce() public {
        _join(5_000e18);
        assertEq(_capacity(), 2);
        _succeed();
        assertEq(_capacity(), 2);
    }

    function test_OnesOwnRequestsWidenNothing() public {
        _join(20_000e18);
        _fund(node, 1_000e18);
        (, Ticket memory t) = _submit(node, _ask());
        _settle(node, t, 10);
        assertEq(_capacity(), 4);
    }

    /// @dev The window holds assignments, and a direct chat is none.
    function test_DirectChatsWidenNothing() public {
        _join(20_000e18);
        _chat(alice, node);
        assertEq(router.validatorOf(id).completed, 1);
        assertEq(_capacity(), 4);
    }

    function test_HalvesOnEachBlamedFailureDownToOne() public {
        _join(100_000e18);
        _succeed();
        assertEq(_capacity(), 5);
        _confess();
        assertEq(_capacity(), 2);
        _confess();
        assertEq(_capacity(), 1);
        _confess();
        assertEq(_capacity(), 1);
        _succeed();
        assertEq(_capacity(), 2);
    }

    function test_HalvesOnOffline() public {
        _join(100_000e18);
        _pass(7);
        (, Ticket memory t) = _submit();
        _pass(31);
        router.expire(t);
        assertEq(_capacity(), 2);
    }

    function test_ADeclinedPromptChangesNothing() public {
        _join(100_000e18);
        (, Ticket memory t) = _submit();
        vm.prank(node);
        router.decline(t);
        assertEq(_capacity(), 4);
    }

    /// @dev What is open above a halved window stays open, and nothing comes on top of it.
    function test_OpenWorkOutlivesAHalvedWindow() public {
        _join(100_000e18);
        Ticket[] memory open = new Ticket[](4);
        for (uint256 i; i < 4; ++i) {
            _pass(1);
            (, open[i]) = _submit();
        }
        vm.prank(node);
        router.fail(open[0]);
        assertEq(_capacity(), 2);
        assertEq(router.validatorOf(id).load, 3);
        _pass(7);
        (bytes32 queued,) = _submit();
        assertEq(router.requestOf(queued).validator, 0);
        for (uint256 i = 1; i < 4; ++i) {
            _settle(node, open[i], 10);
        }
        assertEq(router.validatorOf(id).load, 0);
        assertEq(_capacity(), 5);
    }
}

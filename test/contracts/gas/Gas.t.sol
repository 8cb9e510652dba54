// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Meter} from "./Meter.sol";

/// @notice Every path that has a price, with what it cost when that was last written down, what is aimed at, what the
/// prototype needed, and what others need for the like.
abstract contract Paths is Meter {
    /// @param path What is done.
    /// @param measured Gas now.
    /// @param recorded Gas when it was last written down.
    /// @param aim Gas that it may cost at most, where there is an aim.
    /// @param prototype Gas of the prototype, where it had the path.
    /// @param peers What others need for the like.
    struct Row {
        string path;
        uint256 measured;
        uint256 recorded;
        string aim;
        string prototype;
        string peers;
    }

    /// @dev Kept in memory, which outlives what a row undoes behind itself.
    struct Table {
        Row[] rows;
        uint256 count;
    }

    uint256 private constant MOST_ROWS = 64;

    function _all() internal returns (Table memory t) {
        t.rows = new Row[](MOST_ROWS);
        _fund(address(this), 100_000e18);
        _selectionRows(t);
        uint256 state = vm.snapshotState();
        _network(1_000);
        _assignedRows(t);
        _otherRows(t);
        _directRows(t);
        _sessionRows(t);
        vm.revertToState(state);
        _registered(10);
        _doorRows(t);
        _stakeRows(t);
        _earningRows(t);
    }

    function _selectionRows(Table memory t) private {
        _add(t, "submit, 8 validators (all compared)", _selection(8), R_SELECT_8, "", "78,400", "");
        _add(t, "submit, 10 validators", _selection(10), R_SELECT_10, "", "75,600", "");
        _add(t, "submit, 1,000 validators", _selection(1_000), R_SUBMIT, "", "77,300", "");
        _add(t, "submit, 10,000 validators", _selection(10_000), R_SUBMIT, "within 5 % of 10", "77,000", "");
    }

    // What a row needs is undone after it.

    function _assignedRows(Table memory t) private {
        uint256 state = vm.snapshotState();
        (uint256 submit, uint256 settle) = _assigned();
        string memory peers =
            "ORA 354,093 (lower bound); Chainlink Functions 361,149; Ritual 365,579; Olas 466,421; physical floor 80,428";
        _add(t, "assigned: submit", submit, R_SUBMIT, "", "77,300", "");
        _add(t, "assigned: settle", settle, R_SETTLE, "", "59,500", "0G 114,388 (no result, split or reputation)");
        _add(t, "assigned: total", submit + settle, R_SUBMIT + R_SETTLE, "140,000", "136,800", peers);
        vm.revertToState(state);
        (submit, settle) = _integrator();
        _add(t, "integrator: submit", submit, R_INTEGRATOR_SUBMIT, "", "", "");
        _add(t, "integrator: settle with callback", settle, R_INTEGRATOR_SETTLE, "", "", "");
        uint256 recorded = R_INTEGRATOR_SUBMIT + R_INTEGRATOR_SETTLE;
        _add(t, "integrator: total", submit + settle, recorded, "155,000", "149,100", "as above, most with a callback");
        vm.revertToState(state);
    }

    function _otherRows(Table memory t) private {
        uint256 state = vm.snapshotState();
        _add(t, "signed request, brought by a relayer", _signed(), R_SIGNED, "", "", "");
        vm.revertToState(state);
        _add(t, "ten signed requests in a batch, each", _submittingBatch(10), R_SUBMIT_BATCH, "", "", "");
        vm.revertToState(state);
        (uint256 commit, uint256 reveal) = _revealing();
        _add(t, "commit, from 500 NSD on", commit, R_COMMIT, "", "", "");
        _add(t, "reveal", reveal, R_REVEAL, "", "", "");
        vm.revertToState(state);
        _add(t, "cancel", _cancelling(), R_CANCEL, "", "", "");
        vm.revertToState(state);
        _add(t, "fail, and on to another validator", _failing(), R_FAIL, "", "", "");
        vm.revertToState(state);
    }

    function _directRows(Table memory t) private {
        uint256 state = vm.snapshotState();
        string memory peers = "Olas 276,896; Ritual 317,041; physical floor 40,804";
        _add(t, "direct chat, one, LCAI minted", _direct(1), R_DIRECT, "90,000", "80,200", peers);
        vm.revertToState(state);
        _add(t, "direct chat, batch of 10, each", _direct(10), R_BATCH_10, "", "29,300", "Chainlink Functions 241,523");
        vm.revertToState(state);
        peers = "0G 59,290 (n=50); Olas 128,380; Ritual 151,577; physical floor 13,761";
        _add(t, "direct chat, batch of 100 users, each", _direct(100), R_BATCH_100, "25,000", "24,200", peers);
        vm.revertToState(state);
    }

    function _sessionRows(Table memory t) private {
        uint256 state = vm.snapshotState();
        (uint256 open, uint256 first, uint256 later, uint256 close) = _sessions();
        string memory peers = "Morpheus 850,501 a session";
        _add(t, "session: open", open, R_SESSION_OPEN, "", "", "");
        _add(t, "session: settle 100 prompts, first", first, R_SESSION_FIRST, "150,000", "129,400", peers);
        _add(t, "session: settle 100 prompts, later", later, R_SESSION_LATER, "100,000", "86,500", "");
        _add(t, "session: close", close, R_SESSION_CLOSE, "", "", "");
        vm.revertToState(state);
    }

    function _doorRows(Table memory t) private {
        uint256 state = vm.snapshotState();
        _add(t, "register a validator, one model", _register(), R_REGISTER, "", "", "");
        _add(t, "heartbeat", _beating(), R_HEARTBEAT, "", "", "");
        _add(t, "deposit", _depositing(), R_DEPOSIT, "", "", "");
        vm.revertToState(state);
        (uint256 announce, uint256 execute) = _withdrawing();
        _add(t, "withdrawal: announce", announce, R_ANNOUNCE, "", "", "");
        _add(t, "withdrawal: execute", execute, R_EXECUTE, "", "", "");
        vm.revertToState(state);
    }

    function _stakeRows(Table memory t) private {
        uint256 state = vm.snapshotState();
        (uint256 more, uint256 unbond, uint256 cancel, uint256 withdraw) = _staking();
        _add(t, "stake 5,000 NST more", more, R_STAKE, "", "", "");
        _add(t, "unbond 5,000 NST", unbond, R_UNBOND, "", "", "");
        _add(t, "cancel an unbonding", cancel, R_KEEP, "", "", "");
        _add(t, "withdraw what was unbonded", withdraw, R_UNBONDED, "", "", "");
        vm.revertToState(state);
        (uint256 leave, uint256 back) = _leaving();
        _add(t, "exit", leave, R_EXIT, "", "", "");
        _add(t, "come back", back, R_BACK, "", "", "");
        vm.revertToState(state);
        (uint256 names, uint256 rotate) = _changing();
        _add(t, "serve one model more", names, R_MODELS, "", "", "");
        _add(t, "rotate the operator", rotate, R_ROTATE, "", "", "");
        vm.revertToState(state);
        uint256 ticket = _ticketAmong(10_000, 4_242);
        _add(t, "a ticket given back, 10,000 in the list", ticket, R_TICKET, "", "", "");
        vm.revertToState(state);
    }

    function _earningRows(Table memory t) private {
        uint256 state = vm.snapshotState();
        (uint256 start, uint256 claim) = _claiming();
        _add(t, "earnings: start a claim", start, R_START, "", "", "");
        _add(t, "earnings: claim", claim, R_CLAIM, "", "", "");
        vm.revertToState(state);
        _add(t, "claim accrued LCAI", _rewarding(), R_REWARD, "", "47,000", "");
        vm.revertToState(state);
        _add(t, "expire (Offline)", _expiring(), R_EXPIRE, "", "", "");
        vm.revertToState(state);
        _add(t, "retire", _retiring(), R_RETIRE, "", "", "");
        vm.revertToState(state);
    }

    function _add(
        Table memory t,
        string memory path,
        uint256 measured,
        uint256 recorded,
        string memory aim,
        string memory prototype,
        string memory peers
    ) private pure {
        t.rows[t.count++] = Row(path, measured, recorded, aim, prototype, peers);
    }

    // What each path cost when it was last written down; see gas.md. Lower a number when its path gets cheaper.

    uint256 private constant R_SELECT_8 = 77_512;
    uint256 private constant R_SELECT_10 = 78_225;
    uint256 private constant R_SUBMIT = 78_144;
    uint256 private constant R_SETTLE = 61_627;
    uint256 private constant R_INTEGRATOR_SUBMIT = 82_398;
    uint256 private constant R_INTEGRATOR_SETTLE = 70_233;
    uint256 private constant R_SIGNED = 86_066;
    uint256 private constant R_SUBMIT_BATCH = 65_122;
    uint256 private constant R_COMMIT = 65_750;
    uint256 private constant R_REVEAL = 99_392;
    uint256 private constant R_CANCEL = 40_771;
    uint256 private constant R_FAIL = 106_781;
    uint256 private constant R_DIRECT = 84_657;
    uint256 private constant R_BATCH_10 = 30_377;
    uint256 private constant R_BATCH_100 = 24_981;
    uint256 private constant R_SESSION_OPEN = 76_007;
    uint256 private constant R_SESSION_FIRST = 90_550;
    uint256 private constant R_SESSION_LATER = 90_562;
    uint256 private constant R_SESSION_CLOSE = 49_587;
    uint256 private constant R_REGISTER = 504_020;
    uint256 private constant R_STAKE = 127_304;
    uint256 private constant R_UNBOND = 139_921;
    uint256 private constant R_KEEP = 95_627;
    uint256 private constant R_UNBONDED = 92_959;
    uint256 private constant R_EXIT = 150_016;
    uint256 private constant R_BACK = 121_482;
    uint256 private constant R_MODELS = 170_560;
    uint256 private constant R_ROTATE = 133_442;
    uint256 private constant R_TICKET = 1_151_662;
    uint256 private constant R_HEARTBEAT = 35_291;
    uint256 private constant R_DEPOSIT = 77_865;
    uint256 private constant R_ANNOUNCE = 82_406;
    uint256 private constant R_EXECUTE = 76_033;
    uint256 private constant R_START = 90_541;
    uint256 private constant R_CLAIM = 76_261;
    uint256 private constant R_REWARD = 77_224;
    uint256 private constant R_EXPIRE = 106_748;
    uint256 private constant R_RETIRE = 62_123;
}

/// @notice No path gets dearer by more than 2 % unseen.
/// forge-config: test.isolate = true
/// forge-config: deep.isolate = true
contract GasCeilingsTest is Paths {
    function test_AnEmptyCallCosts21000() public {
        (bool ok,) = address(0xBEEF).call("");
        assertTrue(ok);
        assertEq(_used(), 21_000);
    }

    function test_NoPathIsDearerThanItWas() public {
        Table memory t = _all();
        for (uint256 i; i < t.count; ++i) {
            assertLe(t.rows[i].measured, t.rows[i].recorded * 102 / 100, t.rows[i].path);
        }
    }

    function test_SelectionCostsTheSameWithTenAndTenThousand() public {
        uint256 few = _selection(10);
        uint256 many = _selection(10_000);
        assertApproxEqRel(many, few, 0.05e18);
    }
}

/// @notice Writes what was measured beside what was aimed at, into gas.md.
/// forge-config: test.isolate = true
/// forge-config: deep.isolate = true
contract GasTableTest is Paths {
    function test_WritesTheTable() public {
        Table memory t = _all();
        string memory rows;
        for (uint256 i; i < t.count; ++i) {
            rows = string.concat(rows, _line(t.rows[i]));
        }
        vm.writeFile("test/contracts/gas/gas.md", string.concat(HEAD, rows, TAIL));
    }

    function _line(Row memory row) private pure returns (string memory) {
        string memory figures = string.concat(_grouped(row.measured), " | ", row.aim, " | ", row.prototype);
        return string.concat("| ", row.path, " | ", figures, " | ", row.peers, " |\n");
    }

    function _grouped(uint256 n) private pure returns (string memory) {
        if (n < 1_000) return vm.toString(n);
        bytes memory digits = bytes(vm.toString(1_000 + n % 1_000));
        digits[0] = ",";
        return string.concat(_grouped(n / 1_000), string(digits));
    }

    string private constant HEAD = "# Gas, measured\n\nWritten by `Gas.t.sol`. Whole transactions: 21,000, calldata and execution, net of refunds, on the bytecode\n"
        "that is deployed (via IR, 10,000 runs, Prague). Steady state, all slots cold, 1,000 validators with 5,000 NST each (10 for the\n"
        "rows from `register` on), 50 NSD paid on llama-2-7b-q4, 317 tokens; means over 32 users where a draw decides.\n"
        "A test fails when a path gets more than 2 % dearer than it was when it was last written down.\n\n"
        "| path | measured | aim | prototype | others, for the like |\n|---|---|---|---|---|\n";
    string private constant TAIL = "\nThe others were measured in the same way, each with its own compiler settings, from the second request on. An integrator's\n"
        "settlement with its callback compares with what they need for a request and its answer.\n\n"
        "## What is left in a batch\n\n"
        "Of a chat in a batch of 100, 21,500 gas are beyond any code: 2,800 of calldata, 3,100 to recover the signer, 10,000 for the\n"
        "user's account and reward, 5,000 for two events, 600 as its share of what the batch needs once. The other 3,500 are hashes,\n"
        "checks and sums. To mint on demand would save 7,400, and nobody would see a reward come.\n";
}

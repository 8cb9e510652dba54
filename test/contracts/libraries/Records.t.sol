// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {IRouterLog, Outcome} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Records} from "../../../contracts/libraries/Records.sol";

contract AnswerTest is Test {
    function answerOf(bytes calldata record) external pure returns (bool, bytes memory) {
        (bool found, bytes calldata text) = Records.answer(record);
        return (found, text);
    }

    function _expect(string memory record, bool found, string memory answer) private view {
        (bool f, bytes memory text) = this.answerOf(bytes(record));
        assertEq(f, found, record);
        assertEq(string(text), answer, record);
    }

    function test_CutsTheAnswerOut() public view {
        _expect('{"answer":"Paris","model":"m"}', true, "Paris");
        _expect('{"answer":"","model":"m"}', true, "");
        _expect('{"answer":"x"', true, "x");
    }

    function test_KeepsEscapesAndSeesThroughThem() public view {
        _expect('{"answer":"say \\"hi\\"","model":"m"}', true, 'say \\"hi\\"');
        _expect('{"answer":"ends in \\\\","model":"m"}', true, "ends in \\\\");
        _expect('{"answer":"a\\nb"}', true, "a\\nb");
    }

    /// @dev Longer than a word, with every byte that differs from a quote or a backslash in one bit.
    function test_ReadsPastAWord() public view {
        string memory near = unicode" #&*2b\u00a2\u00dcXTL|]^";
        string memory long = string.concat(near, near, "0123456789", near);
        _expect(string.concat('{"answer":"', long, '"}'), true, long);
        long = string.concat("0123456789012345678901234567890", '\\"', "01234567890123456789012345678901");
        _expect(string.concat('{"answer":"', long, '","model":"m"}'), true, long);
    }

    /// @dev A quote, or a backslash, at every place in its word, and at the record's very end.
    function test_FindsTheEndWhereverItLies() public view {
        for (uint256 length; length < 70; ++length) {
            bytes memory text = new bytes(length);
            for (uint256 i; i < length; ++i) {
                text[i] = "a";
            }
            _expect(string.concat('{"answer":"', string(text), '"'), true, string(text));
            _expect(string.concat('{"answer":"', string(text)), false, "");
            string memory escaped = string.concat(string(text), '\\"', string(text));
            _expect(string.concat('{"answer":"', escaped, '"}'), true, escaped);
            _expect(string.concat('{"answer":"', string(text), "\\"), false, "");
        }
    }

    function answerOfFirst(bytes calldata data, uint256 length) external pure returns (bool found, bytes memory text) {
        return Records.answer(data[:length]);
    }

    /// @dev What lies behind a record in calldata may look like its end, and is not.
    function test_LooksAtNothingBehindTheRecord() public view {
        bytes memory data = '{"answer":"abc"" and more"';
        for (uint256 length = 11; length < 15; ++length) {
            (bool found,) = this.answerOfFirst(data, length);
            assertFalse(found);
        }
        (bool whole, bytes memory text) = this.answerOfFirst(data, 15);
        assertTrue(whole);
        assertEq(text, "abc");
    }

    function test_FindsNoneElsewhere() public view {
        _expect("", false, "");
        _expect('{"answer":', false, "");
        _expect('{"answer":"never ends', false, "");
        _expect('{"answer":"ends in \\"', false, "");
        _expect('{"answer":"ends in \\', false, "");
        _expect('{"model":"m","answer":"x"}', false, "");
        _expect(' {"answer":"x"}', false, "");
    }

    function testFuzz_NeverReverts(bytes calldata record) public view {
        (bool found, bytes memory text) = this.answerOf(record);
        if (!found) assertEq(text.length, 0);
        else assertLt(text.length, record.length);
    }

    function testFuzz_AnyBytesBehindTheHead(bytes calldata tail) public view {
        (bool found, bytes memory text) = this.answerOf(bytes.concat('{"answer":"', tail));
        if (found) assertEq(uint8(tail[text.length]), uint8(bytes1('"')));
    }
}

contract CommitmentTest is Test {
    function testFuzz_EveryFieldCounts(Outcome memory o, bytes32 id, uint8 field) public pure {
        bytes32 before = Records.commitment(o, id);
        field %= 7;
        if (field == 0) o.digest = ~o.digest;
        if (field == 1) o.validator = ~o.validator;
        if (field == 2) o.tokens = ~o.tokens;
        if (field == 3) o.consumed = ~o.consumed;
        if (field == 4) o.validatorLeg = ~o.validatorLeg;
        if (field == 5) o.treasuryLeg = ~o.treasuryLeg;
        if (field == 6) o.record = ~o.record;
        assertNotEq(Records.commitment(o, id), before);
        assertNotEq(Records.commitment(o, ~id), Records.commitment(o, id));
    }

    function testFuzz_SettledEmitsTheOutcomeAndGivesItsCommitment(Outcome memory o, bytes32 id, address user) public {
        vm.expectEmit(address(this));
        emit IRouterLog.RequestSettled(id, user, o);
        bytes32 hash = Records.settled(
            id, user, o.digest, o.validator, o.tokens, o.consumed, o.validatorLeg, o.treasuryLeg, o.record
        );
        assertEq(hash, keccak256(abi.encode(id, o)));
        assertEq(Records.commitment(o, id), hash);
    }

    function testFuzz_DeliveredEmitsTheOutcomeAndGivesItsLeaf(Outcome memory o, bytes32 id, address user) public {
        vm.expectEmit(address(this));
        emit IRouterLog.RequestSettled(id, user, o);
        bytes32 hash = Records.delivered(
            id, user, o.digest, o.validator, o.tokens, o.consumed, o.validatorLeg, o.treasuryLeg, o.record
        );
        assertEq(hash, keccak256(abi.encode(id, user, o)));
        assertEq(Records.leaf(o, id, user), hash);
    }

    function testFuzz_LeafBindsTheUser(Outcome memory o, bytes32 id, address user, address other) public pure {
        vm.assume(user != other);
        assertNotEq(Records.leaf(o, id, user), Records.leaf(o, id, other));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {
    Ask,
    Delivery,
    Intent,
    IRouterLog,
    Outcome,
    SkipReason
} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

contract DeliverTest is Scene {
    address internal node;
    uint256 internal nodeId;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        _deposit(alice.addr, 1_000e18);
        _deposit(bob.addr, 1_000e18);
    }

    /// @dev The bad item stands between two good ones: both pass, and the bad one is named.
    function _skips(Intent memory intent, Delivery memory bad, SkipReason reason) internal {
        Delivery[] memory items = new Delivery[](3);
        items[0] = _delivery(bob, _direct(bob.addr, router.accountOf(bob.addr).nonce, node), 10);
        items[1] = bad;
        items[2] = _delivery(bob, _direct(bob.addr, router.accountOf(bob.addr).nonce + 1, node), 10);
        uint256 before = router.accountOf(intent.user).credits;
        (uint256 records,,) = router.ledger();
        vm.expectEmit(address(router));
        emit IRouterLog.DeliverySkipped(router.hashIntent(intent), intent.user, 1, reason);
        vm.prank(node);
        router.deliver(LLAMA7, items);
        assertEq(router.accountOf(intent.user).credits, before, "nothing was charged");
        (uint256 after_,,) = router.ledger();
        assertEq(after_, records + 2, "the others passed");
    }

    function test_ChargesSplitsRecordsAndRewards() public {
        vm.recordLogs();
        _chat(alice, node);
        (bytes32 id, Outcome memory o, uint256 burned) = _settledIn(vm.getRecordedLogs());
        assertEq(id, _digestOf(_direct(alice.addr, 0, node), block.chainid, address(router)));
        assertEq(o.consumed, 36.7e18);
        (,, uint256 unretired) = router.ledger();
        assertEq(burned, unretired, "what is in no leg is burned");
        assertEq(router.accountOf(alice.addr).credits, 1_000e18 - 36.7e18);
        assertEq(router.validatorOf(nodeId).validatorLeg, o.validatorLeg);
        assertEq(lcai.balanceOf(alice.addr), 1e18);
        assertEq(router.validatorOf(nodeId).completed, 1);
    }

    function test_EachAnswerOfABatchHasItsPlaceInTheChain() public {
        _chat(alice, node);
        Delivery[] memory items = new Delivery[](3);
        items[0] = _delivery(bob, _direct(bob.addr, 0, node), 10);
        items[1] = _delivery(alice, _direct(alice.addr, 1, node), 20);
        items[2] = _delivery(bob, _direct(bob.addr, 1, node), 30);
        address[3] memory users = [bob.addr, alice.addr, bob.addr];
        uint256 link = router.chain();
        vm.recordLogs();
        vm.prank(node);
        router.deliver(LLAMA7, items);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 n;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IRouterLog.RequestSettled.selector) continue;
            Outcome memory outcome = _outcomeIn(logs[i]);
            assertEq(outcome.record, 2 + n);
            assertEq(outcome.tokens, 10 * (n + 1));
            bytes32 leaf = keccak256(abi.encode(logs[i].topics[1], users[n++], outcome));
            link = (uint256(keccak256(abi.encode(link, leaf))) >> 48 << 48) | (link % 2 ** 48 + 1);
        }
        assertEq(n, 3);
        assertEq(router.chain(), link);
    }

    function test_BatchOfDistinctUsers() public {
        Delivery[] memory items = new Delivery[](20);
        for (uint256 i; i < 20; ++i) {
            Person memory user = _user(vm.toString(i));
            _deposit(user.addr, 50e18);
            items[i] = _delivery(user, _direct(user.addr, 0, node), 100);
        }
        vm.recordLogs();
        vm.prank(node);
        router.deliver(LLAMA7, items);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertTrue(logs[i].topics[0] != IRouterLog.RewardsSkipped.selector, "no reward was skipped");
        }
        for (uint256 i; i < 20; ++i) {
            address user = makeAddr(vm.toString(i));
            assertEq(router.accountOf(user).credits, 35e18);
            assertEq(lcai.balanceOf(user), 1e18);
        }
        assertEq(router.validatorOf(nodeId).completed, 20);
        assertEq(router.validatorOf(nodeId).validatorLeg, 20 * 10.5e18);
        assertEq(uint48(router.chain()), 20);
    }

    /// @dev With and without priority and privacy, up to the model's limits, side by side in one batch.
    function test_TakesEachAsItWasSigned() public {
        Delivery[] memory items = new Delivery[](5);
        uint256 cost;
        for (uint256 i; i < 5; ++i) {
            Intent memory intent = _direct(alice.addr, i, node);
            (intent.priority, intent.isPrivate) = (i & 1 == 1, i & 2 == 2);
            if (i == 4) (intent.maxTokens, intent.temperature) = (2_048, 200);
            items[i] = _delivery(alice, intent, 100 + i);
            cost += router.quote(LLAMA7, 100 + i, intent.priority);
        }
        vm.prank(node);
        router.deliver(LLAMA7, items);
        assertEq(router.validatorOf(nodeId).completed, 5);
        assertEq(router.accountOf(alice.addr).credits, 1_000e18 - cost);
    }

    function test_SkipsEmptyDigest() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        Delivery memory bad = _delivery(alice, intent, 10);
        bad.digest = 0;
        _skips(intent, bad, SkipReason.EmptyDigest);
    }

    function test_SkipsExpired() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        intent.deadline = uint64(block.timestamp - 1);
        _skips(intent, _delivery(alice, intent, 10), SkipReason.Expired);
    }

    function test_SkipsUnderpaid() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        intent.payment = 4.99e18;
        _skips(intent, _delivery(alice, intent, 1), SkipReason.Underpaid);
    }

    function test_TakesFiveNsdWhereTheyPayForTheAnswer() public {
        string[] memory names = new string[](1);
        names[0] = "gpt-2-q4";
        vm.prank(node);
        validators.setModels(names);
        Intent memory intent = _direct(alice.addr, 0, node);
        (intent.model, intent.payment, intent.maxTokens) = (GPT2, 5e18, 1);
        Delivery[] memory items = new Delivery[](1);
        items[0] = _delivery(alice, intent, 1);
        vm.prank(node);
        router.deliver(GPT2, items);
        assertEq(router.accountOf(alice.addr).credits, 995e18);
    }

    function test_SkipsTooManyTokens() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        _skips(intent, _delivery(alice, intent, 451), SkipReason.BadTokens);
        _skips(intent, _delivery(alice, intent, 0), SkipReason.BadTokens);
        intent.payment = 100e18;
        _skips(intent, _delivery(alice, intent, 501), SkipReason.BadTokens);
        intent.maxTokens = 2_049;
        _skips(intent, _delivery(alice, intent, 10), SkipReason.BadTokens);
        (intent.maxTokens, intent.temperature) = (500, 201);
        _skips(intent, _delivery(alice, intent, 10), SkipReason.BadTokens);
    }

    function test_SkipsWhereCreditsAreShort() public {
        Person memory carol = _user("carol");
        // Eleven tokens cost 6.1 NSD: a wei is missing.
        _deposit(carol.addr, 6.1e18 - 1);
        Intent memory intent = _direct(carol.addr, 0, node);
        _skips(intent, _delivery(carol, intent, 11), SkipReason.NoCredits);
        _deposit(carol.addr, 1);
        _deliver(node, _delivery(carol, intent, 11));
        assertEq(router.accountOf(carol.addr).credits, 0, "the wallet is never touched");
    }

    function test_SkipsAUsedNonce() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        Delivery memory item = _delivery(alice, intent, 10);
        _deliver(node, item);
        _skips(intent, item, SkipReason.BadNonce);
        intent = _direct(alice.addr, 18, node);
        _skips(intent, _delivery(alice, intent, 10), SkipReason.BadNonce);
    }

    function test_SkipsAForeignSignature() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        _skips(intent, _delivery(bob, intent, 10), SkipReason.BadSignature);
        (address other,) = _validator("other", 5_000e18);
        Delivery memory stolen = _delivery(alice, _direct(alice.addr, 0, other), 10);
        _skips(intent, stolen, SkipReason.BadSignature);
    }

    function testFuzz_SkipsWhatWasNotSigned(uint8 bit) public {
        Intent memory intent = _direct(alice.addr, 0, node);
        Delivery memory item = _delivery(alice, intent, 1);
        // Any signed bit of the terms above the tokens used.
        item.terms ^= uint256(1) << (24 + uint256(bit) % 144);
        vm.assume((item.terms >> 64) & 0xFC == 0);
        uint256 before = router.accountOf(alice.addr).credits;
        _deliver(node, item);
        assertEq(router.accountOf(alice.addr).credits, before);
    }

    function test_SkipsTheMirroredSignature() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        Delivery memory item = _delivery(alice, intent, 10);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint256 s = uint256(item.vs) & type(uint256).max >> 1;
        // A high s has its top bit clear only above 2^255, which EIP-2098 cannot carry at all.
        item.vs = bytes32((order - s) ^ (uint256(item.vs) & (1 << 255)) ^ (1 << 255));
        _skips(intent, item, SkipReason.BadSignature);
    }

    /// @dev What recovers to nobody is nobody's word for anybody.
    function test_SkipsASignatureOfNobody() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        Delivery memory item = _delivery(alice, intent, 1);
        item.r = 0;
        _skips(intent, item, SkipReason.BadSignature);
        (item.r, item.vs) = (bytes32(type(uint256).max), 0);
        _skips(intent, item, SkipReason.BadSignature);
    }

    function test_APrivateOneIsSettledLikeAnother() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        intent.isPrivate = true;
        _deliver(node, _delivery(alice, intent, 317));
        assertEq(router.accountOf(alice.addr).credits, 1_000e18 - 36.7e18);
        assertEq(lcai.balanceOf(alice.addr), 1e18);
    }

    /// @dev The few values of s above half the curve that EIP-2098 can carry: nobody's signature, whatever it recovers to.
    function test_SkipsEveryHighS() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        Delivery memory item = _delivery(alice, intent, 1);
        uint256 half = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
        for (uint256 parity; parity < 2; ++parity) {
            item.vs = bytes32((half + 1) | (parity << 255));
            _skips(intent, item, SkipReason.BadSignature);
            item.vs = bytes32((type(uint256).max >> 1) | (parity << 255));
            _skips(intent, item, SkipReason.BadSignature);
        }
    }

    function test_ADuplicateInABatchCountsOnce() public {
        Delivery[] memory items = new Delivery[](2);
        items[0] = _delivery(alice, _direct(alice.addr, 0, node), 317);
        items[1] = items[0];
        vm.prank(node);
        router.deliver(LLAMA7, items);
        assertEq(router.accountOf(alice.addr).credits, 1_000e18 - 36.7e18);
        assertEq(lcai.balanceOf(alice.addr), 1e18);
    }

    function test_OneUserManyTimesInABatch() public {
        Delivery[] memory items = new Delivery[](17);
        for (uint256 i; i < 17; ++i) {
            items[i] = _delivery(alice, _direct(alice.addr, 16 - i, node), 10);
        }
        vm.prank(node);
        router.deliver(LLAMA7, items);
        assertEq(router.accountOf(alice.addr).nonce, 17);
        assertEq(lcai.balanceOf(alice.addr), 17e18);
    }

    function test_AnEmptyOrWholeBadBatchChangesNothing() public {
        uint256 seen = router.validatorOf(nodeId).lastSeenAt;
        _pass(10);
        vm.prank(node);
        router.deliver(LLAMA7, new Delivery[](0));
        _deliver(node, _delivery(bob, _direct(alice.addr, 0, node), 10));
        assertEq(router.validatorOf(nodeId).lastSeenAt, seen);
        assertEq(router.chain(), 0);
    }

    function test_MintsWhatTheAssignedLaneLeft() public {
        (, Ticket memory t) = _submit();
        _settle(node, t, 10);
        _chat(alice, node);
        assertEq(lcai.balanceOf(alice.addr), 2e18);
        assertEq(router.accountOf(alice.addr).accruedChats, 0);
    }

    function test_RevertWhen_TheSenderServesNothing() public {
        Delivery[] memory items = new Delivery[](1);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, alice.addr));
        vm.prank(alice.addr);
        router.deliver(LLAMA7, items);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, node));
        vm.prank(node);
        router.deliver(GPT2, items);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownModel.selector, bytes32("x")));
        vm.prank(node);
        router.deliver("x", items);
    }

    function test_ProbationEndsInThisLaneToo() public {
        _pass(7 days);
        for (uint256 i; i < 50; ++i) {
            Person memory user = _user(vm.toString(i));
            _deposit(user.addr, 50e18);
            _chat(user, node);
        }
        assertFalse(router.validatorOf(nodeId).probation);
    }

    /// @dev Writes reputation into the node's seat, and takes it off probation.
    function _stand(uint256 reputation) private {
        bytes32 slot = keccak256(
            abi.encode(nodeId >> 2, uint256(0x3164cd054724e5f047462cc7124ac3696d673fa10d6aa14dc75f39cd115f5a00) + 6)
        );
        uint256 word = uint256(vm.load(address(router), slot));
        word = (word & ~((uint256(127) << 7) | (1 << 34))) | (reputation << 7);
        vm.store(address(router), slot, bytes32(word));
        assertEq(router.validatorOf(nodeId).reputation, reputation);
    }

    function test_RevertGiven_TheValidatorIsSuspended() public {
        Delivery memory item = _delivery(alice, _direct(alice.addr, 0, node), 10);
        _stand(49);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterNotServing.selector, node));
        _deliver(node, item);
        _stand(50);
        _deliver(node, item);
        assertEq(models.recordCount(), 1);
    }

    /// @dev 317 tokens consume 36.7 NSD: 84, 70 or 63 percent of it are the validator's.
    function test_PaysByTheBandOfTheDelivery() public {
        uint256[3] memory standing = [uint256(90), 89, 69];
        uint256[3] memory legs = [uint256(30.828e18), 25.69e18, 23.121e18];
        uint256 before;
        for (uint256 i; i < 3; ++i) {
            _stand(standing[i]);
            _chat(alice, node);
            uint256 leg = router.validatorOf(nodeId).validatorLeg;
            assertEq(leg - before, legs[i]);
            before = leg;
        }
    }

    function test_APausedValidatorDeliversWhatItAnswered() public {
        vm.prank(node);
        validators.pauseValidator();
        _chat(alice, node);
        assertEq(models.recordCount(), 1);
        assertTrue(router.validatorOf(nodeId).closed);
    }

    /// @dev 5 NSD are the least of any payment; a token of this model costs 5.1.
    function test_SkipsWhatDoesNotPayForAToken() public {
        Intent memory intent = _direct(alice.addr, 0, node);
        intent.payment = 5.1e18 - 1;
        _skips(intent, _delivery(alice, intent, 1), SkipReason.Underpaid);
        intent.payment = 5.1e18;
        _skips(intent, _delivery(alice, intent, 2), SkipReason.BadTokens);
        _deliver(node, _delivery(alice, intent, 1));
        assertEq(router.accountOf(alice.addr).credits, 1_000e18 - 5.1e18);
    }

    function test_OnesOwnChatsCountNothing() public {
        Person memory self = _person("node");
        assertEq(self.addr, node);
        _fund(node, 100e18);
        _deposit(node, 100e18);
        _chat(self, node);
        assertEq(models.recordCount(), 1);
        assertEq(router.accountOf(node).credits, 63.3e18, "it pays as anybody does");
        assertEq(router.validatorOf(nodeId).completed, 0);
        _chat(alice, node);
        assertEq(router.validatorOf(nodeId).completed, 1);
    }
}

contract DeliverRewardsTest is Scene {
    address internal node;
    uint256 internal nodeId;

    function setUp() public override {
        super.setUp();
        (node, nodeId) = _validator("node", 100_000e18);
        _deposit(alice.addr, 1_000e18);
    }

    /// @dev Alice earned 1,000 today: her cap.
    function _cap() private {
        vm.prank(address(reward));
        lcai.mint(alice.addr, 1_000e18);
    }

    function test_AtTheCapTheChatStillCompletes() public {
        _cap();
        vm.expectEmit(address(router));
        emit IRouterLog.RewardsSkipped(1);
        _chat(alice, node);
        assertEq(lcai.balanceOf(alice.addr), 1_000e18);
        assertEq(models.recordCount(), 1);
    }

    function test_AtTheCapAccruedChatsStay() public {
        (, Ticket memory t) = _submit();
        _settle(node, t, 10);
        _cap();
        _chat(alice, node);
        assertEq(router.accountOf(alice.addr).accruedChats, 1);
        _pass(1 days);
        _chat(alice, node);
        assertEq(router.accountOf(alice.addr).accruedChats, 0);
        assertEq(lcai.balanceOf(alice.addr), 1_002e18);
    }

    function test_ARevertingTokenBlocksNothing() public {
        // What it reverts with must not pass for the number that it minted.
        vm.mockCallRevert(address(lcai), abi.encodeWithSelector(lcai.mintBatch.selector), abi.encode(uint256(1)));
        vm.expectEmit(address(router));
        emit IRouterLog.RewardsSkipped(1);
        _chat(alice, node);
        assertEq(models.recordCount(), 1);
        assertEq(router.accountOf(alice.addr).credits, 1_000e18 - 36.7e18);
    }

    /// @dev A sender who brings too little gas cannot deliver without the reward: all or nothing.
    function testFuzz_StarvedGasNeverLosesTheReward(uint32 gas_) public {
        Delivery[] memory items = new Delivery[](1);
        items[0] = _delivery(alice, _direct(alice.addr, 0, node), 317);
        vm.prank(node);
        (bool ok,) =
            address(router).call{gas: bound(gas_, 30_000, 400_000)}(abi.encodeCall(router.deliver, (LLAMA7, items)));
        assertEq(lcai.balanceOf(alice.addr), ok ? 1e18 : 0);
        assertEq(models.recordCount(), ok ? 1 : 0);
    }
}

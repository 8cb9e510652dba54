// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Vm} from "forge-std/Vm.sol";
import {Delivery, IRouterLog, Outcome} from "../../contracts/interfaces/IInferenceRouter.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {Offer, PriceWord} from "../../contracts/words/Offer.sol";
import {Ticket} from "../../contracts/words/Ticket.sol";
import {Scene} from "./support/Scene.sol";

contract CatalogueTest is Scene {
    using PriceWord for uint256;

    function _model(string memory name) private pure returns (IModelRegistry.Model memory) {
        return IModelRegistry.Model(name, bytes32("hash"), 7_500, 4_000, 8_000, 120, 33, true);
    }

    function test_FiveAtLaunch() public view {
        IModelRegistry.Model[] memory all = models.models();
        assertEq(all.length, 5);
        for (uint256 i; i < 5; ++i) {
            bytes32 id = keccak256(bytes(_launchModels()[i].name));
            assertEq(models.indexOf(id), i);
            assertTrue(models.isModel(id));
            assertEq(all[i].name, _launchModels()[i].name);
            assertEq(router.offerOf(id).model(), i);
        }
    }

    function test_OffersCarryTheTerms() public view {
        Offer offer = router.offerOf(LLAMA70);
        uint256 price = offer.price();
        assertTrue(offer.active());
        assertEq(offer.tokenLimit(), 2_048);
        assertEq(price.base(), 5e18);
        assertEq(price.perToken(), 0.1e18);
        assertEq(price.multiplierBps(), 50_000);
        assertEq(price.index(), 1e9);
        assertEq(price.burnBps(), 1_000);
        assertEq(price.pace(), 5);
        assertEq(price.executionWindow(100), 200);
        assertEq(price.ackWindow(), 30);
        assertEq(price.queueWindow(), 300);
    }

    function test_Adds() public {
        vm.expectEmit(address(models));
        emit IModelRegistry.ModelAdded(keccak256("new"), 5, "new");
        vm.recordLogs();
        vm.prank(admin);
        bytes32 id = models.addModel(_model("new"));
        _expectPushed(id);
        assertEq(id, keccak256("new"));
        assertEq(models.indexOf(id), 5);
        assertEq(models.modelOf(id).fileHash, bytes32("hash"));
        assertEq(router.offerOf(id).tokenLimit(), 4_000);
        assertEq(router.quote(id, 100, false), 11.25e18);
    }

    /// @dev The recorded logs tell the offer that the router holds now, of a model that nobody serves.
    function _expectPushed(bytes32 id) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bool told;
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IModelRegistry.OfferPushed.selector || logs[i].topics[1] != id) continue;
            assertEq(logs[i].emitter, address(models));
            assertEq(abi.decode(logs[i].data, (uint256)), Offer.unwrap(router.offerOf(id)));
            told = true;
        }
        assertTrue(told, "no offer was told");
    }

    function test_RevertWhen_AddedTwice() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelsExists.selector, "demo-3m"));
        vm.prank(admin);
        models.addModel(_model("demo-3m"));
    }

    function test_RevertWhen_SomebodyElseWrites() public {
        bytes memory reason = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, alice.addr);
        vm.startPrank(alice.addr);
        vm.expectRevert(reason);
        models.addModel(_model("x"));
        vm.expectRevert(reason);
        models.setModel(_model("demo-3m"));
        vm.stopPrank();
    }

    function test_RevertWhen_TheCatalogueIsFull() public {
        vm.startPrank(admin);
        for (uint256 i = 5; i < 29; ++i) {
            models.addModel(_model(vm.toString(i)));
        }
        vm.expectRevert(IModelRegistry.ModelsFull.selector);
        models.addModel(_model("one more"));
        vm.stopPrank();
        models.pushOffers();
    }

    function _invalid(IModelRegistry.Model memory model, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(admin);
        models.addModel(model);
    }

    function _reason(string memory field, uint256 value, uint256 low, uint256 high)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IModelRegistry.ModelsInvalid.selector, field, value, low, high);
    }

    function test_RevertWhen_AFieldIsOutOfRange() public {
        IModelRegistry.Model memory m = _model("");
        _invalid(m, _reason("name", 0, 1, 64));
        m = _model("x");
        m.multiplierBps = 0;
        _invalid(m, _reason("multiplierBps", 0, 1, 1_000_000));
        m = _model("x");
        m.maxTokens = 1_000_001;
        _invalid(m, _reason("maxTokens", 1_000_001, 1, 1_000_000));
        m = _model("x");
        m.window = 59;
        _invalid(m, _reason("window", 59, 60, 16_383));
        m = _model("x");
        m.pace = 1_024;
        _invalid(m, _reason("pace", 1_024, 1, 1_023));
        m = _model("x");
        m.maxInputTokens = 0;
        _invalid(m, _reason("maxInputTokens", 0, 1, 10_000_000));
    }

    function test_AClosedModelTakesNoMoreAndKeepsItsTickets() public {
        (address node,) = _validator("node", 50_000e18);
        (, Ticket memory t) = _submit();
        IModelRegistry.Model memory m = models.modelOf(LLAMA7);
        m.active = false;
        vm.prank(admin);
        models.setModel(m);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterUnknownModel.selector, LLAMA7));
        vm.prank(alice.addr);
        router.submit(_ask(), "");
        assertEq(router.offerOf(LLAMA7).tickets(), 10);
        assertEq(router.offerOf(LLAMA7).servers(), 1);
        _settle(node, t, 317);
    }

    function test_RevertWhen_AnUnknownOneIsSet() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelsUnknown.selector, keccak256("x")));
        vm.prank(admin);
        models.setModel(_model("x"));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelsUnknown.selector, keccak256("x")));
        models.indexOf(keccak256("x"));
    }

    function test_PushingTwiceChangesNothing() public {
        uint256 before = Offer.unwrap(router.offerOf(LLAMA7));
        vm.prank(bob.addr);
        models.pushOffers();
        assertEq(Offer.unwrap(router.offerOf(LLAMA7)), before);
    }

    /// @dev Each number of a model in turn, one below its least value, then one above its greatest.
    function _past(uint256 i) private pure returns (IModelRegistry.Model memory m, bytes memory reason) {
        string[5] memory fields = ["multiplierBps", "maxTokens", "maxInputTokens", "window", "pace"];
        uint256[5] memory least = [uint256(1), 1, 1, 60, 1];
        uint256[5] memory greatest = [uint256(1_000_000), 1_000_000, 10_000_000, 16_383, 1_023];
        uint256 field = i / 2;
        uint256 value = i % 2 == 0 ? least[field] - 1 : greatest[field] + 1;
        m = _model("demo-3m");
        // The widest of them has 32 bits, and the widest value 24.
        if (field == 0) m.multiplierBps = uint32(value);
        if (field == 1) m.maxTokens = uint32(value);
        if (field == 2) m.maxInputTokens = uint32(value);
        if (field == 3) m.window = uint16(value);
        if (field == 4) m.pace = uint16(value);
        reason = _reason(fields[field], value, least[field], greatest[field]);
    }

    function test_RevertWhen_AnyFieldIsPastEitherEnd() public {
        for (uint256 i; i < 10; ++i) {
            (IModelRegistry.Model memory m, bytes memory reason) = _past(i);
            vm.expectRevert(reason);
            vm.prank(admin);
            models.setModel(m);
            m.name = "x";
            _invalid(m, reason);
        }
        string memory name = "a name of sixty-five bytes, which is one more than a name may have";
        assertEq(bytes(name).length, 66);
        _invalid(_model(name), _reason("name", 66, 1, 64));
    }

    function test_RevertWhen_TheLongestAnswerMayTakeADay() public {
        IModelRegistry.Model memory m = models.modelOf(LLAMA7);
        (m.name, m.window, m.maxTokens, m.pace) = ("x", 60, 86_340, 1);
        _invalid(m, _reason("window + maxTokens / pace", 1 days, 60, 1 days - 1));
        m.maxTokens -= 1;
        vm.prank(admin);
        models.addModel(m);
    }

    function test_SetsTermsForWhatOpensLater() public {
        (address node, uint256 id) = _validator("node", 50_000e18);
        (, Ticket memory t) = _submit();
        IModelRegistry.Model memory before = models.modelOf(LLAMA7);
        IModelRegistry.Model memory m = models.modelOf(LLAMA7);
        (m.multiplierBps, m.maxTokens) = (20_000, 1_000);
        vm.expectEmit(address(models));
        emit IModelRegistry.ModelChanged(LLAMA7, before, m);
        vm.prank(admin);
        models.setModel(m);
        assertEq(models.modelOf(LLAMA7).multiplierBps, 20_000);
        assertEq(router.quote(LLAMA7, 450, false), 100e18);
        assertEq(router.offerOf(LLAMA7).tokenLimit(), 1_000);
        assertEq(router.offerOf(LLAMA7).tickets(), 10);
        _settle(node, t, 450);
        assertEq(router.validatorOf(id).validatorLeg, 35e18, "what was open has the old price");
    }
}

contract SettledProofTest is Scene {
    function test_ProvesTheRecordOfAnAssignedRequest() public {
        (address node,) = _validator("node", 50_000e18);
        (, Ticket memory t) = _submit();
        vm.recordLogs();
        _settle(node, t, 317);
        (, Outcome memory o,) = _settledIn(vm.getRecordedLogs());
        assertTrue(models.verifySettled(t, o));
        o.digest = ~o.digest;
        assertFalse(models.verifySettled(t, o));
        o.digest = ~o.digest;
        t.promptHash = ~t.promptHash;
        assertFalse(models.verifySettled(t, o));
    }
}

contract DeliveredProofTest is Scene {
    uint256 private constant ALL = 300;
    address private node;
    bytes32[] private leaves;

    function setUp() public override {
        super.setUp();
        (node,) = _validator("node", 50_000e18);
        vm.prank(bank);
        nsd.transfer(alice.addr, 1_000_000e18);
        _deposit(alice.addr, 200_000e18);
        vm.recordLogs();
        for (uint256 i; i < ALL; i += 15) {
            _batch(i);
        }
        _keepLeaves(vm.getRecordedLogs());
    }

    function _batch(uint256 from) private {
        Delivery[] memory items = new Delivery[](15);
        for (uint256 i; i < 15; ++i) {
            items[i] = _delivery(alice, _direct(alice.addr, from + i, node), 10);
        }
        vm.prank(node);
        router.deliver(LLAMA7, items);
    }

    function _keepLeaves(Vm.Log[] memory logs) private {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].topics[0] != IRouterLog.RequestSettled.selector) continue;
            leaves.push(models.leafOf(logs[i].topics[1], alice.addr, _outcomeIn(logs[i])));
        }
        assertEq(leaves.length, ALL);
    }

    function _proof(uint256 position) private view returns (bytes32[] memory before, bytes32[] memory afterwards) {
        uint256 first = position / 256 * 256;
        uint256 end = first + 256 < ALL ? first + 256 : ALL;
        before = new bytes32[](position - first);
        afterwards = new bytes32[](end - position - 1);
        for (uint256 i; i < before.length; ++i) {
            before[i] = leaves[first + i];
        }
        for (uint256 i; i < afterwards.length; ++i) {
            afterwards[i] = leaves[position + 1 + i];
        }
    }

    function _proves(uint256 position, bytes32 leaf) private view returns (bool) {
        (bytes32[] memory before, bytes32[] memory afterwards) = _proof(position);
        return models.verifyDelivered(position, before, leaf, afterwards);
    }

    function test_ACheckpointIsKeptAt256() public view {
        assertNotEq(router.checkpointOf(1), 0);
        assertEq(uint48(router.checkpointOf(1)), 256);
        assertEq(router.checkpointOf(2), 0);
        assertEq(uint48(router.chain()), ALL);
        assertEq(models.recordCount(), ALL);
    }

    function test_ProvesOnBothSidesOfTheCheckpoint() public view {
        uint256[6] memory positions = [uint256(0), 17, 255, 256, 270, 299];
        for (uint256 i; i < positions.length; ++i) {
            assertTrue(_proves(positions[i], leaves[positions[i]]));
            assertFalse(_proves(positions[i], leaves[100]), "another leaf");
        }
    }

    function test_ProvesNothingElsewhere() public view {
        (bytes32[] memory before, bytes32[] memory afterwards) = _proof(17);
        assertFalse(models.verifyDelivered(18, before, leaves[17], afterwards));
        assertFalse(models.verifyDelivered(273, before, leaves[17], afterwards));
        assertFalse(models.verifyDelivered(ALL, new bytes32[](44), leaves[17], new bytes32[](0)));
        before[3] = 0;
        assertFalse(models.verifyDelivered(17, before, leaves[17], afterwards));
    }
}

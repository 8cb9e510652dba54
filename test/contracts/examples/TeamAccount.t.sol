// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Intent, IRouterLog, RequestStatus, Session} from "../../../contracts/interfaces/IInferenceRouter.sol";
import {Ticket} from "../../../contracts/words/Ticket.sol";
import {Scene} from "../support/Scene.sol";

interface ITeamAccount is IERC1271 {
    event MemberSet(address indexed account, bool member);

    error TeamOnlyOwner(address sender);

    function setMember(address account, bool member) external;
    function cancel(Ticket calldata ticket) external;
    function announceWithdrawal() external;
    function collect(IERC20 token, address to) external;
    function isMember(address account) external view returns (bool);
}

abstract contract TeamScene is Scene {
    bytes4 internal constant REFUSED = 0xffffffff;
    uint256 internal constant LIMIT = 60e18;

    ITeamAccount internal team;
    address internal owner = makeAddr("owner");
    address internal node;

    function setUp() public virtual override {
        super.setUp();
        (node,) = _validator("node", 100_000e18);
        team = ITeamAccount(_code("TeamAccount.sol/TeamAccount", abi.encode(router, owner, LIMIT)));
        vm.prank(bank);
        nsd.transfer(address(team), 1_000e18);
        vm.prank(owner);
        team.setMember(alice.addr, true);
    }

    function _team() internal view returns (Intent memory intent) {
        intent = _intent(address(team), router.accountOf(address(team)).nonce);
        intent.relayFee = 2e18;
    }

    function _signed(Person memory member, Intent memory intent) internal view returns (bytes memory) {
        return abi.encode(intent, _sign(member.key, intent));
    }

    function _hash(Intent memory intent) internal view returns (bytes32) {
        return _digestOf(intent, block.chainid, address(router));
    }

    function _relay(Intent memory intent, bytes memory signature) internal returns (bytes32) {
        vm.prank(relayer);
        return router.submitFor(intent, signature, "");
    }

    function _refused(Intent memory intent, bytes memory signature) internal {
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, address(team)));
        _relay(intent, signature);
    }
}

contract TeamAccountTest is TeamScene {
    function test_PaysForAMemberWhoHoldsNothing() public {
        Person memory member;
        (member.addr, member.key) = makeAddrAndKey("member");
        vm.prank(owner);
        team.setMember(member.addr, true);
        Intent memory intent = _team();
        bytes32 id = _relay(intent, _signed(member, intent));
        assertEq(id, router.requestId(_ticketOf(intent)));
        assertEq(nsd.balanceOf(address(team)), 1_000e18 - 52e18);
        assertEq(credits.creditsOf(relayer), 2e18);
        _settle(node, _ticketOf(intent), 317);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Completed));
        assertEq(credits.creditsOf(address(team)), 13.3e18);
    }

    function test_TheOwnerTakesARequestBackAndCollectsWhatIsLeft() public {
        Intent memory intent = _team();
        bytes32 id = _relay(intent, _signed(alice, intent));
        Ticket memory ticket = _ticketOf(intent);
        vm.expectRevert(abi.encodeWithSelector(ITeamAccount.TeamOnlyOwner.selector, alice.addr));
        vm.prank(alice.addr);
        team.cancel(ticket);
        vm.prank(owner);
        team.cancel(ticket);
        _pass(31);
        router.expire(ticket);
        assertEq(uint256(_status(id)), uint256(RequestStatus.Cancelled));
        vm.prank(owner);
        team.announceWithdrawal();
        _pass(15 minutes);
        vm.prank(owner);
        team.collect(IERC20(address(nsd)), bob.addr);
        assertEq(nsd.balanceOf(bob.addr), 100_000e18 + 948e18 + 25e18);
        assertEq(nsd.balanceOf(address(team)), 0);
    }

    function test_OnlyTheOwnerDecides() public {
        bytes memory reason = abi.encodeWithSelector(ITeamAccount.TeamOnlyOwner.selector, bob.addr);
        vm.startPrank(bob.addr);
        vm.expectRevert(reason);
        team.setMember(bob.addr, true);
        vm.expectRevert(reason);
        team.announceWithdrawal();
        vm.expectRevert(reason);
        team.collect(IERC20(address(nsd)), bob.addr);
    }

    function test_WhatWasNeverUsedIsCollected() public {
        vm.prank(bank);
        nsd.transfer(address(team), 1_000e18);
        (uint256 lies, uint256 had) = (nsd.balanceOf(address(team)), nsd.balanceOf(bob.addr));
        vm.prank(owner);
        team.collect(IERC20(address(nsd)), bob.addr);
        assertEq(nsd.balanceOf(bob.addr), had + lies);
        assertEq(nsd.balanceOf(address(team)), 0);
    }

    function test_WhatItsChatsEarnedIsCollected() public {
        Intent memory intent = _team();
        _relay(intent, _signed(alice, intent));
        _settle(node, _ticketOf(intent), 317);
        reward.claim(address(team));
        // An announced withdrawal that may not leave yet holds up nothing but NSD.
        vm.startPrank(owner);
        team.announceWithdrawal();
        team.collect(IERC20(address(lcai)), bob.addr);
        assertEq(IERC20(address(lcai)).balanceOf(bob.addr), 1e18);
        assertEq(IERC20(address(lcai)).balanceOf(address(team)), 0);
        assertEq(nsd.balanceOf(address(team)), 948e18);
    }
}

contract TeamAccountHostileTest is TeamScene {
    function test_RevertWhen_AStrangerSigns() public {
        Intent memory intent = _team();
        _refused(intent, _signed(bob, intent));
    }

    function test_RevertGiven_TheMemberLeft() public {
        Intent memory intent = _team();
        bytes memory signature = _signed(alice, intent);
        vm.expectEmit(address(team));
        emit ITeamAccount.MemberSet(alice.addr, false);
        vm.prank(owner);
        team.setMember(alice.addr, false);
        _refused(intent, signature);
    }

    function test_RevertWhen_AboveTheLimit() public {
        Intent memory intent = _team();
        (intent.payment, intent.relayFee) = (58e18 + 1, 2e18);
        _refused(intent, _signed(alice, intent));
        (intent.payment, intent.relayFee) = (50e18, 10e18 + 1);
        _refused(intent, _signed(alice, intent));
        intent.relayFee = type(uint96).max;
        _refused(intent, _signed(alice, intent));
        intent.relayFee = 10e18;
        _relay(intent, _signed(alice, intent));
    }

    function test_RevertWhen_ItNamesACallback() public {
        Intent memory intent = _team();
        (intent.callback, intent.callbackGas) = (bob.addr, 50_000);
        _refused(intent, _signed(alice, intent));
    }

    /// @dev The member signed a small intent; the relayer shows that one, and brings a larger one.
    function test_RevertWhen_AnotherIntentIsShown() public {
        Intent memory small = _team();
        Intent memory large = _team();
        large.payment = 1_000e18;
        _refused(large, abi.encode(small, _sign(alice.key, small)));
        _refused(large, abi.encode(small, _sign(alice.key, large)));
        _refused(small, abi.encode(large, _sign(alice.key, small)));
    }

    function test_RevertWhen_TheIntentIsAnotherAccounts() public {
        Intent memory intent = _team();
        intent.user = alice.addr;
        bytes memory signature = _signed(alice, intent);
        assertEq(team.isValidSignature(_hash(intent), signature), REFUSED);
    }

    function test_RevertWhen_Replayed() public {
        Intent memory intent = _team();
        bytes memory signature = _signed(alice, intent);
        _relay(intent, signature);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidNonce.selector, address(team), 0, 1));
        _relay(intent, signature);
    }

    function test_RevertWhen_ReplayedOnAnotherTeam() public {
        ITeamAccount other = ITeamAccount(_code("TeamAccount.sol/TeamAccount", abi.encode(router, owner, LIMIT)));
        vm.prank(owner);
        other.setMember(alice.addr, true);
        Intent memory intent = _team();
        bytes memory signature = _signed(alice, intent);
        assertEq(other.isValidSignature(_hash(intent), signature), REFUSED);
        intent.user = address(other);
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, address(other)));
        _relay(intent, signature);
    }

    /// @dev A member cannot cancel what another one asked, nor lock the account's credits in a session.
    function test_RevertWhen_AnythingButARequestIsSigned() public {
        Intent memory intent = _team();
        _relay(intent, _signed(alice, intent));
        Ticket memory ticket = _ticketOf(intent);
        bytes32 typeHash = keccak256("Cancel(bytes32 request,uint64 deadline)");
        uint256 deadline = block.timestamp + 60;
        bytes32 hash = keccak256(abi.encode(typeHash, router.requestId(ticket), deadline));
        bytes memory signature = abi.encode(intent, _signHash(alice.key, _typed(hash, block.chainid, address(router))));
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, address(team)));
        router.cancelFor(ticket, deadline, signature);

        uint64 at = uint64(block.timestamp + 1 days);
        Session memory session = Session(address(team), node, alice.addr, LLAMA7, 5e18, at, 1, at);
        signature = abi.encode(intent, _signHash(alice.key, router.hashSession(session)));
        vm.expectRevert(abi.encodeWithSelector(IRouterLog.RouterInvalidSignature.selector, address(team)));
        router.openSession(session, signature);
    }

    function testFuzz_RevertWhen_AnyFieldIsTampered(uint256 seed) public {
        Intent memory signed = _team();
        bytes memory memberSignature = _sign(alice.key, signed);
        Intent memory other = _team();
        uint256 field = seed % 6;
        if (field == 0) other.model = DEMO;
        if (field == 1) other.promptHash = ~other.promptHash;
        if (field == 2) --other.payment;
        if (field == 3) ++other.maxTokens;
        if (field == 4) ++other.nonce;
        if (field == 5) --other.relayFee;
        _refused(other, abi.encode(other, memberSignature));
        _refused(other, abi.encode(signed, memberSignature));
    }

    function testFuzz_RevertWhen_TheSignatureIsGarbage(bytes calldata garbage) public {
        _refused(_team(), garbage);
    }

    function _signHash(uint256 key, bytes32 hash) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return abi.encodePacked(r, s, v);
    }
}

/// @notice Every call here is a transaction of its own, with every slot cold.
/// forge-config: test.isolate = true
/// forge-config: deep.isolate = true
contract TeamAccountGasTest is TeamScene {
    function test_FitsTheGasThatTheRouterGives() public {
        Intent memory intent = _team();
        bytes memory signature = _signed(alice, intent);
        bytes32 hash = _hash(intent);
        (bool ok, bytes memory answer) = address(team).call(abi.encodeCall(team.isValidSignature, (hash, signature)));
        assertTrue(ok && abi.decode(answer, (bytes4)) == IERC1271.isValidSignature.selector);
        // Less 21,000, and at least 4 for each byte of calldata: more than the call within a transaction takes.
        uint256 used = vm.lastCallGas().gasTotalUsed - 21_000 - 4 * signature.length;
        emit log_named_uint("isValidSignature, cold", used);
        assertLt(used, 60_000, "of 200,000");
    }
}

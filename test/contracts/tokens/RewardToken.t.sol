// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IRewardToken} from "../../../contracts/interfaces/ITokens.sol";
import {Scene} from "../support/Scene.sol";

contract RewardTokenTest is Scene {
    function _mint(address to, uint256 amount) private returns (bool) {
        vm.prank(address(router));
        return lcai.mint(to, amount);
    }

    function test_NothingAtGenesis() public view {
        assertEq(lcai.totalSupply() + choir.totalSupply(), 0);
        assertEq(lcai.MAX_SUPPLY(), 1_000_000_000e18);
        assertEq(lcai.EPOCH_CAP(), 1_000_000e18);
    }

    function test_RevertWhen_AStrangerMints() public {
        vm.startPrank(admin);
        vm.expectRevert(abi.encodeWithSelector(IRewardToken.RewardTokenOnlyMinter.selector, admin));
        lcai.mint(admin, 1);
        vm.expectRevert(abi.encodeWithSelector(IRewardToken.RewardTokenOnlyMinter.selector, admin));
        lcai.mintBatch(new uint256[](1));
        vm.expectRevert(abi.encodeWithSelector(IRewardToken.RewardTokenOnlyMinter.selector, admin));
        choir.mint(admin, 1);
        vm.stopPrank();
        vm.prank(address(router));
        vm.expectRevert(abi.encodeWithSelector(IRewardToken.RewardTokenOnlyMinter.selector, router));
        choir.mint(admin, 1);
    }

    function test_MintsAndRemembers() public {
        vm.expectEmit(address(lcai));
        emit IRewardToken.FirstRewarded(alice.addr);
        assertTrue(_mint(alice.addr, 3e18));
        (uint256 total, uint256 inEpoch, uint256 lastAt) = lcai.rewardsOf(alice.addr);
        assertEq(total, 3e18);
        assertEq(inEpoch, 3e18);
        assertEq(lastAt, block.timestamp);
        assertEq(lcai.balanceOf(alice.addr), 3e18);
        assertEq(lcai.totalSupply(), 3e18);
    }

    function test_AHolderHasAThousandADay() public {
        assertTrue(_mint(alice.addr, 1_000e18));
        vm.expectEmit(address(lcai));
        emit IRewardToken.RewardCapped(alice.addr, 1);
        assertFalse(_mint(alice.addr, 1));
        vm.warp(block.timestamp + 1 days);
        assertTrue(_mint(alice.addr, 1_000e18));
    }

    function test_AnEpochHasAMillion() public {
        for (uint160 i = 1; i <= 1_000; ++i) {
            assertTrue(_mint(address(i), 1_000e18));
        }
        assertEq(lcai.mintedInEpoch(), 1_000_000e18);
        assertFalse(_mint(alice.addr, 1));
        vm.warp(block.timestamp + 1 days);
        assertEq(lcai.mintedInEpoch(), 0);
        assertTrue(_mint(alice.addr, 1));
    }

    function test_TheSupplyEndsAtTheMaximum() public {
        // The supply word: total in the low 96 bits. 999,999,999.5 tokens are out already.
        bytes32 slot = _supplySlot();
        vm.store(address(lcai), slot, bytes32(uint256(lcai.MAX_SUPPLY() - 0.5e18)));
        assertEq(lcai.totalSupply(), lcai.MAX_SUPPLY() - 0.5e18);
        assertFalse(_mint(alice.addr, 1e18));
        assertTrue(_mint(alice.addr, 0.5e18));
        assertEq(lcai.totalSupply(), lcai.MAX_SUPPLY());
        vm.warp(block.timestamp + 5 days);
        assertFalse(_mint(alice.addr, 1));
    }

    /// @dev The slot whose value is the supply: found by looking, since it is nobody's interface.
    function _supplySlot() private returns (bytes32) {
        _mint(bob.addr, 123e18);
        for (uint256 i; i < 20; ++i) {
            if (uint96(uint256(vm.load(address(lcai), bytes32(i)))) == 123e18) return bytes32(i);
        }
        revert("no slot holds the supply");
    }

    function test_ABatchPassesOverWhatDoesNotFit() public {
        _mint(alice.addr, 1_000e18);
        uint256[] memory rewards = new uint256[](3);
        rewards[0] = (uint256(2) << 160) | uint160(bob.addr);
        rewards[1] = (uint256(1) << 160) | uint160(alice.addr);
        rewards[2] = (uint256(3) << 160) | uint160(relayer);
        vm.prank(address(router));
        assertEq(lcai.mintBatch(rewards), 5);
        assertEq(lcai.balanceOf(bob.addr), 2e18);
        assertEq(lcai.balanceOf(alice.addr), 1_000e18);
        assertEq(lcai.balanceOf(relayer), 3e18);
    }

    function test_NeverToNobody() public {
        assertFalse(_mint(address(0), 1e18));
    }

    function testFuzz_NoMintRevertsForItsSize(uint256 amount) public {
        assertEq(_mint(alice.addr, amount), amount <= 1_000e18);
    }

    function testFuzz_CapsHoldWhateverIsMinted(
        uint8[16] memory who,
        uint128[16] memory amounts,
        uint24[16] memory waits
    ) public {
        for (uint256 i; i < who.length; ++i) {
            vm.warp(block.timestamp + waits[i]);
            address to = address(uint160(0xA0 + who[i] % 3));
            _mint(to, uint256(amounts[i]) % 1_200e18);
            (, uint256 inEpoch,) = lcai.rewardsOf(to);
            assertLe(inEpoch, lcai.HOLDER_EPOCH_CAP());
            assertLe(lcai.mintedInEpoch(), lcai.EPOCH_CAP());
        }
        uint256 sum = lcai.balanceOf(address(0xA0)) + lcai.balanceOf(address(0xA1)) + lcai.balanceOf(address(0xA2));
        assertEq(sum, lcai.totalSupply());
    }

    function testFuzz_TransfersMoveBalancesAndNoStatistics(uint96 amount, uint96 part) public {
        amount = uint96(bound(amount, 1, 1_000e18));
        _mint(alice.addr, amount);
        vm.prank(alice.addr);
        if (part > amount) {
            vm.expectRevert(
                abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice.addr, amount, part)
            );
            lcai.transfer(bob.addr, part);
            return;
        }
        lcai.transfer(bob.addr, part);
        assertEq(lcai.balanceOf(alice.addr), amount - part);
        assertEq(lcai.balanceOf(bob.addr), part);
        (uint256 total,,) = lcai.rewardsOf(alice.addr);
        assertEq(total, amount);
        (total,,) = lcai.rewardsOf(bob.addr);
        assertEq(total, 0);
    }

    function test_ATransferToOneselfChangesNothing() public {
        _mint(alice.addr, 10e18);
        vm.prank(alice.addr);
        lcai.transfer(alice.addr, 7e18);
        assertEq(lcai.balanceOf(alice.addr), 10e18);
    }

    function test_Permit() public {
        _mint(alice.addr, 10e18);
        IERC20Permit token = IERC20Permit(address(lcai));
        bytes32 hash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                alice.addr,
                bob.addr,
                4e18,
                0,
                block.timestamp
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), hash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(alice.key, digest);
        token.permit(alice.addr, bob.addr, 4e18, block.timestamp, v, r, s);
        vm.prank(bob.addr);
        lcai.transferFrom(alice.addr, bob.addr, 4e18);
        assertEq(lcai.balanceOf(bob.addr), 4e18);
        vm.expectRevert();
        token.permit(alice.addr, bob.addr, 4e18, block.timestamp, v, r, s);
    }
}

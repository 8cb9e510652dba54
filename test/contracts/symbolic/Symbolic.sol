// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface IAssume {
    function assume(bool condition) external pure;
}

/// @notice What every symbolic check starts from. Arguments of a `check_` function stand for every value of their type.
abstract contract Symbolic {
    /// Where forge and Halmos answer cheatcodes. No more of it is needed here than this one, and forge-std takes longer to
    /// compile than all checks together.
    IAssume internal constant vm = IAssume(address(uint160(uint256(keccak256("hevm cheat code")))));
}

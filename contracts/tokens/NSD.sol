// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {INSD} from "../interfaces/ITokens.sol";

/// @title NSD, the fuel of NeuroSwarm
/// @notice 18 decimals; the whole supply exists at genesis. From then on it is burned for requests, and minted back
/// within what was burned: `totalSupply + retired <= GENESIS` whatever the ledger does. The ledger cannot touch a
/// wallet beyond the allowance that its owner gave. Not upgradeable; no hook, no blocklist, no pause.
contract NSD is ERC20Permit, INSD {
    /// What was burned and minted in one epoch, in one slot.
    struct Flow {
        uint128 burned;
        uint128 minted;
    }

    uint256 public constant GENESIS = 1_000_000_000e18;
    uint256 private constant EPOCH = 1 days;

    address public immutable LEDGER;

    uint256 public retired;
    mapping(uint256 epoch => Flow) private _flows;

    modifier onlyLedger() {
        require(msg.sender == LEDGER, NSDOnlyLedger(msg.sender));
        _;
    }

    /// @param ledger ModelAccessCredits, the only burner and minter there will ever be.
    /// @param holder Who receives the supply at genesis.
    constructor(address ledger, address holder) ERC20("NeuroSwarm NSD", "NSD") ERC20Permit("NeuroSwarm NSD") {
        LEDGER = ledger;
        _mint(holder, GENESIS);
    }

    function burnForRequest(address user, uint256 amount, bytes32 requestId) external onlyLedger returns (bool) {
        _spendAllowance(user, LEDGER, amount);
        _burn(user, amount);
        _flows[currentEpoch()].burned += uint128(amount);
        emit NSDBurned(user, amount, requestId, block.timestamp);
        return true;
    }

    function mint(address to, uint256 amount) external onlyLedger {
        uint256 room = headroom();
        require(amount <= room, NSDHeadroomExceeded(amount, room));
        _flows[currentEpoch()].minted += uint128(amount);
        _mint(to, amount);
        emit NSDMinted(to, amount);
    }

    function retire(uint256 amount) external onlyLedger {
        uint256 room = headroom();
        require(amount <= room, NSDHeadroomExceeded(amount, room));
        retired += amount;
        emit NSDRetired(amount, retired);
    }

    function headroom() public view returns (uint256) {
        return GENESIS - totalSupply() - retired;
    }

    function currentEpoch() public view returns (uint256) {
        return block.timestamp / EPOCH;
    }

    function burnedInEpoch(uint256 epoch) external view returns (uint256) {
        return _flows[epoch].burned;
    }

    function mintedInEpoch(uint256 epoch) external view returns (uint256) {
        return _flows[epoch].minted;
    }
}

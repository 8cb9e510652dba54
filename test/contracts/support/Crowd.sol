// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Offer} from "../../../contracts/words/Offer.sol";
import {Seat, SeatWord} from "../../../contracts/words/Seat.sol";
import {Till, TillWord} from "../../../contracts/words/Till.sol";
import {Scene} from "./Scene.sol";

/// @notice Seats thousands of validators at once, by writing the words that as many registrations would have written:
/// ten thousand transactions would pass the gas that one test has. Stake stays out of it.
abstract contract Crowd is Scene {
    bytes32 private constant LAYOUT = 0x3164cd054724e5f047462cc7124ac3696d673fa10d6aa14dc75f39cd115f5a00;
    uint256 private constant OFFERS = 4;
    uint256 private constant TILLS = 5;
    uint256 private constant SEATS = 6;
    uint256 private constant TICKETS = 7;
    uint256 private constant FIRST_SERVERS = 8;
    uint256 private constant OPERATORS = 10;
    uint256 private constant UPTIME = 11;
    uint256 private constant MARKS = 12;

    /// @dev The operator of validator `id` of a crowd.
    function _member(uint256 id) internal pure returns (address) {
        return address(uint160(0xC0FFEE0000 + id));
    }

    /// @dev Validators 4 to `stakes.length + 3` serve llama-2-7b-q4, with the given thousands of NST each.
    function _seat(uint256[] memory stakes) internal {
        uint256 bit = models.indexOf(LLAMA7);
        uint256 row;
        for (uint256 i; i < stakes.length; ++i) {
            uint256 id = i + 4;
            row = _seatOne(row, id, stakes[i], bit);
            if (id % 4 == 3 || i + 1 == stakes.length) {
                vm.store(address(router), _at(SEATS, id >> 2), bytes32(row));
                row = 0;
            }
        }
        _drawTickets(stakes, bit);
    }

    function _seatOne(uint256 row, uint256 id, uint256 stake, uint256 bit) private returns (uint256) {
        bytes32 who = bytes32(uint256(uint160(_member(id))));
        vm.store(address(router), _at(TILLS, uint256(who)), bytes32(Till.unwrap(TillWord.open(id, block.timestamp))));
        vm.store(address(router), _at(OPERATORS, id), who);
        vm.store(address(router), _at(UPTIME, uint256(who)), bytes32(type(uint256).max));
        vm.store(address(router), _at(MARKS, id), bytes32(block.timestamp << 184));
        return _newSeat(stake, bit).put(row, id);
    }

    /// @dev As many successes after a registration would leave it: 100 points, full speed, still on probation, a place
    /// each 2,500 NST.
    function _newSeat(uint256 stake, uint256 bit) private pure returns (Seat) {
        if (stake > 127) stake = 127;
        uint256 word = stake | (100 << 7) | (SeatWord.capacityBound(stake) << 20) | (100 << 26);
        return Seat.wrap(uint64(word | (1 << 34) | (1 << (35 + bit))));
    }

    /// @dev A shuffled list of tickets, one each full 5,000 NST, sixteen to a word.
    function _drawTickets(uint256[] memory stakes, uint256 bit) private {
        uint16[] memory tickets = _shuffled(stakes);
        uint256 word;
        bytes32 base = _at(TICKETS, bit);
        for (uint256 i; i < tickets.length; ++i) {
            word |= uint256(tickets[i]) << (16 * (i % 16));
            if (i % 16 != 15 && i + 1 != tickets.length) continue;
            vm.store(address(router), keccak256(abi.encode(i / 16, base)), bytes32(word));
            word = 0;
        }
        uint256 first;
        for (uint256 i; i < stakes.length && i < 8; ++i) {
            first |= (i + 4) << (16 * i);
        }
        vm.store(address(router), _at(FIRST_SERVERS, bit), bytes32(first));
        uint256 offer = Offer.unwrap(router.offerOf(LLAMA7).withTickets(tickets.length).withServers(stakes.length));
        vm.store(address(router), keccak256(abi.encode(LLAMA7, uint256(LAYOUT) + OFFERS)), bytes32(offer));
    }

    function _shuffled(uint256[] memory stakes) private pure returns (uint16[] memory tickets) {
        uint256 n;
        for (uint256 i; i < stakes.length; ++i) {
            n += stakes[i] < 5 ? 1 : stakes[i] / 5;
        }
        tickets = new uint16[](n);
        n = 0;
        for (uint256 i; i < stakes.length; ++i) {
            for (uint256 k = stakes[i] < 5 ? 1 : stakes[i] / 5; k != 0; --k) {
                uint256 place = uint256(keccak256(abi.encode(n))) % (n + 1);
                tickets[n] = tickets[place];
                tickets[place] = uint16(i + 4);
                ++n;
            }
        }
    }

    /// @dev Where the router keeps a row of four seats.
    function _rowSlot(uint256 row) internal pure returns (bytes32) {
        return _at(SEATS, row);
    }

    function _at(uint256 field, uint256 key) private pure returns (bytes32) {
        return keccak256(abi.encode(key, uint256(LAYOUT) + field));
    }

    function _equal(uint256 n, uint256 thousands) internal pure returns (uint256[] memory stakes) {
        stakes = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            stakes[i] = thousands;
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Offer} from "../words/Offer.sol";
import {Seat, SeatWord} from "../words/Seat.sol";
import {TillWord} from "../words/Till.sol";
import {Settlement} from "./Settlement.sol";

/// @title How a validator gets its seat and its tickets: what ValidatorRegistry pushes
abstract contract Seating is Settlement {
    uint256 private constant TICKET_STAKE = 5_000e18;
    uint256 private constant SEAT_STAKE = 1_000e18;
    uint256 private constant SEAT_STAKE_MAX = 127;

    function enlist(uint256 id, address operator, uint256 stake, uint256 capacity, bytes32[] calldata models)
        external
        onlyPeer(VALIDATORS)
    {
        Layout storage $ = _layout();
        $.operators[id] = operator;
        $.tills[operator] = TillWord.open(id, block.timestamp);
        $.uptime[operator] = type(uint256).max;
        ($.marks[id].registeredAt, $.marks[id].seatedAt) = (uint32(block.timestamp), uint32(block.timestamp));

        uint256 served;
        for (uint256 i; i < models.length; ++i) {
            served |= 1 << $.offers[models[i]].model();
            $.offers[models[i]] = _addServer($.offers[models[i]], id, stake / TICKET_STAKE);
        }
        uint256 thousands = stake / SEAT_STAKE;
        if (thousands > SEAT_STAKE_MAX) thousands = SEAT_STAKE_MAX;
        Seat seat = SeatWord.pack(thousands, 100, 0, capacity, 100, false, true, served);
        $.seats[id >> 2] = seat.put($.seats[id >> 2], id);
    }

    function setClosed(uint256 id, bool closed) external onlyPeer(VALIDATORS) {
        Layout storage $ = _layout();
        _putSeat(id, _seatOf(id).withClosed(closed));
        address operator = $.operators[id];
        if (!closed) $.tills[operator] = _seen($.tills[operator], operator);
    }

    /// @dev Tickets round down: a stake below the next 5,000 NST draws no further one. A stake under 5,000, where
    /// governance lowers the minimum, holds one.
    function _addServer(Offer offer, uint256 id, uint256 tickets) private returns (Offer) {
        Layout storage $ = _layout();
        uint256 model = offer.model();
        uint256 servers = offer.servers();
        if (servers < SAMPLE_ALL) $.firstServers[model] |= id << (16 * servers);
        uint256 n = offer.tickets();
        for (uint256 end = n + (tickets == 0 ? 1 : tickets); n < end; ++n) {
            // Each new ticket changes places with a random earlier one, so that words are mixed.
            uint256 place = uint256(keccak256(abi.encode(block.prevrandao, id, model, n))) % (n + 1);
            uint256 moved = _ticketAt(model, place);
            _putTicket(model, place, id);
            if (place != n) _putTicket(model, n, moved);
        }
        return offer.withServers(servers + 1).withTickets(n);
    }

    function _ticketAt(uint256 model, uint256 place) private view returns (uint256) {
        return (_layout().tickets[model][place / TICKETS_PER_WORD] >> ((place % TICKETS_PER_WORD) << 4)) & 0xFFFF;
    }

    function _putTicket(uint256 model, uint256 place, uint256 id) private {
        Layout storage $ = _layout();
        uint256 shift = (place % TICKETS_PER_WORD) << 4;
        uint256 word = $.tickets[model][place / TICKETS_PER_WORD];
        $.tickets[model][place / TICKETS_PER_WORD] = (word & ~(uint256(0xFFFF) << shift)) | (id << shift);
    }
}

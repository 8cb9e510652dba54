// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Offer} from "../words/Offer.sol";
import {Seat, SeatWord} from "../words/Seat.sol";
import {Till, TillWord} from "../words/Till.sol";
import {Settlement} from "./Settlement.sol";

/// @title How a validator gets, changes and gives back its seat and its tickets: what ValidatorRegistry pushes
/// @notice # Tickets
/// One for each full 5,000 NST and model. They round down: a stake below the next 5,000 NST draws no further one. A
/// stake under 5,000, where governance lowers the minimum, holds one. The list of a model is in random order, and stays
/// so: a new ticket changes places with a random earlier one, and the last one moves to the place of one that leaves.
///
/// # What a change costs
/// Selection reads the same few words whatever happens here. A leaving ticket has to be looked for, sixteen in a word:
/// all NST there ever is makes 20,000 tickets a model, so 1,250 words, while no stake is below 5,000 NST.
abstract contract Seating is Settlement {
    uint256 private constant TICKET_STAKE = 5_000e18;
    uint256 private constant SEAT_STAKE = 1_000e18;
    /// The lowest and the highest bit of sixteen places of 16 bits.
    uint256 private constant LOWS = type(uint256).max / 0xFFFF;
    uint256 private constant HIGHS = LOWS << 15;

    function enlist(uint256 id, address operator, uint256 stake, bytes32[] calldata models)
        external
        onlyPeer(VALIDATORS)
    {
        Layout storage $ = _layout();
        $.operators[id] = operator;
        $.tills[operator] = TillWord.open(id, block.timestamp);
        $.uptime[operator] = type(uint256).max;
        $.marks[id].registeredAt = uint32(block.timestamp);
        uint256 capacity = SeatWord.firstCapacity(_thousands(stake));
        _reseat(id, SeatWord.pack(0, 100, 0, capacity, 100, false, true, 0), 0, stake, _served(models));
    }

    function restake(uint256 id, uint256 previous, uint256 stake) external onlyPeer(VALIDATORS) {
        Seat seat = _seatOf(id);
        _reseat(id, seat, previous, stake, stake == 0 ? 0 : seat.models());
    }

    function serve(uint256 id, uint256 stake, bytes32[] calldata models) external onlyPeer(VALIDATORS) {
        _reseat(id, _seatOf(id), stake, stake, _served(models));
    }

    /// @dev The till goes to the new key as it is, so whoever was seen, or was not, stays so, and earnings stay with
    /// the validator. Open requests name the validator by its id: the new key settles them.
    function rotate(uint256 id, address operator) external onlyPeer(VALIDATORS) returns (address previous) {
        Layout storage $ = _layout();
        previous = $.operators[id];
        $.operators[id] = operator;
        ($.tills[operator], $.uptime[operator]) = ($.tills[previous], $.uptime[previous]);
        $.tills[previous] = Till.wrap(0);
        delete $.uptime[previous];
    }

    function setClosed(uint256 id, bool closed) external onlyPeer(VALIDATORS) {
        Layout storage $ = _layout();
        Seat seat = _seatOf(id);
        _putSeat(id, seat.withClosed(closed));
        if (closed) return;
        address operator = $.operators[id];
        $.tills[operator] = _seen($.tills[operator], operator);
        if (seat.closed()) $.marks[id].seatedAt = uint32(block.timestamp);
    }

    /// @dev From the tickets that the validator has to those that it shall have, model by model.
    /// @param previous Its stake so far, from which its tickets follow.
    /// @param served A bit for each model that it serves from now on.
    function _reseat(uint256 id, Seat seat, uint256 previous, uint256 stake, uint256 served) private {
        Layout storage $ = _layout();
        uint256 changes = seat.models() | served;
        bool gains;
        for (uint256 model; changes >> model != 0; ++model) {
            uint256 before = _ticketsFor(previous, seat.models(), model);
            uint256 afterwards = _ticketsFor(stake, served, model);
            if (before == afterwards) continue;
            gains = gains || afterwards > before;
            bytes32 name = $.models[model];
            $.offers[name] = _moveTickets($.offers[name], model, id, before, afterwards);
        }
        // More stake raises the rank even where it draws no further ticket.
        if (gains || stake > previous) $.marks[id].seatedAt = uint32(block.timestamp);
        _putSeat(id, seat.withStake(_thousands(stake)).withModels(served).clamped());
    }

    function _moveTickets(Offer offer, uint256 model, uint256 id, uint256 before, uint256 afterwards)
        private
        returns (Offer)
    {
        uint256 servers = offer.servers();
        uint256 n = offer.tickets();
        if (before == 0) {
            if (servers < SAMPLE_ALL) _layout().firstServers[model] |= id << (16 * servers);
            ++servers;
        }
        if (afterwards > before) n = _addTickets(model, id, n, afterwards - before);
        else n = _removeTickets(model, id, n, before - afterwards);
        if (afterwards == 0) {
            --servers;
            if (servers <= SAMPLE_ALL) _layout().firstServers[model] = _serversIn(model, servers);
        }
        return offer.withServers(servers).withTickets(n);
    }

    /// @dev Each new ticket changes places with a random earlier one, so that words are mixed.
    function _addTickets(uint256 model, uint256 id, uint256 n, uint256 added) private returns (uint256) {
        for (uint256 end = n + added; n < end; ++n) {
            uint256 place = uint256(keccak256(abi.encode(block.prevrandao, id, model, n))) % (n + 1);
            uint256 moved = _ticketAt(model, place);
            _putTicket(model, place, id);
            if (place != n) _putTicket(model, n, moved);
        }
        return n;
    }

    /// @dev The last ticket moves to the place of each that leaves. It may be one that leaves too: the place is looked
    /// at again.
    function _removeTickets(uint256 model, uint256 id, uint256 n, uint256 removed) private returns (uint256) {
        for (uint256 place; removed != 0 && place < n;) {
            if (place % TICKETS_PER_WORD == 0 && !_holds(_layout().tickets[model][place / TICKETS_PER_WORD], id)) {
                place += TICKETS_PER_WORD;
                continue;
            }
            if (_ticketAt(model, place) != id) {
                ++place;
                continue;
            }
            --n;
            --removed;
            uint256 last = _ticketAt(model, n);
            _putTicket(model, n, 0);
            if (place != n) _putTicket(model, place, last);
        }
        return n;
    }

    /// @dev All `n` servers of a model, eight at most, 16 bits each. Everybody who serves holds a ticket.
    function _serversIn(uint256 model, uint256 n) private view returns (uint256 servers) {
        uint256 found;
        for (uint256 i; found < n; ++i) {
            for (uint256 word = _layout().tickets[model][i]; word != 0; word >>= 16) {
                uint256 id = word & 0xFFFF;
                if (!_holds(servers, id)) servers |= id << (16 * found++);
            }
        }
    }

    /// @dev Whether one of the sixteen places of a word holds `id`: the lowest that does is zero in the difference, and
    /// borrows.
    function _holds(uint256 word, uint256 id) private pure returns (bool) {
        unchecked {
            uint256 difference = word ^ (id * LOWS);
            return (difference - LOWS) & ~difference & HIGHS != 0;
        }
    }

    function _served(bytes32[] calldata models) private view returns (uint256 served) {
        for (uint256 i; i < models.length; ++i) {
            served |= 1 << _layout().offers[models[i]].model();
        }
    }

    function _ticketsFor(uint256 stake, uint256 served, uint256 model) private pure returns (uint256) {
        if (stake == 0 || (served >> model) & 1 == 0) return 0;
        return stake < TICKET_STAKE ? 1 : stake / TICKET_STAKE; // Down
    }

    function _thousands(uint256 stake) private pure returns (uint256) {
        uint256 thousands = stake / SEAT_STAKE; // Down
        return thousands > SeatWord.STAKE_MAX ? SeatWord.STAKE_MAX : thousands;
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

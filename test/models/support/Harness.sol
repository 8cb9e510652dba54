// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeeMath} from "../../../contracts/libraries/FeeMath.sol";
import {ReputationMath} from "../../../contracts/libraries/ReputationMath.sol";
import {Roster} from "../../../contracts/router/Roster.sol";
import {RouterBase} from "../../../contracts/router/RouterBase.sol";
import {Offer} from "../../../contracts/words/Offer.sol";
import {SeatWord} from "../../../contracts/words/Seat.sol";

/// @notice Opens what is internal, many inputs a call.
contract Harness is Roster {
    constructor() RouterBase(Peers(address(0), address(0), address(0), address(0), address(0), address(0)), 0) {}

    /// @param rows price, tokens, priority, payment
    /// @return out cost, consumed, covered, minimumPayment
    function costs(uint256[4][] calldata rows) external pure returns (uint256[4][] memory out) {
        out = new uint256[4][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            (uint256 price, uint256 tokens, bool priority) = (rows[i][0], rows[i][1], rows[i][2] == 1);
            (uint256 c, bool covered) = FeeMath.consumed(price, tokens, priority, rows[i][3]);
            uint256 least = FeeMath.minimumPayment(price, priority);
            out[i] = [FeeMath.cost(price, tokens, priority), c, covered ? 1 : 0, least];
        }
    }

    /// @param rows price, payment, priority
    function tokensFor(uint256[3][] calldata rows) external pure returns (uint256[1][] memory out) {
        out = new uint256[1][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            out[i][0] = FeeMath.tokensFor(rows[i][0], rows[i][1], rows[i][2] == 1);
        }
    }

    /// @param rows amount, burnBps, band
    /// @return out validator, treasury, burned
    function splits(uint256[3][] calldata rows) external pure returns (uint256[3][] memory out) {
        out = new uint256[3][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            (out[i][0], out[i][1], out[i][2]) = FeeMath.split(rows[i][0], rows[i][1], rows[i][2]);
        }
    }

    /// @param rows payment, refundBps
    function refunds(uint256[2][] calldata rows) external pure returns (uint256[1][] memory out) {
        out = new uint256[1][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            out[i][0] = FeeMath.refundDown(rows[i][0], rows[i][1]);
        }
    }

    /// @param rows success, uptime, speed, penalty
    /// @return out points, their band
    function points(uint256[4][] calldata rows) external pure returns (uint256[2][] memory out) {
        out = new uint256[2][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            out[i][0] = ReputationMath.points(rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
            out[i][1] = ReputationMath.bandOf(out[i][0]);
        }
    }

    /// @param rows average of 255, average of 100, expected, elapsed
    /// @return out afterSuccess, afterFailure, speedAfter
    function averages(uint256[4][] calldata rows) external pure returns (uint256[3][] memory out) {
        out = new uint256[3][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            out[i][0] = ReputationMath.afterSuccess(rows[i][0]);
            out[i][1] = ReputationMath.afterFailure(rows[i][0]);
            out[i][2] = ReputationMath.speedAfter(rows[i][1], rows[i][2], rows[i][3]);
        }
    }

    /// @param rows penalty, elapsed, successes
    /// @return out healed, relaxed
    function healing(uint256[3][] calldata rows) external pure returns (uint256[2][] memory out) {
        out = new uint256[2][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            out[i][0] = ReputationMath.healed(rows[i][0], rows[i][1], rows[i][2]);
            out[i][1] = ReputationMath.relaxed(rows[i][1]);
        }
    }

    /// @param rows map, previous, time
    /// @return out uptimeMap, countBits of it, uptimeShare of it
    function uptimes(uint256[3][] calldata rows) external pure returns (uint256[3][] memory out) {
        out = new uint256[3][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            out[i][0] = ReputationMath.uptimeMap(rows[i][0], rows[i][1], rows[i][2]);
            out[i][1] = ReputationMath.countBits(out[i][0]);
            out[i][2] = ReputationMath.uptimeShare(out[i][0]);
        }
    }

    /// @param rows stake, reputation, load, capacity, speed, 1 closed + 2 probation, models, model
    function scores(uint256[8][] calldata rows) external pure returns (uint256[1][] memory out) {
        out = new uint256[1][](rows.length);
        for (uint256 i; i < rows.length; ++i) {
            out[i][0] = SeatWord.pack(
                rows[i][0],
                rows[i][1],
                rows[i][2],
                rows[i][3],
                rows[i][4],
                rows[i][5] & 1 == 1,
                rows[i][5] & 2 == 2,
                rows[i][6]
            ).score(rows[i][7]);
        }
    }

    /// @notice Whom the roster chooses for each id of a request, every seat as it was given each time.
    /// @param nodes stake, reputation, load, capacity, speed, 1 closed + 2 probation, models; of ids from 4 on
    /// @param tickets Validator ids; those of up to eight servers are its first servers too.
    /// @param ids Of requests, each with up to two earlier validators, 16 bits each.
    function choose(uint256[7][] calldata nodes, uint256[] calldata tickets, uint256 servers, uint256[2][] calldata ids)
        external
        returns (uint256[2][] memory out)
    {
        Layout storage $ = _layout();
        for (uint256 i; i < nodes.length; ++i) {
            _seat(nodes[i], i + 4);
        }
        for (uint256 i; i < tickets.length; ++i) {
            $.tickets[0][i / TICKETS_PER_WORD] |= tickets[i] << ((i % TICKETS_PER_WORD) << 4);
        }
        for (uint256 i; i < servers && i < SAMPLE_ALL; ++i) {
            $.firstServers[0] |= (i + 4) << (16 * i);
        }
        Offer offer = Offer.wrap(0).withServers(servers).withTickets(tickets.length);
        out = new uint256[2][](ids.length);
        for (uint256 i; i < ids.length; ++i) {
            (uint256 chosen, uint256 band) = _assign(offer, bytes32(ids[i][0]), ids[i][1]);
            out[i] = [chosen, band];
            if (chosen != 0) _seat(nodes[chosen - 4], chosen);
        }
    }

    function _seat(uint256[7] calldata n, uint256 id) private {
        Layout storage $ = _layout();
        $.seats[id >> 2] = SeatWord.pack(n[0], n[1], n[2], n[3], n[4], n[5] & 1 == 1, n[5] & 2 == 2, n[6])
            .put($.seats[id >> 2], id);
    }
}

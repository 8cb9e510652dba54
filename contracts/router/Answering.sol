// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RequestStatus} from "../interfaces/IInferenceRouter.sol";
import {Cells} from "../libraries/Cells.sol";
import {FeeMath} from "../libraries/FeeMath.sol";
import {Records} from "../libraries/Records.sol";
import {Account} from "../words/Account.sol";
import {Global} from "../words/Ledger.sol";
import {PriceWord} from "../words/Offer.sol";
import {Request} from "../words/Request.sol";
import {Seat, SeatWord} from "../words/Seat.sol";
import {Ticket} from "../words/Ticket.sol";
import {Till} from "../words/Till.sol";
import {Settlement} from "./Settlement.sol";

/// @title How a request of the assigned lane is answered, whoever brings what its operator answered
abstract contract Answering is Settlement {
    using PriceWord for uint256;

    function _settle(address operator, Ticket calldata ticket, bytes32 digest, uint256 tokens, bytes calldata record)
        internal
    {
        bytes32 id = _idOf(ticket);
        Layout storage $ = _layout();
        Cells.RequestCell storage cell = Cells.locate($.requests, id);
        Cells.TillCell storage tillCell = Cells.locate($.tills, operator);
        (Request request, Till till) = (cell.word, tillCell.word);
        Global global = _requireAssigned(operator, id, ticket, request, till);
        require(digest != 0, RouterEmptyDigest(id));
        uint256 consumed = _consumed(ticket, request, tokens);
        (uint256 validatorLeg, uint256 treasuryLeg, uint256 burned) =
            FeeMath.split(consumed, request.price().burnBps(), request.band());
        $.global = global.add(1, burned);
        _return(ticket, consumed);
        tillCell.word = _pay(operator, ticket, request, till, tokens, validatorLeg, treasuryLeg);

        uint256 validator = request.validator();
        uint256 number = global.add(1, 0).records();
        address user = ticket.payer.user();
        bytes32 commitment =
            Records.settled(id, user, digest, validator, tokens, consumed, validatorLeg, treasuryLeg, number);
        cell.word = request.end(uint256(RequestStatus.Completed), tokens, commitment);
        address callback = ticket.callback;
        if (callback == address(0)) return;
        if (_tryCallback(id, ticket, digest, record)) return;
        cell.word = cell.word.withCallbackFailed(true);
        emit CallbackFailed(id, callback);
    }

    /// @dev What the answer consumes of the payment, which must have bought so many tokens.
    function _consumed(Ticket calldata ticket, Request request, uint256 tokens) private pure returns (uint256) {
        uint256 price = request.price();
        uint256 payment = ticket.payer.payment();
        bool priority = ticket.terms.priority();
        uint256 limit = ticket.terms.maxTokens();
        (uint256 consumed, bool covered) = FeeMath.consumed(price, tokens, priority, payment);
        if (tokens == 0 || tokens > limit || !covered) {
            uint256 bought = FeeMath.tokensFor(price, payment, priority);
            revert RouterInvalidTokens(tokens, bought < limit ? bought : limit);
        }
        return consumed;
    }

    /// @dev The rest of the payment goes back, and the chat earns its LCAI: it was completed for at least 5 NSD, as every
    /// request is.
    function _return(Ticket calldata ticket, uint256 consumed) private {
        Cells.AccountCell storage cell = Cells.locate(_layout().accounts, ticket.payer.user());
        Account account = cell.word;
        unchecked {
            // No more is consumed than was paid, and all NSD there ever is fits the 96 bits of a balance.
            uint256 credits = account.credits() + ticket.payer.payment() - consumed;
            cell.word = account.withCredits(credits).accrue(1);
        }
    }

    /// @dev Rates the validator, frees its place, and puts both legs into its till.
    function _pay(
        address operator,
        Ticket calldata ticket,
        Request request,
        Till till,
        uint256 tokens,
        uint256 validatorLeg,
        uint256 treasuryLeg
    ) private returns (Till) {
        address user = ticket.payer.user();
        uint256 validator = request.validator();
        Cells.Cell storage cell = Cells.locate(_layout().seats, validator >> 2);
        uint256 row = cell.word;
        Seat seat = SeatWord.seatIn(row, validator);
        seat = seat.withLoad(seat.load() - 1);
        till = _seen(till, operator);
        if (user != operator) {
            // What was posted after a cancellation says nothing of its speed: the clock started anew.
            uint256 expected;
            unchecked {
                if (!request.cancelling()) expected = request.price().expectedSeconds(tokens) + 1;
            }
            (till, seat) = _succeed(till, seat, user, expected, request.elapsed());
        }
        (till, seat) = _rate(till, seat, validator);
        cell.word = seat.put(row, validator);
        unchecked {
            // Two numbers of 96 bits.
            return _earn(till, validator, validatorLeg + ticket.terms.callbackFee(), treasuryLeg);
        }
    }
}

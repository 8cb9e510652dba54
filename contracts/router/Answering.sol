// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Outcome, RequestStatus} from "../interfaces/IInferenceRouter.sol";
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
    using Records for Outcome;

    function _settle(address operator, Ticket calldata ticket, bytes32 digest, uint256 tokens, bytes calldata record)
        internal
    {
        bytes32 id = _idOf(ticket);
        (Request request, Till till, Global global) = _requireAssignedTo(operator, id, ticket);
        require(digest != 0, RouterEmptyDigest(id));
        uint256 payment = ticket.payer.payment();
        uint256 price = request.price();
        (Outcome memory outcome, uint256 burned, bool covered) =
            _split(price, tokens, ticket.terms.priority(), payment, request.band());
        if (tokens == 0 || tokens > ticket.terms.maxTokens() || !covered) {
            uint256 bought = FeeMath.tokensFor(price, payment, ticket.terms.priority());
            uint256 limit = ticket.terms.maxTokens();
            revert RouterInvalidTokens(tokens, bought < limit ? bought : limit);
        }
        outcome.digest = digest;
        outcome.validator = request.validator();
        _pay(operator, ticket, request, till, global, outcome, burned);

        Layout storage $ = _layout();
        $.requests[id] = request.end(uint256(RequestStatus.Completed), tokens, outcome.commitment(id));
        _emitSettled(id, ticket.payer.user(), outcome, burned);
        if (ticket.callback == address(0) || _tryCallback(id, ticket, digest, record)) return;
        $.requests[id] = $.requests[id].withCallbackFailed(true);
        emit CallbackFailed(id, ticket.callback);
    }

    /// @dev Moves every leg, frees the validator's place, and numbers the record.
    function _pay(
        address operator,
        Ticket calldata ticket,
        Request request,
        Till till,
        Global global,
        Outcome memory outcome,
        uint256 burned
    ) private {
        Layout storage $ = _layout();
        address user = ticket.payer.user();
        Account account = $.accounts[user];
        uint256 returned;
        unchecked {
            // No more is consumed than was paid, and all NSD there ever is fits the 96 bits of a balance.
            returned = ticket.payer.payment() - outcome.consumed;
            account = account.withCredits(account.credits() + returned);
        }
        // Completed for at least 5 NSD, as every request is: the chat earns its LCAI.
        $.accounts[user] = account.accrue(1);

        uint256 validator = outcome.validator;
        uint256 row = $.seats[validator >> 2];
        Seat seat = SeatWord.seatIn(row, validator);
        seat = seat.withLoad(seat.load() - 1);
        till = _seen(till, operator);
        // What was posted after a cancellation says nothing of its speed: the clock started anew.
        uint256 expected = request.cancelling() ? 0 : 1 + outcome.tokens / request.price().pace();
        if (user != operator) (till, seat) = _succeed(till, seat, user, expected, request.elapsed());
        (till, seat) = _rate(till, seat, validator);
        $.seats[validator >> 2] = seat.put(row, validator);
        $.tills[operator] =
            _earn(till, validator, outcome.validatorLeg + ticket.terms.callbackFee(), outcome.treasuryLeg);
        outcome.record = global.records() + 1;
        $.global = global.add(1, burned);
    }

    function _emitSettled(bytes32 id, address user, Outcome memory outcome, uint256 burned) internal {
        emit RequestSettled(
            id,
            user,
            outcome.record,
            outcome.validator,
            outcome.tokens,
            outcome.digest,
            outcome.consumed,
            outcome.validatorLeg,
            outcome.treasuryLeg,
            burned
        );
    }
}

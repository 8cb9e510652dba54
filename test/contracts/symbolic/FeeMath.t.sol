// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeeMath} from "../../../contracts/libraries/FeeMath.sol";
import {PriceWord} from "../../../contracts/words/Offer.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice The three legs of a settlement.
/// @dev A product of two unknowns that is scaled and divided is beyond the solvers at full width. So each property is proven
/// for every amount that an account can hold with the burn share of launch and with either bound of it, and for every burn
/// share that a price word can carry with amounts of 24 bits, or 8. Between the two stand the fuzz tests of FeeMath.
contract SplitCheck is Symbolic {
    uint256 private constant LOWEST = 100;
    uint256 private constant LAUNCH = 1_000;
    uint256 private constant HIGHEST = 1_500;
    uint256 private constant WIDEST = 2_047;

    function _legsAddUp(uint256 amount, uint256 burnBps, uint256 band) private pure {
        (uint256 validator, uint256 treasury, uint256 burned) = FeeMath.split(amount, burnBps, band);
        unchecked {
            assert(burned <= amount);
            assert(validator <= amount - burned);
            assert(treasury == amount - burned - validator);
        }
    }

    function check_LegsAddUpReduced(uint24 amount, uint16 burnBps) public pure {
        vm.assume(burnBps <= WIDEST);
        _legsAddUp(amount, burnBps, 0);
    }

    function check_LegsAddUpReducedAtLaunch(uint96 amount) public pure {
        _legsAddUp(amount, LAUNCH, 0);
    }

    function check_LegsAddUpReducedAtTheBounds(uint96 amount, bool highest) public pure {
        _legsAddUp(amount, highest ? HIGHEST : LOWEST, 0);
    }

    function check_LegsAddUpNeutral(uint24 amount, uint16 burnBps) public pure {
        vm.assume(burnBps <= WIDEST);
        _legsAddUp(amount, burnBps, 1);
    }

    function check_LegsAddUpNeutralAtLaunch(uint96 amount) public pure {
        _legsAddUp(amount, LAUNCH, 1);
    }

    function check_LegsAddUpNeutralAtTheBounds(uint96 amount, bool highest) public pure {
        _legsAddUp(amount, highest ? HIGHEST : LOWEST, 1);
    }

    function check_LegsAddUpBoosted(uint24 amount, uint16 burnBps) public pure {
        vm.assume(burnBps <= WIDEST);
        _legsAddUp(amount, burnBps, 2);
    }

    function check_LegsAddUpBoostedAtLaunch(uint96 amount) public pure {
        _legsAddUp(amount, LAUNCH, 2);
    }

    function check_LegsAddUpBoostedAtTheBounds(uint96 amount, bool highest) public pure {
        _legsAddUp(amount, highest ? HIGHEST : LOWEST, 2);
    }

    function check_BandMovesNoBurn(uint96 amount, uint16 burnBps) public pure {
        (,, uint256 low) = FeeMath.split(amount, burnBps, 0);
        (,, uint256 neutral) = FeeMath.split(amount, burnBps, 1);
        (,, uint256 high) = FeeMath.split(amount, burnBps, 2);
        assert(low == neutral && neutral == high);
    }

    function _burnIsNeverDiluted(uint256 amount, uint256 burnBps) private pure {
        (,, uint256 burned) = FeeMath.split(amount, burnBps, 1);
        assert(burned * 10_000 >= amount * burnBps);
        assert(burned * 10_000 < amount * burnBps + 10_000);
    }

    function check_BurnIsNeverDiluted(uint8 amount, uint16 burnBps) public pure {
        vm.assume(burnBps <= WIDEST);
        _burnIsNeverDiluted(amount, burnBps);
    }

    function check_BurnIsNeverDilutedAtLaunch(uint96 amount) public pure {
        _burnIsNeverDiluted(amount, LAUNCH);
    }

    function check_BurnIsNeverDilutedAtTheBounds(uint96 amount, bool highest) public pure {
        _burnIsNeverDiluted(amount, highest ? HIGHEST : LOWEST);
    }

    /// @dev floor(amount (1 - burn) 7/9 band): the exact share, stated without a division.
    function _share(uint256 amount, uint256 band, uint256 tenths) private pure {
        (uint256 validator,,) = FeeMath.split(amount, LAUNCH, band);
        uint256 numerator = amount * (10_000 - LAUNCH) * 7 * tenths;
        assert(validator * (9 * 10_000 * 10) <= numerator);
        assert((validator + 1) * (9 * 10_000 * 10) > numerator);
    }

    function check_ShareReducedAtLaunch(uint96 amount) public pure {
        _share(amount, 0, 9);
    }

    function check_ShareNeutralAtLaunch(uint96 amount) public pure {
        _share(amount, 1, 10);
    }

    function check_ShareBoostedAtLaunch(uint96 amount) public pure {
        _share(amount, 2, 12);
    }

    function check_BandsOrderThePayAtLaunch(uint96 amount) public pure {
        (uint256 low,,) = FeeMath.split(amount, LAUNCH, 0);
        (uint256 neutral,,) = FeeMath.split(amount, LAUNCH, 1);
        (uint256 high,,) = FeeMath.split(amount, LAUNCH, 2);
        assert(low <= neutral && neutral <= high);
    }
}

/// @notice Cost and what it takes of a payment, for every price word there can be and every count of tokens.
contract CostCheck is Symbolic {
    using PriceWord for uint256;

    function check_ConsumedNeverAbovePayment(uint256 price, uint24 tokens, bool priority, uint96 payment) public pure {
        (uint256 c,) = FeeMath.consumed(price, tokens, priority, payment);
        assert(c <= payment);
    }

    function check_ConsumedIsFiveNsdAtLeast(uint256 price, uint24 tokens, bool priority, uint96 payment) public pure {
        (uint256 c,) = FeeMath.consumed(price, tokens, priority, payment);
        assert(c >= FeeMath.MINIMUM || c == payment);
    }

    function check_ConsumedIsTheCostWhereThePaymentReaches(uint256 price, uint24 tokens, bool priority, uint96 payment)
        public
        pure
    {
        uint256 cost = FeeMath.cost(price, tokens, priority);
        (uint256 c, bool covered) = FeeMath.consumed(price, tokens, priority, payment);
        assert(covered == (cost <= payment));
        if (covered && cost >= FeeMath.MINIMUM) assert(c == cost);
    }

    function check_MinimumIsFiveNsdOrOneToken(uint256 price, bool priority) public pure {
        uint256 one = FeeMath.cost(price, 1, priority);
        assert(FeeMath.minimumPayment(price, priority) == (one > FeeMath.MINIMUM ? one : FeeMath.MINIMUM));
    }

    /// A payment that intake accepts covers one token: a node never works for nothing.
    function check_AnAcceptedPaymentCoversAToken(uint256 price, bool priority, uint96 payment) public pure {
        vm.assume(payment >= FeeMath.minimumPayment(price, priority));
        (, bool covered) = FeeMath.consumed(price, 1, priority, payment);
        assert(covered);
    }

    /// What keeps every product of a cost from wrapping: below 2^98 times below 2^70.
    function check_TheFactorsAreNarrow(uint256 price, uint24 tokens, bool priority) public pure {
        unchecked {
            assert(price.base() + price.perToken() * tokens < 1 << 98);
            assert(price.multiplierBps() * (priority ? 15_000 : 10_000) * price.index() < 1 << 70);
        }
    }

    function check_ConsumedNeverFallsWithCost(uint256 price, uint24 tokens, uint24 more, bool priority, uint96 payment)
        public
        pure
    {
        vm.assume(FeeMath.cost(price, more, priority) >= FeeMath.cost(price, tokens, priority));
        (uint256 less,) = FeeMath.consumed(price, tokens, priority, payment);
        (uint256 larger,) = FeeMath.consumed(price, more, priority, payment);
        assert(larger >= less);
    }
}

/// @notice At the launch prices of the catalogue, for every count of tokens and every payment: what a cost is, that it rises
/// with the length, and that what a payment buys is exactly what its cost covers.
/// @dev With a price known all is linear. Other prices are left to the fuzz tests of FeeMath.
contract LaunchPricesCheck is Symbolic {
    function _price(uint256 multiplier) private pure returns (uint256) {
        return (uint256(5_000) << 96) | (uint256(100_000) << 120) | (multiplier << 152) | (uint256(1e9) << 172);
    }

    /// @dev ceil((BASE + CPT t) M P I / (1e4 1e4 1e18)) in wei, stated without a division.
    function _isTheFormula(uint256 multiplier, bool priority, uint256 tokens) private pure {
        uint256 cost = FeeMath.cost(_price(multiplier), tokens, priority);
        uint256 exact = (5e18 + 0.1e18 * tokens) * multiplier * (priority ? 15_000 : 10_000);
        assert(cost * 1e8 >= exact);
        assert(cost * 1e8 < exact + 1e8);
    }

    function _rises(uint256 multiplier, bool priority, uint256 tokens) private pure {
        uint256 price = _price(multiplier);
        assert(FeeMath.cost(price, tokens + 1, priority) > FeeMath.cost(price, tokens, priority));
    }

    /// @dev A count of zero says two things: nothing is covered, or the base price alone is.
    function _isExact(uint256 multiplier, bool priority, uint256 payment, uint256 tokens) private pure {
        vm.assume(tokens != 0);
        uint256 bought = FeeMath.tokensFor(_price(multiplier), payment, priority);
        assert((FeeMath.cost(_price(multiplier), tokens, priority) <= payment) == (tokens <= bought));
    }

    function check_CostIsTheFormulaTimesHalf(uint24 tokens) public pure {
        _isTheFormula(5_000, false, tokens);
    }

    function check_CostRisesTimesHalf(uint24 tokens) public pure {
        _rises(5_000, false, tokens);
    }

    function check_TokensForIsExactTimesHalf(uint96 payment, uint24 tokens) public pure {
        _isExact(5_000, false, payment, tokens);
    }

    function check_CostIsTheFormulaTimesHalfWithPriority(uint24 tokens) public pure {
        _isTheFormula(5_000, true, tokens);
    }

    function check_CostRisesTimesHalfWithPriority(uint24 tokens) public pure {
        _rises(5_000, true, tokens);
    }

    function check_TokensForIsExactTimesHalfWithPriority(uint96 payment, uint24 tokens) public pure {
        _isExact(5_000, true, payment, tokens);
    }

    function check_CostIsTheFormulaTimesOne(uint24 tokens) public pure {
        _isTheFormula(10_000, false, tokens);
    }

    function check_CostRisesTimesOne(uint24 tokens) public pure {
        _rises(10_000, false, tokens);
    }

    function check_TokensForIsExactTimesOne(uint96 payment, uint24 tokens) public pure {
        _isExact(10_000, false, payment, tokens);
    }

    function check_CostIsTheFormulaTimesOneWithPriority(uint24 tokens) public pure {
        _isTheFormula(10_000, true, tokens);
    }

    function check_CostRisesTimesOneWithPriority(uint24 tokens) public pure {
        _rises(10_000, true, tokens);
    }

    function check_TokensForIsExactTimesOneWithPriority(uint96 payment, uint24 tokens) public pure {
        _isExact(10_000, true, payment, tokens);
    }

    function check_CostIsTheFormulaTimesTwo(uint24 tokens) public pure {
        _isTheFormula(20_000, false, tokens);
    }

    function check_CostRisesTimesTwo(uint24 tokens) public pure {
        _rises(20_000, false, tokens);
    }

    function check_TokensForIsExactTimesTwo(uint96 payment, uint24 tokens) public pure {
        _isExact(20_000, false, payment, tokens);
    }

    function check_CostIsTheFormulaTimesTwoWithPriority(uint24 tokens) public pure {
        _isTheFormula(20_000, true, tokens);
    }

    function check_CostRisesTimesTwoWithPriority(uint24 tokens) public pure {
        _rises(20_000, true, tokens);
    }

    function check_TokensForIsExactTimesTwoWithPriority(uint96 payment, uint24 tokens) public pure {
        _isExact(20_000, true, payment, tokens);
    }

    function check_CostIsTheFormulaTimesFive(uint24 tokens) public pure {
        _isTheFormula(50_000, false, tokens);
    }

    function check_CostRisesTimesFive(uint24 tokens) public pure {
        _rises(50_000, false, tokens);
    }

    function check_TokensForIsExactTimesFive(uint96 payment, uint24 tokens) public pure {
        _isExact(50_000, false, payment, tokens);
    }

    function check_CostIsTheFormulaTimesFiveWithPriority(uint24 tokens) public pure {
        _isTheFormula(50_000, true, tokens);
    }

    function check_CostRisesTimesFiveWithPriority(uint24 tokens) public pure {
        _rises(50_000, true, tokens);
    }

    function check_TokensForIsExactTimesFiveWithPriority(uint96 payment, uint24 tokens) public pure {
        _isExact(50_000, true, payment, tokens);
    }
}

contract RefundCheck is Symbolic {
    function check_RefundIsTheFloor(uint96 payment, uint16 bps) public pure {
        vm.assume(bps <= 10_000);
        uint256 refund = FeeMath.refundDown(payment, bps);
        assert(refund * 10_000 <= uint256(payment) * bps);
        assert((refund + 1) * 10_000 > uint256(payment) * bps);
    }

    function check_RefundNeverAbovePayment(uint96 payment, uint16 bps) public pure {
        vm.assume(bps <= 10_000);
        uint256 refund = FeeMath.refundDown(payment, bps);
        assert(refund <= payment);
        assert(refund + (payment - refund) == payment);
    }

    function check_FullRefundIsThePayment(uint96 payment) public pure {
        assert(FeeMath.refundDown(payment, 10_000) == payment);
    }

    function check_RefundNeverFallsWithItsShare(uint8 payment, uint16 bps) public pure {
        vm.assume(bps < 10_000);
        assert(FeeMath.refundDown(payment, bps) <= FeeMath.refundDown(payment, uint256(bps) + 1));
    }
}

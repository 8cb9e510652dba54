// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {FeeMath} from "../../../contracts/libraries/FeeMath.sol";

/// @dev Prices within the bounds that FeeController and ModelRegistry keep.
abstract contract Prices is Test {
    struct Price {
        uint256 base;
        uint256 perToken;
        uint256 multiplier;
        uint256 index;
        uint256 burn;
    }

    function _bounded(Price memory p) internal pure returns (uint256 word) {
        p.base = bound(p.base, 100, 100_000);
        p.perToken = bound(p.perToken, 1_000, 10_000_000);
        p.multiplier = bound(p.multiplier, 1, 1_000_000);
        p.index = bound(p.index, 5e8, 2e9);
        p.burn = bound(p.burn, 100, 1_500);
        return (p.base << 96) | (p.perToken << 120) | (p.multiplier << 152) | (p.index << 172) | (p.burn << 208);
    }

    /// @dev At launch: 5 NSD, 0.1 NSD a token, index 1, burn 10 %.
    function _launch(uint256 multiplier) internal pure returns (uint256) {
        return (uint256(5_000) << 96) | (uint256(100_000) << 120) | (multiplier << 152) | (uint256(1e9) << 172)
            | (uint256(1_000) << 208);
    }
}

contract CostTest is Prices {
    function test_TheSeedsExample() public pure {
        assertEq(FeeMath.cost(_launch(10_000), 317, false), 36.7e18);
        assertEq(FeeMath.cost(_launch(10_000), 317, true), 55.05e18);
        assertEq(FeeMath.cost(_launch(5_000), 317, false), 18.35e18);
        assertEq(FeeMath.cost(_launch(50_000), 317, false), 183.5e18);
        assertEq(FeeMath.cost(_launch(10_000), 500, false), 55e18);
    }

    /// @dev The text's formula with whole wei: ceil((BASE + CPT t) M P I / (1e4 1e4 1e18)).
    function testFuzz_IsTheFormulaRoundedUp(Price memory p, uint24 tokens, bool priority) public pure {
        uint256 word = _bounded(p);
        uint256 product = (p.base * 1e15 + p.perToken * 1e12 * tokens) * p.multiplier;
        product = product * (priority ? 15_000 : 10_000) * p.index * 1e9;
        uint256 scale = 1e4 * 1e4 * 1e18;
        assertEq(FeeMath.cost(word, tokens, priority), product / scale + (product % scale == 0 ? 0 : 1));
    }

    function test_AWholeCostIsNotRounded() public pure {
        uint256 word = _launch(10_000);
        assertEq(FeeMath.cost(word, 0, false), 5e18);
        assertEq(FeeMath.cost(word, 1, false), 5.1e18);
        assertEq(FeeMath.cost(word, 1, true), 7.65e18);
    }

    function testFuzz_NeverFallsWithLength(Price memory p, uint24 tokens, bool priority) public pure {
        uint256 word = _bounded(p);
        assertGe(FeeMath.cost(word, uint256(tokens) + 1, priority), FeeMath.cost(word, tokens, priority));
    }
}

contract ConsumedTest is Prices {
    function testFuzz_BetweenFiveNsdAndThePayment(Price memory p, uint24 tokens, bool priority, uint96 payment)
        public
        pure
    {
        uint256 word = _bounded(p);
        uint256 minimum = FeeMath.minimumPayment(word, priority);
        uint256 paid = bound(payment, minimum, type(uint96).max);
        (uint256 c, bool covered) = FeeMath.consumed(word, tokens, priority, paid);
        assertLe(c, paid);
        assertGe(c, 5e18);
        assertEq(covered, tokens <= FeeMath.tokensFor(word, paid, priority));
    }

    function testFuzz_IsTheCostWithinItsBounds(Price memory p, uint24 tokens, bool priority, uint96 payment)
        public
        pure
    {
        uint256 word = _bounded(p);
        payment = uint96(bound(payment, FeeMath.MINIMUM, type(uint96).max));
        uint256 cost = FeeMath.cost(word, tokens, priority);
        (uint256 c, bool covered) = FeeMath.consumed(word, tokens, priority, payment);
        uint256 expected = cost < 5e18 ? 5e18 : cost;
        assertEq(c, expected > payment ? payment : expected);
        assertEq(covered, cost <= payment);
    }

    function testFuzz_MinimumIsFiveNsdOrOneToken(Price memory p, bool priority) public pure {
        uint256 word = _bounded(p);
        uint256 one = FeeMath.cost(word, 1, priority);
        assertEq(FeeMath.minimumPayment(word, priority), one > 5e18 ? one : 5e18);
    }
}

contract TokensForTest is Prices {
    function test_FiftyNsdBuy450() public pure {
        assertEq(FeeMath.tokensFor(_launch(10_000), 50e18, false), 450);
    }

    function testFuzz_ExactToTheToken(Price memory p, bool priority, uint96 payment) public pure {
        uint256 word = _bounded(p);
        uint256 t = FeeMath.tokensFor(word, payment, priority);
        if (t != 0) assertLe(FeeMath.cost(word, t, priority), payment, "what it buys is covered");
        assertGt(FeeMath.cost(word, t + 1, priority), payment, "one more is not");
    }

    function testFuzz_AnAcceptedPaymentBuysOneToken(Price memory p, bool priority) public pure {
        uint256 word = _bounded(p);
        assertGe(FeeMath.tokensFor(word, FeeMath.minimumPayment(word, priority), priority), 1);
    }
}

contract SplitTest is Prices {
    function test_SplitsSeventyTwentyTen() public pure {
        (uint256 validator, uint256 treasury, uint256 burned) = FeeMath.split(100e18, 1_000, 1);
        assertEq(validator, 70e18);
        assertEq(treasury, 20e18);
        assertEq(burned, 10e18);
    }

    function test_BandsComeOutOfTheTreasury() public pure {
        (uint256 validator, uint256 treasury, uint256 burned) = FeeMath.split(100e18, 1_000, 2);
        assertEq(validator, 84e18);
        assertEq(treasury, 6e18);
        assertEq(burned, 10e18);
        (validator, treasury, burned) = FeeMath.split(100e18, 1_000, 0);
        assertEq(validator, 63e18);
        assertEq(treasury, 27e18);
        assertEq(burned, 10e18);
    }

    function testFuzz_LosesNothingAndNeverDilutesTheBurn(uint96 amount, uint256 burnBps, uint8 band) public pure {
        burnBps = bound(burnBps, 100, 1_500);
        (uint256 validator, uint256 treasury, uint256 burned) = FeeMath.split(amount, burnBps, band % 3);
        assertEq(validator + treasury + burned, amount);
        assertGe(burned * 10_000, uint256(amount) * burnBps);
        assertLe(validator + treasury, amount - burned);
    }

    function testFuzz_TheBandOrdersThePay(uint96 amount, uint256 burnBps) public pure {
        burnBps = bound(burnBps, 100, 1_500);
        (uint256 low,,) = FeeMath.split(amount, burnBps, 0);
        (uint256 neutral,,) = FeeMath.split(amount, burnBps, 1);
        (uint256 high,,) = FeeMath.split(amount, burnBps, 2);
        assertLe(low, neutral);
        assertLe(neutral, high);
    }

    function testFuzz_SharesRoundUp(uint96 amount, uint16 bps) public pure {
        uint256 share = FeeMath.shareUp(amount, bps);
        assertGe(share * 10_000, uint256(amount) * bps);
        assertLt(share * 10_000, uint256(amount) * bps + 10_000);
    }

    function test_TheBurnOfTheLeastRemainderRoundsUpToo() public pure {
        (,, uint256 burned) = FeeMath.split(9_901, 101, 1);
        assertEq(burned, 101, "9,901 * 101 is 100 * 10,000 and one");
    }

    function testFuzz_TheBurnIsTheLeastThatIsNotTooLittle(uint96 amount, uint256 burnBps) public pure {
        burnBps = bound(burnBps, 100, 1_500);
        (,, uint256 burned) = FeeMath.split(amount, burnBps, 1);
        assertGe(burned * 10_000, uint256(amount) * burnBps);
        assertLt(burned * 10_000, uint256(amount) * burnBps + 10_000);
    }

    function testFuzz_RefundsRoundDown(uint96 payment, uint16 bps) public pure {
        bps %= 10_001;
        uint256 refund = FeeMath.refundDown(payment, bps);
        assertLe(refund * 10_000, uint256(payment) * bps);
        assertGt((refund + 1) * 10_000, uint256(payment) * bps);
        assertEq(FeeMath.refundDown(payment, 10_000), payment);
    }
}

//! What a trade costs: fees, slippage, funding.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fingerprint::Canonical;
use crate::model::{ClosingOrder, Direction, ExitReason, HOUR_MS, Symbol};

/// Whose rules say where exits are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fills {
    /// The worse of what may have been: inside a candle the adverse extreme first, a stop beyond which a candle opens filled at that open.
    #[default]
    Pessimistic,
    /// Those of freqtrade's backtest, for exits that it has: targets net of fees and funding, stops filled at their price, a trailing
    /// stop moved by the candle that it ends in; funding is paid by longs and received by shorts.
    Freqtrade,
}

impl Fills {
    /// Every policy.
    pub const ALL: [Self; 2] = [Self::Pessimistic, Self::Freqtrade];

    /// Returns the name used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pessimistic => "pessimistic",
            Self::Freqtrade => "freqtrade",
        }
    }

    /// Adds the policy to a fingerprint; the default has the prints of before there was another.
    pub fn hashed(self, hash: Canonical) -> Canonical {
        match self {
            Self::Pessimistic => hash,
            Self::Freqtrade => hash.text("fills of freqtrade"),
        }
    }
}

/// Fees and slippage as fractions of the traded notional (0.0005 = 0.05 %).
///
/// Source: the exchange's regular perpetuals tier, taken over as dated configuration; check against the account
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// Fee of a fill that takes liquidity.
    pub taker_fee: f64,
    /// Fee of a fill that was resting (take-profit); below zero it is a rebate.
    pub maker_fee: f64,
    /// Slippage of a taker fill on the large markets.
    pub slippage_major: f64,
    /// Slippage of a taker fill on all other markets.
    pub slippage_other: f64,
    /// Slippage of a stop is this many times that of another taker fill.
    pub stop_slippage_factor: f64,
    /// Symbols with the slippage of a large market.
    pub majors: Vec<Symbol>,
    /// Funding per eight hours, charged to both sides while no funding history is known; below zero both receive it.
    pub funding_per_8h: f64,
    /// Whose rules say where exits are filled.
    pub fills: Fills,
}

impl Default for Costs {
    fn default() -> Self {
        let major = |name| Symbol::parse(name).expect("a plain name");
        Self {
            taker_fee: 0.0005,
            maker_fee: 0.0002,
            slippage_major: 0.0002,
            slippage_other: 0.0005,
            stop_slippage_factor: 2.0,
            majors: vec![major("BTCUSDT"), major("ETHUSDT")],
            funding_per_8h: 0.0001,
            fills: Fills::default(),
        }
    }
}

/// The costs of one symbol's trades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TradeCosts {
    taker_fee: f64,
    maker_fee: f64,
    slippage: f64,
    stop_slippage: f64,
    funding_per_8h: f64,
    fills: Fills,
}

/// Where and when a position is closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    /// Price before slippage.
    pub price: f64,
    /// Why.
    pub reason: ExitReason,
    /// The position was held until here: the exit candle's open, or its close for a time exit; UTC ms.
    pub held_until_ms: i64,
}

impl Costs {
    /// Returns costs of nothing, to see fills bare.
    pub fn free() -> Self {
        Self {
            taker_fee: 0.0,
            maker_fee: 0.0,
            slippage_major: 0.0,
            slippage_other: 0.0,
            stop_slippage_factor: 1.0,
            majors: Vec::new(),
            funding_per_8h: 0.0,
            fills: Fills::default(),
        }
    }

    /// Adds every part to a fingerprint.
    pub fn hashed(&self, hash: Canonical) -> Canonical {
        let Self {
            taker_fee,
            maker_fee,
            slippage_major,
            slippage_other,
            stop_slippage_factor,
            majors,
            funding_per_8h,
            fills,
        } = self;
        let rates =
            [taker_fee, maker_fee, slippage_major, slippage_other, stop_slippage_factor, funding_per_8h];
        let hash = hash.floats(&rates.map(|rate| *rate)).count(majors.len() as u64);
        fills.hashed(majors.iter().fold(hash, |hash, symbol| hash.text(symbol.as_str())))
    }

    /// Returns what a taker pays for entry and exit on an ordinary market, as a fraction of the notional.
    pub fn taker_round_trip(&self) -> f64 {
        2.0 * (self.taker_fee + self.slippage_other)
    }

    /// Returns the costs of a symbol.
    pub fn of(&self, symbol: &Symbol) -> TradeCosts {
        let slippage = if self.majors.contains(symbol) { self.slippage_major } else { self.slippage_other };
        TradeCosts {
            taker_fee: self.taker_fee,
            maker_fee: self.maker_fee,
            slippage,
            stop_slippage: slippage * self.stop_slippage_factor,
            funding_per_8h: self.funding_per_8h,
            fills: self.fills,
        }
    }
}

impl TradeCosts {
    /// Returns every part, for fingerprints.
    pub fn parts(&self) -> [f64; 5] {
        let Self { taker_fee, maker_fee, slippage, stop_slippage, funding_per_8h, fills: _ } = *self;
        [taker_fee, maker_fee, slippage, stop_slippage, funding_per_8h]
    }

    /// Returns whose rules say where exits are filled.
    pub fn fills(&self) -> Fills {
        self.fills
    }

    /// Returns the fee of an entry.
    pub(super) fn taker_fee(&self) -> f64 {
        self.taker_fee
    }

    /// Returns the slippage of an entry.
    pub(super) fn slippage(&self) -> f64 {
        self.slippage
    }

    /// Returns what is paid at a funding instant.
    pub(super) fn funding_per_8h(&self) -> f64 {
        self.funding_per_8h
    }

    /// Returns fee and slippage of the order that closes a position for a reason.
    #[inline]
    pub(super) fn order(&self, reason: ExitReason) -> (f64, f64) {
        match reason.order() {
            ClosingOrder::Limit => (self.maker_fee, 0.0),
            ClosingOrder::Stop => (self.taker_fee, self.stop_slippage),
            ClosingOrder::Market => (self.taker_fee, self.slippage),
        }
    }

    /// Opens a position at a price and a time.
    pub fn open(&self, direction: Direction, entry: f64, entry_ms: i64) -> OpenTrade<'_> {
        let side = direction.sign();
        let entered = entry * (1.0 + side * self.slippage);
        OpenTrade { costs: self, side, entry, entered, stamps_before: funding_stamps(entry_ms) }
    }
}

/// A position that pays its way.
#[derive(Debug, Clone, Copy)]
pub struct OpenTrade<'a> {
    costs: &'a TradeCosts,
    side: f64,
    /// The entry price before slippage.
    entry: f64,
    /// The entry price after slippage.
    entered: f64,
    /// Funding instants up to the entry.
    stamps_before: i64,
}

impl OpenTrade<'_> {
    /// Returns (gross, net) of the trade: gross before all costs, as a fraction of the entry price; net after slippage, fees
    /// and funding, as one of the effective entry price.
    ///
    /// A negative fee or negative funding is income. Gross is what net would be if all costs were 0.
    /// Source: net = side (x - e) / e - f_in - f_out x / e - funding, with e and x after slippage
    #[inline]
    pub fn result(&self, fill: Fill) -> (f64, f64) {
        let Self { costs, side, entry, entered, stamps_before } = *self;
        let (fee_out, slippage_out) = costs.order(fill.reason);
        let left = fill.price * (1.0 - side * slippage_out);
        let gross = side * (fill.price - entry) / entry;
        let slipped = side * (left - entered) / entered;
        let fees = costs.taker_fee + fee_out * left / entered;
        let funding = costs.funding_per_8h * (funding_stamps(fill.held_until_ms) - stamps_before) as f64;
        (gross, slipped - fees - funding)
    }
}

/// Returns how many funding instants (00, 08, 16 h UTC) there were up to a time, itself included, counted from 1970 on.
pub(super) fn funding_stamps(time_ms: i64) -> i64 {
    time_ms.div_euclid(8 * HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn costs(slip_in: f64, slip_stop: f64) -> TradeCosts {
        TradeCosts {
            taker_fee: 0.0005,
            maker_fee: 0.0002,
            slippage: slip_in,
            stop_slippage: slip_stop,
            funding_per_8h: 0.0,
            fills: Fills::default(),
        }
    }

    fn fill(price: f64, reason: ExitReason) -> Fill {
        Fill { price, reason, held_until_ms: 0 }
    }

    #[test]
    fn worked_examples_agree() {
        // From the statistics fixture f20: (side, entry, exit, slippage in and out) -> net; gross is before slippage.
        let (gross, net) =
            costs(0.0002, 0.0004).open(Direction::Long, 100.0, 0).result(fill(103.0, ExitReason::Time));
        assert!((gross - 0.03).abs() < 1e-14);
        assert!((net - 0.028_573_288_342_331_558).abs() < 1e-14);
        let (gross, net) =
            costs(0.0002, 0.0004).open(Direction::Long, 100.0, 0).result(fill(98.0, ExitReason::Stop));
        assert!((gross + 0.02).abs() < 1e-14);
        let funding = -0.000_197_460_507_898_420_28;
        assert!((net - (-0.021_380_127_974_405_017 + funding)).abs() < 1e-14);
    }

    #[test]
    fn a_target_is_filled_without_slippage_at_the_maker_fee() {
        let (gross, net) =
            costs(0.0, 0.0).open(Direction::Short, 100.0, 0).result(fill(98.0, ExitReason::TakeProfit));
        assert!((gross - 0.02).abs() < 1e-15);
        assert!((net - (0.02 - 0.0005 - 0.0002 * 0.98)).abs() < 1e-15);
    }

    #[test]
    fn funding_is_due_only_when_held_across_the_instant() {
        let eight = 8 * HOUR_MS;
        for (entry, held_until, stamps) in
            [(0, eight - 1, 0), (0, eight, 1), (eight, eight, 0), (eight - 1, 3 * eight, 3)]
        {
            let costs = TradeCosts { funding_per_8h: 0.25, taker_fee: 0.0, ..costs(0.0, 0.0) };
            let fill = Fill { price: 100.0, reason: ExitReason::Time, held_until_ms: held_until };
            assert_eq!(
                costs.open(Direction::Long, 100.0, entry).result(fill),
                (0.0, -0.25 * f64::from(stamps))
            );
        }
    }

    /// A trade added up step by step, in amounts of money for one unit of the entry's notional.
    fn plainly(costs: &TradeCosts, long: bool, entry: f64, exit: Fill, hours: i64) -> f64 {
        let against = |price: f64, slippage: f64, buys: bool| match buys {
            true => price * (1.0 + slippage),
            false => price * (1.0 - slippage),
        };
        let (fee, slippage) = match exit.reason {
            ExitReason::TakeProfit => (costs.maker_fee, 0.0),
            ExitReason::Time => (costs.taker_fee, costs.slippage),
            _ => (costs.taker_fee, costs.stop_slippage),
        };
        let paid = against(entry, costs.slippage, long);
        let got = against(exit.price, slippage, !long);
        let mut money = if long { got - paid } else { paid - got };
        money -= costs.taker_fee * paid;
        money -= fee * got;
        for _ in 0..hours / 8 {
            money -= costs.funding_per_8h * paid;
        }
        money / paid
    }

    proptest! {
        /// Rebates and negative funding included.
        #[test]
        fn costs_of_either_sign_add_up(
            taker in 0.0..0.002_f64, maker in -0.01..0.01_f64, slip in 0.0..0.005_f64, factor in 0.0..4.0_f64,
            funding in -0.05..0.05_f64, long: bool, reason in 0..3_usize, exit in 50.0..200.0_f64, hours in 0..40_i64,
        ) {
            let reason = [ExitReason::TakeProfit, ExitReason::Stop, ExitReason::Time][reason];
            let costs = TradeCosts {
                taker_fee: taker, maker_fee: maker, slippage: slip, stop_slippage: slip * factor, funding_per_8h: funding,
                fills: Fills::default(),
            };
            let direction = if long { Direction::Long } else { Direction::Short };
            let fill = Fill { price: exit, reason, held_until_ms: hours * HOUR_MS };
            let (gross, net) = costs.open(direction, 100.0, 0).result(fill);
            let bare = Costs::free().of(&Symbol::parse("X").expect("a name"));
            prop_assert_eq!(gross, bare.open(direction, 100.0, 0).result(fill).1, "gross is net without costs");
            prop_assert!((net - plainly(&costs, long, 100.0, fill, hours)).abs() < 1e-12);
        }
    }
}

//! Columns of given signals that know too much: they tell what came after their signal.
//!
//! All that can be seen of a user's own number is how it goes with the future. A filter that is any good tells winners
//! from losers a little better than chance; one that does it nearly always, or holds a price that was traded later only,
//! was made by hindsight.

use crate::engine::plan::Plan;
use crate::exits::{Position, TradeCosts};
use crate::features::frame::MarketSeries;
use crate::model::{Bars, Day, GivenSignals, Outcomes, Run, Symbol};
use crate::signals::given::{Placed, given_of_day};
use crate::validate::auc::RankedValues;

/// Share of pairs put in order, either way, from which on a column knows too much.
const TELLS_MIN: f64 = 0.95;
/// Fewest signals of each kind: with fewer chance reaches that share.
const KIND_MIN: usize = 20;
/// Share of the signals at which a column holds a later price, from which on it is no chance; and fewest such signals.
const HOLDS_MIN: f64 = 0.9;
const HELD_MIN: usize = 20;
/// Relative difference below which prices are equal: they went through text.
const EQUAL_WITHIN: f64 = 1e-9;
/// Most exit rules of a style that are asked.
const RULES_MAX: usize = 32;

/// What a column tells of the future.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnLook {
    /// The column.
    pub column: String,
    /// Signals with candles to follow at which it has a value.
    pub signals: u64,
    /// Share of the pairs of signals, one of either kind, that it puts in order: the future it tells best. 0.5 is
    /// chance, and falling numbers tell as much as rising ones; `None` with too few signals of each kind.
    pub tells: Option<f64>,
    /// That future.
    pub future: Option<String>,
    /// The later price that it holds at nearly every signal.
    pub holds: Option<String>,
}

impl ColumnLook {
    /// Returns whether it looks like hindsight.
    pub fn is_suspicious(&self) -> bool {
        self.holds.is_some() || self.tells.is_some_and(|tells| tells >= TELLS_MIN)
    }
}

/// Returns a level of a rule in words.
fn level_text(name: &str, atr: Option<f64>, percent: Option<f64>) -> String {
    match (atr, percent) {
        (Some(atr), _) => format!("{name} {atr} ATR"),
        (None, Some(percent)) => format!("{name} {percent} %"),
        (None, None) => format!("no {name}"),
    }
}

/// Signals with what followed them.
#[derive(Debug)]
pub struct Followed<'a> {
    plan: &'a Plan,
    columns: &'a [String],
    /// Candles after which to look at the price.
    horizons: Vec<usize>,
    /// Per column, a value per signal; NaN where there is none.
    values: Vec<Vec<f64>>,
    /// What came out one way or the other: its name, and per signal which way.
    futures: Vec<(String, Vec<Option<bool>>)>,
    /// Prices traded later; NaN where candles are missing.
    prices: Vec<(String, Vec<f64>)>,
    /// The last price that was known at each signal.
    known: Vec<f64>,
}

impl<'a> Followed<'a> {
    /// Begins without a signal.
    pub fn new(columns: &'a [String], plan: &'a Plan) -> Self {
        let longest = plan.styles.iter().map(|style| style.exits.hold_bars_max()).max().unwrap_or(0);
        let horizons: Vec<usize> = std::iter::successors(Some(1), |bars| Some(bars * 2))
            .take_while(|bars| *bars <= longest)
            .collect();
        let (mut futures, mut prices) = (Vec::new(), Vec::new());
        for after in &horizons {
            futures.push(format!("a higher price after {after} candles"));
            futures.push(format!("a gain after {after} candles"));
            prices.extend(
                ["close", "high", "low"].map(|name| format!("the {name} of candle {after} after it")),
            );
        }
        for style in &plan.styles {
            let name = style.space.style();
            futures.extend(style.exits.rules().iter().take(RULES_MAX).map(|rule| {
                let target = level_text("target", rule.take_profit_atr, rule.take_profit_pct);
                let stop = level_text("stop", rule.stop_atr, rule.stop_loss_pct);
                format!("a {name} trade that earns ({target}, {stop}, {} h)", rule.hold_hours)
            }));
        }
        Self {
            plan,
            columns,
            horizons,
            values: vec![Vec::new(); columns.len()],
            futures: futures.into_iter().map(|name| (name, Vec::new())).collect(),
            prices: prices.into_iter().map(|name| (name, Vec::new())).collect(),
            known: Vec::new(),
        }
    }

    /// Takes in the signals of a symbol.
    pub fn add(&mut self, symbol: &Symbol, bars: Bars<'_>, given: &GivenSignals) {
        let (Some(first), Some(last)) = (bars.open_time.first(), bars.open_time.last()) else { return };
        let market = MarketSeries::new(bars);
        let costs = self.plan.costs.of(symbol);
        for day in Day::of(*first).0..=Day::of(*last).0 {
            for placed in given_of_day(&market, Day(day), given) {
                if let Some(entry) = placed.entry {
                    self.follow(&market, &placed, entry, &costs);
                }
            }
        }
    }

    fn follow(&mut self, market: &MarketSeries<'_>, placed: &Placed<'_>, entry: usize, costs: &TradeCosts) {
        let Run { bars, at: entry, .. } = market.run(entry);
        let whole = |after: usize| entry + after <= bars.len();
        let direction = placed.signal.direction;
        let (mut came, mut prices) = (Vec::new(), Vec::new());
        for after in &self.horizons {
            let last = Some(entry + after - 1).filter(|_| whole(*after));
            let change = last.map(|last| bars.close[last] - bars.open[entry]).filter(|change| *change != 0.0);
            came.push(change.map(|change| change > 0.0));
            came.push(change.map(|change| direction.sign() * change > 0.0));
            prices.extend([bars.close, bars.high, bars.low].map(|of| last.map_or(f64::NAN, |last| of[last])));
        }
        for style in &self.plan.styles {
            let mut outcomes = Outcomes::new(style.exits.rules().len());
            let own = placed.signal.is_of(style.space.style()) && whole(style.exits.hold_bars_max());
            if let Some(atr) = placed.atr.filter(|_| own) {
                // Scores of given signals are theirs to know.
                let position = Position { bars, entry, direction, atr, score: None, exit_at: None };
                style.exits.pass().outcomes(&position, costs, &mut outcomes);
            }
            let earns = |rule| (!outcomes.is_empty()).then(|| outcomes.row(0).of(rule).net.0 > 0);
            came.extend((0..style.exits.rules().len().min(RULES_MAX)).map(earns));
        }
        self.known.push(entry.checked_sub(1).map_or(f64::NAN, |known| bars.close[known]));
        self.values.iter_mut().zip(placed.values).for_each(|(all, value)| all.push(*value));
        self.futures.iter_mut().zip(came).for_each(|((_, all), came)| all.push(came));
        self.prices.iter_mut().zip(prices).for_each(|((_, all), price)| all.push(price));
    }

    /// Says of every column what it tells.
    pub fn looks(&self) -> Vec<ColumnLook> {
        self.columns.iter().zip(&self.values).map(|(column, values)| self.look(column, values)).collect()
    }

    fn look(&self, column: &str, values: &[f64]) -> ColumnLook {
        let ranked = RankedValues::new(values);
        let mut best: Option<(f64, &str)> = None;
        for (future, came) in &self.futures {
            let Some((auc, ones, others)) = ranked.auc(came) else { continue };
            let tells = auc.max(1.0 - auc);
            if ones.min(others) >= KIND_MIN && best.is_none_or(|(known, _)| tells > known) {
                best = Some((tells, future));
            }
        }
        let holds = self.prices.iter().find(|(_, prices)| self.holds(values, prices));
        ColumnLook {
            column: column.to_owned(),
            signals: values.iter().filter(|value| !value.is_nan()).count() as u64,
            tells: best.map(|(tells, _)| tells),
            future: best.map(|(_, future)| future.to_owned()),
            holds: holds.map(|(name, _)| name.clone()),
        }
    }

    /// Returns whether a column holds a later price, and not just the last one that was known.
    fn holds(&self, values: &[f64], prices: &[f64]) -> bool {
        let equal = |a: f64, b: f64| (a - b).abs() <= EQUAL_WITHIN * b.abs();
        let asked = values.iter().zip(prices).zip(&self.known);
        let asked = asked
            .filter(|((value, price), known)| !value.is_nan() && !price.is_nan() && !equal(**price, **known));
        let (mut count, mut same) = (0_usize, 0_usize);
        for ((value, price), _) in asked {
            count += 1;
            same += usize::from(equal(*value, *price));
        }
        same >= HELD_MIN && same as f64 >= HOLDS_MIN * count as f64
    }
}

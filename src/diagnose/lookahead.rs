//! Cut and compare: nothing that is known at an instant may depend on the candles after it.
//!
//! At instants drawn from the user's own candles everything is computed three times: from all candles, from those up to
//! the instant, and with the later ones in another order. What was known by then has to be the same to the last bit.

use crate::engine::entries::EntrySource;
use crate::engine::plan::Plan;
use crate::engine::unit::evaluate_unit;
use crate::features::frame::{FeatureRow, MarketSeries};
use crate::model::{Bars, Candle, CandleSeries, Day, GivenSignals, Symbol};
use crate::validate::resample::Random;

/// How many instants are drawn per symbol, and from which lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sampling {
    pub samples: usize,
    pub seed: u64,
}

/// What the comparison with another future covered; each counted once per instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// Instants.
    pub instants: u64,
    /// Entries known by then on the day of the instant: derived or given.
    pub entries: u64,
    /// Instants at which the last closed candle had its features.
    pub rows: u64,
    /// Outcomes of the last day that was complete by then: signals times exit rules of both styles.
    pub outcomes: u64,
}

/// Something that changed with the future.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookaheadDifference {
    /// The symbol.
    pub symbol: String,
    /// The last instant that was known; UTC ms.
    pub at_ms: i64,
    /// `entries`, `features` or `outcomes`.
    pub what: &'static str,
    /// What became of the future: `cut` or `scrambled`.
    pub future: &'static str,
}

/// Compares what is known of a symbol at some instants, whatever came later.
///
/// Cost: for each instant two copies of the closes of all candles, and five days evaluated
pub fn look_ahead(
    symbol: &Symbol,
    bars: Bars<'_>,
    given: Option<&GivenSignals>,
    plan: &Plan,
    sampling: Sampling,
) -> (Compared, Vec<LookaheadDifference>) {
    let (mut compared, mut differences) = (Compared::default(), Vec::new());
    let sight = Sight { symbol, given, plan };
    let all = MarketSeries::new(bars);
    for now in draw_instants(symbol, bars.len(), sampling) {
        let known = sight.known(&all, now);
        compared.instants += 1;
        compared.entries += known.entries.len() as u64;
        compared.rows += u64::from(known.row.is_some());
        compared.outcomes += known.outcomes;
        let scrambled = scrambled_series(bars, now, sampling.seed);
        let futures = [("cut", bars.slice(0..now)), ("scrambled", scrambled.bars())];
        for (future, bars) in futures {
            let at_ms = bars.open_time[now - 1] + bars.interval.ms();
            let differs = known.differs(&sight.known(&MarketSeries::new(bars), now));
            let difference = |what| LookaheadDifference { symbol: symbol.to_string(), at_ms, what, future };
            differences.extend(differs.into_iter().map(difference));
        }
    }
    (compared, differences)
}

/// Draws how many candles are known, ascending.
fn draw_instants(symbol: &Symbol, candles: usize, sampling: Sampling) -> Vec<usize> {
    let name = symbol.as_str().bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
    let mut random = Random::new(sampling.seed ^ name);
    let draws = if candles == 0 { 0 } else { sampling.samples };
    let mut instants: Vec<usize> = (0..draws).map(|_| 1 + random.below(candles)).collect();
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// Puts the candles from an index on in another order, at the times that were there.
fn scrambled_series(bars: Bars<'_>, now: usize, seed: u64) -> CandleSeries {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    let mut random = Random::new(seed ^ now as u64);
    for last in (now + 1..bars.len()).rev() {
        order.swap(last, now + random.below(last + 1 - now));
    }
    let mut series = CandleSeries::new(bars.interval);
    for (open_time, from) in bars.open_time.iter().zip(order) {
        series.push(Candle { open_time: *open_time, ..bars.get(from) });
    }
    series
}

/// An entry as it was known: when, which side, and the ATR that exits are measured in.
type Entry = (i64, f64, Option<f64>, Option<FeatureRow>);

/// What is known at an instant.
#[derive(Debug, Clone, PartialEq)]
struct KnownState {
    entries: Vec<Entry>,
    /// The features at the last closed candle.
    row: Option<FeatureRow>,
    /// The last complete day of every style, as bytes: what is not defined is equal to itself.
    units: Vec<Vec<u8>>,
    outcomes: u64,
}

impl KnownState {
    fn differs(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("entries", self.entries == other.entries),
            ("features", self.row == other.row),
            ("outcomes", self.units == other.units),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(what, _)| what).collect()
    }
}

struct Sight<'a> {
    symbol: &'a Symbol,
    given: Option<&'a GivenSignals>,
    plan: &'a Plan,
}

impl Sight<'_> {
    /// Returns what is known when the first `now` candles have closed.
    fn known(&self, market: &MarketSeries<'_>, now: usize) -> KnownState {
        let last_open = market.bars.open_time[now - 1];
        let day = Day::of(last_open);
        let closed_ms = last_open + market.bars.interval.ms();
        let entries = match EntrySource::on(market, day, self.given) {
            EntrySource::Derived { candidates, .. } => {
                let known = candidates.into_iter().filter(|candidate| candidate.row.pulse.index < now);
                let entry = |candidate: crate::signals::candidates::Candidate| {
                    let (row, sign) = (candidate.row, candidate.direction.sign());
                    (row.candle.open_time, sign, Some(row.pulse.indicators.atr_14), Some(row))
                };
                known.map(entry).collect()
            }
            EntrySource::Given { placed, .. } => {
                let known = placed.into_iter().filter(|placed| placed.signal.time_ms <= closed_ms);
                let entry = |placed: crate::signals::given::Placed<'_>| {
                    (placed.signal.time_ms, placed.signal.direction.sign(), placed.atr, placed.row)
                };
                known.map(entry).collect()
            }
        };
        let frame = market.frame(day, 0);
        let row = frame.pulse(now - 1).map(|pulse| frame.row(pulse));
        let (mut units, mut outcomes) = (Vec::new(), 0);
        let costs = self.plan.costs.of(self.symbol);
        for style in &self.plan.styles {
            // The last candle of the longest label of the day has closed.
            let label_ms = (style.exits.hold_bars_max() as i64 - 1) * market.bars.interval.ms();
            let complete = Day(Day::of(last_open - label_ms).0 - 1);
            let found = EntrySource::on(market, complete, self.given);
            let unit = evaluate_unit(market, complete, &found, style, self.plan, &costs);
            outcomes += (unit.signals.len() * style.exits.rules().len()) as u64;
            let mut bytes = Vec::new();
            unit.encode(&mut bytes);
            units.push(bytes);
        }
        KnownState { entries, row, units, outcomes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::plan::DayLimits;
    use crate::model::Style;

    /// 60 days of candles that go up and down.
    fn series(changed: Option<usize>) -> CandleSeries {
        let mut random = Random::new(5);
        let mut price = 100.0;
        let candle = |i: usize| {
            let open = price;
            price *= 1.0 + 0.01 * (random.unit() - 0.5) + 0.003 * (i as f64 / 40.0).sin();
            if changed == Some(i) {
                price *= 1.001;
            }
            let (high, low) = (open.max(price) * 1.002, open.min(price) * 0.998);
            Candle {
                open_time: i as i64 * 900_000,
                open,
                high,
                low,
                close: price,
                volume: 5.0 + random.unit(),
            }
        };
        (0..60 * 96).map(candle).collect()
    }

    fn plan() -> Plan {
        Config::default().plan(&Style::ALL, DayLimits::default()).expect("sound")
    }

    #[test]
    fn what_is_known_does_not_depend_on_what_comes() {
        let (symbol, series) = (Symbol::parse("AUSDT").expect("a name"), series(None));
        let sampling = Sampling { samples: 40, seed: 3 };
        let (compared, differences) = look_ahead(&symbol, series.bars(), None, &plan(), sampling);
        assert_eq!(differences, []);
        assert!(compared.instants >= 39 && compared.rows > 20, "{compared:?}");
        assert!(compared.entries > 20 && compared.outcomes > 1_000, "{compared:?}");
    }

    #[test]
    fn a_past_that_differs_is_noticed() {
        let (symbol, plan) = (Symbol::parse("AUSDT").expect("a name"), plan());
        let sight = Sight { symbol: &symbol, given: None, plan: &plan };
        let now = 50 * 96 + 70;
        let known = |changed| sight.known(&MarketSeries::new(series(changed).bars()), now);
        let own = known(None);
        assert_eq!(own.differs(&known(Some(now))), Vec::<&str>::new(), "the first candle that is not known");
        assert!(own.differs(&known(Some(now - 1))).contains(&"features"));
        assert_eq!(own.differs(&known(Some(45 * 96))), ["entries", "features", "outcomes"]);
    }
}

//! An exit plan: the exit rules of a run, resolved to shared levels so that one pass serves them all.

use super::costs::{Fill, TradeCosts};
use super::passage::{NEVER, first_passages};
use crate::model::{Bars, Direction, ExitReason, ExitRule, Interval, Outcome, ReturnPpm};

/// An exit rule that cannot be simulated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expected {what} to be {expected}, found {found}")]
pub struct PlanError {
    /// The value's name.
    pub what: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// What it is.
    pub found: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slots {
    target: usize,
    stop: usize,
    hold_bars: u16,
}

/// Exit rules in the order they were given, with the levels they share.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitPlan {
    rules: Vec<ExitRule>,
    slots: Vec<Slots>,
    targets_atr: Vec<f64>,
    stops_atr: Vec<f64>,
    hold_bars_max: u16,
}

impl ExitPlan {
    /// Resolves rules for candles of an interval.
    ///
    /// Errors: `PlanError` for a multiple or a holding time that is not positive and finite, or too long to count
    pub fn new(rules: Vec<ExitRule>, interval: Interval) -> Result<Self, PlanError> {
        let mut slots = Vec::with_capacity(rules.len());
        let targets_atr = ascending(rules.iter().map(|rule| rule.take_profit_atr));
        let stops_atr = ascending(rules.iter().map(|rule| rule.stop_atr));
        for rule in &rules {
            check("a take-profit in ATR", rule.take_profit_atr, 1000.0)?;
            check("a stop in ATR", rule.stop_atr, 1000.0)?;
            check("a holding time in hours", rule.hold_hours, 24.0 * 90.0)?;
            let bars = interval.bars_in_hours(rule.hold_hours);
            let hold_bars = u16::try_from(bars).ok().filter(|bars| *bars < NEVER).ok_or(PlanError {
                what: "a holding time in candles",
                expected: "less than 65535",
                found: bars as f64,
            })?;
            let slot = |levels: &[f64], value: f64| levels.partition_point(|level| *level < value);
            slots.push(Slots {
                target: slot(&targets_atr, rule.take_profit_atr),
                stop: slot(&stops_atr, rule.stop_atr),
                hold_bars,
            });
        }
        let hold_bars_max = slots.iter().map(|s| s.hold_bars).max().unwrap_or(0);
        Ok(Self { rules, slots, targets_atr, stops_atr, hold_bars_max })
    }

    /// Returns the rules, in order.
    pub fn rules(&self) -> &[ExitRule] {
        &self.rules
    }

    /// Returns the index of a rule.
    pub fn index_of(&self, rule: &ExitRule) -> Option<usize> {
        self.rules.iter().position(|r| r == rule)
    }

    /// Returns the longest holding time in candles; a signal needs that many to be evaluated.
    pub fn hold_bars_max(&self) -> usize {
        usize::from(self.hold_bars_max)
    }

    /// Appends the outcome of every rule, in order, for a signal that enters at the first candle's open.
    ///
    /// Shape:     `ahead[hold_bars_max]`, gapless, from the entry candle on; atr in price units
    /// Causality: this is the label: it reads the candles after the signal and must never feed a feature
    /// Rules:     the stop comes first when both levels lie inside one candle, unless the candle opens beyond one of
    ///            them; an open beyond the stop fills there; a target never fills better than its level
    /// Cost:      O(candles + levels + rules)
    pub fn outcomes(
        &self,
        ahead: Bars<'_>,
        direction: Direction,
        atr: f64,
        costs: &TradeCosts,
        out: &mut Vec<Outcome>,
    ) {
        assert!(ahead.len() == self.hold_bars_max(), "a signal is evaluated over its longest horizon");
        let distances = |levels: &[f64]| -> Vec<f64> { levels.iter().map(|level| level * atr).collect() };
        let (targets, stops) = (distances(&self.targets_atr), distances(&self.stops_atr));
        let (mut target_at, mut stop_at) = (vec![NEVER; targets.len()], vec![NEVER; stops.len()]);
        first_passages(ahead, direction, &targets, &stops, &mut target_at, &mut stop_at);
        let trade = Trade { ahead, direction, costs };
        for slots in &self.slots {
            out.push(trade.outcome(
                (target_at[slots.target], targets[slots.target]),
                (stop_at[slots.stop], stops[slots.stop]),
                slots.hold_bars,
            ));
        }
    }
}

fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut levels: Vec<f64> = values.collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    levels
}

fn check(what: &'static str, value: f64, most: f64) -> Result<(), PlanError> {
    if value > 0.0 && value <= most {
        return Ok(());
    }
    Err(PlanError { what, expected: "positive and within reason", found: value })
}

struct Trade<'a> {
    ahead: Bars<'a>,
    direction: Direction,
    costs: &'a TradeCosts,
}

impl Trade<'_> {
    /// Picks the earliest of target, stop and time; each level comes with its first passage and distance.
    fn outcome(&self, target: (u16, f64), stop: (u16, f64), hold_bars: u16) -> Outcome {
        let first = target.0.min(stop.0);
        if first >= hold_bars {
            return self.close(self.at_time(hold_bars), None, hold_bars);
        }
        let bars_held = first + 1;
        let by_target = || self.at_target(first, target.1);
        if target.0 < stop.0 {
            return self.close(by_target(), None, bars_held);
        }
        let (by_stop, opened_beyond_stop) = self.at_stop(first, stop.1);
        if target.0 > stop.0 || opened_beyond_stop {
            return self.close(by_stop, None, bars_held);
        }
        if self.opens_beyond_target(first, target.1) {
            return self.close(by_target(), None, bars_held);
        }
        self.close(by_stop, Some(by_target()), bars_held)
    }

    fn close(&self, worst: Fill, best: Option<Fill>, bars_held: u16) -> Outcome {
        let (entry, entry_ms) = (self.ahead.open[0], self.ahead.open_time[0]);
        let result = |fill| self.costs.result(self.direction, entry, entry_ms, fill);
        let (gross, net) = result(worst);
        let best_case = best.map_or(net, |fill| result(fill).1);
        Outcome {
            net: ReturnPpm::from_fraction(net),
            best_case: ReturnPpm::from_fraction(best_case),
            gross: ReturnPpm::from_fraction(gross),
            bars_held,
            reason: worst.reason,
            ambiguous: best.is_some(),
        }
    }

    fn at_target(&self, bar: u16, distance: f64) -> Fill {
        let price = self.ahead.open[0] + self.direction.sign() * distance;
        Fill { price, reason: ExitReason::TakeProfit, held_until_ms: self.ahead.open_time[usize::from(bar)] }
    }

    /// Returns the stop's fill, and whether the candle already opened beyond it.
    fn at_stop(&self, bar: u16, distance: f64) -> (Fill, bool) {
        let bar = usize::from(bar);
        let side = self.direction.sign();
        let level = self.ahead.open[0] - side * distance;
        let open = self.ahead.open[bar];
        let beyond = side * open < side * level;
        let (price, reason) = if beyond { (open, ExitReason::StopGap) } else { (level, ExitReason::Stop) };
        (Fill { price, reason, held_until_ms: self.ahead.open_time[bar] }, beyond)
    }

    fn opens_beyond_target(&self, bar: u16, distance: f64) -> bool {
        let side = self.direction.sign();
        side * self.ahead.open[usize::from(bar)] > side * (self.ahead.open[0] + side * distance)
    }

    fn at_time(&self, hold_bars: u16) -> Fill {
        let last = usize::from(hold_bars) - 1;
        Fill {
            price: self.ahead.close[last],
            reason: ExitReason::Time,
            held_until_ms: self.ahead.open_time[last] + self.ahead.interval.ms(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exits::Costs;
    use crate::model::{Candle, CandleSeries, Symbol};

    fn series(bars: &[[f64; 4]]) -> CandleSeries {
        let candle = |(i, [open, high, low, close]): (usize, &[f64; 4])| Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: 1.0,
        };
        let mut series = CandleSeries::new(Interval::M15);
        bars.iter().enumerate().map(candle).for_each(|c| series.push(c));
        series
    }

    fn free() -> TradeCosts {
        Costs::free().of(&Symbol::parse("X").expect("a name"))
    }

    /// Cases of the fixture f21: side, bars, (exit bar, worst price, best price, reason, ambiguous); stop 2, target 4.
    #[test]
    fn the_intrabar_cases_agree() {
        use Direction::{Long, Short};
        use ExitReason::{Stop, StopGap, TakeProfit, Time};
        type Case = (Direction, &'static [[f64; 4]], (u16, f64, f64, ExitReason, bool));
        const START: [f64; 4] = [100.0, 101.0, 99.0, 100.0];
        let cases: &[Case] = &[
            (Long, &[START, [100.5, 104.5, 100.0, 104.0]], (1, 104.0, 104.0, TakeProfit, false)),
            (Long, &[START, [100.5, 101.0, 97.5, 98.2]], (1, 98.0, 98.0, Stop, false)),
            (Long, &[START, [98.9, 104.5, 97.9, 103.0]], (1, 98.0, 104.0, Stop, true)),
            (Long, &[[100.0, 104.5, 97.5, 101.0]], (0, 98.0, 104.0, Stop, true)),
            (Long, &[START, [96.0, 97.0, 95.0, 96.5]], (1, 96.0, 96.0, StopGap, false)),
            (Long, &[START, [105.0, 106.0, 104.8, 105.5]], (1, 104.0, 104.0, TakeProfit, false)),
            (Long, &[START, [105.0, 106.0, 97.0, 105.5]], (1, 104.0, 104.0, TakeProfit, false)),
            (Long, &[START, [100.5, 104.0, 100.0, 103.0]], (1, 103.0, 103.0, Time, false)),
            (Long, &[START, [100.5, 101.0, 98.0, 99.0]], (1, 98.0, 98.0, Stop, false)),
            (Short, &[START, [99.5, 99.8, 95.5, 96.0]], (1, 96.0, 96.0, TakeProfit, false)),
            (Short, &[START, [96.5, 102.5, 95.5, 100.0]], (1, 102.0, 96.0, Stop, true)),
            (Short, &[START, [104.0, 105.0, 103.0, 104.0]], (1, 104.0, 104.0, StopGap, false)),
        ];
        for (direction, bars, (bar, worst, best, reason, ambiguous)) in cases {
            let rule = ExitRule { take_profit_atr: 4.0, stop_atr: 2.0, hold_hours: bars.len() as f64 * 0.25 };
            let plan = ExitPlan::new(vec![rule], Interval::M15).expect("a plan");
            let mut out = Vec::new();
            plan.outcomes(series(bars).bars(), *direction, 1.0, &free(), &mut out);
            let value = |price: f64| ReturnPpm::from_fraction(direction.sign() * (price - 100.0) / 100.0);
            let expected = Outcome {
                net: value(*worst),
                best_case: value(*best),
                gross: value(*worst),
                bars_held: bar + 1,
                reason: *reason,
                ambiguous: *ambiguous,
            };
            assert_eq!(out, [expected], "{direction:?} {bars:?}");
        }
    }

    #[test]
    fn a_time_exit_is_at_its_own_horizon() {
        let rules = [0.25, 0.5, 0.75].map(|hold_hours| ExitRule {
            take_profit_atr: 50.0,
            stop_atr: 50.0,
            hold_hours,
        });
        let plan = ExitPlan::new(rules.to_vec(), Interval::M15).expect("a plan");
        let bars = [[100.0, 101.0, 99.0, 100.5], [100.5, 102.0, 100.0, 101.5], [101.5, 103.0, 101.0, 102.5]];
        let mut out = Vec::new();
        plan.outcomes(series(&bars).bars(), Direction::Long, 1.0, &free(), &mut out);
        assert_eq!(out.iter().map(|o| o.net.0).collect::<Vec<_>>(), [5_000, 15_000, 25_000]);
        assert_eq!(out.iter().map(|o| o.bars_held).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused() {
        let rule = ExitRule { take_profit_atr: 1.0, stop_atr: 1.0, hold_hours: 1.0 };
        for bad in [
            ExitRule { take_profit_atr: 0.0, ..rule },
            ExitRule { stop_atr: f64::NAN, ..rule },
            ExitRule { hold_hours: -1.0, ..rule },
        ] {
            assert!(ExitPlan::new(vec![bad], Interval::M15).is_err());
        }
    }
}

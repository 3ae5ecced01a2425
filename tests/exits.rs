//! The one-pass exits against a plain walk, candle by candle and rule by rule.

use proptest::prelude::*;
use retune::exits::{Costs, ExitPlan, Fill, TradeCosts};
use retune::model::{
    Bars, Candle, CandleSeries, Direction, ExitReason, ExitRule, Interval, Outcome, ReturnPpm, Symbol,
};

/// Follows one rule through the candles as its definition reads, without sharing anything between rules.
fn walk(bars: Bars<'_>, direction: Direction, atr: f64, rule: &ExitRule, costs: &TradeCosts) -> Outcome {
    let side = direction.sign();
    let entry = bars.open[0];
    let target = entry + side * (rule.take_profit_atr * atr);
    let stop = entry - side * (rule.stop_atr * atr);
    let hold = Interval::M15.bars_in_hours(rule.hold_hours);
    for i in 0..hold {
        let candle = bars.get(i);
        let (best, worst) = match direction {
            Direction::Long => (candle.high, candle.low),
            Direction::Short => (candle.low, candle.high),
        };
        let hits_target = side * best > side * target;
        let hits_stop = side * worst <= side * stop;
        let fill = |price, reason| Fill { price, reason, held_until_ms: candle.open_time };
        let at_target = fill(target, ExitReason::TakeProfit);
        let at_stop = fill(stop, ExitReason::Stop);
        let opens_beyond_stop = side * candle.open < side * stop;
        let opens_beyond_target = side * candle.open > side * target;
        let (worst, best) = match (hits_target, hits_stop) {
            (_, true) if opens_beyond_stop => (fill(candle.open, ExitReason::StopGap), None),
            (true, true) if opens_beyond_target => (at_target, None),
            (true, true) => (at_stop, Some(at_target)),
            (true, false) => (at_target, None),
            (false, true) => (at_stop, None),
            (false, false) => continue,
        };
        return outcome(bars, direction, costs, worst, best, i + 1);
    }
    let last = bars.get(hold - 1);
    let held_until_ms = last.open_time + Interval::M15.ms();
    let fill = Fill { price: last.close, reason: ExitReason::Time, held_until_ms };
    outcome(bars, direction, costs, fill, None, hold)
}

fn outcome(
    bars: Bars<'_>,
    direction: Direction,
    costs: &TradeCosts,
    worst: Fill,
    best: Option<Fill>,
    held: usize,
) -> Outcome {
    let result = |fill| costs.result(direction, bars.open[0], bars.open_time[0], fill);
    let (gross, net) = result(worst);
    Outcome {
        net: ReturnPpm::from_fraction(net),
        best_case: ReturnPpm::from_fraction(best.map_or(net, |fill| result(fill).1)),
        gross: ReturnPpm::from_fraction(gross),
        bars_held: held as u16,
        reason: worst.reason,
        ambiguous: best.is_some(),
    }
}

/// Candles of a random walk in whole steps, so that levels are touched exactly now and then; gaps between candles.
fn series(steps: &[(i32, i32, i32, i32)]) -> CandleSeries {
    let mut series = CandleSeries::new(Interval::M15);
    let mut last = 1_000;
    for (i, (gap, body, up, down)) in steps.iter().enumerate() {
        let open = (last + gap).max(100);
        let close = (open + body).max(100);
        let (high, low) = (open.max(close) + up, (open.min(close) - down).max(50));
        series.push(Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: open.into(),
            high: high.into(),
            low: low.into(),
            close: close.into(),
            volume: 1.0,
        });
        last = close;
    }
    series
}

proptest! {
    #[test]
    fn one_pass_equals_the_plain_walk(
        steps in prop::collection::vec((-6..=6, -8..=8, 0..=6, 0..=6), 48),
        targets in prop::collection::vec(1_u8..=8, 1..4),
        stops in prop::collection::vec(1_u8..=8, 1..4),
        holds in prop::collection::vec(1_u8..=12, 1..4),
        long in any::<bool>(),
    ) {
        let series = series(&steps);
        let mut rules = Vec::new();
        for take_profit_atr in &targets {
            for stop_atr in &stops {
                rules.extend(holds.iter().map(|hours| ExitRule {
                    take_profit_atr: f64::from(*take_profit_atr) / 2.0,
                    stop_atr: f64::from(*stop_atr) / 2.0,
                    hold_hours: f64::from(*hours),
                }));
            }
        }
        let plan = ExitPlan::new(rules.clone(), Interval::M15).expect("sound rules");
        let costs = Costs::default().of(&Symbol::parse("BTCUSDT").expect("a name"));
        let direction = if long { Direction::Long } else { Direction::Short };
        let bars = series.bars();
        let mut found = Vec::new();
        plan.outcomes(bars.slice(0..plan.hold_bars_max()), direction, 8.0, &costs, &mut found);
        let plain: Vec<Outcome> = rules.iter().map(|rule| walk(bars, direction, 8.0, rule, &costs)).collect();
        prop_assert_eq!(found, plain);
    }
}

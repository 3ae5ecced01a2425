//! The one-pass exits against a plain walk, candle by candle and rule by rule, and what must hold for every rule.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use retune::config::Config;
use retune::engine::plan::DayLimits;
use retune::exits::{Costs, ExitPlan, Fill, Position, TradeCosts};
use retune::model::{
    Bars, Candle, CandleSeries, Direction, EXIT_AXES, ExitAxis, ExitReason, ExitRule, ExitUnit, Interval,
    Outcome, Outcomes, ReturnPpm, Style, Symbol,
};
use retune::run::report::RunReport;
use retune::run::{RunOptions, incremental};
use retune::validate::assessment::cost_buffer;

/// One position, as a plain walk sees it.
#[derive(Clone, Copy)]
struct Walk<'a> {
    bars: Bars<'a>,
    /// Index of the entry candle.
    start: usize,
    direction: Direction,
    atr: f64,
    score: Option<f64>,
    /// The candle from the entry on at whose open the signal has its exit.
    exit_at: Option<u16>,
    costs: &'a TradeCosts,
}

/// The part closed at the first target, and why and where the rest is closed.
#[derive(Clone, Copy, PartialEq)]
struct Ending {
    part: Option<Fill>,
    rest: Fill,
}

impl Walk<'_> {
    /// Follows one rule candle by candle as its definition reads, without sharing anything between rules.
    fn outcome(&self, rule: &ExitRule) -> Outcome {
        let side = self.direction.sign();
        let entry = self.bars.open[self.start];
        let scale = |weak: f64, strong: f64| match (rule.dynamic_strength, self.score) {
            (Some(strength), Some(score)) if score >= 85.0 => 1.0 + strength * (strong - 1.0),
            (Some(strength), Some(score)) if score <= 70.0 => 1.0 + strength * (weak - 1.0),
            _ => 1.0,
        };
        let gain = |multiple: f64| entry + side * (multiple * scale(0.95, 1.15) * self.atr);
        let of_stake = |percent: f64| percent / rule.leverage.unwrap_or(1.0) / 100.0 * entry;
        let target = match (rule.take_profit_atr, rule.take_profit_pct) {
            (Some(multiple), _) => gain(multiple),
            (None, Some(percent)) => entry + side * of_stake(percent),
            (None, None) => side * f64::INFINITY,
        };
        // The row of the staircase that is in force in a candle: the last that began by its open.
        let rows = rule.roi_steps();
        let row_at = |i: usize| rows.iter().rfind(|(minutes, _)| *minutes <= i as f64 * 15.0).copied();
        let share = |percent: f64| entry + side * of_stake(percent);
        let first_target = rule.first_target_atr.map(gain).or(rule.first_target_at_pct.map(share));
        let break_even_from = rule.break_even_atr.map(gain).or(rule.break_even_pct.map(share));
        let by_atr = rule.stop_atr.map_or(f64::INFINITY, |multiple| multiple * scale(0.9, 1.2) * self.atr);
        let by_stake = rule.stop_loss_pct.map_or(f64::INFINITY, of_stake);
        let by_percent = rule.hard_stop_pct.map_or(f64::INFINITY, |percent| percent / 100.0 * entry);
        let fixed = entry - side * by_atr.min(by_stake).min(by_percent);
        let beyond = |price: f64, level: f64| side * price > side * level;
        // The tightest stop, given the best price so far.
        let stop_at = |peak: f64| {
            let mut stop = (fixed, ExitReason::Stop);
            if break_even_from.is_some_and(|from| beyond(peak, from)) && beyond(entry, stop.0) {
                stop = (entry, ExitReason::BreakEven);
            }
            let in_atr = rule.trailing_distance_atr.zip(rule.trailing_activation_atr);
            let in_atr = in_atr.map(|(distance, from)| (distance * self.atr, from * self.atr));
            let in_percent = rule.trailing_pct.zip(rule.trailing_offset_pct);
            let in_percent = in_percent.map(|(distance, from)| (of_stake(distance), of_stake(from)));
            // Before the offset the stop itself trails, where it shall.
            let before = (rule.trailing_only_offset == Some(0.0)).then_some((by_atr.min(by_stake), 0.0));
            for (distance, from) in in_atr.into_iter().chain(in_percent).chain(before) {
                let active = from == 0.0 || beyond(peak, entry + side * from);
                let level = peak - side * distance;
                if active && beyond(level, stop.0) {
                    stop = (level, ExitReason::TrailingStop);
                }
            }
            stop
        };
        let hold = Interval::M15.bars_in_hours(rule.hold_hours);
        let (mut peak, mut part) = (entry, None);
        for i in 0..hold {
            let candle = self.bars.get(self.start + i);
            let (best, worst) = match self.direction {
                Direction::Long => (candle.high, candle.low),
                Direction::Short => (candle.low, candle.high),
            };
            let better = |a: f64, b: f64| if beyond(b, a) { b } else { a };
            let fill = |price, reason| Fill { price, reason, held_until_ms: candle.open_time };
            let row = row_at(i);
            let is_new = i > 0 && row != row_at(i - 1);
            let step = row.map(|(_, percent)| entry + side * of_stake(percent));
            let step = step.filter(|step| beyond(target, *step));
            let (target, reached) = match step {
                Some(step) => (step, ExitReason::Roi),
                None => (target, ExitReason::TakeProfit),
            };
            let at_target = |level| fill(level, reached);
            let first_at = |level| fill(level, ExitReason::TakeProfit);
            let filled = |price: f64| first_target.filter(|level| beyond(price, *level)).map(first_at);
            // First the open, at which nothing else can have happened yet ...
            let at_open = match step {
                _ if rule.exit_signal.is_some() && self.exit_at.is_some_and(|at| usize::from(at) == i) => {
                    Some(ExitReason::ExitSignal)
                }
                Some(step) if is_new && beyond(candle.open, step) => Some(ExitReason::RoiStep),
                _ => None,
            };
            if let Some(reason) = at_open {
                let part = part.or_else(|| filled(candle.open));
                return self.end(rule, Ending { part, rest: fill(candle.open, reason) }, None, i);
            }
            peak = better(peak, candle.open);
            let (stop, reason) = stop_at(peak);
            if beyond(stop, candle.open) {
                return self.end(
                    rule,
                    Ending { part, rest: fill(candle.open, ExitReason::StopGap) },
                    None,
                    i,
                );
            }
            // Where the first target is not the nearer one, the take-profit closes all.
            let is_first = |part: &Fill| beyond(target, part.price);
            part = part.or_else(|| filled(candle.open).filter(is_first));
            if beyond(candle.open, target) {
                return self.end(rule, Ending { part, rest: at_target(target) }, None, i);
            }
            // ... then the adverse extreme, unless the best case is asked for ...
            let part_after = part.or_else(|| filled(best).filter(is_first));
            if side * worst <= side * stop {
                let rest = match beyond(best, target) {
                    true => at_target(target),
                    false => {
                        let (stop, reason) = stop_at(better(peak, best));
                        fill(stop, reason)
                    }
                };
                let worst_case = Ending { part, rest: fill(stop, reason) };
                return self.end(rule, worst_case, Some(Ending { part: part_after, rest }), i);
            }
            // ... then the favourable one ...
            part = part_after;
            if beyond(best, target) {
                return self.end(rule, Ending { part, rest: at_target(target) }, None, i);
            }
            peak = better(peak, best);
            // ... and the close.
            let at_close = |reason| Fill {
                price: candle.close,
                reason,
                held_until_ms: candle.open_time + Interval::M15.ms(),
            };
            if rule.surge_factor.is_some_and(|factor| self.surges(self.start + i, factor)) {
                return self.end(rule, Ending { part, rest: at_close(ExitReason::VolumeSurge) }, None, i);
            }
            if i + 1 == hold {
                return self.end(rule, Ending { part, rest: at_close(ExitReason::Time) }, None, i);
            }
            if self.start + i + 1 == self.bars.len() {
                return self.end(rule, Ending { part, rest: at_close(ExitReason::DataEnd) }, None, i);
            }
        }
        unreachable!("a position is closed at its horizon")
    }

    fn surges(&self, at: usize, factor: f64) -> bool {
        let candle = self.bars.get(at);
        let against = self.direction.sign() * (candle.close - candle.open) < 0.0;
        let before = |count: usize| (at - count..at).map(|i| self.bars.volume[i]).sum::<f64>() / 20.0;
        against && at >= 20 && candle.volume > factor * before(20)
    }

    fn end(&self, rule: &ExitRule, worst: Ending, best: Option<Ending>, last: usize) -> Outcome {
        let (entry, entry_ms) = (self.bars.open[self.start], self.bars.open_time[self.start]);
        let result = |ending: Ending| {
            let of = |fill| self.costs.open(self.direction, entry, entry_ms).result(fill);
            let rest = of(ending.rest);
            let Some(part) = ending.part.map(of) else { return rest };
            let share = rule.first_target_pct.unwrap_or(0.0) / 100.0;
            (share * part.0 + (1.0 - share) * rest.0, share * part.1 + (1.0 - share) * rest.1)
        };
        let best = best.filter(|best| *best != worst);
        let (gross, net) = result(worst);
        Outcome {
            net: ReturnPpm::of_trade(net),
            best_case: ReturnPpm::of_trade(best.map_or(net, |best| result(best).1)),
            gross: ReturnPpm::of_trade(gross),
            bars_held: last as u16 + 1,
            reason: worst.rest.reason,
            ambiguous: best.is_some(),
        }
    }
}

/// A candle of a random walk: gap before it, body, wicks up and down, volume.
type Step = (i32, i32, i32, i32, u8);

fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((-6..=6, -8..=8, 0..=6, 0..=6, 1_u8..=40), count)
}

/// Candles of a random walk in whole steps, so that levels are touched exactly now and then; gaps between candles.
fn series(steps: &[Step]) -> CandleSeries {
    let mut series = CandleSeries::new(Interval::M15);
    let mut last = 1_000;
    for (i, (gap, body, up, down, volume)) in steps.iter().enumerate() {
        let open = (last + gap).max(100);
        let close = (open + body).max(100);
        let (high, low) = (open.max(close) + up, (open.min(close) - down).max(50));
        series.push(Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: open.into(),
            high: high.into(),
            low: low.into(),
            close: close.into(),
            volume: (*volume).into(),
        });
        last = close;
    }
    series
}

/// The same candles upside down: what was a rise of so many steps is a fall of as many.
fn mirrored(series: &CandleSeries, around: f64) -> CandleSeries {
    let bars = series.bars();
    let mut mirror = CandleSeries::new(Interval::M15);
    for Candle { open_time, open, high, low, close, volume } in (0..bars.len()).map(|i| bars.get(i)) {
        let of = |price: f64| 2.0 * around - price;
        mirror.push(Candle {
            open_time,
            open: of(open),
            high: of(low),
            low: of(high),
            close: of(close),
            volume,
        });
    }
    mirror
}

/// A level in ATR, in percent that candles around 1,000 hit exactly, or off.
fn level(atr: impl Strategy<Value = f64> + 'static) -> impl Strategy<Value = (Option<f64>, Option<f64>)> {
    prop_oneof![
        3 => atr.prop_map(|atr| (Some(atr), None)),
        2 => (2_u8..=50).prop_map(|steps| (None, Some(f64::from(steps) / 10.0))),
        1 => Just((None, None)),
    ]
}

/// Rules with every mechanism on or off, in steps that candles hit exactly.
fn rule() -> impl Strategy<Value = ExitRule> {
    let half = |most: u8| (1..=most).prop_map(|n| f64::from(n) / 2.0);
    let maybe = |most: u8| prop::option::of((1..=most).prop_map(|n| f64::from(n) / 2.0));
    let trailing_atr = prop::option::of((half(6), (0_u8..=6).prop_map(|n| f64::from(n) / 2.0)));
    let tenths = |least: u8, most: u8| (least..=most).prop_map(|n| f64::from(n) / 10.0);
    let trailing_pct = (tenths(2, 30), tenths(0, 30), prop::sample::select(vec![0.0, 1.0]));
    let trailing = prop_oneof![
        2 => trailing_atr.prop_map(|atr| (atr, None)),
        1 => trailing_pct.prop_map(|percent| (None, Some(percent))),
    ];
    let first = (level(half(6)), prop::sample::select(vec![25.0, 50.0, 80.0]));
    let base = (
        level(half(10)),
        level(half(8)),
        prop::option::of(prop::sample::select(vec![2.0, 5.0])),
        (1_u8..=12).prop_map(f64::from),
    );
    let rest = (level(half(6)), prop::option::of(0.25..3.0_f64), prop::option::of(0.2..3.0_f64), maybe(6));
    let more = (staircase(), any::<bool>());
    (base, trailing, first, rest, more).prop_map(|(base, trailing, first, rest, (roi, follows))| {
        let (target, stop, leverage, hold_hours) = base;
        let (break_even, dynamic_strength, hard_stop_pct, surge_factor) = rest;
        let (trailing_atr, trailing_pct) = trailing;
        let (first_target, close) = first;
        let rule = ExitRule {
            trailing_distance_atr: trailing_atr.map(|(distance, _)| distance),
            trailing_activation_atr: trailing_atr.map(|(_, activation)| activation),
            trailing_pct: trailing_pct.map(|(distance, ..)| distance),
            trailing_offset_pct: trailing_pct.map(|(_, offset, _)| offset),
            trailing_only_offset: trailing_pct.map(|(.., only)| only),
            first_target_atr: first_target.0,
            first_target_at_pct: first_target.1,
            first_target_pct: Some(close),
            break_even_atr: break_even.0,
            break_even_pct: break_even.1,
            dynamic_strength,
            hard_stop_pct,
            surge_factor,
            exit_signal: follows.then_some(1.0),
            take_profit_atr: target.0,
            take_profit_pct: target.1,
            stop_atr: stop.0,
            stop_loss_pct: stop.1,
            leverage,
            hold_hours,
            ..roi
        };
        rule.normalised()
    })
}

/// A staircase, or none: falling to a floor, or row by row; steps between candles and in disorder too.
fn staircase() -> impl Strategy<Value = ExitRule> {
    let percent = || (0_u8..=30).prop_map(|n| f64::from(n) / 10.0);
    let minutes = || (1_u16..=700).prop_map(f64::from);
    let plain = ExitRule::holding(0.0);
    let from = prop::option::of((1_u8..=40).prop_map(|n| f64::from(n) / 10.0));
    let falling = ((1_u8..=40).prop_map(|n| f64::from(n) / 10.0), minutes(), percent());
    prop_oneof![
        2 => Just(plain),
        1 => falling.prop_map(move |(roi_pct, minutes, floor)| ExitRule {
            roi_pct: Some(roi_pct),
            roi_decay_minutes: Some(minutes),
            roi_floor_pct: Some(floor),
            ..plain
        }),
        1 => (from, prop::collection::vec((minutes(), percent()), 1..=5)).prop_map(move |(roi_pct, rows)| {
            let row = |n: usize| rows.get(n).map_or((None, None), |(minutes, percent)| (Some(*minutes), Some(*percent)));
            let mut rule = ExitRule { roi_pct, ..plain };
            (rule.roi_minutes_2, rule.roi_pct_2) = row(0);
            (rule.roi_minutes_3, rule.roi_pct_3) = row(1);
            (rule.roi_minutes_4, rule.roi_pct_4) = row(2);
            (rule.roi_minutes_5, rule.roi_pct_5) = row(3);
            (rule.roi_minutes_6, rule.roi_pct_6) = row(4);
            rule
        }),
    ]
}

fn outcomes(rules: &[ExitRule], position: &Position<'_>, costs: &TradeCosts) -> Vec<Outcome> {
    let plan = ExitPlan::new(rules.to_vec(), Interval::M15).expect("sound rules");
    let mut found = Outcomes::new(rules.len());
    plan.pass().outcomes(position, costs, &mut found);
    found.row(0).iter().copied().collect()
}

fn side(long: bool) -> Direction {
    if long { Direction::Long } else { Direction::Short }
}

fn costs() -> TradeCosts {
    Costs::default().of(&Symbol::parse("BTCUSDT").expect("a name"))
}

/// Costs that pay: a rebate for resting fills, and income from funding.
fn paid() -> TradeCosts {
    let costs = Costs { maker_fee: -0.002, funding_per_8h: -0.003, ..Costs::default() };
    costs.of(&Symbol::parse("XAAUSDT").expect("a name"))
}

fn free() -> TradeCosts {
    Costs::free().of(&Symbol::parse("BTCUSDT").expect("a name"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn one_pass_equals_the_plain_walk(
        // Some end before the longest holding time does.
        steps in (26_usize..76).prop_flat_map(steps),
        mut rules in prop::collection::vec(rule(), 1..8),
        long in any::<bool>(),
        score in prop::option::of(50.0..100.0_f64),
        start in prop::sample::select(vec![0, 3, 25]),
        is_paid in any::<bool>(),
        exit_at in prop::option::of(1_u16..60),
    ) {
        let series = series(&steps);
        // Rules that share a plan with others, and with themselves without mechanisms.
        rules.push(ExitRule::of_first(rules[0].first()));
        let (costs, direction, atr) = (if is_paid { paid() } else { costs() }, side(long), 8.0);
        let position = Position { bars: series.bars(), entry: start, direction, atr, score, exit_at };
        let found = outcomes(&rules, &position, &costs);
        let walk = Walk { bars: series.bars(), start, direction, atr, score, exit_at, costs: &costs };
        for (rule, found) in rules.iter().zip(found) {
            prop_assert_eq!(found, walk.outcome(rule), "{:?}", rule);
        }
    }

    /// A grid as spaces make it: rules side by side share races and holding times, one pass follows many positions.
    #[test]
    fn a_pass_used_again_over_a_grid_equals_the_plain_walk(
        steps in (30_usize..80).prop_flat_map(steps),
        kinds in prop::collection::vec(rule(), 1..4),
        targets in prop::collection::vec(0.5..4.0_f64, 1..4),
        // As many as are run side by side, and more.
        stops in prop_oneof![3 => prop::collection::vec(0.5..3.0_f64, 1..4), 1 => prop::collection::vec(0.5..3.0_f64, 7..20)],
        starts in prop::collection::vec((0_usize..30, any::<bool>(), prop::option::of(1_u16..50)), 1..5),
        is_paid in any::<bool>(),
    ) {
        let series = series(&steps);
        let holds = kinds.iter().flat_map(|kind| [1.0, 4.0, 12.0].map(|hold_hours| ExitRule { hold_hours, ..*kind }));
        let far = |kind: &ExitRule| 5.0 + kind.first_target_atr.unwrap_or(0.0);
        // Each level in the unit of its kind; what is off stays so.
        let with_target = |kind: ExitRule, more: f64| ExitRule {
            take_profit_atr: kind.take_profit_atr.map(|_| far(&kind) + more),
            take_profit_pct: kind.take_profit_pct.map(|_| kind.first_target_at_pct.unwrap_or(0.0) + more),
            ..kind
        };
        let with_stop = |kind: ExitRule, stop: f64| ExitRule {
            stop_atr: kind.stop_atr.map(|_| stop),
            stop_loss_pct: kind.stop_loss_pct.map(|_| stop / 2.0),
            ..kind
        };
        let rules: Vec<ExitRule> = holds
            .flat_map(|kind| targets.iter().map(move |more| with_target(kind, *more)))
            .flat_map(|kind| stops.iter().map(move |stop| with_stop(kind, *stop)))
            .map(ExitRule::normalised)
            .collect();
        let (costs, atr, score) = (if is_paid { paid() } else { costs() }, 2.0, Some(80.0));
        let plan = ExitPlan::new(rules.clone(), Interval::M15).expect("sound rules");
        let (mut pass, mut found) = (plan.pass(), Outcomes::new(rules.len()));
        for (row, (start, long, exit_at)) in starts.into_iter().enumerate() {
            let direction = side(long);
            let position = Position { bars: series.bars(), entry: start, direction, atr, score, exit_at };
            pass.outcomes(&position, &costs, &mut found);
            let walk = Walk { bars: series.bars(), start, direction, atr, score, exit_at, costs: &costs };
            for (rule, found) in rules.iter().zip(found.row(row).iter()) {
                prop_assert_eq!(*found, walk.outcome(rule), "{:?}", rule);
            }
        }
    }

    /// Where ATR is a share of the price, a multiple of it is a percentage of the price, whatever the leverage is: 1/128 of the
    /// price, so that both are exact.
    #[test]
    fn percent_and_atr_agree_where_atr_is_a_share_of_the_price(
        steps in steps(72),
        levels in prop::collection::vec((1_u8..=8, 1_u8..=8, 1_u8..=12, prop::array::uniform4(0_u8..=8)), 1..6),
        leverage in prop::sample::select(vec![None, Some(2.0), Some(4.0)]),
        long in any::<bool>(),
    ) {
        let series = series(&steps);
        let bars = series.bars();
        let direction = side(long);
        let position = Position { bars, entry: 22, direction, atr: bars.open[22] / 128.0, score: None, exit_at: None };
        let of_stake = |multiple: f64| Some(multiple * 100.0 / 128.0 * leverage.unwrap_or(1.0));
        let in_atr = |(target, stop, hours, more): &(u8, u8, u8, [u8; 4])| {
            let [trailing, offset, first, even] = more.map(|value| Some(f64::from(value)).filter(|at| *at > 0.0));
            let rule = ExitRule {
                trailing_distance_atr: trailing,
                trailing_activation_atr: trailing.map(|_| offset.unwrap_or(0.0)),
                first_target_atr: first,
                first_target_pct: Some(50.0),
                break_even_atr: even,
                ..ExitRule::of_first([*target, *stop, *hours].map(f64::from))
            };
            rule.normalised()
        };
        let atr: Vec<ExitRule> = levels.iter().map(in_atr).collect();
        let percent = |rule: &ExitRule| ExitRule {
            take_profit_pct: rule.take_profit_atr.and_then(of_stake),
            stop_loss_pct: rule.stop_atr.and_then(of_stake),
            trailing_pct: rule.trailing_distance_atr.and_then(of_stake),
            trailing_offset_pct: rule.trailing_activation_atr.and_then(of_stake),
            trailing_only_offset: rule.trailing_distance_atr.map(|_| 1.0),
            first_target_at_pct: rule.first_target_atr.and_then(of_stake),
            first_target_pct: rule.first_target_pct,
            break_even_pct: rule.break_even_atr.and_then(of_stake),
            leverage,
            ..ExitRule::holding(rule.hold_hours)
        };
        let percent: Vec<ExitRule> = atr.iter().map(percent).collect();
        prop_assert_eq!(outcomes(&atr, &position, &costs()), outcomes(&percent, &position, &costs()));
        // And in one plan, where levels of both units are sorted position by position.
        let both: Vec<ExitRule> = atr.iter().chain(&percent).copied().collect();
        let found = outcomes(&both, &position, &costs());
        prop_assert_eq!(&found[..atr.len()], &found[atr.len()..]);
    }

    #[test]
    fn candles_after_the_exit_do_not_matter(
        steps in steps(72), other in steps(72), rule in rule(), long in any::<bool>(),
    ) {
        let (direction, atr, costs) = (side(long), 8.0, costs());
        let outcome = |series: &CandleSeries| {
            let position = Position { bars: series.bars(), entry: 22, direction, atr, score: Some(90.0), exit_at: Some(9) };
            outcomes(&[rule], &position, &costs)[0]
        };
        let real = outcome(&series(&steps));
        let known = 22 + usize::from(real.bars_held);
        let mixed: Vec<Step> = steps[..known].iter().chain(&other[known..]).copied().collect();
        prop_assert_eq!(outcome(&series(&mixed)), real);
    }

    #[test]
    fn a_long_and_the_mirrored_short_end_alike(steps in steps(72), rules in prop::collection::vec(rule(), 1..5)) {
        let long = series(&steps);
        let short = mirrored(&long, long.bars().open[22]);
        let follow = |series: &CandleSeries, direction| {
            let position = Position { bars: series.bars(), entry: 22, direction, atr: 8.0, score: Some(60.0), exit_at: None };
            outcomes(&rules, &position, &free())
        };
        for (long, short) in follow(&long, Direction::Long).iter().zip(follow(&short, Direction::Short)) {
            prop_assert_eq!(
                (long.reason, long.bars_held, long.ambiguous), (short.reason, short.bars_held, short.ambiguous)
            );
            // The last bits of a share of the entry may differ between the sides.
            prop_assert!((long.net.0 - short.net.0).abs() <= 1 && (long.best_case.0 - short.best_case.0).abs() <= 1);
        }
    }

    #[test]
    fn the_best_case_is_no_worse(steps in steps(72), rule in rule(), long in any::<bool>()) {
        let series = series(&steps);
        let position =
            Position { bars: series.bars(), entry: 22, direction: side(long), atr: 8.0, score: None, exit_at: None };
        let outcome = outcomes(&[rule], &position, &free())[0];
        prop_assert!(outcome.best_case >= outcome.net && (outcome.ambiguous || outcome.best_case == outcome.net));
    }
}

/// Net in ppm, best case in ppm, reason of a long from 100 with an ATR of 1, free of costs.
fn long_from_100(rule: ExitRule, score: Option<f64>, candles: &[[f64; 4]]) -> (i32, i32, ExitReason) {
    let candle = |(i, [open, high, low, close]): (usize, &[f64; 4])| Candle {
        open_time: i as i64 * Interval::M15.ms(),
        open: *open,
        high: *high,
        low: *low,
        close: *close,
        volume: if i == 21 { 50.0 } else { 10.0 },
    };
    let mut series = CandleSeries::new(Interval::M15);
    candles.iter().enumerate().map(candle).for_each(|candle| series.push(candle));
    let rule = ExitRule { hold_hours: candles.len() as f64 / 4.0, ..rule };
    let position = Position {
        bars: series.bars(),
        entry: 0,
        direction: Direction::Long,
        atr: 1.0,
        score,
        exit_at: None,
    };
    let outcome = outcomes(&[rule], &position, &free())[0];
    assert_eq!(outcome.ambiguous, outcome.best_case != outcome.net);
    (outcome.net.0, outcome.best_case.0, outcome.reason)
}

#[test]
fn mechanisms_fill_as_documented() {
    use ExitReason::{BreakEven, Roi, RoiStep, Stop, StopGap, TakeProfit, TrailingStop, VolumeSurge};
    let plain = ExitRule::new(5.0, 2.0, 1.0);
    let trailing = ExitRule { trailing_distance_atr: Some(1.0), trailing_activation_atr: Some(1.0), ..plain };
    let partial = ExitRule { first_target_atr: Some(1.0), first_target_pct: Some(50.0), ..plain };
    let partial_safe = ExitRule { break_even_atr: Some(1.0), ..partial };
    let hard = ExitRule { hard_stop_pct: Some(1.0), ..plain };
    let dynamic = ExitRule { dynamic_strength: Some(1.0), ..plain };
    const UP: [f64; 4] = [100.0, 101.5, 99.5, 101.2];
    let case = |rule, next: [f64; 4]| long_from_100(rule, None, &[UP, next]);
    // A closed candle's high moves the trail to 100.5; the exit candle's own high would only do so in the best case.
    assert_eq!(case(trailing, [101.2, 101.3, 100.4, 100.6]), (5_000, 5_000, TrailingStop));
    assert_eq!(case(trailing, [101.2, 104.0, 100.4, 103.0]), (5_000, 30_000, TrailingStop));
    // An open is known before the rest of its candle.
    assert_eq!(case(trailing, [103.0, 103.0, 101.9, 102.0]), (20_000, 20_000, TrailingStop));
    assert_eq!(case(trailing, [100.2, 101.0, 100.1, 100.9]), (2_000, 2_000, StopGap));
    assert_eq!(case(trailing, [105.5, 106.0, 101.0, 102.0]), (50_000, 50_000, TakeProfit));
    // A first profit of exactly the activation is not beyond it.
    assert_eq!(
        long_from_100(trailing, None, &[[100.0, 101.0, 99.5, 100.0], [100.0, 100.0, 98.0, 98.0]]).2,
        Stop
    );
    // Half at 101, half at the stop; half at 101, half at the entry.
    assert_eq!(case(partial, [101.2, 101.3, 97.0, 98.0]), (-5_000, -5_000, Stop));
    assert_eq!(case(partial_safe, [101.2, 101.3, 97.0, 98.0]), (5_000, 5_000, BreakEven));
    assert_eq!(case(partial_safe, [101.2, 106.0, 101.0, 105.0]), (30_000, 30_000, TakeProfit));
    // Target and stop in one candle: the stop first, unless the best case is asked for.
    let both = |rule| long_from_100(rule, None, &[[100.0, 101.5, 97.5, 98.0]]);
    assert_eq!(both(partial), (-20_000, -5_000, Stop));
    assert_eq!(both(partial_safe), (-20_000, 5_000, Stop));
    // The nearer of stop and hard stop; the score scales stop and target.
    assert_eq!(case(hard, [101.2, 101.3, 97.0, 98.0]), (-10_000, -10_000, Stop));
    let scored = |score| long_from_100(dynamic, score, &[UP, [101.2, 101.3, 97.0, 98.0]]).0;
    assert_eq!([Some(85.0), Some(75.0), Some(70.0), None].map(scored), [-24_000, -20_000, -18_000, -20_000]);
    // A target of the staircase is filled at its level, and at the open where its step begins beyond it.
    let stairs = ExitRule { roi_pct: Some(3.0), roi_minutes_2: Some(15.0), roi_pct_2: Some(1.0), ..plain };
    assert_eq!(case(stairs, [101.2, 101.3, 100.4, 100.6]), (12_000, 12_000, RoiStep));
    assert_eq!(case(stairs, [100.9, 101.3, 100.4, 100.6]), (10_000, 10_000, Roi));
    assert_eq!(
        case(stairs, [100.9, 101.0, 100.4, 100.6]).2,
        ExitReason::Time,
        "reached is not traded through"
    );
    assert_eq!(case(stairs, [100.9, 101.3, 98.0, 98.6]), (-20_000, 10_000, Stop));
    let later = ExitRule { roi_minutes_2: Some(14.0), ..stairs };
    assert_eq!(case(later, [101.2, 101.3, 100.4, 100.6]).2, RoiStep, "in force from the next candle on");
    let gap = [[100.0, 100.5, 99.5, 100.2], [100.2, 100.8, 99.9, 100.5], [104.0, 104.5, 103.0, 103.5]];
    assert_eq!(long_from_100(stairs, None, &gap), (10_000, 10_000, Roi), "a target is not filled better");
    // The 22nd candle falls on five times the usual volume.
    let surge = ExitRule { surge_factor: Some(4.0), ..plain };
    let mut candles = vec![[100.0, 100.5, 99.5, 99.9]; 24];
    assert_eq!(long_from_100(surge, None, &candles), (-1_000, -1_000, VolumeSurge));
    candles[21] = [100.0, 100.5, 99.5, 100.1];
    assert_eq!(long_from_100(surge, None, &candles).2, ExitReason::Time, "a rise is not against a long");
}

/// A grid with every mechanism off and on.
const MECHANISMS: &str = "[style.STYLE.space]\natr_tp_multiplier = 3.0\natr_stop_multiplier = 1.5\n\
    max_holding_hours = 12\ntrailing_stop_distance = [\"off\", 0.8, 1.6]\ntp1_atr_multiplier = [\"off\", 1.0]\n\
    tp1_close_pct = [30, 70]\nbreakeven_atr = [\"off\", \"tp1\", 2.0]\ndynamic_atr_strength = [\"off\", 1.0]\n\
    hard_stop_pct = [\"off\", 0.4]\nvolume_surge_exit = [\"off\", 2.0]\n";

/// Levels in percent beside those in ATR, and without.
const PERCENT: &str = "[style.STYLE.space]\natr_tp_multiplier = [3.0, \"off\"]\ntake_profit_pct = [4.0]\n\
    stop_loss_pct = [2.0, \"off\"]\ntrailing_pct = [1.0, \"off\"]\ntrailing_offset_pct = [0, 2]\n\
    trailing_only_offset_is_reached = [true, false]\ntp1_pct = [1.5, \"off\"]\nbreakeven_pct = [\"off\", \"tp1\", 2.5]\n\
    leverage = 2\nmax_holding_hours = 12\n";

/// Staircases of targets, in place of a take-profit.
const STAIRS: &str = "[style.STYLE.space]\natr_tp_multiplier = \"off\"\nroi_pct = [1.0, 3.0]\nroi_decay_minutes = [30, 240]\n\
    roi_floor_pct = [0.0, 0.5]\nmax_holding_hours = 12\n";
/// The same row by row, some of them at a time.
const ROWS: [&str; 2] = [
    "[style.STYLE.space]\natr_stop_multiplier = 1.5\nmin_signal_score = 40\nroi_2_minutes = [15, 30]\nroi_2_pct = [0.6, 0.9]\n\
     roi_3_minutes = [60, 90]\nroi_3_pct = [0.4, 0.5]\nmax_holding_hours = 12\n",
    "[style.STYLE.space]\natr_stop_multiplier = 1.5\nmin_signal_score = 40\nroi_4_minutes = [60, 120]\nroi_4_pct = [1.5, 2.0]\n\
     roi_5_minutes = [150, 210]\nroi_5_pct = [0.8, 1.2]\nroi_6_minutes = [240, 420]\nroi_6_pct = [0.0, 0.4]\n\
     max_holding_hours = 12\n",
];

fn run(data: &Path, space: &str, symbols: Option<&[&str]>) -> RunReport {
    let both = Style::ALL.map(|style| space.replace("STYLE", style.as_str())).concat();
    let config = Config::from_texts(&[("test".to_owned(), both)]).expect("sound");
    let mut plan = config.plan(&Style::ALL, DayLimits::default()).expect("sound");
    plan.search.trades_min = 5;
    plan.days.window_days = Some(200);
    plan.symbols = symbols.map(|names| names.iter().filter_map(|name| Symbol::parse(name)).collect());
    let options =
        RunOptions { cache_bytes: 0, ..RunOptions::over(vec![data.to_path_buf()], 1_767_225_600_000) };
    incremental(&plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run")
}

fn assert_alive(report: &RunReport, keys: &[&str]) {
    for style in &report.styles {
        for key in keys {
            let axis = style.study.importances.iter().find(|axis| axis.key == *key);
            let axis = axis.unwrap_or_else(|| panic!("{}: {key} is an axis", style.style));
            assert!(axis.effect > 0.0 && axis.share > 0.0, "{}: {key} changes nothing", style.style);
        }
    }
}

#[test]
fn every_mechanism_changes_results() {
    let is_told = |key: &&str| !["trailing_stop_activation", "leverage", "exit_signal"].contains(key);
    let of_stake = [ExitUnit::PercentOfStake, ExitUnit::Switch, ExitUnit::Minutes];
    let is_row = |key: &&str| {
        key.starts_with("roi_")
            && key.ends_with(|c: char| c.is_ascii_alphabetic())
            && key.contains(|c: char| c.is_ascii_digit())
    };
    let in_atr = |key: &&str| ExitAxis::named(key).is_some_and(|axis| !of_stake.contains(&axis.unit));
    let keys: Vec<&str> = EXIT_AXES[3..].iter().map(|axis| axis.key).filter(is_told).collect();
    let (mechanisms, percent): (Vec<&str>, Vec<&str>) = keys.into_iter().partition(in_atr);
    let sample = crate::pipeline::sample_dir();
    assert_alive(&run(&sample, MECHANISMS, None), &mechanisms);
    let (rows, percent): (Vec<&str>, Vec<&str>) = percent.into_iter().partition(is_row);
    let (stairs, percent): (Vec<&str>, Vec<&str>) =
        percent.into_iter().partition(|key| key.starts_with("roi_"));
    assert_alive(&run(&sample, PERCENT, None), &percent);
    assert_alive(&run(&sample, STAIRS, None), &stairs);
    let (first, later): (Vec<&str>, Vec<&str>) = rows.into_iter().partition(|key| ROWS[0].contains(key));
    assert_alive(&run(&sample, ROWS[0], None), &first);
    assert_alive(&run(&sample, ROWS[1], None), &later);
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/candles/binance-spot");
    if real.exists() {
        assert_alive(&run(&real, MECHANISMS, Some(&["BTCUSDT", "DOGEUSDT"])), &mechanisms);
    }
}

proptest! {
    /// The condition of `FRAGILE_COST`: what breaks even at so many times the costs loses beyond, and not before.
    #[test]
    fn the_cost_buffer_says_what_all_costs_may_rise_by(
        trades in prop::collection::vec((any::<bool>(), 0..3_usize, -60..=70_i32, 0..30_i64), 5..40),
        taker in 0.0..0.001_f64, slippage in 0.0..0.002_f64, funding in -0.0002..0.0005_f64,
        factor in prop::sample::select(vec![0.5, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0]),
    ) {
        let total = |times: f64| {
            let costs = Costs {
                taker_fee: taker * times,
                maker_fee: 0.0002 * times,
                slippage_other: slippage * times,
                funding_per_8h: funding * times,
                majors: Vec::new(),
                ..Costs::default()
            };
            let costs = costs.of(&Symbol::parse("XAAUSDT").expect("a name"));
            let reasons = [ExitReason::TakeProfit, ExitReason::Stop, ExitReason::Time];
            trades.iter().fold((0.0, 0.0), |(gross, net), (long, reason, bps, hours)| {
                let price = 100.0 * (1.0 + f64::from(*bps) / 10_000.0);
                let fill = Fill { price, reason: reasons[*reason], held_until_ms: hours * 3_600_000 };
                let (own_gross, own_net) = costs.open(side(*long), 100.0, 0).result(fill);
                (gross + own_gross, net + own_net)
            })
        };
        let (gross, net) = total(1.0);
        let at_factor = total(factor).1;
        // Slippage of slippage is all that is not proportional: some millionths of a trade.
        let tolerance = 3e-5 * trades.len() as f64;
        match cost_buffer(gross, net) {
            Some(buffer) if buffer > factor => prop_assert!(at_factor > -tolerance, "{buffer} {at_factor}"),
            Some(_) => prop_assert!(at_factor < tolerance, "{at_factor}"),
            None => prop_assert!(net >= gross),
        }
    }
}

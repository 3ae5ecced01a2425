//! What a missing candle costs, and that it costs the same whether days are taken in one by one or at once.

use retune::engine::plan::Plan;
use retune::exits::{Costs, ExitPlan, Position};
use retune::model::{
    Candle, CandleSeries, DAY_MS, Day, Direction, ExitReason, ExitRule, Interval, Outcomes, Symbol,
};

use crate::command::{optimizer, text};
use crate::incremental::{Lab, plan_of, sample};

const STEP: i64 = 900_000;

/// Few sets and no tests against luck: what is asked is whether units are what they are from scratch.
fn plan() -> Plan {
    let space = |style: &str, hours: &str| {
        format!(
            "[style.{style}.space]\natr_tp_multiplier = [1.0, 3.0]\natr_stop_multiplier = [1.5]\nmax_holding_hours = {hours}\nmin_risk_reward = 0.5\n"
        )
    };
    plan_of(&format!(
        "[validate]\nquick = true\nmin_out_of_sample_trades = 2\n{}{}",
        space("scalping", "[4, 12]"),
        space("swing", "[24, 60]")
    ))
}

struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as i64 % bound
    }
}

/// A symbol whose candles are there or missing, on the scale of the day.
struct Market {
    name: String,
    candles: Vec<Candle>,
    missing: Vec<bool>,
    scale: f64,
}

impl Market {
    fn place(&self, time_ms: i64) -> usize {
        self.candles.partition_point(|candle| candle.open_time < time_ms)
    }

    fn set_missing(&mut self, from_ms: i64, candles: i64, missing: bool) {
        let (from, to) = (self.place(from_ms), self.place(from_ms + candles * STEP));
        self.missing[from..to].fill(missing);
    }

    /// All candles from an instant on are counted in another scale.
    fn rescale(&mut self, from_ms: i64) {
        let from = self.place(from_ms);
        let scale = self.scale;
        for candle in &mut self.candles[from..] {
            let Candle { open, high, low, close, volume, .. } = candle;
            [open, high, low, close].into_iter().for_each(|price| *price *= scale);
            *volume /= scale;
        }
        self.scale = 1.0 / scale;
    }

    fn series(&self) -> (String, CandleSeries) {
        let kept = self.candles.iter().zip(&self.missing).filter(|(_, missing)| !**missing);
        (self.name.clone(), kept.map(|(candle, _)| *candle).collect())
    }
}

#[test]
fn missing_days_partial_days_and_late_repairs_give_what_runs_from_scratch_give() {
    let plan = plan();
    for seed in 1..=4 {
        let lab = Lab::new();
        let mut draw = Draw(seed);
        let mut markets: Vec<Market> = sample()
            .into_iter()
            .take(2)
            .map(|(name, series)| {
                let candles: Vec<Candle> = (0..series.bars().len()).map(|i| series.bars().get(i)).collect();
                Market { name, missing: vec![false; candles.len()], candles, scale: 1000.0 }
            })
            .collect();
        let start = Day::of(markets[0].candles[0].open_time).0 + 62;
        for step in 0..16 {
            let today = Day(start + step).start_ms();
            for market in &mut markets {
                let within = draw.below(96) * STEP;
                match draw.below(9) {
                    0 => market.set_missing(today - DAY_MS, 96, true),
                    1 => market.set_missing(today - DAY_MS + within, 1, true),
                    2 => market.set_missing(today - DAY_MS + within, 1 + draw.below(40), true),
                    3 => market.set_missing(today - 4 * DAY_MS + within, 192, true),
                    // What was missing comes late, in part or as a whole.
                    4 => market.set_missing(today - 9 * DAY_MS + within, 96 * 4, false),
                    5 => market.set_missing(today - 6 * DAY_MS, 30 * (1 + draw.below(20)), false),
                    6 => market.rescale(today - DAY_MS + within),
                    // A symbol that stops, and may go on.
                    7 => market.set_missing(today - 12 * DAY_MS, 96 * 12, true),
                    _ => {}
                }
            }
            let known: Vec<_> = markets.iter().map(Market::series).collect();
            lab.write(&known, today);
            lab.run_as_from_scratch(&plan, &format!("seed {seed}, step {step}"));
        }
    }
}

/// Free of costs, so that a plain loop needs prices only.
const FREE: &str = "[costs]\ntaker_fee_pct = 0.0\nmaker_fee_pct = 0.0\nslippage_major_pct = 0.0\nslippage_other_pct = 0.0\n\
    funding_pct_per_8h = 0.0\n[search]\nmin_trades = 1\n[validate]\nmin_out_of_sample_trades = 1\n[style.scalping.space]\n\
    atr_tp_multiplier = 2.0\natr_stop_multiplier = 1.0\nmax_holding_hours = 8\n";

/// Candles that follow each other price by price, with an ATR of about one.
fn walk(seed: u64, candles: i64) -> Vec<Candle> {
    let (mut draw, mut price) = (Draw(seed), 2_000.0);
    let start = Day::parse("20250101").expect("a day").start_ms();
    let candle = |index: i64| {
        let open: f64 = price;
        price = (open + (draw.below(1_201) - 600) as f64 / 1_000.0).max(500.0);
        let wick = |draw: &mut Draw| draw.below(400) as f64 / 1_000.0;
        let (high, low) = (open.max(price) + wick(&mut draw), open.min(price) - wick(&mut draw));
        Candle { open_time: start + index * STEP, open, high, low, close: price, volume: 5.0 }
    };
    (0..candles).map(candle).collect()
}

/// What a plain loop makes of given signals.
#[derive(Debug, Default, PartialEq)]
struct Plain {
    trades: u64,
    cut: u64,
    no_entry: u64,
    rescaled: u64,
    total_ppm: i64,
}

/// Follows signals (time, whether long) of ATR 1 to a target of 2 and a stop of 1, for 8 hours; a new scale begins at an instant.
fn plain(candles: &[Candle], signals: &[(i64, bool)], scale_ms: Option<i64>) -> Plain {
    let mut plain = Plain::default();
    for (time_ms, long) in signals {
        let side = if *long { 1.0 } else { -1.0 };
        let from = candles.partition_point(|candle| candle.open_time < *time_ms);
        let Some(first) = candles.get(from).filter(|candle| candle.open_time == *time_ms) else {
            plain.no_entry += 1;
            continue;
        };
        let run = candles[from..].iter().zip(0..32).take_while(|(c, i)| c.open_time == time_ms + i * STEP);
        let run: Vec<&Candle> = run.map(|(candle, _)| candle).collect();
        let ends_ms = time_ms + run.len() as i64 * STEP;
        if scale_ms.is_some_and(|scale_ms| (*time_ms..ends_ms).contains(&scale_ms)) {
            plain.rescaled += 1;
            continue;
        }
        let (entry, mut exit) = (first.open, None);
        for candle in &run {
            let (best, worst) = if *long { (candle.high, candle.low) } else { (candle.low, candle.high) };
            let (stop, target) = (entry - side, entry + 2.0 * side);
            if side * candle.open < side * stop {
                exit = Some(candle.open);
            } else if side * candle.open > side * target {
                exit = Some(target);
            } else if side * worst <= side * stop {
                exit = Some(stop);
            } else if side * best > side * target {
                exit = Some(target);
            }
            if exit.is_some() {
                break;
            }
        }
        plain.cut += u64::from(exit.is_none() && run.len() < 32);
        let exit = exit.unwrap_or_else(|| run[run.len() - 1].close);
        plain.trades += 1;
        plain.total_ppm += (side * (exit - entry) / entry * 1e6).round() as i64;
    }
    plain
}

/// A folder with candles, signals and a configuration.
struct Place(tempfile::TempDir);

impl Place {
    fn new(candles: &[Candle], signals: &[(i64, bool)]) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        let mut text = "open_time,open,high,low,close,volume\n".to_owned();
        for Candle { open_time, open, high, low, close, volume } in candles {
            text += &format!("{open_time},{open},{high},{low},{close},{volume}\n");
        }
        std::fs::create_dir(place.path("data")).expect("a folder");
        std::fs::write(place.path("data/XAAUSDT-15m.csv"), text).expect("written");
        let row = |(time, long): &(i64, bool)| {
            format!("XAAUSDT,{time},{},scalping,1.0\n", if *long { "long" } else { "short" })
        };
        let rows: String = signals.iter().map(row).collect();
        std::fs::write(place.path("signals.csv"), format!("symbol,time,direction,style,atr\n{rows}"))
            .expect("written");
        std::fs::write(place.path("optimizer.toml"), FREE).expect("written");
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, more: &[&str]) -> std::process::Output {
        let mut command = optimizer();
        command.arg("incremental").arg("--config").arg(self.path("optimizer.toml"));
        command.arg("--data").arg(self.path("data")).arg("--signals").arg(self.path("signals.csv"));
        command.args(["--style", "scalping", "--progress", "none", "--window", "all", "-v"]).args(more);
        command.output().expect("it can be started")
    }

    /// Returns what a run says of its only set, and its text.
    fn found(&self) -> (Plain, String) {
        let json = self.run(&["--no-save", "--json", "--exit-zero"]);
        let document: serde_json::Value = serde_json::from_slice(&json.stdout).expect("a document");
        let style = &document["data"]["styles"]["scalping"];
        let number = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
        let metrics = &style["decision"]["candidate"]["metrics"];
        let total_ppm = (metrics["total_return_pct"].as_f64().unwrap_or(f64::NAN) * 10_000.0).round() as i64;
        let unused = &style["unused_signals"];
        let found = Plain {
            trades: number(&metrics["trades"]),
            cut: number(&style["losses"]["XAAUSDT"]["cut"]),
            no_entry: number(&unused["no_entry"]),
            rescaled: number(&unused["rescaled"]),
            total_ppm,
        };
        (found, text(&self.run(&["--no-save", "--exit-zero"]).stdout))
    }
}

fn near(found: &Plain, wanted: &Plain) {
    let counts = |plain: &Plain| (plain.trades, plain.cut, plain.no_entry, plain.rescaled);
    assert_eq!(counts(found), counts(wanted));
    // Halves of a millionth may be rounded either way.
    assert!((found.total_ppm - wanted.total_ppm).unsigned_abs() <= wanted.trades, "{found:?}, {wanted:?}");
}

/// A signal every five hours, on either side in turn; those of the last day would wait for candles.
fn every_five_hours(candles: &[Candle]) -> Vec<(i64, bool)> {
    let last = candles.len() - 2 * 96;
    candles[..last].iter().step_by(20).skip(2).enumerate().map(|(i, c)| (c.open_time, i % 2 == 0)).collect()
}

#[test]
fn candles_that_an_exchange_omits_cost_only_what_they_leave_undecided() {
    let whole = walk(3, 60 * 96);
    let signals = every_five_hours(&whole);
    let mut draw = Draw(9);
    let omitted: Vec<Candle> = whole.iter().filter(|_| draw.below(60) > 0).copied().collect();
    let place = Place::new(&omitted, &signals);
    let wanted = plain(&omitted, &signals, None);
    assert!(
        wanted.cut > 15 && wanted.no_entry > 1 && wanted.trades + wanted.no_entry == signals.len() as u64
    );
    let (found, said) = place.found();
    near(&found, &wanted);
    assert!(
        said.contains(&format!("not used: {} without a candle at their entry", wanted.no_entry)),
        "{said}"
    );
    assert!(said.contains(&format!("{} closed at the last close before a gap", wanted.cut)), "{said}");
    // Declared as not traded they hold the last close.
    let mut filled: Vec<Candle> = Vec::new();
    for candle in &omitted {
        while let Some(last) = filled.last().copied().filter(|last| last.open_time + STEP < candle.open_time)
        {
            let (open_time, close) = (last.open_time + STEP, last.close);
            filled.push(Candle { open_time, open: close, high: close, low: close, close, volume: 0.0 });
        }
        filled.push(*candle);
    }
    let configuration = format!("{FREE}[data]\nempty_candles = \"flat\"\n");
    std::fs::write(place.path("optimizer.toml"), configuration).expect("written");
    let (found, _) = place.found();
    near(&found, &plain(&filled, &signals, None));
    assert_eq!((found.cut, found.no_entry), (0, 0));
    let stored = place.path("state");
    let stored = stored.to_str().expect("a name");
    place.run(&["--store", stored]);
    let shown = optimizer().args(["inspect", "run", "--store", stored]).output().expect("started");
    assert!(text(&shown.stdout).contains("x flat_candle: "), "{}", text(&shown.stdout));
}

#[test]
fn a_price_on_another_scale_is_told_and_no_trade_crosses_it() {
    let mut candles = walk(5, 60 * 96);
    let mut signals = every_five_hours(&candles);
    let at = 30 * 96 + 50;
    let scale_ms = candles[at].open_time;
    for candle in &mut candles[at..] {
        let Candle { open, high, low, close, .. } = candle;
        [open, high, low, close].into_iter().for_each(|price| *price *= 1000.0);
    }
    // Three on one day across it.
    signals.extend([1, 2, 3].map(|before| (scale_ms - before * STEP, false)));
    signals.retain(|(time_ms, _)| *time_ms < scale_ms);
    signals.sort_unstable();
    signals.dedup();
    let place = Place::new(&candles, &signals);
    let wanted = plain(&candles, &signals, Some(scale_ms));
    assert!(wanted.rescaled >= 4 && wanted.trades > 100);
    let (found, said) = place.found();
    near(&found, &wanted);
    assert!(said.contains(&format!("{} across a price in another scale", wanted.rescaled)), "{said}");
    let checked = optimizer().args(["check", "data"]).arg(place.path("data")).output().expect("started");
    assert!(
        text(&checked.stdout).contains("1 x scale_change: expected the price to go on"),
        "{}",
        text(&checked.stdout)
    );
    // Every later run goes on.
    let stored = place.path("state");
    let stored = stored.to_str().expect("a name");
    for _ in 0..2 {
        let run = place.run(&["--store", stored, "--exit-zero"]);
        assert!(run.status.success(), "{}", text(&run.stderr));
    }
}

#[test]
fn given_signals_of_which_none_is_used_are_an_error_with_the_reasons() {
    let candles = walk(7, 30 * 96);
    let hole = candles[1_000].open_time..candles[1_100].open_time;
    let kept: Vec<Candle> =
        candles.iter().filter(|candle| !hole.contains(&candle.open_time)).copied().collect();
    let place = Place::new(&kept, &[(hole.start + 4 * STEP, true), (hole.start - 400 * 96 * STEP, true)]);
    let run = place.run(&["--no-save"]);
    assert_eq!(run.status.code(), Some(4), "{}", text(&run.stderr));
    for reason in ["1 before the candles", "scalping: 1 without a candle at their entry"] {
        assert!(text(&run.stderr).contains(reason), "{}", text(&run.stderr));
    }
}

#[test]
fn holes_each_night_leave_most_of_what_is_derived() {
    let plan = plan();
    let symbols: Vec<_> = sample().into_iter().take(1).collect();
    let counted = |holed: bool| {
        let lab = Lab::new();
        let kept = |(name, series): &(String, CandleSeries)| {
            let bars = series.bars();
            let is_night = |i: &usize| (16..18).contains(&(bars.open_time[*i].rem_euclid(DAY_MS) / STEP));
            let candles = (0..bars.len()).filter(|i| !(holed && is_night(i))).map(|i| bars.get(i));
            (name.clone(), candles.collect())
        };
        lab.write(&symbols.iter().map(kept).collect::<Vec<_>>(), i64::MAX);
        lab.scratch(&plan).styles.iter().map(|style| style.signals).sum::<u64>()
    };
    let (whole, holed) = (counted(false), counted(true));
    assert!(holed * 10 >= whole * 8, "{holed} of {whole} signals are found");
}

/// Prices without an edge, a near target and a far stop, a gap a few hours after each entry: dropping what is undecided there keeps
/// the quick winners.
#[test]
fn dropping_what_a_gap_leaves_undecided_would_make_noise_earn_and_closing_it_does_not() {
    let plan = ExitPlan::new(vec![ExitRule::new(1.0, 3.0, 24.0)], Interval::M15).expect("a rule");
    let costs = Costs::free().of(&Symbol::parse("XAAUSDT").expect("a name"));
    let (mut all, mut decided) = (Vec::new(), Vec::new());
    for seed in 1..=3_000 {
        let series: CandleSeries = walk(seed, 16).into_iter().collect();
        let direction = if seed % 2 == 0 { Direction::Long } else { Direction::Short };
        let mut out = Outcomes::new(1);
        plan.pass().outcomes(
            &Position { bars: series.bars(), entry: 0, direction, atr: 2.0, score: None, exit_at: None },
            &costs,
            &mut out,
        );
        let outcome = out.row(0).of(0);
        all.push(f64::from(outcome.net.0));
        if outcome.reason != ExitReason::DataEnd {
            decided.push(f64::from(outcome.net.0));
        }
    }
    let t = |nets: &[f64]| {
        let mean = nets.iter().sum::<f64>() / nets.len() as f64;
        let square = nets.iter().map(|net| (net - mean).powi(2)).sum::<f64>() / nets.len() as f64;
        mean / (square / nets.len() as f64).sqrt()
    };
    assert!(t(&decided) > 10.0, "{} of {}: {}", decided.len(), all.len(), t(&decided));
    assert!(t(&all).abs() < 3.0, "{}", t(&all));
}

/// A coin that is no longer listed: what was open at its last candle counts, whenever that becomes known.
#[test]
fn the_last_trades_of_a_symbol_that_stops_count_at_its_last_close() {
    let plan = plan();
    let lab = Lab::new();
    let mut symbols: Vec<(String, CandleSeries)> = sample().into_iter().take(2).collect();
    let end = symbols[1].1.bars().open_time.last().copied().expect("candles") + STEP - 9 * DAY_MS;
    let cut = |series: &CandleSeries, until: i64| -> CandleSeries {
        let bars = series.bars();
        (0..bars.index_at(until)).map(|i| bars.get(i)).collect()
    };
    let whole = symbols[1].1.clone();
    symbols[1].1 = cut(&whole, end);
    let stops = |report: &retune::run::report::RunReport| {
        report.input.symbols[1].issues.iter().filter(|issue| issue.kind == "stopped").count()
    };
    let pending = |report: &retune::run::report::RunReport| {
        report.styles.iter().map(|style| style.pending).collect::<Vec<_>>()
    };
    let mut waited = Vec::new();
    for days in 0..=9 {
        lab.write(&symbols, end + days * DAY_MS);
        let run = lab.run_as_from_scratch(&plan, &format!("after {days} days"));
        assert_eq!(stops(&run), usize::from(days >= 7), "after {days} days");
        waited.push(pending(&run));
    }
    let both_wait = waited[1].iter().sum::<u64>();
    assert!(waited[8].iter().sum::<u64>() < both_wait, "{waited:?}");
    // The same question again is answered from memory, and says the same.
    lab.run_as_from_scratch(&plan, "again");
    // It goes on after all: then that was a gap.
    symbols[1].1 = {
        let bars = whole.bars();
        let kept = (0..bars.len()).filter(|i| !(end..end + 8 * DAY_MS).contains(&bars.open_time[*i]));
        kept.map(|i| bars.get(i)).collect()
    };
    lab.write(&symbols, i64::MAX);
    let run = lab.run_as_from_scratch(&plan, "after it went on");
    assert_eq!(stops(&run), 0);
}

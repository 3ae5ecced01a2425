//! Every base interval is a run of its own kind: signals come, names are true, nothing reads the future, and a run in
//! steps equals one at once.

use std::fmt::Write as _;
use std::path::Path;

use retune::engine::plan::Plan;
use retune::engine::projection::evaluate_day;
use retune::features::catalog::{FeatureColumn, FeatureView, column};
use retune::features::frame::{MarketSeries, lookback_days};
use retune::ingest::{ReadingOptions, SignalsFile};
use retune::model::{
    Bars, Candle, CandleSeries, DAY_MS, Day, Direction, Interval, Style, Symbol, Timeframes,
};
use retune::signals::candidates::candidates_of_day;
use retune::signals::given::given_of_day;

use crate::command::{optimizer, text};
use crate::incremental::{Lab, plan_of};

/// 2022-01-03, a Monday.
const START_MS: i64 = 1_641_168_000_000;
/// A grid of one set a style: tests are about signals.
const ONE_SET: &str = "min_risk_reward = 0\nmin_signal_score = 0\nmin_consensus_score = 0\nmin_consensus = 0\n\
                       min_kline_bullish_ratio = 0\nmin_price_chg_pct = 0\nallowed_mkt_struct = \"all\"\n\
                       min_trend_age_hours = 0\nmax_sr_test_count = 999\natr_tp_multiplier = [1, 2]\natr_stop_multiplier = 1\n";

fn interval(text: &str) -> Interval {
    text.parse().expect("an interval")
}

fn config(base: Interval, more: &str) -> String {
    format!(
        "[data]\nbase_interval = \"{base}\"\nwindow = \"all\"\n[validate]\nquick = true\n\
         [style.scalping.space]\n{ONE_SET}[style.swing.space]\n{ONE_SET}{more}"
    )
}

fn plan(base: Interval) -> Plan {
    plan_of(&config(base, ""))
}

/// A walk that trends for a while, then turns; a function of its seed.
fn walk(base: Interval, candles: usize, seed: u64) -> CandleSeries {
    let (mut state, mut price) = (seed, 100.0_f64);
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let mut series = CandleSeries::new(base);
    for i in 0..candles {
        let open = price;
        price *= 1.0 + 0.012 * random() + 0.0012 * (i as f64 / 45.0).sin();
        let (high, low) = (open.max(price) * (1.002 + 0.002 * random()), open.min(price) * 0.998);
        let open_time = START_MS + i as i64 * base.ms();
        series.push(Candle { open_time, open, high, low, close: price, volume: 50.0 + 90.0 * random() });
    }
    series
}

fn csv(bars: Bars<'_>, until_ms: i64, skipped: &[usize]) -> String {
    let mut text = "open_time,open,high,low,close,volume\n".to_owned();
    for i in (0..bars.index_at(until_ms)).filter(|i| !skipped.contains(i)) {
        let Candle { open_time, open, high, low, close, volume } = bars.get(i);
        writeln!(text, "{open_time},{open},{high},{low},{close},{volume}").expect("to memory");
    }
    text
}

fn days(bars: Bars<'_>) -> impl DoubleEndedIterator<Item = Day> {
    (Day::of(bars.open_time[0]).0..=Day::of(bars.open_time[bars.len() - 1]).0).map(Day)
}

/// Runs the program on candles of a folder; returns exit code, stdout and stderr.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = optimizer();
    command.args(["incremental", "--no-save", "--exit-zero", "--progress", "none", "--data"]).arg(folder);
    let output = command.args(arguments).output().expect("the program can be started");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_base_interval_gives_signals() {
    for Timeframes { base, .. } in Timeframes::all() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("candles");
        std::fs::create_dir(&data).expect("a folder");
        let series = walk(base, 4_000, 11);
        std::fs::write(data.join(format!("ALPHAUSDT-{base}.csv")), csv(series.bars(), i64::MAX, &[]))
            .expect("written");
        let settings = folder.path().join("optimizer.toml");
        std::fs::write(&settings, config(base, "")).expect("written");
        let settings = settings.to_str().expect("a plain path");
        let (code, stdout, stderr) = run(&data, &["-c", settings, "--json"]);
        assert_eq!(code, Some(0), "{base}: {stderr}");
        let document: serde_json::Value = serde_json::from_str(&stdout).expect("a document");
        let styles = document["data"]["styles"].as_object().unwrap_or_else(|| panic!("{base}: {stdout}"));
        let signals: u64 = styles.values().map(|style| style["signals"].as_u64().expect("a count")).sum();
        // A few in a hundred candles once the timeframes are warm, whatever the base.
        assert!((60..700).contains(&signals), "{base}: {signals} signals");
    }
}

/// Returns the closes of candles of a timeframe that opened from an instant on, whose last part is there and closed by another.
fn resampled(bars: Bars<'_>, timeframe: Interval, from_ms: i64, until_ms: i64) -> Vec<f64> {
    let all: Vec<usize> = (0..bars.len()).collect();
    let buckets =
        all.chunk_by(|a, b| timeframe.floor(bars.open_time[*a]) == timeframe.floor(bars.open_time[*b]));
    let lasts = buckets.map(|bucket| bucket[bucket.len() - 1]);
    let within = lasts.filter(|last| {
        let (open, step) = (bars.open_time[*last], bars.interval.ms());
        let ends = open + step == timeframe.floor(open) + timeframe.ms();
        ends && timeframe.floor(open) >= from_ms && open + step <= until_ms
    });
    within.map(|last| bars.close[last]).collect()
}

fn average(closes: &[f64], span: f64) -> f64 {
    closes.iter().skip(1).fold(closes[0], |last, close| last + 2.0 / (span + 1.0) * (close - last))
}

#[test]
fn a_column_that_names_a_timeframe_is_of_that_timeframe() {
    let mut compared = 0;
    for Timeframes { base, middle, high } in Timeframes::all() {
        let series = walk(base, 2_400, 5);
        let (bars, market) = (series.bars(), MarketSeries::new(series.bars()));
        let days: Vec<Day> = days(bars).collect();
        for day in days.iter().rev().step_by(1 + days.len() / 9).take(6) {
            let frame = market.frame(*day, 0);
            let Some(pulse) = (frame.day_start..frame.end).rev().find_map(|index| frame.pulse(index)) else {
                continue;
            };
            let row = frame.row(pulse);
            let until_ms = bars.open_time[pulse.index] + base.ms();
            for (timeframe, candles) in [(base, 288), (middle, 240), (high, 180)] {
                let closes = resampled(bars, timeframe, day.start_ms() - candles * timeframe.ms(), until_ms);
                let close =
                    if timeframe == base { bars.close[pulse.index] } else { closes[closes.len() - 1] };
                let [fast, slow] = [20.0, 50.0].map(|span| average(&closes, span));
                let trend = match (fast > slow, close >= fast) {
                    (true, true) => 1.0,
                    (false, false) => -1.0,
                    _ => 0.0,
                };
                let view = FeatureView { row: &row, direction: Direction::Long, style: Style::Swing };
                let value = |name: String| {
                    let found: &FeatureColumn = column(&name).unwrap_or_else(|| panic!("no column {name}"));
                    found.value(&view)
                };
                assert_eq!(value(format!("trend_{timeframe}")), Some(trend), "{timeframe} on {base}, {day}");
                compared += 1;
                if timeframe != base {
                    let own = value(format!("ema20_{timeframe}")).expect("known");
                    assert!((own / fast - 1.0).abs() < 1e-12, "{timeframe} on {base}: {own}, {fast}");
                }
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn no_base_interval_reads_the_future() {
    for base in ["1m", "5m", "1h", "8h", "1d"].map(interval) {
        let series = walk(base, 2_400, 3);
        let bars = series.bars();
        let full = MarketSeries::new(bars);
        let mut compared = 0;
        let all: Vec<Day> = days(bars).collect();
        for day in all[all.len() / 2..].iter().step_by(1 + all.len() / 200).copied() {
            let range = bars.day_range(day);
            let cut = range.start + range.len().div_ceil(2);
            let reversed: CandleSeries = (0..bars.len())
                .map(|i| {
                    let from = if i < cut { i } else { bars.len() - 1 - (i - cut) };
                    Candle { open_time: bars.open_time[i], ..bars.get(from) }
                })
                .collect();
            let known = |market: &MarketSeries<'_>| -> Vec<_> {
                candidates_of_day(market, day).into_iter().filter(|c| c.row.pulse.index < cut).collect()
            };
            let expected = known(&full);
            compared += expected.len();
            assert_eq!(known(&MarketSeries::new(bars.slice(0..cut))), expected, "{base}, {day}: cut");
            assert_eq!(known(&MarketSeries::new(reversed.bars())), expected, "{base}, {day}: reversed");
        }
        assert!(compared > 0, "{base}: nothing compared");
    }
}

#[test]
fn a_day_reads_its_look_back_and_horizon_only_on_every_base() {
    let symbol = Symbol::parse("ALPHAUSDT").expect("a name");
    for Timeframes { base, .. } in Timeframes::all() {
        let (series, plan) = (walk(base, 3_000, 7), plan(base));
        let (bars, costs) = (series.bars(), plan.costs.of(&symbol));
        let full = MarketSeries::new(bars);
        let horizon = plan.styles.iter().map(|s| s.exits.hold_bars_max()).max().unwrap_or(0);
        let reach = bars.open_time[bars.len() - 1 - horizon] - DAY_MS;
        let whole: Vec<Day> = days(bars).filter(|day| day.start_ms() <= reach).collect();
        let mut signals = 0;
        for day in whole.iter().rev().step_by(1 + whole.len() / 12).take(12).copied() {
            let from = bars.index_at(day.start_ms() - i64::from(lookback_days(base)) * DAY_MS);
            let to = bars.day_range(day).end + horizon;
            let alone = evaluate_day(&MarketSeries::new(bars.slice(from..to)), day, None, &plan, &costs);
            assert_eq!(alone, evaluate_day(&full, day, None, &plan, &costs), "{base}, {day}");
            assert!(alone.styles.iter().all(|style| style.sealed), "{base}, {day}");
            signals += alone.styles.iter().map(|style| style.signals.len()).sum::<usize>();
        }
        assert!(signals > 0 || base >= interval("6h"), "{base}: no signal");
    }
}

#[test]
fn runs_in_steps_equal_runs_from_scratch_on_other_bases() {
    for (base, candles) in [("5m", 2_400), ("1h", 1_500), ("1d", 900)] {
        let (base, lab) = (interval(base), Lab::new());
        let (series, plan) = (walk(base, candles, 17), plan(base));
        let bars = series.bars();
        let file = lab.data().join(format!("ALPHAUSDT-{base}.csv"));
        let last = Day::of(bars.open_time[bars.len() - 1]).0;
        // Day by day, a hole that is filled a day later, and a candle long ago that is corrected.
        let hole = bars.len() - 3 * (DAY_MS / base.ms()) as usize - 1;
        let corrected = csv(bars, i64::MAX, &[]).replacen(",100,", ",100.01,", 1);
        let states = [
            csv(bars, Day(last - 4).start_ms(), &[]),
            csv(bars, Day(last - 3).start_ms(), &[]),
            csv(bars, Day(last - 1).start_ms(), &[hole]),
            csv(bars, i64::MAX, &[]),
            corrected,
        ];
        let mut signals = 0;
        for (step, state) in states.iter().enumerate() {
            std::fs::write(&file, state).expect("written");
            let run = lab.run_as_from_scratch(&plan, &format!("{base}, step {step}"));
            signals = run.styles.iter().map(|style| style.signals).sum();
        }
        assert!(signals > 20, "{base}: {signals} signals");
    }
}

#[test]
fn given_signals_wait_for_no_indicator() {
    for Timeframes { base, .. } in Timeframes::all() {
        let series = walk(base, 60, 23);
        let bars = series.bars();
        let mut text = "symbol,open_time,direction\n".to_owned();
        for index in [21, 30, 40] {
            writeln!(text, "ALPHAUSDT,{},long", bars.open_time[index]).expect("to memory");
        }
        let written = tempfile::NamedTempFile::with_suffix(".csv").expect("a file");
        std::fs::write(written.path(), text).expect("written");
        let file = SignalsFile::read(written.path(), base, &ReadingOptions::default(), None).expect("sound");
        let given = file.symbols.values().next().expect("signals of a symbol");
        let market = MarketSeries::new(bars);
        let found: Vec<_> = days(bars).flat_map(|day| given_of_day(&market, day, given)).collect();
        assert_eq!(found.len(), 3, "{base}");
        for (place, index) in found.iter().zip([21_usize, 30, 40]) {
            let ranges = (index - 13..=index)
                .map(|i| bars.high[i].max(bars.close[i - 1]) - bars.low[i].min(bars.close[i - 1]));
            let mean = ranges.sum::<f64>() / 14.0;
            assert_eq!((place.entry, place.atr), (Some(index + 1), Some(mean)), "{base}");
            assert!(place.row.is_none(), "features wait for their warm-up");
        }
    }
}

#[test]
fn what_cannot_be_is_refused_before_any_work() {
    let check = |settings: &[&str]| {
        let mut command = optimizer();
        command.args(["config", "check"]);
        command.args(settings.iter().flat_map(|setting| ["--set", setting]));
        let output = command.output().expect("the program can be started");
        (output.status.code(), text(&output.stderr))
    };
    let refused: [(&[&str], &str); 9] = [
        (&["data.base_interval=1w"], "no candle is longer than a day"),
        (&["data.base_interval=3d"], "no candle is longer than a day"),
        (&["data.base_interval=45m"], "expected 1m, 3m, 5m, 15m"),
        (&["data.base_interval=10m"], "expected 1m, 3m, 5m, 15m"),
        (&["data.base_interval=1M"], "expected 1m, 3m, 5m, 15m"),
        (
            &["data.base_interval=1h", "style.swing.space.max_holding_hours=[1,2.5]"],
            "1h: 2 or 3 hours, found 2.5",
        ),
        (
            &["data.base_interval=1d", "style.swing.space.max_holding_hours=[36]"],
            "1d: 24 or 48 hours, found 36",
        ),
        (&["data.base_interval=8h", "style.scalping.space.max_holding_hours=4"], "8h: 8 hours, found 4"),
        (
            &["style.scalping.space.max_holding_hours={min=1,max=2,step=0.1}"],
            "15m: 1 or 1.25 hours, found 1.1",
        ),
    ];
    for (settings, wanted) in refused {
        let (code, stderr) = check(settings);
        assert_eq!(code, Some(3), "{settings:?}: {stderr}");
        assert!(stderr.contains(wanted), "{settings:?}: {stderr}");
    }
    for Timeframes { base, .. } in Timeframes::all() {
        let (code, stderr) = check(&[&format!("data.base_interval={base}")]);
        assert_eq!(code, Some(0), "{base}: {stderr}");
    }
    // A run refuses it before it looks for candles.
    let (code, _, stderr) = run(Path::new("no/such/folder"), &["--set", "data.base_interval=1w"]);
    assert_eq!(code, Some(3), "{stderr}");
}

#[test]
fn coarser_files_say_what_to_set() {
    for (base, named) in [("1h", true), ("4h", false), ("1d", true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let name = if named { format!("ALPHAUSDT-{base}.csv") } else { "ALPHAUSDT.csv".to_owned() };
        let series = walk(interval(base), 100, 1);
        std::fs::write(folder.path().join(name), csv(series.bars(), i64::MAX, &[])).expect("written");
        let (code, _, stderr) = run(folder.path(), &[]);
        assert_eq!(code, Some(4), "{stderr}");
        assert!(stderr.contains(&format!("`--set data.base_interval={base}`")), "{stderr}");
    }
}

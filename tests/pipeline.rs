//! From candles to decisions on the bundled sample: what must not depend on what.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use retune::config::Config;
use retune::documents::document::Envelope;
use retune::documents::run::RunDocument;
use retune::engine::plan::{DayLimits, Plan};
use retune::engine::projection::evaluate_day;
use retune::engine::unit::SkipCounts;
use retune::features::catalog::{COLUMNS, FeatureView};
use retune::features::frame::MarketSeries;
use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::{Bars, Candle, CandleSeries, DAY_MS, Day, Direction, ExitReason, Interval, Style};
use retune::run::report::RunReport;
use retune::run::{RunOptions, incremental};
use retune::signals::candidates::candidates_of_day;

/// 2026-01-01: after the sample's last candle.
const NOW_MS: i64 = 1_767_225_600_000;

pub(crate) fn sample_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample")
}

/// The candles of the sample's first symbol.
fn sample() -> &'static CandleSeries {
    static SERIES: OnceLock<CandleSeries> = OnceLock::new();
    SERIES.get_or_init(|| {
        let options = IngestOptions::new(Interval::M15, NOW_MS);
        let catalog = discover(&[sample_dir()], &options).expect("the sample is there");
        load_symbol(&catalog.symbols[0], &options).expect("the sample loads").series
    })
}

fn plan(days: DayLimits) -> Plan {
    Config::default().plan(&Style::ALL, days).expect("the defaults are sound")
}

pub(crate) fn run(data: &[PathBuf], store: Option<&Path>, plan: &Plan, threads: usize) -> RunReport {
    let options = RunOptions {
        store: store.map(Into::into),
        cache_bytes: 64 << 20,
        ..RunOptions::over(data.to_vec(), NOW_MS)
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(|| incremental(plan, &options, &AtomicBool::new(false), &|_| ())).expect("a run")
}

/// The document of a run without what differs by nature: time, threads, memory, the run's number.
fn comparable(report: &RunReport) -> String {
    let mut document = RunDocument::new(report);
    document.run.duration_ms = 0;
    document.run.threads = 0;
    document.run.peak_rss_bytes = None;
    document.run.id = None;
    Envelope::new(document, 0).to_json()
}

fn write_csv(path: &Path, candles: impl Iterator<Item = Candle>) {
    let mut text = "open_time,open,high,low,close,volume\n".to_owned();
    for Candle { open_time, open, high, low, close, volume } in candles {
        text.push_str(&format!("{open_time},{open},{high},{low},{close},{volume}\n"));
    }
    std::fs::write(path, text).expect("written");
}

fn days(bars: Bars<'_>) -> std::ops::RangeInclusive<i32> {
    Day::of(bars.open_time[0]).0..=Day::of(bars.open_time[bars.len() - 1]).0
}

#[test]
fn cutting_the_future_changes_no_candidate() {
    let bars = sample().bars();
    let full = MarketSeries::new(bars);
    let mut compared = 0;
    for day in days(bars).skip(40).step_by(9).map(Day) {
        let all = candidates_of_day(&full, day);
        let range = bars.day_range(day);
        for cut in [range.start + 1, range.start + 40, range.end] {
            let known = candidates_of_day(&MarketSeries::new(bars.slice(0..cut)), day);
            let expected: Vec<_> = all.iter().filter(|c| c.row.pulse.index < cut).copied().collect();
            compared += known.len();
            assert_eq!(known, expected, "{day}, first {cut} candles");
        }
    }
    assert!(compared > 100, "{compared} candidates are too few to mean anything");
}

#[test]
fn scrambling_the_future_changes_nothing_before_it() {
    let bars = sample().bars();
    let day = Day(Day::of(bars.open_time[0]).0 + 70);
    let now = bars.day_range(day).start + 50;
    // Later candles in reverse order, at the times that were there.
    let scrambled: CandleSeries = (0..bars.len())
        .map(|i| {
            let from = if i < now { i } else { bars.len() - 1 - (i - now) };
            Candle { open_time: bars.open_time[i], ..bars.get(from) }
        })
        .collect();
    let before = |market: &MarketSeries<'_>| -> Vec<_> {
        candidates_of_day(market, day).into_iter().filter(|c| c.row.pulse.index < now).collect()
    };
    let real = before(&MarketSeries::new(bars));
    assert_eq!(real, before(&MarketSeries::new(scrambled.bars())));
    assert!(!real.is_empty());
}

#[test]
fn every_closed_candle_has_every_feature_from_the_past_only() {
    let bars = sample().bars();
    let day = Day(Day::of(bars.open_time[0]).0 + 60);
    let full = MarketSeries::new(bars);
    let frame = full.frame(day, 0);
    let range = bars.day_range(day);
    assert_eq!(range.len(), 96);
    for index in range {
        let row = frame.row(frame.pulse(index).expect("warmed up"));
        let cut = MarketSeries::new(bars.slice(0..index + 1));
        let cut_frame = cut.frame(day, 0);
        assert_eq!(row, cut_frame.row(cut_frame.pulse(index).expect("warmed up")), "candle {index}");
        for direction in [Direction::Long, Direction::Short] {
            for style in Style::ALL {
                let view = FeatureView { row: &row, direction, style };
                for column in COLUMNS {
                    let value = column.value(&view);
                    assert!(value.is_none_or(f64::is_finite), "{} is {value:?}", column.name);
                }
            }
        }
    }
}

#[test]
fn a_day_depends_on_its_look_back_and_horizon_only() {
    let bars = sample().bars();
    let plan = plan(DayLimits::default());
    let costs = plan.costs.of(&retune::model::Symbol::parse("ALPHAUSDT").expect("a name"));
    let full = MarketSeries::new(bars);
    let mut signals = 0;
    for day in [80, 95, 110].map(|n| Day(Day::of(bars.open_time[0]).0 + n)) {
        let from = bars.index_at(day.start_ms() - 30 * DAY_MS);
        let horizon = plan.styles.iter().map(|s| s.exits.hold_bars_max()).max().unwrap_or(0);
        let to = bars.day_range(day).end + horizon;
        let alone = evaluate_day(&MarketSeries::new(bars.slice(from..to)), day, None, &plan, &costs);
        assert_eq!(alone, evaluate_day(&full, day, None, &plan, &costs), "{day}");
        assert!(alone.styles.iter().all(|style| style.sealed));
        signals += alone.styles.iter().map(|style| style.signals.len()).sum::<usize>();
        // One candle less and the longest style is not sealed: its signals are listed and not counted.
        let unsealed = evaluate_day(&MarketSeries::new(bars.slice(from..to - 1)), day, None, &plan, &costs);
        let swing = &unsealed.styles[1];
        assert!(!swing.sealed && swing.signals.is_empty() && swing.outcomes.is_empty());
        assert_eq!(swing.pending as usize, alone.styles[1].signals.len());
    }
    assert!(signals > 10);
}

#[test]
fn a_gap_breaks_windows_and_fills_nothing() {
    let bars = sample().bars();
    let plan = plan(DayLimits::default());
    let costs = plan.costs.of(&retune::model::Symbol::parse("ALPHAUSDT").expect("a name"));
    let day = Day(Day::of(bars.open_time[0]).0 + 80);
    let hole = bars.day_range(day).start + 5;
    let holed: CandleSeries = (0..bars.len()).filter(|i| *i != hole).map(|i| bars.get(i)).collect();
    let market = MarketSeries::new(holed.bars());
    let found: Vec<_> = candidates_of_day(&market, day).into_iter().map(|c| c.row.candle.open_time).collect();
    let near = bars.open_time[hole]..bars.open_time[hole + 5];
    assert!(
        found.iter().all(|t| !near.contains(t)),
        "none before what is compared with its neighbours has them"
    );
    assert!(found.iter().any(|t| *t > near.end), "windows read as far as they read");
    let before = evaluate_day(&market, Day(day.0 - 1), None, &plan, &costs);
    let whole = evaluate_day(&MarketSeries::new(bars), Day(day.0 - 1), None, &plan, &costs);
    // What the gap does not leave undecided is as it was; the rest ends at the last close before it.
    let mut undecided = 0;
    for (before, whole) in before.styles.iter().zip(&whole.styles) {
        assert_eq!((before.lost, &before.signals), (SkipCounts::default(), &whole.signals));
        let mut entries = before.signals.iter().filter(|signal| signal.in_lattice);
        let [own, others] = [before, whole].map(|style| style.outcomes.under(0..style.outcomes.rules()));
        for (own, whole) in own.rows().zip(others.rows()) {
            let entry = bars.index_at(entries.next().expect("one per row").entry_ms);
            for (own, whole) in own.iter().zip(whole.iter()) {
                let before = (hole - entry) as u16;
                match whole.bars_held <= before {
                    true => assert_eq!(own, whole),
                    false => {
                        assert_eq!((own.reason, own.bars_held), (ExitReason::DataEnd, before));
                        undecided += 1;
                    }
                }
            }
        }
        assert_eq!(whole.cut, 0);
    }
    assert_eq!(undecided > 0, before.styles.iter().any(|style| style.cut > 0));
}

#[test]
fn one_thread_equals_several_and_a_store_changes_nothing() {
    let plan = plan(DayLimits::default());
    let one = run(&[sample_dir()], None, &plan, 1);
    assert_eq!(comparable(&one), comparable(&run(&[sample_dir()], None, &plan, 3)));
    let store = tempfile::tempdir().expect("a folder");
    assert_eq!(comparable(&one), comparable(&run(&[sample_dir()], Some(&store.path().join("s")), &plan, 2)));
    assert_eq!(one.input.symbols.len(), 3);
    assert!(one.styles.iter().all(|style| style.study.sets == 139_968 && style.study.rated > 1_000));
}

#[test]
fn a_run_as_of_a_day_equals_a_run_on_the_candles_until_then() {
    let end = Day::parse("20250601").expect("a day");
    let limited = run(&[sample_dir()], None, &plan(DayLimits { end: Some(end), ..DayLimits::default() }), 2);
    let folder = tempfile::tempdir().expect("a folder");
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    for sources in &discover(&[sample_dir()], &options).expect("the sample").symbols {
        let loaded = load_symbol(sources, &options).expect("the sample loads");
        let bars = loaded.series.bars();
        let kept = (0..bars.index_at(end.start_ms())).map(|i| bars.get(i));
        write_csv(&folder.path().join(format!("{}-15m.csv", loaded.symbol)), kept);
    }
    let cut = run(&[folder.path().to_path_buf()], None, &plan(DayLimits::default()), 2);
    assert_eq!(limited.data_fingerprint, cut.data_fingerprint);
    assert_eq!(limited.styles, cut.styles);
}

/// Writes the sample with the candles from a day on replaced by others, at the same times.
fn sample_with_another_end(from: Day) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    for sources in &discover(&[sample_dir()], &options).expect("the sample").symbols {
        let loaded = load_symbol(sources, &options).expect("the sample loads");
        let bars = loaded.series.bars();
        let first = bars.index_at(from.start_ms());
        let candle = |i: usize| match i < first {
            true => bars.get(i),
            false => Candle { open_time: bars.open_time[i], ..bars.get(bars.len() - 1 - (i - first)) },
        };
        write_csv(&folder.path().join(format!("{}-15m.csv", loaded.symbol)), (0..bars.len()).map(candle));
    }
    folder
}

#[test]
fn selection_reads_the_early_part_only() {
    // Where a decision rests on an out-of-sample part; elsewhere folds of a cross-fit are what no choice knows.
    let plan = |days| {
        let mut plan = plan(days);
        plan.search.require = retune::decide::Require::Stable;
        plan
    };
    let real = run(&[sample_dir()], None, &plan(DayLimits::default()), 2);
    for style in &real.styles {
        let split = style.study.split.as_ref().expect("two parts");
        let folder = sample_with_another_end(split.late.start);
        let other = run(&[folder.path().to_path_buf()], None, &plan(DayLimits::default()), 2);
        let same = other.styles.iter().find(|s| s.style == style.style).expect("the style");
        let chosen = |study: &retune::study::Study| -> Vec<_> {
            study.top.iter().map(|m| (m.set.clone(), m.score, m.early.clone())).collect()
        };
        assert_eq!(
            chosen(&style.study),
            chosen(&same.study),
            "{}: the out-of-sample part chose",
            style.style
        );
        assert_eq!(style.study.importances, same.study.importances);
        assert_ne!(style.study.top[0].late, same.study.top[0].late, "the out-of-sample part did change");
    }
}

#[test]
fn every_dimension_of_the_default_grid_is_alive() {
    let mut plan = plan(DayLimits::default());
    plan.search.trades_min = 5;
    // Elsewhere a set needs as many trades as can be judged.
    plan.search.require = retune::decide::Require::Stable;
    let report = run(&[sample_dir()], None, &plan, 2);
    for style in &report.styles {
        assert_eq!(style.study.importances.len(), 12);
        for axis in &style.study.importances {
            assert!(axis.effect > 0.0, "{}: {} changes nothing", style.style, axis.key);
        }
    }
}

//! What does a cold daily run cost, and where does the time go?
//!
//! Workload: the candles in `../shared/data/candles/binance-spot` where they are (7 symbols, 2.5 years of 15m
//! candles, 28 MB of CSV, 5,648 symbol-days), else the bundled sample (3 symbols x 150 days); both styles, the whole
//! default grid of 2 x 139,968 parameter sets, nothing stored before. Figures are medians of five runs.
//!
//! Baseline (2 cores of an EPYC VM, 2026-11-21): cold run 0.50 s wall, 0.85 s CPU, peak 75 MiB, store and cache written; the Python system
//! sampled 200 of these sets in a minute with up to 900 MB.
//!
//! Under `cargo test` it runs once on the sample.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use retune::config::Config;
use retune::engine::plan::DayLimits;
use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::Style;
use retune::run::report::RunReport;
use retune::run::{RunOptions, incremental};

/// 2026-01-01.
const NOW_MS: i64 = 1_767_225_600_000;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = root.join("../shared/data/candles/binance-spot");
    let data = if full && real.exists() { real } else { root.join("tests/sample") };
    let runs = if full { 5 } else { 1 };
    // Peak memory is that of one run in a fresh process; later runs find the allocator's arenas as the first left them.
    let report = run(&data);
    let cold = median(runs, || drop(run(&data)));
    let ingest = median(runs, || assert!(read(&data) > 0, "candles were read"));
    let seconds = cold.as_secs_f64();
    let signals: u64 = report.styles.iter().map(|style| style.signals).sum();
    let sets: usize = report.styles.iter().map(|style| style.study.sets).sum();
    print(&format!(
        "workload: {}: {} symbols, {} candles, {} symbol-days, {signals} signals, {sets} parameter sets",
        data.display(),
        report.input.symbols.len(),
        report.input.candles(),
        report.units_total()
    ));
    print(&format!(
        "cold run: {:.0} ms wall with {} threads; {:.0} signals/s, {:.0} parameter sets/s",
        1000.0 * seconds,
        report.threads,
        signals as f64 / seconds,
        sets as f64 / seconds
    ));
    print(&format!("of which reading files: {:.0} ms on one thread", 1000.0 * ingest.as_secs_f64()));
    let peak = report.peak_rss_bytes.map_or(0, |bytes| bytes >> 20);
    print(&format!("peak resident memory of one run: {peak} MiB"));
    assert!(signals > 0 && sets == 2 * 139_968, "the workload is the whole grid");
}

fn run(data: &Path) -> RunReport {
    let store = tempfile::tempdir().expect("a folder");
    let plan = Config::default().plan(&Style::ALL, DayLimits::default()).expect("the defaults are sound");
    let options = RunOptions {
        store: Some(store.path().join("store").into()),
        profile: "bench".to_owned(),
        cache_bytes: 64 << 20,
        ..RunOptions::over(vec![data.to_path_buf()], NOW_MS)
    };
    incremental(&plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run")
}

fn read(data: &Path) -> usize {
    let options = IngestOptions::new(retune::model::Interval::M15, NOW_MS);
    let catalog = discover(&[data.to_path_buf()], &options).expect("files");
    let candles = |sources| load_symbol(sources, &options).expect("candles").series.bars().len();
    catalog.symbols.iter().map(candles).sum()
}

fn median(runs: usize, work: impl Fn()) -> Duration {
    let mut all: Vec<Duration> = (0..runs)
        .map(|_| {
            let clock = Instant::now();
            work();
            clock.elapsed()
        })
        .collect();
    all.sort();
    all[runs / 2]
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}

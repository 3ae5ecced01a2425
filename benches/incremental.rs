//! What does a daily run cost when most of it was evaluated before?
//!
//! Workload: the candles in `../shared/data/candles/binance-spot` where they are (7 symbols, 2.5 years of 15m candles,
//! one growing CSV per symbol), else the bundled sample; both styles, the whole default grid. In turn, on one store:
//! cold; nothing new; one new day; a new take-profit value; another filter level; the same as cold without a store.
//! Wall time of one run each in this process (integrity check and durable commits included), and what was evaluated.
//!
//! Baseline (2-core EPYC VM, 2026-11-21): ARCHITECTURE.md, "Figures".
//!
//! Under `cargo test` it runs once on the sample.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use retune::ingest::{IngestOptions, OnConflict, discover, load_symbol};
use retune::model::{Bars, Candle, DAY_MS, Interval, Style};
use retune::run::config::Config;
use retune::run::plan::{DayLimits, Plan};
use retune::run::report::RunReport;
use retune::run::{RunOptions, incremental};

/// 2030-01-01: long after every file was written, so that unchanged ones can be trusted.
const NOW_MS: i64 = 1_893_456_000_000;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = root.join("../shared/data/candles/binance-spot");
    let source = if full && real.exists() { real } else { root.join("tests/sample") };
    let folder = tempfile::tempdir().expect("a folder");
    let (data, store) = (folder.path().join("data"), folder.path().join("store"));
    fs::create_dir(&data).expect("a folder");
    print(&format!("workload: {}", source.display()));

    write(&source, &data, DAY_MS, 1);
    let cold = run("cold", &data, Some(&store), &plan(""));
    let nothing = run("nothing new", &data, Some(&store), &plan(""));
    write(&source, &data, 0, 2);
    let day = run("one new day", &data, Some(&store), &plan(""));
    let exits = "[style.scalping.space]\natr_tp_multiplier = [1.0, 2.0, 2.5, 3.0]\n";
    run("one new take-profit value", &data, Some(&store), &plan(exits));
    run(
        "another filter level",
        &data,
        Some(&store),
        &plan("[style.swing.space]\nmin_signal_score = [45, 55, 65]\n"),
    );
    run("everything, no store", &data, None, &plan(""));
    print(&format!(
        "of a cold run: nothing new {:.1} %, one new day {:.1} %",
        100.0 * nothing.as_secs_f64() / cold.as_secs_f64(),
        100.0 * day.as_secs_f64() / cold.as_secs_f64()
    ));
}

fn plan(text: &str) -> Plan {
    let config = Config::from_texts(&[("bench".to_owned(), text.to_owned())]).expect("sound");
    config.plan(&Style::ALL, DayLimits::default()).expect("sound")
}

fn run(name: &str, data: &Path, store: Option<&Path>, plan: &Plan) -> Duration {
    let options = RunOptions {
        data: vec![data.to_path_buf()],
        store: store.map(PathBuf::from),
        profile: "bench".to_owned(),
        on_conflict: OnConflict::Refuse,
        now_ms: NOW_MS,
        config_toml: String::new(),
        full: false,
        cache_bytes: 256 << 20,
        memory_bytes: None,
    };
    let clock = Instant::now();
    let report: RunReport = incremental(plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run");
    let elapsed = clock.elapsed();
    let reasons: Vec<String> =
        report.reasons().iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    print(&format!(
        "{name}: {:.0} ms; {} of {} symbol-days evaluated {}",
        1000.0 * elapsed.as_secs_f64(),
        report.units_evaluated(),
        report.units_total(),
        if reasons.is_empty() { String::new() } else { format!("({})", reasons.join(", ")) }
    ));
    elapsed
}

/// Writes every symbol's candles but the last so many milliseconds, with a time of modification of its own.
fn write(source: &Path, data: &Path, held_back_ms: i64, version: u64) {
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    let catalog = discover(&[source.to_path_buf()], &options).expect("files");
    for sources in &catalog.symbols {
        let loaded = load_symbol(sources, &options).expect("candles");
        let bars = loaded.series.bars();
        let end = bars.open_time.last().map_or(0, |last| bars.index_at(last + 1 - held_back_ms));
        let file = data.join(format!("{}-15m.csv", loaded.symbol));
        fs::write(&file, csv(bars.slice(0..end))).expect("written");
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + version);
        let opened = fs::File::options().write(true).open(&file).expect("open");
        opened.set_modified(modified).expect("touched");
    }
}

fn csv(bars: Bars<'_>) -> String {
    let mut text = "open_time,open,high,low,close,volume\n".to_owned();
    for Candle { open_time, open, high, low, close, volume } in (0..bars.len()).map(|i| bars.get(i)) {
        text.push_str(&format!("{open_time},{open},{high},{low},{close},{volume}\n"));
    }
    text
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}

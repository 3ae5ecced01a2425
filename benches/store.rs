//! What does a look at a store cost that has grown for years?
//!
//! Workload: a profile at its caps (400 runs of two styles, 50 trials each for the newest 90), beside a cache of 1 GB of
//! evaluated units (under `cargo test`: 20 runs, 1 MB). Timed as whole processes: `inspect params`, `inspect`,
//! `export-json --check`; the writer's open with its full verification; and storing a run with and without a backup of
//! everything. Medians of several runs.
//!
//! Baseline (2-core EPYC VM, 2026-11-21): docs/benchmarks.md.

mod process;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use process::{Cost, optimizer};
use retune::model::{ExitRule, Style};
use retune::store::records::{
    DecisionRecord, ParamsRecord, RunRecord, StoredFilter, StoredMetrics, StoredParameterSet, StoredValue,
    TrialRecord, TrialsRecord,
};
use retune::store::{Cache, CacheBatch, LearningCommit, Location, Store, list_backups};

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let (runs, symbols, repeats) = if full { (400, 1000, 9) } else { (20, 1, 1) };
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("store");
    fill(&dir, runs);
    fill_cache(&dir, symbols);
    let bytes: u64 = std::fs::read_dir(&dir)
        .expect("files")
        .map(|entry| entry.and_then(|entry| entry.metadata()).map_or(0, |meta| meta.len()))
        .sum();
    print(&format!("workload: {runs} runs, {:.2} GB in the store's directory", bytes as f64 / 1e9));
    let store = dir.to_str().expect("text");
    let exported = folder.path().join("learning_config.json");
    let exported = exported.to_str().expect("text");
    assert_eq!(optimizer(&["export-json", "--store", store, "-o", exported]).status, 0);
    let commands: [&[&str]; 3] = [
        &["inspect", "params", "--store", store],
        &["inspect", "--store", store],
        &["export-json", "--check", "--store", store, "-o", exported],
    ];
    for command in commands {
        let mut costs: Vec<Cost> = (0..repeats).map(|_| optimizer(command)).collect();
        assert!(costs.iter().all(|cost| cost.status == 0), "{command:?}");
        costs.sort_by_key(|cost| cost.wall);
        let peak = costs.iter().map(|cost| cost.peak_mib).fold(0.0, f64::max);
        let wall = 1000.0 * costs[repeats / 2].wall.as_secs_f64();
        let cpu = 1000.0 * costs[repeats / 2].cpu.as_secs_f64();
        let name =
            command.iter().take_while(|word| **word != "--store").copied().collect::<Vec<_>>().join(" ");
        print(&format!("{name}: {wall:.1} ms wall, {cpu:.1} ms CPU, peak {peak:.1} MiB"));
    }
    let clock = Instant::now();
    drop(Store::open(&dir, 6).expect("whole"));
    print(&format!(
        "the writer's open, every row verified: {:.1} ms",
        1000.0 * clock.elapsed().as_secs_f64()
    ));
    let (without, with) = (commit_ms(&dir, 0, repeats), commit_ms(&dir, 7, repeats));
    let newest = list_backups(&dir).expect("listed").first().map_or(0, |backup| backup.bytes);
    print(&format!(
        "a run stored: {without:.1} ms without a backup, {with:.1} ms with one of {:.2} MB",
        newest as f64 / 1e6
    ));
}

/// Returns the median time of storing one more run.
fn commit_ms(dir: &Path, backups: usize, repeats: usize) -> f64 {
    let mut store = Store::open(Location { backups, ..Location::new(dir) }, 7).expect("whole");
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let commit = commit(500);
            let clock = Instant::now();
            store.commit(commit).expect("committed");
            1000.0 * clock.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[repeats / 2]
}

fn fill(dir: &Path, runs: u64) {
    let mut store = Store::open(dir, 5).expect("a new store");
    for number in 0..runs {
        store.commit(commit(number)).expect("committed");
    }
    store.publish_view().expect("published");
}

fn commit(number: u64) -> LearningCommit {
    let run = RunRecord { started_at_ms: number as i64 * 86_400_000, ..RunRecord::default() };
    let params = |style: Style| (style.to_string(), Some(params(number)));
    LearningCommit {
        params: Style::ALL.into_iter().map(params).collect(),
        decisions: Style::ALL.into_iter().map(|style| (style, DecisionRecord::default())).collect(),
        trials: Style::ALL.into_iter().map(|style| (style, trials())).collect::<BTreeMap<_, _>>(),
        ..LearningCommit::new("default", run)
    }
}

fn set(take_profit: f64) -> StoredParameterSet {
    let filter =
        |i: usize| StoredFilter { name: format!("filter_{i}"), value: StoredValue::Number(i as f64) };
    StoredParameterSet::of(&ExitRule::new(take_profit, 1.0, 12.0), (0..9).map(filter).collect())
}

fn metrics() -> StoredMetrics {
    StoredMetrics { trades: 100, win_rate: Some(0.5), profit_factor: Some(1.2), ..StoredMetrics::default() }
}

fn params(number: u64) -> ParamsRecord {
    ParamsRecord {
        set: set(1.0 + number as f64 / 100.0),
        score_name: "balanced".to_owned(),
        score: Some(0.1),
        metrics: metrics(),
        verdict: "PASSED".to_owned(),
        run: 0,
        adopted_at_ms: 0,
        generation: 0,
        source: "run".to_owned(),
    }
}

fn trials() -> TrialsRecord {
    let trial = |rank: u32| TrialRecord { rank, set: set(rank.into()), score: 0.1, metrics: metrics() };
    TrialsRecord { trials: (1..=50).map(trial).collect() }
}

/// Puts one megabyte of units per symbol.
fn fill_cache(dir: &Path, symbols: u32) {
    let cache = Cache::open(dir, 4 << 30).expect("a cache");
    for symbol in 0..symbols {
        let unit = |day: i32| ((0, day), vec![day as u8; 4000]);
        let batch = CacheBatch { units: (0..250).map(unit).collect(), ..CacheBatch::default() };
        cache.put(&format!("SYMBOL{symbol}"), &batch, symbol.into()).expect("put");
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}

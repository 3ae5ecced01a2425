//! What does a daily run cost when most of it was evaluated before, as a whole process?
//!
//! Workload: the candles in `../shared/data/candles/binance-spot` where they are (7 symbols, 2.5 years of 15m candles,
//! one growing CSV per symbol), else the bundled sample; both styles, the whole default grid. Printed per command: wall
//! time (integrity check and durable commits included) and peak resident memory, medians of several runs; then
//!
//! - the same under `--max-memory 64MiB`, with the history twice as long as well;
//! - how a cold run grows with the history (whole history as window), and how one new day does (default window; the
//!   history ten times as long, by the same candles again in earlier years).
//!
//! Baseline (2-core EPYC VM, 2026-11-21): docs/benchmarks.md.
//!
//! Under `cargo test` it runs once on the sample, with the history twice as long.

mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use process::{Cost, optimizer};
use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::{Bars, Candle, DAY_MS, Interval};

/// 2030-01-01.
const NOW_MS: i64 = 1_893_456_000_000;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = root.join("../shared/data/candles/binance-spot");
    let source = if full && real.exists() { real } else { root.join("tests/sample") };
    let lab = Lab { folder: tempfile::tempdir().expect("a folder"), runs: if full { 5 } else { 1 } };
    print(&format!("workload: {}", source.display()));
    lab.write("now", &source, 1, 0, 2);
    lab.write("yesterday", &source, 1, DAY_MS, 1);
    lab.write("double", &source, 2, 0, 2);

    let all = ["--window", "all"];
    let cold = lab.cold("cold, whole history", "now", &all);
    lab.cold("cold, last 365 days", "now", &[]);
    lab.cold("cold, whole history, nothing kept", "now", &["--window", "all", "--no-save"]);
    lab.warm("nothing new", "now", "now", &all);
    let day = lab.warm("one new day, whole history", "yesterday", "now", &all);
    lab.warm("one new day, last 365 days", "yesterday", "now", &[]);
    let quick = lab.warm("one new day, last 365 days, --quick", "yesterday", "now", &["--quick"]);
    let exits = ["--window", "all", "--set", "style.scalping.space.atr_tp_multiplier=[1.0, 2.0, 2.5, 3.0]"];
    lab.changed("one new take-profit value", &all, &exits);
    let levels = ["--window", "all", "--set", "style.swing.space.min_signal_score=[45, 55, 65]"];
    lab.changed("another filter level", &all, &levels);

    let tight = ["--window", "all", "--max-memory", "64MiB"];
    lab.cold("cold, at most 64 MiB", "now", &tight);
    lab.warm("one new day, at most 64 MiB", "yesterday", "now", &tight);
    let tight_exits = [&exits[..], &["--max-memory", "64MiB"]].concat();
    lab.changed("one new take-profit value, at most 64 MiB", &all, &tight_exits);
    lab.cold("cold, history x 2, at most 64 MiB", "double", &tight);

    let double = lab.cold("cold, history x 2", "double", &all);
    let times = if full { 10 } else { 2 };
    lab.write("long", &source, times, 0, 2);
    lab.write("long-yesterday", &source, times, DAY_MS, 1);
    let long = lab.warm("one new day, long history, --quick", "long-yesterday", "long", &["--quick"]);
    let ratio = |a: &Cost, b: &Cost| a.wall.as_secs_f64() / b.wall.as_secs_f64();
    print(&format!(
        "one new day costs {:.0} % of a cold run, all history tested",
        100.0 * ratio(&day, &cold)
    ));
    print(&format!("--quick over a year it costs {:.0} % of it", 100.0 * ratio(&quick, &cold)));
    print(&format!("history x 2: a cold run costs {:.2} x", ratio(&double, &cold)));
    print(&format!("history x {times}: one new day costs {:.2} x", ratio(&long, &quick)));
}

struct Lab {
    folder: tempfile::TempDir,
    runs: usize,
}

impl Lab {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs on a new store every time.
    fn cold(&self, name: &str, data: &str, arguments: &[&str]) -> Cost {
        let once = || {
            let _ = fs::remove_dir_all(self.path("store"));
            self.run("store", data, arguments)
        };
        self.report(name, once)
    }

    /// Runs on a store that knows `before`, every time anew.
    fn warm(&self, name: &str, before: &str, after: &str, arguments: &[&str]) -> Cost {
        let _ = fs::remove_dir_all(self.path("known"));
        self.bring(before);
        self.run("known", "data", arguments);
        let once = || {
            self.copy_store();
            self.bring(after);
            self.run("store", "data", arguments)
        };
        self.report(name, once)
    }

    /// Runs with other arguments on a store that knows the candles.
    fn changed(&self, name: &str, before: &[&str], after: &[&str]) -> Cost {
        let _ = fs::remove_dir_all(self.path("known"));
        self.run("known", "now", before);
        let once = || {
            self.copy_store();
            self.run("store", "now", after)
        };
        self.report(name, once)
    }

    /// Puts candles where the run looks for them, with their times of modification.
    fn bring(&self, name: &str) {
        fs::create_dir_all(self.path("data")).expect("a folder");
        for entry in fs::read_dir(self.path(name)).expect("files") {
            let entry = entry.expect("a file");
            let target = self.path("data").join(entry.file_name());
            fs::copy(entry.path(), &target).expect("copied");
            let modified = entry.metadata().and_then(|meta| meta.modified()).expect("a time");
            set_modified(&target, modified);
        }
    }

    /// Copies the files of the known store, without the backups in a folder below: no run reads them.
    fn copy_store(&self) {
        let _ = fs::remove_dir_all(self.path("store"));
        fs::create_dir(self.path("store")).expect("a folder");
        for entry in fs::read_dir(self.path("known")).expect("files") {
            let entry = entry.expect("a file");
            if entry.file_type().expect("a kind").is_file() {
                fs::copy(entry.path(), self.path("store").join(entry.file_name())).expect("copied");
            }
        }
    }

    fn run(&self, store: &str, data: &str, arguments: &[&str]) -> Cost {
        let (store, data) = (self.path(store), self.path(data));
        let paths = [&store, &data].map(|path| path.to_str().expect("text"));
        let fixed = ["incremental", "--store", paths[0], "--data", paths[1], "--progress", "none", "-q"];
        let cost = optimizer(&[&fixed, arguments].concat());
        assert!([0, 10, 11, 12].contains(&cost.status), "a result, not {}", cost.status);
        cost
    }

    fn report(&self, name: &str, mut once: impl FnMut() -> Cost) -> Cost {
        let mut costs: Vec<Cost> = (0..self.runs).map(|_| once()).collect();
        let peak = costs.iter().map(|cost| cost.peak_mib).fold(0.0, f64::max);
        costs.sort_by_key(|cost| cost.wall);
        let middle = costs.swap_remove(self.runs / 2);
        print(&format!(
            "{name}: {:.0} ms wall, {:.0} ms CPU, peak {peak:.0} MiB",
            1000.0 * middle.wall.as_secs_f64(),
            1000.0 * middle.cpu.as_secs_f64(),
        ));
        middle
    }

    /// Writes every symbol's candles but the last so many milliseconds, repeated back into earlier years.
    fn write(&self, name: &str, source: &Path, times: i64, held_back_ms: i64, version: u64) {
        let folder = self.path(name);
        fs::create_dir(&folder).expect("a folder");
        let options = IngestOptions::new(Interval::M15, NOW_MS);
        let catalog = discover(&[source.to_path_buf()], &options).expect("files");
        for sources in &catalog.symbols {
            let loaded = load_symbol(sources, &options).expect("candles");
            let bars = loaded.series.bars();
            let (first, last) = (bars.open_time[0], bars.open_time[bars.len() - 1]);
            let mut text = "open_time,open,high,low,close,volume\n".to_owned();
            for back in (1..times).rev() {
                append(&mut text, bars, back * (last + Interval::M15.ms() - first));
            }
            append(&mut text, bars.slice(0..bars.index_at(last + 1 - held_back_ms)), 0);
            let file = folder.join(format!("{}-15m.csv", loaded.symbol));
            fs::write(&file, text).expect("written");
            set_modified(&file, SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + version));
        }
    }
}

fn set_modified(file: &Path, time: SystemTime) {
    let opened = fs::File::options().write(true).open(file).expect("open");
    opened.set_modified(time).expect("touched");
}

fn append(text: &mut String, bars: Bars<'_>, earlier_ms: i64) {
    for Candle { open_time, open, high, low, close, volume } in (0..bars.len()).map(|i| bars.get(i)) {
        text.push_str(&format!("{},{open},{high},{low},{close},{volume}\n", open_time - earlier_ms));
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}

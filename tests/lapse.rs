//! A year of daily runs, in a minute: what grows stops growing, and the last run costs what an early one did.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use retune::config::Config;
use retune::diagnose::process;
use retune::engine::plan::{DayLimits, Plan};
use retune::model::{DAY_MS, Style};
use retune::run::{RunOptions, incremental};
use retune::store::health::compact_store;
use retune::store::{Backup, Location, RUNS_MAX, Store, View, list_backups};
use rustix::time::{ClockId, clock_gettime};

use crate::command::{optimizer, text};

/// 2024-01-01: the first candle.
const START: i64 = 1_704_067_200_000;
/// 2027-01-01: the first run, long after its files were written.
const NOW_MS: i64 = 1_798_761_600_000;
/// Days of candles before the first run: the look-back and something to tune on.
const DAYS_BEFORE: i64 = 60;
const STEP: i64 = 900_000;
const CACHE_BYTES: u64 = 512 << 10;
const BACKUPS: usize = 3;
/// Set in the process of its own, in which memory and processor time are those of the runs alone.
const ALONE: &str = "RETUNE_LAPSE_ALONE";
/// Days by hand: `RETUNE_LAPSE_DAYS=1460 cargo test --test all lapse -- --nocapture`.
const DAYS: &str = "RETUNE_LAPSE_DAYS";

const CONFIGURATION: &str = r#"
[data]
window = "45d"
[decide]
require = "stable"
[search]
min_trades = 3
score = "balanced"
rank = "plateau"
[validate]
quick = true
min_out_of_sample_trades = 2
[symbols]
own_parameters = false
[style.scalping.space]
max_holding_hours = [8, 12]
min_risk_reward = 0.5
"#;

/// A market that goes somewhere without a plan.
struct Walk {
    state: u64,
    price: f64,
}

impl Walk {
    fn share(&mut self) -> f64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 40) as f64 / (1 << 24) as f64
    }

    /// Appends a day of candles.
    fn day(&mut self, day: i64, file: &mut File) {
        let mut rows = String::new();
        for index in 0..96 {
            let open = self.price;
            let trend = 0.001 * ((day * 96 + index) as f64 / 40.0).sin();
            let close = open * (1.0 + trend + 0.008 * (self.share() - 0.5));
            let (high, low) = (
                open.max(close) * (1.0 + 0.003 * self.share()),
                open.min(close) * (1.0 - 0.003 * self.share()),
            );
            let volume = 50.0 + 100.0 * self.share();
            let time = START + day * DAY_MS + index * STEP;
            rows += &format!("{time},{open:.6},{high:.6},{low:.6},{close:.6},{volume:.2}\n");
            self.price = close;
        }
        file.write_all(rows.as_bytes()).expect("writable");
    }
}

/// What a run left behind.
#[derive(Debug, Clone, Copy)]
struct After {
    state_bytes: u64,
    cache_bytes: u64,
    rss_bytes: u64,
    cpu: Duration,
    evaluated: usize,
}

struct World {
    folder: tempfile::TempDir,
    plan: Plan,
    walks: Vec<(Walk, File)>,
}

impl World {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        fs::create_dir(folder.path().join("data")).expect("writable");
        let walk = |seed: u64| {
            let path = folder.path().join(format!("data/LAPSE{seed}USDT-15m.csv"));
            let mut file = File::create(path).expect("writable");
            file.write_all(b"open_time,open,high,low,close,volume\n").expect("writable");
            (Walk { state: seed, price: 100.0 }, file)
        };
        let walks = vec![walk(1), walk(2)];
        let config = Config::from_texts(&[("test".to_owned(), CONFIGURATION.to_owned())]).expect("sound");
        let plan = config.plan(&[Style::Scalping], DayLimits::default()).expect("sound");
        Self { folder, plan, walks }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn add_day(&mut self, day: i64) {
        self.walks.iter_mut().for_each(|(walk, file)| walk.day(day, file));
    }

    fn run(&self, number: i64) -> After {
        let options = RunOptions {
            store: Some(Location { backups: BACKUPS, ..Location::new(self.store()) }),
            cache_bytes: CACHE_BYTES,
            ..RunOptions::over(vec![self.folder.path().join("data")], NOW_MS + number * DAY_MS)
        };
        let before = clock_gettime(ClockId::ProcessCPUTime);
        let report = incremental(&self.plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run");
        let after = clock_gettime(ClockId::ProcessCPUTime);
        let nanoseconds = (after.tv_sec - before.tv_sec) * 1_000_000_000 + (after.tv_nsec - before.tv_nsec);
        let size = |name: &str| fs::metadata(self.store().join(name)).map_or(0, |found| found.len());
        After {
            state_bytes: size("state.redb"),
            cache_bytes: size("evals.redb"),
            rss_bytes: process::sample(std::process::id(), 0).map_or(0, |sample| sample.rss_bytes),
            cpu: Duration::from_nanos(nanoseconds.unsigned_abs()),
            evaluated: report.units.iter().map(|units| units.evaluated.len()).sum(),
        }
    }
}

fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

#[test]
fn a_year_of_daily_runs_grows_nothing_and_slows_nothing() {
    if std::env::var_os(ALONE).is_none() {
        let mut alone = Command::new(std::env::current_exe().expect("this program"));
        alone.args(["--exact", "lapse::a_year_of_daily_runs_grows_nothing_and_slows_nothing", "--nocapture"]);
        let ended = alone.env(ALONE, "1").output().expect("it can be started");
        assert!(ended.status.success(), "{}{}", text(&ended.stdout), text(&ended.stderr));
        return;
    }
    let days = std::env::var(DAYS).ok().and_then(|text| text.parse().ok()).unwrap_or(365);
    let mut world = World::new();
    (0..DAYS_BEFORE).for_each(|day| world.add_day(day));
    let runs: Vec<After> = (0..days)
        .map(|number| {
            world.add_day(DAYS_BEFORE + number);
            world.run(number)
        })
        .collect();
    let quarters: Vec<&[After]> = runs.chunks(runs.len() / 4).take(4).collect();
    say(&quarters);
    let (second, last) = (quarters[1], quarters[3]);

    // A day's work is a day's work.
    let evaluated = |part: &[After]| median(part.iter().map(|run| run.evaluated));
    assert_eq!(
        (evaluated(second), evaluated(last)),
        (4, 4),
        "of each symbol the new day, and the one that it seals"
    );
    // What is verified and backed up grows with the history, until that is full.
    let cpu = |part: &[After]| median(part.iter().map(|run| run.cpu)).as_secs_f64();
    assert!(cpu(last) < 2.0 * cpu(second), "{} s, then {} s of processor time a run", cpu(second), cpu(last));
    let rss = |part: &[After]| median(part.iter().map(|run| run.rss_bytes)) as f64;
    assert!(rss(last) < 1.3 * rss(second), "{} bytes, then {} resident", rss(second), rss(last));

    // What is kept is what is meant to be kept.
    let cache = runs.iter().map(|run| run.cache_bytes).max().unwrap_or(0);
    assert!(cache < 8 * CACHE_BYTES, "{cache} bytes of cache with a budget of {CACHE_BYTES}");
    let state = |part: &[After]| part.iter().map(|run| run.state_bytes).max().unwrap_or(0);
    assert!(state(last) < 16 << 20, "{} bytes of truth", state(last));
    let kept = list_backups(&world.store()).expect("listed");
    // Those of the last days, and what they go on from: no more bytes than a whole one has again.
    assert!(kept.len() >= BACKUPS, "{kept:?}");
    let bytes = |kept: &[Backup]| kept.iter().map(|backup| backup.bytes).sum::<u64>();
    let largest = kept.iter().map(|backup| backup.bytes).max().unwrap_or(0);
    assert!(bytes(&kept) <= 4 * largest, "{} bytes, the largest {largest}", bytes(&kept));
    assert!(kept.iter().all(|backup| backup.content.is_ok()), "{kept:?}");
    let wanted = runs.len().min(RUNS_MAX as usize);
    let view = View::open(&world.store()).expect("published");
    let history = view.read().expect("readable").runs("default", .., usize::MAX).expect("readable");
    assert_eq!((history.len(), history[0].0), (wanted, runs.len() as u64));
    let listed = optimizer()
        .args(["inspect", "runs", "--limit", "1000", "--csv", "--store"])
        .arg(world.store())
        .output();
    let listed = text(&listed.expect("it can be started").stdout);
    assert_eq!(listed.lines().count(), wanted + 1, "a line for each, and names");

    // And it can be put together.
    let now_ms = NOW_MS + (days + 1) * DAY_MS;
    let before: u64 = fs::metadata(world.store().join("state.redb")).expect("there").len();
    let compacted = compact_store(&world.store(), now_ms).expect("nobody has it open");
    let after: u64 = fs::metadata(world.store().join("state.redb")).expect("there").len();
    assert!(after <= before && !compacted.is_empty(), "{before} bytes, then {after}");
    let store = Store::open(world.store(), now_ms).expect("whole");
    let again = store.read().expect("readable").runs("default", .., usize::MAX).expect("readable");
    assert_eq!(again, history, "the same history");
    drop(store);
    world.add_day(DAYS_BEFORE + days);
    assert_eq!(world.run(days).evaluated, 4, "and goes on");
}

#[expect(clippy::print_stderr, reason = "figures of a run by hand")]
fn say(quarters: &[&[After]]) {
    for (number, part) in quarters.iter().enumerate() {
        let last = part[part.len() - 1];
        let (cpu, rss) =
            (median(part.iter().map(|run| run.cpu)), median(part.iter().map(|run| run.rss_bytes)));
        let (state, cache) = (last.state_bytes >> 10, last.cache_bytes >> 10);
        eprintln!(
            "quarter {}: median {cpu:.1?} of processor time and {} KiB resident a run; at its end {state} KiB of truth, {cache} KiB of cache",
            number + 1,
            rss >> 10,
        );
    }
}

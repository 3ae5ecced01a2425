//! What does a day cost when there is more and more to remember?
//!
//! Workload: three profiles of one store, fed with the candles in `../shared/data/candles/binance-spot` where they are (7
//! symbols), else with two symbols of made-up ones; the default configuration with `--quick`, so the window is 365
//! days. The first run of each profile is a real one; more are stored through `Store` until each has 1, 40, 160 and 400, with the
//! records of the real one and numbers of their own, a day apart, backups included. Then days are added to the candles and each
//! profile runs on each of them, as whole processes: processor time and bytes on disk.
//!
//! The ratio of the last line to the first is the figure: both are of the same process, so other work on the machine weighs on
//! both. `-- small` takes made-up candles, whose days cost less, so that the ratio is higher. Baseline: docs/benchmarks.md. Under `cargo test` it runs with 1 and 3 runs and one day on made-up candles.

#[expect(dead_code, reason = "it asks for processor time only")]
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use process::optimizer;
use retune::model::{DAY_MS, Style};
use retune::store::records::{DecisionRecord, EvidenceRecord, StoredMetrics};
use retune::store::{LearningCommit, Location, Snapshot, Store};

const PROFILES: [&str; 3] = ["one", "two", "three"];
const ROWS_A_DAY: usize = 96;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = root.join("../shared/data/candles/binance-spot");
    // `small` asks for all of it over made-up candles.
    let small = std::env::args().any(|argument| argument == "small");
    let source = Some(real).filter(|real| full && !small && real.exists());
    let (stages, days): (&[u64], usize) = if full { (&[1, 40, 160, 400], 7) } else { (&[1, 3], 1) };
    let folder = tempfile::tempdir().expect("a folder");
    let candles = source.as_deref().map_or_else(made_up, read_candles);
    let world = World::new(folder.path(), candles, days);
    let first = folder.path().join("first");
    world.reset();
    for profile in PROFILES {
        world.run(&first, profile);
    }
    let source = source.map_or_else(|| "made up".to_owned(), |source| source.display().to_string());
    print(&format!("workload: {source}, {days} days of {} profiles each", PROFILES.len()));
    print("runs of each | CPU ms of a quick day | of the first | state MB | copy MB | backups MB | all MB");
    let mut base = None;
    for (number, runs) in stages.iter().enumerate() {
        let store = folder.path().join(format!("store-{number}"));
        copy_folder(&first, &store);
        fill(&store, *runs);
        let cpu_ms = world.day_ms(&store);
        let first_ms = *base.get_or_insert(cpu_ms);
        let size = |name: &str| bytes_of(&store.join(name)) as f64 / 1e6;
        let (state, view, backups) = (size("state.redb"), size("view.redb"), size("backups"));
        let (ratio, all) = (cpu_ms / first_ms, state + view + backups);
        print(&format!(
            "{runs} | {cpu_ms:.1} | {ratio:.2} | {state:.2} | {view:.2} | {backups:.2} | {all:.2}"
        ));
    }
}

/// Candle files that get a day longer each day.
struct World {
    data: PathBuf,
    files: Vec<(PathBuf, String, Vec<String>)>,
}

impl World {
    /// Takes the last `days` away from files of candles.
    fn new(folder: &Path, candles: Vec<(String, String)>, days: usize) -> Self {
        let data = folder.join("data");
        fs::create_dir(&data).expect("writable");
        let file = |(name, text): (String, String)| {
            let lines: Vec<&str> = text.lines().collect();
            let (known, later) = lines.split_at(lines.len() - days * ROWS_A_DAY);
            let whole = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            (data.join(name), whole(known), later.chunks(ROWS_A_DAY).map(whole).collect())
        };
        let files = candles.into_iter().map(file).collect();
        Self { data, files }
    }

    /// Puts the files back to how they were before the first of the days.
    fn reset(&self) {
        for (path, known, _) in &self.files {
            fs::write(path, known).expect("writable");
        }
    }

    fn run(&self, store: &Path, profile: &str) -> f64 {
        let [data, store] = [&*self.data, store].map(|path| path.to_str().expect("text"));
        let cost =
            optimizer(&["incremental", "--quick", "--data", data, "--store", store, "--profile", profile]);
        assert!([0, 10, 11, 12].contains(&cost.status), "a result, not {}", cost.status);
        1000.0 * cost.cpu.as_secs_f64()
    }

    /// Returns the median processor time of a profile's run on a new day.
    fn day_ms(&self, store: &Path) -> f64 {
        self.reset();
        for profile in PROFILES {
            self.run(store, profile);
        }
        let mut costs = Vec::new();
        for day in 0..self.files[0].2.len() {
            for (path, _, later) in &self.files {
                let mut file = fs::OpenOptions::new().append(true).open(path).expect("there");
                std::io::Write::write_all(&mut file, later[day].as_bytes()).expect("writable");
            }
            costs.extend(PROFILES.iter().map(|profile| self.run(store, profile)));
        }
        costs.sort_by(f64::total_cmp);
        costs[costs.len() / 2]
    }
}

/// Reads the files of 15m candles in a folder.
fn read_candles(folder: &Path) -> Vec<(String, String)> {
    let paths = fs::read_dir(folder).expect("candles").map(|entry| entry.expect("an entry").path());
    let of_15m = paths.filter(|path| path.to_string_lossy().ends_with("-15m.csv"));
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    of_15m.map(|path| (name(&path), fs::read_to_string(&path).expect("text"))).collect()
}

/// Returns candles of two symbols that go nowhere, for 100 days.
fn made_up() -> Vec<(String, String)> {
    let mut drift = Drift(3);
    let mut of = |name: &str| {
        let mut text = "open_time,open,high,low,close,volume\n".to_owned();
        let mut price = 100.0;
        for index in 0..100 * ROWS_A_DAY as i64 {
            let (open, up) = (price, drift.of(1.0) < 1.008);
            price *= if up { 1.004 } else { 1.0 / 1.004 };
            let (high, low) = (1.002 * f64::max(open, price), f64::min(open, price) / 1.002);
            let time = 1_704_067_200_000 + index * 900_000;
            text += &format!("{time},{open:.6},{high:.6},{low:.6},{price:.6},{:.2}\n", 100.0 * drift.of(1.0));
        }
        (format!("{name}USDT-15m.csv"), text)
    };
    vec![of("GROWA"), of("GROWB")]
}

/// Numbers of their own for every run.
struct Drift(u64);

impl Drift {
    fn of(&mut self, value: f64) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        value * (1.0 + (self.0 >> 40) as f64 / 1e9)
    }

    fn metrics(&mut self, metrics: &mut StoredMetrics) {
        for value in [&mut metrics.win_rate, &mut metrics.profit_factor].into_iter().flatten() {
            *value = self.of(*value);
        }
    }

    fn decision(&mut self, mut decision: DecisionRecord) -> DecisionRecord {
        for candidate in [&mut decision.candidate, &mut decision.incumbent].into_iter().flatten() {
            candidate.score = candidate.score.map(|score| self.of(score));
            [&mut candidate.full, &mut candidate.early, &mut candidate.late]
                .into_iter()
                .for_each(|metrics| self.metrics(metrics));
        }
        decision
    }

    fn evidence(&mut self, mut evidence: EvidenceRecord) -> EvidenceRecord {
        for figure in evidence.figures.iter_mut().filter(|figure| figure.value.fract() != 0.0) {
            figure.value = self.of(figure.value);
        }
        evidence
    }
}

/// Stores runs like the one that is there until every profile has as many.
fn fill(dir: &Path, runs: u64) {
    let mut store = Store::open(Location { backups: 7, ..Location::new(dir) }, now_ms()).expect("whole");
    let mut drift = Drift(1);
    let templates: Vec<LearningCommit> =
        PROFILES.iter().map(|profile| template(&store.read().expect("readable"), profile)).collect();
    for number in 1..runs {
        for template in &templates {
            let mut commit = template.clone();
            commit.run.started_at_ms = now_ms() - (runs - number) as i64 * DAY_MS;
            let mark = number.to_le_bytes();
            commit.run.data_fingerprint = bytes_of_its_own(&mark, &template.profile);
            commit.decisions.values_mut().for_each(|decision| {
                // What changed nothing: active parameters are rarely changed.
                (decision.adopted, decision.changed) = (false, false);
                decision.changes.clear();
                *decision = drift.decision(std::mem::take(decision));
            });
            commit
                .evidence
                .values_mut()
                .for_each(|evidence| *evidence = drift.evidence(std::mem::take(evidence)));
            for trial in commit.trials.values_mut().flat_map(|trials| &mut trials.trials) {
                trial.score = drift.of(trial.score);
                drift.metrics(&mut trial.metrics);
            }
            for cell in commit.series.values_mut().flat_map(|series| &mut series.surfaces) {
                cell.cells.iter_mut().for_each(|cell| cell.mean = cell.mean.map(|mean| drift.of(mean)));
            }
            store.commit(commit).expect("committed");
        }
    }
    store.publish_view().expect("published");
    PROFILES.iter().for_each(|profile| store.report_done(profile).expect("noted"));
}

/// Returns 32 bytes that no other run has.
fn bytes_of_its_own(mark: &[u8], profile: &str) -> [u8; 32] {
    let hash = |all: u64, byte: &u8| all.wrapping_mul(31).wrapping_add(u64::from(*byte));
    let mut drift = Drift(mark.iter().chain(profile.as_bytes()).fold(7, hash));
    std::array::from_fn(|_| (drift.of(1.0).to_bits() >> 13) as u8)
}

/// Returns the last run of a profile as it was stored.
fn template(snapshot: &Snapshot<'_>, profile: &str) -> LearningCommit {
    let (id, run) = snapshot.runs(profile, .., 1).expect("readable").remove(0);
    let mut commit = LearningCommit::new(profile, run);
    commit.work = snapshot.work(profile, id).expect("readable");
    commit.decisions = snapshot.decisions(profile, id).expect("readable").into_iter().collect();
    for style in Style::ALL {
        commit
            .trials
            .extend(snapshot.trials(profile, id, style).expect("readable").map(|kept| (style, kept)));
        commit
            .series
            .extend(snapshot.series(profile, id, style).expect("readable").map(|kept| (style, kept)));
        commit
            .evidence
            .extend(snapshot.evidence(profile, id, style).expect("readable").map(|kept| (style, kept)));
        commit
            .features
            .extend(snapshot.features(profile, style).expect("readable").map(|kept| (style, kept)));
        commit
            .insights
            .extend(snapshot.insights(profile, style).expect("readable").map(|kept| (style, kept)));
    }
    commit
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Returns the bytes of a file, or of all in a folder.
fn bytes_of(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.map(|entry| bytes_of(&entry.expect("an entry").path())).sum(),
        Err(_) => fs::metadata(path).map_or(0, |found| found.len()),
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("writable");
    for entry in fs::read_dir(from).expect("files") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints its figures")]
fn print(text: &str) {
    println!("{text}");
}

//! What is tried in every test run: a fixed number of made-up inputs, every seed, and every input that is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::mutator::Mutator;
use super::{Target, named, targets};

/// How long a target is tried.
#[derive(Clone, Copy)]
enum Effort {
    Executions,
    Time(Duration),
}

/// What came of a target.
#[derive(Debug, Default)]
struct Figures {
    executions: usize,
    /// Different things it said.
    answers: usize,
    slowest: Duration,
}

/// Tries a target; the error is what did not hold, with the bytes.
fn attack(target: &Target, effort: Effort, seed: u64) -> Result<Figures, String> {
    let mut mutator = Mutator::new((target.seeds)(), target.words, seed);
    let (mut figures, mut answers) = (Figures::default(), BTreeSet::new());
    let clock = Instant::now();
    let goes_on = |figures: &Figures| match effort {
        Effort::Executions => figures.executions < target.executions,
        Effort::Time(limit) => clock.elapsed() < limit,
    };
    while goes_on(&figures) {
        let bytes = mutator.bytes();
        let begun = Instant::now();
        let said = catch_unwind(AssertUnwindSafe(|| target.hold(&bytes)));
        figures.slowest = figures.slowest.max(begun.elapsed());
        figures.executions += 1;
        let said = said.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let kept = std::env::temp_dir().join(format!("retune-fuzz-{}.bin", target.name));
            let kept = std::fs::write(&kept, &bytes).map(|()| kept.display().to_string());
            format!("{}, seed {seed}, bytes in {kept:?}: {text:?}", target.name)
        })?;
        // Bytes that made it say something new are worth going on from.
        let kind: String = said.chars().filter(|c| !c.is_ascii_digit()).take(48).collect();
        if answers.insert(kind) {
            mutator.keep(bytes);
        }
    }
    figures.answers = answers.len();
    Ok(figures)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
#[expect(clippy::print_stderr, reason = "figures of a run by hand")]
fn whatever_bytes_come_nothing_panics_and_what_is_accepted_comes_out_the_same() {
    let by_hand = number("RETUNE_FUZZ_SECONDS").map(Duration::from_secs);
    let (effort, seed) = (by_hand.map_or(Effort::Executions, Effort::Time), number("RETUNE_FUZZ_SEED"));
    let chosen = std::env::var("RETUNE_FUZZ_TARGET").unwrap_or_default();
    let targets: Vec<_> = targets().filter(|target| target.name.contains(&chosen)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = attack(target, effort, seed.unwrap_or(1));
            if by_hand.is_some() {
                eprintln!("{}: {found:?}", target.name);
            }
            done.push((target.name, found));
        }
        done
    };
    let done: Vec<_> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().expect("failures are caught")).collect()
    });
    let failed: Vec<&String> = done.iter().filter_map(|(_, found)| found.as_ref().err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let found: BTreeMap<_, _> =
        done.iter().filter_map(|(name, found)| Some((name, found.as_ref().ok()?))).collect();
    assert_eq!(found.len(), targets.len(), "names are used once");
    for (name, figures) in found {
        assert!(figures.answers > 1, "{name} says one thing whatever the bytes: {figures:?}");
    }
}

/// Seeds are sound: without them the format behind a header is never reached.
#[test]
fn every_target_accepts_its_seeds() {
    for target in targets() {
        for (number, seed) in (target.seeds)().iter().enumerate() {
            let said = target.hold(seed);
            assert!(said.starts_with("ok"), "{}, seed {number}: {said}", target.name);
        }
    }
}

/// How long one kept input may take: they are small.
const KEPT_TAKES_MAX: Duration = Duration::from_secs(10);

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = found.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// What the fuzzer found new ways with, and what once failed, is read without a failure.
#[test]
fn every_kept_input_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for folder in entries(&corpus) {
        let name = name_of(&folder);
        let known = named(&name);
        // Without the columnar formats there is nobody to read them.
        let absent = !cfg!(feature = "columnar") && ["feather", "parquet"].contains(&name.as_str());
        assert!(known.is_some() || absent, "{name} is no target");
        for path in known.into_iter().flat_map(|_| entries(&folder)) {
            let bytes = fs::read(&path).expect("a file");
            let begun = Instant::now();
            let held = catch_unwind(AssertUnwindSafe(|| known.map(|target| target.hold(&bytes))));
            assert!(held.is_ok(), "{} does not hold", path.display());
            let took = begun.elapsed();
            assert!(took < KEPT_TAKES_MAX, "{} takes {took:?}", path.display());
        }
    }
}

/// `tools/fuzz` has a program for every target, and no other.
#[cfg(feature = "columnar")]
#[test]
fn every_target_has_a_program() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/fuzz");
    let wanted: BTreeSet<String> = targets().map(|target| target.name.to_owned()).collect();
    let programs: BTreeSet<String> =
        entries(&package.join("fuzz_targets")).iter().map(|path| name_of(path)).collect();
    assert_eq!(programs, wanted);
    let manifest = fs::read_to_string(package.join("Cargo.toml")).expect("a manifest");
    for name in &wanted {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name} is not in the manifest"
        );
        let program = fs::read_to_string(package.join(format!("fuzz_targets/{name}.rs"))).expect("a program");
        assert!(program.contains(&format!("\"{name}\"")), "fuzz_targets/{name}.rs tries another target");
    }
}

//! Hostile bytes for everything that reads bytes: files, rows of the store, answers of servers, the configuration.
//!
//! Every module that reads bytes lists its [`Target`]s beside its code. A target takes any bytes, says what became of
//! them and asserts what has to hold whatever they are: that what was accepted comes out the same when it is written and
//! read again, that what was counted adds up. Here it is asserted of all that nothing panics and that no text about bytes
//! is long: none carries a payload along.
//!
//! `cargo test --lib fuzz` makes a fixed number of executions with a fixed seed. By hand:
//! `RETUNE_FUZZ_SECONDS=600 cargo test --lib fuzz -- --nocapture` gives every target so much time (`RETUNE_FUZZ_TARGET`
//! chooses those whose names hold a text, `RETUNE_FUZZ_SEED` another seed). There is no guidance by coverage; bytes about
//! which a target says something new are gone on from.

mod mutator;
mod scratch;

pub use scratch::Scratch;

/// The longest text about bytes.
pub const TEXT_BYTES_MAX: usize = 2048;

/// Something that reads bytes.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Reads bytes and says what became of them; panics where something does not hold.
    pub run: fn(&[u8]) -> String,
    /// Sound bytes to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format.
    pub words: &'static [&'static str],
    /// Executions of every test run.
    pub executions: usize,
}

/// Returns every target.
pub fn targets() -> Vec<&'static Target> {
    let lists: [&'static [Target]; 6] = [
        crate::ingest::fuzz::TARGETS,
        crate::store::fuzz::TARGETS,
        crate::fetch::fuzz::TARGETS,
        crate::notify::fuzz::TARGETS,
        crate::run::fuzz::TARGETS,
        crate::cli::fuzz::TARGETS,
    ];
    lists.into_iter().flatten().collect()
}

impl Target {
    /// Reads bytes, and asserts what holds for every target.
    pub fn hold(&self, bytes: &[u8]) -> String {
        let said = (self.run)(bytes);
        assert!(said.len() < TEXT_BYTES_MAX, "{}: a text of {} bytes: {:.300}", self.name, said.len(), said);
        said
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use super::mutator::Mutator;
    use super::*;

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
        let targets: Vec<_> = targets().into_iter().filter(|target| target.name.contains(&chosen)).collect();
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
}

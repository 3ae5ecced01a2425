//! Where outcomes lie between evaluation and search. Below a ceiling, what does not fit goes to a file without a name and comes
//! back a few exit rules at a time, so that memory grows neither with rules nor with what became of signals.
//!
//! Invariant: what comes back is what was put there; where outcomes lie changes no result. The file is gone with the process.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::engine::outcome_bytes::{decode_rows, encode_row};
use crate::evaluate::outcome_table::{LANES, OutcomeColumns, OutcomeSource};
use crate::model::Outcomes;
use crate::store::Beside;

/// Decoded days that are kept while a table is put together: symbols take turns within a day.
const DAYS_KEPT: usize = 256;

/// The outcomes of one style of a symbol-day, wherever they are.
#[derive(Debug, Clone)]
pub enum DayOutcomes {
    /// In memory.
    Held(Arc<Outcomes>),
    /// In the file.
    Spilled(Arc<Spilled>),
}

/// Outcomes in the file.
#[derive(Debug)]
pub struct Spilled {
    file: Arc<SpillFile>,
    rules: usize,
    rows: usize,
    /// Where each group of [`LANES`] rules begins, and where the last one ends.
    bounds: Vec<u64>,
}

#[derive(Debug)]
struct SpillFile {
    file: File,
    /// The first failure: what was read since is worthless, and so is every result.
    failed: OnceLock<io::Error>,
}

impl Default for DayOutcomes {
    fn default() -> Self {
        Self::from(Outcomes::default())
    }
}

impl From<Outcomes> for DayOutcomes {
    fn from(outcomes: Outcomes) -> Self {
        Self::Held(Arc::new(outcomes))
    }
}

impl PartialEq for DayOutcomes {
    fn eq(&self, other: &Self) -> bool {
        let all = |outcomes: &Self| outcomes.under(0..outcomes.rules()).into_owned();
        all(self) == all(other)
    }
}

impl DayOutcomes {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Held(outcomes) => outcomes.len(),
            Self::Spilled(spilled) => spilled.rows,
        }
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of rules.
    pub fn rules(&self) -> usize {
        match self {
            Self::Held(outcomes) => outcomes.rules(),
            Self::Spilled(spilled) => spilled.rules,
        }
    }

    /// Returns the outcomes where they are in memory.
    pub(crate) fn held(&self) -> Option<&Outcomes> {
        match self {
            Self::Held(outcomes) => Some(outcomes),
            Self::Spilled(_) => None,
        }
    }

    /// Returns the outcomes under some consecutive rules.
    pub fn under(&self, rules: Range<usize>) -> Cow<'_, Outcomes> {
        match self {
            Self::Held(outcomes) if rules == (0..outcomes.rules()) => Cow::Borrowed(outcomes),
            Self::Held(outcomes) => Cow::Owned(picked_rows(outcomes, rules)),
            Self::Spilled(spilled) => Cow::Owned(spilled.under(rules)),
        }
    }
}

fn picked_rows(outcomes: &Outcomes, rules: Range<usize>) -> Outcomes {
    let (mut some, rules) = (Outcomes::new(rules.len()), rules.collect::<Vec<_>>());
    outcomes.rows().for_each(|row| some.push_picked(row, &rules));
    some
}

impl Spilled {
    fn under(&self, rules: Range<usize>) -> Outcomes {
        let groups = rules.start / LANES..rules.end.div_ceil(LANES);
        let wanted = |group: usize| rules.start.max(group * LANES)..rules.end.min((group + 1) * LANES);
        let mut joined: Option<Outcomes> = None;
        for group in groups {
            let own = group * LANES;
            let part = self.group(group);
            let part = picked_rows(&part, wanted(group).start - own..wanted(group).end - own);
            joined = Some(match joined {
                None => part,
                Some(before) => {
                    let mut both = Outcomes::new(before.rules() + part.rules());
                    before.rows().zip(part.rows()).for_each(|(row, more)| both.push_joined(row, more));
                    both
                }
            });
        }
        joined.unwrap_or_default()
    }

    /// Returns a group of rules; worthless rows where the file cannot be read, which is remembered.
    fn group(&self, group: usize) -> Outcomes {
        let rules = LANES.min(self.rules - group * LANES);
        let read = || {
            let (from, to) = (self.bounds[group], self.bounds[group + 1]);
            let mut bytes = vec![0; usize::try_from(to - from).unwrap_or(0)];
            self.file.file.read_exact_at(&mut bytes, from)?;
            let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it does not hold what was written");
            decode_rows(&bytes, self.rows, rules).ok_or_else(damaged)
        };
        read().unwrap_or_else(|error| {
            // Only the first counts.
            let _ = self.file.failed.set(error);
            worthless_rows(self.rows, rules)
        })
    }
}

/// Returns rows of the right shape that say nothing.
fn worthless_rows(rows: usize, rules: usize) -> Outcomes {
    use crate::model::{ExitReason, Outcome, ReturnPpm};
    let zero = ReturnPpm(0);
    let nothing = Outcome {
        net: zero,
        best_case: zero,
        gross: zero,
        bars_held: 1,
        reason: ExitReason::Time,
        ambiguous: false,
    };
    let mut outcomes = Outcomes::new(rules);
    (0..rows).for_each(|_| outcomes.push_each(&vec![nothing; rules]));
    outcomes
}

/// Keeps outcomes: in memory as far as a ceiling leaves room for them, the rest in a file.
#[derive(Debug)]
pub(crate) struct OutcomeStore {
    /// Bytes that may stay in memory; `None` keeps all there.
    held_max: Option<u64>,
    held: AtomicU64,
    dir: PathBuf,
    file: Mutex<Option<(Arc<SpillFile>, u64)>>,
}

impl OutcomeStore {
    /// Returns a store that keeps so many bytes in memory, and everything where there is no ceiling; the file is made below `dir`
    /// when the first row needs it.
    pub(crate) fn new(held_max: Option<u64>, dir: &Path) -> Self {
        Self { held_max, held: AtomicU64::new(0), dir: dir.to_owned(), file: Mutex::new(None) }
    }

    /// Keeps the outcomes of a day.
    ///
    /// Errors: where the file cannot be made or written
    pub(crate) fn keep(&self, outcomes: DayOutcomes) -> io::Result<DayOutcomes> {
        let (Some(held_max), DayOutcomes::Held(held)) = (self.held_max, &outcomes) else {
            return Ok(outcomes);
        };
        let bytes = held.bytes();
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes <= held_max || held.is_empty() {
            return Ok(outcomes);
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.spill(held).map(|spilled| DayOutcomes::Spilled(Arc::new(spilled)))
    }

    fn spill(&self, outcomes: &Outcomes) -> io::Result<Spilled> {
        let (rules, rows) = (outcomes.rules(), outcomes.len());
        let (mut bytes, mut lengths) = (Vec::new(), vec![0]);
        for first in (0..rules).step_by(LANES) {
            let group = picked_rows(outcomes, first..rules.min(first + LANES));
            group.rows().for_each(|row| encode_row(row, &mut bytes));
            lengths.push(bytes.len() as u64);
        }
        let (file, at) = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let (file, end) = match &mut *file {
                Some(open) => open,
                none => none.insert((Arc::new(SpillFile::below(&self.dir)?), 0)),
            };
            let at = *end;
            *end += bytes.len() as u64;
            (file.clone(), at)
        };
        file.file.write_all_at(&bytes, at)?;
        let bounds = lengths.into_iter().map(|length| at + length).collect();
        Ok(Spilled { file, rules, rows, bounds })
    }

    /// Returns what went wrong when outcomes were read back: results since then are worthless.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let error = file.as_ref()?.0.failed.get()?;
        Some(io::Error::new(error.kind(), error.to_string()))
    }
}

impl SpillFile {
    /// Makes a file that has no name any more.
    fn below(dir: &Path) -> io::Result<Self> {
        // It loses its name here.
        let file = Beside::create(&dir.join("outcomes"), 0o600)?.file().try_clone()?;
        Ok(Self { file, failed: OnceLock::new() })
    }
}

/// The outcomes of a book of which some are in the file.
#[derive(Debug)]
pub(crate) struct DaySource {
    /// Days with signals in the lattice.
    pub(crate) days: Vec<DayOutcomes>,
    /// For every signal of the book, in trade order: its day and its row there.
    pub(crate) rows: Vec<(u32, u32)>,
}

impl OutcomeSource for DaySource {
    fn load(&self, rules: Range<usize>) -> OutcomeColumns {
        let mut table = OutcomeColumns::new(rules.len());
        table.reserve(self.rows.len());
        let mut recent = lru::LruCache::new(std::num::NonZeroUsize::new(DAYS_KEPT).expect("more than none"));
        for (day, row) in &self.rows {
            let outcomes = recent.get_or_insert(*day, || self.days[*day as usize].under(rules.clone()));
            table.push(outcomes.row(*row as usize));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExitReason, Outcome, ReturnPpm};
    use proptest::prelude::*;

    fn outcome(net: i32) -> Outcome {
        let (net, gross) = (ReturnPpm(net), ReturnPpm(net + 1));
        Outcome {
            net,
            best_case: net,
            gross,
            bars_held: 3,
            reason: ExitReason::Stop,
            ambiguous: net.0 % 2 == 0,
        }
    }

    proptest! {
        #[test]
        fn outcomes_come_back_as_they_went_under_any_rules(
            rules in 1_usize..70,
            seeds in prop::collection::vec(0..9_i32, 0..5),
            some in (0_usize..70, 0_usize..70),
        ) {
            let mut outcomes = Outcomes::new(rules);
            for seed in &seeds {
                let row: Vec<Outcome> = (0..rules as i32).map(|rule| outcome(rule * seed % 11)).collect();
                outcomes.push_each(&row);
            }
            let dir = tempfile::tempdir().expect("a folder");
            let store = OutcomeStore::new(Some(0), dir.path());
            let kept = store.keep(outcomes.clone().into()).expect("kept");
            prop_assert_eq!(kept.held().is_none(), !seeds.is_empty());
            prop_assert_eq!((kept.len(), kept.rules()), (outcomes.len(), rules));
            prop_assert_eq!(&*kept.under(0..rules), &outcomes);
            let some = some.0.min(some.1).min(rules - 1)..some.0.max(some.1).min(rules - 1) + 1;
            prop_assert_eq!(&*kept.under(some.clone()), &picked_rows(&outcomes, some));
            prop_assert!(store.failure().is_none());
            prop_assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0, "the file has no name");
        }
    }

    #[test]
    fn a_file_that_was_cut_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = OutcomeStore::new(Some(0), dir.path());
        let mut outcomes = Outcomes::new(2);
        outcomes.push_each(&[outcome(1), outcome(2)]);
        let kept = store.keep(outcomes.into()).expect("kept");
        let DayOutcomes::Spilled(spilled) = &kept else { panic!("spilled") };
        spilled.file.file.set_len(3).expect("cut");
        assert_eq!(kept.under(0..2).len(), 1, "the shape is right");
        assert!(store.failure().is_some());
    }

    #[test]
    fn what_fits_stays_in_memory() {
        let mut outcomes = Outcomes::new(2);
        outcomes.push_each(&[outcome(1), outcome(2)]);
        let store = OutcomeStore::new(Some(outcomes.bytes()), Path::new("/nowhere"));
        assert!(store.keep(outcomes.clone().into()).expect("kept").held().is_some());
        assert!(store.keep(outcomes.clone().into()).is_err(), "there is no such folder");
        let all = OutcomeStore::new(None, Path::new("/nowhere"));
        assert!((0..9).all(|_| all.keep(outcomes.clone().into()).is_ok_and(|kept| kept.held().is_some())));
    }
}

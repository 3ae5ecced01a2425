//! A book: the signals of one style in trade order, with their coordinates and outcomes.

use std::ops::Range;

use super::lattice::Lattice;
use crate::model::{Day, Direction, Outcome, OutcomeRow, Outcomes, ReturnPpm, Setup};
use crate::signals::opportunities::Hindsight;

/// Exit rules are followed in groups of this many, side by side, so that the ordered sums run over whole vectors.
pub const LANES: usize = 16;

/// One signal of a book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Open time of the entry candle; UTC ms.
    pub entry_ms: i64,
    /// Index of the symbol in the run's symbols.
    pub symbol: u16,
    /// Side of the trade.
    pub direction: Direction,
    /// Kind of entry.
    pub setup: Setup,
}

/// The signals of one style that pass the loosest level of every dimension, in order of entry, then symbol.
///
/// Invariant: entries ascend by (entry_ms, symbol); `coordinates[i]` holds the strictest level signal i passes in each
/// dimension; `nets[g][i]` holds its net outcomes under the exit rules of group g, zeros beyond the last rule.
#[derive(Debug, Clone)]
pub struct Book {
    lattice: Lattice,
    entries: Vec<Entry>,
    coordinates: Vec<u8>,
    /// Group by group, so that what is followed together lies together.
    nets: Vec<Vec<[i32; LANES]>>,
    outcomes: Outcomes,
    /// Entry days of all candidates, those outside the lattice included; ascending.
    candidate_days: Vec<Day>,
    /// For every opportunity, its day and the signals that take part in it.
    captures: Hindsight<Vec<(Day, Vec<u32>)>>,
}

impl Book {
    /// Returns an empty book for a lattice and so many exit rules.
    pub fn new(lattice: Lattice, rules: usize) -> Self {
        Self {
            lattice,
            entries: Vec::new(),
            coordinates: Vec::new(),
            nets: vec![Vec::new(); rules.div_ceil(LANES)],
            outcomes: Outcomes::new(rules),
            candidate_days: Vec::new(),
            captures: Hindsight::default(),
        }
    }

    /// Counts a candidate that is in no cell.
    pub fn count_candidate(&mut self, entry_ms: i64) {
        self.candidate_days.push(Day::of(entry_ms));
    }

    /// Appends a candidate with its coordinates and outcomes.
    ///
    /// Panics when entries do not ascend or the shapes differ: the caller sorts first.
    pub fn push(&mut self, entry: Entry, coordinates: &[u8], outcomes: OutcomeRow<'_>) {
        assert!(coordinates.len() == self.lattice.dimensions(), "one coordinate per dimension");
        assert!(outcomes.choices.len() == self.rules(), "one outcome per exit rule");
        let key = |e: &Entry| (e.entry_ms, e.symbol);
        assert!(self.entries.last().is_none_or(|last| key(last) <= key(&entry)), "entries ascend");
        self.count_candidate(entry.entry_ms);
        self.entries.push(entry);
        self.coordinates.extend_from_slice(coordinates);
        for (nets, choices) in self.nets.iter_mut().zip(outcomes.choices.chunks(LANES)) {
            let mut lanes = [0; LANES];
            for (lane, choice) in lanes.iter_mut().zip(choices) {
                *lane = outcomes.ends[usize::from(*choice)].net.0;
            }
            nets.push(lanes);
        }
        self.outcomes.push(outcomes);
    }

    /// Sets the opportunities: the day each starts and the signals (indices) that take part in it.
    pub fn set_captures(&mut self, captures: Hindsight<Vec<(Day, Vec<u32>)>>) {
        self.captures = captures;
    }

    /// Returns the lattice.
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// Returns the number of exit rules.
    pub fn rules(&self) -> usize {
        self.outcomes.rules()
    }

    /// Returns the signals, in trade order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the coordinates of all signals, `dimensions` per signal.
    pub fn coordinates(&self) -> &[u8] {
        &self.coordinates
    }

    /// Returns the net outcomes of all signals, group of exit rules by group: rule r is lane r % [`LANES`] of group
    /// r / [`LANES`]; ppm.
    pub fn nets(&self) -> &[Vec<[i32; LANES]>] {
        &self.nets
    }

    /// Returns the net outcome of a signal under a rule.
    pub fn outcome(&self, signal: usize, rule: usize) -> ReturnPpm {
        ReturnPpm(self.nets[rule / LANES][signal][rule % LANES])
    }

    /// Returns all that is known of the outcome of a signal under a rule.
    pub fn detail(&self, signal: usize, rule: usize) -> &Outcome {
        self.outcomes.row(signal).of(rule)
    }

    /// Returns the opportunities with the signals that take part in them.
    pub fn captures(&self) -> &Hindsight<Vec<(Day, Vec<u32>)>> {
        &self.captures
    }

    /// Returns the book with the coordinates of other signals: signal i has those of signal `order[i]`, and its own outcomes.
    /// What filters select then has nothing to do with what comes of it.
    pub fn reordered(&self, order: &[usize]) -> Self {
        assert!(order.len() == self.entries.len(), "a place for every signal");
        let dimensions = self.lattice.dimensions();
        let of = |signal: &usize| &self.coordinates[signal * dimensions..(signal + 1) * dimensions];
        Self { coordinates: order.iter().flat_map(of).copied().collect(), ..self.clone() }
    }

    /// Returns the whole book as a window over given days.
    pub fn window(&self, days: Range<Day>) -> Window<'_> {
        let at = |day: Day| self.entries.partition_point(|e| Day::of(e.entry_ms) < day);
        let candidates = |day: Day| self.candidate_days.partition_point(|d| *d < day);
        Window {
            book: self,
            signals: at(days.start)..at(days.end).max(at(days.start)),
            candidates: candidates(days.end).saturating_sub(candidates(days.start)),
            days,
        }
    }
}

/// The part of a book whose entries fall within given days.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    /// The book.
    pub book: &'a Book,
    /// Indices of the window's signals.
    pub signals: Range<usize>,
    /// Candidates in the window, those in no cell included.
    pub candidates: usize,
    /// Entry days, half open.
    pub days: Range<Day>,
}

impl Window<'_> {
    /// Returns the number of calendar days, those without trades included.
    pub fn day_count(&self) -> usize {
        usize::try_from(self.days.end.0 - self.days.start.0).unwrap_or(0)
    }

    /// Returns the window's opportunities: for each the signals that take part in it.
    pub fn captures(&self) -> impl Iterator<Item = &[u32]> {
        let days = self.days.clone();
        self.book
            .captures()
            .for_capture()
            .iter()
            .filter(move |(day, _)| days.contains(day))
            .map(|(_, signals)| signals.as_slice())
    }
}

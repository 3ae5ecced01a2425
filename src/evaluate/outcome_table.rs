//! A book: the signals of one style in trade order, with their coordinates and outcomes.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::lattice::Lattice;
use crate::model::{Day, Direction, Outcome, OutcomeRow, ReturnPpm, Setup};
use crate::signals::opportunities::Hindsight;

/// Exit rules are followed in groups of this many, side by side, so that the ordered sums run over whole vectors.
pub const LANES: usize = 16;

/// Exit rules whose choices are kept together, and whose groups are followed before the next ones: their outcomes stay near the
/// processor.
pub const STRIP: usize = 4 * LANES;

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
/// dimension.
#[derive(Debug, Clone)]
pub struct OutcomeTable {
    lattice: Lattice,
    entries: Vec<Entry>,
    coordinates: Vec<u8>,
    rules: usize,
    outcomes: Stored,
    /// Entry days of all candidates, those outside the lattice included; ascending.
    candidate_days: Vec<Day>,
    /// For every opportunity, its day and the signals that take part in it.
    captures: Hindsight<Vec<(Day, Vec<u32>)>>,
}

/// Where the outcomes of a book are.
#[derive(Debug, Clone)]
enum Stored {
    /// In memory, under all rules.
    Held(OutcomeColumns),
    /// Elsewhere, and brought here a group of rules at a time.
    Elsewhere(Arc<Elsewhere>),
}

/// Outcomes that are kept elsewhere, such as in a file, because all of them are too many to be held.
pub trait OutcomeSource: Send + Sync + std::fmt::Debug {
    /// Returns the outcomes of all signals of the book, in trade order, under some consecutive rules.
    fn load(&self, rules: Range<usize>) -> OutcomeColumns;
}

#[derive(Debug)]
struct Elsewhere {
    source: Box<dyn OutcomeSource>,
    /// The part that was asked for last, by its number.
    recent: Mutex<Option<(usize, Arc<OutcomeColumns>)>>,
}

/// The outcomes of a book's signals under some consecutive exit rules: all of them, or as many as are held at once.
#[derive(Debug)]
pub struct TablePart<'a> {
    first_rule: usize,
    table: PartTable<'a>,
}

#[derive(Debug)]
enum PartTable<'a> {
    Held(&'a OutcomeColumns),
    Loaded(Arc<OutcomeColumns>),
}

impl TablePart<'_> {
    /// Returns the first of its rules.
    pub fn first_rule(&self) -> usize {
        self.first_rule
    }

    /// Returns the outcomes.
    pub fn table(&self) -> &OutcomeColumns {
        match &self.table {
            PartTable::Held(table) => table,
            PartTable::Loaded(table) => table,
        }
    }
}

/// The outcomes of a book's signals under one exit rule.
#[derive(Debug)]
pub struct RuleOutcomes<'a> {
    part: TablePart<'a>,
    /// The rule's place in the part.
    rule: usize,
}

impl RuleOutcomes<'_> {
    /// Returns all that is known of the outcome of a signal.
    pub fn of(&self, signal: usize) -> &Outcome {
        self.part.table().outcome(signal, self.rule)
    }

    /// Returns the net outcome of a signal.
    pub fn net(&self, signal: usize) -> ReturnPpm {
        self.of(signal).net
    }
}

/// The outcomes of signals, in trade order, under some exit rules.
#[derive(Debug, Clone)]
pub struct OutcomeColumns {
    rules: usize,
    /// Which of a signal's ends each rule takes.
    strips: Vec<RuleBlock>,
    /// The ends of all signals, those of one after those of another, and their net outcomes in ppm by themselves.
    ends: Vec<Outcome>,
    nets: Vec<i32>,
    /// Where the ends of each signal stop.
    stops: Vec<usize>,
}

/// Which of its ends every signal takes under some consecutive rules.
#[derive(Debug, Clone)]
struct RuleBlock {
    rules: Range<usize>,
    choices: Choices,
}

/// Numbers of ends, one row per signal. A signal with more ends than a byte counts is rare: the rows are widened for the first.
#[derive(Debug, Clone)]
enum Choices {
    Narrow(Vec<u8>),
    Wide(Vec<u16>),
}

/// How many ends a byte counts.
const NARROW_ENDS: usize = 1 << u8::BITS;

impl RuleBlock {
    fn new(rules: Range<usize>) -> Self {
        Self { rules, choices: Choices::Narrow(Vec::new()) }
    }

    /// Returns the length of a row: whole groups, what is beyond the last rule means nothing.
    fn width(&self) -> usize {
        self.rules.len().next_multiple_of(LANES)
    }

    fn reserve(&mut self, signals: usize) {
        let more = signals * self.width();
        match &mut self.choices {
            Choices::Narrow(choices) => choices.reserve(more),
            Choices::Wide(choices) => choices.reserve(more),
        }
    }

    /// Appends a signal's row.
    fn push(&mut self, row: OutcomeRow<'_>) {
        if let Choices::Narrow(choices) = &self.choices
            && row.ends.len() > NARROW_ENDS
        {
            self.choices = Choices::Wide(choices.iter().copied().map(u16::from).collect());
        }
        let own = &row.choices[self.rules.clone()];
        let beyond = self.width() - own.len();
        match &mut self.choices {
            Choices::Narrow(choices) => {
                choices.extend(own.iter().map(|choice| *choice as u8));
                choices.resize(choices.len() + beyond, 0);
            }
            Choices::Wide(choices) => {
                choices.extend_from_slice(own);
                choices.resize(choices.len() + beyond, 0);
            }
        }
    }

    /// Returns which end a signal takes under the strip's n-th rule.
    fn choice(&self, signal: usize, rule: usize) -> usize {
        let place = signal * self.width() + rule;
        match &self.choices {
            Choices::Narrow(choices) => usize::from(choices[place]),
            Choices::Wide(choices) => usize::from(choices[place]),
        }
    }
}

impl OutcomeColumns {
    /// Returns an empty table for so many exit rules.
    pub fn new(rules: usize) -> Self {
        Self {
            rules,
            strips: (0..rules)
                .step_by(STRIP)
                .map(|first| RuleBlock::new(first..rules.min(first + STRIP)))
                .collect(),
            ends: Vec::new(),
            nets: Vec::new(),
            stops: Vec::new(),
        }
    }

    /// Makes room for so many more signals, where their number is known.
    pub fn reserve(&mut self, signals: usize) {
        self.stops.reserve(signals);
        self.strips.iter_mut().for_each(|strip| strip.reserve(signals));
    }

    /// Appends a signal's outcomes.
    ///
    /// Panics when there is not one per rule
    pub fn push(&mut self, outcomes: OutcomeRow<'_>) {
        assert!(outcomes.choices.len() == self.rules, "one outcome per exit rule");
        self.strips.iter_mut().for_each(|strip| strip.push(outcomes));
        self.ends.extend_from_slice(outcomes.ends);
        self.nets.extend(outcomes.ends.iter().map(|end| end.net.0));
        self.stops.push(self.ends.len());
    }

    /// Returns the number of signals.
    pub fn len(&self) -> usize {
        self.stops.len()
    }

    /// Returns whether there is no signal.
    pub fn is_empty(&self) -> bool {
        self.stops.is_empty()
    }

    /// Returns the number of strips of exit rules: parts that can be looked at one after the other.
    pub fn strips(&self) -> usize {
        self.strips.len()
    }

    /// Returns the outcome of a signal under a rule of the table.
    fn outcome(&self, signal: usize, rule: usize) -> &Outcome {
        &self.ends[self.ends_of(signal)][self.strips[rule / STRIP].choice(signal, rule % STRIP)]
    }

    /// Returns where the ends of a signal are among all.
    fn ends_of(&self, signal: usize) -> Range<usize> {
        let start = if signal == 0 { 0 } else { self.stops[signal - 1] };
        start..self.stops[signal]
    }

    /// Writes the net outcomes of consecutive signals under a strip's rules, group by group of them.
    fn gather(&self, strip: &RuleBlock, first: usize, groups: &mut [&mut [[i32; LANES]]]) {
        let width = strip.width();
        for row in 0..groups[0].len() {
            let signal = first + row;
            let (ends, places) = (self.ends_of(signal), signal * width..(signal + 1) * width);
            // Those of the next signals follow: a byte needs no look at where its own stop.
            let near = self.nets[ends.start..].first_chunk::<NARROW_ENDS>();
            let own = &self.nets[ends];
            match (&strip.choices, near) {
                (Choices::Narrow(choices), Some(near)) => {
                    spread_outcomes(&choices[places], |choice| near[usize::from(choice)], groups, row);
                }
                (Choices::Narrow(choices), None) => {
                    spread_outcomes(&choices[places], |choice| own[usize::from(choice)], groups, row);
                }
                (Choices::Wide(choices), _) => {
                    spread_outcomes(&choices[places], |choice| own[usize::from(choice)], groups, row);
                }
            }
        }
    }

    /// Returns the sum of the largest net outcomes of signals under any rule of the table, as magnitudes: no running sum of any
    /// set gets beyond it; ppm.
    pub fn reach(&self, signals: Range<usize>) -> i64 {
        let largest = |signal: usize| {
            let nets = &self.nets[self.ends_of(signal)];
            i64::from(nets.iter().fold(0, |most, net| most.max(net.unsigned_abs())))
        };
        signals.map(largest).sum()
    }
}

impl OutcomeTable {
    /// Returns an empty book for a lattice and so many exit rules.
    pub fn new(lattice: Lattice, rules: usize) -> Self {
        Self {
            lattice,
            entries: Vec::new(),
            coordinates: Vec::new(),
            rules,
            outcomes: Stored::Held(OutcomeColumns::new(rules)),
            candidate_days: Vec::new(),
            captures: Hindsight::default(),
        }
    }

    /// Makes room for so many more signals, where their number is known.
    pub fn reserve(&mut self, signals: usize) {
        self.entries.reserve(signals);
        self.coordinates.reserve(signals * self.lattice.dimensions());
        self.candidate_days.reserve(signals);
        if let Stored::Held(table) = &mut self.outcomes {
            table.reserve(signals);
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
        self.push_signal(entry, coordinates);
        match &mut self.outcomes {
            Stored::Held(table) => table.push(outcomes),
            Stored::Elsewhere(_) => unreachable!("outcomes that are elsewhere come last"),
        }
    }

    /// Appends a candidate whose outcomes [`OutcomeTable::set_source`] gives.
    ///
    /// Panics when entries do not ascend or the shapes differ: the caller sorts first.
    pub fn push_signal(&mut self, entry: Entry, coordinates: &[u8]) {
        assert!(coordinates.len() == self.lattice.dimensions(), "one coordinate per dimension");
        let key = |e: &Entry| (e.entry_ms, e.symbol);
        assert!(self.entries.last().is_none_or(|last| key(last) <= key(&entry)), "entries ascend");
        self.count_candidate(entry.entry_ms);
        self.entries.push(entry);
        self.coordinates.extend_from_slice(coordinates);
    }

    /// Says where the outcomes of all signals are, which were appended without theirs.
    pub fn set_source(&mut self, source: Box<dyn OutcomeSource>) {
        self.outcomes = Stored::Elsewhere(Arc::new(Elsewhere { source, recent: Mutex::new(None) }));
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
        self.rules
    }

    /// Returns the signals, in trade order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the coordinates of all signals, `dimensions` per signal.
    pub fn coordinates(&self) -> &[u8] {
        &self.coordinates
    }

    /// Returns whether all outcomes are in memory, so that looking at any rule costs the same.
    pub fn is_held(&self) -> bool {
        matches!(self.outcomes, Stored::Held(_))
    }

    /// Returns the number of parts that the outcomes come in, rule by rule.
    pub fn parts(&self) -> usize {
        if self.is_held() { 1 } else { self.rules.div_ceil(LANES) }
    }

    /// Returns a part of the outcomes; one that is not held is loaded, in place of the one before.
    pub fn part(&self, part: usize) -> TablePart<'_> {
        match &self.outcomes {
            Stored::Held(table) => TablePart { first_rule: 0, table: PartTable::Held(table) },
            Stored::Elsewhere(elsewhere) => {
                let first_rule = part * LANES;
                let rules = first_rule..self.rules.min(first_rule + LANES);
                TablePart {
                    first_rule,
                    table: PartTable::Loaded(elsewhere.part(part, rules, self.entries.len())),
                }
            }
        }
    }

    /// Returns the outcomes under one rule.
    pub fn under(&self, rule: usize) -> RuleOutcomes<'_> {
        assert!(rule < self.rules, "a rule of the book");
        let part = self.part(if self.is_held() { 0 } else { rule / LANES });
        RuleOutcomes { rule: rule - part.first_rule, part }
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

impl Elsewhere {
    fn part(&self, part: usize, rules: Range<usize>, signals: usize) -> Arc<OutcomeColumns> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        match &*recent {
            Some((known, table)) if *known == part => table.clone(),
            _ => {
                // Room for the next one first.
                *recent = None;
                let table = Arc::new(self.source.load(rules.clone()));
                assert!(table.len() == signals && table.rules == rules.len(), "the outcomes of the book");
                *recent = Some((part, table.clone()));
                table
            }
        }
    }
}

/// Writes a row of outcomes, group by group of rules.
#[inline]
fn spread_outcomes<C: Copy>(
    choices: &[C],
    net: impl Fn(C) -> i32,
    groups: &mut [&mut [[i32; LANES]]],
    row: usize,
) {
    for (rows, choices) in groups.iter_mut().zip(choices.as_chunks().0) {
        rows[row] = choices.map(&net);
    }
}

/// The net outcomes of a window's signals, group of exit rules by group, so that what is followed together lies together.
#[derive(Debug, Default)]
pub struct NetReturns {
    groups: Vec<Vec<[i32; LANES]>>,
}

impl NetReturns {
    /// Takes in the outcomes of a window's signals under some strips in place of what was there; the memory is kept.
    pub fn fill(&mut self, table: &OutcomeColumns, signals: Range<usize>, strips: Range<usize>) {
        let strips = &table.strips[strips];
        let count = |strip: &RuleBlock| strip.rules.len().div_ceil(LANES);
        self.groups.resize_with(strips.iter().map(count).sum(), Vec::new);
        self.groups.iter_mut().for_each(|rows| rows.resize(signals.len(), [0; LANES]));
        let mut groups = self.groups.as_mut_slice();
        for strip in strips {
            let (own, others) = groups.split_at_mut(count(strip));
            let mut chunks: Vec<Vec<&mut [[i32; LANES]]>> = Vec::new();
            for rows in own {
                for (place, rows) in rows.chunks_mut(ROWS_AT_ONCE).enumerate() {
                    if chunks.len() == place {
                        chunks.push(Vec::new());
                    }
                    chunks[place].push(rows);
                }
            }
            chunks.into_par_iter().enumerate().for_each(|(place, mut groups)| {
                let first = signals.start + place * ROWS_AT_ONCE;
                table.gather(strip, first, &mut groups);
            });
            groups = others;
        }
    }

    /// Returns the groups that were taken in: one row per signal of the window; rule r is lane r % [`LANES`] of group
    /// r / [`LANES`]; ppm. What is beyond the last rule means nothing.
    pub fn groups(&self) -> &[Vec<[i32; LANES]>] {
        &self.groups
    }
}

/// Rows of outcomes that a thread takes in at once.
const ROWS_AT_ONCE: usize = 1 << 12;

/// The part of a book whose entries fall within given days.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    /// The book.
    pub book: &'a OutcomeTable,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY_MS, ExitReason, Outcomes};

    fn outcome(net: i32) -> Outcome {
        let net = ReturnPpm(net);
        Outcome { net, best_case: net, gross: net, bars_held: 1, reason: ExitReason::Time, ambiguous: false }
    }

    /// Signals with few ends, with as many as a byte counts and with more; under one group of rules, part of a strip and several.
    #[test]
    fn rows_hold_what_was_pushed_however_many_ends_signals_have() {
        for rules in [1, 16, 27, 64, 300, 700] {
            for ends in [vec![3; 400], vec![255, 256, 1], vec![2, 257, 2, 600]] {
                let mut book = OutcomeTable::new(Lattice::new(vec![1]), rules);
                let net = |signal: usize, rule: usize| ((rule * 7 + signal) % ends[signal]) as i32 * 3 - 40;
                for signal in 0..ends.len() {
                    let row: Vec<Outcome> = (0..rules).map(|rule| outcome(net(signal, rule))).collect();
                    let mut outcomes = Outcomes::new(rules);
                    outcomes.push_each(&row);
                    let (direction, setup) = (Direction::Long, Setup::Pullback);
                    let entry = Entry { entry_ms: signal as i64 * DAY_MS, symbol: 0, direction, setup };
                    book.push(entry, &[0], outcomes.row(0));
                }
                let window = book.window(Day(1)..Day(1_000));
                let (part, mut nets) = (book.part(0), NetReturns::default());
                nets.fill(part.table(), window.signals.clone(), 0..part.table().strips());
                for signal in 0..ends.len() {
                    for rule in 0..rules {
                        assert_eq!(
                            book.under(rule).net(signal).0,
                            net(signal, rule),
                            "signal {signal}, rule {rule}"
                        );
                        if signal > 0 {
                            let lanes = nets.groups()[rule / LANES][signal - 1];
                            assert_eq!(
                                lanes[rule % LANES],
                                net(signal, rule),
                                "signal {signal}, rule {rule}"
                            );
                        }
                    }
                }
            }
        }
    }
}

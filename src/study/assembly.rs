//! Puts the symbol-days of a run together to one book per style.

use std::borrow::Cow;

use crate::engine::day::{DayBlock, DaySignal};
use crate::engine::outcome_spill::{DayOutcomes, DaySource};
use crate::engine::plan::StylePlan;
use crate::evaluate::outcome_table::{Entry, OutcomeTable};
use crate::features::score::ScoreEvidence;
use crate::model::{Day, Direction, Outcomes};
use crate::search::space::SearchSpace;
use crate::signals::opportunities::Hindsight;

/// The days of one symbol, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolDays {
    /// Index of the symbol in the run.
    pub symbol: u16,
    /// Its days.
    pub blocks: Vec<DayBlock>,
}

/// Where a signal's coordinates and outcomes lie.
struct SignalSlot<'a> {
    entry: Entry,
    /// Coordinates, and the row of its outcomes in its day.
    data: Option<(Cow<'a, [u8]>, u32)>,
    /// Index of the symbol-day.
    day: u32,
}

/// Returns the book of one style (by its index in the plan): signals of all symbols by entry time, then symbol.
pub fn outcome_table_of(symbols: &[SymbolDays], style: usize, plan: &StylePlan) -> OutcomeTable {
    let mut places: Vec<SignalSlot<'_>> = Vec::new();
    let mut days: Vec<&DayOutcomes> = Vec::new();
    for own in symbols {
        for block in &own.blocks {
            places_of(block, style, own.symbol, days.len() as u32, plan, &mut places);
            days.push(&block.styles[style].outcomes);
        }
    }
    // Stable: signals of one symbol at one instant keep their order.
    places.sort_by_key(|place| (place.entry.entry_ms, place.entry.symbol));
    let mut book = OutcomeTable::new(plan.space.lattice().clone(), plan.space.rules().len());
    let held: Option<Vec<&Outcomes>> = days.iter().map(|day| day.held()).collect();
    let mut rows = Vec::new();
    book.reserve(places.iter().filter(|place| place.data.is_some()).count());
    for SignalSlot { entry, data, day } in &places {
        match (data, &held) {
            (Some((coordinates, row)), Some(held)) => {
                book.push(*entry, coordinates, held[*day as usize].row(*row as usize));
            }
            (Some((coordinates, row)), None) => {
                book.push_signal(*entry, coordinates);
                rows.push((*day, *row));
            }
            (None, _) => book.count_candidate(entry.entry_ms),
        }
    }
    if held.is_none() {
        let days = days.into_iter().cloned().collect();
        book.set_source(Box::new(DaySource { days, rows }));
    }
    let captures = capture_signals(&book, symbols, style);
    book.set_captures(captures);
    book
}

/// Appends the signals of a symbol-day.
fn places_of<'a>(
    block: &'a DayBlock,
    style: usize,
    symbol: u16,
    day: u32,
    plan: &StylePlan,
    places: &mut Vec<SignalSlot<'a>>,
) {
    let part = &block.styles[style];
    let mut coordinates = part.coordinates.chunks_exact(plan.space.dimensions().len().max(1));
    let mut evidence = part.evidence.iter();
    let mut rows = 0..part.outcomes.len() as u32;
    let mut data = || {
        let coordinates = coordinates.next().unwrap_or(&[]);
        let row = rows.next().expect("outcomes of every signal in the lattice");
        let coordinates = match evidence.next() {
            Some(evidence) => scored_coordinates(coordinates, *evidence, &plan.space).map(Cow::Owned),
            None => Some(Cow::Borrowed(coordinates)),
        };
        coordinates.map(|coordinates| (coordinates, row))
    };
    let place = |signal: &DaySignal| SignalSlot {
        entry: Entry { entry_ms: signal.entry_ms, symbol, direction: signal.direction, setup: signal.setup },
        data: signal.in_lattice.then(&mut data).flatten(),
        day,
    };
    places.extend(part.signals.iter().map(place));
}

/// Returns coordinates with those of the score under the weights of the space; `None` where it passes no level.
fn scored_coordinates(coordinates: &[u8], evidence: ScoreEvidence, space: &SearchSpace) -> Option<Vec<u8>> {
    let score = space.weights().map(|weights| evidence.score(weights));
    let own = coordinates.iter().zip(space.dimensions());
    own.map(|(own, dimension)| if dimension.reads_score() { dimension.coordinate(score) } else { Some(*own) })
        .collect()
}

/// For every opportunity, its day and the signals of the book that take part in it.
fn capture_signals(
    book: &OutcomeTable,
    symbols: &[SymbolDays],
    style: usize,
) -> Hindsight<Vec<(Day, Vec<u32>)>> {
    let mut all = Vec::new();
    for days in symbols {
        let own: Vec<(i64, Direction, u32)> = book
            .entries()
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.symbol == days.symbol)
            .map(|(i, entry)| (entry.entry_ms, entry.direction, i as u32))
            .collect();
        for block in &days.blocks {
            for chance in block.styles[style].opportunities.for_capture() {
                let from = own.partition_point(|(at, _, _)| *at < chance.start_ms);
                let taking = own[from..]
                    .iter()
                    .take_while(|(at, _, _)| *at <= chance.peak_ms)
                    .filter(|(at, direction, _)| chance.is_captured_by(*direction, *at))
                    .map(|(_, _, i)| *i);
                all.push((Day::of(chance.start_ms), taking.collect()));
            }
        }
    }
    Hindsight::new(all)
}

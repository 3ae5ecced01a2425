//! Puts the symbol-days of a run together to one book per style.

use std::borrow::Cow;

use super::day::{DayBlock, DaySignal};
use super::plan::StylePlan;
use crate::evaluate::book::{Book, Entry};
use crate::features::score::ScoreEvidence;
use crate::model::{Day, Direction, OutcomeRow};
use crate::search::space::Space;
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
struct Place<'a> {
    entry: Entry,
    data: Option<(Cow<'a, [u8]>, OutcomeRow<'a>)>,
}

/// Returns the book of one style (by its index in the plan): signals of all symbols by entry time, then symbol.
pub fn book_of(symbols: &[SymbolDays], style: usize, plan: &StylePlan) -> Book {
    let mut places: Vec<Place<'_>> = Vec::new();
    for days in symbols {
        for block in &days.blocks {
            places.extend(places_of(block, style, days.symbol, plan));
        }
    }
    // Stable: signals of one symbol at one instant keep their order.
    places.sort_by_key(|place| (place.entry.entry_ms, place.entry.symbol));
    let mut book = Book::new(plan.space.lattice().clone(), plan.space.rules().len());
    book.reserve(places.iter().filter(|place| place.data.is_some()).count());
    for place in &places {
        match &place.data {
            Some((coordinates, outcomes)) => book.push(place.entry, coordinates, *outcomes),
            None => book.count_candidate(place.entry.entry_ms),
        }
    }
    let captures = captures(&book, symbols, style);
    book.set_captures(captures);
    book
}

fn places_of<'a>(block: &'a DayBlock, style: usize, symbol: u16, plan: &StylePlan) -> Vec<Place<'a>> {
    let part = &block.styles[style];
    let mut coordinates = part.coordinates.chunks_exact(plan.space.dimensions().len().max(1));
    let mut evidence = part.evidence.iter();
    let mut outcomes = part.outcomes.rows();
    let mut data = || {
        let coordinates = coordinates.next().unwrap_or(&[]);
        let outcomes = outcomes.next().expect("outcomes of every signal in the lattice");
        let coordinates = match evidence.next() {
            Some(evidence) => scored(coordinates, *evidence, &plan.space).map(Cow::Owned),
            None => Some(Cow::Borrowed(coordinates)),
        };
        coordinates.map(|coordinates| (coordinates, outcomes))
    };
    let place = |signal: &DaySignal| Place {
        entry: Entry { entry_ms: signal.entry_ms, symbol, direction: signal.direction, setup: signal.setup },
        data: signal.in_lattice.then(&mut data).flatten(),
    };
    part.signals.iter().map(place).collect()
}

/// Returns coordinates with those of the score under the weights of the space; `None` where it passes no level.
fn scored(coordinates: &[u8], evidence: ScoreEvidence, space: &Space) -> Option<Vec<u8>> {
    let score = space.weights().map(|weights| evidence.score(weights));
    let own = coordinates.iter().zip(space.dimensions());
    own.map(|(own, dimension)| if dimension.reads_score() { dimension.coordinate(score) } else { Some(*own) })
        .collect()
}

/// For every opportunity, its day and the signals of the book that take part in it.
fn captures(book: &Book, symbols: &[SymbolDays], style: usize) -> Hindsight<Vec<(Day, Vec<u32>)>> {
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

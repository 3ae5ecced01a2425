//! A symbol-day as a book takes it in: coordinates in the lattice and outcomes of the plan's exit rules.

use crate::engine::outcome_spill::DayOutcomes;
use crate::engine::unit::SkipCounts;
use crate::features::score::ScoreEvidence;
use crate::model::{Day, Direction, Setup};
use crate::signals::opportunities::{Hindsight, Opportunity};

/// A candidate of a sealed day, reduced to what a book needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DaySignal {
    /// Open time of the entry candle; UTC ms.
    pub entry_ms: i64,
    /// Side.
    pub direction: Direction,
    /// Kind of entry.
    pub setup: Setup,
    /// Whether it passes the loosest level of every dimension and has coordinates and outcomes.
    pub in_lattice: bool,
}

/// One style's part of a symbol-day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StyleDay {
    /// Whether every label of the day is complete. An unsealed day holds no signals.
    pub sealed: bool,
    /// Candidates that wait for candles.
    pub pending: u32,
    /// Candidates that come to nothing, by reason.
    pub lost: SkipCounts,
    /// Candles of the day at which nothing could be looked for; 0 where signals are given.
    pub blind: u32,
    /// Signals in the lattice that some exit rule closes at the last close before a gap.
    pub cut: u32,
    /// Candidates, in time order.
    pub signals: Vec<DaySignal>,
    /// Coordinates of the signals in the lattice, in order.
    pub coordinates: Vec<u8>,
    /// What the score reads of the signals in the lattice, in order, where its weights are learned: the coordinate of the
    /// score follows from it in a book, and is 0 here. Nothing where they are fixed.
    pub evidence: Vec<ScoreEvidence>,
    /// Outcomes of the signals in the lattice, every exit rule in order.
    pub outcomes: DayOutcomes,
    /// What an oracle would have taken.
    pub opportunities: Hindsight<Vec<Opportunity>>,
}

/// One symbol-day, one entry per style of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct DayBlock {
    /// The day the signal candles open in.
    pub day: Day,
    /// Parts, in the plan's order of styles.
    pub styles: Vec<StyleDay>,
}

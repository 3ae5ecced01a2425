//! What a search for knowledge of the future found.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::diagnose::hindsight::ColumnLook;
use crate::diagnose::lookahead::{Compared, LookaheadDifference, Sampling};
use crate::model::rfc3339;

/// The answer to whether anything that is known depends on what comes later.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckLookaheadDocument {
    /// Instants drawn per symbol.
    pub samples: u64,
    /// The lot they were drawn by.
    pub seed: u64,
    /// What was computed with the future as it was, cut off, and scrambled.
    pub symbols: Vec<LookaheadSymbolPart>,
    /// What came out differently; must be empty.
    pub differences: Vec<LookaheadDifferencePart>,
    /// Columns of given signals, and how they go with what came later; null when no file was named.
    pub columns: Option<Vec<HindsightColumnPart>>,
    /// Whether nothing was found.
    pub clean: bool,
}

impl Document for CheckLookaheadDocument {
    const KIND: &'static str = "check_lookahead";
}

/// What was compared of a symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LookaheadSymbolPart {
    /// The symbol.
    pub symbol: String,
    /// Instants.
    pub instants: u64,
    /// Entries known by then on the day of an instant: derived, or given.
    pub entries: u64,
    /// Instants at which the last closed candle had its features.
    pub feature_rows: u64,
    /// Outcomes of the last day that was complete by then: signals times exit rules.
    pub outcomes: u64,
}

/// Something that changed with the future.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LookaheadDifferencePart {
    /// The symbol.
    pub symbol: String,
    /// The instant; what came later was taken away.
    pub at: String,
    /// `entries`, `features` or `outcomes`.
    pub what: String,
    /// What became of the future: `cut` or `scrambled`.
    pub future: String,
}

/// A column of given signals.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HindsightColumnPart {
    /// Its name.
    pub column: String,
    /// Signals with candles to follow at which it has a value.
    pub signals: u64,
    /// Share of the pairs of signals, one of either kind, that it puts in order, for the future it tells best; 0.5 is chance.
    pub tells: Option<f64>,
    /// That future.
    pub future: Option<String>,
    /// A price traded after the signal that it holds at nearly every one.
    pub holds: Option<String>,
    /// Whether it looks like hindsight.
    pub suspicious: bool,
}

impl CheckLookaheadDocument {
    /// Returns the document of what was compared; without columns where no signals were given.
    pub fn new(
        sampling: Sampling,
        symbols: &[(String, Compared)],
        differences: &[LookaheadDifference],
        columns: Option<&[ColumnLook]>,
    ) -> Self {
        let symbol = |(symbol, compared): &(String, Compared)| LookaheadSymbolPart {
            symbol: symbol.clone(),
            instants: compared.instants,
            entries: compared.entries,
            feature_rows: compared.rows,
            outcomes: compared.outcomes,
        };
        let difference = |difference: &LookaheadDifference| LookaheadDifferencePart {
            symbol: difference.symbol.clone(),
            at: rfc3339(difference.at_ms),
            what: difference.what.to_owned(),
            future: difference.future.to_owned(),
        };
        let column = |look: &ColumnLook| HindsightColumnPart {
            column: look.column.clone(),
            signals: look.signals,
            tells: look.tells,
            future: look.future.clone(),
            holds: look.holds.clone(),
            suspicious: look.is_suspicious(),
        };
        let clean =
            differences.is_empty() && !columns.unwrap_or_default().iter().any(ColumnLook::is_suspicious);
        Self {
            samples: sampling.samples as u64,
            seed: sampling.seed,
            symbols: symbols.iter().map(symbol).collect(),
            differences: differences.iter().map(difference).collect(),
            columns: columns.map(|columns| columns.iter().map(column).collect()),
            clean,
        }
    }
}

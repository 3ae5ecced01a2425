//! Where a day's entries come from: derived from candles, or given by the user. From here on they go the same way.

use crate::features::frame::{FeatureRow, MarketSeries};
use crate::model::{Break, Day, Direction, GivenSignals, Setup, Style};
use crate::signals::candidates::{Candidate, found_candidates};
use crate::signals::given::{Placed, given_of_day};

/// The entries of a symbol-day, of all styles.
#[derive(Debug, Clone)]
pub enum EntrySource<'a> {
    /// Derived from candles.
    Derived {
        /// The entries, in time order.
        candidates: Vec<Candidate>,
        /// Candles of the day at which nothing could be looked for.
        blind: u32,
    },
    /// Given, with the columns of their values.
    Given {
        /// The names of the columns, sorted.
        columns: &'a [String],
        /// The signals, in time order.
        placed: Vec<Placed<'a>>,
    },
}

/// An entry to evaluate.
#[derive(Debug, Clone, Copy)]
pub struct EntryPoint<'a> {
    /// Index of the entry candle; `None` where it is missing.
    pub entry: Option<usize>,
    /// Whether a new scale of the price begins at the entry.
    pub rescaled: bool,
    /// Side.
    pub direction: Direction,
    /// Kind of entry.
    pub setup: Setup,
    /// ATR to measure exits in; price units.
    pub atr: Option<f64>,
    /// The candle from the entry on at whose open the signal has its exit; `None` where it has none.
    pub exit_at: Option<u16>,
    /// What was known of the candles; `None` while anything warms up.
    pub row: Option<&'a FeatureRow>,
    /// What was given besides; NaN where nothing was.
    pub values: &'a [f64],
}

impl<'a> EntrySource<'a> {
    /// Finds the entries of a day: `given` ones of the symbol if there are such, else derived ones.
    pub fn on(market: &MarketSeries<'_>, day: Day, given: Option<&'a GivenSignals>) -> Self {
        match given {
            None => {
                let (candidates, blind) = found_candidates(market, day);
                Self::Derived { candidates, blind }
            }
            Some(given) => Self::Given { columns: given.columns(), placed: given_of_day(market, day, given) },
        }
    }

    /// Returns where a column of given signals stands among their values.
    pub fn column(&self, name: &str) -> Option<usize> {
        match self {
            Self::Derived { .. } => None,
            Self::Given { columns, .. } => columns.iter().position(|column| column == name),
        }
    }

    /// Returns at how many candles of the day nothing could be looked for.
    pub fn blind(&self) -> u32 {
        match self {
            Self::Derived { blind, .. } => *blind,
            Self::Given { .. } => 0,
        }
    }

    /// Returns the entries of a style, in time order.
    pub fn of_style(&self, market: &MarketSeries<'_>, style: Style) -> Vec<EntryPoint<'_>> {
        match self {
            Self::Derived { candidates, .. } => {
                let own = candidates.iter().filter(|c| c.setup.style() == Some(style));
                own.map(|candidate| derived_entry(market, candidate)).collect()
            }
            Self::Given { placed, .. } => {
                placed.iter().filter(|placed| placed.signal.is_of(style)).map(EntryPoint::from).collect()
            }
        }
    }
}

/// Returns the entry of a candidate: the very next candle.
fn derived_entry<'a>(market: &MarketSeries<'_>, candidate: &'a Candidate) -> EntryPoint<'a> {
    let entry = candidate.entry_index();
    let why = (entry < market.bars.len()).then(|| market.bars.break_at(entry));
    EntryPoint {
        entry: why.filter(|why| *why != Some(Break::Gap)).map(|_| entry),
        rescaled: why == Some(Some(Break::Scale)),
        direction: candidate.direction,
        setup: candidate.setup,
        atr: Some(candidate.row.pulse.indicators.atr_14),
        exit_at: None,
        row: Some(&candidate.row),
        values: &[],
    }
}

impl<'a> From<&'a Placed<'a>> for EntryPoint<'a> {
    fn from(placed: &'a Placed<'a>) -> Self {
        Self {
            entry: placed.entry,
            rescaled: placed.rescaled,
            direction: placed.signal.direction,
            setup: Setup::Given,
            atr: placed.atr,
            exit_at: placed.exit_at,
            row: placed.row.as_ref(),
            values: placed.values,
        }
    }
}

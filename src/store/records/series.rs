//! What pictures of a run are drawn from: daily returns, symbols, score surfaces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, Record, at_most, finite};

/// The most days of a series.
const DAYS_MAX: usize = 20_000;
/// The most symbols.
const SYMBOLS_MAX: usize = 1000;
/// The most surfaces, and the most levels of an axis of one.
const SURFACES_MAX: usize = 200;
const LEVELS_MAX: usize = 64;

/// The trades of one symbol under the best set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SymbolTradesRecord {
    /// The symbol.
    pub symbol: String,
    /// Trades.
    pub trades: u64,
    /// Trades that won.
    pub wins: u64,
    /// Sum of net returns in ppm of the entry price.
    pub net_ppm: i64,
}

/// A cell of a surface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SurfaceCellRecord {
    /// Mean score; `None` where no set had one.
    pub mean: Option<f64>,
}

/// The mean score over two axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SurfaceRecord {
    /// Key of the axis across.
    pub x: String,
    /// Key of the axis down.
    pub y: String,
    /// Levels across.
    pub x_levels: Vec<String>,
    /// Levels down.
    pub y_levels: Vec<String>,
    /// Row by row.
    pub cells: Vec<SurfaceCellRecord>,
}

/// What pictures of a run and style are drawn from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SeriesRecord {
    /// First entry day, `YYYY-MM-DD`.
    pub first_day: String,
    /// Sum of net returns of each entry day under the best set; ppm. Days without trades are 0.
    pub candidate_ppm: Vec<i64>,
    /// The same under the active set; empty without one.
    pub incumbent_ppm: Vec<i64>,
    /// The best set, symbol by symbol.
    pub symbols: Vec<SymbolTradesRecord>,
    /// Mean scores over pairs of axes.
    pub surfaces: Vec<SurfaceRecord>,
}

impl Record for SeriesRecord {
    type Earlier = Self;
    const NAME: &'static str = "SeriesRecord";
    const TYPE_ID: u16 = 11;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 2 << 20;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("candidate_ppm", self.candidate_ppm.len(), DAYS_MAX)?;
        at_most("incumbent_ppm", self.incumbent_ppm.len(), DAYS_MAX)?;
        at_most("symbols", self.symbols.len(), SYMBOLS_MAX)?;
        at_most("surfaces", self.surfaces.len(), SURFACES_MAX)?;
        self.surfaces.iter().try_for_each(|surface| {
            at_most("levels", surface.x_levels.len().max(surface.y_levels.len()), LEVELS_MAX)?;
            finite("mean", surface.cells.iter().filter_map(|cell| cell.mean))
        })
    }
}

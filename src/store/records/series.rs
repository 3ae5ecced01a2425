//! What a run had in detail, for the newest runs: what pictures are drawn from (daily returns, symbols, score surfaces), what was
//! searched and lost, and what each symbol trades.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::METRICS_VERSION;
use super::{CandidateRecord, Invalid, ReasonRecord, Record, at_most, finite};

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
    /// What was searched and lost, and what each symbol trades; `None` of runs whose program did not keep it.
    pub extent: Option<ExtentRecord>,
}

/// What missing candles, and prices in another scale, cost a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LossRecord {
    /// The symbol.
    pub symbol: String,
    /// Signals whose entry candle is missing.
    pub no_entry: u32,
    /// Signals before ATR(14) is known.
    pub no_atr: u32,
    /// Signals whose longest holding time crosses a price in another scale.
    pub rescaled: u32,
    /// Signals in the grid that some exit rule closes at the last close before a gap.
    pub cut: u64,
    /// Candles at which no signal could be looked for.
    pub blind: u64,
}

/// What a symbol trades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnSetRecord {
    /// The symbol.
    pub symbol: String,
    /// Its own set; `None` where it trades that of the style.
    pub own: Option<CandidateRecord>,
    /// Why.
    pub reason: ReasonRecord,
}

/// The size of a search, what its signals lost on the way, and what each symbol trades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExtentRecord {
    /// Parameter sets of the space that was asked for.
    pub asked: u64,
    /// Parameter sets with a score.
    pub rated: u64,
    /// Candidates that pass the loosest level of every dimension.
    pub in_lattice: u64,
    /// Symbol by symbol.
    pub losses: Vec<LossRecord>,
    /// Symbol by symbol; empty where the candidate did not survive.
    pub own: Vec<OwnSetRecord>,
}

impl ExtentRecord {
    fn validate(&self) -> Result<(), Invalid> {
        at_most("losses", self.losses.len(), SYMBOLS_MAX)?;
        at_most("own", self.own.len(), SYMBOLS_MAX)?;
        self.own.iter().filter_map(|own| own.own.as_ref()).try_for_each(CandidateRecord::validate)
    }
}

/// The first version, without what was searched; as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct SeriesRecordV1 {
    pub first_day: String,
    pub candidate_ppm: Vec<i64>,
    pub incumbent_ppm: Vec<i64>,
    pub symbols: Vec<SymbolTradesRecord>,
    pub surfaces: Vec<SurfaceRecord>,
}

impl From<SeriesRecordV1> for SeriesRecord {
    fn from(before: SeriesRecordV1) -> Self {
        let SeriesRecordV1 { first_day, candidate_ppm, incumbent_ppm, symbols, surfaces } = before;
        Self { first_day, candidate_ppm, incumbent_ppm, symbols, surfaces, extent: None }
    }
}

impl Record for SeriesRecordV1 {
    type Earlier = Self;
    const NAME: &'static str = SeriesRecord::NAME;
    const TYPE_ID: u16 = SeriesRecord::TYPE_ID;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 2 << 20;

    fn validate(&self) -> Result<(), Invalid> {
        SeriesRecord::from(self.clone()).validate()
    }
}

impl Record for SeriesRecord {
    type Earlier = SeriesRecordV1;
    const NAME: &'static str = "SeriesRecord";
    const TYPE_ID: u16 = 11;
    const VERSION: u16 = 1 + METRICS_VERSION;
    const BYTES_MAX: usize = 8 << 20;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("candidate_ppm", self.candidate_ppm.len(), DAYS_MAX)?;
        at_most("incumbent_ppm", self.incumbent_ppm.len(), DAYS_MAX)?;
        at_most("symbols", self.symbols.len(), SYMBOLS_MAX)?;
        at_most("surfaces", self.surfaces.len(), SURFACES_MAX)?;
        self.extent.iter().try_for_each(ExtentRecord::validate)?;
        self.surfaces.iter().try_for_each(|surface| {
            at_most("levels", surface.x_levels.len().max(surface.y_levels.len()), LEVELS_MAX)?;
            finite("mean", surface.cells.iter().filter_map(|cell| cell.mean))
        })
    }
}

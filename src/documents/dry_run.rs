//! What a run would do: the document of `incremental --dry-run`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::inspect::SymbolWorkPart;

use crate::run::dry_run::{Basis, Forecast};

/// The forecast of a run; nothing of it was done.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ForecastDocument {
    /// Symbols with candles.
    pub symbols: u64,
    /// Candles of all of them.
    pub candles: u64,
    /// Parameter sets of all styles.
    pub parameter_sets: u64,
    /// Symbol-days.
    pub units_total: u64,
    /// Symbol-days that would be evaluated.
    pub units_evaluated: u64,
    /// Symbol-days that earlier runs left.
    pub units_reused: u64,
    /// Symbol-days that would be evaluated, by reason.
    pub reasons: BTreeMap<String, u64>,
    /// What it would cost.
    pub estimate: EstimatePart,
    /// Per symbol: what would be evaluated and why.
    pub work: Vec<SymbolWorkPart>,
}

/// About what a run would cost.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EstimatePart {
    pub duration_ms: u64,
    pub peak_rss_bytes: u64,
    /// `answer`: the run would find its answer ready; `runs`: earlier runs with the same plan; `sample`: a few units,
    /// evaluated, and one search.
    pub basis: String,
    /// Earlier runs that it rests on.
    pub runs: u64,
}

impl Document for ForecastDocument {
    const KIND: &'static str = "forecast";
    const VERSION: u32 = 2;
}

impl ForecastDocument {
    /// Returns the document of a forecast.
    pub fn new(forecast: &Forecast) -> Self {
        let (total, evaluated) = (forecast.units_total(), forecast.units_evaluated());
        let mut reasons = BTreeMap::new();
        for (_, reason) in forecast.units.iter().flat_map(|units| &units.evaluated) {
            *reasons.entry(reason.kind().to_owned()).or_insert(0) += 1;
        }
        let (basis, runs) = match forecast.basis {
            Basis::Answer => ("answer", 0),
            Basis::Runs(runs) => ("runs", runs as u64),
            Basis::Sample => ("sample", 0),
        };
        Self {
            symbols: forecast.input.symbols.len() as u64,
            candles: forecast.input.candles(),
            parameter_sets: forecast.parameter_sets,
            units_total: total,
            units_evaluated: evaluated,
            units_reused: total - evaluated,
            reasons,
            estimate: EstimatePart {
                duration_ms: forecast.duration_ms,
                peak_rss_bytes: forecast.peak_rss_bytes,
                basis: basis.to_owned(),
                runs,
            },
            work: forecast.work().iter().map(SymbolWorkPart::from).collect(),
        }
    }
}

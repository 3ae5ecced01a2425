//! What is told about a run, in few words: the document; `render/text/digest.rs` says it and makes messages of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::change::ChangePart;
use super::document::Document;
use super::metrics::MetricsPart;

use crate::study::Measured;

/// A run in few words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DigestDocument {
    /// `changed`, `unchanged`, `not_convincing`, `rejected`, `failed` or `test`; of an earlier run also what the history
    /// says of it.
    pub result: String,
    /// Whose state.
    pub profile: String,
    /// Number of the run; null when nothing was stored.
    pub run: Option<u64>,
    /// What it comes to, in one line.
    pub headline: String,
    /// Stale candles, symbols that lag or have vanished, a clock that is wrong; one line each.
    pub warnings: Vec<String>,
    /// What each style says.
    pub styles: Vec<DigestStyle>,
    /// What changed; the first of it if it is much.
    pub changes: Vec<ChangePart>,
    /// Changes beyond those.
    pub changes_more: u64,
    /// Why the run failed; null if it did not.
    pub failure: Option<DigestFailure>,
    /// Where the report can be seen.
    pub report: Option<String>,
    /// Last day with candles; null where nothing was read.
    pub data_until: Option<String>,
    /// The active parameters of each style after the run; styles that have none are not there.
    pub active: BTreeMap<String, Map<String, Value>>,
    /// Name of the machine; null where it is not known.
    pub host: Option<String>,
}

impl Document for DigestDocument {
    const KIND: &'static str = "digest";
    const VERSION: u32 = 2;
}

/// A style in few words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DigestStyle {
    /// The style.
    pub style: String,
    /// Verdict of the validation.
    pub verdict: String,
    /// EDGE and SWITCH, as the run prints them.
    pub answers: Vec<String>,
    /// The candidate on days it was not chosen on; null without one.
    pub candidate: Option<DigestFigures>,
    /// The active set on the same days; null without one.
    pub incumbent: Option<DigestFigures>,
}

/// Figures of a set out of sample.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DigestFigures {
    pub trades: u64,
    pub win_rate: Option<f64>,
    pub expectancy_pct: Option<f64>,
    pub profit_factor: Option<f64>,
    pub max_drawdown_pct: Option<f64>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DigestFailure {
    pub exit_code: u8,
    pub message: String,
    pub hint: Option<String>,
}

impl From<&MetricsPart> for DigestFigures {
    fn from(late: &MetricsPart) -> Self {
        Self {
            trades: late.trades,
            win_rate: late.win_rate,
            expectancy_pct: late.expectancy_pct,
            profit_factor: late.profit_factor,
            max_drawdown_pct: late.max_drawdown_pct,
        }
    }
}

impl DigestFigures {
    /// Returns those of a set.
    pub(crate) fn of(measured: &Measured) -> Self {
        Self::from(&MetricsPart::from(&measured.late))
    }
}

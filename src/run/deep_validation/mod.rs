//! A closer look at a stored run: methods that take longer than a daily run may, or say the same in other words.
//!
//! Nothing is decided here and nothing is written. What can be said of the candidate's days is said from the stored
//! series; what needs the whole grid is computed anew from the units in the cache, if they are still those of the run.

mod alone;
mod around;
mod grid;
mod stored;
mod trades;
mod walk;

use std::path::PathBuf;

pub use trades::{SetTrade, trades_of_set};

use schemars::JsonSchema;
use serde::Serialize;

use super::recall::parameter_set;
use crate::engine::plan::{Plan, StylePlan};
use crate::evaluate::outcome_table::OutcomeTable;
use crate::ingest::IngestError;
use crate::model::{Day, Style};
use crate::run::error::SymbolError;
use crate::search::space::weights_of;
use crate::store::records::{RunRecord, SeriesRecord};
use crate::store::{Snapshot, StoreError};
use crate::study::series::{Series, SymbolTrades};

/// What to look at.
#[derive(Debug, Clone)]
pub struct ScrutinyOptions {
    /// The store's directory.
    pub store: PathBuf,
    /// Whose state it is.
    pub profile: String,
    /// The run.
    pub run: u64,
    /// Only this style.
    pub style: Option<Style>,
    /// The file of signals that the run was on, if it was on given ones.
    pub signals: Option<PathBuf>,
    /// Also what takes seconds to minutes.
    pub full: bool,
    /// The instant; UTC ms.
    pub now_ms: i64,
}

/// What one method says.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MethodFinding {
    /// Name of the method, in `lower_case`.
    pub method: String,
    /// What it says, in words.
    pub sentence: String,
    /// What the values of each row are.
    pub columns: Vec<String>,
    pub rows: Vec<FindingRow>,
}

/// A row of a finding: one value per column, null where it is not defined.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FindingRow {
    pub name: String,
    pub values: Vec<Option<f64>>,
}

impl MethodFinding {
    fn new(method: &str, columns: &[&str], rows: Vec<(String, Vec<Option<f64>>)>, sentence: String) -> Self {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let row = |(name, values): (String, Vec<Option<f64>>)| {
            assert!(values.len() == columns.len(), "a value per column");
            FindingRow { name, values: values.into_iter().map(finite).collect() }
        };
        Self {
            method: method.to_owned(),
            sentence,
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: rows.into_iter().map(row).collect(),
        }
    }
}

/// What all methods say about the candidate of a style.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StyleScrutiny {
    pub style: Style,
    pub findings: Vec<MethodFinding>,
    /// Why something is not said, and what to do about it.
    pub notes: Vec<String>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScrutinyError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Files of candles cannot be looked at.
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

impl From<SymbolError> for ScrutinyError {
    fn from(error: SymbolError) -> Self {
        match error {
            SymbolError::Ingest(error) => Self::Ingest(error),
            SymbolError::Store(error) => Self::Store(error),
            SymbolError::Stopped => unreachable!("nothing stops what evaluates nothing"),
            SymbolError::Spill(_) => unreachable!("without a ceiling outcomes stay in memory"),
        }
    }
}

/// A style with what is known of its days.
struct Subject<'a> {
    plan: &'a Plan,
    style: &'a StylePlan,
    series: Series,
    first_day: Day,
    /// Place of the candidate in the space.
    place: (usize, usize),
}

/// Looks at the styles of a run; `plan` is that of the run, or `None` where it cannot be had again.
pub fn validate_deeply(
    snapshot: &Snapshot<'_>,
    record: &RunRecord,
    plan: Option<&Plan>,
    options: &ScrutinyOptions,
) -> Result<Vec<StyleScrutiny>, ScrutinyError> {
    let (profile, run) = (options.profile.as_str(), options.run);
    let plan = plan.filter(|plan| plan.fingerprint().0 == record.plan_fingerprint);
    let symbols = match plan {
        Some(plan) => stored::symbol_days(plan, record, options)?,
        None => Err("its configuration makes another plan today".to_owned()),
    };
    let mut all = Vec::new();
    let of_run = |style: &Style| record.styles.iter().any(|known| known.style == style.as_str());
    let wanted = |style: &Style| options.style.is_none_or(|wanted| wanted == *style);
    for style in Style::ALL.into_iter().filter(of_run).filter(wanted) {
        let mut found = StyleScrutiny { style, findings: Vec::new(), notes: Vec::new() };
        let stored = snapshot.series(profile, run, style)?.filter(|series| !series.candidate_ppm.is_empty());
        let Some(stored) = stored else {
            found.notes.push("it had no candidate, or its days are no longer kept".to_owned());
            all.push(found);
            continue;
        };
        let series = series_of(&stored);
        let trials = snapshot.evidence(profile, run, style)?.map_or(0, |evidence| evidence.trials);
        found.findings = alone::series_findings(&series, trials);
        let best = snapshot.trials(profile, run, style)?.and_then(|trials| trials.trials.into_iter().next());
        let grid = plan.zip(symbols.as_deref().ok()).and_then(|(plan, symbols)| {
            let index = plan.styles.iter().position(|planned| planned.space.style() == style)?;
            let (mut planned, best) = (plan.styles[index].clone(), parameter_set(&best?.set));
            if planned.space.weights().is_some() {
                planned = planned.weighed(weights_of(&best, style)?);
            }
            let planned = &planned;
            let place = planned.space.find(&best)?;
            let book = crate::study::assembly::outcome_table_of(symbols, index, planned);
            let first_day = Day::parse(&stored.first_day)?;
            let subject = Subject { plan, style: planned, series, first_day, place };
            subject.repeats(&book).then(|| grid::grid_findings(&subject, &book, options.full))
        });
        match grid {
            Some(grid) => found.findings.extend(grid),
            None => found.notes.push(match &symbols {
                Err(reason) if !reason.is_empty() => format!("the rest needs what run {run} was on: {reason}"),
                _ => format!(
                    "the rest needs the units of run {run}, which are no longer kept: `optimizer incremental --data PATH`, \
                     then `optimizer validate`"
                ),
            }),
        }
        all.push(found);
    }
    Ok(all)
}

fn series_of(record: &SeriesRecord) -> Series {
    let symbol = |symbol: &crate::store::records::SymbolTradesRecord| SymbolTrades {
        symbol: symbol.symbol.clone(),
        trades: symbol.trades,
        wins: symbol.wins,
        net_ppm: symbol.net_ppm,
    };
    Series {
        candidate_ppm: record.candidate_ppm.clone(),
        incumbent_ppm: record.incumbent_ppm.clone(),
        symbols: record.symbols.iter().map(symbol).collect(),
    }
}

impl Subject<'_> {
    fn days(&self) -> std::ops::Range<Day> {
        self.first_day..Day(self.first_day.0 + self.series.candidate_ppm.len() as i32)
    }

    /// Returns whether a book gives the days that were stored.
    fn repeats(&self, book: &OutcomeTable) -> bool {
        crate::study::series::daily(book, self.days(), self.style, self.place) == self.series.candidate_ppm
    }
}

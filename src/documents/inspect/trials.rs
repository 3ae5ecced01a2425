//! The best trials of all runs that keep them, in one list.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::run::is_summary;
use super::top::passes_limits;
use super::{HistoryFilter, InspectError, Listed, SortKey, require_profile};
use crate::documents::document::{Document, params_object};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::documents::metrics::MetricsPart;
use crate::model::rfc3339;
use crate::store::Snapshot;

/// Which trials are shown, in what order.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialsFilter {
    /// Of which runs; the limit counts trials.
    pub history: HistoryFilter,
    /// Only the best trial of each run and style.
    pub best: bool,
    /// Fewest trades.
    pub trades_min: Option<u64>,
    /// Deepest drawdown in percent; a trial whose drawdown is not defined does not pass.
    pub drawdown_max_pct: Option<f64>,
    /// Their order; ties by run, newest first, then rank.
    pub sort: SortKey,
}

/// Trials of a profile, of all runs that keep theirs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectTrialsDocument {
    pub profile: String,
    /// What the trials are ordered by.
    pub sort: String,
    /// Trials in the store, filters aside.
    pub kept: u64,
    /// Trials that pass the filters, the limit aside.
    pub matching: u64,
    pub trials: Vec<HistoricTrialPart>,
    /// Runs of which only the summary is kept, without trials; for the text.
    #[serde(skip)]
    pub summaries: u64,
}

impl Document for InspectTrialsDocument {
    const KIND: &'static str = "inspect_trials";
}

/// A trial and the run that made it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct HistoricTrialPart {
    pub run: u64,
    pub started_at: String,
    pub style: String,
    /// By score among all trials of the run; 1 is the best.
    pub rank: u32,
    pub score: f64,
    pub params: Map<String, Value>,
    /// On the in-sample part, which the search sees.
    pub metrics: MetricsPart,
}

impl InspectTrialsDocument {
    /// Reads the trials that pass a filter.
    ///
    /// Errors: those of reading the store; an unknown profile.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, filter: &TrialsFilter) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        let (mut kept, mut summaries, mut trials) = (0, 0, Vec::new());
        for (run, record) in snapshot.runs(profile, .., usize::MAX)? {
            summaries += u64::from(is_summary(snapshot, profile, run, &record)?);
            let of_run = filter.history.in_time(record.started_at_ms) && filter.history.read_it(&record);
            for style in crate::model::Style::ALL {
                let Some(found) = snapshot.trials(profile, run, style)? else { continue };
                kept += found.trials.len() as u64;
                let wanted = of_run && filter.history.concerns(style);
                let passing = found.trials.into_iter().filter(|trial| {
                    wanted && passes_limits(&trial.metrics, filter.trades_min, filter.drawdown_max_pct)
                });
                trials.extend(passing.take(if filter.best { 1 } else { usize::MAX }).map(|trial| {
                    HistoricTrialPart {
                        run,
                        started_at: rfc3339(record.started_at_ms),
                        style: style.to_string(),
                        rank: trial.rank,
                        score: trial.score,
                        params: params_object(&trial.set),
                        metrics: MetricsPart::from(&trial.metrics),
                    }
                }));
            }
        }
        let matching = trials.len() as u64;
        // Runs come newest first and trials by rank: a stable sort keeps that among equals.
        trials.sort_by(|one, other| {
            filter.sort.compare((one.score, &one.metrics), (other.score, &other.metrics))
        });
        trials.truncate(filter.history.limit);
        let sort = filter.sort.as_str().to_owned();
        Ok(Self { profile: profile.to_owned(), sort, kept, matching, trials, summaries })
    }
}

impl Listed for InspectTrialsDocument {
    fn listing(&self) -> Listing {
        Listing::of(&self.trials)
            .column("run", "Run", ColumnKind::Number, |trial| Cell::count(trial.run))
            .column("style", "Style", ColumnKind::Text, |trial| Cell::text(trial.style.as_str()))
            .column("rank", "Rank", ColumnKind::Number, |trial| Cell::count(trial.rank.into()))
            .column("score", "Score", ColumnKind::Number, |trial| Cell::number(Some(trial.score), 4))
            .metrics(|trial| &trial.metrics)
            .parameters(|trial| &trial.params)
            .more("started_at", "When", ColumnKind::Text, |trial| Cell::instant(&trial.started_at))
            .done()
    }
}

//! The best trials of a run.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::space::last_search;
use super::{InspectError, Listed, RunRef};
use crate::documents::document::{Document, params_object};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::documents::metrics::MetricsPart;
use crate::model::Style;
use crate::store::Snapshot;
use crate::store::records::{StoredMetrics, TrialRecord};

/// What trials are ordered by; the best first, undefined last, ties by rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SortKey {
    Rank,
    Score,
    Trades,
    WinRate,
    Expectancy,
    ProfitFactor,
    TotalReturn,
    MaxDrawdown,
    Sharpe,
}

impl SortKey {
    /// Every key, in the order of the help.
    pub const ALL: [Self; 9] = [
        Self::Rank,
        Self::Score,
        Self::Trades,
        Self::WinRate,
        Self::Expectancy,
        Self::ProfitFactor,
        Self::TotalReturn,
        Self::MaxDrawdown,
        Self::Sharpe,
    ];

    /// Returns the name used by arguments and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Score => "score",
            Self::Trades => "trades",
            Self::WinRate => "win_rate",
            Self::Expectancy => "expectancy",
            Self::ProfitFactor => "profit_factor",
            Self::TotalReturn => "total_return",
            Self::MaxDrawdown => "max_drawdown",
            Self::Sharpe => "sharpe",
        }
    }

    /// Returns what is compared of score and metrics: more is better.
    fn value(self, (score, metrics): (f64, &MetricsPart)) -> Option<f64> {
        match self {
            // Equal: ties go by rank.
            Self::Rank => Some(0.0),
            Self::Score => Some(score),
            Self::Trades => Some(metrics.trades as f64),
            Self::WinRate => metrics.win_rate,
            Self::Expectancy => metrics.expectancy_pct,
            Self::ProfitFactor => metrics.profit_factor,
            Self::TotalReturn => metrics.total_return_pct,
            Self::MaxDrawdown => metrics.max_drawdown_pct.map(|drawdown| -drawdown),
            Self::Sharpe => metrics.sharpe_daily,
        }
    }

    /// Compares for a sorted list: the best first, undefined last.
    pub(super) fn compare(self, one: (f64, &MetricsPart), other: (f64, &MetricsPart)) -> Ordering {
        match (self.value(one), self.value(other)) {
            (Some(one), Some(other)) => other.total_cmp(&one),
            (one, other) => other.is_some().cmp(&one.is_some()),
        }
    }
}

/// Which trials are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopFilter {
    /// Of this run; of the last that searched where not given.
    pub run: Option<RunRef>,
    /// Of this style; of all where not given.
    pub style: Option<Style>,
    /// At most so many per style.
    pub limit: usize,
    /// Fewest trades.
    pub trades_min: Option<u64>,
    /// Deepest drawdown in percent; a trial whose drawdown is not defined does not pass.
    pub drawdown_max_pct: Option<f64>,
    /// Their order.
    pub sort: SortKey,
}

impl TopFilter {
    fn passes(&self, trial: &TrialRecord) -> bool {
        passes_limits(&trial.metrics, self.trades_min, self.drawdown_max_pct)
    }
}

/// Returns whether a trial has enough trades and no deeper drawdown; one that is not defined is too deep.
pub(super) fn passes_limits(
    metrics: &StoredMetrics,
    trades_min: Option<u64>,
    drawdown_max_pct: Option<f64>,
) -> bool {
    let shallow = |limit: f64| metrics.max_drawdown_pct.is_some_and(|drawdown| drawdown <= limit);
    trades_min.is_none_or(|least| metrics.trades >= least) && drawdown_max_pct.is_none_or(shallow)
}

impl Listed for InspectTopDocument {
    fn listing(&self) -> Listing {
        let of = |style| move |trial| (style, trial);
        let rows: Vec<(&str, &TrialPart)> =
            self.styles.iter().flat_map(|(style, part)| part.trials.iter().map(of(style.as_str()))).collect();
        trials_listing(&rows, true)
    }
}

/// Returns trials with their styles as a listing.
pub(crate) fn trials_listing(rows: &[(&str, &TrialPart)], with_style: bool) -> Listing {
    let begun = Listing::of(rows);
    let begun = match with_style {
        true => begun.column("style", "Style", ColumnKind::Text, |row| Cell::text(row.0)),
        false => begun,
    };
    begun
        .column("rank", "Rank", ColumnKind::Number, |row| Cell::count(row.1.rank.into()))
        .column("score", "Score", ColumnKind::Number, |row| Cell::number(Some(row.1.score), 4))
        .metrics(|row| &row.1.metrics)
        .column("same_results", "Ties", ColumnKind::Number, |row| Cell::count(row.1.same_results))
        .parameters(|row| &row.1.params)
        .done()
}

/// The best trials of a run, in sample, which the search sees.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectTopDocument {
    pub profile: String,
    pub run: u64,
    /// What the trials are ordered by.
    pub sort: String,
    /// Styles whose trials are kept; those of old runs are not.
    pub styles: BTreeMap<String, TopStylePart>,
}

impl Document for InspectTopDocument {
    const KIND: &'static str = "inspect_top";
}

/// The best trials of a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TopStylePart {
    pub score_name: Option<String>,
    /// Trials in the store, filters aside.
    pub kept: u64,
    /// Trials that pass the filters, the limit aside.
    pub matching: u64,
    /// Parameters that differ between the trials listed.
    pub varying: Vec<String>,
    pub trials: Vec<TrialPart>,
}

/// One trial.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TrialPart {
    /// As the search ranked all trials of the run; 1 is the best.
    pub rank: u32,
    pub score: f64,
    /// Kept trials with exactly the same results, this one included.
    pub same_results: u64,
    pub params: Map<String, Value>,
    pub metrics: MetricsPart,
}

impl InspectTopDocument {
    /// Reads the trials of a run that pass a filter.
    ///
    /// Errors: those of reading the store; an unknown profile or run.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, filter: &TopFilter) -> Result<Self, InspectError> {
        let named = filter.run.map(|run| run.resolve(snapshot, profile));
        let run = named.unwrap_or_else(|| last_search(snapshot, profile))?;
        let decisions = snapshot.decisions(profile, run)?;
        let mut styles = BTreeMap::new();
        for style in Style::ALL.into_iter().filter(|style| filter.style.is_none_or(|wanted| wanted == *style))
        {
            let Some(record) = snapshot.trials(profile, run, style)? else { continue };
            let decision = decisions.iter().find(|(found, _)| *found == style);
            let score_name = decision.map(|(_, decision)| decision.score_name.clone());
            styles.insert(style.to_string(), TopStylePart::new(&record.trials, score_name, filter));
        }
        Ok(Self { profile: profile.to_owned(), run, sort: filter.sort.as_str().to_owned(), styles })
    }
}

impl TopStylePart {
    /// Returns the best of the trials kept.
    pub(crate) fn new(kept: &[TrialRecord], score_name: Option<String>, filter: &TopFilter) -> Self {
        let mut matching: Vec<&TrialRecord> = kept.iter().filter(|trial| filter.passes(trial)).collect();
        let compare = |one: &TrialRecord, other: &TrialRecord| {
            let [own, theirs] = [one, other].map(|trial| MetricsPart::from(&trial.metrics));
            filter.sort.compare((one.score, &own), (other.score, &theirs))
        };
        matching.sort_by(|one, other| compare(one, other).then(one.rank.cmp(&other.rank)));
        let part = |trial: &&TrialRecord| TrialPart {
            rank: trial.rank,
            score: trial.score,
            same_results: kept.iter().filter(|other| same_results(trial, other)).count() as u64,
            params: params_object(&trial.set),
            metrics: MetricsPart::from(&trial.metrics),
        };
        let trials: Vec<TrialPart> = matching.iter().take(filter.limit).map(part).collect();
        let (kept, matching) = (kept.len() as u64, matching.len() as u64);
        Self { score_name, kept, matching, varying: varying_parameters(&trials), trials }
    }
}

fn same_results(one: &TrialRecord, other: &TrialRecord) -> bool {
    one.score == other.score && one.metrics == other.metrics
}

/// Returns the parameters that differ between trials, in the order of the space.
fn varying_parameters(trials: &[TrialPart]) -> Vec<String> {
    let Some(first) = trials.first() else { return Vec::new() };
    let mut keys: Vec<&String> = first.params.keys().collect();
    for key in trials.iter().flat_map(|trial| trial.params.keys()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let differs = |key: &String| trials.iter().any(|trial| trial.params.get(key) != first.params.get(key));
    keys.into_iter().filter(|key| differs(key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExitRule;
    use crate::store::records::{StoredFilter, StoredParameterSet, StoredValue};

    fn trial(rank: u32, score: f64, trades: u64, drawdown: Option<f64>) -> TrialRecord {
        let filter =
            StoredFilter { name: "min_consensus".to_owned(), value: StoredValue::Number(rank.into()) };
        let set = StoredParameterSet::of(&ExitRule::new(2.0, 1.0, 8.0), vec![filter]);
        let metrics = StoredMetrics { trades, max_drawdown_pct: drawdown, ..StoredMetrics::default() };
        TrialRecord { rank, set, score, metrics }
    }

    fn ranks(filter: &TopFilter) -> Vec<u32> {
        let trials = [
            trial(1, 3.0, 10, Some(5.0)),
            trial(2, 2.0, 30, None),
            trial(3, 2.0, 20, Some(1.0)),
            trial(4, 2.0, 20, Some(1.0)),
        ];
        TopStylePart::new(&trials, None, filter).trials.iter().map(|trial| trial.rank).collect()
    }

    const ALL: TopFilter = TopFilter {
        run: Some(RunRef::Last),
        style: None,
        limit: 10,
        trades_min: None,
        drawdown_max_pct: None,
        sort: SortKey::Score,
    };

    #[test]
    fn the_best_comes_first_and_what_is_undefined_last() {
        assert_eq!(ranks(&ALL), [1, 2, 3, 4]);
        assert_eq!(ranks(&TopFilter { sort: SortKey::Trades, ..ALL }), [2, 3, 4, 1]);
        assert_eq!(ranks(&TopFilter { sort: SortKey::MaxDrawdown, ..ALL }), [3, 4, 1, 2]);
        assert_eq!(ranks(&TopFilter { sort: SortKey::Sharpe, ..ALL }), [1, 2, 3, 4]);
        assert_eq!(ranks(&TopFilter { trades_min: Some(20), ..ALL }), [2, 3, 4]);
        assert_eq!(ranks(&TopFilter { drawdown_max_pct: Some(1.0), limit: 1, ..ALL }), [3]);
    }

    #[test]
    fn ties_are_counted_among_all_that_are_kept() {
        let trials = [trial(1, 2.0, 20, None), trial(2, 2.0, 20, None), trial(3, 1.0, 20, None)];
        let part = TopStylePart::new(&trials, None, &TopFilter { limit: 1, ..ALL });
        assert_eq!((part.trials[0].same_results, part.matching, part.varying.len()), (2, 3, 0));
        let part = TopStylePart::new(&trials, None, &ALL);
        assert_eq!(part.varying, ["min_consensus"]);
        assert_eq!(part.trials[2].same_results, 1);
    }
}

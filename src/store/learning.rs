//! What a run has to remember, how it is written, and what older runs keep.

use std::collections::{BTreeMap, BTreeSet};

use super::error::StoreError;
use super::keys;
use super::records::{
    CarriedRecord, DecisionRecord, EvidenceRecord, FeaturesRecord, InsightsRecord, ParamsRecord, RunRecord,
    SeriesRecord, TrialsRecord, WorkRecord,
};
use super::snapshot::CARRIED_SCOPE;
use super::tables::{self, TableInfo};
use super::writer::Writer;
use crate::model::Style;

/// Runs kept per profile, with their decisions.
pub const RUNS_MAX: u64 = 400;
/// Runs per profile beyond which trials, series and work are kept of none: they are by far the largest rows.
pub const TRIAL_RUNS_MAX: u64 = 90;
/// Runs per profile that are kept whole, unless it is said otherwise; of older ones that changed nothing the summary is.
pub const FULL_RUNS: u64 = 30;

/// Everything a run has to remember. Committed as a whole or not at all.
///
/// The store assigns `run` of every record, and `generation` of parameters; what they say here is ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningCommit {
    /// The profile.
    pub profile: String,
    /// The run itself.
    pub run: RunRecord,
    /// Scopes whose parameters change; `None` takes them out of use.
    pub params: BTreeMap<String, Option<ParamsRecord>>,
    /// What was learned about features.
    pub features: BTreeMap<Style, FeaturesRecord>,
    /// What was learned, for people.
    pub insights: BTreeMap<Style, InsightsRecord>,
    /// What was decided.
    pub decisions: BTreeMap<Style, DecisionRecord>,
    /// The best trials.
    pub trials: BTreeMap<Style, TrialsRecord>,
    /// What an imported file held besides parameters; `None` leaves what was there.
    pub carried: Option<CarriedRecord>,
    /// What is known about the candidates.
    pub evidence: BTreeMap<Style, EvidenceRecord>,
    /// What pictures are drawn from.
    pub series: BTreeMap<Style, SeriesRecord>,
    /// What was evaluated, and why.
    pub work: Option<WorkRecord>,
}

impl LearningCommit {
    /// Returns a run that learned nothing yet.
    pub fn new(profile: impl Into<String>, run: RunRecord) -> Self {
        Self {
            profile: profile.into(),
            run,
            params: BTreeMap::new(),
            features: BTreeMap::new(),
            insights: BTreeMap::new(),
            decisions: BTreeMap::new(),
            trials: BTreeMap::new(),
            carried: None,
            evidence: BTreeMap::new(),
            series: BTreeMap::new(),
            work: None,
        }
    }
}

/// Writes what a run learned and takes away what is kept of newer runs only; returns the number of the run.
pub(super) fn put_learning(
    writer: &mut Writer<'_>,
    learning: LearningCommit,
    full_runs: u64,
) -> Result<u64, StoreError> {
    let profile = keys::profile_key(&learning.profile)?.to_owned();
    let last = writer.last_key(&tables::RUNS.info, keys::all_of(&profile)?)?;
    let last = last.and_then(|key| keys::run_numbered(key.split_once('/')?.1));
    let run = last.map_or(1, |last| last + 1);
    writer.put(&tables::RUNS, &keys::run_key(&profile, run)?, &learning.run)?;
    for (scope, params) in learning.params {
        put_params(writer, &keys::scope_key(&profile, &scope)?, params, run)?;
    }
    for (style, features) in learning.features {
        let record = FeaturesRecord { run, ..features };
        writer.put(&tables::FEATURES, &keys::style_key(&profile, style)?, &record)?;
    }
    for (style, insights) in learning.insights {
        let record = InsightsRecord { run, ..insights };
        writer.put(&tables::INSIGHTS, &keys::style_key(&profile, style)?, &record)?;
    }
    for (style, decision) in &learning.decisions {
        writer.put(&tables::DECISIONS, &keys::run_style(&profile, run, *style)?, decision)?;
    }
    for (style, trials) in &learning.trials {
        writer.put(&tables::TRIALS, &keys::run_style(&profile, run, *style)?, trials)?;
    }
    if let Some(carried) = &learning.carried {
        writer.put(&tables::CARRIED, &keys::scope_key(&profile, CARRIED_SCOPE)?, carried)?;
    }
    for (style, evidence) in &learning.evidence {
        writer.put(&tables::EVIDENCE, &keys::run_style(&profile, run, *style)?, evidence)?;
    }
    for (style, series) in &learning.series {
        writer.put(&tables::SERIES, &keys::run_style(&profile, run, *style)?, series)?;
    }
    if let Some(work) = &learning.work {
        writer.put(&tables::WORK, &keys::run_key(&profile, run)?, work)?;
    }
    forget_old_runs(writer, &profile, run)?;
    summarise_runs(writer, &profile, run, full_runs)?;
    Ok(run)
}

fn put_params(
    writer: &mut Writer<'_>,
    key: &str,
    params: Option<ParamsRecord>,
    run: u64,
) -> Result<(), StoreError> {
    let Some(params) = params else { return writer.remove(&tables::PARAMS.info, key) };
    let before = writer.get(&tables::PARAMS, key)?;
    let generation = before.map_or(1, |before| before.generation + 1);
    writer.put(&tables::PARAMS, key, &ParamsRecord { run, generation, ..params })
}

fn forget_old_runs(writer: &mut Writer<'_>, profile: &str, run: u64) -> Result<(), StoreError> {
    if let Some(oldest) = run.checked_sub(RUNS_MAX).filter(|oldest| *oldest > 0) {
        writer.remove_range(&tables::RUNS.info, keys::run_key_range(profile, 0, oldest)?)?;
        writer.remove_range(&tables::DECISIONS.info, keys::run_key_range(profile, 0, oldest)?)?;
        writer.remove_range(&tables::EVIDENCE.info, keys::run_key_range(profile, 0, oldest)?)?;
    }
    match run.checked_sub(TRIAL_RUNS_MAX).filter(|oldest| *oldest > 0) {
        Some(oldest) => {
            writer.remove_range(&tables::TRIALS.info, keys::run_key_range(profile, 0, oldest)?)?;
            writer.remove_range(&tables::SERIES.info, keys::run_key_range(profile, 0, oldest)?)?;
            writer.remove_range(&tables::WORK.info, keys::run_key_range(profile, 0, oldest)?)
        }
        None => Ok(()),
    }
}

/// The tables of what a run is drawn and explained from. A run that has a row in one of them is whole.
const BULK: [&TableInfo; 3] = [&tables::TRIALS.info, &tables::SERIES.info, &tables::WORK.info];

/// Reduces the oldest runs to their summary until no more are whole than are wanted: run and decisions stay as they are, evidence
/// without what only describes, and trials, series and work go. Those that changed parameters stay whole, and so does the last.
fn summarise_runs(
    writer: &mut Writer<'_>,
    profile: &str,
    last: u64,
    full_runs: u64,
) -> Result<(), StoreError> {
    let mut whole = BTreeSet::new();
    for table in BULK {
        let keys = writer.keys(table, keys::run_key_range(profile, 0, last)?)?;
        whole.extend(keys.iter().filter_map(|key| keys::run_numbered(key.split('/').nth(1)?)));
    }
    let surplus = (whole.len() as u64).saturating_sub(full_runs.max(1));
    for run in whole.into_iter().take(surplus as usize) {
        if changed_parameters(writer, profile, run)? {
            continue;
        }
        for table in BULK {
            writer.remove_range(table, keys::run_key_range(profile, run, run)?)?;
        }
        for style in Style::ALL {
            let key = keys::run_style(profile, run, style)?;
            if let Some(evidence) = writer.get(&tables::EVIDENCE, &key)? {
                writer.put(&tables::EVIDENCE, &key, &evidence.summary())?;
            }
        }
    }
    Ok(())
}

/// Returns whether a run changed what is active, in any scope.
fn changed_parameters(writer: &Writer<'_>, profile: &str, run: u64) -> Result<bool, StoreError> {
    for style in Style::ALL {
        let decision = writer.get(&tables::DECISIONS, &keys::run_style(profile, run, style)?)?;
        // What is only proposed to change is listed as well.
        if decision.is_some_and(|made| made.adopted || made.changed) {
            return Ok(true);
        }
    }
    Ok(false)
}

//! Decisions by hand: a waiting candidate is activated, or earlier parameters come back.
//!
//! Both are runs of the history like any other, without candles: what was decided, on which earlier run's evidence, and
//! what changed. One transaction, like a run.

use std::collections::BTreeMap;

use super::active::{BarredSets, is_symbol_of};
use super::recall::{decision_reason, parameter_set};
use super::records::{change_record, reason_record};
use crate::decide::{DecisionOutcome, DecisionReason, ParameterChange, list_changes, withdraw_changes};
use crate::model::Style;
use crate::run::unreported::{Overdue, unreported_runs};
use crate::store::records::{
    CandidateRecord, ChangeRecord, DecisionRecord, ParamsRecord, RunRecord, RunStyleRecord, StoredMetrics,
};
use crate::store::{LearningCommit, Location, Snapshot, Store, StoreError};

/// Results of decisions by hand in the history.
const ADOPTED: &str = "adopted";
const ROLLED_BACK: &str = "rolled_back";
pub(crate) const IMPORTED: &str = "imported";
/// Of parameters handed over although they were judged to be bad; nothing changed.
pub const EXPORTED: &str = "exported";
/// Runs after which a rollback, or decay, no longer keeps a set out of use.
const VETO_RUNS: usize = 60;

/// What is asked for by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManualRequest {
    /// The candidate of a run; a rejected one only with force.
    Adopt {
        /// The run.
        run: u64,
        /// Whatever its verdict says.
        force: bool,
    },
    /// What was active after a run; without one, what was active before the present parameters. That may be nothing.
    Rollback {
        /// The run.
        run: Option<u64>,
    },
}

impl ManualRequest {
    /// Returns the run that has to be there. Before the first, 0, nothing was active: one can go back to that.
    fn named(self) -> Option<u64> {
        match self {
            Self::Adopt { run, .. } => Some(run),
            Self::Rollback { run } => run.filter(|run| *run > 0),
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ByHand {
    /// The number it has in the history; `None` when nothing changed.
    pub run: Option<u64>,
    /// What changed.
    pub changes: Vec<ParameterChange>,
    /// Earlier runs that were stored and never reported.
    pub overdue: Vec<Overdue>,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ByHandError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such run.
    #[error("expected a run of profile {profile:?}, found no run {run}")]
    NoRun {
        /// The profile.
        profile: String,
        /// The run asked for.
        run: u64,
    },
    /// The run decided nothing about the styles in question.
    #[error("expected a run of profile {profile:?} with a candidate, found none in run {run}")]
    NoCandidate {
        /// The profile.
        profile: String,
        /// The run asked for.
        run: u64,
    },
    /// The candidate was rejected.
    #[error("the {style} candidate of run {run} was rejected ({verdict}): {reason}")]
    Rejected {
        /// The style.
        style: Style,
        /// The run.
        run: u64,
        /// Its verdict.
        verdict: String,
        /// The first reason.
        reason: String,
    },
    /// The history does not go back so far.
    #[error("the history of profile {profile:?} holds no earlier parameters to go back to")]
    NothingEarlier {
        /// The profile.
        profile: String,
    },
}

/// Carries out a decision by hand for some styles of a profile.
///
/// Errors: see [`ByHandError`]; the store is as it was
pub fn by_hand(
    location: impl Into<Location>,
    profile: &str,
    styles: &[Style],
    request: ManualRequest,
    now_ms: i64,
) -> Result<ByHand, ByHandError> {
    let mut store = Store::open(location, now_ms)?;
    let overdue = unreported_runs(&store, profile)?;
    let (learning, changes) = {
        let snapshot = store.read()?;
        if let Some(run) = request.named()
            && snapshot.run(profile, run)?.is_none()
        {
            return Err(ByHandError::NoRun { profile: profile.to_owned(), run });
        }
        let chosen = match request {
            ManualRequest::Adopt { run, force } => candidates(&snapshot, profile, styles, run, force)?,
            ManualRequest::Rollback { run } => earlier_parameters(&snapshot, profile, styles, run)?,
        };
        manual_commit(&snapshot, profile, &chosen, request, now_ms)?
    };
    if changes.is_empty() {
        return Ok(ByHand { run: None, changes, overdue });
    }
    let run = store.commit(learning)?;
    store.publish_run(run)?;
    Ok(ByHand { run: Some(run), changes, overdue })
}

/// Returns whether a run of this result was a decision by hand, which reads no candles.
pub fn is_by_hand(result: &str) -> bool {
    [ADOPTED, ROLLED_BACK, IMPORTED, EXPORTED].contains(&result)
}

/// Returns the sets that were taken out of use among the last runs and not put back by hand since.
pub(crate) fn barred_sets(snapshot: &Snapshot<'_>, profile: &str) -> Result<BarredSets, StoreError> {
    let mut barred = BarredSets::default();
    // Oldest first: what comes later counts.
    for (run, record) in snapshot.runs(profile, .., VETO_RUNS)?.into_iter().rev() {
        if record.result == EXPORTED {
            continue;
        }
        let (rolled_back, by_hand) = (record.result == ROLLED_BACK, is_by_hand(&record.result));
        for (style, decision) in snapshot.decisions(profile, run)? {
            let before = decision.incumbent.as_ref().map(|before| parameter_set(&before.set));
            if !by_hand {
                let dropped = before.filter(|_| is_fallback(&decision));
                barred.decayed.entry(style).or_default().extend(dropped);
                continue;
            }
            let put_back = decision.candidate.as_ref().filter(|_| decision.adopted);
            if let (Some(put_back), Some(sets)) = (put_back, barred.decayed.get_mut(&style)) {
                sets.retain(|set| *set != parameter_set(&put_back.set));
            }
            match before.filter(|_| rolled_back) {
                Some(before) => drop(barred.vetoed.insert(style, before)),
                None => drop(barred.vetoed.remove(&style)),
            }
        }
    }
    Ok(barred)
}

/// Returns whether a run took what was active out of use.
fn is_fallback(decision: &DecisionRecord) -> bool {
    [DecisionOutcome::Restored, DecisionOutcome::Withdrawn].iter().any(|own| own.as_str() == decision.outcome)
}

/// Returns the parameters of a style before those that are active, and the run that judged them; `None` where nothing was active then, or
/// nobody knows.
///
/// Errors: those of reading the store
pub(crate) fn parameters_before(
    snapshot: &Snapshot<'_>,
    profile: &str,
    style: Style,
) -> Result<Option<(u64, ParamsRecord)>, StoreError> {
    let found = match earlier_parameters(snapshot, profile, &[style], None) {
        Ok(found) => found,
        Err(ByHandError::Store(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let judged = found.into_iter().find_map(|chosen| chosen.judged);
    Ok(judged.map(|JudgedParameters { run, decision, candidate }| {
        (run, params_record(&candidate, &decision, "previous", 0))
    }))
}

/// What a style is to have active.
struct Chosen {
    style: Style,
    /// `None` for no parameters, as before the first were adopted.
    judged: Option<JudgedParameters>,
}

/// Parameters with the run that judged them.
struct JudgedParameters {
    run: u64,
    decision: DecisionRecord,
    candidate: CandidateRecord,
}

fn candidates(
    snapshot: &Snapshot<'_>,
    profile: &str,
    styles: &[Style],
    run: u64,
    force: bool,
) -> Result<Vec<Chosen>, ByHandError> {
    let mut chosen = Vec::new();
    for (style, decision) in snapshot.decisions(profile, run)? {
        let Some(candidate) = decision.candidate.clone().filter(|_| styles.contains(&style)) else {
            continue;
        };
        if decision.outcome == "rejected" && !force {
            let reason = decision.reasons.first().map(|reason| decision_reason(reason).to_string());
            let reason = reason.unwrap_or_else(|| "no reason is stored".to_owned());
            // Styles that were not rejected may be adopted one by one.
            return Err(ByHandError::Rejected { style, run, verdict: decision.verdict, reason });
        }
        chosen.push(Chosen { style, judged: Some(JudgedParameters { run, decision, candidate }) });
    }
    match chosen.is_empty() {
        true => Err(ByHandError::NoCandidate { profile: profile.to_owned(), run }),
        false => Ok(chosen),
    }
}

/// Finds what was active after a run, or before what is active now.
fn earlier_parameters(
    snapshot: &Snapshot<'_>,
    profile: &str,
    styles: &[Style],
    run: Option<u64>,
) -> Result<Vec<Chosen>, ByHandError> {
    let mut chosen = Vec::new();
    for style in styles {
        let in_force = snapshot.params(profile, style.as_str())?;
        let Some(last) = run.or_else(|| in_force.as_ref().map(|params| params.run.saturating_sub(1))) else {
            continue;
        };
        let runs = snapshot.runs(profile, ..=last, usize::MAX)?;
        // Where the oldest runs are gone nobody knows what was active before.
        let mut judged = if last == 0 || runs.iter().any(|(id, _)| *id == 1) { Some(None) } else { None };
        for (id, _) in runs {
            let decisions = snapshot.decisions(profile, id)?;
            let decided = |(own, decision): &(Style, DecisionRecord)| {
                own == style && (decision.adopted || is_fallback(decision))
            };
            let Some((_, decision)) = decisions.into_iter().find(decided) else { continue };
            judged = Some(match decision.adopted {
                true => judged_by(id, decision),
                false => went_back_to(snapshot, profile, *style, &decision)?,
            });
            break;
        }
        // Nothing active and nothing to put there is no step back.
        if let Some(judged) = judged.filter(|judged| judged.is_some() || in_force.is_some()) {
            chosen.push(Chosen { style: *style, judged });
        }
    }
    match chosen.is_empty() {
        true => Err(ByHandError::NothingEarlier { profile: profile.to_owned() }),
        false => Ok(chosen),
    }
}

fn judged_by(run: u64, decision: DecisionRecord) -> Option<JudgedParameters> {
    let candidate = decision.candidate.clone()?;
    Some(JudgedParameters { run, decision, candidate })
}

/// Returns what a run went back to when the active parameters decayed; `None` where that was nothing.
fn went_back_to(
    snapshot: &Snapshot<'_>,
    profile: &str,
    style: Style,
    decision: &DecisionRecord,
) -> Result<Option<JudgedParameters>, StoreError> {
    let run = decision.reasons.iter().find_map(|reason| match decision_reason(reason) {
        DecisionReason::Decayed { back_to_run, .. } => back_to_run,
        _ => None,
    });
    let Some(run) = run else { return Ok(None) };
    let decisions = snapshot.decisions(profile, run)?;
    Ok(decisions
        .into_iter()
        .find(|(own, _)| *own == style)
        .and_then(|(_, decision)| judged_by(run, decision)))
}

fn manual_commit(
    snapshot: &Snapshot<'_>,
    profile: &str,
    chosen: &[Chosen],
    request: ManualRequest,
    now_ms: i64,
) -> Result<(LearningCommit, Vec<ParameterChange>), ByHandError> {
    let (source, result) = match request {
        ManualRequest::Adopt { .. } => ("adopt", ADOPTED),
        ManualRequest::Rollback { .. } => ("rollback", ROLLED_BACK),
    };
    let run = RunRecord {
        started_at_ms: now_ms,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        result: result.to_owned(),
        ..RunRecord::default()
    };
    let mut learning = LearningCommit::new(profile, run);
    let mut all = Vec::new();
    let in_force: BTreeMap<String, ParamsRecord> = snapshot.params_all(profile)?.into_iter().collect();
    for Chosen { style, judged } in chosen {
        let before = in_force.get(style.as_str());
        let old = before.map(|record| parameter_set(&record.set));
        let mut own: Vec<ChangeRecord> = Vec::new();
        match judged {
            Some(JudgedParameters { run, decision, candidate }) => {
                let evidence = snapshot.run(profile, *run)?.unwrap_or_default();
                let of_style = evidence.styles.into_iter().filter(|found| found.style == style.as_str());
                learning.run.styles.extend(of_style);
                let new = parameter_set(&candidate.set);
                own.extend(list_changes(*style, old.as_ref(), &new).iter().map(change_record));
                if !own.is_empty() {
                    let params = params_record(candidate, decision, source, now_ms);
                    learning.params.insert(style.to_string(), Some(params));
                }
            }
            None => {
                learning.run.styles.push(RunStyleRecord::unevaluated(style.as_str()));
                if let Some(record) = before {
                    own.extend(withdrawn_changes(style.as_str(), *style, record));
                    learning.params.insert(style.to_string(), None);
                }
            }
        }
        // Sets of symbols were judged against other parameters of the style.
        for (scope, record) in in_force.iter().filter(|(scope, _)| is_symbol_of(scope, *style)) {
            own.extend(withdrawn_changes(scope, *style, record));
            learning.params.insert(scope.clone(), None);
        }
        let incumbent = before.map(|record| CandidateRecord {
            set: record.set.clone(),
            score: record.score,
            full: record.metrics.clone(),
            early: StoredMetrics::default(),
            late: StoredMetrics::default(),
        });
        let record = match judged {
            Some(JudgedParameters { run, decision, .. }) => {
                let force = matches!(request, ManualRequest::Adopt { force: true, .. });
                let against_verdict = force && decision.outcome == "rejected";
                DecisionRecord {
                    adopted: !own.is_empty(),
                    outcome: "adopted".to_owned(),
                    reasons: vec![reason_record(&DecisionReason::ByHand { run: *run, against_verdict })],
                    ..decision.clone()
                }
            }
            None => DecisionRecord {
                verdict: DecisionOutcome::Withdrawn.as_str().to_owned(),
                outcome: DecisionOutcome::Withdrawn.as_str().to_owned(),
                reasons: vec![reason_record(&DecisionReason::ByHandToNothing)],
                ..DecisionRecord::default()
            },
        };
        let record = DecisionRecord { changed: !own.is_empty(), changes: own.clone(), incumbent, ..record };
        learning.decisions.insert(*style, record);
        all.extend(own.iter().map(ParameterChange::from));
    }
    Ok((learning, all))
}

/// Returns the changes that leave a scope without parameters.
fn withdrawn_changes(scope: &str, style: Style, record: &ParamsRecord) -> Vec<ChangeRecord> {
    withdraw_changes(style, scope, &parameter_set(&record.set)).iter().map(change_record).collect()
}

fn params_record(
    candidate: &CandidateRecord,
    decision: &DecisionRecord,
    source: &str,
    now_ms: i64,
) -> ParamsRecord {
    ParamsRecord {
        set: candidate.set.clone(),
        score_name: decision.score_name.clone(),
        score: candidate.score,
        metrics: candidate.full.clone(),
        verdict: decision.verdict.clone(),
        run: 0,
        adopted_at_ms: now_ms,
        generation: 0,
        source: source.to_owned(),
    }
}

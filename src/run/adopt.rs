//! Decisions by hand: a waiting candidate is put in force, or earlier parameters come back.
//!
//! Both are runs of the history like any other, without candles: what was decided, on which earlier run's evidence, and
//! what changed. One transaction, like a run.

use std::collections::BTreeMap;

use super::own::scope_of;
use super::records::{change_record, parameter_set};
use crate::decide::changes;
use crate::model::{ParameterSet, Style};
use crate::store::records::{
    CandidateRecord, ChangeRecord, DecisionRecord, ParamsRecord, RunRecord, StoredMetrics,
};
use crate::store::{LearningCommit, Location, Snapshot, Store, StoreError};

/// Results of decisions by hand in the history.
const ADOPTED: &str = "adopted";
const ROLLED_BACK: &str = "rolled_back";
pub(super) const IMPORTED: &str = "imported";
/// Of parameters handed over although they were judged to be bad; nothing changed.
pub const EXPORTED: &str = "exported";
/// Runs after which a rollback no longer keeps a set out of force.
const VETO_RUNS: usize = 60;

/// What is asked for by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// The candidate of a run; a rejected one only with force.
    Adopt {
        /// The run.
        run: u64,
        /// Whatever its verdict says.
        force: bool,
    },
    /// What was in force after a run; without one, what was in force before the present parameters.
    Rollback {
        /// The run.
        run: Option<u64>,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ByHand {
    /// The number it has in the history; `None` when nothing changed.
    pub run: Option<u64>,
    /// What changed.
    pub changes: Vec<ChangeRecord>,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ByHandError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such run, or it decided nothing about the styles in question.
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
    request: Request,
    now_ms: i64,
) -> Result<ByHand, ByHandError> {
    let mut store = Store::open(location, now_ms)?;
    let (learning, changes) = {
        let snapshot = store.read()?;
        let chosen = match request {
            Request::Adopt { run, force } => candidates(&snapshot, profile, styles, run, force)?,
            Request::Rollback { run } => earlier(&snapshot, profile, styles, run)?,
        };
        learning(&snapshot, profile, &chosen, request, now_ms)?
    };
    if changes.is_empty() {
        return Ok(ByHand { run: None, changes });
    }
    let run = store.commit(learning)?;
    store.publish_view()?;
    Ok(ByHand { run: Some(run), changes })
}

/// Returns whether a run of this result was a decision by hand, which reads no candles.
pub fn is_by_hand(result: &str) -> bool {
    [ADOPTED, ROLLED_BACK, IMPORTED, EXPORTED].contains(&result)
}

/// Returns the sets that were taken out of force by hand and not put back since, by style.
pub(super) fn vetoed(
    snapshot: &Snapshot<'_>,
    profile: &str,
) -> Result<BTreeMap<Style, ParameterSet>, StoreError> {
    let mut vetoed = BTreeMap::new();
    // Oldest first: what comes later counts.
    for (run, record) in snapshot.runs(profile, .., VETO_RUNS)?.into_iter().rev() {
        let rolled_back = record.result == ROLLED_BACK;
        if !is_by_hand(&record.result) || record.result == EXPORTED {
            continue;
        }
        for (style, decision) in snapshot.decisions(profile, run)? {
            match decision.incumbent.filter(|_| rolled_back) {
                Some(before) => drop(vetoed.insert(style, parameter_set(&before.set))),
                None => drop(vetoed.remove(&style)),
            }
        }
    }
    Ok(vetoed)
}

/// A style's parameters with the run that judged them.
struct Chosen {
    style: Style,
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
            let reason = decision.reasons.first().cloned().unwrap_or_default();
            // Styles that were not rejected may be adopted one by one.
            return Err(ByHandError::Rejected { style, run, verdict: decision.verdict, reason });
        }
        chosen.push(Chosen { style, run, decision, candidate });
    }
    match chosen.is_empty() {
        true => Err(ByHandError::NoCandidate { profile: profile.to_owned(), run }),
        false => Ok(chosen),
    }
}

/// Finds what was in force after a run, or before what is in force now.
fn earlier(
    snapshot: &Snapshot<'_>,
    profile: &str,
    styles: &[Style],
    run: Option<u64>,
) -> Result<Vec<Chosen>, ByHandError> {
    let mut chosen = Vec::new();
    for style in styles {
        let in_force = snapshot.params(profile, style.as_str())?;
        let Some(last) = run.or_else(|| in_force.map(|params| params.run.saturating_sub(1))) else {
            continue;
        };
        for (id, _) in snapshot.runs(profile, ..=last, usize::MAX)? {
            let adopted =
                snapshot.decisions(profile, id)?.into_iter().find(|(own, d)| own == style && d.adopted);
            let Some((style, decision)) = adopted else { continue };
            if let Some(candidate) = decision.candidate.clone() {
                chosen.push(Chosen { style, run: id, decision, candidate });
                break;
            }
        }
    }
    match chosen.is_empty() {
        true => Err(ByHandError::NothingEarlier { profile: profile.to_owned() }),
        false => Ok(chosen),
    }
}

fn learning(
    snapshot: &Snapshot<'_>,
    profile: &str,
    chosen: &[Chosen],
    request: Request,
    now_ms: i64,
) -> Result<(LearningCommit, Vec<ChangeRecord>), ByHandError> {
    let (source, result) = match request {
        Request::Adopt { .. } => ("adopt", ADOPTED),
        Request::Rollback { .. } => ("rollback", ROLLED_BACK),
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
    for Chosen { style, run, decision, candidate } in chosen {
        let evidence = snapshot.run(profile, *run)?.unwrap_or_default();
        learning.run.styles.extend(evidence.styles.into_iter().filter(|found| found.style == style.as_str()));
        let new = parameter_set(&candidate.set);
        let before = in_force.get(style.as_str());
        let old = before.map(|record| parameter_set(&record.set));
        let mut own: Vec<ChangeRecord> =
            changes(*style, old.as_ref(), &new).iter().map(change_record).collect();
        if !own.is_empty() {
            let params = params_record(candidate, decision, source, now_ms);
            learning.params.insert(style.to_string(), Some(params));
        }
        // Sets of symbols were judged against other parameters of the style.
        for (scope, record) in in_force.iter().filter(|(scope, _)| is_symbol_of(scope, *style)) {
            let gone = changes(*style, None, &parameter_set(&record.set));
            own.extend(gone.iter().map(change_record).map(|change| ChangeRecord {
                scope: scope.clone(),
                old: change.new,
                new: None,
                ..change
            }));
            learning.params.insert(scope.clone(), None);
        }
        let forced = matches!(request, Request::Adopt { force: true, .. }) && decision.outcome == "rejected";
        let forced = if forced { ", against its verdict" } else { "" };
        let record = DecisionRecord {
            adopted: !own.is_empty(),
            changed: !own.is_empty(),
            outcome: "adopted".to_owned(),
            reasons: vec![format!("by hand, from run {run}{forced}")],
            changes: own.clone(),
            incumbent: before.map(|record| CandidateRecord {
                set: record.set.clone(),
                score: record.score,
                full: record.metrics.clone(),
                early: StoredMetrics::default(),
                late: StoredMetrics::default(),
            }),
            ..decision.clone()
        };
        learning.decisions.insert(*style, record);
        all.extend(own);
    }
    Ok((learning, all))
}

fn is_symbol_of(scope: &str, style: Style) -> bool {
    let symbol = scope.strip_prefix("symbol/").and_then(|rest| rest.split_once('/'));
    symbol.is_some_and(|(symbol, _)| scope == scope_of(symbol, style))
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

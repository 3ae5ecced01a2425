//! What speaks against handing the active parameters over to the bot, and the record of doing it all the same.
//!
//! The rule: the parameters of a style are held back when the last run that judged *these* parameters found them FAILED
//! or OVERFITTED, or LIKELY_LUCK where that run was to ask for more (`decide.require`), or when no run that was to ask for more ever
//! tested them (UNTESTED); or when the last run that followed
//! them since they are active found that they decay. What no run judged is not held back: nothing active, or
//! parameters from the old system. Forced once, they are not held back for that verdict again.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::decide::reason::ExportFinding;
use crate::decide::{DecisionReason, Require, list_changes};
use crate::model::{ParameterSet, Style};
use crate::run::adopt::{EXPORTED, is_by_hand};
use crate::run::recall::{decision_reason, known_evidence, parameter_set};
use crate::run::records::reason_record;
use crate::run::result::KnownEvidence;
use crate::store::records::{
    CandidateRecord, DecisionRecord, EvidenceRecord, ParamsRecord, RunRecord, StoredMetrics,
};
use crate::store::{LearningCommit, Location, Snapshot, Store, StoreError};
use crate::validate::assessment::{Assurance, DECAY_E, FailedCondition};
use crate::validate::verdict::Verdict;

/// The word for parameters that no run tested.
const UNTESTED: &str = Assurance::Untested.as_str();

/// Active parameters that a run found to be bad.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The style.
    pub style: Style,
    /// The run that found it.
    pub run: u64,
    /// What it found: `FAILED`, `OVERFITTED`, `LIKELY_LUCK`, `UNTESTED` or `DECAY`.
    pub verdict: &'static str,
    /// Why.
    pub finding: ExportFinding,
}

/// Returns whether a profile has active parameters in any scope: without, there is nothing to hand over.
///
/// Errors: those of reading the store
pub fn has_active(snapshot: &Snapshot<'_>, profile: &str) -> Result<bool, StoreError> {
    Ok(!snapshot.params_all(profile)?.is_empty())
}

/// Returns what speaks against the active parameters, style by style; empty where nothing does.
///
/// Errors: those of reading the store
pub fn find_doubts(snapshot: &Snapshot<'_>, profile: &str) -> Result<Vec<Doubt>, StoreError> {
    let mut found = Vec::new();
    for style in Style::ALL {
        if let Some(params) = snapshot.params(profile, style.as_str())? {
            found.extend(find_doubt(snapshot, profile, style, &params)?);
        }
    }
    Ok(found)
}

/// Records that parameters of some styles are handed over although something speaks against them; returns the number it has in the
/// history, `None` where nothing does.
///
/// Errors: those of opening and writing the store, which is as it was then
pub fn force(
    location: impl Into<Location>,
    profile: &str,
    styles: &[Style],
    target: &str,
    now_ms: i64,
) -> Result<Option<u64>, StoreError> {
    let mut store = Store::open(location, now_ms)?;
    let is_all_told = store.not_reported(profile)?.is_empty();
    let learning = {
        let snapshot = store.read()?;
        let mut learning = LearningCommit::new(
            profile,
            RunRecord {
                started_at_ms: now_ms,
                app_version: env!("CARGO_PKG_VERSION").to_owned(),
                result: EXPORTED.to_owned(),
                ..RunRecord::default()
            },
        );
        for doubt in
            find_doubts(&snapshot, profile)?.into_iter().filter(|doubt| styles.contains(&doubt.style))
        {
            let Some(params) = snapshot.params(profile, doubt.style.as_str())? else { continue };
            let judged = snapshot.run(profile, doubt.run)?.unwrap_or_default();
            let of_style = judged.styles.into_iter().filter(|own| own.style == doubt.style.as_str());
            learning.run.styles.extend(of_style);
            learning.decisions.insert(doubt.style, forced_decision(&doubt, params, target));
        }
        learning
    };
    if learning.decisions.is_empty() {
        return Ok(None);
    }
    let run = store.commit(learning)?;
    store.publish_run(run)?;
    // Nothing changed in what is active: whoever asked for it is told by the file.
    if is_all_told && let Err(error) = store.report_done(profile) {
        tracing::debug!(%error, "the export will be reported by the next run");
    }
    Ok(Some(run))
}

fn forced_decision(doubt: &Doubt, params: ParamsRecord, target: &str) -> DecisionRecord {
    let Doubt { run, verdict, finding, .. } = doubt;
    let in_force = CandidateRecord {
        set: params.set,
        score: params.score,
        full: params.metrics,
        early: StoredMetrics::default(),
        late: StoredMetrics::default(),
    };
    DecisionRecord {
        verdict: (*verdict).to_owned(),
        outcome: EXPORTED.to_owned(),
        reasons: vec![reason_record(&DecisionReason::ExportedByHand {
            target: target.to_owned(),
            run: *run,
            verdict: (*verdict).to_owned(),
            finding: finding.clone(),
        })],
        score_name: params.score_name,
        incumbent: Some(in_force),
        ..DecisionRecord::default()
    }
}

/// Finds what the newest run that can tell says about the parameters of a style.
fn find_doubt(
    snapshot: &Snapshot<'_>,
    profile: &str,
    style: Style,
    params: &ParamsRecord,
) -> Result<Option<Doubt>, StoreError> {
    let set = parameter_set(&params.set);
    let (mut judged, mut followed, mut untested) = (None, None, None);
    let mut forced = BTreeSet::new();
    for run in snapshot.run_ids(profile)? {
        // Nobody judged them later than the run that activated them, unless by hand.
        if judged.is_some() && run <= params.run {
            break;
        }
        let record = snapshot.run(profile, run)?.unwrap_or_default();
        let decision = snapshot.decisions(profile, run)?.into_iter().find(|(own, _)| *own == style);
        let Some((_, decision)) = decision else { continue };
        if record.result == EXPORTED && is_set(style, decision.incumbent.as_ref(), &set) {
            forced.insert(decision.verdict.clone());
        }
        if is_by_hand(&record.result) {
            continue;
        }
        let evidence = snapshot.evidence(profile, run, style)?.unwrap_or_default();
        if followed.is_none() && run > params.run {
            followed = Some(decay(&evidence).map(|finding| (run, FailedCondition::Decay.as_str(), finding)));
        }
        if judged.is_none() && is_set(style, decision.candidate.as_ref(), &set) {
            let found = bad_verdict(&decision, &evidence, required_significance(&record));
            let found = found.map(|(verdict, finding)| (run, verdict, finding));
            match found {
                // It judged nothing: one before it may have.
                Some((_, verdict, _)) if verdict == UNTESTED => untested = untested.or(found),
                _ => judged = Some(found),
            }
        }
    }
    let found = [judged.or(untested.map(Some)), followed].into_iter().flatten().flatten();
    let mut open = found.filter(|(_, verdict, _)| !forced.contains(*verdict));
    Ok(open.next().map(|(run, verdict, finding)| Doubt { style, run, verdict, finding }))
}

fn is_set(style: Style, record: Option<&CandidateRecord>, set: &ParameterSet) -> bool {
    record.is_some_and(|record| list_changes(style, Some(&parameter_set(&record.set)), set).is_empty())
}

/// Returns what a run was to ask of a change.
fn required_significance(run: &RunRecord) -> Require {
    let config = Config::from_texts(&[("the run".to_owned(), run.config_toml.clone())]);
    // An older program may have stored what is no longer a key.
    config.map(|config| config.decide.require).unwrap_or_default()
}

fn bad_verdict(
    decision: &DecisionRecord,
    evidence: &EvidenceRecord,
    required: Require,
) -> Option<(&'static str, ExportFinding)> {
    // Where all days chose, the verdict describes the last ones. Older programs, which had no answer to CANDIDATE, never did so.
    let describes = required != Require::Stable && evidence.candidate.is_some();
    let verdict = Verdict::named(&decision.verdict)
        .filter(|verdict| verdict.severity() >= Verdict::Overfitted.severity() && !describes);
    if let Some(verdict) = verdict {
        let reason = decision.reasons.first().map(decision_reason);
        let reason = reason.filter(|reason| !reason.to_string().is_empty());
        return Some((verdict.as_str(), ExportFinding::Judged(reason.map(Box::new))));
    }
    let edge = evidence.edge.as_ref().filter(|_| required != Require::Stable)?;
    let luck = Assurance::LikelyLuck.as_str();
    [UNTESTED, luck]
        .into_iter()
        .find(|word| edge.assurance == *word)
        .map(|word| (word, edge_finding(&known_evidence(evidence))))
}

fn edge_finding(known: &KnownEvidence) -> ExportFinding {
    let told = known.told_edge.clone().map(ExportFinding::Told);
    told.unwrap_or_else(|| ExportFinding::Edge(known.evidence.edge_grounds()))
}

fn decay(evidence: &EvidenceRecord) -> Option<ExportFinding> {
    let e = evidence.figure("forward_e_decay").filter(|e| *e >= DECAY_E)?;
    let days = evidence.figure("forward_days").unwrap_or_default() as u64;
    Some(ExportFinding::Decayed { days, e })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::records::samples::Sample;
    use crate::store::records::{AssessmentRecord, NamedNumber};

    fn candidate(take_profit: f64) -> CandidateRecord {
        let mut candidate = DecisionRecord::sample().candidate.expect("a sample with a candidate");
        candidate.set.exits[0].value = take_profit;
        candidate
    }

    /// A run that judged a candidate; evidence of luck and of decay as given.
    fn learning(take_profit: f64, verdict: &str, edge: &str, decay_e: f64) -> LearningCommit {
        let mut learning = LearningCommit::new(
            "default",
            RunRecord { result: "unchanged".to_owned(), ..RunRecord::default() },
        );
        let decision = DecisionRecord {
            verdict: verdict.to_owned(),
            reasons: vec![reason_record(&DecisionReason::Told("as judged".to_owned()))],
            candidate: Some(candidate(take_profit)),
            ..DecisionRecord::default()
        };
        learning.decisions.insert(Style::Swing, decision);
        let edge = AssessmentRecord { assurance: edge.to_owned(), ..AssessmentRecord::default() };
        let figures = vec![NamedNumber { name: "forward_e_decay".to_owned(), value: decay_e }];
        let evidence = EvidenceRecord { edge: Some(edge), figures, ..EvidenceRecord::default() };
        learning.evidence.insert(Style::Swing, evidence);
        learning
    }

    fn adopted(mut learning: LearningCommit) -> LearningCommit {
        let set = candidate(5.0).set;
        learning.params.insert("swing".to_owned(), Some(ParamsRecord { set, ..ParamsRecord::sample() }));
        learning
    }

    fn verdicts(commits: Vec<LearningCommit>) -> Vec<(&'static str, u64)> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut store = Store::open(dir.path(), 5).expect("a new store");
        for learning in commits {
            store.commit(learning).expect("committed");
        }
        let found = find_doubts(&store.read().expect("readable"), "default").expect("readable");
        found.into_iter().map(|doubt| (doubt.verdict, doubt.run)).collect()
    }

    #[test]
    fn the_last_judgement_of_these_parameters_counts() {
        let good = || adopted(learning(5.0, "PASSED", "PROMISING", 1.0));
        let later = |verdict, edge, decay_e| learning(5.0, verdict, edge, decay_e);
        let other = || learning(4.0, "FAILED", "LIKELY_LUCK", 1.0);
        assert_eq!(verdicts(vec![]), []);
        assert_eq!(verdicts(vec![other()]), [], "nothing is active");
        assert_eq!(verdicts(vec![good(), other()]), [], "another set was judged");
        assert_eq!(verdicts(vec![good(), later("FAILED", "REAL", 1.0), other()]), [("FAILED", 2)]);
        assert_eq!(
            verdicts(vec![good(), later("FAILED", "REAL", 1.0), later("WARNING", "UNPROVEN", 1.0)]),
            []
        );
        assert_eq!(verdicts(vec![adopted(later("OVERFITTED", "REAL", 1.0))]), [("OVERFITTED", 1)]);
        assert_eq!(verdicts(vec![good(), later("SKIPPED", "NOT_ENOUGH_DATA", 1.0)]), []);
        assert_eq!(verdicts(vec![good(), learning(4.0, "PASSED", "REAL", 21.0)]), [("DECAY", 2)]);
        assert_eq!(verdicts(vec![later("PASSED", "REAL", 21.0), good()]), [], "others decayed");
        let mut imported = adopted(LearningCommit::new("default", RunRecord::default()));
        imported.run.result = "imported".to_owned();
        assert_eq!(verdicts(vec![imported, other()]), [], "nobody judged them");
    }

    #[test]
    fn luck_counts_where_more_was_asked_for() {
        let lucky = || adopted(learning(5.0, "PASSED", "LIKELY_LUCK", 1.0));
        assert_eq!(verdicts(vec![lucky()]), [("LIKELY_LUCK", 1)]);
        let mut stable = lucky();
        stable.run.config_toml = "[decide]\nrequire = \"stable\"\n".to_owned();
        assert_eq!(verdicts(vec![stable]), []);
    }

    #[test]
    fn force_holds_for_one_verdict_on_one_set() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let commit =
            |learning| Store::open(dir.path(), 5).expect("a store").commit(learning).expect("committed");
        let force = || force(dir.path(), "default", &Style::ALL, "a file", 7).expect("written");
        let lucky = || learning(5.0, "PASSED", "LIKELY_LUCK", 1.0);
        commit(adopted(lucky()));
        // What is handed over is excused, and nothing besides.
        let other = super::force(dir.path(), "default", &[Style::Scalping], "a file", 7).expect("written");
        assert_eq!(other, None, "nothing speaks against scalping");
        assert_eq!((force(), force()), (Some(2), None));
        commit(lucky());
        assert_eq!(force(), None, "known");
        commit(learning(5.0, "FAILED", "LIKELY_LUCK", 1.0));
        assert_eq!(force(), Some(5), "worse than known");
        commit(adopted(lucky()));
        assert_eq!(force(), Some(7), "activated again");
    }
}

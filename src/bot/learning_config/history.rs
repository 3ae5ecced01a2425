//! What the last runs decided, under the names and in the words of the bot's validation phase.

use serde_json::{Value, json};

use super::{ActiveScopes, Object, flat_parameters};
use crate::model::Style;
use crate::run::adopt::EXPORTED;
use crate::store::records::{DecisionRecord, RunRecord, StoredMetrics};
use crate::store::{Snapshot, StoreError};
use crate::validate::verdict::Verdict;

/// Runs in the summary.
const RUNS_SHOWN: usize = 10;
/// Exit codes of runs that kept the old parameters because the candidate was not good enough.
const KEPT: [i32; 2] = [11, 12];

type Decisions = Vec<(Style, DecisionRecord)>;

/// The last runs, oldest first.
pub(super) struct RecentRuns {
    runs: Vec<(u64, RunRecord, Decisions)>,
}

impl RecentRuns {
    pub(super) fn read(snapshot: &Snapshot<'_>, profile: &str) -> Result<Self, StoreError> {
        // Writing the document by force is no part of it, or it would differ from what was written; it never happens
        // twice in a row.
        let mut newest = snapshot.runs(profile, .., 2 * RUNS_SHOWN)?;
        newest.retain(|(_, run)| run.result != EXPORTED);
        newest.truncate(RUNS_SHOWN);
        let with_decisions = |(id, run)| Ok((id, run, snapshot.decisions(profile, id)?));
        let runs: Result<Vec<_>, StoreError> = newest.into_iter().rev().map(with_decisions).collect();
        Ok(Self { runs: runs? })
    }

    /// Returns the top-level entries about the last run and the runs before it.
    pub(super) fn entries(&self, in_force: &ActiveScopes) -> Object {
        let Some((_, run, decisions)) = self.last_decided() else { return Object::new() };
        let verdict = worst_verdict(decisions);
        let adopted = decisions.iter().any(|(_, decision)| decision.adopted);
        let entries = [
            ("_phase4_status", json!(verdict.as_str())),
            ("_phase4_validation", validation_phase(run, decisions, verdict)),
            ("_phase3_applied", json!(adopted)),
            ("_phase4_rollback", json!(!adopted && KEPT.contains(&run.exit_code))),
            ("_iterative_history", self.iterative_history(in_force)),
        ];
        entries.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
    }

    /// Returns the last run that judged something; taking parameters over from elsewhere does not.
    fn last_decided(&self) -> Option<&(u64, RunRecord, Decisions)> {
        let is_judged = |(_, decision): &(Style, DecisionRecord)| Verdict::named(&decision.verdict).is_some();
        self.runs.iter().rev().find(|(_, _, decisions)| decisions.iter().any(is_judged))
    }

    fn iterative_history(&self, in_force: &ActiveScopes) -> Value {
        let round = |(id, run, decisions): &(u64, RunRecord, Decisions)| {
            let improved = decisions.iter().any(|(_, decision)| decision.adopted);
            let metric = best_score(decisions, |decision| decision.candidate.as_ref()?.score);
            json!({"round_num": id, "improved": improved, "metric": metric, "status": run.result})
        };
        let metric = |(id, _, decisions): &(u64, RunRecord, Decisions)| {
            Some((*id, best_score(decisions, |decision| decision.candidate.as_ref()?.score)?))
        };
        let best_round = self.runs.iter().filter_map(metric).max_by(|(_, a), (_, b)| a.total_cmp(b));
        let last = self.last_decided().map(|(_, _, decisions)| decisions);
        let baseline = last.and_then(|last| best_score(last, |decision| decision.incumbent.as_ref()?.score));
        let set = in_force.general().map(|(_, record)| Value::Object(flat_parameters(&record.set)));
        let profitable = |style| in_force.of(style)?.metrics.total_return_pct;
        let profitable = Style::ALL.into_iter().filter_map(profitable).any(|total| total > 0.0);
        json!({
            "final_params": set.unwrap_or_else(|| json!({})),
            "best_round_num": best_round.map(|(id, _)| id),
            "best_metric": best_round.map(|(_, metric)| metric),
            "baseline_metric": baseline,
            "total_rounds": self.runs.len(),
            "rounds": self.runs.iter().map(round).collect::<Value>(),
            "found_profitable": profitable,
        })
    }
}

/// Returns the worst verdict of the styles, as the legacy system did; without any nothing was judged.
fn worst_verdict(decisions: &Decisions) -> Verdict {
    let verdicts = decisions.iter().filter_map(|(_, decision)| Verdict::named(&decision.verdict));
    verdicts.max_by_key(|verdict| verdict.severity()).unwrap_or(Verdict::Skipped)
}

/// Returns the highest defined score of both styles.
fn best_score(decisions: &Decisions, score: fn(&DecisionRecord) -> Option<f64>) -> Option<f64> {
    decisions.iter().filter_map(|(_, decision)| score(decision)).reduce(f64::max)
}

fn validation_phase(run: &RunRecord, decisions: &Decisions, verdict: Verdict) -> Value {
    let of_style = |(style, decision): &(Style, DecisionRecord)| {
        let candidate = decision.candidate.as_ref()?;
        let verdict = Verdict::named(&decision.verdict)?;
        let signals =
            run.styles.iter().find(|found| found.style == style.as_str()).map(|found| found.signals);
        let validation = json!({
            "full_test": tested_metrics(&candidate.full, signals),
            "early_period": tested_metrics(&candidate.early, None),
            "late_period": tested_metrics(&candidate.late, None),
            "overfitting": {
                "profit_degradation": decision.degradation,
                "winrate_ratio": decision.win_rate_ratio,
                "is_overfitted": verdict.severity() >= Verdict::Overfitted.severity(),
            },
            "stability_score": decision.stability,
            "status": verdict.as_str(),
        });
        Some((style.to_string(), validation))
    };
    let mut validation: Object = decisions.iter().filter_map(of_style).collect();
    validation.insert("overall_status".to_owned(), json!(verdict.as_str()));
    Value::Object(validation)
}

/// Returns metrics under the bot's names; profits in percent, shares 0..=1, undefined is null.
fn tested_metrics(metrics: &StoredMetrics, sample_count: Option<u64>) -> Value {
    json!({
        "captured_count": metrics.trades,
        "capture_rate": metrics.capture_rate,
        "avg_profit": metrics.expectancy_pct,
        "win_rate": metrics.win_rate,
        "total_profit": metrics.total_return_pct,
        "sample_count": sample_count,
    })
}

//! What the last runs decided, under the names of the bot's validation phase.

use serde_json::{Value, json};

use super::{InForce, Object, flat};
use crate::model::Style;
use crate::store::records::{DecisionRecord, RunRecord, StoredMetrics};
use crate::store::{Snapshot, StoreError};

/// Runs in the summary.
const RUNS_SHOWN: usize = 10;
/// Verdicts from best to worst; one that is not here is worse than all of them. Too little data says nothing
/// about the parameters, so it only counts where there is no other verdict.
const VERDICTS: [&str; 5] = ["NOT_ENOUGH_DATA", "REAL", "PROMISING", "UNPROVEN", "LIKELY_LUCK"];
/// Exit codes of runs that kept the old parameters because the candidate was not good enough.
const KEPT: [i32; 2] = [11, 12];

type Decisions = Vec<(Style, DecisionRecord)>;

/// The last runs, oldest first.
pub(super) struct History {
    runs: Vec<(u64, RunRecord, Decisions)>,
}

impl History {
    pub fn read(snapshot: &Snapshot<'_>, profile: &str) -> Result<Self, StoreError> {
        let newest_first = snapshot.runs(profile, .., RUNS_SHOWN)?;
        let with_decisions = |(id, run)| Ok((id, run, snapshot.decisions(profile, id)?));
        let runs: Result<Vec<_>, StoreError> = newest_first.into_iter().rev().map(with_decisions).collect();
        Ok(Self { runs: runs? })
    }

    /// Returns the top-level entries about the last run and the runs before it.
    pub fn entries(&self, in_force: &InForce) -> Object {
        let Some((_, run, decisions)) = self.last_decided() else { return Object::new() };
        let verdict = decisions.iter().map(|(_, decision)| decision.verdict.as_str()).max_by_key(|v| rank(v));
        let adopted = decisions.iter().any(|(_, decision)| decision.adopted);
        let entries = [
            ("_phase4_status", json!(verdict.unwrap_or("NOT_ENOUGH_DATA"))),
            ("_phase4_validation", validation(run, decisions, verdict)),
            ("_phase3_applied", json!(adopted)),
            ("_phase4_rollback", json!(!adopted && KEPT.contains(&run.exit_code))),
            ("_iterative_history", self.iterative_history(in_force)),
        ];
        entries.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
    }

    /// Returns the last run that decided something; taking parameters over by hand does not.
    fn last_decided(&self) -> Option<&(u64, RunRecord, Decisions)> {
        self.runs.iter().rev().find(|(_, _, decisions)| !decisions.is_empty())
    }

    fn iterative_history(&self, in_force: &InForce) -> Value {
        let round = |(id, run, decisions): &(u64, RunRecord, Decisions)| {
            let improved = decisions.iter().any(|(_, decision)| decision.adopted);
            let metric = best(decisions, |decision| decision.candidate.as_ref()?.score);
            json!({"round_num": id, "improved": improved, "metric": metric, "status": run.result})
        };
        let metric = |(id, _, decisions): &(u64, RunRecord, Decisions)| {
            Some((*id, best(decisions, |decision| decision.candidate.as_ref()?.score)?))
        };
        let best_round = self.runs.iter().filter_map(metric).max_by(|(_, a), (_, b)| a.total_cmp(b));
        let last = self.last_decided().map(|(_, _, decisions)| decisions);
        let baseline = last.and_then(|last| best(last, |decision| decision.incumbent.as_ref()?.score));
        let set = in_force.general().map(|record| Value::Object(flat(&record.set)));
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

fn rank(verdict: &str) -> usize {
    VERDICTS.iter().position(|known| known.eq_ignore_ascii_case(verdict)).unwrap_or(VERDICTS.len())
}

/// Returns the highest defined score of both styles.
fn best(decisions: &Decisions, score: fn(&DecisionRecord) -> Option<f64>) -> Option<f64> {
    decisions.iter().filter_map(|(_, decision)| score(decision)).reduce(f64::max)
}

fn validation(run: &RunRecord, decisions: &Decisions, verdict: Option<&str>) -> Value {
    let of_style = |(style, decision): &(Style, DecisionRecord)| {
        let candidate = decision.candidate.as_ref()?;
        let signals =
            run.styles.iter().find(|found| found.style == style.as_str()).map(|found| found.signals);
        let validation = json!({
            "full_test": test(&candidate.full, signals),
            "early_period": test(&candidate.early, None),
            "late_period": test(&candidate.late, None),
            "overfitting": {
                "profit_degradation": decision.degradation,
                "winrate_ratio": decision.win_rate_ratio,
                "is_overfitted": rank(&decision.verdict) >= rank("LIKELY_LUCK"),
            },
            "stability_score": decision.stability,
            "status": decision.verdict,
        });
        Some((style.to_string(), validation))
    };
    let mut validation: Object = decisions.iter().filter_map(of_style).collect();
    validation.insert("overall_status".to_owned(), json!(verdict.unwrap_or("NOT_ENOUGH_DATA")));
    Value::Object(validation)
}

/// Returns metrics under the bot's names; profits in percent, shares 0..=1, undefined is null.
fn test(metrics: &StoredMetrics, sample_count: Option<u64>) -> Value {
    json!({
        "captured_count": metrics.trades,
        "capture_rate": metrics.capture_rate,
        "avg_profit": metrics.expectancy_pct,
        "win_rate": metrics.win_rate,
        "total_profit": metrics.total_return_pct,
        "sample_count": sample_count,
    })
}

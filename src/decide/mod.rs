//! From a judged candidate and the active parameters to a decision with reasons, and to what was learned.

pub mod insights;
pub mod lessons;
pub mod reason;
mod result;
pub mod tokens;

pub use reason::DecisionReason;
pub use result::RunResult;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::reason::AssessmentQuestion;
use crate::model::{ParameterSet, Style};
use crate::validate::assessment::{Assessment, Assurance};
use crate::validate::verdict::{Judgement, Verdict};

/// What becomes of the parameters of a style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum DecisionOutcome {
    /// The candidate replaces the active parameters.
    Adopted,
    /// Nothing to change: no candidate, the same one, or none better.
    Unchanged,
    /// A better candidate whose verdict is not good enough.
    NotConvincing,
    /// A candidate that did not survive the out-of-sample part.
    Rejected,
}

impl DecisionOutcome {
    /// Returns the name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Unchanged => "unchanged",
            Self::NotConvincing => "not_convincing",
            Self::Rejected => "rejected",
        }
    }
}

/// What a change of parameters needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// The legacy stability verdict: PASSED or WARNING out of sample.
    Stable,
    /// Besides holding up out of sample, better than luck would be most of the time.
    #[default]
    Promising,
    /// Beyond what luck explains.
    Real,
}

impl Require {
    /// Every requirement.
    pub const ALL: [Self; 3] = [Self::Stable, Self::Promising, Self::Real];

    /// Returns the name used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Promising => "promising",
            Self::Real => "real",
        }
    }

    /// Returns the least assurance, where one is asked for.
    fn least(self) -> Option<Assurance> {
        match self {
            Self::Stable => None,
            Self::Promising => Some(Assurance::Promising),
            Self::Real => Some(Assurance::Real),
        }
    }
}

/// Holds a decision to adopt to what is required: against the active set where there is one, else against zero.
pub fn apply_gate(
    require: Require,
    decision: &mut Decision,
    edge: Option<&Assessment>,
    switch: Option<&Assessment>,
) {
    let (question, assessment) = match switch {
        Some(switch) => (AssessmentQuestion::Switch, Some(switch)),
        None => (AssessmentQuestion::Edge, edge),
    };
    let Some(least) = require.least().filter(|_| decision.outcome == DecisionOutcome::Adopted) else {
        return;
    };
    let reached = assessment.map_or(Assurance::NotEnoughData, |assessment| assessment.assurance);
    if reached < least {
        decision.outcome = DecisionOutcome::NotConvincing;
        let reason = DecisionReason::NotSureEnough { question, reached, required: least };
        decision.reasons.insert(0, reason);
    }
}

/// One changed parameter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ParameterChange {
    pub scope: String,
    pub key: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

/// The decision on one style.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Decision {
    /// What becomes of the parameters.
    pub outcome: DecisionOutcome,
    /// What changes, or would change if the candidate were adopted.
    pub changes: Vec<ParameterChange>,
    /// Why, the most important first.
    pub reasons: Vec<DecisionReason>,
}

/// A parameter set with its score out of sample, which it was not chosen on.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Contender<'a> {
    pub set: &'a ParameterSet,
    pub late_score: Option<f64>,
}

/// Decides on a style: adopt on a good verdict and an out-of-sample part that is better by more than the least improvement, else
/// keep and say why.
pub fn decide_style(
    style: Style,
    candidate: Option<Contender<'_>>,
    incumbent: Option<Contender<'_>>,
    judgement: &Judgement,
    min_improvement: f64,
) -> Decision {
    let with = |outcome, changes, reason: Option<DecisionReason>| Decision {
        outcome,
        changes,
        reasons: reason.into_iter().chain(judgement.reasons.iter().cloned().map(Into::into)).collect(),
    };
    let Some(candidate) = candidate else {
        return with(DecisionOutcome::Unchanged, Vec::new(), None);
    };
    let changes = list_changes(style, incumbent.map(|i| i.set), candidate.set);
    if changes.is_empty() {
        return with(DecisionOutcome::Unchanged, changes, Some(DecisionReason::StillTheBest));
    }
    match judgement.verdict {
        Verdict::Failed | Verdict::Overfitted => with(DecisionOutcome::Rejected, changes, None),
        Verdict::Unstable | Verdict::Skipped => with(DecisionOutcome::NotConvincing, changes, None),
        Verdict::Passed | Verdict::Warning => {
            let late = incumbent.and_then(|i| i.late_score);
            if late.is_some_and(|late| candidate.late_score.is_none_or(|own| own <= late)) {
                return with(
                    DecisionOutcome::Unchanged,
                    Vec::new(),
                    Some(DecisionReason::ActiveScoresAsWell),
                );
            }
            if late.zip(candidate.late_score).is_some_and(|(late, own)| own - late <= min_improvement) {
                let reason = DecisionReason::TooLittleBetter { min_improvement };
                return with(DecisionOutcome::Unchanged, Vec::new(), Some(reason));
            }
            with(DecisionOutcome::Adopted, changes, None)
        }
    }
}

/// Lists the parameters in which two sets differ, in the new set's order.
pub fn list_changes(style: Style, old: Option<&ParameterSet>, new: &ParameterSet) -> Vec<ParameterChange> {
    let before = old.map(key_values).unwrap_or_default();
    let after = key_values(new);
    let value = |pairs: &[(String, String)], key: &str| {
        pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone())
    };
    let gone = before.iter().filter(|(key, _)| value(&after, key).is_none());
    after
        .iter()
        .chain(gone)
        .map(|(key, _)| ParameterChange {
            scope: style.to_string(),
            key: key.clone(),
            old: value(&before, key),
            new: value(&after, key),
        })
        .filter(|change| change.old != change.new)
        .collect()
}

/// Returns a set as (legacy key, shown value), exits first; what is off is left out.
pub fn key_values(set: &ParameterSet) -> Vec<(String, String)> {
    let exits = set.exit.values().map(|(key, value)| (key.to_owned(), value.to_string()));
    exits.chain(set.filters.iter().map(|(key, value)| (key.clone(), value.to_string()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExitRule, FilterValue};
    use crate::validate::verdict::VerdictReason;

    fn set(score: f64) -> ParameterSet {
        ParameterSet {
            exit: ExitRule::new(2.0, 1.5, 8.0),
            filters: vec![("min_signal_score".to_owned(), FilterValue::Number(score))],
        }
    }

    fn judged(verdict: Verdict) -> Judgement {
        Judgement {
            verdict,
            stability: Some(80.0),
            degradation: Some(0.0),
            win_rate_ratio: Some(1.0),
            reasons: vec![VerdictReason::Holds],
        }
    }

    fn outcome(
        verdict: Verdict,
        candidate: (f64, Option<f64>),
        incumbent: Option<(f64, Option<f64>)>,
    ) -> DecisionOutcome {
        let new = set(candidate.0);
        let old = incumbent.map(|i| set(i.0));
        let old = old.as_ref().zip(incumbent).map(|(set, (_, late_score))| Contender { set, late_score });
        let candidate = Contender { set: &new, late_score: candidate.1 };
        decide_style(Style::Scalping, Some(candidate), old, &judged(verdict), 0.2).outcome
    }

    #[test]
    fn only_a_good_verdict_and_a_better_late_part_change_anything() {
        assert_eq!(outcome(Verdict::Passed, (50.0, Some(1.0)), None), DecisionOutcome::Adopted);
        assert_eq!(
            outcome(Verdict::Warning, (50.0, Some(1.0)), Some((40.0, Some(0.5)))),
            DecisionOutcome::Adopted
        );
        assert_eq!(
            outcome(Verdict::Passed, (50.0, Some(0.5)), Some((40.0, Some(0.5)))),
            DecisionOutcome::Unchanged
        );
        assert_eq!(
            outcome(Verdict::Passed, (50.0, None), Some((40.0, Some(0.5)))),
            DecisionOutcome::Unchanged
        );
        // Better, but not by enough to be worth a change.
        assert_eq!(
            outcome(Verdict::Passed, (50.0, Some(0.6)), Some((40.0, Some(0.5)))),
            DecisionOutcome::Unchanged
        );
        assert_eq!(outcome(Verdict::Passed, (50.0, Some(0.1)), None), DecisionOutcome::Adopted);
        assert_eq!(
            outcome(Verdict::Failed, (50.0, Some(1.0)), Some((50.0, Some(0.5)))),
            DecisionOutcome::Unchanged
        );
        for verdict in [Verdict::Failed, Verdict::Overfitted] {
            assert_eq!(outcome(verdict, (50.0, Some(1.0)), None), DecisionOutcome::Rejected);
        }
        for verdict in [Verdict::Unstable, Verdict::Skipped] {
            assert_eq!(outcome(verdict, (50.0, Some(1.0)), None), DecisionOutcome::NotConvincing);
        }
        let none = decide_style(Style::Swing, None, None, &judged(Verdict::Skipped), 0.0);
        assert_eq!(none.outcome, DecisionOutcome::Unchanged);
        assert_eq!(none.reasons, [DecisionReason::Verdict(VerdictReason::Holds)]);
    }

    #[test]
    fn what_is_required_holds_back_what_is_not_reached() {
        let assessment = |assurance| Assessment { assurance, lacks: Vec::new() };
        let outcome = |require, edge, switch: Option<Assurance>| {
            let mut decision = Decision {
                outcome: DecisionOutcome::Adopted,
                changes: Vec::new(),
                reasons: vec![VerdictReason::Holds.into()],
            };
            let switch = switch.map(assessment);
            apply_gate(require, &mut decision, Some(&assessment(edge)), switch.as_ref());
            decision.outcome
        };
        use Assurance::{LikelyLuck, Promising, Real};
        assert_eq!(outcome(Require::Stable, LikelyLuck, None), DecisionOutcome::Adopted);
        assert_eq!(outcome(Require::Promising, LikelyLuck, None), DecisionOutcome::NotConvincing);
        assert_eq!(outcome(Require::Promising, Promising, None), DecisionOutcome::Adopted);
        assert_eq!(outcome(Require::Real, Promising, None), DecisionOutcome::NotConvincing);
        assert_eq!(outcome(Require::Promising, Real, Some(LikelyLuck)), DecisionOutcome::NotConvincing);
        assert_eq!(outcome(Require::Real, LikelyLuck, Some(Real)), DecisionOutcome::Adopted);
        let mut rejected =
            Decision { outcome: DecisionOutcome::Rejected, changes: Vec::new(), reasons: Vec::new() };
        apply_gate(Require::Real, &mut rejected, None, None);
        assert_eq!(rejected.outcome, DecisionOutcome::Rejected);
    }

    #[test]
    fn changes_name_old_and_new() {
        let change = list_changes(Style::Swing, Some(&set(40.0)), &set(50.0));
        let expected = ParameterChange {
            scope: "swing".to_owned(),
            key: "min_signal_score".to_owned(),
            old: Some("40".to_owned()),
            new: Some("50".to_owned()),
        };
        assert_eq!(change, [expected]);
        assert_eq!(list_changes(Style::Swing, None, &set(50.0)).len(), 4);
    }
}

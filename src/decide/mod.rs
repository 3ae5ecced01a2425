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
use crate::validate::assessment::{AdoptionGate, Assessment, Assurance, FailedCondition};
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
    /// The active parameters decay, and what was active before them comes back ([`Fallback::Previous`]).
    Restored,
    /// The active parameters decay, and nothing is active any more ([`Fallback`]).
    Withdrawn,
}

impl DecisionOutcome {
    /// Returns the name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Unchanged => "unchanged",
            Self::NotConvincing => "not_convincing",
            Self::Rejected => "rejected",
            Self::Restored => "restored",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Returns whether the active parameters of the style are others afterwards.
    pub fn changes_parameters(self) -> bool {
        match self {
            Self::Adopted | Self::Restored | Self::Withdrawn => true,
            Self::Unchanged | Self::NotConvincing | Self::Rejected => false,
        }
    }
}

/// What becomes of active parameters that decay, where no candidate is adopted in their place.
///
/// They decay when the evidence of the days since they are active, none of which was known when they were chosen, says at an anytime-valid
/// 5 % that they lose ([`DECAY_E`](crate::validate::assessment::DECAY_E)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// They stay active, and the run says so.
    #[default]
    Keep,
    /// What was active before them comes back; where nothing was, or it decayed too, nothing is active.
    Previous,
    /// Nothing is active.
    None,
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
    pub fn least(self) -> Option<Assurance> {
        match self {
            Self::Stable => None,
            Self::Promising => Some(Assurance::Promising),
            Self::Real => Some(Assurance::Real),
        }
    }
}

/// What a decision rests on, question by question.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Grounds<'a> {
    pub edge: Option<&'a Assessment>,
    pub candidate: Option<&'a Assessment>,
    /// `None` where nothing else is active.
    pub switch: Option<&'a Assessment>,
    pub p_edge: Option<f64>,
    pub p_switch: Option<f64>,
    pub vetoes: &'a [FailedCondition],
    pub gate: Option<AdoptionGate>,
}

/// Holds a decision to adopt to what is required: an edge, a choice that earned on days it did not know, something better than what is
/// active, and nothing that forbids it.
pub fn apply_gate(require: Require, decision: &mut Decision, grounds: &Grounds<'_>) {
    let asked = require.least().zip(grounds.gate).filter(|_| decision.outcome == DecisionOutcome::Adopted);
    let Some((least, gate)) = asked else { return };
    if let Some((outcome, reason)) = objection(least, gate, grounds) {
        decision.outcome = outcome;
        decision.reasons.insert(0, reason);
    }
}

/// Returns the first thing that keeps a candidate from being adopted.
fn objection(
    least: Assurance,
    gate: AdoptionGate,
    grounds: &Grounds<'_>,
) -> Option<(DecisionOutcome, DecisionReason)> {
    let word = |found: Option<&Assessment>| found.map_or(Assurance::NotEnoughData, |found| found.assurance);
    let (edge, choice) = (word(grounds.edge), word(grounds.candidate));
    let is_luck = edge == Assurance::LikelyLuck || choice == Assurance::LikelyLuck;
    let outcome = if is_luck { DecisionOutcome::Rejected } else { DecisionOutcome::NotConvincing };
    let tested = |question, p: Option<f64>, most: f64, reached| match p {
        Some(p) if p <= most => None,
        Some(p) => Some((outcome, DecisionReason::BeyondGate { question, reached, p, most })),
        None => Some((outcome, DecisionReason::NotSureEnough { question, reached, required: least })),
    };
    tested(AssessmentQuestion::Edge, grounds.p_edge, gate.edge_p, edge)
        .or_else(|| {
            let question = AssessmentQuestion::Candidate;
            let unknown =
                DecisionReason::NotSureEnough { question, reached: choice, required: Assurance::Unproven };
            match choice {
                Assurance::LikelyLuck => Some((outcome, DecisionReason::ChoiceLost)),
                Assurance::Untested | Assurance::NotEnoughData => Some((outcome, unknown)),
                Assurance::Unproven | Assurance::Promising | Assurance::Real => None,
            }
        })
        .or_else(|| {
            let switch = grounds.switch?;
            tested(AssessmentQuestion::Switch, grounds.p_switch, gate.switch_p, switch.assurance)
        })
        .or_else(|| {
            let vetoes = grounds.vetoes.to_vec();
            (!vetoes.is_empty())
                .then_some((DecisionOutcome::NotConvincing, DecisionReason::Vetoed { vetoes }))
        })
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

impl Decision {
    /// Keeps the active parameters as they are, and says why.
    pub(crate) fn hold_back(&mut self, reason: DecisionReason) {
        if self.outcome.changes_parameters() {
            let adopts = self.outcome == DecisionOutcome::Adopted;
            self.outcome = if adopts { DecisionOutcome::NotConvincing } else { DecisionOutcome::Unchanged };
            self.reasons.insert(0, reason);
        }
    }
}

/// A parameter set with its score on the days of the choice, and out of sample.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Contender<'a> {
    pub set: &'a ParameterSet,
    pub score: Option<f64>,
    pub late_score: Option<f64>,
}

/// Decides on a style, before the evidence is asked ([`apply_gate`]): with `decide.require = "stable"` adopt on a good verdict and an
/// out-of-sample part that is better by more than the least improvement; else adopt what scores better by more than that on the same
/// days.
pub fn decide_style(
    style: Style,
    candidate: Option<Contender<'_>>,
    incumbent: Option<Contender<'_>>,
    judgement: &Judgement,
    min_improvement: f64,
    require: Require,
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
    if require != Require::Stable {
        let gain = candidate.score.zip(incumbent.and_then(|i| i.score)).map(|(own, theirs)| own - theirs);
        if gain.is_some_and(|gain| gain <= min_improvement) {
            let reason = DecisionReason::TooLittleBetter { min_improvement };
            return with(DecisionOutcome::Unchanged, Vec::new(), Some(reason));
        }
        return with(DecisionOutcome::Adopted, changes, None);
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

/// Lists the changes that leave a scope of a style without parameters.
pub fn withdraw_changes(style: Style, scope: &str, old: &ParameterSet) -> Vec<ParameterChange> {
    let gone = list_changes(style, None, old).into_iter();
    gone.map(|change| ParameterChange { scope: scope.to_owned(), old: change.new, new: None, ..change })
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
        let old = old.as_ref().zip(incumbent).map(|(set, (_, late_score))| Contender {
            set,
            score: None,
            late_score,
        });
        let candidate = Contender { set: &new, score: None, late_score: candidate.1 };
        decide_style(Style::Scalping, Some(candidate), old, &judged(verdict), 0.2, Require::Stable).outcome
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
        let none = decide_style(Style::Swing, None, None, &judged(Verdict::Skipped), 0.0, Require::Promising);
        assert_eq!(none.outcome, DecisionOutcome::Unchanged);
        assert_eq!(none.reasons, [DecisionReason::Verdict(VerdictReason::Holds)]);
    }

    #[test]
    fn without_an_unseen_part_the_same_days_are_compared() {
        let (new, old) = (set(50.0), set(40.0));
        let of = |set, score| Contender { set, score, late_score: None };
        let outcome = |own, theirs: Option<f64>| {
            let incumbent = theirs.map(|score| of(&old, Some(score)));
            // The verdict describes; it decides nothing.
            let judged = judged(Verdict::Failed);
            decide_style(Style::Swing, Some(of(&new, own)), incumbent, &judged, 0.2, Require::Promising)
                .outcome
        };
        assert_eq!(outcome(Some(1.0), None), DecisionOutcome::Adopted);
        assert_eq!(outcome(Some(1.0), Some(0.7)), DecisionOutcome::Adopted);
        assert_eq!(
            outcome(Some(1.0), Some(0.8)),
            DecisionOutcome::Unchanged,
            "no more than the least improvement"
        );
        assert_eq!(
            outcome(None, Some(0.8)),
            DecisionOutcome::Adopted,
            "what cannot be compared is left to the evidence"
        );
    }

    #[test]
    fn what_is_required_holds_back_what_is_not_reached() {
        use Assurance::{LikelyLuck, Promising, Real, Unproven};
        let assessment = |assurance| Assessment { assurance, lacks: Vec::new() };
        let (edge, candidate, switch) = (assessment(Real), assessment(Unproven), assessment(Real));
        let gate = AdoptionGate::of(Promising, true);
        let sound = Grounds {
            edge: Some(&edge),
            candidate: Some(&candidate),
            switch: Some(&switch),
            p_edge: Some(gate.edge_p),
            p_switch: Some(gate.switch_p),
            vetoes: &[],
            gate: Some(gate),
        };
        let outcome = |require, grounds: &Grounds<'_>| {
            let mut decision = Decision {
                outcome: DecisionOutcome::Adopted,
                changes: Vec::new(),
                reasons: vec![VerdictReason::Holds.into()],
            };
            apply_gate(require, &mut decision, grounds);
            (decision.outcome, decision.reasons.remove(0))
        };
        assert_eq!(outcome(Require::Promising, &sound).0, DecisionOutcome::Adopted);
        assert_eq!(
            outcome(Require::Promising, &Grounds { switch: None, p_switch: None, ..sound }).0,
            DecisionOutcome::Adopted
        );
        let luck = assessment(LikelyLuck);
        let cases = [
            (
                Grounds { p_edge: Some(gate.edge_p + 0.001), ..sound },
                DecisionOutcome::NotConvincing,
                "EDGE is REAL with p",
            ),
            (Grounds { p_edge: None, ..sound }, DecisionOutcome::NotConvincing, "EDGE"),
            (
                Grounds { p_switch: Some(gate.switch_p + 0.001), ..sound },
                DecisionOutcome::NotConvincing,
                "SWITCH",
            ),
            (Grounds { p_switch: None, ..sound }, DecisionOutcome::NotConvincing, "SWITCH"),
            (
                Grounds { candidate: Some(&luck), ..sound },
                DecisionOutcome::Rejected,
                "choosing in the same way lost",
            ),
            (
                Grounds { edge: Some(&luck), p_edge: Some(0.6), ..sound },
                DecisionOutcome::Rejected,
                "EDGE is LIKELY_LUCK",
            ),
            (
                Grounds { vetoes: &[FailedCondition::FragileCost], ..sound },
                DecisionOutcome::NotConvincing,
                "forbidden by FRAGILE_COST",
            ),
        ];
        for (grounds, expected, reason) in cases {
            let (found, told) = outcome(Require::Promising, &grounds);
            assert_eq!(found, expected, "{told}");
            assert!(told.to_string().starts_with(reason), "{told}");
            // The legacy requirement asks the out-of-sample part only, which was asked before.
            assert_eq!(outcome(Require::Stable, &grounds).0, DecisionOutcome::Adopted);
        }
        let mut rejected =
            Decision { outcome: DecisionOutcome::Rejected, changes: Vec::new(), reasons: Vec::new() };
        apply_gate(Require::Real, &mut rejected, &sound);
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

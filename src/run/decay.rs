//! What becomes of active parameters that decay: they lose on days that nobody had seen when they were chosen.

use std::collections::BTreeMap;

use super::active::{ActiveParameters, is_symbol_of};
use crate::decide::reason::OwnReason;
use crate::decide::{
    Decision, DecisionOutcome, DecisionReason, Fallback, ParameterChange, list_changes, withdraw_changes,
};
use crate::model::{ParameterSet, Style};
use crate::study::evidence::Evidence;
use crate::study::per_symbol::OwnSet;
use crate::validate::assessment::DECAY_E;

/// Returns the evidence for a decay of what is active, where that suffices.
pub(super) fn decay_of(evidence: &Evidence) -> Option<f64> {
    evidence.forward.map(|forward| forward.e_decay).filter(|e| *e >= DECAY_E)
}

/// Takes decaying parameters out of use as far as is asked for, unless the decision puts a candidate in their place.
pub(super) fn fall_back(
    decision: &mut Decision,
    style: Style,
    active: &ParameterSet,
    in_force: &ActiveParameters,
    e: f64,
    fallback: Fallback,
) {
    if decision.outcome.changes_parameters() {
        return;
    }
    let is_barred = |set: &ParameterSet| {
        in_force.barred.vetoed.get(&style) == Some(set)
            || in_force.barred.decayed.get(&style).is_some_and(|sets| sets.contains(set))
    };
    let earlier = in_force.earlier.get(&style);
    let earlier = earlier.filter(|earlier| earlier.set != *active && !is_barred(&earlier.set));
    let (outcome, back_to_run) = match (fallback, earlier) {
        (Fallback::Keep, _) => (decision.outcome, None),
        (Fallback::Previous, Some(earlier)) => {
            decision.changes = list_changes(style, Some(active), &earlier.set);
            (DecisionOutcome::Restored, Some(earlier.run))
        }
        (Fallback::Previous, None) | (Fallback::None, _) => {
            decision.changes = withdraw_changes(style, style.as_str(), active);
            (DecisionOutcome::Withdrawn, None)
        }
    };
    decision.outcome = outcome;
    decision.reasons.insert(0, DecisionReason::Decayed { e, fallback, back_to_run });
}

/// Returns the own sets of symbols that go with parameters of a style that were taken out of use.
pub(super) fn withdrawn_own_sets(style: Style, symbols: &BTreeMap<String, ParameterSet>) -> Vec<OwnSet> {
    let own = |(scope, set): (&String, &ParameterSet)| {
        let symbol = scope.strip_prefix("symbol/").and_then(|rest| rest.split_once('/'))?.0.to_owned();
        let changes: Vec<ParameterChange> = withdraw_changes(style, scope, set);
        Some(OwnSet { symbol, measured: None, reason: OwnReason::StyleDecayed, changes })
    };
    symbols.iter().filter(|(scope, _)| is_symbol_of(scope, style)).filter_map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExitRule;
    use crate::run::active::{BarredSets, EarlierParameters};
    use crate::store::records::{ParamsRecord, StoredMetrics};

    fn set(take_profit: f64) -> ParameterSet {
        ParameterSet { exit: ExitRule::new(take_profit, 1.5, 8.0), filters: Vec::new() }
    }

    fn earlier(run: u64, set: ParameterSet) -> EarlierParameters {
        let record = ParamsRecord {
            set: (&set).into(),
            score_name: "sharpe".to_owned(),
            score: None,
            metrics: StoredMetrics::default(),
            verdict: "PASSED".to_owned(),
            run: 0,
            adopted_at_ms: 0,
            generation: 0,
            source: "previous".to_owned(),
        };
        EarlierParameters { run, record, set }
    }

    fn decided(outcome: DecisionOutcome) -> Decision {
        Decision { outcome, changes: Vec::new(), reasons: vec![DecisionReason::StillTheBest] }
    }

    fn after(outcome: DecisionOutcome, in_force: &ActiveParameters, fallback: Fallback) -> Decision {
        let mut decision = decided(outcome);
        fall_back(&mut decision, Style::Swing, &set(2.0), in_force, 25.0, fallback);
        decision
    }

    fn back_to(decision: &Decision) -> Option<u64> {
        match &decision.reasons[0] {
            DecisionReason::Decayed { e, back_to_run, .. } => {
                assert_eq!(*e, 25.0);
                *back_to_run
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_decays_is_kept_restored_or_withdrawn_as_asked() {
        let alone = ActiveParameters::default();
        let before = ActiveParameters {
            earlier: [(Style::Swing, earlier(3, set(4.0)))].into(),
            ..ActiveParameters::default()
        };
        let kept = after(DecisionOutcome::Rejected, &before, Fallback::Keep);
        assert_eq!((kept.outcome, back_to(&kept), kept.changes.len()), (DecisionOutcome::Rejected, None, 0));
        let back = after(DecisionOutcome::Unchanged, &before, Fallback::Previous);
        assert_eq!((back.outcome, back_to(&back)), (DecisionOutcome::Restored, Some(3)));
        assert_eq!(back.changes, list_changes(Style::Swing, Some(&set(2.0)), &set(4.0)));
        for (in_force, fallback) in
            [(&alone, Fallback::Previous), (&alone, Fallback::None), (&before, Fallback::None)]
        {
            let gone = after(DecisionOutcome::NotConvincing, in_force, fallback);
            assert_eq!((gone.outcome, back_to(&gone)), (DecisionOutcome::Withdrawn, None));
            assert_eq!(gone.changes, withdraw_changes(Style::Swing, "swing", &set(2.0)));
            assert!(gone.changes.iter().all(|change| change.old.is_some() && change.new.is_none()));
        }
    }

    #[test]
    fn a_candidate_that_is_adopted_needs_no_fallback_and_what_was_barred_does_not_come_back() {
        let before = |barred| ActiveParameters {
            earlier: [(Style::Swing, earlier(3, set(4.0)))].into(),
            barred,
            ..ActiveParameters::default()
        };
        let adopted = after(DecisionOutcome::Adopted, &before(BarredSets::default()), Fallback::None);
        assert_eq!(adopted, decided(DecisionOutcome::Adopted));
        let vetoed = BarredSets { vetoed: [(Style::Swing, set(4.0))].into(), ..BarredSets::default() };
        let decayed =
            BarredSets { decayed: [(Style::Swing, vec![set(4.0)])].into(), ..BarredSets::default() };
        for barred in [vetoed, decayed] {
            let gone = after(DecisionOutcome::Rejected, &before(barred), Fallback::Previous);
            assert_eq!(gone.outcome, DecisionOutcome::Withdrawn, "nothing to go back to");
        }
        // Of another style nothing is barred here.
        let other = BarredSets { vetoed: [(Style::Scalping, set(4.0))].into(), ..BarredSets::default() };
        let back = after(DecisionOutcome::Rejected, &before(other), Fallback::Previous);
        assert_eq!(back.outcome, DecisionOutcome::Restored);
    }

    #[test]
    fn own_sets_of_symbols_go_with_the_set_of_their_style() {
        let symbols: BTreeMap<String, ParameterSet> = [
            ("symbol/AUSDT/swing".to_owned(), set(1.0)),
            ("symbol/AUSDT/scalping".to_owned(), set(2.0)),
            ("symbol/BUSDT/swing".to_owned(), set(3.0)),
        ]
        .into();
        let gone = withdrawn_own_sets(Style::Swing, &symbols);
        let names: Vec<&str> = gone.iter().map(|own| own.symbol.as_str()).collect();
        assert_eq!(names, ["AUSDT", "BUSDT"]);
        assert!(gone.iter().all(|own| own.measured.is_none() && own.changes.iter().all(|c| c.new.is_none())));
        assert!(gone[1].changes.iter().all(|change| change.scope == "symbol/BUSDT/swing"));
    }
}

//! The score weights of a style in a run: what they are learned from.

use std::ops::Range;

use crate::engine::plan::{Plan, StylePlan};
use crate::features::score::ScoreWeights;
use crate::model::{Day, ParameterSet};
use crate::search::named_weights::alternative_weights;
use crate::search::space::weights_of;
use crate::search::weights::{LabelledSignal, LearnedWeights, WeightEvidence, search_score_weights};
use crate::study::assembly::SymbolDays;
use crate::validate::split::split_days;

/// Learns the weights of a style (by its index in the plan), where its plan learns them.
///
/// The signals are those that pass the loosest level of every other filter: among them the score has to choose. Whether
/// one wins is said by the exit rule active, if the space holds it, else by the middle rule of the space.
///
/// Causality: reads signals of the in-sample part only
pub(crate) fn learn_weights(
    plan: &Plan,
    index: usize,
    symbols: &[SymbolDays],
    days: Range<Day>,
    in_force: Option<&ParameterSet>,
) -> Option<LearnedWeights> {
    let style = &plan.styles[index];
    style.space.weights()?;
    let own = style.space.style();
    let label_days = style.horizon_days(plan.interval);
    let split = split_days(days.clone(), plan.search.early_share, label_days);
    let days = split.map_or(days.start..days.start, |split| split.early);
    let samples = labelled_signals(style, index, symbols, &days, in_force);
    let lesson = WeightEvidence {
        samples: &samples,
        days,
        label_days,
        in_force: in_force.and_then(|set| weights_of(set, own)).unwrap_or(ScoreWeights::default_of(own)),
        named: &alternative_weights(own),
        seed: plan.search.stages.seed,
    };
    Some(search_score_weights(&lesson))
}

/// Returns the signals of some entry days with what became of them, by day, then symbol.
fn labelled_signals(
    style: &StylePlan,
    index: usize,
    symbols: &[SymbolDays],
    days: &Range<Day>,
    in_force: Option<&ParameterSet>,
) -> Vec<LabelledSignal> {
    let rules = style.space.rules();
    let rule = in_force.and_then(|set| rules.iter().position(|rule| *rule == set.exit));
    let rule = rule.unwrap_or(rules.len() / 2);
    let mut samples = Vec::new();
    for part in symbols.iter().flat_map(|own| &own.blocks).map(|block| &block.styles[index]) {
        let signals = part.signals.iter().filter(|signal| signal.in_lattice);
        let outcomes = part.outcomes.under(rule..rule + 1);
        let known = signals.zip(&part.evidence).zip(outcomes.rows());
        samples.extend(known.map(|((signal, evidence), outcomes)| LabelledSignal {
            day: Day::of(signal.entry_ms),
            evidence: *evidence,
            won: outcomes.of(0).net.0 > 0,
        }));
    }
    samples.retain(|sample| days.contains(&sample.day));
    samples.sort_by_key(|sample| sample.day);
    samples
}

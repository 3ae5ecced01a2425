//! One style of a run: its book, its study, its decision and what it teaches.

use std::ops::Range;

use super::active::{ActiveParameters, BarredSets};
use super::decay::{decay_of, fall_back, withdrawn_own_sets};
use super::input_report::InputReport;
use super::losses::SymbolLosses;
use super::report::StyleReport;
use crate::decide::insights::{AdviceStanding, InsightInput, Insights, TradeContext, draw_insights};
use crate::decide::{
    Contender, Decision, DecisionOutcome, DecisionReason, Grounds, apply_gate, decide_style, list_changes,
};
use crate::engine::plan::{Plan, StylePlan};
use crate::evaluate::outcome_table::OutcomeTable;
use crate::evaluate::replay::{Pick, taken_signals};
use crate::model::{Day, ParameterSet, Style};
use crate::search::space::weights_of;
use crate::search::weights::LearnedWeights;
use crate::study::assembly::{SymbolDays, outcome_table_of};
use crate::study::evidence::Question;
use crate::study::per_symbol::OwnQuestion;
use crate::study::series::replay_series;
use crate::study::weights::learn_weights;
use crate::study::{EvaluationContext, Study, study_parameters};
use crate::validate::assessment::Assurance;

/// Studies one style (by its index in the plan) and decides.
pub(crate) fn study_style(
    plan: &Plan,
    index: usize,
    symbols: &[SymbolDays],
    days: Range<Day>,
    input: &InputReport,
    in_force: &ActiveParameters,
) -> StyleReport {
    let incumbent = in_force.styles[index].as_ref();
    let days = entry_days(days, symbols, index);
    let learned = learn_weights(plan, index, symbols, days.clone(), incumbent);
    let weighed = learned.as_ref().map(|learned| plan.weighed(index, learned.weights));
    let plan = weighed.as_ref().unwrap_or(plan);
    let style = &plan.styles[index];
    let book = outcome_table_of(symbols, index, style);
    let ground = EvaluationContext { style, book: &book };
    // Active parameters go with the weights that they were chosen under.
    let before = incumbent.and_then(|set| weights_of(set, style.space.style()));
    let before = before.filter(|_| learned.as_ref().is_some_and(|learned| learned.replaced));
    let before = before
        .map(|weights| style.weighed(weights))
        .map(|style| (outcome_table_of(symbols, index, &style), style));
    let theirs = before.as_ref().map_or(ground, |(book, style)| EvaluationContext { style, book });
    let parts = || symbols.iter().flat_map(|days| &days.blocks).map(|block| &block.styles[index]);
    let study = study_parameters(ground, theirs, days, plan, incumbent);
    let best = study.top.first();
    let names: Vec<&str> = input.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
    let drawn = replay_series(ground, theirs, &study, &names);
    let grids = in_force.grids_with(style, &plan.search.stages);
    let evidence = Question {
        plan,
        style,
        theirs,
        study: &study,
        series: &drawn,
        grids: grids.saturating_mul(learned.as_ref().map_or(1, LearnedWeights::tries)),
        weights: learned.as_ref(),
        chosen_on: in_force.chosen_on.get(&style.space.style()).copied(),
        closes: input.market(&plan.regime_symbol).map_or(&[], |symbol| &symbol.closes),
        is_first_look: in_force.is_first_look(style.space.style(), study.days.end),
    }
    .evidence(&book);
    let decay = decay_of(&evidence);
    let candidate =
        best.map(|best| Contender { set: &best.set, score: best.score, late_score: best.late_score });
    // What decays need not be beaten.
    let measured = study.incumbent.as_ref().filter(|_| decay.is_none());
    let contender = incumbent.map(|set| Contender {
        set,
        score: measured.and_then(|measured| measured.score),
        late_score: measured.and_then(|measured| measured.late_score),
    });
    let least = plan.search.min_improvement;
    let require = plan.search.require;
    let mut decision =
        decide_style(style.space.style(), candidate, contender, &study.judgement, least, require);
    if incumbent.is_some() && study.incumbent.is_none() {
        decision.reasons.push(DecisionReason::ActiveNotInSpace);
    }
    let grounds = Grounds {
        edge: evidence.edge.as_ref(),
        candidate: evidence.candidate.as_ref(),
        switch: evidence.switch.as_ref().filter(|_| decay.is_none()),
        p_edge: evidence.p_luck,
        p_switch: evidence.p_luck_switch,
        vetoes: &evidence.vetoes,
        gate: evidence.gate,
    };
    apply_gate(require, &mut decision, &grounds);
    bar(&mut decision, style.space.style(), best.map(|best| &best.set), &in_force.barred);
    if let (Some(e), Some(active)) = (decay, incumbent) {
        fall_back(&mut decision, style.space.style(), active, in_force, e, plan.search.decayed);
    }
    decision.reasons.extend(learned.as_ref().map(|learned| DecisionReason::ScoreWeights(learned.reason)));
    let own = match decision.outcome {
        // Sets of symbols go with the score weights that are active.
        DecisionOutcome::Unchanged if !theirs.is(&ground) => Vec::new(),
        DecisionOutcome::Adopted | DecisionOutcome::Unchanged => {
            let in_force = |scope: &str| in_force.symbols.get(scope).cloned();
            let gate = evidence.gate;
            let question = OwnQuestion { plan, index, book: &book, study: &study, gate, in_force: &in_force };
            question.own_sets(symbols, &names)
        }
        DecisionOutcome::Restored | DecisionOutcome::Withdrawn => {
            withdrawn_own_sets(style.space.style(), &in_force.symbols)
        }
        DecisionOutcome::NotConvincing | DecisionOutcome::Rejected => Vec::new(),
    };
    let is_promising = evidence.edge.as_ref().is_some_and(|edge| edge.assurance >= Assurance::Promising);
    let is_active = decision.outcome == DecisionOutcome::Adopted
        || best.zip(incumbent).is_some_and(|(best, active)| {
            list_changes(style.space.style(), Some(active), &best.set).is_empty()
        });
    let insights = learn_insights(&book, &study, style, input, AdviceStanding::of(is_promising, is_active));
    StyleReport {
        style: style.space.style(),
        signals: parts().map(|part| part.signals.len() as u64).sum(),
        in_lattice: book.entries().len() as u64,
        pending: parts().map(|part| u64::from(part.pending)).sum(),
        losses: losses_by_symbol(symbols, index, input),
        opportunities: parts().map(|part| part.opportunities.for_capture().len() as u64).sum(),
        study,
        evidence,
        weights: learned,
        series: drawn,
        decision,
        own,
        insights,
    }
}

/// Holds back a candidate that was taken out of use.
fn bar(decision: &mut Decision, style: Style, candidate: Option<&ParameterSet>, barred: &BarredSets) {
    if decision.outcome != DecisionOutcome::Adopted {
        return;
    }
    let Some(candidate) = candidate else { return };
    let decayed = barred.decayed.get(&style).is_some_and(|sets| sets.contains(candidate));
    if barred.vetoed.get(&style) == Some(candidate) {
        decision.hold_back(DecisionReason::DeactivatedByHand);
    } else if decayed {
        decision.hold_back(DecisionReason::DroppedForDecay);
    }
}

/// Returns what missing candles cost each symbol that they cost something. That nothing is known before the first candles is no
/// loss.
fn losses_by_symbol(symbols: &[SymbolDays], style: usize, input: &InputReport) -> Vec<SymbolLosses> {
    let of = |days: &SymbolDays| {
        let symbol = &input.symbols[usize::from(days.symbol)];
        let mut losses = SymbolLosses { symbol: symbol.name.clone(), ..Default::default() };
        for part in days.blocks.iter().map(|block| &block.styles[style]) {
            losses.lost += part.lost;
            losses.blind += u64::from(part.blind);
            losses.cut += u64::from(part.cut);
        }
        let has = |kind| symbol.issues.iter().any(|issue| issue.kind == kind);
        if !has("gap") && !has("scale_change") {
            losses.blind = 0;
        }
        losses
    };
    let some = |losses: &SymbolLosses| losses.lost.all() + losses.blind + losses.cut > 0;
    symbols.iter().map(of).filter(some).collect()
}

/// Ends the days after the last one that is sealed for any symbol, and entered from.
fn entry_days(days: Range<Day>, symbols: &[SymbolDays], style: usize) -> Range<Day> {
    let sealed = symbols.iter().flat_map(|s| &s.blocks).filter(|block| block.styles[style].sealed);
    let end = sealed.map(|block| Day(block.day.0 + 2)).max().unwrap_or(days.start);
    days.start..end.min(days.end).max(days.start)
}

/// Draws insights from all trades of the best set.
fn learn_insights(
    book: &OutcomeTable,
    study: &Study,
    style: &StylePlan,
    input: &InputReport,
    standing: AdviceStanding,
) -> Insights {
    let best = study.top.first().map(|best| &best.set);
    let verdict = study.judgement.verdict.as_str();
    let found = InsightInput { trades: &[], importances: &study.importances, best, verdict, standing };
    let Some((rule, cell)) = best.and_then(|best| style.space.find(best)) else {
        return draw_insights(&found);
    };
    let levels = style.space.lattice().levels(cell);
    let taken = taken_signals(&book.window(study.days.clone()), Pick { rule, levels: Some(&levels) });
    let outcomes = book.under(rule);
    let context = |signal: &usize| {
        let entry = &book.entries()[*signal];
        TradeContext {
            symbol: &input.symbols[usize::from(entry.symbol)].name,
            direction: entry.direction,
            setup: entry.setup,
            net: outcomes.net(*signal),
        }
    };
    let trades: Vec<TradeContext<'_>> = taken.iter().map(context).collect();
    draw_insights(&InsightInput { trades: &trades, ..found })
}

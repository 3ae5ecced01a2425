//! Own parameters per symbol, where the evidence suffices.
//!
//! A symbol has its own parameters when the pooled set of the style survived the late days, a set with enough early
//! trades on the symbol scores better than the pooled one even when shrunk towards it, and that set *passes* on the
//! symbol's late days (the pooled set need only survive) and beats the pooled set there. Otherwise the symbol trades
//! the pooled set, with the reason.

use serde::{Deserialize, Serialize};

use super::book::{SymbolDays, book_of};
use super::plan::{Plan, StylePlan};
use super::study::{Measured, Measurer, Parts, Study};
use crate::decide::{Change, changes};
use crate::evaluate::book::Book;
use crate::evaluate::sweep::{Sweep, sweep};
use crate::model::{ParameterSet, Style};
use crate::search::own::{Scored, best_own, shrunk};
use crate::validate::verdict::{Evidence, Verdict, judge};

/// What a symbol trades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnSet {
    /// The symbol.
    pub symbol: String,
    /// Its own set with what it achieved on the symbol; `None` where the pooled set of the style is used.
    pub measured: Option<Measured>,
    /// Why.
    pub reason: String,
    /// What changes against the set of its own that was in force, if there was one.
    pub changes: Vec<Change>,
}

/// Returns where a symbol's own parameters of a style are kept.
pub fn scope_of(symbol: &str, style: Style) -> String {
    format!("symbol/{symbol}/{style}")
}

/// Finds the own sets of all symbols; nothing where the pooled set did not survive, whose symbols stay as they are.
///
/// Shape:     the style by its index in the plan; its book, symbols and their names in their order
/// Causality: chosen on early days, judged on late ones, like the pooled set
pub(super) fn own_sets(
    plan: &Plan,
    index: usize,
    book: &Book,
    symbols: &[SymbolDays],
    names: &[&str],
    study: &Study,
    in_force: &dyn Fn(&str) -> Option<ParameterSet>,
) -> Vec<OwnSet> {
    let style = &plan.styles[index];
    let survived = matches!(study.judgement.verdict, Verdict::Passed | Verdict::Warning);
    let (Some(settings), Some(best), true) = (plan.search.own, study.top.first(), survived) else {
        return Vec::new();
    };
    let Some(place) = style.space.find(&best.set) else { return Vec::new() };
    // Once more: holding the first one meanwhile would cost more memory than this costs time.
    let pooled = sweep(&Parts::new(book, study.days.clone(), study.split.as_ref()).early.window);
    let one = |(days, name): (&SymbolDays, &&str)| {
        let (measured, reason) = match own_set(plan, index, days, study, &pooled, place, settings) {
            Ok((measured, reason)) => (Some(measured), reason),
            Err(reason) => (None, reason),
        };
        let old = in_force(&scope_of(name, style.space.style()));
        let changes = own_changes(name, style, old.as_ref(), measured.as_ref().map(|m| &m.set));
        OwnSet { symbol: (*name).to_owned(), measured, reason, changes }
    };
    symbols.iter().zip(names).map(one).collect()
}

/// Settings of the search for own parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnSettings {
    /// Fewest early trades of a set on the symbol.
    pub trades_min: u32,
    /// Trades that the score on all symbols counts for.
    pub prior_trades: u32,
}

fn own_set(
    plan: &Plan,
    index: usize,
    days: &SymbolDays,
    study: &Study,
    pooled: &Sweep,
    (rule, cell): (usize, usize),
    settings: OwnSettings,
) -> Result<(Measured, String), String> {
    let style: &StylePlan = &plan.styles[index];
    let book = book_of(std::slice::from_ref(days), index, style);
    let parts = Parts::new(&book, study.days.clone(), study.split.as_ref());
    let measure = Measurer { style, plan };
    let own_sweep = sweep(&parts.early.window);
    let own_objective = measure.objective(&parts.early.window, settings.trades_min);
    let pooled_objective = measure.objective(&parts.early.window, plan.search.trades_min);
    let own = Scored { sweep: &own_sweep, objective: &own_objective };
    let whole = Scored { sweep: pooled, objective: &pooled_objective };
    let few = || format!("no set has {} early trades on the symbol", settings.trades_min);
    let best = best_own(own, whole, settings.prior_trades).ok_or_else(few)?;
    let pooled_point = own_sweep.point(rule, cell);
    let pooled_here = own_objective.rate(pooled_point).zip(pooled_objective.rate(pooled.point(rule, cell)));
    let pooled_score =
        pooled_here.map(|(own, all)| shrunk(own, pooled_point.trades, all, settings.prior_trades));
    if (best.rule, best.cell) == (rule, cell) || pooled_score.is_some_and(|score| best.score <= score) {
        return Err("the set of all symbols is the best for it as well".to_owned());
    }
    let (measured, early, late) = measure.set(best.rule, best.cell, &parts);
    let (pooled_measured, ..) = measure.set(rule, cell, &parts);
    let evidence =
        Evidence { early_trades_min: settings.trades_min, late_trades_min: plan.search.late_trades_min };
    let judgement = judge(&early.point, &late.point, pooled_measured.late.expectancy_pct.ok(), evidence);
    if judgement.verdict != Verdict::Passed {
        let reason = judgement.reasons.first().map_or("", String::as_str);
        return Err(format!("its own best set is {}: {reason}", judgement.verdict));
    }
    let beaten = pooled_measured.late_score.zip(measured.late_score).is_some_and(|(all, own)| own <= all);
    if beaten {
        return Err("the set of all symbols scores at least as well on its late part".to_owned());
    }
    Ok((measured, judgement.reasons.join("; ")))
}

fn own_changes(
    symbol: &str,
    style: &StylePlan,
    old: Option<&ParameterSet>,
    new: Option<&ParameterSet>,
) -> Vec<Change> {
    let scope = scope_of(symbol, style.space.style());
    let listed = match (old, new) {
        (None, None) => Vec::new(),
        (old, Some(new)) => changes(style.space.style(), old, new),
        (Some(old), None) => {
            let gone = changes(style.space.style(), None, old);
            gone.into_iter().map(|change| Change { old: change.new, new: None, ..change }).collect()
        }
    };
    listed.into_iter().map(|change| Change { scope: scope.clone(), ..change }).collect()
}

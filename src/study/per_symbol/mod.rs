//! Own parameters per symbol, where the evidence suffices.
//!
//! A symbol has a seventh of the trades and as many sets to be lucky with, so the score of a set on it is shrunk towards its score on all
//! symbols (`search/own.rs`), and what is chosen by that must be better than the set of the style on days that did not choose it:
//! by cross-fit and SWITCH (`folds`), or, where the verdict of the two parts decides or the score reads the order of trades, out of sample
//! (`parts`). Otherwise the symbol trades the pooled set, with the reason.

mod folds;
mod parts;

use serde::{Deserialize, Serialize};

use crate::decide::reason::OwnReason;
use crate::decide::{ParameterChange, list_changes, withdraw_changes};
use crate::engine::plan::{OwnSettings, Plan, StylePlan};
use crate::evaluate::outcome_table::OutcomeTable;
use crate::model::{ParameterSet, Style};
use crate::study::assembly::{SymbolDays, outcome_table_of};
use crate::study::cross_fit::Chooser;
use crate::study::{EvaluationContext, Measured, MeasuredParts, Measurer, Study};
use crate::validate::assessment::AdoptionGate;

/// What a symbol trades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnSet {
    /// The symbol.
    pub symbol: String,
    /// Its own set with what it achieved on the symbol; `None` where the pooled set of the style is used.
    pub measured: Option<Measured>,
    /// Why.
    pub reason: OwnReason,
    /// What changes against the set of its own that was active, if there was one.
    pub changes: Vec<ParameterChange>,
}

/// Returns where a symbol's own parameters of a style are kept.
pub fn scope_of(symbol: &str, style: Style) -> String {
    format!("symbol/{symbol}/{style}")
}

/// What own sets are found by, of one style.
pub(crate) struct OwnQuestion<'a> {
    pub(crate) plan: &'a Plan,
    /// Index of the style in the plan.
    pub(crate) index: usize,
    /// Outcomes of all symbols.
    pub(crate) book: &'a OutcomeTable,
    pub(crate) study: &'a Study,
    /// The greatest p-values at which something is adopted; `None` where the decision does not rest on them.
    pub(crate) gate: Option<AdoptionGate>,
    /// Returns the own parameters that are active, by their scope.
    pub(crate) in_force: &'a dyn Fn(&str) -> Option<ParameterSet>,
}

/// The set of all symbols, and what is asked of one that would take its place.
#[derive(Clone, Copy)]
struct PooledSet<'a> {
    plan: &'a Plan,
    style: &'a StylePlan,
    study: &'a Study,
    /// Its rule and cell.
    place: (usize, usize),
    settings: OwnSettings,
}

/// A set of a symbol's own, or why it has none.
type OwnResult = Result<(Measured, OwnReason), OwnReason>;

impl<'a> PooledSet<'a> {
    fn measurer(&self) -> Measurer<'a> {
        Measurer { style: self.style, plan: self.plan }
    }

    fn parts<'b>(&self, book: &'b OutcomeTable) -> MeasuredParts<'b> {
        MeasuredParts::new(book, self.study.days.clone(), self.study.split.as_ref())
    }
}

impl OwnQuestion<'_> {
    /// Finds the own sets of all symbols; nothing where the pooled set did not survive, whose symbols stay as they are.
    ///
    /// Shape:     symbols and their names in the order of the book
    /// Causality: no day of a fold, or out of sample, has a say in the choice that is measured on it
    pub(crate) fn own_sets(&self, symbols: &[SymbolDays], names: &[&str]) -> Vec<OwnSet> {
        let Self { plan, index, book, study, .. } = *self;
        let style = &plan.styles[index];
        // Where the evidence decides, it did so before.
        let survived = plan.search.chooses_on_all_days() || study.judgement.verdict.is_good();
        let (Some(settings), Some(best), true) = (plan.search.own, study.top.first(), survived) else {
            return Vec::new();
        };
        let Some(place) = style.space.find(&best.set) else { return Vec::new() };
        let pooled = PooledSet { plan, style, study, place, settings };
        let chooser = Chooser::new(EvaluationContext { style, book }, plan, study.days.clone());
        match self.gate.filter(|_| !chooser.reads_order()) {
            Some(gate) => {
                let by_folds = folds::OwnByFolds::new(pooled, chooser, gate, symbols.len());
                self.of_symbols(symbols, names, &|own, active| by_folds.own_set(own, active))
            }
            None => {
                let by_parts = parts::OwnByParts::new(pooled, book);
                self.of_symbols(symbols, names, &|own, _| by_parts.own_set(own))
            }
        }
    }

    /// Asks for each symbol, given its book and its own set that is active.
    fn of_symbols(
        &self,
        symbols: &[SymbolDays],
        names: &[&str],
        own_set: &dyn Fn(&OutcomeTable, Option<&ParameterSet>) -> OwnResult,
    ) -> Vec<OwnSet> {
        let style = &self.plan.styles[self.index];
        let one = |(days, name): (&SymbolDays, &&str)| {
            let own = outcome_table_of(std::slice::from_ref(days), self.index, style);
            let old = (self.in_force)(&scope_of(name, style.space.style()));
            let (measured, reason) = match own_set(&own, old.as_ref()) {
                Ok((measured, reason)) => (Some(measured), reason),
                Err(reason) => (None, reason),
            };
            let changes = own_changes(name, style, old.as_ref(), measured.as_ref().map(|m| &m.set));
            OwnSet { symbol: (*name).to_owned(), measured, reason, changes }
        };
        symbols.iter().zip(names).map(one).collect()
    }
}

fn own_changes(
    symbol: &str,
    style: &StylePlan,
    old: Option<&ParameterSet>,
    new: Option<&ParameterSet>,
) -> Vec<ParameterChange> {
    let scope = scope_of(symbol, style.space.style());
    let listed = match (old, new) {
        (None, None) => Vec::new(),
        (old, Some(new)) => list_changes(style.space.style(), old, new),
        (Some(old), None) => withdraw_changes(style.space.style(), &scope, old),
    };
    listed.into_iter().map(|change| ParameterChange { scope: scope.clone(), ..change }).collect()
}

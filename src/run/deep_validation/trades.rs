//! The trades of any parameter set of a stored run, from the units in the cache: no file is read.

use super::stored::symbol_days;
use super::{ScrutinyError, ScrutinyOptions};
use crate::engine::plan::Plan;
use crate::evaluate::portfolio::follow_signals;
use crate::evaluate::replay::{Pick, taken_signals};
use crate::model::{Day, Direction, Outcome, ParameterSet, Setup, Style};
use crate::search::space::weights_of;
use crate::store::records::RunRecord;
use crate::study::assembly::outcome_table_of;

/// A trade of a set, taken by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SetTrade {
    /// The symbol.
    pub symbol: String,
    /// Open time of the entry candle; UTC ms.
    pub entry_ms: i64,
    /// End of the candle in which it is closed; UTC ms.
    pub exit_ms: i64,
    /// Side.
    pub direction: Direction,
    /// Kind of entry.
    pub setup: Setup,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the portfolio simulation of the run takes it: other positions may be in its way.
    pub in_portfolio: bool,
}

/// Returns the trades of a set of a style of a run, or why they cannot be had.
///
/// Errors: the store cannot be read, or somebody writes it
pub fn trades_of_set(
    record: &RunRecord,
    plan: &Plan,
    style: Style,
    set: &ParameterSet,
    options: &ScrutinyOptions,
) -> Result<Result<Vec<SetTrade>, String>, ScrutinyError> {
    if plan.fingerprint().0 != record.plan_fingerprint {
        return Ok(Err("its configuration makes another plan today".to_owned()));
    }
    let Some(index) = plan.styles.iter().position(|planned| planned.space.style() == style) else {
        return Ok(Err(format!("it did not search {style}")));
    };
    let mut planned = plan.styles[index].clone();
    if planned.space.weights().is_some() {
        match weights_of(set, style) {
            Some(weights) => planned = planned.weighed(weights),
            None => return Ok(Err("the weights of its score cannot be read".to_owned())),
        }
    }
    let Some((rule, cell)) = planned.space.find(set) else {
        return Ok(Err("its space does not hold the set".to_owned()));
    };
    let symbols = match symbol_days(plan, record, options)? {
        Ok(symbols) => symbols,
        Err(reason) if reason.is_empty() => {
            return Ok(Err(
                "its units are no longer kept: `optimizer incremental` evaluates those of today".to_owned()
            ));
        }
        Err(reason) => return Ok(Err(reason)),
    };
    let book = outcome_table_of(&symbols, index, &planned);
    let levels = planned.space.lattice().levels(cell);
    let taken =
        taken_signals(&book.window(Day(i32::MIN)..Day(i32::MAX)), Pick { rule, levels: Some(&levels) });
    let bar_ms = plan.interval.ms();
    let course = follow_signals(&book, rule, &taken, &plan.portfolio, bar_ms);
    let outcomes = book.under(rule);
    let trade = |signal: &usize| {
        let (entry, outcome) = (&book.entries()[*signal], *outcomes.of(*signal));
        SetTrade {
            symbol: record.symbols[usize::from(entry.symbol)].clone(),
            entry_ms: entry.entry_ms,
            exit_ms: entry.entry_ms + i64::from(outcome.bars_held) * bar_ms,
            direction: entry.direction,
            setup: entry.setup,
            outcome,
            in_portfolio: course.trades.binary_search(signal).is_ok(),
        }
    };
    Ok(Ok(taken.iter().map(trade).collect()))
}

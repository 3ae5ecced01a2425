//! Every entry of a style on candles, with all that is known at it and what one exit rule makes of it: for a look at entries, not for
//! choosing among sets.

use super::units::UnitCandles;
use crate::engine::plan::Plan;
use crate::engine::unit::{SkipCounts, UnitSignal};
use crate::features::catalog::COLUMNS;
use crate::model::{Outcome, Symbol, Timeframes};
use crate::search::space::SIGNALS_PREFIX;

/// The entries of a style.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryList {
    /// Names of the values, as filters name them.
    pub columns: Vec<String>,
    /// Entries by symbol and time.
    pub entries: Vec<ListedEntry>,
    /// Entries whose outcome is not known yet.
    pub pending: u64,
    /// Entries that come to nothing, by reason.
    pub lost: SkipCounts,
}

/// An entry, with what was known at it and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedEntry {
    /// The symbol.
    pub symbol: Symbol,
    /// When and what.
    pub signal: UnitSignal,
    /// End of the candle in which it is closed; UTC ms.
    pub exit_ms: i64,
    /// One per column; NaN where not defined.
    pub values: Vec<f64>,
    /// Under the exit rule asked for.
    pub outcome: Outcome,
}

/// Returns the names of all columns that filters can read, on the timeframes of a plan and of given signals.
pub fn columns_on<'a>(plan: &Plan, given: impl Iterator<Item = &'a str>) -> Vec<String> {
    let timeframes = Timeframes::over(plan.interval);
    let features =
        COLUMNS.iter().filter(|column| column.is_on(timeframes)).map(|column| column.name.to_owned());
    features.chain(given.map(|name| format!("{SIGNALS_PREFIX}{name}"))).collect()
}

/// Lists the entries of the only style of a plan, whose units hold every column and one exit rule; see [`Plan::listing`].
///
/// Cost: that of evaluating every day under one exit rule; 8 bytes for each entry and column
pub fn list_entries(plan: &Plan, candles: &UnitCandles) -> EntryList {
    let style = &plan.styles[0];
    let mut list =
        EntryList { columns: Vec::new(), entries: Vec::new(), pending: 0, lost: SkipCounts::default() };
    for (symbol, units) in candles.evaluated(plan) {
        for unit in units {
            let (unit, columns) = (&unit.unit, &unit.context.columns);
            if list.columns.is_empty() {
                list.columns.clone_from(columns);
            }
            list.pending += u64::from(unit.pending);
            list.lost += unit.lost;
            for (index, signal) in unit.signals.iter().enumerate() {
                if !style.sides.allow(signal.direction) {
                    continue;
                }
                let outcome = *unit.outcomes.row(index).of(0);
                list.entries.push(ListedEntry {
                    symbol: symbol.clone(),
                    signal: *signal,
                    exit_ms: signal.entry_ms + i64::from(outcome.bars_held) * plan.interval.ms(),
                    values: unit.columns[index * columns.len()..(index + 1) * columns.len()].to_vec(),
                    outcome,
                });
            }
        }
    }
    list
}

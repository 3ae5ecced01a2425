//! Carries out what is to be evaluated of a symbol: whole units, or only the exit rules they lack.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::found::Found;
use super::plan::Plan;
use super::reuse::Reason;
use super::unit::{Context, Unit, evaluate};
use crate::exits::{ExitPlan, TradeCosts};
use crate::features::frame::Market;
use crate::model::{Day, ExitRule, GivenSignals, Interval};

/// Exit rules a cached unit holds at most; beyond it the oldest grid's rules are dropped.
const RULES_MAX: usize = 256;
/// A unit that has to be evaluated, wholly or for some rules.
pub(super) struct Todo {
    pub(super) day: Day,
    pub(super) style: usize,
    pub(super) reason: Reason,
    pub(super) partly: Option<(Unit, Arc<Context>)>,
}

/// A unit that was evaluated.
pub(super) struct Done {
    pub(super) day: Day,
    pub(super) style: usize,
    pub(super) unit: Unit,
    pub(super) context: Arc<Context>,
}

/// Evaluates days in parallel; the result is in order of days.
pub(super) fn evaluate_all(
    market: &Market<'_>,
    todo: &[Todo],
    given: Option<&GivenSignals>,
    plan: &Plan,
    costs: &TradeCosts,
) -> Vec<Done> {
    let full: Vec<Arc<Context>> = plan.styles.iter().map(|style| Arc::new(Context::of(style))).collect();
    let mut by_day: BTreeMap<Day, Vec<&Todo>> = BTreeMap::new();
    todo.iter().for_each(|todo| by_day.entry(todo.day).or_default().push(todo));
    let by_day: Vec<(Day, Vec<&Todo>)> = by_day.into_iter().collect();
    let evaluate_day = |(day, todos): &(Day, Vec<&Todo>)| {
        let whole = todos.iter().any(|todo| todo.partly.is_none());
        let found = if whole { Found::on(market, *day, given) } else { Found::nothing() };
        let one = |todo: &&Todo| {
            let style = &plan.styles[todo.style];
            let needs = &full[todo.style];
            let (unit, context) = match &todo.partly {
                None => (evaluate(market, *day, &found, style, plan, costs), needs.clone()),
                Some((unit, context)) => extend(market, unit, context, needs, plan.interval, costs),
            };
            Done { day: *day, style: todo.style, unit, context }
        };
        todos.iter().map(one).collect::<Vec<_>>()
    };
    by_day.par_iter().with_min_len(16).flat_map_iter(evaluate_day).collect()
}

/// Evaluates the rules that a unit lacks, and keeps those it has for grids to come.
pub(super) fn extend(
    market: &Market<'_>,
    unit: &Unit,
    context: &Arc<Context>,
    needs: &Context,
    interval: Interval,
    costs: &TradeCosts,
) -> (Unit, Arc<Context>) {
    let missing: Vec<ExitRule> =
        needs.rules.iter().filter(|rule| !context.rules.contains(rule)).copied().collect();
    let more = ExitPlan::new(missing.clone(), interval).expect("the plan's rules were checked");
    let unit = unit.with_rules(market, context, &more, costs);
    let rules: Vec<ExitRule> = context.rules.iter().copied().chain(missing).collect();
    let wide = Context { columns: context.columns.clone(), rules };
    if wide.rules.len() <= RULES_MAX {
        return (unit, Arc::new(wide));
    }
    let narrow = Context { columns: wide.columns.clone(), rules: needs.rules.clone() };
    (unit.narrowed(&wide, &narrow), Arc::new(narrow))
}

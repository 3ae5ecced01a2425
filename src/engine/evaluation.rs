//! Carries out what is to be evaluated of a symbol: whole units, or only the exit rules they lack.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::engine::entries::EntrySource;
use crate::engine::plan::Plan;
use crate::engine::reuse::{Reason, UnitKeys};
use crate::engine::unit::{Unit, evaluate_unit};
use crate::engine::unit_schema::UnitSchema;
use crate::exits::{ExitPlan, TradeCosts};
use crate::features::frame::MarketSeries;
use crate::model::{Day, ExitRule, GivenSignals, Interval};
use crate::store::UnitKey;

/// Exit rules a cached unit holds at most; beyond it the oldest grid's rules are dropped.
const RULES_MAX: usize = 256;
/// A unit that has to be evaluated, wholly or for some rules.
#[derive(Debug, Clone)]
pub(crate) struct WorkItem {
    pub(crate) day: Day,
    /// Place of its style in the plan.
    pub(crate) style: usize,
    /// The number under which its style's units are kept.
    pub(crate) ordinal: u8,
    /// What it depends on.
    pub(crate) keys: UnitKeys,
    pub(crate) reason: Reason,
    /// The context of the cached unit that lacks nothing but rules.
    pub(crate) partly: Option<Arc<UnitSchema>>,
}

impl WorkItem {
    /// Returns the key of its row among those of its symbol.
    pub(crate) fn row(&self) -> UnitKey {
        (self.ordinal, self.day.0)
    }
}

/// A unit that was evaluated.
#[derive(Debug)]
pub(crate) struct EvaluatedUnit {
    /// What was asked for.
    pub(crate) work: WorkItem,
    pub(crate) unit: Unit,
    pub(crate) context: Arc<UnitSchema>,
}

/// Evaluates days in parallel; the result is in order of days.
///
/// Units to which only rules are added come from `cached`; one that does not come is evaluated as a whole.
pub(crate) fn evaluate_all(
    market: &MarketSeries<'_>,
    todo: &[WorkItem],
    given: Option<&GivenSignals>,
    plan: &Plan,
    costs: &TradeCosts,
    cached: impl Fn(&WorkItem, &Arc<UnitSchema>) -> Option<Unit> + Sync,
) -> Vec<EvaluatedUnit> {
    let full: Vec<Arc<UnitSchema>> =
        plan.styles.iter().map(|style| Arc::new(UnitSchema::of(style))).collect();
    let mut by_day: BTreeMap<Day, Vec<&WorkItem>> = BTreeMap::new();
    todo.iter().for_each(|todo| by_day.entry(todo.day).or_default().push(todo));
    let by_day: Vec<(Day, Vec<&WorkItem>)> = by_day.into_iter().collect();
    let evaluate_day = |(day, todos): &(Day, Vec<&WorkItem>)| {
        let found = OnceCell::new();
        let one = |todo: &&WorkItem| {
            let style = &plan.styles[todo.style];
            let needs = &full[todo.style];
            // Of a signal's exit a unit knows nothing.
            let is_kept = |context: &&Arc<UnitSchema>| {
                needs.rules.iter().all(|rule| rule.exit_signal.is_none() || context.rules.contains(rule))
            };
            let partly = todo
                .partly
                .as_ref()
                .filter(is_kept)
                .and_then(|context| Some((cached(todo, context)?, context)));
            let (unit, context) = match &partly {
                Some((unit, context)) => extend_unit(market, unit, context, needs, plan.interval, costs),
                None => {
                    let found = found.get_or_init(|| EntrySource::on(market, *day, given));
                    (evaluate_unit(market, *day, found, style, plan, costs), needs.clone())
                }
            };
            EvaluatedUnit { work: (*todo).clone(), unit, context }
        };
        todos.iter().map(one).collect::<Vec<_>>()
    };
    by_day.par_iter().with_min_len(16).flat_map_iter(evaluate_day).collect()
}

/// Evaluates the rules that a unit lacks, and keeps those it has for grids to come.
pub(crate) fn extend_unit(
    market: &MarketSeries<'_>,
    unit: &Unit,
    context: &Arc<UnitSchema>,
    needs: &UnitSchema,
    interval: Interval,
    costs: &TradeCosts,
) -> (Unit, Arc<UnitSchema>) {
    let has = |rule: &&ExitRule| context.rules.contains(rule);
    let missing: Vec<ExitRule> = needs.rules.iter().filter(|rule| !has(rule)).copied().collect();
    let more = ExitPlan::new(missing.clone(), interval).expect("the plan's rules were checked");
    let (unit, known) = match context.rules.len() + missing.len() <= RULES_MAX {
        true => (Cow::Borrowed(unit), Cow::Borrowed(context.as_ref())),
        false => {
            let rules = needs.rules.iter().filter(has).copied().collect();
            let kept = UnitSchema { columns: context.columns.clone(), rules };
            (Cow::Owned(unit.narrowed(context, &kept)), Cow::Owned(kept))
        }
    };
    let unit = unit.with_rules(market, &known, &more, costs);
    let rules = known.rules.iter().copied().chain(missing).collect();
    (unit, Arc::new(UnitSchema { columns: known.columns.clone(), rules }))
}

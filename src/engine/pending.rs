//! Which units of a symbol hold and which have to be evaluated, and why: the first of three steps. The others are
//! [`evaluate_all`](super::evaluation::evaluate_all) and [`rows_of`](super::parcel::rows_of); a daily run takes them one after
//! the other, and a worker elsewhere may take the second (`run::units`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::day::{DayBlock, StyleDay};
use crate::engine::evaluation::WorkItem;
use crate::engine::plan::{Plan, StylePlan};
use crate::engine::projection::SchemaProjection;
use crate::engine::reuse::{
    DayPrints, Reason, ReuseDecision, UnitKeys, costs_fingerprint, decide_reuse, decode_context,
};
use crate::engine::unit_schema::UnitSchema;
use crate::fingerprint::{Fingerprint, of_signals};
use crate::model::{Day, GivenSignals, Style, Symbol};
use crate::store::{Cache, StoreError, UnitKey};

/// What is added to the number of a style where signals are given.
const GIVEN_UNITS: u8 = 0x80;

/// Returns the number under which a style's units are kept: units of given signals beside those of derived ones.
pub(crate) fn unit_ordinal(style: Style, is_given: bool) -> u8 {
    style.ordinal() | if is_given { GIVEN_UNITS } else { 0 }
}

/// A symbol under a plan: everything that its units depend on, of candles their fingerprints.
pub(crate) struct SymbolScope<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) symbol: &'a Symbol,
    /// The symbol's signals, where such are given.
    pub(crate) given: Option<&'a GivenSignals>,
    /// Its candles, as one that has stopped or not.
    pub(crate) prints: DayPrints,
    /// The first and last day that counts.
    pub(crate) days: (Day, Day),
}

impl SymbolScope<'_> {
    /// Returns the days with the keys of every style's units, of which nothing is known yet.
    pub(crate) fn work_plan(&self) -> WorkPlan {
        let Self { plan, symbol, given, prints, days: (from, last) } = self;
        let days: Vec<Day> = (from.0..=last.0).map(Day).collect();
        let candles: Vec<Fingerprint> = days.iter().map(|day| prints.candles(*day, plan)).collect();
        let signals = |day: Day| given.map(|given| of_signals(given, given.of_day(day, plan.interval)));
        let of_style = |style: &StylePlan| -> Vec<UnitKeys> {
            let costs = costs_fingerprint(&plan.costs, symbol, style);
            let keys = |(day, candles): (&Day, &Fingerprint)| UnitKeys {
                signals: signals(*day),
                ..prints.keys(*day, style, plan, *candles, costs)
            };
            days.iter().zip(&candles).map(keys).collect()
        };
        WorkPlan {
            keys: plan.styles.iter().map(of_style).collect(),
            ordinals: plan
                .styles
                .iter()
                .map(|style| unit_ordinal(style.space.style(), given.is_some()))
                .collect(),
            stopped: prints.is_stopped(),
            days,
            ..WorkPlan::default()
        }
    }
}

/// The units of a symbol: what is reused, what is to do.
#[derive(Default)]
pub(crate) struct WorkPlan {
    pub(crate) days: Vec<Day>,
    /// Per style and day: the unit's keys.
    pub(crate) keys: Vec<Vec<UnitKeys>>,
    /// Per style and day: what is reused, `None` where something is to do.
    pub(crate) parts: Vec<Vec<Option<StyleDay>>>,
    pub(crate) todo: Vec<WorkItem>,
    /// Rows that are no units.
    pub(crate) corrupt: Vec<UnitKey>,
    pub(crate) stopped: bool,
    /// Per style: the number under which its units are kept.
    ordinals: Vec<u8>,
}

impl WorkPlan {
    /// Returns the days of which something is to be evaluated, with the reason of the first style.
    pub(crate) fn reasons(&self) -> Vec<(Day, Reason)> {
        let mut reasons: BTreeMap<Day, Reason> = BTreeMap::new();
        for todo in &self.todo {
            reasons.entry(todo.day).or_insert_with(|| todo.reason.clone());
        }
        reasons.into_iter().collect()
    }

    /// Returns the place of a day, if the run covers it.
    pub(crate) fn place(&self, day: Day) -> Option<usize> {
        let place = usize::try_from(day.0 - self.days.first()?.0).ok()?;
        (place < self.days.len()).then_some(place)
    }

    /// Returns a unit that has to be evaluated, by its style and the place of its day.
    pub(crate) fn item(
        &self,
        style: usize,
        place: usize,
        reason: Reason,
        partly: Option<Arc<UnitSchema>>,
    ) -> WorkItem {
        let (day, keys, ordinal) = (self.days[place], self.keys[style][place], self.ordinals[style]);
        WorkItem { day, style, ordinal, keys, reason, partly }
    }

    /// Puts the parts of every day together; all of them are there.
    pub(crate) fn blocks(&mut self) -> Vec<DayBlock> {
        let parts = &mut self.parts;
        let mut block = |(place, day): (usize, &Day)| DayBlock {
            day: *day,
            styles: parts.iter_mut().map(|parts| parts[place].take().expect("reused or evaluated")).collect(),
        };
        self.days.iter().enumerate().map(&mut block).collect()
    }

    /// Returns every reused unit as (style, place of the day).
    pub(crate) fn reused(&self) -> Vec<(usize, usize)> {
        let places = |(style, parts): (usize, &Vec<Option<StyleDay>>)| {
            let some = parts.iter().enumerate().filter(|(_, part)| part.is_some());
            some.map(|(place, _)| (style, place)).collect::<Vec<_>>()
        };
        self.parts.iter().enumerate().flat_map(places).collect()
    }
}

/// Tells apart what can be reused of a cache and what has to be evaluated.
///
/// `absent` says why a unit is not there; `keep` takes what is reused of a day.
pub(crate) fn pending_units<E: From<StoreError>>(
    scope: &SymbolScope<'_>,
    cache: Option<&Cache>,
    absent: &dyn Fn(UnitKey) -> Reason,
    keep: &dyn Fn(StyleDay) -> Result<StyleDay, E>,
) -> Result<WorkPlan, E> {
    let mut sorted = scope.work_plan();
    let schemas = known_schemas(cache)?;
    for style in 0..scope.plan.styles.len() {
        let ordinal = sorted.ordinals[style];
        let treatments = match cache {
            Some(cache) => treatments(scope, &mut sorted, style, cache, &schemas, keep)?,
            None => vec![None; sorted.days.len()],
        };
        let mut parts = vec![None; sorted.days.len()];
        for (place, treatment) in treatments.into_iter().enumerate() {
            let work = match treatment {
                Some(ReuseDecision::Reuse(part)) => {
                    parts[place] = Some(part);
                    continue;
                }
                Some(ReuseDecision::Extend(schema, reason)) => {
                    sorted.item(style, place, reason, Some(schema))
                }
                Some(ReuseDecision::Evaluate(reason)) => sorted.item(style, place, reason, None),
                None => sorted.item(style, place, absent((ordinal, sorted.days[place].0)), None),
            };
            sorted.todo.push(work);
        }
        sorted.parts.push(parts);
    }
    Ok(sorted)
}

/// Returns what to do with each day of a style that is cached, in place.
fn treatments<E: From<StoreError>>(
    scope: &SymbolScope<'_>,
    sorted: &mut WorkPlan,
    index: usize,
    cache: &Cache,
    schemas: &BTreeMap<[u8; 32], Arc<UnitSchema>>,
    keep: &dyn Fn(StyleDay) -> Result<StyleDay, E>,
) -> Result<Vec<Option<ReuseDecision>>, E> {
    let (style, ordinal) = (&scope.plan.styles[index], sorted.ordinals[index]);
    let project = |(print, schema): (&[u8; 32], &Arc<UnitSchema>)| {
        (*print, SchemaProjection::new(schema.clone(), style))
    };
    let fits: BTreeMap<[u8; 32], SchemaProjection> = schemas.iter().map(project).collect();
    let mut treatments = vec![None; sorted.days.len()];
    let (mut corrupt, mut failed) = (Vec::new(), None);
    cache.for_each_unit(scope.symbol.as_str(), ordinal, |day, row| {
        let place = sorted.place(Day(day));
        let Some(row) = row else {
            corrupt.push((ordinal, day));
            place.inspect(|place| treatments[*place] = Some(ReuseDecision::Evaluate(Reason::Corrupt)));
            return;
        };
        let Some(place) = place else { return };
        let keys = &sorted.keys[index][place];
        let treatment = match decide_reuse(row, keys, style, |print| fits.get(&print.0)) {
            ReuseDecision::Reuse(part) => keep(part).map(ReuseDecision::Reuse),
            other => Ok(other),
        };
        match treatment {
            Ok(treatment) => treatments[place] = Some(treatment),
            Err(error) => failed = Some(error),
        }
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    sorted.corrupt.extend(corrupt);
    Ok(treatments)
}

/// Returns the schemas of cached units by their fingerprints.
pub(crate) fn known_schemas(
    cache: Option<&Cache>,
) -> Result<BTreeMap<[u8; 32], Arc<UnitSchema>>, StoreError> {
    let Some(cache) = cache else { return Ok(BTreeMap::new()) };
    let decoded = cache.contexts()?.into_iter().filter_map(|(print, row)| {
        let schema = decode_context(&row).filter(|schema| schema.fingerprint().0 == print)?;
        Some((print, Arc::new(schema)))
    });
    Ok(decoded.collect())
}

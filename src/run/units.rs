//! The seam for a worker elsewhere: which units a store lacks, evaluating them, putting them into the store.
//!
//! ```text
//! pending(plan, candles, store) -> PendingUnit ...       where the store is
//! evaluate(plan, candles, units) -> (key, bytes) ...      anywhere: the same configuration, the same candles
//! put(plan, store, (key, bytes) ...)                      where the store is
//! ```
//!
//! A daily run takes the same three steps (`engine::pending`, `engine::evaluation`, `engine::parcel`), so a run after it finds what was put as
//! if it had evaluated it. What is put may be late, twice or for nothing: a unit is reused only while all that it depends on is as it was.
//! A plan that is searched in stages asks for more rules in its last one, which depends on the first: the run evaluates those itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::RunError;
use super::error::SymbolError;
use super::incremental::read_given_signals;
use super::options::RunOptions;
use super::prior_state::day_prints;
use super::store_handle::StoreHandle;
use super::window::{first_day, within_window};
use crate::engine::day::StyleDay;
use crate::engine::evaluation::{EvaluatedUnit, WorkItem, evaluate_all};
use crate::engine::parcel::{decode_parcel, encode_parcel, full_hex, name_of, rows_of, unit_key};
use crate::engine::pending::{SymbolScope, WorkPlan, pending_units};
use crate::engine::plan::Plan;
use crate::engine::reuse::{DayPrints, Reason};
use crate::engine::unit_schema::UnitSchema;
use crate::features::frame::{MarketSeries, lookback_days};
use crate::fingerprint::Fingerprint;
use crate::ingest::load_symbol;
use crate::model::{CandleSeries, Day, Symbol};
use crate::run::given_signals::SignalsBySymbol;

pub use crate::engine::parcel::UnitError;

/// A unit that a store lacks, and what evaluating it needs besides the plan: candles of its symbol from one instant to another, and the
/// given signals of its day, where such are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingUnit {
    /// What it is asked for by: a fingerprint of whose it is and of all that it depends on and holds, as 64 digits.
    pub key: String,
    /// The symbol.
    pub symbol: String,
    /// The style, `scalping` or `swing`.
    pub style: String,
    /// The UTC day.
    pub day: String,
    /// Open time of the first candle that it reads; UTC ms.
    pub first_open_ms: i64,
    /// Open time of the candle after the last one that it reads; UTC ms.
    pub end_open_ms: i64,
    /// Whether the symbol has stopped, which the candles of all symbols say together.
    pub is_stopped: bool,
    /// Why it has to be evaluated.
    pub reason: String,
}

/// The candles of a run, and its given signals.
#[derive(Debug)]
pub struct UnitCandles {
    symbols: Vec<SymbolCandles>,
    given: Option<SignalsBySymbol>,
}

#[derive(Debug)]
struct SymbolCandles {
    symbol: Symbol,
    series: CandleSeries,
    prints: DayPrints,
    /// The first and last day that counts.
    days: (Day, Day),
    is_stopped: bool,
}

impl UnitCandles {
    /// Reads all candles that a run with these options would read, and holds them.
    ///
    /// Errors: those of a run that cannot read its files
    pub fn read(plan: &Plan, options: &RunOptions) -> Result<Self, RunError> {
        let given = read_given_signals(plan, options)?;
        let ingest = options.ingest(plan);
        let mut catalog = crate::ingest::discover(&options.data, &ingest)?;
        options.signals.iter().for_each(|file| catalog.leave_out(file));
        let mut symbols = Vec::new();
        for sources in &catalog.symbols {
            let series = load_symbol(sources, &ingest)?.series;
            let bars = within_window(series.bars(), &plan.days);
            let prints: Vec<(Day, Fingerprint)> =
                day_prints(bars).into_iter().map(|(day, print)| (Day(day), Fingerprint(print))).collect();
            let (Some((first, _)), Some((last, _))) = (prints.first(), prints.last()) else { continue };
            let last_open = bars.open_time[bars.len() - 1];
            symbols.push(SymbolCandles {
                symbol: sources.symbol.clone(),
                days: (first_day(&plan.days, *first, *last), *last),
                prints: DayPrints::new(&prints, last_open),
                is_stopped: false,
                series,
            });
        }
        let newest_open = symbols.iter().map(|symbol| symbol.prints.last_open()).max().unwrap_or(i64::MIN);
        for symbol in &mut symbols {
            symbol.is_stopped = plan.is_stopped(symbol.prints.last_open(), newest_open);
        }
        Ok(Self { symbols, given })
    }

    /// Returns every unit of the first style of a plan over these candles, evaluated, by symbol and in order of days.
    pub(crate) fn evaluated(&self, plan: &Plan) -> Vec<(&Symbol, Vec<EvaluatedUnit>)> {
        let of_symbol = |of: &'_ SymbolCandles| {
            let scope = self.scope(plan, of, of.is_stopped);
            let sorted = scope.work_plan();
            let todo: Vec<WorkItem> =
                (0..sorted.days.len()).map(|place| sorted.item(0, place, Reason::New, None)).collect();
            let market = MarketSeries::new(within_window(of.series.bars(), &plan.days)).ended(of.is_stopped);
            evaluate_all(&market, &todo, scope.given, plan, &plan.costs.of(&of.symbol), |_, _| None)
        };
        self.symbols.iter().map(|of| (&of.symbol, of_symbol(of))).collect()
    }

    fn scope<'a>(&'a self, plan: &'a Plan, of: &'a SymbolCandles, is_stopped: bool) -> SymbolScope<'a> {
        SymbolScope {
            plan,
            symbol: &of.symbol,
            given: self.given.as_ref().map(|given| given.of(&of.symbol)),
            prints: of.prints.clone().stopped(is_stopped),
            days: of.days,
        }
    }
}

/// The evaluated units of a store, held: no run writes to it meanwhile.
#[derive(Debug)]
pub struct UnitStore {
    handle: StoreHandle,
    now_ms: i64,
}

impl UnitStore {
    /// Opens what a run with these options would reuse; it is made where it is not there.
    ///
    /// Errors: no store is asked for, another process has it, or it cannot be written
    pub fn open(options: &RunOptions) -> Result<Self, RunError> {
        let location =
            options.store.clone().filter(|_| options.cache_bytes > 0).ok_or(RunError::NoUnitStore)?;
        let handle = StoreHandle::open(location, options.cache_bytes, options.now_ms)?;
        handle.begin()?.ok_or(RunError::NoUnitStore)?;
        Ok(Self { handle, now_ms: options.now_ms })
    }
}

/// Returns the units that a store lacks of a plan over candles.
///
/// Errors: a store that cannot be read
pub fn pending(plan: &Plan, candles: &UnitCandles, store: &UnitStore) -> Result<Vec<PendingUnit>, RunError> {
    let mut found = Vec::new();
    for of in &candles.symbols {
        let scope = candles.scope(plan, of, of.is_stopped);
        let keep = |part: StyleDay| -> Result<StyleDay, SymbolError> { Ok(part) };
        let sorted = pending_units(&scope, store.handle.cache(), &|_| Reason::New, &keep)?;
        found.extend(sorted.todo.iter().map(|work| pending_unit(&scope, work, of.is_stopped)));
    }
    Ok(found)
}

fn pending_unit(scope: &SymbolScope<'_>, work: &WorkItem, is_stopped: bool) -> PendingUnit {
    let (plan, style) = (scope.plan, &scope.plan.styles[work.style]);
    PendingUnit {
        key: full_hex(unit_key(scope.symbol, work, &UnitSchema::of(style))),
        symbol: scope.symbol.to_string(),
        style: style.space.style().to_string(),
        day: work.day.to_string(),
        first_open_ms: Day(work.day.0 - lookback_days(plan.interval)).start_ms(),
        end_open_ms: Day(work.day.0 + style.horizon_days(plan.interval)).end_ms(),
        is_stopped,
        reason: work.reason.kind().to_owned(),
    }
}

/// Evaluates units from candles, each as a whole; returns each with its key, as bytes that [`put`] takes.
///
/// Errors: candles, signals or a plan by which a unit has another key than the one asked for; nothing is returned then
pub fn evaluate(
    plan: &Plan,
    candles: &UnitCandles,
    units: &[PendingUnit],
) -> Result<Vec<(String, Vec<u8>)>, UnitError> {
    let mut by_symbol: BTreeMap<(&str, bool), Vec<&PendingUnit>> = BTreeMap::new();
    for unit in units {
        by_symbol.entry((&unit.symbol, unit.is_stopped)).or_default().push(unit);
    }
    let mut done = Vec::new();
    for ((symbol, is_stopped), units) in by_symbol {
        let Some(of) = candles.symbols.iter().find(|known| known.symbol.as_str() == symbol) else {
            return Err(UnitError::NoCandles { unit: asked_name(units[0]) });
        };
        let scope = candles.scope(plan, of, is_stopped);
        let sorted = scope.work_plan();
        let todo = units.iter().map(|unit| work_of(&scope, &sorted, unit)).collect::<Result<Vec<_>, _>>()?;
        let market = MarketSeries::new(within_window(of.series.bars(), &plan.days)).ended(is_stopped);
        let costs = plan.costs.of(&of.symbol);
        let evaluated = evaluate_all(&market, &todo, scope.given, plan, &costs, |_, _| None);
        done.extend(evaluated.iter().map(|unit| {
            let key = unit_key(&of.symbol, &unit.work, &unit.context);
            (full_hex(key), encode_parcel(&of.symbol, unit))
        }));
    }
    Ok(done)
}

fn asked_name(unit: &PendingUnit) -> String {
    format!("{} {} {}", unit.symbol, unit.day, unit.style)
}

/// Returns the work of a unit that was asked for.
///
/// Errors: a style or day that the plan over these candles does not have; another key
fn work_of(scope: &SymbolScope<'_>, sorted: &WorkPlan, unit: &PendingUnit) -> Result<WorkItem, UnitError> {
    let style = scope.plan.styles.iter().position(|style| style.space.style().as_str() == unit.style);
    let style = style.ok_or_else(|| UnitError::Plan { unit: asked_name(unit), what: "styles" })?;
    let place = Day::parse(&unit.day).and_then(|day| sorted.place(day));
    let place = place.ok_or_else(|| UnitError::NoCandles { unit: asked_name(unit) })?;
    let work = sorted.item(style, place, Reason::New, None);
    let style = &scope.plan.styles[style];
    let found = full_hex(unit_key(scope.symbol, &work, &UnitSchema::of(style)));
    match found == unit.key {
        true => Ok(work),
        false => {
            let unit_name = name_of(scope.symbol, work.day, Some(style.space.style()));
            Err(UnitError::Key { unit: unit_name, expected: unit.key.clone(), found })
        }
    }
}

/// Puts units into a store, each held to the key it was asked for by and to the plan; returns how many there are. All of them or none.
///
/// Errors: bytes that are no unit, changed on their way, of other stages, of another plan or of another key; a store that cannot be written
pub fn put(plan: &Plan, store: &UnitStore, units: &[(String, Vec<u8>)]) -> Result<usize, UnitError> {
    let mut by_symbol: BTreeMap<Symbol, Vec<_>> = BTreeMap::new();
    for (key, bytes) in units {
        let (symbol, unit) = decode_parcel(plan, key, bytes)?;
        by_symbol.entry(symbol).or_default().push(unit);
    }
    let Some(cache) = store.handle.cache() else { return Ok(0) };
    for (symbol, done) in &by_symbol {
        cache.put(symbol.as_str(), &rows_of(done), store.now_ms)?;
    }
    Ok(units.len())
}

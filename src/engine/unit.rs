//! The unit of work: one style of one symbol on one UTC day. A pure function of candles, given signals and plan, kept in a form that
//! outlives changes of the grid: every candidate with its feature values and the outcome of every exit rule, whether
//! the present levels let it pass or not.

use crate::engine::entries::{EntryPoint, EntrySource};
use crate::engine::plan::{Plan, StylePlan};
use crate::engine::unit_schema::UnitSchema;
use crate::exits::{ExitPass, ExitPlan, Position, TradeCosts};
use crate::features::catalog::{FeatureColumn, FeatureView, SCORE_EVIDENCE, SIGNAL_SCORE, column};
use crate::features::frame::MarketSeries;
use crate::model::{Break, Day, Direction, Outcomes, Setup};
use crate::search::space::FilterSource;
use crate::signals::opportunities::{Hindsight, Opportunity, opportunities_of_day};

/// A candidate of a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitSignal {
    /// Open time of the entry candle; UTC ms.
    pub entry_ms: i64,
    /// Side.
    pub direction: Direction,
    /// Kind of entry.
    pub setup: Setup,
    /// ATR(14) at the signal candle, or what was given for it; price units.
    pub atr: f64,
}

/// Candidates of sealed days that are not evaluated, by reason. What is merely closed early, at a gap, counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SkipCounts {
    /// The candle of the entry is missing.
    pub no_entry: u32,
    /// Too few candles are known before the signal to measure ATR by, or they do not move.
    pub no_atr: u32,
    /// A new scale of the price begins between the signal and the end of its longest holding time.
    pub rescaled: u32,
}

impl SkipCounts {
    /// Returns the reasons with their names and counts.
    pub fn reasons(&self) -> [(&'static str, u32); 3] {
        let Self { no_entry, no_atr, rescaled } = *self;
        [("no_entry", no_entry), ("no_atr", no_atr), ("rescaled", rescaled)]
    }

    /// Returns all of them.
    pub fn all(&self) -> u64 {
        self.reasons().into_iter().map(|(_, count)| u64::from(count)).sum()
    }
}

impl std::ops::AddAssign for SkipCounts {
    fn add_assign(&mut self, other: Self) {
        self.no_entry += other.no_entry;
        self.no_atr += other.no_atr;
        self.rescaled += other.rescaled;
    }
}

/// What is known about one style of a symbol-day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unit {
    /// Whether every label of the day is complete. An unsealed unit holds no signals.
    pub sealed: bool,
    /// Candidates that wait for candles.
    pub pending: u32,
    /// Candidates that come to nothing, by reason.
    pub lost: SkipCounts,
    /// Candles of the day at which nothing could be looked for; 0 where signals are given.
    pub blind: u32,
    /// Candidates, in time order.
    pub signals: Vec<UnitSignal>,
    /// Values, one row per signal in the order of the context's columns; NaN where not defined.
    pub columns: Vec<f64>,
    /// Outcomes, one row per signal in the order of the context's rules.
    pub outcomes: Outcomes,
    /// What an oracle would have taken.
    pub opportunities: Hindsight<Vec<Opportunity>>,
}

/// Evaluates a unit from candles and the entries of its day.
///
/// Causality: signals read candles of [day - look-back, day]; outcomes and opportunities read on to the horizon, and
///            only when all of it is there: the day is sealed
///
/// Panics when a dimension reads a column that given signals do not have: their file is checked before
pub fn evaluate_unit(
    market: &MarketSeries<'_>,
    day: Day,
    found: &EntrySource<'_>,
    style: &StylePlan,
    plan: &Plan,
    costs: &TradeCosts,
) -> Unit {
    let own = found.of_style(market, style.space.style());
    let outcomes = Outcomes::new(style.exits.rules().len());
    let sealed = is_sealed(market, day, style);
    let mut unit = Unit { sealed, blind: found.blind(), outcomes, ..Unit::default() };
    if !unit.sealed {
        unit.pending = own.len() as u32;
        return unit;
    }
    let columns: Vec<ColumnSource> =
        UnitSchema::of(style).columns.iter().map(|name| ColumnSource::of(name, found)).collect();
    let mut pass = style.exits.pass();
    for lead in &own {
        add_signal(&mut unit, market, lead, style, &mut pass, costs, &columns);
    }
    unit.opportunities = opportunities_of_day(&market.frame(day, 0), &style.opportunity, &plan.costs);
    unit
}

/// Where a column's values come from.
enum ColumnSource {
    Feature(&'static FeatureColumn),
    /// Place among the values of given signals.
    Given(usize),
}

impl ColumnSource {
    fn of(name: &str, found: &EntrySource<'_>) -> Self {
        if name == SCORE_EVIDENCE.name {
            return Self::Feature(&SCORE_EVIDENCE);
        }
        match FilterSource::named(name).expect("the space names known columns") {
            FilterSource::Feature(column) => Self::Feature(column),
            source @ FilterSource::Signals(_) => {
                let place = source.signals_column().and_then(|own| found.column(own));
                Self::Given(place.expect("the signals were checked for the columns of the plan"))
            }
        }
    }

    /// Returns the value for an entry, NaN where it has none.
    fn value(&self, lead: &EntryPoint<'_>, view: Option<&FeatureView<'_>>) -> f64 {
        match self {
            Self::Feature(column) => view.and_then(|view| column.value(view)).unwrap_or(f64::NAN),
            Self::Given(place) => lead.values[*place],
        }
    }
}

/// Returns whether candles reach the end of the longest label that can start on a day, or never will.
pub fn is_sealed(market: &MarketSeries<'_>, day: Day, style: &StylePlan) -> bool {
    let last = market.bars.open_time.last().copied();
    last.is_some_and(|last| market.stopped || last >= sealing_candle(day, style, market.bars.interval.ms()))
}

/// Returns the open time of the candle that seals a day.
pub fn sealing_candle(day: Day, style: &StylePlan, step_ms: i64) -> i64 {
    day.end_ms() + (style.exits.hold_bars_max() as i64 - 1) * step_ms
}

fn add_signal(
    unit: &mut Unit,
    market: &MarketSeries<'_>,
    lead: &EntryPoint<'_>,
    style: &StylePlan,
    pass: &mut ExitPass<'_>,
    costs: &TradeCosts,
    columns: &[ColumnSource],
) {
    let Some(entry) = lead.entry else {
        unit.lost.no_entry += 1;
        return;
    };
    let Some(atr) = lead.atr else {
        unit.lost.no_atr += 1;
        return;
    };
    let run = market.run(entry);
    // Whatever becomes of it: dropping only those that are still open by then would choose by their outcome.
    let crosses = run.end == Some(Break::Scale) && run.at + style.exits.hold_bars_max() > run.bars.len();
    if lead.rescaled || crosses {
        unit.lost.rescaled += 1;
        return;
    }
    let direction = lead.direction;
    let view = lead.row.map(|row| FeatureView { row, direction, style: style.space.style() });
    unit.columns.extend(columns.iter().map(|column| column.value(lead, view.as_ref())));
    let signal = UnitSignal { entry_ms: market.bars.open_time[entry], direction, setup: lead.setup, atr };
    let score = column(SIGNAL_SCORE).filter(|_| style.exits.reads_score());
    let score = score.zip(view).and_then(|(column, view)| column.value(&view));
    let position = Position { bars: run.bars, entry: run.at, direction, atr, score, exit_at: lead.exit_at };
    pass.outcomes(&position, costs, &mut unit.outcomes);
    unit.signals.push(signal);
}

impl Unit {
    /// Adds the outcomes of further exit rules; the columns they depend on are there.
    ///
    /// Returns the unit in the extended context.
    pub fn with_rules(
        &self,
        market: &MarketSeries<'_>,
        context: &UnitSchema,
        more: &ExitPlan,
        costs: &TradeCosts,
    ) -> Self {
        assert!(!more.reads_exit_signal(), "what rules read besides is in the unit");
        let (mut joined, mut added) =
            (Outcomes::new(context.rules.len() + more.rules().len()), Outcomes::new(more.rules().len()));
        let mut pass = more.pass();
        let score_at = context.columns.iter().position(|name| name == SIGNAL_SCORE);
        for (index, signal) in self.signals.iter().enumerate() {
            let score = score_at.map(|at| self.columns[index * context.columns.len() + at]);
            let run = market.run(market.bars.index_at(signal.entry_ms));
            let position = Position {
                bars: run.bars,
                entry: run.at,
                direction: signal.direction,
                atr: signal.atr,
                score: score.filter(|score| !score.is_nan()),
                // A unit does not keep it: rules that read it are not added, but evaluated with all others.
                exit_at: None,
            };
            added.clear();
            pass.outcomes(&position, costs, &mut added);
            joined.push_joined(self.outcomes.row(index), added.row(0));
        }
        Self { outcomes: joined, ..self.clone() }
    }

    /// Returns the unit with only the columns and rules of a context that is part of its own.
    pub fn narrowed(&self, wide: &UnitSchema, narrow: &UnitSchema) -> Self {
        let columns = places_among(&wide.columns, &narrow.columns);
        let rules = places_among(&wide.rules, &narrow.rules);
        let mut outcomes = Outcomes::new(rules.len());
        self.outcomes.rows().for_each(|row| outcomes.push_picked(row, &rules));
        Self { columns: pick_columns(&self.columns, wide.columns.len(), &columns), outcomes, ..self.clone() }
    }
}

/// Returns where each of some items stands among all.
fn places_among<T: PartialEq>(all: &[T], some: &[T]) -> Vec<usize> {
    let place = |item| all.iter().position(|known| known == item);
    some.iter().map(|item| place(item).expect("the narrow context is part of the wide one")).collect()
}

/// Picks some places of every row.
fn pick_columns<T: Copy>(rows: &[T], width: usize, places: &[usize]) -> Vec<T> {
    rows.chunks_exact(width.max(1)).flat_map(|row| places.iter().map(|place| row[*place])).collect()
}

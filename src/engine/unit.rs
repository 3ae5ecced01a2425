//! The unit of work: one style of one symbol on one UTC day. A pure function of candles, given signals and plan, kept in a form that
//! outlives changes of the grid: every candidate with its feature values and the outcome of every exit rule, whether
//! the present levels let it pass or not.

use std::sync::Arc;

use crate::engine::day::{DaySignal, StyleDay};
use crate::engine::entries::{EntryPoint, EntrySource};
use crate::engine::plan::{Plan, StylePlan};
use crate::exits::{ExitPass, ExitPlan, Position, TradeCosts};
use crate::features::catalog::{FeatureColumn, FeatureView, SCORE_EVIDENCE, SIGNAL_SCORE, column};
use crate::features::frame::MarketSeries;
use crate::features::score::ScoreEvidence;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::{
    Break, Day, Direction, ExitReason, ExitRule, Outcome, OutcomeRow, Outcomes, ReturnPpm, Setup,
};
use crate::search::space::FilterSource;
use crate::signals::opportunities::{Hindsight, Opportunity, opportunities_of_day};

/// Which values and exit rules a unit holds, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSchema {
    /// Names of feature columns, and of columns of given signals.
    pub columns: Vec<String>,
    /// Exit rules.
    pub rules: Vec<ExitRule>,
}

impl UnitSchema {
    /// Returns the context a style's plan needs.
    pub fn of(style: &StylePlan) -> Self {
        let mut columns: Vec<String> = columns_of(style).map(str::to_owned).collect();
        columns.sort();
        columns.dedup();
        Self { columns, rules: style.space.rules().to_vec() }
    }

    /// Returns the fingerprint of columns and rules.
    pub fn fingerprint(&self) -> Fingerprint {
        let Self { columns, rules } = self;
        let hash = Canonical::new("retune context v1").count(columns.len() as u64);
        let hash = columns.iter().fold(hash, |hash, column| hash.text(column)).count(rules.len() as u64);
        rules.iter().fold(hash, |hash, rule| hash.floats(&rule.numbers())).finish()
    }
}

/// Returns the columns that the dimensions, exit rules and score weights of a style read.
fn columns_of(style: &StylePlan) -> impl Iterator<Item = &str> {
    let score = style.exits.reads_score().then_some(SIGNAL_SCORE);
    let evidence = style.space.weights().map(|_| SCORE_EVIDENCE.name);
    let dimensions = style.space.dimensions().iter().map(|dimension| dimension.source().name());
    dimensions.chain(score).chain(evidence)
}

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
    let position = Position { bars: run.bars, entry: run.at, direction, atr, score };
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

    /// Returns what a book needs of the unit under its own plan.
    pub fn style_day(&self, context: &UnitSchema, style: &StylePlan) -> StyleDay {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        let fit = SchemaProjection::new(Arc::new(context.clone()), style);
        fit.style_day(&bytes, style).expect("a unit holds what its own plan needs")
    }
}

/// How a context serves a style's plan.
#[derive(Debug, Clone)]
pub struct SchemaProjection {
    /// The context.
    pub context: Arc<UnitSchema>,
    /// Where the column of each dimension stands in the context; `None` where one is missing.
    columns: Option<Vec<usize>>,
    /// Where each rule of the space stands in the context; `None` where one is missing.
    rules: Option<Vec<usize>>,
    missing_rules: usize,
    /// Where the evidence of the score stands, if there is any.
    evidence: Option<usize>,
    missing_columns: Vec<String>,
}

impl SchemaProjection {
    /// Looks up a plan's columns and rules in a context.
    pub fn new(context: Arc<UnitSchema>, style: &StylePlan) -> Self {
        let column = |name: &str| context.columns.iter().position(|known| known == name);
        let columns = style.space.dimensions().iter().map(|d| column(d.source().name())).collect();
        let rule = |rule| context.rules.iter().position(|known| known == rule);
        let rules: Vec<Option<usize>> = style.space.rules().iter().map(rule).collect();
        let missing_rules = rules.iter().filter(|place| place.is_none()).count();
        let rules = rules.into_iter().collect();
        let missing = columns_of(style).filter(|name| column(name).is_none());
        let missing_columns = missing.map(str::to_owned).collect();
        let evidence = style.space.weights().and_then(|_| column(SCORE_EVIDENCE.name));
        Self { context, columns, rules, missing_rules, evidence, missing_columns }
    }

    /// Returns the columns of the plan that the context lacks.
    pub fn missing_columns(&self) -> &[String] {
        &self.missing_columns
    }

    /// Returns how many rules of the plan the context lacks.
    pub fn missing_rules(&self) -> usize {
        self.missing_rules
    }

    /// Reads what a book needs from an encoded unit: coordinates of the signals that pass, and their outcomes only.
    ///
    /// Returns `None` when the bytes are no unit of the context, or the context lacks something.
    pub fn style_day(&self, bytes: &[u8], style: &StylePlan) -> Option<StyleDay> {
        let (columns, rules) = (self.columns.as_deref()?, self.rules.as_deref()?);
        let layout = UnitLayout::of(bytes, &self.context)?;
        let mut day = StyleDay {
            sealed: layout.sealed,
            pending: layout.pending,
            lost: layout.lost,
            blind: layout.blind,
            ..StyleDay::default()
        };
        let (mut signals, mut outcomes) = (UnitReader(layout.signals), UnitReader(layout.outcomes));
        let column_row = 8 * self.context.columns.len();
        let mut picked = Outcomes::new(rules.len());
        let mut row = Outcomes::new(self.context.rules.len());
        for index in 0..layout.count {
            let signal = signals.signal()?;
            let values = &layout.columns[index * column_row..(index + 1) * column_row];
            let coordinates = lattice_coordinates(values, columns, style);
            let evidence = match self.evidence {
                Some(place) => score_evidence(&values[8 * place..], style)?,
                None => None,
            };
            let coordinates = coordinates.filter(|_| self.evidence.is_none() || evidence.is_some());
            day.signals.push(DaySignal {
                entry_ms: signal.entry_ms,
                direction: signal.direction,
                setup: signal.setup,
                in_lattice: coordinates.is_some(),
            });
            let Some(coordinates) = coordinates else {
                outcomes.row_bytes(self.context.rules.len())?;
                continue;
            };
            day.coordinates.extend(coordinates);
            day.evidence.extend(evidence);
            row.clear();
            outcomes.row(&mut row)?;
            picked.push_picked(row.row(0), rules);
        }
        let cut = |row: &OutcomeRow<'_>| row.ends.iter().any(|end| end.reason == ExitReason::DataEnd);
        day.cut = picked.rows().filter(cut).count() as u32;
        day.opportunities = layout.opportunities()?;
        day.outcomes = picked.into();
        Some(day)
    }
}

/// Returns a signal's evidence of the score, where it has a feature row; `None` when the bytes are no evidence.
fn score_evidence(value: &[u8], style: &StylePlan) -> Option<Option<ScoreEvidence>> {
    let number = UnitReader(value).float()?;
    match number.is_nan() {
        true => Some(None),
        false => ScoreEvidence::from_number(number, style.space.style()).map(Some),
    }
}

/// Returns a signal's coordinates from its row of columns; that of a score whose weights are not known yet is 0.
fn lattice_coordinates(values: &[u8], columns: &[usize], style: &StylePlan) -> Option<Vec<u8>> {
    let dimensions = style.space.dimensions().iter().zip(columns);
    dimensions
        .map(|(dimension, column)| {
            if style.space.weights().is_some() && dimension.reads_score() {
                return Some(0);
            }
            let value = UnitReader(&values[8 * column..]).float()?;
            dimension.coordinate(Some(value).filter(|v| !v.is_nan()))
        })
        .collect()
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

/// Bytes of an encoded signal besides its columns and outcomes.
const SIGNAL_BYTES: usize = 18;
/// Bytes of an encoded end of a row of outcomes.
const END_BYTES: usize = 16;
/// Bytes of an encoded opportunity.
const OPPORTUNITY_BYTES: usize = 25;

impl Unit {
    /// Appends the unit as bytes: little endian, fixed widths, no lengths that could lie about memory.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let Self { sealed, pending, lost, blind, signals, columns, outcomes, opportunities } = self;
        let opportunities = opportunities.for_capture();
        bytes.push(u8::from(*sealed));
        let lost = lost.reasons().map(|(_, count)| count);
        let sizes = [signals.len() as u32, opportunities.len() as u32];
        for count in [*pending, *blind].into_iter().chain(lost).chain(sizes) {
            bytes.extend(count.to_le_bytes());
        }
        for UnitSignal { entry_ms, direction, setup, atr } in signals {
            bytes.extend(entry_ms.to_le_bytes());
            bytes.push(*direction as u8);
            bytes.push(*setup as u8);
            bytes.extend(atr.to_bits().to_le_bytes());
        }
        for value in columns {
            bytes.extend(value.to_bits().to_le_bytes());
        }
        outcomes.rows().for_each(|row| encode_row(row, bytes));
        for Opportunity { direction, start_ms, peak_ms, reward } in opportunities {
            bytes.push(*direction as u8);
            bytes.extend(start_ms.to_le_bytes());
            bytes.extend(peak_ms.to_le_bytes());
            bytes.extend(reward.to_bits().to_le_bytes());
        }
    }

    /// Returns whether bytes have the lengths of a unit of a context.
    pub fn is_one(bytes: &[u8], context: &UnitSchema) -> bool {
        UnitLayout::of(bytes, context).is_some()
    }

    /// Reads a unit of a context, or `None` when the bytes are not exactly one.
    pub fn decode(bytes: &[u8], context: &UnitSchema) -> Option<Self> {
        let layout = UnitLayout::of(bytes, context)?;
        let (mut signals, mut columns) = (UnitReader(layout.signals), UnitReader(layout.columns));
        let mut rows = UnitReader(layout.outcomes);
        let mut outcomes = Outcomes::new(context.rules.len());
        (0..layout.count).try_for_each(|_| rows.row(&mut outcomes))?;
        let values = layout.count * context.columns.len();
        Some(Self {
            sealed: layout.sealed,
            pending: layout.pending,
            lost: layout.lost,
            blind: layout.blind,
            signals: (0..layout.count).map(|_| signals.signal()).collect::<Option<_>>()?,
            columns: (0..values).map(|_| columns.float()).collect::<Option<_>>()?,
            outcomes,
            opportunities: layout.opportunities()?,
        })
    }
}

/// Appends a row of outcomes as bytes.
pub(crate) fn encode_row(row: OutcomeRow<'_>, bytes: &mut Vec<u8>) {
    let OutcomeRow { ends, choices } = row;
    bytes.extend((ends.len() as u16).to_le_bytes());
    for Outcome { net, best_case, gross, bars_held, reason, ambiguous } in ends {
        for ppm in [net, best_case, gross] {
            bytes.extend(ppm.0.to_le_bytes());
        }
        bytes.extend(bars_held.to_le_bytes());
        bytes.push(*reason as u8);
        bytes.push(u8::from(*ambiguous));
    }
    bytes.extend(choices.iter().flat_map(|choice| choice.to_le_bytes()));
}

/// Reads rows of outcomes under so many rules, or `None` when the bytes are not exactly such rows.
pub(crate) fn decode_rows(bytes: &[u8], rows: usize, rules: usize) -> Option<Outcomes> {
    let (mut reader, mut outcomes) = (UnitReader(bytes), Outcomes::new(rules));
    (0..rows).try_for_each(|_| reader.row(&mut outcomes))?;
    reader.0.is_empty().then_some(outcomes)
}

/// The parts of an encoded unit; their lengths agree with its counts.
struct UnitLayout<'a> {
    sealed: bool,
    pending: u32,
    lost: SkipCounts,
    blind: u32,
    count: usize,
    signals: &'a [u8],
    columns: &'a [u8],
    outcomes: &'a [u8],
    chances: &'a [u8],
}

impl<'a> UnitLayout<'a> {
    fn of(bytes: &'a [u8], context: &UnitSchema) -> Option<Self> {
        let mut read = UnitReader(bytes);
        let sealed = read.flag()?;
        let (pending, blind) = (read.u32()?, read.u32()?);
        let lost = SkipCounts { no_entry: read.u32()?, no_atr: read.u32()?, rescaled: read.u32()? };
        let (count, chances) = (read.u32()? as usize, read.u32()? as usize);
        let (signals, rest) = read.0.split_at_checked(count.checked_mul(SIGNAL_BYTES)?)?;
        let (columns, rest) = rest.split_at_checked(count.checked_mul(8 * context.columns.len())?)?;
        let mut rows = UnitReader(rest);
        (0..count).try_for_each(|_| rows.row_bytes(context.rules.len()).map(|_| ()))?;
        let (outcomes, rest) = rest.split_at(rest.len() - rows.0.len());
        let whole = rest.len() == chances.checked_mul(OPPORTUNITY_BYTES)?;
        let parts = Self { sealed, pending, lost, blind, count, signals, columns, outcomes, chances: rest };
        whole.then_some(parts)
    }

    fn opportunities(&self) -> Option<Hindsight<Vec<Opportunity>>> {
        let mut read = UnitReader(self.chances);
        let count = self.chances.len() / OPPORTUNITY_BYTES;
        (0..count).map(|_| read.opportunity()).collect::<Option<_>>().map(Hindsight::new)
    }
}

struct UnitReader<'a>(&'a [u8]);

impl UnitReader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn float(&mut self) -> Option<f64> {
        self.take().map(|bytes| f64::from_bits(u64::from_le_bytes(bytes)))
    }

    fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn direction(&mut self) -> Option<Direction> {
        match self.u8()? {
            0 => Some(Direction::Long),
            1 => Some(Direction::Short),
            _ => None,
        }
    }

    fn setup(&mut self) -> Option<Setup> {
        const SETUPS: [Setup; 7] = [
            Setup::ReversalAtLevel,
            Setup::VolumeBurst,
            Setup::RangeMomentum,
            Setup::TrendInitiation,
            Setup::Pullback,
            Setup::Continuation,
            Setup::Given,
        ];
        SETUPS.get(usize::from(self.u8()?)).copied()
    }

    fn signal(&mut self) -> Option<UnitSignal> {
        Some(UnitSignal {
            entry_ms: self.i64()?,
            direction: self.direction()?,
            setup: self.setup()?,
            atr: self.float().filter(|atr| atr.is_finite())?,
        })
    }

    fn ppm(&mut self) -> Option<ReturnPpm> {
        let possible = ReturnPpm::TOTAL_LOSS.0..=ReturnPpm::LIMIT;
        self.i32().filter(|ppm| possible.contains(ppm)).map(ReturnPpm)
    }

    fn outcome(&mut self) -> Option<Outcome> {
        Some(Outcome {
            net: self.ppm()?,
            best_case: self.ppm()?,
            gross: self.ppm()?,
            bars_held: self.take().map(u16::from_le_bytes)?,
            reason: *ExitReason::ALL.get(usize::from(self.u8()?))?,
            ambiguous: self.flag()?,
        })
    }

    /// Takes the bytes of a row of outcomes: (ends, choices).
    fn row_bytes(&mut self, rules: usize) -> Option<(&[u8], &[u8])> {
        let ends = usize::from(self.take().map(u16::from_le_bytes)?);
        let (ends, rest) = self.0.split_at_checked(ends * END_BYTES)?;
        let (choices, rest) = rest.split_at_checked(rules * 2)?;
        self.0 = rest;
        Some((ends, choices))
    }

    /// Appends a row of outcomes.
    fn row(&mut self, into: &mut Outcomes) -> Option<()> {
        let (ends, choices) = self.row_bytes(into.rules())?;
        let count = ends.len() / END_BYTES;
        let choices = choices.chunks_exact(2).map(|choice| u16::from_le_bytes([choice[0], choice[1]]));
        if !choices.clone().all(|choice| usize::from(choice) < count) {
            return None;
        }
        let ends: Vec<Outcome> = {
            let mut ends = UnitReader(ends);
            (0..count).map(|_| ends.outcome()).collect::<Option<_>>()?
        };
        let mut row = into.begin();
        ends.into_iter().for_each(|end| {
            row.end(end);
        });
        row.choose(choices);
        row.finish();
        Some(())
    }

    fn opportunity(&mut self) -> Option<Opportunity> {
        Some(Opportunity {
            direction: self.direction()?,
            start_ms: self.i64()?,
            peak_ms: self.i64()?,
            reward: self.float().filter(|reward| reward.is_finite())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn context(columns: usize, rules: usize) -> UnitSchema {
        let rule = |i: usize| ExitRule::new(1.0 + i as f64, 1.0, 4.0);
        UnitSchema {
            columns: (0..columns).map(|i| format!("c{i}")).collect(),
            rules: (0..rules).map(rule).collect(),
        }
    }

    fn unit(columns: usize, rules: usize, seeds: &[i32]) -> Unit {
        let outcome = |net: i32| Outcome {
            net: ReturnPpm(net),
            best_case: ReturnPpm(net / 2),
            gross: ReturnPpm(-net),
            bars_held: net.unsigned_abs() as u16,
            reason: ExitReason::ALL[net.unsigned_abs() as usize % ExitReason::ALL.len()],
            ambiguous: net > 0,
        };
        let signal = |seed: &i32| UnitSignal {
            entry_ms: i64::from(*seed) * 900_000,
            direction: if *seed > 0 { Direction::Long } else { Direction::Short },
            setup: Setup::Pullback,
            atr: f64::from(*seed).abs() + 0.5,
        };
        let chance = |seed: &i32| Opportunity {
            direction: Direction::Short,
            start_ms: i64::from(*seed),
            peak_ms: i64::from(*seed) + 5,
            reward: 2.5,
        };
        let mut outcomes = Outcomes::new(rules);
        for (row, seed) in seeds.iter().enumerate() {
            // Some rules end alike.
            let own = |rule: usize| outcome(seed + (row * rules + rule / 2) as i32);
            outcomes.push_each(&(0..rules).map(own).collect::<Vec<_>>());
        }
        Unit {
            sealed: true,
            pending: 1,
            lost: SkipCounts { no_entry: 2, no_atr: 3, rescaled: 4 },
            blind: 5,
            signals: seeds.iter().map(signal).collect(),
            columns: (0..seeds.len() * columns).map(|i| i as f64 / 3.0).collect(),
            outcomes,
            opportunities: Hindsight::new(seeds.iter().map(chance).collect()),
        }
    }

    proptest! {
        #[test]
        fn a_unit_is_read_as_it_was_written_and_nothing_else_is_one(
            columns in 0_usize..4,
            rules in 0_usize..5,
            seeds in prop::collection::vec(-30_000..30_000, 0..6),
            cut in 1_usize..40,
        ) {
            let unit = unit(columns, rules, &seeds);
            let mut bytes = Vec::new();
            unit.encode(&mut bytes);
            let context = context(columns, rules);
            prop_assert_eq!(Unit::decode(&bytes, &context), Some(unit));
            prop_assert_eq!(Unit::decode(&bytes[..bytes.len() - cut.min(bytes.len())], &context), None);
            bytes.push(0);
            prop_assert_eq!(Unit::decode(&bytes, &context), None);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let decoded = Unit::decode(&bytes, &context(2, 3));
            prop_assert!(decoded.is_none_or(|unit| unit.signals.len() < bytes.len()));
        }
    }
}

//! The unit of work: one style of one symbol on one UTC day. A pure function of candles and plan, kept in a form that
//! outlives changes of the grid: every candidate with its feature values and the outcome of every exit rule, whether
//! the present levels let it pass or not.

use super::day::{DaySignal, StyleDay};
use super::plan::{Plan, StylePlan};
use crate::exits::{ExitPlan, TradeCosts};
use crate::features::catalog::{Column, View};
use crate::features::frame::Market;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::{Day, Direction, ExitReason, ExitRule, Outcome, ReturnPpm, Setup};
use crate::signals::candidates::Candidate;
use crate::signals::opportunities::{Hindsight, Opportunity, opportunities};

/// Which feature values and exit rules a unit holds, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// Names of feature columns.
    pub columns: Vec<String>,
    /// Exit rules.
    pub rules: Vec<ExitRule>,
}

impl Context {
    /// Returns the context a style's plan needs.
    pub fn of(style: &StylePlan) -> Self {
        let mut columns: Vec<String> =
            style.space.dimensions().iter().map(|d| d.column().name.to_owned()).collect();
        columns.sort();
        columns.dedup();
        Self { columns, rules: style.space.rules().to_vec() }
    }

    /// Returns the fingerprint of columns and rules.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Canonical::new("retune context v1").count(self.columns.len() as u64);
        for column in &self.columns {
            hash = hash.text(column);
        }
        hash = hash.count(self.rules.len() as u64);
        for rule in &self.rules {
            hash = hash.floats(&[rule.take_profit_atr, rule.stop_atr, rule.hold_hours]);
        }
        hash.finish()
    }
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
    /// ATR(14) at the signal candle; price units.
    pub atr: f64,
}

/// What is known about one style of a symbol-day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unit {
    /// Whether every label of the day is complete. An unsealed unit holds no signals.
    pub sealed: bool,
    /// Candidates that wait for candles.
    pub pending: u32,
    /// Candidates dropped because a candle is missing between entry and horizon.
    pub broken: u32,
    /// Candidates, in time order.
    pub signals: Vec<UnitSignal>,
    /// Feature values, one row per signal in the order of the context's columns; NaN where not defined.
    pub columns: Vec<f64>,
    /// Outcomes, one row per signal in the order of the context's rules.
    pub outcomes: Vec<Outcome>,
    /// What an oracle would have taken.
    pub opportunities: Hindsight<Vec<Opportunity>>,
}

/// Evaluates a unit from candles.
///
/// Causality: signals read candles of [day - look-back, day]; outcomes and opportunities read on to the horizon, and
///            only when all of it is there: the day is sealed
pub fn evaluate(
    market: &Market<'_>,
    day: Day,
    found: &[Candidate],
    style: &StylePlan,
    plan: &Plan,
    costs: &TradeCosts,
) -> Unit {
    let own = found.iter().filter(|candidate| candidate.setup.style() == style.space.style());
    let mut unit = Unit { sealed: is_sealed(market, day, style), ..Unit::default() };
    if !unit.sealed {
        unit.pending = own.count() as u32;
        return unit;
    }
    let columns: Vec<&'static Column> = Context::of(style)
        .columns
        .iter()
        .map(|name| crate::features::catalog::column(name).expect("the space names known columns"))
        .collect();
    for candidate in own {
        add_signal(&mut unit, market, candidate, style, costs, &columns);
    }
    unit.opportunities = opportunities(&market.frame(day, 0), &style.opportunity, &plan.costs);
    unit
}

/// Returns whether candles reach the end of the longest label that can start on a day.
pub fn is_sealed(market: &Market<'_>, day: Day, style: &StylePlan) -> bool {
    let last = market.bars.open_time.last().copied();
    last.is_some_and(|last| last >= sealing_candle(day, style, market.bars.interval.ms()))
}

/// Returns the open time of the candle that seals a day.
pub fn sealing_candle(day: Day, style: &StylePlan, step_ms: i64) -> i64 {
    day.end_ms() + (style.exits.hold_bars_max() as i64 - 1) * step_ms
}

fn add_signal(
    unit: &mut Unit,
    market: &Market<'_>,
    candidate: &Candidate,
    style: &StylePlan,
    costs: &TradeCosts,
    columns: &[&'static Column],
) {
    let entry = candidate.entry_index();
    let end = entry + style.exits.hold_bars_max();
    // From the signal candle on: the entry must be the very next candle.
    if end > market.bars.len() || !market.bars.is_contiguous(entry - 1..end) {
        unit.broken += 1;
        return;
    }
    let direction = candidate.direction;
    let view = View { row: &candidate.row, direction, style: style.space.style() };
    unit.columns.extend(columns.iter().map(|column| column.value(&view).unwrap_or(f64::NAN)));
    let signal = UnitSignal {
        entry_ms: market.bars.open_time[entry],
        direction,
        setup: candidate.setup,
        atr: candidate.row.pulse.indicators.atr_14,
    };
    let ahead = market.bars.slice(entry..end);
    style.exits.outcomes(ahead, direction, signal.atr, costs, &mut unit.outcomes);
    unit.signals.push(signal);
}

impl Unit {
    /// Adds the outcomes of further exit rules, whose horizon is the style's.
    ///
    /// Returns the unit in the extended context.
    pub fn with_rules(
        &self,
        market: &Market<'_>,
        context: &Context,
        more: &ExitPlan,
        horizon_bars: usize,
        costs: &TradeCosts,
    ) -> Self {
        let mut outcomes = Vec::new();
        for (index, signal) in self.signals.iter().enumerate() {
            outcomes.extend_from_slice(&self.outcomes_of(index, context));
            let entry = market.bars.index_at(signal.entry_ms);
            let ahead = market.bars.slice(entry..entry + horizon_bars);
            more.outcomes(
                ahead.slice(0..more.hold_bars_max()),
                signal.direction,
                signal.atr,
                costs,
                &mut outcomes,
            );
        }
        Self { outcomes, ..self.clone() }
    }

    /// Returns the unit with only the columns and rules of a context that is part of its own.
    pub fn narrowed(&self, wide: &Context, narrow: &Context) -> Self {
        let columns = places(&wide.columns, &narrow.columns);
        let rules = places(&wide.rules, &narrow.rules);
        Self {
            columns: pick(&self.columns, wide.columns.len(), &columns),
            outcomes: pick(&self.outcomes, wide.rules.len(), &rules),
            ..self.clone()
        }
    }

    fn outcomes_of(&self, signal: usize, context: &Context) -> Vec<Outcome> {
        let rules = context.rules.len();
        self.outcomes[signal * rules..(signal + 1) * rules].to_vec()
    }

    /// Returns what a book needs of the unit under a plan, or `None` when the context lacks a column or a rule of it.
    pub fn style_day(&self, context: &Context, style: &StylePlan) -> Option<StyleDay> {
        let rules: Option<Vec<usize>> = style
            .space
            .rules()
            .iter()
            .map(|rule| context.rules.iter().position(|known| known == rule))
            .collect();
        let columns: Option<Vec<usize>> = style
            .space
            .dimensions()
            .iter()
            .map(|dimension| context.columns.iter().position(|name| name == dimension.column().name))
            .collect();
        let (rules, columns) = (rules?, columns?);
        let mut part = StyleDay {
            sealed: self.sealed,
            pending: self.pending,
            broken: self.broken,
            opportunities: self.opportunities.clone(),
            ..StyleDay::default()
        };
        for (index, signal) in self.signals.iter().enumerate() {
            let values = &self.columns[index * context.columns.len()..];
            let defined = |value: f64| Some(value).filter(|v| !v.is_nan());
            let coordinates: Option<Vec<u8>> = style
                .space
                .dimensions()
                .iter()
                .zip(&columns)
                .map(|(dimension, column)| dimension.coordinate(defined(values[*column])))
                .collect();
            part.signals.push(DaySignal {
                entry_ms: signal.entry_ms,
                direction: signal.direction,
                setup: signal.setup,
                in_lattice: coordinates.is_some(),
            });
            let Some(coordinates) = coordinates else { continue };
            part.coordinates.extend(coordinates);
            let outcomes = &self.outcomes[index * context.rules.len()..];
            part.outcomes.extend(rules.iter().map(|rule| outcomes[*rule]));
        }
        Some(part)
    }
}

/// Returns where each of some items stands among all.
fn places<T: PartialEq>(all: &[T], some: &[T]) -> Vec<usize> {
    let place = |item| all.iter().position(|known| known == item);
    some.iter().map(|item| place(item).expect("the narrow context is part of the wide one")).collect()
}

/// Picks some places of every row.
fn pick<T: Copy>(rows: &[T], width: usize, places: &[usize]) -> Vec<T> {
    rows.chunks_exact(width.max(1)).flat_map(|row| places.iter().map(|place| row[*place])).collect()
}

/// Bytes of an encoded signal besides its columns and outcomes.
const SIGNAL_BYTES: usize = 18;
/// Bytes of an encoded outcome.
const OUTCOME_BYTES: usize = 16;
/// Bytes of an encoded opportunity.
const OPPORTUNITY_BYTES: usize = 25;

impl Unit {
    /// Appends the unit as bytes: little endian, fixed widths, no lengths that could lie about memory.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let opportunities = self.opportunities.for_capture();
        bytes.push(u8::from(self.sealed));
        for count in [self.pending, self.broken, self.signals.len() as u32, opportunities.len() as u32] {
            bytes.extend(count.to_le_bytes());
        }
        for signal in &self.signals {
            bytes.extend(signal.entry_ms.to_le_bytes());
            bytes.push(signal.direction as u8);
            bytes.push(signal.setup as u8);
            bytes.extend(signal.atr.to_bits().to_le_bytes());
        }
        for value in &self.columns {
            bytes.extend(value.to_bits().to_le_bytes());
        }
        for outcome in &self.outcomes {
            for ppm in [outcome.net, outcome.best_case, outcome.gross] {
                bytes.extend(ppm.0.to_le_bytes());
            }
            bytes.extend(outcome.bars_held.to_le_bytes());
            bytes.push(outcome.reason as u8);
            bytes.push(u8::from(outcome.ambiguous));
        }
        for chance in opportunities {
            bytes.push(chance.direction as u8);
            bytes.extend(chance.start_ms.to_le_bytes());
            bytes.extend(chance.peak_ms.to_le_bytes());
            bytes.extend(chance.reward.to_bits().to_le_bytes());
        }
    }

    /// Reads a unit of so many columns and rules, or `None` when the bytes are not exactly one.
    pub fn decode(bytes: &[u8], columns: usize, rules: usize) -> Option<Self> {
        let mut read = Reader(bytes);
        let sealed = read.flag()?;
        let (pending, broken) = (read.u32()?, read.u32()?);
        let (signals, chances) = (read.u32()? as usize, read.u32()? as usize);
        let expected = signals
            .checked_mul(SIGNAL_BYTES + 8 * columns + OUTCOME_BYTES * rules)?
            .checked_add(chances.checked_mul(OPPORTUNITY_BYTES)?)?;
        if read.0.len() != expected {
            return None;
        }
        let signals: Vec<UnitSignal> = (0..signals).map(|_| read.signal()).collect::<Option<_>>()?;
        let values = (0..signals.len() * columns).map(|_| read.float());
        let columns: Vec<f64> = values.collect::<Option<_>>()?;
        let outcomes = (0..signals.len() * rules).map(|_| read.outcome()).collect::<Option<_>>()?;
        let chances: Vec<Opportunity> = (0..chances).map(|_| read.opportunity()).collect::<Option<_>>()?;
        let opportunities = Hindsight::new(chances);
        Some(Self { sealed, pending, broken, signals, columns, outcomes, opportunities })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
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
        const SETUPS: [Setup; 6] = [
            Setup::ReversalAtLevel,
            Setup::VolumeBurst,
            Setup::RangeMomentum,
            Setup::TrendInitiation,
            Setup::Pullback,
            Setup::Continuation,
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
        self.i32().filter(|ppm| ppm.unsigned_abs() <= ReturnPpm::LIMIT as u32).map(ReturnPpm)
    }

    fn outcome(&mut self) -> Option<Outcome> {
        const REASONS: [ExitReason; 4] =
            [ExitReason::TakeProfit, ExitReason::Stop, ExitReason::StopGap, ExitReason::Time];
        Some(Outcome {
            net: self.ppm()?,
            best_case: self.ppm()?,
            gross: self.ppm()?,
            bars_held: self.take().map(u16::from_le_bytes)?,
            reason: *REASONS.get(usize::from(self.u8()?))?,
            ambiguous: self.flag()?,
        })
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

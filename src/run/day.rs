//! The unit of work: one symbol, one UTC day. A pure function of candles and plan.

use super::plan::{Plan, StylePlan};
use crate::exits::TradeCosts;
use crate::features::catalog::View;
use crate::features::frame::Market;
use crate::model::{Day, Direction, Outcome, Setup};
use crate::signals::candidates::{Candidate, candidates};
use crate::signals::opportunities::{Hindsight, Opportunity, opportunities};

/// A candidate of a sealed day, reduced to what a book needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DaySignal {
    /// Open time of the entry candle; UTC ms.
    pub entry_ms: i64,
    /// Side.
    pub direction: Direction,
    /// Kind of entry.
    pub setup: Setup,
    /// Whether it passes the loosest level of every dimension and has coordinates and outcomes.
    pub in_lattice: bool,
}

/// One style's part of a symbol-day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StyleDay {
    /// Whether every label of the day is complete. An unsealed day holds no signals.
    pub sealed: bool,
    /// Candidates that wait for candles.
    pub pending: u32,
    /// Candidates dropped because a candle is missing between entry and horizon.
    pub broken: u32,
    /// Candidates, in time order.
    pub signals: Vec<DaySignal>,
    /// Coordinates of the signals in the lattice, in order.
    pub coordinates: Vec<u8>,
    /// Outcomes of the signals in the lattice, every exit rule in order.
    pub outcomes: Vec<Outcome>,
    /// What an oracle would have taken.
    pub opportunities: Hindsight<Vec<Opportunity>>,
}

/// One symbol-day, one entry per style of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct DayBlock {
    /// The day the signal candles open in.
    pub day: Day,
    /// Parts, in the plan's order of styles.
    pub styles: Vec<StyleDay>,
}

/// Evaluates one day of one symbol.
///
/// Causality: signals read candles of [day - look-back, day]; outcomes and opportunities read on to the horizon, and
///            only when all of it is there: the day is sealed
pub fn evaluate_day(market: &Market<'_>, day: Day, plan: &Plan, costs: &TradeCosts) -> DayBlock {
    let found = candidates(market, day);
    let styles = plan.styles.iter().map(|style| evaluate_style(market, day, &found, style, plan, costs));
    DayBlock { day, styles: styles.collect() }
}

fn evaluate_style(
    market: &Market<'_>,
    day: Day,
    found: &[Candidate],
    style: &StylePlan,
    plan: &Plan,
    costs: &TradeCosts,
) -> StyleDay {
    let own = found.iter().filter(|candidate| candidate.setup.style() == style.space.style());
    let mut part = StyleDay { sealed: is_sealed(market, day, style), ..StyleDay::default() };
    if !part.sealed {
        part.pending = own.count() as u32;
        return part;
    }
    for candidate in own {
        add_signal(&mut part, market, candidate, style, costs);
    }
    part.opportunities = opportunities(&market.frame(day, 0), &style.opportunity, &plan.costs);
    part
}

/// Returns whether candles reach the end of the longest label that can start on a day.
fn is_sealed(market: &Market<'_>, day: Day, style: &StylePlan) -> bool {
    let step = market.bars.interval.ms();
    let needed = day.end_ms() + style.exits.hold_bars_max() as i64 * step;
    market.bars.open_time.last().is_some_and(|last| last + step >= needed)
}

fn add_signal(
    part: &mut StyleDay,
    market: &Market<'_>,
    candidate: &Candidate,
    style: &StylePlan,
    costs: &TradeCosts,
) {
    let entry = candidate.entry_index();
    let end = entry + style.exits.hold_bars_max();
    // From the signal candle on: the entry must be the very next candle.
    if end > market.bars.len() || !market.bars.is_contiguous(entry - 1..end) {
        part.broken += 1;
        return;
    }
    let direction = candidate.direction;
    let view = View { row: &candidate.row, direction, style: style.space.style() };
    let coordinates = style.space.coordinates(&view);
    part.signals.push(DaySignal {
        entry_ms: market.bars.open_time[entry],
        direction,
        setup: candidate.setup,
        in_lattice: coordinates.is_some(),
    });
    let Some(coordinates) = coordinates else { return };
    part.coordinates.extend(coordinates);
    let ahead = market.bars.slice(entry..end);
    let atr = candidate.row.pulse.indicators.atr_14;
    style.exits.outcomes(ahead, direction, atr, costs, &mut part.outcomes);
}

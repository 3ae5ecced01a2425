//! One parameter set traded as a bot trades it: in time order over all symbols, with positions that stay open until
//! they are closed, and signals that are lost meanwhile.
//!
//! The grid is searched with independent trades, whose sums add up; what a bot earns is told by this walk. A decision
//! reads what is known when the signal's entry candle opens: positions open then, results of those closed by then.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::outcome_table::{OutcomeTable, RuleOutcomes};
use crate::model::Day;

/// A pause after losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    /// Losing positions of a symbol in succession, in the order they are closed, that begin one; at least 1.
    pub losses: u32,
    /// How long the symbol is left alone after the last of them; ms.
    pub pause_ms: i64,
}

/// What a portfolio allows; `None` allows anything. The default is one position per symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortfolioLimits {
    /// Positions open at once on one symbol.
    pub per_symbol: Option<u32>,
    /// Positions open at once on all symbols together.
    pub positions: Option<u32>,
    /// When a symbol is left alone after losses.
    pub cooldown: Option<Cooldown>,
    /// Net loss of all positions closed on a UTC day from which on none is opened until the next; ppm of one position.
    pub day_loss_ppm: Option<i64>,
}

impl PortfolioLimits {
    /// No limit at all: every signal is traded, as in the grid.
    pub const NONE: Self = Self { per_symbol: None, positions: None, cooldown: None, day_loss_ppm: None };
}

impl Default for PortfolioLimits {
    fn default() -> Self {
        Self { per_symbol: Some(1), ..Self::NONE }
    }
}

/// Why a signal is not traded; the first reason in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// Its symbol has as many positions open as it may.
    Busy,
    /// Its symbol is left alone after losses.
    CoolingDown,
    /// All symbols together have as many positions open as they may.
    Full,
    /// The day has lost as much as it may.
    DayOver,
}

impl SkipReason {
    /// Every reason, in order.
    pub const ALL: [Self; 4] = [Self::Busy, Self::CoolingDown, Self::Full, Self::DayOver];

    /// Returns the name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "symbol_busy",
            Self::CoolingDown => "cooling_down",
            Self::Full => "portfolio_full",
            Self::DayOver => "day_over",
        }
    }
}

/// The signals of a set that a portfolio trades.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Course {
    /// Indices of the signals traded, in trade order.
    pub trades: Vec<usize>,
    /// Signals that the set takes and the portfolio does not, by reason in the order of [`SkipReason::ALL`].
    pub lost: [u64; SkipReason::ALL.len()],
}

/// Walks through signals, given in trade order, that a set takes.
///
/// Units:     `bar_ms` is the length of a candle
/// Causality: a signal is traded or lost by what is closed before its entry candle opens; a position is busy until the
///            end of the candle that closes it. Signals of one instant come in the order of the book: by symbol
/// Cost:      O(signals x log of the positions open)
pub fn follow_signals(
    book: &OutcomeTable,
    rule: usize,
    signals: &[usize],
    limits: &PortfolioLimits,
    bar_ms: i64,
) -> Course {
    let mut desk = PortfolioSimulator::new(book, rule, limits, bar_ms);
    let mut course = Course::default();
    for &signal in signals {
        match desk.offer(signal) {
            None => course.trades.push(signal),
            Some(lost) => course.lost[lost as usize] += 1,
        }
    }
    course
}

/// What is known of one symbol.
#[derive(Debug, Clone, Copy, Default)]
struct SymbolState {
    open: u32,
    losses: u32,
    /// Nothing is opened before; UTC ms.
    paused_until_ms: i64,
}

/// The positions of a portfolio as time goes by.
struct PortfolioSimulator<'a> {
    book: &'a OutcomeTable,
    outcomes: RuleOutcomes<'a>,
    limits: &'a PortfolioLimits,
    bar_ms: i64,
    /// Open positions: (end of the candle that closes it, symbol, signal), the first to close on top.
    open: BinaryHeap<Reverse<(i64, u16, usize)>>,
    seats: BTreeMap<u16, SymbolState>,
    /// The last day on which a position was closed, with the net result of all that were.
    day: (Day, i64),
}

impl<'a> PortfolioSimulator<'a> {
    fn new(book: &'a OutcomeTable, rule: usize, limits: &'a PortfolioLimits, bar_ms: i64) -> Self {
        let (open, seats) = (BinaryHeap::new(), BTreeMap::new());
        Self { book, outcomes: book.under(rule), limits, bar_ms, open, seats, day: (Day(i32::MIN), 0) }
    }

    /// Trades a signal, or says why not. Signals come in trade order.
    fn offer(&mut self, signal: usize) -> Option<SkipReason> {
        let entry = self.book.entries()[signal];
        self.close_until(entry.entry_ms);
        if let Some(lost) = self.refusal(entry.symbol, entry.entry_ms) {
            return Some(lost);
        }
        let held_ms = i64::from(self.outcomes.of(signal).bars_held) * self.bar_ms;
        self.open.push(Reverse((entry.entry_ms + held_ms, entry.symbol, signal)));
        self.seats.entry(entry.symbol).or_default().open += 1;
        None
    }

    fn refusal(&self, symbol: u16, now_ms: i64) -> Option<SkipReason> {
        let seat = self.seats.get(&symbol).copied().unwrap_or_default();
        let reached = |count: u32, limit: Option<u32>| limit.is_some_and(|limit| count >= limit);
        let open = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        let day_loss = if self.day.0 == Day::of(now_ms) { -self.day.1 } else { 0 };
        let refused = [
            (reached(seat.open, self.limits.per_symbol), SkipReason::Busy),
            (now_ms < seat.paused_until_ms, SkipReason::CoolingDown),
            (reached(open, self.limits.positions), SkipReason::Full),
            (self.limits.day_loss_ppm.is_some_and(|limit| day_loss >= limit), SkipReason::DayOver),
        ];
        refused.into_iter().find_map(|(refused, lost)| refused.then_some(lost))
    }

    /// Books every position that is closed by now, in the order of closing, then of symbols.
    fn close_until(&mut self, now_ms: i64) {
        while let Some(Reverse((until_ms, symbol, signal))) = self.open.peek().copied() {
            if until_ms > now_ms {
                break;
            }
            self.open.pop();
            self.close(until_ms, symbol, i64::from(self.outcomes.net(signal).0));
        }
    }

    fn close(&mut self, until_ms: i64, symbol: u16, net_ppm: i64) {
        let seat = self.seats.entry(symbol).or_default();
        seat.open -= 1;
        seat.losses = if net_ppm < 0 { seat.losses + 1 } else { 0 };
        if let Some(cooldown) = self.limits.cooldown.filter(|cooldown| seat.losses >= cooldown.losses) {
            seat.losses = 0;
            seat.paused_until_ms = until_ms + cooldown.pause_ms;
        }
        // A candle that ends at midnight belongs to the day before.
        let day = Day::of(until_ms - 1);
        if self.day.0 != day {
            self.day = (day, 0);
        }
        self.day.1 += net_ppm;
    }
}

//! The trades of one parameter set, one after the other: the full tally of a finalist, and the plain loop that the
//! sweep is checked against.

use super::outcome_table::{OutcomeTable, Window};
use super::sweep::GridPoint;
use crate::model::{Day, ExitReason};

/// Exact sums over the trades of one parameter set; ppm of the entry price.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Counts and sums that the whole grid has as well.
    pub point: GridPoint,
    /// Sum of squared net returns; ppm squared.
    pub square_ppm2: i128,
    /// Sum of net returns with the favourable extreme first in exit candles.
    pub best_case_ppm: i64,
    /// Sum of returns before fees and funding.
    pub gross_ppm: i64,
    /// Trades whose fill depends on the order of extremes inside the exit candle.
    pub ambiguous: u64,
    /// Candles held, all trades together.
    pub bars_held: u64,
    /// Trades by exit reason, in the order of [`ExitReason`].
    pub exits: [u64; ExitReason::ALL.len()],
    /// Sum of net returns of each entry day with trades, in time order.
    pub daily_ppm: Vec<(Day, i64)>,
    /// Opportunities that at least one trade took part in.
    pub captured: u64,
    /// Trades that took part in at least one opportunity.
    pub capturing: u64,
    /// All opportunities of the window.
    pub opportunities: u64,
}

/// Which trades a replay takes: a rule, and the least level in every dimension.
#[derive(Debug, Clone, Copy)]
pub struct Pick<'a> {
    /// Index of the exit rule.
    pub rule: usize,
    /// Levels, one per dimension; `None` takes every signal of the book.
    pub levels: Option<&'a [u8]>,
}

impl Pick<'_> {
    fn takes(&self, coordinates: &[u8]) -> bool {
        self.levels.is_none_or(|levels| coordinates.iter().zip(levels).all(|(has, needs)| has >= needs))
    }
}

/// Returns the indices of the signals a pick takes, in trade order.
pub fn taken_signals(window: &Window<'_>, pick: Pick<'_>) -> Vec<usize> {
    let dimensions = window.book.lattice().dimensions();
    let coordinates = window.book.coordinates();
    let takes = |i: &usize| pick.takes(&coordinates[i * dimensions..(i + 1) * dimensions]);
    // Room for all: to grow costs more than the look.
    let mut taken = Vec::with_capacity(window.signals.len());
    taken.extend(window.signals.clone().filter(takes));
    taken
}

/// Replays one parameter set over a window.
///
/// Cost: O(signals)
pub fn replay_set(window: &Window<'_>, pick: Pick<'_>) -> Tally {
    let book = window.book;
    let trades = taken_signals(window, pick);
    let mut tally = Tally::default();
    (tally.point, tally.daily_ppm) = results_of_trades(book, pick.rule, &trades);
    let outcomes = book.under(pick.rule);
    for &signal in &trades {
        let detail = outcomes.of(signal);
        let net = i64::from(detail.net.0);
        tally.square_ppm2 += i128::from(net) * i128::from(net);
        tally.best_case_ppm += i64::from(detail.best_case.0);
        tally.gross_ppm += i64::from(detail.gross.0);
        tally.ambiguous += u64::from(detail.ambiguous);
        tally.bars_held += u64::from(detail.bars_held);
        tally.exits[detail.reason as usize] += 1;
    }
    count_captures(window, &trades, &mut tally);
    tally
}

/// Returns the results of trades, given in trade order, and the sum of net returns of each entry day with trades.
pub fn results_of_trades(book: &OutcomeTable, rule: usize, trades: &[usize]) -> (GridPoint, Vec<(Day, i64)>) {
    let (mut point, mut daily_ppm) = (GridPoint::default(), Vec::<(Day, i64)>::new());
    let (mut sum, mut peak) = (0_i64, 0_i64);
    let outcomes = book.under(rule);
    for &signal in trades {
        let net = i64::from(outcomes.net(signal).0);
        point.trades += 1;
        point.wins += u32::from(net > 0);
        point.win_ppm += net.max(0);
        point.loss_ppm += net.min(0);
        sum += net;
        peak = peak.max(sum);
        point.drawdown_ppm = point.drawdown_ppm.max(peak - sum);
        let day = Day::of(book.entries()[signal].entry_ms);
        match daily_ppm.last_mut() {
            Some((last, total)) if *last == day => *total += net,
            _ => daily_ppm.push((day, net)),
        }
    }
    point.day_square_ppm2 = daily_ppm.iter().map(|(_, total)| i128::from(*total) * i128::from(*total)).sum();
    (point, daily_ppm)
}

fn count_captures(window: &Window<'_>, trades: &[usize], tally: &mut Tally) {
    let mut capturing = std::collections::BTreeSet::new();
    for signals in window.captures() {
        tally.opportunities += 1;
        let mut hit = false;
        for signal in signals.iter().filter(|s| trades.binary_search(&(**s as usize)).is_ok()) {
            capturing.insert(*signal);
            hit = true;
        }
        tally.captured += u64::from(hit);
    }
    tally.capturing = capturing.len() as u64;
}

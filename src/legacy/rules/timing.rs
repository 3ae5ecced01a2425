//! Were trades entered and left at the right time? Each trade is matched with the opportunity it came from.

use crate::model::{Direction, HOUR_MS, MINUTE_MS};

/// A trade as the analysis sees it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TimedTrade {
    pub coin: String,
    pub direction: Direction,
    /// UTC ms.
    pub opened_at_ms: i64,
    pub signal_score: f64,
    pub consensus: f64,
    /// `None` while it is open.
    pub closed: Option<TimedExit>,
}

/// How a trade was closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedExit {
    /// UTC ms.
    pub at_ms: i64,
    /// Price in quote currency, positive.
    pub price: f64,
    /// In account currency, after costs.
    pub profit: f64,
    /// Which level closed it.
    pub level: ExitLevel,
}

/// Which level closed a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ExitLevel {
    TakeProfit,
    Stop,
    Other,
}

/// An opportunity, taken or not.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TimedOpportunity {
    pub coin: String,
    /// UTC ms.
    pub at_ms: i64,
    /// What it was worth at best, percent.
    pub potential_pct: f64,
}

/// From which figures on something is early, late or wrong; the default is the legacy one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimingLimits {
    /// A trade belongs to an opportunity of its coin within so many ms.
    pub match_ms: i64,
    /// Candles that closed up to so many ms after an exit are looked at.
    pub after_exit_ms: i64,
    /// Account currency above which a trade was correct.
    pub correct_profit: f64,
    /// Account currency below which it was a false signal.
    pub false_profit: f64,
    /// A target followed by a further favourable move of more percent was taken too early.
    pub premature_pct: f64,
    /// A stop that lost more account currency than this ...
    pub delayed_loss: f64,
    /// ... and was followed by a further adverse move of more percent came too late.
    pub delayed_pct: f64,
    /// Missed opportunities kept, the largest first.
    pub missed_kept: usize,
}

impl Default for TimingLimits {
    fn default() -> Self {
        Self {
            match_ms: 5 * MINUTE_MS,
            after_exit_ms: 4 * HOUR_MS,
            correct_profit: 1.0,
            false_profit: -2.0,
            premature_pct: 2.0,
            delayed_loss: -1.0,
            delayed_pct: 1.0,
            missed_kept: 30,
        }
    }
}

/// What an entry was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryVerdict {
    /// Closed with a profit.
    Correct,
    /// Closed with a clear loss.
    FalseSignal,
    /// Closed near nothing: right idea, wrong moment.
    TimingIssue,
    /// Open, with a score of 90 and three confirmations or more.
    Strong,
    /// Open, with a score of 80 and two.
    Moderate,
    /// Open, with less.
    Weak,
}

/// What an exit was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitVerdict {
    /// The move went on well after the target.
    Premature,
    /// The stop lost much and the move went on against the trade; an earlier exit would have saved it.
    Delayed,
    /// Anything else.
    Optimal,
}

/// Returns what an entry was worth.
pub fn entry_verdict(trade: &TimedTrade, limits: &TimingLimits) -> EntryVerdict {
    match trade.closed {
        Some(exit) if exit.profit > limits.correct_profit => EntryVerdict::Correct,
        Some(exit) if exit.profit < limits.false_profit => EntryVerdict::FalseSignal,
        Some(_) => EntryVerdict::TimingIssue,
        None if trade.signal_score >= 90.0 && trade.consensus >= 3.0 => EntryVerdict::Strong,
        None if trade.signal_score >= 80.0 && trade.consensus >= 2.0 => EntryVerdict::Moderate,
        None => EntryVerdict::Weak,
    }
}

/// The extremes of the prices after an exit.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it; prices in quote currency")]
pub struct AfterExit {
    pub high: f64,
    pub low: f64,
}

/// Returns what an exit was worth, from the prices up to [`TimingLimits::after_exit_ms`] later.
pub fn exit_verdict(
    direction: Direction,
    exit: &TimedExit,
    after: &AfterExit,
    limits: &TimingLimits,
) -> ExitVerdict {
    let up_pct = (after.high - exit.price) / exit.price * 100.0;
    let down_pct = (exit.price - after.low) / exit.price * 100.0;
    let (favourable, adverse) = match direction {
        Direction::Long => (up_pct, down_pct),
        Direction::Short => (down_pct, up_pct),
    };
    match exit.level {
        ExitLevel::TakeProfit if favourable > limits.premature_pct => ExitVerdict::Premature,
        ExitLevel::Stop if exit.profit < limits.delayed_loss && adverse > limits.delayed_pct => {
            ExitVerdict::Delayed
        }
        _ => ExitVerdict::Optimal,
    }
}

/// The timing of a set of trades.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimingAnalysis {
    /// Opportunities that were taken: place of the opportunity, place of the trade.
    pub captured: Vec<(usize, usize)>,
    /// Opportunities that were not, the largest first; only so many.
    pub missed: Vec<usize>,
    /// All of those, kept or not.
    pub missed_count: u64,
    /// Of every trade.
    pub entries: Vec<EntryVerdict>,
    /// Of every trade that is closed and whose prices after the exit are known; `None` otherwise.
    pub exits: Vec<Option<ExitVerdict>>,
}

/// Analyses entries and exits. `after` gives the extremes after the exit of a trade, where they are known.
///
/// Shape:     a trade takes the nearest opportunity of its coin in reach that no trade before it took
/// Causality: looks after the exit: for reports only
/// Cost:      O(trades x opportunities)
/// Source:    section 16 of the legacy specification
pub fn analyse_timing(
    trades: &[TimedTrade],
    opportunities: &[TimedOpportunity],
    after: impl Fn(&TimedTrade, &TimedExit) -> Option<AfterExit>,
    limits: &TimingLimits,
) -> TimingAnalysis {
    let mut taken = vec![false; opportunities.len()];
    let mut captured = Vec::new();
    for (place, trade) in trades.iter().enumerate() {
        let distance = |o: &TimedOpportunity| (o.at_ms - trade.opened_at_ms).abs();
        let in_reach = |(index, o): &(usize, &TimedOpportunity)| {
            !taken[*index] && o.coin == trade.coin && distance(o) <= limits.match_ms
        };
        let nearest = opportunities.iter().enumerate().filter(in_reach).min_by_key(|(_, o)| distance(o));
        if let Some((index, _)) = nearest {
            taken[index] = true;
            captured.push((index, place));
        }
    }
    let mut missed: Vec<usize> = (0..opportunities.len()).filter(|index| !taken[*index]).collect();
    missed.sort_by(|a, b| opportunities[*b].potential_pct.total_cmp(&opportunities[*a].potential_pct));
    let missed_count = missed.len() as u64;
    missed.truncate(limits.missed_kept);
    let exit = |trade: &TimedTrade| {
        let exit = trade.closed?;
        Some(exit_verdict(trade.direction, &exit, &after(trade, &exit)?, limits))
    };
    TimingAnalysis {
        captured,
        missed,
        missed_count,
        entries: trades.iter().map(|trade| entry_verdict(trade, limits)).collect(),
        exits: trades.iter().map(exit).collect(),
    }
}

/// What an analysis teaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimingLesson {
    /// Share of entries that were false signals.
    FalseSignals(f64),
    /// Share of opportunities that were missed, above 30 %.
    ManyMissed(f64),
    /// Entries at the wrong moment.
    TimingIssues(u64),
    /// Share of judged exits that were premature.
    PrematureExits(f64),
    /// Share of judged exits that were optimal, above 70 %.
    GoodExits(f64),
}

/// Shares above which many opportunities are missed and exits are good.
const MANY_MISSED: f64 = 0.3;
const GOOD_EXITS: f64 = 0.7;

impl TimingAnalysis {
    /// Returns how many entries have a verdict.
    pub fn entry_count(&self, verdict: EntryVerdict) -> u64 {
        self.entries.iter().filter(|found| **found == verdict).count() as u64
    }

    /// Returns how many exits have a verdict.
    pub fn exit_count(&self, verdict: ExitVerdict) -> u64 {
        self.exits.iter().filter(|found| **found == Some(verdict)).count() as u64
    }

    /// Returns the lessons; nothing is said about what did not happen.
    pub fn lessons(&self) -> Vec<TimingLesson> {
        let share = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
        let judged = self.exits.iter().flatten().count() as u64;
        let false_signals = share(self.entry_count(EntryVerdict::FalseSignal), self.entries.len() as u64);
        let missed = share(self.missed_count, self.missed_count + self.captured.len() as u64);
        let issues = self.entry_count(EntryVerdict::TimingIssue);
        let premature = share(self.exit_count(ExitVerdict::Premature), judged);
        let optimal = share(self.exit_count(ExitVerdict::Optimal), judged);
        [
            (false_signals > 0.0).then_some(TimingLesson::FalseSignals(false_signals)),
            (missed > MANY_MISSED).then_some(TimingLesson::ManyMissed(missed)),
            (issues > 0).then_some(TimingLesson::TimingIssues(issues)),
            (premature > 0.0).then_some(TimingLesson::PrematureExits(premature)),
            (optimal > GOOD_EXITS).then_some(TimingLesson::GoodExits(optimal)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(minute: i64, profit: Option<f64>) -> TimedTrade {
        let exit = |profit| TimedExit {
            at_ms: minute * MINUTE_MS + 1,
            price: 100.0,
            profit,
            level: ExitLevel::Stop,
        };
        TimedTrade {
            coin: "BTC".to_owned(),
            direction: Direction::Long,
            opened_at_ms: minute * MINUTE_MS,
            signal_score: 85.0,
            consensus: 4.0,
            closed: profit.map(exit),
        }
    }

    fn opportunity(minute: i64, potential_pct: f64) -> TimedOpportunity {
        TimedOpportunity { coin: "BTC".to_owned(), at_ms: minute * MINUTE_MS, potential_pct }
    }

    #[test]
    fn trades_are_matched_once_and_judged() {
        let trades = [trade(0, Some(2.0)), trade(3, Some(-3.0)), trade(100, None), trade(101, Some(0.5))];
        let opportunities = [opportunity(1, 9.0), opportunity(50, 8.0), opportunity(51, 20.0)];
        let after = |_: &TimedTrade, _: &TimedExit| Some(AfterExit { high: 100.0, low: 98.0 });
        let found = analyse_timing(&trades, &opportunities, after, &TimingLimits::default());
        assert_eq!(found.captured, [(0, 0)]);
        assert_eq!(found.missed, [2, 1]);
        use EntryVerdict::*;
        assert_eq!(found.entries, [Correct, FalseSignal, Moderate, TimingIssue]);
        let [optimal, delayed] = [ExitVerdict::Optimal, ExitVerdict::Delayed].map(Some);
        assert_eq!(found.exits, [optimal, delayed, None, optimal]);
        assert_eq!(
            found.lessons(),
            [
                TimingLesson::FalseSignals(0.25),
                TimingLesson::ManyMissed(2.0 / 3.0),
                TimingLesson::TimingIssues(1),
            ]
        );
    }

    #[test]
    fn a_target_before_a_long_move_is_premature() {
        let exit = TimedExit { at_ms: 0, price: 100.0, profit: 5.0, level: ExitLevel::TakeProfit };
        let limits = TimingLimits::default();
        let of = |direction, high, low| exit_verdict(direction, &exit, &AfterExit { high, low }, &limits);
        assert_eq!(of(Direction::Long, 102.1, 90.0), ExitVerdict::Premature);
        assert_eq!(of(Direction::Long, 102.0, 90.0), ExitVerdict::Optimal);
        assert_eq!(of(Direction::Short, 102.1, 97.9), ExitVerdict::Premature);
    }
}

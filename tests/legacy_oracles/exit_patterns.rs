//! How the older simulator's trades ended, and what they left on the table.

use super::exit_walk::WalkExit;

/// A simulated trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PatternTrade {
    /// How it ended; never without entry.
    pub exit: WalkExit,
    /// Profit in percent.
    pub profit_pct: f64,
    /// The largest favourable move that followed, percent.
    pub objective_pct: f64,
    /// Longest holding time the trade was allowed, hours.
    pub hours_max: f64,
}

impl PatternTrade {
    /// Returns what it missed of the favourable move, percent.
    fn missed_pct(&self) -> f64 {
        self.objective_pct - self.profit_pct
    }

    /// Returns the holding time the legacy assumes: all of it for time exits, half for levels, none otherwise.
    fn hours(&self) -> f64 {
        match self.exit {
            WalkExit::TimeExit => self.hours_max,
            WalkExit::StopLoss | WalkExit::TakeProfit => 0.5 * self.hours_max,
            WalkExit::NoEntry | WalkExit::NoData | WalkExit::Holding => 0.0,
        }
    }
}

/// The trades that ended one way.
///
/// Units:     rate and profits in percent
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ExitGroup {
    pub count: u64,
    /// Of all trades.
    pub rate: f64,
    pub avg_profit: f64,
    pub avg_missed: f64,
    /// Trades that missed more than the limit of the kind.
    pub notable_count: u64,
    /// The most missed of those, worst first, five at most.
    pub worst_missed: Vec<f64>,
}

/// How trades ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ExitPatterns {
    /// All trades.
    pub total: u64,
    /// Time exits; notable are those that missed more than 2 %.
    pub time_exit: ExitGroup,
    /// Stops; notable (too tight) are those that missed more than 5 %.
    pub stop_loss: ExitGroup,
    /// Targets; notable (too early) are those that missed more than 3 %.
    pub take_profit: ExitGroup,
}

/// Missed percent above which a time exit, a stop and a target are notable.
const NOTABLE: [f64; 3] = [2.0, 5.0, 3.0];
const EXAMPLES: usize = 5;

/// Returns how trades ended; `None` of none.
///
/// Cost:      O(trades log trades)
/// Source:    section 5 of the legacy specification
pub(crate) fn exit_patterns(trades: &[PatternTrade]) -> Option<ExitPatterns> {
    if trades.is_empty() {
        return None;
    }
    let [time_limit, stop_limit, target_limit] = NOTABLE;
    Some(ExitPatterns {
        total: trades.len() as u64,
        time_exit: group(trades, WalkExit::TimeExit, time_limit),
        stop_loss: group(trades, WalkExit::StopLoss, stop_limit),
        take_profit: group(trades, WalkExit::TakeProfit, target_limit),
    })
}

fn group(trades: &[PatternTrade], exit: WalkExit, limit: f64) -> ExitGroup {
    let chosen: Vec<&PatternTrade> = trades.iter().filter(|trade| trade.exit == exit).collect();
    if chosen.is_empty() {
        return ExitGroup::default();
    }
    let count = chosen.len() as f64;
    let mut notable: Vec<f64> =
        chosen.iter().map(|t| t.missed_pct()).filter(|missed| *missed > limit).collect();
    notable.sort_by(|a, b| b.total_cmp(a));
    let notable_count = notable.len() as u64;
    notable.truncate(EXAMPLES);
    ExitGroup {
        count: chosen.len() as u64,
        rate: count / trades.len() as f64 * 100.0,
        avg_profit: chosen.iter().map(|trade| trade.profit_pct).sum::<f64>() / count,
        avg_missed: chosen.iter().map(|trade| trade.missed_pct()).sum::<f64>() / count,
        notable_count,
        worst_missed: notable,
    }
}

/// The trades of one range of assumed holding times.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct HoldingGroup {
    pub count: u64,
    /// In [0, 1].
    pub time_exit_rate: f64,
    /// Of its time exits, percent.
    pub avg_missed_pct: f64,
    pub avg_hours: f64,
    /// Of its targets.
    pub target_avg_hours: f64,
}

/// Hours from which a trade counts to the longer range; the legacy answers only tell 1 from 2.
const LONG_FROM_HOURS: f64 = 2.0;

/// Returns the trades held shorter and longer than two hours (the legacy calls them 1H and 4H).
pub(crate) fn by_holding_time(trades: &[PatternTrade]) -> [HoldingGroup; 2] {
    let (long, short): (Vec<PatternTrade>, Vec<PatternTrade>) =
        trades.iter().partition(|trade| trade.hours() >= LONG_FROM_HOURS);
    [holding_group(&short), holding_group(&long)]
}

fn holding_group(trades: &[PatternTrade]) -> HoldingGroup {
    let mean = |values: Vec<f64>| match values.len() {
        0 => 0.0,
        count => values.iter().sum::<f64>() / count as f64,
    };
    let of = |exit| trades.iter().filter(move |trade| trade.exit == exit);
    let time_exits = of(WalkExit::TimeExit).count();
    HoldingGroup {
        count: trades.len() as u64,
        time_exit_rate: if trades.is_empty() { 0.0 } else { time_exits as f64 / trades.len() as f64 },
        avg_missed_pct: mean(of(WalkExit::TimeExit).map(PatternTrade::missed_pct).collect()),
        avg_hours: mean(trades.iter().map(PatternTrade::hours).collect()),
        target_avg_hours: mean(of(WalkExit::TakeProfit).map(PatternTrade::hours).collect()),
    }
}

/// What the scores of the older optimiser are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PatternScoreInputs {
    pub captured_count: u64,
    /// In [0, 1].
    pub capture_rate: f64,
    /// Percent.
    pub avg_profit: f64,
    /// In [0, 1].
    pub time_exit_rate: f64,
}

/// Returns the scores for scalping and for swing trades; -1 where nothing was captured.
pub(crate) fn pattern_scores(inputs: &PatternScoreInputs) -> [f64; 2] {
    if inputs.captured_count == 0 {
        return [-1.0, -1.0];
    }
    let in_time = (1.0 - inputs.time_exit_rate).max(0.0);
    let scalping =
        0.6 * in_time + 0.3 * ((inputs.avg_profit + 5.0) / 10.0).clamp(0.0, 1.0) + 0.1 * inputs.capture_rate;
    let swing = 0.5 * (inputs.avg_profit / 20.0).clamp(0.0, 1.0) + 0.3 * inputs.capture_rate + 0.2 * in_time;
    [scalping, swing]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_told_worst_first() {
        let trade = |exit, profit_pct, objective_pct| PatternTrade {
            exit,
            profit_pct,
            objective_pct,
            hours_max: 2.0,
        };
        let trades = [
            trade(WalkExit::StopLoss, -1.0, 3.0),
            trade(WalkExit::StopLoss, -1.0, 4.5),
            trade(WalkExit::StopLoss, -1.0, 9.0),
            trade(WalkExit::TimeExit, 0.5, 1.0),
        ];
        let found = exit_patterns(&trades).expect("there are trades");
        assert_eq!((found.stop_loss.notable_count, found.stop_loss.rate), (2, 75.0));
        assert_eq!(found.stop_loss.worst_missed, [10.0, 5.5]);
        assert_eq!((found.time_exit.count, found.take_profit.count), (1, 0));
        let [short, long] = by_holding_time(&trades);
        assert_eq!((short.count, short.avg_hours, long.count, long.time_exit_rate), (3, 1.0, 1, 1.0));
        assert_eq!(exit_patterns(&[]), None);
        let inputs =
            PatternScoreInputs { captured_count: 0, capture_rate: 0.0, avg_profit: 0.0, time_exit_rate: 0.0 };
        assert_eq!(pattern_scores(&inputs), [-1.0, -1.0]);
    }
}

//! When to stop trading after losses, and when to begin again.
//!
//! The legacy had these rules and never called them (D42). They are whole here: the caller keeps the [`Pause`].

use super::statistics::population_deviation;
use crate::model::{DAY_MS, HOUR_MS};

/// A closed trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosedTrade {
    /// UTC ms, `None` where it is not known.
    pub opened_at_ms: Option<i64>,
    /// UTC ms, `None` where it is not known.
    pub closed_at_ms: Option<i64>,
    /// In account currency, after costs.
    pub profit: f64,
}

/// How serious a series of losses is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PauseLevel {
    /// Three losses.
    One,
    /// More than 3 % of the account in less than six hours.
    Two,
    /// More than 5 % of the account in less than two hours.
    Three,
}

impl PauseLevel {
    /// Returns 1, 2 or 3.
    pub fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }

    /// Returns the next milder level, `None` below the mildest.
    pub fn milder(self) -> Option<Self> {
        match self {
            Self::One => None,
            Self::Two => Some(Self::One),
            Self::Three => Some(Self::Two),
        }
    }

    /// Returns when a pause that begins now ends: after two hours, after four, or at the next midnight (UTC).
    pub fn until_ms(self, now_ms: i64) -> i64 {
        match self {
            Self::One => now_ms + 2 * HOUR_MS,
            Self::Two => now_ms + 4 * HOUR_MS,
            Self::Three => (now_ms.div_euclid(DAY_MS) + 1) * DAY_MS,
        }
    }
}

/// From which figures on losses stop trading; the default is the legacy one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it; hours, shares of the account, account currency")]
pub struct CooldownLimits {
    /// Losses looked at; with fewer nothing is paused.
    pub losses: usize,
    /// Trades among which they must lie for a level 1 pause.
    pub recent_trades: usize,
    pub level_3_hours: f64,
    pub level_3_share: f64,
    pub level_2_hours: f64,
    pub level_2_share: f64,
    /// Above this volatility (1 is usual) ...
    pub tolerant_volatility: f64,
    /// ... losses below this share are tolerated.
    pub tolerated_share: f64,
    /// Losses below this amount are tolerated.
    pub tolerated_amount: f64,
}

impl Default for CooldownLimits {
    fn default() -> Self {
        Self {
            losses: 3,
            recent_trades: 5,
            level_3_hours: 2.0,
            level_3_share: 0.05,
            level_2_hours: 6.0,
            level_2_share: 0.03,
            tolerant_volatility: 1.8,
            tolerated_share: 0.02,
            tolerated_amount: 1.0,
        }
    }
}

/// What the last losses say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CooldownStatus {
    /// Too few losses, or too few of them recent.
    Quiet,
    /// Enough losses, but small ones while the market moves much.
    ToleratedVolatile {
        /// Share of the account lost.
        share: f64,
    },
    /// Enough losses, but of little money.
    ToleratedSmall {
        /// Amount lost, account currency.
        amount: f64,
    },
    /// Trading should pause.
    Pause {
        /// How long.
        level: PauseLevel,
        /// Amount lost, account currency.
        amount: f64,
        /// Share of the account lost; 0 without an account.
        share: f64,
        /// From the opening of the first to the close of the last of these losses.
        hours: f64,
        /// Losses among the recent trades.
        recent_losses: usize,
    },
}

impl CooldownStatus {
    /// Returns the level of the pause.
    pub fn level(&self) -> Option<PauseLevel> {
        match self {
            Self::Pause { level, .. } => Some(*level),
            _ => None,
        }
    }

    /// Returns the legacy sentence; empty where there is nothing to say.
    pub fn reason(&self) -> String {
        match *self {
            Self::Quiet => String::new(),
            Self::ToleratedVolatile { share } => {
                format!("市场极端波动期，小幅亏损{:.1}%可容忍", 100.0 * share)
            }
            Self::ToleratedSmall { amount } => format!("亏损额度较小({amount:.2}U)，暂不触发冷静期"),
            Self::Pause { level: PauseLevel::One, amount, recent_losses, .. } => {
                format!("连续{recent_losses}笔亏损(总计{amount:.2}U)")
            }
            Self::Pause { level: PauseLevel::Two, hours, share, .. } => {
                format!("高风险：{hours:.1}小时内亏损{:.1}%", 100.0 * share)
            }
            Self::Pause { level: PauseLevel::Three, hours, share, .. } => {
                format!("极端风险：{hours:.1}小时内亏损{:.1}%", 100.0 * share)
            }
        }
    }
}

/// Hours assumed where the times of losses are not known.
const UNKNOWN_HOURS: f64 = 24.0;

/// Returns what the last losses say. They need not follow each other: three losses among five trades are enough.
///
/// Shape:     `trades` in the order in which they were closed
/// Units:     account value in the currency of the profits; volatility 1 is usual, see [`volatility`]
/// Cost:      O(trades)
/// Source:    section 13 of the legacy specification
pub fn cooldown(
    trades: &[ClosedTrade],
    account: f64,
    volatility: f64,
    limits: &CooldownLimits,
) -> CooldownStatus {
    let losses: Vec<&ClosedTrade> = trades.iter().filter(|trade| trade.profit < 0.0).collect();
    if losses.is_empty() || trades.len() < limits.losses || losses.len() < limits.losses {
        return CooldownStatus::Quiet;
    }
    let last = &losses[losses.len() - limits.losses..];
    let amount: f64 = last.iter().map(|trade| trade.profit.abs()).sum();
    let share = if account > 0.0 { amount / account } else { 0.0 };
    let hours = span_hours(last).unwrap_or(UNKNOWN_HOURS);
    let recent = &trades[trades.len().saturating_sub(limits.recent_trades)..];
    let recent_losses = recent.iter().filter(|trade| trade.profit < 0.0).count();
    let pause = |level| CooldownStatus::Pause { level, amount, share, hours, recent_losses };
    if hours < limits.level_3_hours && share > limits.level_3_share {
        return pause(PauseLevel::Three);
    }
    if hours < limits.level_2_hours && share > limits.level_2_share {
        return pause(PauseLevel::Two);
    }
    if recent_losses < limits.losses {
        return CooldownStatus::Quiet;
    }
    if volatility > limits.tolerant_volatility && share < limits.tolerated_share {
        return CooldownStatus::ToleratedVolatile { share };
    }
    if amount < limits.tolerated_amount {
        return CooldownStatus::ToleratedSmall { amount };
    }
    pause(PauseLevel::One)
}

fn span_hours(losses: &[&ClosedTrade]) -> Option<f64> {
    let (first, last) = (losses.first()?.opened_at_ms?, losses.last()?.closed_at_ms?);
    Some((last - first) as f64 / HOUR_MS as f64)
}

/// Account snapshots looked at for the volatility.
const VOLATILITY_SNAPSHOTS: usize = 48;

/// Returns the volatility of the account: the deviation of its relative changes over the last 48 snapshots in percent
/// points, in [0.5, 3]; 1 where there are fewer than two changes.
pub fn volatility(account_values: &[f64]) -> f64 {
    let recent = &account_values[account_values.len().saturating_sub(VOLATILITY_SNAPSHOTS)..];
    let pairs = recent.windows(2).filter(|pair| pair[0] > 0.0);
    let changes: Vec<f64> = pairs.map(|pair| (pair[1] - pair[0]) / pair[0]).collect();
    if changes.len() < 2 {
        return 1.0;
    }
    (population_deviation(&changes) / 0.01).clamp(0.5, 3.0)
}

/// A pause that lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// How serious.
    pub level: PauseLevel,
    /// When it began; UTC ms.
    pub began_ms: i64,
    /// When it ends; UTC ms.
    pub until_ms: i64,
}

impl Pause {
    /// Begins a pause.
    pub fn begin(level: PauseLevel, now_ms: i64) -> Self {
        Self { level, began_ms: now_ms, until_ms: level.until_ms(now_ms) }
    }
}

/// Whether a pause still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseState {
    /// Trading is allowed.
    Over,
    /// Trades won since then shorten it: trading is allowed, and what is left is a milder level without end.
    Eased(Option<PauseLevel>),
    /// Trading waits.
    Paused {
        /// Whole minutes left.
        minutes: i64,
    },
}

/// Account currency that ends a level 1 pause: by one win, or by all trades together.
const ONE_WIN: f64 = 1.0;
const ALL_TRADES: f64 = 2.0;
/// Shares of the losses before a pause that wins must make good.
const LEVEL_2_MADE_GOOD: f64 = 0.3;
const LEVEL_3_MADE_GOOD: f64 = 0.5;
/// Account currency taken as these losses where no trade was closed in that hour.
const UNKNOWN_LOSS: f64 = 5.0;

/// Returns whether a pause still holds.
///
/// Shape:     `trades` in any order; those closed after the pause began can end it, those of the hour before are
///            what they must make good
/// Source:    section 13 of the legacy specification
pub fn pause_state(pause: &Pause, trades: &[ClosedTrade], now_ms: i64) -> PauseState {
    if is_made_good(pause, trades) {
        return PauseState::Eased(pause.level.milder());
    }
    match pause.until_ms - now_ms {
        left if left <= 0 => PauseState::Over,
        left => PauseState::Paused { minutes: left / 60_000 },
    }
}

fn is_made_good(pause: &Pause, trades: &[ClosedTrade]) -> bool {
    let closed_in = |from: i64, to: i64| {
        let inside = move |trade: &&ClosedTrade| trade.closed_at_ms.is_some_and(|at| from <= at && at < to);
        trades.iter().filter(inside).map(|trade| trade.profit).collect::<Vec<f64>>()
    };
    let since = closed_in(pause.began_ms, i64::MAX);
    let wins: f64 = since.iter().filter(|profit| **profit > 0.0).sum();
    let before = closed_in(pause.began_ms - HOUR_MS, pause.began_ms);
    let lost: f64 = match before.is_empty() {
        true => UNKNOWN_LOSS,
        false => before.iter().filter(|profit| **profit < 0.0).map(|profit| profit.abs()).sum(),
    };
    match pause.level {
        PauseLevel::One => {
            since.iter().any(|profit| *profit > ONE_WIN) || since.iter().sum::<f64>() > ALL_TRADES
        }
        PauseLevel::Two => wins > LEVEL_2_MADE_GOOD * lost,
        PauseLevel::Three => wins > LEVEL_3_MADE_GOOD * lost,
    }
}

/// Returns the legacy sentence about a pause with so many minutes left.
pub fn pause_reason(level: PauseLevel, minutes: i64) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match level {
        PauseLevel::One => format!("冷静期中（2小时），剩余{hours}h{rest}m"),
        PauseLevel::Two => format!("冷静期中（4小时），剩余{hours}h{rest}m"),
        PauseLevel::Three => "今日交易已暂停（明日00:00恢复）".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(hour: i64, profit: f64) -> ClosedTrade {
        let at = hour * HOUR_MS;
        ClosedTrade { opened_at_ms: Some(at), closed_at_ms: Some(at + HOUR_MS / 2), profit }
    }

    #[test]
    fn the_speed_and_size_of_losses_decide() {
        let limits = CooldownLimits::default();
        let of = |profits: [f64; 3], account| {
            let trades: Vec<_> = profits.iter().zip(0..).map(|(profit, hour)| trade(hour, *profit)).collect();
            cooldown(&trades, account, 1.0, &limits).level()
        };
        assert_eq!(of([-1.0, -1.0, -1.0], 1_000.0), Some(PauseLevel::One));
        assert_eq!(of([-1.0, -1.0, -2.0], 100.0), Some(PauseLevel::Two));
        assert_eq!(of([-1.0, -1.0, 2.0], 100.0), None);
        let fast = [trade(0, -2.0), trade(0, -2.0), trade(1, -2.0)];
        assert_eq!(cooldown(&fast, 100.0, 1.0, &limits).level(), Some(PauseLevel::Three));
        assert_eq!(cooldown(&fast[..2], 100.0, 1.0, &limits), CooldownStatus::Quiet);
    }

    #[test]
    fn wins_ease_a_pause_and_time_ends_it() {
        let pause = Pause::begin(PauseLevel::Two, 10 * HOUR_MS);
        assert_eq!(pause_state(&pause, &[], 11 * HOUR_MS), PauseState::Paused { minutes: 180 });
        assert_eq!(pause_state(&pause, &[], 14 * HOUR_MS), PauseState::Over);
        let lost = trade(9, -4.0);
        let made_good = [lost, trade(11, 1.3)];
        assert_eq!(pause_state(&pause, &made_good, 12 * HOUR_MS), PauseState::Eased(Some(PauseLevel::One)));
        let not_yet = [lost, trade(11, 1.1)];
        assert_eq!(pause_state(&pause, &not_yet, 12 * HOUR_MS), PauseState::Paused { minutes: 120 });
        assert_eq!(PauseLevel::Three.until_ms(10 * HOUR_MS), DAY_MS);
    }

    #[test]
    fn the_volatility_of_an_account_is_held_in_its_range() {
        assert_eq!(volatility(&[100.0, 101.0]), 1.0);
        assert_eq!(volatility(&[100.0; 60]), 0.5);
        assert_eq!(volatility(&[100.0, 110.0, 90.0, 110.0]), 3.0);
    }
}

//! Follows closed trades one by one and keeps the pause between them, as the legacy meant to and never did (D42).

use super::cooldown::{
    ClosedTrade, CooldownLimits, CooldownStatus, Pause, PauseState, cooldown, pause_state,
};
use crate::model::HOUR_MS;

/// A closed trade with what the account was when it had been closed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closing {
    /// The trade.
    pub trade: ClosedTrade,
    /// When it is taken to be closed: UTC ms.
    pub at_ms: i64,
    /// Account currency; 0 where it is not known.
    pub account: f64,
    /// 1 is usual, see [`super::cooldown::volatility`].
    pub volatility: f64,
}

/// How things stand after all closings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PauseStanding {
    /// The last pause with what is left of it; `None` where there was none, or wins ended it between trades.
    pub pause: Option<(Pause, PauseState)>,
    /// What the losses said that began it; [`CooldownStatus::Quiet`] without a pause.
    pub cause: CooldownStatus,
    /// What the last loss says.
    pub last: CooldownStatus,
    /// Pauses begun.
    pub begun: u64,
}

/// Follows closings until now. A loss begins a pause, or a more serious one; time and wins end it.
///
/// Shape:     closings ascend in time; those after now are not looked at
/// Causality: what a closing says depends on those before it
/// Cost:      O(closings), and per closing the trades since the pause began
pub fn pause_standing(closings: &[Closing], now_ms: i64, limits: &CooldownLimits) -> PauseStanding {
    let known = closings.partition_point(|closing| closing.at_ms <= now_ms);
    let trades: Vec<ClosedTrade> = closings[..known].iter().map(|closing| closing.trade).collect();
    let quiet = CooldownStatus::Quiet;
    let mut standing = PauseStanding { pause: None, cause: quiet, last: quiet, begun: 0 };
    let mut losses = Vec::new();
    for (place, closing) in closings[..known].iter().enumerate() {
        standing.pass_time(&trades[..=place], closings, closing.at_ms);
        if closing.trade.profit < 0.0 {
            losses.push(place);
            let from = recent_from(&losses, place, limits);
            standing.last = cooldown(&trades[from..=place], closing.account, closing.volatility, limits);
            standing.begin(closing.at_ms);
        }
    }
    let left = standing.pause.map(|(pause, _)| (pause, state(&pause, &trades, closings, now_ms)));
    PauseStanding { pause: left, ..standing }
}

/// Returns the first trade that matters for what the last losses say.
fn recent_from(losses: &[usize], place: usize, limits: &CooldownLimits) -> usize {
    let of_losses = losses.len().checked_sub(limits.losses).map_or(0, |first| losses[first]);
    of_losses.min((place + 1).saturating_sub(limits.recent_trades))
}

fn state(pause: &Pause, trades: &[ClosedTrade], closings: &[Closing], now_ms: i64) -> PauseState {
    // Those of the hour before the pause count, see `pause_state`.
    let from = closings.partition_point(|closing| closing.at_ms < pause.began_ms - HOUR_MS);
    pause_state(pause, &trades[from.min(trades.len())..], now_ms)
}

impl PauseStanding {
    /// Ends the pause that time or wins have ended.
    fn pass_time(&mut self, trades: &[ClosedTrade], closings: &[Closing], now_ms: i64) {
        let Some((pause, _)) = self.pause else { return };
        match state(&pause, trades, closings, now_ms) {
            PauseState::Paused { .. } => {}
            PauseState::Over | PauseState::Eased(_) => {
                (self.pause, self.cause) = (None, CooldownStatus::Quiet)
            }
        }
    }

    /// Begins the pause that the last loss asks for, unless one as serious holds.
    fn begin(&mut self, now_ms: i64) {
        let Some(level) = self.last.level() else { return };
        if self.pause.is_none_or(|(pause, _)| level > pause.level) {
            let pause = Pause::begin(level, now_ms);
            self.pause = Some((pause, PauseState::Paused { minutes: (pause.until_ms - now_ms) / 60_000 }));
            self.cause = self.last;
            self.begun += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::rules::cooldown::PauseLevel;
    use proptest::prelude::*;

    /// Trades of half an hour, each closed at the hour given, on an account of 100.
    fn closings(trades: &[(i64, f64)]) -> Vec<Closing> {
        let closing = |(hour, profit): &(i64, f64)| {
            let at_ms = hour * HOUR_MS;
            let trade = ClosedTrade {
                opened_at_ms: Some(at_ms - HOUR_MS / 2),
                closed_at_ms: Some(at_ms),
                profit: *profit,
            };
            Closing { trade, at_ms, account: 100.0, volatility: 1.0 }
        };
        trades.iter().map(closing).collect()
    }

    fn at(trades: &[(i64, f64)], hour: i64) -> PauseStanding {
        pause_standing(&closings(trades), hour * HOUR_MS, &CooldownLimits::default())
    }

    #[test]
    fn the_third_loss_pauses_until_time_or_a_win_ends_it() {
        // 2.4 % in ten hours: level 1, two hours.
        let losses = [(10, -0.8), (15, -0.8), (20, -0.8)];
        let quiet = CooldownStatus::Quiet;
        assert_eq!(at(&losses[..2], 20), PauseStanding { pause: None, cause: quiet, last: quiet, begun: 0 });
        assert_eq!(at(&losses, 19).begun, 0, "the third is not known yet");
        let (pause, left) = at(&losses, 21).pause.expect("a pause");
        assert_eq!(
            (pause.level, pause.began_ms, left),
            (PauseLevel::One, 20 * HOUR_MS, PauseState::Paused { minutes: 60 })
        );
        assert_eq!(at(&losses, 22).pause.map(|(_, left)| left), Some(PauseState::Over));
        let won = [losses.as_slice(), &[(21, 1.5)]].concat();
        assert_eq!(at(&won, 21).pause, None, "a win of more than 1 ends it");
        assert_eq!(at(&won, 21).begun, 1);
    }

    #[test]
    fn a_loss_in_a_pause_can_make_it_more_serious() {
        // The last three lose 6 % within two hours: level 3, until midnight.
        let trades = [(10, -0.8), (15, -0.8), (20, -0.8), (20, -2.6), (21, -2.6)];
        let found = at(&trades, 22);
        let (pause, left) = found.pause.expect("a pause");
        assert_eq!(
            (pause.level, found.begun, left),
            (PauseLevel::Three, 3, PauseState::Paused { minutes: 120 })
        );
        assert_eq!(found.cause.level(), Some(PauseLevel::Three));
        assert_eq!(
            at(&[trades.as_slice(), &[(22, 5.0)]].concat(), 23).cause,
            CooldownStatus::Quiet,
            "a win ended it"
        );
        assert_eq!(at(&trades, 24).pause.map(|(_, left)| left), Some(PauseState::Over));
    }

    proptest! {
        #[test]
        fn looking_at_recent_trades_only_changes_nothing(
            steps in prop::collection::vec((0_i64..5, -30_i32..30), 0..40),
        ) {
            let mut hour = 0;
            let trades: Vec<(i64, f64)> = steps.iter().map(|(wait, profit)| {
                hour += wait;
                (hour, f64::from(*profit) / 10.0)
            }).collect();
            let (all, limits) = (closings(&trades), CooldownLimits::default());
            let plain: Vec<ClosedTrade> = all.iter().map(|closing| closing.trade).collect();
            let last = plain.iter().rposition(|trade| trade.profit < 0.0);
            let whole = last.map_or(CooldownStatus::Quiet, |last| cooldown(&plain[..=last], 100.0, 1.0, &limits));
            let found = pause_standing(&all, i64::MAX / 2, &limits);
            prop_assert_eq!(found.last, whole);
            // A prefix stands where the whole stood then.
            for cut in 0..all.len() {
                let now = all[cut].at_ms;
                let known = all.partition_point(|closing| closing.at_ms <= now);
                prop_assert_eq!(pause_standing(&all[..known], now, &limits), pause_standing(&all, now, &limits));
            }
        }
    }
}

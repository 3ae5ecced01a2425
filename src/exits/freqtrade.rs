//! The fills of freqtrade's backtest, as it has them: a walk of its own, rule by rule, that shares nothing with the one pass.
//!
//! Where it differs from ours: a stop is filled at its price wherever the candle opens, unless the whole candle lies beyond; the
//! trailing stop is moved by the favourable extreme of a candle before the adverse one is looked at, and lies behind it by a share of that
//! price; targets are net of fees and funding, and come before a stop that has moved, but after one that has not; what a long pays
//! for funding a short gets, at the instant of the entry too. The longest holding time ends at the close of its last candle, as ours does.
//!
//! Source: freqtrade 2026.9, docs/backtesting.md ("Assumptions") and its measured trades

use super::costs::{TradeCosts, funding_stamps};
use super::moving::{best_extreme, better_price, worst_extreme};
use super::position::Position;
use crate::model::{Bars, ExitReason, ExitRule, Interval, MINUTE_MS, Outcome, ReturnPpm};

/// An exit rule as freqtrade has it: shares are of the stake.
#[derive(Debug, Clone, PartialEq)]
struct StakeRule {
    hold_bars: usize,
    leverage: f64,
    /// Infinite where there is none.
    stop: f64,
    trailing: Option<Trailing>,
    /// By minutes since the entry, ascending; each counts until the next does.
    targets: Vec<(f64, f64)>,
    follows_signal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Trailing {
    distance: f64,
    offset: f64,
    /// Nothing trails before the offset.
    waits: bool,
}

impl StakeRule {
    /// Returns a rule, `None` where it has exits that freqtrade does not have.
    fn of(rule: &ExitRule, interval: Interval) -> Option<Self> {
        if rule.beyond_freqtrade().is_some() {
            return None;
        }
        let share = |percent: f64| percent / 100.0;
        let offset = share(rule.trailing_offset_pct.unwrap_or(0.0));
        let waits = rule.trailing_only_offset == Some(1.0) && offset > 0.0;
        let trailing = rule.trailing_pct.map(|percent| Trailing { distance: share(percent), offset, waits });
        let targets = rule.targets().into_iter().map(|(minutes, percent)| (minutes, share(percent)));
        Some(Self {
            hold_bars: interval.bars_in_hours(rule.hold_hours),
            leverage: rule.leverage.unwrap_or(1.0),
            stop: rule.stop_loss_pct.map_or(f64::INFINITY, share),
            trailing,
            targets: targets.collect(),
            follows_signal: rule.exit_signal.is_some(),
        })
    }
}

/// Returns the outcome of a position under a rule, `None` where it has exits that freqtrade does not have.
pub(super) fn outcome(
    position: &Position<'_>,
    ahead: Bars<'_>,
    costs: &TradeCosts,
    rule: &ExitRule,
) -> Option<Outcome> {
    let rule = StakeRule::of(rule, ahead.interval)?;
    Some(
        StakeWalk { position, ahead, costs, side: position.direction.sign(), entry: ahead.open[0] }
            .follow(&rule),
    )
}

/// A position on its way, with what it has received for funding so far; price units.
struct StakeWalk<'a> {
    position: &'a Position<'a>,
    ahead: Bars<'a>,
    costs: &'a TradeCosts,
    side: f64,
    entry: f64,
}

/// The stop of a position as it moves.
#[derive(Clone, Copy)]
struct MovedStop {
    price: f64,
    /// Share of the stake that it is away from the price that moved it last.
    share: f64,
    has_moved: bool,
}

impl StakeWalk<'_> {
    fn follow(&self, rule: &StakeRule) -> Outcome {
        let Self { ahead, side, entry, .. } = *self;
        let direction = self.position.direction;
        let price = entry * (1.0 - side * rule.stop / rule.leverage);
        let mut stop = MovedStop { price, share: rule.stop, has_moved: false };
        let mut funding = 0.0;
        let mut stamps = funding_stamps(ahead.open_time[0] - 1);
        let last = rule.hold_bars.min(ahead.len()) - 1;
        for bar in 0..=last {
            let open = ahead.open[bar];
            let now = funding_stamps(ahead.open_time[bar]);
            funding -= side * self.costs.funding_per_8h() * (now - stamps) as f64 * open;
            stamps = now;
            let end = |price, reason| self.end(bar, price, reason, funding);
            if rule.follows_signal && self.position.exit_at.is_some_and(|at| usize::from(at) == bar) {
                return end(open, ExitReason::ExitSignal);
            }
            let (best, worst) = (best_extreme(ahead, bar, direction), worst_extreme(ahead, bar, direction));
            let is_reached = |stop: &MovedStop| side * stop.price >= side * worst;
            if let Some(trailing) = rule.trailing.filter(|_| !is_reached(&stop)) {
                let profit = self.profit(best, ExitReason::TrailingStop, funding) * rule.leverage;
                stop.follow(trailing, profit, rule, side, best);
            }
            let stopped = is_reached(&stop).then(|| self.stop_fill(&stop, rule, bar, (best, worst)));
            if let Some(price) = stopped.filter(|_| !stop.has_moved) {
                let is_gap = side * stop.price > side * best;
                return end(price, if is_gap { ExitReason::StopGap } else { ExitReason::Stop });
            }
            if let Some(price) = self.target_fill(rule, bar, (best, worst), funding) {
                return end(price, ExitReason::Roi);
            }
            if let Some(price) = stopped {
                return end(price, ExitReason::TrailingStop);
            }
        }
        let close = ahead.close[last];
        let after = funding_stamps(ahead.open_time[last] + ahead.interval.ms()) - stamps;
        let funding = funding - side * self.costs.funding_per_8h() * after as f64 * close;
        let reason = if last + 1 == rule.hold_bars { ExitReason::Time } else { ExitReason::DataEnd };
        self.end(last, close, reason, funding)
    }

    /// Returns where a stop that a candle reaches is filled.
    fn stop_fill(&self, stop: &MovedStop, rule: &StakeRule, bar: usize, (best, worst): (f64, f64)) -> f64 {
        let Self { side, entry, .. } = *self;
        if side * stop.price > side * best {
            return self.ahead.open[bar];
        }
        let Some(trailing) = rule.trailing.filter(|_| stop.has_moved && bar == 0) else { return stop.price };
        // Within the entry candle: the price moves just enough to move the stop, and falls.
        let price = match trailing.waits {
            true => entry * (1.0 + side * trailing.offset - side * trailing.distance / rule.leverage),
            false => entry * (1.0 - side * stop.share / rule.leverage),
        };
        better_price(self.position.direction, worst, price)
    }

    /// Returns where the target in force is filled, if a candle reaches it.
    fn target_fill(
        &self,
        rule: &StakeRule,
        bar: usize,
        (best, worst): (f64, f64),
        funding: f64,
    ) -> Option<f64> {
        let Self { side, entry, costs, .. } = *self;
        let minutes = bar as f64 * (self.ahead.interval.ms() / MINUTE_MS) as f64;
        let (from, target) = *rule.targets.iter().rev().find(|(from, _)| *from <= minutes)?;
        let own = target / rule.leverage;
        if self.profit(best, ExitReason::Roi, funding) <= own {
            return None;
        }
        let (fee_in, fee_out) = (costs.taker_fee(), costs.order(ExitReason::Roi).0);
        let price = (entry * (1.0 + side * fee_in + side * own) - side * funding) / (1.0 - side * fee_out);
        let open = self.ahead.open[bar];
        if bar > 0 && from == minutes && side * open > side * price {
            return Some(open);
        }
        let within = better_price(self.position.direction, worst, price);
        Some(if side * within > side * best { best } else { within })
    }

    /// Returns the net profit at a price as a share of the position, before slippage.
    fn profit(&self, price: f64, reason: ExitReason, funding: f64) -> f64 {
        self.net(self.entry, price, self.costs.order(reason).0, funding)
    }

    /// Source: value at the close, after its fee and with funding, over that at the entry, with its fee
    fn net(&self, entered: f64, left: f64, fee_out: f64, funding: f64) -> f64 {
        let side = self.side;
        let paid = entered * (1.0 + side * self.costs.taker_fee());
        let got = left * (1.0 - side * fee_out) + side * funding;
        side * (got / paid - 1.0)
    }

    fn end(&self, bar: usize, price: f64, reason: ExitReason, funding: f64) -> Outcome {
        let Self { side, entry, costs, .. } = *self;
        let (fee, slippage) = costs.order(reason);
        let entered = entry * (1.0 + side * costs.slippage());
        let net = ReturnPpm::of_trade(self.net(entered, price * (1.0 - side * slippage), fee, funding));
        Outcome {
            net,
            best_case: net,
            gross: ReturnPpm::of_trade(side * (price - entry) / entry),
            bars_held: bar as u16 + 1,
            reason,
            ambiguous: false,
        }
    }
}

impl MovedStop {
    /// Moves the stop behind the best price of a candle, at which the position has a profit.
    fn follow(&mut self, trailing: Trailing, profit: f64, rule: &StakeRule, side: f64, best: f64) {
        if trailing.waits && profit < trailing.offset {
            return;
        }
        let share = if profit > trailing.offset { trailing.distance } else { rule.stop };
        let price = best * (1.0 - side * share / rule.leverage);
        if side * price > side * self.price {
            *self = Self { price, share, has_moved: true };
        }
    }
}

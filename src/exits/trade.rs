//! A position that pays: what it is filled at when a target, a stop or time ends it.

use super::costs::{Fill, OpenTrade};
use super::levels::Passage;
use super::mechanisms::MOVING_MAX;
use super::moving::{MovingStops, best_extreme, better_price};
use super::targets::{Filled, TargetHit};
use crate::model::{Bars, Direction, ExitReason, Outcome, ReturnPpm};

/// What may stop a position: the stops of one rule.
#[derive(Debug)]
pub(super) struct Stops {
    /// The fixed stop.
    pub fixed: Passage,
    /// Stops that move, by their places among the position's.
    pub moving: [Option<usize>; MOVING_MAX],
}

/// A first target, with the share closed there.
pub(super) type FirstTarget = Option<(Passage, f64)>;

/// How a position ends: the fill of the part closed at the first target, with its share, and that of the rest.
#[derive(Clone, Copy, PartialEq)]
struct Exit {
    first: Option<(Fill, f64)>,
    last: Fill,
}

/// A position that pays.
pub(super) struct Trade<'a> {
    /// The candles from the entry on.
    pub ahead: Bars<'a>,
    /// Side.
    pub direction: Direction,
    /// What it costs.
    pub open: OpenTrade<'a>,
    /// The position's moving stops.
    pub moving: &'a MovingStops,
}

impl Trade<'_> {
    /// Returns the outcome of a target that is reached.
    pub(super) fn at_target(&self, target: TargetHit, first: FirstTarget) -> Outcome {
        let fill = match target.filled {
            Filled::AtLevel => self.at_level(target.at, target.distance),
            Filled::AtOpen => {
                let bar = usize::from(target.at);
                let (price, held_until_ms) = (self.ahead.open[bar], self.ahead.open_time[bar]);
                Fill { price, reason: target.reason, held_until_ms }
            }
        };
        let fill = Fill { reason: target.reason, ..fill };
        self.close(self.exit(first, target.at, fill), None, target.at)
    }

    /// Returns the outcome of a position closed at a candle's close.
    pub(super) fn at_close(&self, bar: u16, reason: ExitReason, first: FirstTarget) -> Outcome {
        let i = usize::from(bar);
        let held_until_ms = self.ahead.open_time[i] + self.ahead.interval.ms();
        let fill = Fill { price: self.ahead.close[i], reason, held_until_ms };
        self.close(self.exit(first, bar, fill), None, bar)
    }

    /// Returns the candle that first touches one of some stops.
    pub(super) fn touched_at(&self, stops: &Stops) -> u16 {
        stops.moving.iter().flatten().fold(stops.fixed.at, |at, place| at.min(self.moving.at(*place)))
    }

    /// Returns the outcome of a position whose stops are first touched by a candle, and whether the candle opens beyond the stop.
    ///
    /// Unless it does, a target that the same candle reaches is the best case.
    pub(super) fn stopped(&self, stops: &Stops, bar: u16, first: FirstTarget) -> (Outcome, bool) {
        let i = usize::from(bar);
        let side = self.direction.sign();
        let fill = |price, reason| Fill { price, reason, held_until_ms: self.ahead.open_time[i] };
        // Before the adverse extreme the first target is filled by earlier candles, or by an open beyond it.
        let filled = first.filter(|(at, _)| at.at < bar || self.opens_beyond(bar, at.distance));
        let filled = filled.map(|first| self.part(first));
        let peak = self.moving.peak(i);
        let (level, reason) = self.tightest(stops, peak);
        let open = self.ahead.open[i];
        if side * open < side * level {
            return (
                self.close(Exit { first: filled, last: fill(open, ExitReason::StopGap) }, None, bar),
                true,
            );
        }
        let worst = Exit { first: filled, last: fill(level, reason) };
        let after =
            peak.map(|peak| better_price(self.direction, peak, best_extreme(self.ahead, i, self.direction)));
        if first.is_none() && (stops.moving == [None; MOVING_MAX] || after == peak) {
            return (self.close(worst, None, bar), false);
        }
        let (level, reason) = self.tightest(stops, after);
        let best = self.exit(first, bar, fill(level, reason));
        (self.close(worst, (best != worst).then_some(best), bar), false)
    }

    /// Returns the price of the tightest stop for the best price so far, and its reason.
    fn tightest(&self, stops: &Stops, peak: Option<f64>) -> (f64, ExitReason) {
        let side = self.direction.sign();
        let fixed = (self.ahead.open[0] - side * stops.fixed.distance, ExitReason::Stop);
        let moving = stops.moving.iter().flatten().map(|place| self.moving.stop(*place));
        let armed = moving.filter_map(|stop| Some((stop.level(self.direction, peak?)?, stop.reason())));
        armed.fold(fixed, |tightest, stop| if side * stop.0 > side * tightest.0 { stop } else { tightest })
    }

    /// Returns an exit after a candle's favourable extreme: the first target is filled up to and with this candle.
    #[inline]
    fn exit(&self, first: FirstTarget, bar: u16, last: Fill) -> Exit {
        let first = first.filter(|(first, _)| first.at <= bar);
        Exit { first: first.map(|first| self.part(first)), last }
    }

    /// Returns the fill at the first target, with its share.
    fn part(&self, (first, share): (Passage, f64)) -> (Fill, f64) {
        (self.at_level(first.at, first.distance), share)
    }

    #[inline]
    fn close(&self, worst: Exit, best: Option<Exit>, bar: u16) -> Outcome {
        let (gross, net) = self.result(worst);
        let net = ReturnPpm::of_trade(net);
        let best_case = best.map_or(net, |exit| ReturnPpm::of_trade(self.result(exit).1));
        Outcome {
            net,
            best_case,
            gross: ReturnPpm::of_trade(gross),
            bars_held: bar + 1,
            reason: worst.last.reason,
            ambiguous: best.is_some(),
        }
    }

    /// Returns (gross, net) of an exit: the parts weighted by their shares.
    #[inline]
    fn result(&self, exit: Exit) -> (f64, f64) {
        let last = self.open.result(exit.last);
        let Some((fill, share)) = exit.first else { return last };
        let first = self.open.result(fill);
        let weighted = |first: f64, last: f64| share * first + (1.0 - share) * last;
        (weighted(first.0, last.0), weighted(first.1, last.1))
    }

    /// Returns the fill of a resting order at a distance.
    fn at_level(&self, bar: u16, distance: f64) -> Fill {
        let price = self.ahead.open[0] + self.direction.sign() * distance;
        Fill { price, reason: ExitReason::TakeProfit, held_until_ms: self.ahead.open_time[usize::from(bar)] }
    }

    /// Returns whether a candle opens beyond a target.
    pub(super) fn opens_beyond(&self, bar: u16, distance: f64) -> bool {
        let side = self.direction.sign();
        side * self.ahead.open[usize::from(bar)] > side * (self.ahead.open[0] + side * distance)
    }
}

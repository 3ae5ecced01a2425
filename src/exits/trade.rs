//! One position under one rule: which event ends it, and what it is filled at.

use super::costs::{Fill, TradeCosts};
use super::levels::Passage;
use super::moving::{MovingStop, best, better};
use crate::model::{Bars, Direction, ExitReason, Outcome, ReturnPpm};

/// A position to follow: where it is entered, and what is known then.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    /// The market's candles: gapless from the entry on for the longest horizon, and 20 candles before it.
    pub bars: Bars<'a>,
    /// Index of the entry candle; the entry is its open.
    pub entry: usize,
    /// Side.
    pub direction: Direction,
    /// ATR(14) at the signal; price units.
    pub atr: f64,
    /// Score of the signal, 0..=100; `None` where it has none.
    pub score: Option<f64>,
}

impl Position<'_> {
    /// Returns the entry price.
    pub fn entry_price(&self) -> f64 {
        self.bars.open[self.entry]
    }
}

/// What becomes of the levels of one rule.
pub struct Course<'a> {
    /// The take-profit.
    pub target: Passage,
    /// The fixed stop.
    pub stop: Passage,
    /// Stops that move, with the candles that first touch them.
    pub moving: [Option<&'a (MovingStop, u16)>; 2],
    /// The first target, with the share closed there.
    pub first: Option<(Passage, f64)>,
    /// The candle with a volume surge.
    pub surge_at: u16,
    /// Longest holding time in candles.
    pub hold_bars: u16,
    /// The best price known when each candle begins; empty where no stop moves.
    pub peaks: &'a [f64],
}

/// How a position ends: the fill of the part closed at the first target, with its share, and that of the rest.
#[derive(Clone, Copy, PartialEq)]
struct Exit {
    first: Option<(Fill, f64)>,
    last: Fill,
}

/// A position that pays.
pub struct Trade<'a> {
    /// The candles from the entry on.
    pub ahead: Bars<'a>,
    /// Side.
    pub direction: Direction,
    /// Costs of the symbol.
    pub costs: &'a TradeCosts,
}

impl Trade<'_> {
    /// Picks the earliest of stop, target, surge and time.
    ///
    /// Rules: inside one candle its open comes first, then the adverse extreme, the favourable one and the close. An open
    ///        beyond the stop fills there; a target never fills better than its level. The best case has the
    ///        favourable extreme first in the exit candle: it reaches targets, arms and moves stops.
    pub fn outcome(&self, course: &Course<'_>) -> Outcome {
        let stop_at = course.moving.iter().flatten().fold(course.stop.at, |at, (_, touch)| at.min(*touch));
        let bar = stop_at.min(course.target.at).min(course.surge_at);
        if bar >= course.hold_bars {
            let last = course.hold_bars - 1;
            return self.close(self.exit(course, last, self.at_close(last, ExitReason::Time)), None, last);
        }
        if stop_at == bar && !self.opens_beyond(bar, course.target.distance) {
            return self.stopped(course, bar);
        }
        let fill = match course.target.at == bar {
            true => self.at_level(bar, course.target.distance),
            false => self.at_close(bar, ExitReason::VolumeSurge),
        };
        self.close(self.exit(course, bar, fill), None, bar)
    }

    fn stopped(&self, course: &Course<'_>, bar: u16) -> Outcome {
        let i = usize::from(bar);
        let side = self.direction.sign();
        let fill = |price, reason| Fill { price, reason, held_until_ms: self.ahead.open_time[i] };
        // Before the adverse extreme the first target is filled by earlier candles, or by an open beyond it.
        let first = course.first.filter(|(at, _)| at.at < bar || self.opens_beyond(bar, at.distance));
        let first = first.map(|first| self.part(first));
        let peak = course.peaks.get(i).copied();
        let (level, reason) = self.tightest(course, peak);
        let open = self.ahead.open[i];
        if side * open < side * level {
            return self.close(Exit { first, last: fill(open, ExitReason::StopGap) }, None, bar);
        }
        let worst = Exit { first, last: fill(level, reason) };
        if course.target.at == bar {
            let best = self.exit(course, bar, self.at_level(bar, course.target.distance));
            return self.close(worst, Some(best), bar);
        }
        if course.first.is_none() && course.peaks.is_empty() {
            return self.close(worst, None, bar);
        }
        let peak = peak.map(|peak| better(self.direction, peak, best(self.ahead, i, self.direction)));
        let (level, reason) = self.tightest(course, peak);
        let best = self.exit(course, bar, fill(level, reason));
        self.close(worst, (best != worst).then_some(best), bar)
    }

    /// Returns the price of the tightest stop for the best price so far, and its reason.
    fn tightest(&self, course: &Course<'_>, peak: Option<f64>) -> (f64, ExitReason) {
        let side = self.direction.sign();
        let fixed = (self.ahead.open[0] - side * course.stop.distance, ExitReason::Stop);
        let moving = course.moving.iter().flatten();
        let armed = moving.filter_map(|(stop, _)| Some((stop.level(peak?)?, stop.reason())));
        armed.fold(fixed, |tightest, stop| if side * stop.0 > side * tightest.0 { stop } else { tightest })
    }

    /// Returns an exit after a candle's favourable extreme: the first target is filled up to and with this candle.
    fn exit(&self, course: &Course<'_>, bar: u16, last: Fill) -> Exit {
        let first = course.first.filter(|(first, _)| first.at <= bar);
        Exit { first: first.map(|first| self.part(first)), last }
    }

    /// Returns the fill at the first target, with its share.
    fn part(&self, (first, share): (Passage, f64)) -> (Fill, f64) {
        (self.at_level(first.at, first.distance), share)
    }

    fn close(&self, worst: Exit, best: Option<Exit>, bar: u16) -> Outcome {
        let (gross, net) = self.result(worst);
        let net = ReturnPpm::from_fraction(net);
        let best_case = best.map_or(net, |exit| ReturnPpm::from_fraction(self.result(exit).1));
        Outcome {
            net,
            best_case,
            gross: ReturnPpm::from_fraction(gross),
            bars_held: bar + 1,
            reason: worst.last.reason,
            ambiguous: best.is_some(),
        }
    }

    /// Returns (gross, net) of an exit: the parts weighted by their shares.
    fn result(&self, exit: Exit) -> (f64, f64) {
        let (entry, entry_ms) = (self.ahead.open[0], self.ahead.open_time[0]);
        let result = |fill| self.costs.result(self.direction, entry, entry_ms, fill);
        let last = result(exit.last);
        let Some((fill, share)) = exit.first else { return last };
        let first = result(fill);
        let weighted = |first: f64, last: f64| share * first + (1.0 - share) * last;
        (weighted(first.0, last.0), weighted(first.1, last.1))
    }

    /// Returns the fill of a resting order at a distance.
    fn at_level(&self, bar: u16, distance: f64) -> Fill {
        let price = self.ahead.open[0] + self.direction.sign() * distance;
        Fill { price, reason: ExitReason::TakeProfit, held_until_ms: self.ahead.open_time[usize::from(bar)] }
    }

    fn opens_beyond(&self, bar: u16, distance: f64) -> bool {
        let side = self.direction.sign();
        side * self.ahead.open[usize::from(bar)] > side * (self.ahead.open[0] + side * distance)
    }

    fn at_close(&self, bar: u16, reason: ExitReason) -> Fill {
        let bar = usize::from(bar);
        let held_until_ms = self.ahead.open_time[bar] + self.ahead.interval.ms();
        Fill { price: self.ahead.close[bar], reason, held_until_ms }
    }
}

//! The older exit simulator: an entry gate, levels from ATR or from support and resistance, no costs.

use super::exit_simulation::return_pct;
use retune::model::Direction;

/// Candles of 15 minutes in an hour.
const CANDLES_PER_HOUR: f64 = 4.0;
/// ATR taken as a share of the entry price where there is none.
const ATR_FALLBACK: f64 = 0.02;
/// How far levels of support and resistance are taken: just below for longs, just above for shorts.
const LEVEL_MARGIN: f64 = 0.005;

/// The prices of a candle that the simulator reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WalkCandle {
    pub high: f64,
    pub low: f64,
    pub close: f64,
}

/// What followed the entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum WalkFuture<'a> {
    /// Candle by candle.
    Candles(&'a [WalkCandle]),
    /// The extremes only; `None` where no candle followed.
    Summary(Option<WalkCandle>),
}

/// A signal and the parameters it is traded with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Walk<'a> {
    pub entry_price: f64,
    pub direction: Direction,
    /// 2 % of the entry price is taken where it is not positive.
    pub atr: f64,
    pub signal_score: f64,
    pub consensus: f64,
    pub risk_reward: f64,
    pub min_signal_score: f64,
    pub min_consensus: f64,
    pub min_risk_reward: f64,
    pub atr_stop_multiplier: f64,
    /// Without one the target is `min_risk_reward` stop distances away.
    pub atr_tp_multiplier: Option<f64>,
    pub max_holding_hours: Option<f64>,
    /// Support and resistance prices, for swing trades.
    pub levels: Option<(&'a [f64], &'a [f64])>,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalkExit {
    /// A threshold was missed.
    NoEntry,
    /// Nothing followed.
    NoData,
    StopLoss,
    TakeProfit,
    TimeExit,
    /// The data ended first.
    Holding,
}

impl WalkExit {
    /// Returns the legacy word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoEntry => "no_entry",
            Self::NoData => "no_data",
            Self::StopLoss => "stop_loss",
            Self::TakeProfit => "take_profit",
            Self::TimeExit => "time_exit",
            Self::Holding => "holding",
        }
    }
}

/// Returns how a walk ends and its profit in percent, before costs.
///
/// Cost:      O(candles)
/// Source:    section 5 of the legacy specification
pub(crate) fn walk(walk: &Walk<'_>, future: WalkFuture<'_>) -> (WalkExit, f64) {
    let enters = walk.signal_score >= walk.min_signal_score
        && walk.consensus >= walk.min_consensus
        && walk.risk_reward >= walk.min_risk_reward;
    if !enters {
        return (WalkExit::NoEntry, 0.0);
    }
    let (stop, target) = level_prices(walk);
    let found = match future {
        WalkFuture::Candles(candles) => along(walk, candles, stop, target),
        WalkFuture::Summary(summary) => summary.map(|summary| {
            let hours = walk.max_holding_hours.is_some_and(|hours| hours != 0.0);
            let end = if hours { WalkExit::TimeExit } else { WalkExit::Holding };
            touched(walk.direction, &summary, stop, target).unwrap_or((end, summary.close))
        }),
    };
    match found {
        None => (WalkExit::NoData, 0.0),
        Some((exit, price)) => (exit, return_pct(walk.direction, walk.entry_price, price)),
    }
}

/// Returns the prices of stop and target.
fn level_prices(walk: &Walk<'_>) -> (f64, f64) {
    let (entry, margin) = (walk.entry_price, LEVEL_MARGIN);
    if let Some((supports, resistances)) = walk.levels {
        let support = supports.iter().copied().filter(|price| *price < entry).reduce(f64::max);
        let resistance = resistances.iter().copied().filter(|price| *price > entry).reduce(f64::min);
        match (walk.direction, support, resistance) {
            (Direction::Long, Some(support), Some(resistance)) => {
                return (support * (1.0 - margin), resistance * (1.0 - margin));
            }
            (Direction::Short, Some(support), Some(resistance)) => {
                return (resistance * (1.0 + margin), support * (1.0 + margin));
            }
            _ => {}
        }
    }
    let atr = if walk.atr > 0.0 { walk.atr } else { entry * ATR_FALLBACK };
    let stop = atr * walk.atr_stop_multiplier;
    let target = walk.atr_tp_multiplier.filter(|multiple| *multiple != 0.0);
    let target = target.map_or(stop * walk.min_risk_reward, |multiple| atr * multiple);
    match walk.direction {
        Direction::Long => (entry - stop, entry + target),
        Direction::Short => (entry + stop, entry - target),
    }
}

/// Returns the level a candle touches and its price, the stop first.
fn touched(direction: Direction, candle: &WalkCandle, stop: f64, target: f64) -> Option<(WalkExit, f64)> {
    let (at_stop, at_target) = match direction {
        Direction::Long => (candle.low <= stop, candle.high >= target),
        Direction::Short => (candle.high >= stop, candle.low <= target),
    };
    match (at_stop, at_target) {
        (true, _) => Some((WalkExit::StopLoss, stop)),
        (false, true) => Some((WalkExit::TakeProfit, target)),
        (false, false) => None,
    }
}

fn along(walk: &Walk<'_>, candles: &[WalkCandle], stop: f64, target: f64) -> Option<(WalkExit, f64)> {
    let last_index =
        walk.max_holding_hours.filter(|hours| *hours != 0.0).map(|hours| (hours * CANDLES_PER_HOUR) as usize);
    for (index, candle) in candles.iter().enumerate() {
        if candle.high <= 0.0 || candle.low <= 0.0 {
            continue;
        }
        if last_index.is_some_and(|last| index >= last) {
            return Some((WalkExit::TimeExit, candle.close));
        }
        if let Some(exit) = touched(walk.direction, candle, stop, target) {
            return Some(exit);
        }
    }
    candles.last().map(|candle| (WalkExit::Holding, candle.close))
}

//! The legacy exit simulation on a summary of the next 24 hours: highest, lowest and last price.
//!
//! Which of two touched levels came first is not known from that; the larger excursion wins, and with a direction
//! chosen by hindsight that is the target (D05). The holding time is not an argument, because it was never used (D10).

use retune::ingest::LegacyRecord;
use retune::model::Direction;

/// Percent a round trip costs: two fees of 0.05 and twice 0.02 slippage.
pub(crate) const ROUND_TRIP_PCT: f64 = 0.14;
/// The score a signal without one is taken to have.
const SCORE_DEFAULT: f64 = 75.0;

/// What followed a signal; `None` is the entry price. A value that is no finite number fails the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Future {
    pub max_high: Option<f64>,
    pub min_low: Option<f64>,
    pub final_close: Option<f64>,
}

/// How the volume jumped before a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Surge {
    /// It did not, or in a way that widens nothing.
    #[default]
    None,
    /// It did.
    Some,
    /// `strong_surge`
    Strong,
    /// `extreme_surge`
    Extreme,
}

impl Surge {
    /// Returns the surge of the two legacy keys `volume_surge_type` and `volume_surge`.
    pub(crate) fn read(kind: &str, flag: bool) -> Self {
        match kind {
            "extreme_surge" => Self::Extreme,
            "strong_surge" => Self::Strong,
            _ if flag => Self::Some,
            _ => Self::None,
        }
    }

    /// Returns what stop and target distance are multiplied by.
    fn factors(self) -> (f64, f64) {
        match self {
            Self::None => (1.0, 1.0),
            Self::Some => (1.15, 1.1),
            Self::Strong => (1.3, 1.2),
            Self::Extreme => (1.5, 1.3),
        }
    }
}

/// What the simulation reads of a signal.
///
/// Units:     prices and ATR in quote currency
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SimulatedSignal {
    pub entry_price: f64,
    pub direction: Direction,
    pub atr: f64,
    /// `None` is 75.
    pub signal_score: Option<f64>,
    pub surge: Surge,
    /// 0 where it is not known.
    pub recent_high: f64,
    /// 0 where it is not known.
    pub recent_low: f64,
    pub future: Future,
}

/// Distances of stop and target in ATR; the default is the legacy one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Multiples {
    pub stop: f64,
    pub target: f64,
}

impl Default for Multiples {
    fn default() -> Self {
        Self { stop: 1.5, target: 4.0 }
    }
}

/// What the simulation takes into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SimulationOptions {
    /// Distances widen and narrow with the signal score.
    pub dynamic_atr: bool,
    /// A round trip costs [`ROUND_TRIP_PCT`].
    pub costs: bool,
}

/// The legacy words for the end of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LegacyExit {
    StopLoss,
    TakeProfit,
    TimeExit,
}

impl LegacyExit {
    /// Returns the word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::StopLoss => "stop_loss",
            Self::TakeProfit => "take_profit",
            Self::TimeExit => "time_exit",
        }
    }
}

/// How a simulated trade ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Simulated {
    /// Entry price or ATR is not positive: profit 0, no costs.
    Invalid,
    /// Something was no number: profit 0.
    Failed,
    /// It was valued.
    Closed {
        /// Profit in percent of the entry price, costs deducted where asked for.
        profit_pct: f64,
        /// What the profit was booked at.
        booked: LegacyExit,
        /// What the legacy reports: derived again, stop first, so that it can contradict the profit (D11).
        reported: LegacyExit,
        /// Whether both levels were touched, and the excursion decided.
        both_touched: bool,
    },
}

impl Simulated {
    /// Returns the profit in percent; 0 where it was not valued.
    pub(crate) fn profit_pct(&self) -> f64 {
        match self {
            Self::Closed { profit_pct, .. } => *profit_pct,
            Self::Invalid | Self::Failed => 0.0,
        }
    }
}

/// Stop and target prices.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Levels {
    stop: f64,
    target: f64,
}

/// Simulates one exit.
///
/// Cost:      O(1)
/// Source:    section 5 of the legacy specification, with its defects D05, D10, D11
pub(crate) fn simulate_exit(
    signal: &SimulatedSignal,
    multiples: &Multiples,
    options: SimulationOptions,
) -> Simulated {
    let entry = signal.entry_price;
    if entry <= 0.0 || signal.atr <= 0.0 {
        return Simulated::Invalid;
    }
    let Future { max_high, min_low, final_close } = signal.future;
    let [high, low, close] = [max_high, min_low, final_close].map(|price| price.unwrap_or(entry));
    if ![entry, signal.atr, high, low, close].iter().all(|price| price.is_finite()) {
        return Simulated::Failed;
    }
    let levels = levels(signal, multiples, options.dynamic_atr);
    let (stop_touched, target_touched) = match signal.direction {
        Direction::Long => (low <= levels.stop, high >= levels.target),
        Direction::Short => (high >= levels.stop, low <= levels.target),
    };
    let (up, down) = ((high - entry) / entry, (entry - low) / entry);
    let target_is_larger = match signal.direction {
        Direction::Long => up > down,
        Direction::Short => down > up,
    };
    let booked = match (stop_touched, target_touched) {
        (true, true) if target_is_larger => LegacyExit::TakeProfit,
        (true, _) => LegacyExit::StopLoss,
        (false, true) => LegacyExit::TakeProfit,
        (false, false) => LegacyExit::TimeExit,
    };
    let price = match booked {
        LegacyExit::StopLoss => levels.stop,
        LegacyExit::TakeProfit => levels.target,
        LegacyExit::TimeExit => close,
    };
    Simulated::Closed {
        profit_pct: return_pct(signal.direction, entry, price)
            - if options.costs { ROUND_TRIP_PCT } else { 0.0 },
        booked,
        reported: if stop_touched { LegacyExit::StopLoss } else { booked },
        both_touched: stop_touched && target_touched,
    }
}

/// Returns the profit of a move in percent of the entry price.
pub(crate) fn return_pct(direction: Direction, entry: f64, exit: f64) -> f64 {
    match direction {
        Direction::Long => (exit - entry) / entry * 100.0,
        Direction::Short => (entry - exit) / entry * 100.0,
    }
}

fn levels(signal: &SimulatedSignal, multiples: &Multiples, dynamic_atr: bool) -> Levels {
    let (by_score_stop, by_score_target) = match signal.signal_score.unwrap_or(SCORE_DEFAULT) {
        score if dynamic_atr && score >= 85.0 => (1.2, 1.15),
        score if dynamic_atr && score <= 70.0 => (0.9, 0.95),
        _ => (1.0, 1.0),
    };
    let (by_surge_stop, by_surge_target) = signal.surge.factors();
    let stop = signal.atr * (multiples.stop * by_score_stop * by_surge_stop);
    let target = signal.atr * (multiples.target * by_score_target * by_surge_target);
    let entry = signal.entry_price;
    let guarded = signal.recent_high > 0.0 && signal.recent_low > 0.0;
    match signal.direction {
        Direction::Long => {
            let stop = entry - stop;
            let stop = if guarded { stop.min(0.95 * signal.recent_low) } else { stop };
            Levels { stop, target: entry + target }
        }
        Direction::Short => {
            let stop = entry + stop;
            let stop = if guarded { stop.max(1.05 * signal.recent_high) } else { stop };
            Levels { stop, target: entry - target }
        }
    }
}

impl From<&LegacyRecord> for SimulatedSignal {
    fn from(record: &LegacyRecord) -> Self {
        let future = record.future_data.unwrap_or_default();
        Self {
            entry_price: record.entry_price.unwrap_or(0.0),
            direction: record.direction,
            atr: record.atr.unwrap_or(0.0),
            signal_score: Some(record.signal_score),
            surge: Surge::read(record.volume_surge_type.as_deref().unwrap_or(""), record.volume_surge),
            recent_high: record.recent_high.unwrap_or(0.0),
            recent_low: record.recent_low.unwrap_or(0.0),
            future: Future {
                max_high: future.max_high,
                min_low: future.min_low,
                final_close: future.final_close,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: SimulationOptions = SimulationOptions { dynamic_atr: false, costs: false };

    fn signal(high: f64, low: f64) -> SimulatedSignal {
        SimulatedSignal {
            entry_price: 100.0,
            direction: Direction::Long,
            atr: 1.0,
            signal_score: None,
            surge: Surge::None,
            recent_high: 0.0,
            recent_low: 0.0,
            future: Future { max_high: Some(high), min_low: Some(low), final_close: None },
        }
    }

    #[test]
    fn the_larger_excursion_is_booked_but_a_stop_reported() {
        let both = simulate_exit(&signal(105.0, 98.0), &Multiples::default(), PLAIN);
        let Simulated::Closed { profit_pct, booked, reported, both_touched } = both else { panic!("closed") };
        assert_eq!((profit_pct, both_touched), (4.0, true));
        assert_eq!((booked, reported), (LegacyExit::TakeProfit, LegacyExit::StopLoss));
        let tie = simulate_exit(&signal(105.0, 95.0), &Multiples::default(), PLAIN);
        assert_eq!(tie.profit_pct(), -1.5);
    }

    #[test]
    fn a_hard_stop_only_widens_and_time_exits_cost_too() {
        let guarded = SimulatedSignal { recent_high: 101.0, recent_low: 99.0, ..signal(101.0, 98.0) };
        let found =
            simulate_exit(&guarded, &Multiples::default(), SimulationOptions { costs: true, ..PLAIN });
        assert_eq!(found.profit_pct(), -ROUND_TRIP_PCT);
        assert_eq!(simulate_exit(&signal(f64::NAN, 1.0), &Multiples::default(), PLAIN), Simulated::Failed);
        let nothing = SimulatedSignal { atr: 0.0, ..signal(1.0, 1.0) };
        assert_eq!(simulate_exit(&nothing, &Multiples::default(), PLAIN), Simulated::Invalid);
    }
}

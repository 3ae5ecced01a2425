//! The legacy trailing stop, used by its phase 4 only: long whatever the direction, closes only, no costs (D12).

/// What the trailing stop reads of an opportunity.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it; prices in quote currency")]
pub struct TrailingSignal {
    pub entry_price: f64,
    pub atr: f64,
    /// The largest favourable move, percent; nothing in production ever set it.
    pub max_potential_profit: f64,
}

/// Distances in ATR, and whether the stop trails; the default is the legacy one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TrailingRule {
    pub stop: f64,
    pub target: f64,
    pub trailing: bool,
}

impl Default for TrailingRule {
    fn default() -> Self {
        Self { stop: 1.5, target: 3.0, trailing: false }
    }
}

/// How such a trade ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TrailingExit {
    /// Entry price or ATR is not positive.
    InvalidData,
    StopLoss,
    TakeProfit,
    /// The stop of a trailing rule, even where it never moved.
    TrailingStop,
    HoldingExpired,
}

/// The end of a trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrailingOutcome {
    /// How.
    pub exit: TrailingExit,
    /// Percent of the entry price.
    pub profit_pct: f64,
    /// Price, 0 for invalid data.
    pub exit_price: f64,
    /// Candles held; 0 without a path.
    pub bars_held: u64,
}

/// Values a trade along the closes that followed, or from the largest favourable move where there are none.
///
/// Cost:      O(closes)
/// Source:    section 6 of the legacy specification
pub fn trailing_stop(
    signal: &TrailingSignal,
    rule: &TrailingRule,
    closes: Option<&[f64]>,
) -> TrailingOutcome {
    let entry = signal.entry_price;
    if entry <= 0.0 || signal.atr <= 0.0 {
        return TrailingOutcome {
            exit: TrailingExit::InvalidData,
            profit_pct: 0.0,
            exit_price: 0.0,
            bars_held: 0,
        };
    }
    let (exit, exit_price, bars_held) = match closes.filter(|closes| !closes.is_empty()) {
        Some(closes) => along(signal, rule, closes),
        None => {
            let (exit, price) = from_potential(signal, rule);
            (exit, price, 0)
        }
    };
    TrailingOutcome { exit, profit_pct: (exit_price - entry) / entry * 100.0, exit_price, bars_held }
}

fn along(signal: &TrailingSignal, rule: &TrailingRule, closes: &[f64]) -> (TrailingExit, f64, u64) {
    let (mut highest, distance) = (signal.entry_price, signal.atr * rule.stop);
    let target = signal.entry_price + signal.atr * rule.target;
    let mut stop = signal.entry_price - distance;
    let at_stop = if rule.trailing { TrailingExit::TrailingStop } else { TrailingExit::StopLoss };
    for (close, bars) in closes.iter().zip(1..) {
        if rule.trailing && *close > highest {
            highest = *close;
            stop = highest - distance;
        }
        if *close <= stop {
            return (at_stop, stop, bars);
        }
        if *close >= target {
            return (TrailingExit::TakeProfit, target, bars);
        }
    }
    (TrailingExit::HoldingExpired, closes[closes.len() - 1], closes.len() as u64)
}

fn from_potential(signal: &TrailingSignal, rule: &TrailingRule) -> (TrailingExit, f64) {
    let (entry, distance) = (signal.entry_price, signal.atr * rule.stop);
    let (stop, target) = (entry - distance, entry + signal.atr * rule.target);
    if signal.max_potential_profit <= 0.0 {
        return (TrailingExit::StopLoss, stop);
    }
    let highest = entry * (1.0 + signal.max_potential_profit / 100.0);
    if highest >= target {
        (TrailingExit::TakeProfit, target)
    } else if rule.trailing && highest - distance > stop {
        (TrailingExit::TrailingStop, highest - distance)
    } else {
        (TrailingExit::HoldingExpired, highest)
    }
}

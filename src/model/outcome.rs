//! What became of a signal under one exit rule.

use super::money::ReturnPpm;

/// An exit rule: take-profit and stop in multiples of ATR(14) at the signal, and the longest holding time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
pub struct ExitRule {
    /// Take-profit distance in ATR.
    pub take_profit_atr: f64,
    /// Stop distance in ATR.
    pub stop_atr: f64,
    /// Longest holding time in hours; the position is closed at the close of the last candle inside it.
    pub hold_hours: f64,
}

/// Why a position was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ExitReason {
    /// The take-profit was traded through.
    TakeProfit = 0,
    /// The stop was touched.
    Stop = 1,
    /// The candle opened beyond the stop; filled at that open.
    StopGap = 2,
    /// The longest holding time was over.
    Time = 3,
}

/// The result of one signal under one exit rule, in ppm of the entry price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Net of all costs, with the stop filled first when both levels fall inside one candle.
    pub net: ReturnPpm,
    /// Net of all costs, with the take-profit filled first in that case; equal to `net` otherwise.
    pub best_case: ReturnPpm,
    /// Before costs, same fills as `net`.
    pub gross: ReturnPpm,
    /// Candles held, the entry candle included (1..=longest horizon).
    pub bars_held: u16,
    /// How the position was closed in the worst case.
    pub reason: ExitReason,
    /// Whether stop and take-profit both lie inside the exit candle.
    pub ambiguous: bool,
}

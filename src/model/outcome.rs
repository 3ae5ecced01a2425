//! What became of a signal under one exit rule.

use super::money::ReturnPpm;

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
    /// The trailing stop was touched.
    TrailingStop = 4,
    /// The stop was touched after it had been moved to the entry price.
    BreakEven = 5,
    /// A candle against the position closed on a surge of volume.
    VolumeSurge = 6,
}

impl ExitReason {
    /// Every reason, in the order of the numbers they are stored as.
    pub const ALL: [Self; 7] = [
        Self::TakeProfit,
        Self::Stop,
        Self::StopGap,
        Self::Time,
        Self::TrailingStop,
        Self::BreakEven,
        Self::VolumeSurge,
    ];
}

/// The result of one signal under one exit rule, in ppm of the entry price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Net of all costs, with the adverse extreme of every candle before its favourable one.
    pub net: ReturnPpm,
    /// Net of all costs, with the favourable extreme first in the exit candle; equal to `net` if that changes nothing.
    pub best_case: ReturnPpm,
    /// Before costs, same fills as `net`.
    pub gross: ReturnPpm,
    /// Candles held, the entry candle included (1..=longest horizon).
    pub bars_held: u16,
    /// How the position, or what was left of it, was closed in the worst case.
    pub reason: ExitReason,
    /// Whether the order of extremes inside the exit candle decides on the fill.
    pub ambiguous: bool,
}

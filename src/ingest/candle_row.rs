//! A candle as it stands in a file, and when two of them are one.

use crate::model::Candle;

/// A candle as it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CandleRow {
    pub(super) candle: Candle,
    /// Index of the file among the sources of its symbol.
    pub(super) file: u32,
    /// Line from 1, or number of the row where the format has no lines; a file of the largest size allowed has fewer
    /// than 2^32.
    pub(super) line: u32,
    /// Milliseconds from open to close time; `None` where no close time stands.
    pub(super) span_ms: Option<u32>,
}

/// Volumes this close, relatively, are the same volume written with other digits.
const VOLUME_TOLERANCE: f64 = 1e-9;
/// Prices of two intervals this close, relatively, agree.
const PRICE_TOLERANCE: f64 = 1e-9;

fn close_to(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

/// Returns open, high, low and close.
pub(super) fn prices(candle: &Candle) -> [f64; 4] {
    [candle.open, candle.high, candle.low, candle.close]
}

/// Prices that were rounded to fewer digits differ by no more than this, relatively.
const PRICE_ROUNDING_MAX: f64 = 1e-3;
/// Values written with equally many digits differ by no more than this, relatively, where only the last digit differs.
const LAST_DIGIT_MAX: f64 = 1e-6;

/// Returns whether two candles are one, written with other digits.
pub(super) fn same_candle(a: &Candle, b: &Candle) -> bool {
    let same = |a: f64, b: f64, most: f64| a == b || is_rounded(a, b, most);
    let same_prices = prices(a).iter().zip(prices(b)).all(|(a, b)| same(*a, b, PRICE_ROUNDING_MAX));
    // A volume may be rounded to a whole number; what another market trades is no rounding of it.
    same_prices && same(a.volume, b.volume, 1.0)
}

/// Returns whether a candle is another of the same time at a later moment: more was traded, and nothing of it is undone.
pub(super) fn goes_on(early: &Candle, late: &Candle) -> bool {
    early.open_time == late.open_time
        && early.open == late.open
        && late.high >= early.high
        && late.low <= early.low
        && late.volume > early.volume
}

/// Returns whether one number is the other rounded to its digits, or differs in the last digit only.
fn is_rounded(a: f64, b: f64, most: f64) -> bool {
    if close_to(a, b, VOLUME_TOLERANCE) {
        return true;
    }
    let (digits_a, digits_b) = (decimals_of(a), decimals_of(b));
    let unit = 0.1_f64.powi(digits_a.min(digits_b)) * (1.0 + 1e-6);
    let (units, most) = if digits_a == digits_b { (1.0, LAST_DIGIT_MAX) } else { (0.5, most) };
    (a - b).abs() <= units * unit && close_to(a, b, most)
}

/// Returns whether the prices of two intervals agree.
pub(super) fn same_prices(a: &Candle, b: &Candle) -> bool {
    prices(a).iter().zip(prices(b)).all(|(a, b)| close_to(*a, b, PRICE_TOLERANCE))
}

/// Returns how many decimals a number is written with.
pub(super) fn decimals_of(number: f64) -> i32 {
    let text = format!("{number}");
    text.split_once('.').map_or(0, |(_, decimals)| i32::try_from(decimals.len()).unwrap_or(i32::MAX))
}

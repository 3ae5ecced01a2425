//! The catalogue of feature columns: every number that can be filtered on, with its unit and meaning.
//!
//! All columns are known at the close of candle t and read candles up to t only; the rightmost instant each family
//! reads is the close of t itself. Columns marked "sided" are seen from the direction of the signal.

use super::frame::FeatureRow;
use super::market_structure::SwingStructure;
use super::score::{ScoreWeights, Sided};
use super::sr_history::{LEGACY_NEVER_TESTED, SrHistory};
use crate::model::{Direction, Style};

/// A feature row with the side and style it is looked at from.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What is known at the close.
    pub row: &'a FeatureRow,
    /// Side of the signal.
    pub direction: Direction,
    /// Style of the signal.
    pub style: Style,
}

impl View<'_> {
    fn is_long(&self) -> bool {
        self.direction == Direction::Long
    }

    fn sided(&self) -> Sided<'_> {
        Sided::new(self.row, self.direction)
    }

    /// Returns the history of the level behind the trade: support for longs, resistance for shorts.
    fn history_behind(&self) -> Option<&SrHistory> {
        if self.is_long() { self.row.support_history.as_ref() } else { self.row.resistance_history.as_ref() }
    }
}

/// One column.
#[derive(Clone, Copy)]
pub struct Column {
    /// Name, as in configuration and documents.
    pub name: &'static str,
    /// Unit or range.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
    value: fn(&View<'_>) -> Option<f64>,
}

impl Column {
    /// Returns the value seen from a view; `None` where it is not defined (no level, no test).
    pub fn value(&self, view: &View<'_>) -> Option<f64> {
        (self.value)(view)
    }
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Column({})", self.name)
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Returns the column of a name.
pub fn column(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

fn flag(value: bool) -> Option<f64> {
    Some(f64::from(value))
}

fn side(direction: Option<Direction>) -> Option<f64> {
    Some(direction.map_or(0.0, Direction::sign))
}

fn swing_code(swing: SwingStructure) -> f64 {
    match swing {
        SwingStructure::HigherHighs => 1.0,
        SwingStructure::LowerLows => -1.0,
        SwingStructure::Choppy | SwingStructure::Unknown => 0.0,
    }
}

/// False breaks of the level behind a trade that are tolerated by the level-history filter.
const FALSE_BREAKS_MAX: u32 = 2;

/// Tests of the level behind the trade; a level that broke falsely too often fails every limit.
fn tests_behind(view: &View<'_>) -> Option<f64> {
    match view.history_behind() {
        None => Some(0.0),
        Some(history) if history.false_breaks > FALSE_BREAKS_MAX => None,
        Some(history) => Some(f64::from(history.test_count)),
    }
}

macro_rules! columns {
    ($($name:literal [$unit:literal] $meaning:literal => $value:expr;)*) => {
        &[$(Column { name: $name, unit: $unit, meaning: $meaning, value: $value }),*]
    };
}

/// Every column.
pub static COLUMNS: &[Column] = columns! {
    // The last ten candles.
    "kline_ctx_count" ["candles"] "candles in the context window" => |v| Some(v.row.context.count.into());
    "kline_ctx_highest" ["price"] "highest high" => |v| Some(v.row.context.highest);
    "kline_ctx_lowest" ["price"] "lowest low" => |v| Some(v.row.context.lowest);
    "kline_ctx_avg_body" ["price"] "mean |close - open|" => |v| Some(v.row.context.avg_body);
    "kline_ctx_avg_range" ["price"] "mean high - low" => |v| Some(v.row.context.avg_range);
    "kline_ctx_bullish_cnt" ["candles"] "candles with close > open" => |v| Some(v.row.context.bullish_count.into());
    "kline_ctx_bearish_cnt" ["candles"] "the others, doji included" => |v| Some(v.row.context.bearish_count.into());
    "kline_ctx_bullish_ratio" ["0..1"] "bullish share" => |v| Some(v.row.context.bullish_ratio);
    "kline_ctx_price_chg_pct" ["%"] "first to last close, 2 decimals" => |v| Some(v.row.context.price_change_pct);
    "kline_ctx_is_up" ["0 or 1"] "last close above the first and the 5th from the end" => |v| flag(v.row.context.is_up);
    "kline_ctx_is_down" ["0 or 1"] "mirror of is_up" => |v| flag(v.row.context.is_down);
    "kline_ctx_volatility" ["%"] "(highest - lowest) / lowest" => |v| Some(v.row.context.volatility_pct);
    "kline_bullish_ratio_sided" ["0..1"] "sided: bullish share for longs, the rest for shorts" => |v| {
        let ratio = v.row.context.bullish_ratio;
        Some(if v.is_long() { ratio } else { 1.0 - ratio })
    };
    "kline_price_chg_abs_pct" ["%"] "|price change| over the context" => |v| Some(v.row.context.price_change_pct.abs());
    // Swings of the last 50 candles.
    "mkt_struct_swing" ["-1, 0, 1"] "1 = HH-HL, -1 = LL-LH, 0 = choppy or unknown" => |v| Some(swing_code(v.row.structure.swing));
    "mkt_struct_trend_strength" ["-1, 0, 1"] "1 = strong bullish, -1 = strong bearish, 0 = weak" => |v| Some(swing_code(v.row.structure.swing));
    "mkt_struct_is_trend" ["0 or 1"] "1 when the swings rise or fall together" => |v| flag(v.row.structure.swing.is_trend());
    "mkt_struct_age_candles" ["candles"] "since the last swing" => |v| Some(v.row.structure.age_bars.into());
    "mkt_struct_age_hours" ["hours"] "since the last swing, 1 decimal" => |v| Some(v.row.structure.age_hours);
    "mkt_struct_move_pct" ["%"] "move since the last swing's close" => |v| Some(v.row.structure.move_pct);
    "mkt_struct_last_high" ["price"] "last swing high" => |v| v.row.structure.last_high;
    "mkt_struct_last_low" ["price"] "last swing low" => |v| v.row.structure.last_low;
    "mkt_struct_pos_in_range" ["0..1"] "place in the range of 20 candles" => |v| Some(v.row.structure.position_in_range);
    "mkt_struct_dist_high_pct" ["%"] "to the 20-candle high" => |v| Some(v.row.structure.distance_high_pct);
    "mkt_struct_dist_low_pct" ["%"] "to the 20-candle low" => |v| Some(v.row.structure.distance_low_pct);
    // How the levels fared since their swings.
    "resist_hist_test_cnt" ["count"] "tests of the resistance" => |v| Some(tests(v.row.resistance_history.as_ref()));
    "resist_hist_last_test_ago" ["candles"] "since the last test; 999 = never" => |v| Some(last_test(v.row.resistance_history.as_ref()));
    "resist_hist_avg_reaction" ["%"] "mean close against the level at tests" => |v| v.row.resistance_history.map(|h| h.avg_reaction_pct);
    "resist_hist_max_rejection" ["%"] "strongest rejection" => |v| v.row.resistance_history.map(|h| h.extreme_reaction_pct);
    "resist_hist_false_bo" ["count"] "false breakouts" => |v| Some(v.row.resistance_history.map_or(0.0, |h| h.false_breaks.into()));
    "support_hist_test_cnt" ["count"] "tests of the support" => |v| Some(tests(v.row.support_history.as_ref()));
    "support_hist_last_test_ago" ["candles"] "since the last test; 999 = never" => |v| Some(last_test(v.row.support_history.as_ref()));
    "support_hist_avg_reaction" ["%"] "mean close against the level at tests" => |v| v.row.support_history.map(|h| h.avg_reaction_pct);
    "support_hist_max_bounce" ["%"] "strongest bounce" => |v| v.row.support_history.map(|h| h.extreme_reaction_pct);
    "support_hist_false_bd" ["count"] "false breakdowns" => |v| Some(v.row.support_history.map_or(0.0, |h| h.false_breaks.into()));
    "sr_test_count_sided" ["count"] "sided: tests of the level behind the trade; undefined after more than 2 false breaks" => tests_behind;
    // Indicators on the base interval.
    "atr_14" ["price"] "mean true range of 14 candles" => |v| Some(v.row.pulse.indicators.atr_14);
    "atr_pct" ["%"] "ATR(14) over the close" => |v| Some(100.0 * v.row.pulse.indicators.atr_14 / v.row.candle.close);
    "atr_ratio" ["x"] "ATR(14) over its last day" => |v| Some(v.row.pulse.indicators.atr_ratio);
    "rsi_14" ["0..100"] "relative strength, 14 changes" => |v| Some(v.row.pulse.indicators.rsi_14);
    "rsi_7" ["0..100"] "relative strength, 7 changes" => |v| Some(v.row.pulse.indicators.rsi_7);
    "ema_20" ["price"] "exponential average, span 20" => |v| Some(v.row.pulse.indicators.ema_20);
    "ema_50" ["price"] "exponential average, span 50" => |v| Some(v.row.pulse.indicators.ema_50);
    "macd_line" ["price"] "EMA(12) - EMA(26)" => |v| Some(v.row.pulse.indicators.macd_line);
    "macd_signal" ["price"] "EMA(9) of the line" => |v| Some(v.row.pulse.indicators.macd_signal);
    "macd_histogram" ["price"] "line - signal" => |v| Some(v.row.pulse.indicators.macd_histogram);
    "macd_histogram_atr" ["ATR"] "histogram in ATR: comparable between symbols" => |v| Some(v.row.pulse.indicators.macd_histogram / v.row.pulse.indicators.atr_14);
    "volume_ratio" ["x"] "volume over the mean of the 20 candles before" => |v| Some(v.row.pulse.indicators.volume_ratio);
    "momentum_atr" ["ATR"] "close against four candles before" => |v| Some(v.row.pulse.indicators.momentum_atr);
    // Trends on three timeframes.
    "trend_15m" ["-1, 0, 1"] "base interval; 0 = weakening" => |v| Some(v.row.pulse.trend_base.vote().into());
    "trend_1h" ["-1, 0, 1"] "four base intervals, closed candles" => |v| Some(v.row.pulse.middle.trend.vote().into());
    "trend_4h" ["-1, 0, 1"] "sixteen base intervals, closed candles" => |v| Some(v.row.pulse.high.trend.vote().into());
    "ema20_1h" ["price"] "EMA(20) on 1h" => |v| Some(v.row.pulse.middle.ema_20);
    "ema50_1h" ["price"] "EMA(50) on 1h" => |v| Some(v.row.pulse.middle.ema_50);
    "ema20_4h" ["price"] "EMA(20) on 4h" => |v| Some(v.row.pulse.high.ema_20);
    "ema50_4h" ["price"] "EMA(50) on 4h" => |v| Some(v.row.pulse.high.ema_50);
    "ema_gap_1h_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 1h" => |v| Some(v.sided().middle_gap_atr());
    "aligned_timeframes" ["0..3"] "sided: timeframes that trend with the trade" => |v| Some(v.sided().aligned_timeframes().into());
    // Levels and patterns.
    "support" ["price"] "nearest swing low below" => |v| v.row.levels.support.map(|l| l.price);
    "resistance" ["price"] "nearest swing high above" => |v| v.row.levels.resistance.map(|l| l.price);
    "pin_bar" ["-1, 0, 1"] "direction of a pin bar" => |v| side(v.row.patterns.pin_bar);
    "engulfing" ["-1, 0, 1"] "direction of an engulfing candle" => |v| side(v.row.patterns.engulfing);
    "breakout" ["-1, 0, 1"] "close beyond the 20 candles before" => |v| side(v.row.patterns.breakout);
    "risk_reward" ["ratio"] "sided: room to the level ahead over distance to the level behind" => |v| {
        Some(v.row.levels.risk_reward(v.row.candle.close, v.row.pulse.indicators.atr_14, v.is_long()))
    };
    // Judgements.
    "consensus" ["0..5"] "sided: indicators that confirm" => |v| Some(v.sided().consensus().into());
    "consensus_score" ["0..100"] "sided: weighted confirmation" => |v| Some(v.sided().consensus_score());
    "signal_score" ["0..100"] "sided: weighted evidence of the style" => |v| {
        Some(v.sided().signal_score(&ScoreWeights::default_of(v.style)))
    };
};

/// The column of the signal score, under the default weights.
pub const SIGNAL_SCORE: &str = "signal_score";

/// What the signal score reads, from which it follows under any weights. It is not among [`COLUMNS`]: no threshold on it
/// says anything.
pub static SCORE_EVIDENCE: Column = Column {
    name: "signal_score_evidence",
    unit: "code",
    meaning: "sided: strengths of the terms of the style's score",
    value: |v| Some(v.sided().score_evidence(v.style).number()),
};

fn tests(history: Option<&SrHistory>) -> f64 {
    history.map_or(0.0, |h| f64::from(h.test_count))
}

fn last_test(history: Option<&SrHistory>) -> f64 {
    f64::from(history.map_or(LEGACY_NEVER_TESTED, |h| h.last_test_ago))
}

#[cfg(test)]
mod tests_of_catalog {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for column in COLUMNS {
            assert_eq!(super::column(column.name).map(|c| c.unit), Some(column.unit));
            assert_eq!(COLUMNS.iter().filter(|c| c.name == column.name).count(), 1, "{}", column.name);
        }
        assert!(COLUMNS.len() >= 45);
    }
}

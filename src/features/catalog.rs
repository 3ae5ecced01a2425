//! The catalogue of feature columns: every number that can be filtered on, with its unit and meaning.
//!
//! All columns are known at the close of candle t and read candles up to t only; the rightmost instant each family
//! reads is the close of t itself. Columns marked "sided" are seen from the direction of the signal.

use super::frame::FeatureRow;
use super::market_structure::SwingStructure;
use super::score::{ScoreWeights, Sided};
use super::sr_history::{LEGACY_NEVER_TESTED, SrHistory};
use crate::model::{Direction, Interval, Style, Timeframes};

/// A feature row with the side and style it is looked at from.
#[derive(Debug, Clone, Copy)]
pub struct FeatureView<'a> {
    /// What is known at the close.
    pub row: &'a FeatureRow,
    /// Side of the signal.
    pub direction: Direction,
    /// Style of the signal.
    pub style: Style,
}

impl FeatureView<'_> {
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
pub struct FeatureColumn {
    /// Name, as in configuration and documents.
    pub name: &'static str,
    /// Unit or range.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
    value: Value,
}

/// Where a column's value comes from.
#[derive(Clone, Copy)]
enum Value {
    Plain(fn(&FeatureView<'_>) -> Option<f64>),
    /// Of the timeframe that the column names, in minutes.
    Timed(Timed, u32),
}

/// What is known of a timeframe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Timed {
    Trend,
    Ema20,
    Ema50,
    GapAtr,
}

impl Timed {
    /// Returns the value on a timeframe; `None` where the base interval of the view has none of that length.
    fn value(self, view: &FeatureView<'_>, timeframe: Interval) -> Option<f64> {
        let pulse = &view.row.pulse;
        let Timeframes { base, middle, high } = pulse.timeframes;
        let higher = [(middle, &pulse.middle), (high, &pulse.high)];
        let row = higher.into_iter().find(|(interval, _)| *interval == timeframe).map(|(_, row)| row);
        match self {
            Self::Trend if timeframe == base => Some(pulse.trend_base.vote().into()),
            Self::Trend => row.map(|row| row.trend.vote().into()),
            Self::Ema20 => row.map(|row| row.ema_20),
            Self::Ema50 => row.map(|row| row.ema_50),
            Self::GapAtr => (timeframe == middle).then(|| view.sided().middle_gap_atr()),
        }
    }

    /// Returns whether a run on a base interval knows it of a timeframe.
    fn is_on(self, timeframe: Interval, of: Timeframes) -> bool {
        match self {
            Self::Trend => [of.base, of.middle, of.high].contains(&timeframe),
            Self::Ema20 | Self::Ema50 => [of.middle, of.high].contains(&timeframe),
            Self::GapAtr => timeframe == of.middle,
        }
    }
}

impl FeatureColumn {
    /// Returns the value seen from a view; `None` where it is not defined (no level, no test, no such timeframe).
    pub fn value(&self, view: &FeatureView<'_>) -> Option<f64> {
        match self.value {
            Value::Plain(value) => value(view),
            Value::Timed(what, minutes) => what.value(view, Interval::from_minutes(minutes)),
        }
    }

    /// Returns whether a run on these timeframes has the column.
    pub fn is_on(&self, timeframes: Timeframes) -> bool {
        match self.value {
            Value::Plain(_) => true,
            Value::Timed(what, minutes) => what.is_on(Interval::from_minutes(minutes), timeframes),
        }
    }

    /// Returns the names of the columns that say the same of the timeframes of a run; none for a column of no timeframe.
    pub fn namesakes(&self, timeframes: Timeframes) -> Vec<&'static str> {
        let Value::Timed(own, _) = self.value else { return Vec::new() };
        let like = |column: &&FeatureColumn| {
            matches!(column.value, Value::Timed(what, _) if what == own) && column.is_on(timeframes)
        };
        COLUMNS.iter().filter(like).map(|column| column.name).collect()
    }
}

impl std::fmt::Debug for FeatureColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Column({})", self.name)
    }
}

impl PartialEq for FeatureColumn {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Returns the column of a name.
pub fn column(name: &str) -> Option<&'static FeatureColumn> {
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
fn tests_behind(view: &FeatureView<'_>) -> Option<f64> {
    match view.history_behind() {
        None => Some(0.0),
        Some(history) if history.false_breaks > FALSE_BREAKS_MAX => None,
        Some(history) => Some(f64::from(history.test_count)),
    }
}

/// A row is a name, its unit and meaning, and a function of the view, or what is known of a timeframe (in minutes).
macro_rules! columns {
    (@value @ $what:ident $minutes:literal) => { Value::Timed(Timed::$what, $minutes) };
    (@value $value:expr) => { Value::Plain($value) };
    ($($name:literal [$unit:literal] $meaning:literal => $(@ $what:ident $minutes:literal)? $($value:expr)?;)*) => {
        &[$(FeatureColumn {
            name: $name,
            unit: $unit,
            meaning: $meaning,
            value: columns!(@value $(@ $what $minutes)? $($value)?),
        }),*]
    };
}

/// Every column.
pub static COLUMNS: &[FeatureColumn] = columns! {
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
    "mkt_struct_trend_strength" ["-1, 0, 1"] "the same number as mkt_struct_swing, under its second legacy name; filter on one of them" => |v| Some(swing_code(v.row.structure.swing));
    "mkt_struct_is_trend" ["0 or 1"] "1 when the swings rise or fall together" => |v| flag(v.row.structure.swing.is_trend());
    "mkt_struct_age_candles" ["candles"] "since the last swing" => |v| Some(v.row.structure.age_bars.into());
    "mkt_struct_age_hours" ["hours"] "since the last swing, 1 decimal (2 on 1m and 3m)" => |v| Some(v.row.structure.age_hours);
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
    "atr_14" ["price"] "plain mean of the true ranges of 14 candles, not Wilder's; what ATR means everywhere here" => |v| Some(v.row.pulse.indicators.atr_14);
    "atr_14_wilder" ["price"] "Wilder's ATR(14): smoothed by 1/14, as charts show it" => |v| Some(v.row.pulse.indicators.atr_14_wilder);
    "atr_pct" ["%"] "ATR(14) over the close" => |v| Some(100.0 * v.row.pulse.indicators.atr_14 / v.row.candle.close);
    "atr_ratio" ["x"] "ATR(14) over the mean true range of 95 candles" => |v| Some(v.row.pulse.indicators.atr_ratio);
    "rsi_14" ["0..100"] "relative strength of 14 changes: gains over gains and losses as plain sums (Cutler's), not Wilder's" => |v| Some(v.row.pulse.indicators.rsi_14);
    "rsi_7" ["0..100"] "relative strength of 7 changes, plain sums" => |v| Some(v.row.pulse.indicators.rsi_7);
    "rsi_14_wilder" ["0..100"] "Wilder's RSI(14): gains and losses smoothed by 1/14, as charts show it" => |v| Some(v.row.pulse.indicators.rsi_14_wilder);
    "ema_20" ["price"] "exponential average, span 20" => |v| Some(v.row.pulse.indicators.ema_20);
    "ema_50" ["price"] "exponential average, span 50" => |v| Some(v.row.pulse.indicators.ema_50);
    "macd_line" ["price"] "EMA(12) - EMA(26)" => |v| Some(v.row.pulse.indicators.macd_line);
    "macd_signal" ["price"] "EMA(9) of the line" => |v| Some(v.row.pulse.indicators.macd_signal);
    "macd_histogram" ["price"] "line - signal" => |v| Some(v.row.pulse.indicators.macd_histogram);
    "macd_histogram_atr" ["ATR"] "histogram in ATR: comparable between symbols" => |v| Some(v.row.pulse.indicators.macd_histogram / v.row.pulse.indicators.atr_14);
    "volume_ratio" ["x"] "volume over the mean of the 20 candles before" => |v| Some(v.row.pulse.indicators.volume_ratio);
    "momentum_atr" ["ATR"] "close against four candles before" => |v| Some(v.row.pulse.indicators.momentum_atr);
    // Of the base interval and its higher timeframes; closed candles.
    "trend_1m" ["-1, 0, 1"] "trend on 1m; 0 = weakening" => @ Trend 1;
    "trend_3m" ["-1, 0, 1"] "trend on 3m; 0 = weakening" => @ Trend 3;
    "trend_5m" ["-1, 0, 1"] "trend on 5m; 0 = weakening" => @ Trend 5;
    "trend_15m" ["-1, 0, 1"] "trend on 15m; 0 = weakening" => @ Trend 15;
    "trend_30m" ["-1, 0, 1"] "trend on 30m; 0 = weakening" => @ Trend 30;
    "trend_1h" ["-1, 0, 1"] "trend on 1h; 0 = weakening" => @ Trend 60;
    "trend_2h" ["-1, 0, 1"] "trend on 2h; 0 = weakening" => @ Trend 120;
    "trend_4h" ["-1, 0, 1"] "trend on 4h; 0 = weakening" => @ Trend 240;
    "trend_6h" ["-1, 0, 1"] "trend on 6h; 0 = weakening" => @ Trend 360;
    "trend_8h" ["-1, 0, 1"] "trend on 8h; 0 = weakening" => @ Trend 480;
    "trend_12h" ["-1, 0, 1"] "trend on 12h; 0 = weakening" => @ Trend 720;
    "trend_1d" ["-1, 0, 1"] "trend on 1d; 0 = weakening" => @ Trend 1440;
    "trend_3d" ["-1, 0, 1"] "trend on 3d; 0 = weakening" => @ Trend 4320;
    "trend_1w" ["-1, 0, 1"] "trend on 1w; 0 = weakening" => @ Trend 10080;
    "ema20_5m" ["price"] "EMA(20) on 5m" => @ Ema20 5;
    "ema50_5m" ["price"] "EMA(50) on 5m" => @ Ema50 5;
    "ema20_15m" ["price"] "EMA(20) on 15m" => @ Ema20 15;
    "ema50_15m" ["price"] "EMA(50) on 15m" => @ Ema50 15;
    "ema20_1h" ["price"] "EMA(20) on 1h" => @ Ema20 60;
    "ema50_1h" ["price"] "EMA(50) on 1h" => @ Ema50 60;
    "ema20_2h" ["price"] "EMA(20) on 2h" => @ Ema20 120;
    "ema50_2h" ["price"] "EMA(50) on 2h" => @ Ema50 120;
    "ema20_4h" ["price"] "EMA(20) on 4h" => @ Ema20 240;
    "ema50_4h" ["price"] "EMA(50) on 4h" => @ Ema50 240;
    "ema20_8h" ["price"] "EMA(20) on 8h" => @ Ema20 480;
    "ema50_8h" ["price"] "EMA(50) on 8h" => @ Ema50 480;
    "ema20_12h" ["price"] "EMA(20) on 12h" => @ Ema20 720;
    "ema50_12h" ["price"] "EMA(50) on 12h" => @ Ema50 720;
    "ema20_1d" ["price"] "EMA(20) on 1d" => @ Ema20 1440;
    "ema50_1d" ["price"] "EMA(50) on 1d" => @ Ema50 1440;
    "ema20_3d" ["price"] "EMA(20) on 3d" => @ Ema20 4320;
    "ema50_3d" ["price"] "EMA(50) on 3d" => @ Ema50 4320;
    "ema20_1w" ["price"] "EMA(20) on 1w" => @ Ema20 10080;
    "ema50_1w" ["price"] "EMA(50) on 1w" => @ Ema50 10080;
    "ema_gap_5m_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 5m, the middle timeframe" => @ GapAtr 5;
    "ema_gap_15m_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 15m, the middle timeframe" => @ GapAtr 15;
    "ema_gap_1h_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 1h, the middle timeframe" => @ GapAtr 60;
    "ema_gap_2h_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 2h, the middle timeframe" => @ GapAtr 120;
    "ema_gap_4h_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 4h, the middle timeframe" => @ GapAtr 240;
    "ema_gap_8h_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 8h, the middle timeframe" => @ GapAtr 480;
    "ema_gap_12h_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 12h, the middle timeframe" => @ GapAtr 720;
    "ema_gap_1d_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 1d, the middle timeframe" => @ GapAtr 1440;
    "ema_gap_3d_atr" ["ATR"] "sided: EMA(20) - EMA(50) on 3d, the middle timeframe" => @ GapAtr 4320;
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
pub static SCORE_EVIDENCE: FeatureColumn = FeatureColumn {
    name: "signal_score_evidence",
    unit: "code",
    meaning: "sided: strengths of the terms of the style's score",
    value: Value::Plain(|v| Some(v.sided().score_evidence(v.style).number())),
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

    #[test]
    fn every_base_has_the_columns_of_its_own_timeframes_under_their_names() {
        for timeframes @ Timeframes { base, middle, high } in Timeframes::all() {
            let own =
                |kind: &str| super::column(&format!("{kind}_{middle}")).map(|c| c.namesakes(timeframes));
            let names = |kind: &str, of: &[Interval]| {
                Some(of.iter().map(|interval| format!("{kind}_{interval}")).collect::<Vec<_>>())
            };
            let text = |found: Option<Vec<&str>>| found.map(|f| f.into_iter().map(str::to_owned).collect());
            assert_eq!(text(own("trend")), names("trend", &[base, middle, high]));
            assert_eq!(text(own("ema20")), names("ema20", &[middle, high]));
            assert_eq!(text(own("ema50")), names("ema50", &[middle, high]));
            let gap = format!("ema_gap_{middle}_atr");
            assert_eq!(super::column(&gap).map(|c| c.namesakes(timeframes)), Some(vec![gap.as_str()]));
        }
        let false_name = super::column("trend_1h").expect("a column");
        assert!(!false_name.is_on(Timeframes::over(Interval::from_minutes(30))));
    }
}

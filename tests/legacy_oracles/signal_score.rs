//! The legacy system's signal score and consensus, from a row of its snapshots.
//!
//! Legacy: kept to compare numbers with the old system and to read its snapshot CSVs, never for new signals.
//! What is wrong with it is reproduced here on purpose: an absolute MACD limit (always true for BTC, never for
//! DOGE), "weakening" trends that count as aligned, a breakout beyond a level that includes its own candle, and
//! cells that hold a marker instead of a number counting as 0 (an RSI of `N/A` is oversold). Invariant: a score
//! is in 0..=100 whatever the row holds. Not here: reading files.

use retune::model::Style;

const BULL: &str = "多头";
const BEAR: &str = "空头";
const STRONG: &str = "强势";
/// What the legacy score is when it cannot be computed, and where it starts.
const SCORE_BASE: f64 = 50.0;

/// One raw cell of a legacy CSV row or JSON object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// There is no such column or key.
    Absent,
    /// The key is there and null.
    Null,
    /// A number, as JSON has them; NaN is possible.
    Number(f64),
    /// Text, as every CSV cell is.
    Text(&'a str),
}

impl<'a> Cell<'a> {
    /// Returns the cell as a number: the default if it is absent, 0 if it holds anything but a finite number.
    ///
    /// Source:    legacy number parsing. That a marker (empty, `N/A`, `-`, null, NaN, unparsable) is 0 and not
    ///            the default is defect D44: an RSI of 0 looks oversold. Infinite is 0 too; the legacy kept it.
    pub(crate) fn number(self, default: f64) -> f64 {
        let value = match self {
            Cell::Absent => return default,
            Cell::Null => return 0.0,
            Cell::Number(value) => value,
            Cell::Text(text) => text.trim().parse().unwrap_or(0.0),
        };
        if value.is_finite() { value } else { 0.0 }
    }

    /// Returns the cell as text: empty if it is absent, not text, or one of the markers for nothing.
    pub(crate) fn text(self) -> &'a str {
        match self {
            Cell::Text(text) if !matches!(text.trim(), "N/A" | "-") => text.trim(),
            _ => "",
        }
    }
}

/// What a legacy trend label contains; the labels are matched by substring, so a weakening trend has its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TrendLabel {
    /// It contains 多头.
    pub bull: bool,
    /// It contains 空头.
    pub bear: bool,
    /// It contains 强势.
    pub strong: bool,
}

impl TrendLabel {
    /// Returns what a label contains.
    pub(crate) fn parse(label: &str) -> Self {
        Self { bull: label.contains(BULL), bear: label.contains(BEAR), strong: label.contains(STRONG) }
    }

    /// Returns the larger of the number of bullish and of bearish labels.
    fn aligned(labels: &[Self]) -> usize {
        let bulls = labels.iter().filter(|label| label.bull).count();
        let bears = labels.iter().filter(|label| label.bear).count();
        bulls.max(bears)
    }
}

/// The fields of a snapshot row that the score and the consensus read.
///
/// Units:     prices, ATR and MACD in quote currency; `volume_ratio` is volume over its mean; values are finite
/// Source:    legacy snapshot columns; absent ones are 0 except `rsi_14`, which is 50 (see [`Cell::number`])
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LegacyRow {
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub trend_4h: TrendLabel,
    pub trend_1h: TrendLabel,
    pub trend_15m: TrendLabel,
    pub rsi_14: f64,
    pub macd_histogram: f64,
    pub atr: f64,
    pub support: f64,
    pub resistance: f64,
    pub ema20_1h: f64,
    pub ema50_1h: f64,
    pub ema20: f64,
    pub ema50: f64,
    pub volume_ratio: f64,
    /// `indicator_consensus` as the row says it; 0 means it must be recomputed.
    pub consensus: u32,
}

impl LegacyRow {
    /// Returns the row whose columns a lookup answers, by the legacy rules for absent and marked cells.
    pub(crate) fn read<'a>(cell: impl Fn(&str) -> Cell<'a>) -> Self {
        let number = |name: &str| cell(name).number(0.0);
        let trend = |name: &str| TrendLabel::parse(cell(name).text());
        Self {
            open: number("open"),
            high: number("high"),
            low: number("low"),
            close: number("close"),
            trend_4h: trend("trend_4h"),
            trend_1h: trend("trend_1h"),
            trend_15m: trend("trend_15m"),
            rsi_14: cell("rsi_14").number(50.0),
            macd_histogram: number("macd_histogram"),
            atr: number("atr"),
            support: number("support"),
            resistance: number("resistance"),
            ema20_1h: number("ema20_1h"),
            ema50_1h: number("ema50_1h"),
            ema20: number("ema20"),
            ema50: number("ema50"),
            volume_ratio: number("volume_ratio"),
            consensus: number("indicator_consensus") as u32,
        }
    }

    /// Returns what the consensus looks at.
    pub(crate) fn confirmations(&self) -> Confirmations {
        Confirmations {
            ema_fast: self.ema20_1h,
            ema_slow: self.ema50_1h,
            macd_histogram: self.macd_histogram,
            rsi: self.rsi_14,
            volume_ratio: self.volume_ratio,
            trend_4h: self.trend_4h,
            trend_1h: self.trend_1h,
            trend_15m: self.trend_15m,
        }
    }

    /// Returns the consensus the row carries, or the recomputed one where it says 0.
    pub(crate) fn consensus_or_recomputed(&self) -> u32 {
        if self.consensus > 0 { self.consensus } else { indicator_consensus(&self.confirmations()) }
    }

    /// Returns |close - open| / open, 0 without a positive open.
    fn body(&self) -> f64 {
        if self.open > 0.0 { (self.close - self.open).abs() / self.open } else { 0.0 }
    }
}

/// The points each term of the score is worth; a style reads only its own terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScoreWeights {
    pub momentum: f64,
    pub volume: f64,
    pub breakout: f64,
    pub pattern: f64,
    pub trend_align: f64,
    pub volatility: f64,
    pub volume_pulse: f64,
    pub momentum_accel: f64,
    pub ema_divergence: f64,
    pub trend_4h_strength: f64,
}

impl ScoreWeights {
    /// Returns the table that holds when `learning_config` has none for the style.
    pub(crate) fn default_for(style: Style) -> Self {
        let fallback = Self::from_table(style, |_| None);
        match style {
            Style::Scalping => {
                Self { momentum: 25.0, volume: 30.0, pattern: 15.0, trend_align: 12.0, ..fallback }
            }
            _ => fallback,
        }
    }

    /// Returns the table `learning_config` overrides the default with: it replaces the whole table, and a key
    /// it lacks takes a fallback of its own, which is not always the default.
    pub(crate) fn from_table(style: Style, weight: impl Fn(&str) -> Option<f64>) -> Self {
        let pick = |key: &str, fallback: f64| weight(key).unwrap_or(fallback);
        let trend_align = match style {
            Style::Scalping => 10.0,
            _ => 35.0,
        };
        Self {
            momentum: pick("momentum", 20.0),
            volume: pick("volume", 35.0),
            breakout: pick("breakout", 25.0),
            pattern: pick("pattern", 12.0),
            trend_align: pick("trend_align", trend_align),
            volatility: pick("volatility", 20.0),
            volume_pulse: pick("volume_pulse", 15.0),
            momentum_accel: pick("momentum_accel", 15.0),
            ema_divergence: pick("ema_divergence", 15.0),
            trend_4h_strength: pick("trend_4h_strength", 25.0),
        }
    }
}

/// Returns the legacy signal score of a row.
///
/// Units:     points in 0..=100, truncated; 50 where the row cannot be scored
/// Causality: reads the row only, hence the candle at t and what was known at its close
/// Cost:      O(1)
/// Source:    legacy row scoring, section 8 of the legacy specification
pub(crate) fn signal_score(row: &LegacyRow, style: Style, weights: &ScoreWeights) -> u32 {
    let style_points = match style {
        Style::Scalping => scalping_points(row, weights),
        _ => swing_points(row, weights),
    };
    // One by one in the legacy order: the sum is truncated, so its last bit can be a whole point.
    let points =
        common_points(row, weights).into_iter().chain(style_points).fold(SCORE_BASE, |sum, p| sum + p);
    if points.is_finite() { points.trunc().clamp(0.0, 100.0) as u32 } else { SCORE_BASE as u32 }
}

/// Returns the share of a weight that a value earns: that of the first limit it passes.
fn tier(passes: impl Fn(f64) -> bool, limits_and_shares: &[(f64, f64)]) -> f64 {
    limits_and_shares.iter().find(|(limit, _)| passes(*limit)).map_or(0.0, |(_, share)| *share)
}

fn common_points(row: &LegacyRow, weights: &ScoreWeights) -> [f64; 3] {
    let body = row.body();
    let momentum = tier(|limit| body > limit, &[(0.015, 1.0), (0.010, 0.75), (0.005, 0.5)]);
    let volume = tier(|limit| row.volume_ratio > limit, &[(2.0, 1.0), (1.5, 0.6), (1.2, 0.3)]);
    let above = row.resistance > 0.0 && row.close > row.resistance * 1.001;
    let below = row.support > 0.0 && row.close < row.support * 0.999;
    let breakout = f64::from(u8::from(above || below));
    [weights.momentum * momentum, weights.volume * volume, weights.breakout * breakout]
}

fn scalping_points(row: &LegacyRow, weights: &ScoreWeights) -> [f64; 6] {
    let pattern = f64::from(u8::from(is_pin_bar(row)));
    let aligned = TrendLabel::aligned(&[row.trend_4h, row.trend_1h, row.trend_15m]) >= 2;
    let volatility = if row.close > 0.0 { row.atr / row.close } else { 0.0 };
    let volatility = tier(|limit| volatility >= limit, &[(0.020, 1.0), (0.015, 0.75), (0.012, 0.5)]);
    let pulse = tier(|limit| row.volume_ratio > limit, &[(2.5, 1.0), (2.0, 0.67)]);
    // Unlike the momentum term this one is off without a positive close.
    let body = if row.close > 0.0 { row.body() } else { 0.0 };
    let acceleration = tier(|limit| body >= limit, &[(0.015, 1.0), (0.010, 0.67)]);
    [
        weights.pattern * pattern,
        weights.trend_align * f64::from(u8::from(aligned)),
        weights.volatility * volatility,
        weights.volume_pulse * pulse,
        weights.momentum_accel * acceleration,
        if is_rsi_extreme(row) { -5.0 } else { 0.0 },
    ]
}

fn swing_points(row: &LegacyRow, weights: &ScoreWeights) -> [f64; 6] {
    let aligned = TrendLabel::aligned(&[row.trend_4h, row.trend_1h, row.trend_15m]) as f64;
    let alignment = tier(|limit| aligned >= limit, &[(3.0, 1.0), (2.0, 0.6)]);
    let divergence = ema_gap_pct(row.ema20, row.ema50);
    let divergence = tier(|limit| divergence >= limit, &[(5.0, 1.0), (3.0, 0.67)]);
    let strength = match row.trend_4h {
        TrendLabel { strong: true, .. } => 1.0,
        TrendLabel { bull: false, bear: false, .. } => 0.0,
        _ => 0.6,
    };
    [
        weights.trend_align * alignment,
        weights.ema_divergence * divergence,
        weights.trend_4h_strength * strength,
        if is_rsi_extreme(row) { -10.0 } else { 0.0 },
        0.0,
        0.0,
    ]
}

/// Returns whether one wick is longer than two bodies and the other shorter than half a body.
fn is_pin_bar(row: &LegacyRow) -> bool {
    let body = (row.close - row.open).abs();
    let upper = row.high - row.open.max(row.close);
    let lower = row.open.min(row.close) - row.low;
    let is_pin = |long: f64, short: f64| long > 2.0 * body && short < 0.5 * body;
    row.high > row.low && (is_pin(upper, lower) || is_pin(lower, upper))
}

fn is_rsi_extreme(row: &LegacyRow) -> bool {
    row.rsi_14 > 80.0 || row.rsi_14 < 20.0
}

/// Returns |fast - slow| / slow in percent, 0 unless both are positive.
fn ema_gap_pct(fast: f64, slow: f64) -> f64 {
    if fast > 0.0 && slow > 0.0 { (fast - slow).abs() / slow * 100.0 } else { 0.0 }
}

/// What the indicator consensus looks at.
///
/// Units:     EMAs and MACD in quote currency, RSI in 0..=100, volume over its mean
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Confirmations {
    pub ema_fast: f64,
    pub ema_slow: f64,
    pub macd_histogram: f64,
    pub rsi: f64,
    pub volume_ratio: f64,
    pub trend_4h: TrendLabel,
    pub trend_1h: TrendLabel,
    pub trend_15m: TrendLabel,
}

/// Returns how many of five indicators confirm: EMA gap, MACD, RSI, volume, all three trends on one side.
///
/// Units:     a count in 0..=5
/// Source:    legacy indicator consensus, section 8 of the legacy specification
pub(crate) fn indicator_consensus(seen: &Confirmations) -> u32 {
    let trends = [seen.trend_4h, seen.trend_1h, seen.trend_15m];
    let confirms = [
        ema_gap_pct(seen.ema_fast, seen.ema_slow) >= 2.0,
        seen.macd_histogram.abs() >= 0.01,
        seen.rsi > 70.0 || seen.rsi < 30.0 || (45.0..=55.0).contains(&seen.rsi),
        seen.volume_ratio >= 1.5,
        TrendLabel::aligned(&trends) == 3,
    ];
    confirms.into_iter().map(u32::from).sum()
}

/// What the weighted consensus looks at.
///
/// Units:     levels and price in quote currency, pattern scores in points; closes oldest first, empty if unknown
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ConsensusInputs<'a> {
    pub seen: Confirmations,
    pub pin_bar_score: f64,
    pub engulfing_score: f64,
    pub breakout_score: f64,
    pub recent_closes: &'a [f64],
    pub support: f64,
    pub resistance: f64,
    pub price: f64,
}

/// Returns the weighted consensus.
///
/// Units:     points in 0..=100
/// Cost:      O(closes)
/// Source:    legacy consensus calculator, section 8 of the legacy specification
pub(crate) fn consensus_score(inputs: &ConsensusInputs<'_>) -> u32 {
    let seen = &inputs.seen;
    let ema_gap = ema_gap_pct(seen.ema_fast, seen.ema_slow);
    let macd = seen.macd_histogram.abs();
    let patterns = (inputs.pin_bar_score / 2.0).min(5.0)
        + (inputs.engulfing_score / 2.0).min(5.0)
        + (inputs.breakout_score / 5.0).min(5.0);
    let has_levels = inputs.support > 0.0 && inputs.resistance > 0.0 && inputs.price > 0.0;
    let room = if has_levels { (inputs.resistance - inputs.support) / inputs.price * 100.0 } else { 0.0 };
    let points = tier(|limit| ema_gap >= limit, &[(5.0, 10.0), (2.0, 5.0)])
        + tier(|limit| macd >= limit, &[(0.05, 10.0), (0.01, 5.0)])
        + rsi_points(seen.rsi)
        + tier(|limit| seen.volume_ratio >= limit, &[(2.0, 10.0), (1.5, 5.0)])
        + trend_points(seen)
        + patterns.trunc()
        + monotony_points(inputs.recent_closes)
        + tier(|limit| room >= limit, &[(3.0, 5.0), (1.5, 3.0)]);
    points.clamp(0.0, 100.0) as u32
}

fn rsi_points(rsi: f64) -> f64 {
    let neutral = if (45.0..=55.0).contains(&rsi) { 3.0 } else { 0.0 };
    neutral + tier(|limit| (rsi - 50.0).abs() > limit, &[(25.0, 10.0), (20.0, 7.0)])
}

fn trend_points(seen: &Confirmations) -> f64 {
    if TrendLabel::aligned(&[seen.trend_4h, seen.trend_1h, seen.trend_15m]) == 3 {
        30.0
    } else if TrendLabel::aligned(&[seen.trend_4h, seen.trend_1h]) == 2 {
        15.0
    } else {
        0.0
    }
}

fn monotony_points(closes: &[f64]) -> f64 {
    if closes.len() < 3 {
        return 0.0;
    }
    let rises = closes.windows(2).all(|pair| pair[0] < pair[1]);
    let falls = closes.windows(2).all(|pair| pair[0] > pair[1]);
    match closes {
        _ if rises || falls => 10.0,
        [.., before, last] if before != last => 5.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_zero_but_an_absent_cell_is_the_default() {
        assert_eq!(Cell::Absent.number(50.0), 50.0);
        for marker in ["", "N/A", "-", "nan", "inf", "x"] {
            assert_eq!(Cell::Text(marker).number(50.0), 0.0, "{marker:?}");
        }
        assert_eq!(Cell::Null.number(50.0), 0.0);
        assert_eq!(Cell::Number(f64::NAN).number(50.0), 0.0);
        assert_eq!(Cell::Text(" 61.5 ").number(50.0), 61.5);
        assert_eq!((Cell::Text("N/A").text(), Cell::Text("多头").text()), ("", "多头"));
    }

    #[test]
    fn an_empty_row_scores_the_base_and_a_marked_rsi_is_oversold() {
        let weights = ScoreWeights::default_for(Style::Swing);
        let empty = LegacyRow::read(|_| Cell::Absent);
        assert_eq!(signal_score(&empty, Style::Swing, &weights), 50);
        assert_eq!(empty.consensus_or_recomputed(), 1);
        let marked = LegacyRow::read(|name| if name == "rsi_14" { Cell::Text("-") } else { Cell::Absent });
        assert_eq!(signal_score(&marked, Style::Swing, &weights), 40);
    }

    #[test]
    fn an_override_replaces_the_whole_table() {
        let table = ScoreWeights::from_table(Style::Scalping, |key| (key == "volume").then_some(7.0));
        assert_eq!((table.volume, table.momentum, table.pattern, table.trend_align), (7.0, 20.0, 12.0, 10.0));
        assert_eq!(ScoreWeights::default_for(Style::Scalping).momentum, 25.0);
    }
}

//! The repaired signal score and consensus: evidence in the signal's direction, in units that mean the same for
//! every symbol.
//!
//! The legacy formulas compare absolute MACD values, percent volume and unsigned gaps (D43, D44); every BTC candle
//! confirms and no DOGE candle ever does. Here price distances are measured in ATR, and only what points in the
//! direction of the trade counts. Deviations from the legacy terms are listed in ARCHITECTURE.md.

use super::frame::FeatureRow;
use crate::model::{Direction, Style};

/// A named weight of the signal score.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ScoreWeight {
    pub term: ScoreTerm,
    pub weight: f64,
}

/// A term of the signal score; each has a strength in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScoreTerm {
    /// Body of the candle in the direction.
    Momentum,
    /// Volume against the 20 candles before.
    Volume,
    /// Close beyond the last 20 candles.
    Breakout,
    /// Pin bar or engulfing candle.
    Pattern,
    /// Timeframes that agree.
    TrendAlign,
    /// Range against its own last day.
    Volatility,
    /// Extreme volume.
    VolumePulse,
    /// Body against the body before.
    MomentumAccel,
    /// Gap of the middle timeframe's averages.
    EmaDivergence,
    /// Strength of the high timeframe's trend.
    HighTrendStrength,
}

impl ScoreTerm {
    /// Returns the legacy key of the weight.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Momentum => "momentum",
            Self::Volume => "volume",
            Self::Breakout => "breakout",
            Self::Pattern => "pattern",
            Self::TrendAlign => "trend_align",
            Self::Volatility => "volatility",
            Self::VolumePulse => "volume_pulse",
            Self::MomentumAccel => "momentum_accel",
            Self::EmaDivergence => "ema_divergence",
            Self::HighTrendStrength => "trend_4h_strength",
        }
    }
}

/// Returns the default weights of a style (the legacy defaults).
pub fn default_weights(style: Style) -> &'static [ScoreWeight] {
    const fn weigh(term: ScoreTerm, weight: f64) -> ScoreWeight {
        ScoreWeight { term, weight }
    }
    use ScoreTerm::*;
    const SCALPING: [ScoreWeight; 8] = [
        weigh(Momentum, 25.0),
        weigh(Volume, 30.0),
        weigh(Breakout, 25.0),
        weigh(Pattern, 15.0),
        weigh(TrendAlign, 12.0),
        weigh(Volatility, 20.0),
        weigh(VolumePulse, 15.0),
        weigh(MomentumAccel, 15.0),
    ];
    const SWING: [ScoreWeight; 6] = [
        weigh(Momentum, 20.0),
        weigh(Volume, 35.0),
        weigh(Breakout, 25.0),
        weigh(TrendAlign, 35.0),
        weigh(EmaDivergence, 15.0),
        weigh(HighTrendStrength, 25.0),
    ];
    match style {
        Style::Scalping => &SCALPING,
        Style::Swing => &SWING,
    }
}

/// A feature row seen from one side of the market.
#[derive(Debug, Clone, Copy)]
pub struct Sided<'a> {
    row: &'a FeatureRow,
    direction: Direction,
}

/// Returns the value of the first step whose limit is passed, else 0.
fn steps(value: f64, ladder: &[(f64, f64)]) -> f64 {
    ladder.iter().find(|(limit, _)| value >= *limit).map_or(0.0, |(_, points)| *points)
}

impl<'a> Sided<'a> {
    /// Looks at a row from a direction.
    pub fn new(row: &'a FeatureRow, direction: Direction) -> Self {
        Self { row, direction }
    }

    /// Returns a price distance as ATR in the direction.
    fn in_atr(&self, distance: f64) -> f64 {
        self.direction.sign() * distance / self.row.pulse.indicators.atr_14
    }

    fn agrees(&self, direction: Option<Direction>) -> bool {
        direction == Some(self.direction)
    }

    /// Returns how many of the three timeframes trend in the direction, weakening ones not counted.
    pub fn aligned_timeframes(&self) -> i32 {
        let pulse = &self.row.pulse;
        let votes = [pulse.trend_base, pulse.middle.trend, pulse.high.trend].map(|t| t.vote());
        votes.iter().filter(|vote| f64::from(**vote) == self.direction.sign()).count() as i32
    }

    /// Returns the gap of the middle timeframe's averages in the direction; ATR.
    pub fn middle_gap_atr(&self) -> f64 {
        self.in_atr(self.row.pulse.middle.ema_20 - self.row.pulse.middle.ema_50)
    }

    /// Returns RSI(14) seen from the direction: above 50 speaks for the trade, above 80 is exhausted.
    fn rsi(&self) -> f64 {
        50.0 + self.direction.sign() * (self.row.pulse.indicators.rsi_14 - 50.0)
    }

    fn strength(&self, term: ScoreTerm, style: Style) -> f64 {
        let indicators = &self.row.pulse.indicators;
        let body = self.row.candle.close - self.row.candle.open;
        let volume = indicators.volume_ratio;
        match term {
            ScoreTerm::Momentum => steps(self.in_atr(body), &[(1.0, 1.0), (0.67, 0.75), (0.33, 0.5)]),
            ScoreTerm::Volume => steps(volume, &[(2.0, 1.0), (1.5, 0.6), (1.2, 0.3)]),
            ScoreTerm::Breakout => f64::from(self.agrees(self.row.patterns.breakout)),
            ScoreTerm::Pattern => f64::from(self.agrees(self.row.patterns.reversal())),
            ScoreTerm::TrendAlign => match (style, self.aligned_timeframes()) {
                (Style::Scalping, 2..) | (Style::Swing, 3..) => 1.0,
                (Style::Swing, 2) => 0.6,
                _ => 0.0,
            },
            ScoreTerm::Volatility => steps(indicators.atr_ratio, &[(1.5, 1.0), (1.25, 0.75), (1.1, 0.5)]),
            ScoreTerm::VolumePulse => steps(volume, &[(2.5, 1.0), (2.0, 0.67)]),
            ScoreTerm::MomentumAccel => {
                steps(self.in_atr(body - self.row.body_before), &[(1.0, 1.0), (0.5, 0.67)])
            }
            ScoreTerm::EmaDivergence => steps(self.middle_gap_atr(), &[(3.0, 1.0), (1.5, 0.67)]),
            ScoreTerm::HighTrendStrength => {
                let gap = self.in_atr(self.row.pulse.high.ema_20 - self.row.pulse.high.ema_50);
                match f64::from(self.row.pulse.high.trend.vote()) == self.direction.sign() {
                    true if gap >= 4.0 => 1.0,
                    true => 0.6,
                    false => 0.0,
                }
            }
        }
    }

    /// Returns the signal score.
    ///
    /// Units:  0..=100, whole numbers: the weighted mean strength of the terms, stretched by 1.5 so that a signal
    ///         with two thirds of all evidence is full; less 5 (scalping) or 10 (swing) when RSI is exhausted
    /// Source: legacy section 8, with a mean instead of 50 + sum: the sum clipped 77 % of rows at 100 and let
    ///         nothing below 50, so that the thresholds 40/50/60 excluded nothing (D25)
    pub fn signal_score(&self, style: Style, weights: &[ScoreWeight]) -> f64 {
        let total: f64 = weights.iter().map(|w| w.weight).sum();
        let evidence: f64 = weights.iter().map(|w| w.weight * self.strength(w.term, style)).sum();
        let exhausted = match style {
            Style::Scalping => 5.0,
            Style::Swing => 10.0,
        };
        let penalty = if self.rsi() > 80.0 { exhausted } else { 0.0 };
        (150.0 * evidence / total.max(f64::MIN_POSITIVE) - penalty).clamp(0.0, 100.0).trunc()
    }

    /// Returns the indicator consensus: how many of five indicators confirm the direction.
    ///
    /// Units:  0..=5
    /// Source: legacy section 8, scale-free and directed: EMA gap >= 1 ATR (was 2 %), MACD histogram >= 0.1 ATR
    ///         (was 0.01 price units), RSI on the trade's side and not exhausted, or turning from an extreme (was
    ///         any extreme or the middle), volume 1.5 x usual (was percent), all three trends, none weakening
    pub fn consensus(&self) -> u32 {
        let indicators = &self.row.pulse.indicators;
        let rsi = self.rsi();
        [
            self.middle_gap_atr() >= 1.0,
            self.in_atr(indicators.macd_histogram) >= 0.1,
            (50.0..70.0).contains(&rsi) || rsi < 30.0,
            indicators.volume_ratio >= 1.5,
            self.aligned_timeframes() == 3,
        ]
        .into_iter()
        .filter(|confirms| *confirms)
        .count() as u32
    }

    /// Returns the weighted consensus score.
    ///
    /// Units:  0..=100 points
    /// Source: legacy section 8 with the same points; distances in ATR and in the direction: EMA gap 3 and 1 ATR
    ///         (was 5 % and 2 %), MACD 0.3 and 0.1 ATR, room between the levels 6 and 3 ATR (was 3 % and 1.5 %)
    pub fn consensus_score(&self) -> f64 {
        let indicators = &self.row.pulse.indicators;
        let rsi = self.rsi();
        let mut points = steps(self.middle_gap_atr(), &[(3.0, 10.0), (1.0, 5.0)]);
        points += steps(self.in_atr(indicators.macd_histogram), &[(0.3, 10.0), (0.1, 5.0)]);
        points += match rsi {
            r if r < 25.0 => 10.0,
            r if r < 30.0 => 7.0,
            r if (50.0..70.0).contains(&r) => 5.0,
            _ => 0.0,
        };
        points += steps(indicators.volume_ratio, &[(2.0, 10.0), (1.5, 5.0)]);
        let higher = [self.row.pulse.middle.trend, self.row.pulse.high.trend];
        let higher_agree = higher.iter().all(|t| f64::from(t.vote()) == self.direction.sign());
        points += match self.aligned_timeframes() {
            3 => 30.0,
            2 if higher_agree => 15.0,
            _ => 0.0,
        };
        points += 5.0 * f64::from(self.agrees(self.row.patterns.pin_bar));
        points += 5.0 * f64::from(self.agrees(self.row.patterns.engulfing));
        points += 5.0 * f64::from(self.agrees(self.row.patterns.breakout));
        let [a, b, c] = self.row.closes.map(|close| close * self.direction.sign());
        points += if a < b && b < c { 10.0 } else { 5.0 * f64::from(b < c) };
        if let (Some(support), Some(resistance)) = (self.row.levels.support, self.row.levels.resistance) {
            let room = (resistance.price - support.price) / indicators.atr_14;
            points += steps(room, &[(6.0, 5.0), (3.0, 3.0)]);
        }
        points.min(100.0)
    }
}

//! The repaired signal score and consensus: evidence in the signal's direction, in units that mean the same for
//! every symbol.
//!
//! The legacy formulas compare absolute MACD values, percent volume and unsigned gaps (D43, D44); every BTC candle
//! confirms and no DOGE candle ever does. Here price distances are measured in ATR, and only what points in the
//! direction of the trade counts. Deviations from the legacy terms are listed in docs/internals/legacy.md.

use std::fmt;

use super::frame::FeatureRow;
use crate::model::{Direction, Style};

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

    /// Returns the strengths it can have, weakest first; at most four.
    fn strengths(self) -> &'static [f64] {
        match self {
            Self::Momentum | Self::Volatility => &[0.0, 0.5, 0.75, 1.0],
            Self::Volume => &[0.0, 0.3, 0.6, 1.0],
            Self::Breakout | Self::Pattern => &[0.0, 1.0],
            Self::TrendAlign | Self::HighTrendStrength => &[0.0, 0.6, 1.0],
            Self::VolumePulse | Self::MomentumAccel | Self::EmaDivergence => &[0.0, 0.67, 1.0],
        }
    }
}

/// What the score is of a style.
struct StyleScore {
    terms: &'static [ScoreTerm],
    /// Default weights of the terms (the legacy defaults), zeros beyond them.
    weights: [u8; TERMS_MAX],
    /// What an exhausted move costs.
    exhausted: f64,
    /// Where the trend counts as aligned, by how many timeframes are: 0, 1, 2, 3.
    aligned: [usize; 4],
}

/// The scores of every style.
const SCORES: [StyleScore; Style::COUNT] = {
    use ScoreTerm::*;
    [
        StyleScore {
            terms: &[Momentum, Volume, Breakout, Pattern, TrendAlign, Volatility, VolumePulse, MomentumAccel],
            weights: [25, 30, 25, 15, 12, 20, 15, 15],
            exhausted: 5.0,
            aligned: [0, 0, 2, 2],
        },
        StyleScore {
            terms: &[Momentum, Volume, Breakout, TrendAlign, EmaDivergence, HighTrendStrength],
            weights: [20, 35, 25, 35, 15, 25, 0, 0],
            exhausted: 10.0,
            aligned: [0, 0, 1, 2],
        },
    ]
};

/// Returns the terms of a style's score.
pub fn terms_of_style(style: Style) -> &'static [ScoreTerm] {
    SCORES[style.index()].terms
}

/// Terms of a style at most.
pub const TERMS_MAX: usize = 8;

/// What the terms of a style's score weigh, in the order of [`terms_of_style`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ScoreWeights {
    style: Style,
    /// Zeros beyond the style's terms.
    weights: [u8; TERMS_MAX],
}

impl ScoreWeights {
    /// Returns the default weights of a style (the legacy defaults).
    pub const fn default_of(style: Style) -> Self {
        Self { style, weights: SCORES[style.index()].weights }
    }

    /// Returns the weights that a function gives the terms of a style; `None` if it has none for one of them.
    pub fn of(style: Style, weight: impl FnMut(ScoreTerm) -> Option<u8>) -> Option<Self> {
        let mut weights = [0; TERMS_MAX];
        let found: Option<Vec<u8>> = terms_of_style(style).iter().copied().map(weight).collect();
        found?.into_iter().zip(&mut weights).for_each(|(own, place)| *place = own);
        Some(Self { style, weights })
    }

    /// Reads what [`Display`](fmt::Display) writes; `None` if it is nothing of the kind, or of another style.
    pub fn parse(style: Style, text: &str) -> Option<Self> {
        let pairs = text.split(' ').map(|pair| pair.split_once(':'));
        let pairs = pairs
            .collect::<Option<Vec<(&str, &str)>>>()
            .filter(|p| p.len() == terms_of_style(style).len())?;
        let weight = |term: ScoreTerm| {
            let (_, weight) = pairs.iter().find(|(name, _)| *name == term.as_str())?;
            weight.parse().ok()
        };
        Self::of(style, weight)
    }

    /// Returns the style.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Returns every term with its weight.
    pub fn pairs(&self) -> impl Iterator<Item = (ScoreTerm, u8)> {
        terms_of_style(self.style).iter().copied().zip(self.weights)
    }
}

impl fmt::Display for ScoreWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (term, weight)) in self.pairs().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}:{weight}", term.as_str())?;
        }
        Ok(())
    }
}

/// All that a style's score reads of a signal: which of its strengths each term has, and whether RSI is exhausted. Under
/// any weights it gives the score that the feature row gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ScoreEvidence(u32);

impl ScoreEvidence {
    /// The lowest bit tells exhaustion; two bits per term follow, in the order of [`terms_of_style`].
    const TERM_BITS: u32 = 2;

    fn new(exhausted: bool, steps: impl Iterator<Item = usize>) -> Self {
        let bits = |place: u32, step: usize| (step as u32) << (1 + Self::TERM_BITS * place);
        Self((0..).zip(steps).fold(u32::from(exhausted), |all, (place, step)| all | bits(place, step)))
    }

    /// Returns it as a whole number, for columns.
    pub fn number(self) -> f64 {
        f64::from(self.0)
    }

    /// Reads the number of a style's evidence; `None` if it is none.
    pub fn from_number(number: f64, style: Style) -> Option<Self> {
        let evidence = Self(number as u32);
        let is_one = |(place, term): (usize, &ScoreTerm)| evidence.step(place) < term.strengths().len();
        let within = evidence.0 >> (1 + Self::TERM_BITS * terms_of_style(style).len() as u32) == 0;
        let whole = f64::from(evidence.0) == number;
        (whole && within && terms_of_style(style).iter().enumerate().all(is_one)).then_some(evidence)
    }

    fn step(self, place: usize) -> usize {
        (self.0 >> (1 + Self::TERM_BITS * place as u32)) as usize & ((1 << Self::TERM_BITS) - 1)
    }

    /// Returns the score under weights of its style; see [`Sided::signal_score`].
    pub fn score(self, weights: &ScoreWeights) -> f64 {
        let total: f64 = weights.pairs().map(|(_, weight)| f64::from(weight)).sum();
        let strength = |(place, (term, weight)): (usize, (ScoreTerm, u8))| {
            f64::from(weight) * term.strengths()[self.step(place)]
        };
        let evidence: f64 = weights.pairs().enumerate().map(strength).sum();
        let penalty = if self.0 & 1 == 1 { SCORES[weights.style.index()].exhausted } else { 0.0 };
        (150.0 * evidence / total.max(f64::MIN_POSITIVE) - penalty).clamp(0.0, 100.0).trunc()
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

/// Returns how many of ascending limits a value passes.
fn limits_reached(value: f64, limits: &[f64]) -> usize {
    limits.iter().take_while(|limit| value >= **limit).count()
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

    /// Returns the place among its strengths that a term has.
    fn step(&self, term: ScoreTerm, style: Style) -> usize {
        let indicators = &self.row.pulse.indicators;
        let body = self.row.candle.close - self.row.candle.open;
        let volume = indicators.volume_ratio;
        match term {
            ScoreTerm::Momentum => limits_reached(self.in_atr(body), &[0.33, 0.67, 1.0]),
            ScoreTerm::Volume => limits_reached(volume, &[1.2, 1.5, 2.0]),
            ScoreTerm::Breakout => usize::from(self.agrees(self.row.patterns.breakout)),
            ScoreTerm::Pattern => usize::from(self.agrees(self.row.patterns.reversal())),
            ScoreTerm::TrendAlign => {
                SCORES[style.index()].aligned[self.aligned_timeframes().clamp(0, 3) as usize]
            }
            ScoreTerm::Volatility => limits_reached(indicators.atr_ratio, &[1.1, 1.25, 1.5]),
            ScoreTerm::VolumePulse => limits_reached(volume, &[2.0, 2.5]),
            ScoreTerm::MomentumAccel => limits_reached(self.in_atr(body - self.row.body_before), &[0.5, 1.0]),
            ScoreTerm::EmaDivergence => limits_reached(self.middle_gap_atr(), &[1.5, 3.0]),
            ScoreTerm::HighTrendStrength => {
                let gap = self.in_atr(self.row.pulse.high.ema_20 - self.row.pulse.high.ema_50);
                match f64::from(self.row.pulse.high.trend.vote()) == self.direction.sign() {
                    true if gap >= 4.0 => 2,
                    true => 1,
                    false => 0,
                }
            }
        }
    }

    /// Returns all that the signal score of a style reads.
    pub fn score_evidence(&self, style: Style) -> ScoreEvidence {
        let steps = terms_of_style(style).iter().map(|term| self.step(*term, style));
        ScoreEvidence::new(self.rsi() > 80.0, steps)
    }

    /// Returns the signal score under the weights of a style.
    ///
    /// Units:  0..=100, whole numbers: the weighted mean strength of the terms, stretched by 1.5 so that a signal
    ///         with two thirds of all evidence is full; less 5 (scalping) or 10 (swing) when RSI is exhausted
    /// Source: legacy section 8, with a mean instead of 50 + sum: the sum clipped 77 % of rows at 100 and let
    ///         nothing below 50, so that the thresholds 40/50/60 excluded nothing (D25)
    pub fn signal_score(&self, weights: &ScoreWeights) -> f64 {
        self.score_evidence(weights.style).score(weights)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn style() -> impl Strategy<Value = Style> {
        prop::sample::select(Style::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn evidence_is_read_as_it_was_written_and_nothing_else_is_some(style in style(), number in 0_u32..1 << 18) {
            let valid = |(place, term): (usize, &ScoreTerm)| {
                (number >> (1 + 2 * place)) as usize % 4 < term.strengths().len()
            };
            let fits = number >> (1 + 2 * terms_of_style(style).len()) == 0;
            let valid = fits && terms_of_style(style).iter().enumerate().all(valid);
            let read = ScoreEvidence::from_number(f64::from(number), style);
            prop_assert_eq!(read.map(ScoreEvidence::number), valid.then_some(f64::from(number)));
            for other in [f64::from(number) + 0.5, -1.0 - f64::from(number), f64::NAN, f64::INFINITY] {
                prop_assert_eq!(ScoreEvidence::from_number(other, style), None);
            }
        }

        #[test]
        fn a_score_is_the_weighted_mean_of_the_strengths(
            style in style(), exhausted: bool, steps in prop::array::uniform8(0_usize..4), weights in prop::array::uniform8(0_u8..=50),
        ) {
            let own = terms_of_style(style);
            let steps: Vec<usize> = own.iter().zip(steps).map(|(t, step)| step % t.strengths().len()).collect();
            let mut drawn = weights.into_iter();
            let weights = ScoreWeights::of(style, |_| drawn.next()).expect("enough");
            prop_assert_eq!(ScoreWeights::parse(style, &weights.to_string()), Some(weights));
            let evidence = ScoreEvidence::new(exhausted, steps.iter().copied());
            let (mut sum, mut total) = (0.0, 0.0);
            for ((term, weight), step) in weights.pairs().zip(&steps) {
                sum += f64::from(weight) * term.strengths()[*step];
                total += f64::from(weight);
            }
            let penalty = if !exhausted { 0.0 } else if style == Style::Swing { 10.0 } else { 5.0 };
            let mean = if total > 0.0 { 150.0 * sum / total } else { 0.0 };
            prop_assert_eq!(evidence.score(&weights), (mean - penalty).clamp(0.0, 100.0).trunc());
        }
    }

    #[test]
    fn weights_of_another_style_or_of_a_term_too_few_are_none() {
        let text = ScoreWeights::default_of(Style::Swing).to_string();
        assert_eq!(
            text,
            "momentum:20 volume:35 breakout:25 trend_align:35 ema_divergence:15 trend_4h_strength:25"
        );
        assert_eq!(ScoreWeights::parse(Style::Scalping, &text), None);
        assert_eq!(ScoreWeights::parse(Style::Swing, &text.replace("25", "256")), None);
        assert_eq!(ScoreWeights::parse(Style::Swing, &text.replace("momentum:20 ", "")), None);
        assert_eq!(ScoreWeights::parse(Style::Swing, ""), None);
    }
}

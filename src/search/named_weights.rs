//! Weights of the signal score that are worth a try before others are evolved.

use crate::features::score::ScoreWeights;
use crate::model::Style;

/// Weights by style, in the order of [`terms_of_style`](crate::features::score::terms_of_style).
const BY_STYLE: [&[&[u8]]; Style::COUNT] = [
    // Scalping: momentum, volume, breakout, and every term a little less.
    &[
        &[30, 28, 25, 15, 10, 18, 12, 20],
        &[22, 35, 22, 15, 10, 18, 20, 12],
        &[22, 28, 30, 15, 10, 25, 12, 12],
        &[24, 29, 24, 14, 11, 19, 14, 14],
    ],
    // Swing: the trend, the high timeframe, momentum with volume, and every term a little less.
    &[
        &[20, 30, 20, 40, 15, 25],
        &[20, 30, 20, 35, 10, 35],
        &[25, 40, 20, 30, 15, 20],
        &[22, 33, 23, 33, 15, 25],
    ],
];

/// Returns the weights of a style that lean towards some of its terms; the default ones are not among them.
///
/// Source:    those tables of the legacy whose terms are all known here
pub fn alternative_weights(style: Style) -> Vec<ScoreWeights> {
    let of = |row: &[u8]| {
        let mut weights = row.iter().copied();
        ScoreWeights::of(style, |_| weights.next())
    };
    BY_STYLE[style.index()].iter().filter_map(|row| of(row)).collect()
}

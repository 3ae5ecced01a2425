//! How much trades that overlap say: two at once on one symbol are not two.
//!
//! Source: M. López de Prado, Advances in Financial Machine Learning (2018), section 4.3

use std::collections::BTreeMap;

use super::outcome_table::OutcomeTable;

/// Returns what trades are worth in trades that do not overlap: the sum of their average uniqueness, symbol by symbol.
///
/// Shape:     trades in trade order
/// Cost:      O(trades x log of trades)
pub fn effective_trades(book: &OutcomeTable, rule: usize, trades: &[usize], bar_ms: i64) -> f64 {
    let mut spans: BTreeMap<u16, Vec<(i64, i64)>> = BTreeMap::new();
    let outcomes = book.under(rule);
    for &signal in trades {
        let entry = book.entries()[signal];
        let held_ms = i64::from(outcomes.of(signal).bars_held) * bar_ms;
        spans.entry(entry.symbol).or_default().push((entry.entry_ms, entry.entry_ms + held_ms));
    }
    spans.values().flat_map(|spans| average_uniqueness(spans)).sum()
}

/// Returns for each span the mean over its time of 1 / (spans open then); spans are half open and not empty.
pub fn average_uniqueness(spans: &[(i64, i64)]) -> Vec<f64> {
    let mut bounds: Vec<i64> = spans.iter().flat_map(|(from, to)| [*from, *to]).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let place = |at: i64| bounds.partition_point(|bound| *bound < at);
    let mut change = vec![0_i64; bounds.len()];
    for (from, to) in spans {
        change[place(*from)] += 1;
        change[place(*to)] -= 1;
    }
    // What one span gets of all the time before each bound.
    let (mut shared, mut sum, mut open) = (vec![0.0; bounds.len()], 0.0, 0);
    for (i, pair) in bounds.windows(2).enumerate() {
        open += change[i];
        sum += if open > 0 { (pair[1] - pair[0]) as f64 / open as f64 } else { 0.0 };
        shared[i + 1] = sum;
    }
    let mean = |(from, to): &(i64, i64)| (shared[place(*to)] - shared[place(*from)]) / (to - from) as f64;
    spans.iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_agrees() {
        // Half open: candles 1 to 3, 3 and 4, 5 and 6.
        let found = average_uniqueness(&[(1, 4), (3, 5), (5, 7)]);
        for (found, wanted) in found.into_iter().zip([5.0 / 6.0, 0.75, 1.0]) {
            assert!((found - wanted).abs() < 1e-15, "{found} is not {wanted}");
        }
        assert_eq!(average_uniqueness(&[(0, 4), (0, 4)]), [0.5, 0.5]);
        assert_eq!(average_uniqueness(&[]), [0.0; 0]);
    }
}

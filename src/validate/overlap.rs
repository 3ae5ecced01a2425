//! How much trades that are open at the same time are worth: a trade counts for its share of what is held.
//!
//! Source: Lopez de Prado (2018), section 4.5; the project's statistics notes, section 8d.

/// Returns, per trade, the mean over its time of one over the trades that are open then: 1 for a trade on its own.
///
/// Shape: spans [from, to) in candles, of one symbol, each at least one candle long
/// Cost:  O(trades log trades + trades x overlaps)
pub fn uniqueness(spans: &[(i64, i64)]) -> Vec<f64> {
    let mut edges: Vec<(i64, i64)> = spans.iter().flat_map(|(from, to)| [(*from, 1), (*to, -1)]).collect();
    edges.sort_unstable();
    // Where the number of open trades changes, and what one over it has added up to until there.
    let mut marks: Vec<(i64, f64, f64)> = Vec::with_capacity(edges.len());
    let (mut open, mut sum) = (0_i64, 0.0);
    for (at, change) in edges {
        if let Some((before, _, share)) = marks.last() {
            sum += (at - before) as f64 * share;
        }
        open += change;
        marks.push((at, sum, if open > 0 { 1.0 / open as f64 } else { 0.0 }));
    }
    let until = |at: i64| {
        let (mark, sum, share) = marks[marks.partition_point(|(mark, _, _)| *mark <= at) - 1];
        sum + (at - mark) as f64 * share
    };
    spans.iter().map(|(from, to)| (until(*to) - until(*from)) / (to - from) as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lopez de Prado (2018), 4.5.3: 5/6, 3/4 and 1.
    #[test]
    fn the_published_example() {
        let found = uniqueness(&[(1, 4), (3, 5), (5, 7)]);
        for (found, wanted) in found.iter().zip([5.0 / 6.0, 0.75, 1.0]) {
            assert!((found - wanted).abs() < 1e-12);
        }
        assert!(uniqueness(&[]).is_empty());
        assert_eq!(uniqueness(&[(0, 9), (0, 9)]), [0.5, 0.5]);
    }
}

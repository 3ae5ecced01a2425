//! Do two ways of measuring put the same things first?

/// Fewest values whose order says something.
const VALUES_MIN: usize = 3;

/// Returns Spearman's rank correlation; values that are equal share the mean of their ranks.
///
/// Shape:     two lists of one length
/// Units:     exact integers in, so that ties are ties; a correlation in [-1, 1] out
/// Errors:    `None` with fewer than three values, or where all values of a list are equal
/// Cost:      O(n log n)
pub fn rank_agreement(a: &[i64], b: &[i64]) -> Option<f64> {
    assert!(a.len() == b.len(), "every value has its counterpart");
    if a.len() < VALUES_MIN {
        return None;
    }
    let (a, b) = (centred_ranks(a), centred_ranks(b));
    let product = |a: &[i64], b: &[i64]| -> i64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let spread = product(&a, &a) as f64 * product(&b, &b) as f64;
    (spread > 0.0).then(|| product(&a, &b) as f64 / spread.sqrt())
}

/// Returns twice each value's rank, less the mean of all: integers, ties included.
fn centred_ranks(values: &[i64]) -> Vec<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = |value: &i64| {
        let below = sorted.partition_point(|other| other < value);
        let up_to = sorted.partition_point(|other| other <= value);
        (below + up_to) as i64 - values.len() as i64
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_counts_and_distance_does_not() {
        assert_eq!(rank_agreement(&[1, 2, 3, 4], &[-9, 0, 1, 1_000_000]), Some(1.0));
        assert_eq!(rank_agreement(&[1, 2, 3, 4], &[4, 3, 2, 1]), Some(-1.0));
        // 1 - 6 x (1 + 1) / (4 x 15)
        assert_eq!(rank_agreement(&[1, 2, 3, 4], &[2, 1, 3, 4]), Some(0.8));
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5 over sqrt(4.5 x 5).
        let tied = rank_agreement(&[1, 5, 5, 9], &[1, 2, 3, 4]).expect("defined");
        assert!((tied - 4.5 / 22.5_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn what_does_not_differ_has_no_order() {
        assert_eq!(rank_agreement(&[1, 2], &[1, 2]), None);
        assert_eq!(rank_agreement(&[7, 7, 7], &[1, 2, 3]), None);
        assert_eq!(rank_agreement(&[1, 2, 3], &[7, 7, 7]), None);
    }
}

//! How well a number tells two kinds apart: the area under the ROC curve, by ranks.
//!
//! For floats of any size, missing ones among them, as columns of signals have them, compared with many ways to
//! tell them apart. Scores, which are whole numbers of 0..=100 and by which weights are chosen, have an exact count
//! of their own: [`crate::search::separation`].

/// Values in ascending order, ready to be compared with many ways to tell them apart.
#[derive(Debug, Clone)]
pub struct RankedValues {
    /// Rank of every value from 1 on, equal ones in the middle of theirs; `None` where there is none.
    ranks: Vec<Option<f64>>,
}

impl RankedValues {
    /// Ranks values; NaN has no rank.
    pub fn new(values: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..values.len()).filter(|i| !values[*i].is_nan()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let mut ranks = vec![None; values.len()];
        let mut before = 0;
        for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
            let middle = before as f64 + (equal.len() as f64 + 1.0) / 2.0;
            equal.iter().for_each(|place| ranks[*place] = Some(middle));
            before += equal.len();
        }
        Self { ranks }
    }

    /// Returns the share of pairs of one of each kind in which the first kind has the higher value (equal ones count
    /// half), with the size of both kinds; `None` while one is empty.
    ///
    /// Shape: per value whether it is of the first kind; `None` for one that does not count
    pub fn auc(&self, first: &[Option<bool>]) -> Option<(f64, usize, usize)> {
        let mut counted: Vec<(f64, bool)> =
            self.ranks.iter().zip(first).filter_map(|(rank, first)| Some(((*rank)?, (*first)?))).collect();
        // Ranks among those that count: gaps between them would shift the sum.
        let all: Vec<f64> = counted.iter().map(|(rank, _)| *rank).collect();
        if all.len() < self.ranks.len() {
            let again = Self::new(&all);
            counted.iter_mut().zip(again.ranks).for_each(|(own, rank)| own.0 = rank.unwrap_or(own.0));
        }
        let ones = counted.iter().filter(|(_, first)| *first).count();
        let others = counted.len() - ones;
        let sum: f64 = counted.iter().filter(|(_, first)| *first).map(|(rank, _)| rank).sum();
        let (n, m) = (ones as f64, others as f64);
        (ones > 0 && others > 0).then(|| ((sum - n * (n + 1.0) / 2.0) / (n * m), ones, others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_share_of_pairs(rows in prop::collection::vec((0_u8..6, 0_u8..5), 0..40)) {
            let value = |v: u8| if v == 5 { f64::NAN } else { f64::from(v) };
            let values: Vec<f64> = rows.iter().map(|(v, _)| value(*v)).collect();
            let first: Vec<Option<bool>> = rows.iter().map(|(_, k)| (*k < 4).then_some(k % 2 == 0)).collect();
            let (mut pairs, mut won) = (0.0, 0.0);
            for (a, _) in values.iter().zip(&first).filter(|(v, k)| !v.is_nan() && **k == Some(true)) {
                for (b, _) in values.iter().zip(&first).filter(|(v, k)| !v.is_nan() && **k == Some(false)) {
                    pairs += 1.0;
                    won += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                }
            }
            match RankedValues::new(&values).auc(&first) {
                None => prop_assert_eq!(pairs, 0.0),
                Some((auc, ones, others)) => {
                    prop_assert_eq!((ones * others) as f64, pairs);
                    prop_assert!((auc - won / pairs).abs() < 1e-12, "{auc} {}", won / pairs);
                }
            }
        }
    }
}

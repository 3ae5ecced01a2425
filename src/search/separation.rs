//! How well a score separates winners from losers: the area under the ROC curve, counted exactly.
//!
//! What is decided hangs on this figure, so it is an integer, and it comes from a histogram because scores are whole
//! numbers of 0..=100: thousands of weightings are compared without sorting anything. `validate::auc` gives the same
//! figure for numbers of any kind, which have to be ranked; no parameter is chosen by it.

/// Scores are whole numbers of 0..=100.
const SCORES: usize = 101;

/// Winners and losers by score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Separation {
    won: [u64; SCORES],
    lost: [u64; SCORES],
}

impl Separation {
    /// Counts (score, winners, losers).
    ///
    /// Units:  scores are whole numbers of 0..=100
    pub fn of(scored: impl Iterator<Item = (usize, u64, u64)>) -> Self {
        let mut all = Self { won: [0; SCORES], lost: [0; SCORES] };
        for (score, won, lost) in scored {
            all.won[score] += won;
            all.lost[score] += lost;
        }
        all
    }

    /// Returns the share of pairs of a winner and a loser in which the winner has the higher score, ties counted half;
    /// `None` without winners or without losers.
    ///
    /// Units:  ppm, rounded down; 500,000 separates nothing
    /// Source: J. Hanley and B. McNeil, The meaning and use of the area under a ROC curve (1982)
    pub fn auc_ppm(&self) -> Option<u64> {
        let (twice, pairs) = self.concordance()?;
        Some((twice * 1_000_000 / (2 * pairs)) as u64)
    }

    /// Returns how far a signal's own part in the area stands from the mean, over the number of signals of its side:
    /// the sum of all of them is zero, and that of their squares the variance of the area.
    ///
    /// Source: E. DeLong et al., Comparing the areas under two or more correlated ROC curves (1988)
    pub fn influence(&self, score: usize, won: bool) -> f64 {
        let Some((twice, pairs)) = self.concordance() else { return 0.0 };
        let (own, other) = if won { (&self.won, &self.lost) } else { (&self.lost, &self.won) };
        let worse = if won { other[..score].iter().sum::<u64>() } else { other[score + 1..].iter().sum() };
        let others: u64 = other.iter().sum();
        let place = (2 * worse + other[score]) as f64 / (2 * others) as f64;
        (place - twice as f64 / (2 * pairs) as f64) / own.iter().sum::<u64>() as f64
    }

    /// Returns twice the pairs in the right order, ties once; and the pairs.
    fn concordance(&self) -> Option<(u128, u128)> {
        let (mut below, mut twice) = (0_u128, 0_u128);
        for (won, lost) in self.won.iter().zip(&self.lost) {
            twice += u128::from(*won) * (2 * below + u128::from(*lost));
            below += u128::from(*lost);
        }
        let pairs = self.won.iter().map(|won| u128::from(*won)).sum::<u128>() * below;
        (pairs > 0).then_some((twice, pairs))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn separation(signals: &[(usize, bool)]) -> Separation {
        Separation::of(signals.iter().map(|(score, won)| (*score, u64::from(*won), u64::from(!*won))))
    }

    /// Pair by pair.
    fn naive_ppm(signals: &[(usize, bool)]) -> Option<u64> {
        let of = |wanted: bool| signals.iter().filter(move |(_, won)| *won == wanted).map(|(score, _)| score);
        let (mut twice, mut pairs) = (0_u64, 0_u64);
        for winner in of(true) {
            for loser in of(false) {
                twice += 2 * u64::from(winner > loser) + u64::from(winner == loser);
                pairs += 1;
            }
        }
        (pairs > 0).then(|| twice * 1_000_000 / (2 * pairs))
    }

    proptest! {
        #[test]
        fn the_area_is_what_counting_pairs_gives(
            signals in prop::collection::vec((prop_oneof![0_usize..101, 48_usize..52], any::<bool>()), 0..60),
        ) {
            let separation = separation(&signals);
            prop_assert_eq!(separation.auc_ppm(), naive_ppm(&signals));
            let sum: f64 = signals.iter().map(|(score, won)| separation.influence(*score, *won)).sum();
            prop_assert!(sum.abs() < 1e-9, "{}", sum);
        }
    }

    #[test]
    fn it_is_one_when_all_winners_are_above_and_nothing_without_both() {
        assert_eq!(separation(&[(1, false), (2, true), (3, true)]).auc_ppm(), Some(1_000_000));
        assert_eq!(separation(&[(100, false), (0, true)]).auc_ppm(), Some(0));
        assert_eq!(separation(&[(7, false), (7, true)]).auc_ppm(), Some(500_000));
        assert_eq!(separation(&[(7, true), (8, true)]).auc_ppm(), None);
    }
}

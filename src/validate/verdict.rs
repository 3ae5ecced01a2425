//! The verdict on a candidate: the legacy vocabulary with the legacy defects repaired.

use std::fmt;

use crate::evaluate::sweep::GridPoint;

/// What the out-of-sample part says about a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Verdict {
    /// Holds up out of sample.
    Passed,
    /// Holds up with losses; adopted, but worth a look.
    Warning,
    /// Loses too much of its early result.
    Unstable,
    /// Early and out-of-sample part tell different stories.
    Overfitted,
    /// Does not earn out of sample, or clearly less than the active parameters.
    Failed,
    /// Not enough trades to judge.
    Skipped,
}

impl Verdict {
    /// Every verdict, the worst last.
    pub const ALL: [Self; 6] =
        [Self::Skipped, Self::Passed, Self::Warning, Self::Unstable, Self::Overfitted, Self::Failed];

    /// Returns the verdict of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }

    /// Returns the legacy word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Warning => "WARNING",
            Self::Unstable => "UNSTABLE",
            Self::Overfitted => "OVERFITTED",
            Self::Failed => "FAILED",
            Self::Skipped => "SKIPPED",
        }
    }

    /// Returns how bad it is, as the legacy system ordered verdicts when it took the worse of two styles.
    pub fn severity(self) -> u8 {
        match self {
            Self::Skipped => 0,
            Self::Passed => 1,
            Self::Warning => 2,
            Self::Unstable => 3,
            Self::Overfitted => 4,
            Self::Failed => 5,
        }
    }

    /// Returns whether a candidate with this verdict may be adopted.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Warning)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a verdict rests on. The names are those that stores and documents have.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum VerdictReason {
    NoTrades {
        in_sample: u32,
        out_of_sample: u32,
    },
    TooFewTrades {
        in_sample: u32,
        out_of_sample: u32,
        in_sample_min: u32,
        out_of_sample_min: u32,
    },
    TooFewDays,
    NoSetMeetsConstraints {
        trades_min: u32,
    },
    LosesOutOfSample {
        mean_pct: f64,
    },
    EarnsLessThanActive {
        less_pct: f64,
    },
    ReturnAndWinRateFall,
    Holds,
    HoldsWithLosses,
    LosesMost,
    Averages {
        in_sample_pct: f64,
        out_of_sample_pct: f64,
        degradation: f64,
        win_rate_ratio: f64,
        stability: f64,
    },
}

impl fmt::Display for VerdictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTrades { in_sample, out_of_sample } => write!(
                f,
                "not enough trades to judge: {in_sample} in-sample and {out_of_sample} out-of-sample trades"
            ),
            Self::TooFewTrades { in_sample, out_of_sample, in_sample_min, out_of_sample_min } => write!(
                f,
                "not enough trades to judge: {in_sample} in-sample and {out_of_sample} out-of-sample trades; at least \
                 {in_sample_min} and {out_of_sample_min} are needed"
            ),
            Self::TooFewDays => {
                f.write_str("too few days for an in-sample and an out-of-sample part with a gap between them")
            }
            Self::NoSetMeetsConstraints { trades_min } => {
                write!(
                    f,
                    "no parameter set has {trades_min} trades on the days of the choice and meets the constraints"
                )
            }
            Self::LosesOutOfSample { mean_pct } => {
                write!(f, "loses on the last days ({mean_pct:+.3} % per trade)")
            }
            Self::EarnsLessThanActive { less_pct } => {
                write!(f, "earns {less_pct:.0} % less than the active parameters")
            }
            Self::ReturnAndWinRateFall => f.write_str("both return and win rate fall on the last days"),
            Self::Holds => f.write_str("holds up on the last days"),
            Self::HoldsWithLosses => f.write_str("holds up on the last days, with losses"),
            Self::LosesMost => f.write_str("loses most of its first result on the last days"),
            Self::Averages { in_sample_pct, out_of_sample_pct, degradation, win_rate_ratio, stability } => {
                write!(
                    f,
                    "average {in_sample_pct:+.3} % on the first days, {out_of_sample_pct:+.3} % on the last; degradation {:.0} %, \
                 win rate ratio {win_rate_ratio:.2}, stability {stability:.0}",
                    100.0 * degradation
                )
            }
        }
    }
}

/// The verdict with the figures it rests on.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// 0..=100: 100 less what degradation and a lower win rate cost; `None` when not judged.
    pub stability: Option<f64>,
    /// Share of the early average return that the out-of-sample part lost; 0 when it did not lose.
    pub degradation: Option<f64>,
    /// Late win rate over early win rate.
    pub win_rate_ratio: Option<f64>,
    /// Why, the most important first.
    pub reasons: Vec<VerdictReason>,
}

/// Fewest trades each part needs for a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TradeMinimums {
    pub early_trades_min: u32,
    pub late_trades_min: u32,
}

/// Judges a candidate by its early and late statistics and, if there is one, the late average of the incumbent.
///
/// Units:  incumbent in percent per trade, on the same out-of-sample part
/// Source: legacy section 12. Repaired: the in-sample part is what the candidate was chosen on and the out-of-sample part is not
///         (D14); both come from the same exits and costs as the search (D12); improvement is not degradation,
///         losing everything costs 70 points instead of 20, the late rules test the out-of-sample part and zero does not pass
///         (D28); the comparison uses the incumbent's own late result instead of a missing key (D27); a part
///         without trades is SKIPPED instead of perfect (D09)
pub fn judge_candidate(
    early: &GridPoint,
    late: &GridPoint,
    incumbent_late_pct: Option<f64>,
    evidence: TradeMinimums,
) -> Judgement {
    let (Ok(early_pct), Ok(late_pct)) = (early.expectancy_pct(), late.expectancy_pct()) else {
        return skipped_judgement(VerdictReason::NoTrades {
            in_sample: early.trades,
            out_of_sample: late.trades,
        });
    };
    if early.trades < evidence.early_trades_min || late.trades < evidence.late_trades_min {
        return skipped_judgement(VerdictReason::TooFewTrades {
            in_sample: early.trades,
            out_of_sample: late.trades,
            in_sample_min: evidence.early_trades_min,
            out_of_sample_min: evidence.late_trades_min,
        });
    }
    let degradation =
        if early_pct == 0.0 { 0.0 } else { ((early_pct - late_pct) / early_pct.abs()).max(0.0) };
    let win_rate_ratio = match (early.win_rate(), late.win_rate()) {
        (Ok(before), Ok(after)) if before > 0.0 => after / before,
        _ => 1.0,
    };
    let stability = stability_points(degradation, win_rate_ratio);
    let (verdict, reason) = verdict(late_pct, degradation, win_rate_ratio, stability, incumbent_late_pct);
    let figures = VerdictReason::Averages {
        in_sample_pct: early_pct,
        out_of_sample_pct: late_pct,
        degradation,
        win_rate_ratio,
        stability,
    };
    Judgement {
        verdict,
        stability: Some(stability),
        degradation: Some(degradation),
        win_rate_ratio: Some(win_rate_ratio),
        reasons: vec![reason, figures],
    }
}

fn skipped_judgement(reason: VerdictReason) -> Judgement {
    Judgement {
        verdict: Verdict::Skipped,
        stability: None,
        degradation: None,
        win_rate_ratio: None,
        reasons: vec![reason],
    }
}

fn stability_points(degradation: f64, win_rate_ratio: f64) -> f64 {
    let lost_return = if degradation > 0.1 { 70.0 * degradation.min(1.0) } else { 0.0 };
    let lost_wins = (100.0 * (0.9 - win_rate_ratio)).clamp(0.0, 30.0);
    (100.0 - lost_return - lost_wins).max(0.0)
}

fn verdict(
    late_pct: f64,
    degradation: f64,
    win_rate_ratio: f64,
    stability: f64,
    incumbent_late_pct: Option<f64>,
) -> (Verdict, VerdictReason) {
    if late_pct <= 0.0 {
        return (Verdict::Failed, VerdictReason::LosesOutOfSample { mean_pct: late_pct });
    }
    let against = incumbent_late_pct.filter(|b| *b > 0.0).map_or(0.0, |b| (late_pct - b) / b);
    if against < -0.2 {
        return (Verdict::Failed, VerdictReason::EarnsLessThanActive { less_pct: -100.0 * against });
    }
    if degradation > 0.3 && win_rate_ratio < 0.8 {
        return (Verdict::Overfitted, VerdictReason::ReturnAndWinRateFall);
    }
    if against < -0.1 {
        return (Verdict::Warning, VerdictReason::EarnsLessThanActive { less_pct: -100.0 * against });
    }
    match stability {
        s if s >= 70.0 => (Verdict::Passed, VerdictReason::Holds),
        s if s >= 50.0 => (Verdict::Warning, VerdictReason::HoldsWithLosses),
        _ => (Verdict::Unstable, VerdictReason::LosesMost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIDENCE: TradeMinimums = TradeMinimums { early_trades_min: 50, late_trades_min: 20 };

    /// 100 trades, `wins` of them, with an average of so many ppm.
    fn point(wins: u32, average_ppm: i64) -> GridPoint {
        let win_ppm = i64::from(wins) * 20_000;
        GridPoint {
            trades: 100,
            wins,
            win_ppm,
            loss_ppm: average_ppm * 100 - win_ppm,
            ..GridPoint::default()
        }
    }

    fn verdict_of(early: GridPoint, late: GridPoint, incumbent: Option<f64>) -> Verdict {
        judge_candidate(&early, &late, incumbent, EVIDENCE).verdict
    }

    #[test]
    fn each_verdict_has_its_case() {
        let early = point(50, 1_000);
        assert_eq!(verdict_of(early, point(50, 950), None), Verdict::Passed);
        assert_eq!(
            verdict_of(early, point(50, 2_000), None),
            Verdict::Passed,
            "improvement is no degradation"
        );
        assert_eq!(verdict_of(early, point(50, 500), None), Verdict::Warning);
        assert_eq!(verdict_of(early, point(50, 100), None), Verdict::Unstable);
        assert_eq!(verdict_of(early, point(35, 500), None), Verdict::Overfitted);
        assert_eq!(verdict_of(early, point(50, 0), None), Verdict::Failed, "zero does not pass");
        assert_eq!(verdict_of(early, point(50, -10), None), Verdict::Failed);
        assert_eq!(
            verdict_of(early, point(50, 950), Some(0.2)),
            Verdict::Failed,
            "clearly below the incumbent"
        );
        assert_eq!(verdict_of(early, point(50, 950), Some(0.11)), Verdict::Warning);
        assert_eq!(
            verdict_of(early, GridPoint::default(), None),
            Verdict::Skipped,
            "no trades are not perfect"
        );
    }

    /// Each limit from both sides.
    #[test]
    fn every_limit_of_a_verdict_is_where_it_is_said_to_be() {
        let of = |late_pct, degradation, ratio, stability, incumbent| {
            super::verdict(late_pct, degradation, ratio, stability, incumbent).0
        };
        let by_stability = |stability| of(1.0, 0.0, 1.0, stability, None);
        assert_eq!([70.0, 69.9].map(by_stability), [Verdict::Passed, Verdict::Warning]);
        assert_eq!([50.0, 49.9].map(by_stability), [Verdict::Warning, Verdict::Unstable]);
        assert_eq!(
            [0.001, 0.0].map(|late| of(late, 0.0, 1.0, 100.0, None)),
            [Verdict::Passed, Verdict::Failed]
        );
        // Both must fall for the parts to tell different stories.
        assert_eq!(
            [0.3, 0.31].map(|lost| of(1.0, lost, 0.79, 90.0, None)),
            [Verdict::Passed, Verdict::Overfitted]
        );
        assert_eq!(
            [0.8, 0.79].map(|ratio| of(1.0, 0.31, ratio, 90.0, None)),
            [Verdict::Passed, Verdict::Overfitted]
        );
        // Against the active parameters: a tenth less is worth a look, a fifth less fails.
        let against = |late| of(late, 0.0, 1.0, 100.0, Some(1.0));
        assert_eq!([0.91, 0.89].map(against), [Verdict::Passed, Verdict::Warning]);
        assert_eq!([0.81, 0.79].map(against), [Verdict::Warning, Verdict::Failed]);
        assert_eq!(of(0.5, 0.0, 1.0, 100.0, Some(-9.0)), Verdict::Passed, "what loses is no benchmark");
        assert_eq!(of(0.5, 0.0, 1.0, 100.0, Some(0.0)), Verdict::Passed);
        // The worse one is said.
        assert_eq!(of(0.79, 0.31, 0.79, 90.0, Some(1.0)), Verdict::Failed);
        assert_eq!(of(0.89, 0.31, 0.79, 90.0, Some(1.0)), Verdict::Overfitted);
        assert_eq!(of(0.89, 0.0, 1.0, 10.0, Some(1.0)), Verdict::Warning);
        let (_, reason) = super::verdict(0.75, 0.0, 1.0, 100.0, Some(1.0));
        assert_eq!(reason.to_string(), "earns 25 % less than the active parameters");
    }

    #[test]
    fn stability_loses_by_return_and_by_wins() {
        let near = |value: f64, wanted: f64| assert!((value - wanted).abs() < 1e-9, "{value}, not {wanted}");
        for (degradation, ratio, wanted) in [
            (0.1, 1.0, 100.0),
            (0.11, 1.0, 92.3),
            (0.5, 1.0, 65.0),
            (1.0, 1.0, 30.0),
            (7.0, 1.0, 30.0),
            (0.0, 0.9, 100.0),
            (0.0, 0.8, 90.0),
            (0.0, 0.6, 70.0),
            (0.0, 0.0, 70.0),
            (0.5, 0.8, 55.0),
            (1.0, 0.0, 0.0),
        ] {
            near(stability_points(degradation, ratio), wanted);
        }
    }

    #[test]
    fn figures_of_a_judgement_are_of_the_late_part_against_the_early_one() {
        let judged = judge_candidate(&point(50, 1_000), &point(40, 750), None, EVIDENCE);
        let near = |value: Option<f64>, wanted: f64| value.is_some_and(|value| (value - wanted).abs() < 1e-9);
        assert!(
            near(judged.degradation, 0.25)
                && near(judged.win_rate_ratio, 0.8)
                && near(judged.stability, 72.5)
        );
        let better = judge_candidate(&point(50, -1_000), &point(60, 500), None, EVIDENCE);
        assert!(
            near(better.degradation, 0.0)
                && near(better.win_rate_ratio, 1.2)
                && near(better.stability, 100.0)
        );
        let worse = judge_candidate(&point(50, -1_000), &point(50, -1_500), None, EVIDENCE);
        assert!(near(worse.degradation, 0.5), "half as much again as was lost early");
        let nothing = judge_candidate(&point(0, 0), &point(10, 500), None, EVIDENCE);
        assert!(near(nothing.degradation, 0.0) && near(nothing.win_rate_ratio, 1.0));
    }

    #[test]
    fn as_many_trades_as_are_asked_for_are_enough() {
        let with = |early_trades_min, late_trades_min| {
            let asked = TradeMinimums { early_trades_min, late_trades_min };
            judge_candidate(&point(50, 1_000), &point(50, 950), None, asked).verdict
        };
        assert_eq!(with(100, 100), Verdict::Passed);
        assert_eq!([with(101, 100), with(100, 101)], [Verdict::Skipped; 2]);
    }

    #[test]
    fn severities_keep_the_legacy_order() {
        assert!(Verdict::ALL.windows(2).all(|pair| pair[0].severity() < pair[1].severity()));
        assert!(Verdict::ALL.iter().all(|verdict| Verdict::named(verdict.as_str()) == Some(*verdict)));
        assert_eq!(Verdict::named("passed"), None);
    }
}

//! The honest verdict: is there anything here, and is the candidate better than what is active?
//!
//! Two questions, one line each: EDGE against zero, SWITCH against the active parameters. What is counted: every
//! parameter set that was tried, day by day, after costs.
//!
//! Source: the project's statistics notes, sections 3.12 and 8d; the thresholds were calibrated on noise there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How sure one can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Assurance {
    /// Nothing was tested: the tests were left out, or there was nothing that could be.
    Untested,
    /// Too little to say anything.
    NotEnoughData,
    /// As likely as not the luck of having tried so much.
    LikelyLuck,
    /// Neither luck nor proof.
    Unproven,
    /// Better than luck would be most of the time, not proven.
    Promising,
    /// Beyond what luck explains, and it held in every check.
    Real,
}

impl Assurance {
    /// Every assurance, the least first.
    pub const ALL: [Self; 6] =
        [Self::Untested, Self::NotEnoughData, Self::LikelyLuck, Self::Unproven, Self::Promising, Self::Real];

    /// Returns the assurance of a word of documents.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assurance| assurance.as_str() == word)
    }

    /// Returns the word of documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Untested => "UNTESTED",
            Self::NotEnoughData => "NOT_ENOUGH_DATA",
            Self::LikelyLuck => "LIKELY_LUCK",
            Self::Unproven => "UNPROVEN",
            Self::Promising => "PROMISING",
            Self::Real => "REAL",
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A condition that was not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FailedCondition {
    /// The tests against luck were left out.
    Quick,
    /// Fewer than 60 days, 40 days with trades, or 100 trades.
    Evidence,
    /// Costs a quarter higher would eat it.
    FragileCost,
    /// It loses when the stop comes first in candles that held both levels.
    FragileIntrabar,
    /// Luck does as well too often.
    Luck,
    /// Choosing the same way in the past did not pay.
    WalkForward,
    /// The best half of the days often loses on the other half.
    CrossValidation,
    /// Its neighbours are much worse.
    IsolatedOptimum,
    /// Since it is active it decays.
    Decay,
    /// Traded as a bot trades, with positions that overlap left out, it is something else.
    Overlap,
}

impl FailedCondition {
    /// Every condition.
    pub const ALL: [Self; 10] = [
        Self::Quick,
        Self::Evidence,
        Self::FragileCost,
        Self::FragileIntrabar,
        Self::Luck,
        Self::WalkForward,
        Self::CrossValidation,
        Self::IsolatedOptimum,
        Self::Decay,
        Self::Overlap,
    ];

    /// Returns the condition of a word of documents.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|condition| condition.as_str() == word)
    }

    /// Returns the word of documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quick => "QUICK",
            Self::Evidence => "EVIDENCE",
            Self::FragileCost => "FRAGILE_COST",
            Self::FragileIntrabar => "FRAGILE_INTRABAR",
            Self::Luck => "LUCK",
            Self::WalkForward => "WALK_FORWARD",
            Self::CrossValidation => "CROSS_VALIDATION",
            Self::IsolatedOptimum => "ISOLATED_OPTIMUM",
            Self::Decay => "DECAY",
            Self::Overlap => "OVERLAP",
        }
    }
}

/// The agreement of ranks below which independent trades say nothing about traded ones.
const AGREEMENT_MIN: f64 = 0.9;

/// How a result of independent trades compares with that of a bot, which loses signals while positions are open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Overlap {
    /// Net result of independent trades, and of those a bot makes; any unit.
    pub independent: f64,
    pub traded: f64,
    /// Rank correlation of the two over the best sets; `None` where they do not differ from each other.
    pub agreement: Option<f64>,
}

impl Overlap {
    /// Returns whether independent trades mislead: a gain is none when it is traded, or other sets are better then.
    pub fn misleads(&self) -> bool {
        let lost_its_sign = self.independent > 0.0 && self.traded <= 0.0;
        lost_its_sign || self.agreement.is_some_and(|agreement| agreement < AGREEMENT_MIN)
    }
}

/// Fewest days, days with trades and trades of which anything is said; with less there is nothing to test.
const DAYS_MIN: usize = 60;
const ACTIVE_MIN: usize = 40;
const TRADES_MIN: u64 = 100;

/// Evidence for a decay, at any time, that is as good as a test at 5 %.
pub const DECAY_E: f64 = 20.0;

/// What an assessment rests on; `None` where a figure is not defined, which never counts in favour.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Findings {
    pub days: usize,
    pub active_days: usize,
    pub trades: u64,
    /// Probability that luck over all sets does as well.
    pub p_luck: Option<f64>,
    /// t statistic of walk-forward re-selection.
    pub walk_forward_t: Option<f64>,
    /// Share of the cross-validation splits that lost.
    pub p_loss: Option<f64>,
    /// Mean score of the neighbours over its own.
    pub plateau_ratio: Option<f64>,
    /// Net result with the stop first in ambiguous candles.
    pub worst_case: f64,
    /// Costs at which it breaks even, over the costs assumed; `None` where there were none.
    pub cost_buffer: Option<f64>,
    /// Evidence that it decays since it is active; 1 says nothing, 20 a lot.
    pub decay_e: f64,
    /// What becomes of the independent trades when they are traded.
    pub overlap: Overlap,
    /// Whether this is one of many daily looks at the same question.
    pub daily_look: bool,
}

/// An assessment with the first conditions that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Assessment {
    pub assurance: Assurance,
    pub lacks: Vec<FailedCondition>,
}

/// Costs at which a set must still break even, over those assumed: a quarter more.
const COST_BUFFER_MIN: f64 = 1.25;

impl Findings {
    /// Returns whether there is enough to say anything.
    pub fn are_enough(&self) -> bool {
        self.days >= DAYS_MIN && self.active_days >= ACTIVE_MIN && self.trades >= TRADES_MIN
    }
}

/// Assesses findings of tests that were made.
pub fn assess_findings(found: &Findings) -> Assessment {
    if !found.are_enough() {
        return Assessment { assurance: Assurance::NotEnoughData, lacks: vec![FailedCondition::Evidence] };
    }
    let at_most = |value: Option<f64>, limit: f64| value.is_some_and(|value| value <= limit);
    let above = |value: Option<f64>, limit: f64| value.is_some_and(|value| value > limit);
    let at_least = |value: Option<f64>, limit: f64| value.is_some_and(|value| value >= limit);
    // Who paid nothing, or was paid, does not lose when costs rise.
    let is_dear = found.cost_buffer.is_some_and(|buffer| buffer < COST_BUFFER_MIN);
    let hard = found.worst_case > 0.0 && !is_dear && found.decay_e < DECAY_E;
    let alpha = if found.days >= 180 { 0.05 } else { 0.025 } * if found.daily_look { 0.2 } else { 1.0 };
    let real = found.days >= 120
        && hard
        && at_most(found.p_luck, alpha)
        && at_least(found.walk_forward_t, 1.0)
        && at_most(found.p_loss, 0.2)
        && at_least(found.plateau_ratio, 0.5)
        && !found.overlap.misleads();
    let promising = hard
        && at_most(found.p_luck, 0.2)
        && above(found.walk_forward_t, 0.0)
        && at_most(found.p_loss, 0.5)
        && !found.overlap.misleads();
    let assurance = if real {
        Assurance::Real
    } else if promising {
        Assurance::Promising
    } else if !at_most(found.p_luck, 0.2)
        && (!above(found.walk_forward_t, 0.0) || !at_most(found.p_loss, 0.5))
    {
        Assurance::LikelyLuck
    } else {
        Assurance::Unproven
    };
    let failed = [
        (found.worst_case <= 0.0, FailedCondition::FragileIntrabar),
        (is_dear, FailedCondition::FragileCost),
        (found.decay_e >= DECAY_E, FailedCondition::Decay),
        (!at_most(found.p_luck, alpha), FailedCondition::Luck),
        (!at_least(found.walk_forward_t, 1.0), FailedCondition::WalkForward),
        (!at_most(found.p_loss, 0.2), FailedCondition::CrossValidation),
        (!at_least(found.plateau_ratio, 0.5), FailedCondition::IsolatedOptimum),
        (found.overlap.misleads(), FailedCondition::Overlap),
        (found.days < 120, FailedCondition::Evidence),
    ];
    let lacks = failed.into_iter().filter(|(failed, _)| *failed).map(|(_, lack)| lack).collect();
    Assessment { assurance, lacks: if real { Vec::new() } else { lacks } }
}

/// Returns the costs at which a result breaks even over those it paid; `None` where it paid nothing or was paid.
///
/// Units: gross before all costs, slippage too, so that a result loses when all costs rise by more than this factor
pub fn cost_buffer(gross: f64, net: f64) -> Option<f64> {
    let costs = gross - net;
    (costs > 0.0).then(|| gross / costs)
}

/// Returns how much a sequence of daily results speaks for a positive mean: 20 at any time is evidence at 5 %, however
/// often one looks (an e-process: the wealth of a gambler who bets on it).
///
/// Units: results and `scale` alike; gains count up to the scale, which is fixed before the first result
pub fn wealth_of_bet(results: &[f64], scale: f64) -> f64 {
    let (mut n, mut sum, mut square, mut wealth) = (1.0, 0.0, 0.25, 1.0);
    for result in results {
        let x = (result / scale).min(1.0);
        let mean: f64 = sum / n;
        let variance = (square / n - mean * mean).max(1e-6);
        let bet = (mean / (variance + mean * mean)).clamp(0.0, 0.5);
        wealth *= (1.0 + bet * x).max(1e-3);
        n += 1.0;
        sum += x;
        square += x * x;
    }
    wealth
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: Overlap = Overlap { independent: 0.1, traded: 0.1, agreement: Some(0.9) };
    const GOOD: Findings = Findings {
        days: 365,
        active_days: 300,
        trades: 900,
        p_luck: Some(0.01),
        walk_forward_t: Some(2.0),
        p_loss: Some(0.05),
        plateau_ratio: Some(0.8),
        worst_case: 0.1,
        cost_buffer: Some(2.0),
        decay_e: 1.0,
        overlap: SAME,
        daily_look: false,
    };

    #[test]
    fn each_condition_counts_and_is_named() {
        assert_eq!(assess_findings(&GOOD), Assessment { assurance: Assurance::Real, lacks: Vec::new() });
        let cases = [
            (Findings { cost_buffer: Some(1.2), ..GOOD }, Assurance::Unproven, FailedCondition::FragileCost),
            (Findings { worst_case: 0.0, ..GOOD }, Assurance::Unproven, FailedCondition::FragileIntrabar),
            (Findings { decay_e: 20.0, ..GOOD }, Assurance::Unproven, FailedCondition::Decay),
            (
                Findings { plateau_ratio: Some(0.4), ..GOOD },
                Assurance::Promising,
                FailedCondition::IsolatedOptimum,
            ),
            (Findings { p_luck: Some(0.1), ..GOOD }, Assurance::Promising, FailedCondition::Luck),
            (
                Findings { daily_look: true, p_luck: Some(0.02), ..GOOD },
                Assurance::Promising,
                FailedCondition::Luck,
            ),
            (
                Findings { walk_forward_t: Some(-0.1), ..GOOD },
                Assurance::Unproven,
                FailedCondition::WalkForward,
            ),
            (Findings { p_loss: None, ..GOOD }, Assurance::Unproven, FailedCondition::CrossValidation),
            (
                Findings { overlap: Overlap { traded: 0.0, ..SAME }, ..GOOD },
                Assurance::Unproven,
                FailedCondition::Overlap,
            ),
            (
                Findings { overlap: Overlap { agreement: Some(0.89), ..SAME }, ..GOOD },
                Assurance::Unproven,
                FailedCondition::Overlap,
            ),
            (Findings { trades: 99, ..GOOD }, Assurance::NotEnoughData, FailedCondition::Evidence),
        ];
        for (found, assurance, lack) in cases {
            assert_eq!(assess_findings(&found), Assessment { assurance, lacks: vec![lack] }, "{found:?}");
        }
        let luck = Findings { p_luck: Some(0.3), walk_forward_t: Some(0.0), ..GOOD };
        assert_eq!(assess_findings(&luck).assurance, Assurance::LikelyLuck);
        let unknown = Overlap { agreement: None, ..SAME };
        assert_eq!(assess_findings(&Findings { overlap: unknown, ..GOOD }).assurance, Assurance::Real);
    }

    #[test]
    fn wealth_grows_on_an_edge_and_not_without() {
        assert_eq!(wealth_of_bet(&[], 1.0), 1.0);
        let edge: Vec<f64> = (0..400).map(|i| if i % 5 < 3 { 0.4 } else { -0.4 }).collect();
        assert!(wealth_of_bet(&edge, 1.0) > 20.0);
        let loss: Vec<f64> = edge.iter().map(|r| -r).collect();
        assert!(wealth_of_bet(&loss, 1.0) <= 1.0);
    }

    #[test]
    fn who_is_paid_to_trade_does_not_lose_when_costs_rise() {
        assert_eq!((cost_buffer(5.0, 5.0), cost_buffer(5.0, 6.0)), (None, None));
        assert_eq!(assess_findings(&Findings { cost_buffer: None, ..GOOD }), assess_findings(&GOOD));
    }
}

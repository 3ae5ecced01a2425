//! The honest verdict, question by question: is there anything (EDGE), does the set that would be adopted share in it (CANDIDATE), is
//! it better than what is active (SWITCH), and what forbids it all the same (vetoes).
//!
//! EDGE is asked of the whole surface, CANDIDATE and SWITCH of what the rule of choice earned on days it did not know. The words are
//! those of one look; what a decision asks for counts the looks of a year ([`AdoptionGate`]).
//!
//! Source: the project's statistics notes 2; thresholds of words by one look, those of gates by a year of daily looks at noise

use std::fmt;

use serde::{Deserialize, Serialize};

use super::normal::cdf;

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
    /// Choosing the same way without some of the days did not earn enough on them.
    CrossFit,
    /// Choosing the same way in the past did not pay: a condition of older runs.
    WalkForward,
    /// The best half of the days often loses on the other half: a condition of older runs.
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
    pub const ALL: [Self; 11] = [
        Self::Quick,
        Self::Evidence,
        Self::FragileCost,
        Self::FragileIntrabar,
        Self::Luck,
        Self::CrossFit,
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
            Self::CrossFit => "CROSS_FIT",
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
/// See [`SampleSize::is_enough`].
pub const TRADES_MIN: u64 = 100;

/// Evidence for a decay, at any time, that is as good as a test at 5 %.
pub const DECAY_E: f64 = 20.0;

/// p-values up to which one look says REAL, and PROMISING: so far below 5 and 15 % that noise gets these words no more often than that
/// where p is a little too low, as it is on results whose volatility comes and goes.
pub const REAL_P: f64 = 0.03;
/// See [`REAL_P`].
pub const PROMISING_P: f64 = 0.1;
/// p-value from which noise does as well as not.
const LUCK_P: f64 = 0.5;
/// Fewest days of a REAL answer.
const REAL_DAYS: usize = 120;

/// How much there is to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SampleSize {
    pub days: usize,
    pub active_days: usize,
    pub trades: u64,
}

impl SampleSize {
    /// Returns whether there is enough to say anything.
    pub fn is_enough(&self) -> bool {
        self.days >= DAYS_MIN && self.active_days >= ACTIVE_MIN && self.trades >= TRADES_MIN
    }
}

/// An assessment with the first conditions that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Assessment {
    pub assurance: Assurance,
    pub lacks: Vec<FailedCondition>,
}

/// Assesses the surface of a grid: the probability that noise over everything tried does as well, and the t statistic of what the rule
/// of choice earned on days it did not know.
pub fn assess_edge(sample: SampleSize, p: Option<f64>, cross_fit_t: Option<f64>) -> Assessment {
    let earns = cross_fit_t.is_some_and(|t| t > 0.0);
    assess(sample, p, FailedCondition::Luck, !earns)
}

/// Assesses the rule of choice by the t statistic of what it earned on days it did not know.
pub fn assess_candidate(sample: SampleSize, cross_fit_t: Option<f64>) -> Assessment {
    let p = cross_fit_t.map(|t| cdf(-t));
    assess(sample, p, FailedCondition::CrossFit, cross_fit_t.is_some_and(|t| t <= 0.0))
}

/// Assesses a change: the probability that the rule of choice is no better than what is active, on days it did not know.
pub fn assess_switch(sample: SampleSize, p: Option<f64>) -> Assessment {
    assess(sample, p, FailedCondition::Luck, false)
}

/// Largest p-value that counts in a combination: beyond it a test says no less.
const COMBINED_P_MAX: f64 = 0.99;

/// Combines the p-values of tests of the same question that depend on each other in whatever way; `None` without any.
///
/// One that is very small stays so beside others that are not, and several that are alike come to what they are. The weighted mean of
/// their places on a Cauchy distribution, whose tail hardly knows of dependence.
///
/// Shape: p-values, each with its weight
/// Source: Liu and Xie (2020)
pub fn combined_p(p_values: &[(f64, f64)]) -> Option<f64> {
    use std::f64::consts::PI;
    let place = |p: f64| ((0.5 - p.clamp(1e-15, COMBINED_P_MAX)) * PI).tan();
    let all: f64 = p_values.iter().map(|(_, weight)| weight).sum();
    let mean =
        |value: &dyn Fn(f64) -> f64| p_values.iter().map(|(p, weight)| weight * value(*p)).sum::<f64>() / all;
    let says_nothing = p_values.iter().all(|(p, _)| *p >= COMBINED_P_MAX);
    (all > 0.0).then(|| if says_nothing { mean(&|p| p) } else { 0.5 - mean(&place).atan() / PI })
}

fn assess(sample: SampleSize, p: Option<f64>, condition: FailedCondition, loses: bool) -> Assessment {
    let few = sample.days < REAL_DAYS;
    let assurance = match p {
        _ if !sample.is_enough() => Assurance::NotEnoughData,
        None => Assurance::Untested,
        Some(p) if p <= REAL_P && !few => Assurance::Real,
        Some(p) if p <= PROMISING_P => Assurance::Promising,
        Some(p) if p >= LUCK_P || loses => Assurance::LikelyLuck,
        Some(_) => Assurance::Unproven,
    };
    let lacks = match assurance {
        Assurance::Real => Vec::new(),
        Assurance::NotEnoughData | Assurance::Untested => vec![FailedCondition::Evidence],
        _ => {
            let failed = [(p.is_none_or(|p| p > REAL_P), condition), (few, FailedCondition::Evidence)];
            failed.into_iter().filter(|(failed, _)| *failed).map(|(_, lack)| lack).collect()
        }
    };
    Assessment { assurance, lacks }
}

/// The greatest p-values at which a decision adopts.
///
/// A daily job looks every day, and a p-value that is looked at 365 times is low at some time more often than it says. So the size is
/// spent: most of it on the first look, at all the days there are by then, the rest on the looks that follow, whose data are almost
/// those of the day before.
///
/// Source: simulation, `cargo bench --bench calibration -- looks`; the shares of noise that is adopted within a year are in
/// docs/explanation/validation.md
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct AdoptionGate {
    /// Of EDGE.
    pub edge_p: f64,
    /// Of SWITCH.
    pub switch_p: f64,
}

impl AdoptionGate {
    /// Returns the gate of an assurance that is asked for, at the first look of a profile at a style or at a later one.
    pub fn of(least: Assurance, is_first: bool) -> Self {
        let (first, later) = if least >= Assurance::Real { (0.025, 0.002) } else { (0.09, 0.005) };
        Self {
            edge_p: if is_first { first } else { later },
            switch_p: if least >= Assurance::Real { 0.005 } else { 0.02 },
        }
    }
}

/// What forbids a set whatever the evidence says; `None` where a figure is not defined.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fragility {
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
}

/// Costs at which a set must still break even, over those assumed: a quarter more.
const COST_BUFFER_MIN: f64 = 1.25;
/// Mean score of the neighbours, over its own, below which a set is an isolated optimum.
const PLATEAU_RATIO_MIN: f64 = 0.5;

impl Fragility {
    /// Returns the vetoes, the gravest first.
    pub fn vetoes(&self) -> Vec<FailedCondition> {
        // Who paid nothing, or was paid, does not lose when costs rise.
        let is_dear = self.cost_buffer.is_some_and(|buffer| buffer < COST_BUFFER_MIN);
        let failed = [
            (self.worst_case <= 0.0, FailedCondition::FragileIntrabar),
            (is_dear, FailedCondition::FragileCost),
            (self.decay_e >= DECAY_E, FailedCondition::Decay),
            (
                self.plateau_ratio.is_none_or(|ratio| ratio < PLATEAU_RATIO_MIN),
                FailedCondition::IsolatedOptimum,
            ),
            (self.overlap.misleads(), FailedCondition::Overlap),
        ];
        failed.into_iter().filter(|(failed, _)| *failed).map(|(_, veto)| veto).collect()
    }
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
    wealth_with_memory(results, scale, 1.0)
}

/// What a day of [`decay_wealth`] still counts a day later, to who bets by what happened lately.
const DAY_KEPT: f64 = 1.0 - 1.0 / 60.0;

/// Returns how much a sequence of daily results speaks for a negative mean, also of late only: one half of the wealth is bet by all days so
/// far, the other by the last two months, which a long good time before does not blind. 20 at any time is evidence at 5 %.
///
/// Units: as [`wealth_of_bet`], of losses
pub fn decay_wealth(losses: &[f64], scale: f64) -> f64 {
    0.5 * (wealth_of_bet(losses, scale) + wealth_with_memory(losses, scale, DAY_KEPT))
}

/// Bets by the results before, of which each day keeps so much of its weight a day later.
fn wealth_with_memory(results: &[f64], scale: f64, kept: f64) -> f64 {
    let (mut n, mut sum, mut square, mut wealth) = (1.0, 0.0, 0.25, 1.0);
    for result in results {
        let x = (result / scale).min(1.0);
        let mean: f64 = sum / n;
        let variance = (square / n - mean * mean).max(1e-6);
        let bet = (mean / (variance + mean * mean)).clamp(0.0, 0.5);
        wealth *= (1.0 + bet * x).max(1e-3);
        n = kept * n + 1.0;
        sum = kept * sum + x;
        square = kept * square + x * x;
    }
    wealth
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENOUGH: SampleSize = SampleSize { days: 365, active_days: 300, trades: 900 };
    const SAME: Overlap = Overlap { independent: 0.1, traded: 0.1, agreement: Some(0.9) };
    const SOUND: Fragility = Fragility {
        plateau_ratio: Some(0.5),
        worst_case: 0.1,
        cost_buffer: Some(1.25),
        decay_e: 19.9,
        overlap: SAME,
    };

    #[test]
    fn the_words_of_a_surface_have_their_limits() {
        let word = |p, t| assess_edge(ENOUGH, p, t).assurance;
        assert_eq!(word(Some(REAL_P), Some(-1.0)), Assurance::Real, "a veto is no evidence against an edge");
        assert_eq!(word(Some(REAL_P + 0.001), None), Assurance::Promising);
        assert_eq!(word(Some(PROMISING_P), None), Assurance::Promising);
        assert_eq!(word(Some(PROMISING_P + 0.001), Some(0.1)), Assurance::Unproven);
        assert_eq!(word(Some(PROMISING_P + 0.001), Some(0.0)), Assurance::LikelyLuck);
        assert_eq!(word(Some(0.5), Some(3.0)), Assurance::LikelyLuck);
        assert_eq!(word(None, Some(3.0)), Assurance::Untested);
        let few = SampleSize { days: 119, ..ENOUGH };
        let found = assess_edge(few, Some(0.01), Some(1.0));
        assert_eq!((found.assurance, found.lacks), (Assurance::Promising, vec![FailedCondition::Evidence]));
        assert_eq!(assess_edge(ENOUGH, Some(0.01), None).lacks, []);
        assert_eq!(assess_edge(ENOUGH, Some(0.1), None).lacks, [FailedCondition::Luck]);
    }

    #[test]
    fn p_values_that_agree_stay_and_a_small_one_is_not_lost() {
        let near = |p: &[(f64, f64)], expected: f64| {
            let found = combined_p(p).expect("some");
            assert!((found / expected - 1.0).abs() < 1e-3, "{p:?}: {found}");
        };
        for p in [0.001, 0.04, 0.5, 0.9] {
            near(&[(p, 0.1)], p);
            near(&[(p, 0.9), (p, 0.1)], p);
        }
        near(&[(0.5, 1.0), (0.01, 1.0)], 0.019_99);
        near(&[(0.12, 0.9), (1e-5, 0.1)], 1e-4);
        near(&[(0.04, 0.9), (0.5, 0.1)], 0.044_37);
        assert!(
            combined_p(&[(1.0, 0.9), (1e-5, 0.1)]).is_some_and(|p| p < 0.001),
            "a test without a word is no veto"
        );
        assert_eq!(combined_p(&[(1.0, 0.9), (1.0, 0.1)]), Some(1.0));
        assert_eq!(combined_p(&[]), None);
    }

    #[test]
    fn too_little_is_not_judged() {
        let short = [
            SampleSize { days: 59, ..ENOUGH },
            SampleSize { active_days: 39, ..ENOUGH },
            SampleSize { trades: 99, ..ENOUGH },
        ];
        for sample in short {
            let found = assess_edge(sample, Some(0.001), Some(5.0));
            assert_eq!(
                (found.assurance, found.lacks),
                (Assurance::NotEnoughData, vec![FailedCondition::Evidence])
            );
        }
        let least = SampleSize { days: 60, active_days: 40, trades: 100 };
        assert_eq!(assess_edge(least, Some(0.01), None).assurance, Assurance::Promising);
    }

    #[test]
    fn a_choice_is_judged_by_what_it_earned_unseen() {
        let word = |t| assess_candidate(ENOUGH, Some(t)).assurance;
        assert_eq!(
            // p of 0.03 and 0.1.
            [word(1.881), word(1.880), word(1.282), word(1.281)],
            [Assurance::Real, Assurance::Promising, Assurance::Promising, Assurance::Unproven]
        );
        assert_eq!([word(0.01), word(0.0)], [Assurance::Unproven, Assurance::LikelyLuck]);
        assert_eq!(assess_candidate(ENOUGH, None).assurance, Assurance::Untested);
        assert_eq!(assess_switch(ENOUGH, Some(0.3)).assurance, Assurance::Unproven);
        assert_eq!(assess_switch(ENOUGH, Some(0.5)).assurance, Assurance::LikelyLuck);
    }

    #[test]
    fn each_veto_has_its_limit_and_its_name() {
        assert_eq!(SOUND.vetoes(), []);
        let cases = [
            (Fragility { worst_case: 0.0, ..SOUND }, FailedCondition::FragileIntrabar),
            (Fragility { cost_buffer: Some(1.249), ..SOUND }, FailedCondition::FragileCost),
            (Fragility { decay_e: 20.0, ..SOUND }, FailedCondition::Decay),
            (Fragility { plateau_ratio: Some(0.49), ..SOUND }, FailedCondition::IsolatedOptimum),
            (Fragility { plateau_ratio: None, ..SOUND }, FailedCondition::IsolatedOptimum),
            (Fragility { overlap: Overlap { traded: 0.0, ..SAME }, ..SOUND }, FailedCondition::Overlap),
            (
                Fragility { overlap: Overlap { agreement: Some(0.89), ..SAME }, ..SOUND },
                FailedCondition::Overlap,
            ),
        ];
        for (fragile, veto) in cases {
            assert_eq!(fragile.vetoes(), [veto], "{fragile:?}");
        }
        let unknown = Overlap { agreement: None, ..SAME };
        assert_eq!(Fragility { overlap: unknown, cost_buffer: None, ..SOUND }.vetoes(), []);
    }

    #[test]
    fn a_year_of_looks_asks_for_more_than_one() {
        for least in [Assurance::Promising, Assurance::Real] {
            let (first, later) = (AdoptionGate::of(least, true), AdoptionGate::of(least, false));
            assert!(later.edge_p < first.edge_p && later.switch_p == first.switch_p, "{least}");
        }
        let (promising, real) =
            (AdoptionGate::of(Assurance::Promising, true), AdoptionGate::of(Assurance::Real, true));
        assert!(
            promising.edge_p <= PROMISING_P && real.edge_p < REAL_P && real.switch_p < promising.switch_p
        );
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
    fn a_good_time_before_does_not_blind_to_a_decay() {
        let days = |up: usize, count: usize| (0..count).map(move |i| if i % 5 < up { -0.4 } else { 0.4 });
        let losses: Vec<f64> = days(3, 300).chain(days(1, 90)).collect();
        assert!(decay_wealth(&losses, 1.0) > DECAY_E, "{}", decay_wealth(&losses, 1.0));
        assert!(wealth_of_bet(&losses, 1.0) < 2.0, "by all days so far nobody bets on it yet");
        assert!(decay_wealth(&losses[..300], 1.0) <= 1.0);
        assert_eq!(decay_wealth(&[], 1.0), 1.0);
    }

    /// The chance of an alarm at any time in two years of results without an edge, day by day: at most one in twenty.
    #[test]
    fn without_a_decay_there_is_an_alarm_in_one_of_twenty_at_most() {
        let worlds = 2_000;
        let alarm = |seed: &u64| {
            let mut random = crate::validate::resample::Random::new(*seed);
            let losses: Vec<f64> =
                (0..730).map(|_| (0..4).map(|_| random.unit() - 0.5).sum::<f64>()).collect();
            (30..730)
                .step_by(10)
                .any(|days| decay_wealth(&losses[..days], 4.0 * (4.0_f64 / 12.0).sqrt()) >= DECAY_E)
        };
        let alarms = (0..worlds).filter(alarm).count();
        assert!(alarms > 0, "a test that never errs shows nothing");
        assert!(alarms as f64 <= 0.05 * worlds as f64, "{alarms} of {worlds}");
    }

    #[test]
    fn who_is_paid_to_trade_does_not_lose_when_costs_rise() {
        assert_eq!((cost_buffer(5.0, 5.0), cost_buffer(5.0, 6.0)), (None, None));
    }
}

//! The weights of the signal score that separate winning from losing signals best.
//!
//! The legacy chose among its weights by the mean score of opportunities that had all won (D25), and wrote what it
//! chose where the bot does not look (D24). Here the signals that lost count as much, weights are judged on days that
//! they were not searched on, and the active ones stay unless others are better by more than chance moves the difference.
//!
//! Causality: what is given of the in-sample part is all that is read. Not here: outcomes; see `run`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::random::RandomStream;
use super::separation::Separation;
use crate::features::score::{ScoreEvidence, ScoreTerm, ScoreWeights, TERMS_MAX, terms_of_style};
use crate::model::Day;

/// Where the weights of the signal score come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weighting {
    /// They are fixed.
    #[default]
    Default,
    /// Every run searches them on its in-sample days.
    Learned,
}

impl Weighting {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Default, Self::Learned];

    /// Returns the name used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Learned => "learned",
        }
    }
}

impl fmt::Display for Weighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signal with what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledSignal {
    /// Day of its entry.
    pub day: Day,
    /// What the score reads.
    pub evidence: ScoreEvidence,
    /// Whether it earned something after costs.
    pub won: bool,
}

/// What weights are learned from.
#[derive(Debug, Clone)]
pub struct WeightEvidence<'a> {
    /// Signals of the in-sample part, by day.
    pub samples: &'a [LabelledSignal],
    /// Days of the in-sample part.
    pub days: Range<Day>,
    /// Days that an outcome reaches beyond its entry day.
    pub label_days: i32,
    /// The active weights.
    pub in_force: ScoreWeights,
    /// Weights that are tried before others are evolved, the default ones besides; at most four count.
    pub named: &'a [ScoreWeights],
    /// What the evolution depends on.
    pub seed: u64,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LearnedWeights {
    /// The weights to go on with.
    pub weights: ScoreWeights,
    /// Whether they replace the active ones.
    pub replaced: bool,
    /// Why.
    pub reason: WeightsReason,
    /// Early signals that won, and that did not.
    pub signals: [u64; 2],
    /// How the weights found compare with the active ones; `None` where there is too little to search.
    pub compared: Option<AucComparison>,
}

/// Areas under the curve, means over the folds; ppm.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AucComparison {
    /// Of the weights that a search without the fold's days finds, on these days.
    pub found_ppm: u64,
    /// Of the active weights, on the same days.
    pub in_force_ppm: u64,
    /// Standard error of the difference; days on which outcomes overlap count as one.
    pub error_ppm: f64,
    /// Of the weights that a search on all in-sample days finds, on the days it saw.
    pub seen_ppm: u64,
}

/// Why score weights stay or are replaced. The names are those that stores and documents have.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum WeightsReason {
    #[serde(rename = "too_few_signals_for_weights")]
    TooFewSignals { won: u64, lost: u64, signals_min: u64, class_min: u64 },
    #[serde(rename = "weights_still_the_best")]
    StillTheBest(AucComparison),
    #[serde(rename = "weights_not_surely_better")]
    NotSurelyBetter(AucComparison),
    #[serde(rename = "weights_better")]
    Better(AucComparison),
}

impl fmt::Display for WeightsReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewSignals { won, lost, signals_min, class_min } => write!(
                f,
                "too few in-sample signals for score weights: {won} won, {lost} lost, {signals_min}, {class_min} of either \
                 kind, on several parts of the in-sample days, are needed"
            ),
            Self::StillTheBest(compared) => {
                write!(f, "the active score weights are still the best: {}", compared.text())
            }
            Self::NotSurelyBetter(compared) => {
                write!(f, "the score weights stay, others are not surely better: {}", compared.text())
            }
            Self::Better(compared) => {
                write!(f, "other score weights separate winners from losers better: {}", compared.text())
            }
        }
    }
}

/// Parts of the in-sample days; each in turn is what the search does not see.
const FOLDS: i32 = 5;
/// Fewest in-sample signals, and fewest of them that won and that lost.
const SIGNALS_MIN: u64 = 200;
const CLASS_MIN: u64 = 50;
/// Least improvement of the area that is worth other weights; ppm.
const IMPROVEMENT_MIN_PPM: u64 = 10_000;
/// Standard errors that it must exceed. Every day asks again: with one, chance would have its way once a week.
const ERRORS_MIN: f64 = 2.0;

/// How the names of its figures begin.
pub const FIGURES_PREFIX: &str = "weights_";

const GENERATIONS: usize = 3;
const PARENTS: usize = 4;
const CHILDREN: usize = 8;
const NAMED_MAX: usize = 4;
/// Largest weight.
const WEIGHT_MAX: u8 = 50;
/// Most that a mutation moves a weight.
const STEP_MAX: u64 = 10;

/// Weights that a search tries at most: the active ones, the default and the named ones, every term alone, all terms as
/// each separates alone, and the children of every generation.
pub const TRIED_MAX: u64 = (3 + NAMED_MAX + TERMS_MAX + GENERATIONS * CHILDREN) as u64;

/// Learns the weights of a style from the signals of the in-sample part.
///
/// Causality: each fold's area is that of weights which were found without its days, and without those on which an
///            outcome overlaps with one of its own
/// Cost:      O(folds x weights tried x distinct evidence)
pub fn search_score_weights(lesson: &WeightEvidence<'_>) -> LearnedWeights {
    let won = lesson.samples.iter().filter(|sample| sample.won).count() as u64;
    let signals = [won, lesson.samples.len() as u64 - won];
    let keep = |reason, compared| LearnedWeights {
        weights: lesson.in_force,
        replaced: false,
        reason,
        signals,
        compared,
    };
    let enough = signals[0] + signals[1] >= SIGNALS_MIN && signals.iter().all(|class| *class >= CLASS_MIN);
    let Some((found, compared)) = enough.then(|| lesson.compare()).flatten() else {
        let [won, lost] = signals;
        let reason =
            WeightsReason::TooFewSignals { won, lost, signals_min: SIGNALS_MIN, class_min: CLASS_MIN };
        return keep(reason, None);
    };
    if found == lesson.in_force {
        return keep(WeightsReason::StillTheBest(compared), Some(compared));
    }
    if !compared.is_better() {
        return keep(WeightsReason::NotSurelyBetter(compared), Some(compared));
    }
    let reason = WeightsReason::Better(compared);
    LearnedWeights { weights: found, replaced: true, reason, signals, compared: Some(compared) }
}

impl LearnedWeights {
    /// Returns how many times the grid was tried for the weights that are gone on with.
    ///
    /// What is searched under the default weights would have been searched without any learning. But had other weights won,
    /// it would have been that: luck has two chances, this one and all other weights that were tried together.
    pub fn tries(&self) -> u64 {
        let is_default = self.weights == ScoreWeights::default_of(self.weights.style());
        match (self.compared.is_some(), is_default) {
            (false, true) => 1,
            (true, true) => 2,
            (_, false) => 2 * TRIED_MAX,
        }
    }
}

impl AucComparison {
    fn is_better(&self) -> bool {
        let gain_ppm = self.found_ppm.saturating_sub(self.in_force_ppm);
        gain_ppm >= IMPROVEMENT_MIN_PPM && gain_ppm as f64 > ERRORS_MIN * self.error_ppm
    }

    fn text(&self) -> String {
        let area = |ppm: f64| format!("{:.3}", ppm / 1e6);
        format!(
            "AUC {} on days not searched against {}, standard error {}",
            area(self.found_ppm as f64),
            area(self.in_force_ppm as f64),
            area(self.error_ppm)
        )
    }
}

impl WeightEvidence<'_> {
    /// Returns the weights found on all in-sample days, and how weights that are found so do on days not searched; `None`
    /// where fewer than two parts of the days have winners and losers.
    fn compare(&self) -> Option<(ScoreWeights, AucComparison)> {
        let found = evolve_weights(&self.parts(|_| true), self)?;
        let (mut folds, mut found_ppm, mut in_force_ppm, mut variance) = (0, 0, 0, 0.0);
        for fold in 0..FOLDS {
            let test = self.fold(fold);
            let apart =
                |day: Day| day.0 + self.label_days < test.start.0 || day.0 >= test.end.0 + self.label_days;
            let Some(weights) = evolve_weights(&self.parts(apart), self) else { continue };
            let unseen: Vec<LabelledSignal> =
                self.samples.iter().copied().filter(|sample| test.contains(&sample.day)).collect();
            let [own, theirs] = [weights, self.in_force].map(|weights| measure_separation(&unseen, &weights));
            let (Some(own_ppm), Some(their_ppm)) = (own.auc_ppm(), theirs.auc_ppm()) else { continue };
            folds += 1;
            found_ppm += own_ppm;
            in_force_ppm += their_ppm;
            variance += self.variance(&unseen, (&weights, &own), &theirs);
        }
        let seen_ppm = EvidenceLine::mean_ppm(&self.parts(|_| true), &found)?;
        let compared = (folds >= 2).then(|| AucComparison {
            found_ppm: found_ppm / folds,
            in_force_ppm: in_force_ppm / folds,
            error_ppm: 1e6 * variance.sqrt() / folds as f64,
            seen_ppm,
        });
        Some((found, compared?))
    }

    /// Returns the variance of the difference of two areas.
    ///
    /// Source: N. Obuchowski, Nonparametric analysis of clustered ROC curve data (1997): the parts that signals of one
    ///         cluster have in the area are added before they are squared; a cluster is as many days as an outcome reaches
    fn variance(
        &self,
        signals: &[LabelledSignal],
        (weights, own): (&ScoreWeights, &Separation),
        theirs: &Separation,
    ) -> f64 {
        let mut clusters: BTreeMap<i32, f64> = BTreeMap::new();
        for signal in signals {
            let influence = |separation: &Separation, weights: &ScoreWeights| {
                separation.influence(score_of_evidence(signal.evidence, weights), signal.won)
            };
            let difference = influence(own, weights) - influence(theirs, &self.in_force);
            *clusters.entry(signal.day.0.div_euclid(self.label_days.max(1))).or_default() += difference;
        }
        let count = clusters.len() as f64;
        clusters.values().map(|sum| sum * sum).sum::<f64>() * count / (count - 1.0).max(1.0)
    }

    /// Returns the days of a fold.
    fn fold(&self, fold: i32) -> Range<Day> {
        let days = self.days.end.0 - self.days.start.0;
        let start = |fold: i32| Day(self.days.start.0 + days * fold / FOLDS);
        start(fold)..start(fold + 1)
    }

    /// Returns the folds, with only some days of each; those without winners or losers are left out.
    fn parts(&self, keep: impl Fn(Day) -> bool) -> Vec<EvidenceLine> {
        let part = |fold| {
            let days = self.fold(fold);
            let within = |sample: &&LabelledSignal| days.contains(&sample.day) && keep(sample.day);
            EvidenceLine::of(self.samples.iter().filter(within))
        };
        let parts: Vec<EvidenceLine> = (0..FOLDS).map(part).collect();
        parts.into_iter().filter(EvidenceLine::has_both).collect()
    }
}

/// Signals with the same evidence are one line: (evidence, winners, losers).
struct EvidenceLine(Vec<(ScoreEvidence, u64, u64)>);

impl EvidenceLine {
    fn of<'a>(samples: impl Iterator<Item = &'a LabelledSignal>) -> Self {
        let mut counts: BTreeMap<ScoreEvidence, (u64, u64)> = BTreeMap::new();
        for sample in samples {
            let (won, lost) = counts.entry(sample.evidence).or_default();
            *if sample.won { won } else { lost } += 1;
        }
        Self(counts.into_iter().map(|(evidence, (won, lost))| (evidence, won, lost)).collect())
    }

    fn has_both(&self) -> bool {
        self.0.iter().any(|(_, won, _)| *won > 0) && self.0.iter().any(|(.., lost)| *lost > 0)
    }

    /// Returns the mean area of parts that have winners and losers; ppm, `None` without any.
    fn mean_ppm(parts: &[Self], weights: &ScoreWeights) -> Option<u64> {
        let area = |part: &Self| {
            let scored = part
                .0
                .iter()
                .map(|(evidence, won, lost)| (score_of_evidence(*evidence, weights), *won, *lost));
            Separation::of(scored).auc_ppm()
        };
        let areas: Vec<u64> = parts.iter().filter_map(area).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<u64>() / areas.len() as u64)
    }
}

fn score_of_evidence(evidence: ScoreEvidence, weights: &ScoreWeights) -> usize {
    evidence.score(weights) as usize
}

fn measure_separation(samples: &[LabelledSignal], weights: &ScoreWeights) -> Separation {
    let one = |sample: &LabelledSignal| {
        (score_of_evidence(sample.evidence, weights), u64::from(sample.won), u64::from(!sample.won))
    };
    Separation::of(samples.iter().map(one))
}

/// Evolves weights and returns those with the largest mean area, the first of equals; `None` without signals to tell
/// apart.
fn evolve_weights(parts: &[EvidenceLine], lesson: &WeightEvidence<'_>) -> Option<ScoreWeights> {
    let rate = |weights: ScoreWeights| Some((weights, EvidenceLine::mean_ppm(parts, &weights)?));
    let style = lesson.in_force.style();
    let named = lesson.named.iter().copied().take(NAMED_MAX);
    let founders = [lesson.in_force, ScoreWeights::default_of(style)].into_iter().chain(named);
    let alone =
        |own: &ScoreTerm| ScoreWeights::of(style, |term| Some(if term == *own { WEIGHT_MAX } else { 0 }));
    let singles: Vec<(ScoreWeights, u64)> =
        terms_of_style(style).iter().filter_map(alone).map(rate).collect::<Option<_>>()?;
    let mut ranked: Vec<(ScoreWeights, u64)> =
        founders.chain(as_each_separates(&singles)).map(rate).collect::<Option<_>>()?;
    ranked.extend(singles);
    assert!((ranked.len() + GENERATIONS * CHILDREN) as u64 <= TRIED_MAX, "as many as are counted as tries");
    let mut draws = RandomStream::new(lesson.seed);
    for _ in 0..GENERATIONS {
        ranked.sort_by_key(|(_, area_ppm)| Reverse(*area_ppm));
        ranked.truncate(PARENTS);
        let children: Vec<ScoreWeights> =
            (0..CHILDREN).map(|child| mutated_weights(ranked[child % ranked.len()].0, &mut draws)).collect();
        ranked.extend(children.into_iter().filter_map(rate));
    }
    ranked.sort_by_key(|(_, area_ppm)| Reverse(*area_ppm));
    ranked.first().map(|(weights, _)| *weights)
}

/// Weighs every term as it separates alone, nothing where it does the wrong way; `None` where none does.
fn as_each_separates(singles: &[(ScoreWeights, u64)]) -> Option<ScoreWeights> {
    let gain = |area_ppm: u64| area_ppm.saturating_sub(500_000);
    let most = singles.iter().map(|(_, area_ppm)| gain(*area_ppm)).max().filter(|most| *most > 0)?;
    let style = singles.first()?.0.style();
    let mut weights =
        singles.iter().map(|(_, area_ppm)| (gain(*area_ppm) * u64::from(WEIGHT_MAX) / most) as u8);
    ScoreWeights::of(style, |_| weights.next())
}

/// Moves one to three weights.
fn mutated_weights(weights: ScoreWeights, draws: &mut RandomStream) -> ScoreWeights {
    let mut values: Vec<u8> = weights.pairs().map(|(_, weight)| weight).collect();
    for _ in 0..=draws.below(3) {
        let place = draws.below(values.len() as u64) as usize;
        let step = draws.below(2 * STEP_MAX + 1) as i64 - STEP_MAX as i64;
        values[place] = (i64::from(values[place]) + step).clamp(0, WEIGHT_MAX.into()) as u8;
    }
    let mut values = values.into_iter();
    ScoreWeights::of(weights.style(), |_| values.next()).unwrap_or(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Style;

    const DAYS: Range<Day> = Day(100)..Day(300);

    /// Signals of every day, with evidence at random; a winner is drawn with the odds (percent) of its evidence.
    fn world(style: Style, seed: u64, odds: impl Fn(ScoreEvidence) -> u64) -> Vec<LabelledSignal> {
        let mut draws = RandomStream::new(seed);
        let mut samples = Vec::new();
        while samples.len() < 4_000 {
            let number = draws.below(1 << 17) as f64;
            let Some(evidence) = ScoreEvidence::from_number(number, style) else { continue };
            let day = Day(DAYS.start.0 + samples.len() as i32 / 20);
            samples.push(LabelledSignal { day, evidence, won: draws.below(100) < odds(evidence) });
        }
        samples
    }

    fn lesson(samples: &[LabelledSignal], in_force: ScoreWeights) -> WeightEvidence<'_> {
        WeightEvidence { samples, days: DAYS, label_days: 3, in_force, named: &[], seed: 1 }
    }

    /// The share of the weights that a term has.
    fn share(weights: &ScoreWeights, term: ScoreTerm) -> f64 {
        let total: u32 = weights.pairs().map(|(_, weight)| u32::from(weight)).sum();
        let own: u32 = weights.pairs().filter(|(own, _)| *own == term).map(|(_, w)| u32::from(w)).sum();
        f64::from(own) / f64::from(total)
    }

    /// The score under the weight of one term is full where its strength is.
    fn has(evidence: ScoreEvidence, style: Style, term: ScoreTerm) -> bool {
        let only = ScoreWeights::of(style, |own| Some(u8::from(own == term))).expect("of every term");
        evidence.score(&only) >= 90.0
    }

    #[test]
    fn a_term_that_decides_gains_weight_and_separates_on_days_not_searched() {
        for style in Style::ALL {
            let term = ScoreTerm::Breakout;
            let samples = world(style, 7, |evidence| if has(evidence, style, term) { 65 } else { 35 });
            let default = ScoreWeights::default_of(style);
            let learned = search_score_weights(&lesson(&samples, default));
            assert!(learned.replaced, "{}", learned.reason);
            let compared = learned.compared.expect("enough signals");
            assert!(compared.found_ppm > compared.in_force_ppm + 20_000, "{compared:?}");
            assert!(compared.found_ppm < compared.seen_ppm + 20_000, "{compared:?}");
            assert!(share(&learned.weights, term) > 2.0 * share(&default, term), "{}", learned.weights);
            // Once active, they stay.
            let again = search_score_weights(&lesson(&samples, learned.weights));
            assert_eq!((again.weights, again.replaced), (learned.weights, false), "{}", again.reason);
            assert_eq!((learned.tries(), again.tries()), (2 * TRIED_MAX, 2 * TRIED_MAX));
        }
    }

    #[test]
    fn nothing_to_learn_keeps_what_is_in_force() {
        for style in Style::ALL {
            let default = ScoreWeights::default_of(style);
            for seed in 0..20 {
                let samples = world(style, seed, |_| 45);
                let learned = search_score_weights(&lesson(&samples, default));
                assert_eq!((learned.weights, learned.replaced), (default, false), "{}", learned.reason);
                assert!(
                    learned.compared.is_some_and(|c| c.found_ppm.abs_diff(500_000) < 40_000),
                    "{learned:?}"
                );
                assert_eq!(learned.tries(), 2, "it might have been others");
            }
        }
    }

    #[test]
    fn few_signals_teach_nothing() {
        let own = ScoreWeights::of(Style::Swing, |_| Some(7)).expect("of every term");
        let samples =
            world(
                Style::Swing,
                3,
                |evidence| if has(evidence, Style::Swing, ScoreTerm::Volume) { 90 } else { 10 },
            );
        let losers: Vec<LabelledSignal> = samples.iter().copied().filter(|sample| !sample.won).collect();
        let bunched: Vec<LabelledSignal> =
            samples.iter().map(|sample| LabelledSignal { day: DAYS.start, ..*sample }).collect();
        for few in [&samples[..199], &losers, &bunched, &[]] {
            let learned = search_score_weights(&lesson(few, own));
            assert_eq!((learned.weights, learned.replaced, learned.compared), (own, false, None));
            assert!(matches!(learned.reason, WeightsReason::TooFewSignals { .. }), "{}", learned.reason);
        }
        let default = ScoreWeights::default_of(Style::Swing);
        assert_eq!(search_score_weights(&lesson(&samples[..199], default)).tries(), 1);
        assert_eq!(search_score_weights(&lesson(&samples[..199], own)).tries(), 2 * TRIED_MAX);
    }

    #[test]
    fn the_same_seed_learns_the_same() {
        let style = Style::Scalping;
        let samples =
            world(style, 5, |evidence| if has(evidence, style, ScoreTerm::Pattern) { 60 } else { 40 });
        let named = [ScoreWeights::of(style, |_| Some(9)).expect("of every term")];
        let learn_by = |seed| {
            let lesson = lesson(&samples, ScoreWeights::default_of(style));
            search_score_weights(&WeightEvidence { named: &named, seed, ..lesson })
        };
        assert_eq!(learn_by(1), learn_by(1));
        let found: std::collections::HashSet<ScoreWeights> =
            (0..8).map(|seed| learn_by(seed).weights).collect();
        assert!(found.len() > 1, "another seed goes another way");
    }
}

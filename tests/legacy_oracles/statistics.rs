//! What the legacy search says about its trials: how scores spread, and how much each parameter moves them.

use super::search::Trial;
use retune::legacy::rules::settings::Setting;
pub(crate) use retune::legacy::rules::statistics::{mean, population_deviation};

use retune::features::rounding::round_decimals;

/// Decimals of every statistic.
const DECIMALS: u32 = 3;

/// How much a parameter matters, by its mean slope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Steeper than 0.1 a unit.
    High,
    /// Steeper than 0.05 a unit.
    Medium,
    /// Anything else.
    Low,
}

impl Weight {
    fn of(slope: f64) -> Self {
        match slope.abs() {
            steep if steep > 0.1 => Self::High,
            steep if steep > 0.05 => Self::Medium,
            _ => Self::Low,
        }
    }

    /// Returns the legacy word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// The slope of the mean score between neighbouring values of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sensitivity {
    /// The parameter.
    pub key: String,
    /// Mean of the signed slopes, three decimals: opposite effects cancel, and hours count like ratios (D19).
    pub avg_impact: f64,
    /// Their population deviation, three decimals.
    pub std_impact: f64,
    /// From the mean before rounding.
    pub importance: Weight,
}

/// A value of a parameter with the trials that have it.
#[derive(Debug, Clone)]
pub(crate) struct ValueGroup<'a> {
    /// The value.
    pub value: &'a Setting,
    /// The trials.
    pub trials: Vec<&'a Trial>,
}

/// Returns the trials by the value they have for a parameter, values ascending; trials without it are left out.
pub(crate) fn by_value<'a>(trials: &'a [Trial], key: &str) -> Vec<ValueGroup<'a>> {
    let mut groups: Vec<ValueGroup<'a>> = Vec::new();
    for trial in trials {
        let Some(value) = trial.settings.get(key) else { continue };
        match groups.iter_mut().find(|group| group.value.order(value).is_eq()) {
            Some(group) => group.trials.push(trial),
            None => groups.push(ValueGroup { value, trials: vec![trial] }),
        }
    }
    groups.sort_by(|a, b| a.value.order(b.value));
    groups
}

/// Returns the sensitivity of every parameter of the first trial that takes two values or more.
///
/// Shape:     in the order of the first trial's parameters
/// Units:     score per unit of the parameter; a step between words counts as one unit
/// Source:    section 4 of the legacy specification
pub(crate) fn sensitivities(trials: &[Trial]) -> Vec<Sensitivity> {
    let keys = trials.first().into_iter().flat_map(|first| first.settings.iter());
    keys.filter_map(|(key, _)| sensitivity(trials, key)).collect()
}

fn sensitivity(trials: &[Trial], key: &str) -> Option<Sensitivity> {
    let groups = by_value(trials, key);
    let slope = |pair: &[ValueGroup<'_>]| {
        let distance = match (pair[0].value.number(), pair[1].value.number()) {
            (Some(from), Some(to)) => (to - from).abs(),
            _ => 1.0,
        };
        let score = |group: &ValueGroup<'_>| mean(group.trials.iter().map(|trial| trial.score));
        (score(&pair[1]) - score(&pair[0])) / distance
    };
    let slopes: Vec<f64> = groups.windows(2).map(slope).collect();
    if slopes.is_empty() {
        return None;
    }
    let average = mean(slopes.iter().copied());
    Some(Sensitivity {
        key: key.to_owned(),
        avg_impact: round_decimals(average, DECIMALS),
        std_impact: round_decimals(population_deviation(&slopes), DECIMALS),
        importance: Weight::of(average),
    })
}

/// How scores spread, every figure with three decimals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScoreDistribution {
    pub mean: f64,
    /// Population deviation.
    pub std: f64,
    pub min: f64,
    pub max: f64,
    pub q25: f64,
    pub q50: f64,
    pub q75: f64,
}

impl ScoreDistribution {
    /// Returns the spread of scores; `None` of none.
    pub(crate) fn of(scores: &[f64]) -> Option<Self> {
        let sorted = sorted(scores);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let rounded = |value| round_decimals(value, DECIMALS);
        Some(Self {
            mean: rounded(mean(scores.iter().copied())),
            std: rounded(population_deviation(scores)),
            min: rounded(min),
            max: rounded(max),
            q25: rounded(percentile(&sorted, 0.25)),
            q50: rounded(percentile(&sorted, 0.50)),
            q75: rounded(percentile(&sorted, 0.75)),
        })
    }
}

/// Returns the deviation estimated from a sample; 0 of fewer than two.
pub(crate) fn sample_deviation(values: &[f64]) -> f64 {
    match values.len() {
        0 | 1 => 0.0,
        count => population_deviation(values) * (count as f64 / (count as f64 - 1.0)).sqrt(),
    }
}

/// Returns the values ascending.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Returns the value at a share of ascending values, between neighbours in proportion; 0 of nothing.
///
/// Shape:     `share` in [0, 1]
pub(crate) fn percentile(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return 0.0 };
    let position = last as f64 * share;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    ascending[below] + (ascending[above] - ascending[below]) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_neighbours() {
        let values = sorted(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((percentile(&values, 0.25), percentile(&values, 0.5)), (1.75, 2.5));
        assert_eq!((percentile(&[], 0.5), percentile(&[7.0], 0.9)), (0.0, 7.0));
        assert_eq!(population_deviation(&values), 1.25f64.sqrt());
        assert_eq!(sample_deviation(&[1.0, 3.0]), 2f64.sqrt());
        assert_eq!(ScoreDistribution::of(&[]), None);
    }
}

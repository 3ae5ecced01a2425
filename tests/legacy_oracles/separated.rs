//! The legacy phase 3 per style: a few thresholds and exits, the highest total profit wins.
//!
//! It filters on the profit density, an outcome (D29); the trailing stop it exports was never simulated (D30).

use super::exit_simulation::{Multiples, SimulationOptions};
use super::phase2::{Tally, passes, profit};
use super::statistics::mean;
use retune::ingest::LegacyRecord;
use retune::model::Style;

/// How strong a trend must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TrendNeeded {
    Any,
    Normal,
    Strong,
}

impl TrendNeeded {
    /// Returns the legacy word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Normal => "normal",
            Self::Strong => "strong",
        }
    }
}

/// What the advanced filters read of a snapshot; no writer emits it (D45).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// A strong candle pattern.
    pub strong_pattern: bool,
    /// The strongest demand on the trend that it meets.
    pub trend: TrendNeeded,
    /// Within 3 % of a level.
    pub near_level: bool,
}

impl Surroundings {
    /// Returns whether a price is within 3 % of another.
    pub(crate) fn is_near(price: f64, level: f64) -> bool {
        price > 0.0 && level > 0.0 && (price - level).abs() / price <= 0.03
    }
}

/// The parameters phase 3 exports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SeparatedParams {
    pub min_indicator_consensus: f64,
    pub min_signal_score: f64,
    pub min_risk_reward: f64,
    pub min_profit_density: f64,
    pub require_strong_pattern: bool,
    pub min_trend_strength: TrendNeeded,
    pub require_near_sr: bool,
    pub multiples: Multiples,
    pub max_holding_hours: i64,
    pub trailing_stop_enabled: bool,
    pub trailing_stop_activation: f64,
    pub trailing_stop_distance: f64,
}

/// Hours exported where no holding time is known.
fn hours_default(style: Style) -> i64 {
    match style {
        Style::Scalping => 4,
        _ => 20,
    }
}

/// Returns the exit distances of a style where phase 2 found none.
pub(crate) fn default_multiples(style: Style) -> Multiples {
    match style {
        Style::Scalping => Multiples { stop: 2.0, target: 12.0 },
        _ => Multiples { stop: 2.5, target: 18.0 },
    }
}

/// Returns the parameter sets that are tried, in the legacy order.
///
/// Shape:     8 sets, 768 with advanced filters
/// Source:    section 11 of the legacy specification
pub(crate) fn grid(style: Style, optimal: &Multiples, hours: i64, advanced: bool) -> Vec<SeparatedParams> {
    let (scores, densities) = match style {
        Style::Scalping => ([60.0, 75.0], [4.0, 6.0]),
        _ => ([65.0, 80.0], [0.2, 0.5]),
    };
    let flags: &[bool] = if advanced { &[false, true] } else { &[false] };
    let trends: &[TrendNeeded] = match advanced {
        true => &[TrendNeeded::Any, TrendNeeded::Normal, TrendNeeded::Strong],
        false => &[TrendNeeded::Any],
    };
    // Without the advanced filters a trailing stop is exported as if it had been tried (D30).
    let trailing: &[bool] = if advanced { &[false, true] } else { &[true] };
    let (activations, distances): (&[f64], &[f64]) =
        if advanced { (&[1.0, 2.0], &[1.5, 2.0]) } else { (&[2.0], &[1.5]) };
    let targets = [optimal.target, 1.5 * optimal.target];
    let sizes = [
        scores.len(),
        densities.len(),
        flags.len(),
        trends.len(),
        flags.len(),
        targets.len(),
        trailing.len(),
        activations.len(),
        distances.len(),
    ];
    let set = |number: usize| {
        let [score, density, pattern, trend, level, target, trails, activation, distance] =
            places(number, sizes);
        SeparatedParams {
            min_indicator_consensus: 1.0,
            min_signal_score: scores[score],
            min_risk_reward: 1.0,
            min_profit_density: densities[density],
            require_strong_pattern: flags[pattern],
            min_trend_strength: trends[trend],
            require_near_sr: flags[level],
            multiples: Multiples { stop: optimal.stop, target: targets[target] },
            max_holding_hours: hours,
            trailing_stop_enabled: trailing[trails],
            trailing_stop_activation: activations[activation],
            trailing_stop_distance: distances[distance],
        }
    };
    (0..sizes.iter().product()).map(set).collect()
}

/// Returns the place in each dimension of a combination; the last dimension counts fastest.
fn places<const N: usize>(number: usize, sizes: [usize; N]) -> [usize; N] {
    let mut rest = number;
    let mut places = [0; N];
    for (place, size) in places.iter_mut().zip(sizes).rev() {
        *place = rest % size;
        rest /= size;
    }
    places
}

impl SeparatedParams {
    fn passes(&self, record: &LegacyRecord, around: Option<&Surroundings>) -> bool {
        let surroundings_pass = around.is_none_or(|around| {
            (around.strong_pattern || !self.require_strong_pattern)
                && around.trend >= self.min_trend_strength
                && (around.near_level || !self.require_near_sr)
        });
        passes(record, self.min_indicator_consensus, self.min_signal_score)
            && record.risk_reward.unwrap_or(0.0) >= self.min_risk_reward
            && record.profit_density.unwrap_or(0.0) >= self.min_profit_density
            && surroundings_pass
    }
}

/// Exits in the separated search: distances widen with the score, and trades cost.
const OPTIONS: SimulationOptions = SimulationOptions { dynamic_atr: true, costs: true };

/// Returns the set with the highest total profit on the records of one style, the first of equals; `None` where no
/// set captures anything.
///
/// Shape:     `surroundings` per record turns the advanced filters on
/// Cost:      O(records x sets)
pub(crate) fn separated(
    style: Style,
    records: &[LegacyRecord],
    optimal: &Multiples,
    surroundings: Option<&[Surroundings]>,
) -> Option<(SeparatedParams, Tally)> {
    let hours: Vec<f64> =
        records.iter().filter_map(|r| r.holding_hours).filter(|hours| *hours > 0.0).collect();
    let hours = match hours.len() {
        0 => hours_default(style),
        _ => mean(hours.into_iter()) as i64,
    };
    let mut best: Option<(SeparatedParams, Tally)> = None;
    for params in grid(style, optimal, hours, surroundings.is_some()) {
        let around = |index: usize| surroundings.and_then(|all| all.get(index));
        let captured = records.iter().enumerate().filter(|(index, r)| params.passes(r, around(*index)));
        let profits: Vec<f64> =
            captured.map(|(_, record)| profit(record, &params.multiples, OPTIONS)).collect();
        let tally = Tally::of(&profits, records.len());
        let better = best.as_ref().is_none_or(|(_, known)| tally.total_profit > known.total_profit);
        if tally.captured_count > 0 && better {
            best = Some((params, tally));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use retune::ingest::parse_legacy_opportunities;

    fn records(density: f64) -> Vec<LegacyRecord> {
        let text = format!(
            r#"[{{"signal_score": 80, "consensus": 1, "risk_reward": 2, "profit_density": {density},
                "entry_price": 100,
                "atr": 1, "holding_hours": 7.9, "future_data": {{"max_high": 130, "min_low": 99.9}}}}]"#
        );
        parse_legacy_opportunities(text.as_bytes(), std::path::Path::new("memory")).expect("a record")
    }

    #[test]
    fn the_first_of_the_best_sets_is_chosen() {
        let optimal = default_multiples(Style::Swing);
        assert_eq!(
            (grid(Style::Swing, &optimal, 1, false).len(), grid(Style::Swing, &optimal, 1, true).len()),
            (8, 768)
        );
        let (params, tally) =
            separated(Style::Swing, &records(0.3), &optimal, None).expect("a set captures it");
        assert_eq!(
            (params.multiples.target, params.max_holding_hours),
            (27.0, 7),
            "the larger target earns more"
        );
        assert_eq!(
            (params.min_signal_score, params.min_profit_density, tally.captured_count),
            (65.0, 0.2, 1)
        );
        assert_eq!(separated(Style::Swing, &records(0.1), &optimal, None), None);
    }

    #[test]
    fn advanced_filters_look_at_the_surroundings() {
        let optimal = default_multiples(Style::Scalping);
        let around =
            |strong_pattern| Surroundings { strong_pattern, trend: TrendNeeded::Normal, near_level: true };
        let (params, _) = separated(Style::Scalping, &records(5.0), &optimal, Some(&[around(false)]))
            .expect("a set captures it");
        assert!(!params.require_strong_pattern && !params.trailing_stop_enabled);
        let strict = SeparatedParams { require_strong_pattern: true, ..params };
        let record = &records(5.0)[0];
        assert!(strict.passes(record, Some(&around(true))) && !strict.passes(record, Some(&around(false))));
        assert!(Surroundings::is_near(100.0, 97.5) && !Surroundings::is_near(100.0, 96.0));
    }
}

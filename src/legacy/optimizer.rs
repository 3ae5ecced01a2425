//! The legacy search: every configuration of a plan is measured on all opportunities, and the best score wins.
//!
//! Take-profit, stop and holding time cannot change a result here (D13), and the opportunities that choose are those
//! that judge (D14): kept to reproduce legacy runs, not to find parameters.

use super::settings::Settings;
use crate::evaluate::legacy_metrics::{
    LegacyInputs, LegacyMetrics, LegacyOpportunity, LegacyThresholds, MissedReasons, legacy_filter,
    legacy_score,
};

/// What a parameter set captures out of opportunities.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// Places of the captured ones, in their order.
    pub places: Vec<usize>,
    /// The legacy metrics of their profits.
    pub metrics: LegacyMetrics,
    /// What held the others back.
    pub missed: MissedReasons,
    /// The legacy score.
    pub score: f64,
}

/// Returns what thresholds capture, measured and scored the legacy way.
///
/// Cost:      O(opportunities)
pub fn capture(opportunities: &[LegacyOpportunity], thresholds: &LegacyThresholds) -> Captured {
    let (mut places, mut profits, mut missed) = (Vec::new(), Vec::new(), MissedReasons::default());
    for (place, opportunity) in opportunities.iter().enumerate() {
        match legacy_filter(opportunity, thresholds) {
            Some(layer) => missed.add(layer),
            None => {
                places.push(place);
                profits.push(opportunity.profit_pct());
            }
        }
    }
    let metrics = LegacyMetrics::of(&profits, opportunities.len() as u64);
    Captured { places, score: legacy_score(&LegacyInputs::from(&metrics)), metrics, missed }
}

/// One configuration with its result.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The configuration, possibly a partial one (D18).
    pub settings: Settings,
    /// What it captures.
    pub metrics: LegacyMetrics,
    /// Its legacy score.
    pub score: f64,
}

/// Measures every configuration of a plan, in its order.
///
/// Cost:      O(plan x opportunities)
pub fn trials(opportunities: &[LegacyOpportunity], plan: &[Settings]) -> Vec<Trial> {
    let trial = |settings: &Settings| {
        let captured = capture(opportunities, &settings.thresholds());
        Trial { settings: settings.clone(), metrics: captured.metrics, score: captured.score }
    };
    plan.iter().map(trial).collect()
}

/// Returns the trials by score, the best first; equals keep their order.
pub fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let mut ranked: Vec<&Trial> = trials.iter().collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked
}

//! The legacy search: every configuration of a plan is measured on all opportunities, and the best score wins.
//!
//! Take-profit, stop and holding time cannot change a result here (D13), and the opportunities that choose are those
//! that judge (D14).

use retune::legacy::rules::capture::capture_by_thresholds;
use retune::legacy::rules::metrics::{LegacyMetrics, LegacyOpportunity};
use retune::legacy::rules::settings::Settings;

/// One configuration with its result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
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
pub(crate) fn trials(opportunities: &[LegacyOpportunity], plan: &[Settings]) -> Vec<Trial> {
    let trial = |settings: &Settings| {
        let captured = capture_by_thresholds(opportunities, &settings.thresholds());
        Trial { settings: settings.clone(), metrics: captured.metrics, score: captured.score }
    };
    plan.iter().map(trial).collect()
}

/// Returns the trials by score, the best first; equals keep their order.
pub(crate) fn ranked(trials: &[Trial]) -> Vec<&Trial> {
    let mut ranked: Vec<&Trial> = trials.iter().collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    ranked
}

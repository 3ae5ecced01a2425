//! What a parameter set captures out of opportunities, measured and scored the legacy way.

use super::metrics::{LegacyMetrics, LegacyOpportunity, LegacyThresholds, MissedReasons, legacy_filter};
use crate::evaluate::legacy_score::{LegacyInputs, legacy_score};

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
pub fn capture_by_thresholds(opportunities: &[LegacyOpportunity], thresholds: &LegacyThresholds) -> Captured {
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

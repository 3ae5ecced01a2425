//! What should make one look twice at a search: a value that captures much less than its neighbour, or little captured
//! at all.

use super::search::Trial;
use super::statistics::{by_value, mean, sensitivities};
use retune::features::rounding::round_decimals;
use retune::legacy::rules::settings::Setting;

/// From which figures on something is an anomaly; the default is the legacy one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AnomalyLimits {
    /// A fall of the capture rate between neighbouring values by more than this is one.
    pub drop: f64,
    /// By more than this it is a severe one.
    pub severe_drop: f64,
    /// A mean capture rate below this is one.
    pub capture_rate: f64,
}

impl Default for AnomalyLimits {
    fn default() -> Self {
        Self { drop: 0.2, severe_drop: 0.3, capture_rate: 0.3 }
    }
}

/// How bad an anomaly is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Worth a look.
    Medium,
    /// Needs one.
    High,
}

impl Severity {
    /// Returns the legacy word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Something odd about the trials of a search.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Anomaly {
    /// One step of a parameter loses a large part of what was captured.
    CaptureRateDrop {
        /// The parameter.
        key: String,
        /// The looser value.
        from: Setting,
        /// The next one.
        to: Setting,
        /// Change of the mean capture rate, negative.
        drop: f64,
        /// By how far it falls.
        severity: Severity,
    },
    /// Little is captured whatever the parameters.
    LowCaptureRate {
        /// The mean capture rate of all trials.
        value: f64,
    },
}

impl Anomaly {
    /// Returns the legacy name of the kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::CaptureRateDrop { .. } => "capture_rate_drop",
            Self::LowCaptureRate { .. } => "low_capture_rate",
        }
    }

    /// Returns how bad it is.
    pub(crate) fn severity(&self) -> Severity {
        match self {
            Self::CaptureRateDrop { severity, .. } => *severity,
            Self::LowCaptureRate { .. } => Severity::High,
        }
    }

    /// Returns the change or the rate with two decimals, as the legacy reports it.
    pub(crate) fn figure(&self) -> f64 {
        match self {
            Self::CaptureRateDrop { drop, .. } => round_decimals(*drop, 2),
            Self::LowCaptureRate { value } => round_decimals(*value, 2),
        }
    }

    /// Returns the sentence of the legacy report.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::CaptureRateDrop { key, from, to, drop, .. } => {
                format!("{key}从{from}→{to}时，捕获率下降{:.0}%", 100.0 * drop.abs())
            }
            Self::LowCaptureRate { value } => format!("平均捕获率只有{:.0}%", 100.0 * value),
        }
    }
}

/// Returns the anomalies of trials: drops in the order of the first trial's parameters, then the overall rate.
///
/// Source:    section 4 of the legacy specification
pub(crate) fn anomalies(trials: &[Trial], limits: &AnomalyLimits) -> Vec<Anomaly> {
    let capture = |trials: &[&Trial]| mean(trials.iter().map(|trial| trial.metrics.capture_rate));
    let mut found = Vec::new();
    for sensitivity in sensitivities(trials) {
        for pair in by_value(trials, &sensitivity.key).windows(2) {
            let drop = capture(&pair[1].trials) - capture(&pair[0].trials);
            if drop < -limits.drop {
                let severity = if drop < -limits.severe_drop { Severity::High } else { Severity::Medium };
                let (from, to) = (pair[0].value.clone(), pair[1].value.clone());
                found.push(Anomaly::CaptureRateDrop {
                    key: sensitivity.key.clone(),
                    from,
                    to,
                    drop,
                    severity,
                });
            }
        }
    }
    let value = mean(trials.iter().map(|trial| trial.metrics.capture_rate));
    if !trials.is_empty() && value < limits.capture_rate {
        found.push(Anomaly::LowCaptureRate { value });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use retune::legacy::rules::metrics::LegacyMetrics;
    use retune::legacy::rules::settings::Settings;

    fn trial(level: i64, capture_rate: f64) -> Trial {
        let mut settings = Settings::default();
        settings.set("min_signal_score", level);
        Trial { settings, metrics: LegacyMetrics { capture_rate, ..LegacyMetrics::default() }, score: 0.0 }
    }

    #[test]
    fn a_steep_step_and_a_low_rate_are_told() {
        let found = anomalies(&[trial(40, 0.6), trial(50, 0.3), trial(60, 0.05)], &AnomalyLimits::default());
        let told: Vec<_> = found.iter().map(|a| (a.kind(), a.severity(), a.figure())).collect();
        assert_eq!(
            told,
            [("capture_rate_drop", Severity::Medium, -0.3), ("capture_rate_drop", Severity::Medium, -0.25),]
        );
        assert_eq!(found[1].description(), "min_signal_score从50→60时，捕获率下降25%");
        let low = anomalies(&[trial(40, 0.1), trial(50, 0.1)], &AnomalyLimits::default());
        assert_eq!(low, [Anomaly::LowCaptureRate { value: 0.1 }]);
        assert_eq!(anomalies(&[], &AnomalyLimits::default()), []);
    }
}

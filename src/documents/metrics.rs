//! The metrics of a parameter set.

use schemars::JsonSchema;
use serde::Serialize;

use crate::evaluate::metric_table::{for_every_metric, metric_struct};
use crate::run::recall::metrics;
use crate::store::records::StoredMetrics;

for_every_metric! { metric_struct
    /// Results of a parameter set. Null is undefined (too few trades, nothing lost, ...), never zero.
    #[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
    MetricsPart
}

impl From<&StoredMetrics> for MetricsPart {
    fn from(stored: &StoredMetrics) -> Self {
        Self::from(&metrics(stored))
    }
}

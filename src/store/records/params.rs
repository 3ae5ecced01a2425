//! Active parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::METRICS_VERSION;
use super::{Invalid, ParamsRecordV1, Record, StoredMetrics, StoredParameterSet, finite};

/// The active parameters in one scope, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParamsRecord {
    /// The parameters.
    pub set: StoredParameterSet,
    /// Name of the score they were chosen by.
    pub score_name: String,
    /// That score; `None` when it was never computed (imported parameters).
    pub score: Option<f64>,
    /// What they achieved when they were adopted.
    pub metrics: StoredMetrics,
    /// Verdict of the validation they were adopted on.
    pub verdict: String,
    /// The run that activated them; assigned by the store.
    pub run: u64,
    /// When they were activated, UTC milliseconds.
    pub adopted_at_ms: i64,
    /// 1 for the first parameters of the scope, then one more each time; assigned by the store.
    pub generation: u64,
    /// How they came: `run`, `import`, `adopt`, `rollback`.
    pub source: String,
}

impl Record for ParamsRecord {
    type Earlier = ParamsRecordV1;
    const NAME: &'static str = "ParamsRecord";
    const TYPE_ID: u16 = 3;
    const VERSION: u16 = 1 + METRICS_VERSION;
    const BYTES_MAX: usize = 64 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        self.set.validate()?;
        finite("score", self.score)?;
        self.metrics.validate()
    }
}

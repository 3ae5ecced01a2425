//! What the store holds, as plain structs whose field order is the format.
//!
//! Records live apart from the model's types so that the model may change without the format changing. postcard
//! writes fields in order and without names: swapping, inserting or retyping a field is a new version of the
//! record (a frozen copy of the old struct, `From<Old>`, and a higher [`Record::VERSION`]), never an edit. No
//! serde attributes, no maps, no recursion, no zero-sized elements. Exit axes and metrics are stored by name, so that one more
//! is an entry of their tables ([`crate::model::EXIT_AXES`], [`crate::evaluate::metric_table`]).

mod carried;
mod evidence;
mod features;
mod history;
mod insights;
mod meta;
mod metrics;
mod params;
mod positional;
mod runs_before;
mod series;
mod values;
mod work;

#[cfg(any(test, fuzzing))]
pub(crate) mod samples;

pub use carried::CarriedRecord;
pub use evidence::{AssessmentRecord, AssessmentRecordV1, EvidenceRecord, EvidenceRecordV1};
pub use features::{CombinationRecord, FeaturesRecord};
pub use history::{
    CandidateRecord, ChangeRecord, DecisionRecord, FreshnessRecord, IssueRecord, ReasonRecord, RunRecord,
    RunStyleRecord, SignalsRecord, SymbolAgeRecord, TrialRecord, TrialsRecord,
};
pub use insights::{InsightsRecord, InsightsRecordV1, LessonRecord, SensitivityRecord};
pub use meta::{HeadRecord, MetaRecord};
pub use metrics::StoredMetrics;
pub use params::ParamsRecord;
pub use positional::{
    CandidateRecordV1, CombinationRecordV1, DecisionRecordV1, FeaturesRecordV1, ParamsRecordV1,
    PositionalMetrics, PositionalSet, TrialRecordV1, TrialsRecordV1,
};
pub use runs_before::{FreshnessRecordV1, IssueRecordV1, RunRecordV1, RunRecordV2, RunRecordV3};
pub use series::{
    ExtentRecord, LossRecord, OwnSetRecord, SeriesRecord, SeriesRecordV1, SurfaceCellRecord, SurfaceRecord,
    SymbolTradesRecord,
};
pub use values::{NamedNumber, StoredFilter, StoredParameterSet, StoredValue};
pub use work::{SymbolWorkRecord, WorkRecord, WorkSpanRecord};

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One type of row: how it is told apart, how large it may be, and what its values must satisfy.
pub trait Record: Serialize + DeserializeOwned + JsonSchema {
    /// The version before this one; the record itself where there was none.
    type Earlier: Record + Into<Self>;
    /// The name in the schema document.
    const NAME: &'static str;
    /// The number in the envelope; never reused.
    const TYPE_ID: u16;
    /// The frozen version of the field list; raised by any change to it. Versions after that of [`Self::Earlier`] differ in the
    /// metrics that they name.
    const VERSION: u16;
    /// The largest payload in bytes; more is an error when encoding and when decoding.
    const BYTES_MAX: usize;

    /// Checks what the types cannot say: finite numbers, capped lists.
    fn validate(&self) -> Result<(), Invalid>;
}

/// A record with a value that must not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct Invalid {
    /// The field.
    pub field: &'static str,
    /// What it has to satisfy.
    pub rule: &'static str,
}

/// Checks that every number is finite.
fn finite(field: &'static str, values: impl IntoIterator<Item = f64>) -> Result<(), Invalid> {
    match values.into_iter().all(f64::is_finite) {
        true => Ok(()),
        false => Err(Invalid { field, rule: "must be a finite number" }),
    }
}

/// Checks that a list is not longer than its cap.
fn at_most(field: &'static str, count: usize, count_max: usize) -> Result<(), Invalid> {
    match count <= count_max {
        true => Ok(()),
        false => Err(Invalid { field, rule: "must not have more entries than its cap" }),
    }
}

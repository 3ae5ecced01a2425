//! What is known about a candidate: luck, the past, the future so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, NamedNumber, Record, at_most, finite};

/// The most figures of a record.
const FIGURES_MAX: usize = 256;

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AssessmentRecord {
    /// `REAL`, `PROMISING`, `UNPROVEN`, `LIKELY_LUCK` or `NOT_ENOUGH_DATA`.
    pub assurance: String,
    /// Conditions that failed.
    pub lacks: Vec<String>,
    /// One line for people.
    pub sentence: String,
}

/// The evidence on a run's candidate. Written by the run and never changed: what `forward` figures say of the
/// parameters in force was recorded when those days had just become known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceRecord {
    /// Fingerprint of the grid that was searched.
    pub grid: [u8; 32],
    /// Parameter sets tried, all grids of the profile and those declared together.
    pub trials: u64,
    /// Is there anything at all?
    pub edge: Option<AssessmentRecord>,
    /// Is it better than what is in force?
    pub switch: Option<AssessmentRecord>,
    /// Figures by name; what is not defined is not there.
    pub figures: Vec<NamedNumber>,
}

impl EvidenceRecord {
    /// Returns a figure by its name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

impl Record for EvidenceRecord {
    type Earlier = Self;
    const NAME: &'static str = "EvidenceRecord";
    const TYPE_ID: u16 = 12;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 64 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("figures", self.figures.len(), FIGURES_MAX)?;
        finite("figures", self.figures.iter().map(|figure| figure.value))
    }
}

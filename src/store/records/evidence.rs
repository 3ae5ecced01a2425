//! What is known about a candidate: luck, the past, the future so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, NamedNumber, Record, at_most, finite};

/// The most figures of a record.
const FIGURES_MAX: usize = 256;

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AssessmentRecord {
    /// `REAL`, `PROMISING`, `UNPROVEN`, `LIKELY_LUCK`, `NOT_ENOUGH_DATA` or `UNTESTED`.
    pub assurance: String,
    /// Conditions that failed.
    pub lacks: Vec<String>,
    /// One line for people.
    pub sentence: String,
}

/// The evidence on a run's candidate. Written by the run and never changed: what `forward` figures say of the
/// active parameters was recorded when those days had just become known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceRecord {
    /// Fingerprint of the grid that was searched.
    pub grid: [u8; 32],
    /// Parameter sets tried, all grids of the profile and those declared together.
    pub trials: u64,
    /// Is there anything at all?
    pub edge: Option<AssessmentRecord>,
    /// Is it better than what is active?
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

impl AssessmentRecord {
    /// Returns the record as it is told: earlier versions called what they had not tested luck, without a sentence.
    fn told(mut self) -> Self {
        if self.sentence.trim().is_empty() {
            self.assurance = "UNTESTED".to_owned();
            self.lacks = Vec::new();
            self.sentence = "the tests against luck were left out".to_owned();
        }
        self
    }
}

impl EvidenceRecord {
    /// Returns the record as it is told; see [`AssessmentRecord`].
    pub(crate) fn told(self) -> Self {
        let told = |assessment: Option<AssessmentRecord>| assessment.map(AssessmentRecord::told);
        match self.figure("columns_tested") {
            Some(0.0) => Self { edge: told(self.edge), switch: told(self.switch), ..self },
            _ => self,
        }
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

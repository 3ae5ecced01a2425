//! What is known about a candidate: luck, the past, the future so far.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, NamedNumber, Record, at_most, finite};
use crate::validate::sharpe::DAYS_PER_YEAR;

/// The most figures of a record.
const FIGURES_MAX: usize = 256;

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AssessmentRecord {
    /// `REAL`, `PROMISING`, `UNPROVEN`, `LIKELY_LUCK`, `NOT_ENOUGH_DATA` or `UNTESTED`.
    pub assurance: String,
    /// Conditions that failed.
    pub lacks: Vec<String>,
    /// What an older program said of it; later ones say it of the figures.
    pub told: Option<String>,
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
    /// Does the rule of choice share in it?
    pub candidate: Option<AssessmentRecord>,
    /// Is it better than what is active?
    pub switch: Option<AssessmentRecord>,
    /// What forbids the candidate whatever the evidence says.
    pub vetoes: Vec<String>,
    /// Figures by name, as `study/figures.rs` lists them; what is not defined is not there.
    pub figures: Vec<NamedNumber>,
}

/// How the names of figures begin that describe a run and decide nothing: they are not kept of a run of which only the summary is.
/// Values that belong together are named by one of these, or none of them is.
const DESCRIPTIVE: [&str; 13] = [
    "weights_",
    "traded_",
    "effective_trades",
    "lost_",
    "independent_",
    "active_lost_",
    "active_independent_",
    "active_traded_",
    "uptrend_",
    "downtrend_",
    "p_regimes_alike",
    "opportunity_",
    "active_opportunity_",
];

impl EvidenceRecord {
    /// Returns what of it is kept of an older run: what was found and what decides, without what only describes.
    pub(crate) fn summary(mut self) -> Self {
        self.figures.retain(|figure| !DESCRIPTIVE.iter().any(|start| figure.name.starts_with(start)));
        self
    }

    /// Returns a figure by its name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }
}

impl Record for EvidenceRecord {
    type Earlier = EvidenceRecordV1;
    const NAME: &'static str = "EvidenceRecord";
    const TYPE_ID: u16 = 12;
    const VERSION: u16 = 2;
    const BYTES_MAX: usize = 64 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("figures", self.figures.len(), FIGURES_MAX)?;
        finite("figures", self.figures.iter().map(|figure| figure.value))
    }
}

/// An assessment of the first version, with the sentence that was said of it; as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct AssessmentRecordV1 {
    pub assurance: String,
    pub lacks: Vec<String>,
    pub sentence: String,
}

/// The first version; as it was written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct EvidenceRecordV1 {
    pub grid: [u8; 32],
    pub trials: u64,
    pub edge: Option<AssessmentRecordV1>,
    pub switch: Option<AssessmentRecordV1>,
    pub figures: Vec<NamedNumber>,
}

impl AssessmentRecordV1 {
    /// Returns the record as it is told now. Programs before called what they had not tested luck, without a sentence.
    fn renewed(self, nothing_tested: bool) -> AssessmentRecord {
        if nothing_tested && self.sentence.trim().is_empty() {
            return AssessmentRecord {
                assurance: "UNTESTED".to_owned(),
                lacks: Vec::new(),
                told: Some("the tests against luck were left out".to_owned()),
            };
        }
        let renamed = |lack: String| if lack == "SPIKE" { "ISOLATED_OPTIMUM".to_owned() } else { lack };
        AssessmentRecord {
            assurance: self.assurance,
            lacks: self.lacks.into_iter().map(renamed).collect(),
            told: Some(self.sentence),
        }
    }
}

impl From<EvidenceRecordV1> for EvidenceRecord {
    fn from(before: EvidenceRecordV1) -> Self {
        let EvidenceRecordV1 { grid, trials, edge, switch, figures } = before;
        let nothing = figures.iter().any(|figure| figure.name == "columns_tested" && figure.value == 0.0);
        let renewed =
            |assessment: Option<AssessmentRecordV1>| assessment.map(|assessment| assessment.renewed(nothing));
        let daily = figures.iter().filter_map(|figure| daily_figure(&figure.name, figure.value));
        let daily: Vec<NamedNumber> =
            daily.map(|(name, value)| NamedNumber { name: name.to_owned(), value }).collect();
        let figures = figures
            .into_iter()
            .map(|figure| NamedNumber { name: renamed_figure(&figure.name), ..figure })
            .chain(daily)
            .collect();
        let (edge, switch) = (renewed(edge), renewed(switch));
        Self { grid, trials, edge, candidate: None, switch, vetoes: Vec::new(), figures }
    }
}

/// Figures that the first version called otherwise: the beginning of the name then, and now.
const RENAMED: [(&str, &str); 10] = [
    ("luck_sharpe_year", "noise_sharpe_year"),
    ("p_luck", "p_spa"),
    ("weights_auc_in_force", "weights_auc_active"),
    ("in_force_hindsight_", "active_opportunity_"),
    ("in_force_", "active_"),
    ("hindsight_", "opportunity_"),
    ("rising_calm_", "uptrend_low_volatility_"),
    ("rising_wild_", "uptrend_high_volatility_"),
    ("falling_calm_", "downtrend_low_volatility_"),
    ("falling_wild_", "downtrend_high_volatility_"),
];

/// Returns what a figure of the first version is called now.
fn renamed_figure(name: &str) -> String {
    let known = RENAMED.iter().find_map(|(old, new)| Some((new, name.strip_prefix(old)?)));
    known.map_or_else(|| name.to_owned(), |(new, rest)| format!("{new}{rest}"))
}

/// Returns the figures that the first version kept for a year only, per day.
fn daily_figure(name: &str, value: f64) -> Option<(&'static str, f64)> {
    let daily = match name {
        "selection_optimism_year" => "selection_optimism",
        "sharpe_difference_year" => "sharpe_difference",
        _ => return None,
    };
    Some((daily, value / DAYS_PER_YEAR.sqrt()))
}

impl Record for EvidenceRecordV1 {
    type Earlier = Self;
    const NAME: &'static str = EvidenceRecord::NAME;
    const TYPE_ID: u16 = EvidenceRecord::TYPE_ID;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = EvidenceRecord::BYTES_MAX;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("figures", self.figures.len(), FIGURES_MAX)?;
        finite("figures", self.figures.iter().map(|figure| figure.value))
    }
}

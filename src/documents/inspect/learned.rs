//! What runs learned about a style besides parameters: features, insights, what mattered.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{InspectError, InspectRunDocument, Listed, require_profile};
use crate::decide::tokens::{Saving, tokens_at_most};
use crate::documents::document::Document;
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::documents::metrics::MetricsPart;
use crate::model::{Style, rfc3339};
use crate::run::lessons::{for_prompt, told_insights};
use crate::run::recall::known_evidence;
use crate::search::weights::FIGURES_PREFIX;
use crate::store::Snapshot;
use crate::store::records::{InsightsRecord, LessonRecord, NamedNumber, SensitivityRecord};

/// The last findings about the features of each style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectFeaturesDocument {
    pub profile: String,
    pub styles: BTreeMap<String, FeaturesPart>,
}

impl Document for InspectFeaturesDocument {
    const KIND: &'static str = "inspect_features";
    const VERSION: u32 = 2;
}

/// The features of a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FeaturesPart {
    pub run: u64,
    pub computed_at: String,
    /// Signals it was computed from.
    pub signals: u64,
    /// Where the weights come from.
    pub weights_name: String,
    /// Weight of each part of the signal score.
    pub weights: Vec<NamedFigurePart>,
    /// What learned weights rest on; not there where they are fixed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights_figures: Vec<NamedFigurePart>,
    pub avg_holding_hours: Option<f64>,
    pub avg_profit_pct: Option<f64>,
    /// Percent per hour.
    pub avg_density: Option<f64>,
    pub optimal_take_profit_atr: Option<f64>,
    pub optimal_stop_atr: Option<f64>,
    /// All candidates without a filter.
    pub baseline: MetricsPart,
}

/// The last insights about each style, for people.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectInsightsDocument {
    pub profile: String,
    pub styles: BTreeMap<String, InsightsPart>,
    /// What the bot's prompt is told about these styles.
    pub prompt: PromptPart,
}

impl Document for InspectInsightsDocument {
    const KIND: &'static str = "inspect_insights";
}

/// The insights of a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InsightsPart {
    pub run: u64,
    pub updated_at: String,
    /// What to look at next.
    pub focus: String,
    /// Of this run.
    pub lessons: Vec<String>,
    /// The market contexts that served best, best first.
    pub best_contexts: Vec<String>,
    /// Lessons of this run and of earlier ones, the most certain first.
    pub memory: Vec<LessonPart>,
}

/// Insights in a few words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PromptPart {
    /// A line each.
    pub text: String,
    /// What it takes at most; never over 500.
    pub tokens: u64,
    /// Lessons for which there was no room.
    pub left_out: u64,
    /// What the run's whole document (`inspect run --json`) takes, estimated; null where the run is forgotten.
    pub full_tokens: Option<u64>,
    /// Share of it that is saved, in percent.
    pub saved_pct: Option<f64>,
}

impl PromptPart {
    /// Cuts what was learned to what fits a prompt, and holds it against the newest of the runs.
    ///
    /// Errors: those of reading the store
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        records: &[(Style, InsightsRecord)],
    ) -> Result<Self, InspectError> {
        let compressed = for_prompt(records);
        let run = records.iter().map(|(_, record)| record.run).max();
        let full = match run.map(|run| InspectRunDocument::read(snapshot, profile, run)) {
            Some(Ok(document)) => serde_json::to_string(&document).ok(),
            Some(Err(InspectError::Store(error))) => return Err(error.into()),
            Some(Err(_)) | None => None,
        };
        let text = compressed.text();
        let saving = full.map(|full| Saving::measure(&full, &text));
        Ok(Self {
            tokens: tokens_at_most(&text),
            left_out: compressed.left_out as u64,
            full_tokens: saving.map(|saving| saving.full_tokens),
            saved_pct: saving.and_then(|saving| saving.ratio()).map(|ratio| 100.0 * (1.0 - ratio)),
            text,
        })
    }
}

/// The importance of each axis in the last search of each style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectImportanceDocument {
    pub profile: String,
    pub styles: BTreeMap<String, ImportancePart>,
}

impl Document for InspectImportanceDocument {
    const KIND: &'static str = "inspect_importance";
}

/// What mattered in the last search of a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ImportancePart {
    pub run: u64,
    /// The most important first.
    pub dimensions: Vec<SensitivityPart>,
}

/// A figure with its name.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NamedFigurePart {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
}

impl From<NamedNumber> for NamedFigurePart {
    fn from(NamedNumber { name, value }: NamedNumber) -> Self {
        Self { name, value }
    }
}

/// How much an axis matters.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SensitivityPart {
    /// Name of the axis.
    pub dimension: String,
    /// Share of the variance of the score that the axis explains, 0..=1.
    pub importance: f64,
    /// Mean score of its best level minus that of its worst.
    pub effect: f64,
    /// The best level.
    pub best_value: String,
}

impl From<SensitivityRecord> for SensitivityPart {
    fn from(record: SensitivityRecord) -> Self {
        let SensitivityRecord { dimension, importance, effect, best_value } = record;
        Self { dimension, importance, effect, best_value }
    }
}

/// A lesson of this run or an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LessonPart {
    /// `axis`, `context` or `verdict`.
    pub kind: String,
    /// The axis or the context; empty for the verdict.
    pub topic: String,
    /// What it says about the topic, without figures: the best level, `earns`, `loses`, the verdict.
    pub claim: String,
    /// The sentence with the newest figures.
    pub text: String,
    /// Last day of the candles that taught it first, `YYYY-MM-DD`.
    pub first_day: String,
    /// Last day of the candles that confirmed it last.
    pub last_day: String,
    /// On how many such days it was seen, the first included.
    pub confirmed: u64,
}

impl From<LessonRecord> for LessonPart {
    fn from(record: LessonRecord) -> Self {
        let LessonRecord { kind, topic, claim, text, first_day, last_day, confirmed } = record;
        Self { kind, topic, claim, text, first_day, last_day, confirmed }
    }
}

/// Reads one thing per style, of one style or all.
fn per_style<T>(
    snapshot: &Snapshot<'_>,
    profile: &str,
    style: Option<Style>,
    read: impl Fn(Style) -> Result<Option<T>, InspectError>,
) -> Result<BTreeMap<String, T>, InspectError> {
    require_profile(snapshot, profile)?;
    let mut found = BTreeMap::new();
    for style in Style::ALL.into_iter().filter(|own| style.is_none_or(|wanted| wanted == *own)) {
        if let Some(part) = read(style)? {
            found.insert(style.to_string(), part);
        }
    }
    Ok(found)
}

/// Returns every item of every style beside the name of its style.
fn flat_items<'a, P, T>(
    styles: &'a BTreeMap<String, P>,
    items: impl Fn(&'a P) -> &'a [T],
) -> Vec<(&'a str, &'a P, &'a T)> {
    let mut rows = Vec::new();
    for (style, part) in styles {
        rows.extend(items(part).iter().map(|item| (style.as_str(), part, item)));
    }
    rows
}

impl InspectFeaturesDocument {
    /// Reads what was last learned about the features.
    ///
    /// Errors: those of reading the store; an unknown profile.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, style: Option<Style>) -> Result<Self, InspectError> {
        let part = |style| {
            let Some(record) = snapshot.features(profile, style)? else { return Ok(None) };
            let evidence = snapshot.evidence(profile, record.run, style)?;
            let figures = evidence.iter().flat_map(|evidence| known_evidence(evidence).evidence.figures());
            Ok(Some(FeaturesPart {
                run: record.run,
                computed_at: rfc3339(record.computed_at_ms),
                signals: record.signals,
                weights_name: record.weights_name,
                weights: record.weights.into_iter().map(NamedFigurePart::from).collect(),
                weights_figures: figures
                    .filter(|(name, _)| name.starts_with(FIGURES_PREFIX))
                    .map(|(name, value)| NamedFigurePart { name, value })
                    .collect(),
                avg_holding_hours: record.avg_holding_hours,
                avg_profit_pct: record.avg_profit_pct,
                avg_density: record.avg_density,
                optimal_take_profit_atr: record.optimal_take_profit_atr,
                optimal_stop_atr: record.optimal_stop_atr,
                baseline: MetricsPart::from(&record.baseline),
            }))
        };
        Ok(Self { profile: profile.to_owned(), styles: per_style(snapshot, profile, style, part)? })
    }
}

impl Listed for InspectFeaturesDocument {
    fn listing(&self) -> Listing {
        Listing::of(&flat_items(&self.styles, |part| &part.weights))
            .column("style", "Style", ColumnKind::Text, |row| Cell::text(row.0))
            .column("feature", "Part of the signal score", ColumnKind::Text, |row| {
                Cell::text(row.2.name.as_str())
            })
            .column("weight", "Weight", ColumnKind::Number, |row| Cell::number(Some(row.2.value), 3))
            .more("run", "Run", ColumnKind::Number, |row| Cell::count(row.1.run))
            .done()
    }
}

impl InspectInsightsDocument {
    /// Reads what was last learned, for people.
    ///
    /// Errors: those of reading the store; an unknown profile.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, style: Option<Style>) -> Result<Self, InspectError> {
        let records = per_style(snapshot, profile, style, |style| {
            let record = snapshot.insights(profile, style)?;
            let record = record.map(|record| told_insights(snapshot, profile, style, record)).transpose()?;
            Ok(record.map(|record| (style, record)))
        })?;
        let records: Vec<(Style, InsightsRecord)> = records.into_values().collect();
        let prompt = PromptPart::read(snapshot, profile, &records)?;
        let part = |(style, record): (Style, InsightsRecord)| {
            let part = InsightsPart {
                run: record.run,
                updated_at: rfc3339(record.updated_at_ms),
                focus: record.focus,
                lessons: record.lessons,
                best_contexts: record.best_contexts,
                memory: record.memory.into_iter().map(LessonPart::from).collect(),
            };
            (style.to_string(), part)
        };
        Ok(Self { profile: profile.to_owned(), styles: records.into_iter().map(part).collect(), prompt })
    }
}

impl Listed for InspectInsightsDocument {
    fn listing(&self) -> Listing {
        Listing::of(&flat_items(&self.styles, |part| &part.lessons))
            .column("style", "Style", ColumnKind::Text, |row| Cell::text(row.0))
            .column("run", "Run", ColumnKind::Number, |row| Cell::count(row.1.run))
            .column("lesson", "Lesson", ColumnKind::Prose, |row| Cell::text(row.2.as_str()))
            .done()
    }
}

impl InspectImportanceDocument {
    /// Reads what mattered in the last search of each style.
    ///
    /// Errors: those of reading the store; an unknown profile.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, style: Option<Style>) -> Result<Self, InspectError> {
        let part = |style| {
            let found = snapshot.insights(profile, style)?;
            Ok(found.map(|record| {
                let mut dimensions = record.sensitivities;
                dimensions.sort_by(|one, other| other.importance.total_cmp(&one.importance));
                let dimensions = dimensions.into_iter().map(SensitivityPart::from).collect();
                ImportancePart { run: record.run, dimensions }
            }))
        };
        Ok(Self { profile: profile.to_owned(), styles: per_style(snapshot, profile, style, part)? })
    }
}

impl Listed for InspectImportanceDocument {
    fn listing(&self) -> Listing {
        Listing::of(&flat_items(&self.styles, |part| &part.dimensions))
            .column("style", "Style", ColumnKind::Text, |row| Cell::text(row.0))
            .column("dimension", "Axis", ColumnKind::Text, |row| Cell::text(row.2.dimension.as_str()))
            .column("importance", "Share %", ColumnKind::Number, |row| Cell::share(Some(row.2.importance)))
            .column("effect", "Best - worst", ColumnKind::Number, |row| Cell::number(Some(row.2.effect), 4))
            .column("best_value", "Best value", ColumnKind::Text, |row| Cell::text(row.2.best_value.as_str()))
            .more("run", "Run", ColumnKind::Number, |row| Cell::count(row.1.run))
            .done()
    }
}

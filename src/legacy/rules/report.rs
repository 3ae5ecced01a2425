//! What the legacy system says about saved opportunities: filter, metrics, score and validation, per style.

use serde_json::{Map, Value};

use super::capture::{Captured, capture_by_thresholds};
use super::metrics::{LegacyOpportunity, LegacyThresholds};
use super::phase4::{ValidatedOpportunity, Validation, ValidationRule, validate_style, worse_verdict};
use super::settings::Settings;
use crate::ingest::LegacyRecord;
use crate::model::Style;
use crate::validate::verdict::Verdict;

/// The parameters of a report; an empty set is the legacy's defaults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReportParams {
    general: Settings,
    by_style: [Settings; Style::COUNT],
}

impl ReportParams {
    /// Returns the parameters of a `learning_config.json`: `global`, and those of a style where it has any.
    pub fn from_config(config: &Map<String, Value>) -> Self {
        let settings = |key: &str| config.get(key).and_then(Value::as_object).map(Settings::from_json);
        let general = settings("global").unwrap_or_default();
        let of_style = |style: Style| {
            let own = settings(&format!("{style}_params")).filter(|own| !own.is_empty());
            own.unwrap_or_else(|| general.clone())
        };
        let by_style = Style::ALL.map(of_style);
        Self { general, by_style }
    }

    /// Returns the parameters of a style, or of all together.
    pub fn of(&self, style: Option<Style>) -> &Settings {
        style.map_or(&self.general, |style| &self.by_style[style.index()])
    }
}

/// Where the profits of opportunities come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProfitSources {
    /// Simulated ones (`actual_profit_pct`).
    pub actual: u64,
    /// The largest favourable move (`objective_profit`): outcomes without losers (D06).
    pub objective: u64,
    /// Nothing is known: taken as 0.
    pub none: u64,
}

impl ProfitSources {
    fn of(opportunities: &[LegacyOpportunity]) -> Self {
        let count =
            |test: fn(&LegacyOpportunity) -> bool| opportunities.iter().filter(|o| test(o)).count() as u64;
        Self {
            actual: count(|o| o.actual_profit_pct.is_some()),
            objective: count(|o| o.actual_profit_pct.is_none() && o.objective_profit.is_some()),
            none: count(|o| o.actual_profit_pct.is_none() && o.objective_profit.is_none()),
        }
    }
}

/// What the legacy says about the opportunities of one style, or about all.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeReport {
    /// `None` for all, those without a style included.
    pub style: Option<Style>,
    /// What the filter asked for.
    pub thresholds: LegacyThresholds,
    /// What the validation asked for: other keys, other defaults.
    pub rule: ValidationRule,
    /// Where profits come from.
    pub profits: ProfitSources,
    /// Opportunities with `max_potential_profit`, from which the validation values trades; the others are stop-outs
    /// (D12).
    pub with_potential: u64,
    /// What was captured, with metrics and score.
    pub captured: Captured,
    /// `None` is SKIPPED: there are no opportunities.
    pub validation: Option<Validation>,
}

impl ScopeReport {
    /// Returns the verdict of the validation.
    pub fn verdict(&self) -> Verdict {
        self.validation.map_or(Verdict::Skipped, |validation| validation.verdict)
    }
}

/// The report on a file of opportunities.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyReport {
    /// All together, then the styles.
    pub scopes: Vec<ScopeReport>,
    /// The worse verdict of the two styles.
    pub overall: Verdict,
}

/// Returns what the legacy says about opportunities with given parameters.
///
/// Cost:      O(opportunities log opportunities)
/// Source:    sections 3 and 12 of the legacy specification, defects included
pub fn opportunities_report(records: &[LegacyRecord], params: &ReportParams) -> LegacyReport {
    let scope = |style: Option<Style>| {
        let inside: Vec<&LegacyRecord> =
            records.iter().filter(|record| style.is_none() || record.style == style).collect();
        let opportunities: Vec<LegacyOpportunity> = inside.iter().map(|record| (*record).into()).collect();
        let validated: Vec<ValidatedOpportunity> = inside.iter().map(|record| (*record).into()).collect();
        let settings = params.of(style);
        let (thresholds, rule) = (settings.thresholds(), ValidationRule::of(settings));
        ScopeReport {
            style,
            thresholds,
            rule,
            profits: ProfitSources::of(&opportunities),
            with_potential: inside.iter().filter(|record| record.max_potential_profit.is_some()).count()
                as u64,
            captured: capture_by_thresholds(&opportunities, &thresholds),
            // The baseline had a key that did not exist, so the comparison with it never acted (D27).
            validation: validate_style(&validated, &rule, 0.0),
        }
    };
    let scopes = std::iter::once(None).chain(Style::ALL.map(Some)).map(scope).collect::<Vec<_>>();
    let overall =
        scopes[1..].iter().map(ScopeReport::verdict).reduce(worse_verdict).expect("there is a style");
    LegacyReport { scopes, overall }
}

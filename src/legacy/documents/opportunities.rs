//! What the legacy system says about its own opportunities.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::documents::document::{Document, number};
use crate::legacy::rules::phase4::OpportunityOutcomes;
use crate::legacy::rules::report::{LegacyReport, ScopeReport};
use crate::render::text::prose::{count_of, wrap_sentence};
use crate::render::text::table::text_table;

/// The legacy figures of a file of opportunities, defects included.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectLegacyDocument {
    pub file: String,
    /// Null where the legacy's defaults were taken.
    pub params_file: Option<String>,
    pub opportunities: u64,
    /// The worse verdict of the two styles.
    pub overall_verdict: String,
    /// `all`, then the styles.
    pub scopes: Vec<LegacyScopePart>,
}

impl Document for InspectLegacyDocument {
    const KIND: &'static str = "inspect_legacy";
}

/// The opportunities of one style, or all.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LegacyScopePart {
    /// `all`, `scalping` or `swing`
    pub scope: String,
    pub profits: LegacyProfitsPart,
    pub filter: LegacyFilterPart,
    pub metrics: LegacyMetricsPart,
    /// Layer of the filter and how many it held back; in the order in which layers first did.
    pub missed_reasons: Map<String, Value>,
    /// The legacy score; 0 to 1.35.
    pub score: f64,
    /// Null where there is nothing to validate: SKIPPED.
    pub validation: Option<LegacyValidationPart>,
    pub verdict: String,
    /// What to know before believing the figures.
    pub notes: Vec<String>,
}

/// Where the profits come from, in opportunities.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LegacyProfitsPart {
    pub actual_profit_pct: u64,
    pub objective_profit: u64,
    pub unknown: u64,
}

/// What the filter asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the legacy keys")]
pub struct LegacyFilterPart {
    pub min_signal_score: f64,
    /// Null where the key is absent: the consensus counts instead.
    pub min_consensus_score: Option<f64>,
    pub min_consensus: f64,
    pub min_risk_reward: f64,
    /// Without it the following act on nothing.
    pub enable_advanced_filters: bool,
    pub min_kline_bullish_ratio: f64,
    pub min_price_chg_pct: f64,
    pub allowed_mkt_struct: String,
    pub min_trend_age_hours: f64,
    pub max_sr_test_count: f64,
}

/// The legacy metrics of what was captured: percent, rates in [0, 1], drawdown in percentage points.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the legacy keys")]
pub struct LegacyMetricsPart {
    pub total_opportunities: u64,
    pub captured_count: u64,
    pub capture_rate: f64,
    pub avg_profit: f64,
    pub win_rate: f64,
    pub avg_win: f64,
    pub avg_loss: f64,
    /// 999 where nothing was lost.
    pub profit_loss_ratio: f64,
    pub expectancy: f64,
    pub max_drawdown: f64,
    pub win_count: u64,
    pub loss_count: u64,
    /// A constant: the legacy does not look.
    pub time_exit_rate: f64,
}

/// The legacy validation.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the legacy keys")]
pub struct LegacyValidationPart {
    pub min_indicator_consensus: f64,
    pub min_signal_score: f64,
    pub atr_stop_multiplier: f64,
    pub atr_tp_multiplier: f64,
    pub trailing_stop_enabled: bool,
    pub full_test: LegacyHalfPart,
    pub early_period: LegacyHalfPart,
    pub late_period: LegacyHalfPart,
    pub profit_degradation: f64,
    pub winrate_ratio: f64,
    pub overfitting_score: u8,
    /// 0 to 100
    pub stability_score: f64,
}

/// All opportunities of a validation, or half of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the legacy keys; percent, rates in [0, 1]")]
pub struct LegacyHalfPart {
    pub sample_count: u64,
    pub captured_count: u64,
    pub capture_rate: f64,
    pub avg_profit: f64,
    pub win_rate: f64,
    pub total_profit: f64,
}

impl From<&OpportunityOutcomes> for LegacyHalfPart {
    fn from(part: &OpportunityOutcomes) -> Self {
        Self {
            sample_count: part.sample_count,
            captured_count: part.captured_count,
            capture_rate: part.capture_rate,
            avg_profit: part.avg_profit,
            win_rate: part.win_rate,
            total_profit: part.total_profit,
        }
    }
}

impl From<&ScopeReport> for LegacyScopePart {
    fn from(scope: &ScopeReport) -> Self {
        Self {
            scope: scope.style.map_or("all", |style| style.as_str()).to_owned(),
            profits: LegacyProfitsPart {
                actual_profit_pct: scope.profits.actual,
                objective_profit: scope.profits.objective,
                unknown: scope.profits.none,
            },
            filter: filter(scope),
            metrics: metrics(scope),
            missed_reasons: missed(scope),
            score: scope.captured.score,
            validation: validation(scope),
            verdict: scope.verdict().to_string(),
            notes: notes(scope),
        }
    }
}

fn filter(scope: &ScopeReport) -> LegacyFilterPart {
    let t = &scope.thresholds;
    LegacyFilterPart {
        min_signal_score: t.min_signal_score,
        min_consensus_score: t.min_consensus_score,
        min_consensus: t.min_consensus,
        min_risk_reward: t.min_risk_reward,
        enable_advanced_filters: t.advanced,
        min_kline_bullish_ratio: t.min_kline_bullish_ratio,
        min_price_chg_pct: t.min_price_chg_pct,
        allowed_mkt_struct: if t.trend_only { "trend_only" } else { "all" }.to_owned(),
        min_trend_age_hours: t.min_trend_age_hours,
        max_sr_test_count: t.max_sr_test_count,
    }
}

fn metrics(scope: &ScopeReport) -> LegacyMetricsPart {
    let m = &scope.captured.metrics;
    LegacyMetricsPart {
        total_opportunities: m.total_opportunities,
        captured_count: m.captured_count,
        capture_rate: m.capture_rate,
        avg_profit: m.avg_profit,
        win_rate: m.win_rate,
        avg_win: m.avg_win,
        avg_loss: m.avg_loss,
        profit_loss_ratio: m.profit_loss_ratio,
        expectancy: m.expectancy,
        max_drawdown: m.max_drawdown,
        win_count: m.win_count,
        loss_count: m.loss_count,
        time_exit_rate: m.time_exit_rate(),
    }
}

fn missed(scope: &ScopeReport) -> Map<String, Value> {
    scope.captured.missed.iter().map(|(layer, count)| (layer.label().to_owned(), count.into())).collect()
}

fn validation(scope: &ScopeReport) -> Option<LegacyValidationPart> {
    let found = scope.validation.as_ref()?;
    let rule = &scope.rule;
    Some(LegacyValidationPart {
        min_indicator_consensus: rule.min_indicator_consensus,
        min_signal_score: rule.min_signal_score,
        atr_stop_multiplier: rule.exit.stop,
        atr_tp_multiplier: rule.exit.target,
        trailing_stop_enabled: rule.exit.trailing,
        full_test: (&found.full).into(),
        early_period: (&found.early).into(),
        late_period: (&found.late).into(),
        profit_degradation: found.overfitting.profit_degradation,
        winrate_ratio: found.overfitting.winrate_ratio,
        overfitting_score: found.overfitting.points,
        stability_score: found.stability,
    })
}

fn notes(scope: &ScopeReport) -> Vec<String> {
    let mut notes = Vec::new();
    let objective = scope.profits.objective;
    if objective > 0 {
        notes.push(format!(
            "for {} the profit is the largest move by hindsight",
            count_of(objective, "record")
        ));
    }
    if scope.captured.metrics.max_drawdown > 0.2 {
        notes.push(
            "the score takes the drawdown in percentage points for a fraction: profitable sets score 0"
                .into(),
        );
    }
    match &scope.validation {
        Some(found) if found.full.captured_count == 0 => notes.push(
            "the validation captured nothing (it reads indicator_consensus) and calls that PASSED".to_owned(),
        ),
        Some(_) if scope.with_potential == 0 => notes.push(
            "the validation took every trade for a stop-out: no record has max_potential_profit".to_owned(),
        ),
        Some(_) => notes.push("the validation ran on the opportunities that chose the parameters".to_owned()),
        None => {}
    }
    notes
}

impl InspectLegacyDocument {
    /// Puts a report on a file into a document.
    pub fn new(file: String, params_file: Option<String>, report: &LegacyReport) -> Self {
        let scopes: Vec<LegacyScopePart> = report.scopes.iter().map(LegacyScopePart::from).collect();
        let opportunities = scopes.first().map_or(0, |all| all.metrics.total_opportunities);
        Self { file, params_file, opportunities, overall_verdict: report.overall.to_string(), scopes }
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.file, count_of(self.opportunities, "record"));
        let from = self.params_file.as_deref().unwrap_or("the legacy defaults");
        let _ = writeln!(text, "parameters: {from}\n");
        let header =
            ["", "Found", "Captured", "Win %", "Avg %", "Ratio", "Drawdown", "Score", "Stability", "Verdict"];
        let rows: Vec<Vec<String>> = self.scopes.iter().map(LegacyScopePart::row).collect();
        let _ = writeln!(text, "{}\n", text_table(&header, &rows));
        for scope in self.scopes.iter().filter(|scope| scope.metrics.total_opportunities > 0) {
            text.push_str(&scope.details());
        }
        let _ = writeln!(text, "\nverdict of both styles: {}", self.overall_verdict);
        text
    }
}

impl LegacyScopePart {
    fn row(&self) -> Vec<String> {
        let m = &self.metrics;
        vec![
            self.scope.clone(),
            m.total_opportunities.to_string(),
            m.captured_count.to_string(),
            format!("{:.1}", 100.0 * m.win_rate),
            format!("{:.3}", m.avg_profit),
            format!("{:.2}", m.profit_loss_ratio),
            format!("{:.2}", m.max_drawdown),
            format!("{:.4}", self.score),
            self.validation
                .as_ref()
                .map_or_else(|| "-".to_owned(), |found| format!("{:.0}", found.stability_score)),
            self.verdict.clone(),
        ]
    }

    fn details(&self) -> String {
        let f = &self.filter;
        let consensus = match f.min_consensus_score {
            Some(score) => format!(
                "consensus score >= {} (else consensus >= {})",
                number(score),
                number(f.min_consensus)
            ),
            None => format!("consensus >= {}", number(f.min_consensus)),
        };
        let mut text = wrap_sentence(
            &format!("{}: ", self.scope),
            &format!(
                "score >= {}, {consensus}, risk/reward >= {}{}",
                number(f.min_signal_score),
                number(f.min_risk_reward),
                if f.enable_advanced_filters { ", advanced filters on" } else { "" }
            ),
        );
        if !self.missed_reasons.is_empty() {
            let reasons = self.missed_reasons.iter().map(|(layer, count)| format!("{layer} {count}"));
            text += &wrap_sentence("  held back: ", &reasons.collect::<Vec<_>>().join(", "));
        }
        for note in &self.notes {
            text += &wrap_sentence("  - ", note);
        }
        text
    }
}

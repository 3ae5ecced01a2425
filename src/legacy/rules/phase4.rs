//! The legacy validation: the opportunities that chose the parameters, once whole and once in two halves (D14).
//!
//! It reads `indicator_consensus`, which opportunities of the search do not have, so nothing is captured, nothing
//! degrades, and the verdict is PASSED (D09). `validate::verdict` is what judges here.

use super::settings::Settings;
use super::statistics::mean;
use super::trailing_stop::{TrailingRule, TrailingSignal, trailing_stop};
use crate::validate::verdict::Verdict;

/// What the validation reads of an opportunity.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are the keys; prices in quote currency, profit in percent")]
pub struct ValidatedOpportunity {
    /// Sorts in time as text.
    pub timestamp: String,
    pub signal_score: f64,
    /// 0 where the key is absent, whatever `consensus` says (D09).
    pub indicator_consensus: f64,
    pub entry_price: f64,
    pub atr: f64,
    /// 0 where the key is absent, as in every opportunity of production.
    pub max_potential_profit: f64,
}

/// The parameters that act in the validation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct ValidationRule {
    pub min_indicator_consensus: f64,
    pub min_signal_score: f64,
    pub exit: TrailingRule,
}

impl Default for ValidationRule {
    fn default() -> Self {
        Self { min_indicator_consensus: 2.0, min_signal_score: 85.0, exit: TrailingRule::default() }
    }
}

impl ValidationRule {
    /// Returns the rule of parameters; what is not set has the validation's own default.
    pub fn of(settings: &Settings) -> Self {
        let default = Self::default();
        let number = |key: &str, default: f64| settings.number(key).unwrap_or(default);
        Self {
            min_indicator_consensus: number("min_indicator_consensus", default.min_indicator_consensus),
            min_signal_score: number("min_signal_score", default.min_signal_score),
            exit: TrailingRule {
                stop: number("atr_stop_multiplier", default.exit.stop),
                target: number("atr_tp_multiplier", default.exit.target),
                trailing: settings.is_on("trailing_stop_enabled"),
            },
        }
    }
}

/// What a set of opportunities gave.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "the names are the keys; profits in percent, rates in [0, 1]")]
pub struct OpportunityOutcomes {
    pub captured_count: u64,
    pub capture_rate: f64,
    pub avg_profit: f64,
    pub win_rate: f64,
    pub total_profit: f64,
    pub sample_count: u64,
}

/// The validation of one style.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct Validation {
    pub full: OpportunityOutcomes,
    pub early: OpportunityOutcomes,
    pub late: OpportunityOutcomes,
    pub overfitting: Overfitting,
    /// 0..=100
    pub stability: f64,
    pub verdict: Verdict,
}

/// The comparison of the halves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overfitting {
    /// |late - early| / |early| of the average profit: an improvement degrades as well (D28).
    pub profit_degradation: f64,
    /// Late over early win rate.
    pub winrate_ratio: f64,
    /// 2 or more is overfitted.
    pub points: u8,
}

impl Overfitting {
    /// Compares average profits and win rates of the halves.
    pub fn of(early: &OpportunityOutcomes, late: &OpportunityOutcomes) -> Self {
        let profit_degradation = match (early.avg_profit, late.avg_profit) {
            (0.0, 0.0) => 0.0,
            (0.0, _) => 1.0,
            (before, after) => (after - before).abs() / before.abs(),
        };
        let winrate_ratio = if early.win_rate == 0.0 { 1.0 } else { late.win_rate / early.win_rate };
        let points = u8::from(profit_degradation > 0.3)
            + u8::from(winrate_ratio < 0.8)
            + 2 * u8::from(late.avg_profit < 0.0);
        Self { profit_degradation, winrate_ratio, points }
    }

    /// Returns whether the halves differ too much.
    pub fn is_overfitted(&self) -> bool {
        self.points >= 2
    }

    /// Returns the stability: losing everything costs 20 points only (D28), and the full average decides on 0.
    pub fn stability(&self, full_avg_profit: f64) -> f64 {
        if full_avg_profit < 0.0 {
            return 0.0;
        }
        let lost_profit =
            if self.profit_degradation > 0.1 { (20.0 * self.profit_degradation).min(50.0) } else { 0.0 };
        let lost_wins =
            if self.winrate_ratio < 0.9 { (30.0 * (1.0 - self.winrate_ratio)).min(30.0) } else { 0.0 };
        (100.0 - lost_profit - lost_wins).max(0.0)
    }
}

/// Validates the parameters of one style; `None` (SKIPPED) without opportunities.
///
/// Units:     baseline in percent per trade; production passed 0, so that the comparison never acted (D27)
/// Cost:      O(opportunities log opportunities)
/// Source:    section 12 of the legacy specification
pub fn validate_style(
    opportunities: &[ValidatedOpportunity],
    rule: &ValidationRule,
    baseline_avg_profit: f64,
) -> Option<Validation> {
    if opportunities.is_empty() {
        return None;
    }
    let mut in_time: Vec<&ValidatedOpportunity> = opportunities.iter().collect();
    let full = part(&in_time, rule);
    in_time.sort_by(|a, b| a.timestamp.cmp(&b.timestamp));
    let (early, late) = in_time.split_at(in_time.len() / 2);
    let (early, late) = (part(early, rule), part(late, rule));
    let overfitting = Overfitting::of(&early, &late);
    let stability = overfitting.stability(full.avg_profit);
    let verdict = verdict(full.avg_profit, &overfitting, stability, baseline_avg_profit);
    Some(Validation { full, early, late, overfitting, stability, verdict })
}

/// Returns the first verdict that holds.
pub fn verdict(avg_profit: f64, overfitting: &Overfitting, stability: f64, baseline: f64) -> Verdict {
    let against = (baseline > 0.0).then(|| (avg_profit - baseline) / baseline);
    match against {
        _ if avg_profit < 0.0 => Verdict::Failed,
        Some(change) if change < -0.2 => Verdict::Failed,
        _ if overfitting.is_overfitted() => Verdict::Overfitted,
        Some(change) if change < -0.1 => Verdict::Warning,
        _ if stability >= 70.0 => Verdict::Passed,
        _ if stability >= 50.0 => Verdict::Warning,
        _ => Verdict::Unstable,
    }
}

/// Returns the worse verdict of the two styles.
pub fn worse_verdict(scalping: Verdict, swing: Verdict) -> Verdict {
    if swing.severity() > scalping.severity() { swing } else { scalping }
}

fn part(opportunities: &[&ValidatedOpportunity], rule: &ValidationRule) -> OpportunityOutcomes {
    let captured = opportunities.iter().filter(|opportunity| {
        opportunity.indicator_consensus >= rule.min_indicator_consensus
            && opportunity.signal_score >= rule.min_signal_score
    });
    let profits: Vec<f64> = captured.map(|opportunity| profit_pct(opportunity, rule)).collect();
    let (count, total) = (profits.len() as f64, opportunities.len());
    let share = |part: f64, of: f64| if of == 0.0 { 0.0 } else { part / of };
    OpportunityOutcomes {
        captured_count: profits.len() as u64,
        capture_rate: share(count, total as f64),
        avg_profit: mean(profits.iter().copied()),
        win_rate: share(profits.iter().filter(|profit| **profit > 0.0).count() as f64, count),
        total_profit: profits.iter().sum(),
        sample_count: total as u64,
    }
}

fn profit_pct(opportunity: &ValidatedOpportunity, rule: &ValidationRule) -> f64 {
    let signal = TrailingSignal {
        entry_price: opportunity.entry_price,
        atr: opportunity.atr,
        max_potential_profit: opportunity.max_potential_profit,
    };
    trailing_stop(&signal, &rule.exit, None).profit_pct
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opportunity(hour: u32, consensus: f64, potential: f64) -> ValidatedOpportunity {
        ValidatedOpportunity {
            timestamp: format!("2025-11-01 {hour:02}:00:00"),
            signal_score: 90.0,
            indicator_consensus: consensus,
            entry_price: 100.0,
            atr: 1.0,
            max_potential_profit: potential,
        }
    }

    #[test]
    fn no_trades_pass_and_trades_without_potential_fail() {
        let rule = ValidationRule::default();
        let of = |consensus, potential| {
            let all: Vec<_> = (0..10).map(|hour| opportunity(hour, consensus, potential)).collect();
            validate_style(&all, &rule, 0.0)
                .map(|found| (found.full.captured_count, found.verdict, found.stability))
        };
        assert_eq!(of(0.0, 5.0), Some((0, Verdict::Passed, 100.0)));
        assert_eq!(of(3.0, 0.0), Some((10, Verdict::Failed, 0.0)));
        assert_eq!(of(3.0, 5.0), Some((10, Verdict::Passed, 100.0)));
        assert_eq!(validate_style(&[], &rule, 0.0), None);
        assert_eq!(worse_verdict(Verdict::Passed, Verdict::Skipped), Verdict::Passed);
    }
}

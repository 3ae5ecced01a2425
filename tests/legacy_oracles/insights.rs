//! The lessons of a day in a few words for the bot's prompt, and the shortening of old analyses.

use serde_json::Value;

use retune::decide::lessons::{INSIGHTS_KEPT, RECOMMENDATIONS_KEPT, WHOLE_DAYS};
use retune::model::Direction;

/// An opportunity that was not taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MissedOpportunity {
    pub coin: String,
    pub direction: Direction,
    /// Why it was not taken, in the legacy's words or any other.
    pub reason: String,
    /// What it would have earned at best, percent.
    pub potential_pct: f64,
}

/// A trade that was closed too early.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EarlyExit {
    pub coin: String,
    /// What it earned less than it could have, percent.
    pub missed_pct: f64,
}

/// How many lessons of each kind are kept.
const LESSONS_OF_A_KIND: usize = 2;
/// How much of an unknown diagnosis is kept, in characters.
const FOCUS_LENGTH: usize = 20;

/// Returns the lessons: at most two missed opportunities, two early exits and two exit lessons, in this order.
///
/// Source:    section 13 of the legacy specification
pub(crate) fn lessons(missed: &[MissedOpportunity], early: &[EarlyExit], exits: &[String]) -> Vec<String> {
    let missed = missed.iter().take(LESSONS_OF_A_KIND).map(|m| {
        let (coin, side, reason) = (&m.coin, side(m.direction), short_reason(&m.reason));
        format!("{coin} {side} +{:.0}% missed ({reason})", m.potential_pct)
    });
    let early = early.iter().take(LESSONS_OF_A_KIND);
    let early = early.map(|exit| format!("{} early exit -{:.1}%", exit.coin, exit.missed_pct));
    missed.chain(early).chain(exits.iter().take(LESSONS_OF_A_KIND).cloned()).collect()
}

fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Long => "long",
        Direction::Short => "short",
    }
}

fn short_reason(reason: &str) -> &str {
    match reason {
        reason if reason.contains("参数过严") => "strict",
        reason if reason.contains("R:R") => "R:R",
        reason => reason,
    }
}

/// Returns what to look at first, from a diagnosis: the known ones in three words, others cut.
pub(crate) fn focus(diagnosis: &str) -> String {
    match diagnosis {
        text if text.contains("胜率") => "Low win rate".to_owned(),
        text if text.contains("盈亏比") => "Low R:R ratio".to_owned(),
        text if text.contains("捕获") => "Capture rate issue".to_owned(),
        text => text.chars().take(FOCUS_LENGTH).collect(),
    }
}

/// An analysis as the bot's prompt reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Analysis {
    pub diagnosis: String,
    pub learning_insights: Vec<String>,
    pub key_recommendations: Vec<Value>,
    pub merged: bool,
}

/// Returns an analysis of so many whole days ago, cut to three insights and two recommendations after seven days.
///
/// Source:    section 13 of the legacy specification, where the result was never stored (D37)
pub(crate) fn shortened(analysis: &Analysis, days_old: i64) -> Analysis {
    if days_old <= WHOLE_DAYS {
        return analysis.clone();
    }
    Analysis {
        diagnosis: format!("[Merged {days_old}-day insights]"),
        learning_insights: analysis.learning_insights.iter().take(INSIGHTS_KEPT).cloned().collect(),
        key_recommendations: analysis
            .key_recommendations
            .iter()
            .take(RECOMMENDATIONS_KEPT)
            .cloned()
            .collect(),
        merged: true,
    }
}

//! What was learned about features, and insights, as the bot and its e-mails read them.

use serde_json::{Value, json};

use super::draft::Draft;
use super::{ActiveScopes, Object, flat_parameters, number_under_key, performance_of_style, time_text};
use crate::features::score::{ScoreTerm, ScoreWeights};
use crate::model::{ParameterSet, Style};
use crate::run::lessons::{for_prompt, told_insights};
use crate::search::space::{SCORE_WEIGHTS, weights_of};
use crate::search::weights::Weighting;
use crate::store::records::{
    CombinationRecord, FeaturesRecord, InsightsRecord, NamedNumber, SensitivityRecord, StoredParameterSet,
};
use crate::store::{Snapshot, StoreError};

/// Combinations of both styles together that are shown.
const COMBINATIONS_SHOWN: usize = 5;
/// Contexts per style that are shown.
const CONTEXTS_SHOWN: usize = 3;
/// Share of the score's variance above which a dimension is of high or medium importance.
const IMPORTANCE: [(f64, &str); 2] = [(0.1, "high"), (0.05, "medium")];

/// Features and insights of both styles.
pub(super) struct LearnedLessons {
    features: Vec<(Style, FeaturesRecord)>,
    insights: Vec<(Style, InsightsRecord)>,
}

impl LearnedLessons {
    pub(super) fn read(snapshot: &Snapshot<'_>, profile: &str) -> Result<Self, StoreError> {
        let (mut features, mut insights) = (Vec::new(), Vec::new());
        for style in Style::ALL {
            features.extend(snapshot.features(profile, style)?.map(|record| (style, record)));
            let record = snapshot.insights(profile, style)?;
            let record = record.map(|record| told_insights(snapshot, profile, style, record)).transpose()?;
            insights.extend(record.map(|record| (style, record)));
        }
        Ok(Self { features, insights })
    }

    /// Lays what was learned over the bot's file. In an imported one nothing is touched that no run has learned about: its
    /// score weights stay until others are active, and texts of the bot's own among the insights stay.
    pub(super) fn lay_over(
        &self,
        draft: &mut Draft,
        in_force: &ActiveScopes,
        generated_at: &str,
        is_imported: bool,
    ) {
        let learned = "what the last run learned";
        for (style, weights) in self.score_weights(in_force) {
            let of_set = in_force.of(style).is_some_and(|record| has_weights(&record.set));
            if of_set || !is_imported {
                let reason = "weights of the signal score under which the active parameters were chosen";
                draft.put(&[&format!("{style}_score_weights")], weights, reason);
            }
        }
        if !is_imported || !self.features.is_empty() {
            draft.put(&["phase2_learning"], self.phase2_learning(in_force), learned);
        }
        let insights = self.compressed_insights(in_force, generated_at);
        match insights {
            Value::Object(insights) if is_imported => {
                let insights = insights.into_iter().filter(|_| !self.insights.is_empty());
                insights.for_each(|(key, value)| draft.put(&["compressed_insights", &key], value, learned));
            }
            insights => draft.put(&["compressed_insights"], insights, learned),
        }
    }

    /// Returns the active score weights of the styles whose weights are known. Those that a run learned count from the
    /// day on which the parameters chosen under them are active; until then the default ones do.
    fn score_weights(&self, in_force: &ActiveScopes) -> Vec<(Style, Value)> {
        let of = |style: Style| {
            let set = in_force.of(style).and_then(|record| ParameterSet::try_from(&record.set).ok());
            let own = set.filter(|set| set.filter(SCORE_WEIGHTS).is_some());
            let own = own.and_then(|set| weights_of(&set, style));
            let record = self.features.iter().find(|(known, _)| *known == style).map(|(_, record)| record);
            let record = record.filter(|record| !record.weights.is_empty());
            let listed = match (own, record) {
                (Some(own), _) => named(&own),
                (None, Some(record)) if record.weights_name == Weighting::Learned.as_str() => {
                    named(&ScoreWeights::default_of(style))
                }
                (None, Some(record)) => record.weights.clone(),
                (None, None) => return None,
            };
            Some((style, Value::Object(weights_object(&listed))))
        };
        Style::ALL.into_iter().filter_map(of).collect()
    }

    /// Returns what the last run learned. Its history is that run: older features are not kept.
    fn phase2_learning(&self, in_force: &ActiveScopes) -> Value {
        let Some(computed_at_ms) = self.features.iter().map(|(_, record)| record.computed_at_ms).max() else {
            return json!({"latest": {}, "history": []});
        };
        let of = |style| (Style::as_str(style).to_owned(), performance_of_style(in_force.of(style)));
        let latest = json!({
            "timestamp": time_text(computed_at_ms),
            "learned_features": self.learned_features(),
            "performance": Object::from_iter(Style::ALL.map(of)),
        });
        json!({"latest": latest, "history": [latest]})
    }

    fn learned_features(&self) -> Value {
        let mut learned = Object::new();
        let mut baseline = Object::new();
        let mut exits = Object::new();
        for (style, record) in &self.features {
            let numbers = [
                ("real_holding_hours", record.avg_holding_hours),
                ("avg_density", record.avg_density),
                ("avg_profit", record.avg_profit_pct),
            ];
            learned.extend(defined_metrics(numbers).map(|(key, value)| (format!("{style}_{key}"), value)));
            learned.insert(format!("{style}_params_range"), params_range(&record.top_combinations));
            let mut best = weights_object(&record.weights);
            best.insert("name".to_owned(), json!(record.weights_name));
            learned.insert(format!("best_{style}_weights"), Value::Object(best));
            baseline.insert(style.to_string(), baseline_of(record));
            exits.extend(optimal_exit(record).map(|exit| (style.to_string(), exit)));
        }
        let thresholds = self.features.iter().filter_map(|(_, record)| record.high_density_threshold);
        let highest = thresholds.reduce(f64::max);
        learned.extend(highest.map(|value| ("high_density_threshold".to_owned(), json!(value))));
        learned.insert("top5_param_combos".to_owned(), self.top_combinations());
        learned.insert("phase1_baseline".to_owned(), Value::Object(baseline));
        learned.insert("optimal_tp_sl".to_owned(), Value::Object(exits));
        Value::Object(learned)
    }

    fn top_combinations(&self) -> Value {
        let of_style = |(style, record): &(Style, FeaturesRecord)| {
            record
                .top_combinations
                .iter()
                .map(|combination| (*style, combination.clone()))
                .collect::<Vec<_>>()
        };
        let mut all: Vec<(Style, CombinationRecord)> = self.features.iter().flat_map(of_style).collect();
        all.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
        all.truncate(COMBINATIONS_SHOWN);
        let combination = |(style, combination): (Style, CombinationRecord)| {
            let metrics = &combination.metrics;
            let mut shown = Object::new();
            shown.insert("params".to_owned(), Value::Object(flat_parameters(&combination.set)));
            shown.insert("captured_count".to_owned(), json!(metrics.trades));
            let numbers = [("capture_rate", metrics.capture_rate), ("avg_profit", metrics.expectancy_pct)];
            shown.extend(defined_metrics(numbers).map(|(key, value)| (key.to_owned(), value)));
            shown.insert("composite_score".to_owned(), json!(combination.score));
            shown.insert("name".to_owned(), json!(style.as_str()));
            Value::Object(shown)
        };
        all.into_iter().map(combination).collect()
    }

    /// Returns the insights of both styles: the lessons that fit a prompt, and what to look at first; said once where both
    /// say it.
    fn compressed_insights(&self, in_force: &ActiveScopes, generated_at: &str) -> Value {
        let newest = self.insights.iter().map(|(_, record)| record).max_by_key(|record| record.updated_at_ms);
        let today = || generated_at.chars().filter(char::is_ascii_digit).take(8).collect();
        let mut focus: Vec<&str> = Vec::new();
        for text in self.insights.iter().map(|(_, record)| record.focus.as_str()) {
            if !text.is_empty() && !focus.contains(&text) {
                focus.push(text);
            }
        }
        let of_style = |(style, record): &(Style, InsightsRecord)| {
            let contexts = &record.best_contexts[..record.best_contexts.len().min(CONTEXTS_SHOWN)];
            let insights = json!({
                "best_contexts": contexts,
                "param_sensitivity": sensitivities_object(record),
                "performance": performance_of_style(in_force.of(*style)),
                "updated_at": time_text(record.updated_at_ms),
            });
            (style.to_string(), insights)
        };
        let updated_at = newest.map_or(generated_at.to_owned(), |record| time_text(record.updated_at_ms));
        json!({
            "date": newest.map_or_else(today, |record| record.date.clone()),
            "lessons": for_prompt(&self.insights).lessons,
            "focus": focus.join("; "),
            // To the minute, as the bot writes it.
            "updated_at": updated_at.chars().take(16).collect::<String>(),
            "v8321_insights": self.insights.iter().map(of_style).collect::<Object>(),
        })
    }
}

fn has_weights(set: &StoredParameterSet) -> bool {
    set.filters.iter().any(|filter| filter.name == SCORE_WEIGHTS)
}

/// Returns the metrics that are defined.
fn defined_metrics<const N: usize>(
    numbers: [(&'static str, Option<f64>); N],
) -> impl Iterator<Item = (&'static str, Value)> {
    numbers.into_iter().filter_map(|(key, value)| Some((key, json!(value?))))
}

fn named(weights: &ScoreWeights) -> Vec<NamedNumber> {
    let named = |(term, weight): (ScoreTerm, u8)| NamedNumber {
        name: term.as_str().to_owned(),
        value: weight.into(),
    };
    weights.pairs().map(named).collect()
}

fn weights_object(weights: &[NamedNumber]) -> Object {
    let whole = |value: f64| if value.fract() == 0.0 { json!(value as i64) } else { json!(value) };
    weights.iter().map(|weight| (weight.name.clone(), whole(weight.value))).collect()
}

/// Returns the values of the exit rule among the best combinations, ascending.
fn params_range(combinations: &[CombinationRecord]) -> Value {
    let range = |key: &str, axis: &str| {
        let mut values: Vec<f64> =
            combinations.iter().filter_map(|combination| combination.set.number(axis)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values.into_iter().map(|value| number_under_key(key, value)).collect::<Value>()
    };
    json!({
        "atr_tp": range("atr_tp", "atr_tp_multiplier"),
        "atr_sl": range("atr_sl", "atr_stop_multiplier"),
        "max_holding": range("max_holding_hours", "max_holding_hours"),
    })
}

fn baseline_of(record: &FeaturesRecord) -> Value {
    let numbers = [
        ("avg_objective_profit", record.avg_profit_pct),
        ("avg_holding_hours", record.avg_holding_hours),
        ("avg_density", record.avg_density),
    ];
    let count = ("count".to_owned(), json!(record.signals));
    let numbers = defined_metrics(numbers).map(|(key, value)| (key.to_owned(), value));
    Value::Object(std::iter::once(count).chain(numbers).collect())
}

/// Returns the exit that would have served best. What it would have achieved is not known here.
fn optimal_exit(record: &FeaturesRecord) -> Option<Value> {
    Some(json!({
        "atr_tp_multiplier": record.optimal_take_profit_atr?,
        "atr_stop_multiplier": record.optimal_stop_atr?,
    }))
}

fn sensitivities_object(record: &InsightsRecord) -> Object {
    let sensitivity = |sensitivity: &SensitivityRecord| {
        let level = IMPORTANCE.iter().find(|(above, _)| sensitivity.importance > *above);
        let level = level.map_or("low", |(_, level)| level);
        (sensitivity.dimension.clone(), json!(format!("{level} ({:+.3})", sensitivity.effect)))
    };
    record.sensitivities.iter().map(sensitivity).collect()
}

//! A search result cut down to what fits a prompt, and what the legacy says that saves; `decide::tokens` measures it.

use serde_json::{Map, Value, json};

use super::anomalies::Anomaly;
use super::search::Trial;
use super::statistics::Sensitivity;
use retune::legacy::rules::settings::shortest;

/// Dollars for a token, in the legacy account.
const TOKEN_PRICE: f64 = 0.00002;
/// Tokens the legacy says each result would have taken; nothing was measured.
const CLAIMED_TOKENS_PER_RESULT: f64 = 100.0;

/// Returns the length of a value as ASCII JSON with a space after every comma and colon.
pub(crate) fn ascii_json_length(value: &Value) -> u64 {
    match value {
        Value::Null => 4,
        Value::Bool(value) => {
            if *value {
                4
            } else {
                5
            }
        }
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => whole.to_string().len() as u64,
            (_, Some(whole), _) => whole.to_string().len() as u64,
            (.., real) => shortest(real.unwrap_or(0.0)).len() as u64,
        },
        Value::String(text) => ascii_text_length(text),
        Value::Array(items) => enclosed(items.iter().map(ascii_json_length)),
        Value::Object(object) => {
            let entry =
                |(key, value): (&String, &Value)| ascii_text_length(key) + 2 + ascii_json_length(value);
            enclosed(object.iter().map(entry))
        }
    }
}

/// Returns the length of items in brackets, separated by a comma and a space.
fn enclosed(lengths: impl Iterator<Item = u64>) -> u64 {
    let (sum, count) = lengths.fold((0, 0u64), |(sum, count), length| (sum + length, count + 1));
    2 + sum + 2 * count.saturating_sub(1)
}

fn ascii_text_length(text: &str) -> u64 {
    let length = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c if c.is_ascii() => 1,
        c => 6 * c.len_utf16() as u64,
    };
    2 + text.chars().map(length).sum::<u64>()
}

/// Returns the tokens of a document as the legacy counts them: a quarter of its ASCII JSON, where every Chinese
/// character takes six bytes.
pub(crate) fn legacy_tokens(document: &Value) -> u64 {
    ascii_json_length(document) / 4
}

/// The parts of a search result that are compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchResult<'a> {
    /// Best first.
    pub ranked: &'a [&'a Trial],
    pub sensitivities: &'a [Sensitivity],
    pub insights: &'a [String],
    pub anomalies: &'a [Anomaly],
}

/// Returns the compressed result: three configurations, five sensitivities, the insights and three anomalies.
///
/// Source:    section 4 of the legacy specification
pub(crate) fn compress(result: &SearchResult<'_>) -> Value {
    let configs: Vec<Value> =
        result.ranked.iter().take(3).zip(1..).map(|(t, rank)| config(t, rank)).collect();
    let mut steepest: Vec<&Sensitivity> = result.sensitivities.iter().collect();
    steepest.sort_by(|a, b| b.avg_impact.abs().total_cmp(&a.avg_impact.abs()));
    let sensitivities: Map<String, Value> =
        steepest.iter().take(5).map(|s| (s.key.clone(), sensitivity(s))).collect();
    let anomaly = |a: &Anomaly| {
        let (kind, severity) = (a.kind(), a.severity().as_str());
        json!({"type": kind, "severity": severity, "description": a.description()})
    };
    json!({
        "top_3_configs": configs,
        "param_sensitivity_summary": sensitivities,
        "context_insights": result.insights,
        "anomalies_summary": result.anomalies.iter().take(3).map(anomaly).collect::<Vec<_>>(),
    })
}

fn sensitivity(found: &Sensitivity) -> Value {
    json!({
        "avg_impact": found.avg_impact,
        "std_impact": found.std_impact,
        "importance": found.importance.as_str(),
    })
}

fn config(trial: &Trial, rank: u64) -> Value {
    let first: Vec<String> =
        trial.settings.iter().take(3).map(|(key, value)| format!("{key}={value}")).collect();
    let nothing_captured = trial.metrics.captured_count == 0;
    json!({
        "rank": rank,
        "score": if nothing_captured { json!(trial.score) } else { legacy_number(trial.score) },
        "params_summary": format!("{}...", first.join(", ")),
        "metrics": metrics(trial),
    })
}

/// Returns the metrics the legacy reports of a configuration.
fn metrics(trial: &Trial) -> Value {
    let m = &trial.metrics;
    if m.captured_count == 0 {
        let keys = ["avg_win", "avg_loss", "profit_loss_ratio", "expectancy", "max_drawdown"];
        let first = ["capture_rate", "avg_profit", "win_rate", "time_exit_rate"].map(|key| (key, json!(0.0)));
        let all = first.into_iter().chain(keys.map(|key| (key, json!(0))));
        return all.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into();
    }
    json!({
        "capture_rate": m.capture_rate,
        "avg_profit": m.avg_profit,
        "win_rate": m.win_rate,
        "time_exit_rate": m.time_exit_rate(),
        "avg_win": if m.win_count == 0 { json!(0) } else { json!(m.avg_win) },
        "avg_loss": if m.loss_count == 0 { json!(0) } else { json!(m.avg_loss) },
        "profit_loss_ratio": legacy_number(m.profit_loss_ratio),
        "expectancy": m.expectancy,
        "max_drawdown": legacy_number(m.max_drawdown),
    })
}

/// Returns a figure as the legacy writes it where a constant may stand for it: `0` and `999` without fraction.
fn legacy_number(value: f64) -> Value {
    if value == 0.0 || value == 999.0 { json!(value as i64) } else { json!(value) }
}

/// Returns the dollars the legacy says a compression saved over results; it counts tokens nobody would have sent.
pub(crate) fn legacy_cost_saved(results: usize, compressed: &Value) -> f64 {
    (CLAIMED_TOKENS_PER_RESULT * results as f64 - legacy_tokens(compressed) as f64) * TOKEN_PRICE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_that_of_ascii_json() {
        for (value, text) in [
            (json!({"a": 1, "b": [1.5, null, true]}), r#"{"a": 1, "b": [1.5, null, true]}"#),
            (json!("阳\"\n"), r#""\u9633\"\n""#),
            (json!("💡"), r#""\ud83d\udca1""#),
            (json!([]), "[]"),
            (json!({}), "{}"),
            (json!([1e-5, 2.0]), "[1e-05, 2.0]"),
        ] {
            assert_eq!(ascii_json_length(&value), text.len() as u64, "{text}");
        }
    }
}

//! What writing the bot's file would change in it, value by value, with the reason of each.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::BotFile;
use crate::bot::keys::CACHES;
use crate::ingest::{ExactNumbers, LegacyConfig, place_of_item, place_of_key};
use crate::model::rfc3339;

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BotFileDifference {
    /// Where, such as `global.scalping_params.max_leverage` or `per_symbol["BTC/USDT:USDT"]`.
    pub place: String,
    /// What the file holds, as JSON; null where the key is new.
    pub old: Option<String>,
    /// What would be written, as JSON; null where the key goes.
    pub new: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether it is the reason to write the file: the time of writing is not, nor is a cache that goes.
    pub is_due: bool,
}

/// Returns what differs between a file and what would be written, in the order of the new file; then what goes.
pub fn find_differences(found: &LegacyConfig, wanted: &BotFile) -> Vec<BotFileDifference> {
    let mut comparison = Comparison { found, wanted, differing: Vec::new() };
    let old = Value::Object(found.document.clone());
    comparison.compare("", Some(&old), Some(&wanted.document));
    comparison.differing
}

struct Comparison<'a> {
    found: &'a LegacyConfig,
    wanted: &'a BotFile,
    differing: Vec<BotFileDifference>,
}

impl Comparison<'_> {
    fn compare(&mut self, place: &str, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                for (key, value) in new {
                    self.compare(&place_of_key(place, key), old.get(key), Some(value));
                }
                for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
                    self.compare(&place_of_key(place, key), Some(value), None);
                }
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.compare(&place_of_item(place, index), Some(old), Some(new));
                }
            }
            _ => self.compare_leaves(place, old, new),
        }
    }

    fn compare_leaves(&mut self, place: &str, old: Option<&Value>, new: Option<&Value>) {
        let is_bare = self.found.bare_words.iter().any(|bare| bare == place);
        let old = old.map(|value| match is_bare {
            true => "NaN or Infinity".to_owned(),
            false => shown_value(place, value, &self.found.exact),
        });
        let new = new.map(|value| shown_value(place, value, &self.wanted.exact));
        if old == new {
            return;
        }
        let is_due = place != "last_update" && !CACHES.contains(&place);
        let reason = match is_bare && new.as_deref() == Some("null") {
            true => "no JSON".to_owned(),
            false => self.reason(place, new.is_some()),
        };
        self.differing.push(BotFileDifference { place: place.to_owned(), old, new, reason, is_due });
    }

    /// Returns the reason at the nearest place above.
    fn reason(&self, place: &str, is_written: bool) -> String {
        if CACHES.contains(&place) && !is_written {
            return "a cache that nothing reads".to_owned();
        }
        let is_above = |above: &str| {
            place.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let reasons = self.wanted.reasons.iter().filter(|(above, _)| is_above(above));
        match (reasons.max_by_key(|(above, _)| above.len()), self.wanted.imported_at_ms) {
            (Some((_, reason)), _) => reason.clone(),
            (None, Some(at_ms)) if is_written => format!("as imported on {}", rfc3339(at_ms)),
            (None, Some(at_ms)) => format!("not in what was imported on {}", rfc3339(at_ms)),
            (None, None) if is_written => "a default of the bot: no file was imported".to_owned(),
            (None, None) => "not among the bot's defaults: no file was imported".to_owned(),
        }
    }
}

/// Returns a value as JSON, a number as it is written.
fn shown_value(place: &str, value: &Value, exact: &ExactNumbers) -> String {
    if value.is_number() { exact.text(place, value) } else { value.to_string() }
}

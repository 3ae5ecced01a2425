//! A strategy's parameter file as it is, and as an export leaves it.

use serde_json::{Map, Value, json};

use super::equality::{is_whole, same, same_space};
use crate::model::rfc3339;

/// Version of the file's form; 1 since 2021.
const FORM: i64 = 1;
/// Our own key: which set it is, for those who ask later. freqtrade reads past it.
const OWN_KEY: &str = "retune";

/// Why a file is left alone.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsFileError {
    /// It cannot be read.
    #[error("expected a strategy's parameter file as JSON, found what cannot be read: {0}")]
    NoJson(String),
    /// Its form is another.
    #[error("{place}: expected {expected}, found {found}")]
    Form {
        /// Where it stands.
        place: String,
        /// What can stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
}

/// A strategy's parameter file.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamsFile {
    document: Map<String, Value>,
}

/// One value that differs between two files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ParamsChange {
    /// Where it stands: `space.parameter`.
    pub place: String,
    /// As it is now, as JSON; `null` where it is not there.
    pub old: Option<String>,
    /// As it would be.
    pub new: Option<String>,
}

impl ParamsFile {
    /// Returns the file of a strategy of which nothing is known.
    pub fn new(strategy: &str) -> Self {
        let document = json!({ "strategy_name": strategy, "params": {}, "ft_stratparam_v": FORM });
        Self { document: document.as_object().cloned().unwrap_or_default() }
    }

    /// Reads a file of a strategy.
    ///
    /// Errors: no JSON (NaN is none: freqtrade writes it, and what stands there cannot be kept), another strategy, another form
    pub fn parse(bytes: &[u8], strategy: &str) -> Result<Self, ParamsFileError> {
        let document: Value =
            serde_json::from_slice(bytes).map_err(|error| ParamsFileError::NoJson(error.to_string()))?;
        let form = |place: &str, expected: &str, found: &Value| ParamsFileError::Form {
            place: place.to_owned(),
            expected: expected.to_owned(),
            found: shortened(found),
        };
        let Value::Object(document) = document else { return Err(form("the file", "an object", &document)) };
        let name = document.get("strategy_name").unwrap_or(&Value::Null);
        if name.as_str() != Some(strategy) {
            return Err(form("strategy_name", &format!("{strategy:?}, the strategy asked for"), name));
        }
        let version = document.get("ft_stratparam_v").unwrap_or(&Value::Null);
        if !version.is_null() && version.as_i64() != Some(FORM) {
            return Err(form("ft_stratparam_v", "1, the only form known here", version));
        }
        match document.get("params") {
            None | Some(Value::Null) => {}
            Some(Value::Object(params)) => {
                if let Some((space, found)) = params.iter().find(|(_, space)| !space.is_object()) {
                    return Err(form(&format!("params.{space}"), "an object", found));
                }
            }
            Some(found) => return Err(form("params", "an object", found)),
        }
        Ok(Self { document })
    }

    /// Returns the file with the spaces of a set in it: parameters that are mapped are replaced, all others stay; `roi`, `stoploss` and
    /// `trailing` are replaced whole, since what stays of an older one would be another exit. What says the same already stays as it is
    /// written.
    pub fn with(&self, spaces: &Map<String, Value>) -> Self {
        let mut document = self.document.clone();
        let params = document.entry("params").or_insert_with(|| json!({}));
        if !params.is_object() {
            *params = json!({});
        }
        for (space, values) in spaces {
            let Some(own) = params.as_object_mut() else { continue };
            match (own.get_mut(space).and_then(Value::as_object_mut), values) {
                (Some(old), new) if is_whole(space) && same_space(space, old, new) => {}
                (Some(old), Value::Object(new)) if !is_whole(space) => {
                    for (name, value) in new {
                        if !old.get(name).is_some_and(|old| same(old, value)) {
                            old.insert(name.clone(), value.clone());
                        }
                    }
                }
                _ => drop(own.insert(space.clone(), values.clone())),
            }
        }
        Self { document }
    }

    /// Returns what of the spaces differs from another file, place by place.
    pub fn changes_to(&self, other: &Self) -> Vec<ParamsChange> {
        let (old, new) = (self.places(), other.places());
        let value = |places: &[(String, String)], place: &str| {
            places.iter().find(|(own, _)| own == place).map(|(_, value)| value.clone())
        };
        let gone = old.iter().filter(|(place, _)| value(&new, place).is_none());
        let places = new.iter().chain(gone).map(|(place, _)| place);
        let changes = places.map(|place| ParamsChange {
            place: place.clone(),
            old: value(&old, place),
            new: value(&new, place),
        });
        changes.filter(|change| change.old != change.new).collect()
    }

    /// Returns whether an export wrote it last: who writes the whole file anew, as a hyperopt does, leaves our key out.
    pub fn is_ours(&self) -> bool {
        self.document.contains_key(OWN_KEY)
    }

    /// Returns the short name of the set that an export wrote.
    pub(super) fn params_id(&self) -> Option<&str> {
        self.document.get(OWN_KEY)?.get("params_id")?.as_str()
    }

    /// Returns a space of parameters.
    pub(super) fn space(&self, space: &str) -> Option<&Map<String, Value>> {
        self.document.get("params")?.get(space)?.as_object()
    }

    /// Returns a parameter of a space.
    pub(super) fn value(&self, space: &str, name: &str) -> Option<&Value> {
        self.space(space)?.get(name)
    }

    /// Returns the places that an export of these spaces does not write.
    pub(super) fn places_beside(&self, owned: &Map<String, Value>) -> Vec<String> {
        let is_owned = |space: &str, name: &str| {
            owned.get(space).is_some_and(|own| is_whole(space) || own.get(name).is_some())
        };
        let params = self.document.get("params").and_then(Value::as_object);
        let of_space = |(space, values): (&String, &Value)| {
            let names = values.as_object().into_iter().flat_map(Map::keys);
            let beside = names.filter(|name| !is_owned(space, name));
            beside.map(|name| format!("{space}.{name}")).collect::<Vec<_>>()
        };
        params.into_iter().flatten().flat_map(of_space).collect()
    }

    /// Returns the stop of the file; a ratio of the stake, below 0.
    pub fn stop(&self) -> Option<f64> {
        self.document.get("params")?.get("stoploss")?.get("stoploss")?.as_f64()
    }

    /// Returns the file as it is written: named, dated, and marked with the set it holds.
    pub fn text(&self, params_id: &str, active_since_ms: i64, now_ms: i64) -> String {
        let mut document = self.document.clone();
        document.insert("ft_stratparam_v".to_owned(), json!(FORM));
        let stamp = rfc3339(now_ms).replace('T', " ").replace('Z', "+00:00");
        document.insert("export_time".to_owned(), json!(stamp));
        let own = json!({ "params_id": params_id, "active_since": rfc3339(active_since_ms) });
        document.insert(OWN_KEY.to_owned(), own);
        let mut text = serde_json::to_string_pretty(&Value::Object(document)).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns the parameters by place, as JSON.
    fn places(&self) -> Vec<(String, String)> {
        let params = self.document.get("params").and_then(Value::as_object);
        let spaces = params.into_iter().flatten();
        let of_space = |(space, values): (&String, &Value)| {
            let named = |(name, value): (&String, &Value)| (format!("{space}.{name}"), value.to_string());
            values.as_object().into_iter().flatten().map(named).collect::<Vec<_>>()
        };
        spaces.flat_map(of_space).collect()
    }
}

/// Returns whether Python source has the class of a strategy.
pub fn class_in(source: &str, strategy: &str) -> bool {
    source.lines().any(|line| {
        let rest = line.strip_prefix("class ").map(str::trim_start);
        let rest = rest.and_then(|rest| rest.strip_prefix(strategy)).map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with('(') || rest.starts_with(':'))
    })
}

pub(super) fn shortened(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a hyperopt of freqtrade 2026.9 writes it.
    const WRITTEN: &str = r#"{
  "strategy_name": "DemoStrat",
  "params": {
    "buy": { "buy_rsi": 40, "buy_vol": 2.6, "use_trend": true },
    "sell": { "mode": "a", "sell_rsi": 77 },
    "roi": { "0": 0.207, "75": 0.116, "123": 0.016, "298": 0 },
    "stoploss": { "stoploss": -0.131 },
    "max_open_trades": { "max_open_trades": 10 }
  },
  "ft_stratparam_v": 1,
  "export_time": "2026-11-30 02:41:16.924200+00:00"
}"#;

    fn spaces(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn what_is_not_mapped_stays_and_exits_are_replaced_whole() {
        let file = ParamsFile::parse(WRITTEN.as_bytes(), "DemoStrat").expect("a file");
        let new = file
            .with(&spaces(json!({ "buy": { "buy_rsi": 35 }, "roi": { "0": 0.04 }, "entry": { "x": 1 } })));
        let changes: Vec<(String, Option<String>, Option<String>)> =
            file.changes_to(&new).into_iter().map(|change| (change.place, change.old, change.new)).collect();
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            ("buy.buy_rsi".to_owned(), some("40"), some("35")),
            ("roi.0".to_owned(), some("0.207"), some("0.04")),
            ("entry.x".to_owned(), None, some("1")),
            ("roi.75".to_owned(), some("0.116"), None),
            ("roi.123".to_owned(), some("0.016"), None),
            ("roi.298".to_owned(), some("0"), None),
        ];
        assert_eq!(changes, expected);
        assert_eq!((file.stop(), new.stop()), (Some(-0.131), Some(-0.131)));
        let text = new.text("abc", 0, 1_796_006_476_924);
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["params"]["sell"], json!({ "mode": "a", "sell_rsi": 77 }));
        assert_eq!(read["params"]["max_open_trades"]["max_open_trades"], 10);
        assert_eq!((&read["ft_stratparam_v"], &read["retune"]["params_id"]), (&json!(1), &json!("abc")));
        assert!(
            read["export_time"].as_str().is_some_and(|time| time.ends_with("+00:00") && !time.contains('T'))
        );
        assert_eq!(ParamsFile::parse(text.as_bytes(), "DemoStrat").expect("our own").changes_to(&new), []);
    }

    #[test]
    fn a_file_of_another_strategy_or_form_is_left_alone() {
        let cases = [
            (WRITTEN.to_owned(), "Other", "strategy_name: expected \"Other\""),
            (
                WRITTEN.replace("\"ft_stratparam_v\": 1", "\"ft_stratparam_v\": 2"),
                "DemoStrat",
                "ft_stratparam_v: expected 1",
            ),
            (WRITTEN.replace("-0.131", "NaN"), "DemoStrat", "cannot be read"),
            (
                WRITTEN.replace("{ \"stoploss\": -0.131 }", "-0.131"),
                "DemoStrat",
                "params.stoploss: expected an object, found -0.131",
            ),
            ("[]".to_owned(), "DemoStrat", "the file: expected an object"),
            (
                "{}".to_owned(),
                "DemoStrat",
                "strategy_name: expected \"DemoStrat\", the strategy asked for, found null",
            ),
        ];
        for (text, strategy, expected) in cases {
            let error = ParamsFile::parse(text.as_bytes(), strategy).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(ParamsFile::new("A").changes_to(&ParamsFile::new("A")), []);
    }

    #[test]
    fn a_class_is_found_by_its_whole_name() {
        let source = "import x\nclass DemoStrat (IStrategy):\n    pass\nclass Bare:\n    pass\n";
        assert!(class_in(source, "DemoStrat") && class_in(source, "Bare"));
        assert!(!class_in(source, "Demo") && !class_in(source, "Strat") && !class_in("# class A(B):", "A"));
    }
}

//! What two files of a strategy say the same with: freqtrade reads 40 and 40.0, and a trailing stop that is off, as one thing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Significant digits of what is converted: enough for every fee, and no noise of binary fractions.
const DIGITS: usize = 10;

/// Spaces that are one thing: what stays of an older one would be another exit.
const WHOLE_SPACES: [&str; 3] = ["roi", "stoploss", "trailing"];

/// Returns whether a space is replaced whole.
pub(super) fn is_whole(space: &str) -> bool {
    WHOLE_SPACES.contains(&space)
}

/// Rounds to so many significant digits.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.DIGITS$e}").parse().unwrap_or(value)
}

/// Returns whether two values are the same to freqtrade.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| rounded(a) == rounded(b))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Returns whether two versions of a space that is one thing act the same.
pub(super) fn same_space(space: &str, a: &Map<String, Value>, b: &Value) -> bool {
    let b = b.as_object().cloned().unwrap_or_default();
    same(&acting(space, a), &acting(space, &b))
}

/// Returns a space without what does not act, and with what freqtrade fills in.
fn acting(space: &str, own: &Map<String, Value>) -> Value {
    match space {
        // Rows by their minute, however it is written.
        "roi" => {
            let minute = |key: &String| key.trim().parse::<u64>().ok().map(|minute| minute.to_string());
            let rows: BTreeMap<String, Value> = own
                .iter()
                .map(|(key, target)| (minute(key).unwrap_or_else(|| key.clone()), target.clone()))
                .collect();
            json!(rows)
        }
        "trailing" if own.get("trailing_stop") != Some(&Value::Bool(true)) => {
            json!({ "trailing_stop": false })
        }
        "trailing" => {
            let filled = [
                ("trailing_stop_positive", Value::Null),
                ("trailing_stop_positive_offset", json!(0.0)),
                ("trailing_only_offset_is_reached", json!(false)),
            ];
            let mut own = own.clone();
            for (key, value) in filled {
                let is_there = own.get(key).is_some_and(|found| !found.is_null());
                if !is_there {
                    own.insert(key.to_owned(), value);
                }
            }
            Value::Object(own)
        }
        _ => Value::Object(own.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_without_the_noise_of_binary_fractions() {
        assert_eq!(rounded(0.1 + 0.2), 0.3);
        assert_eq!(rounded(-0.131), -0.131);
        assert_eq!(rounded(0.0), 0.0);
    }

    #[test]
    fn what_acts_the_same_is_the_same() {
        let cases = [
            ("stoploss", json!({ "stoploss": -0.1 }), json!({ "stoploss": -0.100000000000001 }), true),
            ("stoploss", json!({ "stoploss": -0.1 }), json!({ "stoploss": -0.11 }), false),
            ("roi", json!({ "0": 0.04, "060": 0 }), json!({ "60": 0.0, "0": 0.04 }), true),
            ("roi", json!({ "0": 0.04, "60": 0 }), json!({ "0": 0.04 }), false),
            (
                "trailing",
                json!({ "trailing_stop": false, "trailing_stop_positive": 0.2 }),
                json!({ "trailing_stop": false }),
                true,
            ),
            (
                "trailing",
                json!({ "trailing_stop": true, "trailing_stop_positive": 0.02 }),
                json!({
                    "trailing_stop": true, "trailing_stop_positive": 0.02, "trailing_stop_positive_offset": 0,
                    "trailing_only_offset_is_reached": false,
                }),
                true,
            ),
            (
                "trailing",
                json!({ "trailing_stop": true }),
                json!({ "trailing_stop": true, "trailing_stop_positive": 0.02 }),
                false,
            ),
        ];
        for (space, a, b, expected) in cases {
            let object = a.as_object().expect("an object");
            assert_eq!(same_space(space, object, &b), expected, "{a} {b}");
        }
        assert!(same(&json!(40), &json!(40.0)) && same(&json!([1, "a"]), &json!([1.0, "a"])));
        assert!(
            !same(&json!(1), &json!(true)) && !same(&json!("1"), &json!(1)) && !same(&json!([1]), &json!([]))
        );
    }
}

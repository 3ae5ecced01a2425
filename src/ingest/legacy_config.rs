//! The configuration the legacy bot reads, `learning_config.json`: nothing of it may change by being read and written.
//!
//! The bot is written in Python, whose numbers have any length and whose files may hold bare `NaN` and `Infinity`. Numbers
//! that a double cannot give back as they were written are kept as text beside the document; what is not JSON becomes null
//! and is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::legacy_opportunities::{LegacyOpportunitiesError, bytes_of, with_words_for};
use crate::model::excerpt;

/// What a word that is not JSON is written as while its place is looked for.
const PLACE_OF_WORD: &[u8] = b"\"\\u0001bare\"";
/// The same as it is read.
const PLACE_OF_WORD_READ: &str = "\u{1}bare";

/// A configuration as it was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LegacyConfig {
    /// The document; null where no JSON stood.
    pub document: Map<String, Value>,
    /// The same as text, each number as it was written.
    pub json: String,
    /// Numbers as they were written.
    pub exact: ExactNumbers,
    /// Places of `NaN`, `Infinity` and `-Infinity`, which are not JSON.
    pub bare_words: Vec<String>,
    /// Places of keys that an object has twice; the last counts, as in Python.
    pub repeated: Vec<String>,
    /// The blake3 hash of the file's bytes, in hexadecimal digits.
    pub hash: String,
}

/// Numbers as they were written, where a double would be written otherwise; by their place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExactNumbers(BTreeMap<String, String>);

impl ExactNumbers {
    /// Returns the exact numbers of a JSON text; none of what is no JSON.
    pub fn of(json: &str) -> Self {
        let mut numbers = BTreeMap::new();
        walk_json(json, "", &mut |place, leaf| note_number(place, leaf, &mut numbers));
        Self(numbers)
    }

    /// Returns a value as JSON text: as it was written where it is still what was written at this place.
    pub fn text(&self, place: &str, value: &Value) -> String {
        let written = self.0.get(place).filter(|text| {
            value.is_number() && serde_json::from_str::<Value>(text).is_ok_and(|read| read == *value)
        });
        written.cloned().unwrap_or_else(|| value.to_string())
    }
}

/// Returns the place of a key below another place: `global.scalping_params`, `per_symbol["BTC/USDT:USDT"]`.
pub fn place_of_key(place: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
    match (plain, place.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{place}.{key}"),
        (false, _) => format!("{place}[{}]", Value::from(key)),
    }
}

/// Returns the place of an item of a list: `lessons[2]`.
pub fn place_of_item(place: &str, index: usize) -> String {
    format!("{place}[{index}]")
}

/// Reads a configuration; a byte order mark is skipped.
///
/// Errors:    [`LegacyOpportunitiesError`] for a file that cannot be read or is no object
pub fn read_legacy_config(path: &Path) -> Result<LegacyConfig, LegacyOpportunitiesError> {
    parse_legacy_config(&bytes_of(path)?, path)
}

/// Parses the bytes of a configuration; the path is for errors only. See [`read_legacy_config`].
pub fn parse_legacy_config(bytes: &[u8], path: &Path) -> Result<LegacyConfig, LegacyOpportunitiesError> {
    let wrong = |detail: String| LegacyOpportunitiesError::Config { path: path.to_owned(), detail };
    let hash = blake3::hash(bytes).to_hex().to_string();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(wrong("UTF-16 text; save it as UTF-8".to_owned()));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(wrong(format!("bytes that are no UTF-8 text at {}", error.valid_up_to())));
    }
    let clean = with_words_for(bytes, b"null");
    let json = String::from_utf8_lossy(&clean).trim().to_owned();
    let document: Map<String, Value> =
        serde_json::from_slice(&clean).map_err(|error| wrong(excerpt(&error.to_string()).into_owned()))?;
    let (mut numbers, mut repeated, mut bare_words) = (BTreeMap::new(), Vec::new(), Vec::new());
    walk_json(&json, "", &mut |place, leaf| match leaf {
        Leaf::Repeated => repeated.push(place.to_owned()),
        leaf => note_number(place, leaf, &mut numbers),
    });
    if clean.as_ref() != bytes {
        let marked = String::from_utf8_lossy(&with_words_for(bytes, PLACE_OF_WORD)).into_owned();
        walk_json(&marked, "", &mut |place, leaf| {
            bare_words.extend(matches!(leaf, Leaf::Text(PLACE_OF_WORD_READ)).then(|| place.to_owned()));
        });
    }
    Ok(LegacyConfig { document, json, exact: ExactNumbers(numbers), bare_words, repeated, hash })
}

/// What is met on the way through a JSON text.
enum Leaf<'a> {
    Number(&'a str),
    Text(&'a str),
    /// A key that was there before.
    Repeated,
}

fn note_number(place: &str, leaf: Leaf<'_>, numbers: &mut BTreeMap<String, String>) {
    let Leaf::Number(text) = leaf else { return };
    let again = serde_json::from_str::<Value>(text).map(|value| value.to_string());
    match again {
        Ok(again) if again == text => drop(numbers.remove(place)),
        _ => drop(numbers.insert(place.to_owned(), text.to_owned())),
    }
}

/// Shows every leaf of a JSON text with its place. The text was parsed before, which bounds its depth.
fn walk_json(json: &str, place: &str, show: &mut dyn FnMut(&str, Leaf<'_>)) {
    match json.trim_start().as_bytes().first() {
        Some(b'{') => {
            let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_>>(json) else { return };
            let mut seen = BTreeSet::new();
            for (key, value) in pairs {
                let place = place_of_key(place, &key);
                if !seen.insert(key) {
                    show(&place, Leaf::Repeated);
                }
                walk_json(value.get(), &place, show);
            }
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            items
                .iter()
                .enumerate()
                .for_each(|(i, item)| walk_json(item.get(), &place_of_item(place, i), show));
        }
        Some(b'-' | b'0'..=b'9') => show(place, Leaf::Number(json)),
        Some(b'"') => {
            if let Ok(text) = serde_json::from_str::<String>(json) {
                show(place, Leaf::Text(&text));
            }
        }
        _ => {}
    }
}

/// Keys and values of an object, all of them, in their order.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = object.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// Returns an object's JSON text with some of its keys only, every value as it was written.
pub fn with_keys(json: &str, keep: impl Fn(&str) -> bool) -> String {
    let Ok(Pairs(pairs)) = serde_json::from_str::<Pairs<'_>>(json) else { return json.to_owned() };
    let written =
        |(key, value): &(String, &RawValue)| format!("{}:{}", Value::from(key.as_str()), value.get());
    let kept: Vec<String> = pairs.iter().filter(|(key, _)| keep(key)).map(written).collect();
    format!("{{{}}}", kept.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> LegacyConfig {
        parse_legacy_config(text.as_bytes(), Path::new("a.json")).expect("an object")
    }

    #[test]
    fn numbers_stay_as_they_were_written_and_what_is_no_json_is_named() {
        let text = "\u{feff} {\"a\": 12345678901234567890123, \"b\": [1.0, 1e-8, NaN, {\"x/y\": -Infinity}], \
                    \"c\": \"NaN\", \"d\": 0.1000000000000000055511151231257827, \"c\": 7} ";
        let read = parse(text);
        assert_eq!(read.bare_words, ["b[2]", "b[3][\"x/y\"]"]);
        assert_eq!(read.repeated, ["c"]);
        assert_eq!(read.document["c"], 7);
        for (place, value, written) in [
            ("a", &read.document["a"], "12345678901234567890123"),
            ("b[0]", &read.document["b"][0], "1.0"),
            ("b[1]", &read.document["b"][1], "1e-8"),
            ("d", &read.document["d"], "0.1000000000000000055511151231257827"),
            ("a", &read.document["b"][0], "1.0"),
        ] {
            assert_eq!(read.exact.text(place, value), written);
            assert_eq!(ExactNumbers::of(&read.json).text(place, value), written);
        }
        let kept = with_keys(&read.json, |key| key != "b" && key != "c");
        assert_eq!(kept, "{\"a\":12345678901234567890123,\"d\":0.1000000000000000055511151231257827}");
    }

    #[test]
    fn other_text_is_named() {
        for (bytes, said) in [
            (&b"\xff\xfe{\0}\0"[..], "UTF-16 text; save it as UTF-8"),
            (b"{\"a\": \"\xff\"}", "no UTF-8 text at 7"),
            (b"[1]", "expected a map"),
            (b"{\"a\": 1e999}", "number out of range at line 1"),
        ] {
            let error = parse_legacy_config(bytes, Path::new("a.json")).expect_err("refused").to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_number_comes_back(digits in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?") {
            let read = parse(&format!("{{\"n\": {digits}}}"));
            prop_assert_eq!(read.exact.text("n", &read.document["n"]), digits);
        }
    }
}

//! The opportunities the legacy system saved as JSON.
//!
//! Read are a list of opportunities, and objects that hold such lists by style, plain or under `opportunities`.
//! The legacy writes bare `NaN` and `Infinity`, which are not JSON: they are taken for null. Other keys (snapshots,
//! names, caches) are skipped. Records are read one by one, so that an error names its record.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::opening::read_whole;
use crate::model::{Direction, Style, excerpt};

/// The largest file that is read.
pub const LEGACY_FILE_BYTES_MAX: u64 = 256 << 20;

/// Why a file of legacy opportunities cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyOpportunitiesError {
    /// The file is not there or refuses to be read.
    #[error("cannot read `{}`; check the path and that this user may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error(
        "`{}`: expected at most {} MiB, found more; split the file",
        path.display(), LEGACY_FILE_BYTES_MAX >> 20
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The text is not the JSON of opportunities.
    #[error("`{}`: expected legacy opportunities, found otherwise at {place}: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// List and record.
        place: RecordPlace,
        /// What was expected and found, with line and column.
        detail: String,
    },
    /// The text is not a JSON object.
    #[error(
        "`{}`: expected a JSON object such as `learning_config.json`, found otherwise: {detail}",
        path.display()
    )]
    Config {
        /// The file.
        path: PathBuf,
        /// What was expected and found, with line and column.
        detail: String,
    },
    /// There is no list of opportunities in the file.
    #[error(
        "`{}`: expected a list of opportunities, or an object with such lists under `scalping`, `swing` or \
         `opportunities`, found none",
        path.display()
    )]
    NoList {
        /// The file.
        path: PathBuf,
    },
}

/// A record of a file: its list and its number in it, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordPlace {
    /// Key of the list, `None` where the file is one list.
    pub list: Option<String>,
    /// Number of the record; 0 before the first.
    pub record: u64,
}

impl fmt::Display for RecordPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.list {
            Some(list) => write!(f, "record {} of `{}`", self.record, excerpt(list).escape_debug()),
            None => write!(f, "record {}", self.record),
        }
    }
}

/// What followed an opportunity, as the legacy summed it up: the next 96 candles of 15 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are the keys; prices in quote currency")]
pub struct LegacyFuture {
    pub max_high: Option<f64>,
    pub min_low: Option<f64>,
    pub final_close: Option<f64>,
    pub data_points: Option<f64>,
}

/// One legacy opportunity; `None` where the key is absent, null or NaN.
///
/// Units:     prices and ATR in quote currency; profits in percent; hours; ratios in [0, 1]
/// Source:    keys of the legacy opportunities JSON
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct LegacyRecord {
    #[serde(default, deserialize_with = "text")]
    pub coin: String,
    /// `YYYY-MM-DD HH:MM:SS`; sorts in time as text.
    #[serde(default, deserialize_with = "text")]
    pub timestamp: String,
    /// Anything but `long` is short; absent is long, as the simulators take it.
    #[serde(default = "long", deserialize_with = "direction")]
    pub direction: Direction,
    /// The style, from `signal_type`; `None` where it is absent or unknown.
    #[serde(default, rename = "signal_type", deserialize_with = "style")]
    pub style: Option<Style>,
    /// The one key every opportunity must have.
    pub signal_score: f64,
    pub entry_price: Option<f64>,
    pub atr: Option<f64>,
    pub consensus_score: Option<f64>,
    pub consensus: Option<f64>,
    pub indicator_consensus: Option<f64>,
    pub actual_risk_reward: Option<f64>,
    pub risk_reward: Option<f64>,
    pub actual_profit_pct: Option<f64>,
    pub objective_profit: Option<f64>,
    pub max_potential_profit: Option<f64>,
    pub holding_hours: Option<f64>,
    pub profit_density: Option<f64>,
    pub recent_high: Option<f64>,
    pub recent_low: Option<f64>,
    pub volume_surge_type: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub volume_surge: bool,
    pub kline_ctx_bullish_ratio: Option<f64>,
    pub kline_ctx_price_chg_pct: Option<f64>,
    /// A label such as `HH-HL`.
    pub mkt_struct_swing: Option<String>,
    pub mkt_struct_age_hours: Option<f64>,
    pub support_hist_test_cnt: Option<f64>,
    pub support_hist_false_bd: Option<f64>,
    pub resist_hist_test_cnt: Option<f64>,
    pub resist_hist_false_bo: Option<f64>,
    pub future_data: Option<LegacyFuture>,
}

fn text<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(value)?.unwrap_or_default())
}

fn long() -> Direction {
    Direction::Long
}

fn direction<'de, D: Deserializer<'de>>(value: D) -> Result<Direction, D::Error> {
    let text = Option::<String>::deserialize(value)?;
    Ok(if text.is_none_or(|text| text == "long") { Direction::Long } else { Direction::Short })
}

fn style<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Style>, D::Error> {
    let text = Option::<String>::deserialize(value)?;
    Ok(text.and_then(|text| Style::named(&text)))
}

/// Anything that is not nothing counts as true, as the legacy takes it.
fn truth<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::Null => false,
        Value::Bool(value) => value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
    })
}

/// Reads the opportunities of a file, in its order.
///
/// Shape:     lists of an object follow each other; a record without a style has that of its list
/// Errors:    [`LegacyOpportunitiesError`], which names file and record
/// Cost:      memory of the file and of its records
pub fn read_legacy_opportunities(path: &Path) -> Result<Vec<LegacyRecord>, LegacyOpportunitiesError> {
    parse_legacy_opportunities(&bytes_of(path)?, path)
}

pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, LegacyOpportunitiesError> {
    read_whole(path, LEGACY_FILE_BYTES_MAX).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => LegacyOpportunitiesError::TooLarge { path: path.to_owned() },
        _ => LegacyOpportunitiesError::Read { path: path.to_owned(), source },
    })
}

/// Parses the content of a file; the path is for errors only. See [`read_legacy_opportunities`].
pub fn parse_legacy_opportunities(
    bytes: &[u8],
    path: &Path,
) -> Result<Vec<LegacyRecord>, LegacyOpportunitiesError> {
    let bytes = with_words_for(bytes, b"null");
    let reading = RecordPosition::default();
    let mut json = serde_json::Deserializer::from_slice(&bytes);
    let read = Content { reading: &reading, style: None }.deserialize(&mut json).and_then(|()| json.end());
    let RecordPosition { place, records, lists } = reading;
    if let Err(error) = read {
        let (path, place) = (path.to_owned(), place.into_inner());
        let detail = excerpt(&error.to_string()).into_owned();
        return Err(LegacyOpportunitiesError::Content { path, place, detail });
    }
    match lists.into_inner() {
        0 => Err(LegacyOpportunitiesError::NoList { path: path.to_owned() }),
        _ => Ok(records.into_inner()),
    }
}

/// Returns the text with other text in place of the words for what is no number, which the legacy writes bare.
pub(super) fn with_words_for<'a>(bytes: &'a [u8], word_for: &[u8]) -> Cow<'a, [u8]> {
    const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut clean: Vec<u8> = Vec::new();
    let (mut at, mut copied, mut in_text) = (0, 0, false);
    while at < bytes.len() {
        match (in_text, bytes[at]) {
            (true, b'\\') => at += 1,
            (_, b'"') => in_text = !in_text,
            (false, b'-' | b'I' | b'N') => {
                if let Some(word) = WORDS.iter().find(|word| bytes[at..].starts_with(word)) {
                    clean.extend_from_slice(&bytes[copied..at]);
                    clean.extend_from_slice(word_for);
                    at += word.len() - 1;
                    copied = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    clean.extend_from_slice(&bytes[copied..]);
    Cow::Owned(clean)
}

/// Where reading stands; shared by the visitors, so that an error can name the record.
#[derive(Default)]
struct RecordPosition {
    place: RefCell<RecordPlace>,
    records: RefCell<Vec<LegacyRecord>>,
    lists: RefCell<u64>,
}

/// A list of records, or an object with such lists.
#[derive(Clone, Copy)]
struct Content<'a> {
    reading: &'a RecordPosition,
    style: Option<Style>,
}

impl<'de> DeserializeSeed<'de> for Content<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Content<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of opportunities or an object of such lists")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        *self.reading.lists.borrow_mut() += 1;
        self.reading.place.borrow_mut().record = 1;
        while let Some(mut record) = list.next_element::<LegacyRecord>()? {
            record.style = record.style.or(self.style);
            self.reading.records.borrow_mut().push(record);
            self.reading.place.borrow_mut().record += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(key) = object.next_key::<String>()? {
            let style = Style::named(&key);
            if style.is_some() || key == "opportunities" {
                *self.reading.place.borrow_mut() = RecordPlace { list: Some(key), record: 0 };
                object.next_value_seed(Content { style: style.or(self.style), ..self })?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Vec<LegacyRecord>, String> {
        parse_legacy_opportunities(text.as_bytes(), Path::new("a.json")).map_err(|error| error.to_string())
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            let _ = parse_legacy_opportunities(&bytes, Path::new("a.json"));
            let text = r#"{"scalping": [{"signal_score": 80, "atr": NaN, "coin": "\"B", "future_data": {}}]}"#;
            let mut spoilt = text.as_bytes()[..cut.min(text.len())].to_vec();
            spoilt.extend_from_slice(&bytes);
            let _ = parse_legacy_opportunities(&spoilt, Path::new("a.json"));
        }
    }

    #[test]
    fn lists_by_style_are_read_and_the_rest_is_passed_over() {
        let text = r#"{"_doc": [1], "scalping": {"count": 1, "opportunities": [{"signal_score": 80, "x": {}}]},
                      "swing": [{"signal_score": 7.5, "direction": "short", "volume_surge": {"a": 1}}]}"#;
        let records = parse(text).unwrap();
        assert_eq!(
            records.iter().map(|r| r.style).collect::<Vec<_>>(),
            [Some(Style::Scalping), Some(Style::Swing)]
        );
        assert_eq!((records[0].direction, records[1].direction), (Direction::Long, Direction::Short));
        assert!(records[1].volume_surge && !records[0].volume_surge);
    }

    #[test]
    fn bare_words_for_no_number_are_null_outside_of_text() {
        let text = r#"[{"timestamp": null, "signal_score": 1, "coin": "NaN \" -Infinity", "atr": NaN,
                       "risk_reward": -Infinity,
                       "consensus": -3, "holding_hours": Infinity}]"#;
        let record = &parse(text).unwrap()[0];
        assert_eq!(record.coin, "NaN \" -Infinity");
        assert_eq!((record.atr, record.risk_reward, record.holding_hours), (None, None, None));
        assert_eq!(record.consensus, Some(-3.0));
    }

    #[test]
    fn errors_name_the_record() {
        for (text, place, detail) in [
            (r#"[{"signal_score": 1}, {"atr": 2}]"#, "at record 2:", "missing field `signal_score`"),
            (r#"{"swing": [{"signal_score": "x"}]}"#, "at record 1 of `swing`:", "invalid type: string"),
            (r#"[{"signal_score": 1}"#, "at record 2:", "EOF"),
            ("[] x", "at record 1:", "trailing characters"),
            (r#"{"scalping": 3}"#, "at record 0 of `scalping`:", "expected a list of opportunities"),
            (r#"{"a": []}"#, "found none", ""),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(place) && error.contains(detail), "{text}: {error}");
            assert!(error.starts_with("`a.json`: expected"), "{error}");
        }
    }
}

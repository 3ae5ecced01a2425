//! Values that are kept as people write them (`#[serde(with = "as_text")]`).

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

#[derive(Serialize, Deserialize)]
struct AsText(String);

pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    AsText(value.to_string()).serialize(serializer)
}

pub(crate) fn deserialize<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let AsText(text) = AsText::deserialize(deserializer)?;
    text.parse().map_err(|_| de::Error::custom(format_args!("unusable: {text:?}")))
}

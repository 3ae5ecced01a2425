//! What a legacy file held that the optimizer does not decide about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, Record};

/// The document that was taken over, to be written back with the next export.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CarriedRecord {
    /// The document as JSON, without caches that nothing reads.
    pub json: String,
    /// When it was taken over, UTC milliseconds.
    pub imported_at_ms: i64,
}

impl Record for CarriedRecord {
    type Earlier = Self;
    const NAME: &'static str = "CarriedRecord";
    const TYPE_ID: u16 = 13;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 32 << 20;

    fn validate(&self) -> Result<(), Invalid> {
        match self.json.starts_with('{') && self.json.ends_with('}') {
            true => Ok(()),
            false => Err(Invalid { field: "json", rule: "must be an object" }),
        }
    }
}

//! Hostile bytes for imported parameters.

use super::import::set_of;
use crate::fuzz::Target;
use crate::model::{ParameterSet, Style};
use crate::store::records::StoredParameterSet;

/// The bot's file.
pub(crate) const TARGETS: &[Target] =
    &[Target { name: "import", run: import, seeds: import_seeds, words: IMPORT_WORDS, executions: 3000 }];

const IMPORT_WORDS: &[&str] = &[
    "\"scalping_params\":",
    "\"swing_params\":",
    "\"atr_tp_multiplier\":",
    "\"atr_stop_multiplier\":",
    "\"max_holding_hours\":",
    "\"trailing_stop_enabled\":true",
    "\"trailing_stop_distance\":",
    "\"min_signal_score\":",
    "\"x\"",
    "1e300",
    "-1",
    ",",
    "{",
    "}",
    "null",
];

fn import_seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../fixtures/learning_config.json").to_vec()]
}

/// Parameters that are imported can be stored and come back.
fn import(bytes: &[u8]) -> String {
    let document: serde_json::Map<String, serde_json::Value> = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(_) => return "no object".to_owned(),
    };
    let mut found = 0;
    for style in Style::ALL {
        match set_of(&document, style) {
            Ok(Some(set)) => {
                let stored = StoredParameterSet::from(&set.set);
                let again =
                    ParameterSet::try_from(&stored).unwrap_or_else(|error| panic!("{error}: {set:?}"));
                assert_eq!(again, set.set, "the same once stored");
                found += 1;
            }
            Ok(None) => {}
            Err(error) => return error.to_string(),
        }
    }
    format!("ok {found}")
}

//! Hostile bytes for the values of flags and of the environment.

use super::context::{configuration_in_environment, dotted_to_toml};
use super::{incremental, memory, values};
use crate::config::{Config, Layer};
use crate::diagnose::process::MemorySample;
use crate::documents::memory::{MemoryDiffDocument, SamplePart};
use crate::fuzz::Target;

const WORDS: &[&str] = &[
    "search.score",
    "limits.memory",
    "=",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "20250101",
    "-",
    "2025-01-31",
    "30s",
    "PT1H",
    "5m",
    "+08:00",
    "last",
    "previous",
    "64MiB",
];

/// Everything that reads words of a command line.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "settings", run: settings, seeds: setting_seeds, words: WORDS, executions: 2000 },
    Target {
        name: "memory_snapshots",
        run: memory_snapshots,
        seeds: snapshot_seeds,
        words: &["\n", "{", "}", "1e9"],
        executions: 2000,
    },
    Target { name: "flag_values", run: flag_values, seeds: value_seeds, words: WORDS, executions: 20_000 },
];

fn setting_seeds() -> Vec<Vec<u8>> {
    ["search.score=sharpe", "limits.memory=64MiB", "style.swing.space.max_holding_hours=[8, 12]"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

/// A setting and the same in the environment give the same configuration, or both none.
fn settings(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let Some((key, value)) = text.split_once('=') else { return "no setting".to_owned() };
    let (key, value) = (key.trim(), value.trim());
    let set = Config::from_layers(&[Layer::setting("--set", dotted_to_toml(key, value))]);
    let plain = key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.') && key.contains('.');
    if plain && !key.contains("__") {
        let name = format!("OPTIMIZER_{}", key.to_ascii_uppercase().replace('.', "__"));
        let found = configuration_in_environment([(name, value.to_owned())].into_iter());
        let of_environment = Config::from_layers(&found);
        assert_eq!(set.as_ref().ok(), of_environment.as_ref().ok(), "{text:?}");
    }
    set.map_or_else(|error| error.to_string(), |_| "ok".to_owned())
}

fn snapshot_seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../fixtures/memory.jsonl").to_vec()]
}

/// The last snapshot of a file can be compared with itself and with nothing.
fn memory_snapshots(bytes: &[u8]) -> String {
    match memory::last_of(bytes, std::path::Path::new("memory.jsonl")) {
        Ok(last) => {
            let none = SamplePart::new(0, &MemorySample::default());
            let same = MemoryDiffDocument::new(last.clone(), last.clone());
            assert!(same.changes.values().all(|change| *change == 0), "{same:?}");
            let _ = (
                MemoryDiffDocument::new(none.clone(), last.clone()).text(),
                MemoryDiffDocument::new(last, none).text(),
            );
            "ok".to_owned()
        }
        Err(failure) => failure.message,
    }
}

fn value_seeds() -> Vec<Vec<u8>> {
    ["20250101-20250630", "30s", "45m", "+08:00", "2025-01-31", "25", "last"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

/// Times, days, ranges of days, offsets, amounts, runs.
fn flag_values(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    if let Ok((Some(first), Some(end))) = incremental::timerange(&text) {
        assert!(first < end, "{text:?}");
    }
    let accepted = [
        incremental::timerange(&text).is_ok(),
        values::time(&text).is_ok_and(|time| !time.is_zero()),
        values::wait(&text).is_ok(),
        values::window(&text).is_ok(),
        values::day(&text).is_ok(),
        values::drawdown(&text).is_ok_and(|percent| percent.is_finite()),
        values::amount(&text).is_ok_and(|amount| amount > 0.0),
        values::offset_ms(&text).is_ok_and(|ms| ms.abs() <= 15 * crate::model::HOUR_MS),
        text.parse::<crate::documents::inspect::RunRef>().is_ok(),
    ];
    if accepted.contains(&true) { format!("ok {accepted:?}") } else { "nothing".to_owned() }
}

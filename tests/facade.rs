//! What others build on: the example does what it says, by the facade alone.

use std::path::Path;

use crate::tune_folder::{describe, tune};

#[test]
fn the_seam_is_used_by_the_facade_alone() {
    let source = include_str!("../tools/fill_units.rs");
    assert_eq!(source.matches("retune::").count(), 2, "two uses of the library");
    assert!(
        source.contains("use retune::units::{PendingUnit, UnitCandles, UnitStore, evaluate, pending, put};")
    );
    assert!(source.contains("use retune::{Config, DayLimits, Plan, RunOptions, Style};"));
}

#[test]
fn the_example_tunes_the_sample_by_the_facade_alone() {
    let source = include_str!("../tools/tune_folder.rs");
    assert_eq!(source.matches("retune::").count(), 1, "one use of the library");
    assert!(source.contains("use retune::{Config, DayLimits, RunOptions, RunReport, Style, incremental};"));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample");
    // 2025-07-01, the day after the last candle.
    let report = tune(sample, 1_751_328_000_000).expect("a run");
    let text = describe(&report);
    assert!(text.starts_with("43200 candles: not_convincing\nscalping: FAILED, not_convincing, "), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

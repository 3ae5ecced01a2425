//! `optimizer validate`: looks closer at a stored run, and leaves everything as it is.

use serde_json::Value;

use crate::command::{StoreDir, text};

/// What the candidate's days say on their own, and what the grid says besides.
const ALONE: [&str; 5] = ["account", "dependence", "intervals", "haircut", "left_out"];
const GRID: [&str; 7] =
    ["plateau", "overlap", "also_real", "indistinguishable", "adjusted", "histories", "chosen_again"];
const FULL: [&str; 3] = ["all_halves", "effective_tries", "placebo"];

fn methods(style: &Value) -> Vec<&str> {
    let findings = style["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["method"].as_str().expect("text")).collect()
}

fn finding<'a>(style: &'a Value, method: &str) -> &'a Value {
    let findings = style["findings"].as_array().expect("a list");
    findings.iter().find(|finding| finding["method"] == method).unwrap_or_else(|| panic!("{method}: {style}"))
}

fn style_of(document: &Value) -> &Value {
    let styles = document["data"]["styles"].as_array().expect("a list");
    styles.iter().find(|style| style["style"] == "scalping").expect("the style")
}

fn value(style: &Value, method: &str, row: usize, column: usize) -> f64 {
    let value = &finding(style, method)["rows"][row]["values"][column];
    value.as_f64().unwrap_or_else(|| panic!("{method} {row} {column}: {value}"))
}

#[test]
fn a_run_is_looked_at_and_left_as_it_is() {
    let store = StoreDir::after_a_run();
    let kept = |store: &StoreDir| {
        let mut files = store.content();
        files.retain(|(path, _, _)| {
            path.file_name().is_some_and(|name| name == "state.redb" || name == "view.redb")
        });
        assert_eq!(files.len(), 2);
        files
    };
    let before = kept(&store);
    let document = store.json(&["validate", "--style", "scalping"]);
    assert_eq!(kept(&store), before, "nothing of what was learned is touched");
    let style = style_of(&document);
    let found = methods(style);
    assert!(ALONE.iter().chain(&GRID).all(|method| found.contains(method)), "{found:?}");
    assert!(!found.iter().any(|method| FULL.contains(method)), "{found:?}");
    assert_eq!(style["notes"], serde_json::json!([]));
    // The same figures as the run itself has.
    let run = store.json(&["inspect", "run", "1"]);
    let full = &run["data"]["styles"]["scalping"]["decision"]["candidate"]["metrics"];
    let total = full["total_return_pct"].as_f64().expect("a total");
    assert!((value(style, "account", 0, 0) - total).abs() < 1e-6, "{total}");
    assert!((value(style, "left_out", 0, 0) - total).abs() < 1e-6, "{total}");
    assert_eq!(value(style, "overlap", 0, 0), full["trades"].as_f64().expect("a count"));
    assert!(value(style, "overlap", 0, 1) <= value(style, "overlap", 0, 0));
    // Later, and by any number of threads, it says the same.
    assert_eq!(store.json(&["validate", "--style", "scalping", "--jobs", "1"])["data"], document["data"]);
    let printed = store.stdout(&["validate", "1"]);
    assert!(printed.contains("SWING") && printed.contains("left out: of its"), "{printed}");
    assert!(printed.lines().all(|line| line.chars().count() <= 100), "{printed}");
}

#[test]
fn all_of_it_takes_longer_and_says_more() {
    let store = StoreDir::after_a_run();
    let document = store.json(&["validate", "--full", "--style", "scalping"]);
    let style = style_of(&document);
    let found = methods(style);
    assert!(FULL.iter().all(|method| found.contains(method)), "{found:?}");
    let shares: f64 = (0..10).map(|row| value(style, "all_halves", row, 0)).sum();
    assert!((shares - 1.0).abs() < 1e-9, "every split is in one tenth: {shares}");
    let (worlds, as_good) = (value(style, "placebo", 0, 0), value(style, "placebo", 0, 1));
    assert!((value(style, "placebo", 0, 2) - (1.0 + as_good) / (1.0 + worlds)).abs() < 1e-12);
    assert!(value(style, "effective_tries", 4, 0) > 1.0);
}

#[test]
fn what_is_not_kept_is_named_with_what_to_run() {
    let store = StoreDir::after_a_run();
    std::fs::remove_file(store.path.join("evals.redb")).expect("a cache");
    let document = store.json(&["validate"]);
    let style = style_of(&document);
    assert!(methods(style).iter().all(|method| ALONE.contains(method)));
    assert!(style["notes"][0].as_str().is_some_and(|note| note.contains("optimizer incremental")), "{style}");
    assert!(!store.path.join("evals.redb").exists(), "looking makes no cache");
    let (code, error) = store.failure(&["validate", "7"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("expected a run of profile \"default\" from 1 to 1, found 7"), "{error}");
    let (code, error) = StoreDir::missing().failure(&["validate"]);
    assert_eq!(code, Some(2), "{error}");
}

#[test]
fn candles_that_moved_on_leave_the_older_run_to_its_series() {
    let store = StoreDir::missing();
    for range in ["-20250601", "-20250620"] {
        let range = format!("--timerange={range}");
        let output = store.run(&["incremental", "--data", "tests/sample", &range, "--exit-zero"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let notes = |run: &str| style_of(&store.json(&["validate", run]))["notes"].clone();
    assert_eq!(notes("1").as_array().map(Vec::len), Some(1), "the units are those of the second run");
    assert_eq!(notes("2"), serde_json::json!([]), "the days of the run are those it was asked for");
}

#[test]
fn a_run_on_given_signals_is_looked_at_as_well() {
    let store = StoreDir::missing();
    let signals = store.path.with_file_name("signals.csv");
    std::fs::copy("tests/fixtures/signals.csv", &signals).expect("copied");
    let file = signals.to_str().expect("text");
    let run = ["incremental", "--data", "tests/sample", "--signals", file, "--style", "scalping"];
    let ran = store.run(&[&run[..], &["--exit-zero", "--progress", "none"]].concat());
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let looked = || style_of(&store.json(&["validate"])).clone();
    let style = looked();
    assert_eq!(style["notes"], serde_json::json!([]));
    let found = methods(&style);
    // Too few sets were tried for those that adjust for their number.
    let mut of_grid = GRID.iter().filter(|method| **method != "adjusted");
    assert!(of_grid.all(|method| found.contains(method)), "{found:?}");

    let before = std::fs::read_to_string(&signals).expect("there");
    let last = before.trim_end().rfind('\n').expect("lines");
    std::fs::write(&signals, &before[..=last]).expect("written");
    let notes = looked()["notes"].to_string();
    assert!(notes.contains("are not what they were"), "{notes}");
    std::fs::remove_file(&signals).expect("there");
    let notes = looked()["notes"].to_string();
    assert!(notes.contains("its signals cannot be read") && notes.contains("signals.csv"), "{notes}");
}

//! `optimizer inspect legacy`: the legacy's figures for its own files, and what it says about bad ones.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{StoreDir, optimizer, text};
use crate::legacy_parity::{assert_close, read_json, shared};

const EXCERPT: &str = "tests/fixtures/legacy/opportunities.json";

/// Runs the command on a file, without any store.
fn inspect(file: &Path, more: &[&str]) -> (i32, String, String) {
    let store = StoreDir::missing();
    let mut command = optimizer();
    command.args(["inspect", "legacy"]).arg(file).args(more).arg("--store").arg(&store.path);
    let output = command.output().expect("the program can be started");
    assert!(!store.path.exists(), "no store is made");
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn document(file: &Path, more: &[&str]) -> Value {
    let (code, stdout, stderr) = inspect(file, &[more, &["--json"]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    serde_json::from_str(&stdout).expect("a document")
}

#[test]
fn the_figures_are_those_of_the_legacy() {
    let data = &document(Path::new(EXCERPT), &[])["data"];
    assert_eq!((&data["opportunities"], &data["params_file"]), (&json!(40), &Value::Null));
    let scopes = data["scopes"].as_array().unwrap();
    assert_eq!(
        scopes.iter().map(|s| s["scope"].as_str().unwrap()).collect::<Vec<_>>(),
        ["all", "scalping", "swing"]
    );
    let counts = |key: &str| scopes.iter().map(|s| s["metrics"][key].as_u64().unwrap()).collect::<Vec<_>>();
    let (total, captured) = (counts("total_opportunities"), counts("captured_count"));
    assert_eq!((total[0], total[1] + total[2]), (40, 40));
    assert_eq!(captured[0], captured[1] + captured[2], "one set of parameters for all");
    for (scope, missed) in
        scopes.iter().zip(total.iter().zip(&captured).map(|(total, captured)| total - captured))
    {
        assert_eq!(scope["missed_reasons"]["basic_params"].as_u64().unwrap_or(0), missed);
        assert_eq!(scope["filter"]["min_risk_reward"], 1.5, "the filter's own default");
    }
}

#[test]
fn the_text_fits_and_tells_what_not_to_believe() {
    let (code, stdout, stderr) = inspect(Path::new(EXCERPT), &[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    for part in ["40 records", "the legacy defaults", "Verdict", "by hindsight", "verdict of both styles:"] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
}

#[test]
fn parameters_come_from_a_config_with_bare_nan() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("learning_config.json");
    let text = r#"{"version": "2.1", "global": {"min_signal_score": 10, "min_consensus": 0, "min_risk_reward": 0.5,
        "x": NaN}, "scalping_params": {"min_signal_score": 101}, "swing_params": {}, "_phase1_cache": [NaN]}"#;
    fs::write(&config, text).unwrap();
    let data = &document(Path::new(EXCERPT), &["--params", config.to_str().unwrap()])["data"];
    let filter = |index: usize, key: &str| data["scopes"][index]["filter"][key].as_f64().unwrap();
    assert_eq!((filter(0, "min_signal_score"), filter(1, "min_signal_score")), (10.0, 101.0));
    assert_eq!(filter(2, "min_signal_score"), 10.0, "a style without its own takes the general ones");
    assert_eq!(filter(1, "min_risk_reward"), 1.5, "a style with its own does not");
    assert_eq!(data["scopes"][1]["metrics"]["captured_count"], 0);
}

#[test]
fn bad_files_are_named_with_their_record() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    for (path, part) in [
        (folder.path().join("missing.json"), "cannot read"),
        (write("a.json", "[{\"signal_score\": 1}, 7]"), "at record 2"),
        (write("b.json", "{}"), "expected a list of opportunities"),
        (write("c.json", ""), "expected legacy opportunities"),
        (write("d.json", &"[".repeat(100_000)), "expected legacy opportunities"),
    ] {
        let (code, stdout, stderr) = inspect(&path, &[]);
        assert_eq!((code, stdout.as_str()), (4, ""), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(part), "{stderr}");
        assert!(stderr.contains(path.file_name().unwrap().to_str().unwrap()), "{stderr}");
    }
    let config = write("config.json", "[]");
    let (code, _, stderr) = inspect(Path::new(EXCERPT), &["--params", config.to_str().unwrap()]);
    assert!(code == 4 && stderr.contains("expected a JSON object"), "{stderr}");
}

/// The answer of a case of the metrics fixture with the filter's defaults and no subset: through the program.
#[test]
fn the_program_agrees_with_the_answers_of_the_legacy() {
    let (Some(cases), Some(opportunities)) = (shared("metrics_500.json"), shared("opportunities_4000.json"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let document_of_cases = read_json(&cases);
    let whole = document_of_cases["rows"].as_array().unwrap().iter().filter(|row| {
        let subset = row["subset"].as_str().unwrap();
        row["transform"] == "none" && (subset == "all" || subset.starts_with("type:"))
    });
    let mut checked = 0;
    for row in whole.take(12) {
        let params = &row["params"];
        let text = json!({"global": params, "scalping_params": params, "swing_params": params}).to_string();
        fs::write(&config, text).unwrap();
        let found = document(&opportunities, &["--params", config.to_str().unwrap()]);
        let scope = match row["subset"].as_str().unwrap() {
            "all" => 0,
            "type:scalping" => 1,
            _ => 2,
        };
        let scope = &found["data"]["scopes"][scope];
        assert_eq!(scope["metrics"]["captured_count"], row["result"]["captured_count"], "case {}", row["id"]);
        assert_eq!(scope["missed_reasons"], row["result"]["missed_reasons"], "case {}", row["id"]);
        assert_close(scope["score"].as_f64().unwrap(), &row["score"], "score", row);
        for key in ["avg_profit", "win_rate", "capture_rate"] {
            assert_close(scope["metrics"][key].as_f64().unwrap(), &row["result"][key], key, row);
        }
        checked += 1;
    }
    assert_eq!(checked, 12);
    // Phase 1 carries no indicator_consensus: nothing is captured, and that passes (D09).
    if let Some(path) = shared("phase2_opportunities.json") {
        let data = &document(&path, &[])["data"];
        assert_eq!((&data["opportunities"], &data["overall_verdict"]), (&json!(274), &json!("PASSED")));
        assert_eq!(data["scopes"][0]["validation"]["full_test"]["captured_count"], 0);
    }
}

//! What `incremental --dry-run` says comes true, and it touches nothing.

use std::fs;
use std::path::{Path, PathBuf};

use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::{Candle, DAY_MS, Interval};
use serde_json::Value;

use crate::command::StoreDir;
use crate::pipeline::sample_dir;

/// 2030-01-01.
const NOW_MS: i64 = 1_893_456_000_000;

/// Writes the sample's candles but those of the last days, twice: the first time as much earlier.
fn write_double(folder: &Path, days_held_back: i64) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder");
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    for sources in &discover(&[sample_dir()], &options).expect("files").symbols {
        let loaded = load_symbol(sources, &options).expect("candles");
        let bars = loaded.series.bars();
        let length = bars.open_time[bars.len() - 1] + Interval::M15.ms() - bars.open_time[0];
        let end = bars.open_time[0] + length - days_held_back * DAY_MS;
        let mut text = "open_time,open,high,low,close,volume\n".to_owned();
        for earlier in [length, 0] {
            let until = if earlier > 0 { bars.len() } else { bars.index_at(end) };
            for Candle { open_time, open, high, low, close, volume } in (0..until).map(|i| bars.get(i)) {
                text.push_str(&format!("{},{open},{high},{low},{close},{volume}\n", open_time - earlier));
            }
        }
        fs::write(folder.join(format!("{}-15m.csv", loaded.symbol)), text).expect("written");
    }
    folder.to_owned()
}

struct Said {
    forecast: Value,
    run: Value,
}

/// Asks for the forecast of a run, makes sure that it left no trace, and runs.
fn ask_and_run(store: &StoreDir, data: &Path, more: &[&str]) -> Said {
    let data = data.to_str().expect("text");
    let arguments =
        [&["incremental", "--data", data, "--progress", "none", "--json", "--exit-zero"], more].concat();
    let before = store.path.exists().then(|| store.content());
    let parse = |output: std::process::Output| -> Value {
        assert_eq!(output.status.code(), Some(0), "{}", crate::command::text(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
        document["data"].clone()
    };
    let forecast = parse(store.run(&[&arguments[..], &["--dry-run"]].concat()));
    assert!(before == store.path.exists().then(|| store.content()), "byte for byte as it was");
    Said { forecast, run: parse(store.run(&arguments)) }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number, not {value}"))
}

/// Units exactly, memory within a factor of two. How near the time comes is for the bench `forecast` to say: here the clock tells more
/// of what else the machine does between the forecast and the run.
fn came_true(said: &Said, basis: &str) {
    let Said { forecast, run } = said;
    for key in ["units_total", "units_evaluated", "units_reused", "reasons", "parameter_sets"] {
        assert_eq!(forecast[key], run["evaluation"][key], "{key}");
    }
    assert_eq!(forecast["candles"], run["input"]["candles"]);
    assert_eq!(forecast["estimate"]["basis"], basis);
    let ratio = |key: &str| number(&forecast["estimate"][key]) / number(&run["run"][key]);
    let memory = ratio("peak_rss_bytes");
    assert!((0.5..=2.0).contains(&memory), "memory: {memory:.2} of what the run took");
    let time = ratio("duration_ms");
    assert!(time.is_finite() && time > 0.0, "time: {time:.2} of what the run took");
}

#[test]
fn a_dry_run_says_what_the_run_then_does() {
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let early = write_double(&folder.path().join("candles"), 3);
    let cold = ask_and_run(&store, &early, &[]);
    assert_eq!(cold.forecast["units_total"], 3 * (300 - 3));
    came_true(&cold, "sample");
    let tested = ask_and_run(&store, &early, &["--set", "costs.taker_fee_pct=0.06"]);
    assert_eq!(tested.forecast["reasons"]["costs_changed"], 3 * (300 - 3));
    came_true(&tested, "sample");
    came_true(&ask_and_run(&store, &early, &["--set", "costs.taker_fee_pct=0.05", "--full"]), "runs");
    // Three days more, in files that grew.
    write_double(&folder.path().join("candles"), 0);
    let grown = ask_and_run(&store, &early, &[]);
    assert_eq!(grown.forecast["reasons"]["new"], 3 * 3);
    assert_eq!(grown.forecast["work"][1]["files_read"], "incremental");
    came_true(&grown, "runs");
    let spans = grown.forecast["work"][0]["spans"].as_array().expect("spans");
    assert!(spans.iter().any(|span| span["kind"] == "completed"), "{spans:?}");
}

#[test]
fn an_answer_that_is_known_is_foreseen() {
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("candles");
    fs::create_dir(&data).expect("a folder");
    for entry in fs::read_dir(sample_dir()).expect("files") {
        let path = entry.expect("a file").path();
        let file = data.join(path.file_name().expect("a name"));
        fs::copy(&path, &file).expect("copied");
        // Old enough that a change would show.
        let opened = fs::File::options().write(true).open(&file).expect("open");
        opened.set_modified(std::time::UNIX_EPOCH).expect("touched");
    }
    let run = ask_and_run(&store, &data, &["--set", "decide.require=\"real\""]);
    assert_eq!(run.forecast["estimate"]["basis"], "sample");
    let again = ask_and_run(&store, &data, &["--set", "decide.require=\"real\""]);
    assert_eq!(again.forecast["estimate"]["basis"], "answer");
    assert_eq!(again.forecast["units_reused"], 450);
    assert_eq!(again.run["evaluation"]["units_reused"], 450);
}

#[test]
fn it_refuses_what_a_run_refuses_and_makes_nothing() {
    let store = StoreDir::missing();
    let (code, said) =
        store.failure(&["incremental", "--data", "tests/fixtures", "--dry-run", "--progress", "none"]);
    assert_eq!(code, Some(4), "{said}");
    let small = ["incremental", "--data", "tests/sample", "--dry-run", "--max-memory", "16MiB"];
    assert_eq!(store.failure(&small).0, Some(3));
    assert!(!store.path.exists(), "no store was made");
    let text = store.stdout(&["incremental", "--data", "tests/sample", "--dry-run", "--explain"]);
    assert!(text.contains("ALPHAUSDT: 0 of 150 days reused"), "{text}");
    let last = text.lines().last().expect("a line");
    assert!(
        last.starts_with("result=dry_run symbols=3 units_new=450 units_reused=0 expected_peak_rss="),
        "{last}"
    );
}

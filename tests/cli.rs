//! The binary as people and cron jobs use it: arguments, exit codes, output, bad input.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::pipeline::sample_dir;

fn optimizer(arguments: &[&str]) -> Output {
    crate::command::optimizer().args(arguments).stdin(Stdio::null()).output().expect("the binary runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> String {
        path(&self.at("store")).to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let file = self.at(name);
        fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        fs::write(&file, bytes).expect("written");
        file
    }

    /// Runs `incremental` on some data.
    fn incremental(&self, data: &Path, more: &[&str]) -> Output {
        let store = self.store();
        optimizer(&[&["incremental", "--data", path(data), "--store", &store], more].concat())
    }
}

/// Every file of a store but the lock and the cache, which is no learning state, with a hash of its content.
fn content(folder: &Path) -> Vec<(PathBuf, blake3::Hash)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|file| file.file_name().is_some_and(|name| name != "run.lock" && name != "evals.redb"))
        .flat_map(|file| match file.is_dir() {
            true => content(&file),
            false => vec![(file.clone(), blake3::hash(&fs::read(&file).expect("readable")))],
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

#[test]
fn the_daily_run_changes_once_and_then_says_unchanged() {
    let place = Place::new();
    let first = place.incremental(&sample_dir(), &[]);
    assert_eq!(code(&first), 10, "{}", stderr(&first));
    let text = stdout(&first);
    assert!(text.contains("parameters changed: scalping"), "{text}");
    let last = text.lines().last().expect("a last line");
    assert!(
        last.starts_with("result=changed run=1 symbols=3 units_new=450 units_reused=0 peak_rss="),
        "{last}"
    );
    let second = place.incremental(&sample_dir(), &[]);
    assert_eq!(code(&second), 0, "{}", stderr(&second));
    let text = stdout(&second);
    assert!(text.contains("parameters unchanged"), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.starts_with("result=unchanged run=2 ")), "{text}");
}

#[test]
fn a_repeated_run_without_a_change_refers_to_the_first() {
    let place = Place::new();
    let swing = ["--style", "swing"];
    assert_eq!(code(&place.incremental(&sample_dir(), &swing)), 12);
    let again = place.incremental(&sample_dir(), &swing);
    assert_eq!(code(&again), 0);
    assert!(stdout(&again).contains("same candles and plan as run 1, whose decision stands"));
    let other = place.incremental(&sample_dir(), &["--style", "swing", "--set", "costs.taker_fee_pct=0.06"]);
    assert_eq!(code(&other), 12, "another plan is decided anew");
}

#[test]
fn json_is_one_document_and_the_summary_goes_to_stderr() {
    let place = Place::new();
    let output = place.incremental(&sample_dir(), &["--json", "--exit-zero"]);
    assert_eq!(code(&output), 0);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(document["schema"], "optimizer.run/2");
    let data = &document["data"];
    assert_eq!(data["input"]["symbols"], serde_json::json!(["ALPHAUSDT", "BRAVOUSDT", "CRESTUSDT"]));
    assert_eq!(data["evaluation"]["parameter_sets"], 2 * 139_968);
    assert_eq!(data["decision"]["result"], "changed");
    let best = &data["styles"]["scalping"]["decision"]["candidate"];
    for key in ["atr_tp_multiplier", "atr_stop_multiplier", "max_holding_hours", "min_signal_score"] {
        assert!(best["params"][key].is_number(), "{key}");
    }
    assert!(best["metrics"]["trades"].as_u64().is_some_and(|trades| trades >= 50));
    assert!(data["run"]["peak_rss_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20));
    assert!(stderr(&output).lines().last().is_some_and(|line| line.starts_with("result=changed ")));
}

#[test]
fn what_is_typed_wrong_is_answered_with_what_to_type() {
    for (flag, value, said) in [
        ("--score", "best", "search.score: expected one of `balanced`, "),
        ("--constraint", "profit", "search.constraints: expected a constraint such as max_drawdown_pct<25"),
        ("--constraint", "profit<3", "search.constraints: expected a metric (trades, "),
        ("--constraint", "trades<x", "search.constraints: expected a number after <, found trades<x"),
    ] {
        let refused = optimizer(&["incremental", "--data", "tests/sample", "--no-save", flag, value]);
        assert_eq!(code(&refused), 3);
        assert!(stderr(&refused).contains(said), "{}", stderr(&refused));
    }
    let bare = optimizer(&["incremental", "tests/sample"]);
    assert_eq!(code(&bare), 2);
    assert!(stderr(&bare).contains("hint: candles are named with `--data PATH`"), "{}", stderr(&bare));
}

#[test]
fn every_evaluation_has_its_reason_in_words() {
    let place = Place::new();
    let first = stdout(&place.incremental(&sample_dir(), &["--explain"]));
    assert!(first.contains("ALPHAUSDT: 0 of 150 days reused (0 checked again), files read"), "{first}");
    assert!(first.contains("  2025-02-01 to 2025-06-30: never evaluated before"), "{first}");
    let dearer = ["--explain", "--set", "costs.taker_fee_pct=0.06"];
    let second = stdout(&place.incremental(&sample_dir(), &dearer));
    assert!(second.contains("  2025-02-01 to 2025-06-30: costs changed: "), "{second}");
    // What a run said is what is stored of it, also of one that is no longer the last.
    let explained =
        |more: &[&str]| stdout(&optimizer(&[&["explain", "--store", &place.store()], more].concat()));
    let spans = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.contains("USDT: ") || line.starts_with("  20"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(spans(&explained(&["1"])), spans(&first));
    assert_eq!(spans(&explained(&[])), spans(&second));
    assert_eq!(spans(&explained(&["2", "--symbol", "BRAVOUSDT"])).len(), 2);
    let unknown = optimizer(&["explain", "--store", &place.store(), "--symbol", "TYPO"]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("ALPHAUSDT, BRAVOUSDT"), "{}", stderr(&unknown));
    let cached = stdout(&optimizer(&["inspect", "cache", "--store", &place.store()]));
    assert!(cached.contains("costs_changed") && cached.contains("0 of 450 symbol-days reused"), "{cached}");
    let third = stdout(&place.incremental(&sample_dir(), &["--full", "--explain"]));
    assert!(third.contains("  2025-02-01 to 2025-06-30: evaluated on request (--full)"), "{third}");
}

#[test]
fn a_memory_limit_never_changes_the_answer_and_one_that_cannot_hold_is_refused() {
    let answers = ["--max-memory=64MiB", "--max-memory=40MiB", "--set=limits.memory=\"1GiB\""].map(|limit| {
        let place = Place::new();
        let mut document: serde_json::Value =
            serde_json::from_str(&stdout(&place.incremental(&sample_dir(), &["--json", limit])))
                .expect("JSON");
        for key in ["duration_ms", "peak_rss_bytes", "started_at"] {
            document["data"]["run"][key] = serde_json::Value::Null;
        }
        document["data"].clone()
    });
    assert!(answers[0] == answers[1] && answers[1] == answers[2], "the same whatever the limit");
    let place = Place::new();
    let refused = place.incremental(&sample_dir(), &["--max-memory", "16MiB"]);
    assert_eq!(code(&refused), 3);
    assert!(
        stderr(&refused).contains("at least 3") && stderr(&refused).contains("found 16 MiB"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(code(&place.incremental(&sample_dir(), &["--max-memory", "lots"])), 2);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = Place::new();
    let script = format!(
        "{} incremental --data {} --store {} --progress none | head -n 1",
        env!("CARGO_BIN_EXE_optimizer"),
        path(&sample_dir()),
        place.store()
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
    assert_eq!(stdout(&output).lines().count(), 1);
}

#[test]
fn what_cannot_be_read_is_said_and_touches_nothing() {
    let place = Place::new();
    let good = place.incremental(&sample_dir(), &[]);
    assert_eq!(code(&good), 10);
    let before = content(&place.at("store"));
    let header = "open_time,open,high,low,close,volume\n";
    let row = "1735689600000,1,2,0.5,1.5,10\n";
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty/BTCUSDT-15m.csv", Vec::new(), "none that can be used"),
        ("header/BTCUSDT-15m.csv", header.into(), "none that can be used"),
        (
            "lfs/BTCUSDT-15m.csv",
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\n".into(),
            "none that can be used",
        ),
        ("binary/BTCUSDT-15m.csv", (0..=255).collect(), "none that can be used"),
        ("json/BTCUSDT-15m.json", "[]".into(), "none that can be used"),
        ("zip/BTCUSDT-15m.zip", "PK\u{3}\u{4}garbage".into(), "none that can be used"),
        ("gzip/BTCUSDT-15m.csv.gz", vec![0x1f, 0x8b, 8, 0, 0, 0], "none that can be used"),
        (
            "nan/BTCUSDT-15m.csv",
            format!("{header}1735689600000,NaN,NaN,NaN,NaN,1\n").into(),
            "none that can be used",
        ),
        (
            "lie/BTCUSDT-15m.csv",
            {
                let hourly =
                    (0..50).map(|i| format!("{},1,2,0.5,1.5,10\n", 1_735_689_600_000_i64 + i * 3_600_000));
                format!("{header}{}", hourly.collect::<String>()).into()
            },
            "15m",
        ),
        (
            "twice/BTCUSDT-15m.csv",
            format!("{header}{row}{}", row.replace("1.5", "1.6")).into(),
            "--on-conflict last",
        ),
    ];
    for (name, bytes, wanted) in cases {
        let file = place.write(name, bytes);
        let output = place.incremental(file.parent().expect("a folder"), &[]);
        assert_eq!(code(&output), 4, "{name}: {}", stderr(&output));
        let text = stderr(&output);
        assert!(text.contains("error: ") && text.contains(wanted), "{name}: {text}");
        assert_eq!(content(&place.at("store")), before, "{name} left the store as it was");
        let check = optimizer(&["check", "data", path(file.parent().expect("a folder")), "--json"]);
        assert_eq!(code(&check), 4, "{name}: check data agrees");
        assert!(serde_json::from_slice::<Value>(&check.stdout).is_ok_and(|d| d["data"]["files"].is_array()));
    }
    let missing = place.incremental(&place.at("nowhere"), &[]);
    assert_eq!(code(&missing), 4);
    assert!(stderr(&missing).contains("check the path"), "{}", stderr(&missing));
    assert_eq!(content(&place.at("store")), before);
}

#[test]
fn a_store_is_not_made_before_there_is_something_to_remember() {
    let place = Place::new();
    let file = place.write("data/BTCUSDT-15m.csv", "");
    assert_eq!(code(&place.incremental(&file, &[])), 4);
    assert!(!place.at("store").exists());
    assert_eq!(code(&place.incremental(&sample_dir(), &["--no-save", "--exit-zero"])), 0);
    assert!(!place.at("store").exists());
}

#[test]
fn one_bad_file_among_good_ones_is_reported_and_the_rest_is_used() {
    let place = Place::new();
    for entry in fs::read_dir(sample_dir()).expect("the sample") {
        let file = entry.expect("an entry").path();
        place.write(
            &format!("data/{}", path(Path::new(file.file_name().expect("a name")))),
            fs::read(&file).expect("read"),
        );
    }
    place.write("data/DELTAUSDT-15m.csv", "open_time,open,high,low,close,volume\nx,y,z,1,2,3\n");
    let output = place.incremental(&place.at("data"), &["--json"]);
    assert_eq!(code(&output), 10, "{}", stderr(&output));
    assert!(stderr(&output).contains("DELTAUSDT-15m.csv"), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
    let issues = document["data"]["input"]["issues"].as_array().expect("issues");
    assert!(
        issues
            .iter()
            .any(|i| i["kind"] == "rejected" && i["file"].as_str().is_some_and(|f| f.contains("DELTA")))
    );
}

#[test]
fn mistakes_on_the_command_line_and_in_the_configuration_have_their_codes() {
    let place = Place::new();
    let sample = sample_dir();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["incremental"], 2, "--data"),
        (&["incremental", "--data", "x", "--style", "day"], 2, "possible values"),
        (&["incremental", "--data", "x", "--timerange", "20250101"], 2, "FROM-TO"),
        (&["incremental", "--data", "x", "--timerange", "20250201-20250101"], 2, "FROM must be before TO"),
        (&["incremental", "--data", "x", "--window", "soon"], 2, "90d"),
        (
            &["incremental", "--data", "x", "--window", "5x"],
            2,
            "'--window <DAYS>': expected a number of days",
        ),
        (
            &["incremental", "--data", "x", "--budget", "x"],
            2,
            "expected a number of parameter sets such as 200000",
        ),
        (
            &["incremental", "--data", "x", "-j", "0"],
            2,
            "expected a number of threads such as 2, of 1 to 1024",
        ),
        (&["incremental", "--data", "x", "--max-memory", "64"], 2, "expected a size such as 64MiB"),
        (&["incremental", "--data", "x", "--lock-wait", "5"], 2, "expected a time such as 30s, 5m or 0"),
        (&["inspect", "runs", "--limit", "0"], 2, "expected a number such as 20, at least 1"),
        (&["inspect", "trades", "x", "--match-minutes", "9999"], 2, "at most 1440"),
        (&["inspect", "top", "--min-trades", "few"], 2, "expected a number of trades such as 50"),
        (&["adopt", "best"], 2, "expected the number of a run such as 3"),
        (&["memory", "attach", "me"], 2, "expected the number of a process"),
        (&["check", "lookahead", "--data", "x", "--samples", "1.5"], 2, "expected a number of instants"),
        (&["incremental", "--data", "x", "--score", "best"], 3, "balanced"),
        (&["incremental", "--data", "x", "--constraint", "luck>1"], 3, "max_drawdown_pct"),
        (&["incremental", "--data", "x", "--set", "search.topp=3"], 3, "did you mean `top`?"),
        (&["incremental", "--data", "x", "--set", "search.top"], 2, "KEY=VALUE"),
        (&["incremental", "--data", "x", "-c", "nowhere.toml"], 3, "cannot read `nowhere.toml`"),
        (&["incremental", "--data", "x", "-c", "nowhere.toml"], 3, "hint: `optimizer init` writes one"),
        (&["inspect"], 2, "optimizer incremental"),
        (&["export-json"], 2, "optimizer incremental"),
        (&["conquer"], 2, "unrecognized"),
    ];
    for (arguments, wanted, text) in cases {
        let store = place.store();
        let output = optimizer(&[arguments, &["--store", &store][..]].concat());
        assert_eq!(code(&output), *wanted, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(text), "{arguments:?}: {}", stderr(&output));
        assert!(!place.at("store").exists());
    }
    let config = place.write("optimizer.toml", "[style.swing.space]\natr_tp_multiplier = [2, 4]\n");
    let output =
        place.incremental(&sample, &["-c", path(&config), "--json", "--exit-zero", "--style", "swing"]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(document["data"]["evaluation"]["parameter_sets"], 139_968 / 3 * 2);
}

#[test]
fn a_busy_store_is_told_apart_from_a_broken_one() {
    let place = Place::new();
    assert_eq!(code(&place.incremental(&sample_dir(), &[])), 10);
    let held = retune::store::Store::open(place.at("store"), 0).expect("the store");
    let busy = place.incremental(&sample_dir(), &[]);
    assert_eq!(code(&busy), 5, "{}", stderr(&busy));
    assert!(
        stderr(&busy).contains(&std::process::id().to_string()),
        "the holder is named: {}",
        stderr(&busy)
    );
    let reader = optimizer(&["inspect", "--store", &place.store()]);
    assert_eq!(code(&reader), 0, "readers go on: {}", stderr(&reader));
    drop(held);
    let state = place.at("store").join("state.redb");
    let mut bytes = fs::read(&state).expect("the state");
    bytes.truncate(bytes.len() / 2);
    fs::write(&state, &bytes).expect("written");
    let broken = place.incremental(&sample_dir(), &[]);
    assert_eq!(code(&broken), 6, "{}", stderr(&broken));
    assert!(fs::read(&state).expect("the state") == bytes, "a broken store is left for repair");
}

#[test]
fn the_export_is_complete_replaced_whole_and_checkable() {
    let place = Place::new();
    assert_eq!(code(&place.incremental(&sample_dir(), &[])), 10);
    let target = place.write("bot/learning_config.json", "{\"old\": true}");
    let (store, file) = (place.store(), path(&target).to_owned());
    let export =
        |more: &[&str]| optimizer(&[&["export-json", "--store", &store, "-o", &file], more].concat());
    assert_eq!(code(&export(&["--check"])), 1, "the old file differs");
    // It is nobody's export that this profile knows.
    assert_eq!(code(&export(&[])), 12);
    assert_eq!(code(&export(&["--force"])), 0);
    assert_eq!(code(&export(&["--check"])), 0);
    let config: Value = serde_json::from_slice(&fs::read(&target).expect("written")).expect("JSON");
    let params = &config["scalping_params"];
    let output = optimizer(&["incremental", "--data", path(&sample_dir()), "--no-save", "--json"]);
    let run: Value = serde_json::from_slice(&output.stdout).expect("one document");
    let best = &run["data"]["styles"]["scalping"]["decision"]["candidate"]["params"];
    for key in [
        "atr_tp_multiplier",
        "atr_stop_multiplier",
        "max_holding_hours",
        "min_signal_score",
        "min_risk_reward",
    ] {
        assert_eq!(params[key].as_f64(), best[key].as_f64(), "{key}");
        assert!(params[key].is_number());
    }
    let mut left: Vec<_> = fs::read_dir(place.at("bot"))
        .expect("the folder")
        .map(|e| e.expect("an entry").file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["learning_config.json", "learning_config.json.bak"], "nothing else is left beside it");
    let refused =
        optimizer(&["export-json", "--store", &store, "-o", path(&place.at("no/such/folder/x.json"))]);
    assert_eq!(code(&refused), 74);
    let printed = optimizer(&["export-json", "--store", &store, "-o", "-"]);
    assert!(serde_json::from_slice::<Value>(&printed.stdout).is_ok());
}

#[test]
fn a_stopped_run_learns_nothing_and_is_resumed() {
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_optimizer"))
        .args([
            "incremental",
            "--data",
            path(&sample_dir()),
            "--store",
            &place.store(),
            "--progress",
            "lines",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // The first line of progress: signals are listened for, work has begun.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("stderr")));
    assert_eq!(lines.next().expect("a line").expect("text"), "reading 3 symbols");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    let status = child.wait().expect("an end");
    match status.code() {
        Some(20) => assert!(!place.at("store").join("state.redb").exists(), "nothing was learned"),
        // The run was quicker than the signal: then it is whole.
        Some(10) => assert!(place.at("store").join("state.redb").exists()),
        other => panic!("ended with {other:?}"),
    }
    let again = place.incremental(&sample_dir(), &["--exit-zero"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
}

/// The seven symbols and the ugly files that lie beside the project, where they do.
#[test]
fn real_candles_run_through() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.exists() {
        return;
    }
    let place = Place::new();
    let spot = data.join("candles/binance-spot");
    let first = place.incremental(&spot, &["--json"]);
    assert!([10, 11, 12].contains(&code(&first)), "{}", stderr(&first));
    let document: Value = serde_json::from_slice(&first.stdout).expect("one document");
    assert_eq!(document["data"]["input"]["symbols"].as_array().map(Vec::len), Some(7));
    assert_eq!(document["data"]["evaluation"]["parameter_sets"], 2 * 139_968);
    let signals = document["data"]["evaluation"]["signals"].as_f64().expect("a count");
    let units = document["data"]["evaluation"]["units_total"].as_f64().expect("a count");
    assert!((2.0..20.0).contains(&(signals / units)), "{} signals per symbol and day", signals / units);
    let second = place.incremental(&spot, &[]);
    assert_eq!(code(&second), 0);
    assert!(stdout(&second).contains("parameters unchanged"));
    let both = place.incremental(&data.join("candles"), &["--no-save"]);
    assert_eq!(code(&both), 4, "two markets of one symbol contradict each other");
    let native =
        place.incremental(&data.join("native"), &["--no-save", "--on-conflict", "last", "--exit-zero"]);
    assert_eq!(code(&native), 0, "{}", stderr(&native));
}

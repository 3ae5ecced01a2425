//! `optimizer inspect` on stores made by real runs and on stores with known content.

use std::collections::BTreeMap;
use std::process::Stdio;

use retune::model::{DAY_MS, Style};
use retune::store::records::*;
use retune::store::{LearningCommit, Store};
use serde_json::{Value, json};

use crate::command::{StoreDir, optimizer, text};

/// Every topic, as it is called.
const TOPICS: [&[&str]; 9] = [
    &["inspect"],
    &["inspect", "overview"],
    &["inspect", "runs"],
    &["inspect", "run", "1"],
    &["inspect", "params"],
    &["inspect", "changes"],
    &["inspect", "top"],
    &["inspect", "store"],
    &["inspect", "cache"],
];
/// 2025-01-01T00:00:00Z
const NEW_YEAR_MS: i64 = 1_735_689_600_000;

fn set(take_profit: f64, consensus: f64) -> StoredParameterSet {
    let filters = vec![
        StoredFilter { name: "min_consensus".to_owned(), value: StoredValue::Number(consensus) },
        StoredFilter { name: "allowed_mkt_struct".to_owned(), value: StoredValue::Name("all".to_owned()) },
    ];
    StoredParameterSet {
        atr_tp_multiplier: take_profit,
        atr_stop_multiplier: 1.5,
        max_holding_hours: 8.0,
        filters,
    }
}

fn metrics(trades: u64, drawdown: Option<f64>) -> StoredMetrics {
    StoredMetrics { trades, win_rate: Some(0.5), max_drawdown_pct: drawdown, ..StoredMetrics::default() }
}

fn trial(rank: u32, score: f64, trades: u64, drawdown: Option<f64>) -> TrialRecord {
    TrialRecord { rank, set: set(2.0, f64::from(rank)), score, metrics: metrics(trades, drawdown) }
}

/// A run that adopts a take-profit for a style.
fn adopting(day: i64, style: Style, old: Option<f64>, new: f64) -> LearningCommit {
    let started_at_ms = NEW_YEAR_MS + day * DAY_MS;
    let issue = |n: u64| IssueRecord {
        file: format!("{n}.csv"),
        kind: "gap".to_owned(),
        count: n + 1,
        detail: "candles are missing".to_owned(),
    };
    let sizes = RunStyleRecord {
        style: style.to_string(),
        signals: 90,
        pending: 1,
        parameter_sets: 4,
        opportunities: 9,
    };
    let run = RunRecord {
        started_at_ms,
        result: "changed".to_owned(),
        exit_code: 10,
        config_toml: "[search]\nscore = \"balanced\"\n".to_owned(),
        data_fingerprint: [0xAB; 32],
        symbols: vec!["BTCUSDT".to_owned()],
        styles: vec![sizes],
        issues: (0..25).map(issue).collect(),
        ..RunRecord::default()
    };
    let candidate = CandidateRecord {
        set: set(new, 1.0),
        score: Some(2.5),
        full: metrics(40, None),
        early: metrics(30, Some(4.0)),
        late: metrics(10, Some(3.0)),
    };
    let change = ChangeRecord {
        scope: style.to_string(),
        key: "atr_tp_multiplier".to_owned(),
        old: old.map(|value| value.to_string()),
        new: Some(new.to_string()),
    };
    let decision = DecisionRecord {
        verdict: "PASSED".to_owned(),
        adopted: true,
        changed: true,
        outcome: "adopted".to_owned(),
        reasons: vec!["holds up on the late part".to_owned()],
        score_name: "balanced".to_owned(),
        incumbent: old.map(|old| CandidateRecord { set: set(old, 1.0), ..candidate.clone() }),
        candidate: Some(candidate),
        changes: vec![change],
        ..DecisionRecord::default()
    };
    let params = ParamsRecord {
        set: set(new, 1.0),
        score_name: "balanced".to_owned(),
        score: Some(2.5),
        metrics: metrics(40, None),
        verdict: "PASSED".to_owned(),
        run: 0,
        adopted_at_ms: started_at_ms,
        generation: 0,
        source: "run".to_owned(),
    };
    let trials = vec![
        trial(1, 2.5, 30, Some(4.0)),
        trial(2, 2.5, 30, Some(4.0)),
        trial(3, 1.5, 50, Some(9.0)),
        trial(4, 0.5, 10, None),
    ];
    LearningCommit {
        params: BTreeMap::from([(style.to_string(), Some(params))]),
        decisions: BTreeMap::from([(style, decision)]),
        trials: BTreeMap::from([(style, TrialsRecord { trials })]),
        ..LearningCommit::new("default", run)
    }
}

/// A run that keeps what is in force.
fn keeping(day: i64, profile: &str) -> LearningCommit {
    let run = RunRecord {
        started_at_ms: NEW_YEAR_MS + day * DAY_MS,
        result: "unchanged".to_owned(),
        ..RunRecord::default()
    };
    LearningCommit::new(profile, run)
}

fn store_of(commits: Vec<LearningCommit>) -> StoreDir {
    let dir = StoreDir::missing();
    let mut store = Store::open(&dir.path, NEW_YEAR_MS).expect("a new store");
    for commit in commits {
        store.commit(commit).expect("a valid commit");
    }
    store.publish_view().expect("a view");
    dir
}

/// Three runs of `default`, one of `live`.
fn history() -> StoreDir {
    store_of(vec![
        adopting(0, Style::Scalping, None, 2.0),
        adopting(10, Style::Swing, Some(4.0), 5.0),
        keeping(20, "live"),
        keeping(30, "default"),
    ])
}

fn ids(document: &Value, list: &str, key: &str) -> Vec<u64> {
    let rows = document["data"][list].as_array().expect("a list");
    rows.iter().map(|row| row[key].as_u64().expect("a number")).collect()
}

fn ranks(document: &Value, style: &str) -> Vec<u64> {
    let trials = document["data"]["styles"][style]["trials"].as_array().expect("trials");
    trials.iter().map(|trial| trial["rank"].as_u64().expect("a rank")).collect()
}

#[test]
fn every_topic_of_a_real_run_prints_text_that_fits_and_changes_nothing() {
    let store = StoreDir::after_a_run();
    let before = store.content();
    for topic in TOPICS {
        let printed = store.stdout(topic);
        assert!(!printed.trim().is_empty(), "{topic:?}");
        // The store's path, and a command with it, is as long as it is.
        let lines = printed.lines().filter(|line| !line.contains(&store.path.display().to_string()));
        for line in lines {
            assert!(line.chars().count() <= 100, "{topic:?}: {line}");
        }
        let document = store.json(topic);
        let kind = format!("optimizer.inspect_{}/1", topic.get(1).unwrap_or(&"overview"));
        assert_eq!(document["schema"], kind, "{topic:?}");
    }
    assert_eq!(store.content(), before, "inspect writes nothing");
}

#[test]
fn what_a_real_run_printed_is_what_is_stored() {
    let store = StoreDir::missing();
    let ran =
        store.run(&["incremental", "--data", "tests/sample", "--json", "--exit-zero", "--progress", "none"]);
    let ran: Value = serde_json::from_slice(&ran.stdout).expect("a document");
    let ran = &ran["data"];
    let run = &store.json(&["inspect", "run", "1"])["data"];
    let top = &store.json(&["inspect", "top"])["data"];
    for key in ["data_fingerprint", "plan_fingerprint", "started_at", "profile", "id"] {
        assert_eq!(run["run"][key], ran["run"][key], "{key}");
    }
    assert_eq!(run["run"]["result"], ran["decision"]["result"]);
    for key in ["files", "symbols", "candles", "days", "first_day", "last_day"] {
        assert_eq!(run["input"][key], ran["input"][key], "{key}");
    }
    for style in ["scalping", "swing"] {
        let (stored, printed) = (&run["styles"][style]["decision"], &ran["styles"][style]);
        assert_eq!(stored["candidate"], printed["best"], "{style}");
        assert_eq!(stored["verdict"], printed["validation"]["verdict"], "{style}");
        assert_eq!(stored["early_days"], printed["validation"]["early_days"], "{style}");
        assert_eq!(top["styles"][style]["trials"][0]["params"], printed["best"]["params"], "{style}");
        assert_eq!(top["styles"][style]["trials"][0]["score"], printed["best"]["score"], "{style}");
    }
}

#[test]
fn the_overview_shows_every_profile_the_chosen_one_first() {
    let store = history();
    let document = store.json(&["inspect", "--profile", "live"]);
    let names: Vec<&Value> =
        document["data"]["profiles"].as_array().unwrap().iter().map(|p| &p["profile"]).collect();
    assert_eq!(names, ["live", "default"]);
    let document = store.json(&["inspect"]);
    let default = &document["data"]["profiles"][0];
    assert_eq!((&default["runs"], &default["last_run"]["id"]), (&json!(3), &json!(3)));
    assert_eq!(default["scopes"][1]["scope"], "swing");
    assert_eq!(default["scopes"][1]["params"]["atr_tp_multiplier"], 5);
    let adopted_at_ms = NEW_YEAR_MS + 10 * DAY_MS;
    let age = (now_ms() - adopted_at_ms) / DAY_MS;
    let shown = default["scopes"][1]["days_in_force"].as_i64().expect("days");
    assert!((age - 1..=age + 1).contains(&shown), "{shown} days, expected {age}");
    let printed = store.stdout(&["inspect"]);
    assert!(printed.starts_with("profile default: 3 runs\n  last run: 3, 2025-01-31 00:00 ("), "{printed}");
    assert!(printed.contains("in force, swing: for ") && printed.contains("by run 2, PASSED"), "{printed}");
    assert!(printed.contains("profile live: 1 run\n"), "{printed}");
    assert!(printed.contains("  no parameters in force\n"), "{printed}");
    let path = store.path.display();
    assert!(
        printed.contains(&format!("next: optimizer --store {path} incremental --data PATH\n")),
        "{printed}"
    );
    assert!(
        printed.contains(&format!("optimizer --store {path} --profile live inspect run 1\n")),
        "{printed}"
    );
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("the clock is right").as_millis() as i64
}

#[test]
fn a_default_profile_without_runs_is_empty_beside_the_others() {
    let store = store_of(vec![keeping(0, "live")]);
    let printed = store.stdout(&["inspect"]);
    assert!(printed.starts_with("profile default: empty, no run yet\n  next: optimizer "), "{printed}");
    assert!(printed.contains("incremental --data PATH\n\nprofile live: 1 run\n"), "{printed}");
    assert_eq!(store.json(&["inspect"])["data"]["profiles"][0]["last_run"], Value::Null);
    let empty = store_of(Vec::new());
    assert!(empty.stdout(&["inspect"]).starts_with("profile default: empty, no run yet\n"));
    let (code, error) = empty.failure(&["inspect", "runs"]);
    assert_eq!(code, Some(2));
    assert!(
        error.contains("it has none yet") && error.contains("hint: run `optimizer incremental"),
        "{error}"
    );
}

#[test]
fn runs_are_filtered_by_number_day_and_style() {
    let store = history();
    let runs = |arguments: &[&str]| {
        let document = store.json(&[&["inspect", "runs"], arguments].concat());
        (ids(&document, "runs", "id"), document["data"]["matching"].as_u64().expect("a count"))
    };
    assert_eq!(runs(&[]), (vec![3, 2, 1], 3));
    assert_eq!(runs(&["--limit", "1"]), (vec![3], 3));
    assert_eq!(runs(&["--since", "2025-01-11"]), (vec![3, 2], 2));
    assert_eq!(runs(&["--since", "20250112"]), (vec![3], 1));
    assert_eq!(runs(&["--style", "swing"]), (vec![2], 1));
    assert_eq!(runs(&["--profile", "live"]), (vec![1], 1));
    let printed = store.stdout(&["inspect", "runs", "--limit", "2"]);
    let rows: Vec<Vec<&str>> =
        printed.lines().take(3).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["Run", "When", "Result", "Symbols", "Candles", "Last", "day", "ms", "swing"]);
    assert_eq!(rows[1], ["3", "2025-01-31", "00:00", "unchanged", "0", "0", "-", "0", "-"]);
    assert_eq!(rows[2], ["2", "2025-01-11", "00:00", "changed", "1", "0", "-", "0", "PASSED"]);
    assert!(printed.contains("2 of 3 runs; --limit shows more"), "{printed}");
    assert_eq!(
        store.stdout(&["inspect", "runs", "--since", "2099-01-01"]).trim(),
        "profile default: none of 3 runs match"
    );
}

#[test]
fn a_run_is_shown_with_reasons_changes_and_the_first_issues() {
    let store = history();
    let printed = store.stdout(&["inspect", "run", "2"]);
    for expected in [
        "run 2 of profile default: changed (exit code 10)\n",
        "swing: PASSED, adopted\n",
        "candidate, early",
        "in force, late",
        "  candidate: balanced score 2.5000; atr_tp_multiplier=5 ",
        "  in force: balanced score 2.5000; atr_tp_multiplier=4 ",
        "  - holds up on the late part\n",
        "  * atr_tp_multiplier: 4 -> 5\n",
        "25 issues:\n  0.csv: 1 x gap: candles are missing\n",
        "  and 5 more",
        "fingerprints: data abababababababab, ",
    ] {
        assert!(printed.contains(expected), "{expected:?} is missing in\n{printed}");
    }
    assert!(!printed.contains("[search]"), "{printed}");
    let verbose = store.stdout(&["inspect", "run", "2", "-v"]);
    assert!(verbose.contains("configuration:\n[search]\nscore = \"balanced\"\n"), "{verbose}");
    let document = &store.json(&["inspect", "run", "2"])["data"];
    assert_eq!(document["config_toml"], "[search]\nscore = \"balanced\"\n");
    assert_eq!(document["input"]["issues"].as_array().map(Vec::len), Some(25));
    assert_eq!(document["run"]["peak_rss_bytes"], Value::Null);
    assert_eq!(document["styles"]["swing"]["decision"]["early_days"], Value::Null);
}

#[test]
fn parameters_in_force_say_since_when_and_why() {
    let store = history();
    let document = store.json(&["inspect", "params", "--style", "swing"]);
    let scopes = document["data"]["scopes"].as_array().expect("scopes");
    assert_eq!(scopes.len(), 1);
    let expected = json!({
        "atr_tp_multiplier": 5, "atr_stop_multiplier": 1.5, "max_holding_hours": 8, "min_consensus": 1,
        "allowed_mkt_struct": "all",
    });
    assert_eq!(scopes[0]["params"], expected);
    assert_eq!((&scopes[0]["run"], &scopes[0]["adopted_at"]), (&json!(2), &json!("2025-01-11T00:00:00Z")));
    let printed = store.stdout(&["inspect", "params"]);
    assert!(printed.starts_with("scalping: since 2025-01-01 00:00 ("), "{printed}");
    assert!(printed.contains("by run 2 (run), generation 1, PASSED\n  balanced score 2.5000\n"), "{printed}");
    let none = store.stdout(&["inspect", "params", "--profile", "live"]);
    assert!(none.starts_with("profile live: no parameters in force"), "{none}");
}

#[test]
fn changes_are_listed_newest_first() {
    let store = history();
    let changes = |arguments: &[&str]| {
        let document = store.json(&[&["inspect", "changes"], arguments].concat());
        (ids(&document, "adoptions", "run"), document["data"]["matching"].as_u64().expect("a count"))
    };
    assert_eq!(changes(&[]), (vec![2, 1], 2));
    assert_eq!(changes(&["--limit", "1"]), (vec![2], 2));
    assert_eq!(changes(&["--style", "scalping"]), (vec![1], 1));
    assert_eq!(changes(&["--since", "2025-01-02"]), (vec![2], 1));
    let printed = store.stdout(&["inspect", "changes"]);
    let rows: Vec<Vec<&str>> =
        printed.lines().take(3).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["2", "2025-01-11", "00:00", "swing", "atr_tp_multiplier", "4", "->", "5"]);
    assert_eq!(rows[2], ["1", "2025-01-01", "00:00", "scalping", "atr_tp_multiplier", "-", "->", "2"]);
    let none = store.stdout(&["inspect", "changes", "--profile", "live"]);
    assert!(none.contains("no changes were adopted"), "{none}");
}

#[test]
fn the_best_trials_are_filtered_and_sorted() {
    let store = history();
    let top = |arguments: &[&str]| {
        ranks(&store.json(&[&["inspect", "top", "--run", "2"], arguments].concat()), "swing")
    };
    assert_eq!(top(&[]), [1, 2, 3, 4]);
    assert_eq!(top(&["--limit", "2"]), [1, 2]);
    assert_eq!(top(&["--best"]), [1]);
    assert_eq!(top(&["--best", "--sort", "trades"]), [3]);
    assert_eq!(top(&["--min-trades", "30"]), [1, 2, 3]);
    assert_eq!(top(&["--max-drawdown", "4"]), [1, 2]);
    assert_eq!(top(&["--sort", "trades"]), [3, 1, 2, 4]);
    assert_eq!(top(&["--sort", "max_drawdown"]), [1, 2, 3, 4]);
    let document = store.json(&["inspect", "top", "--run", "2"]);
    let swing = &document["data"]["styles"]["swing"];
    assert_eq!(swing["varying"], json!(["min_consensus"]));
    let same: Vec<&Value> = swing["trials"].as_array().unwrap().iter().map(|t| &t["same_results"]).collect();
    assert_eq!(same, [2, 2, 1, 1]);
    let printed = store.stdout(&["inspect", "top", "--run", "2", "--style", "swing"]);
    assert!(printed.contains("swing: 4 of 4 trials kept\n"), "{printed}");
    assert!(printed.contains("ties: so many of the 4 trials kept have exactly these results"), "{printed}");
    let line = |start: &str| {
        let found = printed.lines().find(|line| line.trim_start().starts_with(start));
        found
            .unwrap_or_else(|| panic!("{start} is missing in\n{printed}"))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert_eq!(line("min_consensus"), ["min_consensus", "1", "2", "3", "4"]);
    assert_eq!(line("3 "), ["3", "1.5000", "50", "50.0", "-", "-", "-", "9.0", "1"]);
    assert!(line("in all:").contains(&"allowed_mkt_struct=all"));
    // The last run searched nothing.
    assert!(store.stdout(&["inspect", "top"]).contains("no trials are kept of this run"));
}

#[test]
fn the_store_lists_tables_and_files() {
    let store = history();
    let document = &store.json(&["inspect", "store"])["data"];
    assert_eq!(document["profiles"], json!(["default", "live"]));
    assert_eq!(document["created_at"], "2025-01-01T00:00:00Z");
    let uuid = document["uuid"].as_str().expect("text");
    assert!(uuid.len() == 32 && uuid.bytes().all(|b| b.is_ascii_hexdigit()), "{uuid}");
    let table =
        |name: &str| document["tables"].as_array().unwrap().iter().find(|t| t["name"] == name).unwrap();
    assert_eq!((&table("runs")["rows"], &table("runs")["class"]), (&json!(4), &json!("truth")));
    assert_eq!(table("params")["rows"], 2);
    for file in document["files"].as_array().expect("files") {
        let name = file["name"].as_str().expect("a name");
        let found = std::fs::metadata(store.path.join(name)).expect("a file");
        assert_eq!(file["bytes"], found.len(), "{name}");
    }
    let printed = store.stdout(&["inspect", "store"]);
    assert!(printed.contains(uuid) && printed.contains("view.redb"), "{printed}");
}

#[test]
fn what_is_not_there_is_an_error_that_names_what_is() {
    let store = history();
    for arguments in [&["inspect", "run", "9"][..], &["inspect", "top", "--run", "9"]] {
        let (code, error) = store.failure(arguments);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains("from 1 to 3, found 9\nhint: "), "{error}");
    }
    for topic in [
        &["inspect"][..],
        &["inspect", "runs"],
        &["inspect", "params"],
        &["inspect", "top"],
        &["inspect", "changes"],
        &["inspect", "run", "1"],
    ] {
        let (code, error) = store.failure(&[topic, &["--profile", "typo"]].concat());
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains("(default, live), found \"typo\"\nhint: "), "{error}");
    }
    let missing = StoreDir::missing();
    for topic in TOPICS {
        let (code, error) = missing.failure(topic);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.starts_with("error: no store at ") && error.contains("\nhint: "), "{error}");
    }
    assert!(!missing.path.exists(), "a look creates nothing");
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors() {
    let store = history();
    for arguments in [
        &["runs", "--since", "2025-02-30"][..],
        &["runs", "--limit", "0"],
        &["changes", "--style", "both"],
        &["run"],
        &["run", "last"],
        &["top", "--sort", "luck"],
        &["top", "--max-drawdown", "-1"],
        &["top", "--max-drawdown", "NaN"],
        &["top", "--best", "--limit", "3"],
        &["nonsense"],
    ] {
        let (code, error) = store.failure(&[&["inspect"], arguments].concat());
        assert_eq!(code, Some(2), "{arguments:?}: {error}");
        assert!(error.starts_with("error: "), "{arguments:?}: {error}");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let store = history();
    for json in [&[][..], &["--json"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = optimizer();
        command.args(["inspect", "run", "1"]).args(json).arg("--store").arg(&store.path);
        let child =
            command.stdout(writer).stderr(Stdio::piped()).spawn().expect("the program can be started");
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    }
}

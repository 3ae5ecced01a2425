//! `optimizer inspect` on stores made by real runs and on stores with known content.

use std::collections::BTreeMap;
use std::process::Stdio;

use retune::model::{DAY_MS, ExitRule, Style};
use retune::store::records::*;
use retune::store::{LearningCommit, Store};
use serde_json::{Value, json};

use crate::command::{StoreDir, optimizer, text};

/// Every topic, as it is called.
const TOPICS: [&[&str]; 15] = [
    &["inspect"],
    &["inspect", "overview"],
    &["inspect", "runs"],
    &["inspect", "run", "1"],
    &["inspect", "params"],
    &["inspect", "changes"],
    &["inspect", "top"],
    &["inspect", "store"],
    &["inspect", "cache"],
    &["inspect", "diff", "1", "last"],
    &["inspect", "features"],
    &["inspect", "insights"],
    &["inspect", "importance"],
    &["inspect", "trials"],
    &["inspect", "space"],
];
/// Every topic that is a list.
const LISTINGS: [&str; 11] = [
    "runs",
    "params",
    "changes",
    "diff",
    "features",
    "insights",
    "importance",
    "trials",
    "top",
    "space",
    "cache",
];
/// 2025-01-01T00:00:00Z
const NEW_YEAR_MS: i64 = 1_735_689_600_000;

fn set(take_profit: f64, consensus: f64) -> StoredParameterSet {
    let filters = vec![
        StoredFilter { name: "min_consensus".to_owned(), value: StoredValue::Number(consensus) },
        StoredFilter { name: "allowed_mkt_struct".to_owned(), value: StoredValue::Name("all".to_owned()) },
    ];
    StoredParameterSet::of(&ExitRule::new(take_profit, 1.5, 8.0), filters)
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
        line: None,
        kind: "gap".to_owned(),
        count: n + 1,
        detail: ReasonRecord::told("candles are missing".to_owned()),
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
        reasons: vec![ReasonRecord { code: "verdict".to_owned(), values: "\"holds\"".to_owned() }],
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

/// A run that keeps what is active.
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
        let kind = format!("inspect_{}", topic.get(1).unwrap_or(&"overview"));
        let schema = crate::document_schemas::schema_of(&kind).expect("a kind");
        assert_eq!(document["schema"], schema["properties"]["schema"]["const"], "{topic:?}");
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
    // A stored run has the same parts, and each is the same as a whole.
    assert_eq!(ran["decision"]["result"], run["run"]["result"]);
    for part in ["run", "input"] {
        assert_same(part, &run[part], &ran[part]);
    }
    let styles = run["styles"].as_object().expect("styles");
    assert_eq!(styles.len(), 2);
    for (style, stored) in styles {
        let printed = &ran["styles"][style];
        for part in ["decision", "evidence", "losses", "symbols", "unused_signals"] {
            assert!(stored[part].is_object(), "{style}, {part}");
        }
        assert_same(style, stored, printed);
        let first = &top["styles"][style]["trials"][0];
        let candidate = &printed["decision"]["candidate"];
        assert_eq!(
            (&first["params"], &first["score"]),
            (&candidate["params"], &candidate["score"]),
            "{style}"
        );
    }
}

/// Asserts that a stored part is the printed one: the same keys and values, but for what a run costs, which is known at its end.
fn assert_same(place: &str, stored: &Value, printed: &Value) {
    match (stored, printed) {
        (Value::Object(own), Value::Object(other)) => {
            assert_eq!(own.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{place}");
            for (key, value) in
                own.iter().filter(|(key, _)| !["duration_ms", "peak_rss_bytes"].contains(&key.as_str()))
            {
                assert_same(&format!("{place}/{key}"), value, &other[key]);
            }
        }
        (Value::Array(own), Value::Array(other)) => {
            assert_eq!(own.len(), other.len(), "{place}");
            own.iter().zip(other).for_each(|(own, other)| assert_same(place, own, other));
        }
        _ => assert_eq!(stored, printed, "{place}"),
    }
}

/// A style is told by one function, whether its run has just ended or is read from the store: of what is stored nothing is said
/// otherwise, and nothing is left out.
#[test]
fn a_stored_style_is_told_in_the_words_of_the_run() {
    let store = StoreDir::missing();
    let ran =
        store.run(&["incremental", "--data", "tests/sample", "--exit-zero", "--progress", "none", "-v"]);
    let ran = &text(&ran.stdout);
    let stored = store.stdout(&["inspect", "run", "1"]);
    for style in ["scalping", "swing"] {
        let block = |text: &str| -> Vec<String> {
            let start = text.find(&format!("\n{style}: ")).expect("the style is told") + 1;
            let end = text[start..].find("\n\n").map_or(text.len(), |end| start + end);
            text[start..end].lines().map(str::to_owned).collect()
        };
        assert!(block(&stored).len() > 10, "{stored}");
        assert_eq!(block(&stored), block(ran), "{style}");
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
    let shown = default["scopes"][1]["days_active"].as_i64().expect("days");
    assert!((age - 1..=age + 1).contains(&shown), "{shown} days, expected {age}");
    let printed = store.stdout(&["inspect"]);
    assert!(printed.starts_with("profile default: 3 runs\n  last run: 3, 2025-01-31 00:00 ("), "{printed}");
    assert!(printed.contains("active, swing: for ") && printed.contains("by run 2, PASSED"), "{printed}");
    assert!(printed.contains("profile live: 1 run\n"), "{printed}");
    assert!(printed.contains("  no active parameters\n"), "{printed}");
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
        "swing: 4 parameter sets over 90 signals (1 pending), 9 opportunities; verdict PASSED, adopted\n",
        "candidate, IS",
        "active, OOS",
        "  candidate: balanced score 2.5000; atr_tp_multiplier=5 ",
        "  active: balanced score 2.5000; atr_tp_multiplier=4 ",
        "  - holds up on the last days\n",
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
    assert_eq!(document["styles"]["swing"]["decision"]["in_sample_days"], Value::Null);
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
    assert!(none.starts_with("profile live: no active parameters"), "{none}");
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
    assert_eq!(rows[1], ["2", "2025-01-11", "00:00", "swing", "atr_tp_multiplier", "4", "5"]);
    assert_eq!(rows[2], ["1", "2025-01-01", "00:00", "scalping", "atr_tp_multiplier", "-", "2"]);
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
    assert!(
        printed.contains("swing: 3 of 4 trials kept, 1 with the results of one above folded\n"),
        "{printed}"
    );
    assert!(printed.contains("ties: so many of the 4 trials kept have exactly these results"), "{printed}");
    let line = |start: &str| {
        let found = printed.lines().find(|line| line.trim_start().starts_with(start));
        found
            .unwrap_or_else(|| panic!("{start} is missing in\n{printed}"))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert_eq!(line("min_consensus"), ["min_consensus", "1", "3", "4"]);
    assert_eq!(line("3 "), ["3", "1.5000", "50", "50.0", "-", "-", "-", "9.0", "1"]);
    assert!(line("in all:").contains(&"allowed_mkt_struct=all"));
    // The last run searched nothing.
    assert!(store.stdout(&["inspect", "top", "--run", "last"]).contains("no trials are kept of this run"));
}

/// Returns what was printed as one line: where it breaks is not asked.
fn joined(printed: &str) -> String {
    printed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the fields of CSV, line by line; the reader knows nothing of how it was written.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = rest.next() {
        match (c, quoted) {
            ('"', true) if rest.peek() == Some(&'"') => field.extend(rest.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => fields.push(std::mem::take(&mut field)),
            ('\r', false) => {}
            ('\n', false) => {
                fields.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut fields));
            }
            (c, _) => field.push(c),
        }
    }
    assert!(!quoted && field.is_empty() && fields.is_empty(), "whole lines");
    lines
}

#[test]
fn every_listing_is_csv_and_any_of_its_columns_make_a_table_that_fits() {
    let store = StoreDir::after_a_run();
    store.run(&["incremental", "--data", "tests/sample", "--set", "costs.taker_fee_pct=0.06", "--exit-zero"]);
    for topic in LISTINGS {
        let lines = csv(&store.stdout(&["inspect", topic, "--csv"]));
        assert!(lines.len() > 1, "{topic} has rows");
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{topic}");
        let names = lines[0].join(",");
        let all = store.stdout(&["inspect", topic, "--columns", &names]);
        for line in all.lines().chain(store.stdout(&["inspect", topic]).lines()) {
            assert!(line.chars().count() <= 100, "{topic}: {line}");
        }
        // Asked for the other way round, the columns come the other way round.
        let backwards: Vec<&str> = lines[0].iter().rev().map(String::as_str).collect();
        let turned = csv(&store.stdout(&["inspect", topic, "--csv", "--columns", &backwards.join(",")]));
        let expected: Vec<Vec<String>> =
            lines.iter().map(|line| line.iter().rev().cloned().collect()).collect();
        assert_eq!(turned, expected, "{topic}");
        let (code, error) = store.failure(&["inspect", topic, "--columns", "no_such_column"]);
        assert_eq!(code, Some(2), "{topic}: {error}");
        assert!(error.contains(&lines[0].join(", ")), "{topic}: {error}");
    }
}

#[test]
fn csv_holds_what_the_document_holds_and_no_formula() {
    let mut formula = adopting(0, Style::Swing, None, 2.0);
    let decision = formula.decisions.get_mut(&Style::Swing).expect("decided");
    decision.changes[0].old = Some("=HYPERLINK(\"http://x\",\"y\")".to_owned());
    decision.changes[0].new = Some("-1.5".to_owned());
    let store = store_of(vec![formula]);
    let changes = csv(&store.stdout(&["inspect", "changes", "--csv", "--columns", "key,old,new"]));
    assert_eq!(changes[0], ["key", "old", "new"]);
    assert_eq!(changes[1], ["atr_tp_multiplier", "'=HYPERLINK(\"http://x\",\"y\")", "-1.5"]);
    let top = csv(&store.stdout(&[
        "inspect",
        "top",
        "--csv",
        "--columns",
        "rank,score,max_drawdown_pct,min_consensus",
    ]));
    let document = &store.json(&["inspect", "top"])["data"]["styles"]["swing"]["trials"];
    for (line, trial) in top[1..].iter().zip(document.as_array().expect("trials")) {
        let number = |field: &String| field.parse::<f64>().ok();
        assert_eq!(number(&line[0]), trial["rank"].as_f64());
        assert_eq!(number(&line[1]), trial["score"].as_f64());
        assert_eq!(number(&line[2]), trial["metrics"]["max_drawdown_pct"].as_f64());
        assert_eq!(number(&line[3]), trial["params"]["min_consensus"].as_f64());
    }
    assert_eq!(top.len(), 5);
    let none = store.stdout(&["inspect", "runs", "--csv", "--columns", "run", "--since", "2099-01-01"]);
    assert_eq!(none, "run\r\n", "no rows are no error");
}

#[test]
fn two_runs_are_compared_key_by_key() {
    let mut later = adopting(10, Style::Swing, Some(5.0), 6.0);
    later.run.config_toml = "[search]\nscore = \"sharpe\"\n".to_owned();
    later.run.symbols = vec!["ETHUSDT".to_owned()];
    let store = store_of(vec![adopting(0, Style::Swing, None, 5.0), later, keeping(20, "default")]);
    let data = |arguments: &[&str]| store.json(&[&["inspect", "diff"], arguments].concat())["data"].clone();
    let found = data(&["1", "2"]);
    assert_eq!((&found["a"]["id"], &found["b"]["id"]), (&json!(1), &json!(2)));
    let change = json!([{"scope": "swing", "key": "atr_tp_multiplier", "old": "5", "new": "6"}]);
    assert_eq!((&found["parameters"], &found["candidates"]), (&change, &change));
    let score = json!([{"scope": "search", "key": "score", "old": "\"balanced\"", "new": "\"sharpe\""}]);
    assert_eq!(found["configuration"], score);
    let symbols = json!([
        {"scope": "symbol", "key": "BTCUSDT", "old": "read", "new": null},
        {"scope": "symbol", "key": "ETHUSDT", "old": null, "new": "read"},
    ]);
    assert_eq!(found["input"], symbols);
    assert_eq!((&found["same_data"], &found["same_plan"]), (&json!(true), &json!(true)));
    let trades = found["figures"].as_array().unwrap().iter().find(|f| f["key"] == "trades").unwrap();
    assert_eq!(
        trades,
        &json!({"scope": "swing, out_of_sample", "key": "trades", "old": 10.0, "new": 10.0, "difference": 0.0})
    );
    // What was adopted stays active through a run that decided nothing.
    let kept = data(&[]);
    assert_eq!((&kept["a"]["id"], &kept["b"]["id"]), (&json!(2), &json!(3)));
    assert_eq!(kept["parameters"], json!([]));
    assert_eq!(data(&["last", "previous"])["a"]["id"], 3);
    assert_eq!(data(&["1", "last"])["parameters"], change);
    let printed = store.stdout(&["inspect", "diff", "1", "2"]);
    assert!(printed.starts_with("profile default\n  old: run 1, 2025-01-01 00:00, changed\n"), "{printed}");
    assert!(printed.contains("figures of the candidates"), "{printed}");
    let (code, error) = store.failure(&["inspect", "diff", "1", "9"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("from 1 to 3, found 9"), "{error}");
    let (_, error) = store_of(vec![keeping(0, "default")]).failure(&["inspect", "diff"]);
    assert!(error.contains("expected a run before the last one"), "{error}");
}

#[test]
fn what_differs_between_two_real_runs_is_what_was_changed() {
    let store = StoreDir::after_a_run();
    let dearer =
        ["incremental", "--data", "tests/sample", "--set", "costs.taker_fee_pct=0.06", "--exit-zero"];
    assert!(store.run(&dearer).status.success());
    let found = &store.json(&["inspect", "diff"])["data"];
    let fee = json!([{"scope": "costs", "key": "taker_fee_pct", "old": "0.05", "new": "0.06"}]);
    assert_eq!(found["configuration"], fee);
    assert_eq!((&found["same_data"], &found["same_plan"]), (&json!(true), &json!(false)));
    assert_eq!(found["input"], json!([]));
    let runs = ["1", "2"].map(|id| store.json(&["inspect", "run", id])["data"]["styles"]["swing"].clone());
    let of = |key: &str| {
        let rows = found["verdicts"].as_array().expect("verdicts");
        rows.iter().find(|row| row["scope"] == "swing" && row["key"] == key).expect("a row").clone()
    };
    assert_eq!(of("verdict")["old"], runs[0]["decision"]["verdict"]);
    assert_eq!(of("edge")["new"], runs[1]["evidence"]["edge"]["assurance"]);
    let late =
        |figure: &Value| figure["scope"] == "swing, out_of_sample" && figure["key"] == "expectancy_pct";
    let figure = found["figures"].as_array().unwrap().iter().find(|figure| late(figure)).expect("a figure");
    let metric = |run: &Value| run["decision"]["candidate"]["out_of_sample"]["expectancy_pct"].clone();
    assert_eq!((&figure["old"], &figure["new"]), (&metric(&runs[0]), &metric(&runs[1])));
}

#[test]
fn trials_of_all_runs_are_one_list() {
    let store = history();
    let trials = |arguments: &[&str]| {
        let document = store.json(&[&["inspect", "trials"], arguments].concat());
        let rows = document["data"]["trials"].as_array().expect("trials").clone();
        rows.iter().map(|t| (t["run"].as_u64().unwrap(), t["rank"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(trials(&[]), [(2, 1), (2, 2), (1, 1), (1, 2), (2, 3), (1, 3), (2, 4), (1, 4)]);
    assert_eq!(trials(&["--best"]), [(2, 1), (1, 1)]);
    assert_eq!(trials(&["--best", "--sort", "trades"]), [(2, 1), (1, 1)]);
    assert_eq!(trials(&["--style", "scalping", "--limit", "1"]), [(1, 1)]);
    assert_eq!(trials(&["--since", "2025-01-02", "--min-trades", "40"]), [(2, 3)]);
    assert_eq!(trials(&["--symbol", "BTCUSDT", "--max-drawdown", "4", "--limit", "2"]), [(2, 1), (2, 2)]);
    assert_eq!(trials(&["--symbol", "ETHUSDT"]), []);
    let printed = store.stdout(&["inspect", "trials", "--limit", "3"]);
    assert!(
        joined(&printed).contains("3 of 8 trials kept, 1 with the results of one above folded, in-sample part, by score; --limit shows more"),
        "{printed}"
    );
}

#[test]
fn runs_are_sorted_by_any_column_and_filtered_by_symbol() {
    let store = history();
    let runs =
        |arguments: &[&str]| ids(&store.json(&[&["inspect", "runs"], arguments].concat()), "runs", "id");
    assert_eq!(runs(&["--sort", "issues"]), [2, 1, 3]);
    assert_eq!(runs(&["--sort", "started_at", "--limit", "1"]), [1], "sorted before it is cut");
    assert_eq!(runs(&["--symbol", "BTCUSDT"]), [2, 1]);
    let (_, error) = store.failure(&["inspect", "runs", "--sort", "isues"]);
    assert!(error.contains("did you mean \"issues\"?") && error.contains("started_at, "), "{error}");
    let own = store.stdout(&["inspect", "changes", "--symbol", "BTCUSDT"]);
    assert!(own.contains("no changes were adopted"), "{own}");
    assert_eq!(store.json(&["inspect", "params", "--symbol", "BTCUSDT"])["data"]["scopes"], json!([]));
}

#[test]
fn what_a_real_run_learned_is_shown_with_what_it_searched() {
    let store = StoreDir::after_a_run();
    let space = &store.json(&["inspect", "space"])["data"];
    let swing = &space["styles"]["swing"];
    assert_eq!((&space["run"], &swing["parameter_sets"]), (&json!(1), &json!(139_968)));
    let axes = swing["axes"].as_array().expect("axes");
    let product: usize = axes.iter().map(|axis| axis["values"].as_array().expect("values").len()).product();
    assert_eq!(product, 139_968, "the values of all axes make the grid");
    let run = &store.json(&["inspect", "run", "last"])["data"];
    let best = &run["styles"]["swing"]["decision"]["candidate"]["params"];
    for axis in axes {
        let key = axis["key"].as_str().expect("a key");
        assert_eq!(axis["best"], best[key], "{key}");
        assert!(axis["values"].as_array().unwrap().contains(&best[key]), "{key}");
    }
    let importance = &store.json(&["inspect", "importance"])["data"]["styles"]["swing"]["dimensions"];
    let of_axis = |axis: &&Value| axis["key"] == importance[0]["dimension"];
    let first = axes.iter().find(of_axis).expect("the most important axis");
    assert_eq!(first["importance"], importance[0]["importance"]);
    let lessons = &store.json(&["inspect", "insights"])["data"]["styles"]["swing"]["lessons"];
    let lesson = lessons[0].as_str().expect("a lesson");
    let printed = store.stdout(&["inspect", "insights", "--style", "swing"]);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&printed).contains(&words(lesson)), "{printed}");
    let weights = store.json(&["inspect", "features"])["data"]["styles"]["swing"]["weights"].clone();
    assert!(weights.as_array().is_some_and(|weights| !weights.is_empty()));
    let by_hand = store.run(&["adopt", "1", "--style", "swing", "--force"]);
    assert_eq!(by_hand.status.code(), Some(10), "{}", text(&by_hand.stderr));
    assert_eq!(store.json(&["inspect", "space"])["data"]["run"], 1, "the last that searched");
    let (code, error) = store.failure(&["inspect", "space", "--run", "last"]);
    assert!(code == Some(2) && error.contains("it searched nothing"), "{error}");
}

#[test]
fn old_and_new_sets_stand_beside_each_other_in_hindsight() {
    let store = StoreDir::after_a_run();
    let again = store.run(&[
        "incremental",
        "--data",
        "tests/sample",
        "--timerange=-20250615",
        "--exit-zero",
        "--progress",
        "none",
        "-v",
    ]);
    assert!(
        again.status.success() && text(&again.stdout).contains("OPPORTUNITY CAPTURE: of "),
        "{}",
        text(&again.stdout)
    );
    let style = &store.json(&["inspect", "run", "2"])["data"]["styles"]["scalping"];
    let captures = &style["evidence"]["opportunity_capture"];
    for (name, part) in [("candidate", "candidate"), ("incumbent", "active")] {
        let count = |key: &str| captures[part][key].as_u64().expect("a count") as f64;
        let metrics = &style["decision"][name]["metrics"];
        let figure = |key: &str| metrics[key].as_f64().expect("a figure");
        let moves = count("captured") + count("missed");
        assert!(moves > 0.0 && moves <= style["opportunities"].as_f64().expect("moves"), "{name}");
        assert!((figure("capture_rate") - count("captured") / moves).abs() < 1e-12, "{name}");
        let precision = 1.0 - count("false_entries") / count("trades");
        assert!((figure("capture_precision") - precision).abs() < 1e-12, "{name}");
        assert_eq!(captures[part]["net_pct"], metrics["total_return_pct"], "{name}");
    }
    let printed = store.stdout(&["inspect", "run", "2"]);
    let words = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let captured = |part: &str| captures[part]["captured"].as_u64().expect("a count");
    assert!(words.contains(&format!("the candidate captured {},", captured("candidate"))), "{printed}");
    assert!(words.contains(&format!("the active set captured {},", captured("active"))), "{printed}");
}

#[test]
fn what_the_bot_makes_of_the_export_is_shown_step_by_step() {
    let store = StoreDir::after_a_run();
    let resolve = |more: &[&str]| {
        store.json(&[&["inspect", "params", "--resolve", "ALPHAUSDT"], more].concat())["data"].clone()
    };
    let taken = |data: &Value| {
        let steps = data["steps"].as_array().expect("steps");
        steps.iter().find(|step| step["taken"] == true).expect("one is taken")["source"].clone()
    };
    let exported = store.json(&["export-json", "-o", "-"]);
    let seasoned = resolve(&[]);
    let has_own = exported["per_symbol"].get("ALPHA/USDT:USDT").is_some();
    let source = if has_own { "own" } else { "risk_class" };
    assert_eq!((&seasoned["symbol"], taken(&seasoned)), (&json!("ALPHA/USDT:USDT"), json!(source)));
    for style in ["scalping", "swing"] {
        let held_to = seasoned["orders"][style]["params"]["min_signal_score"].as_f64();
        assert_eq!(held_to, exported[format!("{style}_params")]["min_signal_score"].as_f64(), "{style}");
    }
    let beginner = resolve(&["--closed-trades", "4"]);
    assert_eq!((taken(&beginner), &beginner["closed_trades"]), (json!("experience"), &json!(4)));
    let counted = resolve(&["--trades", "tests/fixtures/trades_history.csv"]);
    let reviewed =
        store.json(&["inspect", "trades", "tests/fixtures/trades_history.csv", "--data", "tests/sample"]);
    assert_eq!(counted["closed_trades"], reviewed["data"]["all"]["closed"]);
    let printed = store.stdout(&["inspect", "params", "--resolve", "ALPHAUSDT", "--closed-trades", "4"]);
    assert!(printed.contains("experience: taken, fewer than 5 closed trades"), "{printed}");
    let (code, error) = store.failure(&["inspect", "params", "--closed-trades", "4"]);
    assert!(code == Some(2) && error.contains("--resolve"), "{error}");
}

#[test]
fn lessons_are_confirmed_from_day_to_day_and_fit_a_prompt() {
    let store = StoreDir::missing();
    let run = |until: &str| {
        let days = ["--style", "swing", "--quick", "--exit-zero", &format!("--timerange=-{until}")];
        let ran = store
            .run(&[&["incremental", "--data", "tests/sample", "--progress", "none"], &days[..]].concat());
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        store.json(&["inspect", "insights"])["data"].clone()
    };
    let memory = |data: &Value| data["styles"]["swing"]["memory"].as_array().expect("a memory").clone();
    let first = run("20250620");
    assert!(!memory(&first).is_empty() && memory(&first).iter().all(|lesson| lesson["confirmed"] == 1));
    let taught = first["styles"]["swing"]["lessons"].as_array().expect("lessons");
    let contexts = first["styles"]["swing"]["best_contexts"].as_array().expect("contexts");
    assert_eq!(memory(&first).len(), taught.len() + contexts.len());
    let again = run("20250620");
    assert_eq!(memory(&again), memory(&first), "the same candles teach nothing new");
    let next = run("20250621");
    let topic = |lesson: &Value| (lesson["kind"].clone(), lesson["topic"].clone(), lesson["claim"].clone());
    let known: Vec<_> = memory(&first).iter().map(topic).collect();
    for lesson in memory(&next) {
        let (seen, last) = (known.contains(&topic(&lesson)), lesson["last_day"] == "2025-06-20");
        assert_eq!(lesson["confirmed"] == 2, seen && last, "{lesson}");
        assert_eq!(lesson["first_day"] == "2025-06-19", seen, "{lesson}");
    }
    assert!(memory(&next).iter().any(|lesson| lesson["confirmed"] == 2));
    let prompt = &next["prompt"];
    let said = prompt["text"].as_str().expect("text");
    assert!(said.lines().count() == 1 + memory(&next).len() && said.contains(" [on 2 days]"), "{said}");
    let (tokens, full) =
        (prompt["tokens"].as_u64().expect("some"), prompt["full_tokens"].as_u64().expect("many"));
    assert!(tokens > 0 && tokens <= 500 && full > 5 * tokens, "{tokens} of {full}");
    let printed = store.stdout(&["inspect", "insights"]);
    let saved = 100.0 * (1.0 - tokens as f64 / full as f64);
    let saving = format!("insights: at most {tokens} tokens of about {full} in all, {saved:.1} % saved");
    assert!(printed.contains(&saving), "{printed}");
    assert!(store.stdout(&["report", "-o", "-"]).contains(&saving));
    // Nothing is active, so that nothing can be exported; this is what an export would hold.
    let view = retune::store::View::open(&store.path).expect("published");
    let exported = retune::bot::learning_config(&view.read().expect("readable"), "default", "");
    let exported = exported.expect("a document");
    let lessons: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!(exported["compressed_insights"]["lessons"], json!(lessons));
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
    let without_a_number = store.stdout(&["inspect", "run"]);
    assert_eq!(without_a_number, store.stdout(&["inspect", "run", "last"]));
    for arguments in [
        &["runs", "--since", "2025-02-30"][..],
        &["runs", "--limit", "0"],
        &["changes", "--style", "both"],
        &["run", "newest"],
        &["diff", "1", "-2"],
        &["runs", "--sort", "luck"],
        &["runs", "--columns", "run,wehn"],
        &["runs", "--columns", "run", "--json"],
        &["top", "--csv", "--json"],
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

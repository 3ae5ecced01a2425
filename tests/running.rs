//! A run among other things on a machine: time budgets, logs, colours, priority, the line for scripts.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::command::{StoreDir, optimizer, text};

const RUN: [&str; 5] = ["incremental", "--data", "tests/sample", "--progress", "none"];

fn run(store: &StoreDir, more: &[&str]) -> std::process::Output {
    store.run(&[&RUN[..], more].concat())
}

/// What a run found, without what differs from run to run.
fn found(output: &std::process::Output) -> Value {
    let mut document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    document["data"]["evaluation"].take();
    document["data"]["run"].take();
    document["data"]["input"]["days_new"].take();
    document["data"].take()
}

#[test]
fn a_run_out_of_time_goes_on_where_it_stopped_and_finds_the_same() {
    let whole = StoreDir::missing();
    let reference = run(&whole, &["--json"]);
    let store = StoreDir::missing();
    // One symbol at a time, so that one is committed when time is up.
    let hurried = ["--json", "--time-budget", "1ms", "--max-memory", "38MiB", "-j", "1"];
    let mut stopped = 0;
    let last = loop {
        let output = run(&store, &hurried);
        if output.status.code() != Some(20) {
            break output;
        }
        stopped += 1;
        assert_eq!(text(&output.stdout), "");
        assert!(text(&output.stderr).contains("time budget of 0.001 s"), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("run the same command again"), "{}", text(&output.stderr));
        assert!(!store.path.join("state.redb").exists(), "nothing was learned yet");
        assert!(stopped < 10, "it gets on every time");
    };
    assert_eq!(stopped, 3, "once per symbol");
    assert_eq!(last.status.code(), reference.status.code(), "{}", text(&last.stderr));
    assert_eq!(found(&last), found(&reference));
    let document: Value = serde_json::from_slice(&last.stdout).expect("a document");
    assert_eq!(document["data"]["run"]["resumed"], true);
    assert_eq!(document["data"]["evaluation"]["units_evaluated"], 0);
}

#[test]
fn a_budget_needs_a_time_and_something_to_go_on_from() {
    let store = StoreDir::missing();
    for more in [
        &["--time-budget", "45"][..],
        &["--time-budget", "1m", "--no-save"],
        &["--time-budget", "1m", "--set", "limits.cache=\"0\""],
    ] {
        let output = run(&store, more);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", text(&output.stderr));
    }
    let plenty = run(&store, &["--time-budget", "1h"]);
    assert_eq!(plenty.status.code(), Some(10), "{}", text(&plenty.stderr));
}

#[test]
fn the_log_file_holds_what_was_printed_and_more() {
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let (plain, json) = (folder.path().join("text.log"), folder.path().join("json.log"));
    let name = |path: &Path| path.to_str().expect("text").to_owned();
    let ran = run(&store, &["--log-file", &name(&plain)]);
    assert_eq!((ran.status.code(), text(&ran.stderr)), (Some(10), String::new()));
    let log = fs::read_to_string(&plain).expect("a log");
    let printed = text(&ran.stdout);
    assert!(log.contains(printed.lines().last().expect("a line")), "{log}");
    assert!(log.contains("symbol done") && log.contains("saved") && !log.contains('\u{1b}'), "{log}");
    assert!(log.lines().all(|line| line.starts_with("20") && line.contains('Z')), "{log}");
    let refused = store.run(&["adopt", "77", "--log-file", &name(&json), "--log-format", "json"]);
    assert_eq!(refused.status.code(), Some(2));
    let again = run(&store, &["--log-file", &name(&json), "--log-format", "json"]);
    assert_eq!(again.status.code(), Some(0));
    let lines: Vec<Value> = fs::read_to_string(&json)
        .expect("a log")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    assert_eq!(lines[0]["level"], "error");
    assert!(lines[0]["message"].as_str().is_some_and(|text| text.contains("run 77")), "{}", lines[0]);
    let last = lines.last().expect("lines");
    assert!(last["message"].as_str().is_some_and(|text| text.starts_with("result=unchanged")), "{last}");
    assert!(lines.iter().any(|line| line["message"] == "saved" && line["run"] == 2), "{lines:?}");
    assert!(lines.iter().all(|line| line["at"].as_str().is_some_and(|at| at.ends_with('Z'))));
}

#[test]
fn the_log_is_filtered_and_mistakes_in_the_filter_are_told() {
    let store = StoreDir::missing();
    let with = |filter: &str, more: &[&str]| {
        let mut command = optimizer();
        command.env("OPTIMIZER_LOG", filter).args(RUN).args(more).arg("--store").arg(&store.path);
        command.output().expect("the program starts")
    };
    let chatty = with("retune=info", &["--no-save", "--exit-zero", "--log-format", "json"]);
    let lines: Vec<Value> =
        text(&chatty.stderr).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().any(|line| line["message"] == "searched" && line["sets"] == 139_968), "{lines:?}");
    let wrong = with("retune=loudly", &[]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(text(&wrong.stderr).contains("OPTIMIZER_LOG: expected a level"), "{}", text(&wrong.stderr));
    let nowhere = with("", &["--log-file", "no/such/folder/x.log"]);
    assert_eq!(nowhere.status.code(), Some(74), "{}", text(&nowhere.stderr));
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let coloured = |arguments: &[&str]| {
        let mut command = optimizer();
        command.env_remove("NO_COLOR").args(["inspect", "--store", "no/such/store"]).args(arguments);
        let output = command.output().expect("the program starts");
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr).contains("\u{1b}[1;31merror:")
    };
    assert!(coloured(&["--color", "always"]));
    assert!(!coloured(&["--color", "never"]) && !coloured(&["--color", "auto"]) && !coloured(&[]));
}

#[test]
fn the_last_line_says_how_sure_one_can_be() {
    let store = StoreDir::missing();
    let word = |more: &[&str]| {
        let output = run(&store, &[&["--no-save", "--json"], more].concat());
        let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
        let said = text(&output.stderr);
        let last = said.lines().last().expect("a last line");
        let value =
            |key: &str| last.split_whitespace().find_map(|pair| pair.strip_prefix(key)).map(str::to_owned);
        let significance = value("significance=").expect("a word");
        assert_eq!(document["data"]["decision"]["assurance"], significance.as_str());
        assert_eq!(document["data"]["decision"]["verdict"], value("verdict=").expect("a word").as_str());
        assert!(value("elapsed=").is_some_and(|time| time.ends_with("ms")), "one unit: {last}");
        significance
    };
    assert_eq!(word(&[]), "LIKELY_LUCK");
    // One loose set has trades enough to be tested.
    let loose = ["scalping", "swing"].map(|style| {
        ["min_risk_reward=0", "min_signal_score=0", "min_consensus_score=0", "min_kline_bullish_ratio=0"]
            .map(|axis| format!("style.{style}.space.{axis}"))
    });
    let mut more: Vec<&str> = Vec::new();
    loose.iter().flatten().for_each(|axis| more.extend(["--set", axis]));
    let tested = word(&more);
    assert!(["LIKELY_LUCK", "UNPROVEN", "PROMISING", "REAL"].contains(&tested.as_str()), "{tested}");
    assert_eq!(word(&[&more[..], &["--quick"]].concat()), "UNTESTED");
}

/// Nice value and scheduling policy of every thread of a process, until it ends.
fn priorities(mut child: Child) -> std::collections::BTreeSet<(i64, i64)> {
    let tasks = format!("/proc/{}/task", child.id());
    let mut seen = std::collections::BTreeSet::new();
    while child.try_wait().expect("our child").is_none() {
        let Ok(threads) = fs::read_dir(&tasks) else { continue };
        for thread in threads.flatten() {
            let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
            // What follows the name in parentheses begins with field 3.
            let Some((_, fields)) = stat.rsplit_once(") ") else { continue };
            let field =
                |number: usize| fields.split(' ').nth(number - 3).and_then(|field| field.parse().ok());
            seen.extend(field(19).zip(field(41)));
        }
    }
    seen
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_stands_back_as_far_as_it_is_told() {
    let own = || {
        let stat = fs::read_to_string("/proc/self/stat").expect("readable");
        let fields = stat.rsplit_once(") ").expect("fields").1.to_owned();
        let field =
            |number: usize| fields.split(' ').nth(number - 3).and_then(|field| field.parse::<i64>().ok());
        (field(19).expect("a nice value"), field(41).expect("a policy"))
    };
    let store = StoreDir::missing();
    let start = |priority: Option<&str>| {
        let mut command = optimizer();
        match priority {
            Some(priority) => command.env("OPTIMIZER_LIMITS__PRIORITY", priority),
            None => command.env_remove("OPTIMIZER_LIMITS__PRIORITY"),
        };
        command.args(RUN).args(["--no-save", "-j", "2"]).arg("--store").arg(&store.path);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
    };
    let (batch, idle) = (3, 5);
    let seen = priorities(start(None));
    assert!(seen.contains(&(19, idle)), "by default it takes what nobody wants: {seen:?}");
    let seen = priorities(start(Some("low")));
    assert!(seen.contains(&(own().0.max(10), batch)), "{seen:?}");
    let seen = priorities(start(Some("normal")));
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [own()]);
}

//! Active parameters that lose since they are active: what becomes of them is a matter of configuration.

use serde_json::Value;

use std::sync::atomic::AtomicBool;

use retune::config::Config;
use retune::engine::plan::DayLimits;
use retune::model::{DAY_MS, Day, Style};
use retune::run::adopt::{ManualRequest, by_hand};
use retune::run::report::RunReport;
use retune::run::{RunOptions, incremental};

use crate::command::{StoreDir, text};
use crate::pipeline::sample_dir;

const EARLY: [&str; 2] = ["--timerange", "-20250501"];
/// Costs under which every set of the sample loses.
const DEAR: [&str; 2] = ["--set", "costs.taker_fee_pct=2"];

fn run(store: &StoreDir, more: &[&[&str]]) -> (Option<i32>, String) {
    let fixed = ["incremental", "--data", "tests/sample", "--style", "scalping", "--json"];
    let output =
        store.run(&[&fixed[..], &["--set", "symbols.own_parameters=false"], &more.concat()].concat());
    (output.status.code(), text(&output.stdout))
}

/// Returns the outcome of scalping with its first reason.
fn decided(said: &str) -> (String, String) {
    let document: Value = serde_json::from_str(said).expect("a document");
    let decision = &document["data"]["styles"]["scalping"]["decision"];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (word(&decision["outcome"]), word(&decision["reasons"][0]["text"]))
}

fn params(store: &StoreDir) -> Value {
    let document = store.json(&["inspect", "params"]);
    let scopes = document["data"]["scopes"].as_array().cloned().unwrap_or_default();
    scopes.into_iter().find(|scope| scope["scope"] == "scalping").map_or(Value::Null, |scope| {
        let mut set = scope["params"].clone();
        set["source"] = scope["source"].clone();
        set
    })
}

/// Holding times of the two sets that are adopted one after the other on the first days.
const HOLDING: [&str; 2] =
    ["style.scalping.space.max_holding_hours=[12]", "style.scalping.space.max_holding_hours=[8]"];

/// Returns a store whose second set is active, with both.
fn two_adopted() -> (StoreDir, [Value; 2]) {
    let store = StoreDir::missing();
    let sets = HOLDING.map(|holding| {
        let (code, said) = run(&store, &[&EARLY, &["--set", holding]]);
        assert_eq!(code, Some(10), "{said}");
        params(&store)
    });
    assert_ne!(sets[0], sets[1]);
    (store, sets)
}

#[test]
fn what_decays_stays_and_is_named_unless_the_configuration_says_more() {
    let (store, [_, active]) = two_adopted();
    let (code, said) = run(&store, &[&DEAR]);
    let (outcome, reason) = decided(&said);
    assert_eq!((code, outcome.as_str()), (Some(12), "rejected"), "{said}");
    assert!(reason.starts_with("the active parameters lose since they are active (DECAY, e = "), "{reason}");
    assert!(reason.ends_with("): they stay (decide.decayed = \"keep\")"), "{reason}");
    assert_eq!(params(&store), active);
}

#[test]
fn what_decays_gives_way_to_what_was_active_before() {
    let (store, [first, second]) = two_adopted();
    let (code, said) = run(&store, &[&DEAR, &["--set", "decide.decayed=previous"]]);
    let (outcome, reason) = decided(&said);
    assert_eq!((code, outcome.as_str()), (Some(10), "restored"), "{said}");
    assert!(reason.ends_with("back to those of run 1 (decide.decayed = \"previous\")"), "{reason}");
    let mut back = first;
    back["source"] = "previous".into();
    assert_eq!(params(&store), back);
    // The run is told as it was, and what it changed is in the history.
    let stored = store.json(&["inspect", "run", "3"]);
    assert_eq!(stored["data"]["styles"]["scalping"]["decision"]["outcome"], "restored");
    assert!(store.stdout(&["inspect", "changes"]).contains("max_holding_hours        8    12"));
    // By hand one can undo it; then the set is in use until it decays again.
    assert_eq!(store.run(&["rollback", "--style", "scalping"]).status.code(), Some(10));
    let mut undone = second;
    undone["source"] = "rollback".into();
    assert_eq!(params(&store), undone);
}

#[test]
fn what_decays_leaves_nothing_active_where_that_is_asked_and_stays_out() {
    let (store, [_, second]) = two_adopted();
    let (code, said) = run(&store, &[&DEAR, &["--set", "decide.decayed=none"]]);
    let (outcome, reason) = decided(&said);
    assert_eq!((code, outcome.as_str()), (Some(10), "withdrawn"), "{said}");
    assert!(reason.ends_with("nothing is active now (decide.decayed = \"none\")"), "{reason}");
    assert_eq!(params(&store), Value::Null);
    // The best set of these days is the one that decayed: no run puts it back.
    let (code, said) = run(&store, &[&EARLY, &["--set", HOLDING[1]]]);
    let (outcome, reason) = decided(&said);
    assert_eq!((code, outcome.as_str()), (Some(11), "not_convincing"), "{said}");
    assert!(reason.starts_with("it was active and decayed"), "{reason}");
    assert_eq!(params(&store), Value::Null);
    assert_eq!(store.run(&["adopt", "4", "--style", "scalping"]).status.code(), Some(10));
    let mut back = second;
    back["source"] = "adopt".into();
    assert_eq!(params(&store), back);
}

#[test]
fn without_anything_before_it_going_back_is_going_to_nothing() {
    let store = StoreDir::missing();
    let (code, said) = run(&store, &[&EARLY, &["--set", HOLDING[1]]]);
    assert_eq!(code, Some(10), "{said}");
    let (code, said) = run(&store, &[&DEAR, &["--set", "decide.decayed=previous"]]);
    let (outcome, reason) = decided(&said);
    assert_eq!((code, outcome.as_str()), (Some(10), "withdrawn"), "{said}");
    assert!(reason.contains("since there are none before them to go back to"), "{reason}");
    assert_eq!(params(&store), Value::Null);
}

/// Nobody had seen the days after a decision by hand; those before it somebody may have.
#[test]
fn what_was_adopted_by_hand_is_followed_since_the_day_it_was() {
    let store = StoreDir::missing();
    let (adopted, last) =
        (Day::parse("2025-05-10").expect("a day"), Day::parse("2025-06-30").expect("a day"));
    let run = |end: Option<Day>, now_ms: i64| -> RunReport {
        let plan = Config::default().plan(&[Style::Scalping], DayLimits { end, ..DayLimits::default() });
        let options = RunOptions::over(vec![sample_dir()], now_ms).with_store(store.path.as_path());
        incremental(&plan.expect("sound"), &options, &AtomicBool::new(false), &|_| ()).expect("a run")
    };
    let now_ms = i64::from(adopted.0) * DAY_MS + 1;
    let first = run(Some(adopted), now_ms).run.expect("stored");
    let request = ManualRequest::Adopt { run: first, force: true };
    by_hand(store.path.as_path(), "default", &[Style::Scalping], request, now_ms).expect("adopted");
    let later = run(None, i64::from(last.0 + 1) * DAY_MS);
    let forward = later.styles[0].evidence.forward.expect("days follow");
    assert_eq!(forward.days, u64::from(later.styles[0].study.days.end.0.abs_diff(adopted.0 + 1)));
}

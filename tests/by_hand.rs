//! Decisions by hand: `adopt` and `rollback`.

use serde_json::Value;

use crate::command::{StoreDir, text};

fn run(store: &StoreDir, more: &[&str]) -> String {
    let fixed = ["incremental", "--data", "tests/sample", "-q"];
    text(&store.run(&[&fixed[..], more].concat()).stdout)
}

fn take_profits(store: &StoreDir) -> Vec<(String, f64, String)> {
    let document = store.json(&["inspect", "params"]);
    let scopes = document["data"]["scopes"].as_array().expect("scopes").clone();
    let one = |scope: &Value| {
        let word = |key: &str| scope[key].as_str().unwrap_or_default().to_owned();
        (word("scope"), scope["params"]["atr_tp_multiplier"].as_f64().unwrap_or(0.0), word("source"))
    };
    scopes.iter().map(one).collect()
}

#[test]
fn parameters_go_back_by_hand_stay_out_and_come_back_by_hand() {
    let store = StoreDir::missing();
    let small = ["--set", "style.scalping.space.atr_tp_multiplier=[1.0, 2.0]"];
    assert!(run(&store, &small).contains("result="), "a run");
    let first = take_profits(&store);
    assert!(run(&store, &[]).contains("result="), "a run");
    let second = take_profits(&store);
    let scalping = |scopes: &[(String, f64, String)]| scopes.iter().find(|s| s.0 == "scalping").map(|s| s.1);
    assert_eq!((scalping(&second), first == second), (Some(3.0), false), "{first:?} {second:?}");

    // A rejected candidate needs force.
    let (code, error) = store.failure(&["adopt", "2", "--style", "swing"]);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("was rejected (FAILED)") && error.contains("--force"), "{error}");
    let forced = store.run(&["adopt", "2", "--style", "swing", "--force"]);
    assert_eq!(forced.status.code(), Some(10), "{}", text(&forced.stderr));
    assert!(text(&forced.stdout).contains("`optimizer rollback` undoes it"));
    assert!(take_profits(&store).iter().any(|(scope, _, source)| scope == "swing" && source == "adopt"));
    let history = store.stdout(&["inspect", "run", "3"]);
    assert!(history.contains("against its verdict"), "{history}");
    // Twice changes nothing.
    assert_eq!(store.run(&["adopt", "2", "--style", "swing", "--force"]).status.code(), Some(0));

    // Another candidate of scalping by hand, then back to the one before.
    assert_eq!(store.run(&["adopt", "1", "--style", "scalping", "--force"]).status.code(), Some(10));
    let by_hand = scalping(&take_profits(&store));
    assert_ne!(by_hand, Some(3.0));
    assert_eq!(store.run(&["rollback", "--style", "scalping"]).status.code(), Some(10));
    assert_eq!(scalping(&take_profits(&store)), Some(3.0));

    // What was taken out by hand does not come back by itself.
    assert_eq!(store.run(&["rollback", "4", "--style", "scalping"]).status.code(), Some(10));
    assert_eq!(scalping(&take_profits(&store)), by_hand);
    let kept = run(&store, &[]);
    assert!(!kept.contains("result=changed"), "{kept}");
    assert_eq!(scalping(&take_profits(&store)), by_hand);
    assert_eq!(store.run(&["adopt", "2", "--style", "scalping"]).status.code(), Some(10));
    assert_eq!(scalping(&take_profits(&store)), Some(3.0));
}

#[test]
fn the_first_parameters_go_back_to_none() {
    let store = StoreDir::after_a_run();
    let exported = || store.stdout(&["export-json", "-o", "-"]);
    let before = exported();
    let adopt = ["adopt", "1", "--style", "swing", "--force"];
    assert_eq!(store.run(&adopt).status.code(), Some(10));
    let swing = || take_profits(&store).iter().any(|(scope, ..)| scope == "swing");
    assert!(swing());
    assert_ne!(settings(&exported()), settings(&before));

    let undone = store.run(&["rollback", "--style", "swing"]);
    assert_eq!(undone.status.code(), Some(10), "{}", text(&undone.stderr));
    assert!(text(&undone.stdout).contains("no longer in force"), "{}", text(&undone.stdout));
    assert!(!swing());
    assert_eq!(settings(&exported()), settings(&before), "the bot has its defaults again");
    assert!(store.stdout(&["inspect", "run", "3"]).contains("to no parameters"));
    let (code, error) = store.failure(&["rollback", "--style", "swing"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no earlier parameters"), "{error}");

    // The history knows that nothing was in force after run 3, and that something was after run 2.
    assert_eq!(store.run(&["rollback", "2", "--style", "swing"]).status.code(), Some(10));
    assert!(swing());
    assert_eq!(store.run(&["rollback", "3", "--style", "swing"]).status.code(), Some(10));
    assert!(!swing());
}

/// Returns what a bot reads of swing in an export.
fn settings(export: &str) -> serde_json::Value {
    let export: serde_json::Value = serde_json::from_str(export).expect("JSON");
    export["swing_params"].clone()
}

#[test]
fn what_is_not_there_cannot_be_adopted() {
    let missing = StoreDir::missing();
    assert_eq!(missing.failure(&["adopt", "1"]).0, Some(2));
    assert_eq!(missing.failure(&["rollback"]).0, Some(2));
    assert!(!missing.path.exists(), "nothing is made");
    let store = StoreDir::after_a_run();
    let before = store.content();
    let (code, error) = store.failure(&["adopt", "7"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("found none in run 7") && error.contains("hint: "), "{error}");
    let (code, error) = store.failure(&["rollback", "--style", "swing"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no earlier parameters"), "{error}");
    let state = |content: &[(std::path::PathBuf, Vec<u8>, std::time::SystemTime)]| {
        let state = content.iter().find(|(path, ..)| path.ends_with("view.redb"));
        state.map(|(_, bytes, _)| blake3::hash(bytes))
    };
    assert_eq!(state(&store.content()), state(&before), "what readers see is as it was");
}

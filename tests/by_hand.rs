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
    let exported = || store.stdout(&["export-json", "-o", "-", "--force"]);
    let before = exported();
    let adopt = ["adopt", "1", "--style", "swing", "--force"];
    assert_eq!(store.run(&adopt).status.code(), Some(10));
    let swing = || take_profits(&store).iter().any(|(scope, ..)| scope == "swing");
    assert!(swing());
    assert_ne!(settings(&exported()), settings(&before));

    let undone = store.run(&["rollback", "--style", "swing"]);
    assert_eq!(undone.status.code(), Some(10), "{}", text(&undone.stderr));
    assert!(text(&undone.stdout).contains("no longer active"), "{}", text(&undone.stdout));
    assert!(!swing());
    assert_eq!(settings(&exported()), settings(&before), "the bot has its defaults again");
    // Run 3 wrote down that what was judged FAILED was exported.
    assert!(store.stdout(&["inspect", "run", "4"]).contains("to no parameters"));
    let (code, error) = store.failure(&["rollback", "--style", "swing"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no earlier parameters"), "{error}");

    // The history knows that nothing was active after run 4, and that something was after run 2.
    assert_eq!(store.run(&["rollback", "2", "--style", "swing"]).status.code(), Some(10));
    assert!(swing());
    assert_eq!(store.run(&["rollback", "4", "--style", "swing"]).status.code(), Some(10));
    assert!(!swing());
}

/// Returns what a bot reads of swing in an export.
fn settings(export: &str) -> serde_json::Value {
    let export: serde_json::Value = serde_json::from_str(export).expect("JSON");
    export["swing_params"].clone()
}

#[test]
fn what_was_judged_bad_is_exported_by_force_only() {
    let store = StoreDir::after_a_run();
    let file = store.path.with_file_name("learning_config.json");
    let file = file.to_str().expect("text");
    let export = |more: &[&str]| store.run(&[&["export-json", "-q", "-o", file], more].concat());
    let written = || std::fs::read(file).ok();
    assert_eq!(export(&[]).status.code(), Some(0), "nothing speaks against what a run activated");
    let before = written();
    assert_eq!(store.run(&["adopt", "1", "--style", "swing", "--force"]).status.code(), Some(10));

    let (code, error) = store.failure(&["export-json", "-o", file]);
    assert_eq!(code, Some(12), "{error}");
    assert!(
        error.contains("the active swing parameters are FAILED by run 1: loses on the last days"),
        "{error}"
    );
    assert!(error.contains("--force") && !error.contains("scalping"), "{error}");
    assert_eq!(store.failure(&["export-json", "-o", "-"]).0, Some(12));
    assert_eq!(written(), before, "the file is as it was");
    assert_eq!(export(&["--check"]).status.code(), Some(1), "a comparison is none of its business");

    let held = retune::store::Store::open(store.path.as_path(), 0).expect("the store");
    assert_eq!(export(&["--force"]).status.code(), Some(5), "it has to be written down first");
    drop(held);
    assert_eq!(written(), before);
    let forced = export(&["--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", text(&forced.stderr));
    assert_ne!(written(), before);
    assert_eq!(export(&["--check"]).status.code(), Some(0), "writing it down changes nothing in it");
    let document: Value = serde_json::from_slice(&written().expect("a file")).expect("JSON");
    assert_eq!(document["_phase4_status"], "FAILED");
    assert_eq!(document["_phase4_validation"]["swing"]["status"], "FAILED");
    let runs = store.json(&["inspect", "runs"])["data"]["runs"].clone();
    assert_eq!((&runs[0]["id"], &runs[0]["result"]), (&Value::from(3), &Value::from("exported")));
    let history = store.stdout(&["inspect", "run", "3"]);
    assert!(history.contains("although run 1 found FAILED") && history.contains(file), "{history}");
    assert!(!store.stdout(&["inspect", "changes"]).contains("exported"));

    // Said once for these parameters and this verdict, a daily export goes on; nothing is written down twice.
    assert_eq!(export(&[]).status.code(), Some(0));
    assert_eq!(export(&["--force"]).status.code(), Some(0));
    let kept = run(&store, &[]);
    assert!(kept.contains("run=4"), "{kept}");
    assert_eq!(export(&[]).status.code(), Some(0));
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
    assert!(error.contains("found no run 7") && error.contains("hint: "), "{error}");
    let (code, error) = store.failure(&["rollback", "--style", "swing"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no earlier parameters"), "{error}");
    let state = |content: &[(std::path::PathBuf, Vec<u8>, std::time::SystemTime)]| {
        let state = content.iter().find(|(path, ..)| path.ends_with("view.redb"));
        state.map(|(_, bytes, _)| blake3::hash(bytes))
    };
    assert_eq!(state(&store.content()), state(&before), "what readers see is as it was");
}

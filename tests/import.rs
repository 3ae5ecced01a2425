//! The way over from the old system and back: `import-json`, then `export-json`.

use std::process::Command;

use retune::bot::learning_config;
use serde_json::{Value, json};

use crate::command::{StoreDir, text};
use crate::legacy_parity::shared;

/// A small file as the old system writes it: bare NaN, keys of its own, insights as text, a cache.
fn old_file() -> String {
    let document = json!({
        "version": "2.1",
        "last_update": "2025-01-01 00:00:00",
        "global": {"base_position_ratio": 0.15, "my_own_switch": true, "min_signal_score": 61},
        "scalping_params": {
            "atr_tp_multiplier": 12.5, "atr_stop_multiplier": 2, "max_holding_hours": 3, "min_signal_score": 66,
            "min_risk_reward": 1.0, "min_indicator_consensus": 1, "min_profit_density": 4.0,
            "trailing_stop_enabled": true, "trailing_stop_distance": 1.5, "trailing_stop_activation": 2.0
        },
        "swing_params": {},
        "per_symbol": {"FOO/USDT:USDT": {"sample_count": 9, "min_risk_reward": 2.0}},
        "compressed_insights": "{\"focus\": \"exits\"}",
        "optimal_sampling_range": {"min_risk_reward": [1.5, 3.0]},
        "_phase1_cache": {"opportunities": [1, 2, 3]},
        "something_new": [1, {"a": "\u{4e2d}\u{6587}"}]
    });
    document.to_string().replacen("1.5,3.0", "NaN,3.0", 1)
}

fn imported(content: &str) -> (StoreDir, std::process::Output) {
    let store = StoreDir::missing();
    let file = store.path.with_file_name("learning_config.json");
    std::fs::write(&file, content).expect("written");
    let output = store.run(&["import-json", file.to_str().expect("text")]);
    (store, output)
}

fn exported(store: &StoreDir) -> Value {
    let file = store.path.with_file_name("exported.json");
    let output = store.run(&["export-json", "-q", "-o", file.to_str().expect("text")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Python's own reader, told to refuse what is no JSON.
    let strict = "import json,sys\njson.load(open(sys.argv[1]), parse_constant=lambda c: 1/0)";
    if let Ok(read) = Command::new("python3").args(["-c", strict]).arg(&file).output() {
        assert!(read.status.success(), "{}", text(&read.stderr));
    }
    serde_json::from_slice(&std::fs::read(&file).expect("the export")).expect("JSON")
}

#[test]
fn what_the_old_system_had_comes_into_force_and_goes_along() {
    let (store, output) = imported(&old_file());
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("no parameters for swing") && said.contains("_phase1_cache"), "{said}");
    let params = &store.json(&["inspect", "params"])["data"]["scopes"][0];
    assert_eq!((&params["scope"], &params["source"]), (&json!("scalping"), &json!("import")));
    for (key, value) in [
        ("atr_tp_multiplier", 12.5),
        ("max_holding_hours", 3.0),
        ("min_signal_score", 66.0),
        ("min_consensus", 1.0),
    ] {
        assert_eq!(params["params"][key].as_f64(), Some(value), "{key}");
    }
    // The bot follows positions by `global.scalping_params`: a switch at the top is nothing that it does.
    assert_eq!(params["params"].get("trailing_stop_distance"), None);
    let changes = store.stdout(&["inspect", "changes"]);
    assert!(changes.contains("atr_tp_multiplier"), "{changes}");

    let back = exported(&store);
    assert_eq!(back["something_new"], json!([1, {"a": "\u{4e2d}\u{6587}"}]));
    assert_eq!(back["optimal_sampling_range"], json!({"min_risk_reward": [null, 3.0]}));
    let global = &back["global"];
    assert_eq!((&global["base_position_ratio"], &global["my_own_switch"]), (&json!(0.15), &json!(true)));
    assert_eq!(global["min_signal_score"].as_f64(), Some(61.0), "what was imported is what is active");
    assert_eq!(back["scalping_params"]["min_profit_density"], json!(4.0));
    assert_eq!(back["scalping_params"]["atr_tp_multiplier"].as_f64(), Some(12.5));
    assert_eq!(back["per_symbol"]["FOO/USDT:USDT"]["sample_count"], 9);
    assert!(back["compressed_insights"].is_object() && back.get("_phase1_cache").is_none());
    assert!(global["max_loss_per_trade"].is_number(), "the bot's direct keys are there");

    // The next run starts from what was imported, and the way back is open.
    let run = store.run(&["incremental", "--data", "tests/sample", "-q", "--exit-zero"]);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let decided = store.stdout(&["inspect", "run", "2"]);
    assert!(decided.contains("no longer in the space"), "{decided}");
    assert_eq!(exported(&store)["something_new"], back["something_new"]);
    let twice =
        store.run(&["import-json", store.path.with_file_name("exported.json").to_str().expect("text")]);
    assert!(matches!(twice.status.code(), Some(0 | 10)), "{}", text(&twice.stderr));
}

#[test]
fn the_old_systems_own_files_are_taken_over() {
    for (name, code) in [("learning_config_small.json", 10), ("learning_config_default.json", 4)] {
        let Some(path) = shared(name) else { return };
        let (store, output) = imported(&std::fs::read_to_string(path).expect("the fixture"));
        assert_eq!(output.status.code(), Some(code), "{name}: {}", text(&output.stderr));
        if code == 10 {
            assert!(exported(&store)["per_symbol_params"].is_object());
        } else {
            assert!(!store.path.exists(), "nothing is made");
        }
    }
}

#[test]
fn what_is_no_such_file_is_refused_and_nothing_is_made() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let wrong = r#"{"scalping_params": {"atr_tp_multiplier": "12", "atr_stop_multiplier": 1, "max_holding_hours": 1}}"#;
    let negative = wrong.replace("\"12\"", "-3");
    for (content, said) in [
        ("", "learning_config.json"),
        ("not json", "learning_config.json"),
        ("[1, 2]", "learning_config.json"),
        ("{}", "scalping_params or swing_params"),
        (deep.as_str(), "learning_config.json"),
        (wrong, "scalping_params.atr_tp_multiplier: expected a positive number, found \"12\""),
        (negative.as_str(), "found -3"),
    ] {
        let (store, output) = imported(content);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{error}");
        assert!(error.contains(said) && error.len() < 1000, "{error}");
        assert!(!store.path.exists(), "nothing is made");
    }
    let store = StoreDir::missing();
    assert_eq!(store.failure(&["import-json", "nowhere.json"]).0, Some(4));
}

/// Takes an export over into a new store.
fn taken_over(document: &Value) -> (StoreDir, std::process::Output) {
    imported(&document.to_string())
}

#[test]
fn what_an_export_filled_in_does_not_come_into_force() {
    let scopes = |store: &StoreDir| store.json(&["inspect", "params"])["data"]["scopes"].clone();
    // What exports of earlier versions hold where nothing was active: today there is nothing to export then.
    let empty = StoreDir::missing();
    let new = retune::store::Store::open(&empty.path, 0).expect("a new store");
    let export = learning_config(&new.read().expect("readable"), "default", "").expect("a document");
    assert_eq!(export["filled_in"]["scalping_params"]["atr_tp_multiplier"], json!(2.5));
    let (store, output) = taken_over(&export);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for part in [
        "no parameters become active",
        "not active: the parameters for scalping, swing, defaults that an export filled in",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("filled_in"), "{said}");
    assert_eq!(scopes(&store), json!([]));
    assert_eq!(store.failure(&["export-json", "-o", "-"]).0, Some(12), "nothing is active");
    let again = {
        let view = retune::store::View::open(&store.path).expect("published");
        learning_config(&view.read().expect("readable"), "default", "").expect("a document")
    };
    assert_eq!(
        (&again["filled_in"], &again["swing_params"]),
        (&export["filled_in"], &export["swing_params"])
    );

    // Numbers written by another program are the same; changed by a person they are meant.
    let mut changed = export.clone();
    changed["scalping_params"]["max_holding_hours"] = json!(12.0);
    assert_eq!(scopes(&taken_over(&changed).0), json!([]));
    changed["scalping_params"]["atr_tp_multiplier"] = json!(2.75);
    let (store, output) = taken_over(&changed);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    let found = scopes(&store);
    assert_eq!((found.as_array().map(Vec::len), &found[0]["scope"]), (Some(1), &json!("scalping")));
}

#[test]
fn what_is_in_force_comes_back_by_an_export() {
    let mechanisms = r#""trailing_stop_activation":0.0,"partial_tp_enabled":true,"tp1_atr_multiplier":3.0,
        "tp1_close_pct":40,"move_sl_to_breakeven":true,"breakeven_atr":2.5,"volume_surge_exit":4.0"#;
    // As an export writes them, the bot follows them; the rest of the mechanisms are its own keys.
    let live = r#""global":{"scalping_params":{"partial_tp_enabled":true,"move_sl_to_breakeven":true,
        "trailing_stop_enabled":true,"tp1_atr_multiplier":3.0,"tp1_close_pct":40,"breakeven_buffer_pct":0,
        "trailing_distance_atr":1.5,"trailing_start_after_tp1":false},"#;
    let old =
        old_file().replace("\"trailing_stop_activation\":2.0", mechanisms).replace("\"global\":{", live);
    let (first, output) = imported(&old);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    let export = exported(&first);
    assert_eq!(
        (export.get("filled_in"), &export["swing_params"]),
        (None, &json!({})),
        "an imported file is not filled in"
    );
    let (second, output) = taken_over(&export);
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("no parameters for swing"), "{said}");
    let params = |store: &StoreDir| {
        let scopes = store.json(&["inspect", "params"])["data"]["scopes"].clone();
        assert_eq!(scopes.as_array().map(Vec::len), Some(1));
        (scopes[0]["scope"].clone(), scopes[0]["params"].clone())
    };
    let (before, after) = (params(&first), params(&second));
    assert_eq!(before.0, after.0);
    for (key, value) in [("breakeven_atr", 2.5), ("trailing_stop_activation", 0.0), ("tp1_close_pct", 40.0)] {
        assert_eq!(before.1[key].as_f64(), Some(value), "{key}");
    }
    for (key, value) in before.1.as_object().expect("parameters") {
        assert_eq!(after.1[key].as_f64(), value.as_f64(), "{key}");
    }
    // Once something is active for both, nothing is filled in.
    let mut both = export;
    both["swing_params"] =
        json!({"atr_tp_multiplier": 5.5, "atr_stop_multiplier": 1.5, "max_holding_hours": 48});
    let (third, _) = taken_over(&both);
    assert!(exported(&third).get("filled_in").is_none());
}

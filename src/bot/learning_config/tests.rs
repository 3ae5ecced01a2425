use std::collections::BTreeMap;

use super::*;
use crate::model::{ExitAxis, ExitRule};
use crate::store::records::samples::Sample;
use crate::store::records::*;
use crate::store::{LearningCommit, Store};

/// Paths the bot reads by index: without them it stops.
const DIRECT_INDEX: [&str; 12] = [
    "/last_update",
    "/global/min_risk_reward",
    "/global/atr_stop_multiplier",
    "/global/min_indicator_consensus",
    "/global/min_signal_score",
    "/global/base_position_ratio",
    "/global/max_hold_time_hours",
    "/global/max_loss_per_trade",
    "/global/max_consecutive_losses",
    "/global/key_level_penalty",
    "/version",
    "/market_regime",
];

/// Paths a replacement has to write besides.
const MINIMUM: [&str; 19] = [
    "/scalping_params/atr_tp_multiplier",
    "/scalping_params/atr_stop_multiplier",
    "/scalping_params/max_holding_hours",
    "/scalping_params/min_signal_score",
    "/scalping_params/min_risk_reward",
    "/scalping_params/min_indicator_consensus",
    "/scalping_params/min_consensus",
    "/swing_params/atr_tp_multiplier",
    "/swing_params/atr_stop_multiplier",
    "/swing_params/max_holding_hours",
    "/swing_params/min_signal_score",
    "/swing_params/min_risk_reward",
    "/swing_params/min_indicator_consensus",
    "/swing_params/min_consensus",
    "/compressed_insights/date",
    "/compressed_insights/lessons",
    "/compressed_insights/focus",
    "/market_regime/type",
    "/market_regime/pause_trading",
];

/// Paths that appear once something was learned.
const LEARNED: [&str; 26] = [
    "/swing_score_weights/volume",
    "/scalping_score_weights/volume",
    "/phase2_learning/latest/timestamp",
    "/phase2_learning/latest/performance/swing/score",
    "/phase2_learning/latest/learned_features/scalping_real_holding_hours",
    "/phase2_learning/latest/learned_features/swing_avg_density",
    "/phase2_learning/latest/learned_features/swing_avg_profit",
    "/phase2_learning/latest/learned_features/high_density_threshold",
    "/phase2_learning/latest/learned_features/swing_params_range/max_holding/0",
    "/phase2_learning/latest/learned_features/best_scalping_weights/name",
    "/phase2_learning/latest/learned_features/best_swing_weights/volume",
    "/phase2_learning/latest/learned_features/top5_param_combos/0/composite_score",
    "/phase2_learning/latest/learned_features/phase1_baseline/swing/count",
    "/phase2_learning/latest/learned_features/optimal_tp_sl/scalping/atr_tp_multiplier",
    "/phase2_learning/history/0/learned_features/best_swing_weights",
    "/compressed_insights/updated_at",
    "/compressed_insights/v8321_insights/swing/best_contexts/0",
    "/compressed_insights/v8321_insights/scalping/performance/avg_profit",
    "/compressed_insights/v8321_insights/scalping/updated_at",
    "/_phase4_status",
    "/_phase4_validation/swing/full_test/captured_count",
    "/_phase4_validation/overall_status",
    "/_phase3_applied",
    "/_phase4_rollback",
    "/_iterative_history/final_params/atr_tp_multiplier",
    "/_iterative_history/rounds/0/metric",
];

const NOW: &str = "2026-11-20 22:04:42";

fn filter(name: &str, value: f64) -> StoredFilter {
    StoredFilter { name: name.to_owned(), value: StoredValue::Number(value) }
}

fn params(take_profit: f64, filters: Vec<StoredFilter>) -> Option<ParamsRecord> {
    let mut exit = ExitRule::new(take_profit, 1.25, 8.0);
    let (mechanisms, filters): (Vec<_>, Vec<_>) =
        filters.into_iter().partition(|filter| ExitAxis::named(&filter.name).is_some());
    for StoredFilter { name, value } in mechanisms {
        if let (Some(axis), StoredValue::Number(value)) = (ExitAxis::named(&name), value) {
            axis.set(&mut exit, value);
        }
    }
    let set = StoredParameterSet::of(&exit, filters);
    let metrics =
        StoredMetrics { expectancy_pct: Some(0.5), win_rate: None, ..ParamsRecord::sample().metrics };
    Some(ParamsRecord { set, metrics, ..ParamsRecord::sample() })
}

fn judged(verdict: &str) -> DecisionRecord {
    DecisionRecord { verdict: verdict.to_owned(), ..DecisionRecord::sample() }
}

/// A run that learned something of every kind.
fn learning() -> LearningCommit {
    let both = |record: FeaturesRecord| BTreeMap::from(Style::ALL.map(|style| (style, record.clone())));
    let market_structure =
        StoredFilter { name: "allowed_mkt_struct".to_owned(), value: StoredValue::Name("all".to_owned()) };
    let filters = vec![
        filter("min_signal_score", 50.0),
        filter("min_consensus", 1.0),
        filter("min_trend_age_hours", 2.0),
        market_structure,
    ];
    // Advice is about what is active: the candidate of the run.
    let active = params(5.0, filters.clone()).expect("parameters").set;
    let mut decision = judged("PASSED");
    decision.candidate.iter_mut().for_each(|candidate| candidate.set = active.clone());
    LearningCommit {
        evidence: BTreeMap::from(Style::ALL.map(|style| (style, EvidenceRecord::sample()))),
        params: BTreeMap::from([
            ("swing".to_owned(), params(5.0, filters)),
            ("symbol/BTCUSDT/swing".to_owned(), params(6.0, vec![filter("min_risk_reward", 2.5)])),
        ]),
        features: both(FeaturesRecord::sample()),
        insights: BTreeMap::from(Style::ALL.map(|style| (style, InsightsRecord::sample()))),
        decisions: BTreeMap::from(Style::ALL.map(|style| (style, decision.clone()))),
        ..LearningCommit::new("default", RunRecord::sample())
    }
}

/// Returns the document after some commits, and proves that it is deterministic and strict JSON.
fn document(commits: Vec<LearningCommit>) -> Value {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut store = Store::open(dir.path(), 5).expect("a new store");
    for learning in commits {
        store.commit(learning).expect("committed");
    }
    let snapshot = store.read().expect("readable");
    let document = learning_config(&snapshot, "default", NOW).expect("readable");
    let text = document.to_string();
    assert_eq!(learning_config(&snapshot, "default", NOW).expect("readable").to_string(), text);
    assert_eq!(serde_json::from_str::<Value>(&text).expect("strict JSON"), document);
    document
}

fn assert_has(document: &Value, paths: &[&str]) {
    for path in paths {
        assert!(document.pointer(path).is_some_and(|value| !value.is_null()), "{path} is missing");
    }
}

/// Checks that every key of one object is in another, and the kinds of the values agree.
fn assert_within(tree: &Value, document: &Value, path: &str) {
    let Some(object) = tree.as_object() else {
        let same = std::mem::discriminant(tree) == std::mem::discriminant(document);
        assert!(tree.is_null() || same && tree.is_i64() == document.is_i64(), "{path}: {tree}, {document}");
        return;
    };
    for (key, value) in object {
        let path = format!("{path}/{key}");
        let found = document.get(key).unwrap_or_else(|| panic!("{path} is missing"));
        assert_within(value, found, &path);
    }
}

#[test]
fn an_empty_store_gives_the_defaults_and_all_the_bot_must_find() {
    let document = document(Vec::new());
    assert_has(&document, &DIRECT_INDEX);
    assert_has(&document, &MINIMUM);
    let mut tree: Value = serde_json::from_str(DEFAULT_TREE).expect("valid");
    assert_within(&tree, &document, "");
    tree["last_update"] = json!(NOW);
    assert_eq!(document["global"], tree["global"]);
    let first_keys: Vec<&String> = document.as_object().expect("an object").keys().take(8).collect();
    assert_eq!(first_keys, tree.as_object().expect("an object").keys().collect::<Vec<_>>());
    let swing = json!({
        "atr_tp_multiplier": 4.0, "atr_stop_multiplier": 1.5, "max_holding_hours": 72, "min_signal_score": 60,
        "min_risk_reward": 2.0, "min_indicator_consensus": 2, "min_consensus": 2,
    });
    assert_eq!(document["swing_params"], swing);
    let scalping = ["atr_tp_multiplier", "max_holding_hours", "min_risk_reward"];
    assert_eq!(scalping.map(|key| &document["scalping_params"][key]), [&json!(2.5), &json!(12), &json!(1.5)]);
    assert_eq!(document["compressed_insights"]["date"], "20261120");
}

#[test]
fn what_was_learned_lies_over_the_defaults() {
    let document = document(vec![learning()]);
    assert_has(&document, &DIRECT_INDEX);
    assert_has(&document, &MINIMUM);
    assert_has(&document, &LEARNED);
    assert_within(&serde_json::from_str(DEFAULT_TREE).expect("valid"), &document, "");
    let swing = json!({
        "atr_tp_multiplier": 5.0, "atr_stop_multiplier": 1.25, "max_holding_hours": 8, "min_signal_score": 50,
        "min_risk_reward": 2.0, "min_indicator_consensus": 1, "min_consensus": 1,
        "min_trend_age_hours": 2.0, "allowed_mkt_struct": "all",
    });
    assert_eq!(document["swing_params"], swing);
    assert_eq!(document["swing_params"].to_string(), swing.to_string(), "integers stay integers");
    let global = ["min_risk_reward", "atr_stop_multiplier", "min_indicator_consensus", "min_signal_score"];
    let expected = [json!(3.0), json!(1.25), json!(1), json!(50)];
    assert_eq!(global.map(|key| document["global"][key].clone()), expected);
    let symbol = json!({
        "sample_count": 300, "min_risk_reward": 2.5, "min_signal_score": 50, "min_indicator_consensus": 1,
        "atr_stop_multiplier": 1.25, "base_position_ratio": 0.2,
    });
    assert_eq!(document["per_symbol"], json!({"BTC/USDT:USDT": symbol}));
    let insights = &document["compressed_insights"];
    // Scalping has no active set, so nothing is advised about it.
    assert_eq!(insights["lessons"], json!(["swing: wait for the pullback [on 7 days]"]));
    assert_eq!(
        insights["focus"],
        "nothing found that is better than the active parameters; change nothing; exits"
    );
    assert_eq!(insights["updated_at"], "2025-01-01 00:00");
    let swing = &insights["v8321_insights"]["swing"];
    assert_eq!(swing["param_sensitivity"], json!({"min_consensus": "medium (+0.100)"}));
    let performance = json!({"score": 0.1, "capture_rate": 0.1, "avg_profit": 0.005, "win_rate": 0.0});
    assert_eq!(swing["performance"], performance);
    let status = ["_phase4_status", "_phase3_applied", "_phase4_rollback"];
    assert_eq!(status.map(|key| document[key].clone()), [json!("PASSED"), json!(true), json!(false)]);
}

#[test]
fn what_the_file_cannot_say_is_refused() {
    let percent = ExitRule { take_profit_pct: Some(4.0), leverage: Some(5.0), ..ExitRule::holding(8.0) };
    let stopped = ExitRule { stop_loss_pct: Some(10.0), stop_atr: None, ..ExitRule::new(2.0, 1.5, 8.0) };
    let untargeted = ExitRule { take_profit_atr: None, ..ExitRule::new(2.0, 1.5, 8.0) };
    for scope in ["swing", "symbol/BTCUSDT/swing", "global"] {
        for (exit, found) in [
            (percent, "take_profit_pct = 4, leverage = 5, no atr_tp_multiplier, no atr_stop_multiplier"),
            (stopped, "stop_loss_pct = 10, no atr_stop_multiplier"),
            (untargeted, "no atr_tp_multiplier"),
        ] {
            let record =
                ParamsRecord { set: StoredParameterSet::of(&exit, Vec::new()), ..ParamsRecord::sample() };
            let dir = tempfile::tempdir().expect("a temporary directory");
            let mut store = Store::open(dir.path(), 5).expect("a new store");
            let mut learning = learning();
            learning.params.insert(scope.to_owned(), Some(record));
            store.commit(learning).expect("committed");
            let error =
                learning_config(&store.read().expect("readable"), "default", NOW).expect_err("refused");
            let text = error.to_string();
            assert!(text.contains(&format!("of {scope} have {found}, which")), "{text}");
        }
    }
}

#[test]
fn exit_mechanisms_go_where_the_bot_follows_positions() {
    let mechanisms = [
        ("trailing_stop_distance", 1.5),
        ("trailing_stop_activation", 1.0),
        ("tp1_atr_multiplier", 1.0),
        ("tp1_close_pct", 60.0),
    ];
    let mut learned = learning();
    let filters = mechanisms.map(|(name, value)| filter(name, value)).to_vec();
    learned.params.insert("scalping".to_owned(), params(3.0, filters));
    let document = document(vec![learned]);
    assert_within(&serde_json::from_str(DEFAULT_TREE).expect("valid"), &document, "");
    let keys = |object: &Value, keys: &[&str]| -> Vec<Value> {
        keys.iter().map(|key| object[key].clone()).collect()
    };
    let flags = ["trailing_stop_enabled", "partial_tp_enabled", "move_sl_to_breakeven"];
    let on_on_off = [json!(true), json!(true), json!(false)];
    let (own, live) = (&document["scalping_params"], &document["global"]["scalping_params"]);
    assert_eq!(keys(own, &flags), on_on_off);
    assert_eq!(keys(live, &flags), on_on_off);
    let names = mechanisms.map(|(name, _)| name);
    assert_eq!(keys(own, &names), [json!(1.5), json!(1.0), json!(1.0), json!(60)]);
    let followed =
        ["tp1_atr_multiplier", "tp1_close_pct", "trailing_distance_atr", "trailing_start_after_tp1"];
    assert_eq!(keys(live, &followed), [json!(1.0), json!(60), json!(1.5), json!(true)]);
    // Swing has no mechanism active: its keys are the bot's own.
    let tree: Value = serde_json::from_str(DEFAULT_TREE).expect("valid");
    assert_eq!(document["global"]["swing_params"], tree["global"]["swing_params"]);
    assert_eq!(document["swing_params"].get("trailing_stop_enabled"), None);
}

#[test]
fn a_run_that_kept_the_old_parameters_says_so() {
    let mut kept = learning();
    kept.run.exit_code = 12;
    kept.params.clear();
    for (style, verdict) in [(Style::Scalping, "OVERFITTED"), (Style::Swing, "PASSED")] {
        kept.decisions.insert(style, DecisionRecord { adopted: false, ..judged(verdict) });
    }
    // Taking parameters over judges nothing, nor does writing them: what was judged last still stands.
    let by_hand = |result: &str| {
        let run = RunRecord { result: result.to_owned(), ..RunRecord::default() };
        let decisions = BTreeMap::from([(Style::Swing, judged(result))]);
        LearningCommit { decisions, ..LearningCommit::new("default", run) }
    };
    let before = document(vec![learning(), kept.clone(), by_hand("imported")]);
    let document = document(vec![learning(), kept, by_hand("imported"), by_hand("exported")]);
    assert_eq!(before, document);
    let status = ["_phase4_status", "_phase3_applied", "_phase4_rollback"];
    assert_eq!(status.map(|key| document[key].clone()), [json!("OVERFITTED"), json!(false), json!(true)]);
    assert_eq!(document["_phase4_validation"]["overall_status"], "OVERFITTED");
    assert_eq!(document["_phase4_validation"]["scalping"]["overfitting"]["is_overfitted"], true);
    assert_eq!(document["_phase4_validation"]["swing"]["overfitting"]["is_overfitted"], false);
    assert_eq!(document["swing_params"]["atr_tp_multiplier"], 5.0, "what is active stays active");
    let history = &document["_iterative_history"];
    assert_eq!((&history["total_rounds"], &history["best_metric"]), (&json!(3), &json!(0.1)));
    assert_eq!([&history["rounds"][0]["improved"], &history["rounds"][1]["improved"]], [true, false]);
}

#[test]
fn the_global_scope_speaks_for_all() {
    let mut global = learning();
    global.params.insert("global".to_owned(), params(3.0, vec![filter("min_risk_reward", 1.5)]));
    let document = document(vec![global]);
    let keys = ["min_risk_reward", "min_indicator_consensus", "min_signal_score"];
    assert_eq!(keys.map(|key| document["global"][key].clone()), [json!(1.5), json!(2), json!(55)]);
}

#[test]
fn markets_are_named_as_the_bot_names_them() {
    let names = ["BTCUSDT", "1000PEPEUSDC", "USDT", "EURGBP"].map(market_name);
    assert_eq!(names, ["BTC/USDT:USDT", "1000PEPE/USDC:USDC", "USDT", "EURGBP"]);
    let names = ["BTCUSDT_250328", "币安人生USDT"].map(market_name);
    assert_eq!(names, ["BTC/USDT:USDT-250328", "币安人生/USDT:USDT"]);
}

#[test]
fn a_symbol_keeps_the_spelling_of_the_imported_file() {
    for name in ["BTC/USDT", "BTCUSDT", "BTC-USDT-SWAP", "btc_usdt"] {
        assert_eq!(spelled_symbol(&json!({"ETH/USDT": {}, name: {}}), "BTCUSDT"), name);
    }
    assert_eq!(spelled_symbol(&json!({"ETH/USDT": {}}), "BTCUSDT"), "BTC/USDT:USDT");
}

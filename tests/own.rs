//! Own parameters per symbol, through the command.

use serde_json::Value;

use crate::command::StoreDir;

const FEW: [&str; 8] = [
    "--set",
    "symbols.min_trades=5",
    "--set",
    "validate.min_out_of_sample_trades=3",
    "--set",
    "style.swing.space.atr_tp_multiplier=[3]",
    // What is chosen in sample is judged out of sample.
    "--set",
    "decide.require=stable",
];

fn run(store: &StoreDir, prior_trades: u32, more: &[&str]) -> Value {
    let prior = format!("symbols.prior_trades={prior_trades}");
    let fixed = ["incremental", "--data", "tests/sample", "--exit-zero", "--set", &prior];
    let output = store.run(&[&fixed[..], &FEW, more, &["--json"]].concat());
    assert!(output.status.success(), "{}", crate::command::text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("one document");
    document["data"].clone()
}

fn own(document: &Value) -> Vec<(String, bool)> {
    let symbols = document["styles"]["scalping"]["symbols"].as_object().expect("the set survived");
    symbols.iter().map(|(symbol, part)| (symbol.clone(), !part["own"].is_null())).collect()
}

#[test]
fn a_symbol_has_its_own_set_where_the_evidence_suffices_and_loses_it_where_not() {
    let store = StoreDir::missing();
    let first = run(&store, 5, &[]);
    let expected = [("ALPHAUSDT", false), ("BRAVOUSDT", true), ("CRESTUSDT", false)];
    assert_eq!(own(&first), expected.map(|(symbol, own)| (symbol.to_owned(), own)));
    let part = &first["styles"]["scalping"]["symbols"]["BRAVOUSDT"]["own"];
    assert!(
        part["in_sample"]["trades"].as_u64() >= Some(5)
            && part["out_of_sample"]["trades"].as_u64() >= Some(3)
    );
    assert_ne!(part["params"], first["styles"]["scalping"]["decision"]["candidate"]["params"]);

    let scopes = |store: &StoreDir| -> Vec<String> {
        let document = store.json(&["inspect", "params"]);
        let scopes = document["data"]["scopes"].as_array().expect("scopes").clone();
        scopes.iter().filter_map(|scope| scope["scope"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(scopes(&store), ["scalping", "symbol/BRAVOUSDT/scalping"]);
    let exported: Value = serde_json::from_str(&store.stdout(&["export-json", "-o", "-"])).expect("JSON");
    let bot = &exported["per_symbol"]["BRAVO/USDT:USDT"];
    assert_eq!(bot["min_signal_score"].as_f64(), part["params"]["min_signal_score"].as_f64());
    assert!(bot["sample_count"].as_u64() >= Some(8), "{bot}");

    // The same evidence again: nothing to change.
    let again = run(&store, 5, &[]);
    assert_eq!(
        (&again["decision"]["result"], &again["decision"]["changed"]),
        (&"unchanged".into(), &false.into())
    );

    // More trust in the whole: the symbol goes back to the set of all symbols, and that is a change like any other.
    let back = run(&store, 100_000, &[]);
    assert!(own(&back).iter().all(|(_, own)| !own), "{:?}", own(&back));
    let changes = back["decision"]["changes"].as_array().expect("changes");
    assert!(
        !changes.is_empty()
            && changes
                .iter()
                .all(|change| { change["scope"] == "symbol/BRAVOUSDT/scalping" && change["new"].is_null() })
    );
    assert_eq!(back["decision"]["result"], "changed");
    assert_eq!(scopes(&store), ["scalping"]);
    let listed = store.stdout(&["inspect", "changes", "--limit", "1"]);
    assert!(listed.contains("symbol/BRAVOUSDT/scalping"), "{listed}");
}

#[test]
fn too_few_trades_and_a_switch_leave_the_pooled_set() {
    let store = StoreDir::missing();
    let many = run(&store, 5, &["--set", "symbols.min_trades=500"]);
    let reasons = many["styles"]["scalping"]["symbols"].as_object().expect("the set survived");
    assert_eq!(reasons.len(), 3);
    assert!(
        reasons
            .values()
            .all(|part| part["reason"]["text"] == "no set has 500 in-sample trades on the symbol")
    );
    let off = run(&store, 5, &["--set", "symbols.own_parameters=false"]);
    assert_eq!(off["styles"]["scalping"]["symbols"], serde_json::json!({}));
    assert_eq!(off["decision"]["changed"], false);
}

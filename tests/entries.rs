//! The trades of a set of a stored run, and every entry on candles with what was known at it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::command::StoreDir;

/// A trade by symbol and entry, with its results.
fn by_entry(rows: &Value) -> BTreeMap<(String, String, String), (Value, Value)> {
    let text = |row: &Value, key: &str| row[key].as_str().expect("text").to_owned();
    let key = |row: &Value| (text(row, "symbol"), text(row, "entry_at"), text(row, "direction"));
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| (key(row), (row["net_pct"].clone(), row["exit"].clone()))).collect()
}

#[test]
fn the_trades_of_a_set_are_those_that_the_run_counted_and_entries_of_its_candles() {
    let store = StoreDir::after_a_run();
    let top = store.json(&["inspect", "top", "--limit", "2", "--style", "scalping"]);
    for trial in top["data"]["styles"]["scalping"]["trials"].as_array().expect("trials") {
        let rank = trial["rank"].to_string();
        let run = ["--run", "1", "--rank", rank.as_str(), "--style", "scalping"];
        let trades = store.json(&[&["inspect", "trades"], &run[..]].concat());
        let trades = &trades["data"]["trades"];
        let list = trades.as_array().expect("trades");
        // The figures of a trial are of the days that chose it, which come first.
        let counted = trial["metrics"]["trades"].as_u64().expect("a count") as usize;
        assert!(counted > 10 && counted < list.len(), "{trial}");
        let net = |trade: &Value| trade["net_pct"].as_f64().expect("a number");
        let wins = list[..counted].iter().filter(|trade| net(trade) > 0.0).count() as f64;
        let figure = |name: &str| trial["metrics"][name].as_f64().expect("a number");
        assert!((wins / counted as f64 - figure("win_rate")).abs() < 1e-9, "{trial}");
        let sum: f64 = list[..counted].iter().map(net).sum();
        assert!((sum - figure("total_return_pct")).abs() < 1e-6, "{trial}");
        assert!(list.iter().any(|trade| trade["in_portfolio"] == true));
        // Every trade is an entry on the candles, with the same end.
        let entries = store.json(&[&["inspect", "signals", "--data", "tests/sample"], &run[..]].concat());
        let entries = &entries["data"];
        let (of_set, all) = (by_entry(trades), by_entry(&entries["entries"]));
        assert!(all.len() > of_set.len() && of_set.iter().all(|(key, trade)| all.get(key) == Some(trade)));
        let columns = entries["columns"].as_array().expect("columns");
        let score = columns.iter().position(|name| name == "signal_score").expect("the score");
        assert!(columns.len() > 50 && entries["entries"][0]["values"][score].is_number());
    }
}

#[test]
fn entries_are_written_as_csv_and_parquet_and_what_cannot_be_told_says_why() {
    let store = StoreDir::after_a_run();
    let window = ["--set", "data.window=\"20d\""];
    let fixed = ["inspect", "signals", "--style", "scalping", "--run", "1", "--data", "tests/sample"];
    let csv = store.stdout(&[&fixed[..], &window, &["--csv"]].concat());
    let mut lines = csv.lines();
    let head: Vec<&str> = lines.next().expect("names").split(',').collect();
    assert!(
        head.starts_with(&["symbol", "direction", "setup", "entry_at"]) && head.contains(&"signal_score"),
        "{head:?}"
    );
    let rows = lines.count();
    assert!(rows > 10, "{rows}");
    let file = store.path.with_file_name("entries.parquet");
    let named = file.to_str().expect("a path");
    let said = store.stdout(&[&fixed[..], &window, &["--parquet", named]].concat());
    assert_eq!(said, format!("wrote {rows} entries to {named}\n"));
    assert!(fs::read(&file).expect("a file").starts_with(b"PAR1"));
    let refused = |arguments: &[&str]| store.failure(arguments);
    let (code, words) = refused(&["inspect", "trades", "--run", "1"]);
    assert!(
        code == Some(2) && words.contains("--style: expected one of those of run 1: scalping, swing"),
        "{words}"
    );
    let (code, words) = refused(&["inspect", "trades", "--run", "1", "--rank", "99", "--style", "swing"]);
    assert!(code == Some(2) && words.contains("found 99; there are 1 to "), "{words}");
    let (code, words) = refused(&["inspect", "trades"]);
    assert!(code == Some(2) && words.contains("<FILE>"), "{words}");
    // Given signals have their own columns.
    let own = [
        "incremental",
        "--data",
        "tests/sample",
        "--signals",
        "tests/fixtures/signals.csv",
        "--exit-zero",
        "-q",
    ];
    assert!(store.run(&own).status.success());
    let given = ["inspect", "signals", "--style", "scalping", "--run", "2", "--data", "tests/sample"];
    let given = store.json(&[&given[..], &["--signals", "tests/fixtures/signals.csv"]].concat());
    let columns = given["data"]["columns"].as_array().expect("columns");
    assert!(columns.iter().any(|name| name == "signals.my_score"), "{columns:?}");
    assert_eq!(given["data"]["entries"][0]["setup"], "given signals");
}

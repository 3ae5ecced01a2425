//! `optimizer inspect trades`: what a bot's own trades say, on trades made up for the sample candles.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{StoreDir, optimizer, text};

const TRADES: &str = "tests/fixtures/trades_history.csv";

/// Runs the command on a file, without any store.
fn inspect(file: &str, more: &[&str]) -> (i32, String, String) {
    let store = StoreDir::missing();
    let mut command = optimizer();
    command.args(["inspect", "trades", file]).args(more).arg("--store").arg(&store.path);
    let output = command.output().expect("the program can be started");
    assert!(!store.path.exists(), "no store is made");
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn document(file: &str, more: &[&str]) -> Value {
    let (code, stdout, stderr) = inspect(file, &[more, &["--json"]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    serde_json::from_str::<Value>(&stdout).expect("a document")["data"].clone()
}

#[test]
fn losses_pause_a_coin_and_the_account_until_time_is_over() {
    let at = |time: &str| document(TRADES, &["--account", "100", "--at", time]);
    let during = at("2025-04-23 14:00");
    // 6.2 % within five hours: level 2, four hours from the last loss on.
    let bravo = &during["coins"]["BRAVO"];
    assert_eq!(
        (&bravo["state"], &bravo["pause_level"], &bravo["minutes_left"]),
        (&json!("pause"), &json!(2), &json!(180))
    );
    assert_eq!(bravo["pause_until"], "2025-04-23T17:00:00Z");
    assert_eq!(bravo["reason"], "冷静期中（4小时），剩余3h0m");
    let cause = bravo["cause"].as_str().expect("text");
    assert!(cause.starts_with("the last 3 losses took 6.2 % of the account in "), "{cause}");
    assert_eq!(during["coins"]["ALPHA"]["cause"], "");
    assert_eq!((&during["all"]["state"], &during["all"]["closed"]), (&json!("pause"), &json!(5)));
    assert_eq!(
        (&during["coins"]["ALPHA"]["state"], &during["coins"]["ALPHA"]["pauses"]),
        (&json!("trade"), &json!(0))
    );
    let after = at("2025-05-01");
    assert_eq!(
        (&after["coins"]["BRAVO"]["state"], &after["coins"]["BRAVO"]["pauses"]),
        (&json!("trade"), &json!(1))
    );
    assert_eq!(
        (&after["trades"], &after["open"], &after["all"]["closed"]),
        (&json!(7), &json!(1), &json!(6))
    );
    // Without an account its share is not known: the losses pause for two hours only.
    let unknown = document(TRADES, &["--at", "2025-04-23 14:00"]);
    assert_eq!(
        (&unknown["coins"]["BRAVO"]["pause_level"], &unknown["coins"]["BRAVO"]["minutes_left"]),
        (&json!(1), &json!(60))
    );
    // The bot's clock is ahead: what it calls 13:00 was 05:00.
    let ahead = document(TRADES, &["--account", "100", "--at", "2025-04-23 06:00", "--utc-offset", "+08:00"]);
    let shifted = during["coins"].to_string().replace("T17:00", "T09:00").replace("T13:00", "T05:00");
    assert_eq!(ahead["coins"].to_string(), shifted);
}

#[test]
fn entries_and_exits_are_judged_by_what_came_after() {
    let found = document(TRADES, &["--data", "tests/sample", "--at", "2025-05-01"]);
    assert_eq!(
        found["entries"],
        json!({"correct": 1, "false_signal": 1, "timing_issue": 4, "strong": 1, "moderate": 0, "weak": 0})
    );
    // The target of the long left 2.6 % on the table; the first stop of BRAVO came late.
    let exits = &found["exits"];
    assert_eq!((&exits["premature"], &exits["unknown"]), (&json!(1), &json!(0)));
    assert!(exits["delayed"].as_u64() >= Some(1), "{exits}");
    let count = |part: &Value, key: &str| part[key].as_u64().expect("a count");
    let opportunities = &found["opportunities"];
    assert!(count(opportunities, "missed") > 10 && opportunities["largest_missed"].as_array().is_some());
    let wide = document(TRADES, &["--data", "tests/sample", "--at", "2025-05-01", "--match-minutes", "240"]);
    assert!(count(&wide["opportunities"], "captured") > count(opportunities, "captured"));
    assert!(count(&wide["signals"], "at_a_signal") > count(&found["signals"], "at_a_signal"));
    let all =
        |found: &Value| count(&found["opportunities"], "captured") + count(&found["opportunities"], "missed");
    assert_eq!(all(&wide), all(&found));
    let swing = document(TRADES, &["--data", "tests/sample", "--at", "2025-05-01", "--style", "swing"]);
    assert_ne!(swing["opportunities"], found["opportunities"], "another horizon finds others");
    // Nothing after the review is looked at: four hours later than the last exit but one, its prices are known.
    let early = document(TRADES, &["--data", "tests/sample", "--at", "2025-04-23 14:00"]);
    assert_eq!((&early["exits"]["unknown"], &early["exits"]["premature"]), (&json!(4), &json!(0)));
}

#[test]
fn opportunities_can_come_from_the_legacy() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("opportunities.json");
    let record = |coin: &str, time: &str, profit: f64| json!({"coin": coin, "timestamp": time, "signal_score": 80, "objective_profit": profit});
    let records = json!([
        record("ALPHA", "2025-04-26 22:04:00", 9.0),
        record("BRAVO", "2025-04-26 22:00:00", 11.0),
        record("ALPHA", "2026-01-01 00:00:00", 50.0),
    ]);
    fs::write(&path, records.to_string()).expect("written");
    let file = path.to_str().expect("a path");
    let found = document(TRADES, &["--opportunities", file, "--at", "2025-05-01"]);
    assert_eq!(
        found["opportunities"],
        json!({"captured": 1, "missed": 1, "largest_missed": [
            {"coin": "BRAVO", "at": "2025-04-26T22:00:00Z", "potential_pct": 11.0}]})
    );
    assert_eq!(found["signals"], Value::Null);
    assert_eq!(found["exits"]["unknown"], 6);
    assert!(found["lessons"].to_string().contains("50 % of the opportunities were missed"), "{found}");
}

#[test]
fn json_and_csv_say_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trades.json");
    let csv = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(TRADES)).expect("the fixture");
    let records: Vec<Value> = csv
        .lines()
        .skip(1)
        .map(|line| {
            // Only the reasons, which nobody reads here, hold quotes and commas.
            let parts: Vec<&str> = line.split('"').collect();
            let plain = if parts.len() > 1 {
                format!("{}{}", parts[0], parts[parts.len() - 1])
            } else {
                line.to_owned()
            };
            let cells: Vec<&str> = plain.split(',').collect();
            let number = |cell: &str| cell.parse::<f64>().map_or(Value::Null, Value::from);
            json!({"coin": cells[2], "side": cells[3], "opened_at": cells[0], "closed_at": cells[1],
                "profit": number(cells[12]), "exit_price": number(cells[6]), "exit_reason": cells[14],
                "signal_score": number(cells[15]), "consensus": number(cells[16])})
        })
        .collect();
    fs::write(&path, Value::from(records).to_string()).expect("written");
    let options = ["--data", "tests/sample", "--at", "2025-05-01", "--account", "100"];
    let (mut a, mut b) = (document(TRADES, &options), document(path.to_str().expect("a path"), &options));
    (a["file"], b["file"]) = (Value::Null, Value::Null);
    assert_eq!(a, b);
}

#[test]
fn the_text_is_narrow_and_says_what_is_not_known() {
    let (code, stdout, stderr) = inspect(TRADES, &["--data", "tests/sample", "--at", "2025-04-27 20:00"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.lines().all(|line| line.chars().count() <= 100), "{stdout}");
    for part in [
        "6 trades, 0 of them open; as of 2025-04-27 20:00 UTC",
        "BRAVO",
        "entries: 1 correct",
        "signals:",
        "missed",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let (_, without, _) = inspect(TRADES, &["--at", "2025-04-27 20:00"]);
    assert!(without.contains("opportunities: not known; --data PATH finds them in candles"), "{without}");
    assert!(without.contains("6 with unknown prices afterwards"), "{without}");
}

#[test]
fn bad_files_and_flags_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bad.csv");
    fs::write(&path, "币种,方向,开仓时间,平仓时间,盈亏(U)\nBTC,多,2025-01-01,2025-01-02,lots\n")
        .expect("written");
    let (code, stdout, stderr) = inspect(path.to_str().expect("a path"), &[]);
    assert_eq!((code, stdout.as_str()), (4, ""));
    assert!(
        stderr.contains("line 2: expected the profit of a closed trade as 盈亏(U), found \"lots\""),
        "{stderr}"
    );
    let (code, _, stderr) = inspect("nowhere.csv", &[]);
    assert_eq!(code, 4);
    assert!(stderr.contains("cannot read `nowhere.csv`"), "{stderr}");
    for (flags, wanted) in [
        (["--at", "soon"], "--at: expected a time such as"),
        (["--utc-offset", "8am"], "expected hours and minutes ahead of UTC"),
        (["--account", "0"], "expected an amount"),
    ] {
        let (code, _, stderr) = inspect(TRADES, &flags);
        assert!(code == 2 && stderr.contains(wanted), "{flags:?}: {stderr}");
    }
}

//! Parameters handed over to a freqtrade strategy: its file, and a bot that stands in for freqtrade's API.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};

use crate::command::{StoreDir, text};
use crate::http_server::{Reply, Server};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/freqtrade");

/// A strategy's folder beside a store with active parameters of scalping.
struct Strategy {
    store: StoreDir,
    folder: tempfile::TempDir,
}

impl Strategy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::copy(format!("{FIXTURES}/Sample.py"), folder.path().join("Sample.py")).expect("copied");
        Self { store: StoreDir::after_a_run(), folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("Sample.json")
    }

    fn export(&self, more: &[&str]) -> Output {
        self.export_by(&format!("{FIXTURES}/map.toml"), "Sample", more)
    }

    fn export_by(&self, map: &str, strategy: &str, more: &[&str]) -> Output {
        let file = self.file();
        let fixed =
            ["export-freqtrade", "--strategy", strategy, "--map", map, "-o", file.to_str().expect("a path")];
        self.store.run(&[&fixed[..], more].concat())
    }

    fn read(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file()).expect("a file")).expect("JSON")
    }
}

/// Returns the exit code with what was said.
fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn a_file_is_written_checked_and_written_again_only_where_something_changes() {
    let strategy = Strategy::new();
    assert_eq!(said(&strategy.export(&["--check"])).0, Some(1), "it is not there yet");
    let (code, words) = said(&strategy.export(&[]));
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("buy.buy_score: - -> 40") && words.contains("wrote "), "{words}");
    let file = strategy.read();
    assert_eq!(file["strategy_name"], "Sample");
    assert_eq!(file["params"]["buy"], json!({ "buy_score": 40 }));
    assert_eq!(file["ft_stratparam_v"], 1);
    assert_eq!(file["retune"]["params_id"].as_str().map(str::len), Some(12));
    assert_eq!(said(&strategy.export(&["--check"])).0, Some(0));
    let before = fs::read(strategy.file()).expect("a file");
    let (code, words) = said(&strategy.export(&[]));
    assert!(code == Some(0) && words.contains("unchanged: "), "{words}");
    assert_eq!(fs::read(strategy.file()).expect("a file"), before, "not even its date");
    // Somebody changes what is ours and adds what is theirs: the next export mends the first and keeps the second.
    let mut edited = file;
    edited["params"]["buy"]["buy_score"] = json!(99);
    edited["params"]["sell"] = json!({ "sell_rsi": 77 });
    edited["note"] = json!("mine");
    fs::write(strategy.file(), edited.to_string()).expect("written");
    let (code, words) = said(&strategy.export(&["--diff"]));
    assert!(code == Some(1) && words.contains("buy.buy_score: 99 -> 40"), "{words}");
    assert_eq!(said(&strategy.export(&[])).0, Some(0));
    let file = strategy.read();
    assert_eq!(file["params"]["buy"]["buy_score"], 40);
    assert_eq!((&file["params"]["sell"]["sell_rsi"], &file["note"]), (&json!(77), &json!("mine")));
    let backup = fs::read_to_string(strategy.folder.path().join("Sample.json.bak")).expect("a backup");
    assert_eq!(backup, edited.to_string());
}

#[test]
fn what_would_be_lost_or_keep_the_bot_from_starting_is_refused() {
    let strategy = Strategy::new();
    let (code, words) = said(&strategy.export_by(&format!("{FIXTURES}/map.toml"), "Other", &[]));
    assert!(code == Some(2) && words.contains("found no class Other"), "{words}");
    let foreign =
        json!({ "strategy_name": "Sample", "params": { "buy": { "buy_score": 1 } }, "ft_stratparam_v": 1 });
    fs::write(strategy.file(), foreign.to_string()).expect("written");
    let (code, words) = said(&strategy.export(&[]));
    assert!(code == Some(12) && words.contains("was written by somebody else"), "{words}");
    assert_eq!(strategy.read(), foreign);
    assert_eq!(said(&strategy.export(&["--force"])).0, Some(0));
    assert_eq!(strategy.read()["params"]["buy"]["buy_score"], 40);
    let others = json!({ "strategy_name": "Else", "params": {} }).to_string();
    for (content, expected) in
        [(others.as_str(), "strategy_name: expected \"Sample\""), ("{ \"a\": NaN }", "cannot be read")]
    {
        fs::write(strategy.file(), content).expect("written");
        let (code, words) = said(&strategy.export(&["--force"]));
        assert!(code == Some(4) && words.contains(expected), "{words}");
        assert_eq!(fs::read_to_string(strategy.file()).expect("a file"), content);
    }
    let map = strategy.folder.path().join("own.toml");
    for (content, code, expected) in [
        ("[buy]\nx = \"min_score\"\n", 3, "expected one of the filters of the set"),
        ("[exits]\nstoploss = true\n", 3, "an exit in percent of the price, found atr_tp_multiplier"),
        ("[buy\n", 3, "own.toml: "),
    ] {
        fs::write(&map, content).expect("written");
        let (found, words) = said(&strategy.export_by(map.to_str().expect("a path"), "Sample", &[]));
        assert!(found == Some(code) && words.contains(expected), "{content}: {words}");
    }
    fs::remove_file(strategy.folder.path().join("Sample.py")).expect("removed");
    let (code, words) = said(&strategy.export(&[]));
    assert!(code == Some(2) && words.contains("beside the strategy's source"), "{words}");
    // Nothing active, nothing to hand over.
    let (code, words) = said(&strategy.export(&["--style", "swing"]));
    assert_ne!(code, Some(0), "{words}");
}

/// A bot with so many open trades.
fn bot(open: usize) -> Server {
    Server::start(move |_, asked| match (asked.method.as_str(), asked.path.as_str()) {
        _ if asked.header("authorization") != Some("Basic bWU6c2VjcmV0") => Reply::status(401, "who?"),
        ("GET", "/api/v1/status") => Reply::ok(Value::from(vec![json!({ "trade_id": 1 }); open]).to_string()),
        ("POST", "/api/v1/reload_config") => Reply::ok("{\"status\": \"Reloading config ...\"}"),
        _ => Reply::status(404, "{}"),
    })
}

/// Runs an export with the address of a bot, as the user `me` whose password is `secret`, or another one.
fn told(strategy: &Strategy, server: &Server, password: &str, more: &[&str]) -> (Option<i32>, String) {
    let file = strategy.file();
    let map = format!("{FIXTURES}/map.toml");
    let mut command = crate::command::optimizer();
    command.args(["export-freqtrade", "--strategy", "Sample", "--map", &map, "-o"]).arg(&file);
    command.arg("--store").arg(&strategy.store.path).args(["--api", &server.url]).args(more);
    command.env("OPTIMIZER_FREQTRADE_USER", "me").env("OPTIMIZER_FREQTRADE_PASSWORD", password);
    said(&command.output().expect("the program can be started"))
}

#[test]
fn a_bot_is_asked_before_and_told_afterwards() {
    let strategy = Strategy::new();
    let busy = bot(2);
    let (code, words) = told(&strategy, &busy, "secret", &["--when", "flat"]);
    assert!(code == Some(11) && words.contains("the bot has 2 open trades"), "{words}");
    assert!(!strategy.file().exists());
    let flat = bot(0);
    let (code, words) = told(&strategy, &flat, "secret", &["--when", "flat"]);
    assert!(code == Some(0) && words.contains("the bot reads it again"), "{words}");
    let paths = |server: &Server| server.asked().into_iter().map(|asked| asked.path).collect::<Vec<_>>();
    assert_eq!(paths(&flat), ["/api/v1/status", "/api/v1/reload_config"]);
    // Nothing changes, nobody is told.
    assert_eq!(told(&strategy, &flat, "secret", &[]).0, Some(0));
    assert_eq!(paths(&flat).len(), 2);
    // The password is shown nowhere, whatever goes wrong.
    fs::remove_file(strategy.file()).expect("removed");
    let (code, words) = told(&strategy, &flat, "wrong-word", &[]);
    assert!(code == Some(74) && words.contains("401"), "{words}");
    assert!(words.contains("the file is written") && !words.contains("wrong-word"), "{words}");
    let (code, words) = said(&strategy.export(&["--when", "flat"]));
    assert!(code == Some(2) && words.contains("--when flat: expected --api"), "{words}");
}

/// Runs the exporter of entries in a stand-in for freqtrade; `None` where there is no Python.
fn exported(folder: &std::path::Path, more: &[&str]) -> Option<Output> {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/freqtrade_entries.py");
    let mut command = std::process::Command::new("python3");
    command.arg(format!("{FIXTURES}/fake_freqtrade.py")).arg(tool).args(["-c", "config.json", "-s", "Fake"]);
    command.args(["-o", "entries.csv"]).args(more).current_dir(folder);
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
            None
        }
    }
}

#[test]
fn every_entry_of_a_strategy_is_exported_and_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(output) = exported(folder.path(), &[]) else { return };
    let (code, words) = said(&output);
    assert!(code == Some(0) && words.contains("4 entries of 1 pairs"), "{words}");
    let file = folder.path().join("entries.csv");
    let written = fs::read_to_string(&file).expect("entries");
    // A signal on the third candle of 5m from midnight on is known at 00:30, and the exit after it two candles later. Warm-up and
    // rows with an exit or both sides are left out, and so is the text that is no tag.
    let expected = "pair,time,direction,exit_time,enter_tag,rsi,above,own_atr\n\
                    ALPHA/USDT:USDT,1738369800000,long,1738370100000,dip,20.0,0.0,1.5\n\
                    ALPHA/USDT:USDT,1738370400000,short,,,40.0,0.0,1.5\n\
                    ALPHA/USDT:USDT,1738371300000,long,,late dip,20.0,1.0,1.5\n\
                    ALPHA/USDT:USDT,1738371600000,long,,late dip,30.0,0.0,1.5\n";
    assert_eq!(written, expected);
    let store = StoreDir::missing();
    let named = file.to_str().expect("a path");
    let (code, words) = said(&store.run(&["check", "data", "--signals", named]));
    assert_eq!(code, Some(0), "{words}");
    for line in [
        "ALPHAUSDT: 4 signals",
        "column \"enter_tag=late dip\": 0 to 1",
        "column = \"signals.enter_tag=late dip\"\nat_least = [0.0, 1.0]",
        "key = \"min_rsi\"\ncolumn = \"signals.rsi\"\nat_least = [20.0, 30.0]    # or at_most = [40.0, 30.0, 20.0]",
    ] {
        assert!(words.contains(line), "{line}: {words}");
    }
    // What is printed can stand in a configuration, and then every column is read.
    let block = words.split("add\n").nth(1).and_then(|rest| rest.split("\nusable").next()).expect("a block");
    let config = folder.path().join("own.toml");
    fs::write(&config, block.split("\nusable").next().expect("a block")).expect("written");
    let (code, words) =
        said(&store.run(&["-c", config.to_str().expect("a path"), "check", "data", "--signals", named]));
    assert!(code == Some(0) && !words.contains("no filter of the configuration"), "{words}");
    let loose =
        exported(folder.path(), &["--loosen", "{\"buy\": {\"buy_rsi\": 40}}"]).expect("Python is there");
    assert!(text(&loose.stderr).contains("5 entries of 2 pairs"), "{}", text(&loose.stderr));
    let unknown = exported(folder.path(), &["--loosen", "{\"buy_rsx\": 40}"]).expect("Python is there");
    let words = text(&unknown.stderr);
    assert!(!unknown.status.success() && words.contains("buy_rsi") && words.contains("'buy_rsx'"), "{words}");
}

/// Runs an import of a file on a store.
fn import(store: &StoreDir, file: &str, more: &[&str]) -> (Option<i32>, String) {
    let (map, space) = (format!("{FIXTURES}/exits.toml"), format!("{FIXTURES}/space.toml"));
    let fixed = ["import-freqtrade", file, "--strategy", "Sample", "--map", &map, "-c", &space];
    said(&store.run(&[&fixed[..], more].concat()))
}

#[test]
fn what_is_imported_is_what_an_export_writes() {
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let written = fs::read_to_string(format!("{FIXTURES}/incumbent.json")).expect("a file");
    fs::write(at("Sample.json"), &written).expect("written");
    fs::copy(format!("{FIXTURES}/Sample.py"), at("Sample.py")).expect("copied");
    // What cannot be imported leaves not even a store behind.
    let changed = written.replace("\"buy_score\": 50", "\"buy_score\": 45");
    fs::write(at("other.json"), &changed).expect("written");
    let (code, words) = import(&store, &at("other.json"), &[]);
    assert!(code == Some(4) && words.contains("buy.buy_score: expected one of 40, 50, 60"), "{words}");
    let (code, words) = import(&store, &at("none.json"), &[]);
    assert!(code == Some(74) && words.contains("cannot read"), "{words}");
    let (code, words) = import(&store, &at("Sample.json"), &["--value", "take_profit=4"]);
    assert!(code == Some(2) && words.contains("take_profit: expected an axis of the space"), "{words}");
    let (code, words) =
        import(&store, &at("Sample.json"), &["--set", "style.swing.space.max_holding_hours=[24]"]);
    assert!(code == Some(2) && words.contains("--style: expected one of scalping, swing"), "{words}");
    let wide = ["--set", "style.scalping.space.min_risk_reward=[0, 1.5]"];
    let (code, words) = import(&store, &at("Sample.json"), &wide);
    assert!(
        code == Some(4) && words.contains("found several") && words.contains("`min_risk_reward` (0, 1.5)"),
        "{words}"
    );
    assert!(!store.path.exists());
    let (code, words) = import(&store, &at("Sample.json"), &[]);
    assert!(code == Some(10) && words.contains("take_profit_pct") && words.contains("imported "), "{words}");
    for place in ["buy.buy_window", "sell.sell_rsi", "max_open_trades.max_open_trades"] {
        assert!(words.contains(place), "{words}");
    }
    let map = format!("{FIXTURES}/exits.toml");
    let export = ["export-freqtrade", "--strategy", "Sample", "--map", &map, "-o", &at("Sample.json")];
    let (code, words) = said(&store.run(&[&export[..], &["--check"]].concat()));
    assert_eq!((code, words.as_str()), (Some(0), ""));
    let (code, words) = said(&store.run(&export));
    assert!(code == Some(0) && words.contains("unchanged: "), "{words}");
    assert_eq!(fs::read_to_string(at("Sample.json")).expect("a file"), written);
    // The file is known from the import on: another set of the profile may be written over it.
    let other = written.replace("-0.05", "-0.03");
    fs::write(at("other.json"), other).expect("written");
    assert_eq!(import(&store, &at("other.json"), &[]).0, Some(10));
    fs::copy(at("other.json"), at("Sample.json")).expect("copied");
    assert_eq!(import(&store, &at("Sample.json"), &wide[..0]).0, Some(0), "active already");
}

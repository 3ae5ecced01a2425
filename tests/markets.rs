//! Which market a file is of: names are read as a whole, markets are never mixed, contents do not contradict names.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{StoreDir, optimizer, text};

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;
const STEP: i64 = 15 * 60_000;

struct Folder(TempDir);

impl Folder {
    fn of(files: &[(&str, f64)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder for the test"));
        files.iter().for_each(|(name, price)| folder.put(name, candles(*price, 0..100, None)));
        folder
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, content).expect("the file is written");
    }

    /// Returns what `check data` finds, its exit code first.
    fn check(&self, flags: &[&str]) -> (i32, Value) {
        let mut command = optimizer();
        command.args(["check", "data", "--json"]).args(flags).arg(self.0.path());
        let output = command.output().expect("the program can be started");
        let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
        (output.status.code().expect("an exit code"), document["data"].clone())
    }

    fn symbols(&self, flags: &[&str]) -> Vec<String> {
        let (_, found) = self.check(flags);
        let symbols = found["symbols"].as_array().expect("a list").iter();
        symbols.map(|symbol| symbol["symbol"].as_str().expect("a name").to_owned()).collect()
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }
}

/// Candles of a price, from one number of a candle to another; with a symbol column where one is named.
fn candles(price: f64, numbers: std::ops::Range<i64>, symbol: Option<&str>) -> String {
    let column = symbol.map_or(String::new(), |name| format!("{name},"));
    let row = |number: i64| {
        let (open, time) = (price * (1.0 + (number % 7) as f64 / 1000.0), START + number * STEP);
        format!("{column}{time},{open},{},{},{open},10\n", open * 1.01, open * 0.99)
    };
    let header = if symbol.is_some() { "symbol," } else { "" };
    let rows: String = numbers.map(row).collect();
    format!("{header}open_time,open,high,low,close,volume\n{rows}")
}

fn conflicts(found: &Value) -> String {
    found["conflicts"].to_string()
}

fn reasons(found: &Value) -> String {
    found["skipped"].to_string() + &found["files"].to_string()
}

#[test]
fn two_quote_currencies_are_two_symbols_and_exchanges_are_no_coins() {
    let folder = Folder::of(&[
        ("binance_ETH_USDT_15m.csv", 3000.0),
        ("gateio_BTC_USDC_15m.csv", 63000.0),
        ("gateio_BTC_USDT_15m.csv", 60000.0),
        ("more/ohlcv-SOL-USDT-15m.csv", 50.0),
        ("more/coinbase_BTC-USD_15m.csv", 50000.0),
        ("more/KRW-BTC_15m.csv", 98e6),
        ("more/USDT-ADA_15m.csv", 1.0),
    ]);
    let expected = ["ADAUSDT", "BTCKRW", "BTCUSD", "BTCUSDC", "BTCUSDT", "ETHUSDT", "SOLUSDT"];
    assert_eq!(folder.symbols(&[]), expected);
}

#[test]
fn two_coins_of_one_quote_are_never_one_series() {
    let names = ["币安人生_USDT_USDT-15m-futures.csv", "4_USDT_USDT-15m-futures.csv"];
    let folder = Folder::of(&[(names[0], 0.2), (names[1], 0.1)]);
    assert_eq!(folder.symbols(&[]), ["4USDT", "币安人生USDT"]);
}

#[test]
fn a_dated_contract_is_a_symbol_of_its_own() {
    let names = ["BTCUSDT-15m-2025-01.csv", "BTCUSDT_250328-15m-2025-01.csv", "BTC-USDT-250627.csv"];
    let folder = Folder::of(&[(names[0], 40000.0), (names[1], 42000.0), (names[2], 43000.0)]);
    assert_eq!(folder.symbols(&[]), ["BTCUSDT", "BTCUSDT_250328", "BTCUSDT_250627"]);
    assert_eq!(folder.symbols(&["--market", "dated"]), ["BTCUSDT_250328", "BTCUSDT_250627"]);
    assert_eq!(folder.symbols(&["--exclude", "*_250328-*"]), ["BTCUSDT", "BTCUSDT_250627"]);
}

#[test]
fn two_markets_of_a_symbol_stop_every_command_and_a_flag_chooses() {
    let folder = Folder::of(&[("spot/BTCUSDT-15m.csv", 40000.0), ("futures/um/BTCUSDT-15m.csv", 40020.0)]);
    let (code, found) = folder.check(&[]);
    assert_eq!((code, &found["usable"]), (4, &Value::Bool(false)));
    for part in
        ["found two", "spot/BTCUSDT-15m.csv` is of spot", "is of usdt-m", "--market spot", "--exclude GLOB"]
    {
        assert!(conflicts(&found).contains(part), "{part}: {}", conflicts(&found));
    }
    let store = StoreDir::missing();
    let data = folder.path();
    let data = data.to_str().expect("text");
    for arguments in [
        &["incremental", "--data", data][..],
        &["incremental", "--data", data, "--on-conflict", "last"],
        &["incremental", "--data", data, "--dry-run"],
        &["check", "lookahead", "--data", data],
    ] {
        let output = store.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains("expected one market of BTCUSDT") && !said.contains("on-conflict"), "{said}");
    }
    for (flags, price) in [
        (["--market", "spot"], "40000"),
        (["--market", "usdt-m"], "40020"),
        (["--exclude", "futures"], "40000"),
        (["--exclude", "spot/*.csv"], "40020"),
    ] {
        let (code, found) = folder.check(&flags);
        assert_eq!(code, 0, "{flags:?}: {found}");
        let files = found["files"].as_array().expect("a list");
        assert_eq!(files.len(), 1, "{flags:?}");
        let spot = files[0]["file"].as_str().expect("a name").contains("spot");
        assert_eq!(spot, price == "40000", "{flags:?}");
    }
    let (code, _) = folder.check(&["--market", "coin-m"]);
    assert_eq!(code, 4, "there is none");
}

#[test]
fn what_says_no_market_does_not_join_what_says_one() {
    let later = |folder: &Folder, name: &str| folder.put(name, candles(100.0, 100..200, None));
    let folder = Folder::of(&[("BTC_USDT-15m.csv", 100.0)]);
    later(&folder, "futures/BTC_USDT_USDT-15m-futures.csv");
    let (code, found) = folder.check(&[]);
    assert_eq!(code, 4);
    assert!(conflicts(&found).contains("BTC_USDT-15m.csv` says no market"), "{}", conflicts(&found));
    let (code, found) = folder.check(&["--market", "usdt-m"]);
    assert_eq!((code, &found["symbols"][0]["candles"]), (0, &Value::from(100)));
    assert!(reasons(&found).contains("no market in the name, beside files of the usdt-m market"));
    let (code, found) = folder.check(&["--market", "spot"]);
    assert_eq!((code, &found["symbols"][0]["candles"]), (0, &Value::from(100)));
    assert!(reasons(&found).contains("a file of the usdt-m market; spot was asked for"));
    // Of one market each, or of none: one series.
    let folder = Folder::of(&[("a/BTCUSDT-15m-2025-01.csv", 100.0)]);
    later(&folder, "b/BTCUSDT-15m-2025-02.csv");
    assert_eq!(folder.check(&[]).1["symbols"][0]["candles"], 200);
    let folder = Folder::of(&[("um/BTCUSDT-15m.csv", 100.0)]);
    later(&folder, "BTC_USDT_USDT-15m-futures.csv");
    assert_eq!(folder.check(&[]).1["symbols"][0]["candles"], 200);
}

#[test]
fn two_exchanges_are_two_markets_and_one_that_is_not_said_is_the_one_that_is() {
    let folder = Folder::of(&[("binance_BTC_USDT_15m.csv", 100.0)]);
    folder.put("BTCUSDT-15m.csv", candles(100.0, 100..200, None));
    assert_eq!(folder.check(&[]).1["symbols"][0]["candles"], 200);
    folder.put("okx/BTC-USDT-15m.csv", candles(100.0, 200..300, None));
    let (code, found) = folder.check(&[]);
    assert_eq!(code, 4);
    assert!(conflicts(&found).contains("is of binance") && conflicts(&found).contains("is of okx"));
    assert_eq!(folder.check(&["--exclude", "okx"]).0, 0);
}

#[test]
fn files_of_other_kinds_are_told_in_a_line_each_kind() {
    let mut files = vec![];
    let kinds = ["mark", "index", "premiumIndex", "funding_rate", "open_interest"];
    for coin in ["BTC", "ETH", "SOL"] {
        files.push((format!("futures/{coin}_USDT_USDT-15m-futures.csv"), 100.0));
        files.extend(kinds.map(|kind| (format!("futures/{coin}_USDT_USDT-15m-{kind}.csv"), 101.0)));
    }
    let files: Vec<(&str, f64)> = files.iter().map(|(name, price)| (name.as_str(), *price)).collect();
    let folder = Folder::of(&files);
    assert_eq!(folder.symbols(&[]), ["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
    let output =
        optimizer().args(["check", "data"]).arg(folder.path()).output().expect("the program can be started");
    let said = text(&output.stdout);
    assert_eq!(said.lines().filter(|line| line.contains("skipped")).count(), kinds.len(), "{said}");
    assert!(said.contains("and 2 more files: skipped: not candles: `mark` in the name"), "{said}");
}

#[test]
fn a_name_that_is_not_understood_is_named_with_the_way_out() {
    let folder = Folder::of(&[("BTCUSDT_mystery-15m.csv", 100.0), ("ETHUSDT-15m.csv", 10.0)]);
    let (code, found) = folder.check(&[]);
    assert_eq!((code, folder.symbols(&[])), (0, vec!["ETHUSDT".to_owned()]));
    assert!(reasons(&found).contains("`mystery` in the name is not understood, so this may not be BTCUSDT"));
    folder.put("symbol=BTCUSDT/BTCUSDT_mystery-15m.csv", candles(100.0, 0..100, None));
    assert_eq!(folder.symbols(&[]), ["BTCUSDT", "ETHUSDT"]);
}

#[test]
fn contents_that_contradict_the_name_are_an_error_of_the_file() {
    for (name, content, agrees) in [
        ("LUNA2USDT-15m.csv", "LUNAUSDT", false),
        ("LUNA2USDT-15m.csv", "LUNA", false),
        ("LUNA2USDT-15m.csv", "LUNA2", true),
        ("BTCUSDT-15m.csv", "BTCUSD", false),
        ("BTCUSDT-15m.csv", "BTC/USDC:USDC", false),
        ("BTCUSDT-15m.csv", "BTC/USDT:USDT", true),
        ("BTCUSDT-15m.csv", "BTC-USDT-SWAP", true),
        ("BTCUSDT-15m.csv", "BINANCE:BTCUSDT.P", true),
        ("BTCUSDT-15m.csv", "币安人生/USDT", false),
        ("BTCUSDT_250328-15m.csv", "BTC/USDT:USDT-250328", true),
        ("BTCUSDT_250328-15m.csv", "BTCUSDT", false),
        ("KRW-BTC_15m.csv", "KRW-BTC", true),
        ("DOTUSD-15m.csv", "DOT", true),
    ] {
        let folder = Folder::of(&[]);
        folder.put(name, candles(100.0, 0..100, Some(content)));
        let (code, found) = folder.check(&[]);
        assert_eq!(code == 0, agrees, "{name} {content}: {found}");
        assert_eq!(reasons(&found).contains("the symbol column holds"), !agrees, "{name} {content}: {found}");
    }
}

#[test]
fn a_hint_never_leads_to_another_market() {
    // Two files that say nothing, of two markets: every candle differs.
    let folder = Folder::of(&[("a/BTCUSDT-15m.csv", 100.0), ("b/BTCUSDT-15m.csv", 100.3)]);
    for flags in [&[][..], &["--on-conflict", "last"]] {
        let (code, found) = folder.check(flags);
        assert_eq!(code, 4, "{flags:?}");
        let said = conflicts(&found);
        assert!(said.contains("100 of 100 candles that both hold have other prices"), "{said}");
        assert!(!said.contains("on-conflict"), "{said}");
    }
    // A later download that corrects one candle.
    let folder = Folder::of(&[("a/BTCUSDT-15m.csv", 100.0)]);
    folder.put("b/BTCUSDT-15m.csv", candles(100.0, 0..100, None).replacen(",99,100,10", ",99,100.4,10", 1));
    assert!(
        conflicts(&folder.check(&[]).1).contains("`--on-conflict last` uses the second, which is right if")
    );
    assert_eq!(folder.check(&["--on-conflict", "last"]).0, 0);
    // Two coins in one file.
    let folder = Folder::of(&[]);
    let rows = candles(5.0, 0..100, None);
    let both = candles(100.0, 0..100, None) + rows.split_once('\n').expect("a header").1;
    folder.put("AAAUSDT-15m.csv", both);
    let (code, found) = folder.check(&["--on-conflict", "last"]);
    assert_eq!(code, 4);
    assert!(conflicts(&found).contains("so it holds two markets"), "{}", conflicts(&found));
}

#[test]
fn the_configuration_chooses_as_the_flags_do() {
    let folder = Folder::of(&[("spot/BTCUSDT-15m.csv", 100.0), ("um/BTCUSDT-15m.csv", 101.0)]);
    let check = |text: &str| {
        folder.put("optimizer.toml", text);
        let mut command = optimizer();
        command.args(["check", "data", "-c"]).arg(folder.path().join("optimizer.toml")).arg(folder.path());
        let output = command.output().expect("the program can be started");
        (output.status.code(), text_of(&output))
    };
    assert_eq!(check("[data]\nmarket = \"spot\"\n").0, Some(0));
    assert_eq!(check("[data]\nexclude = [\"um\"]\n").0, Some(0));
    let (code, said) = check("[data]\nmarket = \"margin\"\n");
    assert!(code == Some(3) && said.contains("spot, usdt-m, coin-m or dated"), "{code:?} {said}");
    let (code, said) = check("[data]\nexclude = [\"\"]\n");
    assert!(code == Some(3) && said.contains("pattern"), "{code:?} {said}");
}

fn text_of(output: &std::process::Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

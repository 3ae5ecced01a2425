//! Old, lagging and vanished candles, and a clock that is wrong: what a run says about them, and where.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use retune::model::{DAY_MS, Day, MINUTE_MS};
use serde_json::Value;

use crate::command::{StoreDir, text};
use crate::http_server::{Reply, Server};

const M15: i64 = 15 * MINUTE_MS;
/// Days of candles of a symbol: enough to be read, too few to find anything.
const DAYS: i64 = 12;

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A folder of candles that end so many days before now; negative: after it.
struct Candles {
    folder: tempfile::TempDir,
}

impl Candles {
    fn new(symbols: &[(&str, i64)]) -> Self {
        let candles = Self { folder: tempfile::tempdir().expect("a folder") };
        symbols.iter().for_each(|(symbol, days_before)| candles.write(symbol, *days_before));
        candles
    }

    fn file(&self, symbol: &str) -> PathBuf {
        self.folder.path().join(format!("{symbol}-15m.csv"))
    }

    fn write(&self, symbol: &str, days_before: i64) {
        let end = (now_ms() - days_before * DAY_MS).div_euclid(M15) * M15;
        let rows = (0..DAYS * 96).map(|index| {
            let open_ms = end - (DAYS * 96 - index) * M15;
            let price = 100.0 + (index % 37) as f64 / 10.0;
            format!("{open_ms},{price},{},{},{price},7\n", price + 1.0, price - 1.0)
        });
        let text: String =
            std::iter::once("open_time,open,high,low,close,volume\n".to_owned()).chain(rows).collect();
        fs::write(self.file(symbol), text).expect("written");
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().expect("a plain path")
    }
}

fn run(store: &StoreDir, candles: &Candles, more: &[&str]) -> Output {
    let fixed = ["incremental", "--data", candles.path(), "--progress", "none", "--exit-zero"];
    let output = store.run(&[&fixed[..], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

/// Returns the text of a run, its last line apart.
fn said(store: &StoreDir, candles: &Candles, more: &[&str]) -> (String, String) {
    let output = run(store, candles, more);
    let text = text(&output.stdout).trim_end().to_owned();
    let (text, last) = text.rsplit_once('\n').unwrap_or(("", &text));
    // Lines are folded.
    (text.split_whitespace().collect::<Vec<_>>().join(" "), last.to_owned())
}

fn document(store: &StoreDir, candles: &Candles) -> Value {
    let output = run(store, candles, &["--json"]);
    serde_json::from_slice(&output.stdout).expect("one document")
}

fn ages(document: &Value) -> Vec<(String, String)> {
    let symbols = document["data"]["input"]["freshness"]["symbols"].as_array().expect("a list");
    let word = |value: &Value| value.as_str().expect("text").to_owned();
    symbols.iter().map(|symbol| (word(&symbol["symbol"]), word(&symbol["age"]))).collect()
}

#[test]
fn fresh_candles_are_nothing_to_talk_about() {
    let (store, candles) = (StoreDir::missing(), Candles::new(&[("AAAUSDT", 0), ("BBBUSDT", 1)]));
    let (text, last) = said(&store, &candles, &[]);
    assert!(!text.contains("stale") && !text.contains("clock"), "{text}");
    assert!(last.contains(" stale=0 significance=") && !last.contains("clock="), "{last}");
    let quiet = run(&store, &candles, &["-q"]);
    assert_eq!(crate::command::text(&quiet.stderr), "");
}

#[test]
fn a_symbol_that_stopped_is_named_in_text_document_and_history() {
    let (store, candles) =
        (StoreDir::missing(), Candles::new(&[("AAAUSDT", 0), ("BBBUSDT", 61), ("CCCUSDT", 1)]));
    let (text, last) = said(&store, &candles, &[]);
    let ended = Day::of(now_ms() - 61 * DAY_MS);
    assert!(text.contains("lagging: BBBUSDT ends") && text.contains(&ended.to_string()), "{text}");
    assert!(last.contains(" stale=1 "), "{last}");
    let document = document(&store, &candles);
    let age = |symbol: &str, age: &str| (symbol.to_owned(), age.to_owned());
    assert_eq!(
        ages(&document),
        [age("AAAUSDT", "fresh"), age("BBBUSDT", "lagging"), age("CCCUSDT", "fresh")]
    );
    assert_eq!(document["data"]["input"]["freshness"]["stale"], 1);
    let stored = store.json(&["inspect", "run", "last"]);
    let kinds: Vec<&str> = stored["data"]["input"]["issues"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|i| i["kind"].as_str())
        .collect();
    assert!(kinds.contains(&"lagging"), "{kinds:?}");
    // Who does not read the text is told beside it.
    let quiet = run(&store, &candles, &["-q"]);
    assert!(crate::command::text(&quiet.stderr).starts_with("warning: lagging: BBBUSDT"), "{quiet:?}");
    let report = store.path.with_file_name("report.html");
    store.stdout(&["report", "-o", report.to_str().expect("a plain path")]);
    assert!(fs::read_to_string(&report).expect("a page").contains("lagging"));
}

#[test]
fn a_download_that_stopped_is_one_line_for_all_symbols() {
    let (store, candles) = (StoreDir::missing(), Candles::new(&[("AAAUSDT", 500), ("BBBUSDT", 500)]));
    let (text, last) = said(&store, &candles, &[]);
    assert_eq!(text.matches("stale candles:").count(), 1, "{text}");
    assert!(text.contains("stale candles: all 2 symbols end") && text.contains("500d ago"), "{text}");
    assert!(text.contains("or clock ahead?"), "{text}");
    assert!(last.contains(" stale=2 "), "{last}");
    let limit = |after: &str| said(&store, &candles, &["--set", &format!("data.stale_after={after}")]).1;
    assert!(limit("501d").contains(" stale=0 ") && limit("36h").contains(" stale=2 "));
    let until = Day::of(now_ms() - 499 * DAY_MS).to_string().replace('-', "");
    let earlier = said(&store, &candles, &[&format!("--timerange=-{until}")]);
    assert!(earlier.1.contains(" stale=0 "), "as of its end: {earlier:?}");
    let (code, said) =
        store.failure(&["incremental", "--data", candles.path(), "--set", "data.stale_after=0"]);
    assert!(
        code == Some(3) && said.contains("data.stale_after: expected a time such as 36h or 2d"),
        "{said}"
    );
}

#[test]
fn a_symbol_that_vanished_is_named_once_and_not_where_it_is_left_out_on_purpose() {
    let (store, candles) =
        (StoreDir::missing(), Candles::new(&[("AAAUSDT", 0), ("BBBUSDT", 0), ("CCCUSDT", 0)]));
    run(&store, &candles, &[]);
    fs::remove_file(candles.file("BBBUSDT")).expect("removed");
    fs::write(candles.file("CCCUSDT"), "").expect("written");
    let (on_purpose, last) = said(&store, &candles, &["--symbols", "AAAUSDT", "--no-save"]);
    assert!(!on_purpose.contains("vanished") && last.contains("stale=0"), "{on_purpose}{last}");
    let (text, last) = said(&store, &candles, &[]);
    assert!(text.contains("vanished: BBBUSDT, CCCUSDT: run 1 had candles, now there are none"), "{text}");
    assert!(last.contains(" symbols=1 ") && last.contains(" stale=2 "), "{last}");
    let (text, _) = said(&store, &candles, &[]);
    assert!(!text.contains("vanished"), "the last run did not have them either: {text}");
}

#[test]
fn candles_of_the_future_are_the_clock_and_nothing_is_adopted_on_them() {
    // The same as a clock that is thirty days behind.
    let (store, candles) = (StoreDir::missing(), Candles::new(&[("AAAUSDT", -3), ("BBBUSDT", 0)]));
    let (text, last) = said(&store, &candles, &[]);
    assert!(
        text.contains("the clock is behind: it says") && text.contains("candles of AAAUSDT begin later"),
        "{text}"
    );
    assert!(!text.contains("stale candles") && last.contains(" stale=0 clock=behind "), "{text}{last}");
    let freshness = document(&store, &candles)["data"]["input"]["freshness"].clone();
    assert_eq!(freshness["clock"], "behind");
    let doctor = store.run(&["doctor", "--data", candles.path()]);
    assert!(crate::command::text(&doctor.stdout).contains("candles of AAAUSDT begin later"), "{doctor:?}");
    let only = Candles::new(&[("AAAUSDT", -40)]);
    let (code, said) = store.failure(&["incremental", "--data", only.path(), "--progress", "none"]);
    assert!(code == Some(4) && said.contains("1152 candles are later than now"), "{said}");
}

#[test]
fn a_run_is_told_of_by_default_when_its_candles_are_old() {
    let server = Server::start(|_, _| Reply::ok("{}"));
    let webhook = format!("notify.webhook.url={}", server.url);
    let bodies = |server: &Server| -> Vec<Value> {
        server.asked().iter().map(|asked| serde_json::from_slice(&asked.body).expect("a document")).collect()
    };
    let (store, fresh) = (StoreDir::missing(), Candles::new(&[("AAAUSDT", 0)]));
    run(&store, &fresh, &["--set", &webhook]);
    assert_eq!(server.count(), 0, "nothing changed and all is well");
    fresh.write("AAAUSDT", 9);
    run(&store, &fresh, &["--set", &webhook]);
    let told = bodies(&server);
    assert_eq!(told.len(), 1);
    let digest = &told[0]["data"];
    assert!(digest["headline"].as_str().expect("text").ends_with("stale candles: 1 symbol"), "{digest}");
    assert!(
        digest["warnings"][0].as_str().expect("text").starts_with("stale candles: AAAUSDT ends"),
        "{digest}"
    );
    run(&store, &fresh, &["--set", &webhook, "--set", "notify.when=[\"failure\"]"]);
    assert_eq!(server.count(), 1, "only what was asked for");
}

#[test]
fn stale_candles_adopt_unless_they_are_to_hold_back() {
    let adopts = |more: &[&str]| {
        let store = StoreDir::missing();
        let output =
            store.run(&[&["incremental", "--data", "tests/sample", "--progress", "none"][..], more].concat());
        (output.status.code(), text(&output.stdout))
    };
    assert_eq!(adopts(&[]).0, Some(10));
    let (code, said) = adopts(&["--set", "decide.stale_data=hold"]);
    assert!(
        code == Some(11) && said.contains("nothing is adopted: the candles of all symbols are stale"),
        "{said}"
    );
    assert!(said.contains(" stale=3 "), "{said}");
}

#[test]
fn what_is_wrong_with_the_data_is_said_once() {
    let (store, candles) = (StoreDir::missing(), Candles::new(&[("AAAUSDT", 0), ("BBBUSDT", 0)]));
    for symbol in ["AAAUSDT", "BBBUSDT"] {
        let text = fs::read_to_string(candles.file(symbol)).expect("text");
        let kept: Vec<&str> = text
            .lines()
            .enumerate()
            .filter(|(index, _)| !(500..504).contains(index))
            .map(|(_, line)| line)
            .collect();
        fs::write(candles.file(symbol), kept.join("\n") + "\n1,not,a,row\n").expect("written");
    }
    let (said, _) = said(&store, &candles, &["-v"]);
    assert!(
        said.contains("gap x 8 in AAAUSDT, BBBUSDT: the first: 4 candles of 15m are missing in 1 gap,"),
        "{said}"
    );
    assert!(said.contains("issues: bad_row x 2, gap x 8"), "folded where the decision is: {said}");
    assert!(said.contains("bad_row x 2 in ") && said.contains("check data PATH` has the details"), "{said}");
    let checked = store.run(&["check", "data", candles.path()]);
    let checked = text(&checked.stdout);
    assert_eq!(checked.matches(" x gap").count(), 2, "{checked}");
    assert!(checked.contains("4 x gap (first at line 501)"), "{checked}");
    let document = document(&store, &candles);
    let issues = document["data"]["input"]["issues"].as_array().expect("a list");
    assert_eq!(issues.iter().filter(|issue| issue["kind"] == "gap").count(), 2, "{issues:?}");
}

#[test]
fn the_shared_case_of_old_candles_is_loud() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/11-old-candles/in");
    let Some(path) = case.to_str().filter(|_| case.exists()) else { return };
    let output = StoreDir::missing().run(&[
        "incremental",
        "--data",
        path,
        "--no-save",
        "--progress",
        "none",
        "--exit-zero",
    ]);
    let said = text(&output.stdout);
    assert!(
        said.contains("stale candles: ALPHAUSDT ends 2025-06-30") && said.contains("lagging: BRAVOUSDT"),
        "{said}"
    );
    assert!(said.contains(" stale=2 "), "{said}");
}

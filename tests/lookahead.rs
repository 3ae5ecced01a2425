//! `check lookahead`: what the program knows is clean, and a column made by hindsight is named.

use std::fmt::Write as _;
use std::path::Path;

use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::Interval;
use retune::validate::resample::Random;
use serde_json::Value;

use crate::command::{StoreDir, text};
use crate::pipeline::sample_dir;

fn check(more: &[&str]) -> (Option<i32>, Value) {
    let fixed = ["check", "lookahead", "--json"];
    let output = StoreDir::missing().run(&[&fixed[..], more].concat());
    let document = serde_json::from_slice(&output.stdout);
    (output.status.code(), document.unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr))))
}

#[test]
fn nothing_derived_from_the_sample_knows_its_future() {
    let (code, document) = check(&["--data", "tests/sample", "--samples", "12"]);
    let data = &document["data"];
    assert_eq!(
        (code, &data["clean"], &data["columns"]),
        (Some(0), &Value::Bool(true), &Value::Null),
        "{data}"
    );
    let symbols = data["symbols"].as_array().expect("symbols");
    assert_eq!(symbols.len(), 3);
    for symbol in symbols {
        let count = |key: &str| symbol[key].as_u64().expect("a count");
        assert!(count("instants") >= 11 && count("feature_rows") > 5, "{symbol}");
        assert!(count("entries") > 0 && count("outcomes") > 100, "{symbol}");
    }
    assert_eq!(check(&["--data", "tests/sample", "--samples", "12"]).1["data"], *data, "the same lot");
}

#[test]
fn nothing_derived_from_real_candles_knows_their_future() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/candles/binance-spot");
    if !folder.is_dir() {
        return;
    }
    let (code, document) = check(&["--data", folder.to_str().expect("text"), "--samples", "3"]);
    assert_eq!(code, Some(0), "{document}");
    assert!(document["data"]["symbols"].as_array().is_some_and(|symbols| symbols.len() > 3));
}

/// Writes signals with an honest column, and others that know a return, its sign, a price to come.
fn write_leaking(path: &Path) {
    let options = IngestOptions::new(Interval::M15, 1_798_761_600_000);
    let catalog = discover(&[sample_dir()], &options).expect("the sample is there");
    let loaded = load_symbol(&catalog.symbols[0], &options).expect("the sample loads");
    let bars = loaded.series.bars();
    let mut random = Random::new(8);
    let mut text = "symbol,time,direction,honest,last_close,future_return,won,falls,next_high\n".to_owned();
    for signal in (2_000..bars.len() - 400).step_by(41) {
        let side = if random.below(2) == 0 { "long" } else { "short" };
        let change = bars.close[signal + 8] / bars.open[signal + 1] - 1.0;
        let gain = if side == "long" { change } else { -change };
        let _ = writeln!(
            text,
            "{},{},{side},{},{},{change},{},{},{}",
            loaded.symbol,
            bars.open_time[signal] + 900_000,
            // Goes a little with what comes, as a good filter does.
            random.unit() + 10.0 * gain,
            bars.close[signal],
            u8::from(gain > 0.0),
            1.0 - gain,
            bars.high[signal + 1],
        );
    }
    std::fs::write(path, text).expect("written");
}

#[test]
fn a_column_made_by_hindsight_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("signals.csv");
    write_leaking(&file);
    let file = file.to_str().expect("text");
    let arguments = ["--data", "tests/sample", "--signals", file, "--samples", "4"];
    let (code, document) = check(&arguments);
    let data = &document["data"];
    assert_eq!((code, &data["clean"]), (Some(1), &Value::Bool(false)), "{data}");
    assert_eq!(data["differences"], serde_json::json!([]), "the program itself is clean");
    let columns = data["columns"].as_array().expect("columns");
    let suspicious = |name: &str| {
        let column = columns.iter().find(|column| column["column"] == name).expect("a column");
        column["suspicious"] == true
    };
    let names = ["future_return", "won", "falls", "next_high"];
    assert_eq!(names.map(suspicious), [true; 4], "{data}");
    assert_eq!(["honest", "last_close"].map(suspicious), [false; 2], "{data}");
    let high = columns.iter().find(|column| column["column"] == "next_high").expect("a column");
    assert_eq!(high["holds"], "the high of candle 1 after it");

    let printed = StoreDir::missing().run(&[&["check", "lookahead"], &arguments[..]].concat());
    let printed = text(&printed.stdout);
    assert!(
        printed.contains("won (") && printed.contains("looks like hindsight: tells a gain after 8 candles"),
        "{printed}"
    );
}

#[test]
fn honest_signals_are_clean() {
    let (code, document) =
        check(&["--data", "tests/sample", "--signals", "tests/fixtures/signals.csv", "--samples", "10"]);
    let data = &document["data"];
    assert_eq!(code, Some(0), "{data}");
    let columns = data["columns"].as_array().expect("columns");
    assert!(
        columns.len() == 2 && columns.iter().all(|column| column["signals"].as_u64() > Some(500)),
        "{data}"
    );
    assert!(data["symbols"][0]["entries"].as_u64() > Some(0), "{data}");
}

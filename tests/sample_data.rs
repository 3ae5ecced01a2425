//! The committed sample candles are what their generator makes, and can be.

use std::io::Read;
use std::path::Path;

use retune::model::{Candle, Symbol};

#[path = "../tools/generate_sample.rs"]
#[allow(dead_code, reason = "only the command writes files")]
mod generate_sample;

use generate_sample::{SEED, SampleFile, sample_files, sample_signals};

fn committed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample").join(name);
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip of text");
    text
}

fn candles(file: &SampleFile) -> Vec<Candle> {
    let candle = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields[i].parse().expect("a number");
        Candle {
            open_time: fields[0].parse().expect("a time"),
            open: number(1),
            high: number(2),
            low: number(3),
            close: number(4),
            volume: number(5),
        }
    };
    file.csv.lines().skip(1).map(candle).collect()
}

#[test]
fn the_committed_files_are_what_the_generator_makes() {
    let files = sample_files(SEED);
    assert_eq!(files.len(), 3);
    for file in &files {
        let found = committed(&file.name);
        let differing = found.lines().zip(file.csv.lines()).find(|(found, made)| found != made);
        assert_eq!(differing, None, "{}", file.name);
        assert_eq!(found.len(), file.csv.len(), "{}", file.name);
    }
}

#[test]
fn the_committed_signals_are_what_the_generator_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/signals.csv");
    let found = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let made = sample_signals(SEED, &sample_files(SEED));
    assert_eq!(found.lines().zip(made.lines()).find(|(found, made)| found != made), None);
    assert_eq!(found.len(), made.len());
}

#[test]
fn the_candles_can_be_and_have_no_gaps() {
    for file in &sample_files(SEED) {
        assert!(Symbol::parse(file.name.split("-15m").next().unwrap()).is_some());
        let candles = candles(file);
        assert_eq!(candles.len(), 150 * 96);
        assert_eq!(retune::model::rfc3339(candles[0].open_time), "2025-02-01T00:00:00Z");
        assert_eq!(retune::model::rfc3339(candles[candles.len() - 1].open_time), "2025-06-30T23:45:00Z");
        assert!(candles.windows(2).all(|pair| pair[1].open_time - pair[0].open_time == 15 * 60_000));
        for candle in &candles {
            assert_eq!(candle.check(), Ok(()), "{} at {}", file.name, candle.open_time);
        }
    }
}

#[test]
fn another_seed_makes_another_market() {
    let (one, other) = (sample_files(SEED), sample_files(SEED + 1000));
    assert!(one.iter().zip(&other).all(|(one, other)| one.name == other.name && one.csv != other.csv));
}

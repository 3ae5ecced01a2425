//! The bytes of what is cached, pinned per version: a row that an older program wrote is read by the newer one only as what it was.

use std::collections::BTreeMap;
use std::path::Path;

use super::memoised::{self, ANSWER_FORMAT};
use super::prior_state::{MANIFEST_LAYOUT, READING, SymbolManifest};
use super::report::StyleReport;
use crate::engine::plan::STAGES_VERSION;
use crate::engine::reuse::{UnitKeys, decode_context, encode_context, encode_unit_row, unit_of};
use crate::engine::unit::{SkipCounts, Unit, UnitSignal};
use crate::engine::unit_schema::UnitSchema;
use crate::fingerprint::Fingerprint;
use crate::model::{Direction, EXIT_AXES, ExitReason, ExitRule, Outcome, Outcomes, ReturnPpm, Setup};
use crate::signals::opportunities::{Hindsight, Opportunity};

#[path = "sample.rs"]
mod sample;

/// Every version of every row, as `name version bytes`; bytes in hex, or their number and hash. Lines are added, never changed.
const GOLDEN: &str = "schema/cache_rows.txt";
/// Rows up to so many bytes are pinned as they are.
const HEX_MAX: usize = 2_000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Axes of the rules whose bytes were pinned first.
const FIRST_AXES: usize = 11;
/// Reasons of the ends whose bytes were pinned first.
const FIRST_REASONS: usize = 8;

/// A schema with a rule in which so many axes are on.
fn schema(axes: usize) -> UnitSchema {
    let mut full = ExitRule::holding(0.0);
    EXIT_AXES[..axes].iter().zip(1..).for_each(|(axis, value)| axis.set(&mut full, f64::from(value) / 8.0));
    let columns = vec!["consensus".to_owned(), "signals.own".to_owned()];
    UnitSchema { columns, rules: vec![ExitRule::new(2.0, 1.5, 8.0), full] }
}

/// A unit with a signal of every setup; together they end for every reason of then, and in every way that an end can be.
fn unit() -> Unit {
    let setups = [
        Setup::ReversalAtLevel,
        Setup::VolumeBurst,
        Setup::RangeMomentum,
        Setup::TrendInitiation,
        Setup::Pullback,
        Setup::Continuation,
        Setup::Given,
    ];
    let side = |i: usize| if i.is_multiple_of(2) { Direction::Long } else { Direction::Short };
    let signal = |(i, setup): (usize, &Setup)| UnitSignal {
        entry_ms: 1_700_000_000_000 + i as i64 * 900_000,
        direction: side(i),
        setup: *setup,
        atr: 0.1 + i as f64,
    };
    let end = |i: usize| Outcome {
        net: ReturnPpm(1_000 - 300 * i as i32),
        best_case: ReturnPpm(2_000 - 300 * i as i32),
        gross: ReturnPpm(3_000 - 300 * i as i32),
        bars_held: 1 + 500 * i as u16,
        reason: ExitReason::ALL[i % FIRST_REASONS],
        ambiguous: i % 3 == 1,
    };
    let mut outcomes = Outcomes::new(2);
    // The last signal ends alike under both rules, which is kept once.
    (0..setups.len()).for_each(|i| outcomes.push_each(&[end(2 * i), end((2 * i + 1).min(12))]));
    let chance = |i: usize| Opportunity {
        direction: side(i),
        start_ms: 1_700_000_100_000 + i as i64,
        peak_ms: 1_700_000_200_000 + i as i64,
        reward: 2.25 + i as f64,
    };
    let value = |i: usize| if i == 3 { f64::NAN } else { i as f64 / 8.0 };
    Unit {
        sealed: true,
        pending: 0x0102,
        lost: SkipCounts { no_entry: 0x0304, no_atr: 0x0506, rescaled: 0x0708 },
        blind: 0x090A,
        signals: setups.iter().enumerate().map(signal).collect(),
        columns: (0..2 * setups.len()).map(value).collect(),
        outcomes,
        opportunities: Hindsight::new((0..2).map(chance).collect()),
    }
}

fn unit_rows() -> Vec<u8> {
    let [candles, ahead, costs] = [1, 2, 3].map(|byte| Fingerprint([byte; 32]));
    let keys = |sealed, signals| UnitKeys {
        stages: 0x1112,
        candles,
        ahead,
        sealed,
        horizon_bars: 0x1314,
        costs,
        signals,
    };
    let full = encode_unit_row(&keys(true, Some(Fingerprint([5; 32]))), Fingerprint([4; 32]), &unit());
    let read = unit_of(&full, |_| Some(schema(FIRST_AXES).into())).expect("it was written so").0;
    // NaN is not equal to itself.
    let mut again = Vec::new();
    read.encode(&mut again);
    assert!(full.ends_with(&again));
    let empty = Unit { sealed: false, pending: 3, ..Unit::default() };
    [full, encode_unit_row(&keys(false, None), Fingerprint([4; 32]), &empty)].concat()
}

fn schema_row(axes: usize) -> Vec<u8> {
    let bytes = encode_context(&schema(axes));
    assert_eq!(decode_context(&bytes), Some(schema(axes)));
    bytes
}

fn answers() -> Vec<u8> {
    let reports: Vec<StyleReport> = sample::values();
    let bytes = memoised::encode_answer(&reports).expect("encodable");
    assert_eq!(memoised::decode_answer(&bytes), Some(reports));
    bytes
}

fn symbol_rows() -> Vec<u8> {
    sample::values::<SymbolManifest>().iter().flat_map(SymbolManifest::encode).collect()
}

#[test]
fn what_is_cached_keeps_its_bytes_while_its_version_stays() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let line = |line: &str| line.rsplit_once(' ').map(|(name, bytes)| (name.to_owned(), bytes.to_owned()));
    let mut known: BTreeMap<String, String> = text.lines().filter_map(line).collect();
    let reading = READING.rsplit_once(" v").expect("a version").1;
    let rows = [
        (format!("answer {ANSWER_FORMAT}"), "ANSWER_FORMAT", answers()),
        (format!("symbol {reading}.{MANIFEST_LAYOUT}"), "MANIFEST_LAYOUT", symbol_rows()),
        (format!("unit {STAGES_VERSION}"), "STAGES_VERSION", unit_rows()),
        (format!("unit_schema {STAGES_VERSION}"), "STAGES_VERSION", schema_row(FIRST_AXES)),
        (
            format!("unit_schema_of_{}_axes {STAGES_VERSION}", EXIT_AXES.len()),
            "STAGES_VERSION",
            schema_row(EXIT_AXES.len()),
        ),
    ];
    let update = std::env::var_os("UPDATE_SCHEMA").is_some();
    for (name, version, bytes) in rows {
        let found = match bytes.len() {
            0..=HEX_MAX => hex(&bytes),
            length => format!("{length}:{}", blake3::hash(&bytes)),
        };
        match known.get(&name) {
            Some(pinned) => assert!(
                *pinned == found,
                "{name}: other bytes than {GOLDEN} pins; raise {version} (rows that are cached would be misread), \
                 then run the test with UPDATE_SCHEMA=1"
            ),
            None if update => drop(known.insert(name, found)),
            None => panic!("{name}: not in {GOLDEN} yet; run the test with UPDATE_SCHEMA=1"),
        }
    }
    if update {
        let lines = known.iter().map(|(name, bytes)| format!("{name} {bytes}\n"));
        std::fs::write(&path, lines.collect::<String>()).expect("the schema directory is writable");
    }
}

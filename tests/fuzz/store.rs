//! Hostile bytes for rows and backups.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::backup;
use super::envelope::{RowAddress, check_row, row_payload};
use super::keys::KeyShape;
use super::records::samples::Sample;
use super::records::{
    CarriedRecord, DecisionRecord, EvidenceRecord, FeaturesRecord, HeadRecord, InsightsRecord, MetaRecord,
    ParamsRecord, RunRecord, SeriesRecord, TrialsRecord, WorkRecord,
};
use super::tables::{ALL, TableInfo};
use crate::fuzz::{Scratch, Target};

const UUID: [u8; 16] = [9; 16];

/// Everything that reads what is stored.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "rows", run: rows, seeds: row_seeds, words: &[], executions: 6000 },
    Target { name: "envelopes", run: envelopes, seeds: envelope_seeds, words: &[], executions: 4000 },
    Target { name: "keys", run: keys, seeds: key_seeds, words: KEY_WORDS, executions: 6000 },
    Target {
        name: "backup_lines",
        run: backup_lines,
        seeds: backup_seeds,
        words: BACKUP_WORDS,
        executions: 800,
    },
    Target { name: "backup_files", run: backup_file, seeds: backup_file_seeds, words: &[], executions: 800 },
];

/// The samples of every table's record, in the order of [`ALL`].
fn payloads() -> [Vec<u8>; 12] {
    fn of<R: Sample>() -> Vec<u8> {
        postcard::to_stdvec(&R::sample()).expect("the sample is valid")
    }
    [
        of::<MetaRecord>(),
        of::<HeadRecord>(),
        of::<ParamsRecord>(),
        of::<FeaturesRecord>(),
        of::<InsightsRecord>(),
        of::<RunRecord>(),
        of::<DecisionRecord>(),
        of::<TrialsRecord>(),
        of::<WorkRecord>(),
        of::<SeriesRecord>(),
        of::<EvidenceRecord>(),
        of::<CarriedRecord>(),
    ]
}

fn key_of(table: &TableInfo) -> &'static str {
    match table.key {
        KeyShape::Store => "store",
        KeyShape::Section => "history",
        KeyShape::ProfileScope => "default/symbol/BTCUSDT/swing",
        KeyShape::ProfileStyle => "default/swing",
        KeyShape::ProfileRun => "default/00000000000000000412",
        KeyShape::ProfileRunStyle => "default/00000000000000000412/swing",
    }
}

fn row_seeds() -> Vec<Vec<u8>> {
    let numbered = |(number, payload): (u8, Vec<u8>)| [&[number], payload.as_slice()].concat();
    (0..).zip(payloads()).map(numbered).collect()
}

/// Returns the table that the first byte stands for.
fn chosen(bytes: &[u8]) -> Option<(&'static TableInfo, &[u8])> {
    let (number, rest) = bytes.split_first()?;
    Some((&ALL[usize::from(*number) % ALL.len()], rest))
}

/// A payload that is a record comes back from a backup as the same record, in a row that verifies.
fn rows(bytes: &[u8]) -> String {
    let Some((table, payload)) = chosen(bytes) else { return "nothing".to_owned() };
    if payload.len() > table.record.bytes_max {
        return "refused by its size".to_owned();
    }
    let version = table.record.version;
    let json = match (table.record.to_json)(version, payload) {
        Ok(json) => json,
        Err(error) => return error.to_string(),
    };
    let place = RowAddress { store_uuid: &UUID, table, key: key_of(table) };
    // What is longer when it is written properly may be beyond the largest size.
    let row = match (table.record.from_json)(place, version, &json) {
        Ok(row) => row,
        Err(error) => return format!("not again: {error}"),
    };
    check_row(place, &row).expect("what was sealed verifies");
    let again = row_payload(&row).expect("and unpacks");
    assert_eq!(
        (table.record.to_json)(version, &again).expect("a record"),
        json,
        "{}: the same record",
        table.name
    );
    format!("ok {}", table.name)
}

fn envelope_seeds() -> Vec<Vec<u8>> {
    let row = |(number, table): (u8, &TableInfo)| {
        let place = RowAddress { store_uuid: &UUID, table, key: key_of(table) };
        let sealed = super::envelope::seal_payload(
            place,
            table.record.type_id,
            table.record.version,
            &payloads()[usize::from(number)],
        );
        [&[number], sealed.as_slice()].concat()
    };
    (0..).zip(&ALL).map(row).collect()
}

/// Only what was sealed at a place verifies there: the sample itself.
fn envelopes(bytes: &[u8]) -> String {
    let Some((table, row)) = chosen(bytes) else { return "nothing".to_owned() };
    let place = RowAddress { store_uuid: &UUID, table, key: key_of(table) };
    match check_row(place, row) {
        Ok(_) => {
            let payload = row_payload(row).expect("it was sealed whole");
            assert!(payloads().iter().any(|sample| *sample == *payload), "nobody sealed {payload:?}");
            "ok".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

const KEY_WORDS: &[&str] = &[
    "default",
    "/",
    "symbol",
    "BTCUSDT",
    "swing",
    "scalping",
    "global",
    "00000000000000000412",
    "store",
    "params",
];

fn key_seeds() -> Vec<Vec<u8>> {
    ALL.iter().map(|table| key_of(table).as_bytes().to_vec()).collect()
}

/// A key has one shape, except that a style is a scope as well.
fn keys(bytes: &[u8]) -> String {
    let key = String::from_utf8_lossy(bytes);
    let shapes = [
        KeyShape::Store,
        KeyShape::Section,
        KeyShape::ProfileScope,
        KeyShape::ProfileStyle,
        KeyShape::ProfileRun,
        KeyShape::ProfileRunStyle,
    ];
    let accepted: Vec<KeyShape> = shapes.into_iter().filter(|shape| shape.accepts(&key)).collect();
    match accepted.as_slice() {
        [] => "no key".to_owned(),
        [shape] | [KeyShape::ProfileScope, shape @ KeyShape::ProfileStyle] => {
            assert!(!key.contains(char::is_control) && key.len() < 200, "{key:?}");
            format!("ok {shape:?}")
        }
        more => panic!("{key:?} is {more:?}"),
    }
}

const BACKUP_WORDS: &[&str] = &[
    "{\"table\":\"params\",\"key\":\"default/swing\",\"version\":1,\"record\":",
    "}",
    "\n",
    "null",
    "[[[[",
    "\"x\"",
    "1e400",
    "\"table\":\"nothing\"",
];

fn backup_seeds() -> Vec<Vec<u8>> {
    let truth = (0..).zip(&ALL).filter(|(_, table)| table.class == super::Class::Truth);
    let line = |(number, table): (usize, &TableInfo)| {
        let json =
            (table.record.to_json)(table.record.version, &payloads()[number]).expect("the sample is valid");
        let (name, key, version) = (table.name, key_of(table), table.record.version);
        format!("{{\"table\":\"{name}\",\"key\":\"{key}\",\"version\":{version},\"record\":{json}}}\n")
            .into_bytes()
    };
    truth.map(line).collect()
}

/// Lines between a true header and a true hash.
fn backup_lines(bytes: &[u8]) -> String {
    let rows = bytes.split_inclusive(|byte| *byte == b'\n').count();
    let header = format!(
        "{{\"format\":\"retune backup\",\"version\":1,\"store_format\":1,\"app_version\":\"1\",\"created_at_ms\":1,\"rows\":{rows}}}\n"
    );
    let body = [header.as_bytes(), bytes].concat();
    let hash = blake3::hash(&body).to_hex();
    backup_file(&packed(&[body.as_slice(), format!("{{\"blake3\":\"{hash}\"}}\n").as_bytes()].concat()))
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn backup_file_seeds() -> Vec<Vec<u8>> {
    let committed = include_bytes!("../fixtures/stores/format-1.jsonl.gz");
    vec![committed.to_vec()]
}

/// Every row of a backup that is taken for whole is a record of its table, or refused as one.
fn backup_file(bytes: &[u8]) -> String {
    let name = "0909090909090909-000001.jsonl.gz";
    let folder = Scratch::with(name, bytes);
    let path = folder.path().join(name);
    let read = backup::read_backup(&path, |table, row| {
        let key = row.key.as_str();
        let place = RowAddress { store_uuid: &UUID, table, key };
        (table.record.from_json)(place, row.version, row.record.get()).map(drop).map_err(|error| {
            super::guard::damaged_error(&path, format!("row {key:?} of {}: {error}", table.name))
        })
    });
    match read {
        Ok(content) => {
            assert!(content.params + content.runs <= content.rows, "{content:?}");
            "ok".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

//! The format of rows: what goes in comes out, and nothing else does.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::envelope::{
    HEADER_BYTES, RowAddress, RowError, check_row, decode_payload, decode_record, encode_record, row_payload,
    seal_payload,
};
use super::records::samples::{FRACTION, Sample};
use super::records::*;
use super::tables::{self, Table};
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, FilterValue, ParameterSet};

const UUID: [u8; 16] = [9; 16];

/// Runs a generic test for every table with a key of its shape.
macro_rules! for_every_table {
    ($test:ident) => {
        $test(&tables::META, "store");
        $test(&tables::HEADS, "history");
        $test(&tables::PARAMS, "default/symbol/BTCUSDT/swing");
        $test(&tables::FEATURES, "default/swing");
        $test(&tables::INSIGHTS, "default/swing");
        $test(&tables::RUNS, "default/00000000000000000412");
        $test(&tables::DECISIONS, "default/00000000000000000412/swing");
        $test(&tables::TRIALS, "default/00000000000000000412/swing");
        $test(&tables::SERIES, "default/00000000000000000412/swing");
        $test(&tables::EVIDENCE, "default/00000000000000000412/swing");
        $test(&tables::CARRIED, "default/global");
        $test(&tables::WORK, "default/00000000000000000412");
    };
}

fn place<'a, R>(table: &'a Table<R>, key: &'a str) -> RowAddress<'a> {
    RowAddress { store_uuid: &UUID, table: &table.info, key }
}

fn round_trip<R: Sample>(table: &Table<R>, key: &str) {
    let row = encode_record(place(table, key), &R::sample()).expect("the sample is valid");
    assert_eq!(decode_record::<R>(place(table, key), &row).expect("it was written so"), R::sample());
}

#[test]
fn every_record_comes_back_as_it_went_in() {
    for_every_table!(round_trip);
}

fn through_json<R: Sample>(table: &Table<R>, key: &str) {
    let row = encode_record(place(table, key), &R::sample()).expect("the sample is valid");
    let payload = row_payload(&row).expect("it was just packed");
    let json = (table.info.record.to_json)(R::VERSION, &payload).expect("it was written so");
    let again =
        (table.info.record.from_json)(place(table, key), R::VERSION, &json).expect("it was made of a row");
    assert_eq!(again, row, "{}: {json}", table.info.name);
}

#[test]
fn every_row_comes_back_from_a_backup_byte_for_byte() {
    for_every_table!(through_json);
}

fn flips<R: Sample>(table: &Table<R>, key: &str) {
    let row = encode_record(place(table, key), &R::sample()).expect("the sample is valid");
    for bit in 0..row.len() * 8 {
        let mut flipped = row.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(decode_record::<R>(place(table, key), &flipped).is_err(), "{} bit {bit}", table.info.name);
    }
    for length in 0..row.len() {
        assert!(
            decode_record::<R>(place(table, key), &row[..length]).is_err(),
            "{} cut {length}",
            table.info.name
        );
    }
    let longer = [row.as_slice(), &[0]].concat();
    assert!(decode_record::<R>(place(table, key), &longer).is_err(), "{} and a byte", table.info.name);
}

#[test]
fn no_flipped_bit_no_cut_and_no_added_byte_is_accepted() {
    for_every_table!(flips);
}

fn moved<R: Sample>(table: &Table<R>, key: &str) {
    let row = encode_record(place(table, key), &R::sample()).expect("the sample is valid");
    let other_store = RowAddress { store_uuid: &[8; 16], ..place(table, key) };
    assert!(matches!(check_row(other_store, &row), Err(RowError::Tag)), "{}", table.info.name);
    for other in tables::ALL.iter().filter(|other| other.name != table.info.name) {
        let place = RowAddress { store_uuid: &UUID, table: other, key };
        assert!(check_row(place, &row).is_err(), "a row of {} in {}", table.info.name, other.name);
    }
    let other_key = key.replace("default", "other").replace("history", "params");
    if other_key != key {
        assert!(matches!(check_row(place(table, &other_key), &row), Err(RowError::Tag)), "{other_key}");
    }
    let bad_key = format!("{key}/x");
    assert!(matches!(check_row(place(table, &bad_key), &row), Err(RowError::Key { .. })), "{bad_key}");
}

#[test]
fn a_row_is_refused_anywhere_but_in_its_place() {
    for_every_table!(moved);
}

fn sealed<R: Sample>(table: &Table<R>, key: &str) {
    let place = place(table, key);
    let payload = postcard::to_stdvec(&R::sample()).expect("the sample is valid");
    let newer = seal_payload(place, R::TYPE_ID, R::VERSION + 1, &payload);
    let found = check_row(place, &newer);
    assert!(matches!(found, Err(RowError::Newer { supported, .. }) if supported == R::VERSION));
    let other_type = seal_payload(place, R::TYPE_ID + 1, R::VERSION, &payload);
    assert!(matches!(check_row(place, &other_type), Err(RowError::Type { .. })));
    let longer = seal_payload(place, R::TYPE_ID, R::VERSION, &[payload.as_slice(), &[0]].concat());
    assert!(matches!(decode_record::<R>(place, &longer), Err(RowError::Trailing { bytes: 1 })));
    let shorter = seal_payload(place, R::TYPE_ID, R::VERSION, &payload[..payload.len() - 1]);
    assert!(matches!(decode_record::<R>(place, &shorter), Err(RowError::Payload(_))));
    let large = seal_payload(place, R::TYPE_ID, R::VERSION, &vec![0; R::BYTES_MAX + 1]);
    assert!(matches!(check_row(place, &large), Err(RowError::TooLarge { .. })));
}

#[test]
fn a_true_tag_does_not_excuse_a_newer_foreign_cut_or_oversized_payload() {
    for_every_table!(sealed);
}

#[test]
fn long_payloads_are_packed_and_come_back_and_bytes_that_say_nothing_are_left_alone() {
    let place = place(&tables::SERIES, "default/00000000000000000412/swing");
    let seal = |payload: &[u8]| seal_payload(place, SeriesRecord::TYPE_ID, SeriesRecord::VERSION, payload);
    let mut random = crate::search::random::RandomStream::new(7);
    for length in [0, 1, 511, 512, 513, 4_000, 300_000] {
        let alike: Vec<u8> = (0..length).map(|at| (at % 7) as u8).collect();
        let noise: Vec<u8> = (0..length).map(|_| random.next_u64() as u8).collect();
        for (payload, packs) in [(alike, length >= 512), (noise, false)] {
            let row = seal(&payload);
            assert_eq!(row.len() < HEADER_BYTES + payload.len(), packs, "{length} bytes");
            assert_eq!([row[2], row[3]], if packs { [2, 1] } else { [1, 0] }, "{length} bytes");
            check_row(place, &row).expect("as it was sealed");
            assert_eq!(row_payload(&row).expect("whole"), payload.as_slice());
        }
    }
}

/// The tag is right in all of these, as if whoever knows the store had written them.
#[test]
fn a_packed_payload_that_does_not_come_to_its_length_is_refused() {
    let place = place(&tables::SERIES, "default/00000000000000000412/swing");
    let payload = [3; 2_000];
    let sealed = seal_payload(place, SeriesRecord::TYPE_ID, SeriesRecord::VERSION, &payload);
    let packed = &sealed[HEADER_BYTES..];
    let row = |kind: [u8; 2], unpacked: u32, held: &[u8]| {
        let mut row = sealed[..HEADER_BYTES].to_vec();
        row[2..4].copy_from_slice(&kind);
        row[8..12].copy_from_slice(&(held.len() as u32).to_le_bytes());
        row[12..16].copy_from_slice(&unpacked.to_le_bytes());
        row.extend(held);
        let tag = place.tag(&row[..16], held);
        row[16..32].copy_from_slice(&tag);
        row
    };
    let decoded =
        |row: &[u8]| check_row(place, row).and_then(|_| row_payload(row).map(|payload| payload.len()));
    assert_eq!(decoded(&row([2, 1], 2_000, packed)).expect("the same as sealed"), 2_000);
    for wrong in [1_999, 2_001] {
        assert!(matches!(decoded(&row([2, 1], wrong, packed)), Err(RowError::Packed { .. })), "{wrong}");
    }
    let cut = &packed[..packed.len() - 1];
    let longer = [packed, &[0]].concat();
    for held in [cut, longer.as_slice(), &[0xFF; 20], &[]] {
        assert!(
            matches!(decoded(&row([2, 1], 2_000, held)), Err(RowError::Packed { bytes: 2_000 })),
            "{held:?}"
        );
    }
    let huge = SeriesRecord::BYTES_MAX as u32 + 1;
    assert!(matches!(decoded(&row([2, 1], huge, packed)), Err(RowError::TooLarge { .. })));
    for kind in [[1, 1], [2, 0], [0, 0], [2, 2]] {
        assert!(matches!(decoded(&row(kind, 2_000, packed)), Err(RowError::Header(_))), "{kind:?}");
    }
    assert!(matches!(decoded(&row([3, 1], 2_000, packed)), Err(RowError::Newer { found: 3, supported: 2 })));
}

fn fractions<R: Sample>(table: &Table<R>, key: &str) {
    let payload = postcard::to_stdvec(&R::sample()).expect("the sample is valid");
    let pattern = FRACTION.to_le_bytes();
    let at: Vec<usize> = (0..payload.len()).filter(|at| payload[*at..].starts_with(&pattern)).collect();
    assert_eq!(at.len(), fields_of_type(R::NAME, "f64"), "{} has all its numbers in the sample", R::NAME);
    for at in at {
        for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut poisoned = payload.clone();
            poisoned[at..at + 8].copy_from_slice(&poison.to_le_bytes());
            let found = decode_payload::<R>(R::VERSION, &poisoned);
            assert!(matches!(found, Err(RowError::Invalid(_))), "{} byte {at}: {found:?}", R::NAME);
            let row = seal_payload(place(table, key), R::TYPE_ID, R::VERSION, &poisoned);
            assert!(decode_record::<R>(place(table, key), &row).is_err());
        }
    }
}

/// Counts the fields of a type in a record and in the records it holds, each occurrence.
fn fields_of_type(record: &str, wanted: &str) -> usize {
    let fields: BTreeMap<String, Vec<String>> = super::schema::structures()
        .into_iter()
        .map(|structure| (structure.name, structure.fields.into_iter().map(|field| field.kind).collect()))
        .collect();
    let count = |kind: &String| {
        let inner = kind.trim_start_matches("option<").trim_start_matches("list<").trim_end_matches('>');
        if inner == wanted { 1 } else { fields.get(inner).map_or(0, |_| fields_of_type(inner, wanted)) }
    };
    let own: usize = fields.get(record).map_or(0, |kinds| kinds.iter().map(count).sum());
    // The numbers that an exit rule is made of stand in one list.
    if record == "StoredParameterSet" { own + ExitRule::FIRST - 1 } else { own }
}

#[test]
fn no_number_that_is_not_finite_is_accepted_anywhere() {
    for_every_table!(fractions);
    let nan = ParamsRecord { score: Some(f64::NAN), ..ParamsRecord::sample() };
    let place = place(&tables::PARAMS, "default/swing");
    assert!(matches!(encode_record(place, &nan), Err(RowError::Invalid(Invalid { field: "score", .. }))));
}

#[test]
fn caps_are_errors_when_writing() {
    let large = RunRecord { config_toml: "x".repeat(RunRecord::BYTES_MAX), ..RunRecord::sample() };
    let at = place(&tables::RUNS, "default/00000000000000000001");
    assert!(matches!(encode_record(at, &large), Err(RowError::TooLarge { .. })));
    let trial = TrialsRecord::sample().trials.remove(0);
    let many = TrialsRecord { trials: vec![trial; 51] };
    let at = place(&tables::TRIALS, "default/00000000000000000001/swing");
    assert!(matches!(encode_record(at, &many), Err(RowError::Invalid(Invalid { field: "trials", .. }))));
    let best = FeaturesRecord::sample().top_combinations.remove(0);
    let many = FeaturesRecord { top_combinations: vec![best; 6], ..FeaturesRecord::sample() };
    assert!(matches!(
        encode_record(place(&tables::FEATURES, "default/swing"), &many),
        Err(RowError::Invalid(_))
    ));
    let mut backwards = ParamsRecord::sample();
    backwards.set.exits[2].value = 0.0;
    assert!(matches!(
        encode_record(place(&tables::PARAMS, "default/swing"), &backwards),
        Err(RowError::Invalid(_))
    ));
}

/// Every version of every record ever written, as `name version hex`. Lines are added, never changed: a line
/// that does not fit any more means that stores in use can no longer be read.
const GOLDEN: &str = "schema/store_rows.txt";

fn golden<R: Sample>(known: &mut BTreeMap<String, String>) -> Result<(), String> {
    let payload = postcard::to_stdvec(&R::sample()).expect("the sample is valid");
    let hex: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("{} {}", R::NAME, R::VERSION);
    match known.insert(name.clone(), hex.clone()) {
        Some(before) if before != hex => Err(name),
        Some(_) => Ok(()),
        None if std::env::var_os("UPDATE_SCHEMA").is_some() => Ok(()),
        None => Err(name),
    }
}

#[test]
fn the_bytes_of_every_record_are_as_pinned() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let line = |line: &str| line.rsplit_once(' ').map(|(name, hex)| (name.to_owned(), hex.to_owned()));
    let mut known: BTreeMap<String, String> = text.lines().filter_map(line).collect();
    let results = [
        golden::<MetaRecord>(&mut known),
        golden::<HeadRecord>(&mut known),
        golden::<ParamsRecordV1>(&mut known),
        golden::<ParamsRecord>(&mut known),
        golden::<FeaturesRecordV1>(&mut known),
        golden::<FeaturesRecord>(&mut known),
        golden::<InsightsRecordV1>(&mut known),
        golden::<InsightsRecord>(&mut known),
        golden::<RunRecordV1>(&mut known),
        golden::<RunRecordV2>(&mut known),
        golden::<RunRecordV3>(&mut known),
        golden::<RunRecord>(&mut known),
        golden::<DecisionRecordV1>(&mut known),
        golden::<DecisionRecord>(&mut known),
        golden::<TrialsRecordV1>(&mut known),
        golden::<TrialsRecord>(&mut known),
        golden::<WorkRecord>(&mut known),
        golden::<SeriesRecordV1>(&mut known),
        golden::<SeriesRecord>(&mut known),
        golden::<EvidenceRecordV1>(&mut known),
        golden::<EvidenceRecord>(&mut known),
        golden::<CarriedRecord>(&mut known),
    ];
    let changed: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(changed, Vec::<String>::new(), "the format changed: raise the version, keep the old struct");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let lines = known.iter().map(|(name, hex)| format!("{name} {hex}\n"));
        std::fs::write(&path, lines.collect::<String>()).expect("the schema directory is writable");
    }
}

/// A version between the first and the newest has no type of its own where only metrics were added: its row is kept.
#[test]
fn every_row_that_was_ever_pinned_is_read_as_the_newest_version() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    let text = std::fs::read_to_string(path).expect("committed");
    let mut read = 0;
    for line in text.lines() {
        let [name, version, hex] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let table = tables::ALL.iter().find(|table| table.record.name == name).expect("of a table");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        let payload: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let json = (table.record.to_json)(version.parse().expect("a number"), &payload);
        assert!(json.is_ok(), "{name} {version}: {json:?}");
        read += 1;
    }
    assert!(read > tables::ALL.len(), "more rows than tables");
}

#[test]
fn sets_and_metrics_by_position_are_read_as_those_by_name() {
    fn same<B: Sample, R: Sample + From<B>>(table: &Table<R>, key: &str) {
        let place = place(table, key);
        let payload = postcard::to_stdvec(&B::sample()).expect("the sample is valid");
        let row = seal_payload(place, B::TYPE_ID, B::VERSION, &payload);
        let newest = R::from(B::sample());
        assert_eq!(decode_record::<R>(place, &row).expect("it was valid then"), newest);
        let json = serde_json::to_string(&B::sample()).expect("text keys only");
        let restored = (table.info.record.from_json)(place, B::VERSION, &json).expect("a backup");
        assert_eq!(decode_record::<R>(place, &restored).expect("it was just made"), newest);
        assert!(decode_payload::<R>(R::VERSION, &payload).is_err(), "not the newest");
    }
    same::<ParamsRecordV1, _>(&tables::PARAMS, "default/swing");
    same::<FeaturesRecordV1, _>(&tables::FEATURES, "default/swing");
    same::<DecisionRecordV1, _>(&tables::DECISIONS, "default/00000000000000000412/swing");
    same::<TrialsRecordV1, _>(&tables::TRIALS, "default/00000000000000000412/swing");
    let mut before = ParamsRecordV1::sample();
    let by_name = serde_json::to_value(StoredMetrics::from(before.metrics.clone())).expect("text keys only");
    let by_position = serde_json::to_value(&before.metrics).expect("text keys only");
    for (key, value) in by_position.as_object().expect("an object") {
        assert_eq!(by_name.get(key), Some(value), "{key}");
    }
    assert_eq!(ParamsRecord::from(before.clone()).set, ParamsRecord::sample().set);
    // Mechanisms stood among the filters.
    for axis in EXIT_AXES[3..11].iter().rev() {
        let value = StoredValue::Number(0.5);
        before.set.filters.insert(0, StoredFilter { name: axis.key.to_owned(), value });
    }
    let set = ParamsRecord::from(before).set;
    assert_eq!(
        set.exits.iter().map(|exit| &exit.name).collect::<Vec<_>>(),
        EXIT_AXES[..11].iter().map(|axis| axis.key).collect::<Vec<_>>()
    );
    assert_eq!(set.filters, ParamsRecord::sample().set.filters);
    assert!(ParameterSet::try_from(&set).is_ok());
}

#[test]
fn an_exit_rule_that_is_none_of_this_program_is_refused() {
    let sound = ParamsRecord::sample();
    let at = place(&tables::PARAMS, "default/swing");
    let changes: [fn(&mut Vec<NamedNumber>); 5] = [
        |exits| exits[0].name = "take_profit_of_tomorrow".to_owned(),
        |exits| exits.push(exits[0].clone()),
        |exits| exits.truncate(2),
        |exits| exits[1].value = -1.0,
        |exits| exits.push(NamedNumber { name: "take_profit_pct".to_owned(), value: 4.0 }),
    ];
    let mut without = sound.clone();
    without.set.exits.remove(1);
    assert!(encode_record(at, &without).is_ok(), "a level may be off");
    for change in changes {
        let mut record = sound.clone();
        change(&mut record.set.exits);
        assert!(matches!(encode_record(at, &record), Err(RowError::Invalid(Invalid { field: "exits", .. }))));
        let payload = postcard::to_stdvec(&record).expect("plain values");
        assert!(decode_payload::<ParamsRecord>(ParamsRecord::VERSION, &payload).is_err());
    }
}

#[test]
fn what_the_first_version_of_insights_held_is_read_as_the_newest() {
    let (before, place) = (InsightsRecordV1::sample(), place(&tables::INSIGHTS, "default/swing"));
    let payload = postcard::to_stdvec(&before).expect("the sample is valid");
    let row = seal_payload(place, InsightsRecordV1::TYPE_ID, InsightsRecordV1::VERSION, &payload);
    let read = decode_record::<InsightsRecord>(place, &row).expect("it was valid then");
    assert_eq!(read, InsightsRecord::from(before.clone()));
    assert_eq!((read.run, &read.lessons, &read.memory), (before.run, &before.lessons, &Vec::new()));
    let info = &tables::INSIGHTS.info.record;
    let newest = (info.to_json)(1, &payload).expect("a payload of the first version");
    assert_eq!(serde_json::from_str::<InsightsRecord>(&newest).expect("of the newest"), read);
    let json = serde_json::to_string(&before).expect("text keys only");
    let restored = (info.from_json)(place, 1, &json).expect("a backup of the first version");
    assert_eq!(decode_record::<InsightsRecord>(place, &restored).expect("it was just made"), read);
    assert!(matches!((info.from_json)(place, 2, &json), Err(RowError::Json(_))), "not the newest");
    assert!(decode_payload::<InsightsRecord>(2, &payload).is_err());
}

#[test]
fn what_the_third_version_of_a_run_said_of_the_clock_is_told_as_it_was() {
    let place = place(&tables::RUNS, "default/00000000000000000001");
    let payload = postcard::to_stdvec(&RunRecordV3::sample()).expect("the sample is valid");
    let row = seal_payload(place, RunRecordV3::TYPE_ID, RunRecordV3::VERSION, &payload);
    let read = decode_record::<RunRecord>(place, &row).expect("it was valid then");
    let clock = read.freshness.clone().expect("a freshness").clock_reason;
    assert_eq!(clock, Some(ReasonRecord::told("candles of tomorrow".to_owned())));
    assert_eq!(read, RunRecord::from(RunRecordV3::sample()));
    let json = serde_json::to_string(&RunRecordV3::sample()).expect("text keys only");
    let restored =
        (tables::RUNS.info.record.from_json)(place, RunRecordV3::VERSION, &json).expect("a backup");
    assert_eq!(decode_record::<RunRecord>(place, &restored).expect("it was just made"), read);
}

#[test]
fn what_the_first_version_of_evidence_said_is_told_as_it_was() {
    let before = EvidenceRecordV1 {
        figures: [
            ("p_luck_best", 0.25),
            ("in_force_hindsight_trades", 3.0),
            ("in_force_traded_trades", 4.0),
            ("falling_wild_days", 5.0),
            ("selection_optimism_year", 19.0),
            ("plateau_ratio", 0.5),
        ]
        .map(|(name, value)| NamedNumber { name: name.to_owned(), value })
        .to_vec(),
        ..EvidenceRecordV1::sample()
    };
    let place = place(&tables::EVIDENCE, "default/00000000000000000001/swing");
    let payload = postcard::to_stdvec(&before).expect("the sample is valid");
    let row = seal_payload(place, EvidenceRecordV1::TYPE_ID, EvidenceRecordV1::VERSION, &payload);
    let read = decode_record::<EvidenceRecord>(place, &row).expect("it was valid then");
    let names: Vec<&str> = read.figures.iter().map(|figure| figure.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "p_spa_best",
            "active_opportunity_trades",
            "active_traded_trades",
            "downtrend_high_volatility_days",
            "selection_optimism_year",
            "plateau_ratio",
            "selection_optimism",
        ]
    );
    let edge = read.edge.expect("an assessment");
    assert_eq!((edge.told.as_deref(), edge.lacks), (Some("one line"), vec!["LUCK".to_owned()]));
    // Earlier programs called luck what they had not tested, and said nothing of it.
    let untested = EvidenceRecordV1 {
        edge: Some(AssessmentRecordV1 {
            assurance: "LIKELY_LUCK".to_owned(),
            lacks: vec!["SPIKE".to_owned()],
            sentence: String::new(),
        }),
        figures: vec![NamedNumber { name: "columns_tested".to_owned(), value: 0.0 }],
        ..before.clone()
    };
    let edge = EvidenceRecord::from(untested).edge.expect("an assessment");
    assert_eq!((edge.assurance.as_str(), edge.lacks.len()), ("UNTESTED", 0));
    let spike = AssessmentRecordV1 { lacks: vec!["SPIKE".to_owned()], ..before.edge.clone().expect("one") };
    let renamed = EvidenceRecord::from(EvidenceRecordV1 { edge: Some(spike), ..before });
    assert_eq!(renamed.edge.expect("an assessment").lacks, ["ISOLATED_OPTIMUM"]);
}

#[test]
fn the_first_version_of_a_run_gives_its_days_as_fields() {
    let place = place(&tables::RUNS, "default/00000000000000000001");
    for (line, asked, rest) in [
        ("# style = Both, timerange = all\n", ["", ""], "[search]\ntop = 5\n"),
        (
            "# style = Swing, timerange = 20250101-20250630\n",
            ["2025-01-01", "2025-06-30"],
            "[search]\ntop = 5\n",
        ),
        ("# style = Both, timerange = 2025-01-01-\n", ["", ""], "[search]\ntop = 5\n"),
        ("# style = Both, timerange = 20250101-\n", ["2025-01-01", ""], "[search]\ntop = 5\n"),
        ("# style = Both, timerange = -20250630\n", ["", "2025-06-30"], "[search]\ntop = 5\n"),
        ("# a comment of another kind\n", ["", ""], "# a comment of another kind\n[search]\ntop = 5\n"),
        ("", ["", ""], "[search]\ntop = 5\n"),
    ] {
        let before =
            RunRecordV1 { config_toml: format!("{line}[search]\ntop = 5\n"), ..RunRecordV1::sample() };
        let payload = postcard::to_stdvec(&before).expect("the sample is valid");
        let row = seal_payload(place, RunRecordV1::TYPE_ID, RunRecordV1::VERSION, &payload);
        let read = decode_record::<RunRecord>(place, &row).expect("it was valid then");
        assert_eq!([&read.asked_first_day, &read.asked_end_day], asked, "{line}");
        assert_eq!(read.config_toml, rest);
        let issues: Vec<IssueRecord> = before.issues.into_iter().map(IssueRecord::from).collect();
        assert_eq!((read.started_at_ms, &read.issues), (before.started_at_ms, &issues));
        assert_eq!(read.issues[0].detail, ReasonRecord::told("2025-01-03".to_owned()));
        assert!(read.validate().is_ok());
    }
    let wrong = RunRecord { asked_end_day: "soon".to_owned(), ..RunRecord::sample() };
    assert!(matches!(encode_record(place, &wrong), Err(RowError::Invalid(_))));
}

fn any_set() -> impl Strategy<Value = StoredParameterSet> {
    let value = prop_oneof![
        proptest::num::f64::NORMAL.prop_map(StoredValue::Number),
        ".{0,12}".prop_map(StoredValue::Name)
    ];
    let filter = ("[a-z_]{1,12}", value).prop_map(|(name, value)| StoredFilter { name, value });
    let positive = || 1e-300..1e300_f64;
    let exit = (positive(), positive(), positive());
    (exit, proptest::collection::vec(filter, 0..8)).prop_map(|((tp, stop, hours), filters)| {
        StoredParameterSet::of(&ExitRule::new(tp, stop, hours), filters)
    })
}

fn any_metrics() -> impl Strategy<Value = StoredMetrics> {
    let fraction = || proptest::option::of(proptest::num::f64::NORMAL | proptest::num::f64::ZERO);
    (any::<u64>(), any::<u64>(), fraction(), fraction(), fraction()).prop_map(
        |(trades, ambiguous_exits, win_rate, profit_factor, capture_lift)| StoredMetrics {
            trades,
            ambiguous_exits,
            win_rate,
            profit_factor,
            capture_lift,
            ..StoredMetrics::default()
        },
    )
}

proptest! {
    #[test]
    fn any_trials_come_back_as_they_went_in(
        trials in proptest::collection::vec((any::<u32>(), any_set(), -1e9..1e9_f64, any_metrics()), 0..5),
    ) {
        let trial = |(rank, set, score, metrics)| TrialRecord { rank, set, score, metrics };
        let record = TrialsRecord { trials: trials.into_iter().map(trial).collect() };
        let place = place(&tables::TRIALS, "default/00000000000000000001/swing");
        let row = encode_record(place, &record).expect("the record is valid");
        prop_assert_eq!(decode_record::<TrialsRecord>(place, &row).expect("it was written so"), record);
    }

    #[test]
    fn a_parameter_set_survives_being_stored(stored in any_set()) {
        let set = ParameterSet::try_from(&stored).expect("the set is valid");
        prop_assert_eq!(StoredParameterSet::from(&set), stored);
    }

    #[test]
    fn exit_mechanisms_are_stored_by_name(on in proptest::collection::vec(any::<bool>(), EXIT_AXES.len())) {
        let mut exit = ExitRule::new(2.0, 1.5, 8.0);
        for (axis, on) in EXIT_AXES.iter().zip(&on) {
            if *on {
                axis.set(&mut exit, 0.75);
                // A level is in one unit.
                axis.instead_of.and_then(ExitAxis::named).into_iter().for_each(|atr| atr.turn_off(&mut exit));
            }
        }
        let filters = vec![("min_consensus".to_owned(), FilterValue::Number(1.0))];
        let set = ParameterSet { exit, filters };
        let stored = StoredParameterSet::from(&set);
        let own = EXIT_AXES.iter().filter(|axis| axis.value(&exit).is_some()).count();
        prop_assert_eq!(stored.exits.len(), own);
        prop_assert_eq!(stored.filters.len(), 1);
        prop_assert_eq!(ParameterSet::try_from(&stored).expect("sound"), set);
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(row in proptest::collection::vec(any::<u8>(), 0..400)) {
        let place = place(&tables::DECISIONS, "default/00000000000000000001/swing");
        prop_assert!(check_row(place, &row).is_err());
        // The tag is right here, so that postcard itself meets arbitrary bytes.
        let sealed = seal_payload(place, DecisionRecord::TYPE_ID, DecisionRecord::VERSION, &row);
        prop_assert_eq!(sealed.len(), HEADER_BYTES + row.len());
        if let Ok(record) = decode_record::<DecisionRecord>(place, &sealed) {
            prop_assert!(record.validate().is_ok());
        }
    }
}

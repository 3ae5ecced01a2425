//! Stores as released programs wrote them are read for good, and those of programs to come are refused.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use retune::model::Style;
use retune::store::records::MetaRecord;
use retune::store::{Store, list_backups, restore_backup};

use crate::command::{StoreDir, text};
use crate::faults::{NOW_MS, Scenario, opened};
use crate::store::Foreign;

/// The newest format: its files are made by this test with `UPDATE_STORES=1`, once, and never again.
const FORMAT: u32 = 1;

fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stores").join(name)
}

/// Keeps the store of two runs on the sample, and its backup.
fn make() {
    let scenario = Scenario::new(2);
    let template = scenario.template();
    fs::create_dir_all(committed("")).expect("writable");
    let state = fs::read(template.join("state.redb")).expect("readable");
    let file =
        File::create_new(committed(&format!("format-{FORMAT}.redb.gz"))).expect("it is made only once");
    let mut packed = GzEncoder::new(file, Compression::best());
    packed.write_all(&state).and_then(|()| packed.finish().map(drop)).expect("writable");
    let newest = &list_backups(&template).expect("listed")[0];
    fs::copy(&newest.path, committed(&format!("format-{FORMAT}.jsonl.gz"))).expect("writable");
}

/// Unpacks the store of a format to a directory.
fn unpack(format: u32, dir: &Path) {
    let file = File::open(committed(&format!("format-{format}.redb.gz"))).expect("committed");
    let mut state = Vec::new();
    GzDecoder::new(file).read_to_end(&mut state).expect("whole");
    fs::create_dir_all(dir).expect("writable");
    fs::write(dir.join("state.redb"), state).expect("writable");
}

#[test]
fn every_store_that_was_ever_written_is_read() {
    if std::env::var_os("UPDATE_STORES").is_some() && !committed(&format!("format-{FORMAT}.redb.gz")).exists()
    {
        make();
    }
    for format in 1..=FORMAT {
        let (store, again) = (StoreDir::missing(), StoreDir::missing());
        unpack(format, &store.path);
        let found = opened(&store.path);
        restore_backup(&again.path, &committed(&format!("format-{format}.jsonl.gz")), NOW_MS)
            .expect("a backup");
        assert_eq!(opened(&again.path), found, "the store and its backup say the same");
        let read = Store::open(&store.path, NOW_MS).expect("whole");
        let snapshot = read.read().expect("readable");
        assert_eq!(snapshot.meta().expect("readable").store_format, format);
        let runs = snapshot.runs("default", .., 9).expect("readable");
        let days: Vec<(u64, &str)> = runs.iter().map(|(id, run)| (*id, run.last_day.as_str())).collect();
        assert_eq!(days, [(2, "2025-03-14"), (1, "2025-03-12")]);
        let params = snapshot.params("default", "scalping").expect("readable").expect("active");
        let set = ["atr_tp_multiplier", "atr_stop_multiplier", "max_holding_hours"]
            .map(|key| params.set.number(key));
        assert_eq!((set, params.run, params.verdict.as_str()), SET_IN_FORCE);
        assert!(snapshot.trials("default", 2, Style::Scalping).expect("readable").is_some());
        drop(snapshot);
        drop(read);
        let run = ["incremental", "--data", "tests/sample", "--quick", "--exit-zero", "--progress", "none"];
        let ran = store.run(&run);
        assert!(text(&ran.stdout).contains("run=3"), "{}{}", text(&ran.stdout), text(&ran.stderr));
    }
}

/// What the first of the two runs activated.
const SET_IN_FORCE: ([Option<f64>; 3], u64, &str) = ([Some(2.0), Some(2.2), Some(12.0)], 1, "PASSED");

/// Returns a row as the format says, made without the program's own code.
fn row(table: &str, key: &str, type_id: u16, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    let type_id = type_id.to_le_bytes();
    let header = [&[0xE1, 0xA7, 1, 0][..], &type_id, &[1, 0], &length, &length].concat();
    let mut hash = blake3::Hasher::new_derive_key("retune 2026-11 store row tag v1");
    hash.update(&[0; 16]);
    for part in [table.as_bytes(), key.as_bytes(), &header, payload] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut tag = [0; 16];
    hash.finalize_xof().fill(&mut tag);
    [&header, &tag[..], payload].concat()
}

#[test]
fn a_store_of_a_program_to_come_is_refused_and_left_alone() {
    let store = StoreDir::after_a_run();
    let meta = Store::open(&store.path, NOW_MS).and_then(|store| store.read()?.meta()).expect("readable");
    let newer = MetaRecord { store_format: FORMAT + 1, min_reader_format: FORMAT + 1, ..meta };
    let row = row("meta", "store", 1, &postcard::to_stdvec(&newer).expect("encodable"));
    for name in ["state.redb", "view.redb"] {
        let db = redb::Database::open(store.path.join(name)).expect("not in use");
        let transaction = db.begin_write().expect("writable");
        let definition = redb::TableDefinition::<&str, Foreign>::new("meta");
        transaction.open_table(definition).expect("there").insert("store", row.as_slice()).expect("writable");
        transaction.commit().expect("committed");
    }
    let before = fs::read(store.path.join("state.redb")).expect("readable");
    for command in [&["incremental", "--data", "tests/sample", "--progress", "none"][..], &["inspect"]] {
        let (code, said) = store.failure(command);
        assert_eq!(code, Some(6), "{said}");
        assert!(
            said.contains("was written by a newer program: store format 2, at most 1 is known"),
            "{said}"
        );
        assert!(said.contains("hint: use the newer program"), "{said}");
    }
    assert!(fs::read(store.path.join("state.redb")).expect("readable") == before, "left as it is");
}

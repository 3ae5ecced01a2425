//! Memory and work by what files hold, not by how small they are stored: the program runs below a limit that the system
//! enforces, or says that the limit does not suffice; nothing is counted in seconds.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::Interval;

use crate::command::{StoreDir, optimizer, text};

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;
const STEP: i64 = 15 * 60_000;
const NOW_MS: i64 = 1_798_761_600_000;
/// Rows that would take 256 MB if each were kept.
const ROWS: usize = 4_000_000;
/// Candles that the rows repeat.
const CANDLES: usize = 2_000;
/// What the program is told, and what the system allows besides for code, stacks and tables of pages.
const LIMIT_MIB: u64 = 64;
const BESIDES_MIB: u64 = 8;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(&path, content).expect("the file is written");
        path
    }
}

/// Runs a command of the program from a shell that limits its own data first.
fn limited(arguments: &[&str]) -> Output {
    let plain = optimizer();
    let mut command = Command::new("sh");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("OPTIMIZER_LIMITS__PRIORITY", "normal");
    let limit = (LIMIT_MIB + BESIDES_MIB) << 10;
    command
        .arg("-c")
        .arg(format!("ulimit -d {limit} || exit 99; exec \"$0\" \"$@\""))
        .arg(plain.get_program());
    command.args(arguments).arg("--max-memory").arg(format!("{LIMIT_MIB}MiB"));
    command.output().expect("there is a shell")
}

fn checked(folder: &Path) -> (String, String, Option<i32>) {
    let ended = limited(&["check", "data", folder.to_str().expect("text")]);
    (text(&ended.stdout), text(&ended.stderr), ended.status.code())
}

fn gzip(content: impl Iterator<Item = String>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    content.for_each(|part| encoder.write_all(part.as_bytes()).expect("memory takes all"));
    encoder.finish().expect("memory takes all")
}

/// Blocks of the same candles, over and over.
fn repeated() -> impl Iterator<Item = String> {
    let block = (0..CANDLES as i64).fold(String::new(), |mut block, index| {
        writeln!(block, "{},1,2,1,2,9", (START + index * STEP) / 1_000).expect("memory takes all");
        block
    });
    std::iter::once("time,open,high,low,close,volume\n".to_owned())
        .chain(std::iter::repeat_n(block, ROWS / CANDLES))
}

#[test]
fn rows_that_repeat_take_no_memory_however_they_are_packed() {
    let folder = Folder::new();
    folder.put("BTCUSDT-15m.csv.gz", gzip(repeated()));
    let (printed, said, code) = checked(folder.0.path());
    assert_eq!(code, Some(0), "{printed}{said}");
    assert!(printed.contains(&format!("{ROWS} rows, {CANDLES} candles")), "{printed}");
    assert!(printed.contains(&format!("{} x duplicate", ROWS - CANDLES)), "{printed}");
}

#[test]
fn more_signals_than_fit_are_refused_before_the_work() {
    let folder = Folder::new();
    let rows = (0..1_500_000_i64).fold("symbol,time,direction,score\n".to_owned(), |mut rows, index| {
        writeln!(rows, "BTCUSDT,{},long,{}", START / 1_000 + index, index % 100).expect("memory takes all");
        rows
    });
    let signals = folder.put("signals.csv", rows);
    let store = StoreDir::missing();
    let signals = signals.to_str().expect("text");
    let store_path = store.path.to_str().expect("text");
    for dry in [&["--dry-run"][..], &[]] {
        let run =
            ["incremental", "--data", "tests/sample", "--signals", signals, "--progress", "none", "--store"];
        let ended = limited(&[&run[..], &[store_path], dry].concat());
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{said}");
        assert!(said.contains("expected signals that fit the memory limit, which leaves 42 MiB"), "{said}");
        assert!(said.contains("--max-memory"), "{said}");
    }
}

fn zip_of(members: impl Iterator<Item = (String, String)>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("a member begins");
        writer.write_all(content.as_bytes()).expect("memory takes all");
    }
    writer.finish().expect("the archive ends").into_inner()
}

#[test]
fn members_are_read_without_looking_through_the_archive_again() {
    let rows = "time,open,high,low,close,volume\n1735689600,1,2,1,2,9\n1735690500,1,2,1,2,9\n";
    let folder = Folder::new();
    let symbols = 300;
    let archive = zip_of((0..symbols).map(|index| (format!("S{index}USDT-15m.csv"), rows.to_owned())));
    let path = folder.put("all.zip", &archive);
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    let catalog = discover(&[folder.0.path().to_owned()], &options).expect("the folder is readable");
    assert_eq!(catalog.symbols.len(), symbols);
    // The list of the members is gone, and none of them needs it.
    let list = archive.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a list of members");
    fs::write(&path, &archive[..list]).expect("the file is written");
    for sources in &catalog.symbols {
        let loaded = load_symbol(sources, &options).expect("the files agree");
        assert_eq!((loaded.files[0].rejected.clone(), loaded.series.bars().len()), (None, 2));
    }
    // What changed under our eyes is told by its checksum.
    fs::write(&path, [&b"PK\x03\x04"[..], &archive[40..list]].concat()).expect("the file is written");
    let loaded = load_symbol(&catalog.symbols[0], &options).expect("the files agree");
    let reason = loaded.files[0].rejected.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(reason.contains("found damage"), "{reason}");
}

#[test]
fn folders_far_down_are_walked_once_whatever_leads_to_them() {
    let folder = Folder::new();
    let deep = "d/".repeat(600);
    folder.put(&format!("{deep}BTCUSDT-15m.csv"), "time,open,high,low,close,volume\n1735689600,1,2,1,2,9\n");
    std::os::unix::fs::symlink(folder.0.path(), folder.0.path().join(format!("{deep}up"))).expect("a link");
    std::os::unix::fs::symlink(folder.0.path().join("d/d"), folder.0.path().join("beside")).expect("a link");
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    let catalog = discover(&[folder.0.path().to_owned()], &options).expect("the folder is readable");
    let sources = |catalog: &retune::ingest::Catalog| {
        catalog.symbols.iter().map(|symbol| symbol.sources.len()).sum::<usize>()
    };
    assert_eq!(sources(&catalog), 1);
}

#[test]
fn hundreds_of_filters_are_a_space_too_large() {
    let folder = Folder::new();
    let filters = |levels: &str| {
        (0..300).fold(String::new(), |mut all, index| {
            let head = "[[style.swing.filters]]\ncolumn = \"volume_ratio\"\n";
            writeln!(all, "{head}key = \"x{index}\"\nat_least = {levels}").expect("memory takes all");
            all
        })
    };
    for (levels, strategy) in
        [("[1, 2]", "grid"), ("[1, 2]", "random"), ("[1, 2]", "coarse-fine"), ("[1]", "grid")]
    {
        let text_of = format!("[search]\nstrategy = \"{strategy}\"\n{}", filters(levels));
        let config = folder.put("optimizer.toml", text_of);
        let output = optimizer().args(["config", "check", "--config"]).arg(&config).output().expect("starts");
        let said = text(&output.stderr);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3)), "{levels} {strategy}: {code:?} {said}");
        if strategy == "grid" && levels == "[1, 2]" {
            assert!(said.contains("remove values or dimensions"), "{said}");
        }
    }
}

#[cfg(feature = "columnar")]
mod columns {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampSecondArray};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, Encoding, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;

    /// So many candles from the start on, in steps of so many seconds.
    fn batch(first: i64, count: usize, seconds: i64) -> RecordBatch {
        let times = (0..count as i64).map(|index| START / 1_000 + (first + index) * seconds);
        let flat = |value: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![value; count])) };
        let times: ArrayRef = Arc::new(TimestampSecondArray::from(times.collect::<Vec<_>>()));
        let (open, high, low) = (flat(1.0), flat(2.0), flat(1.0));
        let columns = [("date", times), ("open", open), ("high", high), ("low", low), ("close", flat(2.0))];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    fn feather<'a>(batches: impl Iterator<Item = &'a RecordBatch>) -> Vec<u8> {
        let schema = batch(0, 1, 900).schema();
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD));
        let mut bytes = Vec::new();
        let mut writer = FileWriter::try_new_with_options(&mut bytes, &schema, options.expect("compiled in"))
            .expect("a file begins");
        batches.for_each(|batch| writer.write(batch).expect("memory takes all"));
        writer.finish().expect("the file ends");
        drop(writer);
        bytes
    }

    fn parquet<'a>(batches: impl Iterator<Item = &'a RecordBatch>, delta: bool) -> Vec<u8> {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
        let properties = match delta {
            true => properties
                .set_column_dictionary_enabled("date".into(), false)
                .set_column_encoding("date".into(), Encoding::DELTA_BINARY_PACKED),
            false => properties,
        };
        let mut bytes = Vec::new();
        let schema = batch(0, 1, 900).schema();
        let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties.build())).expect("begins");
        batches.for_each(|batch| writer.write(batch).expect("memory takes all"));
        writer.close().expect("the file ends");
        bytes
    }

    #[test]
    fn rows_that_repeat_take_no_memory_in_columns_either() {
        let block = batch(0, CANDLES, 900);
        let blocks = || std::iter::repeat_n(&block, ROWS / CANDLES);
        for (name, bytes) in
            [("BTCUSDT-15m.feather", feather(blocks())), ("BTCUSDT-15m.parquet", parquet(blocks(), false))]
        {
            let folder = Folder::new();
            folder.put(name, &bytes);
            let (printed, said, code) = checked(folder.0.path());
            assert_eq!(code, Some(0), "{name} of {} bytes: {printed}{said}", bytes.len());
            assert!(printed.contains(&format!("{ROWS} rows, {CANDLES} candles")), "{printed}");
        }
    }

    #[test]
    fn more_candles_than_fit_are_refused_whatever_the_size_of_the_file() {
        let blocks: Vec<RecordBatch> =
            (0..40).map(|index| batch(index * 100_000 - 4_000_000, 100_000, 60)).collect();
        let whole = batch(-4_000_000, 4_000_000, 60);
        let files = [
            ("BTCUSDT-1m.feather", feather(blocks.iter())),
            ("BTCUSDT_1m.feather", feather(std::iter::once(&whole))),
            ("BTCUSDT-1m.parquet", parquet(blocks.iter(), true)),
        ];
        for (name, bytes) in files {
            let folder = Folder::new();
            folder.put(name, &bytes);
            let (printed, said, code) = checked(folder.0.path());
            assert_eq!(code, Some(3), "{name} of {} bytes: {printed}{said}", bytes.len());
            assert!(
                said.contains("expected candles of BTCUSDT that fit the memory limit, which leaves"),
                "{said}"
            );
            assert!(said.contains(name) && said.contains("--max-memory"), "{said}");
        }
    }

    #[test]
    fn a_text_that_stands_in_every_row_is_decoded_a_few_rows_at_a_time() {
        // Decoded for a whole batch of rows at once it would take gigabytes.
        let (rows, long) = (64, "x".repeat(1 << 20));
        let names = (0..rows).map(|row| if row == 0 { "BTCUSDT" } else { &long });
        let symbols: ArrayRef = Arc::new(StringArray::from_iter_values(names));
        let plain = batch(0, rows, 900);
        let columns =
            ["date", "open", "high", "low", "close"].into_iter().zip(plain.columns().iter().cloned());
        let few = RecordBatch::try_from_iter(columns.chain([("symbol", symbols)])).expect("one length");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_page_size_limit(8 << 20)
            .build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, few.schema(), Some(properties)).expect("begins");
        (0..10).for_each(|_| writer.write(&few).expect("memory takes all"));
        writer.close().expect("the file ends");
        assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
        let folder = Folder::new();
        folder.put("BTCUSDT-15m.parquet", &bytes);
        let ended = limited(&["check", "data", folder.0.path().to_str().expect("text")]);
        let printed = text(&ended.stdout) + &text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{printed}");
        assert!(printed.contains("640 rows, 64 candles"), "{printed}");
    }
}

//! Candles in other formats than CSV, checksums beside files, and market snapshots of the legacy system: each gives
//! what the same candles as CSV give, and none makes a run read what did not change.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use retune::config::Config;
use retune::engine::plan::DayLimits;
use retune::ingest::{IngestOptions, IssueKind, LoadedSymbol, discover, load_symbol};
use retune::model::{Candle, Interval, Style};
use retune::run::report::RunReport;
use retune::run::{FilesRead, RunOptions, incremental};
use sha2::{Digest, Sha256};

use crate::command::{optimizer, text};
use crate::packing::{gzip, zip_of};
use crate::pipeline::sample_dir;

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;
const STEP: i64 = 15 * 60_000;
/// 2027-01-01: long after every file of these tests was written.
const NOW_MS: i64 = 1_798_761_600_000;

fn candles(count: i64) -> Vec<Candle> {
    let candle = |index: i64| {
        let price = 100.0 + (index % 7) as f64;
        Candle {
            open_time: START + index * STEP,
            open: price,
            high: price + 2.5,
            low: price - 1.25,
            close: price + 0.5,
            volume: 10.0 + index as f64,
        }
    };
    (0..count).map(candle).collect()
}

fn csv(candles: &[Candle]) -> String {
    let row = |candle: &Candle| {
        let Candle { open_time, open, high, low, close, volume } = candle;
        format!("{open_time},{open},{high},{low},{close},{volume}\n")
    };
    "open_time,open,high,low,close,volume\n"
        .chars()
        .chain(candles.iter().map(row).collect::<String>().chars())
        .collect()
}

fn json(candles: &[Candle]) -> String {
    let rows: Vec<String> = csv(candles).lines().skip(1).map(|row| format!("[{row}]")).collect();
    format!("[{}]", rows.join(","))
}

/// A folder of files that is removed at the end of its test.
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

    fn load(&self) -> Vec<LoadedSymbol> {
        let catalog = discover(&[self.0.path().to_owned()], &options()).expect("the folder is readable");
        let load = |sources| load_symbol(sources, &options()).expect("the files agree");
        catalog.symbols.iter().map(load).collect()
    }

    fn load_one(&self) -> LoadedSymbol {
        let mut loaded = self.load();
        assert_eq!(loaded.len(), 1, "one symbol");
        loaded.remove(0)
    }

    fn passed_over(&self) -> Vec<String> {
        let catalog = discover(&[self.0.path().to_owned()], &options()).expect("the folder is readable");
        catalog.passed_over.iter().map(|file| file.reason.to_string()).collect()
    }
}

fn options() -> IngestOptions {
    IngestOptions::new(Interval::M15, NOW_MS)
}

fn series(loaded: &LoadedSymbol) -> Vec<Candle> {
    let bars = loaded.series.bars();
    (0..bars.len()).map(|index| bars.get(index)).collect()
}

fn issues(loaded: &LoadedSymbol, file: usize) -> Vec<(IssueKind, u64)> {
    loaded.files[file].issues.iter().map(|issue| (issue.kind, issue.count)).collect()
}

fn rejected(loaded: &LoadedSymbol) -> String {
    loaded.files[0].rejected.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn checksums_are_verified_where_they_stand_beside_a_file() {
    let all = candles(20);
    let archive = zip_of(&[
        ("BTCUSDT-15m-a.csv", csv(&all[..10]).as_bytes()),
        ("BTCUSDT-15m-b.csv", csv(&all[10..]).as_bytes()),
    ]);
    let files = [
        ("BTCUSDT-15m.csv", csv(&all).into_bytes()),
        ("BTCUSDT-15m.csv.gz", gzip(csv(&all).as_bytes())),
        ("BTCUSDT-15m.json", json(&all).into_bytes()),
        ("BTCUSDT-15m.zip", archive),
    ];
    for (name, content) in files {
        let folder = Folder::new();
        folder.put(name, &content);
        let checksum = format!("{name}.CHECKSUM");
        folder.put(&checksum, format!("{}  {name}\n", sha256(&content)));
        assert_eq!(series(&folder.load_one()), all, "{name}");
        assert_eq!(folder.passed_over(), ["not candles: a checksum"]);
        let other = sha256(b"other");
        folder.put(&checksum, format!("{other}  {name}\n"));
        let loaded = folder.load_one();
        let expected = format!(
            "expected SHA-256 {other} by its `.CHECKSUM`, found {}; download both again",
            sha256(&content)
        );
        assert!(
            loaded
                .files
                .iter()
                .all(|file| { file.rejected.as_ref().is_some_and(|reason| reason.to_string() == expected) }),
            "{name}: {:?}",
            loaded.files
        );
        assert!(loaded.series.is_empty());
        folder.put(&checksum, "<!doctype html>");
        let reasons = folder.passed_over();
        assert!(reasons[0].starts_with("expected `<SHA-256 in hex>  <name of the file>`"), "{reasons:?}");
        assert_eq!(folder.load(), []);
    }
}

#[test]
fn a_list_of_rows_gives_the_report_of_the_same_csv() {
    let mut all = candles(40);
    all.remove(20);
    all[10].volume = 0.0;
    all[11].volume = 0.0;
    all.swap(30, 31);
    all.push(all[5]);
    let (lines, list) = (Folder::new(), Folder::new());
    lines.put("BTC_USDT-15m.csv", csv(&all));
    list.put("BTC_USDT-15m.json", json(&all));
    let (lines, list) = (lines.load_one(), list.load_one());
    assert_eq!(series(&lines), series(&list));
    assert_eq!(issues(&lines, 0), issues(&list, 0));
    let figures = |loaded: &LoadedSymbol| {
        let file = &loaded.files[0];
        (file.interval, file.time_units.clone(), file.rows, file.candles, file.first_open, file.last_open)
    };
    assert_eq!(figures(&lines), figures(&list));
    assert_eq!(list.files[0].hash, blake3::hash(json(&all).as_bytes()).to_hex().to_string());
}

/// A row of market snapshots as one of the writers makes it.
fn snapshot(fields: usize, time: &str, coin: &str, candle: &Candle) -> String {
    let Candle { open, high, low, close, volume, .. } = candle;
    let rest = ",\"多头, a\"".repeat(fields - 7);
    format!("{time},{coin},{open},{high},{low},{close},{volume}{rest}\n")
}

/// Snapshots of two coins over a day by both writers: the exporter begins, the live system goes on without a header.
fn day_of_snapshots(candles: &[Candle]) -> String {
    let names: String = (7..114).map(|index| format!(",c{index}")).collect();
    let mut text = format!("time,coin,open,high,low,close,volume{names}\n");
    for (index, candle) in candles.iter().enumerate() {
        let fields = if index < 50 { 114 } else { 91 };
        // Leading zeros are lost, as spreadsheets do.
        let time = (index / 4 * 100 + index % 4 * 15).to_string();
        let early =
            Candle { high: candle.open, low: candle.open, close: candle.open, volume: 0.5, ..*candle };
        if index == 60 {
            text += &snapshot(fields, &time, "BTC", &early);
        }
        text += &snapshot(fields, &time, "BTC", candle);
        text += &snapshot(fields, &format!("{time:0>4}"), "ETH", &Candle { volume: 1.0, ..*candle });
        if index == 70 {
            text += &snapshot(fields, &time, "BTC", candle);
        }
    }
    text
}

#[test]
fn market_snapshots_become_candles_of_every_coin() {
    let all = candles(192);
    let (first, second) = (day_of_snapshots(&all[..96]), day_of_snapshots(&all[96..]));
    let folder = Folder::new();
    folder.put("market_snapshots/20250101.csv", &first);
    folder.put("market_snapshots/20250102.csv.gz", gzip(second.as_bytes()));
    let loaded = folder.load();
    assert_eq!(loaded.iter().map(|one| one.symbol.as_str()).collect::<Vec<_>>(), ["BTCUSDT", "ETHUSDT"]);
    assert_eq!(series(&loaded[0]), all);
    assert_eq!(loaded[1].series.bars().volume, [1.0; 192]);
    let expected = [(IssueKind::Unfinished, 1), (IssueKind::Duplicate, 1), (IssueKind::OtherLayout, 48)];
    assert_eq!(issues(&loaded[0], 0), expected);
    assert_eq!(loaded[0].files[0].rows, 98);
    assert_eq!(loaded[0].files[0].identity().hash, "", "a file of many symbols is like no other");
    let member = zip_of(&[("20250101.csv", first.as_bytes())]);
    let archived = Folder::new();
    archived.put("snapshots.zip", member);
    assert_eq!(series(&archived.load()[0]), all[..96]);
    assert_eq!(folder.passed_over(), Vec::<String>::new());
}

#[test]
fn snapshots_without_prices_or_a_day_say_what_is_missing() {
    let folder = Folder::new();
    folder.put("20250101.csv", "time,coin,price\n0000,BTC,10\n");
    let reasons = folder.passed_over();
    let expected = "expected the columns time, coin, open, high, low, close, found time, coin, price;";
    assert!(reasons[0].starts_with(expected), "{reasons:?}");
    let undated = Folder::new();
    undated.put("snapshots.csv", day_of_snapshots(&candles(96)));
    let reason = rejected(&undated.load()[0]);
    assert!(reason.starts_with("market snapshots without a date; name the file like"), "{reason}");
}

#[test]
fn the_same_candles_from_several_formats_are_merged() {
    let all = candles(60);
    let folder = Folder::new();
    folder.put("a/BTCUSDT-15m.csv", csv(&all[..40]));
    folder.put("b/BTC_USDT-15m.json.gz", gzip(json(&all[20..]).as_bytes()));
    let loaded = folder.load_one();
    assert_eq!(series(&loaded), all);
    assert_eq!(issues(&loaded, 1), [(IssueKind::Duplicate, 20)]);
    let mut other = all[..12].to_vec();
    other[1].close = 101.25;
    folder.put("c/BTC_USDT-15m.json", json(&other));
    let catalog = discover(&[folder.0.path().to_owned()], &options()).expect("the folder is readable");
    let conflict = load_symbol(&catalog.symbols[0], &options()).expect_err("one candle differs");
    assert!(conflict.to_string().contains("BTC_USDT-15m.json` line 2 (open 101"), "{conflict}");
}

#[test]
fn legacy_opportunities_given_as_candles_name_the_command_that_reads_them() {
    let folder = Folder::new();
    let list = r#"[{"coin": "BTC", "timestamp": "2025-11-01 05:15:00", "objective_profit": 1.0, "signal_score": 70}]"#;
    let file = folder.put("phase1_opportunities.json", list);
    folder.put("opportunities.json.gz", gzip(list.as_bytes()));
    let advice = "legacy opportunities, not candles; read them with `optimizer inspect legacy FILE`";
    assert_eq!(folder.passed_over(), [advice, advice]);
    for arguments in [["check", "data"], ["incremental", "--data"]] {
        let output = optimizer().args(arguments).arg(&file).output().expect("the program can be started");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains(advice), "{said}");
    }
}

/// Runs on a folder as the program does.
fn run_on(data: &Path, store: Option<&Path>) -> RunReport {
    let text = "[decide]\nrequire = \"stable\"\n[search]\nscore = \"balanced\"\nrank = \"plateau\"\nmin_trades = 10\n".to_owned();
    let config = Config::from_texts(&[("test".to_owned(), text)]).expect("sound");
    let plan = config.plan(&Style::ALL, DayLimits::default()).expect("sound");
    let options = RunOptions {
        store: store.map(Into::into),
        cache_bytes: 256 << 20,
        ..RunOptions::over(vec![data.to_owned()], NOW_MS)
    };
    incremental(&plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run")
}

/// The last days of the sample's symbols.
fn sample() -> Vec<(String, Vec<Candle>)> {
    let catalog = discover(&[sample_dir()], &options()).expect("the sample is there");
    let load = |sources| {
        let loaded = load_symbol(sources, &options()).expect("the sample loads");
        let all = series(&loaded);
        (loaded.symbol.to_string(), all[all.len() - 70 * 96..].to_vec())
    };
    catalog.symbols.iter().map(load).collect()
}

/// Writes the candles of symbol number `index` in the format that number stands for.
fn write_as(folder: &Folder, index: usize, symbol: &str, candles: &[Candle]) {
    match index {
        #[cfg(feature = "columnar")]
        0 => folder.put(&format!("{symbol}-15m.feather"), columns::feather(candles, None)),
        #[cfg(feature = "columnar")]
        1 => folder.put(&format!("{symbol}-15m.parquet"), columns::parquet(candles, columns::Pack::SNAPPY)),
        _ => folder.put(&format!("{symbol}-15m.json"), json(candles)),
    };
}

#[test]
fn a_run_on_other_formats_is_that_on_csv_and_reads_only_what_changed() {
    let symbols = sample();
    let (plain, mixed, store) = (Folder::new(), Folder::new(), Folder::new());
    for (index, (symbol, all)) in symbols.iter().enumerate() {
        plain.put(&format!("{symbol}-15m.csv"), csv(all));
        write_as(&mixed, index, symbol, &all[..all.len() - 96]);
    }
    let store = store.0.path().join("store");
    run_on(mixed.0.path(), Some(&store));
    // Nothing changed, as far as one can see: nothing is read but, for the spot check, at most one symbol.
    let unchanged = run_on(mixed.0.path(), Some(&store));
    let read = unchanged.units.iter().filter(|units| units.read != FilesRead::Nothing).count();
    assert!(read <= 1, "{read} symbols were read");
    assert_eq!(unchanged.units.iter().map(|units| units.evaluated.len()).sum::<usize>(), 0);
    // A day more in every file: each is read as a whole.
    for (index, (symbol, all)) in symbols.iter().enumerate() {
        write_as(&mixed, index, symbol, all);
    }
    let grown = run_on(mixed.0.path(), Some(&store));
    assert!(grown.units.iter().all(|units| units.read == FilesRead::Whole));
    assert!(grown.units.iter().all(|units| !units.evaluated.is_empty()));
    let (from_csv, scratch) = (run_on(plain.0.path(), None), run_on(mixed.0.path(), None));
    assert_eq!(grown.data_fingerprint, from_csv.data_fingerprint);
    assert_eq!(grown.data_fingerprint, scratch.data_fingerprint);
    let tops =
        |report: &RunReport| format!("{:?}", report.styles.iter().map(|s| &s.study.top).collect::<Vec<_>>());
    assert_eq!(tops(&grown), tops(&from_csv));
}

#[test]
fn a_checksum_that_appears_later_is_verified_although_the_file_did_not_change() {
    let symbols = sample();
    let (folder, store) = (Folder::new(), Folder::new());
    for (symbol, all) in &symbols {
        folder.put(&format!("{symbol}-15m.csv"), csv(all));
    }
    let store = store.0.path().join("store");
    assert_eq!(run_on(folder.0.path(), Some(&store)).input.symbols.len(), symbols.len());
    let name = format!("{}-15m.csv", symbols[0].0);
    folder.put(&format!("{name}.CHECKSUM"), format!("{}  {name}", sha256(b"another file")));
    let run = run_on(folder.0.path(), Some(&store));
    assert_eq!(run.input.symbols.len(), symbols.len() - 1);
    let reason = run.input.files[0].rejected.as_ref().map(ToString::to_string).unwrap_or_default();
    assert!(reason.starts_with("expected SHA-256"), "{reason}");
}

#[cfg(feature = "columnar")]
mod columns {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray,
    };
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
    use parquet::arrow::ArrowWriter;
    pub(super) use parquet::basic::Compression as Pack;
    use parquet::basic::{GzipLevel, ZstdLevel};
    use parquet::file::properties::WriterProperties;
    use retune::ingest::IngestError;

    use super::*;

    /// The columns of freqtrade, with times as in `date`.
    fn batch(candles: &[Candle], date: ArrayRef) -> RecordBatch {
        let column = |value: fn(&Candle) -> f64| -> ArrayRef {
            Arc::new(candles.iter().map(value).collect::<Float64Array>())
        };
        RecordBatch::try_from_iter([
            ("date", date),
            ("open", column(|c| c.open)),
            ("high", column(|c| c.high)),
            ("low", column(|c| c.low)),
            ("close", column(|c| c.close)),
            ("volume", column(|c| c.volume)),
        ])
        .expect("columns of one length")
    }

    fn times(candles: &[Candle]) -> Vec<i64> {
        candles.iter().map(|candle| candle.open_time).collect()
    }

    fn in_ms(candles: &[Candle]) -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from(times(candles)).with_timezone("UTC"))
    }

    fn ipc(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
        let options = IpcWriteOptions::default().try_with_compression(compression).expect("compiled in");
        let mut bytes = Vec::new();
        let schema = batches[0].schema();
        let mut writer =
            FileWriter::try_new_with_options(&mut bytes, &schema, options).expect("a file begins");
        batches.iter().for_each(|batch| writer.write(batch).expect("memory takes all"));
        writer.finish().expect("the file ends");
        drop(writer);
        bytes
    }

    /// As freqtrade writes it, in batches of 100.
    pub(super) fn feather(candles: &[Candle], compression: Option<CompressionType>) -> Vec<u8> {
        let batches: Vec<RecordBatch> =
            candles.chunks(100).map(|candles| batch(candles, in_ms(candles))).collect();
        ipc(&batches, compression)
    }

    /// In row groups of 1,000.
    pub(super) fn parquet(candles: &[Candle], compression: Pack) -> Vec<u8> {
        parquet_of(&batch(candles, in_ms(candles)), compression)
    }

    fn parquet_of(batch: &RecordBatch, compression: Pack) -> Vec<u8> {
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_max_row_group_row_count(Some(1_000))
            .build();
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a file begins");
        writer.write(batch).expect("memory takes all");
        writer.close().expect("the file ends");
        bytes
    }

    const LZ4: Option<CompressionType> = Some(CompressionType::LZ4_FRAME);
    const ZSTD: Option<CompressionType> = Some(CompressionType::ZSTD);

    #[test]
    fn candles_in_columns_come_out_whatever_packs_them() {
        let all = candles(2_500);
        let zstd = Pack::ZSTD(ZstdLevel::default());
        let files = [
            ("BTC_USDT-15m.feather", feather(&all, LZ4)),
            ("BTC_USDT_USDT-15m-futures.feather", feather(&all, ZSTD)),
            ("BTC_USDT-15m.arrow", feather(&all, None)),
            ("BTCUSDT-15m", feather(&all, LZ4)),
            ("BTCUSDT-15m.csv", feather(&all, LZ4)),
            ("BTC_USDT-15m.feather.gz", gzip(&feather(&all, None))),
            ("BTCUSDT-15m.parquet", parquet(&all, Pack::SNAPPY)),
            ("BTCUSDT/15m/2025.parquet", parquet(&all, zstd)),
            ("BTCUSDT-15m-a.parquet", parquet(&all, Pack::LZ4_RAW)),
            ("BTCUSDT-15m-b.parquet", parquet(&all, Pack::GZIP(GzipLevel::default()))),
            ("BTCUSDT-15m-c.parquet", parquet(&all, Pack::UNCOMPRESSED)),
            ("BTCUSDT.zip", zip_of(&[("15m.parquet", &parquet(&all, zstd))])),
        ];
        for (name, bytes) in files {
            let folder = Folder::new();
            folder.put(name, &bytes);
            let loaded = folder.load_one();
            assert_eq!(rejected(&loaded), "", "{name}");
            assert_eq!((loaded.symbol.as_str(), series(&loaded) == all), ("BTCUSDT", true), "{name}");
            let file = &loaded.files[0];
            assert_eq!(
                (file.rows, file.issues.len(), file.time_units[0].as_str()),
                (2_500, 0, "ms"),
                "{name}"
            );
        }
    }

    #[test]
    fn times_and_numbers_of_any_type_are_read() {
        let all = candles(30);
        let scaled = |scale: i64| times(&all).iter().map(|time| time * scale).collect::<Vec<_>>();
        let iso: Vec<String> = times(&all).iter().map(|time| retune::model::rfc3339(*time)).collect();
        let dates: [(&str, ArrayRef); 6] = [
            ("us", Arc::new(TimestampMicrosecondArray::from(scaled(1_000)).with_timezone("UTC"))),
            ("ns", Arc::new(TimestampNanosecondArray::from(scaled(1_000_000)))),
            ("ms", Arc::new(Int64Array::from(scaled(1)))),
            ("ns", Arc::new(Int64Array::from(scaled(1_000_000)))),
            ("ms", Arc::new(times(&all).iter().map(|time| *time as f64).collect::<Float64Array>())),
            ("text", Arc::new(StringArray::from(iso))),
        ];
        for (unit, date) in dates {
            let batch = batch(&all, date);
            for (name, bytes) in [
                ("BTCUSDT-15m.feather", ipc(std::slice::from_ref(&batch), LZ4)),
                ("BTCUSDT-15m.parquet", parquet_of(&batch, Pack::SNAPPY)),
            ] {
                let folder = Folder::new();
                folder.put(name, bytes);
                let loaded = folder.load_one();
                assert_eq!((rejected(&loaded).as_str(), series(&loaded) == all), ("", true), "{name} {unit}");
                assert_eq!(loaded.files[0].time_units[0].as_str(), unit, "{name}");
            }
        }
    }

    #[test]
    fn rows_that_are_no_candles_are_left_out_and_other_columns_named() {
        let all = candles(30);
        let mut holes: Vec<Option<f64>> = all.iter().map(|candle| Some(candle.open)).collect();
        holes[7] = None;
        holes[9] = Some(f64::NAN);
        let mut columns = batch(&all, in_ms(&all)).columns().to_vec();
        columns[1] = Arc::new(Float64Array::from(holes));
        let damaged = RecordBatch::try_new(
            batch(&all, in_ms(&all))
                .schema()
                .project(&[0, 1, 2, 3, 4, 5])
                .map(|schema| {
                    let fields: Vec<_> = schema
                        .fields()
                        .iter()
                        .map(|field| field.as_ref().clone().with_nullable(true))
                        .collect();
                    Arc::new(arrow_schema::Schema::new(fields))
                })
                .expect("a schema"),
            columns,
        )
        .expect("columns fit");
        let other = RecordBatch::try_from_iter([("date", in_ms(&all)), ("fundingRate", in_ms(&all))])
            .expect("columns");
        let text: ArrayRef = Arc::new(arrow_array::BooleanArray::from(vec![true; 30]));
        let mut wrong = batch(&all, in_ms(&all)).columns().to_vec();
        wrong[2] = text;
        let names = ["date", "open", "high", "low", "close", "volume"];
        let wrong = RecordBatch::try_from_iter(names.into_iter().zip(wrong)).expect("columns");
        for (name, bytes) in [
            (
                "BTCUSDT-15m.feather",
                [&damaged, &other, &wrong].map(|batch| ipc(std::slice::from_ref(batch), LZ4)),
            ),
            ("BTCUSDT-15m.parquet", [&damaged, &other, &wrong].map(|batch| parquet_of(batch, Pack::SNAPPY))),
        ] {
            let loaded = bytes.map(|bytes| {
                let folder = Folder::new();
                folder.put(name, bytes);
                folder.load_one()
            });
            let noted: Vec<_> = loaded[0].files[0].issues.iter().map(|issue| issue.lines.clone()).collect();
            assert_eq!(noted[..2], [vec![8], vec![10]], "{name}: {:?}", loaded[0].files[0]);
            assert_eq!(loaded[0].files[0].candles, 28);
            let reason = rejected(&loaded[1]);
            assert!(
                reason.contains("no column for open, high, low, close in the table: date, fundingRate;"),
                "{name}: {reason}"
            );
            let reason = rejected(&loaded[2]);
            assert!(
                reason.starts_with("expected numbers in the column `high`, found Boolean"),
                "{name}: {reason}"
            );
        }
    }

    /// Returns what became of bytes under a name: the candles, or none with a reason or a conflict of rows.
    fn survive(name: &str, bytes: &[u8], what: &str) -> Vec<Candle> {
        let folder = Folder::new();
        folder.put(name, bytes);
        let catalog = discover(&[folder.0.path().to_owned()], &options()).expect("the folder is readable");
        let Some(sources) = catalog.symbols.first() else {
            assert_eq!(catalog.passed_over.len(), 1, "{what}");
            return Vec::new();
        };
        let loaded = match load_symbol(sources, &options()) {
            Ok(loaded) => loaded,
            Err(error) => {
                assert!(matches!(error, IngestError::Conflict(_)), "{what}: {error}");
                return Vec::new();
            }
        };
        let found = series(&loaded);
        assert!(found.is_empty() || loaded.files[0].rejected.is_none(), "{what}: {:?}", loaded.files[0]);
        found
    }

    #[test]
    fn damaged_bytes_give_an_error_or_candles_and_never_a_panic() {
        let all = candles(300);
        let zstd = Pack::ZSTD(ZstdLevel::default());
        let files = [
            ("BTCUSDT-15m.feather", feather(&all, LZ4)),
            ("BTCUSDT-15m.feather", feather(&all, ZSTD)),
            ("BTCUSDT-15m.feather", feather(&all, None)),
            ("BTCUSDT-15m.parquet", parquet(&all, Pack::SNAPPY)),
            ("BTCUSDT-15m.parquet", parquet(&all, zstd)),
            ("BTCUSDT-15m.parquet", parquet(&all, Pack::UNCOMPRESSED)),
            ("BTCUSDT-15m.json", json(&all).into_bytes()),
        ];
        for (name, bytes) in &files {
            assert_eq!(survive(name, bytes, "whole"), all);
            for cut in (0..bytes.len()).step_by(bytes.len() / 60).chain(bytes.len() - 12..bytes.len()) {
                assert_eq!(
                    survive(name, &bytes[..cut], &format!("{name} cut at {cut}")),
                    [],
                    "{name} cut at {cut}"
                );
            }
            // Lengths and offsets stand at both ends; of the middle every so many bytes are tried.
            let (ends, step) = (600.min(bytes.len() / 3), bytes.len() / 120);
            let places = (0..ends).step_by(3).chain((bytes.len() - ends..bytes.len()).step_by(2));
            for place in places.chain((ends..bytes.len() - ends).step_by(step)) {
                for flip in [0x01, 0xFF] {
                    let mut other = bytes.clone();
                    other[place] ^= flip;
                    let found = survive(name, &other, &format!("{name} byte {place} ^ {flip}"));
                    assert!(found.iter().all(|candle| candle.check().is_ok()));
                }
            }
        }
    }
}

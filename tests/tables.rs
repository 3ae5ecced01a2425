//! Tables that do not say it all in their name: of several symbols, with categories, decimals and text for numbers. Each
//! gives what the same rows as CSV give.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Int8Type};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float16Array, Float64Array, Int64Array,
    LargeStringArray, ListArray, NullArray, RecordBatch, StringArray, StringViewArray, StructArray,
    TimestampMillisecondArray, UInt32Array,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use parquet::arrow::ArrowWriter;
use retune::ingest::{IngestOptions, LoadedSymbol, discover, load_symbol};
use retune::model::{Candle, Interval};

use crate::command::{optimizer, text};
use crate::packing::gzip;

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;
const STEP: i64 = 15 * 60_000;
const NOW_MS: i64 = 1_798_761_600_000;

/// A number of half precision.
type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// A row of a table: whose it is, and its candle.
type Row = (&'static str, Candle);

fn candle(index: i64, price: f64) -> Candle {
    let price = price + (index % 7) as f64;
    Candle {
        open_time: START + index * STEP,
        open: price,
        high: price + 2.5,
        low: price - 1.25,
        close: price + 0.5,
        volume: 10.0 + index as f64,
    }
}

/// Rows of two symbols, in turn.
fn mixed(count: i64) -> Vec<Row> {
    (0..count)
        .flat_map(|index| [("AAAUSDT", candle(index, 100.0)), ("BBBUSDT", candle(index, 5.0))])
        .collect()
}

fn of(rows: &[Row], symbol: &str) -> Vec<Candle> {
    rows.iter().filter(|(name, _)| *name == symbol).map(|(_, candle)| *candle).collect()
}

fn csv(rows: &[Row]) -> Vec<u8> {
    let line = |(symbol, candle): &Row| {
        let Candle { open_time, open, high, low, close, volume } = candle;
        format!("{open_time},{symbol},{open},{high},{low},{close},{volume}\n")
    };
    let rows: String = rows.iter().map(line).collect();
    format!("timestamp,symbol,open,high,low,close,volume\n{rows}").into_bytes()
}

fn numbers(rows: &[Row], value: fn(&Candle) -> f64) -> Float64Array {
    rows.iter().map(|(_, candle)| value(candle)).collect()
}

fn times(rows: &[Row]) -> ArrayRef {
    let times: Vec<i64> = rows.iter().map(|(_, candle)| candle.open_time).collect();
    Arc::new(TimestampMillisecondArray::from(times).with_timezone("UTC"))
}

fn names(rows: &[Row]) -> impl Iterator<Item = &str> {
    rows.iter().map(|(symbol, _)| *symbol)
}

fn categories(rows: &[Row]) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int8Type>::new();
    names(rows).for_each(|symbol| builder.append_value(symbol));
    Arc::new(builder.finish())
}

fn table(rows: &[Row], more: &[(&str, ArrayRef)]) -> RecordBatch {
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("date", times(rows)),
        ("open", Arc::new(numbers(rows, |c| c.open))),
        ("high", Arc::new(numbers(rows, |c| c.high))),
        ("low", Arc::new(numbers(rows, |c| c.low))),
        ("close", Arc::new(numbers(rows, |c| c.close))),
        ("volume", Arc::new(numbers(rows, |c| c.volume))),
    ];
    for (name, column) in more {
        match columns.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = column.clone(),
            None => columns.push((name, column.clone())),
        }
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .expect("columns of one length")
}

fn feather(batch: &RecordBatch) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
    let options = options.expect("compiled in");
    let mut bytes = Vec::new();
    let mut writer = FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).expect("begins");
    writer.write(batch).expect("memory takes all");
    writer.finish().expect("the file ends");
    drop(writer);
    bytes
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a file begins");
    writer.write(batch).expect("memory takes all");
    writer.close().expect("the file ends");
    bytes
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder for the test"));
        folder.put(name, content);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(&path, content).expect("the file is written");
        path
    }

    fn load(&self) -> Vec<LoadedSymbol> {
        let options = IngestOptions::new(Interval::M15, NOW_MS);
        let catalog = discover(&[self.path().to_owned()], &options).expect("the folder is readable");
        let load = |sources| load_symbol(sources, &options).expect("the files agree");
        catalog.symbols.iter().map(load).collect()
    }

    /// What `check data` prints, without the folder's own name, and its exit code.
    fn check(&self) -> (String, Option<i32>) {
        let output = optimizer().args(["check", "data"]).arg(self.path()).output().expect("starts");
        let printed = text(&output.stdout) + &text(&output.stderr);
        (printed.replace(&self.path().display().to_string(), "."), output.status.code())
    }
}

fn series(loaded: &LoadedSymbol) -> Vec<Candle> {
    let bars = loaded.series.bars();
    (0..bars.len()).map(|index| bars.get(index)).collect()
}

/// Symbol column as text of every kind, and as categories.
fn symbol_columns(rows: &[Row]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("text", Arc::new(names(rows).map(Some).collect::<StringArray>())),
        ("long text", Arc::new(names(rows).map(Some).collect::<LargeStringArray>())),
        ("views", Arc::new(names(rows).map(Some).collect::<StringViewArray>())),
        ("bytes", Arc::new(names(rows).map(|name| Some(name.as_bytes())).collect::<BinaryArray>())),
        ("categories", categories(rows)),
    ]
}

#[test]
fn a_table_of_several_symbols_gives_each_of_them_whatever_the_format() {
    let rows = mixed(60);
    let mut files = vec![("text".to_owned(), "all.csv", csv(&rows))];
    for (kind, column) in symbol_columns(&rows) {
        let batch = table(&rows, &[("symbol", column)]);
        files.push((format!("feather, {kind}"), "all.feather", feather(&batch)));
        files.push((format!("parquet, {kind}"), "candles.parquet", parquet(&batch)));
    }
    for (what, name, bytes) in files {
        let loaded = Folder::with(name, bytes).load();
        let found: Vec<&str> = loaded.iter().map(|symbol| symbol.symbol.as_str()).collect();
        assert_eq!(found, ["AAAUSDT", "BBBUSDT"], "{what}");
        for symbol in &loaded {
            assert_eq!(series(symbol), of(&rows, symbol.symbol.as_str()), "{what}");
            assert_eq!((symbol.files[0].rows, symbol.files[0].issues.as_slice()), (60, &[][..]), "{what}");
        }
    }
}

#[test]
fn a_named_table_leaves_other_symbols_out_whatever_the_format() {
    let mut rows = mixed(60);
    // Fewer of the other, so that the name is not a lie.
    rows.remove(1);
    let mut files = vec![("text".to_owned(), "AAAUSDT-15m.csv", csv(&rows))];
    for (kind, column) in symbol_columns(&rows) {
        let batch = table(&rows, &[("symbol", column)]);
        files.push((format!("feather, {kind}"), "AAAUSDT-15m.feather", feather(&batch)));
        files.push((format!("parquet, {kind}"), "AAAUSDT-15m.parquet", parquet(&batch)));
    }
    for (what, name, bytes) in files {
        let loaded = Folder::with(name, bytes).load();
        let kinds: Vec<_> = loaded[0].files[0].issues.iter().map(|i| (i.kind.as_str(), i.count)).collect();
        assert_eq!(kinds, [("other_symbol", 59)], "{what}");
        assert_eq!(series(&loaded[0]), of(&rows, "AAAUSDT"), "{what}");
    }
}

#[test]
fn rows_of_nobody_and_other_symbols_damage_stay_where_they_belong() {
    let rows = mixed(60);
    let whole = String::from_utf8(csv(&rows)).expect("text");
    let damaged = whole.replacen(",BBBUSDT,", ",BBBUSDT,x", 1).replacen("AAAUSDT,100,", ",100,", 1);
    let loaded = Folder::with("all.csv", damaged).load();
    let bad = |loaded: &LoadedSymbol| -> Vec<_> {
        loaded.files[0].issues.iter().filter(|i| i.kind.as_str() == "bad_row").cloned().collect()
    };
    let (first, second) = (bad(&loaded[0]), bad(&loaded[1]));
    assert_eq!((first[0].count, first[0].lines.as_slice()), (1, &[2][..]), "{first:?}");
    assert_eq!(first[0].cause.to_string(), "symbol: expected the symbol of the row, found \"\"");
    assert_eq!((second[0].count, second[0].lines.as_slice()), (2, &[2, 3][..]), "{second:?}");
}

#[test]
fn a_run_takes_the_symbols_that_are_asked_for_out_of_a_table() {
    let folder = Folder::with("all.csv.gz", gzip(&csv(&mixed(60))));
    folder.put("notes.txt", "nothing\nof\ninterest\n");
    let (printed, code) = folder.check();
    assert!(printed.contains("./all.csv.gz: AAAUSDT 15m, 60 rows, 60 candles"), "{printed}");
    assert!(printed.contains("./all.csv.gz: BBBUSDT 15m, 60 rows, 60 candles"), "{printed}");
    assert!(printed.contains("notes.txt: skipped: no symbol in the name; rename"), "{printed}");
    assert_eq!(code, Some(0), "{printed}");
    let data = folder.path().display().to_string();
    let asked = ["check", "data", "--set", "data.symbols=[\"BBBUSDT\"]", &data];
    let output = optimizer().args(asked).output().expect("starts");
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(printed.contains("BBBUSDT: 60 candles") && !printed.contains("AAAUSDT"), "{printed}");
}

#[test]
fn a_table_of_too_many_symbols_is_refused_before_each_of_them_reads_it() {
    let rows: String = (0..1_200).map(|index| format!("{START},S{index}USDT,1,2,1,2,9\n")).collect();
    let folder = Folder::with("all.csv", format!("timestamp,symbol,open,high,low,close,volume\n{rows}"));
    let (printed, code) = folder.check();
    assert!(printed.contains("expected at most 1000 symbols in a table, found more"), "{printed}");
    assert_eq!(code, Some(4));
}

#[test]
fn numbers_of_any_type_are_read_as_their_text() {
    let rows: Vec<Row> = mixed(60).into_iter().filter(|(symbol, _)| *symbol == "AAAUSDT").collect();
    let of_text = |value: fn(&Candle) -> f64| rows.iter().map(move |(_, candle)| value(candle).to_string());
    let hundredths =
        |value: fn(&Candle) -> f64| rows.iter().map(move |(_, candle)| Some((value(candle) * 100.0) as i128));
    let decimals: ArrayRef = Arc::new(
        hundredths(|c| c.open)
            .collect::<Decimal128Array>()
            .with_precision_and_scale(18, 2)
            .expect("they fit"),
    );
    let mut prices = StringDictionaryBuilder::<Int8Type>::new();
    of_text(|c| c.open).for_each(|price| prices.append_value(price));
    let opens: Vec<(&str, ArrayRef)> = vec![
        ("decimal", decimals.clone()),
        ("text", Arc::new(of_text(|c| c.open).map(Some).collect::<StringArray>())),
        ("long text", Arc::new(of_text(|c| c.open).map(Some).collect::<LargeStringArray>())),
        ("categories", Arc::new(prices.finish())),
        ("half", Arc::new(Float16Array::from_iter_values(rows.iter().map(|(_, c)| Half::from_f64(c.open))))),
        ("unsigned", Arc::new(rows.iter().map(|(_, c)| Some(c.open as u32)).collect::<UInt32Array>())),
    ];
    for (kind, open) in opens {
        let batch = table(&rows, &[("open", open)]);
        for (name, bytes) in
            [("AAAUSDT-15m.feather", feather(&batch)), ("AAAUSDT-15m.parquet", parquet(&batch))]
        {
            let loaded = Folder::with(name, bytes).load();
            assert_eq!(loaded[0].files[0].rejected, None, "{kind} in {name}");
            assert_eq!(series(&loaded[0]), of(&rows, "AAAUSDT"), "{kind} in {name}");
        }
    }
}

#[test]
fn columns_that_are_no_numbers_are_refused_by_name() {
    let rows: Vec<Row> = mixed(5).into_iter().filter(|(symbol, _)| *symbol == "AAAUSDT").collect();
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>(
        rows.iter().map(|_| Some(vec![Some(1_i64); 3])),
    ));
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![1_i64; rows.len()]));
    let nested = StructArray::try_from(vec![("x", inner)]).expect("a struct");
    let columns: Vec<ArrayRef> =
        vec![list, Arc::new(nested), Arc::new(BooleanArray::from(vec![true; rows.len()]))];
    for column in columns {
        for place in ["open", "volume", "date", "symbol"] {
            if place == "symbol" && *column.data_type() == arrow_schema::DataType::Boolean {
                continue;
            }
            let batch = table(&rows, &[(place, column.clone())]);
            for (name, bytes) in
                [("AAAUSDT-15m.feather", feather(&batch)), ("AAAUSDT-15m.parquet", parquet(&batch))]
            {
                let loaded = Folder::with(name, bytes).load();
                let file = &loaded[0].files[0];
                let said = file.rejected.as_ref().map(ToString::to_string).unwrap_or_default();
                let by_name = said.contains(&format!("in the column `{place}`, found"));
                assert!(by_name || said.contains("rows that cannot be used"), "{name} {place}: {file:?}");
            }
        }
    }
}

#[test]
fn a_column_without_any_value_says_nothing() {
    let rows: Vec<Row> = mixed(5).into_iter().filter(|(symbol, _)| *symbol == "AAAUSDT").collect();
    let nothing: ArrayRef = Arc::new(NullArray::new(rows.len()));
    let batch = table(&rows, &[("symbol", nothing)]);
    let loaded = Folder::with("AAAUSDT-15m.feather", feather(&batch)).load();
    assert_eq!(series(&loaded[0]), of(&rows, "AAAUSDT"));
    assert!(Folder::with("all.feather", feather(&batch)).load().is_empty());
}

/// Rows of one symbol.
fn alone(count: i64) -> Vec<Row> {
    mixed(count).into_iter().filter(|(symbol, _)| *symbol == "AAAUSDT").collect()
}

/// The same table in both formats.
fn both(batch: &RecordBatch) -> [(&'static str, Vec<u8>); 2] {
    [("AAAUSDT-15m.feather", feather(batch)), ("AAAUSDT-15m.parquet", parquet(batch))]
}

fn issues(loaded: &LoadedSymbol) -> Vec<(&'static str, u64)> {
    loaded.files[0].issues.iter().map(|issue| (issue.kind.as_str(), issue.count)).collect()
}

#[test]
fn flags_of_any_type_mark_candles_that_were_not_finished() {
    let rows = alone(60);
    let is_last = |index: usize| index == rows.len() - 1;
    let flags = || (0..rows.len()).map(|index| !is_last(index));
    let words = || flags().map(|closed| if closed { "1" } else { "0" });
    let mut categories = StringDictionaryBuilder::<Int8Type>::new();
    flags().for_each(|closed| categories.append_value(if closed { "true" } else { "false" }));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("is_closed", Arc::new(flags().map(Some).collect::<BooleanArray>())),
        ("confirm", Arc::new(words().map(Some).collect::<StringArray>())),
        ("closed", Arc::new(flags().map(|closed| Some(i64::from(closed))).collect::<Int64Array>())),
        ("closed", Arc::new(categories.finish())),
    ];
    for (name, column) in columns {
        for (file, bytes) in both(&table(&rows, &[(name, column)])) {
            let loaded = Folder::with(file, bytes).load();
            assert_eq!(issues(&loaded[0]), [("unfinished", 1)], "{name} in {file}");
            assert_eq!(series(&loaded[0]), of(&rows[..rows.len() - 1], "AAAUSDT"), "{name} in {file}");
        }
    }
}

#[test]
fn two_exchanges_are_no_series_in_any_format() {
    let rows = alone(60);
    let exchange = |index: usize| if index % 7 == 3 { "okx" } else { "binance" };
    let exchanges = || (0..rows.len()).map(exchange);
    let mut known = StringDictionaryBuilder::<Int8Type>::new();
    exchanges().for_each(|name| known.append_value(name));
    let text: ArrayRef = Arc::new(exchanges().map(Some).collect::<StringArray>());
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for column in [text, Arc::new(known.finish())] {
        files.extend(both(&table(&rows, &[("exchange", column)])));
    }
    let lines = String::from_utf8(csv(&rows)).expect("text");
    let lines = lines.lines().enumerate().map(|(line, text)| match line.checked_sub(1) {
        None => format!("{text},exchange\n"),
        Some(row) => format!("{text},{}\n", exchange(row)),
    });
    files.push(("AAAUSDT-15m.csv", lines.collect::<String>().into_bytes()));
    for (file, bytes) in files {
        let (printed, code) = Folder::with(file, bytes).check();
        assert!(printed.contains("binance") && printed.contains("okx"), "{file}: {printed}");
        assert_eq!(code, Some(4), "{file}: {printed}");
    }
}

#[test]
fn a_volume_that_is_not_there_drops_no_candle() {
    let rows = alone(60);
    let volume = |index: usize, candle: &Candle| Some(candle.volume).filter(|_| !index.is_multiple_of(3));
    let volumes = || rows.iter().enumerate().map(|(index, (_, candle))| volume(index, candle));
    let text = || volumes().map(|volume| volume.map_or(String::new(), |volume| volume.to_string()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(volumes().collect::<Float64Array>()),
        Arc::new(volumes().map(|volume| volume.unwrap_or(f64::NAN)).map(Some).collect::<Float64Array>()),
        Arc::new(text().map(Some).collect::<StringArray>()),
    ];
    for column in columns {
        for (file, bytes) in both(&table(&rows, &[("volume", column)])) {
            let loaded = Folder::with(file, bytes).load();
            assert_eq!(issues(&loaded[0])[0], ("unknown_volume", 20), "{file}: {:?}", loaded[0].files[0]);
            assert_eq!(series(&loaded[0]).len(), 60, "{file}");
        }
    }
    // A price that is not there is no candle.
    let opens: ArrayRef = Arc::new(
        rows.iter().map(|(_, c)| Some(c.open).filter(|_| c.volume != 15.0)).collect::<Float64Array>(),
    );
    for (file, bytes) in both(&table(&rows, &[("open", opens)])) {
        let loaded = Folder::with(file, bytes).load();
        assert_eq!((issues(&loaded[0])[0], series(&loaded[0]).len()), (("bad_row", 1), 59), "{file}");
    }
}

#[test]
fn days_beside_times_of_day_and_close_times_give_the_open_times() {
    let rows = alone(200);
    let instants = || rows.iter().map(|(_, candle)| candle.open_time);
    let days: ArrayRef = Arc::new(
        instants().map(|time| (time / 86_400_000) as i32).map(Some).collect::<arrow_array::Date32Array>(),
    );
    let clock: ArrayRef = Arc::new(
        instants()
            .map(|time| time % 86_400_000 * 1_000)
            .map(Some)
            .collect::<arrow_array::Time64MicrosecondArray>(),
    );
    let plain = table(&rows, &[("time", clock), ("date", days)]);
    let closes: ArrayRef = Arc::new(instants().map(|time| Some(time + STEP - 1)).collect::<Int64Array>());
    let late = table(&rows, &[("date", closes)]);
    let fields: Vec<_> = late
        .schema()
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "date" => field.as_ref().clone().with_name("close_time"),
            _ => field.as_ref().clone(),
        })
        .collect();
    let late = RecordBatch::try_new(Arc::new(arrow_schema::Schema::new(fields)), late.columns().to_vec());
    for batch in [plain, late.expect("the same columns")] {
        for (file, bytes) in both(&batch) {
            let loaded = Folder::with(file, bytes).load();
            assert_eq!(loaded[0].files[0].rejected, None, "{file}");
            assert_eq!(series(&loaded[0]), of(&rows, "AAAUSDT"), "{file}");
        }
    }
}

#[test]
fn instants_without_a_zone_are_of_the_zone_that_is_stated() {
    let rows = alone(20);
    let nine_hours = 9 * 3_600_000;
    let shown = rows.iter().map(|(_, candle)| candle.open_time + nine_hours).collect::<Vec<_>>();
    let local: ArrayRef = Arc::new(TimestampMillisecondArray::from(shown));
    for (date, first) in [(local, "2025-01-01T00:00:00Z"), (times(&rows), "2025-01-01T00:00:00Z")] {
        for (file, bytes) in both(&table(&rows, &[("date", date.clone())])) {
            let folder = Folder::with(file, bytes);
            let zone = ["check", "data", "--set", "data.timezone=\"Asia/Seoul\""];
            let output = optimizer().args(zone).arg(folder.path()).output().expect("starts");
            let printed = text(&output.stdout) + &text(&output.stderr);
            assert!(printed.contains(&format!("20 candles, {first}")), "{file}: {printed}");
        }
    }
}

//! Hostile bytes for the readers of foreign files.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::ReadingOptions;
use super::collector::{Collector, Parsed};
use super::format::{self, RowContext};
use super::signals::SignalsFile;
use super::{
    IngestOptions, checksum, discover, load_symbol, name, number, parse_legacy_config,
    parse_legacy_opportunities, parse_legacy_trades, read_legacy_config, time,
};
use crate::fuzz::{Scratch, TEXT_BYTES_MAX, Target};
use crate::model::{Candle, Direction, Interval, Symbol, rfc3339};

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;

const WORDS: &[&str] = &[
    "open_time,open,high,low,close,volume\n",
    "time,coin,",
    "snapshot_date",
    "close_time",
    "symbol",
    "BTCUSDT",
    "BTC",
    "1735689600",
    "1735689600000000",
    "2025-01-01 00:00:00",
    "2025-01-01T00:00:00+02:00",
    "2100-01-01",
    "0930",
    "#",
    "],[",
    "[[",
    "]]",
    "null",
    "\"1\"",
    ",,",
    ";",
    "\t",
    "\r\n",
];

/// Everything that reads foreign files.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "csv", run: candles, seeds: csv_seeds, words: WORDS, executions: 3000 },
    Target { name: "json", run: candles, seeds: json_seeds, words: WORDS, executions: 3000 },
    Target { name: "snapshots", run: candles, seeds: snapshot_seeds, words: WORDS, executions: 2000 },
    #[cfg(feature = "columnar")]
    Target { name: "feather", run: candles, seeds: columnar::feather, words: &[], executions: 2000 },
    #[cfg(feature = "columnar")]
    Target { name: "parquet", run: candles, seeds: columnar::parquet, words: &[], executions: 2000 },
    Target { name: "gzip", run: gzip, seeds: gzip_seeds, words: &[], executions: 600 },
    Target {
        name: "zip",
        run: zip,
        seeds: zip_seeds,
        words: &["PK\x01\x02", "PK\x03\x04", "PK\x05\x06"],
        executions: 600,
    },
    Target { name: "names", run: names, seeds: name_seeds, words: NAME_WORDS, executions: 5000 },
    Target {
        name: "checksums",
        run: checksums,
        seeds: checksum_seeds,
        words: &["  ", "*", "a.zip"],
        executions: 3000,
    },
    Target {
        name: "cells",
        run: cells,
        seeds: cell_seeds,
        words: &["T", "Z", "+00:00", "AM", ":", "e", "."],
        executions: 20_000,
    },
    Target { name: "signals", run: signals, seeds: signals_seeds, words: SIGNAL_WORDS, executions: 3000 },
    Target {
        name: "opportunities",
        run: opportunities,
        seeds: opportunity_seeds,
        words: LEGACY_WORDS,
        executions: 1500,
    },
    Target {
        name: "trades_csv",
        run: trades_csv,
        seeds: trades_csv_seeds,
        words: TRADE_WORDS,
        executions: 3000,
    },
    Target {
        name: "trades_json",
        run: trades_json,
        seeds: trades_json_seeds,
        words: TRADE_WORDS,
        executions: 3000,
    },
    Target {
        name: "legacy_config",
        run: legacy_config,
        seeds: config_seeds,
        words: LEGACY_WORDS,
        executions: 1500,
    },
];

fn bitcoin() -> Symbol {
    Symbol::parse("BTCUSDT").expect("a symbol")
}

fn some(count: i64) -> Vec<Candle> {
    let candle = |index: i64| {
        let price = 100.0 + index as f64;
        let open_time = START + index * Interval::M15.ms();
        Candle {
            open_time,
            open: price,
            high: price + 2.5,
            low: price - 1.25,
            close: price + 0.5,
            volume: 10.0,
        }
    };
    (0..count).map(candle).collect()
}

fn row(candle: &Candle) -> String {
    let Candle { open_time, open, high, low, close, volume } = candle;
    format!("{open_time},{open},{high},{low},{close},{volume}")
}

fn csv(candles: &[Candle]) -> String {
    let rows: Vec<String> = candles.iter().map(row).collect();
    format!("open_time,open,high,low,close,volume\n{}\n", rows.join("\n"))
}

fn json(candles: &[Candle]) -> String {
    let rows: Vec<String> = candles.iter().map(|candle| format!("[{}]", row(candle))).collect();
    format!("[{}]", rows.join(","))
}

fn parsed(bytes: &[u8]) -> Parsed {
    let (mut stream, symbol) = (bytes, bitcoin());
    let frame = RowContext { day_ms: Some(START), ..RowContext::default() };
    let parsed = format::parse_stream(&mut stream, u64::MAX, Collector::new(&symbol, 0), &frame);
    parsed.expect("a slice does not fail")
}

/// What is taken for candles can be, adds up, and is the same once written as CSV.
fn candles(bytes: &[u8]) -> String {
    let found = parsed(bytes);
    for issue in &found.issues {
        assert!(
            issue.cause.to_string().len() < TEXT_BYTES_MAX,
            "a detail of {} bytes",
            issue.cause.to_string().len()
        );
    }
    assert_eq!(found.bytes, bytes.len() as u64, "every byte was read");
    assert!(found.rows.len() as u64 + found.rows_bad <= found.rows_seen, "rows add up");
    let candles: Vec<Candle> = found.rows.iter().map(|row| row.candle).collect();
    for candle in &candles {
        candle.check().expect("only what can be");
        assert!((time::TIME_MIN_MS..time::TIME_MAX_MS).contains(&candle.open_time), "{}", candle.open_time);
    }
    if let Some(rejection) = &found.rejected {
        return rejection.to_string();
    }
    if !candles.is_empty() {
        let again = parsed(csv(&candles).as_bytes());
        let again: Vec<Candle> = again.rows.iter().map(|row| row.candle).collect();
        assert_eq!(again, candles, "the same when written and read");
    }
    let kinds: Vec<&str> = found.issues.iter().map(|issue| issue.kind.as_str()).collect();
    format!("ok {kinds:?}")
}

fn csv_seeds() -> Vec<Vec<u8>> {
    let binance = |candle: &Candle| {
        let close = candle.open_time + Interval::M15.ms() - 1;
        format!("{},{close},100,5,10,10,0\n", row(candle))
    };
    let titled = "https://example.org\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount\n\
                  1735689600,2025-01-01 00:00:00,BTC/USDT,10,12,9,11,5,50,7\n\
                  1735690500,2025-01-01 00:15:00,BTC/USDT,11,12,9,11,5,50,7\n";
    let dates = "date;open;high;low;close;volume\r\n2025-01-01 00:00:00+00:00;10;12;9;11;5\r\n";
    let mut seeds =
        vec![csv(&some(8)), some(8).iter().map(binance).collect(), titled.to_owned(), dates.to_owned()];
    seeds.push(format!("\u{feff}{}", csv(&some(3)).replace('\n', "\r\n")));
    seeds.into_iter().map(String::into_bytes).collect()
}

fn json_seeds() -> Vec<Vec<u8>> {
    let kline = |candle: &Candle| {
        let Candle { open_time, open, high, low, close, volume } = candle;
        let (end, turnover) = (open_time + 899_999, volume * close);
        format!(
            "[{open_time},\"{open}\",\"{high}\",\"{low}\",\"{close}\",\"{volume}\",{end},\"{turnover}\",3,\"1\",\"2\",\"0\"]"
        )
    };
    let texts = format!("[{}]", some(30).iter().map(kline).collect::<Vec<_>>().join(","));
    vec![json(&some(8)).into_bytes(), texts.into_bytes()]
}

fn snapshot_seeds() -> Vec<Vec<u8>> {
    let short =
        "time,coin,open,high,low,close,volume\n0,BTC,10,12,9,11,5\n15,BTC,11,12,9,11,5\n0030,ETH,1,2,1,2,5\n";
    let dated = "snapshot_date,time,coin,open,high,low,close\n20250101,09:30,BTCUSDT,10,12,9,11\n";
    let live = format!("0930,BTC,10,12,9,11,5{}\n", ",a".repeat(84));
    vec![short.into(), dated.into(), format!("{short}{live}").into_bytes(), live.into_bytes()]
}

#[cfg(feature = "columnar")]
mod columnar {
    use std::sync::Arc;

    use arrow_array::types::{Int8Type, Int64Type};
    use arrow_array::{
        ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, LargeStringArray, ListArray,
        RecordBatch, StringViewArray, TimestampMillisecondArray,
    };
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use super::{Candle, some};

    fn batch() -> RecordBatch {
        let candles = some(20);
        let column = |value: fn(&Candle) -> f64| -> ArrayRef {
            Arc::new(candles.iter().map(value).collect::<Float64Array>())
        };
        let times: Vec<i64> = candles.iter().map(|candle| candle.open_time).collect();
        let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(times));
        RecordBatch::try_from_iter([
            ("date", times),
            ("open", column(|c| c.open)),
            ("high", column(|c| c.high)),
            ("low", column(|c| c.low)),
            ("close", column(|c| c.close)),
            ("volume", column(|c| c.volume)),
        ])
        .expect("columns of one length")
    }

    /// The same candles in columns of other types, among columns that are nested or not read.
    fn odd() -> RecordBatch {
        let candles = some(20);
        let text =
            |value: fn(&Candle) -> f64| candles.iter().map(move |candle| Some(value(candle).to_string()));
        let hundredths = candles.iter().map(|candle| Some((candle.open * 100.0) as i128));
        let opens =
            hundredths.collect::<Decimal128Array>().with_precision_and_scale(20, 2).expect("they fit");
        let symbols: DictionaryArray<Int8Type> = candles.iter().map(|_| Some("BTCUSDT")).collect();
        let lists =
            ListArray::from_iter_primitive::<Int64Type, _, _>(candles.iter().map(|_| Some(vec![Some(1); 3])));
        let plain = batch();
        let columns: [(&str, ArrayRef); 9] = [
            ("date", plain.column(0).clone()),
            ("open", Arc::new(opens)),
            ("high", Arc::new(text(|c| c.high).collect::<LargeStringArray>())),
            ("low", Arc::new(text(|c| c.low).collect::<StringViewArray>())),
            ("close", plain.column(4).clone()),
            ("volume", plain.column(5).clone()),
            ("symbol", Arc::new(symbols)),
            ("closed", Arc::new(BooleanArray::from(vec![true; candles.len()]))),
            ("trades", Arc::new(lists)),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    pub(super) fn feather() -> Vec<Vec<u8>> {
        let packed = |(compression, batch): (Option<CompressionType>, RecordBatch)| {
            let options = IpcWriteOptions::default().try_with_compression(compression).expect("compiled in");
            let mut bytes = Vec::new();
            let mut writer =
                FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).expect("begun");
            writer.write(&batch).and_then(|()| writer.finish()).expect("memory takes all");
            drop(writer);
            bytes
        };
        let (lz4, zstd) = (Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD));
        [(None, batch()), (lz4, batch()), (zstd, batch()), (None, odd()), (lz4, odd())].map(packed).to_vec()
    }

    pub(super) fn parquet() -> Vec<Vec<u8>> {
        let packed = |(compression, batch): (Compression, RecordBatch)| {
            let properties = WriterProperties::builder().set_compression(compression).build();
            let mut bytes = Vec::new();
            let mut writer =
                ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("begun");
            writer.write(&batch).expect("memory takes all");
            writer.close().expect("memory takes all");
            bytes
        };
        let zstd = Compression::ZSTD(ZstdLevel::default());
        let plain = [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::LZ4_RAW, zstd];
        let plain = plain.map(|compression| (compression, batch()));
        let odd = [Compression::UNCOMPRESSED, Compression::SNAPPY].map(|compression| (compression, odd()));
        plain.into_iter().chain(odd).map(packed).collect()
    }
}

/// Reads a file as a run does; every text about it is short and a second reading gives the same.
fn file(name: &str, bytes: &[u8]) -> String {
    let folder = Scratch::with(name, bytes);
    let options = IngestOptions::new(Interval::M15, i64::MAX);
    let read = || {
        let catalog = discover(&[folder.path().to_owned()], &options).expect("the folder is readable");
        let mut said: Vec<String> = catalog.passed_over.iter().map(|file| file.reason.to_string()).collect();
        for sources in &catalog.symbols {
            match load_symbol(sources, &options) {
                Ok(loaded) => {
                    let reasons = loaded.files.iter().filter_map(|file| file.rejected.as_ref());
                    said.extend(reasons.map(ToString::to_string));
                    said.extend((!loaded.series.is_empty()).then(|| "ok".to_owned()));
                }
                Err(error) => said.push(error.to_string()),
            }
        }
        said
    };
    let said = read();
    assert_eq!(read(), said, "the same bytes say the same");
    said.into_iter().max_by_key(String::len).unwrap_or_else(|| "nothing".to_owned())
}

fn gzip(bytes: &[u8]) -> String {
    file("BTCUSDT-15m.csv.gz", bytes)
}

fn zip(bytes: &[u8]) -> String {
    file("BTCUSDT-15m.zip", bytes)
}

fn gzip_seeds() -> Vec<Vec<u8>> {
    let packed = |text: String| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    };
    vec![packed(csv(&some(30))), packed(json(&some(30)))]
}

fn zip_seeds() -> Vec<Vec<u8>> {
    let packed = |method: zip::CompressionMethod| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        for name in ["BTCUSDT-15m.csv", "data/BTCUSDT/15m/a.csv"] {
            writer.start_file(name, options).expect("a member begins");
            writer.write_all(csv(&some(30)).as_bytes()).expect("memory takes all");
        }
        writer.finish().expect("the archive ends").into_inner()
    };
    [zip::CompressionMethod::Deflated, zip::CompressionMethod::Stored].map(packed).to_vec()
}

const NAME_WORDS: &[&str] = &[
    "BTCUSDT", "BTC", "USDT", "_", "-", "15m", "1h", "15", "/", "\\", "..", "funding", "mark", ".csv", ".gz",
    ".zip", "20250101", "2025-01", "PERP", "1000SHIB",
];

fn name_seeds() -> Vec<Vec<u8>> {
    let names =
        ["BTCUSDT-15m-2025-01.csv", "data/BTCUSDT/15m/2025.csv.gz", "BTC_USDT_USDT-1h-futures.feather"];
    names.map(|name| name.as_bytes().to_vec()).to_vec()
}

/// What a name claims reads as itself.
fn names(bytes: &[u8]) -> String {
    // Longer than any name of a file.
    let bytes = &bytes[..bytes.len().min(8 << 10)];
    let path = Path::new(OsStr::from_bytes(bytes));
    let entry = String::from_utf8_lossy(bytes);
    let mut claims = 0;
    for claim in [name::claim(path, None), name::claim(Path::new("a.zip"), Some(&entry))] {
        if let Some(symbol) = &claim.symbol {
            assert_eq!(Symbol::parse(symbol.as_str()).as_ref(), Some(symbol), "a symbol is one");
            claims += 1;
        }
        if let Some(interval) = claim.interval {
            assert_eq!(interval.to_string().parse(), Ok(interval), "an interval is one");
            claims += 2;
        }
    }
    let day = name::day_ms(path, Some(&entry));
    assert!(day.is_none_or(|ms| ms % crate::model::DAY_MS == 0), "a day begins at midnight");
    format!("ok {claims:b} {} {:.20}", day.is_some(), format!("{:?}", format::format_by_name(&entry)))
}

fn checksum_seeds() -> Vec<Vec<u8>> {
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    vec![format!("{hex}  a.zip\n").into_bytes(), format!("{hex} *a.zip\r\n").into_bytes(), hex.into()]
}

fn checksums(bytes: &[u8]) -> String {
    let digest = checksum::digest_of(&String::from_utf8_lossy(bytes), "a.zip");
    let Some(digest) = digest else { return "none".to_owned() };
    let again = checksum::digest_of(&format!("{}  a.zip", checksum::hex(&digest)), "a.zip");
    assert_eq!(again, Some(digest), "a digest reads as itself");
    "ok".to_owned()
}

fn cell_seeds() -> Vec<Vec<u8>> {
    let cells =
        ["1735689600000", "2025-01-01 00:15:00.123+02:00", "2025-01-01", "2021-06-10 12-AM", "12.5", "1e-3"];
    cells.map(|cell| cell.as_bytes().to_vec()).to_vec()
}

/// Times are within their range and print as they parse; numbers are those of the standard library.
fn cells(bytes: &[u8]) -> String {
    let time = time::parse_time(bytes);
    if let Ok((ms, _)) = time {
        assert!((time::TIME_MIN_MS..time::TIME_MAX_MS).contains(&ms), "{ms}");
        let text = rfc3339(ms);
        assert_eq!(
            time::parse_time(text.as_bytes()).map(|(ms, _)| ms),
            Ok(ms.div_euclid(1000) * 1000),
            "{text}"
        );
    }
    let (own, plain) = (
        number::parse_number(bytes),
        std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<f64>().ok()),
    );
    assert_eq!(own.map(f64::to_bits), plain.map(f64::to_bits), "rounded as the standard library does");
    format!("ok {:?} {:?}", time.map(|(_, unit)| unit), own.map(f64::classify))
}

const SIGNAL_WORDS: &[&str] = &[
    "symbol,time,direction\n",
    "style",
    "atr",
    "open_time",
    "long",
    "short",
    "buy",
    "-1",
    "scalping",
    "swing",
    "nan",
    "BTC/USDT:USDT",
    "2025-01-01T00:15:00Z",
    ",",
    ";",
    "\n",
];

fn signals_seeds() -> Vec<Vec<u8>> {
    let plain = "symbol,time,direction,style,atr,score\nBTCUSDT,2025-01-01T00:15:00Z,long,swing,1.5,0.7\n\
                 BTC/USDT:USDT,2025-01-01T01:15:00Z,sell,,nan,\nETHUSDT,1735690500,1,scalping,,-3\n";
    let open = "pair;open_time;side;a;b\nBTCUSDT;2025-01-01 00:00;buy;1;x\n";
    vec![plain.into(), open.into()]
}

fn signals(bytes: &[u8]) -> String {
    let read = |bytes: &[u8]| {
        SignalsFile::parse(bytes, Path::new("signals.csv"), Interval::M15, &ReadingOptions::default(), None)
    };
    let found = match read(bytes) {
        Ok(found) => found,
        Err(error) => return error.to_string(),
    };
    let mut text = "symbol,time,direction,style,atr\n".to_owned();
    for (symbol, given) in &found.symbols {
        for signal in given.signals() {
            let side = if signal.direction == Direction::Long { "long" } else { "short" };
            let style = signal.style.map_or("", |style| style.as_str());
            let atr = signal.atr.map_or_else(String::new, |atr| atr.to_string());
            text += &format!("{symbol},{},{side},{style},{atr}\n", signal.time_ms);
        }
    }
    assert!(
        found.issues.iter().all(|issue| issue.cause.to_string().len() < TEXT_BYTES_MAX),
        "details are short"
    );
    if !found.symbols.is_empty() {
        let again = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        for (symbol, given) in &found.symbols {
            assert_eq!(again.symbols[symbol].signals(), given.signals(), "the same when written and read");
        }
    }
    format!("ok {} {}", found.columns.len() % 3, found.issues.len())
}

const LEGACY_WORDS: &[&str] = &[
    "NaN",
    "Infinity",
    "-Infinity",
    "null",
    "true",
    "\"scalping\":",
    "\"opportunities\":",
    "\"signal_score\":",
    "\"coin\":",
    "\"future_data\":",
    "\"scalping_params\":",
    "\"atr_tp_multiplier\":",
    "[",
    "]",
    "{",
    "}",
    ",",
    "1e400",
];

fn opportunity_seeds() -> Vec<Vec<u8>> {
    let one = r#"{"coin": "BTC", "timestamp": "2025-11-01 05:15:00", "direction": "short", "signal_type": "swing",
                  "signal_score": 70, "entry_price": 1.5, "atr": NaN, "objective_profit": 1.0, "volume_surge": [],
                  "future_data": {"max_high": 2, "min_low": 1, "final_close": Infinity, "data_points": 96}}"#;
    let by_style =
        format!(r#"{{"scalping": [{one}], "swing": {{"opportunities": [{one}]}}, "note": {{"a": [1]}}}}"#);
    vec![format!("[{one},{one}]").into_bytes(), by_style.into_bytes()]
}

fn opportunities(bytes: &[u8]) -> String {
    match parse_legacy_opportunities(bytes, Path::new("o.json")) {
        Ok(records) => {
            assert!(records.iter().all(|record| record.signal_score.is_finite()), "a score is a number");
            assert!(records.len() <= bytes.len(), "no more records than bytes");
            format!("ok {}", if records.is_empty() { "none" } else { "some" })
        }
        Err(error) => error.to_string(),
    }
}

const TRADE_WORDS: &[&str] = &[
    "币种",
    "方向",
    "多",
    "空",
    "coin",
    "direction",
    "opened_at",
    "closed_at",
    "profit",
    "exit_reason",
    "BTC/USDT:USDT",
    "2025-01-01 00:15:00",
    "\"",
    ",",
    "\n",
    "nan",
    "long",
    "[{",
    "}]",
    "null",
];

fn trades_csv_seeds() -> Vec<Vec<u8>> {
    let plain = "coin,direction,opened_at,closed_at,profit,exit_price,signal_score,consensus,exit_reason\n\
                 BTC,long,2025-01-01 00:15:00,2025-01-01 02:15:00,1.5,100,70,3,\"a, \"\"b\"\"\nc\"\n\
                 ETH/USDT:USDT,short,2025-01-01 00:15:00,,,,,,\n";
    vec![plain.into(), include_bytes!("../fixtures/trades_history.csv").to_vec()]
}

fn trades_json_seeds() -> Vec<Vec<u8>> {
    let list = r#"[{"coin": "BTC", "direction": "buy", "opened_at": "2025-01-01 00:15:00", "closed_at": null,
                    "profit": -1.5, "exit_reason": "x"}]"#;
    vec![list.into()]
}

fn trades_csv(bytes: &[u8]) -> String {
    trades(bytes, "trades.csv")
}

fn trades_json(bytes: &[u8]) -> String {
    trades(bytes, "trades.json")
}

/// Trades are the same once written as CSV.
fn trades(bytes: &[u8], name: &str) -> String {
    let found = match parse_legacy_trades(bytes, Path::new(name), 0) {
        Ok(found) => found,
        Err(error) => return error.to_string(),
    };
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let instant = |ms: Option<i64>| ms.map_or_else(String::new, |ms| ms.to_string());
    let mut text =
        "coin,direction,opened_at,closed_at,profit,exit_price,signal_score,consensus,exit_reason\n"
            .to_owned();
    for trade in &found {
        let side = if trade.direction == Direction::Long { "long" } else { "short" };
        // Closed at a time that could not be read is closed.
        let closed = if trade.profit.is_some() {
            trade.closed_at_ms.map_or("?".to_owned(), |ms| ms.to_string())
        } else {
            String::new()
        };
        let reason = trade.exit_reason.replace('"', "\"\"");
        let (score, consensus) = (number(trade.signal_score), number(trade.consensus));
        let (opened, profit, price) =
            (instant(trade.opened_at_ms), number(trade.profit), number(trade.exit_price));
        text += &format!(
            "{},{side},{opened},{closed},{profit},{price},{score},{consensus},\"{reason}\"\n",
            trade.coin
        );
    }
    let again = parse_legacy_trades(text.as_bytes(), Path::new("again.csv"), 0);
    let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(again, found, "the same when written and read");
    format!("ok {}", if found.is_empty() { "none" } else { "some" })
}

fn config_seeds() -> Vec<Vec<u8>> {
    vec![include_bytes!("../fixtures/learning_config.json").to_vec()]
}

fn legacy_config(bytes: &[u8]) -> String {
    let folder = Scratch::with("learning_config.json", bytes);
    match read_legacy_config(&folder.path().join("learning_config.json")) {
        Ok(read) => {
            let again = parse_legacy_config(read.json.as_bytes(), Path::new("again.json"));
            let again = again.expect("what was written is JSON");
            assert_eq!(again.document, read.document, "the same when written and read");
            assert_eq!((again.exact, again.bare_words), (read.exact, Vec::new()));
            "ok".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

//! How files become columns, as a user meets it: each kind of file that was once misread in silence, made small, gives the
//! right candles or a refusal that names the file, the cause and the way out.

use std::fs;
use std::path::{Path, PathBuf};

use retune::ingest::{
    IngestOptions, LoadedSymbol, OnBadRows, ReadingOptions, StatedColumns, discover, load_symbol,
};
use retune::model::{Candle, Interval};

use crate::command::{optimizer, text};

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;
const STEP: i64 = 15 * 60_000;
const NOW_MS: i64 = 1_798_761_600_000;

/// Candles that begin where the ones before them ended.
fn candles(count: i64) -> Vec<Candle> {
    let mut price = 60_000.0;
    let candle = |index: i64| {
        let open = price;
        price += ((index * 37) % 41 - 20) as f64 * 2.5;
        Candle {
            open_time: START + index * STEP,
            open,
            high: open.max(price) + (index % 5) as f64,
            low: open.min(price) - (index % 3) as f64,
            close: price,
            volume: 10.25 + (index % 7) as f64,
        }
    };
    (0..count).map(candle).collect()
}

/// Rows of cells, each written from a candle.
fn rows(candles: &[Candle], cells: impl Fn(&Candle) -> Vec<String>) -> String {
    candles.iter().map(|candle| cells(candle).join(",") + "\n").collect()
}

fn plain(candle: &Candle) -> Vec<String> {
    let Candle { open_time, open, high, low, close, volume } = candle;
    [&open.to_string(), &high.to_string(), &low.to_string(), &close.to_string(), &volume.to_string()]
        .into_iter()
        .fold(vec![open_time.to_string()], |mut row, cell| {
            row.push(cell.clone());
            row
        })
}

const HEADER: &str = "open_time,open,high,low,close,volume\n";

fn written(open_time: i64, form: &str) -> String {
    let time =
        jiff::Timestamp::from_millisecond(open_time).expect("a time").to_zoned(jiff::tz::TimeZone::UTC);
    time.strftime(form).to_string()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn of(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder for the test"));
        folder.put(name, content);
        folder
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("the file is written");
        path
    }

    fn load(&self, reading: ReadingOptions) -> LoadedSymbol {
        let options = IngestOptions { reading, ..IngestOptions::new(Interval::M15, NOW_MS) };
        let catalog = discover(&[self.0.path().to_owned()], &options).expect("the folder is readable");
        load_symbol(&catalog.symbols[0], &options).expect("the files agree")
    }

    /// Returns the candles, and what was noted of the file.
    fn read(&self) -> (Vec<Candle>, String) {
        self.read_by(ReadingOptions::default())
    }

    fn read_by(&self, reading: ReadingOptions) -> (Vec<Candle>, String) {
        let loaded = self.load(reading);
        let bars = loaded.series.bars();
        let noted: Vec<String> = loaded.files[0]
            .issues
            .iter()
            .map(|issue| format!("{} {}", issue.kind.as_str(), issue.count))
            .collect();
        let rejected = loaded.files[0].rejected.as_ref().map(ToString::to_string);
        ((0..bars.len()).map(|index| bars.get(index)).collect(), rejected.unwrap_or(noted.join(", ")))
    }
}

/// Returns exit code and all that is said of a path by a command.
fn said(arguments: &[&str], path: &Path) -> (Option<i32>, String) {
    let output = optimizer().args(arguments).arg(path).output().expect("the program can be started");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn headers_of_several_lines_and_languages_give_the_candles_they_name() {
    let all = candles(60);
    let yahoo = |c: &Candle| {
        let time = written(c.open_time, "%Y-%m-%d %H:%M:%S+00:00");
        vec![
            time,
            c.close.to_string(),
            c.high.to_string(),
            c.low.to_string(),
            c.open.to_string(),
            c.volume.to_string(),
        ]
    };
    let head =
        "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\nDatetime,,,,,\n";
    let meta = |c: &Candle| {
        let mut row = vec![written(c.open_time, "%Y.%m.%d"), written(c.open_time, "%H:%M:%S")];
        row.extend(plain(c).drain(1..));
        row
    };
    let closes = |c: &Candle| {
        let mut row = plain(c);
        row[0] = (c.open_time + STEP - 1).to_string();
        row
    };
    let again = format!("{head}{}{head}{}", rows(&all[..30], yahoo), rows(&all[30..], yahoo));
    for (file, noted) in [
        (format!("{head}{}", rows(&all, yahoo)), ""),
        (again, "comment 3"),
        (
            format!("<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>\n{}", rows(&all, meta))
                .replace("TICKVOL", "VOL"),
            "",
        ),
        (format!("日期,时间,开盘,最高,最低,收盘,成交量\n{}", rows(&all, meta)), ""),
        (format!("close_time,open,high,low,close,volume\n{}", rows(&all, closes)), "from_close_time 1"),
        (format!("timestamp_close,open,high,low,close,volume\n{}", rows(&all, closes)), "from_close_time 1"),
    ] {
        let (read, said) = Folder::of("BTCUSD-15m.csv", &file).read();
        assert_eq!((read == all, said.as_str()), (true, noted), "{}", &file[..80]);
    }
}

#[test]
fn a_header_that_is_not_understood_refuses_the_file() {
    let all = candles(60);
    let folder =
        Folder::of("BTCUSDT-15m.csv", format!("when,first,top,bottom,last,sum\n{}", rows(&all, plain)));
    let (code, text) = said(&["check", "data"], folder.0.path());
    assert_eq!(code, Some(4), "{text}");
    for wanted in
        ["no column for the time (open_time), open, high, low, close", "when, first, top", "[data] columns"]
    {
        assert!(text.contains(wanted), "{text}");
    }
    let stated = r#"data.columns=["time","open","high","low","close","volume"]"#;
    let (code, text) = said(&["check", "data", "--set", stated], folder.0.path());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("60 rows, 60 candles"), "{text}");
    let (code, text) =
        said(&["check", "data", "--set", r#"data.columns=["time","open","close"]"#], folder.0.path());
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("no column for high, low"), "{text}");
    let words = ["time", "open", "high", "low", "close", "what"].map(str::to_owned);
    assert!(StatedColumns::parse(&words).is_err());
}

#[test]
fn rows_without_a_header_show_their_columns_or_are_refused() {
    let all = candles(400);
    let turnover = |c: &Candle| {
        let mut row = plain(c);
        row.push((c.volume * (c.open + c.close) / 2.0).to_string());
        row
    };
    let order = |order: [usize; 6]| move |c: &Candle| order.map(|place| plain(c)[place].clone()).to_vec();
    let reversed: Vec<Candle> = all.iter().rev().copied().collect();
    for (file, noted) in [
        (rows(&all, plain), ""),
        (rows(&all, turnover), ""),
        (rows(&reversed, turnover), "out_of_order 399"),
        (rows(&all, order([0, 3, 2, 1, 4, 5])), "column_order 1"),
        (rows(&all, order([0, 1, 4, 2, 3, 5])), "column_order 1"),
        (rows(&reversed, order([0, 3, 2, 4, 1, 5])), "column_order 1, out_of_order 399"),
    ] {
        let (read, said) = Folder::of("BTCUSDT-15m.csv", &file).read();
        assert_eq!((read == all, said.as_str()), (true, noted), "{}", &file[..80]);
    }
    let flat: Vec<Candle> =
        all.iter().map(|c| Candle { high: c.open, low: c.open, close: c.open, ..*c }).collect();
    for file in [rows(&flat, plain), rows(&all[..2], plain)] {
        let (read, said) = Folder::of("BTCUSDT-15m.csv", &file).read();
        assert_eq!(read, []);
        assert!(said.contains("do not show what they hold") && said.contains("[data] columns"), "{said}");
    }
    let words = ["open_time", "open", "high", "low", "close", "volume"].map(str::to_owned);
    let columns = Some(StatedColumns::parse(&words).expect("sound"));
    let stated = ReadingOptions { columns, ..ReadingOptions::default() };
    assert_eq!(Folder::of("BTCUSDT-15m.csv", rows(&flat, plain)).read_by(stated), (flat, String::new()));
}

#[test]
fn times_are_read_as_spreadsheets_and_local_clocks_write_them() {
    let all = candles(400);
    let at = |form: &'static str, ahead_ms: i64| {
        let cells = move |c: &Candle| {
            let mut row = plain(c);
            row[0] = written(c.open_time + ahead_ms, form);
            row
        };
        format!("{HEADER}{}", rows(&candles(400), cells))
    };
    let many = candles(2_000);
    let slashes = |form: &'static str| {
        let cells = move |c: &Candle| {
            let mut row = plain(c);
            row[0] = written(c.open_time, form);
            row
        };
        format!("{HEADER}{}", rows(&candles(2_000), cells))
    };
    for form in ["%Y-%m-%d %-H:%M", "%Y/%-m/%-d %-H:%M", "%d.%m.%Y %-H:%M:%S", "%Y%m%d %H%M%S"] {
        assert_eq!(Folder::of("BTCUSDT-15m.csv", at(form, 0)).read(), (all.clone(), String::new()), "{form}");
    }
    for form in ["%-m/%-d/%Y %-H:%M", "%-d/%-m/%Y %-H:%M"] {
        assert_eq!(
            Folder::of("BTCUSDT-15m.csv", slashes(form)).read(),
            (many.clone(), String::new()),
            "{form}"
        );
        let (read, said) = Folder::of("BTCUSDT-15m.csv", at(form, 0)).read();
        assert!(read.is_empty() && said.contains("dates that can be read in one way"), "{said}");
    }
    let timezone = Some(jiff::tz::TimeZone::get("Asia/Shanghai").expect("bundled"));
    let shanghai = ReadingOptions { timezone, ..ReadingOptions::default() };
    let local = Folder::of("BTCUSDT-15m.csv", at("%Y-%m-%d %H:%M:%S", 8 * 3_600_000));
    assert_eq!(local.read_by(shanghai), (all, String::new()));
    let (code, text) = said(&["check", "data", "--set", "data.timezone=\"Asia/Nowhere\""], local.0.path());
    assert!(code == Some(3) && text.contains("data.timezone"), "{text}");
}

#[test]
fn volumes_under_other_names_are_found_and_none_loses_no_candle() {
    let all = candles(120);
    let compare = |c: &Candle| {
        let [time, open, high, low, close, volume] = plain(c).try_into().expect("six");
        vec![
            (time.parse::<i64>().expect("ms") / 1_000).to_string(),
            high,
            low,
            open,
            volume,
            (c.volume * c.open).to_string(),
            close,
        ]
    };
    let file = format!("time,high,low,open,volumefrom,volumeto,close\n{}", rows(&all, compare));
    assert_eq!(Folder::of("BTCUSDT-15m.csv", file).read(), (all.clone(), String::new()));
    let kaggle = |c: &Candle| {
        let mut row = plain(c);
        if c.open_time / STEP % 4 == 0 {
            row[1..].fill("NaN".to_owned());
        }
        row.push("NaN".to_owned());
        row
    };
    let file =
        format!("Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency)\n{}", rows(&all, kaggle));
    let (read, said) = Folder::of("BTCUSD-15m.csv", file).read();
    assert_eq!((read.len(), said.as_str()), (90, "no_candle 30, gap 29"));
    let silent = |c: &Candle| {
        let mut row = plain(c);
        if c.open_time / STEP % 3 == 0 {
            row[5].clear();
        }
        row
    };
    let (read, said) = Folder::of("BTCUSDT-15m.csv", format!("{HEADER}{}", rows(&all, silent))).read();
    assert_eq!((read.len(), said.as_str()), (120, "unknown_volume 40"));
}

#[test]
fn the_last_candle_written_twice_counts_as_it_was_written_last() {
    let all = candles(120);
    let early = Candle { high: all[50].open, low: all[50].open, close: all[50].open, volume: 1.0, ..all[50] };
    let mut twice = all.clone();
    twice.insert(50, early);
    let folder = Folder::of("BTCUSDT-15m.csv", format!("{HEADER}{}", rows(&twice, plain)));
    assert_eq!(folder.read(), (all.clone(), "finished_later 1".to_owned()));
    let (code, text) = said(&["check", "data"], folder.0.path());
    assert!(code == Some(0) && text.contains("finished_later (first at line 53)"), "{text}");
    // In the other order, or with less volume, it is a contradiction.
    twice.swap(50, 51);
    folder.put("BTCUSDT-15m.csv", format!("{HEADER}{}", rows(&twice, plain)));
    assert_eq!(said(&["check", "data"], folder.0.path()).0, Some(4));
}

#[test]
fn more_than_a_few_bad_rows_refuse_the_file_unless_told_otherwise() {
    let mut all = candles(400);
    let file = |bad: usize| {
        let mut lines: Vec<String> = rows(&candles(400), plain).lines().map(str::to_owned).collect();
        (0..bad).for_each(|index| lines[index * 7 + 3] = format!("{},x,1,1,1,1", START + index as i64));
        format!("{HEADER}{}\n", lines.join("\n"))
    };
    let few = Folder::of("BTCUSDT-15m.csv", file(4));
    assert_eq!(few.read().1, "bad_row 4, gap 4");
    let many = Folder::of("BTCUSDT-15m.csv", file(5));
    let (code, text) = said(&["check", "data"], many.0.path());
    assert_eq!(code, Some(4), "{text}");
    let wanted = "expected at most 4 of 400 rows that cannot be used (1 %, or 3 of a short file), found 5; the first: line 5: open: \
                  expected a number, found \"x\"";
    assert!(text.contains(wanted) && text.contains("--on-bad-rows skip"), "{text}");
    let (code, text) = said(&["check", "data", "--on-bad-rows", "skip"], many.0.path());
    assert!(code == Some(0) && text.contains("395 candles"), "{text}");
    let skip = ReadingOptions { on_bad_rows: OnBadRows::Skip, ..ReadingOptions::default() };
    all.retain(|candle| !(0..5).any(|index| candle.open_time == START + (index * 7 + 3) * STEP));
    assert_eq!(many.read_by(skip).0, all);
}

#[test]
fn json_as_interfaces_give_it_is_read_and_two_lists_are_not() {
    let all = candles(60);
    let arrays: Vec<String> = all.iter().map(|c| format!("[\"{}\"]", plain(c).join("\",\""))).collect();
    let records: Vec<String> = all
        .iter()
        .map(|c| {
            let [time, open, high, low, close, volume] = plain(c).try_into().expect("six");
            format!(r#"{{"close":{close},"startTime":{time},"high":"{high}","low":{low},"open":{open},"baseVolume":{volume}}}"#)
        })
        .collect();
    for content in [
        format!(r#"{{"code":"0","msg":"","data":[{}]}}"#, arrays.join(",")),
        format!(r#"{{"retCode":0,"result":{{"symbol":"BTCUSDT","list":[{}]}}}}"#, arrays.join(",")),
        format!("[{}]", records.join(",\n")),
        records.join("\n") + "\n",
        arrays.join("\n"),
    ] {
        assert_eq!(
            Folder::of("BTCUSDT-15m.json", &content).read(),
            (all.clone(), String::new()),
            "{}",
            &content[..60]
        );
    }
    let lines = Folder::of("BTCUSDT-15m.jsonl", records.join("\n"));
    assert_eq!(lines.read().0, all);
    let two = format!(r#"{{"spot":[{0}],"swap":[{0}]}}"#, arrays.join(","));
    let (code, text) = said(&["check", "data"], Folder::of("BTCUSDT-15m.json", two).0.path());
    assert!(code == Some(4) && text.contains("two lists of rows"), "{text}");
}

#[test]
fn files_that_are_called_csv_are_named_for_what_they_are() {
    let workbook = {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for member in ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"] {
            writer.start_file(member, zip::write::SimpleFileOptions::default()).expect("a member begins");
        }
        writer.finish().expect("the archive ends").into_inner()
    };
    for (content, wanted) in [
        (workbook, "Excel workbook; open it and save the sheet as CSV"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest".to_vec(), "Excel workbook; open it"),
        (b"%PDF-1.7 rest".to_vec(), "PDF; download"),
        (b"SQLite format 3\0rest".to_vec(), "SQLite database; export"),
        (b"\x89HDF\r\n\x1a\nrest".to_vec(), "HDF5; write it"),
    ] {
        let folder = Folder::of("BTCUSDT-15m.csv", &content);
        let (code, text) = said(&["check", "data"], folder.0.path());
        assert!(code == Some(4) && text.contains(wanted) && text.matches("skipped").count() == 1, "{text}");
        let (_, text) = said(&["check", "data", "--signals"], &folder.0.path().join("BTCUSDT-15m.csv"));
        assert!(text.contains(wanted.split(';').next().expect("a word")), "{text}");
    }
}

#[test]
fn two_exchanges_in_one_series_are_refused_and_rounded_candles_are_one() {
    let all = candles(60);
    let of = |exchange: &'static str| {
        move |c: &Candle| [vec![exchange.to_owned(), "BTCUSDT".to_owned()], plain(c)].concat()
    };
    let head = "exchange,symbol,open_time,open,high,low,close,volume\n";
    let mixed = format!("{head}{}{}", rows(&all[..30], of("binance")), rows(&all[30..], of("okx")));
    let (read, said) = Folder::of("BTCUSDT-15m.csv", mixed).read();
    assert!(read.is_empty() && said.contains("found \"binance\" and, in line 32, \"okx\""), "{said}");
    let one = Folder::of("BTCUSDT-15m.csv", format!("{head}{}", rows(&all, of("binance"))));
    assert_eq!(one.read(), (all.clone(), String::new()));
    let rounded: Vec<Candle> = all.iter().map(|c| Candle { volume: c.volume.round(), ..*c }).collect();
    one.put("BTCUSDT-15m-b.csv", format!("{HEADER}{}", rows(&rounded, plain)));
    let loaded = one.load(ReadingOptions::default());
    assert_eq!(loaded.series.bars().len(), 60);
}

#[test]
fn signals_know_the_same_clocks_and_the_close_of_their_candle() {
    let signals = |head: &str, time: &str| {
        let folder = Folder::of("signals.csv", format!("symbol,{head},direction,x\nBTCUSDT,{time},long,1\n"));
        let mut command = optimizer();
        command.args(["check", "data", "--json", "--set", "data.timezone=\"Asia/Shanghai\"", "--signals"]);
        let output = command.arg(folder.0.path().join("signals.csv")).output().expect("it can be started");
        text(&output.stdout) + &text(&output.stderr)
    };
    // The day in Shanghai begins at 16:00 of the day before.
    assert!(signals("time", "2025-01-02 7:59").contains("2025-01-01"));
    assert!(signals("close_time", "2025-01-02T07:59:59.999").contains("2025-01-02"));
    assert!(signals("time", "1/2/2025 0:00").contains("expected a time between"));
    let both = signals("time,close_time", "2025-01-02 7:45,2025-01-02 8:00");
    assert!(both.contains("more than one of them"), "{both}");
}

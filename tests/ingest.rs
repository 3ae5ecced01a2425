//! Foreign files, made here with every quirk met in the wild, and the real ones where they are present.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use retune::ingest::{
    Catalog, FileReport, IngestError, IngestOptions, IssueKind, LoadedSymbol, OnConflict, Rejection,
    SymbolSources, discover, growth, identical_files, load_symbol, survey,
};
use retune::model::{Candle, Interval, Symbol};
use tempfile::TempDir;

use crate::packing::{gzip, zip_of};

/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;
const MINUTE: i64 = 60_000;
const HEADER: &str = "open_time,open,high,low,close,volume\n";

/// A folder that is removed at the end of its test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for the test"))
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

    fn catalog(&self, options: &IngestOptions) -> Catalog {
        discover(&[self.path().to_owned()], options).expect("the folder is readable")
    }

    fn load(&self, options: &IngestOptions) -> Vec<LoadedSymbol> {
        load_all(&self.catalog(options), options)
    }

    /// Loads the one symbol there is.
    fn load_one(&self) -> LoadedSymbol {
        let mut loaded = self.load(&options());
        assert_eq!(loaded.len(), 1, "one symbol");
        loaded.remove(0)
    }

    fn load_error(&self) -> IngestError {
        let catalog = self.catalog(&options());
        load_symbol(&catalog.symbols[0], &options()).expect_err("the files contradict each other")
    }

    fn passed_over(&self) -> Vec<(String, String)> {
        let name = |path: &Path| path.strip_prefix(self.path()).unwrap_or(path).display().to_string();
        let all = self.catalog(&options()).passed_over;
        all.into_iter()
            .map(|file| (file.entry.clone().unwrap_or_else(|| name(&file.path)), file.reason.to_string()))
            .collect()
    }
}

fn load_all(catalog: &Catalog, options: &IngestOptions) -> Vec<LoadedSymbol> {
    let load = |sources| load_symbol(sources, options).expect("the files agree");
    catalog.symbols.iter().map(load).collect()
}

fn options() -> IngestOptions {
    IngestOptions::new(Interval::M15, START + 400 * 24 * 60 * MINUTE)
}

fn candle(index: i64, minutes: i64) -> Candle {
    let price = 100.0 + (index % 7) as f64;
    Candle {
        open_time: START + index * minutes * MINUTE,
        open: price,
        high: price + 2.5,
        low: price - 1.25,
        close: price + 0.5,
        volume: 10.0 + index as f64,
    }
}

fn candles(count: i64, minutes: i64) -> Vec<Candle> {
    (0..count).map(|index| candle(index, minutes)).collect()
}

fn row(candle: &Candle) -> String {
    let Candle { open_time, open, high, low, close, volume } = candle;
    format!("{open_time},{open},{high},{low},{close},{volume}\n")
}

/// A row as Binance writes it, with times in units of `1 / scale` milliseconds.
fn binance_row(candle: &Candle, minutes: i64, scale: i64) -> String {
    let close_time = (candle.open_time + minutes * MINUTE) * scale - 1;
    let row = row(&Candle { open_time: candle.open_time * scale, ..*candle });
    format!("{},{close_time},1234.5,17,5.5,600.25,0\n", row.trim_end())
}

fn csv(candles: &[Candle]) -> String {
    HEADER.chars().chain(candles.iter().map(row).collect::<String>().chars()).collect()
}

fn binance(candles: &[Candle], minutes: i64) -> String {
    candles.iter().map(|candle| binance_row(candle, minutes, 1)).collect()
}

/// Candles as freqtrade writes them.
fn json(candles: &[Candle]) -> String {
    let row = |candle: &Candle| format!("[{}]", row(candle).trim_end());
    format!("[{}]", candles.iter().map(row).collect::<Vec<_>>().join(","))
}

fn series(loaded: &LoadedSymbol) -> Vec<Candle> {
    let bars = loaded.series.bars();
    (0..bars.len()).map(|index| bars.get(index)).collect()
}

fn issues(loaded: &LoadedSymbol, file: usize) -> Vec<(IssueKind, u64, Vec<u64>)> {
    loaded.files[file].issues.iter().map(|issue| (issue.kind, issue.count, issue.lines.clone())).collect()
}

#[test]
fn the_same_candles_come_out_of_every_format() {
    let wanted = candles(40, 15);
    let plain = csv(&wanted);
    let klines = binance(&wanted, 15);
    let micro: String = wanted.iter().map(|candle| binance_row(candle, 15, 1_000)).collect();
    let nano: String = wanted.iter().map(|candle| binance_row(candle, 15, 1_000_000)).collect();
    let descending: String =
        HEADER.chars().chain(wanted.iter().rev().map(row).collect::<String>().chars()).collect();
    let files: [(&str, Vec<u8>); 16] = [
        ("BTCUSDT-15m.csv", plain.clone().into()),
        ("BTCUSDT-15m-2025-01.csv", klines.clone().into()),
        ("Binance_BTCUSDT_15m.csv", micro.into()),
        ("btcusdt_15.txt", nano.into()),
        ("BTC_USDT-15m.csv", plain.replace(',', "|").into()),
        (
            "BTC-USDT.csv",
            format!("\u{FEFF}# a comment\r\n{}", plain.replace('\n', "\r\n").replace(',', ";")).into(),
        ),
        ("spot/BTCUSDT/15m/2025-01-01.csv", descending.into()),
        ("BTC_USDT_USDT-15m-futures.csv.gz", gzip(plain.as_bytes())),
        ("BTCUSDT-15m-2025-01.zip", zip_of(&[("BTCUSDT-15m-2025-01.csv", klines.as_bytes())])),
        (
            "BTCUSDT.zip",
            zip_of(&[
                ("../../etc/15m.csv", csv(&wanted[..10]).as_bytes()),
                ("b/15m.csv", csv(&wanted[10..]).as_bytes()),
            ]),
        ),
        ("BTCUSDT-15m.csv", gzip(plain.as_bytes())),
        ("BTCUSDT-15m.csv.gz", plain.clone().into()),
        ("BTCUSDT-15m.txt", zip_of(&[("15m.csv", plain.as_bytes())])),
        ("BTC_USDT-15m.json", json(&wanted).into()),
        ("BTC_USDT_USDT-15m-futures.json.gz", gzip(json(&wanted).as_bytes())),
        ("archive.zip", zip_of(&[("x\\BTCUSDT\\15m\\a.csv", plain.as_bytes()), ("x/.hidden.csv", b"")])),
    ];
    for (name, content) in files {
        let folder = Folder::new();
        folder.put(name, content);
        let loaded = folder.load_one();
        assert_eq!(loaded.symbol.as_str(), "BTCUSDT", "{name}");
        assert_eq!(series(&loaded), wanted, "{name}");
        assert_eq!(loaded.issues, [], "{name}");
        assert_eq!(folder.passed_over(), [], "{name}");
    }
}

#[test]
fn consecutive_files_in_other_units_are_one_series() {
    let wanted = candles(30, 15);
    let folder = Folder::new();
    folder.put(
        "BTCUSDT-15m-2.csv",
        wanted[10..20].iter().map(|c| binance_row(c, 15, 1_000)).collect::<String>(),
    );
    folder.put("BTCUSDT-15m-1.csv", binance(&wanted[..10], 15));
    let iso = wanted[20..].iter().map(|candle| {
        let time = retune::model::rfc3339(candle.open_time).replace('T', " ").replace('Z', "+00:00");
        row(candle).replacen(&candle.open_time.to_string(), &time, 1)
    });
    folder.put(
        "BTCUSDT-15m-3.csv",
        format!("timestamp,Open,HIGH,low,close,Volume BTC\n{}", iso.collect::<String>()),
    );
    let loaded = folder.load_one();
    assert_eq!(series(&loaded), wanted);
    assert_eq!(loaded.issues, []);
    let units: Vec<&str> =
        loaded.files.iter().flat_map(|file| &file.time_units).map(|unit| unit.as_str()).collect();
    assert_eq!(units, ["ms", "us", "text"]);
}

#[test]
fn what_is_wrong_is_reported_with_lines_and_left_out() {
    let mut rows: Vec<String> = candles(40, 15).iter().map(row).collect();
    rows[3] = "x,1,1,1,1,1\n".to_owned();
    rows[5] = row(&Candle { high: 1.0, ..candle(5, 15) });
    rows[7] = row(&Candle { open_time: candle(7, 15).open_time + MINUTE, ..candle(7, 15) });
    rows.swap(20, 21);
    rows[30] = rows[29].clone();
    rows[33] = row(&Candle { volume: 0.0, ..candle(33, 15) });
    rows[34] = row(&Candle { volume: 0.0, ..candle(34, 15) });
    rows.push("1735725600000,100,10".to_owned());
    let folder = Folder::new();
    folder.put("BTCUSDT-15m.csv", format!("{HEADER}{}", rows.concat()));
    let loaded = folder.load_one();
    let expected = [
        (IssueKind::BadRow, 1, vec![5]),
        (IssueKind::Impossible(retune::model::CandleError::HighTooLow), 1, vec![7]),
        (IssueKind::Misaligned, 1, vec![9]),
        (IssueKind::PartialLastLine, 1, vec![42]),
        (IssueKind::OutOfOrder, 1, vec![23]),
        (IssueKind::Duplicate, 1, vec![32]),
        (IssueKind::Gap, 4, vec![6, 8, 10, 33]),
        (IssueKind::ZeroVolume, 2, vec![35]),
    ];
    assert_eq!(issues(&loaded, 0), expected);
    let report = &loaded.files[0];
    assert_eq!((report.rows, report.candles, report.rejected.as_ref()), (40, 36, None));
    assert_eq!(loaded.series.bars().len(), 36);
    assert_eq!(
        loaded.issues.iter().map(|issue| issue.kind).collect::<Vec<_>>(),
        [IssueKind::Gap, IssueKind::ZeroVolume]
    );
}

/// Files cut at every byte of their end: a candle that is taken is one of the whole file, and what is left out is told.
#[test]
fn a_file_that_is_cut_anywhere_gives_no_other_candle() {
    let price = |value: f64| format!("{value:.2}");
    let all: Vec<Candle> =
        candles(30, 15).iter().map(|candle| Candle { volume: candle.volume * 1.23457, ..*candle }).collect();
    let spaced: String = all.iter().map(row).map(|row| row.replace(',', "\t")).collect();
    let quoted: String =
        all.iter().map(row).map(|row| format!("\"{}\"\n", row.trim_end().replace(',', "\",\""))).collect();
    let records: String = all
        .iter()
        .map(|c| {
            format!(
                "{{\"t\":{},\"o\":{},\"h\":{},\"l\":{},\"c\":{},\"v\":{}}}\n",
                c.open_time, c.open, c.high, c.low, c.close, c.volume
            )
        })
        .collect();
    let iso: String = all
        .iter()
        .map(|c| {
            format!(
                "{},{},{},{},{},{}\n",
                c.volume,
                price(c.open),
                price(c.high),
                price(c.low),
                price(c.close),
                retune::model::rfc3339(c.open_time)
            )
        })
        .collect();
    let snapshots: String = all
        .iter()
        .map(|c| {
            format!(
                "{},BTC,{},{},{},{},{}\n",
                retune::model::rfc3339(c.open_time),
                c.open,
                c.high,
                c.low,
                c.close,
                c.volume
            )
        })
        .collect();
    for (name, text) in [
        ("BTCUSDT-15m.csv", csv(&all)),
        ("BTCUSDT-15m.csv", csv(&all).replace('\n', "\r\n")),
        ("BTCUSDT-15m.csv", format!("{}{quoted}", HEADER)),
        ("BTCUSDT-15m.tsv", format!("{}{spaced}", HEADER.replace(',', "\t"))),
        ("BTCUSDT-15m.csv", format!("volume,open,high,low,close,time\n{iso}")),
        ("BTCUSDT-15m.csv", binance(&all, 15)),
        ("BTCUSDT-15m.json", records),
        ("20250101.csv", format!("time,coin,open,high,low,close,volume\n{snapshots}")),
    ] {
        let folder = Folder::new();
        folder.put(name, &text);
        let whole = series(&folder.load_one());
        assert_eq!(whole.len(), 30, "{name}: {text}");
        for cut in text.len() - 250..text.len() {
            folder.put(name, &text[..cut]);
            let read = folder.load_one();
            let found = series(&read);
            assert!(whole.starts_with(&found), "{name} cut at {cut}: {:?}", &text[cut - 40..cut]);
            let rows = 30 + text[..cut].lines().count() - text.lines().count();
            let told = read.files[0].issues.iter().any(|issue| issue.kind == IssueKind::PartialLastLine);
            assert!(told || found.len() >= rows, "{name} cut at {cut}: {rows} rows, {} candles", found.len());
        }
    }
}

#[test]
fn a_last_row_without_a_newline_counts_once_another_file_goes_on_behind_it() {
    let all: Vec<Candle> = candles(30, 15);
    let unended = |candles: &[Candle]| csv(candles).trim_end().to_owned();
    let folder = Folder::new();
    folder.put("BTCUSDT-15m-1.csv", unended(&all[..10]));
    let alone = folder.load_one();
    assert_eq!(
        (series(&alone), issues(&alone, 0)),
        (all[..9].to_vec(), vec![(IssueKind::PartialLastLine, 1, vec![11])])
    );
    folder.put("BTCUSDT-15m-2.csv", unended(&all[10..20]));
    let followed = folder.load_one();
    assert_eq!(series(&followed), all[..19]);
    let kinds = [0, 1].map(|file| issues(&followed, file));
    assert_eq!(kinds[0], [(IssueKind::UnendedLastLine, 1, vec![11])]);
    assert_eq!(kinds[1], [(IssueKind::PartialLastLine, 1, vec![11])]);
    let first = &followed.files[0];
    assert_eq!((first.rows, first.candles, first.last_open), (10, 10, Some(all[9].open_time)));
    // From new to old: the candle before it is in the other file.
    let reversed = |candles: &[Candle]| unended(&candles.iter().rev().copied().collect::<Vec<_>>());
    folder.put("BTCUSDT-15m-1.csv", csv(&all[..10]));
    folder.put("BTCUSDT-15m-2.csv", reversed(&all[10..20]));
    let newest_first = folder.load_one();
    assert_eq!(series(&newest_first), all[..20]);
    // What another file has as a whole is taken from there.
    folder.put("BTCUSDT-15m-1.csv", unended(&all[..10]).trim_end_matches('9'));
    folder.put("BTCUSDT-15m-2.csv", csv(&all[8..20]));
    let overlapping = folder.load_one();
    assert_eq!(series(&overlapping), all[..20]);
    assert!(overlapping.files[0].issues.iter().any(|issue| issue.kind == IssueKind::PartialLastLine));
    // Where a candle is missing behind it, nothing says that it is whole.
    folder.put("BTCUSDT-15m-2.csv", csv(&all[11..20]));
    let apart = folder.load_one();
    assert_eq!(series(&apart), [&all[..9], &all[11..20]].concat());
    // A candle that had not closed then is none.
    let as_of_ms = all[9].open_time;
    let early = IngestOptions { as_of_ms, ..options() };
    folder.put("BTCUSDT-15m-2.csv", csv(&all[10..20]));
    assert_eq!(series(&folder.load(&early)[0]), all[..9]);
}

#[test]
fn unfinished_candles_are_left_out() {
    let all = candles(10, 15);
    let folder = Folder::new();
    folder.put("BTCUSDT-15m.csv", csv(&all));
    let end = all[9].open_time + 15 * MINUTE;
    for (as_of_ms, count) in [(end, 10), (end - 1, 9), (all[9].open_time, 9), (all[9].open_time - 1, 8)] {
        let options = IngestOptions { as_of_ms, ..options() };
        let loaded = &folder.load(&options)[0];
        assert_eq!(loaded.series.bars().len(), count);
        let unfinished = loaded.files[0].issues.iter().find(|issue| issue.kind == IssueKind::Unfinished);
        assert_eq!(unfinished.map_or(0, |issue| issue.count), 10 - count as u64);
    }
    let cut = Folder::new();
    let early = (all[9].open_time + 14 * MINUTE).to_string();
    let rows = binance(&all, 15).replace(&(end - 1).to_string(), &early);
    cut.put("BTCUSDT-15m.csv", rows + &binance_row(&Candle { close: 102.25, ..all[9] }, 15, 1));
    let loaded = cut.load_one();
    assert_eq!(
        issues(&loaded, 0),
        [(IssueKind::Unfinished, 1, vec![10])],
        "the closed one of the two counts"
    );
    assert_eq!(series(&loaded)[9].close, 102.25);
}

#[test]
fn files_that_are_no_candles_are_passed_over_with_a_reason() {
    let folder = Folder::new();
    folder.put("README.md", "# words");
    folder.put(".hidden/BTCUSDT-15m.csv", csv(&candles(3, 15)));
    folder.put("BTCUSDT-15m.zip.CHECKSUM", "00  BTCUSDT-15m.zip");
    folder.put("BTC_USDT-15m.feather", b"FEA1");
    folder.put("BTC_USDT-15m.html.csv", "<!doctype html>");
    folder.put("BTC_USDT-15m.json", "{\"t\": [1]}");
    folder.put("BTC_USDT-15m.xlsx", b"PK\x03\x04");
    folder.put("empty.json.gz", gzip(b"[]"));
    folder.put("NOPAIR_XXX-4m.json", "[]\n");
    folder.put("EMPTY_BTC-8m.csv", "");
    folder.put("LFSUSDT-15m.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
    folder.put("prices.csv", csv(&candles(3, 15)));
    folder.put("SOLUSDT-15m-mark.csv", csv(&candles(3, 15)));
    folder.put("bad-BTCUSDT-15m.zip", b"PK\x03\x04 cut short");
    let outer = zip_of(&[("in/ETHUSDT-15m.zip", b"PK"), ("notes.txt", b"words"), ("symbols.json", b"[1]")]);
    folder.put("outer.zip", outer);
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.path().join("DOGEUSDT-15m.csv")).expect("a link is made");
    let found = folder.passed_over();
    let expected = [
        ("BTCUSDT-15m.zip.CHECKSUM", "not candles: a checksum"),
        ("BTC_USDT-15m.feather", "unsupported format: feather version 1; write it"),
        ("BTC_USDT-15m.html.csv", "unsupported format: HTML or XML; download"),
        ("BTC_USDT-15m.json", "unsupported format: JSON that is no list of candles; write"),
        ("BTC_USDT-15m.xlsx", "unsupported format: binary table; export"),
        ("DOGEUSDT-15m.csv", "expected a file, found a link that leads nowhere"),
        ("EMPTY_BTC-8m.csv", "expected rows of candles, found an empty file"),
        ("LFSUSDT-15m.csv", "expected data, found a Git LFS pointer; run `git lfs pull`"),
        ("NOPAIR_XXX-4m.json", "expected rows of candles, found an empty file"),
        ("README.md", "not candles: extension `.md`"),
        ("SOLUSDT-15m-mark.csv", "not candles: `mark` in the name"),
        ("bad-BTCUSDT-15m.zip", "expected a readable file, found damage"),
        ("empty.json.gz", "expected rows of candles, found an empty file"),
        ("in/ETHUSDT-15m.zip", "unsupported format: archive within an archive"),
        ("notes.txt", "no symbol in the name; rename the file like `BTCUSDT-15m.csv`"),
        ("symbols.json", "unsupported format: JSON"),
        ("prices.csv", "no symbol in the name"),
    ];
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, expected.map(|(name, _)| name));
    for ((name, reason), (_, start)) in found.iter().zip(expected) {
        assert!(reason.starts_with(start), "{name}: {reason}");
    }
    assert_eq!(folder.catalog(&options()).symbols, []);
}

#[test]
fn files_that_lie_are_rejected_with_what_they_hold() {
    let five = csv(&candles(30, 5));
    let other = "time,symbol,open,high,low,close\n1735689600,ETH/USDT,1,2,1,2\n1735690500,ETH/USDT,1,2,1,2\n";
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("BTCUSDT-15m.csv", five.into(), "the name says 15m candles, the data hold 5m candles; rename"),
        (
            "BTCUSDT-15m.csv",
            csv(&candles(9, 60)).into(),
            "the name says 15m candles, the data hold 1h candles",
        ),
        ("BTCUSDT-1h.csv", csv(&candles(9, 60)).into(), "1h candles are coarser than the base interval 15m"),
        ("BTCUSDT.csv", csv(&candles(9, 1440)).into(), "1d candles are coarser than the base interval 15m"),
        ("BTCUSDT-4m.csv", csv(&candles(9, 4)).into(), "4m candles do not divide the base interval 15m"),
        (
            "BTCUSDT.csv",
            csv(&candles(1, 15)).into(),
            "the interval is neither in the name nor to be measured",
        ),
        ("BTCUSDT-15m.csv", other.into(), "the name says BTCUSDT, the symbol column holds ETH/USDT; rename"),
        ("BTCUSDT-15m.csv", "a\nb\n".into(), "line 1: expected a header such as"),
        ("BTCUSDT-15m.csv.gz", gzip(b"a,b").into_iter().take(15).collect(), "expected a readable file"),
        ("BTCUSDT-15m.csv", gzip(&[7; 3000]), "line 1: expected a header such as"),
        (
            "BTCUSDT-15m.csv",
            format!("{HEADER}{}NULL,1,1,1,1,1\n1735691400000,NULL,1,1,1,1\n", row(&candle(0, 15))).into(),
            "expected rows of candles, found 2 of 3 rows that cannot be used; the first: line 3: open time:",
        ),
    ];
    for (name, content, expected) in cases {
        let folder = Folder::new();
        folder.put(name, content);
        let loaded = folder.load_one();
        let reason = loaded.files[0].rejected.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(reason.starts_with(expected), "{name}: {reason}");
        assert!(loaded.series.is_empty());
    }
}

#[test]
fn bombs_are_cut_short() {
    let folder = Folder::new();
    let zeros = vec![b'0'; 64 << 20];
    folder.put("BTCUSDT-15m.csv.gz", gzip(&zeros));
    folder.put("ETHUSDT-15m.zip", zip_of(&[("ETHUSDT-15m.csv", &zeros)]));
    for loaded in folder.load(&options()) {
        let rejected = loaded.files[0].rejected.as_ref();
        assert!(matches!(rejected, Some(Rejection::TooLarge { .. })), "{}: {rejected:?}", loaded.symbol);
    }
}

#[test]
fn a_damaged_member_is_rejected_and_the_others_are_read() {
    let (first, second) = (csv(&candles(200, 15)), csv(&candles(100, 15)));
    let mut bytes = zip_of(&[("BTCUSDT-15m.csv", first.as_bytes()), ("ETHUSDT-15m.csv", second.as_bytes())]);
    bytes[100..120].fill(0xA5);
    let folder = Folder::new();
    folder.put("all.zip", bytes);
    let loaded = folder.load(&options());
    assert!(
        matches!(loaded[0].files[0].rejected, Some(Rejection::Damaged { .. })),
        "{:?}",
        loaded[0].files[0]
    );
    assert_eq!(series(&loaded[1]), candles(100, 15));
}

#[test]
fn conflicts_stop_and_name_both_rows_or_the_last_wins() {
    let folder = Folder::new();
    let (all, other) = (candles(10, 15), Candle { close: 104.25, ..candle(4, 15) });
    let first = folder.put("a/BTCUSDT-15m.csv", csv(&all));
    let second = folder.put("b/BTCUSDT-15m.csv", csv(&[all[3], other]));
    let IngestError::Conflict(conflict) = folder.load_error() else { panic!("a conflict is expected") };
    assert_eq!((&conflict.first.path, conflict.first.line), (&first, 6));
    assert_eq!((&conflict.second.path, conflict.second.line), (&second, 3));
    let text = conflict.to_string();
    assert!(
        text.starts_with("expected one BTCUSDT 15m candle for 2025-01-01T01:00:00Z, found two that differ"),
        "{text}"
    );
    assert!(text.contains("close 104.5") && text.contains("close 104.25,"), "{text}");
    assert!(text.contains("`--on-conflict last` uses the second, which is right if it is a later"), "{text}");

    let last = IngestOptions { on_conflict: OnConflict::Last, ..options() };
    let loaded = &folder.load(&last)[0];
    assert_eq!(series(loaded)[4], other);
    assert_eq!(issues(loaded, 1), [(IssueKind::Duplicate, 1, vec![2]), (IssueKind::Replaced, 1, vec![3])]);
}

#[test]
fn equal_rows_are_no_conflict_whatever_their_digits() {
    let folder = Folder::new();
    let all = candles(10, 15);
    folder.put("BTCUSDT-15m-a.csv", csv(&all));
    let digits: String =
        all.iter().map(|c| row(&Candle { volume: c.volume * (1.0 + 1e-12), ..*c })).collect();
    folder.put("BTCUSDT-15m-b.csv", format!("{HEADER}{}", digits.replace(".5,", ".500000,")));
    let loaded = folder.load_one();
    assert_eq!(series(&loaded), all);
    assert_eq!(issues(&loaded, 1), [(IssueKind::Duplicate, 10, vec![2, 3, 4, 5, 6])]);
}

#[test]
fn finer_candles_fill_in_where_base_candles_are_missing() {
    let folder = Folder::new();
    let base = candles(4, 15);
    folder.put("BTCUSDT-15m.csv", csv(&base[..2]));
    folder.put("BTCUSDT-5m-a.csv", csv(&candles(20, 5)[3..10]));
    folder.put("BTCUSDT-5m-b.csv", csv(&candles(20, 5)[10..14]));
    let loaded = folder.load_one();
    let five = candles(20, 5);
    let built = Candle {
        open_time: base[3].open_time,
        open: five[9].open,
        high: five[9..12].iter().map(|c| c.high).fold(0.0, f64::max),
        low: five[9..12].iter().map(|c| c.low).fold(f64::MAX, f64::min),
        close: five[11].close,
        volume: five[9..12].iter().map(|c| c.volume).sum(),
    };
    assert_eq!(series(&loaded)[..2], base[..2]);
    assert_eq!(series(&loaded)[3], built, "a bucket over two files is whole");
    let kinds: Vec<(IssueKind, u64)> = loaded.issues.iter().map(|issue| (issue.kind, issue.count)).collect();
    assert_eq!(kinds, [(IssueKind::IncompleteBucket, 1), (IssueKind::OverlapDiffers, 1)]);
}

#[test]
fn symbols_are_chosen_and_identical_files_named() {
    let folder = Folder::new();
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT"] {
        folder.put(&format!("{symbol}-15m.csv"), csv(&candles(5, 15)));
    }
    let chosen = ["ETHUSDT", "SOLUSDT"].map(|name| Symbol::parse(name).expect("a symbol"));
    let options = IngestOptions { symbols: Some(chosen.to_vec()), ..options() };
    let catalog = folder.catalog(&options);
    assert_eq!(catalog.passed_over[0].reason.to_string(), "symbol BTCUSDT was not asked for");
    let reports: Vec<_> = load_all(&catalog, &options).into_iter().flat_map(|loaded| loaded.files).collect();
    let identities: Vec<_> = reports.iter().map(|report: &FileReport| report.identity()).collect();
    let found = identical_files(&identities);
    assert_eq!(
        found.iter().map(|(index, issue)| (*index, issue.count)).collect::<Vec<_>>(),
        [(0, 1), (1, 1)]
    );
    assert_eq!(reports[0].hash, blake3::hash(csv(&candles(5, 15)).as_bytes()).to_hex().to_string());
}

#[test]
fn paths_may_overlap_and_come_in_any_order() {
    let folder = Folder::new();
    let a = folder.put("a/BTCUSDT-15m.csv", csv(&candles(9, 15)));
    folder.put("b/ETHUSDT-15m.csv", csv(&candles(9, 15)));
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", folder.path().join("b/loop")).expect("a link is made");
    let root = folder.path().to_owned();
    let paths = [root.clone(), a, root.join("b"), root.join("b/../a")];
    let expected = discover(&paths, &options()).expect("the folder is readable");
    assert_eq!(expected.symbols.iter().map(|symbol| symbol.sources.len()).collect::<Vec<_>>(), [1, 1]);
    for shift in 1..paths.len() {
        let mut turned = paths.to_vec();
        turned.rotate_left(shift);
        assert_eq!(discover(&turned, &options()).ok(), Some(expected.clone()));
    }
    let missing = discover(&[root.join("none")], &options());
    assert!(matches!(missing, Err(IngestError::Missing { .. })), "{missing:?}");
}

#[test]
fn a_file_that_goes_away_is_an_error_with_its_path() {
    let folder = Folder::new();
    let path = folder.put("BTCUSDT-15m.csv", csv(&candles(5, 15)));
    let catalog = folder.catalog(&options());
    fs::remove_file(&path).expect("the file is removed");
    let error = load_symbol(&catalog.symbols[0], &options()).expect_err("the file is gone");
    assert!(error.to_string().contains("BTCUSDT-15m.csv"), "{error}");
}

/// Candles that can be, with gaps, at prices and volumes as met in the wild.
fn any_candles() -> impl Strategy<Value = Vec<Candle>> {
    let price = 8e-7..130_000.0_f64;
    let one = (1_i64..4, price.clone(), price.clone(), price.clone(), price, 0.0..1e9_f64);
    proptest::collection::vec(one, 2..40).prop_map(|rows| {
        let mut open_time = START;
        let mut candle = |(step, a, b, c, d, volume): (i64, f64, f64, f64, f64, f64)| {
            open_time += step * 15 * MINUTE;
            let mut prices = [a, b, c, d];
            prices.sort_by(f64::total_cmp);
            let [low, open, close, high] = prices;
            Candle { open_time, open, high, low, close, volume }
        };
        rows.into_iter().map(&mut candle).collect()
    })
}

/// The name claims no interval; with one step of 15 minutes in four the claim of the folder holds.
fn load_rows(rows: &[String], header: &str) -> Option<Vec<Candle>> {
    let folder = Folder::new();
    folder.put("BTCUSDT-15m.csv", format!("{header}{}", rows.concat()));
    let loaded = folder.load_one();
    loaded.files[0].rejected.is_none().then(|| series(&loaded))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(mut written in any_candles()) {
        written.extend((1..40).map(|index| candle(index + 1000, 15)));
        let rows: Vec<String> = written.iter().map(row).collect();
        prop_assert_eq!(load_rows(&rows, HEADER), Some(written));
    }

    #[test]
    fn the_order_of_rows_does_not_matter(written in any_candles(), keys in proptest::collection::vec(any::<u32>(), 40)) {
        let rows: Vec<String> = written.iter().chain(&written[..2]).map(row).collect();
        let mut shuffled: Vec<(u32, String)> = keys.into_iter().zip(rows.clone()).collect();
        shuffled.extend(rows.iter().skip(40).map(|row| (0, row.clone())));
        shuffled.sort();
        let shuffled: Vec<String> = shuffled.into_iter().map(|(_, row)| row).collect();
        prop_assert_eq!(load_rows(&shuffled, HEADER), load_rows(&rows, HEADER));
    }

    #[test]
    fn a_file_cut_anywhere_gives_no_candle_of_its_own(written in any_candles(), cut in 0.0..1.0_f64) {
        let whole = binance(&written, 15);
        let end = (whole.len() as f64 * cut) as usize;
        let folder = Folder::new();
        folder.put("BTCUSDT-15m.csv", &whole[..end]);
        for loaded in folder.load(&options()) {
            prop_assert!(series(&loaded).iter().all(|candle| written.contains(candle)));
        }
    }

    #[test]
    fn any_bytes_in_any_format_are_survived(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        at in any::<prop::sample::Index>(),
    ) {
        let mut archive = zip_of(&[("BTCUSDT-15m.csv", csv(&candles(20, 15)).as_bytes())]);
        let place = at.index(archive.len());
        archive[place] ^= bytes.first().copied().unwrap_or(1) | 1;
        let folder = Folder::new();
        folder.put("BTCUSDT-15m.csv", &bytes);
        folder.put("ETHUSDT-15m.csv.gz", &bytes);
        folder.put("SOLUSDT-15m.zip", &bytes);
        folder.put("XRPUSDT-15m.zip", archive);
        for loaded in folder.load(&options()) {
            let count: u64 = loaded.files.iter().map(|file| file.candles).sum();
            prop_assert_eq!(loaded.series.bars().len() as u64, count);
        }
    }
}

/// Returns the folder of real files, which is not part of the project; its tests run where it is present.
fn real_files() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    folder.is_dir().then_some(folder)
}

/// Returns what one real file gives, in a line.
fn outcome(path: &Path, base: &str) -> String {
    let options = IngestOptions {
        on_conflict: OnConflict::Last,
        base_interval: base.parse().expect("an interval"),
        ..IngestOptions::new(Interval::M15, START + 400 * 24 * 60 * MINUTE)
    };
    let catalog = discover(&[path.to_owned()], &options).expect("the file is readable");
    if let Some(file) = catalog.passed_over.first() {
        return file.reason.to_string();
    }
    let loaded = load_symbol(&catalog.symbols[0], &options).expect("the last candle wins");
    let file = &loaded.files[0];
    if let Some(reason) = &file.rejected {
        return reason.to_string();
    }
    let interval = file.interval.map(|interval| interval.to_string()).unwrap_or_default();
    let units: Vec<&str> = file.time_units.iter().map(|unit| unit.as_str()).collect();
    let noted: Vec<String> =
        file.issues.iter().map(|i| format!(" {} {}", i.kind.as_str(), i.count)).collect();
    let (symbol, rows, candles, built) =
        (&loaded.symbol, file.rows, file.candles, loaded.series.bars().len());
    format!(
        "{symbol} {interval} {} {rows} rows {candles} candles -> {built}{}",
        units.join("+"),
        noted.concat()
    )
}

#[test]
fn every_real_file_gives_candles_or_a_clear_reason() {
    let Some(data) = real_files() else { return };
    let outage = "gap 5 zero_volume 5";
    let columnar = |outcome: &str| {
        let read = if cfg!(feature = "columnar") { outcome } else { "unsupported format: feather; convert" };
        read.to_owned()
    };
    let empty = "expected rows of candles, found an empty file";
    let spot = |symbol: &str| format!("{symbol} 15m ms 87451 rows 87451 candles -> 87451 {outage}");
    let half_year = |symbol: &str| format!("{symbol} 15m ms 17472 rows 17472 candles -> 17472");
    let expected: Vec<(&str, &str, String)> = vec![
        ("README.md", "15m", "not candles: extension `.md`".into()),
        ("candles/binance-spot/BNBUSDT-15m.csv", "15m", spot("BNBUSDT")),
        ("candles/binance-spot/BTCUSDT-15m.csv", "15m", spot("BTCUSDT")),
        ("candles/binance-spot/BTCUSDT-1h.csv", "1h", "BTCUSDT 1h ms 65590 rows 65590 candles -> 65590 gap 122".into()),
        ("candles/binance-spot/BTCUSDT-5m-2024Q4.csv", "15m", "BTCUSDT 5m ms 26496 rows 26496 candles -> 8832".into()),
        ("candles/binance-spot/DOGEUSDT-15m.csv", "15m", spot("DOGEUSDT")),
        ("candles/binance-spot/ETHUSDT-15m.csv", "15m", spot("ETHUSDT")),
        ("candles/binance-spot/LTCUSDT-15m.csv", "15m", half_year("LTCUSDT")),
        ("candles/binance-spot/SOLUSDT-15m.csv", "15m", spot("SOLUSDT")),
        ("candles/binance-spot/XRPUSDT-15m.csv", "15m", spot("XRPUSDT")),
        ("candles/binance-um/BTCUSDT-15m.csv", "15m", half_year("BTCUSDT")),
        ("candles/binance-um/ETHUSDT-15m.csv", "15m", half_year("ETHUSDT")),
        ("candles/binance-um/SOLUSDT-15m.csv", "15m", half_year("SOLUSDT")),
        ("native/backtesting_pypi/BTCUSD.csv", "15m", "31d candles are coarser than the base interval 15m".into()),
        ("native/backtesting_pypi/EURUSD.csv", "1h", "EURUSD 1h text 5000 rows 5000 candles -> 5000 gap 2063".into()),
        ("native/binance_vision_ginghong/ETHUSDT-1h-2024-12.csv", "1h", "ETHUSDT 1h ms 744 rows 744 candles -> 744".into()),
        ("native/binance_vision_ginghong/ETHUSDT-1h-2025-01.csv", "1h", "ETHUSDT 1h us 744 rows 744 candles -> 744".into()),
        ("native/binance_vision_isda/ALGOUSDT-1m-2024-02.csv", "15m", "ALGOUSDT 1m ms 41760 rows 41760 candles -> 2784".into()),
        ("native/binance_vision_skytree/BTCUSDT-5m-2024-12.csv", "15m", "BTCUSDT 5m ms 8928 rows 8928 candles -> 2976".into()),
        ("native/binance_vision_skytree/BTCUSDT-5m-2025-01.csv", "15m", "BTCUSDT 5m us 8928 rows 8928 candles -> 2976".into()),
        ("native/cdd_andrewsiah/Binance_BTCUSDT_1h.csv", "1h", "BTCUSDT 1h s+ms 36062 rows 33413 candles -> 33413 out_of_order 33412 duplicate 2184 replaced 465 gap 16 zero_volume 109".into()),
        ("native/cobra0506_crypto_backtester/BTCUSDT_15m.csv", "15m", "BTCUSDT 15m text 8640 rows 8640 candles -> 8640".into()),
        ("native/cobra0506_crypto_backtester/DOTUSDT_5m.csv", "15m", "DOTUSDT 5m text 8640 rows 8640 candles -> 2880".into()),
        ("native/cobra0506_crypto_backtester/ETHUSDT_15m.csv", "15m", "ETHUSDT 15m text 8640 rows 8640 candles -> 8640".into()),
        ("native/freqtrade_testdata/ADA_BTC-5m.feather", "15m", columnar("ADABTC 5m ns 5720 rows 5720 candles -> ")),
        ("native/freqtrade_testdata/NOPAIR_XXX-4m.json", "15m", empty.into()),
        ("native/freqtrade_testdata/UNITTEST_BTC-1m.json", "15m", "UNITTESTBTC 1m ms 13681 rows 13681 candles -> ".into()),
        ("native/freqtrade_testdata/UNITTEST_BTC-8m.feather", "15m", empty.into()),
        ("native/freqtrade_testdata/UNITTEST_BTC-8m.json.gz", "15m", "the name says 8m candles, the data hold 1m candles".into()),
        ("native/freqtrade_testdata/futures/XRP_USDT_USDT-1h-futures.json.gz", "1h", "XRPUSDT 1h ms 100 rows 100 candles -> 100".into()),
        ("native/freqtrade_testdata/futures/XRP_USDT_USDT-1h-mark.feather", "1h", columnar("not candles: `mark` in the name")),
        ("native/freqtrade_testdata/futures/XRP_USDT_USDT-8h-funding_rate.feather", "15m", columnar("not candles: `funding` in the name")),
        ("native/genetrader/ASR_USDT-15m.feather", "15m", columnar("ASRUSDT 15m ns 23923 rows 23923 candles -> 23923")),
        ("native/genetrader/BIFI_USDT-15m.feather", "15m", columnar("BIFIUSDT 15m ns 23923 rows 23923 candles -> 23923")),
        ("native/genetrader/PEPE_USDT-15m.feather", "15m", columnar("PEPEUSDT 15m ns 24009 rows 24009 candles -> 24009")),
        ("native/genetrader/SLF_USDT-15m.feather", "15m", columnar("SLFUSDT 15m ns 745 rows 745 candles -> 745")),
        ("native/kraken_avkhimen/XBTUSD_60.csv", "1h", "XBTUSD 1h s 70253 rows 70253 candles -> 70253 gap 10856".into()),
        ("native/nautilus_sample/ADABTC_pipe_separated-1m-2021-11-27.csv", "5m", "ADABTC 1m ms 10 rows 10 candles -> 2".into()),
        ("native/static_klines/sample/BTCUSDT-15m-2023-03-20.json", "15m", "BTCUSDT 15m ms 667 rows 666 candles -> 666 unfinished 1 gap 6 zero_volume 4".into()),
    ];
    let outcomes =
        expected.iter().map(|(file, base, expected)| (file, outcome(&data.join(file), base), expected));
    let others: Vec<_> =
        outcomes.filter(|(_, outcome, expected)| !outcome.starts_with(expected.as_str())).collect();
    assert!(others.is_empty(), "{others:#?}");
    let mut listed: Vec<PathBuf> = expected.iter().map(|(file, ..)| data.join(file)).collect();
    let catalog = survey(std::slice::from_ref(&data), &options()).expect("the folder is readable");
    let sources = catalog.symbols.iter().flat_map(|symbol| &symbol.sources).map(|source| source.path.clone());
    let mut all: Vec<PathBuf> =
        sources.chain(catalog.passed_over.into_iter().map(|file| file.path)).collect();
    all.sort();
    listed.sort();
    assert_eq!(all, listed, "no file is forgotten");
}

#[test]
fn real_finer_candles_make_the_real_coarser_ones() {
    let Some(data) = real_files() else { return };
    let spot = data.join("candles/binance-spot");
    let load = |files: &[&str], base: &str| {
        let options = IngestOptions { base_interval: base.parse().expect("an interval"), ..options() };
        let paths: Vec<PathBuf> = files.iter().map(|file| spot.join(file)).collect();
        let catalog = discover(&paths, &options).expect("the files are readable");
        load_all(&catalog, &options).remove(0)
    };
    let differing = |loaded: &LoadedSymbol| {
        loaded
            .issues
            .iter()
            .find(|issue| issue.kind == IssueKind::OverlapDiffers)
            .map_or(0, |issue| issue.count)
    };
    let quarter = load(&["BTCUSDT-15m.csv", "BTCUSDT-5m-2024Q4.csv"], "15m");
    let native = "../../native/binance_vision_skytree";
    let (dec, jan) = (format!("{native}/BTCUSDT-5m-2024-12.csv"), format!("{native}/BTCUSDT-5m-2025-01.csv"));
    let months = load(&["BTCUSDT-15m.csv", &dec, &jan], "15m");
    let hours = load(&["BTCUSDT-1h.csv", "BTCUSDT-15m.csv", "BTCUSDT-5m-2024Q4.csv"], "1h");
    assert_eq!([&quarter, &months, &hours].map(differing), [0, 0, 0]);
    assert_eq!(series(&quarter), series(&load(&["BTCUSDT-15m.csv"], "15m")));
    let alone = load(&["BTCUSDT-5m-2024Q4.csv"], "15m");
    let first = alone.series.bars().open_time[0];
    let same = quarter.series.bars().index_at(first);
    let volume = |loaded: &LoadedSymbol, index: usize| loaded.series.bars().volume[index];
    assert!((volume(&alone, 0) - volume(&quarter, same)).abs() < 1e-6 * volume(&alone, 0));
}

#[test]
fn spot_and_perpetual_candles_do_not_mix_by_accident() {
    let Some(data) = real_files() else { return };
    let catalog = survey(&[data.join("candles")], &options()).expect("the folder is readable");
    let names: Vec<&str> = catalog.conflicts.iter().map(|conflict| conflict.symbol.as_str()).collect();
    assert_eq!(names, ["BTCUSDT", "ETHUSDT", "SOLUSDT"]);
}

#[test]
fn a_file_that_only_grew_is_read_from_its_known_end() {
    let all = candles(2_000, 15);
    for header in [true, false] {
        let text = |n: usize| if header { csv(&all[..n]) } else { binance(&all[..n], 15) };
        let folder = Folder::new();
        folder.put("BTCUSDT-15m.csv", text(2_000));
        let catalog = folder.catalog(&options());
        let (symbol, source) = (catalog.symbols[0].symbol.clone(), &catalog.symbols[0].sources[0]);
        let known = text(1_900);
        let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex().to_string();
        let found = growth(source, known.len() as u64, &hash(&known), 5_000).expect("read");
        let found = found.expect("the file begins with what is known");
        assert_eq!(found.hash, hash(&text(2_000)));
        let excerpt = SymbolSources { symbol, sources: vec![found.excerpt] };
        let loaded = load_symbol(&excerpt, &options()).expect("candles");
        let read = loaded.series.bars();
        assert_eq!(read.open_time.last(), all.last().map(|candle| &candle.open_time));
        let again = read.open_time.iter().filter(|time| **time < all[1_900].open_time).count();
        let lines = known[known.len() - 5_000..].matches('\n').count();
        assert_eq!(again, lines - 1, "whole lines of the known end, and no more");
        // Another beginning, another length, a line cut in two, nothing new: the file is read whole.
        let other = known.replacen("100", "101", 1);
        for (bytes, hash) in [
            (known.len(), hash(&other)),
            (known.len() - 10, hash(&known[..known.len() - 10])),
            (text(2_000).len(), hash(&text(2_000))),
            (text(2_000).len() + 1, hash(&known)),
            (4_000, hash(&known[..4_000])),
        ] {
            assert_eq!(growth(source, bytes as u64, &hash, 5_000).expect("read"), None, "{bytes} bytes");
        }
    }
    let folder = Folder::new();
    folder.put("BTCUSDT-15m.csv.gz", gzip(csv(&all).as_bytes()));
    let catalog = folder.catalog(&options());
    assert_eq!(growth(&catalog.symbols[0].sources[0], 10, "", 5).expect("read"), None);
}

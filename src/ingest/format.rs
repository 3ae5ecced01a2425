//! Which formats there are and what tells them apart: the one table of names, first bytes and readers.
//!
//! Content comes first: a name only says which files are worth a look (and, of compressed ones, what is inside before
//! they are opened); the first bytes say which reader reads them.

use std::path::Path;

use super::ReadingOptions;
use super::collector::{Collector, Hints, Parsed};
use super::limits::{DECODED_BYTES_MAX, HEAD_BYTES};
use super::lines::{LineReader, StreamError};
use super::rejection::Rejection;
use super::{json, nested, rows, snapshot};

/// A format that gives candles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// A line per candle.
    Csv,
    /// Market snapshots of the legacy system: CSV of all coins of a day.
    Snapshots,
    /// `[[open time, open, high, low, close, volume, ...], ...]`.
    Json,
    /// Rows somewhere in JSON, or JSON a line.
    NestedJson,
    /// Arrow IPC file.
    Feather,
    Parquet,
}

impl FileFormat {
    /// Returns whether the bytes of more candles are the bytes of fewer and more behind them.
    pub(super) fn grows_at_its_end(self) -> bool {
        self == Self::Csv
    }

    /// Returns the most bytes that are read, unpacked.
    pub(super) fn bytes_max(self) -> u64 {
        match self {
            #[cfg(feature = "columnar")]
            Self::Feather | Self::Parquet => super::columnar::COLUMNAR_BYTES_MAX as u64,
            _ => DECODED_BYTES_MAX,
        }
    }

    /// Returns about how many bytes of CSV a stored byte stands for.
    pub(super) fn text_per_byte(self) -> u64 {
        match self {
            Self::Csv | Self::Json | Self::NestedJson => 1,
            Self::Feather | Self::Parquet => 3,
            // One coin of several is kept, of a row that is ten times longer.
            Self::Snapshots => 0,
        }
    }
}

/// What the end of a name promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Promise {
    /// A table, as it is or compressed.
    Table { format: FileFormat, gzip: bool },
    /// A zip archive.
    Archive,
    /// Nothing that is read.
    Not(Rejection),
}

const TABLES: [(&str, FileFormat); 10] = [
    (".csv", FileFormat::Csv),
    (".tsv", FileFormat::Csv),
    (".txt", FileFormat::Csv),
    (".json", FileFormat::Json),
    (".jsonl", FileFormat::NestedJson),
    (".ndjson", FileFormat::NestedJson),
    (".feather", FileFormat::Feather),
    (".arrow", FileFormat::Feather),
    (".ipc", FileFormat::Feather),
    (".parquet", FileFormat::Parquet),
];
const COMPRESSIONS: [&str; 8] = [".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar"];
const BINARY_TABLES: [&str; 10] =
    [".h5", ".hdf5", ".xls", ".xlsx", ".pkl", ".pickle", ".npy", ".npz", ".db", ".sqlite"];

/// Returns what a file name promises by its end.
pub(super) fn format_by_name(name: &str) -> Promise {
    let lower = name.to_ascii_lowercase();
    let ends = |extensions: &[&str]| extensions.iter().any(|extension| lower.ends_with(extension));
    let unsupported = |format, advice| Promise::Not(Rejection::unsupported(format, advice));
    let (inner, gzip) = lower.strip_suffix(".gz").map_or((lower.as_str(), false), |inner| (inner, true));
    let table = TABLES.iter().find(|(extension, _)| inner.ends_with(extension));
    if let Some((_, format)) = table {
        Promise::Table { format: *format, gzip }
    } else if ends(&[".zip"]) {
        Promise::Archive
    } else if ends(&COMPRESSIONS) {
        unsupported("compression or archive", "use plain files, `.gz` behind `.csv` and its like, or `.zip`")
    } else if ends(&BINARY_TABLES) {
        unsupported("binary table", "export it to CSV")
    } else if ends(&[".checksum"]) {
        Promise::Not(Rejection::NotCandles { what: "a checksum".to_owned() })
    } else {
        let extension = Path::new(name).extension().map(|e| format!("extension `.{}`", e.to_string_lossy()));
        Promise::Not(Rejection::NotCandles { what: extension.unwrap_or_else(|| "no extension".to_owned()) })
    }
}

/// Returns a file name without the extensions of formats.
pub(super) fn stem_of_name(name: &str) -> &str {
    let tables = TABLES.iter().map(|(extension, _)| *extension);
    let mut stem = name;
    for extension in [".gz", ".zip"].into_iter().chain(tables) {
        let cut = stem.len().saturating_sub(extension.len());
        if stem.get(cut..).is_some_and(|end| end.eq_ignore_ascii_case(extension)) {
            stem = &stem[..cut];
        }
    }
    stem
}

/// How a file is packed, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zip,
}

/// Returns how a file that begins so is packed.
pub(super) fn packing_of(head: &[u8]) -> Packing {
    match head {
        [0x1F, 0x8B, ..] => Packing::Gzip,
        [b'P', b'K', 3, 4, ..] => Packing::Zip,
        _ => Packing::None,
    }
}

/// Returns the format of unpacked bytes by their first [`HEAD_BYTES`], or why they are no candles.
pub(super) fn recognise_format(head: &[u8]) -> Result<FileFormat, Rejection> {
    let unsupported = |format, advice| Err(Rejection::unsupported(format, advice));
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head).trim_ascii_start();
    match text {
        [] if head.len() < HEAD_BYTES => Err(Rejection::Empty),
        _ if text.starts_with(b"version https://git-lfs") => Err(Rejection::LfsPointer),
        _ if matches!(text.trim_ascii_end(), b"[]" | b"{}") => Err(Rejection::Empty),
        [b'[', rows @ ..] if matches!(rows.trim_ascii_start(), [] | [b'[' | b']', ..]) => {
            Ok(FileFormat::Json)
        }
        [b'[' | b'{', ..] if is_legacy(text) => Err(Rejection::LegacyOpportunities),
        [b'[' | b'{', ..] if nested::holds_rows(text) => Ok(FileFormat::NestedJson),
        [b'[' | b'{', ..] => unsupported("JSON that is no list of candles", JSON_ADVICE),
        [b'<', ..] if is_markup(text) => unsupported("HTML or XML", "download the data file itself"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => unsupported("UTF-16 text", "save it as UTF-8"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => columnar(FileFormat::Feather),
        [b'P', b'A', b'R', b'1', ..] => columnar(FileFormat::Parquet),
        [b'P', b'A', b'R', b'E', ..] => unsupported("encrypted Parquet", "write it without encryption"),
        [b'F', b'E', b'A', b'1', ..] => unsupported("feather version 1", "write it as version 2, or to CSV"),
        [b'P', b'K', 3, 4, ..] => unsupported("archive within an archive", "unpack the outer one"),
        [0x1F, 0x8B, ..] => unsupported("gzip within gzip or zip", "unpack the outer one"),
        [0, ..] => unsupported("a file that begins with zeros", "download it again"),
        _ if snapshot::is_snapshots(text) => Ok(FileFormat::Snapshots),
        _ => match MAGIC.iter().find(|(magic, _, _)| text.starts_with(magic)) {
            Some((_, format, advice)) => unsupported(format, advice),
            None => Ok(FileFormat::Csv),
        },
    }
}

/// What other files begin with, whatever their names say: what they are, and what to do.
const MAGIC: [(&[u8], &str, &str); 16] = [
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", EXCEL, EXCEL_ADVICE),
    (b"%PDF", "PDF", "download the data file itself"),
    (b"\x89HDF", "HDF5", "write it to CSV or Parquet"),
    (b"SQLite format 3\0", "SQLite database", "export the table to CSV"),
    (b"\x80\x02", "pickle", "write it to CSV or Parquet"),
    (b"\x80\x03", "pickle", "write it to CSV or Parquet"),
    (b"\x80\x04", "pickle", "write it to CSV or Parquet"),
    (b"\x80\x05", "pickle", "write it to CSV or Parquet"),
    (b"\x93NUMPY", "NumPy array", "write it to CSV or Parquet"),
    (b"BZh", "bzip2", "unpack it"),
    (b"\xFD7zXZ\0", "xz", "unpack it"),
    (b"\x28\xB5\x2F\xFD", "zstd", "unpack it"),
    (b"7z\xBC\xAF\x27\x1C", "7z archive", "unpack it"),
    (b"Rar!", "RAR archive", "unpack it"),
    (b"Obj\x01", "Avro", "write it to CSV or Parquet"),
    (b"{\\rtf", "RTF text", "save it as plain text"),
];
const EXCEL: &str = "Excel workbook";
const EXCEL_ADVICE: &str = "open it and save the sheet as CSV (UTF-8)";

/// Returns what an archive is by the names of its members, if it is no archive of files.
pub(super) fn document_of_archive(members: &[&str]) -> Option<Rejection> {
    let any = |start: &str| members.iter().any(|member| member.starts_with(start));
    let (format, advice) = match () {
        () if any("xl/") => (EXCEL, EXCEL_ADVICE),
        () if any("[Content_Types].xml") => ("Office document", "export the table to CSV"),
        () if any("mimetype") && any("content.xml") => {
            ("OpenDocument file", "open it and save the sheet as CSV (UTF-8)")
        }
        () if any("data.pkl") => ("pickle", "write it to CSV or Parquet"),
        () => return None,
    };
    Some(Rejection::unsupported(format, advice))
}

/// Returns whether text begins with a tag of HTML or XML, and not with a name such as `<DATE>`.
fn is_markup(text: &[u8]) -> bool {
    const TAGS: [&[u8]; 9] =
        [b"<!", b"<?", b"<html", b"<head", b"<body", b"<table", b"<div", b"<meta", b"<script"];
    TAGS.iter().any(|tag| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)))
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Keys that every opportunity of the legacy system has, and no candle.
fn is_legacy(text: &[u8]) -> bool {
    let has = |key: &str| memchr::memmem::find(text, key.as_bytes()).is_some();
    has("\"coin\"") && (has("\"objective_profit\"") || has("\"signal_score\""))
}

#[cfg(feature = "columnar")]
fn columnar(format: FileFormat) -> Result<FileFormat, Rejection> {
    Ok(format)
}

#[cfg(not(feature = "columnar"))]
fn columnar(format: FileFormat) -> Result<FileFormat, Rejection> {
    let format = if format == FileFormat::Feather { "feather" } else { "Parquet" };
    let advice = "convert it to CSV, or use a build with the feature `columnar`";
    Err(Rejection::unsupported(format, advice))
}

/// What to do with JSON that is no list of candles.
const JSON_ADVICE: &str =
    "write it as `[[open time, open, high, low, close, volume], ...]` or as CSV with a header";

/// What is known of the rows of a file that they do not say themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct RowContext {
    /// Midnight of the day in the name; UTC milliseconds.
    pub(super) day_ms: Option<i64>,
    /// What is known of the file otherwise.
    pub(super) reading: ReadingOptions,
    /// What an earlier reading has shown.
    pub(super) hints: Hints,
}

/// Reads all rows of a stream with the reader of its content.
///
/// Errors: only what the stream itself reports; whatever its bytes are, they give rows or a rejection.
pub(super) fn parse_stream(
    stream: &mut dyn std::io::Read,
    bytes_max: u64,
    collector: Collector<'_>,
    frame: &RowContext,
) -> Result<Parsed, StreamError> {
    let mut lines = LineReader::new(stream, bytes_max);
    let head = lines.peek()?;
    let format = recognise_format(head);
    let byte_order_mark = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    lines.skip(byte_order_mark);
    let mut parsed = match format {
        Ok(FileFormat::Csv) => rows::parse_rows(&mut lines, collector, &frame.reading, &frame.hints)?,
        Ok(FileFormat::Snapshots) => snapshot::parse_snapshot_rows(&mut lines, collector, frame.day_ms)?,
        Ok(FileFormat::Json) => json::parse_json_rows(&mut lines, collector, &frame.reading, &frame.hints)?,
        Ok(FileFormat::NestedJson) => {
            nested::parse_nested_rows(&mut lines, collector, &frame.reading, &frame.hints)?
        }
        #[cfg(feature = "columnar")]
        Ok(FileFormat::Feather) => super::columnar::parse_feather(&mut lines, collector, &frame.reading)?,
        #[cfg(feature = "columnar")]
        Ok(FileFormat::Parquet) => super::columnar::parse_parquet(&mut lines, collector, &frame.reading)?,
        #[cfg(not(feature = "columnar"))]
        Ok(format @ (FileFormat::Feather | FileFormat::Parquet)) => {
            Parsed { rejected: columnar(format).err(), ..Parsed::default() }
        }
        Err(rejection) => Parsed { rejected: Some(rejection), ..Parsed::default() },
    };
    lines.drain()?;
    (parsed.bytes, parsed.hash) = lines.digest();
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_format() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
        assert_eq!(recognise_format(pointer), Err(Rejection::LfsPointer));
        for empty in [&b""[..], b" \r\n", b"[]\n", b"{}", b"\xEF\xBB\xBF"] {
            assert_eq!(recognise_format(empty), Err(Rejection::Empty), "{empty:?}");
        }
        for other in [
            &b"[1,2]"[..],
            b"[{\"open\": 1}]",
            b"{\"t\": [1]}",
            b"FEA1",
            b"PARE",
            b"PK\x03\x04",
            b"\x1F\x8B\x08",
            b"<!doctype html>",
            b"<TABLE><tr>",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            b"%PDF-1.7",
            b"\x89HDF\r\n",
            b"SQLite format 3\0",
            b"\x80\x04\x95",
            b"\xFF\xFEa\0",
        ] {
            assert!(matches!(recognise_format(other), Err(Rejection::Unsupported { .. })), "{other:?}");
        }
        for csv in ["open_time,open", "1743700500,1", "<DATE>,<OPEN>"] {
            assert_eq!(recognise_format(csv.as_bytes()), Ok(FileFormat::Csv), "{csv:?}");
        }
        for json in ["[[1743700500", "\u{FEFF} [\n  [\n", "[ "] {
            assert_eq!(recognise_format(json.as_bytes()), Ok(FileFormat::Json), "{json:?}");
        }
        for json in [
            "{\"data\": [[1,2,3,4,5",
            "{\"t\":1,\"o\":1,\"h\":1,\"l\":1,\"c\":1}\n",
            "[1743700500,1,2,1,2]\n[",
        ] {
            let found = recognise_format(json.as_bytes());
            assert_eq!(found.is_ok(), !json.ends_with('5'), "{json:?}: {found:?}");
        }
        assert_eq!(
            document_of_archive(&["docProps/app.xml", "xl/workbook.xml"]).map(|found| found.to_string()),
            Some("unsupported format: Excel workbook; open it and save the sheet as CSV (UTF-8)".to_owned())
        );
        assert_eq!(document_of_archive(&["BTCUSDT-15m.csv"]), None);
        assert_eq!(recognise_format(b"time,coin,open"), Ok(FileFormat::Snapshots));
        let legacy = br#"{"scalping": [{"coin": "BNB", "signal_score": 80"#;
        assert_eq!(recognise_format(legacy), Err(Rejection::LegacyOpportunities));
    }

    #[test]
    fn names_promise_by_their_end() {
        let table = |format, gzip| Promise::Table { format, gzip };
        assert_eq!(format_by_name("BTCUSDT-15m.CSV"), table(FileFormat::Csv, false));
        assert_eq!(format_by_name("a.json.gz"), table(FileFormat::Json, true));
        assert_eq!(format_by_name("a.feather"), table(FileFormat::Feather, false));
        assert_eq!(format_by_name("a.parquet"), table(FileFormat::Parquet, false));
        assert_eq!(format_by_name("a.zip"), Promise::Archive);
        for other in ["a.gz", "a.csv.zst", "a.xlsx", "a.zip.CHECKSUM", "a.md", "a", "csv"] {
            assert!(matches!(format_by_name(other), Promise::Not(_)), "{other}");
        }
        assert_eq!(stem_of_name("BTC_USDT-15m.json.gz"), "BTC_USDT-15m");
        assert_eq!(stem_of_name("BTC_USDT_USDT-15m-futures.feather"), "BTC_USDT_USDT-15m-futures");
        assert_eq!(stem_of_name("é.csv"), "é");
    }
}

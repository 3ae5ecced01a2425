//! The trades a bot writes down for itself: `trades_history.csv` of the legacy bot, or the same as JSON.
//!
//! A CSV file has a header; columns are found by their names (those of the legacy, or English ones), in any order, and
//! unknown ones are skipped. JSON is a list of objects with the same names as keys. A time that cannot be read is
//! not known, as the legacy takes it; anything else that cannot be read is an error that names its line or record.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::opening::read_whole;
use super::time;
use super::time::TimeUnit;
use crate::model::{Direction, excerpt};

/// The largest file that is read.
pub(super) const FILE_BYTES_MAX: u64 = 64 << 20;

/// Why a file of trades cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LegacyTradesError {
    #[error("cannot read `{}`; check the path and that this user may read it", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("`{}`: expected at most {} MiB, found more; split the file", path.display(), FILE_BYTES_MAX >> 20)]
    TooLarge { path: PathBuf },
    #[error("`{}`: expected UTF-8 text, found other bytes at {byte}; save it as UTF-8", path.display())]
    NotUtf8 { path: PathBuf, byte: usize },
    #[error("`{}`, {place}: expected the end of a quoted cell, found the end of the file", path.display())]
    Quote { path: PathBuf, place: TradePlace },
    #[error(
        "`{}`: expected a column {} in the first line, found {found:?}",
        path.display(), names.join(" or ")
    )]
    Column { path: PathBuf, names: &'static [&'static str], found: String },
    #[error("`{}`, {place}: expected {expected} as {column}, found {found:?}", path.display())]
    Value { path: PathBuf, place: TradePlace, column: &'static str, expected: &'static str, found: String },
    #[error("`{}`: expected a JSON list of trades, found otherwise: {detail}", path.display())]
    Json { path: PathBuf, detail: String },
    #[error("`{}`: expected trades of freqtrade: {detail}", path.display())]
    Freqtrade { path: PathBuf, detail: String },
}

/// Where a trade stands in its file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradePlace {
    /// Line of a CSV file.
    Line(u64),
    /// Record of a JSON list.
    Record(u64),
}

impl fmt::Display for TradePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Record(record) => write!(f, "record {record}"),
        }
    }
}

/// A trade as its bot wrote it down; `None` where it is not known.
///
/// Units: instants in UTC ms, prices in quote currency, profit in account currency after costs
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LegacyTrade {
    /// The coin, without the currency it is priced in.
    pub coin: String,
    pub direction: Direction,
    pub opened_at_ms: Option<i64>,
    pub closed_at_ms: Option<i64>,
    pub exit_price: Option<f64>,
    /// `None` while the trade is open.
    pub profit: Option<f64>,
    pub signal_score: Option<f64>,
    pub consensus: Option<f64>,
    /// Why it was closed, in the bot's words.
    pub exit_reason: String,
}

/// A column by its names, the legacy one first.
struct TradeColumn {
    names: &'static [&'static str],
    required: bool,
}

const fn column(names: &'static [&'static str], required: bool) -> TradeColumn {
    TradeColumn { names, required }
}

/// The columns that are read, in the order of a row's cells.
const COLUMNS: [TradeColumn; 9] = [
    column(&["币种", "coin", "symbol"], true),
    column(&["方向", "direction", "side"], true),
    column(&["开仓时间", "opened_at"], true),
    column(&["平仓时间", "closed_at"], true),
    column(&["盈亏(U)", "profit"], true),
    column(&["平仓价格", "exit_price"], false),
    column(&["信号分数", "signal_score"], false),
    column(&["共振指标数", "consensus"], false),
    column(&["平仓理由", "平仓原因", "exit_reason"], false),
];

/// The cells of one trade, in the order of [`COLUMNS`]; empty where there is none.
type Row = (TradePlace, [String; COLUMNS.len()]);

/// Reads the trades of a file, in its order; `.json` is JSON, anything else CSV.
///
/// Units:     `offset_ms` is what clocks without an offset are ahead of UTC
/// Errors:    [`LegacyTradesError`], which names file and line or record
pub fn read_legacy_trades(path: &Path, offset_ms: i64) -> Result<Vec<LegacyTrade>, LegacyTradesError> {
    parse_legacy_trades(&bytes_of_trades(path)?, path, offset_ms)
}

/// Returns the bytes of a file of trades.
pub(super) fn bytes_of_trades(path: &Path) -> Result<Vec<u8>, LegacyTradesError> {
    read_whole(path, FILE_BYTES_MAX).map_err(|source| match source.kind() {
        ErrorKind::FileTooLarge => LegacyTradesError::TooLarge { path: path.to_owned() },
        _ => LegacyTradesError::Read { path: path.to_owned(), source },
    })
}

/// Parses the content of a file, whose path says what it is. See [`read_legacy_trades`].
pub fn parse_legacy_trades(
    bytes: &[u8],
    path: &Path,
    offset_ms: i64,
) -> Result<Vec<LegacyTrade>, LegacyTradesError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| LegacyTradesError::NotUtf8 { path: path.to_owned(), byte: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let rows = if is_json { json_rows(text, path)? } else { csv_rows(text, path)? };
    rows.iter().map(|row| trade(row, path, offset_ms)).collect()
}

fn json_rows(text: &str, path: &Path) -> Result<Vec<Row>, LegacyTradesError> {
    let records: Vec<Map<String, Value>> = serde_json::from_str(text).map_err(|error| {
        LegacyTradesError::Json { path: path.to_owned(), detail: excerpt(&error.to_string()).into_owned() }
    })?;
    let cell = |record: &Map<String, Value>, column: &TradeColumn| {
        let value = column.names.iter().find_map(|name| record.get(*name));
        match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(value) => value.to_string(),
        }
    };
    let row = |(record, number): (&Map<String, Value>, u64)| {
        (TradePlace::Record(number), COLUMNS.each_ref().map(|column| cell(record, column)))
    };
    Ok(records.iter().zip(1..).map(row).collect())
}

fn csv_rows(text: &str, path: &Path) -> Result<Vec<Row>, LegacyTradesError> {
    let mut records = Records { rest: text, line: 1 };
    let fail = |line| LegacyTradesError::Quote { path: path.to_owned(), place: TradePlace::Line(line) };
    let Some((_, header)) = records.next_record().map_err(fail)? else { return Ok(Vec::new()) };
    let mut places = [None; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(&COLUMNS) {
        *place = column.names.iter().find_map(|name| header.iter().position(|head| head == name));
        if column.required && place.is_none() {
            let found = excerpt(&header.join(",")).into_owned();
            return Err(LegacyTradesError::Column { path: path.to_owned(), names: column.names, found });
        }
    }
    let mut rows = Vec::new();
    while let Some((line, cells)) = records.next_record().map_err(fail)? {
        if cells.iter().any(|cell| !cell.is_empty()) {
            let cell = |place: Option<usize>| place.and_then(|place| cells.get(place)).cloned();
            rows.push((TradePlace::Line(line), places.map(|place| cell(place).unwrap_or_default())));
        }
    }
    Ok(rows)
}

/// The records of a CSV text; cells in double quotes may hold commas, line breaks and doubled quotes.
struct Records<'a> {
    rest: &'a str,
    line: u64,
}

impl Records<'_> {
    /// Returns the next record with its line, cells trimmed; the error is the line of a quote that is never closed.
    fn next_record(&mut self) -> Result<Option<(u64, Vec<String>)>, u64> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (start, mut cells) = (self.line, vec![String::new()]);
        let mut chars = self.rest.char_indices().peekable();
        let (mut quoted, mut end) = (false, self.rest.len());
        while let Some((at, c)) = chars.next() {
            let cell = cells.last_mut().expect("a record has a cell");
            self.line += u64::from(c == '\n');
            match c {
                '"' if quoted && chars.next_if(|(_, next)| *next == '"').is_some() => cell.push('"'),
                '"' if quoted || cell.trim().is_empty() => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                c => cell.push(c),
            }
        }
        if quoted {
            return Err(start);
        }
        self.rest = &self.rest[end..];
        Ok(Some((start, cells.iter().map(|cell| cell.trim().to_owned()).collect())))
    }
}

fn trade(row: &Row, path: &Path, offset_ms: i64) -> Result<LegacyTrade, LegacyTradesError> {
    let (place, [coin, side, opened, closed, profit, exit_price, score, consensus, exit_reason]) = row;
    let wrong = |column: usize, expected: &'static str, found: &str| LegacyTradesError::Value {
        path: path.to_owned(),
        place: *place,
        column: COLUMNS[column].names[0],
        expected,
        found: excerpt(found).into_owned(),
    };
    let optional = |column: usize, text: &str| match number(text) {
        None if !is_nothing(text) => Err(wrong(column, "a number, or nothing", text)),
        value => Ok(value),
    };
    let is_open = is_nothing(closed);
    let profit = match number(profit) {
        None if !is_open => return Err(wrong(4, "the profit of a closed trade", profit)),
        value => value.filter(|_| !is_open),
    };
    Ok(LegacyTrade {
        coin: coin_of(coin).ok_or_else(|| wrong(0, "a coin such as BTC or BTC/USDT:USDT", coin))?,
        direction: direction(side).ok_or_else(|| wrong(1, "long or short (多 or 空)", side))?,
        opened_at_ms: instant(opened, offset_ms),
        closed_at_ms: instant(closed, offset_ms),
        exit_price: optional(5, exit_price)?.filter(|price| *price > 0.0),
        profit,
        signal_score: optional(6, score)?,
        consensus: optional(7, consensus)?,
        exit_reason: exit_reason.clone(),
    })
}

/// Returns the coin of a market's name: `BTC` for `BTC/USDT:USDT`, `BTC-USDT`, `btcusdt` or `BTC`.
pub fn coin_of(name: &str) -> Option<String> {
    let base = name.split(['/', '-', '_', ':']).next().unwrap_or(name).trim().to_ascii_uppercase();
    let quotes = ["USDT", "USDC", "BUSD", "FDUSD", "USD"];
    let bare = quotes.iter().find_map(|quote| base.strip_suffix(quote)).filter(|bare| !bare.is_empty());
    let coin = bare.unwrap_or(&base);
    let plain = !coin.is_empty() && coin.len() <= 32 && coin.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| coin.to_owned())
}

fn direction(text: &str) -> Option<Direction> {
    match text.to_ascii_lowercase().as_str() {
        "多" | "做多" | "多头" | "long" | "buy" => Some(Direction::Long),
        "空" | "做空" | "空头" | "short" | "sell" => Some(Direction::Short),
        _ => None,
    }
}

fn is_nothing(text: &str) -> bool {
    ["", "-", "nan", "none", "null", "n/a"].contains(&text.to_ascii_lowercase().as_str())
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Returns an instant in UTC ms; a clock without an offset is `offset_ms` ahead of UTC.
pub fn instant(text: &str, offset_ms: i64) -> Option<i64> {
    let (ms, unit) = time::parse_time(text.as_bytes()).ok()?;
    let clock = text.get(10..).unwrap_or_default();
    let has_offset = clock.contains(['Z', 'z', '+', '-']) || clock.ends_with("GMT") || clock.ends_with("UTC");
    Some(if unit == TimeUnit::Text && !has_offset { ms - offset_ms } else { ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HOUR_MS;
    use proptest::prelude::*;

    const HEADER: &str = "开仓时间,平仓时间,币种,方向,数量,开仓价格,平仓价格,仓位(U),杠杆率,止损,止盈,盈亏比,盈亏(U),\
                          开仓理由,平仓理由,信号分数,共振指标数";

    fn csv(text: &str) -> Result<Vec<LegacyTrade>, String> {
        parse_legacy_trades(text.as_bytes(), Path::new("a.csv"), 0).map_err(|error| error.to_string())
    }

    #[test]
    fn the_legacy_file_is_read_with_quotes_and_line_breaks() {
        let text = format!(
            "\u{feff}{HEADER}\r\n2025-11-20 13:00:00,2025-11-20 14:30:00,BTC,多,0.01,90000,90500,100,3,89000,91000,2.0,\
             5.5,\"a, \"\"b\"\"\nc\",触发止盈,88,3\r\n\r\n2025-11-20 15:00:00,,ETH/USDT:USDT,空,1,3000,,100,3,,,,0,x,,,\r\n"
        );
        let trades = csv(&text).expect("sound");
        let first = LegacyTrade {
            coin: "BTC".to_owned(),
            direction: Direction::Long,
            opened_at_ms: instant("2025-11-20 13:00:00", 0),
            closed_at_ms: instant("2025-11-20 14:30:00", 0),
            exit_price: Some(90_500.0),
            profit: Some(5.5),
            signal_score: Some(88.0),
            consensus: Some(3.0),
            exit_reason: "触发止盈".to_owned(),
        };
        assert_eq!(trades[0], first);
        let (coin, profit, closed) = (trades[1].coin.as_str(), trades[1].profit, trades[1].closed_at_ms);
        assert_eq!((trades.len(), coin, profit, closed), (2, "ETH", None, None));
        assert_eq!(trades[1].direction, Direction::Short);
    }

    #[test]
    fn json_says_the_same() {
        let text = r#"[{"币种": "BTC", "方向": "多", "开仓时间": "bad", "平仓时间": "2025-11-20T13:00:00+08:00", "盈亏(U)": -4},
                       {"coin": "ETHUSDT", "side": "short", "opened_at": 1763640000000, "closed_at": null, "profit": null}]"#;
        let trades = parse_legacy_trades(text.as_bytes(), Path::new("a.JSON"), HOUR_MS).expect("sound");
        assert_eq!((trades[0].opened_at_ms, trades[0].profit), (None, Some(-4.0)));
        assert_eq!(trades[0].closed_at_ms, instant("2025-11-20 05:00:00", 0));
        assert_eq!((trades[1].opened_at_ms, trades[1].profit), (Some(1_763_640_000_000), None));
    }

    #[test]
    fn clocks_without_an_offset_are_those_of_the_bot() {
        let utc = instant("2025-11-20 05:00:00", 0);
        assert_eq!(instant("2025-11-20 13:00:00", 8 * HOUR_MS), utc);
        for text in
            ["2025-11-20T05:00:00Z", "2025-11-20 05:00:00 UTC", "2025-11-20T13:00:00+08:00", "1763614800"]
        {
            assert_eq!(instant(text, 8 * HOUR_MS), utc, "{text}");
        }
        assert_eq!(instant("yesterday", 0), None);
    }

    #[test]
    fn names_of_markets_are_coins() {
        for name in ["BTC", "btcusdt", "BTC/USDT:USDT", "BTC-USDT", "BTC_USDC", "BTCUSD"] {
            assert_eq!(coin_of(name).as_deref(), Some("BTC"), "{name}");
        }
        assert_eq!([coin_of(""), coin_of("比特币")], [None, None]);
        assert_eq!(coin_of("USDT").as_deref(), Some("USDT"));
    }

    #[test]
    fn errors_name_the_line_and_what_was_expected() {
        let row =
            |cells: &str| csv(&format!("coin,side,opened_at,closed_at,profit,signal_score\n\n{cells}\n"));
        for (cells, wanted) in [
            (
                ",long,,,,",
                "`a.csv`, line 3: expected a coin such as BTC or BTC/USDT:USDT as 币种, found \"\"",
            ),
            ("BTC,up,,,,", "expected long or short (多 or 空) as 方向, found \"up\""),
            (
                "BTC,long,,2025-01-01,x,",
                "line 3: expected the profit of a closed trade as 盈亏(U), found \"x\"",
            ),
            ("BTC,long,,,,many", "expected a number, or nothing as 信号分数, found \"many\""),
            ("BTC,long,,,\"1,", "line 3: expected the end of a quoted cell"),
        ] {
            let error = row(cells).expect_err(cells);
            assert!(error.contains(wanted), "{cells}: {error}");
        }
        let error = csv("coin,side,opened_at,closed_at\n").expect_err("no profit");
        assert!(error.contains("a column 盈亏(U) or profit in the first line, found \"coin,side"), "{error}");
        assert_eq!(csv(""), Ok(Vec::new()));
        let bytes = [b'a', 0xFF];
        let error = parse_legacy_trades(&bytes, Path::new("a.csv"), 0).expect_err("not text").to_string();
        assert!(error.contains("UTF-8 text, found other bytes at 1"), "{error}");
        let error = parse_legacy_trades(b"{}", Path::new("a.json"), 0).expect_err("no list").to_string();
        assert!(error.contains("expected a JSON list of trades"), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\",\n a1多]{0,60}") {
            let paths = ["a.csv", "a.json"].map(Path::new);
            let header = "coin,side,opened_at,closed_at,profit\n";
            for path in paths {
                let _ = parse_legacy_trades(&bytes, path, 0);
                let _ = parse_legacy_trades(format!("{header}{text}").as_bytes(), path, 0);
            }
        }
    }
}

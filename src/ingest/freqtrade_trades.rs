//! Trades as freqtrade writes them: the result of a backtest (`.zip`, or `.json` of before 2025), and what `/api/v1/trades` answers.
//!
//! Its clocks are UTC, and a trade says itself whether it is open.
//!
//! Source: freqtrade 2026.9, files it wrote

use std::io::{Cursor, Read};
use std::path::Path;

use serde_json::{Map, Value};

use super::legacy_opportunities::with_words_for;
use super::legacy_trades::{
    FILE_BYTES_MAX, LegacyTrade, LegacyTradesError, TradePlace, bytes_of_trades, coin_of, instant,
    parse_legacy_trades,
};
use crate::model::{Direction, excerpt};

/// How a zip archive begins.
const ZIP: &[u8] = b"PK\x03\x04";
/// Members of an archive that are looked at.
const MEMBERS_MAX: usize = 1_000;

/// Reads the trades of a bot: of freqtrade by what the file holds, else those of [`super::read_legacy_trades`].
///
/// Units:     `offset_ms` is what clocks without an offset are ahead of UTC, where they are not freqtrade's
/// Errors:    [`LegacyTradesError`], which names file and line or record
pub fn read_bot_trades(path: &Path, offset_ms: i64) -> Result<Vec<LegacyTrade>, LegacyTradesError> {
    parse_bot_trades(&bytes_of_trades(path)?, path, offset_ms)
}

fn parse_bot_trades(
    bytes: &[u8],
    path: &Path,
    offset_ms: i64,
) -> Result<Vec<LegacyTrade>, LegacyTradesError> {
    match freqtrade_trades(bytes, path)? {
        Some(trades) => Ok(trades),
        None => parse_legacy_trades(bytes, path, offset_ms),
    }
}

/// Returns the trades of a file of freqtrade; `None` for what is no such file.
///
/// Errors: an archive without the result of a backtest, several strategies, a trade that lacks what every trade has
fn freqtrade_trades(bytes: &[u8], path: &Path) -> Result<Option<Vec<LegacyTrade>>, LegacyTradesError> {
    if bytes.starts_with(ZIP) {
        return result_of_zip(bytes, path).and_then(|document| trades_of(&document, path));
    }
    // What is no JSON is read as a table.
    match json(bytes) {
        Some(document) => trades_of(&document, path),
        None => Ok(None),
    }
}

fn fail(path: &Path, detail: String) -> LegacyTradesError {
    LegacyTradesError::Freqtrade { path: path.to_owned(), detail }
}

/// Parses JSON in which NaN may stand.
fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(&with_words_for(bytes, b"null")).ok()
}

/// Returns the result of a backtest in its archive, which also has configuration, parameters and source.
fn result_of_zip(bytes: &[u8], path: &Path) -> Result<Value, LegacyTradesError> {
    let damaged = |error: zip::result::ZipError| fail(path, excerpt(&error.to_string()).into_owned());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut others = Vec::new();
    for index in 0..archive.len().min(MEMBERS_MAX) {
        let member = archive.by_index(index).map_err(damaged)?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        if !name.ends_with(".json") || name.ends_with("_config.json") {
            continue;
        }
        let mut content = Vec::new();
        let read = member.take(FILE_BYTES_MAX + 1).read_to_end(&mut content);
        read.map_err(|error| fail(path, format!("{}: {error}", excerpt(&name))))?;
        if content.len() as u64 > FILE_BYTES_MAX {
            return Err(LegacyTradesError::TooLarge { path: path.to_owned() });
        }
        match json(&content).filter(|document| document.get("strategy").is_some_and(Value::is_object)) {
            Some(document) => return Ok(document),
            None => others.push(excerpt(&name).into_owned()),
        }
    }
    let others = if others.is_empty() { "no JSON".to_owned() } else { others.join(", ") };
    Err(fail(path, format!("expected a member with the result of a backtest, found {others}")))
}

/// Returns the trades of a document; `None` where it is none of freqtrade's.
fn trades_of(document: &Value, path: &Path) -> Result<Option<Vec<LegacyTrade>>, LegacyTradesError> {
    let is_trade = |value: &Value| value.get("pair").is_some() && value.get("open_rate").is_some();
    let list = match document {
        Value::Object(object) => match (object.get("strategy"), object.get("trades")) {
            (Some(Value::Object(strategies)), _) => match strategies.iter().collect::<Vec<_>>()[..] {
                [(_, only)] => only.get("trades"),
                ref several => {
                    let names: Vec<String> =
                        several.iter().map(|(name, _)| excerpt(name).into_owned()).collect();
                    let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                    return Err(fail(path, format!("expected one strategy, found {found}")));
                }
            },
            (_, trades) => trades,
        },
        Value::Array(list) if list.first().is_some_and(is_trade) => Some(document),
        _ => return Ok(None),
    };
    let Some(Value::Array(list)) = list else {
        return Err(fail(
            path,
            "expected `trades`, or `strategy` with the trades of one, found neither".to_owned(),
        ));
    };
    let empty = Map::new();
    let read = |(record, number): (&Value, u64)| trade(record.as_object().unwrap_or(&empty), number, path);
    list.iter().zip(1..).map(read).collect::<Result<_, _>>().map(Some)
}

fn trade(record: &Map<String, Value>, number: u64, path: &Path) -> Result<LegacyTrade, LegacyTradesError> {
    let wrong = |column: &'static str, expected: &'static str| LegacyTradesError::Value {
        path: path.to_owned(),
        place: TradePlace::Record(number),
        column,
        expected,
        found: excerpt(&record.get(column).map_or_else(String::new, Value::to_string)).into_owned(),
    };
    let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| record.get(key).and_then(Value::as_f64);
    let time = |stamp: &str, date: &str| {
        record.get(stamp).and_then(Value::as_i64).filter(|ms| *ms > 0).or_else(|| instant(text(date), 0))
    };
    let is_open = match (record.get("is_open"), record.get("close_date")) {
        (Some(Value::Bool(is_open)), _) => *is_open,
        (_, None | Some(Value::Null)) => true,
        _ => false,
    };
    let is_short = record.get("is_short") == Some(&Value::Bool(true));
    let profit = number("close_profit_abs").or_else(|| number("profit_abs"));
    let closed = time("close_timestamp", "close_date");
    if !is_open && profit.is_none() {
        return Err(wrong("profit_abs", "the profit of a closed trade"));
    }
    if !is_open && closed.is_none() {
        return Err(wrong("close_date", "the time of a closed trade"));
    }
    let reason = if record.contains_key("exit_reason") { "exit_reason" } else { "sell_reason" };
    Ok(LegacyTrade {
        coin: coin_of(text("pair")).ok_or_else(|| wrong("pair", "a pair such as BTC/USDT:USDT"))?,
        direction: if is_short { Direction::Short } else { Direction::Long },
        opened_at_ms: Some(
            time("open_timestamp", "open_date").ok_or_else(|| wrong("open_date", "the time of the entry"))?,
        ),
        closed_at_ms: closed.filter(|_| !is_open),
        exit_price: number("close_rate").filter(|price| *price > 0.0 && !is_open),
        profit: profit.filter(|_| !is_open),
        signal_score: None,
        consensus: None,
        exit_reason: text(reason).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A trade as a backtest writes it, shortened.
    const CLOSED: &str = r#"{"pair": "BTC/USDT:USDT", "open_date": "2025-03-01 02:45:00+00:00",
        "close_date": "2025-03-01 06:45:00+00:00", "open_rate": 85445.5, "close_rate": 85010.7, "profit_ratio": NaN,
        "profit_abs": 0.35, "exit_reason": "roi", "is_open": false, "is_short": true, "open_timestamp": 1740797100000,
        "close_timestamp": 1740811500000}"#;
    /// An open one as the API has it: its clock says no offset, and is UTC.
    const OPEN: &str = r#"{"pair": "ETH/USDT", "open_date": "2025-03-01 02:45:00", "close_date": null, "open_rate": 3000.0,
        "close_rate": null, "profit_abs": 1.5, "is_open": true, "exit_reason": null}"#;

    fn read(bytes: &[u8], name: &str) -> Result<Vec<LegacyTrade>, String> {
        parse_bot_trades(bytes, Path::new(name), 8 * 3_600_000).map_err(|error| error.to_string())
    }

    fn zipped(members: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begun");
            archive.write_all(content.as_bytes()).expect("written");
        }
        archive.finish().expect("ended").into_inner()
    }

    #[test]
    fn results_of_backtests_and_answers_of_the_api_are_trades() {
        let result = format!(
            r#"{{"strategy": {{"Demo": {{"trades": [{CLOSED}, {OPEN}]}}}}, "strategy_comparison": []}}"#
        );
        let archive = zipped(&[
            ("b_config.json", r#"{"strategy": {}}"#),
            ("b_Demo.json", r#"{"strategy_name": "Demo"}"#),
            ("b_signals.pkl", "\u{1}"),
            ("b.json", &result),
        ]);
        let api = format!(r#"{{"trades": [{CLOSED}, {OPEN}], "trades_count": 2}}"#);
        let list = format!("[{CLOSED}, {OPEN}]");
        let expected = LegacyTrade {
            coin: "BTC".to_owned(),
            direction: Direction::Short,
            opened_at_ms: Some(1_740_797_100_000),
            closed_at_ms: Some(1_740_811_500_000),
            exit_price: Some(85_010.7),
            profit: Some(0.35),
            signal_score: None,
            consensus: None,
            exit_reason: "roi".to_owned(),
        };
        for (bytes, name) in [
            (archive.as_slice(), "b.zip"),
            (result.as_bytes(), "b.json"),
            (api.as_bytes(), "trades.json"),
            (list.as_bytes(), "status.json"),
        ] {
            let trades = read(bytes, name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((trades.len(), &trades[0]), (2, &expected), "{name}");
            let open = &trades[1];
            assert_eq!((open.coin.as_str(), open.direction), ("ETH", Direction::Long));
            assert_eq!(
                (open.opened_at_ms, open.closed_at_ms, open.profit),
                (Some(1_740_797_100_000), None, None)
            );
        }
    }

    #[test]
    fn what_is_no_list_of_trades_is_said() {
        for (bytes, wanted) in [
            (zipped(&[("a.txt", "x")]), "expected a member with the result of a backtest, found no JSON"),
            (zipped(&[("a.json", "{}")]), "found a.json"),
            (b"PK\x03\x04 cut".to_vec(), "`a.json`: expected trades of freqtrade: "),
            (br#"{"strategy": {"A": {}, "B": {}}}"#.to_vec(), "expected one strategy, found A, B"),
            (br#"{"strategy": {"A": {}}}"#.to_vec(), "expected `trades`"),
            (
                format!("[{}]", CLOSED.replace("0.35", "null")).into_bytes(),
                "record 1: expected the profit of a closed trade as profit_abs",
            ),
        ] {
            let error = read(&bytes, "a.json").expect_err(wanted);
            assert!(error.contains(wanted), "{error}");
        }
    }
}

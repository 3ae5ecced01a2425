//! Rows of text become candles, or say why not.

use super::*;
use crate::ingest::collector::span;
use crate::ingest::format::{self, RowContext};
use crate::model::{Candle, Symbol};
use proptest::prelude::*;

const HEADER: &str = "open_time,open,high,low,close,volume";
const ROW: &str = "1743700500000,10,12,9,11,5";

fn parsed(text: impl AsRef<[u8]>) -> Parsed {
    let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
    let mut bytes = text.as_ref();
    format::parse_stream(&mut bytes, 1 << 20, Collector::new(&symbol, 0), &RowContext::default())
        .expect("a slice does not fail")
}

fn kinds(parsed: &Parsed) -> Vec<(IssueKind, u64, Vec<u64>)> {
    parsed.issues.iter().map(|issue| (issue.kind, issue.count, issue.lines.clone())).collect()
}

#[test]
fn quirks_around_rows_are_survived() {
    let wanted =
        Candle { open_time: 1_743_700_500_000, open: 10.0, high: 12.0, low: 9.0, close: 11.0, volume: 5.0 };
    let texts = [
        format!("{HEADER}\n{ROW}\n"),
        format!("\u{FEFF}{HEADER}\r\n{ROW}\r\n\r\n"),
        format!("{HEADER}\n\n  \n{ROW}\n"),
        format!("{HEADER},\n{ROW},\n"),
        format!("{HEADER}\n{ROW},\n"),
        "Price,Close,High,Low,Open,Volume\nTicker,BTC-USDT,BTC-USDT,BTC-USDT,BTC-USDT,BTC-USDT\nDatetime,,,,,\n2025-04-03 17:15:00+00:00,11,12,9,10,5\n"
            .to_owned(),
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>\n2025.04.03\t17:15:00\t10\t12\t9\t11\t5\n"
            .to_owned(),
        "Datum;Uhrzeit;Eröffnung;Hoch;Tief;Schluss;Volumen\n03.04.2025;17:15;10;12;9;11;5\n".to_owned(),
        ",open,high,low,close,volume\ntimestamp,,,,,\n1743700500,10,12,9,11,5\n".to_owned(),
        "Volume,close,LOW,High,open,Date\n5,1.1e1,9,12,1E+1,2025-04-03 17:15:00\n".to_owned(),
        format!("{ROW},1743701399999,1,1,1,1,0"),
    ];
    for text in texts {
        let parsed = parsed(&text);
        assert_eq!(parsed.rejected, None, "{text:?}");
        assert_eq!(parsed.rows.iter().map(|row| row.candle).collect::<Vec<_>>(), [wanted], "{text:?}");
        assert_eq!(parsed.issues, [], "{text:?}");
    }
}

#[test]
fn lines_that_are_no_rows_are_told_apart() {
    let parsed = parsed(format!(
        "https://example.com\n# note\n{HEADER}\n{ROW}\nNULL,1,1,1,1,1\n{ROW}\n{HEADER}\n{ROW},7\n{ROW}\n1743700500000,10,1"
    ));
    assert_eq!(parsed.rejected, None);
    assert_eq!((parsed.rows.len(), parsed.rows_seen, parsed.rows_bad), (3, 5, 2));
    let expected = [
        (IssueKind::Comment, 3, vec![1, 2, 7]),
        (IssueKind::BadRow, 2, vec![5, 8]),
        (IssueKind::PartialLastLine, 1, vec![10]),
    ];
    assert_eq!(kinds(&parsed), expected);
    assert_eq!(
        parsed.issues[1].cause.to_string(),
        "open time: expected seconds, milliseconds, microseconds, nanoseconds or text like \
         `2025-01-31 17:15:00`, found \"NULL\""
    );
}

#[test]
fn a_last_row_without_a_newline_counts_only_where_it_is_whole() {
    const ALL: &str = "10,12,9,11";
    let time = |index: i64| 1_743_700_500_000 + index * 900_000;
    let fixed: String = (0..100).map(|index| format!("{},{ALL},{index}.12345678\n", time(index))).collect();
    let (next, close) = (time(100), time(101) - 1);
    for (text, counts) in [
        (format!("{HEADER}\n{ROW}\n{next},{ALL},5"), false),
        (format!("{HEADER}\n{ROW}\n{next},{ALL},5\r"), true),
        (format!("{HEADER}\n{ROW}\n{next},{ALL},5,"), true),
        (format!("{HEADER}\n{ROW}\n{next},{ALL},5 "), true),
        (format!("{HEADER}\n{ROW}\n{next},{ALL},"), false),
        (format!("{HEADER}\n{ROW}\n{next},{ALL},x"), false),
        (format!("{HEADER}\n{ROW}\n{next},{ALL},\"5\""), true),
        (format!("{HEADER}\n{ROW}\n{next},{ALL},\"5"), false),
        (format!("{HEADER}\n{fixed}{next},{ALL},5.00000000"), true),
        (format!("{HEADER}\n{fixed}{next},{ALL},5.0000000"), false),
        (format!("{HEADER},turnover\n{ROW},7\n{next},{ALL},5,7"), true),
        (format!("{HEADER},symbol\n{ROW},BTCUSDT\n{next},{ALL},5,BTCUSDT"), false),
        (format!("{HEADER},close_time\n{ROW},1743701399999\n{next},{ALL},5,{close}"), false),
        (format!("{HEADER},confirm\n{ROW},1\n{next},{ALL},5,1"), false),
        (format!("open,high,low,close,volume,time\n{ALL},5,1743700500\n{ALL},5,1743790500"), false),
    ] {
        let parsed = parsed(&text);
        let before = if text.contains(&fixed) { 100 } else { 1 };
        assert_eq!(parsed.rejected, None, "{text:?}");
        assert_eq!(parsed.rows.len(), before + usize::from(counts), "{text:?}");
        let told = kinds(&parsed).iter().any(|(kind, ..)| *kind == IssueKind::PartialLastLine);
        assert_eq!((told, parsed.rows_bad), (!counts, 0), "{text:?}");
    }
}

#[test]
fn a_second_header_changes_the_columns() {
    let parsed = parsed(format!("{HEADER}\n{ROW}\ntime,close,low,high,open\n1743701400,11,9,12,10\n"));
    assert_eq!(parsed.rows.iter().map(|row| row.candle.open).collect::<Vec<_>>(), [10.0, 10.0]);
    assert_eq!(parsed.rows[1].candle.volume, 0.0);
    assert_eq!(kinds(&parsed), [(IssueKind::Comment, 1, vec![3]), (IssueKind::NoVolume, 1, vec![3])]);
}

#[test]
fn impossible_candles_and_other_symbols_are_left_out() {
    let text = "time,symbol,open,high,low,close,volume\n\
                1743700500,BTC/USDT,10,12,9,11,5\n1743701400,BTC/USDT,10,9,9,9,5\n\
                1743702300,ETH/USDT,10,12,9,11,5\n1743703200,BTCUSDT,nan,12,9,11,5\n1743704100,BTC/USDT:USDT,10,12,9,11,5\n";
    let parsed = parsed(text);
    assert_eq!(parsed.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 6]);
    let expected = [
        (IssueKind::Impossible(crate::model::CandleError::HighTooLow), 1, vec![3]),
        (IssueKind::OtherSymbol, 1, vec![4]),
        (IssueKind::Impossible(crate::model::CandleError::NotFinite), 1, vec![5]),
    ];
    assert_eq!(kinds(&parsed), expected);
}

#[test]
fn files_that_are_no_candles_say_so() {
    let rejected = |text: &str| parsed(text).rejected;
    assert_eq!(rejected(" \n\n"), Some(Rejection::Empty));
    assert_eq!(rejected(&format!("{HEADER}\n")), Some(Rejection::NoRows));
    assert_eq!(rejected(ROW), Some(Rejection::NoRows), "the only row may be cut");
    assert_eq!(
        rejected("1743700500,1,2,1,2,1.5,9,17\n"),
        Some(Rejection::UnprovenColumns {
            line: 1,
            columns: 8,
            rows: 1,
            why: "which prices are the high and the low".into()
        })
    );
    let words = "\na b c\nd e f\n".repeat(30);
    assert_eq!(rejected(&words), Some(Rejection::NoHeader { line: 2, found: "a b c".to_owned() }));
}

#[test]
fn rows_say_themselves_what_they_lack() {
    let header = "open_time,open,high,low,close,volume,confirm,exchange";
    let row = |minute: i64, rest: &str| format!("{},{rest}\n", 1_743_700_500 + minute * 60);
    let rows = [
        row(0, "10,12,9,11,,1,binance"),
        row(15, "10,12,9,11,NaN,true,Binance"),
        row(30, "NaN,,null,,5,1,binance"),
        row(45, "10,12,9,12.001,5,1,"),
        row(60, "10,12,9,11,5,maybe,binance"),
        row(75, "10,12,9,11,5,0,binance"),
    ];
    let read = parsed(format!("{header}\n{}", rows.concat()));
    assert_eq!((&read.rejected, read.rows.len(), read.rows_seen, read.rows_bad), (&None, 3, 6, 1));
    assert_eq!((read.rows[0].candle.volume, read.rows[2].candle.high), (0.0, 12.001));
    assert_eq!(read.unfinished, [1_743_705_000_000]);
    let expected = [
        (IssueKind::UnknownVolume, 2, vec![2, 3]),
        (IssueKind::NoCandle, 1, vec![4]),
        (IssueKind::Widened, 1, vec![5]),
        (IssueKind::BadRow, 1, vec![6]),
        (IssueKind::Unfinished, 1, vec![7]),
    ];
    assert_eq!(kinds(&read), expected);
    let two = parsed(format!("{header}\n{}{}", rows[0], row(90, "10,12,9,11,5,1,okx")));
    let first = "binance".to_owned();
    let rejection =
        Rejection::TwoSeries { column: "exchange".into(), first, second: "okx".to_owned(), line: 3 };
    assert_eq!(two.rejected, Some(rejection));
}

#[test]
fn a_header_that_is_not_understood_is_never_read_past() {
    let fault = |text: &str| parsed(text).rejected.map(|rejection| rejection.to_string()).unwrap_or_default();
    for header in [
        "a,b,d,e,f,g",
        "Price,Close,High,Low,Open,Volume",
        "time,open,high,low,price,volume",
        "x y,1a,2b,3c,4d,5e",
    ] {
        let text = format!("{header}\n{}", format!("{ROW}\n").repeat(9));
        assert!(
            fault(&text).starts_with("expected columns for open_time, open, high, low and close, found no"),
            "{header}: {}",
            fault(&text)
        );
        assert!(fault(&text).ends_with("or say what they hold by `[data] columns = [...]`"));
    }
    let between = fault(&format!("{HEADER}\n{ROW}\nPrice,Close,High,Low,Open,Volume\n{ROW}\n"));
    assert!(between.contains("the header in line 3"), "{between}");
    let spaced = fault(&format!("time open high low close volume\n{}", format!("{ROW}\n").repeat(9)));
    assert!(spaced.contains("found no column"), "{spaced}");
}

#[test]
fn close_times_in_seconds_count_to_the_end_of_the_second() {
    let span = |close: &str| {
        let (close, unit) = LocalClock::default().parse(close.as_bytes()).ok()?;
        span(1_743_700_500_000, close, unit)
    };
    assert_eq!(span("1743701399999"), Some(899_999));
    assert_eq!(span("1743701399"), Some(899_999));
    assert_eq!(span("2025-04-03 17:29:59"), Some(899_999));
    assert_eq!(span("1743701400000000"), Some(900_000));
    assert_eq!(span("1643701400000"), Some(0));
    assert_eq!(span("NULL"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let parsed = parsed(&bytes);
        prop_assert_eq!(parsed.bytes, bytes.len() as u64);
        prop_assert!(parsed.rows.len() as u64 + parsed.rows_bad <= parsed.rows_seen);
    }

    #[test]
    fn any_text_like_candles_is_survived(
        header in proptest::bool::ANY,
        text in "([0-9]{10}(000)?[,;|\"][-.0-9eEN,\"]{0,30}[\r\n#]|open_time,open,high,low,close\n|1743700500,1,2,1,[12],[0-9]\n){0,40}",
    ) {
        let text = if header { format!("{HEADER}\n{text}") } else { text };
        let parsed = parsed(&text);
        prop_assert!(parsed.rows.iter().all(|row| row.candle.check().is_ok()));
        prop_assert!(parsed.rows.len() as u64 + parsed.rows_bad <= parsed.rows_seen);
    }
}

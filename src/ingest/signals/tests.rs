use proptest::prelude::*;

use super::*;
use crate::model::{Direction, MINUTE_MS, Style};

/// 2025-04-03T17:15:00Z.
const INSTANT: i64 = 1_743_700_500_000;

fn read(text: impl AsRef<[u8]>) -> Result<SignalsFile, SignalsError> {
    SignalsFile::parse(
        text.as_ref(),
        Path::new("signals.csv"),
        Interval::M15,
        &ReadingOptions::default(),
        None,
    )
}

fn only(file: &SignalsFile) -> (&Symbol, GivenSignal, Vec<f64>) {
    let (symbol, given) = file.symbols.iter().next().expect("a symbol");
    (symbol, given.signals()[0], given.values(0).to_vec())
}

#[test]
fn columns_are_found_by_name_whatever_their_order_and_form() {
    let texts = [
        "symbol,time,direction,style,atr,b,a\nBTCUSDT,2025-04-03T17:15:00Z,long,swing,2.5,7,-1e-3\n",
        "a;b;atr;style;direction;time;symbol\n-0.001;7;2.5;SWING;buy;1743700500;BTC/USDT:USDT\n",
        "\u{FEFF}a|b|ATR|Style|Side|Timestamp|Pair\r\n\r\n-0.001|7.0|2.5|swing|1|1743700500000|btc-usdt\r\n",
        "\"symbol\",\"open_time\",\"direction\",\"style\",\"atr\",\"a\",\"b\"\nBTCUSDT,2025-04-03 17:00,+1,swing,2.5,-0.001,7,\n",
    ];
    for text in texts {
        let file = read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let signal = GivenSignal {
            time_ms: INSTANT,
            direction: Direction::Long,
            style: Some(Style::Swing),
            atr: Some(2.5),
            exit_ms: None,
        };
        let wanted = Symbol::parse("BTCUSDT").expect("a symbol");
        assert_eq!(only(&file), (&wanted, signal, vec![-0.001, 7.0]), "{text:?}");
        assert_eq!(file.numeric_columns().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((file.rows, file.duplicates, file.issues), (1, 0, Vec::new()));
    }
}

#[test]
fn an_exit_is_later_than_its_signal() {
    let exit_of = |cell: &str| {
        let text = format!("symbol,time,side,exit_time\nBTCUSDT,2025-04-03T17:15:00Z,long,{cell}\n");
        read(&text).map(|file| (only(&file).1.exit_ms, file.check_exits().is_ok()))
    };
    assert_eq!(exit_of("2025-04-03T18:00:00Z").expect("sound"), (Some(INSTANT + 45 * 60_000), true));
    assert_eq!(exit_of("").expect("sound"), (None, false));
    for cell in ["2025-04-03T17:15:00Z", "2025-04-02", "soon", "-1"] {
        let error = exit_of(cell).expect_err(cell).to_string();
        assert!(
            error.contains("column \"exit_time\": expected a time after that of the signal, or nothing"),
            "{error}"
        );
    }
    let two = "symbol,time,side,exit_time\nBTCUSDT,1743700500,long,1743704100\nBTCUSDT,1743700500,long,1743704101\n";
    let error = read(two).expect_err("two exits").to_string();
    assert!(error.contains("differ in column \"exit_time\""), "{error}");
    // Cut in its last cell, a time is no time, or another one.
    let cut = read(
        "symbol,time,side,exit_time\nBTCUSDT,1743700500,long,1743704100\nBTCUSDT,1743701400,long,17437041",
    );
    assert_eq!(cut.expect("the last row waits").rows, 1);
    let error = read("symbol,time,side\nBTCUSDT,1743700500,long\n")
        .expect("sound")
        .check_exits()
        .expect_err("none")
        .to_string();
    assert!(error.contains("expected a column `exit_time`"), "{error}");
}

#[test]
fn what_is_not_given_is_left_open() {
    let file = read("time,symbol,direction,style,atr,x,note\n1743700500,BTCUSDT,-1,,nan,,late entry\n")
        .expect("sound");
    let (_, signal, values) = only(&file);
    assert_eq!((signal.direction, signal.style, signal.atr), (Direction::Short, None, None));
    assert!(values.is_empty(), "neither column holds numbers");
    let contents: Vec<&ColumnContent> = file.columns.iter().map(|column| &column.content).collect();
    let text = ColumnContent::Text { at: RowPlace::Line(2), found: "late entry".to_owned() };
    assert_eq!(contents, [&text, &ColumnContent::Empty]);
    for (name, wanted) in [
        (
            "note",
            "`signals.csv`, column \"note\": expected numbers to filter on, found \"late entry\" in line 2",
        ),
        ("x", "no number in any row"),
        ("y", "no such column; columns of your own: \"note\", \"x\""),
    ] {
        let error = file.check_column(name).expect_err("no numbers").to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_missing_number_is_no_number() {
    let head = "symbol,time,direction,x\n";
    let file = read(format!("{head}A,1743700500,long,\nA,1743700501,long,3\nA,1743700502,long,NaN\n"))
        .expect("sound");
    let given = file.symbols.values().next().expect("a symbol");
    assert!(given.values(0)[0].is_nan() && given.values(2)[0].is_nan());
    assert_eq!(file.columns[0].content, ColumnContent::Numbers { min: 3.0, max: 3.0, missing: 2 });
    assert!(file.check_column("x").is_ok());
}

#[test]
fn mistakes_are_named_with_their_place() {
    let head = "symbol,time,direction,style,atr,x\n";
    let row = "BTCUSDT,1743700500,long,swing,2.5,1\n";
    let cases = [
        (
            format!("{head}{row}BTC USDT,1743700500,long,,,"),
            "line 3, column \"symbol\": expected a symbol such as BTCUSDT, found \"BTC USDT\"",
        ),
        (
            format!("{head}BTCUSDT,yesterday,long,,,"),
            "line 2, column \"time\": expected a time between 1990 and 2100",
        ),
        (format!("{head}BTCUSDT,45,long,,,"), "column \"time\""),
        (
            format!("{head}BTCUSDT,1743700500,up,,,"),
            "column \"direction\": expected long, short, buy, sell, 1 or -1, found \"up\"",
        ),
        (format!("{head}BTCUSDT,1743700500,0,,,"), "column \"direction\""),
        (
            format!("{head}BTCUSDT,1743700500,long,day,,"),
            "column \"style\": expected scalping, swing or nothing, found \"day\"",
        ),
        (format!("{head}BTCUSDT,1743700500,long,,-1,"), "column \"atr\": expected a positive number"),
        (
            format!("{head}{row}{row}BTCUSDT,1743700500,long\n"),
            "line 4: expected 6 fields as in the header, found 3",
        ),
        (format!("{head}{row}BTCUSDT,1743700500,long,,,1,2\n"), "line 3: expected 6 fields"),
        ("time,direction\n".to_owned(), "line 1: expected a column `symbol`"),
        (
            "symbol,direction\n".to_owned(),
            "expected a column `time` (when the signal was known), `open_time` or `close_time`",
        ),
        ("symbol,time,open_time,direction\n".to_owned(), "found more than one of them"),
        ("symbol,time\n".to_owned(), "expected a column `direction`"),
        ("symbol,pair,time,direction\n".to_owned(), "expected every column once, found \"pair\" twice"),
        ("symbol,time,direction,x,x\n".to_owned(), "found \"x\" twice"),
        ("BTCUSDT,1743700500,long\n".to_owned(), "found the header \"BTCUSDT,1743700500,long\""),
        ("[{\"symbol\": \"BTCUSDT\"}]".to_owned(), "expected signals as CSV with a header, found JSON"),
        (String::new(), "found an empty file"),
        ("# nothing\n".to_owned(), "found no line of text"),
        (format!("{head}{row}{}", "x".repeat(70_000)), "line 3, column \"the whole line\": expected a row"),
    ];
    for (text, wanted) in cases {
        let error = read(&text).map(|file| file.rows).expect_err(wanted).to_string();
        assert!(error.contains("`signals.csv`") && error.contains(wanted), "{error:?} without {wanted:?}");
    }
    let missing =
        SignalsFile::read(Path::new("/no/such/signals.csv"), Interval::M15, &ReadingOptions::default(), None);
    assert!(matches!(missing, Err(SignalsError::Read { .. })));
    let folder = SignalsFile::read(&std::env::temp_dir(), Interval::M15, &ReadingOptions::default(), None);
    assert!(matches!(folder, Err(SignalsError::NotRegular { found: "a folder", .. })));
}

#[test]
fn freqtrade_frames_are_read_as_they_are() {
    let head = "date,pair,close,rsi,enter_long,enter_short,exit_long,enter_tag\n";
    // Neither, both, and an entry beside its exit enter nothing, as in freqtrade.
    let rows = "2025-04-03 17:15:00+00:00,BTC/USDT:USDT,1.5,30,1,0,,dip\n\
                2025-04-03 17:30:00+00:00,BTC/USDT:USDT,1.5,31,0,0,,\n\
                2025-04-03 17:45:00+00:00,BTC/USDT:USDT,1.5,32,1,1,,dip\n\
                2025-04-03 18:00:00+00:00,BTC/USDT:USDT,1.5,33,1,,1,dip\n\
                2025-04-03 18:15:00+00:00,BTC/USDT:USDT,1.5,34,,1.0,True,top\n";
    let file = read(format!("{head}{rows}")).expect("sound");
    let given = &file.symbols[&Symbol::parse("BTCUSDT").expect("a symbol")];
    let found: Vec<(i64, Direction)> =
        given.signals().iter().map(|signal| (signal.time_ms, signal.direction)).collect();
    // The date is that of the open; nothing is known before the candle has closed.
    let quarter = 15 * MINUTE_MS;
    assert_eq!(found, [(INSTANT + quarter, Direction::Long), (INSTANT + 5 * quarter, Direction::Short)]);
    let columns: Vec<&str> = file.numeric_columns().collect();
    assert_eq!(columns, ["close", "enter_tag=dip", "enter_tag=top", "rsi"]);
    assert_eq!((given.values(0), given.values(1)), (&[1.5, 1.0, 0.0, 30.0][..], &[1.5, 0.0, 1.0, 34.0][..]));
    assert_eq!((file.rows, file.issues[0].kind, file.issues[0].count), (2, IssueKind::NoEntry, 3));
    assert_eq!(file.quartiles("rsi"), Some([30.0, 30.0, 30.0]));
    let text = file.check_column("enter_tag").expect_err("text").to_string();
    assert!(text.contains("found \"dip\" in line 2"), "{text}");
    let flag = read(format!("{head}2025-04-03 17:15,A,1,1,2,0,0,\n")).expect_err("no flag").to_string();
    assert!(flag.contains("column \"enter_long\": expected 0, 1 or nothing, found \"2\""), "{flag}");
    let short = read("pair,date,enter_short\nA,2025-04-03 17:15,1\n").expect("shorts only");
    assert_eq!(only(&short).1.direction, Direction::Short);
    // Beside a side and a time of their own these are columns as any other.
    let own = read("symbol,time,side,date,enter_long\nA,1743700500,sell,20250403,1\n").expect("sound");
    assert_eq!(own.numeric_columns().collect::<Vec<_>>(), ["date", "enter_long"]);
    assert_eq!(only(&own).1.time_ms, INSTANT);
}

#[test]
fn a_date_is_the_open_of_a_candle_of_the_signals_timeframe() {
    let rows = |minutes: i64| -> String {
        let row = |place: i64| format!("A,{},long\n", INSTANT / 1000 - 900 + place * minutes * 60);
        "pair,date,direction\n".to_owned() + &(0..30).map(row).collect::<String>()
    };
    let with = |text: &str, timeframe: Option<&str>| {
        let signals_timeframe = timeframe.map(|text| text.parse().expect("an interval"));
        let reading = ReadingOptions { signals_timeframe, ..ReadingOptions::default() };
        SignalsFile::parse(text.as_bytes(), Path::new("s.csv"), Interval::M15, &reading, None)
            .map_err(|error| error.to_string())
    };
    assert!(with(&rows(15), None).is_ok());
    let hourly = with(&rows(60), None).expect_err("candles of an hour");
    assert!(
        hourly.contains("expected the opens of the 15m candles") && hourly.contains("candles of 1h only"),
        "{hourly}"
    );
    assert!(hourly.contains("`[signals] timeframe`"), "{hourly}");
    let finer = with(&rows(5), None).expect_err("candles of five minutes");
    assert!(finer.contains("found 2025-04-03T17:05:00Z"), "{finer}");
    let first = |file: &SignalsFile| only(file).1.time_ms;
    assert_eq!(with(&rows(60), Some("1h")).map(|file| first(&file)), Ok(INSTANT + 45 * MINUTE_MS));
    assert_eq!(with(&rows(5), Some("5m")).map(|file| first(&file)), Ok(INSTANT - 10 * MINUTE_MS));
    let known = rows(60).replace("date", "time");
    assert_eq!(with(&known, None).map(|file| first(&file)), Ok(INSTANT - 15 * MINUTE_MS));
}

#[test]
fn equal_rows_count_once_and_contradictions_stop() {
    let head = "symbol,time,direction,style,x,note\n";
    let row = "BTCUSDT,1743700500,long,,1,first\n";
    let again = "BTC/USDT,2025-04-03 17:15,BUY,,1.0,second\n";
    let file = read(format!("{head}{row}BTCUSDT,1743700500,short,,1,\n{again}")).expect("sound");
    assert_eq!((file.rows, file.duplicates), (3, 1));
    assert_eq!(
        file.symbols.values().map(|given| given.signals().len()).sum::<usize>(),
        2,
        "a long and a short"
    );
    let issue = &file.issues[0];
    assert_eq!((issue.kind, issue.count, issue.lines.as_slice()), (IssueKind::Duplicate, 1, &[4][..]));
    let cases = [
        ("BTCUSDT,1743700500,long,,2,\n", "differ in column \"x\": 1 in line 2 and 2 in line 3"),
        ("BTCUSDT,1743700500,long,,,\n", "differ in column \"x\": 1 in line 2 and nothing in line 3"),
        (
            "BTCUSDT,1743700500,long,swing,1,\n",
            "differ in column \"style\": every style in line 2 and swing in line 3",
        ),
    ];
    for (other, wanted) in cases {
        let error = read(format!("{head}{row}{other}")).expect_err("a contradiction").to_string();
        assert!(
            error.contains("one long of BTCUSDT at 2025-04-03T17:15:00Z") && error.contains(wanted),
            "{error}"
        );
    }
    // One per style is no contradiction.
    let both =
        read(format!("{head}A,1743700500,long,swing,1,\nA,1743700500,long,scalping,2,\n")).expect("sound");
    assert_eq!((both.rows, both.duplicates), (2, 0));
}

#[test]
fn a_line_that_is_still_being_written_is_left_for_next_time() {
    let text = "symbol,time,direction,x\nBTCUSDT,1743700500,long,1\nBTCUSDT,17437";
    let file = read(text).expect("sound");
    assert_eq!(file.rows, 1);
    assert_eq!(file.issues[0].kind, IssueKind::PartialLastLine);
    assert!(read(format!("{text}\n")).is_err(), "a whole line is not excused");
}

#[test]
fn a_last_row_without_a_newline_counts_only_where_it_is_whole() {
    let head = "symbol,time,direction";
    let row = "BTCUSDT,1743700500,long";
    for (text, rows) in [
        (format!("{head},x\n{row},0.45\n{row},0.45"), 1),
        (format!("{head},x\n{row},0.45\n{row},0.45\r"), 2),
        (format!("{head},x\n{row},0.45\n{row},\"0.45\""), 2),
        (format!("{head},x\n{row},0.45\n{row},0.45,"), 2),
        (format!("{head},x\n{row},0.45\n{row},"), 1),
        (format!("{head}\n{row}\n{row}"), 2),
        (format!("{head},style\n{row},swing\n{row},swing"), 2),
        (format!("{head},style\n{row},swing\n{row},sw"), 1),
        ("direction,symbol,time\nlong,BTCUSDT,1743700500\nlong,BTCUSDT,1743700500".to_owned(), 1),
    ] {
        let file = read(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(file.rows, rows, "{text:?}");
        let told = file.issues.iter().any(|issue| issue.kind == IssueKind::PartialLastLine);
        assert_eq!(told, rows == 1, "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let head = b"symbol,time,direction,x\n";
        for text in [bytes.clone(), [head.as_slice(), &bytes].concat()] {
            if let Ok(file) = read(&text) {
                let kept: usize = file.symbols.values().map(|given| given.signals().len()).sum();
                prop_assert_eq!(kept as u64 + file.duplicates, file.rows);
            }
        }
    }

    #[test]
    fn the_order_of_rows_and_columns_does_not_matter(
        rows in prop::collection::vec((0_i64..40, any::<bool>(), 0_u8..3), 1..30),
        swaps in prop::collection::vec(any::<prop::sample::Index>(), 30),
    ) {
        let line = |(minute, long, symbol): &(i64, bool, u8)| {
            let time = INSTANT + minute * MINUTE_MS;
            let side = if *long { "long" } else { "short" };
            // Equal keys have equal values: repeated, not contradicted.
            [format!("S{symbol}"), time.to_string(), side.to_owned(), minute.to_string(), (minute * 2).to_string()]
        };
        let text = |rows: &[(i64, bool, u8)], order: [usize; 5]| {
            let head = ["symbol", "time", "direction", "x", "y"].map(str::to_owned);
            let lines = std::iter::once(head).chain(rows.iter().map(line));
            lines.map(|cells| order.map(|i| cells[i].clone()).join(",") + "\n").collect::<String>()
        };
        let mut shuffled = rows.clone();
        for (i, swap) in swaps.iter().enumerate() {
            let other = swap.index(rows.len());
            shuffled.swap(i % rows.len(), other);
        }
        let file = read(text(&rows, [0, 1, 2, 3, 4])).expect("sound");
        let other = read(text(&shuffled, [4, 2, 0, 3, 1])).expect("sound");
        prop_assert_eq!(&file.symbols, &other.symbols);
        prop_assert_eq!(file.duplicates, other.duplicates);
    }
}

#[cfg(feature = "columnar")]
mod columns {
    use std::sync::Arc;

    use arrow_array::{
        Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int64Array, RecordBatch,
        StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray,
    };
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn parquet(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter(columns.to_vec()).expect("columns of one length");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a file begins");
        writer.write(&batch).expect("memory takes all");
        writer.close().expect("the file ends");
        bytes
    }

    fn feather(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter(columns.to_vec()).expect("columns of one length");
        let mut bytes = Vec::new();
        let mut writer =
            arrow_ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema()).expect("a file begins");
        writer.write(&batch).expect("memory takes all");
        writer.finish().expect("the file ends");
        drop(writer);
        bytes
    }

    #[test]
    fn feather_holds_what_parquet_holds_and_flags_are_read_where_they_say_no_side() {
        let flags = |cells: [Option<bool>; 3]| -> ArrayRef { Arc::new(BooleanArray::from(cells.to_vec())) };
        let columns = [
            symbols(),
            times(),
            ("enter_long", flags([Some(true), Some(false), None])),
            ("enter_short", Arc::new(Float64Array::from(vec![Some(0.0), Some(1.0), None])) as ArrayRef),
            ("above", flags([Some(true), Some(false), Some(true)])),
            ("rsi", Arc::new(Float64Array::from(vec![30.0, 70.0, 50.0])) as ArrayRef),
        ];
        let (one, other) = (read(feather(&columns)).expect("sound"), read(parquet(&columns)).expect("sound"));
        assert_eq!((&one.symbols, one.rows, &one.issues), (&other.symbols, 2, &other.issues));
        assert_eq!(one.numeric_columns().collect::<Vec<_>>(), ["above", "rsi"]);
        let values = |symbol: &str| one.symbols[&Symbol::parse(symbol).expect("a symbol")].values(0).to_vec();
        assert_eq!((values("BTCUSDT"), values("ETHUSDT")), (vec![1.0, 30.0], vec![0.0, 70.0]));
        let whole = feather(&columns);
        let cut = read(&whole[..whole.len() - 9]).expect_err("no footer");
        assert!(matches!(cut, SignalsError::Table { .. }), "{cut}");
    }

    fn text(cells: [Option<&str>; 3]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    fn symbols() -> (&'static str, ArrayRef) {
        ("symbol", text([Some("BTCUSDT"), Some("ETH/USDT:USDT"), Some("BTCUSDT")]))
    }

    fn directions() -> (&'static str, ArrayRef) {
        ("direction", Arc::new(Int8Array::from(vec![1, -1, 1])))
    }

    const TIMES_MS: [i64; 3] = [INSTANT, INSTANT + 900_000, INSTANT + 1_800_000];

    fn times() -> (&'static str, ArrayRef) {
        ("time", Arc::new(TimestampMillisecondArray::from(TIMES_MS.to_vec()).with_timezone("UTC")))
    }

    #[test]
    fn a_table_says_what_the_same_csv_says_in_any_unit_of_time() {
        let csv = format!(
            "symbol,time,direction,style,atr,x,y,note\nBTCUSDT,{},1,swing,2.5,0.1,1,\nETH/USDT:USDT,{},-1,,,5,0.25,late\n\
             BTCUSDT,{},1,scalping,3,-7,2,\n",
            TIMES_MS[0], TIMES_MS[1], TIMES_MS[2]
        );
        let wanted = read(csv).expect("sound");
        let times = |factor: i64, divisor: i64| TIMES_MS.map(|ms| ms * factor / divisor).to_vec();
        let in_words = ["2025-04-03T17:15:00Z", "2025-04-03 17:30", "2025-04-03 17:45:00"].map(Some);
        let units: [ArrayRef; 6] = [
            Arc::new(TimestampSecondArray::from(times(1, 1_000))),
            Arc::new(TimestampMillisecondArray::from(times(1, 1)).with_timezone("+08:00")),
            Arc::new(TimestampMicrosecondArray::from(times(1_000, 1))),
            Arc::new(TimestampNanosecondArray::from(times(1_000_000, 1))),
            Arc::new(Int64Array::from(times(1, 1_000))),
            text(in_words),
        ];
        for unit in units {
            let kind = unit.data_type().to_string();
            let table = parquet(&[
                ("note", text([None, Some("late"), None])),
                ("y", Arc::new(Float32Array::from(vec![1.0, 0.25, 2.0]))),
                ("atr", Arc::new(Float64Array::from(vec![Some(2.5), None, Some(3.0)]))),
                ("x", Arc::new(Float64Array::from(vec![0.1, 5.0, -7.0]))),
                ("style", text([Some("swing"), None, Some(" scalping ")])),
                ("time", unit),
                symbols(),
                directions(),
            ]);
            let found = read(table).unwrap_or_else(|error| panic!("{kind}: {error}"));
            assert_eq!(
                (&found.symbols, found.rows, &found.issues),
                (&wanted.symbols, 3, &Vec::new()),
                "{kind}"
            );
            let late = ColumnContent::Text { at: RowPlace::Row(2), found: "late".to_owned() };
            assert_eq!(found.columns[0].content, late, "{kind}");
            assert_eq!(found.columns[1..], wanted.columns[1..], "{kind}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_by_row_and_column() {
        let error = |columns: &[(&str, ArrayRef)]| read(parquet(columns)).expect_err("refused").to_string();
        let long: ArrayRef = text([Some("long"), Some("up"), Some("short")]);
        let no_time: ArrayRef =
            Arc::new(TimestampMillisecondArray::from(vec![Some(INSTANT), Some(INSTANT), None]));
        // The first weeks of 1970 in nanoseconds would be a time of our days in milliseconds.
        let old: ArrayRef = Arc::new(TimestampNanosecondArray::from(TIMES_MS.to_vec()));
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true, false, true]));
        for (columns, wanted) in [
            (
                vec![symbols(), times(), ("direction", long)],
                "row 2, column \"direction\": expected long, short, buy, sell, 1 or -1, found \"up\"",
            ),
            (
                vec![symbols(), ("time", no_time), directions()],
                "row 3, column \"time\": expected a time between",
            ),
            (vec![symbols(), ("time", old), directions()], "row 1, column \"time\": expected a time between"),
            (vec![symbols(), times(), ("direction", flags)], "found \"<Boolean>\""),
            (
                vec![times(), directions()],
                "columns: expected a column `symbol`, found the header \"time,direction\"",
            ),
        ] {
            let error = error(&columns);
            assert!(error.starts_with("`signals.csv` ") && error.contains(wanted), "{error}");
        }
        let mut twice = [symbols(), times(), directions(), ("x", text([Some("1"), Some("2"), Some("3")]))];
        twice[1].1 = Arc::new(TimestampMillisecondArray::from(vec![INSTANT; 3]));
        let found = error(&twice);
        assert!(found.contains("differ in column \"x\": 1 in row 1 and 3 in row 3"), "{found}");
        let whole = parquet(&[symbols(), times(), directions()]);
        let cut = read(&whole[..whole.len() - 9]).expect_err("no footer");
        assert!(
            matches!(cut, SignalsError::Table { source: crate::ingest::Rejection::Damaged { .. }, .. }),
            "{cut}"
        );
    }
}

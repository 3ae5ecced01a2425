use std::io::{self, Write};

use proptest::prelude::*;

use super::*;

const HEAD: &str =
    r#""starting_balance":1000,"backtest_start_ts":1735689600000,"backtest_end_ts":1735948800000"#;

/// An epoch of four days from 2025-01-01.
fn epoch(number: u64, rest: &str) -> String {
    format!(
        r#"{{"loss":NaN,"params_dict":{{"a":-Infinity,"b":"NaN, \"Infinity\""}},"current_epoch":{number},"results_metrics":{{"trades":[{{"pair":"A/B","profit":NaN,"orders":[{{"cost":-1.5}}]}}],{HEAD},"total_trades":3,"strategy_name":"Demo","sqn":NaN,{rest}}}}}"#
    )
}

const DAYS: &str = r#""daily_profit":[["2025-01-02",-5.0],["2025-01-04",7.5e-1]]"#;

fn read_as(bytes: &[u8], reading: &TrialsReading) -> Result<TrialSearch, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trials");
    std::fs::write(&path, bytes).expect("written");
    TrialSearch::read(&path, reading).map_err(|error| {
        let source =
            std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        format!("{error}{source}").replace(&path.display().to_string(), "trials")
    })
}

fn read(text: &str) -> Result<TrialSearch, String> {
    read_as(text.as_bytes(), &TrialsReading::default())
}

#[test]
fn an_epoch_is_its_day_returns_over_the_balance() {
    let text = format!("{}\n\n{}\n", epoch(1, DAYS), epoch(7, r#""daily_profit":[]"#));
    let search = read(&text).expect("sound");
    assert_eq!(
        (search.format, search.strategy.as_deref(), search.cut),
        (TrialsFormat::Freqtrade, Some("Demo"), false)
    );
    let [first, second] = search.trials.as_slice() else { panic!("{search:?}") };
    assert_eq!((first.name.as_str(), first.first.to_string().as_str()), ("1", "2025-01-01"));
    assert_eq!(first.returns, [0.0, -0.005, 0.0, 0.000_75]);
    assert_eq!((first.trades, first.loss, first.active_days()), (Some(3), None, 2));
    assert_eq!((second.name.as_str(), second.active_days()), ("7", 0));
    // Packed it is the same.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("in memory");
    let packed = packed.finish().expect("in memory");
    let unpacked = read_as(&packed, &TrialsReading::default()).expect("sound");
    assert_eq!(unpacked.trials, search.trials);
    // Broken off it has what came before.
    let broken = read_as(&packed[..packed.len() - 12], &TrialsReading::default());
    assert!(broken.as_ref().is_ok_and(|search| search.cut) || broken.is_err(), "{broken:?}");
}

#[test]
fn a_last_line_that_is_cut_anywhere_is_left_out_and_said() {
    let (whole, last) = (format!("{}\n", epoch(1, DAYS)), epoch(2, DAYS));
    for end in 1..last.len() {
        if !last.is_char_boundary(end) {
            continue;
        }
        let search =
            read(&format!("{whole}{}", &last[..end])).unwrap_or_else(|error| panic!("{end}: {error}"));
        assert_eq!((search.trials.len(), search.cut), (1, true), "{end}");
    }
    let ended = read(&format!("{whole}{last}")).expect("a whole object");
    assert_eq!((ended.trials.len(), ended.cut), (2, false), "an object that closes is whole");
    let within = read(&format!("{}\n{whole}", &last[..last.len() - 9])).expect_err("cut within the file");
    assert!(within.contains("trials` line 1: expected an epoch"), "{within}");
    let nothing = read(&last[..40]).expect_err("nothing else");
    assert!(nothing.contains("found one line, cut"), "{nothing}");
}

#[test]
fn what_is_wrong_with_an_epoch_is_said_with_its_line() {
    let days = |pairs: &str| format!(r#""daily_profit":[{pairs}]"#);
    let cases = [
        (days(r#"["2025-01-05",1.0]"#), "expected days from 2025-01-01 to 2025-01-04, found 2025-01-05"),
        (days(r#"["2025-01-02",1.0],["2025-01-02",1.0]"#), "expected every day once, found 2025-01-02 again"),
        (days(r#"["2025-01-02",NaN]"#), "null"),
        (days(r#"["2025-01-02","1"]"#), "string"),
        (days(r#"["yesterday",1.0]"#), "expected a day such as 2025-03-01"),
        (days(r#"["2025-01-02",1e999]"#), "number out of range"),
        (r#""other":1"#.to_owned(), "expected daily_profit in results_metrics, found none"),
    ];
    for (rest, wanted) in cases {
        let error = read(&format!("{}\n{}\n", epoch(1, DAYS), epoch(2, &rest))).expect_err(&rest);
        assert!(error.contains("line 2") && error.contains(wanted), "{rest}: {error}");
    }
    let sound = epoch(1, DAYS);
    let spoilt = [
        (sound.replace("\"starting_balance\":1000", "\"starting_balance\":0"), "a starting_balance above 0"),
        (sound.replace("\"starting_balance\":1000,", ""), "starting_balance in results_metrics"),
        (sound.replace("1735948800000", "1735602400000"), "a backtest that ends after it begins"),
        (sound.replace("1735689600000", "17"), "backtest_start_ts in results_metrics, in milliseconds"),
        (sound.replace("\"total_trades\":3,", ""), "total_trades"),
        (
            sound.replace("results_metrics", "results"),
            "an epoch of a freqtrade hyperopt with results_metrics",
        ),
        (r#"{"op_code": 4, "worker_id": "a"}"#.to_owned(), "a line of an Optuna journal"),
        (format!("{sound} {sound}"), "trailing characters"),
    ];
    for (text, wanted) in spoilt {
        let error = read(&format!("{text}\n")).expect_err(wanted);
        assert!(error.contains("line 1") && error.contains(wanted), "{wanted}: {error}");
    }
    let twice = read(&format!("{sound}\n{sound}\n")).expect_err("twice");
    assert!(twice.contains("line 2: expected every epoch once, found epoch 1 again"), "{twice}");
    let two = read(&format!("{sound}\n{}\n", epoch(2, DAYS).replace("Demo", "Other"))).expect_err("two");
    assert!(two.contains("expected one strategy, Demo, in a file, found Other"), "{two}");
}

/// What is not used of a line is not held: it comes a few bytes at a time and is longer than any buffer.
#[test]
fn a_line_is_longer_than_what_is_held_of_it() {
    struct Long(u64, Option<io::Cursor<String>>);
    impl io::Read for Long {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if let Some(head) = &mut self.1 {
                let count = head.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
                self.1 = None;
            }
            let item = br#"{"pair":"A/B","profit_abs":NaN},"#;
            let count = self.0.min((buffer.len() / item.len()) as u64) as usize;
            self.0 -= count as u64;
            for slot in buffer.chunks_exact_mut(item.len()).take(count) {
                slot.copy_from_slice(item);
            }
            Ok(count * item.len())
        }
    }
    let text = epoch(1, DAYS);
    let (before, after) = text.split_once("\"trades\":[").expect("trades");
    let trades = Long(400_000, Some(io::Cursor::new(format!("{before}\"trades\":["))));
    let search = epochs::read(trades.chain(after.as_bytes()), Path::new("long")).expect("sound");
    assert_eq!(search.trials[0].returns, [0.0, -0.005, 0.0, 0.000_75]);
}

const LONG: &str = "day,trial,return\n2025-01-01,a,0.01\n2025-01-03,a,-0.02\n2025-01-02,b,0.005\n";

#[test]
fn a_long_table_has_a_return_for_every_day_of_it() {
    let expected = |search: &TrialSearch| {
        let names: Vec<&str> = search.trials.iter().map(|trial| trial.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(search.trials[0].returns, [0.01, 0.0, -0.02]);
        assert_eq!(search.trials[1].returns, [0.0, 0.005, 0.0]);
        assert_eq!(search.trials[1].first.to_string(), "2025-01-01");
    };
    let written = [
        LONG.to_owned(),
        LONG.replace(',', ";"),
        LONG.replace('\n', "\r\n"),
        format!("\u{feff}{LONG}"),
        LONG.replace("day,trial,return", "Day,Trial,Return"),
        LONG.replace("2025-01-02,", "2025-01-02T23:59:00Z,"),
        // As pandas writes an index and times.
        ",day,trial,return\n0,2025-01-01 00:00:00,a,0.01\n1,2025-01-03 00:00:00,a,-0.02\n2,2025-01-02 00:00:00,b,0.005\n"
            .to_owned(),
    ];
    for text in written {
        expected(&read(&text).unwrap_or_else(|error| panic!("{text}: {error}")));
    }
    let named = TrialsReading {
        day: "date".to_owned(),
        trial: "run".to_owned(),
        day_return: "pnl".to_owned(),
        ..TrialsReading::default()
    };
    expected(&read_as(LONG.replace("day,trial,return", "date,run,pnl").as_bytes(), &named).expect("sound"));
    let gaps = read(&format!("{LONG}2025-01-03,b,\n2025-01-01,b,NaN\n")).expect("sound");
    assert_eq!(gaps.empty_cells, 2);
    expected(&gaps);
    let cut = read(LONG.trim_end()).expect("sound");
    assert!(cut.cut && cut.trials.len() == 1, "a row that no newline ends may be cut: {cut:?}");
}

#[test]
fn what_is_wrong_with_a_table_is_said_with_its_line() {
    let gains: String = (1..=25).map(|day| format!("2025-01-{day:02},a,{}\n", 1000 + day)).collect();
    let cases = [
        (LONG.replace("2025-01-02", "2"), "line 4: expected a day such as 2025-03-01, found \"2\""),
        (LONG.replace("01/02", "x").replace("2025-01-02", "01/02/2025"), "expected a day such as"),
        (
            LONG.replace("0.005", "many"),
            "line 4: expected a return of the day such as 0.0125, found \"many\"",
        ),
        (LONG.replace("0.005", "inf"), "expected a return of the day"),
        (LONG.replace(",b,", ",,"), "line 4: expected the name or number of a trial"),
        (LONG.replace(",b,", ",b,c,"), "line 4: expected 3 fields as in the header, found 4"),
        (
            format!("{LONG}2025-01-01,a,0.03\n"),
            "expected one return per trial and day, found several of trial a on 2025-01-01",
        ),
        (
            LONG.replace("return", "pnl"),
            "line 1: expected the columns day, trial and return, found the columns day, trial, pnl; --day,",
        ),
        (LONG.replace("trial", "day"), "expected one column \"day\", found several"),
        ("day,trial,return\n".to_owned(), "expected at least one trial with day returns, found none"),
        (
            format!("day,trial,return\n{gains}"),
            "expected day returns, some of them below 0, found 25 above 0 and none below",
        ),
        (String::new(), "expected trials, found an empty file"),
        ("SQLite format 3\0abc".to_owned(), "an SQLite database; export an Optuna study"),
        ("\u{0}ab".to_owned(), "line 1: expected the columns day, trial and return"),
    ];
    for (text, wanted) in cases {
        let error = read(&text).expect_err(wanted);
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
    let forced = |format| TrialsReading { format: Some(format), ..TrialsReading::default() };
    let error = read_as(LONG.as_bytes(), &forced(TrialsFormat::Freqtrade)).expect_err("a table");
    assert!(
        error.contains("expected lines of a freqtrade hyperopt as --format says, found a table"),
        "{error}"
    );
    let error = read_as(epoch(1, DAYS).as_bytes(), &forced(TrialsFormat::Long)).expect_err("epochs");
    assert!(error.contains("found lines of JSON"), "{error}");
    let error = read_as(LONG.as_bytes(), &forced(TrialsFormat::Optuna)).expect_err("no study");
    assert!(error.contains("an Optuna study with the columns number and user_attrs_day_returns"), "{error}");
}

#[test]
fn an_optuna_study_needs_day_returns() {
    let head = ",number,value,datetime_start,duration,params_x,user_attrs_day_returns,state\n";
    let json = r#""{""2025-01-01"": 0.01, ""2025-01-02"": -2e-3}""#;
    let python = r#""{'2025-01-02': 0.01, '2025-01-03': nan}""#;
    let text = format!(
        "{head}0,0,1.0,2025-06-01 10:00:00,0 days,3,{json},COMPLETE\n1,1,0.5,,,4,{python},COMPLETE\n2,2,,,,5,,PRUNED\n3,3,,,,6,,FAIL\n"
    );
    let study = read(&text).expect("sound");
    assert_eq!(
        (study.format, study.pruned, study.unfinished, study.empty_cells),
        (TrialsFormat::Optuna, 1, 1, 1)
    );
    assert_eq!(study.trials[0].returns, [0.01, -0.002, 0.0]);
    assert_eq!(
        (study.trials[1].name.as_str(), study.trials[1].returns.as_slice()),
        ("1", &[0.0, 0.01, 0.0][..])
    );
    let values = ",number,value,datetime_start,params_x,state\n0,0,1.0,,3,COMPLETE\n";
    let cases = [
        (
            values.to_owned(),
            "a value per trial cannot be told from luck; in the objective `trial.set_user_attr(\"day_returns\"",
        ),
        (
            text.replace("5,,PRUNED", "5,,COMPLETE"),
            "line 4: expected day returns of a trial of state COMPLETE, found none",
        ),
        (text.replace(json, "0.5"), "line 2: expected an object of days and returns"),
        (
            text.replace("2025-01-02\"\"", "2025-01-01\"\""),
            "line 2: expected every day once, found 2025-01-01 again",
        ),
        (text.replace("\n1,1,", "\n1,0,"), "line 3: expected every trial once, found trial 0 again"),
    ];
    for (text, wanted) in cases {
        let error = read(&text).expect_err(wanted);
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn other_files_are_named_with_the_way_out() {
    for (bytes, wanted) in [
        (&b"PK\x03\x04"[..], "a zip archive, which holds one backtest; name the `.fthypt` file"),
        (b"\x80\x04\x95", "a Python pickle"),
        (b"ARROW1\0\0", "a feather file; write the table as Parquet or CSV"),
        (b"[{}]", "a JSON list"),
    ] {
        let error = read_as(bytes, &TrialsReading::default()).expect_err(wanted);
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let error = TrialSearch::read(folder.path(), &TrialsReading::default()).expect_err("a folder");
    assert!(matches!(error, TrialsError::Read { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// No bytes make it panic, and what is left of a file is never another file.
    #[test]
    fn any_bytes_are_trials_or_an_error(place in any::<prop::sample::Index>(), byte in any::<u8>(), table in any::<bool>()) {
        let text = if table { LONG.to_owned() } else { format!("{}\n{}\n", epoch(1, DAYS), epoch(2, DAYS)) };
        let mut bytes = text.into_bytes();
        let at = place.index(bytes.len());
        bytes[at] = byte;
        let _ = read_as(&bytes, &TrialsReading::default());
        bytes.truncate(at);
        let _ = read_as(&bytes, &TrialsReading::default());
    }
}

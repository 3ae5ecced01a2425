//! `optimizer judge`: what it says of searches over noise and over an edge, in every form it reads, and of files that are none.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use retune::validate::resample::Random;
use serde_json::Value;

use crate::command::{optimizer, text};

/// 2024-09-01.
const FIRST_DAY: i64 = 19_967;
const DAY_MS: i64 = 86_400_000;

fn day(index: usize) -> String {
    let at = retune::model::rfc3339((FIRST_DAY + index as i64) * DAY_MS);
    at[..10].to_owned()
}

/// Day profits of trials on an account of 1000, in cents: noise of one standard deviation of 10, with a mean for each.
fn profits(means: &[f64], days: usize, seed: u64) -> Vec<Vec<i64>> {
    let mut random = Random::new(seed);
    let mut noise = || (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
    means.iter().map(|mean| (0..days).map(|_| (1_000.0 * (noise() + mean)) as i64).collect()).collect()
}

/// The same as lines of a freqtrade hyperopt, with the words that freqtrade writes for numbers that are none.
fn epochs(profits: &[Vec<i64>]) -> String {
    let mut text = String::new();
    for (index, days) in profits.iter().enumerate() {
        let rows: Vec<String> = days
            .iter()
            .enumerate()
            .map(|(index, cents)| format!("[\"{}\",{}]", day(index), *cents as f64 / 100.0))
            .collect();
        let (first, last) = (FIRST_DAY * DAY_MS, (FIRST_DAY + days.len() as i64 - 1) * DAY_MS);
        let total = days.iter().sum::<i64>() as f64 / 100_000.0;
        writeln!(
            text,
            "{{\"loss\":{},\"params_dict\":{{\"buy_rsi\":{}}},\"results_metrics\":{{\"trades\":[{{\"pair\":\"BTC/USDT\",\
             \"profit_ratio\":NaN}}],\"total_trades\":{},\"sharpe\":-Infinity,\"starting_balance\":1000,\"strategy_name\":\"Sample\",\
             \"backtest_start_ts\":{first},\"backtest_end_ts\":{last},\"daily_profit\":[{}]}},\"current_epoch\":{},\
             \"fthypt_fileversion\":2}}",
            -total,
            10 + index,
            2 * days.len(),
            rows.join(","),
            index + 1
        )
        .expect("to memory");
    }
    text
}

/// The same as a long table.
fn long_table(profits: &[Vec<i64>]) -> String {
    let mut text = "day,trial,return\n".to_owned();
    for (trial, days) in profits.iter().enumerate() {
        for (index, cents) in days.iter().enumerate() {
            writeln!(text, "{},{},{}", day(index), trial + 1, *cents as f64 / 100_000.0).expect("to memory");
        }
    }
    text
}

/// The same as an Optuna study.
fn study(profits: &[Vec<i64>]) -> String {
    let mut text = "number,value,datetime_start,params_buy_rsi,user_attrs_day_returns,state\n".to_owned();
    for (trial, days) in profits.iter().enumerate() {
        let pair = |(index, cents): (usize, &i64)| format!("'{}': {}", day(index), *cents as f64 / 100_000.0);
        let returns: Vec<String> = days.iter().enumerate().map(pair).collect();
        writeln!(text, "{},0.5,2025-06-01 10:00:00,3,\"{{{}}}\",COMPLETE", trial + 1, returns.join(", "))
            .expect("to memory");
    }
    text
}

/// A search over nothing, one in which a parameter set earns, and a few trials of an optimizer of one's own.
fn committed() -> [(&'static str, String); 4] {
    let mut edge = [0.0; 24];
    edge[15] = 0.38;
    let mut few = [-0.05; 8];
    few[3] = 0.1;
    [
        ("noise.fthypt", epochs(&profits(&[-0.03; 24], 150, 11))),
        ("edge.fthypt", epochs(&profits(&edge, 150, 8))),
        ("trials.csv", long_table(&profits(&few, 120, 7))),
        ("study.csv", study(&profits(&few, 120, 7))),
    ]
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/judge").join(name)
}

#[test]
fn the_committed_searches_are_those_made_here() {
    for (name, made) in committed() {
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::create_dir_all(fixture("")).expect("made");
            fs::write(fixture(name), &made).expect("written");
        }
        let read = fs::read_to_string(fixture(name)).unwrap_or_default();
        assert!(read == made, "{name} is out of date: run UPDATE_FIXTURES=1 cargo test");
    }
}

fn judge(arguments: &[&str]) -> Output {
    optimizer().arg("judge").args(arguments).output().expect("the program starts")
}

/// Returns the content of the document and the exit code.
fn judged(arguments: &[&str]) -> (Value, i32) {
    let output = judge(&[arguments, &["--json"]].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output.stderr)));
    (document["data"].clone(), output.status.code().unwrap_or(-1))
}

fn named(name: &str) -> String {
    fixture(name).display().to_string()
}

#[test]
fn noise_is_likely_luck_and_a_planted_edge_is_real() {
    let (noise, code) = judged(&[&named("noise.fthypt")]);
    assert_eq!((noise["edge"]["assurance"].as_str(), code), (Some("LIKELY_LUCK"), 12), "{noise:#}");
    assert!(noise["p_edge"].as_f64() > Some(0.1));
    assert!(noise["expected_sharpe_year"].as_f64() < noise["best"]["sharpe_year"].as_f64());
    let (edge, code) = judged(&[&named("edge.fthypt")]);
    assert_eq!((edge["edge"]["assurance"].as_str(), code), (Some("REAL"), 0), "{edge:#}");
    assert_eq!(edge["best"]["trial"], "16");
    assert_eq!(edge["best_by_loss"]["trial"], "16");
    // The more could have been tried, the less it says.
    let (space, code) = judged(&[&named("edge.fthypt"), "--space-size", "100000"]);
    assert_eq!(
        (space["p_edge_space"].as_f64(), space["p_edge"].clone()),
        (Some(1.0), edge["p_edge"].clone())
    );
    assert_eq!((space["edge"]["assurance"].as_str(), code), (Some("LIKELY_LUCK"), 12));
}

#[test]
fn a_search_says_the_same_in_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let made = profits(&[0.0, 0.05, 0.1, 0.15, 0.0, -0.1], 160, 9);
    fs::write(at("a.fthypt"), epochs(&made)).expect("written");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(epochs(&made).as_bytes()).expect("in memory");
    fs::write(at("a.fthypt.gz"), packed.finish().expect("in memory")).expect("written");
    fs::write(at("a.csv"), long_table(&made)).expect("written");
    fs::write(at("study.csv"), study(&made)).expect("written");
    #[cfg(feature = "columnar")]
    fs::write(at("a.parquet"), parquet_table(&made)).expect("written");
    let (expected, _) = judged(&[&at("a.fthypt")]);
    let mut forms = vec!["a.fthypt.gz", "a.csv", "study.csv"];
    if cfg!(feature = "columnar") {
        forms.push("a.parquet");
    }
    for form in forms {
        let (found, _) = judged(&[&at(form)]);
        for key in [
            "tested",
            "tries",
            "days",
            "first_day",
            "active_days_min",
            "halves",
            "cross_fit",
            "overfit_probability",
        ] {
            assert_eq!(rounded(&found[key]), rounded(&expected[key]), "{form}: {key}");
        }
        for key in ["p_edge", "luck_sharpe_year", "deflated_sharpe", "largest_sharpe_year"] {
            let pair = found[key].as_f64().zip(expected[key].as_f64());
            assert!(pair.is_some_and(|(a, b)| (a - b).abs() < 1e-4), "{form}: {key}: {pair:?}");
        }
        assert_eq!(found["best"]["trial"], expected["best"]["trial"], "{form}");
    }
}

/// Returns a value with numbers to nine digits.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => format!("{:.9}", number.as_f64().unwrap_or(f64::NAN)).into(),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(items) => items.iter().map(|(key, item)| (key.clone(), rounded(item))).collect(),
        other => other.clone(),
    }
}

#[cfg(feature = "columnar")]
fn parquet_table(profits: &[Vec<i64>]) -> Vec<u8> {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;

    let (mut days, mut trials, mut returns) = (Vec::new(), Vec::new(), Vec::new());
    for (trial, of_trial) in profits.iter().enumerate() {
        for (index, cents) in of_trial.iter().enumerate() {
            days.push(FIRST_DAY as i32 + index as i32);
            trials.push(trial as i64 + 1);
            returns.push(*cents as f64 / 100_000.0);
        }
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("day", Arc::new(Date32Array::from(days))),
        ("trial", Arc::new(Int64Array::from(trials))),
        ("return", Arc::new(Float64Array::from(returns))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("begins");
    writer.write(&batch).expect("written");
    writer.close().expect("ended");
    bytes
}

#[test]
fn several_searches_all_count() {
    let both = [named("noise.fthypt"), named("edge.fthypt")];
    let (found, code) = judged(&[&both[0], &both[1]]);
    assert_eq!((found["trials"].as_u64(), found["tries"].as_u64(), code), (Some(48), Some(48), 0));
    let (alone, _) = judged(&[&both[1]]);
    assert!(found["luck_sharpe_year"].as_f64() > alone["luck_sharpe_year"].as_f64(), "luck of more tries");
    assert_eq!((found["best"]["search"].as_u64(), found["best"]["trial"].as_str()), (Some(1), Some("16")));
    let twice = judge(&[&both[0], &both[0]]);
    assert_eq!(twice.status.code(), Some(4));
    assert!(text(&twice.stderr).contains("expected every search once"), "{}", text(&twice.stderr));
}

#[test]
fn a_trial_in_use_is_found_by_its_name() {
    let (noise, edge) = (named("noise.fthypt"), named("edge.fthypt"));
    let (found, _) = judged(&[&edge, "--incumbent", "5"]);
    assert_eq!(found["incumbent"]["trial"]["trial"], "5");
    assert_eq!(found["switch"]["assurance"], "REAL", "{found:#}");
    let (best, _) = judged(&[&edge, "--incumbent", "16"]);
    assert!(best["switch"].is_null() && best["incumbent"]["p_switch"].is_null());
    let unclear = judge(&[&noise, &edge, "--incumbent", "3"]);
    assert_eq!(unclear.status.code(), Some(2));
    assert!(text(&unclear.stderr).contains("--incumbent FILE:3"), "{}", text(&unclear.stderr));
    let (found, _) = judged(&[&noise, &edge, "--incumbent", "edge.fthypt:3"]);
    assert_eq!(found["incumbent"]["trial"]["search"], 1);
    let unknown = judge(&[&edge, "--incumbent", "99"]);
    assert!(text(&unknown.stderr).contains("there are 1, 2, 3"), "{}", text(&unknown.stderr));
}

#[test]
fn what_cannot_be_judged_says_why_and_exits_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let whole = epochs(&profits(&[0.0; 6], 150, 3));
    fs::write(at("killed.fthypt"), &whole[..whole.len() - 700]).expect("written");
    let killed = judge(&[&at("killed.fthypt")]);
    assert!(
        text(&killed.stdout).contains("5 epochs of Sample; the last line is cut"),
        "{}",
        text(&killed.stdout)
    );
    fs::write(at("short.csv"), long_table(&profits(&[0.3; 4], 40, 3))).expect("written");
    let short = judge(&[&at("short.csv")]);
    assert_eq!(short.status.code(), Some(11));
    assert!(
        text(&short.stdout).contains("EDGE NOT_ENOUGH_DATA (EVIDENCE): 40 days, 40 of them"),
        "{}",
        text(&short.stdout)
    );
    fs::write(at("broken.fthypt"), whole.replacen("starting_balance", "balance", 1)).expect("written");
    for (arguments, code, wanted) in [
        (vec![at("broken.fthypt")], 4, "line 1: expected starting_balance in results_metrics, found none"),
        (vec![at("none.fthypt")], 4, "cannot read the trials in"),
        (vec![folder.path().display().to_string()], 4, "expected a regular file, found a folder"),
        (
            vec![named("edge.fthypt"), "--space-size".to_owned(), "5".to_owned()],
            2,
            "expected at least the 24 trials",
        ),
        (vec![named("edge.fthypt"), "--purge".to_owned(), "99".to_owned()], 2, "--purge"),
        (vec![], 2, "FILE"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = judge(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(wanted), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[cfg(feature = "html")]
#[test]
fn a_page_is_written_beside_what_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("judged.html");
    let shown = page.display().to_string();
    let output = judge(&[&named("edge.fthypt"), "--incumbent", "5", "--html", &shown]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let html = fs::read_to_string(&page).expect("written");
    for word in
        ["EDGE REAL", "CANDIDATE REAL", "SWITCH REAL", "<svg", "Probability of overfitting", "incumbent, 5"]
    {
        assert!(html.contains(word), "{word}");
    }
    assert!(!html.contains("<script") && !html.contains("http://127") && !html.contains("NaN"));
    let nowhere = folder.path().join("no/folder.html").display().to_string();
    let failed = judge(&[&named("edge.fthypt"), "--html", &nowhere]);
    assert_eq!((failed.status.code(), text(&failed.stdout).as_str()), (Some(74), ""));
}

fn material(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures").join(name);
    path.exists().then_some(path)
}

/// Files that freqtrade itself wrote, where they are there.
#[test]
fn what_freqtrade_wrote_is_read() {
    let (Some(short), Some(long)) = (
        material("freqtrade/strategy_DemoStrat_2026-11-30_02-41-01.fthypt"),
        material("freqtrade/strategy_DemoStrat_2026-11-30_03-13-55.fthypt.gz"),
    ) else {
        return;
    };
    let (short, long) = (short.display().to_string(), long.display().to_string());
    let (found, code) = judged(&[&long]);
    assert_eq!((found["trials"].as_u64(), found["days"].as_u64()), (Some(15), Some(177)));
    assert_eq!(
        (found["first_day"].as_str(), found["last_day"].as_str()),
        (Some("2025-01-05"), Some("2025-06-30"))
    );
    assert_eq!((found["edge"]["assurance"].as_str(), code), (Some("LIKELY_LUCK"), 12), "{found:#}");
    assert_eq!(
        (found["best_by_loss"]["trial"].as_str(), found["best_by_loss"]["trades"].as_u64()),
        (Some("11"), Some(27))
    );
    let (few, code) = judged(&[&short]);
    assert_eq!(
        (few["edge"]["assurance"].as_str(), few["days"].as_u64(), code),
        (Some("NOT_ENOUGH_DATA"), Some(15), 11)
    );
    let (both, _) = judged(&[&short, &long]);
    assert_eq!((both["tries"].as_u64(), both["trials_of_other_days"].as_u64()), (Some(19), Some(4)));
    assert_eq!(both["halves"], found["halves"]);
}

/// Probability of overfitting and loss are the figures that other programs computed, where these are there.
#[test]
fn the_probability_of_overfitting_is_that_of_others() {
    let Some(expected) = material("statistics/f05_pbo.json") else { return };
    let expected: Value = serde_json::from_str(&fs::read_to_string(expected).expect("text")).expect("JSON");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trials.csv");
    for name in ["noise", "edge", "overfit"] {
        let Some(matrix) = material(&format!("statistics/f05_pbo_{name}.csv")) else { continue };
        let mut table = "day,trial,return\n".to_owned();
        for (index, line) in fs::read_to_string(matrix).expect("text").lines().enumerate() {
            for (trial, value) in line.split(',').enumerate() {
                writeln!(table, "{},{trial},{value}", day(index)).expect("to memory");
            }
        }
        fs::write(&path, table).expect("written");
        let (found, _) = judged(&[&path.display().to_string(), "--purge", "0"]);
        let own = &expected[name]["S10"];
        for (key, theirs) in [("overfit_probability", "pbo"), ("loss_probability", "prob_loss")] {
            let pair = found[key].as_f64().zip(own[theirs].as_f64());
            assert!(pair.is_some_and(|(a, b)| (a - b).abs() < 1e-12), "{name}: {key}: {pair:?}");
        }
        let word = found["edge"]["assurance"].as_str().unwrap_or_default();
        assert_eq!(word == "REAL", name == "edge", "{name}: {word}");
    }
}

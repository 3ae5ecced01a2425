//! What the optimizer does where there is nothing to find, and what it asks before it changes anything.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use retune::config::Config;
use retune::decide::RunResult;
use retune::engine::plan::DayLimits;
use retune::ingest::{IngestOptions, discover, load_symbol};
use retune::model::{Candle, CandleSeries, Interval, Style};
use retune::run::report::RunReport;
use retune::run::{RunOptions, incremental};
use retune::validate::assessment::Assurance;
use retune::validate::resample::Random;

use crate::command::{StoreDir, text};
use crate::pipeline::sample_dir;

const NOW_MS: i64 = 1_798_761_600_000;

/// Puts the candles of a series in another order: every candle keeps its shape, what it follows is chance.
fn shuffled(series: &CandleSeries, random: &mut Random) -> CandleSeries {
    let bars = series.bars();
    let mut order: Vec<usize> = (1..bars.len()).collect();
    for i in (1..order.len()).rev() {
        order.swap(i, random.below(i + 1));
    }
    let mut price = bars.close[0];
    let mut candles = vec![bars.get(0)];
    for (place, from) in order.into_iter().enumerate() {
        let (before, own) = (bars.close[from - 1], bars.get(from));
        let scale = price / before;
        let open_time = bars.open_time[place + 1];
        let candle = Candle {
            open_time,
            open: own.open * scale,
            high: own.high * scale,
            low: own.low * scale,
            close: own.close * scale,
            volume: own.volume,
        };
        price = candle.close;
        candles.push(candle);
    }
    candles.into_iter().collect()
}

fn run_shuffled(source: &Path, seed: u64) -> RunReport {
    let folder = tempfile::tempdir().expect("a folder");
    let options = IngestOptions::new(Interval::M15, NOW_MS);
    let mut random = Random::new(seed);
    for sources in &discover(&[source.to_path_buf()], &options).expect("files").symbols {
        let loaded = load_symbol(sources, &options).expect("candles");
        let series = shuffled(&loaded.series, &mut random);
        let bars = series.bars();
        let mut text = "open_time,open,high,low,close,volume\n".to_owned();
        for Candle { open_time, open, high, low, close, volume } in (0..bars.len()).map(|i| bars.get(i)) {
            let _ = writeln!(text, "{open_time},{open},{high},{low},{close},{volume}");
        }
        fs::write(folder.path().join(format!("{}-15m.csv", loaded.symbol)), text).expect("written");
    }
    let plan = Config::default().plan(&Style::ALL, DayLimits::default()).expect("sound");
    let options =
        RunOptions { cache_bytes: 0, ..RunOptions::over(vec![folder.path().to_path_buf()], NOW_MS) };
    incremental(&plan, &options, &AtomicBool::new(false), &|_| ()).expect("a run")
}

/// Candles in random order hold no edge: nothing may be adopted, whatever the out-of-sample part of the days says.
#[test]
fn nothing_is_adopted_where_there_is_nothing() {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/candles/binance-spot");
    let worlds: Vec<(std::path::PathBuf, u64)> = (0..3)
        .map(|seed| (sample_dir(), seed))
        .chain((0..2).filter(|_| real.exists()).map(|seed| (real.clone(), seed)))
        .collect();
    let mut tested = 0;
    for (source, seed) in worlds {
        let report = run_shuffled(&source, seed);
        assert_ne!(report.result, RunResult::Changed, "{} {seed}", source.display());
        for style in &report.styles {
            let edge = style.evidence.edge.as_ref().map(|edge| edge.assurance);
            assert!(
                edge.is_none_or(|edge| edge < Assurance::Promising),
                "{} {seed}: {edge:?}",
                source.display()
            );
            tested += usize::from(style.evidence.p_luck.is_some());
        }
    }
    assert!(!real.exists() || tested > 0, "on a year of candles the tests against luck are made");
}

#[test]
fn what_a_change_needs_can_be_asked_for() {
    let run = |more: &[&str]| {
        let store = StoreDir::missing();
        let output = store.run(&[&["incremental", "--data", "tests/sample", "-v"][..], more].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, _) = run(&["--set", "decide.require=promising"]);
    assert_eq!(code, Some(12), "{said}");
    assert!(said.contains("EDGE LIKELY_LUCK (LUCK): p = 0.99"), "{said}");
    assert!(
        said.contains("  - EDGE is LIKELY_LUCK with p = 0.989; a change at this look needs at most 0.09"),
        "{said}"
    );
    let (code, said, _) = run(&[
        "--set",
        "decide.require=stable",
        "--set",
        "search.score=balanced",
        "--set",
        "search.rank=peak",
    ]);
    assert_eq!(code, Some(10), "{said}");
    let (code, _, error) = run(&["--set", "decide.require=certain"]);
    assert_eq!(code, Some(3));
    assert!(error.contains("expected one of `stable`, `promising`, `real`"), "{error}");
}

#[test]
fn every_grid_tried_counts_and_so_does_what_was_tried_elsewhere() {
    let store = StoreDir::missing();
    let trials = |more: &[&str]| {
        let fixed = ["incremental", "--data", "tests/sample", "--exit-zero", "--json"];
        let output = store.run(&[&fixed[..], more].concat());
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
        document["data"]["styles"]["swing"]["evidence"]["trials"].as_u64().expect("a count")
    };
    let grid = 139_968;
    assert_eq!(trials(&[]), grid);
    assert_eq!(trials(&["--score", "sharpe"]), grid, "another score is no other grid");
    assert_eq!(trials(&["--set", "style.swing.space.min_consensus=[0, 1]"]), 2 * (grid / 3 * 2));
    assert_eq!(trials(&[]), 2 * grid, "what was tried stays tried");
    assert_eq!(trials(&["--declared-trials", "1000"]), 2 * grid + 1000);
    let quick = store.stdout(&["inspect", "run", "1"]);
    assert!(quick.contains("EDGE"), "{quick}");
}

/// Most of the size of a year is spent on the first look. The same candles looked at again are the same look, and what a quick run or
/// one that stored nothing did is none.
#[test]
fn later_looks_ask_for_more_than_the_first() {
    let store = StoreDir::missing();
    let gate = |range: &str, more: &[&str]| {
        let fixed = ["incremental", "--data", "tests/sample", "--exit-zero", "--json", "--timerange", range];
        let promising = ["--set", "decide.require=promising"];
        let output = store.run(&[&fixed[..], &promising, more].concat());
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
        ["scalping", "swing"].map(|style| {
            document["data"]["styles"][style]["evidence"]["figures"]["gate_edge_p"].as_f64().expect("a limit")
        })
    };
    let (june, later) = ("20250201-20250620", "20250201-20250625");
    gate("20250201-20250615", &["--no-save"]);
    gate("20250201-20250615", &["--quick"]);
    assert_eq!(gate(june, &[]), [0.09; 2]);
    assert_eq!(gate(june, &[]), [0.09; 2], "the same look");
    assert_eq!(gate(june, &["--score", "balanced"]), [0.09; 2], "another question about the same days");
    assert_eq!(gate(later, &[]), [0.005; 2]);
    assert_eq!(gate(later, &["--profile", "other"]), [0.09; 2], "another profile has a size of its own");
}

#[test]
fn a_quick_run_is_untested_wherever_it_is_told() {
    let store = StoreDir::missing();
    let run = ["incremental", "--data", "tests/sample", "--quick", "--progress", "none", "--exit-zero", "-v"];
    let output = store.run(&run);
    let said = text(&output.stdout);
    assert!(said.trim_end().contains(" significance=UNTESTED verdict="), "{said}");
    for line in said.lines().filter(|line| line.starts_with("EDGE") || line.starts_with("SWITCH")) {
        assert!(line.contains(" UNTESTED (QUICK"), "{line}");
        assert!(line.contains("): the tests against luck were left out"), "no sentence is empty: {line}");
    }
    assert!(!said.contains("LIKELY_LUCK") && !said.contains("NOT_ENOUGH_DATA"), "{said}");
    let run = store.json(&["inspect", "run", "1"]);
    for (style, part) in run["data"]["styles"].as_object().expect("styles") {
        assert_eq!(part["evidence"]["edge"]["assurance"], "UNTESTED", "{style}");
        let sentence = part["evidence"]["edge"]["sentence"].as_str().expect("text");
        assert!(!sentence.trim().is_empty(), "{style}");
    }
    assert!(store.stdout(&["inspect", "run", "1"]).contains("UNTESTED"));
    let page = store.path.with_file_name("report.html");
    store.stdout(&["report", "-o", page.to_str().expect("a plain path")]);
    assert!(std::fs::read_to_string(&page).expect("a page").contains("UNTESTED"));
    let held = [
        "incremental",
        "--data",
        "tests/sample",
        "--quick",
        "--progress",
        "none",
        "--set",
        "decide.require=promising",
    ];
    let other = StoreDir::missing();
    let output = other.run(&held);
    let said = text(&output.stdout);
    assert!(
        output.status.code() == Some(11) && said.contains("EDGE is UNTESTED, PROMISING is required"),
        "{said}"
    );
    // What was activated by hand, and no run tested, goes to the bot by force only.
    other.run(&["adopt", "1", "--force"]);
    let file = other.path.with_file_name("config.json");
    let export = ["export-json", "-o", file.to_str().expect("a plain path")];
    let (code, said) = other.failure(&export);
    assert!(
        code == Some(12) && said.contains("are UNTESTED by run 1: the tests against luck were left out"),
        "{said}"
    );
    assert!(!file.exists());
}

#[test]
fn nothing_is_advised_from_what_is_no_better_than_luck() {
    let store = StoreDir::after_a_run();
    let nothing = "no edge found; change nothing";
    let insights = store.json(&["inspect", "insights"]);
    for (style, part) in insights["data"]["styles"].as_object().expect("styles") {
        assert_eq!(part["focus"], nothing, "{style}");
        assert_eq!(part["best_contexts"], serde_json::json!([]), "{style}");
        let lessons = part["lessons"].as_array().expect("a list");
        assert!(
            lessons.iter().all(|lesson| lesson.as_str().is_some_and(|text| text.contains(nothing))),
            "{part}"
        );
    }
    let exported = store.stdout(&["export-json", "-o", "-"]);
    let config: serde_json::Value = serde_json::from_str(&exported).expect("JSON");
    let told = &config["compressed_insights"];
    assert_eq!(told["focus"], nothing);
    let lessons = told["lessons"].as_array().expect("a list");
    assert!(
        !lessons.is_empty() && lessons.iter().all(|lesson| !lesson.as_str().expect("text").contains("best")),
        "{told}"
    );
    for style in ["scalping", "swing"] {
        let insights = &told["v8321_insights"][style];
        assert_eq!(insights["best_contexts"], serde_json::json!([]));
        assert_eq!(insights["param_sensitivity"], serde_json::json!({}));
    }
}

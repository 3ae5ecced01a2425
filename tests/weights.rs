//! Score weights that are learned: in sample alone, out of the same units whatever they are, active with the
//! parameters that were chosen under them.

use std::path::Path;

use retune::decide::{DecisionOutcome, DecisionReason};
use retune::engine::plan::Plan;
use retune::features::catalog::{FeatureView, SCORE_EVIDENCE, SIGNAL_SCORE, column};
use retune::features::frame::MarketSeries;
use retune::features::score::{ScoreEvidence, ScoreTerm, ScoreWeights, Sided};
use retune::model::{Candle, CandleSeries, DAY_MS, Day, Direction, MINUTE_MS, Style};
use retune::run::report::{RunReport, StyleReport};
use retune::search::random::RandomStream;
use retune::search::space::weights_of;
use retune::search::weights::LearnedWeights;
use serde_json::Value;

use crate::command::{StoreDir, optimizer, text};
use crate::incremental::{Lab, assert_same, plan_of, reasons, sample};

/// 2025-01-01.
const FIRST: Day = Day(20_089);
const DAYS: i64 = 150;
const STEP_MS: i64 = 15 * MINUTE_MS;

/// Few filters besides that on the score, so that many signals are left to choose among.
const OPEN: &str = "
min_risk_reward = 0
min_signal_score = [0, 20, 40, 60]
min_consensus_score = [0, 20]
min_consensus = [0, 1]
min_kline_bullish_ratio = 0
min_price_chg_pct = 0
allowed_mkt_struct = \"all\"
min_trend_age_hours = 0
max_sr_test_count = 999
";

fn open(search: &str) -> String {
    format!("{search}[style.scalping.space]\n{OPEN}[style.swing.space]\n{OPEN}")
}

fn learning() -> Plan {
    plan_of(&open("weights = \"learned\"\n"))
}

/// A market of sudden moves: those with volume go on, the others turn back.
fn planted(seed: u64) -> CandleSeries {
    let mut draws = RandomStream::new(seed);
    let mut share = move |width: f64| (draws.below(20_001) as f64 / 10_000.0 - 1.0) * width;
    let (mut price, mut drift, mut left) = (100.0, 0.0, 0);
    let candle = |index: i64| {
        let (mut body, mut volume) = (drift + share(0.002), 100.0 + share(15.0));
        if left == 0 && share(1.0) > 0.94 {
            let (real, side) = (share(1.0) > 0.0, share(1.0).signum());
            body = side * 0.006;
            volume *= if real { 3.5 } else { 1.0 };
            drift = side * if real { 0.0012 } else { -0.0012 };
            left = 24;
        } else if left > 0 {
            left -= 1;
            drift *= f64::from(u8::from(left > 0));
        }
        let open = price;
        price *= 1.0 + body;
        let (high, low) = (open.max(price) * 1.0007, open.min(price) * 0.9993);
        Candle { open_time: FIRST.start_ms() + index * STEP_MS, open, high, low, close: price, volume }
    };
    (0..DAYS * DAY_MS / STEP_MS).map(candle).collect()
}

fn planted_symbols() -> Vec<(String, CandleSeries)> {
    [("AAAUSDT", 1), ("BBBUSDT", 2)].map(|(name, seed)| (name.to_owned(), planted(seed))).to_vec()
}

fn learned(style: &StyleReport) -> &LearnedWeights {
    style.weights.as_ref().expect("weights are learned")
}

fn share(weights: &ScoreWeights, terms: &[ScoreTerm]) -> f64 {
    let sum = |pick: &dyn Fn(ScoreTerm) -> bool| -> f64 {
        weights.pairs().filter(|(term, _)| pick(*term)).map(|(_, weight)| f64::from(weight)).sum()
    };
    sum(&|term| terms.contains(&term)) / sum(&|_| true)
}

#[test]
fn the_score_follows_from_the_evidence_bit_for_bit() {
    let series = &sample()[0].1;
    let bars = series.bars();
    let market = MarketSeries::new(bars);
    let mut scores = std::collections::BTreeSet::new();
    for day in 40..70 {
        let frame = market.frame(Day(Day::of(bars.open_time[0]).0 + day), 0);
        for pulse in (frame.day_start..frame.end).filter_map(|index| frame.pulse(index)) {
            let row = frame.row(pulse);
            for (direction, style) in
                [Direction::Long, Direction::Short].into_iter().flat_map(|side| Style::ALL.map(|s| (side, s)))
            {
                let view = FeatureView { row: &row, direction, style };
                let stored = SCORE_EVIDENCE.value(&view).expect("of every row");
                let evidence = ScoreEvidence::from_number(stored, style).expect("what was written");
                let kept = evidence.score(&ScoreWeights::default_of(style));
                let score =
                    column(SIGNAL_SCORE).and_then(|column| column.value(&view)).expect("of every row");
                assert_eq!(kept.to_bits(), score.to_bits());
                let other = ScoreWeights::of(style, |term| Some(term.as_str().len() as u8)).expect("of all");
                let direct = Sided::new(&row, direction).signal_score(&other);
                assert_eq!(evidence.score(&other).to_bits(), direct.to_bits());
                scores.insert(score as u8);
            }
        }
    }
    assert!(scores.len() > 30, "{scores:?}");
}

#[test]
fn what_decides_gains_weight_and_comes_into_force_with_the_parameters() {
    let lab = Lab::new();
    lab.write(&planted_symbols(), i64::MAX);
    let run = lab.run(&learning());
    let volume = [ScoreTerm::Volume, ScoreTerm::VolumePulse];
    let scalping = &run.styles[0];
    let found = learned(scalping);
    let compared = found.compared.expect("enough signals");
    assert!(found.replaced, "{}", found.reason);
    assert!(compared.found_ppm > compared.in_force_ppm + 50_000, "{compared:?}");
    assert!(share(&found.weights, &volume) > share(&ScoreWeights::default_of(Style::Scalping), &volume));
    for style in &run.styles {
        let weights = learned(style).weights;
        assert!(style.study.top.iter().all(|best| weights_of(&best.set, style.style) == Some(weights)));
        assert!(style.decision.reasons.contains(&DecisionReason::ScoreWeights(learned(style).reason)));
    }
    for style in &lab.scratch(&plan_of(&open(""))).styles {
        assert_eq!(
            (&style.weights, &style.evidence.weights),
            (&None, &None),
            "nothing is learned that is not asked for"
        );
        assert!(style.study.top.iter().all(|best| best.set.filter("score_weights").is_none()));
    }
    // Once active, they stay.
    let again = lab.run(&learning());
    assert_eq!(scalping.decision.outcome, DecisionOutcome::Adopted, "{:?}", scalping.decision.reasons);
    let after = &again.styles[0];
    assert_eq!((learned(after).weights, learned(after).replaced), (found.weights, false));
    assert!(after.study.incumbent.is_some(), "and are measured as they are");
}

#[test]
fn the_late_part_has_no_say() {
    let symbols = planted_symbols();
    let lab = Lab::new();
    lab.write(&symbols, i64::MAX);
    let run = lab.scratch(&learning());
    let late = run.styles.iter().filter_map(|style| Some(style.study.split.as_ref()?.late.start)).max();
    let late_ms = late.expect("there is an out-of-sample part").start_ms();
    // The out-of-sample part upside down.
    let turned = |series: &CandleSeries| -> CandleSeries {
        let bars = series.bars();
        let from = bars.index_at(late_ms);
        let mirror = bars.close[from - 1] * bars.close[from - 1];
        let candle = |i: usize| match bars.get(i) {
            own if i < from => own,
            own => Candle {
                open: mirror / own.open,
                high: mirror / own.low,
                low: mirror / own.high,
                close: mirror / own.close,
                volume: 200.0 - (own.volume - 100.0) / 4.0,
                ..own
            },
        };
        (0..bars.len()).map(candle).collect()
    };
    let symbols: Vec<(String, CandleSeries)> =
        symbols.iter().map(|(name, series)| (name.clone(), turned(series))).collect();
    lab.write(&symbols, i64::MAX);
    let other = lab.scratch(&learning());
    for (own, other) in run.styles.iter().zip(&other.styles) {
        assert_eq!(learned(own), learned(other));
        assert_ne!(own.study.top[0].late, other.study.top[0].late, "it is another out-of-sample part");
        assert_eq!(own.study.top[0].set, other.study.top[0].set);
    }
}

#[test]
fn what_is_reused_and_how_many_threads_there_are_change_nothing() {
    let symbols = sample();
    let lab = Lab::new();
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 90).start_ms();
    lab.write(&symbols, end);
    let fixed = plan_of(&open(""));
    let learns = |report: &RunReport| -> Vec<LearnedWeights> {
        report.styles.iter().map(|s| learned(s).clone()).collect()
    };
    let total = lab.run(&fixed).units_total();
    // The units of fixed weights lack what the score reads; those that have it serve both.
    let first = lab.run(&learning());
    assert_eq!(reasons(&first), [("columns_added", total)]);
    let said = first.units[0].evaluated[0].1.to_string();
    assert_eq!(said, "new filter columns: signal_score_evidence");
    assert_eq!(reasons(&lab.run(&fixed)), []);
    lab.write(&symbols, end + 2 * DAY_MS);
    let next = lab.run_as_from_scratch(&learning(), "two days more");
    assert!(next.units_evaluated() < 40, "{:?}", reasons(&next));
    let scratch = lab.scratch(&learning());
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let alone = alone.install(|| lab.scratch(&learning()));
    let many = rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("a pool");
    let many = many.install(|| lab.scratch(&learning()));
    let threads = |report: &RunReport| RunReport { threads: 1, ..report.clone() };
    assert_same(&threads(&alone), &threads(&many), "on one thread and on four");
    assert_eq!((learns(&alone), learns(&many)), (learns(&scratch), learns(&scratch)));
}

/// The weights the bot reads.
fn exported(store: &Path) -> Value {
    let output = optimizer()
        .args(["export-json", "--force", "-o", "-", "--store"])
        .arg(store)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a document")
}

#[test]
fn weights_come_into_force_and_go_with_their_parameters() {
    let lab = Lab::new();
    lab.write(&planted_symbols(), i64::MAX);
    let command = |arguments: &[&str]| {
        let output = optimizer().args(arguments).arg("--store").arg(lab.store()).output().expect("it starts");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    lab.run(&plan_of(&open("")));
    let fixed = exported(&lab.store());
    assert_eq!(fixed["scalping_score_weights"]["volume"], 30);
    let run = lab.run(&learning());
    // An export by force is a run of its own in the history.
    let number = run.run.expect("stored").to_string();
    let (style, scalping) = (Style::Scalping, &run.styles[0]);
    assert_eq!(scalping.decision.outcome, DecisionOutcome::Adopted, "{:?}", scalping.decision.reasons);
    assert!(scalping.study.incumbent.is_some(), "the active ones are measured under their own weights");
    let weights = learned(scalping).weights;
    let key = format!("{style}_score_weights");
    let wanted: serde_json::Map<String, Value> =
        weights.pairs().map(|(term, weight)| (term.as_str().to_owned(), weight.into())).collect();
    let now = exported(&lab.store());
    assert_eq!(now[&key], Value::Object(wanted));
    assert!(now[format!("{style}_params")].get("score_weights").is_none(), "they have a place of their own");
    let (_, shown, _) = command(&["inspect", "features", "--style", style.as_str()]);
    assert!(shown.contains("weights: learned") && shown.contains(" auc active 0."), "{shown}");
    // They go as they came.
    let (code, _, error) = command(&["rollback", "--style", style.as_str()]);
    assert_eq!(code, Some(10), "{error}");
    assert_eq!(exported(&lab.store())[&key], fixed[&key]);
    let (code, _, error) = command(&["adopt", &number, "--style", style.as_str()]);
    assert_eq!(code, Some(10), "{error}");
    assert_eq!(exported(&lab.store())[&key], now[&key]);
}

#[test]
fn it_is_one_setting_on_the_command_line() {
    let store = StoreDir::missing();
    let fixed = ["incremental", "--data", "tests/sample", "--exit-zero", "--progress", "none"];
    let with = ["-v", "--set", "search.weights=learned"];
    let ran = store.run(&[&fixed[..], &with].concat());
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert!(text(&ran.stdout).contains("score weights"), "{}", text(&ran.stdout));
    let document = store.json(&["inspect", "features"]);
    let swing = &document["data"]["styles"]["swing"];
    assert_eq!(
        (&swing["weights_name"], &swing["weights_figures"][0]["name"]),
        (&Value::from("default"), &Value::from("weights_signals_won"),)
    );
    let plain = StoreDir::after_a_run();
    let document = plain.json(&["inspect", "features"]);
    assert!(document["data"]["styles"]["swing"].get("weights_figures").is_none(), "{document}");
    let dynamic = ["--set", "style.swing.space.dynamic_atr_strength=1.0"];
    let (code, error) = store.failure(&[&fixed[..], &with, &dynamic].concat());
    assert_eq!(code, Some(3));
    assert!(error.contains("search.weights = \"default\" where exit rules scale with the score"), "{error}");
}

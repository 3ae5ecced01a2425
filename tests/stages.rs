//! Spaces beyond the budget: searched in stages, reused and repeated like any other, and counted for what they are.

use retune::decide::Require;
use retune::engine::plan::Plan;
use retune::model::{DAY_MS, Day, ParameterSet};
use retune::run::report::{RunReport, StyleReport};
use retune::search::strategy::Strategy;
use serde_json::Value;

use crate::command::{StoreDir, text};
use crate::incremental::{Lab, assert_same, plan_of, reasons, sample};

/// 14 x 11 x 6 exit rules: with the default filters more than is ever enumerated.
const WIDE: &str = "
[style.scalping.space]
atr_tp_multiplier = { min = 0.75, max = 4, step = 0.25 }
atr_stop_multiplier = { min = 0.5, max = 3, step = 0.25 }
max_holding_hours = [2, 4, 8, 12, 16, 24]
";

fn wide(search: &str) -> Plan {
    let mut plan = plan_of(&format!("{search}\n{WIDE}"));
    // Nothing becomes active: every run answers the same question.
    plan.search.require = Require::Real;
    plan
}

fn lab() -> (Lab, i64) {
    let lab = Lab::new();
    let symbols = sample();
    let end = Day(Day::of(symbols[0].1.bars().open_time[0]).0 + 90).start_ms();
    lab.write(&symbols, end);
    (lab, end)
}

fn scalping(report: &RunReport) -> &StyleReport {
    &report.styles[0]
}

fn best(report: &RunReport) -> (&ParameterSet, f64) {
    let best = &scalping(report).study.top[0];
    (&best.set, best.score.expect("ranked"))
}

#[test]
fn the_last_stage_finds_what_the_first_found_or_better() {
    let (lab, _) = lab();
    // By their own scores: what lies around a set is another thing on another grid.
    let plan = wide("strategy = \"coarse-fine\"\nbudget = 20000\nrank = \"peak\"");
    let both = lab.scratch(&plan);
    // The same first stage, and no second.
    let mut first = plan.clone();
    first.search.stages.strategy = Strategy::Random;
    let first = lab.scratch(&first);
    assert!(best(&both).1 > best(&first).1, "{:?} {:?}", best(&both), best(&first));
    let study = &scalping(&both).study;
    assert!(study.sets <= 20_000 && study.asked == 14 * 11 * 6 * 5_184);
    // The other style is within no budget either, but has its own stages.
    assert!(both.styles[1].study.sets <= 20_000 && both.styles[1].study.asked == 139_968);
}

#[test]
fn stages_reuse_what_earlier_runs_evaluated_and_repeat() {
    let (lab, end) = lab();
    let plan = wide("strategy = \"coarse-fine\"\nbudget = 20000");
    let first = lab.run(&plan);
    assert_eq!(reasons(&first), [("new", first.units_total())]);
    let again = lab.run(&plan);
    assert_eq!((reasons(&again), again.same_as), (vec![], Some(1)));
    lab.write(&sample(), end + DAY_MS);
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let scratch = alone.install(|| lab.scratch_beside(&plan));
    let next = lab.run(&plan);
    assert_eq!(reasons(&next).iter().filter(|(reason, _)| *reason == "new").map(|(_, n)| n).sum::<u64>(), 3);
    let scratch = RunReport { threads: next.threads, ..scratch };
    assert_same(&next, &scratch, "from scratch on one thread");
}

#[test]
fn a_part_counts_as_all_that_might_have_been_chosen() {
    let (lab, _) = lab();
    let report = lab.scratch(&wide("strategy = \"random\"\nbudget = 20000"));
    let own = scalping(&report);
    assert!(own.study.asked > 200 * own.study.sets as u64);
    assert!(own.evidence.trials >= own.study.asked);
    assert!(own.evidence.trials < own.study.asked + own.study.sets as u64);
}

#[test]
fn polishing_stays_around_what_is_in_force() {
    let store = StoreDir::after_a_run();
    let params = store.json(&["inspect", "params"]);
    let in_force = &params["data"]["scopes"][0]["params"];
    let exit = |params: &Value| ["atr_tp_multiplier", "atr_stop_multiplier"].map(|key| params[key].as_f64());
    let flags =
        ["incremental", "--data", "tests/sample", "--strategy", "polish", "--budget", "500", "--json"];
    let polished =
        store.run(&[&flags[..], &["--exit-zero", "--style", "scalping", "--progress", "none"]].concat());
    let polished: Value = serde_json::from_slice(&polished.stdout).expect("a document");
    let style = &polished["data"]["styles"]["scalping"];
    assert!(style["parameter_sets"].as_u64() <= Some(500) && style["decision"]["incumbent"].is_object());
    // The default axes go in steps of 1 and 0.7 ATR.
    let (own, best) = (exit(in_force), exit(&style["decision"]["candidate"]["params"]));
    for (axis, step) in [1.0, 0.7].into_iter().enumerate() {
        let (own, best) = (own[axis].expect("a number"), best[axis].expect("a number"));
        assert!((own - best).abs() <= step + 1e-9, "{own} {best}");
    }
}

#[test]
fn the_command_line_refuses_what_is_too_large_and_says_what_to_do() {
    let store = StoreDir::missing();
    let tp = "style.scalping.space.atr_tp_multiplier={ min = 0.5, max = 12, step = 0.05 }";
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sample");
    let refused = store.run(&["incremental", "--data", data, "--set", tp]);
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("coarse-fine"), "{}", text(&refused.stderr));
    let flags = ["incremental", "--data", data, "--set", tp, "--strategy", "coarse-fine", "--no-save", "-v"];
    let done = store.run(&flags);
    assert!(matches!(done.status.code(), Some(0 | 10 | 11 | 12)), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains(" of "), "{}", text(&done.stdout));
    let unknown = store.run(&["incremental", "--data", data, "--strategy", "genetic"]);
    assert_eq!(unknown.status.code(), Some(3));
}

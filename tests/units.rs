//! The seam for a worker elsewhere: what it evaluates is what a run would have, and nothing else is taken in.

use std::fs;
use std::path::Path;
use std::process::Command;

use retune::RunOptions;
use retune::engine::plan::Plan;
use retune::model::{Candle, CandleSeries};
use retune::units::{PendingUnit, UnitCandles, UnitError, UnitStore, evaluate, pending, put};

use crate::fill_units::{evaluate_listed, list_pending, put_folder};
use crate::incremental::{Lab, assert_same, plan_of, reasons, sample};

/// Names the folder with the work of the worker; see [`a_worker_evaluates_what_it_is_asked_for`].
const WORK: &str = "RETUNE_TEST_WORK";

fn plan() -> Plan {
    plan_of("")
}

fn options(lab: &Lab) -> RunOptions {
    RunOptions::over(vec![lab.data()], lab.now_ms).with_store(lab.store())
}

/// The test as a worker: another process, with candles of its own and no store.
#[test]
fn a_worker_evaluates_what_it_is_asked_for() {
    let Some(work) = std::env::var_os(WORK) else { return };
    let work = Path::new(&work);
    let list = fs::read_to_string(work.join("pending.json")).expect("a list");
    let now_ms = fs::read_to_string(work.join("now")).expect("an instant").parse().expect("a number");
    let options = RunOptions::over(vec![work.join("candles")], now_ms);
    evaluate_listed(&plan(), &options, &list, &work.join("units")).expect("evaluated");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
}

#[test]
fn what_another_process_evaluates_is_what_a_run_would_have() {
    let (lab, elsewhere) = (Lab::new(), tempfile::tempdir().expect("a folder"));
    lab.write(&sample(), i64::MAX);
    let list = list_pending(&plan(), &options(&lab)).expect("a list");
    let asked: Vec<PendingUnit> = serde_json::from_str(&list).expect("a list");
    assert!(asked.len() > 400 && asked.iter().all(|unit| unit.reason == "new"), "{}", asked.len());
    copy_folder(&lab.data(), &elsewhere.path().join("candles"));
    fs::write(elsewhere.path().join("pending.json"), list).expect("written");
    fs::write(elsewhere.path().join("now"), lab.now_ms.to_string()).expect("written");
    let mut worker = Command::new(std::env::current_exe().expect("the tests"));
    worker.args(["--exact", "units::a_worker_evaluates_what_it_is_asked_for"]).env(WORK, elsewhere.path());
    let worked = worker.output().expect("a worker");
    assert!(worked.status.success(), "{}", String::from_utf8_lossy(&worked.stdout));
    let put = put_folder(&plan(), &options(&lab), &elsewhere.path().join("units")).expect("put");
    assert_eq!(put, asked.len());
    let left = pending(&plan(), &candles(&lab), &UnitStore::open(&options(&lab)).expect("a store"));
    assert_eq!(left.expect("a list"), []);
    let scratch = lab.scratch_beside(&plan());
    let run = lab.run(&plan());
    assert_eq!((run.units_evaluated(), reasons(&run)), (0, Vec::new()));
    assert_same(&run, &scratch, "evaluated elsewhere");
}

fn candles(lab: &Lab) -> UnitCandles {
    UnitCandles::read(&plan(), &options(lab)).expect("candles")
}

#[test]
fn a_unit_that_does_not_fit_is_refused_with_what_does_not() {
    let lab = Lab::new();
    lab.write(&sample()[..1], i64::MAX);
    let held = candles(&lab);
    let store = UnitStore::open(&options(&lab)).expect("a store");
    let asked = pending(&plan(), &held, &store).expect("a list");
    let done = evaluate(&plan(), &held, &asked[..3]).expect("evaluated");
    let (key, bytes) = &done[0];
    let refused = |plan: &Plan, key: &str, bytes: &[u8]| {
        put(plan, &store, &[(key.to_owned(), bytes.to_vec())]).expect_err("refused")
    };
    for place in [8, 40, 60, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(matches!(refused(&plan(), key, &changed), UnitError::Content { .. }), "byte {place}");
    }
    assert!(matches!(refused(&plan(), key, &bytes[..bytes.len() - 1]), UnitError::Content { .. }));
    for other in [&b""[..], b"unit v2\n", &bytes[1..]] {
        assert!(matches!(refused(&plan(), key, other), UnitError::Form));
    }
    assert!(matches!(refused(&plan(), &done[1].0, bytes), UnitError::Key { .. }));
    assert!(matches!(refused(&plan(), "", bytes), UnitError::Key { .. }));
    for (text, what) in [
        ("[costs]\ntaker_fee_pct = 0.9\n", "costs"),
        (
            "[style.scalping.space]\nmax_holding_hours = [100]\n[style.swing.space]\nmax_holding_hours = [200]\n",
            "longest",
        ),
        (
            "[style.scalping.space]\natr_tp_multiplier = [9]\n[style.swing.space]\natr_tp_multiplier = [9]\n",
            "exit rules",
        ),
    ] {
        let error = refused(&plan_of(text), key, bytes).to_string();
        assert!(error.contains("under this plan") && error.contains(what), "{error}");
    }
    // One that is refused keeps all out.
    let mixed = [done[1].clone(), (key.clone(), bytes[1..].to_vec())];
    assert!(put(&plan(), &store, &mixed).is_err());
    assert_eq!(pending(&plan(), &held, &store).expect("a list").len(), asked.len());
    assert_eq!(put(&plan(), &store, &done).expect("put"), 3);
    assert_eq!(pending(&plan(), &held, &store).expect("a list").len(), asked.len() - 3);
}

#[test]
fn a_worker_on_other_candles_says_so() {
    let (lab, other) = (Lab::new(), Lab::new());
    let symbols = sample();
    lab.write(&symbols[..1], i64::MAX);
    let shifted: CandleSeries = {
        let bars = symbols[0].1.bars();
        (0..bars.len()).map(|i| Candle { volume: bars.get(i).volume + 1.0, ..bars.get(i) }).collect()
    };
    other.write(&[(symbols[0].0.clone(), shifted)], i64::MAX);
    let store = UnitStore::open(&options(&lab)).expect("a store");
    let asked = pending(&plan(), &candles(&lab), &store).expect("a list");
    let error = evaluate(&plan(), &candles(&other), &asked[..1]).expect_err("other candles");
    assert!(matches!(&error, UnitError::Key { .. }), "{error}");
    let unknown = [PendingUnit { symbol: "NOSUCHUSDT".to_owned(), ..asked[0].clone() }];
    let error = evaluate(&plan(), &candles(&lab), &unknown).expect_err("no candles");
    assert!(error.to_string().starts_with("NOSUCHUSDT "), "{error}");
}

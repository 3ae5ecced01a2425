//! The sides that are traded: what is on another is in no result, and nothing is evaluated for the choice.

use std::sync::atomic::AtomicBool;

use retune::config::Config;
use retune::engine::day::StyleDay;
use retune::engine::outcome_spill::DayOutcomes;
use retune::engine::plan::{DayLimits, Plan};
use retune::engine::projection::evaluate_day;
use retune::exits::Costs;
use retune::features::frame::MarketSeries;
use retune::model::{Day, Direction, Outcome, Sides, Style, Symbol};
use retune::run::{RunOptions, incremental};

use crate::incremental::{Lab, plan_of, reasons, sample};
use crate::pipeline::sample_dir;

fn plan(sides: &str) -> Plan {
    plan_of(&format!("[portfolio]\nsides = \"{sides}\"\n"))
}

/// The signals of a side with their coordinates and outcomes.
fn on_side(day: &StyleDay, side: Direction) -> (Vec<i64>, Vec<Vec<Outcome>>) {
    let StyleDay { signals, outcomes, .. } = day;
    let DayOutcomes::Held(known) = outcomes else { panic!("outcomes of a day alone are in memory") };
    let in_lattice = signals.iter().filter(|signal| signal.in_lattice);
    let rows = in_lattice.zip(known.rows()).filter(|(signal, _)| signal.direction == side);
    let own = signals.iter().filter(|signal| signal.direction == side).map(|signal| signal.entry_ms);
    (own.collect(), rows.map(|(_, row)| row.iter().copied().collect()).collect())
}

#[test]
fn a_side_that_is_not_traded_is_in_no_day() {
    let (symbol, series) = sample().remove(0);
    let market = MarketSeries::new(series.bars());
    let costs = Costs::default().of(&Symbol::parse(&symbol).expect("a name"));
    let plans = ["both", "long", "short"].map(plan);
    let first = Day::of(series.bars().open_time[0]).0;
    let mut signals = [0; 2];
    for day in (first + 20..first + 80).step_by(9).map(Day) {
        let [both, long, short] = plans.each_ref().map(|plan| evaluate_day(&market, day, None, plan, &costs));
        for (place, all) in both.styles.iter().enumerate() {
            for (count, (one, side)) in
                signals.iter_mut().zip([(&long, Direction::Long), (&short, Direction::Short)])
            {
                let one = &one.styles[place];
                assert!(one.signals.iter().all(|signal| signal.direction == side));
                assert_eq!(on_side(one, side), on_side(all, side), "{day}");
                let of = |day: &StyleDay| day.opportunities.for_capture().clone();
                let own: Vec<_> = of(all).into_iter().filter(|found| found.direction == side).collect();
                assert_eq!(of(one), own);
                *count += one.signals.len();
            }
        }
    }
    assert!(signals.iter().all(|count| *count > 10), "{signals:?}");
}

#[test]
fn another_choice_of_sides_evaluates_nothing_and_equals_a_run_from_scratch() {
    let lab = Lab::new();
    lab.write(&sample()[..1], i64::MAX);
    let both = lab.run(&plan("both"));
    assert_eq!(both.units_evaluated(), both.units_total());
    let long = lab.run_as_from_scratch(&plan("long"), "long only");
    assert_eq!(reasons(&long), []);
    let counted = |report: &retune::run::report::RunReport| {
        report.styles.iter().map(|style| style.signals).sum::<u64>()
    };
    assert!(counted(&long) > 0 && counted(&long) < counted(&both));
}

#[test]
fn given_signals_on_a_side_that_is_not_traded_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let signals = folder.path().join("given.csv");
    let row = |side: &str| format!("ALPHAUSDT,1739268000000,{side}\n");
    std::fs::write(&signals, format!("symbol,time,side\n{}{}", row("long"), row("short"))).expect("written");
    let run = |text: &str| {
        let text = format!("[signals]\nfile = \"x\"\n{text}");
        let config = Config::from_texts(&[("test".to_owned(), text)]).expect("sound");
        let plan = config.plan(&[Style::Swing], DayLimits::default()).expect("sound");
        let options = RunOptions {
            signals: Some(signals.clone()),
            ..RunOptions::over(vec![sample_dir()], 1_798_761_600_000)
        };
        incremental(&plan, &options, &AtomicBool::new(false), &|_| ())
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for text in ["[portfolio]\nsides = \"long\"\n", "[data]\nmarket = \"spot\"\n"] {
        let said = run(text).expect_err("a short");
        assert!(said.contains("expected signals on the sides that are traded, long"), "{said}");
        assert!(said.contains("found 1 on the other"), "{said}");
    }
    assert_eq!(run("[portfolio]\nsides = \"both\"\n"), Ok(()));
    assert_eq!(Sides::Only(Direction::Short).as_str(), "short");
}

//! Statistics, fills and sums against figures that other programs computed.
//!
//! The small inputs are in `tests/fixtures/statistics`; the large ones are read from `../shared`, where it is there.

use std::path::Path;

use retune::evaluate::daily::DailyColumns;
use retune::evaluate::lattice::Lattice;
use retune::evaluate::outcome_table::{Entry, OutcomeTable};
use retune::evaluate::replay::{Pick, replay_set};
use retune::evaluate::sweep::sweep_window;
use retune::evaluate::uniqueness::average_uniqueness;
use retune::exits::{Costs, ExitPlan, Fill, Position};
use retune::model::{
    Candle, CandleSeries, DAY_MS, Day, Direction, ExitReason, ExitRule, Interval, Outcome, Outcomes,
    ReturnPpm, Setup, Symbol,
};
use retune::search::plateau::{Neighbourhood, SmoothedGrid, Smoothing};
use retune::search::space::{Bound, Dimension, number_levels};
use retune::validate::assessment::cost_buffer;
use retune::validate::bootstrap::{self, BlockDraws, confidence_interval};
use retune::validate::dependence::{
    autocovariances, automatic_block, bootstrap_variance, effective_days, horizon_factor, newey_west,
};
use retune::validate::equity::{Equity, EquitySpan};
use retune::validate::grid::{Replicates, TestPlan};
use retune::validate::multiple::{Adjustment, any_of, haircut_sharpe, two_sided};
use retune::validate::pair::sharpe_difference;
use retune::validate::paths::{cut_folds, fold_splits, split_histories};
use retune::validate::resample::stationary_runs;
use retune::validate::sharpe::{Moments, expected_max, min_backtest_years};
use retune::validate::spectrum::Spectrum;
use retune::validate::stepdown::{StepdownSet, stepdown_p_values};
use serde_json::Value;

fn own(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statistics").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn own_json(name: &str) -> Value {
    serde_json::from_str(&own(name)).expect("JSON")
}

fn material(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/statistics").join(name);
    std::fs::read_to_string(path).ok()
}

fn material_json(name: &str) -> Option<Value> {
    material(name).map(|text| serde_json::from_str(&text).expect("JSON"))
}

/// Rows of numbers; a line that begins with a letter is a header.
fn rows(text: &str) -> Vec<Vec<f64>> {
    let number = |cell: &str| cell.trim().parse().unwrap_or_else(|_| panic!("{cell:?} is no number"));
    let is_header = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    text.lines().filter(|line| !is_header(line)).map(|line| line.split(',').map(number).collect()).collect()
}

fn series(name: &str) -> Vec<f64> {
    rows(&own(&format!("f03_{name}.csv"))).into_iter().map(|row| row[0]).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn usizes(value: &Value) -> Vec<usize> {
    list(value).iter().map(|v| number(v) as usize).collect()
}

#[track_caller]
fn close(found: f64, wanted: f64, relative: f64, absolute: f64, what: &str) {
    let apart = (found - wanted).abs();
    assert!(apart <= absolute.max(relative * wanted.abs()), "{what}: {found} is not {wanted}");
}

/// Compares a figure with one that may be undefined.
#[track_caller]
fn close_or_none(found: Option<f64>, wanted: &Value, relative: f64, what: &str) {
    match (found, wanted.as_f64()) {
        (Some(found), Some(wanted)) => close(found, wanted, relative, 1e-12, what),
        (None, None) => {}
        _ => panic!("{what}: {found:?} is not {wanted}"),
    }
}

#[test]
fn the_figures_here_are_those_of_the_material() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statistics");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if let Some(theirs) = material(&name) {
            assert_eq!(own(&name), theirs, "{name}");
        }
        compared += 1;
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn series_of_days() {
    let expected = own_json("f03_series_metrics.json");
    let cases = expected.as_object().expect("an object");
    assert_eq!(cases.len(), 9);
    for (name, wanted) in cases {
        let returns = series(name);
        let found = Equity::of(&returns).expect("days");
        let plain = [
            ("n", found.days as f64),
            ("mean", found.mean),
            ("downside_dev", found.downside),
            ("max_dd_additive", found.stretch.fall),
            ("total_additive", found.stretch.total),
            ("max_dd_compounded", found.compounded_fall),
            ("total_compounded", found.compounded),
            ("cagr", found.compounded_year),
            ("ulcer_index", found.ulcer),
            ("longest_underwater", found.underwater_days as f64),
            ("win_rate", found.win_rate),
            ("cvar05", found.bad_day),
        ];
        for (key, value) in plain {
            close(value, number(&wanted[key]), 1e-9, 1e-12, &format!("{name} {key}"));
        }
        let defined = [
            ("sortino", found.sortino),
            ("calmar", found.calmar),
            ("profit_factor", found.profit_factor),
            ("avg_loss", found.average_loss),
            ("payoff_ratio", found.payoff()),
            ("gain_to_pain", found.gain_to_pain),
        ];
        for (key, value) in defined {
            close_or_none(value, &wanted[key], 1e-9, &format!("{name} {key}"));
        }
        let Some(moments) = Moments::of(&returns) else {
            // A Sharpe ratio without a deviation is not defined here; the figures call it 0.
            assert_eq!((number(&wanted["sd"]), found.sharpe), (0.0, None), "{name}");
            continue;
        };
        let of_moments = [
            ("sd", moments.sd),
            ("skew", moments.skew),
            ("kurt", moments.kurtosis),
            ("sharpe", moments.sharpe()),
            ("psr0", moments.probabilistic_sharpe(0.0).expect("defined")),
        ];
        for (key, value) in of_moments {
            close(value, number(&wanted[key]), 1e-9, 1e-12, &format!("{name} {key}"));
        }
        close_or_none(found.average_win, &wanted["avg_win"], 1e-9, &format!("{name} avg_win"));
    }
}

#[test]
fn stretches_of_an_account() {
    let expected = own_json("f04_dd_monoid.json");
    let returns = series("s4_ar1");
    let cuts = usizes(&expected["cuts"]);
    let compare = |found: EquitySpan, wanted: &Value, what: &str| {
        let wanted: Vec<f64> = list(wanted).iter().map(number).collect();
        for (found, wanted) in [found.total, found.highest, found.lowest, found.fall].iter().zip(wanted) {
            close(*found, wanted, 0.0, 1e-12, what);
        }
    };
    let parts: Vec<EquitySpan> =
        cuts.windows(2).map(|cut| EquitySpan::of(&returns[cut[0]..cut[1]])).collect();
    let mut merged: Option<EquitySpan> = None;
    for (i, part) in parts.iter().enumerate() {
        compare(*part, &expected["segments"][i], "a part");
        let all = merged.map_or(*part, |merged| merged.then(*part));
        compare(all, &expected["prefix_merge"][i], "parts so far");
        merged = Some(all);
    }
    compare(EquitySpan::of(&returns), &expected["full"], "all");
    let last_first = parts.iter().rev().copied().reduce(|later, earlier| earlier.then(later)).expect("parts");
    compare(last_first, &expected["full"], "merged from the end");
}

#[test]
fn closed_forms() {
    let Some(expected) = material_json("f02_closed_form.json") else { return };
    let of = |case: &Value| Moments {
        days: number(&case["n"]) as usize,
        mean: number(&case["sr"]),
        sd: 1.0,
        skew: number(&case["skew"]),
        kurtosis: number(&case["kurt"]),
    };
    for case in list(&expected["grid"]) {
        let (moments, benchmark) = (of(case), number(&case["sr_star"]));
        let found = moments.probabilistic_sharpe(benchmark).expect("defined");
        close(found, number(&case["psr"]), 1e-11, 1e-13, "psr");
        let days = moments.min_track_record(benchmark, 0.95).expect("defined");
        match case["min_trl95"].as_f64() {
            Some(wanted) => close(days, wanted, 1e-11, 0.0, "min_trl"),
            None => assert_eq!(days, f64::INFINITY),
        }
    }
    for case in list(&expected["dsr"]) {
        let tries = number(&case["N"]);
        let lucky = number(&case["var_trials"]).sqrt() * expected_max(tries);
        close(lucky, number(&case["sr0"]), 1e-11, 1e-13, "sr0");
        let found = of(case).probabilistic_sharpe(lucky).expect("defined");
        let relative = if tries >= 1e9 { 1e-9 } else { 1e-11 };
        close(found, number(&case["dsr"]), relative, 1e-13, "dsr");
    }
    for case in list(&expected["emax"]) {
        close(expected_max(number(&case["N"])), number(&case["approx"]), 1e-11, 1e-13, "emax");
    }
    for case in list(&expected["minbtl"]) {
        let found = min_backtest_years(number(&case["N"]), number(&case["target_sr"]));
        close(found, number(&case["years"]), 1e-11, 0.0, "minbtl");
    }
}

#[test]
fn the_bootstrap_draws_the_same_days() {
    let days = |days: usize, seed: u64| -> Vec<f64> {
        let runs = stationary_runs(days, 5.0, seed);
        runs.into_iter().flat_map(|(from, to)| from..to).map(f64::from).collect()
    };
    for (name, count, seed) in
        [("f08_idx_own_T250_B499_L5.csv", 250, 12_345), ("f10_idx_own_T365_B999_L5_first20.csv", 365, 2025)]
    {
        let Some(text) = material(name) else { continue };
        let wanted = rows(&text);
        assert!(wanted.len() >= 20);
        for (b, wanted) in (0_u64..).zip(wanted) {
            assert_eq!(days(count, seed + b), wanted, "{name} {b}");
        }
    }
}

#[test]
fn intervals_by_resampling() {
    let expected = own_json("f10_boot_ci.json");
    for (name, wanted) in expected["results"].as_object().expect("an object") {
        let returns = series(name);
        let draws = BlockDraws::new(returns.len(), 5.0);
        for (key, statistic) in
            [("mean", bootstrap::mean as fn(&[f64]) -> Option<f64>), ("sharpe", bootstrap::sharpe)]
        {
            let found = confidence_interval(&returns, &draws, statistic).expect("defined");
            let wanted = &wanted[key];
            close(found.low, number(&wanted["pct90"][0]), 0.0, 1e-12, name);
            close(found.high, number(&wanted["pct90"][1]), 0.0, 1e-12, name);
            close(found.not_positive, number(&wanted["p_le_0"]), 0.0, 1e-3, name);
        }
        let found = confidence_interval(&returns, &draws, bootstrap::mean).expect("defined");
        let theirs = &wanted["arch_mean_pct90_10seeds"];
        for (side, found) in [found.low, found.high].into_iter().enumerate() {
            let wander = 5.0 * number(&theirs["sd"][side]);
            close(found, number(&theirs["mean"][side]), 0.0, wander, "another generator");
        }
    }
}

#[test]
fn purged_days_and_walks() {
    let ranges =
        |ranges: &[std::ops::Range<usize>]| -> Vec<usize> { ranges.iter().cloned().flatten().collect() };
    if let Some(expected) = material_json("f11_cv_days.json") {
        for case in list(&expected) {
            let count = |key: &str| number(&case[key]) as usize;
            let (days, parts) = (count("n"), count("folds"));
            let mut own = cut_folds(days, parts);
            if case["remainder"] == "last" {
                let length = days / parts;
                own = (0..parts)
                    .map(|i| i * length..if i + 1 == parts { days } else { (i + 1) * length })
                    .collect();
            }
            let found = fold_splits(&own, count("test_folds"), count("H"), count("E"));
            let wanted = list(&case["splits"]);
            assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.iter().zip(wanted) {
                assert_eq!(found.test, usizes(&wanted["test_folds"]));
                assert_eq!(ranges(&found.train), usizes(&wanted["train"]), "{case}");
                let test: Vec<_> = found.test.iter().map(|fold| own[*fold].clone()).collect();
                assert_eq!(ranges(&test), usizes(&wanted["test"]));
            }
        }
    }
    let expected = own_json("f11_cpcv_paths.json");
    let found = fold_splits(&cut_folds(60, 6), 2, 0, 0);
    let wanted: Vec<Vec<usize>> = list(&expected["recombined"]).iter().map(usizes).collect();
    assert_eq!(split_histories(&found, 6), wanted);
    for count in list(&expected["counts"]) {
        let of = |key: &str| number(&count[key]) as usize;
        let (parts, test) = (of("N"), of("k"));
        let found = fold_splits(&cut_folds(parts, parts), test, 0, 0);
        assert_eq!((found.len(), split_histories(&found, parts)[0].len()), (of("splits"), of("paths")));
    }
    for case in list(&own_json("f11_walk_forward.json")) {
        // Training windows of one length only: those that grow from the start are not used.
        if case["anchored"] == true {
            continue;
        }
        let of = |key: &str| number(&case[key]) as usize;
        let plan =
            TestPlan { train: of("train"), step: of("test"), gap: of("H"), ..TestPlan::new(of("n"), 1) };
        for (found, wanted) in plan.folds().iter().zip(list(&case["folds"])) {
            let range = |value: &Value| number(&value[0]) as usize..number(&value[1]) as usize;
            assert_eq!(found, &(range(&wanted["train"]), range(&wanted["test"])));
        }
        assert!(plan.folds().len() >= list(&case["folds"]).len());
    }
}

#[test]
fn trades_that_overlap() {
    let expected = own_json("f12_overlap.json");
    for name in ["afml", "random"] {
        let case = &expected[name];
        // Spans name the first and the last candle.
        let span = |span: &Value| (number(&span[0]) as i64, number(&span[1]) as i64 + 1);
        let spans: Vec<(i64, i64)> = list(&case["spans"]).iter().map(span).collect();
        let found = average_uniqueness(&spans);
        for (found, wanted) in found.iter().zip(list(&case["uniq"])) {
            close(*found, number(wanted), 0.0, 1e-12, name);
        }
        if let Some(wanted) = case["n_eff"].as_f64() {
            close(found.iter().sum(), wanted, 0.0, 1e-12, name);
        }
    }
}

/// Columns of a matrix with a row per day, scaled to fill the integers.
fn columns(text: &str, scale: f64) -> Vec<Vec<i32>> {
    let rows = rows(text);
    let column = |k: usize| rows.iter().map(|row| (row[k] * scale).round() as i32).collect();
    (0..rows[0].len()).map(column).collect()
}

#[test]
fn effective_numbers_of_tries() {
    let (Some(expected), Some(text)) = (material_json("f13_neff.json"), material("f05_pbo_noise.csv")) else {
        return;
    };
    let columns = columns(&text, 3e10);
    let mut spectrum = Spectrum::new(columns[0].len());
    columns.iter().for_each(|column| spectrum.push(column));
    let found = spectrum.effective_trials().expect("columns");
    let wanted = &expected["noise"];
    close(found.columns as f64, number(&wanted["M"]), 0.0, 0.0, "M");
    close(found.mean_correlation, number(&wanted["avg_corr"]), 1e-8, 1e-10, "avg_corr");
    close(found.by_correlation, number(&wanted["n_avgcorr"]), 1e-8, 0.0, "n_avgcorr");
    close(found.by_entropy, number(&wanted["entropy_rank"]), 1e-8, 0.0, "entropy_rank");
    close(found.by_participation, number(&wanted["participation"]), 1e-8, 0.0, "participation");
    close(found.by_galwey, number(&wanted["galwey"]), 1e-8, 0.0, "galwey");
}

#[test]
fn probabilities_step_by_step() {
    let Some(expected) = material_json("f09_spa.json") else { return };
    for name in ["noise", "edge", "poor"] {
        let Some(text) = material(&format!("f09_spa_{name}.csv")) else { continue };
        let columns = columns(&text, 1e9);
        let plan = TestPlan { replicates: 499, seed: 12_345, ..TestPlan::new(columns[0].len(), 1) };
        let replicates = Replicates::draw(&plan);
        let zero = vec![0; plan.days];
        let judge = |(k, column): (usize, &Vec<i32>)| {
            let wide: Vec<i64> = column.iter().map(|v| i64::from(*v)).collect();
            StepdownSet::new(k, &wide, &zero, &replicates).expect("it varies")
        };
        let mut sets: Vec<StepdownSet> = columns.iter().enumerate().map(judge).collect();
        sets.sort_by(|a, b| b.statistic.total_cmp(&a.statistic));
        let wanted = &expected[name]["own_sd"];
        for (set, p) in sets.iter().zip(stepdown_p_values(&sets, &[])) {
            close(set.statistic, number(&wanted["t"][set.column]), 1e-6, 1e-9, name);
            close(p, number(&wanted["rw_adj_p"][set.column]), 0.0, 1e-12, name);
        }
    }
}

#[test]
fn plateaus() {
    let expected = own_json("f15_plateau.json");
    let least = number(&expected["min_trades"]);
    let trades = list(&expected["n_trades"]);
    let score =
        |(i, score): (usize, &Value)| if number(&trades[i]) >= least { number(score) } else { f64::NAN };
    let scores: Vec<f64> = list(&expected["score"]).iter().enumerate().map(score).collect();
    let grid = Neighbourhood::new(vec![vec![0]], &usizes(&expected["shape"]));
    let found = SmoothedGrid::new(grid, scores, Smoothing::Twice);
    for i in 0..trades.len() {
        close_or_none(found.once(i), &expected["box1"][i], 0.0, "box1");
        close_or_none(found.smoothed(i), &expected["box2"][i], 0.0, "box2");
        close_or_none(found.around(i), &expected["loo"][i], 0.0, "loo");
        let (known, all) = found.neighbours(i);
        assert_eq!(f64::from(known), number(&expected["n_neigh_eligible"][i]));
        assert_eq!(f64::from(all), number(&expected["n_neigh_ingrid"][i]));
        assert_eq!(found.is_sound(i), expected["selectable"][i] == true, "{i}");
    }
    let (peak, plateau) = (found.peak().expect("a peak"), found.plateau().expect("a plateau"));
    assert_eq!((peak as u64, plateau as u64), (19, 68));
    assert_eq!((expected["peak"].as_u64(), expected["plateau"].as_u64()), (Some(19), Some(68)));
    for (point, key) in [(peak, "plateau_ratio_peak"), (plateau, "plateau_ratio_plateau")] {
        close(found.ratio(point).expect("a score"), number(&expected[key]), 0.0, 1e-12, key);
    }
}

#[test]
fn differences_of_sharpe_ratios() {
    let expected = own_json("f17_lw_sharpe_diff.json");
    let pairs = rows(&own("f17_pair.csv"));
    let column = |k: usize| pairs.iter().map(|row| row[k]).collect::<Vec<_>>();
    for lags in [0, 5, 10] {
        let found = sharpe_difference(&column(0), &column(1), lags).expect("they differ");
        let wanted = &expected[format!("L{lags}")];
        close(found.difference, number(&wanted["diff"]), 1e-9, 0.0, "difference");
        close(found.standard_error, number(&wanted["se"]), 1e-9, 0.0, "standard error");
        close(found.t, number(&wanted["t"]), 1e-9, 0.0, "t");
        close(found.p, number(&wanted["p_two_sided"]), 1e-9, 0.0, "p");
    }
}

#[test]
fn many_tests_and_haircuts() {
    let expected = own_json("f18_multiple.json");
    let p: Vec<f64> = list(&expected["p"]).iter().map(number).collect();
    let keys = ["bonferroni", "sidak", "holm", "bh", "bhy"];
    for (how, key) in Adjustment::ALL.into_iter().zip(keys) {
        for (found, wanted) in how.adjust(&p).iter().zip(list(&expected[key])) {
            close(*found, number(wanted), 1e-10, 1e-15, key);
        }
    }
    for case in list(&expected["haircut"]) {
        let of = |key: &str| number(&case[key]);
        let (days, year) = (of("n_obs"), of("per_year").sqrt());
        let sharpe = of("sr_ann") / year;
        let t = sharpe * days.sqrt();
        close(t, of("t"), 1e-10, 0.0, "t");
        let p = two_sided(t);
        close(p, of("p"), 1e-10, 0.0, "p");
        let adjusted = any_of(p, of("N"));
        close(adjusted, of("p_adj"), 1e-10, 0.0, "p_adj");
        let cut = haircut_sharpe(sharpe, days as usize, adjusted) * year;
        close(cut, of("sr_haircut"), 1e-10, 1e-10, "sr_haircut");
        close(1.0 - cut / of("sr_ann"), of("haircut"), 1e-10, 1e-10, "haircut");
    }
}

#[test]
fn costs_of_trades() {
    let expected = own_json("f20_costs.json");
    let mut compared = 0;
    for case in list(&expected["trades"]) {
        let of = |key: &str| number(&case[key]);
        // An entry is always a taker's, and a stop slips a multiple of it.
        if of("fee_in") != of("fee_out") {
            continue;
        }
        let (inwards, outwards) = (of("slip_in"), of("slip_out"));
        let costs = Costs {
            taker_fee: of("fee_in"),
            slippage_other: inwards,
            stop_slippage_factor: if inwards > 0.0 { outwards / inwards } else { 1.0 },
            funding_per_8h: 0.0,
            majors: Vec::new(),
            ..Costs::default()
        };
        let direction = if of("side") > 0.0 { Direction::Long } else { Direction::Short };
        let fill = Fill { price: of("exit"), reason: ExitReason::Stop, held_until_ms: 0 };
        let costs = costs.of(&Symbol::parse("ALPHAUSDT").expect("a name"));
        let (gross, net) = costs.open(direction, of("entry"), 0).result(fill);
        // Before slippage, which the notes' gross is after.
        close(gross, of("side") * (of("exit") / of("entry") - 1.0), 0.0, 1e-14, "gross");
        close(net - of("funding_paid"), of("net"), 0.0, 1e-14, "net");
        compared += 1;
    }
    assert_eq!(compared, 4);
    let even = &expected["breakeven"];
    let gross: f64 = list(&even["gross"]).iter().map(number).sum();
    for (assumed, net) in even["net_at"].as_object().expect("an object") {
        let (assumed, net) = (assumed.parse::<f64>().expect("a number"), number(net));
        let found = cost_buffer(gross, net).map(|buffer| buffer * assumed);
        match assumed > 0.0 {
            true => {
                close(found.expect("costs"), number(&even["breakeven_per_side"]), 1e-11, 0.0, "break-even")
            }
            false => assert_eq!(found, None),
        }
    }
}

#[test]
fn fills_inside_candles() {
    let expected = own_json("f21_intrabar.json");
    for case in list(&expected) {
        let of = |key: &str| number(&case[key]);
        let (side, entry, bars) = (of("side"), of("entry"), list(&case["bars"]));
        let mut series = CandleSeries::new(Interval::M15);
        for (i, bar) in bars.iter().enumerate() {
            let [open, high, low, close] = [0, 1, 2, 3].map(|k| number(&bar[k]));
            let open_time = i as i64 * Interval::M15.ms();
            series.push(Candle { open_time, open, high, low, close, volume: 1.0 });
        }
        let distance = |key: &str| (of(key) - entry).abs();
        let rule = ExitRule::new(distance("tp"), distance("sl"), bars.len() as f64 / 4.0);
        let plan = ExitPlan::new(vec![rule], Interval::M15).expect("a sound rule");
        let direction = if side > 0.0 { Direction::Long } else { Direction::Short };
        let position =
            Position { bars: series.bars(), entry: 0, direction, atr: 1.0, score: None, exit_at: None };
        let mut outcomes = Outcomes::new(1);
        plan.pass().outcomes(
            &position,
            &Costs::free().of(&Symbol::parse("A").expect("a name")),
            &mut outcomes,
        );
        let found = outcomes.row(0).of(0);
        // There are no candles inside candles here.
        let wanted = if case["expect_no_sub"].is_null() { &case["expect"] } else { &case["expect_no_sub"] };
        let name = &case["name"];
        let price = |ppm: ReturnPpm| entry * (1.0 + side * f64::from(ppm.0) / 1e6);
        close(price(found.net), number(&wanted["worst"]["price"]), 0.0, 1e-9, &name.to_string());
        close(price(found.best_case), number(&wanted["best"]["price"]), 0.0, 1e-9, &name.to_string());
        let reason = match found.reason {
            ExitReason::TakeProfit => "TP",
            ExitReason::Stop => "SL",
            ExitReason::StopGap => "SL_GAP",
            ExitReason::Time => "TIME",
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(wanted["worst"]["reason"], reason, "{name}");
        assert_eq!(wanted["worst"]["exit_bar"], u64::from(found.bars_held - 1), "{name}");
        assert_eq!(wanted["worst"]["ambiguous"], found.ambiguous, "{name}");
    }
}

#[test]
fn days_that_depend_on_each_other() {
    let expected = own_json("f22_dependence.json");
    for (name, wanted) in expected.as_object().expect("an object") {
        let returns = series(name);
        let covariances = autocovariances(&returns, 10);
        for (lag, wanted) in (1..).zip(list(&wanted["acf10"])) {
            close(covariances[lag] / covariances[0], number(wanted), 1e-9, 1e-12, name);
        }
        close(bootstrap_variance(&returns, 5.0), number(&wanted["sb_lrv_L5"]), 1e-9, 0.0, name);
        close(newey_west(&returns, 5), number(&wanted["nw_lrv_L5"]), 1e-9, 0.0, name);
        close_or_none(effective_days(&returns, 5.0), &wanted["n_eff_L5"], 1e-9, name);
        close_or_none(automatic_block(&returns), &wanted["opt_block_sb"], 1e-9, name);
        close_or_none(horizon_factor(&returns, 7), &wanted["lo_eta7"], 1e-9, name);
        close_or_none(horizon_factor(&returns, 365), &wanted["lo_sr_annual_factor"], 1e-9, name);
    }
}

#[test]
fn sums_over_a_grid_of_thresholds() {
    let expected = own_json("f25_grid_sums.json");
    let thresholds: Vec<Vec<f64>> =
        list(&expected["thresholds"]).iter().map(|axis| list(axis).iter().map(number).collect()).collect();
    let axis = |(i, values): (usize, &Vec<f64>)| {
        Dimension::new(&format!("f{i}"), "consensus", Bound::AtLeast, number_levels(values)).expect("sound")
    };
    let axes: Vec<Dimension> = thresholds.iter().enumerate().map(axis).collect();
    let mut book = OutcomeTable::new(Lattice::new(thresholds.iter().map(Vec::len).collect()), 2);
    let days = 1 + rows(&own("f25_signals.csv")).iter().map(|row| row[0] as i32).max().expect("signals");
    for (i, row) in (0..).zip(rows(&own("f25_signals.csv"))) {
        let entry_ms = row[0] as i64 * DAY_MS + i;
        let entry = Entry { entry_ms, symbol: 0, direction: Direction::Long, setup: Setup::Pullback };
        let place: Option<Vec<u8>> =
            axes.iter().zip(&row[2..5]).map(|(axis, value)| axis.coordinate(Some(*value))).collect();
        let outcome = |result: &f64| {
            let net = ReturnPpm((result * 1e6).round() as i32);
            let (reason, bars_held, ambiguous) = (ExitReason::Time, 1, false);
            Outcome { net, best_case: net, gross: net, bars_held, reason, ambiguous }
        };
        let mut outcomes = Outcomes::new(2);
        outcomes.push_each(&row[5..7].iter().map(outcome).collect::<Vec<_>>());
        match place {
            Some(place) => book.push(entry, &place, outcomes.row(0)),
            None => book.count_candidate(entry_ms),
        }
    }
    let window = book.window(Day(0)..Day(days));
    let (sweep, columns) = (sweep_window(&window), DailyColumns::new(&window));
    let mut daily = std::collections::BTreeMap::new();
    let parts = columns.look(|tile, branch| {
        let mut part = Vec::new();
        tile.for_each(branch, |column, returns| part.push((column, returns.to_vec())));
        part
    });
    for part in parts {
        daily.extend(part);
    }
    let combos = list(&expected["combos"]);
    assert_eq!(combos.len(), 72);
    for combo in combos {
        let levels: Vec<u8> = usizes(&combo["t"]).into_iter().map(|level| level as u8).collect();
        let (rule, cell) = (number(&combo["exit"]) as usize, book.lattice().cell(&levels));
        let point = sweep.point(rule, cell);
        assert_eq!(
            (u64::from(point.trades), u64::from(point.wins)),
            (combo["n"].as_u64().expect("a count"), combo["wins"].as_u64().expect("a count"))
        );
        let sum = |ppm: i64| ppm as f64 / 1e6;
        close(sum(point.net_ppm()), number(&combo["sum"]), 0.0, 1e-12, "sum");
        close(sum(point.win_ppm), number(&combo["gross_profit"]), 0.0, 1e-12, "gross profit");
        close(sum(-point.loss_ppm), number(&combo["gross_loss"]), 0.0, 1e-12, "gross loss");
        let tally = replay_set(&window, Pick { rule, levels: Some(&levels) });
        close(tally.square_ppm2 as f64 / 1e12, number(&combo["sumsq"]), 0.0, 1e-12, "squares");
        let wanted = list(&combo["daily"]);
        assert_eq!(wanted.len(), days as usize);
        for (day, found) in &tally.daily_ppm {
            close(sum(*found), number(&wanted[day.0 as usize]), 0.0, 1e-12, "a day");
        }
        // A cell that lets pass what a looser one does is left out.
        let Some(found) = daily.get(&(cell * 2 + rule)) else { continue };
        for (found, wanted) in found.iter().zip(wanted) {
            close(sum(i64::from(*found)), number(wanted), 0.0, 1e-12, "a day of a column");
        }
    }
    assert!(daily.len() > 36, "{}", daily.len());
}

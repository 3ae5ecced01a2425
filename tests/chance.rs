//! The tests against luck: against plain versions of themselves, against any cut of the grid, and against figures that
//! other programs computed (`../shared`, where it is there).

use proptest::prelude::*;
use retune::validate::assessment::wealth_of_bet;
use retune::validate::grid::{
    CrossValidation, GridResult, GridTests, Halves, Ranks, Replicates, SlidingSums, TestPlan, add_ranks,
};
use retune::validate::normal::{cdf, quantile};
use retune::validate::resample::Random;
use retune::validate::sharpe::Moments;
use serde_json::Value;

fn fixture(name: &str) -> Option<String> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/statistics").join(name);
    std::fs::read_to_string(path).ok()
}

fn json(name: &str) -> Option<Value> {
    fixture(name).map(|text| serde_json::from_str(&text).expect("JSON"))
}

/// Columns of a matrix with a row per day, as ten-digit fractions of 1.
fn columns(name: &str) -> Option<Vec<Vec<i32>>> {
    const SCALE: f64 = 1e9;
    let text = fixture(name)?;
    let row = |line: &str| -> Vec<i32> {
        line.split(',').map(|v| (v.parse::<f64>().expect("a number") * SCALE).round() as i32).collect()
    };
    let rows: Vec<Vec<i32>> = text.lines().map(row).collect();
    Some((0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect())
}

/// Looks at columns in parts, twice.
fn looked_at(
    plan: &TestPlan,
    columns: &[Vec<i32>],
    parts: &[usize],
) -> (GridResult, Option<CrossValidation>) {
    let (replicates, folds, halves) = (Replicates::draw(plan), plan.folds(), Halves::new(plan));
    let benchmarks = vec![vec![0; plan.days], columns[0].clone()];
    let mut merged: Option<GridResult> = None;
    let mut from = 0;
    for to in parts.iter().copied().chain([columns.len()]) {
        let mut tests = GridTests::new(plan, &replicates, &benchmarks, &folds, &halves);
        (from..to.max(from)).for_each(|column| tests.push(column, &columns[column]));
        from = to.max(from);
        let part = tests.finish();
        merged = Some(match merged {
            None => part,
            Some(merged) => merged.merge(part),
        });
    }
    let result = merged.expect("at least one part");
    let cut = parts.first().copied().unwrap_or(0).min(columns.len());
    let ranked = |columns: &[Vec<i32>]| {
        let mut ranks = Ranks::new(plan, &halves, &result);
        columns.iter().for_each(|column| ranks.push(column));
        ranks.finish()
    };
    let ranks = add_ranks(ranked(&columns[..cut]), ranked(&columns[cut..]));
    let cross_validation = result.cross_validation(&halves, &ranks);
    (result, cross_validation)
}

fn tested(plan: &TestPlan, columns: &[Vec<i32>], parts: &[usize]) -> GridResult {
    looked_at(plan, columns, parts).0
}

/// A plan that leaves nothing out.
fn plan(days: usize) -> TestPlan {
    TestPlan { replicates: 499, seed: 12_345, active_min: 0, ..TestPlan::new(days, 0) }
}

#[test]
fn luck_is_measured_as_others_measure_it() {
    let Some(expected) = json("f09_spa.json") else { return };
    for name in ["noise", "edge", "poor"] {
        // Some inputs are kept back.
        let Some(columns) = columns(&format!("f09_spa_{name}.csv")) else { continue };
        let plan = plan(columns[0].len());
        let luck = tested(&plan, &columns, &[]).luck(0, &plan).expect("columns");
        let own = &expected[name]["own_sd"];
        let p = |key: &str| (1.0 + own[key].as_f64().expect("a count")) / 500.0;
        assert!((luck.statistic - own["spa_stat"].as_f64().expect("a number")).abs() < 1e-6, "{name}");
        assert_eq!((luck.p_spa, luck.p_reality), (p("spa_consistent_exceed"), p("rc_exceed")), "{name}");
    }
}

#[test]
fn cross_validation_agrees() {
    let Some(expected) = json("f05_pbo.json") else { return };
    for (name, key, blocks) in [
        ("noise", "S8", 8),
        ("noise", "S10", 10),
        ("edge", "S8", 8),
        ("edge", "S10", 10),
        ("overfit", "S10", 10),
        ("noise", "S16", 16),
        ("edge", "S16", 16),
        ("overfit", "S16", 16),
        ("ties", "S6", 6),
    ] {
        let columns = columns(&format!("f05_pbo_{name}.csv")).expect("the columns");
        let plan = TestPlan { blocks, replicates: 0, ..plan(columns[0].len()) };
        let found = looked_at(&plan, &columns, &[]).1.expect("columns");
        let own = &expected[name][key];
        let number = |key: &str| own[key].as_f64().expect("a number");
        assert!((found.overfit - number("pbo")).abs() < 1e-12, "{name} {key}: {found:?}");
        assert!((found.p_loss - number("prob_loss")).abs() < 1e-12, "{name} {key}");
        assert!((found.outside_sharpe - number("mean_oos")).abs() < 1e-6, "{name} {key}");
    }
}

/// Columns of made-up returns: as many as there are shifts, each with a mean of its own.
fn shifted(days: usize, shifts: &[i32], seed: u64) -> Vec<Vec<i32>> {
    let mut random = Random::new(seed);
    let mut column = |shift: &i32| (0..days).map(|_| random.below(2_001) as i32 - 1_000 + shift).collect();
    shifts.iter().map(&mut column).collect()
}

/// Sharpe ratio per day (n - 1) of some days.
fn sharpe(returns: &[f64]) -> f64 {
    Moments::of(returns).map_or(0.0, |moments| moments.sharpe())
}

#[test]
fn one_set_and_one_that_is_always_best_are_not_flattered() {
    let plan = TestPlan { blocks: 8, replicates: 0, ..plan(240) };
    let optimism =
        |shifts: &[i32]| looked_at(&plan, &shifted(240, shifts, 7), &[]).1.expect("columns").optimism;
    assert_eq!(optimism(&[0]), 0.0);
    assert_eq!(optimism(&[-5_000, 900, -4_000]), 0.0, "the same set is best on every half");
    let noise = optimism(&[0; 60]);
    // The expected largest of 60 standard normals is 2.3; half the days scatter by 1 / sqrt(120), all by 1 / sqrt(240).
    assert!((0.10..0.20).contains(&noise), "{noise}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn what_is_expected_after_selection_is_never_more_than_in_sample(
        shifts in prop::collection::vec(-400..400_i32, 1..25), seed in any::<u64>(), half in 2..5_usize, days in 60..200_usize,
    ) {
        let plan = TestPlan { blocks: 2 * half, replicates: 0, ..plan(days) };
        let columns = shifted(days, &shifts, seed);
        let found = looked_at(&plan, &columns, &[]).1.expect("columns");
        prop_assert!(found.optimism >= 0.0, "{found:?}");
        // The same from the definition: halves of equal blocks, the best of each, and of the other one.
        let (length, first) = (days / (2 * half), days % (2 * half));
        let sets = (0..1_u32 << (2 * half)).filter(|set| set.count_ones() as usize == half);
        let of = |set: u32, column: &[i32]| {
            let chosen = (0..length * 2 * half).filter(|day| set >> (day / length) & 1 == 1);
            sharpe(&chosen.map(|day| f64::from(column[first + day])).collect::<Vec<_>>())
        };
        let best = |set: u32| columns.iter().max_by(|a, b| of(set, a).total_cmp(&of(set, b))).expect("a column");
        let all = (1_u32 << (2 * half)) - 1;
        let terms: Vec<f64> = sets.map(|set| of(set, best(set)) - of(set, best(all ^ set))).collect();
        let plain = terms.iter().sum::<f64>() / terms.len() as f64 / 2_f64.sqrt();
        prop_assert!((found.optimism - plain).abs() < 1e-9, "{} {plain}", found.optimism);
    }
}

#[test]
fn walking_forward_chooses_the_same_and_earns_the_same() {
    let Some(expected) = json("f14_walk_forward.json") else { return };
    let columns = columns("f14_wf_matrix.csv").expect("the columns");
    let base = plan(columns[0].len());
    let plan = TestPlan { train: 60, gap: 1, step: 5, replicates: 0, ..base };
    let result = tested(&plan, &columns, &[7, 11]);
    let chosen: Vec<u64> = result.folds().map(|fold| fold.column as u64).collect();
    let wanted: Vec<u64> =
        expected["selected"].as_array().expect("a list").iter().filter_map(Value::as_u64).collect();
    let shared = wanted.len().min(chosen.len());
    assert!(shared >= 27 && chosen[..shared] == wanted[..shared], "{chosen:?}");
    let earned: i64 =
        result.folds().take(shared).flat_map(|fold| &fold.test_ppm).map(|ppm| i64::from(*ppm)).sum();
    let wanted: f64 = expected["oos_sum"].as_f64().expect("a number");
    assert!((earned as f64 / 1e9 - wanted).abs() < 1e-6, "{earned}");
}

#[test]
fn wealth_agrees() {
    let Some(expected) = json("f16_eprocess.json") else { return };
    let scale = expected["c"].as_f64().expect("a number");
    let list = |value: &Value| -> Vec<f64> {
        value.as_array().expect("a list").iter().filter_map(Value::as_f64).collect()
    };
    for name in ["null", "edge"] {
        let (results, wanted) = (list(&expected[name]["d"]), list(&expected[name]["wealth"]));
        for (day, wanted) in wanted.iter().enumerate() {
            let found = wealth_of_bet(&results[..=day], scale);
            assert!((found / wanted - 1.0).abs() < 1e-9, "{name} day {day}: {found} is not {wanted}");
        }
    }
}

#[test]
fn the_normal_distribution_and_moments_agree() {
    let Some(expected) = json("f01_normal.json") else { return };
    let pairs = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
    let mut compared = 0;
    for (key, of) in [("cdf", cdf as fn(f64) -> f64), ("ppf", quantile), ("quantile", quantile)] {
        for pair in pairs(key) {
            let numbers: Vec<f64> = match &pair {
                Value::Array(list) => list.iter().filter_map(Value::as_f64).collect(),
                Value::Object(object) => object.values().filter_map(Value::as_f64).collect(),
                _ => continue,
            };
            let [at, wanted] = numbers[..] else { continue };
            let found = of(at);
            compared += 1;
            assert!(
                (found - wanted).abs() <= 1e-12_f64.max(1e-10 * wanted.abs()),
                "{key} {at}: {found} is not {wanted}"
            );
        }
    }
    assert!(
        compared > 0,
        "the fixture has values: {:?}",
        expected.as_object().map(|o| o.keys().collect::<Vec<_>>())
    );
}

proptest! {
    #[test]
    fn any_way_to_slide_a_window_equals_a_fresh_sum(
        returns in prop::collection::vec(-2_000_000_i32..2_000_000, 1..80),
        moves in prop::collection::vec((any::<bool>(), 0_usize..10), 0..40),
    ) {
        let (mut sums, mut from, mut to) = (SlidingSums::default(), 0, 0);
        for (grow, count) in moves {
            for _ in 0..count {
                if grow && to < returns.len() {
                    sums.add(returns[to]);
                    to += 1;
                } else if !grow && from < to {
                    sums.expire(returns[from]);
                    from += 1;
                }
            }
            let mut fresh = SlidingSums::default();
            returns[from..to].iter().for_each(|ppm| fresh.add(*ppm));
            prop_assert_eq!(sums, fresh);
        }
    }

    #[test]
    fn any_cut_of_the_grid_gives_the_same_bits(
        columns in prop::collection::vec(prop::collection::vec(-30_000_i32..30_000, 150), 1..90),
        cuts in prop::collection::vec(0_usize..90, 0..4),
    ) {
        let plan = TestPlan { replicates: 20, ..plan(150) };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(columns.len())).collect();
        cuts.sort_unstable();
        let (whole, whole_cross) = looked_at(&plan, &columns, &[]);
        let (cut, cut_cross) = looked_at(&plan, &columns, &cuts);
        prop_assert_eq!(whole.luck(0, &plan), cut.luck(0, &plan));
        prop_assert_eq!(whole.luck(1, &plan), cut.luck(1, &plan));
        prop_assert_eq!(whole_cross, cut_cross);
        prop_assert_eq!(whole.folds().collect::<Vec<_>>(), cut.folds().collect::<Vec<_>>());
    }

    #[test]
    fn the_prefix_sums_equal_the_plain_resampling(
        columns in prop::collection::vec(prop::collection::vec(-30_000_i32..30_000, 100), 1..6),
    ) {
        let plan = TestPlan { replicates: 30, ..plan(100) };
        let luck = tested(&plan, &columns, &[]).luck(0, &plan).expect("columns");
        // Plainly: resample days, take the largest studentised excess.
        let n = 100.0_f64;
        let stats: Vec<(f64, f64)> = columns.iter().map(|column| {
            let mean = column.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
            let sd = (column.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n).sqrt();
            (mean, sd)
        }).collect();
        let observed = stats.iter().map(|(mean, sd)| n.sqrt() * mean / sd).fold(0.0, f64::max);
        let limit = -(2.0 * n.ln().ln()).sqrt();
        let (mut least, mut most) = (0, 0);
        for b in 0..30 {
            let runs = retune::validate::resample::stationary_runs(100, plan.mean_block, plan.seed + b);
            let days: Vec<usize> = runs.into_iter().flat_map(|(from, to)| from as usize..to as usize).collect();
            let largest = columns.iter().zip(&stats).map(|(column, (mean, sd))| {
                let again = days.iter().map(|day| f64::from(column[*day])).sum::<f64>() / n;
                let centre = if n.sqrt() * mean / sd < limit { 0.0 } else { *mean };
                n.sqrt() * (again - centre) / sd
            }).fold(0.0, f64::max);
            // Single precision may turn a tie either way.
            least += usize::from(largest > observed + 1e-4);
            most += usize::from(largest > observed - 1e-4);
        }
        let count = (luck.p_spa * 31.0).round() as usize - 1;
        prop_assert!((least..=most).contains(&count), "{count} is not within {least}..={most}");
        prop_assert!((luck.statistic - observed).abs() < 1e-9);
    }
}

#[test]
fn undefined_is_not_a_number() {
    assert_eq!(Moments::of(&[]), None);
    let plan = TestPlan::new(100, 1);
    let (result, cross) = looked_at(&plan, &[vec![0; 100]], &[]);
    assert_eq!((result.columns(), result.luck(0, &plan), cross), (0, None, None));
    assert_eq!(result.folds().count(), 0);
}

/// The tests over columns, computed plainly: a column at a time, a day at a time.
fn plainly(plan: &TestPlan, columns: &[Vec<i32>], benchmark: &[i32]) -> (f64, f64) {
    let (n, draws) = (plan.days as f64, Replicates::draw(plan));
    let limit = -(2.0 * n.ln().ln()).sqrt();
    let (mut observed, mut observed_mean) = (0.0_f64, 0.0_f64);
    let mut largest = vec![[0.0_f64; 2]; plan.replicates];
    for column in columns.iter().filter(|column| plan.is_eligible(column)) {
        let excess: Vec<f64> =
            column.iter().zip(benchmark).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
        let mean = excess.iter().sum::<f64>() / n;
        let sd = (excess.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / n).sqrt();
        if sd == 0.0 {
            continue;
        }
        let statistic = n.sqrt() * mean / sd;
        observed = observed.max(statistic);
        observed_mean = observed_mean.max(n.sqrt() * mean);
        for (largest, runs) in largest.iter_mut().zip(draws.runs()) {
            let drawn = runs.iter().flat_map(|(from, to)| &excess[*from as usize..*to as usize]);
            let z = drawn.map(|d| (d - mean) / sd).sum::<f64>() / n.sqrt();
            largest[0] = largest[0].max(z + if statistic < limit { statistic } else { 0.0 });
            largest[1] = largest[1].max(z * sd);
        }
    }
    let p = |which: usize, observed: f64| {
        let beyond = largest.iter().filter(|largest| largest[which] > observed).count();
        (beyond as f64 + 1.0) / (plan.replicates as f64 + 1.0)
    };
    (p(0, observed), p(1, observed_mean))
}

/// Sets that all hold positions a lot and lose against the benchmark: "no trading" would be the best of them.
fn losing_columns(count: usize, days: usize) -> Vec<Vec<i32>> {
    let mut state = 99_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as i32 % 4_000
    };
    (0..count).map(|_| (0..days).map(|_| random() - 2_300).collect()).collect()
}

#[test]
fn no_set_is_tested_that_is_not_there() {
    let plan = plan(150);
    for count in [1, 2, 7, 63, 64, 65, 100, 128] {
        let columns = losing_columns(count, plan.days);
        let result = tested(&plan, &columns, &[]);
        // Against zero, and against the first column.
        for (which, benchmark) in [vec![0; plan.days], columns[0].clone()].iter().enumerate() {
            let test = result.luck(which, &plan).expect("a test");
            let (spa, reality) = plainly(&plan, &columns, benchmark);
            assert!((test.p_spa - spa).abs() < 1e-9, "{count} columns, {which}: {} and {spa}", test.p_spa);
            assert!(
                (test.p_reality - reality).abs() < 1e-9,
                "{count}, {which}: {} and {reality}",
                test.p_reality
            );
        }
    }
}

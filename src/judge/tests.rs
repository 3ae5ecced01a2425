use std::path::PathBuf;

use super::*;
use crate::ingest::TrialsFormat;
use crate::validate::assessment::Assurance;
use crate::validate::resample::Random;
use crate::validate::surface::SurfaceTest;

const FIRST: Day = Day(20_000);

/// Trials of so many days from a day on, each with a mean of its own in standard deviations of a day.
fn search(first: Day, days: usize, means: &[f64], seed: u64) -> TrialSearch {
    let mut random = Random::new(seed);
    let mut draw = || (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
    let trial = |(index, mean): (usize, &f64)| TrialDays {
        name: index.to_string(),
        first,
        returns: (0..days).map(|_| 0.01 * (draw() + mean)).collect(),
        trades: Some(2 * days as u64),
        loss: Some(-*mean),
    };
    TrialSearch {
        path: PathBuf::from("made up"),
        format: TrialsFormat::Freqtrade,
        strategy: None,
        trials: means.iter().enumerate().map(trial).collect(),
        pruned: 0,
        unfinished: 0,
        cut: false,
        empty_cells: 0,
    }
}

fn asked() -> JudgeQuestion {
    JudgeQuestion::default()
}

#[test]
fn noise_is_luck_and_an_edge_is_none() {
    let noise = judge_trials(&[search(FIRST, 240, &[-0.06; 40], 3)], &asked());
    assert_eq!(noise.edge.assurance, Assurance::LikelyLuck, "{noise:?}");
    assert!(noise.expected_sharpe_year() < noise.best.as_ref().and_then(|best| best.sharpe_year));
    let mut means = [0.0; 40];
    means[17] = 0.35;
    let edge = judge_trials(&[search(FIRST, 240, &means, 3)], &asked());
    assert_eq!(
        (edge.edge.assurance, edge.candidate.assurance),
        (Assurance::Real, Assurance::Real),
        "{edge:?}"
    );
    let best = edge.best.expect("one");
    assert_eq!((best.place, best.rank), ((0, 17), Some(1)));
    assert!(edge.deflated_sharpe < edge.probabilistic_sharpe && edge.deflated_sharpe > Some(0.8));
    assert_eq!(edge.cross_fit.map(|fit| fit.distinct), Some(1));
    assert!(edge.cross_validation.is_some_and(|found| found.overfit < 0.05));
    assert!(edge.halves.is_some_and(|halves| halves.iter().all(|half| half.rank == 1 && half.of == 40)));
}

/// Of searches over nothing as few are taken for more as the words promise.
#[test]
fn few_searches_over_noise_are_taken_for_more() {
    let worlds = 20_u64;
    let word = |seed| judge_trials(&[search(FIRST, 130, &[0.0; 15], 50 + seed)], &asked()).edge.assurance;
    let words: Vec<Assurance> = (0..worlds).map(word).collect();
    let taken = |least| words.iter().filter(|word| **word >= least).count();
    assert!(taken(Assurance::Real) <= 3 && taken(Assurance::Promising) <= 6, "{words:?}");
    assert!(words.contains(&Assurance::LikelyLuck), "{words:?}");
}

/// EDGE is the surface's own test with a column for each trial.
#[test]
fn edge_is_the_test_of_the_surface_over_trials() {
    let made = search(FIRST, 200, &[0.03; 30], 8);
    let judged = judge_trials(std::slice::from_ref(&made), &asked());
    let plan = SurfacePlan {
        first_day: FIRST.0,
        days: 200,
        replicates: REPLICATES,
        mean_block: TestPlan::new(200, 1).mean_block,
        seed: SEED,
    };
    let draws = plan.draw();
    let mut test = SurfaceTest::new(&plan, &draws);
    for (index, trial) in made.trials.iter().enumerate() {
        test.push(index, &trial.returns.iter().map(|value| *value as f32).collect::<Vec<f32>>());
    }
    let surface = test.finish();
    assert_eq!(judged.p_surface, surface.p());
    assert_eq!(judged.p, edge_p(surface.p(), judged.cross_fit));
    let luck = surface.lucky_t().expect("tested") / 200_f64.sqrt() * DAYS_PER_YEAR.sqrt();
    assert_eq!(judged.luck_sharpe_year, Some(luck));
    assert_eq!((judged.tested, judged.tries, judged.active_min), (30, 30, 60));
}

#[test]
fn everything_that_was_tried_counts() {
    let mut made = search(FIRST, 200, &[0.13; 20], 8);
    let p = |made: &TrialSearch, space_size| {
        let judged = judge_trials(std::slice::from_ref(made), &JudgeQuestion { space_size, ..asked() });
        (judged.p.expect("tested"), judged.p_space, judged.p_of_edge().expect("tested"))
    };
    let (alone, none, word) = p(&made, None);
    assert!(alone < 0.2 && none.is_none() && word == alone, "{alone}");
    let (same, space, word) = p(&made, Some(60));
    assert_eq!((same, space, word), (alone, Some((3.0 * alone).min(1.0)), (3.0 * alone).min(1.0)));
    made.pruned = 20;
    assert_eq!(p(&made, None).0, 2.0 * alone, "trials that were pruned");
    made.unfinished = 500;
    assert_eq!(p(&made, None).0, 2.0 * alone, "trials that failed");
}

#[test]
fn searches_of_other_days_share_in_edge_alone() {
    let main = search(FIRST, 200, &[0.02; 12], 8);
    let mut means = [0.0; 5];
    means[3] = 0.9;
    let other = search(Day(FIRST.0 - 400), 120, &means, 5);
    let alone = judge_trials(std::slice::from_ref(&main), &asked());
    let both = judge_trials(&[main.clone(), other.clone()], &asked());
    assert_eq!((both.other_days, both.tested, both.tries), (5, 17, 17));
    assert!(
        both.p < alone.p && both.p <= Some(0.01),
        "what earns in the other search is there: {:?}",
        both.p
    );
    assert_eq!((both.best, both.cross_fit, both.halves), (alone.best, alone.cross_fit, alone.halves));
    // A trial of other days has the t statistic that it has by itself.
    let by_itself = judge_trials(&[other], &asked());
    let ratio = both.surface_sharpe_year.zip(by_itself.surface_sharpe_year).map(|(a, b)| a / b);
    let expected = (120_f64 / 200.0).sqrt();
    // But for the zeros, by which the mean of the squares is the deviation: a change of the second order.
    assert!(ratio.is_some_and(|ratio| (ratio / expected - 1.0).abs() < 0.5), "{ratio:?} {expected}");
}

#[test]
fn a_trial_in_use_is_compared_with_the_choice() {
    let mut means = [0.0; 20];
    means[5] = 0.4;
    let made = [search(FIRST, 300, &means, 4)];
    let against = |trial| judge_trials(&made, &JudgeQuestion { incumbent: Some((0, trial)), ..asked() });
    let worse = against(2);
    assert_eq!(worse.switch.as_ref().map(|found| found.assurance), Some(Assurance::Real), "{worse:?}");
    let found = worse.incumbent.expect("named");
    assert!(found.p < Some(0.01) && found.difference.is_some_and(|found| found.difference > 0.2));
    assert_eq!(found.trial.name, "2");
    let best = against(5);
    assert!(best.switch.is_none() && best.incumbent.is_some_and(|found| found.p.is_none()), "it is the best");
}

#[test]
fn too_little_is_not_judged() {
    let short = judge_trials(&[search(FIRST, 50, &[0.3; 10], 4)], &asked());
    assert_eq!((short.edge.assurance, short.p, short.halves), (Assurance::NotEnoughData, None, None));
    let mut sparse = search(FIRST, 200, &[0.3; 10], 4);
    for trial in &mut sparse.trials {
        trial.returns.iter_mut().skip(20).for_each(|value| *value = 0.0);
    }
    let sparse = judge_trials(&[sparse], &asked());
    assert_eq!((sparse.edge.assurance, sparse.tested), (Assurance::NotEnoughData, 0));
    let mut same = search(FIRST, 200, &[0.3; 3], 4);
    same.trials.iter_mut().for_each(|trial| trial.returns.fill(0.01));
    let same = judge_trials(&[same], &asked());
    assert_eq!((same.edge.assurance, same.best), (Assurance::Untested, None), "returns that do not vary");
}

#[test]
fn one_thread_equals_several() {
    let made = [search(FIRST, 150, &vec![0.02; 2_500], 4)];
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| judge_trials(&made, &asked()))
    };
    assert_eq!(on(1), on(3));
}

/// A fold, and the days beside it, have no say in what is chosen for it.
#[test]
fn a_fold_has_no_say_in_the_choice_that_earns_on_it() {
    let made = search(FIRST, 200, &[0.02; 15], 6);
    let columns: Vec<&[f64]> = made.trials.iter().map(|trial| trial.returns.as_slice()).collect();
    let plain = cross_fit::cross_fit(&columns, 3).expect("enough days");
    for fold in 0..5_usize {
        let inside = (40 * fold).saturating_sub(3)..(40 * fold + 43).min(200);
        let turned: Vec<Vec<f64>> = columns
            .iter()
            .map(|column| {
                let turn =
                    |(day, value): (usize, &f64)| if inside.contains(&day) { -9.0 * value } else { *value };
                column.iter().enumerate().map(turn).collect()
            })
            .collect();
        let turned: Vec<&[f64]> = turned.iter().map(Vec::as_slice).collect();
        let found = cross_fit::cross_fit(&turned, 3).expect("enough days");
        let days = 40 * fold..40 * (fold + 1);
        let back: Vec<f64> = found.days[days.clone()].iter().map(|value| value / -9.0).collect();
        let near = plain.days[days].iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near, "fold {fold}");
    }
}

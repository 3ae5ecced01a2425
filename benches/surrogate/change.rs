//! Edges that move, and parameters that die: what the window of a run costs and is good for, and how soon decay is seen.

use std::fmt::Write as _;
use std::ops::Range;

use rayon::prelude::*;
use retune::engine::plan::Plan;
use retune::evaluate::daily::DailyColumns;
use retune::evaluate::outcome_table::OutcomeTable;
use retune::model::Day;
use retune::validate::assessment::{DECAY_E, decay_wealth};
use retune::validate::resample::Random;
use retune::validate::sharpe::DAYS_PER_YEAR;
use retune::validate::surface::SurfacePlan;

use super::{EDGES, RULES, TRUE_YEARS, Truth, World, YEAR, normal, plan};

/// How much days of the past count for a choice.
#[derive(Clone, Copy)]
enum Memory {
    /// So many days, all alike.
    Window(usize),
    /// All days, each half as much as one so many days later.
    HalfLife(f64),
}

impl Memory {
    fn weight(self, age: usize) -> f64 {
        match self {
            Self::Window(days) => f64::from(u8::from(age < days)),
            Self::HalfLife(days) => 0.5_f64.powf(age as f64 / days),
        }
    }
}

/// Chooses a set by the weighted Sharpe ratio of its days plus half its neighbours' mean.
fn choose(plan: &Plan, book: &OutcomeTable, days: &Range<Day>, memory: Memory) -> (usize, usize) {
    let (space, window) = (&plan.styles[0].space, book.window(days.clone()));
    let columns = DailyColumns::new(&window);
    let count = window.day_count();
    let weights: Vec<f64> = (0..count).map(|day| memory.weight(count - 1 - day)).collect();
    let total: f64 = weights.iter().sum();
    let ratios = columns.look(|tile, branch| {
        let mut ratios: Vec<(usize, f64)> = Vec::new();
        tile.for_each(branch, |column, returns| {
            let (mut sum, mut square, mut active) = (0.0, 0.0, 0.0);
            for (weight, day) in weights.iter().zip(returns) {
                let own = f64::from(*day);
                sum += weight * own;
                square += weight * own * own;
                active += if *day == 0 { 0.0 } else { *weight };
            }
            let mean = sum / total;
            let sd = (square / total - mean * mean).max(0.0).sqrt();
            if active >= 0.2 * total && sd > 0.0 {
                ratios.push((column, mean / sd));
            }
        });
        ratios
    });
    let mut of = vec![f64::NAN; space.lattice().cells() * RULES];
    ratios.into_iter().flatten().for_each(|(column, ratio)| of[column] = ratio);
    let place = |column: usize| (column % RULES, column / RULES);
    let smoothed = |column: usize| {
        let (rule, cell) = place(column);
        let around: Vec<f64> = space
            .neighbours(rule, cell)
            .into_iter()
            .map(|(rule, cell)| of[cell * RULES + rule])
            .filter(|ratio| !ratio.is_nan())
            .collect();
        of[column] + 0.5 * around.iter().sum::<f64>() / around.len().max(1) as f64
    };
    let known = (0..of.len()).filter(|column| !of[*column].is_nan());
    let best = known.map(|column| (smoothed(column), column)).max_by(|a, b| a.0.total_cmp(&b.0));
    place(best.expect("a set that trades").1)
}

/// What windows of several lengths, and days that fade, choose: where an edge stays, and so long after it moved.
pub(crate) fn windows(full: bool, asked: Option<usize>) {
    let plan = plan();
    let (worlds, history, years) =
        if full { (asked.unwrap_or(40), 2 * YEAR, TRUE_YEARS) } else { (1, 100, 1) };
    let memories = [
        ("180 days", Memory::Window(180)),
        ("365 days", Memory::Window(YEAR)),
        ("all, 730 days", Memory::Window(2 * YEAR)),
        ("half-life of 126 days", Memory::HalfLife(126.0)),
        ("half-life of 253 days", Memory::HalfLife(253.0)),
    ];
    let mut text =
        String::from("true yearly Sharpe ratio of the choice; share of worlds with p of EDGE <= 0.05\n");
    for (drift, name) in [EDGES[1], EDGES[2]] {
        let [stays, moved] = [false, true].map(|turned| Truth::of_edge(&plan, drift, years, turned));
        for after in [None, Some(60), Some(120), Some(240)] {
            let after = after.map(|days| if full { days } else { 30 });
            let turned = after.map_or(history..history, |days| history - days..history);
            let truth = if after.is_some() { &moved } else { &stays };
            let one = |n: u64| {
                let world = World { turned: turned.clone(), ..World::of(5_000_000 + 7 * n, history, drift) };
                let book = world.book(&plan);
                let days = Day(0)..Day(history as i32);
                memories.map(|(_, memory)| {
                    let (rule, cell) = choose(&plan, &book, &days, memory);
                    (truth.sharpe(rule, cell), p_of(&book, history, memory))
                })
            };
            let found: Vec<_> = (0..worlds as u64).into_par_iter().map(one).collect();
            let when = after.map_or("it stays".to_owned(), |days| format!("it moved {days} days ago"));
            for (at, (memory, _)) in memories.iter().enumerate() {
                let truths = found.iter().map(|of| of[at].0).sum::<f64>() / worlds as f64;
                let seen = found.iter().filter(|of| of[at].1.is_some_and(|p| p <= 0.05)).count();
                let seen = found[0][at].1.map(|_| format!("{:.0} %", 100.0 * seen as f64 / worlds as f64));
                let seen = seen.unwrap_or_else(|| "-".to_owned());
                let _ = writeln!(text, "  edge of {name}, {when}; {memory}: {truths:.2}; {seen}");
            }
        }
    }
    crate::print(&text);
}

/// Tests the surface of the last days of a history; `None` where days fade, for which there is no test.
fn p_of(book: &OutcomeTable, history: usize, memory: Memory) -> Option<f64> {
    let Memory::Window(days) = memory else { return None };
    let days = days.min(history);
    let from = (history - days) as i32;
    let surface = SurfacePlan { first_day: from, days, replicates: 999, mean_block: 5.0, seed: 20_240_611 };
    let window = book.window(Day(from)..Day(history as i32));
    retune::study::surface::test_surface(&window, &surface).p()
}

/// How often, and how soon, decay is seen of parameters whose day returns have fat tails and so high a yearly Sharpe ratio; before that,
/// for so many days since they are active, they have one of 2.8.
pub(crate) fn decays(full: bool, asked: Option<usize>) {
    let worlds = if full { asked.unwrap_or(4_000) } else { 20 };
    let mut text = format!(
        "share of {worlds} active sets that were seen to decay within two years, and the median day\n"
    );
    for good in [0_usize, 180] {
        for sharpe in [2.8, 0.0, -1.0, -2.0, -4.0] {
            let one = |n: u64| {
                let mut random = Random::new(9_000_000 + n);
                let day = |random: &mut Random, sharpe: f64| fat(random) + sharpe / DAYS_PER_YEAR.sqrt();
                let before: Vec<f64> = (0..YEAR).map(|_| day(&mut random, 2.8)).collect();
                let spread = (before.iter().map(|day| day * day).sum::<f64>() / YEAR as f64).sqrt();
                let worst = before.iter().fold(0.0_f64, |worst, day| worst.max(*day));
                let scale = (4.0 * spread).max(worst / 2.0);
                let mut losses: Vec<f64> = (0..good).map(|_| -day(&mut random, 2.8)).collect();
                losses.extend((0..2 * YEAR).map(|_| -day(&mut random, sharpe)));
                (good..losses.len()).step_by(7).find(|days| decay_wealth(&losses[..=*days], scale) >= DECAY_E)
            };
            let mut when: Vec<usize> = (0..worlds as u64).into_par_iter().filter_map(one).collect();
            when.sort_unstable();
            let median = when.get(when.len() / 2).map_or("-".to_owned(), |day| (day - good).to_string());
            let _ = writeln!(
                text,
                "  {good} good days, then a yearly Sharpe ratio of {sharpe}: {:.1} %, median day {median}",
                100.0 * when.len() as f64 / worlds as f64
            );
        }
    }
    crate::print(&text);
}

/// Returns a draw of a t distribution with five degrees of freedom, scaled to a variance of one.
fn fat(random: &mut Random) -> f64 {
    let square: f64 = (0..5).map(|_| normal(random).powi(2)).sum();
    normal(random) / (square / 5.0).sqrt() / (5.0_f64 / 3.0).sqrt()
}

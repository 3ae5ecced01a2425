//! Is there anything in the whole grid? One test of the surface, not of the set that was chosen on it.
//!
//! Exit rules of a filter cell share their entries, so the mean of their standardised day returns (the *cell column*) keeps an edge
//! and loses noise, and there are as many times fewer columns as there are rules. Each column has a t statistic; the surface's
//! statistic is the 8-norm of the positive ones, a maximum that also counts how much stands beside it. Replicates toss the sign of
//! blocks of days, the same for every column, and are studentised by their own deviation: they say what noise reaches. Noise whose
//! results could as well have had the other sign is tested exactly, however its volatility comes and goes.
//!
//! Causality: hindsight over the window by its nature; it judges, nothing is chosen by it
//! Source:    Romano and Wolf (2005) for tests by changes of sign; Hansen (2005) for the columns that clearly lose; the project's
//!            statistics notes 2, sections 1 and 4

use super::resample::calendar_signs;
use crate::evaluate::simd::run_widest;

/// Columns that are resampled side by side.
const LANES: usize = 32;
/// Share of the days with trades that makes a cell's column one that can be tested.
const ACTIVE_SHARE: f64 = 0.3;
/// Fewest days with trades of any column that is tested.
const ACTIVE_MIN: usize = 30;

/// How a surface is tested.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurfacePlan {
    /// Calendar day of the first day; draws belong to calendar days.
    pub first_day: i32,
    /// Days of every column.
    pub days: usize,
    /// Replicates.
    pub replicates: usize,
    /// Mean length of a block of days that have their sign together; days.
    pub mean_block: f64,
    /// Seed of all draws.
    pub seed: u64,
}

impl SurfacePlan {
    /// Returns the fewest days with trades that a column needs, where the busiest cell has so many: three tenths of the days, or
    /// half of the busiest cell's where that is less. A rule that looks at no return.
    pub fn active_min(&self, busiest: usize) -> usize {
        let share = (ACTIVE_SHARE * self.days as f64).ceil() as usize;
        share.min(busiest.div_ceil(2)).max(ACTIVE_MIN)
    }

    /// Draws the replicates, the same for every column: runs of days that keep their sign.
    pub fn draw(&self) -> Vec<Vec<(u32, u32)>> {
        let one = |b: usize| calendar_signs(self.first_day, self.days, self.mean_block, self.seed, b as u64);
        (0..self.replicates).map(one).collect()
    }
}

/// The test of a part of the surface.
#[derive(Debug)]
pub struct SurfaceTest<'a> {
    plan: &'a SurfacePlan,
    draws: &'a [Vec<(u32, u32)>],
    found: SurfaceResult,
    /// Lanes that wait, standardised: day by day.
    rows: Vec<[f32; LANES]>,
    /// Statistics of the lanes that wait.
    waiting: Vec<f64>,
    prefix: Prefix,
}

/// Sums of standardised returns before each day.
#[derive(Debug, Default)]
struct Prefix {
    sum: Vec<[f32; LANES]>,
}

/// What every replicate of a column has in common.
struct Lanes {
    /// Mean square of the standardised returns.
    square: [f32; LANES],
    /// Added to the statistic.
    shift: [f32; LANES],
}

/// What a surface, or a part of it, came to.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceResult {
    columns: usize,
    /// The largest t statistic with its cell; the first of equals.
    largest: (f64, usize),
    /// Sum of eighth powers of positive t statistics.
    power: f64,
    /// The same of each replicate.
    powers: Vec<f64>,
    /// The largest statistic of each replicate, at least 0.
    reached: Vec<f32>,
}

impl SurfaceResult {
    fn none(replicates: usize) -> Self {
        Self {
            columns: 0,
            largest: (f64::NEG_INFINITY, usize::MAX),
            power: 0.0,
            powers: vec![0.0; replicates],
            reached: vec![0.0; replicates],
        }
    }

    /// Adds a later part; parts are added in the order of their cells.
    pub fn merge(mut self, later: &Self) -> Self {
        self.columns += later.columns;
        if later.largest.0 > self.largest.0 {
            self.largest = later.largest;
        }
        self.power += later.power;
        self.powers.iter_mut().zip(&later.powers).for_each(|(own, theirs)| *own += theirs);
        self.reached.iter_mut().zip(&later.reached).for_each(|(own, theirs)| *own = own.max(*theirs));
        self
    }

    /// Returns the columns that were tested.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the largest t statistic of a cell with the cell; `None` where none was tested.
    pub fn largest(&self) -> Option<(f64, usize)> {
        (self.columns > 0).then_some(self.largest)
    }

    /// Returns the probability that noise over the whole surface does as well; `None` where nothing was tested.
    pub fn p(&self) -> Option<f64> {
        let as_good = self.powers.iter().filter(|power| **power >= self.power).count();
        (self.columns > 0).then(|| (1 + as_good) as f64 / (1 + self.powers.len()) as f64)
    }

    /// Returns the largest t statistic that noise reaches on average over all cells.
    pub fn lucky_t(&self) -> Option<f64> {
        let sum: f64 = self.reached.iter().map(|t| f64::from(*t)).sum();
        (self.columns > 0 && !self.reached.is_empty()).then(|| sum / self.reached.len() as f64)
    }
}

impl<'a> SurfaceTest<'a> {
    /// Begins a part; draws are those of the plan.
    pub fn new(plan: &'a SurfacePlan, draws: &'a [Vec<(u32, u32)>]) -> Self {
        Self {
            plan,
            draws,
            found: SurfaceResult::none(draws.len()),
            rows: vec![[0.0; LANES]; plan.days],
            waiting: Vec::with_capacity(LANES),
            prefix: Prefix::default(),
        }
    }

    /// Takes the column of a cell in: a return for every day, in any unit. One that does not vary counts for nothing.
    pub fn push(&mut self, cell: usize, column: &[f32]) {
        assert!(column.len() == self.plan.days, "one return per day");
        let n = column.len() as f64;
        let mean = column.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let variance = column.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
        if variance <= 0.0 {
            return;
        }
        let (sd, lane) = (variance.sqrt(), self.waiting.len());
        let t = n.sqrt() * mean / sd;
        let unit = 1.0 / sd;
        self.rows.iter_mut().zip(column).for_each(|(row, x)| row[lane] = (f64::from(*x) * unit) as f32);
        self.found.columns += 1;
        if t > self.found.largest.0 {
            self.found.largest = (t, cell);
        }
        self.found.power += eighth(t.max(0.0));
        self.waiting.push(t);
        if self.waiting.len() == LANES {
            self.resample();
        }
    }

    /// Ends the part.
    pub fn finish(mut self) -> SurfaceResult {
        self.resample();
        self.found
    }

    /// Resamples the columns that wait, side by side.
    fn resample(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let days = self.plan.days as f64;
        let limit = -(2.0 * days.ln().max(1.0).ln()).sqrt();
        let lanes = Lanes {
            square: std::array::from_fn(|lane| {
                self.waiting.get(lane).map_or(1.0, |t| (1.0 + t * t / days) as f32)
            }),
            // A cell that clearly loses goes on losing. An empty lane reaches nothing.
            shift: std::array::from_fn(|lane| match self.waiting.get(lane) {
                Some(t) if *t < limit => *t as f32,
                Some(_) => 0.0,
                None => f32::NEG_INFINITY,
            }),
        };
        let Self { rows, prefix, draws, found, .. } = self;
        run_widest(
            #[inline(always)]
            || prefix.add_up(rows),
        );
        for (b, kept) in draws.iter().enumerate() {
            let (power, reached) = run_widest(
                #[inline(always)]
                || prefix.replicate(kept, days as f32, &lanes),
            );
            found.powers[b] += f64::from(power);
            found.reached[b] = found.reached[b].max(reached);
        }
        self.waiting.clear();
    }
}

impl Prefix {
    #[inline(always)]
    fn add_up(&mut self, rows: &[[f32; LANES]]) {
        self.sum.resize(rows.len() + 1, [0.0; LANES]);
        let mut sum = [0.0_f32; LANES];
        for (day, row) in rows.iter().enumerate() {
            for lane in 0..LANES {
                sum[lane] += row[lane];
            }
            self.sum[day + 1] = sum;
        }
    }

    /// Returns the sum of eighth powers, and the largest, of the lanes' statistics where days outside the runs have the other sign.
    #[inline(always)]
    fn replicate(&self, kept: &[(u32, u32)], days: f32, lanes: &Lanes) -> (f32, f32) {
        let mut sum = [0.0_f32; LANES];
        for (from, to) in kept {
            let (before, after) = (&self.sum[*from as usize], &self.sum[*to as usize]);
            for lane in 0..LANES {
                sum[lane] += after[lane] - before[lane];
            }
        }
        let whole = self.sum.last().unwrap_or(&[0.0; LANES]);
        let (mut powers, mut reached) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        for lane in 0..LANES {
            let mean = (2.0 * sum[lane] - whole[lane]) / days;
            let variance = (lanes.square[lane] - mean * mean).max(f32::MIN_POSITIVE);
            let t = days.sqrt() * mean / variance.sqrt() + lanes.shift[lane];
            let t = if t > 0.0 { t } else { 0.0 };
            let fourth = (t * t) * (t * t);
            powers[lane] = fourth * fourth;
            reached[lane] = t;
        }
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                powers[lane] += powers[lane + width];
                reached[lane] = reached[lane].max(reached[lane + width]);
            }
            width /= 2;
        }
        (powers[0], reached[0])
    }
}

fn eighth(t: f64) -> f64 {
    let fourth = (t * t) * (t * t);
    fourth * fourth
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::validate::resample::Random;

    const PLAN: SurfacePlan =
        SurfacePlan { first_day: 20_000, days: 120, replicates: 99, mean_block: 5.0, seed: 3 };

    /// The plain version: every replicate written out day by day, moments in double precision.
    fn plain(plan: &SurfacePlan, columns: &[Vec<f32>]) -> (f64, Vec<f64>, Vec<f64>) {
        let n = plan.days as f64;
        let t_of = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            n.sqrt() * mean / variance.sqrt()
        };
        let wide: Vec<Vec<f64>> =
            columns.iter().map(|column| column.iter().map(|x| f64::from(*x)).collect()).collect();
        let observed: Vec<f64> = wide.iter().map(|column| t_of(column)).collect();
        let power = |ts: &[f64]| ts.iter().map(|t| t.max(0.0).powi(8)).sum::<f64>();
        let limit = -(2.0 * n.ln().ln()).sqrt();
        let (mut powers, mut reached) = (Vec::new(), Vec::new());
        for kept in plan.draw() {
            let keeps = |day: u32| kept.iter().any(|(from, to)| (*from..*to).contains(&day));
            let ts: Vec<f64> = wide
                .iter()
                .zip(&observed)
                .map(|(column, own)| {
                    let tossed = |(day, x): (usize, &f64)| if keeps(day as u32) { *x } else { -x };
                    let drawn: Vec<f64> = column.iter().enumerate().map(tossed).collect();
                    t_of(&drawn) + if *own < limit { *own } else { 0.0 }
                })
                .collect();
            powers.push(power(&ts));
            reached.push(ts.iter().fold(0.0_f64, |most, t| most.max(*t)));
        }
        (power(&observed), powers, reached)
    }

    fn columns(seed: u64, count: usize, drift: f64) -> Vec<Vec<f32>> {
        let mut random = Random::new(seed);
        let mut column = || -> Vec<f32> {
            (0..PLAN.days).map(|_| (random.unit() + random.unit() - 1.0 + drift) as f32).collect()
        };
        (0..count).map(|_| column()).collect()
    }

    fn tested(columns: &[Vec<f32>]) -> SurfaceResult {
        let draws = PLAN.draw();
        let mut test = SurfaceTest::new(&PLAN, &draws);
        columns.iter().enumerate().for_each(|(cell, column)| test.push(cell, column));
        test.finish()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn it_is_the_plain_test(seed in any::<u64>(), count in 1_usize..70, drift in -0.2_f64..0.2) {
            let columns = columns(seed, count, drift);
            let (power, powers, reached) = plain(&PLAN, &columns);
            let found = tested(&columns);
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-3 * (1.0 + a.abs().max(b.abs()));
            prop_assert!(near(found.power.powf(0.125), power.powf(0.125)));
            for b in 0..PLAN.replicates {
                prop_assert!(near(found.powers[b].powf(0.125), powers[b].powf(0.125)), "{b}");
                prop_assert!(near(f64::from(found.reached[b]), reached[b]), "{b}");
            }
            prop_assert_eq!(found.columns(), count);
        }

        #[test]
        fn parts_merge_to_the_whole(seed in any::<u64>(), cut in 1_usize..60) {
            let columns = columns(seed, 60, 0.05);
            let draws = PLAN.draw();
            let part = |range: std::ops::Range<usize>| {
                let mut test = SurfaceTest::new(&PLAN, &draws);
                range.for_each(|cell| test.push(cell, &columns[cell]));
                test.finish()
            };
            let (whole, parts) = (tested(&columns), part(0..cut).merge(&part(cut..60)));
            prop_assert_eq!(whole.largest(), parts.largest());
            prop_assert_eq!(&whole.reached, &parts.reached);
            prop_assert_eq!(whole.columns(), parts.columns());
            prop_assert!((whole.power / parts.power - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn an_edge_is_found_and_noise_is_not() {
        let p = |drift| tested(&columns(5, 40, drift)).p().expect("tested");
        assert!(p(0.2) <= 0.02, "{}", p(0.2));
        assert!(p(0.0) > 0.05, "{}", p(0.0));
        assert!(p(-0.2) > 0.5, "{}", p(-0.2));
        let none = tested(&[vec![0.0; PLAN.days]]);
        assert_eq!((none.p(), none.largest(), none.lucky_t(), none.columns()), (None, None, None, 0));
    }

    #[test]
    fn columns_are_tested_by_their_days_alone() {
        let plan = SurfacePlan { days: 365, ..PLAN };
        assert_eq!(plan.active_min(365), 110);
        assert_eq!(plan.active_min(100), 50, "half of the busiest");
        assert_eq!(plan.active_min(20), 30, "never fewer than thirty");
    }
}

//! Was it luck? Tests over every parameter set of a grid at once, from streamed day returns.
//!
//! The day returns of 139,968 sets over a year would be 200 MB; here each column is looked at once and forgotten. What is
//! kept: the largest statistic per replicate (SPA, Reality Check), the best set per walk-forward step with what it
//! earned afterwards, block sums for CSCV. Accumulators of parts of the grid merge to those of the whole, whatever the
//! parts: maxima, with ties to the earlier column.
//!
//! Source: Hansen (2005), White (2000), Bailey et al. (2017); the project's statistics notes, sections 3.3 to 3.6.

use super::resample::stationary_runs;
use crate::evaluate::simd::run_widest;

/// Columns that are tested side by side.
const LANES: usize = 64;

/// How the tests are set up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestPlan {
    /// Days of every column.
    pub days: usize,
    /// Bootstrap replicates.
    pub replicates: usize,
    /// Mean length of a bootstrap block; days.
    pub mean_block: f64,
    /// Seed of the first replicate.
    pub seed: u64,
    /// Fewest days with a return other than 0.
    pub active_min: usize,
    /// Days that a label reaches into the next: left out between training and test.
    pub gap: usize,
    /// Days of a walk-forward training window.
    pub train: usize,
    /// Days that a walk-forward choice is held.
    pub step: usize,
    /// Blocks of the combinatorial cross-validation; even.
    pub blocks: usize,
}

impl TestPlan {
    /// Returns the default tests for so many days, with labels that reach over so many.
    pub fn new(days: usize, gap: usize) -> Self {
        let mean_block = 5.0_f64.max(gap as f64 + 1.0).min(10.0);
        Self {
            days,
            replicates: 500,
            mean_block,
            seed: 20_240_611,
            active_min: 30,
            gap,
            train: 120,
            step: 7,
            blocks: 10,
        }
    }

    /// Returns the walk-forward folds as (train, test) ranges of days.
    pub fn folds(&self) -> Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        let mut folds = Vec::new();
        let mut at = self.train + self.gap;
        while at < self.days {
            let end = (at + self.step).min(self.days);
            folds.push((at - self.gap - self.train..at - self.gap, at..end));
            at = end;
        }
        folds
    }

    /// Returns whether a column is tested: by its active days, a rule that does not look at its returns.
    pub fn is_eligible(&self, returns: &[i32]) -> bool {
        returns.iter().filter(|ppm| **ppm != 0).count() >= self.active_min
    }

    /// Returns the days of each block, the oldest days that do not fill a block and each block's gap left out.
    fn block_days(&self) -> Vec<std::ops::Range<usize>> {
        let length = self.days / self.blocks;
        let first = self.days % self.blocks;
        let block = |b: usize| first + b * length + self.gap.min(length)..first + (b + 1) * length;
        (0..self.blocks).map(block).collect()
    }
}

/// The replicates of a plan, drawn once for all columns: the same days for every set keep what they have in common.
#[derive(Debug)]
pub struct Replicates {
    runs: Vec<Vec<(u32, u32)>>,
}

impl Replicates {
    /// Draws them.
    pub fn draw(plan: &TestPlan) -> Self {
        let one = |b: usize| stationary_runs(plan.days, plan.mean_block, plan.seed + b as u64);
        Self { runs: (0..plan.replicates).map(one).collect() }
    }

    /// Returns the days of each replicate, as runs [from, to).
    pub fn runs(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        self.runs.iter().map(Vec::as_slice)
    }
}

/// Exact sums over a window of days that slides: what enters is added, what leaves is subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlidingSums {
    days: i64,
    active: i64,
    sum: i64,
    square: i128,
}

impl SlidingSums {
    /// Takes a day in.
    pub fn add(&mut self, ppm: i32) {
        self.days += 1;
        self.active += i64::from(ppm != 0);
        self.sum += i64::from(ppm);
        self.square += i128::from(i64::from(ppm) * i64::from(ppm));
    }

    /// Lets a day go that was taken in.
    pub fn expire(&mut self, ppm: i32) {
        self.days -= 1;
        self.active -= i64::from(ppm != 0);
        self.sum -= i64::from(ppm);
        self.square -= i128::from(i64::from(ppm) * i64::from(ppm));
    }

    /// Returns the mean over the standard deviation (n - 1); `None` where returns do not vary.
    fn sharpe(&self) -> Option<f64> {
        let n = self.days as f64;
        // Almost always small enough for the processor's own conversion.
        let square = i64::try_from(self.square).map_or(self.square as f64, |square| square as f64);
        let sum = self.sum as f64;
        let variance = (square - sum * sum / n) / (n - 1.0);
        (variance > 0.0).then(|| sum / n / variance.sqrt())
    }
}

/// The best set of a fold, and what it earned afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldBest {
    /// Column.
    pub column: usize,
    /// Sharpe ratio per day in training.
    pub train_sharpe: f64,
    /// Returns of the test days; ppm.
    pub test_ppm: Vec<i32>,
    /// Standard deviation per day in training; ppm.
    pub train_sd: f64,
}

/// The largest statistics against one benchmark.
#[derive(Debug, Clone, PartialEq)]
struct Largest {
    /// Studentised, with its column.
    statistic: (f64, usize),
    /// Not studentised.
    mean: f64,
    /// Per replicate, recentred consistently.
    spa: Vec<f32>,
    /// Per replicate, not studentised, recentred everywhere.
    reality: Vec<f32>,
    /// Per replicate, studentised, recentred everywhere: what luck reaches.
    luck: Vec<f32>,
}

impl Largest {
    fn new(replicates: usize) -> Self {
        let none = vec![0.0; replicates];
        Self { statistic: (0.0, usize::MAX), mean: 0.0, spa: none.clone(), reality: none.clone(), luck: none }
    }

    fn merge(&mut self, other: &Self) {
        let earlier = other.statistic.0 == self.statistic.0 && other.statistic.1 < self.statistic.1;
        if other.statistic.0 > self.statistic.0 || earlier {
            self.statistic = other.statistic;
        }
        self.mean = self.mean.max(other.mean);
        let pairs =
            [(&mut self.spa, &other.spa), (&mut self.reality, &other.reality), (&mut self.luck, &other.luck)];
        for (own, theirs) in pairs {
            own.iter_mut().zip(theirs).for_each(|(a, b)| *a = a.max(*b));
        }
    }
}

/// A test of many sets against one benchmark, seen from the best of them or from a chosen one.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LuckTest {
    /// Probability that luck alone, over all sets tried, does as well: SPA, consistent, studentised by the daily
    /// standard deviation.
    pub p_spa: f64,
    /// The same by White's Reality Check, which is not studentised.
    pub p_reality: f64,
    /// The largest statistic.
    pub statistic: f64,
    /// The Sharpe ratio per day that luck reaches on average.
    pub luck_sharpe: f64,
}

/// Accumulates the columns of a part of a grid.
#[derive(Debug)]
pub struct GridTests<'a> {
    plan: &'a TestPlan,
    replicates: &'a Replicates,
    /// Day returns of the benchmarks; ppm. The first is zero.
    benchmarks: &'a [Vec<i32>],
    folds: &'a [(std::ops::Range<usize>, std::ops::Range<usize>)],
    largest: Vec<Largest>,
    best: Vec<Option<FoldBest>>,
    halves: &'a Halves,
    sums: HalfSums,
    standings: Vec<HalfBest>,
    columns: usize,
    waiting: PendingColumns,
}

impl<'a> GridTests<'a> {
    /// Begins a part; folds are those of the plan.
    pub fn new(
        plan: &'a TestPlan,
        replicates: &'a Replicates,
        benchmarks: &'a [Vec<i32>],
        folds: &'a [(std::ops::Range<usize>, std::ops::Range<usize>)],
        halves: &'a Halves,
    ) -> Self {
        Self {
            plan,
            replicates,
            benchmarks,
            folds,
            largest: benchmarks.iter().map(|_| Largest::new(plan.replicates)).collect(),
            best: vec![None; folds.len()],
            halves,
            sums: HalfSums::default(),
            standings: vec![HalfBest::default(); halves.pairs.len()],
            columns: 0,
            waiting: PendingColumns::default(),
        }
    }

    /// Takes a column in: day returns in ppm; columns come in ascending order. One with too few active days counts
    /// for nothing, by a rule that does not look at its returns.
    pub fn push(&mut self, column: usize, returns: &[i32]) {
        assert!(returns.len() == self.plan.days, "one return per day");
        if !self.plan.is_eligible(returns) {
            return;
        }
        self.columns += 1;
        self.compare_halves(column, returns);
        self.walk_forward(column, returns);
        self.waiting.push(column, returns);
        if self.waiting.columns.len() == LANES {
            self.flush();
        }
    }

    fn compare_halves(&mut self, column: usize, returns: &[i32]) {
        let standings = self.sums.standings(self.halves, returns);
        // The halves ascend as sets of blocks: the other half of each stands as far from the end.
        for ((best, inside), outside) in self.standings.iter_mut().zip(standings).zip(standings.iter().rev())
        {
            if *inside > best.inside {
                *best = HalfBest { inside: *inside, column, outside: *outside };
            }
        }
    }

    fn walk_forward(&mut self, column: usize, returns: &[i32]) {
        let mut sums = SlidingSums::default();
        let mut window = 0..0;
        for (index, (train, test)) in self.folds.iter().enumerate() {
            (window.end..train.end).for_each(|day| sums.add(returns[day]));
            (window.start..train.start).for_each(|day| sums.expire(returns[day]));
            window = train.clone();
            let enough = sums.active >= (self.plan.active_min / 2) as i64;
            let Some(sharpe) = sums.sharpe().filter(|_| enough) else { continue };
            let best = &mut self.best[index];
            if best.as_ref().is_none_or(|best| sharpe > best.train_sharpe) {
                let train_sd = sums.sum as f64 / sums.days as f64 / sharpe;
                let test_ppm = returns[test.clone()].to_vec();
                *best = Some(FoldBest { column, train_sharpe: sharpe, test_ppm, train_sd });
            }
        }
    }

    /// Tests the columns that wait, side by side.
    fn flush(&mut self) {
        if self.waiting.columns.is_empty() {
            return;
        }
        let returns = self.waiting.side_by_side(self.plan.days);
        for (benchmark, largest) in self.benchmarks.iter().zip(&mut self.largest) {
            let chunk = Chunk::new(&returns, self.waiting.columns.len(), benchmark);
            chunk.observe(&self.waiting.columns, largest);
            chunk.resample(self.replicates, largest);
        }
        self.waiting.clear();
    }

    /// Ends the part.
    pub fn finish(mut self) -> GridResult {
        self.flush();
        GridResult {
            largest: self.largest,
            best: self.best,
            standings: self.standings,
            columns: self.columns,
        }
    }
}

/// What is kept of a part of a grid, or of the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct GridResult {
    largest: Vec<Largest>,
    best: Vec<Option<FoldBest>>,
    standings: Vec<HalfBest>,
    columns: usize,
}

impl GridResult {
    /// Adds the result of a part with other columns, earlier or later ones: of equals the earlier column is the best.
    pub fn merge(mut self, other: Self) -> Self {
        self.largest.iter_mut().zip(&other.largest).for_each(|(own, theirs)| own.merge(theirs));
        let beats = |(theirs, column): (f64, usize), (own, known): (f64, usize)| {
            theirs > own || (theirs == own && column < known)
        };
        for (own, theirs) in self.best.iter_mut().zip(other.best) {
            let place = |best: &FoldBest| (best.train_sharpe, best.column);
            let better = match (own.as_ref(), theirs.as_ref()) {
                (Some(own), Some(theirs)) => beats(place(theirs), place(own)),
                (own, theirs) => own.is_none() && theirs.is_some(),
            };
            if better {
                *own = theirs;
            }
        }
        for (own, theirs) in self.standings.iter_mut().zip(&other.standings) {
            if beats((theirs.inside, theirs.column), (own.inside, own.column)) {
                *own = *theirs;
            }
        }
        self.columns += other.columns;
        self
    }

    /// Returns the columns that were tested.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns the test of the best set against a benchmark, or `None` when no column was eligible.
    pub fn luck(&self, benchmark: usize, plan: &TestPlan) -> Option<LuckTest> {
        let largest = self.largest.get(benchmark)?;
        self.luck_of(benchmark, (largest.statistic.0, largest.mean), plan)
    }

    /// Returns how often luck over all sets does as well as one of them, by its statistic and its mean (both times the
    /// root of the days; see [`studentised_statistic`]): the same test, adjusted for having chosen that one.
    pub fn luck_of(&self, benchmark: usize, (own, mean): (f64, f64), plan: &TestPlan) -> Option<LuckTest> {
        let largest =
            self.largest.get(benchmark).filter(|largest| self.columns > 0 && !largest.spa.is_empty())?;
        let exceeds = |replicates: &[f32], observed: f64| {
            let count = replicates.iter().filter(|value| f64::from(**value) > observed).count();
            (1 + count) as f64 / (replicates.len() + 1) as f64
        };
        let lucky = largest.luck.iter().map(|v| f64::from(*v)).sum::<f64>() / largest.luck.len() as f64;
        Some(LuckTest {
            p_spa: exceeds(&largest.spa, own),
            p_reality: exceeds(&largest.reality, mean),
            statistic: own,
            luck_sharpe: lucky / (plan.days as f64).sqrt(),
        })
    }

    /// Returns the largest statistic that luck reaches against a benchmark, replicate by replicate, at least 0; empty
    /// for an unknown benchmark.
    pub fn lucky(&self, benchmark: usize) -> &[f32] {
        self.largest.get(benchmark).map_or(&[], |largest| &largest.luck)
    }

    /// Returns the best set of every fold that had one.
    pub fn folds(&self) -> impl Iterator<Item = &FoldBest> {
        self.best.iter().flatten()
    }

    /// Returns what the best half of the blocks promises for the other half, or `None` with too few columns or days.
    ///
    /// Shape: how many columns stand below and beside the best of each half, from a second look ([`Ranks`])
    pub fn cross_validation(&self, halves: &Halves, ranks: &[(usize, usize)]) -> Option<CrossValidation> {
        if self.columns == 0 || halves.pairs.is_empty() {
            return None;
        }
        let overfit = |(below, equal): &(usize, usize)| {
            (*below as f64 + (*equal as f64 + 1.0) / 2.0) / (self.columns + 1) as f64 <= 0.5
        };
        let outside = || self.standings.iter().map(|standing| standing.outside);
        let splits = self.standings.len() as f64;
        let sharpe = |standing| sharpe_of(standing, halves.days);
        // The other half of a half stands as far from the end: what its best set makes of this half.
        let pairs = self.standings.iter().zip(self.standings.iter().rev());
        let flattered = pairs.map(|(own, other)| sharpe(own.inside) - sharpe(other.outside));
        Some(CrossValidation {
            outside_sharpe: outside().map(sharpe).sum::<f64>() / splits,
            // Half the days scatter by the root of two more than all of them.
            optimism: flattered.sum::<f64>() / splits / std::f64::consts::SQRT_2,
            p_loss: outside().filter(|standing| *standing < 0.0).count() as f64 / splits,
            overfit: ranks.iter().filter(|rank| overfit(rank)).count() as f64 / splits,
        })
    }
}

/// The best column of a half of the blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct HalfBest {
    inside: f64,
    column: usize,
    outside: f64,
}

impl Default for HalfBest {
    fn default() -> Self {
        Self { inside: f64::NEG_INFINITY, column: usize::MAX, outside: 0.0 }
    }
}

/// The ways to halve the blocks of a plan.
#[derive(Debug)]
pub struct Halves {
    blocks: Vec<std::ops::Range<usize>>,
    /// Each half as a set of lower and one of upper blocks, ascending as sets of blocks; empty where there are too few days.
    pairs: Vec<(u16, u16)>,
    /// Days of a half.
    days: f64,
}

impl Halves {
    /// Returns the halves of a plan.
    pub fn new(plan: &TestPlan) -> Self {
        let blocks = plan.block_days();
        let length = blocks.first().map_or(0, ExactSizeIterator::len);
        let possible = length >= 2 && plan.blocks.is_multiple_of(2) && plan.blocks <= 16;
        let low = plan.blocks / 2;
        let pair = |half: u32| ((half & ((1 << low) - 1)) as u16, (half >> low) as u16);
        let halves = (0..1_u32 << plan.blocks.min(16)).filter(|half| half.count_ones() as usize == low);
        let pairs = if possible { halves.map(pair).collect() } else { Vec::new() };
        Self { blocks, pairs, days: (length * plan.blocks / 2) as f64 }
    }
}

/// Room for how one column stands in every half, used again for the next.
#[derive(Debug, Default)]
struct HalfSums {
    /// Sums and sums of squares over every set of lower and of upper blocks, so that a half is one addition.
    low: Vec<(f64, f64)>,
    high: Vec<(f64, f64)>,
    /// Those of every half.
    sums: Vec<f64>,
    squares: Vec<f64>,
    standings: Vec<f64>,
}

impl HalfSums {
    /// Returns for every half a number that orders like the column's Sharpe ratio in it: the signed square of the mean over the
    /// variance, without a root; 0 where returns do not vary.
    fn standings(&mut self, halves: &Halves, returns: &[i32]) -> &[f64] {
        let (low, high) = halves.blocks.split_at(halves.blocks.len() / 2);
        sum_all_sets(&mut self.low, low, returns);
        sum_all_sets(&mut self.high, high, returns);
        let count = halves.pairs.len();
        self.sums.resize(count, 0.0);
        self.squares.resize(count, 0.0);
        self.standings.resize(count, 0.0);
        let rows = self.sums.iter_mut().zip(&mut self.squares);
        for ((sum, square), (low, high)) in rows.zip(&halves.pairs) {
            let (a, b) = (self.low[usize::from(*low)], self.high[usize::from(*high)]);
            (*sum, *square) = (a.0 + b.0, a.1 + b.1);
        }
        let Self { sums, squares, standings, .. } = self;
        run_widest(
            #[inline(always)]
            || stand_halves(standings, sums, squares, halves.days),
        );
        &self.standings
    }
}

/// Compares the sums of halves of so many days; divided side by side, needed or not.
#[inline(always)]
fn stand_halves(standings: &mut [f64], sums: &[f64], squares: &[f64], days: f64) {
    for ((standing, sum), square) in standings.iter_mut().zip(sums).zip(squares) {
        let spread = days * square - sum * sum;
        let value = sum * sum.abs() / spread;
        *standing = if spread > 0.0 { value } else { 0.0 };
    }
}

/// Adds a column up for every set of some blocks.
fn sum_all_sets(sums: &mut Vec<(f64, f64)>, blocks: &[std::ops::Range<usize>], returns: &[i32]) {
    sums.clear();
    sums.push((0.0, 0.0));
    for days in blocks {
        let values = returns[days.clone()].iter().map(|ppm| f64::from(*ppm));
        let block = values.fold((0.0, 0.0), |(sum, square), v| (sum + v, square + v * v));
        sums.extend_from_within(..);
        let with = sums.len() / 2;
        sums[with..]
            .iter_mut()
            .for_each(|(sum, square)| (*sum, *square) = (*sum + block.0, *square + block.1));
    }
}

/// A second look at every column: where the best of each half stands in the other half. Nothing is kept of a column,
/// so the grid is produced twice rather than held.
#[derive(Debug)]
pub struct Ranks<'a> {
    plan: &'a TestPlan,
    halves: &'a Halves,
    sums: HalfSums,
    result: &'a GridResult,
    counts: Vec<(usize, usize)>,
}

impl<'a> Ranks<'a> {
    /// Begins a part of the grid whose first look gave a result.
    pub fn new(plan: &'a TestPlan, halves: &'a Halves, result: &'a GridResult) -> Self {
        Self { plan, halves, sums: HalfSums::default(), result, counts: vec![(0, 0); halves.pairs.len()] }
    }

    /// Takes a column in: the same columns as in the first look.
    pub fn push(&mut self, returns: &[i32]) {
        if !self.plan.is_eligible(returns) {
            return;
        }
        let outside = self.sums.standings(self.halves, returns).iter().rev();
        for ((count, best), value) in self.counts.iter_mut().zip(&self.result.standings).zip(outside) {
            count.0 += usize::from(*value < best.outside);
            count.1 += usize::from(*value == best.outside);
        }
    }

    /// Returns how many columns stand below and beside the best of each half.
    pub fn finish(self) -> Vec<(usize, usize)> {
        self.counts
    }
}

/// Adds the counts of two parts.
pub fn add_ranks(mut a: Vec<(usize, usize)>, b: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    for (own, theirs) in a.iter_mut().zip(b) {
        *own = (own.0 + theirs.0, own.1 + theirs.1);
    }
    a
}

/// Returns the Sharpe ratio per day (n - 1) of a standing ([`HalfSums::standings`]) over n days.
fn sharpe_of(standing: f64, n: f64) -> f64 {
    standing.signum() * (standing.abs() * (n - 1.0) / n).sqrt()
}

/// Returns the studentised and the plain statistic of a set against a benchmark, as the tests compute them; `None`
/// where the difference does not vary.
pub fn studentised_statistic(returns: &[i64], benchmark: &[i64]) -> Option<(f64, f64)> {
    let n = returns.len() as f64;
    let excess = || returns.iter().zip(benchmark).map(|(own, theirs)| (own - theirs) as f64);
    let mean = excess().sum::<f64>() / n;
    let sd = (excess().map(|d| (d - mean) * (d - mean)).sum::<f64>() / n).sqrt();
    (sd > 0.0).then(|| (n.sqrt() * mean / sd, n.sqrt() * mean))
}

/// Combinatorially symmetric cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct CrossValidation {
    /// Mean Sharpe ratio per day, outside, of what was best inside.
    pub outside_sharpe: f64,
    /// Sharpe ratio per day by which choosing the best of the grid flatters it, on all days; at least 0.
    ///
    /// On each half, the highest Sharpe ratio of the grid less that of the set which is best on the other half: the mean over all
    /// halves, over the root of two. No term is negative, since nothing is higher than the highest on the same days.
    /// Source:    Efron, Estimating the error rate of a prediction rule (1983): optimism; splits by combinatorially symmetric
    ///            cross-validation
    pub optimism: f64,
    /// Share of the splits in which it lost.
    pub p_loss: f64,
    /// Share of the splits in which it ranked in the lower half (PBO).
    pub overfit: f64,
}

/// Columns that wait to be tested side by side.
#[derive(Debug, Default)]
struct PendingColumns {
    columns: Vec<usize>,
    /// Those of one after those of another.
    returns: Vec<i32>,
}

impl PendingColumns {
    fn push(&mut self, column: usize, returns: &[i32]) {
        self.columns.push(column);
        self.returns.extend_from_slice(returns);
    }

    fn clear(&mut self) {
        self.columns.clear();
        self.returns.clear();
    }

    /// Returns the returns day by day; 0 in lanes without a column.
    fn side_by_side(&self, days: usize) -> Vec<[i32; LANES]> {
        let mut rows = vec![[0; LANES]; days];
        for (block, rows) in rows.chunks_mut(DAYS_AT_ONCE).enumerate() {
            for (lane, column) in self.returns.chunks_exact(days.max(1)).enumerate() {
                let own = &column[block * DAYS_AT_ONCE..];
                rows.iter_mut().zip(own).for_each(|(row, ppm)| row[lane] = *ppm);
            }
        }
        rows
    }
}

/// Days that are turned from columns into rows while both are near the processor.
const DAYS_AT_ONCE: usize = 16;

/// Standardised columns side by side, as sums from the first day on.
struct Chunk {
    days: usize,
    /// `prefix[day][lane]`: sum of the standardised returns before the day.
    prefix: Vec<[f32; LANES]>,
    /// Statistic of each lane; -inf for a lane that is empty or does not vary.
    statistic: [f64; LANES],
    /// Standard deviation of each lane; 0 likewise.
    sd: [f64; LANES],
    mean: [f64; LANES],
}

/// Lanes that are standardised together: their sums fit into the processor's registers.
const LANES_AT_ONCE: usize = 8;

impl Chunk {
    /// Standardises the excess of so many columns over a benchmark; the other lanes are empty.
    fn new(returns: &[[i32; LANES]], columns: usize, benchmark: &[i32]) -> Self {
        let mut chunk = Self {
            days: returns.len(),
            prefix: vec![[0.0; LANES]; returns.len() + 1],
            statistic: [f64::NEG_INFINITY; LANES],
            sd: [0.0; LANES],
            mean: [0.0; LANES],
        };
        for first in (0..LANES).step_by(LANES_AT_ONCE) {
            run_widest(
                #[inline(always)]
                || chunk.standardise(first, columns, returns, benchmark),
            );
        }
        chunk
    }

    /// Standardises some lanes from the first given; each by itself, in the order of the days.
    #[inline(always)]
    fn standardise(&mut self, first: usize, columns: usize, returns: &[[i32; LANES]], benchmark: &[i32]) {
        const ZERO: [f64; LANES_AT_ONCE] = [0.0; LANES_AT_ONCE];
        let n = self.days as f64;
        let excess = |(row, theirs): (&[i32; LANES], &i32)| -> [f64; LANES_AT_ONCE] {
            std::array::from_fn(|lane| f64::from(row[first + lane]) - f64::from(*theirs))
        };
        let days = || returns.iter().zip(benchmark).map(excess);
        let mean =
            days().fold(ZERO, |sum, d| std::array::from_fn(|lane| sum[lane] + d[lane])).map(|sum| sum / n);
        let square = |sum: [f64; LANES_AT_ONCE], d: [f64; LANES_AT_ONCE]| {
            std::array::from_fn(|lane| sum[lane] + (d[lane] - mean[lane]) * (d[lane] - mean[lane]))
        };
        let sd = days().fold(ZERO, square).map(|square| (square / n).sqrt());
        // An empty lane is no set that never trades: against a benchmark that one would vary.
        let sd: [f64; LANES_AT_ONCE] =
            std::array::from_fn(|lane| if first + lane < columns { sd[lane] } else { 0.0 });
        for lane in (0..LANES_AT_ONCE).filter(|lane| sd[*lane] > 0.0) {
            let to = first + lane;
            (self.mean[to], self.sd[to], self.statistic[to]) =
                (mean[lane], sd[lane], n.sqrt() * mean[lane] / sd[lane]);
        }
        // Where nothing varies there is nothing to add up.
        let unit = sd.map(|sd| if sd > 0.0 { sd } else { f64::INFINITY });
        let mut sum = ZERO;
        for (d, prefix) in days().zip(&mut self.prefix[1..]) {
            sum = std::array::from_fn(|lane| sum[lane] + (d[lane] - mean[lane]) / unit[lane]);
            for lane in 0..LANES_AT_ONCE {
                prefix[first + lane] = sum[lane] as f32;
            }
        }
    }

    fn observe(&self, columns: &[usize], largest: &mut Largest) {
        for (lane, column) in columns.iter().enumerate() {
            if self.statistic[lane] > largest.statistic.0 {
                largest.statistic = (self.statistic[lane], *column);
            }
            largest.mean = largest.mean.max((self.days as f64).sqrt() * self.mean[lane]);
        }
    }

    fn resample(&self, replicates: &Replicates, largest: &mut Largest) {
        let root = (self.days as f64).sqrt();
        let limit = -(2.0 * (self.days as f64).ln().ln()).sqrt();
        // A set that is clearly worse than the benchmark is not recentred: it stays worse.
        let shift: [f32; LANES] = std::array::from_fn(|lane| match self.statistic[lane] {
            t if t == f64::NEG_INFINITY => f32::NEG_INFINITY,
            t if t < limit => t as f32,
            _ => 0.0,
        });
        let spread: [f32; LANES] = self.sd.map(|sd| sd as f32);
        let scale = (root / self.days as f64) as f32;
        for (b, runs) in replicates.runs.iter().enumerate() {
            let found = run_widest(
                #[inline(always)]
                || largest_of_lanes(&self.prefix, runs, scale, &shift, &spread),
            );
            largest.spa[b] = largest.spa[b].max(found[0]);
            largest.reality[b] = largest.reality[b].max(found[1]);
            largest.luck[b] = largest.luck[b].max(found[2]);
        }
    }
}

/// Adds up a replicate's runs lane by lane and returns the largest: recentred consistently, not studentised, recentred
/// everywhere.
#[inline(always)]
fn largest_of_lanes(
    prefix: &[[f32; LANES]],
    runs: &[(u32, u32)],
    scale: f32,
    shift: &[f32; LANES],
    spread: &[f32; LANES],
) -> [f32; 3] {
    let mut sum = [0.0_f32; LANES];
    for (from, to) in runs {
        let (before, after) = (&prefix[*from as usize], &prefix[*to as usize]);
        for lane in 0..LANES {
            sum[lane] += after[lane] - before[lane];
        }
    }
    let mut largest = [[0.0_f32; LANES]; 3];
    for lane in 0..LANES {
        let z = scale * sum[lane];
        largest[0][lane] = z + shift[lane];
        largest[1][lane] = z * spread[lane];
        largest[2][lane] = z;
    }
    // Halves upon halves, so that whole vectors are compared.
    let mut width = LANES / 2;
    while width > 0 {
        for values in &mut largest {
            let (left, right) = values.split_at_mut(width);
            for (a, b) in left.iter_mut().zip(right.iter()) {
                *a = if *b > *a { *b } else { *a };
            }
        }
        width /= 2;
    }
    [largest[0][0], largest[1][0], largest[2][0]]
}

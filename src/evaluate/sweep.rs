//! The sweep: exact statistics of every parameter set of a window.
//!
//! A walk along the axes of the lattice builds the list of signals that each cell lets pass from that of its parent;
//! along each list all exit rules are followed side by side, in trade order, so that what depends on order (drawdown,
//! sums per day) costs no more than what does not. Everything is an integer: the result does not depend on how the
//! work is cut up, nor on the width of the processor's vectors.

use rayon::prelude::*;

use super::lattice::{LatticeWalk, RepeatedCells};
use super::outcome_table::{LANES, NetReturns, Window};
use super::simd::run_widest;
use crate::model::Day;

/// What the whole grid knows about one parameter set; sums in ppm of the entry price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GridPoint {
    /// Trades.
    pub trades: u32,
    /// Trades with a positive net return.
    pub wins: u32,
    /// Sum of positive net returns.
    pub win_ppm: i64,
    /// Sum of net returns that are not positive (<= 0).
    pub loss_ppm: i64,
    /// Largest fall of the running sum of net returns, in trade order, from its peak (0 at the start).
    pub drawdown_ppm: i64,
    /// Sum over entry days of the squared sum of the day's net returns; ppm squared.
    pub day_square_ppm2: i128,
}

impl GridPoint {
    /// Returns the sum of net returns.
    pub fn net_ppm(&self) -> i64 {
        self.win_ppm + self.loss_ppm
    }

    /// Returns the standard deviation of day returns over so many days, n of them; ppm.
    pub fn day_deviation_ppm(&self, days: usize) -> f64 {
        let n = days as f64;
        let mean = self.net_ppm() as f64 / n;
        (self.day_square_ppm2 as f64 / n - mean * mean).max(0.0).sqrt()
    }

    /// Returns the statistics of two stretches of days together; the drawdown is the larger of the two, since nothing connects them.
    pub fn joined(&self, other: &Self) -> Self {
        Self {
            trades: self.trades + other.trades,
            wins: self.wins + other.wins,
            win_ppm: self.win_ppm + other.win_ppm,
            loss_ppm: self.loss_ppm + other.loss_ppm,
            drawdown_ppm: self.drawdown_ppm.max(other.drawdown_ppm),
            day_square_ppm2: self.day_square_ppm2 + other.day_square_ppm2,
        }
    }

    /// Returns the statistics of what is left without a stretch of days that is part of these; exact but for the drawdown, which
    /// stays that of all days.
    pub fn without(&self, part: &Self) -> Self {
        Self {
            trades: self.trades - part.trades,
            wins: self.wins - part.wins,
            win_ppm: self.win_ppm - part.win_ppm,
            loss_ppm: self.loss_ppm - part.loss_ppm,
            drawdown_ppm: self.drawdown_ppm,
            day_square_ppm2: self.day_square_ppm2 - part.day_square_ppm2,
        }
    }
}

/// The statistics of every parameter set of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    rules: usize,
    /// Cells first, rules within.
    points: Vec<GridPoint>,
}

impl Sweep {
    /// Returns the number of parameter sets.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Returns whether there is no parameter set.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Returns the statistics of a rule and cell.
    pub fn point(&self, rule: usize, cell: usize) -> &GridPoint {
        &self.points[cell * self.rules + rule]
    }

    /// Returns the statistics of two stretches of days of one book together; see [`GridPoint::joined`].
    pub fn joined(mut self, other: &Self) -> Self {
        self.points.iter_mut().zip(&other.points).for_each(|(own, theirs)| *own = own.joined(theirs));
        self
    }

    /// Returns the statistics of every exit rule, cell by cell.
    pub fn cells(&self) -> impl Iterator<Item = &[GridPoint]> {
        self.points.chunks_exact(self.rules)
    }
}

/// Figures of every parameter set that are drawn from its statistics on the days before some cuts.
#[derive(Debug, Clone, PartialEq)]
pub struct CutFigures {
    /// One list per figure: cells first, rules within.
    pub figures: Vec<Vec<f64>>,
    /// Trades of each cell before each cut, then of all days; cells first.
    trades: Vec<u32>,
    cuts: usize,
}

impl CutFigures {
    /// Returns the trades of a cell before each cut, then of all days.
    pub fn trades(&self, cell: usize) -> &[u32] {
        &self.trades[cell * (self.cuts + 1)..(cell + 1) * (self.cuts + 1)]
    }
}

/// What is asked about the days before some cuts.
struct Cuts<F> {
    /// Signals of the window before each.
    signals: Vec<u32>,
    /// How many figures are drawn.
    figures: usize,
    draw: F,
}

/// Computes the statistics of every parameter set of a window.
///
/// Cost: O(trades of all cells x rules), [`LANES`] rules at a time
pub fn sweep_window(window: &Window<'_>) -> Sweep {
    let none = Cuts { signals: Vec::new(), figures: 0, draw: |_: &[GridPoint], _: &mut [f64]| () };
    sweep_by_cuts(window, &none).0
}

/// Draws figures of every parameter set from its statistics before some days and on all of them: scores of choices on parts of the
/// window, say. Nothing else is kept: a figure takes a sixth of what the statistics of a set do.
///
/// Shape: cuts ascend; `draw` is given the statistics before each cut, then those of all days, and writes so many figures, at least
///        one; drawdowns are those of the running sum so far
/// Cost:  that of [`sweep_window`], and of the drawing
pub fn draw_figures(
    window: &Window<'_>,
    cuts: &[Day],
    figures: usize,
    draw: impl Fn(&[GridPoint], &mut [f64]) + Sync,
) -> CutFigures {
    let entries = &window.book.entries()[window.signals.clone()];
    let before = |cut: &Day| entries.partition_point(|entry| Day::of(entry.entry_ms) < *cut) as u32;
    let signals: Vec<u32> = cuts.iter().map(before).collect();
    assert!(signals.is_sorted() && figures > 0, "cuts ascend, and something is drawn");
    sweep_by_cuts(window, &Cuts { signals, figures, draw }).1
}

fn sweep_by_cuts<F: Fn(&[GridPoint], &mut [f64]) + Sync>(
    window: &Window<'_>,
    cuts: &Cuts<F>,
) -> (Sweep, CutFigures) {
    let book = window.book;
    let (rules, cells) = (book.rules(), book.lattice().cells());
    let entries = &book.entries()[window.signals.clone()];
    let days: Vec<i32> = entries.iter().map(|entry| Day::of(entry.entry_ms).0).collect();
    let walk = LatticeWalk::new(book.lattice(), book.coordinates(), window.signals.clone());
    let draws = cuts.figures > 0;
    let mut found = Found {
        points: vec![GridPoint::default(); if draws { 0 } else { cells * rules }],
        figures: (0..cuts.figures).map(|_| vec![0.0; cells * rules]).collect(),
        trades: vec![0; if draws { cells * (cuts.signals.len() + 1) } else { 0 }],
        trades_of_cell: cuts.signals.len() + 1,
    };
    let mut repeats = Vec::new();
    let mut nets = NetReturns::default();
    let fits = |reach: i64| reach <= i64::from(i32::MAX);
    for part in (0..book.parts()).map(|part| book.part(part)) {
        let (table, mut first_rule) = (part.table(), part.first_rule());
        let all_fit = fits(table.reach(window.signals.clone()));
        for strip in 0..table.strips() {
            nets.fill(table, window.signals.clone(), strip..strip + 1);
            // Bounds every running sum of any subset: what fits here cannot overflow in a narrower lane.
            let fit = all_fit || nets.groups().iter().all(|nets| fits(total_magnitude(nets)));
            let part = RulePart { nets: &nets, days: &days, rules, first_rule, cuts };
            // The same in every turn: they follow from the signals alone.
            repeats = match fit {
                true => part.follow_cells::<i32>(&walk, &mut found),
                false => part.follow_cells::<i64>(&walk, &mut found),
            };
            first_rule += nets.groups().len() * LANES;
        }
    }
    repeats.into_iter().for_each(|cells| found.repeat(cells, rules));
    let Found { points, figures, trades, .. } = found;
    (Sweep { rules, points }, CutFigures { figures, trades, cuts: cuts.signals.len() })
}

/// What is found of all cells: points, or figures with the trades they rest on.
struct Found {
    points: Vec<GridPoint>,
    figures: Vec<Vec<f64>>,
    trades: Vec<u32>,
    /// How many of these a cell has.
    trades_of_cell: usize,
}

/// What is found of the cells of a branch.
struct FoundInBranch<'a> {
    points: &'a mut [GridPoint],
    figures: Vec<&'a mut [f64]>,
    trades: &'a mut [u32],
}

impl Found {
    /// Cuts it up by branches with so many cells, of so many rules.
    fn branches(&mut self, cells: usize, rules: usize, branches: usize) -> Vec<FoundInBranch<'_>> {
        let sets = (cells * rules).max(1);
        let mut figures: Vec<_> = self.figures.iter_mut().map(|figure| figure.chunks_mut(sets)).collect();
        let mut points = self.points.chunks_mut(sets);
        let per_branch = (self.trades.len() / branches.max(1)).max(1);
        let mut trades = self.trades.chunks_mut(per_branch);
        let branch = |_| FoundInBranch {
            points: points.next().unwrap_or_default(),
            figures: figures.iter_mut().map(|figure| figure.next().unwrap_or_default()).collect(),
            trades: trades.next().unwrap_or_default(),
        };
        (0..branches).map(branch).collect()
    }
}

impl Found {
    /// Gives cells what was found of those that they repeat.
    fn repeat(&mut self, RepeatedCells { first, cells, looser }: RepeatedCells, rules: usize) {
        fn copy<T: Copy>(list: &mut [T], a_cell: usize, first: usize, cells: usize, looser: usize) {
            if !list.is_empty() {
                list.copy_within(looser * a_cell..(looser + cells) * a_cell, first * a_cell);
            }
        }
        let trades_of_cell = self.trades_of_cell;
        copy(&mut self.points, rules, first, cells, looser);
        copy(&mut self.trades, trades_of_cell, first, cells, looser);
        self.figures.iter_mut().for_each(|figure| copy(figure, rules, first, cells, looser));
    }
}

/// Returns the largest sum of magnitudes of a group's rules.
fn total_magnitude(nets: &[[i32; LANES]]) -> i64 {
    let mut sums = [0_i64; LANES];
    for lanes in nets {
        for (sum, net) in sums.iter_mut().zip(lanes) {
            // Wraps with no less than 2^33 signals; a check keeps the sums from running side by side.
            *sum = sum.wrapping_add(i64::from(net.unsigned_abs()));
        }
    }
    sums.into_iter().max().unwrap_or(0)
}

/// Trades of the cells that are followed together: their lists and the outcomes of one group of rules stay in the
/// processor's nearest caches.
const TILE_TRADES: usize = 1 << 15;

/// Cells whose lists are known and that wait to be followed.
#[derive(Default)]
struct CellTile {
    /// Which they are, counted from the first of the branch.
    numbers: Vec<usize>,
    trades: Vec<u32>,
    /// Where the list of each cell stops, cut by cut.
    stops: Vec<usize>,
    /// How many stops a cell has.
    stops_of_cell: usize,
}

impl CellTile {
    /// Returns the cells, each with where its list starts, and where it stops before each cut and as a whole.
    fn cells(&self) -> impl Iterator<Item = (usize, usize, &[usize])> {
        let ends = self.stops.iter().skip(self.stops_of_cell - 1).step_by(self.stops_of_cell).copied();
        let starts = std::iter::once(0).chain(ends);
        let stops = self.stops.chunks_exact(self.stops_of_cell);
        self.numbers.iter().zip(starts).zip(stops).map(|((cell, start), stops)| (*cell, start, stops))
    }

    /// Appends a cell's list.
    fn push(&mut self, cell: usize, list: &[u32], cuts: &[u32]) {
        self.numbers.push(cell);
        let start = self.trades.len();
        self.stops.extend(cuts.iter().map(|cut| start + list.partition_point(|signal| signal < cut)));
        self.trades.extend_from_slice(list);
        self.stops.push(self.trades.len());
        self.stops_of_cell = cuts.len() + 1;
    }

    fn is_full(&self) -> bool {
        self.trades.len() >= TILE_TRADES
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.trades.clear();
        self.stops.clear();
    }
}

/// A window's outcomes under some of the exit rules.
struct RulePart<'a, F> {
    nets: &'a NetReturns,
    /// Entry day of each signal.
    days: &'a [i32],
    /// All rules.
    rules: usize,
    /// The first of the part's.
    first_rule: usize,
    cuts: &'a Cuts<F>,
}

impl<F: Fn(&[GridPoint], &mut [f64]) + Sync> RulePart<'_, F> {
    /// Follows the trades of every cell that repeats no looser one, branches of the walk in parallel; returns the others, each
    /// after those that it repeats.
    fn follow_cells<T: Lane>(&self, walk: &LatticeWalk<'_>, found: &mut Found) -> Vec<RepeatedCells> {
        let cells = walk.branch_cells();
        let branches = found.branches(cells, self.rules, walk.branches().len());
        let follow = |(mut found, branch): (FoundInBranch<'_>, usize)| {
            let mut tile = CellTile::default();
            let repeats = walk.for_each_new_cell(branch, |cell, list| {
                tile.push(cell - branch * cells, list, &self.cuts.signals);
                if tile.is_full() {
                    self.follow_tile::<T>(&mut tile, &mut found);
                }
            });
            if !tile.stops.is_empty() {
                self.follow_tile::<T>(&mut tile, &mut found);
            }
            repeats
        };
        let repeats: Vec<Vec<RepeatedCells>> =
            branches.into_par_iter().zip(walk.branches()).map(follow).collect();
        repeats.concat()
    }

    fn follow_tile<T: Lane>(&self, tile: &mut CellTile, found: &mut FoundInBranch<'_>) {
        let (stretches, draws) = (self.cuts.signals.len() + 1, self.cuts.figures > 0);
        let mut prefixes = vec![Running::<T>::new(); stretches];
        let (mut before, mut figures) =
            (vec![GridPoint::default(); stretches], vec![f64::NAN; self.cuts.figures]);
        for (group, nets) in self.nets.groups().iter().enumerate() {
            let trades = GroupOutcomes { nets, days: self.days };
            let first_rule = self.first_rule + group * LANES;
            for (cell, start, stops) in tile.cells() {
                let (mut running, mut from) = (Running::new(), start);
                for (prefix, stop) in prefixes.iter_mut().zip(stops) {
                    trades.follow::<T>(&tile.trades[from..*stop], &mut running);
                    (*prefix, from) = (running, *stop);
                }
                for rule in first_rule..self.rules.min(first_rule + LANES) {
                    let (lane, place) = (rule - first_rule, cell * self.rules + rule);
                    if !draws {
                        found.points[place] = running.point(lane, from - start);
                        continue;
                    }
                    for ((before, prefix), stop) in before.iter_mut().zip(&prefixes).zip(stops) {
                        *before = prefix.point(lane, stop - start);
                    }
                    (self.cuts.draw)(&before, &mut figures);
                    found.figures.iter_mut().zip(&figures).for_each(|(own, value)| own[place] = *value);
                }
                if draws {
                    let counts = &mut found.trades[cell * stretches..(cell + 1) * stretches];
                    counts.iter_mut().zip(stops).for_each(|(count, stop)| *count = (stop - start) as u32);
                }
            }
        }
        tile.clear();
    }
}

/// An integer wide enough for every running sum of the window; `Square` holds sums of its squares.
trait Lane: Copy + Default + Ord + Send + Sync {
    type Square: Copy + Default + Send;
    fn from_ppm(ppm: i32) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn add_square(self, to: Self::Square) -> Self::Square;
    fn widen(self) -> i64;
    fn widen_square(square: Self::Square) -> i128;
}

// The sums are bounded before a lane type is chosen (`total_magnitude`), so wrapping arithmetic never wraps; it keeps
// overflow branches out of the inner loop.
macro_rules! lane {
    ($narrow:ty, $square:ty) => {
        impl Lane for $narrow {
            type Square = $square;
            #[inline(always)]
            fn from_ppm(ppm: i32) -> Self {
                Self::from(ppm)
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn add_square(self, to: $square) -> $square {
                let wide = <$square>::from(self);
                to.wrapping_add(wide.wrapping_mul(wide))
            }
            fn widen(self) -> i64 {
                i64::from(self)
            }
            fn widen_square(square: $square) -> i128 {
                i128::from(square)
            }
        }
    };
}
lane!(i32, i64);
lane!(i64, i128);

/// Running state of [`LANES`] exit rules along one cell's trades.
#[derive(Clone, Copy)]
struct Running<T: Lane> {
    sum: [T; LANES],
    won: [T; LANES],
    wins: [i32; LANES],
    peak: [T; LANES],
    drawdown: [T; LANES],
    day_start: [T; LANES],
    squares: [T::Square; LANES],
}

impl<T: Lane> Running<T> {
    #[inline(always)]
    fn new() -> Self {
        let zero = [T::default(); LANES];
        Self {
            sum: zero,
            won: zero,
            wins: [0; LANES],
            peak: zero,
            drawdown: zero,
            day_start: zero,
            squares: [T::Square::default(); LANES],
        }
    }

    #[inline(always)]
    fn trade(&mut self, net: &[i32; LANES]) {
        for (lane, ppm) in net.iter().enumerate() {
            self.sum[lane] = self.sum[lane].plus(T::from_ppm(*ppm));
            self.won[lane] = self.won[lane].plus(T::from_ppm((*ppm).max(0)));
            self.wins[lane] = self.wins[lane].wrapping_add(i32::from(*ppm > 0));
            self.peak[lane] = self.peak[lane].max(self.sum[lane]);
            self.drawdown[lane] = self.drawdown[lane].max(self.peak[lane].minus(self.sum[lane]));
        }
    }

    #[inline(always)]
    fn end_day(&mut self) {
        for lane in 0..LANES {
            let day = self.sum[lane].minus(self.day_start[lane]);
            self.squares[lane] = day.add_square(self.squares[lane]);
            self.day_start[lane] = self.sum[lane];
        }
    }

    fn point(&self, lane: usize, trades: usize) -> GridPoint {
        let won = self.won[lane].widen();
        GridPoint {
            trades: trades as u32,
            wins: self.wins[lane] as u32,
            win_ppm: won,
            loss_ppm: self.sum[lane].widen() - won,
            drawdown_ppm: self.drawdown[lane].widen(),
            day_square_ppm2: T::widen_square(self.squares[lane]),
        }
    }
}

/// The outcomes of a book under one group of exit rules, in trade order.
struct GroupOutcomes<'a> {
    /// One row per signal; ppm.
    nets: &'a [[i32; LANES]],
    /// Entry day of each signal.
    days: &'a [i32],
}

impl GroupOutcomes<'_> {
    /// Follows a list of signals that begins and ends with a day. Integers: the same bits everywhere.
    fn follow<T: Lane>(&self, list: &[u32], running: &mut Running<T>) {
        run_widest(
            #[inline(always)]
            || self.follow_plain(list, running),
        );
    }

    #[inline(always)]
    fn follow_plain<T: Lane>(&self, list: &[u32], so_far: &mut Running<T>) {
        let mut running = *so_far;
        let mut today = list.first().map_or(0, |i| self.days[*i as usize]);
        for &i in list {
            let day = self.days[i as usize];
            if day != today {
                running.end_day();
                today = day;
            }
            running.trade(&self.nets[i as usize]);
        }
        running.end_day();
        *so_far = running;
    }
}

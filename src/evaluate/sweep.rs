//! The sweep: exact statistics of every parameter set of a window, exit rule by exit rule, cell by cell.
//!
//! Counts and sums are suffix sums over the lattice. What depends on the order of trades (drawdown, sums per day) is
//! followed along each cell's own list of signals, all exit rules side by side. Everything is an integer, so the
//! result does not depend on how the work is cut up.

use rayon::prelude::*;

use super::book::{LANES, Window};

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
}

/// The statistics of every parameter set of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    cells: usize,
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
        &self.points[rule * self.cells + cell]
    }

    /// Returns (rule, cell, statistics) of every parameter set, rules first.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize, &GridPoint)> {
        self.points.iter().enumerate().map(|(i, point)| (i / self.cells, i % self.cells, point))
    }
}

/// Computes the statistics of every parameter set of a window.
///
/// Cost: O(rules x (signals + cells x dimensions)) for the sums, O(rules x trades of all cells) for what is ordered
pub fn sweep(window: &Window<'_>) -> Sweep {
    let book = window.book;
    let cells = book.lattice().cells();
    let mut points: Vec<GridPoint> =
        (0..book.rules()).into_par_iter().flat_map_iter(|rule| sums_of_rule(window, rule)).collect();
    // Bounds every running sum of any subset: what fits here cannot overflow in a narrower lane.
    let reach = (0..book.rules()).map(|rule| total_magnitude(window, rule)).max().unwrap_or(0);
    if reach <= i64::from(i32::MAX) {
        follow_cells::<i32>(window, &mut points, cells);
    } else {
        follow_cells::<i64>(window, &mut points, cells);
    }
    Sweep { cells, points }
}

/// Scatters and accumulates the order-free sums of one rule.
fn sums_of_rule(window: &Window<'_>, rule: usize) -> Vec<GridPoint> {
    let book = window.book;
    let lattice = book.lattice();
    let dimensions = lattice.dimensions();
    let cells = lattice.cells();
    let (mut trades, mut wins) = (vec![0_u32; cells], vec![0_u32; cells]);
    let (mut win_ppm, mut loss_ppm) = (vec![0_i64; cells], vec![0_i64; cells]);
    for signal in window.signals.clone() {
        let cell = lattice.cell(&book.coordinates()[signal * dimensions..(signal + 1) * dimensions]);
        let net = i64::from(book.outcome(signal, rule).0);
        trades[cell] += 1;
        wins[cell] += u32::from(net > 0);
        win_ppm[cell] += net.max(0);
        loss_ppm[cell] += net.min(0);
    }
    lattice.accumulate(&mut trades);
    lattice.accumulate(&mut wins);
    lattice.accumulate(&mut win_ppm);
    lattice.accumulate(&mut loss_ppm);
    (0..cells)
        .map(|cell| GridPoint {
            trades: trades[cell],
            wins: wins[cell],
            win_ppm: win_ppm[cell],
            loss_ppm: loss_ppm[cell],
            ..GridPoint::default()
        })
        .collect()
}

fn total_magnitude(window: &Window<'_>, rule: usize) -> i64 {
    window.signals.clone().map(|signal| i64::from(window.book.outcome(signal, rule).0).abs()).sum()
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
    peak: [T; LANES],
    drawdown: [T; LANES],
    day_start: [T; LANES],
    squares: [T::Square; LANES],
}

impl<T: Lane> Running<T> {
    fn new() -> Self {
        let zero = [T::default(); LANES];
        Self {
            sum: zero,
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
}

/// Follows every cell's trades in order, for all rules, and fills in drawdown and day squares.
fn follow_cells<T: Lane>(window: &Window<'_>, points: &mut [GridPoint], cells: usize) {
    let book = window.book;
    let lanes = book.lanes();
    let days: Vec<i32> = book.entries().iter().map(|e| crate::model::Day::of(e.entry_ms).0).collect();
    book.lattice().for_each_cell(book.coordinates(), window.signals.clone(), |cell, list| {
        for group in 0..lanes / LANES {
            let running = follow::<T>(book.net(), lanes, group * LANES, list, &days);
            for lane in 0..LANES {
                let rule = group * LANES + lane;
                if rule < book.rules() {
                    let point = &mut points[rule * cells + cell];
                    point.drawdown_ppm = running.drawdown[lane].widen();
                    point.day_square_ppm2 = T::widen_square(running.squares[lane]);
                }
            }
        }
    });
}

fn follow<T: Lane>(net: &[i32], lanes: usize, first_lane: usize, list: &[u32], days: &[i32]) -> Running<T> {
    let mut running = Running::new();
    let mut today = list.first().map_or(0, |i| days[*i as usize]);
    for &i in list {
        let day = days[i as usize];
        if day != today {
            running.end_day();
            today = day;
        }
        let at = i as usize * lanes + first_lane;
        let row: &[i32; LANES] = net[at..at + LANES].try_into().expect("a whole group of lanes");
        running.trade(row);
    }
    running.end_day();
    running
}

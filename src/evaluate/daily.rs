//! Day returns of every parameter set, one after the other: what tests against luck read, never held as a whole.

use std::ops::Range;

use rayon::prelude::*;

use super::lattice::LatticeWalk;
use super::outcome_table::{LANES, NetReturns, STRIP, Window};
use super::simd::run_widest;
use crate::model::{Day, ReturnPpm};

/// Bytes of net outcomes that are laid out at once.
const TILE_BYTES_MAX: usize = 64 << 20;

/// Bytes that looks hold at once between two tiles.
const HELD_BYTES_MAX: usize = 8 << 20;

/// The day returns of a window, set by set.
#[derive(Debug)]
pub struct DailyColumns<'a> {
    window: &'a Window<'a>,
    walk: LatticeWalk<'a>,
    tiles: Vec<RuleTile>,
    /// The outcomes of the only tile, kept from look to look.
    only: Option<NetReturns>,
    /// Day of each signal of the window, counted from the window's first.
    days: Vec<u32>,
    day_count: usize,
    /// Signals that each cell lets pass.
    lengths: Vec<u32>,
}

/// Exit rules whose outcomes are laid out at once: strips of a part of the book.
#[derive(Debug)]
struct RuleTile {
    part: usize,
    strips: Range<usize>,
    first_rule: usize,
}

/// The day returns under some of the exit rules.
#[derive(Debug)]
pub struct ColumnTile<'a> {
    columns: &'a DailyColumns<'a>,
    nets: &'a NetReturns,
    first_rule: usize,
    /// Whether every sum of a day fits in a narrow lane.
    fits: bool,
}

/// Returns the tiles of a window: as few as its outcomes fit in.
fn tiles_of(window: &Window<'_>, bytes_max: usize) -> Vec<RuleTile> {
    let book = window.book;
    let strip_bytes = STRIP * window.signals.len() * size_of::<i32>();
    let at_once = (bytes_max / strip_bytes.max(1)).max(1);
    let mut tiles = Vec::new();
    for part in 0..book.parts() {
        // Only the first part of a book that is held begins at 0: parts that are loaded have one strip each.
        let (first_rule, strips) = match book.is_held() {
            true => (0, book.rules().div_ceil(STRIP)),
            false => (part * LANES, 1),
        };
        for first in (0..strips).step_by(at_once) {
            let strips = first..strips.min(first + at_once);
            tiles.push(RuleTile { part, first_rule: first_rule + first * STRIP, strips });
        }
    }
    tiles
}

impl<'a> DailyColumns<'a> {
    /// Prepares a window.
    pub fn new(window: &'a Window<'a>) -> Self {
        Self::in_tiles(window, TILE_BYTES_MAX)
    }

    /// Prepares a window, so many bytes of outcomes at a time.
    pub fn in_tiles(window: &'a Window<'a>, bytes_max: usize) -> Self {
        let book = window.book;
        let first = window.days.start.0;
        let day = |entry_ms: i64| (Day::of(entry_ms).0 - first).max(0) as u32;
        let days = book.entries()[window.signals.clone()].iter().map(|entry| day(entry.entry_ms)).collect();
        let walk = LatticeWalk::new(book.lattice(), book.coordinates(), window.signals.clone());
        let mut lengths = vec![0; book.lattice().cells()];
        let branch_cells = walk.branch_cells();
        lengths.par_chunks_mut(branch_cells).zip(walk.branches()).for_each(|(lengths, branch)| {
            walk.for_each_cell(branch, |cell, list| lengths[cell % branch_cells] = list.len() as u32);
        });
        let (day_count, tiles) = (window.day_count(), tiles_of(window, bytes_max));
        let mut columns = Self { window, walk, tiles, only: None, days, day_count, lengths };
        if let [tile] = columns.tiles.as_slice() {
            columns.only = Some(columns.lay_out(tile));
        }
        columns
    }

    fn lay_out(&self, tile: &RuleTile) -> NetReturns {
        let (part, mut nets) = (self.window.book.part(tile.part), NetReturns::default());
        nets.fill(part.table(), self.window.signals.clone(), tile.strips.clone());
        nets
    }

    /// Returns what a look at each branch of each tile gives: by tiles, then branches. Tiles come one after the other, their
    /// branches are looked at in parallel.
    ///
    /// Within a tile sets of a later branch have higher numbers; sets of different tiles take turns.
    pub fn look<T: Send>(&self, look: impl Fn(&ColumnTile<'_>, usize) -> T + Sync) -> Vec<T> {
        let mut found = Vec::new();
        for tile in &self.tiles {
            let loaded = if self.only.is_none() { Some(self.lay_out(tile)) } else { None };
            let Some(nets) = self.only.as_ref().or(loaded.as_ref()) else { continue };
            let fits = self.day_reach(nets) <= i64::from(i32::MAX);
            let tile = ColumnTile { columns: self, nets, first_rule: tile.first_rule, fits };
            found.par_extend(self.walk.branches().into_par_iter().map(|branch| look(&tile, branch)));
        }
        found
    }

    /// Returns what a look at each branch of all tiles gives, by branches: what a look keeps of one tile it has for the next.
    ///
    /// Shape: `bytes` is what a look holds of a branch between two tiles
    /// Cost:  with several tiles each is laid out once for so many branches as a few MiB hold
    pub fn look_through<S: Send, T: Send>(
        &self,
        bytes: usize,
        new: impl Fn() -> S + Sync,
        look: impl Fn(&mut S, &ColumnTile<'_>, usize) + Sync,
        finish: impl Fn(S) -> T + Sync,
    ) -> Vec<T> {
        let branches: Vec<usize> = self.walk.branches().collect();
        if let (Some(nets), [tile]) = (self.only.as_ref(), self.tiles.as_slice()) {
            let fits = self.day_reach(nets) <= i64::from(i32::MAX);
            let tile = ColumnTile { columns: self, nets, first_rule: tile.first_rule, fits };
            let one = |branch: &usize| {
                let mut state = new();
                look(&mut state, &tile, *branch);
                finish(state)
            };
            return branches.par_iter().map(one).collect();
        }
        let mut found = Vec::with_capacity(branches.len());
        for group in branches.chunks((HELD_BYTES_MAX / bytes.max(1)).max(1)) {
            let mut states: Vec<(usize, S)> = group.iter().map(|branch| (*branch, new())).collect();
            for tile in &self.tiles {
                let nets = self.lay_out(tile);
                let fits = self.day_reach(&nets) <= i64::from(i32::MAX);
                let tile = ColumnTile { columns: self, nets: &nets, first_rule: tile.first_rule, fits };
                states.par_iter_mut().for_each(|(branch, state)| look(state, &tile, *branch));
            }
            found.par_extend(states.into_par_iter().map(|(_, state)| finish(state)));
        }
        found
    }

    /// Returns the largest sum of a day of the largest net outcomes of its signals under any rule, as magnitudes; ppm.
    fn day_reach(&self, nets: &NetReturns) -> i64 {
        let mut reached = vec![0_i64; self.day_count];
        for (signal, day) in self.days.iter().enumerate() {
            let own = nets.groups().iter().flat_map(|rows| &rows[signal]);
            reached[*day as usize] += i64::from(own.fold(0, |most, net| net.unsigned_abs().max(most)));
        }
        reached.into_iter().max().unwrap_or(0)
    }

    /// Returns the tiles that exit rules are laid out in.
    pub fn tiles(&self) -> usize {
        self.tiles.len()
    }

    /// Returns the exit rules.
    pub fn rules(&self) -> usize {
        self.window.book.rules()
    }

    /// Returns the days with signals, the loosest cell's: the most that any set trades on.
    pub fn busiest_days(&self) -> usize {
        let mut days = self.days.clone();
        days.dedup();
        days.len()
    }

    /// Returns the bytes of a number for every day of every cell of a branch.
    pub fn branch_bytes(&self) -> usize {
        self.walk.branch_cells() * self.day_count * size_of::<f32>()
    }

    fn repeats_a_looser(&self, cell: usize) -> bool {
        let lattice = self.window.book.lattice();
        let mut looser = (0..lattice.dimensions()).filter_map(|dimension| lattice.looser(cell, dimension));
        looser.any(|looser| self.lengths[looser] == self.lengths[cell])
    }
}

impl ColumnTile<'_> {
    /// Calls back for every set of a branch with the sum of net returns of each day in ppm, in order of the sets' numbers
    /// (cell x rules + rule).
    ///
    /// A cell that lets pass exactly what a looser one does is left out: its columns are the same. A sum beyond what a column
    /// holds stays at its limit; see [`ReturnPpm::of_day`].
    pub fn for_each(&self, branch: usize, mut visit: impl FnMut(usize, &[i32])) {
        let rules = self.columns.window.book.rules();
        let mut column = vec![0_i32; self.columns.day_count];
        self.for_each_group(branch, 1, |cell, group, days, sums| {
            for lane in 0..group.len() {
                column.fill(0);
                days.iter().zip(sums).for_each(|(day, sums)| column[*day as usize] = sums[lane]);
                visit(cell * rules + group.start + lane, &column);
            }
        });
    }

    /// Calls back for every cell of a branch that trades on enough days and every group of exit rules of the tile, side by side; see
    /// [`for_each`](Self::for_each).
    ///
    /// Shape: the cell, the group's rules, the days with trades, a row of sums for each; lanes beyond the rules hold nothing
    pub fn for_each_group(
        &self,
        branch: usize,
        days_min: usize,
        mut visit: impl FnMut(usize, Range<usize>, &[u32], &[[i32; LANES]]),
    ) {
        let DailyColumns { window, walk, days, .. } = self.columns;
        let rules = window.book.rules();
        let (mut traded, mut sums) = (TradedDays::default(), Vec::new());
        // Those left out repeat a looser one.
        walk.for_each_new_cell(branch, |cell, list| {
            if list.len() < days_min.max(1) || self.columns.repeats_a_looser(cell) {
                return;
            }
            traded.take(list, days);
            if traded.days.len() < days_min {
                return;
            }
            for (group, nets) in self.nets.groups().iter().enumerate() {
                sums.resize(traded.days.len(), [0; LANES]);
                run_widest(
                    #[inline(always)]
                    || traded.add_up(list, nets, self.fits, &mut sums),
                );
                let first = self.first_rule + group * LANES;
                visit(cell, first..rules.min(first + LANES), &traded.days, &sums);
            }
        });
    }
}

/// The days that a cell trades on, and where the signals of each stop in its list.
#[derive(Default)]
struct TradedDays {
    days: Vec<u32>,
    stops: Vec<usize>,
}

impl TradedDays {
    /// Takes in a cell's list of signals, of which each has a day.
    fn take(&mut self, list: &[u32], days: &[u32]) {
        self.days.clear();
        self.stops.clear();
        for (at, signal) in list.iter().enumerate() {
            let day = days[*signal as usize];
            match self.days.last() {
                Some(last) if *last == day => self.stops[self.days.len() - 1] = at + 1,
                _ => {
                    self.days.push(day);
                    self.stops.push(at + 1);
                }
            }
        }
    }

    /// Adds up the returns of each day under a group of rules; narrow where every sum of a day fits.
    #[inline(always)]
    fn add_up(&self, list: &[u32], nets: &[[i32; LANES]], fits: bool, sums: &mut [[i32; LANES]]) {
        let mut from = 0;
        for (row, stop) in sums.iter_mut().zip(&self.stops) {
            let own = &list[from..*stop];
            from = *stop;
            if fits {
                let mut sum = [0_i32; LANES];
                for signal in own {
                    let nets = &nets[*signal as usize];
                    for lane in 0..LANES {
                        sum[lane] = sum[lane].wrapping_add(nets[lane]);
                    }
                }
                *row = sum;
            } else {
                let sum =
                    |lane: usize| own.iter().map(|signal| i64::from(nets[*signal as usize][lane])).sum();
                *row = std::array::from_fn(|lane| ReturnPpm::of_day(sum(lane)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::lattice::Lattice;
    use crate::evaluate::outcome_table::{Entry, OutcomeTable};
    use crate::model::{DAY_MS, Direction, ExitReason, Outcome, Outcomes, Setup};

    /// Returns the only column of a book with so many trades of a return on one day, and half of it on the next.
    fn column(trades: i64, net: i32) -> Vec<i32> {
        let mut book = OutcomeTable::new(Lattice::new(vec![1]), 1);
        for (day, net) in (0..trades).map(|_| (0, net)).chain([(1, net / 2)]) {
            let net = ReturnPpm(net);
            let reason = ExitReason::Time;
            let outcome = Outcome { net, best_case: net, gross: net, bars_held: 1, reason, ambiguous: false };
            let mut outcomes = Outcomes::new(1);
            outcomes.push_each(&[outcome]);
            let (direction, setup) = (Direction::Long, Setup::Given);
            book.push(Entry { entry_ms: day * DAY_MS, symbol: 0, direction, setup }, &[0], outcomes.row(0));
        }
        let window = book.window(Day(0)..Day(2));
        let look = |tile: &ColumnTile<'_>, branch| {
            let mut found = Vec::new();
            tile.for_each(branch, |_, days| found.extend_from_slice(days));
            found
        };
        DailyColumns::new(&window).look(look).concat()
    }

    #[test]
    fn a_day_is_exact_as_far_as_a_column_reaches_and_no_panic_beyond() {
        assert_eq!(column(2, ReturnPpm::LIMIT), [2 * ReturnPpm::LIMIT, ReturnPpm::LIMIT / 2]);
        assert_eq!(column(3, ReturnPpm::LIMIT), [i32::MAX, ReturnPpm::LIMIT / 2]);
        assert_eq!(column(3_000, ReturnPpm::TOTAL_LOSS.0), [-i32::MAX, -500_000]);
    }
}

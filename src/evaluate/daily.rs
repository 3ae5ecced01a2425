//! Day returns of every parameter set, one after the other: what tests against luck read, never held as a whole.

use std::ops::Range;

use rayon::prelude::*;

use super::book::{LANES, Nets, Window};
use super::lattice::Walk;
use crate::model::Day;

/// The day returns of a window, set by set.
#[derive(Debug)]
pub struct DailyColumns<'a> {
    window: &'a Window<'a>,
    walk: Walk<'a>,
    nets: Nets,
    /// Day of each signal of the window, counted from the window's first.
    days: Vec<u32>,
    day_count: usize,
    /// Signals that each cell lets pass.
    lengths: Vec<u32>,
}

impl<'a> DailyColumns<'a> {
    /// Prepares a window.
    pub fn new(window: &'a Window<'a>) -> Self {
        let book = window.book;
        let first = window.days.start.0;
        let day = |entry_ms: i64| (Day::of(entry_ms).0 - first).max(0) as u32;
        let days = book.entries()[window.signals.clone()].iter().map(|entry| day(entry.entry_ms)).collect();
        let mut nets = Nets::default();
        nets.fill(window, 0..book.strips());
        let walk = Walk::new(book.lattice(), book.coordinates(), window.signals.clone());
        let mut lengths = vec![0; book.lattice().cells()];
        let branch_cells = walk.branch_cells();
        lengths.par_chunks_mut(branch_cells).zip(walk.branches()).for_each(|(lengths, branch)| {
            walk.for_each_cell(branch, |cell, list| lengths[cell % branch_cells] = list.len() as u32);
        });
        let day_count = window.day_count();
        Self { window, walk, nets, days, day_count, lengths }
    }

    /// Returns the branches, which can be looked at in parallel; sets of a later branch have higher numbers.
    pub fn branches(&self) -> Range<usize> {
        self.walk.branches()
    }

    /// Calls back for every set of a branch with the sum of net returns of each day in ppm, in order of the sets' numbers
    /// (cell x rules + rule).
    ///
    /// A cell that lets pass exactly what a looser one does is left out: its columns are the same.
    pub fn for_each(&self, branch: usize, mut visit: impl FnMut(usize, &[i32])) {
        let book = self.window.book;
        let rules = book.rules();
        let mut sums = vec![[0_i32; LANES]; self.day_count];
        let mut column = vec![0_i32; self.day_count];
        self.walk.for_each_cell(branch, |cell, list| {
            if list.is_empty() || self.repeats_a_looser(cell) {
                return;
            }
            for (group, nets) in self.nets.groups().iter().enumerate() {
                sums.fill([0; LANES]);
                for signal in list {
                    let of_day = &mut sums[self.days[*signal as usize] as usize];
                    of_day.iter_mut().zip(&nets[*signal as usize]).for_each(|(sum, net)| *sum += net);
                }
                for lane in 0..LANES.min(rules - group * LANES) {
                    column.iter_mut().zip(&sums).for_each(|(own, sum)| *own = sum[lane]);
                    visit(cell * rules + group * LANES + lane, &column);
                }
            }
        });
    }

    fn repeats_a_looser(&self, cell: usize) -> bool {
        let lattice = self.window.book.lattice();
        (0..lattice.dimensions()).any(|d| {
            let mut levels = lattice.levels(cell);
            if levels[d] == 0 {
                return false;
            }
            levels[d] -= 1;
            self.lengths[lattice.cell(&levels)] == self.lengths[cell]
        })
    }
}

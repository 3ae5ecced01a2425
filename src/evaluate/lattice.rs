//! The threshold lattice: every combination of one level per filter dimension is a cell.
//!
//! Levels of a dimension are nested from loose (0) to strict. A signal sits at its strictest levels; a cell lets pass
//! all signals that are at least as strict in every dimension.

use std::ops::Range;

/// The shape of a lattice: levels per dimension; the last dimension varies fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lattice {
    sizes: Vec<usize>,
    strides: Vec<usize>,
    cells: usize,
}

impl Lattice {
    /// Returns the lattice with so many levels per dimension.
    ///
    /// Panics when a dimension has no level, more than 255, or the cells do not fit in 32 bits.
    pub fn new(sizes: Vec<usize>) -> Self {
        let mut strides = vec![0; sizes.len()];
        let mut cells: usize = 1;
        for (stride, size) in strides.iter_mut().zip(&sizes).rev() {
            assert!((1..=255).contains(size), "a dimension has 1 to 255 levels");
            *stride = cells;
            cells = cells.checked_mul(*size).expect("the cells can be counted");
        }
        assert!(u32::try_from(cells).is_ok(), "the cells fit in 32 bits");
        Self { sizes, strides, cells }
    }

    /// Returns the number of cells.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Returns the number of dimensions.
    pub fn dimensions(&self) -> usize {
        self.sizes.len()
    }

    /// Returns the number of levels per dimension.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Returns the cell at given levels.
    pub fn cell(&self, levels: &[u8]) -> usize {
        debug_assert_eq!(levels.len(), self.sizes.len());
        levels.iter().zip(&self.strides).map(|(level, stride)| usize::from(*level) * stride).sum()
    }

    /// Returns the level of a cell in a dimension.
    pub fn level(&self, cell: usize, dimension: usize) -> usize {
        cell / self.strides[dimension] % self.sizes[dimension]
    }

    /// Returns the cell that is a level looser in a dimension; `None` for the loosest.
    pub fn looser(&self, cell: usize, dimension: usize) -> Option<usize> {
        (self.level(cell, dimension) > 0).then(|| cell - self.strides[dimension])
    }

    /// Returns the levels of a cell.
    pub fn levels(&self, cell: usize) -> Vec<u8> {
        (0..self.dimensions()).map(|d| self.level(cell, d) as u8).collect()
    }

    /// Returns the levels of every cell, those of one after those of another.
    pub fn levels_of_all(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.cells * self.dimensions());
        let mut levels = vec![0_u8; self.dimensions()];
        for _ in 0..self.cells {
            all.extend_from_slice(&levels);
            for (level, size) in levels.iter_mut().zip(&self.sizes).rev() {
                if usize::from(*level) + 1 < *size {
                    *level += 1;
                    break;
                }
                *level = 0;
            }
        }
        all
    }
}

/// A walk over all cells with the list of signals each lets pass.
///
/// The outermost dimensions cut the walk into branches that can be walked on their own.
#[derive(Debug)]
pub struct LatticeWalk<'a> {
    lattice: &'a Lattice,
    /// `columns[d][i]`: level of signal i of the walk in dimension d.
    columns: Vec<Vec<u8>>,
    branch_dimensions: usize,
    /// The signals that the first cell of each branch lets pass.
    branch_lists: Vec<Vec<u32>>,
}

/// Cells in a row that let pass the same signals, one by one, as others before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedCells {
    /// The first of them.
    pub first: usize,
    /// How many.
    pub cells: usize,
    /// The first of those that they repeat, all of them before `first`.
    pub looser: usize,
}

/// Branches are cut until there are at least this many, so that a few threads share them evenly.
const BRANCHES_MIN: usize = 8;

impl<'a> LatticeWalk<'a> {
    /// Prepares a walk over the signals of a range.
    ///
    /// Shape: coordinates `[signals x dimensions]`
    pub fn new(lattice: &'a Lattice, coordinates: &[u8], range: Range<usize>) -> Self {
        let dimensions = lattice.dimensions();
        let column = |d| range.clone().map(|i| coordinates[i * dimensions + d]).collect();
        let columns: Vec<Vec<u8>> = (0..dimensions).map(column).collect();
        let mut branch_lists = vec![(0..range.len() as u32).collect::<Vec<u32>>()];
        let mut branch_dimensions = 0;
        while branch_lists.len() < BRANCHES_MIN && branch_dimensions < dimensions {
            let (column, levels) = (&columns[branch_dimensions], 0..lattice.sizes[branch_dimensions]);
            let cut_up = |mut list: Vec<u32>| {
                levels.clone().map(move |level| {
                    cut_list(&mut list, column, level);
                    list.clone()
                })
            };
            branch_lists = branch_lists.into_iter().flat_map(cut_up).collect();
            branch_dimensions += 1;
        }
        Self { lattice, columns, branch_dimensions, branch_lists }
    }

    /// Returns the number of cells of a branch; branch b holds the cells from b x this on.
    pub fn branch_cells(&self) -> usize {
        self.lattice.sizes[self.branch_dimensions..].iter().product()
    }

    /// Returns the branches, in order of their cells.
    pub fn branches(&self) -> Range<usize> {
        0..self.branch_lists.len()
    }

    /// Calls back for every cell of a branch with the signals it lets pass, counted from the first of the range, in their
    /// order; cells in index order.
    ///
    /// Cost: O(sum over prefixes of dimensions of passing signals)
    pub fn for_each_cell(&self, branch: usize, visit: impl FnMut(usize, &[u32])) {
        self.walk_branch(branch, visit, |_| false);
    }

    /// The same for the cells that let pass what no looser cell next to them does, and returns the others.
    ///
    /// A level that takes no signal out has the cells of the level before once more, whatever the stricter dimensions ask.
    pub fn for_each_new_cell(&self, branch: usize, visit: impl FnMut(usize, &[u32])) -> Vec<RepeatedCells> {
        let mut repeats = Vec::new();
        self.walk_branch(branch, visit, |cells| {
            repeats.push(cells);
            true
        });
        repeats
    }

    /// `leave_out` says of cells that repeat others whether they are left out.
    fn walk_branch(
        &self,
        branch: usize,
        mut visit: impl FnMut(usize, &[u32]),
        mut leave_out: impl FnMut(RepeatedCells) -> bool,
    ) {
        let cell = branch * self.branch_cells();
        let mut buffers = vec![Vec::new(); self.lattice.dimensions() - self.branch_dimensions];
        let list = &self.branch_lists[branch];
        self.descend(self.branch_dimensions, cell, list, &mut buffers, &mut visit, &mut leave_out);
    }

    /// Walks the levels of one dimension, loose to strict; each level's list is cut from the one before.
    fn descend(
        &self,
        dimension: usize,
        cell: usize,
        list: &[u32],
        buffers: &mut [Vec<u32>],
        visit: &mut impl FnMut(usize, &[u32]),
        leave_out: &mut impl FnMut(RepeatedCells) -> bool,
    ) {
        let Some((own, inner)) = buffers.split_first_mut() else {
            return visit(cell, list);
        };
        // Level 0 lets everything pass.
        self.descend(dimension + 1, cell, list, inner, visit, leave_out);
        let cells = self.lattice.strides[dimension];
        for level in 1..self.lattice.sizes[dimension] {
            if level == 1 {
                own.clear();
                own.extend_from_slice(list);
            }
            let looser = own.len();
            cut_list(own, &self.columns[dimension], level);
            let first = cell + level * cells;
            if own.len() == looser && leave_out(RepeatedCells { first, cells, looser: first - cells }) {
                continue;
            }
            self.descend(dimension + 1, first, own, inner, visit, leave_out);
        }
    }
}

/// Keeps the signals of a list that are at a level or stricter, without a branch per signal.
fn cut_list(list: &mut Vec<u32>, column: &[u8], level: usize) {
    let mut kept = 0;
    for at in 0..list.len() {
        let signal = list[at];
        list[kept] = signal;
        kept += usize::from(usize::from(column[signal as usize]) >= level);
    }
    list.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_and_levels_are_inverse() {
        let lattice = Lattice::new(vec![3, 2, 4]);
        assert_eq!(lattice.cells(), 24);
        let all = lattice.levels_of_all();
        for cell in 0..24 {
            assert_eq!(lattice.cell(&lattice.levels(cell)), cell);
            assert_eq!(all[cell * 3..(cell + 1) * 3], lattice.levels(cell));
            for dimension in 0..3 {
                let mut levels = lattice.levels(cell);
                let looser = lattice.looser(cell, dimension);
                match levels[dimension].checked_sub(1) {
                    None => assert_eq!(looser, None),
                    Some(level) => {
                        levels[dimension] = level;
                        assert_eq!(looser, Some(lattice.cell(&levels)));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_walk_visits_every_cell_with_what_it_lets_pass(
            (sizes, signals) in prop::collection::vec(1_usize..5, 0..5).prop_flat_map(|sizes| {
                let signal: Vec<_> = sizes.iter().map(|s| 0..*s as u8).collect();
                (Just(sizes), prop::collection::vec(signal, 0..40))
            }),
            skipped in 0_usize..10,
        ) {
            let lattice = Lattice::new(sizes);
            let flat: Vec<u8> = signals.concat();
            let range = skipped.min(signals.len())..signals.len();
            let walk = LatticeWalk::new(&lattice, &flat, range.clone());
            let mut visited = 0;
            for branch in walk.branches() {
                walk.for_each_cell(branch, |cell, list| {
                    assert_eq!(cell, visited);
                    visited += 1;
                    let needed = lattice.levels(cell);
                    let naive: Vec<u32> = range
                        .clone()
                        .filter(|i| signals[*i].iter().zip(&needed).all(|(has, needs)| has >= needs))
                        .map(|i| (i - range.start) as u32)
                        .collect();
                    assert_eq!(list, naive);
                });
            }
            prop_assert_eq!(visited, lattice.cells());
            let mut lists = vec![None; lattice.cells()];
            for branch in walk.branches() {
                let repeats = walk.for_each_new_cell(branch, |cell, list| lists[cell] = Some(list.to_vec()));
                for RepeatedCells { first, cells, looser } in repeats {
                    for at in 0..cells {
                        prop_assert!(lists[first + at].is_none());
                        lists[first + at] = lists[looser + at].clone();
                    }
                }
            }
            for branch in walk.branches() {
                walk.for_each_cell(branch, |cell, list| assert_eq!(lists[cell].as_deref(), Some(list)));
            }
        }
    }
}

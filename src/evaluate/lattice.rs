//! The threshold lattice: every combination of one level per filter dimension is a cell.
//!
//! Levels of a dimension are nested from loose (0) to strict. A signal sits at its strictest levels; a cell's
//! signals are all those at least as strict in every dimension, so statistics of cells are suffix sums.

use std::ops::{AddAssign, Range};

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

    /// Returns the levels of a cell.
    pub fn levels(&self, cell: usize) -> Vec<u8> {
        (0..self.dimensions()).map(|d| self.level(cell, d) as u8).collect()
    }

    /// Turns values scattered at signals' own cells into sums over everything each cell lets pass.
    ///
    /// Shape: `values[cells]` -> in place
    /// Cost:  O(cells x dimensions), in runs of consecutive cells
    pub fn accumulate<T: Copy + AddAssign>(&self, values: &mut [T]) {
        assert!(values.len() == self.cells, "one value per cell");
        for (size, stride) in self.sizes.iter().zip(&self.strides) {
            for block in values.chunks_exact_mut(size * stride) {
                for level in (0..size - 1).rev() {
                    let (loose, strict) = block.split_at_mut((level + 1) * stride);
                    let loose = &mut loose[level * stride..];
                    loose.iter_mut().zip(&strict[..*stride]).for_each(|(to, from)| *to += *from);
                }
            }
        }
    }

    /// Calls back for every cell with the signals it lets pass, in their order, cells in index order.
    ///
    /// Shape: `coordinates[signals x dimensions]` of the signals in `range`
    /// Cost:  O(sum over prefixes of dimensions of passing signals); no list longer than the signals is kept twice
    pub fn for_each_cell(
        &self,
        coordinates: &[u8],
        range: Range<usize>,
        mut visit: impl FnMut(usize, &[u32]),
    ) {
        let all: Vec<u32> = range.map(|i| i as u32).collect();
        let mut lists = vec![Vec::with_capacity(all.len()); self.dimensions() + 1];
        lists[0] = all;
        self.descend(coordinates, 0, 0, &mut lists, &mut visit);
    }

    fn descend(
        &self,
        coordinates: &[u8],
        dimension: usize,
        cell: usize,
        lists: &mut [Vec<u32>],
        visit: &mut impl FnMut(usize, &[u32]),
    ) {
        if dimension == self.dimensions() {
            visit(cell, &lists[0]);
            return;
        }
        let coordinate = |i: u32| coordinates[i as usize * self.dimensions() + dimension];
        for level in 0..self.sizes[dimension] {
            let (parents, children) = lists.split_at_mut(1);
            children[0].clear();
            children[0].extend(parents[0].iter().filter(|i| usize::from(coordinate(**i)) >= level));
            let inner = cell + level * self.strides[dimension];
            self.descend(coordinates, dimension + 1, inner, children, visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_and_levels_are_inverse() {
        let lattice = Lattice::new(vec![3, 2, 4]);
        assert_eq!(lattice.cells(), 24);
        for cell in 0..24 {
            assert_eq!(lattice.cell(&lattice.levels(cell)), cell);
        }
    }

    proptest! {
        #[test]
        fn accumulated_counts_equal_the_lists_and_the_naive_count(
            (sizes, signals) in prop::collection::vec(1_usize..5, 1..5).prop_flat_map(|sizes| {
                let signal: Vec<_> = sizes.iter().map(|s| 0..*s as u8).collect();
                (Just(sizes), prop::collection::vec(signal, 0..40))
            })
        ) {
            let lattice = Lattice::new(sizes);
            let mut counts = vec![0_u32; lattice.cells()];
            signals.iter().for_each(|levels| counts[lattice.cell(levels)] += 1);
            lattice.accumulate(&mut counts);
            let flat: Vec<u8> = signals.concat();
            let mut visited = 0;
            lattice.for_each_cell(&flat, 0..signals.len(), |cell, list| {
                assert_eq!(cell, visited);
                visited += 1;
                let needed = lattice.levels(cell);
                let naive: Vec<u32> = (0..signals.len() as u32)
                    .filter(|i| signals[*i as usize].iter().zip(&needed).all(|(has, needs)| has >= needs))
                    .collect();
                assert_eq!(list, naive);
                assert_eq!(counts[cell], list.len() as u32);
            });
            prop_assert_eq!(visited, lattice.cells());
        }
    }
}

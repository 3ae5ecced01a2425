//! Which combinations of a grid are tried: the ends of every dimension, the centre, and a draw from the rest.

use std::collections::BTreeSet;

use super::grid::Grid;
use retune::search::random::RandomStream;

/// Returns the ends of every dimension with the others at their (upper) middle, and the centre; each once.
///
/// Shape:     numbers of combinations, in the legacy order; 21 for the default grids, fewer where values repeat
/// Source:    section 2 of the legacy specification
pub(crate) fn boundary_and_centre(grid: &Grid) -> Vec<u64> {
    let centre: Vec<usize> = grid.dimensions().iter().map(|(_, values)| values.len() / 2).collect();
    let (mut numbers, mut seen) = (Vec::new(), Vec::new());
    let mut add = |places: &[usize]| {
        let settings = grid.settings(places);
        if !seen.contains(&settings) {
            seen.push(settings);
            numbers.push(grid.number(places));
        }
    };
    for (dimension, (_, values)) in grid.dimensions().iter().enumerate() {
        if values.len() < 2 {
            continue;
        }
        for place in [0, values.len() - 1] {
            let mut places = centre.clone();
            places[dimension] = place;
            add(&places);
        }
    }
    add(&centre);
    numbers
}

/// Returns so many combinations: boundary and centre first, even if they are more (D17), then drawn ones ascending.
///
/// Cost:      O(count log count); the legacy listed the whole grid (D50)
pub(crate) fn sample(grid: &Grid, count: usize, seed: u64) -> Vec<u64> {
    let mut numbers = boundary_and_centre(grid);
    let taken: BTreeSet<u64> = numbers.iter().copied().collect();
    let missing = count.saturating_sub(numbers.len()) as u64;
    let mut drawn = distinct(&mut RandomStream::new(seed), missing, grid.len() - taken.len() as u64);
    // Ranks among the combinations not taken become numbers: each taken one below pushes them up.
    for held in &taken {
        drawn.iter_mut().filter(|number| **number >= *held).for_each(|number| *number += 1);
    }
    numbers.extend(drawn);
    numbers
}

/// Returns so many different numbers below a bound, ascending; all of them if there are not more.
///
/// Cost:      O(count log count), whatever the bound
/// Source:    R. Floyd in J. Bentley, Programming pearls: a sample of brilliance (1987)
fn distinct(draws: &mut RandomStream, count: u64, bound: u64) -> Vec<u64> {
    if count >= bound {
        return (0..bound).collect();
    }
    let mut drawn = BTreeSet::new();
    for last in bound - count..bound {
        let number = draws.below(last + 1);
        if !drawn.insert(number) {
            drawn.insert(last);
        }
    }
    drawn.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use retune::legacy::rules::settings::Settings;
    use retune::model::Style;

    #[test]
    fn a_sample_has_no_repeats_and_may_be_everything() {
        let grid = Grid::around(Style::Scalping, &Settings::default());
        for count in [4, 21, 60, 500] {
            let numbers = sample(&grid, count, 42);
            assert_eq!(numbers.len(), count.max(21));
            assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
            assert_eq!(numbers, sample(&grid, count, 42), "the seed decides");
        }
        let all = sample(&grid, usize::MAX, 1);
        assert_eq!(all.len() as u64, grid.len());
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn draws_are_distinct_and_repeatable() {
        let drawn = |seed, count, bound| distinct(&mut RandomStream::new(seed), count, bound);
        let first = drawn(7, 50, 1_000);
        assert_eq!(first.len(), 50);
        assert!(first.windows(2).all(|pair| pair[0] < pair[1]) && first[49] < 1_000);
        assert_eq!(drawn(7, 50, 1_000), first);
        assert_ne!(drawn(8, 50, 1_000), first);
        assert_eq!(drawn(1, 9, 4), [0, 1, 2, 3]);
    }
}

//! The surface of a grid: the cell columns of its exit rules, tested against noise.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::evaluate::daily::{ColumnTile, DailyColumns};
use crate::evaluate::outcome_table::{LANES, Window};
use crate::evaluate::simd::run_widest;
use crate::validate::surface::{SurfacePlan, SurfaceResult, SurfaceTest};

/// Tests the cells of a window: for each the mean of the standardised day returns of its exit rules.
///
/// The branches of the grid in parallel, merged in the order of the cells: the same for any number of threads and any ceiling of
/// memory.
pub fn test_surface(window: &Window<'_>, plan: &SurfacePlan) -> SurfaceResult {
    test_cells(&DailyColumns::new(window), plan)
}

fn test_cells(columns: &DailyColumns<'_>, plan: &SurfacePlan) -> SurfaceResult {
    let draws = plan.draw();
    let active_min = plan.active_min(columns.busiest_days());
    let cells = CellRules { rules: columns.rules(), days: plan.days, active_min };
    let parts = columns.look_through(
        columns.branch_bytes(),
        BTreeMap::new,
        |found: &mut BTreeMap<usize, SurfaceColumn>, tile, branch| cells.add(found, tile, branch),
        |found| {
            let mut test = SurfaceTest::new(plan, &draws);
            for (cell, column) in found.iter().filter(|(_, column)| 2 * column.rules >= cells.rules) {
                test.push(*cell, &column.days);
            }
            test.finish()
        },
    );
    let none = || SurfaceTest::new(plan, &draws).finish();
    parts.into_iter().reduce(|all, part| all.merge(&part)).unwrap_or_else(none)
}

/// The sum of the standardised day returns of a cell's exit rules.
#[derive(Debug)]
struct SurfaceColumn {
    /// Rules that were added.
    rules: usize,
    days: Vec<f32>,
}

/// Which rules of a cell count.
struct CellRules {
    /// Rules of a cell.
    rules: usize,
    /// Days of a column.
    days: usize,
    /// Fewest days with a return of a rule that is added.
    active_min: usize,
}

impl CellRules {
    fn add(&self, found: &mut BTreeMap<usize, SurfaceColumn>, tile: &ColumnTile<'_>, branch: usize) {
        tile.for_each_group(branch, self.active_min, |cell, group, days, rows| {
            let (weights, rules) = run_widest(
                #[inline(always)]
                || self.weights(&group, rows),
            );
            if rules == 0 {
                return;
            }
            let empty = || SurfaceColumn { rules: 0, days: vec![0.0; self.days] };
            let column = found.entry(cell).or_insert_with(empty);
            column.rules += rules;
            run_widest(
                #[inline(always)]
                || add_weighed(&mut column.days, days, rows, &weights),
            );
        });
    }

    /// Returns one over the standard deviation of each rule that counts, 0 for the others, and how many count.
    #[inline(always)]
    fn weights(&self, group: &Range<usize>, rows: &[[i32; LANES]]) -> ([f32; LANES], usize) {
        let (mut sums, mut squares, mut active) = ([0.0_f64; LANES], [0.0_f64; LANES], [0_i32; LANES]);
        for row in rows {
            for lane in 0..LANES {
                let value = f64::from(row[lane]);
                sums[lane] += value;
                squares[lane] += value * value;
                active[lane] += i32::from(row[lane] != 0);
            }
        }
        let (n, mut rules) = (self.days as f64, 0);
        let mut weights = [0.0; LANES];
        for lane in 0..group.len() {
            let variance = squares[lane] / n - (sums[lane] / n).powi(2);
            if active[lane] as usize >= self.active_min && variance > 0.0 {
                weights[lane] = (1.0 / variance.sqrt()) as f32;
                rules += 1;
            }
        }
        (weights, rules)
    }
}

#[inline(always)]
fn add_weighed(column: &mut [f32], days: &[u32], rows: &[[i32; LANES]], weights: &[f32; LANES]) {
    for (day, row) in days.iter().zip(rows) {
        let mut values = [0.0_f32; LANES];
        for lane in 0..LANES {
            values[lane] = row[lane] as f32 * weights[lane];
        }
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                values[lane] += values[lane + width];
            }
            width /= 2;
        }
        column[*day as usize] += values[0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::lattice::Lattice;
    use crate::evaluate::outcome_table::{Entry, OutcomeTable};
    use crate::evaluate::replay::{Pick, replay_set};
    use crate::model::{DAY_MS, Day, Direction, ExitReason, HOUR_MS, Outcome, Outcomes, ReturnPpm, Setup};
    use crate::validate::resample::Random;

    const DAYS: usize = 150;
    const PLAN: SurfacePlan =
        SurfacePlan { first_day: 0, days: DAYS, replicates: 199, mean_block: 5.0, seed: 1 };

    /// A book of so many exit rules whose outcomes share their entries, of two filters with three levels each.
    fn book(rules: usize) -> OutcomeTable {
        let mut random = Random::new(4);
        let mut book = OutcomeTable::new(Lattice::new(vec![3, 3]), rules);
        for trade in 0..3 * DAYS as i64 {
            let entry_ms = trade / 3 * DAY_MS + (trade % 3) * HOUR_MS;
            let common = random.below(10_001) as i32 - 4_700;
            let row: Vec<Outcome> = (0..rules)
                .map(|_| {
                    let net = ReturnPpm(common + random.below(4_001) as i32 - 2_000);
                    let reason = ExitReason::Time;
                    Outcome { net, best_case: net, gross: net, bars_held: 1, reason, ambiguous: false }
                })
                .collect();
            let mut outcomes = Outcomes::new(rules);
            outcomes.push_each(&row);
            let entry = Entry { entry_ms, symbol: 0, direction: Direction::Long, setup: Setup::Given };
            book.push(entry, &[random.below(3) as u8, random.below(3) as u8], outcomes.row(0));
        }
        book
    }

    /// The plain version: each set replayed, standardised and averaged by itself.
    fn plain(window: &Window<'_>) -> SurfaceResult {
        let (lattice, draws) = (window.book.lattice(), PLAN.draw());
        let active_min = PLAN.active_min(DAYS);
        let mut test = SurfaceTest::new(&PLAN, &draws);
        for cell in 0..lattice.cells() {
            let levels = lattice.levels(cell);
            let columns: Vec<Vec<f64>> = (0..window.book.rules())
                .filter_map(|rule| {
                    let tally = replay_set(window, Pick { rule, levels: Some(&levels) });
                    let mut days = vec![0.0; DAYS];
                    tally.daily_ppm.iter().for_each(|(day, ppm)| days[day.0 as usize] = *ppm as f64);
                    let mean = days.iter().sum::<f64>() / DAYS as f64;
                    let variance = days.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / DAYS as f64;
                    let active = days.iter().filter(|x| **x != 0.0).count();
                    (active >= active_min).then(|| days.iter().map(|x| x / variance.sqrt()).collect())
                })
                .collect();
            if 2 * columns.len() >= window.book.rules() {
                let sum = |day: usize| columns.iter().map(|column| column[day]).sum::<f64>() as f32;
                test.push(cell, &(0..DAYS).map(sum).collect::<Vec<f32>>());
            }
        }
        test.finish()
    }

    #[test]
    fn the_surface_is_that_of_every_set_replayed_by_itself() {
        // More rules than lanes, and than a strip.
        for rules in [1, 5, 40, 70] {
            let book = book(rules);
            let window = book.window(Day(0)..Day(DAYS as i32));
            let (found, expected) = (test_surface(&window, &PLAN), plain(&window));
            assert_eq!((found.columns(), found.p()), (expected.columns(), expected.p()), "{rules} rules");
            assert!(found.columns() >= 4, "{}", found.columns());
            let ((t, cell), (plain_t, plain_cell)) = found.largest().zip(expected.largest()).expect("tested");
            assert!((t - plain_t).abs() < 1e-4 && cell == plain_cell, "{t} {plain_t}");
            let lucky = found.lucky_t().zip(expected.lucky_t()).expect("tested");
            assert!((lucky.0 - lucky.1).abs() < 1e-3, "{lucky:?}");
        }
    }

    /// What is laid out at a time, and held of it between two tiles, follows from a ceiling of memory; the answer does not.
    #[test]
    fn one_tile_equals_several() {
        let book = book(150);
        let window = book.window(Day(0)..Day(DAYS as i32));
        let whole = test_surface(&window, &PLAN);
        assert!(whole.columns() >= 4);
        for bytes in [1, 300_000] {
            let columns = DailyColumns::in_tiles(&window, bytes);
            assert!(columns.tiles() > 1, "{bytes}");
            assert_eq!(test_cells(&columns, &PLAN), whole, "{bytes} bytes at a time");
        }
    }

    #[test]
    fn one_thread_equals_several() {
        let book = book(9);
        let window = book.window(Day(0)..Day(DAYS as i32));
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| test_surface(&window, &PLAN))
        };
        assert_eq!(on(1), on(3));
    }
}

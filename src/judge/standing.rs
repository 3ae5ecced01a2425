//! Where the best of half of the days stands on the other half.

use crate::validate::grid::{CrossValidation, GridTests, Halves, Ranks, Replicates, TestPlan};
use crate::validate::sharpe::{DAYS_PER_YEAR, Moments};

/// The best trial of one half of the days on the other half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfStanding {
    /// Sharpe ratio of a year on the half where it is best.
    pub inside_year: f64,
    /// Sharpe ratio of a year on the other half.
    pub outside_year: f64,
    /// Its place there, from 1.
    pub rank: usize,
    /// Trials that were compared.
    pub of: usize,
}

/// Returns where the best trial of the first half of the days stands on the second, and the other way about; `None` where there is
/// nothing to compare.
pub(super) fn stand_on_halves(columns: &[&[f64]]) -> Option<[HalfStanding; 2]> {
    let days = columns.first()?.len();
    // A trial that does not vary on a half has earned nothing there.
    let sharpe = |days: &[f64]| Moments::of(days).map_or(0.0, |moments| moments.sharpe());
    let halves: Vec<(f64, f64)> = columns
        .iter()
        .map(|column| column.split_at(days / 2))
        .map(|(early, late)| (sharpe(early), sharpe(late)))
        .collect();
    let standing = |inside: fn(&(f64, f64)) -> f64, outside: fn(&(f64, f64)) -> f64| {
        // The earlier of equals.
        let best =
            halves.iter().reduce(|best, other| if inside(other) > inside(best) { other } else { best })?;
        Some(HalfStanding {
            inside_year: inside(best) * DAYS_PER_YEAR.sqrt(),
            outside_year: outside(best) * DAYS_PER_YEAR.sqrt(),
            rank: halves.iter().filter(|other| outside(other) > outside(best)).count() + 1,
            of: halves.len(),
        })
    };
    Some([standing(|half| half.0, |half| half.1)?, standing(|half| half.1, |half| half.0)?])
}

/// Returns what the best half of the blocks promises for the other half, over all halves.
pub(super) fn cross_validate(columns: &[&[f64]], plan: &TestPlan) -> Option<CrossValidation> {
    let (replicates, halves) = (Replicates::draw(plan), Halves::new(plan));
    let scaled: Vec<Vec<i32>> = columns.iter().map(|column| in_parts(column)).collect();
    let mut tests = GridTests::new(plan, &replicates, &[], &[], &halves);
    scaled.iter().enumerate().for_each(|(column, returns)| tests.push(column, returns));
    let result = tests.finish();
    let mut ranks = Ranks::new(plan, &halves, &result);
    scaled.iter().for_each(|returns| ranks.push(returns));
    result.cross_validation(&halves, &ranks.finish())
}

/// Returns a column in whole parts of its largest value: what is compared are Sharpe ratios, which have no unit.
fn in_parts(column: &[f64]) -> Vec<i32> {
    let largest = column.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let scale = if largest > 0.0 { f64::from(1 << 30) / largest } else { 0.0 };
    let part = |value: &f64| match (value * scale).round() as i32 {
        // A day with a return stays one.
        0 if *value != 0.0 => value.signum() as i32,
        part => part,
    };
    column.iter().map(part).collect()
}

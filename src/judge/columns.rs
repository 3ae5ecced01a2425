//! Trials as columns: those of the days that most have in common, and all of them on all days.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::TrialPlace;
use crate::ingest::{TrialDays, TrialSearch};
use crate::model::Day;
use crate::validate::assessment::SampleSize;
use crate::validate::sharpe::Moments;
use crate::validate::surface::{SurfacePlan, SurfaceResult, SurfaceTest};

/// Columns that one thread tests; the parts are the same for any number of threads.
const PART: usize = 1_024;

/// The trials of all searches.
pub(super) struct ComparedTrials<'a> {
    searches: &'a [TrialSearch],
    /// All of them, in the order of searches and trials.
    pub(super) all: Vec<TrialPlace>,
    /// Those of the days that most trials have; of equal numbers, the days that end last.
    pub(super) common: Vec<TrialPlace>,
    /// The first of these days.
    pub(super) first: Day,
    /// Fewest days with a return of a trial that is tested.
    pub(super) active_min: usize,
}

impl<'a> ComparedTrials<'a> {
    pub(super) fn new(searches: &'a [TrialSearch]) -> Self {
        let trials = |search: usize| (0..searches[search].trials.len()).map(move |trial| (search, trial));
        let all: Vec<TrialPlace> = (0..searches.len()).flat_map(trials).collect();
        let mut windows: BTreeMap<(Day, Day), Vec<TrialPlace>> = BTreeMap::new();
        for place in &all {
            let trial = &searches[place.0].trials[place.1];
            windows.entry((trial.end(), trial.first)).or_default().push(*place);
        }
        // The last of equals is taken.
        let widest = windows.into_iter().max_by_key(|(_, places)| places.len());
        let ((end, first), common) = widest.unwrap_or(((Day(0), Day(0)), Vec::new()));
        let mut compared = Self { searches, all, common, first, active_min: 0 };
        let plan = SurfacePlan {
            first_day: first.0,
            days: (end.0 - first.0) as usize,
            replicates: 0,
            mean_block: 1.0,
            seed: 0,
        };
        let busiest = compared.common.iter().map(|place| compared.trial(*place).active_days()).max();
        compared.active_min = plan.active_min(busiest.unwrap_or(0));
        compared
    }

    fn trial(&self, (search, trial): TrialPlace) -> &'a TrialDays {
        &self.searches[search].trials[trial]
    }

    /// Returns the day returns of a trial.
    pub(super) fn returns(&self, place: TrialPlace) -> &'a [f64] {
        &self.trial(place).returns
    }

    /// Returns how many days most trials have in common.
    pub(super) fn days(&self) -> usize {
        self.common.first().map_or(0, |place| self.returns(*place).len())
    }

    /// Returns the first day of any trial, and how many days there are up to the last of any.
    pub(super) fn all_days(&self) -> (Day, usize) {
        let trials = || self.all.iter().map(|place| self.trial(*place));
        let first = trials().map(|trial| trial.first).min().unwrap_or(self.first);
        let end = trials().map(TrialDays::end).max().unwrap_or(self.first);
        (first, (end.0 - first.0) as usize)
    }

    /// Returns how much there is to judge: what the busiest trial of the common days did. A day with a return stands for a trade where
    /// nothing is said of trades.
    pub(super) fn sample(&self) -> SampleSize {
        let trials = || self.common.iter().map(|place| self.trial(*place));
        let trades = |trial: &TrialDays| trial.trades.unwrap_or(trial.active_days() as u64);
        SampleSize {
            days: self.days(),
            active_days: trials().map(TrialDays::active_days).max().unwrap_or(0),
            trades: trials().map(trades).max().unwrap_or(0),
        }
    }

    /// Returns whether a trial is tested: by its days, a rule that looks at no return.
    fn is_tested(&self, place: TrialPlace) -> bool {
        let trial = self.trial(place);
        trial.active_days() >= self.active_min && Moments::of(&trial.returns).is_some()
    }

    /// Returns how many trials are tested.
    pub(super) fn tested(&self) -> usize {
        self.all.iter().filter(|place| self.is_tested(**place)).count()
    }

    /// Returns the columns of the common days that are tested.
    pub(super) fn tested_columns(&self) -> Vec<&'a [f64]> {
        let tested = self.common.iter().filter(|place| self.is_tested(**place));
        tested.map(|place| self.returns(*place)).collect()
    }

    /// Returns the tested trials of the common days with their Sharpe ratio per day, the best first; of equals, the earlier.
    pub(super) fn by_sharpe(&self) -> Vec<(TrialPlace, f64)> {
        let tested = self.common.iter().filter(|place| self.is_tested(**place));
        let known = tested.filter_map(|place| Some((*place, Moments::of(self.returns(*place))?.sharpe())));
        let mut ranked: Vec<(TrialPlace, f64)> = known.collect();
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        ranked
    }

    /// Returns the trial with the least loss, of the common days.
    pub(super) fn best_by_loss(&self) -> Option<TrialPlace> {
        let known = self.common.iter().filter_map(|place| Some((*place, self.trial(*place).loss?)));
        known.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
    }

    /// Tests all trials on all days together.
    pub(super) fn test(&self, plan: &SurfacePlan) -> SurfaceResult {
        let draws = plan.draw();
        let (first, days) = self.all_days();
        let part = |places: &[TrialPlace]| {
            let mut test = SurfaceTest::new(plan, &draws);
            let mut column = vec![0.0_f32; days];
            for place in places.iter().filter(|place| self.is_tested(**place)) {
                let trial = self.trial(*place);
                column.fill(0.0);
                let from = (trial.first.0 - first.0) as usize;
                column[from..].iter_mut().zip(&trial.returns).for_each(|(day, value)| *day = *value as f32);
                test.push(place.1, &column);
            }
            test.finish()
        };
        let parts: Vec<SurfaceResult> = self.all.par_chunks(PART).map(part).collect();
        let none = || SurfaceTest::new(plan, &draws).finish();
        parts.into_iter().reduce(|all, part| all.merge(&part)).unwrap_or_else(none)
    }
}

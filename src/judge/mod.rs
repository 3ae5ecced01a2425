//! The tests against luck for the trials of any optimizer: the best of them was picked from all, so all of them are tested together.
//!
//! A trial is a column of day returns; nothing else of it is known, and nothing of the strategy. The questions, their words and their
//! limits are those of a run: EDGE asks whether there is anything in all trials together, CANDIDATE what choosing the best of them earned
//! on days that had no say in it, SWITCH whether that is better than a trial that is in use. Several searches are one: whatever was tried
//! counts. Trials of other days than most share in EDGE with 0 on the days they do not have, which leaves their t statistic as it is but for
//! a term of the second order; what is chosen and compared needs common days and leaves them out.
//!
//! Causality: hindsight over all days by its nature; in the cross-fit no day of a fold has a say in the choice that earns on it
//! Source:    as `study` and `validate`; the project's statistics notes 2

mod columns;
mod cross_fit;
mod standing;

use crate::ingest::{TrialDays, TrialSearch};
use crate::model::Day;
use crate::study::evidence::{CrossFitted, edge_p};
use crate::validate::assessment::{Assessment, SampleSize, assess_candidate, assess_edge, assess_switch};
use crate::validate::bootstrap::BlockDraws;
use crate::validate::grid::{CrossValidation, TestPlan};
use crate::validate::normal::cdf;
use crate::validate::pair::{SharpeDifference, sharpe_difference};
use crate::validate::sharpe::{DAYS_PER_YEAR, Moments, equivalent_trials};
use crate::validate::surface::SurfacePlan;

use columns::ComparedTrials;
pub use standing::HalfStanding;

/// Replicates of the test, and the seed of their draws.
const REPLICATES: usize = 999;
const SEED: u64 = 20_240_611;

/// Where a trial stands: index of its search, and within it.
pub type TrialPlace = (usize, usize);

/// What is asked of trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgeQuestion {
    /// Days beside a fold that a position may reach across; they choose nothing.
    pub purge_days: usize,
    /// Parameter sets that could have been tried; `None` where only those tried count.
    pub space_size: Option<u64>,
    /// The trial that is in use.
    pub incumbent: Option<TrialPlace>,
}

impl Default for JudgeQuestion {
    fn default() -> Self {
        Self { purge_days: 1, space_size: None, incumbent: None }
    }
}

/// A trial with its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialFigures {
    /// Which one.
    pub place: TrialPlace,
    /// Its name within its search.
    pub name: String,
    /// Days with a return.
    pub active_days: usize,
    /// Trades, where the search says it.
    pub trades: Option<u64>,
    /// What the search minimised.
    pub loss: Option<f64>,
    /// Sharpe ratio of a year, over the days of its search.
    pub sharpe_year: Option<f64>,
    /// Place by Sharpe ratio among those tested on the same days, from 1; `None` for one that was not.
    pub rank: Option<usize>,
}

/// A trial in use against the rule of choice.
#[derive(Debug, Clone, PartialEq)]
pub struct IncumbentFigures {
    /// The trial.
    pub trial: TrialFigures,
    /// Sharpe ratio per day of the best trial less its own, on all days; `None` where it is the best.
    pub difference: Option<SharpeDifference>,
    /// Probability that choosing is no better than it on days that had no say.
    pub p: Option<f64>,
}

/// What was found of trials.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedTrials {
    /// Days that most trials have in common: the first, and the day after the last.
    pub days: (Day, Day),
    /// Trials with day returns.
    pub trials: usize,
    /// Trials of other days.
    pub other_days: usize,
    /// Trials with returns on enough days to be tested, of other days too.
    pub tested: usize,
    /// Days with a return that it takes.
    pub active_min: usize,
    /// Everything that was tried: trials with day returns and those that gave up before they had some.
    pub tries: u64,
    /// How much there is to judge: of the busiest trial.
    pub sample: SampleSize,
    /// The best trial by Sharpe ratio, of those tested on the common days.
    pub best: Option<TrialFigures>,
    /// The best by what the search minimised.
    pub best_by_loss: Option<TrialFigures>,
    /// Probability that noise over everything tried does as well as the trials together, and as choosing did on days that had no say.
    pub p: Option<f64>,
    /// The same of the trials together alone.
    pub p_surface: Option<f64>,
    /// The same over everything that could have been tried.
    pub p_space: Option<f64>,
    /// Largest yearly Sharpe ratio of a trial, and the largest that noise over all trials reaches on average.
    pub surface_sharpe_year: Option<f64>,
    /// See there.
    pub luck_sharpe_year: Option<f64>,
    /// Probability that the best trial's true Sharpe ratio is positive, before counting what was tried.
    pub probabilistic_sharpe: Option<f64>,
    /// Probability that it exceeds what noise reaches.
    pub deflated_sharpe: Option<f64>,
    /// Independent tries that would be as lucky.
    pub equivalent_trials: Option<f64>,
    /// What choosing the best earned on days that had no say.
    pub cross_fit: Option<CrossFitted>,
    /// What the best of half of the days does on the other half, over all such halves.
    pub cross_validation: Option<CrossValidation>,
    /// Where the best of the first half stands on the second, and the other way about.
    pub halves: Option<[HalfStanding; 2]>,
    /// The trial in use.
    pub incumbent: Option<IncumbentFigures>,
    /// Is there anything here at all?
    pub edge: Assessment,
    /// Does the choice of the best share in it?
    pub candidate: Assessment,
    /// Is it better than the trial in use? `None` where none is named, or it is the best.
    pub switch: Option<Assessment>,
}

impl JudgedTrials {
    /// Returns the Sharpe ratio of a year that is expected of the best trial; never more than its own.
    pub fn expected_sharpe_year(&self) -> Option<f64> {
        Some(self.cross_fit?.sharpe_year.min(self.best.as_ref()?.sharpe_year?))
    }

    /// Returns the probability that the word of EDGE rests on: the greater one.
    pub fn p_of_edge(&self) -> Option<f64> {
        self.p_space.or(self.p)
    }
}

/// Returns what is to be said of searches, each with at least one trial.
///
/// Shape:     what is asked names a place of these searches; the incumbent is of the common days
/// Causality: see the module
/// Cost:      replicates times trials times days over the mean block length, in parallel
pub fn judge_trials(searches: &[TrialSearch], question: &JudgeQuestion) -> JudgedTrials {
    let compared = ComparedTrials::new(searches);
    let sample = compared.sample();
    let days = compared.days();
    let plan = TestPlan {
        replicates: 0,
        active_min: compared.active_min,
        ..TestPlan::new(days, question.purge_days)
    };
    let by_rank = compared.by_sharpe();
    let figures = |place: TrialPlace| figures_of(searches, place, &by_rank);
    let pruned: u64 = searches.iter().map(|search| search.pruned).sum();
    let mut judged = JudgedTrials {
        days: (compared.first, Day(compared.first.0 + days as i32)),
        trials: compared.all.len(),
        other_days: compared.all.len() - compared.common.len(),
        tested: compared.tested(),
        active_min: compared.active_min,
        tries: compared.all.len() as u64 + pruned,
        sample,
        best: by_rank.first().map(|(place, _)| figures(*place)),
        best_by_loss: compared.best_by_loss().map(figures),
        p: None,
        p_surface: None,
        p_space: None,
        surface_sharpe_year: None,
        luck_sharpe_year: None,
        probabilistic_sharpe: None,
        deflated_sharpe: None,
        equivalent_trials: None,
        cross_fit: None,
        cross_validation: None,
        halves: None,
        incumbent: question.incumbent.map(|place| IncumbentFigures {
            trial: figures(place),
            difference: None,
            p: None,
        }),
        edge: assess_edge(sample, None, None),
        candidate: assess_candidate(sample, None),
        switch: None,
    };
    if sample.is_enough() {
        compare_choices(&mut judged, searches, &compared, &plan, question);
        test_for_luck(&mut judged, &compared, &plan, question);
    }
    conclude(&mut judged, question);
    judged
}

/// Tests all trials at once.
fn test_for_luck(
    judged: &mut JudgedTrials,
    compared: &ComparedTrials<'_>,
    plan: &TestPlan,
    question: &JudgeQuestion,
) {
    let (first, days) = compared.all_days();
    let surface = compared.test(&SurfacePlan {
        first_day: first.0,
        days,
        replicates: REPLICATES,
        mean_block: plan.mean_block,
        seed: SEED,
    });
    let p = edge_p(surface.p(), judged.cross_fit);
    let known = judged.trials as f64;
    let among = |p: Option<f64>, tries: u64| p.map(|p| (p * (tries as f64 / known).max(1.0)).min(1.0));
    judged.p = among(p, judged.tries);
    judged.p_surface = among(surface.p(), judged.tries);
    judged.p_space = question.space_size.and_then(|size| among(p, size.max(judged.tries)));
    // As ratios of the common days.
    let (root, year) = ((compared.days() as f64).sqrt(), DAYS_PER_YEAR.sqrt());
    judged.surface_sharpe_year = surface.largest().map(|(t, _)| t / root * year);
    let best = compared.by_sharpe().first().and_then(|(place, _)| Moments::of(compared.returns(*place)));
    judged.probabilistic_sharpe = best.and_then(|moments| moments.probabilistic_sharpe(0.0));
    if let Some(luck) = surface.lucky_t().map(|t| t / root) {
        judged.luck_sharpe_year = Some(luck * year);
        judged.deflated_sharpe = best.and_then(|moments| moments.probabilistic_sharpe(luck));
        judged.equivalent_trials = Some(equivalent_trials(luck, compared.days()));
    }
}

/// Looks at what choosing the best is worth, and at the trial in use.
fn compare_choices(
    judged: &mut JudgedTrials,
    searches: &[TrialSearch],
    compared: &ComparedTrials<'_>,
    plan: &TestPlan,
    question: &JudgeQuestion,
) {
    let columns = compared.tested_columns();
    judged.cross_validation = standing::cross_validate(&columns, plan);
    judged.halves = standing::stand_on_halves(&columns);
    let fit = cross_fit::cross_fit(&columns, question.purge_days);
    judged.cross_fit =
        fit.as_ref().and_then(|fit| CrossFitted::of(fit, &BlockDraws::new(fit.days.len(), plan.mean_block)));
    let Some(incumbent) = &mut judged.incumbent else { return };
    let own = returns_at(searches, incumbent.trial.place).returns.as_slice();
    let best = judged.best.as_ref().map(|best| best.place).filter(|place| *place != incumbent.trial.place);
    let lags = plan.mean_block as usize;
    incumbent.difference = best.and_then(|best| sharpe_difference(compared.returns(best), own, lags));
    let factor = judged.tries.max(question.space_size.unwrap_or(0)) as f64 / judged.trials as f64;
    incumbent.p = best.and(fit).filter(|fit| fit.days.len() == own.len()).and_then(|fit| {
        let found = sharpe_difference(&fit.days, own, lags)?;
        Some((cdf(-found.t) * factor).min(1.0))
    });
}

fn conclude(judged: &mut JudgedTrials, question: &JudgeQuestion) {
    let t = judged.cross_fit.map(|fit| fit.t);
    judged.edge = assess_edge(judged.sample, judged.p_of_edge(), t);
    let own = judged.best.as_ref().map_or_else(SampleSize::default, |best| SampleSize {
        days: judged.sample.days,
        active_days: best.active_days,
        trades: best.trades.unwrap_or(best.active_days as u64),
    });
    judged.candidate = assess_candidate(own, t);
    let is_best = question.incumbent == judged.best.as_ref().map(|best| best.place);
    judged.switch =
        judged.incumbent.as_ref().filter(|_| !is_best).map(|incumbent| assess_switch(own, incumbent.p));
}

fn returns_at(searches: &[TrialSearch], (search, trial): TrialPlace) -> &TrialDays {
    &searches[search].trials[trial]
}

fn figures_of(searches: &[TrialSearch], place: TrialPlace, by_rank: &[(TrialPlace, f64)]) -> TrialFigures {
    let trial = returns_at(searches, place);
    let moments = Moments::of(&trial.returns);
    TrialFigures {
        place,
        name: trial.name.clone(),
        active_days: trial.active_days(),
        trades: trial.trades,
        loss: trial.loss,
        sharpe_year: moments.map(|moments| moments.sharpe() * DAYS_PER_YEAR.sqrt()),
        rank: by_rank.iter().position(|(known, _)| *known == place).map(|at| at + 1),
    }
}

#[cfg(test)]
mod tests;

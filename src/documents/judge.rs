//! What was found of the trials of another optimizer.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::evidence::AssessmentPart;
use crate::ingest::TrialSearch;
use crate::judge::{HalfStanding, IncumbentFigures, JudgeQuestion, JudgedTrials, TrialFigures};
use crate::model::Day;
use crate::validate::answer::{one_digit, p_text, simulations_text};
use crate::validate::assessment::{Assessment, Assurance, SampleSize};
use crate::validate::sharpe::DAYS_PER_YEAR;

/// The answer to whether the best of all trials is more than the luckiest of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JudgeDocument {
    /// The searches, in the order given.
    pub searches: Vec<JudgedSearchPart>,
    /// First day that most trials have in common.
    pub first_day: String,
    /// Last of these days.
    pub last_day: String,
    /// How many they are.
    pub days: u64,
    /// Trials with day returns.
    pub trials: u64,
    /// Those of other days: they share in EDGE and in nothing else.
    pub trials_of_other_days: u64,
    /// Trials with returns on days enough to be tested.
    pub tested: u64,
    /// Days with a return that it takes.
    pub active_days_min: u64,
    /// Everything that was tried: trials with day returns, and those that gave up before.
    pub tries: u64,
    /// Parameter sets that could have been tried, where it was said.
    pub space_size: Option<u64>,
    /// Days beside those that judge which choose nothing.
    pub purge_days: u64,
    /// Is there anything in all trials together?
    pub edge: AssessmentPart,
    /// Does the choice of the best share in it?
    pub candidate: AssessmentPart,
    /// Is that better than the trial in use? Null where none is named, or it is the best.
    pub switch: Option<AssessmentPart>,
    /// The trial with the highest Sharpe ratio, of those tested on the common days.
    pub best: Option<JudgedTrialPart>,
    /// The trial that the search itself calls the best: of the least loss.
    pub best_by_loss: Option<JudgedTrialPart>,
    /// The trial in use.
    pub incumbent: Option<JudgedIncumbentPart>,
    /// Probability that noise over everything tried does as well as the trials together, and as choosing did on days that had no say.
    pub p_edge: Option<f64>,
    /// The same of the trials together alone.
    pub p_surface: Option<f64>,
    /// `p_edge` over everything that could have been tried.
    pub p_edge_space: Option<f64>,
    /// Largest Sharpe ratio of a year of a tested trial.
    pub largest_sharpe_year: Option<f64>,
    /// The largest that noise over all tested trials reaches on average.
    pub luck_sharpe_year: Option<f64>,
    /// Independent tries that would be as lucky.
    pub equivalent_trials: Option<f64>,
    /// Probability that the true Sharpe ratio of the best is positive, before counting what was tried.
    pub probabilistic_sharpe: Option<f64>,
    /// Probability that it exceeds what noise reaches.
    pub deflated_sharpe: Option<f64>,
    /// Sharpe ratio of a year that is expected of the best after selection; never more than its own.
    pub expected_sharpe_year: Option<f64>,
    /// Choosing the best without a fold of the days, and earning on it.
    pub cross_fit: Option<JudgedCrossFitPart>,
    /// Probability of overfitting: share of the halves of the days whose best trial is in the lower half on the other days.
    pub overfit_probability: Option<f64>,
    /// Share of these halves whose best trial loses on the other days.
    pub loss_probability: Option<f64>,
    /// Where the best of the first half of the days stands on the second, and the other way about; empty where nothing was compared.
    pub halves: Vec<JudgedHalfPart>,
}

impl Document for JudgeDocument {
    const KIND: &'static str = "judge";
}

/// A file of trials.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JudgedSearchPart {
    /// The file.
    pub file: String,
    /// What it was read as: `freqtrade`, `long` or `optuna`.
    pub format: String,
    /// The strategy, where the file says it.
    pub strategy: Option<String>,
    /// Trials with day returns.
    pub trials: u64,
    /// Trials that gave up before they had some; they count as tries.
    pub pruned: u64,
    /// Trials that failed or never ended; they count for nothing.
    pub unfinished: u64,
    /// Whether its last line was cut, and left out.
    pub cut: bool,
    /// Cells of returns with nothing in them, taken for days without a trade.
    pub empty_cells: u64,
}

/// A trial.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JudgedTrialPart {
    /// Index of its search, from 0.
    pub search: u64,
    /// Its name there: the number of an epoch or trial.
    pub trial: String,
    /// Days with a return.
    pub active_days: u64,
    /// Trades, where the search says it.
    pub trades: Option<u64>,
    /// What the search minimised, where it says it.
    pub loss: Option<f64>,
    /// Sharpe ratio of a year, in sample.
    pub sharpe_year: Option<f64>,
    /// Place by Sharpe ratio among the tested trials of the common days, from 1; null for one that was not tested.
    pub rank: Option<u64>,
}

/// The trial in use.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JudgedIncumbentPart {
    /// Which one.
    pub trial: JudgedTrialPart,
    /// Sharpe ratio of a year of the best trial less its own, in sample.
    pub sharpe_difference_year: Option<f64>,
    /// Probability that choosing is no better than it on days that had no say.
    pub p_switch: Option<f64>,
}

/// Choosing the best without a fold of the days.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JudgedCrossFitPart {
    /// Folds.
    pub folds: u64,
    /// Sharpe ratio of a year, of what the choices earned on the folds.
    pub sharpe_year: f64,
    /// Lower end of its 90 % interval.
    pub low_year: f64,
    /// Upper end.
    pub high_year: f64,
    /// t statistic of what they earned.
    pub t: f64,
    /// Share of the folds that earned.
    pub earning: f64,
    /// Distinct trials among the choices.
    pub distinct: u64,
}

/// The best trial of one half of the days on the other.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JudgedHalfPart {
    /// `first` or `second`: the half that chose.
    pub chosen_on: String,
    /// Sharpe ratio of a year there.
    pub inside_year: f64,
    /// Sharpe ratio of a year on the other half.
    pub outside_year: f64,
    /// Its place on the other half, from 1.
    pub rank: u64,
    /// Trials that were compared.
    pub of: u64,
}

impl JudgeDocument {
    /// Returns the document of what was found of some searches.
    pub fn new(searches: &[TrialSearch], question: &JudgeQuestion, judged: &JudgedTrials) -> Self {
        let says = Sentences { judged, question };
        let (first, end) = judged.days;
        let fit = judged.cross_fit.map(|fit| JudgedCrossFitPart {
            folds: fit.folds,
            sharpe_year: fit.sharpe_year,
            low_year: fit.low_year,
            high_year: fit.high_year,
            t: fit.t,
            earning: fit.earning,
            distinct: fit.distinct,
        });
        Self {
            searches: searches.iter().map(JudgedSearchPart::from).collect(),
            first_day: first.to_string(),
            last_day: Day(end.0 - 1).to_string(),
            days: judged.sample.days as u64,
            trials: judged.trials as u64,
            trials_of_other_days: judged.other_days as u64,
            tested: judged.tested as u64,
            active_days_min: judged.active_min as u64,
            tries: judged.tries,
            space_size: question.space_size,
            purge_days: question.purge_days as u64,
            edge: AssessmentPart::new(&judged.edge, says.edge()),
            candidate: AssessmentPart::new(&judged.candidate, says.candidate()),
            switch: judged.switch.as_ref().map(|found| AssessmentPart::new(found, says.switch(found))),
            best: judged.best.as_ref().map(JudgedTrialPart::from),
            best_by_loss: judged.best_by_loss.as_ref().map(JudgedTrialPart::from),
            incumbent: judged.incumbent.as_ref().map(JudgedIncumbentPart::from),
            p_edge: judged.p,
            p_surface: judged.p_surface,
            p_edge_space: judged.p_space,
            largest_sharpe_year: judged.surface_sharpe_year,
            luck_sharpe_year: judged.luck_sharpe_year,
            equivalent_trials: judged.equivalent_trials,
            probabilistic_sharpe: judged.probabilistic_sharpe,
            deflated_sharpe: judged.deflated_sharpe,
            expected_sharpe_year: judged.expected_sharpe_year(),
            cross_fit: fit,
            overfit_probability: judged.cross_validation.map(|found| found.overfit),
            loss_probability: judged.cross_validation.map(|found| found.p_loss),
            halves: judged
                .halves
                .iter()
                .flatten()
                .zip(["first", "second"])
                .map(JudgedHalfPart::from)
                .collect(),
        }
    }

    /// Returns a trial as it is named: with its file where there are several.
    pub fn named(&self, trial: &JudgedTrialPart) -> String {
        match self.searches.get(trial.search as usize) {
            Some(search) if self.searches.len() > 1 => format!("{} of {}", trial.trial, search.file),
            _ => trial.trial.clone(),
        }
    }
}

impl From<&TrialSearch> for JudgedSearchPart {
    fn from(search: &TrialSearch) -> Self {
        Self {
            file: search.path.display().to_string(),
            format: search.format.as_str().to_owned(),
            strategy: search.strategy.clone(),
            trials: search.trials.len() as u64,
            pruned: search.pruned,
            unfinished: search.unfinished,
            cut: search.cut,
            empty_cells: search.empty_cells,
        }
    }
}

impl From<&TrialFigures> for JudgedTrialPart {
    fn from(figures: &TrialFigures) -> Self {
        Self {
            search: figures.place.0 as u64,
            trial: figures.name.clone(),
            active_days: figures.active_days as u64,
            trades: figures.trades,
            loss: figures.loss,
            sharpe_year: figures.sharpe_year,
            rank: figures.rank.map(|rank| rank as u64),
        }
    }
}

impl From<&IncumbentFigures> for JudgedIncumbentPart {
    fn from(figures: &IncumbentFigures) -> Self {
        Self {
            trial: JudgedTrialPart::from(&figures.trial),
            sharpe_difference_year: figures.difference.map(|found| found.difference * DAYS_PER_YEAR.sqrt()),
            p_switch: figures.p,
        }
    }
}

impl From<(&HalfStanding, &str)> for JudgedHalfPart {
    fn from((standing, chosen_on): (&HalfStanding, &str)) -> Self {
        Self {
            chosen_on: chosen_on.to_owned(),
            inside_year: standing.inside_year,
            outside_year: standing.outside_year,
            rank: standing.rank as u64,
            of: standing.of as u64,
        }
    }
}

/// The answers in words.
struct Sentences<'a> {
    judged: &'a JudgedTrials,
    question: &'a JudgeQuestion,
}

impl Sentences<'_> {
    fn edge(&self) -> String {
        let judged = self.judged;
        let Some(p) = judged.p else { return self.unsaid(&judged.edge, judged.sample) };
        let simulations = simulations_text(judged.p_surface.unwrap_or(p));
        let (tries, over_tries) = (judged.tries, p_text(p));
        let mut said = match self.question.space_size.zip(judged.p_space) {
            Some((size, p)) => {
                format!("p = {} over a space of {size} sets ({over_tries} after {tries} tries): ", p_text(p))
            }
            None => format!("p = {over_tries}: after {tries} tries, "),
        };
        said += &format!("noise did at least as well as the trials together in {simulations}");
        if let Some((best, luck)) = judged.surface_sharpe_year.zip(judged.luck_sharpe_year) {
            let (best, luck) = (one_digit(best), one_digit(luck));
            said += &format!(
                "; the best trial has a yearly Sharpe ratio of {best}, noise reaches {luck} on average"
            );
        }
        said
    }

    fn candidate(&self) -> String {
        let judged = self.judged;
        let own = judged.best.as_ref().and_then(|best| best.sharpe_year);
        let Some(((fit, own), expected)) = judged.cross_fit.zip(own).zip(judged.expected_sharpe_year())
        else {
            return self.unsaid(&judged.candidate, self.sample_of_best());
        };
        format!(
            "expected Sharpe after selection {} per year, 90 % between {} and {} (in-sample {}); choosing the best trial without a fifth of \
             the days earned on it in {:.0} of {} folds",
            one_digit(expected),
            one_digit(fit.low_year),
            one_digit(fit.high_year),
            one_digit(own),
            fit.earning * fit.folds as f64,
            fit.folds
        )
    }

    fn switch(&self, assessment: &Assessment) -> String {
        let known = self.judged.incumbent.as_ref().and_then(|incumbent| Some((incumbent, incumbent.p?)));
        let Some((incumbent, p)) = known else { return self.unsaid(assessment, self.sample_of_best()) };
        let difference = incumbent.difference.map_or_else(String::new, |found| {
            format!("; in-sample yearly Sharpe {:+.1} against it", found.difference * DAYS_PER_YEAR.sqrt())
        });
        format!(
            "p = {} that choosing is no better than trial {} on days it did not know{difference}",
            p_text(p),
            incumbent.trial.name
        )
    }

    fn sample_of_best(&self) -> SampleSize {
        let best = self.judged.best.as_ref();
        let active_days = best.map_or(0, |best| best.active_days);
        let trades = best.map_or(0, |best| best.trades.unwrap_or(best.active_days as u64));
        SampleSize { days: self.judged.sample.days, active_days, trades }
    }

    /// Returns why nothing can be said.
    fn unsaid(&self, assessment: &Assessment, sample: SampleSize) -> String {
        match assessment.assurance {
            Assurance::NotEnoughData => format!(
                "{} days, {} of them with trades, {} trades: 60, 40 and 100 are needed to say anything",
                sample.days, sample.active_days, sample.trades
            ),
            _ if self.judged.tested == 0 => "no trial trades on enough days to be tested".to_owned(),
            _ => "its returns do not vary enough, or on too few days, to be tested".to_owned(),
        }
    }
}

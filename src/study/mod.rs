//! The study of one style: search, and what the first and the last days say of the choice.

pub mod assembly;
pub mod captures;
mod choice;
pub mod cross_fit;
pub mod evidence;
pub mod figures;
pub mod named;
pub mod per_symbol;
pub mod portfolio;
pub mod regimes;
pub mod series;
pub mod surface;
pub(crate) mod weights;

use std::ops::Range;

use crate::engine::plan::{Plan, StylePlan};
use crate::evaluate::metrics::{Circumstances, Measure, Metrics, derive_metrics, trade_precision};
use crate::evaluate::outcome_table::{OutcomeTable, Window};
use crate::evaluate::replay::{Pick, Tally, replay_set};
use crate::model::{Day, ParameterSet};
use crate::search::rank::{Importance, Objective, Surface, Trial, rank_scored};
use crate::study::choice::{Choice, score_choices};
use crate::study::cross_fit::{Chooser, CrossFit, Refits, Walk};
use crate::validate::split::{Split, split_days};
use crate::validate::verdict::{Judgement, TradeMinimums, VerdictReason, judge_candidate};

/// A parameter set measured on every part of the book.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Measured {
    /// The set.
    pub set: ParameterSet,
    /// Its score on the days of the choice, where it has one.
    pub score: Option<f64>,
    /// Its score out of sample, where it has one.
    pub late_score: Option<f64>,
    /// Metrics on all days.
    pub full: Metrics,
    /// Metrics in sample.
    pub early: Metrics,
    /// Metrics out of sample.
    pub late: Metrics,
}

/// The result of a study.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Study {
    /// Days of the book.
    pub days: Range<Day>,
    /// The parts, or `None` when there are too few days for two.
    pub split: Option<Split>,
    /// Parameter sets evaluated.
    pub sets: usize,
    /// Parameter sets of the space that was asked for; more than those evaluated where it is beyond the budget.
    pub asked: u64,
    /// Parameter sets with a score on the days of the choice.
    pub rated: usize,
    /// The best sets by that score and their rank, best first.
    pub top: Vec<Measured>,
    /// The active parameters, measured on the same days, if the space holds them.
    pub incumbent: Option<Measured>,
    /// Judgement of the best set.
    pub judgement: Judgement,
    /// What each axis contributes to the score.
    pub importances: Vec<Importance>,
    /// Mean scores over pairs of axes.
    pub surfaces: Vec<Surface>,
    /// All signals of the book under the middle exit rule, without a filter.
    pub baseline: Metrics,
    /// What the rule of choice earned on days it did not know; `None` without tests, or with too few days.
    pub cross_fit: Option<CrossFit>,
    /// The same, choosing on the past only.
    pub walk: Option<Walk>,
}

/// What sets are measured on: the plan of their score weights, and the book under these.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EvaluationContext<'a> {
    pub style: &'a StylePlan,
    pub book: &'a OutcomeTable,
}

impl EvaluationContext<'_> {
    /// Returns whether it is the same as another.
    pub fn is(&self, other: &EvaluationContext<'_>) -> bool {
        std::ptr::eq(self.book, other.book)
    }
}

/// Studies one style; the active parameters may stand on a ground of their own.
///
/// Causality: where the decision rests on the out-of-sample part (`decide.require = "stable"`), nothing of it, nor of the purged
/// days, reaches the selection; elsewhere all days choose, and what the choice is worth is cross-fitted
pub fn study_parameters(
    ground: EvaluationContext<'_>,
    theirs: EvaluationContext<'_>,
    days: Range<Day>,
    plan: &Plan,
    incumbent: Option<&ParameterSet>,
) -> Study {
    let EvaluationContext { style, book } = ground;
    let split = split_days(days.clone(), plan.search.early_share, style.horizon_days(plan.interval));
    let parts = MeasuredParts::new(book, days.clone(), split.as_ref());
    let measure = Measurer { style, plan };
    let place = incumbent.and_then(|set| theirs.style.space.find(set));
    let reach = place.zip(plan.search.max_step);
    let reach = reach.map(|((rule, cell), steps)| style.space.within(rule, cell, steps));
    let chosen_on = &parts.chosen_on(plan).window;
    let objective = Objective { reach, ..measure.objective(chosen_on, plan.search.ranked_trades_min()) };
    let choice = Choice { objective, left_out: days.start..days.start };
    // Where all days choose, one sweep gives the scores of this choice and of those that are made again.
    let also = plan.search.chooses_on_all_days().then_some(&choice);
    let (scores, refits) = match plan.search.quick {
        true => (None, Refits { cross_fit: None, walk: None }),
        false => Chooser::new(ground, plan, days.clone()).choose_again(also),
    };
    let scores = scores.or_else(|| score_choices(chosen_on, std::slice::from_ref(&choice)).pop());
    let scores = scores.expect("the scores of the choice");
    let objective = choice.objective;
    let ranking = rank_scored(scores.into_grid(), &style.space, &objective, plan.search.top);
    let top: Vec<Measured> =
        ranking.top.iter().map(|trial| measure.trial(trial, &objective, &parts)).collect();
    let incumbent = place.map(|(rule, cell)| match theirs.is(&ground) {
        true => measure.set(rule, cell, &parts).0,
        false => {
            let parts = MeasuredParts::new(theirs.book, days.clone(), split.as_ref());
            Measurer { style: theirs.style, plan }.set(rule, cell, &parts).0
        }
    });
    let judgement = match ranking.top.first() {
        Some(best) => {
            let (_, early, late) = measure.set(best.rule, best.cell, &parts);
            let incumbent_late = incumbent.as_ref().and_then(|i| i.late.expectancy_pct.ok());
            let evidence = TradeMinimums {
                early_trades_min: plan.search.trades_min,
                late_trades_min: plan.search.late_trades_min,
            };
            judge_candidate(&early.point, &late.point, incumbent_late, evidence)
        }
        None => no_candidate(
            split.is_some() || plan.search.chooses_on_all_days(),
            plan.search.ranked_trades_min(),
        ),
    };
    let middle = Pick { rule: style.space.rules().len() / 2, levels: None };
    let baseline = parts.full.metrics(&replay_set(&parts.full.window, middle), plan);
    Study {
        days,
        split,
        sets: style.space.sets(),
        asked: u64::try_from(style.asked().0).unwrap_or(u64::MAX),
        rated: ranking.rated,
        top,
        incumbent,
        judgement,
        importances: ranking.importances,
        surfaces: ranking.surfaces,
        baseline,
        cross_fit: refits.cross_fit,
        walk: refits.walk,
    }
}

fn no_candidate(has_split: bool, trades_min: u32) -> Judgement {
    let reason = match has_split {
        true => VerdictReason::NoSetMeetsConstraints { trades_min },
        false => VerdictReason::TooFewDays,
    };
    Judgement {
        verdict: crate::validate::verdict::Verdict::Skipped,
        stability: None,
        degradation: None,
        win_rate_ratio: None,
        reasons: vec![reason],
    }
}

/// A part of the book with what all its metrics share.
pub(crate) struct MeasuredPart<'a> {
    pub(crate) window: Window<'a>,
    /// Precision of taking every signal; the same for every exit rule.
    base_precision: Measure,
}

impl<'a> MeasuredPart<'a> {
    fn new(book: &'a OutcomeTable, days: Range<Day>) -> Self {
        let window = book.window(days);
        let base_precision = trade_precision(&replay_set(&window, Pick { rule: 0, levels: None }));
        Self { window, base_precision }
    }

    fn metrics(&self, tally: &Tally, plan: &Plan) -> Metrics {
        derive_metrics(tally, self.base_precision, &self.window, plan.interval.hours())
    }
}

pub(crate) struct MeasuredParts<'a> {
    full: MeasuredPart<'a>,
    pub(crate) early: MeasuredPart<'a>,
    late: MeasuredPart<'a>,
}

impl MeasuredParts<'_> {
    /// Returns the part that sets are chosen on.
    pub(crate) fn chosen_on(&self, plan: &Plan) -> &MeasuredPart<'_> {
        if plan.search.chooses_on_all_days() { &self.full } else { &self.early }
    }
}

impl<'a> MeasuredParts<'a> {
    /// Cuts a book; without a split both parts are empty.
    pub(crate) fn new(book: &'a OutcomeTable, days: Range<Day>, split: Option<&Split>) -> Self {
        let empty = days.start..days.start;
        let (early, late) = split.map_or((empty.clone(), empty), |s| (s.early.clone(), s.late.clone()));
        Self {
            full: MeasuredPart::new(book, days),
            early: MeasuredPart::new(book, early),
            late: MeasuredPart::new(book, late),
        }
    }
}

/// Measures parameter sets of a style on the parts of a book.
pub(crate) struct Measurer<'a> {
    pub(crate) style: &'a StylePlan,
    pub(crate) plan: &'a Plan,
}

impl<'a> Measurer<'a> {
    pub(crate) fn objective(&self, window: &Window<'_>, trades_min: u32) -> Objective<'a> {
        Objective {
            score: self.plan.search.score,
            by: self.plan.search.rank,
            constraints: &self.plan.search.constraints,
            around: Circumstances {
                candidates: window.candidates,
                days: window.day_count(),
                trades_min,
                position_ratio: self.plan.search.position_ratio,
            },
            reach: None,
        }
    }

    fn trial(&self, trial: &Trial, objective: &Objective<'_>, parts: &MeasuredParts<'_>) -> Measured {
        let (measured, _, _) = self.set(trial.rule, trial.cell, parts);
        let levels = self.style.space.lattice().levels(trial.cell);
        let pick = Pick { rule: trial.rule, levels: Some(&levels) };
        let tally = replay_set(&parts.chosen_on(self.plan).window, pick);
        let agrees = objective.rate(&tally.point) == Some(trial.score) && tally.point.trades == trial.trades;
        assert!(agrees, "the sweep agrees with the replay of its finalists");
        measured
    }

    /// Replays one set on all parts; returns its early and late tallies as well.
    pub(crate) fn set(
        &self,
        rule: usize,
        cell: usize,
        parts: &MeasuredParts<'_>,
    ) -> (Measured, Tally, Tally) {
        let levels = self.style.space.lattice().levels(cell);
        let pick = Pick { rule, levels: Some(&levels) };
        let tally = |part: &MeasuredPart<'_>| replay_set(&part.window, pick);
        let (full, early, late) = (tally(&parts.full), tally(&parts.early), tally(&parts.late));
        let search = &self.plan.search;
        let measured = Measured {
            set: self.style.space.set(rule, cell),
            score: match search.chooses_on_all_days() {
                true => self.objective(&parts.full.window, search.ranked_trades_min()).rate(&full.point),
                false => self.objective(&parts.early.window, search.trades_min).rate(&early.point),
            },
            late_score: self.objective(&parts.late.window, search.late_trades_min).rate(&late.point),
            full: parts.full.metrics(&full, self.plan),
            early: parts.early.metrics(&early, self.plan),
            late: parts.late.metrics(&late, self.plan),
        };
        (measured, early, late)
    }
}

#[cfg(test)]
mod evidence_tests;

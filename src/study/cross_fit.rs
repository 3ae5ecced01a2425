//! What the rule of choice is worth: choosing again without some of the days, and earning on them.
//!
//! *Cross-fit*: the days are cut into folds; for each the rule that really chooses (score, ranking, constraints) chooses on all other
//! days, those a label reaches across left out, and earns on the fold. Every day is used once, by a set that was chosen without it.
//! *Walk-forward*: the same with the days before the fold only.
//!
//! Causality: no day of a fold reaches the choice that earns on it
//! Source:    the project's statistics notes 2, sections 1 to 3

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::choice::{Choice, ChoiceScores, score_choices};
use super::{EvaluationContext, Measurer};
use crate::engine::plan::Plan;
use crate::evaluate::outcome_table::{OutcomeTable, Window};
use crate::evaluate::replay::{Pick, replay_set};
use crate::evaluate::sweep::sweep_window;
use crate::model::Day;
use crate::search::rank::{ConstrainedMetric, Objective, Ranker, Trial, rank_sets};

/// Folds of a cross-fit.
const FOLDS: usize = 5;
/// Folds that a walk leaves to its first choice.
const WALK_FROM: usize = 2;
/// Fewest days of a fold.
const FOLD_DAYS_MIN: usize = 10;

/// What choosing earned on days that it did not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossFit {
    /// Choices made without a fold.
    pub folds: usize,
    /// How many of them earned on it.
    pub earning: usize,
    /// Distinct sets among them.
    pub distinct: usize,
    /// The day returns of all folds in the order of days, in standard deviations of what each choice was chosen on.
    pub days: Vec<f64>,
}

/// What choosing on the past earned afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Walk {
    /// Choices made.
    pub choices: usize,
    /// How many of them earned.
    pub earning: usize,
    /// Sharpe ratio per day that the choices had on what they were chosen on, on average.
    pub promised: f64,
    /// The day returns afterwards, in standard deviations of what each choice was chosen on.
    pub days: Vec<f64>,
}

/// What choosing again came to.
#[derive(Debug, PartialEq)]
pub(super) struct Refits {
    /// Without each fold; `None` with too few days, or where a fold has no choice.
    pub(super) cross_fit: Option<CrossFit>,
    /// By the days before each fold only, from the third on.
    pub(super) walk: Option<Walk>,
}

/// Days that a choice earns on, which was made without them.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    pub(super) days: Range<Day>,
    /// The days that do not choose: its own, and as many beside them as a label reaches; of a walk all that come later.
    pub(super) left_out: Range<Day>,
}

/// A set that was chosen, with what it earned on the fold.
pub(super) struct FoldChoice {
    place: (usize, usize),
    earned_ppm: i64,
    promised: f64,
    /// Day by day, in standard deviations of the days that chose.
    pub(super) days: Vec<f64>,
}

/// The rule that chooses, on a book.
pub(super) struct Chooser<'a> {
    ground: EvaluationContext<'a>,
    plan: &'a Plan,
    days: Range<Day>,
    /// Days that a label reaches beyond its own.
    gap: i32,
    /// Fewest trades on all days.
    trades_min: u32,
}

impl<'a> Chooser<'a> {
    pub(super) fn new(ground: EvaluationContext<'a>, plan: &'a Plan, days: Range<Day>) -> Self {
        let gap = ground.style.horizon_days(plan.interval);
        Self { ground, plan, days, gap, trades_min: plan.search.ranked_trades_min() }
    }

    /// Returns the same rule on another book, with so many trades asked for.
    pub(super) fn on<'b>(&self, book: &'b OutcomeTable, trades_min: u32) -> Chooser<'b>
    where
        'a: 'b,
    {
        let ground = EvaluationContext { style: self.ground.style, book };
        Chooser { ground, plan: self.plan, days: self.days.clone(), gap: self.gap, trades_min }
    }

    /// Returns all days, with nothing left out.
    pub(super) fn all_days(&self) -> Fold {
        Fold { days: self.days.clone(), left_out: self.days.start..self.days.start }
    }

    /// Returns the days of every fold; none where they are too few.
    fn stretches(&self) -> Vec<Range<Day>> {
        let count = usize::try_from(self.days.end.0 - self.days.start.0).unwrap_or(0);
        let day = |k: usize| Day(self.days.start.0 + (k * count / FOLDS) as i32);
        match count / FOLDS >= FOLD_DAYS_MIN.max(2 * self.gap as usize) {
            true => (0..FOLDS).map(|k| day(k)..day(k + 1)).collect(),
            false => Vec::new(),
        }
    }

    /// Returns the folds of the cross-fit; none where the days are too few.
    pub(super) fn folds(&self) -> Vec<Fold> {
        let to = |days: &Range<Day>| Day(days.end.0 + self.gap).min(self.days.end);
        let fold = |days: Range<Day>| Fold { left_out: self.gap_before(&days)..to(&days), days };
        self.stretches().into_iter().map(fold).collect()
    }

    /// Returns those of the walk: nothing chooses after its fold.
    fn steps(&self) -> Vec<Fold> {
        let step = |days: Range<Day>| Fold { left_out: self.gap_before(&days)..self.days.end, days };
        self.stretches().into_iter().skip(WALK_FROM).map(step).collect()
    }

    fn gap_before(&self, days: &Range<Day>) -> Day {
        Day(days.start.0 - self.gap).max(self.days.start)
    }

    /// Chooses again and again. Returns the scores of one more choice by all days as well, where they come on the way.
    ///
    /// Cost: sums over days are enough for most scores: one sweep gives those of every choice; else each has sweeps of its own
    pub(super) fn choose_again(&self, also: Option<&Choice<'_>>) -> (Option<ChoiceScores>, Refits) {
        let refits: Vec<Fold> = self.folds().into_iter().chain(self.steps()).collect();
        let (scores, trials) = match self.reads_order() {
            true => (None, refits.iter().map(|fold| self.choose_by_order(fold)).collect()),
            false => self.choose_by_sums(&refits, also),
        };
        let earn = |(refit, trial): (&Fold, Option<Trial>)| {
            let Trial { rule, cell, .. } = trial?;
            self.earn((rule, cell), refit)
        };
        let mut choices: Vec<Option<FoldChoice>> = refits.iter().zip(trials).map(earn).collect();
        let walked = choices.split_off(choices.len().min(FOLDS));
        let all = |choices: Vec<Option<FoldChoice>>| {
            choices.into_iter().collect::<Option<Vec<FoldChoice>>>().filter(|choices| !choices.is_empty())
        };
        (scores, Refits { cross_fit: all(choices).map(cross_fit_of), walk: all(walked).map(walk_of) })
    }

    /// Returns whether sums over days are not enough to choose.
    pub(super) fn reads_order(&self) -> bool {
        let search = &self.plan.search;
        let of_order = |metric| metric == ConstrainedMetric::MaxDrawdownPct;
        search.score.reads_order() || search.constraints.iter().any(|constraint| of_order(constraint.metric))
    }

    /// Returns the stretches of days that choose.
    fn known(&self, fold: &Fold) -> [Window<'a>; 2] {
        let stretches = [self.days.start..fold.left_out.start, fold.left_out.end..self.days.end];
        stretches.map(|days| self.ground.book.window(days))
    }

    fn choose_by_order(&self, fold: &Fold) -> Option<Trial> {
        let [before, after] = self.known(fold);
        let sweep = match after.day_count() {
            0 => sweep_window(&before),
            _ => sweep_window(&before).joined(&sweep_window(&after)),
        };
        rank_sets(&sweep, &self.ground.style.space, &self.objective(fold), 1).top.into_iter().next()
    }

    fn choose_by_sums(
        &self,
        refits: &[Fold],
        also: Option<&Choice<'_>>,
    ) -> (Option<ChoiceScores>, Vec<Option<Trial>>) {
        let again = refits.iter().map(|fold| self.choice(fold));
        let choices: Vec<Choice<'_>> = again.chain(also.cloned()).collect();
        let mut scores = self.score(&choices);
        let of_all = scores.split_off(refits.len()).pop();
        let mut ranker = Ranker::new(&self.ground.style.space, self.plan.search.rank);
        let choose = |(scores, choice): (ChoiceScores, &Choice<'_>)| {
            ranker.best(scores.into_grid(), &choice.objective, 1).into_iter().next()
        };
        (of_all, scores.into_iter().zip(&choices).map(choose).collect())
    }

    /// Returns the choice that is made for a fold.
    pub(super) fn choice(&self, fold: &Fold) -> Choice<'a> {
        Choice { objective: self.objective(fold), left_out: fold.left_out.clone() }
    }

    /// Scores every set for every choice; see [`score_choices`].
    pub(super) fn score(&self, choices: &[Choice<'_>]) -> Vec<ChoiceScores> {
        score_choices(&self.ground.book.window(self.days.clone()), choices)
    }

    /// Returns the rule of the plan on the days that choose; as many trades are asked for, day by day, as on all of them.
    fn objective(&self, fold: &Fold) -> Objective<'a> {
        let known = self.known(fold);
        let days: usize = known.iter().map(Window::day_count).sum();
        let all = self.ground.book.window(self.days.clone());
        let asked = u64::from(self.trades_min) * days as u64;
        let trades_min = asked.div_ceil(all.day_count().max(1) as u64) as u32;
        let measure = Measurer { style: self.ground.style, plan: self.plan };
        let mut objective = measure.objective(&all, trades_min);
        objective.around.days = days;
        objective.around.candidates = known.iter().map(|window| window.candidates).sum();
        objective
    }

    /// Returns what a set, chosen for a fold, earned on it; `None` where its returns did not vary on the days that chose.
    pub(super) fn earn(&self, (rule, cell): (usize, usize), fold: &Fold) -> Option<FoldChoice> {
        let levels = self.ground.style.space.lattice().levels(cell);
        let pick = Pick { rule, levels: Some(&levels) };
        let known = self.known(fold);
        let days: usize = known.iter().map(Window::day_count).sum();
        let [before, after] = known.map(|window| replay_set(&window, pick).point);
        let point = before.joined(&after);
        let deviation = point.day_deviation_ppm(days);
        if deviation <= 0.0 {
            return None;
        }
        let window = self.ground.book.window(fold.days.clone());
        let tally = replay_set(&window, pick);
        let mut earned = vec![0.0; window.day_count()];
        for (day, ppm) in &tally.daily_ppm {
            earned[(day.0 - fold.days.start.0) as usize] = *ppm as f64 / deviation;
        }
        Some(FoldChoice {
            place: (rule, cell),
            earned_ppm: tally.point.net_ppm(),
            promised: point.net_ppm() as f64 / days as f64 / deviation,
            days: earned,
        })
    }
}

fn cross_fit_of(choices: Vec<FoldChoice>) -> CrossFit {
    let mut places: Vec<(usize, usize)> = choices.iter().map(|choice| choice.place).collect();
    places.sort_unstable();
    places.dedup();
    CrossFit {
        folds: choices.len(),
        earning: choices.iter().filter(|choice| choice.earned_ppm > 0).count(),
        distinct: places.len(),
        days: choices.into_iter().flat_map(|choice| choice.days).collect(),
    }
}

fn walk_of(choices: Vec<FoldChoice>) -> Walk {
    let count = choices.len();
    Walk {
        choices: count,
        earning: choices.iter().filter(|choice| choice.earned_ppm > 0).count(),
        promised: choices.iter().map(|choice| choice.promised).sum::<f64>() / count as f64,
        days: choices.into_iter().flat_map(|choice| choice.days).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{DayLimits, SearchSettings};
    use crate::evaluate::outcome_table::Entry;
    use crate::evaluate::score::Score;
    use crate::exits::Costs;
    use crate::model::{
        DAY_MS, Direction, ExitReason, HOUR_MS, Interval, Outcome, Outcomes, ReturnPpm, Setup, Style,
    };
    use crate::search::rank::RankBy;
    use crate::search::space::{Bound, Dimension, ExitAxes, number_levels};
    use crate::search::strategy::SpaceAxes;
    use crate::validate::resample::Random;

    const DAYS: i32 = 200;

    fn plan(search: SearchSettings) -> Plan {
        let exits = ExitAxes::new(&[2.0, 3.0, 4.0], &[1.5], &[8.0]);
        let dimension =
            Dimension::new("k", "consensus", Bound::AtLeast, number_levels(&[0.1, 0.2, 0.3, 0.4]))
                .expect("sound");
        let axes = vec![SpaceAxes::new(Style::Swing, exits, vec![dimension])];
        Plan::new(Interval::M15, axes, Costs::default(), search, DayLimits::default()).expect("sound")
    }

    fn book(plan: &Plan) -> OutcomeTable {
        let space = &plan.styles[0].space;
        let mut random = Random::new(8);
        let mut book = OutcomeTable::new(space.lattice().clone(), space.rules().len());
        for trade in 0..i64::from(3 * DAYS) {
            let entry_ms = trade / 3 * DAY_MS + (trade % 3) * 7 * HOUR_MS;
            let row: Vec<Outcome> = (0..space.rules().len())
                .map(|rule| {
                    let net = ReturnPpm(random.below(10_001) as i32 - 4_800 + 100 * rule as i32);
                    let reason = ExitReason::Time;
                    Outcome { net, best_case: net, gross: net, bars_held: 1, reason, ambiguous: false }
                })
                .collect();
            let mut outcomes = Outcomes::new(row.len());
            outcomes.push_each(&row);
            let entry = Entry { entry_ms, symbol: 0, direction: Direction::Long, setup: Setup::Given };
            book.push(entry, &[random.below(4) as u8], outcomes.row(0));
        }
        book
    }

    /// Cross-fits by sums where the score allows it, and by the two stretches beside each fold.
    fn both_ways(search: SearchSettings) -> [Refits; 2] {
        let by_sums = plan(search.clone());
        let limit = "max_drawdown_pct<1000000".parse().expect("a constraint that every set meets");
        let by_stretches = plan(SearchSettings { constraints: vec![limit], ..search });
        [by_sums, by_stretches].map(|plan| {
            let book = book(&plan);
            let ground = EvaluationContext { style: &plan.styles[0], book: &book };
            Chooser::new(ground, &plan, Day(0)..Day(DAYS)).choose_again(None).1
        })
    }

    #[test]
    fn what_is_left_by_subtraction_is_what_the_stretches_beside_the_fold_add_up_to() {
        let sums = Score::ALL.into_iter().filter(|score| !score.reads_order());
        for (score, rank) in sums.flat_map(|score| RankBy::ALL.map(|rank| (score, rank))) {
            let [by_sums, by_stretches] =
                both_ways(SearchSettings { score, rank, ..SearchSettings::default() });
            assert_eq!(by_sums, by_stretches, "{score} {}", rank.as_str());
            let fit = by_sums.cross_fit.expect("enough days");
            assert_eq!((fit.folds, fit.days.len()), (FOLDS, DAYS as usize));
            assert_eq!(by_sums.walk.map(|walk| walk.choices), Some(FOLDS - WALK_FROM));
        }
    }

    /// No day of a fold, nor one that its labels reach across, has a say in what is chosen for it.
    #[test]
    fn a_fold_has_no_say_in_the_choice_that_earns_on_it() {
        let plan = plan(SearchSettings::default());
        let (style, days) = (&plan.styles[0], Day(0)..Day(DAYS));
        let plain = book(&plan);
        let chosen = |book: &OutcomeTable, fold: usize| {
            let ground = EvaluationContext { style, book };
            let chooser = Chooser::new(ground, &plan, days.clone());
            let (_, trials) = chooser.choose_by_sums(&chooser.folds()[fold..=fold], None);
            trials[0].map(|trial| (trial.rule, trial.cell))
        };
        for fold in 0..FOLDS {
            // The fold turned around: what lost there earns, and the other way about.
            let space = &style.space;
            let mut turned = OutcomeTable::new(space.lattice().clone(), space.rules().len());
            let inside = Day((fold as i32) * DAYS / 5)..Day((fold as i32 + 1) * DAYS / 5);
            for (at, entry) in plain.entries().iter().enumerate() {
                let row: Vec<Outcome> = (0..space.rules().len())
                    .map(|rule| {
                        let own = *plain.under(rule).of(at);
                        let net = ReturnPpm(if inside.contains(&Day::of(entry.entry_ms)) {
                            -9 * own.net.0
                        } else {
                            own.net.0
                        });
                        Outcome { net, best_case: net, gross: net, ..own }
                    })
                    .collect();
                let mut outcomes = Outcomes::new(row.len());
                outcomes.push_each(&row);
                turned.push(*entry, &plain.coordinates()[at..=at], outcomes.row(0));
            }
            assert_eq!(chosen(&plain, fold), chosen(&turned, fold), "fold {fold}");
        }
    }

    #[test]
    fn a_walk_knows_the_past_only_and_few_days_are_not_cut() {
        let plan = plan(SearchSettings::default());
        let book = book(&plan);
        let ground = EvaluationContext { style: &plan.styles[0], book: &book };
        let refits = |days| Chooser::new(ground, &plan, days).choose_again(None).1;
        let walk = refits(Day(0)..Day(DAYS)).walk.expect("enough days");
        assert_eq!((walk.choices, walk.days.len()), (FOLDS - WALK_FROM, 120));
        assert_eq!(refits(Day(0)..Day(49)), Refits { cross_fit: None, walk: None });
    }
}

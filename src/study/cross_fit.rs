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

use super::{EvaluationContext, Measurer};
use crate::engine::plan::Plan;
use crate::evaluate::outcome_table::Window;
use crate::evaluate::replay::{Pick, replay_set};
use crate::evaluate::sweep::{Sweep, sweep_window};
use crate::model::Day;
use crate::search::rank::{ConstrainedMetric, Objective, Trial, rank_sets};

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

/// The choice of a fold, with what it earned there.
struct FoldChoice {
    place: (usize, usize),
    earned_ppm: i64,
    promised: f64,
    days: Vec<f64>,
}

/// The rule that chooses, on a book.
pub(super) struct Chooser<'a> {
    ground: EvaluationContext<'a>,
    plan: &'a Plan,
    days: Range<Day>,
    /// Days that a label reaches beyond its own.
    gap: i32,
}

impl<'a> Chooser<'a> {
    pub(super) fn new(ground: EvaluationContext<'a>, plan: &'a Plan, days: Range<Day>) -> Self {
        let gap = ground.style.horizon_days(plan.interval);
        Self { ground, plan, days, gap }
    }

    /// Returns the folds of the days; empty where they are too few.
    fn folds(&self) -> Vec<Range<Day>> {
        let count = usize::try_from(self.days.end.0 - self.days.start.0).unwrap_or(0);
        let day = |k: usize| Day(self.days.start.0 + (k * count / FOLDS) as i32);
        match count / FOLDS >= FOLD_DAYS_MIN.max(2 * self.gap as usize) {
            true => (0..FOLDS).map(|k| day(k)..day(k + 1)).collect(),
            false => Vec::new(),
        }
    }

    /// Returns what choosing without each fold earned on it; `None` with too few days, or where a fold has no choice.
    ///
    /// Shape: the statistics of every set on all days, which give those without a fold by subtraction
    pub(super) fn cross_fit(&self, all: &Sweep) -> Option<CrossFit> {
        let choices: Vec<FoldChoice> =
            self.folds().into_iter().map(|fold| self.choose_without(fold, all)).collect::<Option<_>>()?;
        let mut places: Vec<(usize, usize)> = choices.iter().map(|choice| choice.place).collect();
        places.sort_unstable();
        places.dedup();
        (!choices.is_empty()).then(|| CrossFit {
            folds: choices.len(),
            earning: choices.iter().filter(|choice| choice.earned_ppm > 0).count(),
            distinct: places.len(),
            days: choices.into_iter().flat_map(|choice| choice.days).collect(),
        })
    }

    /// Returns what choosing on the days before each fold earned on it, from the third fold on.
    pub(super) fn walk(&self) -> Option<Walk> {
        let one = |fold: Range<Day>| {
            let known = self.days.start..Day(fold.start.0 - self.gap);
            let window = self.ground.book.window(known);
            let days = window.day_count();
            let sweep = sweep_window(&window);
            self.choose(&sweep, window.candidates, days).and_then(|trial| self.earn(&trial, days, fold))
        };
        let choices: Vec<FoldChoice> =
            self.folds().into_iter().skip(WALK_FROM).map(one).collect::<Option<_>>()?;
        let count = choices.len();
        (count > 0).then(|| Walk {
            choices: count,
            earning: choices.iter().filter(|choice| choice.earned_ppm > 0).count(),
            promised: choices.iter().map(|choice| choice.promised).sum::<f64>() / count as f64,
            days: choices.into_iter().flat_map(|choice| choice.days).collect(),
        })
    }

    fn choose_without(&self, fold: Range<Day>, all: &Sweep) -> Option<FoldChoice> {
        let book = self.ground.book;
        let left_out =
            Day(fold.start.0 - self.gap).max(self.days.start)..Day(fold.end.0 + self.gap).min(self.days.end);
        let before = book.window(self.days.start..left_out.start);
        let after = book.window(left_out.end..self.days.end);
        let sweep = match self.reads_order() {
            true => sweep_window(&before).joined(&sweep_window(&after)),
            false => all.without(sweep_window(&book.window(left_out))),
        };
        let days = before.day_count() + after.day_count();
        let trial = self.choose(&sweep, before.candidates + after.candidates, days)?;
        self.earn(&trial, days, fold)
    }

    /// Returns whether sums over days are not enough to choose.
    fn reads_order(&self) -> bool {
        let search = &self.plan.search;
        let of_order = |metric| metric == ConstrainedMetric::MaxDrawdownPct;
        search.score.reads_order() || search.constraints.iter().any(|constraint| of_order(constraint.metric))
    }

    /// Chooses by the rule of the plan on so many days; as many trades are asked for, day by day, as on all of them.
    fn choose(&self, sweep: &Sweep, candidates: usize, days: usize) -> Option<Trial> {
        let window = self.ground.book.window(self.days.clone());
        let asked = u64::from(self.plan.search.ranked_trades_min()) * days as u64;
        let trades_min = asked.div_ceil(window.day_count().max(1) as u64) as u32;
        let measure = Measurer { style: self.ground.style, plan: self.plan };
        let mut objective: Objective<'_> = measure.objective(&window, trades_min);
        (objective.around.candidates, objective.around.days) = (candidates, days);
        rank_sets(sweep, &self.ground.style.space, &objective, 1).top.into_iter().next()
    }

    /// Returns what a choice made on so many days earned on a fold; `None` where its returns did not vary.
    fn earn(&self, trial: &Trial, days: usize, fold: Range<Day>) -> Option<FoldChoice> {
        let deviation = trial.point.day_deviation_ppm(days);
        if deviation <= 0.0 {
            return None;
        }
        let levels = self.ground.style.space.lattice().levels(trial.cell);
        let window: Window<'_> = self.ground.book.window(fold.clone());
        let tally = replay_set(&window, Pick { rule: trial.rule, levels: Some(&levels) });
        let mut earned = vec![0.0; window.day_count()];
        for (day, ppm) in &tally.daily_ppm {
            earned[(day.0 - fold.start.0) as usize] = *ppm as f64 / deviation;
        }
        Some(FoldChoice {
            place: (trial.rule, trial.cell),
            earned_ppm: tally.point.net_ppm(),
            promised: trial.point.net_ppm() as f64 / days as f64 / deviation,
            days: earned,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{DayLimits, SearchSettings};
    use crate::evaluate::outcome_table::{Entry, OutcomeTable};
    use crate::evaluate::score::Score;
    use crate::exits::Costs;
    use crate::model::{
        DAY_MS, Direction, ExitReason, HOUR_MS, Interval, Outcome, Outcomes, ReturnPpm, Setup, Style,
    };
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
    fn both_ways(search: SearchSettings) -> [CrossFit; 2] {
        let by_sums = plan(search.clone());
        let limit = "max_drawdown_pct<1000000".parse().expect("a constraint that every set meets");
        let by_stretches = plan(SearchSettings { constraints: vec![limit], ..search });
        [by_sums, by_stretches].map(|plan| {
            let book = book(&plan);
            let ground = EvaluationContext { style: &plan.styles[0], book: &book };
            let days = Day(0)..Day(DAYS);
            let all = sweep_window(&book.window(days.clone()));
            Chooser::new(ground, &plan, days).cross_fit(&all).expect("enough days")
        })
    }

    #[test]
    fn what_is_left_by_subtraction_is_what_the_stretches_beside_the_fold_add_up_to() {
        for score in [Score::Sharpe, Score::Expectancy, Score::TotalReturn] {
            let [by_sums, by_stretches] = both_ways(SearchSettings { score, ..SearchSettings::default() });
            assert_eq!(by_sums, by_stretches, "{score}");
            assert_eq!((by_sums.folds, by_sums.days.len()), (FOLDS, DAYS as usize));
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
            let all = sweep_window(&book.window(days.clone()));
            let folds = chooser.folds();
            chooser.choose_without(folds[fold].clone(), &all).map(|choice| choice.place)
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
        let walk = Chooser::new(ground, &plan, Day(0)..Day(DAYS)).walk().expect("enough days");
        assert_eq!((walk.choices, walk.days.len()), (FOLDS - WALK_FROM, 120));
        let short = Chooser::new(ground, &plan, Day(0)..Day(49));
        assert!(short.folds().is_empty() && short.walk().is_none());
    }
}

//! A symbol's own set by the evidence: chosen on all days, and held against the pooled set on days that did not choose it.

use std::ops::Range;

use super::{OwnResult, PooledSet};
use crate::decide::reason::OwnReason;
use crate::evaluate::outcome_table::{OutcomeTable, Window};
use crate::evaluate::replay::{Pick, replay_set};
use crate::model::{Day, ParameterSet};
use crate::search::own::shrunk_score;
use crate::search::rank::{Objective, Ranker, ScoredGrid, Trial};
use crate::study::MeasuredParts;
use crate::study::choice::{Choice, ChoiceScores, score_choices};
use crate::study::cross_fit::{Fold, known_days};
use crate::validate::assessment::AdoptionGate;
use crate::validate::normal::cdf;
use crate::validate::pair::sharpe_difference;

/// What the own sets of all symbols are found by.
pub(super) struct OwnByFolds<'a> {
    pooled: PooledSet<'a>,
    folds: Vec<Fold>,
    /// Scores on all symbols: by all days, then without each fold.
    whole: Vec<ChoiceScores>,
    gate: AdoptionGate,
    /// Symbols that are asked about: each is a try.
    symbols: usize,
}

impl<'a> OwnByFolds<'a> {
    pub(super) fn new(
        pooled: PooledSet<'a>,
        book: &OutcomeTable,
        folds: Vec<Fold>,
        gate: AdoptionGate,
        symbols: usize,
    ) -> Self {
        let is_tested = !pooled.plan.search.quick && !folds.is_empty();
        let trades_min = pooled.plan.search.ranked_trades_min();
        let whole = match is_tested {
            true => score_choices(
                &book.window(pooled.study.days.clone()),
                &choices_on(&pooled, book, &folds, trades_min),
            ),
            false => Vec::new(),
        };
        Self { pooled, folds, whole, gate, symbols }
    }

    /// Returns the own set of a symbol; the active one stays while it is no worse than the pooled set, and nothing better was found.
    pub(super) fn own_set(&self, book: &OutcomeTable, active: Option<&ParameterSet>) -> OwnResult {
        let parts = self.pooled.parts(book);
        let place = active.and_then(|set| self.pooled.style.space.find(set));
        let found = self.better_than_pooled(book);
        let stays = |place: (usize, usize)| {
            place != self.pooled.place && self.difference(book, place).is_some_and(|better| better >= 0.0)
        };
        match (found, place) {
            (Ok((trial, p)), _) => Ok((self.measured(&trial, &parts), OwnReason::OwnIsBetter { p })),
            (Err(OwnReason::PooledIsBest), _) => Err(OwnReason::PooledIsBest),
            (Err(_), Some((rule, cell))) if stays((rule, cell)) => {
                Ok((self.pooled.measurer().set(rule, cell, &parts).0, OwnReason::OwnStays))
            }
            (Err(reason), _) => Err(reason),
        }
    }

    fn measured(&self, trial: &Trial, parts: &MeasuredParts<'_>) -> crate::study::Measured {
        self.pooled.measurer().set(trial.rule, trial.cell, parts).0
    }

    /// Chooses for a symbol by shrunk scores, and tests the choice as SWITCH does: what choosing without each fold earned on it, against
    /// the pooled set on the same days. That one was chosen by all days, which is to its favour.
    fn better_than_pooled(&self, book: &OutcomeTable) -> Result<(Trial, f64), OwnReason> {
        let PooledSet { plan, style, study, settings, .. } = self.pooled;
        if self.whole.is_empty() {
            return Err(OwnReason::NotTested);
        }
        let few = || OwnReason::TooFewTrades { trades_min: settings.trades_min };
        let choices = choices_on(&self.pooled, book, &self.folds, settings.trades_min);
        let own = score_choices(&book.window(study.days.clone()), &choices);
        let mut ranker = Ranker::new(&style.space, plan.search.rank);
        let mut choose = |n: usize| {
            let grid = shrunk(&own[n], &self.whole[n], settings.prior_trades);
            ranker.best(grid, &choices[n].objective, 1).into_iter().next()
        };
        let best = choose(0).ok_or_else(few)?;
        if (best.rule, best.cell) == self.pooled.place {
            return Err(OwnReason::PooledIsBest);
        }
        let mut earned = Vec::new();
        for (n, fold) in self.folds.iter().enumerate() {
            let choice = choose(n + 1).ok_or_else(few)?;
            earned.extend(self.returns(
                book,
                (choice.rule, choice.cell),
                &fold.days,
                &known_days(fold, &study.days),
            ));
        }
        let theirs = self.returns(book, self.pooled.place, &study.days, std::slice::from_ref(&study.days));
        let lags = usize::try_from(style.horizon_days(plan.interval)).unwrap_or(1);
        let p = sharpe_difference(&earned, &theirs, lags).map_or(1.0, |found| cdf(-found.t));
        let p = (p * self.symbols as f64).min(1.0);
        match p <= self.gate.switch_p {
            true => Ok((best, p)),
            false => Err(OwnReason::OwnNoBetter { p, least: self.gate.switch_p }),
        }
    }

    /// Returns the difference of the Sharpe ratios of a set and the pooled one on the symbol, all days.
    fn difference(&self, book: &OutcomeTable, place: (usize, usize)) -> Option<f64> {
        let days = &self.pooled.study.days;
        let on = |place| self.returns(book, place, days, std::slice::from_ref(days));
        sharpe_difference(&on(place), &on(self.pooled.place), 1).map(|found| found.difference)
    }

    /// Returns the day returns of a set on some days, in standard deviations of those that it was chosen on; as they are where these do
    /// not vary.
    fn returns(
        &self,
        book: &OutcomeTable,
        (rule, cell): (usize, usize),
        days: &Range<Day>,
        known: &[Range<Day>],
    ) -> Vec<f64> {
        let levels = self.pooled.style.space.lattice().levels(cell);
        let pick = Pick { rule, levels: Some(&levels) };
        let windows: Vec<Window<'_>> = known.iter().map(|days| book.window(days.clone())).collect();
        let points = windows.iter().map(|window| replay_set(window, pick).point);
        let point = points.reduce(|all, part| all.joined(&part)).unwrap_or_default();
        let deviation = point.day_deviation_ppm(windows.iter().map(Window::day_count).sum());
        let scale = if deviation > 0.0 { deviation } else { 1.0 };
        let window = book.window(days.clone());
        let mut returns = vec![0.0; window.day_count()];
        for (day, ppm) in &replay_set(&window, pick).daily_ppm {
            returns[(day.0 - days.start.0) as usize] = *ppm as f64 / scale;
        }
        returns
    }
}

/// Returns the choices on a book: by all days, then without each fold; as many trades are asked for, day by day, as on all of them.
fn choices_on<'a>(
    pooled: &PooledSet<'a>,
    book: &OutcomeTable,
    folds: &[Fold],
    trades_min: u32,
) -> Vec<Choice<'a>> {
    let days = &pooled.study.days;
    let objective = |known: &[Range<Day>]| -> Objective<'a> {
        let windows: Vec<Window<'_>> = known.iter().map(|days| book.window(days.clone())).collect();
        let count: usize = windows.iter().map(Window::day_count).sum();
        let all = book.window(days.clone());
        let asked = (u64::from(trades_min) * count as u64).div_ceil(all.day_count().max(1) as u64);
        let mut objective = pooled.measurer().objective(&all, asked as u32);
        objective.around.days = count;
        objective.around.candidates = windows.iter().map(|window| window.candidates).sum();
        objective
    };
    let of_all =
        Choice { objective: objective(std::slice::from_ref(days)), left_out: days.start..days.start };
    let without = |fold: &Fold| Choice {
        objective: objective(&known_days(fold, days)),
        left_out: fold.left_out.clone(),
    };
    std::iter::once(of_all).chain(folds.iter().map(without)).collect()
}

/// Returns the scores of sets on a symbol, shrunk towards those on all; a set without a score on either has none.
fn shrunk(
    own: &ChoiceScores,
    whole: &ChoiceScores,
    prior_trades: u32,
) -> ScoredGrid<impl Fn(usize) -> u32, impl Fn(usize, usize) -> bool> {
    let trades = own.trades();
    let rules = own.rules();
    let both = own.scores().iter().zip(whole.scores()).enumerate();
    let scores = both.map(|(at, (own, all))| match own.is_nan() || all.is_nan() {
        true => f64::NAN,
        false => shrunk_score(*own, trades[at / rules], *all, prior_trades),
    });
    ScoredGrid {
        scores: scores.collect(),
        trades: |cell| trades[cell],
        earns: |rule, cell| own.earns(rule, cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{DayLimits, OwnSettings, Plan, SearchSettings};
    use crate::evaluate::outcome_table::Entry;
    use crate::exits::Costs;
    use crate::model::{
        DAY_MS, Direction, ExitReason, HOUR_MS, Interval, Outcome, Outcomes, ReturnPpm, Setup, Style,
    };
    use crate::search::space::{Bound, Dimension, ExitAxes, number_levels};
    use crate::search::strategy::SpaceAxes;
    use crate::study::cross_fit::Chooser;
    use crate::study::{EvaluationContext, Study, study_parameters};
    use crate::validate::assessment::Assurance;
    use crate::validate::resample::Random;

    const DAYS: i32 = 250;
    fn plan(quick: bool, prior_trades: u32) -> Plan {
        let exits = ExitAxes::new(&[2.0, 3.0, 4.0], &[1.5], &[8.0]);
        let dimension =
            Dimension::new("k", "consensus", Bound::AtLeast, number_levels(&[0.1, 0.2])).expect("sound");
        let axes = vec![SpaceAxes::new(Style::Swing, exits, vec![dimension])];
        let own = Some(OwnSettings { trades_min: 30, prior_trades });
        let search = SearchSettings { quick, own, ..SearchSettings::default() };
        Plan::new(Interval::M15, axes, Costs::default(), search, DayLimits::default()).expect("sound")
    }

    /// Signals of some symbols, of which each has the exit rule that earns on it; ppm of every trade besides noise.
    fn book(
        plan: &Plan,
        symbols: std::ops::Range<u16>,
        best_rule: &dyn Fn(u16) -> Option<usize>,
    ) -> OutcomeTable {
        let space = &plan.styles[0].space;
        let mut book = OutcomeTable::new(space.lattice().clone(), space.rules().len());
        let mut random: Vec<Random> = (0..8).map(|symbol| Random::new(symbol + 1)).collect();
        for day in 0..i64::from(DAYS) {
            for symbol in symbols.clone() {
                let random = &mut random[usize::from(symbol)];
                let entry_ms = day * DAY_MS + HOUR_MS;
                let row: Vec<Outcome> = (0..space.rules().len())
                    .map(|rule| {
                        let drift = match best_rule(symbol) {
                            Some(best) => 1_500 - 1_500 * rule.abs_diff(best) as i32,
                            None => 0,
                        };
                        let net = ReturnPpm(random.below(10_001) as i32 - 5_000 + drift);
                        let reason = ExitReason::Time;
                        Outcome { net, best_case: net, gross: net, bars_held: 1, reason, ambiguous: false }
                    })
                    .collect();
                let mut outcomes = Outcomes::new(row.len());
                outcomes.push_each(&row);
                let entry = Entry { entry_ms, symbol, direction: Direction::Long, setup: Setup::Given };
                book.push(entry, &[random.below(2) as u8], outcomes.row(0));
            }
        }
        book
    }

    /// Returns what the last of six symbols trades, where these have such exit rules.
    fn last_symbol(
        plan: &Plan,
        best_rule: &dyn Fn(u16) -> Option<usize>,
        active: Option<(usize, usize)>,
    ) -> (OwnResult, Study) {
        let style = &plan.styles[0];
        let (whole, own) = (book(plan, 0..6, best_rule), book(plan, 5..6, best_rule));
        let ground = EvaluationContext { style, book: &whole };
        let study = study_parameters(ground, ground, Day(0)..Day(DAYS), plan, None);
        let place = style.space.find(&study.top[0].set).expect("of the space");
        let settings = plan.search.own.expect("asked for");
        let pooled = PooledSet { plan, style, study: &study, place, settings };
        let folds = Chooser::new(ground, plan, Day(0)..Day(DAYS)).folds();
        let gate = AdoptionGate::of(Assurance::Promising, false);
        let active = active.map(|(rule, cell)| style.space.set(rule, cell));
        let found = OwnByFolds::new(pooled, &whole, folds, gate, 6).own_set(&own, active.as_ref());
        (found, study)
    }

    #[test]
    fn a_symbol_that_differs_has_its_own_set_and_one_that_does_not_has_none() {
        let plan = plan(false, 20);
        let rule_of = |set: &ParameterSet| plan.styles[0].space.find(set).expect("of the space").0;
        let (found, study) = last_symbol(&plan, &|symbol| Some(if symbol == 5 { 0 } else { 2 }), None);
        let (measured, reason) = found.expect("its own");
        assert_eq!((rule_of(&study.top[0].set), rule_of(&measured.set)), (2, 0));
        assert!(matches!(reason, OwnReason::OwnIsBetter { p } if p < 0.02), "{reason}");

        let (found, _) = last_symbol(&plan, &|_| Some(2), None);
        let reason = found.expect_err("the same everywhere");
        assert!(matches!(reason, OwnReason::PooledIsBest | OwnReason::OwnNoBetter { .. }), "{reason}");
    }

    #[test]
    fn noise_gives_no_own_set_and_an_active_one_stays_while_it_is_no_worse() {
        // It decides for itself.
        let plan = plan(false, 1);
        let on_noise = |symbol: u16| (symbol < 5).then_some(2);
        let (found, _) = last_symbol(&plan, &on_noise, None);
        let reason = found.expect_err("noise");
        assert!(matches!(reason, OwnReason::OwnNoBetter { p, .. } if p > 0.02), "{reason}");
        // Every set of the space, as the active one: those that do no worse on the symbol stay.
        let mut outcomes: Vec<bool> = Vec::new();
        for place in (0..6).map(|n| (n % 3, n / 3)) {
            let (found, study) = last_symbol(&plan, &on_noise, Some(place));
            outcomes.push(found.is_ok());
            if let Ok((measured, reason)) = found {
                assert_eq!(reason, OwnReason::OwnStays);
                assert_eq!(plan.styles[0].space.find(&measured.set), Some(place));
                assert_ne!(measured.set, study.top[0].set);
            }
        }
        assert!(outcomes.contains(&true) && outcomes.contains(&false), "{outcomes:?}");
    }

    #[test]
    fn a_quick_run_tests_no_own_set() {
        let plan = plan(true, 20);
        let (found, _) = last_symbol(&plan, &|symbol| Some(if symbol == 5 { 0 } else { 2 }), None);
        assert_eq!(found, Err(OwnReason::NotTested));
        let (found, _) = last_symbol(&plan, &|symbol| Some(if symbol == 5 { 0 } else { 2 }), Some((0, 0)));
        assert_eq!(found.expect("the active one").1, OwnReason::OwnStays);
    }
}

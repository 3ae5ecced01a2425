//! A symbol's own set by the evidence: chosen on all days, and held against the pooled set on days that did not choose it.

use super::{OwnResult, PooledSet};
use crate::decide::reason::OwnReason;
use crate::evaluate::outcome_table::OutcomeTable;
use crate::model::ParameterSet;
use crate::search::own::shrunk_score;
use crate::search::rank::{Ranker, ScoredGrid, Trial};
use crate::study::choice::{Choice, ChoiceScores};
use crate::study::cross_fit::{Chooser, Fold};
use crate::validate::assessment::AdoptionGate;
use crate::validate::normal::cdf;
use crate::validate::pair::sharpe_difference;

/// What the own sets of all symbols are found by.
pub(super) struct OwnByFolds<'a> {
    pooled: PooledSet<'a>,
    /// The rule that chooses, on all symbols.
    chooser: Chooser<'a>,
    folds: Vec<Fold>,
    /// Scores on all symbols: by all days, then without each fold; none where nothing is tested.
    whole: Vec<ChoiceScores>,
    gate: AdoptionGate,
    /// Symbols that are asked about: each is a try.
    symbols: usize,
}

impl<'a> OwnByFolds<'a> {
    pub(super) fn new(
        pooled: PooledSet<'a>,
        chooser: Chooser<'a>,
        gate: AdoptionGate,
        symbols: usize,
    ) -> Self {
        let folds = if pooled.plan.search.quick { Vec::new() } else { chooser.folds() };
        let whole = match folds.is_empty() {
            true => Vec::new(),
            false => chooser.score(&choices(&chooser, &folds)),
        };
        Self { pooled, chooser, folds, whole, gate, symbols }
    }

    /// Returns the own set of a symbol. An active one stays where nothing is tested, and while it does no worse than the pooled set where
    /// nothing better is found.
    pub(super) fn own_set(&self, book: &OutcomeTable, active: Option<&ParameterSet>) -> OwnResult {
        let parts = self.pooled.parts(book);
        let measured = |(rule, cell)| self.pooled.measurer().set(rule, cell, &parts).0;
        let active = active.and_then(|set| self.pooled.style.space.find(set));
        if self.whole.is_empty() {
            return active.map(|place| (measured(place), OwnReason::NotTested)).ok_or(OwnReason::NotTested);
        }
        let own = self.chooser.on(book, self.pooled.settings.trades_min);
        match (self.better_than_pooled(&own), active) {
            (Ok((best, p)), _) => Ok((measured((best.rule, best.cell)), OwnReason::OwnIsBetter { p })),
            (Err(OwnReason::PooledIsBest), _) => Err(OwnReason::PooledIsBest),
            (Err(_), Some(place)) if place == self.pooled.place => Err(OwnReason::PooledIsBest),
            (Err(_), Some(place)) if self.does_no_worse(&own, place) => {
                Ok((measured(place), OwnReason::OwnStays))
            }
            (Err(_), Some(_)) => Err(OwnReason::OwnIsWorse),
            (Err(reason), None) => Err(reason),
        }
    }

    /// Chooses for a symbol by shrunk scores, and tests the choice as SWITCH does: what choosing without each fold earned on it, against
    /// the pooled set on the same days. That one was chosen by all days, which is to its favour.
    fn better_than_pooled(&self, own: &Chooser<'_>) -> Result<(Trial, f64), OwnReason> {
        let PooledSet { plan, style, settings, place, .. } = self.pooled;
        let few = || OwnReason::TooFewTrades { trades_min: settings.trades_min };
        let choices = choices(own, &self.folds);
        let scores = own.score(&choices);
        let mut ranker = Ranker::new(&style.space, plan.search.rank);
        let mut choose = |n: usize| {
            let grid = shrunk(&scores[n], &self.whole[n], settings.prior_trades);
            ranker.best(grid, &choices[n].objective, 1).into_iter().next()
        };
        let best = choose(0).ok_or_else(few)?;
        if (best.rule, best.cell) == place {
            return Err(OwnReason::PooledIsBest);
        }
        let mut earned = Some(Vec::new());
        for (n, fold) in self.folds.iter().enumerate() {
            let choice = choose(n + 1).ok_or_else(few)?;
            let on_fold = own.earn((choice.rule, choice.cell), fold);
            earned = earned.zip(on_fold).map(|(days, choice)| [days, choice.days].concat());
        }
        let theirs = own.earn(place, &own.all_days());
        let lags = usize::try_from(style.horizon_days(plan.interval)).unwrap_or(1);
        // Returns that do not vary are no better.
        let both = earned.zip(theirs);
        let found = both.and_then(|(earned, theirs)| sharpe_difference(&earned, &theirs.days, lags));
        let p = (found.map_or(1.0, |found| cdf(-found.t)) * self.symbols as f64).min(1.0);
        match p <= self.gate.switch_p {
            true => Ok((best, p)),
            false => Err(OwnReason::OwnNoBetter { p, least: self.gate.switch_p }),
        }
    }

    /// Returns whether a set has no lower a Sharpe ratio than the pooled one on the symbol, all days.
    fn does_no_worse(&self, own: &Chooser<'_>, place: (usize, usize)) -> bool {
        let on = |place| own.earn(place, &own.all_days()).map(|earned| earned.days);
        let both = on(place).zip(on(self.pooled.place));
        let found = both.and_then(|(own, theirs)| sharpe_difference(&own, &theirs, 1));
        found.is_some_and(|found| found.difference >= 0.0)
    }
}

/// Returns the choices on a book: by all days, then without each fold.
fn choices<'a>(chooser: &Chooser<'a>, folds: &[Fold]) -> Vec<Choice<'a>> {
    let of_all = chooser.choice(&chooser.all_days());
    std::iter::once(of_all).chain(folds.iter().map(|fold| chooser.choice(fold))).collect()
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
        DAY_MS, Day, Direction, ExitReason, HOUR_MS, Interval, Outcome, Outcomes, ReturnPpm, Setup, Style,
    };
    use crate::search::space::{Bound, Dimension, ExitAxes, number_levels};
    use crate::search::strategy::SpaceAxes;
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
        let chooser = Chooser::new(ground, plan, Day(0)..Day(DAYS));
        let gate = AdoptionGate::of(Assurance::Promising, false);
        let active = active.map(|(rule, cell)| style.space.set(rule, cell));
        let found = OwnByFolds::new(pooled, chooser, gate, 6).own_set(&own, active.as_ref());
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
            match found {
                Ok((measured, reason)) => {
                    assert_eq!(reason, OwnReason::OwnStays);
                    assert_eq!(plan.styles[0].space.find(&measured.set), Some(place));
                    assert_ne!(measured.set, study.top[0].set);
                }
                Err(reason) => {
                    let is_pooled = plan.styles[0].space.find(&study.top[0].set) == Some(place);
                    let worse = if is_pooled { OwnReason::PooledIsBest } else { OwnReason::OwnIsWorse };
                    assert_eq!(reason, worse);
                }
            }
        }
        assert!(outcomes.contains(&true) && outcomes.contains(&false), "{outcomes:?}");
    }

    #[test]
    fn a_quick_run_tests_no_own_set_and_takes_none_away() {
        let plan = plan(true, 20);
        let (found, _) = last_symbol(&plan, &|symbol| Some(if symbol == 5 { 0 } else { 2 }), None);
        assert_eq!(found, Err(OwnReason::NotTested));
        let (found, _) = last_symbol(&plan, &|symbol| Some(if symbol == 5 { 0 } else { 2 }), Some((0, 0)));
        assert_eq!(found.expect("the active one").1, OwnReason::NotTested);
    }
}

//! Choosing again and again: what the search would have earned, had it been run all along.

use std::ops::Range;

use super::{MethodFinding, Subject};
use crate::evaluate::outcome_table::OutcomeTable;
use crate::evaluate::sweep::sweep_window;
use crate::model::Day;
use crate::search::rank::rank_sets;
use crate::study::Measurer;
use crate::study::series::daily;
use crate::validate::grid::TestPlan;
use crate::validate::sharpe::{DAYS_PER_YEAR, Moments};
use crate::validate::split::split_days;

/// A choice and the days it was held.
struct HeldChoice {
    /// Place in the space.
    place: (usize, usize),
    /// Sharpe ratio per day of the days it was chosen by.
    promised: f64,
    /// Net returns of the days it was held, in standard deviations of the days it was chosen by: another size is no result.
    scaled: Vec<f64>,
}

/// Chooses by the search's own rule (score, ranking, constraints) on the days of every training window, and holds what was
/// chosen for the days of its test. Where the best set loses there is nothing to hold, and the days count as 0.
///
/// Causality: a choice reads trades that were closed before the first day it is held; later days only measure it. Where the early
///            part of the run has already chosen something (score weights, a part of a space beyond the budget), only what
///            is held after that part counts
/// Rules:     fewest trades as in the search, in proportion to the days; no limit on steps from the set before
/// Source:    the project's statistics notes, section 3.5; a daily run takes the largest Sharpe ratio instead, which needs
///            no second look at the grid
/// Cost:      a sweep and a ranking per test
pub(super) fn chosen_again(subject: &Subject<'_>, book: &OutcomeTable, tests: &TestPlan) -> MethodFinding {
    let columns = ["choices", "stayed_out", "sharpe", "t", "earned", "promised_sharpe", "changed"];
    let Some((folds, trades_min)) = walk_folds(subject, tests) else {
        let sentence = format!("too few days: choosing again needs more than {}", tests.train + tests.gap);
        return MethodFinding::new("chosen_again", &columns, Vec::new(), sentence);
    };
    let choices: Vec<Option<HeldChoice>> =
        folds.iter().map(|(train, test)| hold_choice(subject, book, train, test, trades_min)).collect();
    let held: Vec<&HeldChoice> = choices.iter().flatten().collect();
    let out = choices.len() - held.len();
    let days = |(choice, (_, test)): (&Option<HeldChoice>, &Fold)| match choice {
        Some(held) => held.scaled.clone(),
        None => vec![0.0; test.len()],
    };
    let scaled: Vec<f64> = choices.iter().zip(&folds).flat_map(days).collect();
    let moments = Moments::of(&scaled);
    let year = DAYS_PER_YEAR.sqrt();
    let share = |count: usize, of: usize| (of > 0).then(|| count as f64 / of as f64);
    let earned = held.iter().filter(|held| held.scaled.iter().sum::<f64>() > 0.0).count();
    let changed = held.windows(2).filter(|pair| pair[0].place != pair[1].place).count();
    let promised = held.iter().map(|held| held.promised).sum::<f64>() / held.len().max(1) as f64;
    let sharpe = moments.map(|moments| moments.sharpe() * year);
    let t = moments.map(|moments| moments.sharpe() * (moments.days as f64).sqrt());
    let every =
        format!("choosing again every {} days by the {} before, as the search does", tests.step, tests.train);
    let sentence = match sharpe.zip(t) {
        None => format!("{every}: never was there a set to hold in {} choices", choices.len()),
        Some((sharpe, t)) => format!(
            "{every}: a yearly Sharpe of {sharpe:.1} (t {t:.1}) where {:.1} was promised; {earned} of {} choices earned{}",
            promised * year,
            held.len(),
            if out > 0 { format!(", {out} times there was nothing to hold") } else { String::new() }
        ),
    };
    let values = vec![
        Some(choices.len() as f64),
        Some(out as f64),
        sharpe,
        t,
        share(earned, held.len()),
        (!held.is_empty()).then_some(promised * year),
        share(changed, held.len().saturating_sub(1)),
    ];
    MethodFinding::new("chosen_again", &columns, vec![("as the search chooses".to_owned(), values)], sentence)
}

/// The days that choose and those that test, by their places.
type Fold = (Range<usize>, Range<usize>);

/// Returns the folds that can be walked and the fewest trades of a choice; `None` if there is no such fold.
fn walk_folds(subject: &Subject<'_>, tests: &TestPlan) -> Option<(Vec<Fold>, u32)> {
    let Subject { plan, style, .. } = *subject;
    let days = subject.days();
    let early = split_days(days, plan.search.early_share, style.horizon_days(plan.interval))?.early;
    let early_days = usize::try_from(early.end.0 - early.start.0).unwrap_or(0).max(1);
    let is_chosen_already = style.is_part || style.space.weights().is_some();
    let first = if is_chosen_already { early_days } else { 0 };
    let folds: Vec<Fold> =
        tests.folds().into_iter().filter(|(_, test)| test.start >= first + tests.gap).collect();
    let trades_min = f64::from(plan.search.trades_min) * tests.train as f64 / early_days as f64;
    (!folds.is_empty()).then_some((folds, trades_min.ceil().max(1.0) as u32))
}

/// Chooses by some days and holds the choice for others; `None` where no set can be chosen, or the best one loses.
fn hold_choice(
    subject: &Subject<'_>,
    book: &OutcomeTable,
    train: &Range<usize>,
    test: &Range<usize>,
    trades_min: u32,
) -> Option<HeldChoice> {
    let Subject { plan, style, .. } = *subject;
    let first = subject.first_day.0;
    let days = |range: &Range<usize>| Day(first + range.start as i32)..Day(first + range.end as i32);
    let window = book.window(days(train));
    let measure = Measurer { style, plan };
    let objective = measure.objective(&window, trades_min);
    let sweep = sweep_window(&window);
    let best = rank_sets(&sweep, &style.space, &objective, 1).top.into_iter().next()?;
    if sweep.point(best.rule, best.cell).net_ppm() <= 0 {
        return None;
    }
    let place = (best.rule, best.cell);
    let returns =
        |range: &Range<usize>| daily(book, days(range), style, place).into_iter().map(|ppm| ppm as f64);
    let known = Moments::of(&returns(train).collect::<Vec<f64>>())?;
    let scaled = returns(test).map(|ppm| ppm / known.sd).collect();
    Some(HeldChoice { place, promised: known.sharpe(), scaled })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::engine::plan::{DayLimits, Plan};
    use crate::evaluate::outcome_table::Entry;
    use crate::model::{DAY_MS, Direction, ExitReason, Outcome, Outcomes, ReturnPpm, Setup, Style};
    use crate::study::series::Series;

    const DAYS: usize = 200;
    /// Four a day.
    const SIGNALS: usize = 4 * DAYS;

    fn plan(rank: &str) -> Plan {
        let text = format!("[search]\nrank = \"{rank}\"\n");
        let config = Config::from_texts(&[("test".to_owned(), text)]).expect("sound");
        config.plan(&[Style::Scalping], DayLimits::default()).expect("sound")
    }

    /// Signals that pass some levels or other; their results by signal and rule, ppm.
    fn book(plan: &Plan, net: impl Fn(usize, usize) -> i32) -> OutcomeTable {
        let space = &plan.styles[0].space;
        let rules = space.rules().len();
        let mut book = OutcomeTable::new(space.lattice().clone(), rules);
        for signal in 0..SIGNALS {
            let outcome = |rule: usize| {
                let net = ReturnPpm(net(signal, rule));
                Outcome {
                    net,
                    best_case: net,
                    gross: net,
                    bars_held: 1,
                    reason: ExitReason::Time,
                    ambiguous: false,
                }
            };
            let mut outcomes = Outcomes::new(rules);
            outcomes.push_each(&(0..rules).map(outcome).collect::<Vec<_>>());
            let level = |(d, size): (usize, &usize)| (noise(signal * 31 + d) as usize % size) as u8;
            let levels: Vec<u8> = space.lattice().sizes().iter().enumerate().map(level).collect();
            let entry_ms = signal as i64 * DAY_MS / 4;
            let (direction, setup) = (Direction::Long, Setup::Pullback);
            book.push(Entry { entry_ms, symbol: 0, direction, setup }, &levels, outcomes.row(0));
        }
        book
    }

    /// The same in every run; -500..500.
    fn noise(of: usize) -> i32 {
        let mixed = (of as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as i32 % 1_001 - 500
    }

    fn subject(plan: &Plan) -> Subject<'_> {
        let series = Series { candidate_ppm: vec![0; DAYS], ..Series::default() };
        Subject { plan, style: &plan.styles[0], series, first_day: Day(0), place: (0, 0) }
    }

    fn held(plan: &Plan, book: &OutcomeTable) -> Vec<Option<HeldChoice>> {
        let subject = subject(plan);
        let (folds, trades_min) = walk_folds(&subject, &TestPlan::new(DAYS, 1)).expect("enough days");
        folds.iter().map(|(train, test)| hold_choice(&subject, book, train, test, trades_min)).collect()
    }

    #[test]
    fn the_rule_that_earns_is_held_and_nothing_where_all_lose() {
        let plan = plan("peak");
        let earns =
            |signal: usize, rule: usize| noise(signal * 64 + rule) + if rule == 5 { 300 } else { -300 };
        let (tests, earning) = (TestPlan::new(DAYS, 1), book(&plan, earns));
        let choices: Vec<HeldChoice> = held(&plan, &earning).into_iter().flatten().collect();
        assert_eq!(choices.len(), 12);
        assert!(choices.iter().all(|held| held.place.0 == 5 && held.promised > 0.0));
        let count = choices.iter().filter(|held| held.scaled.iter().sum::<f64>() > 0.0).count();
        let found = chosen_again(&subject(&plan), &earning, &tests);
        let [all, out, sharpe, t, earned, promised, _] = found.rows[0].values[..] else {
            panic!("{found:?}")
        };
        assert_eq!((all, out, earned), (Some(12.0), Some(0.0), Some(count as f64 / 12.0)));
        assert!(sharpe > Some(0.0) && t > Some(2.0) && promised > Some(0.0), "{found:?}");

        let losing = book(&plan, |signal, rule| noise(signal * 64 + rule) - 600);
        let found = chosen_again(&subject(&plan), &losing, &tests);
        assert_eq!(found.rows[0].values, [Some(12.0), Some(12.0), None, None, None, None, None]);
        let few = chosen_again(&subject(&plan), &losing, &TestPlan::new(100, 1));
        assert!(few.rows.is_empty() && few.sentence.contains("more than 121"), "{}", few.sentence);
    }

    /// What the in-sample part has chosen is not walked over the days it was chosen by.
    #[test]
    fn a_part_of_a_space_counts_after_the_days_that_chose_it() {
        let mut plan = plan("peak");
        let tests = TestPlan::new(DAYS, 1);
        let early =
            split_days(Day(0)..Day(DAYS as i32), plan.search.early_share, 1).expect("enough days").early;
        assert_eq!(walk_folds(&subject(&plan), &tests).expect("some").0, tests.folds());
        plan.styles[0].is_part = true;
        let (after, _) = walk_folds(&subject(&plan), &tests).expect("some");
        assert!(!after.is_empty() && after.len() < tests.folds().len());
        assert!(after.iter().all(|(_, test)| test.start as i32 > early.end.0), "{early:?}: {after:?}");
        assert!(tests.folds().ends_with(&after));
    }

    /// What comes after the days of a choice changes neither the choice nor what was promised, by any ranking.
    #[test]
    fn later_results_reach_no_earlier_choice() {
        for rank in ["peak", "plateau"] {
            let plan = plan(rank);
            let net = |signal: usize, rule: usize| noise(signal * 64 + rule) + 40;
            let all = held(&plan, &book(&plan, net));
            assert!(all.iter().flatten().count() > 6, "there is something to compare");
            for day in [125, 150, 177] {
                let turned = |signal: usize, rule: usize| {
                    if signal >= 4 * day { -net(signal, rule) } else { net(signal, rule) }
                };
                let other = held(&plan, &book(&plan, turned));
                let mut compared = 0;
                for ((train, test), (own, other)) in
                    TestPlan::new(DAYS, 1).folds().iter().zip(all.iter().zip(&other))
                {
                    assert!(
                        train.end < test.start,
                        "what is open at the end of the training is closed before the test"
                    );
                    if train.end <= day {
                        let choice = |held: &HeldChoice| (held.place, held.promised.to_bits());
                        assert_eq!(own.as_ref().map(choice), other.as_ref().map(choice), "{rank}, day {day}");
                        compared += 1;
                    }
                    if test.end <= day {
                        assert_eq!(own.as_ref().map(|h| &h.scaled), other.as_ref().map(|h| &h.scaled));
                    }
                }
                assert!(compared > 0);
            }
        }
    }
}

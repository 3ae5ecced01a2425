//! What a plan decides by itself: which spaces are searched in part, what stages follow, when a symbol has stopped.

use super::fingerprint_tests::default_plan;
use super::plan::{AgeLimit, DayLimits, Plan, PlanningError, SearchSettings};
use crate::exits::Costs;
use crate::model::{DAY_MS, Interval, Style};
use crate::search::space::{Bound, Dimension, ExitAxes, ExitAxisValue, number_levels};
use crate::search::strategy::{Search, SpaceAxes, Strategy};
use crate::search::weights::Weighting;

fn swing(exits: ExitAxes, column: &str, search: SearchSettings) -> Result<Plan, PlanningError> {
    let dimension = Dimension::new("k", column, Bound::AtLeast, number_levels(&[0.5])).expect("sound");
    let axes = vec![SpaceAxes::new(Style::Swing, exits, vec![dimension])];
    Plan::new(Interval::M15, axes, Costs::default(), search, DayLimits::default())
}

fn staged(strategy: Strategy, budget: u64) -> Plan {
    let search = SearchSettings { stages: Search { strategy, budget, seed: 1 }, ..SearchSettings::default() };
    let axes = vec![SpaceAxes::default_of(Style::Swing)];
    Plan::new(Interval::M15, axes, Costs::default(), search, DayLimits::default()).expect("sound")
}

#[test]
fn a_symbol_has_stopped_after_a_week_or_when_its_last_labels_would_have_ended() {
    let plan = default_plan();
    assert_eq!([7 * DAY_MS - 1, 7 * DAY_MS].map(|newest| plan.is_stopped(0, newest)), [false, true]);
    // Ten days of holding begin at the end of the last day at the latest.
    let long = swing(ExitAxes::new(&[2.0], &[1.5], &[240.0]), "consensus", SearchSettings::default());
    let long = long.expect("sound");
    assert_eq!([11 * DAY_MS - 1, 11 * DAY_MS].map(|newest| long.is_stopped(0, newest)), [false, true]);
}

#[test]
fn candles_are_old_after_two_days_and_two_candles_at_least() {
    let limit = AgeLimit::default();
    assert_eq!(limit.stale_after_ms(Interval::M15.ms()), 2 * DAY_MS);
    assert_eq!(AgeLimit { stale_after_ms: 1, ..limit }.stale_after_ms(DAY_MS), 2 * DAY_MS);
}

#[test]
fn a_space_within_the_budget_is_searched_whole_and_a_part_counts_as_all_parts() {
    let sets = u64::try_from(SpaceAxes::default_of(Style::Swing).sets()).expect("few");
    let whole = &staged(Strategy::Random, sets).styles[0];
    assert_eq!((whole.is_part, whole.asked()), (false, (sets.into(), 1)));
    let part = &staged(Strategy::Random, sets - 1).styles[0];
    assert!(part.is_part);
    for budget in [900, 10_007, sets - 1] {
        let part = &staged(Strategy::Random, budget).styles[0];
        let (asked, parts) = part.asked();
        let searched = part.space.sets() as u64;
        assert!(asked == sets.into() && searched <= budget);
        assert!(parts * searched >= sets && (parts - 1) * searched < sets, "{parts} parts of {searched}");
    }
    assert!(staged(Strategy::Grid, 1).styles.iter().all(|style| !style.is_part), "a grid is asked for whole");
}

#[test]
fn a_last_stage_follows_where_a_first_one_left_something_out() {
    let none = |_| Vec::new();
    let later = |plan: &Plan| plan.last_stage(none).expect("sound").is_some();
    assert!(later(&staged(Strategy::CoarseFine, 1_000)));
    assert!(!later(&staged(Strategy::CoarseFine, 1_000_000)), "the first enumerated everything");
    assert!(!later(&staged(Strategy::Random, 1_000)), "by lot there is one");
    assert!(!later(&staged(Strategy::Polish, 1_000)), "without a starting point it is the same again");
}

#[test]
fn weights_are_learned_only_where_a_filter_reads_the_score_and_no_exit_does() {
    let plan = |exits, column| {
        let search = SearchSettings { weights: Weighting::Learned, ..SearchSettings::default() };
        swing(exits, column, search)
    };
    let plain = || ExitAxes::new(&[2.0], &[1.5], &[8.0]);
    let mut scaled = plain();
    assert!(scaled.set("dynamic_atr_strength", vec![ExitAxisValue::At(1.0)]));
    assert!(plan(plain(), "signal_score").is_ok());
    assert!(matches!(plan(plain(), "consensus"), Err(PlanningError::Weights { .. })));
    assert!(matches!(plan(scaled, "signal_score"), Err(PlanningError::Weights { .. })));
}

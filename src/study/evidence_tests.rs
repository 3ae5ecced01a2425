//! What the evidence counts: every set that was tried, wherever, and every day since a choice; small books, exact figures.

use std::ops::Range;

use super::evidence::{CHOICE_WEIGHT, Evidence, Question, test_plan};
use super::series::{Series, replay_series};
use super::surface::test_surface;
use super::{EvaluationContext, Study, study_parameters};
use crate::engine::plan::{DayLimits, Plan, SearchSettings};
use crate::evaluate::outcome_table::{Entry, OutcomeTable};
use crate::exits::Costs;
use crate::model::{Day, Direction, ExitReason, Interval, Outcome, Outcomes, ReturnPpm, Setup, Style};
use crate::search::space::{Bound, Dimension, ExitAxes, number_levels};
use crate::search::strategy::SpaceAxes;
use crate::validate::assessment::{Assurance, FailedCondition, combined_p};
use crate::validate::normal::cdf;
use crate::validate::surface::{SurfacePlan, SurfaceResult};

const FIRST: Day = Day(20_000);
const DAYS: i32 = 240;
/// Two exit rules and three levels.
const SETS: u64 = 6;

struct World {
    plan: Plan,
    book: OutcomeTable,
    study: Study,
    series: Series,
}

fn plan() -> Plan {
    let exits = ExitAxes::new(&[2.0, 3.0], &[1.5], &[8.0]);
    let dimension =
        Dimension::new("k", "consensus", Bound::AtLeast, number_levels(&[0.1, 0.2, 0.3])).expect("sound");
    let axes = vec![SpaceAxes::new(Style::Swing, exits, vec![dimension])];
    Plan::new(Interval::M15, axes, Costs::default(), SearchSettings::default(), DayLimits::default())
        .expect("a sound plan")
}

/// Two trades a day that earn something on average under the first rule, and less under the second.
fn book(plan: &Plan) -> OutcomeTable {
    let space = &plan.styles[0].space;
    let mut book = OutcomeTable::new(space.lattice().clone(), space.rules().len());
    let mut state = 7_u64;
    let mut lot = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as i32
    };
    for trade in 0..2 * DAYS {
        let drift = [450, 100];
        let outcome = |drift: i32| {
            let net = ReturnPpm(lot() % 10_001 - 5_000 + drift);
            let gross = ReturnPpm(net.0 + 1_000);
            Outcome { net, best_case: net, gross, bars_held: 3, reason: ExitReason::Time, ambiguous: true }
        };
        let row = drift.map(outcome);
        let mut outcomes = Outcomes::new(2);
        outcomes.push_each(&row);
        let entry_ms = Day(FIRST.0 + trade / 2).start_ms() + i64::from(trade % 2) * 40_000_000;
        let entry = Entry { entry_ms, symbol: 0, direction: Direction::Long, setup: Setup::Pullback };
        book.push(entry, &[(lot() % 3) as u8], outcomes.row(0));
    }
    book
}

impl World {
    fn new() -> Self {
        let plan = plan();
        let book = book(&plan);
        let style = &plan.styles[0];
        let in_force = style.space.set(1, style.space.lattice().cell(&[0]));
        let ground = EvaluationContext { style, book: &book };
        let days: Range<Day> = FIRST..Day(FIRST.0 + DAYS);
        let study = study_parameters(ground, ground, days, &plan, Some(&in_force));
        let series = replay_series(ground, ground, &study, &["AUSDT"]);
        Self { plan, book, study, series }
    }

    fn evidence(&self, grids: u64, declared_trials: u64, chosen_on: Option<Day>) -> Evidence {
        let mut plan = self.plan.clone();
        plan.search.declared_trials = declared_trials;
        let style = &plan.styles[0];
        let theirs = EvaluationContext { style, book: &self.book };
        let question = Question {
            plan: &plan,
            style,
            theirs,
            study: &self.study,
            series: &self.series,
            grids,
            weights: None,
            chosen_on,
            closes: &[],
            is_first_look: true,
        };
        question.evidence(&self.book)
    }

    /// The surface, tested by itself.
    fn surface(&self) -> SurfaceResult {
        let plan = SurfacePlan {
            first_day: FIRST.0,
            days: DAYS as usize,
            replicates: 999,
            mean_block: test_plan(&self.plan, &self.plan.styles[0], &self.series).mean_block,
            seed: 20_240_611,
        };
        test_surface(&self.book.window(self.study.days.clone()), &plan)
    }
}

#[test]
fn the_luck_of_a_surface_counts_every_trial_that_was_made() {
    let world = World::new();
    let surface = world.surface();
    let p = surface.p().expect("tested");
    let once = world.evidence(1, 0, None);
    let all = |evidence: &Evidence| [evidence.p_luck, evidence.p_luck_switch].map(|p| p.expect("tested"));
    let plain = all(&once);
    assert_eq!(once.p_surface, Some(p), "one grid and nothing declared: as it was tested");
    let chosen = cdf(-once.cross_fit.expect("folds").t);
    assert_eq!(Some(plain[0]), combined_p(&[(p, 1.0 - CHOICE_WEIGHT), (chosen, CHOICE_WEIGHT)]));
    assert!(plain[0] > 0.0 && plain.iter().all(|p| *p < 1.0 / 4.0), "none reaches one below: {plain:?}");
    assert_eq!((once.trials, once.columns), (SETS, surface.columns() as u64));
    assert!(once.columns > 0 && once.columns <= 3, "a column for each cell of its own");
    let times = |evidence: &Evidence, factor: f64| {
        let found = all(evidence);
        assert!(
            found.iter().zip(plain).all(|(p, once)| (p - once * factor).abs() < 1e-12),
            "{found:?} {plain:?}"
        );
    };
    // Each distinct grid is as many tries more.
    let grids = world.evidence(3, 0, None);
    times(&grids, 3.0);
    assert_eq!(grids.trials, 3 * SETS);
    // Trials made elsewhere are as many grids more as they fill: half of one, and of three.
    let declared = world.evidence(1, 3, None);
    times(&declared, 1.5);
    assert_eq!(declared.trials, SETS + 3);
    let both = world.evidence(2, 6, None);
    times(&both, 2.0 * 1.5);
    assert_eq!(both.trials, 2 * SETS + 6);
    assert_eq!(all(&world.evidence(1_000_000, 0, None)), [1.0; 2], "a probability");
    // What the figures of the candidate alone say does not depend on how many were tried.
    assert_eq!((once.sharpe_year, once.deflated_sharpe), (both.sharpe_year, both.deflated_sharpe));
}

#[test]
fn the_forward_record_begins_the_day_after_the_candles_it_was_chosen_on() {
    let world = World::new();
    let daily = &world.series.incumbent_ppm;
    assert_eq!(daily.len(), DAYS as usize);
    for last in [100, 101, DAYS - 2] {
        let forward = world.evidence(1, 0, Some(Day(FIRST.0 + last))).forward.expect("days follow");
        let after = &daily[last as usize + 1..];
        assert_eq!(forward.days, after.len() as u64, "chosen on day {last}");
        let net_pct: f64 = after.iter().map(|ppm| *ppm as f64 / 10_000.0).sum();
        assert_eq!(forward.net_pct, net_pct);
        // Nobody bets before the first result.
        assert_eq!((forward.e_edge, forward.e_decay) == (1.0, 1.0), after.len() == 1, "{forward:?}");
    }
    for none in [None, Some(Day(FIRST.0 + DAYS - 1)), Some(Day(FIRST.0 + DAYS))] {
        assert_eq!(world.evidence(1, 0, none).forward, None, "{none:?}: nothing before, or nothing after");
    }
    // Two months of the window say how much results vary, however long a set is active.
    for long in [-50, -2, 0, 1, 2, 400] {
        let forward = world.evidence(1, 0, Some(Day(FIRST.0 - long))).forward.expect("days follow");
        assert_eq!(forward.days, DAYS as u64 - 60, "chosen {long} days before the window");
    }
}

#[test]
fn what_a_candidate_earned_is_described_as_it_was_traded() {
    let world = World::new();
    let evidence = world.evidence(1, 0, None);
    let daily = &world.series.candidate_ppm;
    let full = &world.study.top[0].full;
    assert_eq!((evidence.days, evidence.trades), (DAYS as usize, full.trades));
    assert_eq!(evidence.active_days, daily.iter().filter(|ppm| **ppm != 0).count());
    let net: i64 = daily.iter().sum();
    assert_eq!(
        (evidence.worst_case_pct, evidence.best_case_pct),
        (net as f64 / 10_000.0, net as f64 / 10_000.0)
    );
    assert_eq!(evidence.ambiguous_share, Some(1.0));
    // Every trade pays 1,000 ppm: costs may be as much more as what is left over them.
    let costs = 1_000.0 * full.trades as f64;
    let buffer = evidence.cost_buffer.expect("costs are positive");
    assert!((buffer - (net as f64 + costs) / costs).abs() < 1e-9, "{buffer}");
    let mean = net as f64 / 10_000.0 / f64::from(DAYS);
    let (low, high) = evidence.mean_interval_pct.expect("they vary");
    assert!(low < mean && mean < high, "{low} {mean} {high}");
    let yearly = evidence.sharpe_year.expect("they vary");
    let moments = crate::validate::sharpe::Moments::of(&super::evidence::percent(daily)).expect("they vary");
    let year = 365.0_f64.sqrt();
    assert_eq!(yearly, moments.sharpe() * year);
    let lucky = world.surface().lucky_t().expect("tested") / f64::from(DAYS).sqrt();
    assert_eq!(evidence.luck_sharpe_year, Some(lucky * year));
    assert_eq!(evidence.deflated_sharpe, moments.probabilistic_sharpe(lucky));
    let fitted = evidence.cross_fit.expect("enough days");
    assert!(fitted.low_year < fitted.sharpe_year && fitted.sharpe_year < fitted.high_year, "{fitted:?}");
    assert_eq!(evidence.expected_sharpe_year(), Some(fitted.sharpe_year.min(yearly)));
    let needed = moments.min_track_record(0.0, 0.95).filter(|days| days.is_finite()).expect("it earns");
    assert_eq!(evidence.days_needed, Some((needed - f64::from(DAYS)).max(0.0).ceil()));
    assert!(evidence.plateau_ratio.is_some_and(|ratio| ratio < 1.0), "the neighbours lose or are the same");
    assert!(evidence.edge.is_some() && evidence.switch.is_some());
    let walk = evidence.walk_forward.expect("folds");
    assert!((0.0..=1.0).contains(&walk.positive) && walk.choices > 1);
}

#[test]
fn what_was_not_tested_is_untested_and_a_set_in_force_is_no_switch_to_itself() {
    let mut world = World::new();
    world.plan.search.quick = true;
    let quick = world.evidence(1, 0, None);
    assert_eq!((quick.p_luck, quick.p_luck_switch, quick.walk_forward, quick.columns), (None, None, None, 0));
    assert_eq!(quick.edge.map(|edge| edge.assurance), Some(Assurance::Untested));
    assert_eq!(quick.switch.map(|switch| switch.assurance), Some(Assurance::Untested));
    world.plan.search.quick = false;
    world.series.incumbent_ppm = world.series.candidate_ppm.clone();
    let same = world.evidence(1, 0, Some(Day(FIRST.0 + 100)));
    assert!(same.edge.is_some() && same.switch.is_none());
    // What is active and has been losing since is held to it: evidence of decay counts only where it is its own.
    for ppm in &mut world.series.incumbent_ppm[101..] {
        *ppm = -3 * ppm.abs() - 5_000;
    }
    world.series.candidate_ppm = world.series.incumbent_ppm.clone();
    let lost = world.evidence(1, 0, Some(Day(FIRST.0 + 100)));
    let forward = lost.forward.expect("days follow");
    assert!(forward.e_decay > 20.0 && forward.e_edge <= 1.0, "{forward:?}");
    assert!(lost.vetoes.contains(&FailedCondition::Decay), "{:?}", lost.vetoes);
    assert!(!same.vetoes.contains(&FailedCondition::Decay), "{:?}", same.vetoes);
}

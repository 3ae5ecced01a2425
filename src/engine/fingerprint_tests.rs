//! What fingerprints cover: every part of a plan, of costs and of a unit's keys makes another one, and none changes unseen.

use std::collections::{BTreeMap, BTreeSet};

use crate::decide::Require;
use crate::engine::plan::{DayLimits, OwnSettings, Plan, SearchSettings, StylePlan};
use crate::engine::reuse::{DayPrints, costs_fingerprint};
use crate::engine::unit_schema::UnitSchema;
use crate::evaluate::portfolio::{Cooldown, PortfolioLimits};
use crate::evaluate::score::Score;
use crate::exits::{Costs, Fills};
use crate::features::score::ScoreWeights;
use crate::fingerprint::Fingerprint;
use crate::model::{Day, Direction, ExitRule, Interval, Sides, Style, Symbol};
use crate::search::rank::{ConstrainedMetric, Constraint, RankBy};
use crate::search::space::{Bound, Dimension, ExitAxes, ExitAxisValue, SearchSpace, number_levels};
use crate::search::strategy::{Search, SpaceAxes, Strategy};
use crate::search::weights::Weighting;

fn default_axes() -> Vec<SpaceAxes> {
    Style::ALL.map(SpaceAxes::default_of).to_vec()
}

fn plan_with(axes: Vec<SpaceAxes>, costs: Costs, search: SearchSettings) -> Plan {
    Plan::new(Interval::M15, axes, costs, search, DayLimits::default()).expect("a sound plan")
}

/// Settings whose fingerprints are pinned: the defaults of the version that pinned them.
fn pinned_search() -> SearchSettings {
    SearchSettings { score: Score::Balanced, rank: RankBy::Plateau, ..SearchSettings::default() }
}

pub(crate) fn default_plan() -> Plan {
    plan_with(default_axes(), Costs::default(), pinned_search())
}

fn searched(change: impl Fn(&mut SearchSettings)) -> Plan {
    let mut search = pinned_search();
    change(&mut search);
    plan_with(default_axes(), Costs::default(), search)
}

fn changed(change: impl Fn(&mut Plan)) -> Plan {
    let mut plan = default_plan();
    change(&mut plan);
    plan
}

fn costing(change: impl Fn(&mut Costs)) -> Plan {
    changed(|plan| change(&mut plan.costs))
}

fn limited(limits: PortfolioLimits) -> Plan {
    changed(|plan| plan.portfolio = limits)
}

fn constrained(metric: ConstrainedMetric, below: bool, limit: f64) -> Plan {
    searched(|search| search.constraints = vec![Constraint { metric, below, limit }])
}

fn symbol(name: &str) -> Symbol {
    Symbol::parse(name).expect("a plain name")
}

/// A plan of one style whose space is one rule and one dimension, but for what is given.
fn small(exits: ExitAxes, key: &str, column: &str, bound: Bound, levels: &[f64]) -> Plan {
    let dimension = Dimension::new(key, column, bound, number_levels(levels)).expect("sound");
    let axes = vec![SpaceAxes::new(Style::Swing, exits, vec![dimension])];
    plan_with(axes, Costs::default(), pinned_search())
}

fn exits() -> ExitAxes {
    ExitAxes::new(&[2.0], &[1.5], &[8.0])
}

fn staged(strategy: Strategy, budget: u64, seed: u64) -> Plan {
    searched(|search| search.stages = Search { strategy, budget, seed })
}

/// Plans of which each differs from the first in one thing, with their fingerprints. They are pinned: another fingerprint of the
/// same plan makes every store ask again what it knows, and counts every grid as one more trial.
#[rustfmt::skip]
fn plans() -> Vec<(&'static str, Plan, &'static str)> {
    use ConstrainedMetric as Metric;
    let surge = || {
        let mut exits = exits();
        assert!(exits.set("volume_surge_exit", vec![ExitAxisValue::At(3.0)]));
        exits
    };
    let limits = PortfolioLimits::default();
    vec![
        ("default", default_plan(), "a883c6e2af1ce204"),
        ("interval", changed(|plan| plan.interval = Interval::from_minutes(60)), "aec55b204ca5893c"),
        ("one style", changed(|plan| plan.styles.truncate(1)), "bbe4f06ca420398b"),
        ("styles in another order", changed(|plan| plan.styles.reverse()), "c761e765f37e532c"),
        ("opportunity stop", changed(|plan| plan.styles[0].opportunity.stop_atr = 1.5), "7c47d4d1bddc2bdc"),
        ("opportunity reward", changed(|plan| plan.styles[0].opportunity.reward_min = 1.5), "be6d5fade69375e4"),
        ("opportunity horizon", changed(|plan| plan.styles[0].opportunity.horizon_bars += 1), "78affea58dc506dc"),
        ("taker fee", costing(|costs| costs.taker_fee = 0.0006), "c8a4fba8f27ad297"),
        ("maker fee", costing(|costs| costs.maker_fee = 0.0006), "41828def03d0b018"),
        ("slippage of majors", costing(|costs| costs.slippage_major = 0.0006), "0d0d573187758f32"),
        ("slippage of others", costing(|costs| costs.slippage_other = 0.0006), "9c3b18e72a34f977"),
        ("slippage of stops", costing(|costs| costs.stop_slippage_factor = 0.0006), "2d01db9639eb8bb7"),
        ("funding", costing(|costs| costs.funding_per_8h = 0.0006), "21681ade5e40d84b"),
        ("sides", changed(|plan| plan.styles[0].sides = Sides::Only(Direction::Long)), "e6c1506a3c5d1a35"),
        ("other side", changed(|plan| plan.styles[0].sides = Sides::Only(Direction::Short)), "a99a344e44e74be5"),
        ("fills", costing(|costs| costs.fills = Fills::Freqtrade), "742e2357ca147f91"),
        ("one major less", costing(|costs| costs.majors.truncate(1)), "8c5260e84a749194"),
        ("another major", costing(|costs| costs.majors[1] = symbol("SOLUSDT")), "917c6ad1900cbeaa"),
        ("score", searched(|search| search.score = Score::Sharpe), "26efc4c4bea82893"),
        ("rank", searched(|search| search.rank = RankBy::Peak), "18d8ae92b9603590"),
        ("trades", constrained(Metric::Trades, false, 0.5), "8b03f8e08ee0bd0e"),
        ("win rate", constrained(Metric::WinRate, false, 0.5), "95e89d9f492bbd29"),
        ("expectancy", constrained(Metric::ExpectancyPct, false, 0.5), "f1d4c6a1f3465966"),
        ("payoff", constrained(Metric::PayoffRatio, false, 0.5), "c0f3c1d896a25558"),
        ("profit factor", constrained(Metric::ProfitFactor, false, 0.5), "8ae3c3d3386242a9"),
        ("total return", constrained(Metric::TotalReturnPct, false, 0.5), "15bb95b2255d30b6"),
        ("drawdown", constrained(Metric::MaxDrawdownPct, false, 0.5), "f79716fc7060a4f2"),
        ("sharpe", constrained(Metric::SharpeDaily, false, 0.5), "1a61696a2d350392"),
        ("below", constrained(Metric::Trades, true, 0.5), "5d3a6c84b284b557"),
        ("limit", constrained(Metric::Trades, false, 0.6), "6510d40275c6a90a"),
        ("early trades", searched(|search| search.trades_min = 51), "41b94a940ac07636"),
        ("late trades", searched(|search| search.late_trades_min = 21), "3149c5889f275605"),
        ("position", searched(|search| search.position_ratio = 0.3), "ade19f947e2faf8e"),
        ("early share", searched(|search| search.early_share = 0.3), "c37f659ec43c0ea2"),
        ("top", searched(|search| search.top = 21), "ec7c7a05aa454fb7"),
        ("improvement", searched(|search| search.min_improvement = 0.1), "2bf5f3216391c29f"),
        ("step", searched(|search| search.max_step = Some(1)), "45bc7d9feaf71001"),
        ("declared trials", searched(|search| search.declared_trials = 1), "e5ff51bd0a93db32"),
        ("stable", searched(|search| search.require = Require::Stable), "641d5d386cd21dd0"),
        ("real", searched(|search| search.require = Require::Real), "34e0336c8769d268"),
        ("quick", searched(|search| search.quick = true), "41416261f4bcc6a3"),
        ("no own sets", searched(|search| search.own = None), "405b008c9085d675"),
        ("own trades", searched(|search| search.own = Some(OwnSettings { trades_min: 31, prior_trades: 100 })), "6bfb62f10321fcd0"),
        ("prior trades", searched(|search| search.own = Some(OwnSettings { trades_min: 30, prior_trades: 101 })), "3f59e1469754eaa6"),
        ("learned weights", searched(|search| search.weights = Weighting::Learned), "232851592ffd3ac9"),
        ("learned weights by another lot", searched(|search| {
            search.weights = Weighting::Learned;
            search.stages.seed = 2;
        }), "c69070d77208c996"),
        ("random", staged(Strategy::Random, 1_000, 1), "410421d7a76b5e9d"),
        ("coarse, then fine", staged(Strategy::CoarseFine, 1_000, 1), "9b1f1566087ce448"),
        ("polish", staged(Strategy::Polish, 1_000, 1), "197d7107448853b4"),
        ("budget", staged(Strategy::Random, 1_001, 1), "a5ef42e40b0aeac9"),
        ("seed", staged(Strategy::Random, 1_000, 2), "b1039179c3e2ff53"),
        ("no limit of the portfolio", limited(PortfolioLimits::NONE), "a97b6770b506c744"),
        ("positions of a symbol", limited(PortfolioLimits { per_symbol: Some(2), ..limits }), "00c4755acc0ea916"),
        ("positions", limited(PortfolioLimits { positions: Some(2), ..limits }), "bf7bef9a0cd55cf5"),
        ("pause", limited(PortfolioLimits { cooldown: Some(Cooldown { losses: 2, pause_ms: 1 }), ..limits }), "739c8b4c52b0282f"),
        ("longer pause", limited(PortfolioLimits { cooldown: Some(Cooldown { losses: 2, pause_ms: 2 }), ..limits }), "2ffa13285410ebb2"),
        ("later pause", limited(PortfolioLimits { cooldown: Some(Cooldown { losses: 3, pause_ms: 1 }), ..limits }), "7b54198e0b473a1c"),
        ("loss of a day", limited(PortfolioLimits { day_loss_ppm: Some(2), ..limits }), "6e35de33bd5e4188"),
        ("market", changed(|plan| plan.regime_symbol = symbol("SOLUSDT")), "f409f73ebdd0e6ee"),
        ("first day", changed(|plan| plan.days.first = Some(Day(20_000))), "0b2d5bc3bf03609a"),
        ("end", changed(|plan| plan.days.end = Some(Day(20_000))), "e5d12ce5e6b11541"),
        ("window", changed(|plan| plan.days.window_days = Some(20_000)), "d93c29544bf96081"),
        ("small", small(exits(), "k", "consensus", Bound::AtLeast, &[0.5]), "8f1d890ad107cb95"),
        ("bound", small(exits(), "k", "consensus", Bound::AtMost, &[0.5]), "d1c03b9976324a88"),
        ("key", small(exits(), "l", "consensus", Bound::AtLeast, &[0.5]), "dfcd77bd80859720"),
        ("column", small(exits(), "k", "signal_score", Bound::AtLeast, &[0.5]), "f484552a6ae45fae"),
        ("column of signals", small(exits(), "k", "signals.own", Bound::AtLeast, &[0.5]), "f8b0079960391bb9"),
        ("level", small(exits(), "k", "consensus", Bound::AtLeast, &[0.6]), "b5719222925e4585"),
        ("levels", small(exits(), "k", "consensus", Bound::AtLeast, &[0.5, 0.6]), "1756ea7897195495"),
        ("take-profit", small(ExitAxes::new(&[2.5], &[1.5], &[8.0]), "k", "consensus", Bound::AtLeast, &[0.5]), "3acc4d74ea7ed68b"),
        ("stop", small(ExitAxes::new(&[2.0], &[2.5], &[8.0]), "k", "consensus", Bound::AtLeast, &[0.5]), "15e689dfef4feb3b"),
        ("hours", small(ExitAxes::new(&[2.0], &[1.5], &[9.0]), "k", "consensus", Bound::AtLeast, &[0.5]), "93acef1355509574"),
        ("mechanism", small(surge(), "k", "consensus", Bound::AtLeast, &[0.5]), "310b1912bb8a129c"),
    ]
}

/// Holds what is found against what is pinned, all at once, so that one run shows every difference.
pub(crate) fn assert_pinned(found: &[(&str, Fingerprint, &str)]) {
    let differ = found.iter().filter(|(_, print, pinned)| print.to_string() != *pinned);
    let differ: Vec<String> =
        differ.map(|(name, print, pinned)| format!("{name}: {print} instead of {pinned:?}")).collect();
    assert!(
        differ.is_empty(),
        "fingerprints changed, so that nothing that is stored fits any more:\n{}",
        differ.join("\n")
    );
}

#[test]
fn the_fingerprint_of_a_plan_covers_every_part_of_it_and_is_pinned() {
    let plans = plans();
    let prints: Vec<_> =
        plans.iter().map(|(name, plan, pinned)| (*name, plan.fingerprint(), *pinned)).collect();
    let mut seen = BTreeMap::new();
    for (name, print, _) in &prints {
        if let Some(other) = seen.insert(*print, *name) {
            panic!("{name}: the same fingerprint as {other}");
        }
    }
    assert_pinned(&prints);
}

#[test]
fn what_a_unit_depends_on_has_pinned_fingerprints() {
    let plan = default_plan();
    let style = &plan.styles[1];
    let rule = ExitRule { surge_factor: Some(3.0), ..ExitRule::new(2.0, 1.5, 8.0) };
    let schema = UnitSchema { columns: vec!["a".to_owned(), "b".to_owned()], rules: vec![rule] };
    let prints: Vec<(Day, Fingerprint)> =
        (0..20).map(|day| (Day(day), Fingerprint([day as u8; 32]))).collect();
    let days = DayPrints::new(&prints, Day(20).start_ms() - 1);
    let own = costs_fingerprint(&plan.costs, &symbol("SOLUSDT"), style);
    let keys = |day, stopped| days.clone().stopped(stopped).keys(Day(day), style, &plan, own, own);
    assert_pinned(&[
        ("default schema", UnitSchema::of(style).fingerprint(), "a0f3cc1c0ee1c247"),
        ("schema", schema.fingerprint(), "a9c8f6b1454acc8e"),
        ("costs of a major", costs_fingerprint(&plan.costs, &symbol("BTCUSDT"), style), "be435ec0e2a8bb5a"),
        ("costs of another", own, "778f9ec13582f2e5"),
        ("candles", days.candles(Day(12), &plan), "e30d7d7782098d3e"),
        ("ahead, sealed", keys(3, false).ahead, "ba83cfc0318c2a80"),
        ("ahead, not sealed", keys(18, false).ahead, "5fd3f0888d375f4c"),
        ("ahead, stopped", keys(18, true).ahead, "0d99ee81ead8695b"),
    ]);
}

#[test]
fn every_cost_of_a_unit_makes_another_fingerprint() {
    let plan = default_plan();
    let style = &plan.styles[0];
    let print = |change: &dyn Fn(&mut Costs), name: &str| {
        let mut costs = Costs::default();
        change(&mut costs);
        costs_fingerprint(&costs, &symbol(name), style)
    };
    let prints = [
        print(&|_| (), "SOLUSDT"),
        print(&|costs| costs.taker_fee *= 2.0, "SOLUSDT"),
        print(&|costs| costs.maker_fee *= 2.0, "SOLUSDT"),
        print(&|costs| costs.slippage_other *= 2.0, "SOLUSDT"),
        print(&|costs| costs.stop_slippage_factor *= 2.0, "SOLUSDT"),
        print(&|costs| costs.funding_per_8h *= 2.0, "SOLUSDT"),
        print(&|costs| costs.majors.push(symbol("SOLUSDT")), "SOLUSDT"),
        print(&|costs| costs.fills = Fills::Freqtrade, "SOLUSDT"),
    ];
    assert_eq!(prints.iter().collect::<BTreeSet<_>>().len(), prints.len(), "each by itself");
    // What the trades of a symbol do not pay asks for no evaluation: the round trip of an oracle is that of an ordinary market.
    assert_eq!(print(&|_| (), "SOLUSDT"), print(&|costs| costs.slippage_major *= 2.0, "SOLUSDT"));
    assert_ne!(print(&|_| (), "BTCUSDT"), print(&|costs| costs.slippage_major *= 2.0, "BTCUSDT"));
    assert_ne!(
        print(&|_| (), "BTCUSDT"),
        print(&|costs| costs.slippage_other *= 2.0, "BTCUSDT"),
        "the oracle's"
    );
    let rule = |change: &dyn Fn(&mut StylePlan)| {
        let mut style = style.clone();
        change(&mut style);
        costs_fingerprint(&plan.costs, &symbol("SOLUSDT"), &style)
    };
    let rules = [
        rule(&|_| ()),
        rule(&|style| style.opportunity.stop_atr *= 2.0),
        rule(&|style| style.opportunity.reward_min *= 2.0),
        rule(&|style| style.opportunity.horizon_bars *= 2),
    ];
    assert_eq!(rules.into_iter().collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn a_grid_is_one_trial_whatever_its_learned_weights_are() {
    let learned = searched(|search| search.weights = Weighting::Learned);
    let style = &learned.styles[1];
    let print = style.grid_fingerprint(&learned.search.stages);
    let weights = ScoreWeights::of(Style::Swing, |_| Some(7)).expect("weights");
    assert_eq!(style.weighed(weights).grid_fingerprint(&learned.search.stages), print);
    let fixed = SearchSpace::default_of(Style::Swing);
    assert_eq!(fixed.rules(), style.space.rules());
    assert_ne!(default_plan().styles[1].grid_fingerprint(&Search::default()), print);
}

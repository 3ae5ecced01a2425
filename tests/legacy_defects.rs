//! What the legacy system got wrong, defect by defect: what it gives, what this system gives, and why they differ.

use crate::legacy_oracles::context::{BullishRatio, context_analysis};
use crate::legacy_oracles::exit_simulation::{
    Future, LegacyExit, Multiples, Simulated, SimulatedSignal, SimulationOptions, Surge, simulate_exit,
};
use crate::legacy_oracles::grid::Grid;
use crate::legacy_oracles::phase2::{exit_trials, required_target};
use crate::legacy_oracles::sampling::sample;
use crate::legacy_oracles::search::{Trial, ranked, trials};
use crate::legacy_oracles::signal_score::TrendLabel;
use crate::legacy_oracles::statistics::sensitivities;
use crate::legacy_oracles::weights::weight_quality;
use retune::decide::{Contender, DecisionOutcome as Decided, Require, decide_style};
use retune::evaluate::legacy_score::{LegacyInputs, legacy_score};
use retune::evaluate::metrics::Circumstances;
use retune::evaluate::score::Score;
use retune::evaluate::sweep::GridPoint;
use retune::exits::{Costs, ExitPlan};
use retune::ingest::{LegacyRecord, parse_legacy_opportunities};
use retune::legacy::rules::capture::capture_by_thresholds;
use retune::legacy::rules::metrics::{LegacyMetrics, LegacyOpportunity};
use retune::legacy::rules::phase4::{
    OpportunityOutcomes, Overfitting, ValidatedOpportunity, ValidationRule, validate_style,
};
use retune::legacy::rules::settings::{Setting, Settings};
use retune::legacy::rules::trailing_stop::{TrailingRule, TrailingSignal, trailing_stop};
use retune::model::{
    Candle, CandleSeries, Direction, ExitReason, ExitRule, FilterValue, Interval, Outcome, Outcomes,
    ParameterSet, ReturnPpm, Style, Symbol,
};
use retune::validate::verdict::{TradeMinimums, Verdict, judge_candidate};

use crate::legacy_exits::simulated;
use crate::legacy_parity::{committed, legacy_documents};

const PLAIN: SimulationOptions = SimulationOptions { dynamic_atr: false, costs: false };

/// Opportunities of the committed excerpt.
fn records() -> Vec<LegacyRecord> {
    retune::ingest::read_legacy_opportunities(&committed("legacy").join("opportunities.json"))
        .expect("records")
}

fn signal(direction: Direction, high: f64, low: f64, close: f64) -> SimulatedSignal {
    SimulatedSignal {
        entry_price: 100.0,
        direction,
        atr: 1.0,
        signal_score: None,
        surge: Surge::None,
        recent_high: 0.0,
        recent_low: 0.0,
        future: Future { max_high: Some(high), min_low: Some(low), final_close: Some(close) },
    }
}

/// The outcome of this system's exits without costs: ATR 1 % of an entry at 100 (times `scale`), candles of 15 minutes.
fn outcome(candles: &[(f64, f64, f64, f64)], direction: Direction, rule: ExitRule, scale: f64) -> Outcome {
    let plan = ExitPlan::new(vec![rule], Interval::M15).expect("a sound rule");
    let last = candles.last().expect("a candle").3;
    let candle = |i: usize| {
        let (open, high, low, close) = candles.get(i).copied().unwrap_or((last, last, last, last));
        Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: open * scale,
            high: high * scale,
            low: low * scale,
            close: close * scale,
            volume: 1.0,
        }
    };
    let mut series = CandleSeries::new(Interval::M15);
    (0..plan.hold_bars_max()).for_each(|i| series.push(candle(i)));
    let costs = Costs::free().of(&Symbol::parse("BTCUSDT").expect("a name"));
    let mut out = Outcomes::new(1);
    let position = retune::exits::Position {
        bars: series.bars(),
        entry: 0,
        direction,
        atr: scale,
        score: None,
        exit_at: None,
    };
    plan.pass().outcomes(&position, &costs, &mut out);
    *out.row(0).of(0)
}

fn rule(target: f64, stop: f64, hold_hours: f64) -> ExitRule {
    ExitRule::new(target, stop, hold_hours)
}

/// D05: of two touched levels the larger excursion wins, and with a direction by hindsight that is the target.
/// Here the stop comes first, and the better case is told beside it.
#[test]
fn d05_two_touched_levels() {
    let legacy = simulate_exit(&signal(Direction::Long, 105.0, 98.0, 104.0), &Multiples::default(), PLAIN);
    assert_eq!(legacy.profit_pct(), 4.0);
    let ours = outcome(&[(100.0, 105.0, 98.0, 104.0)], Direction::Long, rule(4.0, 1.5, 1.0), 1.0);
    assert_eq!((ours.reason, ours.net), (ExitReason::Stop, ReturnPpm(-15_000)));
    assert!(ours.ambiguous && ours.best_case == ReturnPpm(40_000));
}

/// D10: the holding time is no argument of the simulation; every trade is valued at the close a day later.
#[test]
fn d10_the_holding_time_counts() {
    let legacy = simulate_exit(&signal(Direction::Long, 101.0, 99.5, 100.8), &Multiples::default(), PLAIN);
    assert!((legacy.profit_pct() - 0.8).abs() < 1e-9, "whatever max_holding_hours says");
    let candles: Vec<_> =
        (0..8).map(|i| f64::from(i) / 10.0).map(|d| (100.0 + d, 100.2 + d, 99.9 + d, 100.1 + d)).collect();
    let ours = |hours| outcome(&candles, Direction::Long, rule(4.0, 1.5, hours), 1.0);
    assert_eq!((ours(1.0).net, ours(2.0).net), (ReturnPpm(4_000), ReturnPpm(8_000)));
    assert_eq!((ours(1.0).bars_held, ours(2.0).reason), (4, ExitReason::Time));
}

/// D11: the reason is derived again, stop first, and contradicts the profit that was booked.
#[test]
fn d11_reasons_that_contradict_the_profit() {
    for (document, full) in legacy_documents("exit_sim.json", "exit_sim_2000.json") {
        let contradicted = |row: &&serde_json::Value| {
            let closed = simulated(row);
            matches!(
                closed,
                Simulated::Closed { booked: LegacyExit::TakeProfit, reported: LegacyExit::StopLoss, .. }
            )
        };
        let rows = document["rows"].as_array().expect("rows");
        let count = rows.iter().filter(contradicted).count();
        assert!(if full { count == 178 } else { count > 0 }, "{count} rows");
    }
    // One reason, that of the fill the return comes from.
    let ours = outcome(&[(100.0, 105.0, 99.9, 104.0)], Direction::Long, rule(4.0, 1.5, 1.0), 1.0);
    assert_eq!((ours.reason, ours.net), (ExitReason::TakeProfit, ReturnPpm(40_000)));
}

/// D12: the validation's trailing stop is long whatever the direction, and a stop-out where the potential is unset.
#[test]
fn d12_shorts_can_win() {
    let falling = [99.0, 98.0, 97.0];
    let of_short = TrailingSignal { entry_price: 100.0, atr: 1.0, max_potential_profit: 0.0 };
    let rule_of_legacy = TrailingRule::default();
    assert_eq!(trailing_stop(&of_short, &rule_of_legacy, Some(&falling)).profit_pct, -1.5);
    assert_eq!(trailing_stop(&of_short, &rule_of_legacy, None).profit_pct, -1.5);
    let candles = [(100.0, 100.1, 98.9, 99.0), (99.0, 99.1, 97.9, 98.0), (98.0, 98.1, 96.9, 97.0)];
    let ours = outcome(&candles, Direction::Short, rule(3.0, 1.5, 1.0), 1.0);
    assert_eq!((ours.reason, ours.net), (ExitReason::TakeProfit, ReturnPpm(30_000)));
}

/// D07, D08: the drawdown in percentage points is judged as a fraction, so that profitable sets score 0, and losing
/// sets have a floor above it. Here a loss scores below 0 and the drawdown is that of the account.
#[test]
fn d07_d08_losers_do_not_rank_above_winners() {
    let score = |profits: &[f64]| legacy_score(&LegacyInputs::from(&LegacyMetrics::of(profits, 100)));
    let (winning, losing) = ([2.0, -1.0, 2.0, -1.0], [-0.5, 0.2, -0.5, 0.2]);
    assert!(score(&losing) > score(&winning), "{} and {}", score(&losing), score(&winning));
    let point = |profits: &[f64]| {
        let ppm = |profit: &f64| (*profit * 10_000.0) as i64;
        let sum = |won: bool| profits.iter().filter(|p| (**p > 0.0) == won).map(ppm).sum::<i64>() * 25;
        GridPoint {
            trades: 100,
            wins: 50,
            win_ppm: sum(true),
            loss_ppm: sum(false),
            drawdown_ppm: 10_000,
            day_square_ppm2: 100 * 400_000_000,
        }
    };
    let around = Circumstances { candidates: 200, days: 100, trades_min: 10, position_ratio: 0.2 };
    let ours = |profits: &[f64]| Score::Balanced.value(&point(profits), &around).expect("enough trades");
    assert!(ours(&winning) > 0.0 && ours(&losing) < 0.0, "{} and {}", ours(&winning), ours(&losing));
}

fn validated(hour: u32) -> ValidatedOpportunity {
    ValidatedOpportunity {
        timestamp: format!("2025-11-01 {hour:02}:00:00"),
        signal_score: 90.0,
        // What is there is `consensus`; the validation reads another key.
        indicator_consensus: 0.0,
        entry_price: 100.0,
        atr: 1.0,
        max_potential_profit: 3.0,
    }
}

const EVIDENCE: TradeMinimums = TradeMinimums { early_trades_min: 50, late_trades_min: 20 };

/// D09: the validation reads a key that is not there, captures nothing, and passes. Here no trades are SKIPPED.
#[test]
fn d09_no_trades_do_not_pass() {
    let all: Vec<_> = (0..24).map(validated).collect();
    let legacy = validate_style(&all, &ValidationRule::default(), 0.0).expect("there are opportunities");
    assert_eq!((legacy.full.captured_count, legacy.verdict), (0, Verdict::Passed));
    let ours = judge_candidate(&GridPoint::default(), &GridPoint::default(), None, EVIDENCE);
    assert_eq!((ours.verdict, ours.stability), (Verdict::Skipped, None));
}

/// D28: an improvement counts as degradation, and losing everything costs 20 points. Here neither.
#[test]
fn d28_improving_is_no_degradation() {
    let part =
        |avg_profit| OpportunityOutcomes { avg_profit, win_rate: 0.5, ..OpportunityOutcomes::default() };
    let better = Overfitting::of(&part(1.0), &part(2.0));
    assert_eq!((better.profit_degradation, better.stability(1.5)), (1.0, 80.0));
    let gone = Overfitting::of(&part(1.0), &part(0.0));
    assert_eq!(gone.stability(0.5), 80.0);
    let point =
        |win_ppm| GridPoint { trades: 100, wins: 50, win_ppm, loss_ppm: -1_000_000, ..GridPoint::default() };
    let ours = judge_candidate(&point(1_100_000), &point(1_200_000), None, EVIDENCE);
    assert_eq!((ours.verdict, ours.degradation, ours.stability), (Verdict::Passed, Some(0.0), Some(100.0)));
    assert_eq!(
        judge_candidate(&point(1_100_000), &point(1_000_000), None, EVIDENCE).verdict,
        Verdict::Failed
    );
}

/// D13: of 139,968 sets only 108 can differ; exits and advanced filters are in the grid and change nothing.
#[test]
fn d13_most_of_the_grid_is_one_point() {
    let grid = Grid::around(Style::Scalping, &Settings::default());
    let acting = ["min_risk_reward", "min_signal_score", "min_consensus_score", "min_consensus"];
    let distinct: u64 =
        grid.dimensions().iter().filter(|(k, _)| acting.contains(k)).map(|(_, v)| v.len() as u64).product();
    assert_eq!((grid.len(), distinct), (139_968, 108));
    let opportunities: Vec<LegacyOpportunity> = records().iter().map(LegacyOpportunity::from).collect();
    let centre: Vec<usize> = grid.dimensions().iter().map(|(_, values)| values.len() / 2).collect();
    let score = |places: &[usize]| capture_by_thresholds(&opportunities, &grid.settings(places).thresholds());
    let mut loosest = centre.clone();
    for (dimension, (key, _)) in grid.dimensions().iter().enumerate() {
        let mut places = centre.clone();
        places[dimension] = 0;
        if acting.contains(key) {
            loosest[dimension] = 0;
        } else {
            assert_eq!(score(&places), score(&centre), "{key} changes nothing");
        }
    }
    assert!(score(&loosest).metrics.captured_count > score(&centre).metrics.captured_count);
    // Here another stop or target is another outcome; that all twelve dimensions act is tested on candles.
    let candles = [(100.0, 102.5, 99.8, 102.0), (102.0, 102.0, 98.0, 98.0)];
    let ours = |target, stop| outcome(&candles, Direction::Long, rule(target, stop, 1.0), 1.0).net;
    assert!(ours(2.0, 1.5) != ours(3.0, 1.5) && ours(3.0, 1.5) != ours(3.0, 1.0));
}

/// D17: 4 and 8 combinations are the same 21. D50: the whole grid was listed for it.
#[test]
fn d17_both_stages_try_the_same() {
    let grid = Grid::around(Style::Swing, &Settings::default());
    assert_eq!(sample(&grid, 4, 1), sample(&grid, 8, 2));
    assert_eq!(sample(&grid, 4, 1).len(), 21);
}

/// D18: a partial suggestion is tried with stricter defaults than the grid has, and decides what is reported on.
#[test]
fn d18_a_partial_set_is_stricter_and_comes_first() {
    let grid = Grid::around(Style::Scalping, &Settings::default());
    let suggestion: Settings = [("min_signal_score", 40i64), ("foo", 1)]
        .map(|(k, v)| (k.to_owned(), Setting::from(v)))
        .into_iter()
        .collect();
    let partial = grid.suggested(&suggestion).expect("a dimension of the grid");
    let full = grid.settings(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((partial.thresholds().min_risk_reward, full.thresholds().min_risk_reward), (1.5, 0.5));
    let other = grid.settings(&[2, 2, 2, 2, 2, 3, 2, 1, 2, 1, 1, 1]);
    let opportunities: Vec<LegacyOpportunity> = records().iter().map(LegacyOpportunity::from).collect();
    let tried = trials(&opportunities, &[partial, full, other]);
    let keys: Vec<String> = sensitivities(&tried).into_iter().map(|s| s.key).collect();
    assert_eq!(keys, ["min_signal_score"], "eleven dimensions are not mentioned");
}

/// D19: signed slopes cancel: a parameter with one clear best value has no influence at all. Here an axis weighs by
/// the share of the score's variance that it explains (`search::rank`).
#[test]
fn d19_opposite_slopes_cancel() {
    let trial = |level: i64, score: f64| {
        let mut settings = Settings::default();
        settings.set("min_consensus", level);
        Trial { settings, metrics: LegacyMetrics::default(), score }
    };
    let tried = [trial(2, 0.1), trial(3, 1.2), trial(4, 0.1)];
    assert_eq!(ranked(&tried)[0].settings.number("min_consensus"), Some(3.0));
    let found = &sensitivities(&tried)[0];
    assert_eq!((found.avg_impact, found.importance.as_str()), (0.0, "low"));
}

/// D20: ATR in quote currency is read as percent, so that the needed target depends on the price of the coin. Here
/// distances are in ATR on both sides, and the price does not matter.
#[test]
fn d20_targets_do_not_depend_on_the_price() {
    let record = |price: f64| -> Vec<LegacyRecord> {
        let text = format!(
            r#"[{{"signal_score": 80, "entry_price": {price}, "atr": {}, "objective_profit": 10.0}}]"#,
            price * 0.01
        );
        parse_legacy_opportunities(text.as_bytes(), std::path::Path::new("memory")).expect("a record")
    };
    let (dear, cheap) = (record(100_000.0), record(0.2));
    assert!((required_target(&dear, Style::Swing) - 0.01).abs() < 1e-12);
    assert!((required_target(&cheap, Style::Swing) - 5_000.0).abs() < 1e-6);
    // Stops act on nothing: only winners exist (D04), and every pair of one target ties.
    assert!(
        exit_trials(&dear, Style::Swing).windows(3).step_by(3).all(|t| t[0].avg_profit == t[2].avg_profit)
    );
    let candles = [(100.0, 102.5, 99.8, 102.0)];
    let ours = |scale| outcome(&candles, Direction::Long, rule(2.0, 1.5, 1.0), scale).net;
    assert_eq!((ours(1_000.0), ours(0.002)), (ReturnPpm(20_000), ReturnPpm(20_000)));
}

/// D21: shorts fall out of the analysis because their candles are not bullish.
#[test]
fn d21_shorts_have_their_own_candles() {
    let short = LegacyOpportunity {
        direction: Direction::Short,
        kline_ctx_bullish_ratio: Some(0.25),
        actual_profit_pct: Some(2.0),
        ..LegacyOpportunity::from(&records()[0])
    };
    let groups = |ratio| context_analysis(&[short], ratio).kline_context;
    assert_eq!(groups(BullishRatio::AsRead), []);
    assert_eq!(groups(BullishRatio::InDirection)[0].label, "0.7-0.8");
}

/// D25: weights are chosen by how high winners score; scores that tell nothing apart are best of all.
#[test]
fn d25_weights_are_chosen_among_winners() {
    let told_apart: Vec<(f64, f64)> =
        (0..20).map(|i| (40.0 + 3.0 * f64::from(i), f64::from(i) - 10.0)).collect();
    let all_high: Vec<(f64, f64)> = (0..20).map(|i| (100.0, f64::from(i) - 10.0)).collect();
    let value = |scored: &[(f64, f64)]| weight_quality(scored).expect("scores").value;
    assert!(value(&all_high) > value(&told_apart), "what separates losers from winners is worth less");
}

/// D44: a weakening trend has its side for the legacy score; here it has no vote (`features::catalog`).
#[test]
fn d44_a_weakening_trend_counts_as_aligned() {
    assert!(TrendLabel::parse("多头转弱").bull && TrendLabel::parse("空头转弱").bear);
}

/// D06: where profits are largest moves by hindsight, nothing can lose and the loosest filter wins.
#[test]
fn d06_outcomes_by_hindsight_have_no_losers() {
    let hindsight: Vec<LegacyOpportunity> = records()
        .iter()
        .filter(|record| record.objective_profit.is_some_and(|profit| profit > 0.0))
        .map(|record| LegacyOpportunity { actual_profit_pct: None, ..record.into() })
        .collect();
    let simulated: Vec<LegacyOpportunity> = records().iter().map(LegacyOpportunity::from).collect();
    let loose = {
        let mut settings = Settings::default();
        settings.set("min_consensus", 0i64);
        settings.set("min_signal_score", 0i64);
        settings.set("min_risk_reward", 0i64);
        settings.thresholds()
    };
    let found = capture_by_thresholds(&hindsight, &loose);
    assert_eq!((found.metrics.loss_count, found.metrics.profit_loss_ratio), (0, 999.0));
    assert!(
        found.score > capture_by_thresholds(&hindsight, &Settings::default().thresholds()).score,
        "looser is better"
    );
    assert!(capture_by_thresholds(&simulated, &loose).metrics.loss_count > 0, "simulated exits lose as well");
}

/// D34, D35: a change was whatever made the whole file differ, and its time stamps always did. Here parameters are
/// compared one by one, and the same set is no change.
#[test]
fn d34_the_same_parameters_are_no_change() {
    let file = |last_update: &str| serde_json::json!({"last_update": last_update, "global": {"min_signal_score": 55}});
    assert_ne!(file("2025-11-01 00:05:00").to_string(), file("2025-11-02 00:05:00").to_string());
    let set = ParameterSet {
        exit: rule(2.0, 1.5, 8.0),
        filters: vec![("min_signal_score".to_owned(), FilterValue::Number(55.0))],
    };
    let contender = Contender { set: &set, score: Some(1.0), late_score: Some(1.0) };
    let judgement = judge_candidate(&GridPoint::default(), &GridPoint::default(), None, EVIDENCE);
    let decision =
        decide_style(Style::Swing, Some(contender), Some(contender), &judgement, 0.0, Require::Promising);
    assert_eq!((decision.outcome, decision.changes), (Decided::Unchanged, Vec::new()));
}

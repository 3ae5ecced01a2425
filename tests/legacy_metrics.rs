//! Parity of the filter, the metrics and the score with the legacy system.
//!
//! The cases over the first ten opportunities are in every clone; all 350 over 4000 opportunities are compared
//! where the full fixtures lie beside it.

use retune::evaluate::lattice::Lattice;
use retune::evaluate::legacy_score::{LegacyInputs, legacy_score};
use retune::evaluate::outcome_table::{Entry, OutcomeTable};
use retune::evaluate::sweep::sweep_window;
use retune::features::market_structure::SwingStructure;
use retune::legacy::rules::metrics::{
    LegacyMetrics, LegacyOpportunity, LegacyThresholds, MissedReasons, legacy_filter,
};
use retune::model::{Day, Direction, ExitReason, Outcome, Outcomes, ReturnPpm, Setup};
use serde_json::Value;

use crate::legacy_parity::{assert_close, committed, read_json, shared};

pub(crate) fn opportunity(json: &Value) -> LegacyOpportunity {
    let number = |name: &str| json.get(name).map(|value| value.as_f64().expect("a number"));
    LegacyOpportunity {
        direction: if json["direction"] == "long" { Direction::Long } else { Direction::Short },
        signal_score: number("signal_score").expect("every opportunity has a score"),
        consensus_score: number("consensus_score"),
        consensus: number("consensus"),
        indicator_consensus: number("indicator_consensus"),
        actual_risk_reward: number("actual_risk_reward"),
        risk_reward: number("risk_reward"),
        actual_profit_pct: number("actual_profit_pct"),
        objective_profit: number("objective_profit"),
        kline_ctx_bullish_ratio: number("kline_ctx_bullish_ratio"),
        kline_ctx_price_chg_pct: number("kline_ctx_price_chg_pct"),
        mkt_struct_swing: json["mkt_struct_swing"].as_str().and_then(SwingStructure::parse),
        mkt_struct_age_hours: number("mkt_struct_age_hours"),
        support_hist_test_cnt: number("support_hist_test_cnt"),
        support_hist_false_bd: number("support_hist_false_bd"),
        resist_hist_test_cnt: number("resist_hist_test_cnt"),
        resist_hist_false_bo: number("resist_hist_false_bo"),
    }
}

fn thresholds(json: &Value) -> LegacyThresholds {
    let default = LegacyThresholds::default();
    let number = |name: &str, default: f64| json.get(name).map_or(default, |value| value.as_f64().unwrap());
    LegacyThresholds {
        min_signal_score: number("min_signal_score", default.min_signal_score),
        min_consensus_score: json.get("min_consensus_score").and_then(Value::as_f64),
        min_consensus: number("min_consensus", default.min_consensus),
        min_risk_reward: number("min_risk_reward", default.min_risk_reward),
        advanced: json["enable_advanced_filters"] == true,
        min_kline_bullish_ratio: number("min_kline_bullish_ratio", default.min_kline_bullish_ratio),
        min_price_chg_pct: number("min_price_chg_pct", default.min_price_chg_pct),
        trend_only: json["allowed_mkt_struct"] == "trend_only",
        min_trend_age_hours: number("min_trend_age_hours", default.min_trend_age_hours),
        max_sr_test_count: number("max_sr_test_count", default.max_sr_test_count),
    }
}

pub(crate) fn is_in_subset(subset: &str, index: usize, json: &Value) -> bool {
    let (kind, value) = subset.split_once(':').unwrap_or((subset, ""));
    let actual = json.get("actual_profit_pct").and_then(Value::as_f64);
    match kind {
        "all" => true,
        "type" => json["signal_type"] == value,
        "coin" => json["coin"] == value,
        "actual" => actual.is_some(),
        "losers" => actual.is_some_and(|profit| profit <= 0.0),
        "winners" => actual.is_some_and(|profit| profit > 0.0),
        "first" => index < value.parse().unwrap(),
        _ => panic!("unknown subset {subset}"),
    }
}

pub(crate) fn transformed(transform: &str, mut opportunity: LegacyOpportunity) -> LegacyOpportunity {
    let actual = &mut opportunity.actual_profit_pct;
    *actual = match transform {
        "none" => *actual,
        "objective_only" => None,
        "scale0.01" => actual.map(|profit| profit * 0.01),
        "shift+3" => actual.map(|profit| profit + 3.0),
        _ => panic!("unknown transform {transform}"),
    };
    opportunity
}

fn check_case(row: &Value, opportunities: &[(&Value, LegacyOpportunity)]) {
    let (subset, transform) = (row["subset"].as_str().unwrap(), row["transform"].as_str().unwrap());
    let thresholds = thresholds(&row["params"]);
    let (mut total, mut captured, mut profits) = (0u64, Vec::new(), Vec::new());
    let mut missed = MissedReasons::default();
    for (index, (json, opportunity)) in opportunities.iter().enumerate() {
        if !is_in_subset(subset, index, json) {
            continue;
        }
        total += 1;
        let opportunity = transformed(transform, *opportunity);
        match legacy_filter(&opportunity, &thresholds) {
            Some(layer) => missed.add(layer),
            None => {
                captured.push(index);
                profits.push(opportunity.profit_pct());
            }
        }
    }
    assert_eq!(total, row["subset_size"], "size of case {}", row["id"]);
    let first: Vec<u64> = captured.iter().take(5).map(|index| *index as u64).collect();
    assert_eq!(serde_json::json!(first), row["captured_first"], "case {}", row["id"]);
    let answers = row["result"]["missed_reasons"].as_object().unwrap();
    let answers: Vec<(&str, u64)> = answers.iter().map(|(k, v)| (k.as_str(), v.as_u64().unwrap())).collect();
    let missed: Vec<(&str, u64)> = missed.iter().map(|(layer, count)| (layer.label(), count)).collect();
    assert_eq!(missed, answers, "case {}", row["id"]);
    check_metrics(&LegacyMetrics::of(&profits, total), row);
}

fn check_metrics(found: &LegacyMetrics, row: &Value) {
    let result = &row["result"];
    assert_eq!(found.total_opportunities, result["total_opportunities"], "case {}", row["id"]);
    assert_eq!(found.captured_count, result["captured_count"], "case {}", row["id"]);
    let zero = Value::from(0);
    for (value, name) in [
        (found.capture_rate, "capture_rate"),
        (found.avg_profit, "avg_profit"),
        (found.win_rate, "win_rate"),
        (found.time_exit_rate(), "time_exit_rate"),
        (found.avg_win, "avg_win"),
        (found.avg_loss, "avg_loss"),
        (found.profit_loss_ratio, "profit_loss_ratio"),
        (found.expectancy, "expectancy"),
        (found.max_drawdown, "max_drawdown"),
        (found.win_count as f64, "win_count"),
        (found.loss_count as f64, "loss_count"),
    ] {
        assert_close(value, result.get(name).unwrap_or(&zero), name, row);
    }
    assert_close(legacy_score(&LegacyInputs::from(found)), &row["score"], "score", row);
}

fn check_cases(document: &Value, opportunities: &Value) -> usize {
    let opportunities: Vec<(&Value, LegacyOpportunity)> =
        opportunities.as_array().unwrap().iter().map(|json| (json, opportunity(json))).collect();
    let rows = document["rows"].as_array().unwrap();
    rows.iter().for_each(|row| check_case(row, &opportunities));
    rows.len()
}

#[test]
fn filter_metrics_and_score_agree() {
    let small = read_json(&committed("metrics.json"));
    assert_eq!(check_cases(&small, &small["opportunities"]), 30);
    if let (Some(cases), Some(opportunities)) =
        (shared("metrics_500.json"), shared("opportunities_4000.json"))
    {
        assert_eq!(check_cases(&read_json(&cases), &read_json(&opportunities)), 350);
    }
}

/// One case through the engine: opportunities as signals of a book, thresholds as levels of a lattice. Level 0 lets
/// everything pass, level 1 is the case's threshold.
fn check_case_in_the_lattice(row: &Value, opportunities: &[(&Value, LegacyOpportunity)]) {
    let (subset, transform) = (row["subset"].as_str().unwrap(), row["transform"].as_str().unwrap());
    let thresholds = thresholds(&row["params"]);
    let dimensions = if thresholds.advanced { 8 } else { 3 };
    let mut book = OutcomeTable::new(Lattice::new(vec![2; dimensions]), 1);
    let mut total = 0;
    for (index, (json, opportunity)) in opportunities.iter().enumerate() {
        if !is_in_subset(subset, index, json) {
            continue;
        }
        let opportunity = transformed(transform, *opportunity);
        let net = ReturnPpm::from_fraction(opportunity.profit_pct() / 100.0);
        let outcome = Outcome {
            net,
            best_case: net,
            gross: net,
            bars_held: 1,
            reason: ExitReason::Time,
            ambiguous: false,
        };
        let levels = levels(&opportunity, &thresholds);
        let entry = Entry {
            entry_ms: total,
            symbol: 0,
            direction: opportunity.direction,
            setup: Setup::Continuation,
        };
        let mut outcomes = Outcomes::new(1);
        outcomes.push_each(&[outcome]);
        book.push(entry, &levels[..dimensions], outcomes.row(0));
        total += 1;
    }
    let window = book.window(Day(0)..Day(1));
    let point = *sweep_window(&window).point(0, book.lattice().cell(&vec![1; dimensions]));
    let result = &row["result"];
    let id = &row["id"];
    assert_eq!(u64::from(point.trades), result["captured_count"].as_u64().unwrap(), "case {id}");
    assert_eq!(Value::from(window.candidates), row["subset_size"], "case {id}");
    if point.trades == 0 {
        return;
    }
    assert_eq!(Value::from(point.wins), result["win_count"], "case {id}");
    assert_eq!(Value::from(point.losses()), result["loss_count"], "case {id}");
    let percent = |name: &str| result[name].as_f64().unwrap();
    let near = |found: f64, name: &str, tolerance: f64| {
        assert!(
            (found - percent(name)).abs() <= tolerance,
            "case {id}: {name} is {found}, {}",
            percent(name)
        );
    };
    near(point.expectancy_pct().unwrap(), "expectancy", 1e-4);
    near(point.expectancy_pct().unwrap(), "avg_profit", 1e-4);
    near(point.avg_win_pct().unwrap_or(0.0), "avg_win", 1e-4);
    near(point.avg_loss_pct().unwrap_or(0.0), "avg_loss", 1e-4);
    near(point.win_rate().unwrap(), "win_rate", 1e-12);
    // A running sum carries the rounding of every trade: at most half a ppm each.
    near(point.max_drawdown_pct(), "max_drawdown", 0.5e-4 * f64::from(point.trades) + 1e-9);
}

fn levels(opportunity: &LegacyOpportunity, thresholds: &LegacyThresholds) -> [u8; 8] {
    let o = opportunity;
    let confirmed = match (thresholds.min_consensus_score, o.consensus_score) {
        (Some(needed), Some(score)) => score >= needed,
        _ => o.consensus.or(o.indicator_consensus).unwrap_or(0.0) >= thresholds.min_consensus,
    };
    let risk_reward = o.actual_risk_reward.or(o.risk_reward).unwrap_or(0.0);
    let long = o.direction == Direction::Long;
    let bullish = o.kline_ctx_bullish_ratio.unwrap_or(0.0);
    let (tests, false_breaks) = match long {
        true => (o.support_hist_test_cnt, o.support_hist_false_bd),
        false => (o.resist_hist_test_cnt, o.resist_hist_false_bo),
    };
    let trending = o.mkt_struct_swing.is_some_and(SwingStructure::is_trend);
    [
        confirmed,
        o.signal_score >= thresholds.min_signal_score,
        risk_reward >= thresholds.min_risk_reward,
        (if long { bullish } else { 1.0 - bullish }) >= thresholds.min_kline_bullish_ratio,
        o.kline_ctx_price_chg_pct.unwrap_or(0.0).abs() >= thresholds.min_price_chg_pct,
        trending || !thresholds.trend_only,
        o.mkt_struct_age_hours.unwrap_or(0.0) >= thresholds.min_trend_age_hours,
        tests.unwrap_or(0.0) <= thresholds.max_sr_test_count && false_breaks.unwrap_or(0.0) <= 2.0,
    ]
    .map(u8::from)
}

#[test]
fn the_lattice_gives_the_legacy_metrics() {
    let check = |document: &Value, opportunities: &Value| {
        let opportunities: Vec<(&Value, LegacyOpportunity)> =
            opportunities.as_array().unwrap().iter().map(|json| (json, opportunity(json))).collect();
        let rows = document["rows"].as_array().unwrap();
        rows.iter().for_each(|row| check_case_in_the_lattice(row, &opportunities));
        rows.len()
    };
    let document = read_json(&committed("metrics.json"));
    assert!(check(&document, &document["opportunities"]) >= 20);
    if let (Some(cases), Some(opportunities)) =
        (shared("metrics_500.json"), shared("opportunities_4000.json"))
    {
        assert_eq!(check(&read_json(&cases), &read_json(&opportunities)), 350);
    }
}

//! Parity of the legacy simulators: exits from a summary, the older walk, the trailing stop, exit patterns.

use crate::legacy_oracles::exit_patterns::{
    ExitGroup, PatternScoreInputs, PatternTrade, by_holding_time, exit_patterns, pattern_scores,
};
use crate::legacy_oracles::exit_simulation::{
    Future, Multiples, Simulated, SimulatedSignal, SimulationOptions, Surge, simulate_exit,
};
use crate::legacy_oracles::exit_walk::{Walk, WalkCandle, WalkExit, WalkFuture, walk};
use retune::ingest::LegacyRecord;
use retune::legacy::rules::trailing_stop::{TrailingExit, TrailingRule, TrailingSignal, trailing_stop};
use retune::model::Direction;
use serde_json::Value;

use crate::legacy_parity::{assert_close, legacy_documents, read_json, shared};

fn direction(json: &Value) -> Direction {
    if json["direction"].as_str().unwrap_or("long") == "long" { Direction::Long } else { Direction::Short }
}

/// A price that may be absent (`None`) or null (no number).
fn price(json: &Value, key: &str) -> Option<f64> {
    json.get(key).map(|value| value.as_f64().unwrap_or(f64::NAN))
}

pub(crate) fn simulated_signal(json: &Value) -> SimulatedSignal {
    let number = |key: &str| json[key].as_f64().unwrap_or(0.0);
    let flag = match &json["volume_surge"] {
        Value::Bool(flag) => *flag,
        Value::Object(object) => !object.is_empty(),
        _ => false,
    };
    let future = &json["future_data"];
    SimulatedSignal {
        entry_price: number("entry_price"),
        direction: direction(json),
        atr: number("atr"),
        signal_score: json["signal_score"].as_f64(),
        surge: Surge::read(json["volume_surge_type"].as_str().unwrap_or(""), flag),
        recent_high: number("recent_high"),
        recent_low: number("recent_low"),
        future: Future {
            max_high: price(future, "max_high"),
            min_low: price(future, "min_low"),
            final_close: price(future, "final_close"),
        },
    }
}

pub(crate) fn simulated(row: &Value) -> Simulated {
    let default = Multiples::default();
    let multiples = Multiples {
        stop: row["params"]["atr_stop_multiplier"].as_f64().unwrap_or(default.stop),
        target: row["params"]["atr_tp_multiplier"].as_f64().unwrap_or(default.target),
    };
    let options = SimulationOptions {
        dynamic_atr: row["use_dynamic_atr"] == true,
        costs: row["include_trading_costs"] == true,
    };
    simulate_exit(&simulated_signal(&row["opportunity"]), &multiples, options)
}

/// The legacy words of the trailing stop's exits.
fn word(exit: TrailingExit) -> &'static str {
    match exit {
        TrailingExit::InvalidData => "invalid_data",
        TrailingExit::StopLoss => "stop_loss",
        TrailingExit::TakeProfit => "take_profit",
        TrailingExit::TrailingStop => "trailing_stop",
        TrailingExit::HoldingExpired => "holding_expired",
    }
}

#[test]
fn simulated_exits_agree() {
    for (document, full) in legacy_documents("exit_sim.json", "exit_sim_2000.json") {
        let rows = document["rows"].as_array().unwrap();
        assert!(!full || rows.len() == 1_400);
        for row in rows {
            let found = simulated(row);
            assert_close(found.profit_pct(), &row["profit_pct"], "profit", row);
            let (reason, method) = match found {
                Simulated::Invalid => (Value::Null, Value::Null),
                Simulated::Failed => ("error".into(), Value::Null),
                Simulated::Closed { booked, reported, both_touched, .. } => {
                    let method = format!("{}_amplitude", booked.as_str());
                    (reported.as_str().into(), if both_touched { method.into() } else { Value::Null })
                }
            };
            assert_eq!((&reason, &method), (&row["exit_reason"], &row["exit_method"]), "row {}", row["id"]);
        }
    }
}

fn walk_candle(json: &Value, [high, low, close]: [&str; 3]) -> WalkCandle {
    let price = |key: &str| json[key].as_f64().unwrap();
    WalkCandle { high: price(high), low: price(low), close: price(close) }
}

fn check_walk(row: &Value) {
    let args = &row["args"];
    let number = |key: &str| args[key].as_f64().unwrap();
    let prices = |key: &str| -> Vec<f64> {
        args["market_data"][key]
            .as_array()
            .into_iter()
            .flatten()
            .map(|price| price.as_f64().unwrap())
            .collect()
    };
    let (supports, resistances) = (prices("support_levels"), prices("resistance_levels"));
    let swing = args["signal_type"] == "swing" && args["market_data"].is_object();
    let arguments = Walk {
        entry_price: number("entry_price"),
        direction: direction(args),
        atr: number("atr"),
        signal_score: number("signal_score"),
        consensus: number("consensus"),
        risk_reward: number("risk_reward"),
        min_signal_score: number("min_signal_score"),
        min_consensus: number("min_consensus"),
        min_risk_reward: number("min_risk_reward"),
        atr_stop_multiplier: number("atr_stop_multiplier"),
        atr_tp_multiplier: args["atr_tp_multiplier"].as_f64(),
        max_holding_hours: args["max_holding_hours"].as_f64(),
        levels: swing.then_some((&supports, &resistances)),
    };
    let candles: Vec<WalkCandle> = row["future"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|candle| walk_candle(candle, ["high", "low", "close"]))
        .collect();
    let future = if row["kind"] == "candles" {
        WalkFuture::Candles(&candles)
    } else {
        let has_data = row["future"]["data_points"].as_f64().unwrap_or(1.0) > 0.0;
        let keys = ["max_high", "min_low", "final_close"];
        WalkFuture::Summary(has_data.then(|| walk_candle(&row["future"], keys)))
    };
    let (exit, profit) = walk(&arguments, future);
    assert_eq!(exit.as_str(), row["result"]["exit_type"], "row {}", row["id"]);
    assert_eq!(exit != WalkExit::NoEntry, row["result"]["can_entry"], "row {}", row["id"]);
    assert_close(profit, &row["result"]["profit"], "profit", row);
}

#[test]
fn the_older_walk_agrees() {
    for (document, full) in legacy_documents("exit_walk.json", "exit_walk_600.json") {
        let rows = document.as_array().unwrap();
        assert!(!full || rows.len() == 420);
        rows.iter().for_each(check_walk);
    }
}

#[test]
fn the_trailing_stop_agrees() {
    for (document, full) in legacy_documents("trailing_stop.json", "trailing_stop.json") {
        let rows = document["rows"].as_array().unwrap();
        assert!(!full || rows.len() == 375);
        for row in rows {
            let number = |json: &Value, key: &str, default| json[key].as_f64().unwrap_or(default);
            let signal = TrailingSignal {
                entry_price: number(&row["opportunity"], "entry_price", 0.0),
                atr: number(&row["opportunity"], "atr", 0.0),
                max_potential_profit: number(&row["opportunity"], "max_potential_profit", 0.0),
            };
            let rule = TrailingRule {
                stop: number(&row["params"], "atr_stop_multiplier", 1.5),
                target: number(&row["params"], "atr_tp_multiplier", 3.0),
                trailing: row["params"]["trailing_stop_enabled"] == true,
            };
            let closes: Option<Vec<f64>> =
                row["closes"].as_array().map(|closes| closes.iter().map(|c| c.as_f64().unwrap()).collect());
            let found = trailing_stop(&signal, &rule, closes.as_deref());
            assert_eq!(word(found.exit), row["exit_reason"], "row {}", row["id"]);
            assert_close(found.profit_pct, &row["profit_pct"], "profit", row);
            if let Some(price) = row["details"].get("exit_price") {
                assert_close(found.exit_price, price, "exit price", row);
            }
            if let Some(bars) = row["details"]["bars_held"].as_u64() {
                assert_eq!(found.bars_held, bars, "row {}", row["id"]);
            }
        }
    }
}

/// The trades of the older simulator on saved opportunities, with the constant score it passed.
fn pattern_trades(records: &[LegacyRecord], params: &Value) -> Vec<PatternTrade> {
    let number = |key: &str, default: f64| params[key].as_f64().unwrap_or(default);
    let hours = number("max_holding_hours", 24.0);
    let trade = |record: &LegacyRecord| {
        let walk_of = Walk {
            entry_price: record.entry_price.unwrap(),
            direction: record.direction,
            atr: record.atr.unwrap_or(0.0),
            signal_score: 70.0,
            consensus: record.consensus.unwrap(),
            risk_reward: record.risk_reward.unwrap(),
            min_signal_score: number("min_signal_score", 55.0),
            min_consensus: number("min_indicator_consensus", 2.0),
            min_risk_reward: number("min_risk_reward", 1.5),
            atr_stop_multiplier: number("atr_stop_multiplier", 1.5),
            atr_tp_multiplier: Some(number("atr_tp_multiplier", 3.0)),
            max_holding_hours: Some(hours),
            levels: None,
        };
        let future = record.future_data.unwrap();
        let summary = future.max_high.map(|high| WalkCandle {
            high,
            low: future.min_low.unwrap(),
            close: future.final_close.unwrap(),
        });
        let (exit, profit_pct) = walk(&walk_of, WalkFuture::Summary(summary));
        let objective_pct = record.objective_profit.unwrap();
        (exit != WalkExit::NoEntry).then_some(PatternTrade {
            exit,
            profit_pct,
            objective_pct,
            hours_max: hours,
        })
    };
    records.iter().filter_map(trade).collect()
}

fn check_group(found: &ExitGroup, answer: &Value, notable: &str, row: &Value) {
    assert_eq!(found.count, answer["count"]);
    assert_close(found.rate, &answer["rate"], "rate", row);
    assert_eq!(found.notable_count, answer[notable]);
    for (key, value) in [
        ("avg_missed_profit", found.avg_missed),
        ("avg_loss", found.avg_profit),
        ("avg_profit", found.avg_profit),
    ] {
        if let Some(expected) = answer.get(key) {
            assert_close(value, expected, key, row);
        }
    }
    let examples = answer["examples"].as_array().unwrap();
    assert_eq!(found.worst_missed.len(), examples.len());
    found
        .worst_missed
        .iter()
        .zip(examples)
        .for_each(|(missed, want)| assert_close(*missed, want, "missed", row));
}

#[test]
fn exit_patterns_and_their_scores_agree() {
    let (Some(answers), Some(path)) = (shared("exit_patterns.json"), shared("opportunities_4000.json"))
    else {
        return;
    };
    let records = retune::ingest::read_legacy_opportunities(&path).unwrap();
    let complete = |r: &LegacyRecord| {
        r.future_data.is_some()
            && r.consensus.is_some()
            && r.risk_reward.is_some()
            && r.objective_profit.is_some()
    };
    let records: Vec<LegacyRecord> = records.into_iter().take(600).filter(complete).collect();
    let document = read_json(&answers);
    assert_eq!(records.len() as u64, document["count"]);
    for row in document["rows"].as_array().unwrap() {
        let trades = pattern_trades(&records, &row["params"]);
        let summary = &row["summary"];
        assert_eq!(trades.len() as u64, summary["captured_count"]);
        let total: f64 = trades.iter().map(|trade| trade.profit_pct).sum();
        assert_close(total, &summary["total_profit"], "total", row);
        let patterns = exit_patterns(&trades);
        assert_eq!(patterns.is_none(), row["exit_patterns"].is_null());
        if let Some(found) = &patterns {
            let answer = &row["exit_patterns"];
            assert_eq!(found.total, answer["total_count"]);
            check_group(&found.time_exit, &answer["time_exit"], "significant_missed_count", row);
            check_group(&found.stop_loss, &answer["stop_loss"], "tight_count", row);
            check_group(&found.take_profit, &answer["take_profit"], "early_count", row);
            for (group, name) in by_holding_time(&trades).iter().zip(["1H", "4H"]) {
                let answer = &row["multi_timeframe"][name];
                assert_eq!(group.count, answer["total_count"]);
                assert_close(group.time_exit_rate, &answer["time_exit_rate"], "time exits", row);
                assert_close(group.avg_missed_pct, &answer["avg_missed_profit"], "missed", row);
                assert_close(group.avg_hours, &answer["avg_holding_time"], "hours", row);
                assert_close(group.target_avg_hours, &answer["tp_avg_time"], "hours of targets", row);
            }
        }
        let captured = trades.len() as f64;
        let time_exits = patterns.as_ref().map_or(0, |found| found.time_exit.count) as f64;
        let [scalping, swing] = pattern_scores(&PatternScoreInputs {
            captured_count: trades.len() as u64,
            capture_rate: captured / records.len() as f64,
            avg_profit: if captured == 0.0 { 0.0 } else { total / captured },
            time_exit_rate: if captured == 0.0 { 0.0 } else { time_exits / captured },
        });
        assert_close(scalping, &row["scalping_score"], "scalping score", row);
        assert_close(swing, &row["swing_score"], "swing score", row);
    }
}

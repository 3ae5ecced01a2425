//! Parity of the legacy rules around the search: cool-down, parameters per symbol, regime, insights, messages, weights.

use crate::legacy_oracles::evolver::{EvolvedSignal, Gene, Position, fitness, score};
use crate::legacy_oracles::insights::{Analysis, EarlyExit, MissedOpportunity, focus, lessons, shortened};
use crate::legacy_oracles::notification::{PushFigures, StyleFigures, push_text};
use crate::legacy_oracles::regime::{CoinState, exit_adjustment, regime};
use retune::legacy::rules::cooldown::{
    ClosedTrade, CooldownLimits, CooldownStatus, Pause, PauseLevel, PauseState, cooldown, pause_reason,
    pause_state,
};
use retune::legacy::rules::resolution::{SymbolConfig, general};
use retune::legacy::rules::symbol_params::{Experience, ParamsSource, SymbolParams, safe_params};
use retune::model::{DAY_MS, Direction, Style};
use serde_json::{Value, json};

use crate::legacy_parity::{assert_close, legacy_documents};

/// The ms of a legacy time, `None` where it is none.
fn instant(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let day = retune::model::Day::parse(text.get(..10)?)?;
    let seconds = number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
    Some(day.start_ms() + seconds * 1_000)
}

#[test]
fn cooldowns_agree() {
    let limits = CooldownLimits::default();
    for (document, full) in legacy_documents("cooldown.json", "cooldown.json") {
        let rows = document["dynamic_trigger"].as_array().unwrap();
        assert!(!full || rows.len() == 300);
        for row in rows {
            let trade = |json: &Value| ClosedTrade {
                opened_at_ms: instant(json["开仓时间"].as_str().unwrap()),
                closed_at_ms: instant(json["平仓时间"].as_str().unwrap()),
                profit: json["盈亏(U)"].as_f64().unwrap(),
            };
            let trades: Vec<ClosedTrade> = row["trades"].as_array().unwrap().iter().map(trade).collect();
            let (account, volatility) =
                (row["total_assets"].as_f64().unwrap(), row["volatility"].as_f64().unwrap());
            let found = cooldown(&trades, account, volatility, &limits);
            assert_eq!(found.reason(), row["reason"], "row {}", row["id"]);
            assert_eq!(found.level().map_or(0, PauseLevel::number), row["level"], "row {}", row["id"]);
            assert_eq!(matches!(found, CooldownStatus::Pause { .. }), row["trigger"], "row {}", row["id"]);
        }
        document["pause_check"].as_array().unwrap().iter().for_each(check_pause);
    }
}

fn check_pause(row: &Value) {
    let levels = [None, Some(PauseLevel::One), Some(PauseLevel::Two), Some(PauseLevel::Three)];
    let level = levels[row["pause_level"].as_u64().unwrap() as usize];
    let now_ms = 20_000 * DAY_MS;
    let until_ms = now_ms + (row["minutes_to_until"].as_f64().unwrap() * 60_000.0) as i64;
    let state =
        level.map(|level| (level, pause_state(&Pause { level, began_ms: now_ms, until_ms }, &[], now_ms)));
    let (paused, minutes, reason) = match state {
        Some((level, PauseState::Paused { minutes })) => (true, minutes, pause_reason(level, minutes)),
        _ => (false, 0, String::new()),
    };
    assert_eq!(
        json!([paused, minutes, reason]),
        json!([row["paused"], row["remaining_minutes"], row["reason"]])
    );
    let after = if paused { level.map_or(0, PauseLevel::number) } else { 0 };
    assert_eq!(after, row["level_after"]);
}

/// Compares what the legacy gave; null is what it left out.
fn check_params(found: &SymbolParams, answer: &Value, row: &Value) {
    for (value, key) in [
        (found.min_risk_reward, "min_risk_reward"),
        (found.min_signal_score, "min_signal_score"),
        (found.min_indicator_consensus, "min_indicator_consensus"),
        (found.atr_stop_multiplier, "atr_stop_multiplier"),
        (found.base_position_ratio, "base_position_ratio"),
        (found.max_total_positions, "max_total_positions"),
        (found.max_hold_time_hours, "max_hold_time_hours"),
    ] {
        if !answer[key].is_null() {
            assert_close(value, &answer[key], key, row);
        }
    }
}

/// The legacy name of a phase, `None` once it is over.
fn phase(experience: Experience) -> Option<&'static str> {
    match experience {
        Experience::Beginner => Some("新手模式(AI×1.5)"),
        Experience::Learning => Some("学习期(AI×1.3)"),
        Experience::Growing => Some("成长期(AI×1.1)"),
        Experience::Seasoned => None,
    }
}

#[test]
fn careful_parameters_agree() {
    for (document, _) in legacy_documents("cooldown.json", "cooldown.json") {
        let rows = document["safe_params"].as_array().unwrap();
        assert_eq!(rows.len(), 21);
        for row in rows {
            let experience = Experience::of(row["trade_count"].as_u64().unwrap());
            let found = safe_params(experience, &general(&row["global"]));
            assert_eq!(found.is_none(), row["out"].is_null());
            assert_eq!(phase(experience), row["out"]["_mode"].as_str());
            if let Some(found) = found {
                check_params(&found, &row["out"], row);
            }
        }
    }
}

#[test]
fn parameters_per_symbol_agree() {
    for (document, _) in legacy_documents("symbol_config.json", "symbol_config.json") {
        let rows = document["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 32);
        rows.iter().for_each(|row| check_symbol(&document["configs"], row));
    }
}

fn check_symbol(configs: &Value, row: &Value) {
    let config = &configs[row["config"].as_str().unwrap()];
    let symbol = row["symbol"].as_str().unwrap();
    let closed_trades = row["closed_trades"].as_u64().unwrap();
    let (found, source) = SymbolConfig::read(config, symbol).resolve(closed_trades);
    let answer = &row["out"];
    let (named, profile) = match source {
        ParamsSource::Careful(experience) => {
            (format!("{} (交易{closed_trades}笔)", phase(experience).unwrap()), json!("safe_mode"))
        }
        ParamsSource::Learned => (format!("{symbol}特定参数"), Value::Null),
        ParamsSource::Class(class) => {
            let factors = &config["risk_safety_multipliers"][class.as_str()];
            let factor = factors["min_risk_reward_multiplier"].as_f64().unwrap();
            (format!("{}(全局×{factor})", class.as_str()), json!(class.as_str()))
        }
    };
    assert_eq!((json!(named), &profile), (answer["_source"].clone(), &answer["risk_profile"]));
    check_params(&found, answer, row);
}

#[test]
fn regimes_agree() {
    for (document, full) in legacy_documents("market_regime.json", "market_regime.json") {
        let rows = document["rows"].as_array().unwrap();
        assert!(!full || rows.len() == 120);
        rows.iter().for_each(check_regime);
        document["strategy_by_atr"].as_array().unwrap().iter().for_each(check_adjustment);
    }
}

fn check_regime(row: &Value) {
    let text = |json: &Value| -> &'static str { json.as_str().unwrap().to_owned().leak() };
    let coin = |json: &Value| CoinState {
        coin: text(&json["symbol"]).split('/').next().unwrap(),
        trends: [&json["trend_4h"], &json["mid_term"]["trend"], &json["trend_15m"]].map(text),
        atr: json["atr"].as_f64().or(json["atr"]["atr_14"].as_f64()).unwrap_or(0.0),
        price: json["price"].as_f64().unwrap(),
        price_change_pct: json["price_change"].as_f64().unwrap(),
    };
    let coins: Vec<CoinState<'_>> =
        row["input"].as_array().unwrap().iter().filter(|json| !json.is_null()).map(coin).collect();
    let found = regime(&coins);
    let answer = &row["output"];
    let details = &answer["details"];
    let volatility = found.volatility_shown();
    assert_eq!(
        json!([
            found.trend.as_str(),
            found.market.as_str(),
            found.volatility.as_str(),
            found.strength,
            found.strategy.as_str(),
            found.confidence,
            found.counts,
            found.trending,
            found.choppy,
            found.reasoning(),
        ]),
        json!([
            answer["overall_trend"],
            answer["market_type"],
            answer["volatility"],
            answer["trend_strength"],
            answer["recommended_strategy"],
            answer["confidence"],
            [&details["bullish_count"], &details["bearish_count"], &details["ranging_count"]],
            details["trending_coins"],
            details["choppy_coins"],
            details["reasoning"],
        ])
    );
    assert_eq!(Some(volatility), details["avg_volatility"].as_f64());
}

fn check_adjustment(row: &Value) {
    let style = if row["signal_type"] == "scalping" { Style::Scalping } else { Style::Swing };
    let found = exit_adjustment(row["atr_pct"].as_f64().unwrap(), style);
    let (params, answer) = (&row["params"], &row["out"][0]);
    // The legacy takes other values for what is not set, and writes only what it changes.
    let (target, stop, hours) = match style {
        Style::Scalping => (1.5, 1.0, 1.5),
        _ => (6.0, 2.0, 1.0),
    };
    for (key, factor, default) in [
        ("atr_tp_multiplier", found.target, target),
        ("atr_stop_multiplier", found.stop, stop),
        ("max_holding_hours", found.holding, hours),
    ] {
        match answer.get(key) {
            Some(want) => assert_close(factor * params[key].as_f64().unwrap_or(default), want, key, row),
            None => assert_eq!(factor, 1.0, "{key}"),
        }
    }
    assert_eq!(found.use_levels, answer["use_sr_levels"].as_bool());
}

#[test]
fn insights_agree() {
    for (document, _) in legacy_documents("insights.json", "insights.json") {
        document["compress"].as_array().unwrap().iter().for_each(check_lessons);
        let whole = Analysis {
            diagnosis: "d".to_owned(),
            learning_insights: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
            key_recommendations: vec![json!(1), json!(2), json!(3)],
            merged: false,
        };
        for row in document["merge"].as_array().unwrap() {
            let found = shortened(&whole, row["days_old"].as_i64().unwrap());
            let answer = &row["ai_entry_analysis"];
            assert_eq!(
                json!([found.diagnosis, found.learning_insights, found.key_recommendations, found.merged]),
                json!([
                    answer["diagnosis"],
                    answer["learning_insights"],
                    answer["key_recommendations"],
                    answer["merged"] == true
                ])
            );
        }
    }
}

fn check_lessons(row: &Value) {
    let list = |json: &Value| json.as_array().cloned().unwrap_or_default();
    let text = |json: &Value| json.as_str().unwrap_or("").to_owned();
    let missed: Vec<MissedOpportunity> = list(&row["missed"])
        .iter()
        .map(|json| MissedOpportunity {
            coin: text(&json["trend"]["coin"]),
            direction: if text(&json["trend"]["type"]).contains('多') {
                Direction::Long
            } else {
                Direction::Short
            },
            reason: text(&json["reason"]),
            potential_pct: json["potential_profit_pct"].as_f64().unwrap(),
        })
        .collect();
    let early: Vec<EarlyExit> = list(&row["trade_analyses"])
        .iter()
        .filter(|json| json["actual"]["premature_exit"] == true)
        .map(|json| EarlyExit {
            coin: text(&json["coin"]),
            missed_pct: json["analysis"]["missed_profit"].as_f64().unwrap(),
        })
        .collect();
    let exits: Vec<String> = list(&row["exit_analysis"]["exit_lessons"]).iter().map(text).collect();
    assert_eq!(json!(lessons(&missed, &early, &exits)), row["lessons"]);
    assert_eq!(focus(row["optimization"]["diagnosis"].as_str().unwrap_or("")), row["focus"]);
}

#[test]
fn messages_agree() {
    for (document, full) in legacy_documents("bark.json", "bark.json") {
        let rows = document.as_array().unwrap();
        assert!(!full || rows.len() == 40);
        for row in rows {
            let number = |part: &str, key: &str| row[part][key].as_f64().unwrap_or(0.0);
            let figures = |phase: &str| {
                ["scalping", "swing"].map(|style| StyleFigures {
                    capture: number(phase, &format!("{style}_capture")),
                    profit: number(phase, &format!("{style}_profit")),
                })
            };
            let text = push_text(&PushFigures {
                win_rate: number("yesterday", "winrate"),
                profit: number("yesterday", "profit"),
                phase2: figures("phase2"),
                phase4: figures("phase4"),
            });
            assert_eq!(text, row["text"]);
        }
    }
}

fn evolved_signal(json: &Value) -> EvolvedSignal<'_> {
    let number = |key: &str| json[key].as_f64().unwrap();
    let text = |key: &str| json[key].as_str().unwrap();
    EvolvedSignal {
        direction: if json["side"] == "long" { Direction::Long } else { Direction::Short },
        open: number("open"),
        close: number("close"),
        volume_ratio: number("volume_ratio"),
        trends: ["trend_4h", "trend_1h", "trend_15m"].map(text),
        breakout: text("breakout"),
        pattern: text("pattern"),
        volatility_ratio: number("volatility_ratio"),
        volume_surge: number("volume_surge"),
        momentum_acceleration: number("momentum_acceleration"),
        ema_divergence: number("ema_divergence"),
        trend_4h_strength: number("trend_4h_strength"),
        atr: number("atr_14"),
        nearest_resistance: number("nearest_resistance"),
        nearest_support: number("nearest_support"),
        position: match text("position_status") {
            "at_support" => Position::AtSupport,
            "at_resistance" => Position::AtResistance,
            _ => Position::Between,
        },
        structure_age: number("mkt_struct_age_candles"),
    }
}

#[test]
fn evolved_scores_agree() {
    for (document, full) in legacy_documents("evolver.json", "evolver.json") {
        for row in document.as_array().unwrap() {
            let style = if row["signal_type"] == "scalping" { Style::Scalping } else { Style::Swing };
            let genes = Gene::of(style);
            assert_eq!(json!(genes.iter().map(|gene| gene.key()).collect::<Vec<_>>()), row["genes"]);
            let genome: Vec<f64> =
                genes.iter().map(|gene| row["weights"][gene.key()].as_f64().unwrap()).collect();
            let (mut scores, mut profits) = (Vec::new(), Vec::new());
            for (index, opportunity) in row["opportunities"].as_array().unwrap().iter().enumerate() {
                let signal = evolved_signal(&opportunity["snapshot"]);
                let strengths: Vec<f64> = genes.iter().map(|gene| signal.strength(*gene)).collect();
                for (gene, strength) in genes.iter().zip(&strengths) {
                    assert_close(*strength, &row["components"][index][gene.key()], gene.key(), row);
                }
                // A swing signal has a pattern as well, but no weight for it.
                scores.push(score(&strengths, &genome));
                assert_close(scores[index], &row["scores"][index], "score", row);
                profits.push(opportunity["objective_profit"].as_f64().unwrap());
            }
            if full {
                assert_close(fitness(&scores, &profits), &row["fitness"], "fitness", row);
            }
        }
    }
}

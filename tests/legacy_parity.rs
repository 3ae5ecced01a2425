//! Parity with the legacy system: its answers on its own fixtures.
//!
//! The rows under `tests/fixtures` are a subset that every clone has; the full set lies beside the clone in
//! `../shared` where the project is developed and is compared as well when it is there.

use std::path::{Path, PathBuf};

use crate::legacy_oracles::signal_score::{
    Cell, Confirmations, ConsensusInputs, LegacyRow, ScoreWeights, TrendLabel, consensus_score,
    indicator_consensus, signal_score,
};
use proptest::prelude::*;
use retune::features::kline_context::{KlineContext, kline_context};
use retune::features::market_structure::{MarketStructure, TrendStrength, market_structure};
use retune::features::sr_history::{LevelSide, SrHistory, sr_history};
use retune::model::{Bars, Candle, CandleSeries, Interval, Style};
use serde_json::Value;

/// Returns the documents of a fixture: the committed subset, and the full set with its number of rows where it is.
fn fixtures(name: &str, full_rows: usize) -> Vec<(Value, Option<usize>)> {
    let mut documents = vec![(read_json(&committed(name)), None)];
    if let Some(full) = shared(name) {
        documents.push((read_json(&full), Some(full_rows)));
    }
    documents
}

/// Returns the path of a fixture that every clone has.
pub(crate) fn committed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Returns the path of a fixture beside the clone, if there is one.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/legacy").join(name);
    path.exists().then_some(path)
}

/// Returns the documents of a fixture of the legacy modules: the committed part, and the full set where it is, which
/// is marked.
pub(crate) fn legacy_documents(part: &str, full: &str) -> Vec<(Value, bool)> {
    let committed = committed("legacy").join(part);
    let full = shared(full).map(|path| (read_json(&path), true));
    [(read_json(&committed), false)].into_iter().chain(full).collect()
}

/// Returns the content of a JSON file.
pub(crate) fn read_json(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Calls a check for every row of every document of a fixture.
fn for_each_row(name: &str, full_rows: usize, check: impl Fn(&Value, &Value)) {
    for (document, expected_rows) in fixtures(name, full_rows) {
        let rows = document.get("rows").unwrap_or(&document).as_array().expect("rows are a list");
        assert!(!rows.is_empty());
        assert!(expected_rows.is_none_or(|count| count == rows.len()), "{name} has {} rows", rows.len());
        rows.iter().for_each(|row| check(&document, row));
    }
}

/// Asserts that a value is the number of a fixture but for rounding: 1e-9, relative above 1.
pub(crate) fn assert_close(found: f64, expected: &Value, what: &str, row: &Value) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what} of row {} is no number", row["id"]));
    let tolerance = 1e-9 * expected.abs().max(1.0);
    assert!((found - expected).abs() <= tolerance, "{what} of row {}: {found}, not {expected}", row["id"]);
}

/// Candles as columns, without the checks of a series: the legacy answers include all-zero candles.
struct Columns {
    interval: Interval,
    open_time: Vec<i64>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

impl Columns {
    fn of(row: &Value) -> Self {
        let candles = row["candles"].as_array().expect("candles are a list");
        let hours = row["timeframe_hours"].as_f64().expect("hours are a number");
        let interval = Interval::from_minutes((hours * 60.0) as u32);
        let column = |name: &str| candles.iter().map(|c| c[name].as_f64().expect("a number")).collect();
        Self {
            interval,
            open_time: (0..candles.len()).map(|i| i as i64 * interval.ms()).collect(),
            open: column("open"),
            high: column("high"),
            low: column("low"),
            close: column("close"),
            volume: column("volume"),
        }
    }

    fn bars(&self) -> Bars<'_> {
        Bars {
            interval: self.interval,
            open_time: &self.open_time,
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            volume: &self.volume,
        }
    }
}

#[test]
fn candle_features_agree() {
    for_each_row("features_kline.json", 132, |_, row| {
        let columns = Columns::of(row);
        let bars = columns.bars();
        let count = row["count"].as_u64().unwrap() as usize;
        check_context(kline_context(bars, count), row);
        check_structure(market_structure(bars), row);
        let tolerance = row["tolerance_pct"].as_f64().unwrap();
        for (side, level, answer) in [
            (LevelSide::Resistance, &row["sr"]["resistance"], &row["resistance_history"]),
            (LevelSide::Support, &row["sr"]["support"], &row["support_history"]),
        ] {
            check_history(sr_history(bars, level.as_f64().unwrap(), side, tolerance), answer, row);
        }
    });
}

fn check_context(found: Option<KlineContext>, row: &Value) {
    let answer = &row["kline_context"];
    assert_eq!(found.is_none(), answer.is_null(), "context of row {}", row["id"]);
    let Some(found) = found else { return };
    assert_eq!(found.count, answer["count"]);
    assert_eq!(found.bullish_count, answer["bullish_count"]);
    assert_eq!(found.bearish_count, answer["bearish_count"]);
    assert_eq!(found.is_up, answer["is_trending_up"], "row {}", row["id"]);
    assert_eq!(found.is_down, answer["is_trending_down"], "row {}", row["id"]);
    for (value, name) in [
        (found.highest, "highest_high"),
        (found.lowest, "lowest_low"),
        (found.avg_body, "avg_body_size"),
        (found.avg_range, "avg_range_size"),
        (found.avg_volume, "avg_volume"),
        (found.bullish_ratio, "bullish_ratio"),
        (found.price_change_pct, "price_change_pct"),
        (found.volatility_pct, "volatility_pct"),
    ] {
        assert_close(value, &answer[name], name, row);
    }
}

/// The legacy label of a strength.
fn strength(strength: TrendStrength) -> &'static str {
    match strength {
        TrendStrength::StrongBullish => "strong_bullish",
        TrendStrength::StrongBearish => "strong_bearish",
        TrendStrength::Weak => "weak",
    }
}

/// The legacy summary: the number of tests and, if there were any, of false breaks.
fn description(history: &SrHistory) -> String {
    let tests = history.test_count;
    let break_name = match history.side {
        LevelSide::Resistance => "假突破",
        LevelSide::Support => "假跌破",
    };
    match history.false_breaks {
        0 => format!("被测试{tests}次"),
        breaks => format!("被测试{tests}次，{breaks}次{break_name}"),
    }
}

fn check_structure(found: Option<MarketStructure>, row: &Value) {
    let answer = &row["market_structure"];
    assert_eq!(found.is_none(), answer.is_null(), "structure of row {}", row["id"]);
    let Some(found) = found else { return };
    assert_eq!(found.swing.label(), answer["swing_structure"], "row {}", row["id"]);
    assert_eq!(strength(found.trend_strength), answer["trend_strength"], "row {}", row["id"]);
    assert_eq!(found.age_bars, answer["trend_age_candles"], "row {}", row["id"]);
    for (value, name) in [
        (found.age_hours, "trend_age_hours"),
        (found.move_pct, "trend_move_pct"),
        (found.last_high.unwrap_or(0.0), "last_swing_high"),
        (found.last_low.unwrap_or(0.0), "last_swing_low"),
        (found.position_in_range, "position_in_range"),
        (found.distance_high_pct, "distance_from_high_pct"),
        (found.distance_low_pct, "distance_from_low_pct"),
    ] {
        assert_close(value, &answer[name], name, row);
    }
}

fn check_history(found: Option<SrHistory>, answer: &Value, row: &Value) {
    assert_eq!(found.is_none(), answer.is_null(), "level history of row {}", row["id"]);
    let Some(found) = found else { return };
    assert_eq!(found.test_count, answer["test_count"], "row {}", row["id"]);
    assert_eq!(found.last_test_ago, answer["last_test_ago_candles"], "row {}", row["id"]);
    assert_eq!(found.false_breaks, answer["false_breakouts"], "row {}", row["id"]);
    assert_eq!(description(&found), answer["description"].as_str().unwrap(), "row {}", row["id"]);
    assert_close(found.avg_reaction_pct, &answer["avg_reaction_pct"], "avg_reaction_pct", row);
    assert_close(found.extreme_reaction_pct, &answer["max_rejection_pct"], "max_rejection_pct", row);
}

fn cell<'a>(row: &'a Value, name: &str) -> Cell<'a> {
    match row.get(name) {
        None => Cell::Absent,
        Some(Value::Number(number)) => Cell::Number(number.as_f64().unwrap()),
        Some(Value::String(text)) => Cell::Text(text),
        Some(_) => Cell::Null,
    }
}

#[test]
fn signal_scores_agree() {
    for_each_row("signal_scores.json", 630, |document, row| {
        let parsed = LegacyRow::read(|name| cell(&row["row"], name));
        assert_eq!(indicator_consensus(&parsed.confirmations()), row["consensus"], "row {}", row["id"]);
        for style in Style::ALL {
            let answers = row["score"][style.as_str()].as_object().unwrap();
            assert_eq!(answers.len(), 4);
            for (variant, answer) in answers {
                let table = document.get(variant).map(|config| &config[format!("{style}_score_weights")]);
                let weights = match table {
                    Some(table) => ScoreWeights::from_table(style, |key| table.get(key)?.as_f64()),
                    None => ScoreWeights::default_for(style),
                };
                let found = signal_score(&parsed, style, &weights);
                assert_eq!(found, *answer, "{style} score of row {} with {variant}", row["id"]);
            }
        }
    });
}

#[test]
fn consensus_scores_agree() {
    for_each_row("consensus_score.json", 500, |_, row| {
        let number = |name: &str| cell(&row["args"], name).number(0.0);
        let trend = |name: &str| TrendLabel::parse(cell(&row["args"], name).text());
        let mean_volume = number("avg_volume");
        let seen = Confirmations {
            ema_fast: number("ema20"),
            ema_slow: number("ema50"),
            macd_histogram: number("macd_histogram"),
            rsi: number("rsi_14"),
            volume_ratio: if mean_volume > 0.0 { number("volume") / mean_volume } else { 0.0 },
            trend_4h: trend("trend_4h"),
            trend_1h: trend("trend_1h"),
            trend_15m: trend("trend_15m"),
        };
        let closes = row["args"]["recent_closes"].as_array();
        let closes: Vec<f64> = closes.into_iter().flatten().filter_map(Value::as_f64).collect();
        let inputs = ConsensusInputs {
            seen,
            pin_bar_score: number("pin_bar_score"),
            engulfing_score: number("engulfing_score"),
            breakout_score: number("breakout_score"),
            recent_closes: &closes,
            support: number("support"),
            resistance: number("resistance"),
            price: number("current_price"),
        };
        assert_eq!(consensus_score(&inputs), row["consensus_score"], "row {}", row["id"]);
        assert_eq!(indicator_consensus(&seen), row["indicator_consensus_legacy"], "row {}", row["id"]);
    });
}

/// Any candles that can be: a walk with gaps, wicks and ties.
fn candles(lengths: std::ops::Range<usize>) -> impl Strategy<Value = CandleSeries> {
    let step = (-50i32..=50, 0u32..40, 0u32..40, -20i32..=20, 0u32..1000);
    proptest::collection::vec(step, lengths).prop_map(|steps| {
        let mut price = 1000i32;
        let candle = |(i, (gap, up, down, body, volume)): (usize, (i32, u32, u32, i32, u32))| {
            price = (price + gap).max(100);
            let (open, close) = (f64::from(price), f64::from(price + body));
            Candle {
                open_time: i as i64 * Interval::M15.ms(),
                open,
                high: open.max(close) + f64::from(up),
                low: open.min(close) - f64::from(down),
                close,
                volume: f64::from(volume),
            }
        };
        steps.into_iter().enumerate().map(candle).collect()
    })
}

fn assert_finite(values: &[f64]) {
    assert!(values.iter().all(|value| value.is_finite()), "{values:?}");
}

proptest! {
    #[test]
    fn context_reads_only_its_last_candles(series in candles(0..60), count in 0usize..25) {
        let bars = series.bars();
        let short = bars.slice(bars.len() - count.min(bars.len())..bars.len());
        prop_assert_eq!(kline_context(bars, count), kline_context(short, count));
    }

    #[test]
    fn features_at_t_do_not_know_what_follows(series in candles(30..60), t in 0usize..30) {
        let bars = series.bars();
        let copy: CandleSeries = (0..=t).map(|i| bars.get(i)).collect();
        // A single candle does not tell its interval, and ten are needed for a structure anyway.
        prop_assert_eq!(kline_context(copy.bars(), 10), kline_context(bars.slice(0..t + 1), 10));
        prop_assert_eq!(market_structure(copy.bars()), market_structure(bars.slice(0..t + 1)));
        for side in [LevelSide::Resistance, LevelSide::Support] {
            let at_t = sr_history(bars.slice(0..t + 1), 1000.0, side, 0.5);
            prop_assert_eq!(sr_history(copy.bars(), 1000.0, side, 0.5), at_t);
        }
    }

    #[test]
    fn structure_of_a_longer_window_is_the_same_once_its_swings_are_in(series in candles(40..90)) {
        let bars = series.bars();
        let short = market_structure(bars.slice(bars.len() - 30..bars.len()));
        if let Some(short) = short.filter(|found| found.swing.label() != "unknown") {
            prop_assert_eq!(Some(short), market_structure(bars));
        }
    }

    #[test]
    fn a_longer_window_only_adds_tests(series in candles(2..60), level in 900.0f64..1100.0) {
        let bars = series.bars();
        let half = bars.slice(bars.len() / 2..bars.len());
        for side in [LevelSide::Resistance, LevelSide::Support] {
            let Some(recent) = sr_history(half, level, side, 0.5) else { continue };
            let all = sr_history(bars, level, side, 0.5).expect("a test in a part is a test in the whole");
            prop_assert!(all.test_count >= recent.test_count && all.false_breaks >= recent.false_breaks);
            prop_assert_eq!(all.last_test_ago, recent.last_test_ago);
        }
    }

    #[test]
    fn candles_that_can_be_have_finite_features(series in candles(0..60), level in -10.0f64..2000.0) {
        if let Some(c) = kline_context(series.bars(), 10) {
            assert_finite(&[c.highest, c.lowest, c.avg_body, c.avg_range, c.avg_volume, c.bullish_ratio]);
            assert_finite(&[c.price_change_pct, c.volatility_pct]);
            prop_assert!((0.0..=1.0).contains(&c.bullish_ratio) && !(c.is_up && c.is_down));
        }
        if let Some(m) = market_structure(series.bars()) {
            assert_finite(&[m.age_hours, m.move_pct, m.distance_high_pct, m.distance_low_pct]);
            prop_assert!((0.0..=1.0).contains(&m.position_in_range));
        }
        for side in [LevelSide::Resistance, LevelSide::Support] {
            if let Some(h) = sr_history(series.bars(), level, side, 0.5) {
                assert_finite(&[h.avg_reaction_pct, h.extreme_reaction_pct]);
                prop_assert!(h.test_count > 0 && h.false_breaks <= h.test_count);
            }
        }
    }

    #[test]
    fn no_row_scores_outside_its_range(cells in proptest::collection::vec(-1e3f64..1e3, 13), label in 0usize..4) {
        let label = ["多头", "空头转弱", "强势多头", ""][label];
        let names = ["open", "high", "low", "close", "rsi_14", "macd_histogram", "atr", "support", "resistance",
            "ema20", "ema50", "volume_ratio", "ema20_1h"];
        let row = LegacyRow::read(|name| match names.iter().position(|known| *known == name) {
            Some(index) => Cell::Number(cells[index]),
            None if name.starts_with("trend") => Cell::Text(label),
            None => Cell::Absent,
        });
        for style in Style::ALL {
            prop_assert!(signal_score(&row, style, &ScoreWeights::default_for(style)) <= 100);
        }
        prop_assert!(indicator_consensus(&row.confirmations()) <= 5);
    }
}

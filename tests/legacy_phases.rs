//! Parity of the legacy phases: opportunities, exits and thresholds, the separated search, the validation.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use crate::legacy_oracles::exit_simulation::Multiples;
use crate::legacy_oracles::filter_matrix::filter_matrix;
use crate::legacy_oracles::grid::Grid;
use crate::legacy_oracles::opportunities::{
    Baseline, Opportunity, ScanRow, Shape, Thresholds, kept, opportunities,
};
use crate::legacy_oracles::phase2::{
    Tally, best_exit, best_point, exit_trials, required_target, sampling_ranges, split_in_time, tally,
    test_points,
};
use crate::legacy_oracles::sampling::sample;
use crate::legacy_oracles::search::{ranked, trials};
use crate::legacy_oracles::separated::{Surroundings, TrendNeeded, separated};
use crate::legacy_oracles::signal_score::{Cell, LegacyRow, signal_score};
use crate::legacy_oracles::weights::{WeightCandidate, best, candidates, weight_quality};
use retune::ingest::{LegacyRecord, read_legacy_opportunities};
use retune::legacy::rules::metrics::LegacyOpportunity;
use retune::legacy::rules::phase4::{
    OpportunityOutcomes, Overfitting, ValidatedOpportunity, ValidationRule, validate_style, verdict,
    worse_verdict,
};
use retune::legacy::rules::settings::{Setting, Settings};
use retune::model::Style;
use retune::validate::verdict::Verdict;
use serde_json::{Value, json};

use crate::legacy_parity::{assert_close, legacy_documents, read_json, shared};

/// A snapshot row by column.
type Row = BTreeMap<String, String>;

fn read_rows(path: &Path) -> Vec<Row> {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let header: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    lines.map(|line| header.iter().cloned().zip(line.split(',').map(str::to_owned)).collect()).collect()
}

fn cell<'a>(row: &'a Row, name: &str) -> Cell<'a> {
    row.get(name).map_or(Cell::Absent, |text| Cell::Text(text))
}

fn scan_row(row: &Row) -> ScanRow {
    ScanRow {
        row: LegacyRow::read(|name| cell(row, name)),
        price: cell(row, "price").number(0.0),
        has_trend_4h: !cell(row, "trend_4h").text().is_empty(),
        rsi_15m: cell(row, "rsi_15m").number(50.0),
        style: if cell(row, "signal_type").text() == "scalping" { Style::Scalping } else { Style::Swing },
    }
}

/// Prices as the fourth case wants them: relative to the first, to the power of 2.2.
fn rescaled(rows: &[Row]) -> Vec<Row> {
    let mut first: BTreeMap<(String, &str), f64> = BTreeMap::new();
    let mut rows = rows.to_vec();
    for row in &mut rows {
        let coin = row["coin"].clone();
        for column in ["open", "high", "low", "close", "price"] {
            let value: f64 = row[column].parse().unwrap();
            let first = *first.entry((coin.clone(), column)).or_insert(value);
            row.insert(column.to_owned(), ((value / first).powf(2.2) * 100.0).to_string());
        }
        let numbers: Vec<(String, f64)> =
            row.iter().filter_map(|(name, text)| Some((name.clone(), text.parse().ok()?))).collect();
        for (name, value) in numbers.into_iter().filter(|(name, _)| name != "snapshot_date") {
            row.insert(name, format!("{value:.6}"));
        }
    }
    rows
}

/// Opportunities of the coins of a case, coin after coin.
fn found(rows: &[Row], coins: &[&str]) -> Vec<(String, Opportunity)> {
    let of_coin = |coin: &&str| {
        let mut rows: Vec<&Row> = rows.iter().filter(|row| row["coin"] == **coin).collect();
        rows.sort_by_key(|row| (row["snapshot_date"].clone(), row["time"].clone()));
        let scanned: Vec<ScanRow> = rows.iter().map(|row| scan_row(row)).collect();
        let stamp = |o: &Opportunity| {
            let (date, time) = (&rows[o.row]["snapshot_date"], &rows[o.row]["time"]);
            format!("{coin} {}-{}-{} {time}:00", &date[..4], &date[4..6], &date[6..])
        };
        opportunities(&scanned).into_iter().map(|o| (stamp(&o), o)).collect::<Vec<_>>()
    };
    coins.iter().flat_map(of_coin).collect()
}

fn shape(opportunity: &Opportunity) -> Shape {
    Shape {
        objective_profit: opportunity.objective_profit,
        holding_hours: opportunity.holding_hours,
        profit_density: opportunity.profit_density,
    }
}

fn check_phase1(rows: &[Row], case: &Value) {
    let coins: Vec<&str> =
        case["coins"].as_array().unwrap().iter().map(|coin| coin.as_str().unwrap()).collect();
    let all = found(rows, &coins);
    let shapes: Vec<Shape> = all.iter().map(|(_, o)| shape(o)).collect();
    let thresholds = Thresholds::of(&shapes);
    assert_eq!(thresholds.is_none(), case["adaptive_thresholds"].is_null());
    if let Some(found) = &thresholds {
        let answer = &case["adaptive_thresholds"];
        assert_eq!(found.state.as_str(), answer["market_state"]);
        assert_close(found.swing_min_profit, &answer["thresholds"]["swing_min_profit"], "profit", case);
        assert_close(found.swing_min_holding, &answer["thresholds"]["swing_min_holding"], "holding", case);
        assert_close(found.high_density, &answer["thresholds"]["high_density_threshold"], "density", case);
    }
    for style in Style::ALL {
        let is_style = |o: &Opportunity| thresholds.map_or(Style::Scalping, |t| t.style(&shape(o))) == style;
        let chosen: Vec<&(String, Opportunity)> = all.iter().filter(|(_, o)| is_style(o)).collect();
        let chosen = kept(chosen, |(_, o)| o.objective_profit);
        let answers = case[style.as_str()].as_array().unwrap();
        assert_eq!(chosen.len(), answers.len(), "{} {style}", case["case"]);
        for ((stamp, o), answer) in chosen.iter().zip(answers) {
            assert_eq!(stamp.split_once(' ').unwrap().1, answer["timestamp"]);
            for (value, key) in [
                (o.entry_price, "entry_price"),
                (o.objective_profit, "objective_profit"),
                (o.holding_hours, "holding_hours"),
                (o.profit_density, "profit_density"),
                (f64::from(o.consensus), "consensus"),
                (f64::from(o.signal_score), "signal_score"),
            ] {
                assert_close(value, &answer[key], key, answer);
            }
            let side = if o.direction == retune::model::Direction::Long { "long" } else { "short" };
            assert_eq!(side, answer["direction"]);
            assert_close(
                o.future.final_close.unwrap(),
                &answer["future_data"]["final_close"],
                "close",
                answer,
            );
        }
        check_baseline(&chosen, &case["phase1_baseline"][style.as_str()], case);
    }
}

fn check_baseline(chosen: &[&(String, Opportunity)], answer: &Value, case: &Value) {
    let baseline = Baseline::of(&chosen.iter().map(|(_, o)| shape(o)).collect::<Vec<_>>());
    for (value, key) in [
        (baseline.count as f64, "count"),
        (baseline.avg_objective_profit, "avg_objective_profit"),
        (baseline.avg_holding_hours, "avg_holding_hours"),
        (baseline.median_holding_hours, "median_holding_hours"),
        (baseline.avg_density, "avg_density"),
    ] {
        assert_close(value, &answer[key], key, case);
    }
}

#[test]
fn opportunities_of_phase_1_agree() {
    let (Some(answers), Some(path)) = (shared("phase1_cases.json"), shared("phase1_input.csv.gz")) else {
        return;
    };
    let rows = read_rows(&path);
    assert_eq!(rows.len(), 9_408);
    let document = read_json(&answers);
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = case["case"].as_str().unwrap();
        // D02: no writer emits these two columns, and without them nothing is found.
        let without = |row: &Row| {
            row.iter()
                .filter(|(key, _)| *key != "volume_ratio" && *key != "rsi_15m")
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        };
        match name {
            name if name.starts_with("without") => {
                check_phase1(&rows.iter().map(without).collect::<Vec<Row>>(), case)
            }
            name if name.contains("rescaled") => check_phase1(&rescaled(&rows), case),
            _ => check_phase1(&rows, case),
        }
    }
}

/// The opportunities of phase 1 with their snapshot rows: scalping, swing.
fn with_snapshots(path: &Path) -> [(Vec<LegacyRecord>, Vec<LegacyRow>); 2] {
    let records = read_legacy_opportunities(path).unwrap();
    let document = read_json(path);
    Style::ALL.map(|style| {
        let of_style = records.iter().filter(|record| record.style == Some(style)).cloned().collect();
        let number = |value: &Value, name: &str| match &value["snapshot"][name] {
            Value::Null => Cell::Null,
            Value::Number(number) => Cell::Number(number.as_f64().unwrap()),
            Value::String(text) => Cell::Text(text.clone().leak()),
            _ => Cell::Absent,
        };
        let rows = document[style.as_str()].as_array().unwrap();
        (of_style, rows.iter().map(|row| LegacyRow::read(|name| number(row, name))).collect())
    })
}

fn check_tally(found: &Tally, answer: &Value, row: &Value) {
    assert_eq!(found.captured_count, answer["captured_count"]);
    assert_close(found.capture_rate, &answer["capture_rate"], "capture rate", row);
    assert_close(found.avg_profit, &answer["avg_profit"], "average", row);
    if let Some(total) = answer.get("total_profit") {
        assert_close(found.total_profit, total, "total", row);
    }
}

#[test]
fn a_whole_run_of_phases_2_to_4_agrees() {
    let (Some(answers), Some(path)) = (shared("phase2_3_4_run.json"), shared("phase2_opportunities.json"))
    else {
        return;
    };
    let run = read_json(&answers);
    let mut sets = with_snapshots(&path);
    let learned = &run["phase2_baseline"]["learned_features"];
    let before: Vec<LegacyRecord> = sets.iter().flat_map(|(records, _)| records.clone()).collect();
    let (ranges, cache) = (sampling_ranges(&before), &run["optimization_cache"]);
    for (range, answer) in [
        (ranges.risk_reward, &cache["rr_distribution"]["range"]),
        (ranges.target, &cache["atr_multipliers"]["tp_range"]),
    ] {
        assert_close(range[0], &answer[0], "lower end", answer);
        assert_close(range[1], &answer[1], "upper end", answer);
    }
    assert!(ranges.target[0] > ranges.target[1], "D52: the range is inverted");
    let mut multiples = Vec::new();
    for (style, (records, rows)) in Style::ALL.into_iter().zip(&mut sets) {
        let place = check_weights(style, records, rows, &run);
        let weights = candidates(style)[place].score_weights(style);
        for (record, row) in records.iter_mut().zip(rows.iter()) {
            record.signal_score = f64::from(signal_score(row, style, &weights));
        }
        let scores: Vec<u64> = records.iter().map(|record| record.signal_score as u64).collect();
        assert_eq!(json!(scores), run["signal_scores_after_reweighting"][style.as_str()]);
        let trials = exit_trials(records, style);
        assert_eq!(trials.len(), 12);
        let chosen = best_exit(&trials).unwrap();
        let answer = &learned["optimal_tp_sl"][style.as_str()];
        assert_close(chosen.multiples.target, &answer["atr_tp_multiplier"], "target", answer);
        assert_close(chosen.multiples.stop, &answer["atr_stop_multiplier"], "stop", answer);
        assert_close(chosen.avg_profit, &answer["avg_profit"], "average", answer);
        assert_close(chosen.capture_pct, &answer["capture_rate"], "capture", answer);
        check_points(style, records, &chosen.multiples, ranges.risk_reward[0], &run);
        multiples.push(chosen.multiples);
    }
    let all: Vec<LegacyRecord> = sets.iter().flat_map(|(records, _)| records.clone()).collect();
    let phase3 = &run["phase3"];
    check_multi_start(&all, &phase3["multi_start_search"]);
    check_matrix(&all, &multiples, &phase3["filter_matrix"]);
    for ((style, (records, _)), multiples) in Style::ALL.into_iter().zip(&sets).zip(&multiples) {
        let answer = &phase3[style.as_str()];
        match separated(style, records, multiples, None) {
            None => assert_eq!(answer["params"], json!({})),
            Some((params, tally)) => {
                check_tally(&tally, answer, answer);
                assert_close(
                    params.multiples.target,
                    &answer["params"]["atr_tp_multiplier"],
                    "target",
                    answer,
                );
                assert_eq!(params.max_holding_hours, answer["params"]["max_holding_hours"]);
            }
        }
        check_validation(records, &answer["params"], &run["phase4"][style.as_str()]);
    }
}

/// The weights that a search begins with besides the default ones are those of the legacy, as far as their terms are known.
#[test]
fn the_weights_tried_first_are_the_legacys() {
    use retune::features::score::{ScoreWeights, terms_of_style};
    for style in Style::ALL {
        let known = candidates(style)
            .iter()
            .filter(|candidate| candidate.weights.len() == terms_of_style(style).len());
        let weights = |candidate: &WeightCandidate| {
            let own =
                |key: &str| candidate.weights.iter().find(|(name, _)| *name == key).map(|(_, w)| *w as u8);
            ScoreWeights::of(style, |term| own(term.as_str())).expect("every term is known")
        };
        let mut legacy: Vec<ScoreWeights> = known.map(weights).collect();
        assert_eq!(legacy.remove(0), ScoreWeights::default_of(style));
        assert_eq!(retune::search::named_weights::alternative_weights(style), legacy);
    }
}

/// Returns the place of the best weights.
fn check_weights(style: Style, records: &[LegacyRecord], rows: &[LegacyRow], run: &Value) -> usize {
    let quality = |candidate: &WeightCandidate| {
        let weights = candidate.score_weights(style);
        let scored: Vec<(f64, f64)> = rows
            .iter()
            .zip(records)
            .map(|(row, record)| {
                (f64::from(signal_score(row, style, &weights)), record.objective_profit.unwrap())
            })
            .collect();
        weight_quality(&scored)
    };
    let qualities: Vec<_> = candidates(style).iter().map(quality).collect();
    let answers = run["weight_scores"].as_array().unwrap();
    let answers = &answers[if style == Style::Scalping { 0..6 } else { 6..12 }];
    for ((candidate, found), answer) in candidates(style).iter().zip(&qualities).zip(answers) {
        let found = found.unwrap();
        assert_eq!(candidate.name, answer[0]);
        for (value, index, tolerance) in [
            (found.mean_score, 1, 0.051),
            (found.best_mean_score, 2, 0.051),
            (found.deviation, 3, 0.051),
            (found.value, 4, 0.00051),
        ] {
            let want = answer[index].as_f64().unwrap();
            assert!((value - want).abs() <= tolerance, "{} {index}: {value}, not {want}", candidate.name);
        }
    }
    let place = best(&qualities);
    let learned = &run["phase2_baseline"]["learned_features"];
    assert_eq!(candidates(style)[place].name, learned[format!("best_{style}_weights")]["name"]);
    place
}

fn check_points(style: Style, records: &[LegacyRecord], multiples: &Multiples, rr_min: f64, run: &Value) {
    let points = test_points(style, rr_min);
    let (early, late) = split_in_time(records);
    assert_eq!(early.len() + late.len(), records.len());
    let (point, train) = best_point(&early, &points, multiples).unwrap();
    let answer = &run["phase2_baseline"][style.as_str()];
    assert_close(point.min_signal_score, &answer["params"]["min_signal_score"], "score", answer);
    assert_close(point.min_risk_reward, &answer["params"]["min_risk_reward"], "risk/reward", answer);
    // What is reported as the baseline is both parts together (D14).
    let both: Vec<&LegacyRecord> = records.iter().collect();
    check_tally(&tally(&both, &point, multiples), answer, answer);
    if style == Style::Scalping {
        check_tally(&train, &run["phase2_baseline"]["learned_features"]["top5_param_combos"][0], answer);
    }
    assert!(required_target(records, style) > 0.0);
}

/// D13, D16, D17: every start of both stages scores the same everywhere, and the first configuration wins.
fn check_multi_start(records: &[LegacyRecord], answer: &Value) {
    let opportunities: Vec<LegacyOpportunity> = records.iter().map(LegacyOpportunity::from).collect();
    for found in answer["all_results"].as_array().unwrap() {
        let start = found.get("starting_point_params").and_then(Value::as_object);
        let start = start.map(Settings::from_json).unwrap_or_default();
        // The fine stage started from what the coarse one gave: nothing, hence other centres of no effect.
        let grid = Grid::around(Style::Swing, &start);
        let plan: Vec<Settings> =
            sample(&grid, 4, 0).into_iter().map(|number| grid.settings(&grid.places(number))).collect();
        let tried = trials(&opportunities, &plan);
        for trial in &tried {
            assert_close(trial.score, &found["statistics"]["score_distribution"]["mean"], "score", found);
        }
        if !start.is_empty() {
            let answer = Settings::from_json(found["optimized_params"].as_object().unwrap());
            let same = |(a, b): ((&str, &Setting), (&str, &Setting))| a.0 == b.0 && a.1.order(b.1).is_eq();
            assert!(ranked(&tried)[0].settings.iter().zip(answer.iter()).all(same), "the first wins");
        }
    }
}

fn check_matrix(records: &[LegacyRecord], multiples: &[Multiples], answer: &Value) {
    let rows = filter_matrix(records, &multiples[0], &multiples[1]);
    let answers = answer["all_results"].as_array().unwrap();
    assert_eq!(rows.len(), answers.len());
    for (row, answer) in rows.iter().zip(answers) {
        assert_eq!(
            (Some(row.min_consensus), Some(row.min_signal_score)),
            (answer["min_consensus"].as_f64(), answer["min_signal_score"].as_f64())
        );
        check_tally(&row.tally, answer, answer);
        assert_close(row.score, &answer["score"], "score", answer);
    }
}

#[test]
fn the_separated_search_agrees() {
    let (Some(answers), Some(path)) = (shared("phase3_separated.json"), shared("phase2_opportunities.json"))
    else {
        return;
    };
    let document = read_json(&answers);
    let cases = document.as_array().unwrap();
    assert_eq!(cases.len(), 4);
    let records = read_legacy_opportunities(&path).unwrap();
    for case in cases {
        let style = if case["signal_type"] == "scalping" { Style::Scalping } else { Style::Swing };
        let mut chosen: Vec<LegacyRecord> =
            records.iter().filter(|r| r.style == Some(style)).cloned().collect();
        if style == Style::Scalping {
            chosen.iter_mut().for_each(|r| r.profit_density = r.profit_density.map(|density| density * 10.0));
        }
        let trends = [TrendNeeded::Strong, TrendNeeded::Normal, TrendNeeded::Any];
        let around = |(index, record): (usize, &LegacyRecord)| {
            let price = record.entry_price.unwrap();
            let support = price * (1.0 - 0.01 * (index % 7) as f64);
            Surroundings {
                strong_pattern: index % 3 == 0,
                trend: trends[index % 3],
                near_level: Surroundings::is_near(price, support),
            }
        };
        let around: Vec<Surroundings> = chosen.iter().enumerate().map(around).collect();
        let advanced = case["learned_features"]["enable_advanced_filters"] == true;
        let optimal = &case["learned_features"]["optimal_tp_sl"][style.as_str()];
        let multiples = Multiples {
            stop: optimal["atr_stop_multiplier"].as_f64().unwrap(),
            target: optimal["atr_tp_multiplier"].as_f64().unwrap(),
        };
        let (params, tally) = separated(style, &chosen, &multiples, advanced.then_some(&around)).unwrap();
        let answer = &case["result"];
        check_tally(&tally, answer, case);
        let want = &answer["best_params"];
        for (value, key) in [
            (params.min_indicator_consensus, "min_indicator_consensus"),
            (params.min_signal_score, "min_signal_score"),
            (params.min_risk_reward, "min_risk_reward"),
            (params.min_profit_density, "min_profit_density"),
            (params.multiples.target, "atr_tp_multiplier"),
            (params.multiples.stop, "atr_stop_multiplier"),
            (params.max_holding_hours as f64, "max_holding_hours"),
            (params.trailing_stop_activation, "trailing_stop_activation"),
            (params.trailing_stop_distance, "trailing_stop_distance"),
        ] {
            assert_close(value, &want[key], key, case);
        }
        assert_eq!(params.min_trend_strength.as_str(), want["min_trend_strength"]);
        assert_eq!(params.require_strong_pattern, want["require_strong_pattern"]);
        assert_eq!(params.require_near_sr, want["require_near_sr"]);
        assert_eq!(params.trailing_stop_enabled, want["trailing_stop_enabled"]);
    }
}

fn check_validation(records: &[LegacyRecord], params: &Value, answer: &Value) {
    let opportunities: Vec<ValidatedOpportunity> = records.iter().map(ValidatedOpportunity::from).collect();
    check_validated(&opportunities, params, 0.0, answer);
}

fn check_validated(
    opportunities: &[ValidatedOpportunity],
    params: &Value,
    baseline: f64,
    answer: &Value,
) -> Verdict {
    let settings = Settings::from_json(params.as_object().unwrap());
    let found = match settings.is_empty() {
        true => None,
        false => validate_style(opportunities, &ValidationRule::of(&settings), baseline),
    };
    let Some(found) = found else {
        assert_eq!(answer["status"], "SKIPPED");
        return Verdict::Skipped;
    };
    for (part, key) in [(found.full, "full_test"), (found.early, "early_period"), (found.late, "late_period")]
    {
        let answer = &answer[key];
        assert_eq!(
            (part.captured_count.into(), part.sample_count.into()),
            (answer["captured_count"].clone(), answer["sample_count"].clone())
        );
        assert_close(part.capture_rate, &answer["capture_rate"], "capture rate", answer);
        assert_close(part.avg_profit, &answer["avg_profit"], "average", answer);
        assert_close(part.win_rate, &answer["win_rate"], "win rate", answer);
        assert_close(part.total_profit, &answer["total_profit"], "total", answer);
    }
    check_overfitting(&found.overfitting, &answer["overfitting"]);
    assert_close(found.stability, &answer["stability_score"], "stability", answer);
    assert_eq!(found.verdict.as_str(), answer["status"]);
    found.verdict
}

fn check_overfitting(found: &Overfitting, answer: &Value) {
    assert_close(found.profit_degradation, &answer["profit_degradation"], "degradation", answer);
    assert_close(found.winrate_ratio, &answer["winrate_ratio"], "win rates", answer);
    assert_eq!(found.points, answer["overfitting_score"]);
    assert_eq!(found.is_overfitted(), answer["is_overfitted"]);
}

fn check_case(case: &Value) {
    let number = |json: &Value, key: &str| json[key].as_f64().unwrap_or(0.0);
    let all = case["opportunities"].as_array().unwrap();
    let verdicts = Style::ALL.map(|style| {
        let of_style = all.iter().filter(|json| json["signal_type"] == style.as_str());
        let opportunities: Vec<ValidatedOpportunity> = of_style
            .map(|json| ValidatedOpportunity {
                timestamp: json["timestamp"].as_str().unwrap().to_owned(),
                signal_score: number(json, "signal_score"),
                indicator_consensus: number(json, "indicator_consensus"),
                entry_price: number(json, "entry_price"),
                atr: number(json, "atr"),
                max_potential_profit: number(json, "max_potential_profit"),
            })
            .collect();
        let baseline = number(&case["phase1_baseline"][style.as_str()], "avg_profit");
        let params = &case["phase3_result"][style.as_str()]["params"];
        check_validated(&opportunities, params, baseline, &case["result"][style.as_str()])
    });
    assert_eq!(worse_verdict(verdicts[0], verdicts[1]).as_str(), case["result"]["overall_status"]);
}

fn check_unit(unit: &Value) {
    let part = |json: &Value| OpportunityOutcomes {
        avg_profit: json["avg_profit"].as_f64().unwrap(),
        win_rate: json["win_rate"].as_f64().unwrap_or(0.0),
        ..OpportunityOutcomes::default()
    };
    let found = Overfitting::of(&part(&unit["early"]), &part(&unit["late"]));
    check_overfitting(&found, &unit["overfitting"]);
    let full = unit["full"]["avg_profit"].as_f64().unwrap();
    let stability = found.stability(full);
    assert_close(stability, &unit["stability_score"], "stability", unit);
    for (baseline, want) in unit["status_by_baseline"].as_object().unwrap() {
        let status = verdict(full, &found, stability, baseline.parse().unwrap());
        assert_eq!(status.as_str(), want, "{unit}");
    }
}

#[test]
fn the_validation_agrees() {
    for (document, full) in legacy_documents("phase4_cases.json", "phase4_cases.json") {
        let (cases, units) = (document["cases"].as_array().unwrap(), document["unit"].as_array().unwrap());
        assert!(!full || (cases.len(), units.len()) == (28, 196));
        cases.iter().for_each(check_case);
        units.iter().for_each(check_unit);
        let named = |name: &Value| {
            let all = [
                Verdict::Passed,
                Verdict::Warning,
                Verdict::Unstable,
                Verdict::Overfitted,
                Verdict::Failed,
                Verdict::Skipped,
            ];
            all.into_iter().find(|verdict| verdict.as_str() == name).unwrap_or(Verdict::Skipped)
        };
        for row in document["overall"].as_array().unwrap() {
            assert_eq!(worse_verdict(named(&row["scalping"]), named(&row["swing"])).as_str(), row["overall"]);
        }
    }
}

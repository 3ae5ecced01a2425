//! Parity of the legacy search: grids, sampling, statistics, anomalies, context analysis, compression.

use crate::legacy_oracles::anomalies::{AnomalyLimits, anomalies};
use crate::legacy_oracles::compression::{SearchResult, compress, legacy_cost_saved, legacy_tokens};
use crate::legacy_oracles::context::{BullishRatio, ContextGroup, context_analysis};
use crate::legacy_oracles::grid::Grid;
use crate::legacy_oracles::sampling::{boundary_and_centre, sample};
use crate::legacy_oracles::search::{ranked, trials};
use crate::legacy_oracles::statistics::{ScoreDistribution, sensitivities};
use retune::decide::tokens::Saving;
use retune::legacy::rules::capture::capture_by_thresholds;
use retune::legacy::rules::metrics::LegacyOpportunity;
use retune::legacy::rules::settings::{Setting, Settings};
use retune::model::Style;
use serde_json::{Value, json};

use crate::legacy_metrics::{is_in_subset, opportunity, transformed};
use crate::legacy_parity::{assert_close, legacy_documents, read_json, shared};

fn settings(json: &Value) -> Settings {
    json.as_object().map(Settings::from_json).unwrap_or_default()
}

fn style(json: &Value) -> Style {
    if json == "scalping" { Style::Scalping } else { Style::Swing }
}

/// Whether settings are those of a document; 4 is 4.0.
fn same(found: &Settings, answer: &Value) -> bool {
    let answer = settings(answer);
    found.iter().count() == answer.iter().count()
        && found.iter().zip(answer.iter()).all(|(a, b)| a.0 == b.0 && a.1.order(b.1).is_eq())
}

#[test]
fn grids_agree() {
    for (document, full) in legacy_documents("grids.json", "grids_and_sampling.json") {
        for row in document.as_array().unwrap() {
            let grid = Grid::around(style(&row["signal_type"]), &settings(&row["baseline"]));
            let answer = row["grid"].as_object().unwrap();
            assert_eq!(grid.len(), row["total_combinations"]);
            let names: Vec<&str> = grid.dimensions().iter().map(|(name, _)| *name).collect();
            assert_eq!(names, answer.keys().collect::<Vec<_>>());
            for ((name, values), wanted) in grid.dimensions().iter().zip(answer.values()) {
                let wanted: Vec<Setting> = wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|value| settings(&json!({ "v": value })).get("v").unwrap().clone())
                    .collect();
                let equal = values.iter().zip(&wanted).all(|(a, b)| a.order(b).is_eq());
                assert!(values.len() == wanted.len() && equal, "{name}: {values:?}, not {wanted:?}");
            }
            if full {
                check_sampling(&grid, row);
            }
        }
    }
}

fn check_sampling(grid: &Grid, row: &Value) {
    let all = |numbers: Vec<u64>| -> Vec<Settings> {
        numbers.into_iter().map(|number| grid.settings(&grid.places(number))).collect()
    };
    let fixed = all(boundary_and_centre(grid));
    let answer = row["boundary_and_center"].as_array().unwrap();
    assert_eq!(fixed.len(), answer.len());
    assert!(fixed.iter().zip(answer).all(|(found, want)| same(found, want)), "boundary and centre");
    // The rest is drawn: not the same ones, but as many, and the fixed ones before them.
    let sampled = all(sample(grid, 60, 42));
    let answer = row["sample60_python_seed42"].as_array().unwrap();
    assert_eq!(sampled.len(), answer.len());
    assert!(sampled.iter().take(fixed.len()).zip(answer).all(|(found, want)| same(found, want)));
}

/// The opportunities of a subset, transformed.
fn selected(all: &Value, row: &Value) -> Vec<LegacyOpportunity> {
    let (subset, transform) = (row["subset"].as_str().unwrap(), row["transform"].as_str().unwrap());
    let all = all.as_array().unwrap().iter().enumerate();
    let inside = all.filter(|(index, json)| is_in_subset(subset, *index, json));
    inside.map(|(_, json)| transformed(transform, opportunity(json))).collect()
}

fn check_groups(groups: &[ContextGroup], answer: &Value, row: &Value) {
    let answer = answer.as_object().unwrap();
    let names: Vec<&String> = answer.keys().filter(|key| *key != "conclusion").collect();
    assert_eq!(groups.iter().map(|group| &group.label).collect::<Vec<_>>(), names, "row {}", row["params"]);
    for group in groups {
        let want = &answer[&group.label];
        assert_eq!(group.count, want["count"], "{} in {}", group.label, row["params"]);
        assert_close(group.avg_profit_shown(), &want["avg_profit"], "profit", row);
        if let Some(rate) = want["win_rate"].as_f64() {
            assert!((group.win_rate - rate).abs() <= 0.005 + 1e-9, "{} is not {rate}", group.win_rate);
        }
    }
}

fn check_context(captured: &[LegacyOpportunity], answer: &Value, row: &Value) {
    if answer.get("error").is_some() {
        assert_eq!(captured, []);
        return;
    }
    let found = context_analysis(captured, BullishRatio::AsRead);
    check_groups(&found.kline_context, &answer["kline_context"], row);
    check_groups(&found.market_structure, &answer["market_structure"], row);
    check_groups(&found.sr_history, &answer["sr_history"], row);
    for (conclusion, part) in
        found.conclusions().iter().zip(["kline_context", "market_structure", "sr_history"])
    {
        assert_eq!(conclusion.as_deref(), answer[part].get("conclusion").and_then(Value::as_str), "{part}");
    }
    assert_eq!(json!(found.key_insights()), answer["key_insights"]);
}

#[test]
fn context_analysis_agrees() {
    let (Some(answers), Some(path)) = (shared("context_analysis.json"), shared("opportunities_4000.json"))
    else {
        return;
    };
    let all = read_json(&path);
    let document = read_json(&answers);
    let rows = document.as_array().unwrap();
    assert_eq!(rows.len(), 25);
    for row in rows {
        let chosen = selected(&all, row);
        let captured = capture_by_thresholds(&chosen, &settings(&row["params"]).thresholds());
        let captured: Vec<_> = captured.places.iter().map(|place| chosen[*place]).collect();
        check_context(&captured, &row["context_analysis"], row);
    }
}

fn near(found: f64, answer: &Value, what: &str) {
    let answer = answer.as_f64().unwrap();
    assert!((found - answer).abs() <= 0.001, "{what} is {found}, not {answer}");
}

fn check_run(all: &Value, run: &Value) {
    let chosen = selected(all, run);
    let grid = Grid::around(style(&run["signal_type"]), &settings(&run["current_params"]));
    let suggested = grid.suggested(&settings(&run["ai_suggested_params"]));
    let sampled = run["sampled_params"].as_array().unwrap().iter().map(settings);
    let plan: Vec<Settings> = suggested.into_iter().chain(sampled).collect();
    let tried = trials(&chosen, &plan);
    let best = ranked(&tried);
    let output = &run["output"];
    assert!(same(&best[0].settings, &output["optimized_params"]));
    for (trial, answer) in best.iter().zip(output["top_10_configs"].as_array().unwrap()) {
        assert!(same(&trial.settings, &answer["params"]), "{:?}", trial.settings);
        assert_close(trial.score, &answer["score"], "score", run);
        assert_close(trial.metrics.expectancy, &answer["metrics"]["expectancy"], "expectancy", run);
        assert_close(trial.metrics.max_drawdown, &answer["metrics"]["max_drawdown"], "drawdown", run);
    }
    let statistics = &output["statistics"];
    let sensitivity = sensitivities(&tried);
    let answer = statistics["param_sensitivity"].as_object().unwrap();
    assert_eq!(sensitivity.iter().map(|s| &s.key).collect::<Vec<_>>(), answer.keys().collect::<Vec<_>>());
    for found in &sensitivity {
        let want = &answer[&found.key];
        near(found.avg_impact, &want["avg_impact"], &found.key);
        near(found.std_impact, &want["std_impact"], &found.key);
        assert_eq!(found.importance.as_str(), want["importance"], "{}", found.key);
    }
    let scores: Vec<f64> = tried.iter().map(|trial| trial.score).collect();
    let spread = ScoreDistribution::of(&scores).unwrap();
    for (value, key) in [
        (spread.mean, "mean"),
        (spread.std, "std"),
        (spread.min, "min"),
        (spread.max, "max"),
        (spread.q25, "q25"),
        (spread.q50, "q50"),
        (spread.q75, "q75"),
    ] {
        near(value, &statistics["score_distribution"][key], key);
    }
    check_anomalies_and_compression(&tried, &chosen, output);
}

fn check_anomalies_and_compression(
    tried: &[crate::legacy_oracles::search::Trial],
    chosen: &[LegacyOpportunity],
    output: &Value,
) {
    let odd = anomalies(tried, &AnomalyLimits::default());
    let answers = output["anomalies"].as_array().unwrap();
    assert_eq!(odd.len(), answers.len());
    for (found, answer) in odd.iter().zip(answers) {
        assert_eq!(found.kind(), answer["type"]);
        assert_eq!(found.severity().as_str(), answer["severity"]);
        assert_eq!(found.description(), answer["description"]);
        assert_eq!(Some(found.figure()), answer["drop"].as_f64());
    }
    let best = ranked(tried);
    let captured = capture_by_thresholds(chosen, &best[0].settings.thresholds());
    let captured: Vec<_> = captured.places.iter().map(|place| chosen[*place]).collect();
    check_context(&captured, &output["context_analysis"], output);
    let (sensitivity, insights) =
        (sensitivities(tried), context_analysis(&captured, BullishRatio::AsRead).key_insights());
    let result =
        SearchResult { ranked: &best, sensitivities: &sensitivity, insights: &insights, anomalies: &odd };
    let compressed = compress(&result);
    let answer = &output["compressed_data"];
    for part in ["context_insights", "anomalies_summary"] {
        assert_eq!(compressed[part], answer[part]);
    }
    let keys = |value: &Value| {
        value["param_sensitivity_summary"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&compressed), keys(answer));
    for (found, want) in compressed["top_3_configs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(answer["top_3_configs"].as_array().unwrap())
    {
        assert_eq!((&found["rank"], &found["params_summary"]), (&want["rank"], &want["params_summary"]));
    }
    assert_close(legacy_cost_saved(tried.len(), answer), &output["cost_saved"], "cost saved", output);
    // Means were summed in another order: their last digits, and with them the length, may differ.
    assert!(legacy_tokens(&compressed).abs_diff(legacy_tokens(answer)) <= 2);
    // What is claimed and what is there: nobody would have sent 100 tokens for each result.
    let full: Vec<Value> = tried.iter().map(|trial| Value::from(&trial.settings)).collect();
    let saving = Saving::measure(&json!(full).to_string(), &compressed.to_string());
    assert!(saving.ratio().is_some_and(|ratio| ratio < 1.0) == (saving.full_tokens > saving.kept_tokens));
}

#[test]
fn whole_runs_agree() {
    let (Some(answers), Some(path)) = (shared("optimizer_runs.json"), shared("opportunities_4000.json"))
    else {
        return;
    };
    let all = read_json(&path);
    let document = read_json(&answers);
    let runs = document.as_array().unwrap();
    assert_eq!(runs.len(), 7);
    runs.iter().for_each(|run| check_run(&all, run));
}

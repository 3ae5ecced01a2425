//! `optimizer metrics`: what is documented is printed, a file is put in its place whole, and nothing of the store changes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use retune::render::text::prometheus::METRICS;
use serde_json::Value;

use crate::command::{StoreDir, text};

fn read(place: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(place)).expect("a file of the project")
}

/// Returns the names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_ours = |word: &&str| {
        (word.starts_with("optimizer_") || *word == "process_resident_memory_bytes") && !word.ends_with('_')
    };
    words.filter(is_ours).map(str::to_owned).collect()
}

#[test]
fn metrics_say_where_a_profile_stands_and_change_nothing() {
    let store = StoreDir::after_a_run();
    let before = store.content();
    let printed = store.stdout(&["metrics"]);
    let document = store.json(&["metrics"]);
    let profile = &document["data"]["profiles"][0];
    let value = |series: &str| -> f64 {
        let line = printed.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{printed}")).parse().expect("a number")
    };
    let own = r#"{profile="default"}"#;
    assert_eq!(value(r#"optimizer_build_info{version="0.1.0"}"#), 1.0);
    let began = profile["last_run"]["started_unix_seconds"].as_f64().expect("a time");
    assert_eq!(value(&format!("optimizer_last_run_timestamp_seconds{own}")), began);
    assert_eq!(value(&format!("optimizer_run_late{own}")), 0.0);
    assert!(value(&format!("optimizer_last_run_peak_rss_bytes{own}")) > 1e6);
    assert!(value(&format!("optimizer_last_run_units_new{own}")) > 0.0);
    assert!(value(r#"optimizer_candle_age_seconds{profile="default",symbol="ALPHAUSDT"}"#) > 86_400.0);
    assert!(value(r#"optimizer_store_bytes{part="state"}"#) > 0.0);
    for (style, part) in profile["styles"].as_object().expect("styles") {
        let word = part["verdict"].as_str().expect("a verdict");
        let series = format!(r#"optimizer_verdict{{profile="default",style="{style}",word="{word}"}}"#);
        assert_eq!(value(&series), 1.0);
    }
    let known: BTreeSet<String> = METRICS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert!(names(&printed).is_subset(&known), "{:?}", names(&printed).difference(&known));
    assert_eq!(store.content(), before, "a look changes nothing");
}

#[test]
fn a_file_for_the_collector_is_put_in_its_place_whole() {
    let store = StoreDir::after_a_run();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("optimizer.prom");
    let at = file.display().to_string();
    let export = folder.path().join("bot.json").display().to_string();
    assert_eq!(store.stdout(&["metrics", "-o", &at]), format!("wrote {at}\n"));
    let first = fs::read_to_string(&file).expect("written");
    assert!(first.starts_with("# HELP optimizer_build_info") && !first.contains("optimizer_export_in_sync"));
    assert_eq!(
        fs::metadata(&file).expect("there").permissions().mode() & 0o777,
        0o644,
        "the collector reads it"
    );
    // What was handed to the bot is in sync until somebody changes it.
    store.stdout(&["export-json", "-o", &export, "--force"]);
    store.stdout(&["metrics", "-q", "-o", &at]);
    let in_sync = |file: &Path| {
        let text = fs::read_to_string(file).expect("written");
        text.lines().find(|line| line.starts_with("optimizer_export_in_sync{")).map(str::to_owned)
    };
    assert_eq!(in_sync(&file).as_deref(), Some("optimizer_export_in_sync{profile=\"default\"} 1"));
    let mut bot: Value = serde_json::from_str(&fs::read_to_string(&export).expect("written")).expect("JSON");
    bot["global"]["min_risk_reward"] = Value::from(99);
    fs::write(&export, bot.to_string()).expect("written");
    store.stdout(&["metrics", "-q", "-o", &at]);
    assert_eq!(in_sync(&file).as_deref(), Some("optimizer_export_in_sync{profile=\"default\"} 0"));
    fs::remove_file(&export).expect("removed");
    store.stdout(&["metrics", "-q", "-o", &at]);
    assert_eq!(in_sync(&file).as_deref(), Some("optimizer_export_in_sync{profile=\"default\"} 0"), "gone");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
    // No store, no file: what was there is as it was.
    let before = fs::read(&file).expect("there");
    let (code, said) = StoreDir::missing().failure(&["metrics", "-o", &at]);
    assert!(code.is_some_and(|code| code > 1) && said.contains("error:"), "{said}");
    assert_eq!(fs::read(&file).expect("there"), before);
    let folder_in_place = store.run(&["metrics", "-o", &folder.path().display().to_string()]);
    assert_eq!(folder_in_place.status.code(), Some(74), "{}", text(&folder_in_place.stderr));
    assert_eq!(store.run(&["metrics", "-o", &at, "--json"]).status.code(), Some(2));
}

#[test]
fn every_metric_is_documented_and_rules_and_dashboard_ask_for_no_other() {
    let known: BTreeSet<String> = METRICS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(known.len(), METRICS.len(), "each once");
    let page = read("docs/howto/monitor.md");
    for (name, _, help) in METRICS {
        assert!(
            page.contains(&format!("| `{name}` | {help} |")),
            "{name} is not on the page as it is printed"
        );
    }
    assert_eq!(names(&page), known);
    for place in ["tools/monitoring/alerts.yml", "tools/monitoring/grafana.json"] {
        let asked = names(&read(place));
        assert!(!asked.is_empty() && asked.is_subset(&known), "{place}: {:?}", asked.difference(&known));
    }
    let dashboard: Value = serde_json::from_str(&read("tools/monitoring/grafana.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() >= 8));
    let alerts = read("tools/monitoring/alerts.yml");
    for rule in ["OptimizerLate", "OptimizerFailed", "OptimizerBotFileDiffers", "OptimizerMemory"] {
        assert_eq!(alerts.matches(&format!("- alert: {rule}\n")).count(), 1);
    }
}

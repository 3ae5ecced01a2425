//! What commands print is what the schemas say, and the committed examples show it.

use std::fs;
use std::path::{Path, PathBuf};

use retune::bot::learning_config;
use retune::store::Store;
use serde_json::{Value, json};

use crate::command::{StoreDir, text};
use crate::document_schemas::{EXPORTED, schema_of};

/// One exported document: the command that prints it, and one value that spoils it.
struct Case {
    kind: &'static str,
    command: &'static [&'static str],
    spoilt: (&'static str, Value),
}

fn cases() -> Vec<Case> {
    let case = |kind, command, pointer, value| Case { kind, command, spoilt: (pointer, value) };
    vec![
        case("run", &["incremental", "--data", "tests/sample", "--exit-zero"], "/data/run/id", json!("1")),
        case(
            "forecast",
            &["incremental", "--data", "tests/sample", "--dry-run"],
            "/data/estimate/basis",
            json!(1),
        ),
        case("check_data", &["check", "data", "tests/sample"], "/data/usable", json!("yes")),
        case(
            "check_lookahead",
            &["check", "lookahead", "--data", "tests/sample", "--samples", "2"],
            "/data/clean",
            json!("yes"),
        ),
        case("inspect_overview", &["inspect"], "/data/profiles/0/runs", json!(-1)),
        case("inspect_runs", &["inspect", "runs"], "/data/runs/0/result", Value::Null),
        case("inspect_run", &["inspect", "run", "1"], "/data/run/data_fingerprint", json!([1, 2])),
        case("inspect_params", &["inspect", "params"], "/data/scopes", json!({})),
        case(
            "inspect_resolve",
            &["inspect", "params", "--resolve", "ALPHAUSDT", "--closed-trades", "12"],
            "/data/steps/0/taken",
            json!("yes"),
        ),
        case("inspect_changes", &["inspect", "changes"], "/data/matching", json!(0.5)),
        case("inspect_top", &["inspect", "top", "--limit", "2"], "/data/sort", json!(1)),
        case("inspect_store", &["inspect", "store"], "/schema", json!("optimizer.inspect_store/2")),
        case("inspect_cache", &["inspect", "cache"], "/data/cached_units", json!("all")),
        case("inspect_diff", &["inspect", "diff", "1", "last"], "/data/same_plan", json!("yes")),
        case("inspect_trials", &["inspect", "trials", "--limit", "2"], "/data/trials/0/rank", json!(-1)),
        case("inspect_features", &["inspect", "features"], "/data/styles/swing/run", Value::Null),
        case("inspect_insights", &["inspect", "insights"], "/data/styles/swing/lessons", json!("none")),
        case("inspect_importance", &["inspect", "importance"], "/data/styles/swing/dimensions", json!({})),
        case("inspect_space", &["inspect", "space"], "/data/styles/swing/axes/0/values", Value::Null),
        case("explain", &["explain", "--symbol", "ALPHAUSDT"], "/data/symbols/0/spans", Value::Null),
        case("by_hand", &["rollback", "1"], "/data/changes", Value::Null),
        case("config", &["config", "show"], "/data/parameter_sets/swing", json!("many")),
        // Before the import: a file that was imported lacks what it lacked, but for what the bot reads without asking.
        case("learning_config", &["export-json", "-o", "-"], "/global/min_risk_reward", json!("3")),
        case(
            "import",
            &["import-json", "tests/fixtures/learning_config.json"],
            "/data/passed_through",
            Value::Null,
        ),
        case(
            "export_diff",
            &["export-json", "--diff", "-o", "tests/fixtures/learning_config.json"],
            "/data/differences/0/is_due",
            json!("yes"),
        ),
        case(
            "export_freqtrade",
            &[
                "export-freqtrade",
                "--diff",
                "--strategy",
                "Sample",
                "--map",
                "tests/fixtures/freqtrade/map.toml",
                "-o",
                "tests/fixtures/freqtrade/Sample.json",
            ],
            "/data/changes/0/place",
            json!(1),
        ),
        case(
            "import_freqtrade",
            &[
                "import-freqtrade",
                "tests/fixtures/freqtrade/incumbent.json",
                "--strategy",
                "Sample",
                "--map",
                "tests/fixtures/freqtrade/exits.toml",
                "-c",
                "tests/fixtures/freqtrade/space.toml",
            ],
            "/data/not_mapped",
            json!("all"),
        ),
        case("doctor", &["doctor", "--stale-after", "8760h"], "/data/healthy", json!("yes")),
        case("memory_report", &["memory", "report"], "/data/warning_bytes", json!("much")),
        case(
            "memory_watch",
            &["memory", "watch", "--pid", "1", "--interval", "10ms", "--for", "60ms"],
            "/data/growth",
            Value::Null,
        ),
        case(
            "memory_diff",
            &["memory", "diff", "tests/fixtures/memory.jsonl", "tests/fixtures/memory.jsonl"],
            "/data/changes",
            json!(1),
        ),
        case(
            "heap_diff",
            &["memory", "diff", "tests/fixtures/heap_before.json", "tests/fixtures/heap_after.json"],
            "/data/sites/0/growth_bytes",
            json!("much"),
        ),
        case(
            "inspect_legacy",
            &["inspect", "legacy", "tests/fixtures/legacy/opportunities.json"],
            "/data/scopes/0/score",
            json!("1"),
        ),
        case(
            "inspect_trades",
            &[
                "inspect",
                "trades",
                "tests/fixtures/trades_history.csv",
                "--at",
                "2025-05-01",
                "--data",
                "tests/sample",
            ],
            "/data/all/closed",
            json!(0.5),
        ),
        case(
            "inspect_set_trades",
            &["inspect", "trades", "--run", "1", "--rank", "2", "--style", "swing"],
            "/data/trades/0/net_pct",
            json!("much"),
        ),
        case(
            "inspect_signals",
            &[
                "inspect",
                "signals",
                "--style",
                "scalping",
                "--run",
                "1",
                "--data",
                "tests/sample",
                "--set",
                "data.window=\"4d\"",
                "--set",
                "data.symbols=[\"ALPHAUSDT\"]",
            ],
            "/data/entries",
            json!({}),
        ),
        case("validate", &["validate"], "/data/styles/0/findings", json!({})),
        case(
            "judge",
            &["judge", "tests/fixtures/judge/edge.fthypt", "--incumbent", "5", "--space-size", "48"],
            "/data/edge/assurance",
            Value::Null,
        ),
        case("status", &["metrics"], "/data/profiles/0/is_late", json!("yes")),
        case("restore", &["restore"], "/data/backups", Value::Null),
        // Everything is there already: nothing is asked of anybody.
        case(
            "fetch",
            &[
                "fetch",
                "--symbols",
                "ALPHAUSDT",
                "--interval",
                "1d",
                "--since",
                "2025-01-01",
                "--until",
                "2025-01-04",
                "--out",
                "tests/fixtures/fetched",
            ],
            "/data/symbols/0/candles_new",
            json!(-1),
        ),
        // Nobody listens there: the document says so.
        case(
            "notify",
            &["notify", "test", "--set", "notify.webhook.url=http://127.0.0.1:9"],
            "/data/channels/0/sent",
            json!(-1),
        ),
        case("digest", &["notify", "test", "--show"], "/data/changes", Value::Null),
    ]
}

/// Returns what the command of a case prints on a store.
fn live(store: &StoreDir, case: &Case) -> Value {
    let output = store.run(&[case.command, &["--json", "--progress", "none"]].concat());
    // 1: a difference; 7: a message could not be sent; 10: done, and parameters changed.
    assert!(matches!(output.status.code(), Some(0 | 1 | 7 | 10)), "{}: {}", case.kind, text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{}: {error}", case.kind))
}

/// Returns what is wrong with a document.
fn errors(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).expect("a valid schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Returns a schema that refuses keys it does not name, so that nothing is printed that is not described.
fn strict(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let mut object: serde_json::Map<String, Value> =
                object.iter().map(|(key, value)| (key.clone(), strict(value))).collect();
            // An object schema, not an object that has a field of this name.
            if object.get("type") == Some(&json!("object")) && object.contains_key("properties") {
                object.entry("additionalProperties").or_insert(json!(false));
            }
            Value::Object(object)
        }
        Value::Array(items) => items.iter().map(strict).collect(),
        other => other.clone(),
    }
}

/// Replaces what differs from machine to machine and from run to run.
fn normalise(value: &mut Value, store: &str) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match key.as_str() {
                    "last_update" | "timestamp" => *value = json!("2025-07-01 00:00:00"),
                    "updated_at" => *value = json!("2025-07-01 00:00"),
                    key if key == "at" || key.ends_with("_at") => *value = json!("2025-07-01T00:00:00Z"),
                    "date" => *value = json!("20250701"),
                    "duration_ms" => *value = json!(48),
                    "bytes" => *value = json!(4096),
                    "threads" => *value = json!(2),
                    "peak_rss_bytes" => *value = json!(21 << 20),
                    "uuid" => *value = json!("0123456789abcdef0123456789abcdef"),
                    _ => normalise(value, store),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| normalise(item, store)),
        Value::String(text) => {
            *text = text.replace(store, "optimizer-state");
            // Named by their store, which is drawn.
            if let Some((folder, (_, number))) = text
                .split_once("/backups/")
                .map(|(folder, name)| (folder, name.split_once('-').unwrap_or_default()))
            {
                *text = format!("{folder}/backups/0123456789abcdef-{number}");
            }
        }
        _ => {}
    }
}

fn example_path(kind: &str, which: &str) -> PathBuf {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/documents/examples");
    examples.join(format!("{kind}.{which}.json"))
}

fn example(kind: &str, which: &str) -> Value {
    let path = example_path(kind, which);
    let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let parsed = read.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
    parsed.unwrap_or_else(|error| panic!("{}: {error}: run UPDATE_SCHEMA=1 cargo test", path.display()))
}

fn write_examples(case: &Case, document: &Value, store: &str) {
    let mut valid = document.clone();
    normalise(&mut valid, store);
    let mut invalid = valid.clone();
    let (pointer, value) = &case.spoilt;
    *invalid.pointer_mut(pointer).expect("what is spoilt is there") = value.clone();
    for (which, document) in [("valid", valid), ("invalid", invalid)] {
        let path = example_path(case.kind, which);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("the repository is writable");
        std::fs::write(path, format!("{document:#}\n")).expect("the examples are writable");
    }
}

#[test]
fn every_command_prints_what_its_schema_says_and_nothing_else() {
    let store = StoreDir::after_a_run();
    for case in cases() {
        let document = live(&store, &case);
        let schema = schema_of(case.kind).expect("every case has a schema");
        // The bot's own file is open: it may hold what other programs put there.
        let schema = if case.kind == "learning_config" { schema } else { strict(&schema) };
        assert_eq!(errors(&schema, &document), [""; 0], "{}", case.kind);
    }
}

#[test]
fn the_bots_file_of_a_store_that_learned_nothing_fits_too() {
    let dir = StoreDir::missing();
    let store = Store::open(&dir.path, 0).expect("a new store");
    let document = learning_config(&store.read().expect("readable"), "default", "").expect("a document");
    assert_eq!(errors(&schema_of("learning_config").expect("a known kind"), &document), [""; 0]);
}

#[test]
fn the_committed_examples_fit_their_schemas_and_the_spoilt_ones_do_not() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let store = StoreDir::after_a_run();
        for case in cases() {
            write_examples(&case, &live(&store, &case), &store.path.display().to_string());
        }
    }
    for case in cases() {
        let schema = schema_of(case.kind).expect("every case has a schema");
        let shown = if case.kind == "learning_config" { schema.clone() } else { strict(&schema) };
        assert_eq!(errors(&shown, &example(case.kind, "valid")), [""; 0], "{}: UPDATE_SCHEMA=1", case.kind);
        let found = errors(&schema, &example(case.kind, "invalid"));
        assert_eq!(found.len(), 1, "{}: {found:?}", case.kind);
        assert!(found[0].starts_with(case.spoilt.0), "{}: {found:?}", case.kind);
    }
}

#[test]
fn every_exported_document_has_a_case() {
    let mut kinds: Vec<&str> = cases().iter().map(|case| case.kind).collect();
    // Cases follow each other as they need each other.
    let mut exported = EXPORTED.map(|exported| exported.kind);
    kinds.sort_unstable();
    exported.sort_unstable();
    assert_eq!(kinds, exported);
}

#[test]
fn the_schemas_in_the_repository_are_those_generated() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/documents");
    for exported in &EXPORTED {
        let path = dir.join(format!("{}.schema.json", exported.kind));
        let text = format!("{:#}\n", (exported.schema)());
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            fs::create_dir_all(&dir).expect("the repository is writable");
            fs::write(&path, &text).expect("the schema directory is writable");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text, "{} is out of date: run UPDATE_SCHEMA=1 cargo test", path.display());
    }
}

#[test]
fn every_kind_is_listed_once() {
    let mut kinds = EXPORTED.map(|exported| exported.kind);
    kinds.sort_unstable();
    assert!(kinds.windows(2).all(|pair| pair[0] != pair[1]), "{kinds:?}");
    assert!(schema_of("run").is_some() && schema_of("no_such_kind").is_none());
}

#[test]
fn a_schema_made_strict_refuses_what_it_does_not_name() {
    let schema = strict(&schema_of("inspect_runs").expect("a known kind"));
    let mut document = StoreDir::after_a_run().json(&["inspect", "runs"]);
    assert_eq!(errors(&schema, &document), [""; 0]);
    document["data"]["surprise"] = json!(1);
    assert_eq!(errors(&schema, &document).len(), 1);
}

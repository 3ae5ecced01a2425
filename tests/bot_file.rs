//! The bot's file is not ours to lose: what is imported comes back as it was, and nothing is written over what is not known.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use retune::bot::import::import_document;
use retune::bot::keys::{CACHES, DEFAULT_TREE};
use retune::bot::{BotFile, bot_file, find_differences};
use retune::ingest::{parse_legacy_config, with_keys};
use retune::store::Store;
use serde_json::{Map, Value, json};

use crate::command::{StoreDir, text};
use crate::legacy_parity::shared;

const STAMP: &str = "2026-11-20 22:04:42";

/// Takes a file over into a new store and returns what an export would write at once.
fn imported(content: &str, stamp: &str) -> BotFile {
    let dir = tempfile::tempdir().expect("a folder");
    let file = parse_legacy_config(content.as_bytes(), Path::new("bot.json")).expect("an object");
    import_document(dir.path(), "default", &file, "bot.json", 7)
        .unwrap_or_else(|error| panic!("{error}\n{content}"));
    let store = Store::open(dir.path(), 8).expect("a store");
    bot_file(&store.read().expect("readable"), "default", stamp).expect("a file")
}

/// Returns the words of a JSON text: text as it is read, all else as it is written.
fn words(json: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), json.trim_start());
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => {
                let mut escaped = false;
                let closes = |(_, c): &(usize, char)| match (escaped, c) {
                    (true, _) => {
                        escaped = false;
                        false
                    }
                    (false, '\\') => {
                        escaped = true;
                        false
                    }
                    (false, c) => *c == '"',
                };
                rest.char_indices().skip(1).find(closes).expect("it is closed").0 + 1
            }
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest.find(['{', '}', '[', ']', ',', ':', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(end);
        words.push(match first {
            '"' => serde_json::from_str::<String>(word).map(|text| format!("\"{text}")).expect("text"),
            _ => word.to_owned(),
        });
        rest = after.trim_start();
    }
    words
}

/// Asserts that a file comes back as it was: values, types, order of keys, numbers as they are written.
fn assert_comes_back(content: &str) {
    let document: Map<String, Value> = serde_json::from_str(content).expect("an object");
    let stamp = document["last_update"].as_str().expect("a time").to_owned();
    let kept = with_keys(content, |key| !CACHES.contains(&key));
    assert_eq!(words(&imported(content, &stamp).text()), words(&kept));
}

/// A number as Python or a person may write it.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,2})",
        "-?(0|[1-9][0-9]{0,2})\\.[0-9]{1,4}",
        "-?[1-9][0-9]{18,40}",
        "-?[1-9](\\.[0-9]{1,20})?e[-+]?[0-9]{1,2}",
        Just("-0.0".to_owned()),
    ]
}

/// Any JSON value, as text.
fn value() -> impl Strategy<Value = String> {
    let quoted = |text: String| Value::from(text).to_string();
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        number(),
        "[^{]{0,12}".prop_map(quoted),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let key = "\\PC{0,8}".prop_map(quoted);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|pairs| {
                let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", pairs.join(","))
            }),
        ]
    })
}

/// Parameters of a style as the old system, a person or an export of ours may have written them.
fn params() -> impl Strategy<Value = String> {
    let positive = || prop_oneof!["[1-9][0-9]?", "[1-9]\\.[0-9]{1,3}", "[1-9]0\\.0"];
    let switch = prop::option::of(any::<bool>());
    let exits = (positive(), positive(), "[1-9][0-9]?(\\.0)?");
    let mechanisms = (switch.clone(), switch.clone(), switch, positive(), "[1-9][0-9]", positive());
    (exits, mechanisms, prop::option::of(number()), prop::option::of("[0-3]"), value()).prop_map(
        |((target, stop, hours), (trailing, first, even, distance, share, profit), score, consensus, own)| {
            let mut keys = vec![
                format!("\"atr_tp_multiplier\": {target}"),
                format!("\"own key\": {own}"),
                format!("\"atr_stop_multiplier\": {stop}"),
                format!("\"max_holding_hours\": {hours}"),
            ];
            keys.extend(score.map(|score| format!("\"min_signal_score\": {score}")));
            keys.extend(consensus.map(|consensus| format!("\"min_indicator_consensus\": {consensus}")));
            keys.extend(trailing.map(|on| format!("\"trailing_stop_enabled\": {on}")));
            keys.push(format!(
                "\"trailing_stop_distance\": {distance}, \"trailing_stop_activation\": {profit}"
            ));
            keys.extend(first.map(|on| format!("\"partial_tp_enabled\": {on}")));
            keys.push(format!("\"tp1_atr_multiplier\": {profit}, \"tp1_close_pct\": {share}"));
            keys.extend(even.map(|on| format!("\"move_sl_to_breakeven\": {on}")));
            keys.push(format!("\"breakeven_atr\": {distance}"));
            format!("{{{}}}", keys.join(", "))
        },
    )
}

/// A file with every key that the bot reads without asking, and whatever else.
fn file() -> impl Strategy<Value = String> {
    let live = prop::option::of((any::<[bool; 3]>(), number()));
    let swing = prop::option::of(params());
    (params(), swing, value(), value(), value(), live, number(), any::<bool>()).prop_map(
        |(scalping, swing, insights, own, symbol, live, big, first)| {
            let mut tree: Map<String, Value> = serde_json::from_str(DEFAULT_TREE).expect("valid");
            tree["last_update"] = json!(STAMP);
            if let Some(([trailing, partial, even], _)) = &live {
                for (key, on) in [
                    ("trailing_stop_enabled", trailing),
                    ("partial_tp_enabled", partial),
                    ("move_sl_to_breakeven", even),
                ] {
                    tree["global"]["scalping_params"][key] = json!(on);
                }
            }
            let mut tree = Value::Object(tree).to_string();
            let distance = live.map_or("1.5".to_owned(), |(_, distance)| distance);
            tree = tree.replacen(
                "\"trailing_distance_atr\":1.5",
                &format!("\"trailing_distance_atr\":{distance}"),
                1,
            );
            tree = tree.replacen(
                "\"per_symbol\":{}",
                &format!("\"per_symbol\":{{\"FOO/USDT:USDT\":{symbol}}}"),
                1,
            );
            let mut styles = vec![format!("\"scalping_params\": {scalping}")];
            styles.extend(swing.map(|swing| format!("\"swing_params\": {swing}")));
            let own = format!(
                "\"compressed_insights\": {insights}, \"my own \\u00fcber\": {own}, \"chat_id\": {big}, {}",
                styles.join(", ")
            );
            match first {
                true => format!("{{{own}, {}", &tree[1..]),
                false => format!("{}, {own}}}", &tree[..tree.len() - 1]),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_file_comes_back_as_it_was(content in file()) {
        assert_comes_back(&content);
    }
}

#[test]
fn the_old_systems_file_comes_back_as_it_was() {
    let Some(path) = shared("learning_config_small.json") else { return };
    let content = fs::read_to_string(path).expect("the fixture");
    assert_comes_back(&content);
    let file = imported(&content, STAMP);
    let read = parse_legacy_config(content.as_bytes(), Path::new("x")).expect("an object");
    let found: Vec<String> = find_differences(&read, &file).into_iter().map(|found| found.place).collect();
    assert_eq!(found, ["_iterative_history"], "stated, and no reason to write the file");
    assert!(
        find_differences(&read, &file)
            .iter()
            .all(|found| !found.is_due && found.reason.contains("nothing reads"))
    );
}

#[test]
fn inert_switches_stay_inert_and_texts_for_the_prompt_stay() {
    let content = old_file();
    let file = imported(&content, STAMP).document;
    let live = &file["global"]["scalping_params"];
    for (key, value) in [
        ("partial_tp_enabled", json!(true)),
        ("move_sl_to_breakeven", json!(true)),
        ("trailing_distance_atr", json!(2.25)),
        ("trailing_start_after_tp1", json!(true)),
    ] {
        assert_eq!(live[key], value, "{key}");
    }
    assert_eq!(file["global"]["atr_stop_multiplier"], json!(1.8));
    assert_eq!(file["compressed_insights"]["ai_entry_analysis"]["diagnosis"], "late");

    // After a run learned something the bot's own texts are there still, and what a run activates is laid over.
    let store = StoreDir::missing();
    let path = written(&store, "bot.json", &content);
    let done = store.run(&["import-json", &path]);
    assert_eq!(done.status.code(), Some(10), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("scalping_params.trailing_stop_enabled: nobody reads it"));
    let params = store.json(&["inspect", "params"])["data"]["scopes"][0]["params"].clone();
    assert_eq!(params.get("trailing_stop_distance"), None, "{params}");
    let ran = store.run(&["incremental", "--data", "tests/sample", "-q", "--exit-zero"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let exported = store.json(&["export-json", "-o", "-"]);
    assert_eq!(exported["compressed_insights"]["ai_entry_analysis"]["diagnosis"], "late");
    assert_eq!(exported["global"]["scalping_params"]["partial_tp_enabled"], json!(true));
    assert_eq!(exported["swing_score_weights"], json!({"volume": 99}), "nothing else is active");
}

/// A file of the old system: a switch at the top that nobody reads, and those that the bot follows.
fn old_file() -> String {
    json!({
        "version": "2.1",
        "last_update": STAMP,
        "global": {
            "min_risk_reward": 2.2, "atr_stop_multiplier": 1.8, "min_signal_score": 61,
            "scalping_params": {
                "partial_tp_enabled": true, "move_sl_to_breakeven": true, "trailing_stop_enabled": true,
                "trailing_distance_atr": 2.25, "trailing_start_after_tp1": true, "max_leverage": 3
            }
        },
        "scalping_params": {
            "atr_tp_multiplier": 2.5, "atr_stop_multiplier": 1.5, "max_holding_hours": 8, "min_signal_score": 60,
            "trailing_stop_enabled": true, "trailing_stop_distance": 1.5, "trailing_stop_activation": 2.0
        },
        "swing_score_weights": {"volume": 99},
        "compressed_insights": {"ai_entry_analysis": {"diagnosis": "late"}, "lessons": ["one"]}
    })
    .to_string()
}

fn written(store: &StoreDir, name: &str, content: &str) -> String {
    let path = store.path.with_file_name(name);
    fs::write(&path, content).expect("written");
    path.to_str().expect("text").to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("there")
}

/// A store whose parameters come from a file beside it.
fn with_imported() -> (StoreDir, String) {
    let store = StoreDir::missing();
    let path = written(&store, "bot.json", &old_file());
    assert_eq!(store.run(&["import-json", &path]).status.code(), Some(10));
    (store, path)
}

#[test]
fn a_file_that_is_not_known_is_written_by_force_only_and_kept() {
    let (store, _) = with_imported();
    let live = old_file().replace("\"max_leverage\":3", "\"max_leverage\":2");
    let path = written(&store, "live.json", &live);
    let (code, said) = store.failure(&["export-json", "-o", &path]);
    assert_eq!(code, Some(12), "{said}");
    for part in ["neither what profile \"default\" imported nor what it exported last", "--force", "--diff"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(read(&path), live);
    let shown = store.run(&["export-json", "-o", &path, "--diff"]);
    assert_eq!(shown.status.code(), Some(1));
    let shown = text(&shown.stdout);
    for part in ["global.scalping_params.max_leverage", "only --force writes it", "as imported on"] {
        assert!(shown.contains(part), "{shown}");
    }
    assert_eq!(read(&path), live, "looked at only");
    let done = store.run(&["export-json", "-o", &path, "--force"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let ours = read(&path);
    assert_ne!(ours, live);
    assert_eq!(read(format!("{path}.bak")), live);

    // It is ours now; another hand makes it unknown again, and so does another profile.
    assert!(store.stdout(&["export-json", "-o", &path]).contains("unchanged"));
    assert_eq!(store.run(&["export-json", "-o", &path, "--diff"]).status.code(), Some(0));
    let touched = ours.replace("\"min_signal_score\": 61", "\"min_signal_score\": 99");
    assert_ne!(touched, ours);
    fs::write(&path, &touched).expect("written");
    assert_eq!(store.failure(&["export-json", "-o", &path]).0, Some(12));
    fs::write(&path, "{ no json").expect("written");
    let (code, said) = store.failure(&["export-json", "-o", &path]);
    assert!(code == Some(12) && said.contains("cannot be read as JSON"), "{said}");
    assert_eq!(read(format!("{path}.bak")), live, "nothing was written since");
    fs::write(&path, "").expect("written");
    assert_eq!(store.failure(&["export-json", "-o", &path]).0, Some(12), "empty, but somebody's");
}

#[test]
fn what_was_imported_or_exported_last_is_written_over_and_kept() {
    let (store, path) = with_imported();
    let before = read(&path);
    // Imported, and complete but for what the bot reads without asking: that is added.
    let shown = store.json_of(&["export-json", "-o", &path, "--diff"]);
    assert_eq!(shown["data"]["is_known"], json!(true));
    for difference in shown["data"]["differences"].as_array().expect("some") {
        let reason = difference["reason"].as_str().expect("text");
        assert!(
            reason.contains("reads it without asking") || reason == "when it was written",
            "{difference}"
        );
        assert_eq!(difference["old"].is_null(), reason != "when it was written", "{difference}");
    }
    assert!(store.stdout(&["export-json", "-o", &path]).contains("bot.json.bak"));
    assert_eq!(read(format!("{path}.bak")), before);
    let first = read(&path);
    let ran = store.run(&["incremental", "--data", "tests/sample", "-q", "--exit-zero"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    assert_eq!(store.run(&["export-json", "-o", &path, "-q"]).status.code(), Some(0), "the last export");
    assert_ne!(read(&path), first);
    assert_eq!(read(format!("{path}.bak")), first, "every overwrite keeps one");
    fs::write(&path, &before).expect("written");
    assert_eq!(store.run(&["export-json", "-o", &path, "-q"]).status.code(), Some(0), "what was imported");
    fs::write(&path, &first).expect("written");
    assert_eq!(store.failure(&["export-json", "-o", &path]).0, Some(12), "no longer the last export");
    // Without the memory of it every file is unknown.
    let memory = store.path.join("bot-file-default.json");
    fs::write(&path, read(format!("{path}.bak"))).expect("written");
    fs::remove_file(memory).expect("there");
    assert_eq!(store.failure(&["export-json", "-o", &path]).0, Some(12));
}

#[test]
fn with_nothing_active_there_is_nothing_to_export() {
    let store = StoreDir::missing();
    let ran =
        store.run(&["incremental", "--data", "tests/sample", "-q", "--exit-zero", "--timerange=-20250401"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let path = written(&store, "bot.json", &old_file());
    for more in [&["-o", &path][..], &["-o", &path, "--force"], &["-o", "-"], &["-o", &path, "--check"]] {
        let (code, said) = store.failure(&[&["export-json"], more].concat());
        assert!(code == Some(12) && said.contains("has no active parameters"), "{more:?}: {said}");
    }
    assert_eq!(read(&path), old_file());
    let (code, said) = store.failure(&["export-json", "-o", &path, "--profile", "other"]);
    assert!(code == Some(2) && said.contains("other"), "{said}");
}

#[test]
fn what_a_run_changes_is_listed_with_its_reason_and_nothing_else_is() {
    let (store, path) = with_imported();
    let ran = store.run(&["incremental", "--data", "tests/sample", "-q", "--style", "scalping"]);
    assert!(matches!(ran.status.code(), Some(10..=12)), "{}", text(&ran.stderr));
    store.run(&["adopt", "2", "--force", "-q"]);
    let shown = store.json_of(&["export-json", "-o", &path, "--diff"]);
    let listed = shown["data"]["differences"].as_array().expect("some");
    let of = |place: &str| {
        listed.iter().find(|found| found["place"] == place).unwrap_or_else(|| panic!("{place}"))
    };
    let target = of("scalping_params.atr_tp_multiplier");
    assert!(target["reason"].as_str().expect("text").starts_with("active parameters of scalping, by "));
    let active =
        store.json(&["inspect", "params"])["data"]["scopes"][0]["params"]["atr_tp_multiplier"].clone();
    let new: Value = serde_json::from_str(target["new"].as_str().expect("JSON")).expect("JSON");
    assert_eq!(new.as_f64().expect("a number"), active.as_f64().expect("a number"));
    let known = |reason: &str| {
        ["active parameters of", "what the last run", "reads it without asking", "when it was written"]
            .iter()
            .any(|known| reason.contains(known))
    };
    for found in listed {
        assert!(known(found["reason"].as_str().expect("text")), "{found}");
        assert!(!found["new"].is_null(), "nothing goes: {found}");
    }
    let untouched = ["global.scalping_params", "swing_score_weights", "scalping_params.trailing"];
    let touched =
        |start: &&str| listed.iter().any(|found| found["place"].as_str().expect("text").starts_with(*start));
    assert_eq!(untouched.iter().find(|start| touched(start)), None);
}

#[test]
fn what_python_and_editors_write_is_read_and_named() {
    let bot = |own: &str| {
        format!(
            "{{\"version\":\"2.1\",\"global\":{{\"base_position_ratio\":0.15}},\"scalping_params\":{{\"atr_tp_multiplier\":2.5,\
             \"atr_stop_multiplier\":1.5,\"max_holding_hours\":8,\"min_signal_score\":60}},{own}}}"
        )
    };
    let taken = |content: &[u8]| {
        let store = StoreDir::missing();
        let path = store.path.with_file_name("bot.json");
        fs::write(&path, content).expect("written");
        let done = store.run(&["import-json", path.to_str().expect("text")]);
        (store, done.status.code(), text(&done.stdout) + &text(&done.stderr))
    };
    let (store, code, said) = taken(format!("\u{feff}{}", bot("\"my_own_key\":1")).as_bytes());
    assert_eq!(code, Some(10), "{said}");
    assert_eq!(store.json(&["export-json", "-o", "-"])["my_own_key"], 1);

    let numbers = "\"chat_id\":12345678901234567890123,\"u64\":18446744073709551615,\"d\":0.1000000000000000055511151231257827,\
                   \"one\":1.0,\"exp\":1e-8,\"big\":1e22,\"neg0\":-0.0,\"long\":100000000000000000000.5";
    let (store, code, said) = taken(bot(numbers).as_bytes());
    assert_eq!(code, Some(10), "{said}");
    let exported: String = store.stdout(&["export-json", "-o", "-"]).split_whitespace().collect();
    assert!(exported.contains(numbers), "{exported}");

    let (store, code, said) = taken(bot("\"my_own_key\":Infinity,\"list\":[1,NaN]").as_bytes());
    assert!(code == Some(10) && said.contains("my_own_key, list[1]: NaN and Infinity are no JSON"), "{said}");
    assert_eq!(store.json(&["export-json", "-o", "-"])["list"], json!([1, null]));

    let utf_16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(bot("\"a\":1").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let params = |from: &str, to: &str| bot("\"a\":1").replacen(from, to, 1).into_bytes();
    for (content, expected) in [
        (utf_16, "UTF-16 text; save it as UTF-8"),
        (
            params("\"max_holding_hours\":8", "\"max_holding_hours\":100000"),
            "scalping_params.max_holding_hours: expected at most 10000, found 100000",
        ),
        (
            params("\"max_holding_hours\":8", "\"max_holding_hours\":NaN"),
            "expected scalping_params or swing_params",
        ),
        (params(":60", ":\"60\""), "scalping_params.min_signal_score: expected a number, found \"60\""),
        (params(":60", ":true"), "scalping_params.min_signal_score: expected a number, found true"),
        (params(":{\"base_position_ratio\":0.15}", ":[1]"), "global: expected an object, found [1]"),
        (params("\"a\":1", "\"swing_params\":[1]"), "swing_params: expected an object, found [1]"),
        (params("\"a\":1", "\"per_symbol\":null"), "per_symbol: expected an object, found null"),
        (params("\"a\":1", "\"a\":1e999"), "number out of range at line 1"),
    ] {
        let (store, code, said) = taken(&content);
        assert!(code == Some(4) && said.contains(expected), "{expected}: {said}");
        assert!(!store.path.exists(), "nothing is made");
    }
    let (_, code, said) = taken(&params(":0.15", ":\"0.15\",\"min_signal_score\":null"));
    assert!(
        code == Some(10)
            && said.contains("global.base_position_ratio: the bot expects a number, found \"0.15\""),
        "{said}"
    );
}

/// Symbolic links and permissions stay; the backup is beside the name that was given.
#[test]
fn a_link_stays_one_and_the_backup_is_beside_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let (store, path) = with_imported();
    let at = |name: &str| -> PathBuf { store.path.with_file_name(name) };
    fs::create_dir(at("real")).expect("made");
    fs::rename(&path, at("real/bot.json")).expect("moved");
    fs::set_permissions(at("real/bot.json"), fs::Permissions::from_mode(0o640)).expect("set");
    symlink("real/bot.json", &path).expect("linked");
    let before = read(&path);
    assert!(store.run(&["export-json", "-o", &path]).status.success());
    assert!(fs::symlink_metadata(&path).expect("there").is_symlink());
    assert_ne!(read(at("real/bot.json")), before);
    assert_eq!(fs::metadata(at("real/bot.json")).expect("there").mode() & 0o777, 0o640);
    assert_eq!(read(at("bot.json.bak")), before);
    assert_eq!(fs::read_dir(at("real")).expect("a folder").count(), 1, "nothing is left beside it");
}

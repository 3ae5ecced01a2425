//! `doctor` on stores that are well, and on some that are not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{StoreDir, text};

/// Returns the exit code and the document.
fn doctor(store: &StoreDir, more: &[&str]) -> (i32, Value) {
    let output = store.run(&[&["doctor", "--json"], more].concat());
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{more:?}: {error}: {}", text(&output.stderr)));
    (output.status.code().unwrap_or(-1), document["data"].clone())
}

fn status<'a>(document: &'a Value, check: &str) -> &'a str {
    let checks = document["checks"].as_array().expect("checks");
    let found = checks.iter().find(|found| found["name"] == check);
    found.and_then(|found| found["status"].as_str()).unwrap_or_else(|| panic!("{check}: {checks:?}"))
}

/// Writes a symbol's quarter-hours of the last days up to now, and returns their folder.
fn fresh_candles(folder: &Path) -> String {
    fs::create_dir_all(folder).expect("a folder");
    let quarter = 900_000;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_millis()
        as i64;
    let last = now / quarter * quarter - quarter;
    let mut csv = "open_time,open,high,low,close,volume\n".to_owned();
    for step in (0..40 * 96).rev() {
        let price = 100.0 + f64::from(step % 97) / 10.0;
        csv.push_str(&format!(
            "{},{price},{},{},{price},10\n",
            last - i64::from(step) * quarter,
            price + 1.0,
            price - 1.0
        ));
    }
    fs::write(folder.join("BTCUSDT-15m.csv"), csv).expect("written");
    folder.to_str().expect("text").to_owned()
}

#[test]
fn a_store_that_is_well_is_found_well() {
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let data = fresh_candles(&folder.path().join("candles"));
    let ran = store.run(&["incremental", "--data", &data, "--exit-zero", "--progress", "none"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let before = store.content();
    let (code, found) = doctor(&store, &["--data", &data]);
    assert_eq!((code, &found["healthy"]), (0, &Value::Bool(true)), "{found:#}");
    assert!(before == store.content(), "a look changes nothing");
    for check in [
        "configuration",
        "state.redb",
        "view.redb",
        "evals.redb",
        "permissions",
        "disk",
        "runs",
        "clock",
        "candles",
        "reuse",
    ] {
        assert_eq!(status(&found, check), "ok", "{check}");
    }
    assert_eq!(found["symbols"][0]["checked"], 2, "{found:#}");
    assert_eq!(found["runs"][0]["run"], 1);
    let parts = ["stored_bytes", "metadata_bytes", "fragmented_bytes", "free_bytes"];
    for file in found["files"].as_array().expect("files") {
        let sum: u64 = parts.iter().map(|part| file[part].as_u64().expect("a number")).sum();
        assert_eq!(Some(sum), file["bytes"].as_u64(), "{file}");
    }
    let said = store.stdout(&["doctor", "--data", &data]);
    assert!(said.contains("every row verified") && said.ends_with("healthy\n"), "{said}");
    let (code, compacted) = doctor(&store, &["--compact"]);
    assert_eq!(code, 0, "{compacted:#}");
    assert!(compacted["done"][0].as_str().is_some_and(|line| line.starts_with("compacted state.redb: ")));
    let again = store.json(&["inspect", "runs"]);
    assert_eq!(again["data"]["runs"].as_array().map(Vec::len), Some(1), "nothing is lost");
}

#[test]
fn what_is_wrong_is_named_and_repaired_where_that_is_safe() {
    let store = StoreDir::after_a_run();
    // The sample ends years ago.
    let (code, old) = doctor(&store, &["--data", "tests/sample"]);
    assert_eq!((code, status(&old, "candles"), status(&old, "reuse")), (1, "warning", "ok"));
    fs::write(store.path.join("evals.redb"), vec![9; 10_000]).expect("written");
    fs::set_permissions(&store.path, fs::Permissions::from_mode(0o755)).expect("ours");
    let (code, broken) = doctor(&store, &[]);
    assert_eq!(
        (code, status(&broken, "evals.redb"), status(&broken, "permissions")),
        (6, "broken", "warning")
    );
    let (code, repaired) = doctor(&store, &["--repair"]);
    assert_eq!(code, 0, "{repaired:#}");
    assert_eq!(repaired["done"].as_array().map(Vec::len), Some(3), "{repaired:#}");
    assert_eq!(store.run(&["incremental", "--data", "tests/sample", "--exit-zero"]).status.code(), Some(0));
    let state = store.path.join("state.redb");
    fs::write(&state, vec![9; 10_000]).expect("written");
    assert_eq!(doctor(&store, &[]).0, 6);
    let (code, said) = store.failure(&["doctor", "--repair"]);
    assert_eq!(code, Some(6), "{said}");
    assert_eq!(fs::read(&state).expect("readable"), vec![9; 10_000], "truth is never touched");
}

#[test]
fn what_stands_where_a_file_belongs_is_moved_aside() {
    let store = StoreDir::after_a_run();
    for (count, name) in [(1, "evals.redb"), (2, "evals.redb"), (1, "view.redb")] {
        let path = store.path.join(name);
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("a folder");
        fs::write(path.join("mine"), name).expect("written");
        let (code, broken) = doctor(&store, &[]);
        assert_eq!((code, status(&broken, name)), (6, "broken"), "{broken:#}");
        let (code, repaired) = doctor(&store, &["--repair"]);
        assert_eq!(code, 0, "{repaired:#}");
        assert!(repaired["done"][0].as_str().is_some_and(|done| done.contains("aside")), "{repaired:#}");
        let entries =
            fs::read_dir(&store.path).expect("a folder").map(|entry| entry.expect("an entry").path());
        let start = format!("{name}.damaged-");
        let is_aside =
            |path: &PathBuf| path.file_name().is_some_and(|own| own.to_string_lossy().starts_with(&start));
        let aside: Vec<PathBuf> = entries.filter(is_aside).collect();
        assert_eq!(aside.len(), count, "{aside:?}");
        for folder in aside {
            assert_eq!(fs::read(folder.join("mine")).expect("kept"), name.as_bytes(), "nothing is lost");
        }
        let again = store.run(&["incremental", "--data", "tests/sample", "--exit-zero"]);
        assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
        assert!(path.is_file(), "made again");
    }
}

#[test]
fn a_configuration_that_is_not_sound_and_a_store_that_is_not_there_are_told() {
    let store = StoreDir::missing();
    let (code, found) = doctor(&store, &[]);
    assert_eq!((code, status(&found, "store")), (1, "warning"));
    for setting in ["search.top=0", "fetch.timeout=0s", "notify.timeout=soon", "limits.cache=5"] {
        let (code, found) = doctor(&store, &["--set", setting]);
        assert_eq!((code, status(&found, "configuration")), (3, "broken"), "{setting}");
    }
    assert_eq!(store.failure(&["doctor", "--compact"]).0, Some(2));
    assert!(!store.path.exists());
}

//! `memory` on real processes.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::command::{StoreDir, text};

fn document(output: &std::process::Output) -> Value {
    let parsed: Result<Value, _> = serde_json::from_slice(&output.stdout);
    parsed.unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))["data"].clone()
}

#[test]
fn a_report_names_the_parts_and_earlier_peaks() {
    let store = StoreDir::after_a_run();
    let found = store.json(&["memory", "report"])["data"].clone();
    let peak = found["runs"][0]["peak_rss_bytes"].as_u64().expect("a number");
    assert!(peak > 1 << 20 && found["runs"][0]["alarm"] == "none", "{found:#}");
    let names: Vec<&str> = found["components"]
        .as_array()
        .expect("parts")
        .iter()
        .filter_map(|part| part["name"].as_str())
        .collect();
    assert!(names.contains(&"page cache of the store") && names.contains(&"tallies of swing"), "{names:?}");
    let strict = store.json(&["memory", "report", "--set", "memory.warning=\"1MiB\""]);
    assert_eq!(strict["data"]["runs"][0]["alarm"], "warning");
    let wrong = store.run(&["memory", "report", "--set", "memory.warning=\"2GiB\""]);
    assert_eq!(wrong.status.code(), Some(3), "{}", text(&wrong.stderr));
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_that_grows_is_told_from_one_that_does_not() {
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    // A shell that doubles what it holds would leap; one that adds a line a turn grows evenly.
    let grows = "x=; y=$(head -c 200000 /dev/zero | tr '\\0' a); while :; do x=$x$y; sleep 0.02; done";
    let mut growing = Command::new("sh").args(["-c", grows]).stderr(Stdio::null()).spawn().expect("a shell");
    let mut still = Command::new("sleep").arg("60").spawn().expect("sleep");
    let watch = |pid: u32, more: &[&str]| {
        let pid = pid.to_string();
        let watched = ["memory", "watch", "--json", "--pid", &pid, "--interval", "100ms", "--for", "1500ms"];
        store.run(&[&watched[..], more].concat())
    };
    let grown = watch(growing.id(), &["--snapshots", &file("a")]);
    let steady = watch(still.id(), &["--snapshots", &file("b")]);
    let alarmed = watch(still.id(), &["--set", "memory.warning=\"64KiB\""]);
    for child in [&mut growing, &mut still] {
        child.kill().expect("ours");
        child.wait().expect("ours");
    }
    let found = document(&grown);
    assert_eq!((grown.status.code(), &found["growth"]), (Some(1), &Value::from("leak")), "{found:#}");
    assert!(found["bytes_per_hour"].as_f64().is_some_and(|slope| slope > 1e8), "{found:#}");
    let found = document(&steady);
    assert_eq!(
        (steady.status.code(), &found["growth"], &found["alarm"]),
        (Some(0), &"steady".into(), &"none".into())
    );
    let lines = std::fs::read_to_string(file("b")).expect("snapshots").lines().count();
    assert_eq!(Some(lines as u64), found["samples"].as_u64());
    assert_eq!((alarmed.status.code(), &document(&alarmed)["alarm"]), (Some(1), &"warning".into()));
    let diff = document(&store.run(&["memory", "diff", "--json", &file("b"), &file("a")]));
    let (before, after) = (&diff["before"]["rss_bytes"], &diff["after"]["rss_bytes"]);
    let change = after.as_i64().expect("a number") - before.as_i64().expect("a number");
    assert_eq!(diff["changes"]["rss_bytes"], change);
    assert!(store.stdout(&["memory", "diff", &file("b"), &file("a")]).contains("rss_bytes"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_can_be_named_first() {
    let store = StoreDir::missing();
    let own = std::process::id().to_string();
    let watched = store.run(&["memory", "attach", &own, "--json", "--interval", "20ms", "--for", "100ms"]);
    assert_eq!(document(&watched)["pid"], std::process::id(), "{}", text(&watched.stderr));
}

#[test]
fn heap_profiles_are_compared_by_site() {
    let store = StoreDir::missing();
    let (before, after) = ("tests/fixtures/heap_before.json", "tests/fixtures/heap_after.json");
    let said = store.json(&["memory", "diff", before, after])["data"].clone();
    let growth = |part: &Value| part["growth_bytes"].as_i64().expect("a number");
    let sites = said["sites"].as_array().expect("sites");
    assert!(sites.len() > 10 && sites.is_sorted_by(|a, b| growth(a) >= growth(b)), "{said:#}");
    assert!(sites[0]["site"].as_str().is_some_and(|site| site.contains("(src/")), "{said:#}");
    assert!(growth(&sites[0]) > 0);
    assert_eq!(sites.iter().map(growth).sum::<i64>(), growth(&said["all"]), "the sites are all there is");
    let lines = store.stdout(&["memory", "diff", after, before]);
    assert!(lines.lines().nth(1).is_some_and(|line| line.trim().starts_with("all ")), "{lines}");
    let (code, said) = store.failure(&["memory", "diff", before, "tests/fixtures/memory.jsonl"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("one of each"), "{said}");
}

#[test]
#[cfg(not(feature = "heap-profile"))]
fn a_program_without_heap_profiles_says_how_to_build_one() {
    let store = StoreDir::missing();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heap.json");
    let name = file.to_str().expect("text");
    let (code, said) = store.failure(&["--heap-profile", name, "incremental", "--data", "tests/sample"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("--features heap-profile"), "{said}");
    assert!(!file.exists() && !store.path.exists(), "nothing was done");
}

#[test]
fn what_cannot_be_watched_or_compared_is_told() {
    let store = StoreDir::missing();
    let (code, said) = store.failure(&["memory", "watch", "--pid", "4294967294"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("expected a running process") || said.contains("not available here"), "{said}");
    let own = std::process::id().to_string();
    let (code, said) = store.failure(&["memory", "watch", "--pid", &own, "--interval", "1ms", "--for", "1h"]);
    assert_eq!(code, Some(2), "{said}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x");
    std::fs::write(&file, "{}\n").expect("written");
    let name = file.to_str().expect("text");
    let (code, said) = store.failure(&["memory", "diff", name, name]);
    assert_eq!(code, Some(4));
    assert!(said.contains("line 1: expected a snapshot"), "{said}");
}

//! The demonstration: an edge that was planted is found, noise is not, and nothing is left where it was started.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::command::{optimizer, text};

/// Runs the demonstration in a folder that is not there yet; returns the document of its run.
fn shown(folder: &Path, more: &[&str]) -> Value {
    let mut command = optimizer();
    command.args(["demo", "--json", "--progress", "none", "--dir"]).arg(folder).args(more);
    let output = command.output().expect("the program can be started");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

#[test]
fn an_edge_is_found_and_adopted_and_noise_is_rejected() {
    let place = tempfile::tempdir().expect("a folder");
    let edge = shown(&place.path().join("edge"), &[]);
    let swing = &edge["data"]["styles"]["swing"];
    assert_eq!(
        (&edge["data"]["decision"]["result"], &swing["decision"]["verdict"]),
        (&"changed".into(), &"PASSED".into())
    );
    let sure = swing["evidence"]["edge"]["assurance"].as_str().unwrap_or_default();
    assert!(["REAL", "PROMISING"].contains(&sure), "{sure}");
    let found = swing["decision"]["candidate"]["params"]["min_score"].as_f64();
    assert!(found.is_some_and(|score| score >= 0.6), "what was planted is what is found: {found:?}");
    assert_eq!(edge["data"]["input"]["freshness"]["stale"], 0, "its clock stands at the end of its candles");

    let noise = shown(&place.path().join("noise"), &["--noise"]);
    assert_ne!(noise["data"]["decision"]["changed"], true);
    assert_eq!(noise["data"]["styles"]["swing"]["decision"]["outcome"], "rejected");
    let signals = |name: &str| fs::read(place.path().join(name).join("signals.csv")).expect("signals");
    assert_eq!(signals("edge"), signals("noise"), "nothing but the prices differs");
    // The same for everybody: with what it made, anybody's run says the same.
    let inside = |name: &str| place.path().join("edge").join(name);
    assert!(fs::read_to_string(inside("report.html")).expect("a page").starts_with("<!DOCTYPE html>"));
    let mut again = optimizer();
    again.env_remove("OPTIMIZER_DECIDE__REQUIRE").env_remove("OPTIMIZER_SEARCH__SCORE");
    again.env_remove("OPTIMIZER_SEARCH__RANK").args(["incremental", "--style", "swing", "--json", "-c"]);
    again.arg(inside("optimizer.toml")).arg("--store").arg(inside("store"));
    let output = again.output().expect("the program can be started");
    let same: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(same["data"]["run"]["same_as"], 1, "{}", text(&output.stderr));
}

#[test]
fn nothing_of_anybodys_is_touched() {
    let place = tempfile::tempdir().expect("a folder");
    fs::write(place.path().join("mine"), "x").expect("written");
    for (folder, found) in
        [(place.path().to_owned(), "files in"), (place.path().join("mine"), "something else at")]
    {
        let output = optimizer().args(["demo", "--dir"]).arg(&folder).output().expect("started");
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(&format!("found {found} `")), "{said}");
    }
    assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
    // A folder that cannot be made is told with its name.
    let output = optimizer().args(["demo", "--dir", "/dev/null/x"]).output().expect("started");
    assert!(
        output.status.code() == Some(74) && text(&output.stderr).contains("`/dev/null/x`"),
        "{}",
        text(&output.stderr)
    );
}

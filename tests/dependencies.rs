//! What the program is made of: licences that may go into it, one registry, no crate twice without a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Returns every package of the platform; `None` where not all of them were fetched.
fn packages() -> Option<Vec<Value>> {
    metadata(&[])?["packages"].as_array().cloned()
}

/// Returns what cargo knows of the package under some flags; `None` where not every dependency was fetched.
fn metadata(flags: &[&str]) -> Option<Value> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["metadata", "--format-version", "1", "--locked", "--offline"]);
    let output = command.args(["--filter-platform", &platform]).args(flags).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// Returns the names of the crates that go into the package with some features; `None` where not every dependency was fetched.
fn crates_with(features: &str) -> Option<BTreeSet<String>> {
    let metadata = metadata(&["--no-default-features", "--features", features])?;
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()?
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let (mut found, mut next) = (BTreeSet::new(), vec![metadata["resolve"]["root"].as_str()?]);
    while let Some(id) = next.pop() {
        if !found.insert(id) {
            continue;
        }
        let is_in = |dependency: &&Value| {
            dependency["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
        };
        let dependencies = nodes.get(id)?["deps"].as_array()?.iter().filter(is_in);
        next.extend(dependencies.filter_map(|dependency| dependency["pkg"].as_str()));
    }
    let packages = metadata["packages"].as_array()?.iter();
    let named = packages.filter(|package| package["id"].as_str().is_some_and(|id| found.contains(id)));
    Some(named.filter_map(|package| package["name"].as_str().map(str::to_owned)).collect())
}

fn rules() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    std::fs::read_to_string(path).expect("the rules").parse().expect("TOML")
}

/// Returns whether an expression of licences can be fulfilled with those allowed.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (fulfilled, rest) = any_of(&words, allowed);
    fulfilled && rest.is_empty()
}

fn any_of<'w>(words: &'w [&'w str], allowed: &BTreeSet<&str>) -> (bool, &'w [&'w str]) {
    let (mut fulfilled, mut rest) = all_of(words, allowed);
    while let Some(("OR", behind)) = rest.split_first().map(|(word, rest)| (*word, rest)) {
        let (other, behind) = all_of(behind, allowed);
        (fulfilled, rest) = (fulfilled || other, behind);
    }
    (fulfilled, rest)
}

fn all_of<'w>(words: &'w [&'w str], allowed: &BTreeSet<&str>) -> (bool, &'w [&'w str]) {
    let (mut fulfilled, mut rest) = one(words, allowed);
    while let Some(("AND", behind)) = rest.split_first().map(|(word, rest)| (*word, rest)) {
        let (other, behind) = one(behind, allowed);
        (fulfilled, rest) = (fulfilled && other, behind);
    }
    (fulfilled, rest)
}

fn one<'w>(words: &'w [&'w str], allowed: &BTreeSet<&str>) -> (bool, &'w [&'w str]) {
    match words {
        ["(", rest @ ..] => match any_of(rest, allowed) {
            (fulfilled, [")", rest @ ..]) => (fulfilled, rest),
            (_, rest) => (false, rest),
        },
        // An exception only allows more.
        [name, "WITH", _, rest @ ..] | [name, rest @ ..] => (allowed.contains(name), rest),
        [] => (false, words),
    }
}

#[test]
fn expressions_of_licences_are_understood() {
    let allowed = BTreeSet::from(["MIT", "Zlib"]);
    for (expression, wanted) in [
        ("MIT", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("(GPL-3.0 OR MIT) AND Other", false),
        ("MIT WITH LLVM-exception", true),
        ("MIT OR GPL-3.0 AND Other", true),
        ("MIT Zlib", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), wanted, "{expression:?}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says why nothing was tested")]
fn dependencies_keep_to_the_rules() {
    let Some(packages) = packages() else {
        return eprintln!("skipped: not every dependency was fetched (`cargo fetch --locked`)");
    };
    let rules = rules();
    let list = |section: &str, key: &str| rules[section][key].as_array().expect("a list").clone();
    let allow = list("licenses", "allow");
    let allowed: BTreeSet<&str> = allow.iter().map(|name| name.as_str().expect("text")).collect();
    let skipped: Vec<String> =
        list("bans", "skip").iter().map(|entry| entry["crate"].as_str().expect("text").to_owned()).collect();
    let (mut versions, mut used) = (BTreeMap::<&str, Vec<&str>>::new(), BTreeSet::new());
    let mut sources = BTreeSet::new();
    for package in &packages {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let (name, version) = (text("name"), text("version"));
        assert!(is_allowed(text("license"), &allowed), "{name} {version}: licence {:?}", package["license"]);
        let own = name == env!("CARGO_PKG_NAME");
        assert!(
            own || text("source").starts_with("registry+"),
            "{name} {version}: from {:?}",
            package["source"]
        );
        sources.extend((!own).then(|| text("source").to_owned()));
        let skip = skipped.iter().find(|skip| {
            skip.split_once('@').is_some_and(|(other, start)| {
                name == other && version.strip_prefix(start).is_some_and(|rest| rest.starts_with('.'))
            })
        });
        match skip {
            Some(skip) => drop(used.insert(skip.clone())),
            None => versions.entry(name).or_default().push(version),
        }
    }
    assert_eq!(sources.len(), 1, "{sources:?}");
    versions.retain(|_, versions| versions.len() > 1);
    assert_eq!(versions, BTreeMap::new(), "each of these is built twice");
    let unused: Vec<&String> = skipped.iter().filter(|skip| !used.contains(*skip)).collect();
    assert!(unused.is_empty(), "not there any more: {unused:?}");
}

/// Each feature with what it alone brings in.
const BROUGHT_BY: [(&str, &[&str]); 8] = [
    ("cli", &["clap", "clap_complete", "clap_mangen", "indicatif", "signal-hook", "tracing-subscriber"]),
    ("browser", &["clap", "crossterm", "ratatui"]),
    ("html", &["maud"]),
    ("fetch", &["ring", "rustls", "ureq", "webpki-roots"]),
    ("notify", &["lettre", "maud", "ring", "rustls", "tokio", "ureq", "webpki-roots"]),
    ("serve", &["clap", "hyper", "hyper-util", "maud", "tokio"]),
    ("columnar", &["arrow-array", "arrow-ipc", "parquet"]),
    ("heap-profile", &["clap", "dhat"]),
];

/// Who builds on the engine and the store gets neither a command line nor a network with them.
#[test]
#[expect(clippy::print_stderr, reason = "says why nothing was tested")]
fn a_feature_brings_its_crates_and_no_other_does() {
    let Some(library) = crates_with("") else {
        return eprintln!("skipped: not every dependency was fetched (`cargo fetch --locked`)");
    };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).expect("a manifest").parse().expect("TOML");
    let features: BTreeSet<&str> =
        manifest["features"].as_table().expect("features").keys().map(String::as_str).collect();
    let known: BTreeSet<&str> =
        BROUGHT_BY.iter().map(|(feature, _)| *feature).chain(["default", "net"]).collect();
    assert_eq!(features, known, "every feature says here what it brings");
    let named: BTreeSet<&str> = BROUGHT_BY.iter().flat_map(|(_, crates)| *crates).copied().collect();
    for name in &named {
        assert!(!library.contains(*name), "the library alone brings {name}");
    }
    for (feature, crates) in BROUGHT_BY {
        let with = crates_with(feature).expect("fetched, as the others were");
        let brought: BTreeSet<&str> = named.iter().copied().filter(|name| with.contains(*name)).collect();
        let own: BTreeSet<&str> = crates.iter().copied().collect();
        let through_cli = ["browser", "heap-profile", "serve"].contains(&feature);
        let allowed: BTreeSet<&str> = if through_cli {
            own.union(&BROUGHT_BY[0].1.iter().copied().collect()).copied().collect()
        } else {
            own.clone()
        };
        assert!(own.is_subset(&brought) && brought.is_subset(&allowed), "{feature}: {brought:?}");
    }
}

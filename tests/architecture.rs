//! The direction of the house: a module uses only modules above it.

use std::fs;
use std::path::{Path, PathBuf};

/// The order of data flow; `lib.rs` and `main.rs` stand outside.
const ORDER: [&str; 24] = [
    "model",
    "fingerprint",
    "ingest",
    "features",
    "exits",
    "signals",
    "evaluate",
    "search",
    "validate",
    "decide",
    "store",
    "engine",
    "net",
    "fetch",
    "notify",
    "config",
    "study",
    "run",
    "bot",
    "diagnose",
    "documents",
    "render",
    "legacy",
    "cli",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<String> = fs::read_dir(&root)
        .expect("src")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    folders.sort();
    let mut ordered = ORDER.map(str::to_owned).to_vec();
    ordered.sort();
    assert_eq!(folders, ordered, "every folder has its place in the order");
    for (place, module) in ORDER.iter().enumerate() {
        for file in sources(&root.join(module)) {
            let text = fs::read_to_string(&file).expect("text");
            for below in &ORDER[place + 1..] {
                let used =
                    text.contains(&format!("crate::{below}::")) || text.contains(&format!("crate::{below};"));
                assert!(!used, "{} uses `{below}`, which stands below it", file.display());
            }
        }
    }
}

/// The pure stages know no disk, clock, environment, terminal or randomness.
#[test]
fn pure_stages_have_no_side_effects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let forbidden =
        ["std::fs", "std::env", "std::time", "Instant", "SystemTime", "println!", "eprintln!", "rand::"];
    for module in
        ["features", "exits", "signals", "evaluate", "search", "validate", "decide", "study", "legacy/rules"]
    {
        for file in sources(&root.join(module)) {
            let text = fs::read_to_string(&file).expect("text");
            let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
            for word in forbidden {
                assert!(!code.contains(word), "{} uses `{word}`", file.display());
            }
        }
    }
}

/// Where a file is opened or read otherwise than by `ingest/opening.rs`, which asks what it is and how much of it is expected:
/// folders (to lock them, and to make names in them durable), what the system says, and what is asked before in its own way.
const OPENED_OTHERWISE: [(&str, &str); 7] = [
    ("fetch/mod.rs", "File::open(folder)"),
    ("fetch/splice.rs", "File::open(folder)"),
    ("notify/queue.rs", "File::open(path.parent()"),
    ("notify/queue.rs", "if small { fs::read(path).ok() }"),
    ("notify/secret.rs", "File::open(&path)"),
    ("store/beside.rs", "File::open(folder_of(target))"),
    ("store/files.rs", "File::open(dir)"),
];

/// A pipe, a device or a folder in place of a file is an error at once, and no file is read without a bound.
#[test]
fn files_are_opened_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let words = ["File::open(", "fs::read(", "fs::read_to_string("];
    for file in sources(&root) {
        let text = fs::read_to_string(&file).expect("text");
        let name = file.strip_prefix(&root).expect("a source").display().to_string();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(&text);
        if name.ends_with("tests.rs") {
            continue;
        }
        for line in code.lines().filter(|line| words.iter().any(|word| line.contains(word))) {
            let by_itself = OPENED_OTHERWISE.iter().any(|(place, how)| name == *place && line.contains(how));
            let known = by_itself || line.contains("/proc/");
            assert!(known, "{name} opens a file by itself: {line}");
        }
    }
}

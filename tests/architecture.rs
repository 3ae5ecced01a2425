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
    "engine",
    "store",
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

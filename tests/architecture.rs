//! The direction of the house: a module uses only modules above it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use retune::FOLDERS;

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
    let mut ordered = FOLDERS.map(str::to_owned).to_vec();
    ordered.sort();
    assert_eq!(folders, ordered, "every folder has its place in the order");
    for (place, module) in FOLDERS.iter().enumerate() {
        for file in sources(&root.join(module)) {
            let text = fs::read_to_string(&file).expect("text");
            for below in &FOLDERS[place + 1..] {
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
    for module in [
        "features",
        "exits",
        "signals",
        "evaluate",
        "search",
        "validate",
        "decide",
        "study",
        "judge",
        "legacy/rules",
    ] {
        for file in sources(&root.join(module)) {
            let text = fs::read_to_string(&file).expect("text");
            let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
            for word in forbidden {
                assert!(!code.contains(word), "{} uses `{word}`", file.display());
            }
        }
    }
}

/// Text for people is drawn of documents in `render/text`; the glossary is a page of its own.
#[test]
fn documents_draw_no_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let drawing = ["writeln!(", "write!(", "fn text(&self", "text.push_str("];
    for file in sources(&root.join("documents")).iter().filter(|file| !file.ends_with("glossary.rs")) {
        let text = fs::read_to_string(file).expect("text");
        for word in drawing {
            assert!(!text.contains(word), "{} draws text with `{word}`", file.display());
        }
    }
    let drawn = sources(&root.join("render/text"));
    assert!(drawn.len() > 30, "{}", drawn.len());
}

/// Where a file is opened or read otherwise than by `ingest/opening.rs`, which asks what it is and how much of it is expected:
/// folders (to lock them, and to make names in them durable), what the system says, and what is asked before in its own way.
const OPENED_OTHERWISE: [(&str, &str); 8] = [
    ("fetch/mod.rs", "File::open(folder)"),
    ("fetch/splice.rs", "File::open(folder)"),
    ("notify/queue.rs", "File::open(path.parent()"),
    ("notify/queue.rs", "if small { fs::read(path).ok() }"),
    ("notify/secret.rs", "File::open(&path)"),
    ("serve/token.rs", "File::open(\"/dev/urandom\")"),
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

/// Files of a folder that import each other, with why; nobody else may join them, and who leaves them leaves this list.
const CIRCLES: [(&str, &str); 4] = [
    ("cli/failure cli/log cli/output", "a failure is printed and logged, and printing can fail"),
    (
        "fetch/binance fetch/exchange fetch/plan",
        "the table of exchanges names them, and a plan is made for one",
    ),
    (
        "store/backup store/reported store/state store/view",
        "a commit ends with a backup, the copy for readers and the mark of what was told, and each of them opens or makes a store",
    ),
    (
        "store/envelope store/error store/keys store/tables",
        "a table names its keys and how its rows are read, a row says of which table it is, and both can fail",
    ),
];

/// Returns the files below `src` by their module path, as the program without its unit tests.
fn programs() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let named = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("text");
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let name = path.strip_prefix(&root).expect("below src").with_extension("");
        let name = name.to_string_lossy().trim_end_matches("/mod").to_owned();
        (name, code)
    };
    sources(&root).into_iter().map(named).collect()
}

/// Returns the files that a file names by `crate::`, `super::` and `self::`.
fn imports(name: &str, code: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let own: Vec<&str> = name.split('/').collect();
    let mut found = BTreeSet::new();
    for (start, base) in [("crate::", &[][..]), ("super::", &own[..own.len() - 1]), ("self::", &own[..])] {
        for (at, _) in code.match_indices(start) {
            if code[..at]
                .chars()
                .next_back()
                .is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':')
            {
                continue;
            }
            let path: String = code[at + start.len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':')
                .collect();
            let mut place: Vec<&str> = base.to_vec();
            let mut best = None;
            for segment in path.split("::").filter(|segment| !segment.is_empty()) {
                match segment {
                    "super" => drop(place.pop()),
                    _ => place.push(segment),
                }
                best = Some(place.join("/")).filter(|file| files.contains_key(file)).or(best);
            }
            // A folder's file re-exports what lies below it.
            found.extend(best.filter(|file| file != name && !name.starts_with(&format!("{file}/"))));
        }
    }
    found
}

#[test]
fn files_import_each_other_only_where_a_line_says_why() {
    let files = programs();
    let edges: BTreeMap<&str, BTreeSet<String>> =
        files.iter().map(|(name, code)| (name.as_str(), imports(name, code, &files))).collect();
    let reached = |from: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(file) = next.pop() {
            let fresh: Vec<String> =
                edges[file.as_str()].iter().filter(|to| !seen.contains(*to)).cloned().collect();
            seen.extend(fresh.iter().cloned());
            next.extend(fresh);
        }
        seen
    };
    let all: BTreeMap<&str, BTreeSet<String>> = edges.keys().map(|name| (*name, reached(name))).collect();
    let mut circles = BTreeSet::new();
    for (name, ahead) in all.iter().filter(|(name, ahead)| ahead.contains(**name)) {
        let members: Vec<&str> =
            ahead.iter().map(String::as_str).filter(|other| all[other].contains(*name)).collect();
        circles.insert(members.join(" "));
    }
    let known: BTreeSet<String> = CIRCLES.iter().map(|(files, _)| (*files).to_owned()).collect();
    assert!(circles == known, "new: {:#?}\ngone: {:#?}", &circles - &known, &known - &circles);
}

#[test]
fn a_name_of_a_type_stands_for_one_type() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, code) in programs() {
        for line in code.lines() {
            let words: Vec<&str> = line
                .split_whitespace()
                .skip_while(|word| word.starts_with("pub") || word.ends_with(')'))
                .collect();
            if let [kind, name, ..] = words[..]
                && ["struct", "enum", "trait", "union"].contains(&kind)
            {
                let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                places.entry(name).or_default().push(file.clone());
            }
        }
    }
    assert!(places.len() > 500, "{}", places.len());
    let several: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(several.is_empty(), "{several:?}");
}

//! The glossary knows every word that stands for something: of verdicts, conditions, reasons, issues, methods, metrics, lists and last
//! lines. Its page is what the table says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use retune::decide::{DecisionOutcome, RunResult};
use retune::documents::glossary::{GLOSSARY, glossary_page, meaning_of};
use retune::evaluate::portfolio::SkipReason;
use retune::validate::regimes::MarketRegime;
use retune::validate::verdict::Verdict;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Returns the words in quotes within a function of a source file.
fn quoted(file: &str, function: &str) -> Vec<String> {
    let source = fs::read_to_string(root().join(file)).expect("a source");
    let body = source.split(function).nth(1).unwrap_or_else(|| panic!("{file}: {function}"));
    let body = body.split("\n}\n").next().unwrap_or_default();
    let body = body.split("\n    }\n").next().unwrap_or_default();
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns a literal of every call in the sources of a folder, unit tests aside; those without a literal there are left out.
fn literals(folder: &str, call: &str, number: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap_or_default();
            let program = source.split("#[cfg(test)]").next().unwrap_or_default();
            let calls = program.split(call).skip(1).filter(|rest| rest.trim_start().starts_with('"'));
            // Of the call alone; an empty title stands over marks.
            let arguments = calls.map(|rest| rest.split_once("|").map_or(rest, |(before, _)| before));
            let words = arguments.filter_map(|rest| rest.split('"').nth(2 * number + 1));
            found.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    found
}

#[test]
fn the_page_is_that_of_the_table() {
    let path = root().join("docs/reference/glossary.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, glossary_page()).expect("written");
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(page == glossary_page(), "{} is out of date: run UPDATE_DOCS=1 cargo test", path.display());
}

#[test]
fn a_word_has_one_meaning() {
    let words: Vec<&str> =
        GLOSSARY.iter().flat_map(|(_, words)| words.iter()).map(|(word, _)| *word).collect();
    assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
}

#[test]
fn every_word_that_stands_for_something_has_a_meaning() {
    let mut words: BTreeSet<String> =
        Verdict::ALL.iter().map(|verdict| verdict.as_str().to_owned()).collect();
    words.extend(SkipReason::ALL.iter().map(|reason| reason.as_str().to_owned()));
    let outcomes = [
        DecisionOutcome::Adopted,
        DecisionOutcome::Unchanged,
        DecisionOutcome::NotConvincing,
        DecisionOutcome::Rejected,
    ];
    words.extend(outcomes.map(|outcome| outcome.as_str().to_owned()));
    words.extend(
        [RunResult::Changed, RunResult::Unchanged, RunResult::NotConvincing, RunResult::Rejected]
            .map(|result| result.as_str().to_owned()),
    );
    // What a source names in one place: significance and conditions, reasons, metrics.
    let assessment = fs::read_to_string(root().join("src/validate/assessment.rs")).expect("a source");
    let program = assessment.split("#[cfg(test)]").next().expect("a program");
    let shouted = |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    words.extend(program.split('"').skip(1).step_by(2).filter(shouted).map(str::to_owned));
    words.extend(quoted("src/engine/reuse.rs", "pub fn kind("));
    let metrics = quoted("src/render/text/table.rs", "pub fn results_table(");
    words.extend(metrics.into_iter().filter(|word| !word.is_empty()));
    // The keys of last lines.
    for (file, function) in [
        ("src/render/text/run.rs", "pub fn summary_line("),
        ("src/render/text/dry_run.rs", "pub fn summary_line("),
    ] {
        let lines = quoted(file, function).join(" ");
        words.extend(lines.split_whitespace().filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())));
    }
    // Kinds of issues, methods, and titles of lists.
    words.extend(quoted("src/ingest/report.rs", "Self::BadRow => "));
    words.extend(["bad_row", "stopped", "short_history"].map(str::to_owned));
    words.extend(MarketRegime::ALL.map(|regime| regime.in_words().to_owned()));
    words.extend(literals("src/run/deep_validation", "MethodFinding::new(", 0));
    for folder in ["src/documents", "src/legacy/documents", "src/render"] {
        words.extend(literals(folder, ".column(", 1));
    }
    assert!(words.len() > 140, "{words:?}");
    let unknown: Vec<&String> = words.iter().filter(|word| meaning_of(word).is_none()).collect();
    assert!(unknown.is_empty(), "without a meaning in documents/glossary.rs: {unknown:?}");
}

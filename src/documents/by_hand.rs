//! What a decision by hand changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::ChangePart;
use super::document::Document;
use super::table::text_table;
use crate::bot::import::Imported;
use crate::model::{Style, escaped};
use crate::run::adopt::ByHand;

/// The change that `adopt` or `rollback` made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ByHandDocument {
    pub profile: String,
    /// The number it has in the history; null when nothing changed.
    pub run: Option<u64>,
    pub changes: Vec<ChangePart>,
}

impl Document for ByHandDocument {
    const KIND: &'static str = "by_hand";
}

impl ByHandDocument {
    /// Returns the document of what was done.
    pub fn new(profile: &str, done: ByHand) -> Self {
        Self {
            profile: profile.to_owned(),
            run: done.run,
            changes: done.changes.iter().map(ChangePart::from).collect(),
        }
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let Some(run) = self.run else { return "these parameters are active already\n".to_owned() };
        let what = match self.changes.iter().any(|change| change.new.is_some()) {
            true => ("active now", "`optimizer rollback` undoes it"),
            false => ("no longer active", "`optimizer adopt` brings the candidate of a run back"),
        };
        let (changes, profile) = (list_changes(&self.changes), &self.profile);
        format!("{changes}\n\n{}, as run {run} of profile {profile}; {}\n", what.0, what.1)
    }
}

/// Returns changes as a table.
fn list_changes(changes: &[ChangePart]) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let row = |change: &ChangePart| {
        let (old, new) = (value(&change.old), value(&change.new));
        vec![change.scope.clone(), change.key.clone(), old, "->".to_owned(), new]
    };
    let rows: Vec<Vec<String>> = changes.iter().map(row).collect();
    text_table(&["Scope", "Key", "Old", "", "New"], &rows)
}

/// The parts of a file that `import-json` imported.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ImportDocument {
    pub profile: String,
    /// The number it has in the history.
    pub run: u64,
    pub changes: Vec<ChangePart>,
    /// Styles of which the file has no parameters.
    pub styles_without_parameters: Vec<String>,
    /// Styles of which the file has defaults that an export filled in: they do not become active.
    pub styles_filled_in: Vec<String>,
    /// Top-level keys that go along to the next export.
    pub passed_through: Vec<String>,
    /// Top-level keys that do not: caches that nothing reads.
    pub dropped: Vec<String>,
    /// What somebody should know about single values.
    pub notes: Vec<String>,
}

impl Document for ImportDocument {
    const KIND: &'static str = "import";
    const VERSION: u32 = 2;
}

impl ImportDocument {
    /// Returns the document of what was imported.
    pub fn new(profile: &str, done: Imported) -> Self {
        Self {
            profile: profile.to_owned(),
            run: done.run,
            changes: done.changes.iter().map(ChangePart::from).collect(),
            styles_without_parameters: done.without.iter().map(ToString::to_string).collect(),
            styles_filled_in: done.filled_in.iter().map(ToString::to_string).collect(),
            passed_through: done.carried,
            dropped: done.dropped,
            notes: done.notes,
        }
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let left = self.styles_without_parameters.len() + self.styles_filled_in.len();
        let changes = match self.changes.is_empty() {
            true if left == Style::ALL.len() => "no parameters become active".to_owned(),
            true => "these parameters are active already".to_owned(),
            false => list_changes(&self.changes),
        };
        let mut text = format!("{changes}\n\nimported as run {} of profile {}\n", self.run, self.profile);
        if !self.styles_without_parameters.is_empty() {
            text += &format!("no parameters for {}\n", self.styles_without_parameters.join(", "));
        }
        if !self.styles_filled_in.is_empty() {
            text += &format!(
                "not active: the parameters for {}, defaults that an export filled in\n",
                self.styles_filled_in.join(", ")
            );
        }
        text += &super::prose::wrap_words("passed through to the next export:", 2, &self.passed_through);
        if !self.dropped.is_empty() {
            text += &format!("not passed through, nothing reads them: {}\n", self.dropped.join(", "));
        }
        text.extend(self.notes.iter().map(|note| format!("note: {}\n", escaped(note, &[]))));
        text
    }
}

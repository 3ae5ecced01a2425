//! A change made by hand, and an import, as text.

use crate::documents::by_hand::{ByHandDocument, ImportDocument};
use crate::documents::change::ChangePart;
use crate::model::{Style, escaped};
use crate::render::text::table::text_table;

impl ByHandDocument {
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
pub(super) fn list_changes(changes: &[ChangePart]) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let row = |change: &ChangePart| {
        let (old, new) = (value(&change.old), value(&change.new));
        vec![change.scope.clone(), change.key.clone(), old, "->".to_owned(), new]
    };
    let rows: Vec<Vec<String>> = changes.iter().map(row).collect();
    text_table(&["Scope", "Key", "Old", "", "New"], &rows)
}

impl ImportDocument {
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
        text += &crate::render::text::prose::wrap_words(
            "passed through to the next export:",
            2,
            &self.passed_through,
        );
        if !self.dropped.is_empty() {
            text += &format!("not passed through, nothing reads them: {}\n", self.dropped.join(", "));
        }
        text.extend(self.notes.iter().map(|note| format!("note: {}\n", escaped(note, &[]))));
        text
    }
}

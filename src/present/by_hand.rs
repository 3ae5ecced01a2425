//! What a decision by hand changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::table::table;
use crate::run::adopt::ByHand;
use crate::store::records::ChangeRecord;

/// What `adopt` or `rollback` changed.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ByHandDocument {
    pub profile: String,
    /// The number it has in the history; null when nothing changed.
    pub run: Option<u64>,
    pub changes: Vec<ChangeRecord>,
}

impl Document for ByHandDocument {
    const KIND: &'static str = "by_hand";
}

impl ByHandDocument {
    /// Returns the document of what was done.
    pub fn new(profile: &str, done: ByHand) -> Self {
        Self { profile: profile.to_owned(), run: done.run, changes: done.changes }
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let Some(run) = self.run else { return "these parameters are in force already\n".to_owned() };
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let row = |change: &ChangeRecord| {
            let (old, new) = (value(&change.old), value(&change.new));
            vec![change.scope.clone(), change.key.clone(), old, "->".to_owned(), new]
        };
        let rows: Vec<Vec<String>> = self.changes.iter().map(row).collect();
        format!(
            "{}\n\nin force now, as run {run} of profile {}; `optimizer rollback` undoes it\n",
            table(&["Scope", "Key", "Old", "", "New"], &rows),
            self.profile
        )
    }
}

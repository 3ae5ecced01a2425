//! Backups of a store as text.

use crate::documents::restore::{BackupDocument, RestoreDocument};
use crate::render::text::table::text_table;

impl RestoreDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        if let Some(done) = &self.restored {
            let kept =
                done.kept_as.as_ref().map(|path| format!("\nthe store that was there is kept as {path}"));
            let foreign =
                if done.foreign { "\nit is of another store than the one that was there" } else { "" };
            return format!(
                "restored {} runs and {} scopes of parameters from {} ({}){foreign}{}\n",
                done.runs,
                done.scopes,
                done.from,
                done.created_at,
                kept.unwrap_or_default()
            );
        }
        if self.backups.is_empty() {
            return format!("no backups in {}\n", self.directory);
        }
        let row = |backup: &BackupDocument| {
            let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            let whole = if backup.foreign { "whole, of another store" } else { "whole" };
            let state = backup.problem.clone().unwrap_or_else(|| whole.to_owned());
            let profile = backup.profile.clone().unwrap_or_else(|| "-".to_owned());
            let made = backup.created_at.clone().unwrap_or_else(|| "-".to_owned());
            vec![backup.number.to_string(), made, profile, number(backup.runs), number(backup.scopes), state]
        };
        let rows: Vec<Vec<String>> = self.backups.iter().map(row).collect();
        let listed = text_table(&["Number", "Made", "After", "Runs", "Scopes", "State"], &rows);
        format!("{listed}\n\n`optimizer restore NUMBER` puts one in the store's place\n")
    }
}

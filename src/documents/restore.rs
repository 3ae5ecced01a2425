//! Backups of a store, and what became of one.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::model::rfc3339;
use crate::store::{Backup, Restored};

/// The backups of a store, and the one that was restored.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RestoreDocument {
    /// The store's directory.
    pub directory: String,
    /// What was restored; null when they were only listed.
    pub restored: Option<RestoredDocument>,
    /// Newest first.
    pub backups: Vec<BackupDocument>,
}

/// One backup.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct BackupDocument {
    pub number: u64,
    pub file: String,
    pub bytes: u64,
    /// When it was made; null for one that cannot be used.
    pub created_at: Option<String>,
    /// Runs in its history; null for one that cannot be used.
    pub runs: Option<u64>,
    /// Scopes with active parameters; null for one that cannot be used.
    pub scopes: Option<u64>,
    /// Whose run it was made after; null where it does not say so.
    pub profile: Option<String>,
    /// Whether it is of another store than the one in the directory.
    pub foreign: bool,
    /// Why it cannot be used; null for one that is whole.
    pub problem: Option<String>,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RestoredDocument {
    pub from: String,
    pub created_at: String,
    pub runs: u64,
    pub scopes: u64,
    /// Where the store that was there is now; null if there was none.
    pub kept_as: Option<String>,
    /// Whether the backup is of another store than the one that was there.
    pub foreign: bool,
}

impl Document for RestoreDocument {
    const KIND: &'static str = "restore";
}

impl RestoreDocument {
    /// Returns the document of what there is and what was done.
    ///
    /// `own` is the name of the directory's store among backups, where it is known.
    pub fn new(
        directory: &Path,
        backups: Vec<Backup>,
        restored: Option<Restored>,
        own: Option<String>,
    ) -> Self {
        let backup = |backup: Backup| {
            let content = backup.content.as_ref().ok();
            BackupDocument {
                number: backup.number,
                file: backup.path.display().to_string(),
                bytes: backup.bytes,
                created_at: content.map(|content| rfc3339(content.created_at_ms)),
                runs: content.map(|content| content.runs),
                scopes: content.map(|content| content.params),
                profile: content.and_then(|content| content.profile.clone()),
                foreign: own.as_ref().is_some_and(|own| *own != backup.store),
                problem: backup.content.err(),
            }
        };
        let restored = restored.map(|done| RestoredDocument {
            from: done.from.display().to_string(),
            created_at: rfc3339(done.content.created_at_ms),
            runs: done.content.runs,
            scopes: done.content.params,
            kept_as: done.set_aside.map(|path| path.display().to_string()),
            foreign: done.is_foreign,
        });
        Self {
            directory: directory.display().to_string(),
            restored,
            backups: backups.into_iter().map(backup).collect(),
        }
    }
}

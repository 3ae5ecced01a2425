//! A store that was lost: files that are left of one, without the authoritative file.

use std::path::Path;

use super::cache::Cache;
use super::error::StoreError;
use super::files;
use super::{backup, cache};

/// Makes sure that no new store is begun where one was lost.
///
/// Errors: `Lost` where the authoritative file is missing beside others of its store
pub(super) fn expect_none_lost(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(files::STATE);
    if files::file_exists(&path)? {
        return Ok(());
    }
    let beside = left_of_a_store(dir)?;
    match beside.is_empty() {
        true => Ok(()),
        false => Err(StoreError::Lost { path, beside }),
    }
}

/// Returns the files that only a store that was committed to leaves. A cache says whether it was: what a first run
/// evaluated before it was interrupted is of no store yet.
fn left_of_a_store(dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut left = Vec::new();
    if files::file_exists(&dir.join(files::VIEW))? {
        left.push(files::VIEW.to_owned());
    }
    if Cache::exists(dir)? && Cache::stamp_of(dir).is_some() {
        left.push(cache::FILE.to_owned());
    }
    let backups = backup::count_backups(dir)?;
    if backups > 0 {
        left.push(format!("{backups} {}", if backups == 1 { "backup" } else { "backups" }));
    }
    Ok(left)
}

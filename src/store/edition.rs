//! Which store a file is of, and as of which commit: the files of a store are held against each other by it.

use std::path::Path;

use super::cache::Cache;
use super::error::StoreError;
use super::files;
use super::{backup, cache};

/// Which store a file is of, and as of which commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// The store.
    pub store_uuid: [u8; 16],
    /// Commits of the store; a restored one counts on from the highest number that was known.
    pub generation: u64,
    /// A hash over what the heads of all sections count: two files with the same one hold the same rows.
    pub content: [u8; 16],
}

/// How a file stands to the authoritative one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is of the same commit.
    Same,
    /// It is of an earlier commit.
    Behind,
    /// It is of a later commit: the authoritative file is an older one that was put back.
    Ahead,
    /// It is of the same number but another commit: an older file was put back and run on.
    Parted,
    /// It is of another store.
    Foreign,
}

impl Edition {
    /// Returns how a file of this edition stands to the authoritative one.
    pub fn against(&self, state: &Self) -> Standing {
        match self.generation.cmp(&state.generation) {
            _ if self.store_uuid != state.store_uuid => Standing::Foreign,
            _ if self.content == state.content => Standing::Same,
            std::cmp::Ordering::Less => Standing::Behind,
            std::cmp::Ordering::Greater => Standing::Ahead,
            std::cmp::Ordering::Equal => Standing::Parted,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_are_told_apart() {
        let state = Edition { store_uuid: [1; 16], generation: 5, content: [5; 16] };
        let of = |generation, content| Edition { generation, content: [content; 16], ..state };
        assert_eq!(of(5, 5).against(&state), Standing::Same);
        assert_eq!(of(4, 4).against(&state), Standing::Behind);
        assert_eq!(of(6, 6).against(&state), Standing::Ahead);
        assert_eq!(of(5, 6).against(&state), Standing::Parted);
        assert_eq!(Edition { store_uuid: [2; 16], ..state }.against(&state), Standing::Foreign);
    }
}

//! The names of backups: the store, and a number.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;

/// The folder in the store's directory.
pub(in crate::store) const FOLDER: &str = "backups";
pub(super) const SUFFIX: &str = ".jsonl.gz";

pub(super) fn name(uuid: &[u8; 16], number: u64) -> String {
    format!("{}-{number:06}{SUFFIX}", short(uuid))
}

/// Returns the first half of a store's name as text.
pub(super) fn short(uuid: &[u8; 16]) -> String {
    hex(&uuid[..8])
}

/// Returns bytes as text.
pub(in crate::store) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns store and number of a backup's name.
pub(super) fn parts(path: &Path) -> Option<(String, u64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let (store, number) = name.split_once('-')?;
    Some((store.to_owned(), number.parse().ok()?))
}

/// Returns the backups of a store, oldest first.
pub(super) fn numbered_backups(folder: &Path, uuid: &[u8; 16]) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let own = |path: PathBuf| parts(&path).filter(|(store, _)| *store == short(uuid)).map(|(_, n)| (n, path));
    let mut found: Vec<(u64, PathBuf)> = listed(folder)?.into_iter().filter_map(own).collect();
    found.sort();
    Ok(found)
}

pub(super) fn listed(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| StoreError::io(folder, "list", error);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect(),
    }
}

//! How much of the disk a store takes, by part.

use std::fs;
use std::path::Path;

use super::backup::FOLDER;
use super::files::{EVALS, STATE, VIEW};

/// Bytes of the parts of a store; of what is not there none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StoreSizes {
    pub state: u64,
    pub view: u64,
    pub evals: u64,
    pub backups: u64,
}

/// Returns the sizes of a store's parts; what cannot be looked at counts as not there.
pub fn store_sizes(dir: &Path) -> StoreSizes {
    let size = |name: &str| fs::symlink_metadata(dir.join(name)).map_or(0, |found| found.len());
    let listed = fs::read_dir(dir.join(FOLDER)).into_iter().flatten().flatten();
    let files = listed.filter_map(|entry| entry.metadata().ok()).filter(|found| found.is_file());
    StoreSizes {
        state: size(STATE),
        view: size(VIEW),
        evals: size(EVALS),
        backups: files.map(|found| found.len()).sum(),
    }
}

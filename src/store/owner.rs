//! Whom the files of a store belong to.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::StoreError;

/// Gives what root made in somebody's directory to whom the directory belongs: a run that was made once as root is not to
/// keep out the user who makes it every day.
pub fn hand_over(path: &Path) -> Result<(), StoreError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let dir = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = fs::metadata(dir).map_err(|error| StoreError::io(dir, "look at", error))?;
    let own = fs::symlink_metadata(path).map_err(|error| StoreError::io(path, "look at", error))?;
    if (own.uid(), own.gid()) == (owner.uid(), owner.gid()) || owner.uid() == 0 {
        return Ok(());
    }
    let given = std::os::unix::fs::lchown(path, Some(owner.uid()), Some(owner.gid()));
    given.map_err(|error| StoreError::io(path, "give to the owner of its directory", error))
}

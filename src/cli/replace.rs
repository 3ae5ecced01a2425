//! Files that others read: put in their place whole, or not at all.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Permission bits of a mode.
const PERMISSIONS: u32 = 0o777;

/// Replaces a file: write beside it, sync, rename, sync the folder. Readers see the old or the new file, never a part.
///
/// A link stays one, and what it leads to is replaced; who may read the file stays as it was. What is neither file nor
/// folder, such as a pipe or `/dev/null`, is written to: a file in its place would be the end of it.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let found = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
        }
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let target = if found.is_some() { fs::canonicalize(path)? } else { path.to_path_buf() };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let write = || {
        let mode = found.as_ref().map_or(0o644, |found| found.mode() & PERMISSIONS);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        if let Some(found) = &found {
            // The mask may have taken some away. Not every disk has permissions.
            let _ = file.set_permissions(found.permissions());
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &target)?;
        fs::File::open(&folder)?.sync_all()
    };
    write().inspect_err(|_| {
        // Only what this process made; it may not exist.
        let _ = fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    #[test]
    fn a_file_is_replaced_where_it_lies_and_keeps_who_may_read_it() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("real")).expect("made");
        fs::write(at("real/config.json"), "old").expect("written");
        fs::set_permissions(at("real/config.json"), fs::Permissions::from_mode(0o620)).expect("set");
        symlink("real/config.json", at("link.json")).expect("linked");
        replace(&at("link.json"), b"new").expect("replaced");
        assert!(fs::symlink_metadata(at("link.json")).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(at("real/config.json")).expect("there"), "new");
        assert_eq!(fs::metadata(at("real/config.json")).expect("there").mode() & PERMISSIONS, 0o620);
        assert_eq!(fs::read_dir(at("real")).expect("a folder").count(), 1, "nothing is left beside it");
        let error = replace(&at("real"), b"new").expect_err("a folder");
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
    }

    #[test]
    fn what_is_no_file_is_written_to() {
        let place = tempfile::tempdir().expect("a folder");
        let pipe = place.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| fs::read_to_string(&pipe));
            replace(&pipe, b"through the pipe").expect("written");
            reader.join().expect("it ends")
        });
        assert_eq!(read.expect("read"), "through the pipe");
        assert!(fs::symlink_metadata(&pipe).expect("there").file_type().is_fifo());
    }
}

//! Files that others read: put in their place whole, or not at all.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use crate::ingest::read_whole;
use crate::store::Beside;

/// Permission bits of a mode.
const PERMISSIONS: u32 = 0o777;

/// Replaces a file: write beside it, sync, rename, sync the folder. Readers see the old or the new file, never a part.
///
/// A link stays one, and what it leads to is replaced; who may read the file stays as it was. What is neither file nor
/// folder, such as a pipe or `/dev/null`, is written to: a file in its place would be the end of it.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_if(path, bytes, || Ok(()))
}

/// Writes a file that is not there yet like [`replace_file`].
///
/// Errors: also when there is one by now
pub(super) fn replace_none(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_if(path, bytes, || match fs::metadata(path) {
        Ok(_) => Err(io::Error::other("another program made it meanwhile; run again")),
        Err(_) => Ok(()),
    })
}

/// Replaces a file like [`replace_file`], and keeps what was there as `FILE.bak`, beside the name that was given.
///
/// Errors: also when somebody else wrote the file since `old` was read; all files are as they were then
pub(super) fn replace_and_keep(path: &Path, bytes: &[u8], old: &[u8]) -> io::Result<()> {
    let backup = backup_of(path);
    let keep = || {
        let changed = || io::Error::other("it was changed meanwhile by another program; run again");
        let now = read_whole(path, old.len() as u64).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => changed(),
            _ => error,
        })?;
        if now != old {
            return Err(changed());
        }
        // A link in this place is another file's name: it is replaced, not followed.
        let mode = fs::metadata(path)?.mode() & PERMISSIONS;
        write_beside(&backup, old, mode, None, || Ok(()))
    };
    replace_if(path, bytes, keep)
}

/// Returns where what was in a file is kept when it is replaced.
pub(super) fn backup_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".bak");
    path.with_file_name(name)
}

/// Replaces a file; the check is made at the last moment, when the new content is on the disk.
fn replace_if(path: &Path, bytes: &[u8], check: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
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
    let mode = found.as_ref().map_or(0o644, |found| found.mode() & PERMISSIONS);
    write_beside(&target, bytes, mode, found.as_ref(), check)
}

/// Writes a file beside another, asks, and puts it in the other's place.
fn write_beside(
    target: &Path,
    bytes: &[u8],
    mode: u32,
    found: Option<&fs::Metadata>,
    check: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let mut beside = Beside::create(target, mode)?;
    let file = beside.file();
    if let Some(found) = found {
        // A run as another user, root say, must not take the file away from its owner. Not everybody may give it back.
        let _ = fchown(&*file, Some(found.uid()), Some(found.gid()));
        // The mask may have taken some away. Not every disk has permissions.
        let _ = file.set_permissions(found.permissions());
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    check()?;
    beside.put(target)
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
        replace_file(&at("link.json"), b"new").expect("replaced");
        assert!(fs::symlink_metadata(at("link.json")).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(at("real/config.json")).expect("there"), "new");
        assert_eq!(fs::metadata(at("real/config.json")).expect("there").mode() & PERMISSIONS, 0o620);
        assert_eq!(fs::read_dir(at("real")).expect("a folder").count(), 1, "nothing is left beside it");
        let error = replace_file(&at("real"), b"new").expect_err("a folder");
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
    }

    #[test]
    fn what_stood_there_is_kept_unless_somebody_else_wrote_it() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        let read = |name: &str| fs::read_to_string(at(name)).expect("there");
        fs::write(at("config.json"), "first").expect("written");
        fs::set_permissions(at("config.json"), fs::Permissions::from_mode(0o600)).expect("set");
        fs::write(at("elsewhere"), "not ours").expect("written");
        symlink("elsewhere", at("config.json.bak")).expect("linked");
        replace_and_keep(&at("config.json"), b"second", b"first").expect("replaced");
        assert_eq!(
            [read("config.json"), read("config.json.bak"), read("elsewhere")],
            ["second", "first", "not ours"]
        );
        assert_eq!(fs::metadata(at("config.json.bak")).expect("there").mode() & PERMISSIONS, 0o600);
        let error = replace_and_keep(&at("config.json"), b"third", b"first").expect_err("changed meanwhile");
        assert!(error.to_string().contains("changed meanwhile"), "{error}");
        assert_eq!([read("config.json"), read("config.json.bak")], ["second", "first"]);
        fs::remove_file(at("config.json.bak")).expect("removed");
        fs::create_dir(at("config.json.bak")).expect("made");
        assert!(
            replace_and_keep(&at("config.json"), b"third", b"second").is_err(),
            "no place for what was there"
        );
        assert_eq!(read("config.json"), "second");
        assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 3, "nothing is left beside them");
    }

    #[test]
    fn what_is_no_file_is_written_to() {
        let place = tempfile::tempdir().expect("a folder");
        let pipe = place.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| fs::read_to_string(&pipe));
            replace_file(&pipe, b"through the pipe").expect("written");
            reader.join().expect("it ends")
        });
        assert_eq!(read.expect("read"), "through the pipe");
        assert!(fs::symlink_metadata(&pipe).expect("there").file_type().is_fifo());
    }
}

//! Files that are written beside the one they replace, and what processes that were killed leave of them.
//!
//! `.NAME.PID.tmp` stands beside `NAME` until it takes its place. It is locked for as long as its process lives, so whoever
//! writes `NAME` next knows which of them nobody writes any more, whatever process has their number by now, in this
//! container or another. Links, folders and other names are never touched.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::owner::hand_over;

/// What the name of a file ends with until it takes its place.
const SUFFIX: &str = ".tmp";
/// Times a file is rebuilt that somebody took for a leftover in the moment before it was locked.
const ATTEMPTS_MAX: usize = 16;

/// A file beside the one whose place it takes; removed when dropped, unless it was put there.
#[derive(Debug)]
pub struct Beside {
    path: PathBuf,
    file: File,
}

impl Beside {
    /// Creates the file beside a target, and removes what killed processes left of others.
    pub fn create(target: &Path, mode: u32) -> io::Result<Self> {
        remove_leftovers(target);
        let path = path_of(target);
        for _ in 0..ATTEMPTS_MAX {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(&path)?;
            let beside = Self { path: path.clone(), file };
            if is_held(&beside.file)? {
                // Not every disk lets files be given away.
                let _ = hand_over(&path);
                return Ok(beside);
            }
            // It is gone, or will be in a moment.
            drop(beside);
        }
        Err(io::Error::other(format!("`{}` is removed again and again", path.display())))
    }

    /// Returns where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts it in the target's place, durably.
    pub fn put(self, target: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, target)?;
        File::open(folder_of(target))?.sync_all()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Only what this process made; it has another name once it was put in its place.
        let _ = fs::remove_file(&self.path);
    }
}

/// Locks a file that was just created; returns whether it is still there. Where there are no locks nobody takes it for a
/// leftover either.
pub(super) fn is_held(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(file.metadata()?.nlink() > 0),
    }
}

/// Returns where this process writes what takes a target's place.
pub(super) fn path_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    folder_of(target).join(format!(".{name}.{}{SUFFIX}", std::process::id()))
}

fn folder_of(target: &Path) -> &Path {
    target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what was written beside a target by processes that do not live any more. What cannot be removed stays: it is in
/// nobody's way.
pub(super) fn remove_leftovers(target: &Path) {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for entry in fs::read_dir(folder_of(target)).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && target_of(&entry.file_name().to_string_lossy()) == Some(&name) {
            match remove_unheld(&entry.path()) {
                Ok(true) => {
                    tracing::info!(path = %entry.path().display(), "removed what a killed process left")
                }
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, path = %entry.path().display(), "a leftover stays"),
            }
        }
    }
}

/// Returns the name of the file whose place another one takes, by that one's name.
pub(super) fn target_of(name: &str) -> Option<&str> {
    let (target, number) = name.strip_prefix('.')?.strip_suffix(SUFFIX)?.rsplit_once('.')?;
    let is_number = (1..=10).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(target).filter(|target| !target.is_empty())
}

/// Returns whether a file is there that no process writes any more.
pub(super) fn is_left(path: &Path) -> bool {
    matches!(unheld(path), Ok(Some(_)))
}

/// Opens and locks a file that no process holds; `None` where one does.
fn unheld(path: &Path) -> io::Result<Option<File>> {
    // What has the name by now may be another thing.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file).filter(|file| file.metadata().is_ok_and(|found| found.is_file()))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Removes a file that no process holds; returns whether it did.
fn remove_unheld(path: &Path) -> io::Result<bool> {
    let Some(file) = unheld(path)? else { return Ok(false) };
    let (held, named) = (file.metadata()?, fs::symlink_metadata(path)?);
    if (held.dev(), held.ino()) != (named.dev(), named.ino()) {
        return Ok(false);
    }
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    #[test]
    fn leftovers_are_known_by_their_whole_name() {
        for (name, wanted) in [
            (".config.json.123.tmp", true),
            (".config.json.4194304.tmp", true),
            ("config.json.123.tmp", false),
            (".config.json.tmp", false),
            (".config.json..tmp", false),
            (".config.json.12a.tmp", false),
            (".config.json.-12.tmp", false),
            (".config.json.12345678901.tmp", false),
            (".config.json.bak.123.tmp", false),
            (".other.json.123.tmp", false),
            (".config.json.123.tmp.old", false),
        ] {
            assert_eq!(target_of(name) == Some("config.json"), wanted, "{name}");
        }
    }

    #[test]
    fn what_nobody_writes_any_more_goes_and_all_else_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let target = at("config.json");
        // As a process leaves it that was killed, one of this very number too.
        fs::write(at(".config.json.1.tmp"), "cut").expect("written");
        fs::write(path_of(&target), "cut").expect("written");
        // Somebody writes it at this moment.
        let living = File::create(at(".config.json.2.tmp")).expect("made");
        living.lock().expect("locked");
        // Not ours.
        for name in [".config.json.tmp", ".config.json.bak.3.tmp", ".other.json.3.tmp", "config.json.3.tmp"] {
            fs::write(at(name), "of somebody").expect("written");
        }
        symlink("config.json", at(".config.json.4.tmp")).expect("linked");
        fs::create_dir(at(".config.json.5.tmp")).expect("made");
        let left = || {
            let names = fs::read_dir(folder.path()).expect("a folder").flatten();
            let mut names: Vec<String> =
                names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let mut beside = Beside::create(&target, 0o644).expect("made");
        beside.file().write_all(b"new").expect("written");
        // Who cleans up in between leaves what is written.
        remove_leftovers(&target);
        assert!(beside.path().is_file());
        beside.put(&target).expect("put");
        let expected = [
            ".config.json.2.tmp",
            ".config.json.4.tmp",
            ".config.json.5.tmp",
            ".config.json.bak.3.tmp",
            ".config.json.tmp",
            ".other.json.3.tmp",
            "config.json",
            "config.json.3.tmp",
        ];
        assert_eq!(left(), expected);
        assert_eq!(fs::read(&target).expect("there"), b"new");
        drop(living);
        drop(Beside::create(&target, 0o644).expect("made"));
        assert_eq!(left(), expected[1..], "its process has ended");
    }

    #[test]
    fn many_writers_and_cleaners_do_not_take_each_others_files() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let target = folder.path().join(format!("{writer}.json"));
                scope.spawn(move || {
                    for round in 0..100_u32 {
                        let mut beside = Beside::create(&target, 0o600).expect("made");
                        beside.file().write_all(&round.to_le_bytes()).expect("written");
                        beside.put(&target).expect("put in its place");
                    }
                });
                let target = folder.path().join(format!("{writer}.json"));
                scope.spawn(move || (0..100).for_each(|_| remove_leftovers(&target)));
            }
        });
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 4);
    }
}

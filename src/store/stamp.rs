//! That the readers' copy is of the store as it is: what both looked like when the store was closed, in a small file beside
//! them, so that a reader need not open the store to know.
//!
//! A stamp holds only while both files are the same as then, to the nanosecond of their last change, and only if it was
//! itself written in a later tick of the file system's clock than both: whatever was changed since then, by a run or by
//! hand, shows. Without one, and with one that does not hold, the store itself is glanced at. So it never changes what is
//! shown, and nothing is lost with it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::OFlags;

use super::files;

/// The stamp, beside the store and its copy.
pub(super) const FILE: &str = "view.stamp";
/// What it begins with.
const MAGIC: &[u8] = b"retune stamp 1\n";
/// Times that the next tick of the file system's clock is waited for, and how long each: some tick a hundred times a second.
const TICKS_MAX: usize = 24;
const TICK_WAIT: Duration = Duration::from_millis(1);

/// What changes whenever a file does.
type Trace = [i64; 7];

fn trace(found: &Metadata) -> Trace {
    [
        found.dev() as i64,
        found.ino() as i64,
        found.len() as i64,
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
    ]
}

/// Returns the instant of the last change of any kind of either file.
fn changed_at(traces: [&Trace; 2]) -> (i64, i64) {
    let [one, other] = traces.map(|trace| (trace[5], trace[6]));
    one.max(other)
}

fn trace_of(path: &Path) -> io::Result<Trace> {
    fs::symlink_metadata(path).map(|found| trace(&found))
}

fn content(state: &Trace, view: &Trace) -> Vec<u8> {
    let numbers = state.iter().chain(view).flat_map(|number| number.to_le_bytes());
    MAGIC.iter().copied().chain(numbers).collect()
}

/// A copy that was the store's a moment ago, if it is still the one that has its name.
#[derive(Debug)]
pub(super) struct Stamped {
    view: PathBuf,
    trace: Trace,
}

impl Stamped {
    /// Returns whether the copy still has its name: then it was this one that was opened in between.
    pub(super) fn is_still(&self) -> bool {
        trace_of(&self.view).is_ok_and(|now| now == self.trace)
    }
}

/// Returns the readers' copy in a directory where a stamp says that it is of the store as it is.
pub(super) fn stamped_copy(dir: &Path) -> Option<Stamped> {
    let view = dir.join(files::VIEW);
    let (of_state, of_view) = (trace_of(&dir.join(files::STATE)).ok()?, trace_of(&view).ok()?);
    let expected = content(&of_state, &of_view);
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(dir.join(FILE)).ok()?;
    let found = file.metadata().ok()?;
    let is_later = (found.mtime(), found.mtime_nsec()) > changed_at([&of_state, &of_view]);
    if !found.is_file() || found.len() != expected.len() as u64 || !is_later {
        return None;
    }
    let mut bytes = vec![0; expected.len()];
    file.read_exact(&mut bytes).ok()?;
    (bytes == expected).then_some(Stamped { view, trace: of_view })
}

/// Writes the stamp when it is dropped, if the copy is current then. It stands in the store behind the database, which is
/// closed by then, and before the lock.
#[derive(Debug)]
pub(super) struct Stamping {
    dir: PathBuf,
    was_current: bool,
    is_current: AtomicBool,
}

impl Stamping {
    /// Takes away the stamp of a directory before its store is opened.
    pub(super) fn begin(dir: &Path) -> Self {
        let was_current = stamped_copy(dir).is_some();
        // Where it cannot be, it does not hold any more as soon as something is changed.
        let _ = fs::remove_file(dir.join(FILE));
        Self { dir: dir.to_owned(), was_current, is_current: AtomicBool::new(false) }
    }

    /// Returns whether a stamp said that the copy was the store's when it was begun.
    pub(super) fn was_current(&self) -> bool {
        self.was_current
    }

    /// Notes whether the copy has what the store has.
    pub(super) fn note(&self, is_current: bool) {
        self.is_current.store(is_current, Ordering::Release);
    }

    fn write(&self) -> io::Result<()> {
        let state = trace_of(&self.dir.join(files::STATE))?;
        let view = trace_of(&self.dir.join(files::VIEW))?;
        let bytes = content(&state, &view);
        let (path, new) = (self.dir.join(FILE), self.dir.join(files::STAMP_NEW));
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let _ = files::hand_over(&new);
        file.write_all(&bytes)?;
        match is_in_a_later_tick(&mut file, &bytes, changed_at([&state, &view]))? {
            true => fs::rename(&new, &path),
            false => fs::remove_file(&new),
        }
    }
}

/// Waits until the file system's clock has gone on since the files were changed, so that the next change has another time.
fn is_in_a_later_tick(file: &mut File, bytes: &[u8], changed_at: (i64, i64)) -> io::Result<bool> {
    for _ in 0..TICKS_MAX {
        let found = file.metadata()?;
        if (found.mtime(), found.mtime_nsec()) > changed_at {
            return Ok(true);
        }
        std::thread::sleep(TICK_WAIT);
        file.rewind()?;
        file.write_all(bytes)?;
    }
    Ok(false)
}

impl Drop for Stamping {
    fn drop(&mut self) {
        if self.is_current.load(Ordering::Acquire)
            && let Err(error) = self.write()
        {
            tracing::debug!(%error, "readers will glance at the store itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory as a closed store leaves it.
    fn stamped_dir() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join(files::STATE), "the store").expect("written");
        fs::write(dir.path().join(files::VIEW), "its copy").expect("written");
        let stamping = Stamping::begin(dir.path());
        stamping.note(true);
        drop(stamping);
        assert!(stamped_copy(dir.path()).is_some_and(|stamped| stamped.is_still()));
        dir
    }

    #[test]
    fn whatever_is_done_to_the_files_voids_the_stamp() {
        type Harm = fn(&Path) -> io::Result<()>;
        let overwrite: Harm = |path| {
            // At once, with the same bytes, and the time of modification that it had.
            let (bytes, modified) = (fs::read(path)?, fs::metadata(path)?.modified()?);
            fs::write(path, bytes)?;
            File::options().write(true).open(path)?.set_modified(modified)
        };
        let replace: Harm = |path| {
            let beside = path.with_extension("beside");
            fs::copy(path, &beside)?;
            fs::rename(&beside, path)
        };
        let harms: [Harm; 6] = [
            overwrite,
            replace,
            |path| fs::remove_file(path),
            |path| File::options().append(true).open(path)?.write_all(b"x"),
            |path| File::options().write(true).open(path)?.set_modified(std::time::SystemTime::UNIX_EPOCH),
            |path| fs::hard_link(path, path.with_extension("second")),
        ];
        for name in [files::STATE, files::VIEW] {
            for (number, harm) in harms.iter().enumerate() {
                let dir = stamped_dir();
                let before = stamped_copy(dir.path()).expect("it holds");
                harm(&dir.path().join(name)).expect("done");
                assert!(stamped_copy(dir.path()).is_none(), "{name}, harm {number}");
                assert_eq!(before.is_still(), name == files::STATE, "{name}, harm {number}");
            }
        }
    }

    #[test]
    fn a_stamp_that_is_cut_older_or_of_nobody_does_not_hold() {
        let dir = stamped_dir();
        let path = dir.path().join(FILE);
        let whole = fs::read(&path).expect("there");
        let later = fs::metadata(&path).and_then(|found| found.modified()).expect("a time");
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &flipped).expect("written");
            assert!(stamped_copy(dir.path()).is_none(), "bit {bit}");
        }
        for bytes in [&whole[..whole.len() - 1], &[], &[&whole[..], b"x"].concat()] {
            fs::write(&path, bytes).expect("written");
            assert!(stamped_copy(dir.path()).is_none());
        }
        fs::write(&path, &whole).expect("written");
        assert!(stamped_copy(dir.path()).is_some());
        // Written in the tick of the store's last change, it says nothing of what came later in that tick.
        let state = fs::metadata(dir.path().join(files::STATE)).expect("there");
        let since = later.duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let view = fs::metadata(dir.path().join(files::VIEW)).expect("there");
        let tick = |found: &Metadata| Duration::new(found.ctime() as u64, found.ctime_nsec() as u32);
        let tick = tick(&state).max(tick(&view));
        assert!(since > tick);
        let file = File::options().write(true).open(&path).expect("open");
        file.set_modified(std::time::UNIX_EPOCH + tick).expect("set");
        assert!(stamped_copy(dir.path()).is_none());
        // Who opens the store takes it away.
        let stamping = Stamping::begin(dir.path());
        assert!(!path.exists());
        drop(stamping);
        assert!(!path.exists(), "the copy is not known to be current");
    }
}

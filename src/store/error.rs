//! What can go wrong with the store.

use std::io;
use std::path::{Path, PathBuf};

use super::edition::{Edition, Standing};
use super::envelope::RowError;
use super::file_names::VIEW;

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the store.
    #[error("the store {} is in use{}{}", path.display(), by(pid), since(age_ms))]
    Busy {
        /// The file that is held.
        path: PathBuf,
        /// The process that holds it, if it said so.
        pid: Option<u32>,
        /// How long it has been holding it in milliseconds, if it said so.
        age_ms: Option<i64>,
    },
    /// A program that only looks holds the store: it does so for a moment only, unless it was stopped.
    #[error("{} is held by a program that only looks at the store", path.display())]
    Watched {
        /// The file that is held.
        path: PathBuf,
    },
    /// A signal came while the store was waited for.
    #[error("stopped on request while the store was in use")]
    Stopped,
    /// There is nothing to read yet.
    #[error("no store at {}", path.display())]
    NoStore {
        /// The file that would be read.
        path: PathBuf,
    },
    /// The authoritative file is gone while others of its store are there. No new one was begun.
    #[error("{} is missing, but {} of a store {} there", path.display(), beside.join(", "), are(beside))]
    Lost {
        /// The file that is missing.
        path: PathBuf,
        /// What is left.
        beside: Vec<String>,
    },
    /// The store has no copy for readers.
    #[error("{} is missing: the store has not been published", path.display())]
    Unpublished {
        /// The copy.
        path: PathBuf,
    },
    /// The copy for readers is not what the store holds.
    #[error("{} {}", path.display(), apart_text(**shown, **stored, *standing))]
    Apart {
        /// The copy.
        path: PathBuf,
        /// What it is of.
        shown: Box<Edition>,
        /// What the store is at.
        stored: Box<Edition>,
        /// How the copy stands to the store.
        standing: Standing,
    },
    /// A file is damaged or foreign. It was left as it is.
    #[error("{} is damaged or not a store: {reason}", path.display())]
    NeedsRepair {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A row is damaged, or lies where it does not belong.
    #[error("{}: row {key:?} of table {table}: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The table.
        table: &'static str,
        /// The key of the row.
        key: String,
        /// What was found.
        source: RowError,
    },
    /// The file was written by a newer program.
    #[error("{} was written by a newer program: {what} {found}, at most {supported} is known", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// What is newer.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The newest version known here.
        supported: u32,
    },
    /// A record that must not be stored.
    #[error("cannot store row {key:?} of table {table}: {source}")]
    Unstorable {
        /// The table.
        table: &'static str,
        /// The key of the row.
        key: String,
        /// What is wrong with it.
        source: RowError,
    },
    /// A profile or scope that cannot be a key.
    #[error("expected {expected}, found {found:?}")]
    Name {
        /// What was expected.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A path that is refused for safety.
    #[error("{} is {found}", path.display())]
    Refused {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// Too little free space to write safely; nothing was written.
    #[error("the disk is almost full: {} MiB free in {}, {} MiB needed", free >> 20, path.display(), needed >> 20)]
    DiskFull {
        /// The directory.
        path: PathBuf,
        /// Free bytes.
        free: u64,
        /// Bytes that have to be free.
        needed: u64,
    },
    /// The disk, a quota or a limit on the size of files is exhausted. The store must be opened again before it is used.
    #[error("the disk is full, or a limit on files is reached: {operation} {}: {source}", path.display())]
    NoSpace {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused an operation. The store must be opened again before it is used.
    #[error("{operation} {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// An earlier failure has made this handle unusable.
    #[error("{} is closed after an earlier error", path.display())]
    Poisoned {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Busy { .. } => "wait for the other run to end (`--lock-wait 10m`), or stop it",
            Self::Watched { .. } => {
                "a `doctor` or `inspect` that is suspended holds it: let it go on (`fg`, `kill -CONT`) or end it"
            }
            Self::Stopped => "run the same command again; what was stored before is untouched",
            Self::NoStore { .. } => {
                "run `optimizer incremental` first, or point `--store` at an existing store"
            }
            Self::Lost { .. } => {
                "`optimizer restore` lists the backups, `optimizer restore NUMBER` puts one in its place; `optimizer restore \
                 --empty` begins anew"
            }
            Self::Unpublished { .. } => "`optimizer doctor --repair` publishes it, as the next run does",
            Self::Apart { standing: Standing::Ahead | Standing::Parted, .. } => {
                "an older store was put back: `optimizer restore NUMBER` puts a newer one in its place (`optimizer restore` \
                 lists them); `optimizer doctor --repair` goes on from the older one and keeps the copy aside"
            }
            Self::Apart { .. } => {
                "`optimizer doctor --repair` publishes the store's own, as the next run does"
            }
            Self::NeedsRepair { path, .. } | Self::Damaged { path, .. } if path.ends_with(VIEW) => {
                "it is only a copy; run `optimizer incremental` and it is published again"
            }
            Self::NeedsRepair { path, .. } | Self::Damaged { path, .. } | Self::TooNew { path, .. }
                if path.extension().is_some_and(|extension| extension == "gz") =>
            {
                "nothing was changed; `optimizer restore` lists the backups and which of them are whole"
            }
            Self::NeedsRepair { .. } | Self::Damaged { .. } => {
                "nothing was changed; `optimizer restore` lists the backups, `optimizer restore NUMBER` puts one in its \
                 place and keeps the damaged file; `optimizer restore --empty` begins anew and keeps it too"
            }
            Self::TooNew { .. } => "use the newer program, or another `--store` directory",
            Self::Refused { .. } => "point `--store` at a plain directory of its own",
            Self::DiskFull { .. } => "free disk space and run again; nothing was written",
            Self::NoSpace { .. } => "free disk space and run again; what was stored before is safe",
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "a run made as root may have left it: `sudo chown -R $(id -un) DIRECTORY` gives the store to who runs daily"
            }
            Self::Io { .. } | Self::Poisoned { .. } => "check the disk and the permissions, then run again",
            Self::Unstorable { .. } | Self::Name { .. } => return None,
        })
    }

    /// Returns whether the store's files have to be looked at by a person (damaged, foreign or newer).
    pub fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::NeedsRepair { .. }
                | Self::Damaged { .. }
                | Self::TooNew { .. }
                | Self::Refused { .. }
                | Self::Lost { .. }
                | Self::Unpublished { .. }
                | Self::Apart { .. }
        )
    }

    /// Returns whether the file is there and may not be used: rights, a read-only disk, somebody who has it open.
    pub fn is_denied(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Io { source, .. } => matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem),
            Self::Busy { .. } | Self::Watched { .. } => true,
            _ => false,
        }
    }

    /// Wraps an error of the operating system.
    pub(super) fn io(path: &Path, operation: &'static str, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::NoSpace { path, operation, source }
            }
            _ => Self::Io { path, operation, source },
        }
    }

    /// Wraps what was found in a row that was read.
    pub(super) fn row(path: &Path, table: &'static str, key: &str, source: RowError) -> Self {
        match source {
            RowError::Newer { found, supported } => {
                let what = "row version";
                Self::TooNew { path: path.to_owned(), what, found: found.into(), supported: supported.into() }
            }
            source => Self::Damaged { path: path.to_owned(), table, key: key.to_owned(), source },
        }
    }

    /// Wraps an error of the database engine.
    pub(super) fn engine(path: &Path, operation: &'static str, error: impl Into<redb::Error>) -> Self {
        let path = path.to_owned();
        match error.into() {
            redb::Error::Io(source) => match source.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    Self::NeedsRepair { path, reason: source.to_string() }
                }
                _ => Self::io(&path, operation, source),
            },
            redb::Error::DatabaseAlreadyOpen => Self::Busy { path, pid: None, age_ms: None },
            redb::Error::PreviousIo | redb::Error::DatabaseClosed => Self::Poisoned { path },
            other => Self::NeedsRepair { path, reason: other.to_string() },
        }
    }
}

fn are(beside: &[String]) -> &'static str {
    if beside.len() == 1 && !beside[0].ends_with("backups") { "is" } else { "are" }
}

/// Says what a copy is instead of that of the store.
fn apart_text(shown: Edition, stored: Edition, standing: Standing) -> String {
    let (shown, stored) = (shown.generation, stored.generation);
    match standing {
        Standing::Foreign => "is the copy of another store than the one beside it".to_owned(),
        Standing::Behind => {
            format!("is an older copy that was put back: of commit {shown}, the store is at {stored}")
        }
        Standing::Ahead => format!("is newer than the store: of commit {shown}, the store is at {stored}"),
        Standing::Parted => format!("is not of the store's history: both are at commit {stored} and differ"),
        Standing::Same => format!("is as the store is, at commit {stored}"),
    }
}

fn by(pid: &Option<u32>) -> String {
    pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
}

fn since(age_ms: &Option<i64>) -> String {
    age_ms.map(|age_ms| format!(" for {} s", age_ms / 1000)).unwrap_or_default()
}

//! Whether the files that were handed to the bot say what is active.

use std::io::ErrorKind;
use std::path::Path;

use crate::bot::{bot_file, find_differences};
use crate::ingest::{LEGACY_FILE_BYTES_MAX, parse_legacy_config, read_whole};
use crate::model::rfc3339;
use crate::store::Snapshot;
use crate::store::bot_file::{FileOrigin, read_marks};

/// What a file says, compared with what is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BotFileState {
    /// The same.
    InSync,
    /// Something else.
    Differs,
    /// It is not there.
    Missing,
    /// It cannot be read, or nothing is active that it could say.
    Unknown,
}

impl BotFileState {
    /// Returns the word used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Differs => "differs",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// A file that a profile exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// As it was named.
    pub file: String,
    /// When it was written last; UTC ms.
    pub at_ms: i64,
    /// What it says now.
    pub state: BotFileState,
}

/// Compares every file that a profile exported with its active parameters; a file that was named by a path without its beginning is
/// looked for from the present folder, and where it is not there nothing is known of it.
pub fn exported_files(dir: &Path, snapshot: &Snapshot<'_>, profile: &str, now_ms: i64) -> Vec<ExportedFile> {
    let marks = read_marks(dir, profile).into_iter().filter(|mark| mark.origin == FileOrigin::Export);
    let look = |mark: crate::store::bot_file::Mark| ExportedFile {
        state: state_of(Path::new(&mark.file), snapshot, profile, now_ms),
        at_ms: mark.at_ms,
        file: mark.file,
    };
    marks.map(look).collect()
}

fn state_of(path: &Path, snapshot: &Snapshot<'_>, profile: &str, now_ms: i64) -> BotFileState {
    let bytes = match read_whole(path, LEGACY_FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_absolute() => {
            return BotFileState::Missing;
        }
        Err(_) => return BotFileState::Unknown,
    };
    let stamp = rfc3339(now_ms).replace('T', " ").replace('Z', "");
    let (Ok(found), Ok(wanted)) = (parse_legacy_config(&bytes, path), bot_file(snapshot, profile, &stamp))
    else {
        return BotFileState::Unknown;
    };
    match find_differences(&found, &wanted).iter().any(|difference| difference.is_due) {
        true => BotFileState::Differs,
        false => BotFileState::InSync,
    }
}

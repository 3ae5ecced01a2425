//! Why a file of trials gives none, with the place and what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::ingest::RowPlace;
use crate::ingest::rejection::Rejection;

/// Why a file of trials cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialsError {
    /// The file is not there or refuses to be read.
    #[error("cannot read the trials in `{}`; check the path and that this user may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system, or the unpacking, said.
        source: io::Error,
    },
    /// The file is something else.
    #[error("`{}`: expected {expected}, found {found}; {advice}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// A row, an epoch or the header holds something else.
    #[error("`{}` {at}: expected {expected}, found {found}; {advice}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Where.
        at: RowPlace,
        /// What it must hold.
        expected: String,
        /// What it holds.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// A table that cannot be decoded.
    #[error("the trials in `{}`", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Rejection,
    },
}

/// What is wrong with a row, before it is said where.
#[derive(Debug)]
pub(super) struct TrialRowFault {
    pub(super) expected: String,
    pub(super) found: String,
    pub(super) advice: &'static str,
}

impl TrialRowFault {
    pub(super) fn new(expected: impl Into<String>, found: impl Into<String>, advice: &'static str) -> Self {
        Self { expected: expected.into(), found: found.into(), advice }
    }

    pub(super) fn at(self, path: &Path, at: RowPlace) -> TrialsError {
        let Self { expected, found, advice } = self;
        TrialsError::Row { path: path.to_owned(), at, expected, found, advice }
    }
}

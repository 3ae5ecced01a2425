//! Where bytes come from: plain files, gzip, members of zip archives; all decoded as a stream with caps.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::checksum::{self, Digest};
use super::error::IngestError;
use super::format::Format;
use super::lines::StreamError;
use super::rejection::Rejection;
use crate::model::Interval;

/// The most decoded bytes of one file or member.
pub const DECODED_BYTES_MAX: u64 = 2 << 30;
/// The most decoded bytes per compressed byte, beyond [`RATIO_FREE_BYTES`]: candles compress about fivefold.
pub const RATIO_MAX: u64 = 200;
/// So many decoded bytes are allowed whatever the ratio.
pub const RATIO_FREE_BYTES: u64 = 1 << 20;
/// The most members of an archive.
pub const MEMBERS_MAX: usize = 10_000;

/// A snapshot file is about so much larger than the candles of one coin in it as text.
const SNAPSHOT_BYTES_PER_TEXT: u64 = 16;

/// How a source is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Plain,
    Gzip,
    /// A member of a zip archive, by index.
    Zip(usize),
}

/// A file, or a member of an archive, whose name says that it holds candles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// The member, if the file is an archive.
    pub entry: Option<String>,
    /// The interval in the name, if there is one; not verified yet.
    pub interval: Option<Interval>,
    /// Size as stored, in bytes.
    pub bytes: u64,
    pub(super) container: Container,
    /// The format of the bytes, by content where they are stored plainly; the reader goes by content in any case.
    pub(super) format: Format,
    /// The SHA-256 that stands beside the file.
    pub(super) checksum: Option<Digest>,
    /// Bytes of a plain file that are left out; see [`super::growth()`].
    pub(super) left_out: Range<u64>,
}

impl Source {
    /// Returns about how many bytes it decodes to: candles as text compress fivefold.
    pub fn decoded_bytes(&self) -> u64 {
        let unpacked = match self.container {
            Container::Plain => self.bytes,
            _ => self.bytes.saturating_mul(5),
        };
        match self.format.text_per_byte() {
            0 => unpacked / SNAPSHOT_BYTES_PER_TEXT,
            factor => unpacked.saturating_mul(factor),
        }
    }

    /// Returns the SHA-256 that the file must have, if one stands beside it.
    pub fn checksum(&self) -> Option<[u8; 32]> {
        self.checksum
    }
}

/// Returns what something is that is no regular file, for messages: opening it may wait for ever.
pub(super) fn not_regular(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_fifo() => Some("a named pipe"),
        () if kind.is_socket() => Some("a socket"),
        () => Some("a device"),
    }
}

/// An archive that is open.
pub(super) type Archive = ZipArchive<BufReader<File>>;

/// Opens sources; the archive opened last stays open for its next member.
#[derive(Default)]
pub(super) struct Opener {
    archive: Option<(PathBuf, Archive)>,
    /// The file verified last, and what came of it: an archive is verified once for all its members.
    verified: Option<(PathBuf, Result<(), Rejection>)>,
}

impl Opener {
    /// Hands the decoded bytes of a source, and how many there may be, to a function.
    ///
    /// Errors: `IngestError::Read` where the disk fails; damage and excess are a rejection.
    pub(super) fn read<T>(
        &mut self,
        source: &Source,
        consume: impl FnOnce(&mut dyn Read, u64) -> Result<T, StreamError>,
    ) -> Result<Result<T, Rejection>, IngestError> {
        if let Err(rejection) = self.verify(source)? {
            return Ok(Err(rejection));
        }
        let limit = bytes_max(source.bytes);
        let consumed = match source.container {
            Container::Plain if source.left_out.is_empty() => {
                consume(&mut open(&source.path)?, DECODED_BYTES_MAX)
            }
            Container::Plain => consume(&mut excerpt(source)?, DECODED_BYTES_MAX),
            Container::Gzip => consume(&mut MultiGzDecoder::new(BufReader::new(open(&source.path)?)), limit),
            Container::Zip(index) => {
                let archive = match self.archive(&source.path)? {
                    Ok(archive) => archive,
                    Err(rejection) => return Ok(Err(rejection)),
                };
                let mut member = match archive.by_index(index) {
                    Ok(member) => member,
                    Err(error) => return zip_error(&source.path, error).map(Err),
                };
                let limit = bytes_max(member.compressed_size());
                consume(&mut member, limit)
            }
        };
        consumed.map(Ok).or_else(|error| stream_error(source, error).map(Err))
    }

    /// Compares a file with the checksum beside it.
    fn verify(&mut self, source: &Source) -> Result<Result<(), Rejection>, IngestError> {
        let Some(expected) = &source.checksum else { return Ok(Ok(())) };
        if let Some((_, verified)) = self.verified.as_ref().filter(|(path, _)| *path == source.path) {
            return Ok(verified.clone());
        }
        let verified = checksum::verify(&source.path, expected)?;
        self.verified = Some((source.path.clone(), verified.clone()));
        Ok(verified)
    }

    fn archive(&mut self, path: &Path) -> Result<Result<&mut Archive, Rejection>, IngestError> {
        let kept = self.archive.take().filter(|(open, _)| open == path).map(|(_, archive)| archive);
        let archive = match kept.map_or_else(|| open_archive(path), |archive| Ok(Ok(archive)))? {
            Ok(archive) => archive,
            Err(rejection) => return Ok(Err(rejection)),
        };
        Ok(Ok(&mut self.archive.insert((path.to_owned(), archive)).1))
    }
}

/// Returns how many bytes a stream of so many compressed bytes may decode to.
pub(super) fn bytes_max(compressed: u64) -> u64 {
    compressed.saturating_mul(RATIO_MAX).saturating_add(RATIO_FREE_BYTES).min(DECODED_BYTES_MAX)
}

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<File, IngestError> {
    File::open(path).map_err(|source| IngestError::Read { path: path.to_owned(), source })
}

/// Opens a plain file without what is left out of it.
fn excerpt(source: &Source) -> Result<impl Read + use<>, IngestError> {
    let mut rest = open(&source.path)?;
    let sought = rest.seek(SeekFrom::Start(source.left_out.end));
    sought.map_err(|error| IngestError::Read { path: source.path.clone(), source: error })?;
    Ok(open(&source.path)?.take(source.left_out.start).chain(rest))
}

/// Opens an archive; damage is a rejection.
pub(super) fn open_archive(path: &Path) -> Result<Result<Archive, Rejection>, IngestError> {
    match ZipArchive::new(BufReader::new(open(path)?)) {
        Ok(archive) if archive.len() > MEMBERS_MAX => {
            Ok(Err(Rejection::TooLarge { limit: MEMBERS_MAX as u64, unit: "members" }))
        }
        Ok(archive) => Ok(Ok(archive)),
        Err(error) => zip_error(path, error).map(Err),
    }
}

fn zip_error(path: &Path, error: zip::result::ZipError) -> Result<Rejection, IngestError> {
    match error {
        zip::result::ZipError::Io(source) if is_of_disk(&source) => {
            Err(IngestError::Read { path: path.to_owned(), source })
        }
        other => Ok(Rejection::Damaged { detail: other.to_string() }),
    }
}

fn stream_error(source: &Source, error: StreamError) -> Result<Rejection, IngestError> {
    match error {
        StreamError::TooLarge if source.container == Container::Plain => {
            Ok(Rejection::TooLarge { limit: DECODED_BYTES_MAX, unit: "bytes" })
        }
        StreamError::TooLarge => {
            Ok(Rejection::TooLarge { limit: bytes_max(source.bytes), unit: "decoded bytes" })
        }
        StreamError::Io(error) if source.container == Container::Plain || is_of_disk(&error) => {
            Err(IngestError::Read { path: source.path.clone(), source: error })
        }
        StreamError::Io(error) => Ok(Rejection::Damaged { detail: error.to_string() }),
    }
}

/// Decoders make their errors themselves; those of the operating system carry its number.
fn is_of_disk(error: &io::Error) -> bool {
    error.raw_os_error().is_some()
}

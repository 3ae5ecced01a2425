//! Where bytes come from: plain files, gzip, members of zip archives; all decoded as a stream with caps.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use zip::{CompressionMethod, ZipArchive};

use super::checksum::Claimed;
use super::collector::RowSelection;
use super::error::IngestError;
use super::format::FileFormat;
use super::limits::DECODED_BYTES_MAX;
use super::lines::StreamError;
use super::name::MarketClaim;
use super::opening::open_source;
use super::rejection::Rejection;
use crate::model::{Interval, Symbol};

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
    /// A member of a zip archive.
    Zip(Member),
}

/// Where a member of an archive lies: what the list of its members says, so that none is searched for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// Where its packed bytes begin in the file.
    start: u64,
    /// How many they are.
    packed_bytes: u64,
    packed: bool,
    /// CRC-32 of the unpacked bytes.
    sum: u32,
}

impl Member {
    /// Returns the place of a member.
    pub(super) fn of<R: Read + ?Sized>(member: &zip::read::ZipFile<'_, R>) -> Result<Self, Rejection> {
        let damaged = |detail: &str| Rejection::Damaged { detail: detail.to_owned() };
        if member.encrypted() {
            return Err(damaged("the member is encrypted"));
        }
        let packed = match member.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            _ => {
                let (format, advice) = ("a member that is not packed by deflate", "pack it again as `.zip`");
                return Err(Rejection::unsupported(format, advice));
            }
        };
        let start = member.data_start().ok_or_else(|| damaged("the member begins nowhere"))?;
        Ok(Self { start, packed_bytes: member.compressed_size(), packed, sum: member.crc32() })
    }

    /// Returns the decoded bytes.
    fn open(self, path: &Path) -> Result<Box<dyn Read>, IngestError> {
        let mut file = open_source(path)?;
        let sought = file.seek(SeekFrom::Start(self.start));
        sought.map_err(|source| IngestError::Read { path: path.to_owned(), source })?;
        let bytes = BufReader::new(file.take(self.packed_bytes));
        let unpacked: Box<dyn Read> =
            if self.packed { Box::new(DeflateDecoder::new(bytes)) } else { Box::new(bytes) };
        Ok(Box::new(Summed { bytes: unpacked, expected: self.sum, hasher: crc32fast::Hasher::new() }))
    }
}

/// Bytes that must have a checksum when they end.
struct Summed<R> {
    bytes: R,
    expected: u32,
    hasher: crc32fast::Hasher,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.hasher.clone().finalize() != self.expected {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the checksum of the member does not fit",
            ));
        }
        Ok(count)
    }
}

/// A file, or a member of an archive, whose name says that it holds candles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandleSource {
    /// The file.
    pub path: PathBuf,
    /// The member, if the file is an archive.
    pub entry: Option<String>,
    /// The interval in the name, if there is one; not verified yet.
    pub interval: Option<Interval>,
    /// The market that the name or a folder says.
    pub(super) market: MarketClaim,
    /// Size as stored, in bytes.
    pub bytes: u64,
    pub(super) container: Container,
    /// The format of the bytes, by content where they are stored plainly; the reader goes by content in any case.
    pub(super) format: FileFormat,
    /// Which of its rows are taken.
    pub(super) rows: RowSelection,
    /// How many symbols it holds rows of, as far as that is known.
    pub(super) symbols: u64,
    /// The SHA-256 that stands beside the file.
    pub(super) checksum: Option<Claimed>,
    /// Bytes of a plain file that are left out; see [`super::growth()`].
    pub(super) left_out: Range<u64>,
}

impl CandleSource {
    /// Says that there was no more room at this source.
    pub(super) fn too_many(&self, symbol: &Symbol, room_bytes: Option<u64>) -> IngestError {
        let (path, entry) = (self.path.clone(), self.entry.clone());
        IngestError::TooMany { symbol: Box::new(symbol.clone()), path, entry, room_bytes }
    }

    /// Returns about how many bytes it decodes to: candles as text compress fivefold.
    pub fn decoded_bytes(&self) -> u64 {
        let unpacked = match self.container {
            Container::Plain => self.bytes,
            _ => self.bytes.saturating_mul(5),
        };
        match self.format.text_per_byte() {
            0 => unpacked / SNAPSHOT_BYTES_PER_TEXT,
            factor => unpacked.saturating_mul(factor) / self.symbols.max(1),
        }
    }

    /// Returns whether this is an excerpt of a file that begins with rows.
    pub fn has_no_header(&self) -> bool {
        !self.left_out.is_empty() && self.left_out.start == 0
    }

    /// Returns the SHA-256 that the file must have, if one stands beside it.
    pub fn checksum(&self) -> Option<[u8; 32]> {
        self.checksum.as_ref().map(|claimed| claimed.digest)
    }
}

/// An archive that is open.
pub(super) type Archive = ZipArchive<BufReader<File>>;

/// Hands the decoded bytes of a source, and how many there may be, to a function.
///
/// Errors: `IngestError::Read` where the disk fails; damage and excess are a rejection.
pub(super) fn read_decoded<T>(
    source: &CandleSource,
    consume: impl FnOnce(&mut dyn Read, u64) -> Result<T, StreamError>,
) -> Result<Result<T, Rejection>, IngestError> {
    if let Some(claimed) = &source.checksum
        && let Err(rejection) = claimed.verify(&source.path)?
    {
        return Ok(Err(rejection));
    }
    let limit = bytes_max(source.bytes);
    let consumed = match source.container {
        Container::Plain if source.left_out.is_empty() => {
            consume(&mut open_source(&source.path)?, DECODED_BYTES_MAX)
        }
        Container::Plain => consume(&mut excerpt(source)?, DECODED_BYTES_MAX),
        Container::Gzip => {
            consume(&mut MultiGzDecoder::new(BufReader::new(open_source(&source.path)?)), limit)
        }
        Container::Zip(member) => consume(&mut member.open(&source.path)?, limit),
    };
    consumed.map(Ok).or_else(|error| stream_error(source, error).map(Err))
}

/// Returns how many bytes a stream of so many compressed bytes may decode to.
pub(super) fn bytes_max(compressed: u64) -> u64 {
    compressed.saturating_mul(RATIO_MAX).saturating_add(RATIO_FREE_BYTES).min(DECODED_BYTES_MAX)
}

/// Opens a plain file without what is left out of it.
fn excerpt(source: &CandleSource) -> Result<impl Read + use<>, IngestError> {
    let mut rest = open_source(&source.path)?;
    let sought = rest.seek(SeekFrom::Start(source.left_out.end));
    sought.map_err(|error| IngestError::Read { path: source.path.clone(), source: error })?;
    Ok(open_source(&source.path)?.take(source.left_out.start).chain(rest))
}

/// Opens an archive; damage is a rejection.
pub(super) fn open_archive(path: &Path) -> Result<Result<Archive, Rejection>, IngestError> {
    match ZipArchive::new(BufReader::new(open_source(path)?)) {
        Ok(archive) if archive.len() > MEMBERS_MAX => {
            Ok(Err(Rejection::TooLarge { limit: MEMBERS_MAX as u64, unit: "members".into() }))
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

fn stream_error(source: &CandleSource, error: StreamError) -> Result<Rejection, IngestError> {
    match error {
        StreamError::TooLarge if source.container == Container::Plain => {
            Ok(Rejection::TooLarge { limit: DECODED_BYTES_MAX, unit: "bytes".into() })
        }
        StreamError::TooLarge => {
            Ok(Rejection::TooLarge { limit: bytes_max(source.bytes), unit: "decoded bytes".into() })
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

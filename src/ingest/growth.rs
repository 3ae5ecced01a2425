//! Files that only grew: the same bytes as before, and more behind them.
//!
//! A bot appends a candle a quarter of an hour to one file. Reading years of candles to take in a day would be waste;
//! trusting the file's size would be a guess. So the known part is hashed (an order of magnitude quicker than reading
//! candles), and only its end and what is new are read.

use std::io::Read;

use super::error::IngestError;
use super::opening::open_source;
use super::source::{CandleSource, Container};

/// A file whose known part is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGrowth {
    /// The source without the middle of its known part: header, the end of what was known, what is new.
    pub excerpt: CandleSource,
    /// BLAKE3 of the whole file in hex.
    pub hash: String,
}

const CHUNK_BYTES: usize = 256 << 10;

/// Returns what to read of a plain file that begins with `known_bytes` bytes of a known hash and goes on behind them.
///
/// `end_bytes` is how much of the known part is to be read again. Returns `None` where the file is not that: then it
/// has to be read whole.
///
/// Errors: `IngestError::Read` where the disk fails
pub fn growth(
    source: &CandleSource,
    known_bytes: u64,
    known_hash: &str,
    end_bytes: u64,
) -> Result<Option<FileGrowth>, IngestError> {
    let may_grow = source.container == Container::Plain && source.format.grows_at_its_end();
    // The digest of a whole file says nothing of its parts.
    if !may_grow || source.checksum.is_some() || source.bytes <= known_bytes || known_bytes <= end_bytes {
        return Ok(None);
    }
    let mut scan = GrowthScan::new(known_bytes, known_bytes - end_bytes);
    let mut file = open_source(&source.path)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        // Never across the border of the known part, so that its hash can be taken there.
        let room = scan.to_border().map_or(CHUNK_BYTES, |left| CHUNK_BYTES.min(left));
        let read = file.read(&mut chunk[..room]);
        let read = read.map_err(|error| IngestError::Read { path: source.path.clone(), source: error })?;
        if read == 0 {
            break;
        }
        scan.take_in(&chunk[..read]);
    }
    // Whether a last row without a newline is whole, all rows before it show.
    let sound = scan.known.as_deref() == Some(known_hash) && scan.known_ends_a_line && scan.ends_a_line;
    let (Some(header_end), Some(resume)) = (scan.header_end, scan.resume) else { return Ok(None) };
    if !sound || resume >= known_bytes {
        return Ok(None);
    }
    let excerpt = CandleSource { left_out: header_end..resume.max(header_end), ..source.clone() };
    Ok(Some(FileGrowth { excerpt, hash: scan.hasher.finalize().to_hex().to_string() }))
}

/// What is looked for while a file goes by.
struct GrowthScan {
    hasher: blake3::Hasher,
    at: u64,
    border: u64,
    resume_after: u64,
    /// Hash of the known part, once it has gone by.
    known: Option<String>,
    known_ends_a_line: bool,
    /// Whether a newline stands at the end of what has gone by.
    ends_a_line: bool,
    /// Where the first line ends if it is a header, 0 if it is data.
    header_end: Option<u64>,
    first_line_has_letters: bool,
    /// The first start of a line behind `resume_after`.
    resume: Option<u64>,
}

impl GrowthScan {
    fn new(border: u64, resume_after: u64) -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            at: 0,
            border,
            resume_after,
            known: None,
            known_ends_a_line: false,
            ends_a_line: false,
            header_end: None,
            first_line_has_letters: false,
            resume: None,
        }
    }

    fn to_border(&self) -> Option<usize> {
        usize::try_from(self.border.checked_sub(self.at)?).ok().filter(|left| *left > 0)
    }

    fn take_in(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        if self.header_end.is_none() {
            let line_end = memchr::memchr(b'\n', bytes);
            let line = &bytes[..line_end.unwrap_or(bytes.len())];
            self.first_line_has_letters |= line.iter().any(u8::is_ascii_alphabetic);
            let end = line_end.map(|end| self.at + end as u64 + 1);
            self.header_end = end.map(|end| if self.first_line_has_letters { end } else { 0 });
        }
        let end = self.at + bytes.len() as u64;
        if self.resume.is_none() && end > self.resume_after {
            let from = self.resume_after.saturating_sub(self.at) as usize;
            let newline = memchr::memchr(b'\n', &bytes[from..]);
            self.resume = newline.map(|newline| self.at + (from + newline) as u64 + 1);
        }
        self.at = end;
        self.ends_a_line = bytes.last() == Some(&b'\n');
        if self.at == self.border {
            self.known = Some(self.hasher.finalize().to_hex().to_string());
            self.known_ends_a_line = self.ends_a_line;
        }
    }
}

//! Lines from a stream of unknown length and honesty: bounded memory, every byte counted and hashed.

use std::io::{self, Read};

use super::limits::HEAD_BYTES;

/// The longest line that is looked at; longer ones are skipped and reported as bad rows.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Bytes asked of the stream at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// One line without its end.
#[derive(Debug, PartialEq)]
pub(super) enum RawLine<'a> {
    /// A line that a newline ends.
    Whole(&'a [u8]),
    /// The last line, where the stream ends without a newline.
    Unended(&'a [u8]),
    /// A line beyond [`LINE_BYTES_MAX`].
    TooLong,
}

/// Why a stream could not be read to its end.
#[derive(Debug)]
pub(super) enum StreamError {
    /// The reader failed.
    Io(io::Error),
    /// More bytes than allowed.
    TooLarge,
}

/// Hands out the lines of a stream one at a time.
pub(super) struct LineReader<R> {
    stream: R,
    bytes_max: u64,
    bytes: u64,
    hasher: blake3::Hasher,
    /// The byte that ends a line.
    end_byte: u8,
    buffer: Vec<u8>,
    /// What of the buffer is read but not handed out.
    start: usize,
    end: usize,
    /// Up to where `start..end` holds no newline.
    scanned: usize,
    ended: bool,
    line: u64,
}

impl<R: Read> LineReader<R> {
    /// Returns a reader that stops with an error beyond so many bytes.
    pub(super) fn new(stream: R, bytes_max: u64) -> Self {
        Self {
            stream,
            bytes_max,
            bytes: 0,
            hasher: blake3::Hasher::new(),
            end_byte: b'\n',
            buffer: vec![0; LINE_BYTES_MAX + CHUNK_BYTES],
            start: 0,
            end: 0,
            scanned: 0,
            ended: false,
            line: 0,
        }
    }

    /// Returns at least the first [`HEAD_BYTES`], or the whole stream, without handing them out.
    pub(super) fn peek(&mut self) -> Result<&[u8], StreamError> {
        while !self.ended && self.end - self.start < HEAD_BYTES {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Leaves out so many of the bytes peeked at.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
        self.scanned = self.start;
    }

    /// Returns what was read and not handed out, or more where that is nothing; empty at the end of the stream.
    pub(super) fn chunk(&mut self) -> Result<&[u8], StreamError> {
        while self.start == self.end && !self.ended {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes another byte than a newline for the end of a line.
    pub(super) fn end_at(&mut self, end_byte: u8) {
        self.end_byte = end_byte;
    }

    /// Returns the next line with its number from 1, or `None` at the end.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, RawLine<'_>)>, StreamError> {
        let mut too_long = false;
        loop {
            let found = memchr::memchr(self.end_byte, &self.buffer[self.scanned..self.end]);
            if let Some(offset) = found {
                let range = self.start..self.scanned + offset;
                self.skip(range.len() + 1);
                self.line += 1;
                let line = without_return(&self.buffer[range]);
                let fits = !too_long && line.len() <= LINE_BYTES_MAX;
                return Ok(Some((self.line, if fits { RawLine::Whole(line) } else { RawLine::TooLong })));
            }
            if self.ended {
                return Ok(self.unended(too_long));
            }
            self.scanned = self.end;
            if self.end - self.start > LINE_BYTES_MAX {
                too_long = true;
                self.skip(self.end - self.start);
            }
            self.fill()?;
        }
    }

    fn unended(&mut self, too_long: bool) -> Option<(u64, RawLine<'_>)> {
        let range = self.start..self.end;
        if range.is_empty() && !too_long {
            return None;
        }
        self.skip(range.len());
        self.line += 1;
        let fits = !too_long && range.len() <= LINE_BYTES_MAX;
        let line = &self.buffer[range];
        // A return is the beginning of a newline.
        let found = line.strip_suffix(b"\r").map_or(RawLine::Unended(line), RawLine::Whole);
        Some((self.line, if fits { found } else { RawLine::TooLong }))
    }

    /// Returns all that was not handed out, at most so many bytes of it.
    #[cfg(feature = "columnar")]
    pub(super) fn rest(&mut self, bytes_max: usize) -> Result<Vec<u8>, StreamError> {
        let mut rest = Vec::new();
        loop {
            rest.extend_from_slice(&self.buffer[self.start..self.end]);
            if rest.len() > bytes_max {
                return Err(StreamError::TooLarge);
            }
            self.skip(self.end - self.start);
            if self.ended {
                return Ok(rest);
            }
            self.fill()?;
        }
    }

    /// Reads to the end without handing anything out, so that all bytes are hashed.
    pub(super) fn drain(&mut self) -> Result<(), StreamError> {
        while !self.ended {
            self.skip(self.end - self.start);
            self.fill()?;
        }
        Ok(())
    }

    /// Returns the number of bytes read and their BLAKE3 in hex.
    pub(super) fn digest(&self) -> (u64, String) {
        (self.bytes, self.hasher.finalize().to_hex().to_string())
    }

    fn fill(&mut self) -> Result<(), StreamError> {
        if self.buffer.len() - self.end < CHUNK_BYTES / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.scanned -= self.start;
            self.end -= self.start;
            self.start = 0;
        }
        let count = loop {
            match self.stream.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(StreamError::Io)?,
            }
        };
        self.ended = count == 0;
        self.hasher.update(&self.buffer[self.end..self.end + count]);
        self.end += count;
        self.bytes += count as u64;
        if self.bytes > self.bytes_max { Err(StreamError::TooLarge) } else { Ok(()) }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A stream that gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// Returns all lines; a line that is too long as `None`.
    fn lines(bytes: &[u8], step: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = LineReader::new(Trickle(bytes, step), u64::MAX);
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next_line().expect("a slice does not fail") {
            assert_eq!(number, all.len() as u64 + 1);
            all.push(match line {
                RawLine::Whole(line) | RawLine::Unended(line) => Some(line.to_vec()),
                RawLine::TooLong => None,
            });
        }
        assert_eq!(lines.digest(), (bytes.len() as u64, blake3::hash(bytes).to_hex().to_string()));
        all
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_is_read() {
        for step in [7_000, LINE_BYTES_MAX, usize::MAX] {
            let long = "x".repeat(5 * LINE_BYTES_MAX);
            let text = format!("a\n{long}\nb\r\n{long}");
            assert_eq!(lines(text.as_bytes(), step), [Some(b"a".to_vec()), None, Some(b"b".to_vec()), None]);
            let fits = "y".repeat(LINE_BYTES_MAX);
            assert_eq!(lines(fits.as_bytes(), step), [Some(fits.clone().into_bytes())]);
        }
    }

    #[test]
    fn too_many_bytes_are_an_error() {
        let mut lines = LineReader::new(&b"one\ntwo\n"[..], 7);
        assert!(matches!(lines.next_line(), Err(StreamError::TooLarge)));
    }

    proptest! {
        #[test]
        fn lines_are_those_of_a_plain_split(text in "[a\r\n]{0,60}", step in 1_usize..5) {
            let mut expected: Vec<&[u8]> = text.as_bytes().split(|b| *b == b'\n').collect();
            if expected.last().is_some_and(|last| last.is_empty()) {
                expected.pop();
            }
            let expected: Vec<_> = expected.into_iter().map(|line| Some(without_return(line).to_vec())).collect();
            prop_assert_eq!(lines(text.as_bytes(), step), expected);
        }
    }
}

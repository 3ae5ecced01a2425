//! Makes bytes up: sound ones with changes that parsers trip over.

use crate::search::random::RandomStream;

/// Bytes at most; beyond the longest line that is read.
const BYTES_MAX: usize = 160 << 10;
/// Inputs that are gone on from at most.
const KEPT_MAX: usize = 400;
/// An input is kept up to this size, so that most stay quick.
const KEPT_BYTES_MAX: usize = 24 << 10;

/// Numbers at the edges of types and of what is allowed.
const NUMBERS: [&str; 24] = [
    "0",
    "-0",
    "1",
    "-1",
    "0.1",
    "1e308",
    "-1e308",
    "1e999",
    "1e-320",
    "NaN",
    "Infinity",
    "-Infinity",
    "255",
    "256",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e9999999999",
    "0x10",
];

/// What text must not be trusted with.
const TEXTS: [&str; 22] = [
    "\0",
    "\u{1b}[2J",
    "\r\n",
    "\n",
    "\t",
    "\u{feff}",
    "\u{2028}",
    "\u{202e}",
    "é",
    "🦀",
    "\"",
    "\"\"",
    "'",
    "\\",
    "`",
    "../",
    "/",
    "=1+1",
    "<script>",
    "{}",
    "[[",
    ";",
];

/// Changes one of the inputs it knows.
pub(super) struct Mutator {
    inputs: Vec<Vec<u8>>,
    words: &'static [&'static str],
    draws: RandomStream,
}

impl Mutator {
    /// Begins with sound inputs and the words of their format.
    pub(super) fn new(inputs: Vec<Vec<u8>>, words: &'static [&'static str], seed: u64) -> Self {
        Self { inputs, words, draws: RandomStream::new(seed) }
    }

    /// Keeps an input to go on from.
    pub(super) fn keep(&mut self, input: Vec<u8>) {
        if self.inputs.len() < KEPT_MAX && input.len() <= KEPT_BYTES_MAX {
            self.inputs.push(input);
        }
    }

    /// Returns the next bytes.
    pub(super) fn bytes(&mut self) -> Vec<u8> {
        let from = self.below(self.inputs.len());
        let mut bytes = self.inputs.get(from).cloned().unwrap_or_default();
        for _ in 0..1 + self.below(5) {
            self.change(&mut bytes);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    /// Returns a number below a limit, 0 for a limit of 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.draws.next_u64() % limit.max(1) as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        match self.below(16) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            2 if at < bytes.len() => {
                bytes[at] = self.one_of(&[0, 1, 0x7F, 0x80, 0xFF, b'0', b'9', b',', b'\n', b'"'])
            }
            3 => {
                let range = self.range(bytes, at);
                drop(bytes.drain(range));
            }
            4 => {
                let range = self.range(bytes, at);
                let copy = bytes[range].to_vec();
                insert(bytes, self.below(bytes.len() + 1), &copy);
            }
            5 => bytes.truncate(at),
            6 | 7 => self.replace_number(bytes, at),
            8 => {
                let text = self.one_of(&TEXTS);
                insert(bytes, at, text.as_bytes());
            }
            9 | 10 if !self.words.is_empty() => {
                let word = self.one_of(self.words);
                insert(bytes, at, word.as_bytes());
            }
            11 => self.splice(bytes, at),
            12 => self.overwrite_length(bytes, at),
            13 => self.swap_lines(bytes),
            14 => self.blow_up(bytes, at),
            _ => {
                let random: Vec<u8> = (0..self.below(12)).map(|_| self.draws.next_u64() as u8).collect();
                insert(bytes, at, &random);
            }
        }
    }

    /// Returns a range from a place on; mostly a short one.
    fn range(&mut self, bytes: &[u8], at: usize) -> std::ops::Range<usize> {
        let most = if self.below(4) == 0 { bytes.len() } else { 24 };
        let end = (at + self.below(most + 1)).min(bytes.len());
        at.min(end)..end
    }

    /// Puts another number in the place of the next one.
    fn replace_number(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|offset| at + offset) else {
            return;
        };
        let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        let end = bytes[start..]
            .iter()
            .position(|byte| !is_part(byte))
            .map_or(bytes.len(), |offset| start + offset);
        let number = self.one_of(&NUMBERS);
        bytes.splice(start..end, number.bytes());
    }

    /// Goes on as another input does.
    fn splice(&mut self, bytes: &mut Vec<u8>, at: usize) {
        if self.inputs.is_empty() {
            return;
        }
        let other = self.below(self.inputs.len());
        let from = self.below(self.inputs[other].len() + 1);
        bytes.truncate(at);
        bytes.extend_from_slice(&self.inputs[other][from..]);
    }

    /// Writes a number of two, four or eight bytes over what may be a length or an offset.
    fn overwrite_length(&mut self, bytes: &mut [u8], at: usize) {
        let length = bytes.len() as u64;
        let number = self.one_of(&[
            0,
            1,
            length,
            length + 1,
            0x7FFF,
            0xFFFF,
            0x7FFF_FFFF,
            0xFFFF_FFFF,
            i64::MAX as u64,
            u64::MAX,
        ]);
        let width = self.one_of(&[2, 4, 8]);
        if let Some(place) = bytes.get_mut(at..at + width) {
            place.copy_from_slice(&number.to_le_bytes()[..width]);
        }
    }

    fn swap_lines(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let (a, b) = (self.below(lines.len()), self.below(lines.len()));
        lines.swap(a, b);
        *bytes = lines.join(&b'\n');
    }

    /// Repeats something many times.
    fn blow_up(&mut self, bytes: &mut Vec<u8>, at: usize) {
        let range = self.range(bytes, at);
        let piece = match self.below(3) {
            0 => self
                .one_of(&[b"[".as_slice(), b"{\"a\":", b"\"", b"a", b"9", b",", b"\0", "é".as_bytes()])
                .to_vec(),
            _ => bytes[range].to_vec(),
        };
        // Mostly a little: what is large is slow.
        let bytes_max = self.one_of(&[200, 2_000, 5_000, 5_000, 70_000]);
        let times = bytes_max / piece.len().max(1);
        insert(bytes, at, &piece.repeat(times));
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len() + piece.len() <= BYTES_MAX {
        bytes.splice(at..at, piece.iter().copied());
    }
}

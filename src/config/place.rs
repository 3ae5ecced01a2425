//! Places in the text of a configuration, with their line, but for what may be somebody's secret.
//!
//! A line is shown whole only where it certainly says nothing about `[notify]`: in a section that is known and another
//! one, with no word in it that stands beside secrets. Of any other line the key is left, and messages name no value.

use std::fmt;

use super::ConfigError;
use super::keys::root;
use super::origin::Origin;
use super::renamed::RENAMED;

/// The section whose values may be secrets.
const SECRET_SECTION: &str = "notify";

/// What lines with secrets hold, in whatever section they were put.
const SECRET_WORDS: [&str; 13] = [
    "notify", "webhook", "bark", "mail", "smtp", "url", "passw", "secret", "token", "user", "_key", "://",
    "@",
];

/// Quotes around text of several lines.
const LONG_QUOTES: [&str; 2] = ["\"\"\"", "'''"];

/// Bytes of a line of an error at most: it shows the line it is about, however long that is.
const SHOWN_BYTES_MAX: usize = 400;

/// A place in a text, or a source of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the text: a file in backticks, a variable, a flag.
    pub source: String,
    /// The line, where the source has more than one.
    pub line: Option<Line>,
}

/// A line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// Column of the place, from 1.
    pub column: usize,
    /// Its text, as far as it may be shown.
    pub shown: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, line } = self;
        let Some(Line { number, column, shown }) = line else { return write!(f, "{source}: ") };
        let margin = " ".repeat(number.to_string().len());
        write!(f, "{source}: line {number}, column {column}\n{margin} |\n{number} | {shown}\n{margin} |\n")
    }
}

/// A text with its name.
pub(super) struct Text<'a> {
    source: String,
    text: &'a str,
    has_lines: bool,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'a> Text<'a> {
    pub(super) fn new(source: String, text: &'a str, has_lines: bool) -> Self {
        let breaks = text.match_indices('\n').map(|(place, _)| place + 1);
        Self { source, text, has_lines, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Returns the place of a byte.
    pub(super) fn place(&self, byte: usize) -> Place {
        let line = self.has_lines.then(|| {
            let (byte, number) = (self.within(byte), self.number(byte));
            let (before, line) = self.split(byte);
            let shown = if is_open(before, line) { line.to_owned() } else { blanked(before, line) };
            let shown = shown[..shown.floor_char_boundary(SHOWN_BYTES_MAX)].to_owned();
            Line { number, column: self.text[before.len()..byte].chars().count() + 1, shown }
        });
        Place { source: self.source.clone(), line }
    }

    /// Returns where a value at a byte comes from.
    pub(super) fn origin(&self, byte: usize) -> Origin {
        let source = self.source.clone();
        match self.has_lines {
            true => Origin::Line { source, line: u32::try_from(self.number(byte)).unwrap_or(u32::MAX) },
            false => Origin::Source(source),
        }
    }

    /// Returns where a value of several lines comes from.
    pub(super) fn whole(&self) -> Origin {
        Origin::Source(self.source.clone())
    }

    /// Returns whether the line of a byte may be shown whole.
    pub(super) fn is_open(&self, byte: usize) -> bool {
        let (before, line) = self.split(self.within(byte));
        is_open(before, line)
    }

    /// Returns the error of text that is no TOML. The parser's message names kinds of tokens and no values.
    pub(super) fn syntax_error(&self, error: &toml::de::Error) -> ConfigError {
        let message = error.message().trim_end();
        let message = message[..message.floor_char_boundary(SHOWN_BYTES_MAX)].to_owned();
        ConfigError::Syntax {
            place: Box::new(self.place(error.span().map_or(0, |span| span.start))),
            message,
        }
    }

    /// Past the last line break there is nothing to show.
    fn within(&self, byte: usize) -> usize {
        self.text.floor_char_boundary(byte.min(self.text.trim_end().len()))
    }

    fn number(&self, byte: usize) -> usize {
        let byte = self.within(byte);
        self.starts.partition_point(|start| *start <= byte)
    }

    /// Returns what comes before the line of a place, and the line.
    fn split(&self, byte: usize) -> (&'a str, &'a str) {
        let begin = self.starts[self.number(byte) - 1];
        let line = self.text[begin..].lines().next().unwrap_or_default();
        (&self.text[..begin], line)
    }
}

/// Returns whether a section is known and cannot hold secrets.
fn is_other(name: &str) -> bool {
    let was_known = RENAMED.iter().any(|renamed| renamed.old.split('.').next() == Some(name));
    name != SECRET_SECTION && (was_known || root().keys().iter().any(|section| section.name == name))
}

/// Returns whether a line can be shown whole.
fn is_open(before: &str, line: &str) -> bool {
    let (mut in_other, mut secret) = (false, false);
    for earlier in before.lines() {
        match header(earlier) {
            // Within text of several lines a header is none.
            Some(keys) if !(secret && LONG_QUOTES.iter().any(|quotes| before.contains(quotes))) => {
                in_other = keys.first().is_some_and(|name| is_other(name));
                secret = !in_other || is_suspect(earlier);
            }
            _ => secret |= is_suspect(earlier),
        }
    }
    let own = header(line).or_else(|| keys(line.split('=').next().unwrap_or_default()));
    let of_other = own.and_then(|keys| keys.first().map(|name| is_other(name)));
    let at_top = !before.lines().any(|line| header(line).is_some());
    let known = if header(line).is_some() || at_top { of_other == Some(true) } else { in_other };
    known && !secret && !is_suspect(line)
}

fn is_suspect(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| line.contains(word))
}

/// Returns the keys of a line such as `[style.swing]`.
fn header(line: &str) -> Option<Vec<&str>> {
    let line = line.trim_start_matches('\u{feff}').split('#').next().unwrap_or_default().trim();
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    keys(inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner))
}

/// Splits `a.b.c`; `None` where something else stands between the dots than plain keys.
fn keys(text: &str) -> Option<Vec<&str>> {
    let is_plain = |key: &&str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    let keys: Vec<&str> = text.split('.').map(str::trim).collect();
    keys.iter().all(is_plain).then_some(keys)
}

/// Returns a line with its key, if it certainly has one, and no value.
fn blanked(before: &str, line: &str) -> String {
    if LONG_QUOTES.iter().any(|quotes| before.contains(quotes)) {
        return "...".to_owned();
    }
    if let Some(keys) = header(line) {
        return format!("[{}]", keys.join("."));
    }
    let key = line.split_once('=').and_then(|(key, _)| keys(key));
    key.map_or("...".to_owned(), |keys| format!("{} = \"...\"", keys.join(".")))
}

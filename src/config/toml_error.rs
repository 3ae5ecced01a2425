//! An error about TOML as text: with the line it is about, but for what may be somebody's secret.
//!
//! A line is shown whole only where it certainly says nothing about `[notify]`: in a section that is known and another
//! one, with no word in it that stands beside secrets. Of any other line the key is left, and messages name no value.

use crate::config::Config;
use crate::config::layers::explain;

/// The section whose values may be secrets.
const SECRET_SECTION: &str = "notify";

/// What lines with secrets hold, in whatever section they were put.
const SECRET_WORDS: [&str; 13] = [
    "notify", "webhook", "bark", "mail", "smtp", "url", "passw", "secret", "token", "user", "_key", "://",
    "@",
];

/// Quotes around text of several lines.
const LONG_QUOTES: [&str; 2] = ["\"\"\"", "'''"];

/// Returns what is wrong with a text, where, and what was meant.
pub(crate) fn describe(error: &toml::de::Error, text: &str) -> String {
    let Some(span) = error.span() else { return without_values(error.message()) };
    // Past the last line break there is nothing to show.
    let start = text.floor_char_boundary(span.start.min(text.trim_end().len()));
    let (before, line) = split_at_line(text, start);
    if is_open(before, line) {
        return explain(&error.to_string());
    }
    let (number, column) = (before.matches('\n').count() + 1, text[before.len()..start].chars().count() + 1);
    let margin = " ".repeat(number.to_string().len());
    let shown = blanked(before, line);
    format!(
        "TOML parse error at line {number}, column {column}\n{margin} |\n{number} | {shown}\n{margin} |\n{}",
        without_values(error.message())
    )
}

/// Returns what comes before the line of a place, and the line.
fn split_at_line(text: &str, place: usize) -> (&str, &str) {
    let begin = text[..place].rfind('\n').map_or(0, |end| end + 1);
    let line = text[begin..].split('\n').next().unwrap_or_default();
    (&text[..begin], line)
}

/// Returns whether a line can be shown whole.
fn is_open(before: &str, line: &str) -> bool {
    let sections: toml::Table = Config::default().to_toml().parse().unwrap_or_default();
    let is_other = |name: &str| name != SECRET_SECTION && sections.contains_key(name);
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
    let line = line.split('#').next().unwrap_or_default().trim();
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

/// Returns a message of serde or of the parser without the value that it names. What was meant is still said.
fn without_values(message: &str) -> String {
    let told = explain(message);
    let (message, meant) = match told.split_once("\ndid you mean ") {
        Some((message, meant)) => (message, format!("\ndid you mean {meant}")),
        None => (told.as_str(), String::new()),
    };
    let (found, expected) = message.rsplit_once(", expected ").unwrap_or((message, ""));
    let named_key = found.strip_prefix("unknown field `").and_then(|rest| keys(rest.strip_suffix('`')?));
    let found = match found.find(['"', '`']) {
        Some(place) if named_key.is_none() => format!("{} ...", found[..place].trim_end()),
        _ => found.to_owned(),
    };
    let separator = if expected.is_empty() { "" } else { ", expected " };
    format!("{found}{separator}{expected}{meant}")
}

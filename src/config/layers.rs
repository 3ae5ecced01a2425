//! The configuration as text: several laid over each other, and what is wrong with one in plain words.

use crate::config::Config;

/// Lays a table over another, key by key.
pub(crate) fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Bytes of a line of an error about TOML at most: it shows the line it is about, however long that is.
const ERROR_LINE_BYTES_MAX: usize = 400;

/// Cuts the lines of an error to a length that can be read.
pub(crate) fn cut_lines(message: &str) -> String {
    let cut = |line: &str| line[..line.floor_char_boundary(ERROR_LINE_BYTES_MAX)].to_owned();
    message.lines().map(cut).collect::<Vec<_>>().join("\n")
}

/// What serde calls the types of values, and what people do.
const TYPES: [(&str, &str); 8] = [
    ("a sequence", "a list such as [\"a\", \"b\"]"),
    ("a string", "text in quotes"),
    ("a boolean", "true or false"),
    ("f64", "a number"),
    ("u16", "a whole number of 0 to 65535"),
    ("u32", "a whole number, 0 or more"),
    ("u64", "a whole number, 0 or more"),
    ("usize", "a whole number, 0 or more"),
];

/// Names the type that serde expected as people do.
fn in_plain_words(message: &str) -> String {
    let Some((front, theirs)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let named = TYPES.iter().find(|(name, _)| *name == theirs).map(|(_, ours)| *ours);
    let ours = match theirs {
        "a sequence" if front.ends_with("invalid type: map") => {
            "a list of sections, each with double brackets around its name, such as [[style.swing.filters]]"
        }
        theirs if theirs.starts_with("struct ") => "a section of keys",
        theirs => named.unwrap_or(theirs),
    };
    format!("{front}, expected {ours}")
}

/// Adds the nearest known key or word to serde's "unknown field `x`, expected one of `a`, `b`".
pub(crate) fn explain(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let is_field = message.contains("unknown field");
    let (Some(given), true) = (quoted.next(), is_field || message.contains("unknown variant")) else {
        return in_plain_words(message.trim_end());
    };
    let near = crate::search::nearest(given, quoted).map(str::to_owned);
    let near = near.or_else(|| is_field.then(|| in_a_section(given)).flatten());
    let hint = near.map(|name| format!("\ndid you mean `{name}`?")).unwrap_or_default();
    format!("{}{hint}", message.trim_end())
}

/// Returns a key that somebody named without its section, whole; if it is in one section only.
fn in_a_section(key: &str) -> Option<String> {
    let sections: toml::Table = Config::default().to_toml().parse().ok()?;
    let mut holding = sections.iter().filter(|(_, section)| section.get(key).is_some());
    let (section, _) = holding.next().filter(|_| holding.next().is_none())?;
    Some(format!("{section}.{key}"))
}

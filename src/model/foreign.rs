//! Text from somebody else, as it may be shown: short, and without what a terminal would act on.

use std::borrow::Cow;
use std::fmt::Write;

/// Most characters of foreign text in an error.
pub const EXCERPT_CHARS: usize = 200;

/// Most characters of a foreign name in an error that shows several.
pub(super) const NAME_CHARS: usize = 60;

/// Returns the beginning of foreign text; `…` says that there is more.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    beginning(text, EXCERPT_CHARS)
}

/// Returns the beginning of a foreign name where several are shown; `…` says that there is more.
pub fn name_excerpt(name: &str) -> Cow<'_, str> {
    beginning(name, NAME_CHARS)
}

fn beginning(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// Returns text in which control characters and marks that turn the direction of writing are written as `\u001b`, but for
/// those to keep.
///
/// Within the strings of a JSON text that is the same text still.
pub fn escaped<'t>(text: &'t str, keep: &[char]) -> Cow<'t, str> {
    let is_active = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (c.is_control() || turns) && !keep.contains(&c)
    };
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_active(c) {
            true => write!(plain, "\\u{:04x}", u32::from(c)).expect("text takes all"),
            false => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_between_characters() {
        let long = "é".repeat(EXCERPT_CHARS + 1);
        assert_eq!(excerpt(&long), format!("{}…", "é".repeat(EXCERPT_CHARS)));
        assert_eq!(excerpt(&long[2..]), long[2..]);
    }

    #[test]
    fn nothing_is_left_that_a_terminal_acts_on_and_json_says_the_same() {
        let text = "a\u{1b}[2J\u{9b}1A\u{7f}\u{202e}\r\n多";
        assert_eq!(escaped(text, &['\n']), "a\\u001b[2J\\u009b1A\\u007f\\u202e\\u000d\n多");
        assert!(matches!(escaped("plain 多头\n", &['\n']), Cow::Borrowed(_)));
        let json = serde_json::to_string(text).expect("text");
        assert!(json.contains('\u{9b}'), "JSON may hold what a terminal acts on");
        let shown = escaped(&json, &[]);
        assert!(!shown.contains(char::is_control));
        assert_eq!(serde_json::from_str::<String>(&shown).expect("still JSON"), text);
    }
}

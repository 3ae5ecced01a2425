//! Words, lists and sentences as people read them, in lines that fit.

use serde_json::{Map, Value};

use super::table::width;
use crate::documents::document::shown_parameter;

/// Returns the minute of an RFC 3339 instant as people read it.
pub fn minute_text(instant: &str) -> String {
    instant.chars().take(16).collect::<String>().replace('T', " ")
}

/// Returns a parameter set as `key=value` words.
pub fn key_values(params: &Map<String, Value>) -> Vec<String> {
    params.iter().map(|(key, value)| format!("{key}={}", shown_parameter(value))).collect()
}

/// Returns words after a label, broken into lines that fit; further lines are indented by so many columns.
pub fn wrap_words(label: &str, indent: usize, words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    wrapped(width(), label, indent, words)
}

fn wrapped(
    width: usize,
    label: &str,
    indent: usize,
    words: impl IntoIterator<Item = impl AsRef<str>>,
) -> String {
    let (mut text, mut column) = (label.to_owned(), label.chars().count());
    for word in words {
        let length = word.as_ref().chars().count();
        if column > indent && column + 1 + length > width {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > 0 && !text.ends_with(' ') {
            text.push(' ');
            column += 1;
        }
        text.push_str(word.as_ref());
        column += length;
    }
    text.push('\n');
    text
}

/// Returns a sentence after a label, broken into lines that fit.
pub fn wrap_sentence(label: &str, text: &str) -> String {
    wrap_words(label, label.chars().count(), text.split_whitespace())
}

/// Returns `count name`, in the plural where it is not one.
pub fn count_of(count: u64, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::table::WIDTH;

    #[test]
    fn no_word_is_broken_whatever_the_width() {
        let words = "parameters unchanged: no candidate held on days that did not choose it a-word-of-more-than-forty-characters-in-all ";
        for width in [40, 80, 100] {
            let text = wrapped(width, "", 4, words.split_whitespace());
            assert_eq!(
                text.split_whitespace().collect::<Vec<_>>(),
                words.split_whitespace().collect::<Vec<_>>()
            );
            let is_one_word = |line: &str| line.split_whitespace().count() == 1;
            assert!(text.lines().all(|line| line.chars().count() <= width || is_one_word(line)), "{text}");
        }
    }

    #[test]
    fn lines_fit_and_continue_under_the_label() {
        let words: Vec<String> = (0..40).map(|i| format!("word{i}=value")).collect();
        let text = wrap_words("label:", 2, &words);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.starts_with("label: word0=value word1=value"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("  word")), "{text}");
        assert_eq!(text.split_whitespace().count(), 41);
        assert_eq!(wrap_sentence("  - ", "because it is"), "  - because it is\n");
    }

    #[test]
    fn instants_and_counts_read_well() {
        assert_eq!(minute_text("2025-01-31T22:04:42Z"), "2025-01-31 22:04");
        assert_eq!(minute_text("-"), "-");
        assert_eq!((count_of(1, "run"), count_of(2, "run")), ("1 run".into(), "2 runs".into()));
    }
}

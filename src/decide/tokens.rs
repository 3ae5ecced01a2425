//! How many tokens a text takes in a language model's prompt, and what shortening saves.
//!
//! Every model cuts text in its own way and none is asked. What has to stay below a limit is counted high, what it is
//! held against is estimated, so that a saving is rather larger than it says.

/// Returns more tokens than a text takes: for limits.
///
/// Tokenizers put common words in one token and take others apart. Here a run of lower-case letters counts one for
/// three, an upper-case letter (names of symbols come apart), a digit (some models take them one by one), a
/// punctuation mark, a line break and a space after a space one each; a space before a word belongs to it. Any other
/// character counts its bytes in UTF-8, which is the most a tokenizer can make of it: three for a Chinese character,
/// which takes one or two.
pub fn tokens_at_most(text: &str) -> u64 {
    let (mut tokens, mut lower, mut before) = (0, 0_u64, '\n');
    for c in text.chars() {
        if c.is_ascii_lowercase() {
            lower += 1;
        } else {
            tokens += std::mem::take(&mut lower).div_ceil(3);
            tokens += match c {
                ' ' => u64::from(before == ' '),
                c => c.len_utf8() as u64,
            };
        }
        before = c;
    }
    tokens + lower.div_ceil(3)
}

/// Returns about how many tokens a text takes: one for four ASCII characters and one for every other. Figures take
/// more.
pub fn estimated_tokens(text: &str) -> u64 {
    let ascii = text.chars().filter(char::is_ascii).count() as u64;
    ascii.div_ceil(4) + text.chars().filter(|c| !c.is_ascii()).count() as u64
}

/// What shortening a text saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saving {
    /// Tokens of everything, estimated.
    pub full_tokens: u64,
    /// Tokens of what is kept, at most.
    pub kept_tokens: u64,
}

impl Saving {
    /// Measures what is kept of a full text.
    pub fn measure(full: &str, kept: &str) -> Self {
        Self { full_tokens: estimated_tokens(full), kept_tokens: tokens_at_most(kept) }
    }

    /// Returns the share of the full text that is kept, `None` of nothing; above 1 where it grew.
    pub fn ratio(&self) -> Option<f64> {
        (self.full_tokens > 0).then(|| self.kept_tokens as f64 / self.full_tokens as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_counted_high() {
        for (text, at_most, estimated) in [
            ("", 0, 0),
            ("continuation", 4, 3),
            ("take  profit", 2 + 1 + 2, 3),
            ("min_risk_reward = 2.5", 1 + 1 + 2 + 1 + 2 + 1 + 3, 6),
            ("DOGEUSDT", 8, 2),
            ("阳线 up", 6 + 1, 3),
            ("+1.22 %\n", 7, 2),
        ] {
            assert_eq!((tokens_at_most(text), estimated_tokens(text)), (at_most, estimated), "{text:?}");
        }
    }

    #[test]
    fn a_saving_is_measured_on_both_texts() {
        let saving = Saving::measure("twelve bytes and more than that", "twelve bytes");
        assert_eq!((saving.full_tokens, saving.kept_tokens), (8, 4));
        assert_eq!(saving.ratio(), Some(0.5));
        assert_eq!(Saving::measure("", "grown").ratio(), None);
    }

    proptest! {
        #[test]
        fn no_text_takes_more_than_its_bytes_nor_fewer_than_its_words(text in "[a-zA-Z0-9 .,%_阳线é\n]{0,60}") {
            let found = tokens_at_most(&text);
            prop_assert!(found <= text.len() as u64);
            prop_assert!(found >= text.split_whitespace().count() as u64);
            let other = "and 1 more\n";
            let both = format!("{text}\n{other}");
            prop_assert_eq!(tokens_at_most(&both), found + 1 + tokens_at_most(other));
        }
    }
}

//! What a channel is. A new one is a file with its settings and how it sends, and an entry among `NotifyConfig`'s.

use std::fmt::Debug;
use std::sync::atomic::AtomicBool;

use super::{Message, NotifyError};
use crate::net::{Deadline, Endpoint};

/// When sending a message has to end.
pub type Until<'a> = Deadline<&'a AtomicBool>;

/// A way to reach somebody.
pub trait Channel: Debug {
    /// Returns the name, as it is in the configuration, in documents and in the file of messages that wait.
    fn name(&self) -> &'static str;

    /// Says one thing.
    ///
    /// Errors: a secret that is not there or not safe; what the other side answered, by its number
    fn send(&self, message: &Message, until: &Until<'_>) -> Result<(), NotifyError>;
}

/// The settings of a channel: its section of the configuration.
pub trait ChannelSettings {
    /// Returns the channel; `report` is where the report can be seen.
    ///
    /// Errors: a value that cannot be used
    fn channel(&self, report: Option<&str>) -> Result<Box<dyn Channel>, Unusable>;
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its key, from the name of the channel on.
    pub key: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// What it is, without what may be a secret.
    pub found: String,
}

/// Returns the address in a setting.
pub(super) fn endpoint(key: &'static str, url: &str) -> Result<Endpoint, Unusable> {
    Endpoint::parse(url).map_err(|error| Unusable {
        key,
        expected: error.expected,
        found: format!("{:?}", error.found),
    })
}

/// Returns text of so many characters at most.
pub(super) fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü!", 2), "äö…");
    }
}

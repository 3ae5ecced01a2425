//! What `notify test` did, as text.

use crate::documents::notify::{DeliveryPart, NotifyDocument};

impl NotifyDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let line = |part: &DeliveryPart| match &part.error {
            None => format!("{}: sent\n", part.channel),
            Some(error) => format!("{}: failed: {error}\n", part.channel),
        };
        match self.channels.is_empty() {
            true => "no channel is configured\n".to_owned(),
            false => self.channels.iter().map(line).collect(),
        }
    }
}

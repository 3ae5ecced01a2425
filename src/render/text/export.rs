//! What `export-json --diff` shows, as text.

use crate::bot::learning_config::BotFileDifference;
use crate::documents::export::ExportDiffDocument;
use crate::model::escaped;

/// Characters of a value that are shown.
const VALUE_CHARS: usize = 40;

impl ExportDiffDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let Self { profile, file, differences, .. } = self;
        // A line each, however long: places are looked for by name.
        let line = |difference: &BotFileDifference| {
            let BotFileDifference { place, old, new, reason, .. } = difference;
            format!("{}: {} -> {} ({reason})\n", escaped(place, &[]), short_value(old), short_value(new))
        };
        let listed: String = differences.iter().map(line).collect();
        let standing = match (self.exists, self.is_known) {
            (false, _) => "it does not exist yet",
            (true, true) => "an export writes it and keeps FILE.bak",
            (true, false) => "this profile neither imported it nor exported it last: only --force writes it",
        };
        let count = match differences.len() {
            1 => "1 value differs".to_owned(),
            count => format!("{count} values differ"),
        };
        format!("{listed}{file}, profile {profile}: {count}; {standing}\n")
    }
}

fn short_value(value: &Option<String>) -> String {
    let text = value.as_deref().unwrap_or("-");
    let text = match text.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    escaped(&text, &[]).into_owned()
}

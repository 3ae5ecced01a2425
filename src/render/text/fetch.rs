//! What was fetched, as text.

use std::fmt::Write as _;

use crate::documents::fetch::{FetchDocument, FetchedPart};

/// Names of archives that are shown as text.
const NAMES_SHOWN: usize = 3;

impl FetchedPart {
    fn text(&self) -> String {
        let mut text = format!("{}: ", self.symbol);
        match (self.candles_new, self.archives_new.len()) {
            (0, 0) => text.push_str("nothing new"),
            (candles, 0) => text.push_str(&format!("{candles} new candles")),
            (_, archives) => text.push_str(&format!("{archives} new archives")),
        }
        if let Some(first) = &self.first_missing {
            let _ = write!(text, ", {} candles are missing, the first of {first}", self.missing);
        }
        if self.refused > 0 {
            let _ = write!(text, ", {} rows cannot be used and are left out", self.refused);
        }
        if self.refused_before > 0 {
            let _ = write!(text, ", {} candles of before have no row that can be used", self.refused_before);
        }
        for odd in &self.odd_rows {
            let _ = write!(text, "\n  {} x {}: {}", odd.count, odd.kind, odd.first);
        }
        if !self.not_published.is_empty() {
            let more = self.not_published.len().saturating_sub(NAMES_SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let names = self.not_published.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let _ = write!(text, "\n  not published: {names}{more}");
        }
        if let Some(error) = &self.error {
            let _ = write!(text, "\n  failed: {error}");
        }
        text
    }
}

impl FetchDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text: String = self.symbols.iter().map(|part| format!("{}\n", part.text())).collect();
        let _ = writeln!(
            text,
            "{} candles from {} to {} in {}: {}",
            self.interval,
            self.since,
            self.until,
            self.folder,
            if self.complete { "complete" } else { "not complete" }
        );
        text
    }
}

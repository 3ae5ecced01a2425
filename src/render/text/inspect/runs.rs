//! The runs of a profile as text.

use std::fmt::Write as _;

use crate::documents::inspect::InspectRunsDocument;
use crate::documents::inspect::Listed;

impl InspectRunsDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let (shown, kept) = (self.runs.len(), self.kept);
        if shown == 0 {
            return format!("profile {}: none of {kept} runs match\n", self.profile);
        }
        let mut text = format!("{}\n", self.listing().text());
        let _ = write!(text, "\nprofile {}: {shown} of {kept} runs", self.profile);
        let more = if self.matching > shown as u64 { "; --limit shows more" } else { "" };
        let _ = writeln!(text, "{more}; `optimizer inspect run {}` shows one", self.runs[0].id);
        text
    }
}

//! Adopted changes as text.

use std::fmt::Write as _;

use crate::documents::inspect::InspectChangesDocument;
use crate::documents::inspect::Listed;
use crate::render::text::prose::count_of;

impl InspectChangesDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let profile = &self.profile;
        if self.adoptions.is_empty() {
            return format!("profile {profile}: no changes were adopted in the runs that match\n");
        }
        let mut text = format!("{}\n", self.listing().text());
        let (shown, all) = (self.adoptions.len() as u64, self.matching);
        let _ = write!(text, "\nprofile {profile}: {} shown", count_of(shown, "adoption"));
        let _ = writeln!(
            text,
            "{}",
            if all > shown { format!(" of {all}; --limit shows more") } else { String::new() }
        );
        text
    }
}

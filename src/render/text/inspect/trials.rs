//! Trials of all runs as text.

use crate::documents::inspect::InspectTrialsDocument;
use crate::documents::inspect::Listed;

impl InspectTrialsDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let (profile, shown, kept) = (&self.profile, self.trials.len() as u64, self.kept);
        if shown == 0 {
            return format!("profile {profile}: none of {kept} trials match\n");
        }
        let more = if self.matching > shown { "; --limit shows more" } else { "" };
        format!(
            "{}\n\nprofile {profile}: {shown} of {kept} trials kept, in-sample part, by {}{more}\n",
            self.listing().text(),
            self.sort
        )
    }
}

//! Trials of all runs as text.

use crate::documents::inspect::InspectTrialsDocument;
use crate::documents::inspect::Listed;
use crate::render::text::prose::count_of;

impl InspectTrialsDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let (profile, shown, kept) = (&self.profile, self.trials.len() as u64, self.kept);
        if shown == 0 {
            return format!("profile {profile}: none of {kept} trials match{}\n", self.without_trials());
        }
        let more = if self.matching > shown { "; --limit shows more" } else { "" };
        format!(
            "{}\n\nprofile {profile}: {shown} of {kept} trials kept, in-sample part, by {}{more}{}\n",
            self.listing().text(),
            self.sort,
            self.without_trials()
        )
    }

    /// Says of how many runs no trials are kept.
    fn without_trials(&self) -> String {
        match self.summaries {
            0 => String::new(),
            count => format!(
                "; of {} only the summary is kept, without trials (store.keep_full_runs)",
                count_of(count, "older run")
            ),
        }
    }
}

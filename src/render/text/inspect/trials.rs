//! Trials of all runs as text.

use crate::documents::inspect::Listed;
use crate::documents::inspect::{HistoricTrialPart, InspectTrialsDocument};
use crate::render::text::prose::{count_of, wrap_sentence};

impl InspectTrialsDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let (profile, shown, kept) = (&self.profile, self.trials.len() as u64, self.kept);
        if shown == 0 {
            return format!("profile {profile}: none of {kept} trials match{}\n", self.without_trials());
        }
        let mut folded = Self { trials: Vec::new(), ..self.clone() };
        for trial in &self.trials {
            let is_same = |first: &HistoricTrialPart| {
                (first.run, &first.style, first.score) == (trial.run, &trial.style, trial.score)
                    && first.metrics == trial.metrics
            };
            if !folded.trials.iter().any(is_same) {
                folded.trials.push(trial.clone());
            }
        }
        let ties = match self.trials.len() - folded.trials.len() {
            0 => String::new(),
            count => format!(", {count} with the results of one above folded"),
        };
        let more = if self.matching > shown { "; --limit shows more" } else { "" };
        let said = format!(
            "profile {profile}: {shown} of {kept} trials kept{ties}, in-sample part, by {}{more}{}",
            self.sort,
            self.without_trials()
        );
        format!("{}\n\n{}", folded.listing().text(), wrap_sentence("", &said))
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

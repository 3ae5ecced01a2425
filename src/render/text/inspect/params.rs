//! The active parameters as text.

use std::fmt::Write as _;

use crate::documents::inspect::{InspectParamsDocument, ScopePart};
use crate::render::text::prose::{count_of, key_values, minute_text, wrap_words};
use crate::render::text::table::{results_table, with_decimals};

impl ScopePart {
    fn text(&self) -> String {
        let age = age_in_days(self.days_active);
        let mut text = format!("{}: since {} ({age}), ", self.scope, minute_text(&self.adopted_at));
        let (run, generation) = (self.run, self.generation);
        let _ = writeln!(text, "by run {run} ({}), generation {generation}, {}", self.source, self.verdict);
        let _ = writeln!(text, "  {} score {}", self.score_name, with_decimals(self.score, 4));
        text + &results_table(&[(" then".to_owned(), self.metrics.clone())])
            + "\n"
            + &wrap_words("  ", 2, key_values(&self.params))
    }
}

/// Returns whole days as people say it.
pub(crate) fn age_in_days(days: i64) -> String {
    if days < 1 { "less than a day".to_owned() } else { count_of(days.unsigned_abs(), "day") }
}

impl InspectParamsDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        if self.scopes.is_empty() {
            let profile = &self.profile;
            return format!(
                "profile {profile}: no active parameters; a run adopts some once a candidate holds up\n"
            );
        }
        self.scopes.iter().map(ScopePart::text).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_said_as_people_do() {
        assert_eq!([age_in_days(0), age_in_days(1), age_in_days(2)], ["less than a day", "1 day", "2 days"]);
    }
}

//! The profiles of a store as text.

use std::fmt::Write as _;

use crate::documents::inspect::StyleVerdictPart;
use crate::documents::inspect::{InspectOverviewDocument, LastRunPart, ProfilePart, ScopeLinePart};

use super::params::age_in_days;
use crate::render::text::prose::{count_of, key_values, minute_text, wrap_words};

impl ScopeLinePart {
    fn text(&self) -> String {
        let (scope, age, run, verdict) =
            (&self.scope, age_in_days(self.days_active), self.run, &self.verdict);
        let head = format!("  active, {scope}: for {age}, by run {run}, {verdict}\n");
        head + &wrap_words("    ", 4, key_values(&self.params))
    }
}

impl InspectOverviewDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        self.profiles.iter().map(ProfilePart::text).collect::<Vec<_>>().join("\n")
    }
}

impl ProfilePart {
    fn text(&self) -> String {
        let mut text = format!("profile {}: ", self.profile);
        match &self.last_run {
            None => text += "empty, no run yet\n",
            Some(last) => {
                let _ = writeln!(text, "{}", count_of(self.runs, "run"));
                text += &last.text();
            }
        }
        if self.last_run.is_some() && self.scopes.is_empty() {
            text += "  no active parameters\n";
        }
        text.extend(self.scopes.iter().map(ScopeLinePart::text));
        let _ = writeln!(text, "  next: {}", self.next.join("\n        "));
        text
    }
}

impl LastRunPart {
    fn text(&self) -> String {
        let verdict = |(style, part): (&String, &StyleVerdictPart)| format!("{style} {}", part.verdict);
        let verdicts: Vec<String> = self.styles.iter().map(verdict).collect();
        let (id, when, age, result) =
            (self.id, minute_text(&self.started_at), age_in_days(self.days_ago), &self.result);
        format!("  last run: {id}, {when} ({age} ago), {result}; {}\n", verdicts.join(", "))
    }
}

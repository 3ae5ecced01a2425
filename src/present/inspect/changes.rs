//! What changed in the parameters over time.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::{HistoryFilter, InspectError, counted, minute, require_profile};
use crate::model::rfc3339;
use crate::present::document::Document;
use crate::present::table::table;
use crate::store::Snapshot;
use crate::store::records::{ChangeRecord, DecisionRecord};

/// Adopted changes of a profile, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectChangesDocument {
    pub profile: String,
    /// Adoptions that pass the filters, the limit aside.
    pub matching: u64,
    pub adoptions: Vec<AdoptionPart>,
}

impl Document for InspectChangesDocument {
    const KIND: &'static str = "inspect_changes";
}

/// What one run changed in one style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AdoptionPart {
    pub run: u64,
    pub at: String,
    pub style: String,
    pub verdict: String,
    /// Each key; null where it had, or has, no value.
    pub changes: Vec<ChangeRecord>,
}

impl InspectChangesDocument {
    /// Reads the adoptions that pass a filter.
    ///
    /// Errors: those of reading the store; an unknown profile.
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        filter: &HistoryFilter,
    ) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        let mut all = Vec::new();
        for (run, record) in snapshot.runs(profile, .., usize::MAX)? {
            if !filter.in_time(record.started_at_ms) {
                continue;
            }
            let at = rfc3339(record.started_at_ms);
            let decisions = snapshot.decisions(profile, run)?;
            let adopted = decisions.iter().filter(|(style, d)| d.changed && filter.concerns(*style));
            all.extend(adopted.map(|(style, decision)| adoption(run, &at, style.as_str(), decision)));
        }
        let matching = all.len() as u64;
        all.truncate(filter.limit);
        Ok(Self { profile: profile.to_owned(), matching, adoptions: all })
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let profile = &self.profile;
        if self.adoptions.is_empty() {
            return format!("profile {profile}: no changes were adopted in the runs that match\n");
        }
        let mut rows = Vec::new();
        for adoption in &self.adoptions {
            rows.extend(adoption.changes.iter().map(|change| row(adoption, change)));
        }
        let mut text = format!("{}\n", table(&["Run", "When", "Scope", "Key", "Old", "", "New"], &rows));
        let (shown, all) = (self.adoptions.len() as u64, self.matching);
        let _ = write!(text, "\nprofile {profile}: {} shown", counted(shown, "adoption"));
        let _ = writeln!(
            text,
            "{}",
            if all > shown { format!(" of {all}; --limit shows more") } else { String::new() }
        );
        text
    }
}

fn adoption(run: u64, at: &str, style: &str, decision: &DecisionRecord) -> AdoptionPart {
    AdoptionPart {
        run,
        at: at.to_owned(),
        style: style.to_owned(),
        verdict: decision.verdict.clone(),
        changes: decision.changes.clone(),
    }
}

fn row(adoption: &AdoptionPart, change: &ChangeRecord) -> Vec<String> {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        adoption.run.to_string(),
        minute(&adoption.at),
        change.scope.clone(),
        change.key.clone(),
        value(&change.old),
        "->".to_owned(),
        value(&change.new),
    ]
}

//! What changed in the parameters over time.

use schemars::JsonSchema;
use serde::Serialize;

use super::{HistoryFilter, InspectError, Listed, require_profile};
use crate::documents::change::ChangePart;
use crate::documents::document::Document;
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::model::rfc3339;
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
    pub changes: Vec<ChangePart>,
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
            let symbol = filter.symbol.as_deref();
            let adopted =
                adopted.map(|(style, decision)| adoption_changes(run, &at, style.as_str(), decision, symbol));
            all.extend(adopted.filter(|adoption| symbol.is_none() || !adoption.changes.is_empty()));
        }
        let matching = all.len() as u64;
        all.truncate(filter.limit);
        Ok(Self { profile: profile.to_owned(), matching, adoptions: all })
    }
}

impl Listed for InspectChangesDocument {
    fn listing(&self) -> Listing {
        let of = |adoption| move |change| (adoption, change);
        let rows: Vec<(&AdoptionPart, &ChangePart)> =
            self.adoptions.iter().flat_map(|adoption| adoption.changes.iter().map(of(adoption))).collect();
        Listing::of(&rows)
            .column("run", "Run", ColumnKind::Number, |row| Cell::count(row.0.run))
            .column("at", "When", ColumnKind::Text, |row| Cell::instant(&row.0.at))
            .column("scope", "Scope", ColumnKind::Text, |row| Cell::text(row.1.scope.as_str()))
            .column("key", "Key", ColumnKind::Text, |row| Cell::text(row.1.key.as_str()))
            .column("old", "Old", ColumnKind::Text, |row| Cell::maybe(row.1.old.as_deref()))
            .column("new", "New", ColumnKind::Text, |row| Cell::maybe(row.1.new.as_deref()))
            .more("style", "Style", ColumnKind::Text, |row| Cell::text(row.0.style.as_str()))
            .more("verdict", "Verdict", ColumnKind::Text, |row| Cell::text(row.0.verdict.as_str()))
            .done()
    }
}

/// Returns what a decision changed; only in the scope of a symbol, where one is given.
fn adoption_changes(
    run: u64,
    at: &str,
    style: &str,
    decision: &DecisionRecord,
    symbol: Option<&str>,
) -> AdoptionPart {
    let concerned =
        |change: &&ChangeRecord| symbol.is_none_or(|symbol| symbol_of(&change.scope) == Some(symbol));
    AdoptionPart {
        run,
        at: at.to_owned(),
        style: style.to_owned(),
        verdict: decision.verdict.clone(),
        changes: decision.changes.iter().filter(concerned).map(ChangePart::from).collect(),
    }
}

/// Returns the symbol of a scope that has one.
pub(super) fn symbol_of(scope: &str) -> Option<&str> {
    scope.strip_prefix("symbol/")?.split('/').next()
}

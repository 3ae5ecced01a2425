//! The active parameters.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::changes::symbol_of;
use super::{InspectError, Listed, require_profile};
use crate::documents::document::{Document, params_object};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::documents::metrics::MetricsPart;
use crate::model::{DAY_MS, Style, rfc3339};
use crate::store::Snapshot;
use crate::store::records::ParamsRecord;

/// The active parameters per scope.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectParamsDocument {
    pub profile: String,
    pub scopes: Vec<ScopePart>,
}

impl Document for InspectParamsDocument {
    const KIND: &'static str = "inspect_params";
    const VERSION: u32 = 2;
}

/// The parameters of a scope, and why they are active.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ScopePart {
    /// `global`, a style, or `symbol/<SYMBOL>/<style>`.
    pub scope: String,
    pub params: Map<String, Value>,
    /// The run that activated them.
    pub run: u64,
    pub adopted_at: String,
    /// Whole days since then.
    pub days_active: i64,
    /// 1 for the first parameters of the scope, then one more each time.
    pub generation: u64,
    /// How they came: `run`, `import`, `adopt`, `rollback`.
    pub source: String,
    pub verdict: String,
    pub score_name: String,
    pub score: Option<f64>,
    /// What they achieved when they were adopted.
    pub metrics: MetricsPart,
}

impl ScopePart {
    fn new(scope: &str, record: &ParamsRecord, now_ms: i64) -> Self {
        Self {
            scope: scope.to_owned(),
            params: params_object(&record.set),
            run: record.run,
            adopted_at: rfc3339(record.adopted_at_ms),
            days_active: days_since(record.adopted_at_ms, now_ms),
            generation: record.generation,
            source: record.source.clone(),
            verdict: record.verdict.clone(),
            score_name: record.score_name.clone(),
            score: record.score,
            metrics: MetricsPart::from(&record.metrics),
        }
    }
}

impl Listed for InspectParamsDocument {
    fn listing(&self) -> Listing {
        Listing::of(&self.scopes)
            .column("scope", "Scope", ColumnKind::Text, |scope| Cell::text(scope.scope.as_str()))
            .column("adopted_at", "Since", ColumnKind::Text, |scope| Cell::instant(&scope.adopted_at))
            .column("run", "Run", ColumnKind::Number, |scope| Cell::count(scope.run))
            .column("verdict", "Verdict", ColumnKind::Text, |scope| Cell::text(scope.verdict.as_str()))
            .column("score", "Score", ColumnKind::Number, |scope| Cell::number(scope.score, 4))
            .metrics(|scope| &scope.metrics)
            .parameters(|scope| &scope.params)
            .more("days_active", "Days", ColumnKind::Number, |scope| {
                Cell::count(scope.days_active.unsigned_abs())
            })
            .more("generation", "Generation", ColumnKind::Number, |scope| Cell::count(scope.generation))
            .more("source", "Source", ColumnKind::Text, |scope| Cell::text(scope.source.as_str()))
            .more("score_name", "Score name", ColumnKind::Text, |scope| Cell::text(scope.score_name.as_str()))
            .done()
    }
}

/// Returns the whole days since an instant; none for one that is still to come.
pub(super) fn days_since(then_ms: i64, now_ms: i64) -> i64 {
    now_ms.saturating_sub(then_ms).max(0) / DAY_MS
}

impl InspectParamsDocument {
    /// Reads the active parameters, of one style or all, of one symbol or all scopes.
    ///
    /// Errors: those of reading the store; an unknown profile.
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        style: Option<Style>,
        symbol: Option<&str>,
        now_ms: i64,
    ) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        let of_style =
            |scope: &str| style.is_none_or(|style| scope.rsplit('/').next() == Some(style.as_str()));
        let all = snapshot.params_all(profile)?;
        let of_symbol = |scope: &str| symbol.is_none_or(|symbol| symbol_of(scope) == Some(symbol));
        let scopes = all.iter().filter(|(scope, _)| of_style(scope) && of_symbol(scope));
        let scopes = scopes.map(|(scope, record)| ScopePart::new(scope, record, now_ms)).collect();
        Ok(Self { profile: profile.to_owned(), scopes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_never_negative() {
        assert_eq!(days_since(0, DAY_MS - 1), 0);
        assert_eq!(days_since(0, 3 * DAY_MS), 3);
        assert_eq!(days_since(DAY_MS, 0), 0);
        assert_eq!(days_since(i64::MIN, i64::MAX), i64::MAX / DAY_MS);
    }
}

//! What a run evaluated and why (`explain`), and what is kept for the next one (`inspect cache`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{InspectError, Listed, require_profile, unknown_run};
use crate::documents::document::Document;
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::run::recall::symbol_work;
use crate::run::work::{SymbolWork, WorkSpan};
use crate::store::Snapshot;
use crate::store::records::{SymbolWorkRecord, WorkRecord};

/// The reasons why units were evaluated or reused, symbol by symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ExplainDocument {
    pub profile: String,
    pub run: u64,
    pub symbols: Vec<SymbolWorkPart>,
}

impl Document for ExplainDocument {
    const KIND: &'static str = "explain";
    const VERSION: u32 = 2;
}

/// What became of the units of a symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SymbolWorkPart {
    /// The symbol.
    pub symbol: String,
    /// Days with units.
    pub days: u64,
    /// Days whose units were evaluated.
    pub evaluated: u64,
    /// Reused units that were evaluated again as a check.
    pub checked: u64,
    /// How much of the files was read: `unchanged`, `incremental` or `full`.
    pub files_read: String,
    /// Why days were evaluated; the first of many.
    pub spans: Vec<WorkSpanPart>,
}

/// Days in succession that were evaluated for one kind of reason.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WorkSpanPart {
    /// The first, `YYYY-MM-DD`.
    pub first_day: String,
    /// The last.
    pub last_day: String,
    /// How many.
    pub days: u64,
    /// Name of the kind of reason.
    pub kind: String,
    /// The reason of the first day, in words.
    pub detail: String,
}

impl From<&SymbolWork> for SymbolWorkPart {
    fn from(work: &SymbolWork) -> Self {
        let span = |span: &WorkSpan| {
            let WorkSpan { first_day, last_day, days, kind, detail } = span.clone();
            WorkSpanPart { first_day, last_day, days, kind, detail }
        };
        let SymbolWork { symbol, days, evaluated, checked, files_read, spans } = work;
        Self {
            symbol: symbol.clone(),
            days: *days,
            evaluated: *evaluated,
            checked: *checked,
            files_read: files_read.clone(),
            spans: spans.iter().map(span).collect(),
        }
    }
}

/// The evaluated units that are kept after a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectCacheDocument {
    pub profile: String,
    /// The run after which it was so: the last one.
    pub run: u64,
    /// Units kept: a style of a symbol-day each.
    pub cached_units: u64,
    pub cached_bytes: u64,
    /// The most bytes that are kept (`limits.cache`).
    pub budget_bytes: u64,
    /// Units that were evicted during the run.
    pub evicted: u64,
    pub symbol_days: u64,
    pub symbol_days_evaluated: u64,
    pub symbol_days_reused: u64,
    /// Symbol-days evaluated by kind of reason.
    pub reasons: BTreeMap<String, u64>,
    pub symbols: Vec<CacheSymbolPart>,
}

/// What became of the days of a symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CacheSymbolPart {
    pub symbol: String,
    pub days: u64,
    pub evaluated: u64,
    pub reused: u64,
    /// Reused units that were evaluated again as a check.
    pub checked: u64,
    /// How much of the files was read: `unchanged`, `incremental` or `full`.
    pub files_read: String,
    /// Days evaluated by kind of reason.
    pub reasons: BTreeMap<String, u64>,
}

impl From<&SymbolWorkRecord> for CacheSymbolPart {
    fn from(work: &SymbolWorkRecord) -> Self {
        let evaluated = work.evaluated.min(work.days);
        Self {
            symbol: work.symbol.clone(),
            days: work.days,
            evaluated,
            reused: work.days - evaluated,
            checked: work.checked,
            files_read: symbol_work(work).files_read,
            reasons: by_reason([work]),
        }
    }
}

/// Counts days evaluated by kind of reason.
fn by_reason<'a>(work: impl IntoIterator<Item = &'a SymbolWorkRecord>) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for span in work.into_iter().flat_map(|work| &work.spans) {
        *reasons.entry(span.kind.clone()).or_insert(0) += span.days;
    }
    reasons
}

impl Document for InspectCacheDocument {
    const KIND: &'static str = "inspect_cache";
    const VERSION: u32 = 2;
}

/// Returns the run asked for, or the last one, with its work.
fn work_of(
    snapshot: &Snapshot<'_>,
    profile: &str,
    run: Option<u64>,
) -> Result<(u64, WorkRecord), InspectError> {
    require_profile(snapshot, profile)?;
    let Some(id) = run else {
        // Decisions by hand are runs without work.
        for (id, _) in snapshot.runs(profile, .., usize::MAX)? {
            if let Some(work) = snapshot.work(profile, id)? {
                return Ok((id, work));
            }
        }
        return Err(InspectError::NoRuns { profile: profile.to_owned() });
    };
    if snapshot.run(profile, id)?.is_none() {
        return Err(unknown_run(snapshot, profile, id)?);
    }
    let work = snapshot.work(profile, id)?;
    Ok((id, work.ok_or(InspectError::NoWork { run: id })?))
}

impl ExplainDocument {
    /// Reads the work of a run, or of the last one; only that of one symbol, if given.
    ///
    /// Errors: an unknown profile, run or symbol; a run whose work is no longer kept
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        run: Option<u64>,
        symbol: Option<&str>,
    ) -> Result<Self, InspectError> {
        let (run, work) = work_of(snapshot, profile, run)?;
        let known: Vec<String> = work.symbols.iter().map(|work| work.symbol.clone()).collect();
        let wanted = |work: &&SymbolWorkRecord| symbol.is_none_or(|symbol| symbol == work.symbol);
        let part = |work: &SymbolWorkRecord| SymbolWorkPart::from(&symbol_work(work));
        let symbols: Vec<SymbolWorkPart> = work.symbols.iter().filter(wanted).map(part).collect();
        match symbol.filter(|_| symbols.is_empty()) {
            Some(found) => Err(InspectError::Symbol { found: found.to_owned(), known }),
            None => Ok(Self { profile: profile.to_owned(), run, symbols }),
        }
    }
}

impl InspectCacheDocument {
    /// Reads what was kept after a run, or after the last one; only the days of one symbol, if given.
    ///
    /// Errors: an unknown profile, run or symbol; no run that kept its work
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        run: Option<u64>,
        symbol: Option<&str>,
    ) -> Result<Self, InspectError> {
        let (run, mut work) = work_of(snapshot, profile, run)?;
        if let Some(found) = symbol {
            let known: Vec<String> = work.symbols.iter().map(|work| work.symbol.clone()).collect();
            work.symbols.retain(|work| work.symbol == found);
            if work.symbols.is_empty() {
                return Err(InspectError::Symbol { found: found.to_owned(), known });
            }
        }
        let sum = |count: fn(&SymbolWorkRecord) -> u64| work.symbols.iter().map(count).sum();
        let (days, evaluated): (u64, u64) = (sum(|symbol| symbol.days), sum(|symbol| symbol.evaluated));
        Ok(Self {
            profile: profile.to_owned(),
            run,
            cached_units: work.cached_units,
            cached_bytes: work.cached_bytes,
            budget_bytes: work.budget_bytes,
            evicted: work.evicted,
            symbol_days: days,
            symbol_days_evaluated: evaluated,
            symbol_days_reused: days - evaluated,
            reasons: by_reason(&work.symbols),
            symbols: work.symbols.iter().map(CacheSymbolPart::from).collect(),
        })
    }
}

impl Listed for InspectCacheDocument {
    fn listing(&self) -> Listing {
        let because = |symbol: &CacheSymbolPart| {
            let reason = |(kind, days): (&String, &u64)| format!("{kind} {days}");
            symbol.reasons.iter().map(reason).collect::<Vec<_>>().join(", ")
        };
        Listing::of(&self.symbols)
            .column("symbol", "Symbol", ColumnKind::Text, |symbol| Cell::text(symbol.symbol.as_str()))
            .column("days", "Days", ColumnKind::Number, |symbol| Cell::count(symbol.days))
            .column("reused", "Reused", ColumnKind::Number, |symbol| Cell::count(symbol.reused))
            .column("evaluated", "Evaluated", ColumnKind::Number, |symbol| Cell::count(symbol.evaluated))
            .column("because", "Reason", ColumnKind::Prose, |symbol| {
                Cell::maybe(Some(because(symbol).as_str()).filter(|text| !text.is_empty()))
            })
            .column("files_read", "Files read", ColumnKind::Text, |symbol| {
                Cell::text(symbol.files_read.as_str())
            })
            .more("checked", "Checked", ColumnKind::Number, |symbol| Cell::count(symbol.checked))
            .done()
    }
}

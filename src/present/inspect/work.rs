//! What a run evaluated and why (`explain`), and what is kept for the next one (`inspect cache`).

use std::collections::BTreeMap;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::{InspectError, counted, require_profile, unknown_run};
use crate::present::document::Document;
use crate::present::table::table;
use crate::store::Snapshot;
use crate::store::records::{SymbolWorkRecord, WorkRecord};

/// Why units were evaluated or reused, symbol by symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ExplainDocument {
    pub profile: String,
    pub run: u64,
    pub symbols: Vec<SymbolWorkRecord>,
}

impl Document for ExplainDocument {
    const KIND: &'static str = "explain";
}

/// What is kept of evaluated units after a run.
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
    /// Units that made room for others during the run.
    pub evicted: u64,
    pub symbol_days: u64,
    pub symbol_days_evaluated: u64,
    pub symbol_days_reused: u64,
    /// Symbol-days evaluated by kind of reason.
    pub reasons: BTreeMap<String, u64>,
}

impl Document for InspectCacheDocument {
    const KIND: &'static str = "inspect_cache";
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
        let wanted = |work: &SymbolWorkRecord| symbol.is_none_or(|symbol| symbol == work.symbol);
        let symbols: Vec<SymbolWorkRecord> = work.symbols.into_iter().filter(wanted).collect();
        match symbol.filter(|_| symbols.is_empty()) {
            Some(found) => Err(InspectError::Symbol { found: found.to_owned(), known }),
            None => Ok(Self { profile: profile.to_owned(), run, symbols }),
        }
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        format!("run {} of profile {}\n{}", self.run, self.profile, explain_text(&self.symbols))
    }
}

/// Returns why units were evaluated, symbol by symbol.
pub fn explain_text(symbols: &[SymbolWorkRecord]) -> String {
    let mut text = String::new();
    for symbol in symbols {
        let files = match symbol.files_read.as_str() {
            "nothing" => "files unchanged, not read",
            "growth" => "files grew, their end read",
            _ => "files read",
        };
        let _ = writeln!(
            text,
            "{}: {} of {} days reused ({} checked again), {files}",
            symbol.symbol,
            symbol.days - symbol.evaluated.min(symbol.days),
            symbol.days,
            symbol.checked
        );
        for span in &symbol.spans {
            let days = match span.first_day == span.last_day {
                true => span.first_day.clone(),
                false => format!("{} to {}", span.first_day, span.last_day),
            };
            let _ = writeln!(text, "  {days}: {}", span.detail);
        }
        let told: u64 = symbol.spans.iter().map(|span| span.days).sum();
        if told < symbol.evaluated {
            let _ = writeln!(text, "  and {}", counted(symbol.evaluated - told, "further day"));
        }
    }
    text
}

impl InspectCacheDocument {
    /// Reads what was kept after the last run.
    ///
    /// Errors: an unknown profile, or one without a run that kept its work
    pub fn read(snapshot: &Snapshot<'_>, profile: &str) -> Result<Self, InspectError> {
        let (run, work) = work_of(snapshot, profile, None)?;
        let sum = |count: fn(&SymbolWorkRecord) -> u64| work.symbols.iter().map(count).sum();
        let (days, evaluated): (u64, u64) = (sum(|symbol| symbol.days), sum(|symbol| symbol.evaluated));
        let mut reasons = BTreeMap::new();
        for span in work.symbols.iter().flat_map(|symbol| &symbol.spans) {
            *reasons.entry(span.kind.clone()).or_insert(0) += span.days;
        }
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
            reasons,
        })
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let rows: Vec<Vec<String>> =
            self.reasons.iter().map(|(kind, days)| vec![kind.clone(), days.to_string()]).collect();
        let mut text = format!(
            "after run {} of profile {}\n{} kept, {} of {}; {} made room\n{} of {} symbol-days reused, {} evaluated\n",
            self.run,
            self.profile,
            counted(self.cached_units, "unit"),
            mebibytes(self.cached_bytes),
            mebibytes(self.budget_bytes),
            self.evicted,
            self.symbol_days_reused,
            self.symbol_days,
            self.symbol_days_evaluated,
        );
        if !rows.is_empty() {
            let _ = writeln!(text, "\n{}", table(&["Evaluated because", "Symbol-days"], &rows));
            text.push_str("`optimizer explain` says which days, with old and new\n");
        }
        text
    }
}

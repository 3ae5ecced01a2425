//! The symbol-days of a stored run, from the cache alone: no file is read.

use std::sync::atomic::AtomicBool;

use super::ScrutinyError;
use super::ScrutinyOptions;
use crate::ingest::{IngestOptions, OnConflict, SymbolSources};
use crate::model::Symbol;
use crate::run::book::SymbolDays;
use crate::run::halt::Halt;
use crate::run::incremental::data_fingerprint;
use crate::run::plan::Plan;
use crate::run::report::InputReport;
use crate::run::shelf::Shelf;
use crate::run::spill::OutcomeStore;
use crate::run::symbol::{Job, stored_symbol};
use crate::store::Cache;
use crate::store::records::RunRecord;

/// Returns the symbol-days of a run, or `None` where the cache no longer holds all of them.
///
/// Keeps other writers out meanwhile; errors: one is at work
pub(super) fn symbol_days(
    plan: &Plan,
    record: &RunRecord,
    options: &ScrutinyOptions,
) -> Result<Option<Vec<SymbolDays>>, ScrutinyError> {
    if !Cache::exists(&options.store)? {
        return Ok(None);
    }
    let shelf = Shelf::open(options.store.clone().into(), u64::MAX, options.now_ms)?;
    let ingest = IngestOptions {
        base_interval: plan.interval,
        on_conflict: OnConflict::Refuse,
        symbols: None,
        as_of_ms: options.now_ms,
        room_bytes: None,
    };
    let never = AtomicBool::new(false);
    let halt = Halt::new(&never, None);
    let job = Job {
        halt: &halt,
        plan,
        ingest: &ingest,
        given: None,
        shelf: Some(&shelf),
        outcomes: &OutcomeStore::new(None, &options.store),
        batch_bytes: None,
        full: false,
        checked: None,
        distrusted: None,
        now_ms: options.now_ms,
        on_event: &|_| (),
    };
    let (mut input, mut all) = (InputReport::default(), Vec::new());
    for name in &record.symbols {
        let Some(symbol) = Symbol::parse(name) else { return Ok(None) };
        let sources = SymbolSources { symbol, sources: Vec::new() };
        let Some((report, blocks)) = stored_symbol(&job, &sources)? else { return Ok(None) };
        input.symbols.push(report);
        all.push(SymbolDays { symbol: all.len() as u16, blocks });
    }
    Ok((data_fingerprint(&input).0 == record.data_fingerprint).then_some(all))
}

//! The symbol-days of a stored run, from the cache alone: no file is read.

use std::sync::atomic::AtomicBool;

use super::ScrutinyError;
use super::ScrutinyOptions;
use crate::engine::outcome_spill::OutcomeStore;
use crate::engine::plan::Plan;
use crate::ingest::{IngestOptions, OnConflict, Selection, SymbolSources};
use crate::model::Symbol;
use crate::run::given_signals::SignalsBySymbol;
use crate::run::halt::Halt;
use crate::run::incremental::data_fingerprint;
use crate::run::input_report::InputReport;
use crate::run::store_handle::StoreHandle;
use crate::run::symbol_evaluator::{newest_remembered, stored_symbol};
use crate::run::symbol_job::SymbolJob;
use crate::store::Cache;
use crate::store::records::RunRecord;
use crate::study::assembly::SymbolDays;

/// Returns the symbol-days of a run, or why they cannot be had; an empty reason where the cache no longer holds all of them.
///
/// Signals that were given are read again: which unit belongs to a day depends on them. Only looks, and keeps no run out; errors: one is at work
pub(super) fn symbol_days(
    plan: &Plan,
    record: &RunRecord,
    options: &ScrutinyOptions,
) -> Result<Result<Vec<SymbolDays>, String>, ScrutinyError> {
    let no_longer_kept = || Ok(Err(String::new()));
    if !Cache::exists(&options.store)? {
        return no_longer_kept();
    }
    // Units of given signals are found by what the file says of their day.
    let changed = || match &options.signals {
        Some(path) => Ok(Err(format!("`{}` or the candles are not what they were", path.display()))),
        None => no_longer_kept(),
    };
    let given = match options.signals.as_ref().map(|path| SignalsBySymbol::read(path, plan, None)).transpose()
    {
        Ok(given) => given,
        Err(error) => return Ok(Err(format!("its signals cannot be read: {error}"))),
    };
    let shelf = StoreHandle::look(options.store.clone().into(), u64::MAX, options.now_ms)?;
    let ingest = IngestOptions {
        base_interval: plan.interval,
        on_conflict: OnConflict::Refuse,
        symbols: None,
        selection: Selection::default(),
        as_of_ms: options.now_ms,
        room_bytes: None,
        reading: plan.reading.clone(),
    };
    let never = AtomicBool::new(false);
    let halt = Halt::new(&never, None);
    let symbols: Vec<Symbol> = record.symbols.iter().filter_map(|name| Symbol::parse(name)).collect();
    let newest_open = newest_remembered(shelf.cache(), symbols.iter())?;
    let job = SymbolJob {
        newest_open,
        halt: &halt,
        plan,
        ingest: &ingest,
        given: given.as_ref(),
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
        let Some(symbol) = Symbol::parse(name) else { return no_longer_kept() };
        let sources = SymbolSources { symbol, sources: Vec::new() };
        let Some((report, blocks)) = stored_symbol(&job, &sources)? else { return changed() };
        input.symbols.push(report);
        all.push(SymbolDays { symbol: all.len() as u16, blocks });
    }
    input.signals = given.as_ref().map(|given| given.note(plan, &input));
    match data_fingerprint(&input).0 == record.data_fingerprint {
        true => Ok(Ok(all)),
        false => changed(),
    }
}

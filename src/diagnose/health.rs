//! How the candles and what was kept of them are: the newest candle of each symbol, and whether reused units repeat.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use crate::engine::plan::Plan;
use crate::ingest::SymbolSources;
use crate::run::error::SymbolError;
use crate::run::file_summary::FileNote;
use crate::run::halt::Halt;
use crate::run::incremental::{RunContext, read_given_signals};
use crate::run::issue_detail::FUTURE;
use crate::run::store_handle::StoreHandle;
use crate::run::symbol_evaluator::{PreparedSymbol, prepare_symbol};
use crate::run::{RunError, RunOptions};

/// What was found about a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolHealth {
    /// Its name.
    pub name: String,
    /// When its newest candle closed; UTC ms.
    pub newest_close_ms: i64,
    /// What is noted of candles that begin later than now; `None` where there are none.
    pub later: Option<String>,
    /// Units that a run would reuse.
    pub reusable: u64,
    /// Of those, evaluated again.
    pub checked: u64,
    /// Whether they repeat.
    pub sound: bool,
}

/// Reads the candles, finds what a run would reuse and evaluates a sample of it again; nothing is written.
///
/// Errors: those of a run before it evaluates anything
pub fn examine_candles(plan: &Plan, options: &RunOptions) -> Result<Vec<SymbolHealth>, RunError> {
    let given = read_given_signals(plan, options)?;
    let look = |location| StoreHandle::look(location, options.cache_bytes, options.now_ms);
    let shelf = options.store.clone().map(look).transpose()?;
    let (never, ingest) = (AtomicBool::new(false), options.ingest(plan));
    let halt = Halt::new(&never, None);
    let (outcomes, on_event) = (options.outcome_store(), &|_| ());
    let (given, shelf) = (given.as_ref(), shelf.as_ref());
    let work = RunContext { plan, options, given, shelf, outcomes: &outcomes, halt: &halt, on_event };
    let mut catalog = crate::ingest::discover(&options.data, &ingest)?;
    options.signals.iter().for_each(|file| catalog.leave_out(file));
    let job = work.job(&ingest, &catalog, None)?;
    let examine_one = |sources: &SymbolSources| -> Result<SymbolHealth, SymbolError> {
        let PreparedSymbol { mut desk, known, sorted } = prepare_symbol(&job, sources)?;
        if desk.candles.is_none() {
            desk.read(None)?;
        }
        let (checked, sound) = desk.check(&sorted, &plan.costs.of(&sources.symbol))?;
        Ok(SymbolHealth {
            name: sources.symbol.to_string(),
            newest_close_ms: known.last_open + known.interval_ms,
            later: future_candles(&known.files),
            reusable: sorted.reused().len() as u64,
            checked,
            sound,
        })
    };
    let found: Result<Vec<SymbolHealth>, SymbolError> = catalog.symbols.par_iter().map(examine_one).collect();
    Ok(found?)
}

/// Returns what is noted of candles that begin later than now.
fn future_candles(files: &[FileNote]) -> Option<String> {
    let mut issues = files.iter().flat_map(|file| &file.issues);
    issues.find(|issue| issue.kind == FUTURE).map(|issue| issue.detail.to_string())
}

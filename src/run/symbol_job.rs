//! How a symbol of a run is to be evaluated.

use super::event::RunEvent;
use super::given_signals::SignalsBySymbol;
use super::halt::Halt;
use super::store_handle::StoreHandle;
use crate::engine::outcome_spill::OutcomeStore;
use crate::engine::pending::unit_ordinal;
use crate::engine::plan::{Plan, StylePlan};
use crate::ingest::IngestOptions;
use crate::model::Symbol;

/// How a symbol is to be evaluated.
#[derive(Clone, Copy)]
pub(crate) struct SymbolJob<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) ingest: &'a IngestOptions,
    /// The signals of all symbols, where they are given.
    pub(crate) given: Option<&'a SignalsBySymbol>,
    /// Where earlier results are and new ones go; `None` computes everything and keeps nothing.
    pub(crate) shelf: Option<&'a StoreHandle>,
    /// Where outcomes wait for the search.
    pub(crate) outcomes: &'a OutcomeStore,
    /// Bytes of evaluated units that are held until they are committed; `None` where there is no ceiling.
    pub(crate) batch_bytes: Option<usize>,
    /// Ignore earlier results.
    pub(crate) full: bool,
    /// The symbol whose files are read in any case, so that every run checks something that it reuses.
    pub(crate) checked: Option<&'a Symbol>,
    /// A symbol whose cached units did not repeat.
    pub(crate) distrusted: Option<&'a Symbol>,
    pub(crate) now_ms: i64,
    /// Open time of the newest candle known of all symbols.
    pub(crate) newest_open: i64,
    pub(crate) halt: &'a Halt<'a>,
    pub(crate) on_event: &'a (dyn Fn(RunEvent) + Sync),
}

impl SymbolJob<'_> {
    /// Returns whether a symbol whose last candle opens at an instant has stopped.
    pub(super) fn is_stopped(&self, last_open: i64) -> bool {
        self.plan.is_stopped(last_open, self.newest_open)
    }

    /// Returns the number under which a style's units are kept: units of given signals beside those of derived ones.
    pub(super) fn ordinal(&self, style: &StylePlan) -> u8 {
        unit_ordinal(style.space.style(), self.given.is_some())
    }
}

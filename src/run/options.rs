//! What a run needs besides its plan: where its data and its state lie, when it is, and what it may use.

use std::path::PathBuf;
use std::time::Duration;

use super::resources::room_at_first;
use crate::engine::outcome_spill::OutcomeStore;
use crate::engine::plan::Plan;
use crate::ingest::{IngestOptions, OnConflict};
use crate::store::Location;

/// The part of a memory limit that outcomes may hold while they wait for the search.
const HELD_SHARE: u64 = 8;
/// Bytes of evaluated units that are kept unless asked otherwise; that of the configuration.
const CACHE_BYTES: u64 = 256 << 20;

/// What a run needs besides its plan.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Files and folders of candles.
    pub data: Vec<PathBuf>,
    /// A file of signals to tune on; `None` derives them from candles.
    pub signals: Option<PathBuf>,
    /// Where the store lies; `None` computes without remembering.
    pub store: Option<Location>,
    /// Whose state it is.
    pub profile: String,
    /// What to do with candles that contradict each other.
    pub on_conflict: OnConflict,
    /// The instant of the run; UTC ms.
    pub now_ms: i64,
    /// The effective configuration, for the record.
    pub config_toml: String,
    /// Evaluate everything, whatever earlier runs left.
    pub full: bool,
    /// Bytes of evaluated units kept beside the store; 0 keeps none.
    pub cache_bytes: u64,
    /// The most memory to use, in bytes; fewer symbols are in flight if need be.
    pub memory_bytes: Option<u64>,
    /// After how long to stop at the next commit of evaluated units. A run that has nothing left to evaluate goes on to its
    /// end, and each one before it evaluates something: repeated often enough, a run ends however short the budget.
    pub time_budget: Option<Duration>,
}

impl RunOptions {
    /// Returns options for a run over candles at an instant (UTC ms) that remembers nothing: signals derived from candles, contradicting
    /// candles refused, no limit on memory or time.
    pub fn over(data: Vec<PathBuf>, now_ms: i64) -> Self {
        Self {
            data,
            signals: None,
            store: None,
            profile: "default".to_owned(),
            on_conflict: OnConflict::Refuse,
            now_ms,
            config_toml: String::new(),
            full: false,
            cache_bytes: CACHE_BYTES,
            memory_bytes: None,
            time_budget: None,
        }
    }

    /// Remembers in a store, and reuses what earlier runs evaluated.
    #[must_use]
    pub fn with_store(self, store: impl Into<Location>) -> Self {
        Self { store: Some(store.into()), ..self }
    }

    /// Tunes on the user's own signals.
    #[must_use]
    pub fn with_signals(self, file: PathBuf) -> Self {
        Self { signals: Some(file), ..self }
    }

    /// Keeps the state of a profile of its own.
    #[must_use]
    pub fn with_profile(self, profile: &str) -> Self {
        Self { profile: profile.to_owned(), ..self }
    }

    /// Bounds what the run may use, in bytes.
    #[must_use]
    pub fn with_memory_bytes(self, bytes: u64) -> Self {
        Self { memory_bytes: Some(bytes), ..self }
    }

    /// Stops at the next commit of evaluated units after a time.
    #[must_use]
    pub fn with_time_budget(self, budget: Duration) -> Self {
        Self { time_budget: Some(budget), ..self }
    }

    /// Returns where outcomes wait for the search: in memory, but for what a ceiling leaves no room for.
    pub(crate) fn outcome_store(&self) -> OutcomeStore {
        let dir = self.store.as_ref().map(|location| location.dir.clone()).filter(|dir| dir.is_dir());
        let held_max = self.memory_bytes.map(|limit| limit / HELD_SHARE);
        OutcomeStore::new(held_max, &dir.unwrap_or_else(std::env::temp_dir))
    }

    /// Returns how a run of a plan reads its files.
    pub(crate) fn ingest(&self, plan: &Plan) -> IngestOptions {
        IngestOptions {
            base_interval: plan.interval,
            on_conflict: self.on_conflict,
            symbols: plan.symbols.clone(),
            selection: plan.selection.clone(),
            as_of_ms: plan.days.end.map_or(self.now_ms, |day| day.start_ms().min(self.now_ms)),
            room_bytes: self.memory_bytes.map(room_at_first),
            reading: plan.reading.clone(),
        }
    }
}

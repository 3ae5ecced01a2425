//! What a run evaluated and why, and what it left for the next one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, Record, at_most};

/// The most symbols whose work is kept.
const SYMBOLS_MAX: usize = 1000;
/// The most spans kept per symbol.
const SPANS_MAX: usize = 64;

/// Days in succession that were evaluated for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkSpanRecord {
    /// First day, `YYYY-MM-DD`.
    pub first_day: String,
    /// Last day.
    pub last_day: String,
    /// Symbol-days.
    pub days: u64,
    /// Kind of reason: `new`, `candles_changed`, `exit_rules_added`, ...
    pub kind: String,
    /// The reason of the first of the days in words, with old and new.
    pub detail: String,
}

/// What became of a symbol's units.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SymbolWorkRecord {
    /// The symbol.
    pub symbol: String,
    /// Symbol-days of the run.
    pub days: u64,
    /// Symbol-days evaluated, wholly or in part; the others were reused.
    pub evaluated: u64,
    /// Reused units that were evaluated again as a check.
    pub checked: u64,
    /// How much of the files was read: `nothing`, `growth` or `whole`.
    pub files_read: String,
    /// What was evaluated and why; at most 64 spans, the earliest first.
    pub spans: Vec<WorkSpanRecord>,
}

/// What a run evaluated and why, and how much is kept for the next one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkRecord {
    /// Per symbol, in the order of the run; at most 1000.
    pub symbols: Vec<SymbolWorkRecord>,
    /// Units that were evicted during the run.
    pub evicted: u64,
    /// Units kept.
    pub cached_units: u64,
    /// Bytes of the units kept.
    pub cached_bytes: u64,
    /// The most bytes that are kept; 0 when nothing is.
    pub budget_bytes: u64,
}

impl WorkRecord {
    /// Cuts lists to what is kept.
    pub fn capped(mut self) -> Self {
        self.symbols.truncate(SYMBOLS_MAX);
        self.symbols.iter_mut().for_each(|symbol| symbol.spans.truncate(SPANS_MAX));
        self
    }
}

impl Record for WorkRecord {
    type Earlier = Self;
    const NAME: &'static str = "WorkRecord";
    const TYPE_ID: u16 = 9;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 4 << 20;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("symbols", self.symbols.len(), SYMBOLS_MAX)?;
        self.symbols.iter().try_for_each(|symbol| at_most("spans", symbol.spans.len(), SPANS_MAX))
    }
}

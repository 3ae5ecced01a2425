//! The driver: the one place that knows every stage.
//!
//! [`incremental()`] is the daily run: it prepares symbols, has the units evaluated that no earlier run holds, studies every style and
//! commits what was learned. Not here: formatting.

pub(crate) mod active;
pub mod adopt;
mod append_read;
pub mod clock;
mod decay;
pub mod deep_validation;
pub mod dry_run;
pub mod entry_list;
pub(crate) mod error;
mod event;
pub mod file_summary;
pub mod freshness;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/run.rs"]
pub(crate) mod fuzz;
pub mod given_signals;
pub(crate) mod halt;
pub(crate) mod incremental;
pub mod input_report;
pub mod issue_detail;
pub mod issues;
pub mod lessons;
pub mod losses;
mod memoised;
mod options;
mod prior_state;
pub mod recall;
pub mod records;
pub mod report;
mod resources;
pub mod result;
pub(crate) mod store_handle;
mod style;
pub(crate) mod symbol_evaluator;
pub(crate) mod symbol_job;
mod unit_counts;
pub mod units;
pub mod unreported;
pub(crate) mod window;
pub mod work;

pub use error::RunError;
pub use event::RunEvent;
pub use incremental::{incremental, incremental_to_tell};
pub use options::RunOptions;
pub use resources::room_at_first;
pub use unit_counts::{FilesRead, UnitCounts};

#[cfg(test)]
#[path = "../../tests/schemas/cache.rs"]
mod cache_format_tests;
#[cfg(test)]
mod fingerprint_tests;

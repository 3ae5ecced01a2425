//! The driver: the one place that knows every stage.
//!
//! [`incremental()`] is the daily run. A unit of work is a symbol-day ([`day`]), a pure function of candles and
//! [`plan`]; [`book`] puts them together per style and [`study`] searches and judges. Not here: formatting.

pub mod adopt;
mod answer;
pub mod axis_config;
pub mod book;
pub mod bot_keys;
pub mod captures;
pub mod clock;
pub mod config;
mod config_text;
pub mod day;
mod evaluation;
pub mod evidence;
pub mod export;
pub mod forecast;
pub mod found;
pub mod freshness;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/run.rs"]
pub(crate) mod fuzz;
mod growing;
mod halt;
pub mod health;
pub mod heap;
pub mod hindsight;
pub mod import;
mod incremental;
pub mod lessons;
pub mod lookahead;
mod memory;
pub mod network_config;
pub mod notes;
pub mod overdue;
pub mod own;
pub mod plan;
pub mod process;
pub mod quantity;
pub mod records;
pub mod regimes;
pub mod report;
mod resources;
pub mod reuse;
pub mod scrutiny;
pub mod series;
mod shelf;
pub mod signals;
pub mod spill;
pub mod study;
mod style;
mod symbol;
mod toml_error;
pub mod traded;
pub mod unit;
mod weights;

pub use incremental::{RunError, RunEvent, RunOptions, incremental, incremental_to_tell};
pub use resources::room_at_first;
pub use symbol::{FilesRead, UnitCounts};

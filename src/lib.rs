//! `retune` re-tunes a trading strategy's entry filters and exits against fresh market data.
//!
//! A [`Config`] over defaults gives a [`Plan`]; [`incremental`] reads candles by the plan, evaluates what no earlier run holds, studies
//! every [`Style`] and, with [`RunOptions::with_store`], commits what was learned; [`RunReport`] is what came of it, and
//! [`RunDocument`] the same as JSON. `tools/tune_folder.rs` is the whole of it as a program. A worker elsewhere may evaluate what a store
//! lacks: [`units`], and `tools/fill_units.rs`.
//!
//! Data flows one way, folder by folder: foreign files become candles (`ingest`), candles become features (`features`), features
//! become signals (`signals`), signals become outcomes (`exits`), outcomes become tallies, metrics and scores of every parameter set
//! (`evaluate`), the best are found (`search`), judged (`validate`) and compared with the active parameters (`decide`). Modules are
//! public for this package's own tests and tools; what is listed here is what others may build on.

// Configuration and plan.
pub use config::{Config, ConfigError};
pub use engine::plan::{DayLimits, Plan};
// A run.
pub use run::report::{RunReport, StyleReport};
pub use run::{RunError, RunEvent, RunOptions, incremental};
// Its units, evaluated elsewhere.
pub use run::units;
// What it decides.
pub use decide::{Decision, DecisionOutcome, RunResult};
pub use validate::assessment::Assurance;
pub use validate::verdict::Verdict;
// Values.
pub use model::{Candle, CandleSeries, Day, Interval, ParameterSet, Style, Symbol};
// What is remembered.
pub use store::{Location, Store, StoreError, View};
// As JSON.
pub use documents::document::Envelope;
pub use documents::run::RunDocument;

/// The folders in the order of data flow: a module uses only modules above it. Heap profiles know this program by them.
#[doc(hidden)]
pub const FOLDERS: [&str; 27] = [
    "model",
    "fingerprint",
    "ingest",
    "features",
    "exits",
    "signals",
    "evaluate",
    "search",
    "validate",
    "decide",
    "store",
    "engine",
    "config",
    "study",
    "judge",
    "run",
    "bot",
    "net",
    "fetch",
    "notify",
    "diagnose",
    "documents",
    "render",
    "legacy",
    "serve",
    "mcp",
    "cli",
];

#[doc(hidden)]
pub mod bot;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod decide;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod diagnose;
#[doc(hidden)]
pub mod documents;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod evaluate;
#[cfg(test)]
#[path = "../tests/schemas/axes.rs"]
mod exit_axes_tests;
#[doc(hidden)]
pub mod exits;
#[doc(hidden)]
pub mod features;
#[cfg(feature = "fetch")]
#[doc(hidden)]
pub mod fetch;
#[doc(hidden)]
pub mod fingerprint;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../tests/fuzz/mod.rs"]
#[doc(hidden)]
pub mod fuzz;
#[doc(hidden)]
pub mod ingest;
#[doc(hidden)]
pub mod judge;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod legacy;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod mcp;
#[doc(hidden)]
pub mod model;
#[cfg(feature = "net")]
#[doc(hidden)]
pub mod net;
#[cfg(feature = "notify")]
#[doc(hidden)]
pub mod notify;
#[doc(hidden)]
pub mod render;
#[doc(hidden)]
pub mod run;
#[doc(hidden)]
pub mod search;
#[cfg(feature = "serve")]
#[doc(hidden)]
pub mod serve;
#[doc(hidden)]
pub mod signals;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod study;
#[doc(hidden)]
pub mod validate;

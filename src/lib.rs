//! `retune` re-tunes a trading strategy's entry filters and exits against fresh market data.
//!
//! Data flows one way: foreign files become candles (`ingest`), candles become features (`features`), features
//! become signals (`signals`), signals become outcomes (`exits`), outcomes become tallies, metrics and scores of
//! every parameter set (`evaluate`), the best are found (`search`), judged (`validate`) and compared with the
//! active parameters (`decide`), and what was learned is remembered (`store`). `run` is the only place that
//! knows every stage.

pub mod bot;
pub mod cli;
pub mod config;
pub mod decide;
pub mod diagnose;
pub mod documents;
pub mod engine;
pub mod evaluate;
pub mod exits;
pub mod features;
pub mod fetch;
pub mod fingerprint;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../tests/fuzz/mod.rs"]
pub mod fuzz;
pub mod ingest;
pub mod legacy;
pub mod model;
pub mod net;
pub mod notify;
pub mod render;
pub mod run;
pub mod search;
pub mod signals;
pub mod store;
pub mod study;
pub mod validate;

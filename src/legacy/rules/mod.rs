//! The legacy system's rules on its own files, figure for figure, defects included.
//!
//! Invariant: everything is a pure function of its arguments.

pub mod capture;
pub mod cooldown;
pub mod metrics;
pub mod pauses;
pub mod phase4;
pub mod records;
pub mod report;
pub mod resolution;
pub mod settings;
pub mod statistics;
pub mod symbol_params;
pub mod timing;
pub mod trailing_stop;

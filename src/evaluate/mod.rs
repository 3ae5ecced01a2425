//! Outcomes become exact tallies of every parameter set, tallies become metrics and scores.
//!
//! Invariant: every statistic of the sweep equals that of the plain loop in [`replay`]; all sums are integers, so
//! nothing depends on threads or on order. Not here: what a dimension means (see `search`), IO.

pub mod daily;
pub mod lattice;
pub mod legacy_score;
pub mod metric_table;
pub mod metrics;
pub mod outcome_table;
pub mod portfolio;
pub mod replay;
pub mod score;
pub mod simd;
pub mod sweep;
pub mod uniqueness;

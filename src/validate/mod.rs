//! Judging a chosen parameter set on data it was not chosen on.
//!
//! Selection reads the early part only; the late part judges; between them lies a gap as long as the longest label,
//! so that no early outcome reaches into the late part. Not here: choosing.

pub mod agreement;
pub mod assessment;
pub mod grid;
pub mod normal;
pub mod regimes;
pub mod resample;
pub mod sharpe;
pub mod split;
pub mod verdict;

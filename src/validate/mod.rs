//! Judging a chosen parameter set on data it was not chosen on.
//!
//! Selection reads the early part only; the late part judges; between them lies a gap as long as the longest label,
//! so that no early outcome reaches into the late part. Not here: choosing.

pub mod agreement;
pub mod assessment;
pub mod auc;
pub mod bootstrap;
pub mod dependence;
pub mod equity;
pub mod grid;
pub mod multiple;
pub mod normal;
pub mod pair;
pub mod paths;
pub mod regimes;
pub mod resample;
pub mod sharpe;
pub mod spectrum;
pub mod split;
pub mod stepdown;
pub mod verdict;

//! Judging a chosen parameter set on data it was not chosen on.
//!
//! Selection reads the in-sample part only; the out-of-sample part judges; between them lies a gap as long as the longest label,
//! so that no early outcome reaches into the out-of-sample part. Not here: choosing.

pub mod agreement;
pub mod answer;
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
pub mod surface;
pub mod verdict;

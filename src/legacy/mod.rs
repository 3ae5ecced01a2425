//! What the legacy system computes from its opportunities, trades and snapshots, figure for figure.
//!
//! Two kinds of files live here. Most reproduce the legacy system so that its numbers can be compared and its files
//! inspected: the search with its statistics, the simulators, the four phases. Their defects are reproduced on purpose
//! and named by their number; nothing of that chooses a parameter. The others are rules the optimizer itself can use,
//! with the legacy figures as defaults: [`context`], [`anomalies`], [`compression`], [`insights`], [`cooldown`],
//! [`pauses`], [`regime`], [`symbol_params`], [`resolution`] and [`timing`].
//!
//! Invariant: everything is a pure function of its arguments; what the legacy drew at random takes a seed.
//! Not here: reading files (see `ingest`), and what was built already: candle features and the signal score
//! (`features`), the filter, the metrics and the score (`evaluate::legacy_metrics`).

pub mod anomalies;
pub mod compression;
pub mod context;
pub mod cooldown;
pub mod evolver;
pub mod exit_patterns;
pub mod exit_simulation;
pub mod exit_walk;
pub mod filter_matrix;
pub mod grid;
pub mod insights;
pub mod notification;
pub mod opportunities;
pub mod optimizer;
pub mod pauses;
pub mod phase2;
pub mod phase4;
pub mod records;
pub mod regime;
pub mod report;
pub mod resolution;
pub mod sampling;
pub mod separated;
pub mod settings;
pub mod statistics;
pub mod symbol_params;
pub mod timing;
pub mod trailing_stop;
pub mod trend_side;
pub mod weights;

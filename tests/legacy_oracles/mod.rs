//! What the legacy system computed, figure for figure, to hold our numbers against.
//!
//! The search with its statistics, the simulators, the phases and what was said about them. Defects are reproduced on
//! purpose and named by their number; nothing of that is part of the program. What its users still ask for stands in
//! `src/legacy`. Everything is a pure function of its arguments; what the legacy drew at random takes a seed.

pub(crate) mod anomalies;
pub(crate) mod compression;
pub(crate) mod context;
pub(crate) mod evolver;
pub(crate) mod exit_patterns;
pub(crate) mod exit_simulation;
pub(crate) mod exit_walk;
pub(crate) mod filter_matrix;
pub(crate) mod grid;
pub(crate) mod insights;
pub(crate) mod notification;
pub(crate) mod opportunities;
pub(crate) mod phase2;
pub(crate) mod regime;
pub(crate) mod sampling;
pub(crate) mod search;
pub(crate) mod separated;
pub(crate) mod signal_score;
pub(crate) mod statistics;
pub(crate) mod trend_side;
pub(crate) mod weights;

//! What the legacy system computed, figure for figure, to hold our numbers against.
//!
//! The search with its statistics, the simulators, the phases and what was said about them. Defects are reproduced on
//! purpose and named by their number; nothing of that is part of the program. What its users still ask for stands in
//! `src/legacy`. Everything is a pure function of its arguments; what the legacy drew at random takes a seed.

pub mod anomalies;
pub mod compression;
pub mod context;
pub mod evolver;
pub mod exit_patterns;
pub mod exit_simulation;
pub mod exit_walk;
pub mod filter_matrix;
pub mod grid;
pub mod insights;
pub mod notification;
pub mod opportunities;
pub mod phase2;
pub mod regime;
pub mod sampling;
pub mod search;
pub mod separated;
pub mod signal_score;
pub mod statistics;
pub mod trend_side;
pub mod weights;

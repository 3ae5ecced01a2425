//! Outcomes in, exact tallies of every parameter set out, and from those metrics and scores.

pub mod legacy_metrics;

//! What users of the legacy system still ask for: `inspect legacy`, `inspect trades` and `inspect params --resolve`.
//!
//! The figures are the legacy's own, defects included and named by their number; nothing of that chooses a parameter,
//! and nothing but `cli` uses this folder. Not here: reading files (see `ingest`); what only tests hold our numbers
//! against (see `tests/legacy_oracles`).

pub mod documents;
pub mod review;
pub mod rules;

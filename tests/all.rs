//! Integration tests, in one binary.
mod command;
mod documents;
mod ingest;
mod inspect;
mod legacy_metrics;
mod legacy_parity;
mod sample_data;
mod store;

//! Integration tests, in one binary.
mod architecture;
mod cli;
mod ingest;
mod legacy_metrics;
mod legacy_parity;
mod pipeline;
mod sample_data;
mod store;
mod sweep;

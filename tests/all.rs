//! Integration tests, in one binary.
mod architecture;
mod by_hand;
mod cli;
mod command;
mod documents;
mod exits;
mod incremental;
mod ingest;
mod inspect;
mod legacy_metrics;
mod legacy_parity;
mod own;
mod pipeline;
mod ranking;
mod sample_data;
mod store;
mod sweep;

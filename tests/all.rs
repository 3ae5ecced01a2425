//! Integration tests.
mod legacy_metrics;
mod legacy_parity;
mod sample_data;

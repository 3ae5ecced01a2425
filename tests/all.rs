//! Integration tests.
mod legacy_parity;
mod sample_data;

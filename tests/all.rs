//! Integration tests.
mod legacy_parity;

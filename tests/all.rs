//! Integration tests, in one binary.
mod legacy_parity;
mod store;

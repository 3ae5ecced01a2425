//! Integration tests.

mod ingest;

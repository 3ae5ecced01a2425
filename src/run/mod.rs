//! The driver: the one place that knows every stage.

pub mod book;
pub mod config;
pub mod day;
pub mod plan;
pub mod study;

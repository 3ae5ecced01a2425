//! Results as text, JSON documents and `learning_config.json`: formats numbers, computes none.

pub mod check;
pub mod document;
mod learning_config;
pub mod run;
pub mod table;

pub use learning_config::learning_config;

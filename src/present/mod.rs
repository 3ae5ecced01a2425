//! Results as text, JSON documents and `learning_config.json`: formats numbers, computes none.

pub mod document;
pub mod run;
pub mod table;

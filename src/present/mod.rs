//! Results as text, JSON documents and `learning_config.json`: formats numbers, computes none.

pub mod by_hand;
pub mod check;
pub mod config;
pub mod doctor;
pub mod document;
pub mod forecast;
pub mod inspect;
mod learning_config;
pub mod memory;
pub mod report;
pub mod run;
pub mod schema;
pub mod table;

pub use learning_config::learning_config;

//! Results as text, JSON documents and `learning_config.json`: formats numbers, computes none.

pub mod browser;
pub mod by_hand;
pub mod check;
pub mod config;
pub mod digest;
pub mod doctor;
pub mod document;
pub mod export;
pub mod fetch;
pub mod forecast;
pub mod freshness;
pub mod inspect;
mod learning_config;
pub mod listing;
pub mod lookahead;
pub mod memory;
pub mod notify;
pub mod report;
pub mod restore;
pub mod run;
pub mod schema;
pub mod table;
pub mod validate;

pub(crate) use learning_config::market;
pub use learning_config::{BotFile, Difference, bot_file, differences, learning_config};

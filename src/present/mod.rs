//! Results as people and other programs read them. Formats numbers, computes none.

mod learning_config;

pub use learning_config::learning_config;

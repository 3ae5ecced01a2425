//! The bot's file, `learning_config.json`: one table of its keys, what an import takes from it, what an export writes, and what
//! speaks against handing parameters over.

pub mod export_gate;
pub mod freqtrade;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/bot.rs"]
pub(crate) mod fuzz;
pub mod import;
pub mod keys;
pub(crate) mod learning_config;

pub use learning_config::market_name;
pub use learning_config::{
    BotFile, BotFileDifference, BotFileError, bot_file, find_differences, learning_config,
};

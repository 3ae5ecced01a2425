//! Looks at an installation, its data and its processes; changes nothing.

pub mod bot_files;
pub mod health;
pub mod heap;
pub mod hindsight;
pub mod installation;
pub mod lookahead;
pub mod process;

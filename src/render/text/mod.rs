//! Documents as text for people. A document has no text of its own: what draws it stands here, a file for each.

mod by_hand;
mod check;
mod config;
pub mod decision;
#[cfg(feature = "notify")]
pub mod digest;
mod doctor;
mod dry_run;
mod evidence;
mod export;
mod export_freqtrade;
#[cfg(feature = "fetch")]
mod fetch;
mod freshness;
pub mod inspect;
mod judge;
mod listing;
#[cfg(feature = "cli")]
mod lookahead;
#[cfg(feature = "cli")]
mod memory;
#[cfg(feature = "notify")]
mod notify;
#[cfg(feature = "cli")]
pub mod prometheus;
pub mod prose;
mod restore;
pub mod run;
#[cfg(feature = "cli")]
mod status;
mod style;
pub mod table;
mod validate;

//! One document per thing, with its text: formats numbers, computes none.

pub mod by_hand;
pub mod check;
pub mod config;
#[cfg(feature = "notify")]
pub mod digest;
pub mod doctor;
pub mod document;
pub mod dry_run;
pub mod export;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod freshness;
pub mod glossary;
pub mod inspect;
pub mod listing;
#[cfg(feature = "cli")]
pub mod lookahead;
#[cfg(feature = "cli")]
pub mod memory;
#[cfg(feature = "notify")]
pub mod notify;
pub mod restore;
pub mod run;
pub mod table;
pub mod validate;

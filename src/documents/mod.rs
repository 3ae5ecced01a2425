//! One document per thing, with its text: formats numbers, computes none.

pub mod by_hand;
pub mod check;
pub mod config;
pub mod digest;
pub mod doctor;
pub mod document;
pub mod dry_run;
pub mod export;
pub mod fetch;
pub mod freshness;
pub mod glossary;
pub mod inspect;
pub mod listing;
pub mod lookahead;
pub mod memory;
pub mod notify;
pub mod restore;
pub mod run;
pub mod table;
pub mod validate;

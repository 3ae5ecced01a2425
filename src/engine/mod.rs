//! The incremental engine: a plan, and its units of work.
//!
//! A unit is one style of one symbol on one UTC day, a pure function of candles, given signals and [`plan`]. [`reuse`] says which units of
//! earlier runs still hold; `pending` lists the others, `evaluation` fills them, `parcel` makes rows of them, or bytes that travel;
//! [`projection`] places a unit's entries in the lattice of the plan.

pub mod day;
pub mod entries;
pub(crate) mod evaluation;
mod outcome_bytes;
pub mod outcome_spill;
pub(crate) mod parcel;
pub(crate) mod pending;
pub mod plan;
pub mod projection;
pub mod reuse;
pub mod unit;
mod unit_bytes;
pub mod unit_schema;

#[cfg(test)]
pub(crate) mod fingerprint_tests;
#[cfg(test)]
mod plan_tests;

//! Features become signals: candidate entries with a direction and a style, from entry-time information only.
//! Signals that were given instead are placed on their candles in [`given`]. Opportunities, by hindsight, are kept apart in
//! [`opportunities`].

pub mod candidates;
pub mod given;
pub mod opportunities;

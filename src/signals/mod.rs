//! Features become signals: candidate entries with a direction and a style, from entry-time information only.
//! Opportunities, by hindsight, are kept apart in [`opportunities`].

pub mod candidates;
pub mod opportunities;

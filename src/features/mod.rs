//! Features: closed candles up to t in, what was knowable at t out.
//!
//! Invariant: every function here is pure and reads only the window it is given, whose last candle is the one
//! that closed at t; nothing after t can be passed in by accident because nothing else is an argument.
//! Not here: what happens after t, direction, scoring of outcomes.

pub mod kline_context;
pub mod legacy_score;
pub mod market_structure;
pub mod rounding;
pub mod sr_history;

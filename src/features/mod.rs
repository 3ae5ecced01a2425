//! Features: closed candles up to t in, what was knowable at t out.
//!
//! Invariant: every function here is pure and reads only the window it is given, whose last candle is the one
//! that closed at t; nothing after t can be passed in by accident because nothing else is an argument.
//! Not here: what happens after t, direction, scoring of outcomes.

pub mod catalog;
pub mod frame;
pub mod indicators;
pub mod kline_context;
pub mod levels;
pub mod market_structure;
pub mod patterns;
pub mod rounding;
pub mod score;
pub mod sr_history;
pub mod timeframes;

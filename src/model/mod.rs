//! Newtypes that carry units, and the plain data that flows between stages.
//!
//! Everything here is a value: no IO, no clock, no computation beyond unit conversion. A stage takes these in
//! and gives these out, so that any unit of work is a pure function of its inputs.

mod address;
mod breaks;
mod candle;
mod exit_rule;
mod foreign;
mod given;
mod market;
mod money;
mod outcome;
mod pair;
mod params;
mod signal;
mod style;
mod symbol;
mod time;
mod timeframes;

pub use address::{is_loopback, origin};
pub use breaks::{Break, Breaks, Run, SCALE_JUMP};
pub use candle::{Bars, Candle, CandleError, CandleSeries};
pub use exit_rule::{EXIT_AXES, ExitAxis, ExitRule, ExitUnit, Need};
pub use foreign::{EXCERPT_CHARS, escaped, excerpt, name_excerpt};
pub use given::{GivenSignal, GivenSignals};
pub use market::MarketKind;
pub use money::ReturnPpm;
pub use outcome::{ClosingOrder, ExitReason, Outcome, OutcomeRow, Outcomes, RowBuilder};
pub use pair::{Pair, is_quote};
pub use params::{FilterValue, ParameterSet};
pub use signal::{Direction, Setup, Sides};
pub use style::Style;
pub use symbol::Symbol;
pub use time::{DAY_MS, Day, HOUR_MS, Interval, IntervalError, MINUTE_MS, rfc3339};
pub use timeframes::Timeframes;

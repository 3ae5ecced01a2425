//! A signal and the candles that follow it become the outcomes of every exit rule, in one pass over the candles.

mod costs;
mod ends;
mod freqtrade;
mod levels;
mod mechanisms;
mod moving;
mod pass;
mod passage;
mod plan;
mod position;
mod surge;
mod targets;
mod trade;

pub use costs::{Costs, Fill, Fills, OpenTrade, TradeCosts};
pub use pass::ExitPass;
pub use plan::{ExitPlan, PlanError};
pub use position::Position;

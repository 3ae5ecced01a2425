//! A signal and the candles that follow it become the outcomes of every exit rule, in one pass over the candles.

mod costs;
mod passage;
mod plan;

pub use costs::{Costs, Fill, TradeCosts};
pub use plan::{ExitPlan, PlanError};

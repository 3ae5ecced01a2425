//! What sets made of the moves an oracle would have taken: for people, never for a choice.

use serde::{Deserialize, Serialize};

use crate::evaluate::replay::Tally;

/// One set, every signal a trade of its own.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Capture {
    /// Moves with a trade at their beginning, on their side.
    pub captured: u64,
    /// Moves without one.
    pub missed: u64,
    /// All trades.
    pub trades: u64,
    /// Trades at no move.
    pub false_entries: u64,
    /// What all trades came to after costs; percent.
    pub net_pct: f64,
}

impl From<&Tally> for Capture {
    fn from(tally: &Tally) -> Self {
        let trades = u64::from(tally.point.trades);
        Self {
            captured: tally.captured,
            missed: tally.opportunities - tally.captured,
            trades,
            false_entries: trades - tally.capturing,
            net_pct: tally.point.total_return_pct(),
        }
    }
}

/// The best set beside the one active, on the same days.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Captures {
    /// The best set.
    pub best: Capture,
    /// The active set, where it was measured.
    pub in_force: Option<Capture>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_captures_what_its_tally_says() {
        let tally = Tally { captured: 3, capturing: 4, opportunities: 10, ..Tally::default() };
        let tally = Tally { point: crate::evaluate::sweep::GridPoint { trades: 9, ..tally.point }, ..tally };
        let best = Capture::from(&tally);
        assert_eq!((best.captured, best.missed, best.trades, best.false_entries), (3, 7, 9, 5));
    }
}

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

const BEST: [&str; 5] = [
    "hindsight_captured",
    "hindsight_missed",
    "hindsight_trades",
    "hindsight_false_entries",
    "hindsight_net_pct",
];
const IN_FORCE: [&str; 5] = [
    "in_force_hindsight_captured",
    "in_force_hindsight_missed",
    "in_force_hindsight_trades",
    "in_force_hindsight_false_entries",
    "in_force_hindsight_net_pct",
];

impl Captures {
    /// Returns every figure, by name.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, f64)> + use<> {
        let named = |names: [&'static str; 5], capture: Capture| {
            let Capture { captured, missed, trades, false_entries, net_pct } = capture;
            let counts = [captured, missed, trades, false_entries].map(|count| count as f64);
            names.into_iter().zip(counts.into_iter().chain([net_pct]))
        };
        named(BEST, self.best)
            .chain(self.in_force.map(|capture| named(IN_FORCE, capture)).into_iter().flatten())
    }

    /// Reads [`Captures::figures`]; `None` where there are none.
    pub fn of_figures(figure: impl Fn(&str) -> Option<f64>) -> Option<Self> {
        let read = |names: [&str; 5]| {
            let [captured, missed, trades, false_entries, net_pct] = names.map(&figure);
            Some(Capture {
                captured: captured? as u64,
                missed: missed? as u64,
                trades: trades? as u64,
                false_entries: false_entries? as u64,
                net_pct: net_pct?,
            })
        };
        Some(Self { best: read(BEST)?, in_force: read(IN_FORCE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_they_were_named() {
        let tally = Tally { captured: 3, capturing: 4, opportunities: 10, ..Tally::default() };
        let tally = Tally { point: crate::evaluate::sweep::GridPoint { trades: 9, ..tally.point }, ..tally };
        let best = Capture::from(&tally);
        assert_eq!((best.captured, best.missed, best.trades, best.false_entries), (3, 7, 9, 5));
        let other = Capture { net_pct: -1.5, trades: 2, ..Capture::default() };
        for captures in [Captures { best, in_force: None }, Captures { best, in_force: Some(other) }] {
            let figures: Vec<_> = captures.figures().collect();
            let figure =
                |name: &str| figures.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(Captures::of_figures(figure), Some(captures));
        }
        assert_eq!(Captures::of_figures(|_| None), None);
    }
}

//! A position: where it is entered, and what is known then.

use crate::model::{Bars, Direction};

/// A position to follow: where it is entered, and what is known then.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    /// Candles that go on from one to the next, as far as they do around the entry; see [`crate::model::Breaks::run`].
    pub bars: Bars<'a>,
    /// Index of the entry candle; the entry is its open.
    pub entry: usize,
    /// Side.
    pub direction: Direction,
    /// ATR(14) at the signal; price units.
    pub atr: f64,
    /// Score of the signal, 0..=100; `None` where it has none.
    pub score: Option<f64>,
    /// The candle from the entry on at whose open the given signal has its exit; `None` where it has none.
    pub exit_at: Option<u16>,
}

impl Position<'_> {
    /// Returns the entry price.
    pub fn entry_price(&self) -> f64 {
        self.bars.open[self.entry]
    }
}

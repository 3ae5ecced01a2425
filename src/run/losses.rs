//! What signals and candles are lost by.

use crate::engine::unit::SkipCounts;

/// What signals and candles are lost by: the name in documents, and in words. The first five are why signals of days that count
/// are not used.
pub const LOSSES: [(&str, &str); 7] = [
    ("no_entry", "without a candle at their entry"),
    ("no_atr", "before ATR(14) is known (15 candles that move)"),
    ("rescaled", "across a price in another scale"),
    ("pending", "that wait for candles"),
    ("filtered", "that pass no filter"),
    ("cut", "closed at the last close before a gap under some exit rule"),
    ("blind", "candles too soon after a gap, or after the first, to look for signals at"),
];

/// What missing candles, and prices in another scale, cost a symbol in one style.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SymbolLosses {
    /// Its name.
    pub symbol: String,
    /// Candidates that come to nothing, by reason.
    pub lost: SkipCounts,
    /// Candles at which no signal could be looked for.
    pub blind: u64,
    /// Signals in the lattice that some exit rule closes at the last close before a gap.
    pub cut: u64,
}

impl SymbolLosses {
    /// Returns the losses of all symbols together.
    pub fn sum(losses: &[Self]) -> Self {
        losses.iter().fold(Self::default(), |mut all, own| {
            all.lost += own.lost;
            all.blind += own.blind;
            all.cut += own.cut;
            all
        })
    }

    /// Returns everything that was lost, with the name in documents and in words.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
        let lost = self.lost.reasons().into_iter().zip(LOSSES);
        let lost = lost.map(|((name, count), (_, what))| (name, u64::from(count), what));
        let of = |(name, what): (&'static str, &'static str), count| (name, count, what);
        let (cut, blind) = (of(LOSSES[5], self.cut), of(LOSSES[6], self.blind));
        lost.chain([cut, blind]).filter(|(_, count, _)| *count > 0)
    }
}

/// Returns the signals of days that count and are not used, by the name of [`LOSSES`] and in words.
pub(super) fn unused_signals(
    (signals, in_lattice, pending): (u64, u64, u64),
    losses: &[SymbolLosses],
) -> Vec<(&'static str, u64, &'static str)> {
    let lost = SymbolLosses::sum(losses).lost.reasons().map(|(_, count)| u64::from(count));
    let counts = lost.into_iter().chain([pending, signals - in_lattice]);
    let all = LOSSES.into_iter().zip(counts).map(|((name, what), count)| (name, count, what));
    all.filter(|(_, count, _)| *count > 0).collect()
}

//! Canonical bytes and the keys made of them.
//!
//! A fingerprint covers values, never files, paths, times of modification or serde output: lengths are prefixed,
//! integers are little endian, enums go in as explicit ordinals, -0.0 is 0.0 and NaN is refused. Each kind of
//! fingerprint has a domain of its own, so that equal bytes of different meaning never collide.

use std::fmt;
use std::ops::Range;

use crate::model::{Bars, Direction, GivenSignal, GivenSignals};

/// A blake3 hash of canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Collects canonical bytes.
#[derive(Debug, Clone)]
pub struct Canonical(blake3::Hasher);

impl Canonical {
    /// Starts a fingerprint of a domain, e.g. `retune candles v1`; a new meaning needs a new domain.
    pub fn new(domain: &'static str) -> Self {
        Self(blake3::Hasher::new_derive_key(domain))
    }

    /// Adds an unsigned number.
    pub fn count(mut self, value: u64) -> Self {
        self.0.update(&value.to_le_bytes());
        self
    }

    /// Adds a signed number.
    pub fn signed(mut self, value: i64) -> Self {
        self.0.update(&value.to_le_bytes());
        self
    }

    /// Adds a float. Panics on NaN: a value that is not equal to itself has no fingerprint.
    pub fn float(mut self, value: f64) -> Self {
        self.0.update(&canonical_bits(value).to_le_bytes());
        self
    }

    /// Adds a sequence of floats with its length.
    pub fn floats(self, values: &[f64]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| canonical_bits(*value).to_le_bytes()).collect();
        self.count(values.len() as u64).bytes(&bytes)
    }

    /// Adds text with its length.
    pub fn text(mut self, value: &str) -> Self {
        self = self.count(value.len() as u64);
        self.0.update(value.as_bytes());
        self
    }

    /// Adds bytes.
    pub fn blob(self, value: &[u8]) -> Self {
        self.count(value.len() as u64).bytes(value)
    }

    /// Adds another fingerprint.
    pub fn nested(mut self, value: Fingerprint) -> Self {
        self.0.update(&value.0);
        self
    }

    /// Adds a sequence of fingerprints, `None` as a count of 0; many at once cost less than one after the other.
    pub fn sequence(self, prints: impl Iterator<Item = Option<Fingerprint>>) -> Self {
        let mut bytes = Vec::with_capacity(prints.size_hint().0 * 32);
        for print in prints {
            match print {
                Some(print) => bytes.extend_from_slice(&print.0),
                None => bytes.extend_from_slice(&0_u64.to_le_bytes()),
            }
        }
        self.bytes(&bytes)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    /// Returns the fingerprint.
    pub fn finish(self) -> Fingerprint {
        Fingerprint(*self.0.finalize().as_bytes())
    }
}

fn canonical_bits(value: f64) -> u64 {
    assert!(!value.is_nan(), "a value with a fingerprint is a number");
    // Adding zero turns -0.0 into 0.0 and changes nothing else.
    (value + 0.0).to_bits()
}

/// Canonical bytes of a candle.
const CANDLE_BYTES: usize = 48;

/// Returns the fingerprint of candles: interval, then all six columns of every candle in time order.
pub fn of_candles(bars: Bars<'_>) -> Fingerprint {
    let Bars { interval, open_time, open, high, low, close, volume } = bars;
    let mut hash = Canonical::new("retune candles v1").signed(interval.ms()).count(bars.len() as u64);
    let mut bytes = Vec::with_capacity(CANDLE_BYTES * bars.len().min(1024));
    for i in 0..bars.len() {
        bytes.extend_from_slice(&open_time[i].to_le_bytes());
        for column in [open, high, low, close, volume] {
            bytes.extend_from_slice(&canonical_bits(column[i]).to_le_bytes());
        }
        if bytes.len() + CANDLE_BYTES > bytes.capacity() {
            hash.0.update(&bytes);
            bytes.clear();
        }
    }
    hash.0.update(&bytes);
    hash.finish()
}

/// Returns the fingerprint of some given signals of a symbol: the names of the columns, then every row in order.
pub fn of_signals(given: &GivenSignals, range: Range<usize>) -> Fingerprint {
    let (columns, signals, values) = given.parts();
    let width = columns.len();
    let mut hash = Canonical::new("retune given signals v1").count(width as u64);
    hash = columns.iter().fold(hash, |hash, column| hash.text(column)).count(range.len() as u64);
    for index in range.clone() {
        let GivenSignal { time_ms, direction, style, atr, exit_ms: _ } = signals[index];
        let direction = match direction {
            Direction::Long => 0,
            Direction::Short => 1,
        };
        let style = style.map_or(0, |style| 1 + u64::from(style.ordinal()));
        hash = hash.signed(time_ms).count(direction).count(style);
        let values = &values[index * width..(index + 1) * width];
        let values = values.iter().map(|value| Some(*value).filter(|v| !v.is_nan()));
        hash = std::iter::once(atr).chain(values).fold(hash, |hash, value| match value {
            Some(value) => hash.count(1).float(value),
            None => hash.count(0),
        });
    }
    // Signals without exits have the prints of before there were some.
    let exits = signals[range].iter().map(|signal| signal.exit_ms);
    if exits.clone().any(|exit| exit.is_some()) {
        hash = exits.fold(hash.text("exits"), |hash, exit| match exit {
            Some(exit) => hash.count(1).signed(exit),
            None => hash.count(0),
        });
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Style;

    #[test]
    fn equal_values_have_equal_prints_and_shifted_borders_do_not() {
        let print = |a: &str, b: &str| Canonical::new("retune test v1").text(a).text(b).finish();
        assert_eq!(print("ab", "c"), print("ab", "c"));
        assert_ne!(print("ab", "c"), print("a", "bc"));
        let zero = |value| Canonical::new("retune test v1").float(value).finish();
        assert_eq!(zero(0.0), zero(-0.0));
        assert_ne!(Canonical::new("retune a v1").finish(), Canonical::new("retune b v1").finish());
    }

    #[test]
    fn given_signals_differ_by_every_part_of_a_row() {
        let long =
            GivenSignal { time_ms: 1, direction: Direction::Long, style: None, atr: None, exit_ms: None };
        let print = |signal: GivenSignal, value: f64| {
            let mut given = GivenSignals::none(["a".to_owned()].into());
            given.push(signal, [value].into_iter());
            (of_signals(&given, 0..1), of_signals(&given, 0..0))
        };
        let (one, none) = print(long, 2.0);
        let others = [
            print(GivenSignal { time_ms: 2, ..long }, 2.0).0,
            print(GivenSignal { direction: Direction::Short, ..long }, 2.0).0,
            print(GivenSignal { style: Some(Style::Scalping), ..long }, 2.0).0,
            print(GivenSignal { atr: Some(2.0), ..long }, 2.0).0,
            print(GivenSignal { exit_ms: Some(2), ..long }, 2.0).0,
            print(GivenSignal { exit_ms: Some(3), ..long }, 2.0).0,
            print(long, 0.0).0,
            print(long, f64::NAN).0,
            none,
        ];
        let distinct: std::collections::BTreeSet<Fingerprint> = others.into_iter().chain([one]).collect();
        assert_eq!(distinct.len(), 10);
        assert_eq!(print(long, 0.0), print(long, -0.0));
        assert_eq!(none.to_string(), "7607852f2b834e7e");
    }

    /// Pinned: if this changes, every stored fingerprint is void and the domains need a new version.
    #[test]
    fn the_encoding_is_pinned() {
        let print = Canonical::new("retune test v1")
            .count(7)
            .signed(-3)
            .float(1.5)
            .floats(&[0.25])
            .text("BTCUSDT")
            .finish();
        assert_eq!(print.to_string(), "4c7b175dc8acd61a");
    }
}

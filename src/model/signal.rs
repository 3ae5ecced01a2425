//! What a signal is made of: direction and setup.

use super::style::Style;

/// The side of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Long,
    Short,
}

impl Direction {
    /// Returns +1 for long, -1 for short.
    pub fn sign(self) -> f64 {
        match self {
            Self::Long => 1.0,
            Self::Short => -1.0,
        }
    }
}

/// The sides that may be traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sides {
    /// Long and short.
    #[default]
    Both,
    /// One of them.
    Only(Direction),
}

impl Sides {
    /// Returns whether a side may be traded.
    pub fn allow(self, direction: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::Only(own) => own == direction,
        }
    }

    /// Returns the name used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Only(Direction::Long) => "long",
            Self::Only(Direction::Short) => "short",
        }
    }
}

/// The entry-time pattern that made a candidate a signal of its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setup {
    /// Scalping: a pin bar or engulfing candle at support (long) or resistance (short).
    ReversalAtLevel,
    /// Scalping: extreme volume with a wide candle.
    VolumeBurst,
    /// Scalping: momentum on the base interval without a higher-timeframe trend behind it.
    RangeMomentum,
    /// Swing: the base-interval trend has just turned towards the higher timeframes.
    TrendInitiation,
    /// Swing: price came back to its average inside a higher-timeframe trend.
    Pullback,
    /// Swing: price goes on in the direction of the higher-timeframe trend.
    Continuation,
    /// The user gave the signal; why is not known.
    Given,
}

impl Setup {
    /// Returns what it is called in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReversalAtLevel => "reversal at a level",
            Self::VolumeBurst => "volume burst",
            Self::RangeMomentum => "momentum in a range",
            Self::TrendInitiation => "trend initiation",
            Self::Pullback => "pullback",
            Self::Continuation => "continuation",
            Self::Given => "given signals",
        }
    }

    /// Returns the style this setup belongs to; `None` for a given signal, which says so itself.
    pub fn style(self) -> Option<Style> {
        match self {
            Self::ReversalAtLevel | Self::VolumeBurst | Self::RangeMomentum => Some(Style::Scalping),
            Self::TrendInitiation | Self::Pullback | Self::Continuation => Some(Style::Swing),
            Self::Given => None,
        }
    }
}

//! Kinds of markets: the same symbol has another price in each.

use std::fmt;
use std::str::FromStr;

/// Where a symbol is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarketKind {
    /// Coins against money.
    Spot,
    /// Perpetual contracts that money settles.
    UsdtM,
    /// Perpetual contracts that the coin settles.
    CoinM,
    /// Contracts that end on a day.
    Dated,
}

impl MarketKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Spot, Self::UsdtM, Self::CoinM, Self::Dated];

    /// Returns the name that commands and documents use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::UsdtM => "usdt-m",
            Self::CoinM => "coin-m",
            Self::Dated => "dated",
        }
    }
}

impl fmt::Display for MarketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MarketKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| format!("expected spot, usdt-m, coin-m or dated, found {text:?}"))
    }
}

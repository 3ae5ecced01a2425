//! What kind of market it is, from the trends and the volatility of several coins, and how to trade it.

use super::statistics::mean;
use super::trend_side::{count, side};
use retune::features::rounding::round_decimals;
use retune::model::{Direction, Style};

/// What is known of a coin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CoinState<'a> {
    /// Name.
    pub coin: &'a str,
    /// Trend labels of 4 hours, 1 hour and 15 minutes; a weakening trend has its side.
    pub trends: [&'a str; 3],
    /// ATR in quote currency, 0 where it is not known.
    pub atr: f64,
    /// Price in quote currency.
    pub price: f64,
    /// Change of the price in percent.
    pub price_change_pct: f64,
}

/// Which way most coins go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverallTrend {
    Bullish,
    Bearish,
    Ranging,
}

/// Whether coins trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarketType {
    Trending,
    Choppy,
    Neutral,
}

/// How much coins move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Volatility {
    Low,
    Medium,
    High,
}

/// What a market is traded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    Scalping,
    Swing,
    Hold,
}

macro_rules! words {
    ($name:ty { $($variant:ident => $word:literal),+ }) => {
        impl $name {
            /// Returns the legacy word.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words!(OverallTrend { Bullish => "bullish", Bearish => "bearish", Ranging => "ranging" });
words!(MarketType { Trending => "trending", Choppy => "choppy", Neutral => "neutral" });
words!(Volatility { Low => "low", Medium => "medium", High => "high" });
words!(Strategy { Scalping => "scalping", Swing => "swing", Hold => "hold" });

/// The kind of market.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Regime {
    /// Which way most coins go.
    pub trend: OverallTrend,
    /// How clearly, 0..=100.
    pub strength: u32,
    /// Whether coins trend.
    pub market: MarketType,
    /// Share of coins with two of three labels on one side, in [0, 1].
    pub trending_share: f64,
    /// How much coins move.
    pub volatility: Volatility,
    /// The mean of relative ranges and price changes, percent.
    pub volatility_pct: f64,
    /// How to trade it.
    pub strategy: Strategy,
    /// How surely, in [0, 1].
    pub confidence: f64,
    /// Coins with a bullish, a bearish and no 4-hour trend.
    pub counts: [u64; 3],
    /// Coins that trend, in their order.
    pub trending: Vec<String>,
    /// The others.
    pub choppy: Vec<String>,
}

/// Returns the regime of coins; without any a market about which nothing is known, to be waited out.
///
/// Cost:      O(coins)
/// Source:    section 16 of the legacy specification
pub(crate) fn regime(coins: &[CoinState<'_>]) -> Regime {
    if coins.is_empty() {
        return Regime::unknown();
    }
    let share = |direction| {
        let on_side = |timeframe: usize| {
            coins.iter().filter(|coin| side(coin.trends[timeframe]) == Some(direction)).count() as f64
        };
        (0.6 * on_side(0) + 0.4 * on_side(1)) / coins.len() as f64 * 100.0
    };
    let (bull, bear) = (share(Direction::Long), share(Direction::Short));
    let (trend, strength) = match (bull, bear) {
        (bull, _) if bull > 60.0 => (OverallTrend::Bullish, bull),
        (_, bear) if bear > 60.0 => (OverallTrend::Bearish, bear),
        _ => (OverallTrend::Ranging, 100.0 - bull.max(bear)),
    };
    let trends = |coin: &&CoinState<'_>| {
        [Direction::Long, Direction::Short].into_iter().any(|direction| count(&coin.trends, direction) >= 2)
    };
    let (trending, choppy): (Vec<_>, Vec<_>) = coins.iter().partition(trends);
    let trending_share = trending.len() as f64 / coins.len() as f64;
    let market = match trending_share {
        share if share >= 0.6 => MarketType::Trending,
        share if share <= 0.3 => MarketType::Choppy,
        _ => MarketType::Neutral,
    };
    let volatility_pct = volatility_pct(coins);
    let volatility = match volatility_pct {
        pct if pct >= 3.0 => Volatility::High,
        pct if pct >= 1.5 => Volatility::Medium,
        _ => Volatility::Low,
    };
    let (strategy, confidence) = strategy(market, strength, volatility);
    let on_side = |wanted| coins.iter().filter(|coin| side(coin.trends[0]) == wanted).count() as u64;
    let names = |coins: &[&CoinState<'_>]| coins.iter().map(|coin| coin.coin.to_owned()).collect();
    Regime {
        trend,
        strength: strength as u32,
        market,
        trending_share,
        volatility,
        volatility_pct,
        strategy,
        confidence,
        counts: [on_side(Some(Direction::Long)), on_side(Some(Direction::Short)), on_side(None)],
        trending: names(&trending),
        choppy: names(&choppy),
    }
}

fn volatility_pct(coins: &[CoinState<'_>]) -> f64 {
    let range =
        |coin: &CoinState<'_>| (coin.atr > 0.0 && coin.price > 0.0).then(|| coin.atr / coin.price * 100.0);
    let all = coins.iter().flat_map(|coin| [range(coin), Some(coin.price_change_pct.abs())]).flatten();
    mean(all)
}

fn strategy(market: MarketType, strength: f64, volatility: Volatility) -> (Strategy, f64) {
    match (market, volatility) {
        (MarketType::Trending, _) if strength > 70.0 => (Strategy::Swing, 0.85),
        (MarketType::Choppy, Volatility::Medium | Volatility::High) => (Strategy::Scalping, 0.80),
        (_, Volatility::Low) => (Strategy::Hold, 0.75),
        (_, Volatility::High) => (Strategy::Scalping, 0.70),
        _ => (Strategy::Swing, 0.65),
    }
}

impl Regime {
    fn unknown() -> Self {
        Self {
            trend: OverallTrend::Ranging,
            strength: 50,
            market: MarketType::Neutral,
            trending_share: 0.0,
            volatility: Volatility::Medium,
            volatility_pct: 0.0,
            strategy: Strategy::Hold,
            confidence: 0.5,
            counts: [0; 3],
            trending: Vec::new(),
            choppy: Vec::new(),
        }
    }

    /// Returns the volatility as the legacy shows it.
    pub(crate) fn volatility_shown(&self) -> f64 {
        round_decimals(self.volatility_pct, 2)
    }

    /// Returns the legacy sentences.
    pub(crate) fn reasoning(&self) -> String {
        if self.trending.is_empty() && self.choppy.is_empty() {
            return "Insufficient data for market regime analysis".to_owned();
        }
        let (trend, volatility, pct) = (self.trend.as_str(), self.volatility.as_str(), self.volatility_pct);
        let (aligned, ranging) = (100.0 * self.trending_share, 100.0 * (1.0 - self.trending_share));
        match (self.strategy, self.market) {
            (Strategy::Swing, MarketType::Trending) if self.confidence > 0.8 => format!(
                "Strong {trend} trend ({}%) | Trending market ({aligned:.0}% coins aligned) | → Swing trading \
                 recommended for trend-following",
                self.strength
            ),
            (Strategy::Scalping, MarketType::Choppy) => {
                let volatility = volatility[..1].to_uppercase() + &volatility[1..];
                format!(
                    "Choppy market ({ranging:.0}% coins ranging) | {volatility} volatility ({pct:.1}%) | → Scalping \
                     recommended for quick in-out"
                )
            }
            (Strategy::Hold, _) => {
                format!("Low volatility ({pct:.1}%) | → Market too quiet, wait for better setup")
            }
            (Strategy::Scalping, _) => {
                "Neutral market with high volatility | → Scalping for short-term opportunities".to_owned()
            }
            _ => format!("Neutral market, {trend} bias | → Swing for selective opportunities"),
        }
    }
}

/// How exits change with the range of a coin: factors, and whether levels of support and resistance are used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ExitAdjustment {
    pub target: f64,
    pub stop: f64,
    pub holding: f64,
    /// `None` leaves it as it is.
    pub use_levels: Option<bool>,
}

/// Returns how exits change for an ATR in percent of the price: below 1 is quiet, above 2.5 wild.
pub(crate) fn exit_adjustment(atr_pct: f64, style: Style) -> ExitAdjustment {
    let same = ExitAdjustment { target: 1.0, stop: 1.0, holding: 1.0, use_levels: None };
    match (style, atr_pct) {
        (Style::Scalping, pct) if pct < 1.0 => ExitAdjustment { target: 0.8, holding: 1.2, ..same },
        (Style::Scalping, pct) if pct > 2.5 => ExitAdjustment { stop: 1.3, holding: 0.8, ..same },
        (Style::Swing, pct) if pct < 1.0 => ExitAdjustment { target: 0.9, use_levels: Some(true), ..same },
        (Style::Swing, pct) if pct > 2.5 => ExitAdjustment { stop: 1.2, use_levels: Some(false), ..same },
        _ => same,
    }
}

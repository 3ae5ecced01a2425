//! `optimizer fetch`: candles from an exchange; refused by a program that cannot ask one.

#[cfg(feature = "fetch")]
mod fetched;

use std::path::PathBuf;

use super::values;
use crate::model::Day;

#[cfg(feature = "fetch")]
pub(super) use fetched::run;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Symbols as the exchange writes them, e.g. BTCUSDT,ETHUSDT
    #[arg(long, required = true, value_delimiter = ',', value_name = "A,B")]
    symbols: Vec<String>,
    /// First day, YYYY-MM-DD
    #[arg(long, value_name = "DAY", value_parser = values::day)]
    since: Day,
    /// First day not fetched, YYYY-MM-DD [default: up to the last closed candle]
    #[arg(long, value_name = "DAY", value_parser = values::day)]
    until: Option<Day>,
    /// Interval of the candles [default: data.base_interval of the configuration]
    #[arg(long, value_name = "15m")]
    interval: Option<String>,
    /// Where the symbols trade
    #[arg(long, value_enum, default_value_t = MarketName::Spot)]
    market: MarketName,
    /// The exchange's interface, or its published archives of months and days
    #[arg(long, value_enum, default_value_t = SourceName::Rest)]
    source: SourceName,
    /// Address to ask instead of the exchange's usual one
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Folder for the files; each market has one of its own in it
    #[arg(long, default_value = "candles", value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum MarketName {
    Spot,
    UsdtM,
}

impl MarketName {
    /// Returns the name of the market's folder.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::UsdtM => "usdt-m",
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SourceName {
    Rest,
    Archive,
}

/// Refuses to ask anybody.
#[cfg(not(feature = "fetch"))]
pub(super) fn run(_: &super::context::Context, _: &Arguments) -> Result<u8, super::failure::Failure> {
    Err(super::failure::Failure::of_missing("optimizer fetch", "fetch"))
}

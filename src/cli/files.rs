//! The flags of every command that reads candles: which of the files found are read.

use crate::ingest::Glob;
use crate::model::MarketKind;

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct FileArguments {
    /// Only files of this market, as their names or folders say: spot, usdt-m, coin-m, dated
    #[arg(long, value_name = "MARKET")]
    market: Option<MarketKind>,
    /// Leave out files and folders with such names, e.g. "*-mark.feather" or "futures/*"; repeatable
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Glob>,
}

impl FileArguments {
    /// Returns the keys of the configuration that they stand for.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let text = |text: &str| toml::Value::String(text.to_owned());
        let market = self.market.map(|market| ("data.market", text(market.as_str()).to_string()));
        let patterns = self.exclude.iter().map(|glob| text(glob.as_str())).collect();
        let exclude =
            (!self.exclude.is_empty()).then(|| ("data.exclude", toml::Value::Array(patterns).to_string()));
        market.into_iter().chain(exclude).collect()
    }
}

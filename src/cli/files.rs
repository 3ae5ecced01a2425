//! The flags of every command that reads candles: which of the files found are read.

use std::path::PathBuf;

use super::context::Context;
use super::failure::Failure;
use crate::config::Config;
use crate::ingest::{Glob, freqtrade_folder, freqtrade_market};
use crate::model::MarketKind;

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct FileArguments {
    /// Only files of this market, as their names or folders say: spot, usdt-m, coin-m, dated
    #[arg(long, value_name = "MARKET")]
    market: Option<MarketKind>,
    /// Only files of this exchange, as their names or folders say, e.g. binance
    #[arg(long, value_name = "NAME")]
    exchange: Option<String>,
    /// Leave out files and folders with such names, e.g. "*-mark.feather" or "futures/*"; repeatable
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Glob>,
}

impl FileArguments {
    /// Returns the keys of the configuration that they stand for.
    fn flags(&self) -> Vec<(&'static str, String)> {
        let text = |text: &str| toml::Value::String(text.to_owned());
        let market = self.market.map(|market| ("data.market", text(market.as_str()).to_string()));
        let exchange = self.exchange.as_ref().map(|name| ("data.exchange", text(name).to_string()));
        let patterns = self.exclude.iter().map(|glob| text(glob.as_str())).collect();
        let exclude =
            (!self.exclude.is_empty()).then(|| ("data.exclude", toml::Value::Array(patterns).to_string()));
        market.into_iter().chain(exchange).chain(exclude).collect()
    }

    /// Returns the effective configuration of a command that reads candles of these paths, or of those of the configuration.
    ///
    /// A folder of freqtrade without futures says by itself that its market is spot, where an account cannot short.
    pub(crate) fn config(
        &self,
        context: &Context,
        mut flags: Vec<(&'static str, String)>,
        data: &[PathBuf],
    ) -> Result<Config, Failure> {
        flags.extend(self.flags());
        let config = context.config(&flags)?;
        let selection = config.selection()?;
        let paths = if data.is_empty() { &config.data.paths } else { data };
        let folders = paths.iter().filter_map(|path| freqtrade_folder(path));
        for folder in folders.filter(|_| selection.market.is_none()) {
            // What is wrong with a folder is told by whoever reads it.
            let market = freqtrade_market(&folder, selection.exchange.as_deref());
            if let Ok(Some(market)) = market {
                flags.push(("data.market", toml::Value::String(market.to_string()).to_string()));
                return context.config(&flags);
            }
        }
        Ok(config)
    }
}

//! `optimizer fetch`: candles from an exchange.

use std::path::PathBuf;

use super::context::Context;
use super::failure::Failure;
use super::values;
use crate::documents::fetch::FetchDocument;
use crate::fetch::{EXCHANGES, Fetched, Market, Request, Source, Ticker, fetch, interval};
use crate::model::Day;
use crate::net::Endpoint;

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
    pub(super) fn market(self) -> Market {
        match self {
            Self::Spot => Market::Spot,
            Self::UsdtM => Market::UsdtM,
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SourceName {
    Rest,
    Archive,
}

/// Carries out the command; what was done is told before what failed.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Failure> {
    let config = context.config(&[])?;
    let limits = config.fetch_limits()?;
    let request = request(context, arguments, &config.data.base_interval)?;
    let stop = context.listen()?;
    let progress = context.progress();
    let fetched = fetch(&request, limits, &stop, &|event| progress.on_fetch(&event));
    progress.finish();
    let fetched = fetched?;
    context.print(FetchDocument::new(&request, &fetched), FetchDocument::text)?;
    match first_failure(&fetched) {
        Some(failure) => Err(failure),
        None => Ok(0),
    }
}

/// Returns what ended the whole, else what is wrong with the first symbol that failed.
fn first_failure(fetched: &Fetched) -> Option<Failure> {
    let of_symbols = fetched.symbols.iter().find_map(|symbol| symbol.error.as_ref());
    fetched.error.as_ref().or(of_symbols).map(Failure::of_fetch)
}

fn request(context: &Context, arguments: &Arguments, base_interval: &str) -> Result<Request, Failure> {
    let (exchange, market) = (EXCHANGES[0], arguments.market.market());
    let source = match arguments.source {
        SourceName::Rest => Source::Rest,
        SourceName::Archive => Source::Archive,
    };
    let interval = interval(exchange, arguments.interval.as_deref().unwrap_or(base_interval))?;
    let mut tickers: Vec<Ticker> = Vec::new();
    for name in &arguments.symbols {
        let ticker = Ticker::parse(name, interval)?;
        if !tickers.contains(&ticker) {
            tickers.push(ticker);
        }
    }
    let address = arguments.base_url.as_deref().unwrap_or(exchange.base_url(market, source));
    let endpoint = Endpoint::parse(address).map_err(crate::fetch::FetchError::from)?;
    let (since_ms, until_ms) = (arguments.since.start_ms(), arguments.until.map(Day::start_ms));
    let (now_ms, out) = (context.now_ms, arguments.out.clone());
    Ok(Request { exchange, tickers, market, source, endpoint, interval, since_ms, until_ms, now_ms, out })
}

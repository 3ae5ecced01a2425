//! Asking the exchange.

use super::{Arguments, MarketName, SourceName};
use crate::cli::context::{Context, shell_quoted};
use crate::cli::failure::Failure;
use crate::documents::fetch::FetchDocument;
use crate::fetch::{EXCHANGES, FetchError, Fetched, Market, Request, Source, Ticker, fetch, interval};
use crate::model::Day;
use crate::net::Endpoint;

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
    let document = FetchDocument::new(&request, &fetched);
    match document.complete {
        // Errors are printed by whoever gets them.
        _ if context.global.quiet && !context.global.json => {}
        true => {
            let next = format!("incremental --data {}", shell_quoted(&arguments.out));
            context.print_step(document, FetchDocument::text, &next)?;
        }
        // What failed says what to do.
        false => context.print(document, FetchDocument::text)?,
    }
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
    let (exchange, market) = (
        EXCHANGES[0],
        match arguments.market {
            MarketName::Spot => Market::Spot,
            MarketName::UsdtM => Market::UsdtM,
        },
    );
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
    let endpoint = Endpoint::parse(address).map_err(FetchError::from)?;
    let (since_ms, until_ms) = (arguments.since.start_ms(), arguments.until.map(Day::start_ms));
    let (now_ms, out) = (context.now_ms, arguments.out.clone());
    Ok(Request { exchange, tickers, market, source, endpoint, interval, since_ms, until_ms, now_ms, out })
}

//! Candles from an exchange's public interface, kept as files that `ingest` reads.
//!
//! A symbol is one file, `<folder>/<market>/BTCUSDT-15m.csv`, that grows: what a run on one new day takes in quickest.
//! Archives stay what they are, `BTCUSDT-15m-2025-01.zip`, and count as candles that are there.
//!
//! Invariants:
//! - a file is as it was or whole: it is written beside, synced and renamed; a failure or a signal keeps what had come;
//! - only candles that had closed by both clocks, this computer's and the exchange's, are written, with its digits;
//! - what is missing is asked for, wherever it is missing, and nothing else; what the exchange could give no sound row of is asked for
//!   again for a week, then no more;
//! - a row that cannot be used is left out and named, the others are kept;
//! - memory does not grow with the history.
//!
//! It does not interpret candles and never removes or repairs what is there.

mod archive;
mod binance;
mod client;
mod error;
mod exchange;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/fetch.rs"]
pub(crate) mod fuzz;
mod held;
mod holes;
mod page;
mod plan;
mod splice;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use error::FetchError;
pub use exchange::{EXCHANGES, Exchange, GivenRow};
pub use plan::{Market, Part, Source, Ticker, interval};

pub use crate::config::network::Limits;
use crate::model::{Day, Interval};
use crate::net::{Endpoint, Fault, usable_proxy};
use crate::store::make_folders;
use client::{Client, Trouble};
use held::io_error;
use holes::Holes;
use page::{Asked, Oddity, PAGE_BYTES_MAX, Page};
use splice::Splice;

/// New rows after which a file is published at least, so that little is lost when the process is killed.
const PUBLISH_ROWS: u64 = 50_000;

/// Rows that may be refused before a symbol fails: so many, or this share of all, in percent.
const REFUSED_ROWS_MAX: u64 = 3;
const REFUSED_PERCENT_MAX: u64 = 1;

/// What to fetch.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who is asked.
    pub exchange: &'static dyn Exchange,
    /// Whose candles.
    pub tickers: Vec<Ticker>,
    /// Where they trade.
    pub market: Market,
    /// Where they come from.
    pub source: Source,
    /// Address of the exchange.
    pub endpoint: Endpoint,
    /// Their interval.
    pub interval: Interval,
    /// First open time; UTC ms.
    pub since_ms: i64,
    /// First open time not fetched; `None` for up to now.
    pub until_ms: Option<i64>,
    /// The instant of the command; UTC ms.
    pub now_ms: i64,
    /// Where the files go, in a folder for the market.
    pub out: PathBuf,
}

/// What happens while fetching.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FetchEvent<'a> {
    Begun {
        symbols: usize,
    },
    /// Up to which open time there are candles now; UTC ms.
    Reached {
        ticker: &'a Ticker,
        open_ms: i64,
    },
    Waiting {
        wait: Duration,
        why: &'a str,
    },
    SymbolDone {
        ticker: &'a Ticker,
        fetched: &'a FetchedSymbol,
    },
}

/// What came of a request.
#[derive(Debug)]
pub struct Fetched {
    /// What was asked for: open times, UTC ms.
    pub span: Range<i64>,
    /// One entry per ticker that was begun, in order.
    pub symbols: Vec<FetchedSymbol>,
    /// Requests made.
    pub requests: u64,
    /// Why the rest was not begun.
    pub error: Option<FetchError>,
}

/// What came of one symbol.
#[derive(Debug)]
pub struct FetchedSymbol {
    /// The symbol.
    pub ticker: Ticker,
    /// New candles in its file.
    pub candles: u64,
    /// New archives, by name.
    pub archives: Vec<String>,
    /// Archives that are not published, by name.
    pub not_published: Vec<String>,
    /// Rows of the exchange.
    pub rows: u64,
    /// Rows that cannot be used; left out.
    pub refused: u64,
    /// What is odd about rows, by kind.
    pub odd: Vec<OddRows>,
    /// Missing candles of which the exchange gave no sound row before.
    pub refused_before: u64,
    /// What is still missing; open times, UTC ms.
    pub missing: Vec<Range<i64>>,
    /// Why it is not complete.
    pub error: Option<FetchError>,
}

/// Rows of the exchange that are not as they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddRows {
    /// `unreadable`, `not_asked_for`, `off_grid`, `close_time`, `impossible_candle`, `contradictory`: left out; `repeated`: once;
    /// `out_of_order`: put in its place.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
    /// What was expected and found at the first.
    pub first: String,
}

/// Fetches what is missing.
///
/// Errors: a span without closed candles, a folder that cannot be used or is in use. What fails later is told in the
/// result, beside what was done.
pub fn fetch(
    request: &Request,
    limits: Limits,
    stop: &AtomicBool,
    on_event: &dyn Fn(FetchEvent<'_>),
) -> Result<Fetched, FetchError> {
    usable_proxy(&request.endpoint)?;
    let span = plan::wanted(request.since_ms, request.until_ms, request.interval, request.now_ms)?;
    let folder = request.out.join(request.market.as_str());
    make_folders(&folder, 0o777).map_err(io_error(&folder))?;
    let _lock = lock(&folder)?;
    let client = Client::new(request, limits, stop, on_event);
    let mut work = Work { request, folder, span: span.clone(), client, on_event };
    on_event(FetchEvent::Begun { symbols: request.tickers.len() });
    let mut fetched = Fetched { span, symbols: Vec::new(), requests: 0, error: None };
    for ticker in &request.tickers {
        let mut symbol = work.symbol(ticker);
        on_event(FetchEvent::SymbolDone { ticker, fetched: &symbol });
        fetched.error = symbol.error.take_if(|error| !error.is_of_one_symbol());
        fetched.symbols.push(symbol);
        if fetched.error.is_some() {
            break;
        }
    }
    fetched.requests = work.client.requests;
    Ok(fetched)
}

/// Keeps others out while this is held.
fn lock(folder: &Path) -> Result<File, FetchError> {
    let file = File::open(folder).map_err(io_error(folder))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(FetchError::Busy { folder: folder.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(io_error(folder)(source)),
    }
}

struct Work<'a> {
    request: &'a Request,
    folder: PathBuf,
    span: Range<i64>,
    client: Client<'a>,
    on_event: &'a dyn Fn(FetchEvent<'_>),
}

impl Work<'_> {
    fn symbol(&mut self, ticker: &Ticker) -> FetchedSymbol {
        let mut symbol = FetchedSymbol {
            ticker: ticker.clone(),
            candles: 0,
            archives: Vec::new(),
            not_published: Vec::new(),
            rows: 0,
            refused: 0,
            odd: Vec::new(),
            refused_before: 0,
            missing: Vec::new(),
            error: None,
        };
        let done = match self.request.source {
            Source::Rest => self.rest(ticker, &mut symbol),
            Source::Archive => self.archives(ticker, &mut symbol),
        };
        match done.and_then(|()| self.missing(ticker)) {
            Ok(missing) => symbol.missing = missing,
            Err(error) => {
                symbol.error = Some(error);
                // The error that is there says more than another one.
                symbol.missing = self.missing(ticker).unwrap_or_default();
            }
        }
        symbol
    }

    /// Returns the file of a symbol; a link stays one, and what it leads to grows.
    fn csv_path(&self, ticker: &Ticker) -> Result<PathBuf, FetchError> {
        let path = self.folder.join(ticker.csv_name(self.request.interval));
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => std::fs::canonicalize(&path).map_err(io_error(&path)),
            _ => Ok(path),
        }
    }

    fn held(&self, ticker: &Ticker) -> Result<Vec<Range<i64>>, FetchError> {
        let interval = self.request.interval;
        let mut spans = held::spans_of_rows(&self.csv_path(ticker)?, interval)?;
        spans.extend(held::spans_of_archives(&self.folder, ticker, interval)?);
        Ok(spans)
    }

    fn missing(&self, ticker: &Ticker) -> Result<Vec<Range<i64>>, FetchError> {
        Ok(plan::missing(&self.span, &self.held(ticker)?))
    }

    fn rest(&mut self, ticker: &Ticker, symbol: &mut FetchedSymbol) -> Result<(), FetchError> {
        let path = self.csv_path(ticker)?;
        let mut holes = Holes::read(&path, self.request.interval)?;
        let mut held = self.held(ticker)?;
        symbol.refused_before = plan::missing(&self.span, &held)
            .iter()
            .map(|span| holes.within(span, self.request.interval))
            .sum();
        let holds_any = !held.is_empty();
        held.extend(holes.settled(self.request.now_ms));
        let mut growing =
            Growing { path: &path, splice: None, holes: &mut holes, lost: Vec::new(), sound: 0, holds_any };
        let mut done = Ok(());
        for span in plan::missing(&self.span, &held) {
            done = self.span(ticker, span, symbol, &mut growing);
            if done.is_err() {
                break;
            }
        }
        // What had come is kept, whatever happened then.
        let kept = growing.publish(symbol);
        done.and(kept)?;
        symbol.too_much_refused(growing.sound)
    }

    /// Fetches a span page by page.
    fn span(
        &mut self,
        ticker: &Ticker,
        span: Range<i64>,
        symbol: &mut FetchedSymbol,
        growing: &mut Growing<'_>,
    ) -> Result<(), FetchError> {
        let interval = self.request.interval;
        let mut at = span.start;
        while at < span.end {
            let (page, server_ms) = self.page(ticker, at..span.end)?;
            symbol.take_in(&page, &(at..span.end), growing)?;
            growing.sound += page.rows.len() as u64;
            let clock_ms = server_ms.unwrap_or(i64::MAX);
            let mut closed =
                page.rows.iter().take_while(|row| plan::is_closed(row.open_ms, interval, clock_ms));
            for row in closed.by_ref() {
                if growing.splice.is_none() {
                    growing.splice = Some(Splice::begin(growing.path, interval)?);
                }
                growing.splice.as_mut().map_or(Ok(()), |splice| splice.add(row))?;
            }
            let all_closed = page.end_ms.is_none_or(|end| end <= clock_ms);
            let Some(end_ms) = page.end_ms.filter(|_| all_closed) else { break };
            if page.odd.iter().any(|odd| odd.oddity.is_refusal()) {
                growing.lost.extend(page.not_given(at..end_ms, interval));
            }
            (self.on_event)(FetchEvent::Reached { ticker, open_ms: end_ms });
            at = end_ms;
            // Publishing copies the file: more rarely the longer it is.
            let due = |splice: &Splice| splice.added >= PUBLISH_ROWS.max(splice.rows / 4);
            if growing.splice.as_ref().is_some_and(due) {
                growing.publish(symbol)?;
            }
        }
        Ok(())
    }

    fn page(&mut self, ticker: &Ticker, span: Range<i64>) -> Result<(Page, Option<i64>), FetchError> {
        let Request { exchange, market, interval, .. } = *self.request;
        let rows_max = exchange.rows_max(market);
        let (first, last) = plan::days(&span);
        let what = format!("candles of {ticker} from {first} to {last}");
        let path = exchange.candles_path(market, ticker, interval, &span);
        let read = |body: &mut dyn Read| {
            let mut bytes = Vec::new();
            let read = body.take(PAGE_BYTES_MAX).read_to_end(&mut bytes);
            read.map(|_| bytes).map_err(|error| Trouble::from(Fault::of_io(&error)))
        };
        let may_show = self.request.endpoint.is_open();
        let asked = Asked { exchange, what: &what, span, interval, rows_max, may_show };
        let check = |bytes: Vec<u8>, server_ms| Ok((asked.parse(&bytes)?, server_ms));
        let page = self.client.get(&path, &what, read, check)?;
        page.ok_or_else(|| FetchError::Refused {
            what: what.clone(),
            status: 404,
            message: "there is nothing at this address".to_owned(),
        })
    }

    fn archives(&mut self, ticker: &Ticker, symbol: &mut FetchedSymbol) -> Result<(), FetchError> {
        let held = self.held(ticker)?;
        let mut parts = plan::archive_parts(&self.span, &held, self.request.now_ms);
        parts.reverse();
        let nothing_held = plan::missing(&self.span, &held) == [self.span.clone()];
        while let Some(part) = parts.pop() {
            if self.part(ticker, part, symbol)? {
                continue;
            }
            let days = part.days_instead(self.request.now_ms);
            let days = days.into_iter().filter(|day| day.span().start < self.span.end);
            parts.extend(days.rev());
        }
        if nothing_held && symbol.archives.is_empty() {
            let (first, last) = plan::days(&self.span);
            let (first, last) = (first.to_string(), last.to_string());
            return Err(FetchError::NoArchives { ticker: ticker.to_string(), first, last });
        }
        Ok(())
    }

    /// Gets an archive; `false` if it is not published.
    fn part(&mut self, ticker: &Ticker, part: Part, symbol: &mut FetchedSymbol) -> Result<bool, FetchError> {
        let Request { exchange, market, interval, .. } = *self.request;
        let name = part.name(ticker, interval);
        let path = exchange.archive_path(market, ticker, interval, part);
        let published = archive::download(&mut self.client, &path, &name, &self.folder.join(&name))?;
        if published {
            (self.on_event)(FetchEvent::Reached { ticker, open_ms: part.span().end });
            symbol.archives.push(name);
        } else {
            symbol.not_published.push(name);
        }
        Ok(published)
    }
}

/// The file of a symbol while it grows.
struct Growing<'a> {
    path: &'a Path,
    splice: Option<Splice>,
    holes: &'a mut Holes,
    /// Open times of which the answers so far held no sound row.
    lost: Vec<Range<i64>>,
    /// Sound rows of the answers so far.
    sound: u64,
    /// Whether there were candles before.
    holds_any: bool,
}

impl Growing<'_> {
    /// Remembers the holes, then puts the file in its place: whoever is killed between the two asks for nothing in vain. Nothing is
    /// remembered of an exchange that gave no sound row.
    fn publish(&mut self, symbol: &mut FetchedSymbol) -> Result<(), FetchError> {
        if self.sound > 0 {
            self.holes.add(std::mem::take(&mut self.lost));
            self.holes.keep()?;
        }
        let Some(splice) = self.splice.take() else { return Ok(()) };
        let added = splice.added;
        splice.publish()?;
        symbol.candles += added;
        Ok(())
    }
}

impl Page {
    /// Returns the open times of a span of which there is no sound row.
    fn not_given(&self, span: Range<i64>, interval: Interval) -> Vec<Range<i64>> {
        let given: Vec<Range<i64>> =
            self.rows.iter().map(|row| row.open_ms..row.open_ms + interval.ms()).collect();
        plan::missing(&span, &given)
    }
}

impl FetchedSymbol {
    /// Counts what an answer to a question holds.
    ///
    /// Errors: the first answer of an exchange of which nothing is held holds no row that can be used
    fn take_in(&mut self, page: &Page, asked: &Range<i64>, growing: &Growing<'_>) -> Result<(), FetchError> {
        let holes = &growing.holes;
        let refused = page.odd.iter().filter(|odd| odd.oddity.is_refusal());
        let is_known = |slot_ms: Option<i64>| slot_ms.is_some_and(|slot| holes.cover(&(slot..slot + 1)));
        let new: Vec<&page::Odd> = if holes.cover(asked) {
            Vec::new()
        } else {
            refused.filter(|odd| !is_known(odd.slot_ms)).collect()
        };
        let is_strange = page.rows.is_empty() && growing.sound == 0 && !growing.holds_any;
        if let Some(first) = new.first().filter(|_| is_strange) {
            let what = format!("candles of {} from {}", self.ticker, Day::of(asked.start));
            let (expected, found) = (first.oddity.expected(), first.found.clone());
            return Err(FetchError::Unexpected { what, expected, found });
        }
        self.rows += page.seen;
        self.refused += new.len() as u64;
        let kept = page.odd.iter().filter(|odd| !odd.oddity.is_refusal());
        new.into_iter().chain(kept).for_each(|odd| self.note(odd));
        Ok(())
    }

    fn note(&mut self, odd: &page::Odd) {
        let kind = odd.oddity.as_str();
        match self.odd.iter_mut().find(|known| known.kind == kind) {
            Some(known) => known.count += 1,
            None => {
                let first = format!("expected {}, found {}", odd.oddity.expected(), odd.found);
                self.odd.push(OddRows { kind, count: 1, first });
            }
        }
    }

    /// Errors: rows were left out, and none, or not enough, were sound
    fn too_much_refused(&self, sound: u64) -> Result<(), FetchError> {
        let (refused, rows) = (self.refused, self.rows);
        let few = refused <= REFUSED_ROWS_MAX || refused * 100 <= rows * REFUSED_PERCENT_MAX;
        // A row beyond the time asked for costs no candle.
        let beyond = self.odd.iter().find(|odd| odd.kind == Oddity::NotAskedFor.as_str());
        let costs_none = beyond.is_some_and(|odd| odd.count == refused);
        if refused == 0 || (few && (sound > 0 || costs_none)) {
            return Ok(());
        }
        let kept = [Oddity::Repeated, Oddity::OutOfOrder].map(Oddity::as_str);
        let first = self.odd.iter().find(|odd| !kept.contains(&odd.kind)).map(|odd| odd.first.clone());
        let (ticker, first) = (self.ticker.to_string(), first.unwrap_or_else(|| "a row".to_owned()));
        Err(FetchError::MuchRefused { ticker, refused, rows, first })
    }
}

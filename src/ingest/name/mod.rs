//! Which market a file is of, by its name and its folders, as exchanges and tools write them.
//!
//! A name is read as a whole (`grammar.rs`): one word that is not understood (`words.rs`), and it claims no symbol,
//! never another one. A name only claims: the interval is verified against the data, the symbol against the symbol
//! column if there is one.

mod grammar;
#[cfg(test)]
mod tests;
mod words;

use std::path::Path;

use self::grammar::{Read, Said, Unclear};
use self::words::MarketWord;
use super::rejection::Rejection;
use super::{format, time};
use crate::model::{Interval, MarketKind, Pair, Symbol};

/// How many folders above a file are asked for a symbol or interval.
const FOLDERS_ASKED: usize = 3;
/// How many folders above a file are asked for a market, or a partition such as `symbol=BTCUSDT`.
const MARKET_FOLDERS_ASKED: usize = 8;

/// A word of a name, and the character before it.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    before: char,
}

/// Where a symbol is traded, as far as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct MarketClaim {
    /// The kind of market.
    pub(crate) kind: Option<MarketKind>,
    /// The exchange.
    pub(crate) exchange: Option<&'static str>,
}

/// What a name claims.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Claim {
    pub(super) symbol: Option<Symbol>,
    pub(super) interval: Option<Interval>,
    pub(super) market: MarketClaim,
    /// The word that says that these are no candles.
    pub(super) other_data: Option<String>,
    /// Why there is no symbol although there is a pair in the name.
    pub(super) unclear: Option<Rejection>,
}

/// What the names on the way to a file say, the nearest first.
#[derive(Default)]
struct Names {
    pair: Option<(Option<Pair>, Symbol)>,
    interval: Option<Interval>,
    markets: Vec<MarketWord>,
    exchange: Option<&'static str>,
    other_data: Option<String>,
    unclear: Option<Unclear>,
}

/// Returns the name by which an exchange is known here.
pub(super) fn exchange_named(text: &str) -> Option<&'static str> {
    words::exchange_named(&text.to_ascii_lowercase())
}

/// Returns what a path claims, or a member of an archive: the nearest name that says something wins.
pub(super) fn claim(path: &Path, entry: Option<&str>) -> Claim {
    let mut names = Names::default();
    if let Some(entry) = entry {
        names.file(Path::new(&entry.replace('\\', "/")));
    }
    names.file(path);
    names.claim()
}

/// Returns the midnight of the day (`20250131` or `2025-01-31`) that a file name gives; UTC milliseconds.
pub(super) fn day_ms(path: &Path, entry: Option<&str>) -> Option<i64> {
    let of_name = |name: &str| {
        let stem = format::stem_of_name(name.rsplit(['/', '\\']).next()?);
        let tokens = || stem.split(|c: char| !c.is_ascii_alphanumeric());
        let compact = || tokens().find_map(|token| time::parse_midnight(token).filter(|_| token.len() == 8));
        let written = || {
            let tokens: Vec<&str> = tokens().collect();
            tokens.windows(3).find_map(|day| time::parse_midnight(&day.join("-")))
        };
        compact().or_else(written)
    };
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
    entry.and_then(of_name).or_else(|| of_name(&file?))
}

impl Names {
    fn file(&mut self, path: &Path) {
        let folders = path.parent().into_iter().flat_map(Path::ancestors).filter_map(Path::file_name);
        let folders: Vec<String> =
            folders.take(MARKET_FOLDERS_ASKED).map(|name| name.to_string_lossy().into_owned()).collect();
        let quote_first = folders.iter().any(|name| words::is_quote_first(name));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match grammar::read_name(format::stem_of_name(&name), false, quote_first) {
            Read::Whole(said) => self.add(said, true),
            Read::Unclear(unclear) => self.unclear = self.unclear.take().or(Some(unclear)),
            Read::Foreign => {}
        }
        let mut asked = 0;
        for name in &folders {
            if let Some((key, value)) = name.split_once('=') {
                self.partition(key, &percent_decoded(value));
                continue;
            }
            asked += 1;
            if let Read::Whole(said) = grammar::read_name(name, true, quote_first) {
                self.add(said, asked <= FOLDERS_ASKED);
            }
        }
    }

    /// Adds what a name further away says; `near` whether it may say more than the market.
    fn add(&mut self, said: Said, near: bool) {
        self.markets.extend(said.markets);
        self.exchange = self.exchange.or(said.exchange);
        if near {
            let pair = said.pair.map(|(pair, symbol)| (Some(pair), symbol));
            self.pair = self.pair.take().or(pair);
            self.interval = self.interval.or(said.interval);
            self.other_data = self.other_data.take().or(said.other_data);
        }
    }

    /// Takes in a folder such as `symbol=BTC%2FUSDT` or `interval=15m`: the value is taken as it is.
    fn partition(&mut self, key: &str, value: &str) {
        match key.to_ascii_lowercase().as_str() {
            "symbol" | "pair" | "ticker" | "instrument" => {
                let symbol = Symbol::parse(value).map(|symbol| (None, symbol));
                self.pair = self.pair.take().or(symbol);
            }
            "interval" | "timeframe" => {
                self.interval = self.interval.or_else(|| words::parse_interval_word(value).flatten());
            }
            "exchange" | "market" | "type" | "venue" => {
                if let Read::Whole(Said { pair: None, markets, exchange, .. }) =
                    grammar::read_name(value, true, false)
                {
                    self.markets.extend(markets);
                    self.exchange = self.exchange.or(exchange);
                }
            }
            _ => {}
        }
    }

    fn claim(self) -> Claim {
        let kind = self.kind();
        let symbol = self.pair.map(|(_, symbol)| symbol);
        // A folder says of which symbol a file is whose own name is not understood, unless that names another one.
        let unclear = self.unclear.filter(|unclear| match (unclear, &symbol) {
            (Unclear::Token { symbol: named, .. }, Some(symbol)) => named != symbol,
            (_, symbol) => symbol.is_none(),
        });
        Claim {
            symbol: symbol.filter(|_| unclear.is_none()),
            interval: self.interval,
            market: MarketClaim { kind, exchange: self.exchange },
            other_data: self.other_data,
            unclear: unclear.map(Unclear::rejection),
        }
    }

    /// The nearest word counts; which contract it is, if it does not say so itself, a further one or the pair says.
    fn kind(&self) -> Option<MarketKind> {
        let pair = self.pair.as_ref();
        let contract = pair.and_then(|(contract, _)| contract.as_ref());
        let settled = contract.is_some_and(|pair| pair.settle.is_some() || pair.contract);
        let in_dollars =
            || pair.and_then(|(_, symbol)| symbol.currencies()).is_some_and(|(_, quote)| quote == "USD");
        let of_pair = || match contract.map_or_else(in_dollars, Pair::is_coin_settled) {
            true => MarketKind::CoinM,
            false => MarketKind::UsdtM,
        };
        if pair.is_some_and(|(_, symbol)| symbol.expiry().is_some()) {
            return Some(MarketKind::Dated);
        }
        let further = self.markets.iter().find_map(|word| match word {
            MarketWord::UsdtM => Some(MarketKind::UsdtM),
            MarketWord::CoinM => Some(MarketKind::CoinM),
            MarketWord::Spot | MarketWord::Contract => None,
        });
        match self.markets.first() {
            _ if settled => Some(of_pair()),
            Some(MarketWord::Spot) => Some(MarketKind::Spot),
            Some(MarketWord::UsdtM) => Some(MarketKind::UsdtM),
            Some(MarketWord::CoinM) => Some(MarketKind::CoinM),
            Some(MarketWord::Contract) => further.or_else(|| Some(of_pair())),
            None => None,
        }
    }
}

impl Unclear {
    /// Returns why the file is not read.
    fn rejection(self) -> Rejection {
        match self {
            Self::Token { token, symbol } => Rejection::NameNotUnderstood { token, symbol },
            Self::Order { first, second } => {
                Rejection::NameUnclear { one: format!("{first}{second}"), other: format!("{second}{first}") }
            }
            Self::Several { one, other } => {
                Rejection::NameUnclear { one: one.to_string(), other: other.to_string() }
            }
        }
    }
}

/// Decodes `%2F`, as writers of partitions keep a separator out of the name of a folder.
fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, more @ ..] = rest {
        let code = more.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        let decoded = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &more[2..] } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

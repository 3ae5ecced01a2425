//! What the words in names of files mean, beside the pair.

use super::Token;
use crate::ingest::time;
use crate::model::{Day, Interval};

/// Exchanges, as tools write them, with the name they are known by here.
const EXCHANGES: [(&str, &str); 87] = [
    ("binance", "binance"),
    ("binanceus", "binanceus"),
    ("bybit", "bybit"),
    ("okx", "okx"),
    ("okex", "okx"),
    ("okex5", "okx"),
    ("myokx", "okx"),
    ("gateio", "gate"),
    ("gate", "gate"),
    ("kraken", "kraken"),
    ("coinbase", "coinbase"),
    ("coinbasepro", "coinbase"),
    ("coinbaseexchange", "coinbase"),
    ("coinbaseadvanced", "coinbase"),
    ("gdax", "coinbase"),
    ("kucoin", "kucoin"),
    ("bitget", "bitget"),
    ("bitfinex", "bitfinex"),
    ("bitfinex2", "bitfinex"),
    ("bitstamp", "bitstamp"),
    ("bitmex", "bitmex"),
    ("deribit", "deribit"),
    ("gemini", "gemini"),
    ("huobi", "htx"),
    ("huobipro", "htx"),
    ("htx", "htx"),
    ("mexc", "mexc"),
    ("mexc3", "mexc"),
    ("poloniex", "poloniex"),
    ("bittrex", "bittrex"),
    ("upbit", "upbit"),
    ("bithumb", "bithumb"),
    ("coinone", "coinone"),
    ("korbit", "korbit"),
    ("hyperliquid", "hyperliquid"),
    ("dydx", "dydx"),
    ("phemex", "phemex"),
    ("bingx", "bingx"),
    ("bitvavo", "bitvavo"),
    ("lbank", "lbank"),
    ("coinex", "coinex"),
    ("whitebit", "whitebit"),
    ("xt", "xt"),
    ("ascendex", "ascendex"),
    ("bitmart", "bitmart"),
    ("hitbtc", "hitbtc"),
    ("okcoin", "okcoin"),
    ("bitflyer", "bitflyer"),
    ("bitbank", "bitbank"),
    ("coincheck", "coincheck"),
    ("zaif", "zaif"),
    ("woo", "woo"),
    ("woox", "woo"),
    ("woofipro", "woo"),
    ("blofin", "blofin"),
    ("aster", "aster"),
    ("backpack", "backpack"),
    ("probit", "probit"),
    ("exmo", "exmo"),
    ("cex", "cex"),
    ("cexio", "cex"),
    ("itbit", "itbit"),
    ("paxos", "itbit"),
    ("lmax", "lmax"),
    ("dukascopy", "dukascopy"),
    ("oanda", "oanda"),
    ("fxcm", "fxcm"),
    ("indodax", "indodax"),
    ("btcturk", "btcturk"),
    ("paribu", "paribu"),
    ("tokocrypto", "tokocrypto"),
    ("luno", "luno"),
    ("wazirx", "wazirx"),
    ("coindcx", "coindcx"),
    ("delta", "delta"),
    ("btcmarkets", "btcmarkets"),
    ("independentreserve", "independentreserve"),
    ("cryptocom", "cryptocom"),
    ("mercado", "mercado"),
    ("bitso", "bitso"),
    ("bit2c", "bit2c"),
    ("bitopro", "bitopro"),
    ("digifinex", "digifinex"),
    ("toobit", "toobit"),
    ("weex", "weex"),
    ("pionex", "pionex"),
    ("paradex", "paradex"),
];
/// Exchanges whose names say the market too.
const EXCHANGE_MARKETS: [(&str, &str, MarketWord); 7] = [
    ("binanceusdm", "binance", MarketWord::UsdtM),
    ("binancecoinm", "binance", MarketWord::CoinM),
    ("krakenfutures", "kraken", MarketWord::Contract),
    ("kucoinfutures", "kucoin", MarketWord::Contract),
    ("bitgetfutures", "bitget", MarketWord::Contract),
    ("coinbaseinternational", "coinbase", MarketWord::Contract),
    ("ascendexfutures", "ascendex", MarketWord::Contract),
];
/// Exchanges whose names are coins as well.
const ALSO_COINS: [&str; 5] = ["dydx", "woo", "aster", "xt", "delta"];
/// Exchanges that write the quote first.
const QUOTE_FIRST: [&str; 3] = ["upbit", "bittrex", "poloniex"];

const MARKETS: [(&str, MarketWord); 28] = [
    ("spot", MarketWord::Spot),
    ("spbl", MarketWord::Spot),
    ("um", MarketWord::UsdtM),
    ("usdm", MarketWord::UsdtM),
    ("usdtm", MarketWord::UsdtM),
    ("usdcm", MarketWord::UsdtM),
    ("linear", MarketWord::UsdtM),
    ("umcbl", MarketWord::UsdtM),
    ("cmcbl", MarketWord::UsdtM),
    ("cm", MarketWord::CoinM),
    ("coinm", MarketWord::CoinM),
    ("inverse", MarketWord::CoinM),
    ("dmcbl", MarketWord::CoinM),
    ("perp", MarketWord::Contract),
    ("perps", MarketWord::Contract),
    ("perpetual", MarketWord::Contract),
    ("perpetuals", MarketWord::Contract),
    ("swap", MarketWord::Contract),
    ("swaps", MarketWord::Contract),
    ("futures", MarketWord::Contract),
    ("future", MarketWord::Contract),
    ("fut", MarketWord::Contract),
    ("contract", MarketWord::Contract),
    ("derivatives", MarketWord::Contract),
    // Kraken: perpetual and fixed, linear and inverse.
    ("pf", MarketWord::UsdtM),
    ("ff", MarketWord::UsdtM),
    ("pi", MarketWord::CoinM),
    ("fi", MarketWord::CoinM),
];

/// Words for what is no candle of trades, in names of files and folders.
const OTHER_DATA: [&str; 22] = [
    "mark",
    "markprice",
    "funding",
    "fundingrate",
    "aggtrades",
    "trades",
    "bookdepth",
    "bookticker",
    "liquidationsnapshot",
    "liquidations",
    "metrics",
    "markpriceklines",
    "indexprice",
    "indexpriceklines",
    "premiumindexklines",
    "premiumindex",
    "openinterest",
    "bvolindex",
    "eohsummary",
    "orderbook",
    "longshortratio",
    "takerlongshortratio",
];
/// The same in names of files only: folders of people's own are called so.
const OTHER_DATA_IN_FILES: [&str; 21] = [
    "trade",
    "index",
    "premium",
    "oi",
    "signals",
    "signal",
    "predictions",
    "backtest",
    "orders",
    "positions",
    "ticks",
    "tick",
    "depth",
    "ticker",
    "ask",
    "heikinashi",
    "heikin",
    "renko",
    "ha",
    "features",
    "indicators",
];
/// Two words for what is no candle of trades; the first names it.
const OTHER_DATA_OF_TWO: [(&str, &str); 9] = [
    ("funding", "rate"),
    ("funding", "rates"),
    ("open", "interest"),
    ("mark", "price"),
    ("index", "price"),
    ("premium", "index"),
    ("agg", "trades"),
    ("heikin", "ashi"),
    ("order", "book"),
];

/// Words that say nothing about which candles these are.
const PLAIN: [&str; 70] = [
    "data",
    "dataset",
    "ohlc",
    "ohlcv",
    "candle",
    "candles",
    "candlestick",
    "candlesticks",
    "kline",
    "klines",
    "bar",
    "bars",
    "history",
    "historical",
    "hist",
    "price",
    "prices",
    "chart",
    "market",
    "crypto",
    "utc",
    "gmt",
    "gmt0",
    "raw",
    "clean",
    "cleaned",
    "full",
    "all",
    "complete",
    "final",
    "latest",
    "export",
    "exported",
    "download",
    "downloaded",
    "dump",
    "merged",
    "combined",
    "sorted",
    "csv",
    "tsv",
    "json",
    "parquet",
    "feather",
    "html",
    "snappy",
    "zstd",
    "lz4",
    "gzip",
    "pipe",
    "comma",
    "tab",
    "semicolon",
    "separated",
    "header",
    "headers",
    "with",
    "no",
    "to",
    "from",
    "until",
    "since",
    "till",
    "bid",
    "dat",
    "ascii",
    "hlocv",
    "tohlcv",
    "vision",
    "part",
];
/// Words before the number of a part.
const PARTS: [&str; 6] = ["part", "chunk", "batch", "vol", "file", "split"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Bare numbers of minutes that may follow the symbol, as Kraken names its files.
const BARE_MINUTES: [u32; 11] = [1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440];

/// A word about the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarketWord {
    Spot,
    /// A contract; what settles it, the pair tells.
    Contract,
    UsdtM,
    CoinM,
}

impl MarketWord {
    /// Returns whether no market is both.
    pub(super) fn contradicts(self, other: Self) -> bool {
        (self == Self::Spot) != (other == Self::Spot)
            || matches!((self, other), (Self::UsdtM, Self::CoinM) | (Self::CoinM, Self::UsdtM))
    }
}

/// What a word means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum WordMeaning {
    Exchange(&'static str),
    ExchangeMarket(&'static str, MarketWord),
    Market(MarketWord),
    /// These are no candles of trades.
    OtherData(String),
    /// An interval, `None` for one without a fixed length.
    Interval(Option<Interval>),
    /// A date, a part, a word that says nothing.
    Plain,
}

/// What is known of a name when a word of it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// The word stands right behind the pair.
    pub(super) behind_pair: bool,
    /// An interval stands before it.
    pub(super) behind_interval: bool,
    /// A year or a whole date stands somewhere.
    pub(super) dated: bool,
    /// It is the name of a folder.
    pub(super) folder: bool,
}

/// Returns what the first of some words means, and of how many words it is made; `None` for one not understood.
pub(super) fn meaning_of_words(tokens: &[Token<'_>], around: Around) -> Option<(WordMeaning, usize)> {
    let first = tokens.first()?;
    let next = tokens.get(1);
    if let Some(next) = next
        && let Some(meaning) = of_two(first.text, next.text)
    {
        return Some((meaning, 2));
    }
    if let Some(next) = next
        && PARTS.iter().any(|word| first.text.eq_ignore_ascii_case(word))
        && is_digits(next.text)
    {
        return Some((WordMeaning::Plain, 2));
    }
    if around.behind_pair
        && first.before != '('
        && let Some(interval) = bare_minutes(first.text)
    {
        return Some((WordMeaning::Interval(Some(interval)), 1));
    }
    of_word(first, around).map(|meaning| (meaning, 1))
}

/// Returns whether two words mean something together that is no pair: `USDT-M` is a market.
pub(super) fn is_phrase(tokens: &[&str]) -> bool {
    matches!(tokens, [first, second, ..] if of_two(first, second).is_some())
}

/// Returns whether a word has a meaning of its own, so that it is hardly a coin.
pub(super) fn is_word(text: &str) -> bool {
    let around = Around { behind_pair: false, behind_interval: false, dated: false, folder: false };
    text.len() > 1 && of_word(&Token { text, before: '_' }, around).is_some()
}

/// Returns whether a word is an exchange and no coin.
pub(super) fn is_exchange(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    exchange_word(&lower).is_some() && !ALSO_COINS.contains(&lower.as_str())
}

/// Returns whether an exchange writes the quote first.
pub(super) fn is_quote_first(exchange: &str) -> bool {
    QUOTE_FIRST.iter().any(|known| exchange.eq_ignore_ascii_case(known))
}

/// Returns whether a word says a year or a date.
pub(super) fn is_dated(text: &str) -> bool {
    year(text) || text.len() >= 6 && is_date(text, false)
}

fn of_word(token: &Token<'_>, around: Around) -> Option<WordMeaning> {
    let (text, lower) = (token.text, token.text.to_ascii_lowercase());
    let word = lower.as_str();
    let number = is_digits(text)
        && (text.len() <= 3 && (around.behind_interval || around.dated || token.before == '('));
    let day_behind_interval = around.behind_interval && is_date(text, true);
    let letter = text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    // TradingView ends the names of its exports so.
    let hash = around.behind_interval
        && text.len() == 5
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && !is_digits(text);
    if let Some(exchange) = exchange_word(word) {
        return Some(exchange);
    }
    if let Some((_, market)) = MARKETS.iter().find(|(known, _)| *known == word) {
        return Some(WordMeaning::Market(*market));
    }
    if OTHER_DATA.contains(&word) || !around.folder && OTHER_DATA_IN_FILES.contains(&word) {
        return Some(WordMeaning::OtherData(lower));
    }
    if let Some(interval) = parse_interval_word(text) {
        return Some(WordMeaning::Interval(interval));
    }
    let numbered = PARTS.iter().any(|part| word.strip_prefix(part).is_some_and(is_digits));
    let plain = PLAIN.contains(&word)
        || number
        || day_behind_interval
        || letter
        || hash
        || numbered
        || is_date(text, false);
    plain.then_some(WordMeaning::Plain)
}

fn of_two(first: &str, second: &str) -> Option<WordMeaning> {
    let is =
        |known: (&str, &str)| first.eq_ignore_ascii_case(known.0) && second.eq_ignore_ascii_case(known.1);
    if OTHER_DATA_OF_TWO.into_iter().any(is) {
        return Some(WordMeaning::OtherData(first.to_ascii_lowercase()));
    }
    if is(("usdt", "m")) || is(("usd", "m")) || is(("usdc", "m")) {
        return Some(WordMeaning::Market(MarketWord::UsdtM));
    }
    if is(("coin", "m")) {
        return Some(WordMeaning::Market(MarketWord::CoinM));
    }
    if is(("gate", "io")) {
        return Some(WordMeaning::Exchange("gate"));
    }
    if is(("crypto", "com")) {
        return Some(WordMeaning::Exchange("cryptocom"));
    }
    // `15` `M`, as Dukascopy writes, and `1` `min`.
    let unit = match second.to_ascii_lowercase().as_str() {
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    let counted = is_digits(first) && first.len() <= 3;
    counted.then(|| format!("{first}{unit}").parse().ok()).flatten().map(|i| WordMeaning::Interval(Some(i)))
}

/// Returns the name by which an exchange is known here, as tools write it in small letters.
pub(super) fn exchange_named(word: &str) -> Option<&'static str> {
    EXCHANGES.iter().find(|(known, _)| *known == word).map(|(_, name)| *name)
}

fn exchange_word(word: &str) -> Option<WordMeaning> {
    let with_market = EXCHANGE_MARKETS.iter().find(|(known, ..)| *known == word);
    if let Some((_, name, market)) = with_market {
        return Some(WordMeaning::ExchangeMarket(name, *market));
    }
    EXCHANGES.iter().find(|(known, _)| *known == word).map(|(_, name)| WordMeaning::Exchange(name))
}

fn bare_minutes(text: &str) -> Option<Interval> {
    let minutes = text.parse().ok().filter(|minutes| BARE_MINUTES.contains(minutes))?;
    Some(Interval::from_minutes(minutes))
}

/// Reads `15m`, `15min`, `1h`, `1H`, `1d`, `M15` and `H1` of MetaTrader, `candle15m`, and the words of
/// CryptoDataDownload (`minute`, `hour`, `d`).
///
/// `1M` is a month, which has no fixed length: `Some(None)`, and the data show that it is coarse.
pub(super) fn parse_interval_word(token: &str) -> Option<Option<Interval>> {
    let lower = token.to_ascii_lowercase();
    let token = if lower.starts_with("candle") { token.get(6..)? } else { token };
    let of_words = match lower.as_str() {
        "minute" => "1m",
        "hour" | "hourly" => "1h",
        "d" | "day" | "daily" => "1d",
        "1w" | "w1" | "week" | "weekly" | "1week" => "7d",
        "1mo" | "1mon" | "1month" | "month" | "monthly" | "mn1" | "mn" => return Some(None),
        _ => "",
    };
    if !of_words.is_empty() {
        return Some(of_words.parse().ok());
    }
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = token.split_at(digits);
    let (count, unit) = match unit {
        "M" if !count.is_empty() && count.len() <= 2 => return Some(None),
        "m" | "min" | "mins" | "minute" | "minutes" | "Min" | "MIN" | "T" => (count, "m"),
        "h" | "H" | "hr" | "hour" | "hours" => (count, "h"),
        "d" | "D" | "day" | "days" => (count, "d"),
        _ if digits == 0 && is_digits(unit.get(1..)?) => match &unit[..1] {
            "M" | "m" => (&unit[1..], "m"),
            "H" | "h" => (&unit[1..], "h"),
            "D" | "d" => (&unit[1..], "d"),
            _ => return None,
        },
        _ => return None,
    };
    format!("{count}{unit}").parse().ok().map(Some)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn year(text: &str) -> bool {
    text.len() == 4 && is_digits(text) && text.parse().is_ok_and(|year: u32| (1990..2100).contains(&year))
}

/// Reads years, months, days, instants, quarters; days as `250131` only where `short` says so.
fn is_date(text: &str, short: bool) -> bool {
    let day = |text: &str| time::parse_midnight(text).is_some();
    let of_month = |text: &str| year(&text[..4]) && (1..=12).contains(&text[4..].parse().unwrap_or(0));
    if is_digits(text) {
        return match text.len() {
            4 => year(text),
            6 => of_month(text) || short && Day::parse(&format!("20{text}")).is_some(),
            8 => day(text),
            10 | 13 | 16 => time::parse_time(text.as_bytes()).is_ok() || text.len() == 10 && day(&text[..8]),
            12 | 14 => day(&text[..8]),
            _ => false,
        };
    }
    let lower = text.to_ascii_lowercase();
    let quarter = |text: &str| matches!(text, "q1" | "q2" | "q3" | "q4");
    let month = |text: &str| MONTHS.contains(&text);
    if quarter(&lower) || month(&lower) {
        return true;
    }
    let of_year = |rest: &str| quarter(rest) || month(rest) || rest == "h1" || rest == "h2";
    if let Some((head, rest)) = lower.split_at_checked(4)
        && (year(head) && of_year(rest) || year(rest) && of_year(head))
    {
        return true;
    }
    if let Some((head, rest)) = lower.split_at_checked(3)
        && month(head)
        && year(rest)
    {
        return true;
    }
    // `20250131T0000`, and `31T00` of a date whose other parts are words of their own.
    lower.split_once('t').is_some_and(|(date, clock)| {
        let clock = clock.trim_end_matches('z').replace(':', "");
        is_digits(&clock) && clock.len() <= 6 && (day(date) || is_digits(date) && date.len() == 2)
    })
}

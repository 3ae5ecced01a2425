//! Symbol and interval from names, as exchanges and tools write them.
//!
//! A name only claims: the interval is verified against the data, the symbol against the symbol column if there
//! is one.

use std::path::Path;

use super::{format, time};
use crate::model::{Interval, Symbol};

/// Quote currencies that end a symbol in any case of letters.
const QUOTES: [&str; 8] = ["USDT", "USDC", "BUSD", "FDUSD", "USD", "EUR", "BTC", "ETH"];
/// Quote currencies that end a symbol in capitals only: in small letters they end ordinary words.
const QUOTES_IN_CAPITALS: [&str; 24] = [
    "TUSD", "USDP", "USDD", "USD1", "DAI", "XBT", "BNB", "TRX", "XRP", "SOL", "DOGE", "DOT", "GBP", "JPY",
    "TRY", "BRL", "AUD", "CAD", "CHF", "KRW", "MXN", "PLN", "ZAR", "UAH",
];
/// Words in names of files that hold something else than candles of trades.
const NOT_CANDLES: [&str; 15] = [
    "mark",
    "funding",
    "fundingrate",
    "aggtrades",
    "trades",
    "bookdepth",
    "bookticker",
    "liquidationsnapshot",
    "metrics",
    "markpriceklines",
    "indexpriceklines",
    "premiumindexklines",
    "premiumindex",
    "openinterest",
    "bvolindex",
];
/// Bare numbers of minutes that may follow the symbol, as Kraken names its files.
const BARE_MINUTES: [u32; 11] = [1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440];
/// How many folders above a file are asked for a symbol or interval.
const FOLDERS_ASKED: usize = 3;
/// How many folders above a file are asked for a partition such as `symbol=BTCUSDT`.
const PARTITIONS_ASKED: usize = 8;

/// What a name claims.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Claim {
    pub(super) symbol: Option<Symbol>,
    pub(super) interval: Option<Interval>,
    /// The word that says that these are no candles.
    pub(super) other_data: Option<String>,
}

impl Claim {
    fn or(self, further: Self) -> Self {
        Self {
            symbol: self.symbol.or(further.symbol),
            interval: self.interval.or(further.interval),
            other_data: self.other_data.or(further.other_data),
        }
    }
}

/// Returns what a path claims, or a member of an archive: the nearest name that says something wins.
pub(super) fn claim(path: &Path, entry: Option<&str>) -> Claim {
    let of_file = |path: &Path| {
        let stem =
            path.file_name().map(|name| format::stem(&name.to_string_lossy()).to_owned()).unwrap_or_default();
        of_stem(&stem).or(of_folders(path))
    };
    let of_entry = entry.map_or_else(Claim::default, |entry| of_file(Path::new(&entry.replace('\\', "/"))));
    of_entry.or(of_file(path))
}

/// Returns the midnight of the day (`20250131` or `2025-01-31`) that a file name gives; UTC milliseconds.
pub(super) fn day_ms(path: &Path, entry: Option<&str>) -> Option<i64> {
    let of_name = |name: &str| {
        let stem = format::stem(name.rsplit(['/', '\\']).next()?);
        let tokens = || stem.split(|c: char| !c.is_ascii_alphanumeric());
        let compact = || tokens().find_map(|token| time::midnight(token).filter(|_| token.len() == 8));
        let written = || {
            let tokens: Vec<&str> = tokens().collect();
            tokens.windows(3).find_map(|day| time::midnight(&day.join("-")))
        };
        compact().or_else(written)
    };
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
    entry.and_then(of_name).or_else(|| of_name(&file?))
}

fn of_stem(stem: &str) -> Claim {
    let tokens = tokens(stem);
    let found = find_symbol(&tokens);
    let after = found.as_ref().map_or(0, |(_, after)| *after);
    let bare = || {
        let minutes = tokens.get(after).filter(|_| found.is_some())?.parse().ok()?;
        BARE_MINUTES.contains(&minutes).then(|| Interval::from_minutes(minutes))
    };
    let named = || tokens[after..].iter().chain(&tokens[..after]).find_map(|token| interval(token));
    Claim {
        interval: bare().or_else(named),
        other_data: other_data(&tokens),
        symbol: found.map(|(symbol, _)| symbol),
    }
}

/// A folder must be a symbol or an interval as a whole, so that `/data/5m-bot/` claims nothing.
fn of_folders(path: &Path) -> Claim {
    let folders = path.parent().into_iter().flat_map(Path::ancestors).take(PARTITIONS_ASKED);
    let names = folders.filter_map(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let mut plain = 0;
    names.fold(Claim::default(), |claim, name| match name.split_once('=') {
        Some((key, value)) => claim.or(of_partition(key, value)),
        None => {
            plain += 1;
            if plain > FOLDERS_ASKED { claim } else { claim.or(of_folder(&name)) }
        }
    })
}

/// Returns what a folder such as `symbol=BTC%2FUSDT` or `interval=15m` claims: the value is taken as it is.
fn of_partition(key: &str, value: &str) -> Claim {
    let value = percent_decoded(value);
    match key.to_ascii_lowercase().as_str() {
        "symbol" | "pair" | "ticker" | "instrument" => {
            Claim { symbol: Symbol::parse(value.split(':').next().unwrap_or_default()), ..Claim::default() }
        }
        "interval" | "timeframe" => Claim { interval: interval(&value), ..Claim::default() },
        _ => Claim::default(),
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

fn of_folder(name: &str) -> Claim {
    let tokens = tokens(name);
    let symbol = find_symbol(&tokens).filter(|(_, after)| *after == tokens.len());
    let whole = tokens.len() == symbol.as_ref().map_or(0, |(symbol, _)| tokens_of(symbol, &tokens));
    Claim {
        symbol: symbol.filter(|_| whole).map(|(symbol, _)| symbol),
        interval: interval(name),
        other_data: if tokens.len() == 1 { other_data(&tokens) } else { None },
    }
}

/// Returns how many tokens from the end a symbol is made of.
fn tokens_of(symbol: &Symbol, tokens: &[&str]) -> usize {
    let joined = |count: usize| tokens[tokens.len() - count..].concat().to_ascii_uppercase();
    (1..=tokens.len().min(2)).find(|count| joined(*count) == symbol.as_str()).unwrap_or(0)
}

fn tokens(stem: &str) -> Vec<&str> {
    stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|token| !token.is_empty()).collect()
}

fn other_data(tokens: &[&str]) -> Option<String> {
    tokens.iter().map(|token| token.to_ascii_lowercase()).find(|token| NOT_CANDLES.contains(&token.as_str()))
}

/// Returns the first symbol among the tokens and the index of the token after it.
fn find_symbol(tokens: &[&str]) -> Option<(Symbol, usize)> {
    (0..tokens.len())
        .find_map(|index| symbol_at(&tokens[index..]).map(|(symbol, used)| (symbol, index + used)))
}

/// Reads `BTC` `USDT` as one symbol, `WBTC` `USDT` too, but `BTCUSDT` `USDT` as BTCUSDT with its settlement.
fn symbol_at(tokens: &[&str]) -> Option<(Symbol, usize)> {
    let first = *tokens.first()?;
    let joined = quote_at_end(first);
    if let Some(second) = tokens.get(1).filter(|second| is_quote(second))
        && is_base(first)
        && joined.is_none_or(|quote| !quote.eq_ignore_ascii_case(second))
    {
        let settled = tokens.get(2).is_some_and(|third| is_quote(third));
        return Some((Symbol::parse(&format!("{first}{second}"))?, if settled { 3 } else { 2 }));
    }
    joined?;
    Some((Symbol::parse(first)?, 1))
}

fn is_base(token: &str) -> bool {
    token.len() <= 15 && token.bytes().any(|b| b.is_ascii_alphabetic()) && interval(token).is_none()
}

fn is_quote(token: &str) -> bool {
    QUOTES.iter().any(|quote| token.eq_ignore_ascii_case(quote)) || QUOTES_IN_CAPITALS.contains(&token)
}

/// Returns the longest quote currency that ends a token which is more than that currency.
fn quote_at_end(token: &str) -> Option<&'static str> {
    if is_quote(token) || token.len() > 24 {
        return None;
    }
    let ends = |quote: &str| {
        token.len() > quote.len() && token.is_ascii() && {
            token[token.len() - quote.len()..].eq_ignore_ascii_case(quote)
        }
    };
    let any_case = QUOTES.into_iter().filter(|quote| ends(quote));
    let in_capitals = QUOTES_IN_CAPITALS.into_iter().filter(|quote| token.ends_with(quote) && ends(quote));
    any_case.chain(in_capitals).max_by_key(|quote| quote.len())
}

/// Reads `15m`, `15min`, `1h`, `1H`, `1d`, `1w`, and the words of CryptoDataDownload (`minute`, `hour`, `d`).
///
/// `1M` is a month, which has no fixed length: it claims nothing, and the data show that it is coarse.
fn interval(token: &str) -> Option<Interval> {
    let of_words = match token.to_ascii_lowercase().as_str() {
        "minute" => "1m",
        "hour" | "hourly" => "1h",
        "d" | "day" | "daily" => "1d",
        "1w" => "7d",
        _ => "",
    };
    if !of_words.is_empty() {
        return of_words.parse().ok();
    }
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = token.split_at(digits);
    let unit = match unit {
        "m" | "min" | "mins" => "m",
        "h" | "H" => "h",
        "d" | "D" => "d",
        _ => return None,
    };
    format!("{count}{unit}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> (Option<String>, Option<String>) {
        let claim = claim(Path::new(path), None);
        (claim.symbol.map(|s| s.to_string()), claim.interval.map(|i| i.to_string()))
    }

    #[test]
    fn names_as_tools_write_them() {
        let cases = [
            ("BTCUSDT-15m.csv", "BTCUSDT", "15m"),
            ("BTCUSDT-5m-2024Q4.csv", "BTCUSDT", "5m"),
            ("ETHUSDT-1h-2024-12.csv", "ETHUSDT", "1h"),
            ("ETHUSDT-15m-2024-12-15.zip", "ETHUSDT", "15m"),
            ("BTCUSDT_15m.csv", "BTCUSDT", "15m"),
            ("btcusdt_15m.csv", "BTCUSDT", "15m"),
            ("btc-usdt-15m.CSV", "BTCUSDT", "15m"),
            ("ADA_USDT-5m.csv.gz", "ADAUSDT", "5m"),
            ("ADABTC_pipe_separated-1m-2021-11-27.csv", "ADABTC", "1m"),
            ("Binance_BTCUSDT_1h.csv", "BTCUSDT", "1h"),
            ("Binance_BTCUSDT_2023_minute.csv", "BTCUSDT", "1m"),
            ("Binance_BTCUSDT_d.csv", "BTCUSDT", "1d"),
            ("XBTUSD_60.csv", "XBTUSD", "1h"),
            ("XBTUSD_1440.csv", "XBTUSD", "1d"),
            ("BTC_USDT_USDT-1h-futures.csv", "BTCUSDT", "1h"),
            ("BTC_USDT-15m.feather", "BTCUSDT", "15m"),
            ("futures/BTC_USDT_USDT-15m-futures.feather", "BTCUSDT", "15m"),
            ("ADA_BTC-5m.json.gz", "ADABTC", "5m"),
            ("SOLUSDT-1h.parquet", "SOLUSDT", "1h"),
            ("BTCUSD_PERP-1h-2024-01.zip", "BTCUSD", "1h"),
            ("WBTC_USDT-15m.csv", "WBTCUSDT", "15m"),
            ("BETH-USDT-15m.csv", "BETHUSDT", "15m"),
            ("BTCUSDT_USDT-15m.csv", "BTCUSDT", "15m"),
            ("1000PEPEUSDT-15m.csv", "1000PEPEUSDT", "15m"),
            ("1INCHUSDT-15m.csv", "1INCHUSDT", "15m"),
            ("15m_SOLUSDT.csv", "SOLUSDT", "15m"),
            ("data/spot/BTCUSDT/15m/2025-01-01.csv", "BTCUSDT", "15m"),
            ("data/15m/BTC_USDT/2025-01-01.csv", "BTCUSDT", "15m"),
            ("data/5m/ETHUSDT-15m.csv", "ETHUSDT", "15m"),
        ];
        for (path, symbol, interval) in cases {
            assert_eq!(named(path), (Some(symbol.to_owned()), Some(interval.to_owned())), "{path}");
        }
    }

    #[test]
    fn what_is_not_said_is_not_claimed() {
        let symbol_only = |symbol: &str| (Some(symbol.to_owned()), None);
        assert_eq!(named("BTCUSD.csv"), symbol_only("BTCUSD"));
        assert_eq!(named("BTC-USDT.csv"), symbol_only("BTCUSDT"));
        assert_eq!(named("/data/5m-bot/BTCUSDT.csv"), symbol_only("BTCUSDT"));
        assert_eq!(named("BTCUSDT-1M-2024-01.csv"), symbol_only("BTCUSDT"));
        assert_eq!(named("BTCUSDT_2024.csv"), symbol_only("BTCUSDT"));
        for path in [
            "signals.csv",
            "industry.csv",
            "README.txt",
            "2025-01-01.csv",
            "USDT.csv",
            "a/b/c.csv",
            "",
            "é-15m.csv",
        ] {
            assert_eq!(named(path).0, None, "{path}");
        }
    }

    #[test]
    fn partitions_say_what_they_are_called() {
        let both = |symbol: &str| (Some(symbol.to_owned()), Some("15m".to_owned()));
        assert_eq!(named("symbol=BTCUSDT/interval=15m/year=2025/part-0.parquet"), both("BTCUSDT"));
        assert_eq!(named("symbol=BTC%2FUSDT%3AUSDT/timeframe=15m/0.parquet"), both("BTCUSDT"));
        let dated = "interval=15m/symbol=ABC/year=2025/month=1/day=2/hour=3/part-0.parquet";
        assert_eq!(named(dated), both("ABC"), "a partition needs no quote currency");
        assert_eq!(named("sym=BTCUSDT/part-0.parquet"), (None, None));
    }

    #[test]
    fn members_come_before_the_archive() {
        let entry = |entry: &str| {
            let claim = claim(Path::new("ETHUSDT/15m/BTCUSDT-15m-2025-01.zip"), Some(entry));
            (claim.symbol.map(|s| s.to_string()), claim.interval.map(|i| i.to_string()))
        };
        assert_eq!(entry("data.csv"), (Some("BTCUSDT".to_owned()), Some("15m".to_owned())));
        assert_eq!(entry("SOL_USDT-5m.csv"), (Some("SOLUSDT".to_owned()), Some("5m".to_owned())));
        assert_eq!(entry("SOLUSDT\\1h\\x.csv"), (Some("SOLUSDT".to_owned()), Some("1h".to_owned())));
    }

    #[test]
    fn days_are_read_from_names() {
        let midnight = Some(1_735_689_600_000);
        let day = |path: &str, entry| day_ms(Path::new(path), entry);
        assert_eq!(day("market_snapshots/20250101.csv", None), midnight);
        assert_eq!(day("snapshots_2025-01-01.csv.gz", None), midnight);
        assert_eq!(day("20240101.zip", Some("x\\20250101.csv")), midnight);
        assert_eq!(day("20250101.zip", Some("snapshots.csv")), midnight);
        for none in ["20251301.csv", "20250101/snapshots.csv", "123456789.csv", "é.csv", "2025-01.csv", ""] {
            assert_eq!(day(none, None), None, "{none}");
        }
    }

    #[test]
    fn other_data_is_recognised() {
        let word = |path: &str| claim(Path::new(path), None).other_data;
        assert_eq!(word("XRP_USDT_USDT-8h-funding_rate.csv").as_deref(), Some("funding"));
        assert_eq!(
            word("um/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2024-01.zip").as_deref(),
            Some("markpriceklines")
        );
        assert_eq!(word("BTCUSDT-15m.csv"), None);
    }
}

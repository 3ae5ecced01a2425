//! The name of a market, as one key however it was written.

use std::fmt;
use std::str::FromStr;

use super::pair::Pair;

/// Most characters of a symbol.
const CHARS_MAX: usize = 32;
/// What stands between the currencies of a pair.
const SEPARATORS: [char; 4] = ['/', '-', '_', ':'];
/// Words behind a pair that say that it has no expiry, not that it is another symbol.
const PERPETUAL: [&str; 3] = ["SWAP", "PERP", "PERPETUAL"];

/// A market: base and quote currency without separators, `BTCUSDT`; of a dated contract with its expiry,
/// `BTCUSDT_250328`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(String);

impl Symbol {
    /// Returns the symbol that a text names, or `None` if it is empty, longer than 32 characters, begins with no letter
    /// or digit, or holds what cannot be seen or what separates cells and lists.
    ///
    /// `BTC/USDT`, `BTC_USDT`, `BTC/USDT:USDT`, `BTC-USDT-SWAP`, `BTCUSDT.P` and `BINANCE:BTCUSDT` are all BTCUSDT;
    /// `KRW-BTC` is BTCKRW, because nobody counts won in bitcoin; `BTC/USDT:USDT-250328` is BTCUSDT_250328. ASCII letters
    /// are written in capitals; other letters stay as they are. A text without a known currency keeps what is not a
    /// separator.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let text = match text.split_once(':') {
            Some((exchange, pair)) if Pair::at_end(exchange).is_none() && whole_pair(pair).is_some() => pair,
            _ => &text,
        };
        match whole_pair(text) {
            Some(pair) => Self::of_pair(&pair),
            None if text.contains(SEPARATORS) => Self::parse(&text.replace(SEPARATORS, "")),
            None => Self::of_key(text.to_owned()),
        }
    }

    /// Returns the symbol of a pair.
    pub fn of_pair(pair: &Pair) -> Option<Self> {
        let expiry = pair.expiry.as_ref().map(|expiry| format!("_{expiry}")).unwrap_or_default();
        Self::of_key(format!("{}{}{expiry}", pair.base, pair.quote))
    }

    fn of_key(key: String) -> Option<Self> {
        let begins = key.chars().next().is_some_and(|c| !c.is_ascii_punctuation() || c == '$');
        let shown = |c: char| !is_unseen(c) && !matches!(c, '/' | '\\' | ',' | ';' | '"');
        let plain = begins && key.chars().count() <= CHARS_MAX && key.chars().all(shown);
        plain.then_some(Self(key))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns base and quote currency (with the expiry cut off), `None` where no known currency ends the name.
    pub fn currencies(&self) -> Option<(&str, &str)> {
        Pair::at_end(self.undated())
    }

    /// Returns whether a name is this symbol's without the quote currency.
    pub fn has_base(&self, name: &str) -> bool {
        Pair::ends(self.undated()).any(|(base, _)| base.eq_ignore_ascii_case(name))
    }

    fn undated(&self) -> &str {
        self.0.split_once('_').map_or(&self.0, |(name, _)| name)
    }

    /// Returns the expiry of a dated contract: `250328`.
    pub fn expiry(&self) -> Option<&str> {
        self.0.split_once('_').map(|(_, expiry)| expiry)
    }
}

impl FromStr for Symbol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| format!("expected a symbol such as BTCUSDT, found {text:?}"))
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a text that is a pair as a whole.
fn whole_pair(text: &str) -> Option<Pair> {
    let tokens: Vec<&str> = text.split(SEPARATORS).filter(|token| !token.is_empty()).collect();
    let is_perpetual = |word: &str| PERPETUAL.iter().any(|known| word.eq_ignore_ascii_case(known));
    let whole = |(_, used): &(Pair, usize)| match &tokens[*used..] {
        [] => true,
        [word] => is_perpetual(word),
        _ => false,
    };
    Pair::readings(&tokens, false).into_iter().find(whole).map(|(pair, _)| pair)
}

/// Returns whether a character leaves nothing to see, or turns what stands around it: two names that look alike must be
/// alike.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Symbol::parse(text).map(|symbol| symbol.to_string())
    }

    #[test]
    fn one_market_has_one_key_however_it_is_written() {
        for (text, key) in [
            ("btc/usdt", "BTCUSDT"),
            ("BTC_USDT", "BTCUSDT"),
            ("BTC/USDT:USDT", "BTCUSDT"),
            ("BTC_USDT_USDT", "BTCUSDT"),
            ("BTC/USD:BTC", "BTCUSD"),
            ("BTC-USDT-SWAP", "BTCUSDT"),
            ("BTCUSD_PERP", "BTCUSD"),
            ("BTCUSDT.P", "BTCUSDT"),
            ("BINANCE:BTCUSDT", "BTCUSDT"),
            ("BINANCE:BTCUSDT.P", "BTCUSDT"),
            ("OKX:BTC-USDT-SWAP", "BTCUSDT"),
            ("KRW-BTC", "BTCKRW"),
            ("USDT-ETH", "ETHUSDT"),
            ("BTCUSDT_250328", "BTCUSDT_250328"),
            ("BTC/USDT:USDT-250328", "BTCUSDT_250328"),
            ("BTC-USD-250328", "BTCUSD_250328"),
            ("币安人生/USDT:USDT", "币安人生USDT"),
            ("币安人生USDT", "币安人生USDT"),
            ("4/USDT", "4USDT"),
            ("BTC", "BTC"),
            ("EUR/USD", "EURUSD"),
            ("A-B", "AB"),
            ("$WIF_USDT", "$WIFUSDT"),
            ("btc-usdtperp", "BTCUSDT"),
            ("BTC-ETH", "BTCETH"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(key), "{text}");
            assert_eq!(parsed(key).as_deref(), Some(key), "a key is its own: {key}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_no_symbol() {
        let long = "B".repeat(33);
        for text in [
            "",
            "../etc",
            "-",
            "a\\b",
            "BTC\u{200b}USDT",
            "\u{202e}BTC",
            "BTC\u{1b}[2J",
            "BTC\u{3164}",
            "BTC USDT",
            "B,TCUSDT",
            "BTC,USDT/USDT",
            "BTC;USDT",
            "BTC\"USDT",
            &long,
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(parsed(&"多".repeat(32)).map(|key| key.chars().count()), Some(32));
    }

    #[test]
    fn currencies_are_found_in_keys() {
        let of = |key: &str| {
            let symbol = Symbol::parse(key).expect("a symbol");
            let owned = |(base, quote): (&str, &str)| (base.to_owned(), quote.to_owned());
            (symbol.currencies().map(owned), symbol.expiry().map(str::to_owned))
        };
        let pair = |base: &str, quote: &str| Some((base.to_owned(), quote.to_owned()));
        assert_eq!(of("LUNA2USDT"), (pair("LUNA2", "USDT"), None));
        assert_eq!(of("BTCUSDT_250328"), (pair("BTC", "USDT"), Some("250328".to_owned())));
        assert_eq!(of("BTC"), (None, None));
    }
}

//! Two currencies in one name: which is the base, which the quote, what settles, when it expires.

use super::time::Day;

/// Currencies that prices are counted in, in any case of letters.
const QUOTES: [&str; 8] = ["USDT", "USDC", "BUSD", "FDUSD", "USD", "EUR", "BTC", "ETH"];
/// The same in capitals only: in small letters they end ordinary words.
const QUOTES_IN_CAPITALS: [&str; 28] = [
    "TUSD", "USDP", "USDD", "USD1", "DAI", "XBT", "BNB", "TRX", "XRP", "SOL", "DOGE", "DOT", "GBP", "JPY",
    "TRY", "BRL", "AUD", "CAD", "CHF", "KRW", "MXN", "PLN", "ZAR", "UAH", "IDR", "IDRT", "EURI", "USDE",
];
/// Those that stand alone behind a separator only: they end the names of coins.
const QUOTES_ALONE: [&str; 17] = [
    "THB", "INR", "RUB", "SGD", "HKD", "CNY", "NZD", "SEK", "NOK", "ARS", "VND", "PHP", "NGN", "WETH",
    "PYUSD", "RLUSD", "GUSD",
];
/// Coins among the quotes; each counts the coins behind it, never one before it.
const COINS: [&str; 10] = ["BTC", "XBT", "ETH", "WETH", "BNB", "TRX", "XRP", "SOL", "DOGE", "DOT"];
/// Money that no coin counts: before a coin, it is the quote.
const QUOTED_FIRST: [&str; 19] = [
    "USDT", "USD", "EUR", "KRW", "GBP", "JPY", "TRY", "BRL", "AUD", "CAD", "CHF", "MXN", "PLN", "ZAR", "UAH",
    "IDR", "THB", "INR", "CNY",
];
/// Dollars that settle contracts.
const SETTLING: [&str; 4] = ["USDT", "USDC", "BUSD", "FDUSD"];
/// Longest base.
const BASE_CHARS_MAX: usize = 24;

/// A pair of currencies as a name writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What is bought and sold.
    pub base: String,
    /// What prices are counted in.
    pub quote: String,
    /// What a contract is settled in: `BTC/USDT:USDT`.
    pub settle: Option<String>,
    /// When a contract ends: `250328`.
    pub expiry: Option<String>,
    /// Whether the name says itself that it is a contract: `BTCUSDT.P`, `BTCUSDTPERP`, `XBTUSDTM`.
    pub contract: bool,
}

/// Which of two currencies is the base.
enum Order {
    BaseFirst,
    QuoteFirst,
    /// Two coins that count others, the greater first: exchanges mean either.
    Unclear,
    /// They are no pair.
    None,
}

impl Pair {
    /// Returns the ways to read the first tokens as a pair, each with the number of tokens read.
    ///
    /// Two coins such as `BTC` `ETH` are a pair only where `quote_first` says how the exchange writes.
    pub fn readings(tokens: &[&str], quote_first: bool) -> Vec<(Self, usize)> {
        let one = tokens.first().and_then(|token| Self::joined(token)).map(|pair| (pair, 1));
        let two = match tokens {
            [first, second, ..] => Self::separated(first, second, quote_first).map(|pair| (pair, 2)),
            _ => None,
        };
        let further = |(pair, used): (Self, usize)| pair.contract_of(tokens, used);
        one.into_iter().chain(two).map(further).collect()
    }

    /// Returns whether two tokens are a pair whose order nothing tells.
    pub fn is_unclear(first: &str, second: &str) -> bool {
        matches!(order(first, second, false), Order::Unclear)
    }

    /// Returns what stands before the currency that ends a name, and that currency: the one behind a known coin
    /// (`DOTUSD` is not DO in TUSD), else the longest.
    pub fn at_end(name: &str) -> Option<(&str, &str)> {
        Self::ends(name).max_by_key(|(base, quote)| (is_coin(base), quote.len()))
    }

    /// Returns all ways to cut a known currency off the end of a name.
    pub fn ends(name: &str) -> impl Iterator<Item = (&str, &str)> {
        let cut = move |quote: &'static str| {
            let at = name.len().checked_sub(quote.len()).filter(|at| *at > 0)?;
            let end = name.get(at..)?;
            end.eq_ignore_ascii_case(quote).then_some((&name[..at], end))
        };
        let any_case = QUOTES.into_iter().filter_map(cut);
        let in_capitals =
            QUOTES_IN_CAPITALS.into_iter().filter(|quote| name.ends_with(quote)).filter_map(cut);
        any_case.chain(in_capitals)
    }

    fn joined(token: &str) -> Option<Self> {
        if is_quote(token) {
            return None;
        }
        let perpetual = ["PERP", ".P"].into_iter().find_map(|end| token.strip_suffix(end));
        let futures =
            || token.strip_suffix('M').filter(|rest| rest.ends_with("USDT") || rest.ends_with("USDC"));
        let name = perpetual.or_else(futures);
        let (base, quote) = Self::at_end(name.unwrap_or(token)).filter(|(base, _)| is_base(base))?;
        Some(Self { contract: name.is_some(), ..Self::plain(base, quote) })
    }

    fn separated(first: &str, second: &str, quote_first: bool) -> Option<Self> {
        let is_settled = Self::at_end(first).is_some_and(|(base, quote)| {
            base.len() > 1 && !is_coin(quote) && quote.eq_ignore_ascii_case(second)
        });
        let in_capitals = !second.bytes().any(|byte| byte.is_ascii_lowercase());
        let pair = match order(first, second, quote_first) {
            Order::BaseFirst if !is_settled => Self::plain(first, second),
            // Any word behind `usd` would be a coin.
            Order::QuoteFirst if in_capitals || is_quote(second) => Self::plain(second, first),
            _ => return None,
        };
        is_base(&pair.base).then_some(pair)
    }

    fn plain(base: &str, quote: &str) -> Self {
        let [base, quote] = [base, quote].map(str::to_ascii_uppercase);
        Self { base, quote, settle: None, expiry: None, contract: false }
    }

    /// Reads settlement and expiry behind the currencies.
    fn contract_of(mut self, tokens: &[&str], mut used: usize) -> (Self, usize) {
        if let Some(token) = tokens.get(used).filter(|token| self.is_settled_in(token)) {
            self.settle = Some(token.to_ascii_uppercase());
            used += 1;
        }
        if let Some(expiry) = tokens.get(used).and_then(|token| read_expiry(token)) {
            self.expiry = Some(expiry);
            used += 1;
        }
        (self, used)
    }

    /// A contract is settled in one of its currencies; one counted in dollars also in a coin or in tokens for dollars.
    fn is_settled_in(&self, token: &str) -> bool {
        let is = |known: &str| token.eq_ignore_ascii_case(known);
        !is_coin(&self.quote) && (is(&self.quote) || is(&self.base) && !is_digits(token))
            || self.quote == "USD" && SETTLING.iter().chain(&["BTC", "ETH"]).any(|known| is(known))
    }

    /// Returns whether prices are counted in a coin.
    pub fn is_counted_in_coins(&self) -> bool {
        is_coin(&self.quote)
    }

    /// Returns whether the coin itself settles it: `BTC/USD:BTC`, and contracts in plain dollars where nothing is said.
    pub fn is_coin_settled(&self) -> bool {
        match &self.settle {
            Some(settle) => *settle != self.quote && !SETTLING.contains(&settle.as_str()),
            None => self.quote == "USD",
        }
    }
}

/// Returns whether a token is a currency that prices are counted in.
pub fn is_quote(token: &str) -> bool {
    QUOTES.iter().any(|quote| token.eq_ignore_ascii_case(quote))
        || QUOTES_IN_CAPITALS.contains(&token)
        || QUOTES_ALONE.contains(&token)
}

fn is_base(token: &str) -> bool {
    (1..=BASE_CHARS_MAX).contains(&token.chars().count())
        && token.strip_prefix('$').unwrap_or(token).chars().all(char::is_alphanumeric)
}

fn is_coin(token: &str) -> bool {
    COINS.iter().any(|coin| token.eq_ignore_ascii_case(coin))
}

fn order(first: &str, second: &str, quote_first: bool) -> Order {
    let is_first =
        |list: &[&str]| list.iter().any(|quote| first.eq_ignore_ascii_case(quote)) && is_quote(first);
    // The place among the coins that count others; the last ones do not count each other.
    let rank =
        |token: &str| COINS.iter().position(|coin| token.eq_ignore_ascii_case(coin)).map(|at| at.min(4));
    let (first_is_quote, second_is_quote) = (is_quote(first), is_quote(second));
    if first.eq_ignore_ascii_case(second) {
        return Order::None;
    }
    match (second_is_quote, second_is_quote && is_coin(second)) {
        (true, false) if first == "KRW" => Order::QuoteFirst,
        (true, false) => Order::BaseFirst,
        _ if is_first(&QUOTED_FIRST) => Order::QuoteFirst,
        (true, true) if is_first(&["USDC"]) => Order::Unclear,
        (true, true) if first_is_quote && is_coin(first) && rank(first) < rank(second) => match quote_first {
            true => Order::QuoteFirst,
            false => Order::Unclear,
        },
        (true, true) => Order::BaseFirst,
        (false, _) if first_is_quote && quote_first => Order::QuoteFirst,
        (false, _) => Order::None,
    }
}

/// Reads the day a contract ends: `250328` or `28MAR25`, as `250328`.
///
/// Contracts end on Fridays: other days are dates of candles.
fn read_expiry(token: &str) -> Option<String> {
    let digits = if token.len() == 6 && is_digits(token) { token.to_owned() } else { of_words(token)? };
    let day = Day::parse(&format!("20{}-{}-{}", &digits[..2], &digits[2..4], &digits[4..]))?;
    // The first day of 1970 was a Thursday.
    (day.0.rem_euclid(7) == 1).then_some(digits)
}

/// Reads `28MAR25` as `250328`.
fn of_words(token: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let (day, rest) = token.split_at_checked(token.len().checked_sub(5)?)?;
    let (month, year) = rest.split_at_checked(3)?;
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    let sound = (1..=2).contains(&day.len()) && is_digits(day) && is_digits(year);
    sound.then(|| format!("{year}{month:02}{day:0>2}"))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str, quote_first: bool) -> Option<(String, String, usize)> {
        let tokens: Vec<&str> = text.split(['_', '-']).collect();
        let readings = Pair::readings(&tokens, quote_first);
        let (pair, used) = readings.into_iter().max_by_key(|(_, used)| *used)?;
        Some((pair.base, pair.quote, used))
    }

    #[test]
    fn the_greater_currency_is_the_quote() {
        let pair = |base: &str, quote: &str| Some((base.to_owned(), quote.to_owned(), 2));
        assert_eq!(reading("ETH-BTC", false), pair("ETH", "BTC"));
        assert_eq!(reading("KRW-BTC", false), pair("BTC", "KRW"));
        assert_eq!(reading("KRW-USDT", false), pair("USDT", "KRW"));
        assert_eq!(reading("USDT-ADA", false), pair("ADA", "USDT"));
        assert_eq!(reading("USD-JPY", false), pair("USD", "JPY"));
        assert_eq!(reading("EUR-USDT", false), pair("EUR", "USDT"));
        assert_eq!(reading("TUSD-BTC", false), pair("TUSD", "BTC"));
        assert_eq!(reading("BTC-ETH", false), None);
        assert!(Pair::is_unclear("BTC", "ETH") && !Pair::is_unclear("ETH", "BTC"));
        assert_eq!(reading("BTC-ETH", true), pair("ETH", "BTC"));
        assert_eq!(reading("BTC-ADA", true), pair("ADA", "BTC"));
        assert_eq!(reading("BTC-ADA", false), None);
        assert_eq!(reading("USDT-USDT", false), None);
        assert_eq!(reading("WBTC-BTC", false), pair("WBTC", "BTC"));
        assert_eq!(Pair::at_end("DOTUSD"), Some(("DOT", "USD")));
        assert_eq!(Pair::at_end("BNBUSD"), Some(("BNB", "USD")));
        assert_eq!(Pair::at_end("ADABUSD"), Some(("ADA", "BUSD")));
    }

    #[test]
    fn contracts_end_on_fridays() {
        assert_eq!(read_expiry("250328").as_deref(), Some("250328"));
        assert_eq!(read_expiry("28MAR25").as_deref(), Some("250328"));
        for none in ["250327", "202501", "251350", "2503", "é5MAR25", "MAR25", ""] {
            assert_eq!(read_expiry(none), None, "{none}");
        }
    }
}

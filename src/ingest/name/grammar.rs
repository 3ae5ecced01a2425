//! A name is read as a whole: one pair, and around it words that are all understood.

use std::ops::Range;

use super::Token;
use super::words::{self, Around, MarketWord, WordMeaning};
use crate::model::{Interval, Pair, Symbol};

/// Words of a name that are looked at; longer names claim nothing.
const TOKENS_MAX: usize = 32;

/// What a name says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Said {
    /// Pair and symbol.
    pub(super) pair: Option<(Pair, Symbol)>,
    pub(super) interval: Option<Interval>,
    /// Words about the market, in the order they stand.
    pub(super) markets: Vec<MarketWord>,
    pub(super) exchange: Option<&'static str>,
    /// The word that says that these are no candles.
    pub(super) other_data: Option<String>,
}

/// Why a name with a pair in it claims no symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unclear {
    /// A word is not understood, beside a pair of this symbol.
    Token { token: String, symbol: Symbol },
    /// Two coins that could stand in either order.
    Order { first: String, second: String },
    /// It can be read as two symbols.
    Several { one: Symbol, other: Symbol },
}

/// A name that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// All of it is understood.
    Whole(Said),
    /// There is a pair, but it is not sure whose candles these are.
    Unclear(Unclear),
    /// It is a name like any other.
    Foreign,
}

/// Reads a name without its extensions; `folder` says what it is the name of, `quote_first` how the exchange writes.
pub(super) fn read_name(name: &str, folder: bool, quote_first: bool) -> Read {
    let tokens = tokens_of_name(name);
    if tokens.is_empty() || tokens.len() > TOKENS_MAX {
        return Read::Foreign;
    }
    let texts: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    let quote_first = quote_first || texts.iter().any(|text| words::is_quote_first(text));
    let mut whole: Vec<Said> = Vec::new();
    let mut partial: Option<((usize, bool), Unclear)> = None;
    for start in 0..tokens.len() {
        if words::is_phrase(&texts[start..]) {
            continue;
        }
        for (pair, used) in Pair::readings(&texts[start..], quote_first) {
            let Some(symbol) = Symbol::of_pair(&pair).filter(|_| may_be(&pair, &texts[start..start + used]))
            else {
                continue;
            };
            let (mut said, unknown) = understand_words(&tokens, start..start + used, folder);
            // Of readings that leave equally many words, the pair counted in money is rather meant.
            let left = (unknown.len(), pair.is_counted_in_coins());
            match unknown.first() {
                None if hides_in_a_word(&pair, texts[start], &said) => {}
                None => {
                    said.pair = Some((pair, symbol));
                    whole.push(said);
                }
                Some(first) if partial.as_ref().is_none_or(|(least, _)| left < *least) => {
                    let token = texts[*first].to_owned();
                    partial = Some((left, Unclear::Token { token, symbol }));
                }
                Some(_) => {}
            }
        }
    }
    let unclear_at = texts.windows(2).position(|two| Pair::is_unclear(two[0], two[1]));
    match (whole.as_slice(), unclear_at, partial) {
        ([], Some(at), _) => {
            let [first, second] = [texts[at], texts[at + 1]].map(str::to_owned);
            Read::Unclear(Unclear::Order { first, second })
        }
        ([], None, Some((_, unclear))) => Read::Unclear(unclear),
        ([], None, None) => match understand_words(&tokens, 0..0, folder) {
            (said, unknown) if unknown.is_empty() => Read::Whole(said),
            _ => Read::Foreign,
        },
        ([first, others @ ..], ..) => match others.iter().find(|said| !said.is_same(first)) {
            None => Read::Whole(first.clone()),
            Some(other) => several_names(first, other),
        },
    }
}

impl Said {
    /// Two readings are the same if they lead to the same series.
    fn is_same(&self, other: &Self) -> bool {
        let symbol = |said: &Self| said.pair.as_ref().map(|(_, symbol)| symbol.clone());
        symbol(self) == symbol(other)
            && self.interval == other.interval
            && self.other_data == other.other_data
    }
}

fn several_names(first: &Said, other: &Said) -> Read {
    match (&first.pair, &other.pair) {
        (Some((_, one)), Some((_, other))) => {
            Read::Unclear(Unclear::Several { one: one.clone(), other: other.clone() })
        }
        _ => Read::Foreign,
    }
}

/// A word with a meaning of its own is a coin only in capitals beside money, an exchange or a date never.
fn may_be(pair: &Pair, texts: &[&str]) -> bool {
    let written = texts.iter().find(|text| text.eq_ignore_ascii_case(&pair.base));
    let base = written.copied().unwrap_or(&pair.base);
    let in_words = written.is_some() && words::is_word(base);
    let in_capitals = !base.bytes().any(|byte| byte.is_ascii_lowercase());
    let dated = written.is_some() && words::is_dated(base);
    let clock = base.as_bytes()[0].is_ascii_digit() && words::parse_interval_word(base).is_some();
    !words::is_exchange(base) && !dated && !clock && (!in_words || in_capitals && !pair.is_counted_in_coins())
}

/// `teeth` and `amateur` end in currencies: in small letters such a word needs an interval beside it.
fn hides_in_a_word(pair: &Pair, first: &str, said: &Said) -> bool {
    let joined = first.len() > pair.base.len();
    let small = first.bytes().any(|byte| byte.is_ascii_lowercase());
    joined && small && matches!(pair.quote.as_str(), "ETH" | "EUR") && said.interval.is_none()
}

/// Reads all words but those of the pair; returns what they say and the places of those not understood.
fn understand_words(tokens: &[Token<'_>], pair: Range<usize>, folder: bool) -> (Said, Vec<usize>) {
    let dated = tokens.iter().any(|token| words::is_dated(token.text));
    let (mut said, mut unknown) = (Said::default(), Vec::new());
    let (mut before, mut behind) = (None, None);
    let mut at = 0;
    while at < tokens.len() {
        if pair.contains(&at) {
            at = pair.end;
            continue;
        }
        let end = if at < pair.start { pair.start } else { tokens.len() };
        let around = Around {
            behind_pair: !pair.is_empty() && at == pair.end,
            behind_interval: before.or(behind).is_some(),
            dated,
            folder,
        };
        let Some((meaning, used)) = words::meaning_of_words(&tokens[at..end], around) else {
            unknown.push(at);
            at += 1;
            continue;
        };
        match meaning {
            WordMeaning::Exchange(name) => said.exchange = said.exchange.or(Some(name)),
            WordMeaning::ExchangeMarket(name, market) => {
                said.exchange = said.exchange.or(Some(name));
                said.markets.push(market);
            }
            WordMeaning::Market(market) if said.markets.iter().any(|other| other.contradicts(market)) => {
                unknown.push(at);
            }
            WordMeaning::Market(market) => said.markets.push(market),
            WordMeaning::OtherData(word) => said.other_data = said.other_data.or(Some(word)),
            WordMeaning::Interval(interval) if at < pair.start => before = before.or(Some(interval)),
            WordMeaning::Interval(interval) => behind = behind.or(Some(interval)),
            WordMeaning::Plain => {}
        }
        at += used;
    }
    said.interval = behind.or(before).flatten();
    (said, unknown)
}

/// Cuts a name into words; the `.P` of perpetual contracts stays where it stands.
fn tokens_of_name(name: &str) -> Vec<Token<'_>> {
    let separates =
        |c: char| matches!(c, '-' | '_' | ' ' | '.' | ',' | '(' | ')' | '[' | ']' | '+' | '@' | '#' | '~');
    let mut tokens = Vec::new();
    let (mut start, mut before) = (0, '_');
    for (at, c) in name.char_indices() {
        let rest = &name[at..];
        // `BTC:USDT` are two words, `00:15` is one.
        let separates_here = separates(c) || c == ':' && !rest[1..].starts_with(|c: char| c.is_ascii_digit());
        let perpetual = rest.starts_with(".P") && rest[2..].chars().next().is_none_or(separates);
        if separates_here && !perpetual {
            if at > start {
                tokens.push(Token { text: &name[start..at], before });
            }
            (start, before) = (at + c.len_utf8(), c);
        }
    }
    if start < name.len() {
        tokens.push(Token { text: &name[start..], before });
    }
    tokens
}

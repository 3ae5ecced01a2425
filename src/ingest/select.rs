//! Which files are read: patterns that leave some out, and the one market a symbol's files must be of.

use std::path::{Component, Path};
use std::str::FromStr;

use super::discover::SymbolSources;
use super::error::{MarketConflict, MarketFile};
use super::name;
use super::rejection::Rejection;
use super::source::CandleSource;
use crate::model::MarketKind;

/// Which of the files found are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Only files of this kind of market, and those that say none where no file of their symbol says this one.
    pub market: Option<MarketKind>,
    /// Only files of this exchange, and those that say none where no file of their symbol says this one.
    pub exchange: Option<String>,
    /// Files and folders that are left out.
    pub exclude: Vec<Glob>,
}

/// A pattern of names: `*` stands for any characters of a name, `?` for one, `**` for any folders.
///
/// Without a slash it is held against every name of a path, with one against names that follow each other, so that
/// `futures` and `futures/um` leave out all that lies below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split('/').any(|name| !matches!(name, "" | "**"));
        let plain = names && text.split('/').all(|name| name != "..");
        plain.then(|| Self(text.to_owned())).ok_or_else(|| {
            format!("expected a pattern of names such as `*-mark.feather` or `futures/*`, found {text:?}")
        })
    }
}

impl Glob {
    /// Returns the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a path, or a member of an archive, or a folder on the way to it is meant.
    pub(super) fn matches(&self, path: &Path, entry: Option<&str>) -> bool {
        let of_path = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        let of_entry = entry.into_iter().flat_map(|entry| entry.split(['/', '\\'])).map(str::to_owned);
        let names: Vec<String> = of_path.chain(of_entry).filter(|name| !name.is_empty()).collect();
        let anchored = self.0.starts_with('/');
        let pattern: Vec<&str> = self.0.split('/').filter(|name| !name.is_empty()).collect();
        let starts = if anchored { 1 } else { names.len() };
        (0..starts.min(names.len())).any(|start| begins_with(&names[start..], &pattern))
    }
}

/// Returns whether names begin with what a pattern means.
fn begins_with(names: &[String], pattern: &[&str]) -> bool {
    match (pattern, names) {
        ([], _) => true,
        (["**", rest @ ..], _) => (0..=names.len()).any(|skipped| begins_with(&names[skipped..], rest)),
        ([first, rest @ ..], [name, names @ ..]) => is_like(name, first) && begins_with(names, rest),
        (_, []) => false,
    }
}

/// Returns whether a name is one that a pattern means.
///
/// Cost: O(name x pattern)
fn is_like(name: &str, pattern: &str) -> bool {
    let (name, pattern): (Vec<char>, Vec<char>) = (name.chars().collect(), pattern.chars().collect());
    let (mut at, mut of_pattern) = (0, 0);
    // Where the last star stands, and what it has taken in so far.
    let mut star = None;
    while at < name.len() {
        match pattern.get(of_pattern) {
            Some('*') => {
                star = Some((of_pattern, at));
                of_pattern += 1;
            }
            Some(c) if *c == '?' || *c == name[at] => (at, of_pattern) = (at + 1, of_pattern + 1),
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    (at, of_pattern) = (taken + 1, place + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of_pattern..].iter().all(|c| *c == '*')
}

impl Selection {
    /// Returns the pattern that leaves a file out.
    pub(super) fn excludes(&self, path: &Path, entry: Option<&str>) -> Option<&Glob> {
        self.exclude.iter().find(|glob| glob.matches(path, entry))
    }

    /// Takes away the sources that are of other markets or exchanges than those asked for; returns them with why.
    pub(super) fn choose(&self, sources: &mut Vec<CandleSource>) -> Vec<(CandleSource, Rejection)> {
        let of_markets = self.choose_market(sources);
        of_markets.into_iter().chain(self.choose_exchange(sources)).collect()
    }

    fn choose_exchange(&self, sources: &mut Vec<CandleSource>) -> Vec<(CandleSource, Rejection)> {
        let Some(asked) = &self.exchange else { return Vec::new() };
        let known = name::exchange_named(asked);
        let is_asked = |source: &CandleSource| known.is_some() && source.market.exchange == known;
        let said = sources.iter().any(is_asked);
        let is_other =
            |source: &mut CandleSource| !is_asked(source) && (said || source.market.exchange.is_some());
        let asked = || asked.clone();
        let reason = |source: &CandleSource| match source.market.exchange {
            Some(found) => Rejection::OtherExchange { found: found.to_owned(), asked: asked() },
            None => Rejection::NoExchange { asked: asked() },
        };
        let others: Vec<CandleSource> = sources.extract_if(.., is_other).collect();
        others.into_iter().map(|source| (source.clone(), reason(&source))).collect()
    }

    fn choose_market(&self, sources: &mut Vec<CandleSource>) -> Vec<(CandleSource, Rejection)> {
        let Some(asked) = self.market else { return Vec::new() };
        let said = sources.iter().any(|source| source.market.kind == Some(asked));
        // A name without an expiry says that the contract is not dated.
        let silent_counts = !said && asked != MarketKind::Dated;
        let (kept, others) = std::mem::take(sources).into_iter().partition(|source: &CandleSource| {
            source.market.kind == Some(asked) || silent_counts && source.market.kind.is_none()
        });
        *sources = kept;
        let reason = |source: &CandleSource| match source.market.kind {
            Some(found) => Rejection::OtherMarket { found, asked },
            None => Rejection::NoMarket { asked },
        };
        others.into_iter().map(|source| (source.clone(), reason(&source))).collect()
    }
}

/// Returns two sources of a symbol that are of different markets.
///
/// A file that says no market is not of the one that others say; an exchange that is not said is the one that is.
pub(super) fn market_conflict(sources: &SymbolSources) -> Option<MarketConflict> {
    let first = sources.sources.first()?;
    let by_kind = sources.sources.iter().find(|source| source.market.kind != first.market.kind);
    let by_exchange = || {
        let mut said = sources.sources.iter().filter(|source| source.market.exchange.is_some());
        let first = said.next()?;
        Some((first, said.find(|source| source.market.exchange != first.market.exchange)?))
    };
    let (first, second) = by_kind.map(|second| (first, second)).or_else(by_exchange)?;
    let file = |source: &CandleSource| MarketFile {
        path: source.path.clone(),
        entry: source.entry.clone(),
        kind: source.market.kind,
        exchange: source.market.exchange,
    };
    Some(MarketConflict { symbol: sources.symbol.clone(), first: file(first), second: file(second) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_held_against_names_and_folders() {
        let is = |pattern: &str, path: &str| {
            pattern.parse::<Glob>().expect("a pattern").matches(Path::new(path), None)
        };
        for (pattern, path) in [
            ("*.feather", "a/b.feather"),
            ("futures", "data/futures/x.csv"),
            ("futures/um", "data/futures/um/x.csv"),
            ("futures/*.csv", "data/futures/x.csv"),
            ("data/**/x.csv", "data/a/b/x.csv"),
            ("data/**/x.csv", "data/x.csv"),
            ("*_USDT_USDT*", "BTC_USDT_USDT-15m-futures.csv"),
            ("a*b*c", "axxbyybc"),
            ("?.csv", "é.csv"),
            ("/data/x.csv", "/data/x.csv"),
            ("**/x.csv", "x.csv"),
        ] {
            assert!(is(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.csv", "a.csv.gz"),
            ("futures", "my-futures/x.csv"),
            ("um/futures", "futures/um/x.csv"),
            ("/x.csv", "data/x.csv"),
            ("a*b", "ac"),
            ("?.csv", ".csv"),
        ] {
            assert!(!is(pattern, path), "{pattern} {path}");
        }
        let member: Glob = "x/*.csv".parse().expect("a pattern");
        assert!(member.matches(Path::new("a.zip"), Some("x\\b.csv")));
        for bad in ["", "/", "**", "../a"] {
            assert!(bad.parse::<Glob>().is_err(), "{bad}");
        }
    }
}

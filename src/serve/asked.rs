//! A request, as far as the pages look at it.

use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Method, Uri};

/// Most things that may be asked of a page.
const PAIRS_MAX: usize = 32;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct PageRequest<'r> {
    pub(super) method: &'r Method,
    pub(super) headers: &'r HeaderMap,
    pub(super) uri: &'r Uri,
    /// The parts of the path between its slashes, unescaped; `None` where it is no text.
    segments: Option<Vec<String>>,
    /// What is asked of the page.
    pub(super) query: Vec<(String, String)>,
}

impl<'r> PageRequest<'r> {
    pub(super) fn new(parts: &'r Parts) -> Self {
        let path = parts.uri.path();
        let segments = path.split('/').skip(1).map(|segment| unescaped(segment, false)).collect();
        let pairs = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescaped(key, true)?, unescaped(value, true)?))
        };
        Self {
            method: &parts.method,
            headers: &parts.headers,
            uri: &parts.uri,
            segments,
            query: pairs.take(PAIRS_MAX).filter_map(pair).collect(),
        }
    }

    /// Returns the parts of the path; `None` where they are no text.
    pub(super) fn path(&self) -> Option<Vec<&str>> {
        self.segments.as_ref().map(|segments| segments.iter().map(String::as_str).collect())
    }

    /// Returns a header that is there once and is text.
    pub(super) fn header(&self, name: &str) -> Option<&'r str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// Returns what a browser kept under a name.
    pub(super) fn cookie(&self, name: &str) -> Option<&'r str> {
        let values = self.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let mut pairs = values.flat_map(|value| value.split(';'));
        pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
    }

    /// Returns what is asked under a name; nothing where it is empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }
}

/// Returns text without its escapes; `None` where they are no text.
fn unescaped(text: &str, plus_is_blank: bool) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())?;
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
                rest = &after[2..];
            }
            b'+' if plus_is_blank => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_or_refused() {
        for (text, wanted) in [
            ("BTC%2FUSDT", Some("BTC/USDT")),
            ("%E4%B8%AD", Some("中")),
            ("a+b", Some("a+b")),
            ("%", None),
            ("%2", None),
            ("%+1", None),
            ("%zz", None),
            ("%FF", None),
            ("..", Some("..")),
        ] {
            assert_eq!(unescaped(text, false).as_deref(), wanted, "{text}");
        }
        assert_eq!(unescaped("a+b", true).as_deref(), Some("a b"));
    }
}

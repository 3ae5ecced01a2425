//! What can go wrong when candles are fetched.

use std::path::PathBuf;

use crate::model::rfc3339;
use crate::net::{EndpointError, ProxyError};

/// Why candles were not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages say it")]
pub enum FetchError {
    #[error("expected a symbol of 2 to 32 capitals, digits, `_` and `-`, found {found:?}")]
    Ticker { found: String },
    #[error("{ticker}: a file of this name would be read as symbol {read_as}, so it is not fetched")]
    TickerName { ticker: String, read_as: String },
    #[error("expected an interval of the exchange ({known}), found {found:?}")]
    Interval { found: String, known: String },
    #[error("base URL: {0}")]
    BaseUrl(#[from] EndpointError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("expected a time with closed candles, found none from {} to {}", rfc3339(*since_ms), rfc3339(*until_ms))]
    Span { since_ms: i64, until_ms: i64 },
    #[error("another `optimizer fetch` writes to `{}`", folder.display())]
    Busy { folder: PathBuf },
    #[error("`{}`: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("`{}`, line {line}: expected {expected}, found {found:?}", path.display())]
    ForeignFile { path: PathBuf, line: u64, expected: &'static str, found: String },
    #[error("the exchange refuses {what}: {status} {message}")]
    Refused { what: String, status: u16, message: String },
    #[error("the exchange asks to wait {asked_s} s ({status}), and {longest_s} s is the longest wait")]
    Throttled { status: u16, asked_s: u64, longest_s: u64 },
    #[error("{what}: gave up after {tries} tries, the last: {last}")]
    GaveUp { what: String, tries: u32, last: String },
    #[error("{what}: expected {expected}, found {found}")]
    Unexpected { what: String, expected: &'static str, found: String },
    #[error(
        "candles of {ticker}: expected at most 1 % of rows that cannot be used, found {refused} of {rows}, the first: {first}"
    )]
    MuchRefused { ticker: String, refused: u64, rows: u64, first: String },
    #[error("{file}: expected SHA-256 {expected}, found {found}; nothing of it is kept")]
    Checksum { file: String, expected: String, found: String },
    #[error("{ticker}: expected archives from {first} to {last}, found none that are published")]
    NoArchives { ticker: String, first: String, last: String },
    #[error("stopped")]
    Stopped,
}

impl FetchError {
    /// Returns whether other symbols may do better.
    pub fn is_of_one_symbol(&self) -> bool {
        match self {
            // 403 and 451 are about who asks, not about what is asked for.
            Self::Refused { status, .. } => !matches!(status, 401 | 403 | 451),
            Self::ForeignFile { .. }
            | Self::Unexpected { .. }
            | Self::MuchRefused { .. }
            | Self::NoArchives { .. }
            | Self::Checksum { .. } => true,
            _ => false,
        }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TickerName { .. } => {
                Some("only symbols that end in a known quote currency can be read later")
            }
            Self::BaseUrl(_) => Some("e.g. --base-url https://data-api.binance.vision"),
            Self::Span { .. } => Some("--since must lie before --until, and one candle before now"),
            Self::Busy { .. } => Some("wait for it, or choose another --out"),
            Self::Io { .. } => {
                Some("check the folder, its permissions and the disk; what was there is untouched")
            }
            Self::ForeignFile { .. } => {
                Some("the file was not written by `optimizer fetch`: move it away, or choose another --out")
            }
            Self::Refused { status: 400 | 404, .. } => {
                Some("check the symbol's spelling and --market (a symbol may trade on one market only)")
            }
            Self::Refused { status: 403 | 451, .. } => Some(
                "this address may not use it: try --base-url https://data-api.binance.vision (spot), or --source archive",
            ),
            Self::Throttled { .. } => Some("run the same command again later: it goes on where it stopped"),
            Self::GaveUp { .. } => {
                Some("check the connection and --base-url; the same command goes on where it stopped")
            }
            Self::Unexpected { .. } => Some("is --base-url the exchange? nothing of this answer was written"),
            Self::MuchRefused { .. } => Some(
                "what was sound is kept, what was not is missing: look at the file before you tune on it",
            ),
            Self::Proxy(_) => Some("correct the variable, or unset it"),
            Self::Checksum { .. } => Some(
                "run it again later; if it stays, the archive is damaged where it is published: use --source rest",
            ),
            Self::NoArchives { .. } => {
                Some("check symbol, --market and dates; recent days need --source rest")
            }
            Self::Stopped => Some("run the same command again: it goes on where it stopped"),
            Self::Ticker { .. } | Self::Interval { .. } | Self::Refused { .. } => None,
        }
    }
}

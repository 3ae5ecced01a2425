//! What there is to say of an issue of the input and of the clock: data, which is put into words late.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::losses::LOSSES;
use crate::ingest::{IssueCause, Rejection, as_text};
use crate::model::{DAY_MS, Interval, Style, Timeframes, rfc3339};

/// What there is to say of an issue besides its kind and count. The names are those that stores keep; new ones stand at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueDetail {
    /// When the newest candle of a symbol closed; UTC ms.
    NewestClose(i64),
    /// A symbol has no candles; the run that had some, if there was one.
    NoCandles(Option<u64>),
    /// What missing candles, and prices in another scale, cost a style.
    Lost {
        /// The style.
        style: Style,
        /// How many signals or candles.
        count: u64,
        /// The name of [`LOSSES`].
        what: String,
    },
    /// A file is not used.
    NotUsed(Rejection),
    /// In the words of a program that kept no data.
    Told(String),
    /// What was found in a file, or in the candles of a symbol.
    Found(IssueCause),
    /// The candles of a symbol end before those of others; UTC ms.
    Stopped {
        /// When its last candle opens.
        last_open_ms: i64,
        /// When the newest of all candles opens.
        newest_open_ms: i64,
    },
    /// The candles of a symbol end before the first day that counts.
    EndsBefore {
        /// When its last candle opens; UTC ms.
        last_open_ms: i64,
        /// That day.
        from: String,
    },
    /// The candles of a symbol end before features begin.
    ShortHistory {
        /// Of its candles.
        #[serde(with = "as_text")]
        interval: Interval,
        /// From the first candle on until features begin.
        warm_up_ms: i64,
        /// From the first candle to the end of the last.
        span_ms: i64,
    },
    /// Signals of a file are not on days that count, for the reason of the issue.
    UnusedSignals {
        /// Why, by the name of `UNUSED_SIGNALS`.
        why: String,
        /// The symbol of the first.
        symbol: String,
        /// The time of the first; UTC ms.
        time_ms: i64,
    },
    /// The clock cannot be right.
    Clock(ClockReason),
}

/// The kind of candles that begin after now, as it is noted of files.
pub(crate) const FUTURE: &str = "future";

/// Why signals of a file are not on days that count: the kind of their issue, and what was expected and found.
pub(super) const UNUSED_SIGNALS: [(&str, &str); 5] = [
    ("signals_without_candles", "expected candles of the symbol of every signal, found none"),
    ("signals_before_candles", "expected candles from the first signal on, found days of signals before"),
    ("signals_after_candles", "expected candles up to the last signal, found days of signals after"),
    (
        "signals_outside_window",
        "expected signals on the days that count, found some before (--window, --timerange)",
    ),
    ("signals_of_other_styles", "expected signals of the styles to tune, found others (--style)"),
];

/// Returns the words of a name in a table; the name itself where it is not there.
fn words_of<'a>(name: &'a str, table: &[(&'static str, &'static str)]) -> &'a str {
    table.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| words)
}

impl fmt::Display for IssueDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewestClose(at_ms) => write!(f, "its newest candle closed {}", rfc3339(*at_ms)),
            Self::NoCandles(Some(run)) => write!(f, "run {run} had candles of it, now there are none"),
            Self::NoCandles(None) => f.write_str("there are no candles of it"),
            Self::Lost { style, count, what } => write!(f, "{style}: {count} {}", words_of(what, &LOSSES)),
            Self::NotUsed(reason) => reason.fmt(f),
            Self::Told(text) => f.write_str(text),
            Self::Found(cause) => cause.fmt(f),
            Self::Stopped { last_open_ms, newest_open_ms } => write!(
                f,
                "no candle after {} while other symbols go on to {}: what was open then ends at its last close",
                rfc3339(*last_open_ms),
                rfc3339(*newest_open_ms)
            ),
            Self::EndsBefore { last_open_ms, from } => write!(
                f,
                "its candles end at {}, before the first day that counts ({from}): nothing of it is used",
                rfc3339(*last_open_ms)
            ),
            Self::ShortHistory { interval, warm_up_ms, span_ms } => {
                let days = |ms: &i64| *ms as f64 / DAY_MS as f64;
                write!(
                    f,
                    "no signals yet: on {interval} candles they begin {:.1} days after the first one (trends on {} warm up), \
                     found {:.1} days",
                    days(warm_up_ms),
                    Timeframes::over(*interval).high,
                    days(span_ms)
                )
            }
            Self::UnusedSignals { why, symbol, time_ms } => {
                let what = words_of(why, &UNUSED_SIGNALS);
                write!(f, "{what}; the first: {symbol} {}", rfc3339(*time_ms))
            }
            Self::Clock(reason) => reason.fmt(f),
        }
    }
}

/// What speaks against a clock; all times UTC ms. The names are those that stores keep; new ones stand at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum ClockReason {
    /// In the words of a program that kept no data.
    Told(String),
    /// Candles begin later than now.
    CandlesAhead {
        now_ms: i64,
        /// How many, of all symbols.
        count: u64,
        /// The first symbol, and how many more have some.
        symbol: String,
        others: u64,
        /// What its files say of them.
        first: Box<IssueDetail>,
    },
    /// It says a time of before this program.
    TooEarly { now_ms: i64 },
    /// A run began later.
    BeforeRun { now_ms: i64, began_ms: i64 },
    /// It moved on much further than the candles.
    MovedOn {
        now_ms: i64,
        /// Since the run that is compared with, by the clock and by the candles.
        days: i64,
        candle_days: i64,
        run: u64,
        newest_close_ms: i64,
    },
}

impl fmt::Display for ClockReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(text) => f.write_str(text),
            Self::CandlesAhead { now_ms, count, symbol, others, first } => {
                let now = rfc3339(*now_ms);
                let others = if *others == 0 { String::new() } else { format!(" and {others} more") };
                write!(f, "it says {now}, and {count} candles of {symbol}{others} begin later: {first}")
            }
            Self::TooEarly { now_ms } => write!(f, "it says {}, before the year 2020", rfc3339(*now_ms)),
            Self::BeforeRun { now_ms, began_ms } => {
                write!(f, "it says {}, and an earlier run began {}", rfc3339(*now_ms), rfc3339(*began_ms))
            }
            Self::MovedOn { now_ms, days, candle_days, run, newest_close_ms } => write!(
                f,
                "it says {}, {days} days after run {run}, but the newest candle closed {}, {candle_days} days after those of that run",
                rfc3339(*now_ms),
                rfc3339(*newest_close_ms)
            ),
        }
    }
}

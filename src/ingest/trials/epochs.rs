//! Lines of a freqtrade hyperopt: each is read as a stream, and what is not needed of it is never held.
//!
//! An epoch holds all its trades, up to a hundred megabytes; its day returns are a few kilobytes. freqtrade writes `NaN` and
//! `Infinity` where JSON has no word for them; they are read as `null`, which no figure that is used may be.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};

use super::error::TrialRowFault;
use super::{TRIAL_RETURNS_MAX, TrialDays, TrialSearch, TrialsError, TrialsFormat, day_span};
use crate::ingest::RowPlace;
use crate::ingest::time::{TIME_MAX_MS, TIME_MIN_MS, parse_midnight};
use crate::model::{Day, excerpt, name_excerpt};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// The longest line that is read.
const EPOCH_BYTES_MAX: u64 = 4 << 30;
/// The longest word that may stand for a number.
const WORD_BYTES_MAX: usize = 16;
/// The most days of an epoch: a century.
const EPOCH_DAYS_MAX: usize = 36_525;

const AGAIN: &str = "the file is damaged, or was written by another program: run the search again";

/// Reads all epochs.
pub(super) fn read(stream: impl Read, path: &Path) -> Result<TrialSearch, TrialsError> {
    let unread = |source| TrialsError::Read { path: path.to_owned(), source };
    let mut text = EpochText::new(stream);
    let mut search = TrialSearch::new(path, TrialsFormat::Freqtrade);
    let (mut names, mut returns) = (BTreeSet::new(), 0_u64);
    while text.begin_line().map_err(unread)? {
        let at = RowPlace::Line(text.line);
        let mut json = serde_json::Deserializer::from_reader(&mut text);
        let parsed = EpochLine::deserialize(&mut json).and_then(|epoch| json.end().map(|()| epoch));
        let epoch = match parsed {
            Ok(epoch) => epoch,
            // A search that was killed leaves its last line like this.
            Err(error) if (error.is_eof() || error.is_syntax()) && text.is_spent() => {
                search.cut = true;
                break;
            }
            Err(error) if error.is_io() => return Err(unread(error.into())),
            Err(error) => return Err(fault_of(&error).at(path, at)),
        };
        let (trial, strategy) = epoch.reduced(text.line).map_err(|fault| fault.at(path, at))?;
        returns += trial.returns.len() as u64;
        let fault = if !names.insert(trial.name.clone()) {
            let advice = "name each file of a search by itself: several files are several searches";
            Some(TrialRowFault::new("every epoch once", format!("epoch {} again", trial.name), advice))
        } else if returns > TRIAL_RETURNS_MAX {
            let expected = format!("at most {TRIAL_RETURNS_MAX} day returns in a file");
            Some(TrialRowFault::new(expected, "more", "judge fewer epochs or days"))
        } else if search.strategy.as_ref().is_some_and(|known| *known != strategy) {
            let expected =
                format!("one strategy, {}, in a file", search.strategy.as_deref().unwrap_or_default());
            Some(TrialRowFault::new(
                expected,
                strategy.clone(),
                "name the files of each search by themselves",
            ))
        } else {
            None
        };
        if let Some(fault) = fault {
            return Err(fault.at(path, at));
        }
        search.strategy = Some(strategy);
        search.trials.push(trial);
    }
    search.cut |= text.broke_off;
    Ok(search)
}

/// Says what is wrong with a line of JSON.
fn fault_of(error: &serde_json::Error) -> TrialRowFault {
    let said = error.to_string();
    // Every line is a text of its own to the parser.
    let said = said.split(" at line ").next().unwrap_or_default();
    let found = format!("{} in column {}", excerpt(said), error.column());
    TrialRowFault::new("an epoch of a freqtrade hyperopt as one line of JSON", found, AGAIN)
}

/// What is used of an epoch.
#[derive(serde::Deserialize)]
struct EpochLine {
    current_epoch: Option<u64>,
    loss: Option<f64>,
    results_metrics: Option<EpochMetrics>,
    /// What a line of an Optuna journal has instead.
    op_code: Option<IgnoredAny>,
}

#[derive(serde::Deserialize)]
struct EpochMetrics {
    strategy_name: Option<String>,
    starting_balance: Option<f64>,
    total_trades: Option<f64>,
    backtest_start_ts: Option<f64>,
    backtest_end_ts: Option<f64>,
    daily_profit: Option<DayProfits>,
}

/// Day and profit in the currency of the account, a pair for each day.
struct DayProfits(Vec<(Day, f64)>);

impl<'de> Deserialize<'de> for DayProfits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ProfitPairs;
        impl<'de> Visitor<'de> for ProfitPairs {
            type Value = DayProfits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of days with their profits")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<DayProfits, A::Error> {
                let mut days = Vec::new();
                while let Some((day, profit)) = pairs.next_element::<(String, f64)>()? {
                    let midnight = parse_midnight(&day).ok_or_else(|| {
                        let found = name_excerpt(&day);
                        A::Error::custom(format!("expected a day such as 2025-03-01, found {found:?}"))
                    })?;
                    if days.len() == EPOCH_DAYS_MAX {
                        return Err(A::Error::custom(format!("more than {EPOCH_DAYS_MAX} days")));
                    }
                    days.push((Day::of(midnight), profit));
                }
                Ok(DayProfits(days))
            }
        }
        deserializer.deserialize_seq(ProfitPairs)
    }
}

impl EpochLine {
    /// Returns the epoch as day returns of the account it began with, and the name of its strategy.
    fn reduced(self, line: u64) -> Result<(TrialDays, String), TrialRowFault> {
        let epoch = "an epoch of a freqtrade hyperopt with results_metrics";
        let Some(metrics) = self.results_metrics else {
            let (found, advice) = match self.op_code {
                Some(_) => (
                    "a line of an Optuna journal",
                    "export the study with `study.trials_dataframe().to_csv(...)`: docs/howto/judge.md",
                ),
                None => ("an object without it", AGAIN),
            };
            return Err(TrialRowFault::new(epoch, found, advice));
        };
        let missing = |key: &str| TrialRowFault::new(format!("{key} in results_metrics"), "none", AGAIN);
        let profits = metrics.daily_profit.ok_or_else(|| {
            let advice = "run the search again with a newer freqtrade: day returns are what is judged";
            TrialRowFault::new("daily_profit in results_metrics", "none", advice)
        })?;
        let balance = metrics.starting_balance.ok_or_else(|| missing("starting_balance"))?;
        if !(balance > 0.0 && balance.is_finite()) {
            return Err(TrialRowFault::new("a starting_balance above 0", balance.to_string(), AGAIN));
        }
        let first = instant("backtest_start_ts", metrics.backtest_start_ts)?;
        let last = instant("backtest_end_ts", metrics.backtest_end_ts)?;
        let days = day_span(first, last);
        if days == 0 || days > EPOCH_DAYS_MAX {
            let expected = "a backtest that ends after it begins, within a century";
            return Err(TrialRowFault::new(expected, format!("{first} to {last}"), AGAIN));
        }
        let mut returns = vec![0.0; days];
        let mut seen = vec![false; days];
        for (day, profit) in profits.0 {
            let place = usize::try_from(day.0 - first.0).ok().filter(|place| *place < days);
            let Some(place) = place else {
                let expected = format!("days from {first} to {last}");
                return Err(TrialRowFault::new(expected, day.to_string(), AGAIN));
            };
            if std::mem::replace(&mut seen[place], true) {
                return Err(TrialRowFault::new("every day once", format!("{day} again"), AGAIN));
            }
            returns[place] = profit / balance;
        }
        let trades = metrics.total_trades.filter(|count| *count >= 0.0 && count.fract() == 0.0);
        let trial = TrialDays {
            name: self.current_epoch.unwrap_or(line).to_string(),
            first,
            returns,
            trades: Some(trades.ok_or_else(|| missing("total_trades"))? as u64),
            loss: self.loss,
        };
        Ok((trial, metrics.strategy_name.unwrap_or_default()))
    }
}

/// Returns the day of an instant in milliseconds.
fn instant(key: &'static str, ms: Option<f64>) -> Result<Day, TrialRowFault> {
    let known = ms.filter(|ms| (TIME_MIN_MS as f64..TIME_MAX_MS as f64).contains(ms));
    known.map(|ms| Day::of(ms as i64)).ok_or_else(|| {
        let found = ms.map_or_else(|| "none".to_owned(), |ms| ms.to_string());
        TrialRowFault::new(format!("{key} in results_metrics, in milliseconds"), found, AGAIN)
    })
}

/// The text of one line at a time: it ends where the line does, and words that JSON does not know are `null`.
struct EpochText<R> {
    stream: R,
    raw: Vec<u8>,
    /// What of `raw` was not looked at.
    at: usize,
    end: usize,
    /// What was made of it and not handed out.
    text: Vec<u8>,
    handed: usize,
    /// Letters, or a minus, outside of strings: they may be such a word.
    word: Vec<u8>,
    in_string: bool,
    escaped: bool,
    /// Whether the line is over.
    is_over: bool,
    /// Whether the stream is.
    has_ended: bool,
    /// Whether a packed stream ended before its end.
    broke_off: bool,
    line: u64,
    line_bytes: u64,
}

impl<R: Read> EpochText<R> {
    fn new(stream: R) -> Self {
        Self {
            stream,
            raw: vec![0; CHUNK_BYTES],
            at: 0,
            end: 0,
            text: Vec::with_capacity(2 * CHUNK_BYTES),
            handed: 0,
            word: Vec::new(),
            in_string: false,
            escaped: false,
            is_over: true,
            has_ended: false,
            broke_off: false,
            line: 1,
            line_bytes: 0,
        }
    }

    /// Goes to the next line that is not blank, from one that was read to its end; returns whether there is one.
    fn begin_line(&mut self) -> io::Result<bool> {
        loop {
            if self.at == self.end && !self.fill()? {
                return Ok(false);
            }
            match self.raw[self.at] {
                b'\n' => self.line += 1,
                // Blanks, and the mark that some editors put in front.
                byte if byte.is_ascii_whitespace() || [0xEF, 0xBB, 0xBF].contains(&byte) => {}
                _ => break,
            }
            self.at += 1;
        }
        self.text.clear();
        self.word.clear();
        (self.handed, self.in_string, self.escaped, self.is_over) = (0, false, false, false);
        self.line_bytes = 0;
        Ok(true)
    }

    /// Returns whether everything was handed out up to the end of a stream that no newline ends.
    fn is_spent(&self) -> bool {
        self.has_ended && self.at == self.end && self.handed == self.text.len()
    }

    /// Reads more; returns whether there was any.
    fn fill(&mut self) -> io::Result<bool> {
        if self.has_ended {
            return Ok(false);
        }
        let count = loop {
            match self.stream.read(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.broke_off = true;
                    break 0;
                }
                result => break result?,
            }
        };
        (self.at, self.end, self.has_ended) = (0, count, count == 0);
        Ok(count > 0)
    }

    /// Makes text of what was read, up to the end of the line.
    fn translate(&mut self) -> io::Result<()> {
        (self.handed, self.is_over) = (0, false);
        self.text.clear();
        if self.at == self.end && !self.fill()? {
            // Of a word that is cut nobody knows what it was.
            self.word.clear();
            self.is_over = true;
            return Ok(());
        }
        let from = self.at;
        while self.at < self.end {
            let byte = self.raw[self.at];
            if byte == b'\n' {
                // It stays, so that whoever asks where the line ended finds it.
                self.end_word();
                self.is_over = true;
                break;
            }
            self.at += 1;
            if self.in_string { self.within_string(byte) } else { self.between_strings(byte) }
        }
        self.line_bytes += (self.at - from) as u64;
        match self.line_bytes > EPOCH_BYTES_MAX {
            true => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "expected lines of at most 4 GiB, found more"))
            }
            false => Ok(()),
        }
    }

    fn within_string(&mut self, byte: u8) {
        self.in_string = self.escaped || byte != b'"';
        self.escaped = !self.escaped && byte == b'\\';
        self.text.push(byte);
    }

    fn between_strings(&mut self, byte: u8) {
        if !self.word.is_empty() {
            if byte.is_ascii_alphabetic() && self.word.len() < WORD_BYTES_MAX {
                return self.word.push(byte);
            }
            self.end_word();
        }
        match byte {
            b'N' | b'I' | b'-' => self.word.push(byte),
            _ => {
                self.in_string = byte == b'"';
                self.text.push(byte);
            }
        }
    }

    fn end_word(&mut self) {
        match self.word.as_slice() {
            b"NaN" | b"Infinity" | b"-Infinity" => self.text.extend_from_slice(b"null"),
            word => self.text.extend_from_slice(word),
        }
        self.word.clear();
    }
}

impl<R: Read> Read for EpochText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.handed == self.text.len() {
            if self.is_over {
                return Ok(0);
            }
            self.translate()?;
        }
        let count = buffer.len().min(self.text.len() - self.handed);
        buffer[..count].copy_from_slice(&self.text[self.handed..self.handed + count]);
        self.handed += count;
        Ok(count)
    }
}

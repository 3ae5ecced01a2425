//! Foreign files become candles, with a report per file: the only parser of untrusted bytes.
//!
//! [`discover()`] lists which files there are and what their names claim (in a folder of freqtrade those of one exchange and market); [`load_symbol`] reads those of one symbol,
//! so that memory is that of the symbols in flight. Read are CSV files (canonical, Binance klines, Kraken,
//! CryptoDataDownload and their like), JSON lists of rows, feather and Parquet (feature `columnar`), and market
//! snapshots of the legacy system; plain, gzipped or in `.zip`. Content decides which reader reads a file: `format.rs`
//! is the one table. See [`Rejection`] for what is not read. A [`SignalsFile`] holds signals that were given instead of
//! derived, a [`TrialSearch`] the day returns of another optimizer's trials.
//!
//! Invariants:
//! - no bytes make it panic, loop or take unbounded memory; a bad file is rejected with a reason, others go on;
//! - nothing is filled and nothing is guessed: what is missing stays missing, what is left out is counted;
//! - the same files give the same result, whatever the order of paths and threads.
//!
//! It does not interpret candles, write files or talk to a network.

pub(crate) mod as_text;
mod candle_row;
mod cause;
mod checksum;
mod collector;
mod column_names;
#[cfg(feature = "columnar")]
mod columnar;
mod columns;
mod discover;
mod ending;
mod error;
mod evidence;
mod file;
mod format;
mod freqtrade;
mod freqtrade_trades;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/ingest.rs"]
pub(crate) mod fuzz;
mod growth;
mod interval;
mod json;
mod layout;
mod legacy_config;
mod legacy_opportunities;
mod legacy_trades;
mod limits;
mod lines;
mod load;
mod name;
mod nested;
mod number;
mod opening;
mod place;
mod rejection;
mod repeats;
mod report;
mod rows;
mod select;
mod series;
mod signals;
mod snapshot;
mod source;
mod time;
mod trials;

use jiff::tz::TimeZone;

pub use cause::{CandleRowPlace, FirstBadRow, IssueCause, WrittenCandle};
#[cfg(feature = "columnar")]
pub use columnar::{COLUMNAR_BYTES_MAX, print_no_decoder_panics};
pub use columns::StatedColumns;
pub use discover::{Catalog, PassedOver, SymbolSources, discover, survey};
pub use error::{Conflict, FreqtradeFolderError, IngestError, MarketConflict, MarketFile};
pub use freqtrade::{freqtrade_folder, freqtrade_market};
pub use freqtrade_trades::read_bot_trades;
pub use growth::{FileGrowth, growth};
pub use legacy_config::{
    ExactNumbers, LegacyConfig, parse_legacy_config, place_of_item, place_of_key, read_legacy_config,
    with_keys,
};
pub use legacy_opportunities::{
    LEGACY_FILE_BYTES_MAX, LegacyFuture, LegacyOpportunitiesError, LegacyRecord, RecordPlace,
    parse_legacy_opportunities, read_legacy_opportunities,
};
pub use legacy_trades::{
    LegacyTrade, LegacyTradesError, TradePlace, coin_of, instant, parse_legacy_trades, read_legacy_trades,
};
pub use limits::{DECODED_BYTES_MAX, ROWS_MAX, TABLE_SYMBOLS_MAX};
pub use lines::LINE_BYTES_MAX;
pub use load::load_symbol;
pub use opening::{open_regular, read_whole};
pub use place::{RowPlace, RowRef};
pub use rejection::Rejection;
pub use report::{FileIdentity, FileReport, ISSUE_LINES_MAX, Issue, IssueKind, identical_files};
pub use select::{Glob, Selection};
pub use signals::{ColumnContent, SignalColumn, SignalsConflict, SignalsError, SignalsFile};
pub use source::{CandleSource, MEMBERS_MAX, RATIO_FREE_BYTES, RATIO_MAX};
pub use time::{TIME_MAX_MS, TIME_MIN_MS, TimeError, TimeUnit};
pub use trials::{TRIAL_RETURNS_MAX, TrialDays, TrialSearch, TrialsError, TrialsFormat, TrialsReading};

use crate::model::{CandleSeries, Interval, Symbol};

/// Returns the symbol and the interval that the name of a candle file claims.
pub fn claims_of(name: &std::path::Path) -> (Option<Symbol>, Option<Interval>) {
    let claim = name::claim(name, None);
    (claim.symbol, claim.interval)
}

/// What to do with two different candles of one symbol, interval and open time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Stop with an error that names both.
    #[default]
    Refuse,
    /// Use the later one in file order (path, member, line), unless most candles of two files differ.
    Last,
    /// Use the later one however many differ: to report on files, not to compute on them.
    Look,
}

/// What a candle that is not there means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmptyCandles {
    /// It is missing: nobody knows what was traded.
    #[default]
    Missing,
    /// Nothing was traded: the exchange omits such candles. Holes of up to a day hold the last close, without volume.
    Flat,
}

/// What to do with a file of which more rows cannot be used than a sound file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBadRows {
    /// Use nothing of it.
    #[default]
    Refuse,
    /// Leave those rows out, as long as most can be used.
    Skip,
}

/// What is known of files that they do not say themselves, and what they may lack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadingOptions {
    /// What to do with files of many bad rows.
    pub on_bad_rows: OnBadRows,
    /// The zone of times that are text without an offset; `None` for UTC.
    pub timezone: Option<TimeZone>,
    /// The columns of text without a header, or with one that is not understood.
    pub columns: Option<StatedColumns>,
    /// What a candle that is not there means.
    pub empty_candles: EmptyCandles,
    /// The interval of the candles that signals of the user's own were given on; `None` for the base interval.
    pub signals_timeframe: Option<Interval>,
}

/// How files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestOptions {
    /// The interval of the candles handed out.
    pub base_interval: Interval,
    /// What to do with candles that contradict each other.
    pub on_conflict: OnConflict,
    /// The symbols to read; `None` for all.
    pub symbols: Option<Vec<Symbol>>,
    /// Which of the files found are read.
    pub selection: Selection,
    /// The instant of the run in UTC milliseconds: a candle not closed by then is unfinished.
    pub as_of_ms: i64,
    /// Bytes that reading one symbol may take; `None` for whatever its candles take.
    pub room_bytes: Option<u64>,
    /// What is known of the files.
    pub reading: ReadingOptions,
}

impl IngestOptions {
    /// Returns options that read all symbols and refuse conflicts.
    pub fn new(base_interval: Interval, as_of_ms: i64) -> Self {
        Self {
            base_interval,
            on_conflict: OnConflict::default(),
            symbols: None,
            selection: Selection::default(),
            as_of_ms,
            room_bytes: None,
            reading: ReadingOptions::default(),
        }
    }
}

/// The candles of one symbol and what its files held.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedSymbol {
    /// The symbol.
    pub symbol: Symbol,
    /// Its candles at the base interval; empty if no file gives any.
    pub series: CandleSeries,
    /// One report per source, in file order.
    pub files: Vec<FileReport>,
    /// What is wrong with the candles of all files together, ordered by kind: gaps, stretches without volume,
    /// finer candles that do not make a whole one or disagree.
    pub issues: Vec<Issue>,
}

//! The files of one symbol, read one after the other, become its candles.

use std::collections::BTreeMap;

use super::candle_row::CandleRow;
use super::error::IngestError;
use super::file::FileRows;
use super::limits::{ROW_BYTES, ROWS_MAX};
use super::report::{FileReport, Issue};
use super::series::{self, SeriesPoint, Settlement};
use super::{EmptyCandles, IngestOptions, LoadedSymbol, SymbolSources, file};
use crate::model::{Candle, CandleSeries, Interval};

/// So many rows may wait to be compared with those of earlier files.
const WAITING_MIN: usize = 64 << 10;

/// Returns the candles of one symbol at the base interval, from all its files together.
///
/// Candles of a finer interval are put together where all of them are there; base candles win over those, and
/// coarser intervals over finer ones.
///
/// Errors: `IngestError::Conflict` if rows contradict each other (see [`super::OnConflict`]); `IngestError::Read` where
/// the disk fails; `IngestError::TooMany` for more candles than there is room for. A file that cannot be used is
/// rejected in its report instead.
/// Cost: O(rows) for files in order, O(rows log rows) otherwise; 64 bytes per row of the symbol, those that say the same
/// again counted once.
pub fn load_symbol(sources: &SymbolSources, options: &IngestOptions) -> Result<LoadedSymbol, IngestError> {
    let mut loading =
        Loading { sources, options, files: Vec::new(), shelves: BTreeMap::new(), doubtful: Vec::new() };
    for index in 0..sources.sources.len() {
        loading.file(index)?;
    }
    loading.finish()
}

/// Rows of one interval.
#[derive(Default)]
struct IntervalRows {
    rows: Vec<CandleRow>,
    /// How many there were when they last had one open time each.
    settled: usize,
}

struct Loading<'a> {
    sources: &'a SymbolSources,
    options: &'a IngestOptions,
    files: Vec<FileReport>,
    shelves: BTreeMap<Interval, IntervalRows>,
    /// Last rows of files that may be cut.
    doubtful: Vec<(Interval, CandleRow)>,
}

impl Loading<'_> {
    fn file(&mut self, index: usize) -> Result<(), IngestError> {
        let (source, symbol) = (&self.sources.sources[index], &self.sources.symbol);
        let kept: usize = self.shelves.values().map(|shelf| shelf.rows.len()).sum();
        let taken_bytes = kept as u64 * ROW_BYTES;
        let place = file::FilePlace { index: u32::try_from(index).unwrap_or(u32::MAX), taken_bytes };
        let read = file::read_source(source, symbol, place, self.options)?;
        let FileRows { report, mut rows, repeats, doubtful } = read;
        let interval = report.interval;
        self.doubtful.extend(interval.zip(doubtful));
        self.files.push(report);
        let mut settlement = settlement_of(self.sources, self.options, &mut self.files);
        settlement.note_repeats(index, repeats);
        let Some(interval) = interval.filter(|_| !rows.is_empty()) else { return Ok(()) };
        settlement.one_per_time(&mut rows, interval)?;
        self.files.last_mut().into_iter().for_each(|report| file::conclude_report(report, &rows));
        let shelf = self.shelves.entry(interval).or_default();
        if shelf.rows.is_empty() {
            // Without a copy where there is nothing to append to.
            *shelf = IntervalRows { settled: rows.len(), rows };
            return Ok(());
        }
        shelf.rows.extend(rows);
        if shelf.rows.len() > WAITING_MIN.max(2 * shelf.settled) {
            self.settle(interval)?;
        }
        if self.shelves.values().map(|shelf| shelf.rows.len() as u64).sum::<u64>() > ROWS_MAX {
            return Err(source.too_many(symbol, None));
        }
        Ok(())
    }

    /// Leaves one row per open time.
    fn settle(&mut self, interval: Interval) -> Result<(), IngestError> {
        let Some(shelf) = self.shelves.get_mut(&interval) else { return Ok(()) };
        shelf.rows.sort_by_key(|row| row.candle.open_time);
        settlement_of(self.sources, self.options, &mut self.files).one_per_time(&mut shelf.rows, interval)?;
        shelf.settled = shelf.rows.len();
        Ok(())
    }

    /// Takes in last rows that may be cut where the candles on both sides are there, one of them in another file: who went
    /// on in that had ended this one.
    fn take_what_is_whole(&mut self) {
        for (interval, row) in std::mem::take(&mut self.doubtful) {
            let Some(shelf) = self.shelves.get_mut(&interval) else { continue };
            let time = row.candle.open_time;
            let find = |time: i64| shelf.rows.binary_search_by_key(&time, |row| row.candle.open_time);
            let (Err(place), Ok(before), Ok(after)) =
                (find(time), find(time - interval.ms()), find(time + interval.ms()))
            else {
                continue;
            };
            let others = [before, after].map(|place| shelf.rows[place].file).into_iter();
            let Some(other) = others.into_iter().find(|file| *file != row.file) else { continue };
            shelf.rows.insert(place, row);
            let there = self.files[other as usize].path.display().to_string();
            file::conclude_last(&mut self.files[row.file as usize], &row, &there);
        }
    }

    fn finish(mut self) -> Result<LoadedSymbol, IngestError> {
        let intervals: Vec<Interval> = self.shelves.keys().copied().collect();
        intervals.into_iter().try_for_each(|interval| self.settle(interval))?;
        self.take_what_is_whole();
        let candles = |(interval, shelf): (Interval, IntervalRows)| {
            (interval, shelf.rows.into_iter().map(|row| row.candle).collect())
        };
        let candles = std::mem::take(&mut self.shelves).into_iter().map(candles).collect();
        let mut files = self.files;
        files.iter_mut().for_each(|report| report.issues.sort_by_key(|issue| issue.kind));
        let (series, issues) = one_series(candles, self.options);
        let symbol = self.sources.symbol.clone();
        tracing::debug!(%symbol, files = files.len(), candles = series.bars().len(), "read a symbol");
        Ok(LoadedSymbol { symbol, series, files, issues })
    }
}

fn settlement_of<'a>(
    sources: &'a SymbolSources,
    options: &IngestOptions,
    reports: &'a mut [FileReport],
) -> Settlement<'a> {
    Settlement { symbol: &sources.symbol, on_conflict: options.on_conflict, reports }
}

fn one_series(
    candles: BTreeMap<Interval, Vec<Candle>>,
    options: &IngestOptions,
) -> (CandleSeries, Vec<Issue>) {
    let (mut issues, base) = (Vec::new(), options.base_interval);
    let mut combined = series::combine_candles(candles, base, &mut issues);
    if options.reading.empty_candles == EmptyCandles::Flat {
        combined = series::with_flat(combined, base, &mut issues);
    }
    let points = || {
        combined.iter().map(|candle| SeriesPoint {
            open_time: candle.open_time,
            volume: candle.volume,
            line: None,
        })
    };
    series::note_gaps(&mut issues, base, points());
    series::note_zero_volume(&mut issues, base, points());
    let mut series = CandleSeries::new(base);
    combined.iter().for_each(|candle| series.push(*candle));
    series::note_scale(&mut issues, series.bars());
    issues.sort_by_key(|issue| issue.kind);
    (series, issues)
}

//! Rows of several files and intervals become one series of candles at the base interval.

use std::collections::BTreeMap;

use super::OnConflict;
use super::candle_row::{CandleRow, prices, same_candle, same_prices};
use super::cause::{CandleRowPlace, IssueCause};
use super::error::{Conflict, IngestError};
use super::place::RowRef;
use super::repeats::{Repeat, Repeats};
use super::report::{FileReport, Issue, IssueKind, note};
use crate::model::{Bars, Break, Breaks, Candle, DAY_MS, Interval, Symbol};

/// Settles which of several rows of one open time counts.
pub(super) struct Settlement<'a> {
    pub(super) symbol: &'a Symbol,
    pub(super) on_conflict: OnConflict,
    /// The reports of all files read so far; a row's file is an index into it.
    pub(super) reports: &'a mut [FileReport],
}

impl Settlement<'_> {
    /// Leaves one row per open time; rows ascend in time, and rows of one time stand in file order.
    ///
    /// What is dropped or replaced is noted in the report of the later row.
    /// Errors: `IngestError::Conflict` if two rows differ and `on_conflict` is `Refuse`, or so many differ that they are
    /// no correction.
    pub(super) fn one_per_time(
        &mut self,
        rows: &mut Vec<CandleRow>,
        interval: Interval,
    ) -> Result<(), IngestError> {
        let mut kept = 0_usize;
        // Pairs of files whose differences are corrections.
        let mut settled: Vec<(u32, u32)> = Vec::new();
        let mut agreed: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for at in 0..rows.len() {
            let row = rows[at];
            let last = kept.checked_sub(1).map(|last| rows[last]);
            match last.filter(|last| last.candle.open_time == row.candle.open_time) {
                None => {
                    rows[kept] = row;
                    kept += 1;
                }
                Some(last) if same_candle(&last.candle, &row.candle) => {
                    *agreed.entry((last.file, row.file)).or_default() += 1;
                    let first = self.row_ref(&last);
                    self.note(&row, IssueKind::Duplicate, || IssueCause::SameAs((&first).into()));
                }
                Some(last) => {
                    if !settled.contains(&(last.file, row.file)) {
                        // Rows before `kept` have one time each; those from `at` on are as they were.
                        let same = agreed.get(&(last.file, row.file)).copied().unwrap_or_default();
                        let contradiction = (&rows[..kept], &rows[at..], same);
                        self.settle(self.conflict(contradiction, (&last, &row), interval))?;
                        settled.push((last.file, row.file));
                    }
                    let first = self.row_ref(&last);
                    self.note(&row, IssueKind::Replaced, || IssueCause::Replaces((&first).into()));
                    rows[kept - 1] = row;
                }
            }
        }
        rows.truncate(kept);
        Ok(())
    }

    /// Notes what was left out of a file while it was read.
    pub(super) fn note_repeats(&mut self, file: usize, repeats: Repeats) {
        let mut note = |kind, repeat: Repeat, cause: fn(CandleRowPlace) -> IssueCause| {
            let Some((first, _)) = repeat.first else { return };
            let cause = cause((&self.row_ref(&first)).into());
            self.reports[file].issues.push(Issue { kind, count: repeat.count, lines: repeat.lines, cause });
        };
        note(IssueKind::Duplicate, repeats.same, IssueCause::SameAs);
        note(IssueKind::Replaced, repeats.replaced, IssueCause::Replaces);
    }

    /// Refuses a conflict, unless the later row is to be used and may well be a correction.
    fn settle(&self, conflict: Conflict) -> Result<(), IngestError> {
        let is_settled = match self.on_conflict {
            OnConflict::Refuse => false,
            OnConflict::Last => !conflict.is_of_two_markets(),
            OnConflict::Look => true,
        };
        if is_settled { Ok(()) } else { Err(IngestError::Conflict(Box::new(conflict))) }
    }

    /// Returns the conflict of two rows, with how far their files contradict each other: how many of the candles that both
    /// hold have other prices; of one file, how many of its candles. Given are the rows kept so far, those to come in order
    /// of time, and how many of the two files agreed.
    fn conflict(
        &self,
        (before, behind, agreed): (&[CandleRow], &[CandleRow], u64),
        (first, second): (&CandleRow, &CandleRow),
        interval: Interval,
    ) -> Conflict {
        let within_one = first.file == second.file;
        let of_file = || before.iter().filter(|row| row.file == first.file).count().saturating_sub(1) as u64;
        let mut shared = if within_one { of_file() } else { agreed };
        let mut differing = 0;
        let all: Vec<&CandleRow> = std::iter::once(first).chain(behind).collect();
        for same_time in all.chunk_by(|a, b| a.candle.open_time == b.candle.open_time) {
            let of = |file: u32| same_time.iter().filter(move |row| row.file == file);
            let (one, other) = match within_one {
                true => (of(first.file).next(), of(first.file).next_back()),
                false => (of(first.file).next_back(), of(second.file).next()),
            };
            if let (Some(one), Some(other)) = (one, other) {
                shared += 1;
                differing += u64::from(!same_prices(&one.candle, &other.candle));
            }
        }
        let (symbol, open_time) = (self.symbol.clone(), second.candle.open_time);
        let (first, second) = (self.row_ref(first), self.row_ref(second));
        Conflict { symbol, interval, open_time, first, second, shared, differing }
    }

    fn row_ref(&self, row: &CandleRow) -> RowRef {
        let report = &self.reports[row.file as usize];
        RowRef {
            path: report.path.clone(),
            entry: report.entry.clone(),
            line: u64::from(row.line),
            candle: row.candle,
        }
    }

    fn note(&mut self, row: &CandleRow, kind: IssueKind, cause: impl FnOnce() -> IssueCause) {
        note(&mut self.reports[row.file as usize].issues, kind, Some(u64::from(row.line)), cause);
    }
}

/// Returns one candle per base bucket: base candles first, then those built from finer ones, the coarsest first.
pub(super) fn combine_candles(
    by_interval: BTreeMap<Interval, Vec<Candle>>,
    base: Interval,
    issues: &mut Vec<Issue>,
) -> Vec<Candle> {
    let mut combined: Vec<Candle> = Vec::new();
    for (interval, candles) in by_interval.into_iter().rev() {
        let built =
            if interval == base { candles } else { resample_buckets(&candles, interval, base, issues) };
        combined =
            if combined.is_empty() { built } else { overlay_buckets(combined, built, interval, issues) };
    }
    combined
}

/// Builds base candles from buckets of which every finer candle is there.
///
/// Shape: candles ascend, unique, aligned to `interval`, which divides `base`.
fn resample_buckets(
    candles: &[Candle],
    interval: Interval,
    base: Interval,
    issues: &mut Vec<Issue>,
) -> Vec<Candle> {
    let per_bucket = base.divided_by(interval).unwrap_or(usize::MAX);
    let mut built = Vec::with_capacity(candles.len() / per_bucket + 1);
    for bucket in candles.chunk_by(|a, b| base.floor(a.open_time) == base.floor(b.open_time)) {
        if bucket.len() == per_bucket {
            built.extend(whole_bucket(bucket));
            continue;
        }
        note(issues, IssueKind::IncompleteBucket, None, || IssueCause::IncompleteBucket {
            expected: per_bucket as u64,
            interval,
            from_ms: base.floor(bucket[0].open_time),
            found: bucket.len() as u64,
        });
    }
    built
}

fn whole_bucket(bucket: &[Candle]) -> Option<Candle> {
    let (first, last) = (bucket.first()?, bucket.last()?);
    Some(Candle {
        open_time: first.open_time,
        open: first.open,
        high: bucket.iter().map(|candle| candle.high).fold(f64::MIN, f64::max),
        low: bucket.iter().map(|candle| candle.low).fold(f64::MAX, f64::min),
        close: last.close,
        volume: bucket.iter().map(|candle| candle.volume).sum(),
    })
}

/// Adds the candles of buckets that `kept` does not have; buckets both have are compared.
fn overlay_buckets(
    kept: Vec<Candle>,
    added: Vec<Candle>,
    interval: Interval,
    issues: &mut Vec<Issue>,
) -> Vec<Candle> {
    let mut all = kept;
    let kept_count = all.len();
    all.extend(added);
    // Stable: of two candles of one time, the kept one stays first.
    all.sort_by_key(|candle| candle.open_time);
    let mut merged: Vec<Candle> = Vec::with_capacity(kept_count);
    for candle in all {
        match merged.last().filter(|last| last.open_time == candle.open_time) {
            None => merged.push(candle),
            Some(last) if same_prices(last, &candle) => {}
            Some(last) => note(issues, IssueKind::OverlapDiffers, None, || IssueCause::OverlapDiffers {
                open_ms: candle.open_time,
                used: prices(last).map(|price| price.to_string()),
                interval,
                built: prices(&candle).map(|price| format!("{price:?}")),
            }),
        }
    }
    merged
}

/// The longest hole in which nothing may have been traded; longer ones are holes.
const FLAT_MAX_MS: i64 = DAY_MS;

/// Puts candles without volume at the last close where some are missing between two; see [`super::EmptyCandles`].
pub(super) fn with_flat(candles: Vec<Candle>, base: Interval, issues: &mut Vec<Issue>) -> Vec<Candle> {
    let mut all: Vec<Candle> = Vec::with_capacity(candles.len());
    let mut holes = 0_u64;
    for candle in candles {
        let last = all.last().copied().filter(|last| {
            let step_ms = candle.open_time - last.open_time;
            step_ms > base.ms() && step_ms - base.ms() <= FLAT_MAX_MS
        });
        if let Some(Candle { open_time, close, .. }) = last {
            holes += 1;
            let times = (open_time + base.ms()..candle.open_time).step_by(base.ms().unsigned_abs() as usize);
            for open_time in times {
                note(issues, IssueKind::FlatCandle, None, || IssueCause::FlatCandles {
                    missing: 1,
                    interval: base,
                    holes,
                });
                all.push(Candle { open_time, open: close, high: close, low: close, close, volume: 0.0 });
            }
        }
        all.push(candle);
    }
    let count =
        issues.iter().find(|issue| issue.kind == IssueKind::FlatCandle).map_or(0, |issue| issue.count);
    let cause = IssueCause::FlatCandles { missing: count, interval: base, holes };
    finish(issues, IssueKind::FlatCandle, count, cause);
    all
}

/// Notes where the price begins to be counted in another scale.
pub(super) fn note_scale(issues: &mut Vec<Issue>, bars: Bars<'_>) {
    for (at, why) in Breaks::of(bars).iter() {
        if why == Break::Scale {
            note(issues, IssueKind::ScaleChange, None, || {
                let (last, next) = (bars.get(at - 1), bars.get(at));
                IssueCause::ScaleChange {
                    close: last.close.to_string(),
                    before_ms: last.open_time,
                    next_open: next.open.to_string(),
                    next_ms: next.open_time,
                    next_close: next.close.to_string(),
                }
            });
        }
    }
}

/// What gaps and silence are found by.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesPoint {
    pub(super) open_time: i64,
    pub(super) volume: f64,
    pub(super) line: Option<u64>,
}

/// Notes the candles missing between the first and the last.
pub(super) fn note_gaps(
    issues: &mut Vec<Issue>,
    interval: Interval,
    points: impl Iterator<Item = SeriesPoint>,
) {
    let (mut last, mut gaps, mut missing_all) = (None::<i64>, 0_u64, 0_u64);
    let mut longest = (0_u64, 0_i64);
    let gaps_of =
        |missing, gaps, (longest, from_ms)| IssueCause::Gaps { missing, interval, gaps, longest, from_ms };
    for point in points {
        let step = last.replace(point.open_time).map_or(interval.ms(), |last| point.open_time - last);
        if step <= interval.ms() {
            continue;
        }
        let missing = (step / interval.ms() - 1).unsigned_abs();
        gaps += 1;
        missing_all += missing;
        // Of equally long gaps the first is named.
        longest =
            if missing > longest.0 { (missing, point.open_time - step + interval.ms()) } else { longest };
        note(issues, IssueKind::Gap, point.line, || gaps_of(missing_all, gaps, longest));
    }
    finish(issues, IssueKind::Gap, missing_all, gaps_of(missing_all, gaps, longest));
}

/// Notes stretches of two or more candles in succession without volume.
pub(super) fn note_zero_volume(
    issues: &mut Vec<Issue>,
    interval: Interval,
    points: impl Iterator<Item = SeriesPoint>,
) {
    let silence_of = |silent, stretches, (longest, from_ms)| IssueCause::ZeroVolume {
        silent,
        interval,
        stretches,
        longest,
        from_ms,
    };
    let (mut stretches, mut silent) = (0_u64, 0_u64);
    let mut longest = (0_u64, 0_i64);
    let mut stretch: Option<(SeriesPoint, SeriesPoint, u64)> = None;
    let end = SeriesPoint { open_time: i64::MIN, volume: 1.0, line: None };
    for point in points.chain([end]) {
        let quiet = point.volume == 0.0;
        match &mut stretch {
            Some((_, last, count)) if quiet && point.open_time - last.open_time == interval.ms() => {
                *last = point;
                *count += 1;
            }
            _ => {
                let begun = if quiet { Some((point, point, 1)) } else { None };
                if let Some((first, _, count)) = std::mem::replace(&mut stretch, begun)
                    && count >= 2
                {
                    stretches += 1;
                    silent += count;
                    // Of equally long stretches the first is named.
                    longest = if count > longest.0 { (count, first.open_time) } else { longest };
                    note(issues, IssueKind::ZeroVolume, first.line, || {
                        silence_of(silent, stretches, longest)
                    });
                }
            }
        }
    }
    finish(issues, IssueKind::ZeroVolume, silent, silence_of(silent, stretches, longest));
}

fn finish(issues: &mut [Issue], kind: IssueKind, count: u64, cause: IssueCause) {
    if let Some(issue) = issues.iter_mut().find(|issue| issue.kind == kind) {
        (issue.count, issue.cause) = (count, cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MINUTE_MS;

    fn candle(minute: i64, price: f64) -> Candle {
        let open_time = minute * MINUTE_MS;
        Candle {
            open_time,
            open: price,
            high: price + 2.0,
            low: price - 1.0,
            close: price + 1.0,
            volume: 1.0,
        }
    }

    fn minutes(candles: &[Candle]) -> Vec<i64> {
        candles.iter().map(|candle| candle.open_time / MINUTE_MS).collect()
    }

    #[test]
    fn rounded_digits_are_the_same_candle_and_other_prices_are_not() {
        let base =
            Candle { open_time: 0, open: 100.125, high: 101.0, low: 99.5, close: 100.5, volume: 524.8594 };
        let same = [
            base,
            Candle { open: 100.13, ..base },
            Candle { open: 100.12, volume: 524.86, ..base },
            Candle { volume: 525.0, ..base },
            Candle { open: 100.124_999_999_999_99, ..base },
        ];
        for other in same {
            assert!(same_candle(&base, &other) && same_candle(&other, &base), "{other:?}");
        }
        let different = [
            Candle { open: 100.14, ..base },
            Candle { close: 100.6, ..base },
            Candle { volume: 524.87, ..base },
            Candle { volume: 0.0, ..base },
            Candle { low: 99.0, ..base },
        ];
        for other in different {
            assert!(!same_candle(&base, &other), "{other:?}");
        }
        let last = Candle { open: 60_000.11, high: 60_001.0, low: 59_999.0, close: 60_000.5, ..base };
        assert!(same_candle(&last, &Candle { open: 60_000.12, ..last }));
    }

    #[test]
    fn whole_buckets_are_built_and_others_counted() {
        let finer: Vec<Candle> = [10, 15, 20, 25, 30, 40].map(|minute| candle(minute, minute as f64)).into();
        let mut issues = Vec::new();
        let built = resample_buckets(&finer, Interval::from_minutes(5), Interval::M15, &mut issues);
        let expected =
            Candle { open_time: 15 * MINUTE_MS, open: 15.0, high: 27.0, low: 14.0, close: 26.0, volume: 3.0 };
        assert_eq!(built, [expected]);
        assert_eq!((issues.len(), issues[0].kind, issues[0].count), (1, IssueKind::IncompleteBucket, 2));
    }

    #[test]
    fn coarser_candles_win_and_differences_are_counted() {
        let base = vec![candle(0, 10.0)];
        let five: Vec<Candle> = [0, 5, 10, 15, 20, 25].map(|minute| candle(minute, 20.0)).into();
        let one: Vec<Candle> = (0..60).map(|minute| candle(minute, 20.0)).collect();
        let by_interval = BTreeMap::from([
            (Interval::M15, base),
            (Interval::from_minutes(5), five),
            (Interval::from_minutes(1), one),
        ]);
        let mut issues = Vec::new();
        let combined = combine_candles(by_interval, Interval::M15, &mut issues);
        assert_eq!(minutes(&combined), [0, 15, 30, 45]);
        assert_eq!(combined.iter().map(|candle| candle.open).collect::<Vec<_>>(), [10.0, 20.0, 20.0, 20.0]);
        assert_eq!(combined[1].volume, 3.0, "the five-minute candles are used");
        assert_eq!(combined[2].volume, 15.0, "only one-minute candles are there");
        assert_eq!((issues.len(), issues[0].kind, issues[0].count), (1, IssueKind::OverlapDiffers, 2));
    }

    #[test]
    fn what_was_not_traded_holds_the_last_close() {
        let day = 24 * 60;
        let candles =
            [0, 15, 60, 60 + day + 15, 60 + 2 * day + 45].map(|minute| candle(minute, minute as f64));
        let mut issues = Vec::new();
        let all = with_flat(candles.to_vec(), Interval::M15, &mut issues);
        assert_eq!(minutes(&all)[..5], [0, 15, 30, 45, 60], "two were omitted");
        let flat =
            Candle { open_time: 30 * MINUTE_MS, open: 16.0, high: 16.0, low: 16.0, close: 16.0, volume: 0.0 };
        assert_eq!((all[2], all[3]), (flat, Candle { open_time: 45 * MINUTE_MS, ..flat }));
        // A day is filled; a day and a candle is a hole.
        assert_eq!(all.len(), 5 + 96 + 1 + 1);
        assert_eq!((issues.len(), issues[0].kind, issues[0].count), (1, IssueKind::FlatCandle, 98));
        assert!(
            issues[0].cause.to_string().starts_with("98 candles of 15m are not there, in 2 holes"),
            "{}",
            issues[0].cause
        );
    }

    #[test]
    fn gaps_and_silence_are_counted_in_candles() {
        let points = [
            (0, 1.0, 2),
            (15, 0.0, 3),
            (30, 0.0, 4),
            (90, 0.0, 5),
            (105, 0.0, 6),
            (120, 0.0, 7),
            (150, 0.0, 8),
        ]
        .map(|(minute, volume, line)| SeriesPoint {
            open_time: minute * MINUTE_MS,
            volume,
            line: Some(line),
        });
        let mut issues = Vec::new();
        note_gaps(&mut issues, Interval::M15, points.into_iter());
        note_zero_volume(&mut issues, Interval::M15, points.into_iter());
        assert_eq!((issues[0].count, &issues[0].lines[..]), (4, &[5, 8][..]));
        assert_eq!(
            issues[0].cause.to_string(),
            "4 candles of 15m are missing in 2 gaps, 3 in the longest from 1970-01-01T00:45:00Z"
        );
        assert_eq!((issues[1].count, &issues[1].lines[..]), (5, &[3, 5][..]));
        assert_eq!(
            issues[1].cause.to_string(),
            "5 candles of 15m without volume in 2 stretches, 3 in the longest from 1970-01-01T01:30:00Z"
        );
    }
}

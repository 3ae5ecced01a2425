//! Rows that say of a time what an earlier row of their file says are counted while it is read, and not kept: a file of
//! millions of them takes the memory of the candles in it.

use super::OnConflict;
use super::candle_row::{CandleRow, same_candle};
use super::report::ISSUE_LINES_MAX;

/// So many rows may wait to be compared with each other.
const WAITING_MIN: usize = 64 << 10;

/// What was left out while a file was read.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Rows that are the same as an earlier one.
    pub(super) same: Repeat,
    /// Rows that took the place of a different earlier one.
    pub(super) replaced: Repeat,
}

/// Rows that were left out for one reason.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    pub(super) count: u64,
    /// Where the first few of them stand.
    pub(super) lines: Vec<u64>,
    /// The first of them, behind the row that it repeats.
    pub(super) first: Option<(CandleRow, CandleRow)>,
}

impl Repeat {
    fn add(&mut self, earlier: CandleRow, later: CandleRow) {
        self.count += 1;
        self.first.get_or_insert((earlier, later));
        if self.lines.len() < ISSUE_LINES_MAX {
            self.lines.push(later.line.into());
        }
    }
}

/// Which of two different rows of one time are kept while a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Both: they are compared later, when it is known which of them was finished.
    Both,
    /// The later one.
    Later,
}

impl From<OnConflict> for Keep {
    fn from(on_conflict: OnConflict) -> Self {
        match on_conflict {
            OnConflict::Refuse => Self::Both,
            OnConflict::Last | OnConflict::Look => Self::Later,
        }
    }
}

/// The rows of a file while it is read.
#[derive(Debug)]
pub(super) struct RowKeeper {
    pub(super) rows: Vec<CandleRow>,
    pub(super) repeats: Repeats,
    pub(super) keep: Keep,
    /// So many rows are kept at most.
    rows_max: usize,
    /// When rows are compared next.
    compared_at: usize,
    /// Whether every row lies behind the one before it, so that none repeats another.
    ascends: bool,
}

impl RowKeeper {
    pub(super) fn new(keep: Keep, rows_max: usize) -> Self {
        let compared_at = WAITING_MIN.min(rows_max);
        Self { rows: Vec::new(), repeats: Repeats::default(), keep, rows_max, compared_at, ascends: true }
    }

    /// Keeps a row; returns whether there was room for it.
    #[inline]
    pub(super) fn push(&mut self, row: CandleRow) -> bool {
        let behind = |last: &CandleRow| last.candle.open_time < row.candle.open_time;
        self.ascends &= self.rows.last().is_none_or(behind);
        if self.rows.len() >= self.compared_at && !self.make_room() {
            return false;
        }
        self.rows.push(row);
        true
    }

    #[cold]
    fn make_room(&mut self) -> bool {
        if self.ascends {
            self.compared_at = self.rows.len().saturating_mul(2).min(self.rows_max);
            return self.rows.len() < self.rows_max;
        }
        compare_rows(&mut self.rows, self.keep, &mut self.repeats);
        self.compared_at =
            self.rows.len().saturating_mul(2).clamp(WAITING_MIN, self.rows_max.max(WAITING_MIN));
        self.compared_at = self.compared_at.min(self.rows_max);
        // With little room left every few rows would be compared with all others.
        self.rows.len() <= self.rows_max - self.rows_max / 4
    }
}

/// Orders rows by time and leaves out those that repeat the one before them; what is kept of rows of one time is what
/// would be kept if all of them were compared at once.
///
/// Rows with another close time are not compared: they may be whole where the others are cut short.
fn compare_rows(rows: &mut Vec<CandleRow>, keep: Keep, repeats: &mut Repeats) {
    if !rows.is_sorted_by_key(|row| row.candle.open_time) {
        rows.sort_by_key(|row| row.candle.open_time);
    }
    let mut kept = 0_usize;
    for at in 0..rows.len() {
        let row = rows[at];
        let alike =
            |last: &CandleRow| last.candle.open_time == row.candle.open_time && last.span_ms == row.span_ms;
        let last = kept.checked_sub(1).map(|last| rows[last]).filter(alike);
        match last {
            Some(last) if same_candle(&last.candle, &row.candle) => repeats.same.add(last, row),
            Some(last) if keep == Keep::Later => {
                repeats.replaced.add(last, row);
                rows[kept - 1] = row;
            }
            _ => {
                rows[kept] = row;
                kept += 1;
            }
        }
    }
    rows.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Candle;
    use proptest::prelude::*;

    fn row(line: u32, minute: i64, price: u8, span_ms: Option<u32>) -> CandleRow {
        let price = f64::from(price) + 1.0;
        let candle = Candle {
            open_time: minute * 60_000,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 1.0,
        };
        CandleRow { candle, file: 0, line, span_ms }
    }

    #[test]
    fn millions_of_repeated_rows_take_the_room_of_those_that_differ() {
        for keep in [Keep::Both, Keep::Later] {
            let mut kept = RowKeeper::new(keep, 100_000);
            let mut most = 0;
            for line in 0..1_000_000 {
                assert!(kept.push(row(line, i64::from(line % 500), 0, None)), "{keep:?} {line}");
                most = most.max(kept.rows.len());
            }
            assert!(most <= WAITING_MIN, "{most} rows at once");
            assert!(kept.rows.capacity() <= 2 * WAITING_MIN, "{}", kept.rows.capacity());
            compare_rows(&mut kept.rows, keep, &mut kept.repeats);
            assert_eq!((kept.rows.len(), kept.repeats.same.count), (500, 999_500));
            assert_eq!(kept.repeats.same.lines.len(), ISSUE_LINES_MAX);
        }
    }

    #[test]
    fn rows_of_one_time_that_differ_take_no_room_either_where_the_later_counts() {
        let mut kept = RowKeeper::new(Keep::Later, 100_000);
        for line in 0..1_000_000 {
            assert!(kept.push(row(line, 7, (line % 200) as u8, None)), "{line}");
        }
        compare_rows(&mut kept.rows, Keep::Later, &mut kept.repeats);
        assert_eq!((kept.rows.len(), kept.repeats.replaced.count), (1, 999_999));
        let mut kept = RowKeeper::new(Keep::Both, 100_000);
        let taken =
            (0..1_000_000).take_while(|line| kept.push(row(*line, 7, (line % 200) as u8, None))).count();
        assert!(taken <= 100_000, "{taken} rows that have to be compared later");
    }

    #[test]
    fn there_is_an_end_to_rows_that_ascend() {
        let mut kept = RowKeeper::new(Keep::Both, 100_000);
        let taken = (0..1_000_000).take_while(|line| kept.push(row(*line, (*line).into(), 0, None))).count();
        assert_eq!(taken, 100_000);
    }

    proptest! {
        #[test]
        fn comparing_early_changes_nothing(
            rows in prop::collection::vec((0_i64..4, 0_u8..3, prop::option::of(0_u32..2)), 0..60),
            cuts in prop::collection::vec(0_usize..60, 0..4),
        ) {
            for keep in [Keep::Both, Keep::Later] {
                let all: Vec<CandleRow> =
                    rows.iter().enumerate().map(|(line, (t, p, s))| row(line as u32, *t, *p, *s)).collect();
                let (mut at_once, mut repeats) = (all.clone(), Repeats::default());
                compare_rows(&mut at_once, keep, &mut repeats);
                let (mut early, mut counted) = (Vec::new(), Repeats::default());
                for (at, row) in all.iter().enumerate() {
                    early.push(*row);
                    if cuts.contains(&at) {
                        compare_rows(&mut early, keep, &mut counted);
                    }
                }
                compare_rows(&mut early, keep, &mut counted);
                prop_assert_eq!(&early, &at_once);
                prop_assert_eq!(counted.same.count, repeats.same.count);
                prop_assert_eq!(counted.replaced.count, repeats.replaced.count);
            }
        }
    }
}

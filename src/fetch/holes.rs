//! Where the exchange gave rows that cannot be used: remembered beside the file, so that nobody asks for them for ever.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::held::io_error;
use super::splice::{beside, create_beside, put};
use crate::ingest::{TIME_MAX_MS, open_regular};
use crate::model::{DAY_MS, Interval};

/// For so long after its end a hole is asked for again: the exchange may mend what is new.
const ASKED_AGAIN_MS: i64 = 7 * DAY_MS;
/// The first line of the file.
const HEADER: &str = "refused_from,refused_to";
/// Most bytes of the file: half a million holes.
const BYTES_MAX: u64 = 16 << 20;

/// Open times of which the exchange gave no sound candle; UTC ms.
#[derive(Debug, Default)]
pub(super) struct Holes {
    path: PathBuf,
    spans: Vec<Range<i64>>,
    changed: bool,
}

impl Holes {
    /// Reads what is remembered of a file of candles; nothing where there is no such file.
    ///
    /// Errors: the disk; a file of somebody else
    pub(super) fn read(csv: &Path, interval: Interval) -> Result<Self, FetchError> {
        let name = csv.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = csv.with_file_name(format!(".{name}.refused"));
        let mut text = String::new();
        match open_regular(&path).map(|file| file.take(BYTES_MAX).read_to_string(&mut text)) {
            Ok(read) => drop(read.map_err(io_error(&path))?),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { path, ..Self::default() });
            }
            Err(error) => return Err(io_error(&path)(error)),
        }
        let mut spans = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let span =
                if index == 0 { (line == HEADER).then_some(None) } else { span(line, interval).map(Some) };
            let Some(span) = span else {
                let expected = "open times of the interval: refused_from,refused_to";
                let (line, found) = (index as u64 + 1, line.chars().take(80).collect());
                return Err(FetchError::ForeignFile { path, line, expected, found });
            };
            spans.extend(span);
        }
        Ok(Self { path, spans, changed: false })
    }

    /// Returns the holes that are not asked for any more.
    pub(super) fn settled(&self, now_ms: i64) -> Vec<Range<i64>> {
        let settled = |span: &&Range<i64>| span.end + ASKED_AGAIN_MS <= now_ms;
        self.spans.iter().filter(settled).cloned().collect()
    }

    /// Returns whether all of a span is known to be a hole.
    pub(super) fn cover(&self, span: &Range<i64>) -> bool {
        super::plan::missing(span, &self.spans).is_empty()
    }

    /// Returns the candles of a span that are known to be holes.
    pub(super) fn within(&self, span: &Range<i64>, interval: Interval) -> u64 {
        let missing: i64 =
            super::plan::missing(span, &self.spans).iter().map(|span| span.end - span.start).sum();
        ((span.end - span.start - missing) / interval.ms()).unsigned_abs()
    }

    /// Adds spans.
    pub(super) fn add(&mut self, spans: Vec<Range<i64>>) {
        for span in spans.into_iter().filter(|span| !span.is_empty()) {
            if !self.cover(&span) {
                self.spans.push(span);
                self.changed = true;
            }
        }
    }

    /// Keeps what was added.
    pub(super) fn keep(&mut self) -> Result<(), FetchError> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        self.spans.sort_by_key(|span| (span.start, span.end));
        let mut joined: Vec<Range<i64>> = Vec::new();
        for span in self.spans.drain(..) {
            match joined.last_mut().filter(|last| span.start <= last.end) {
                Some(last) => last.end = last.end.max(span.end),
                None => joined.push(span),
            }
        }
        self.spans = joined;
        let mut file = create_beside(&self.path)?;
        let lines: String = self.spans.iter().map(|span| format!("{},{}\n", span.start, span.end)).collect();
        let written = file.write_all(format!("{HEADER}\n{lines}").as_bytes());
        let done =
            written.map_err(io_error(&self.path)).and_then(|()| put(&file, &beside(&self.path), &self.path));
        done.inspect_err(|_| drop(fs::remove_file(beside(&self.path))))
    }
}

fn span(line: &str, interval: Interval) -> Option<Range<i64>> {
    let (from, to) = line.split_once(',')?;
    let time = |text: &str| {
        let time = text.parse::<i64>().ok().filter(|time| (0..TIME_MAX_MS).contains(time))?;
        (interval.floor(time) == time).then_some(time)
    };
    Some(time(from)?..time(to)?).filter(|span| !span.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const M15: i64 = 15 * 60_000;

    #[test]
    fn holes_are_kept_joined_and_settle_after_a_week() {
        let folder = tempfile::tempdir().expect("a folder");
        let csv = folder.path().join("X-15m.csv");
        let read = || Holes::read(&csv, Interval::M15).expect("ours or none");
        let mut holes = read();
        holes.add(vec![4 * M15..6 * M15, M15..2 * M15, 6 * M15..7 * M15, 3 * M15..3 * M15]);
        holes.keep().expect("written");
        let again = read();
        assert_eq!(again.spans, [M15..2 * M15, 4 * M15..7 * M15]);
        assert!(again.cover(&(4 * M15..6 * M15)) && !again.cover(&(0..2 * M15)));
        assert_eq!(again.within(&(0..5 * M15), Interval::M15), 2);
        assert_eq!(again.settled(7 * M15 + ASKED_AGAIN_MS), again.spans);
        assert_eq!(again.settled(7 * M15 + ASKED_AGAIN_MS - 1), std::slice::from_ref(&(M15..2 * M15)));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside");
        for foreign in ["x\n", "refused_from,refused_to\n1,2\n", "refused_from,refused_to\n900000,0\n"] {
            fs::write(folder.path().join(".X-15m.csv.refused"), foreign).expect("written");
            let error = Holes::read(&csv, Interval::M15).expect_err("not ours");
            assert!(matches!(error, FetchError::ForeignFile { .. }), "{error}");
        }
    }
}

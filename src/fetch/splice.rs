//! A file of candles that gains rows, before, between or behind those it has: written beside, then put in its place.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::held::{HEADER, Rows, io_error};
use super::page::Row;
use crate::model::Interval;
use crate::store::hand_over;

/// The new content of a file. Readers see the old or the new file, never a part; dropped, it leaves the old one.
#[derive(Debug)]
pub(super) struct Splice {
    target: PathBuf,
    beside: PathBuf,
    old: Option<Rows>,
    /// The old row that comes next.
    waiting: Option<(i64, String)>,
    out: BufWriter<File>,
    /// Rows that are new.
    pub(super) added: u64,
    /// Rows altogether so far.
    pub(super) rows: u64,
}

impl Splice {
    /// Begins with what the file holds. Whoever calls this has locked the folder.
    pub(super) fn begin(target: &Path, interval: Interval) -> Result<Self, FetchError> {
        let beside = beside(target);
        let old = Rows::open(target, interval)?;
        let file = create_beside(target)?;
        let out = BufWriter::with_capacity(64 << 10, file);
        let target = target.to_owned();
        let mut splice = Self { target, beside, old, waiting: None, out, added: 0, rows: 0 };
        splice.write(HEADER)?;
        splice.read_old()?;
        Ok(splice)
    }

    /// Adds a row in its place.
    pub(super) fn add(&mut self, row: &Row) -> Result<(), FetchError> {
        self.copy_before(row.open_ms)?;
        self.write(&format!("{},{}", row.open_ms, row.digits.join(",")))?;
        self.added += 1;
        self.rows += 1;
        Ok(())
    }

    /// Copies the rest and puts the file in its place.
    pub(super) fn publish(mut self) -> Result<(), FetchError> {
        self.copy_before(i64::MAX)?;
        self.out.flush().map_err(io_error(&self.beside))?;
        put(self.out.get_ref(), &self.beside, &self.target)
    }

    fn copy_before(&mut self, open_ms: i64) -> Result<(), FetchError> {
        while let Some((_, row)) = self.waiting.take_if(|(open, _)| *open < open_ms) {
            self.write(&row)?;
            self.rows += 1;
            self.read_old()?;
        }
        Ok(())
    }

    fn read_old(&mut self) -> Result<(), FetchError> {
        let mut row = String::new();
        let open_ms = self.old.as_mut().map(|old| old.next(&mut row)).transpose()?.flatten();
        self.waiting = open_ms.map(|open_ms| (open_ms, row));
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<(), FetchError> {
        writeln!(self.out, "{line}").map_err(io_error(&self.beside))
    }
}

impl Drop for Splice {
    fn drop(&mut self) {
        // It is gone if it was published.
        let _ = fs::remove_file(&self.beside);
    }
}

/// Returns where a file is written before it is put in its place; hidden, so that nobody reads it.
pub(super) fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    target.with_file_name(format!(".{name}.tmp"))
}

/// Creates the file beside a target anew: whatever lies there from a killed process goes, and a link is never followed.
pub(super) fn create_beside(target: &Path) -> Result<File, FetchError> {
    let beside = beside(target);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&beside)(error)),
        _ => {}
    }
    let file = File::create_new(&beside).map_err(io_error(&beside))?;
    // Not every disk lets files be given away.
    let _ = hand_over(&beside);
    Ok(file)
}

/// Puts a written file in its place: sync, rename, sync the folder.
pub(super) fn put(file: &File, beside: &Path, target: &Path) -> Result<(), FetchError> {
    file.sync_all().map_err(io_error(beside))?;
    fs::rename(beside, target).map_err(io_error(target))?;
    let folder = target.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::held::spans_of_rows;
    use crate::model::MINUTE_MS;

    const M15: i64 = 15 * MINUTE_MS;

    fn row(index: i64) -> Row {
        Row { open_ms: index * M15, digits: ["1", "2", "0.5", "1.50", "7"].map(str::to_owned) }
    }

    fn add(path: &Path, rows: &[i64]) {
        let mut splice = Splice::begin(path, Interval::M15).expect("a writable folder");
        rows.iter().for_each(|index| splice.add(&row(*index)).expect("written"));
        splice.publish().expect("published");
    }

    #[test]
    fn rows_find_their_place_whatever_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("X-15m.csv");
        add(&path, &[10, 11]);
        add(&path, &[5, 12]);
        add(&path, &[6, 9]);
        let text = fs::read_to_string(&path).expect("text");
        let opens: Vec<i64> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().parse::<i64>().unwrap() / M15)
            .collect();
        assert_eq!(opens, [5, 6, 9, 10, 11, 12]);
        assert_eq!(text.lines().nth(1), Some("4500000,1,2,0.5,1.50,7"));
        let spans = spans_of_rows(&path, Interval::M15).expect("ours");
        assert_eq!(spans, [5 * M15..7 * M15, 9 * M15..13 * M15]);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside");
    }

    #[test]
    fn a_file_of_somebody_else_is_never_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("X-15m.csv");
        let files = [
            "".to_owned(),
            "1,2,3\n".to_owned(),
            format!("{HEADER}\n900000,1,1,1,1,1"),
            format!("{HEADER}\n900000,1,1,1,1\n"),
            format!("{HEADER}\n900001,1,1,1,1,1\n"),
            format!("{HEADER}\n1800000,1,1,1,1,1\n900000,1,1,1,1,1\n"),
            format!("{HEADER}\n{}\n", "9".repeat(1000)),
            format!("{HEADER}\n9223372036854000000,1,1,1,1,1\n"),
            format!("{HEADER}\n-9223372036854775808,1,1,1,1,1\n"),
        ];
        for content in files {
            fs::write(&path, &content).expect("written");
            let error = spans_of_rows(&path, Interval::M15).expect_err("not ours");
            assert!(matches!(error, FetchError::ForeignFile { .. }), "{content:?}: {error}");
        }
    }

    #[test]
    fn a_link_beside_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("X-15m.csv"), folder.path().join("other"));
        fs::write(&other, "of somebody").expect("written");
        std::os::unix::fs::symlink(&other, beside(&path)).expect("linked");
        add(&path, &[1]);
        assert_eq!(fs::read_to_string(&other).expect("text"), "of somebody");
        assert!(!fs::symlink_metadata(&path).expect("there").is_symlink());
        let spans = spans_of_rows(&path, Interval::M15).expect("ours");
        assert_eq!(spans, std::slice::from_ref(&(M15..2 * M15)));
        fs::create_dir(beside(&path)).expect("made");
        assert!(matches!(Splice::begin(&path, Interval::M15), Err(FetchError::Io { .. })));
    }

    #[test]
    fn what_is_not_published_leaves_no_trace() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("X-15m.csv");
        add(&path, &[1]);
        let before = fs::read(&path).expect("bytes");
        let mut splice = Splice::begin(&path, Interval::M15).expect("begun");
        splice.add(&row(2)).expect("written");
        drop(splice);
        assert_eq!(fs::read(&path).expect("bytes"), before);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}

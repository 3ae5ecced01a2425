//! Candles in columns: feather (Arrow IPC files) and Parquet.
//!
//! The bytes are taken into memory (they are smaller than the rows made of them) and decoded batch by batch. The
//! decoders are foreign code that is handed untrusted bytes: what they would allocate is looked at before where a file
//! says it, and where they give up by a panic, the file is rejected here and nowhere else.

mod candles;
mod cells;
mod feather;
mod pages;
mod parquet;
mod table;

use std::cell::Cell;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::Fields;

use super::ReadingOptions;
use super::collector::{Collector, Parsed};
use super::columns::{self, CandleColumns, TimeColumn};
use super::layout;
use super::lines::{LineReader, StreamError};
use super::rejection::Rejection;
use super::time::LocalClock;
use candles::BatchColumns;
use cells::CellColumn;
pub(super) use table::{TextRows, Unread, table_rows};

/// The largest feather or Parquet file that is read, unpacked; 16 million rows take less.
pub const COLUMNAR_BYTES_MAX: usize = 512 << 20;
/// The most bytes that one batch of a feather file, or one row group of a Parquet file, may decode to.
const BATCH_BYTES_MAX: u64 = 512 << 20;

thread_local! {
    /// Whether a panic of this thread becomes a rejection.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the decoders' panics about damaged files, which become rejections, from being printed as well.
///
/// For programs: it replaces the panic hook of the process, which still gets every other panic.
pub fn print_no_decoder_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !GUARDED.get() {
            print(info);
        }
    }));
}

/// Why a file gives no rows, or no more of them.
enum TableFault {
    Rejected(Rejection),
    /// What the decoder said.
    Damaged(String),
}

impl From<Rejection> for TableFault {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<TableFault> for Rejection {
    fn from(fault: TableFault) -> Self {
        match fault {
            TableFault::Rejected(rejection) => rejection,
            TableFault::Damaged(detail) => Self::Damaged { detail },
        }
    }
}

/// Takes what a decoder says is wrong.
fn damaged(error: impl std::fmt::Display) -> TableFault {
    TableFault::Damaged(error.to_string())
}

/// Reads all rows of an Arrow IPC file.
///
/// Errors: only what the stream itself reports; a file is used as a whole or not at all
pub(super) fn parse_feather(
    lines: &mut LineReader<impl Read>,
    collector: Collector<'_>,
    reading: &ReadingOptions,
) -> Result<Parsed, StreamError> {
    parse(lines, collector, reading, |bytes, batches| feather::read(bytes, batches))
}

/// Reads all rows of a Parquet file.
///
/// Errors: only what the stream itself reports; a file is used as a whole or not at all
pub(super) fn parse_parquet(
    lines: &mut LineReader<impl Read>,
    collector: Collector<'_>,
    reading: &ReadingOptions,
) -> Result<Parsed, StreamError> {
    parse(lines, collector, reading, |bytes, batches| parquet::read(bytes, batches))
}

fn parse(
    lines: &mut LineReader<impl Read>,
    collector: Collector<'_>,
    reading: &ReadingOptions,
    read: impl FnOnce(Vec<u8>, &mut Batches<'_>) -> Result<(), TableFault>,
) -> Result<Parsed, StreamError> {
    let room = collector.room_bytes().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
    let bytes = match lines.rest(COLUMNAR_BYTES_MAX.min(room)) {
        Err(StreamError::TooLarge) if room < COLUMNAR_BYTES_MAX => {
            return Ok(collector.reject(Rejection::NoRoom));
        }
        Err(StreamError::TooLarge) => {
            let limit = COLUMNAR_BYTES_MAX as u64;
            return Ok(collector.reject(Rejection::TooLarge { limit, unit: "bytes".into() }));
        }
        bytes => bytes?,
    };
    let mut batches =
        Batches { collector, clock: LocalClock::strict(reading.timezone.clone()), columns: None, row: 0 };
    // Nothing of a reading that panicked is used: the collector is replaced by a rejection.
    Ok(match guarded(|| read(bytes, &mut batches).map(|()| batches.collector)) {
        Ok(collector) => finish(collector),
        Err(fault) => Parsed { rejected: Some(fault.into()), ..Parsed::default() },
    })
}

/// Takes a decoder that gives up by a panic for one that says so.
fn guarded<T, E: From<TableFault>>(read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let gave_up = |_| Err(E::from(TableFault::Damaged("the decoder gave up".to_owned())));
    let outer = GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(outer);
    done.unwrap_or_else(gave_up)
}

/// Compares what is decoded at a time with the limit for any file, and with the room there is.
fn check_room(decoded: u64, file_bytes: usize, room_bytes: Option<u64>) -> Result<(), TableFault> {
    if decoded > BATCH_BYTES_MAX {
        return Err(Rejection::TooLarge { limit: BATCH_BYTES_MAX, unit: "decoded bytes".into() }.into());
    }
    let fits = room_bytes.is_none_or(|room| decoded.saturating_add(file_bytes as u64) <= room);
    if fits { Ok(()) } else { Err(Rejection::NoRoom.into()) }
}

/// Takes in what a file holds, batch by batch.
trait Sink {
    /// Why it takes in no more.
    type Error: From<TableFault>;

    /// Returns how many bytes the file and what it decodes to at a time may take, `None` for as many as there are.
    fn room_bytes(&self) -> Option<u64>;

    /// Looks at the columns of a file; returns the places of those to decode, ascending.
    ///
    /// None of them is nested: decoded, such a column could be of any size.
    fn find_columns(&mut self, fields: &Fields) -> Result<Vec<usize>, Self::Error>;

    /// Takes in the rows of a batch that holds the columns at these places of the file's schema.
    fn take_in(&mut self, batch: &RecordBatch, places: &[usize]) -> Result<(), Self::Error>;
}

fn finish(collector: Collector<'_>) -> Parsed {
    let mut parsed = collector.finish();
    if parsed.rejected.is_none() && parsed.rows_seen == 0 {
        parsed.rejected = Some(Rejection::NoRows);
    }
    parsed
}

/// Takes in candles.
struct Batches<'a> {
    collector: Collector<'a>,
    /// Of times that name no zone.
    clock: LocalClock,
    /// The columns to read, by their place in the file's schema; known once that has been seen.
    columns: Option<CandleColumns>,
    /// Rows taken in so far.
    row: u64,
}

impl Sink for Batches<'_> {
    type Error = TableFault;

    fn room_bytes(&self) -> Option<u64> {
        self.collector.room_bytes()
    }

    /// Finds the columns of candles among those of a file.
    fn find_columns(&mut self, fields: &Fields) -> Result<Vec<usize>, TableFault> {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let found = columns::find(&names, self.collector.symbol).map_err(|fault| {
            TableFault::Rejected(Rejection::UnknownNames {
                fault: fault.to_string(),
                place: "the table".into(),
                found: layout::list_names(&names).into(),
                advice: "rename the columns".into(),
            })
        })?;
        self.collector.out.close_times = matches!(found.time, TimeColumn::Close(_));
        if found.volume.is_none() {
            self.collector.no_volume(1);
        }
        let places = found.places();
        let nested =
            places.iter().map(|place| &fields[*place]).find(|f| !CellColumn::is_readable(f.data_type()));
        if let Some(field) = nested {
            return Err(TableFault::Rejected(Rejection::ColumnType {
                column: field.name().clone(),
                expected: "numbers, times or text".into(),
                found: field.data_type().to_string(),
            }));
        }
        self.columns = Some(found);
        Ok(places)
    }

    fn take_in(&mut self, batch: &RecordBatch, places: &[usize]) -> Result<(), TableFault> {
        let Some(found) = &self.columns else { return Ok(()) };
        let columns = BatchColumns::new(batch, found, places)?;
        for row in 0..batch.num_rows() {
            self.row += 1;
            columns.row(row, self.row, &mut self.collector, &mut self.clock);
            if let Some(rejection) = self.collector.out.rejected.take() {
                return Err(rejection.into());
            }
        }
        Ok(())
    }
}

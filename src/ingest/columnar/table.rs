//! Rows of any table as text cells, as a CSV would have them: for what is read by name and not by type.

use std::ops::Range;

use arrow_array::RecordBatch;

use super::cells::Column;
use super::{Fault, Sink, guarded, parquet};
use crate::ingest::rejection::Rejection;

/// Takes in a table row by row.
pub(in crate::ingest) trait TextRows {
    /// Why it takes in no more.
    type Error;

    /// Takes in the names of the columns.
    fn head(&mut self, names: &[&str]) -> Result<(), Self::Error>;

    /// Takes in a row, by its number from 1 and its cells by place.
    fn row<'c>(&mut self, number: u64, cell: impl Fn(usize) -> &'c [u8]) -> Result<(), Self::Error>;
}

/// Why a table was not read to its end.
pub(in crate::ingest) enum Unread<E> {
    /// The file cannot be decoded.
    File(Rejection),
    /// A row, or the head, was refused.
    Refused(E),
}

impl<E> From<Fault> for Unread<E> {
    fn from(fault: Fault) -> Self {
        Self::File(fault.into())
    }
}

/// Hands out all rows of a Parquet file. A column of a type that is neither number, time nor text holds the name of its
/// type in every row.
pub(in crate::ingest) fn parquet_rows<R: TextRows>(
    bytes: Vec<u8>,
    rows: &mut R,
) -> Result<(), Unread<R::Error>> {
    let mut cells = Cells { rows, number: 0, text: Vec::new(), ranges: Vec::new() };
    guarded(|| parquet::read(bytes, &mut cells))
}

struct Cells<'r, R> {
    rows: &'r mut R,
    number: u64,
    /// The cells of a row, one after the other.
    text: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl<R: TextRows> Sink for Cells<'_, R> {
    type Error = Unread<R::Error>;

    fn find_columns<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Result<Vec<usize>, Self::Error> {
        let names: Vec<&str> = names.map(str::trim).collect();
        self.rows.head(&names).map_err(Unread::Refused)?;
        Ok((0..names.len()).collect())
    }

    fn take_in(&mut self, batch: &RecordBatch, _: &[usize]) -> Result<(), Self::Error> {
        let columns: Vec<(Option<Column<'_>>, String)> = batch
            .columns()
            .iter()
            .map(|array| (Column::new("", array.as_ref()), format!("<{}>", array.data_type())))
            .collect();
        for row in 0..batch.num_rows() {
            self.text.clear();
            self.ranges.clear();
            for (column, kind) in &columns {
                let start = self.text.len();
                match column {
                    Some(column) => column.write(row, &mut self.text),
                    None => self.text.extend_from_slice(kind.as_bytes()),
                }
                self.ranges.push(start..self.text.len());
            }
            self.number += 1;
            let (text, ranges) = (&self.text, &self.ranges);
            let cell = |place: usize| &text[ranges[place].clone()];
            self.rows.row(self.number, cell).map_err(Unread::Refused)?;
        }
        Ok(())
    }
}

//! Rows of any table as text cells, as a CSV would have them: for what is read by name and not by type.

use std::ops::Range;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Fields};

use super::cells::CellColumn;
use super::{Sink, TableFault, damaged, feather, guarded, parquet};
use crate::ingest::rejection::Rejection;

/// Takes in a table row by row.
pub(in crate::ingest) trait TextRows {
    /// Why it takes in no more.
    type Error;

    /// Returns how many bytes the file and what it decodes to at a time may take, `None` for as many as there are.
    fn room_bytes(&self) -> Option<u64>;

    /// Takes in the names of the columns.
    fn head(&mut self, names: &[&str]) -> Result<(), Self::Error>;

    /// Takes in a row, by its number from 1 and its cells by place.
    fn row<'c>(&mut self, number: u64, cell: impl Fn(usize) -> &'c [u8]) -> Result<(), Self::Error>;

    /// Returns whether a column of flags is read, as `true` and `false`, once the names of the columns are known; else it holds the
    /// name of its type.
    fn reads_flags(&self, place: usize) -> bool;
}

/// Why a table was not read to its end.
pub(in crate::ingest) enum Unread<E> {
    /// The file cannot be decoded.
    File(Rejection),
    /// A row, or the head, was refused.
    Refused(E),
}

impl<E> From<TableFault> for Unread<E> {
    fn from(fault: TableFault) -> Self {
        Self::File(fault.into())
    }
}

/// Hands out all rows of a Parquet file, or of a feather one. A column of a type that is neither number, time nor text holds the name of its
/// type in every row.
pub(in crate::ingest) fn table_rows<R: TextRows>(
    bytes: Vec<u8>,
    is_feather: bool,
    rows: &mut R,
) -> Result<(), Unread<R::Error>> {
    let mut cells = Cells { rows, number: 0, text: Vec::new(), ranges: Vec::new(), unread: Vec::new() };
    guarded(|| match is_feather {
        true => feather::read(bytes, &mut cells),
        false => parquet::read(bytes, &mut cells),
    })
}

struct Cells<'r, R> {
    rows: &'r mut R,
    number: u64,
    /// The cells of a row, one after the other.
    text: Vec<u8>,
    ranges: Vec<Range<usize>>,
    /// What stands in every row of a column that cannot be read, by place.
    unread: Vec<Option<String>>,
}

impl<R: TextRows> Sink for Cells<'_, R> {
    type Error = Unread<R::Error>;

    fn room_bytes(&self) -> Option<u64> {
        self.rows.room_bytes()
    }

    fn find_columns(&mut self, fields: &Fields) -> Result<Vec<usize>, Self::Error> {
        let names: Vec<&str> = fields.iter().map(|field| field.name().trim()).collect();
        self.rows.head(&names).map_err(Unread::Refused)?;
        // Of flags and times of day the type says more than the values: they are neither numbers nor instants.
        let readable = |(place, field): (usize, &FieldRef)| match field.data_type() {
            DataType::Boolean => self.rows.reads_flags(place),
            DataType::Time32(_) | DataType::Time64(_) => false,
            kind => CellColumn::is_readable(kind),
        };
        let unread = fields
            .iter()
            .enumerate()
            .map(|found| (!readable(found)).then(|| format!("<{}>", found.1.data_type())));
        self.unread = unread.collect();
        Ok((0..fields.len()).filter(|place| self.unread[*place].is_none()).collect())
    }

    fn take_in(&mut self, batch: &RecordBatch, _: &[usize]) -> Result<(), Self::Error> {
        let columns: Option<Vec<CellColumn<'_>>> =
            batch.columns().iter().map(|array| CellColumn::new("", array.as_ref())).collect();
        let columns =
            columns.ok_or_else(|| damaged("a column of another type than the head of the file says"))?;
        for row in 0..batch.num_rows() {
            self.text.clear();
            self.ranges.clear();
            let mut readable = columns.iter();
            for kind in &self.unread {
                let start = self.text.len();
                match kind {
                    Some(kind) => self.text.extend_from_slice(kind.as_bytes()),
                    None => readable.next().into_iter().for_each(|column| column.write(row, &mut self.text)),
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

//! A listing as a Parquet file, for data frames.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;

use crate::documents::listing::{Column, ColumnKind, Listing};

/// Returns every column of a listing as Parquet: numbers as doubles, words and instants as text.
///
/// Errors: a listing without columns
pub fn parquet_of(listing: &Listing) -> Result<Vec<u8>, ParquetError> {
    let array = |column: &Column| -> ArrayRef {
        match column.kind() {
            ColumnKind::Number => {
                Arc::new(column.cells().iter().map(|cell| cell.as_number()).collect::<Float64Array>())
            }
            ColumnKind::Text | ColumnKind::Prose => {
                Arc::new(column.cells().iter().map(|cell| cell.as_text()).collect::<StringArray>())
            }
        }
    };
    let columns = listing.columns().iter().map(|column| (column.name(), array(column), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

//! Parquet files, row group by row group.

use std::collections::BTreeMap;

use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, Type as PhysicalType};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::super::ROWS_MAX;
use super::super::rejection::Rejection;
use super::pages::widest_page;
use super::{BATCH_BYTES_MAX, Sink, TableFault, check_room, damaged};

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 8192;
/// The most bytes that a page may decode to; writers make pages of 1 MiB, some one per row group.
const PAGE_BYTES_MAX: u64 = 128 << 20;
/// The most bytes of text that are decoded at a time, unless a single text is longer.
const TEXT_BYTES_MAX: u64 = 64 << 20;

/// Reads all row groups in order.
pub(super) fn read<S: Sink>(bytes: Vec<u8>, sink: &mut S) -> Result<(), S::Error> {
    let bytes = Bytes::from(bytes);
    // What the file says of itself counts, not the copy of another schema that some writers embed.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options);
    let builder = builder.map_err(damaged)?;
    let places = sink.find_columns(builder.schema().fields())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
    let pages = check(&bytes, builder.metadata().row_groups(), &mask)?;
    check_room(pages.bytes, bytes.len(), sink.room_bytes())?;
    let batch_rows = pages.batch_rows(bytes.len(), sink.room_bytes());
    let reader = builder.with_projection(mask).with_batch_size(batch_rows).build().map_err(damaged)?;
    for batch in reader {
        sink.take_in(&batch.map_err(damaged)?, &places)?;
    }
    Ok(())
}

/// What the pages of a file decode to.
#[derive(Debug, Default, PartialEq)]
struct DecodedPages {
    /// The widest page of every column, and of its values that are kept once each.
    bytes: u64,
    /// The widest page of text: no text is longer.
    text_bytes: u64,
}

impl DecodedPages {
    /// Returns how many rows to decode at a time: a text that is stored once may stand in every row.
    fn batch_rows(&self, file_bytes: usize, room_bytes: Option<u64>) -> usize {
        let besides = self.bytes.saturating_add(file_bytes as u64);
        let room = room_bytes.map_or(TEXT_BYTES_MAX, |room| room.saturating_sub(besides).min(TEXT_BYTES_MAX));
        // Beside the batch stand the values it is made of.
        let rows = (room / 2).checked_div(self.text_bytes).unwrap_or(u64::MAX);
        usize::try_from(rows).unwrap_or(BATCH_ROWS).clamp(1, BATCH_ROWS)
    }
}

/// Compares what a file says its columns decode to with the limits.
fn check(
    file: &[u8],
    groups: &[RowGroupMetaData],
    mask: &ProjectionMask,
) -> Result<DecodedPages, TableFault> {
    let (mut rows, mut widest) = (0_u64, 0_u64);
    let mut pages: BTreeMap<usize, (u64, bool)> = BTreeMap::new();
    for group in groups {
        rows = rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or(u64::MAX));
        let mut group_bytes = 0_u64;
        let columns = group.columns().iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
        for (leaf, column) in columns {
            let decoded = u64::try_from(column.uncompressed_size()).unwrap_or(u64::MAX);
            group_bytes = group_bytes.saturating_add(decoded);
            if matches!(column.compression(), Compression::BROTLI(_) | Compression::LZO) {
                let (format, advice) =
                    ("Parquet packed by brotli or LZO", "write it with snappy, zstd or lz4");
                return Err(Rejection::unsupported(format, advice).into());
            }
            let page = check_pages(file, column)?;
            let known = pages.entry(leaf).or_default();
            *known = (known.0.max(page), column.column_type() == PhysicalType::BYTE_ARRAY);
        }
        widest = widest.max(group_bytes);
    }
    if rows > ROWS_MAX {
        return Err(Rejection::TooLarge { limit: ROWS_MAX, unit: "rows".into() }.into());
    }
    if widest > BATCH_BYTES_MAX {
        return Err(Rejection::TooLarge { limit: BATCH_BYTES_MAX, unit: "decoded bytes".into() }.into());
    }
    // A page of values beside a page of what they stand for.
    let bytes = pages.values().map(|(page, _)| page.saturating_mul(2)).sum();
    let text_bytes = pages.values().filter(|(_, is_text)| *is_text).map(|(page, _)| *page).max();
    Ok(DecodedPages { bytes, text_bytes: text_bytes.unwrap_or(0) })
}

/// Compares what the pages of a column say they decode to with the limit; returns the most that one does.
fn check_pages(file: &[u8], column: &ColumnChunkMetaData) -> Result<u64, TableFault> {
    let wrong =
        || TableFault::Damaged("a column lies outside the file or has no sound page header".to_owned());
    let begins = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    // The decoder takes it for granted that they are not.
    if begins < 0 || column.compressed_size() < 0 {
        return Err(wrong());
    }
    let (start, length) = column.byte_range();
    let range = usize::try_from(start).ok().zip(usize::try_from(start.saturating_add(length)).ok());
    let chunk = range.and_then(|(start, end)| file.get(start..end));
    match chunk.and_then(widest_page) {
        Some(widest) if widest <= PAGE_BYTES_MAX => Ok(widest),
        Some(_) => Err(Rejection::TooLarge { limit: PAGE_BYTES_MAX, unit: "bytes of a page".into() }.into()),
        None => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_decoded_a_few_rows_at_a_time() {
        let rows = |text_bytes: u64, room: Option<u64>| {
            DecodedPages { bytes: 2 * text_bytes, text_bytes }.batch_rows(1_000, room)
        };
        assert_eq!(rows(0, None), BATCH_ROWS);
        assert_eq!(rows(300, None), BATCH_ROWS);
        assert_eq!(rows(1 << 20, None), 32);
        assert_eq!(rows(1 << 20, Some(20 << 20)), 8);
        assert_eq!(rows(1 << 20, Some(3 << 20)), 1);
        assert_eq!(rows(100 << 20, None), 1);
    }
}

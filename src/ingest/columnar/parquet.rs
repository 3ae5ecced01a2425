//! Parquet files, row group by row group.

use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::super::ROWS_MAX;
use super::super::rejection::Rejection;
use super::pages::widest_page;
use super::{BATCH_BYTES_MAX, Fault, Sink, damaged};

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 8192;
/// The most bytes that a page may decode to; writers make pages of 1 MiB, some one per row group.
const PAGE_BYTES_MAX: u64 = 128 << 20;

/// Reads all row groups in order.
pub(super) fn read<S: Sink>(bytes: Vec<u8>, sink: &mut S) -> Result<(), S::Error> {
    let bytes = Bytes::from(bytes);
    // What the file says of itself counts, not the copy of another schema that some writers embed.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes.clone(), options);
    let builder = builder.map_err(damaged)?;
    let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let places = sink.find_columns(names.iter().map(String::as_str))?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
    check(&bytes, builder.metadata().row_groups(), &mask)?;
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(damaged)?;
    for batch in reader {
        sink.take_in(&batch.map_err(damaged)?, &places)?;
    }
    Ok(())
}

/// Compares what a file says its columns decode to with the limits.
fn check(file: &[u8], groups: &[RowGroupMetaData], mask: &ProjectionMask) -> Result<(), Fault> {
    let (mut rows, mut widest) = (0_u64, 0_u64);
    for group in groups {
        rows = rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or(u64::MAX));
        let mut group_bytes = 0_u64;
        let columns = group.columns().iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
        for (_, column) in columns {
            let decoded = u64::try_from(column.uncompressed_size()).unwrap_or(u64::MAX);
            group_bytes = group_bytes.saturating_add(decoded);
            if matches!(column.compression(), Compression::BROTLI(_) | Compression::LZO) {
                let (format, advice) =
                    ("Parquet packed by brotli or LZO", "write it with snappy, zstd or lz4");
                return Err(Rejection::Unsupported { format, advice }.into());
            }
            check_pages(file, column)?;
        }
        widest = widest.max(group_bytes);
    }
    if rows > ROWS_MAX {
        return Err(Rejection::TooLarge { limit: ROWS_MAX, unit: "rows" }.into());
    }
    if widest > BATCH_BYTES_MAX {
        return Err(Rejection::TooLarge { limit: BATCH_BYTES_MAX, unit: "decoded bytes" }.into());
    }
    Ok(())
}

/// Compares what the pages of a column say they decode to with the limit.
fn check_pages(file: &[u8], column: &ColumnChunkMetaData) -> Result<(), Fault> {
    let wrong = || Fault::Damaged("a column lies outside the file or has no sound page header".to_owned());
    let begins = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    // The decoder takes it for granted that they are not.
    if begins < 0 || column.compressed_size() < 0 {
        return Err(wrong());
    }
    let (start, length) = column.byte_range();
    let range = usize::try_from(start).ok().zip(usize::try_from(start.saturating_add(length)).ok());
    let chunk = range.and_then(|(start, end)| file.get(start..end));
    match chunk.and_then(widest_page) {
        Some(widest) if widest <= PAGE_BYTES_MAX => Ok(()),
        Some(_) => Err(Rejection::TooLarge { limit: PAGE_BYTES_MAX, unit: "bytes of a page" }.into()),
        None => Err(wrong()),
    }
}

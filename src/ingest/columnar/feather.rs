//! Arrow IPC files, as pandas and freqtrade write feather.
//!
//! Every length that the decoder allocates by is compared with the file, or with a limit, before it is decoded.

use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, RecordBatch, root_as_footer, root_as_message};
use arrow_schema::DataType;

use super::super::ROWS_MAX;
use super::super::rejection::Rejection;
use super::{BATCH_BYTES_MAX, Batches, Fault, Sink, damaged};

/// What ends a file: the length of its footer and its magic bytes.
const TRAILER_BYTES: usize = 10;
/// What stands before the length of a message since version 0.15.
const CONTINUATION: [u8; 4] = [0xFF; 4];
/// Where the length of a compressed buffer says that it is not compressed after all.
const NOT_COMPRESSED: i64 = -1;

/// Reads all record batches in order.
pub(super) fn read(bytes: Vec<u8>, batches: &mut Batches<'_>) -> Result<(), Fault> {
    let file = Buffer::from_vec(bytes);
    let cut_short = || Fault::Damaged("the file ends before its footer".to_owned());
    let trailer_start = file.len().checked_sub(TRAILER_BYTES).ok_or_else(cut_short)?;
    let trailer = file[trailer_start..].first_chunk().ok_or_else(cut_short)?;
    let footer_length = read_footer_length(*trailer).map_err(|_| cut_short())?;
    let footer_start = trailer_start.checked_sub(footer_length).ok_or_else(cut_short)?;
    let footer = root_as_footer(&file[footer_start..trailer_start]).map_err(damaged)?;
    let schema = footer.schema().ok_or_else(|| Fault::Damaged("no schema in the footer".to_owned()))?;
    let schema = Arc::new(try_fb_to_schema(schema).map_err(damaged)?);
    let mut places = batches.find_columns(schema.fields().iter().map(|field| field.name().as_str()))?;
    // Categories would have to be looked up in batches of their own.
    places.retain(|place| !matches!(schema.field(*place).data_type(), DataType::Dictionary(..)));
    let decoder = FileDecoder::new(schema, footer.version()).with_projection(places.clone());
    for block in footer.recordBatches().into_iter().flatten() {
        let range = range_of(block, footer_start)?;
        let data = file.slice_with_length(range.start, range.len());
        check(block, &data)?;
        if let Some(batch) = decoder.read_record_batch(block, &data).map_err(damaged)? {
            batches.take_in(&batch, &places)?;
        }
    }
    Ok(())
}

/// Returns where a block lies, if that is within the file.
fn range_of(block: &Block, end: usize) -> Result<Range<usize>, Fault> {
    let outside = || Fault::Damaged("a batch lies outside the file".to_owned());
    let start = usize::try_from(block.offset()).map_err(|_| outside())?;
    let metadata = usize::try_from(block.metaDataLength()).map_err(|_| outside())?;
    let body = usize::try_from(block.bodyLength()).map_err(|_| outside())?;
    let length = metadata.checked_add(body).ok_or_else(outside)?;
    // Shorter metadata cannot hold a length and a message.
    let whole = metadata >= 16 && start.checked_add(length).is_some_and(|block_end| block_end <= end);
    if whole { Ok(start..start + length) } else { Err(outside()) }
}

/// Compares what a batch says of its buffers with its bytes, and what they decode to with the limit.
fn check(block: &Block, data: &[u8]) -> Result<(), Fault> {
    let wrong = |what: &str| Fault::Damaged(format!("a batch whose {what}"));
    let (metadata, body) =
        data.split_at(usize::try_from(block.metaDataLength()).unwrap_or(0).min(data.len()));
    let message = metadata.get(if metadata.starts_with(&CONTINUATION) { 8.. } else { 4.. });
    let message = message.ok_or_else(|| wrong("message is cut short"))?;
    let message = root_as_message(message).map_err(damaged)?;
    let Some(batch) = message.header_as_record_batch() else { return Err(wrong("message is no batch")) };
    let rows = u64::try_from(batch.length()).map_err(|_| wrong("length is negative"))?;
    if rows > ROWS_MAX {
        return Err(Rejection::TooLarge { limit: ROWS_MAX, unit: "rows" }.into());
    }
    let decoded = decoded_bytes(&batch, body).ok_or_else(|| wrong("buffers lie outside its body"))?;
    if decoded > BATCH_BYTES_MAX {
        return Err(Rejection::TooLarge { limit: BATCH_BYTES_MAX, unit: "decoded bytes" }.into());
    }
    Ok(())
}

/// Returns how many bytes the buffers of a batch say they decode to; `None` where one is not within the body.
fn decoded_bytes(batch: &RecordBatch<'_>, body: &[u8]) -> Option<u64> {
    let compressed = batch.compression().is_some();
    batch.buffers()?.iter().try_fold(0_u64, |sum, buffer| {
        let start = usize::try_from(buffer.offset()).ok()?;
        let length = usize::try_from(buffer.length()).ok()?;
        let bytes = body.get(start..start.checked_add(length)?)?;
        let decoded = match bytes.first_chunk::<8>() {
            Some(size) if compressed && i64::from_le_bytes(*size) != NOT_COMPRESSED => {
                u64::try_from(i64::from_le_bytes(*size)).ok()?
            }
            _ => length as u64,
        };
        sum.checked_add(decoded)
    })
}

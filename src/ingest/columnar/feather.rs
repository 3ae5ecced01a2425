//! Arrow IPC files, as pandas and freqtrade write feather.
//!
//! Every length that the decoder allocates by is compared with the file, or with a limit, before it is decoded.

use std::ops::Range;
use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, Footer, RecordBatch, root_as_footer, root_as_message};
use arrow_schema::DataType;

use super::super::ROWS_MAX;
use super::super::rejection::Rejection;
use super::{Sink, TableFault, check_room, damaged};

/// What ends a file: the length of its footer and its magic bytes.
const TRAILER_BYTES: usize = 10;
/// What stands before the length of a message since version 0.15.
const CONTINUATION: [u8; 4] = [0xFF; 4];
/// Where the length of a compressed buffer says that it is not compressed after all.
const NOT_COMPRESSED: i64 = -1;
/// The most parts that dictionaries are written in.
const DICTIONARIES_MAX: usize = 1_000;

/// Reads all record batches in order.
pub(super) fn read<S: Sink>(bytes: Vec<u8>, batches: &mut S) -> Result<(), S::Error> {
    let file = Buffer::from_vec(bytes);
    let cut_short = || TableFault::Damaged("the file ends before its footer".to_owned());
    let trailer_start = file.len().checked_sub(TRAILER_BYTES).ok_or_else(cut_short)?;
    let trailer = file[trailer_start..].first_chunk().ok_or_else(cut_short)?;
    let footer_length = read_footer_length(*trailer).map_err(|_| cut_short())?;
    let footer_start = trailer_start.checked_sub(footer_length).ok_or_else(cut_short)?;
    let footer = root_as_footer(&file[footer_start..trailer_start]).map_err(damaged)?;
    let schema = footer.schema().ok_or_else(|| TableFault::Damaged("no schema in the footer".to_owned()))?;
    let schema = Arc::new(try_fb_to_schema(schema).map_err(damaged)?);
    let places = batches.find_columns(schema.fields())?;
    let has_categories =
        places.iter().any(|place| matches!(schema.field(*place).data_type(), DataType::Dictionary(..)));
    let mut decoder = FileDecoder::new(schema, footer.version()).with_projection(places.clone());
    if has_categories {
        categories(&mut decoder, &file, footer, footer_start, batches.room_bytes())?;
    }
    for block in footer.recordBatches().into_iter().flatten() {
        let data = data_of(block, &file, footer_start)?;
        check_room(check(block, &data)?, file.len(), batches.room_bytes())?;
        if let Some(batch) = decoder.read_record_batch(block, &data).map_err(damaged)? {
            batches.take_in(&batch, &places)?;
        }
    }
    Ok(())
}

/// Takes in what categories stand for.
fn categories(
    decoder: &mut FileDecoder,
    file: &Buffer,
    footer: Footer<'_>,
    footer_start: usize,
    room_bytes: Option<u64>,
) -> Result<(), TableFault> {
    let mut decoded = 0_u64;
    for (place, block) in footer.dictionaries().into_iter().flatten().enumerate() {
        let data = data_of(block, file, footer_start)?;
        decoded = decoded.saturating_add(check(block, &data)?);
        // Each may be put behind the ones before it, which are copied.
        if place >= DICTIONARIES_MAX {
            let (limit, unit) = (DICTIONARIES_MAX as u64, "parts of dictionaries");
            return Err(Rejection::TooLarge { limit, unit: unit.into() }.into());
        }
        check_room(decoded, file.len(), room_bytes)?;
        decoder.read_dictionary(block, &data).map_err(damaged)?;
    }
    Ok(())
}

/// Returns the bytes of a block, if it is within the file.
fn data_of(block: &Block, file: &Buffer, end: usize) -> Result<Buffer, TableFault> {
    let range = range_of(block, end)?;
    Ok(file.slice_with_length(range.start, range.len()))
}

/// Returns where a block lies, if that is within the file.
fn range_of(block: &Block, end: usize) -> Result<Range<usize>, TableFault> {
    let outside = || TableFault::Damaged("a batch lies outside the file".to_owned());
    let start = usize::try_from(block.offset()).map_err(|_| outside())?;
    let metadata = usize::try_from(block.metaDataLength()).map_err(|_| outside())?;
    let body = usize::try_from(block.bodyLength()).map_err(|_| outside())?;
    let length = metadata.checked_add(body).ok_or_else(outside)?;
    // Shorter metadata cannot hold a length and a message.
    let whole = metadata >= 16 && start.checked_add(length).is_some_and(|block_end| block_end <= end);
    if whole { Ok(start..start + length) } else { Err(outside()) }
}

/// Compares what a batch says of its buffers with its bytes; returns how many bytes they decode to.
fn check(block: &Block, data: &[u8]) -> Result<u64, TableFault> {
    let wrong = |what: &str| TableFault::Damaged(format!("a batch whose {what}"));
    let (metadata, body) =
        data.split_at(usize::try_from(block.metaDataLength()).unwrap_or(0).min(data.len()));
    let message = metadata.get(if metadata.starts_with(&CONTINUATION) { 8.. } else { 4.. });
    let message = message.ok_or_else(|| wrong("message is cut short"))?;
    let message = root_as_message(message).map_err(damaged)?;
    let of_dictionary = || message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    let Some(batch) = message.header_as_record_batch().or_else(of_dictionary) else {
        return Err(wrong("message is no batch"));
    };
    let rows = u64::try_from(batch.length()).map_err(|_| wrong("length is negative"))?;
    if rows > ROWS_MAX {
        return Err(Rejection::TooLarge { limit: ROWS_MAX, unit: "rows".into() }.into());
    }
    decoded_bytes(&batch, body).ok_or_else(|| wrong("buffers lie outside its body"))
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

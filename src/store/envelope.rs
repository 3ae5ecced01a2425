//! The envelope around every row: 32 bytes that say what follows and prove that it is what was written there.
//!
//! The engine does not verify what it reads and postcard accepts almost anything, so nothing is decoded before
//! a keyed hash over store, table, key, header and payload has been compared. Decode order: cap, header, tag,
//! postcard with nothing left over, domain validation.
//!
//! | bytes | field |
//! |---|---|
//! | 0..2 | magic `0xA7E1`, little endian as all numbers |
//! | 2 | envelope version, 1, or 2 where the payload is packed |
//! | 3 | codec, 0 = raw, 1 = deflate |
//! | 4..6 | record type |
//! | 6..8 | record version |
//! | 8..12 | payload length |
//! | 12..16 | payload length once unpacked |
//! | 16..32 | tag |
//!
//! Payloads of half a KiB and more are packed where that saves an eighth: what a year of runs leaves behind takes half the room,
//! and a commit writes and hashes less. The tag is over the packed bytes, so that nothing is unpacked unproved.

use std::borrow::Cow;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::records::{Invalid, Record};
use super::tables::TableInfo;
use crate::model::excerpt;

/// Length of the header with the tag.
pub(super) const HEADER_BYTES: usize = 32;
/// Key derivation context of row tags.
pub(super) const TAG_CONTEXT: &str = "retune 2026-11 store row tag v1";
/// The name of the value type in the engine's table definitions.
pub(super) const TYPE_NAME: &str = "retune::Envelope/1";

const CODEC_AT: usize = 3;
const VERSION_AT: usize = 6;
const LENGTH_AT: usize = 8;
const UNPACKED_LENGTH_AT: usize = 12;
const TAG_AT: usize = 16;
const MAGIC: u16 = 0xA7E1;
/// Envelope version and codec of a payload as it is.
const RAW: [u8; 2] = [1, 0];
/// Envelope version and codec of a packed one; the programs that knew no codec say of it that a newer one wrote it.
const DEFLATE: [u8; 2] = [2, 1];
/// Shortest payload that is packed.
const PACK_FROM: usize = 512;

/// A keyed hash of a row and its place.
pub(super) type Tag = [u8; 16];

/// The value type of every table, as the engine sees it: bytes, never interpreted there.
#[derive(Debug)]
pub(super) struct RowEnvelope;

impl redb::Value for RowEnvelope {
    type SelfType<'a> = &'a [u8];
    type AsBytes<'a> = &'a [u8];

    fn fixed_width() -> Option<usize> {
        None
    }

    fn from_bytes<'a>(data: &'a [u8]) -> &'a [u8]
    where
        Self: 'a,
    {
        data
    }

    fn as_bytes<'a, 'b: 'a>(value: &'a Self::SelfType<'b>) -> &'a [u8]
    where
        Self: 'b,
    {
        value
    }

    fn type_name() -> redb::TypeName {
        redb::TypeName::new(TYPE_NAME)
    }
}

/// What is wrong with a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// Larger than its type may be.
    #[error("{bytes} bytes, at most {bytes_max} expected")]
    TooLarge {
        /// Found.
        bytes: usize,
        /// Allowed.
        bytes_max: usize,
    },
    /// The header is not that of an envelope, or its lengths do not fit.
    #[error("no valid header: {0}")]
    Header(&'static str),
    /// A row of another type.
    #[error("expected a row of type {expected}, found {found}")]
    Type {
        /// The type of the table's rows.
        expected: u16,
        /// The type in the header.
        found: u16,
    },
    /// Written by a newer program.
    #[error("version {found}, at most {supported} is known")]
    Newer {
        /// The version in the header.
        found: u16,
        /// The newest known version.
        supported: u16,
    },
    /// The tag does not fit: the row was altered or moved.
    #[error("the tag does not fit the row")]
    Tag,
    /// The payload does not unpack to what its header says.
    #[error("the packed payload does not come to {bytes} bytes")]
    Packed {
        /// The length in the header.
        bytes: usize,
    },
    /// The payload is not the record it says it is.
    #[error("payload: {0}")]
    Payload(#[source] postcard::Error),
    /// Bytes are left over after the record.
    #[error("{bytes} bytes left over after the record")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The key is not of the table's shape.
    #[error("the key is not of the form {shape}")]
    Key {
        /// The form.
        shape: &'static str,
    },
    /// The record is not what it says it is in a backup.
    #[error("record: {}", excerpt(&.0.to_string()))]
    Json(#[source] serde_json::Error),
    /// A value that must not be.
    #[error("{0}")]
    Invalid(#[from] Invalid),
}

/// Where a row lies. All of it is part of the row's tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowAddress<'a> {
    /// The store; all zero for the row that says which store it is.
    pub store_uuid: &'a [u8; 16],
    /// The table.
    pub table: &'a TableInfo,
    /// The key.
    pub key: &'a str,
}

impl RowAddress<'_> {
    /// Returns the tag of a header and the payload after it, packed or not.
    pub(super) fn tag(&self, header: &[u8], payload: &[u8]) -> Tag {
        let mut hasher = blake3::Hasher::new_derive_key(TAG_CONTEXT);
        hasher.update(self.store_uuid);
        for part in [self.table.name.as_bytes(), self.key.as_bytes(), header, payload] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut tag = [0; 16];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }
}

/// Returns a record in its envelope.
pub(super) fn encode_record<R: Record>(place: RowAddress<'_>, record: &R) -> Result<Vec<u8>, RowError> {
    record.validate()?;
    let payload = postcard::to_stdvec(record).map_err(RowError::Payload)?;
    if payload.len() > R::BYTES_MAX {
        return Err(RowError::TooLarge { bytes: payload.len(), bytes_max: R::BYTES_MAX });
    }
    Ok(seal_payload(place, R::TYPE_ID, R::VERSION, &payload))
}

/// Returns a payload in an envelope, packed where that pays.
pub(super) fn seal_payload(place: RowAddress<'_>, type_id: u16, version: u16, payload: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("payloads are capped far below 4 GiB");
    let packed = pack(payload);
    let (kind, held) = packed.as_deref().map_or((RAW, payload), |packed| (DEFLATE, packed));
    let mut row = Vec::with_capacity(HEADER_BYTES + held.len());
    row.extend(MAGIC.to_le_bytes());
    row.extend(kind);
    row.extend(type_id.to_le_bytes());
    row.extend(version.to_le_bytes());
    row.extend(length(held).to_le_bytes());
    row.extend(length(payload).to_le_bytes());
    let tag = place.tag(&row, held);
    row.extend(tag);
    row.extend(held);
    row
}

/// Returns a payload packed; `None` where it is short, or less than an eighth is saved.
fn pack(payload: &[u8]) -> Option<Vec<u8>> {
    let bytes_max = payload.len() - payload.len() / 8;
    if payload.len() < PACK_FROM {
        return None;
    }
    let mut packed = Vec::with_capacity(bytes_max);
    let mut packer = Compress::new(Compression::default(), false);
    let status = packer.compress_vec(payload, &mut packed, FlushCompress::Finish);
    (matches!(status, Ok(Status::StreamEnd)) && packed.len() <= bytes_max).then_some(packed)
}

/// Returns what was packed, if it comes to just as many bytes as it should.
fn unpack(packed: &[u8], bytes: usize) -> Result<Vec<u8>, RowError> {
    let mut payload = Vec::with_capacity(bytes);
    let mut unpacker = Decompress::new(false);
    let status = unpacker.decompress_vec(packed, &mut payload, FlushDecompress::Finish);
    let is_whole = matches!(status, Ok(Status::StreamEnd)) && unpacker.total_in() == packed.len() as u64;
    (is_whole && payload.len() == bytes).then_some(payload).ok_or(RowError::Packed { bytes })
}

/// Returns the tag in a row, unchecked.
pub(super) fn stored_tag(row: &[u8]) -> Option<Tag> {
    row.get(TAG_AT..HEADER_BYTES)?.try_into().ok()
}

/// Returns the tag of a row after checking cap, header and tag.
pub(super) fn check_row(place: RowAddress<'_>, row: &[u8]) -> Result<Tag, RowError> {
    let record = &place.table.record;
    let bytes_max = HEADER_BYTES + record.bytes_max;
    if row.len() > bytes_max {
        return Err(RowError::TooLarge { bytes: row.len(), bytes_max });
    }
    if !place.table.key.accepts(place.key) {
        return Err(RowError::Key { shape: place.table.key.text() });
    }
    let (header, rest) = row.split_at_checked(TAG_AT).ok_or(RowError::Header("too short"))?;
    let (tag, held) = rest.split_first_chunk::<16>().ok_or(RowError::Header("too short"))?;
    let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    if short(0) != MAGIC {
        return Err(RowError::Header("not an envelope"));
    }
    let unpacked = length_at(header, UNPACKED_LENGTH_AT);
    let fits = match [header[2], header[CODEC_AT]] {
        RAW => unpacked == held.len(),
        DEFLATE => held.len() < unpacked,
        [version, _] if version > DEFLATE[0] => {
            return Err(RowError::Newer { found: version.into(), supported: DEFLATE[0].into() });
        }
        _ => false,
    };
    if !fits || length_at(header, LENGTH_AT) != held.len() {
        return Err(RowError::Header("codec or length does not fit"));
    }
    if unpacked > record.bytes_max {
        return Err(RowError::TooLarge { bytes: HEADER_BYTES + unpacked, bytes_max });
    }
    if place.tag(header, held) != *tag {
        return Err(RowError::Tag);
    }
    let (type_id, version) = (short(4), record_version(row));
    if type_id != record.type_id {
        return Err(RowError::Type { expected: record.type_id, found: type_id });
    }
    if version > record.version {
        return Err(RowError::Newer { found: version, supported: record.version });
    }
    Ok(*tag)
}

fn length_at(header: &[u8], at: usize) -> usize {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
}

/// Returns the payload of a row that was checked.
pub(super) fn row_payload(row: &[u8]) -> Result<Cow<'_, [u8]>, RowError> {
    let (header, held) = row.split_at(HEADER_BYTES);
    match [header[2], header[CODEC_AT]] {
        RAW => Ok(Cow::Borrowed(held)),
        _ => unpack(held, length_at(header, UNPACKED_LENGTH_AT)).map(Cow::Owned),
    }
}

/// Returns the record in a row, brought to its newest version.
pub(super) fn decode_record<R: Record>(place: RowAddress<'_>, row: &[u8]) -> Result<R, RowError> {
    check_row(place, row)?;
    decode_payload(record_version(row), &row_payload(row)?)
}

/// Returns the version of the record in a row that was checked.
pub(super) fn record_version(row: &[u8]) -> u16 {
    u16::from_le_bytes([row[VERSION_AT], row[VERSION_AT + 1]])
}

/// Returns the record in a payload of some version as JSON of the newest one.
pub(super) fn payload_to_json<R: Record>(version: u16, payload: &[u8]) -> Result<String, RowError> {
    serde_json::to_string(&decode_payload::<R>(version, payload)?).map_err(RowError::Json)
}

/// Returns the row of a record that was given as JSON of some version.
pub(super) fn row_from_json<R: Record>(
    place: RowAddress<'_>,
    version: u16,
    json: &str,
) -> Result<Vec<u8>, RowError> {
    encode_record(place, &record_from_json::<R>(version, json)?)
}

fn record_from_json<R: Record>(version: u16, json: &str) -> Result<R, RowError> {
    match is_earlier::<R>(version) {
        true => record_from_json::<R::Earlier>(version, json).map(Into::into),
        false => serde_json::from_str(json).map_err(RowError::Json),
    }
}

/// Whether a version has another list of fields than the record's own: those after [`Record::Earlier`] have the same.
fn is_earlier<R: Record>(version: u16) -> bool {
    version <= R::Earlier::VERSION && R::Earlier::VERSION < R::VERSION
}

/// Returns the record in a payload of some version: all of it and nothing else.
pub(super) fn decode_payload<R: Record>(version: u16, payload: &[u8]) -> Result<R, RowError> {
    if is_earlier::<R>(version) {
        return decode_payload::<R::Earlier>(version, payload).map(Into::into);
    }
    let (record, rest) = postcard::take_from_bytes::<R>(payload).map_err(RowError::Payload)?;
    if !rest.is_empty() {
        return Err(RowError::Trailing { bytes: rest.len() });
    }
    record.validate()?;
    Ok(record)
}

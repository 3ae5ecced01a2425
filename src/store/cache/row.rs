//! A row of the cache: bytes behind a tag over their name and themselves.

use super::UnitKey;

const TAG_BYTES: usize = 4;

/// Returns the name of a unit's row.
pub(super) fn unit_name(symbol: &str, (style, day): UnitKey) -> Vec<u8> {
    let mut name = symbol.as_bytes().to_vec();
    name.push(0);
    name.push(style);
    name.extend(day.to_le_bytes());
    name
}

/// Puts a tag over name and bytes in front of the bytes.
pub(super) fn seal_row(name: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut row = row_tag(name, bytes).to_vec();
    row.extend_from_slice(bytes);
    row
}

/// Returns the bytes of a row whose tag is that of its name and bytes.
pub(super) fn unseal_row<'a>(name: &[u8], row: &'a [u8]) -> Option<&'a [u8]> {
    let (found, bytes) = row.split_at_checked(TAG_BYTES)?;
    (found == row_tag(name, bytes)).then_some(bytes)
}

/// A checksum against damage and misplaced rows. It need not withstand intent: who can write here owns the answer.
fn row_tag(name: &[u8], bytes: &[u8]) -> [u8; TAG_BYTES] {
    let mut hash = crc32fast::Hasher::new();
    hash.update(&(name.len() as u64).to_le_bytes());
    hash.update(name);
    hash.update(bytes);
    hash.finalize().to_le_bytes()
}

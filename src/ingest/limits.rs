//! The most of a file that is taken in.

/// The most rows a file may have: thirty years of one-minute candles.
pub const ROWS_MAX: u64 = 16 * 1024 * 1024;
/// The most symbols of one table: each of them reads it.
pub const TABLE_SYMBOLS_MAX: u64 = 1_000;
/// What a row takes at the peak: itself, and the candle made of it.
pub(super) const ROW_BYTES: u64 = 128;
/// So many bytes, or the whole file, are looked at: the header of market snapshots takes 2 KiB.
pub(super) const HEAD_BYTES: usize = 8 << 10;
/// The most decoded bytes of one file or member.
pub const DECODED_BYTES_MAX: u64 = 2 << 30;

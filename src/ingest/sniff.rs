//! What bytes are by their first few, whatever the name says.

use super::rejection::Rejection;

/// So many bytes, or the whole file, are looked at.
pub(super) const HEAD_BYTES: usize = 1024;

/// Returns what a file whose bytes are no text of candles is.
pub(super) fn reject(head: &[u8]) -> Option<Rejection> {
    let unsupported = |format, advice| Some(Rejection::Unsupported { format, advice });
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    match text {
        [] if head.len() < HEAD_BYTES => Some(Rejection::Empty),
        _ if text.starts_with(b"version https://git-lfs") => Some(Rejection::LfsPointer),
        _ if matches!(text.trim_ascii_end(), b"[]" | b"{}") => Some(Rejection::Empty),
        [b'[' | b'{', ..] => unsupported("JSON", JSON_ADVICE),
        [b'<', b'!' | b'h' | b'?', ..] => unsupported("HTML or XML", "download the data file itself"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => unsupported("UTF-16 text", "save it as UTF-8"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => unsupported("Arrow (feather)", FEATHER_ADVICE),
        [b'P', b'A', b'R', b'1', ..] => unsupported("Parquet", PARQUET_ADVICE),
        [b'P', b'K', 3, 4, ..] => unsupported("zip under another name", "name it `.zip`"),
        [0x1F, 0x8B, ..] => unsupported("gzip under another name", "name it `.csv.gz`"),
        _ => None,
    }
}

/// What to do with feather files.
pub(super) const FEATHER_ADVICE: &str =
    "convert it to CSV, for example with pandas: `read_feather(path).to_csv(out, index=False)`";
/// What to do with Parquet files.
pub(super) const PARQUET_ADVICE: &str =
    "convert it to CSV, for example with pandas: `read_parquet(path).to_csv(out, index=False)`";
/// What to do with JSON files.
pub(super) const JSON_ADVICE: &str =
    "convert it to CSV with the header `open_time,open,high,low,close,volume`";

/// Returns the beginning of foreign bytes as text.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(240)]);
    if text.chars().count() <= 60 {
        text.into_owned()
    } else {
        text.chars().take(60).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_format() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
        assert_eq!(reject(pointer), Some(Rejection::LfsPointer));
        for empty in [&b""[..], b" \r\n", b"[]\n", b"{}", b"\xEF\xBB\xBF"] {
            assert_eq!(reject(empty), Some(Rejection::Empty), "{empty:?}");
        }
        for other in
            [&b"[[1,2]]"[..], b"ARROW1\0\0", b"PAR1", b"PK\x03\x04", b"\x1F\x8B\x08", b"<!doctype html>"]
        {
            assert!(matches!(reject(other), Some(Rejection::Unsupported { .. })), "{other:?}");
        }
        for csv in ["open_time,open", "1743700500,1", "<DATE>,<OPEN>"] {
            assert_eq!(reject(csv.as_bytes()), None, "{csv:?}");
        }
    }
}

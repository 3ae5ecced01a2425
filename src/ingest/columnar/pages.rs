//! What the pages of a Parquet file say they decode to, before anything is decoded.
//!
//! Each page has a header of its own, and the decoder allocates by it: what the file says as a whole binds nobody. The
//! headers are Thrift structs in the compact protocol, of which two numbers matter here.

/// Nested structs in a page header; two are met.
const DEPTH_MAX: u32 = 8;
/// Types of the compact protocol.
const I32: u8 = 5;
const STRUCT: u8 = 12;
/// Fields of a page header.
const UNCOMPRESSED: i64 = 2;
const COMPRESSED: i64 = 3;

/// Returns the most bytes that a page of a column chunk says it decodes to; `None` where a header makes no sense.
pub(super) fn widest_page(chunk: &[u8]) -> Option<u64> {
    let mut reader = PageReader { bytes: chunk, at: 0 };
    let mut widest = 0;
    while reader.at < chunk.len() {
        let (compressed, uncompressed) = reader.page_header()?;
        widest = widest.max(u64::try_from(uncompressed).ok()?);
        reader.advance(usize::try_from(compressed).ok()?)?;
    }
    Some(widest)
}

struct PageReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl PageReader<'_> {
    fn advance(&mut self, count: usize) -> Option<()> {
        let at = self.at.checked_add(count).filter(|at| *at <= self.bytes.len())?;
        self.at = at;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Returns the next field's id and type, `None` within at the end of the struct.
    fn field(&mut self, last: i64) -> Option<Option<(i64, u8)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        let (step, kind) = (byte >> 4, byte & 0x0F);
        let id = if step == 0 { self.signed()? } else { last.checked_add(step.into())? };
        Some(Some((id, kind)))
    }

    /// Returns compressed and uncompressed size of a page.
    fn page_header(&mut self) -> Option<(i64, i64)> {
        let (mut last, mut compressed, mut uncompressed) = (0, None, None);
        while let Some((id, kind)) = self.field(last)? {
            match (id, kind) {
                (UNCOMPRESSED, I32) => uncompressed = Some(self.signed()?),
                (COMPRESSED, I32) => compressed = Some(self.signed()?),
                _ => self.pass(kind, DEPTH_MAX)?,
            }
            last = id;
        }
        compressed.zip(uncompressed)
    }

    /// Passes over a value of a type.
    fn pass(&mut self, kind: u8, depth: u32) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        match kind {
            // Booleans stand in the type itself.
            1 | 2 => Some(()),
            3 => self.advance(1),
            4..=6 => self.unsigned().map(drop),
            7 => self.advance(8),
            8 => {
                let length = self.unsigned()?;
                self.advance(usize::try_from(length).ok()?)
            }
            STRUCT => {
                let mut last = 0;
                while let Some((id, kind)) = self.field(last)? {
                    self.pass(kind, deeper)?;
                    last = id;
                }
                Some(())
            }
            // No header holds lists or maps.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A header of type 0 with sizes 1,000 and 3, statistics within a nested struct, and its three bytes.
    const PAGE: [u8; 23] =
        [0x15, 0, 0x15, 0xD0, 0x0F, 0x15, 6, 0x2C, 0x15, 2, 0x11, 0x18, 2, 7, 7, 0x0C, 0, 0, 0, 0, 9, 9, 9];

    #[test]
    fn sizes_are_read_through_what_lies_between() {
        let two = [PAGE.as_slice(), &PAGE].concat();
        assert_eq!(widest_page(&two), Some(1_000));
        assert_eq!(widest_page(&[]), Some(0));
        for cut in 1..PAGE.len() {
            assert_eq!(widest_page(&PAGE[..cut]), None, "cut at {cut}");
        }
        assert_eq!(widest_page(&[0x1C; 100]), None, "no deeper than headers are");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(widest) = widest_page(&bytes) {
                prop_assert!(widest <= i64::MAX as u64);
            }
        }
    }
}

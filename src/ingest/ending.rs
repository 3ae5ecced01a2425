//! Whether the last row of a text that does not end with a newline is there as a whole.
//!
//! A file that is being written, and one whose copy broke off, end anywhere. Cut in its last cell a row looks like another
//! one: 123.4 of 123.45. So such a row counts only where something shows that it is whole: that its last cell is not read,
//! stands in quotes or has as many decimals as in all the rows before, or that candles of another file go on behind it.

/// So many rows show how many decimals there are: of numbers that end where they end, one in ten is shorter.
const ROWS_MIN: u32 = 100;

/// What the last cells of the rows before are like.
#[derive(Debug, Default)]
pub(super) struct Endings {
    rows: u32,
    decimals: Decimals,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Decimals {
    #[default]
    Unknown,
    Same(usize),
    Differ,
}

impl Endings {
    /// Takes in the last cell of a row that is whole.
    #[inline]
    pub(super) fn take_in(&mut self, cell: &[u8]) {
        match self.decimals {
            Decimals::Differ => {}
            Decimals::Same(count) if has_decimals(cell, count) => self.rows += 1,
            Decimals::Same(_) => self.decimals = Decimals::Differ,
            Decimals::Unknown => {
                self.rows = 1;
                self.decimals = decimals_behind_point(cell).map_or(Decimals::Differ, Decimals::Same);
            }
        }
    }

    /// Returns whether a last cell shows itself that it is whole; with the blanks and quotes around it.
    pub(super) fn is_whole(&self, cell: &[u8]) -> bool {
        let text = cell.trim_ascii_start();
        let quoted = text.len() > 1 && text.starts_with(b"\"") && text.trim_ascii_end().ends_with(b"\"");
        let blank_behind = text.last().is_some_and(u8::is_ascii_whitespace);
        let as_before = match (self.decimals, decimals_behind_point(text)) {
            (Decimals::Same(count), Some(found)) => self.rows >= ROWS_MIN && count == found,
            _ => false,
        };
        quoted || blank_behind || as_before
    }
}

/// Returns how many digits stand behind the point of a cell.
fn decimals_behind_point(cell: &[u8]) -> Option<usize> {
    let point = cell.iter().rposition(|byte| *byte == b'.')?;
    let digits = &cell[point + 1..];
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(digits.len())
}

#[inline]
fn has_decimals(cell: &[u8], count: usize) -> bool {
    cell.len() > count && cell[cell.len() - 1 - count] == b'.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_whole_where_it_shows_it() {
        let after = |cells: &mut dyn Iterator<Item = &'static str>| {
            let mut endings = Endings::default();
            cells.for_each(|cell| endings.take_in(cell.as_bytes()));
            endings
        };
        let fixed = || std::iter::repeat_n("0.12345678", 100);
        let cases: [(&mut dyn Iterator<Item = &'static str>, &str, bool); 12] = [
            (&mut fixed(), "7.00000000", true),
            (&mut fixed(), "7.0000000", false),
            (&mut fixed(), "7", false),
            (&mut fixed(), "", false),
            (&mut fixed().take(99), "7.00000000", false),
            (&mut fixed().chain(["1.5"]), "7.00000000", false),
            (&mut std::iter::repeat_n("1234", 200), "1234", false),
            (&mut std::iter::empty(), "\"1.5\"", true),
            (&mut std::iter::empty(), "\"1.5", false),
            (&mut std::iter::empty(), "\"", false),
            (&mut std::iter::empty(), " 1.5 ", true),
            (&mut std::iter::empty(), "  ", false),
        ];
        for (before, cell, wanted) in cases {
            assert_eq!(after(before).is_whole(cell.as_bytes()), wanted, "{cell:?}");
        }
    }
}

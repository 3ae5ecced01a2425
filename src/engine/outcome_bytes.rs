//! Rows of outcomes as bytes: the ends that occur, then which of them each exit rule has. Units in the cache and outcomes that
//! make room for others are written so.

use crate::model::{Direction, ExitReason, Outcome, OutcomeRow, Outcomes, ReturnPpm};

/// Bytes of an encoded end of a row of outcomes.
const END_BYTES: usize = 16;
/// Appends a row of outcomes as bytes.
pub(super) fn encode_row(row: OutcomeRow<'_>, bytes: &mut Vec<u8>) {
    let OutcomeRow { ends, choices } = row;
    bytes.extend((ends.len() as u16).to_le_bytes());
    for Outcome { net, best_case, gross, bars_held, reason, ambiguous } in ends {
        for ppm in [net, best_case, gross] {
            bytes.extend(ppm.0.to_le_bytes());
        }
        bytes.extend(bars_held.to_le_bytes());
        bytes.push(*reason as u8);
        bytes.push(u8::from(*ambiguous));
    }
    bytes.extend(choices.iter().flat_map(|choice| choice.to_le_bytes()));
}

/// Reads rows of outcomes under so many rules, or `None` when the bytes are not exactly such rows.
pub(super) fn decode_rows(bytes: &[u8], rows: usize, rules: usize) -> Option<Outcomes> {
    let (mut reader, mut outcomes) = (ByteReader(bytes), Outcomes::new(rules));
    (0..rows).try_for_each(|_| reader.row(&mut outcomes))?;
    reader.0.is_empty().then_some(outcomes)
}

/// Bytes that are still to be read: little endian, fixed widths. Everything read from them is checked.
pub(super) struct ByteReader<'a>(pub(super) &'a [u8]);

impl ByteReader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    pub(super) fn float(&mut self) -> Option<f64> {
        self.take().map(|bytes| f64::from_bits(u64::from_le_bytes(bytes)))
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn direction(&mut self) -> Option<Direction> {
        match self.u8()? {
            0 => Some(Direction::Long),
            1 => Some(Direction::Short),
            _ => None,
        }
    }

    fn ppm(&mut self) -> Option<ReturnPpm> {
        let possible = ReturnPpm::TOTAL_LOSS.0..=ReturnPpm::LIMIT;
        self.i32().filter(|ppm| possible.contains(ppm)).map(ReturnPpm)
    }

    fn outcome(&mut self) -> Option<Outcome> {
        Some(Outcome {
            net: self.ppm()?,
            best_case: self.ppm()?,
            gross: self.ppm()?,
            bars_held: self.take().map(u16::from_le_bytes)?,
            reason: *ExitReason::ALL.get(usize::from(self.u8()?))?,
            ambiguous: self.flag()?,
        })
    }

    /// Takes the bytes of a row of outcomes: (ends, choices).
    pub(super) fn row_bytes(&mut self, rules: usize) -> Option<(&[u8], &[u8])> {
        let ends = usize::from(self.take().map(u16::from_le_bytes)?);
        let (ends, rest) = self.0.split_at_checked(ends * END_BYTES)?;
        let (choices, rest) = rest.split_at_checked(rules * 2)?;
        self.0 = rest;
        Some((ends, choices))
    }

    /// Appends a row of outcomes.
    pub(super) fn row(&mut self, into: &mut Outcomes) -> Option<()> {
        let (ends, choices) = self.row_bytes(into.rules())?;
        let count = ends.len() / END_BYTES;
        let choices = choices.chunks_exact(2).map(|choice| u16::from_le_bytes([choice[0], choice[1]]));
        if !choices.clone().all(|choice| usize::from(choice) < count) {
            return None;
        }
        let ends: Vec<Outcome> = {
            let mut ends = ByteReader(ends);
            (0..count).map(|_| ends.outcome()).collect::<Option<_>>()?
        };
        let mut row = into.begin();
        ends.into_iter().for_each(|end| {
            row.end(end);
        });
        row.choose(choices);
        row.finish();
        Some(())
    }
}

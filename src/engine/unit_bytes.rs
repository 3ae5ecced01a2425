//! A unit as bytes, as the cache has it, and back. Nothing that is not exactly a unit of its schema is read as one.

use crate::engine::outcome_bytes::{ByteReader, encode_row};
use crate::engine::unit::{SkipCounts, Unit, UnitSignal};
use crate::engine::unit_schema::UnitSchema;
use crate::model::{Outcomes, Setup};
use crate::signals::opportunities::{Hindsight, Opportunity};

/// Bytes of an encoded signal besides its columns and outcomes.
const SIGNAL_BYTES: usize = 18;
/// Bytes of an encoded opportunity.
const OPPORTUNITY_BYTES: usize = 25;

impl Unit {
    /// Appends the unit as bytes: little endian, fixed widths, no lengths that could lie about memory.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let Self { sealed, pending, lost, blind, signals, columns, outcomes, opportunities } = self;
        let opportunities = opportunities.for_capture();
        bytes.push(u8::from(*sealed));
        let lost = lost.reasons().map(|(_, count)| count);
        let sizes = [signals.len() as u32, opportunities.len() as u32];
        for count in [*pending, *blind].into_iter().chain(lost).chain(sizes) {
            bytes.extend(count.to_le_bytes());
        }
        for UnitSignal { entry_ms, direction, setup, atr } in signals {
            bytes.extend(entry_ms.to_le_bytes());
            bytes.push(*direction as u8);
            bytes.push(*setup as u8);
            bytes.extend(atr.to_bits().to_le_bytes());
        }
        for value in columns {
            bytes.extend(value.to_bits().to_le_bytes());
        }
        outcomes.rows().for_each(|row| encode_row(row, bytes));
        for Opportunity { direction, start_ms, peak_ms, reward } in opportunities {
            bytes.push(*direction as u8);
            bytes.extend(start_ms.to_le_bytes());
            bytes.extend(peak_ms.to_le_bytes());
            bytes.extend(reward.to_bits().to_le_bytes());
        }
    }

    /// Returns whether bytes have the lengths of a unit of a context.
    pub fn is_one(bytes: &[u8], context: &UnitSchema) -> bool {
        UnitLayout::of(bytes, context).is_some()
    }

    /// Reads a unit of a context, or `None` when the bytes are not exactly one.
    pub fn decode(bytes: &[u8], context: &UnitSchema) -> Option<Self> {
        let layout = UnitLayout::of(bytes, context)?;
        let (mut signals, mut columns) = (ByteReader(layout.signals), ByteReader(layout.columns));
        let mut rows = ByteReader(layout.outcomes);
        let mut outcomes = Outcomes::new(context.rules.len());
        (0..layout.count).try_for_each(|_| rows.row(&mut outcomes))?;
        let values = layout.count * context.columns.len();
        Some(Self {
            sealed: layout.sealed,
            pending: layout.pending,
            lost: layout.lost,
            blind: layout.blind,
            signals: (0..layout.count).map(|_| signals.signal()).collect::<Option<_>>()?,
            columns: (0..values).map(|_| columns.float()).collect::<Option<_>>()?,
            outcomes,
            opportunities: layout.opportunities()?,
        })
    }
}

/// The parts of an encoded unit; their lengths agree with its counts.
pub(super) struct UnitLayout<'a> {
    pub(super) sealed: bool,
    pub(super) pending: u32,
    pub(super) lost: SkipCounts,
    pub(super) blind: u32,
    pub(super) count: usize,
    pub(super) signals: &'a [u8],
    pub(super) columns: &'a [u8],
    pub(super) outcomes: &'a [u8],
    chances: &'a [u8],
}

impl<'a> UnitLayout<'a> {
    pub(super) fn of(bytes: &'a [u8], context: &UnitSchema) -> Option<Self> {
        let mut read = ByteReader(bytes);
        let sealed = read.flag()?;
        let (pending, blind) = (read.u32()?, read.u32()?);
        let lost = SkipCounts { no_entry: read.u32()?, no_atr: read.u32()?, rescaled: read.u32()? };
        let (count, chances) = (read.u32()? as usize, read.u32()? as usize);
        let (signals, rest) = read.0.split_at_checked(count.checked_mul(SIGNAL_BYTES)?)?;
        let (columns, rest) = rest.split_at_checked(count.checked_mul(8 * context.columns.len())?)?;
        let mut rows = ByteReader(rest);
        (0..count).try_for_each(|_| rows.row_bytes(context.rules.len()).map(|_| ()))?;
        let (outcomes, rest) = rest.split_at(rest.len() - rows.0.len());
        let whole = rest.len() == chances.checked_mul(OPPORTUNITY_BYTES)?;
        let parts = Self { sealed, pending, lost, blind, count, signals, columns, outcomes, chances: rest };
        whole.then_some(parts)
    }

    pub(super) fn opportunities(&self) -> Option<Hindsight<Vec<Opportunity>>> {
        let mut read = ByteReader(self.chances);
        let count = self.chances.len() / OPPORTUNITY_BYTES;
        (0..count).map(|_| read.opportunity()).collect::<Option<_>>().map(Hindsight::new)
    }
}

impl ByteReader<'_> {
    fn setup(&mut self) -> Option<Setup> {
        const SETUPS: [Setup; 7] = [
            Setup::ReversalAtLevel,
            Setup::VolumeBurst,
            Setup::RangeMomentum,
            Setup::TrendInitiation,
            Setup::Pullback,
            Setup::Continuation,
            Setup::Given,
        ];
        SETUPS.get(usize::from(self.u8()?)).copied()
    }

    pub(super) fn signal(&mut self) -> Option<UnitSignal> {
        Some(UnitSignal {
            entry_ms: self.i64()?,
            direction: self.direction()?,
            setup: self.setup()?,
            atr: self.float().filter(|atr| atr.is_finite())?,
        })
    }

    fn opportunity(&mut self) -> Option<Opportunity> {
        Some(Opportunity {
            direction: self.direction()?,
            start_ms: self.i64()?,
            peak_ms: self.i64()?,
            reward: self.float().filter(|reward| reward.is_finite())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, ExitReason, ExitRule, Outcome, ReturnPpm};
    use proptest::prelude::*;

    fn context(columns: usize, rules: usize) -> UnitSchema {
        let rule = |i: usize| ExitRule::new(1.0 + i as f64, 1.0, 4.0);
        UnitSchema {
            columns: (0..columns).map(|i| format!("c{i}")).collect(),
            rules: (0..rules).map(rule).collect(),
        }
    }

    fn unit(columns: usize, rules: usize, seeds: &[i32]) -> Unit {
        let outcome = |net: i32| Outcome {
            net: ReturnPpm(net),
            best_case: ReturnPpm(net / 2),
            gross: ReturnPpm(-net),
            bars_held: net.unsigned_abs() as u16,
            reason: ExitReason::ALL[net.unsigned_abs() as usize % ExitReason::ALL.len()],
            ambiguous: net > 0,
        };
        let signal = |seed: &i32| UnitSignal {
            entry_ms: i64::from(*seed) * 900_000,
            direction: if *seed > 0 { Direction::Long } else { Direction::Short },
            setup: Setup::Pullback,
            atr: f64::from(*seed).abs() + 0.5,
        };
        let chance = |seed: &i32| Opportunity {
            direction: Direction::Short,
            start_ms: i64::from(*seed),
            peak_ms: i64::from(*seed) + 5,
            reward: 2.5,
        };
        let mut outcomes = Outcomes::new(rules);
        for (row, seed) in seeds.iter().enumerate() {
            // Some rules end alike.
            let own = |rule: usize| outcome(seed + (row * rules + rule / 2) as i32);
            outcomes.push_each(&(0..rules).map(own).collect::<Vec<_>>());
        }
        Unit {
            sealed: true,
            pending: 1,
            lost: SkipCounts { no_entry: 2, no_atr: 3, rescaled: 4 },
            blind: 5,
            signals: seeds.iter().map(signal).collect(),
            columns: (0..seeds.len() * columns).map(|i| i as f64 / 3.0).collect(),
            outcomes,
            opportunities: Hindsight::new(seeds.iter().map(chance).collect()),
        }
    }

    proptest! {
        #[test]
        fn a_unit_is_read_as_it_was_written_and_nothing_else_is_one(
            columns in 0_usize..4,
            rules in 0_usize..5,
            seeds in prop::collection::vec(-30_000..30_000, 0..6),
            cut in 1_usize..40,
        ) {
            let unit = unit(columns, rules, &seeds);
            let mut bytes = Vec::new();
            unit.encode(&mut bytes);
            let context = context(columns, rules);
            prop_assert_eq!(Unit::decode(&bytes, &context), Some(unit));
            prop_assert_eq!(Unit::decode(&bytes[..bytes.len() - cut.min(bytes.len())], &context), None);
            bytes.push(0);
            prop_assert_eq!(Unit::decode(&bytes, &context), None);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let decoded = Unit::decode(&bytes, &context(2, 3));
            prop_assert!(decoded.is_none_or(|unit| unit.signals.len() < bytes.len()));
        }
    }
}

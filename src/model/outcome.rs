//! What became of signals under exit rules.

use super::money::ReturnPpm;

/// Why a position was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ExitReason {
    /// The take-profit was traded through.
    TakeProfit = 0,
    /// The stop was touched.
    Stop = 1,
    /// The candle opened beyond the stop; filled at that open.
    StopGap = 2,
    /// The longest holding time was over.
    Time = 3,
    /// The trailing stop was touched.
    TrailingStop = 4,
    /// The stop was touched after it had been moved to the entry price.
    BreakEven = 5,
    /// A candle against the position closed on a surge of volume.
    VolumeSurge = 6,
    /// The next candle is missing: closed at the last close before the gap.
    DataEnd = 7,
    /// The target in force of the staircase was traded through.
    Roi = 8,
    /// A step of the staircase came into force at an open beyond its target; filled at that open.
    RoiStep = 9,
    /// The time of the signal's exit was there; filled at that open.
    ExitSignal = 10,
}

/// The order that closes a position: what it costs depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosingOrder {
    /// Rests at its price: the maker fee, no slippage.
    Limit,
    /// Triggered by a price: the taker fee, and the slippage of stops.
    Stop,
    /// Sent when it is time: the taker fee, and slippage.
    Market,
}

impl ExitReason {
    /// Returns the order that closes a position for this reason.
    #[inline]
    pub const fn order(self) -> ClosingOrder {
        match self {
            Self::TakeProfit | Self::Roi => ClosingOrder::Limit,
            Self::Stop | Self::StopGap | Self::TrailingStop | Self::BreakEven => ClosingOrder::Stop,
            Self::Time | Self::VolumeSurge | Self::DataEnd | Self::RoiStep | Self::ExitSignal => {
                ClosingOrder::Market
            }
        }
    }

    /// Returns the name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TakeProfit => "take_profit",
            Self::Stop => "stop",
            Self::StopGap => "stop_gap",
            Self::Time => "time",
            Self::TrailingStop => "trailing_stop",
            Self::BreakEven => "break_even",
            Self::VolumeSurge => "volume_surge",
            Self::DataEnd => "data_end",
            Self::Roi => "roi",
            Self::RoiStep => "roi_step",
            Self::ExitSignal => "exit_signal",
        }
    }

    /// Every reason, in the order of the numbers they are stored as.
    pub const ALL: [Self; 11] = [
        Self::TakeProfit,
        Self::Stop,
        Self::StopGap,
        Self::Time,
        Self::TrailingStop,
        Self::BreakEven,
        Self::VolumeSurge,
        Self::DataEnd,
        Self::Roi,
        Self::RoiStep,
        Self::ExitSignal,
    ];
}

/// The result of one signal under one exit rule, in ppm of the entry price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Net of all costs, with the adverse extreme of every candle before its favourable one.
    pub net: ReturnPpm,
    /// Net of all costs, with the favourable extreme first in the exit candle; equal to `net` if that changes nothing.
    pub best_case: ReturnPpm,
    /// Before all costs, slippage too; same fills as `net`.
    pub gross: ReturnPpm,
    /// Candles held, the entry candle included (1..=longest horizon).
    pub bars_held: u16,
    /// How the position, or what was left of it, was closed in the worst case.
    pub reason: ExitReason,
    /// Whether the order of extremes inside the exit candle decides on the fill.
    pub ambiguous: bool,
}

/// The outcomes of signals under the same exit rules, one row per signal.
///
/// Many rules end a position alike (the same target in the same candle), so a row keeps each end once and, for every rule,
/// which end is its own. Two tables are equal when every outcome is, however their rows are cut up.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    rules: usize,
    /// Where the ends of each row stop.
    stops: Vec<usize>,
    ends: Vec<Outcome>,
    /// One per row and rule: an index among the ends of the row.
    choices: Vec<u16>,
}

/// One signal's row of [`Outcomes`].
#[derive(Debug, Clone, Copy)]
pub struct OutcomeRow<'a> {
    /// The ends that occur, and what went into one that is decided by the order inside a candle.
    pub ends: &'a [Outcome],
    /// For every rule, the index of its end.
    pub choices: &'a [u16],
}

impl<'a> OutcomeRow<'a> {
    /// Returns the outcome under a rule.
    pub fn of(&self, rule: usize) -> &'a Outcome {
        &self.ends[usize::from(self.choices[rule])]
    }

    /// Returns the outcome under every rule, in order.
    pub fn iter(self) -> impl Iterator<Item = &'a Outcome> {
        self.choices.iter().map(move |choice| &self.ends[usize::from(*choice)])
    }
}

impl Outcomes {
    /// Rules a table holds at most, so that a row can number its ends.
    pub const RULES_MAX: usize = u16::MAX as usize;

    /// Returns a table without rows.
    pub fn new(rules: usize) -> Self {
        assert!(rules <= Self::RULES_MAX, "an exit plan was checked to have no more");
        Self { rules, ..Self::default() }
    }

    /// Returns the number of rules.
    pub fn rules(&self) -> usize {
        self.rules
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.stops.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.stops.is_empty()
    }

    /// Returns a row.
    pub fn row(&self, index: usize) -> OutcomeRow<'_> {
        let start = if index == 0 { 0 } else { self.stops[index - 1] };
        OutcomeRow {
            ends: &self.ends[start..self.stops[index]],
            choices: &self.choices[index * self.rules..(index + 1) * self.rules],
        }
    }

    /// Returns all rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = OutcomeRow<'_>> {
        (0..self.len()).map(|index| self.row(index))
    }

    /// Returns about how many bytes of memory it takes.
    pub fn bytes(&self) -> u64 {
        let (stops, ends) = (size_of_val(self.stops.as_slice()), size_of_val(self.ends.as_slice()));
        (stops + ends + size_of_val(self.choices.as_slice())) as u64
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.stops.clear();
        self.ends.clear();
        self.choices.clear();
    }

    /// Begins a row.
    pub fn begin(&mut self) -> RowBuilder<'_> {
        RowBuilder { first: self.ends.len(), outcomes: self }
    }

    /// Appends a row as it is.
    pub fn push(&mut self, row: OutcomeRow<'_>) {
        let builder = self.begin();
        builder.outcomes.ends.extend_from_slice(row.ends);
        builder.outcomes.choices.extend_from_slice(row.choices);
        builder.finish();
    }

    /// Appends a row of outcomes given rule by rule.
    pub fn push_each(&mut self, outcomes: &[Outcome]) {
        let mut row = self.begin();
        for outcome in outcomes {
            let choice = row.find_or_end(*outcome);
            row.choose([choice]);
        }
        row.finish();
    }

    /// Appends a row that joins the rules of two.
    pub fn push_joined(&mut self, row: OutcomeRow<'_>, more: OutcomeRow<'_>) {
        let joined = self.begin();
        joined.outcomes.ends.extend(row.ends.iter().chain(more.ends));
        joined.outcomes.choices.extend_from_slice(row.choices);
        let offset = row.ends.len() as u16;
        joined.outcomes.choices.extend(more.choices.iter().map(|choice| choice + offset));
        joined.finish();
    }

    /// Appends a row with only some rules of another, and the ends they take: each once, in the order in which rules take
    /// them. Two equal rows are cut up alike after this.
    pub fn push_picked(&mut self, row: OutcomeRow<'_>, rules: &[usize]) {
        let mut picked = self.begin();
        let mut places = vec![None; row.ends.len()];
        for rule in rules {
            let from = usize::from(row.choices[*rule]);
            let choice = *places[from].get_or_insert_with(|| picked.find_or_end(row.ends[from]));
            picked.choose([choice]);
        }
        picked.finish();
    }
}

impl PartialEq for Outcomes {
    fn eq(&self, other: &Self) -> bool {
        let same = |(own, other): (OutcomeRow<'_>, OutcomeRow<'_>)| own.iter().eq(other.iter());
        self.rules == other.rules && self.len() == other.len() && self.rows().zip(other.rows()).all(same)
    }
}

/// A row in the making; every rule chooses among the ends added before.
#[derive(Debug)]
pub struct RowBuilder<'a> {
    outcomes: &'a mut Outcomes,
    /// Index of the row's first end.
    first: usize,
}

impl RowBuilder<'_> {
    /// Adds an end; returns its number for [`RowBuilder::choose`].
    pub fn end(&mut self, outcome: Outcome) -> u16 {
        self.outcomes.ends.push(outcome);
        (self.outcomes.ends.len() - 1 - self.first) as u16
    }

    /// Returns the number of an end, added if it is not there.
    fn find_or_end(&mut self, outcome: Outcome) -> u16 {
        let own = &self.outcomes.ends[self.first..];
        match own.iter().position(|known| *known == outcome) {
            Some(known) => known as u16,
            None => self.end(outcome),
        }
    }

    /// Returns an end added before.
    pub fn added(&self, end: u16) -> &Outcome {
        &self.outcomes.ends[self.first + usize::from(end)]
    }

    /// Gives the next rules their ends.
    #[inline]
    pub fn choose(&mut self, ends: impl IntoIterator<Item = u16>) {
        self.outcomes.choices.extend(ends);
    }

    /// Ends the row.
    ///
    /// Panics when not every rule has chosen an end of the row.
    pub fn finish(self) {
        let Outcomes { rules, stops, ends, choices } = self.outcomes;
        stops.push(ends.len());
        assert!(choices.len() == stops.len() * *rules, "every rule has chosen");
        let count = ends.len() - self.first;
        let own = &choices[choices.len() - *rules..];
        // The largest is found many at a time; the first that is too large would be sought one by one.
        let last = own.iter().fold(0, |last, choice| *choice.max(&last));
        assert!(own.is_empty() || usize::from(last) < count, "every rule chose among the row's ends");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn outcome(net: i32) -> Outcome {
        let net = ReturnPpm(net);
        Outcome { net, best_case: net, gross: net, bars_held: 1, reason: ExitReason::Time, ambiguous: false }
    }

    proptest! {
        #[test]
        fn rows_hold_what_was_put_in_however_they_came(
            rows in prop::collection::vec(prop::collection::vec(0..4_i32, 6), 0..5),
            picked in prop::collection::vec(0..6_usize, 0..8),
        ) {
            let rows: Vec<Vec<Outcome>> = rows.iter().map(|row| row.iter().copied().map(outcome).collect()).collect();
            let (mut whole, mut left, mut right) = (Outcomes::new(6), Outcomes::new(2), Outcomes::new(4));
            for row in &rows {
                whole.push_each(row);
                left.push_each(&row[..2]);
                right.push_each(&row[2..]);
            }
            let (mut joined, mut copied, mut some) = (Outcomes::new(6), Outcomes::new(6), Outcomes::new(picked.len()));
            for (index, row) in rows.iter().enumerate() {
                joined.push_joined(left.row(index), right.row(index));
                copied.push(whole.row(index));
                some.push_picked(whole.row(index), &picked);
                let expected: Vec<Outcome> = picked.iter().map(|rule| row[*rule]).collect();
                prop_assert!(some.row(index).iter().eq(&expected));
                prop_assert!(some.row(index).ends.len() <= expected.len());
                prop_assert!((0..6).all(|rule| *whole.row(index).of(rule) == row[rule]));
            }
            prop_assert_eq!(&joined, &whole);
            prop_assert_eq!(&copied, &whole);
            prop_assert!(rows.is_empty() || whole != Outcomes::new(6));
        }
    }
}

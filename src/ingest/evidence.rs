//! What all rows of a file without a header show of their columns.
//!
//! Five to seven numbers in a row could be many things: Bitstamp writes the low before the open, KuCoin the close, Bybit a
//! turnover where Binance has the close time. One row shows nothing, and candles of one price show nothing either. So
//! every row is counted, and a reading counts only if the rows contradict every other.

use super::columns::{CandleColumns, TimeColumn};
use super::number;
use super::rejection::Rejection;
use crate::model::MINUTE_MS;

/// The columns with prices.
const PRICES: std::ops::Range<usize> = 1..5;
/// Where volumes begin.
const VOLUMES: usize = 5;
/// So many columns from there are looked at.
const VOLUMES_MAX: usize = 6;
/// The column that may hold the close time.
pub(super) const CLOSE_TIME: usize = 6;
/// The fewest candles that show an order.
const SHOWN_MIN: u64 = 3;
/// Candles show which price is the open if their chance to do so by luck is that of so many deviations.
const DEVIATIONS: f64 = 4.0;
/// Values that agree up to this, relatively, are the same one rounded.
const ROUNDING: f64 = 2e-3;

/// Counts over all rows; their number is that of [`ColumnEvidence::rows`].
#[derive(Debug, Clone)]
pub(super) struct ColumnEvidence {
    line: u64,
    fields: usize,
    rows: u64,
    /// Rows in which a price is above another, by column.
    above: [[u64; 4]; 4],
    /// Rows whose highest price is more than twice the lowest.
    wide: u64,
    /// Steps over which the first price is nearer to the second before than the other way round.
    nearer: [[u64; 4]; 4],
    last: Option<(i64, [f64; 4])>,
    step_min: i64,
    spans: Majority,
    /// Rows in which a value is another times the price, and in which both are there.
    priced: [[u64; VOLUMES_MAX]; VOLUMES_MAX],
    both: [[u64; VOLUMES_MAX]; VOLUMES_MAX],
    /// Rows in which two values are the same.
    equal: [[u64; VOLUMES_MAX]; VOLUMES_MAX],
    /// Rows in which a value has decimals.
    fractional: [u64; VOLUMES_MAX],
    /// Rows whose sixth value lies between their highest and lowest price, which differ.
    inside: u64,
    uneven: u64,
    flags: Flags,
}

/// The most frequent of values of which one makes up nearly all.
#[derive(Debug, Clone, Default)]
struct Majority {
    value: Option<u32>,
    lead: u64,
}

impl Majority {
    fn take_in(&mut self, value: Option<u32>) {
        match value {
            Some(value) if self.lead == 0 => (self.value, self.lead) = (Some(value), 1),
            Some(value) if self.value == Some(value) => self.lead += 1,
            _ => self.lead = self.lead.saturating_sub(1),
        }
    }
}

/// What the last column says where it holds nothing but yes and no.
#[derive(Debug, Clone)]
struct Flags {
    only: bool,
    /// Open times of rows that say no: the first of them, and whether there are others.
    no: Option<i64>,
    more: bool,
}

/// Returns the interval that a close time so long after the open time ends, if it is one of whole minutes.
fn interval_of(span: u32) -> Option<i64> {
    let span = i64::from(span);
    [span + 1, span].into_iter().find(|interval| *interval > 0 && interval % MINUTE_MS == 0)
}

/// Returns how many rows of so many may be an exception.
fn exceptions_max(rows: u64) -> u64 {
    1 + rows / 100
}

impl ColumnEvidence {
    /// Returns the evidence of no row yet of so many fields, of which the first stands in a line.
    pub(super) fn new(line: u64, fields: usize) -> Self {
        Self {
            line,
            fields,
            rows: 0,
            above: Default::default(),
            wide: 0,
            nearer: Default::default(),
            last: None,
            step_min: i64::MAX,
            spans: Majority::default(),
            priced: Default::default(),
            both: Default::default(),
            equal: Default::default(),
            fractional: Default::default(),
            inside: 0,
            uneven: 0,
            flags: Flags { only: true, no: None, more: false },
        }
    }

    /// Takes in a row by its time, its span to what may be the close time, and its cells.
    pub(super) fn take_in<'c>(&mut self, time: i64, span: Option<u32>, at: impl Fn(usize) -> &'c [u8]) {
        let mut prices = [0.0; 4];
        for (price, column) in prices.iter_mut().zip(PRICES) {
            *price = number::parse_number(at(column)).filter(|price| *price > 0.0).unwrap_or(f64::NAN);
        }
        if prices.iter().any(|price| !price.is_finite()) {
            return;
        }
        self.rows += 1;
        let high = prices.iter().copied().fold(f64::MIN, f64::max);
        let low = prices.iter().copied().fold(f64::MAX, f64::min);
        for (a, row) in self.above.iter_mut().enumerate() {
            row.iter_mut().enumerate().for_each(|(b, count)| *count += u64::from(prices[a] > prices[b]));
        }
        self.wide += u64::from(high > 2.0 * low);
        // A turnover may look like an instant, but not like one that is whole minutes later in row after row.
        self.spans.take_in(span.filter(|span| *span < u32::MAX && interval_of(*span).is_some()));
        self.step(time, prices);
        self.volumes(high, low, &at);
        if self.fields > CLOSE_TIME + 1 {
            self.flag(time, at(self.fields - 1));
        }
    }

    fn step(&mut self, time: i64, prices: [f64; 4]) {
        let Some((time_before, prices_before)) = self.last.replace((time, prices)) else { return };
        let step = time - time_before;
        if step == 0 {
            return;
        }
        self.step_min = self.step_min.min(step.abs());
        let (before, after) = if step > 0 { (prices_before, prices) } else { (prices, prices_before) };
        for a in 0..4 {
            for b in 0..4 {
                let nearer = (after[a] - before[b]).abs() < (after[b] - before[a]).abs();
                self.nearer[a][b] += u64::from(nearer);
            }
        }
    }

    fn volumes<'c>(&mut self, high: f64, low: f64, at: &impl Fn(usize) -> &'c [u8]) {
        let count = self.fields.saturating_sub(VOLUMES).min(VOLUMES_MAX);
        let mut values = [f64::NAN; VOLUMES_MAX];
        for (value, column) in values.iter_mut().zip(VOLUMES..).take(count) {
            *value = number::parse_number(at(column)).unwrap_or(f64::NAN);
        }
        if high > low {
            self.uneven += 1;
            self.inside += u64::from(values[0] >= low && values[0] <= high);
        }
        for a in 0..count {
            self.fractional[a] += u64::from(values[a].fract() != 0.0);
            for b in 0..count {
                let (of, times) = (values[a], values[b]);
                self.equal[a][b] += u64::from(of == times);
                if of > 0.0 && times > 0.0 {
                    let price = times / of;
                    self.both[a][b] += 1;
                    let is_price = price >= low * (1.0 - ROUNDING) && price <= high * (1.0 + ROUNDING);
                    self.priced[a][b] += u64::from(is_price);
                }
            }
        }
    }

    fn flag(&mut self, time: i64, cell: &[u8]) {
        match number::parse_flag(cell) {
            None => self.flags.only = false,
            Some(true) => {}
            Some(false) => match self.flags.no {
                None => self.flags.no = Some(time),
                Some(first) => self.flags.more |= first != time,
            },
        }
    }

    /// Returns what the rows show to be the columns.
    ///
    /// Errors: what they leave open
    pub(super) fn settle(&self) -> Result<CandleColumns, Rejection> {
        let close_time = self.close_time()?;
        let [open, high, low, close] = self.order(close_time)?;
        let (volume, closed) =
            if close_time { (Some(VOLUMES), None) } else { (self.volume()?, self.closed()?) };
        Ok(CandleColumns {
            time: TimeColumn::Open(0),
            open,
            high,
            low,
            close,
            volume,
            close_time: close_time.then_some(CLOSE_TIME),
            symbol: None,
            closed,
            exchange: None,
            interval: None,
        })
    }

    fn unproven(&self, why: &'static str) -> Rejection {
        Rejection::UnprovenColumns { line: self.line, columns: self.fields, rows: self.rows, why: why.into() }
    }

    /// Returns whether the seventh column holds the close time: the open time and the interval in nearly every row.
    fn close_time(&self) -> Result<bool, Rejection> {
        let span = self.spans.value.filter(|_| self.fields > CLOSE_TIME);
        let Some(interval) = span.and_then(interval_of) else { return Ok(false) };
        let in_step = self.rows < 4 || self.step_min % interval == 0;
        // The lead over all others leaves at most half of what it lacks to them.
        let nearly_all = self.spans.lead + 2 * exceptions_max(self.rows) >= self.rows && self.spans.lead > 0;
        if in_step && nearly_all {
            return Ok(true);
        }
        if self.rows >= 4 && self.spans.lead * 8 > self.rows {
            return Err(self.unproven("the seventh column is a close time in some rows only"));
        }
        Ok(false)
    }

    /// Returns the columns of open, high, low and close.
    fn order(&self, known_layout: bool) -> Result<[usize; 4], Rejection> {
        if known_layout {
            // Binance's rows, as their close times prove: the others need not be beaten, but must not win.
            let (won, lost) = (self.nearer[3][0], self.nearer[0][3]);
            return if by_far(won, lost) { Err(self.unproven(OPEN_CONTRADICTED)) } else { Ok([1, 2, 3, 4]) };
        }
        if self.wide > exceptions_max(self.rows) {
            return Err(self.unproven("the second to fifth columns are not prices of one candle"));
        }
        let high = self.extreme(|a, b| (self.above[a][b], self.above[b][a]));
        let low = self.extreme(|a, b| (self.above[b][a], self.above[a][b]));
        let (Some(high), Some(low)) = (high, low) else {
            return Err(self.unproven("which prices are the high and the low"));
        };
        let mut others = (0..4).filter(|column| ![high, low].contains(column));
        let (Some(a), Some(b)) = (others.next(), others.next()) else {
            return Err(self.unproven("which prices are the high and the low"));
        };
        let (open, close) = match (self.is_open(a, b), self.is_open(b, a)) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ => return Err(self.unproven("which prices are the open and the close")),
        };
        Ok([open, high, low, close].map(|column| PRICES.start + column))
    }

    /// Returns the column that is never below the others (by `wins`: rows for and against), and above each in some rows.
    fn extreme(&self, wins: impl Fn(usize, usize) -> (u64, u64)) -> Option<usize> {
        let beats = |a: usize, b: usize| {
            let (won, lost) = wins(a, b);
            lost <= exceptions_max(self.rows).min(won / 10) && won >= SHOWN_MIN
        };
        (0..4).find(|a| (0..4).all(|b| *a == b || beats(*a, b)))
    }

    /// Returns whether candles begin in one column where those before end in another, as opposed to the reverse.
    fn is_open(&self, open: usize, close: usize) -> bool {
        let (won, lost) = (self.nearer[open][close], self.nearer[close][open]);
        by_far(won, lost) || (won > SHOWN_MIN && lost * 4 <= won)
    }

    /// Returns the column of the volume in the base currency.
    fn volume(&self) -> Result<Option<usize>, Rejection> {
        let count = self.fields.saturating_sub(VOLUMES).min(VOLUMES_MAX);
        if count == 0 {
            return Ok(None);
        }
        if self.inside * 2 > self.uneven {
            return Err(self.unproven("the sixth column is a price, not a volume"));
        }
        if count == 1 {
            return Ok(Some(VOLUMES));
        }
        let is_priced = |a: usize, b: usize| {
            let (priced, both) = (self.priced[a][b], self.both[a][b]);
            both >= SHOWN_MIN && priced * 20 >= both * 19
        };
        let of_base = (0..count).find(|a| (0..count).any(|b| is_priced(*a, b) && !is_priced(b, *a)));
        if let Some(column) = of_base {
            return Ok(Some(VOLUMES + column));
        }
        let last = if self.flags.only && count > 2 { count - 1 } else { count };
        let same = (1..last).all(|b| self.equal[0][b] == self.rows);
        // A count of trades has no decimals.
        let counted = count == 2 && self.fractional[0] > 0 && self.fractional[1] == 0;
        if same || counted {
            return Ok(Some(VOLUMES));
        }
        if count == 2 {
            return Err(self.unproven("which of the last two columns is the volume"));
        }
        Err(Rejection::UnknownColumns { line: self.line, columns: self.fields })
    }

    /// Returns the column that says whether a candle is finished.
    fn closed(&self) -> Result<Option<usize>, Rejection> {
        if self.fields <= CLOSE_TIME + 1 || !self.flags.only || self.flags.no.is_none() {
            return Ok(None);
        }
        if self.flags.more {
            return Err(
                self.unproven("the last column says no of several candles; whether of them being finished")
            );
        }
        Ok(Some(self.fields - 1))
    }

    /// Returns the number of rows taken in.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }
}

/// Returns whether one count is above another by more than luck does.
fn by_far(won: u64, lost: u64) -> bool {
    let (won, lost) = (won as f64, lost as f64);
    won - lost > DEVIATIONS * (won + lost).sqrt()
}

const OPEN_CONTRADICTED: &str =
    "candles begin where the ones before them end only if the fifth column is the open";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Candles of a market that moves by some ticks: open, high, low, close, volume.
    fn market(moves: &[(i32, u8, u8)]) -> Vec<[f64; 5]> {
        let mut price = 10_000_i32;
        let candle = |(step, up, down): &(i32, u8, u8)| {
            let open = price;
            price = (price + step).max(1_000);
            let (high, low) = (open.max(price) + i32::from(*up), open.min(price) - i32::from(*down));
            let volume = 3.5 + f64::from(*up) + f64::from(*down) / 8.0;
            [f64::from(open), f64::from(high), f64::from(low), f64::from(price), volume]
        };
        moves.iter().map(candle).collect()
    }

    /// Shows rows of cells: times, prices in some order, and more.
    fn shown(rows: &[Vec<String>]) -> Result<CandleColumns, Rejection> {
        let mut evidence = ColumnEvidence::new(1, rows[0].len());
        for (index, row) in rows.iter().enumerate() {
            let span = row.get(CLOSE_TIME).and_then(|cell| cell.parse::<i64>().ok());
            let time = time(index);
            let span = span.map(|close| (close - time).clamp(0, i64::from(u32::MAX)) as u32);
            evidence.take_in(time, span, |column| row[column].as_bytes());
        }
        evidence.settle()
    }

    fn time(index: usize) -> i64 {
        1_735_689_600_000 + index as i64 * 900_000
    }

    fn rows(
        market: &[[f64; 5]],
        order: [usize; 4],
        more: impl Fn(usize, &[f64; 5]) -> Vec<String>,
    ) -> Vec<Vec<String>> {
        let row = |(index, candle): (usize, &[f64; 5])| {
            let mut row = vec![time(index).to_string()];
            row.extend(order.map(|place| candle[place].to_string()));
            row.extend(more(index, candle));
            row
        };
        market.iter().enumerate().map(row).collect()
    }

    fn steps() -> Vec<(i32, u8, u8)> {
        (0..60).map(|index| ((index * 37) % 41 - 20, (index % 5) as u8, (index % 3) as u8)).collect()
    }

    const PLAIN: [usize; 4] = [0, 1, 2, 3];

    #[test]
    fn the_seventh_column_is_a_close_time_only_if_nearly_all_rows_say_so() {
        let market = market(&steps());
        let binance = |index: usize, candle: &[f64; 5]| {
            vec![candle[4].to_string(), (time(index) + 899_999).to_string(), "1".to_owned(), "0".to_owned()]
        };
        let found = shown(&rows(&market, PLAIN, binance)).expect("shown");
        assert_eq!((found.close_time, found.volume), (Some(6), Some(5)));
        let one = shown(&rows(&market[..1], PLAIN, binance)).expect("one row shows it");
        assert_eq!(one.close_time, Some(6));
        // A turnover that happens to look like an instant: of years ago, or of times in seconds.
        let old = |_: usize, candle: &[f64; 5]| {
            vec![candle[4].to_string(), (1_200_000_000_000_i64 + candle[0] as i64).to_string()]
        };
        assert!(shown(&rows(&market, PLAIN, old)).is_ok_and(|found| found.close_time.is_none()));
        let turnover = |_: usize, candle: &[f64; 5]| {
            vec![candle[4].to_string(), (candle[4] * (candle[0] + candle[3]) / 2.0).to_string()]
        };
        let found = shown(&rows(&market, PLAIN, turnover)).expect("shown");
        assert_eq!((found.close_time, found.volume), (None, Some(5)));
        let half = |index: usize, candle: &[f64; 5]| {
            let close = if index.is_multiple_of(4) { 7 } else { time(index) + 899_999 };
            vec![candle[4].to_string(), close.to_string()]
        };
        assert!(shown(&rows(&market, PLAIN, half)).is_err());
    }

    #[test]
    fn volumes_are_told_from_prices_turnover_and_counts() {
        let market = market(&steps());
        let column = |more: &dyn Fn(&[f64; 5]) -> Vec<f64>| {
            let cells = |_: usize, candle: &[f64; 5]| more(candle).iter().map(f64::to_string).collect();
            shown(&rows(&market, PLAIN, cells)).map(|found| found.volume)
        };
        assert_eq!(column(&|c| vec![c[4]]), Ok(Some(5)));
        assert_eq!(column(&|c| vec![c[4], c[4] * c[0]]), Ok(Some(5)));
        assert_eq!(column(&|c| vec![c[4] * c[0], c[4]]), Ok(Some(6)));
        assert_eq!(column(&|c| vec![c[4] * 100.0, c[4], c[4] * c[3]]), Ok(Some(6)), "contracts, base, quote");
        assert_eq!(column(&|c| vec![c[4], 17.0]), Ok(Some(5)), "a count of trades");
        assert!(column(&|c| vec![(c[0] + c[3]) / 2.0, c[4]]).is_err(), "an average price");
        assert!(column(&|c| vec![c[4], c[4] * 1.75]).is_err());
        assert!(column(&|c| vec![c[4], c[4] * 1.75, 9.5]).is_err());
    }

    #[test]
    fn what_rows_leave_open_is_refused() {
        let market = market(&steps());
        let volume = |_: usize, candle: &[f64; 5]| vec![candle[4].to_string()];
        assert!(shown(&rows(&market[..3], PLAIN, volume)).is_err(), "three rows");
        let flat: Vec<[f64; 5]> = market.iter().map(|c| [c[0], c[0], c[0], c[0], c[4]]).collect();
        assert!(shown(&rows(&flat, PLAIN, volume)).is_err(), "flat candles");
        // AdoptionGate.io's rows: turnover, close, high, low, then open.
        let gate: Vec<[f64; 5]> = market.iter().map(|c| [c[4] * 3e4, c[3], c[1], c[2], c[0]]).collect();
        assert!(shown(&rows(&gate, PLAIN, volume)).is_err(), "a turnover among the prices");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_order_is_found_or_refused_and_never_another(
            moves in prop::collection::vec((-30_i32..30, 0_u8..6, 0_u8..6), 1..120),
            order in Just(PLAIN.to_vec()).prop_shuffle(),
            backwards in any::<bool>(),
        ) {
            let order: [usize; 4] = order.try_into().expect("four");
            let mut rows = rows(&market(&moves), order, |_, candle| vec![candle[4].to_string()]);
            let mut evidence = ColumnEvidence::new(1, 6);
            let mut indexed: Vec<(usize, Vec<String>)> = rows.drain(..).enumerate().collect();
            if backwards {
                indexed.reverse();
            }
            for (index, row) in &indexed {
                evidence.take_in(time(*index), None, |column| row[column].as_bytes());
            }
            let at = |price: usize| 1 + order.iter().position(|place| *place == price).expect("each stands somewhere");
            if let Ok(found) = evidence.settle() {
                prop_assert_eq!([found.open, found.high, found.low, found.close], [at(0), at(1), at(2), at(3)]);
            } else {
                prop_assert!(moves.len() < 60, "{} candles show their order", moves.len());
            }
        }
    }
}

//! Which column holds what: from a header by name, or from the first row by count.

use super::column_names;
use super::columns::{self, CandleColumns, NamesFault, TimeColumn};
use super::evidence::CLOSE_TIME;
use super::number;
use super::rejection::Rejection;
use super::time::LocalClock;
use crate::model::Symbol;

/// The separators that are tried, the most frequent first.
pub(super) const SEPARATORS: [u8; 4] = [b',', b';', b'|', b'\t'];

/// The columns of a file; indexes count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileLayout {
    pub(super) separator: u8,
    /// Fields every row must have.
    pub(super) fields: usize,
    pub(super) columns: CandleColumns,
}

/// What a line above the rows is taken for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// A time and four numbers, separated so.
    Row(u8),
    /// A row of numbers that does not begin with a time.
    Numbers,
    /// Words where a row has numbers.
    Names,
    /// A title, an address.
    Other,
}

/// The fewest columns that hold a candle.
const FIELDS_MIN: usize = 5;

/// Returns what a line is, trying each separator.
pub(super) fn kind(line: &[u8], clock: &mut LocalClock, symbol: &Symbol) -> LineKind {
    let mut widest: (usize, usize) = (0, 0);
    for separator in SEPARATORS {
        let cells = cells_of(line, separator);
        if is_data(&cells, clock) {
            return LineKind::Row(separator);
        }
        if cells.len() > widest.0 {
            let numbers = cells.iter().filter(|cell| number::parse_number(cell).is_some()).count();
            widest = (cells.len(), numbers);
        }
    }
    match widest {
        (FIELDS_MIN.., 4..) => LineKind::Numbers,
        (FIELDS_MIN.., _) => LineKind::Names,
        _ => {
            let text = String::from_utf8_lossy(line);
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            if columns::prices_known(&words, symbol) >= 3 { LineKind::Names } else { LineKind::Other }
        }
    }
}

/// Returns the cells of a line.
pub(super) fn cells_of(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    split_fields(line, separator, &mut fields);
    fields.iter().map(|field| cell(line, *field)).collect()
}

/// Returns the separator that gives the most cells.
pub(super) fn separator_of(line: &[u8]) -> u8 {
    let count = |separator: &u8| cells_of(line, *separator).len();
    // The last of equals is taken: the first is the most frequent.
    SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(SEPARATORS[0])
}

/// The lines of a header, from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Heading {
    lines: Vec<(u64, Vec<u8>)>,
}

/// Lines a header has at most.
const HEADING_LINES_MAX: usize = 4;

impl Heading {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes in a line; the first few are kept.
    pub(super) fn push(&mut self, number: u64, line: &[u8]) {
        if self.lines.len() < HEADING_LINES_MAX {
            self.lines.push((number, line.to_owned()));
        }
    }

    fn names(line: &[u8], separator: u8) -> Vec<String> {
        cells_of(line, separator).iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    }

    /// Returns the layout that the header names.
    ///
    /// Errors: what is missing or contradicts itself, and what there is
    pub(super) fn layout(&self, symbol: &Symbol) -> Result<FileLayout, Rejection> {
        let Some((_, first)) = self.lines.first() else {
            return Err(self.unknown(&NamesFault::none(), SEPARATORS[0]));
        };
        let widest = separator_of(first);
        for separator in std::iter::once(widest).chain(SEPARATORS) {
            let lines: Vec<Vec<String>> =
                self.lines.iter().map(|(_, line)| Self::names(line, separator)).collect();
            // Titles with many separators stand above a line that is a header by itself.
            let start = lines.iter().position(|names| columns::find(names, symbol).is_ok()).unwrap_or(0);
            if let Ok(columns) = columns::find_in_lines(&lines[start..], symbol) {
                self.check_symbol(&lines[start..], symbol)?;
                return Ok(FileLayout { separator, fields: lines[start].len(), columns });
            }
        }
        let lines: Vec<Vec<String>> = self.lines.iter().map(|(_, line)| Self::names(line, widest)).collect();
        let fault = columns::find_in_lines(&lines, symbol).err().unwrap_or(NamesFault::none());
        Err(self.unknown(&fault, widest))
    }

    fn unknown(&self, fault: &NamesFault, separator: u8) -> Rejection {
        let numbers = || self.lines.iter().map(|(number, _)| *number);
        let (first, last) = (numbers().next().unwrap_or(1), numbers().next_back().unwrap_or(1));
        let place = if first == last {
            format!("the header in line {first}")
        } else {
            format!("the header in lines {first} to {last}")
        };
        let names = self.lines.first().map(|(_, line)| Self::names(line, separator)).unwrap_or_default();
        Rejection::UnknownNames {
            fault: fault.to_string(),
            place: place.into(),
            found: list_names(&names).into(),
            advice: "rename the columns, or say what they hold by `[data] columns = [...]`".into(),
        }
    }

    /// Compares a line `Ticker,BTC-USD,BTC-USD,...` with the symbol of the file.
    fn check_symbol(&self, lines: &[Vec<String>], symbol: &Symbol) -> Result<(), Rejection> {
        for names in &lines[1..] {
            let Some((label, cells)) = names.split_first() else { continue };
            let same = cells.first().filter(|first| cells.iter().all(|cell| cell == *first));
            let (true, Some(cell)) = (column_names::is_symbol(label), same) else { continue };
            let other = Symbol::parse(cell).filter(|other| !symbol.as_str().starts_with(other.as_str()));
            if other.is_some() {
                return Err(Rejection::WrongSymbol { named: symbol.clone(), found: list_names(&[cell]) });
            }
        }
        Ok(())
    }

    /// Returns whether a line is one of these again.
    pub(super) fn repeats(&self, line: &[u8]) -> bool {
        self.lines.iter().any(|(_, known)| known == line)
    }
}

/// Returns the layout that a single line names.
pub(super) fn header_layout(line: &[u8], separator: u8, symbol: &Symbol) -> Result<FileLayout, NamesFault> {
    let names = Heading::names(line, separator);
    let columns = columns::find(&names, symbol)?;
    Ok(FileLayout { separator, fields: names.len(), columns })
}

/// How many columns that were found a text lists.
const NAMES_LISTED: usize = 12;
/// Characters of each.
const NAME_CHARS_SHOWN: usize = 30;

/// Returns the names of columns for a text, the first of many.
pub(super) fn list_names(names: &[impl AsRef<str>]) -> String {
    let listed: Vec<String> = names
        .iter()
        .take(NAMES_LISTED)
        .map(|name| name.as_ref().escape_debug().take(NAME_CHARS_SHOWN).collect())
        .collect();
    let more = names.len().saturating_sub(NAMES_LISTED);
    listed.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

fn is_data(cells: &[&[u8]], clock: &mut LocalClock) -> bool {
    cells.len() >= FIELDS_MIN
        && clock.parse(cells[0]).is_ok()
        && cells[1..5].iter().all(|cell| number::parse_number(cell).is_some())
}

/// Returns the layout that rows of so many columns without a header are read by first: time, open, high, low, close, volume,
/// close time. What all rows show decides.
pub(super) fn by_position(fields: usize, separator: u8) -> FileLayout {
    let columns = CandleColumns {
        time: TimeColumn::Open(0),
        open: 1,
        high: 2,
        low: 3,
        close: 4,
        volume: (fields > 5).then_some(5),
        close_time: (fields > CLOSE_TIME).then_some(CLOSE_TIME),
        symbol: None,
        closed: None,
        exchange: None,
        interval: None,
    };
    FileLayout { separator, fields, columns }
}

/// Where a field starts and ends within its line.
pub(super) type Field = (u32, u32);

/// Finds the fields of a line; a separator inside double quotes does not count.
pub(super) fn split_fields(line: &[u8], separator: u8, fields: &mut Vec<Field>) {
    fields.clear();
    if memchr::memchr(b'"', line).is_some() {
        return split_quoted(line, separator, fields);
    }
    let mut start = 0;
    for end in memchr::memchr_iter(separator, line) {
        fields.push((start, end as u32));
        start = end as u32 + 1;
    }
    fields.push((start, line.len() as u32));
}

fn split_quoted(line: &[u8], separator: u8, fields: &mut Vec<Field>) {
    let (mut start, mut quoted) = (0, false);
    for (index, byte) in line.iter().enumerate() {
        if *byte == b'"' {
            quoted = !quoted;
        } else if *byte == separator && !quoted {
            fields.push((start, index as u32));
            start = index as u32 + 1;
        }
    }
    fields.push((start, line.len() as u32));
}

/// Returns a field without surrounding blanks and quotes.
#[inline]
pub(super) fn cell(line: &[u8], (start, end): Field) -> &[u8] {
    let raw = &line[start as usize..end as usize];
    let plain = |byte: &u8| *byte > b' ' && *byte != b'"';
    if raw.first().is_none_or(plain) && raw.last().is_none_or(plain) {
        return raw;
    }
    let trimmed = raw.trim_ascii();
    let unquoted = trimmed.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    unquoted.map_or(trimmed, <[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol() -> Symbol {
        Symbol::parse("BTCUSDT").expect("a symbol")
    }

    fn heading(lines: &[&str]) -> Result<FileLayout, String> {
        let mut heading = Heading::default();
        (1..).zip(lines).for_each(|(number, line)| heading.push(number, line.as_bytes()));
        heading.layout(&symbol()).map_err(|rejection| rejection.to_string())
    }

    fn header_of(line: &str) -> (usize, CandleColumns, FileLayout) {
        assert_eq!(kind(line.as_bytes(), &mut LocalClock::default(), &symbol()), LineKind::Names, "{line}");
        let layout = heading(&[line]).unwrap_or_else(|fault| panic!("{line:?}: {fault}"));
        (layout.columns.time.places().next().expect("one"), layout.columns.clone(), layout)
    }

    #[test]
    fn headers_are_read_by_name() {
        let plain = header_of("open_time,open,high,low,close,volume");
        assert_eq!((plain.0, plain.1.volume, plain.1.close_time, plain.1.symbol), (0, Some(5), None, None));
        let cdd = header_of("unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount");
        assert_eq!((cdd.0, cdd.1.symbol, cdd.1.open, cdd.1.volume), (0, Some(2), 3, Some(7)));
        let swapped = header_of("Date;Volume USDT;Volume BTC;CLOSE;LOW;HIGH;OPEN");
        assert_eq!(
            (swapped.2.separator, swapped.1.volume, swapped.1.open, swapped.1.close),
            (b';', Some(2), 6, 3)
        );
        let pandas = header_of(",Open,High,Low,Close,Volume");
        assert_eq!((pandas.0, pandas.1.open), (0, 1));
        let binance = header_of("\"Open time\",Open,High,Low,Close,Volume,\"Close time\",Quote asset volume");
        assert_eq!((binance.0, binance.1.close_time, binance.2.fields), (0, Some(6), 8));
    }

    #[test]
    fn lines_above_rows_are_told_apart() {
        let kind = |line: &str| kind(line.as_bytes(), &mut LocalClock::default(), &symbol());
        assert_eq!(kind("1743700500,1,2,1,2"), LineKind::Row(b','));
        assert_eq!(kind("1743700500|1|2|1|2|9"), LineKind::Row(b'|'));
        assert_eq!(kind("2025-01-01 0:00;1;2;1;2"), LineKind::Row(b';'));
        assert_eq!(kind("0,2025-01-01 0:00,1,2,1,2"), LineKind::Numbers);
        assert_eq!(kind("BTCUSDT\t1743700500\t1\t2\t1\t2"), LineKind::Numbers);
        assert_eq!(kind("Datetime,,,,,"), LineKind::Names);
        assert_eq!(kind("time open high low close"), LineKind::Names);
        assert_eq!(kind("https://www.example.com/a,b"), LineKind::Other);
    }

    #[test]
    fn headers_that_are_not_understood_say_what_is_missing() {
        let fault =
            heading(&["Price,Close,High,Low,Open,Volume", "Ticker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD"]);
        assert_eq!(
            fault.expect_err("no time"),
            "expected columns for open_time, open, high, low and close, found no column for the time (open_time) in the \
             header in lines 1 to 2: Price, Close, High, Low, Open, Volume; rename the columns, or say what they hold by \
             `[data] columns = [...]`"
        );
        let lines = [
            "Price,Close,High,Low,Open,Volume",
            "Ticker,ETH-USD,ETH-USD,ETH-USD,ETH-USD,ETH-USD",
            "Date,,,,,",
        ];
        assert!(heading(&lines).expect_err("of another symbol").contains("ETH-USD"), "{lines:?}");
    }

    #[test]
    fn quotes_guard_separators_and_blanks_fall_away() {
        let line = b" \"a,b\" ,c, \" d \",\"";
        let mut fields = Vec::new();
        split_fields(line, b',', &mut fields);
        let cells: Vec<&[u8]> = fields.iter().map(|field| cell(line, *field)).collect();
        assert_eq!(cells, [&b"a,b"[..], b"c", b"d", b"\""]);
    }
}

//! Which column holds what: from a header by name, or from the first row by count.

use super::columns::{self, CandleColumns, TimeColumn};
use super::{number, time};
use crate::model::Symbol;

/// The separators that are tried, the most frequent first.
pub(super) const SEPARATORS: [u8; 4] = [b',', b';', b'|', b'\t'];

/// The columns of a file; indexes count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) separator: u8,
    /// Fields every row must have.
    pub(super) fields: usize,
    pub(super) columns: CandleColumns,
}

/// What a line is taken for while the layout is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Detected {
    Header(Layout),
    Data(Layout),
    /// A row of candles without a header whose columns could mean several things.
    Ambiguous(usize),
    /// Neither; with the largest number of fields any separator gives.
    Neither(usize),
}

/// Returns what a line is, trying each separator.
pub(super) fn detect(line: &[u8], symbol: &Symbol) -> Detected {
    let mut fields_max = 1;
    for separator in SEPARATORS {
        let mut fields = Vec::new();
        split(line, separator, &mut fields);
        let cells: Vec<&[u8]> = fields.iter().map(|field| cell(line, *field)).collect();
        fields_max = fields_max.max(cells.len());
        if let Some(layout) = from_header(&cells, separator, symbol) {
            return Detected::Header(layout);
        }
        if is_data(&cells) {
            return from_data(&cells, separator).map_or(Detected::Ambiguous(cells.len()), Detected::Data);
        }
    }
    Detected::Neither(fields_max)
}

/// Returns the layout a header with this separator names, or `None` if it is no header of candles.
pub(super) fn header(line: &[u8], separator: u8, symbol: &Symbol) -> Option<Layout> {
    let mut fields = Vec::new();
    split(line, separator, &mut fields);
    let cells: Vec<&[u8]> = fields.iter().map(|field| cell(line, *field)).collect();
    from_header(&cells, separator, symbol)
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

fn from_header(cells: &[&[u8]], separator: u8, symbol: &Symbol) -> Option<Layout> {
    let names: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(cell)).collect();
    let columns = columns::find(&names, symbol).ok()?;
    if !matches!(columns.time, TimeColumn::Open(_)) {
        return None;
    }
    Some(Layout { separator, fields: cells.len(), columns })
}

fn is_data(cells: &[&[u8]]) -> bool {
    cells.len() >= 5 && is_time(cells[0]) && cells[1..5].iter().all(|cell| number::parse(cell).is_some())
}

fn is_time(cell: &[u8]) -> bool {
    time::parse(cell).is_ok()
}

/// Returns the layout of a row without a header: time, open, high, low, close, then volume, then close time.
///
/// From eight columns on a close time must stand in the seventh, as Binance writes it; Kraken's rows of eight
/// hold an average price where the volume would be.
fn from_data(cells: &[&[u8]], separator: u8) -> Option<Layout> {
    let close_time = cells.get(6).filter(|cell| is_time(cell)).map(|_| 6);
    if cells.len() > 7 && close_time.is_none() {
        return None;
    }
    let columns = CandleColumns {
        time: TimeColumn::Open(0),
        open: 1,
        high: 2,
        low: 3,
        close: 4,
        volume: (cells.len() > 5).then_some(5),
        close_time,
        symbol: None,
        closed: None,
        exchange: None,
        interval: None,
    };
    Some(Layout { separator, fields: cells.len(), columns })
}

/// Where a field starts and ends within its line.
pub(super) type Field = (u32, u32);

/// Finds the fields of a line; a separator inside double quotes does not count.
pub(super) fn split(line: &[u8], separator: u8, fields: &mut Vec<Field>) {
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

    fn header_of(line: &str) -> (usize, CandleColumns, Layout) {
        match detect(line.as_bytes(), &symbol()) {
            Detected::Header(layout) => {
                (layout.columns.time.places().next().expect("one"), layout.columns.clone(), layout)
            }
            other => panic!("{line:?} is taken for {other:?}"),
        }
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
    fn rows_without_a_header_are_read_by_count() {
        let data = |line: &str| match detect(line.as_bytes(), &symbol()) {
            Detected::Data(layout) => (layout.separator, layout.columns.volume, layout.columns.close_time),
            other => panic!("{line:?} is taken for {other:?}"),
        };
        assert_eq!(data("1743700500,1,2,1,2"), (b',', None, None));
        assert_eq!(data("1743700500|1|2|1|2|9"), (b'|', Some(5), None));
        assert_eq!(data("1743700500,1,2,1,2,9,17"), (b',', Some(5), None));
        assert_eq!(data("1743700500000,1,2,1,2,9,1743701399999"), (b',', Some(5), Some(6)));
        assert_eq!(data("1743700500000\t1\t2\t1\t2\t9\t1743701399999\t0"), (b'\t', Some(5), Some(6)));
        let eight = detect(b"1743700500,1,2,1,2,1.5,9,17", &symbol());
        assert_eq!(eight, Detected::Ambiguous(8));
        assert_eq!(detect(b"https://www.example.com/a,b", &symbol()), Detected::Neither(2));
    }

    #[test]
    fn quotes_guard_separators_and_blanks_fall_away() {
        let line = b" \"a,b\" ,c, \" d \",\"";
        let mut fields = Vec::new();
        split(line, b',', &mut fields);
        let cells: Vec<&[u8]> = fields.iter().map(|field| cell(line, *field)).collect();
        assert_eq!(cells, [&b"a,b"[..], b"c", b"d", b"\""]);
    }
}

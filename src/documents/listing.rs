//! Listings: rows under named, typed columns. One listing is a narrow table, the columns asked for, or CSV.
//!
//! A column has a name for `--columns`, `--sort` and CSV, a title for tables, and one cell per row. A cell keeps its
//! value beside its text: CSV and sorting take the value, tables the text.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::metrics::MetricsPart;
use crate::evaluate::metric_table::{MetricField, MetricForm, MetricTables};
use crate::search::nearest_name;

/// What a cell stands for.
#[derive(Debug, Clone, PartialEq)]
enum Datum {
    Nothing,
    Text(String),
    Count(u64),
    Number(f64),
}

/// One cell: its value, and how tables show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    datum: Datum,
    shown: String,
}

impl Cell {
    /// Returns a cell of text. Control characters, which a terminal might obey, become blanks.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Self { datum: Datum::Text(text), shown }
    }

    /// Returns a cell of text, or one without a value.
    pub fn maybe(text: Option<&str>) -> Self {
        text.map_or_else(Self::nothing, Self::text)
    }

    /// Returns a count.
    pub fn count(count: u64) -> Self {
        Self { datum: Datum::Count(count), shown: count.to_string() }
    }

    /// Returns a number, shown with so many decimals; without a value where it is not defined.
    pub fn number(value: Option<f64>, places: usize) -> Self {
        value.map_or_else(Self::nothing, |value| Self {
            datum: Datum::Number(value),
            shown: format!("{value:.places$}"),
        })
    }

    /// Returns a share in [0, 1], shown as percent.
    pub fn share(value: Option<f64>) -> Self {
        value.map_or_else(Self::nothing, |value| Self {
            datum: Datum::Number(value),
            shown: format!("{:.1}", 100.0 * value),
        })
    }

    /// Returns an RFC 3339 instant, shown to the minute.
    pub fn instant(instant: &str) -> Self {
        let shown = instant.chars().take(16).collect::<String>().replace('T', " ");
        Self { datum: Datum::Text(instant.to_owned()), shown }
    }

    /// Returns a parameter: a number or a name.
    pub fn parameter(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::nothing(),
            Some(Value::Number(number)) => Self {
                datum: number
                    .as_u64()
                    .map_or_else(|| number.as_f64().map_or(Datum::Nothing, Datum::Number), Datum::Count),
                shown: number.to_string(),
            },
            Some(Value::String(text)) => Self::text(text.as_str()),
            Some(other) => Self::text(other.to_string()),
        }
    }

    fn nothing() -> Self {
        Self { datum: Datum::Nothing, shown: "-".to_owned() }
    }

    /// Returns how tables show it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns its value as a number, where it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self.datum {
            Datum::Count(count) => Some(count as f64),
            Datum::Number(number) => Some(number),
            Datum::Nothing | Datum::Text(_) => None,
        }
    }

    /// Returns its value as text; nothing where there is none.
    pub fn as_text(&self) -> Option<String> {
        match &self.datum {
            Datum::Nothing => None,
            Datum::Text(text) => Some(text.clone()),
            Datum::Count(count) => Some(count.to_string()),
            Datum::Number(number) => Some(number.to_string()),
        }
    }

    /// Compares for a sorted list: numbers from the most to the least, text from a to z, what has no value last.
    pub fn compare(&self, other: &Self) -> Ordering {
        let number = |datum: &Datum| match datum {
            Datum::Count(count) => Some(*count as f64),
            Datum::Number(number) => Some(*number),
            _ => None,
        };
        match (&self.datum, &other.datum) {
            (Datum::Nothing, Datum::Nothing) => Ordering::Equal,
            (Datum::Nothing, _) => Ordering::Greater,
            (_, Datum::Nothing) => Ordering::Less,
            (Datum::Count(one), Datum::Count(other)) => other.cmp(one),
            (Datum::Text(one), Datum::Text(other)) => one.cmp(other),
            (one, other) => match (number(one), number(other)) {
                (Some(one), Some(other)) => other.total_cmp(&one),
                // Names among numbers, as in a parameter that may be off, come after them.
                (one, other) => other.is_some().cmp(&one.is_some()),
            },
        }
    }

    /// Returns the field of a CSV line.
    fn csv(&self) -> String {
        match &self.datum {
            Datum::Nothing => String::new(),
            Datum::Count(count) => count.to_string(),
            Datum::Number(number) => number.to_string(),
            Datum::Text(text) => quoted_field(&harmless_text(text)),
        }
    }
}

/// Returns text that no spreadsheet takes for a formula: what begins like one gets a leading apostrophe. Numbers that
/// are kept as text stay numbers.
fn harmless_text(text: &str) -> String {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let is_number = plain && text.parse::<f64>().is_ok();
    let first = text.trim_start_matches([' ', '\u{a0}']).chars().next();
    let formula = first.is_some_and(|c| "=+-@\t\r\n＝＋－＠".contains(c));
    if formula && !is_number { format!("'{text}") } else { text.to_owned() }
}

/// Returns a field in quotes where it needs them.
fn quoted_field(text: &str) -> String {
    let needs = text.contains([',', '"', '\n', '\r']) || text.trim() != text;
    if needs { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// How the cells of a column lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers, to the right.
    Number,
    /// Words, to the left.
    Text,
    /// Sentences, to the left; broken into lines where they do not fit.
    Prose,
}

/// One column of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: String,
    title: String,
    kind: ColumnKind,
    /// Whether the narrow table has it.
    narrow: bool,
    cells: Vec<Cell>,
}

impl Column {
    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns how its cells lie.
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// Returns whether the narrow table has it.
    pub fn is_narrow(&self) -> bool {
        self.narrow
    }

    /// Returns its cells, one per row.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

/// A column that a listing does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected columns of this listing, found {found:?}{}; there are: {}",
    .nearest.as_ref().map_or_else(String::new, |name| format!(" (did you mean {name:?}?)")),
    known.join(", ")
)]
pub struct UnknownColumn {
    /// The name given.
    pub found: String,
    /// The nearest name.
    pub nearest: Option<String>,
    /// Every name.
    pub known: Vec<String>,
}

/// Rows under named columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    columns: Vec<Column>,
}

impl Listing {
    /// Begins a listing of these rows; columns are added one by one.
    pub fn of<T>(rows: &[T]) -> ListingBuilder<'_, T> {
        ListingBuilder { rows, listing: Self::default() }
    }

    /// Returns the columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// Returns the listing with these columns only, in this order.
    ///
    /// Errors: a name that no column has
    pub fn select(&self, names: &[String]) -> Result<Self, UnknownColumn> {
        let column = |name: &String| Ok(Column { narrow: true, ..self.column(name)?.clone() });
        Ok(Self { columns: names.iter().map(column).collect::<Result<_, _>>()? })
    }

    /// Returns the rows' order by a column: numbers from the most to the least, text from a to z, undefined last;
    /// what is equal stays in order.
    ///
    /// Errors: a name that no column has
    pub fn order(&self, name: &str) -> Result<Vec<usize>, UnknownColumn> {
        let cells = &self.column(name)?.cells;
        let mut order: Vec<usize> = (0..cells.len()).collect();
        order.sort_by(|one, other| cells[*one].compare(&cells[*other]));
        Ok(order)
    }

    fn column(&self, name: &str) -> Result<&Column, UnknownColumn> {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| UnknownColumn {
            found: name.to_owned(),
            nearest: nearest_name(name, names()).map(str::to_owned),
            known: names().map(str::to_owned).collect(),
        })
    }

    /// Returns every column as CSV (RFC 4180), with a line of names; numbers in full, undefined ones empty.
    pub fn csv(&self) -> String {
        let line = |fields: Vec<String>| fields.join(",") + "\r\n";
        let mut text =
            line(self.columns.iter().map(|column| quoted_field(&harmless_text(&column.name))).collect());
        for row in 0..self.rows() {
            text += &line(self.columns.iter().map(|column| column.cells[row].csv()).collect());
        }
        text
    }
}

/// A listing in the making.
#[derive(Debug)]
pub struct ListingBuilder<'a, T> {
    rows: &'a [T],
    listing: Listing,
}

impl<T> ListingBuilder<'_, T> {
    /// Adds a column to the narrow table.
    pub fn column(self, name: &str, title: &str, kind: ColumnKind, cell: impl Fn(&T) -> Cell) -> Self {
        self.add(name, title, kind, true, cell)
    }

    /// Adds a column that is shown when it is asked for.
    pub fn more(self, name: &str, title: &str, kind: ColumnKind, cell: impl Fn(&T) -> Cell) -> Self {
        self.add(name, title, kind, false, cell)
    }

    fn add(
        mut self,
        name: &str,
        title: &str,
        kind: ColumnKind,
        narrow: bool,
        cell: impl Fn(&T) -> Cell,
    ) -> Self {
        let cells = self.rows.iter().map(cell).collect();
        let (name, title) = (name.to_owned(), title.to_owned());
        self.listing.columns.push(Column { name, title, kind, narrow, cells });
        self
    }

    /// Adds the metrics: those that people look at first to the narrow table, all under their names in documents.
    pub fn metrics(self, metrics: impl Fn(&T) -> &MetricsPart) -> Self {
        let mut columns = MetricsPart::METRICS;
        columns.sort_by_key(|metric| metric.column);
        columns.into_iter().fold(self, |listing, metric| {
            let cell = |row: &T| match metric.field {
                MetricField::Count(count, _) => Cell::count(count(metrics(row))),
                MetricField::Number(number, _, MetricForm::Share) => Cell::share(number(metrics(row))),
                MetricField::Number(number, _, MetricForm::Decimals(places)) => {
                    Cell::number(number(metrics(row)), places)
                }
            };
            let is_narrow = metric.tables == MetricTables::Both;
            listing.add(metric.key, metric.title, ColumnKind::Number, is_narrow, cell)
        })
    }

    /// Adds a column per parameter of any row, in the order of the space, shown when asked for.
    pub fn parameters(mut self, params: impl Fn(&T) -> &Map<String, Value>) -> Self {
        let rows = self.rows;
        let mut keys: Vec<&String> = Vec::new();
        for key in rows.iter().flat_map(|row| params(row).keys()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let keys: Vec<String> = keys.into_iter().cloned().collect();
        for key in keys {
            let is_text = |row: &T| params(row).get(&key).is_some_and(|value| !value.is_number());
            let kind = if rows.iter().any(is_text) { ColumnKind::Text } else { ColumnKind::Number };
            self = self.more(&key, &key, kind, |row| Cell::parameter(params(row).get(&key)));
        }
        self
    }

    /// Returns the listing.
    pub fn done(self) -> Listing {
        self.listing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row: text and number.
    type Pair = (&'static str, Option<f64>);

    fn listing(rows: &[Pair]) -> Listing {
        Listing::of(rows)
            .column("name", "Name", ColumnKind::Text, |row| Cell::text(row.0))
            .column("gain_pct", "Gain %", ColumnKind::Number, |row| Cell::number(row.1, 1))
            .more("share", "Share", ColumnKind::Number, |row| Cell::share(row.1))
            .done()
    }

    #[test]
    fn an_unknown_column_names_the_nearest_and_all() {
        let error = listing(&[]).select(&["gain".to_owned()]).expect_err("no such column");
        assert_eq!(
            error.to_string(),
            "expected columns of this listing, found \"gain\"; there are: name, gain_pct, share"
        );
        let error = listing(&[]).order("gian_pct").expect_err("no such column");
        assert!(error.to_string().contains("(did you mean \"gain_pct\"?)"), "{error}");
    }

    #[test]
    fn the_most_comes_first_and_what_is_undefined_last() {
        let rows = [("b", None), ("c", Some(-1.0)), ("a", Some(2.0)), ("a", None)];
        let order = |name| listing(&rows).order(name).expect("a known column");
        assert_eq!(order("gain_pct"), [2, 1, 0, 3]);
        assert_eq!(order("name"), [2, 3, 0, 1], "equal ones stay in order");
    }

    #[test]
    fn no_cell_of_csv_is_a_formula_and_numbers_stay_numbers() {
        for (text, field) in [
            ("=1+1", "'=1+1"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-1-1", "'-1-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("-inf", "'-inf"),
            ("-", "'-"),
            ("-1.5e-3", "-1.5e-3"),
            ("+2", "+2"),
            ("a-b", "a-b"),
            ("say \"no\", please", "\"say \"\"no\"\", please\""),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
        ] {
            assert_eq!(Cell::text(text).csv(), field, "{text:?}");
        }
        assert_eq!(Cell::number(Some(-1.5), 0).csv(), "-1.5");
        assert_eq!(Cell::count(u64::MAX).csv(), u64::MAX.to_string());
    }
}

//! Text tables, as wide as what they are read on.

use std::sync::atomic::{AtomicUsize, Ordering};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::documents::metrics::MetricsPart;
use crate::evaluate::metric_table::{MetricEntry, MetricField, MetricForm, MetricTables};

/// Width of every table and line where no terminal says otherwise, and the greatest; fits a mail.
pub const WIDTH: usize = 100;
/// The smallest width that text is laid out for.
const WIDTH_MIN: usize = 40;

/// The width of the terminal, once somebody said it.
static COLUMNS: AtomicUsize = AtomicUsize::new(WIDTH);

/// Returns the width of tables and lines.
pub fn width() -> usize {
    COLUMNS.load(Ordering::Relaxed)
}

/// Takes in how many columns the reader's terminal has.
pub fn fit_to_terminal(columns: usize) {
    COLUMNS.store(columns.clamp(WIDTH_MIN, WIDTH), Ordering::Relaxed);
}

/// Returns a table; every column but the first is aligned to the right when its cells are numbers.
pub fn text_table(header: &[&str], rows: &[Vec<String>]) -> String {
    let numeric =
        |index: usize| index > 0 && rows.iter().all(|row| row.get(index).is_none_or(|cell| is_numeric(cell)));
    aligned_table(header, rows, &(0..header.len()).map(numeric).collect::<Vec<_>>())
}

/// Returns a table whose columns are aligned to the right where said so.
pub fn aligned_table(header: &[&str], rows: &[Vec<String>], right: &[bool]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width() as u16).set_header(header.to_vec());
    rows.iter().for_each(|row| {
        table.add_row(row.clone());
    });
    for (index, (column, right)) in table.column_iter_mut().zip(right).enumerate() {
        if width() < WIDTH {
            // Lines break between words; a word that is broken reads as two.
            let longest = longest_word(header, rows, index) + CELL_PADDING;
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(longest as u16)));
        }
        if *right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Blanks on both sides of a cell.
const CELL_PADDING: usize = 2;

/// Returns the length of the longest word of a column.
fn longest_word(header: &[&str], rows: &[Vec<String>], index: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(index)).map(String::as_str);
    let words = header.get(index).copied().into_iter().chain(cells).flat_map(str::split_whitespace);
    words.map(|word| word.chars().count()).max().unwrap_or(0)
}

fn is_numeric(cell: &str) -> bool {
    cell == "-" || cell.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+')
}

/// Returns a number with so many decimals, `-` where it is not defined.
pub fn with_decimals(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.places$}"))
}

/// Returns a share as percent, `-` where it is not defined.
pub fn as_percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}", 100.0 * share))
}

/// Returns a metric as a cell of a table.
fn metric_cell(metric: &MetricEntry<MetricsPart>, metrics: &MetricsPart) -> String {
    match metric.field {
        MetricField::Count(count, _) => count(metrics).to_string(),
        MetricField::Number(number, _, MetricForm::Share) => as_percent(number(metrics)),
        MetricField::Number(number, _, MetricForm::Decimals(places)) => {
            with_decimals(number(metrics), places)
        }
    }
}

/// Returns the table of named results.
pub fn results_table(rows: &[(String, MetricsPart)]) -> String {
    let mut shown = MetricsPart::METRICS.to_vec();
    shown.retain(|metric| metric.tables != MetricTables::Wide);
    loop {
        let header: Vec<&str> = [""].into_iter().chain(shown.iter().map(|metric| metric.title)).collect();
        let row = |(name, metrics): &(String, MetricsPart)| {
            let cells = shown.iter().map(|metric| metric_cell(metric, metrics));
            [name.clone()].into_iter().chain(cells).collect()
        };
        let cells = rows.iter().map(row).collect::<Vec<_>>();
        let used: usize =
            (0..header.len()).map(|index| longest_word(&header, &cells, index) + CELL_PADDING).sum();
        // The last metrics matter least.
        if used <= width() || shown.pop().is_none() {
            return text_table(&header, &cells);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_line_up_and_nothing_trails() {
        let rows = [vec!["a".to_owned(), "1.5".to_owned()], vec!["b".to_owned(), "-".to_owned()]];
        let text = text_table(&["name", "value"], &rows);
        assert_eq!(
            text.lines().map(str::to_owned).collect::<Vec<_>>(),
            [" name  value", " a       1.5", " b         -"]
        );
        assert_eq!((with_decimals(None, 2), as_percent(Some(0.5))), ("-".to_owned(), "50.0".to_owned()));
    }
}

//! Text tables, at most 100 columns wide.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::documents::metrics::MetricsPart;
use crate::evaluate::metric_table::{MetricEntry, MetricField, MetricForm, MetricTables};

/// Width of every table; fits a terminal and a mail.
pub const WIDTH: usize = 100;

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
    table.set_width(WIDTH as u16).set_header(header.to_vec());
    rows.iter().for_each(|row| {
        table.add_row(row.clone());
    });
    for (column, right) in table.column_iter_mut().zip(right) {
        if *right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
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
    let header: Vec<&str> = [""].into_iter().chain(shown.iter().map(|metric| metric.title)).collect();
    let row = |(name, metrics): &(String, MetricsPart)| {
        let cells = shown.iter().map(|metric| metric_cell(metric, metrics));
        [name.clone()].into_iter().chain(cells).collect()
    };
    text_table(&header, &rows.iter().map(row).collect::<Vec<_>>())
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

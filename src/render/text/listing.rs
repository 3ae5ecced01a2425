//! Listings as tables of text.

use crate::documents::listing::{Column, ColumnKind, Listing};
use crate::render::text::table::{aligned_table, width};

/// Columns of text that may be broken into lines count for at most so many characters when tables are laid out.
const PROSE_WIDTH_MIN: usize = 30;

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells().iter().map(|cell| cell.shown().chars().count());
        let width = cells.chain([self.title().chars().count()]).max().unwrap_or(0);
        if self.kind() == ColumnKind::Prose { width.min(PROSE_WIDTH_MIN) } else { width }
    }
}

impl Listing {
    /// Returns the narrow table; what does not fit beside each other goes on in further tables that begin with the
    /// first column again.
    pub fn text(&self) -> String {
        let narrow: Vec<&Column> = self.columns().iter().filter(|column| column.is_narrow()).collect();
        let Some((first, mut rest)) = narrow.split_first() else { return String::new() };
        let mut tables = Vec::new();
        loop {
            let mut used = first.width() + 2;
            let fits = rest.iter().take_while(|column| {
                used += column.width() + 2;
                used <= width()
            });
            let count = fits.count().max(1).min(rest.len());
            let (now, later) = rest.split_at(count);
            tables.push(self.part(&[&[*first], now].concat()));
            rest = later;
            if rest.is_empty() {
                return tables.join("\n\n");
            }
        }
    }

    fn part(&self, columns: &[&Column]) -> String {
        let header: Vec<&str> = columns.iter().map(|column| column.title()).collect();
        let row = |row: usize| columns.iter().map(|column| column.cells()[row].shown().to_owned()).collect();
        let right: Vec<bool> = columns.iter().map(|column| column.kind() == ColumnKind::Number).collect();
        aligned_table(&header, &(0..self.rows()).map(row).collect::<Vec<_>>(), &right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::listing::Cell;
    use crate::render::text::table::WIDTH;

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
    fn a_table_shows_what_is_narrow_and_csv_everything_in_full() {
        let found = listing(&[("a", Some(0.12345)), ("b", None)]);
        assert_eq!(found.text(), " Name  Gain %\n a        0.1\n b          -");
        assert_eq!(found.csv(), "name,gain_pct,share\r\na,0.12345,0.12345\r\nb,,\r\n");
        let chosen = found.select(&["share".to_owned(), "name".to_owned()]).expect("known columns");
        assert_eq!(chosen.text(), " Share  Name\n  12.3  a\n     -  b");
        assert_eq!(chosen.csv(), "share,name\r\n0.12345,a\r\n,b\r\n");
        assert_eq!(listing(&[]).csv(), "name,gain_pct,share\r\n");
    }

    #[test]
    fn nothing_reaches_a_terminal_that_it_would_obey() {
        assert_eq!(Cell::text("a\u{1b}[31mb\u{9b}c\n").shown(), "a [31mb c ");
    }

    #[test]
    fn tables_go_on_below_rather_than_get_wide() {
        let rows: Vec<u64> = (0..3).collect();
        let mut building = Listing::of(&rows).column("id", "Id", ColumnKind::Number, |row| Cell::count(*row));
        for column in 0..30 {
            let name = format!("column_{column}");
            building = building.column(&name, &name, ColumnKind::Number, |row| Cell::count(*row * 1_000_000));
        }
        let text = building.done().text();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().filter(|line| line.trim_start().starts_with("Id ")).count() > 2, "{text}");
        for column in 0..30 {
            let name = format!("column_{column}");
            assert_eq!(text.split_whitespace().filter(|word| **word == name).count(), 1, "whole, and once");
        }
    }

    #[test]
    fn sentences_are_broken_into_lines() {
        let rows = ["word ".repeat(50)];
        let text = Listing::of(&rows)
            .column("n", "N", ColumnKind::Number, |_| Cell::count(1))
            .column("said", "Said", ColumnKind::Prose, |row| Cell::text(row.as_str()))
            .done()
            .text();
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches("word").count(), 50);
    }
}

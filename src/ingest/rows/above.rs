//! What stands above the rows of a file: comments, a header, or the first row of a file without one.

use super::Parser;
use crate::ingest::cause::IssueCause;
use crate::ingest::columns;
use crate::ingest::evidence::ColumnEvidence;
use crate::ingest::layout::{self, FileLayout, LineKind};
use crate::ingest::rejection::Rejection;
use crate::ingest::report::{IssueKind, excerpt_of_bytes};

/// How many lines that are neither header nor row may stand on top.
const PREAMBLE_LINES_MAX: u64 = 20;

impl Parser<'_> {
    /// Takes a line before it is known what columns hold.
    pub(super) fn above_rows(&mut self, number: u64, text: &[u8], ended: bool) {
        let first_line = self.first.get_or_insert_with(|| (number, excerpt_of_bytes(text))).0;
        let kind = layout::kind(text, &mut self.clock.clone(), self.collector.symbol);
        let has_heading = !self.heading.is_empty();
        match kind {
            LineKind::Row(_) | LineKind::Numbers if has_heading => self.end_heading(number, text, ended),
            LineKind::Row(separator) => self.begin_without_header(number, text, separator, ended),
            LineKind::Numbers if self.reading.columns.is_some() => {
                self.begin_without_header(number, text, layout::separator_of(text), ended);
            }
            LineKind::Names if has_heading && self.names_nothing(text) && self.heading_is_whole() => {
                self.end_heading(number, text, ended);
            }
            LineKind::Names => self.heading.push(number, text),
            _ if number >= PREAMBLE_LINES_MAX + first_line => {
                let rejection = self.no_header();
                self.reject(rejection);
            }
            LineKind::Numbers => {
                self.collector.count_row();
                self.collector
                    .bad(IssueKind::BadRow, number, || IssueCause::NoRow { found: excerpt_of_bytes(text) });
            }
            LineKind::Other => self.collector.comment(number, text),
        }
    }

    fn names_nothing(&self, text: &[u8]) -> bool {
        let cells = layout::cells_of(text, layout::separator_of(text));
        let names: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(cell)).collect();
        !columns::any_known(&names, self.collector.symbol)
    }

    fn heading_is_whole(&self) -> bool {
        self.heading.layout(self.collector.symbol).is_ok()
    }

    /// Returns why nothing of a file that shows no row is used.
    pub(super) fn no_header(&self) -> Rejection {
        if !self.heading.is_empty() {
            return self.heading.layout(self.collector.symbol).err().unwrap_or(Rejection::NoRows);
        }
        let (line, found) = self.first.clone().unwrap_or_default();
        Rejection::NoHeader { line, found }
    }

    /// Takes the first row below a header, which says what columns hold.
    fn end_heading(&mut self, number: u64, text: &[u8], ended: bool) {
        match (self.heading.layout(self.collector.symbol), &self.reading.columns) {
            (Ok(layout), _) => {
                self.settle(layout, number);
                self.row(number, text, ended);
            }
            // What a header does not say, the user does.
            (Err(Rejection::UnknownNames { .. }), Some(_)) => {
                self.begin_without_header(number, text, layout::separator_of(text), ended);
            }
            (Err(rejection), _) => self.reject(rejection),
        }
    }

    /// Takes the first row of a file without a header.
    fn begin_without_header(&mut self, number: u64, text: &[u8], separator: u8, ended: bool) {
        let fields = layout::cells_of(text, separator).len();
        if let Some(stated) = &self.reading.columns {
            if stated.count != fields {
                return self.reject(Rejection::OtherColumns {
                    line: number,
                    expected: stated.count,
                    found: fields,
                });
            }
            self.settle(FileLayout { separator, fields, columns: stated.columns.clone() }, number);
            return self.row(number, text, ended);
        }
        // A first row that is cut in the middle looks like a whole one of fewer columns; from eight columns on, those
        // that are read are whole.
        if !ended && fields < 8 {
            return self.collector.note(IssueKind::PartialLastLine, number, || IssueCause::CutOnlyRow);
        }
        let mut layout = layout::by_position(fields, separator);
        if let Some(columns) = &self.hints.columns {
            layout.columns.clone_from(columns);
        }
        self.evidence = Some(ColumnEvidence::new(number, fields));
        self.settle(layout, number);
        self.row(number, text, ended);
    }
}

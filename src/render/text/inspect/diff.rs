//! The differences of two runs as text.

use crate::documents::inspect::{DiffFigurePart, DiffRunPart, InspectDiffDocument};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::render::text::prose::minute_text;

impl InspectDiffDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let run =
            |run: &DiffRunPart| format!("run {}, {}, {}", run.id, minute_text(&run.started_at), run.result);
        let same = |same: bool| if same { "the same" } else { "other" };
        let mut text = format!(
            "profile {}\n  old: {}\n  new: {}\n  {} candles, {} plan\n",
            self.profile,
            run(&self.a),
            run(&self.b),
            same(self.same_data),
            same(self.same_plan)
        );
        let (a, b) = (format!("Run {}", self.a.id), format!("Run {}", self.b.id));
        for (section, rows, none) in [
            ("active parameters", &self.parameters, "the same"),
            ("candidates", &self.candidates, "the same"),
            ("verdicts", &self.verdicts, "none"),
            ("configuration", &self.configuration, "the same"),
            ("input", &self.input, "the same"),
        ] {
            if rows.is_empty() {
                text += &format!("\n{section}: {none}\n");
                continue;
            }
            let table = Listing::of(rows)
                .column("scope", "", ColumnKind::Text, |row| Cell::text(row.scope.as_str()))
                .column("key", "", ColumnKind::Text, |row| Cell::text(row.key.as_str()))
                .column("old", &a, ColumnKind::Prose, |row| Cell::maybe(row.old.as_deref()))
                .column("new", &b, ColumnKind::Prose, |row| Cell::maybe(row.new.as_deref()));
            text += &format!("\n{section}:\n{}\n", table.done().text());
            if section == "verdicts" {
                text += &self.figures_text(&a, &b);
            }
        }
        text
    }

    fn figures_text(&self, a: &str, b: &str) -> String {
        let cell = |value: Option<f64>| match value {
            Some(value) if value.fract() == 0.0 && value.abs() < 1e12 => Cell::number(Some(value), 0),
            value => Cell::number(value, 4),
        };
        let differs = |figure: &&DiffFigurePart| figure.old != figure.new;
        let rows: Vec<&DiffFigurePart> = self.figures.iter().filter(differs).collect();
        let same = match self.figures.len() - rows.len() {
            0 => String::new(),
            count => format!(" ({count} more are the same)"),
        };
        if rows.is_empty() {
            return "\nfigures of the candidates: the same\n".to_owned();
        }
        let table = Listing::of(&rows)
            .column("scope", "", ColumnKind::Text, |row| Cell::text(row.scope.as_str()))
            .column("key", "", ColumnKind::Text, |row| Cell::text(row.key.as_str()))
            .column("old", a, ColumnKind::Number, |row| cell(row.old))
            .column("new", b, ColumnKind::Number, |row| cell(row.new))
            .column("difference", "Difference", ColumnKind::Number, |row| cell(row.difference));
        format!("\nfigures of the candidates{same}:\n{}\n", table.done().text())
    }
}

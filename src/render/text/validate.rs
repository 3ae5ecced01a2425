//! What the methods of `validate` found, as text.

use crate::documents::validate::ValidateDocument;
use crate::render::text::prose::wrap_words;
use crate::render::text::table::text_table;
use crate::run::deep_validation::MethodFinding;

/// How far the further lines of a sentence are indented.
const INDENT: usize = 2;

impl ValidateDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text =
            format!("run {} of profile {}: nothing is changed by looking\n", self.run, self.profile);
        for style in &self.styles {
            text.push_str(&format!("\n{}\n", style.style.to_uppercase()));
            for finding in &style.findings {
                text.push_str(&finding_text(finding));
            }
            for note in &style.notes {
                text.push_str(&format!("\n{}", wrap_words("", 0, note.split(' '))));
            }
        }
        if !self.full && self.styles.iter().any(|style| style.notes.is_empty()) {
            text.push_str("\n`optimizer validate --full` also looks at all halves of the days, at what the sets have in common\n\
                 and at shuffled filters; it takes up to a minute per style\n");
        }
        text
    }
}

fn finding_text(finding: &MethodFinding) -> String {
    let title = finding.method.replace('_', " ");
    let sentence = wrap_words(&format!("{title}:"), INDENT, finding.sentence.split(' '));
    if finding.rows.is_empty() {
        return format!("\n{sentence}");
    }
    let header: Vec<String> = finding.columns.iter().map(|column| column.replace('_', " ")).collect();
    let header: Vec<&str> = std::iter::once("").chain(header.iter().map(String::as_str)).collect();
    let row = |row: &crate::run::deep_validation::FindingRow| {
        std::iter::once(row.name.clone()).chain(row.values.iter().map(|value| figure_text(*value))).collect()
    };
    let rows: Vec<Vec<String>> = finding.rows.iter().map(row).collect();
    format!("\n{sentence}{}\n", text_table(&header, &rows))
}

/// Returns a figure: whole numbers without decimals, small ones with three that count.
fn figure_text(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.fract() == 0.0 && value.abs() >= 1.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 1.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let shown = [None, Some(0.0), Some(3.0), Some(0.012_34), Some(1.234), Some(-12.34), Some(139_968.0)];
        assert_eq!(shown.map(figure_text), ["-", "0.000", "3", "0.012", "1.23", "-12.3", "139968"]);
    }
}

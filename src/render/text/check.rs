//! The quality of candle files as text.

use std::fmt::Write as _;

use crate::documents::check::{CheckDataDocument, PassedOverPart, SignalsFilePart};
use crate::documents::input::IssuePart;

impl SignalsFilePart {
    fn text(&self, text: &mut String) {
        let _ = writeln!(text, "{}: signals, {} rows, {} repeated", self.file, self.rows, self.duplicates);
        issues_text(text, &self.issues);
        for symbol in &self.symbols {
            let outside = match symbol.outside {
                Some(count) if count > 0 => format!(", {count} outside the candles"),
                _ => String::new(),
            };
            let span = span_of_days(&symbol.first, &symbol.last);
            let _ = writeln!(text, "  {}: {} signals{span}{outside}", symbol.symbol, symbol.signals);
        }
        for column in &self.columns {
            let _ = match (column.min, column.max, column.missing) {
                (Some(min), Some(max), Some(missing)) => {
                    writeln!(text, "  column {:?}: {min} to {max}, {missing} missing", column.name)
                }
                _ => {
                    let why = column.unusable.as_deref().unwrap_or_default();
                    writeln!(text, "  column {:?}: cannot be filtered on: {why}", column.name)
                }
            };
        }
        if let Some(filters) = &self.filters {
            let names: Vec<String> = self.columns_unused.iter().map(|name| format!("{name:?}")).collect();
            let _ = writeln!(
                text,
                "  no filter of the configuration reads {}; to filter on them, add",
                names.join(", ")
            );
            let _ = writeln!(text, "\n{filters}");
        }
    }
}

/// Writes a line for every reason: files of one kind that are not read are told together.
fn skipped_text(text: &mut String, skipped: &[PassedOverPart]) {
    let mut told: Vec<&str> = Vec::new();
    for passed in skipped {
        if told.contains(&passed.reason.as_str()) {
            continue;
        }
        told.push(&passed.reason);
        let others = skipped.iter().filter(|other| other.reason == passed.reason).count() - 1;
        let _ = match others {
            0 => writeln!(text, "{}: skipped: {}", passed.file, passed.reason),
            1 => writeln!(text, "{} and 1 more file: skipped: {}", passed.file, passed.reason),
            _ => writeln!(text, "{} and {others} more files: skipped: {}", passed.file, passed.reason),
        };
    }
}

impl CheckDataDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            let interval = file.interval.as_deref().unwrap_or("?");
            let _ = writeln!(
                text,
                "{}: {} {interval}, {} rows, {} candles{}",
                file.file,
                file.symbol,
                file.rows,
                file.candles,
                span_of_days(&file.first_open, &file.last_open)
            );
            if let Some(reason) = &file.rejected {
                let _ = writeln!(text, "  not used: {reason}");
            }
            issues_text(&mut text, &file.issues);
        }
        skipped_text(&mut text, &self.skipped);
        for conflict in &self.conflicts {
            let _ = writeln!(text, "conflict: {conflict}");
        }
        if !text.is_empty() {
            text.push('\n');
        }
        for symbol in &self.symbols {
            let _ = writeln!(
                text,
                "{}: {} candles{}",
                symbol.symbol,
                symbol.candles,
                span_of_days(&symbol.first_open, &symbol.last_open)
            );
            issues_text(&mut text, &symbol.issues);
        }
        if let Some(signals) = &self.signals {
            signals.text(&mut text);
        }
        let verdict = if self.usable { "usable" } else { "nothing usable" };
        let used = self.files.iter().filter(|file| file.rejected.is_none()).count();
        let _ = match self.files.len() + self.skipped.len() {
            0 => writeln!(text, "{verdict}"),
            all => writeln!(text, "{used} of {all} files used; {verdict}"),
        };
        text
    }
}

fn span_of_days(first: &Option<String>, last: &Option<String>) -> String {
    match (first, last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    }
}

fn issues_text(text: &mut String, issues: &[IssuePart]) {
    for issue in issues {
        let line = issue.line.map(|line| format!(" (first at line {line})")).unwrap_or_default();
        let _ = writeln!(text, "  {} x {}{line}: {}", issue.count, issue.kind, issue.detail);
    }
}

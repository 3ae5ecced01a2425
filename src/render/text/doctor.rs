//! The state of an installation as text.

use std::fmt::Write as _;

use crate::documents::doctor::{
    CheckPart, DoctorDocument, DoctorRunPart, FileSpacePart, Status, SymbolFreshnessPart,
};
use crate::render::text::table::text_table;

impl DoctorDocument {
    /// Returns it as text for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for done in &self.done {
            let _ = writeln!(text, "{done}");
        }
        let check = |check: &CheckPart| {
            vec![check.name.clone(), check.status.as_str().to_owned(), check.detail.clone()]
        };
        let _ = writeln!(text, "{}", text_table(&["Check", "Status", "Found"], &rows(&self.checks, check)));
        for check in self.checks.iter().filter(|check| check.status >= Status::Warning) {
            if let Some(hint) = &check.hint {
                let _ = writeln!(text, "  {}: {hint}", check.name);
            }
        }
        let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        let file = |file: &FileSpacePart| {
            let parts = [
                Some(file.bytes),
                file.stored_bytes,
                file.metadata_bytes,
                file.fragmented_bytes,
                file.free_bytes,
            ];
            [vec![file.name.clone()], parts.map(bytes).to_vec()].concat()
        };
        text_section(
            &mut text,
            &["File", "Bytes", "Rows", "Metadata", "Fragmented", "Free"],
            &rows(&self.files, file),
        );
        let symbol = |symbol: &SymbolFreshnessPart| {
            let repeats = if symbol.sound { "yes" } else { "NO" };
            vec![
                symbol.symbol.clone(),
                symbol.newest_close_at.clone(),
                format!("{:.1}", symbol.age_hours),
                symbol.reusable.to_string(),
                symbol.checked.to_string(),
                if symbol.checked == 0 { "-".to_owned() } else { repeats.to_owned() },
            ]
        };
        let header = ["Symbol", "Newest candle closed", "Hours ago", "Reusable", "Checked", "Repeats"];
        text_section(&mut text, &header, &rows(&self.symbols, symbol));
        let run = |run: &DoctorRunPart| {
            vec![
                run.run.to_string(),
                run.started_at.clone(),
                run.result.clone(),
                run.exit_code.to_string(),
                run.duration_ms.to_string(),
                (run.peak_rss_bytes >> 20).to_string(),
            ]
        };
        text_section(
            &mut text,
            &["Run", "Started", "Result", "Exit", "ms", "Peak MiB"],
            &rows(&self.runs, run),
        );
        text.push_str(if self.healthy { "\nhealthy\n" } else { "\nnot healthy\n" });
        text
    }
}

fn rows<T>(items: &[T], row: impl Fn(&T) -> Vec<String>) -> Vec<Vec<String>> {
    items.iter().map(row).collect()
}

fn text_section(text: &mut String, header: &[&str], rows: &[Vec<String>]) {
    if !rows.is_empty() {
        let _ = writeln!(text, "\n{}", text_table(header, rows));
    }
}

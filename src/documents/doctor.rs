//! The health of an installation: the document and the text of `doctor`.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::table::text_table;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Not looked at, with why.
    Skipped,
    /// Somebody should see to it.
    Warning,
    /// It has to be repaired.
    Broken,
}

impl Status {
    /// Returns the word of the text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "WARNING",
            Self::Broken => "BROKEN",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckPart {
    /// `configuration`, `state.redb`, `disk`, `clock`, ...
    pub name: String,
    /// How it is.
    pub status: Status,
    /// What was found.
    pub detail: String,
    /// What to do; null where there is nothing.
    pub hint: Option<String>,
}

/// A file of the store.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FileSpacePart {
    pub name: String,
    pub bytes: u64,
    /// Keys and rows; null, as what follows, where the file could not be read.
    pub stored_bytes: Option<u64>,
    /// What the engine needs to find them.
    pub metadata_bytes: Option<u64>,
    /// Unused parts of pages in use.
    pub fragmented_bytes: Option<u64>,
    /// Everything else: pages that nothing uses, and the engine's own.
    pub free_bytes: Option<u64>,
}

/// A symbol's candles.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SymbolFreshnessPart {
    pub symbol: String,
    pub newest_close_at: String,
    pub age_hours: f64,
    /// Units that a run would reuse.
    pub reusable: u64,
    /// Of those, evaluated again just now.
    pub checked: u64,
    /// Whether they repeat.
    pub sound: bool,
}

/// One of the last runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DoctorRunPart {
    pub run: u64,
    pub started_at: String,
    pub result: String,
    pub exit_code: i32,
    pub duration_ms: u64,
    pub peak_rss_bytes: u64,
}

/// The state of an installation, check by check.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DoctorDocument {
    /// Whether nothing needs anybody's attention.
    pub healthy: bool,
    /// Everything that was looked at.
    pub checks: Vec<CheckPart>,
    /// Files of the store.
    pub files: Vec<FileSpacePart>,
    /// Symbols, where the candles are known.
    pub symbols: Vec<SymbolFreshnessPart>,
    /// The last runs of the profile, newest first.
    pub runs: Vec<DoctorRunPart>,
    /// What was repaired or compacted.
    pub done: Vec<String>,
}

impl Document for DoctorDocument {
    const KIND: &'static str = "doctor";
}

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

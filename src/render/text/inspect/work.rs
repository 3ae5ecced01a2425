//! Units, evaluated and reused, as text.

use std::fmt::Write;

use crate::documents::inspect::Listed;
use crate::documents::inspect::{ExplainDocument, InspectCacheDocument, SymbolWorkPart};
use crate::render::text::prose::count_of;

impl ExplainDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        format!("run {} of profile {}\n{}", self.run, self.profile, explain_text(&self.symbols))
    }
}

/// Returns why units were evaluated, symbol by symbol.
pub fn explain_text(symbols: &[SymbolWorkPart]) -> String {
    let mut text = String::new();
    for symbol in symbols {
        let files = match symbol.files_read.as_str() {
            "unchanged" => "files unchanged, not read",
            "incremental" => "files grew, their end read",
            _ => "files read",
        };
        let _ = writeln!(
            text,
            "{}: {} of {} days reused ({} checked again), {files}",
            symbol.symbol,
            symbol.days - symbol.evaluated.min(symbol.days),
            symbol.days,
            symbol.checked
        );
        for span in &symbol.spans {
            let days = match span.first_day == span.last_day {
                true => span.first_day.clone(),
                false => format!("{} to {}", span.first_day, span.last_day),
            };
            let _ = writeln!(text, "  {days}: {}", span.detail);
        }
        let told: u64 = symbol.spans.iter().map(|span| span.days).sum();
        if told < symbol.evaluated {
            let _ = writeln!(text, "  and {}", count_of(symbol.evaluated - told, "further day"));
        }
    }
    text
}

impl InspectCacheDocument {
    /// Returns how much is kept.
    pub(crate) fn summary(&self) -> String {
        let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let (bytes, budget) = (mebibytes(self.cached_bytes), mebibytes(self.budget_bytes));
        format!("{} kept, {bytes} of {budget}", count_of(self.cached_units, "unit"))
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "after run {} of profile {}\n{}; {} evicted\n{} of {} symbol-days reused, {} evaluated\n",
            self.run,
            self.profile,
            self.summary(),
            self.evicted,
            self.symbol_days_reused,
            self.symbol_days,
            self.symbol_days_evaluated,
        );
        if !self.symbols.is_empty() {
            let _ = writeln!(text, "\n{}", self.listing().text());
        }
        if !self.reasons.is_empty() {
            text.push_str("`optimizer explain` says which days, with old and new\n");
        }
        text
    }
}

//! The forecast of a run as text.

use std::fmt::Write as _;

use crate::documents::dry_run::ForecastDocument;

use super::prose::count_of;
use super::run::{elapsed_text, mebibytes_text, milliseconds_text};

impl ForecastDocument {
    /// Returns it as text for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{} of {}; {}: {} to be evaluated, {} reused; {}",
            count_of(self.candles, "candle"),
            count_of(self.symbols, "symbol"),
            count_of(self.units_total, "symbol-day"),
            self.units_evaluated,
            self.units_reused,
            count_of(self.parameter_sets, "parameter set")
        );
        for (reason, units) in &self.reasons {
            let _ = writeln!(text, "  {reason}: {units}");
        }
        let basis = match self.estimate.basis.as_str() {
            "answer" => "nothing changed: the answer is known".to_owned(),
            "runs" => format!("by {} earlier with the same plan", plural_of(self.estimate.runs, "run")),
            _ => "by a few symbol-days, evaluated, and one search".to_owned(),
        };
        let _ = writeln!(
            text,
            "about {} and {} at the peak ({basis}); nothing was written",
            elapsed_text(self.estimate.duration_ms),
            mebibytes_text(self.estimate.peak_rss_bytes)
        );
        text
    }

    /// Returns the line that scripts read.
    pub fn summary_line(&self) -> String {
        format!(
            "result=dry_run symbols={} units_new={} units_reused={} expected_peak_rss={} expected_elapsed={}",
            self.symbols,
            self.units_evaluated,
            self.units_reused,
            mebibytes_text(self.estimate.peak_rss_bytes),
            milliseconds_text(self.estimate.duration_ms)
        )
    }
}

fn plural_of(count: u64, name: &str) -> String {
    if count == 1 { format!("one {name}") } else { format!("{count} {name}s") }
}

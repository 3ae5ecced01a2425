//! Memory of processes as text.

use std::fmt::Write as _;

use crate::documents::memory::{
    ComponentPart, HeapDiffDocument, MemoryDiffDocument, MemoryReportDocument, MemoryWatchDocument,
    RunPeakPart, SitePart,
};
use crate::render::text::table::text_table;

impl MemoryWatchDocument {
    /// Returns it as text for people.
    pub fn text(&self) -> String {
        let ended = if self.ended { "; it has ended" } else { "" };
        format!(
            "process {}: {} samples, {} -> {} resident, highest {}, peak {}{ended}\n\
             {:+.1} MiB an hour ({:.0} % of the spread on a line): {}; alarm: {}\n",
            self.pid,
            self.samples,
            mebibytes_of(self.first.rss_bytes),
            mebibytes_of(self.last.rss_bytes),
            mebibytes_of(self.highest_rss_bytes),
            mebibytes_of(self.last.peak_rss_bytes),
            self.bytes_per_hour / f64::from(1 << 20),
            100.0 * self.explained,
            self.growth,
            self.alarm
        )
    }
}

impl MemoryReportDocument {
    /// Returns it as text for people.
    pub fn text(&self) -> String {
        let component =
            |part: &ComponentPart| vec![part.name.clone(), mebibytes_of(part.bytes), part.basis.clone()];
        let components: Vec<Vec<String>> = self.components.iter().map(component).collect();
        let mut text = format!("{}\n", text_table(&["Of a run", "Memory", "Basis"], &components));
        if !self.runs.is_empty() {
            let run = |run: &RunPeakPart| {
                vec![
                    run.run.to_string(),
                    run.started_at.clone(),
                    mebibytes_of(run.peak_rss_bytes),
                    run.alarm.clone(),
                ]
            };
            let runs: Vec<Vec<String>> = self.runs.iter().map(run).collect();
            let _ = writeln!(text, "\n{}", text_table(&["Run", "Started", "Peak", "Alarm"], &runs));
        }
        let _ = writeln!(
            text,
            "\nalarms: warning from {}, critical from {}; this process: {} resident, peak {}",
            mebibytes_of(self.warning_bytes),
            mebibytes_of(self.critical_bytes),
            mebibytes_of(self.own.rss_bytes),
            mebibytes_of(self.own.peak_rss_bytes)
        );
        text
    }
}

impl MemoryDiffDocument {
    /// Returns it as text for people.
    pub fn text(&self) -> String {
        let row = |(name, change): (&String, &i64)| vec![name.clone(), format!("{change:+}")];
        let rows: Vec<Vec<String>> = self.changes.iter().map(row).collect();
        format!("{} -> {}\n{}\n", self.before.at, self.after.at, text_table(&["", "Change"], &rows))
    }
}

/// Sites shown as text.
const SITES_SHOWN: usize = 20;

impl HeapDiffDocument {
    /// Returns it as text for people.
    pub fn text(&self) -> String {
        let row = |part: &SitePart| {
            vec![
                part.site.clone(),
                part.peak_bytes_before.to_string(),
                part.peak_bytes_after.to_string(),
                format!("{:+}", part.growth_bytes),
                part.peak_blocks_before.to_string(),
                part.peak_blocks_after.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> =
            [&self.all].into_iter().chain(self.sites.iter().take(SITES_SHOWN)).map(row).collect();
        let header = ["At the peak", "Bytes", "then", "Growth", "Blocks", "then"];
        let more = self.sites.len().saturating_sub(SITES_SHOWN);
        let more = if more > 0 { format!("{more} more sites differ (--json); ") } else { String::new() };
        format!("{}\n{more}{} sites are the same\n", text_table(&header, &rows), self.unchanged)
    }
}

fn mebibytes_of(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

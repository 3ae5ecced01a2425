//! A stored run as text.

use std::fmt::Write as _;

use crate::documents::input::{IssuePart, RunPart};
use crate::documents::inspect::InspectRunDocument;
use crate::render::text::prose::{count_of, minute_text, wrap_sentence, wrap_words};
use crate::run::adopt::is_by_hand;

/// Issues shown in the text; the document has all that are kept.
const ISSUES_SHOWN: usize = 20;

/// What is said of a run of which only the summary is kept.
const SUMMARY_TEXT: &str = "
the summary of this run is kept: its configuration, decisions, verdicts and the figures they rest on;
its trials, daily returns, surfaces and work, and the figures that only describe, are not (store.keep_full_runs)
";

impl InspectRunDocument {
    /// Returns the document as text for people; with the configuration where asked for.
    pub fn text(&self, with_config: bool) -> String {
        let text = self.body();
        match with_config {
            true => format!("{text}\nconfiguration:\n{}\n", self.config_toml.trim_end()),
            false => text + "\n-v shows the configuration of the run\n",
        }
    }

    /// Returns the text without the configuration.
    pub(crate) fn body(&self) -> String {
        let mut text = self.head();
        for (name, style) in &self.styles {
            let _ = write!(text, "\n{}", style.text(name, self.input.signals.is_some()));
        }
        if self.is_summary {
            text += SUMMARY_TEXT;
        }
        text + &issues_text(&self.input.issues)
    }

    fn head(&self) -> String {
        let RunPart { profile, result, exit_code, duration_ms, threads, app_version, .. } = &self.run;
        let id = self.run.id.unwrap_or_default();
        let mut text = format!("run {id} of profile {profile}: {result} (exit code {exit_code})\n");
        let started = minute_text(&self.run.started_at);
        if is_by_hand(result) {
            let _ = writeln!(text, "decided by hand {started}, version {app_version}");
            return text;
        }
        let peak = self.run.peak_rss_bytes;
        let peak =
            peak.map_or_else(String::new, |bytes| format!(", {} MiB at most", bytes.div_ceil(1 << 20)));
        let threads = count_of(u64::from(*threads), "thread");
        let _ = writeln!(
            text,
            "began {started}, took {duration_ms} ms on {threads}{peak}, version {app_version}"
        );
        let input = &self.input;
        let span = match (&input.first_day, &input.last_day) {
            (Some(first), Some(last)) => format!(", {first} to {last} ({})", count_of(input.days, "day")),
            _ => String::new(),
        };
        let (files, symbols) =
            (count_of(input.files, "file"), count_of(input.symbols.len() as u64, "symbol"));
        let _ = writeln!(text, "read {} candles of {symbols} from {files}{span}", input.candles);
        text += &wrap_words("  ", 2, &input.symbols);
        let asked = [("from", &input.asked_first_day), ("before", &input.asked_end_day)];
        let asked =
            asked.map(|(word, day)| day.as_ref().map(|day| format!(" {word} {day}")).unwrap_or_default());
        if asked.iter().any(|text| !text.is_empty()) {
            let _ = writeln!(text, "days asked for:{}", asked.concat());
        }
        let (data, plan) = (&self.run.data_fingerprint, &self.run.plan_fingerprint);
        let _ = writeln!(text, "fingerprints: data {data}, plan {plan}");
        text
    }
}

fn issues_text(issues: &[IssuePart]) -> String {
    if issues.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}:\n", count_of(issues.len() as u64, "issue"));
    for issue in issues.iter().take(ISSUES_SHOWN) {
        let line = format!("{}: {} x {}: {}", issue.file, issue.count, issue.kind, issue.detail);
        text += &wrap_sentence("  ", &line);
    }
    let more = issues.len().saturating_sub(ISSUES_SHOWN);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more; --json shows all that are kept");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_issues_are_listed() {
        let issue = |n: usize| IssuePart {
            line: None,
            file: format!("{n}.csv"),
            kind: "gap".to_owned(),
            count: 1,
            detail: "one candle".to_owned(),
        };
        let text = issues_text(&(0..25).map(issue).collect::<Vec<_>>());
        assert!(text.starts_with("\n25 issues:\n  0.csv: 1 x gap: one candle\n"), "{text}");
        assert!(text.contains("19.csv") && !text.contains("20.csv"), "{text}");
        assert!(text.ends_with("and 5 more; --json shows all that are kept\n"), "{text}");
        assert_eq!(issues_text(&[]), "");
    }
}

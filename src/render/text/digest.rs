//! A run in few words: the sentences of the digest, and the digest as a message for every channel.

use std::fmt::Write as _;

use maud::{DOCTYPE, html};

use crate::decide::RunResult;
use crate::documents::change::ChangePart;
use crate::documents::digest::{DigestDocument, DigestFailure, DigestFigures, DigestStyle};
use crate::documents::document::Envelope;
use crate::documents::evidence::EvidencePart;

use crate::model::rfc3339;
use crate::notify::Message;
use crate::render::text::prose::count_of;
use crate::render::text::run::{run_conclusion, run_warnings};
use crate::run::freshness::ClockState;
use crate::run::report::{RunReport, StyleReport};
use crate::run::result::KnownEvidence;
use crate::run::unreported::Overdue;

/// Most changes that are told; a message stays small whatever happened.
const CHANGES_MAX: usize = 40;

/// Most characters of any line.
const LINE_CHARS: usize = 500;

impl DigestDocument {
    /// Returns the digest of a run.
    pub fn of_run(report: &RunReport, link: Option<&str>) -> Self {
        let changes = report.styles.iter().flat_map(StyleReport::applied_changes);
        let mut changes: Vec<ChangePart> = changes.map(|change| ChangePart::from(&change)).collect();
        let changes_more = changes.len().saturating_sub(CHANGES_MAX) as u64;
        changes.truncate(CHANGES_MAX);
        Self {
            result: report.result.as_str().to_owned(),
            profile: report.profile.clone(),
            run: report.run,
            headline: short_line(&run_headline(report)),
            warnings: run_warnings(report).iter().map(|line| short_line(line)).collect(),
            styles: report.styles.iter().map(digest_style).collect(),
            changes,
            changes_more,
            failure: None,
            report: link.map(str::to_owned),
        }
    }

    /// Returns the digest of a run that failed.
    pub fn of_failure(profile: &str, failure: DigestFailure) -> Self {
        let failure = DigestFailure {
            message: short_line(&failure.message),
            hint: failure.hint.map(|hint| short_line(&hint)),
            ..failure
        };
        let headline = "the run failed; the active parameters stay".to_owned();
        Self { failure: Some(failure), ..Self::plain("failed", profile, headline) }
    }

    /// Returns the digest of an earlier run that was interrupted before it was reported.
    pub fn of_overdue(profile: &str, earlier: &Overdue) -> Self {
        let result = if earlier.changes.is_empty() { &earlier.result } else { RunResult::Changed.as_str() };
        let headline = format!(
            "not reported until now: run {} ended as {} and was interrupted ({})",
            earlier.run,
            earlier.result,
            rfc3339(earlier.started_at_ms)
        );
        Self {
            run: Some(earlier.run),
            changes: earlier.changes.iter().take(CHANGES_MAX).map(ChangePart::from).collect(),
            changes_more: earlier.changes.len().saturating_sub(CHANGES_MAX) as u64,
            ..Self::plain(result, profile, short_line(&headline))
        }
    }

    /// Returns what a test says.
    pub fn of_test(profile: &str) -> Self {
        Self::plain("test", profile, "this is a test; messages arrive".to_owned())
    }

    fn plain(result: &str, profile: &str, headline: String) -> Self {
        Self {
            result: result.to_owned(),
            profile: profile.to_owned(),
            run: None,
            headline,
            warnings: Vec::new(),
            styles: Vec::new(),
            changes: Vec::new(),
            changes_more: 0,
            failure: None,
            report: None,
        }
    }

    /// Returns the messages for every channel.
    pub fn message(&self, now_ms: i64) -> Message {
        let changed = self.result == RunResult::Changed.as_str();
        let urgent = self.failure.is_some() || changed || !self.warnings.is_empty();
        Message {
            subject: short_line(&format!("optimizer {}: {}", self.profile, self.headline)),
            text: self.text(),
            html: self.html(),
            json: Envelope::new(self.clone(), now_ms).to_json(),
            urgent,
        }
    }

    /// Returns the digest as plain text.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.headline);
        if let Some(failure) = &self.failure {
            let _ = writeln!(text, "\n{}", failure.message);
            let _ = failure.hint.iter().try_for_each(|hint| writeln!(text, "hint: {hint}"));
            let _ = writeln!(text, "exit code {}", failure.exit_code);
        }
        if !self.warnings.is_empty() {
            text.push('\n');
        }
        let _ = self.warnings.iter().try_for_each(|line| writeln!(text, "warning: {line}"));
        for style in &self.styles {
            let _ = writeln!(text, "\n{}: {}", style.style, style.verdict);
            let _ = style.answers.iter().try_for_each(|line| writeln!(text, "{line}"));
            let _ = style.figures().iter().try_for_each(|(name, line)| writeln!(text, "{name}: {line}"));
        }
        if !self.changes.is_empty() {
            text.push('\n');
        }
        for change in &self.changes {
            let _ = writeln!(
                text,
                "{} {}: {} -> {}",
                change.scope,
                change.key,
                value(&change.old),
                value(&change.new)
            );
        }
        if self.changes_more > 0 {
            let _ = writeln!(text, "and {} changes more", self.changes_more);
        }
        let _ = self.run.iter().try_for_each(|run| writeln!(text, "\nrun {run} of profile {}", self.profile));
        let _ = self.report.iter().try_for_each(|report| writeln!(text, "report: {report}"));
        text
    }

    fn html(&self) -> String {
        let link = self.report.as_deref().filter(|report| report.starts_with("https://"));
        let page = html! {
            (DOCTYPE)
            html {
                body style="font-family:sans-serif" {
                    h3 { (self.headline) }
                    @if let Some(failure) = &self.failure {
                        p { (failure.message) }
                        @if let Some(hint) = &failure.hint { p { "hint: " (hint) } }
                        p { "exit code " (failure.exit_code) }
                    }
                    @for line in &self.warnings { p { b { "warning: " } (line) } }
                    @for style in &self.styles {
                        h4 { (style.style) ": " (style.verdict) }
                        @for line in &style.answers { p { (line) } }
                        @for (name, line) in style.figures() { p { b { (name) } ": " (line) } }
                    }
                    @if !self.changes.is_empty() {
                        table cellpadding="4" {
                            tr { th { "scope" } th { "key" } th { "old" } th { "new" } }
                            @for change in &self.changes {
                                tr {
                                    td { (change.scope) } td { (change.key) }
                                    td { (value(&change.old)) } td { b { (value(&change.new)) } }
                                }
                            }
                        }
                    }
                    @if self.changes_more > 0 { p { "and " (self.changes_more) " changes more" } }
                    @if let Some(run) = self.run { p { "run " (run) " of profile " (self.profile) } }
                    @if let Some(link) = link { p { a href=(link) { "report" } } }
                    @else if let Some(path) = &self.report { p { "report: " (path) } }
                }
            }
        };
        page.into_string()
    }
}

impl DigestStyle {
    /// Returns the figures of the sets, a line each.
    fn figures(&self) -> Vec<(&'static str, String)> {
        let line =
            |(name, figures): (&'static str, &Option<DigestFigures>)| Some((name, figures.as_ref()?.text()));
        [("candidate out of sample", &self.candidate), ("active out of sample", &self.incumbent)]
            .into_iter()
            .filter_map(line)
            .collect()
    }
}

impl DigestFigures {
    fn text(&self) -> String {
        let number =
            |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |v| format!("{v:.digits$}"));
        format!(
            "{} trades, {} % won, {} % a trade, profit factor {}, drawdown {} %",
            self.trades,
            number(self.win_rate.map(|rate| rate * 100.0), 0),
            number(self.expectancy_pct, 3),
            number(self.profit_factor, 2),
            number(self.max_drawdown_pct, 1)
        )
    }
}

/// Returns what a run comes to, and in how many words its candles cannot be trusted.
fn run_headline(report: &RunReport) -> String {
    let clock = match &report.freshness.clock {
        ClockState::Sound => String::new(),
        clock => format!("; the clock is {}", clock.as_str()),
    };
    let stale = match report.freshness.stale() {
        0 => String::new(),
        count => format!("; stale candles: {}", count_of(count as u64, "symbol")),
    };
    format!("{}{stale}{clock}", run_conclusion(report))
}

fn digest_style(style: &StyleReport) -> DigestStyle {
    let answers = EvidencePart::from(&KnownEvidence::from(&style.evidence)).lines();
    DigestStyle {
        style: style.style.to_string(),
        verdict: style.study.judgement.verdict.to_string(),
        answers: answers.iter().map(|line| short_line(line)).collect(),
        candidate: style.study.top.first().map(DigestFigures::of),
        incumbent: style.study.incumbent.as_ref().map(DigestFigures::of),
    }
}

fn value(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("-")
}

/// Returns text cut to the longest line.
fn short_line(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_told_is_escaped_and_small() {
        let long = "<script>alert('&')</script>".repeat(1_000);
        let failure = DigestFailure { exit_code: 4, message: long.clone(), hint: Some(long) };
        let message = DigestDocument::of_failure("<b>", failure).message(0);
        assert!(
            !message.html.contains("<script>") && message.html.contains("&lt;script&gt;"),
            "{}",
            message.html
        );
        for form in [&message.subject, &message.text, &message.html, &message.json] {
            assert!(form.len() < 10_000, "{}", form.len());
        }
        assert!(message.urgent && message.text.contains("exit code 4"));
    }
}

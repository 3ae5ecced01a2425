//! A run in few words: the sentences of the digest, and the digest as a message for every channel.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use maud::{DOCTYPE, html};

use crate::decide::RunResult;
use crate::documents::change::ChangePart;
use crate::documents::digest::{DigestDocument, DigestFailure, DigestFigures, DigestStyle};
use crate::documents::document::Envelope;
use crate::documents::evidence::EvidencePart;
use crate::documents::inspect::InspectRunDocument;
use crate::documents::style::StylePart;

use crate::model::rfc3339;
use crate::notify::Message;
use crate::render::text::prose::{count_of, key_values};
use crate::render::text::run::{conclusion, run_conclusion, run_warnings};
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
            data_until: report.input.days().map(|(_, last)| last.to_string()),
            active: report
                .results()
                .filter_map(|result| active_of(&StylePart::from(&result), result.style.as_str()))
                .collect(),
            host: None,
        }
    }

    /// Returns the digest of a run in the store.
    pub fn of_stored(found: &InspectRunDocument) -> Self {
        let decided = |part: &StylePart| part.decision.clone().filter(|decision| decision.changed);
        let changes: Vec<ChangePart> =
            found.styles.values().filter_map(decided).flat_map(|decision| decision.changes).collect();
        let scopes: Vec<&str> =
            changes.iter().map(|change| change.scope.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
        let headline = match RunResult::named(&found.run.result) {
            Some(result) => conclusion(result, &scopes),
            None => found.run.result.clone(),
        };
        Self {
            run: found.run.id,
            styles: found.styles.iter().map(|(name, part)| digest_stored(name, part)).collect(),
            changes_more: changes.len().saturating_sub(CHANGES_MAX) as u64,
            changes: changes.into_iter().take(CHANGES_MAX).collect(),
            data_until: found.input.last_day.clone(),
            active: found.styles.iter().filter_map(|(name, part)| active_of(part, name)).collect(),
            ..Self::plain(&found.run.result, &found.run.profile, short_line(&headline))
        }
    }

    /// Returns the digest of a step of a day that failed; the run tells of itself.
    pub fn of_step(profile: &str, step: &str, failure: DigestFailure) -> Self {
        let headline = match step {
            "fetch" => "candles could not be fetched; the run goes on with those of before".to_owned(),
            "export" => "the bot's file was not written; it is as it was".to_owned(),
            other => format!("{other} failed; the rest of the day is done"),
        };
        Self { headline, ..Self::of_failure(profile, failure) }
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
            data_until: None,
            active: BTreeMap::new(),
            host: None,
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
        // What somebody has to know first: what is another now.
        if !self.changes.is_empty() {
            text.push('\n');
        }
        for ChangePart { scope, key, old, new } in &self.changes {
            let _ = writeln!(text, "{scope} {key}: {} -> {}", value(old), value(new));
        }
        if self.changes_more > 0 {
            let _ = writeln!(text, "and {} more", count_of(self.changes_more, "change"));
        }
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
        let foot = self.foot();
        if !foot.is_empty() {
            text.push('\n');
        }
        let _ = foot.iter().try_for_each(|line| writeln!(text, "{line}"));
        let _ = self.report.iter().try_for_each(|report| writeln!(text, "report: {report}"));
        text
    }

    /// Returns what is active, on which candles, and of what run where: a line each.
    fn foot(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (style, params) in &self.active {
            lines.push(short_line(&format!("active, {style}: {}", key_values(params).join(" "))));
        }
        lines.extend(self.data_until.iter().map(|day| format!("candles until {day}")));
        lines.extend(self.run.map(|run| format!("run {run} of profile {}", self.profile)));
        lines.extend(self.host.iter().map(|host| format!("on {host}")));
        lines
    }

    fn html(&self) -> String {
        let link = self.report.as_deref().filter(|report| report.starts_with("https://"));
        let page = html! {
            (DOCTYPE)
            html {
                body style="font-family:sans-serif" {
                    h3 { (self.headline) }
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
                    @if self.changes_more > 0 { p { "and " (count_of(self.changes_more, "change")) " more" } }
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
                    @for line in self.foot() { p { (line) } }
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

fn digest_stored(name: &str, part: &StylePart) -> DigestStyle {
    let answers = part.evidence.as_ref().map(EvidencePart::lines).unwrap_or_default();
    let decision = part.decision.as_ref();
    DigestStyle {
        style: name.to_owned(),
        verdict: decision.map_or_else(|| "-".to_owned(), |decision| decision.verdict.clone()),
        answers: answers.iter().map(|line| short_line(line)).collect(),
        candidate: decision
            .and_then(|decision| Some(DigestFigures::from(&decision.candidate.as_ref()?.out_of_sample))),
        incumbent: decision
            .and_then(|decision| Some(DigestFigures::from(&decision.incumbent.as_ref()?.out_of_sample))),
    }
}

/// Returns what is active after a run: the candidate where it was adopted, else what was before.
fn active_of(part: &StylePart, name: &str) -> Option<(String, serde_json::Map<String, serde_json::Value>)> {
    let decision = part.decision.as_ref()?;
    let active = if decision.adopted { &decision.candidate } else { &decision.incumbent };
    // What was taken back is not what was measured.
    let is_known = decision.adopted || !decision.changed;
    Some((name.to_owned(), active.as_ref().filter(|_| is_known)?.params.clone()))
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

//! Everything a store knows about one run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::runs::day_text;
use super::{
    InspectError, candidate_part, count_of, key_values, minute_text, require_profile, unknown_run,
    wrap_sentence, wrap_words,
};
use crate::documents::document::Document;
use crate::documents::run::{CandidatePart, EvidencePart, ReplayPart};
use crate::documents::table::{results_table, with_decimals};
use crate::fingerprint::Fingerprint;
use crate::model::rfc3339;
use crate::run::adopt::is_by_hand;
use crate::store::Snapshot;
use crate::store::records::{ChangeRecord, DecisionRecord, IssueRecord, RunRecord, StoredMetrics};

/// Issues shown in the text; the document has all that are kept.
const ISSUES_SHOWN: usize = 20;

/// One run: what went in, what was decided per style and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectRunDocument {
    pub run: InspectRunPart,
    pub input: InspectInputPart,
    pub styles: BTreeMap<String, InspectRunStylePart>,
    /// The effective configuration, as TOML.
    pub config_toml: String,
}

impl Document for InspectRunDocument {
    const KIND: &'static str = "inspect_run";
}

/// The run itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectRunPart {
    pub id: u64,
    pub profile: String,
    pub started_at: String,
    pub duration_ms: u64,
    pub result: String,
    pub exit_code: i32,
    /// Null where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    pub threads: u32,
    pub app_version: String,
    pub data_fingerprint: String,
    pub plan_fingerprint: String,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectInputPart {
    pub files: u64,
    pub symbols: Vec<String>,
    pub candles: u64,
    pub days: u64,
    pub first_day: Option<String>,
    pub last_day: Option<String>,
    /// First day that was asked for, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_first_day: Option<String>,
    /// The day that was asked to end before, where one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_end_day: Option<String>,
    /// At most 200 are kept.
    pub issues: Vec<IssueRecord>,
}

/// One style of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectRunStylePart {
    pub signals: u64,
    /// Signals whose longest label was not complete yet.
    pub pending_signals: u64,
    pub parameter_sets: u64,
    /// Moves an oracle would have taken.
    pub opportunities: u64,
    pub evidence: Option<EvidencePart>,
    pub decision: Option<InspectDecisionPart>,
}

/// What was decided, and on what grounds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectDecisionPart {
    pub verdict: String,
    /// `adopted`, `unchanged`, `not_convincing` or `rejected`.
    pub outcome: String,
    pub adopted: bool,
    /// Whether parameters of the style or of a symbol changed.
    pub changed: bool,
    pub score_name: String,
    pub stability: Option<f64>,
    pub degradation: Option<f64>,
    pub win_rate_ratio: Option<f64>,
    pub early_days: Option<[String; 2]>,
    pub late_days: Option<[String; 2]>,
    pub candidate: Option<CandidatePart>,
    pub incumbent: Option<CandidatePart>,
    /// What changed, or would have changed had the candidate been adopted.
    pub changes: Vec<ChangeRecord>,
    pub reasons: Vec<String>,
}

impl InspectDecisionPart {
    fn new(record: &DecisionRecord) -> Self {
        let span = |first: &str, last: &str| Some([day_text(first)?, day_text(last)?]);
        Self {
            verdict: record.verdict.clone(),
            outcome: record.outcome.clone(),
            adopted: record.adopted,
            changed: record.changed,
            score_name: record.score_name.clone(),
            stability: record.stability,
            degradation: record.degradation,
            win_rate_ratio: record.win_rate_ratio,
            early_days: span(&record.early_first_day, &record.early_last_day),
            late_days: span(&record.late_first_day, &record.late_last_day),
            candidate: record.candidate.as_ref().map(candidate_part),
            incumbent: record.incumbent.as_ref().map(candidate_part),
            changes: record.changes.clone(),
            reasons: record.reasons.clone(),
        }
    }
}

impl InspectRunDocument {
    /// Reads a run.
    ///
    /// Errors: those of reading the store; an unknown profile or run.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, id: u64) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        let Some(record) = snapshot.run(profile, id)? else {
            return Err(unknown_run(snapshot, profile, id)?);
        };
        let decisions = snapshot.decisions(profile, id)?;
        let style = |style: &crate::store::records::RunStyleRecord| {
            let decision = decisions.iter().find(|(found, _)| found.as_str() == style.style);
            let evidence = match decision {
                Some((style, _)) => snapshot.evidence(profile, id, *style)?,
                None => None,
            };
            let part = InspectRunStylePart {
                evidence: evidence.as_ref().map(EvidencePart::from),
                signals: style.signals,
                pending_signals: style.pending,
                parameter_sets: style.parameter_sets,
                opportunities: style.opportunities,
                decision: decision.map(|(_, record)| InspectDecisionPart::new(record)),
            };
            Ok((style.style.clone(), part))
        };
        Ok(Self {
            run: run_part(profile, id, &record),
            input: input_part(&record),
            styles: record.styles.iter().map(style).collect::<Result<_, InspectError>>()?,
            config_toml: record.config_toml,
        })
    }

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
            let _ = write!(text, "\n{}", style_text(name, style));
        }
        text + &issues_text(&self.input.issues)
    }

    fn head(&self) -> String {
        let InspectRunPart { id, profile, result, exit_code, duration_ms, threads, app_version, .. } =
            &self.run;
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

fn run_part(profile: &str, id: u64, record: &RunRecord) -> InspectRunPart {
    InspectRunPart {
        id,
        profile: profile.to_owned(),
        started_at: rfc3339(record.started_at_ms),
        duration_ms: record.duration_ms,
        result: record.result.clone(),
        exit_code: record.exit_code,
        // The record has 0 for unknown.
        peak_rss_bytes: Some(record.peak_rss_bytes).filter(|bytes| *bytes > 0),
        threads: record.threads,
        app_version: record.app_version.clone(),
        data_fingerprint: Fingerprint(record.data_fingerprint).to_string(),
        plan_fingerprint: Fingerprint(record.plan_fingerprint).to_string(),
    }
}

fn input_part(record: &RunRecord) -> InspectInputPart {
    InspectInputPart {
        files: record.files,
        symbols: record.symbols.clone(),
        candles: record.candles,
        days: record.days,
        first_day: day_text(&record.first_day),
        last_day: day_text(&record.last_day),
        asked_first_day: day_text(&record.asked_first_day),
        asked_end_day: day_text(&record.asked_end_day),
        issues: record.issues.clone(),
    }
}

fn style_text(name: &str, style: &InspectRunStylePart) -> String {
    let verdict = style.decision.as_ref().map_or("nothing decided", |decision| decision.verdict.as_str());
    let outcome = style.decision.as_ref().map_or_else(String::new, |d| format!(", {}", d.outcome));
    let mut text = format!("{name}: {verdict}{outcome}\n");
    let (sets, opportunities) = (style.parameter_sets, style.opportunities);
    let (signals, pending) = (style.signals, style.pending_signals);
    if sets > 0 {
        let _ = writeln!(
            text,
            "  {sets} parameter sets over {signals} signals ({pending} pending), {opportunities} opportunities"
        );
    }
    for line in style.evidence.iter().flat_map(EvidencePart::lines) {
        text += &wrap_words("  ", 4, line.split_whitespace());
    }
    let replay = style.evidence.as_ref().and_then(|evidence| evidence.replay.as_ref());
    text + &style.decision.as_ref().map(|decision| decision_text(decision, replay)).unwrap_or_default()
}

fn decision_text(decision: &InspectDecisionPart, replay: Option<&ReplayPart>) -> String {
    let mut text = String::new();
    if let (Some([a, b]), Some([c, d])) = (&decision.early_days, &decision.late_days) {
        let _ = writeln!(text, "  in-sample {a} to {b}, out-of-sample {c} to {d}");
    }
    let both = [("candidate", &decision.candidate), ("active", &decision.incumbent)];
    let both: Vec<(&str, &CandidatePart)> =
        both.iter().filter_map(|(n, c)| Some((*n, c.as_ref()?))).collect();
    let mut rows: Vec<(String, StoredMetrics)> =
        both.iter().flat_map(|(name, part)| metric_rows(name, part)).collect();
    rows.extend(replay.iter().flat_map(|replay| replay.rows("candidate, traded", "active, traded")));
    if !rows.is_empty() {
        text += &format!("{}\n", results_table(&rows));
    }
    for (name, part) in &both {
        let (score, score_name) = (with_decimals(part.score, 4), &decision.score_name);
        text += &wrap_words(&format!("  {name}: {score_name} score {score};"), 4, key_values(&part.params));
    }
    text.extend(decision.reasons.iter().map(|reason| wrap_sentence("  - ", reason)));
    if !decision.changes.is_empty() {
        text += if decision.changed { "  changed:\n" } else { "  would have changed:\n" };
    }
    for change in &decision.changes {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let symbol = change.scope.split_once('/').map_or_else(String::new, |_| format!("{} ", change.scope));
        let _ =
            writeln!(text, "  * {symbol}{}: {} -> {}", change.key, value(&change.old), value(&change.new));
    }
    text
}

fn metric_rows(name: &str, part: &CandidatePart) -> [(String, StoredMetrics); 3] {
    [("IS", &part.early), ("OOS", &part.late), ("all", &part.metrics)]
        .map(|(when, metrics)| (format!("{name}, {when}"), metrics.clone()))
}

fn issues_text(issues: &[IssueRecord]) -> String {
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
        let issue = |n: usize| IssueRecord {
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

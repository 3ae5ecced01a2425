//! What matters of a run, decision first: a few lines that somebody reads in the morning.

use std::collections::BTreeMap;

use super::freshness::{age_lines, time_in_words};
use super::prose::{count_of, wrap_words};
use super::run::{data_issues, run_conclusion, signals_line};
use super::table::with_decimals;
use crate::decide::{DecisionOutcome, RunResult};
use crate::documents::change::ChangePart;
use crate::documents::evidence::EvidencePart;
use crate::documents::style::{StyleDecisionPart, StylePart};
use crate::run::report::{RunReport, StyleReport};
use crate::validate::assessment::Assurance;

/// Changes that are listed; `inspect changes` has them all.
const CHANGES_SHOWN: usize = 6;
/// Columns by which a line goes on below itself.
const INDENT: usize = 4;

/// Returns what came of a run: the result, each style in a line, what changed, what was read and how old it is, what is wrong with it,
/// and what to type next.
pub fn decision_text(report: &RunReport, next: Option<&str>) -> String {
    let mut lines = vec![run_conclusion(report)];
    lines.extend(report.results().map(|result| StylePart::from(&result).line(result.style.as_str())));
    lines.push(changed_line(report));
    lines.push(data_line(report));
    lines.extend(age_lines(&report.freshness));
    lines.extend(
        report.input.signals.as_ref().filter(|note| note.unused().next().is_some()).map(signals_line),
    );
    lines.extend(issues_line(report));
    let wrapped = lines.iter().map(|line| wrap_words("", INDENT, line.split_whitespace()));
    // A command is copied as it stands.
    wrapped.chain(next.map(|next| format!("next: {next}\n"))).collect()
}

impl StylePart {
    /// Returns verdict, decision and expectation in one line.
    pub(super) fn line(&self, name: &str) -> String {
        let said = [
            self.evidence.as_ref().and_then(EvidencePart::significance_words),
            self.decision.as_ref().map(StyleDecisionPart::words),
            self.evidence.as_ref().and_then(EvidencePart::expectation),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        match said.is_empty() {
            true => format!("{name}: nothing decided"),
            false => format!("{name}: {}", said.join("; ")),
        }
    }
}

impl EvidencePart {
    /// Returns how sure one can be, as the word and what it means: of the switch where something is active, else of the edge.
    fn significance_words(&self) -> Option<String> {
        let found = &self.switch.as_ref().or(self.edge.as_ref())?.assurance;
        let meaning = Assurance::named(found).map(meaning_of_significance);
        Some(meaning.map_or_else(|| found.clone(), |meaning| format!("{found}, {meaning}")))
    }

    /// Returns the expected Sharpe ratio after selection.
    fn expectation(&self) -> Option<String> {
        let figure = |name: &str| self.figures.get(name).copied();
        let one = |value: Option<f64>| with_decimals(value, 1);
        let expected = figure("expected_sharpe_year")?;
        Some(format!(
            "expected Sharpe after selection {expected:.1} per year, 90 % between {} and {} (in-sample {})",
            one(figure("cross_fit_low_year")),
            one(figure("cross_fit_high_year")),
            one(figure("sharpe_year"))
        ))
    }
}

fn meaning_of_significance(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Untested => "not tested against luck",
        Assurance::NotEnoughData => "too few days or trades to tell",
        Assurance::LikelyLuck => "noise does as well",
        Assurance::Unproven => "neither noise nor proof",
        Assurance::Promising => "better than noise most of the time",
        Assurance::Real => "beyond what noise explains",
    }
}

impl StyleDecisionPart {
    /// Returns the verdict, and what was decided in plain words; a decision by hand has words of its own.
    fn words(&self) -> String {
        let is = |outcome: DecisionOutcome| self.outcome == outcome.as_str();
        let outcome = match &self.outcome {
            _ if is(DecisionOutcome::NotConvincing) => "better, but not enough for a change",
            _ if is(DecisionOutcome::Unchanged) => "the active parameters stay",
            other => other.as_str(),
        };
        // What waits for somebody says for what.
        let reason = self.reasons.first().filter(|_| is(DecisionOutcome::NotConvincing));
        let reason = reason.map(|reason| format!(" ({})", reason.text)).unwrap_or_default();
        format!("{} on the last days; {outcome}{reason}", self.verdict)
    }
}

fn changed_line(report: &RunReport) -> String {
    let changes = report.styles.iter().flat_map(StyleReport::applied_changes);
    let changes: Vec<ChangePart> = changes.map(|change| ChangePart::from(&change)).collect();
    let mut scopes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for change in changes.iter().take(CHANGES_SHOWN) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        // A value that was not there is told by the new one alone.
        let value = match (old, new) {
            (None, Some(new)) => format!("{}={new}", change.key),
            (old, new) => format!("{} {} -> {}", change.key, old.unwrap_or("-"), new.unwrap_or("-")),
        };
        scopes.entry(&change.scope).or_default().push(value);
    }
    let said: Vec<String> =
        scopes.iter().map(|(scope, values)| format!("{scope} {}", values.join(", "))).collect();
    let more = match changes.len().saturating_sub(CHANGES_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match said.is_empty() {
        true => "changed: nothing".to_owned(),
        false => format!("changed: {}{more}", said.join("; ")),
    }
}

/// Returns the days with candles, their parts, and the age of the newest candle.
fn data_line(report: &RunReport) -> String {
    let symbols = count_of(report.input.symbols.len() as u64, "symbol");
    let days = report.input.days().map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
    let split = report.results().find_map(|result| {
        let part = StylePart::from(&result);
        let decision = part.decision?;
        let ([a, b], [c, d]) = (decision.in_sample_days?, decision.out_of_sample_days?);
        Some(match part.evidence.as_ref().is_some_and(EvidencePart::all_days_chose) {
            true => {
                format!("; chosen on all days {a} to {d}, judged on each fifth left out")
            }
            false => format!("; in-sample {a} to {b}, out-of-sample {c} to {d}"),
        })
    });
    let newest = report.freshness.symbols.iter().filter_map(|symbol| symbol.newest_close_ms).max();
    let age = newest
        .map(|newest| format!("; newest candle {} old", time_in_words(report.freshness.as_of_ms - newest)));
    format!("data: {symbols}{days}{}{}", age.unwrap_or_default(), split.unwrap_or_default())
}

/// Returns how many issues of each kind the data have, in one line.
fn issues_line(report: &RunReport) -> Option<String> {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for issue in data_issues(report) {
        *kinds.entry(issue.kind).or_default() += issue.count;
    }
    let said: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} x {count}")).collect();
    (!said.is_empty())
        .then(|| format!("issues: {}; `optimizer check data PATH` has the details", said.join(", ")))
}

/// Returns the command that follows a run, `None` of one that stored nothing; `command` is how the program is typed for its store.
pub fn next_command(report: &RunReport, command: &str) -> Option<String> {
    let run = report.run?;
    Some(match report.result_to_tell() {
        RunResult::Changed => format!("{command} export-json"),
        RunResult::NotConvincing | RunResult::Rejected => format!("{command} inspect run {run}"),
        RunResult::Unchanged => format!("{command} inspect"),
    })
}

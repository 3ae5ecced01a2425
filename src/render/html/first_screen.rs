//! The first screen of a report: what was decided, how sure one can be, what changed, and on which days it rests.

use maud::{Markup, html};

use super::words::{Lang, Words};
use super::{HtmlReport, StyleSection, tone};
use crate::decide::RunResult;
use crate::documents::change::ChangePart;
use crate::documents::evidence::EvidencePart;
use crate::documents::glossary::meaning_of;
use crate::render::text::table::with_decimals;
use crate::validate::assessment::Assurance;

/// Returns what a word means, for who points at it; the glossary is English.
pub(super) fn tip(word: &str, lang: Lang) -> Option<&'static str> {
    (lang == Lang::En).then(|| meaning_of(word)).flatten()
}

/// Returns a word that says what it means to who points at it.
fn explained(word: &str, lang: Lang) -> Markup {
    html! { span title=[tip(word, lang)] { (word) } }
}

impl HtmlReport {
    /// Returns what somebody has to know who reads no further.
    pub(super) fn first_screen(&self, words: &Words, lang: Lang) -> Markup {
        html! {
            div class="verdicts" {
                p class="head" { (self.conclusion(words)) }
                @for style in &self.styles { (style.line(words, lang)) }
                (self.applied_changes(words))
                (self.window(words))
            }
        }
    }

    fn conclusion(&self, words: &Words) -> String {
        let result = &self.run.run.result;
        let said = match RunResult::named(result) {
            Some(RunResult::Changed) => words.result_changed,
            Some(RunResult::Unchanged) => words.result_unchanged,
            Some(RunResult::NotConvincing) => words.result_open,
            Some(RunResult::Rejected) => words.result_rejected,
            None => return format!("{}: {result}", words.result),
        };
        said.to_owned()
    }

    /// Returns the table of what is another now; what would have changed stands with its style.
    fn applied_changes(&self, words: &Words) -> Markup {
        let changed = self.styles.iter().filter(|style| style.decision.changed);
        let changes: Vec<&ChangePart> = changed.flat_map(|style| &style.decision.changes).collect();
        html! { @if !changes.is_empty() { (changes_table(&changes, words)) } }
    }

    /// Returns the days with candles and their parts, and how old the newest candle was.
    fn window(&self, words: &Words) -> Markup {
        let input = &self.run.input;
        let parts = self.styles.iter().find_map(|style| {
            let ([a, b], [c, d]) =
                (style.decision.in_sample_days.as_ref()?, style.decision.out_of_sample_days.as_ref()?);
            Some((style.all_days_chose(), [a, b, c, d]))
        });
        let newest = input
            .freshness
            .as_ref()
            .and_then(|found| found.symbols.iter().filter_map(|symbol| symbol.newest_close.as_deref()).max());
        html! {
            p class="dim" {
                @if let (Some(first), Some(last)) = (&input.first_day, &input.last_day) { (words.data) ": " (first) " – " (last) }
                @if let Some((all_chose, [a, b, c, d])) = parts {
                    "; " (if all_chose { words.first_days } else { words.early }) " " (a) " – " (b)
                    "; " (if all_chose { words.last_days } else { words.late }) " " (c) " – " (d)
                    @if all_chose { "; " (words.all_chose) }
                }
                @if let Some(newest) = newest { "; " (words.newest) " " (newest) }
            }
        }
    }
}

impl StyleSection {
    fn line(&self, words: &Words, lang: Lang) -> Markup {
        let evidence = self.evidence.as_ref();
        let asked = evidence.and_then(|evidence| evidence.switch.as_ref().or(evidence.edge.as_ref()));
        html! {
            p {
                span class={ "badge " (tone(&self.decision)) } title=[tip(&self.decision.verdict, lang)] {
                    (self.style) ": " (self.decision.verdict)
                }
                @if let Some(found) = asked {
                    " " b { (explained(&found.assurance, lang)) }
                    @if let Some(assurance) = Assurance::named(&found.assurance) { ", " (words.significance(assurance)) }
                }
                @if let Some(said) = evidence.and_then(|evidence| expectation(evidence, words)) { "; " (said) }
            }
        }
    }
}

fn expectation(evidence: &EvidencePart, words: &Words) -> Option<String> {
    let figure = |name: &str| evidence.figures.get(name).copied();
    let shown = |name: &str| with_decimals(figure(name), 1);
    figure("expected_sharpe_year")?;
    Some(format!(
        "{} {} ({} … {}; {} {})",
        words.expected,
        shown("expected_sharpe_year"),
        shown("cross_fit_low_year"),
        shown("cross_fit_high_year"),
        words.early,
        shown("sharpe_year")
    ))
}

/// Returns changes as a table, the old value before the new.
pub(super) fn changes_table(changes: &[&ChangePart], words: &Words) -> Markup {
    html! {
        div class="wide" { table class="text" {
            tr { th { (words.scope) } th { (words.key) } th { (words.old) } th {} th { (words.new) } }
            @for change in changes {
                tr {
                    td { (change.scope) } td { (change.key) } td { (change.old.as_deref().unwrap_or("-")) }
                    td { "→" } td { b { (change.new.as_deref().unwrap_or("-")) } }
                }
            }
        } }
    }
}

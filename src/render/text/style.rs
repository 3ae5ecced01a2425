//! A style of a run as text.

use std::fmt::Write as _;

use crate::documents::change::ChangePart;
use crate::documents::evidence::{EvidencePart, SimulationPart};
use crate::documents::metrics::MetricsPart;
use crate::documents::style::{CandidatePart, LossesPart, StyleDecisionPart, StylePart};
use crate::render::text::prose::{count_of, key_values, wrap_sentence, wrap_words};
use crate::render::text::table::{results_table, with_decimals};

/// Symbols whose losses are told one by one.
const LOSSES_SHOWN: usize = 5;

impl StylePart {
    /// Returns the style as text for people; `given` says whether its signals were given.
    pub fn text(&self, name: &str, given: bool) -> String {
        let mut text = self.head(name);
        text += &self.losses_text(given);
        let simulation = self.evidence.as_ref().and_then(|evidence| evidence.portfolio_simulation.as_ref());
        if let Some(decision) = &self.decision {
            text += &decision
                .sets_text(simulation, self.evidence.as_ref().is_some_and(EvidencePart::all_days_chose));
        }
        for line in self.evidence.iter().flat_map(EvidencePart::lines) {
            text += &wrap_words("", 4, line.split_whitespace());
        }
        if let Some(decision) = &self.decision {
            text.extend(decision.reasons.iter().map(|reason| wrap_sentence("  - ", &reason.text)));
        }
        for (symbol, part) in self.symbols.iter().flatten() {
            if let Some(own) = &part.own {
                text += &wrap_words(&format!("{symbol} has its own: "), 6, key_values(&own.params));
            }
        }
        text + &self.decision.as_ref().map(StyleDecisionPart::changes_text).unwrap_or_default()
    }

    fn head(&self, name: &str) -> String {
        let said = self.decision.as_ref().map_or_else(
            || "nothing decided".to_owned(),
            |decision| format!("verdict {}, {}", decision.verdict, decision.outcome),
        );
        if self.parameter_sets == 0 && self.signals == 0 {
            return format!("{name}: {said}\n");
        }
        let asked = self.parameter_sets_asked.filter(|asked| *asked > self.parameter_sets);
        let asked = asked.map_or_else(String::new, |asked| format!(" of {asked}"));
        let in_grid =
            self.signals_in_lattice.map_or_else(String::new, |count| format!("{count} in the grid, "));
        let sets = count_of(self.parameter_sets, "parameter set");
        let head = format!(
            "{name}: {sets}{asked} over {} ({in_grid}{} pending), {}; {said}",
            count_of(self.signals, "signal"),
            self.pending_signals,
            opportunities_of(self.opportunities)
        );
        wrap_words("", 2, head.split(' '))
    }

    /// Returns what became of given signals that are not used, and what gaps cost the symbols that they cost most.
    fn losses_text(&self, given: bool) -> String {
        let mut text = String::new();
        let in_words = |(name, count): (&str, u64)| format!("{count} {}", loss_in_words(name));
        let unused = self.unused_signals.iter().flatten().filter(|_| given);
        let unused: Vec<String> = unused.map(|(name, count)| in_words((name.as_str(), *count))).collect();
        if !unused.is_empty() {
            text += &wrap_words("  not used: ", 4, unused.join(", ").split_whitespace());
        }
        let mut losses: Vec<(&String, &LossesPart)> = self.losses.iter().flatten().collect();
        losses.sort_by_key(|(_, own)| std::cmp::Reverse(own.all()));
        for (symbol, own) in losses.iter().take(LOSSES_SHOWN) {
            let told: Vec<String> = own.named().filter(|(_, count)| *count > 0).map(in_words).collect();
            text += &wrap_words(&format!("  {symbol}: "), 4, told.join(", ").split_whitespace());
        }
        if let more @ 1.. = losses.len().saturating_sub(LOSSES_SHOWN) {
            let _ = writeln!(text, "  and {more} more symbols (--json, `optimizer inspect run`)");
        }
        text
    }
}

impl LossesPart {
    fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let Self { no_entry, no_atr, rescaled, cut, blind } = *self;
        [("no_entry", no_entry), ("no_atr", no_atr), ("rescaled", rescaled), ("cut", cut), ("blind", blind)]
            .into_iter()
    }

    fn all(&self) -> u64 {
        self.named().map(|(_, count)| count).sum()
    }
}

impl StyleDecisionPart {
    /// Returns the parts of the days, and what the sets came to on them: where all days chose, the last ones are not out of sample.
    fn sets_text(&self, simulation: Option<&SimulationPart>, all_days_chose: bool) -> String {
        let mut text = String::new();
        if let (Some([a, b]), Some([c, d])) = (&self.in_sample_days, &self.out_of_sample_days) {
            let line = match all_days_chose {
                true => format!("chosen on all days; first days {a} to {b}, last days {c} to {d}"),
                false => format!("in-sample {a} to {b}, out-of-sample {c} to {d}"),
            };
            text += &wrap_words("  ", 4, line.split_whitespace());
        }
        let both = [("candidate", &self.candidate), ("active", &self.incumbent)];
        let both: Vec<(&str, &CandidatePart)> =
            both.iter().filter_map(|(n, c)| Some((*n, c.as_ref()?))).collect();
        let mut rows: Vec<(String, MetricsPart)> =
            both.iter().flat_map(|(name, part)| metric_rows(name, part, all_days_chose)).collect();
        rows.extend(simulation.iter().flat_map(|part| part.rows("candidate, traded", "active, traded")));
        if !rows.is_empty() {
            text += &format!("{}\n", results_table(&rows));
        }
        for (name, part) in &both {
            let (score, score_name) = (with_decimals(part.score, 4), &self.score_name);
            let label = format!("  {name}: {score_name} score {score};");
            text += &wrap_words(&label, 4, key_values(&part.params));
        }
        text
    }

    /// Returns what changed, or would have. Without active parameters every value is new, and the candidate stands above.
    fn changes_text(&self) -> String {
        let is_first = self.incumbent.is_none() && self.candidate.is_some();
        let told: Vec<&ChangePart> =
            self.changes.iter().filter(|change| !is_first || change.scope.contains('/')).collect();
        if told.is_empty() {
            return String::new();
        }
        let mut text = if self.changed { "  changed:\n" } else { "  would have changed:\n" }.to_owned();
        for change in told {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let symbol =
                change.scope.split_once('/').map_or_else(String::new, |_| format!("{} ", change.scope));
            let (old, new) = (value(&change.old), value(&change.new));
            let _ = writeln!(text, "  * {symbol}{}: {old} -> {new}", change.key);
        }
        text
    }
}

fn opportunities_of(count: u64) -> String {
    if count == 1 { "1 opportunity".to_owned() } else { format!("{count} opportunities") }
}

fn metric_rows(name: &str, part: &CandidatePart, all_days_chose: bool) -> [(String, MetricsPart); 3] {
    let [first, last] = if all_days_chose { ["first", "last"] } else { ["IS", "OOS"] };
    [(first, &part.in_sample), (last, &part.out_of_sample), ("all", &part.metrics)]
        .map(|(when, metrics)| (format!("{name}, {when}"), metrics.clone()))
}

/// Returns what a kind of loss is called for people.
fn loss_in_words(name: &str) -> &str {
    crate::run::losses::LOSSES.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| words)
}

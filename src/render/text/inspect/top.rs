//! The best trials of a run as text.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::documents::document::shown_parameter;
use crate::documents::inspect::{InspectTopDocument, TopStylePart, TrialPart, trials_listing};
use crate::render::text::prose::{key_values, wrap_words};
use crate::render::text::table::{text_table, width};

impl InspectTopDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text =
            format!("run {} of profile {}, in-sample part, by {}\n", self.run, self.profile, self.sort);
        if self.styles.is_empty() {
            text += "\nno trials are kept of this run; of older runs only the summary is (store.keep_full_runs)\n";
        }
        for (name, style) in &self.styles {
            let _ = write!(text, "\n{}", style.text(name));
        }
        text
    }
}

impl TopStylePart {
    fn text(&self, name: &str) -> String {
        let folded = Self { trials: self.folded(), ..self.clone() };
        folded.text_of_folded(name, self.trials.len())
    }

    /// Returns the trials without those that have exactly the results of one before them.
    fn folded(&self) -> Vec<TrialPart> {
        let mut folded: Vec<TrialPart> = Vec::new();
        for trial in &self.trials {
            if !folded.iter().any(|first| first.score == trial.score && first.metrics == trial.metrics) {
                folded.push(trial.clone());
            }
        }
        folded
    }

    fn text_of_folded(&self, name: &str, listed: usize) -> String {
        let (shown, kept) = (self.trials.len(), self.kept);
        let mut text = format!("{name}: {shown} of {kept} trials kept");
        if listed > shown {
            let _ = write!(text, ", {} with the results of one above folded", listed - shown);
        }
        let more = self.matching.saturating_sub(listed as u64);
        let _ = writeln!(text, "{}", if more > 0 { format!("; {more} more match") } else { String::new() });
        let Some(first) = self.trials.first() else { return text };
        let rows: Vec<(&str, &TrialPart)> = self.trials.iter().map(|trial| (name, trial)).collect();
        let _ = writeln!(text, "{}", trials_listing(&rows, false).text());
        let common = first.params.iter().filter(|(key, _)| !self.varying.contains(key));
        let common: Map<String, Value> = common.map(|(key, value)| (key.clone(), value.clone())).collect();
        let differences = self.differences();
        if !differences.is_empty() {
            text += &format!("\n{differences}");
        }
        text += &wrap_words("  in all:", 4, key_values(&common));
        if self.trials.iter().any(|trial| trial.same_results > 1) {
            let _ = writeln!(text, "  ties: so many of the {kept} trials kept have exactly these results");
        }
        text
    }

    /// Returns the parameters that differ: a row per key, a column per trial, in as many tables as fit the width.
    fn differences(&self) -> String {
        let keys: Vec<String> = self.varying.iter().map(|key| format!("  {key}")).collect();
        let key_width = keys.iter().map(|key| key.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        let mut rest = self.trials.as_slice();
        while !rest.is_empty() && !keys.is_empty() {
            let (now, later) = rest.split_at(self.fitting(rest, key_width));
            let ranks: Vec<String> = now.iter().map(|trial| trial.rank.to_string()).collect();
            let header: Vec<&str> =
                std::iter::once("  Rank").chain(ranks.iter().map(String::as_str)).collect();
            let row = |(label, key): (&String, &String)| {
                std::iter::once(label.clone()).chain(now.iter().map(|trial| value(trial, key))).collect()
            };
            let rows: Vec<Vec<String>> = keys.iter().zip(&self.varying).map(row).collect();
            let _ = writeln!(text, "{}", text_table(&header, &rows));
            rest = later;
        }
        text
    }

    /// Returns how many of the next trials fit beside the keys; at least one.
    fn fitting(&self, trials: &[TrialPart], key_width: usize) -> usize {
        let columns = |trial: &TrialPart| {
            let values = self.varying.iter().map(|key| value(trial, key).chars().count());
            2 + values.max().unwrap_or(0).max(trial.rank.to_string().len())
        };
        let used = trials.iter().scan(key_width + 2, |used, trial| {
            *used += columns(trial);
            Some(*used)
        });
        used.take_while(|used| *used <= width()).count().max(1)
    }
}

fn value(trial: &TrialPart, key: &str) -> String {
    trial.params.get(key).map_or_else(|| "-".to_owned(), shown_parameter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::inspect::{RunRef, SortKey, TopFilter};
    use crate::model::ExitRule;
    use crate::render::text::table::WIDTH;
    use crate::store::records::{StoredFilter, StoredMetrics, StoredParameterSet, StoredValue, TrialRecord};

    fn trial(rank: u32, score: f64, trades: u64, drawdown: Option<f64>) -> TrialRecord {
        let filter =
            StoredFilter { name: "min_consensus".to_owned(), value: StoredValue::Number(rank.into()) };
        let set = StoredParameterSet::of(&ExitRule::new(2.0, 1.0, 8.0), vec![filter]);
        let metrics = StoredMetrics { trades, max_drawdown_pct: drawdown, ..StoredMetrics::default() };
        TrialRecord { rank, set, score, metrics }
    }

    const ALL: TopFilter = TopFilter {
        run: Some(RunRef::Last),
        style: None,
        limit: 10,
        trades_min: None,
        drawdown_max_pct: None,
        sort: SortKey::Score,
    };

    #[test]
    fn ties_are_explained_below_the_table() {
        let trials = [trial(1, 2.0, 20, None), trial(2, 2.0, 20, None), trial(3, 1.0, 20, None)];
        let text = TopStylePart::new(&trials, None, &ALL).text("swing");
        assert!(text.contains("ties: so many of the 3 trials kept have exactly these results"), "{text}");
        assert!(
            text.starts_with("swing: 2 of 3 trials kept, 1 with the results of one above folded\n"),
            "{text}"
        );
    }

    #[test]
    fn what_differs_is_a_table_of_as_many_columns_as_fit() {
        let trials: Vec<TrialRecord> = (1..=50).map(|rank| trial(rank, 1.0, 20, None)).collect();
        let text = TopStylePart::new(&trials, None, &TopFilter { limit: 50, ..ALL }).differences();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(
            text.split_whitespace().filter(|word| *word == "50").count(),
            2,
            "rank and value:\n{text}"
        );
        assert_eq!(text.lines().count() % 2, 0, "a header and a key each:\n{text}");
        let one = TopStylePart::new(&trials[..1], None, &ALL);
        assert_eq!(one.differences(), "", "nothing differs from itself");
    }
}

//! What was found of trials, as text.

use std::fmt::Write as _;

use crate::documents::evidence::AssessmentPart;
use crate::documents::judge::{JudgeDocument, JudgedHalfPart, JudgedSearchPart, JudgedTrialPart};
use crate::render::text::prose::{count_of, wrap_words};

/// How far the further lines of a sentence are indented.
const INDENT: usize = 4;

impl JudgeDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.input_lines().into_iter().chain(self.answer_lines()).chain(self.finding_lines()) {
            let _ = write!(text, "{}", wrap_words("", INDENT, line.split(' ')));
        }
        text
    }

    /// Returns what was read, and what of it counts how.
    pub fn input_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.searches.iter().map(JudgedSearchPart::line).collect();
        let mut all = format!(
            "{} over {} from {} to {}: {} tested",
            count_of(self.trials, "trial"),
            count_of(self.days, "day"),
            self.first_day,
            self.last_day,
            self.tested,
        );
        if self.tested < self.trials {
            all += &format!(
                ", the others do not vary or have a return on fewer than {}",
                count_of(self.active_days_min, "day")
            );
        }
        if self.trials_of_other_days > 0 {
            all += &format!(
                "; {} of other days: in EDGE they count, what follows it needs common days",
                self.trials_of_other_days
            );
        }
        lines.push(all);
        lines
    }

    /// Returns the questions with their answers.
    pub fn answer_lines(&self) -> Vec<String> {
        let answers = [
            ("EDGE", Some(&self.edge)),
            ("CANDIDATE", Some(&self.candidate)),
            ("SWITCH", self.switch.as_ref()),
        ];
        let line = |(question, part): (&str, Option<&AssessmentPart>)| {
            let AssessmentPart { assurance, lacks, sentence } = part?;
            let lacks = if lacks.is_empty() { String::new() } else { format!(" ({})", lacks.join(", ")) };
            Some(format!("{question} {assurance}{lacks}: {sentence}"))
        };
        answers.into_iter().filter_map(line).collect()
    }

    /// Returns what was found besides.
    pub fn finding_lines(&self) -> Vec<String> {
        let best = self.best.as_ref().map(|best| format!("best trial: {}", self.trial_text(best)));
        let by_loss = self.best_by_loss.as_ref().filter(|found| Some(*found) != self.best.as_ref());
        let by_loss = by_loss.map(|found| {
            let place = found.rank.map_or_else(
                || "has too few days with a return to be tested".to_owned(),
                |rank| format!("is on place {rank} by Sharpe ratio"),
            );
            format!("best by the search's own loss: {}; it {place}", self.trial_text(found))
        });
        let incumbent =
            self.incumbent.as_ref().map(|own| format!("incumbent: {}", self.trial_text(&own.trial)));
        let deflated = self.deflated_sharpe.zip(self.probabilistic_sharpe).map(|(deflated, alone)| {
            let like = self.equivalent_trials.map_or_else(String::new, |count| {
                format!("; the trials are as lucky as {} independent tries", count.round().max(1.0))
            });
            format!(
                "deflated Sharpe ratio: {:.0} % that the best is better than what noise reaches, {:.0} % before counting what was \
                 tried{like}",
                100.0 * deflated,
                100.0 * alone
            )
        });
        let overfit = self.overfit_probability.zip(self.loss_probability).map(|(overfit, loss)| {
            format!(
                "probability of overfitting: in {:.0} of 100 halves of the days the best trial is in the lower half on the other days, in \
                 {:.0} it loses there",
                100.0 * overfit,
                100.0 * loss
            )
        });
        let halves = self.halves.iter().map(JudgedHalfPart::line);
        let counted = self.space_size.is_none()
            && self.p_edge.is_some()
            && self.searches.iter().any(|s| s.format != "long");
        let space = counted.then(|| {
            "a sampler that learns tried a chosen part of its space: --space-size N counts all of it"
                .to_owned()
        });
        [best, by_loss, incumbent, deflated, overfit]
            .into_iter()
            .flatten()
            .chain(halves)
            .chain(space)
            .collect()
    }

    fn trial_text(&self, trial: &JudgedTrialPart) -> String {
        let trades = trial.trades.map_or_else(String::new, |count| format!("{}, ", count_of(count, "trade")));
        let sharpe =
            trial.sharpe_year.map_or_else(String::new, |sharpe| format!(", yearly Sharpe {sharpe:+.1}"));
        let days = count_of(trial.active_days, "day");
        format!("{}, {trades}{days} with a return{sharpe}", self.named(trial))
    }
}

impl JudgedSearchPart {
    fn line(&self) -> String {
        let strategy = self.strategy.as_ref().filter(|name| !name.is_empty());
        let strategy = strategy.map_or_else(String::new, |name| format!(" of {name}"));
        let what = if self.format == "freqtrade" { "epoch" } else { "trial" };
        let mut line = format!("{}: {}{strategy}", self.file, count_of(self.trials, what));
        let also = [
            (self.pruned, "pruned, which count as tries"),
            (self.unfinished, "failed or unfinished, which do not count"),
            (self.empty_cells, "returns with nothing in them, taken for days without a trade"),
        ];
        for (count, what) in also.into_iter().filter(|(count, _)| *count > 0) {
            line += &format!(", {count} {what}");
        }
        if self.cut {
            line += "; the last line is cut, as a killed search leaves it, and was left out";
        }
        line
    }
}

impl JudgedHalfPart {
    fn line(&self) -> String {
        let other = if self.chosen_on == "first" { "second" } else { "first" };
        format!(
            "the best of the {} half of the days (yearly Sharpe {:+.1}) is on place {} of {} on the {other} ({:+.1})",
            self.chosen_on, self.inside_year, self.rank, self.of, self.outside_year
        )
    }
}

//! What was learned, as text.

use std::fmt::Write as _;

use crate::documents::inspect::Listed;
use crate::documents::inspect::{
    ImportancePart, InspectFeaturesDocument, InspectImportanceDocument, InspectInsightsDocument,
    NamedFigurePart, PromptPart,
};
use crate::render::text::prose::{minute_text, wrap_sentence};
use crate::render::text::table::{results_table, with_decimals};
use crate::search::weights::FIGURES_PREFIX;

impl PromptPart {
    /// Returns how much is saved, in a line.
    pub fn saving(&self) -> String {
        let of = self.full_tokens.zip(self.saved_pct);
        let of = of.map(|(full, saved)| format!(" of about {full} in all, {saved:.1} % saved"));
        format!("insights: at most {} tokens{}", self.tokens, of.unwrap_or_default())
    }
}

fn nothing(profile: &str) -> String {
    format!("profile {profile}: nothing learned yet; a run does\n")
}

impl InspectFeaturesDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        if self.styles.is_empty() {
            return nothing(&self.profile);
        }
        let mut text = String::new();
        for (style, part) in &self.styles {
            let _ = writeln!(
                text,
                "{style}: run {}, {}, {} signals; weights: {}",
                part.run,
                minute_text(&part.computed_at),
                part.signals,
                part.weights_name
            );
            if !part.weights_figures.is_empty() {
                let figure = |figure: &NamedFigurePart| {
                    let name = figure.name.trim_start_matches(FIGURES_PREFIX);
                    let name = name.replace('_', " ");
                    format!("{name} {}", (figure.value * 1000.0).round() / 1000.0)
                };
                let figures: Vec<String> = part.weights_figures.iter().map(figure).collect();
                let _ = writeln!(text, "  learned: {}", figures.join(", "));
            }
            let _ = writeln!(
                text,
                "  candidate: take-profit {} ATR, stop {} ATR, {} % in {} h ({} % per hour)",
                with_decimals(part.optimal_take_profit_atr, 2),
                with_decimals(part.optimal_stop_atr, 2),
                with_decimals(part.avg_profit_pct, 3),
                with_decimals(part.avg_holding_hours, 1),
                with_decimals(part.avg_density, 3)
            );
            let _ = writeln!(text, "{}\n", results_table(&[("no filter".to_owned(), part.baseline.clone())]));
        }
        text + &self.listing().text() + "\n"
    }
}

impl InspectInsightsDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        if self.styles.is_empty() {
            return nothing(&self.profile);
        }
        let mut text = String::new();
        for (style, part) in &self.styles {
            let _ = writeln!(text, "{style}: run {}, {}", part.run, minute_text(&part.updated_at));
            text.extend(part.lessons.iter().map(|lesson| wrap_sentence("  - ", lesson)));
            if !part.best_contexts.is_empty() {
                text += &wrap_sentence("  best in: ", &part.best_contexts.join("; "));
            }
            if !part.focus.is_empty() {
                text += &wrap_sentence("  next: ", &part.focus);
            }
        }
        let _ = writeln!(text, "\n{}; with what earlier runs learned:", self.prompt.saving());
        text.extend(self.prompt.text.lines().map(|line| wrap_sentence("  ", line)));
        text
    }
}

impl InspectImportanceDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        if self.styles.values().all(|part| part.dimensions.is_empty()) {
            return nothing(&self.profile);
        }
        let runs = |(style, part): (&String, &ImportancePart)| format!("{style} by run {}", part.run);
        let runs = self.styles.iter().map(runs).collect::<Vec<_>>().join(", ");
        let explained = format!(
            "share of the variance of the score that an axis explains; the best value is the one with the highest mean over \
             all other axes, and the best set may have another; {runs}"
        );
        format!("{}\n\n{}", self.listing().text(), wrap_sentence("", &explained))
    }
}

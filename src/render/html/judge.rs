//! What was found of trials as one HTML page that needs nothing else.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::answer;
use super::plot::{Plot, PlotLine};
use crate::documents::judge::JudgeDocument;
use crate::ingest::TrialSearch;
use crate::judge::{JudgedTrials, TrialFigures};
use crate::render::text::table::with_decimals;

/// Returns the page of what was found of some searches.
pub fn judge_page(document: &JudgeDocument, searches: &[TrialSearch], judged: &JudgedTrials) -> String {
    let title = "Trials against luck";
    let tone = match document.edge.assurance.as_str() {
        "REAL" | "PROMISING" => "good",
        "LIKELY_LUCK" => "bad",
        _ => "warn",
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                title { (title) }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body { main {
                h1 { (title) }
                @for line in document.input_lines() { div class="dim" { (line) } }
                div class="verdicts" {
                    p { span class={ "badge " (tone) } { (document.edge.assurance) } }
                    @for line in document.answer_lines() { (answer(&line)) }
                }
                (figures(document))
                @for line in document.finding_lines() { p { (line) } }
                (curves(document, searches, judged))
                p class="dim" { "Past results; no promise. Returns are those of the files, with whatever costs they include." }
            } }
        }
    };
    page.into_string()
}

fn figures(document: &JudgeDocument) -> Markup {
    let fit = document.cross_fit.as_ref();
    let best = document.best.as_ref().and_then(|best| best.sharpe_year);
    let rows = [
        ("Sharpe ratio of the best trial, per year, in sample", best, 2),
        ("Sharpe ratio that noise reaches, per year", document.luck_sharpe_year, 2),
        ("Expected Sharpe after selection, per year", document.expected_sharpe_year, 2),
        ("lower end of its 90 % interval", fit.map(|fit| fit.low_year), 2),
        ("upper end", fit.map(|fit| fit.high_year), 2),
        ("p of EDGE over what was tried", document.p_edge, 3),
        ("p of EDGE over the space", document.p_edge_space, 3),
        ("Deflated Sharpe ratio", document.deflated_sharpe, 3),
        ("Probability of overfitting", document.overfit_probability, 3),
    ];
    html! {
        h2 { "Figures" }
        div class="wide" { table {
            @for (name, value, places) in rows { tr { td { (name) } td { (with_decimals(value, places)) } } }
        } }
    }
}

/// The sum of day returns of the best trial and of the one in use.
fn curves(document: &JudgeDocument, searches: &[TrialSearch], judged: &JudgedTrials) -> Markup {
    let sums = |figures: &TrialFigures| -> Vec<f64> {
        let (search, trial) = figures.place;
        let mut sum = 0.0;
        let returns = searches.get(search).and_then(|search| search.trials.get(trial));
        let added = |value: &f64| {
            sum += 100.0 * value;
            sum
        };
        returns.iter().flat_map(|trial| &trial.returns).map(added).collect()
    };
    let line =
        |class: &'static str, figures: &TrialFigures| PlotLine { class, name: class, values: sums(figures) };
    let incumbent = judged.incumbent.as_ref().map(|incumbent| &incumbent.trial);
    let lines: Vec<PlotLine> = [("candidate", judged.best.as_ref()), ("incumbent", incumbent)]
        .into_iter()
        .filter_map(|(class, figures)| figures.map(|figures| line(class, figures)))
        .collect();
    if lines.is_empty() {
        return html! {};
    }
    let label = "Sum of day returns, in hundredths";
    let plot = Plot { label, first: judged.days.0, height: 240.0, lines, late_from: None, filled: false };
    html! {
        h2 {
            (label)
            @if let Some(best) = &document.best { span class="key candidate" {} "the best, " (document.named(best)) }
            @if let Some(own) = &document.incumbent { span class="key incumbent" {} "incumbent, " (document.named(&own.trial)) }
        }
        (PreEscaped(plot.svg()))
    }
}

//! A run as one HTML file that needs nothing else: no network, no server; light and dark.
//!
//! What is drawn was stored by the run. Text goes through `maud`, which escapes it; figures of the score surfaces stand
//! in the page as JSON and a small script draws the pair that is chosen.

mod first_screen;
mod judge;
mod plot;
mod sentences;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Value, json};

pub use judge::judge_page;
pub use words::Lang;

use self::first_screen::{changes_table, tip};
use self::plot::{Plot, PlotLine, bars_plot};
use self::sentences::{answers, reason};
use self::words::Words;
use crate::documents::document::params_object;
use crate::documents::evidence::EvidencePart;
use crate::documents::input::IssuePart;
use crate::documents::inspect::{
    HistoryFilter, InspectChangesDocument, InspectError, InspectRunDocument, PromptPart,
};
use crate::documents::metrics::MetricsPart;
use crate::documents::style::StyleDecisionPart;
use crate::model::{Day, Style};
use crate::render::text::table::{as_percent, with_decimals};
use crate::run::lessons::told_insights;
use crate::store::Snapshot;
use crate::store::records::{InsightsRecord, SeriesRecord, SurfaceRecord, TrialsRecord};
use crate::validate::regimes::MarketRegime;

/// Issues and adoptions shown.
const ROWS_MAX: usize = 200;
/// Trials shown per style.
const TRIALS_SHOWN: usize = 10;
const PPM_PER_PERCENT: f64 = 10_000.0;

/// The style sheet of the report.
pub const REPORT_CSS: &str = include_str!("report.css");
/// The script of the report: it draws the score surface that is chosen.
pub const REPORT_JS: &str = include_str!("report.js");

/// A file of a plot, for use elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotFile {
    /// Its name: `equity-scalping.svg`, `equity-scalping.csv`, ...
    pub name: String,
    /// Its content.
    pub content: String,
}

/// What a report shows.
#[derive(Debug, Clone)]
pub struct HtmlReport {
    run: InspectRunDocument,
    styles: Vec<StyleSection>,
    /// What the bot's prompt is told; `None` where a later run knows more.
    prompt: Option<PromptPart>,
    history: InspectChangesDocument,
    config_toml: String,
}

#[derive(Debug, Clone)]
struct StyleSection {
    style: Style,
    decision: StyleDecisionPart,
    evidence: Option<EvidencePart>,
    series: Option<SeriesRecord>,
    trials: Option<TrialsRecord>,
    /// Of this run; a later one's would mislead.
    insights: Option<InsightsRecord>,
}

impl HtmlReport {
    /// Reads what a run stored.
    ///
    /// Errors: those of reading the store; an unknown profile or run
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, run: u64) -> Result<Self, InspectError> {
        let document = InspectRunDocument::read(snapshot, profile, run)?;
        let mut styles = Vec::new();
        for style in Style::ALL {
            let part = document.styles.get(style.as_str());
            let Some((part, decision)) = part.and_then(|part| Some((part, part.decision.clone()?))) else {
                continue;
            };
            styles.push(StyleSection {
                style,
                decision,
                evidence: part.evidence.clone(),
                series: snapshot.series(profile, run, style)?,
                trials: snapshot.trials(profile, run, style)?,
                insights: snapshot.insights(profile, style)?.filter(|insights| insights.run == run),
            });
        }
        let mut insights = Vec::new();
        for (style, record) in styles.iter().filter_map(|own| Some((own.style, own.insights.clone()?))) {
            insights.push((style, told_insights(snapshot, profile, style, record)?));
        }
        let prompt = match insights.is_empty() {
            true => None,
            false => Some(PromptPart::read(snapshot, profile, &insights)?),
        };
        let filter = HistoryFilter::newest(ROWS_MAX);
        let history = InspectChangesDocument::read(snapshot, profile, &filter)?;
        let config_toml = document.config_toml.clone();
        Ok(Self { run: document, styles, prompt, history, config_toml })
    }

    /// Returns the page.
    pub fn html(&self, lang: Lang) -> String {
        let words = Words::of(lang);
        let run = &self.run.run;
        let title = format!("{} {} - {}", words.run, run.id.unwrap_or_default(), run.profile);
        let page = html! {
            (DOCTYPE)
            html lang=(lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy"
                        content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
                    title { (title) }
                    style { (PreEscaped(REPORT_CSS)) }
                }
                body { main { (self.main(lang)) }
                script { (PreEscaped(REPORT_JS)) } }
            }
        };
        page.into_string()
    }

    /// Returns what the page shows, without its frame.
    pub fn main(&self, lang: Lang) -> Markup {
        let words = Words::of(lang);
        let run = &self.run.run;
        let input = &self.run.input;
        html! {
            h1 { (words.title) }
            div class="dim" {
                (words.run) " " (run.id.unwrap_or_default()) ", " (words.profile) " " (run.profile) ", " (words.began) " "
                (run.started_at) ", " (input.candles) " " (words.candles) ", " (input.days) " " (words.days)
                @if let (Some(first), Some(last)) = (&input.first_day, &input.last_day) {
                    " (" (first) " - " (last) ")"
                }
            }
            (self.first_screen(&words, lang))
            @for style in &self.styles { (style.section(&words, lang)) }
            @if let Some(prompt) = &self.prompt {
                h2 { (words.learned) }
                ul class="prompt" lang="en" { @for line in prompt.text.lines() { li { (line) } } }
                @if lang == Lang::En { p class="dim" { (prompt.saving()) } }
            }
            (self.data(&words, lang))
            (self.history(&words))
            p class="dim" { (words.footer) }
            details {
                summary { "optimizer.toml" }
                pre { (self.config_toml) }
            }
        }
    }

    /// Returns every plot as a picture and as figures.
    pub fn plots(&self) -> Vec<PlotFile> {
        self.styles.iter().flat_map(StyleSection::plots).collect()
    }

    fn data(&self, words: &Words, lang: Lang) -> Markup {
        let input = &self.run.input;
        html! {
            h2 { (words.data) }
            p { (words.symbols) ": " (input.symbols.join(", ")) }
            @if input.issues.is_empty() { p { (words.no_issues) } } @else { details {
                summary { (input.issues.len()) " " (words.issues) ": " (folded_kinds(&input.issues)) }
                div class="wide" { table class="text" {
                    tr { th { (words.file) } th { (words.issue) } th { (words.count) } th { (words.detail) } }
                    @for issue in &input.issues {
                        tr { td { (issue.file) } td { (issue.kind) } td { (issue.count) } td { (sentences::issue(issue, lang)) } }
                    }
                } }
            } }
        }
    }

    fn history(&self, words: &Words) -> Markup {
        let rows = || {
            let adoptions = self.history.adoptions.iter();
            adoptions.flat_map(|adoption| adoption.changes.iter().map(move |change| (adoption, change)))
        };
        html! {
            h2 { (words.history) }
            @if rows().next().is_none() { p { (words.no_history) } } @else {
                div class="wide" { table class="text" {
                    tr { th { (words.run) } th { (words.when) } th { (words.scope) } th { (words.key) } th { (words.old) } th { (words.new) } }
                    @for (adoption, change) in rows().take(ROWS_MAX) {
                        tr {
                            td { (adoption.run) } td { (adoption.at) } td { (change.scope) } td { (change.key) }
                            td { (change.old.as_deref().unwrap_or("-")) } td { (change.new.as_deref().unwrap_or("-")) }
                        }
                    }
                } }
            }
        }
    }
}

/// Returns how many of each kind of issue there are.
fn folded_kinds(issues: &[IssuePart]) -> String {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    issues.iter().for_each(|issue| *kinds.entry(&issue.kind).or_default() += issue.count);
    let said: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} × {count}")).collect();
    said.join(", ")
}

/// Returns a line with the words in capitals that it begins with standing out: question and answer.
fn answer(line: &str) -> Markup {
    let capital = |c: char| c.is_ascii_uppercase() || c == '_' || c == ' ';
    let end = line.find(|c| !capital(c)).unwrap_or(line.len());
    let (loud, rest) = line.split_at(end);
    html! { p class="dim" { b { (loud.trim_end()) } @if loud.ends_with(' ') { " " } (rest) } }
}

/// Returns the class that colours a verdict.
fn tone(decision: &StyleDecisionPart) -> &'static str {
    match decision.outcome.as_str() {
        "adopted" | "unchanged" if decision.verdict == "WARNING" => "warn",
        "adopted" | "unchanged" => "good",
        "not_convincing" => "warn",
        _ => "bad",
    }
}

impl StyleSection {
    fn section(&self, words: &Words, lang: Lang) -> Markup {
        html! {
            h2 { (self.style) }
            @if let Some(series) = &self.series {
                h3 {
                    (words.equity)
                    span class="key candidate" {} (words.candidate)
                    @if !series.incumbent_ppm.is_empty() { span class="key incumbent" {} (words.in_force) }
                    span class="key late" {} @if self.all_days_chose() { (words.last_part) } @else { (words.late_part) }
                }
                (PreEscaped(self.equity(series, words).svg()))
                h3 { (words.fall) }
                (PreEscaped(self.fall(series, words).svg()))
            }
            (self.changes(words, lang))
            (self.figures(words, lang))
            (self.kinds(words))
            @if let Some(series) = &self.series { (self.surface(series, words)) }
            (self.importance(words))
            @if let Some(series) = &self.series { (by_symbol(series, words)) }
            (self.trials(words))
        }
    }

    fn changes(&self, words: &Words, lang: Lang) -> Markup {
        let decision = &self.decision;
        html! {
            h3 { @if decision.changed || decision.changes.is_empty() { (words.changed) } @else { (words.would_change) } }
            @if decision.changes.is_empty() { p { (words.nothing_changed) } } @else {
                (changes_table(&decision.changes.iter().collect::<Vec<_>>(), words))
            }
            h3 { (words.why) }
            @for line in self.evidence.iter().flat_map(|evidence| answers(evidence, lang)) { (answer(&line)) }
            ul { @for part in &decision.reasons { li { (reason(part, lang)) } } }
        }
    }

    /// Returns whether the last days are as much part of the choice as the first.
    fn all_days_chose(&self) -> bool {
        self.evidence.as_ref().is_some_and(EvidencePart::all_days_chose)
    }

    fn figures(&self, words: &Words, lang: Lang) -> Markup {
        let mut rows: Vec<(String, MetricsPart)> = Vec::new();
        let parts = [(words.candidate, &self.decision.candidate), (words.in_force, &self.decision.incumbent)];
        for (name, part) in parts {
            let Some(part) = part else { continue };
            let of = |when: &str| format!("{name}, {when}");
            let [first, last] = match self.all_days_chose() {
                true => [words.first_days, words.last_days],
                false => [words.early, words.late],
            };
            rows.push((of(first), part.in_sample.clone()));
            rows.push((of(last), part.out_of_sample.clone()));
            rows.push((of(words.all), part.metrics.clone()));
        }
        let replay = self.evidence.as_ref().and_then(|evidence| evidence.portfolio_simulation.as_ref());
        let named = |name: &str| format!("{name}, {}", words.traded);
        rows.extend(replay.iter().flat_map(|r| r.rows(&named(words.candidate), &named(words.in_force))));
        html! {
            h3 { (words.figures) }
            div class="wide" { table {
                tr {
                    th {}
                    @for word in [words.trades, words.win_rate, words.average, words.profit_factor, words.total, words.drawdown, words.sharpe] {
                        th title=[tip(word, lang)] { (word) }
                    }
                }
                @for (name, metrics) in &rows {
                    tr {
                        td { (name) } td { (metrics.trades) } td { (as_percent(metrics.win_rate)) }
                        td { (with_decimals(metrics.expectancy_pct, 3)) } td { (with_decimals(metrics.profit_factor, 2)) }
                        td { (with_decimals(metrics.total_return_pct, 1)) } td { (with_decimals(metrics.max_drawdown_pct, 1)) }
                        td { (with_decimals(metrics.sharpe_daily, 3)) }
                    }
                }
            } }
            @if replay.is_some() { p class="dim" { (words.traded_note) } }
        }
    }

    /// Shows the candidate by kind of market.
    fn kinds(&self, words: &Words) -> Markup {
        let Some(part) = self.evidence.as_ref().and_then(|evidence| evidence.regimes.as_ref()) else {
            return html! {};
        };
        let kinds =
            MarketRegime::ALL.into_iter().filter_map(|kind| Some((kind, part.regimes.get(kind.as_str())?)));
        html! {
            h3 { (words.kinds) }
            div class="wide" { table {
                tr { th { (words.kind) } th { (words.day_count) } th { (words.total) } th { (words.per_day) } th { (words.interval) } }
                @for (kind, part) in kinds {
                    tr {
                        td { (words.regime(kind)) } td { (part.days) } td { (with_decimals(Some(part.net_pct), 1)) }
                        td { (with_decimals(part.mean_pct, 3)) }
                        td { @if let Some([low, high]) = part.interval_pct { (format!("{low:+.3} … {high:+.3}")) } @else { "-" } }
                    }
                }
            } }
        }
    }

    fn late_from(&self, series: &SeriesRecord) -> Option<usize> {
        let [first, _] = self.decision.out_of_sample_days.as_ref()?;
        let late = Day::parse(first)?;
        usize::try_from(late.0 - Day::parse(&series.first_day)?.0).ok()
    }

    fn equity(&self, series: &SeriesRecord, words: &Words) -> Plot {
        self.plot(series, words, (words.equity, running_sum), 240.0)
    }

    fn fall(&self, series: &SeriesRecord, words: &Words) -> Plot {
        Plot { filled: true, ..self.plot(series, words, (words.fall, falls), 130.0) }
    }

    fn plot(
        &self,
        series: &SeriesRecord,
        words: &Words,
        (label, curve): (&'static str, Curve),
        height: f64,
    ) -> Plot {
        let both = [
            ("candidate", words.candidate, &series.candidate_ppm),
            ("incumbent", words.in_force, &series.incumbent_ppm),
        ];
        let drawn = both.into_iter().filter(|(.., daily)| !daily.is_empty());
        Plot {
            label,
            first: Day::parse(&series.first_day).unwrap_or(Day(0)),
            height,
            lines: drawn.map(|(class, name, daily)| PlotLine { class, name, values: curve(daily) }).collect(),
            late_from: self.late_from(series),
            filled: false,
        }
    }

    fn surface(&self, series: &SeriesRecord, words: &Words) -> Markup {
        if series.surfaces.is_empty() {
            return html! {};
        }
        let chosen = self.decision.candidate.as_ref().map(|candidate| candidate.params.clone());
        let shown = |value: &Value| value.as_str().map_or_else(|| number_text(value), str::to_owned);
        let chosen: serde_json::Map<String, Value> =
            chosen.into_iter().flatten().map(|(key, value)| (key, json!(shown(&value)))).collect();
        let first = self.first_pair(series);
        let surface = |s: &SurfaceRecord| {
            let mean: Vec<Option<f64>> = s.cells.iter().map(|cell| cell.mean).collect();
            json!({"x": s.x, "y": s.y, "x_levels": s.x_levels, "y_levels": s.y_levels, "mean": mean})
        };
        let surfaces: Vec<Value> = series.surfaces.iter().map(surface).collect();
        let data = json!({"surfaces": surfaces, "chosen": chosen, "first": first});
        // `<` would end the script early.
        let data = data.to_string().replace('<', "\\u003c");
        html! {
            h3 { (words.surface) }
            div class="surface" {
                p { label { (words.across) " " select {} } " " label { (words.down) " " select {} } span class="dim" { " " (words.chosen) } }
                div class="wide" { table class="heat" {} }
                script type="application/json" { (PreEscaped(data)) }
            }
        }
    }

    /// Returns the two axes that matter most.
    fn first_pair(&self, series: &SeriesRecord) -> [String; 2] {
        let known = |key: &str| series.surfaces.iter().any(|s| s.x == key || s.y == key);
        let mut keys = self.importance_rows().into_iter().map(|(key, ..)| key).filter(|key| known(key));
        let fallback = &series.surfaces[0];
        let x = keys.next().unwrap_or_else(|| fallback.x.clone());
        let y = keys
            .next()
            .unwrap_or_else(|| if fallback.x == x { fallback.y.clone() } else { fallback.x.clone() });
        [x, y]
    }

    fn importance(&self, words: &Words) -> Markup {
        let rows = self.importance_rows();
        html! {
            @if !rows.is_empty() {
                h3 { (words.importance) ", " (words.share) }
                (PreEscaped(bars_plot(words.importance, &rows)))
            }
        }
    }

    /// Returns the axes with their shares, the most important first.
    fn importance_rows(&self) -> Vec<(String, f64, String)> {
        let sensitivities = self.insights.iter().flat_map(|insights| &insights.sensitivities);
        let row = |s: &crate::store::records::SensitivityRecord| {
            let end = format!("{:.1} %  ({} {:+.3})", 100.0 * s.importance, s.best_value, s.effect);
            (s.dimension.clone(), s.importance, end)
        };
        let mut rows: Vec<(String, f64, String)> = sensitivities.map(row).collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        rows
    }

    fn trials(&self, words: &Words) -> Markup {
        let trials = self.trials.as_ref().map(|record| record.trials.as_slice()).unwrap_or_default();
        html! {
            @if !trials.is_empty() {
                h3 { (words.trials) }
                div class="wide" { table {
                    tr { th { "#" } th { (words.score) } th { (words.trades) } th { (words.average) } th { (words.drawdown) }
                        @for (key, _) in params_object(&trials[0].set) { th { (key) } } }
                    @for trial in trials.iter().take(TRIALS_SHOWN) {
                        tr {
                            td { (trial.rank) } td { (with_decimals(Some(trial.score), 4)) } td { (trial.metrics.trades) }
                            td { (with_decimals(trial.metrics.expectancy_pct, 3)) } td { (with_decimals(trial.metrics.max_drawdown_pct, 1)) }
                            @for (_, value) in params_object(&trial.set) {
                                td { (value.as_str().map_or_else(|| number_text(&value), str::to_owned)) }
                            }
                        }
                    }
                } }
            }
        }
    }

    fn plots(&self) -> Vec<PlotFile> {
        let words = Words::of(Lang::En);
        let mut files = Vec::new();
        let mut add = |name: String, content: String| files.push(PlotFile { name, content });
        if let Some(series) = &self.series {
            add(format!("equity-{}.svg", self.style), standalone(&self.equity(series, &words).svg()));
            add(format!("drawdown-{}.svg", self.style), standalone(&self.fall(series, &words).svg()));
            add(format!("returns-{}.csv", self.style), returns_csv(series));
            add(format!("surfaces-{}.csv", self.style), surfaces_csv(series));
        }
        let rows = self.importance_rows();
        if !rows.is_empty() {
            add(format!("importance-{}.svg", self.style), standalone(&bars_plot(words.importance, &rows)));
        }
        files
    }
}

/// What is drawn of daily returns.
type Curve = fn(&[i64]) -> Vec<f64>;

/// Returns the sum of returns so far, day by day; percent.
fn running_sum(daily_ppm: &[i64]) -> Vec<f64> {
    let mut sum = 0;
    daily_ppm
        .iter()
        .map(|day| {
            sum += day;
            sum as f64 / PPM_PER_PERCENT
        })
        .collect()
}

/// Returns how far the sum stands below its highest so far (at least 0); percent, never positive.
fn falls(daily_ppm: &[i64]) -> Vec<f64> {
    let (mut sum, mut peak) = (0_i64, 0_i64);
    let fall = |day: &i64| {
        sum += day;
        peak = peak.max(sum);
        (sum - peak) as f64 / PPM_PER_PERCENT
    };
    daily_ppm.iter().map(fall).collect()
}

fn by_symbol(series: &SeriesRecord, words: &Words) -> Markup {
    let share = |a: u64, b: u64| (b > 0).then(|| a as f64 / b as f64);
    html! {
        @if !series.symbols.is_empty() {
            h3 { (words.by_symbol) }
            div class="wide" { table {
                tr { th { (words.symbol) } th { (words.trades) } th { (words.win_rate) } th { (words.average) } th { (words.total) } }
                @for symbol in &series.symbols {
                    @let total = symbol.net_ppm as f64 / PPM_PER_PERCENT;
                    tr {
                        td { (symbol.symbol) } td { (symbol.trades) } td { (as_percent(share(symbol.wins, symbol.trades))) }
                        td { (with_decimals((symbol.trades > 0).then(|| total / symbol.trades as f64), 3)) }
                        td { (with_decimals(Some(total), 1)) }
                    }
                }
            } }
        }
    }
}

/// Returns a number as the levels of an axis show it.
fn number_text(value: &Value) -> String {
    value.as_f64().map_or_else(|| value.to_string(), |number| number.to_string())
}

/// Returns a picture that carries its own colours.
fn standalone(svg: &str) -> String {
    let style = "<style>text{font-family:sans-serif}.line{fill:none;stroke-width:1.6}.line.candidate{stroke:#1f6feb}\
                 .line.incumbent{stroke:#c2570c}.area{opacity:.16}.area.candidate{fill:#1f6feb}.area.incumbent{fill:#c2570c}\
                 .grid{stroke:#ddd}.late{fill:#f1efe4}.tick{fill:#667;font-size:11px}.name{font-size:12px}.bar{fill:#7aa7e9}</style>";
    svg.replacen('>', &format!(">{style}"), 1)
}

fn returns_csv(series: &SeriesRecord) -> String {
    let mut text = "day,candidate_pct,incumbent_pct\n".to_owned();
    let first = Day::parse(&series.first_day).unwrap_or(Day(0));
    for (index, ppm) in series.candidate_ppm.iter().enumerate() {
        let incumbent =
            series.incumbent_ppm.get(index).map(|ppm| (*ppm as f64 / PPM_PER_PERCENT).to_string());
        let day = Day(first.0 + index as i32);
        let _ = writeln!(text, "{day},{},{}", *ppm as f64 / PPM_PER_PERCENT, incumbent.unwrap_or_default());
    }
    text
}

fn surfaces_csv(series: &SeriesRecord) -> String {
    let mut text = "x,x_level,y,y_level,mean_score\n".to_owned();
    for surface in &series.surfaces {
        for (index, cell) in surface.cells.iter().enumerate() {
            let (across, down) = (index % surface.x_levels.len(), index / surface.x_levels.len());
            let mean = cell.mean.map(|mean| mean.to_string()).unwrap_or_default();
            let (x, y) = (&surface.x_levels[across], &surface.y_levels[down]);
            let _ = writeln!(text, "{},{x},{},{y},{mean}", surface.x, surface.y);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_and_answer_stand_out() {
        let shown = |line| answer(line).into_string();
        assert_eq!(shown("EDGE REAL: after 8"), "<p class=\"dim\"><b>EDGE REAL</b>: after 8</p>");
        assert_eq!(shown("REPLAY as <a bot"), "<p class=\"dim\"><b>REPLAY</b> as &lt;a bot</p>");
    }

    #[test]
    fn curves_add_up() {
        assert_eq!(running_sum(&[10_000, 0, -30_000]), [1.0, 1.0, -2.0]);
        assert_eq!(falls(&[-10_000, 30_000, -10_000, 0]), [-1.0, 0.0, -1.0, -1.0]);
    }
}

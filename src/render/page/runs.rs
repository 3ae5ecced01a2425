//! Parts of the other pages: parameters, changes, forms, the heat map, health and memory.

use maud::{Markup, html};

use super::words::PageWords;
use super::{Shell, shown_size, shown_time, table_of};
use crate::documents::document::shown_parameter;
use crate::documents::inspect::{InspectChangesDocument, ScopePart, SortKey};
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::documents::memory::MemoryReportDocument;
use crate::documents::status::{CandleAgePart, ProfileStatusPart, StatusDocument};
use crate::store::records::SurfaceRecord;

/// Shades of the heat map.
const SHADES: f64 = 9.0;

/// Returns links to the pages before and after one; `asked` is what else is asked of them.
pub fn pager(shell: &Shell<'_>, path: &str, asked: &[(&str, &str)], (page, pages): (usize, usize)) -> Markup {
    let words = shell.words();
    let link = |page: usize| {
        let number = page.to_string();
        shell.link(path, &[asked, &[("page", number.as_str())]].concat())
    };
    html! {
        @if pages > 1 {
            p class="pager" {
                @if page > 1 { a href=(link(page - 1)) rel="prev" { (words.previous_page) } " " }
                (page) " / " (pages)
                @if page < pages { " " a href=(link(page + 1)) rel="next" { (words.next_page) } }
            }
        }
    }
}

/// Returns the active parameters of some scopes.
pub fn params_part(shell: &Shell<'_>, scopes: &[ScopePart]) -> Markup {
    let words = shell.words();
    html! {
        @if scopes.is_empty() { p { (words.no_params) } }
        @for scope in scopes {
            section {
                h2 { (scope.scope) " " span class="badge" { (scope.verdict) } }
                p class="dim" {
                    (words.since) " " (scope.adopted_at.chars().take(10).collect::<String>()) ", " (scope.source) ", "
                    a href=(shell.link(&format!("/runs/{}", scope.run), &[])) { (words.run) " " (scope.run) }
                }
                dl class="pairs" {
                    @for (key, value) in &scope.params { dt { (key) } dd { (shown_parameter(value)) } }
                }
            }
        }
    }
}

/// Returns what changed over the runs, newest first.
pub fn changes_list(shell: &Shell<'_>, changes: &InspectChangesDocument) -> Markup {
    let words = shell.words();
    html! {
        @if changes.adoptions.is_empty() { p class="dim" { (words.no_rows) } }
        @for adoption in &changes.adoptions {
            section class="adoption" {
                p {
                    a href=(shell.link(&format!("/runs/{}", adoption.run), &[])) { (words.run) " " (adoption.run) }
                    " " (adoption.style) " " span class="badge" { (adoption.verdict) }
                    span class="dim" { " " (adoption.at.chars().take(16).collect::<String>().replace('T', " ")) " UTC" }
                }
                ul class="changes" {
                    @for change in &adoption.changes {
                        li { code { (change.scope) "." (change.key) } " " (change.old.as_deref().unwrap_or("-")) " → "
                            b { (change.new.as_deref().unwrap_or("-")) } }
                    }
                }
            }
        }
    }
}

/// Returns the form that chooses and orders trials.
pub fn trials_form(
    shell: &Shell<'_>,
    styles: &[&str],
    (style, sort, min_trades, is_pareto): (&str, SortKey, Option<u64>, bool),
) -> Markup {
    let words = shell.words();
    html! {
        form method="get" action="/trials" {
            @if shell.profile != shell.default_profile { input type="hidden" name="profile" value=(shell.profile); }
            label { (words.style) " " select name="style" {
                option value="" { "-" }
                @for name in styles { option value=(name) selected[*name == style] { (name) } }
            } }
            label { (words.sort) " " select name="sort" {
                @for key in SortKey::ALL { option value=(key.as_str()) selected[key == sort] { (key.as_str()) } }
            } }
            label { (words.min_trades) " " input type="number" name="min_trades" min="0" value=[min_trades]; }
            label { input type="checkbox" name="pareto" value="1" checked[is_pareto]; " " (words.pareto) }
            button { (words.show) }
        }
    }
}

/// A score surface with what is chosen on it.
#[derive(Debug, Clone)]
pub struct HeatMap<'a> {
    /// Every axis that a surface has.
    pub axes: Vec<&'a str>,
    /// The style.
    pub style: &'a str,
    /// Styles with surfaces.
    pub styles: Vec<&'a str>,
    /// Its axis across and down, as chosen.
    pub chosen_axes: (&'a str, &'a str),
    /// The surface of these two; `None` where there is none.
    pub surface: Option<&'a SurfaceRecord>,
    /// Levels of the candidate, across and down.
    pub candidate: (Option<String>, Option<String>),
}

/// Returns the form and the table of a surface.
pub fn heat_part(shell: &Shell<'_>, map: &HeatMap<'_>) -> Markup {
    let words = shell.words();
    let select = |name: &str, chosen: &str, names: &[&str]| {
        html! { select name=(name) { @for key in names { option value=(key) selected[*key == chosen] { (key) } } } }
    };
    html! {
        form method="get" action="/surface" {
            @if shell.profile != shell.default_profile { input type="hidden" name="profile" value=(shell.profile); }
            label { (words.style) " " (select("style", map.style, &map.styles)) }
            label { (words.across) " " (select("x", map.chosen_axes.0, &map.axes)) }
            label { (words.down) " " (select("y", map.chosen_axes.1, &map.axes)) }
            button { (words.show) }
        }
        @match map.surface {
            None => p { (words.no_surface) },
            Some(surface) => {
                (heat_table(surface, map))
                p class="dim" { (words.surface_note) }
            }
        }
    }
}

fn heat_table(surface: &SurfaceRecord, map: &HeatMap<'_>) -> Markup {
    // A surface is kept once for its two axes; asked for the other way round it is turned.
    let is_turned = surface.x != map.chosen_axes.0;
    let (across, down) = if is_turned {
        (&surface.y_levels, &surface.x_levels)
    } else {
        (&surface.x_levels, &surface.y_levels)
    };
    let mean = |row: usize, column: usize| {
        let (x, y) = if is_turned { (row, column) } else { (column, row) };
        surface.cells.get(y * surface.x_levels.len() + x).and_then(|cell| cell.mean)
    };
    let known: Vec<f64> = surface.cells.iter().filter_map(|cell| cell.mean).collect();
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shade = |value: f64| match high > low {
        true => ((value - low) / (high - low) * SHADES).round(),
        false => (SHADES / 2.0).round(),
    };
    let is_chosen = |row: usize, column: usize| {
        map.candidate.0.as_ref() == across.get(column) && map.candidate.1.as_ref() == down.get(row)
    };
    html! {
        div class="wide" { table class="heat" {
            caption { (map.chosen_axes.0) " → / " (map.chosen_axes.1) " ↓" }
            thead { tr { th {} @for level in across { th scope="col" { (level) } } } }
            tbody { @for (row, level) in down.iter().enumerate() {
                tr {
                    th scope="row" { (level) }
                    @for column in 0..across.len() {
                        @match mean(row, column) {
                            None => td { "-" },
                            Some(value) => td class={ "h" (shade(value)) @if is_chosen(row, column) { " chosen" } } { (format!("{value:.2}")) },
                        }
                    }
                }
            } }
        } }
    }
}

/// Returns what is known of the machine and the candles.
pub fn health_part(shell: &Shell<'_>, status: &StatusDocument, profile: &ProfileStatusPart) -> Markup {
    let words = shell.words();
    let found = &status.installation;
    let parts = [
        ("state", found.state_bytes),
        ("view", found.view_bytes),
        ("evals", found.evals_bytes),
        ("backups", found.backups_bytes),
    ];
    let sizes = Listing::of(&parts)
        .column("part", words.part, ColumnKind::Text, |part| Cell::text(part.0))
        .column("size", words.size, ColumnKind::Number, |part| Cell::text(shown_size(part.1)))
        .done();
    let ages = Listing::of(&profile.candles)
        .column("symbol", words.symbol, ColumnKind::Text, |candle: &CandleAgePart| {
            Cell::text(candle.symbol.as_str())
        })
        .column("age", words.age, ColumnKind::Number, |candle| {
            Cell::text(shown_time(shell.lang, candle.age_seconds))
        })
        .column("state", words.state, ColumnKind::Text, |candle| Cell::text(candle.age.as_str()))
        .done();
    html! {
        h2 { (words.store) }
        (table_of(&words, &sizes, |_| None))
        p { (words.free) ": " (found.free_bytes.map_or_else(|| words.unknown.to_owned(), shown_size)) }
        @match found.notify_queue_length {
            None => p class="warn" { (words.queue_unknown) },
            Some(count) => p { (count) " " (words.waiting) },
        }
        h2 { (words.candles) }
        (table_of(&words, &ages, |_| None))
        p class="dim" { code { "optimizer doctor" } " " (words.doctor_note) }
        p { a href=(shell.link("/memory", &[])) { (words.memory) } " · " a href=(shell.link("/cache", &[])) { (words.cache) } }
    }
}

/// Returns what runs and this server take.
pub fn memory_part(words: &PageWords, report: &MemoryReportDocument, link: impl Fn(u64) -> String) -> Markup {
    let runs = Listing::of(&report.runs)
        .column("run", words.run, ColumnKind::Number, |run| Cell::count(run.run))
        .column("started_at", words.began, ColumnKind::Text, |run| Cell::instant(&run.started_at))
        .column("peak", words.peak, ColumnKind::Number, |run| Cell::text(shown_size(run.peak_rss_bytes)))
        .column("alarm", words.alarm, ColumnKind::Text, |run| Cell::text(run.alarm.as_str()))
        .done();
    html! {
        p { (words.this_server) ": " (shown_size(report.own.rss_bytes)) " RSS" }
        (table_of(words, &runs, |row| report.runs.get(row).map(|run| link(run.run))))
        p class="dim" { code { "optimizer memory report" } " " (words.memory_note) }
    }
}

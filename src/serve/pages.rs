//! Which page a path is: the documents of `inspect`, drawn as pages, as CSV and as JSON.

use std::sync::OnceLock;

use hyper::StatusCode;
use maud::{Markup, html};

use super::answer::{Answer, CSV, HTML, PROMETHEUS};
use super::api;
use super::asked::PageRequest;
use super::state::{Holds, Refusal, ServerState};
use crate::documents::inspect::{
    HistoryFilter, InspectCacheDocument, InspectChangesDocument, InspectDiffDocument, InspectParamsDocument,
    InspectRunsDocument, InspectTopDocument, Listed, RunRef, SortKey, TopFilter, TrialPart, run_of,
    trials_listing,
};
use crate::documents::style::CandidatePart;
use crate::legacy::documents::InspectResolveDocument;
use crate::model::Style;
use crate::render::html::{HtmlReport, REPORT_CSS, REPORT_JS};
use crate::render::lang::Lang;
use crate::render::page::{
    HeatMap, PAGE_CSS, PAGE_JS, Shell, changes_list, escaped_part, health_part, heat_part, home_page,
    memory_part, pager, params_part, table_of, trials_form,
};
use crate::store::Snapshot;

/// Rows of a page.
const ROWS: usize = 50;
/// Changes shown.
const CHANGES: usize = 100;

/// A file of this program, under a name with the hash of its bytes.
struct Asset {
    path: String,
    kind: &'static str,
    text: &'static str,
}

fn assets() -> &'static [Asset; 4] {
    static ASSETS: OnceLock<[Asset; 4]> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let asset = |name: &str, end: &str, kind, text: &'static str| {
            let hash: String = blake3::hash(text.as_bytes()).to_hex().chars().take(12).collect();
            Asset { path: format!("/assets/{name}-{hash}.{end}"), kind, text }
        };
        let (css, js) = ("text/css; charset=utf-8", "text/javascript; charset=utf-8");
        [
            asset("page", "css", css, PAGE_CSS),
            asset("page", "js", js, PAGE_JS),
            asset("report", "css", css, REPORT_CSS),
            asset("report", "js", js, REPORT_JS),
        ]
    })
}

/// Returns a file of this program.
pub(super) fn asset(name: &str) -> Option<Answer> {
    let found = assets().iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(name))?;
    Some(Answer::immutable(found.kind, found.text))
}

/// A page in the making.
struct Drawing<'a> {
    shell: Shell<'a>,
    asked: &'a PageRequest<'a>,
    profile: &'a str,
}

type Drawn = Result<(Answer, Holds), Refusal>;

/// Draws the page that is asked for.
pub(super) fn draw(server: &mut ServerState, asked: &PageRequest<'_>, lang: Lang, now_ms: i64) -> Drawn {
    let path = asked.path().ok_or_else(|| Refusal::NotFound("no such page".to_owned()))?;
    let chosen = server.options.asked.profile.clone();
    let profile = asked.value("profile").unwrap_or(&chosen).to_owned();
    if path == ["readyz"] {
        server.view.get().map_err(Refusal::Closed)?;
        return Ok((Answer::said(StatusCode::OK, "ready"), Holds::Once));
    }
    if path == ["metrics"] {
        let (status, figures) = (server.status(now_ms)?, server.figures(now_ms));
        return Ok((Answer::ok(PROMETHEUS, status.prometheus(Some(&figures), None)), Holds::Once));
    }
    if let ["api", "v1", kind] = path[..] {
        return api::draw(server, asked, &profile, kind, now_ms);
    }
    let profiles = match server.view.get() {
        Ok((view, _)) => view.read()?.profiles()?,
        Err(closed) => return Err(Refusal::Closed(closed)),
    };
    if asked.value("profile").is_some() && !profiles.contains(&profile) {
        return Err(Refusal::NotFound(format!("no profile {profile:?} in this store")));
    }
    let [page_css, page_js, report_css, report_js] = assets().each_ref().map(|asset| asset.path.clone());
    let is_report = matches!(path[..], ["runs", _]);
    let (mut styles, mut scripts) = (vec![page_css], vec![page_js]);
    if is_report {
        styles.insert(0, report_css);
        scripts.push(report_js);
    }
    let shell = Shell {
        lang,
        profile: &profile,
        default_profile: &chosen,
        profiles: &profiles,
        path: asked.uri.path(),
        styles: &styles,
        scripts: &scripts,
        renews: path == [""],
    };
    let drawing = Drawing { shell, asked, profile: &profile };
    match path[..] {
        [""] => {
            let status = server.status(now_ms)?;
            let title = drawing.shell.words().today;
            Ok((drawing.page(title, &home_page(&drawing.shell, &status)), Holds::Shortly))
        }
        ["health"] => {
            let status = server.status(now_ms)?;
            let own = status.profiles.iter().find(|own| own.profile == profile);
            let own = own.ok_or_else(|| Refusal::NotFound("no such profile".to_owned()))?;
            Ok((
                drawing.page(drawing.shell.words().health, &health_part(&drawing.shell, &status, own)),
                Holds::Shortly,
            ))
        }
        ["memory"] => {
            let report = server.memory_report(&profile, now_ms)?;
            let shell = &drawing.shell;
            let link = |run: u64| shell.link(&format!("/runs/{run}"), &[]);
            Ok((
                drawing.page(drawing.shell.words().memory, &memory_part(&shell.words(), &report, link)),
                Holds::Shortly,
            ))
        }
        _ => {
            let (view, _) = server.view.get().map_err(Refusal::Closed)?;
            let answer = drawing.of_view(&view.read()?, &path, now_ms)?;
            Ok((answer, Holds::WithView))
        }
    }
}

/// Returns a page that says why there is no other.
pub(super) fn refusal_page(profile: &str, lang: Lang, status: StatusCode, text: &str) -> String {
    let styles = [assets()[0].path.clone()];
    let shell = Shell {
        lang,
        profile,
        default_profile: profile,
        profiles: &[],
        path: "",
        styles: &styles,
        scripts: &[],
        renews: false,
    };
    let title = status.as_str().to_owned();
    shell.page(&title, &html! { h1 { (title) } p { (text) } p { a href=(shell.link("/", &[])) { "/" } } })
}

impl Drawing<'_> {
    fn page(&self, title: &str, main: &Markup) -> Answer {
        Answer::ok(HTML, self.shell.page(title, main))
    }

    /// Returns a page that shows what the view holds.
    fn of_view(&self, snapshot: &Snapshot<'_>, path: &[&str], now_ms: i64) -> Result<Answer, Refusal> {
        match path {
            ["runs"] => self.runs(snapshot),
            ["runs", run] => self.run(snapshot, run),
            ["compare"] => self.compare(snapshot),
            ["params"] => self.params(snapshot, None, now_ms),
            ["params", symbol] => self.params(snapshot, Some(symbol), now_ms),
            ["trials"] => self.trials(snapshot),
            ["surface"] => self.surface(snapshot),
            ["cache"] => {
                let found = InspectCacheDocument::read(snapshot, self.profile, None, None)?;
                let table = table_of(&self.shell.words(), &found.listing(), |_| None);
                Ok(self.page(self.shell.words().cache, &html! { p { (found.summary()) } (table) }))
            }
            _ => Err(Refusal::NotFound(self.shell.words().not_found.to_owned())),
        }
    }

    fn page_number(&self) -> Result<usize, Refusal> {
        let Some(text) = self.asked.value("page") else { return Ok(1) };
        let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
        number.ok_or_else(|| Refusal::Wrong("page: expected a number of 1 and more".to_owned()))
    }

    /// Returns the rows of the page asked for, and which page of how many it is.
    fn rows<T>(&self, rows: Vec<T>) -> Result<(Vec<T>, (usize, usize)), Refusal> {
        let page = self.page_number()?;
        let pages = rows.len().div_ceil(ROWS).max(1);
        Ok((rows.into_iter().skip((page - 1) * ROWS).take(ROWS).collect(), (page, pages)))
    }

    fn run_ref(&self, key: &str, text: &str) -> Result<RunRef, Refusal> {
        text.parse().map_err(|error: String| Refusal::Wrong(format!("{key}: {error}")))
    }

    fn style(&self) -> Result<Option<Style>, Refusal> {
        let Some(text) = self.asked.value("style") else { return Ok(None) };
        let found = Style::ALL.into_iter().find(|style| style.as_str() == text);
        found.map(Some).ok_or_else(|| Refusal::Wrong("style: expected scalping or swing".to_owned()))
    }

    fn runs(&self, snapshot: &Snapshot<'_>) -> Result<Answer, Refusal> {
        let (words, filter) = (self.shell.words(), HistoryFilter::newest(usize::MAX));
        let mut found = InspectRunsDocument::read(snapshot, self.profile, &filter, None)?;
        let (runs, place) = self.rows(std::mem::take(&mut found.runs))?;
        found.runs = runs;
        let table = table_of(&words, &found.listing(), |row| {
            Some(self.shell.link(&format!("/runs/{}", found.runs[row].id), &[]))
        });
        let newest: Vec<String> = found.runs.iter().take(2).map(|run| run.id.to_string()).collect();
        let compare = match &newest[..] {
            [new, old] => Some(self.shell.link("/compare", &[("a", old), ("b", new)])),
            _ => None,
        };
        let main = html! {
            @if let Some(href) = compare { p { a href=(href) { (words.compare) } } }
            (table)
            (pager(&self.shell, "/runs", &[], place))
        };
        Ok(self.page(words.runs, &main))
    }

    fn run(&self, snapshot: &Snapshot<'_>, run: &str) -> Result<Answer, Refusal> {
        let id = self.run_ref("run", run)?.resolve(snapshot, self.profile)?;
        let report = HtmlReport::read(snapshot, self.profile, id)?;
        let ids = snapshot.run_ids(self.profile)?;
        let place = ids.iter().position(|own| *own == id);
        let newer = place.and_then(|place| ids.get(place.checked_sub(1)?));
        let older = place.and_then(|place| ids.get(place + 1));
        let (words, shell) = (self.shell.words(), &self.shell);
        let link = |run: &u64| shell.link(&format!("/runs/{run}"), &[]);
        let main = html! {
            p class="pager" {
                @if let Some(run) = older {
                    a href=(link(run)) rel="prev" { "← " (run) } " · "
                    a href=(shell.link("/compare", &[("a", &run.to_string()), ("b", &id.to_string())])) { (words.compare) }
                }
                @if let Some(run) = newer { " · " a href=(link(run)) rel="next" { (run) " →" } }
            }
            (report.main(self.shell.lang))
        };
        Ok(self.page(&format!("{} {id}", words.run), &main))
    }

    fn compare(&self, snapshot: &Snapshot<'_>) -> Result<Answer, Refusal> {
        let run = |key: &str, other: &'static str| self.run_ref(key, self.asked.value(key).unwrap_or(other));
        let found =
            InspectDiffDocument::read(snapshot, self.profile, run("a", "previous")?, run("b", "last")?)?;
        let table = table_of(&self.shell.words(), &found.listing(), |_| None);
        let of = |part: &crate::documents::inspect::DiffRunPart| {
            html! { a href=(self.shell.link(&format!("/runs/{}", part.id), &[])) { (part.id) } " (" (part.result) ")" }
        };
        let main = html! {
            h1 { (self.shell.words().compare) ": " (of(&found.a)) " → " (of(&found.b)) }
            (table)
        };
        Ok(self.page(self.shell.words().compare, &main))
    }

    fn params(&self, snapshot: &Snapshot<'_>, symbol: Option<&str>, now_ms: i64) -> Result<Answer, Refusal> {
        let words = self.shell.words();
        let found = InspectParamsDocument::read(snapshot, self.profile, None, symbol, now_ms)?;
        let filter = HistoryFilter { symbol: symbol.map(str::to_owned), ..HistoryFilter::newest(CHANGES) };
        let changes = InspectChangesDocument::read(snapshot, self.profile, &filter)?;
        let resolved = symbol
            .map(|symbol| InspectResolveDocument::read(snapshot, self.profile, symbol, None))
            .transpose()?;
        let known = match symbol {
            None => run_of(snapshot, self.profile, None).map(|(_, run)| run.symbols).unwrap_or_default(),
            Some(_) => Vec::new(),
        };
        let title = symbol.unwrap_or(words.params);
        let main = html! {
            h1 { (title) }
            @if !known.is_empty() {
                p class="dim" { @for symbol in &known {
                    a href=(self.shell.link(&format!("/params/{}", escaped_part(symbol)), &[])) { (symbol) } " "
                } }
            }
            (params_part(&self.shell, &found.scopes))
            @if let Some(resolved) = &resolved {
                h2 { (words.resolved) }
                pre { (resolved.text()) }
            }
            h2 { (words.history) }
            (changes_list(&self.shell, &changes))
        };
        Ok(self.page(title, &main))
    }

    fn trials(&self, snapshot: &Snapshot<'_>) -> Result<Answer, Refusal> {
        let sort = match self.asked.value("sort") {
            None => SortKey::Rank,
            Some(text) => SortKey::ALL
                .into_iter()
                .find(|key| key.as_str() == text)
                .ok_or_else(|| Refusal::Wrong("sort: expected one of the orders of the form".to_owned()))?,
        };
        let trades_min =
            match self.asked.value("min_trades") {
                None => None,
                Some(text) => Some(text.parse().map_err(|_| {
                    Refusal::Wrong("min_trades: expected a whole number, 0 or more".to_owned())
                })?),
            };
        let (style, is_pareto) = (self.style()?, self.asked.value("pareto") == Some("1"));
        let run = self.asked.value("run").map(|text| self.run_ref("run", text)).transpose()?;
        let filter = TopFilter { run, style, limit: usize::MAX, trades_min, drawdown_max_pct: None, sort };
        let found = InspectTopDocument::read(snapshot, self.profile, &filter)?;
        let mut rows: Vec<(&str, &TrialPart)> = found
            .styles
            .iter()
            .flat_map(|(style, part)| part.trials.iter().map(move |trial| (style.as_str(), trial)))
            .collect();
        if is_pareto {
            let all = rows.clone();
            rows.retain(|one| !all.iter().any(|other| other.0 == one.0 && beats(other.1, one.1)));
        }
        if self.asked.value("format") == Some("csv") {
            return Ok(Answer::ok(CSV, trials_listing(&rows, true).csv())
                .with("content-disposition", "attachment; filename=\"trials.csv\""));
        }
        let (rows, place) = self.rows(rows)?;
        let pairs = self
            .asked
            .query
            .iter()
            .filter(|(key, _)| !["page", "profile", "lang", "format"].contains(&key.as_str()));
        let pairs: Vec<(&str, &str)> = pairs.map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let (words, styles) = (self.shell.words(), Style::ALL.map(Style::as_str));
        let csv = self.shell.link("/trials", &[&pairs[..], &[("format", "csv")]].concat());
        let chosen = (style.map_or("", Style::as_str), sort, trades_min, is_pareto);
        let main = html! {
            h1 { (words.trials) " · " a href=(self.shell.link(&format!("/runs/{}", found.run), &[])) { (found.run) } }
            (trials_form(&self.shell, &styles, chosen))
            (table_of(&words, &trials_listing(&rows, true), |_| None))
            (pager(&self.shell, "/trials", &pairs, place))
            p { a href=(csv) { (words.csv) } }
        };
        Ok(self.page(words.trials, &main))
    }

    fn surface(&self, snapshot: &Snapshot<'_>) -> Result<Answer, Refusal> {
        let run = self.asked.value("run").map(|text| self.run_ref("run", text)).transpose()?;
        let run = run.map(|run| run.resolve(snapshot, self.profile)).transpose()?;
        let (run, _) = run_of(snapshot, self.profile, run)?;
        let mut kept = Vec::new();
        for style in Style::ALL {
            let series = snapshot.series(self.profile, run, style)?;
            kept.extend(series.filter(|series| !series.surfaces.is_empty()).map(|series| (style, series)));
        }
        let wanted = self.style()?;
        let shown = kept.iter().find(|(style, _)| wanted.is_none_or(|wanted| wanted == *style));
        let Some((style, series)) = shown else {
            let text = self.shell.words().no_surface;
            return Ok(self.page(self.shell.words().surface, &html! { p { (text) } }));
        };
        let mut axes: Vec<&str> = Vec::new();
        for key in series.surfaces.iter().flat_map(|surface| [surface.x.as_str(), surface.y.as_str()]) {
            if !axes.contains(&key) {
                axes.push(key);
            }
        }
        let axis = |key: &str, other: &str| -> Result<String, Refusal> {
            let found = self.asked.value(key).unwrap_or(other);
            // Another style may lack the axis that was chosen for this one.
            Ok(axes.iter().find(|axis| **axis == found).map_or(other, |axis| axis).to_owned())
        };
        let x = axis("x", &series.surfaces[0].x)?;
        let y = axis("y", axes.iter().copied().find(|axis| *axis != x).unwrap_or(&x))?;
        let surface = series
            .surfaces
            .iter()
            .find(|surface| (surface.x == x && surface.y == y) || (surface.x == y && surface.y == x));
        let candidate = self.candidate(snapshot, run, *style)?;
        let level = |key: &str| candidate.as_ref().and_then(|set| set.params.get(key)).map(level_text);
        let map = HeatMap {
            style: style.as_str(),
            styles: kept.iter().map(|(style, _)| style.as_str()).collect(),
            chosen_axes: (&x, &y),
            surface,
            candidate: (level(&x), level(&y)),
            axes: axes.clone(),
        };
        Ok(self.page(self.shell.words().surface, &heat_part(&self.shell, &map)))
    }

    /// Returns the candidate of a run.
    fn candidate(
        &self,
        snapshot: &Snapshot<'_>,
        run: u64,
        style: Style,
    ) -> Result<Option<CandidatePart>, Refusal> {
        let document = crate::documents::inspect::InspectRunDocument::read(snapshot, self.profile, run)?;
        let decision = document.styles.get(style.as_str()).and_then(|part| part.decision.clone());
        Ok(decision.and_then(|decision| decision.candidate))
    }
}

/// Returns a value as the levels of an axis show it.
fn level_text(value: &serde_json::Value) -> String {
    match (value.as_str(), value.as_f64()) {
        (Some(name), _) => name.to_owned(),
        (_, Some(number)) => number.to_string(),
        _ => value.to_string(),
    }
}

/// Returns whether a trial is at least as good in score and drawdown, and better in one of them.
fn beats(one: &TrialPart, other: &TrialPart) -> bool {
    let drawdown = |trial: &TrialPart| trial.metrics.max_drawdown_pct.unwrap_or(f64::INFINITY);
    let (own, theirs) = ((one.score, drawdown(one)), (other.score, drawdown(other)));
    own.0 >= theirs.0 && own.1 <= theirs.1 && (own.0 > theirs.0 || own.1 < theirs.1)
}
